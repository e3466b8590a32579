//! What a store holds and its devices were told, as the invariants want to see it.

use crate::world::{Answer, DEVICE, Push, Store};
use suyuan_sync::{
    admission::Judged,
    ids::EnterpriseId,
    invariants::{LogHistory, Logged, Told},
    order::{Interval, Order},
};
use uuid::Uuid;

/// The log: the rows, in the order in which they came.
pub fn log(store: &Store) -> LogHistory {
    let rows = store.rows.iter().zip(1..);
    let events = rows.map(|(row, gseq)| {
        let order = row.kept.event.filter(|_| row.now.in_state());
        Logged {
            gseq,
            recv: gseq,
            enterprise: EnterpriseId(Uuid::nil()),
            device: DEVICE,
            epoch: store.epoch,
            seq: row.kept.seq,
            event: row.kept.event,
            group: None,
            prev_hash: row.kept.prev_hash,
            hash: row.kept.hash,
            body: row.text.clone().into_bytes(),
            fate: row.now.status,
            order: order.map(|event| Order {
                eff: gseq,
                device: DEVICE,
                epoch: store.epoch,
                seq: row.kept.seq,
                event,
            }),
            interval: Interval {
                lo: gseq,
                est: gseq,
                hi: gseq,
            },
        }
    });
    LogHistory {
        events: events.collect(),
    }
}

/// What the device that pushed hears.
pub fn told(push: &Push, answer: &Answer) -> Vec<Told> {
    let judged = answer.decision.judged.iter().zip(push.first..);
    judged
        .map(|(judged, seq)| Told::Result {
            epoch: 1,
            seq,
            hash: judged.kept().hash,
            status: Judged::status(judged),
            code: judged
                .kept()
                .outcome
                .decisive()
                .map(|remark| remark.name().to_owned()),
            gseq: judged.kept().gseq,
        })
        .collect()
}
