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
use suyuan_sync::{
    admission::Decision,
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
        let told = self.told(block.tx(), push, known).await?;
        for (at, kept, event) in decision.new_events(&push.batch) {
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
            let delivered = told.before(anchor.unwrap_or(known.chain.enrolled_at));
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

    /// What the device had been told and had acknowledged, as far back as the anchors in its push go:
    /// one look, however many they are.
    async fn told(
        &self,
        conn: &impl ConnectionTrait,
        push: &Incoming,
        known: &Known,
    ) -> Result<Told, PushError> {
        let (device, epoch) = (push.batch.device.0, push.batch.epoch);
        let last = known.chain.delivered;
        let mut told = Told {
            last,
            earlier: Vec::new(),
        };
        let anchors = push.batch.events.iter().filter_map(|event| {
            let reading = self.clock(device, epoch, event.read.event().map(AsRef::as_ref))?;
            reading.anchor
        });
        let (mut least, mut greatest) = (Micros::MAX, Micros::MIN);
        for anchor in anchors.filter(|anchor| last.0 > 0 && *anchor <= last.1) {
            (least, greatest) = (least.min(anchor), greatest.max(anchor));
        }
        if least <= greatest {
            told.earlier = store::acknowledged(conn, device, epoch, (least, greatest)).await?;
        }
        Ok(told)
    }
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
