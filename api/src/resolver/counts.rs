//! How often a unit was queried before, and first when. Aged figures outside the log: bitmaps say
//! which units were queried at all, so that a never-seen code needs no read; counts are read on
//! demand and kept for as long as they may be old.

use super::{note_io, redis_tier::RedisTier, store};
use crate::{
    clock::{Clock, Micros},
    codes::SpaceKey,
    db::Reader,
    projection::read_bits,
};
use arc_swap::ArcSwap;
use lru::LruCache;
use roaring::RoaringBitmap;
use sea_orm::DbErr;
use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use uuid::Uuid;

/// Counts held in the process.
const HELD_MAX: NonZeroUsize = NonZeroUsize::new(32_768).expect("not zero");
/// How old a held count may be.
const MAX_AGE: Duration = Duration::from_secs(5);

/// Counts read from the database at the same time: fewer than its pool has connections by default,
/// so that a text, which an answer cannot do without, finds one free.
const READS_MAX: usize = 6;

/// Queries before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// How many.
    pub n: u64,
    /// First when.
    pub first_at: Option<Micros>,
    /// As of when; absent when nothing could be read.
    pub read_at: Option<Micros>,
}

/// How a wait for a turn to read ended.
enum Turn<'a> {
    /// It came: read.
    Mine(SemaphorePermit<'a>),
    /// No need to read any more, or no hope: the count, which may be unknown.
    Over(Count),
}

type Bitmaps = HashMap<SpaceKey, HashMap<u32, Arc<RoaringBitmap>>>;

/// Counts of all units.
pub struct Counts {
    queried: ArcSwap<Bitmaps>,
    /// The fold the bitmaps stand at.
    seen: AtomicI64,
    /// When they were last read; 0 = never.
    read_at: AtomicI64,
    clock: Clock,
    held: Mutex<LruCache<(SpaceKey, u64), (Instant, Count)>>,
    turns: Semaphore,
    /// Longest wait for a count.
    wait: Duration,
    redis: RedisTier,
}

impl Counts {
    /// Nothing known yet.
    pub fn new(redis: RedisTier, clock: Clock, wait: Duration) -> Counts {
        Counts {
            queried: ArcSwap::from_pointee(HashMap::new()),
            seen: AtomicI64::new(0),
            read_at: AtomicI64::new(0),
            clock,
            held: Mutex::new(LruCache::new(HELD_MAX)),
            turns: Semaphore::new(READS_MAX),
            wait,
            redis,
        }
    }

    /// Reads bitmaps that changed.
    pub async fn refresh(&self, db: &Reader) -> Result<(), DbErr> {
        let sent = self.clock.now();
        let mut after = self.seen.load(Ordering::Acquire);
        loop {
            // A page ends with a whole fold, however many rows that has.
            let end = store::queried_page_end(db, after).await?;
            let rows = store::queried(db, after, end.unwrap_or(i64::MAX)).await?;
            let mut next = Bitmaps::clone(&self.queried.load());
            let mut last = after;
            for row in rows {
                last = last.max(row.fold);
                if let Some(space) = SpaceKey::parse(&row.space) {
                    let bits = Arc::new(read_bits(&row.bits)?);
                    next.entry(space)
                        .or_default()
                        .insert(row.chunk as u32, bits);
                }
            }
            if last > after {
                self.queried.store(Arc::new(next));
            }
            after = last;
            if end.is_none() {
                break;
            }
        }
        self.seen.store(after, Ordering::Release);
        self.read_at.store(sent, Ordering::Release);
        Ok(())
    }

    /// How often a unit was queried, if that is known here: a unit nobody queried needs no read.
    pub fn peek(&self, space: SpaceKey, index: u64) -> Option<Count> {
        let (chunk, offset) = ((index >> 16) as u32, (index & 0xffff) as u32);
        let queried = self.queried.load();
        let set = queried
            .get(&space)
            .and_then(|chunks| chunks.get(&chunk))
            .is_some_and(|bits| bits.contains(offset));
        if !set {
            let read_at = self.read_at.load(Ordering::Acquire);
            // Before the bitmaps were read once, nothing is known of anyone.
            return (read_at != 0).then_some(Count {
                read_at: Some(read_at),
                ..Count::default()
            });
        }
        let mut held = self.lock();
        let (at, count) = held.get(&(space, index))?;
        (at.elapsed() < MAX_AGE).then_some(*count)
    }

    /// How often a unit was queried, read where it is not known here. Unknown when too many wait
    /// to read.
    pub async fn get(
        &self,
        db: &Reader,
        installation: Uuid,
        space: SpaceKey,
        index: u64,
    ) -> Result<Count, DbErr> {
        if let Some(count) = self.peek(space, index) {
            return Ok(count);
        }
        let key = format!("count:{space}:{index}");
        let held = self.redis.get(installation, &key, 0).await;
        let count = if let Some(count) = held.and_then(|bytes| read(&bytes)) {
            count
        } else {
            let _turn = match self.turn(space, index).await {
                Turn::Mine(turn) => turn,
                Turn::Over(count) => return Ok(count),
            };
            note_io("database");
            let read_at = self.clock.now();
            let row = store::count(db, &space.to_string(), index).await?;
            let count = Count {
                n: row.map_or(0, |(n, _)| n as u64),
                first_at: row.map(|(_, first_at)| first_at),
                read_at: Some(read_at),
            };
            let keep = Some(MAX_AGE.as_secs());
            self.redis.put(installation, &key, 0, &write(count), keep);
            count
        };
        self.lock().put((space, index), (Instant::now(), count));
        Ok(count)
    }

    /// Longest wait for a count, reading included.
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// Waits for a turn to read. Of many who ask for the same unit at once, the first reads it for
    /// those behind. Most of the waiting is done here, before anything was begun: a read given up
    /// half-way leaves a connection that must first be read empty, and the more are given up, the
    /// longer the others wait.
    async fn turn(&self, space: SpaceKey, index: u64) -> Turn<'_> {
        match timeout(self.wait * 2 / 3, self.turns.acquire()).await {
            Ok(Ok(turn)) => self.peek(space, index).map_or(Turn::Mine(turn), Turn::Over),
            _ => Turn::Over(Count::default()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<(SpaceKey, u64), (Instant, Count)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Absent times stand as the smallest number.
const NEVER: i64 = i64::MIN;

fn write(count: Count) -> [u8; 24] {
    let mut out = [0; 24];
    out[..8].copy_from_slice(&count.n.to_be_bytes());
    out[8..16].copy_from_slice(&count.first_at.unwrap_or(NEVER).to_be_bytes());
    out[16..].copy_from_slice(&count.read_at.unwrap_or(NEVER).to_be_bytes());
    out
}

fn read(bytes: &[u8]) -> Option<Count> {
    let (n, rest) = bytes.split_first_chunk::<8>()?;
    let (first_at, read_at) = rest.split_first_chunk::<8>()?;
    let time = |bytes: [u8; 8]| Some(i64::from_be_bytes(bytes)).filter(|at| *at != NEVER);
    Some(Count {
        n: u64::from_be_bytes(*n),
        first_at: time(*first_at),
        read_at: time(read_at.try_into().ok()?),
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

    const TURN: Duration = Duration::from_millis(50);

    #[test]
    fn a_count_is_waited_for_in_turn_and_not_for_long() {
        let counts = Counts::new(RedisTier::default(), Clock::system(), 2 * TURN);
        let space = SpaceKey::sscc("690123456").unwrap();
        let bits = Arc::new(RoaringBitmap::from_iter([7]));
        let queried = HashMap::from([(space, HashMap::from([(0, bits)]))]);
        counts.queried.store(Arc::new(queried));
        actix_web::rt::System::new().block_on(async {
            let all = counts.turns.acquire_many(READS_MAX as u32).await.unwrap();
            let asked = Instant::now();
            assert!(matches!(counts.turn(space, 7).await, Turn::Over(count) if count == Count::default()));
            assert!((TURN..30 * TURN).contains(&asked.elapsed()));

            // The one before read it meanwhile.
            let read = Count { n: 3, ..Count::default() };
            let first = async {
                counts.lock().put((space, 7), (Instant::now(), read));
                drop(all);
            };
            let (behind, ()) = tokio::join!(counts.turn(space, 7), first);
            assert!(matches!(behind, Turn::Over(count) if count == read));

            counts.lock().pop(&(space, 7));
            assert!(matches!(counts.turn(space, 7).await, Turn::Mine(_)));
        });
    }

    #[test]
    fn a_count_reads_back_from_redis() {
        for count in [
            Count::default(),
            Count {
                n: 7,
                first_at: Some(-3),
                read_at: Some(9),
            },
        ] {
            assert_eq!(read(&write(count)), Some(count));
        }
        assert_eq!(read(b"short"), None);
    }
}
