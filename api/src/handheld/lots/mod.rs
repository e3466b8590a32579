//! Lines of goods without codes of their own: a balance per product, lot and place (C11), kept up
//! to date in the acts that bring events.
//!
//! Every event's movements are rows, so that a line can always be folded again; a movement that is
//! later than all before is added to the line at constant cost, since the line is its own
//! checkpoint. What a movement is and what it does is told by `suyuan_sync::lots`; which facts an
//! act has to look at is worked out where units are folded.

pub mod store;

use serde::{Deserialize, Serialize};
use suyuan_sync::{
    finding::{Finding, LotKey},
    ids::Gseq,
    lots::{Change, Line, Movement, balance, in_order},
};
use uuid::Uuid;

/// What is kept of a line beside the columns of its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The line as of its last movement, without its findings: they have rows.
    pub line: Line,
    /// The row of the finding that its balance is below zero now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<i64>,
    /// Did anything but a count happen to it? Complete counts miss only such lines.
    pub moved: bool,
}

/// A row of `lot_line`.
#[derive(Debug, Clone)]
pub struct LineRow {
    /// Number.
    pub id: i64,
    /// Whose place it is; of an unknown place, who stated it first.
    pub enterprise: Uuid,
    /// Open findings.
    pub findings: i64,
    /// The rest.
    pub kept: Kept,
}

/// One movement with its row's key beside the line: the event's position, and which of what it says
/// of the line, or the container that carried it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Position of the event.
    pub gseq: Gseq,
    /// See `lot_move.n`.
    pub n: i64,
    /// The movement.
    pub movement: Movement,
}

/// From here on `n` is the number of the container that carried.
pub const CARRIED: i64 = 16;

/// What adding movements to a line gave.
pub struct Added {
    /// The line, without findings.
    pub line: Line,
    /// Findings that are new, or that end the interval that was open.
    pub found: Vec<Finding>,
    /// The interval below zero that is open now.
    pub below: Option<Finding>,
}

/// Adds movements to a line, if all are later than what it has. `line` has no findings.
pub fn added(line: &Line, movements: Vec<Movement>) -> Option<Added> {
    let mut line = line.clone();
    for movement in in_order(movements) {
        if !line.append(&movement) {
            return None;
        }
    }
    let found = std::mem::take(&mut line.found);
    let below = line.findings().pop();
    Some(Added { line, found, below })
}

/// Folds a line from all its movements: the line without findings, and all that are open.
pub fn again(key: LotKey, movements: Vec<Movement>) -> (Line, Vec<Finding>) {
    let mut line = balance(key, &in_order(movements));
    let findings = line.findings();
    line.found.clear();
    (line, findings)
}

/// Does a movement make a line known, so that complete counts miss it?
pub fn moves(change: Change) -> bool {
    !matches!(change, Change::Counted { .. })
}
