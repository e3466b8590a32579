//! Recalls as a fold reads them: which cover these units and batches, since and until which position
//! and instant. Asked by the goods, not by a tenant: a recall is opened by who issued them, and
//! everyone who holds them is judged by it.

use crate::{
    db::rows::KEYS_AT_ONCE,
    entities::{recall, recall_batch, recall_code, recall_units},
    projection::{read_bits, units::PublicUnit},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    facts::{RecallScope, RecallSpan, StatedAt},
    ids::{BatchId, LocationId, RecallId},
    unit::UnitKey,
};
use uuid::Uuid;

/// Recalls, open and closed, that cover any of these units or batches, in the order their spans
/// began. Their scope is told as far as it was asked for: the units and batches given here.
pub async fn spans(
    tx: &impl ConnectionTrait,
    units: &[(UnitKey, PublicUnit)],
    batches: &BTreeSet<Uuid>,
) -> Result<Vec<RecallSpan>, DbErr> {
    let mut found: BTreeMap<(StatedAt, Uuid), RecallScope> = BTreeMap::new();
    let at = |gseq, at| StatedAt { at, gseq };
    let batches: Vec<Uuid> = batches.iter().copied().collect();
    for batches in batches.chunks(KEYS_AT_ONCE) {
        let rows = recall_batch::Entity::find()
            .filter(recall_batch::Column::BatchId.is_in(batches.iter().copied()))
            .all(tx)
            .await?;
        for row in rows {
            let scope = found.entry((at(row.since, row.since_at), row.recall_id));
            scope.or_default().batches.insert(BatchId(row.batch_id));
        }
    }
    let mut minted: BTreeMap<&str, Asked<'_>> = BTreeMap::new();
    let mut others: BTreeSet<&str> = BTreeSet::new();
    for (key, name) in units {
        match name {
            PublicUnit::Minted(space, index) => {
                let chunks = minted.entry(space).or_default();
                let chunk = chunks.entry((index >> 16) as i64).or_default();
                chunk.push(((index & 0xffff) as u32, key));
            }
            PublicUnit::Other(key) => {
                others.insert(key.as_str());
            }
        }
    }
    for (space, chunks) in minted {
        let numbers: Vec<i64> = chunks.keys().copied().collect();
        for numbers in numbers.chunks(KEYS_AT_ONCE) {
            let rows = recall_units::Entity::find()
                .filter(recall_units::Column::Space.eq(space))
                .filter(recall_units::Column::Chunk.is_in(numbers.iter().copied()))
                .all(tx)
                .await?;
            for row in rows {
                let bits = read_bits(&row.bits)?;
                let asked = chunks.get(&row.chunk).into_iter().flatten();
                for (_, key) in asked.filter(|(offset, _)| bits.contains(*offset)) {
                    let scope = found.entry((at(row.since, row.since_at), row.recall_id));
                    scope.or_default().units.insert((*key).clone());
                }
            }
        }
    }
    let others: Vec<&str> = others.into_iter().collect();
    for others in others.chunks(KEYS_AT_ONCE) {
        let rows = recall_code::Entity::find()
            .filter(recall_code::Column::Unit.is_in(others.iter().copied()))
            .all(tx)
            .await?;
        for row in rows {
            let scope = found.entry((at(row.since, row.since_at), row.recall_id));
            scope.or_default().units.insert(UnitKey::kept(&row.unit));
        }
    }
    dated(tx, found).await
}

/// Units asked about in one code space: by chunk, each with its offset.
type Asked<'a> = BTreeMap<i64, Vec<(u32, &'a UnitKey)>>;

async fn dated(
    tx: &impl ConnectionTrait,
    found: BTreeMap<(StatedAt, Uuid), RecallScope>,
) -> Result<Vec<RecallSpan>, DbErr> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let ids: BTreeSet<Uuid> = found.keys().map(|(_, id)| *id).collect();
    let rows = recall::Entity::find()
        .filter(recall::Column::Id.is_in(ids))
        .all(tx)
        .await?;
    let recalls: BTreeMap<Uuid, recall::Model> =
        rows.into_iter().map(|row| (row.id, row)).collect();
    let mut spans = Vec::with_capacity(found.len());
    for ((from, id), scope) in found {
        let row = recalls
            .get(&id)
            .ok_or_else(|| DbErr::RecordNotFound(format!("recall {id}")))?;
        let destinations: BTreeSet<Uuid> =
            serde_json::from_str(&row.destinations).map_err(|e| DbErr::Json(e.to_string()))?;
        spans.push(RecallSpan {
            recall: RecallId(id),
            from,
            closed: row
                .closed_at
                .zip(row.closed_gseq)
                .map(|(at, gseq)| StatedAt { at, gseq }),
            mistaken: row.mistaken,
            scope,
            destinations: destinations.into_iter().map(LocationId).collect(),
        });
    }
    Ok(spans)
}
