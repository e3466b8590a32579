//! All SQL about enterprises.

use super::wire::EnterpriseOut;
use crate::{
    catalogue::Values,
    clock::day_of,
    codes::{self, MintProfile, NewSpace, SpaceKey, UnitLevel},
    db::Db,
    entities::{enterprise, enterprise_version, gs1_prefix},
    http::page::Paging,
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Log},
    registry::RegistryError,
    sealing::Sealer,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

/// An enterprise to be written; already checked.
pub struct NewEnterprise {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Prefixes.
    pub prefixes: Vec<String>,
    /// Values.
    pub fields: Values,
}

/// Is there such an enterprise?
pub async fn exists(conn: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    let found = enterprise::Entity::find_by_id(id).count(conn).await?;
    Ok(found == 1)
}

/// Registers an enterprise, its prefixes, and a code space per prefix for logistic units.
pub async fn create(
    log: &Log,
    sealer: &Sealer,
    actor: Actor,
    key: Option<IdempotencyKey>,
    new: NewEnterprise,
) -> Result<EnterpriseOut, RegistryError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let id = log.clock().new_id();
    enterprise::Entity::insert(enterprise::ActiveModel {
        id: Set(id),
        code: Set(new.code.clone()),
        created_at: Set(act.stamp()),
    })
    .exec_without_returning(act.tx())
    .await?;
    let mut held: Vec<String> = gs1_prefix::Entity::find()
        .all(act.tx())
        .await?
        .into_iter()
        .map(|row| row.prefix)
        .collect();
    for prefix in &new.prefixes {
        // Two prefixes that begin alike would give one SSCC two meanings.
        if held
            .iter()
            .any(|h| h.starts_with(prefix.as_str()) || prefix.starts_with(h.as_str()))
        {
            return Err(RegistryError::Taken);
        }
        held.push(prefix.clone());
        gs1_prefix::Entity::insert(gs1_prefix::ActiveModel {
            prefix: Set(prefix.clone()),
            enterprise_id: Set(id),
            created_at: Set(act.stamp()),
        })
        .exec_without_returning(act.tx())
        .await?;
        let space = SpaceKey::sscc(prefix).ok_or(RegistryError::Unknown)?;
        let space = NewSpace {
            space,
            product: None,
            level: UnitLevel::Pallet,
            profile: MintProfile::default(),
        };
        codes::open_space(&act, sealer, id, space).await?;
    }
    // The first version holds from the beginning: goods may have been made long before.
    let first_day = "0001-01-01".to_owned();
    add_version(&act, id, 1, &new.name, &first_day, &new.fields).await?;
    let out = EnterpriseOut {
        id,
        code: new.code,
        name: new.name,
        gs1_prefixes: new.prefixes,
        version: 1,
        valid_from: first_day,
        fields: serde_json::to_value(&new.fields)?,
    };
    act.commit(entry(id, &out), &out).await?;
    Ok(out)
}

/// Adds a version.
pub async fn revise(
    log: &Log,
    actor: Actor,
    key: Option<IdempotencyKey>,
    id: Uuid,
    name: String,
    valid_from: String,
    fields: Values,
) -> Result<EnterpriseOut, RegistryError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let mut out = read(act.tx(), id).await?.ok_or(RegistryError::Unknown)?;
    out.version += 1;
    add_version(&act, id, out.version, &name, &valid_from, &fields).await?;
    out.name = name;
    out.valid_from = valid_from;
    out.fields = serde_json::to_value(&fields)?;
    act.commit(entry(id, &out), &out).await?;
    Ok(out)
}

/// What an enterprise said of itself on a day: the newest version in force then, else the first.
pub async fn in_force(
    tx: &impl ConnectionTrait,
    id: Uuid,
    day: &str,
) -> Result<Values, RegistryError> {
    let versions = enterprise_version::Entity::find()
        .filter(enterprise_version::Column::EnterpriseId.eq(id))
        .order_by_asc(enterprise_version::Column::Version)
        .all(tx)
        .await?;
    let chosen = versions
        .iter()
        .rev()
        .find(|v| v.valid_from.as_str() <= day)
        .or(versions.first())
        .ok_or(RegistryError::Unknown)?;
    Ok(serde_json::from_str(&chosen.fields)?)
}

/// One enterprise.
pub async fn get(db: &Db, id: Uuid) -> Result<EnterpriseOut, RegistryError> {
    read(db.reader(), id).await?.ok_or(RegistryError::Unknown)
}

/// The enterprise with this code.
pub async fn by_code(db: &Db, code: &str) -> Result<Option<Uuid>, DbErr> {
    let row = enterprise::Entity::find()
        .filter(enterprise::Column::Code.eq(code))
        .one(db.reader())
        .await?;
    Ok(row.map(|row| row.id))
}

/// All enterprises.
pub async fn list(db: &Db, paging: Paging) -> Result<Vec<EnterpriseOut>, RegistryError> {
    let ids: Vec<Uuid> = enterprise::Entity::find()
        .filter(enterprise::Column::Id.gt(paging.after))
        .order_by_asc(enterprise::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await?
        .into_iter()
        .map(|row| row.id)
        .collect();
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        out.extend(read(db.reader(), id).await?);
    }
    Ok(out)
}

/// The GS1 company prefixes of an enterprise.
pub async fn prefixes(tx: &impl ConnectionTrait, id: Uuid) -> Result<Vec<String>, DbErr> {
    let rows = gs1_prefix::Entity::find()
        .filter(gs1_prefix::Column::EnterpriseId.eq(id))
        .order_by_asc(gs1_prefix::Column::Prefix)
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| row.prefix).collect())
}

/// The code of an enterprise.
pub async fn code(tx: &impl ConnectionTrait, id: Uuid) -> Result<String, RegistryError> {
    let row = enterprise::Entity::find_by_id(id).one(tx).await?;
    Ok(row.ok_or(RegistryError::Unknown)?.code)
}

async fn read(tx: &impl ConnectionTrait, id: Uuid) -> Result<Option<EnterpriseOut>, RegistryError> {
    let Some(row) = enterprise::Entity::find_by_id(id).one(tx).await? else {
        return Ok(None);
    };
    let version = enterprise_version::Entity::find()
        .filter(enterprise_version::Column::EnterpriseId.eq(id))
        .order_by_desc(enterprise_version::Column::Version)
        .one(tx)
        .await?
        .ok_or(RegistryError::Unknown)?;
    Ok(Some(EnterpriseOut {
        id,
        code: row.code,
        name: version.name,
        gs1_prefixes: prefixes(tx, id).await?,
        version: version.version,
        valid_from: version.valid_from,
        fields: serde_json::from_str(&version.fields)?,
    }))
}

async fn add_version(
    act: &Act,
    id: Uuid,
    version: i64,
    name: &str,
    valid_from: &str,
    fields: &Values,
) -> Result<(), RegistryError> {
    enterprise_version::Entity::insert(enterprise_version::ActiveModel {
        enterprise_id: Set(id),
        version: Set(version),
        name: Set(name.to_owned()),
        valid_from: Set(valid_from.to_owned()),
        fields: Set(serde_json::to_string(fields)?),
        created_at: Set(act.stamp()),
    })
    .exec_without_returning(act.tx())
    .await?;
    Ok(())
}

fn entry(id: Uuid, out: &EnterpriseOut) -> Entry<'_> {
    Entry {
        kind: Kind::MasterDataChanged,
        enterprise: Some(id),
        subject: format!("enterprise:{id}"),
        body: out,
    }
}

/// Today in Asia/Shanghai by the log's time, for versions in force now.
pub fn today(act: &Act) -> String {
    day_of(act.stamp()).to_string()
}
