//! A snapshot: everything a device is told, as of one position, for one that has nothing or whose
//! cursor leads nowhere. It is what a pull of everything up to there would give, read in one
//! transaction that sees one moment, less what that would take back again; the pull goes on from its
//! watermark (I24). Left out is what was sold or destroyed and has not changed for longer than the
//! days a device keeps its own events: a shop's past sales would make a new till wait.
//!
//! It is put together in memory, some 400 bytes a unit, and kept when the reading is done: whoever
//! reads must not wait for a second connection. Parts are named by their hashes and fetched one by
//! one.

use super::{
    chunk_store,
    listed::{ListError, unsigned},
    pull,
    store::Window,
    told_store::{self, Seen},
    turns::Turns,
};
use crate::{
    app::Internal,
    handheld::keys::KeyError,
    http::device::DeviceKnown,
    log,
    problem::{Problem, ProblemCode},
};
use sea_orm::DbErr;
use std::time::Duration;
use suyuan_sync::{
    bugs::{self, Bug},
    chain::Hash,
    ids::DeviceId,
    limits::{PULL_ITEMS_MAX, SNAPSHOT_CHUNK_BYTES, TAIL_DAYS},
    wire::{Chunk, Item, SnapshotManifest, V},
};
use thiserror::Error;
use tokio::time::timeout;

/// Snapshots made at once, one of an enterprise: what bounds the memory they take.
const AT_ONCE: usize = 2;
/// Longest wait for one's turn.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Lets in no more than fit.
pub struct Snapshots(Turns);

impl Default for Snapshots {
    fn default() -> Snapshots {
        Snapshots(Turns::new(AT_ONCE))
    }
}

/// Why there is no snapshot.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// Too many at once.
    #[error("too many snapshots at once")]
    Busy,
    /// The database's word.
    #[error("snapshot")]
    Db(#[from] DbErr),
    /// There is no recall list.
    #[error("snapshot")]
    List(#[from] ListError),
    /// It could not be signed.
    #[error("snapshot")]
    Key(#[from] KeyError),
    /// An item could not be written.
    #[error("snapshot")]
    Json(#[from] serde_json::Error),
}

impl From<SnapshotError> for Problem {
    fn from(error: SnapshotError) -> Problem {
        match error {
            SnapshotError::Busy => Problem::new(ProblemCode::Unavailable),
            SnapshotError::Db(error) => error.into(),
            error => Problem::internal(&error),
        }
    }
}

/// Makes one for a device.
pub async fn make(
    state: &Internal,
    device: &DeviceKnown,
) -> Result<SnapshotManifest, SnapshotError> {
    let turn = timeout(WAIT_MAX, state.handheld.snapshots.0.next(device.enterprise)).await;
    let _turn = turn.ok().flatten().ok_or(SnapshotError::Busy)?;
    let now = state.log.now();
    let tx = state.db.begin_reading().await?;
    let (head, stamp) = log::head_in(&tx).await?;
    // What ended before the days a device keeps its own events is of no use to one that begins.
    let tail = now.saturating_sub(TAIL_DAYS as i64 * 86_400_000_000);
    let ended = log::position_before(&tx, tail).await?;
    let (mut parts, mut seen) = (Parts::default(), Seen::default());
    let (mut after, mut within) = (0, None);
    while after < head || within.is_some() {
        let window = Window {
            enterprise: device.enterprise,
            location: device.location,
            device: device.device,
            after,
            upto: head,
            ended,
        };
        let part = pull::read(state, &tx, window, within, PULL_ITEMS_MAX as i64).await?;
        seen.add(device, &part);
        for told in &part.items {
            if !matches!(told.item, Item::Removed(_)) {
                parts.add(&told.item)?;
            }
        }
        (after, within) = (part.upto, part.within);
    }
    tx.commit().await?;
    told_store::keep(&state.db, device, &seen).await?;
    let list = state.handheld.lists.current(device.enterprise).await?;
    parts.add(&Item::RecallList(list.told()?))?;
    let hashed = |bytes: Vec<u8>| (Hash::of(&bytes), bytes);
    let parts: Vec<(Hash, Vec<u8>)> = parts.finish().into_iter().map(hashed).collect();
    chunk_store::put(&state.db, device.enterprise, &parts, now).await?;
    let chunk = |(hash, bytes): &(Hash, Vec<u8>)| Chunk {
        hash: *hash,
        bytes: bytes.len() as u32,
    };
    let chunks = parts.iter().map(chunk).collect();
    let anchors = &state.handheld.anchors;
    let mut manifest = SnapshotManifest {
        v: V,
        device: DeviceId(device.device),
        epoch: device.epoch,
        watermark: head + i64::from(bugs::on(Bug::WatermarkOneTooHigh)),
        made_at: now.max(stamp),
        chunks,
        trust_keys: state.handheld.keys.chain(),
        key: 0,
        sig: unsigned()?,
        anchor: anchors.issue(device.device, device.epoch, stamp, state.log.now()),
    };
    let (key, sig) = state.handheld.keys.sign(|key| {
        manifest.key = key;
        manifest.bytes_to_sign()
    })?;
    (manifest.key, manifest.sig) = (key, sig);
    Ok(manifest)
}

/// Items, written as the texts of [`SnapshotChunk`](suyuan_sync::wire::SnapshotChunk)s.
#[derive(Default)]
struct Parts {
    full: Vec<Vec<u8>>,
    open: Vec<u8>,
}

const BEGIN: &[u8] = br#"{"v":1,"items":["#;
const END: &[u8] = b"]}";

impl Parts {
    fn add(&mut self, item: &Item) -> Result<(), serde_json::Error> {
        let text = serde_json::to_vec(item)?;
        // One byte for the comma.
        if !self.open.is_empty()
            && self.open.len() + 1 + text.len() + END.len() > SNAPSHOT_CHUNK_BYTES
        {
            self.close();
        }
        if self.open.is_empty() {
            self.open.extend_from_slice(BEGIN);
        } else {
            self.open.push(b',');
        }
        self.open.extend_from_slice(&text);
        Ok(())
    }

    fn close(&mut self) {
        let mut part = std::mem::take(&mut self.open);
        part.extend_from_slice(END);
        self.full.push(part);
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        if !self.open.is_empty() {
            self.close();
        }
        self.full
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::{
        ids::EnterpriseId,
        wire::{PartnerCard, SnapshotChunk},
    };
    use uuid::Uuid;

    #[test]
    fn parts_hold_all_items_in_order_and_are_no_longer_than_they_may() {
        let item = |n: u128| {
            Item::Partner(PartnerCard {
                enterprise: EnterpriseId(Uuid::from_u128(n)),
                name: "名".repeat(400),
                places: Vec::new(),
            })
        };
        let items: Vec<Item> = (0..700).map(item).collect();
        let mut parts = Parts::default();
        for item in &items {
            parts.add(item).unwrap();
        }
        let parts = parts.finish();
        assert!(parts.len() > 3);
        assert!(parts.iter().all(|part| part.len() <= SNAPSHOT_CHUNK_BYTES));
        let mut told = Vec::new();
        for part in &parts {
            told.extend(serde_json::from_slice::<SnapshotChunk>(part).unwrap().items);
        }
        assert_eq!(told, items);
    }
}
