//! What a till makes of its own events (`till::Here`) is what the fold makes of them (C2 to C8, C10), however many of
//! them its card shows already (I23); and so is where goods are by its packs (C12).

use super::*;
use histories::stage::good::{CASE_1, CASE_2};
use std::collections::BTreeMap;
use suyuan_sync::{
    event::{Disposition, Event},
    ids::BatchId,
    recall_list::UnitList,
    till::{Asked, Became, HeldList, Here, Reason, Till, Typed, decide},
    trace_code::parse,
    unit::UnitKey,
    wire::UnitCard,
};

/// What a till may state of a tin, an inspection with what it decided.
type Stated = (Kind, Option<Disposition>);

const STATED: [Stated; 8] = [
    (Kind::Inbound, None),
    (Kind::Outbound, None),
    (Kind::Sale, None),
    (Kind::Return, None),
    (Kind::Inspect, Some(Disposition::Sellable)),
    (Kind::Inspect, Some(Disposition::Destroy)),
    (Kind::Collect, None),
    (Kind::Destroy, None),
];

/// All stories of so many own events.
fn stories(length: usize) -> Vec<Vec<Stated>> {
    let mut all = vec![Vec::new()];
    for _ in 0..length {
        let longer = |story: Vec<Stated>| STATED.map(|stated| [&story[..], &[stated]].concat());
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

/// What a till tells of a tin in the shop, the event at a place struck at the end by somebody.
fn told(story: &[Stated], struck: Option<(usize, &str)>) -> (UnitState, Vec<Event>) {
    let mut told = in_the_shop();
    let before = told.facts.len();
    for (kind, disposition) in story {
        let line = line(*kind, SHOP).of(&[TIN_1]);
        told.tell(line.saying(|event| event.disposition = *disposition));
    }
    if let Some((at, by)) = struck {
        let target = told.facts[before + at].event.id;
        told.tell(line(Kind::Retract, SHOP).target(target).by(by));
    }
    let own = told.facts[before..].iter();
    let own = own.map(|fact| Event::clone(&fact.event)).collect();
    (state(&told, TIN_1), own)
}

/// What the till may say that the tin became. Brought back and kept back is told as either.
fn as_folded(state: &UnitState) -> Vec<Became> {
    let is = Became::Is(state.phase);
    match (state.phase, state.disposition) {
        (Phase::Returned, Some(_)) => vec![is, Became::Held],
        (Phase::Collected, _) | (_, None) => vec![is],
        (_, Some(_)) => vec![Became::Held],
    }
}

/// The card of the tin.
fn card_of(state: &UnitState) -> UnitCard {
    UnitCard {
        disposition: state.disposition,
        batch: Some(stage::BATCH),
        ..card(state.phase)
    }
}

/// What the till says of the tin as its card shows the first of its own events.
fn decided(card: &UnitCard, own: &[Event], shown: usize) -> (Option<Became>, Vec<Reason>) {
    let (shown, open) = own.split_at(shown);
    let here = Here::of(shown, open).became(&card.unit, Typed::Said, &|_| Some(card));
    let list = HeldList::new(1, 0, [], UnitList::default());
    let till = Till {
        now: 0,
        list: Some(&list),
        list_age_max: 1,
    };
    let asked = Asked {
        scanned: &parse(card.unit.as_str()).unwrap(),
        card: Some(card),
        here,
    };
    let reasons = decide(&asked, &till).reasons;
    (here, reasons.into_iter().collect())
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
    let mut states: BTreeMap<Vec<Stated>, UnitState> = BTreeMap::new();
    for story in (0..=3).flat_map(stories) {
        let (state, own) = told(&story, None);
        states.insert(story.clone(), state.clone());
        for shown in 0..story.len() {
            let card = card_of(&states[&story[..shown]]);
            let (here, reasons) = decided(&card, &own, shown);
            let what = format!("{story:?} of which {shown} are shown: {here:?}, {reasons:?}");
            // That its card keeps it back no till takes back.
            match card.disposition {
                None => assert!(as_folded(&state).contains(&here.unwrap()), "{what}"),
                Some(_) => assert!(reasons.contains(&Reason::Held), "{what}"),
            }
        }
    }
}

/// What was struck did nothing. What its card shows of it the till cannot take out: so it says that nobody knows, and
/// lets nothing go that the fold does not.
#[test]
fn c10_a_till_takes_what_it_struck_as_the_fold_does_and_doubts_what_its_card_shows_of_it() {
    let mut states: BTreeMap<Vec<Stated>, UnitState> = BTreeMap::new();
    let mut doubted = 0;
    for story in (0..=3).flat_map(stories) {
        states.insert(story.clone(), told(&story, None).0);
        for at in 0..story.len() {
            let (state, own) = told(&story, Some((at, CASHIER.actor)));
            for shown in 0..=story.len() {
                let card = card_of(&states[&story[..shown]]);
                let (here, reasons) = decided(&card, &own, shown);
                let what = format!("{story:?}, {at} struck, {shown} shown: {here:?}, {reasons:?}");
                let is_good = [Phase::InStock, Phase::InTransit].contains(&state.phase);
                let is_good = is_good && state.disposition.is_none();
                assert!(is_good || !reasons.is_empty(), "{what}");
                if at < shown {
                    doubted += usize::from(here == Some(Became::Struck));
                } else if card.disposition.is_none() {
                    let here = here.unwrap_or(Became::Is(card.phase));
                    assert!(as_folded(&state).contains(&here), "{what}");
                }
            }
        }
    }
    assert!(doubted > 0);
}

/// A retract that strikes nothing, since somebody else stated the event, is none to the till either.
#[test]
fn c10_a_till_passes_over_a_retract_of_what_another_stated() {
    let mut states: BTreeMap<Vec<Stated>, UnitState> = BTreeMap::new();
    for story in (0..=2).flat_map(stories) {
        states.insert(story.clone(), told(&story, None).0);
        for at in 0..story.len() {
            let (state, own) = told(&story, Some((at, "chain-9")));
            assert_eq!(state, states[&story]);
            for shown in 0..=story.len() {
                let card = card_of(&states[&story[..shown]]);
                let without = decided(&card, &own[..story.len()], shown);
                assert_eq!(decided(&card, &own, shown), without, "{story:?}");
            }
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
            let here = Here::of(&own[..shown], &own[shown..]);
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
