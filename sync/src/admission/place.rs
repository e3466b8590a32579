//! Where the texts of a push stand in the chains of their device epoch: held already (T1), on the
//! branch that was received first or on a second one (T3), and whether the chain holds (T5).
//!
//! It knows hashes and numbers only, not what is wrong with a text otherwise.

use super::{Batch, Held, Kept, ReadEvent};
use crate::{
    bugs::{self, Bug},
    chain::{self, Hash},
    ids::Seq,
};
use serde::{Deserialize, Serialize};

/// On which branch of its device epoch an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "of", content = "root", rename_all = "snake_case")]
pub enum Branch {
    /// The one received first, which is the one in state.
    First,
    /// A second one, named by the hash after its root (T3).
    Fork(Hash),
}

impl Branch {
    /// What names a second branch.
    pub const fn root(self) -> Option<Hash> {
        match self {
            Branch::First => None,
            Branch::Fork(root) => Some(root),
        }
    }
}

/// Where one text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place<'h> {
    /// It is held, at this place, with the same bytes.
    Held(&'h Kept),
    /// It is new.
    New {
        /// On this branch.
        branch: Branch,
        /// It is the root of that branch.
        root: bool,
        /// The event before it is held and another than it says (T5).
        broken: bool,
        /// The event after it is held and chains to another than this (T5).
        breaks_next: bool,
    },
}

/// Finds the places of a push's texts, one after the other.
pub(super) struct Placer<'h> {
    rows: Rows<'h>,
    genesis: Hash,
    /// The branch and hash of the text before, as far as it stands in a chain that is known.
    before: Before,
}

/// What is held, by number.
struct Rows<'h>(Vec<&'h Kept>);

/// What stands before a text.
#[derive(Clone, Copy)]
enum Before {
    /// Nothing is known of it.
    Unknown,
    /// It is on the first branch, and the hash after it there is this.
    First(Hash),
    /// It is on this fork.
    Fork(Hash),
}

impl<'h> Placer<'h> {
    /// Begins with what is held before the push.
    pub(super) fn new(held: &'h Held, batch: &Batch) -> Placer<'h> {
        let genesis = chain::genesis(batch.device, batch.epoch);
        let rows = Rows::of(held);
        let before = rows.before(genesis, batch.first_seq, batch.prev_hash);
        Placer {
            rows,
            genesis,
            before,
        }
    }

    /// The place of the next text.
    pub(super) fn place(&mut self, event: &ReadEvent) -> Place<'h> {
        let rows = &self.rows;
        // The same bytes at the same place are the same delivery, on whatever branch they are
        // held and whatever the push says stands before them.
        if let Some(kept) = rows.at(event.seq).find(|kept| kept.is(event)) {
            self.before = rows.before(self.genesis, event.seq.saturating_add(1), event.hash);
            return Place::Held(kept);
        }
        let branch = match self.before {
            // Whatever descends from a fork is on it. So is another copy of a number it holds.
            Before::Fork(root) => Branch::Fork(root),
            _ if rows.first_at(event.seq).is_some() && !bugs::on(Bug::ForkOverwrites) => {
                Branch::Fork(event.hash)
            }
            _ => Branch::First,
        };
        let first = branch == Branch::First;
        let place = Place::New {
            branch,
            root: branch == Branch::Fork(event.hash),
            broken: first && matches!(self.before, Before::First(hash) if hash != event.prev_hash),
            breaks_next: first
                && rows
                    .first_at(event.seq.saturating_add(1))
                    .is_some_and(|next| next.prev_hash != event.hash),
        };
        self.before = match branch {
            Branch::First => Before::First(event.hash),
            Branch::Fork(root) => Before::Fork(root),
        };
        place
    }
}

impl<'h> Rows<'h> {
    fn of(held: &'h Held) -> Rows<'h> {
        let mut rows: Vec<&Kept> = held.rows.iter().collect();
        rows.sort_by_key(|kept| kept.seq);
        Rows(rows)
    }

    /// All events at this number.
    fn at(&self, seq: Seq) -> impl Iterator<Item = &'h Kept> + use<'_, 'h> {
        let from = self.0.partition_point(|kept| kept.seq < seq);
        let rest = self.0.iter().skip(from).copied();
        rest.take_while(move |kept| kept.seq == seq)
    }

    /// The one that was held first.
    fn first_at(&self, seq: Seq) -> Option<&'h Kept> {
        self.at(seq).find(|kept| kept.branch == Branch::First)
    }

    /// What stands before the text that fills `seq` and says that `prev` is the hash before it.
    fn before(&self, genesis: Hash, seq: Seq, prev: Hash) -> Before {
        let Some(last) = seq.checked_sub(1).filter(|last| *last > 0) else {
            return Before::First(genesis);
        };
        let fork = self.at(last).find_map(|kept| match kept.branch {
            Branch::Fork(root) if kept.hash == prev => Some(root),
            _ => None,
        });
        match (fork, self.first_at(last)) {
            (_, Some(first)) if first.hash == prev => Before::First(prev),
            (Some(root), _) => Before::Fork(root),
            (None, Some(first)) => Before::First(first.hash),
            (None, None) => Before::Unknown,
        }
    }
}
