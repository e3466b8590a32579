//! What becomes of one line: whether what is said of it goes on where it stands, or goes back. Pure.

use super::{Asked, is_below};
use crate::handheld::{
    lots::{LineRow, Moved, added, moves},
    units::folding::Moment,
};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    finding::Finding,
    ids::{EventId, Gseq},
    lots::Change as MovedBy,
};

/// What is to be done with a line.
pub(super) struct Plan {
    pub(super) line: LineRow,
    /// Movements that are new or another than before.
    pub(super) now: Vec<Moved>,
    /// Movements that are none any more.
    pub(super) gone: Vec<(Gseq, i64)>,
    /// It has to be folded from all its movements.
    pub(super) again: bool,
}

impl Plan {
    pub(super) fn of(
        line: LineRow,
        now: Vec<Moved>,
        before: &[Moved],
        moved: &BTreeSet<Gseq>,
    ) -> Plan {
        let still = |row: &Moved| now.iter().any(|now| now.key() == row.key());
        let gone: Vec<(Gseq, i64)> = before
            .iter()
            .filter(|row| !still(row))
            .map(Moved::key)
            .collect();
        let reordered = before.iter().any(|row| moved.contains(&row.gseq));
        let changed = |row: &Moved| before.contains(row);
        let now: Vec<Moved> = now.into_iter().filter(|row| !changed(row)).collect();
        let known = |row: &Moved| before.iter().any(|before| before.key() == row.key());
        let again = reordered || !gone.is_empty() || now.iter().any(known);
        Plan {
            line,
            now,
            gone,
            again,
        }
    }

    /// Drops what says nothing: complete counts that did not see goods of which there were none. A line
    /// to which nothing else happened stays as it is.
    pub(super) fn drop_unsaid(&mut self, asked: &Asked) {
        let line = &self.line.kept.line;
        let says_nothing = |row: &Moved| {
            let none = matches!(row.movement.change, MovedBy::Counted { there: 0, .. });
            let late = line.last.is_some_and(|last| row.movement.order < last);
            none && asked.is_sweep(row.gseq) && !late
        };
        if !self.again && line.balance == 0 && self.now.iter().all(says_nothing) {
            self.now.clear();
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        !self.again && self.now.is_empty()
    }
}

/// What is written of lines.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) lines: Vec<LineRow>,
    pub(super) moved: Vec<(i64, Moved)>,
    pub(super) gone: Vec<(i64, i64, i64)>,
    pub(super) opened: Vec<(i64, Finding)>,
    /// Rows of findings, by line.
    pub(super) closed: Vec<(i64, i64)>,
    pub(super) told: Vec<(i64, Finding)>,
    first: BTreeMap<i64, (Gseq, EventId)>,
}

impl Outcome {
    /// Adds to a line what is later than all it has; `false` if it is not.
    pub(super) fn append(&mut self, plan: &mut Plan) -> bool {
        let movements = plan.now.iter().map(|moved| moved.movement).collect();
        let Some(added) = added(&plan.line.kept.line, movements) else {
            return false;
        };
        let line = &mut plan.line;
        let was = line.kept.line.below.map(|below| below.judged());
        let mut open = line.kept.below.take();
        for finding in added.found {
            // What was open has ended, and says when.
            if let Some(id) = open.take_if(|_| is_below(&finding, was)) {
                self.told.push((id, finding));
            } else {
                line.findings += 1;
                self.opened.push((line.id, finding));
            }
        }
        if let Some(below) = added.below {
            if let Some(id) = open {
                line.kept.below = Some(id);
                if line.kept.line.below != added.line.below {
                    self.told.push((id, below));
                }
            } else {
                line.findings += 1;
                self.opened.push((line.id, below));
            }
        }
        line.kept.line = added.line;
        line.kept.moved |= plan.now.iter().any(|row| moves(row.movement.change));
        self.finish(plan);
        true
    }

    pub(super) fn finish(&mut self, plan: &Plan) {
        let id = plan.line.id;
        let first = plan.now.iter().min_by_key(|moved| moved.gseq);
        let first = first.map(|moved| (moved.gseq, moved.movement.order.event));
        self.first.extend(first.map(|first| (id, first)));
        self.lines.push(plan.line.clone());
        self.moved.extend(plan.now.iter().map(|moved| (id, *moved)));
        let gone = plan.gone.iter().map(|(gseq, n)| (id, *gseq, *n));
        self.gone.extend(gone);
    }

    /// What changed a line: the first event that came in for it, or the act itself.
    pub(super) fn cause(&self, line: i64, moment: Moment) -> (Gseq, Option<EventId>) {
        match self.first.get(&line) {
            Some((gseq, event)) => ((*gseq).max(moment.first), Some(*event)),
            None => (moment.last, None),
        }
    }
}
