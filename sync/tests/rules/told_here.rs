//! What a till makes of its own events (`till::Here`) is what the fold makes of them (C2 to C8), however many of
//! them its card shows already (I23); and so is where goods are by its packs (C12).

use super::*;
use histories::stage::good::{CASE_1, CASE_2};
use std::collections::BTreeMap;
use suyuan_sync::{
    event::{Disposition, Event},
    ids::BatchId,
    till::{Here, Typed},
    unit::UnitKey,
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

/// The card of the tin.
fn card(phase: Phase) -> UnitCard {
    UnitCard {
        unit: stage::unit(TIN_1),
        level: None,
        product: None,
        batch: None::<BatchId>,
        lot: None,
        expires_at: None,
        phase,
        place: Place::Nowhere,
        inside: None,
        disposition: None,
        void: false,
        recalls: Vec::new(),
        holds: Vec::new(),
        holds_more: false,
    }
}

#[test]
fn i23_a_till_takes_its_own_events_as_the_fold_does_however_many_its_card_shows() {
    let mut phases: BTreeMap<Vec<Kind>, Phase> = BTreeMap::new();
    for kinds in (0..=3).flat_map(stories) {
        let (phase, own) = folded(&kinds);
        phases.insert(kinds.clone(), phase);
        for shown in 0..kinds.len() {
            let card = card(phases[&kinds[..shown]]);
            let here = Here::of(&own[shown..]);
            let here = here.phase(&card.unit, Typed::Said, &|_| Some(&card));
            assert_eq!(here, Some(phase), "{kinds:?} of which {shown} are shown");
        }
    }
}

/// What a shop may do to a tin and the cases it is put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Done {
    Pack(usize),
    Unpack,
    Empty,
    With(Kind, usize),
}

const DONE: [Done; 9] = [
    Done::Pack(CASE_1),
    Done::Pack(CASE_2),
    Done::Unpack,
    Done::Empty,
    Done::With(Kind::Sale, TIN_1),
    Done::With(Kind::Sale, CASE_1),
    Done::With(Kind::Inbound, TIN_1),
    Done::With(Kind::Return, CASE_1),
    Done::With(Kind::Inspect, TIN_1),
];

/// Where the tin is after that, and the till's own events.
fn put(story: &[Done]) -> (Option<UnitKey>, Vec<Event>) {
    let mut told = Telling::new();
    let goods = [TIN_1, CASE_1, CASE_2];
    told.tell(line(Kind::Outbound, PLANT).of(&goods).to(SHOP));
    told.tell(line(Kind::Inbound, SHOP).of(&goods).with(MAKER));
    let before = told.facts.len();
    for done in story {
        told.tell(match done {
            Done::Pack(case) => line(Kind::Pack, SHOP).of(&[TIN_1]).into(*case),
            Done::Unpack => line(Kind::Unpack, SHOP).of(&[TIN_1]).into(CASE_1),
            Done::Empty => line(Kind::Unpack, SHOP).into(CASE_1),
            Done::With(Kind::Inspect, good) => line(Kind::Inspect, SHOP)
                .of(&[*good])
                .disposition(Disposition::Sellable),
            Done::With(kind, good) => line(*kind, SHOP).of(&[*good]),
        });
    }
    let own = told.facts[before..].iter();
    let own = own.map(|fact| Event::clone(&fact.event)).collect();
    (state(&told, TIN_1).inside, own)
}

#[test]
fn c12_a_till_knows_what_is_in_a_case_as_the_fold_does_however_much_its_cards_show() {
    let mut stories = vec![Vec::new()];
    for _ in 0..3 {
        let longer = |story: &Vec<Done>| DONE.map(|done| [&story[..], &[done]].concat());
        let more: Vec<_> = stories.iter().flat_map(longer).collect();
        stories.extend(more);
    }
    stories.sort();
    stories.dedup();
    let tin = stage::unit(TIN_1);
    let mut places: BTreeMap<Vec<Done>, Option<UnitKey>> = BTreeMap::new();
    stories.sort_by_key(Vec::len);
    for story in stories {
        let (inside, own) = put(&story);
        places.insert(story.clone(), inside.clone());
        for shown in 0..=story.len() {
            let card = UnitCard {
                inside: places[&story[..shown]].clone(),
                ..card(Phase::InStock)
            };
            let here = Here::of(&own[shown..]);
            for case in [CASE_1, CASE_2].map(stage::unit) {
                let of = |unit: &UnitKey| (*unit == tin).then_some(&card);
                let by_cards = |container: &UnitKey| {
                    let is_in = card.inside.as_ref() == Some(container);
                    is_in.then(|| tin.clone()).into_iter().collect()
                };
                let told = here.inside(&case, Typed::Said, &of, &by_cards);
                let is_in = told.iter().any(|(unit, _)| *unit == tin);
                let what = format!("{case} after {story:?} of which {shown} are shown");
                assert_eq!(is_in, inside.as_ref() == Some(&case), "{what}");
            }
        }
    }
}
