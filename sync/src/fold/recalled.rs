//! C9: recalls, and what a till knew when it sold recalled goods.
//!
//! People are judged by what is certain: a sale's interval, not its place in the order, and what
//! the server delivered, not only what the device says it held.

use super::walk::{At, Walk};
use crate::{
    bugs::{self, Bug},
    facts::{Fact, RecallSpan, StatedAt, Then, World},
    finding::{Detail, FindingCode, Knowledge, When},
    ids::{BatchId, Gseq, RecallId},
    order::Order,
    unit::UnitKey,
};
use std::collections::BTreeSet;

/// The spans that cover a unit or a batch at some time. What was closed as mistaken covers
/// nothing.
pub(crate) fn covering<'a>(
    world: &'a World,
    unit: Option<&UnitKey>,
    batch: Option<BatchId>,
) -> Vec<&'a RecallSpan> {
    world
        .recalls
        .iter()
        .filter(|span| !span.mistaken && covers(span, unit, batch))
        .collect()
}

/// Is a unit or a batch in what the span is of?
fn covers(span: &RecallSpan, unit: Option<&UnitKey>, batch: Option<BatchId>) -> bool {
    unit.is_some_and(|unit| span.scope.units.contains(unit))
        || batch.is_some_and(|batch| span.scope.batches.contains(&batch))
}

/// The recalls that cover a unit of this batch now.
pub fn recalls_of(world: &World, unit: &UnitKey, batch: Option<BatchId>) -> BTreeSet<RecallId> {
    now(&covering(world, Some(unit), batch))
}

/// Does a span hold at this place in the order?
pub(crate) fn is_active(span: &RecallSpan, order: Order) -> bool {
    span.from.order() <= order && !is_closed(span, order)
}

/// Was it closed before this place in the order?
pub(super) fn is_closed(span: &RecallSpan, order: Order) -> bool {
    span.closed.is_some_and(|closed| closed.order() <= order)
}

/// The recalls among these spans that hold at this place in the order.
pub(super) fn active(spans: &[&RecallSpan], order: Order) -> BTreeSet<RecallId> {
    spans
        .iter()
        .filter(|span| is_active(span, order))
        .map(|span| span.recall)
        .collect()
}

/// The recalls among these spans that hold now.
pub(super) fn now(spans: &[&RecallSpan]) -> BTreeSet<RecallId> {
    spans
        .iter()
        .filter(|span| span.closed.is_none())
        .map(|span| span.recall)
        .collect()
}

/// Does any recall of a unit, or of a batch, say why goods were fetched back (C7)? All do that were not closed before,
/// whenever they began: a recall that is widened to the goods later explains it. One that was mistaken does for what
/// was fetched while it stood: who followed it did right.
pub(crate) fn explained(
    world: &World,
    unit: Option<&UnitKey>,
    batch: Option<BatchId>,
    order: Order,
) -> bool {
    world.recalls.iter().any(|span| {
        covers(span, unit, batch)
            && !is_closed(span, order)
            && (!span.mistaken || span.from.order() <= order)
    })
}

/// Recalled goods were sold, or goods that were recalled afterwards: of a unit, or of one batch of what
/// it contains.
pub(super) fn sold<'a>(
    walk: &mut Walk<'a>,
    at: &At<'a>,
    spans: &[&'a RecallSpan],
    batch: Option<BatchId>,
) {
    let judged = judged(walk.world, (at.fact, &at.then()), spans);
    let Some((detail, mismatch)) = judged else {
        return;
    };
    walk.find_of(at, FindingCode::SoldRecalled, batch, &[], detail);
    if mismatch {
        walk.find_of(
            at,
            FindingCode::KnowledgeMismatch,
            batch,
            &[],
            Detail::Nothing,
        );
    }
}

/// What these spans make of a sale of goods of lots, which they cover, and whether what the till says it knew
/// disagrees with what it was told.
pub(crate) fn of_sale(world: &World, sale: &Fact, spans: &[&RecallSpan]) -> Option<(Detail, bool)> {
    judged(world, (sale, &sale.then_of_lots()), spans)
}

/// The same of goods of which a sale is judged by this. Of several recalls the one that weighs most is told:
/// certainly after, then uncertain, then before; overruled, then known, then a stale list, then none of that.
fn judged(
    world: &World,
    (sale, then): (&Fact, &Then),
    spans: &[&RecallSpan],
) -> Option<(Detail, bool)> {
    let mut seen: BTreeSet<RecallId> = BTreeSet::new();
    let mut worst: Option<(RecallId, When, Knowledge)> = None;
    let mut mismatch = false;
    for span in spans {
        // Nor is it over where the sale stands: who waits with putting right what was sold is not out of it.
        let stands = sale.interval_there();
        let over = |closed: StatedAt| then.interval.lo.min(stands.lo) >= closed.at;
        if span.closed.is_some_and(over) || !seen.insert(span.recall) {
            continue;
        }
        let when = when(then, span);
        let knowledge = knowledge(world, (sale, then), span);
        mismatch |= disagrees(then, span.from.gseq);
        let weight = |when: When, knowledge: Knowledge| (rank(when), std::cmp::Reverse(knowledge));
        if worst.is_none_or(|(_, w, k)| weight(when, knowledge) > weight(w, k)) {
            worst = Some((span.recall, when, knowledge));
        }
    }
    let (recall, when, knowledge) = worst?;
    let detail = Detail::SoldRecalled {
        recall,
        when,
        knowledge,
    };
    Some((detail, mismatch))
}

const fn rank(when: When) -> u8 {
    match when {
        When::Before => 0,
        When::Uncertain { .. } => 1,
        When::After => 2,
    }
}

/// Before or after the recall began, as far as is certain; that it had not ended is not, if it may have.
fn when(sale: &Then, span: &RecallSpan) -> When {
    let opened = span.from.at;
    let ended = span
        .closed
        .is_some_and(|closed| sale.interval.hi >= closed.at);
    if sale.interval.hi < opened {
        When::Before
    } else if sale.interval.lo > opened && !ended {
        When::After
    } else {
        When::Uncertain {
            width_us: sale.interval.hi.saturating_sub(sale.interval.lo),
        }
    }
}

/// What the till knew; the first that fits.
fn knowledge(world: &World, (sale, then): (&Fact, &Then), span: &RecallSpan) -> Knowledge {
    let overruled = sale.event.overridden.as_ref().is_some_and(|stop| {
        stop.recall
            .map_or(stop.code.eq_ignore_ascii_case("recalled"), |recall| {
                recall == span.recall
            })
    });
    if overruled {
        return Knowledge::Overridden;
    }
    let position = known_position(then);
    if position >= span.from.gseq {
        return Knowledge::Knew;
    }
    let policy = world.policy_at(then.interval.lo);
    let mono_us = i64::try_from(then.mono_ms)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    let made_at = world
        .instants
        .get(&position)
        .copied()
        .unwrap_or_else(|| then.interval.lo.saturating_sub(mono_us));
    if then.interval.lo.saturating_sub(made_at) > policy.list_age_us {
        Knowledge::StaleList
    } else {
        Knowledge::CouldNotKnow
    }
}

/// The newest log position the till knew: what it says it held, or what was delivered to it. A
/// list cannot be newer than the event that names it; one that says so is not believed.
fn known_position(sale: &Then) -> Gseq {
    let claimed = sale.list_version.unwrap_or(0);
    if bugs::on(Bug::ListTrusted) {
        return claimed;
    }
    if claimed < sale.gseq {
        claimed.max(sale.delivered)
    } else {
        sale.delivered
    }
}

/// Does what the device says disagree with what it was told, as far as this recall goes?
fn disagrees(sale: &Then, recall: Gseq) -> bool {
    let claimed = sale.list_version.unwrap_or(0);
    claimed >= sale.gseq || (claimed < recall && recall <= sale.delivered)
}
