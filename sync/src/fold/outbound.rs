//! C3: outbound (出库).

use super::{
    Phase, Place, Row, commission, contents, holder, recalled,
    walk::{At, Effect, Walk},
};
use crate::{
    event::Counterpart,
    facts::RecallSpan,
    finding::{Detail, FindingCode},
    ids::EnterpriseId,
};

/// Goods left.
pub(super) fn left<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    match row {
        Row::ShipNew if !commission::at_plant(walk, at) => {
            walk.find_cause(at, FindingCode::OrphanOutbound);
        }
        Row::ShipOnWay => walk.find_cause(at, FindingCode::OrphanOutbound),
        Row::Ship | Row::ShipKept => match walk.state.place {
            Place::At(place) if place != at.here() => {
                walk.find_cause(at, FindingCode::WrongLocation);
            }
            Place::Between { .. } => walk.find_cause(at, FindingCode::OrphanOutbound),
            Place::At(_) | Place::Nowhere => {}
        },
        Row::ShipSold => walk.find_cause(at, FindingCode::ShipAfterSale),
        _ => {}
    }
    recalled_goods(walk, at);
    let way = holder::way(walk.world, at);
    if row == Row::ShipKept {
        walk.state.place = way;
    } else {
        walk.memory.sale = None;
        walk.set(Phase::InTransit, way);
    }
    Effect::Took
}

/// Recalled goods may go to the recall's destination only.
fn recalled_goods<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    let order = at.fact.order;
    let stray = |walk: &Walk<'a>, span: &RecallSpan, issuer: Option<EnterpriseId>| {
        recalled::is_active(span, order) && !is_destination(walk, at, span, issuer)
    };
    let issuer = walk.state.issuer;
    if walk.recalls.iter().any(|span| stray(walk, span, issuer)) {
        walk.find(at, FindingCode::ShipRecalled, &[], Detail::Nothing);
    }
    for batch in contents::batches(walk, at) {
        let spans = recalled::covering(walk.world, None, Some(batch));
        // A container may be somebody else's: what is inside belongs to who issues its product.
        let product = walk.world.batches.get(&batch).map(|info| &info.product);
        let issuer = product.and_then(|product| walk.world.products.get(product));
        if spans.iter().any(|span| stray(walk, span, issuer.copied())) {
            walk.find_of(
                at,
                FindingCode::ShipRecalled,
                Some(batch),
                &[],
                Detail::Nothing,
            );
        }
    }
}

/// Is this leg to where the recall wants the goods? Without destinations that is any place of the
/// issuer.
fn is_destination<'a>(
    walk: &Walk<'a>,
    at: &At<'a>,
    span: &RecallSpan,
    issuer: Option<EnterpriseId>,
) -> bool {
    let counterpart = at.fact.event.counterpart.as_ref();
    let enterprise = holder::counterpart(walk.world, counterpart);
    if span.destinations.is_empty() {
        return enterprise.is_some() && enterprise == issuer;
    }
    match counterpart {
        Some(Counterpart::Location(location)) => span.destinations.contains(location),
        Some(Counterpart::Enterprise(_)) => span
            .destinations
            .iter()
            .any(|place| holder::owner(walk.world, *place) == enterprise),
        Some(Counterpart::Named(_)) | None => false,
    }
}
