//! C4 and C5: sales and returns.

use super::*;
use histories::stage::{DAY, EXPIRY, MINUTE, START, good::*};
use serde_json::json;
use suyuan_sync::event::{Disposition, Input};

#[test]
fn c4_goods_that_never_came_in_are_sold_as_orphans_until_their_receipt_arrives() {
    let mut told = Telling::new();
    told.tell(line(Kind::Outbound, PLANT).of(&[TIN_1]).to(OTHER_SHOP));
    let sale = told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, sale), [FindingCode::OrphanSale]);
    assert_eq!(phase(&told, TIN_1), Phase::Sold);

    told.tell(
        line(Kind::Outbound, PLANT)
            .of(&[TIN_1])
            .to(SHOP)
            .at(30 * MINUTE),
    );
    told.tell(line(Kind::Inbound, SHOP).of(&[TIN_1]).at(HOUR + MINUTE));
    assert_eq!(of(&told, sale), []);
}

#[test]
fn c4_a_sale_on_the_way_here_implies_its_receipt_until_that_arrives() {
    let mut told = Telling::new();
    told.tell(line(Kind::Outbound, PLANT).of(&[TIN_1]).with(CHAIN));
    let sale = told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, sale), [FindingCode::ImpliedReceipt]);

    told.tell(line(Kind::Inbound, SHOP).of(&[TIN_1]).at(HOUR + MINUTE));
    assert!(quiet(&told));
}

#[test]
fn c4_the_first_sale_in_order_stays_and_the_later_is_a_double_sale_until_a_return_between() {
    let (mut told, first) = sold();
    let second = told.tell(line(Kind::Sale, OTHER_SHOP).of(&[TIN_1]));
    let double = finding(&told, TIN_1, FindingCode::DoubleSale).unwrap();
    assert_eq!(double.event, second);
    assert_eq!(double.witnesses, [first, second]);
    assert_eq!(state(&told, TIN_1).place, Place::At(SHOP));
    assert!(state(&told, TIN_1).suspected_copy);

    // It was brought back, found sellable and sent there.
    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]).at(3 * HOUR + MINUTE));
    told.tell(
        line(Kind::Inspect, SHOP)
            .of(&[TIN_1])
            .disposition(Disposition::Sellable)
            .at(3 * HOUR + 2 * MINUTE),
    );
    told.tell(
        line(Kind::Outbound, SHOP)
            .of(&[TIN_1])
            .to(OTHER_SHOP)
            .at(3 * HOUR + 3 * MINUTE),
    );
    told.tell(
        line(Kind::Inbound, OTHER_SHOP)
            .of(&[TIN_1])
            .at(3 * HOUR + 4 * MINUTE),
    );
    assert!(quiet(&told));
    assert!(!state(&told, TIN_1).suspected_copy);
    assert_eq!(state(&told, TIN_1).place, Place::At(OTHER_SHOP));
}

#[test]
fn c4_nobody_is_suspected_of_copying_by_a_typed_code_or_in_one_shop() {
    for (place, input) in [(OTHER_SHOP, Input::Typed), (SHOP, Input::Camera)] {
        let (mut told, _) = sold();
        told.tell(line(Kind::Sale, place).read_by(input).of(&[TIN_1]));
        assert_eq!(about(&told, TIN_1), [FindingCode::DoubleSale]);
        assert!(!state(&told, TIN_1).suspected_copy);
    }
}

#[test]
fn c4_a_double_sale_is_judged_by_intervals_and_says_when_nobody_can_tell() {
    let mut told = in_the_shop();
    told.tell(
        line(Kind::Sale, SHOP)
            .of(&[TIN_1])
            .at(10 * HOUR)
            .give_or_take(HOUR, HOUR),
    );
    told.tell(
        line(Kind::Sale, OTHER_SHOP)
            .of(&[TIN_1])
            .at(11 * HOUR)
            .give_or_take(30 * MINUTE, 0),
    );
    let uncertain = finding(&told, TIN_1, FindingCode::OrderUncertain).unwrap();
    assert_eq!(
        uncertain.detail,
        Detail::Overlap {
            width_us: 30 * MINUTE
        }
    );
}

/// The sale that was brought back may be this very one, of a till whose clock is behind.
#[test]
fn c4_a_sale_of_returned_goods_is_judged_by_intervals_and_says_when_nobody_can_tell() {
    let told = |hand: stage::Hand, before: i64| {
        let mut told = in_the_shop();
        let back = Line::new(Kind::Return, hand, SHOP).of(&[TIN_1]);
        let back = told.tell(back.at(5 * HOUR).give_or_take(2 * HOUR, 2 * HOUR));
        let sale = line(Kind::Sale, SHOP).of(&[TIN_1]);
        let sale = told.tell(sale.at(10 * HOUR).give_or_take(before, HOUR));
        assert!(of(&told, sale).contains(&FindingCode::SoldUninspected));
        let uncertain = finding(&told, TIN_1, FindingCode::OrderUncertain);
        assert!(uncertain.iter().all(|it| it.witnesses == [back, sale]));
        uncertain.map(|it| it.detail)
    };
    let width_us = HOUR;
    let uncertain = Some(Detail::Overlap { width_us });
    assert_eq!(told(OTHER_CASHIER, 4 * HOUR), uncertain);
    assert_eq!(told(OTHER_CASHIER, 2 * HOUR), None);
    // A device knows the order of its own events.
    assert_eq!(told(CASHIER, 4 * HOUR), None);
}

#[test]
fn c4_expired_goods_are_sold_from_midnight_on() {
    for (at, expired) in [(EXPIRY - START - 1, false), (EXPIRY - START, true)] {
        let mut told = Telling::new();
        told.tell(line(Kind::Outbound, PLANT).of(&[SHORT_TIN]).to(SHOP));
        told.tell(line(Kind::Inbound, SHOP).of(&[SHORT_TIN]));
        let sale = told.tell(line(Kind::Sale, SHOP).of(&[SHORT_TIN]).at(at));
        assert_eq!(!of(&told, sale).is_empty(), expired);
        if expired {
            assert_eq!(of(&told, sale), [FindingCode::SoldExpired]);
            told.tell(line(Kind::Retract, SHOP).target(sale).at(4 * DAY));
            assert!(quiet(&told));
        }
    }
}

#[test]
fn c4_returned_goods_are_not_sold_before_an_inspection() {
    let (mut told, _) = sold();
    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]));
    let again = told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, again), [FindingCode::SoldUninspected]);
    assert_eq!(phase(&told, TIN_1), Phase::Sold);

    told.tell(
        line(Kind::Inspect, SHOP)
            .of(&[TIN_1])
            .disposition(Disposition::Sellable)
            .at(4 * HOUR + MINUTE),
    );
    assert!(quiet(&told));
}

#[test]
fn c5_a_return_of_what_was_never_sold_heals_with_the_late_sale() {
    let mut told = in_the_shop();
    let back = told.tell(line(Kind::Return, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, back), [FindingCode::ReturnUnsold]);
    assert_eq!(phase(&told, TIN_1), Phase::Returned);

    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).at(2 * HOUR + MINUTE));
    assert!(quiet(&told));
}

#[test]
fn c5_a_return_to_another_store_and_a_second_return_are_told() {
    let (mut told, _) = sold();
    let elsewhere = told.tell(line(Kind::Return, OTHER_SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, elsewhere), [FindingCode::CrossStoreReturn]);
    let again = told.tell(line(Kind::Return, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, again), [FindingCode::DoubleReturn]);

    // It was found sellable and sold again in the shop.
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).at(4 * HOUR + MINUTE));
    assert_eq!(of(&told, again), []);
}

#[test]
fn c5_goods_come_back_with_the_receipt_of_their_sale() {
    let (mut told, sale) = sold();
    let receipt = |receipt: serde_json::Value| {
        line(Kind::Return, SHOP)
            .of(&[TIN_1])
            .item("receipt", receipt)
    };
    let fitting = [
        json!("R1"),
        json!({"no": "R1", "lot": "L1", "code": stage::CODES[TIN_1]}),
        json!({}),
    ];
    for shown in fitting {
        let mut told = told.clone();
        told.tell(receipt(shown));
        assert!(quiet(&told));
    }
    let other = [
        json!("R2"),
        json!({"lot": "L2"}),
        json!({"no": "R1", "code": stage::CODES[TIN_2]}),
    ];
    for shown in other {
        let mut told = told.clone();
        let back = told.tell(receipt(shown));
        let mismatch = finding(&told, TIN_1, FindingCode::ReturnMismatch).unwrap();
        assert_eq!(mismatch.witnesses, [sale, back]);
    }

    // The sale on the other paper comes in late.
    told.tell(receipt(json!("R2")));
    told.tell(line(Kind::Retract, SHOP).target(sale));
    assert!(!quiet(&told));
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).doc("R2").at(3 * HOUR));
    assert!(quiet(&told));
}

#[test]
fn c5_recalled_goods_that_come_back_count_as_collected() {
    let (mut told, _) = sold();
    let recall = told.recall(&[histories::stage::BATCH], 3 * HOUR + MINUTE);
    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]));
    assert_eq!(phase(&told, TIN_1), Phase::Collected);

    told.world.recalls[recall].mistaken = true;
    assert_eq!(phase(&told, TIN_1), Phase::Returned);
}

/// Of three sales it takes but two places where a machine read the code off goods.
#[test]
fn c4_a_copy_shows_behind_a_first_sale_that_was_typed() {
    let mut told = in_the_shop();
    told.tell(line(Kind::Sale, SHOP).read_by(Input::Typed).of(&[TIN_1]));
    told.tell(line(Kind::Sale, OTHER_SHOP).of(&[TIN_1]));
    assert!(!state(&told, TIN_1).suspected_copy);
    told.tell(line(Kind::Sale, OTHER_SHOP).of(&[TIN_1]));
    assert!(!state(&told, TIN_1).suspected_copy, "one place twice");
    told.tell(line(Kind::Sale, PLANT).of(&[TIN_1]));
    assert!(state(&told, TIN_1).suspected_copy);
}
