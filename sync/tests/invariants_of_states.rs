//! The invariants of what is kept and what is read, each broken once; those of the log and of devices
//! are in `invariants`.

use std::collections::BTreeMap;
use suyuan_sync::{
    finding::{Detail, Finding, FindingCode, Subject},
    fold::{Folded, Phase, Place, UnitState},
    ids::{BatchId, DeviceId, EnterpriseId, EventId, LocationId},
    invariants::{
        Asked, Holds, Scope, i8_replay_gives_the_same, i9_arrival_changes_nothing,
        i13_each_unit_is_in_one_state, i19_nothing_of_elsewhere_is_told,
        i20_strangers_are_told_nothing, i22_whole_checkpoints_only,
        i24_snapshot_and_pull_equal_everything, i25_as_known_then_never_changes,
        i29_no_more_at_once_than_may_be,
    },
    unit::UnitKey,
    wire::{Item, UnitCard, Verdict},
};
use uuid::Uuid;

type Kept = BTreeMap<UnitKey, (UnitState, Vec<Finding>)>;

fn is_broken(holds: Holds, invariant: &str) {
    let broken = holds.expect_err("it should be broken");
    assert_eq!(broken.invariant, invariant, "{broken}");
}

fn unit(serial: &str) -> UnitKey {
    UnitKey::kept(&format!("/01/06901234567892/21/{serial}"))
}

/// In stock at a place, held by the one enterprise there is.
fn at(place: u128) -> UnitState {
    UnitState {
        phase: Phase::InStock,
        place: Place::At(LocationId(Uuid::from_u128(place))),
        holder: Some(EnterpriseId(Uuid::from_u128(1))),
        ..UnitState::default()
    }
}

fn finding() -> Finding {
    Finding {
        code: FindingCode::DoubleSale,
        subject: Subject::Unit(unit("A")),
        event: EventId(Uuid::from_u128(2)),
        device: DeviceId(Uuid::from_u128(7)),
        batch: None,
        witnesses: vec![EventId(Uuid::from_u128(2))],
        detail: Detail::Nothing,
    }
}

#[test]
fn i8_what_is_kept_otherwise_than_the_log_gives_is_found() {
    let log = BTreeMap::from([
        (unit("A"), (at(1), vec![finding()])),
        (unit("B"), (at(1), Vec::new())),
    ]);
    i8_replay_gives_the_same(&log, &log).unwrap();
    let differs = |change: fn(&mut Kept)| {
        let mut kept = log.clone();
        change(&mut kept);
        is_broken(i8_replay_gives_the_same(&kept, &log), "I8");
    };
    differs(|kept| kept.values_mut().for_each(|(state, _)| *state = at(2)));
    differs(|kept| kept.values_mut().for_each(|(_, open)| open.clear()));
    differs(|kept| {
        kept.remove(&unit("B"));
    });
    differs(|kept| {
        kept.insert(unit("C"), (at(1), Vec::new()));
    });
}

#[test]
fn i9_what_depends_on_who_came_first_is_found() {
    let folded = |place| Folded {
        state: at(place),
        ..Folded::default()
    };
    let once = BTreeMap::from([(unit("A"), folded(1)), (unit("B"), folded(1))]);
    i9_arrival_changes_nothing(&once, &once).unwrap();
    let differs = |change: fn(&mut BTreeMap<UnitKey, Folded>)| {
        let mut again = once.clone();
        change(&mut again);
        is_broken(i9_arrival_changes_nothing(&once, &again), "I9");
        is_broken(i9_arrival_changes_nothing(&again, &once), "I9");
    };
    differs(|again| again.values_mut().for_each(|unit| unit.state = at(2)));
    differs(|again| {
        for unit in again.values_mut() {
            unit.findings = vec![finding()];
        }
    });
    differs(|again| {
        again.remove(&unit("B"));
    });
}

#[test]
fn i19_a_page_that_tells_of_what_is_elsewhere_is_found() {
    let scope = Scope {
        device: DeviceId(Uuid::from_u128(7)),
        enterprise: EnterpriseId(Uuid::from_u128(1)),
        location: LocationId(Uuid::from_u128(1)),
    };
    // Where the log says it is counts, not what its card says.
    let card = Item::Unit(UnitCard {
        unit: unit("A"),
        level: None,
        product: None,
        batch: None,
        lot: None,
        expires_at: None,
        phase: Phase::InStock,
        place: at(1).place,
        inside: None,
        disposition: None,
        void: false,
        recalls: Vec::new(),
        holds: Vec::new(),
        holds_more: false,
    });
    let by = |whose: Option<u128>, place: Option<Place>| {
        let whose = whose.map(|whose| EnterpriseId(Uuid::from_u128(whose)));
        let put = place.map(|place| (place, whose));
        i19_nothing_of_elsewhere_is_told(&scope, |_| put, [&card])
    };
    let judged = |place| by(Some(1), place);
    let place = |n| LocationId(Uuid::from_u128(n));
    let way = |to, whose: Option<u128>| {
        Some(Place::Between {
            from: place(9),
            to,
            to_enterprise: whose.map(|whose| EnterpriseId(Uuid::from_u128(whose))),
        })
    };
    for here in [
        Some(Place::At(place(1))),
        way(Some(place(1)), Some(2)),
        way(None, Some(1)),
    ] {
        judged(here).unwrap();
    }
    for elsewhere in [
        None,
        Some(Place::Nowhere),
        Some(Place::At(place(2))),
        way(Some(place(2)), Some(1)),
        way(None, Some(2)),
        way(None, None),
    ] {
        is_broken(judged(elsewhere), "I19");
    }
    // Others send goods here, and say of none that it is here.
    by(Some(2), way(Some(place(1)), Some(1))).unwrap();
    for whose in [Some(2), None] {
        is_broken(by(whose, Some(Place::At(place(1)))), "I19");
    }
    let verdict = |of: u128| {
        Item::Verdict(Verdict {
            event: EventId(Uuid::from_u128(2)),
            device: DeviceId(Uuid::from_u128(of)),
            epoch: 1,
            seq: 1,
            findings: Vec::new(),
        })
    };
    let judged = |of| i19_nothing_of_elsewhere_is_told(&scope, |_| None, [&verdict(of)]);
    judged(7).unwrap();
    is_broken(judged(8), "I19");
}

#[test]
fn i25_a_past_that_is_told_otherwise_is_found() {
    let sold = "sold".to_owned();
    i25_as_known_then_never_changes("a tin", 5, &sold, &sold.clone()).unwrap();
    let broken = i25_as_known_then_never_changes("a tin", 5, &sold, &"in stock".to_owned());
    is_broken(broken, "I25");
}

#[test]
fn i13_a_thing_that_is_elsewhere_than_its_container_is_found() {
    let inside = |place| UnitState {
        inside: Some(unit("BOX")),
        ..at(place)
    };
    let with = |thing| BTreeMap::from([(unit("A"), thing), (unit("BOX"), at(1))]);
    i13_each_unit_is_in_one_state(&with(inside(1)), &[]).unwrap();
    is_broken(i13_each_unit_is_in_one_state(&with(inside(2)), &[]), "I13");
    // Recalled, and released with it elsewhere: of the one or the other that is found.
    let batch = |n| Some(BatchId(Uuid::from_u128(n)));
    let thing = UnitState {
        batch: batch(1),
        ..inside(2)
    };
    for (name, of, explains) in [
        ("A", None, true),
        ("BOX", None, true),
        ("BOX", batch(1), true),
        ("BOX", batch(2), false),
        ("C", None, false),
    ] {
        let released = Finding {
            code: FindingCode::ReleaseRecalled,
            subject: Subject::Unit(unit(name)),
            batch: of,
            ..finding()
        };
        let holds = i13_each_unit_is_in_one_state(&with(thing.clone()), &[released]);
        assert_eq!(holds.is_ok(), explains, "{name} {of:?}");
    }
    // Sold where it lay: that says where it was sold.
    let sold = UnitState {
        phase: Phase::Sold,
        ..inside(2)
    };
    i13_each_unit_is_in_one_state(&with(sold), &[]).unwrap();
}

#[test]
fn i20_what_a_stranger_is_told_is_found() {
    let own = Asked {
        what: "its maker, of a tin".into(),
        may: true,
        told: true,
        words: "sold".into(),
        of_nothing: "not found".into(),
    };
    let other = Asked {
        may: false,
        told: false,
        words: "not found".into(),
        ..own.clone()
    };
    i20_strangers_are_told_nothing(&[own.clone(), other.clone()]).unwrap();
    let wrong = [
        Asked {
            told: false,
            ..own.clone()
        },
        Asked { may: false, ..own },
        // That there is something, though not what.
        Asked {
            words: "not yours".into(),
            ..other
        },
    ];
    for asked in wrong {
        is_broken(i20_strangers_are_told_nothing(&[asked]), "I20");
    }
}

#[test]
fn i29_more_at_once_than_may_be_is_found() {
    i29_no_more_at_once_than_may_be("events in a push", 500, 500).unwrap();
    is_broken(
        i29_no_more_at_once_than_may_be("events in a push", 501, 500),
        "I29",
    );
}

#[test]
fn i22_half_a_checkpoint_is_found() {
    let whole = BTreeMap::from([("a".to_owned(), 3), ("b".to_owned(), 5)]);
    i22_whole_checkpoints_only(&whole, &whole).unwrap();
    let half = BTreeMap::from([("a".to_owned(), 3)]);
    is_broken(i22_whole_checkpoints_only(&half, &whole), "I22");
    is_broken(i22_whole_checkpoints_only(&whole, &half), "I22");
    let older = BTreeMap::from([("a".to_owned(), 3), ("b".to_owned(), 4)]);
    is_broken(i22_whole_checkpoints_only(&older, &whole), "I22");
}

#[test]
fn i24_a_snapshot_that_lacks_something_or_has_it_otherwise_is_found() {
    let all = BTreeMap::from([("a".to_owned(), "sold".to_owned())]);
    i24_snapshot_and_pull_equal_everything(&all, &all).unwrap();
    let none = BTreeMap::new();
    let other = BTreeMap::from([("a".to_owned(), "in stock".to_owned())]);
    for wrong in [none, other] {
        is_broken(i24_snapshot_and_pull_equal_everything(&wrong, &all), "I24");
        is_broken(i24_snapshot_and_pull_equal_everything(&all, &wrong), "I24");
    }
}
