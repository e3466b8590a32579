//! Positions and times of the new events of a push: what is frozen at admission (sync.md section 4).

use super::{Engine, Incoming, New};
use crate::{
    clock::Micros,
    handheld::push::{
        PushError,
        store::{self, Known},
    },
    log::{Block, Position},
};
use sea_orm::ConnectionTrait;
use std::collections::BTreeMap;
use suyuan_sync::{
    admission::{Branch, Decision},
    event::Event,
    ids::Epoch,
    order::Interval,
    time::{ClockReading, interval},
};
use uuid::Uuid;

impl Engine {
    /// Numbers the new events of a push and judges their clocks.
    pub(super) async fn numbered(
        &self,
        block: &Block,
        push: &Incoming,
        known: &Known,
        decision: &Decision,
        taken: &mut usize,
    ) -> Result<Vec<New>, PushError> {
        let (device, epoch) = (push.batch.device.0, push.batch.epoch);
        let mut new = Vec::new();
        if decision.new_events(&push.batch).next().is_none() {
            return Ok(new);
        }
        let anchored = self.anchored(block.tx(), push, known, decision).await?;
        let told = told(block.tx(), push, known, &anchored).await?;
        for (at, kept, event) in decision.new_events(&push.batch) {
            let (gseq, stamp) = (block.position(*taken), block.stamp(*taken));
            *taken += 1;
            let read = self.clock(device, epoch, event.read.event().map(AsRef::as_ref));
            let (interval, mut flags) = match read {
                Some(reading) => interval(&reading, known.chain.enrolled_at, stamp),
                None => (at_receipt(stamp), Vec::new()),
            };
            let anchored = anchored.get(at).copied().flatten();
            let delivered = told.before(anchored.unwrap_or(known.chain.enrolled_at));
            flags.extend(kept.outcome.findings());
            new.push(New {
                at,
                gseq,
                interval,
                delivered,
                anchored,
                flags,
                eff: interval.est,
                corrects: None,
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

    /// The greatest anchor that the chain of each event of a push states, up to and with it: a device keeps the
    /// greatest it was given, so it held that then, whatever it states afterwards.
    async fn anchored(
        &self,
        conn: &impl ConnectionTrait,
        push: &Incoming,
        known: &Known,
        decision: &Decision,
    ) -> Result<Vec<Option<Micros>>, PushError> {
        let (device, epoch) = (push.batch.device.0, push.batch.epoch);
        let state = &known.chain.state;
        let highest = state.extent.held.greatest().unwrap_or_default();
        let mut greatest: BTreeMap<Branch, Option<Micros>> = BTreeMap::new();
        let mut anchored = Vec::with_capacity(push.batch.events.len());
        for (event, judged) in push.batch.events.iter().zip(&decision.judged) {
            let (branch, chain) = (judged.kept().branch, (device, epoch));
            let appends = branch == Branch::First && event.seq > highest;
            let mut before = match (greatest.get(&branch), greatest.get(&Branch::First)) {
                (Some(before), _) => *before,
                (None, _) if appends => None,
                (None, None) => store::anchored_before(conn, chain, branch, event.seq).await?,
                // Before it comes what of the first branch is in this push, unless it left that earlier.
                (None, Some(left)) => {
                    let own = store::anchored_on(conn, chain, branch, event.seq).await?;
                    own.map_or(*left, |upto| upto.0)
                }
            };
            if appends {
                before = before.max(state.anchored);
            }
            let reading = self.clock(device, epoch, event.read.event().map(AsRef::as_ref));
            let upto = reading.and_then(|reading| reading.anchor).max(before);
            greatest.insert(branch, upto);
            anchored.push(upto);
        }
        Ok(anchored)
    }
}

/// What the device had been told and had acknowledged, as far back as these anchors of its push go: one look,
/// however many they are.
async fn told(
    conn: &impl ConnectionTrait,
    push: &Incoming,
    known: &Known,
    anchored: &[Option<Micros>],
) -> Result<Told, PushError> {
    let (device, epoch) = (push.batch.device.0, push.batch.epoch);
    let last = known.chain.delivered;
    let mut told = Told {
        last,
        earlier: Vec::new(),
    };
    let (mut least, mut greatest) = (Micros::MAX, Micros::MIN);
    let anchors = anchored.iter().flatten().copied();
    for anchor in anchors.filter(|anchor| last.0 > 0 && *anchor <= last.1) {
        (least, greatest) = (least.min(anchor), greatest.max(anchor));
    }
    if least <= greatest {
        told.earlier = store::acknowledged(conn, device, epoch, (least, greatest)).await?;
    }
    Ok(told)
}

/// What a device had acknowledged, and when.
struct Told {
    /// The last position, and since when.
    last: (Position, Micros),
    /// Those before, oldest first; of before the least anchor one, and none is older than the epoch.
    earlier: Vec<(Micros, Position)>,
}

impl Told {
    /// Before an anchor was given to it.
    fn before(&self, anchor: Micros) -> Position {
        let (position, since) = self.last;
        if position == 0 || since < anchor {
            return position;
        }
        let before = self.earlier.partition_point(|(at, _)| *at < anchor);
        let last = before
            .checked_sub(1)
            .and_then(|last| self.earlier.get(last));
        last.map_or(0, |(_, position)| *position)
    }
}

/// Of what says nothing of its clock.
const fn at_receipt(stamp: Micros) -> Interval {
    Interval {
        lo: stamp,
        est: stamp,
        hi: stamp,
    }
}
