//! C13: what is not exceptional need not be looked at when its container moves, since it finds
//! nothing of its own. `fold::exceptional` decides how much the service folds; this is why that is
//! enough.

mod histories;

use histories::seeded;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::Kind,
    facts::{Content, Fact, World},
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

/// What the pack at `place` put into its container, each with its sign.
fn members(
    facts: &[&Fact],
    world: &World,
    place: usize,
    container: &UnitKey,
    then: &BTreeMap<UnitKey, Folded>,
) -> Vec<Member> {
    then.iter()
        .filter(|(unit, _)| names(facts[place], unit))
        .filter(|(_, folded)| folded.state.inside.as_ref() == Some(container))
        .map(|(unit, folded)| Member {
            unit: unit.clone(),
            batch: folded.state.batch,
            sign: Sign::of(unit, folded, world),
            own_event_since: own_event_since(facts, place, unit),
        })
        .collect()
}

/// What a unit finds by itself of what came after the fact at `place`, while it stayed where that
/// put it.
fn found_inside<'a>(facts: &[&Fact], place: usize, folded: &'a Folded) -> Vec<&'a Finding> {
    let from = facts[place].order;
    let until = folded
        .stays
        .iter()
        .find(|stay| stay.from == from)
        .and_then(|stay| stay.until);
    let meanwhile: BTreeSet<_> = facts
        .iter()
        .filter(|fact| from < fact.order && until.is_none_or(|until| fact.order < until))
        .map(|fact| (fact.event.device, fact.event.id))
        .collect();
    folded
        .findings
        .iter()
        .filter(|finding| meanwhile.contains(&finding.judged()))
        .collect()
}

/// Does a return or inspection of its container part it from that?
fn parts(
    container: (&UnitKey, &Folded),
    contents: &[Content],
    world: &World,
    member: &Member,
) -> bool {
    let (key, folded) = container;
    folded.steps.iter().any(|step| {
        let own = step.after.batch;
        let apart = fold::batches_apart(key, own, contents, &step.fact, world);
        member.batch.is_some_and(|batch| apart.contains(&batch))
    })
}

#[test]
fn c13_what_is_not_exceptional_finds_nothing_of_its_own() {
    let mut looked_at: BTreeMap<bool, usize> = BTreeMap::new();
    for seed in 0..2500 {
        let case = seeded(seed, 40);
        let mut facts: Vec<&Fact> = case.facts.iter().collect();
        facts.sort_by_key(|fact| fact.order);
        facts.dedup_by_key(|fact| fact.order);
        let all = fold::forest(&facts, &case.world);
        let contents = fold::contents(&all);
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
            let then = fold::forest(&facts[..=place], &case.world);
            let members = members(&facts, &case.world, place, container, &then);
            let Some(of) = then.get(container) else {
                continue;
            };
            let exceptional = fold::exceptional(of, &members, &case.world);
            let of_container = contents.get(container).map_or(&[][..], Vec::as_slice);
            for member in &members {
                let judged_each = exceptional.contains(&member.unit)
                    || parts(
                        (container, &all[container]),
                        of_container,
                        &case.world,
                        member,
                    );
                *looked_at.entry(judged_each).or_default() += 1;
                if judged_each {
                    continue;
                }
                let found = found_inside(&facts, place, &all[&member.unit]);
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
