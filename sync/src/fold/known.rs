//! What is wrong with an event itself, whatever it names: flags of admission, references that are
//! not on record, mandatory items that are missing (C15), lots that were not given, and retracts
//! that strike nothing (C10). Judged once per event, not once per unit.

use super::{
    count::{Scope, scope},
    stated::{self, Stated},
    struck::{self, Struck},
};
use crate::{
    event::{Counterpart, Kind, required},
    facts::{Fact, World},
    finding::{Detail, Finding, FindingCode, LotKey, Subject},
    ids::EventId,
    limits::{REFERENCE_CHARS_MAX, REFERENCES_TOLD_MAX},
};
use std::collections::BTreeSet;

/// The findings of an event that are about the event, not about a unit's life.
///
/// `target` is what a retract means, if that came in. A retract that names a unit or a lot has
/// its findings there, but for one that means somebody else's event.
pub fn of_event(fact: &Fact, target: Option<&Fact>, world: &World) -> Vec<Finding> {
    let mut out = Vec::new();
    let fault = (fact.event.kind == Kind::Retract)
        .then(|| struck::fault_alone(fact, target, world))
        .flatten();
    judged(fact, target, fault, world, &mut out);
    out.sort();
    out
}

fn flags(fact: &Fact, out: &mut Vec<Finding>) {
    for flag in fact.flags.iter().collect::<BTreeSet<_>>() {
        out.push(about(fact, *flag, Subject::Event, &[], Detail::Nothing));
    }
}

fn judged(
    fact: &Fact,
    target: Option<&Fact>,
    fault: Option<FindingCode>,
    world: &World,
    out: &mut Vec<Finding>,
) {
    flags(fact, out);
    retract(fact, target, fault, out);
    let unknown = unknown(fact, world);
    if !unknown.is_empty() {
        let detail = named_first(&unknown);
        out.push(about(
            fact,
            FindingCode::UnknownRef,
            Subject::Event,
            &[],
            detail,
        ));
    }
    let profiles = required::profiles(&fact.event, fact.enterprise, world);
    let items: Vec<String> = required::missing_under(&fact.event, &profiles)
        .into_iter()
        .map(str::to_owned)
        .collect();
    if !items.is_empty() {
        out.push(about(
            fact,
            FindingCode::Incomplete,
            Subject::Event,
            &[],
            Detail::Missing { items },
        ));
    }
    let lines = fact.event.lots.iter().filter(|line| line.lot.is_none());
    for gtin in lines.map(|line| line.gtin.clone()).collect::<BTreeSet<_>>() {
        let line = Subject::Lot(LotKey {
            gtin,
            lot: None,
            location: fact.event.location,
        });
        out.push(about(
            fact,
            FindingCode::LotUnknown,
            line,
            &[],
            Detail::Nothing,
        ));
    }
}

/// The findings about the events of a whole set of facts, sorted by order. A struck event
/// contributes nothing but what admission flagged.
pub fn of_events(facts: &[&Fact], world: &World) -> Vec<Finding> {
    let struck = Struck::of(facts, world);
    let mut out = Vec::new();
    let mut before = None;
    for (place, fact) in facts.iter().enumerate() {
        if before.replace(fact.order) == Some(fact.order) {
            continue;
        }
        if struck.is(place) {
            flags(fact, &mut out);
            continue;
        }
        let target = struck.target(place).and_then(|target| facts.get(target));
        let fault = struck.fault(place).map(|(code, _)| code);
        judged(fact, target.copied(), fault, world, &mut out);
    }
    out.sort();
    out
}

/// The events of a whole set of facts, sorted by order, that contribute nothing since they are struck (C10).
pub fn struck<'f>(facts: &[&'f Fact], world: &World) -> Vec<&'f Fact> {
    let struck = Struck::of(facts, world);
    let places = facts.iter().enumerate();
    let struck = places.filter(|(place, _)| struck.is(*place));
    struck.map(|(_, fact)| *fact).collect()
}

/// C10: what is wrong with a retract is found at itself, and never at what its target names.
fn retract(fact: &Fact, target: Option<&Fact>, fault: Option<FindingCode>, out: &mut Vec<Finding>) {
    let Some(code) = fault else {
        return;
    };
    let target = target.map(|target| target.event.id);
    out.push(about(
        fact,
        code,
        Subject::Event,
        &[target],
        Detail::Nothing,
    ));
}

/// References that are not on record, as `kind:id`.
fn unknown(fact: &Fact, world: &World) -> BTreeSet<String> {
    let event = &*fact.event;
    let mut out = batches(fact, world);
    out.extend(actors(fact, world));
    if !world.places.contains_key(&event.location) && !event.location.0.is_nil() {
        out.insert(format!("location:{}", event.location));
    }
    match &event.counterpart {
        Some(Counterpart::Location(location)) if !world.places.contains_key(location) => {
            out.insert(format!("location:{location}"));
        }
        Some(Counterpart::Enterprise(enterprise)) if !world.enterprises.contains(enterprise) => {
            out.insert(format!("enterprise:{enterprise}"));
        }
        Some(Counterpart::Location(_) | Counterpart::Enterprise(_) | Counterpart::Named(_))
        | None => {}
    }
    let named = event.units.iter().chain(&event.parent);
    for unit in named.clone().filter_map(|read| read.unit.as_ref()) {
        if let Some(gtin) = unit.gtin()
            && !world.products.contains_key(gtin)
        {
            out.insert(format!("product:{gtin}"));
        }
    }
    for read in named.filter(|read| read.unit.is_none()) {
        out.insert(format!("code:{}", read.code));
    }
    let counted = match scope(event).filter(|_| event.kind == Kind::Count) {
        Some(Scope::Of(said)) => said,
        Some(Scope::Everything) | None => Vec::new(),
    };
    for said in event.lots.iter().map(|line| &line.gtin).chain(&counted) {
        if world.product_said(said, fact.enterprise).is_none() {
            out.insert(format!("product:{said}"));
        }
    }
    out
}

/// C15: whom an event names as acting, or as overruling a stop, and its enterprise has not on record. Nobody is
/// asked for at a place of which there is no such record, nor where the event may have happened before there was.
fn actors(fact: &Fact, world: &World) -> Vec<String> {
    let event = &fact.event;
    let Some(on_record) = world.actors.get(&fact.enterprise) else {
        return Vec::new();
    };
    let since = [None, Some(event.location)];
    let mut since = since.iter().filter_map(|of| on_record.since.get(of));
    if !since.any(|since| *since <= fact.interval.lo) {
        return Vec::new();
    }
    let overruling = event.overridden.iter();
    let overruling = overruling.filter_map(|said| said.supervisor.as_ref());
    let named = std::iter::once(&event.actor.id).chain(overruling);
    let unknown = named.filter(|id| !id.is_empty() && !on_record.ids.contains(id.as_str()));
    unknown.map(|id| format!("actor:{id}")).collect()
}

/// C15: the first references and how many more there are. Those by id come before codes, which somebody
/// may have scanned by the thousand; of a long code its beginning is told.
fn named_first(unknown: &BTreeSet<String>) -> Detail {
    let (codes, ids): (Vec<&String>, Vec<&String>) =
        unknown.iter().partition(|named| named.starts_with("code:"));
    let told = ids.into_iter().chain(codes).take(REFERENCES_TOLD_MAX);
    let told: Vec<String> = told.map(|named| cut(named)).collect();
    Detail::Unknown {
        more: (unknown.len() - told.len()) as u64,
        what: told.join(", "),
    }
}

fn cut(named: &str) -> String {
    match named.char_indices().nth(REFERENCE_CHARS_MAX) {
        None => named.to_owned(),
        Some((end, _)) => format!("{}…", &named[..end]),
    }
}

/// C1: batches that a commission names, and that are not on record or not of the product of a unit it
/// names them for.
fn batches(fact: &Fact, world: &World) -> BTreeSet<String> {
    if fact.event.kind != Kind::Commission {
        return BTreeSet::new();
    }
    let units = fact
        .event
        .units
        .iter()
        .filter_map(|read| read.unit.as_ref());
    let said = units.filter_map(|unit| match stated::batch_of(world, unit, fact) {
        Stated::Unknown(said) => Some(said),
        Stated::Nothing | Stated::Batch(_) => None,
    });
    said.flatten().map(|said| format!("batch:{said}")).collect()
}

fn about(
    fact: &Fact,
    code: FindingCode,
    subject: Subject,
    others: &[Option<EventId>],
    detail: Detail,
) -> Finding {
    let mut witnesses = vec![fact.event.id];
    witnesses.extend(others.iter().copied().flatten());
    witnesses.sort_unstable();
    witnesses.dedup();
    Finding {
        code,
        subject,
        event: fact.event.id,
        device: fact.event.device,
        batch: None,
        witnesses,
        detail,
    }
}
