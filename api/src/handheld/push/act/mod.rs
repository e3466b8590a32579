//! One act: the pushes of several devices, from what is held of them to the commit. Whoever holds the
//! [`Engine`] admits; nobody else writes events.
//!
//! Its steps, each in a file of its own: `look_up` what was read ahead, `judge`, `number` and time, `place`
//! in the order, fold (`units::folding`), `record`, `answer`.

mod answer;
mod judge;
mod look_up;
mod number;
mod place;
mod record;

pub use answer::{note, wire_status};
pub use place::is_whole;

use super::{
    PushError,
    ahead::{Ahead, Scout, Touched},
    store::Known,
    weigh::{Long, Struck},
};
use crate::{
    clock::Micros,
    db::Db,
    handheld::{
        anchor::Anchors,
        units::{
            self,
            facts::Reader,
            folding::{
                Change, Done, Folding, Moment,
                entering::{Entering, weight},
            },
        },
        world::Source,
    },
    log::{Block, Log, Position},
    projection::{self, units::set_unit_statuses},
};
use answer::merged;
use judge::Decided;
use std::{sync::Arc, time::Duration};
use suyuan_sync::{
    admission::{Batch, Branch, Decision, FrameFault, Receipted},
    bugs::{self, Bug},
    facts::Corrected,
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
    /// How much its retracts are about.
    pub struck: Struck,
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
    touched: Option<Touched>,
    /// How many units an act folds, see [`Folding::within`].
    most: usize,
    /// More than this it never is.
    narrow: usize,
    scout: Scout,
    long: Long,
}

/// What the last act wrote.
#[derive(Debug, Clone, Copy)]
pub struct Wrote {
    /// Events that came to count; what only waits was not folded.
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
    /// What is found of events that stood aside already.
    broken: Vec<units::store::Aside>,
}

/// A new event.
struct New {
    at: usize,
    gseq: Position,
    interval: Interval,
    delivered: Position,
    anchored: Option<Micros>,
    flags: Vec<FindingCode>,
    eff: Micros,
    corrects: Option<Arc<Corrected>>,
}

impl Engine {
    /// Ready to admit.
    pub fn new(db: Db, log: Log, anchors: Anchors, source: Source) -> Engine {
        let reader = Reader::default();
        Engine {
            scout: Scout::new(db.clone(), reader.clone()),
            db,
            log,
            anchors,
            source,
            reader,
            wrote: None,
            touched: None,
            most: usize::MAX,
            narrow: usize::MAX,
            long: Long::default(),
        }
    }

    /// From now on no act folds more units than so many, however many one event names.
    pub fn fold_at_most(&mut self, units: usize) {
        self.most = self.at_most(units);
    }

    /// From now on it is as narrow as if units were so heavy that acts and slices had room for no more than so
    /// many: for whoever wants to see what is left then.
    pub fn narrow(&mut self, units: usize) {
        self.narrow = units.max(1);
    }

    /// So many units, or as many as there is room for.
    pub fn at_most(&self, units: usize) -> usize {
        units.min(self.narrow)
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

    /// Reads for acts to come.
    pub fn scout(&self) -> Scout {
        self.scout.clone()
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Master data, and who reads facts.
    pub fn parts(&mut self) -> (&mut Source, &mut Reader) {
        (&mut self.source, &mut self.reader)
    }

    /// Admits these pushes in one act. No two may be of one device epoch. `ahead` is what was read for
    /// them before.
    pub async fn admit(
        &mut self,
        pushes: &[Incoming],
        ahead: Option<Ahead>,
    ) -> Result<Vec<Result<Answered, FrameFault>>, PushError> {
        self.wrote = None;
        let ahead = self.look_up(pushes, ahead).await?;
        let block = self.log.begin_block().await?;
        let (known, units) = self.still_so(&block, pushes, ahead).await?;
        let mut decided = self.decide(&block, pushes, known).await?;
        if decided.taken == 0 {
            return self.nothing_new(block, decided).await;
        }
        let moment = Moment {
            first: block.position(0),
            last: block.position(decided.taken - 1),
            stamp: block.stamp(0),
        };
        self.catch_up(&block).await?;
        let mut change = self.placed(&block, &mut decided.admitting, moment).await?;
        // Pushes are gathered by what they name; with what corrections turn on that is twice as much at most.
        let entering = Entering::cut(block.tx(), &mut change, self.most).await?;
        let (plain, events) = (entering.is_empty(), change.arrived.len());
        let mut done = self
            .fold(&block, &change, moment, (units, entering))
            .await?;
        let stamp = block.stamp(decided.taken - 1);
        let answers: Vec<Answered> = decided
            .admitting
            .iter()
            .map(|push| self.answer(push, (&done.opened, &done.pending), stamp))
            .collect();
        let admitting = &mut decided.admitting;
        let seal = Engine::record(&block, admitting, &answers, moment, stamp).await?;
        if bugs::on(Bug::AnswerBeforeCommit) {
            // The answer is out, and the program dies before the commit.
            block.abandon().await?;
            return Ok(merged(decided.refused, answers));
        }
        self.touched = None;
        let held = block.commit(seal).await?;
        let read = std::mem::take(&mut done.read);
        let admitted = (pushes, &decided.admitting[..]);
        self.remember(&change, admitted, (moment, read), plain);
        self.wrote = Some(Wrote { events, held });
        metrics::counter!("suyuan_events_total").increment(decided.taken as u64);
        Ok(merged(decided.refused, answers))
    }

    /// Duplicates only: nothing is written, and what is held is durable already.
    async fn nothing_new(
        &mut self,
        block: Block,
        decided: Decided<'_>,
    ) -> Result<Vec<Result<Answered, FrameFault>>, PushError> {
        let stamp = block.as_of();
        self.catch_up(&block).await?;
        block.abandon().await?;
        let (findings, pending) = Default::default();
        let answers = decided
            .admitting
            .iter()
            .map(|push| self.answer(push, (&findings, &pending), stamp));
        Ok(merged(decided.refused, answers.collect()))
    }

    /// Folds what changed, and tells the public side.
    async fn fold(
        &mut self,
        block: &Block,
        change: &Change,
        moment: Moment,
        (ahead, entering): (units::ahead::Ahead, Entering),
    ) -> Result<Done, PushError> {
        let folding = Folding::new(&mut self.source, &mut self.reader, moment);
        // Of more names than pushes are gathered by, to note them takes half of the time there is.
        let names: usize = change.arrived.iter().map(|fact| weight(fact)).sum();
        let heavy = names > self.most / 2;
        let mut folding = folding.within(if heavy { self.most / 2 } else { self.most });
        folding.ahead = ahead;
        folding.entering = entering;
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

fn in_state(decision: &Decision, at: usize) -> bool {
    decision.judged[at].kept().outcome.in_state()
}

fn on_first(decision: &Decision, at: usize) -> bool {
    decision.judged[at].kept().branch == Branch::First
}
