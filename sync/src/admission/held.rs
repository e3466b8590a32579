//! What must be known of a device epoch to decide on one push: a plain value that a store can
//! fetch set-wise, and the names of what it has to fetch.
//!
//! It holds what was asked for and no more; what is absent is not held.

use super::{Batch, Branch, Extent, GroupHeld, Outcome, ReadEvent};
use crate::{
    chain::{self, Hash},
    ids::{DeviceId, Epoch, EventId, GroupId, Gseq, Seq},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

/// An event as it is kept: its place in the chain and what was decided of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The number it fills.
    pub seq: Seq,
    /// The hash before it. It is kept, since after a break in the chain it cannot be told from the
    /// event before.
    pub prev_hash: Hash,
    /// The hash after it.
    pub hash: Hash,
    /// On which branch of its epoch.
    pub branch: Branch,
    /// The id it claims; `None` for what is unreadable, out of place, or has another's id.
    pub event: Option<EventId>,
    /// The position in the log it was given.
    pub gseq: Option<Gseq>,
    /// What was decided first: the original result, given again to whoever asks again.
    pub outcome: Outcome,
}

/// A second branch of a device epoch (T3). Its root is the first event that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The hash after the root: the name of the branch.
    pub root: Hash,
    /// The root's number.
    pub seq: Seq,
}

/// What is held of a device epoch, as far as one push is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// How far the epoch is held.
    pub extent: Extent,
    /// The key the push is signed with was revoked (T6).
    pub revoked: bool,
    /// The events that [`Lookup`] names by number, on every branch.
    pub rows: Vec<Kept>,
    /// The ids among those [`Lookup`] names that some event of the enterprise claims already. (An
    /// event with the same bytes stands at the same place, so it is among `rows`.)
    pub taken: BTreeSet<EventId>,
    /// Of the groups [`Lookup`] names those of which something is held.
    pub groups: BTreeMap<GroupId, GroupHeld>,
}

/// What to fetch for a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Events of this device epoch by number: the push, the one before it and the one after.
    pub seqs: RangeInclusive<Seq>,
    /// One more: where the numbers held from the push on end, as its hash becomes the head.
    pub end: Option<Seq>,
    /// Ids within the enterprise.
    pub ids: Vec<EventId>,
    /// Groups of this device epoch.
    pub groups: Vec<GroupId>,
}

impl Held {
    /// Of an epoch from which nothing has come.
    pub fn nothing(device: DeviceId, epoch: Epoch) -> Held {
        Held {
            extent: Extent::empty(device, epoch),
            revoked: false,
            rows: Vec::new(),
            taken: BTreeSet::new(),
            groups: BTreeMap::new(),
        }
    }
}

impl Kept {
    /// Is this text the very one that is kept here? The chain's hash covers its bytes, whatever
    /// the push says stands before them.
    pub(super) fn is(&self, event: &ReadEvent) -> bool {
        self.hash == event.hash
            || (self.prev_hash != event.prev_hash
                && chain::next(self.prev_hash, event.text.as_bytes()) == self.hash)
    }
}

impl Lookup {
    /// What is needed to decide on this push, when the branch in state reaches so far.
    pub fn of(batch: &Batch, extent: &Extent) -> Lookup {
        let last = batch.last_seq();
        let after = last.saturating_add(1);
        let reads = || batch.events.iter().map(|event| &event.read);
        let mut ids: Vec<EventId> = reads().filter_map(super::Read::id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut groups: Vec<GroupId> = reads()
            .filter_map(|read| read.group().map(|group| group.id))
            .collect();
        groups.sort_unstable();
        groups.dedup();
        Lookup {
            seqs: batch.first_seq.saturating_sub(1).max(1)..=after,
            end: extent.held.reach(after).filter(|end| *end > after),
            ids,
            groups,
        }
    }
}
