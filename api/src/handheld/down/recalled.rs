//! The recall list of an enterprise, signed: open recalls of batches of products it handles.

use super::{
    cards,
    store::{handled, rows},
};
use crate::{
    clock::Micros,
    handheld::keys::{KeyError, ListKeys},
    log::Position,
};
use sea_orm::ConnectionTrait;
use std::collections::BTreeSet;
use suyuan_sync::{
    ids::{BatchId, RecallId},
    wire::{RecallList, RecalledBatch, Signature},
};
use uuid::Uuid;

/// The list as it stands at a position with this instant.
pub async fn list(
    conn: &impl ConnectionTrait,
    keys: &ListKeys,
    enterprise: Uuid,
    (version, made_at): (Position, Micros),
) -> Result<RecallList, KeyError> {
    let handled = handled(conn, enterprise).await?;
    let found = rows(
        conn,
        "SELECT rb.recall_id, rb.batch_id, b.product_id, b.lot, b.enterprise_id, p.code \
         FROM recall r JOIN recall_batch rb ON rb.enterprise_id = r.enterprise_id \
         AND rb.recall_id = r.id JOIN batch b ON b.id = rb.batch_id \
         JOIN product p ON p.id = b.product_id WHERE r.closed_at IS NULL",
        [],
    )
    .await?;
    let mut open: Vec<(RecalledBatch, Uuid)> = Vec::new();
    for row in found {
        let product: Uuid = row.try_get("", "product_id")?;
        let issuer: Uuid = row.try_get("", "enterprise_id")?;
        if issuer == enterprise || handled.contains(&product) {
            let batch = RecalledBatch {
                recall: RecallId(row.try_get("", "recall_id")?),
                batch: BatchId(row.try_get("", "batch_id")?),
                gtin: row.try_get("", "code")?,
                lot: row.try_get("", "lot")?,
            };
            open.push((batch, product));
        }
    }
    let products: BTreeSet<Uuid> = open.iter().map(|(_, product)| *product).collect();
    let gtins = cards::gtins(conn, &products).await?;
    let named = open.into_iter().map(|(mut batch, product)| {
        if let Some(gtin) = gtins.get(&product) {
            batch.gtin.clone_from(gtin);
        }
        batch
    });
    let batches: BTreeSet<RecalledBatch> = named.collect();
    let mut list = RecallList {
        version,
        made_at,
        batches: batches.into_iter().collect(),
        count: 0,
        chunks: Vec::new(),
        key: 0,
        sig: Signature::of(&"A".repeat(86)).ok_or(KeyError::Signing)?,
    };
    let (key, sig) = keys.sign(|key| {
        list.key = key;
        list.bytes_to_sign()
    })?;
    (list.key, list.sig) = (key, sig);
    Ok(list)
}
