//! The invariants of what is kept and what is read, each broken once; those of the log and of devices
//! are in `invariants`.

use std::collections::BTreeMap;
use suyuan_sync::{
    finding::{Detail, Finding, FindingCode, Subject},
    fold::{Phase, Place, UnitState},
    ids::{DeviceId, EnterpriseId, EventId, LocationId},
    invariants::{
        Asked, Holds, i8_replay_gives_the_same, i13_each_unit_is_in_one_state,
        i20_strangers_are_told_nothing, i22_whole_checkpoints_only,
        i24_snapshot_and_pull_equal_everything, i29_no_more_at_once_than_may_be,
    },
    unit::UnitKey,
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
fn i13_a_thing_that_is_elsewhere_than_its_container_is_found() {
    let inside = |place| UnitState {
        inside: Some(unit("BOX")),
        ..at(place)
    };
    let with = |thing| BTreeMap::from([(unit("A"), thing), (unit("BOX"), at(1))]);
    i13_each_unit_is_in_one_state(&with(inside(1))).unwrap();
    is_broken(i13_each_unit_is_in_one_state(&with(inside(2))), "I13");
    // Sold where it lay: that says where it was sold.
    let sold = UnitState {
        phase: Phase::Sold,
        ..inside(2)
    };
    i13_each_unit_is_in_one_state(&with(sold)).unwrap();
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
