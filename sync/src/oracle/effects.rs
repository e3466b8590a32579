//! The "effect" column: what an act leaves of a unit.

use super::{
    batches,
    conditions::owner_of,
    holders, recalled,
    replay::{History, Moment, Touch},
};
use crate::{
    event::{Counterpart, Disposition, Event},
    fold::{Phase, Place, UnitState},
    ids::LocationId,
};

/// An effect of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing changes.
    Nothing,
    /// Commissioned to the batch that is named, where the code was put on.
    Commission,
    /// The batch is learnt; everything else stays.
    SetBatch,
    /// In stock here; what came back or was fetched back stays so.
    Arrive,
    /// In transit; what came back or was fetched back stays so, and its place moves. What is held
    /// stays held.
    Leave,
    /// Sold by this store.
    Sell,
    /// The first sale stays; the code is suspected to exist twice when both were read off goods at
    /// two places.
    SecondSale,
    /// Returned here, not sellable; collected, when a recall covers it.
    TakeBack,
    /// In stock here and sellable, or held, or to be destroyed. What was sold must have come back.
    Dispose,
    /// Collected, here.
    Collect,
    /// Destroyed, here.
    Destroy,
    /// Observed here: in stock; what came back, was fetched back or sold stays so.
    Observe,
    /// In the container, and observed here.
    PutIn,
    /// In no container, and observed here.
    TakeOut,
}

/// What the effect leaves of the unit.
pub fn apply(
    effect: Effect,
    history: &History,
    k: usize,
    moment: &Moment,
    touch: &Touch,
    after: &mut UnitState,
) {
    let fact = history.facts[k];
    let event = &*fact.event;
    let here = event.location;
    let before = &moment.before[&touch.unit];
    match effect {
        Effect::Nothing => return,
        Effect::SecondSale => {
            after.suspected_copy |= looks_copied(history, k, touch);
            return;
        }
        Effect::Commission => {
            after.phase = Phase::Commissioned;
            after.place = Place::At(here);
            after.batch = batches::named(history, fact, &touch.unit);
        }
        Effect::SetBatch => {
            after.batch = batches::named(history, fact, &touch.unit);
            return;
        }
        Effect::Arrive => {
            after.phase = match before.phase {
                kept @ (Phase::Returned | Phase::Collected) => kept,
                _ => Phase::InStock,
            };
            after.place = Place::At(here);
        }
        Effect::Leave => {
            after.phase = match before.phase {
                kept @ (Phase::Returned | Phase::Collected) => kept,
                _ => Phase::InTransit,
            };
            after.place = destination(history, event);
        }
        Effect::Sell => {
            after.phase = Phase::Sold;
            after.place = Place::At(here);
            after.disposition = None;
        }
        Effect::TakeBack => {
            let is_recalled =
                !recalled::active(history.world, &touch.unit, before, fact).is_empty();
            after.phase = if is_recalled {
                Phase::Collected
            } else {
                Phase::Returned
            };
            after.place = Place::At(here);
        }
        Effect::Dispose => {
            let sellable = event.disposition == Some(Disposition::Sellable);
            after.phase = match before.phase {
                kept @ (Phase::Returned | Phase::Collected) if !sellable => kept,
                Phase::Sold if !sellable => Phase::Returned,
                _ => Phase::InStock,
            };
            after.place = Place::At(here);
            after.disposition = event.disposition.filter(|_| !sellable);
        }
        Effect::Collect => {
            after.phase = Phase::Collected;
            after.place = Place::At(here);
        }
        Effect::Destroy => {
            after.phase = Phase::Destroyed;
            after.place = Place::At(here);
            after.disposition = None;
        }
        Effect::Observe => observe(after, here),
        Effect::PutIn => {
            observe(after, here);
            let container = history.container(k);
            if moment.before[&touch.unit].inside != container {
                let invited = container.as_ref().is_none_or(|around| {
                    holders::counts(history.world, around, &moment.before[around], fact)
                });
                after.uninvited = !invited;
            }
            after.inside = container;
        }
        Effect::TakeOut => {
            observe(after, here);
            after.inside = None;
            after.uninvited = false;
        }
    }
    after.holder = Some(fact.enterprise);
}

fn observe(state: &mut UnitState, here: LocationId) {
    match state.phase {
        Phase::Unknown | Phase::Commissioned | Phase::InStock | Phase::InTransit => {
            state.phase = Phase::InStock;
            state.place = Place::At(here);
        }
        Phase::Returned | Phase::Collected => state.place = Place::At(here),
        Phase::Sold | Phase::Destroyed => {}
    }
}

/// Where goods go that leave.
pub fn destination(history: &History, event: &Event) -> Place {
    let (to, to_enterprise) = match &event.counterpart {
        Some(Counterpart::Location(place)) => (Some(*place), owner_of(history, *place)),
        Some(Counterpart::Enterprise(enterprise)) => (None, Some(*enterprise)),
        Some(Counterpart::Named(_)) | None => (None, None),
    };
    Place::Between {
        from: event.location,
        to,
        to_enterprise,
    }
}

/// Two sales at two places, the unit's own code read off the goods by a machine each time: this one, and the
/// one that stands or another since.
fn looks_copied(history: &History, k: usize, touch: &Touch) -> bool {
    let Some(first) = history.last_sale(k, &touch.unit) else {
        return false;
    };
    let place = |j: usize| history.facts[j].event.location;
    let mut sales = (first..k).filter(|j| history.sold(*j, &touch.unit));
    history.read_by_machine(k, &touch.unit)
        && sales.any(|j| place(j) != place(k) && history.read_by_machine(j, &touch.unit))
}
