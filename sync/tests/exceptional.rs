//! C13: what is not exceptional need not be looked at when its container moves, since it finds
//! nothing of its own. `fold::exceptional` decides how much the service folds; this is why that is
//! enough.

mod histories;

use histories::{
    Line, Telling, seeded,
    stage::{
        BATCH, HOUR, MAKER, MINUTE, OTHER_BATCH, PLANT, PLANT_LINE, STRANGER,
        good::{CASE_2, PALLET, TIN_1, TIN_2},
        unit,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};
use suyuan_sync::{
    event::Kind,
    facts::{AcceptScope, Accepted, Content, Fact, StatedAt, World},
    finding::Finding,
    fold::{self, Folded, Member, Sign, UnitState},
    ids::{BatchId, Micros},
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

/// Is a unit still where this pack put it?
fn is_still_inside(pack: &Fact, folded: &Folded) -> bool {
    let stay = folded.stays.iter().find(|stay| stay.from == pack.order);
    stay.is_some_and(|stay| stay.until.is_none())
}

/// What is read off the container of what is in it and not judged by itself.
fn alike(state: &UnitState) -> impl PartialEq + Debug {
    (
        (state.phase, state.place, state.holder, state.disposition),
        (state.withdrawn, state.suspected_copy),
        state.linked.clone(),
    )
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

/// What is exceptional of two tins in a case, once the issuer accepted that.
fn accepted(scope: AcceptScope, of_case: Option<BatchId>) -> Vec<UnitKey> {
    let mut told = Telling::new();
    let case = told.world.units.get_mut(&unit(CASE_2)).expect("a case");
    if let (Some(batch), Some(commissioned)) = (of_case, &mut case.commissioned) {
        commissioned.batch = batch;
    }
    let packed = Line::new(Kind::Pack, PLANT_LINE, PLANT);
    told.tell(packed.of(&[TIN_1, TIN_2]).into(CASE_2));
    told.world.accepted.push(Accepted {
        at: StatedAt { at: 0, gseq: 0 },
        issuer: MAKER,
        partner: STRANGER,
        scope,
        from: 0,
    });
    let facts: Vec<&Fact> = told.facts.iter().collect();
    let folded = fold::forest(&facts, &told.world);
    let members = members(&facts, &told.world, 0, &unit(CASE_2), &folded);
    assert_eq!(members.len(), 2);
    let exceptional = fold::exceptional(&folded[&unit(CASE_2)], &members, &told.world);
    exceptional.into_iter().collect()
}

#[test]
fn c13_whose_word_counts_for_the_one_and_not_for_the_other_is_judged_by_itself() {
    let both = [unit(TIN_1), unit(TIN_2)];
    assert_eq!(accepted(AcceptScope::Unit(unit(TIN_1)), None), both[..1]);
    assert_eq!(accepted(AcceptScope::Unit(unit(CASE_2)), None), both);
    assert_eq!(accepted(AcceptScope::Partner(STRANGER), None), []);
    // The stranger is heard about tins of that batch, and not about the case.
    let (own, other) = (AcceptScope::Batch(BATCH), Some(OTHER_BATCH));
    assert_eq!(accepted(own.clone(), other), both);
    assert_eq!(accepted(AcceptScope::Batch(OTHER_BATCH), other), both);
    assert_eq!(accepted(own, None), []);
}

#[test]
fn c13_a_return_and_an_inspection_part_recalled_goods_from_their_container() {
    let parted = |kind: Kind, recalled: Micros| {
        let mut told = Telling::new();
        let packed = Line::new(Kind::Pack, PLANT_LINE, PLANT);
        told.tell(packed.of(&[TIN_1]).into(PALLET));
        told.recall(&[BATCH], recalled);
        told.tell(Line::new(kind, PLANT_LINE, PLANT).of(&[PALLET]));
        let facts: Vec<&Fact> = told.facts.iter().collect();
        let contents = fold::contents(&fold::forest(&facts, &told.world));
        let pallet = unit(PALLET);
        fold::batches_apart(&pallet, None, &contents[&pallet], facts[1], &told.world)
    };
    let soon = HOUR + MINUTE;
    assert_eq!(parted(Kind::Return, soon), [BATCH].into());
    assert_eq!(parted(Kind::Inspect, soon), [BATCH].into());
    assert!(
        parted(Kind::Inspect, 3 * HOUR).is_empty(),
        "not recalled yet"
    );
    assert!(parted(Kind::Outbound, soon).is_empty());
}

#[test]
fn c13_what_is_not_exceptional_finds_nothing_of_its_own_and_is_what_its_container_is() {
    let mut looked_at: BTreeMap<bool, usize> = BTreeMap::new();
    // In 8342 the maker packs into a case that a shop sold.
    for seed in (0..2500).chain([8342]) {
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
                let folded = &all[&member.unit];
                let found = found_inside(&facts, place, folded);
                assert!(
                    found.is_empty(),
                    "seed {seed}: {} in {container}: {found:#?}",
                    member.unit
                );
                if is_still_inside(facts[place], folded) {
                    let (own, of) = (alike(&folded.state), alike(&all[container].state));
                    assert_eq!(own, of, "seed {seed}: {} in {container}", member.unit);
                }
            }
        }
    }
    assert!(
        looked_at.get(&false).is_some_and(|n| *n > 50),
        "{looked_at:?}"
    );
}
