//! C7, C11 and C13 for goods without codes of their own that were fetched back: they lie apart until they go,
//! whether they lie loose, are put into a container then, or come out of one.

use super::{
    carrying::{cased, stock},
    lots::{codes, in_stock, tallies},
    *,
};
use histories::stage::{INTRUDER, LOOSE_BATCH, STALL, good::*};
use suyuan_sync::{event::Disposition, lots::Tally};

const RECALLED: i64 = 10 * HOUR;

const fn at(hours: i64) -> i64 {
    RECALLED + hours * HOUR
}

/// Of ten of a lot in the shop seven were fetched back.
fn fetched_back() -> Telling {
    let mut told = Telling::new();
    told.tell(line(Kind::Inbound, SHOP).lot(Some("S1"), 10).with(MAKER));
    told.recall(&[LOOSE_BATCH], RECALLED);
    told.tell(line(Kind::Collect, SHOP).lot(Some("S1"), 7).at(at(1)));
    told
}

/// A case with six came into the shop and was fetched back.
fn case_fetched_back() -> Telling {
    let mut told = cased();
    told.tell(line(Kind::Inbound, SHOP).of(&[CASE_1]).with(MAKER));
    told.recall(&[LOOSE_BATCH], RECALLED);
    told.tell(line(Kind::Collect, SHOP).of(&[CASE_1]).at(at(1)));
    told
}

/// Loose in stock, and loose and in containers apart.
fn is(told: &Telling) -> (i64, i64) {
    (in_stock(told), tallies(told)[&SHOP].apart)
}

#[test]
fn c13_what_was_fetched_back_and_is_sent_in_a_box_goes_once() {
    let mut told = fetched_back();
    assert_eq!(is(&told), (3, 7));
    let pack = line(Kind::Pack, SHOP).lot(Some("S1"), 7);
    told.tell(pack.into(FOREIGN_PALLET).at(at(2)));
    // The box stands in stock.
    assert_eq!(is(&told), (10, 0));
    let back = line(Kind::Outbound, SHOP).of(&[FOREIGN_PALLET]).with(MAKER);
    told.tell(back.at(at(3)));
    assert_eq!(is(&told), (3, 0));
    assert_eq!(codes(&told, SHOP), []);
    let expected = Tally {
        received: 10,
        collected: 7,
        shipped: 7,
        on_hand: 3,
        ..Tally::default()
    };
    assert_eq!(tallies(&told)[&SHOP], expected);
}

/// More than lies apart is of what is in stock; and a box that is itself fetched back then lies apart with it.
#[test]
fn c13_what_is_packed_is_of_what_was_fetched_back_first() {
    let mut told = fetched_back();
    let pack = line(Kind::Pack, SHOP).lot(Some("S1"), 9);
    told.tell(pack.into(FOREIGN_PALLET).at(at(2)));
    assert_eq!(is(&told), (10, 0));
    let box_ = line(Kind::Collect, SHOP).of(&[FOREIGN_PALLET]);
    told.tell(box_.at(at(3)));
    assert_eq!(is(&told), (1, 9));
    let more = line(Kind::Pack, SHOP).lot(Some("S1"), 1);
    told.tell(more.into(FOREIGN_PALLET).at(at(4)));
    assert_eq!(is(&told), (0, 10));
    let end = line(Kind::Destroy, SHOP).of(&[FOREIGN_PALLET]).supervisor();
    told.tell(end.at(at(5)));
    assert_eq!(is(&told), (0, 0));
    assert_eq!(tallies(&told)[&SHOP].destroyed, 10);
    assert_eq!(codes(&told, SHOP), []);
}

#[test]
fn c13_what_is_taken_out_of_a_case_that_was_fetched_back_lies_apart() {
    for named in [false, true] {
        let mut told = case_fetched_back();
        assert_eq!(is(&told), (0, 6));
        let open = line(Kind::Unpack, SHOP).into(CASE_1).at(at(2));
        told.tell(if named { open.lot(Some("S1"), 4) } else { open });
        assert_eq!(is(&told), (0, 6));
        assert_eq!(tallies(&told)[&SHOP].collected, 6);
        let back = line(Kind::Outbound, SHOP).lot(Some("S1"), 4).with(MAKER);
        told.tell(back.at(at(3)));
        assert_eq!(is(&told), (0, 2));
        assert_eq!(tallies(&told)[&SHOP].shipped, 4);
        assert_eq!(codes(&told, SHOP), []);
    }
}

/// A case is released by an inspection that names it; what is recalled in it is found, as tins in it would be.
#[test]
fn c6_a_recalled_lot_in_a_case_that_is_found_sellable_is_told() {
    let inspect = |hours| {
        let inspect = line(Kind::Inspect, SHOP).of(&[CASE_1]).at(at(hours));
        inspect.saying(|event| event.disposition = Some(Disposition::Sellable))
    };
    let mut told = case_fetched_back();
    told.tell(inspect(2));
    assert_eq!(is(&told), (6, 0));
    assert_eq!(codes(&told, SHOP), [FindingCode::ReleaseRecalled]);
    told.world.recalls[0].mistaken = true;
    told.world.recalls[0].closed = Some(suyuan_sync::facts::StatedAt {
        at: histories::stage::START + at(3),
        gseq: 90,
    });
    assert_eq!(codes(&told, SHOP), []);
    let mut told = case_fetched_back();
    let hold = line(Kind::Inspect, SHOP).of(&[CASE_1]).at(at(2));
    told.tell(hold.saying(|event| event.disposition = Some(Disposition::Hold)));
    assert_eq!(is(&told), (0, 6));
    assert_eq!(codes(&told, SHOP), []);
}

/// A container that is somebody else's shows what was packed into it here by the own word of who packed it.
#[test]
fn c14_what_a_stranger_to_its_container_fetches_back_lies_apart() {
    let mut told = Telling::new();
    let theirs = Line::new(Kind::Inbound, INTRUDER, STALL).of(&[FOREIGN_PALLET]);
    told.tell(theirs);
    told.tell(line(Kind::Inbound, SHOP).lot(Some("S1"), 10).with(MAKER));
    let pack = line(Kind::Pack, SHOP).lot(Some("S1"), 7);
    told.tell(pack.into(FOREIGN_PALLET));
    told.recall(&[LOOSE_BATCH], RECALLED);
    let here = |kind| line(kind, SHOP).of(&[FOREIGN_PALLET]);
    told.tell(here(Kind::Collect).at(at(1)));
    assert_eq!(is(&told), (3, 7));
    told.tell(here(Kind::Count).at(at(2)));
    assert_eq!(is(&told), (3, 7));
    let open = line(Kind::Unpack, SHOP).lot(Some("S1"), 2);
    told.tell(open.into(FOREIGN_PALLET).at(at(3)));
    assert_eq!(is(&told), (3, 7));
    told.tell(here(Kind::Outbound).with(MAKER).at(at(4)));
    assert_eq!(is(&told), (3, 2));
    assert_eq!(tallies(&told)[&SHOP].collected, 7);
    assert_eq!(stock(&told), [(SHOP, 3)]);
}

/// Packing what only a count saw does not make a line known to complete counts, whether any of it lies apart or not.
#[test]
fn c11_what_is_packed_is_not_missed_where_nobody_stated_that_it_came() {
    let mut told = Telling::new();
    let count = line(Kind::Count, SHOP).at(at(1)).supervisor();
    let count = count.item("accepted", serde_json::json!(true));
    told.tell(count.lot(Some("S1"), 2));
    let pack = line(Kind::Pack, SHOP).lot(Some("S1"), 5);
    told.tell(pack.into(FOREIGN_PALLET).at(at(5)));
    let complete = line(Kind::Count, SHOP).at(at(4)).supervisor();
    let complete = complete.item("scope", serde_json::json!({"complete": true}));
    told.tell(complete);
    assert_eq!(codes(&told, SHOP), []);
}

fn accepted(told: &mut Telling, hours: i64) {
    let count = line(Kind::Count, SHOP).at(at(hours)).supervisor();
    let count = count.item("scope", serde_json::json!({"complete": true}));
    told.tell(count.item("accepted", serde_json::json!(true)));
}

/// What lies apart lies loose: if none is seen there is none, whatever containers hold.
#[test]
fn c11_an_accepted_count_leaves_no_more_apart_than_lies_loose() {
    let mut told = cased();
    told.tell(line(Kind::Inbound, SHOP).of(&[CASE_1]).with(MAKER));
    told.tell(line(Kind::Inbound, SHOP).lot(Some("S1"), 7).with(MAKER));
    told.recall(&[LOOSE_BATCH], RECALLED);
    told.tell(line(Kind::Collect, SHOP).lot(Some("S1"), 7).at(at(1)));
    assert_eq!(is(&told), (6, 7));
    let count = line(Kind::Count, SHOP).of(&[CASE_1]).at(at(2)).supervisor();
    let count = count.item("scope", serde_json::json!({"complete": true}));
    told.tell(count.item("accepted", serde_json::json!(true)));
    assert_eq!(is(&told), (6, 0));
}

/// What was fetched back without having come is neither missing nor there once nobody sees it.
#[test]
fn c11_an_accepted_count_of_none_ends_what_was_fetched_back_unsaid() {
    let mut told = Telling::new();
    told.recall(&[LOOSE_BATCH], RECALLED);
    told.tell(line(Kind::Collect, SHOP).lot(Some("S1"), 5).at(at(1)));
    assert_eq!(is(&told), (-5, 5));
    accepted(&mut told, 2);
    assert_eq!(is(&told), (0, 0));
}
