//! C0 to C3: commissions, receipts, dispatches.

use super::*;
use histories::stage::{BATCH, BATCHES, MINUTE, OTHER_BATCH, good::*};
use suyuan_sync::event::Disposition;

#[test]
fn c0_an_inspection_of_goods_that_nobody_brought_back_keeps_its_effect_until_the_return_arrives() {
    let (mut told, _) = sold();
    told.tell(
        line(Kind::Inspect, SHOP)
            .of(&[TIN_1])
            .disposition(Disposition::Sellable),
    );
    assert_eq!(about(&told, TIN_1), [FindingCode::UnexpectedState]);
    assert_eq!(phase(&told, TIN_1), Phase::InStock);

    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]).at(3 * HOUR + MINUTE));
    assert!(quiet(&told));
}

#[test]
fn c1_of_two_commissions_the_first_in_order_stays_until_one_is_retracted() {
    let mut told = Telling::new();
    let first = told.tell(line(Kind::Commission, PLANT).of(&[BLANK_TIN]).batch(BATCH));
    let second = told.tell(
        line(Kind::Commission, PLANT)
            .of(&[BLANK_TIN])
            .batch(OTHER_BATCH),
    );
    let conflict = finding(&told, BLANK_TIN, FindingCode::CommissionConflict).unwrap();
    assert_eq!(conflict.event, second);
    assert_eq!(conflict.witnesses, [first, second]);
    assert_eq!(state(&told, BLANK_TIN).batch, Some(BATCH));

    told.tell(line(Kind::Retract, PLANT).target(first));
    assert!(quiet(&told));
    assert_eq!(state(&told, BLANK_TIN).batch, Some(OTHER_BATCH));
}

#[test]
fn c1_a_void_code_is_not_commissioned_but_one_commissioned_before_stays() {
    let mut told = Telling::new();
    let late = told.tell(
        line(Kind::Commission, PLANT)
            .of(&[VOID_TIN])
            .batch(BATCH)
            .at(2 * HOUR),
    );
    assert_eq!(of(&told, late), [FindingCode::CommissionVoid]);
    assert_eq!(phase(&told, VOID_TIN), Phase::Unknown);

    let mut told = Telling::new();
    told.tell(
        line(Kind::Commission, PLANT)
            .of(&[VOID_TIN])
            .batch(BATCH)
            .at(MINUTE),
    );
    assert!(quiet(&told));
    assert_eq!(phase(&told, VOID_TIN), Phase::Commissioned);
}

#[test]
fn c1_a_commission_of_goods_that_were_seen_already_tells_their_batch() {
    let mut told = Telling::new();
    told.tell(line(Kind::Inbound, WAREHOUSE).of(&[BLANK_TIN]));
    told.tell(
        line(Kind::Commission, PLANT)
            .of(&[BLANK_TIN])
            .batch(BATCHES[0]),
    );
    assert_eq!(about(&told, BLANK_TIN), [FindingCode::UnexpectedState]);
    assert_eq!(state(&told, BLANK_TIN).place, Place::At(WAREHOUSE));
    assert_eq!(state(&told, BLANK_TIN).batch, Some(BATCH));
}

#[test]
fn c2_goods_in_stock_elsewhere_teleport_until_the_missing_outbound_arrives() {
    let mut told = in_the_shop();
    let inbound = told.tell(line(Kind::Inbound, OTHER_SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, inbound), [FindingCode::Teleport]);
    assert_eq!(state(&told, TIN_1).place, Place::At(OTHER_SHOP));

    told.tell(
        line(Kind::Outbound, SHOP)
            .of(&[TIN_1])
            .to(OTHER_SHOP)
            .at(2 * HOUR + MINUTE),
    );
    assert!(quiet(&told));
}

#[test]
fn c2_goods_on_their_way_to_another_place_are_misrouted_until_their_way_here_is_told() {
    let mut told = Telling::new();
    told.tell(line(Kind::Outbound, PLANT).of(&[TIN_1]).to(SHOP));
    let inbound = told.tell(line(Kind::Inbound, OTHER_SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, inbound), [FindingCode::Misroute]);

    told.tell(line(Kind::Inbound, SHOP).of(&[TIN_1]).at(HOUR + MINUTE));
    told.tell(
        line(Kind::Outbound, SHOP)
            .of(&[TIN_1])
            .to(OTHER_SHOP)
            .at(HOUR + 2 * MINUTE),
    );
    assert!(quiet(&told));
}

#[test]
fn c2_sold_goods_do_not_come_in_until_their_return_is_told() {
    let (mut told, sale) = sold();
    let inbound = told.tell(line(Kind::Inbound, SHOP).of(&[TIN_1]));
    let found = finding(&told, TIN_1, FindingCode::InboundAfterSale).unwrap();
    assert_eq!(found.witnesses, [sale, inbound]);
    assert_eq!(phase(&told, TIN_1), Phase::InStock);

    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]).at(3 * HOUR + MINUTE));
    told.tell(
        line(Kind::Outbound, SHOP)
            .of(&[TIN_1])
            .to(SHOP)
            .at(3 * HOUR + 2 * MINUTE),
    );
    assert_eq!(about(&told, TIN_1), []);
}

#[test]
fn c2_the_same_scan_again_says_nothing_and_the_window_begins_at_the_scan_that_counted() {
    let mut told = Telling::new();
    let scan = |at| line(Kind::Inbound, WAREHOUSE).of(&[TIN_1]).doc("D1").at(at);
    told.tell(scan(0));
    let again = told.tell(scan(8 * MINUTE));
    let much_later = told.tell(scan(16 * MINUTE));
    assert_eq!(of(&told, again), [FindingCode::DoubleScan]);
    assert_eq!(of(&told, much_later), [FindingCode::UnexpectedState]);
    let other_paper = told.tell(scan(17 * MINUTE).doc("D2"));
    assert_eq!(of(&told, other_paper), [FindingCode::UnexpectedState]);

    // It was sent away and came back in between.
    told.tell(
        line(Kind::Outbound, WAREHOUSE)
            .of(&[TIN_1])
            .to(WAREHOUSE)
            .at(7 * MINUTE),
    );
    assert_eq!(of(&told, again), []);
}

#[test]
fn c3_goods_that_never_came_in_leave_as_orphans_until_their_receipt_arrives() {
    let mut told = Telling::new();
    told.tell(line(Kind::Outbound, PLANT).of(&[TIN_1]).to(WAREHOUSE));
    let outbound = told.tell(line(Kind::Outbound, WAREHOUSE).of(&[TIN_1]).to(SHOP));
    assert_eq!(of(&told, outbound), [FindingCode::OrphanOutbound]);
    assert_eq!(phase(&told, TIN_1), Phase::InTransit);

    told.tell(
        line(Kind::Inbound, WAREHOUSE)
            .of(&[TIN_1])
            .at(HOUR + MINUTE),
    );
    assert!(quiet(&told));
}

#[test]
fn c3_commissioned_goods_leave_their_plant_without_having_come_in() {
    let mut told = Telling::new();
    told.tell(line(Kind::Outbound, PLANT).of(&[TIN_1]).to(SHOP));
    assert!(quiet(&told));
    let elsewhere = told.tell(line(Kind::Outbound, WAREHOUSE).of(&[TIN_2]).to(SHOP));
    assert_eq!(of(&told, elsewhere), [FindingCode::OrphanOutbound]);
}

#[test]
fn c3_goods_leave_from_where_they_are_not_until_their_way_there_is_told() {
    let mut told = in_the_shop();
    let outbound = told.tell(line(Kind::Outbound, OTHER_SHOP).of(&[TIN_1]).to(WAREHOUSE));
    assert_eq!(of(&told, outbound), [FindingCode::WrongLocation]);

    told.tell(
        line(Kind::Outbound, SHOP)
            .of(&[TIN_1])
            .to(OTHER_SHOP)
            .at(2 * HOUR + MINUTE),
    );
    told.tell(
        line(Kind::Inbound, OTHER_SHOP)
            .of(&[TIN_1])
            .at(2 * HOUR + 2 * MINUTE),
    );
    assert!(quiet(&told));
}

#[test]
fn c3_sold_goods_do_not_leave_until_their_return_is_told() {
    let (mut told, _) = sold();
    let outbound = told.tell(line(Kind::Outbound, SHOP).of(&[TIN_1]).to(WAREHOUSE));
    assert_eq!(of(&told, outbound), [FindingCode::ShipAfterSale]);

    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]).at(3 * HOUR + MINUTE));
    assert!(quiet(&told));
    // What was brought back stays so while it moves.
    assert_eq!(phase(&told, TIN_1), Phase::Returned);
    assert!(matches!(state(&told, TIN_1).place, Place::Between { .. }));
}

#[test]
fn c3_recalled_goods_leave_only_for_where_the_recall_wants_them() {
    let mut told = in_the_shop();
    let recall = told.recall(&[BATCH], 2 * HOUR + MINUTE);
    let astray = told.tell(line(Kind::Outbound, SHOP).of(&[TIN_1]).to(OTHER_SHOP));
    assert_eq!(of(&told, astray), [FindingCode::ShipRecalled]);
    // Nowhere named: to the issuer.
    let mut home = told.clone();
    home.facts.pop();
    home.tell(line(Kind::Outbound, SHOP).of(&[TIN_1]).with(MAKER));
    assert!(quiet(&home));

    told.world.recalls[recall].destinations = [OTHER_SHOP].into();
    assert!(quiet(&told));
}
