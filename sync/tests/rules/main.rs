//! One story for each rule of sync.md section 6, named after it, and its other half: the event
//! that was missing comes in late, and the finding is gone.
//!
//! Every story is judged by the fold and by the oracle, which must agree on all of it.

#[path = "../differential/mod.rs"]
mod differential;
#[path = "../histories/mod.rs"]
mod histories;

mod belonging;
mod carrying;
mod correcting;
mod counting;
mod ending;
mod lots;
mod lots_apart;
mod moving;
mod packing;
mod places;
mod recalling;
mod releasing;
mod selling;
mod striking;
mod told_here;

use histories::{
    Line, Telling,
    stage::{
        self, CASHIER, CHAIN, HOUR, MAKER, OTHER_CASHIER, OTHER_SHOP, PLANT, PLANT_LINE, SHOP,
        STOREMAN, WAREHOUSE, good::TIN_1,
    },
};
use suyuan_sync::{
    event::Kind,
    finding::{Detail, Finding, FindingCode, Subject},
    fold::{Phase, Place, UnitState},
    ids::{EventId, LocationId},
    oracle,
};

/// What is judged of a story.
fn verdict(told: &Telling) -> oracle::Verdict {
    differential::agreed(&told.world, &told.facts)
}

/// The open findings about a good, whatever event they are of.
fn about(told: &Telling, good: usize) -> Vec<FindingCode> {
    let found = verdict(told).about(&stage::unit(good));
    found.into_iter().map(|finding| finding.code).collect()
}

/// The open finding of that code about a good.
fn finding(told: &Telling, good: usize, code: FindingCode) -> Option<Finding> {
    let mut found = verdict(told).about(&stage::unit(good)).into_iter();
    found.find(|finding| finding.code == code)
}

/// All open findings of an event, about whatever.
fn of(told: &Telling, event: EventId) -> Vec<FindingCode> {
    verdict(told).codes_of(event)
}

fn state(told: &Telling, good: usize) -> UnitState {
    verdict(told).units[&stage::unit(good)].clone()
}

fn phase(told: &Telling, good: usize) -> Phase {
    state(told, good).phase
}

/// Where an event on a good happens, and by whom.
fn line(kind: Kind, place: LocationId) -> Line {
    let hand = match place {
        PLANT => PLANT_LINE,
        WAREHOUSE => STOREMAN,
        SHOP => CASHIER,
        OTHER_SHOP => OTHER_CASHIER,
        _ => stage::INTRUDER,
    };
    Line::new(kind, hand, place)
}

/// The first tin left the plant and came into the shop.
fn in_the_shop() -> Telling {
    let mut told = Telling::new();
    told.tell(line(Kind::Outbound, PLANT).of(&[TIN_1]).to(SHOP));
    told.tell(line(Kind::Inbound, SHOP).of(&[TIN_1]).with(MAKER));
    told
}

/// The first tin was sold in the shop.
fn sold() -> (Telling, EventId) {
    let mut told = in_the_shop();
    let sale = told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).doc("R1"));
    (told, sale)
}

/// Nothing is wrong.
fn quiet(told: &Telling) -> bool {
    verdict(told).findings.is_empty()
}

#[test]
fn a_tin_that_is_made_sent_received_sold_brought_back_and_sold_again_raises_nothing() {
    let (mut told, _) = sold();
    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]).doc("R1"));
    told.tell(
        line(Kind::Inspect, SHOP)
            .of(&[TIN_1])
            .disposition(suyuan_sync::event::Disposition::Sellable),
    );
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
    assert!(quiet(&told), "{:?}", verdict(&told).findings);
    assert_eq!(state(&told, TIN_1).place, Place::At(SHOP));
    assert_eq!(phase(&told, TIN_1), Phase::Sold);
}
