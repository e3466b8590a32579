//! One act: the pushes of several devices, from what is held of them to the commit. Whoever holds the
//! [`Engine`] admits; nobody else writes events.

use super::{
    PushError,
    store::{self, ChainRow, EventRow, Known, Restanding, Told},
    timeline,
    watch::ClockWatch,
};
use crate::{
    clock::Micros,
    db::Db,
    handheld::{
        anchor::Anchors,
        units::{
            facts::{Reader, told_flags},
            folding::{Change, Folding, Moment},
        },
        world::Source,
    },
    log::{Block, Log, Position},
    projection::{self, units::set_unit_statuses},
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};
use suyuan_sync::{
    admission::{
        self, Batch, Branch, Decision, FrameFault, Judged, Kept, Leaving, Read, ReadEvent,
        Receipted, Remark,
    },
    event::Event,
    facts::Fact,
    finding::{Detail, Finding, FindingCode, Severity, Subject},
    ids::{EnterpriseId, Epoch, EventId, Seq},
    order::{Interval, Order},
    time::{ClockReading, Timed, interval},
    wire::{EventResult, FindingNote},
};
use uuid::Uuid;

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
    /// There may be something to pull.
    pub pull_hint: bool,
}

/// Admits.
pub struct Engine {
    db: Db,
    log: Log,
    anchors: Anchors,
    watch: Arc<ClockWatch>,
    source: Source,
    reader: Reader,
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
    pub fn new(
        db: Db,
        log: Log,
        anchors: Anchors,
        watch: Arc<ClockWatch>,
        source: Source,
    ) -> Engine {
        Engine {
            db,
            log,
            anchors,
            watch,
            source,
            reader: Reader::default(),
        }
    }

    /// The log it writes to.
    pub fn log(&self) -> &Log {
        &self.log
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
        let batches: Vec<&Batch> = pushes.iter().map(|push| &push.batch).collect();
        // Looked up before the head is locked, and again if it moved meanwhile.
        let (seen, _) = self.log.head().await?;
        let mut known = store::known(self.db.reader(), &batches).await?;
        self.source.refresh(self.db.reader(), seen).await?;
        let block = self.log.begin_block().await?;
        if block.before() != seen {
            known = store::known(block.tx(), &batches).await?;
        }
        if !self.watch.allows(Instant::now(), block.stamp(0)) {
            block.abandon().await?;
            return Err(PushError::ClockJumped);
        }
        let mut admitting = Vec::with_capacity(pushes.len());
        let mut refused: BTreeMap<usize, FrameFault> = BTreeMap::new();
        let mut taken = 0;
        for (n, (push, known)) in pushes.iter().zip(known).enumerate() {
            match admission::admit(&known.held, &push.batch) {
                Err(fault) => {
                    refused.insert(n, fault);
                }
                Ok(decision) => {
                    let new = self
                        .numbered(&block, push, &known, &decision, &mut taken)
                        .await?;
                    admitting.push(Admitting {
                        push,
                        known,
                        decision,
                        new,
                    });
                }
            }
        }
        if taken == 0 {
            // Duplicates only: nothing is written, and what is held is durable already.
            let stamp = block.stamp(0) - 1;
            self.source.refresh(block.tx(), block.before()).await?;
            block.abandon().await?;
            let findings = BTreeMap::new();
            let answers = admitting
                .iter()
                .map(|push| self.answer(push, &findings, stamp));
            return Ok(merged(refused, answers.collect()));
        }
        let moment = Moment {
            first: block.position(0),
            last: block.position(taken - 1),
        };
        self.source.refresh(block.tx(), block.before()).await?;
        let change = self.placed(&block, &mut admitting, moment).await?;
        let folding = Folding::new(&mut self.source, &mut self.reader, moment);
        let done = folding.run(block.tx(), &change).await?;
        let stamp = block.stamp(taken - 1);
        let answers: Vec<Answered> = admitting
            .iter()
            .map(|push| self.answer(push, &done.opened, stamp))
            .collect();
        self.write(&block, &mut admitting, &answers, moment, stamp)
            .await?;
        if !done.public.is_empty() {
            let place = projection::Placed {
                tx: block.tx(),
                position: moment.last,
            };
            set_unit_statuses(&place, &done.public).await?;
        }
        block.commit(taken).await?;
        metrics::counter!("suyuan_events_total").increment(taken as u64);
        Ok(merged(refused, answers))
    }

    /// Numbers the new events of a push and judges their clocks.
    async fn numbered(
        &self,
        block: &Block,
        push: &Incoming,
        known: &Known,
        decision: &Decision,
        taken: &mut usize,
    ) -> Result<Vec<New>, PushError> {
        let (device, epoch) = (push.batch.device.0, push.batch.epoch);
        let mut new = Vec::new();
        let mut delivered: BTreeMap<Micros, Position> = BTreeMap::new();
        let pairs = decision.judged.iter().zip(&push.batch.events);
        for (at, (judged, event)) in pairs.enumerate() {
            let Judged::New(kept) = judged else {
                continue;
            };
            let (gseq, stamp) = (block.position(*taken), block.stamp(*taken));
            *taken += 1;
            let read = self.clock(device, epoch, event.read.event().map(AsRef::as_ref));
            let (interval, mut flags, anchor) = match read {
                Some(reading) => {
                    let (interval, flags) = interval(&reading, known.chain.enrolled_at, stamp);
                    (interval, flags, reading.anchor)
                }
                None => (at_receipt(stamp), Vec::new(), None),
            };
            let anchor = anchor.unwrap_or(known.chain.enrolled_at);
            let delivered = if let Some(known) = delivered.get(&anchor) {
                *known
            } else {
                let tx = block.tx();
                let position = self.delivered(tx, device, epoch, known, anchor).await?;
                delivered.insert(anchor, position);
                position
            };
            flags.extend(kept.outcome.findings());
            new.push(New {
                at,
                gseq,
                interval,
                delivered,
                flags,
                eff: interval.est,
            });
        }
        Ok(new)
    }

    /// What an event says of its device's clock.
    pub fn clock(&self, device: Uuid, epoch: Epoch, event: Option<&Event>) -> Option<ClockReading> {
        let event = event?;
        let anchor = event.anchor.as_deref();
        Some(ClockReading {
            anchor: anchor.and_then(|anchor| self.anchors.read(device, epoch, anchor)),
            at: event.at,
            anchor_wall: event.anchor_wall,
            mono_ms: event.mono_ms,
        })
    }

    /// What the device had been told and had acknowledged before an anchor was given to it.
    async fn delivered(
        &self,
        conn: &impl ConnectionTrait,
        device: Uuid,
        epoch: Epoch,
        known: &Known,
        anchor: Micros,
    ) -> Result<Position, PushError> {
        let (position, since) = known.chain.delivered;
        if position == 0 || since < anchor {
            return Ok(position);
        }
        Ok(store::delivered_before(conn, device, epoch, anchor).await?)
    }

    /// Gives new events, and those that leave parking, their places in the order.
    async fn placed(
        &mut self,
        block: &Block,
        admitting: &mut [Admitting<'_>],
        moment: Moment,
    ) -> Result<Change, PushError> {
        let mut change = Change::default();
        for push in admitting {
            let batch = &push.push.batch;
            let (device, epoch) = (batch.device.0, batch.epoch);
            let tx = block.tx();
            let mut timed: Vec<Timed> = Vec::new();
            for new in &push.new {
                if in_state(&push.decision, new.at) && on_first(&push.decision, new.at) {
                    timed.push(Timed {
                        seq: batch.events[new.at].seq,
                        interval: new.interval,
                    });
                }
            }
            let leaving: Vec<Seq> = push.decision.leaving.iter().map(|left| left.seq).collect();
            let left = store::standing(tx, device, epoch, &leaving).await?;
            timed.extend(left.iter().map(|row| Timed {
                seq: row.seq,
                interval: row.interval,
            }));
            timed.sort_by_key(|timed| timed.seq);
            let time = &mut push.known.chain.state.time;
            let placement = timeline::place(tx, device, epoch, time, &timed).await?;
            let eff: BTreeMap<Seq, Micros> = placement.eff.iter().copied().collect();
            for new in &mut push.new {
                let placed = eff.get(&batch.events[new.at].seq);
                if let Some(eff) = placed.filter(|_| on_first(&push.decision, new.at)) {
                    new.eff = *eff;
                }
            }
            // Those that leave are in rows: they count from now on.
            for row in &left {
                let why = push
                    .decision
                    .leaving
                    .iter()
                    .find(|left| left.seq == row.seq);
                let restanding = leaves(row, why, moment.last, eff.get(&row.seq).copied());
                store::write_standing(tx, &restanding).await?;
            }
            let is_new = |seq: &Seq| timed.iter().any(|timed| timed.seq == *seq);
            let moved: Vec<(Seq, Micros)> = placement
                .eff
                .into_iter()
                .filter(|(seq, _)| !is_new(seq))
                .collect();
            store::move_events(tx, device, epoch, &moved).await?;
            let broken = store::standing(tx, device, epoch, &push.decision.breaks).await?;
            for row in &broken {
                store::write_standing(tx, &breaks(row, moment.last)).await?;
            }
            let positions = |rows: &[store::StandingRow]| rows.iter().map(|r| r.gseq).collect();
            let reader = &mut self.reader;
            let left: BTreeSet<Position> = positions(&left);
            let left = crate::handheld::units::store::by_position(tx, reader, &left).await?;
            change.arrived.extend(left);
            let broken: BTreeSet<Position> = positions(&broken);
            let broken = crate::handheld::units::store::by_position(tx, reader, &broken).await?;
            change.recheck.extend(broken);
            let seqs: Vec<Seq> = moved.iter().map(|(seq, _)| *seq).collect();
            let moved = store::standing(tx, device, epoch, &seqs).await?;
            let moved: BTreeSet<Position> = positions(&moved);
            let moved = crate::handheld::units::store::by_position(tx, reader, &moved).await?;
            change.moved.extend(moved);
            for new in &push.new {
                if let Some(fact) = fact(push, new) {
                    self.reader.remember(new.gseq, &fact.event);
                    change.arrived.push(fact);
                }
            }
        }
        Ok(change)
    }

    /// Writes events and how devices stand.
    async fn write(
        &self,
        block: &Block,
        admitting: &mut [Admitting<'_>],
        answers: &[Answered],
        moment: Moment,
        stamp: Micros,
    ) -> Result<(), PushError> {
        let tx = block.tx();
        let (mut events, mut chains, mut aside) = (Vec::new(), Vec::new(), Vec::new());
        for (push, answer) in admitting.iter_mut().zip(answers) {
            let batch = &push.push.batch;
            let (device, epoch) = (batch.device.0, batch.epoch);
            for new in &push.new {
                let row = row(push, new, &answer.results[new.at]);
                if row.counts_from.is_none() {
                    aside.extend(findings_aside(&row));
                }
                events.push(row);
            }
            store::write_forks(tx, device, epoch, &push.decision.forks).await?;
            store::write_groups(tx, device, epoch, &push.decision.groups, stamp).await?;
            let chain = &mut push.known.chain;
            chain.forked |= !push.decision.forks.is_empty();
            chain.state.extent = push.decision.extent.clone();
            if !push.new.is_empty() {
                chains.push(ChainRow {
                    device,
                    epoch,
                    chain: chain.clone(),
                });
            }
        }
        store::write_events(tx, events).await?;
        store::write_chains(tx, &chains, moment.last).await?;
        crate::handheld::units::store::write_aside(tx, moment.first, &aside).await?;
        Ok(())
    }

    /// What is told about a push.
    fn answer(
        &self,
        push: &Admitting<'_>,
        opened: &BTreeMap<EventId, Vec<Finding>>,
        stamp: Micros,
    ) -> Answered {
        let batch = &push.push.batch;
        let gseqs: BTreeMap<usize, Position> =
            push.new.iter().map(|new| (new.at, new.gseq)).collect();
        let pairs = push.decision.judged.iter().zip(&batch.events).enumerate();
        let results = pairs.map(|(at, (judged, event))| {
            let kept = judged.kept();
            let told = match judged {
                Judged::Duplicate(kept) => push.known.told.get(&kept.hash).cloned(),
                Judged::New(kept) => Some(told(kept, event, opened)),
            };
            let told = told.unwrap_or(Told::CLEAN);
            let position = kept.gseq.or(gseqs.get(&at).copied());
            EventResult {
                seq: event.seq,
                status: wire_status(judged.status()),
                code: kept
                    .outcome
                    .decisive()
                    .map(|remark| remark.name().to_owned()),
                gseq: position.filter(|_| kept.outcome.in_state()),
                findings: told.findings,
            }
        });
        let cursor = batch
            .events
            .iter()
            .rev()
            .find_map(|event| event.read.event());
        let cursor = cursor.map_or(0, |event| event.cursor);
        Answered {
            results: results.collect(),
            receipt: push.decision.receipt.clone(),
            stamp,
            pull_hint: self.source.news() > cursor,
        }
    }
}

fn merged(
    mut refused: BTreeMap<usize, FrameFault>,
    answers: Vec<Answered>,
) -> Vec<Result<Answered, FrameFault>> {
    let mut answers = answers.into_iter();
    let mut out = Vec::new();
    loop {
        let next = match refused.remove(&out.len()) {
            Some(fault) => Some(Err(fault)),
            None => answers.next().map(Ok),
        };
        match next {
            Some(next) => out.push(next),
            None => return out,
        }
    }
}

fn in_state(decision: &Decision, at: usize) -> bool {
    decision.judged[at].kept().outcome.in_state()
}

fn on_first(decision: &Decision, at: usize) -> bool {
    decision.judged[at].kept().branch == Branch::First
}

/// Of what says nothing of its clock.
pub(super) const fn at_receipt(stamp: Micros) -> Interval {
    Interval {
        lo: stamp,
        est: stamp,
        hi: stamp,
    }
}

/// A new event that is in the state, as a fact.
fn fact(push: &Admitting<'_>, new: &New) -> Option<Arc<Fact>> {
    let batch = &push.push.batch;
    let event = batch.events[new.at].read.event()?;
    in_state(&push.decision, new.at).then(|| {
        Arc::new(Fact {
            order: Order {
                eff: new.eff,
                device: batch.device,
                epoch: batch.epoch,
                seq: event.seq,
                event: event.id,
            },
            interval: new.interval,
            gseq: new.gseq,
            enterprise: EnterpriseId(push.known.chain.enterprise),
            event: event.clone(),
            delivered: new.delivered,
            flags: new.flags.clone(),
        })
    })
}

fn leaves(
    row: &store::StandingRow,
    why: Option<&Leaving>,
    counts_from: Position,
    eff: Option<Micros>,
) -> Restanding {
    let mut outcome = row.outcome.without(Remark::GroupIncomplete);
    let mut flags = crate::handheld::units::facts::flags_of(&row.flags);
    if let Some(remark) = why.and_then(|left| left.remark) {
        outcome = outcome.with(remark);
        flags.extend(remark.finding());
    }
    Restanding {
        gseq: row.gseq,
        outcome,
        flags: told_flags(&flags),
        counts_from: Some(counts_from),
        eff,
        order_epoch: None,
    }
}

/// An event that turns out not to chain to what came in before it (T5).
fn breaks(row: &store::StandingRow, now: Position) -> Restanding {
    let outcome = row.outcome.with(Remark::ChainBreak);
    let mut flags = crate::handheld::units::facts::flags_of(&row.flags);
    if !flags.contains(&FindingCode::ChainBreak) {
        flags.push(FindingCode::ChainBreak);
    }
    Restanding {
        gseq: row.gseq,
        counts_from: outcome.in_state().then_some(row.gseq.min(now)),
        outcome,
        flags: told_flags(&flags),
        eff: None,
        order_epoch: None,
    }
}

fn row(push: &Admitting<'_>, new: &New, result: &EventResult) -> EventRow {
    let batch = &push.push.batch;
    let event = &batch.events[new.at];
    let kept = push.decision.judged[new.at].kept().clone();
    let stated = event.read.event();
    EventRow {
        gseq: new.gseq,
        enterprise: push.known.chain.enterprise,
        device: batch.device.0,
        epoch: batch.epoch,
        kind: kind_of(&event.read),
        counts_from: kept.outcome.in_state().then_some(new.gseq),
        location: stated
            .map(|event| event.location.0)
            .filter(|place| !place.is_nil()),
        interval: new.interval,
        eff: new.eff,
        delivered: new.delivered,
        group: stated.and_then(|event| event.group).map(|group| group.id.0),
        imported: push.push.imported,
        flags: told_flags(&new.flags),
        told: Told {
            status: kept.outcome.status,
            remarks: kept.outcome.remarks.clone(),
            findings: result.findings.clone(),
        },
        body: event.text.clone().into_bytes(),
        kept,
    }
}

/// The kind an event says it is of, as far as it could be read.
fn kind_of(read: &Read) -> String {
    match read {
        Read::Event(event) => event.kind.name().to_owned(),
        Read::Later(header) | Read::Elsewhere(header) => header.kind.clone().unwrap_or_default(),
        Read::Unreadable(_) => String::new(),
    }
}

/// What is found about an event that is kept out of the state.
fn findings_aside(row: &EventRow) -> Vec<crate::handheld::units::store::Aside> {
    let id = row.kept.event.unwrap_or(EventId(Uuid::nil()));
    let codes = row.kept.outcome.findings();
    codes
        .map(|code| crate::handheld::units::store::Aside {
            enterprise: row.enterprise,
            device: row.device,
            event: id,
            gseq: row.gseq,
            place: row.location,
            finding: Finding {
                code,
                subject: Subject::Event,
                event: id,
                batch: None,
                witnesses: vec![id],
                detail: Detail::Nothing,
            },
        })
        .collect()
}

fn told(kept: &Kept, event: &ReadEvent, opened: &BTreeMap<EventId, Vec<Finding>>) -> Told {
    let mut findings: Vec<FindingNote> = Vec::new();
    if kept.outcome.in_state() {
        let found = event.read.event().and_then(|event| opened.get(&event.id));
        findings.extend(found.into_iter().flatten().map(note));
    } else {
        findings.extend(kept.outcome.findings().map(|code| FindingNote {
            code,
            severity: code.severity(),
            subject: Subject::Event,
            closed_by: None,
            closed: false,
        }));
    }
    Told {
        status: kept.outcome.status,
        remarks: kept.outcome.remarks.clone(),
        findings,
    }
}

/// A finding as a device is told it.
pub fn note(finding: &Finding) -> FindingNote {
    FindingNote {
        code: finding.code,
        severity: severity(finding),
        subject: finding.subject.clone(),
        closed_by: None,
        closed: false,
    }
}

fn severity(finding: &Finding) -> Severity {
    finding.code.severity()
}

/// The same under the name it has on the wire.
pub fn wire_status(status: admission::Status) -> suyuan_sync::wire::Status {
    use suyuan_sync::wire::Status as Wire;
    match status {
        admission::Status::Stored => Wire::Stored,
        admission::Status::Duplicate => Wire::Duplicate,
        admission::Status::StoredFlagged => Wire::StoredFlagged,
        admission::Status::Parked => Wire::Parked,
        admission::Status::Quarantined => Wire::Quarantined,
    }
}
