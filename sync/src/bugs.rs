//! Deliberate bugs, to check the checker (sync.md section 9): each must be caught by some test.
//!
//! Without the feature `bugs` (only test builds have it) [`on`] is the constant `false` and costs
//! nothing. With it a bug is on for a closure on this thread (`with`) or for the whole process
//! (`everywhere`). A build without debug assertions, as every release is, has no switch even if
//! some dependent asks for the feature. A hook stands where the mistake would be made, and nowhere
//! else.

/// The 22 bugs, by their numbers; of 14 the two halves, each a switch of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Bug {
    /// A tie in the order is broken in favour of what came in last.
    TieInOwnFavour = 1,
    /// `>` for `>=` in the pull cursor.
    CursorOffByOne = 2,
    /// A unit is read before the head is locked.
    ReadBeforeLock = 3,
    /// An event that conflicts is dropped.
    DroppedOnConflict = 4,
    /// A receipt says one too many.
    ReceiptOneTooHigh = 5,
    /// The answer goes out before the commit.
    AnswerBeforeCommit = 6,
    /// A duplicate is applied twice.
    DuplicateTwice = 7,
    /// A late retract is ignored.
    LateRetractIgnored = 8,
    /// A retract by a stranger is applied.
    StrangersRetract = 9,
    /// Findings never close.
    FindingsNeverClose = 10,
    /// A fork overwrites the branch that came first.
    ForkOverwrites = 11,
    /// A gap blocks later events.
    GapBlocks = 12,
    /// A spike in one clock shifts all that follows.
    SpikeShiftsTheRest = 13,
    /// An anchor equals the stamp it should be greater than.
    AnchorEqualsStamp = 14,
    /// A child is missed when its container moves.
    ChildMissed = 15,
    /// A cycle of containers is accepted.
    PackCycle = 16,
    /// What a device says of its recall list is all that counts.
    ListTrusted = 17,
    /// A stranger's sale changes advice.
    StrangersSale = 18,
    /// The watermark of a snapshot is one too high.
    WatermarkOneTooHigh = 19,
    /// What was parked is forgotten at a restart.
    ParkedForgotten = 20,
    /// A poisoned event fails its whole batch.
    PoisonFailsBatch = 21,
    /// The chain's hash is taken over JSON that was written anew.
    HashOverRewritten = 22,
    /// The other half of 14: of anchors the latest is kept, not the greatest.
    LatestAnchorKept,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 23] = [
        Bug::TieInOwnFavour,
        Bug::CursorOffByOne,
        Bug::ReadBeforeLock,
        Bug::DroppedOnConflict,
        Bug::ReceiptOneTooHigh,
        Bug::AnswerBeforeCommit,
        Bug::DuplicateTwice,
        Bug::LateRetractIgnored,
        Bug::StrangersRetract,
        Bug::FindingsNeverClose,
        Bug::ForkOverwrites,
        Bug::GapBlocks,
        Bug::SpikeShiftsTheRest,
        Bug::AnchorEqualsStamp,
        Bug::ChildMissed,
        Bug::PackCycle,
        Bug::ListTrusted,
        Bug::StrangersSale,
        Bug::WatermarkOneTooHigh,
        Bug::ParkedForgotten,
        Bug::PoisonFailsBatch,
        Bug::HashOverRewritten,
        Bug::LatestAnchorKept,
    ];

    /// Its number in sync.md section 9.
    pub const fn number(self) -> u8 {
        match self {
            Bug::LatestAnchorKept => Bug::AnchorEqualsStamp as u8,
            one => one as u8,
        }
    }

    /// The bug of that number, both halves where there are two; nothing if there is none.
    pub fn of_number(number: u8) -> impl Iterator<Item = Bug> {
        let all = Bug::ALL.into_iter();
        all.filter(move |bug| bug.number() == number)
    }
}

#[cfg(all(feature = "bugs", debug_assertions))]
mod switch {
    use super::Bug;
    use std::{
        cell::Cell,
        sync::atomic::{AtomicU32, Ordering},
    };

    static PROCESS: AtomicU32 = AtomicU32::new(0);

    thread_local! {
        static THREAD: Cell<u32> = const { Cell::new(0) };
    }

    const fn bit(bug: Bug) -> u32 {
        1 << bug as u8
    }

    /// Is this bug on?
    pub fn on(bug: Bug) -> bool {
        (THREAD.get() | PROCESS.load(Ordering::Relaxed)) & bit(bug) != 0
    }

    /// Runs `work` with a bug on, on this thread only.
    pub fn with<T>(bug: Bug, work: impl FnOnce() -> T) -> T {
        /// Puts back what was, also when `work` panics.
        struct Restore(u32);
        impl Drop for Restore {
            fn drop(&mut self) {
                THREAD.set(self.0);
            }
        }
        let _restore = Restore(THREAD.get());
        THREAD.set(THREAD.get() | bit(bug));
        work()
    }

    /// Switches a bug on or off for the whole process.
    pub fn everywhere(bug: Bug, on: bool) {
        if on {
            PROCESS.fetch_or(bit(bug), Ordering::Relaxed);
        } else {
            PROCESS.fetch_and(!bit(bug), Ordering::Relaxed);
        }
    }

    /// Switches a bug on for the whole process, where there is a switch; says whether there is.
    pub fn switched_on(bug: Bug) -> bool {
        everywhere(bug, true);
        true
    }
}

#[cfg(all(feature = "bugs", debug_assertions))]
pub use switch::{everywhere, on, switched_on, with};

/// Is this bug on? Never, in a build without the switch.
#[cfg(not(all(feature = "bugs", debug_assertions)))]
#[inline]
pub const fn on(_: Bug) -> bool {
    false
}

/// Switches a bug on for the whole process, where there is a switch; says whether there is. There is
/// none in this build.
#[cfg(not(all(feature = "bugs", debug_assertions)))]
pub const fn switched_on(_: Bug) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_is_found_by_its_number() {
        let of = |number: u8| Bug::of_number(number).collect::<Vec<_>>();
        for number in 1..=22 {
            assert_eq!(of(number).len(), 1 + usize::from(number == 14), "{number}");
        }
        assert_eq!(of(14), [Bug::AnchorEqualsStamp, Bug::LatestAnchorKept]);
        assert_eq!((of(0), of(23)), (vec![], vec![]));
    }

    #[test]
    fn no_bug_is_on_by_itself() {
        assert!(Bug::ALL.into_iter().all(|bug| !on(bug)));
    }

    #[cfg(all(feature = "bugs", debug_assertions))]
    #[test]
    fn a_bug_is_on_only_while_asked_for() {
        with(Bug::PackCycle, || {
            assert!(on(Bug::PackCycle));
            assert!(!on(Bug::ChildMissed));
        });
        assert!(!on(Bug::PackCycle));
    }
}
