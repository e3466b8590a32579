//! C7: collection under a recall (召回收回).

use super::{
    Phase, Place, Row, contents, recalled,
    walk::{At, Effect, Walk},
};
use crate::{
    facts::RecallSpan,
    finding::{Detail, FindingCode},
};

/// Goods were fetched back. Whether a recall covers them is asked of all recalls that were not
/// closed before, whenever they began: a recall that is widened to the goods later explains why
/// they were fetched.
pub(super) fn collected<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    match row {
        Row::FetchDestroyed => {
            walk.find_cause(at, FindingCode::CollectDestroyed);
            return Effect::Nothing;
        }
        Row::FetchAgain => walk.find_cause(at, FindingCode::DoubleCollect),
        _ => {}
    }
    let inside = contents::batches(walk, at);
    // A container without a batch of its own is covered as far as its contents are.
    let own = walk.state.batch.is_some() || inside.is_empty();
    let order = at.fact.order;
    let covered =
        |spans: &[&RecallSpan]| spans.iter().any(|span| !recalled::is_closed(span, order));
    if own && !covered(&walk.recalls) {
        walk.find(at, FindingCode::CollectUnrecalled, &[], Detail::Nothing);
    }
    for batch in inside {
        if !covered(&recalled::covering(walk.world, None, Some(batch))) {
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
