//! The "when" column: what must hold of a unit before an act for a row to apply.

use super::{
    batches, levels, recalled,
    replay::{History, Moment, Touch},
};
use crate::{
    event::{Disposition, Event, Kind},
    facts::Fact,
    fold::{Place, UnitState},
    ids::{EnterpriseId, LocationId},
};

/// A condition of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Whatever else.
    Always,
    /// It is at the place of the event.
    Here,
    /// It is at another place than that of the event.
    StandsElsewhere,
    /// It is on its way to the place of the event, or to nobody in particular.
    OnItsWayHere,
    /// It is on its way and comes back to the place it left, or to its sender from what was meant for another
    /// enterprise.
    ComesBack,
    /// It is on its way.
    OnItsWay,
    /// It is where its batch was made: at the plant of its batch or where its code was put on; at
    /// any plant, when neither is known.
    AtItsPlant,
    /// An inspection kept it back or means it to be destroyed.
    Held,
    /// The same device, place and document within the duplicate window of the last event that had
    /// an effect, and that was an inbound (C2).
    SameScan,
    /// The inspection does not say what it decided, or frees goods that a recall covers.
    DecidesNothing,
    /// It is held, and the inspection decides nothing.
    HeldStill,
    /// The code was void already.
    VoidCode,
    /// It belongs to another batch already.
    OtherBatch,
    /// The commission names no batch, or the one on record.
    SaysNoNewBatch,
    /// The pack does not say into what.
    NoContainer,
    /// The container is not of a higher level than the child.
    WrongLevel,
    /// It is in some container.
    InsideSomething,
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
        Condition::StandsElsewhere => {
            matches!(before.place, Place::At(place) if place != event.location)
        }
        Condition::OnItsWay => matches!(before.place, Place::Between { .. }),
        Condition::OnItsWayHere => on_its_way_here(history, fact, before),
        Condition::ComesBack => comes_back(history, fact, before),
        Condition::AtItsPlant => at_its_plant(history, event.location, before),
        Condition::Held => before.disposition.is_some(),
        Condition::SameScan => same_scan(history, k, touch, before),
        Condition::DecidesNothing => decides_nothing(history, touch, fact, before),
        Condition::HeldStill => {
            before.disposition.is_some() && decides_nothing(history, touch, fact, before)
        }
        Condition::VoidCode => history
            .world
            .units
            .get(&touch.unit)
            .and_then(|info| info.voided)
            .is_some_and(|voided| voided.order() <= fact.order),
        Condition::OtherBatch => match (before.batch, batches::named(history, fact, &touch.unit)) {
            (Some(on_record), Some(said)) => on_record != said,
            _ => false,
        },
        Condition::SaysNoNewBatch => {
            batches::named(history, fact, &touch.unit).is_none_or(|said| before.batch == Some(said))
        }
        Condition::NoContainer => history.container(k).is_none(),
        Condition::WrongLevel => levels::wrong(history, k, moment, &touch.unit),
        Condition::InsideSomething => before.inside.is_some(),
    }
}

fn decides_nothing(history: &History, touch: &Touch, fact: &Fact, before: &UnitState) -> bool {
    fact.event.disposition.is_none() || releases_recalled(history, touch, fact, before)
}

/// Does the inspection free goods that a recall covers?
pub fn releases_recalled(
    history: &History,
    touch: &Touch,
    fact: &Fact,
    before: &UnitState,
) -> bool {
    fact.event.disposition == Some(Disposition::Sellable)
        && !recalled::active(history.world, &touch.unit, before, fact).is_empty()
}

/// A leg to an enterprise is meant for all its places, and for it wherever it is; a leg to a mere
/// name for anywhere.
fn on_its_way_here(history: &History, fact: &Fact, before: &UnitState) -> bool {
    let here = fact.event.location;
    match before.place {
        Place::Between { to: Some(to), .. } => to == here,
        Place::Between {
            to_enterprise: Some(to),
            ..
        } => owner_of(history, here) == Some(to) || fact.enterprise == to,
        Place::Between { .. } => true,
        Place::At(_) | Place::Nowhere => false,
    }
}

fn comes_back(history: &History, fact: &Fact, before: &UnitState) -> bool {
    match before.place {
        Place::Between { from, .. } if from == fact.event.location => true,
        Place::Between {
            from,
            to_enterprise: Some(to),
            ..
        } => {
            let sender = owner_of(history, from);
            sender.is_some_and(|sender| sender == fact.enterprise && sender != to)
        }
        Place::Between { .. } | Place::At(_) | Place::Nowhere => false,
    }
}

/// Whose a place is.
pub fn owner_of(history: &History, place: LocationId) -> Option<EnterpriseId> {
    history.world.places.get(&place).map(|info| info.enterprise)
}

fn at_its_plant(history: &History, here: LocationId, before: &UnitState) -> bool {
    let plant = before
        .batch
        .and_then(|batch| history.world.batches.get(&batch))
        .and_then(|info| info.plant);
    let is_plant = history
        .world
        .places
        .get(&here)
        .is_some_and(|info| info.plant);
    plant == Some(here)
        || before.place == Place::At(here)
        || (plant.is_none() && before.place == Place::Nowhere && is_plant)
}

fn same_scan(history: &History, k: usize, touch: &Touch, before: &UnitState) -> bool {
    let fact = history.facts[k];
    let Some(j) = history.last_change(k, &touch.unit) else {
        return false;
    };
    let first = history.facts[j];
    let number = |event: &Event| event.doc.as_ref().map(|doc| doc.no.clone());
    let window = history.world.policy_at(fact.order.eff).duplicate_window_us;
    first.event.kind == Kind::Inbound
        && before.place == Place::At(fact.event.location)
        && first.event.device == fact.event.device
        && number(&first.event) == number(&fact.event)
        && fact.order.eff - first.order.eff <= window
}
