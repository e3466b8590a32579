//! All SQL of recalls. A scope grows by rows that say since which entry of the log they hold, so
//! that what a recall covered at any position can be told again.

use super::{
    RecallError,
    rules::{Chunks, Scope},
    wire::RecallOut,
};
use crate::{
    clock::{Micros, rfc3339},
    db::{Db, execute, query_all, rows::KEYS_AT_ONCE},
    entities::{recall, recall_batch, recall_code, recall_stage, recall_units},
    http::page::Paging,
    log::Act,
    projection::{
        self, Recall,
        units::{CHUNK_RECALLED, add_recalled, put_recall},
    },
    registry,
};
use roaring::RoaringBitmap;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, TransactionTrait,
};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::unit::UnitKey;
use uuid::Uuid;

/// Writes a recall that covers nothing yet.
pub async fn insert(act: &Act, row: recall::Model) -> Result<(), DbErr> {
    recall::Entity::insert(recall::ActiveModel::from(row))
        .exec_without_returning(act.tx())
        .await?;
    Ok(())
}

/// A recall of this enterprise.
pub async fn row(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
) -> Result<recall::Model, RecallError> {
    let row = recall::Entity::find_by_id((enterprise, id)).one(tx).await?;
    row.ok_or(RecallError::Unknown)
}

/// Lets a recall cover what it does not cover yet, from this act on, and shows it; returns what
/// that is.
pub async fn grow(act: &Act, recall: &recall::Model, by: Scope) -> Result<Scope, RecallError> {
    let (enterprise, id) = (recall.enterprise_id, recall.id);
    let mut new = Scope {
        batches: new_batches(act, enterprise, id, by.batches).await?,
        others: new_others(act, enterprise, id, by.others).await?,
        ..Scope::default()
    };
    for (space, chunks) in by_space(by.chunks) {
        for (chunk, bits) in grow_space(act, enterprise, id, &space, chunks).await? {
            new.chunks.insert((space.clone(), chunk), bits);
        }
    }
    add_recalled(act, id, &new.others).await?;
    show_batches(act, enterprise, &new.batches).await?;
    if new.names_units() {
        put_recall(act, id, Some(&notice(recall))).await?;
    }
    Ok(new)
}

async fn new_batches(
    act: &Act,
    enterprise: Uuid,
    id: Uuid,
    mut batches: BTreeSet<Uuid>,
) -> Result<BTreeSet<Uuid>, RecallError> {
    let unknown = registry::unknown_batches(act.tx(), enterprise, batches.iter().copied());
    if !unknown.await?.is_empty() {
        return Err(RecallError::Unknown);
    }
    for known in batches_of(act.tx(), enterprise, &[id]).await? {
        batches.remove(&known.batch_id);
    }
    let row = |batch: &Uuid| recall_batch::ActiveModel {
        enterprise_id: Set(enterprise),
        recall_id: Set(id),
        batch_id: Set(*batch),
        since: Set(act.position()),
        since_at: Set(act.stamp()),
    };
    if !batches.is_empty() {
        recall_batch::Entity::insert_many(batches.iter().map(row))
            .exec_without_returning(act.tx())
            .await?;
    }
    Ok(batches)
}

async fn new_others(
    act: &Act,
    enterprise: Uuid,
    id: Uuid,
    mut units: BTreeSet<UnitKey>,
) -> Result<BTreeSet<UnitKey>, DbErr> {
    let named: Vec<UnitKey> = units.iter().cloned().collect();
    for named in named.chunks(KEYS_AT_ONCE) {
        let known = recall_code::Entity::find()
            .filter(recall_code::Column::EnterpriseId.eq(enterprise))
            .filter(recall_code::Column::RecallId.eq(id))
            .filter(recall_code::Column::Unit.is_in(named.iter().map(UnitKey::as_str)))
            .all(act.tx())
            .await?;
        for row in known {
            units.remove(&UnitKey::kept(&row.unit));
        }
    }
    let rows: Vec<recall_code::ActiveModel> = units
        .iter()
        .map(|unit| recall_code::ActiveModel {
            enterprise_id: Set(enterprise),
            recall_id: Set(id),
            unit: Set(unit.as_str().to_owned()),
            since: Set(act.position()),
            since_at: Set(act.stamp()),
        })
        .collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        recall_code::Entity::insert_many(rows.to_vec())
            .exec_without_returning(act.tx())
            .await?;
    }
    Ok(units)
}

/// Rows one statement inserts: few enough for the parameters a statement may have.
const ROWS_AT_ONCE: usize = 500;

async fn grow_space(
    act: &Act,
    enterprise: Uuid,
    id: Uuid,
    space: &str,
    chunks: BTreeMap<u32, RoaringBitmap>,
) -> Result<Vec<(u32, RoaringBitmap)>, DbErr> {
    let known = recall_units::Entity::find()
        .filter(recall_units::Column::EnterpriseId.eq(enterprise))
        .filter(recall_units::Column::RecallId.eq(id))
        .filter(recall_units::Column::Space.eq(space))
        .filter(recall_units::Column::Chunk.is_in(chunks.keys().map(|chunk| i64::from(*chunk))))
        .all(act.tx())
        .await?;
    let mut covered: BTreeMap<u32, RoaringBitmap> = BTreeMap::new();
    for row in known {
        *covered.entry(row.chunk as u32).or_default() |= projection::read_bits(&row.bits)?;
    }
    let (mut new, mut rows, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for (chunk, mut bits) in chunks {
        let before = covered.remove(&chunk).unwrap_or_default();
        bits -= &before;
        if bits.is_empty() {
            continue;
        }
        rows.push(recall_units::ActiveModel {
            enterprise_id: Set(enterprise),
            recall_id: Set(id),
            space: Set(space.to_owned()),
            chunk: Set(i64::from(chunk)),
            since: Set(act.position()),
            since_at: Set(act.stamp()),
            n: Set(bits.len() as i64),
            bits: Set(projection::write_bits(&mut bits)?),
        });
        shown.push((chunk, before | &bits));
        new.push((chunk, bits));
    }
    for rows in rows.chunks(ROWS_AT_ONCE) {
        recall_units::Entity::insert_many(rows.to_vec())
            .exec_without_returning(act.tx())
            .await?;
    }
    projection::put_chunks(act, space, CHUNK_RECALLED, id, shown).await?;
    Ok(new)
}

fn by_space(chunks: Chunks) -> BTreeMap<String, BTreeMap<u32, RoaringBitmap>> {
    let mut spaces: BTreeMap<String, BTreeMap<u32, RoaringBitmap>> = BTreeMap::new();
    for ((space, chunk), bits) in chunks {
        spaces.entry(space).or_default().insert(chunk, bits);
    }
    spaces
}

/// Ends a recall, and shows that it did.
pub async fn close(
    act: &Act,
    recall: &recall::Model,
    note: &str,
    mistaken: bool,
) -> Result<(), DbErr> {
    recall::Entity::update_many()
        .col_expr(recall::Column::ClosedAt, act.stamp().into())
        .col_expr(recall::Column::ClosedGseq, act.position().into())
        .col_expr(recall::Column::ClosingNote, note.into())
        .col_expr(recall::Column::Mistaken, mistaken.into())
        .filter(recall::Column::EnterpriseId.eq(recall.enterprise_id))
        .filter(recall::Column::Id.eq(recall.id))
        .exec(act.tx())
        .await?;
    let batches = batches_of(act.tx(), recall.enterprise_id, &[recall.id]).await?;
    let batches = batches.into_iter().map(|row| row.batch_id).collect();
    show_batches(act, recall.enterprise_id, &batches).await?;
    put_recall(act, recall.id, None).await
}

/// Shows the open recalls of batches to the public side, newest first. Batches with the same recalls
/// are shown in one statement: those of a long recall mostly have it alone.
async fn show_batches(act: &Act, enterprise: Uuid, batches: &BTreeSet<Uuid>) -> Result<(), DbErr> {
    let covered = recall_batch::Entity::find()
        .filter(recall_batch::Column::EnterpriseId.eq(enterprise))
        .filter(recall_batch::Column::BatchId.is_in(batches.iter().copied()))
        .all(act.tx())
        .await?;
    let ids: BTreeSet<Uuid> = covered.iter().map(|row| row.recall_id).collect();
    let open = recall::Entity::find()
        .filter(recall::Column::EnterpriseId.eq(enterprise))
        .filter(recall::Column::Id.is_in(ids))
        .filter(recall::Column::ClosedAt.is_null())
        .order_by_desc(recall::Column::OpenedAt)
        .all(act.tx())
        .await?;
    let mut alike: BTreeMap<Vec<Uuid>, Vec<Uuid>> = BTreeMap::new();
    for batch in batches {
        let covers = |recall: &&recall::Model| {
            let mut rows = covered.iter();
            rows.any(|row| row.batch_id == *batch && row.recall_id == recall.id)
        };
        let recalls = open.iter().filter(covers).map(|recall| recall.id).collect();
        alike.entry(recalls).or_default().push(*batch);
    }
    for (recalls, batches) in alike {
        let told = open.iter().filter(|recall| recalls.contains(&recall.id));
        let told: Vec<Recall> = told.map(notice).collect();
        projection::set_recalls(act, &batches, &told).await?;
    }
    Ok(())
}

fn notice(row: &recall::Model) -> Recall {
    Recall {
        id: row.id,
        reason: row.reason.clone(),
        instructions: row.instructions.clone(),
        opened_at: row.opened_at,
    }
}

/// Puts parts of a long scope where nobody looks, to be published one by one once they are
/// [confirmed](confirm_staged): until then the stage itself stands where the recall will.
pub async fn stage(
    db: &Db,
    enterprise: Uuid,
    stage: Uuid,
    rest: &Chunks,
    now: Micros,
) -> Result<(), DbErr> {
    let mut rows = Vec::with_capacity(rest.len());
    for ((space, chunk), bits) in rest {
        rows.push(recall_stage::ActiveModel {
            enterprise_id: Set(enterprise),
            recall_id: Set(stage),
            stage_id: Set(stage),
            space: Set(space.clone()),
            chunk: Set(i64::from(*chunk)),
            staged_at: Set(now),
            n: Set(bits.len() as i64),
            bits: Set(projection::write_bits(&mut bits.clone())?),
        });
    }
    let tx = db.writer().begin().await?;
    for rows in rows.chunks(ROWS_AT_ONCE) {
        recall_stage::Entity::insert_many(rows.to_vec())
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await
}

/// What was staged is a recall's: by the act that names it.
pub async fn confirm_staged(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    stage: Uuid,
    recall: Uuid,
) -> Result<(), DbErr> {
    recall_stage::Entity::update_many()
        .col_expr(recall_stage::Column::RecallId, recall.into())
        .filter(recall_stage::Column::EnterpriseId.eq(enterprise))
        .filter(recall_stage::Column::RecallId.eq(stage))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes back what was staged for an act that did not come to be.
pub async fn unstage(db: &Db, enterprise: Uuid, stage: Uuid) -> Result<(), DbErr> {
    recall_stage::Entity::delete_many()
        .filter(recall_stage::Column::EnterpriseId.eq(enterprise))
        .filter(recall_stage::Column::RecallId.eq(stage))
        .exec(db.writer())
        .await?;
    Ok(())
}

/// Takes up to `limit` staged parts of a recall, in order, to be published by this act. Empty when
/// nothing waits.
pub async fn take_staged(
    act: &Act,
    enterprise: Uuid,
    id: Uuid,
    limit: usize,
) -> Result<Chunks, DbErr> {
    let rows = recall_stage::Entity::find()
        .filter(recall_stage::Column::EnterpriseId.eq(enterprise))
        .filter(recall_stage::Column::RecallId.eq(id))
        .order_by_asc(recall_stage::Column::StageId)
        .order_by_asc(recall_stage::Column::Space)
        .order_by_asc(recall_stage::Column::Chunk)
        .limit(limit as u64)
        .all(act.tx())
        .await?;
    let mut chunks = Chunks::new();
    for row in rows {
        let name = (row.space.clone(), row.chunk as u32);
        *chunks.entry(name).or_default() |= projection::read_bits(&row.bits)?;
        recall_stage::Entity::delete_by_id((
            row.enterprise_id,
            row.recall_id,
            row.stage_id,
            row.space,
            row.chunk,
        ))
        .exec(act.tx())
        .await?;
    }
    Ok(chunks)
}

/// Does anything of this recall wait?
pub async fn is_waiting(db: &Db, enterprise: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let row = recall_stage::Entity::find()
        .filter(recall_stage::Column::EnterpriseId.eq(enterprise))
        .filter(recall_stage::Column::RecallId.eq(id))
        .one(db.reader())
        .await?;
    Ok(row.is_some())
}

/// Forgets what waits for a recall: it was closed.
pub async fn drop_staged(act: &Act, enterprise: Uuid, id: Uuid) -> Result<(), DbErr> {
    recall_stage::Entity::delete_many()
        .filter(recall_stage::Column::EnterpriseId.eq(enterprise))
        .filter(recall_stage::Column::RecallId.eq(id))
        .exec(act.tx())
        .await?;
    Ok(())
}

/// Open recalls of which something waits since before `before`.
pub async fn waiting(db: &Db, before: Micros) -> Result<Vec<(Uuid, Uuid)>, DbErr> {
    let rows = query_all(
        db.reader(),
        "SELECT DISTINCT recall.enterprise_id, recall.id FROM recall JOIN recall_stage \
         ON recall_stage.enterprise_id = recall.enterprise_id \
         AND recall_stage.recall_id = recall.id WHERE staged_at < ? AND closed_at IS NULL",
        [before.into()],
    );
    let read =
        |row: sea_orm::QueryResult| Ok((row.try_get("", "enterprise_id")?, row.try_get("", "id")?));
    rows.await?.into_iter().map(read).collect()
}

/// Forgets what was staged before `before` by acts that never came to be: no open recall has it.
pub async fn forget_orphans(db: &Db, before: Micros) -> Result<u64, DbErr> {
    let gone = execute(
        db.writer(),
        "DELETE FROM recall_stage WHERE staged_at < ? AND NOT EXISTS \
         (SELECT 1 FROM recall WHERE recall.enterprise_id = recall_stage.enterprise_id \
         AND recall.id = recall_stage.recall_id AND closed_at IS NULL)",
        [before.into()],
    );
    Ok(gone.await?.rows_affected())
}

/// One recall.
pub async fn get(db: &Db, enterprise: Uuid, id: Uuid) -> Result<RecallOut, RecallError> {
    let row = row(db.reader(), enterprise, id).await?;
    let mut out = told(db.reader(), enterprise, vec![row]).await?;
    out.pop().ok_or(RecallError::Unknown)
}

/// Recalls of an enterprise.
pub async fn list(db: &Db, enterprise: Uuid, paging: Paging) -> Result<Vec<RecallOut>, DbErr> {
    let rows = recall::Entity::find()
        .filter(recall::Column::EnterpriseId.eq(enterprise))
        .filter(recall::Column::Id.gt(paging.after))
        .order_by_asc(recall::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await?;
    told(db.reader(), enterprise, rows).await
}

async fn batches_of(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    ids: &[Uuid],
) -> Result<Vec<recall_batch::Model>, DbErr> {
    recall_batch::Entity::find()
        .filter(recall_batch::Column::EnterpriseId.eq(enterprise))
        .filter(recall_batch::Column::RecallId.is_in(ids.iter().copied()))
        .order_by_asc(recall_batch::Column::BatchId)
        .all(tx)
        .await
}

/// How many units the rows of a table about recalls name, and the latest of a column; by recall.
async fn counted(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    ids: &[Uuid],
    (table, units, latest): (&str, &str, &str),
) -> Result<BTreeMap<Uuid, (i64, i64)>, DbErr> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let places = vec!["?"; ids.len()].join(", ");
    let sql = format!(
        "SELECT recall_id, CAST({units} AS BIGINT) AS units, MAX({latest}) AS latest \
         FROM {table} WHERE enterprise_id = ? AND recall_id IN ({places}) GROUP BY recall_id"
    );
    let mut values: Vec<sea_orm::Value> = vec![enterprise.into()];
    values.extend(ids.iter().map(|id| sea_orm::Value::from(*id)));
    let rows = query_all(tx, &sql, values);
    let read = |row: sea_orm::QueryResult| {
        let counted = (row.try_get("", "units")?, row.try_get("", "latest")?);
        Ok((row.try_get("", "recall_id")?, counted))
    };
    rows.await?.into_iter().map(read).collect()
}

async fn told(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    rows: Vec<recall::Model>,
) -> Result<Vec<RecallOut>, DbErr> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut batches: BTreeMap<Uuid, Vec<recall_batch::Model>> = BTreeMap::new();
    for row in batches_of(tx, enterprise, &ids).await? {
        batches.entry(row.recall_id).or_default().push(row);
    }
    let units = ("recall_units", "SUM(n)", "since");
    let codes = ("recall_code", "COUNT(*)", "since");
    let staged = ("recall_stage", "SUM(n)", "staged_at");
    let units = counted(tx, enterprise, &ids, units).await?;
    let codes = counted(tx, enterprise, &ids, codes).await?;
    let staged = counted(tx, enterprise, &ids, staged).await?;
    rows.into_iter()
        .map(|row| {
            let batches = batches.remove(&row.id).unwrap_or_default();
            let of = |counted: &BTreeMap<Uuid, (i64, i64)>| {
                counted.get(&row.id).copied().unwrap_or_default()
            };
            let (units, codes, staged) = (of(&units), of(&codes), of(&staged));
            let latest = batches.iter().map(|batch| batch.since);
            Ok(RecallOut {
                id: row.id,
                scope_position: latest
                    .chain([row.opened_gseq, units.1, codes.1])
                    .max()
                    .unwrap_or_default(),
                batch_ids: batches.iter().map(|batch| batch.batch_id).collect(),
                units: (units.0 + codes.0) as u64,
                pending: staged.0 as u64,
                reason: row.reason,
                instructions: row.instructions,
                initiated_at: rfc3339(row.initiated_at),
                responsible: row.responsible,
                destinations: serde_json::from_str(&row.destinations)
                    .map_err(|e| DbErr::Json(e.to_string()))?,
                opened_at: rfc3339(row.opened_at),
                opened_position: row.opened_gseq,
                closed_at: row.closed_at.map(rfc3339),
                closed_position: row.closed_gseq,
                mistaken: row.mistaken,
                closing_note: row.closing_note,
            })
        })
        .collect()
}
