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
    admission::{Decision, Judged},
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
}

/// Of what says nothing of its clock.
const fn at_receipt(stamp: Micros) -> Interval {
    Interval {
        lo: stamp,
        est: stamp,
        hi: stamp,
    }
}
