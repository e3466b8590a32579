//! C3, C4, C7 and C9 for goods without codes of their own: what of a lot was shipped, sold and collected,
//! held against what is on record of its batch.

use super::{
    carrying::{cased, stock},
    *,
};
use histories::stage::{
    BATCH, BOX, DAY, EXPIRY, LOOSE, LOOSE_BATCH, MINUTE, OTHER_OWN_BATCH, OWN, OWN_BATCH,
    OWN_CODED, START, good::*, recall,
};
use std::collections::BTreeMap;
use suyuan_sync::{
    facts::Fact,
    finding::{Knowledge, LotKey, When},
    lots,
    order::Order,
};

const RECALLED: i64 = 10 * HOUR;

/// Ten of the lot came into the shop.
fn received() -> Telling {
    let mut told = Telling::new();
    told.tell(line(Kind::Inbound, SHOP).lot(Some("S1"), 10).with(MAKER));
    told
}

fn recalled() -> Telling {
    let mut told = received();
    told.recall(&[LOOSE_BATCH], RECALLED);
    told
}

fn sale(at: i64) -> Line {
    line(Kind::Sale, SHOP).lot(Some("S1"), 2).at(at)
}

fn of_lot(told: &Telling, place: LocationId) -> Vec<Finding> {
    let key = LotKey {
        gtin: LOOSE.to_owned(),
        lot: Some("S1".to_owned()),
        location: place,
    };
    verdict(told).about_subject(&Subject::Lot(key))
}

pub(super) fn codes(told: &Telling, place: LocationId) -> Vec<FindingCode> {
    let found = of_lot(told, place).into_iter();
    found.map(|finding| finding.code).collect()
}

#[test]
fn c9_a_sale_of_a_recalled_lot_is_judged_as_that_of_a_unit() {
    let cases = [
        (
            sale(RECALLED - MINUTE),
            When::Before,
            Knowledge::CouldNotKnow,
        ),
        (
            sale(RECALLED + MINUTE).list(50),
            When::After,
            Knowledge::Knew,
        ),
        (
            sale(RECALLED + MINUTE).give_or_take(2 * MINUTE, 0),
            When::Uncertain {
                width_us: 2 * MINUTE,
            },
            Knowledge::CouldNotKnow,
        ),
        (
            sale(RECALLED + MINUTE).saying(|event| event.mono_ms = 25 * 3_600_000),
            When::After,
            Knowledge::StaleList,
        ),
    ];
    for (line, when, knowledge) in cases {
        let mut told = recalled();
        let sold = told.tell(line);
        let [finding] = &of_lot(&told, SHOP)[..] else {
            panic!("one finding: {:?}", of_lot(&told, SHOP));
        };
        assert_eq!(finding.code, FindingCode::SoldRecalled);
        assert_eq!((finding.event, &finding.witnesses[..]), (sold, &[sold][..]));
        let detail = Detail::SoldRecalled {
            recall: recall(0),
            when,
            knowledge,
        };
        assert_eq!(finding.detail, detail);
    }
}

#[test]
fn c9_what_was_delivered_is_known_of_lots_too() {
    let mut told = recalled();
    told.tell(sale(RECALLED + MINUTE).list(40).delivered(60));
    let found = codes(&told, SHOP);
    assert_eq!(
        found,
        [FindingCode::SoldRecalled, FindingCode::KnowledgeMismatch]
    );
}

#[test]
fn c9_a_recall_that_was_mistaken_takes_what_was_found_of_a_lot_away() {
    let mut told = recalled();
    told.tell(sale(RECALLED + MINUTE));
    assert_eq!(codes(&told, SHOP), [FindingCode::SoldRecalled]);
    let span = &mut told.world.recalls[0];
    span.closed = Some(suyuan_sync::facts::StatedAt {
        at: START + 20 * HOUR,
        gseq: 900,
    });
    assert_eq!(codes(&told, SHOP), [FindingCode::SoldRecalled]);
    told.world.recalls[0].mistaken = true;
    assert!(quiet(&told));
}

#[test]
fn c10_a_struck_sale_of_a_recalled_lot_is_found_no_more() {
    let mut told = recalled();
    let sold = told.tell(sale(RECALLED + MINUTE));
    told.tell(line(Kind::Retract, SHOP).target(sold).at(12 * HOUR));
    assert!(quiet(&told));
}

#[test]
fn c4_an_expired_lot_is_found_by_the_expiry_on_record_and_no_other() {
    for (at, lot, found) in [
        (EXPIRY - START, "S1", true),
        (EXPIRY - START - 1, "S1", false),
        (EXPIRY - START + DAY, "S2", false),
    ] {
        let mut told = Telling::new();
        told.tell(line(Kind::Inbound, SHOP).lot(Some(lot), 10).with(MAKER));
        let sold = told.tell(line(Kind::Sale, SHOP).lot(Some(lot), 1).at(at));
        let expected = if found {
            &[FindingCode::SoldExpired][..]
        } else {
            &[]
        };
        assert_eq!(of(&told, sold), expected);
    }
}

#[test]
fn c3_a_recalled_lot_may_go_where_its_recall_wants_it() {
    for (to, found) in [(OTHER_SHOP, true), (WAREHOUSE, false)] {
        let mut told = recalled();
        told.tell(
            line(Kind::Outbound, SHOP)
                .lot(Some("S1"), 3)
                .to(to)
                .at(RECALLED + MINUTE),
        );
        assert_eq!(codes(&told, SHOP) == [FindingCode::ShipRecalled], found);
        // Before the recall nobody wanted it anywhere.
        told.facts.pop();
        told.tell(
            line(Kind::Outbound, SHOP)
                .lot(Some("S1"), 3)
                .to(to)
                .at(5 * HOUR),
        );
        assert!(quiet(&told));
    }
}

#[test]
fn c7_a_collection_of_a_lot_is_explained_when_a_recall_is_opened_or_widened_to_it() {
    let mut told = received();
    told.tell(line(Kind::Collect, SHOP).lot(Some("S1"), 10).at(5 * HOUR));
    assert_eq!(codes(&told, SHOP), [FindingCode::CollectUnrecalled]);
    told.recall(&[BATCH], RECALLED);
    assert_eq!(codes(&told, SHOP), [FindingCode::CollectUnrecalled]);
    told.world.recalls[0].scope.batches.insert(LOOSE_BATCH);
    assert!(quiet(&told));
}

#[test]
fn c7_a_recall_that_was_mistaken_explains_the_collection_of_a_lot_while_it_stood() {
    for (at, explained) in [(RECALLED + MINUTE, true), (RECALLED - MINUTE, false)] {
        let mut told = recalled();
        told.tell(line(Kind::Collect, SHOP).lot(Some("S1"), 10).at(at));
        assert!(quiet(&told));
        let span = &mut told.world.recalls[0];
        span.mistaken = true;
        span.closed = Some(suyuan_sync::facts::StatedAt {
            at: START + 20 * HOUR,
            gseq: 900,
        });
        let found = codes(&told, SHOP);
        assert_eq!(found.is_empty(), explained, "{found:?}");
    }
}

#[test]
fn c9_what_a_case_is_called_names_the_batch_of_its_product() {
    let mut told = Telling::new();
    told.recall(&[BATCH], RECALLED);
    let of_case = |line: Line| {
        line.lot(Some("L1"), 2)
            .saying(|event| event.lots[0].gtin = BOX.to_owned())
    };
    told.tell(of_case(line(Kind::Inbound, SHOP).with(MAKER)));
    let sold = told.tell(of_case(line(Kind::Sale, SHOP)).at(RECALLED + MINUTE));
    assert_eq!(of(&told, sold), [FindingCode::SoldRecalled]);
}

/// Is a sale of that lot, under this name, one of a recalled batch?
fn sells_recalled(told: &mut Telling, place: LocationId, name: &str) -> bool {
    let sale = line(Kind::Sale, place).lot(Some("L1"), 1);
    let sale = sale.saying(|event| name.clone_into(&mut event.lots[0].gtin));
    let sold = told.tell(sale.at(RECALLED + MINUTE));
    of(told, sold).contains(&FindingCode::SoldRecalled)
}

#[test]
fn c9_a_product_code_means_a_product_of_the_enterprise_whose_goods_they_are() {
    let [makers, chains] = OWN_CODED.map(|(text, _)| text);
    for (recalled, place, name, found) in [
        (OWN_BATCH, PLANT, OWN, true),
        (OWN_BATCH, SHOP, OWN, false),
        (OTHER_OWN_BATCH, PLANT, OWN, false),
        (OTHER_OWN_BATCH, SHOP, OWN, true),
        // As codes say it, it is one enterprise's wherever it is sold.
        (OWN_BATCH, SHOP, makers, true),
        (OWN_BATCH, SHOP, chains, false),
        (OTHER_OWN_BATCH, SHOP, makers, false),
        (OTHER_OWN_BATCH, PLANT, chains, true),
    ] {
        let mut told = Telling::new();
        told.recall(&[recalled], RECALLED);
        let sells = sells_recalled(&mut told, place, name);
        assert_eq!(sells, found, "{recalled:?} at {place:?} as {name}");
    }
}

#[test]
fn c9_no_other_enterprises_batch_is_taken_for_a_product_code() {
    let mut told = Telling::new();
    told.recall(&[OWN_BATCH], RECALLED);
    let chains = told.world.own_products.remove(&CHAIN);
    assert!(!sells_recalled(&mut told, SHOP, OWN));
    let sold = told.facts[0].event.id;
    let whats = |told: &Telling| -> Vec<Detail> {
        let found = verdict(told).findings;
        let found = found.into_iter().filter(|found| found.event == sold);
        let unknown = found.filter(|found| found.code == FindingCode::UnknownRef);
        unknown.map(|found| found.detail).collect()
    };
    let what = format!("product:{OWN}");
    assert_eq!(whats(&told), [Detail::Unknown { what, more: 0 }]);
    told.world
        .own_products
        .extend(chains.map(|own| (CHAIN, own)));
    assert_eq!(whats(&told), []);
    told.world.recalls[0].scope.batches = [OTHER_OWN_BATCH].into();
    assert!(of(&told, sold).contains(&FindingCode::SoldRecalled));
}

#[test]
fn c13_a_recalled_lot_in_a_container_is_found_where_it_went() {
    let mut told = recalled();
    told.tell(line(Kind::Outbound, PLANT).of(&[CASE_2]).to(SHOP));
    told.tell(line(Kind::Inbound, SHOP).of(&[CASE_2]).with(MAKER));
    told.tell(line(Kind::Pack, SHOP).lot(Some("S1"), 4).into(CASE_2));
    let sold = told.tell(line(Kind::Sale, SHOP).of(&[CASE_2]).at(RECALLED + MINUTE));
    assert_eq!(codes(&told, SHOP), [FindingCode::SoldRecalled]);
    assert!(of(&told, sold).contains(&FindingCode::SoldRecalled));
}

#[test]
fn c14_what_a_stranger_sells_at_anothers_place_is_not_held_against_anybody() {
    let mut told = recalled();
    let sold = told.tell(
        Line::new(Kind::Sale, stage::INTRUDER, SHOP)
            .lot(Some("S1"), 1)
            .at(RECALLED + MINUTE),
    );
    assert_eq!(of(&told, sold), [FindingCode::UnexpectedHolder]);
}

#[test]
fn c9_of_no_goods_of_a_recalled_lot_nothing_was_sold() {
    let mut told = recalled();
    told.tell(
        line(Kind::Sale, SHOP)
            .lot(Some("S1"), 0)
            .at(RECALLED + MINUTE),
    );
    assert!(quiet(&told));
}

#[test]
fn i17_of_a_lot_is_told_what_became_of_it() {
    let mut told = received();
    told.tell(line(Kind::Sale, SHOP).lot(Some("S1"), 3));
    told.tell(line(Kind::Return, SHOP).lot(Some("S1"), 1));
    told.tell(line(Kind::Outbound, SHOP).lot(Some("S1"), 2).to(OTHER_SHOP));
    told.tell(line(Kind::Collect, SHOP).lot(Some("S1"), 1));
    told.tell(line(Kind::Destroy, SHOP).lot(Some("S1"), 1));
    let counted = line(Kind::Count, SHOP).lot(Some("S1"), 3).supervisor();
    told.tell(counted.item("accepted", serde_json::json!(true)));
    let facts = differential::in_order(&told.facts);
    let movements = lots::movements(&facts, &BTreeMap::new(), &told.world);
    let (key, movements) = movements.into_iter().next().expect("a line");
    let tally = lots::tally(key, &movements, |at| said(&facts, at));
    let expected = lots::Tally {
        received: 10,
        sold: 3,
        returned: 1,
        shipped: 2,
        collected: 1,
        destroyed: 1,
        counted: -2,
        on_hand: 3,
        ..lots::Tally::default()
    };
    assert_eq!(tally, expected);
    assert!(tally.adds_up());
    assert_eq!(tally.on_the_way(), -8, "eight came from somebody else");
}

/// The balance in the shop.
pub(super) fn in_stock(told: &Telling) -> i64 {
    let of = stock(told).into_iter();
    of.filter(|(place, _)| *place == SHOP)
        .map(|(_, balance)| balance)
        .sum()
}

/// Which kind of event stands at a place of the order, and where it happened.
fn said(facts: &[&Fact], at: Order) -> Option<(Kind, LocationId)> {
    let fact = facts.iter().find(|fact| fact.order == at)?;
    Some((fact.event.kind, fact.event.location))
}

/// What is in stock, and what became of the lot, place by place.
pub(super) fn tallies(told: &Telling) -> BTreeMap<LocationId, lots::Tally> {
    let facts = differential::in_order(&told.facts);
    let forest = suyuan_sync::fold::forest(&facts, &told.world);
    let movements = lots::movements(&facts, &forest, &told.world);
    let all = movements.into_iter().map(|(key, movements)| {
        let place = key.location;
        let tally = lots::tally(key, &movements, |at| said(&facts, at));
        assert!(tally.adds_up(), "{tally:?}");
        (place, tally)
    });
    all.collect()
}

/// The way of a recall: what was fetched back is in no stock, and is what is shipped and destroyed then.
#[test]
fn c7_goods_of_a_lot_that_were_fetched_back_are_what_is_shipped_and_destroyed() {
    let mut told = recalled();
    told.tell(
        line(Kind::Collect, SHOP)
            .lot(Some("S1"), 7)
            .at(RECALLED + HOUR),
    );
    assert_eq!(in_stock(&told), 3);
    let back = line(Kind::Outbound, SHOP).lot(Some("S1"), 5).with(MAKER);
    told.tell(back.at(RECALLED + 2 * HOUR));
    let end = line(Kind::Destroy, SHOP).lot(Some("S1"), 2).supervisor();
    told.tell(end.at(RECALLED + 3 * HOUR));
    assert_eq!(in_stock(&told), 3);
    assert_eq!(codes(&told, SHOP), []);
    let tally = tallies(&told)[&SHOP];
    let expected = lots::Tally {
        received: 10,
        collected: 7,
        shipped: 5,
        destroyed: 2,
        on_hand: 3,
        ..lots::Tally::default()
    };
    assert_eq!(tally, expected);
    // What goes besides is of what is in stock, and cannot be more.
    let more = line(Kind::Outbound, SHOP).lot(Some("S1"), 4).with(MAKER);
    told.tell(more.at(RECALLED + 4 * HOUR));
    assert_eq!(in_stock(&told), -1);
    assert_eq!(codes(&told, SHOP), [FindingCode::NegBalance]);
}

/// What was fetched back is sold by nobody: a sale is of what is in stock.
#[test]
fn c7_a_sale_takes_nothing_of_what_was_fetched_back() {
    let mut told = recalled();
    told.tell(
        line(Kind::Collect, SHOP)
            .lot(Some("S1"), 9)
            .at(RECALLED + HOUR),
    );
    told.tell(sale(RECALLED + 2 * HOUR));
    assert_eq!(in_stock(&told), -1);
    assert!(codes(&told, SHOP).contains(&FindingCode::NegBalance));
}

/// Goods that leave the cage are what inspectors count for.
#[test]
fn c11_a_complete_count_expects_what_was_fetched_back() {
    let complete = |qty, accepted: bool| {
        let count = line(Kind::Count, SHOP).at(RECALLED + 2 * HOUR).supervisor();
        let count = if qty > 0 {
            count.lot(Some("S1"), qty)
        } else {
            count
        };
        let count = count.item("scope", serde_json::json!({"complete": true}));
        count.item("accepted", serde_json::json!(accepted))
    };
    let missing = [FindingCode::MissingAtCount];
    let surplus = [FindingCode::SurplusAtCount];
    let cases: [(u64, u64, &[FindingCode]); 6] = [
        (7, 10, &[]),
        (7, 3, &missing),
        (7, 11, &surplus),
        (10, 10, &[]),
        (10, 9, &missing),
        (10, 0, &missing),
    ];
    for (collected, seen, found) in cases {
        let mut told = recalled();
        let collect = line(Kind::Collect, SHOP).lot(Some("S1"), collected);
        told.tell(collect.at(RECALLED + HOUR));
        let mut accepted = told.clone();
        told.tell(complete(seen, false));
        assert_eq!(codes(&told, SHOP), found, "{seen} of {collected}");
        // Where the difference is accepted, as many lie apart as before, if as many are there.
        accepted.tell(complete(seen, true));
        let stock = in_stock(&accepted);
        let apart = tallies(&accepted)[&SHOP].apart;
        assert_eq!(apart, collected.min(seen) as i64);
        assert_eq!(stock + apart, seen as i64, "{seen} of {collected}");
    }
}

/// A case that was fetched back answers for what is in it, wherever it is kept then.
#[test]
fn c13_lots_in_a_container_that_was_fetched_back_go_its_way() {
    let mut told = cased();
    told.tell(line(Kind::Inbound, SHOP).of(&[CASE_1]).with(MAKER));
    told.recall(&[LOOSE_BATCH], RECALLED);
    let at = |hours| RECALLED + hours * HOUR;
    told.tell(line(Kind::Collect, SHOP).of(&[CASE_1]).at(at(1)));
    assert_eq!(stock(&told), [(PLANT, 4), (SHOP, 0)]);
    assert_eq!(tallies(&told)[&SHOP].apart, 6);
    told.tell(
        line(Kind::Outbound, SHOP)
            .of(&[CASE_1])
            .to(WAREHOUSE)
            .at(at(2)),
    );
    assert_eq!(tallies(&told)[&SHOP].apart, 0);
    told.tell(line(Kind::Inbound, WAREHOUSE).of(&[CASE_1]).at(at(3)));
    assert_eq!(tallies(&told)[&WAREHOUSE].apart, 6);
    let end = line(Kind::Destroy, WAREHOUSE).of(&[CASE_1]).supervisor();
    told.tell(end.at(at(4)));
    let tallies = tallies(&told);
    assert_eq!(tallies[&SHOP].collected, 6);
    assert_eq!(tallies[&SHOP].shipped, 6);
    assert_eq!(tallies[&WAREHOUSE].destroyed, 6);
    assert_eq!(tallies[&WAREHOUSE].apart, 0);
    assert_eq!(of_lot(&told, SHOP), []);
    assert_eq!(of_lot(&told, WAREHOUSE), []);
}
