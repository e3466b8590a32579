//! Follows the log for what makes folding necessary, and does what is left, slice by slice, between
//! the acts that bring events. A slice that fails goes on one unit at a time; work of which not even
//! the units can be found rests, and keeps no other from being done.

use super::{
    Scope, Work,
    beside::{Hands, Sliced},
    entries,
    slice::{Took, slice},
    store,
};
use crate::{
    db::Db,
    handheld::{
        failing::Failing,
        push::{PushError, ingest::Ingest},
    },
    log::Log,
};
use futures_util::FutureExt;
use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, time::timeout};

/// Entries looked at in one go.
const ENTRIES: i64 = 200;
/// Units of a slice: the first, and the most.
const UNITS: [i64; 2] = [64, 512];
/// No slice is made smaller than this for the time it takes: what it costs to read what they share is
/// most of it then, and would be paid for each unit. After a failure they go one by one.
const LEAST: i64 = 32;
/// How long a slice may hold the head before the next is made smaller; the agreement says 50 ms.
const HELD: Duration = Duration::from_millis(20);
/// So often what acts left is folded beside them, and changes meanwhile, before it is folded under the head.
const TRIES: usize = 4;
/// Rows of such work there may be at a time: what has not begun yet, and what has, some of it by others.
const UNREAD: i64 = 8;
/// One slice in so many is of the oldest work, whatever comes before it: what comes first and comes all the time
/// keeps nothing else from being done. Not many: what comes before may make work of the same kind, which is done
/// once if it has not begun.
const BY_AGE: usize = 20;
/// After a failure, and between two looks without news.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks at all.
const BREATH: Duration = Duration::from_millis(20);

/// Works for ever.
pub async fn for_ever(db: Db, log: Log, ingest: Ingest) {
    let news = log.news();
    let mut slicing = Slicing::default();
    loop {
        let woken = news.notified();
        let more = match follow(&db, &log).await {
            Ok(more) => match slicing.one(&db, &ingest).await {
                Ok(Done::Nothing) => more,
                Ok(Done::Worked | Done::Failed(_)) => true,
                Err(error) => {
                    tracing::warn!(%error, "units were not folded again");
                    tokio::time::sleep(PAUSE).await;
                    true
                }
            },
            Err(error) => {
                tracing::warn!(%error, "the log was not followed");
                tokio::time::sleep(PAUSE).await;
                true
            }
        };
        if !more {
            let _ = timeout(PAUSE, woken).await;
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// Does all there is to do now, however long it takes: for whoever wants to see things as they are
/// when nothing is left. What fails is told. How fast the machine is decides nothing: the same work makes
/// the same entries.
pub async fn catch_up(db: &Db, log: &Log, ingest: &Ingest) -> Result<(), PushError> {
    let mut slicing = Slicing {
        paced: false,
        ..Slicing::default()
    };
    loop {
        let more = follow(db, log).await?;
        match slicing.one(db, ingest).await? {
            Done::Failed(error) => return Err(error),
            Done::Nothing if !more => return Ok(()),
            Done::Nothing | Done::Worked => {}
        }
    }
}

/// Writes down what entries make necessary. Are there more?
async fn follow(db: &Db, log: &Log) -> Result<bool, PushError> {
    let (head, _) = log.head().await?;
    let from = store::followed(db.reader()).await?;
    if from >= head {
        return Ok(false);
    }
    let told = store::told(db.reader(), from, head, ENTRIES).await?;
    let mut work: Vec<Work> = Vec::new();
    for entry in &told {
        for new in entries::work_of(db.reader(), entry).await? {
            // What several entries ask for is done once, after the last of them.
            work.retain(|old| old.scope != new.scope);
            work.push(new);
        }
    }
    let more = told.len() as i64 >= ENTRIES;
    let to = told.last().filter(|_| more).map_or(head, |last| last.gseq);
    // Events move the head all the time; they are no entries, and say for themselves what is left.
    if !told.is_empty() {
        store::follow(db, &work, to).await?;
    }
    Ok(more)
}

/// What came of a slice.
enum Done {
    /// Nothing is left that does not rest.
    Nothing,
    /// A slice was done.
    Worked,
    /// It failed, for a reason that is its own.
    Failed(PushError),
}

/// Slice after slice.
struct Slicing {
    /// How many units a slice is about: under the head, where it is held for all of it, and beside acts, where
    /// it is held for what is written only.
    limits: [i64; 2],
    /// Do slices grow and shrink with how long they take?
    paced: bool,
    failing: Failing<i64>,
    /// Work of which a slice failed, and how many units it goes on one by one.
    alone: BTreeMap<i64, i64>,
    /// How often work was folded beside acts in vain.
    in_vain: BTreeMap<i64, usize>,
    /// The last slice was of what acts left.
    was_first: bool,
    /// So many slices were looked for.
    turns: usize,
}

fn is_unread(work: &Work) -> bool {
    matches!(work.scope, Scope::Unread { .. })
}

/// Is it of what acts left?
fn is_first(work: &Work) -> bool {
    work.scope.rank() < 0
}

impl Default for Slicing {
    fn default() -> Slicing {
        Slicing {
            limits: [UNITS[0]; 2],
            paced: true,
            failing: Failing::default(),
            alone: BTreeMap::new(),
            in_vain: BTreeMap::new(),
            was_first: false,
            turns: 0,
        }
    }
}

impl Slicing {
    /// Does one slice of the first work that does not rest, if there is any. An error is of the
    /// house: nothing can be done now.
    async fn one(&mut self, db: &Db, ingest: &Ingest) -> Result<Done, PushError> {
        let now = Instant::now();
        let most = 1 + UNREAD + self.failing.len() as i64;
        self.turns = self.turns.wrapping_add(1);
        let by_age = self.turns.is_multiple_of(BY_AGE);
        let waiting = store::waiting(db.reader(), most, by_age).await?;
        let mut ready: VecDeque<Work> = waiting
            .into_iter()
            .filter(|work| !self.failing.rests(&work.id, now))
            .collect();
        // What is named all the time is left all the time, and keeps nothing else from being done.
        if self.was_first {
            let other = ready.iter().position(|work| !is_first(work));
            ready.rotate_left(other.unwrap_or_default());
        }
        let Some(work) = ready.pop_front() else {
            self.was_first = false;
            return Ok(Done::Nothing);
        };
        self.was_first = is_first(&work);
        let id = work.id;
        let tries = self.in_vain.get(&id).copied().unwrap_or_default();
        let is_beside = is_unread(&work) && tries < TRIES;
        let alone = self.alone.contains_key(&id);
        let units = if alone {
            1
        } else {
            self.limits[usize::from(is_beside)]
        };
        let done = if is_beside {
            self.beside(ingest, work, units).await
        } else {
            if self.in_vain.remove(&id).is_some() {
                metrics::counter!("suyuan_refold_under_head_total").increment(1);
            }
            under_head(ingest, work, units).await
        };
        match done {
            Ok(Took { held, size }) => {
                self.failing.done(&id);
                metrics::histogram!("suyuan_refold_slice_seconds").record(held.as_secs_f64());
                if let Some(left) = self.alone.get_mut(&id) {
                    *left -= 1;
                    self.alone.retain(|_, left| *left > 0);
                    return Ok(Done::Worked);
                }
                self.limits[usize::from(is_beside)] = if !self.paced {
                    UNITS[0]
                } else if held > HELD {
                    (units / 2).max(LEAST)
                } else if held < HELD / 4 && size >= units as usize / 2 {
                    // Of little it does not tell how long much takes.
                    (units * 2).min(UNITS[1])
                } else {
                    units
                };
                Ok(Done::Worked)
            }
            // What takes too long does so by itself; with less of it, it may not.
            Err(error) if !error.is_of_the_push() && !error.timed_out() => Err(error),
            Err(error) if units > 1 => {
                tracing::warn!(%error, work = id, "a slice failed: one unit at a time");
                self.alone.insert(id, units);
                Ok(Done::Worked)
            }
            Err(error) => {
                let times = self.failing.failed(id, now);
                tracing::error!(%error, work = id, times, "units were not folded again");
                metrics::counter!("suyuan_refold_failures_total").increment(1);
                Ok(Done::Failed(error))
            }
        }
    }

    /// Does a slice of what acts left beside those that go on.
    async fn beside(&mut self, ingest: &Ingest, work: Work, units: i64) -> Result<Took, PushError> {
        let id = work.id;
        let mut hands = hands(ingest).await?;
        let sliced = elsewhere(move || async move { hands.slice(&work, units).await });
        let tries = self.in_vain.entry(id).or_default();
        match sliced.await {
            Ok(Sliced::Written(took)) => {
                self.in_vain.remove(&id);
                Ok(took)
            }
            Ok(Sliced::Stale { short }) => {
                *tries += if short { TRIES } else { 1 };
                metrics::counter!("suyuan_refold_in_vain_total").increment(1);
                Ok(Took::default())
            }
            Err(error) => {
                // Whoever holds the engine goes on one by one, and passes by what cannot be folded.
                if error.is_of_the_push() {
                    *tries = TRIES;
                }
                Err(error)
            }
        }
    }
}

async fn hands(ingest: &Ingest) -> Result<Hands, PushError> {
    let hands = ingest.with_engine(|engine| async move { Hands::of(engine) }.boxed());
    hands.await
}

/// Does something on a thread of its own: it may take its time, and what panics there stops nothing here.
async fn elsewhere<T: Send + 'static, F: Future<Output = Result<T, PushError>>>(
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<T, PushError> {
    let runtime = Handle::current();
    let done = tokio::task::spawn_blocking(move || runtime.block_on(work()));
    done.await.unwrap_or(Err(PushError::Broken))
}

/// Does a slice by whoever holds the engine, between two acts. What it is about is read before its turn.
async fn under_head(ingest: &Ingest, work: Work, units: i64) -> Result<Took, PushError> {
    let mut hands = hands(ingest).await?;
    let read = work.clone();
    let page = match elsewhere(move || async move { hands.page(&read, units).await }).await {
        Ok(None) => return Ok(Took::default()),
        Ok(Some(page)) => Ok(page),
        Err(error) if !error.is_of_the_push() => return Err(error),
        Err(error) => Err(error),
    };
    let sliced = ingest
        .with_engine(move |engine| async move { slice(engine, &work, units, page).await }.boxed());
    sliced.await.flatten()
}
