//! Which events of a log show in what became of something (I14): each in the timeline of every unit it
//! names, and with all goods without codes that it states in their lines; or struck; or by what it strikes.
//!
//! It must not know findings: an event that has one need show nowhere else.

use crate::handheld::{replay::Examined, units::store::is_complete_count};
use std::collections::BTreeSet;
use suyuan_sync::{
    event::Kind,
    facts::Fact,
    fold,
    ids::EventId,
    invariants::{Broken, KeptLine, i14_stated_goods_show},
    order::Order,
    unit::UnitKey,
};

/// See the file's header. Broken if goods that an event states show otherwise than it states.
pub(super) fn reflected(
    examined: &Examined,
    lines: &[KeptLine],
) -> Result<BTreeSet<EventId>, Broken> {
    let (told, units) = (&examined.told, &examined.rebuilt.units);
    let facts: Vec<&Fact> = told.facts.iter().map(AsRef::as_ref).collect();
    let struck = fold::struck(&facts, &told.world);
    let places: BTreeSet<Order> = struck.iter().map(|fact| fact.order).collect();
    i14_stated_goods_show(&told.world, &facts, &places, lines)?;
    let struck: BTreeSet<EventId> = struck.iter().map(|fact| fact.event.id).collect();
    let steps = units
        .iter()
        .flat_map(|(key, unit)| unit.steps.iter().map(move |step| (step.order, key)));
    let steps: BTreeSet<(Order, &UnitKey)> = steps.collect();
    let mut shown = BTreeSet::new();
    for fact in facts {
        let event = &*fact.event;
        let reads = event.units.iter().chain(&event.parent);
        let mut named = reads.filter_map(|read| read.unit.as_ref()).peekable();
        let shows = if event.kind == Kind::Retract {
            event.target.is_some_and(|target| struck.contains(&target))
        } else {
            // A count that saw all and found nothing says what is not there.
            let something =
                named.peek().is_some() || !event.lots.is_empty() || is_complete_count(event);
            something && named.all(|unit| steps.contains(&(fact.order, unit)))
        };
        if shows || places.contains(&fact.order) {
            shown.insert(event.id);
        }
    }
    Ok(shown)
}
