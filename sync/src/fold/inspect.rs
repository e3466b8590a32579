//! C6: inspection (检验处置). What was returned or held is judged; recalled goods are never
//! released.

use super::{
    Phase, Place, Row, contents, recalled,
    walk::{At, Effect, Walk},
};
use crate::{
    event::Disposition,
    finding::{Detail, FindingCode},
};

/// Goods were inspected.
pub(super) fn inspected<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    if row == Row::JudgeHeld && walk.state.disposition.is_none() {
        walk.unexpected(at);
    }
    match at.fact.event.disposition {
        Some(Disposition::Sellable) => release(walk, at),
        Some(kept @ (Disposition::Hold | Disposition::Destroy)) => {
            walk.state.disposition = Some(kept);
            let phase = match walk.state.phase {
                // The goods are here, so they came in.
                Phase::Unknown | Phase::Commissioned | Phase::InTransit => Phase::InStock,
                // The goods are here, so they were brought back.
                Phase::Sold => Phase::Returned,
                phase
                @ (Phase::InStock | Phase::Returned | Phase::Collected | Phase::Destroyed) => phase,
            };
            walk.set(phase, Place::At(at.here()));
            walk.memory.sale = None;
            Effect::Took
        }
        // It does not say what was decided: that is missing from the event (C15).
        None => Effect::Nothing,
    }
}

fn release<'a>(walk: &mut Walk<'a>, at: &At<'a>) -> Effect {
    let order = at.fact.order;
    for batch in contents::batches(walk, at) {
        let recalled = recalled::covering(walk.world, None, Some(batch))
            .iter()
            .any(|span| recalled::is_active(span, order));
        if recalled {
            walk.find_of(
                at,
                FindingCode::ReleaseRecalled,
                Some(batch),
                &[],
                Detail::Nothing,
            );
        }
    }
    if walk
        .recalls
        .iter()
        .any(|span| recalled::is_active(span, order))
    {
        walk.find(at, FindingCode::ReleaseRecalled, &[], Detail::Nothing);
        return Effect::Nothing;
    }
    walk.set(Phase::InStock, Place::At(at.here()));
    walk.state.disposition = None;
    walk.state.withdrawn = false;
    walk.memory.sale = None;
    Effect::Took
}
