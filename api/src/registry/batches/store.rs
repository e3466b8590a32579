//! All SQL about batches.

use super::wire::BatchOut;
use crate::{
    catalogue::Values,
    db::Db,
    entities::{batch, batch_version},
    http::page::Paging,
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Log},
    projection,
    registry::RegistryError,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

/// What other features may know of a batch.
#[derive(Debug, Clone)]
pub struct BatchRef {
    /// Id.
    pub id: Uuid,
    /// Its product.
    pub product: Uuid,
    /// Lot.
    pub lot: String,
}

/// A batch of this enterprise.
pub async fn batch(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
) -> Result<Option<BatchRef>, DbErr> {
    let row = batch::Entity::find_by_id((enterprise, id)).one(tx).await?;
    Ok(row.map(|row| BatchRef {
        id: row.id,
        product: row.product_id,
        lot: row.lot,
    }))
}

/// Which of these are no batches of this enterprise?
pub async fn unknown_batches(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Uuid>, DbErr> {
    let mut ids: Vec<Uuid> = ids.into_iter().collect();
    let known: Vec<Uuid> = batch::Entity::find()
        .select_only()
        .column(batch::Column::Id)
        .filter(batch::Column::EnterpriseId.eq(enterprise))
        .filter(batch::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    ids.retain(|id| !known.contains(id));
    Ok(ids)
}

/// Registers a batch. It is known to the public side at once (a scan may meet its codes), but
/// shows nothing until published.
pub async fn create(
    log: &Log,
    actor: Actor,
    key: Option<IdempotencyKey>,
    enterprise: Uuid,
    new: BatchOut,
) -> Result<BatchOut, RegistryError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    crate::registry::products::store::row(act.tx(), enterprise, new.product_id).await?;
    crate::registry::locations::store::fields(act.tx(), enterprise, new.plant_id).await?;
    batch::Entity::insert(batch::ActiveModel {
        enterprise_id: Set(enterprise),
        id: Set(new.id),
        product_id: Set(new.product_id),
        plant_id: Set(new.plant_id),
        lot: Set(new.lot.clone()),
        production_date: Set(new.production_date.clone()),
        expiry_date: Set(new.expiry_date.clone()),
        created_at: Set(act.stamp()),
        published_version: Set(None),
    })
    .exec_without_returning(act.tx())
    .await?;
    add_version(&act, enterprise, new.id, 1, &new.fields).await?;
    let public = projection::Batch {
        id: new.id,
        product: new.product_id,
        lot: &new.lot,
        expiry_date: &new.expiry_date,
        view: None,
    };
    projection::put_batch(&act, &public).await?;
    act.commit(entry(enterprise, Kind::MasterDataChanged, &new), &new)
        .await?;
    Ok(new)
}

/// Adds a version; it is not public until published.
pub async fn revise(
    log: &Log,
    actor: Actor,
    key: Option<IdempotencyKey>,
    enterprise: Uuid,
    id: Uuid,
    fields: serde_json::Value,
) -> Result<BatchOut, RegistryError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let row = row(act.tx(), enterprise, id).await?;
    let (newest, _) = newest(act.tx(), enterprise, id).await?;
    add_version(&act, enterprise, id, newest + 1, &fields).await?;
    let out = read(act.tx(), row).await?;
    act.commit(entry(enterprise, Kind::MasterDataChanged, &out), &out)
        .await?;
    Ok(out)
}

/// The newest version and its values.
pub async fn newest(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
) -> Result<(i64, Values), RegistryError> {
    let row = batch_version::Entity::find()
        .filter(batch_version::Column::EnterpriseId.eq(enterprise))
        .filter(batch_version::Column::BatchId.eq(id))
        .order_by_desc(batch_version::Column::Version)
        .one(tx)
        .await?
        .ok_or(RegistryError::Unknown)?;
    Ok((row.version, serde_json::from_str(&row.fields)?))
}

/// One version's values.
pub async fn version(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
    version: i64,
) -> Result<Values, RegistryError> {
    let row = batch_version::Entity::find_by_id((enterprise, id, version))
        .one(tx)
        .await?;
    Ok(serde_json::from_str(
        &row.ok_or(RegistryError::Unknown)?.fields,
    )?)
}

/// Notes which version is public.
pub async fn mark_published(
    act: &Act,
    enterprise: Uuid,
    id: Uuid,
    version: i64,
) -> Result<(), DbErr> {
    batch::Entity::update_many()
        .col_expr(batch::Column::PublishedVersion, version.into())
        .filter(batch::Column::EnterpriseId.eq(enterprise))
        .filter(batch::Column::Id.eq(id))
        .exec(act.tx())
        .await?;
    Ok(())
}

/// The row of a batch of this enterprise.
pub async fn row(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
) -> Result<batch::Model, RegistryError> {
    let row = batch::Entity::find_by_id((enterprise, id)).one(tx).await?;
    row.ok_or(RegistryError::Unknown)
}

/// Published batches of an enterprise or of one product, after an id.
pub async fn published_after(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    product: Option<Uuid>,
    after: Uuid,
    limit: u64,
) -> Result<Vec<batch::Model>, DbErr> {
    let mut query = batch::Entity::find()
        .filter(batch::Column::EnterpriseId.eq(enterprise))
        .filter(batch::Column::PublishedVersion.is_not_null())
        .filter(batch::Column::Id.gt(after));
    if let Some(product) = product {
        query = query.filter(batch::Column::ProductId.eq(product));
    }
    query
        .order_by_asc(batch::Column::Id)
        .limit(limit)
        .all(tx)
        .await
}

/// One batch.
pub async fn get(db: &Db, enterprise: Uuid, id: Uuid) -> Result<BatchOut, RegistryError> {
    let row = row(db.reader(), enterprise, id).await?;
    read(db.reader(), row).await
}

/// Batches of an enterprise, or of one product.
pub async fn list(
    db: &Db,
    enterprise: Uuid,
    product: Option<Uuid>,
    paging: Paging,
) -> Result<Vec<BatchOut>, RegistryError> {
    let mut query = batch::Entity::find()
        .filter(batch::Column::EnterpriseId.eq(enterprise))
        .filter(batch::Column::Id.gt(paging.after));
    if let Some(product) = product {
        query = query.filter(batch::Column::ProductId.eq(product));
    }
    let rows = query
        .order_by_asc(batch::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        out.push(read(db.reader(), row).await?);
    }
    Ok(out)
}

async fn read(tx: &impl ConnectionTrait, row: batch::Model) -> Result<BatchOut, RegistryError> {
    let (version, fields) = newest(tx, row.enterprise_id, row.id).await?;
    Ok(BatchOut {
        id: row.id,
        product_id: row.product_id,
        lot: row.lot,
        plant_id: row.plant_id,
        production_date: row.production_date,
        expiry_date: row.expiry_date,
        version,
        published_version: row.published_version,
        fields: serde_json::to_value(fields)?,
    })
}

async fn add_version(
    act: &Act,
    enterprise: Uuid,
    id: Uuid,
    version: i64,
    fields: &serde_json::Value,
) -> Result<(), RegistryError> {
    batch_version::Entity::insert(batch_version::ActiveModel {
        enterprise_id: Set(enterprise),
        batch_id: Set(id),
        version: Set(version),
        fields: Set(fields.to_string()),
        created_at: Set(act.stamp()),
    })
    .exec_without_returning(act.tx())
    .await?;
    Ok(())
}

/// The log entry of a batch.
pub fn entry(enterprise: Uuid, kind: Kind, out: &BatchOut) -> Entry<'_> {
    Entry {
        kind,
        enterprise: Some(enterprise),
        subject: format!("batch:{}", out.id),
        body: out,
    }
}
