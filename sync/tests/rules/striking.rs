//! C10: retractions and corrections.

use super::*;
use histories::stage::{MINUTE, good::*};
use suyuan_sync::{
    event::Group,
    facts::{ShiftClosed, StatedAt},
    ids::GroupId,
};

#[test]
fn c10_a_retracted_event_contributes_nothing_wherever_the_retract_stands() {
    for at in [MINUTE, 9 * HOUR] {
        let (mut told, sale) = sold();
        told.tell(line(Kind::Retract, SHOP).target(sale).at(at));
        assert!(quiet(&told));
        assert_eq!(phase(&told, TIN_1), Phase::InStock);
    }
}

#[test]
fn c10_a_retract_waits_for_its_target_and_strikes_when_it_arrives() {
    let mut told = in_the_shop();
    let sale = stage::event(3);
    let retract = told.tell(line(Kind::Retract, SHOP).of(&[TIN_1]).target(sale));
    assert!(about(&told, TIN_1).is_empty(), "it is found at itself");
    assert_eq!(of(&told, retract), [FindingCode::RetractPending]);

    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
    assert!(quiet(&told));
    assert_eq!(phase(&told, TIN_1), Phase::InStock);
}

#[test]
fn c10_a_retract_is_not_retracted() {
    let (mut told, sale) = sold();
    let retract = told.tell(line(Kind::Retract, SHOP).target(sale));
    let again = told.tell(line(Kind::Retract, SHOP).target(retract));
    assert_eq!(of(&told, again), [FindingCode::RetractOfRetract]);
    assert_eq!(phase(&told, TIN_1), Phase::InStock);
}

#[test]
fn c10_only_who_stated_it_or_a_supervisor_of_the_same_enterprise_strikes() {
    let (told, sale) = sold();
    let lines = [
        (line(Kind::Retract, SHOP).by("another"), false),
        (line(Kind::Retract, SHOP).by("another").supervisor(), true),
        (line(Kind::Retract, stage::STALL).supervisor(), false),
        (line(Kind::Retract, stage::STALL).by(CASHIER.actor), false),
    ];
    for (line, strikes) in lines {
        let mut told = told.clone();
        let retract = told.tell(line.target(sale));
        if strikes {
            assert!(quiet(&told));
            assert_eq!(phase(&told, TIN_1), Phase::InStock);
        } else {
            assert_eq!(of(&told, retract), [FindingCode::RetractUnauthorised]);
            assert_eq!(phase(&told, TIN_1), Phase::Sold);
        }
    }
}

#[test]
fn c10_who_names_nobody_strikes_what_the_same_device_stated_without_a_name() {
    let mut told = in_the_shop();
    let sale = told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).by(""));
    let beside = |actor| Line::new(Kind::Retract, OTHER_CASHIER, SHOP).by(actor);
    let lines = [
        (line(Kind::Retract, SHOP).by(""), true),
        (line(Kind::Retract, SHOP).by(CASHIER.actor), false),
        (beside(""), false),
        (beside("").supervisor(), true),
    ];
    for (line, strikes) in lines {
        let mut told = told.clone();
        let retract = told.tell(line.target(sale));
        let found = of(&told, retract);
        assert_eq!(found.contains(&FindingCode::RetractUnauthorised), !strikes);
        assert_eq!(phase(&told, TIN_1) == Phase::InStock, strikes);
    }
    // A name is somebody on any device.
    let (mut told, sale) = sold();
    let elsewhere = Line::new(Kind::Retract, OTHER_CASHIER, SHOP).by(CASHIER.actor);
    told.tell(elsewhere.target(sale));
    assert_eq!(phase(&told, TIN_1), Phase::InStock);
}

#[test]
fn c10_after_the_shift_was_closed_a_retract_without_supervisor_is_late() {
    for (supervisor, late) in [(false, true), (true, false)] {
        let (mut told, sale) = sold();
        told.world.shifts.push(ShiftClosed {
            at: StatedAt {
                at: stage::START + 3 * HOUR + MINUTE,
                gseq: 350,
            },
            device: CASHIER.device,
        });
        let mut retract = line(Kind::Retract, SHOP).target(sale);
        if supervisor {
            retract = retract.supervisor();
        }
        let retract = told.tell(retract);
        assert_eq!(phase(&told, TIN_1), Phase::InStock);
        assert!(about(&told, TIN_1).is_empty(), "it is found at itself");
        assert_eq!(of(&told, retract) == [FindingCode::LateRetract], late);
        assert_eq!(quiet(&told), !late);
    }
}

#[test]
fn c10_in_a_correction_the_new_event_counts_only_if_its_retract_does() {
    for (actor, phase_after) in [(CASHIER.actor, Phase::Returned), ("another", Phase::Sold)] {
        let (mut told, sale) = sold();
        let group = |n| Group {
            id: GroupId(sale.0),
            n,
            of: 3,
            correct: true,
        };
        told.tell(
            line(Kind::Retract, SHOP)
                .by(actor)
                .target(sale)
                .saying(|event| event.group = Some(group(1))),
        );
        let sold_again = told.tell(
            line(Kind::Sale, SHOP)
                .of(&[TIN_1])
                .by(actor)
                .saying(|event| event.group = Some(group(2))),
        );
        told.tell(
            line(Kind::Return, SHOP)
                .of(&[TIN_1])
                .by(actor)
                .saying(|event| event.group = Some(group(3))),
        );
        assert_eq!(phase(&told, TIN_1), phase_after);
        assert_eq!(of(&told, sold_again), []);
    }
}
