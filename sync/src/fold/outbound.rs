//! C3: outbound (出库).

use super::{
    Phase, Place, Row, commission, contents, holder, recalled,
    walk::{At, Effect, Walk},
};
use crate::{
    event::Counterpart,
    facts::{Fact, RecallSpan, World},
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
    walk.by_batch(at);
    for batch in contents::batches(walk, at) {
        let spans = recalled::covering(walk.world, None, Some(batch));
        // A container may be somebody else's: what is inside belongs to who issues its product.
        let issuer = walk.world.batches.get(&batch).map(|info| info.issuer);
        if strays(walk.world, at.fact, &spans, issuer) {
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

/// The same of the unit itself, by its batch on record.
pub(super) fn by_batch<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    if strays(walk.world, at.fact, &walk.recalls, walk.state.issuer) {
        walk.find(at, FindingCode::ShipRecalled, &[], Detail::Nothing);
    }
}

/// Do goods of this issuer, which these spans cover, leave for a place where one that holds does not want
/// them?
pub(crate) fn strays(
    world: &World,
    outbound: &Fact,
    spans: &[&RecallSpan],
    issuer: Option<EnterpriseId>,
) -> bool {
    let mut spans = spans.iter();
    spans.any(|span| {
        recalled::is_active(span, outbound.order) && !is_destination(world, outbound, span, issuer)
    })
}

/// Is this leg to where the recall wants the goods? Without destinations that is any place of the
/// issuer.
fn is_destination(
    world: &World,
    outbound: &Fact,
    span: &RecallSpan,
    issuer: Option<EnterpriseId>,
) -> bool {
    let counterpart = outbound.event.counterpart.as_ref();
    let enterprise = holder::counterpart(world, counterpart);
    if span.destinations.is_empty() {
        return enterprise.is_some() && enterprise == issuer;
    }
    match counterpart {
        Some(Counterpart::Location(location)) => span.destinations.contains(location),
        Some(Counterpart::Enterprise(_)) => span
            .destinations
            .iter()
            .any(|place| holder::owner(world, *place) == enterprise),
        Some(Counterpart::Named(_)) | None => false,
    }
}
