//! The fold and the oracle side by side (I15): both judge the same world, and must say the same.

// Each test target uses some of it and not the rest.
#![allow(dead_code)]

use super::oracle::{self, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::UnitRead,
    facts::{Fact, World},
    finding::{Finding, LotKey},
    fold::{self, UnitState},
    invariants::i17_goods_of_lots_add_up,
    lots,
    unit::UnitKey,
};

/// What the fold says of a world.
pub struct Said {
    pub units: BTreeMap<UnitKey, UnitState>,
    pub lots: BTreeMap<LotKey, i64>,
    pub findings: Vec<Finding>,
}

/// Asks the fold, in whatever order the facts are given.
pub fn folded(world: &World, facts: &[Fact]) -> Said {
    said(world, &in_order(facts))
}

/// Asks the fold of facts as they come: in any order, and some of them twice. What wants them in order
/// ([`fold::of_events`]) gets them so, with those that came twice.
pub fn said(world: &World, facts: &[&Fact]) -> Said {
    let forest = fold::forest(facts, world);
    let mut sorted = facts.to_vec();
    sorted.sort_by_key(|fact| fact.order);
    let mut findings: Vec<Finding> = fold::of_events(&sorted, world);
    let mut balances = BTreeMap::new();
    let movements = lots::movements(facts, &forest, world);
    let gone = lots::all_judged(&movements, facts, world);
    findings.extend(gone.into_values().flatten());
    let kind = |at| facts.iter().find(|f| f.order == at).map(|f| f.event.kind);
    let mut tallies = BTreeMap::new();
    for (key, line) in lots::lines(facts, &forest, world) {
        findings.extend(line.findings());
        tallies.insert(
            key.clone(),
            lots::tally(key.clone(), &movements[&key], kind),
        );
        balances.insert(key, line.balance);
    }
    i17_goods_of_lots_add_up(&balances, &tallies).expect("the sums of lots");
    let mut units = BTreeMap::new();
    for (unit, folded) in forest {
        findings.extend(folded.findings);
        units.insert(unit, folded.state);
    }
    Said {
        units,
        lots: balances,
        findings: tidy(findings),
    }
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

/// Everything in which they differ, in words; empty when they agree. A unit that only one of them knows is
/// a difference.
pub fn differences(world: &World, facts: &[Fact]) -> Vec<String> {
    let told = oracle::judge(world, facts);
    let said = folded(world, facts);
    let mut out = Vec::new();
    let units: BTreeSet<&UnitKey> = said.units.keys().chain(told.units.keys()).collect();
    let named = named(facts);
    for unit in units {
        // Of what no fact names the log says nothing; what is on record says what it is.
        let on_record = || fold::fold(unit, &[], &BTreeMap::new(), world).state;
        let state = said.units.get(unit).cloned();
        let state = state.or_else(|| (!named.contains(unit)).then(on_record));
        let (one, other) = (state.as_ref(), told.units.get(unit));
        let (one, other) = (one.map(without_last), other.map(without_last));
        if one != other {
            out.push(format!("{unit}\n  fold:   {one:?}\n  oracle: {other:?}"));
        }
    }
    if said.lots != told.lots {
        let (one, other) = (&said.lots, &told.lots);
        out.push(format!("lots\n  fold:   {one:?}\n  oracle: {other:?}"));
    }
    for finding in said.findings.iter().filter(|f| !told.findings.contains(f)) {
        out.push(format!("only the fold: {finding:?}"));
    }
    for finding in told.findings.iter().filter(|f| !said.findings.contains(f)) {
        out.push(format!("only the oracle: {finding:?}"));
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

/// The units that facts name, in any part.
fn named(facts: &[Fact]) -> BTreeSet<&UnitKey> {
    let reads = facts
        .iter()
        .flat_map(|fact| fact.event.units.iter().chain(&fact.event.parent));
    reads.filter_map(|read| read.unit.as_ref()).collect()
}

fn without_last(state: &UnitState) -> UnitState {
    UnitState {
        last: None,
        ..state.clone()
    }
}

/// A history in few words.
pub fn history(facts: &[Fact]) -> String {
    let lines: Vec<String> = in_order(facts).into_iter().map(in_words).collect();
    lines.join("\n")
}

fn in_words(fact: &Fact) -> String {
    let event = &*fact.event;
    let keys = |reads: &[UnitRead]| -> Vec<String> {
        let units = reads.iter().filter_map(|read| read.unit.as_ref());
        units.map(ToString::to_string).collect()
    };
    let mut words = vec![
        format!("{} @{} gseq {}", event.id, fact.order.eff, fact.gseq),
        format!("{} {:?}", event.kind.name(), keys(&event.units)),
        format!("at {} by {}", event.location, fact.enterprise),
        format!("({}", event.actor.id),
        (if event.actor.supervisor {
            "supervisor)"
        } else {
            ")"
        })
        .to_owned(),
    ];
    let container = event.parent.as_slice();
    words.extend(keys(container).iter().map(|key| format!("container {key}")));
    words.extend(
        event
            .counterpart
            .iter()
            .map(|with| format!("with {with:?}")),
    );
    words.extend(event.target.iter().map(|target| format!("target {target}")));
    words.extend(event.disposition.iter().map(|said| format!("{said:?}")));
    words.extend(event.doc.iter().map(|doc| format!("doc {}", doc.no)));
    words.extend(event.lots.iter().map(|lot| format!("{lot:?}")));
    words.extend(event.group.iter().map(|group| format!("{group:?}")));
    if !event.body.is_empty() {
        words.push(format!("{:?}", event.body));
    }
    words.join(" ")
}
