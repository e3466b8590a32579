//! C9, C10, C14: what is said of people, who may strike what, and whose word counts.

use super::*;
use crate::{
    event::Override,
    facts::{AcceptScope, Accepted, ShiftClosed},
    finding::{Detail, Knowledge, When},
};
use FindingCode as F;

fn verdict(story: &Story) -> (When, Knowledge) {
    let findings = story.findings(&tin(1));
    let sold = findings
        .iter()
        .find(|finding| finding.code == F::SoldRecalled);
    match sold.map(|finding| &finding.detail) {
        Some(Detail::SoldRecalled {
            when, knowledge, ..
        }) => (*when, *knowledge),
        other => panic!("no sale of recalled goods: {other:?}"),
    }
}

/// Sold at minute 10 by a till that acknowledged log positions up to `delivered`.
fn sold(delivered: i64, list: i64) -> (Story, EventId) {
    let mut story = Story::new();
    story.at_the_store();
    let sale = story.tell(SHOP, Kind::Sale, STORE, 10, &[tin(1)], |event| {
        event.list_version = Some(list);
    });
    story.fact(sale).delivered = delivered;
    (story, sale)
}

#[test]
fn c9_a_sale_before_the_recall_is_nobodys_fault() {
    let (mut story, _) = sold(0, 0);
    story.recall(1, 11, of_batch(1));
    assert_eq!(verdict(&story), (When::Before, Knowledge::CouldNotKnow));
}

#[test]
fn c9_a_sale_is_uncertain_while_its_interval_holds_the_recall() {
    let (mut story, sale) = sold(0, 0);
    story.recall(1, 9, of_batch(1));
    assert_eq!(verdict(&story), (When::After, Knowledge::CouldNotKnow));
    story.fact(sale).interval.lo = 8 * MINUTE;
    let width_us = 2 * MINUTE + MINUTE / 12;
    assert_eq!(verdict(&story).0, When::Uncertain { width_us });
}

#[test]
fn c9_an_interval_that_touches_the_recall_is_uncertain() {
    let (mut story, sale) = sold(0, 0);
    story.recall(1, 9, of_batch(1));
    let recalled = 9 * MINUTE;
    let mut at = |lo: Micros, hi: Micros| {
        let interval = &mut story.fact(sale).interval;
        (interval.lo, interval.hi) = (lo, hi);
        verdict(&story).0
    };
    let touching = When::Uncertain { width_us: 7 };
    assert_eq!(at(recalled - 7, recalled), touching);
    assert_eq!(at(recalled - 7, recalled - 1), When::Before);
    assert_eq!(at(recalled, recalled + 7), touching);
    assert_eq!(at(recalled + 1, recalled + 7), When::After);
}

#[test]
fn c9_what_was_delivered_is_known_whatever_the_device_says() {
    let (mut story, _) = sold(9, 3);
    story.recall(1, 9, of_batch(1));
    assert_eq!(verdict(&story).1, Knowledge::Knew);
    assert!(story.codes(&tin(1)).contains(&F::KnowledgeMismatch));
}

#[test]
fn c9_a_list_from_the_future_is_not_believed() {
    let (mut story, _) = sold(3, 1_000_000);
    story.recall(1, 9, of_batch(1));
    assert_eq!(verdict(&story).1, Knowledge::CouldNotKnow);
    assert!(story.codes(&tin(1)).contains(&F::KnowledgeMismatch));
}

#[test]
fn c9_a_list_is_older_than_the_event_that_names_it() {
    let (mut story, sale) = sold(3, 500);
    story.recall(1, 9, of_batch(1));
    story.fact(sale).gseq = 500;
    assert_eq!(verdict(&story).1, Knowledge::CouldNotKnow);
    assert!(story.codes(&tin(1)).contains(&F::KnowledgeMismatch));
    story.fact(sale).gseq = 501;
    assert_eq!(verdict(&story).1, Knowledge::Knew);
    assert!(!story.codes(&tin(1)).contains(&F::KnowledgeMismatch));
}

#[test]
fn c9_a_list_is_judged_by_the_policy_of_the_earliest_instant_of_the_sale() {
    let (mut story, sale) = sold(3, 3);
    story.recall(1, 4, of_batch(1));
    story.world.instants.insert(3, 0);
    let since = |at: Micros, list_age_us: Micros| {
        let policy = crate::facts::Policy {
            list_age_us,
            ..crate::facts::Policy::default()
        };
        (StatedAt { at, gseq: 2 }, policy)
    };
    let lo = story.fact(sale).interval.lo;
    let judged = |story: &mut Story, first: Micros, second: Micros| {
        // The second comes into force while the sale may have happened already.
        story.world.policies = vec![since(1, first), since(lo + 1, second)].into();
        verdict(story).1
    };
    assert_eq!(
        judged(&mut story, lo - 1, lo + MINUTE),
        Knowledge::StaleList
    );
    assert_eq!(judged(&mut story, lo, 0), Knowledge::CouldNotKnow);
}

#[test]
fn c9_a_list_older_than_allowed_is_the_stores_duty() {
    let (mut story, _) = sold(3, 3);
    story.recall(1, 9, of_batch(1));
    story.world.instants.insert(3, -2000 * MINUTE);
    assert_eq!(verdict(&story).1, Knowledge::StaleList);
}

#[test]
fn c9_a_stop_that_was_overruled_comes_first() {
    let (mut story, sale) = sold(9, 9);
    story.recall(1, 9, of_batch(1));
    Arc::make_mut(&mut story.fact(sale).event).overridden = Some(Override {
        code: "recalled".into(),
        reason: "customer insisted".into(),
        supervisor: Some("s".into()),
        recall: None,
    });
    assert_eq!(verdict(&story).1, Knowledge::Overridden);
}

#[test]
fn c9_a_mistaken_recall_judges_nobody() {
    let (mut story, _) = sold(9, 9);
    story.recall(1, 9, of_batch(1));
    story.world.recalls[0].mistaken = true;
    assert_eq!(story.findings(&tin(1)), []);
}

#[test]
fn c9_a_sale_after_the_recall_was_closed_is_no_recalled_sale() {
    let (mut story, _) = sold(9, 9);
    story.recall(1, 4, of_batch(1));
    story.world.recalls[0].closed = Some(StatedAt {
        at: 5 * MINUTE,
        gseq: 5,
    });
    assert_eq!(story.findings(&tin(1)), []);
}

#[test]
fn c9_a_recall_is_closed_from_the_very_instant_on() {
    let (mut story, sale) = sold(9, 9);
    // The earliest that the sale can have been.
    let at = story.fact(sale).interval.lo;
    story.recall(1, 4, of_batch(1));
    let closed = StatedAt { at, gseq: 5 };
    story.world.recalls[0].closed = Some(closed);
    assert_eq!(story.findings(&tin(1)), []);
    story.world.recalls[0].closed = Some(StatedAt {
        at: closed.at + 1,
        ..closed
    });
    assert_eq!(story.findings(&tin(1)).len(), 1);
}

#[test]
fn c10_a_retract_strikes_wherever_it_stands_in_the_order() {
    let (mut story, sale) = sold(0, 0);
    story.retract(SHOP, 2, sale, "a");
    let folded = story.folded(&tin(1));
    assert_eq!(folded.state.phase, Phase::InStock);
    assert_eq!(folded.findings, []);
    assert!(folded.steps.iter().any(|step| step.struck));
}

#[test]
fn c10_only_the_actor_or_a_supervisor_of_the_same_enterprise_strikes() {
    for (who, actor, supervisor, strikes) in [
        (SHOP, "a", false, true),
        (SHOP, "b", false, false),
        (SHOP, "b", true, true),
        (STRANGER, "a", false, false),
        (STRANGER, "a", true, false),
    ] {
        let (mut story, sale) = sold(0, 0);
        let retract = story.retract(who, 12, sale, actor);
        Arc::make_mut(&mut story.fact(retract).event)
            .actor
            .supervisor = supervisor;
        let folded = story.folded(&tin(1));
        assert_eq!(folded.state.phase == Phase::InStock, strikes);
        // What strikes nothing is nothing to the unit, and found at itself.
        assert!(story.codes(&tin(1)).is_empty());
        assert_eq!(folded.steps.len(), if strikes { 4 } else { 3 });
        let facts: Vec<&Fact> = story.facts.iter().collect();
        let at_events = of_events(&facts, &story.world);
        let unauthorised = at_events
            .iter()
            .filter(|found| found.code == F::RetractUnauthorised);
        assert_eq!(unauthorised.count() == 1, !strikes);
    }
}

#[test]
fn c10_after_the_shift_was_closed_it_strikes_and_is_told() {
    let (mut story, sale) = sold(0, 0);
    story.retract(SHOP, 12, sale, "a");
    for (minute, expected) in [(11, &[F::LateRetract][..]), (13, &[]), (9, &[])] {
        story.world.shifts = vec![ShiftClosed {
            at: StatedAt {
                at: minute * MINUTE,
                gseq: 50,
            },
            device: DeviceId(Uuid::from_u128(100 + STORE)),
        }]
        .into();
        let facts: Vec<&Fact> = story.facts.iter().collect();
        let late = of_events(&facts, &story.world);
        let late: Vec<F> = late.iter().map(|found| found.code).collect();
        assert_eq!(late, expected);
        assert!(story.codes(&tin(1)).is_empty());
        assert_eq!(story.folded(&tin(1)).state.phase, Phase::InStock);
    }
}

#[test]
fn c10_a_retract_of_a_retract_has_no_effect() {
    let (mut story, sale) = sold(0, 0);
    let retract = story.retract(SHOP, 12, sale, "a");
    story.retract(SHOP, 13, retract, "a");
    assert_eq!(story.folded(&tin(1)).state.phase, Phase::InStock);
    let last = story.facts.last().expect("told");
    let target = story.facts.get(3);
    let found = of_event(last, target, &story.world);
    assert_eq!(found[0].code, F::RetractOfRetract);
}

#[test]
fn c10_a_retract_whose_target_is_unknown_waits_for_it() {
    let mut story = Story::new();
    story.retract(SHOP, 12, EventId(Uuid::from_u128(77)), "a");
    let found = of_event(&story.facts[0], None, &story.world);
    assert_eq!(found[0].code, F::RetractPending);
}

#[test]
fn c10_the_new_event_of_a_correction_needs_an_authorised_retract() {
    for (actor, counts) in [("a", true), ("b", false)] {
        let (mut story, sale) = sold(0, 0);
        let correct = Some(Group {
            id: GroupId(Uuid::from_u128(5)),
            n: 1,
            of: 2,
            correct: true,
        });
        let retract = story.retract(SHOP, 12, sale, actor);
        Arc::make_mut(&mut story.fact(retract).event).group = correct;
        // It was another tin.
        story.tell(SHOP, Kind::Sale, STORE, 12, &[tin(2)], |event| {
            event.group = correct;
        });
        story.tell(MAKER, Kind::Outbound, PLANT, 1, &[tin(2)], to_place(STORE));
        let sold = |n| story.folded(&tin(n)).state.phase == Phase::Sold;
        assert_eq!((sold(1), sold(2)), (!counts, counts));
    }
}

#[test]
fn c14_a_stranger_changes_nothing_but_its_own_claim() {
    let mut story = Story::new();
    story.at_the_store();
    let before = story.folded(&tin(1));
    story.tin(STRANGER, Kind::Inbound, STRANGE_PLACE, 4);
    let after = story.folded(&tin(1));
    assert_eq!(story.codes(&tin(1)), [F::UnexpectedHolder]);
    assert_eq!(after.state.place, before.state.place);
    assert_eq!(after.state.linked, before.state.linked);
    assert_eq!(
        after.state.claims.get(&enterprise(STRANGER)),
        Some(&Place::At(place(STRANGE_PLACE)))
    );
    story.tin(STRANGER, Kind::Sale, STRANGE_PLACE, 5);
    let sold = story.folded(&tin(1));
    assert_eq!(public_status(&sold.state), None);
}

#[test]
fn c14_a_leg_of_a_linked_enterprise_links_and_a_strangers_does_not() {
    let mut story = Story::new();
    story.at_the_store();
    // The stranger says it got the tin from a friend: that links neither.
    story.tell(
        STRANGER,
        Kind::Inbound,
        STRANGE_PLACE,
        4,
        &[tin(1)],
        to_place(STRANGE_PLACE),
    );
    assert_eq!(story.codes(&tin(1)), [F::UnexpectedHolder]);
    // The shop says it sent the tin there, and that came in late.
    story.tell(
        SHOP,
        Kind::Outbound,
        STORE,
        3,
        &[tin(1)],
        to_place(STRANGE_PLACE),
    );
    assert_eq!(story.findings(&tin(1)), []);
    assert_eq!(story.folded(&tin(1)).state.claims.len(), 0);
}

#[test]
fn c14_a_name_links_nobody() {
    let mut story = Story::new();
    story.tell(MAKER, Kind::Outbound, PLANT, 1, &[tin(1)], |event| {
        event.counterpart = Some(Counterpart::Named("Good Shop".into()));
    });
    story.tin(SHOP, Kind::Inbound, STORE, 2);
    assert_eq!(story.codes(&tin(1)), [F::UnexpectedHolder]);
}

#[test]
fn c14_the_issuer_may_accept_a_strangers_word_from_a_position_on() {
    let mut story = Story::new();
    story.tin(SHOP, Kind::Inbound, STORE, 2);
    let gseq = story.facts[0].gseq;
    for (from, expected) in [(gseq, &[][..]), (gseq + 1, &[F::UnexpectedHolder])] {
        story.world.accepted = vec![Accepted {
            at: StatedAt { at: 0, gseq: 0 },
            issuer: enterprise(MAKER),
            partner: enterprise(SHOP),
            scope: AcceptScope::Batch(batch(1)),
            from,
        }]
        .into();
        assert_eq!(story.codes(&tin(1)), expected);
    }
}

#[test]
fn c14_who_was_received_first_of_a_foreign_code_is_linked() {
    // The stranger's event comes in after the shop's, whatever its clock said.
    for stranger_at in [1, 3] {
        let mut story = Story::new();
        story.world.units.remove(&tin(1));
        story.world.products.clear();
        story.tin(SHOP, Kind::Inbound, STORE, 2);
        story.tin(STRANGER, Kind::Destroy, STRANGE_PLACE, stranger_at);
        assert_eq!(story.codes(&tin(1)), [F::UnexpectedHolder]);
        let folded = story.folded(&tin(1));
        assert_eq!(folded.state.place, Place::At(place(STORE)));
        assert_eq!(folded.state.linked, [enterprise(SHOP)].into());
        assert_eq!(public_status(&folded.state), None);
    }
}
