//! C1 to C8 and C11: the life of one tin.

use super::*;
use crate::event::Disposition;
use FindingCode as F;

#[test]
fn a_tin_that_is_made_shipped_received_and_sold_has_no_findings() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Sale, STORE, 4);
    let folded = story.folded(&tin(1));
    assert_eq!(folded.findings, []);
    assert_eq!(folded.state.phase, Phase::Sold);
    assert_eq!(folded.state.place, Place::At(place(STORE)));
    assert_eq!(folded.state.holder, Some(enterprise(SHOP)));
    assert_eq!(folded.steps.len(), 3);
}

#[test]
fn c1_another_batch_conflicts_and_the_first_stays() {
    let mut story = Story::new();
    story.tell(MAKER, Kind::Commission, PLANT, 1, &[tin(1)], |event| {
        event.body.insert("batch".into(), "L2".into());
    });
    let folded = story.folded(&tin(1));
    assert_eq!(folded.state.batch, Some(batch(1)));
    assert_eq!(story.codes(&tin(1)), [F::CommissionConflict]);
}

#[test]
fn c1_a_batch_that_is_told_late_is_known_and_the_goods_stay_where_they_are() {
    let mut story = Story::new();
    story.unit(tin(1), Level::Item, None);
    story.tin(MAKER, Kind::Inbound, WAREHOUSE, 1);
    story.tell(MAKER, Kind::Commission, PLANT, 2, &[tin(1)], |event| {
        event.body.insert("batch".into(), "L2".into());
    });
    let folded = story.folded(&tin(1));
    assert_eq!(folded.state.batch, Some(batch(2)));
    assert_eq!(folded.state.phase, Phase::InStock);
    assert_eq!(story.codes(&tin(1)), [F::UnexpectedState]);
}

#[test]
fn c1_a_void_code_is_not_commissioned() {
    let mut story = Story::new();
    story.unit(tin(1), Level::Item, None);
    story.world.units.get_mut(&tin(1)).expect("told").voided = Some(StatedAt { at: 0, gseq: 1 });
    story.tin(MAKER, Kind::Commission, PLANT, 1);
    assert_eq!(story.codes(&tin(1)), [F::CommissionVoid]);
    assert_eq!(story.folded(&tin(1)).state.phase, Phase::Unknown);
}

#[test]
fn c2_the_window_of_a_double_scan_begins_at_the_last_effective_scan() {
    let mut story = Story::new();
    story.ship(MAKER, PLANT, 1, STORE);
    for minute in [3, 9, 13, 14] {
        story.tell(SHOP, Kind::Inbound, STORE, minute, &[tin(1)], |event| {
            event.doc = Some(doc("D1"));
        });
    }
    // 9 and 13 are within ten minutes from 3; 14 is not, however near it is to 13.
    assert_eq!(
        story.codes(&tin(1)),
        [F::UnexpectedState, F::DoubleScan, F::DoubleScan]
    );
}

#[test]
fn c2_a_teleport_heals_when_the_missing_outbound_comes_in() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Inbound, OTHER_STORE, 9);
    assert_eq!(story.codes(&tin(1)), [F::Teleport]);
    story.ship(SHOP, STORE, 5, OTHER_STORE);
    assert_eq!(story.findings(&tin(1)), []);
}

#[test]
fn c2_on_the_way_elsewhere_is_a_misroute() {
    let mut story = Story::new();
    story.ship(MAKER, PLANT, 1, STORE);
    story.tin(SHOP, Kind::Inbound, OTHER_STORE, 3);
    let findings = story.findings(&tin(1));
    assert_eq!(findings[0].code, F::Misroute);
    assert_eq!(findings[0].witnesses.len(), 2);
}

#[test]
fn c3_goods_leave_their_plant_without_an_inbound_and_no_other_place() {
    let mut story = Story::new();
    story.ship(MAKER, WAREHOUSE, 1, STORE);
    assert_eq!(story.codes(&tin(1)), [F::OrphanOutbound]);
    assert_eq!(story.folded(&tin(1)).state.phase, Phase::InTransit);
}

#[test]
fn c3_returned_goods_stay_returned_on_their_way() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Sale, STORE, 4);
    story.tin(SHOP, Kind::Return, STORE, 5);
    story.ship(SHOP, STORE, 6, WAREHOUSE);
    story.tin(MAKER, Kind::Inbound, WAREHOUSE, 7);
    let folded = story.folded(&tin(1));
    assert_eq!(folded.findings, []);
    assert_eq!(folded.state.phase, Phase::Returned);
    assert_eq!(folded.state.place, Place::At(place(WAREHOUSE)));
}

#[test]
fn c3_recalled_goods_may_only_go_where_the_recall_wants_them() {
    let mut story = Story::new();
    story.at_the_store();
    story.recall(1, 4, of_batch(1));
    story.ship(SHOP, STORE, 5, OTHER_STORE);
    assert_eq!(story.codes(&tin(1)), [F::ShipRecalled]);
    let mut story = Story::new();
    story.at_the_store();
    story.recall(1, 4, of_batch(1));
    story.ship(SHOP, STORE, 5, WAREHOUSE);
    assert_eq!(story.findings(&tin(1)), []);
}

#[test]
fn c4_the_first_sale_in_order_stays_and_two_places_make_a_copy() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Sale, OTHER_STORE, 9);
    story.tin(SHOP, Kind::Sale, STORE, 4);
    let folded = story.folded(&tin(1));
    assert_eq!(folded.state.place, Place::At(place(STORE)));
    assert!(folded.state.suspected_copy);
    assert_eq!(story.codes(&tin(1)), [F::DoubleSale]);
    let status = public_status(&folded.state);
    assert!(status.is_some_and(|status| status.suspected_copy));
}

#[test]
fn c4_a_return_between_two_sales_explains_them() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Sale, STORE, 4);
    story.tin(SHOP, Kind::Sale, STORE, 9);
    assert_eq!(story.codes(&tin(1)), [F::DoubleSale]);
    story.tin(SHOP, Kind::Return, STORE, 5);
    assert_eq!(story.codes(&tin(1)), [F::SoldUninspected]);
    story.tell(SHOP, Kind::Inspect, STORE, 6, &[tin(1)], |event| {
        event.disposition = Some(Disposition::Sellable);
    });
    assert_eq!(story.findings(&tin(1)), []);
}

#[test]
fn c4_sales_whose_intervals_overlap_are_uncertain_in_their_order() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Sale, STORE, 4);
    let second = story.tin(SHOP, Kind::Sale, STORE, 5);
    story.fact(second).interval.lo = 4 * MINUTE;
    // One device knows in which order it sold.
    assert_eq!(story.codes(&tin(1)), [F::DoubleSale]);
    Arc::make_mut(&mut story.fact(second).event).epoch += 1;
    assert_eq!(story.codes(&tin(1)), [F::DoubleSale, F::OrderUncertain]);
}

#[test]
fn c4_sold_on_its_way_to_here_implies_the_receipt() {
    let mut story = Story::new();
    story.ship(MAKER, PLANT, 1, STORE);
    story.tin(SHOP, Kind::Sale, STORE, 4);
    assert_eq!(story.codes(&tin(1)), [F::ImpliedReceipt]);
    story.tin(SHOP, Kind::Inbound, STORE, 2);
    assert_eq!(story.findings(&tin(1)), []);
}

#[test]
fn c4_expired_goods_are_found_at_the_instant_they_expire() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Sale, STORE, 50);
    let mut info = story.world.batches[&batch(1)].clone();
    info.expires_at = Some(50 * MINUTE);
    story.world.batches.insert(batch(1), info);
    assert_eq!(story.codes(&tin(1)), [F::SoldExpired]);
}

#[test]
fn c5_a_return_of_recalled_goods_counts_as_collected() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Sale, STORE, 4);
    story.recall(1, 5, of_batch(1));
    story.tin(SHOP, Kind::Return, STORE, 6);
    assert_eq!(story.folded(&tin(1)).state.phase, Phase::Collected);
}

#[test]
fn c5_a_receipt_of_another_sale_is_a_mismatch() {
    let mut story = Story::new();
    story.at_the_store();
    story.tell(SHOP, Kind::Sale, STORE, 4, &[tin(1)], |event| {
        event.doc = Some(doc("S-1"));
    });
    story.tell(SHOP, Kind::Return, STORE, 5, &[tin(1)], |event| {
        event.doc = Some(doc("R-1"));
        event
            .body
            .insert("receipt".into(), serde_json::json!({"no": "S-2"}));
    });
    assert_eq!(story.codes(&tin(1)), [F::ReturnMismatch]);
}

#[test]
fn c6_recalled_goods_are_not_released() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Sale, STORE, 4);
    story.tin(SHOP, Kind::Return, STORE, 5);
    story.recall(1, 6, of_batch(1));
    story.tell(SHOP, Kind::Inspect, STORE, 7, &[tin(1)], |event| {
        event.disposition = Some(Disposition::Sellable);
    });
    assert_eq!(story.folded(&tin(1)).state.phase, Phase::Returned);
    assert!(story.codes(&tin(1)).contains(&F::ReleaseRecalled));
}

#[test]
fn c7_a_recall_that_is_widened_later_explains_the_collection() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Collect, STORE, 4);
    assert_eq!(story.codes(&tin(1)), [F::CollectUnrecalled]);
    story.recall(1, 9, of_batch(1));
    assert_eq!(story.findings(&tin(1)), []);
}

#[test]
fn c8_nothing_follows_destruction() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Destroy, STORE, 4);
    story.tin(SHOP, Kind::Sale, STORE, 5);
    let folded = story.folded(&tin(1));
    assert_eq!(folded.state.phase, Phase::Destroyed);
    assert_eq!(story.codes(&tin(1)), [F::AfterEnd]);
}

#[test]
fn c11_a_complete_count_misses_what_it_does_not_name() {
    let mut story = Story::new();
    story.at_the_store();
    let count = |story: &mut Story, units: &[UnitKey], scope: serde_json::Value| {
        story.tell(SHOP, Kind::Count, STORE, 5, units, |event| {
            event.body.insert("scope".into(), scope);
        });
        story.codes(&tin(1))
    };
    let whole = serde_json::json!({"complete": true});
    assert_eq!(
        count(&mut story, &[tin(2)], whole.clone()),
        [F::MissingAtCount]
    );
    story.facts.pop();
    assert_eq!(count(&mut story, &[tin(1)], whole), []);
    story.facts.pop();
    let other = serde_json::json!({"complete": true, "gtins": ["09501101530003"]});
    assert_eq!(count(&mut story, &[tin(2)], other), []);
}

#[test]
fn c11_a_count_in_several_documents_sees_what_any_of_them_sees() {
    let mut story = Story::new();
    story.at_the_store();
    counted_in_two_documents(&mut story, [1, 2]);
    assert_eq!(story.findings(&tin(1)), []);
}

#[test]
fn i3_a_count_in_several_documents_that_is_there_twice_is_there_once() {
    let mut story = Story::new();
    story.at_the_store();
    counted_in_two_documents(&mut story, [3, 2]);
    assert_eq!(story.codes(&tin(1)), [F::MissingAtCount]);
    let facts = story.facts.iter().collect::<Vec<_>>();
    let about = crate::fold::about(&facts, &story.world);
    let facts = &about[&tin(1)];
    let twice: Vec<&Fact> = facts.iter().flat_map(|fact| [*fact, *fact]).collect();
    let fold = |facts: &[&Fact]| crate::fold::fold(&tin(1), facts, &BTreeMap::new(), &story.world);
    assert_eq!(fold(&twice), fold(facts));
}

/// All there is at the store is counted in two documents, which see a tin each.
fn counted_in_two_documents(story: &mut Story, seen: [u32; 2]) {
    for (n, seen) in (1..).zip(seen) {
        let at = 4 + i64::from(n);
        story.tell(SHOP, Kind::Count, STORE, at, &[tin(seen)], |event| {
            event
                .body
                .insert("scope".into(), serde_json::json!({"complete": true}));
            event.group = Some(Group {
                id: GroupId(Uuid::from_u128(7)),
                n,
                of: 2,
                correct: false,
            });
        });
    }
}

#[test]
fn c11_goods_seen_elsewhere_are_observed_there() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Count, OTHER_STORE, 4);
    let folded = story.folded(&tin(1));
    assert_eq!(folded.state.place, Place::At(place(OTHER_STORE)));
    assert_eq!(story.codes(&tin(1)), [F::SurplusAtCount]);
}

#[test]
fn c15_a_code_of_another_lot_contradicts_the_record() {
    let mut story = Story::new();
    let code = format!("https://id.example.cn/01/{GTIN}/10/L9/21/T1");
    story.tell(MAKER, Kind::Outbound, PLANT, 1, &[tin(1)], |event| {
        let mut read = event.units[0].clone();
        read.scanned = trace_code::parse(&code).ok();
        event.units = vec![read].into();
    });
    assert_eq!(story.codes(&tin(1)), [F::CodeContradictsRecord]);
}
