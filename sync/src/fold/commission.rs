//! C1: commission. A code belongs to one batch, the one first in the order; what the server
//! commissioned comes before all events, since the fold of a unit starts from that entry.

use super::{
    Phase, Place,
    stated::{self, Stated},
    walk::{At, Effect, Walk},
};
use crate::finding::{Detail, FindingCode};

/// Before any fact: what the server commissioned the unit to.
pub(super) fn begin(walk: &mut Walk<'_>) {
    let batch = walk
        .world
        .units
        .get(walk.unit)
        .and_then(|info| info.commissioned)
        .map(|commissioned| commissioned.batch);
    walk.set_batch(batch);
    if batch.is_some() {
        let plant = walk.batch().and_then(|batch| batch.plant);
        walk.set(Phase::Commissioned, plant.map_or(Place::Nowhere, Place::At));
        walk.state.holder = walk.state.issuer;
    }
}

/// A device or a line commissioned it.
pub(super) fn begun<'a>(walk: &mut Walk<'a>, at: &At<'a>) -> Effect {
    let voided = walk
        .world
        .units
        .get(walk.unit)
        .and_then(|info| info.voided)
        .is_some_and(|voided| voided.order() <= at.fact.order);
    if voided {
        walk.find(at, FindingCode::CommissionVoid, &[], Detail::Nothing);
        return Effect::Nothing;
    }
    // What is not on record, or not of its product, is found at the event (C15).
    let batch = match stated::batch_of(walk.world, walk.unit, at.fact) {
        Stated::Batch(batch) => Some(batch),
        Stated::Nothing | Stated::Unknown(_) => None,
    };
    match (walk.state.batch, batch) {
        (Some(first), Some(other)) if first != other => {
            let first = walk.memory.commission;
            walk.find(
                at,
                FindingCode::CommissionConflict,
                &[first],
                Detail::Nothing,
            );
            return Effect::Nothing;
        }
        (None, Some(batch)) => {
            walk.set_batch(Some(batch));
            walk.memory.commission = Some(at.id());
        }
        (Some(_) | None, None) | (Some(_), Some(_)) => {
            if walk.state.phase != Phase::Unknown {
                return Effect::Confirmed;
            }
        }
    }
    match walk.state.phase {
        Phase::Unknown => {
            walk.set(Phase::Commissioned, Place::At(at.here()));
            Effect::Took
        }
        Phase::Commissioned => Effect::Confirmed,
        // Late in the order: the batch is known from here on, the unit is what it is.
        Phase::InStock
        | Phase::InTransit
        | Phase::Sold
        | Phase::Returned
        | Phase::Collected
        | Phase::Destroyed => {
            walk.unexpected(at);
            Effect::Confirmed
        }
    }
}

/// Is the unit commissioned and at its plant?
pub(super) fn at_plant<'a>(walk: &Walk<'a>, at: &At<'a>) -> bool {
    if walk.state.phase != Phase::Commissioned {
        return false;
    }
    let plant = walk.batch().and_then(|batch| batch.plant);
    let is_plant = walk
        .world
        .places
        .get(&at.here())
        .is_some_and(|place| place.plant);
    let somewhere = plant.is_some() || walk.state.place != Place::Nowhere;
    walk.is_at(at.here()) || plant == Some(at.here()) || (!somewhere && is_plant)
}
