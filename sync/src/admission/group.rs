//! Groups: one business act of several events, admitted whole (T8).
//!
//! A group waits until every number from 1 to its size is there. What does not fit one (a number
//! taken already, another size, or a group that is whole) is taken in at once and remarked
//! `PARTIAL_GROUP`, so that nothing waits for what cannot come. A group that waits no longer is remarked so
//! until what was missing comes in all the same. It knows numbers, not acts.

use super::{Leaving, Remark};
use crate::{
    event::Group,
    ids::{EventId, GroupId, Seq},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Members are missing.
    Waiting,
    /// It was admitted whole.
    Whole,
    /// Its members were taken in as single events (`group_released`).
    Released,
}

/// A member that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its number in the group.
    pub n: u32,
    /// Its number in the epoch.
    pub seq: Seq,
    /// Its id.
    pub event: EventId,
}

/// What is held of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupHeld {
    /// How many members it has.
    pub of: u32,
    /// How it stands.
    pub standing: Standing,
    /// The members that wait, or that were taken in without the rest; none of a whole one.
    pub members: Vec<Member>,
}

/// `group_released` (T8): what waited is taken in as single events, each remarked
/// `PARTIAL_GROUP`. Members that come later are too, at once, until one makes it whole.
pub fn group_released(group: &GroupHeld) -> (GroupHeld, Vec<Leaving>) {
    if group.standing != Standing::Waiting {
        return (group.clone(), Vec::new());
    }
    let leaving = leaving(&group.members, Some(Remark::PartialGroup));
    let released = GroupHeld {
        standing: Standing::Released,
        ..group.clone()
    };
    (released, leaving)
}

/// Those members on their way out of parking, in their order within the epoch.
fn leaving(members: &[Member], remark: Option<Remark>) -> Vec<Leaving> {
    let mut leaving: Vec<Leaving> = members
        .iter()
        .map(|member| Leaving {
            seq: member.seq,
            event: member.event,
            remark,
        })
        .collect();
    leaving.sort_unstable_by_key(|left| left.seq);
    leaving
}

/// Groups while events join them.
pub(super) struct Joining {
    groups: BTreeMap<GroupId, GroupHeld>,
    /// Who joined, and which group: by id, since a number may be held of two branches.
    joined: Vec<(GroupId, EventId)>,
    /// The same of groups that wait no longer.
    late: Vec<(GroupId, EventId)>,
}

/// What came of it.
pub(super) struct Joined {
    /// The groups that were joined, as they stand now.
    pub(super) groups: BTreeMap<GroupId, GroupHeld>,
    /// Members that had been waiting and now leave.
    pub(super) leaving: Vec<Leaving>,
    /// The ids of those that joined and have to wait.
    pub(super) waiting: BTreeSet<EventId>,
    /// The ids of those that joined a group that was released, and did not make it whole.
    pub(super) partial: BTreeSet<EventId>,
    /// Members that had been taken in without the rest, which is there now.
    pub(super) whole: Vec<EventId>,
}

impl Joined {
    /// What is to be remarked on one that joined.
    pub(super) fn remark(&self, event: EventId) -> Option<Remark> {
        if self.waiting.contains(&event) {
            Some(Remark::GroupIncomplete)
        } else {
            let partial = self.partial.contains(&event);
            partial.then_some(Remark::PartialGroup)
        }
    }
}

impl Joining {
    /// Begins with what is held.
    pub(super) fn new(held: &BTreeMap<GroupId, GroupHeld>) -> Joining {
        Joining {
            groups: held.clone(),
            joined: Vec::new(),
            late: Vec::new(),
        }
    }

    /// An event joins its group; false if it does not fit there.
    pub(super) fn join(&mut self, group: Group, seq: Seq, event: EventId) -> bool {
        let held = self.groups.entry(group.id).or_insert(GroupHeld {
            of: group.of,
            standing: Standing::Waiting,
            members: Vec::new(),
        });
        // Which members left a group is not known of those that were released before they were kept: no
        // number can be told to be missing.
        let unknown = held.standing == Standing::Released && held.members.is_empty();
        let fits = held.standing != Standing::Whole
            && !unknown
            && held.of == group.of
            && (1..=held.of).contains(&group.n)
            && held.members.iter().all(|member| member.n != group.n);
        if fits {
            held.members.push(Member {
                n: group.n,
                seq,
                event,
            });
            match held.standing {
                Standing::Released => self.late.push((group.id, event)),
                _ => self.joined.push((group.id, event)),
            }
        }
        fits
    }

    /// All have joined: which groups are whole now, and who waits?
    pub(super) fn finish(self) -> Joined {
        let Joining {
            mut groups,
            joined,
            late,
        } = self;
        let all = joined.iter().chain(&late);
        let touched: BTreeSet<GroupId> = all.map(|(id, _)| *id).collect();
        groups.retain(|id, _| touched.contains(id));
        let mut out = Joined {
            groups,
            leaving: Vec::new(),
            waiting: BTreeSet::new(),
            partial: BTreeSet::new(),
            whole: Vec::new(),
        };
        for (id, group) in &mut out.groups {
            let all = joined.iter().chain(&late);
            let now: BTreeSet<EventId> = all
                .filter(|(of, _)| of == id)
                .map(|(_, event)| *event)
                .collect();
            let was = group.standing;
            // Members have different numbers between 1 and its size, so it is enough to count.
            if group.members.len() as u64 == u64::from(group.of) {
                group.standing = Standing::Whole;
                let mut members = std::mem::take(&mut group.members);
                members.retain(|member| !now.contains(&member.event));
                if was == Standing::Released {
                    out.whole.extend(members.iter().map(|member| member.event));
                } else {
                    out.leaving.extend(leaving(&members, None));
                }
            } else if was == Standing::Released {
                out.partial.extend(now);
            } else {
                out.waiting.extend(now);
            }
        }
        out.leaving.sort_unstable_by_key(|left| left.seq);
        out
    }
}
