//! C6, C7 and C8: inspections, collections, destructions.

use super::*;
use histories::stage::{BATCH, MINUTE, good::*, unit};
use suyuan_sync::{
    event::Disposition,
    facts::StatedAt,
    fold::{Ended, public_status},
};

fn returned() -> Telling {
    let (mut told, _) = sold();
    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]));
    told
}

#[test]
fn c6_an_inspection_frees_holds_or_condemns() {
    let cases = [
        (Disposition::Sellable, Phase::InStock, None),
        (Disposition::Hold, Phase::Returned, Some(Disposition::Hold)),
        (
            Disposition::Destroy,
            Phase::Returned,
            Some(Disposition::Destroy),
        ),
    ];
    for (disposition, phase, kept) in cases {
        let mut told = returned();
        told.tell(
            line(Kind::Inspect, SHOP)
                .of(&[TIN_1])
                .disposition(disposition),
        );
        assert!(quiet(&told));
        let state = state(&told, TIN_1);
        assert_eq!((state.phase, state.disposition), (phase, kept));
    }
}

#[test]
fn c6_recalled_goods_are_not_released_unless_the_recall_was_a_mistake() {
    let mut told = returned();
    let recall = told.recall(&[BATCH], 4 * HOUR + MINUTE);
    let release = told.tell(
        line(Kind::Inspect, SHOP)
            .of(&[TIN_1])
            .disposition(Disposition::Sellable),
    );
    assert!(of(&told, release).contains(&FindingCode::ReleaseRecalled));
    assert_eq!(phase(&told, TIN_1), Phase::Returned);

    told.world.recalls[recall].mistaken = true;
    assert!(quiet(&told));
    assert_eq!(phase(&told, TIN_1), Phase::InStock);
}

/// Who followed a recall did right, though it was called off; what was fetched goes back into stock by an inspection.
#[test]
fn c7_a_recall_that_was_mistaken_explains_what_was_collected_while_it_stood() {
    for (from, explained) in [(2 * HOUR + MINUTE, true), (4 * HOUR, false)] {
        for by_unit in [true, false] {
            let mut told = in_the_shop();
            let recall = told.recall(&[BATCH], from);
            if by_unit {
                let scope = &mut told.world.recalls[recall].scope;
                scope.batches.clear();
                scope.units.insert(unit(TIN_1));
            }
            let collect = told.tell(line(Kind::Collect, SHOP).of(&[TIN_1]));
            assert!(quiet(&told));
            told.world.recalls[recall].closed = Some(StatedAt {
                at: stage::START + 5 * HOUR,
                gseq: 900,
            });
            assert!(quiet(&told));
            told.world.recalls[recall].mistaken = true;
            let found = of(&told, collect);
            assert_eq!(found.is_empty(), explained, "{found:?}");
            let too_late = told.tell(line(Kind::Collect, SHOP).of(&[TIN_1]).at(6 * HOUR));
            assert!(of(&told, too_late).contains(&FindingCode::CollectUnrecalled));
        }
    }
}

#[test]
fn c7_what_was_collected_in_a_case_is_explained_with_it() {
    let mut told = Telling::new();
    told.tell(line(Kind::Pack, PLANT).of(&[TIN_1, SHORT_TIN]).into(CASE_1));
    told.tell(line(Kind::Outbound, PLANT).of(&[CASE_1]).to(SHOP));
    told.tell(line(Kind::Inbound, SHOP).of(&[CASE_1]).with(MAKER));
    let recall = told.recall(&[BATCH], 3 * HOUR + MINUTE);
    told.tell(line(Kind::Collect, SHOP).of(&[CASE_1]));
    let before = verdict(&told).findings;
    let span = &mut told.world.recalls[recall];
    span.mistaken = true;
    span.closed = Some(StatedAt {
        at: stage::START + 5 * HOUR,
        gseq: 900,
    });
    assert_eq!(verdict(&told).findings, before);
    told.world.recalls[recall].from.at = stage::START + 4 * HOUR + MINUTE;
    assert_ne!(verdict(&told).findings, before);
}

#[test]
fn c6_what_was_collected_goes_back_into_stock_by_an_inspection_once_no_recall_covers_it() {
    let mut told = in_the_shop();
    let recall = told.recall(&[BATCH], 2 * HOUR + MINUTE);
    told.tell(line(Kind::Collect, SHOP).of(&[TIN_1]));
    let release = |at: i64| {
        let line = line(Kind::Inspect, SHOP).of(&[TIN_1]).at(at);
        line.disposition(Disposition::Sellable)
    };
    let too_early = told.tell(release(4 * HOUR));
    assert_eq!(of(&told, too_early), [FindingCode::ReleaseRecalled]);
    assert_eq!(phase(&told, TIN_1), Phase::Collected);
    told.world.recalls[recall].closed = Some(StatedAt {
        at: stage::START + 5 * HOUR,
        gseq: 900,
    });
    let released = told.tell(release(6 * HOUR));
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).at(7 * HOUR));
    assert_eq!(of(&told, released), []);
    assert!(!state(&told, TIN_1).withdrawn);
    // It never was: the first inspection put it back, and the second had nothing to judge.
    told.world.recalls[recall].mistaken = true;
    assert_eq!(of(&told, too_early), []);
    assert_eq!(of(&told, released), [FindingCode::UnexpectedState]);
    assert_eq!(phase(&told, TIN_1), Phase::Sold);
}

#[test]
fn c7_a_collection_without_a_recall_heals_when_the_recall_is_widened_to_it() {
    let mut told = in_the_shop();
    let recall = told.recall(&[], 0);
    let collect = told.tell(line(Kind::Collect, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, collect), [FindingCode::CollectUnrecalled]);
    assert_eq!(phase(&told, TIN_1), Phase::Collected);

    let mut widened = told.world.recalls[recall].clone();
    widened.scope.units.insert(unit(TIN_1));
    widened.from = StatedAt {
        at: stage::START + 9 * HOUR,
        gseq: 900,
    };
    told.world.recalls.push(widened);
    assert!(quiet(&told));
    assert_eq!(state(&told, TIN_1).recalls.len(), 1);
}

#[test]
fn c7_collected_twice_is_told_and_collected_goods_are_not_sold() {
    let mut told = in_the_shop();
    told.recall(&[BATCH], 2 * HOUR + MINUTE);
    let first = told.tell(line(Kind::Collect, SHOP).of(&[TIN_1]));
    let twice = told.tell(line(Kind::Collect, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, twice), [FindingCode::DoubleCollect]);
    let sale = told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
    assert!(of(&told, sale).contains(&FindingCode::SoldAfterCollect));

    told.tell(line(Kind::Retract, SHOP).target(first));
    assert_eq!(of(&told, twice), []);
    told.tell(line(Kind::Retract, SHOP).target(twice));
    assert_eq!(of(&told, sale), [FindingCode::SoldRecalled]);
}

#[test]
fn c7_destroyed_goods_are_not_collected_until_the_destruction_is_retracted() {
    let mut told = in_the_shop();
    told.recall(&[BATCH], 2 * HOUR + MINUTE);
    let end = told.tell(line(Kind::Destroy, SHOP).of(&[TIN_1]));
    let collect = told.tell(line(Kind::Collect, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, collect), [FindingCode::CollectDestroyed]);
    assert_eq!(phase(&told, TIN_1), Phase::Destroyed);

    told.tell(line(Kind::Retract, SHOP).target(end));
    assert!(quiet(&told));
}

#[test]
fn c8_sold_goods_are_destroyed_all_the_same_and_heal_with_the_return() {
    let (mut told, _) = sold();
    let end = told.tell(line(Kind::Destroy, SHOP).of(&[TIN_1]));
    assert_eq!(of(&told, end), [FindingCode::DestroySold]);
    assert_eq!(phase(&told, TIN_1), Phase::Destroyed);

    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]).at(3 * HOUR + MINUTE));
    assert!(quiet(&told));
}

#[test]
fn c8_nothing_follows_a_destruction_until_it_is_retracted() {
    let mut told = in_the_shop();
    let end = told.tell(line(Kind::Destroy, SHOP).of(&[TIN_1]));
    let after = [Kind::Sale, Kind::Inbound, Kind::Outbound, Kind::Return]
        .map(|kind| told.tell(line(kind, SHOP).of(&[TIN_1])));
    for event in after {
        assert_eq!(of(&told, event), [FindingCode::AfterEnd]);
    }
    assert_eq!(phase(&told, TIN_1), Phase::Destroyed);

    told.tell(line(Kind::Retract, SHOP).target(end));
    assert_eq!(of(&told, after[0]), []);
}

#[test]
fn c7_collected_goods_are_told_as_collected_until_an_inspection_finds_them_sellable() {
    let mut told = in_the_shop();
    let recall = told.recall(&[BATCH], 2 * HOUR + MINUTE);
    told.tell(line(Kind::Collect, SHOP).of(&[TIN_1]).at(3 * HOUR));
    let closed = StatedAt {
        at: stage::START + 4 * HOUR,
        gseq: 900,
    };
    told.world.recalls[recall].closed = Some(closed);
    let ended = |told: &Telling| public_status(&state(told, TIN_1)).and_then(|told| told.ended);
    assert_eq!(ended(&told), Some(Ended::Collected));
    let sale = told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).at(5 * HOUR));
    assert_eq!(ended(&told), Some(Ended::Collected));
    let later = [
        line(Kind::Inbound, SHOP),
        line(Kind::Outbound, SHOP).to(OTHER_SHOP),
        line(Kind::Return, SHOP),
        line(Kind::Inspect, SHOP).disposition(Disposition::Hold),
        line(Kind::Pack, SHOP).into(FOREIGN_PALLET),
    ];
    for later in later {
        let mut told = told.clone();
        told.tell(later.of(&[TIN_1]).at(6 * HOUR));
        assert_eq!(ended(&told), Some(Ended::Collected));
        // It was looked at, or never sold and never collected.
        told.tell(
            line(Kind::Inspect, SHOP)
                .of(&[TIN_1])
                .disposition(Disposition::Sellable)
                .at(7 * HOUR),
        );
        assert_eq!(ended(&told), None);
        told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).at(8 * HOUR));
        assert_eq!(ended(&told), None, "the earlier sale stays a finding");
    }
    // Goods that come back though they were collected were not found sellable either.
    told.tell(line(Kind::Retract, SHOP).target(sale));
    let mut back = told.clone();
    back.tell(line(Kind::Return, SHOP).of(&[TIN_1]).at(6 * HOUR));
    assert_eq!(phase(&back, TIN_1), Phase::Returned);
    assert_eq!(ended(&back), Some(Ended::Collected));
}

#[test]
fn c7_a_collection_that_is_retracted_is_told_no_more() {
    let (mut told, _) = sold();
    told.recall(&[BATCH], 3 * HOUR + MINUTE);
    let collect = told.tell(line(Kind::Collect, SHOP).of(&[TIN_1]));
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
    told.tell(line(Kind::Inbound, SHOP).of(&[TIN_1]));
    assert!(state(&told, TIN_1).withdrawn);
    told.tell(line(Kind::Retract, SHOP).target(collect));
    assert!(!state(&told, TIN_1).withdrawn);
}

#[test]
fn c8_goods_are_destroyed_where_they_stand_or_that_is_found_until_their_way_there_arrives() {
    let mut told = in_the_shop();
    let end = told.tell(line(Kind::Destroy, WAREHOUSE).of(&[TIN_1]));
    assert_eq!(of(&told, end), [FindingCode::WrongLocation]);
    assert_eq!(phase(&told, TIN_1), Phase::Destroyed);
    let back = line(Kind::Outbound, SHOP).of(&[TIN_1]).to(WAREHOUSE);
    told.tell(back.at(2 * HOUR + MINUTE));
    assert_eq!(of(&told, end), []);
}
