//! Folding that is too much for one act: what a recall, a complete count, new master data or a late
//! event on a container means for units that nobody names now; and units about which there is more to
//! read than an act may.
//!
//! Such work is a row of `refold`, written by the act that makes it necessary, or by [`job`] when it
//! comes by an entry of the log that does. It is done in slices: each is a short act of its own,
//! brings the units of one page up to date and moves the row's cursor in the same transaction, so
//! that a crash loses nothing and the work goes on where it was. Until a slice has come by, a unit's
//! row says what it said; whoever folds it to read it sees the truth at once, and a recall's public
//! consequence never waits for any of this.
//!
//! What acts left comes before all else, since nothing of it shows yet; it is read and folded beside the acts
//! that go on ([`beside`]), and under the head only written.

mod apart;
pub mod beside;
pub mod entries;
pub mod job;
pub mod pages;
pub mod pages_store;
mod record_store;
pub mod slice;
pub mod store;

use crate::log::Position;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use suyuan_sync::{
    facts::AcceptScope,
    ids::{BatchId, EnterpriseId, EventId, GroupId, LocationId, RecallId},
    unit::UnitKey,
};

/// Bytes of a container by whose name work is one with other work: names have an index, which takes no more than so
/// much.
const NAMED_MAX: usize = 200;

/// Which units, or lines of goods without codes, are folded again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Scope {
    /// Units of a batch that are judged by themselves.
    Batch {
        /// Which.
        batch: BatchId,
    },
    /// Containers that hold or held goods of a batch.
    Holding {
        /// Which.
        batch: BatchId,
    },
    /// Things in containers that fare as these do, where somebody is accepted for the one and not for the
    /// other (C14): from then on they are judged by themselves.
    Apart {
        /// For what.
        accepted: AcceptScope,
    },
    /// Units of an issuer that a recall names one by one.
    Listed {
        /// Whose.
        issuer: EnterpriseId,
        /// By which.
        recall: RecallId,
    },
    /// Units nobody had issued, since a code space was opened: by their keys they may be of it.
    Unissued,
    /// Units of an issuer that a code was allocated for, and that have no batch yet.
    Unbatched {
        /// Whose.
        issuer: EnterpriseId,
    },
    /// Units of an issuer that events put in a batch, and that are on record in one.
    Stated {
        /// Whose.
        issuer: EnterpriseId,
    },
    /// Units of an issuer whose codes were voided: nothing about them is judged anew, but their cards say
    /// so and are told again.
    Voided {
        /// Whose.
        issuer: EnterpriseId,
        /// From which position on.
        since: Position,
    },
    /// Units that should be at a place.
    Place {
        /// Which.
        place: LocationId,
    },
    /// Units that events after a position name and that were at a place.
    Since {
        /// Which place.
        place: LocationId,
        /// Up to which position.
        until: Position,
    },
    /// Units that came to a place, by events up to a position, and changed after another: the same,
    /// where the place has less to tell than the log.
    Left {
        /// Which place.
        place: LocationId,
        /// After which position they changed.
        since: Position,
        /// Up to which position they came.
        until: Position,
    },
    /// Lines of goods without codes of their own that are or were at a place, for a complete count.
    Lines {
        /// Which place.
        place: LocationId,
        /// The position of the count.
        count: Position,
        /// Up to which position all was before it: where there was nothing then and nothing came
        /// since, the count says nothing.
        since: Position,
        /// It moved in the order.
        moved: bool,
    },
    /// Goods of lots that were sold, shipped or collected: held against what is on record of their batch.
    Went {
        /// Of which; none: of all.
        batch: Option<BatchId>,
    },
    /// Events that count, for which the act that took them in had no room: nothing was noted yet of what they
    /// are about.
    Entered {
        /// Their positions, in the order in which they enter.
        events: Vec<Position>,
        /// The group whose events enter once more, once after all that came: those of a correction since what it
        /// turns on came in, those of a count in several documents since it stands elsewhere.
        #[serde(rename = "correction")]
        again: Option<GroupId>,
    },
    /// Events on which something was remarked, or is no more: judged again as events.
    Remarked {
        /// Their positions.
        events: Vec<Position>,
    },
    /// What an event names that moved in the order.
    Named {
        /// Its position.
        by: Position,
    },
    /// What was ever packed into a container.
    Children {
        /// Into which.
        container: UnitKey,
    },
    /// Units that acts left, since there was more to read about them than an act may.
    Unread {
        /// By which position the last of them was.
        until: Position,
    },
    /// Events that name something that is not on record, with what they name.
    Unknown,
    /// Events that name somebody who was not on record as acting for their enterprise.
    Actor {
        /// Whose.
        enterprise: EnterpriseId,
        /// Whom.
        number: String,
    },
    /// All events, since it was not asked before whether who acted is on record.
    Acted,
    /// Units about which somebody's word did not count.
    Stranger {
        /// Whose units.
        issuer: EnterpriseId,
        /// Whose word.
        partner: EnterpriseId,
        /// From which position on acts may have known that it counts, and went no further than to what they were
        /// about. Work that an older program left does not say.
        #[serde(default)]
        since: Position,
    },
}

impl Scope {
    /// What comes first: what acts left, since nothing of it shows yet; recalls, then what a container
    /// holds, then counts and all else.
    pub const fn rank(&self) -> i64 {
        match self {
            Scope::Unread { .. } | Scope::Entered { .. } => -1,
            Scope::Batch { .. }
            | Scope::Holding { .. }
            | Scope::Listed { .. }
            | Scope::Went { .. } => 0,
            Scope::Children { .. } | Scope::Named { .. } | Scope::Remarked { .. } => 1,
            Scope::Unbatched { .. }
            | Scope::Stated { .. }
            | Scope::Voided { .. }
            | Scope::Place { .. }
            | Scope::Since { .. }
            | Scope::Left { .. }
            | Scope::Lines { .. }
            | Scope::Unknown
            | Scope::Unissued
            | Scope::Actor { .. }
            | Scope::Acted
            | Scope::Apart { .. }
            | Scope::Stranger { .. } => 2,
        }
    }

    /// Under which name it is one with others that have not begun; none if it stands for itself.
    pub fn merges(&self) -> String {
        match self {
            Scope::Place { place } => format!("place:{place}"),
            Scope::Children { container } if container.as_str().len() <= NAMED_MAX => {
                format!("children:{container}")
            }
            Scope::Voided { issuer, .. } => format!("voided:{issuer}"),
            Scope::Left { place, .. } => format!("left:{place}"),
            Scope::Lines { count, .. } => format!("lines:{count}"),
            Scope::Entered {
                again: Some(group), ..
            } => format!("entered:{group}"),
            Scope::Stranger {
                issuer, partner, ..
            } => format!("stranger:{issuer}:{partner}"),
            Scope::Unread { .. } => "unread".into(),
            Scope::Unissued => "unissued".into(),
            Scope::Batch { .. }
            | Scope::Holding { .. }
            | Scope::Listed { .. }
            | Scope::Unbatched { .. }
            | Scope::Stated { .. }
            | Scope::Since { .. }
            | Scope::Went { .. }
            | Scope::Children { .. }
            | Scope::Entered { .. }
            | Scope::Remarked { .. }
            | Scope::Named { .. }
            | Scope::Unknown
            | Scope::Actor { .. }
            | Scope::Acted
            | Scope::Apart { .. } => String::new(),
        }
    }

    /// Is it about what was on no record when it was named, and is by now?
    pub const fn is_what_came_on_record(&self) -> bool {
        matches!(
            self,
            Scope::Unknown | Scope::Unissued | Scope::Actor { .. } | Scope::Acted
        )
    }

    /// Both in one, of two that merge.
    #[must_use]
    pub fn widened(&self, other: &Scope) -> Scope {
        match (self, other) {
            (
                Scope::Left {
                    place,
                    since,
                    until,
                },
                Scope::Left {
                    since: from,
                    until: to,
                    ..
                },
            ) => Scope::Left {
                place: *place,
                since: *since.min(from),
                until: *until.max(to),
            },
            (
                Scope::Lines {
                    place,
                    count,
                    since,
                    moved,
                },
                Scope::Lines {
                    since: from,
                    moved: too,
                    ..
                },
            ) => Scope::Lines {
                place: *place,
                count: *count,
                since: *since.min(from),
                moved: *moved || *too,
            },
            (Scope::Voided { issuer, since }, Scope::Voided { since: from, .. }) => Scope::Voided {
                issuer: *issuer,
                since: *since.min(from),
            },
            (
                Scope::Stranger {
                    issuer,
                    partner,
                    since,
                },
                Scope::Stranger { since: from, .. },
            ) => Scope::Stranger {
                issuer: *issuer,
                partner: *partner,
                since: *since.min(from),
            },
            (Scope::Entered { events, again }, Scope::Entered { events: more, .. }) => {
                let all: BTreeSet<&Position> = events.iter().chain(more).collect();
                Scope::Entered {
                    events: all.into_iter().copied().collect(),
                    again: *again,
                }
            }
            (Scope::Unread { until }, Scope::Unread { until: to }) => Scope::Unread {
                until: *until.max(to),
            },
            (one, _) => one.clone(),
        }
    }
}

/// A row of `refold`.
#[derive(Debug, Clone)]
pub struct Work {
    /// Its number.
    pub id: i64,
    /// Which units.
    pub scope: Scope,
    /// How far it got.
    pub cursor: i64,
    /// The event that made it necessary, if it was one.
    pub cause: Option<EventId>,
    /// The position that did.
    pub gseq: Position,
}

impl Work {
    /// Of units that acts left up to a position, by the act that began at another.
    pub const fn unread(id: i64, gseq: Position, until: Position) -> Work {
        Work {
            id,
            scope: Scope::Unread { until },
            cursor: 0,
            cause: None,
            gseq,
        }
    }
}
