//! C12: containers. A pack opens a stay of each child in its container, an unpack closes it, and
//! so does everything that shows a child outside its container.
//!
//! A container holds only what is of a lower level, so cycles cannot exist and folding goes from
//! the top down.

use super::{
    Phase, Place, Row,
    walk::{At, Effect, Walk},
};
use crate::{
    bugs::{self, Bug},
    event::{Event, Kind},
    facts::World,
    finding::{Detail, FindingCode},
    unit::{Level, UnitKey},
};

/// The unit was put into a container.
pub(super) fn packed<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    let event = &at.fact.event;
    let Some(container) = event
        .parent
        .as_ref()
        .and_then(|parent| parent.unit.as_ref())
    else {
        // Into nothing that can be read: it was seen there, no more.
        observed(walk, at);
        return Effect::Took;
    };
    let holds = level_of_container(walk, container, event);
    let level = *walk.state.level.get_or_insert_with(|| below(holds));
    if (level >= holds || container == walk.unit) && !bugs::on(Bug::PackCycle) {
        walk.find(at, FindingCode::PackLevel, &[], Detail::Nothing);
        return Effect::Nothing;
    }
    if row != Row::Pack {
        walk.find_cause(at, FindingCode::PackAfterEnd);
        if row == Row::PackDestroyed {
            return Effect::Nothing;
        }
    }
    match &walk.state.inside {
        Some(inside) if inside == container => {}
        Some(_) => {
            let earlier = walk.memory.pack;
            walk.find(at, FindingCode::ImpliedUnpack, &[earlier], Detail::Nothing);
            walk.put_inside(Some(container), at);
        }
        None => walk.put_inside(Some(container), at),
    }
    observed(walk, at);
    Effect::Took
}

/// The unit was taken out, by name or with all the rest.
pub(super) fn unpacked<'a>(walk: &mut Walk<'a>, at: &At<'a>) -> Effect {
    let container = at
        .fact
        .event
        .parent
        .as_ref()
        .and_then(|parent| parent.unit.as_ref());
    match (&walk.state.inside, container) {
        (None, _) => walk.unexpected(at),
        // It was in another one, and is out of that too.
        (Some(inside), Some(container)) if inside != container => {
            let earlier = walk.memory.pack;
            walk.find(at, FindingCode::ImpliedUnpack, &[earlier], Detail::Nothing);
        }
        (Some(_), _) => {}
    }
    walk.put_inside(None, at);
    observed(walk, at);
    Effect::Took
}

/// The unit is the container of a pack or unpack.
pub(super) fn handled<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    let event = &at.fact.event;
    if event.kind == Kind::Pack {
        let level = level_by_children(walk.world, event);
        walk.state.level.get_or_insert(level);
        short(walk, at);
    }
    if row == Row::HandleEnded {
        walk.unexpected(at);
        if walk.state.phase == Phase::Sold {
            walk.memory.sale = None;
            walk.set(Phase::InStock, Place::At(at.here()));
            return Effect::Took;
        }
    }
    observed(walk, at);
    Effect::Took
}

/// Seen on its own: unless it stays where its container stands and is only looked at, it must have
/// been taken out.
pub(super) fn alone<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    let Some(container) = walk.state.inside.as_ref() else {
        return;
    };
    let with_container = super::walk::named(&at.fact.event.units, container).is_some();
    if with_container && at.read.is_some() {
        return;
    }
    let stands = walk
        .container_now()
        .map_or(walk.state.place, |container| container.place);
    let moves = match at.fact.event.kind {
        Kind::Inbound
        | Kind::Outbound
        | Kind::Sale
        | Kind::Return
        | Kind::Collect
        | Kind::Destroy => true,
        Kind::Commission
        | Kind::Pack
        | Kind::Unpack
        | Kind::Inspect
        | Kind::Count
        | Kind::Retract => false,
    };
    if moves || stands != Place::At(at.here()) {
        let pack = walk.memory.pack;
        walk.find(at, FindingCode::ImpliedUnpack, &[pack], Detail::Nothing);
        walk.put_inside(None, at);
    }
}

/// Seen at a place by a pack or unpack. Returned and ended goods stay what they are; sold goods
/// also stay sold there.
fn observed<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    let here = Place::At(at.here());
    match walk.state.phase {
        Phase::Unknown | Phase::Commissioned | Phase::InStock | Phase::InTransit => {
            walk.set(Phase::InStock, here);
        }
        Phase::Returned | Phase::Collected => walk.state.place = here,
        Phase::Sold | Phase::Destroyed => {}
    }
}

/// Fewer in the container than declared.
fn short<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    let event = &at.fact.event;
    let lots = event
        .lots
        .iter()
        .fold(0_u64, |sum, line| sum.saturating_add(line.qty));
    let there = u64::try_from(event.units.len())
        .unwrap_or(u64::MAX)
        .saturating_add(lots);
    let there = u32::try_from(there).unwrap_or(u32::MAX);
    if let Some(expected) = event.declared.filter(|declared| there < *declared) {
        walk.find(
            at,
            FindingCode::ShortPack,
            &[],
            Detail::Count { expected, there },
        );
    }
}

/// The level of a container as a pack of one of its children sees it: on record, as folded, or as
/// this pack shows it.
fn level_of_container(walk: &Walk<'_>, container: &UnitKey, event: &Event) -> Level {
    let recorded = walk.world.units.get(container).and_then(|info| info.level);
    let folded = walk
        .parents
        .get(container)
        .and_then(|folded| folded.state.level);
    recorded
        .or(folded)
        .unwrap_or_else(|| level_by_children(walk.world, event))
}

/// The level a pack gives a foreign container: one above the highest of its children on record;
/// a foreign child counts as an item.
fn level_by_children(world: &World, event: &Event) -> Level {
    let highest = event
        .units
        .iter()
        .filter_map(|read| world.units.get(read.unit.as_ref()?)?.level)
        .max();
    match highest {
        Some(Level::Case | Level::Pallet) => Level::Pallet,
        Some(Level::Item) | None => Level::Case,
    }
}

/// The level a foreign child takes from its container.
const fn below(container: Level) -> Level {
    match container {
        Level::Pallet => Level::Case,
        Level::Case | Level::Item => Level::Item,
    }
}
