//! C12: containers. A pack opens a stay of each child in its container, an unpack closes it, and
//! so does everything that shows a child outside its container.
//!
//! A container holds only what is of a lower level, so cycles cannot exist and folding goes from
//! the top down.

use super::{
    Phase, Place, Row,
    struck::Struck,
    walk::{At, Effect, Walk},
};
use crate::{
    bugs::{self, Bug},
    event::{Event, Kind},
    facts::{Fact, World},
    finding::{Detail, FindingCode},
    unit::{Level, UnitKey},
};
use std::collections::{BTreeMap, BTreeSet};

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
    let holds = level_of_container(walk, container, event);
    let level = walk.state.level.unwrap_or_else(|| below(holds));
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

/// C12: a foreign code takes the level of its first pack, whoever states that, so that levels never
/// change and nothing can come to be inside itself.
pub(super) fn learn<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    let event = &at.fact.event;
    let Some(container) = event
        .parent
        .as_ref()
        .and_then(|parent| parent.unit.as_ref())
    else {
        return;
    };
    if event.kind != Kind::Pack || walk.state.level.is_some() {
        return;
    }
    walk.state.level = Some(if container == walk.unit {
        level_by_children(walk.world, container, event)
    } else {
        below(level_of_container(walk, container, event))
    });
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

/// The levels of all codes that are packed, on record or learnt (`learn`).
pub struct Levels<'a> {
    world: &'a World,
    learnt: BTreeMap<&'a UnitKey, Level>,
}

impl<'a> Levels<'a> {
    /// Reads the packs of a whole set of facts.
    pub fn of(facts: &[&'a Fact], world: &'a World) -> Levels<'a> {
        let mut sorted = facts.to_vec();
        sorted.sort_by_key(|fact| fact.order);
        // A fact told twice is one: of two, a retract would strike but one.
        sorted.dedup_by_key(|fact| fact.order);
        let struck = Struck::of(&sorted, world);
        let mut levels = Levels {
            world,
            learnt: BTreeMap::new(),
        };
        for (place, fact) in sorted.iter().enumerate() {
            let parent = fact.event.parent.as_ref();
            let container = parent.and_then(|parent| parent.unit.as_ref());
            if let Some(container) = container
                && fact.event.kind == Kind::Pack
                && !struck.is(place)
            {
                levels.read(container, &fact.event);
            }
        }
        levels
    }

    fn read(&mut self, container: &'a UnitKey, event: &'a Event) {
        let holds = self
            .get(container)
            .unwrap_or_else(|| level_by_children(self.world, container, event));
        let children = event.units.iter().filter_map(|read| read.unit.as_ref());
        for child in children.filter(|child| *child != container) {
            self.learnt.entry(child).or_insert(below(holds));
        }
        self.learnt.entry(container).or_insert(holds);
    }

    /// The level of a code; nothing if it is on no record and was in no pack.
    pub fn get(&self, unit: &UnitKey) -> Option<Level> {
        let recorded = self.world.units.get(unit).and_then(|info| info.level);
        recorded.or(self.learnt.get(unit).copied())
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
        .or_else(|| walk.levels?.get(container))
        .or(folded)
        .unwrap_or_else(|| level_by_children(walk.world, container, event))
}

/// The level a pack gives a foreign container: one above the highest of its children.
fn level_by_children(world: &World, container: &UnitKey, event: &Event) -> Level {
    let children = event.units.iter().filter_map(|read| read.unit.as_ref());
    let highest = children
        .filter(|child| *child != container)
        .map(|child| seen_from_above(world, child))
        .max();
    match highest {
        Some(Level::Case | Level::Pallet) => Level::Pallet,
        Some(Level::Item) | None => Level::Case,
    }
}

/// What a container takes a child for, whose own life it does not know: its level on record; a
/// foreign code for a case if it is a logistic unit or its GTIN is that of a grouping of trade
/// items (its first digit is not 0), else for an item.
fn seen_from_above(world: &World, child: &UnitKey) -> Level {
    let recorded = world.units.get(child).and_then(|info| info.level);
    let grouping = child.is_sscc() || child.gtin().is_some_and(|gtin| !gtin.starts_with('0'));
    recorded.unwrap_or(if grouping { Level::Case } else { Level::Item })
}

/// The level a foreign child takes from its container.
const fn below(container: Level) -> Level {
    match container {
        Level::Pallet => Level::Case,
        Level::Case | Level::Item => Level::Item,
    }
}
