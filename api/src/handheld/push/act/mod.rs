//! One act: the pushes of several devices, from what is held of them to the commit. Whoever holds the
//! [`Engine`] admits; nobody else writes events.
//!
//! Its steps, each in a file of its own: what was read `ahead`, `judge`, `number` and time, `place` in
//! the order, fold (`units::folding`), `record`, `answer`.

mod answer;
mod judge;
mod number;
mod place;
mod record;

pub use answer::{note, wire_status};

use super::{
    PushError,
    ahead::{Ahead, Scout, Since, Touched, held},
    store::Known,
    weigh::Long,
};
use crate::{
    clock::Micros,
    db::Db,
    handheld::{
        anchor::Anchors,
        units::{
            self,
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
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use suyuan_sync::{
    admission::{Batch, Branch, Decision, FrameFault, Receipted},
    bugs::{self, Bug},
    finding::FindingCode,
    order::Interval,
    unit::UnitKey,
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
    touched: Option<Touched>,
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
            touched: None,
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

    /// Reads for acts to come.
    pub fn scout(&self) -> Scout {
        Scout {
            db: self.db.clone(),
            reader: self.reader.clone(),
        }
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
        let touched = self.touched.as_ref();
        catch_up(&mut self.source, touched, block.tx(), block.before()).await?;
        let change = self.placed(&block, &mut decided.admitting, moment).await?;
        let mut done = self.fold(&block, &change, moment, units).await?;
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
        self.touched = None;
        let held = block.commit(decided.taken).await?;
        self.remember(change, pushes, (moment, std::mem::take(&mut done.read)));
        self.wrote = Some(Wrote {
            events: decided.taken,
            held,
        });
        metrics::counter!("suyuan_events_total").increment(decided.taken as u64);
        Ok(merged(decided.refused, answers))
    }

    /// What was read ahead, unless more happened since than the act before this one; then it is read now,
    /// while the head is not locked yet.
    async fn look_up(
        &mut self,
        pushes: &[Incoming],
        ahead: Option<Ahead>,
    ) -> Result<Ahead, PushError> {
        let (head, _) = self.log.head().await?;
        let ahead = match ahead {
            Some(ahead) if !matches!(self.since(ahead.seen, head), Since::Anything) => ahead,
            _ => Ahead::read(&self.db, &mut self.reader, pushes).await?,
        };
        let touched = self.touched.as_ref();
        catch_up(&mut self.source, touched, self.db.reader(), head).await?;
        if bugs::on(Bug::ReadBeforeLock) {
            // What was read gets old, however fast the database is.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(ahead)
    }

    /// What of that still stands under the lock of the head; what is held is read anew if it may not.
    async fn still_so(
        &mut self,
        block: &Block,
        pushes: &[Incoming],
        ahead: Ahead,
    ) -> Result<(Vec<Known>, units::ahead::Ahead), PushError> {
        let Ahead {
            seen,
            mut known,
            mut units,
        } = ahead;
        match self.since(seen, block.before()) {
            Since::Nothing => {}
            Since::One(touched) => {
                units.forget(&touched.units);
                if touched.concerns(pushes) {
                    known = held(block.tx(), pushes).await?;
                }
            }
            Since::Anything => {
                known = held(block.tx(), pushes).await?;
                // The mistake that the lock of the head is there against: units as of before, whatever was
                // committed since.
                if !bugs::on(Bug::ReadBeforeLock) {
                    units = units::ahead::Ahead::default();
                }
            }
        }
        Ok((known, units))
    }

    fn since(&self, after: Position, upto: Position) -> Since<'_> {
        Since::of(self.touched.as_ref(), after, upto)
    }

    /// After the commit: what this act stated is remembered as read, and what it touched for whoever was
    /// read ahead meanwhile. An act that moved what was there before touched more than is known here.
    fn remember(
        &mut self,
        change: Change,
        pushes: &[Incoming],
        (moment, units): (Moment, BTreeSet<UnitKey>),
    ) {
        let plain = change.moved.is_empty()
            && change.recheck.is_empty()
            && change.arrived.iter().all(|fact| fact.gseq >= moment.first);
        for fact in &change.arrived {
            self.reader.remember(fact.gseq, &fact.event);
        }
        let batches = pushes.iter().map(|push| &push.batch);
        let ids = batches.clone().flat_map(|batch| &batch.events);
        self.touched = plain.then(|| Touched {
            positions: (moment.first - 1, moment.last),
            devices: batches.map(|batch| (batch.device, batch.epoch)).collect(),
            ids: ids.filter_map(|event| event.read.id()).collect(),
            units,
        });
    }

    /// Duplicates only: nothing is written, and what is held is durable already.
    async fn nothing_new(
        &mut self,
        block: Block,
        decided: Decided<'_>,
    ) -> Result<Vec<Result<Answered, FrameFault>>, PushError> {
        let stamp = block.stamp(0) - 1;
        let touched = self.touched.as_ref();
        catch_up(&mut self.source, touched, block.tx(), block.before()).await?;
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
        ahead: units::ahead::Ahead,
    ) -> Result<Done, PushError> {
        let mut folding = Folding::new(&mut self.source, &mut self.reader, moment);
        folding.ahead = ahead;
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

/// Brings master data up to a position. An act of this engine changed none of it.
async fn catch_up(
    source: &mut Source,
    touched: Option<&Touched>,
    conn: &impl ConnectionTrait,
    head: Position,
) -> Result<(), PushError> {
    match Since::of(touched, source.position(), head) {
        Since::Nothing => {}
        Since::One(_) => source.pass(head),
        Since::Anything => source.refresh(conn, head).await?,
    }
    Ok(())
}

fn in_state(decision: &Decision, at: usize) -> bool {
    decision.judged[at].kept().outcome.in_state()
}

fn on_first(decision: &Decision, at: usize) -> bool {
    decision.judged[at].kept().branch == Branch::First
}
