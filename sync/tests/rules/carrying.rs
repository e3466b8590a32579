//! C13 for goods without codes of their own: what of a lot is in a container is where it is, however it came
//! there and by whatever kind of event that is said.

use super::*;
use histories::stage::{LOOSE_BATCH, MINUTE, good::*};

/// Ten of a lot were made, and six of them left in a case for the shop.
pub(super) fn cased() -> Telling {
    let mut told = Telling::new();
    told.tell(line(Kind::Commission, PLANT).lot(Some("S1"), 10));
    told.tell(line(Kind::Pack, PLANT).lot(Some("S1"), 6).into(CASE_1));
    told.tell(line(Kind::Outbound, PLANT).of(&[CASE_1]).to(SHOP));
    told
}

fn received() -> Line {
    line(Kind::Inbound, SHOP).of(&[CASE_1]).with(MAKER)
}

/// The balances of the lot, by place.
pub(super) fn stock(told: &Telling) -> Vec<(LocationId, i64)> {
    let lots = verdict(told).lots.into_iter();
    let lots = lots.filter(|(key, _)| key.lot.as_deref() == Some("S1"));
    lots.map(|(key, balance)| (key.location, balance)).collect()
}

/// What is found of the lot, wherever.
fn found(told: &Telling) -> Vec<FindingCode> {
    let found = verdict(told).findings.into_iter();
    let of_lot = found.filter(|finding| matches!(finding.subject, Subject::Lot(_)));
    of_lot.map(|finding| finding.code).collect()
}

#[test]
fn c13_lots_in_a_container_that_is_received_twice_came_in_once() {
    for minutes in [1, 5, 30] {
        for doc in ["D1", "D2"] {
            for beside in [false, true] {
                let mut told = cased();
                told.tell(received().doc("D1").at(5 * HOUR));
                let again = if beside {
                    Line::new(Kind::Inbound, OTHER_CASHIER, SHOP)
                } else {
                    line(Kind::Inbound, SHOP)
                };
                let again = again.of(&[CASE_1]).with(MAKER).doc(doc);
                told.tell(again.at(5 * HOUR + minutes * MINUTE));
                assert_eq!(
                    stock(&told),
                    [(PLANT, 4), (SHOP, 6)],
                    "{minutes} {doc} {beside}"
                );
                told.tell(line(Kind::Sale, SHOP).of(&[CASE_1]).at(9 * HOUR));
                assert_eq!(
                    stock(&told),
                    [(PLANT, 4), (SHOP, 0)],
                    "{minutes} {doc} {beside}"
                );
                assert_eq!(found(&told), []);
            }
        }
    }
}

#[test]
fn c13_lots_in_a_container_that_is_shipped_twice_went_once() {
    let mut told = cased();
    told.tell(
        line(Kind::Outbound, PLANT)
            .of(&[CASE_1])
            .to(SHOP)
            .at(5 * HOUR),
    );
    assert_eq!(stock(&told), [(PLANT, 4)]);
    told.tell(received().at(6 * HOUR));
    assert_eq!(stock(&told), [(PLANT, 4), (SHOP, 6)]);
    assert_eq!(found(&told), []);
}

/// What is seen, opened or sold before it is booked in came in by that, and does not come in again.
#[test]
fn c13_lots_in_a_container_come_in_by_whatever_shows_that_it_is_there() {
    let counted = line(Kind::Count, SHOP).of(&[CASE_1]);
    let opened = line(Kind::Unpack, SHOP).lot(Some("S1"), 6).into(CASE_1);
    let emptied = line(Kind::Unpack, SHOP).into(CASE_1);
    let taken_out = line(Kind::Unpack, SHOP).lot(Some("S1"), 2).into(CASE_1);
    for first in [counted, opened, emptied, taken_out] {
        let mut told = cased();
        told.tell(first.at(5 * HOUR));
        assert_eq!(stock(&told), [(PLANT, 4), (SHOP, 6)]);
        told.tell(received().at(6 * HOUR));
        assert_eq!(stock(&told), [(PLANT, 4), (SHOP, 6)]);
        assert_eq!(found(&told), []);
    }
    let mut told = cased();
    told.tell(line(Kind::Sale, SHOP).of(&[CASE_1]).at(5 * HOUR));
    assert_eq!(stock(&told), [(PLANT, 4), (SHOP, 0)]);
    assert_eq!(found(&told), []);
}

/// A receipt elsewhere takes them away where the container was, as it does the container.
#[test]
fn c13_lots_in_a_container_are_at_one_place() {
    let mut told = cased();
    told.tell(received().at(5 * HOUR));
    told.tell(line(Kind::Inbound, OTHER_SHOP).of(&[CASE_1]).at(30 * HOUR));
    assert_eq!(stock(&told), [(PLANT, 4), (SHOP, 0), (OTHER_SHOP, 6)]);
    // The shipment that was missing comes in late, and changes nothing of that.
    told.tell(
        line(Kind::Outbound, SHOP)
            .of(&[CASE_1])
            .to(OTHER_SHOP)
            .at(20 * HOUR),
    );
    assert_eq!(stock(&told), [(PLANT, 4), (SHOP, 0), (OTHER_SHOP, 6)]);
    assert_eq!(found(&told), []);
}

/// A sale elsewhere is judged where it was, and nowhere else.
#[test]
fn c13_a_recalled_lot_sold_on_its_way_is_judged_where_it_was_sold() {
    let mut told = cased();
    told.recall(&[LOOSE_BATCH], 10 * HOUR);
    told.tell(line(Kind::Sale, SHOP).of(&[CASE_1]).at(12 * HOUR));
    assert_eq!(found(&told), [FindingCode::SoldRecalled]);
    let mut told = cased();
    told.recall(&[LOOSE_BATCH], 10 * HOUR);
    told.tell(received().at(5 * HOUR));
    told.tell(line(Kind::Sale, OTHER_SHOP).of(&[CASE_1]).at(30 * HOUR));
    let sold = verdict(&told).findings.into_iter();
    let sold = sold.filter(|finding| finding.code == FindingCode::SoldRecalled);
    let of_lot = sold.filter_map(|finding| match finding.subject {
        Subject::Lot(key) => Some(key.location),
        _ => None,
    });
    assert_eq!(of_lot.collect::<Vec<_>>(), [OTHER_SHOP]);
}
