//! C12: the level of a code. On record for a code that was allocated here; a foreign code takes it
//! from the first pack of those whose word may count for it, and before there is one from its key.
//!
//! A level is one for the whole life of a unit, so that nothing can come to be inside itself. That
//! is why it goes by what was received first and not by what happened first: an event can be dated
//! back, a position cannot. And it is why strangers teach nothing: what they say of a container
//! would make others' goods fall out of it. It must not know the walk.

use super::{
    holder::{Parties, Said, said},
    struck::Struck,
    walk,
};
use crate::{
    event::Event,
    facts::{Fact, World},
    unit::{Level, UnitKey},
};
use std::collections::{BTreeMap, BTreeSet};

/// The levels of all codes that are packed.
pub struct Levels<'a> {
    world: &'a World,
    taught: BTreeMap<&'a UnitKey, Level>,
}

impl<'a> Levels<'a> {
    /// Reads the packs of a whole set of facts.
    pub fn of(facts: &[&'a Fact], world: &'a World) -> Levels<'a> {
        let mut sorted = facts.to_vec();
        sorted.sort_by_key(|fact| fact.order);
        // A fact told twice is one: of two, a retract would strike but one.
        sorted.dedup_by_key(|fact| fact.order);
        let struck = Struck::of(&sorted, world);
        let said = said(&sorted, &struck);
        let packs = said.iter().filter(|said| said.packs());
        let packed: BTreeSet<&UnitKey> = packs
            .flat_map(|said| said.fact.event.units.iter().chain(&said.fact.event.parent))
            .filter_map(|read| read.unit.as_ref())
            .filter(|unit| recorded(world, unit).is_none())
            .collect();
        let mut about: BTreeMap<&UnitKey, Vec<Said<'_>>> = BTreeMap::new();
        for said in said {
            let event = &said.fact.event;
            let named = event.units.iter().chain(&event.parent);
            let named: BTreeSet<&UnitKey> = named.filter_map(|read| read.unit.as_ref()).collect();
            for unit in named {
                if let Some(unit) = packed.get(unit) {
                    about.entry(unit).or_default().push(said);
                }
            }
        }
        let taught = about
            .into_iter()
            .filter_map(|(unit, said)| Some((unit, taught(unit, &said, world)?)))
            .collect();
        Levels { world, taught }
    }

    /// The level of a code.
    pub fn get(&self, unit: &UnitKey) -> Level {
        self.told(unit).unwrap_or_else(|| by_key(unit))
    }

    /// The level of a code, if it is on record or a pack tells it.
    pub fn told(&self, unit: &UnitKey) -> Option<Level> {
        recorded(self.world, unit).or_else(|| self.taught.get(unit).copied())
    }
}

/// The level on record.
pub(super) fn recorded(world: &World, unit: &UnitKey) -> Option<Level> {
    world.units.get(unit)?.level
}

/// What the packs among these facts say of a foreign code: of those that are somebody's whose word
/// may count for it, the one that was received first.
pub(super) fn taught(unit: &UnitKey, said: &[Said<'_>], world: &World) -> Option<Level> {
    let packs = said.iter().filter(|said| said.packs());
    let mut packs: Vec<&Fact> = packs
        .map(|said| said.fact)
        .filter(|fact| walk::names(fact, unit) && container(&fact.event).is_some())
        .collect();
    packs.sort_by_key(|fact| fact.gseq);
    if packs.is_empty() {
        return None;
    }
    let parties = Parties::of(unit, said, world);
    let first = packs.into_iter().find(|fact| parties.may_count(fact))?;
    Some(match container(&first.event) {
        Some(container) if container == unit => above_children(world, unit, &first.event),
        Some(_) | None => as_child(world, unit),
    })
}

/// The level of a code that nobody whose word counts has packed: a logistic unit holds what is said
/// to be in it.
pub(super) fn by_key(unit: &UnitKey) -> Level {
    if unit.is_sscc() {
        return Level::Pallet;
    }
    if is_grouping(unit) {
        Level::Case
    } else {
        Level::Item
    }
}

/// The level a pack gives a foreign container: one above the highest of its children.
fn above_children(world: &World, container: &UnitKey, event: &Event) -> Level {
    let children = event.units.iter().filter_map(|read| read.unit.as_ref());
    let highest = children
        .filter(|child| *child != container)
        .map(|child| as_child(world, child))
        .max();
    match highest {
        Some(Level::Case | Level::Pallet) => Level::Pallet,
        Some(Level::Item) | None => Level::Case,
    }
}

/// What is taken for what when it is put into something: its level on record; a foreign code for a
/// case if it is a logistic unit or a grouping of trade items, else for an item.
fn as_child(world: &World, child: &UnitKey) -> Level {
    let guessed = if child.is_sscc() || is_grouping(child) {
        Level::Case
    } else {
        Level::Item
    };
    recorded(world, child).unwrap_or(guessed)
}

/// Is its GTIN that of a grouping of trade items (its first digit is not 0)?
fn is_grouping(unit: &UnitKey) -> bool {
    unit.gtin().is_some_and(|gtin| !gtin.starts_with('0'))
}

fn container(event: &Event) -> Option<&UnitKey> {
    event.parent.as_ref()?.unit.as_ref()
}
