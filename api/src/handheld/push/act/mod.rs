//! One act: the pushes of several devices, from what is held of them to the commit. Whoever holds the
//! [`Engine`] admits; nobody else writes events.
//!
//! Its steps, each in a file of its own: look up what is held (`store`), `judge`, `number` and
//! time, `place` in the order, fold (`units::folding`), `record`, `answer`.

mod answer;
mod judge;
mod number;
mod place;
mod record;

pub use answer::{note, wire_status};

use super::{
    PushError,
    store::{self, Known},
    weigh::Long,
};
use crate::{
    clock::Micros,
    db::Db,
    handheld::{
        anchor::Anchors,
        units::{
            facts::Reader,
            folding::{Change, Done, Folding, Moment},
        },
        world::Source,
    },
    log::{Block, Log, Position},
    projection::{self, units::set_unit_statuses},
};
use answer::merged;
use judge::Decided;
use std::{collections::BTreeMap, time::Duration};
use suyuan_sync::{
    admission::{Batch, Branch, Decision, FrameFault, Receipted},
    bugs::{self, Bug},
    finding::FindingCode,
    order::Interval,
    wire::EventResult,
};

/// A push ready to be admitted: signed by its device, and read.
#[derive(Clone)]
pub struct Incoming {
    /// Its texts.
    pub batch: Batch,
    /// Carried by another device or a file.
    pub imported: bool,
}

/// What became of a push, durably.
#[derive(Debug, Clone)]
pub struct Answered {
    /// One for each event, in their order.
    pub results: Vec<EventResult>,
    /// What is held now.
    pub receipt: Receipted,
    /// The instant of the position this was computed at.
    pub stamp: Micros,
    /// An entry that is no event came in since the newest cursor of the push.
    pub pull_hint: bool,
}

/// Admits.
pub struct Engine {
    db: Db,
    log: Log,
    anchors: Anchors,
    source: Source,
    reader: Reader,
    wrote: Option<Wrote>,
    long: Long,
}

/// What the last act wrote.
#[derive(Debug, Clone, Copy)]
pub struct Wrote {
    /// Events that were new.
    pub events: usize,
    /// How long it held the head of the log.
    pub held: Duration,
}

/// A push while it is being admitted.
struct Admitting<'p> {
    push: &'p Incoming,
    known: Known,
    decision: Decision,
    /// New events with their positions.
    new: Vec<New>,
}

/// A new event.
struct New {
    at: usize,
    gseq: Position,
    interval: Interval,
    delivered: Position,
    flags: Vec<FindingCode>,
    eff: Micros,
}

impl Engine {
    /// Ready to admit.
    pub fn new(db: Db, log: Log, anchors: Anchors, source: Source) -> Engine {
        Engine {
            db,
            log,
            anchors,
            source,
            reader: Reader::default(),
            wrote: None,
            long: Long::default(),
        }
    }

    /// What is known of units, as far as it is much.
    pub fn long(&self) -> &Long {
        &self.long
    }

    /// What the last act wrote, if it wrote something.
    pub fn wrote(&self) -> Option<Wrote> {
        self.wrote
    }

    /// The log it writes to.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Forgets which events it saw at which positions: an act that came to nothing leaves its
    /// positions to others.
    pub fn forget_events(&mut self) {
        self.reader = Reader::default();
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Master data, and who reads facts.
    pub fn parts(&mut self) -> (&mut Source, &mut Reader) {
        (&mut self.source, &mut self.reader)
    }

    /// Admits these pushes in one act. No two may be of one device epoch.
    pub async fn admit(
        &mut self,
        pushes: &[Incoming],
    ) -> Result<Vec<Result<Answered, FrameFault>>, PushError> {
        self.wrote = None;
        let (seen, known) = self.look_up(pushes).await?;
        let early = if bugs::on(Bug::ReadBeforeLock) {
            let early = self.read_early(pushes).await?;
            // What was read gets old, however fast the database is.
            tokio::time::sleep(Duration::from_millis(5)).await;
            Some(early)
        } else {
            None
        };
        let block = self.log.begin_block().await?;
        let known = if block.before() == seen {
            known
        } else {
            held(block.tx(), pushes).await?
        };
        let mut decided = self.decide(&block, pushes, known).await?;
        if decided.taken == 0 {
            return self.nothing_new(block, decided).await;
        }
        let moment = Moment {
            first: block.position(0),
            last: block.position(decided.taken - 1),
            stamp: block.stamp(0),
        };
        self.source.refresh(block.tx(), block.before()).await?;
        let change = self.placed(&block, &mut decided.admitting, moment).await?;
        let done = self.fold(&block, &change, moment, early.as_ref()).await?;
        let stamp = block.stamp(decided.taken - 1);
        let answers: Vec<Answered> = decided
            .admitting
            .iter()
            .map(|push| self.answer(push, &done.opened, stamp))
            .collect();
        Engine::record(&block, &mut decided.admitting, &answers, moment, stamp).await?;
        if bugs::on(Bug::AnswerBeforeCommit) {
            // The answer is out, and the program dies before the commit.
            block.abandon().await?;
            return Ok(merged(decided.refused, answers));
        }
        let held = block.commit(decided.taken).await?;
        self.wrote = Some(Wrote {
            events: decided.taken,
            held,
        });
        metrics::counter!("suyuan_events_total").increment(decided.taken as u64);
        Ok(merged(decided.refused, answers))
    }

    /// What is held of the devices of these pushes, before the head is locked, and as of when. It is
    /// looked up again if the head moved meanwhile.
    async fn look_up(&mut self, pushes: &[Incoming]) -> Result<(Position, Vec<Known>), PushError> {
        let (seen, _) = self.log.head().await?;
        let known = held(self.db.reader(), pushes).await?;
        self.source.refresh(self.db.reader(), seen).await?;
        Ok((seen, known))
    }

    /// The mistake that the lock of the head is there against: reads as of now, whatever is
    /// committed before the lock is had.
    async fn read_early(
        &self,
        pushes: &[Incoming],
    ) -> Result<sea_orm::DatabaseTransaction, PushError> {
        let tx = self.db.begin_reading().await?;
        held(&tx, pushes).await?;
        Ok(tx)
    }

    /// Duplicates only: nothing is written, and what is held is durable already.
    async fn nothing_new(
        &mut self,
        block: Block,
        decided: Decided<'_>,
    ) -> Result<Vec<Result<Answered, FrameFault>>, PushError> {
        let stamp = block.stamp(0) - 1;
        self.source.refresh(block.tx(), block.before()).await?;
        block.abandon().await?;
        let findings = BTreeMap::new();
        let answers = decided
            .admitting
            .iter()
            .map(|push| self.answer(push, &findings, stamp));
        Ok(merged(decided.refused, answers.collect()))
    }

    /// Folds what changed, and tells the public side.
    async fn fold(
        &mut self,
        block: &Block,
        change: &Change,
        moment: Moment,
        early: Option<&sea_orm::DatabaseTransaction>,
    ) -> Result<Done, PushError> {
        let mut folding = Folding::new(&mut self.source, &mut self.reader, moment);
        folding.early = early;
        let mut done = folding.run(block.tx(), change).await?;
        for (unit, facts) in done.long.drain(..) {
            self.long.note(unit, facts);
        }
        if !done.public.is_empty() {
            let place = projection::Placed {
                tx: block.tx(),
                position: moment.last,
            };
            set_unit_statuses(&place, &done.public).await?;
        }
        Ok(done)
    }
}

async fn held(
    conn: &impl sea_orm::ConnectionTrait,
    pushes: &[Incoming],
) -> Result<Vec<Known>, PushError> {
    let batches: Vec<&Batch> = pushes.iter().map(|push| &push.batch).collect();
    Ok(store::known(conn, &batches).await?)
}

fn in_state(decision: &Decision, at: usize) -> bool {
    decision.judged[at].kept().outcome.in_state()
}

fn on_first(decision: &Decision, at: usize) -> bool {
    decision.judged[at].kept().branch == Branch::First
}
