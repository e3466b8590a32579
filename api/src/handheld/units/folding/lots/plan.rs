//! What becomes of one line: whether what is said of it goes on where it stands, or goes back. Pure.

use super::{Asked, is_below};
use crate::handheld::{
    lots::{CHECKPOINT_EVERY, Checkpoint, LineRow, Moved, added},
    units::folding::Moment,
};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    finding::Finding,
    ids::{EventId, Gseq, Micros},
    lots::{Line, takes_away, unsaid},
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
    /// From when on in the order something changes.
    pub(super) from: Micros,
    /// Events that move it, or moved it, otherwise than before; of those goods went away by some.
    touched: BTreeMap<Gseq, bool>,
    /// Events by which its balance is another than before, as far as it was worked out, and where they stand.
    pub(super) restated: BTreeMap<Gseq, Micros>,
    /// So many findings were open of it.
    found: i64,
}

/// An event that a line was moved by, or is no more.
pub(super) struct Touched {
    /// The line as it was, but for its movements.
    pub(super) line: LineRow,
    /// The event.
    pub(super) gseq: Gseq,
    /// Goods went away by it, as far as was worked out.
    pub(super) went: bool,
    /// Something may be open about it.
    pub(super) found: bool,
}

impl Plan {
    pub(super) fn of(
        line: LineRow,
        now: Vec<Moved>,
        before: &[Moved],
        moved: &BTreeMap<Gseq, Micros>,
    ) -> Plan {
        let still = |row: &Moved| now.iter().any(|now| now.key() == row.key());
        let gone: Vec<(Gseq, i64)> = before
            .iter()
            .filter(|row| !still(row))
            .map(Moved::key)
            .collect();
        let went = |gseq: Gseq| {
            let mut rows = now.iter().filter(|row| row.gseq == gseq);
            rows.any(|row| takes_away(row.movement.change))
        };
        let changed = now.iter().filter(|row| !before.contains(row));
        let reordered = before.iter().filter(|row| moved.contains_key(&row.gseq));
        let touched = changed.chain(reordered).map(|row| row.gseq);
        let touched = touched.chain(gone.iter().map(|(gseq, _)| *gseq));
        let touched = touched.map(|gseq| (gseq, went(gseq))).collect();
        let other = |these: &[Moved], those: &[Moved]| -> Vec<Moved> {
            let other = these.iter().filter(|row| !those.contains(row));
            other.copied().collect()
        };
        let restated = other(&now, before).into_iter().chain(other(before, &now));
        let restated = restated.filter(|row| row.movement.change.may_change_balance());
        let restated = restated.map(|row| (row.gseq, row.movement.order.eff));
        let restated = restated.collect();
        let reordered = before.iter().any(|row| moved.contains_key(&row.gseq));
        let changed = |row: &Moved| before.contains(row);
        let now: Vec<Moved> = now.into_iter().filter(|row| !changed(row)).collect();
        let known = |row: &Moved| before.iter().any(|before| before.key() == row.key());
        let went = |row: &&Moved| gone.contains(&row.key()) || moved.contains_key(&row.gseq);
        let from = before.iter().filter(went).chain(&now).map(|row| {
            let eff = row.movement.order.eff;
            moved.get(&row.gseq).map_or(eff, |moved| eff.min(*moved))
        });
        let from = from.min().unwrap_or(Micros::MAX);
        let again = reordered || !gone.is_empty() || now.iter().any(known);
        Plan {
            found: line.findings,
            line,
            now,
            gone,
            again,
            from,
            touched,
            restated,
        }
    }

    /// The events it was touched by.
    pub(super) fn touched(&self) -> impl Iterator<Item = Touched> {
        self.touched.iter().map(|(gseq, went)| Touched {
            line: self.line.clone(),
            gseq: *gseq,
            went: *went,
            found: self.found > 0,
        })
    }

    /// Drops complete counts that say nothing where they stand. What is late is folded again, and they with it.
    pub(super) fn drop_unsaid(&mut self, asked: &Asked) {
        let line = &self.line.kept.line;
        let is_late = |row: &Moved| line.last.is_some_and(|last| row.movement.order <= last);
        if !self.again && !self.now.iter().any(is_late) {
            let unsaid = unsaid_of(line, &self.now);
            let gone = |row: &Moved| unsaid.contains(&row.key()) && asked.is_sweep(row.gseq);
            self.now.retain(|row| !gone(row));
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        !self.again && self.now.is_empty()
    }
}

/// Counts that say nothing where they stand, on from a line. The complete ones among them are not kept: whoever
/// changes the line before them looks for those, and for no others.
pub(super) fn unsaid_of(from: &Line, rows: &[Moved]) -> BTreeSet<(Gseq, i64)> {
    let counts = |row: &&Moved| row.movement.change.saw_none();
    if !rows.iter().any(|row| counts(&row)) {
        return BTreeSet::new();
    }
    let unsaid = unsaid(from, rows.iter().map(|row| row.movement).collect());
    let counts = rows.iter().filter(counts);
    let counts = counts.filter(|row| unsaid.contains(&row.movement.order));
    counts.map(Moved::key).collect()
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
    /// Checkpoints, each with the least position of what is behind it.
    pub(super) checkpoints: Vec<(i64, Checkpoint, Gseq)>,
    /// Lines to which events came that were in before, and the least position of these.
    pub(super) old: Option<(BTreeSet<i64>, Gseq)>,
    /// Lines of which something is another than it was, or none any more.
    pub(super) again: BTreeSet<i64>,
    /// Which lines were named before this, of those with other movements now.
    pub(super) was_named: BTreeMap<i64, bool>,
    first: BTreeMap<i64, (Gseq, EventId)>,
}

impl Outcome {
    /// Adds to a line what is later than all it has; `false` if it is not.
    pub(super) fn append(&mut self, plan: &mut Plan, moment: Moment) -> bool {
        let last = plan.line.kept.line.last;
        let is_late = |row: &Moved| last.is_some_and(|last| row.movement.order <= last);
        if plan.now.iter().any(is_late) {
            return false;
        }
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
        line.kept.moved |= plan.now.iter().any(|row| row.movement.change.makes_known());
        line.kept.since += plan.now.len();
        if line.kept.since >= CHECKPOINT_EVERY {
            line.kept.since = 0;
            let checkpoint = Checkpoint {
                line: line.kept.line.clone(),
                moved: line.kept.moved,
            };
            self.checkpoints
                .push((line.id, checkpoint, moment.last + 1));
        }
        self.finish(plan, moment);
        true
    }

    pub(super) fn finish(&mut self, plan: &Plan, moment: Moment) {
        let id = plan.line.id;
        let positions = plan.now.iter().map(|moved| moved.gseq);
        if let Some(old) = positions.filter(|gseq| *gseq < moment.first).min() {
            let (lines, least) = self.old.get_or_insert((BTreeSet::new(), old));
            lines.insert(id);
            *least = old.min(*least);
        }
        if plan.again {
            self.again.insert(id);
        }
        let first = plan.now.iter().min_by_key(|moved| moved.gseq);
        let first = first.map(|moved| (moved.gseq, moved.movement.order.event));
        self.first.extend(first.map(|first| (id, first)));
        self.lines.push(plan.line.clone());
        self.moved.extend(plan.now.iter().map(|moved| (id, *moved)));
        let gone = plan.gone.iter().map(|(gseq, n)| (id, *gseq, *n));
        self.gone.extend(gone);
    }

    /// The row of a line as it is going to be written.
    pub(super) fn line(&mut self, line: LineRow) -> &mut LineRow {
        let at = self.lines.iter().position(|row| row.id == line.id);
        let at = at.unwrap_or_else(|| {
            self.lines.push(line);
            self.lines.len() - 1
        });
        &mut self.lines[at]
    }

    /// What changed a line: the first event that came in for it, or the act itself.
    pub(super) fn cause(&self, line: i64, moment: Moment) -> (Gseq, Option<EventId>) {
        match self.first.get(&line) {
            Some((gseq, event)) => ((*gseq).max(moment.first), Some(*event)),
            None => (moment.last, None),
        }
    }
}
