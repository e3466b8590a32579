//! I15: what the fold finds is what the slow oracle finds, of one and the same log. Both judge it from
//! its beginning; nothing that was kept is looked at.
//!
//! It must not know how the facts were obtained.

use super::{Broken, Holds, i17_goods_of_lots_add_up};
use crate::{
    facts::{Fact, World},
    finding::{Finding, LotKey},
    fold::{self, UnitState},
    lots, oracle,
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// Differences told of a log.
const SHOWN: usize = 5;

/// What the fold says of a world.
pub struct Said {
    /// What became of each unit.
    pub units: BTreeMap<UnitKey, UnitState>,
    /// What there is of each line.
    pub lots: BTreeMap<LotKey, i64>,
    /// The open findings, sorted, witnesses sorted.
    pub findings: Vec<Finding>,
    /// Whether what came of goods of lots adds up (I17).
    pub sums: Holds,
}

/// I15: fold and oracle say the same of a log.
pub fn i15_the_oracle_finds_the_same(world: &World, facts: &[Fact]) -> Holds {
    let unlike = differences(world, facts);
    if unlike.is_empty() {
        return Ok(());
    }
    let few: Vec<&str> = unlike.iter().take(SHOWN).map(String::as_str).collect();
    let what = format!("{} differences\n  {}", unlike.len(), few.join("\n  "));
    Err(Broken::new("I15", what))
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
    let said = |at| {
        let fact = facts.iter().find(|fact| fact.order == at)?;
        Some((fact.event.kind, fact.event.location))
    };
    let mut tallies = BTreeMap::new();
    for (key, line) in lots::lines(facts, &forest, world) {
        findings.extend(line.findings());
        tallies.insert(
            key.clone(),
            lots::tally(key.clone(), &movements[&key], said),
        );
        balances.insert(key, line.balance);
    }
    let sums = i17_goods_of_lots_add_up(&balances, &tallies);
    let mut units = BTreeMap::new();
    for (unit, folded) in forest {
        findings.extend(folded.findings);
        units.insert(unit, folded.state);
    }
    Said {
        units,
        lots: balances,
        findings: tidy(findings),
        sums,
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
    let said = said(world, &in_order(facts));
    let mut out: Vec<String> = said
        .sums
        .as_ref()
        .err()
        .map(ToString::to_string)
        .into_iter()
        .collect();
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
