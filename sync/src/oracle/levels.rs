//! C12: a container holds what is of a lower level. The level is set when a code is allocated or
//! commissioned; a foreign code takes the level of its first pack: the first that was received of
//! those whose word may count for it. Nobody else has a say in it.

use super::{
    holders,
    replay::{History, Moment},
    struck::Fate,
};
use crate::{
    event::Kind,
    facts::{Fact, World},
    fold::UnitState,
    ids::EnterpriseId,
    unit::{Level, UnitKey},
};
use std::collections::BTreeSet;

/// Is the container of a pack not above the child? Nothing is above itself.
pub fn wrong(history: &History, k: usize, moment: &Moment, child: &UnitKey) -> bool {
    let Some(container) = history.container(k) else {
        return false;
    };
    let level = |unit: &UnitKey| moment.before[unit].level.unwrap_or(unpacked(unit));
    container == *child || level(child) >= level(&container)
}

/// The level of a code that has none on record, from all that was ever received.
pub fn taught(
    world: &World,
    unit: &UnitKey,
    beginning: &UnitState,
    facts: &[&Fact],
    fates: &[Fate],
) -> Option<Level> {
    let mut received: Vec<&Fact> = Vec::new();
    for (fact, fate) in facts.iter().zip(fates) {
        // Nobody has a say at another's place.
        let own = !holders::is_elsewhere(world, fact);
        if *fate == Fate::Counts && own && holders::names(fact, unit) {
            received.push(fact);
        }
    }
    received.sort_by_key(|fact| fact.gseq);

    let say = may_ever_be_linked(world, beginning, &received);
    for fact in received {
        let container = fact
            .event
            .parent
            .as_ref()
            .and_then(|read| read.unit.clone());
        let (Kind::Pack, Some(container)) = (fact.event.kind, container) else {
            continue;
        };
        if !say.contains(&fact.enterprise) && !holders::accepted(world, unit, beginning, fact) {
            continue;
        }
        if container != *unit {
            return Some(put_in(world, unit));
        }
        let children = fact
            .event
            .units
            .iter()
            .filter_map(|read| read.unit.as_ref());
        let holds_cases = children
            .filter(|child| *child != unit)
            .any(|child| put_in(world, child) > Level::Item);
        return Some(if holds_cases {
            Level::Pallet
        } else {
            Level::Case
        });
    }
    None
}

/// Who is linked in the beginning, and whom legs of these may link, whenever.
fn may_ever_be_linked(
    world: &World,
    beginning: &UnitState,
    facts: &[&Fact],
) -> BTreeSet<EnterpriseId> {
    let mut linked = beginning.linked.clone();
    for _ in facts {
        for fact in facts {
            if linked.contains(&fact.enterprise) {
                linked.extend(holders::linked_by(world, fact));
            }
        }
    }
    linked
}

/// What a thing is taken for that is put into another: its level on record; a foreign code for a
/// case if it is a logistic unit or its GTIN is that of a grouping, else for an item.
fn put_in(world: &World, unit: &UnitKey) -> Level {
    let on_record = world.units.get(unit).and_then(|info| info.level);
    on_record.unwrap_or(match unpacked(unit) {
        Level::Item => Level::Item,
        Level::Case | Level::Pallet => Level::Case,
    })
}

/// What a foreign code is as long as nobody who may say so has packed it.
fn unpacked(unit: &UnitKey) -> Level {
    let key = unit.as_str();
    if key.starts_with("/00/") {
        Level::Pallet
    } else if key.starts_with("/01/") && !key.starts_with("/01/0") {
        Level::Case
    } else {
        Level::Item
    }
}
