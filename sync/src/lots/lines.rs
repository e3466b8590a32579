//! All lines of a set of facts: what is struck, counts in several documents, complete counts, and
//! what containers carry. A refold of a whole log and the checker go this way.

use super::{
    Change, Line, Movement, balance, carried,
    change::{accepted, changes},
    judged::product_of,
};
use crate::{
    event::Kind,
    facts::{Fact, World},
    finding::LotKey,
    fold::{Folded, complete_for, misses, struck::Struck},
    ids::{EnterpriseId, GroupId},
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// The movements of every line, sorted by order.
///
/// `containers` are the folds, with timelines, of the containers that lots were packed into.
pub fn movements(
    facts: &[&Fact],
    containers: &BTreeMap<UnitKey, Folded>,
    world: &World,
) -> BTreeMap<LotKey, Vec<Movement>> {
    let mut out = Movements::default();
    let said = Said::of(facts, world);
    out.moved(&said, world);
    for (unit, folded) in containers {
        for (key, movement) in carried(unit, &folded.steps, world) {
            out.0.entry(key).or_default().push(movement);
        }
    }
    let known = out.known();
    out.counted(&said, &known, world);
    out.0
        .into_iter()
        .map(|(key, movements)| (key, in_order(movements)))
        .collect()
}

/// The movements that these facts make by what they name, for whoever keeps lines in a store and
/// works in a few facts at a time. The facts are those asked about, the retracts that strike them,
/// what retracts among them target, and all documents of a correction or of a count in several.
/// Movements of containers are [`carried()`]; `known` are lines to which anything but a count
/// or a pack happened before, as far as complete counts among the facts may miss them.
pub fn stated(
    facts: &[&Fact],
    known: &BTreeSet<LotKey>,
    world: &World,
) -> BTreeMap<LotKey, Vec<Movement>> {
    let mut out = Movements::default();
    let said = Said::of(facts, world);
    out.moved(&said, world);
    let mut all = out.known();
    all.extend(known.iter().cloned());
    out.counted(&said, &all, world);
    out.0
}

/// Movements of one line, as [`balance`] wants them.
pub fn in_order(mut movements: Vec<Movement>) -> Vec<Movement> {
    movements.sort_by_key(|movement| {
        let rank = match movement.change {
            Change::Counted { .. } => 1,
            Change::Found { .. } => 2,
            _ => 0,
        };
        (movement.order, rank)
    });
    movements.dedup_by(|later, kept| later.order == kept.order && merged(kept, later.change));
    movements
}

/// Facts in order, each once, and which of them are struck.
struct Said<'f> {
    facts: Vec<&'f Fact>,
    struck: Struck,
}

impl<'f> Said<'f> {
    fn of(facts: &[&'f Fact], world: &World) -> Said<'f> {
        let mut facts = facts.to_vec();
        facts.sort_by_key(|fact| fact.order);
        facts.dedup_by_key(|fact| fact.order);
        let struck = Struck::of(&facts, world);
        Said { facts, struck }
    }
}

/// Every line, folded.
pub fn lines(
    facts: &[&Fact],
    containers: &BTreeMap<UnitKey, Folded>,
    world: &World,
) -> BTreeMap<LotKey, Line> {
    movements(facts, containers, world)
        .into_iter()
        .map(|(key, movements)| (key.clone(), balance(key, &movements)))
        .collect()
}

/// One event may move a line several times over: what it names, and what its containers hold. It
/// counts it once.
fn merged(kept: &mut Movement, other: Change) -> bool {
    let (Some(mut all), Some(more)) = (kept.change.moves(), other.moves()) else {
        let counts = |change| matches!(change, Change::Counted { .. });
        return counts(kept.change) && counts(other);
    };
    all += more;
    kept.change = Change::Carried(all);
    true
}

#[derive(Default)]
struct Movements(BTreeMap<LotKey, Vec<Movement>>);

impl Movements {
    /// The lines to which more than counts and packs happened.
    fn known(&self) -> BTreeSet<LotKey> {
        let known = |movements: &Vec<Movement>| movements.iter().any(|m| m.change.makes_known());
        let lines = self.0.iter().filter(|(_, movements)| known(movements));
        lines.map(|(key, _)| key.clone()).collect()
    }

    /// What came and went.
    fn moved(&mut self, said: &Said<'_>, world: &World) {
        for (place, fact) in said.facts.iter().enumerate() {
            match fact.event.kind {
                Kind::Count | Kind::Retract => {}
                _ if said.struck.is(place) => {}
                _ => {
                    for (key, change) in changes(fact, world) {
                        self.add(key, fact, change);
                    }
                }
            }
        }
    }

    /// Counts that are not struck, those of one group as one.
    fn counted(&mut self, said: &Said<'_>, known: &BTreeSet<LotKey>, world: &World) {
        let mut counts: BTreeMap<(EnterpriseId, Option<GroupId>, usize), Vec<&Fact>> =
            BTreeMap::new();
        for (place, fact) in said.facts.iter().enumerate() {
            if fact.event.kind == Kind::Count && !said.struck.is(place) {
                let group = fact.event.group.map(|group| group.id);
                let alone = if group.is_some() { 0 } else { place };
                counts
                    .entry((fact.enterprise, group, alone))
                    .or_default()
                    .push(fact);
            }
        }
        for counts in counts.values() {
            self.count(counts, known, world);
        }
    }

    fn add(&mut self, key: LotKey, fact: &Fact, change: Change) {
        let movement = Movement {
            order: fact.order,
            change,
        };
        self.0.entry(key).or_default().push(movement);
    }

    /// A count, or several of one group as one: placed at the last, quantities added up; what a
    /// complete count does not name was not there.
    fn count(&mut self, counts: &[&Fact], known: &BTreeSet<LotKey>, world: &World) {
        let Some(last) = counts.last() else {
            return;
        };
        let mut seen: BTreeMap<LotKey, u64> = BTreeMap::new();
        for fact in counts {
            for (key, change) in changes(fact, world) {
                match change {
                    Change::Counted { there, .. } => {
                        let sum = seen.entry(key).or_default();
                        *sum = sum.saturating_add(there);
                    }
                    _ => self.add(key, fact, change),
                }
            }
        }
        let location = last.event.location;
        if misses(world, last) {
            let swept = known.iter().filter(|key| {
                let product = product_of(key, last.enterprise, world);
                key.location == location && complete_for(last, product, Some(&key.gtin), world)
            });
            for key in swept {
                seen.entry(key.clone()).or_default();
            }
        }
        for (key, there) in seen {
            let accepted = accepted(&last.event);
            self.add(key, last, Change::Counted { there, accepted });
        }
    }
}
