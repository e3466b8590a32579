//! What is done of work beside the acts that go on. A slice of what acts left is read and folded on a snapshot, and
//! written in short acts: however much there is about a unit, the head is held for what is written only. What came
//! in meanwhile is looked through before the head is locked, and the last of it under the lock. Of all other work
//! the page is read here: however long that takes, nobody waits for it.

use super::{
    Work,
    pages::{self, Page},
    slice::{Body, Took, passed},
    store,
};
use crate::{
    db::Db,
    handheld::{
        push::{PushError, act::Engine},
        units::{
            facts::Reader,
            folding::{
                Change, FACTS_MAX, Folding, Moment,
                beforehand::{Beforehand, Watched},
            },
            store::{Came, Most, TEXT_MAX, any_written_after, by_position, came},
        },
        world::Source,
    },
    log::{self, Log, Position},
    projection::units::set_unit_statuses,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use suyuan_sync::ids::EventId;

/// Positions that are looked at under the head.
const LOOKED_AT: usize = 1_000;
/// Those that are looked through in one go before it is locked, with more text than is read under it, and how often.
const LOOKED_THROUGH: Most = Most {
    events: 2_000,
    bytes: 16 * TEXT_MAX,
};
const LOOKS: usize = 50;

/// Where work stands that has begun, and did nothing yet: what is left from then on is work of its own.
const BEGUN: i64 = 1;

/// What a slice works with; nothing of it is anybody else's.
pub struct Hands {
    db: Db,
    log: Log,
    source: Source,
    reader: Reader,
    /// So many units at most.
    most: usize,
}

/// What came of a slice.
#[derive(Debug)]
pub enum Sliced {
    /// It was written, or there was nothing to do; the longest time the head was held.
    Written(Took),
    /// What happened meanwhile may have changed it: to be folded anew.
    Stale {
        /// There is so little to it that it may be folded under the head.
        short: bool,
    },
}

impl Hands {
    /// With what an engine knows already.
    pub fn of(engine: &mut Engine) -> Hands {
        let (db, log) = (engine.db().clone(), engine.log().clone());
        let most = engine.at_most(usize::MAX);
        let (source, reader) = engine.parts();
        Hands {
            db,
            log,
            source: source.clone(),
            reader: reader.clone(),
            most,
        }
    }

    /// The next page of some work, of about so many units; nothing if there is nothing to fold on it, and it was
    /// passed. Acts go on meanwhile, of this process as of any other: what comes in is folded by its own act, and
    /// work that was widened since is not moved on by whoever read less of it (`store::advance`).
    pub async fn page(&mut self, work: &Work, limit: i64) -> Result<Option<Page>, PushError> {
        let limit = limit.min(i64::try_from(self.most).unwrap_or(i64::MAX));
        let (seen, _) = self.log.head().await?;
        let conn = self.db.reader();
        self.source.refresh(conn, seen).await?;
        let parts = (&mut self.source, &mut self.reader);
        let page = pages::page(conn, parts, work, limit).await?;
        if page.is_empty() {
            passed(&self.db, work, page.next).await?;
            return Ok(None);
        }
        Ok(Some(page))
    }

    /// Does the next slice of some work, of about so many units.
    pub async fn slice(&mut self, work: &Work, limit: i64) -> Result<Sliced, PushError> {
        let limit = limit.min(i64::try_from(self.most).unwrap_or(i64::MAX));
        let mut work = work.clone();
        if work.cursor < BEGUN {
            if !store::advance(self.db.writer(), &work, Some(BEGUN)).await? {
                return Ok(Sliced::Written(Took::default()));
            }
            work.cursor = BEGUN;
        }
        let mut looking = self.reader.clone();
        let tx = self.db.begin_reading().await?;
        let (seen, stamp) = log::head_in(&tx).await?;
        let (source, reader) = (&mut self.source, &mut self.reader);
        source.refresh(&tx, seen).await?;
        let page = pages::page(&tx, (source, reader), &work, limit).await?;
        if page.left.is_empty() {
            tx.rollback().await?;
            passed(&self.db, &work, page.next).await?;
            return Ok(Sliced::Written(Took::default()));
        }
        let since: BTreeSet<Position> = page.left.values().copied().collect();
        let named: BTreeMap<Position, EventId> = by_position(&tx, reader, &since)
            .await?
            .into_iter()
            .map(|fact| (fact.gseq, fact.event.id))
            .collect();
        let left = page.left.into_iter();
        let change = Change {
            left: left
                .map(|(unit, since)| (unit, named.get(&since).copied()))
                .collect(),
            because: work.cause,
            left_at: since.first().copied(),
            ..Change::default()
        };
        // As if it were the next; where it is written is seen then.
        let next = Moment {
            first: seen + 1,
            last: seen + 1,
            stamp: stamp + 1,
        };
        let folding = Folding::new(source, reader, next);
        let folded = folding.beforehand(&tx, change).await?;
        tx.rollback().await?;
        let writing = Writing {
            db: &self.db,
            log: &self.log,
            watched: folded.watched(),
            folded,
            seen,
            late: false,
        };
        writing.run(&mut looking, &work, page.next).await
    }
}

/// What was folded, on its way into the tables.
struct Writing<'w, 's> {
    db: &'w Db,
    log: &'w Log,
    folded: Beforehand<'s>,
    watched: Watched,
    /// Up to here nothing that came matters.
    seen: Position,
    /// Something did that matters.
    late: bool,
}

impl Writing<'_, '_> {
    async fn run(
        mut self,
        reader: &mut Reader,
        work: &Work,
        next: Option<i64>,
    ) -> Result<Sliced, PushError> {
        let left = self.folded.left();
        let mut took = Took {
            held: Duration::ZERO,
            size: left.len(),
        };
        // Up to here whatever was written of these units is known.
        let mut written = self.seen;
        loop {
            self.look_through(reader).await?;
            let act = self.log.begin_as_system().await?;
            let locked = Instant::now();
            let position = act.position();
            if !self.late {
                let span = (self.seen, position - 1);
                let came = came(act.tx(), reader, span, Most::of(LOOKED_AT)).await?;
                self.late = self.matters(&came);
            }
            let rows = if self.late { &left } else { &self.watched.rows };
            let changed = any_written_after(act.tx(), rows, written).await?;
            if changed || self.late && !self.folded.may_be_late() {
                act.abandon().await?;
                let short = self.folded.facts <= FACTS_MAX;
                return Ok(Sliced::Stale { short });
            }
            let is_last = self.folded.is_last();
            let to = if is_last { next } else { Some(work.cursor) };
            if !store::advance(act.tx(), work, to).await? {
                act.abandon().await?;
                return Ok(Sliced::Written(took));
            }
            let moment = Moment {
                first: position,
                last: position,
                stamp: act.stamp(),
            };
            let done = self.folded.write(act.tx(), moment, self.late).await?;
            set_unit_statuses(&act, &done.public).await?;
            let body = Body::of(work, &done);
            act.commit(body.entry(work), &()).await?;
            took.held = took.held.max(locked.elapsed());
            if is_last {
                return Ok(Sliced::Written(took));
            }
            (self.seen, written) = (position, position);
        }
    }

    /// Looks through what came since, but for the last of it.
    async fn look_through(&mut self, reader: &mut Reader) -> Result<(), PushError> {
        for _ in 0..LOOKS {
            let (head, _) = self.log.head().await?;
            if self.late || head - self.seen < LOOKED_AT as Position / 10 {
                break;
            }
            let upto = head.min(self.seen + LOOKED_THROUGH.events as Position);
            let span = (self.seen, upto);
            let came = came(self.db.reader(), reader, span, LOOKED_THROUGH).await?;
            self.late = self.matters(&came);
            self.seen = upto;
        }
        Ok(())
    }

    fn matters(&self, came: &Came) -> bool {
        match came {
            Came::Events(events) => {
                let mut events = events.iter();
                events.any(|(gseq, event)| self.watched.concerns(*gseq, event))
            }
            Came::More | Came::Entry => true,
        }
    }
}
