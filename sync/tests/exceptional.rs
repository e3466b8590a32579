//! C13: what is not exceptional need not be looked at when its container moves, since it finds
//! nothing of its own. `fold::exceptional` decides how much the service folds; this is why that is
//! enough.

mod histories;

use histories::seeded;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::Kind,
    facts::{Fact, World},
    finding::Finding,
    fold::{self, Folded, Member, Sign},
    unit::UnitKey,
};

fn names(fact: &Fact, unit: &UnitKey) -> bool {
    let mut reads = fact.event.units.iter().chain(&fact.event.parent);
    reads.any(|read| read.unit.as_ref() == Some(unit))
}

/// Does something happen to the unit itself after the fact at `place`: an event that names it, or a
/// retract, wherever it stands, of one that does?
fn own_event_since(facts: &[&Fact], place: usize, unit: &UnitKey) -> bool {
    let named: BTreeSet<_> = facts
        .iter()
        .filter(|fact| names(fact, unit))
        .map(|fact| fact.event.id)
        .collect();
    facts.iter().enumerate().any(|(at, fact)| {
        (at > place && names(fact, unit))
            || fact
                .event
                .target
                .is_some_and(|target| named.contains(&target))
            || fact.event.group.is_some_and(|group| group.correct)
    })
}

/// The members of a container after the pack at `place`, each with its sign at its own pack.
fn members(facts: &[&Fact], world: &World, place: usize, container: &UnitKey) -> Vec<Member> {
    let now = fold::forest(&facts[..=place], world);
    now.iter()
        .filter(|(_, folded)| folded.state.inside.as_ref() == Some(container))
        .filter_map(|(unit, folded)| {
            let stay = folded.stays.last()?;
            let packed = facts.iter().position(|fact| fact.order == stay.from)?;
            let then = fold::forest(&facts[..=packed], world);
            let member = then.get(unit)?;
            Some(Member {
                unit: unit.clone(),
                batch: member.state.batch,
                sign: Sign::of(unit, member, world),
                own_event_since: own_event_since(facts, packed, unit),
            })
        })
        .collect()
}

/// What a unit finds by itself of what came after the fact at `place`.
fn found_after<'a>(facts: &[&Fact], place: usize, folded: &'a Folded) -> Vec<&'a Finding> {
    let before: BTreeSet<_> = facts[..=place].iter().map(|fact| fact.event.id).collect();
    folded
        .findings
        .iter()
        .filter(|finding| !before.contains(&finding.event))
        .collect()
}

#[test]
fn c13_what_is_not_exceptional_finds_nothing_of_its_own() {
    let mut looked_at: BTreeMap<bool, usize> = BTreeMap::new();
    for seed in 0..1500 {
        let case = seeded(seed, 40);
        let mut facts: Vec<&Fact> = case.facts.iter().collect();
        facts.sort_by_key(|fact| fact.order);
        facts.dedup_by_key(|fact| fact.order);
        let all = fold::forest(&facts, &case.world);
        for (place, fact) in facts.iter().enumerate() {
            let Some(container) = fact
                .event
                .parent
                .as_ref()
                .and_then(|read| read.unit.as_ref())
            else {
                continue;
            };
            if fact.event.kind != Kind::Pack {
                continue;
            }
            let members = members(&facts, &case.world, place, container);
            let then = fold::forest(&facts[..=place], &case.world);
            let Some(of) = then.get(container) else {
                continue;
            };
            let exceptional = fold::exceptional(of, &members, &case.world);
            for member in &members {
                let judged_each = exceptional.contains(&member.unit);
                *looked_at.entry(judged_each).or_default() += 1;
                if judged_each {
                    continue;
                }
                let found = found_after(&facts, place, &all[&member.unit]);
                assert!(
                    found.is_empty(),
                    "seed {seed}: {} in {container}: {found:#?}",
                    member.unit
                );
            }
        }
    }
    assert!(
        looked_at.get(&false).is_some_and(|n| *n > 50),
        "{looked_at:?}"
    );
}
