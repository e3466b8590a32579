//! Which things in containers are judged by themselves while their container moves (C13). All others
//! share what becomes of it, and are folded when somebody reads them.

use super::{
    Change,
    gather::{Gathered, Unit},
    holds_lots, is_container, names,
};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::Kind,
    facts::World,
    fold::{self, Folded, Member, Sign},
    ids::BatchId,
    unit::UnitKey,
};

impl Gathered {
    /// The batches in each container at hand whose goods are judged by themselves.
    pub(super) fn apart(
        &self,
        folded: &BTreeMap<UnitKey, Folded>,
        world: &World,
    ) -> BTreeMap<UnitKey, BTreeSet<BatchId>> {
        let mut out = BTreeMap::new();
        for (key, unit) in &self.units {
            let (Some(contents), Some(now)) = (world.contents.get(key), folded.get(key)) else {
                continue;
            };
            if unit.dirty.is_none() && !unit.is_sure(now) {
                continue;
            }
            let mut apart = unit.kept.apart.clone();
            for fact in unit.facts.values().filter(|fact| names(fact, key)) {
                apart.extend(fold::batches_apart(
                    key,
                    now.state.batch,
                    contents,
                    fact,
                    world,
                ));
            }
            if !apart.is_empty() {
                out.insert(key.clone(), apart);
            }
        }
        out
    }

    /// Which units inside containers are judged by themselves from now on.
    pub(super) fn exceptional(
        &self,
        change: &Change,
        (folded, apart): (
            &BTreeMap<UnitKey, Folded>,
            &BTreeMap<UnitKey, BTreeSet<BatchId>>,
        ),
        world: &World,
    ) -> BTreeMap<UnitKey, bool> {
        let mut out: BTreeMap<UnitKey, bool> = BTreeMap::new();
        for (key, unit) in &self.units {
            let own = unit.dirty.is_some_and(|cause| cause.own);
            let inside = folded
                .get(key)
                .and_then(|folded| folded.state.inside.as_ref());
            let was = unit.exceptional;
            out.insert(key.clone(), inside.is_some() && (was || own));
        }
        // Those that were just packed are held against each other.
        for pack in change
            .arrived
            .iter()
            .filter(|fact| fact.event.kind == Kind::Pack)
        {
            let parent = pack
                .event
                .parent
                .as_ref()
                .and_then(|read| read.unit.as_ref());
            let Some((parent, container)) = parent.and_then(|p| folded.get_key_value(p)) else {
                continue;
            };
            let named = pack
                .event
                .units
                .iter()
                .filter_map(|read| read.unit.as_ref());
            let members: Vec<Member> = named
                .filter_map(|key| {
                    let child = folded.get(key)?;
                    let last = child.state.last.is_some_and(|last| last == pack.order);
                    (child.state.inside.as_ref() == Some(parent)).then(|| Member {
                        unit: key.clone(),
                        batch: child.state.batch,
                        sign: Sign::of(key, child, world),
                        own_event_since: !last,
                    })
                })
                .collect();
            self.weigh((parent, container), &members, apart, world, &mut out);
        }
        // What is looked at again is held against its container as both are now: it may have been in another
        // before, that fared otherwise than was known.
        let again = self.units.iter().filter(|(key, unit)| {
            let from_around = unit.dirty.is_some_and(|cause| !cause.own);
            from_around || change.units.contains(*key)
        });
        let mut inside: BTreeMap<&UnitKey, Vec<Member>> = BTreeMap::new();
        for (key, unit) in again {
            let Some(child) = folded.get(key) else {
                continue;
            };
            if let Some(parent) = &child.state.inside {
                let own = out.get(key).copied().unwrap_or_default();
                inside.entry(parent).or_default().push(Member {
                    unit: key.clone(),
                    batch: child.state.batch,
                    sign: Sign::of(key, child, world),
                    own_event_since: own || is_named_in_there(key, unit, child),
                });
            }
        }
        for (parent, members) in inside {
            if let Some(container) = folded.get(parent) {
                self.weigh((parent, container), &members, apart, world, &mut out);
            }
        }
        // So is what comes back into a container: what happened to that before happened to it, too. And whoever
        // held what left it since it is in its own container: what moves that moved it.
        for (key, unit) in &self.units {
            let Some(now) = folded.get(key).filter(|_| unit.dirty.is_some()) else {
                continue;
            };
            for (stay, until) in now
                .stays
                .iter()
                .filter_map(|stay| Some((stay, stay.until?)))
            {
                if now.state.inside.as_ref() == Some(&stay.container) {
                    out.insert(key.clone(), true);
                }
                let around = folded.get(&stay.container).and_then(|it| it.stays.last());
                if around.is_some_and(|around| around.until.is_none() && around.from < until) {
                    out.insert(stay.container.clone(), true);
                }
            }
        }
        // Whoever holds something exceptional is looked at when its own container moves.
        let above: Vec<UnitKey> = out
            .iter()
            .filter(|(_, exceptional)| **exceptional)
            .filter_map(|(key, _)| folded.get(key)?.state.inside.clone())
            .collect();
        for key in above {
            let is_inside = folded.get(&key).is_some_and(|f| f.state.inside.is_some());
            if is_inside {
                out.insert(key, true);
            }
        }
        out
    }

    /// Which of these things in a container are judged by themselves.
    fn weigh(
        &self,
        (parent, container): (&UnitKey, &Folded),
        members: &[Member],
        apart: &BTreeMap<UnitKey, BTreeSet<BatchId>>,
        world: &World,
        out: &mut BTreeMap<UnitKey, bool>,
    ) {
        let unlike = fold::exceptional(container, members, world);
        let apart = apart.get(parent);
        for member in members {
            let unit = self.units.get(&member.unit);
            // A case is found by its batch; what it holds may be of several.
            let holds = unit.is_some_and(|unit| {
                let mut facts = unit.facts.values();
                facts.any(|fact| is_container(fact, &member.unit))
            });
            // Whatever made it so since it is in there.
            let was = unit.is_some_and(|unit| {
                let there = self.units.get(parent).map(|parent| parent.id);
                unit.exceptional && unit.inside.is_some() && unit.inside == there
            });
            let judged = was
                || unlike.contains(&member.unit)
                || unit.is_some_and(|unit| holds_lots(&member.unit, unit))
                || apart.is_some_and(|apart| member.batch.is_some_and(|b| apart.contains(&b)))
                || holds && self.holds_exceptional(&member.unit);
            out.insert(member.unit.clone(), judged);
        }
    }

    /// Was anything in it exceptional before?
    fn holds_exceptional(&self, key: &UnitKey) -> bool {
        let Some(unit) = self.units.get(key) else {
            return false;
        };
        self.units
            .values()
            .any(|inner| inner.inside == Some(unit.id) && inner.exceptional)
    }
}

/// Does anything name it since it came into what it is in? It may have been out of there until what is known now
/// put it back.
fn is_named_in_there(key: &UnitKey, unit: &Unit, folded: &Folded) -> bool {
    let stay = folded.stays.last().filter(|stay| stay.until.is_none());
    stay.is_some_and(|stay| {
        let mut facts = unit.facts.values();
        facts.any(|fact| fact.order > stay.from && names(fact, key))
    })
}
