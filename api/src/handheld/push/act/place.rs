//! Where events stand in the order: new ones, those that leave parking, and neighbours of both that
//! move. What comes of it are facts to be folded.

use super::{Admitting, Engine, New, in_state, on_first};
use crate::{
    clock::Micros,
    handheld::{
        push::{
            PushError,
            store::{self, Restanding},
            timeline,
        },
        units::{
            self,
            facts::{flags_of, told_flags},
            folding::{Change, Moment},
        },
    },
    log::{Block, Position},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    admission::{Branch, Leaving, Remark},
    chain::Hash,
    facts::Fact,
    finding::FindingCode,
    ids::{EnterpriseId, EventId, Seq},
    order::Order,
    time::Timed,
};
use uuid::Uuid;

impl Engine {
    /// Gives new events, and those that leave parking, their places in the order.
    pub(super) async fn placed(
        &mut self,
        block: &Block,
        admitting: &mut [Admitting<'_>],
        moment: Moment,
    ) -> Result<Change, PushError> {
        let mut change = Change::default();
        for push in admitting.iter_mut() {
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
            let leaving = push.decision.leaving.iter().map(|left| left.event);
            let left = store::waiting(tx, device, epoch, &leaving.collect::<Vec<_>>()).await?;
            let first = left.iter().filter(|row| row.branch == Branch::First);
            timed.extend(first.map(|row| Timed {
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
            let why: BTreeMap<EventId, &Leaving> = push
                .decision
                .leaving
                .iter()
                .map(|left| (left.event, left))
                .collect();
            let restanding = left.iter().map(|row| {
                let why = row.event.and_then(|event| why.get(&event).copied());
                let placed = eff.get(&row.seq).copied();
                let placed = placed.filter(|_| row.branch == Branch::First);
                leaves(row, why, moment.last, placed)
            });
            store::write_standing(tx, &restanding.collect::<Vec<_>>()).await?;
            // One that was admitted from a second branch is ordered there.
            let mut beside = BTreeSet::new();
            let forks: BTreeSet<Hash> = left.iter().filter_map(|row| row.branch.root()).collect();
            for root in forks {
                let from = moment.first;
                beside.extend(timeline::place_on_branch(tx, device, epoch, root, from).await?);
            }
            let new: BTreeSet<Seq> = timed.iter().map(|timed| timed.seq).collect();
            let moved = placement.eff.into_iter();
            let moved: Vec<(Seq, Micros)> = moved.filter(|(seq, _)| !new.contains(seq)).collect();
            store::move_events(tx, device, epoch, &moved, moment.first).await?;
            let broken = store::standing(tx, device, epoch, &push.decision.breaks).await?;
            let breaking: Vec<Restanding> = broken.iter().map(breaks).collect();
            store::write_standing(tx, &breaking).await?;
            let chain = &push.known.chain;
            let broken_aside = broken
                .iter()
                .filter_map(|row| breaks_aside(row, chain.enterprise, device));
            push.broken.extend(broken_aside);
            let whole = store::members(tx, device, epoch, &push.decision.whole).await?;
            let now_whole: Vec<Restanding> = whole.iter().map(is_whole).collect();
            store::write_standing(tx, &now_whole).await?;
            let positions = |rows: &[store::StandingRow]| rows.iter().map(|r| r.gseq).collect();
            let reader = &mut self.reader;
            let left: BTreeSet<Position> = positions(&left);
            beside.retain(|gseq| !left.contains(gseq));
            let (left, unread) = units::store::first_of(tx, reader, &left).await?;
            change.arrived.extend(left);
            change.unread.arrived.extend(unread);
            let mut recheck: BTreeSet<Position> = positions(&broken);
            recheck.extend(whole.iter().map(|row| row.gseq));
            let (recheck, unread) = units::store::first_of(tx, reader, &recheck).await?;
            change.recheck.extend(recheck);
            change.unread.recheck.extend(unread);
            let seqs: Vec<Seq> = moved.iter().map(|(seq, _)| *seq).collect();
            let moved = store::standing(tx, device, epoch, &seqs).await?;
            let mut moved: BTreeSet<Position> = positions(&moved);
            moved.extend(beside);
            let (moved, unread) = units::store::moved(tx, reader, &moved).await?;
            change.moved.extend(moved);
            change.unread.moved.extend(unread);
            for new in &push.new {
                change.arrived.extend(fact(push, new));
            }
        }
        let tx = block.tx();
        let mut placed = units::take_places(tx, &mut self.reader, &mut change).await?;
        for new in admitting.iter_mut().flat_map(|push| &mut push.new) {
            new.corrects = placed.remove(&new.gseq);
        }
        units::store::write_corrected(tx, &placed).await?;
        Ok(change)
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
            corrects: None,
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
    let mut flags = flags_of(&row.flags);
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

/// An event that turns out not to chain to what came in before it (T5). It counts since when it did.
fn breaks(row: &store::StandingRow) -> Restanding {
    let outcome = row.outcome.with(Remark::ChainBreak);
    let mut flags = flags_of(&row.flags);
    if !flags.contains(&FindingCode::ChainBreak) {
        flags.push(FindingCode::ChainBreak);
    }
    Restanding {
        gseq: row.gseq,
        counts_from: row.counts_from,
        outcome,
        flags: told_flags(&flags),
        eff: None,
        order_epoch: None,
    }
}

/// What is found of an event that turns out so while it stands aside: no fold is going to find it.
fn breaks_aside(
    row: &store::StandingRow,
    enterprise: Uuid,
    device: Uuid,
) -> Option<units::store::Aside> {
    let is_new = row.counts_from.is_none() && !row.outcome.remarks.contains(&Remark::ChainBreak);
    is_new.then(|| units::store::Aside {
        enterprise,
        device,
        event: row.event,
        gseq: row.gseq,
        place: row.location,
        codes: BTreeSet::from([FindingCode::ChainBreak]),
    })
}

/// An event that had been taken in without the rest of its group, which is there now (T8). It counts since
/// when it did.
pub fn is_whole(row: &store::StandingRow) -> Restanding {
    let mut flags = flags_of(&row.flags);
    flags.retain(|flag| *flag != FindingCode::PartialGroup);
    Restanding {
        gseq: row.gseq,
        counts_from: row.counts_from,
        outcome: row.outcome.without(Remark::PartialGroup),
        flags: told_flags(&flags),
        eff: None,
        order_epoch: None,
    }
}
