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
    ids::{Gseq, Micros},
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
    /// No goods were there before this instant of the order. If it moved, the complete counts from
    /// then on are among its movements; those before it missed nothing. Lines kept before this was
    /// said have them all.
    #[serde(default = "always")]
    pub first: Micros,
}

const fn always() -> Micros {
    Micros::MIN
}

impl Kept {
    /// A line to which nothing happened.
    pub fn new(key: LotKey) -> Kept {
        Kept {
            line: Line::new(key),
            below: None,
            moved: false,
            first: Micros::MAX,
        }
    }

    /// Notes what more happened to it.
    pub fn note(&mut self, now: &[Moved]) {
        self.moved |= now.iter().any(|row| moves(row.movement.change));
        self.first = self.first.min(filled_from(now));
    }
}

/// From when on goods are there by these movements; never, if by none.
pub fn filled_from(moved: &[Moved]) -> Micros {
    let fills = moved.iter().filter(|row| row.movement.change.fills());
    let first = fills.map(|row| row.movement.order.eff).min();
    first.unwrap_or(Micros::MAX)
}

/// Between which instants a line is missed by complete counts that are not among its movements, once
/// this is said of it: from its first goods on if it only moves now, else up to where they were before.
pub fn unswept(line: Option<&Kept>, now: &[Moved]) -> Option<(Micros, Micros)> {
    let first = line.map_or(Micros::MAX, |line| line.first);
    let from = first.min(filled_from(now));
    if line.is_some_and(|line| line.moved) {
        return (from < first).then_some((from, first));
    }
    let moves = now.iter().any(|row| moves(row.movement.change));
    (moves && from < Micros::MAX).then_some((from, Micros::MAX))
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

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::{
        finding::FindingCode,
        ids::{DeviceId, EventId, LocationId},
        order::Order,
    };
    use uuid::Uuid;

    fn at(eff: Micros, change: Change) -> Moved {
        let order = Order {
            eff,
            device: DeviceId::SERVER,
            epoch: 1,
            seq: 1,
            event: EventId(Uuid::nil()),
        };
        Moved {
            gseq: 1,
            n: 0,
            movement: Movement { order, change },
        }
    }

    fn counted(there: u64, accepted: bool) -> Change {
        Change::Counted { there, accepted }
    }

    #[test]
    fn c11_counts_matter_from_the_first_goods_on() {
        let key = LotKey {
            gtin: "06901234567892".into(),
            lot: None,
            location: LocationId(Uuid::nil()),
        };
        let came = Change::In { qty: 2 };
        let mut line = Kept::new(key);
        // New: from what came, or was there when it was counted, whatever saw none before.
        let now = [at(5, counted(0, true)), at(10, came), at(20, came)];
        assert_eq!(unswept(None, &now), Some((10, Micros::MAX)));
        let now = [at(3, counted(4, true)), at(10, came)];
        assert_eq!(unswept(None, &now), Some((3, Micros::MAX)));
        // Counts alone are missed by none, nor is what is only found.
        assert_eq!(unswept(None, &now[..1]), None);
        let code = FindingCode::UnexpectedHolder;
        let found = Change::Found { code, other: None };
        assert_eq!(unswept(None, &[at(5, found)]), None);
        // Counted before, and moved now.
        line.note(&now[..1]);
        assert_eq!((line.moved, line.first), (false, 3));
        assert_eq!(unswept(Some(&line), &now[1..]), Some((3, Micros::MAX)));
        line.note(&now[1..]);
        // What is later is in reach of those that came in since; what is late, up to where they are.
        assert_eq!(unswept(Some(&line), &[at(4, came)]), None);
        assert_eq!(unswept(Some(&line), &[at(1, came)]), Some((1, 3)));
        let kept = serde_json::to_string(&line)
            .unwrap()
            .replace(",\"first\":3", "");
        let old: Kept = serde_json::from_str(&kept).unwrap();
        assert_eq!(unswept(Some(&old), &[at(1, came)]), None);
    }
}
