//! Folding that is too much for one act: what a recall, a complete count, new master data or a late
//! event on a container means for units that nobody names now.
//!
//! Such work is a row of `refold`, written by the act that makes it necessary, or by [`job`] when it
//! comes by an entry of the log that does. It is done in slices: each is a short act of its own,
//! brings the units of one page up to date and moves the row's cursor in the same transaction, so
//! that a crash loses nothing and the work goes on where it was. Until a slice has come by, a unit's
//! row says what it said; whoever folds it to read it sees the truth at once, and a recall's public
//! consequence never waits for any of this.

pub mod entries;
pub mod job;
pub mod pages;
pub mod slice;
pub mod store;

use crate::log::Position;
use serde::{Deserialize, Serialize};
use suyuan_sync::{
    ids::{BatchId, EnterpriseId, EventId, LocationId, RecallId},
    unit::UnitKey,
};

/// Which units are folded again.
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
    /// Units of an issuer that a recall names one by one.
    Listed {
        /// Whose.
        issuer: EnterpriseId,
        /// By which.
        recall: RecallId,
    },
    /// Units of an issuer that a code was allocated for, and that have no batch yet.
    Unbatched {
        /// Whose.
        issuer: EnterpriseId,
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
    /// What was ever packed into a container.
    Children {
        /// Into which.
        container: UnitKey,
    },
    /// Events that name something that is not on record, with what they name.
    Unknown,
    /// Units about which somebody's word did not count.
    Stranger {
        /// Whose units.
        issuer: EnterpriseId,
        /// Whose word.
        partner: EnterpriseId,
    },
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
