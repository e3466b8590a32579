//! What is held against the tables after each blow and at the end, and the numbers that are printed.

use std::collections::{BTreeSet, HashSet};
use suyuan_sync::{
    chain::Hash,
    invariants::{
        DeviceHistory, Holds, LogHistory, Told, i1_nothing_is_lost, i2_nothing_is_invented,
        i3_exactly_once, i4_a_retry_is_answered_alike, i5_receipts_tell_the_truth,
        i6_groups_stand_whole, i7_nothing_is_rewritten, i11_the_order_is_total,
        i26_every_outbox_drains, i30_every_flipped_bit_is_found, i31_forks_are_found,
        i31_forks_are_told,
    },
    wire::Status,
};
use suyuan_tests::{Pda, history::Tables};

/// Watches the log grow.
#[derive(Default)]
pub struct Verdict {
    seen: LogHistory,
    /// Up to which answer of each device its receipts were judged.
    judged: Vec<usize>,
}

/// What was found at the end. All of it is for whoever reads the output.
#[derive(Debug, Default)]
#[allow(dead_code)]
pub struct Numbers {
    /// Events in the log.
    pub events: usize,
    /// Groups of several events there.
    pub groups: usize,
    /// Results devices were told.
    pub results: usize,
    /// Receipts they were told.
    pub receipts: usize,
    /// Events that devices were told a result of and that are not in the log.
    pub lost: usize,
    /// Pushes sent.
    pub pushes: u64,
    /// Pushes that found nobody.
    pub unreached: u64,
    /// Pushes that were cut off before their answer came.
    pub unanswered: u64,
    /// Events that came again after they were stored.
    pub again: u64,
}

impl Verdict {
    /// Judges what stands there now. Cheap however long the log is: what was read before is read
    /// again at the end.
    pub async fn hold(&mut self, tables: &Tables, pdas: &[Pda]) {
        // What waits for the rest of its group may have changed since.
        let waits = self.seen.events.iter().position(|event| !event.counts());
        self.seen
            .events
            .truncate(waits.unwrap_or(self.seen.events.len()));
        let from = self.seen.events.last().map_or(0, |event| event.gseq);
        self.seen.events.extend(tables.log_after(from).await.events);
        self.judged.resize(pdas.len(), 0);
        let mut devices = Vec::new();
        for (pda, judged) in pdas.iter().zip(&mut self.judged) {
            devices.push(pda.history_from(judged.saturating_sub(8)));
            *judged = pda.told();
        }
        holds(standing(&self.seen, &devices));
        holds(i5_receipts_tell_the_truth(&self.seen, &devices));
    }

    /// Judges all of it, once everything is drained.
    pub async fn end(self, tables: &Tables, pdas: &[Pda]) -> Numbers {
        let log = tables.log().await;
        let devices: Vec<DeviceHistory> = pdas.iter().map(Pda::history).collect();
        let numbers = count(&log, &devices, pdas);
        assert_eq!(numbers.lost, 0, "{numbers:?}");
        holds(standing(&log, &devices));
        holds(i4_a_retry_is_answered_alike(&devices));
        holds(i7_nothing_is_rewritten(&self.seen, &log));
        holds(i11_the_order_is_total(&log));
        holds(i26_every_outbox_drains(&devices));
        let parked = log.events.iter().filter(|event| !event.counts());
        assert_eq!(parked.count(), 0, "all of it is whole, so all of it counts");
        let stated: usize = devices
            .iter()
            .flat_map(|device| &device.made)
            .filter(|made| made.whereabouts == suyuan_sync::invariants::Whereabouts::Dropped)
            .count();
        assert_eq!(stated, log.events.len(), "each event is there once");
        numbers
    }
}

/// What holds of a log and devices at any time.
pub fn standing(log: &LogHistory, devices: &[DeviceHistory]) -> Holds {
    i1_nothing_is_lost(log, devices)?;
    i2_nothing_is_invented(log, devices)?;
    i3_exactly_once(log)?;
    i6_groups_stand_whole(log, &BTreeSet::new())?;
    i30_every_flipped_bit_is_found(log)?;
    i31_forks_are_found(log)?;
    i31_forks_are_told(devices)
}

/// How often devices were refused, by status.
pub fn refusals(pdas: &[Pda]) -> Vec<(u16, u64)> {
    let all = pdas.iter().flat_map(|pda| &pda.tally.refused);
    all.map(|(status, times)| (*status, *times)).collect()
}

/// Only ever told to come again.
pub fn only_told_to_wait(pdas: &[Pda]) {
    let refused = refusals(pdas);
    assert!(
        refused.iter().all(|(status, _)| *status == 503),
        "{refused:?}"
    );
}

/// Fails with what is broken.
pub fn holds(it: Holds) {
    if let Err(broken) = it {
        panic!("{broken}");
    }
}

fn count(log: &LogHistory, devices: &[DeviceHistory], pdas: &[Pda]) -> Numbers {
    let held: HashSet<Hash> = log.events.iter().map(|event| event.hash).collect();
    let groups: HashSet<_> = log.events.iter().filter_map(|event| event.group).collect();
    let mut numbers = Numbers {
        events: log.events.len(),
        groups: groups.len(),
        ..Numbers::default()
    };
    for told in devices.iter().flat_map(|device| &device.told) {
        match told {
            Told::Receipt(_) => numbers.receipts += 1,
            Told::Result { hash, status, .. } => {
                numbers.results += 1;
                numbers.lost += usize::from(!held.contains(hash));
                numbers.again += u64::from(*status == Status::Duplicate);
            }
        }
    }
    for pda in pdas {
        numbers.pushes += pda.tally.pushes;
        numbers.unreached += pda.tally.unreached;
        numbers.unanswered += pda.tally.unanswered;
    }
    numbers
}
