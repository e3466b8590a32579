//! That who pulls misses nothing, and never sees half of anything.

use super::{Broken, Holds};
use crate::ids::Gseq;
use std::collections::{BTreeMap, BTreeSet};

/// One page a device pulled: what changed in (`after`, `upto`], as the positions of its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The cursor it was asked with.
    pub after: Gseq,
    /// The cursor it was answered with.
    pub upto: Gseq,
    /// The items: what they are about, and the position that wrote them.
    pub items: Vec<(String, Gseq)>,
    /// The device applied it.
    pub applied: bool,
    /// More was to come: no checkpoint yet.
    pub more: bool,
}

/// I21: of all entries a device's scope has (what, position), none that is at or below its cursor
/// was left out, unless a newer one about the same thing replaced it; and nothing it had
/// acknowledged came again.
pub fn i21_cursors_neither_skip_nor_repeat(
    scope: &[(String, Gseq)],
    pages: &[Delivered],
    cursor: Gseq,
) -> Holds {
    let mut seen: BTreeMap<&str, Gseq> = BTreeMap::new();
    let mut acknowledged = 0;
    for page in pages.iter().filter(|page| page.applied) {
        acknowledged = acknowledged.max(page.after);
        for (what, at) in &page.items {
            if *at <= acknowledged {
                return Err(Broken::new(
                    "I21",
                    format!("{what} of {at} came again after {acknowledged} was acknowledged"),
                ));
            }
            let newest = seen.entry(what).or_insert(*at);
            *newest = (*newest).max(*at);
        }
    }
    for (what, at) in scope.iter().filter(|(_, at)| *at <= cursor) {
        if seen.get(what.as_str()).is_none_or(|newest| newest < at) {
            return Err(Broken::new(
                "I21",
                format!("{what} of {at} was skipped by a cursor at {cursor}"),
            ));
        }
    }
    Ok(())
}

/// I22: what a device shows is what stood at one position: no item of a checkpoint without the
/// others.
pub fn i22_whole_checkpoints_only(
    shown: &BTreeMap<String, Gseq>,
    at_cursor: &BTreeMap<String, Gseq>,
) -> Holds {
    if shown == at_cursor {
        return Ok(());
    }
    let differ: BTreeSet<&String> = shown
        .iter()
        .filter(|(what, at)| at_cursor.get(*what) != Some(at))
        .map(|(what, _)| what)
        .chain(at_cursor.keys().filter(|what| !shown.contains_key(*what)))
        .collect();
    Err(Broken::new(
        "I22",
        format!("shown and checkpoint differ in {differ:?}"),
    ))
}

/// I23: cursors and receipts a device hears never go back, and what it was receipted for is in
/// what it reads afterwards: (position of its newest receipted event, position it reads at).
pub fn i23_reads_never_go_back(reads: &[(Gseq, Gseq)]) -> Holds {
    let mut newest = 0;
    for (own, at) in reads {
        if at < own || *at < newest {
            return Err(Broken::new(
                "I23",
                format!("a read at {at} after one at {newest}, own events up to {own}"),
            ));
        }
        newest = *at;
    }
    Ok(())
}

/// I24: a snapshot and all pulls from its watermark on give what a replay of everything gives.
pub fn i24_snapshot_and_pull_equal_everything(
    by_snapshot: &BTreeMap<String, String>,
    by_replay: &BTreeMap<String, String>,
) -> Holds {
    if by_snapshot == by_replay {
        return Ok(());
    }
    let differ: Vec<&String> = by_snapshot
        .keys()
        .chain(by_replay.keys())
        .filter(|what| by_snapshot.get(*what) != by_replay.get(*what))
        .collect();
    Err(Broken::new(
        "I24",
        format!("snapshot and replay differ in {differ:?}"),
    ))
}
