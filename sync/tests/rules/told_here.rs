//! What a till makes of its own events (`till::Here`) is what the fold makes of them (C2 to C8), however many of
//! them its card shows already (I23).

use super::*;
use std::collections::BTreeMap;
use suyuan_sync::{
    event::{Disposition, Event},
    ids::BatchId,
    till::{Here, Typed},
    wire::UnitCard,
};

const KINDS: [Kind; 7] = [
    Kind::Inbound,
    Kind::Outbound,
    Kind::Sale,
    Kind::Return,
    Kind::Inspect,
    Kind::Collect,
    Kind::Destroy,
];

/// All stories of so many own events.
fn stories(length: usize) -> Vec<Vec<Kind>> {
    let mut all = vec![Vec::new()];
    for _ in 0..length {
        let longer = |story: Vec<Kind>| KINDS.map(|kind| [&story[..], &[kind]].concat());
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

/// What becomes of a tin in the shop, and the till's own events.
fn folded(kinds: &[Kind]) -> (Phase, Vec<Event>) {
    let mut told = in_the_shop();
    let before = told.facts.len();
    for kind in kinds {
        let mut line = line(*kind, SHOP).of(&[TIN_1]);
        if *kind == Kind::Inspect {
            line = line.disposition(Disposition::Sellable);
        }
        told.tell(line);
    }
    let own = told.facts[before..].iter();
    let own = own.map(|fact| Event::clone(&fact.event)).collect();
    (phase(&told, TIN_1), own)
}

#[test]
fn i23_a_till_takes_its_own_events_as_the_fold_does_however_many_its_card_shows() {
    let mut phases: BTreeMap<Vec<Kind>, Phase> = BTreeMap::new();
    for kinds in (0..=3).flat_map(stories) {
        let (phase, own) = folded(&kinds);
        phases.insert(kinds.clone(), phase);
        for shown in 0..kinds.len() {
            let card = UnitCard {
                unit: stage::unit(TIN_1),
                level: None,
                product: None,
                batch: None::<BatchId>,
                lot: None,
                expires_at: None,
                phase: phases[&kinds[..shown]],
                place: Place::Nowhere,
                inside: None,
                disposition: None,
                void: false,
                recalls: Vec::new(),
            };
            let here = Here::of(&own[shown..]);
            let here = here.phase(&card.unit, Typed::Said, &|_| Some(&card));
            assert_eq!(here, Some(phase), "{kinds:?} of which {shown} are shown");
        }
    }
}
