//! Many units at once: which facts are about which unit, which unit is folded before which, and
//! what containers hold. A refold of a whole log, the simulator and the checker go this way; the
//! service reads the same facts set by set from its store.

use super::{
    Folded, Levels, contents, folded,
    struck::{Meaning, deciding, strikes},
};
use crate::{
    event::Kind,
    facts::{Fact, World},
    ids::{EnterpriseId, EventId, GroupId, LocationId},
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// The facts about each unit, as [`super::fold`] wants them: those that name it, the complete counts
/// at places where it may have been, the retracts of these and the targets of retracts among these
/// (and what else a correction turns on).
pub fn about<'a>(facts: &[&'a Fact], world: &World) -> BTreeMap<UnitKey, Vec<&'a Fact>> {
    let mut sorted = facts.to_vec();
    sorted.sort_by_key(|fact| fact.order);
    sorted.dedup_by_key(|fact| fact.order);

    let mut of_unit: BTreeMap<UnitKey, BTreeSet<usize>> = BTreeMap::new();
    let mut by_id: BTreeMap<EventId, Vec<usize>> = BTreeMap::new();
    let mut corrections: BTreeMap<(EnterpriseId, GroupId), Vec<usize>> = BTreeMap::new();
    let mut counts_at: BTreeMap<LocationId, Vec<usize>> = BTreeMap::new();
    for (place, fact) in sorted.iter().enumerate() {
        for unit in named(fact) {
            of_unit.entry(unit.clone()).or_default().insert(place);
        }
        by_id.entry(fact.event.id).or_default().push(place);
        if let Some(group) = fact.event.group.filter(|group| group.correct) {
            corrections
                .entry((fact.enterprise, group.id))
                .or_default()
                .push(place);
        }
        if fact.event.kind == Kind::Count && fact.event.body.contains_key("scope") {
            counts_at
                .entry(fact.event.location)
                .or_default()
                .push(place);
        }
    }

    let places = places(&sorted, &of_unit);
    let fact_at = |place: usize| sorted.get(place).copied();
    // What each fact with a target means by it: an id is an enterprise's own, so its own event first,
    // then anybody's, which it may not strike.
    let means = |fact: &Fact| {
        let named = by_id.get(&fact.event.target?)?;
        let own = |place: &&usize| {
            let target = fact_at(**place);
            target.is_some_and(|target| target.enterprise == fact.enterprise)
        };
        named.iter().find(own).or(named.first()).copied()
    };
    let mut retracts_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, fact) in sorted.iter().enumerate() {
        // What strikes nothing is nothing to what its target names.
        let target = means(fact).filter(|target| {
            let target = fact_at(*target);
            target.is_some_and(|target| strikes(fact, target, world))
        });
        if let Some(target) = target {
            retracts_of.entry(target).or_default().push(place);
        }
    }
    let meaning = |place: &usize| {
        let retract = fact_at(*place).filter(|fact| fact.event.kind == Kind::Retract)?;
        Some(Meaning {
            retract,
            target: fact_at(means(retract)?)?,
            several: by_id.get(&retract.event.target?)?.len() > 1,
        })
    };
    let place_of = |fact: &Fact| sorted.partition_point(|other| other.order < fact.order);
    let deciding_of: BTreeMap<(EnterpriseId, GroupId), Vec<usize>> = corrections
        .into_iter()
        .map(|(group, members)| {
            let retracts = members.iter().filter_map(meaning).collect();
            let both = deciding(retracts, world);
            let both = both.iter().flat_map(|of| [of.retract, of.target]);
            (group, both.map(place_of).collect())
        })
        .collect();
    for (unit, own) in &mut of_unit {
        // A count that is struck misses nothing, so what strikes it belongs here too.
        for place in places.get(unit).into_iter().flatten() {
            own.extend(counts_at.get(place).into_iter().flatten());
        }
        let mut more = BTreeSet::new();
        for (place, fact) in own
            .iter()
            .filter_map(|place| Some((place, fact_at(*place)?)))
        {
            more.extend(retracts_of.get(place).into_iter().flatten());
            more.extend(means(fact));
            let group = fact
                .event
                .group
                .filter(|_| fact.event.kind != Kind::Retract);
            let group = group.and_then(|group| deciding_of.get(&(fact.enterprise, group.id)));
            more.extend(group.into_iter().flatten());
        }
        own.extend(more);
        // A retract among these that comes without what it means must not seem to mean another's
        // event of that id.
        loop {
            let mistaken = |place: &usize| {
                let fact = fact_at(*place)?;
                let meant = means(fact).filter(|meant| !own.contains(meant))?;
                let named = by_id.get(&fact.event.target?)?;
                named
                    .iter()
                    .any(|other| own.contains(other))
                    .then_some(meant)
            };
            let meant: Vec<usize> = own.iter().filter_map(mistaken).collect();
            if meant.is_empty() {
                break;
            }
            own.extend(meant);
        }
    }
    of_unit
        .into_iter()
        .map(|(unit, places)| (unit, places.into_iter().filter_map(fact_at).collect()))
        .collect()
}

/// Folds all units that these facts name, containers before what they hold, and then again where
/// what they hold is judged by batch.
pub fn forest(facts: &[&Fact], world: &World) -> BTreeMap<UnitKey, Folded> {
    let about = about(facts, world);
    let levels = Levels::of(facts, world);
    let order = from_the_top(&about, &levels);
    let none = BTreeMap::new();
    let facts_of = |unit: &UnitKey| about.get(unit).map_or(&[][..], Vec::as_slice);

    let mut first = BTreeMap::new();
    for unit in &order {
        let folded = folded(
            unit,
            facts_of(unit),
            &first,
            world,
            &none,
            Some(&levels),
            true,
        );
        first.insert(unit.clone(), folded);
    }
    let contents = contents(&first);
    if contents.is_empty() {
        return first;
    }
    // Again, where contents are judged, and below what changed by it.
    let mut changed: BTreeSet<&UnitKey> = BTreeSet::new();
    let mut second = BTreeMap::new();
    for unit in &order {
        let Some(before) = first.remove(unit) else {
            continue;
        };
        let again = contents.contains_key(unit)
            || parents_of(unit, facts_of(unit)).any(|parent| changed.contains(parent));
        if !again {
            second.insert(unit.clone(), before);
            continue;
        }
        let after = folded(
            unit,
            facts_of(unit),
            &second,
            world,
            &contents,
            Some(&levels),
            true,
        );
        if after != before {
            changed.insert(unit);
        }
        second.insert(unit.clone(), after);
    }
    second
}

/// The containers these facts pack a unit into.
fn parents_of<'a>(unit: &'a UnitKey, facts: &'a [&Fact]) -> impl Iterator<Item = &'a UnitKey> {
    facts
        .iter()
        .filter(|fact| fact.event.kind == Kind::Pack)
        .filter(move |fact| fact.event.units.name(unit))
        .filter_map(|fact| fact.event.parent.as_ref()?.unit.as_ref())
        .filter(move |parent| *parent != unit)
}

/// Containers before what may ever be in them: from the highest level down.
fn from_the_top(about: &BTreeMap<UnitKey, Vec<&Fact>>, levels: &Levels) -> Vec<UnitKey> {
    let mut units: Vec<&UnitKey> = about.keys().collect();
    units.sort_by_key(|unit| std::cmp::Reverse(levels.get(unit)));
    units.into_iter().cloned().collect()
}

/// Where each unit may have been: where its own facts and those of its containers happened.
fn places<'a>(
    facts: &[&'a Fact],
    of_unit: &BTreeMap<UnitKey, BTreeSet<usize>>,
) -> BTreeMap<UnitKey, BTreeSet<LocationId>> {
    let mut places: BTreeMap<UnitKey, BTreeSet<LocationId>> = BTreeMap::new();
    let mut parents: BTreeMap<&UnitKey, BTreeSet<&'a UnitKey>> = BTreeMap::new();
    for (unit, own) in of_unit {
        let own: Vec<&Fact> = own
            .iter()
            .filter_map(|place| facts.get(*place).copied())
            .collect();
        let here = places.entry(unit.clone()).or_default();
        here.extend(own.iter().map(|fact| fact.event.location));
        for fact in own.iter().filter(|fact| fact.event.kind == Kind::Pack) {
            if let Some(parent) = fact
                .event
                .parent
                .as_ref()
                .and_then(|read| read.unit.as_ref())
            {
                parents.entry(unit).or_default().insert(parent);
            }
        }
    }
    for _ in 0..crate::limits::NESTING_DEPTH_MAX {
        for (unit, parents) in &parents {
            let more: Vec<LocationId> = parents
                .iter()
                .filter(|parent| **parent != *unit)
                .filter_map(|parent| places.get(*parent))
                .flatten()
                .copied()
                .collect();
            places.entry((*unit).clone()).or_default().extend(more);
        }
    }
    places
}

/// The units a fact names, in any part.
fn named(fact: &Fact) -> impl Iterator<Item = &UnitKey> {
    fact.event
        .units
        .iter()
        .chain(&fact.event.parent)
        .filter_map(|read| read.unit.as_ref())
}
