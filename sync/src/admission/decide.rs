//! The decision on a push: the fate of each event by the rules in their precedence, and what
//! follows from it for the device epoch.
//!
//! Pure and cheap: hashes were computed and texts parsed by `read`. An event's fate depends on its
//! own text, what is held, and where it stands in the chain; never on what is wrong with its
//! neighbours (I18).

use super::{
    Batch, Branch, Extent, Fork, FrameFault, GroupHeld, Held, Kept, Outcome, Read, ReadEvent,
    Remark, Status,
    group::Joining,
    place::{Place, Placer},
};
use crate::{
    bugs::{self, Bug},
    chain::Hash,
    ids::{EventId, GroupId, Seq},
    limits::RANGES_MAX,
    wire::Ranges,
};
use std::collections::BTreeMap;

/// What became of one event of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It is held already, with the same bytes; nothing is to be stored (T1).
    Duplicate(Kept),
    /// It is to be stored.
    New(Kept),
}

/// A parked event that leaves parking and enters the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Its number, on whichever branch.
    pub seq: Seq,
    /// Its id: what it is found by.
    pub event: EventId,
    /// What is remarked on it besides.
    pub remark: Option<Remark>,
}

/// What a receipt tells of a device epoch: to be stamped and signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipted {
    /// Up to here nothing is waited for, on the branch in state.
    pub contiguous: Seq,
    /// Every number under which something is held, on whatever branch. Only what stands here is
    /// covered; and a device relies on it only for events of the push that was answered, since a
    /// number may be held from another copy of it.
    pub held: Ranges,
    /// What is missing below the greatest of these.
    pub missing: Ranges,
    /// The hash after the event at `contiguous`, on the branch in state. A device that has another
    /// there is a second copy.
    pub head: Hash,
}

/// What was decided on a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What became of each event, in the places of the batch.
    pub judged: Vec<Judged>,
    /// How far the epoch is held now.
    pub extent: Extent,
    /// Second branches found by this push: both copies must enrol again (T3).
    pub forks: Vec<Fork>,
    /// Events held before that, as is only known now, do not chain to what came in before them:
    /// each is remarked `CHAIN_BREAK` (T5). So the remark is the same in whatever order they came.
    pub breaks: Vec<Seq>,
    /// Events that leave parking, as their group became complete (T8).
    pub leaving: Vec<Leaving>,
    /// Events that were taken in without the rest of their group, which is there now: they are remarked
    /// `PARTIAL_GROUP` no longer.
    pub whole: Vec<EventId>,
    /// The groups that were joined, as they stand now.
    pub groups: BTreeMap<GroupId, GroupHeld>,
    /// The receipt's contents.
    pub receipt: Receipted,
}

impl Judged {
    /// The event as it is kept.
    pub fn kept(&self) -> &Kept {
        match self {
            Judged::Duplicate(kept) | Judged::New(kept) => kept,
        }
    }

    /// The status to answer.
    pub fn status(&self) -> Status {
        match self {
            Judged::Duplicate(_) => Status::Duplicate,
            Judged::New(kept) => kept.outcome.status,
        }
    }
}

impl Decision {
    /// What is to be stored: its place in the push, what is kept of it, its text and what it was read
    /// as.
    pub fn new_events<'d>(
        &'d self,
        batch: &'d Batch,
    ) -> impl Iterator<Item = (usize, &'d Kept, &'d ReadEvent)> {
        let pairs = self.judged.iter().zip(&batch.events).enumerate();
        pairs.filter_map(|(at, (judged, event))| match judged {
            Judged::New(kept) => Some((at, kept, event)),
            Judged::Duplicate(_) => None,
        })
    }
}

/// Decides on a push. The only refusal is of a frame that would leave more gaps than a receipt can
/// name; it fills nothing.
pub fn admit(held: &Held, batch: &Batch) -> Result<Decision, FrameFault> {
    let poisoned = |event: &ReadEvent| matches!(event.read, Read::Unreadable(_));
    if bugs::on(Bug::PoisonFailsBatch) && batch.events.iter().any(poisoned) {
        return Err(FrameFault::BadSeq);
    }
    let behind_gap = batch.first_seq > held.extent.contiguous.saturating_add(1);
    let mut placer = Placer::new(held, batch);
    let mut taken = held.taken.clone();
    let mut joining = Joining::new(&held.groups);
    let (mut forks, mut breaks) = (Vec::new(), Vec::new());
    let mut judged: Vec<Judged> = Vec::with_capacity(batch.events.len());
    for event in &batch.events {
        let (branch, broken) = match placer.place(event) {
            Place::Held(kept) => {
                judged.push(Judged::Duplicate(kept.clone()));
                continue;
            }
            Place::New {
                branch,
                root,
                broken,
                breaks_next,
            } => {
                if root {
                    forks.push(Fork {
                        root: event.hash,
                        seq: event.seq,
                    });
                }
                if breaks_next {
                    breaks.push(event.seq.saturating_add(1));
                }
                (branch, broken)
            }
        };
        let free = event.read.id().filter(|id| taken.insert(*id));
        let mut remarks = remarks(event, held.revoked, branch, free, broken);
        if bugs::on(Bug::GapBlocks) && behind_gap {
            remarks.push(Remark::GroupIncomplete);
        }
        let enters = !remarks.iter().any(|remark| remark.keeps_out());
        if let (true, Some(group), Some(id)) = (enters, event.read.group(), free)
            && !joining.join(group, event.seq, id)
        {
            remarks.push(Remark::PartialGroup);
        }
        judged.push(Judged::New(Kept {
            seq: event.seq,
            prev_hash: event.prev_hash,
            hash: event.hash,
            branch,
            event: free,
            gseq: None,
            outcome: Outcome::of(remarks),
        }));
    }
    let joined = joining.finish();
    for entry in &mut judged {
        if let Judged::New(kept) = entry
            && let Some(remark) = kept.event.and_then(|id| joined.remark(id))
        {
            kept.outcome = kept.outcome.with(remark);
        }
    }
    let extent = extended(held, &judged);
    let receipt = receipt(&extent);
    let before = held.extent.covered();
    let more = receipt.held.ranges().len() > before.ranges().len();
    if more && receipt.held.ranges().len() > RANGES_MAX {
        return Err(FrameFault::TooManyGaps { max: RANGES_MAX });
    }
    Ok(Decision {
        judged,
        extent,
        forks,
        breaks,
        leaving: joined.leaving,
        whole: joined.whole,
        groups: joined.groups,
        receipt,
    })
}

/// What is to be remarked on a new event, its group apart.
fn remarks(
    event: &ReadEvent,
    revoked: bool,
    branch: Branch,
    free: Option<EventId>,
    broken: bool,
) -> Vec<Remark> {
    let reused = event.read.id().is_some() && free.is_none();
    [
        (
            matches!(event.read, Read::Unreadable(_)),
            Remark::Unreadable,
        ),
        (
            matches!(event.read, Read::Elsewhere(_)),
            Remark::SeqMismatch,
        ),
        (revoked, Remark::Revoked),
        (matches!(event.read, Read::Later(_)), Remark::Later),
        (
            matches!(event.read, Read::Unfoldable(_)),
            Remark::Unfoldable,
        ),
        (branch != Branch::First, Remark::Fork),
        (reused, Remark::IdReuse),
        (broken, Remark::ChainBreak),
    ]
    .into_iter()
    .filter_map(|(applies, remark)| applies.then_some(remark))
    .collect()
}

/// How far the epoch is held with what is new.
fn extended(held: &Held, judged: &[Judged]) -> Extent {
    let new = |first: bool| {
        judged.iter().filter_map(move |judged| match judged {
            Judged::New(kept) if (kept.branch == Branch::First) == first => Some(kept),
            _ => None,
        })
    };
    let mut extent = held.extent.clone();
    for kept in new(false) {
        extent.aside.add(kept.seq, kept.seq);
    }
    extent.fill(new(true).map(|kept| kept.seq), |seq| {
        let rows = held.rows.iter();
        let rows = rows.filter(|kept| kept.branch == Branch::First);
        let kept = new(true).chain(rows).find(|kept| kept.seq == seq);
        kept.map(|kept| kept.hash)
    });
    extent
}

/// What a receipt tells of this.
fn receipt(extent: &Extent) -> Receipted {
    let mut held = extent.covered();
    if bugs::on(Bug::ReceiptOneTooHigh) {
        let next = held.greatest().unwrap_or(0).saturating_add(1);
        held.add(next, next);
    }
    Receipted {
        contiguous: extent.contiguous,
        missing: held.gaps(),
        held,
        head: extent.head,
    }
}
