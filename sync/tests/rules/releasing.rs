//! C6 for goods without codes of their own: what was fetched back and lies apart is in stock again once it is
//! found sellable, unless a recall covers it.

use super::{
    lots::{codes, in_stock, tallies},
    *,
};
use histories::stage::{BATCH, LOOSE_BATCH, MINUTE, START};
use suyuan_sync::{
    event::{Disposition, Disposition::Sellable},
    facts::StatedAt,
};

const RECALLED: i64 = 10 * HOUR;
const CLOSED: i64 = 20 * HOUR;

/// Of ten in the shop seven were fetched back under a recall.
fn fetched_back() -> Telling {
    let mut told = Telling::new();
    told.tell(line(Kind::Inbound, SHOP).lot(Some("S1"), 10).with(MAKER));
    told.recall(&[LOOSE_BATCH], RECALLED);
    let collect = line(Kind::Collect, SHOP).lot(Some("S1"), 7);
    told.tell(collect.at(RECALLED + HOUR));
    told
}

fn close(told: &mut Telling, mistaken: bool) {
    let span = &mut told.world.recalls[0];
    span.mistaken = mistaken;
    span.closed = Some(StatedAt {
        at: START + CLOSED,
        gseq: 900,
    });
}

fn inspected(qty: u64, at: i64, as_what: Disposition) -> Line {
    let inspect = line(Kind::Inspect, SHOP).lot(Some("S1"), qty);
    inspect.disposition(as_what).at(at)
}

/// What is in stock in the shop, and what lies apart there.
fn there(told: &Telling) -> (i64, i64) {
    (in_stock(told), tallies(told)[&SHOP].apart)
}

#[test]
fn c6_of_a_lot_that_was_fetched_back_is_in_stock_again_what_is_found_sellable() {
    for mistaken in [false, true] {
        let mut told = fetched_back();
        close(&mut told, mistaken);
        assert_eq!(there(&told), (3, 7));
        told.tell(inspected(5, CLOSED + HOUR, Sellable));
        assert_eq!(there(&told), (8, 2));
        // No more than lies there: what was brought back was in stock before.
        told.tell(inspected(4, CLOSED + 2 * HOUR, Sellable));
        assert_eq!(there(&told), (10, 0));
        told.tell(inspected(4, CLOSED + 3 * HOUR, Sellable));
        assert_eq!(there(&told), (10, 0));
        let sale = line(Kind::Sale, SHOP).lot(Some("S1"), 10);
        told.tell(sale.at(CLOSED + 4 * HOUR));
        assert_eq!(there(&told), (0, 0));
        assert!(quiet(&told), "{:?}", verdict(&told).findings);
        assert_eq!(tallies(&told)[&SHOP].collected, 7);
    }
}

/// As of a unit: no effect, until it shows that there never was a recall.
#[test]
fn c6_a_recalled_lot_is_not_released() {
    let recalled = [FindingCode::ReleaseRecalled];
    for (at, mistaken, freed) in [
        (RECALLED + 2 * HOUR, None, false),
        (RECALLED + 2 * HOUR, Some(false), false),
        (CLOSED - MINUTE, Some(false), false),
        (CLOSED + MINUTE, Some(false), true),
        (RECALLED + 2 * HOUR, Some(true), true),
    ] {
        let mut told = fetched_back();
        let inspect = told.tell(inspected(7, at, Sellable));
        assert_eq!(of(&told, inspect), recalled);
        assert_eq!(there(&told), (3, 7));
        if let Some(mistaken) = mistaken {
            close(&mut told, mistaken);
        }
        let found = if freed { &[][..] } else { &recalled };
        assert_eq!(codes(&told, SHOP), found, "{at} {mistaken:?}");
        let now = if freed { (10, 0) } else { (3, 7) };
        assert_eq!(there(&told), now, "{at} {mistaken:?}");
    }
}

#[test]
fn c6_whether_a_lot_is_released_goes_by_the_batch_on_record() {
    let mut told = fetched_back();
    told.tell(inspected(7, RECALLED + 2 * HOUR, Sellable));
    told.tell(inspected(0, RECALLED + 2 * HOUR, Sellable));
    assert_eq!(codes(&told, SHOP), [FindingCode::ReleaseRecalled]);
    // A recall of another batch, and a batch that is not on record, keep nothing back.
    let mut other = told.clone();
    other.world.recalls[0].scope.batches = [BATCH].into();
    assert_eq!(there(&other), (10, 0));
    told.world.batches.remove(LOOSE_BATCH);
    assert_eq!(there(&told), (10, 0));
    assert_eq!(codes(&told, SHOP), [FindingCode::CollectUnrecalled]);
}

#[test]
fn c6_what_of_a_lot_is_kept_back_lies_apart_still() {
    for kept in [Disposition::Hold, Disposition::Destroy] {
        let mut told = fetched_back();
        close(&mut told, false);
        told.tell(inspected(5, CLOSED + HOUR, kept));
        assert_eq!(there(&told), (3, 7));
        assert!(quiet(&told));
    }
}

/// Of what was brought back a line has no state: it is in stock, and nothing is to be released.
#[test]
fn c6_what_of_a_lot_was_brought_back_is_inspected_and_stays() {
    let mut told = Telling::new();
    told.tell(line(Kind::Inbound, SHOP).lot(Some("S1"), 10).with(MAKER));
    told.tell(line(Kind::Sale, SHOP).lot(Some("S1"), 3).at(5 * HOUR));
    told.tell(line(Kind::Return, SHOP).lot(Some("S1"), 1).at(6 * HOUR));
    told.tell(inspected(1, 7 * HOUR, Sellable));
    assert_eq!(there(&told), (8, 0));
    assert!(quiet(&told), "{:?}", verdict(&told).findings);
}

#[test]
fn c10_a_struck_inspection_releases_nothing_of_a_lot() {
    let mut told = fetched_back();
    close(&mut told, false);
    let inspect = told.tell(inspected(5, CLOSED + HOUR, Sellable));
    let retract = line(Kind::Retract, SHOP).target(inspect);
    told.tell(retract.at(CLOSED + 2 * HOUR));
    assert_eq!(there(&told), (3, 7));
    assert!(quiet(&told));
}

#[test]
fn c11_a_difference_of_a_lot_is_told_once_though_some_of_it_was_released() {
    let mut told = fetched_back();
    close(&mut told, false);
    let count = |at| line(Kind::Count, SHOP).lot(Some("S1"), 9).at(at);
    told.tell(count(CLOSED + HOUR));
    told.tell(inspected(5, CLOSED + 2 * HOUR, Sellable));
    told.tell(count(CLOSED + 3 * HOUR));
    assert_eq!(codes(&told, SHOP), [FindingCode::MissingAtCount]);
    assert_eq!(there(&told), (8, 2));
}

#[test]
fn c14_a_stranger_releases_nothing_at_anothers_place() {
    for (disposition, found) in [
        (Sellable, &[FindingCode::UnexpectedHolder][..]),
        (Disposition::Hold, &[]),
    ] {
        let mut told = fetched_back();
        close(&mut told, false);
        let inspect = Line::new(Kind::Inspect, stage::INTRUDER, SHOP);
        let inspect = inspect.lot(Some("S1"), 5).disposition(disposition);
        let inspect = told.tell(inspect.at(CLOSED + HOUR));
        assert_eq!(of(&told, inspect), found);
        assert_eq!(there(&told), (3, 7));
    }
}
