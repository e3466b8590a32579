//! Which events are about which units, what retracts strike, what containers hold, what strangers claim
//! and where events stand in time, held against what the facts themselves say. Pure.
//!
//! The next fold of a unit reads just these rows: if one were missing it would be wrong, though all
//! that is kept today is right.

use super::{Difference, compare::differ, related_store::Related, store::Live};
use crate::{
    handheld::units::store::{CONTAINER, DECIDES, NAMED, STRIKES, UnitId},
    log::Position,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::{Content, Fact, World},
    fold::{self, Folded},
    ids::EventId,
    invariants::i11_corrections_stand_for_what_they_correct,
    time::{Timed, effective},
    unit::UnitKey,
};

/// Compares all of it.
pub(super) fn related(
    live: &Live,
    kept: &Related,
    (facts, world): (&[Arc<Fact>], &World),
    rebuilt: &BTreeMap<UnitKey, Folded>,
    out: &mut Vec<Difference>,
) {
    let ids: BTreeMap<&UnitKey, UnitId> = live
        .units
        .iter()
        .map(|unit| (&unit.row.key, unit.row.id))
        .collect();
    event_units(&ids, kept, (facts, world), out);
    targets(kept, facts, out);
    contents(&ids, kept, rebuilt, out);
    claims(&ids, kept, rebuilt, out);
    times(kept, out);
    corrections(facts, out);
}

/// What corrects something stands where that stood (C10).
fn corrections(facts: &[Arc<Fact>], out: &mut Vec<Difference>) {
    let facts: Vec<&Fact> = facts.iter().map(AsRef::as_ref).collect();
    if let Err(broken) = i11_corrections_stand_for_what_they_correct(&facts) {
        let rule = "beside what it corrects, or where it was stated";
        differ(out, "where corrections stand", &broken.what, &rule);
    }
}

/// Effective times are those of the whole sequence, however it came in.
fn times(kept: &Related, out: &mut Vec<Difference>) {
    for ((device, epoch), placed) in &kept.times {
        let timed: Vec<Timed> = placed.iter().map(|(timed, _)| *timed).collect();
        for ((timed, eff), again) in placed.iter().zip(effective(&timed)) {
            if *eff != again {
                let what = format!("when event {} of {device}, {epoch} happened", timed.seq);
                differ(out, what, eff, &again);
            }
        }
    }
}

/// Who names a unit, in which part, and what else decides what that is worth. Complete counts at its
/// places are looked up by place, and have no rows.
fn event_units(
    ids: &BTreeMap<&UnitKey, UnitId>,
    kept: &Related,
    (facts, world): (&[Arc<Fact>], &World),
    out: &mut Vec<Difference>,
) {
    let named = |fact: &Fact, unit: &UnitKey| {
        let parent = fact.event.parent.as_ref();
        let is = |read: &suyuan_sync::event::UnitRead| read.unit.as_ref() == Some(unit);
        match (fact.event.units.name(unit), parent.is_some_and(is)) {
            (true, _) => Some(NAMED),
            (false, true) => Some(CONTAINER),
            (false, false) => None,
        }
    };
    let plain: Vec<Fact> = facts.iter().map(|fact| without_scope(fact)).collect();
    let plain: Vec<&Fact> = plain.iter().collect();
    let mut wanted: BTreeMap<(UnitId, Position), Option<i64>> = BTreeMap::new();
    for (unit, about) in fold::about(&plain, world) {
        let Some(id) = ids.get(&unit) else { continue };
        for fact in about {
            wanted.insert((*id, fact.gseq), named(fact, &unit));
        }
    }
    for (pair, role) in &wanted {
        let row = kept.event_units.get(pair);
        // In what way else it is about the unit is whichever was found first.
        if row.is_none() || role.is_some() && row != role.as_ref() {
            let what = format!("what the event at {} is to unit {}", pair.1, pair.0);
            differ(out, what, &row, &role);
        }
    }
    // Ids are an enterprise's own. A retract may have been taken to mean somebody else's event until
    // its own came in; what it was to units then is kept, and decides nothing any more: states and
    // findings are compared with what is folded without it.
    let targets: BTreeSet<EventId> = facts.iter().filter_map(|f| f.event.target).collect();
    let was_meant: BTreeSet<Position> = facts
        .iter()
        .filter(|fact| fact.event.target.is_some() || targets.contains(&fact.event.id))
        .map(|fact| fact.gseq)
        .collect();
    for (pair, role) in &kept.event_units {
        let was_meant = [STRIKES, DECIDES].contains(role) && was_meant.contains(&pair.1);
        if !wanted.contains_key(pair) && !was_meant {
            let what = format!("what the event at {} is to unit {}", pair.1, pair.0);
            differ(out, what, role, &"nothing");
        }
    }
}

fn without_scope(fact: &Fact) -> Fact {
    let mut fact = fact.clone();
    if fact.event.body.contains_key("scope") {
        Arc::make_mut(&mut fact.event).body.remove("scope");
    }
    fact
}

fn targets(kept: &Related, facts: &[Arc<Fact>], out: &mut Vec<Difference>) {
    let retracts = facts.iter().filter(|fact| fact.event.kind == Kind::Retract);
    let wanted: BTreeSet<_> = retracts
        .filter_map(|fact| Some((fact.enterprise.0, fact.event.target?, fact.gseq)))
        .collect();
    for pair in kept.targets.symmetric_difference(&wanted) {
        let what = format!("what the retract at {} strikes", pair.2);
        differ(out, what, &kept.targets.get(pair), &wanted.get(pair));
    }
}

/// What strangers say they have shows in their stock if it has a row.
fn claims(
    ids: &BTreeMap<&UnitKey, UnitId>,
    kept: &Related,
    rebuilt: &BTreeMap<UnitKey, Folded>,
    out: &mut Vec<Difference>,
) {
    let mut wanted = BTreeMap::new();
    for (key, folded) in rebuilt {
        for (enterprise, place) in fold::claimed(&folded.state) {
            wanted.extend(ids.get(key).map(|id| ((*id, enterprise.0), place.0)));
        }
    }
    let all: BTreeSet<_> = kept.claims.keys().chain(wanted.keys()).collect();
    for of in all {
        if kept.claims.get(of) != wanted.get(of) {
            let what = format!("where {} says unit {} is", of.1, of.0);
            differ(out, what, &kept.claims.get(of), &wanted.get(of));
        }
    }
}

fn contents(
    ids: &BTreeMap<&UnitKey, UnitId>,
    kept: &Related,
    rebuilt: &BTreeMap<UnitKey, Folded>,
    out: &mut Vec<Difference>,
) {
    let mut wanted: BTreeMap<(UnitId, Content), i64> = BTreeMap::new();
    for folded in rebuilt.values() {
        let Some(batch) = folded.state.batch else {
            continue;
        };
        for stay in folded.stays.iter().filter(|stay| !stay.uninvited) {
            let Some(container) = ids.get(&stay.container) else {
                continue;
            };
            let content = Content {
                batch,
                from: stay.from,
                until: stay.until,
            };
            *wanted.entry((*container, content)).or_default() += 1;
        }
    }
    let held = kept.contents.iter();
    let held: BTreeMap<(UnitId, Content), i64> = held
        .flat_map(|(id, held)| {
            held.iter()
                .map(|(content, units)| ((*id, *content), *units))
        })
        .collect();
    let all: BTreeSet<&(UnitId, Content)> = held.keys().chain(wanted.keys()).collect();
    for of in all {
        if held.get(of) != wanted.get(of) {
            let what = format!("how much of {:?} unit {} holds", of.1, of.0);
            differ(out, what, &held.get(of), &wanted.get(of));
        }
    }
}
