//! Lines of goods without codes of their own: a balance per product, lot and place (C11), kept up
//! to date in the acts that bring events.
//!
//! Every event's movements are rows, so that a line can always be folded again; a movement that is
//! later than all before is added to the line at constant cost, since the line is its own
//! checkpoint. Further checkpoints stand along the line: a late movement goes back to the one before
//! it, not to the beginning. How a line stood before each change is kept as well, so that its balance is
//! told as it was known (`known_store`). What a movement is and what it does is told by
//! `suyuan_sync::lots`; which facts an act has to look at is worked out where units are folded.

pub mod checkpoint_store;
pub mod known_store;
pub mod store;

use serde::{Deserialize, Serialize};
use suyuan_sync::{
    finding::{Finding, LotKey},
    ids::Gseq,
    lots::{Line, Movement, in_order},
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
    /// Did anything but counts and packs happen to it? Complete counts miss only such lines.
    pub moved: bool,
    /// Movements since the last checkpoint, or somewhat more.
    #[serde(default)]
    pub since: usize,
    /// Does anything stand in it that counts, or that its place's own enterprise said? Nothing where its
    /// movements have to be asked, as of what was kept before this was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<bool>,
}

/// So many movements from checkpoint to checkpoint.
pub const CHECKPOINT_EVERY: usize = 32;

/// A line as of a movement, without its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The line.
    pub line: Line,
    /// Had anything but counts and packs happened to it?
    pub moved: bool,
}

impl Checkpoint {
    /// Where every line begins.
    pub fn start(key: LotKey) -> Checkpoint {
        Checkpoint {
            line: Line::new(key),
            moved: false,
        }
    }

    /// Is this movement behind it?
    pub fn is_before(&self, movement: &Movement) -> bool {
        self.line.last.is_none_or(|last| last < movement.order)
    }
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

/// What folding a line again gave.
pub struct Again {
    /// The line as of its last movement, without findings.
    pub end: Checkpoint,
    /// All that is open and judges what came after the start, and the interval that was open there.
    pub findings: Vec<Finding>,
    /// Checkpoints on the way.
    pub checkpoints: Vec<Checkpoint>,
    /// Movements since the last of them.
    pub since: usize,
}

/// Folds a line on from where it stands, by all its movements behind that.
pub fn again(start: Checkpoint, movements: Vec<Movement>) -> Again {
    let mut end = start;
    let (mut found, mut checkpoints, mut since) = (Vec::new(), Vec::new(), 0);
    for movement in in_order(movements) {
        // What is wrong with a movement stands at its place.
        if since >= CHECKPOINT_EVERY && end.is_before(&movement) {
            checkpoints.push(end.clone());
            since = 0;
        }
        let _ = end.line.append(&movement); // of two at one place the first counts
        found.append(&mut end.line.found);
        end.moved |= movement.change.makes_known();
        since += 1;
    }
    end.line.found = found;
    let findings = end.line.findings();
    end.line.found.clear();
    Again {
        end,
        findings,
        checkpoints,
        since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::{
        ids::{DeviceId, EventId, LocationId},
        lots::{Change, Moves},
        order::Order,
    };

    /// Something of everything, at an instant.
    fn movement(at: i64) -> Movement {
        let event = EventId(Uuid::from_u128(at as u128));
        let device = DeviceId(Uuid::nil());
        let change = match at * 7 % 11 {
            0..=2 => Change::In { qty: 3 },
            3 => Change::Carried(Moves {
                by: at % 5 - 2,
                inside: at % 3 - 1,
                ..Moves::default()
            }),
            4 => Change::Collected { qty: 2 },
            5 => Change::Away { qty: 3 },
            6 if at % 2 == 0 => Change::Released { qty: 1 },
            6..=7 => Change::Out {
                qty: (at % 8) as u64,
            },
            8 => Change::Counted {
                there: 2,
                accepted: at % 3 == 0,
            },
            9 => Change::Counted {
                there: 0,
                accepted: at % 13 == 0,
            },
            _ => Change::Found {
                code: suyuan_sync::finding::FindingCode::UnexpectedHolder,
            },
        };
        let order = Order {
            eff: at,
            device,
            epoch: 1,
            seq: 1,
            event,
        };
        Movement { order, change }
    }

    #[test]
    fn from_every_checkpoint_a_line_comes_to_where_all_its_movements_bring_it() {
        let key = LotKey {
            gtin: "09521234000013".into(),
            lot: None,
            location: LocationId(Uuid::nil()),
        };
        let all: Vec<Movement> = (1..=20 * CHECKPOINT_EVERY as i64).map(movement).collect();
        let whole = again(Checkpoint::start(key), all.clone());
        assert_eq!(whole.checkpoints.len(), 19);
        assert!(whole.checkpoints.iter().any(|c| c.line.below.is_some()));
        assert!(whole.checkpoints.iter().any(|c| c.line.inside != 0));
        assert!(whole.checkpoints.iter().any(|c| c.line.collected != 0));
        for (n, from) in whole.checkpoints.iter().enumerate() {
            let behind = all.iter().filter(|movement| from.is_before(movement));
            let part = again(from.clone(), behind.copied().collect());
            assert_eq!(part.end, whole.end);
            assert_eq!(part.checkpoints, whole.checkpoints[n + 1..]);
            assert_eq!(part.since, whole.since);
            let below = from.line.below.map(|below| below.judged());
            let is_behind = |finding: &&Finding| {
                let at = finding.event.0.as_u128() as i64;
                from.line.last.is_none_or(|last| last.eff < at)
                    || Some(finding.judged()) == below
                        && finding.code == suyuan_sync::finding::FindingCode::NegBalance
            };
            let wanted: Vec<Finding> = whole.findings.iter().filter(is_behind).cloned().collect();
            assert_eq!(part.findings, wanted, "from checkpoint {n}");
        }
    }
}
