//! How often a unit was queried before, and first when. Aged figures outside the log: bitmaps say
//! which units were queried at all, so that a never-seen code needs no read; counts are read on
//! demand and kept for as long as they may be old.

use super::{note_io, redis_tier::RedisTier, store};
use crate::{clock::Micros, codes::SpaceKey, db::Db, projection::read_bits};
use arc_swap::ArcSwap;
use lru::LruCache;
use roaring::RoaringBitmap;
use sea_orm::DbErr;
use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Counts held in the process.
const HELD_MAX: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");
/// How old a held count may be.
const MAX_AGE: Duration = Duration::from_secs(5);

/// Queries before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// How many.
    pub n: u64,
    /// First when.
    pub first_at: Option<Micros>,
}

type Bitmaps = HashMap<SpaceKey, HashMap<u32, Arc<RoaringBitmap>>>;

/// Counts of all units.
pub struct Counts {
    queried: ArcSwap<Bitmaps>,
    /// The fold the bitmaps stand at, and when they were last read.
    seen: Mutex<(i64, Option<Instant>)>,
    held: Mutex<LruCache<(SpaceKey, u64), (Instant, Count)>>,
    redis: RedisTier,
}

impl Counts {
    /// Nothing known yet.
    pub fn new(redis: RedisTier) -> Counts {
        Counts {
            queried: ArcSwap::from_pointee(HashMap::new()),
            seen: Mutex::new((0, None)),
            held: Mutex::new(LruCache::new(HELD_MAX)),
            redis,
        }
    }

    /// Seconds since the bitmaps were confirmed; `None` before the first time.
    pub fn age_s(&self) -> Option<u64> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.1.map(|at| at.elapsed().as_secs())
    }

    /// Reads bitmaps that changed.
    pub async fn refresh(&self, db: &Db) -> Result<(), DbErr> {
        let sent = Instant::now();
        let mut after = self.seen.lock().unwrap_or_else(PoisonError::into_inner).0;
        loop {
            let rows = store::queried(db, after).await?;
            let Some(last) = rows.last() else { break };
            // A page may end within a fold: that fold is read again from its start.
            let end = last.fold;
            let full = rows.len() == 2000 && end > after + 1;
            let mut next = Bitmaps::clone(&self.queried.load());
            for row in rows {
                if let Some(space) = SpaceKey::parse(&row.space) {
                    let bits = Arc::new(read_bits(&row.bits)?);
                    next.entry(space)
                        .or_default()
                        .insert(row.chunk as u32, bits);
                }
            }
            self.queried.store(Arc::new(next));
            if !full {
                after = end;
                break;
            }
            after = end - 1;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = (after, Some(sent));
        Ok(())
    }

    /// How often a unit was queried. A unit nobody queried needs no read.
    pub async fn get(
        &self,
        db: &Db,
        installation: Uuid,
        space: SpaceKey,
        index: u64,
    ) -> Result<Count, DbErr> {
        let (chunk, offset) = ((index >> 16) as u32, (index & 0xffff) as u32);
        let queried = self.queried.load();
        let set = queried
            .get(&space)
            .and_then(|chunks| chunks.get(&chunk))
            .is_some_and(|bits| bits.contains(offset));
        if !set {
            return Ok(Count::default());
        }
        if let Some((at, count)) = self.lock().get(&(space, index))
            && at.elapsed() < MAX_AGE
        {
            return Ok(*count);
        }
        let key = format!("count:{space}:{index}");
        let count = match self.redis.get(installation, &key, 0).await {
            Some(bytes) => read(&bytes),
            None => None,
        };
        let count = if let Some(count) = count {
            count
        } else {
            note_io("database");
            let row = store::count(db, &space.to_string(), index).await?;
            let count = row.map_or(Count::default(), |(n, first_at)| Count {
                n: n as u64,
                first_at: Some(first_at),
            });
            self.redis.put(
                installation,
                &key,
                0,
                &write(count),
                Some(MAX_AGE.as_secs()),
            );
            count
        };
        self.lock().put((space, index), (Instant::now(), count));
        Ok(count)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<(SpaceKey, u64), (Instant, Count)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(count: Count) -> [u8; 16] {
    let mut out = [0; 16];
    out[..8].copy_from_slice(&count.n.to_be_bytes());
    out[8..].copy_from_slice(&count.first_at.unwrap_or(i64::MIN).to_be_bytes());
    out
}

fn read(bytes: &[u8]) -> Option<Count> {
    let (n, first_at) = bytes.split_first_chunk::<8>()?;
    let first_at = i64::from_be_bytes(first_at.try_into().ok()?);
    Some(Count {
        n: u64::from_be_bytes(*n),
        first_at: (first_at != i64::MIN).then_some(first_at),
    })
}

/// Refreshes for ever.
pub async fn run(resolver: Arc<super::Resolver>, every: Duration) {
    loop {
        if let Err(error) = resolver.counts.refresh(&resolver.db).await {
            tracing::debug!(%error, "query counts not refreshed");
        }
        tokio::time::sleep(every).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_reads_back_from_redis() {
        for count in [
            Count::default(),
            Count {
                n: 7,
                first_at: Some(-3),
            },
        ] {
            assert_eq!(read(&write(count)), Some(count));
        }
        assert_eq!(read(b"short"), None);
    }
}
