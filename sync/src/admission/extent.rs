//! How far a device epoch is held: what its receipts tell, and the gaps in it (T4, I5).
//!
//! It only ever grows.

use crate::{
    chain::{self, Hash},
    ids::{DeviceId, Epoch, Micros, Seq},
    wire::Ranges,
};
use serde::{Deserialize, Serialize};

/// What is held of a device epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Up to here nothing is waited for: all is held, or its gap was forced.
    pub contiguous: Seq,
    /// Every number that is filled on the branch received first, the one in state.
    pub held: Ranges,
    /// Every number that is filled on a second branch (T3).
    pub aside: Ranges,
    /// The hash after the event at `contiguous`; before any, the epoch's genesis.
    pub head: Hash,
}

/// The first gap that is waited for (T4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first number missing.
    pub first: Seq,
    /// The last one.
    pub last: Seq,
    /// The last number of the events held behind it: the contiguous number once it is forced.
    pub then: Seq,
}

/// What is missing since then, or longer, was waited for long enough (T4, T8), where things are waited for
/// so many seconds ([`PARKING_HOURS`](crate::limits::PARKING_HOURS)). A gap is missing since the first of all
/// that is held behind it was received, whatever fills it meanwhile; the rest of a group since its first member.
pub const fn due(now: Micros, parking_s: i64) -> Micros {
    now.saturating_sub(parking_s.saturating_mul(1_000_000))
}

/// Of an epoch held up to `contiguous`: is something before this number still waited for? What is held
/// there is folded all the same, and shown as provisional.
pub const fn is_provisional(contiguous: Seq, seq: Seq) -> bool {
    seq > contiguous
}

impl Extent {
    /// Of an epoch from which nothing has come.
    pub fn empty(device: DeviceId, epoch: Epoch) -> Extent {
        Extent {
            contiguous: 0,
            held: Ranges::EMPTY,
            aside: Ranges::EMPTY,
            head: chain::genesis(device, epoch),
        }
    }

    /// Every number under which something is held durably, on whatever branch: what a receipt
    /// covers. All that is pushed fills its number.
    pub fn covered(&self) -> Ranges {
        self.held.union(&self.aside)
    }

    /// What lies below the greatest of these and is missing, forced gaps included.
    pub fn missing(&self) -> Ranges {
        self.covered().gaps()
    }

    /// The first gap that is waited for, if there is one.
    pub fn gap(&self) -> Option<Gap> {
        self.held
            .ranges()
            .iter()
            .find(|(start, _)| start.saturating_sub(1) > self.contiguous)
            .map(|&(start, end)| Gap {
                first: self.contiguous.saturating_add(1),
                last: start.saturating_sub(1),
                then: end,
            })
    }

    /// `gap_forced` (T4): the gap is waited for no longer. The contiguous number moves on to the
    /// end of what is held behind it, whose hash is `head`. The gap stays missing, and late fillers
    /// are still admitted. A gap that has been filled meanwhile changes nothing.
    #[must_use]
    pub fn forced(&self, gap: Gap, head: Hash) -> Extent {
        if self.gap() != Some(gap) {
            return self.clone();
        }
        Extent {
            contiguous: gap.then,
            head,
            ..self.clone()
        }
    }

    /// Adds numbers that were filled; `hash_at` tells the hash after an event of this branch. The
    /// contiguous number moves only as far as a hash is known.
    pub(super) fn fill(
        &mut self,
        filled: impl Iterator<Item = Seq>,
        hash_at: impl Fn(Seq) -> Option<Hash>,
    ) {
        for seq in filled {
            self.held.add(seq, seq);
        }
        if let Some(end) = self.held.reach(self.contiguous.saturating_add(1))
            && let Some(head) = hash_at(end)
        {
            self.contiguous = end;
            self.head = head;
        }
    }
}
