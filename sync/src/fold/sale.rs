//! C4: sale (销售). The first in the order keeps the sale, whoever came in first.

use super::{
    Phase, Place, Row, contents, holder, recalled,
    walk::{At, Effect, Walk},
};
use crate::{
    facts::{Fact, World},
    finding::{Detail, FindingCode},
    ids::{BatchId, Micros},
};

/// Goods were sold.
pub(super) fn sold<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    judged(walk, at);
    match row {
        Row::SellAgain => {
            again(walk, at);
            return Effect::Nothing;
        }
        Row::SellOnWay if holder::on_its_way_here(walk, at) => {
            walk.find_cause(at, FindingCode::ImpliedReceipt);
        }
        Row::SellNew | Row::SellOnWay => walk.find_cause(at, FindingCode::OrphanSale),
        Row::Sell if !walk.is_at(at.here()) => walk.find_cause(at, FindingCode::OrphanSale),
        Row::SellReturned if walk.state.disposition.is_none() => {
            walk.find_cause(at, FindingCode::SoldUninspected);
            if let Some(back) = walk.memory.returned {
                uncertain(walk, at, back);
            }
        }
        Row::SellCollected => walk.find_cause(at, FindingCode::SoldAfterCollect),
        _ => {}
    }
    if walk.state.disposition.is_some() && row != Row::SellCollected {
        walk.unexpected(at);
    }
    walk.set(Phase::Sold, Place::At(at.here()));
    walk.state.disposition = None;
    walk.memory.sale = Some(at.fact);
    walk.memory.read_at.clear();
    if at.machine_read() {
        walk.memory.read_at.insert(at.here());
    }
    Effect::Took
}

/// Sold already, and not returned in between.
fn again<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    let first = walk.memory.sale;
    let witness = first.map(|sale| sale.event.id).or(walk.memory.cause);
    walk.find(at, FindingCode::DoubleSale, &[witness], Detail::Nothing);
    let Some(first) = first else {
        return;
    };
    uncertain(walk, at, first);
    // Two places where a machine read it off goods: of the sale that stands, or of others since.
    if at.machine_read() {
        walk.memory.read_at.insert(at.here());
        walk.state.suspected_copy |= walk.memory.read_at.len() > 1;
    }
}

/// Whoever sold is judged by what was before: by another sale, or by a return. Which came first nobody can tell where
/// the intervals overlap.
fn uncertain<'a>(walk: &mut Walk<'a>, at: &At<'a>, before: &Fact) {
    if let Some(width_us) = overlap(before, at.fact) {
        walk.find(
            at,
            FindingCode::OrderUncertain,
            &[Some(before.event.id)],
            Detail::Overlap { width_us },
        );
    }
}

/// By how much the intervals of two events overlap, if they do. In one life of a device the order
/// is certain all the same.
fn overlap(a: &Fact, b: &Fact) -> Option<i64> {
    let life = |fact: &Fact| match &fact.corrects {
        Some(first) => (first.order.device, first.epoch),
        None => (fact.event.device, fact.event.epoch),
    };
    if life(a) == life(b) {
        return None;
    }
    let (a, b) = (a.interval_there(), b.interval_there());
    let from = a.lo.max(b.lo);
    let until = a.hi.min(b.hi);
    (from <= until).then(|| until.saturating_sub(from))
}

/// What is judged of every sale, whatever the goods were before: expiry (C4) and recalls (C9), of
/// the unit and of each batch inside it.
pub(super) fn judged<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    walk.by_batch(at);
    for batch in contents::batches(walk, at) {
        if is_expired(walk.world, batch, at.then().at) {
            walk.find_of(
                at,
                FindingCode::SoldExpired,
                Some(batch),
                &[],
                Detail::Nothing,
            );
        }
        let spans = recalled::covering(walk.world, None, Some(batch));
        recalled::sold(walk, at, &spans, Some(batch));
    }
}

/// The same of the unit itself, by its batch on record.
pub(super) fn by_batch<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    let batch = walk.state.batch;
    if batch.is_some_and(|batch| is_expired(walk.world, batch, at.then().at)) {
        walk.find(at, FindingCode::SoldExpired, &[], Detail::Nothing);
    }
    let spans = walk.recalls.clone();
    recalled::sold(walk, at, &spans, None);
}

/// Were the goods of a batch expired when this sold them, among goods of lots?
pub(crate) fn expired(world: &World, batch: BatchId, sale: &Fact) -> bool {
    is_expired(world, batch, sale.then_of_lots().at)
}

/// Were the goods of a batch expired then?
fn is_expired(world: &World, batch: BatchId, at: Micros) -> bool {
    world
        .batches
        .get(&batch)
        .and_then(|batch| batch.expires_at)
        .is_some_and(|expires_at| at >= expires_at)
}
