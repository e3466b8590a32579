//! What is wrong with an event itself, whatever it names: flags of admission, references that are
//! not on record, mandatory items that are missing (C15), lots that were not given, and retracts
//! that strike nothing (C10). Judged once per event, not once per unit.

use crate::{
    event::{Counterpart, Event, Kind, required},
    facts::{Fact, World},
    finding::{Detail, Finding, FindingCode, LotKey, Subject},
    ids::EventId,
};
use std::collections::BTreeSet;

/// The findings of an event that are about the event, not about a unit's life.
///
/// `target` is what a retract strikes, if that came in. A retract that names a unit or a lot has
/// its findings there.
pub fn of_event(fact: &Fact, target: Option<&Fact>, world: &World) -> Vec<Finding> {
    let mut out = Vec::new();
    for flag in fact.flags.iter().collect::<BTreeSet<_>>() {
        out.push(about(fact, *flag, Subject::Event, &[], Detail::Nothing));
    }
    retract(fact, target, &mut out);
    let unknown = unknown(&fact.event, world);
    if !unknown.is_empty() {
        let detail = Detail::Unknown {
            what: unknown.into_iter().collect::<Vec<_>>().join(", "),
        };
        out.push(about(
            fact,
            FindingCode::UnknownRef,
            Subject::Event,
            &[],
            detail,
        ));
    }
    let items: Vec<String> =
        required::missing_under(&fact.event, &required::profiles(&fact.event, world))
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
    out.sort();
    out
}

/// C10, where there is no unit or lot to find it at.
fn retract(fact: &Fact, target: Option<&Fact>, out: &mut Vec<Finding>) {
    let event = &fact.event;
    let names_something =
        event.units.iter().any(|read| read.unit.is_some()) || !event.lots.is_empty();
    if event.kind != Kind::Retract || names_something {
        return;
    }
    let code = match target {
        None => FindingCode::RetractPending,
        Some(target) if target.event.kind == Kind::Retract => FindingCode::RetractOfRetract,
        Some(_) => return,
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
fn unknown(event: &Event, world: &World) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
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
    for line in &event.lots {
        if !world.products.contains_key(&line.gtin) {
            out.insert(format!("product:{}", line.gtin));
        }
    }
    out
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
        batch: None,
        witnesses,
        detail,
    }
}
