//! C12: a container holds what is of a lower level. The level is set when a code is allocated or
//! commissioned; a foreign code takes the level of its first pack, whoever states that.

use super::replay::{History, Moment};
use suyuan_sync::unit::{Level, UnitKey};

/// Is the container of a pack not above the child? Nothing is above itself.
pub fn wrong(history: &History, k: usize, moment: &Moment, child: &UnitKey) -> bool {
    let Some(container) = history.container(k) else {
        return false;
    };
    let below = of_child(history, k, moment, child, &container);
    container == *child || below >= of_container(history, k, moment, &container)
}

/// What a pack teaches of the levels of codes that had none. So whatever is inside something has a
/// level below it, for ever, and nothing can be inside itself.
pub fn learnt(history: &History, k: usize, moment: &Moment) -> Vec<(UnitKey, Level)> {
    let Some(container) = history.container(k) else {
        return Vec::new();
    };
    let mut learnt = Vec::new();
    let mut children = history.named(k);
    children.remove(&container);
    for child in &children {
        let level = of_child(history, k, moment, child, &container);
        learnt.push((child.clone(), level));
    }
    let level = of_container(history, k, moment, &container);
    learnt.push((container, level));
    learnt
}

/// The container's own level; without one, the level above its highest child's.
fn of_container(history: &History, k: usize, moment: &Moment, container: &UnitKey) -> Level {
    let highest = history
        .named(k)
        .iter()
        .filter(|child| *child != container)
        .map(|child| seen_from_above(history, child))
        .max();
    let own = moment.before[container].level;
    own.unwrap_or_else(|| above(highest.unwrap_or(Level::Item)))
}

/// The child's own level; without one, the level below the container's.
fn of_child(
    history: &History,
    k: usize,
    moment: &Moment,
    child: &UnitKey,
    container: &UnitKey,
) -> Level {
    let own = moment.before[child].level;
    own.unwrap_or_else(|| below(of_container(history, k, moment, container)))
}

/// What a container takes a child for: its level on record; a foreign code for a case if it is a
/// logistic unit or its GTIN is that of a grouping, else for an item.
fn seen_from_above(history: &History, child: &UnitKey) -> Level {
    let on_record = history.world.units.get(child).and_then(|info| info.level);
    let key = child.as_str();
    let grouping =
        key.starts_with("/00/") || (key.starts_with("/01/") && !key.starts_with("/01/0"));
    on_record.unwrap_or(if grouping { Level::Case } else { Level::Item })
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
