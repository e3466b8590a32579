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
    /// By the answer to its push. A duplicate is told what was told before: what waited then may
    /// wait no longer, which the next pull tells.
    pub fn of_result(result: &EventResult) -> Fate {
        let waited = result.status == Status::Duplicate && result.code.is_some();
        match result.status {
            Status::Parked => Fate::Waiting,
            Status::Quarantined => Fate::Attention,
            Status::Stored | Status::StoredFlagged | Status::Duplicate => {
                match Fate::of_findings(&result.findings) {
                    Fate::Settled if waited => Fate::Waiting,
                    fate => fate,
                }
            }
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
