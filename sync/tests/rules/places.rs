//! C14: at another enterprise's place nobody's word counts but its owner's, whoever issued the goods, had
//! them or is accepted; on a place that is on no record everybody's does who has a say in the goods.

use super::*;
use histories::stage::{ELSEWHERE, INTRUDER, STALL, STRANGER, good::*};
use suyuan_sync::facts::{AcceptScope, Accepted, PlaceInfo, StatedAt};

const UNEXPECTED: [FindingCode; 1] = [FindingCode::UnexpectedHolder];

/// By the maker, in the shop.
fn intruding(kind: Kind) -> Line {
    Line::new(kind, STOREMAN, SHOP)
}

fn unclaimed(state: UnitState) -> UnitState {
    UnitState {
        claims: [].into(),
        ..state
    }
}

#[test]
fn c14_at_anothers_place_no_kind_of_event_counts_not_even_the_issuers() {
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Retract) {
        let mut told = in_the_shop();
        let before = [TIN_1, TIN_2, CASE_1].map(|good| state(&told, good));
        let line = intruding(kind).of(&[TIN_1, TIN_2]).with(STRANGER);
        let event = told.tell(match kind {
            Kind::Pack | Kind::Unpack => line.into(CASE_1),
            _ => line,
        });
        let mut found = of(&told, event);
        found.dedup();
        found.retain(|code| *code != FindingCode::Incomplete);
        assert_eq!(found, UNEXPECTED, "{kind:?}");
        let after = [TIN_1, TIN_2, CASE_1].map(|good| unclaimed(state(&told, good)));
        assert_eq!(after, before, "{kind:?}");
        let claim = match kind {
            Kind::Sale | Kind::Destroy => Place::Nowhere,
            Kind::Outbound => Place::Between {
                from: SHOP,
                to: None,
                to_enterprise: Some(STRANGER),
            },
            _ => Place::At(SHOP),
        };
        assert_eq!(state(&told, TIN_2).claims, [(MAKER, claim)].into());
    }
}

#[test]
fn c14_goods_cannot_be_put_into_anothers_shop_and_come_there_by_its_own_word() {
    let mut told = Telling::new();
    let put = told.tell(intruding(Kind::Inbound).of(&[TIN_1]));
    assert_eq!(of(&told, put), UNEXPECTED);
    let at_the_plant = (Phase::Commissioned, Place::At(PLANT));
    let stands = |told: &Telling| (phase(told, TIN_1), state(told, TIN_1).place);
    assert_eq!(stands(&told), at_the_plant);
    assert_eq!(state(&told, TIN_1).linked, [MAKER].into());
    assert_eq!(
        state(&told, TIN_1).claims,
        [(MAKER, Place::At(SHOP))].into()
    );
    // The shop's own word is worth nothing either before the goods were sent to it.
    let came = told.tell(line(Kind::Inbound, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, came), UNEXPECTED);
    told.tell(
        line(Kind::Outbound, PLANT)
            .of(&[TIN_1])
            .to(SHOP)
            .at(90 * stage::MINUTE),
    );
    assert_eq!(of(&told, came), []);
    assert_eq!(stands(&told), (Phase::InStock, Place::At(SHOP)));
    assert_eq!(state(&told, TIN_1).claims, [].into());
    // What the maker said stays what it was.
    assert_eq!(about(&told, TIN_1), UNEXPECTED);
}

#[test]
fn c14_who_had_the_goods_sells_none_in_anothers_shop_and_links_nobody_there() {
    let mut told = in_the_shop();
    told.tell(line(Kind::Outbound, SHOP).of(&[TIN_1]).with(MAKER));
    told.tell(line(Kind::Inbound, WAREHOUSE).of(&[TIN_1]).with(CHAIN));
    let before = state(&told, TIN_1);
    // The chain is linked to the tin.
    let sold = told.tell(Line::new(Kind::Sale, CASHIER, WAREHOUSE).of(&[TIN_1]));
    let sent = Line::new(Kind::Outbound, CASHIER, WAREHOUSE).of(&[TIN_1]);
    let sent = told.tell(sent.with(STRANGER));
    let came = told.tell(line(Kind::Inbound, STALL).of(&[TIN_1]));
    for event in [sold, sent, came] {
        assert!(of(&told, event).contains(&UNEXPECTED[0]));
    }
    assert_eq!(unclaimed(state(&told, TIN_1)), before);
}

#[test]
fn c14_a_place_on_no_record_restricts_nobody_until_it_is_anothers() {
    let mut told = Telling::new();
    let put = told.tell(Line::new(Kind::Inbound, STOREMAN, ELSEWHERE).of(&[TIN_1]));
    assert_eq!(of(&told, put), [FindingCode::UnknownRef]);
    assert_eq!(state(&told, TIN_1).place, Place::At(ELSEWHERE));
    for (owner, found, place) in [(CHAIN, &UNEXPECTED[..], PLANT), (MAKER, &[][..], ELSEWHERE)] {
        let info = PlaceInfo {
            enterprise: owner,
            plant: false,
        };
        told.world.places.insert(ELSEWHERE, info);
        assert_eq!(of(&told, put), found);
        assert_eq!(state(&told, TIN_1).place, Place::At(place));
    }
}

#[test]
fn c14_an_acceptance_is_of_a_word_on_goods_and_of_no_place() {
    let mut told = in_the_shop();
    told.world.accepted.push(Accepted {
        at: StatedAt { at: 0, gseq: 0 },
        issuer: MAKER,
        partner: STRANGER,
        scope: AcceptScope::Partner(STRANGER),
        from: 0,
    });
    let sold = told.tell(Line::new(Kind::Sale, INTRUDER, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, sold), UNEXPECTED);
    assert_eq!(phase(&told, TIN_1), Phase::InStock);
    let sold = told.tell(line(Kind::Sale, STALL).of(&[TIN_1]));
    assert_eq!(of(&told, sold), [FindingCode::OrphanSale]);
}

#[test]
fn c14_a_foreign_code_is_nobodys_by_what_is_heard_of_it_at_anothers_place() {
    let mut told = Telling::new();
    let put = told.tell(
        Line::new(Kind::Pack, INTRUDER, SHOP)
            .of(&[FOREIGN_TIN])
            .into(FOREIGN_PALLET),
    );
    assert_eq!(state(&told, FOREIGN_TIN).linked, [].into());
    // Nor does it tell of what level the pallet is.
    assert_eq!(state(&told, FOREIGN_PALLET).level, None);
    told.tell(line(Kind::Inbound, SHOP).of(&[FOREIGN_TIN, FOREIGN_PALLET]));
    for good in [FOREIGN_TIN, FOREIGN_PALLET] {
        assert_eq!(state(&told, good).linked, [CHAIN].into());
        assert_eq!(state(&told, good).place, Place::At(SHOP));
        assert_eq!(state(&told, good).inside, None);
    }
    assert!(of(&told, put).contains(&UNEXPECTED[0]));
}

#[test]
fn c14_a_retract_follows_what_it_strikes_wherever_it_is_stated() {
    // What did not count is struck, and what did.
    for place in [WAREHOUSE, SHOP] {
        let mut told = in_the_shop();
        let before = state(&told, TIN_1);
        let put = told.tell(intruding(Kind::Inbound).of(&[TIN_1]));
        told.tell(Line::new(Kind::Retract, STOREMAN, place).target(put));
        assert!(quiet(&told));
        assert_eq!(state(&told, TIN_1), before);
        let sold = told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
        assert_eq!(phase(&told, TIN_1), Phase::Sold);
        told.tell(Line::new(Kind::Retract, CASHIER, place).target(sold));
        assert_eq!(phase(&told, TIN_1), Phase::InStock);
    }
}

#[test]
fn c14_what_is_in_a_container_stays_where_it_is_when_that_is_moved_at_anothers_place() {
    let mut told = Telling::new();
    told.tell(line(Kind::Pack, PLANT).of(&[TIN_1]).into(CASE_1));
    let before = state(&told, TIN_1);
    told.tell(intruding(Kind::Inbound).of(&[CASE_1]));
    assert_eq!(about(&told, CASE_1), UNEXPECTED);
    assert_eq!(about(&told, TIN_1), []);
    // It was read off the case: of the tin nothing is claimed.
    assert_eq!(state(&told, TIN_1), before);
    assert_eq!(
        state(&told, CASE_1).claims,
        [(MAKER, Place::At(SHOP))].into()
    );
}
