//! What a till decides offline: the shared vectors of `golden/till.json`, which the browser reads
//! too, and the rules that hold for all goods.

use proptest::prelude::*;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::{self, Disposition, Event, Input, Kind, UnitRead},
    fold::{Phase, Place},
    ids::{BatchId, DeviceId, EventId, RecallId},
    recall_list::{Marks, UnitHash, UnitList},
    till::{
        self, Advice, Asked, Became, Decision, HeldList, Here, Reason, Till, Typed, decide,
        decide_typed, holding,
    },
    trace_code::{Scanned, parse},
    unit::UnitKey,
    wire::{RecalledBatch, UnitCard},
};
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    note: String,
    code: String,
    /// By a machine, unless it says.
    input: Option<String>,
    now: i64,
    list: Option<List>,
    list_age_max: i64,
    card: Option<UnitCard>,
    here: Option<Became>,
    /// What is known of the unit that may be meant, where that is something else.
    meant: Option<Known>,
    /// What is in it.
    #[serde(default)]
    inside: Vec<Inside>,
    expected: Decision,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    card: Option<UnitCard>,
    here: Option<Became>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inside {
    code: String,
    card: Option<UnitCard>,
    here: Option<Became>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    version: i64,
    made_at: i64,
    batches: Vec<RecalledBatch>,
    units: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    unit: UnitKey,
    marks: u8,
}

impl Known {
    fn asked<'a>(&'a self, scanned: &'a Scanned) -> Asked<'a> {
        Asked {
            scanned,
            card: self.card.as_ref(),
            here: self.here,
        }
    }
}

fn held(list: List) -> HeldList {
    let units = list.units.into_iter().map(|row| {
        let marks = Marks::of_bits(row.marks).unwrap();
        (UnitHash::of(&row.unit), marks)
    });
    HeldList::new(
        list.version,
        list.made_at,
        list.batches,
        UnitList::of(units),
    )
}

#[test]
fn every_vector_is_decided_as_agreed() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("golden/till.json")).unwrap();
    let mut told = BTreeSet::new();
    for row in rows {
        let scanned = parse(&row.code).unwrap();
        let list = row.list.map(held);
        let said = Known {
            card: row.card,
            here: row.here,
        };
        let input = row
            .input
            .as_deref()
            .map(|name| Input::of_name(name).unwrap());
        let read = till::meant(&scanned, input.unwrap_or(Input::Wedge));
        let other = row.meant.as_ref().unwrap_or(&said);
        let till = Till {
            now: row.now,
            list: list.as_ref(),
            list_age_max: row.list_age_max,
        };
        let meant = other.asked(read.as_ref().unwrap_or(&scanned));
        let own = decide_typed(&said.asked(&scanned), &meant, &till);
        let decision = row.inside.into_iter().fold(own, |decision, inside| {
            let scanned = parse(&inside.code).unwrap();
            let Inside { card, here, .. } = inside;
            holding(decision, &Known { card, here }.asked(&scanned), &till)
        });
        assert_eq!(decision, row.expected, "{}", row.note);
        told.extend(decision.reasons);
    }
    let all: BTreeSet<Reason> = Reason::ALL.into_iter().collect();
    assert_eq!(told, all, "every reason has a vector");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HereRow {
    note: String,
    unit: UnitKey,
    /// How typed codes are taken; both ways give the same where it does not say.
    typed: Option<Typed>,
    /// What its card says that it is; in stock if it does not say.
    card: Option<Phase>,
    /// What cards say that units are in.
    inside: BTreeMap<UnitKey, UnitKey>,
    events: Vec<String>,
    /// How many of them, from the first, cards show.
    #[serde(default)]
    shown: usize,
    expected: Option<Became>,
    /// What is in it, in which order, each as it was read.
    holds: Option<Vec<String>>,
}

#[test]
fn what_became_of_goods_here_is_as_agreed_by_themselves_or_with_their_container() {
    let rows: Vec<HereRow> = serde_json::from_str(include_str!("golden/here.json")).unwrap();
    assert!(rows.len() >= 30);
    for row in rows {
        let events: Vec<Event> = row
            .events
            .iter()
            .map(|text| event::parse(text).unwrap())
            .collect();
        let units = row.inside.keys().chain([&row.unit]);
        let card = |unit: &UnitKey| UnitCard {
            phase: row.card.unwrap_or(Phase::InStock),
            inside: row.inside.get(unit).cloned(),
            ..card(unit)
        };
        let cards: BTreeMap<&UnitKey, UnitCard> = units.map(|unit| (unit, card(unit))).collect();
        let both = [Typed::Said, Typed::Meant];
        for typed in row.typed.as_ref().map_or(&both[..], std::slice::from_ref) {
            let (shown, open) = events.split_at(row.shown);
            let here = Here::of(shown, open);
            let became = here.became(&row.unit, *typed, &|unit| cards.get(unit));
            assert_eq!(became, row.expected, "{} {typed:?}", row.note);
            let inside = |container: &UnitKey| {
                let inside = row.inside.iter().filter(|(_, of)| *of == container);
                inside.map(|(unit, _)| unit.clone()).collect()
            };
            let Some(holds) = &row.holds else {
                continue;
            };
            let told = here.inside(&row.unit, *typed, &|unit| cards.get(unit), &inside);
            let read = |code: &String| {
                let scanned = parse(code).unwrap();
                (UnitKey::of(&scanned.code).unwrap(), scanned)
            };
            let wanted: Vec<(UnitKey, Scanned)> = holds.iter().map(read).collect();
            let claims = |all: &[(UnitKey, Scanned)]| -> Vec<_> {
                let one = |(unit, scanned): &(UnitKey, Scanned)| (unit.clone(), scanned.claims);
                all.iter().map(one).collect()
            };
            assert_eq!(claims(&told), claims(&wanted), "{} {typed:?}", row.note);
        }
    }
}

/// A till stops a tin of a case that was sold here: what the card says of the tin is older.
#[test]
fn a_tin_of_a_case_that_is_gone_is_stopped() {
    let tin = scanned("");
    let unit = UnitKey::of(&tin.code).unwrap();
    let case = UnitKey::kept("/01/16901234567899/21/C1");
    let card = UnitCard {
        inside: Some(case),
        ..card(&unit)
    };
    let cards = |of: &UnitKey| (*of == unit).then_some(&card);
    let done = |kind| done(kind, "(01)16901234567899(21)C1");
    let list = HeldList::new(1, NOW, [], UnitList::default());
    let till = Till {
        now: NOW,
        list: Some(&list),
        list_age_max: DAY,
    };
    for (kind, reason) in [
        (None, None),
        (Some(Kind::Sale), Some(Reason::Sold)),
        (Some(Kind::Collect), Some(Reason::Collected)),
        (Some(Kind::Destroy), Some(Reason::Destroyed)),
        (Some(Kind::Return), Some(Reason::Uninspected)),
    ] {
        let events: Vec<Event> = kind.into_iter().map(done).collect();
        let asked = Asked {
            scanned: &tin,
            card: Some(&card),
            here: Here::of([], &events).became(&unit, Typed::Said, &cards),
        };
        let said = decide(&asked, &till);
        assert_eq!(said.reasons, BTreeSet::from_iter(reason));
        assert_eq!(said.advice == Advice::Stop, kind.is_some());
    }
}

const NOW: i64 = 1_795_000_000_000_000;
const DAY: i64 = 86_400_000_000;

/// An event of this device; an inspection finds the goods sellable.
fn done(kind: Kind, code: &str) -> Event {
    let ids = (EventId(Uuid::from_u128(1)), DeviceId(Uuid::from_u128(2)));
    let mut event = Event::bare(kind, ids.0, ids.1, 1, 1, NOW);
    event.units = vec![UnitRead::of(code, Input::Wedge)].into();
    event.disposition = (kind == Kind::Inspect).then_some(Disposition::Sellable);
    event
}

fn card(unit: &UnitKey) -> UnitCard {
    UnitCard {
        unit: unit.clone(),
        level: None,
        product: None,
        batch: Some(BatchId(Uuid::from_u128(1))),
        lot: Some("L7".into()),
        expires_at: None,
        phase: Phase::InStock,
        place: Place::Nowhere,
        inside: None,
        disposition: None,
        void: false,
        recalls: Vec::new(),
        holds: Vec::new(),
        holds_more: false,
    }
}

fn phase() -> impl Strategy<Value = Phase> {
    prop::sample::select(vec![
        Phase::Unknown,
        Phase::Commissioned,
        Phase::InStock,
        Phase::InTransit,
        Phase::Sold,
        Phase::Returned,
        Phase::Collected,
        Phase::Destroyed,
    ])
}

fn became() -> impl Strategy<Value = Became> {
    let apart = prop::sample::select(vec![Became::Held, Became::Struck]);
    prop_oneof![phase().prop_map(Became::Is), apart]
}

/// Kinds of own events, an inspection with what it decided.
fn any_done() -> impl Strategy<Value = Vec<(Kind, Option<Disposition>)>> {
    let done = vec![
        (Kind::Inbound, None),
        (Kind::Outbound, None),
        (Kind::Sale, None),
        (Kind::Return, None),
        (Kind::Inspect, Some(Disposition::Sellable)),
        (Kind::Inspect, Some(Disposition::Hold)),
        (Kind::Inspect, Some(Disposition::Destroy)),
        (Kind::Collect, None),
        (Kind::Destroy, None),
    ];
    prop::collection::vec(prop::sample::select(done), 0..4)
}

fn any_card() -> impl Strategy<Value = UnitCard> {
    let disposition = prop::option::of(prop::sample::select(vec![
        Disposition::Sellable,
        Disposition::Hold,
        Disposition::Destroy,
    ]));
    let expires = prop::option::of(-3i64..3);
    (
        phase(),
        disposition,
        expires,
        any::<bool>(),
        0u128..3,
        0u128..3,
    )
        .prop_map(|(phase, disposition, expires, void, recall, batch)| {
            let unit = UnitKey::of(&scanned("").code).unwrap();
            UnitCard {
                phase,
                disposition,
                void,
                expires_at: expires.map(|days| NOW + days * DAY),
                recalls: (recall > 0)
                    .then_some(RecallId(Uuid::from_u128(recall)))
                    .into_iter()
                    .collect(),
                batch: (batch > 0).then_some(BatchId(Uuid::from_u128(batch))),
                ..card(&unit)
            }
        })
}

fn scanned(more: &str) -> Scanned {
    parse(&format!("(01)06901234567892{more}(21)A-9")).unwrap()
}

fn any_scanned() -> impl Strategy<Value = Scanned> {
    let lot = prop::sample::select(vec!["", "(10)L7", "(10)L8"]);
    let day = prop::sample::select(vec!["", "(17)261101", "(17)271101", "(17)261117"]);
    (lot, day).prop_map(|(lot, day)| scanned(&format!("{lot}{day}")))
}

fn any_list() -> impl Strategy<Value = HeldList> {
    let batch = prop::sample::select(vec![("L7", 1u128), ("L8", 2), ("L9", 3)]);
    (prop::option::of(batch), 0u8..16, 0i64..3).prop_map(|(batch, bits, age)| {
        let unit = UnitKey::of(&scanned("").code).unwrap();
        let batches = batch.map(|(lot, id)| RecalledBatch {
            recall: RecallId(Uuid::from_u128(9)),
            batch: BatchId(Uuid::from_u128(id)),
            gtin: "06901234567892".into(),
            lot: lot.into(),
        });
        let marks = Marks::of_bits(bits);
        let units = marks.map(|marks| (UnitHash::of(&unit), marks));
        HeldList::new(7, NOW - age * DAY, batches, UnitList::of(units))
    })
}

proptest! {
    /// Whatever one source says against the goods, no other source takes it back.
    #[test]
    fn more_knowledge_never_sells_what_less_stopped(
        scanned in any_scanned(),
        card in any_card(),
        list in any_list(),
        kinds in any_done(),
        strikes in any::<bool>(),
    ) {
        let till = |list| Till { now: NOW, list, list_age_max: DAY };
        let ask = |card, here, list| decide(&Asked { scanned: &scanned, card, here }, &till(list));
        let own: Vec<Event> = kinds.iter().map(|(kind, disposition)| Event {
            disposition: *disposition,
            ..done(*kind, "(01)06901234567892(21)A-9")
        }).collect();
        let shown = Event { id: EventId(Uuid::from_u128(7)), ..done(Kind::Inspect, "(01)06901234567892(21)A-9") };
        let retract = Event { target: Some(shown.id), units: vec![].into(), ..done(Kind::Retract, "") };
        let became = |retract: Option<&Event>| {
            let here = Here::of([&shown], own.iter().chain(retract));
            here.became(&card.unit, Typed::Said, &|_| Some(&card))
        };
        let here = became(strikes.then_some(&retract));
        let all = ask(Some(&card), here, Some(&list));
        // Only what happened here explains a sale away, and a return only if somebody decided on the goods or they
        // went otherwise; and only a card or list the doubts of a till that knows less.
        let decides = [Kind::Sale, Kind::Collect, Kind::Destroy];
        let releases = (Kind::Inspect, Some(Disposition::Sellable));
        let may_go = |reason: &Reason| match reason {
            Reason::NoList | Reason::ExpiryUnknown => true,
            Reason::Sold => !kinds.is_empty(),
            Reason::Uninspected => all.reasons.contains(&Reason::Held)
                || kinds.iter().any(|done| *done == releases || decides.contains(&done.0)),
            _ => false,
        };
        // That something was struck only adds to what is said.
        let without = ask(Some(&card), became(None), Some(&list));
        prop_assert!(without.reasons.is_subset(&all.reasons));
        prop_assert!(all.reasons.is_subset(&without.reasons.iter().copied().chain([Reason::Struck]).collect()));
        for less in [
            ask(None, None, None),
            ask(None, None, Some(&list)),
            ask(Some(&card), None, None),
            ask(Some(&card), None, Some(&list)),
        ] {
            for reason in less.reasons.iter().filter(|reason| !may_go(reason)) {
                prop_assert!(all.reasons.contains(reason), "{reason:?} of {less:?} in {all:?}");
            }
            prop_assert!(less.recalls.is_subset(&all.recalls));
        }
        let worst = all.reasons.iter().map(|reason| reason.advice()).max();
        prop_assert_eq!(all.advice, worst.unwrap_or(Advice::Ok));
    }

    /// Whichever way a typed code is to be taken, nothing that stops it is lost.
    #[test]
    fn the_graver_way_to_take_a_typed_code_counts(
        card in any_card(),
        list in any_list(),
        here in (prop::option::of(became()), prop::option::of(became())),
    ) {
        let said = parse("/01/06901234567892/21/a0123456789abc").unwrap();
        let other = till::meant(&said, Input::Typed).unwrap();
        let meant = UnitCard { unit: UnitKey::of(&other.code).unwrap(), ..card };
        let till = Till { now: NOW, list: Some(&list), list_age_max: DAY };
        let ways = [
            Asked { scanned: &said, card: None, here: here.0 },
            Asked { scanned: &other, card: Some(&meant), here: here.1 },
        ];
        let told = decide_typed(&ways[0], &ways[1], &till);
        let each = ways.map(|asked| decide(&asked, &till));
        prop_assert_eq!(told.advice, each[0].advice.max(each[1].advice));
        prop_assert!(each.iter().all(|one| one.recalls.is_subset(&told.recalls)));
        let from = each.iter().find(|one| one.reasons == told.reasons);
        prop_assert!(from.is_some());
        prop_assert!(told.taken_for.is_none_or(|unit| unit == meant.unit));
        // What was read by a machine has one way.
        prop_assert_eq!(till::meant(&said, Input::Camera), None);
        prop_assert_eq!(decide_typed(&ways[0], &ways[0], &till), decide(&ways[0], &till));
    }

    #[test]
    fn the_stricter_expiry_wins(
        scanned in any_scanned(),
        card in any_card(),
    ) {
        let till = Till { now: NOW, list: None, list_age_max: DAY };
        let by = |card| decide(&Asked { scanned: &scanned, card, here: None }, &till).expires_at;
        let recorded = card.expires_at;
        let strictest = [by(None), recorded].into_iter().flatten().min();
        prop_assert_eq!(by(Some(&card)), strictest);
        let told = decide(&Asked { scanned: &scanned, card: Some(&card), here: None }, &till);
        let expired = strictest.is_some_and(|at| NOW >= at);
        prop_assert_eq!(told.reasons.contains(&Reason::Expired), expired);
    }

    #[test]
    fn recalled_is_said_of_nothing_that_no_source_names(
        scanned in any_scanned(),
        list in any_list(),
    ) {
        let till = Till { now: NOW, list: Some(&list), list_age_max: DAY };
        let told = decide(&Asked { scanned: &scanned, card: None, here: None }, &till);
        let other = parse("(01)06901234567892(21)A-8").unwrap();
        let neighbour = decide(&Asked { scanned: &other, card: None, here: None }, &till);
        prop_assert!(!neighbour.reasons.contains(&Reason::Recalled));
        prop_assert!(told.recalls.is_empty() || told.reasons.contains(&Reason::Recalled));
    }
}

#[test]
fn a_card_of_another_unit_says_nothing() {
    let tin = scanned("(17)271101");
    let mut other = card(&UnitKey::kept("/01/06901234567892/21/A-8"));
    other.void = true;
    let list = HeldList::new(1, NOW, [], UnitList::default());
    let till = Till {
        now: NOW,
        list: Some(&list),
        list_age_max: DAY,
    };
    let asked = Asked {
        scanned: &tin,
        card: Some(&other),
        here: None,
    };
    assert_eq!(decide(&asked, &till).advice, Advice::Ok);
}
