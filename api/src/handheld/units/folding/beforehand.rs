//! Units folded on a snapshot of the database, while others act: however much there is to read and to fold
//! about them, under the head only what came of it is written, so many findings at a time. What happened
//! since the snapshot is told by whoever writes ([`Watched`] says what matters); after anything that does, a
//! thing that holds nothing may be written as it was, since it stays left, and all else is folded anew.

use super::{Change, Done, Folding, Moment, NUMBER_BITS, is_container, write::Writes};
use crate::{
    handheld::{
        units::{
            refold::{Work, store as work},
            store::{self, UnitId, is_complete_count},
        },
        world::WorldError,
    },
    log::Position,
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    mem::take,
};
use suyuan_sync::{
    event::Event,
    fold::Folded,
    ids::{BatchId, EventId},
    unit::UnitKey,
};
use uuid::Uuid;

/// Findings of which one act writes that they opened, changed or closed; some 30 µs each by estimate.
pub const WRITTEN_AT_ONCE: usize = 250;

/// Units that were folded, and are not written yet.
pub struct Beforehand<'a> {
    folding: Folding<'a>,
    change: Change,
    /// What goes with the first act.
    first: Option<First>,
    writes: Writes,
    /// How many facts were folded.
    pub facts: usize,
    /// Nothing else is written with what was left.
    alone: bool,
}

struct First {
    folded: BTreeMap<UnitKey, Folded>,
    apart: BTreeMap<UnitKey, BTreeSet<BatchId>>,
    shifted: BTreeMap<(UnitId, suyuan_sync::facts::Content), i64>,
}

/// What a fold depends on.
#[derive(Debug, Default)]
pub struct Watched {
    /// Rows of the units that were read.
    pub rows: Vec<UnitId>,
    /// These, and whatever was named together with them.
    units: HashSet<UnitKey>,
    /// Facts that were folded.
    facts: HashSet<Position>,
    /// Ids of their events.
    ids: HashSet<EventId>,
    /// Ids that retracts among them mean.
    targets: HashSet<EventId>,
    /// Where they happened.
    places: HashSet<Uuid>,
}

impl Watched {
    /// Does it matter that this event came to count, or moved in the order? Rather once too often.
    pub fn concerns(&self, gseq: Position, event: &Event) -> bool {
        let mut named = event.units.iter().chain(&event.parent);
        self.facts.contains(&gseq)
            || event.group.is_some_and(|group| group.correct)
            || event
                .target
                .is_some_and(|target| self.ids.contains(&target))
            || self.ids.contains(&event.id)
            || self.targets.contains(&event.id)
            || is_complete_count(event) && self.places.contains(&event.location.0)
            || named.any(|read| {
                read.unit
                    .as_ref()
                    .is_some_and(|unit| self.units.contains(unit))
            })
    }
}

impl<'a> Folding<'a> {
    /// Folds what acts left, on a snapshot as of the position before its moment.
    pub async fn beforehand(
        mut self,
        conn: &impl ConnectionTrait,
        change: Change,
    ) -> Result<Beforehand<'a>, WorldError> {
        let folds = self.prepare(conn, &change).await?;
        let facts = self.units.values().map(|unit| unit.facts.len()).sum();
        let left: BTreeSet<UnitId> = change
            .left
            .keys()
            .filter_map(|key| self.units.get(key))
            .map(|unit| unit.id)
            .collect();
        let holds = change.left.keys().any(|key| {
            let unit = self.units.get(key);
            unit.is_none_or(|unit| unit.facts.values().any(|fact| is_container(fact, key)))
        });
        let others = folds
            .writes
            .units
            .iter()
            .any(|unit| !left.contains(&unit.id));
        Ok(Beforehand {
            folding: self,
            change,
            alone: !holds && !others && folds.shifted.is_empty(),
            first: Some(First {
                folded: folds.folded,
                apart: folds.apart,
                shifted: folds.shifted,
            }),
            writes: folds.writes,
            facts,
        })
    }
}

impl Beforehand<'_> {
    /// What it depends on.
    pub fn watched(&self) -> Watched {
        let mut watched = Watched::default();
        let counts = self.folding.counts.facts();
        let units = self.folding.units.iter();
        for (key, unit) in units {
            watched.rows.push(unit.id);
            watched.units.insert(key.clone());
        }
        // Each of a thousand units is folded from events that name a thousand.
        let facts = self
            .folding
            .units
            .values()
            .flat_map(|unit| &unit.facts)
            .collect::<BTreeMap<_, _>>();
        for fact in facts.into_values() {
            let event = &fact.event;
            let named = event.units.iter().chain(&event.parent);
            for unit in named.filter_map(|read| read.unit.as_ref()) {
                if !watched.units.contains(unit) {
                    watched.units.insert(unit.clone());
                }
            }
            watched.places.insert(event.location.0);
        }
        let units = self.folding.units.values();
        let facts = units.flat_map(|unit| unit.facts.values());
        for fact in facts.chain(counts) {
            watched.facts.insert(fact.gseq);
            watched.ids.insert(fact.event.id);
            watched.targets.extend(fact.event.target);
        }
        watched
    }

    /// The units that acts left.
    pub fn left(&self) -> Vec<UnitId> {
        let left = self.change.left.keys();
        left.filter_map(|key| self.folding.units.get(key))
            .map(|unit| unit.id)
            .collect()
    }

    /// May it be written as it was, though more happened since? It stays left, and shows what was true a moment
    /// ago. Only of things that hold nothing, and did not come into anything or leave it.
    pub fn may_be_late(&self) -> bool {
        self.alone
    }

    /// Is what one more act writes the last of it?
    pub fn is_last(&self) -> bool {
        self.writes.findings() <= WRITTEN_AT_ONCE
    }

    /// Writes what one act may. `late` if something happened since the snapshot that matters.
    pub async fn write(
        &mut self,
        conn: &impl ConnectionTrait,
        moment: Moment,
        late: bool,
    ) -> Result<Done, WorldError> {
        let last = self.is_last();
        let left = self.left();
        let folding = &mut self.folding;
        let first = self.first.take();
        if first.is_some() {
            self.writes.renumber(folding.moment, moment);
            for unit in folding.units.values_mut() {
                if let Some(cause) = unit.dirty.as_mut() {
                    cause.gseq = moment.last;
                }
            }
            if !last {
                self.writes
                    .units
                    .iter_mut()
                    .for_each(|unit| unit.elsewhere = true);
            }
        }
        folding.moment = moment;
        folding.read = 0;
        let rest = self.writes.split(WRITTEN_AT_ONCE);
        let mut now = std::mem::replace(&mut self.writes, rest);
        now.date(moment.last);
        let mut done = if let Some(first) = first {
            let mut done = folding.write(conn, now, &first.shifted).await?;
            let sweeps = folding
                .fold_lots(conn, &self.change, &first.folded, &mut done)
                .await?;
            folding
                .tell_restated(conn, &self.change, &first.folded)
                .await?;
            // What is in it is told by slices: it would have to be folded here.
            let ended: BTreeSet<UnitKey> = take(&mut done.ended).into_iter().collect();
            let later = (&ended, sweeps);
            folding
                .leave_for_later(conn, &self.change, (&first.folded, &first.apart), later)
                .await?;
            folding.mark_left(conn, &mut done).await?;
            done
        } else {
            folding.write(conn, now, &BTreeMap::new()).await?
        };
        done.written += left.len();
        if last && !late {
            store::take_up(conn, left).await?;
        } else if last {
            self.again(conn).await?;
        }
        done.facts = self.folding.read;
        Ok(done)
    }

    /// It is to be folded again, after whatever else was left.
    async fn again(&mut self, conn: &impl ConnectionTrait) -> Result<(), WorldError> {
        let folding = &mut self.folding;
        folding.numbered += 1;
        let Moment { first, last, .. } = folding.moment;
        let work = Work::unread((first << NUMBER_BITS) | folding.numbered, first, last);
        Ok(work::add(conn, &[work]).await?)
    }
}
