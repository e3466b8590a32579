//! The "when" column: what must hold of a unit before an act for a row to apply.

use super::{
    holders, levels, recalled,
    replay::{History, Moment, Touch},
};
use suyuan_sync::{
    event::{Disposition, Event},
    facts::Fact,
    fold::{Place, UnitState},
    ids::{BatchId, EnterpriseId, LocationId},
};
use uuid::Uuid;

/// A condition of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Whatever else.
    Always,
    /// It is at the place of the event.
    Here,
    /// It is on its way to the place of the event, or to nobody in particular.
    OnItsWayHere,
    /// It is on its way.
    OnItsWay,
    /// It is where its batch was made.
    AtItsPlant,
    /// An inspection kept it back or means it to be destroyed.
    Held,
    /// The same device, place and document within the duplicate window of the last inbound that
    /// had an effect, the unit having stayed there since (C2).
    SameScan,
    /// The inspection does not say what it decided.
    NoDisposition,
    /// The inspection frees goods that a recall covers.
    ReleasesRecalled,
    /// The code was void already.
    VoidCode,
    /// It belongs to another batch already.
    OtherBatch,
    /// The commission names no batch, or the one on record.
    SaysNoNewBatch,
    /// The pack does not say into what.
    NoContainer,
    /// The stater is not linked to the container, whose contents stay what they are (C14).
    StrangersContainer,
    /// The container is not of a higher level than the child.
    WrongLevel,
    /// It is in the container that was opened.
    InsideThat,
}

/// Does it hold for this touch of a unit at moment `k`?
pub fn holds(
    condition: Condition,
    history: &History,
    k: usize,
    moment: &Moment,
    touch: &Touch,
) -> bool {
    let fact = history.facts[k];
    let event = &*fact.event;
    let before = &moment.before[&touch.unit];
    match condition {
        Condition::Always => true,
        Condition::Here => before.place == Place::At(event.location),
        Condition::OnItsWay => matches!(before.place, Place::Between { .. }),
        Condition::OnItsWayHere => on_its_way_here(history, fact, before),
        Condition::AtItsPlant => at_its_plant(history, event.location, before),
        Condition::Held => before.disposition.is_some(),
        Condition::SameScan => same_scan(history, k, touch, before),
        Condition::NoDisposition => event.disposition.is_none(),
        Condition::ReleasesRecalled => {
            event.disposition == Some(Disposition::Sellable)
                && !recalled::active(history.world, &touch.unit, before, fact).is_empty()
        }
        Condition::VoidCode => history
            .world
            .units
            .get(&touch.unit)
            .and_then(|info| info.voided)
            .is_some_and(|voided| voided.order() <= fact.order),
        Condition::OtherBatch => match (before.batch, named_batch(event)) {
            (Some(on_record), Some(said)) => on_record != said,
            _ => false,
        },
        Condition::SaysNoNewBatch => {
            named_batch(event).is_none_or(|said| before.batch == Some(said))
        }
        Condition::NoContainer => history.container(k).is_none(),
        Condition::StrangersContainer => history.container(k).is_some_and(|container| {
            let state = &moment.before[&container];
            !holders::counts(history.world, &container, state, fact)
        }),
        Condition::WrongLevel => levels::wrong(history, k, moment, &touch.unit),
        Condition::InsideThat => {
            before.inside.is_some()
                && (before.inside == history.container(k) || history.container(k).is_none())
        }
    }
}

/// The batch a commission names.
pub fn named_batch(event: &Event) -> Option<BatchId> {
    let text = event.body.get("batch")?.as_str()?;
    Uuid::parse_str(text).ok().map(BatchId)
}

fn on_its_way_here(history: &History, fact: &Fact, before: &UnitState) -> bool {
    let here = fact.event.location;
    let owner = owner_of(history, here).unwrap_or(fact.enterprise);
    match before.place {
        Place::Between { to: Some(to), .. } => to == here,
        Place::Between {
            to_enterprise: Some(to),
            ..
        } => to == owner,
        Place::Between { .. } => true,
        Place::At(_) | Place::Nowhere => false,
    }
}

/// Whose a place is.
pub fn owner_of(history: &History, place: LocationId) -> Option<EnterpriseId> {
    history.world.places.get(&place).map(|info| info.enterprise)
}

/// Commissioned goods may leave from where their batch was made; where no plant is on record, from
/// where their codes were put on them.
fn at_its_plant(history: &History, here: LocationId, before: &UnitState) -> bool {
    let plant = before
        .batch
        .and_then(|batch| history.world.batches.get(&batch))
        .and_then(|info| info.plant);
    match plant {
        Some(plant) => plant == here,
        None => before.place == Place::At(here),
    }
}

fn same_scan(history: &History, k: usize, touch: &Touch, before: &UnitState) -> bool {
    let fact = history.facts[k];
    if before.place != Place::At(fact.event.location) {
        return false;
    }
    let Some(j) = history.last_arrival(k, &touch.unit) else {
        return false;
    };
    let first = history.facts[j];
    let number = |event: &Event| event.doc.as_ref().map(|doc| doc.no.clone());
    let window = history.world.policy_at(fact.order.eff).duplicate_window_us;
    first.event.device == fact.event.device
        && first.event.location == fact.event.location
        && number(&first.event) == number(&fact.event)
        && fact.order.eff - first.order.eff <= window
}
