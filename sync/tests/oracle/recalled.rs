//! C9, and what a recall means for C3, C6 and C7. A recall closed as mistaken never was.

use super::{conditions::owner_of, replay::History};
use std::collections::BTreeSet;
use suyuan_sync::{
    event::Counterpart,
    facts::{Fact, RecallSpan, World},
    finding::{Knowledge, When},
    fold::UnitState,
    ids::{BatchId, Gseq, Micros, RecallId},
    unit::UnitKey,
};

/// Does the span cover the unit, by itself or by its batch?
pub fn covers(span: &RecallSpan, unit: &UnitKey, batch: Option<BatchId>) -> bool {
    !span.mistaken
        && (span.scope.units.contains(unit)
            || batch.is_some_and(|batch| span.scope.batches.contains(&batch)))
}

/// The recalls in force for the unit when the fact happened: begun before, not closed before.
pub fn active<'w>(
    world: &'w World,
    unit: &UnitKey,
    before: &UnitState,
    fact: &Fact,
) -> Vec<&'w RecallSpan> {
    let mut spans = reaching(world, unit, before, fact);
    spans.retain(|span| span.from.order() < fact.order);
    spans
}

/// The recalls that concern what happened to the unit: not closed before, begun before or after.
pub fn reaching<'w>(
    world: &'w World,
    unit: &UnitKey,
    before: &UnitState,
    fact: &Fact,
) -> Vec<&'w RecallSpan> {
    let closed_before = |span: &RecallSpan| {
        span.closed
            .is_some_and(|closed| closed.order() < fact.order)
    };
    world
        .recalls
        .iter()
        .filter(|span| covers(span, unit, before.batch) && !closed_before(span))
        .collect()
}

/// The recalls that cover the unit now.
pub fn now(world: &World, unit: &UnitKey, state: &UnitState) -> BTreeSet<RecallId> {
    world
        .recalls
        .iter()
        .filter(|span| covers(span, unit, state.batch) && span.closed.is_none())
        .map(|span| span.recall)
        .collect()
}

/// Is the unit recalled by itself, not by its batch?
pub fn by_itself(world: &World, unit: &UnitKey) -> bool {
    world.recalls.iter().any(|span| covers(span, unit, None))
}

/// A sale of a recalled unit (C9).
pub struct Sold {
    pub recall: RecallId,
    pub when: When,
    pub knowledge: Knowledge,
    /// The device says it knew less than it was told, or more than there was.
    pub mismatch: bool,
}

/// Is this sale one of a recalled unit? Of several recalls, the first that began is told.
pub fn sold(history: &History, unit: &UnitKey, before: &UnitState, sale: &Fact) -> Option<Sold> {
    let spans = reaching(history.world, unit, before, sale);
    let span = spans
        .into_iter()
        .min_by_key(|span| (span.from.order(), span.recall))?;
    Some(Sold {
        recall: span.recall,
        when: when(sale, span.from.at),
        knowledge: knowledge(history, sale, span),
        mismatch: mismatch(sale, span),
    })
}

/// Before or after, by the interval and never by `eff`.
fn when(sale: &Fact, recall: Micros) -> When {
    let interval = sale.interval;
    if interval.hi < recall {
        When::Before
    } else if interval.lo > recall {
        When::After
    } else {
        When::Uncertain {
            width_us: interval.hi - interval.lo,
        }
    }
}

/// The first that matches.
fn knowledge(history: &History, sale: &Fact, span: &RecallSpan) -> Knowledge {
    if overrode(sale, span) {
        Knowledge::Overridden
    } else if known(sale) >= span.from.gseq {
        Knowledge::Knew
    } else if list_age(history, sale) > policy_list_age(history, sale) {
        Knowledge::StaleList
    } else {
        Knowledge::CouldNotKnow
    }
}

/// The till warned of this recall and was overruled.
fn overrode(sale: &Fact, span: &RecallSpan) -> bool {
    sale.event
        .overridden
        .as_ref()
        .is_some_and(|stop| match stop.recall {
            Some(recall) => recall == span.recall,
            None => stop.code == "recalled",
        })
}

/// What the device says it held. A list that was made after the event had been received cannot
/// have been held: such a word is not believed.
fn claimed(sale: &Fact) -> Option<Gseq> {
    sale.event
        .list_version
        .filter(|version| *version < sale.gseq)
}

/// The greater of what it says it held and what was delivered and acknowledged.
fn known(sale: &Fact) -> Gseq {
    claimed(sale).unwrap_or(0).max(sale.delivered)
}

fn mismatch(sale: &Fact, span: &RecallSpan) -> bool {
    let said = sale.event.list_version.unwrap_or(0);
    let says_too_little = said < span.from.gseq && span.from.gseq <= sale.delivered;
    let says_too_much = said >= sale.gseq;
    says_too_little || says_too_much
}

/// How old the list was when the sale cannot have been earlier. The instant of a position is known
/// where a statement stands at it; else it is taken to be as old as the anchor.
fn list_age(history: &History, sale: &Fact) -> Micros {
    let position = known(sale);
    let made = instants(history.world)
        .into_iter()
        .find(|(gseq, _)| *gseq == position)
        .map(|(_, at)| at);
    let anchor = sale.interval.lo - sale.event.mono_ms as Micros * 1000;
    sale.interval.lo - made.unwrap_or(anchor)
}

fn instants(world: &World) -> Vec<(Gseq, Micros)> {
    let recalls = world
        .recalls
        .iter()
        .flat_map(|span| span.closed.into_iter().chain([span.from]));
    let policies = world.policies.iter().map(|(at, _)| *at);
    let shifts = world.shifts.iter().map(|shift| shift.at);
    recalls
        .chain(policies)
        .chain(shifts)
        .map(|stated| (stated.gseq, stated.at))
        .collect()
}

fn policy_list_age(history: &History, sale: &Fact) -> Micros {
    history.world.policy_at(sale.interval.lo).list_age_us
}

/// Do recalled goods go where none of their recalls wants them (C3)?
pub fn ships_astray(
    history: &History,
    unit: &UnitKey,
    before: &UnitState,
    outbound: &Fact,
) -> bool {
    active(history.world, unit, before, outbound)
        .into_iter()
        .any(|span| !served(history, span, before, outbound))
}

/// Does the outbound go to a place of the recall; where it names none, to the issuer?
fn served(history: &History, span: &RecallSpan, before: &UnitState, outbound: &Fact) -> bool {
    match &outbound.event.counterpart {
        Some(Counterpart::Location(place)) if span.destinations.is_empty() => {
            before.issuer.is_some() && owner_of(history, *place) == before.issuer
        }
        Some(Counterpart::Location(place)) => span.destinations.contains(place),
        Some(Counterpart::Enterprise(enterprise)) if span.destinations.is_empty() => {
            before.issuer == Some(*enterprise)
        }
        Some(Counterpart::Enterprise(enterprise)) => span
            .destinations
            .iter()
            .any(|place| owner_of(history, *place) == Some(*enterprise)),
        Some(Counterpart::Named(_)) | None => false,
    }
}
