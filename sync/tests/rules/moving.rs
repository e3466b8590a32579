//! C0 to C3: commissions, receipts, dispatches.

use super::*;
use histories::stage::{
    BATCH, BATCHES, MINUTE, NO_BATCH, OTHER_BATCH, OTHER_OWN_BATCH, OWN, OWN_BATCH, TIN, good::*,
};
use suyuan_sync::event::{Disposition, Event, LotLine};

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

/// A delivery that was refused comes back to who sent it.
#[test]
fn c2_a_refused_delivery_comes_back_to_its_sender_and_is_no_misroute() {
    let sent = |from: LocationId, way: fn(Line) -> Line, back: LocationId| {
        let mut told = Telling::new();
        if from == SHOP {
            told = in_the_shop();
        }
        told.tell(way(line(Kind::Outbound, from).of(&[TIN_1])));
        let back = told.tell(line(Kind::Inbound, back).of(&[TIN_1]));
        assert_eq!(phase(&told, TIN_1), Phase::InStock);
        of(&told, back)
    };
    let to_shop = |line: Line| line.to(SHOP);
    let to_chain = |line: Line| line.with(CHAIN);
    let to_other_shop = |line: Line| line.to(OTHER_SHOP);
    let to_warehouse = |line: Line| line.to(WAREHOUSE);
    // Where it left; and of what was meant for another enterprise, elsewhere at the sender's.
    assert_eq!(sent(PLANT, to_shop, PLANT), []);
    assert_eq!(sent(PLANT, to_chain, PLANT), []);
    assert_eq!(sent(PLANT, to_warehouse, PLANT), []);
    assert_eq!(sent(SHOP, to_other_shop, SHOP), []);
    assert_eq!(sent(PLANT, to_shop, WAREHOUSE), []);
    assert_eq!(sent(PLANT, to_chain, WAREHOUSE), []);
    // Whoever else takes it in, and within one enterprise another place.
    let misroute = [FindingCode::Misroute];
    assert_eq!(sent(PLANT, to_shop, OTHER_SHOP), misroute);
    assert_eq!(sent(SHOP, to_warehouse, PLANT), misroute);
    let mut told = in_the_shop();
    told.tell(line(Kind::Outbound, SHOP).of(&[TIN_1]).to(stage::ELSEWHERE));
    let other = told.tell(line(Kind::Inbound, OTHER_SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, other), misroute);

    // What was brought back by a consumer, and refused by the supplier.
    let (mut told, _) = sold();
    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]));
    told.tell(line(Kind::Outbound, SHOP).of(&[TIN_1]).to(WAREHOUSE));
    let back = told.tell(line(Kind::Inbound, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, back), []);
    assert_eq!(phase(&told, TIN_1), Phase::Returned);
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

#[test]
fn c1_a_lot_means_the_batch_of_the_units_own_product_and_issuer() {
    // Three batches of one lot: of a GTIN, and of two enterprises' products of one code.
    for (place, good, batch) in [
        (PLANT, BLANK_TIN, BATCH),
        (PLANT, CASE_1, BATCH),
        (PLANT, OWN_TIN, OWN_BATCH),
        (SHOP, OTHER_OWN_TIN, OTHER_OWN_BATCH),
    ] {
        let product = if batch == BATCH { TIN } else { OWN };
        let named = |event: &mut Event| {
            event.body.insert("batch".into(), "L1".into());
        };
        let in_a_line = |event: &mut Event| {
            let line = LotLine {
                gtin: product.to_owned(),
                lot: Some("L1".to_owned()),
                qty: 0,
            };
            event.lots.push(line);
        };
        let says: [&dyn Fn(&mut Event); 2] = [&named, &in_a_line];
        for say in says {
            let mut told = Telling::new();
            let line = line(Kind::Commission, place).of(&[good]);
            let event = told.tell(line.saying(say));
            assert_eq!(state(&told, good).batch, Some(batch));
            assert!(!unknown(&told, event).contains("batch:"));
        }
    }
}

#[test]
fn c1_a_batch_that_is_not_of_the_units_product_is_not_taken_and_told_as_unknown() {
    let cases = [
        (PLANT, BLANK_TIN, OWN_BATCH),
        (PLANT, OWN_TIN, OTHER_OWN_BATCH),
        (PLANT, PALLET, OTHER_OWN_BATCH),
        (SHOP, FOREIGN_PALLET, BATCH),
        (SHOP, FOREIGN_TIN, OTHER_OWN_BATCH),
    ];
    for (place, good, batch) in cases {
        let mut told = Telling::new();
        let line = line(Kind::Commission, place).of(&[good]);
        let event = told.tell(line.batch(batch));
        assert_eq!(state(&told, good).batch, None, "{good}");
        assert!(unknown(&told, event).contains(&format!("batch:{}", batch.0)));
    }
    // Of what no product is known, a batch of who states it.
    let mut told = Telling::new();
    let line = Line::new(Kind::Commission, CASHIER, SHOP).of(&[FOREIGN_PALLET]);
    let event = told.tell(line.batch(OTHER_OWN_BATCH));
    assert_eq!(state(&told, FOREIGN_PALLET).batch, Some(OTHER_OWN_BATCH));
    assert_eq!(of(&told, event), []);
    // By a lot only if a line tells the product.
    for (product, lot, batch) in [
        (Some(OWN), "L1", Some(OTHER_OWN_BATCH)),
        (Some(TIN), "L1", None),
        (None, "L1", None),
    ] {
        let mut told = Telling::new();
        let line = Line::new(Kind::Commission, CASHIER, SHOP).of(&[FOREIGN_PALLET]);
        let event = told.tell(line.saying(|event| {
            event.body.insert("batch".into(), lot.into());
            event.lots = product
                .map(|product| LotLine {
                    gtin: product.to_owned(),
                    lot: None,
                    qty: 0,
                })
                .into_iter()
                .collect();
        }));
        assert_eq!(state(&told, FOREIGN_PALLET).batch, batch, "{product:?}");
        assert_eq!(unknown(&told, event).contains("batch:L1"), batch.is_none());
    }
}

#[test]
fn c1_a_batch_that_comes_on_record_later_is_taken_then() {
    let mut told = Telling::new();
    let event = told.tell(
        line(Kind::Commission, PLANT)
            .of(&[BLANK_TIN])
            .batch(NO_BATCH),
    );
    assert_eq!(of(&told, event), [FindingCode::UnknownRef]);
    assert_eq!(phase(&told, BLANK_TIN), Phase::Commissioned);
    assert_eq!(state(&told, BLANK_TIN).batch, None);
    let mut info = told.world.batches[&BATCH].clone();
    info.lot = "L9".to_owned();
    told.world.batches.insert(NO_BATCH, info);
    assert_eq!(of(&told, event), []);
    assert_eq!(state(&told, BLANK_TIN).batch, Some(NO_BATCH));
}

/// What an event names that is not on record.
fn unknown(told: &Telling, event: EventId) -> String {
    let mut found = verdict(told).findings.into_iter();
    let found = found.find(|found| found.event == event && found.code == FindingCode::UnknownRef);
    match found.map(|found| found.detail) {
        Some(Detail::Unknown { what, .. }) => what,
        _ => String::new(),
    }
}
