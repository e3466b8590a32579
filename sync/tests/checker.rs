//! The checker is checked (sync.md section 9): each deliberate bug that lives in the fold is
//! switched on, and what watches the fold must notice.
//!
//! The bugs of admission, outbox and store are switched on where these are tested.

// A release build has no bugs to switch on.
#![cfg(debug_assertions)]

mod differential;
mod histories;

use differential::in_order;
use histories::{Case, seeded};
use std::collections::BTreeMap;
use suyuan_sync::{
    bugs::{self, Bug},
    facts::Fact,
    finding::Finding,
    fold,
    invariants::i15_the_oracle_finds_the_same,
    unit::UnitKey,
};

const SEEDS: u64 = 400;

/// Does the watch notice in some history? None of them gives a false alarm without the bug.
fn is_noticed(bug: Bug, watch: impl Fn(&Case) -> bool) {
    let mut noticed = false;
    for case in (0..SEEDS).map(|seed| seeded(seed, 40)) {
        if bugs::with(bug, || watch(&case)) {
            noticed = true;
            assert!(!watch(&case), "noticed {bug:?} where it is not");
            break;
        }
    }
    assert!(noticed, "nobody noticed {bug:?}");
}

/// I15: fold and oracle differ.
fn unlike_the_oracle(case: &Case) -> bool {
    i15_the_oracle_finds_the_same(&case.world, &case.facts).is_err()
}

#[test]
fn bug_1_a_tie_broken_in_own_favour_is_noticed() {
    // I9: the same facts, numbered as if they had come in the other way round. Both at one instant,
    // so that there are ties to break.
    is_noticed(Bug::TieInOwnFavour, |case| {
        let hashes = |turned: bool| {
            let n = case.facts.len() as i64;
            let mut facts = case.facts.clone();
            for (at, fact) in facts.iter_mut().enumerate() {
                fact.order.eff /= 1 << 32;
                fact.gseq = if turned { n - at as i64 } else { at as i64 };
            }
            let facts: Vec<&Fact> = in_order(&facts);
            fold::forest(&facts, &case.world)
                .iter()
                .map(|(unit, folded)| fold::state_hash(unit, folded))
                .collect::<Vec<_>>()
        };
        // What was accepted from a position on does depend on the numbers.
        case.world.accepted.is_empty() && hashes(false) != hashes(true)
    });
}

#[test]
fn bug_4_an_event_dropped_on_conflict_is_noticed() {
    is_noticed(Bug::DroppedOnConflict, unlike_the_oracle);
}

#[test]
fn bug_7_a_duplicate_applied_twice_is_noticed() {
    // I3: each fact twice over gives what each once gives.
    is_noticed(Bug::DuplicateTwice, |case| {
        let facts: Vec<&Fact> = in_order(&case.facts);
        let none = BTreeMap::new();
        fold::about(&facts, &case.world)
            .iter()
            .any(|(unit, facts)| {
                let twice: Vec<&Fact> = facts.iter().flat_map(|fact| [*fact, *fact]).collect();
                fold::fold(unit, facts, &none, &case.world)
                    != fold::fold(unit, &twice, &none, &case.world)
            })
    });
}

#[test]
fn bug_8_a_late_retract_ignored_is_noticed() {
    is_noticed(Bug::LateRetractIgnored, unlike_the_oracle);
}

#[test]
fn bug_9_a_retract_by_a_stranger_is_noticed() {
    is_noticed(Bug::StrangersRetract, unlike_the_oracle);
}

#[test]
fn bug_10_findings_that_never_close_are_noticed() {
    // I16: what was opened and not closed, fact by fact, is what is open in the end.
    is_noticed(Bug::FindingsNeverClose, |case| {
        let mut open: BTreeMap<UnitKey, Vec<Finding>> = BTreeMap::new();
        let mut last = BTreeMap::new();
        for n in 1..=case.facts.len() {
            let facts: Vec<&Fact> = in_order(case.facts.get(..n).unwrap_or_default());
            last = fold::forest(&facts, &case.world);
            for (unit, folded) in &last {
                let kept = open.entry(unit.clone()).or_default();
                let (opened, closed) = fold::diff(kept, &folded.findings);
                kept.retain(|finding| !closed.contains(finding));
                kept.extend(opened);
            }
        }
        let identity = |finding: &Finding| (finding.code, finding.event, finding.batch);
        last.iter().any(|(unit, folded)| {
            let kept = open.get(unit).map_or(&[][..], Vec::as_slice);
            let mut kept: Vec<_> = kept.iter().map(identity).collect();
            let mut found: Vec<_> = folded.findings.iter().map(identity).collect();
            kept.sort_unstable();
            found.sort_unstable();
            kept != found
        })
    });
}

#[test]
fn bug_15_a_child_missed_when_its_container_moves_is_noticed() {
    is_noticed(Bug::ChildMissed, unlike_the_oracle);
}

#[test]
fn bug_16_a_pack_cycle_accepted_is_noticed() {
    is_noticed(Bug::PackCycle, unlike_the_oracle);
}

#[test]
fn bug_17_a_recall_list_trusted_from_the_device_alone_is_noticed() {
    is_noticed(Bug::ListTrusted, unlike_the_oracle);
}

#[test]
fn bug_18_a_strangers_sale_that_changes_advice_is_noticed() {
    is_noticed(Bug::StrangersSale, unlike_the_oracle);
}
