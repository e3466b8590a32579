//! C12 and C13: containers, and what moves with them.

use super::*;
use FindingCode as F;

/// Three tins in a case, at the plant.
fn packed() -> Story {
    let mut story = Story::new();
    story.pack(PLANT, 1, &case(1), &[tin(1), tin(2), tin(3)]);
    story
}

fn move_case(story: &mut Story, who: u128, kind: Kind, at: u128, minute: i64) -> EventId {
    story.tell(who, kind, at, minute, &[case(1)], |event| {
        if kind == Kind::Outbound {
            event.counterpart = Some(Counterpart::Location(place(STORE)));
        }
    })
}

#[test]
fn c13_what_moves_the_container_moves_what_is_inside() {
    let mut story = packed();
    move_case(&mut story, MAKER, Kind::Outbound, PLANT, 2);
    move_case(&mut story, SHOP, Kind::Inbound, STORE, 3);
    let folded = story.folded(&tin(2));
    assert_eq!(folded.state.place, Place::At(place(STORE)));
    assert_eq!(folded.state.phase, Phase::InStock);
    assert_eq!(folded.state.inside, Some(case(1)));
    assert!(folded.state.linked.contains(&enterprise(SHOP)));
    assert_eq!(folded.findings, []);
    assert_eq!(folded.steps[1].via, Some(case(1)));
}

#[test]
fn c13_containers_within_containers_move_together() {
    let mut story = packed();
    story.pack(PLANT, 2, &pallet(), &[case(1)]);
    story.tell(
        MAKER,
        Kind::Outbound,
        PLANT,
        3,
        &[pallet()],
        to_place(STORE),
    );
    story.tell(SHOP, Kind::Inbound, STORE, 4, &[pallet()], |_| {});
    let all = story.forest();
    for unit in [pallet(), case(1), tin(1)] {
        assert_eq!(all[&unit].state.place, Place::At(place(STORE)), "{unit}");
        assert_eq!(all[&unit].findings, [], "{unit}");
    }
}

#[test]
fn c13_a_finding_by_an_event_on_the_container_is_the_containers() {
    let mut story = packed();
    move_case(&mut story, MAKER, Kind::Outbound, WAREHOUSE, 2);
    assert_eq!(story.codes(&case(1)), [F::WrongLocation]);
    let folded = story.folded(&tin(1));
    assert_eq!(folded.findings, []);
    assert_eq!(folded.shared[0].code, F::WrongLocation);
}

#[test]
fn c13_expiry_and_recalls_are_judged_once_per_container_and_batch() {
    let mut story = Story::new();
    story.unit(tin(2), Level::Item, Some(2));
    story.unit(case(1), Level::Case, None);
    story.pack(PLANT, 1, &case(1), &[tin(1), tin(2), tin(3)]);
    story.recall(1, 1, of_batch(2));
    move_case(&mut story, MAKER, Kind::Outbound, PLANT, 2);
    move_case(&mut story, SHOP, Kind::Inbound, STORE, 3);
    move_case(&mut story, SHOP, Kind::Sale, STORE, 4);
    let case_findings = story.findings(&case(1));
    let by_batch: Vec<_> = case_findings.iter().map(|f| (f.code, f.batch)).collect();
    assert_eq!(
        by_batch,
        [
            (F::ShipRecalled, Some(batch(2))),
            (F::SoldRecalled, Some(batch(2)))
        ]
    );
    assert_eq!(story.findings(&tin(2)), []);
    assert_eq!(story.findings(&tin(1)), []);
}

#[test]
fn c13_a_batch_that_left_the_container_is_not_judged_with_it() {
    let mut story = Story::new();
    story.unit(tin(2), Level::Item, Some(2));
    story.unit(case(1), Level::Case, None);
    story.pack(PLANT, 1, &case(1), &[tin(1), tin(2)]);
    story.recall(1, 1, of_batch(2));
    story.tell(MAKER, Kind::Inbound, WAREHOUSE, 2, &[tin(2)], |_| {});
    move_case(&mut story, MAKER, Kind::Outbound, PLANT, 3);
    assert_eq!(story.findings(&case(1)), []);
}

#[test]
fn c12_a_child_scanned_elsewhere_was_taken_out_and_is_judged_alone() {
    let mut story = packed();
    move_case(&mut story, MAKER, Kind::Outbound, PLANT, 2);
    story.tin(SHOP, Kind::Sale, STORE, 3);
    move_case(&mut story, SHOP, Kind::Inbound, STORE, 4);
    let folded = story.folded(&tin(1));
    assert_eq!(folded.state.inside, None);
    assert_eq!(folded.state.phase, Phase::Sold);
    assert_eq!(story.codes(&tin(1)), [F::ImpliedReceipt, F::ImpliedUnpack]);
    assert_eq!(story.folded(&tin(2)).state.phase, Phase::InStock);
}

#[test]
fn c12_a_child_looked_at_where_its_container_stands_stays_inside() {
    let mut story = packed();
    story.tin(MAKER, Kind::Count, PLANT, 2);
    assert_eq!(story.folded(&tin(1)).state.inside, Some(case(1)));
    story.tin(MAKER, Kind::Count, WAREHOUSE, 3);
    assert_eq!(story.folded(&tin(1)).state.inside, None);
    assert_eq!(story.codes(&tin(1)), [F::SurplusAtCount, F::ImpliedUnpack]);
}

#[test]
fn c12_a_child_named_together_with_its_container_stays_inside() {
    let mut story = packed();
    story.tell(
        MAKER,
        Kind::Outbound,
        PLANT,
        2,
        &[case(1), tin(1)],
        to_place(STORE),
    );
    let folded = story.folded(&tin(1));
    assert_eq!(folded.state.inside, Some(case(1)));
    assert_eq!(folded.findings, []);
    assert_eq!(folded.steps.len(), 2);
}

#[test]
fn c12_unpack_without_units_takes_out_all_and_with_units_those() {
    for (units, out) in [(vec![], [true, true]), (vec![tin(1)], [true, false])] {
        let mut story = packed();
        let parent = read(&case(1));
        story.tell(MAKER, Kind::Unpack, PLANT, 2, &units, |event| {
            event.parent = Some(parent);
        });
        let all = story.forest();
        assert_eq!(all[&tin(1)].state.inside.is_none(), out[0]);
        assert_eq!(all[&tin(2)].state.inside.is_none(), out[1]);
        assert_eq!(all[&tin(1)].findings, []);
    }
}

#[test]
fn c12_a_later_pack_closes_the_earlier() {
    let mut story = packed();
    story.pack(PLANT, 2, &case(2), &[tin(1)]);
    assert_eq!(story.folded(&tin(1)).state.inside, Some(case(2)));
    assert_eq!(story.codes(&tin(1)), [F::ImpliedUnpack]);
    assert_eq!(story.folded(&tin(1)).stays.len(), 2);
}

#[test]
fn c12_a_container_holds_only_what_is_of_a_lower_level() {
    let mut story = Story::new();
    story.pack(PLANT, 1, &case(1), &[pallet(), case(2), case(1)]);
    for unit in [pallet(), case(2), case(1)] {
        assert!(story.codes(&unit).contains(&F::PackLevel), "{unit}");
        assert_eq!(story.folded(&unit).state.inside, None);
    }
}

#[test]
fn c12_foreign_codes_packed_in_a_circle_make_no_circle() {
    let mut story = Story::new();
    let (a, b) = (UnitKey::kept("/c/AB.1"), UnitKey::kept("/c/AB.2"));
    story.pack(PLANT, 1, &a, std::slice::from_ref(&b));
    story.pack(PLANT, 2, &b, std::slice::from_ref(&a));
    let all = story.forest();
    assert_eq!(all[&b].state.inside, Some(a.clone()));
    assert_eq!(all[&a].state.inside, None);
    assert!(story.codes(&a).contains(&F::PackLevel));
}

#[test]
fn c12_sold_goods_that_are_packed_are_found() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(SHOP, Kind::Sale, STORE, 4);
    let parent = read(&case(1));
    story.tell(SHOP, Kind::Pack, STORE, 5, &[tin(1)], |event| {
        event.parent = Some(parent);
        event.declared = Some(6);
    });
    assert_eq!(story.codes(&tin(1)), [F::PackAfterEnd]);
    // The case is the maker's and never came to the shop.
    assert_eq!(story.codes(&case(1)), [F::UnexpectedHolder]);
}

#[test]
fn c12_fewer_than_declared_is_a_short_pack() {
    let mut story = Story::new();
    let pack = story.pack(PLANT, 1, &case(1), &[tin(1)]);
    Arc::make_mut(&mut story.fact(pack).event).declared = Some(6);
    assert_eq!(story.codes(&case(1)), [F::ShortPack]);
}

#[test]
fn c11_who_counts_a_container_sees_what_is_inside() {
    let mut story = packed();
    move_case(&mut story, MAKER, Kind::Outbound, PLANT, 2);
    move_case(&mut story, SHOP, Kind::Inbound, STORE, 3);
    let scope = |event: &mut Event| {
        event
            .body
            .insert("scope".into(), serde_json::json!({"complete": true}));
    };
    story.tell(SHOP, Kind::Count, STORE, 4, &[case(1)], scope);
    assert_eq!(story.findings(&tin(1)), []);
    story.facts.pop();
    story.tell(SHOP, Kind::Count, STORE, 4, &[], scope);
    // The case answers for what it holds.
    assert_eq!(story.codes(&case(1)), [F::MissingAtCount]);
    assert_eq!(story.findings(&tin(1)), []);
}

#[test]
fn c13_only_exceptional_children_must_be_looked_at() {
    let mut story = packed();
    let all = story.forest();
    let member = |n: u32, own_event_since: bool| Member {
        unit: tin(n),
        batch: all[&tin(n)].state.batch,
        sign: Sign::of(&tin(n), &all[&tin(n)], &story.world),
        own_event_since,
    };
    let members = [member(1, false), member(2, true), member(3, false)];
    let found = exceptional(&all[&case(1)], &members, &story.world);
    assert_eq!(found, [tin(2)].into());
    story.recall(
        1,
        5,
        RecallScope {
            units: [tin(3)].into(),
            ..RecallScope::default()
        },
    );
    let found = exceptional(&all[&case(1)], &members, &story.world);
    assert_eq!(found, [tin(2), tin(3)].into());
}
