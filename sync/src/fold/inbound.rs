//! C2: inbound (入库).

use super::{
    Phase, Place, Row, holder,
    walk::{At, Effect, Walk},
};
use crate::finding::{Detail, FindingCode};

/// Goods came in.
pub(super) fn came<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    if let Some(first) = same_scan(walk, at) {
        walk.find(at, FindingCode::DoubleScan, &[Some(first)], Detail::Nothing);
        return Effect::Nothing;
    }
    let here = Place::At(at.here());
    let astray = !holder::on_its_way_here(walk, at) && !holder::comes_back(walk, at);
    match row {
        Row::Arrive if astray => {
            walk.find_cause(at, FindingCode::Misroute);
        }
        Row::ReceiveAgain | Row::ReceiveKept => match walk.state.place {
            Place::Between { .. } => {
                if astray {
                    walk.find_cause(at, FindingCode::Misroute);
                }
            }
            Place::At(_) | Place::Nowhere if walk.is_at(at.here()) => walk.unexpected(at),
            Place::At(_) => walk.find_cause(at, FindingCode::Teleport),
            Place::Nowhere => {}
        },
        Row::ReceiveSold => {
            walk.find_cause(at, FindingCode::InboundAfterSale);
        }
        _ => {}
    }
    if row == Row::ReceiveKept {
        walk.state.place = here;
    } else {
        walk.memory.sale = None;
        walk.set(Phase::InStock, here);
    }
    Effect::Took
}

/// The inbound that this one says again: the same device, place and document, within the window
/// from the last effective scan.
fn same_scan<'a>(walk: &Walk<'a>, at: &At<'a>) -> Option<crate::ids::EventId> {
    let first = walk.memory.inbound?;
    let (a, b) = (&first.event, &at.fact.event);
    let document = |event: &crate::event::Event| event.doc.as_ref().map(|doc| doc.no.clone());
    let window = walk.world.policy_at(at.fact.order.eff).duplicate_window_us;
    (a.device == b.device
        && a.location == b.location
        && document(a) == document(b)
        && at.fact.order.eff.saturating_sub(first.order.eff) <= window)
        .then_some(a.id)
}
