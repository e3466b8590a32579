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

/// However often its shelf is counted, a tin that is gone is one finding, at the first count that missed it;
/// once somebody had it in hand it may be gone anew.
#[test]
fn c11_what_was_missed_is_missed_once_until_somebody_names_it() {
    let missed = FindingCode::MissingAtCount;
    let mut told = in_the_shop();
    let first = told.tell(count(&[]).at(5 * HOUR));
    let again = told.tell(count(&[]).at(6 * HOUR));
    let seen = told.tell(count(&[TIN_1]).at(7 * HOUR));
    let gone = told.tell(count(&[]).at(8 * HOUR));
    let found = [first, again, seen, gone].map(|count| of(&told, count));
    assert_eq!(found, [vec![missed], vec![], vec![], vec![missed]]);

    // A count that comes in late and belongs before them is the first now.
    let late = told.tell(count(&[]).at(4 * HOUR));
    assert_eq!(of(&told, late), [missed]);
    assert_eq!(of(&told, first), []);

    // Sold before all of them: what was missed was not there, and what was seen came back.
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).at(3 * HOUR));
    for count in [late, first, again, gone] {
        assert_eq!(of(&told, count), []);
    }
}

#[test]
fn c11_a_count_of_some_products_or_of_a_part_misses_nothing_else() {
    let scopes = [
        (json!({"complete": false}), false),
        (json!({"complete": true, "gtins": [LOOSE]}), false),
        (json!({"complete": true, "gtins": [stage::TIN]}), true),
        // What one product is called otherwise: in thirteen digits, by what stands on its cases.
        (
            json!({"complete": true, "gtins": [LOOSE, stage::TIN[1..]]}),
            true,
        ),
        (json!({"complete": true, "gtins": [stage::BOX]}), true),
    ];
    for (scope, missing) in scopes {
        let mut told = in_the_shop();
        let says_something = scope["complete"] == true;
        told.tell(line(Kind::Count, SHOP).item("scope", scope));
        let found: Vec<FindingCode> = verdict(&told).findings.iter().map(|it| it.code).collect();
        let expected = match (says_something, missing) {
            (true, true) => vec![FindingCode::MissingAtCount],
            (true, false) => vec![],
            (false, _) => vec![FindingCode::Incomplete],
        };
        assert_eq!(found, expected);
    }
}

#[test]
fn c11_goods_of_a_lot_are_missed_whatever_their_product_is_called() {
    // The chain's own product, by its code and by what codes of it begin with; the maker's has the same code.
    let called = [
        (stage::OWN, "SHP.T1N", true),
        ("SHP.T1N", stage::OWN, true),
        (stage::OWN, "MY8.T1N", false),
        (stage::OWN, stage::LOOSE, false),
    ];
    for (goods, counted, missing) in called {
        let mut told = Telling::new();
        let named = |event: &mut suyuan_sync::event::Event| event.lots[0].gtin = goods.to_owned();
        told.tell(line(Kind::Inbound, SHOP).lot(Some("L1"), 5).saying(named));
        let scope = json!({"complete": true, "gtins": [counted]});
        let counted_at = told.tell(line(Kind::Count, SHOP).item("scope", scope));
        let found = of(&told, counted_at).contains(&FindingCode::MissingAtCount);
        assert_eq!(found, missing, "{goods} {counted}");
    }
}

#[test]
fn c15_a_count_of_what_is_not_on_record_says_so() {
    let mut told = in_the_shop();
    let scope = json!({"complete": true, "gtins": ["NO-SUCH", stage::TIN]});
    let counted = told.tell(line(Kind::Count, SHOP).of(&[TIN_1]).item("scope", scope));
    assert_eq!(of(&told, counted), [FindingCode::UnknownRef]);
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

/// A hundred of a lot came into the warehouse, and forty of them were put into a case.
fn forty_in_a_case() -> Telling {
    let mut told = Telling::new();
    told.tell(
        line(Kind::Inbound, WAREHOUSE)
            .lot(Some("S1"), 100)
            .doc("R1"),
    );
    told.tell(line(Kind::Pack, WAREHOUSE).lot(Some("S1"), 40).into(CASE_1));
    told
}

/// All findings that are open, and about what.
fn found(told: &Telling) -> Vec<(FindingCode, Subject)> {
    let found = verdict(told).findings.into_iter();
    found.map(|found| (found.code, found.subject)).collect()
}

fn in_the_warehouse(told: &Telling) -> i64 {
    verdict(told).lots[&lot(WAREHOUSE, Some("S1"))]
}

#[test]
fn c11_what_is_in_a_container_is_answered_for_by_it_and_not_by_what_lies_loose() {
    // A part, a complete count, or one in two documents; with the case, or (in part) without.
    for (complete, names_case, documents, accepted) in [
        (false, true, 1, false),
        (false, true, 1, true),
        (false, false, 1, false),
        (false, false, 1, true),
        (true, true, 1, false),
        (true, true, 1, true),
        (true, true, 2, false),
        (true, true, 2, true),
    ] {
        let mut told = forty_in_a_case();
        for n in 1..=documents {
            let mut counted = line(Kind::Count, WAREHOUSE)
                .item("scope", json!({"complete": complete}))
                .item("accepted", json!(accepted))
                .supervisor();
            if n == 1 {
                counted = counted.lot(Some("S1"), 60);
            }
            if n == documents && names_case {
                counted = counted.of(&[CASE_1]);
            }
            told.tell(counted.saying(|event| {
                event.group = (documents > 1).then(|| suyuan_sync::event::Group {
                    id: suyuan_sync::ids::GroupId(uuid::Uuid::from_u128(7)),
                    n,
                    of: documents,
                    correct: false,
                });
            }));
        }
        assert_eq!(found(&told), [], "{complete} {names_case} {documents}");
        assert_eq!(in_the_warehouse(&told), 100);
        told.tell(line(Kind::Outbound, WAREHOUSE).of(&[CASE_1]).to(SHOP));
        assert_eq!(in_the_warehouse(&told), 60);
    }
}

#[test]
fn c11_a_container_that_is_not_there_is_what_is_missing_and_not_what_is_in_it() {
    for accepted in [false, true] {
        let mut told = forty_in_a_case();
        told.tell(
            line(Kind::Count, WAREHOUSE)
                .lot(Some("S1"), 60)
                .item("scope", json!({"complete": true}))
                .item("accepted", json!(accepted))
                .supervisor(),
        );
        let case = Subject::Unit(stage::unit(CASE_1));
        assert_eq!(found(&told), [(FindingCode::MissingAtCount, case)]);
        assert_eq!(in_the_warehouse(&told), 100);

        // It had left, and its outbound comes in: nothing is missing, and no more than lies there.
        told.tell(
            line(Kind::Outbound, WAREHOUSE)
                .of(&[CASE_1])
                .to(SHOP)
                .at(2 * HOUR + MINUTE),
        );
        assert!(quiet(&told));
        assert_eq!(in_the_warehouse(&told), 60);
    }
}

#[test]
fn c11_loose_goods_that_are_fewer_or_more_are_told_with_what_lies_in_containers() {
    for (loose, code, there) in [
        (55, FindingCode::MissingAtCount, 95),
        (100, FindingCode::SurplusAtCount, 140),
    ] {
        let mut told = forty_in_a_case();
        told.tell(line(Kind::Count, WAREHOUSE).lot(Some("S1"), loose));
        let about = Subject::Lot(lot(WAREHOUSE, Some("S1")));
        let found = verdict(&told).about_subject(&about);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code, code);
        let expected = 100;
        assert_eq!(found[0].detail, Detail::Count { expected, there });
    }
}

/// Eight lines of the most that one can name are more than 32 bits hold, and a balance below zero is
/// told as what it is.
#[test]
fn c11_a_count_tells_its_numbers_whole_however_large_or_low_the_balance() {
    const MANY: i64 = 1_000_000_000;
    let told_by_count = |told: &Telling| {
        let about = Subject::Lot(lot(WAREHOUSE, Some("S1")));
        let found = verdict(told).about_subject(&about);
        let counts = found.iter().map(|finding| finding.detail.clone());
        counts
            .filter(|detail| matches!(detail, Detail::Count { .. }))
            .collect::<Vec<_>>()
    };
    let mut told = Telling::new();
    let doc = |n| format!("R{n}");
    for n in 0..8 {
        let inbound = line(Kind::Inbound, WAREHOUSE).lot(Some("S1"), 1_000_000_000);
        told.tell(inbound.doc(&doc(n)));
    }
    let mut count = line(Kind::Count, WAREHOUSE);
    for _ in 0..7 {
        count = count.lot(Some("S1"), 1_000_000_000);
    }
    told.tell(count.lot(Some("S1"), 5));
    let (expected, there) = (8 * MANY, 7 * MANY + 5);
    assert_eq!(told_by_count(&told), [Detail::Count { expected, there }]);

    let mut told = Telling::new();
    told.tell(line(Kind::Outbound, WAREHOUSE).lot(Some("S1"), 3).to(SHOP));
    told.tell(line(Kind::Count, WAREHOUSE).lot(Some("S1"), 2));
    let (expected, there) = (-3, 2);
    assert_eq!(told_by_count(&told), [Detail::Count { expected, there }]);
}

/// A sale that is missing explains it, and heals the balance as well.
#[test]
fn c5_a_container_that_is_brought_back_again_brings_its_goods_once() {
    let brought = |at| line(Kind::Return, WAREHOUSE).of(&[CASE_1]).at(at);
    let sold = |at| line(Kind::Sale, WAREHOUSE).of(&[CASE_1]).at(at);
    let mut told = forty_in_a_case();
    told.tell(sold(3 * HOUR));
    assert_eq!(in_the_warehouse(&told), 60);
    for n in 0..3 {
        told.tell(brought(4 * HOUR + n * MINUTE));
        assert_eq!(in_the_warehouse(&told), 100, "{n}");
    }
    let doubled = (
        FindingCode::DoubleReturn,
        Subject::Unit(stage::unit(CASE_1)),
    );
    assert_eq!(found(&told), [doubled.clone(), doubled]);

    // It went in between each time: then it did come back each time.
    for n in 0..2 {
        told.tell(sold(4 * HOUR + n * MINUTE + MINUTE / 2));
        assert_eq!(in_the_warehouse(&told), 100, "{n}");
    }
    assert!(
        found(&told)
            .iter()
            .all(|(code, _)| *code != FindingCode::DoubleReturn)
    );
    told.tell(brought(5 * HOUR));
    assert_eq!(in_the_warehouse(&told), 100);
    // Brought back elsewhere it is there, and no more than it was; that it was shipped there explains it.
    told.tell(line(Kind::Return, PLANT).of(&[CASE_1]).at(6 * HOUR));
    let in_the_plant = |told: &Telling| {
        let line = lot(PLANT, Some("S1"));
        verdict(told).lots.get(&line).copied().unwrap_or(0)
    };
    assert_eq!((in_the_warehouse(&told), in_the_plant(&told)), (60, 40));
    let out = line(Kind::Outbound, WAREHOUSE).of(&[CASE_1]).to(PLANT);
    told.tell(out.at(5 * HOUR + MINUTE));
    assert_eq!((in_the_warehouse(&told), in_the_plant(&told)), (60, 40));
}

#[test]
fn c11_late_packs_and_unpacks_change_what_a_count_of_loose_goods_is_held_against() {
    let counted = |loose| {
        line(Kind::Count, WAREHOUSE)
            .lot(Some("S1"), loose)
            .at(5 * HOUR)
    };
    let mut told = Telling::new();
    told.tell(
        line(Kind::Inbound, WAREHOUSE)
            .lot(Some("S1"), 100)
            .doc("R1"),
    );
    told.tell(counted(60));
    let missing = (
        FindingCode::MissingAtCount,
        Subject::Lot(lot(WAREHOUSE, Some("S1"))),
    );
    assert_eq!(found(&told), std::slice::from_ref(&missing));
    let pack = line(Kind::Pack, WAREHOUSE).lot(Some("S1"), 40).into(CASE_1);
    told.tell(pack.at(2 * HOUR));
    assert_eq!(found(&told), [], "they were in a case by then");
    let ten = line(Kind::Unpack, WAREHOUSE)
        .lot(Some("S1"), 10)
        .into(CASE_1);
    told.tell(ten.at(3 * HOUR));
    assert_eq!(
        found(&told),
        [missing],
        "ten of them lay on the shelf again"
    );
}

#[test]
fn c11_what_a_container_holds_is_there_where_the_container_is_seen() {
    // It is seen in the plant, though nobody says that it left the warehouse.
    let mut told = forty_in_a_case();
    told.tell(line(Kind::Inbound, PLANT).lot(Some("S1"), 5).doc("R2"));
    let seen = line(Kind::Count, PLANT).of(&[CASE_1]).lot(Some("S1"), 5);
    told.tell(seen.at(4 * HOUR));
    told.tell(
        line(Kind::Count, WAREHOUSE)
            .lot(Some("S1"), 60)
            .at(5 * HOUR),
    );
    // The case is where it should not be; what is in it is with it, and nothing else is wrong.
    let case = Subject::Unit(stage::unit(CASE_1));
    assert_eq!(found(&told), [(FindingCode::SurplusAtCount, case)]);
    assert_eq!(in_the_warehouse(&told), 60);
    let here = lot(PLANT, Some("S1"));
    assert_eq!(verdict(&told).lots[&here], 45);

    told.tell(
        line(Kind::Outbound, WAREHOUSE)
            .of(&[CASE_1])
            .to(PLANT)
            .at(3 * HOUR + MINUTE),
    );
    told.tell(
        line(Kind::Inbound, PLANT)
            .of(&[CASE_1])
            .doc("R3")
            .at(3 * HOUR + 2 * MINUTE),
    );
    assert_eq!(found(&told), []);
}

#[test]
fn c11_what_is_missing_at_a_place_is_for_its_owner_to_say() {
    let mut told = in_the_shop();
    let complete = json!({"complete": true});
    // The maker is linked to its tin wherever that is.
    told.tell(Line::new(Kind::Count, STOREMAN, SHOP).item("scope", complete));
    assert!(about(&told, TIN_1).is_empty());
    told.tell(count(&[]));
    assert_eq!(about(&told, TIN_1), [FindingCode::MissingAtCount]);
}

#[test]
fn c11_goods_that_were_brought_or_fetched_back_are_missed_as_well() {
    for kind in [Kind::Return, Kind::Collect] {
        let (mut told, _) = sold();
        told.tell(line(kind, SHOP).of(&[TIN_1]));
        let scope = serde_json::json!({"complete": true});
        let count = line(Kind::Count, SHOP).item("scope", scope);
        let counted = told.tell(count);
        assert_eq!(
            of(&told, counted),
            [FindingCode::MissingAtCount],
            "{kind:?}"
        );
    }
}
