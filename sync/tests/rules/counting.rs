//! C11: counts, and the balances of goods without codes of their own.

use super::*;
use histories::stage::{LOOSE, MINUTE, good::*};
use serde_json::json;
use suyuan_sync::finding::LotKey;

fn count(goods: &[usize]) -> Line {
    line(Kind::Count, SHOP)
        .of(goods)
        .item("scope", json!({"complete": true}))
}

fn lot(location: LocationId, lot: Option<&str>) -> LotKey {
    LotKey {
        gtin: LOOSE.to_owned(),
        lot: lot.map(str::to_owned),
        location,
    }
}

#[test]
fn c11_goods_a_complete_count_does_not_see_are_missing_until_their_sale_arrives() {
    let mut told = in_the_shop();
    let counted = told.tell(count(&[]));
    assert_eq!(about(&told, TIN_1), [FindingCode::MissingAtCount]);
    assert_eq!(of(&told, counted), [FindingCode::MissingAtCount]);
    assert_eq!(phase(&told, TIN_1), Phase::InStock);

    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).at(2 * HOUR + MINUTE));
    assert!(quiet(&told));
}

#[test]
fn c11_a_count_of_some_products_or_of_a_part_misses_nothing_else() {
    let scopes = [
        (json!({"complete": false}), false),
        (json!({"complete": true, "gtins": [LOOSE]}), false),
        (json!({"complete": true, "gtins": [stage::TIN]}), true),
    ];
    for (scope, missing) in scopes {
        let mut told = in_the_shop();
        told.tell(line(Kind::Count, SHOP).item("scope", scope));
        assert_eq!(!quiet(&told), missing);
    }
}

#[test]
fn c11_what_another_document_of_a_count_saw_elsewhere_is_missing_here() {
    let document = |n: u32, place: LocationId, goods: &[usize]| {
        let group = suyuan_sync::event::Group {
            id: suyuan_sync::ids::GroupId(uuid::Uuid::from_u128(7)),
            n,
            of: 2,
            correct: false,
        };
        let complete = line(Kind::Count, place).of(goods);
        let complete = complete.item("scope", json!({"complete": true}));
        complete.saying(move |event| event.group = Some(group))
    };
    for (first, missing) in [(OTHER_SHOP, true), (SHOP, false)] {
        let mut told = in_the_shop();
        told.tell(document(1, first, &[TIN_1]));
        told.tell(line(Kind::Inbound, SHOP).of(&[TIN_1]).doc("R2"));
        let last = told.tell(document(2, SHOP, &[]));
        let found = of(&told, last).contains(&FindingCode::MissingAtCount);
        assert_eq!(found, missing, "{first}");
    }
}

#[test]
fn c11_goods_seen_where_nobody_expected_them_are_there_now() {
    let mut told = Telling::new();
    told.tell(line(Kind::Outbound, PLANT).of(&[TIN_1]).to(SHOP));
    told.tell(count(&[TIN_1]));
    assert_eq!(about(&told, TIN_1), [FindingCode::SurplusAtCount]);
    assert_eq!(state(&told, TIN_1).place, Place::At(SHOP));
    assert_eq!(phase(&told, TIN_1), Phase::InStock);

    told.tell(line(Kind::Inbound, SHOP).of(&[TIN_1]).at(HOUR + MINUTE));
    assert!(quiet(&told));
}

#[test]
fn c11_sold_goods_seen_at_a_count_stay_sold() {
    let (mut told, _) = sold();
    told.tell(count(&[TIN_1]));
    assert_eq!(about(&told, TIN_1), [FindingCode::SurplusAtCount]);
    assert_eq!(phase(&told, TIN_1), Phase::Sold);
}

#[test]
fn c11_a_negative_balance_is_told_with_its_interval_and_heals_with_the_missing_receipt() {
    let mut told = Telling::new();
    told.tell(line(Kind::Inbound, SHOP).lot(Some("S1"), 3));
    let second = told.tell(line(Kind::Sale, SHOP).lot(Some("S1"), 5));
    told.tell(line(Kind::Sale, SHOP).lot(Some("S1"), 1));
    told.tell(line(Kind::Inbound, SHOP).lot(Some("S1"), 4));
    let key = lot(SHOP, Some("S1"));
    let judged = verdict(&told);
    assert_eq!(judged.lots[&key], 1);
    let found = judged.about_subject(&Subject::Lot(key.clone()));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, FindingCode::NegBalance);
    assert_eq!(found[0].event, second);
    assert_eq!(
        found[0].detail,
        Detail::Balance {
            from: stage::START + 2 * HOUR,
            until: Some(stage::START + 4 * HOUR),
            lowest: -3,
        }
    );

    told.tell(
        line(Kind::Inbound, SHOP)
            .lot(Some("S1"), 3)
            .at(HOUR + MINUTE),
    );
    assert!(quiet(&told));
    assert_eq!(verdict(&told).lots[&key], 4);
}

#[test]
fn c11_a_count_enters_the_balance_only_when_a_supervisor_accepted_it() {
    for (supervisor, balance) in [(true, 7), (false, 10)] {
        let mut told = Telling::new();
        told.tell(line(Kind::Inbound, SHOP).lot(Some("S1"), 10));
        let mut counted = line(Kind::Count, SHOP)
            .lot(Some("S1"), 7)
            .item("accepted", json!(true));
        if supervisor {
            counted = counted.supervisor();
        }
        let counted = told.tell(counted);
        assert_eq!(verdict(&told).lots[&lot(SHOP, Some("S1"))], balance);
        assert_eq!(of(&told, counted).is_empty(), supervisor);
    }
}

#[test]
fn c11_goods_without_a_lot_are_a_line_of_their_own() {
    let mut told = Telling::new();
    let event = told.tell(line(Kind::Inbound, SHOP).lot(None, 10));
    assert_eq!(of(&told, event), [FindingCode::LotUnknown]);
    assert_eq!(verdict(&told).lots[&lot(SHOP, None)], 10);
}
