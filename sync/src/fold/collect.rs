//! C7: collection under a recall (召回收回).

use super::{
    Phase, Place, Row, contents, recalled,
    walk::{At, Effect, Walk},
};
use crate::finding::{Detail, FindingCode};

/// Goods were fetched back.
pub(super) fn collected<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    match row {
        Row::FetchDestroyed => {
            walk.find_cause(at, FindingCode::CollectDestroyed);
            return Effect::Nothing;
        }
        Row::FetchAgain => walk.find_cause(at, FindingCode::DoubleCollect),
        _ => {}
    }
    walk.by_batch(at);
    let order = at.fact.order;
    for batch in contents::batches(walk, at) {
        if !recalled::explained(walk.world, None, Some(batch), order) {
            walk.find_of(
                at,
                FindingCode::CollectUnrecalled,
                Some(batch),
                &[],
                Detail::Nothing,
            );
        }
    }
    walk.set(Phase::Collected, Place::At(at.here()));
    walk.memory.sale = None;
    Effect::Took
}

/// Was the unit itself, by its batch on record, fetched back under a recall? A container without a batch of its
/// own is covered as far as its contents are.
pub(super) fn by_batch<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    let own = walk.state.batch.is_some() || contents::batches(walk, at).is_empty();
    let (unit, batch) = (Some(walk.unit), walk.state.batch);
    if own && !recalled::explained(walk.world, unit, batch, at.fact.order) {
        walk.find(at, FindingCode::CollectUnrecalled, &[], Detail::Nothing);
    }
}
