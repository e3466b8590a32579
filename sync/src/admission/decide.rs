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
    place::{Place, Placer, enter_fork},
};
use crate::{
    chain::Hash,
    ids::{EventId, GroupId, Seq},
    limits::{RANGES_MAX, SEQ_MAX},
    wire::Ranges,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

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
    /// Its number.
    pub seq: Seq,
    /// Its id.
    pub event: EventId,
    /// What is remarked on it besides.
    pub remark: Option<Remark>,
}

/// What a receipt tells of a device epoch: to be stamped and signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipted {
    /// Up to here nothing is waited for, on the branch in state.
    pub contiguous: Seq,
    /// What is held of the pusher's own branch. Only what stands here is covered.
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
    /// How far the branch in state reaches now.
    pub extent: Extent,
    /// Second branches that were found or grew (T3).
    pub forks: Vec<Fork>,
    /// The roots of those among them that were found by this push: both copies must enrol again.
    pub forks_found: Vec<Hash>,
    /// Events held before that, as is only known now, do not chain to what came in before them:
    /// each is remarked `CHAIN_BREAK` (T5). So the remark is the same in whatever order they came.
    pub breaks: Vec<Seq>,
    /// Events that leave parking, as their group became complete (T8).
    pub leaving: Vec<Leaving>,
    /// The groups that were joined, as they stand now.
    pub groups: BTreeMap<GroupId, GroupHeld>,
    /// What is no longer provisional (T4).
    pub settled: Option<RangeInclusive<Seq>>,
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
    /// What is to be stored, each with its text and what it was read as.
    pub fn new_events<'d>(
        &'d self,
        batch: &'d Batch,
    ) -> impl Iterator<Item = (&'d Kept, &'d ReadEvent)> {
        let pairs = self.judged.iter().zip(&batch.events);
        pairs.filter_map(|(judged, event)| match judged {
            Judged::New(kept) => Some((kept, event)),
            Judged::Duplicate(_) => None,
        })
    }
}

/// Decides on a push. The only refusal is of a frame that would leave more gaps than a receipt can
/// name; it fills nothing.
pub fn admit(held: &Held, batch: &Batch) -> Result<Decision, FrameFault> {
    let mut placer = Placer::new(held, batch);
    let mut taken = held.taken.clone();
    let mut joining = Joining::new(&held.groups);
    let mut forks: Vec<Fork> = held.forks.clone();
    let (mut touched, mut found, mut breaks) = (BTreeSet::new(), Vec::new(), Vec::new());
    let mut own = None;
    let mut judged: Vec<Judged> = Vec::with_capacity(batch.events.len());
    for event in &batch.events {
        let (branch, broken) = match placer.place(event) {
            Place::Held(kept) => {
                own = fork_of(kept.branch).or(own);
                judged.push(Judged::Duplicate(kept.clone()));
                continue;
            }
            Place::New {
                branch,
                root,
                broken,
                breaks_next,
            } => {
                if let Branch::Fork(hash) = branch {
                    enter_fork(&mut forks, hash, event.seq);
                    touched.insert(hash);
                    own = Some(hash);
                    if root {
                        found.push(hash);
                    }
                }
                if breaks_next {
                    breaks.push(event.seq.saturating_add(1));
                }
                (branch, broken)
            }
        };
        let free = event.read.id().filter(|id| taken.insert(*id));
        let mut remarks = remarks(event, held.revoked, branch, free, broken);
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
            && joined.waiting.contains(&kept.seq)
        {
            kept.outcome = kept.outcome.with(Remark::GroupIncomplete);
        }
    }
    let extent = extended(held, &judged);
    let receipt = receipt(
        &extent,
        own.and_then(|root| forks.iter().find(|f| f.root == root)),
        batch,
    );
    if too_many(&extent.held, &held.extent.held) || receipt.held.ranges().len() > RANGES_MAX {
        return Err(FrameFault::TooManyGaps { max: RANGES_MAX });
    }
    forks.retain(|fork| touched.contains(&fork.root));
    let settled = held.extent.contiguous.saturating_add(1)..=extent.contiguous;
    Ok(Decision {
        judged,
        extent,
        forks,
        forks_found: found,
        breaks,
        leaving: joined.leaving,
        groups: joined.groups,
        settled: (!settled.is_empty()).then_some(settled),
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
        (branch != Branch::First, Remark::Fork),
        (reused, Remark::IdReuse),
        (broken, Remark::ChainBreak),
    ]
    .into_iter()
    .filter_map(|(applies, remark)| applies.then_some(remark))
    .collect()
}

/// How far the first branch reaches with what is new on it.
fn extended(held: &Held, judged: &[Judged]) -> Extent {
    let new = || {
        judged.iter().filter_map(|judged| match judged {
            Judged::New(kept) if kept.branch == Branch::First => Some(kept),
            _ => None,
        })
    };
    let mut extent = held.extent.clone();
    extent.fill(new().map(|kept| kept.seq), |seq| {
        let rows = held.rows.iter().filter(|kept| kept.branch == Branch::First);
        let kept = new().chain(rows).find(|kept| kept.seq == seq);
        kept.map(|kept| kept.hash)
    });
    extent
}

/// What a receipt tells to whom pushed this: on a second branch the numbers before its root, which
/// both branches share, what is held of it, and what was just pushed.
fn receipt(extent: &Extent, fork: Option<&Fork>, batch: &Batch) -> Receipted {
    let held = match fork {
        None => extent.held.clone(),
        Some(fork) => {
            let mut own = extent
                .held
                .without(&Ranges::of(fork.seq, SEQ_MAX))
                .union(&fork.held);
            own.add(batch.first_seq, batch.last_seq());
            own
        }
    };
    Receipted {
        contiguous: extent.contiguous,
        missing: held.gaps(),
        held,
        head: extent.head,
    }
}

fn too_many(now: &Ranges, before: &Ranges) -> bool {
    now.ranges().len() > RANGES_MAX && now.ranges().len() > before.ranges().len()
}

fn fork_of(branch: Branch) -> Option<Hash> {
    match branch {
        Branch::First => None,
        Branch::Fork(root) => Some(root),
    }
}
