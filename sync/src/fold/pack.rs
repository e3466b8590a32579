//! C12: containers. A pack opens a stay of each child in its container, an unpack closes it, and
//! so does everything that shows a child outside its container.
//!
//! A container holds only what is of a lower level (`level`), so cycles cannot exist and folding goes
//! from the top down.

use super::{
    Phase, Place, Row, holder, level,
    walk::{At, Effect, Walk},
};
use crate::{
    bugs::{self, Bug},
    event::Kind,
    finding::{Detail, FindingCode},
    unit::{Level, UnitKey},
};
use std::collections::BTreeSet;

/// The unit was put into a container.
pub(super) fn packed<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    let event = &at.fact.event;
    let Some(container) = event
        .parent
        .as_ref()
        .and_then(|parent| parent.unit.as_ref())
    else {
        // Into nothing that can be read: whatever it is, it is not where the unit was.
        if row != Row::Pack {
            walk.find_cause(at, FindingCode::PackAfterEnd);
        }
        if row == Row::PackDestroyed {
            return Effect::Nothing;
        }
        if walk.state.inside.is_some() {
            let earlier = walk.memory.pack;
            walk.find(at, FindingCode::ImpliedUnpack, &[earlier], Detail::Nothing);
            walk.put_inside(None, at);
        }
        observed(walk, at);
        return Effect::Took;
    };
    let (level, holds) = (level_of_child(walk), level_of_container(walk, container));
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
        short(walk, at);
    }
    if row == Row::HandleEnded {
        walk.unexpected(at);
    }
    // It stays with who sold it, as all that is in it does.
    if walk.state.phase == Phase::Sold {
        return Effect::Nothing;
    }
    observed(walk, at);
    Effect::Took
}

/// Seen on its own: unless it stays where its container stands and is only looked at, it must have
/// been taken out.
pub(super) fn alone<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    if walk.state.inside.is_none() || walk.state.phase == Phase::Destroyed {
        return;
    }
    let with_container = containers(walk).any(|container| at.fact.event.units.name(container));
    if with_container && at.read.is_some() {
        return;
    }
    let stands = container_stands(walk);
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

/// Where the container stands, as those say whose word counts for what is in it (C14). What followed it
/// up to now is where it is, so where nobody, or only a stranger to the unit, knows of the container,
/// it stands where the unit itself is.
fn container_stands(walk: &Walk<'_>) -> Place {
    let known = walk.container_now().filter(|container| {
        let holder = container.holder;
        holder.is_some_and(|holder| walk.state.linked.contains(&holder))
            || walk
                .container_moved()
                .is_some_and(|moved| holder::accepted(walk, moved))
    });
    let known = known.map(|container| container.place);
    known
        .filter(|place| *place != Place::Nowhere)
        .unwrap_or(walk.state.place)
}

/// The containers the unit is in now: three levels, so two at most.
fn containers<'a>(walk: &Walk<'a>) -> impl Iterator<Item = &'a UnitKey> {
    let direct = walk.container_inside().map(|(container, _)| container);
    let outer = walk
        .container_now()
        .and_then(|container| container.inside.as_ref());
    direct.into_iter().chain(outer)
}

/// C13: the container was observed somewhere by a pack, unpack or count that took effect, and so
/// was what is inside it.
pub(super) fn followed<'a>(walk: &mut Walk<'a>, at: &At<'a>) -> Effect {
    if matches!(walk.state.phase, Phase::Sold | Phase::Destroyed) {
        return Effect::Nothing;
    }
    observed(walk, at);
    Effect::Took
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
    // The same code read twice is one child; a code that cannot be read is one all the same.
    let units: BTreeSet<_> = event
        .units
        .iter()
        .filter_map(|read| read.unit.as_ref())
        .collect();
    let unread = event
        .units
        .iter()
        .filter(|read| read.unit.is_none())
        .count();
    let there = u64::try_from(units.len().saturating_add(unread))
        .unwrap_or(u64::MAX)
        .saturating_add(lots);
    let there = i64::try_from(there).unwrap_or(i64::MAX);
    let expected = event.declared.map(i64::from);
    if let Some(expected) = expected.filter(|expected| there < *expected) {
        walk.find(
            at,
            FindingCode::ShortPack,
            &[],
            Detail::Count { expected, there },
        );
    }
}

/// The level of the unit: on record or taught, else by its key.
fn level_of_child(walk: &Walk<'_>) -> Level {
    walk.state.level.unwrap_or_else(|| level::by_key(walk.unit))
}

/// The level of a container as what is in it sees it: on record, as all packs together say, or as it
/// was folded.
fn level_of_container(walk: &Walk<'_>, container: &UnitKey) -> Level {
    if let Some(levels) = walk.levels {
        return levels.get(container);
    }
    let folded = walk.parents.get(container);
    level::recorded(walk.world, container)
        .or(folded.and_then(|folded| folded.state.level))
        .unwrap_or_else(|| level::by_key(container))
}
