//! C11 for goods without codes of their own: the balance of each lot line at each place, and where
//! it was negative. Nothing is ever rewritten to fit.

use super::{replay::History, struck::Fate};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::Kind,
    facts::Fact,
    finding::{Detail, Finding, FindingCode, LotKey, Subject},
};

/// A balance in base units.
pub type Balance = i64;

/// The balance of each line, and what is wrong with it.
pub fn balances(history: &History) -> (BTreeMap<LotKey, Balance>, Vec<Finding>) {
    let mut balances = BTreeMap::new();
    let mut findings = Vec::new();
    for line in lines(history) {
        let facts = facts_of(history, &line);
        let (balance, found) = follow(&line, &facts);
        balances.insert(line.clone(), balance);
        findings.extend(found);
        findings.extend(strangers(history, &line));
    }
    (balances, findings)
}

/// Every line that any fact names.
fn lines(history: &History) -> BTreeSet<LotKey> {
    history
        .facts
        .iter()
        .flat_map(|fact| fact.event.lots.iter().map(|lot| key(fact, lot)))
        .collect()
}

fn key(fact: &Fact, lot: &suyuan_sync::event::LotLine) -> LotKey {
    LotKey {
        gtin: lot.gtin.clone(),
        lot: lot.lot.clone(),
        location: fact.event.location,
    }
}

fn quantity(fact: &Fact, line: &LotKey) -> Option<i64> {
    let mut named = fact
        .event
        .lots
        .iter()
        .filter(|lot| key(fact, lot) == *line)
        .peekable();
    named.peek()?;
    Some(named.map(|lot| lot.qty as i64).sum())
}

/// Is the place on record as somebody else's (section 5)?
fn is_stranger(history: &History, fact: &Fact) -> bool {
    history
        .world
        .places
        .get(&fact.event.location)
        .is_some_and(|place| place.enterprise != fact.enterprise)
}

/// The facts that count for the line, in order.
fn facts_of<'h>(history: &'h History, line: &LotKey) -> Vec<&'h Fact> {
    history
        .facts
        .iter()
        .zip(&history.fates)
        .filter(|(fact, fate)| {
            **fate == Fate::Counts && !is_stranger(history, fact) && quantity(fact, line).is_some()
        })
        .map(|(fact, _)| *fact)
        .collect()
}

fn strangers(history: &History, line: &LotKey) -> Vec<Finding> {
    history
        .facts
        .iter()
        .zip(&history.fates)
        .filter(|(fact, fate)| {
            **fate == Fate::Counts && is_stranger(history, fact) && quantity(fact, line).is_some()
        })
        .map(|(fact, _)| about(line, fact, FindingCode::UnexpectedHolder, Detail::Nothing))
        .collect()
}

fn about(line: &LotKey, fact: &Fact, code: FindingCode, detail: Detail) -> Finding {
    Finding {
        code,
        subject: Subject::Lot(line.clone()),
        event: fact.event.id,
        batch: None,
        witnesses: vec![fact.event.id],
        detail,
    }
}

/// balance = Σ(commission + in + returned) − Σ(out + sold + collected + destroyed) ± accepted
/// count differences.
fn balance_after(line: &LotKey, facts: &[&Fact]) -> Balance {
    let mut balance = 0;
    for fact in facts {
        let quantity = quantity(fact, line).unwrap_or_default();
        match fact.event.kind {
            Kind::Commission | Kind::Inbound | Kind::Return => balance += quantity,
            Kind::Outbound | Kind::Sale | Kind::Collect | Kind::Destroy => balance -= quantity,
            Kind::Count if accepted(fact) => balance = quantity,
            Kind::Count | Kind::Pack | Kind::Unpack | Kind::Inspect | Kind::Retract => {}
        }
    }
    balance
}

fn accepted(fact: &Fact) -> bool {
    let said = fact.event.body.get("accepted");
    said.and_then(serde_json::Value::as_bool) == Some(true) && fact.event.actor.supervisor
}

fn follow(line: &LotKey, facts: &[&Fact]) -> (Balance, Vec<Finding>) {
    let mut findings = Vec::new();
    // The balance after each fact, every one summed up from the beginning.
    let after: Vec<Balance> = (1..=facts.len())
        .map(|n| balance_after(line, &facts[..n]))
        .collect();
    for (n, fact) in facts.iter().enumerate() {
        let before = if n == 0 { 0 } else { after[n - 1] };
        if line.lot.is_none() {
            findings.push(about(line, fact, FindingCode::LotUnknown, Detail::Nothing));
        }
        if fact.event.kind == Kind::Count && !accepted(fact) {
            findings.extend(difference(line, fact, before));
        }
        if after[n] < 0 && before >= 0 {
            let healed = (n..facts.len()).find(|&m| after[m] >= 0);
            let negative = &after[n..healed.unwrap_or(facts.len())];
            let detail = Detail::Balance {
                from: fact.order.eff,
                until: healed.map(|m| facts[m].order.eff),
                lowest: negative.iter().copied().min().unwrap_or_default(),
            };
            findings.push(about(line, fact, FindingCode::NegBalance, detail));
        }
    }
    (after.last().copied().unwrap_or(0), findings)
}

/// A count that nobody accepted says so, and changes nothing.
fn difference(line: &LotKey, fact: &Fact, before: Balance) -> Option<Finding> {
    let there = quantity(fact, line)?;
    let code = match there.cmp(&before) {
        std::cmp::Ordering::Less => FindingCode::MissingAtCount,
        std::cmp::Ordering::Greater => FindingCode::SurplusAtCount,
        std::cmp::Ordering::Equal => return None,
    };
    let detail = Detail::Count {
        expected: before.clamp(0, i64::from(u32::MAX)) as u32,
        there: there.clamp(0, i64::from(u32::MAX)) as u32,
    };
    Some(about(line, fact, code, detail))
}
