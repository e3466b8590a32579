//! What a snapshot says, page by page, into chunks: read as a pull reads it, each page as of its own moment,
//! until nothing is left that changed. What changed meanwhile comes again, or is taken back, so what the
//! chunks come to stood at one position (I22, I24); and nobody holds a moment of the database for as long
//! as a large place takes.
//!
//! It holds a page and a chunk, however much there is: what fills a chunk is kept at once. Left out is what
//! was sold or destroyed and has not changed for longer than the days a device keeps its own events: a
//! shop's past sales would make a new till wait. Knows nobody who waits for it.

use super::{
    chunk_store,
    listed::RecallLists,
    pull,
    snapshot::SnapshotError,
    store::Window,
    told_store::{self, Seen},
};
use crate::{
    clock::Micros,
    db::Db,
    http::device::DeviceKnown,
    log::{self, Log, Position},
    sealing::Sealer,
};
use suyuan_sync::{
    chain::Hash,
    limits::{SNAPSHOT_CHUNK_BYTES, TAIL_DAYS},
    wire::{Chunk, Item},
};
use uuid::Uuid;

/// What snapshots are made with.
#[derive(Clone)]
pub struct Maker {
    /// Where everything is.
    pub db: Db,
    /// Its log.
    pub log: Log,
    /// Opens issue keys.
    pub sealer: Sealer,
    /// What is recalled.
    pub lists: RecallLists,
}

/// What a snapshot is signed over, besides for whom and when.
#[derive(Debug, Clone)]
pub struct Made {
    /// Everything at or below this position is in it.
    pub watermark: Position,
    /// When the newest position was committed that anything in it was read at.
    pub stamp: Micros,
    /// Its chunks, which are kept.
    pub chunks: Vec<Chunk>,
}

impl Maker {
    /// Makes one for a device, of pages of so many items.
    pub async fn make(&self, device: &DeviceKnown, page: i64) -> Result<Made, SnapshotError> {
        let mut keeping = Keeping::new(&self.db, device.enterprise);
        let mut seen = Seen::default();
        let mut window = Window {
            enterprise: device.enterprise,
            location: device.location,
            device: device.device,
            after: 0,
            upto: 0,
            ended: 0,
        };
        let (mut began, mut within) = (None, None);
        let (watermark, stamp) = loop {
            let tx = self.db.begin_reading().await?;
            let (head, stamp) = log::head_in(&tx).await?;
            if began.is_none() {
                // What ended before the days a device keeps its own events is of no use to one that begins.
                let tail = self.log.now() - TAIL_DAYS as Micros * 86_400_000_000;
                window.ended = log::position_before(&tx, tail).await?;
            }
            let began = *began.get_or_insert(head);
            window.upto = head;
            let part = pull::read(&self.sealer, &tx, window, within, page).await?;
            tx.commit().await?;
            seen.add(device, &part);
            // Before the next page is read, so that it takes back what is no more by then.
            told_store::keep(&self.db, device, &seen).await?;
            seen.is_kept();
            // What left before this began is in no page of it.
            let is_told =
                |at: Position, item: &Item| at > began || !matches!(item, Item::Removed(_));
            for told in part.items {
                if is_told(told.gseq, &told.item) {
                    keeping.add(&told.item, self.log.now()).await?;
                }
            }
            (window.after, within) = (part.upto, part.within);
            if window.after >= head && within.is_none() {
                break (head, stamp);
            }
        };
        // Read after the last page, so it says at least what held when that was read.
        let list = self.lists.current(device.enterprise).await?.told()?;
        let stamp = stamp.max(list.made_at);
        keeping.add(&Item::RecallList(list), self.log.now()).await?;
        let chunks = keeping.finish(self.log.now()).await?;
        Ok(Made {
            watermark,
            stamp,
            chunks,
        })
    }
}

/// Chunks that are kept as they become full.
struct Keeping<'a> {
    db: &'a Db,
    enterprise: Uuid,
    parts: Parts,
    chunks: Vec<Chunk>,
}

impl<'a> Keeping<'a> {
    fn new(db: &'a Db, enterprise: Uuid) -> Keeping<'a> {
        Keeping {
            db,
            enterprise,
            parts: Parts::default(),
            chunks: Vec::new(),
        }
    }

    async fn add(&mut self, item: &Item, now: Micros) -> Result<(), SnapshotError> {
        match self.parts.add(item)? {
            Some(full) => self.keep(full, now).await,
            None => Ok(()),
        }
    }

    async fn keep(&mut self, part: Vec<u8>, now: Micros) -> Result<(), SnapshotError> {
        let (hash, bytes) = (Hash::of(&part), part.len() as u32);
        chunk_store::put(self.db, self.enterprise, &[(hash, part)], now).await?;
        self.chunks.push(Chunk { hash, bytes });
        Ok(())
    }

    async fn finish(mut self, now: Micros) -> Result<Vec<Chunk>, SnapshotError> {
        if let Some(last) = self.parts.last() {
            self.keep(last, now).await?;
        }
        Ok(self.chunks)
    }
}

/// Items, written as the texts of [`SnapshotChunk`](suyuan_sync::wire::SnapshotChunk)s.
#[derive(Default)]
struct Parts(Vec<u8>);

const BEGIN: &[u8] = br#"{"v":1,"items":["#;
const END: &[u8] = b"]}";

impl Parts {
    /// One more item; the text before it, if it does not fit in there.
    fn add(&mut self, item: &Item) -> Result<Option<Vec<u8>>, serde_json::Error> {
        let text = serde_json::to_vec(item)?;
        // One byte for the comma.
        let fits = self.0.len() + 1 + text.len() + END.len() <= SNAPSHOT_CHUNK_BYTES;
        let full = if fits { None } else { self.last() };
        if self.0.is_empty() {
            self.0.extend_from_slice(BEGIN);
        } else {
            self.0.push(b',');
        }
        self.0.extend_from_slice(&text);
        Ok(full)
    }

    /// The text that is open.
    fn last(&mut self) -> Option<Vec<u8>> {
        let mut part = std::mem::take(&mut self.0);
        if part.is_empty() {
            return None;
        }
        part.extend_from_slice(END);
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::{
        ids::EnterpriseId,
        wire::{PartnerCard, SnapshotChunk},
    };

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
        let (mut open, mut parts) = (Parts::default(), Vec::new());
        for item in &items {
            parts.extend(open.add(item).unwrap());
            assert!(open.0.len() <= SNAPSHOT_CHUNK_BYTES, "one is held");
        }
        parts.extend(open.last());
        assert_eq!(open.last(), None);
        assert!(parts.len() > 3);
        assert!(parts.iter().all(|part| part.len() <= SNAPSHOT_CHUNK_BYTES));
        let mut told = Vec::new();
        for part in &parts {
            told.extend(serde_json::from_slice::<SnapshotChunk>(part).unwrap().items);
        }
        assert_eq!(told, items);
    }
}
