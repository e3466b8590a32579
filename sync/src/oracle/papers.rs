//! Findings about an event itself: what became of a retract (C10), references that are not on
//! record and items that are missing (C15), and what admission flagged (section 4, T1 to T10).

use super::{
    batches,
    holders::gtin,
    lots, questions,
    replay::History,
    struck::{Fate, Outcome},
};
use crate::{
    event::{
        Counterpart, Event, Kind,
        required::{Profile, RULES, Rule, Said},
    },
    facts::{Fact, World},
    finding::{Detail, Finding, FindingCode, Subject},
    ids::EnterpriseId,
    trace_code::TraceCode,
};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// All of them.
pub fn findings(history: &History) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (k, fact) in history.facts.iter().enumerate() {
        findings.extend(
            fact.flags
                .iter()
                .map(|code| about(fact, *code, Detail::Nothing)),
        );
        match history.fates[k] {
            Fate::Struck => {}
            Fate::Counts => {
                findings.extend(unknown(history, fact));
                findings.extend(incomplete(history, fact));
                findings.extend(lot_unknown(fact));
            }
            Fate::Retract(outcome) => {
                findings.extend(unknown(history, fact));
                findings.extend(incomplete(history, fact));
                findings.extend(lot_unknown(fact));
                findings.extend(retract(history, k, outcome));
            }
        }
    }
    findings
}

fn about(fact: &Fact, code: FindingCode, detail: Detail) -> Finding {
    Finding {
        code,
        subject: Subject::Event,
        event: fact.event.id,
        device: fact.event.device,
        batch: None,
        witnesses: vec![fact.event.id],
        detail,
    }
}

/// C10. Told of the retract itself.
fn retract(history: &History, k: usize, outcome: Outcome) -> Option<Finding> {
    let fact = history.facts[k];
    let target = outcome.target().map(|target| history.facts[target]);
    let mut witnesses = vec![fact.event.id];
    witnesses.extend(target.map(|target| target.event.id));
    Some(Finding {
        witnesses,
        ..about(fact, fault(outcome)?, Detail::Nothing)
    })
}

/// What is wrong with a retract.
pub const fn fault(outcome: Outcome) -> Option<FindingCode> {
    match outcome {
        Outcome::Strikes(_) => None,
        Outcome::Pending => Some(FindingCode::RetractPending),
        Outcome::OfRetract(_) => Some(FindingCode::RetractOfRetract),
        Outcome::Unauthorised(_) => Some(FindingCode::RetractUnauthorised),
        Outcome::StrikesLate(_) => Some(FindingCode::LateRetract),
    }
}

/// C15: actors, places, partners, products and batches that are not on record, and codes that name nothing, all
/// in one finding.
fn unknown(history: &History, fact: &Fact) -> Option<Finding> {
    let (world, event) = (history.world, &*fact.event);
    let mut what = BTreeSet::new();
    if !event.location.0.is_nil() && !world.places.contains_key(&event.location) {
        what.insert(format!("location:{}", event.location));
    }
    if let Some(staff) = world.actors.get(&fact.enterprise) {
        // Staff of a place are on record from a day on: nothing is asked of what may be older.
        let is_kept = staff.since.iter().any(|(place, day)| {
            let here = match place {
                Some(place) => *place == event.location,
                None => true,
            };
            here && fact.interval.lo >= *day
        });
        let mut said = vec![event.actor.id.clone()];
        if let Some(overruled) = &event.overridden {
            said.push(overruled.supervisor.clone().unwrap_or_default());
        }
        for id in said {
            let is_one = staff.ids.iter().any(|one| **one == *id);
            if is_kept && !is_one && !id.is_empty() {
                what.insert(format!("actor:{id}"));
            }
        }
    }
    match &event.counterpart {
        Some(Counterpart::Enterprise(id)) if !world.enterprises.contains(id) => {
            what.insert(format!("enterprise:{id}"));
        }
        Some(Counterpart::Location(id)) if !world.places.contains_key(id) => {
            what.insert(format!("location:{id}"));
        }
        _ => {}
    }
    for read in event.units.iter().chain(&event.parent) {
        match &read.unit {
            Some(unit) => what.extend(
                gtin(unit)
                    .filter(|gtin| !world.products.contains_key(*gtin))
                    .map(|gtin| format!("product:{gtin}")),
            ),
            None => {
                what.insert(format!("code:{}", read.code));
            }
        }
    }
    for line in &event.lots {
        if batches::said_by(world, &line.gtin, fact.enterprise).is_none() {
            what.insert(format!("product:{}", line.gtin));
        }
    }
    if event.kind == Kind::Count
        && let questions::Counted::AllOf(counted) = questions::counted(event)
    {
        for said in counted {
            if batches::said_by(world, &said, fact.enterprise).is_none() {
                what.insert(format!("product:{said}"));
            }
        }
    }
    if event.kind == Kind::Commission {
        for unit in event.units.iter().filter_map(|read| read.unit.as_ref()) {
            let batches = batches::not_on_record(history, fact, unit);
            what.extend(batches.into_iter().map(|said| format!("batch:{said}")));
        }
    }
    if what.is_empty() {
        return None;
    }
    // Ten are named, codes last, each by its first hundred characters.
    let mut named: Vec<String> = what.into_iter().collect();
    named.sort_by_key(|one| one.starts_with("code:"));
    let more = named.len().saturating_sub(10) as u64;
    named.truncate(10);
    for one in &mut named {
        if one.chars().count() > 100 {
            *one = one.chars().take(100).chain(['…']).collect();
        }
    }
    let what = named.join(", ");
    Some(about(
        fact,
        FindingCode::UnknownRef,
        Detail::Unknown { what, more },
    ))
}

/// C15: what the standards' tables demand and the event does not say. The tables are data shared
/// with the crate; what reads them is the oracle's own.
fn incomplete(history: &History, fact: &Fact) -> Option<Finding> {
    let (event, profiles) = (&*fact.event, profiles(history.world, fact));
    let demanded = |rule: &&Rule| match rule.profile {
        None => true,
        // Care products are maternal and baby products.
        Some(Profile::MaternalBaby) if profiles.contains(&Profile::MaternalBabyCare) => true,
        Some(profile) => profiles.contains(&profile),
    };
    let of_kind = RULES.iter().filter(|rule| rule.kind == event.kind);
    let lacking: Vec<&Rule> = of_kind
        .filter(demanded)
        .filter(|rule| !says(event, rule))
        .collect();
    let mut items: Vec<String> = Vec::new();
    for rule in &lacking {
        // What the agreement itself misses is told under its name only.
        let agreed = |other: &&Rule| other.profile.is_none() && other.said == rule.said;
        let again = rule.profile.is_some() && lacking.iter().any(agreed);
        if !again && !items.iter().any(|item| item == rule.item) {
            items.push(rule.item.to_owned());
        }
    }
    (!items.is_empty()).then(|| about(fact, FindingCode::Incomplete, Detail::Missing { items }))
}

/// Does an event say what a row of the tables wants?
fn says(event: &Event, rule: &Rule) -> bool {
    let goods = event.units.iter().any(|read| !read.code.is_empty()) || !event.lots.is_empty();
    let in_body = match event.body.get(rule.item) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(_) | Value::Number(_)) => true,
        Some(Value::String(text)) => text.chars().any(|c| !c.is_whitespace()),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
    };
    match rule.said {
        Said::Always | Said::OnRecord => true,
        Said::Actor => !event.actor.id.is_empty(),
        Said::Location => event.location.0 != Uuid::nil(),
        Said::Goods => goods,
        Said::Seen => {
            let scope = event.body.get("scope");
            goods || scope.is_some_and(|scope| scope["complete"] == Value::Bool(true))
        }
        Said::Lots => goods && !event.lots.iter().any(|line| line.lot.is_none()),
        Said::Document => matches!(&event.doc, Some(doc) if !doc.no.is_empty()),
        Said::Counterpart => event.counterpart.is_some(),
        Said::CounterpartPlace => match event.counterpart {
            Some(Counterpart::Location(_)) => true,
            _ => in_body,
        },
        Said::Temperature => event.env.and_then(|env| env.temperature).is_some(),
        Said::Humidity => event.env.and_then(|env| env.humidity).is_some(),
        Said::Target => event.target.is_some(),
        Said::Parent => matches!(&event.parent, Some(parent) if !parent.code.is_empty()),
        Said::Disposition => event.disposition.is_some(),
        Said::Body => in_body,
    }
}

/// The profiles of the products of all goods an event names, each looked up by whose it is and what its
/// batches call it.
fn profiles(world: &World, fact: &Fact) -> BTreeSet<Profile> {
    let mut products = Vec::new();
    for read in fact.event.units.iter().chain(&fact.event.parent) {
        let info = read.unit.as_ref().and_then(|unit| world.units.get(unit));
        let batch = info.and_then(|info| world.batches.get(&info.commissioned?.batch));
        products.extend(match (&read.unit, batch) {
            (_, Some(batch)) => Some((batch.issuer, batch.product.clone())),
            (Some(unit), None) => batches::product(world, unit),
            (None, None) => match read.scanned.map(|scanned| scanned.code) {
                Some(TraceCode::Gtin(code)) => batches::on_codes(world, code.gtin.as_str()),
                _ => None,
            },
        });
    }
    for line in &fact.event.lots {
        products.extend(batches::said_by(world, &line.gtin, fact.enterprise));
    }
    let own =
        |(whose, name): (EnterpriseId, String)| *world.own_products.get(&whose)?.get(&name)?;
    products.into_iter().filter_map(own).collect()
}

/// Section 1: a lot that is not given is a line of its own.
fn lot_unknown(fact: &Fact) -> Vec<Finding> {
    lots::named(&fact.event)
        .into_keys()
        .filter(|line| line.lot.is_none())
        .map(|line| Finding {
            subject: Subject::Lot(line),
            ..about(fact, FindingCode::LotUnknown, Detail::Nothing)
        })
        .collect()
}
