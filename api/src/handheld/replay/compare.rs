//! What is kept against what the log gives, difference by difference. Pure.

use super::{
    Difference,
    store::{Columns, Live, LiveUnit},
};
use crate::{
    handheld::units::{Kept, KeptStay, held, phase_name, place_of},
    projection::units::{PublicUnit, UnitStatus},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};
use suyuan_sync::{
    facts::World,
    finding::{Finding, LotKey},
    fold::{self, Folded},
    ids::BatchId,
    lots::Line,
    unit::UnitKey,
};

/// Adds a difference.
pub fn differ(
    out: &mut Vec<Difference>,
    what: impl Into<String>,
    kept: &impl Debug,
    rebuilt: &impl Debug,
) {
    out.push(Difference {
        what: what.into(),
        kept: format!("{kept:?}"),
        rebuilt: format!("{rebuilt:?}"),
    });
}

/// What is only on one side.
fn unlike(
    out: &mut Vec<Difference>,
    what: impl Into<String>,
    kept: &[Finding],
    rebuilt: &[Finding],
) {
    let (live, again): (BTreeSet<_>, BTreeSet<_>) =
        (kept.iter().collect(), rebuilt.iter().collect());
    if live != again || kept.len() != rebuilt.len() {
        let only_kept: Vec<_> = live.difference(&again).collect();
        let only_rebuilt: Vec<_> = again.difference(&live).collect();
        differ(out, what, &only_kept, &only_rebuilt);
    }
}

/// A unit as its row has it.
pub struct Row<'k> {
    /// Which.
    pub key: &'k UnitKey,
    /// State, stays and open findings.
    pub kept: &'k Kept,
    /// In what it is; `Some(None)` if that is nothing anybody knows.
    pub inside: Option<Option<&'k UnitKey>>,
    /// It is judged by itself there.
    pub exceptional: bool,
}

impl Row<'_> {
    /// Does it share what becomes of what it is in (C13)? Then of its row only what it is in counts.
    const fn shares(&self) -> bool {
        self.inside.is_some() && !self.exceptional
    }
}

/// A unit against what folding gives of it, and of what it is in.
pub fn unit(row: &Row<'_>, again: &Folded, container: Option<&Folded>, out: &mut Vec<Difference>) {
    let key = row.key;
    if row.inside != again.state.inside.as_ref().map(Some) {
        let what = format!("what unit {key} is in");
        differ(out, what, &row.inside, &again.state.inside);
    }
    if row.shares() {
        let fares = |folded: &Folded| {
            let state = &folded.state;
            (state.phase, state.place, state.holder, state.disposition)
        };
        if container.map(fares) != Some(fares(again)) {
            let what = format!("unit {key}, which is not judged by itself");
            differ(out, what, &container.map(fares), &fares(again));
        }
    } else if row.kept.state != again.state {
        differ(out, format!("unit {key}"), &row.kept.state, &again.state);
    }
    let stays: Vec<KeptStay> = again.stays.iter().map(KeptStay::from).collect();
    if row.kept.stays != stays {
        differ(out, format!("stays of {key}"), &row.kept.stays, &stays);
    }
    let what = format!("findings of unit {key}");
    unlike(out, what, &row.kept.open(), &again.findings);
}

/// The batches in a container against what its contents give.
pub fn holds(
    key: &UnitKey,
    kept: &BTreeSet<BatchId>,
    again: &BTreeSet<BatchId>,
    out: &mut Vec<Difference>,
) {
    if kept != again {
        differ(out, format!("batches in {key}"), kept, again);
    }
}

/// Units: their states, stays and open findings, and what they hold.
pub(super) fn units(live: &Live, rebuilt: &BTreeMap<UnitKey, Folded>, out: &mut Vec<Difference>) {
    let contents = fold::contents(rebuilt);
    let keys: BTreeMap<i64, &UnitKey> = live
        .units
        .iter()
        .map(|unit| (unit.row.id, &unit.row.key))
        .collect();
    for live in &live.units {
        let row = &live.row;
        let Some(again) = rebuilt.get(&row.key) else {
            differ(
                out,
                format!("unit {}", row.key),
                &row.kept.state,
                &"nothing",
            );
            continue;
        };
        let container = again.state.inside.as_ref().and_then(|key| rebuilt.get(key));
        let row = Row {
            key: &row.key,
            kept: &row.kept,
            inside: row.inside.map(|id| keys.get(&id).copied()),
            exceptional: row.exceptional,
        };
        unit(&row, again, container, out);
        let inside = held(contents.get(row.key), again.state.batch);
        holds(row.key, &row.kept.holds, &inside, out);
        if !row.shares() {
            columns(live, again, out);
        }
    }
    let known: BTreeSet<&UnitKey> = live.units.iter().map(|unit| &unit.row.key).collect();
    for (key, again) in rebuilt.iter().filter(|(key, _)| !known.contains(key)) {
        differ(out, format!("unit {key}"), &"nothing", &again.state);
    }
}

/// The columns of a unit are its state's.
fn columns(unit: &LiveUnit, again: &Folded, out: &mut Vec<Difference>) {
    let state = &again.state;
    let wanted = Columns {
        issuer: state.issuer.map(|id| id.0),
        batch: state.batch.map(|id| id.0),
        phase: phase_name(state.phase).to_owned(),
        place: place_of(state.place).map(|id| id.0),
        holder: state.holder.map(|id| id.0),
        findings: again.findings.len() as i64,
    };
    if unit.columns != wanted {
        let what = format!("columns of unit {}", unit.row.key);
        differ(out, what, &unit.columns, &wanted);
    }
}

/// What the public side is told of units is what became of them, of things in containers too.
pub(super) fn shown(
    mut shown: BTreeMap<PublicUnit, UnitStatus>,
    (names, world): (&BTreeMap<UnitKey, PublicUnit>, &World),
    rebuilt: &BTreeMap<UnitKey, Folded>,
    out: &mut Vec<Difference>,
) {
    let contents = fold::contents(rebuilt);
    for (key, again) in rebuilt {
        let ours = world.units.get(key).filter(|info| info.issuer.is_some());
        let batch = ours.map(|info| info.commissioned.map(|record| record.batch));
        let holds = held(contents.get(key), again.state.batch);
        let wanted = UnitStatus::of(&again.state, batch, &holds);
        let told = names.get(key).and_then(|name| shown.remove(name));
        let told = told.unwrap_or_default();
        if told != wanted {
            differ(out, format!("what is told of {key}"), &told, &wanted);
        }
    }
    for (unit, told) in shown {
        differ(out, format!("what is told of {unit:?}"), &told, &"nothing");
    }
}

/// The findings that units say they have are the rows that are open, and no others.
pub(super) fn of_units(live: &Live, out: &mut Vec<Difference>) {
    let mut claimed = BTreeSet::new();
    for unit in &live.units {
        for kept in &unit.row.kept.findings {
            claimed.insert(kept.id);
            let open = live.findings.get(&kept.id);
            let open = open.filter(|open| open.unit == Some(unit.row.id));
            if open.map(|open| &open.finding) != Some(&kept.finding) {
                let what = format!("finding {} of unit {}", kept.id, unit.row.key);
                differ(out, what, &open.map(|open| &open.finding), &kept.finding);
            }
        }
    }
    for (id, open) in &live.findings {
        if open.unit.is_some() && !claimed.contains(id) {
            differ(out, format!("finding {id}"), &open.finding, &"nothing");
        }
    }
}

/// Findings about events themselves, those that stand aside too.
pub(super) fn of_events(live: &Live, rebuilt: &[Finding], out: &mut Vec<Difference>) {
    let kept: Vec<Finding> = live
        .findings
        .values()
        .filter(|open| open.unit.is_none() && open.line.is_none())
        .map(|open| open.finding.clone())
        .collect();
    unlike(out, "findings of events", &kept, rebuilt);
    for (position, codes) in &live.aside {
        let kept = live.of_aside.get(position).cloned().unwrap_or_default();
        if kept != *codes {
            let what = format!("findings of the event at {position}, which stands aside");
            differ(out, what, &kept, codes);
        }
    }
}

/// Lines of goods: balance, what lies apart, and open findings, of the line and of goods having gone.
pub(super) fn lines(
    live: &Live,
    (rebuilt, of_gone): (&BTreeMap<LotKey, Line>, &BTreeMap<LotKey, Vec<Finding>>),
    out: &mut Vec<Difference>,
) {
    let found = |line: &Line| {
        let mut found = line.findings();
        found.extend(of_gone.get(&line.key).into_iter().flatten().cloned());
        found
    };
    let mut missing: BTreeMap<(String, String, uuid::Uuid), &Line> = rebuilt
        .iter()
        .map(|(key, line)| {
            let lot = key.lot.clone().unwrap_or_default();
            ((key.gtin.clone(), lot, key.location.0), line)
        })
        .collect();
    for row in &live.lines {
        let key = (row.gtin.clone(), row.lot.clone(), row.location);
        let name = format!("line {} {} at {}", row.gtin, row.lot, row.location);
        let (there, findings) = missing.remove(&key).map_or(((0, 0), Vec::new()), |line| {
            ((line.balance, line.collected), found(line))
        });
        if (row.balance, row.apart) != there {
            differ(out, name.clone(), &(row.balance, row.apart), &there);
        }
        let kept: Vec<Finding> = live
            .findings
            .values()
            .filter(|open| open.line == Some(row.id))
            .map(|open| open.finding.clone())
            .collect();
        unlike(out, format!("findings of {name}"), &kept, &findings);
    }
    for ((gtin, lot, place), line) in missing {
        if line.balance != 0 || line.collected != 0 || !found(line).is_empty() {
            let what = format!("line {gtin} {lot} at {place}");
            differ(out, what, &"nothing", &line.balance);
        }
    }
}
