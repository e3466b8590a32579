//! What a receipted event is to the person at the device: done, waiting, or in need of attention.

use super::RowState;
use crate::{
    finding::Severity,
    ids::Micros,
    wire::{EventResult, FindingNote, Status},
};
use serde::{Deserialize, Serialize};

/// What became of an event on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Nothing is wrong with it.
    Settled,
    /// It waits there for something that will come: it is told later.
    Waiting,
    /// Somebody has to look at it.
    Attention,
}

impl Fate {
    /// By the answer to its push. A duplicate is told what was told before, but for its status, and has
    /// the same fate: what is kept apart comes with what is found of it, what merely waits with a code
    /// alone. What waited then may wait no longer, which the next pull tells.
    pub fn of_result(result: &EventResult) -> Fate {
        let found = Fate::of_findings(&result.findings);
        match result.status {
            Status::Quarantined => Fate::Attention,
            Status::Parked => found.max(Fate::Waiting),
            Status::Duplicate if result.code.is_some() => found.max(Fate::Waiting),
            Status::Duplicate | Status::Stored | Status::StoredFlagged => found,
        }
    }

    /// By its findings, as a pull tells them: those open that are more than information.
    pub fn of_findings(findings: &[FindingNote]) -> Fate {
        let open = |note: &&FindingNote| !note.closed && note.severity > Severity::Information;
        match findings.iter().find(open) {
            Some(_) => Fate::Attention,
            None => Fate::Settled,
        }
    }

    /// The state of an event with this fate, receipted at `stamp`.
    pub const fn state(self, stamp: Micros) -> RowState {
        match self {
            Fate::Settled => RowState::Settled(stamp),
            Fate::Waiting => RowState::Receipted(stamp),
            Fate::Attention => RowState::NeedsAttention(stamp),
        }
    }
}
