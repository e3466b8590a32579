//! What containers hold, batch by batch, so that expiry and recalls of their contents are judged once
//! (C13). Counted by stays: what a unit's fold says of its stays is taken back when it says otherwise.

use super::{Folding, gather::Gathered, is_container};
use crate::handheld::{
    units::{
        KeptStay, held,
        store::{self, UnitId},
    },
    world::WorldError,
};
use sea_orm::ConnectionTrait;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    facts::Content,
    fold::Folded,
    ids::BatchId,
    unit::{Level, UnitKey},
};

/// What containers hold directly, by how many units do.
pub(super) struct Held(BTreeMap<UnitId, BTreeMap<Content, i64>>);

impl Held {
    /// What is kept of the containers at hand.
    pub(super) async fn read(
        conn: &impl ConnectionTrait,
        gathered: &Gathered,
    ) -> Result<Held, WorldError> {
        let known = gathered.units.iter().filter(|(_, unit)| unit.known);
        let containers = known.filter(|(key, unit)| {
            let mut facts = unit.facts.values();
            facts.any(|fact| is_container(fact, key))
        });
        let containers: Vec<UnitId> = containers.map(|(_, unit)| unit.id).collect();
        Ok(Held(store::contents(conn, &containers).await?))
    }

    /// The batches of all of it.
    pub(super) fn batches(&self) -> impl Iterator<Item = BatchId> {
        let held = self.0.values().flat_map(BTreeMap::keys);
        held.map(|content| content.batch)
    }

    fn of(&self, container: UnitId) -> BTreeSet<Content> {
        let held = self.0.get(&container).into_iter().flatten();
        let held = held.filter(|(_, units)| **units > 0);
        held.map(|(content, _)| *content).collect()
    }

    fn add(&mut self, container: UnitId, content: Content, by: i64) {
        let held = self.0.entry(container).or_default();
        *held.entry(content).or_default() += by;
    }

    /// Which stays in containers began, ended or moved, by this fold.
    pub(super) fn shift(
        &mut self,
        gathered: &Gathered,
        folded: &BTreeMap<UnitKey, Folded>,
    ) -> BTreeMap<(UnitId, Content), i64> {
        let mut shifts: BTreeMap<(UnitId, Content), i64> = BTreeMap::new();
        for (key, unit) in &gathered.units {
            let Some(now) = folded.get(key).filter(|_| unit.dirty.is_some()) else {
                continue;
            };
            let mut shift = |batch: Option<BatchId>, stay: &KeptStay, by: i64| {
                if stay.uninvited {
                    return;
                }
                if let (Some(batch), Some(container)) = (batch, gathered.units.get(&stay.container))
                {
                    let content = Content {
                        batch,
                        from: stay.from,
                        until: stay.until,
                    };
                    *shifts.entry((container.id, content)).or_default() += by;
                }
            };
            for stay in &unit.kept.stays {
                shift(unit.kept.state.batch, stay, -1);
            }
            for stay in &now.stays {
                shift(now.state.batch, &KeptStay::from(stay), 1);
            }
        }
        shifts.retain(|_, by| *by != 0);
        for ((container, content), by) in &shifts {
            self.add(*container, *content, *by);
        }
        shifts
    }

    /// As if that had not been.
    pub(super) fn unshift(&mut self, shifts: &BTreeMap<(UnitId, Content), i64>) {
        for ((container, content), by) in shifts {
            self.add(*container, *content, -by);
        }
    }
}

impl Gathered {
    /// Is anything that may hold something elsewhere than it was, or since when? With it is what it holds.
    pub(super) fn moved_with_contents(&self, folded: &BTreeMap<UnitKey, Folded>) -> bool {
        let mut dirty = self.units.iter().filter(|(_, unit)| unit.dirty.is_some());
        dirty.any(|(key, unit)| {
            let now = folded.get(key).map_or(&[][..], |folded| &folded.stays);
            !unit.kept.has_stays(now) && unit.facts.values().any(|fact| is_container(fact, key))
        })
    }
}

impl Folding<'_> {
    /// The batches in a container now, but for its own.
    pub(super) fn holds(&self, key: &UnitKey, own: Option<BatchId>) -> BTreeSet<BatchId> {
        held(self.source.world().contents.get(key), own)
    }

    /// Tells the world what containers hold, directly and in containers within: those are where they were folded to
    /// be, and where they are kept as far as they were not.
    pub(super) async fn put_contents(
        &mut self,
        conn: &impl ConnectionTrait,
        gathered: &Gathered,
        held: &mut Held,
        folded: &BTreeMap<UnitKey, Folded>,
    ) -> Result<(), WorldError> {
        let mut contents: BTreeMap<UnitKey, Vec<Content>> = BTreeMap::new();
        let inner = self.containers_in(conn, gathered, held, folded).await?;
        for (key, unit) in &gathered.units {
            let mut all = held.of(unit.id);
            for (id, stays) in inner.get(key).into_iter().flatten() {
                for content in held.of(*id) {
                    all.extend(stays.iter().filter_map(|stay| within(content, stay)));
                }
            }
            if !all.is_empty() {
                contents.insert(key.clone(), all.into_iter().collect());
            }
        }
        self.source.world_mut().contents = contents;
        Ok(())
    }

    /// The containers that were in each of those at hand, with their stays in it.
    async fn containers_in(
        &mut self,
        conn: &impl ConnectionTrait,
        gathered: &Gathered,
        held: &mut Held,
        folded: &BTreeMap<UnitKey, Folded>,
    ) -> Result<BTreeMap<UnitKey, Vec<Inner>>, WorldError> {
        let mut inside: Vec<(&UnitKey, BTreeSet<UnitKey>)> = Vec::new();
        for (key, unit) in &gathered.units {
            let packs = unit.facts.values().filter(|fact| is_container(fact, key));
            let packed =
                packs.flat_map(|fact| fact.event.units.iter().filter_map(|read| read.unit.clone()));
            let mut inner = BTreeSet::new();
            for child in packed.collect::<BTreeSet<UnitKey>>() {
                let code = self.source.code(conn, &child).await?;
                if code.is_none_or(|code| code.level > Level::Item) {
                    inner.insert(child);
                }
            }
            if !inner.is_empty() {
                inside.push((key, inner));
            }
        }
        let all: BTreeSet<&UnitKey> = inside.iter().flat_map(|(_, inner)| inner).collect();
        let (mut stays, mut unread) = (BTreeMap::new(), Vec::new());
        for key in all {
            let unit = gathered.units.get(key).filter(|unit| unit.dirty.is_some());
            if let Some((unit, now)) = unit.zip(folded.get(key)) {
                let now = now.stays.iter().map(KeptStay::from);
                stays.insert(key.clone(), (unit.id, now.collect::<Vec<_>>()));
            } else {
                unread.push(key.clone());
            }
        }
        let rows = store::units(conn, &unread).await?;
        stays.extend(
            rows.into_iter()
                .map(|row| (row.key, (row.id, row.kept.stays))),
        );
        let ids = stays.values().map(|(id, _)| *id);
        let ids: Vec<UnitId> = ids.filter(|id| !held.0.contains_key(id)).collect();
        held.0.extend(store::contents(conn, &ids).await?);
        let of = |(key, inner): (&UnitKey, BTreeSet<UnitKey>)| {
            let known = inner.iter().filter_map(|child| stays.get(child));
            let here = known.map(|(id, stays)| {
                let here = |stay: &&KeptStay| stay.container == *key && !stay.uninvited;
                (*id, stays.iter().filter(here).cloned().collect::<Vec<_>>())
            });
            let here = here.filter(|(_, stays)| !stays.is_empty());
            (key.clone(), here.collect())
        };
        Ok(inside.into_iter().map(of).collect())
    }
}

/// A container in another one, with its stays there.
type Inner = (UnitId, Vec<KeptStay>);

fn within(content: Content, stay: &KeptStay) -> Option<Content> {
    let from = content.from.max(stay.from);
    let until = match (content.until, stay.until) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    until.is_none_or(|until| from < until).then_some(Content {
        batch: content.batch,
        from,
        until,
    })
}
