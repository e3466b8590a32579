//! Writes what was decided: the events, how their devices stand, and what is found about those that
//! are kept out of the state. What is written of events is what the chain over the log is told.

use super::{Admitting, Answered, Engine, New, on_first};
use crate::{
    clock::Micros,
    handheld::{
        push::{
            PushError,
            frozen::{Frozen, Reading},
            meant,
            store::{self, ChainRow, Environs, EventRow, Told},
        },
        units::{
            self,
            facts::{told_corrected, told_flags},
            folding::Moment,
        },
    },
    log::{
        Block,
        chain::{Canonical, Seal, Table},
    },
};
use sea_orm::DbErr;
use suyuan_sync::{
    admission::{Branch, Read},
    wire::EventResult,
};

impl Engine {
    /// Writes events and how devices stand. What the chain is told of them.
    pub(super) async fn record(
        block: &Block,
        admitting: &mut [Admitting<'_>],
        answers: &[Answered],
        moment: Moment,
        stamp: Micros,
    ) -> Result<Seal, PushError> {
        let tx = block.tx();
        let (mut seal, mut bytes) = (block.seal(), Canonical::default());
        let (mut events, mut chains, mut aside) = (Vec::new(), Vec::new(), Vec::new());
        let mut environs = Vec::new();
        for (push, answer) in admitting.iter_mut().zip(answers) {
            let batch = &push.push.batch;
            let (device, epoch) = (batch.device.0, batch.epoch);
            for new in &push.new {
                let stated = batch.events[new.at].read.event();
                let whose = push.known.chain.enterprise;
                environs.extend(stated.and_then(|event| Environs::of(whose, new.gseq, event)));
                let row = row(push, new, &answer.results[new.at])?;
                frozen(&row).write(&row.kept.outcome.remarks, &mut bytes);
                seal.row(Table::Event, &bytes);
                if row.counts_from.is_none() {
                    aside.push(found_aside(&row));
                }
                events.push(row);
            }
            aside.append(&mut push.broken);
            store::write_forks(tx, device, epoch, &push.decision.forks).await?;
            store::write_groups(tx, device, epoch, &push.decision.groups, stamp).await?;
            let chain = &mut push.known.chain;
            chain.forked |= !push.decision.forks.is_empty();
            chain.state.extent = push.decision.extent.clone();
            let on_first = |new: &&New| on_first(&push.decision, new.at);
            let stated = push.new.iter().filter(on_first).map(|new| new.anchored);
            chain.state.anchored = stated.max().flatten().max(chain.state.anchored);
            if !push.new.is_empty() {
                chains.push(ChainRow {
                    device,
                    epoch,
                    chain: chain.clone(),
                });
            }
        }
        store::write_events(tx, events).await?;
        store::write_environs(tx, environs).await?;
        store::write_chains(tx, &chains, moment.last).await?;
        units::store::write_aside(tx, moment.first, &aside).await?;
        Ok(seal)
    }
}

fn row(push: &Admitting<'_>, new: &New, result: &EventResult) -> Result<EventRow, DbErr> {
    let batch = &push.push.batch;
    let event = &batch.events[new.at];
    let kept = push.decision.judged[new.at].kept().clone();
    let stated = event.read.event();
    Ok(EventRow {
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
        anchored: new.anchored,
        corrects: new.corrects.as_deref().map(told_corrected).transpose()?,
        group: stated.and_then(|event| event.group).map(|group| group.id.0),
        imported: push.push.imported,
        flags: told_flags(&new.flags),
        told: Told {
            status: kept.outcome.status,
            remarks: kept.outcome.remarks.clone(),
            findings: result.findings.clone(),
            more_findings: result.more_findings,
            pending: result.pending,
        }
        .written()?,
        body: event.text.clone().into_bytes(),
        meant: stated.and_then(|event| meant::told(&event.meant())),
        kept,
    })
}

/// What of a row never changes.
fn frozen(row: &EventRow) -> Frozen<'_> {
    Frozen {
        gseq: row.gseq,
        stamp: row.interval.hi,
        enterprise: row.enterprise.as_bytes(),
        device: row.device.as_bytes(),
        epoch: i64::from(row.epoch),
        seq: row.kept.seq as i64,
        event: row.kept.event.as_ref().map(|id| &id.0.as_bytes()[..]),
        imported: i64::from(row.imported),
        told: row.told.as_bytes(),
        branch: match &row.kept.branch {
            Branch::First => None,
            Branch::Fork(root) => Some(&root.0),
        },
        hash: &row.kept.hash.0,
        read: Reading {
            kind: row.kind.as_bytes(),
            location: row.location.as_ref().map(|id| &id.as_bytes()[..]),
            group: row.group.as_ref().map(|id| &id.as_bytes()[..]),
            lo: row.interval.lo,
            est: row.interval.est,
            delivered: row.delivered,
            meant: row.meant.as_deref().map(str::as_bytes),
        },
    }
}

/// The kind an event says it is of, as far as it could be read.
fn kind_of(read: &Read) -> String {
    match read {
        Read::Event(event) => event.kind.name().to_owned(),
        Read::Later(header) | Read::Unfoldable(header) | Read::Elsewhere(header) => {
            header.kind.clone().unwrap_or_default()
        }
        Read::Unreadable(_) => String::new(),
    }
}

/// What is found about an event that is kept out of the state.
fn found_aside(row: &EventRow) -> units::store::Aside {
    units::store::Aside {
        enterprise: row.enterprise,
        device: row.device,
        event: row.kept.event,
        gseq: row.gseq,
        place: row.location,
        codes: row.kept.outcome.findings().collect(),
    }
}
