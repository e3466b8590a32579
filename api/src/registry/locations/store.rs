//! All SQL about locations.

use super::wire::LocationOut;
use crate::{
    catalogue::Values,
    db::Db,
    entities::location,
    handheld::lots,
    http::page::Paging,
    log::{Actor, Begun, Entry, IdempotencyKey, Kind, Log},
    registry::RegistryError,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

/// Registers a location.
pub async fn create(
    log: &Log,
    actor: Actor,
    key: Option<IdempotencyKey>,
    enterprise: Uuid,
    new: LocationOut,
) -> Result<LocationOut, RegistryError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    location::Entity::insert(location::ActiveModel {
        enterprise_id: Set(enterprise),
        id: Set(new.id),
        kind: Set(name_of(new.kind)?),
        code: Set(new.code.clone()),
        gln: Set(new.gln.clone()),
        name: Set(new.name.clone()),
        fields: Set(new.fields.to_string()),
        version: Set(1),
        created_at: Set(act.stamp()),
    })
    .exec_without_returning(act.tx())
    .await?;
    lots::store::are_of(act.tx(), new.id, enterprise, act.position()).await?;
    let entry = Entry {
        kind: Kind::MasterDataChanged,
        enterprise: Some(enterprise),
        subject: format!("location:{}", new.id),
        body: &new,
    };
    act.commit(entry, &new).await?;
    Ok(new)
}

/// The values a plant brings to the public table; none for an unknown or absent one.
pub async fn fields(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Option<Uuid>,
) -> Result<Values, RegistryError> {
    let Some(id) = id else {
        return Ok(Values::new());
    };
    let row = location::Entity::find_by_id((enterprise, id))
        .one(tx)
        .await?;
    let row = row.ok_or(RegistryError::Unknown)?;
    Ok(serde_json::from_str(&row.fields)?)
}

/// The place of an enterprise with this code.
pub async fn by_code(db: &Db, enterprise: Uuid, code: &str) -> Result<Option<Uuid>, DbErr> {
    let row = location::Entity::find()
        .filter(location::Column::EnterpriseId.eq(enterprise))
        .filter(location::Column::Code.eq(code))
        .one(db.reader())
        .await?;
    Ok(row.map(|row| row.id))
}

/// Is this a location of the enterprise?
pub async fn exists(tx: &impl ConnectionTrait, enterprise: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let row = location::Entity::find_by_id((enterprise, id))
        .one(tx)
        .await?;
    Ok(row.is_some())
}

/// Which of these are no locations of this enterprise?
pub async fn unknown_locations(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Uuid>, DbErr> {
    let mut ids: Vec<Uuid> = ids.into_iter().collect();
    let known: Vec<Uuid> = location::Entity::find()
        .select_only()
        .column(location::Column::Id)
        .filter(location::Column::EnterpriseId.eq(enterprise))
        .filter(location::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    ids.retain(|id| !known.contains(id));
    Ok(ids)
}

/// One location.
pub async fn get(db: &Db, enterprise: Uuid, id: Uuid) -> Result<LocationOut, RegistryError> {
    let row = location::Entity::find_by_id((enterprise, id))
        .one(db.reader())
        .await?;
    row.map_or(Err(RegistryError::Unknown), read)
}

/// Locations of an enterprise.
pub async fn list(
    db: &Db,
    enterprise: Uuid,
    paging: Paging,
) -> Result<Vec<LocationOut>, RegistryError> {
    let rows = location::Entity::find()
        .filter(location::Column::EnterpriseId.eq(enterprise))
        .filter(location::Column::Id.gt(paging.after))
        .order_by_asc(location::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await?;
    rows.into_iter().map(read).collect()
}

fn read(row: location::Model) -> Result<LocationOut, RegistryError> {
    Ok(LocationOut {
        id: row.id,
        code: row.code,
        kind: serde_json::from_value(serde_json::Value::String(row.kind))?,
        name: row.name,
        gln: row.gln,
        fields: serde_json::from_str(&row.fields)?,
    })
}

fn name_of(kind: super::wire::LocationKind) -> Result<String, RegistryError> {
    Ok(serde_json::to_value(kind)?
        .as_str()
        .unwrap_or_default()
        .to_owned())
}
