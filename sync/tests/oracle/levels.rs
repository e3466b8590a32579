//! C12: a container holds what is of a lower level. The level is set when a code is allocated or
//! commissioned; a foreign code takes the level of its first pack.

use super::{
    effects::Effect,
    replay::{History, Moment, Touch},
    table::Act,
};
use suyuan_sync::{
    fold::UnitState,
    unit::{Level, UnitKey},
};

/// Is the container of a pack not above the child? Nothing is above itself.
pub fn wrong(history: &History, k: usize, moment: &Moment, child: &UnitKey) -> bool {
    if history.container(k).as_ref() == Some(child) {
        return true;
    }
    let (Some(above), Some(below)) = (
        of_container(history, k, moment),
        of_child(history, k, moment, child),
    ) else {
        return false;
    };
    below >= above
}

/// What a pack teaches of the level of a code that had none: of the container always, of the child
/// when it goes in. So whatever is inside something has a level below it, for ever.
pub fn learn(
    history: &History,
    k: usize,
    moment: &Moment,
    touch: &Touch,
    effect: Effect,
    after: &mut UnitState,
) {
    let learnt = match touch.act {
        Act::PackedUp => of_container(history, k, moment),
        Act::PackedInto if effect == Effect::PutIn => of_child(history, k, moment, &touch.unit),
        _ => None,
    };
    after.level = after.level.or(learnt);
}

/// The container's own level; without one, the level above the highest child's, where a child
/// without a level is an item.
fn of_container(history: &History, k: usize, moment: &Moment) -> Option<Level> {
    let container = history.container(k)?;
    let own = moment.before[&container].level;
    let highest = history
        .named(k)
        .iter()
        .filter(|child| **child != container)
        .map(|child| moment.before[child].level.unwrap_or(Level::Item))
        .max();
    own.or(Some(above(highest.unwrap_or(Level::Item))))
}

/// The child's own level; without one, the level below the container's.
fn of_child(history: &History, k: usize, moment: &Moment, child: &UnitKey) -> Option<Level> {
    let own = moment.before[child].level;
    own.or_else(|| of_container(history, k, moment).map(below))
}

const fn above(level: Level) -> Level {
    match level {
        Level::Item => Level::Case,
        Level::Case | Level::Pallet => Level::Pallet,
    }
}

const fn below(level: Level) -> Level {
    match level {
        Level::Item | Level::Case => Level::Item,
        Level::Pallet => Level::Case,
    }
}
