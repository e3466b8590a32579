//! The recall list of an enterprise, signed: open recalls of batches of products it handles.

use super::{card_store as cards, store};
use crate::{
    clock::Micros,
    handheld::keys::{KeyError, ListKeys},
    log::Position,
};
use sea_orm::ConnectionTrait;
use std::collections::BTreeSet;
use suyuan_sync::wire::{RecallList, RecalledBatch, Signature};
use uuid::Uuid;

/// The list as it stands at a position with this instant.
pub async fn list(
    conn: &impl ConnectionTrait,
    keys: &ListKeys,
    enterprise: Uuid,
    (version, made_at): (Position, Micros),
) -> Result<RecallList, KeyError> {
    let handled = store::handled(conn, enterprise).await?;
    let open = store::open_recalls(conn).await?.into_iter();
    let open: Vec<(RecalledBatch, Uuid)> = open
        .filter(|(_, product, issuer)| *issuer == enterprise || handled.contains(product))
        .map(|(batch, product, _)| (batch, product))
        .collect();
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
