//! C9, and what a recall means for C3, C6 and C7. A recall closed as mistaken never was.

use super::{
    conditions::owner_of,
    replay::History,
    standing::{Sale, interval},
};
use crate::{
    event::Counterpart,
    facts::{Fact, RecallSpan, World},
    finding::{Knowledge, When},
    fold::UnitState,
    ids::{BatchId, EnterpriseId, Gseq, Micros, RecallId},
    unit::UnitKey,
};
use std::collections::BTreeSet;

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
    begun(reaching(world, unit, before, fact), fact)
}

/// Those that began before the fact.
pub fn begun<'w>(mut spans: Vec<&'w RecallSpan>, fact: &Fact) -> Vec<&'w RecallSpan> {
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
    world
        .recalls
        .iter()
        .filter(|span| covers(span, unit, before.batch) && !closed_before(span, fact))
        .collect()
}

/// The recalls that concern a sale of the unit: those that had not certainly ended. People are judged by when
/// a sale can have been, not by where it stands.
pub fn reaching_sale<'w>(
    world: &'w World,
    unit: &UnitKey,
    batch: Option<BatchId>,
    sale: &Sale<'_>,
) -> Vec<&'w RecallSpan> {
    let covering = world.recalls.iter();
    let covering = covering.filter(|span| covers(span, unit, batch));
    covering.filter(|span| !ended_before(span, sale)).collect()
}

/// The same for a whole batch.
pub fn reaching_sale_of_batch<'w>(
    world: &'w World,
    batch: BatchId,
    sale: &Sale<'_>,
) -> Vec<&'w RecallSpan> {
    let covering = world.recalls.iter();
    let covering = covering.filter(|span| !span.mistaken && span.scope.batches.contains(&batch));
    covering.filter(|span| !ended_before(span, sale)).collect()
}

fn ended_before(span: &RecallSpan, sale: &Sale<'_>) -> bool {
    match span.closed {
        Some(closed) => {
            let possible = [sale.interval().lo, interval(sale.fact).lo];
            possible.iter().all(|from| closed.at <= *from)
        }
        None => false,
    }
}

/// The recalls that concern what happened to goods of a whole batch.
pub fn reaching_batch<'w>(world: &'w World, batch: BatchId, fact: &Fact) -> Vec<&'w RecallSpan> {
    world
        .recalls
        .iter()
        .filter(|span| !span.mistaken && span.scope.batches.contains(&batch))
        .filter(|span| !closed_before(span, fact))
        .collect()
}

/// Does a recall explain that goods were collected (C7)? Any that concerns them; and one that was mistaken, for
/// those who followed it.
pub fn explains(
    world: &World,
    unit: Option<&UnitKey>,
    batch: Option<BatchId>,
    collection: &Fact,
) -> bool {
    world.recalls.iter().any(|span| {
        let of_unit = unit.is_some_and(|unit| span.scope.units.contains(unit));
        let of_batch = batch.is_some_and(|batch| span.scope.batches.contains(&batch));
        let followed = span.from.order() < collection.order;
        let open = !closed_before(span, collection);
        open && (of_unit || of_batch) && (followed || !span.mistaken)
    })
}

fn closed_before(span: &RecallSpan, fact: &Fact) -> bool {
    span.closed
        .is_some_and(|closed| closed.order() < fact.order)
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

/// A sale of a recalled unit (C9).
pub struct Sold {
    pub recall: RecallId,
    pub when: When,
    pub knowledge: Knowledge,
    /// The device says it knew less than it was told, or more than there was.
    pub mismatch: bool,
}

/// What these recalls make of a sale. A recall counts from when it first covered the goods; of
/// several the gravest is told: certainly after, then uncertain, then before; and what was known
/// best. Of equals the first that began.
pub fn sold(history: &History, mut spans: Vec<&RecallSpan>, sale: &Sale<'_>) -> Option<Sold> {
    let mut met = BTreeSet::new();
    spans.sort_by_key(|span| span.from.order());
    spans.retain(|span| met.insert(span.recall));
    let mismatch = spans.iter().any(|span| mismatch(sale, span));
    spans
        .into_iter()
        .map(|span| Sold {
            recall: span.recall,
            when: when(sale, span),
            knowledge: knowledge(history, sale, span),
            mismatch,
        })
        .min_by_key(|sold| {
            let lightness = match sold.when {
                When::After => 0,
                When::Uncertain { .. } => 1,
                When::Before => 2,
            };
            (lightness, sold.knowledge)
        })
}

/// Before or after, by the interval and never by `eff`. What may have been after its end is uncertain.
fn when(sale: &Sale<'_>, span: &RecallSpan) -> When {
    let interval = sale.interval();
    let recall = span.from.at;
    let uncertain = When::Uncertain {
        width_us: interval.hi - interval.lo,
    };
    if interval.hi < recall {
        return When::Before;
    }
    match span.closed {
        _ if interval.lo <= recall => uncertain,
        Some(closed) if closed.at <= interval.hi => uncertain,
        _ => When::After,
    }
}

/// The first that matches.
fn knowledge(history: &History, sale: &Sale<'_>, span: &RecallSpan) -> Knowledge {
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
fn overrode(sale: &Sale<'_>, span: &RecallSpan) -> bool {
    sale.fact
        .event
        .overridden
        .as_ref()
        .is_some_and(|stop| match stop.recall {
            Some(recall) => recall == span.recall,
            None => stop.code == "recalled",
        })
}

/// What the device says it held. A list that was made after the event had been received cannot
/// have been held: such a word is not believed.
fn claimed(sale: &Sale<'_>) -> Option<Gseq> {
    sale.list().filter(|version| *version < sale.position())
}

/// The greater of what it says it held and what was delivered and acknowledged.
fn known(sale: &Sale<'_>) -> Gseq {
    claimed(sale).unwrap_or(0).max(sale.delivered())
}

fn mismatch(sale: &Sale<'_>, span: &RecallSpan) -> bool {
    let said = sale.list().unwrap_or(0);
    let says_too_little = said < span.from.gseq && span.from.gseq <= sale.delivered();
    let says_too_much = said >= sale.position();
    says_too_little || says_too_much
}

/// How old the list was when the sale cannot have been earlier. If the instant of its position is
/// not known, it is taken to be as old as the anchor.
fn list_age(history: &History, sale: &Sale<'_>) -> Micros {
    let made = history.world.instants.get(&known(sale)).copied();
    let lo = sale.interval().lo;
    let anchor = lo - sale.mono_ms() as Micros * 1000;
    lo - made.unwrap_or(anchor)
}

/// What was allowed then.
fn policy_list_age(history: &History, sale: &Sale<'_>) -> Micros {
    let lo = sale.interval().lo;
    history.world.policy_at(lo).list_age_us
}

/// Do recalled goods go where one of their recalls does not want them (C3)? Without a destination
/// it wants them at their issuer's.
pub fn ships_astray(
    history: &History,
    spans: &[&RecallSpan],
    issuer: Option<EnterpriseId>,
    outbound: &Fact,
) -> bool {
    spans
        .iter()
        .any(|span| !served(history, span, issuer, outbound))
}

fn served(
    history: &History,
    span: &RecallSpan,
    issuer: Option<EnterpriseId>,
    outbound: &Fact,
) -> bool {
    match &outbound.event.counterpart {
        Some(Counterpart::Location(place)) if span.destinations.is_empty() => {
            issuer.is_some() && owner_of(history, *place) == issuer
        }
        Some(Counterpart::Location(place)) => span.destinations.contains(place),
        Some(Counterpart::Enterprise(enterprise)) if span.destinations.is_empty() => {
            issuer == Some(*enterprise)
        }
        Some(Counterpart::Enterprise(enterprise)) => span
            .destinations
            .iter()
            .any(|place| owner_of(history, *place) == Some(*enterprise)),
        Some(Counterpart::Named(_)) | None => false,
    }
}
