//! The fold and the oracle side by side (I15): both judge the same world, and must say the same.

// Each test target uses some of it and not the rest.
#![allow(dead_code)]

use super::oracle::{self, Verdict};
use std::collections::BTreeMap;
use suyuan_sync::{
    event::Kind,
    facts::{Fact, World},
    finding::Finding,
    fold::{self, UnitState},
    unit::UnitKey,
};

/// What the fold says of a world.
pub fn folded(world: &World, facts: &[Fact]) -> (BTreeMap<UnitKey, UnitState>, Vec<Finding>) {
    let sorted = in_order(facts);
    let forest = fold::forest(&sorted, world);
    let mut findings: Vec<Finding> = fold::of_events(&sorted, world);
    let mut units = BTreeMap::new();
    for (unit, folded) in forest {
        findings.extend(folded.findings);
        units.insert(unit, folded.state);
    }
    (units, tidy(findings))
}

/// The facts in their total order, each once.
pub fn in_order(facts: &[Fact]) -> Vec<&Fact> {
    let mut sorted: Vec<&Fact> = facts.iter().collect();
    sorted.sort_by_key(|fact| fact.order);
    sorted.dedup_by_key(|fact| fact.order);
    sorted
}

fn tidy(mut findings: Vec<Finding>) -> Vec<Finding> {
    for finding in &mut findings {
        finding.witnesses.sort_unstable();
        finding.witnesses.dedup();
    }
    findings.sort();
    findings.dedup();
    findings
}

/// Everything in which they differ, in words; empty when they agree.
pub fn differences(world: &World, facts: &[Fact]) -> Vec<String> {
    let told = oracle::judge(world, facts);
    let (units, findings) = folded(world, facts);
    let mut out = Vec::new();
    for (unit, state) in &units {
        let one = without_last(state);
        let other = without_last(&told.units[unit]);
        if one != other {
            out.push(format!("{unit}\n  fold:   {one:?}\n  oracle: {other:?}"));
        }
    }
    let of_units =
        |finding: &&Finding| !matches!(finding.subject, suyuan_sync::finding::Subject::Lot(_));
    for finding in findings.iter().filter(of_units) {
        if !told.findings.contains(finding) {
            out.push(format!("only the fold: {finding:?}"));
        }
    }
    for finding in told.findings.iter().filter(of_units) {
        if !findings.contains(finding) {
            out.push(format!("only the oracle: {finding:?}"));
        }
    }
    out
}

/// Judges, and fails where the two differ.
pub fn agreed(world: &World, facts: &[Fact]) -> Verdict {
    let differences = differences(world, facts);
    assert!(
        differences.is_empty(),
        "fold and oracle differ\n{}\nof\n{}",
        differences.join("\n"),
        history(facts)
    );
    oracle::judge(world, facts)
}

/// A history in which they differ, made as short as leaving out facts can make it.
pub fn smallest(world: &World, facts: &[Fact]) -> Vec<Fact> {
    let mut facts = facts.to_vec();
    loop {
        let before = facts.len();
        for n in (0..facts.len()).rev() {
            let mut fewer = facts.clone();
            fewer.remove(n);
            if !differences(world, &fewer).is_empty() {
                facts = fewer;
            }
        }
        if facts.len() == before {
            return facts;
        }
    }
}

fn without_last(state: &UnitState) -> UnitState {
    UnitState {
        last: None,
        ..state.clone()
    }
}

/// A history in few words.
pub fn history(facts: &[Fact]) -> String {
    in_order(facts)
        .into_iter()
        .map(|fact| {
            let event = &*fact.event;
            let units: Vec<&str> = event
                .units
                .iter()
                .filter_map(|read| read.unit.as_ref())
                .map(UnitKey::as_str)
                .collect();
            let mut line = format!(
                "{} @{} gseq {} {} {:?} at {} by {} ({}{})",
                event.id,
                fact.order.eff,
                fact.gseq,
                event.kind.name(),
                units,
                event.location,
                fact.enterprise,
                event.actor.id,
                if event.actor.supervisor {
                    ", supervisor"
                } else {
                    ""
                },
            );
            if let Some(parent) = event.parent.as_ref().and_then(|read| read.unit.as_ref()) {
                line.push_str(&format!(" container {parent}"));
            }
            if let Some(counterpart) = &event.counterpart {
                line.push_str(&format!(" with {counterpart:?}"));
            }
            if event.kind == Kind::Retract {
                line.push_str(&format!(" target {:?}", event.target));
            }
            if let Some(disposition) = event.disposition {
                line.push_str(&format!(" {disposition:?}"));
            }
            if let Some(doc) = &event.doc {
                line.push_str(&format!(" doc {}", doc.no));
            }
            if !event.body.is_empty() {
                line.push_str(&format!(" {:?}", event.body));
            }
            line
        })
        .collect::<Vec<_>>()
        .join("\n")
}
