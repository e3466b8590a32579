//! Units folded on a snapshot of the database, while others act: however much there is to read and to fold
//! about them, under the head only what came of it is written, so many findings at a time. What happened
//! since the snapshot is told by whoever writes ([`Watched`] says what matters); after anything that does, a
//! thing that holds nothing may be written as it was, since it stays left, and all else is folded anew.

use super::{
    Change, Done, Folding, Moment, counts::Counts, folds::Folds, gather::Gathered, is_container,
    relate::Related, write::Writes,
};
use crate::{
    handheld::{
        units::store::{self, UnitId, is_complete_count},
        world::WorldError,
    },
    log::Position,
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    mem::{replace, take},
};
use suyuan_sync::{event::Event, ids::EventId, unit::UnitKey};
use uuid::Uuid;

/// Findings of which one act writes that they opened, changed or closed; some 30 µs each by estimate.
pub const WRITTEN_AT_ONCE: usize = 250;

/// Units that were folded, and are not written yet.
pub struct Beforehand<'a> {
    folding: Folding<'a>,
    change: Change,
    related: Related,
    gathered: Gathered,
    counts: Counts,
    /// What goes with the first act.
    first: Option<Folds>,
    writes: Writes,
    /// How many facts were folded.
    pub facts: usize,
    /// Nothing else is written with what was left.
    alone: bool,
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
        let related = self.relate(conn, &change).await?;
        let mut gathered = self.gather(conn, &change, &related).await?;
        let mut record = self.look_up(conn, &related, &gathered).await?;
        let (folds, writes) = self
            .folds(conn, &change, &mut gathered, &mut record)
            .await?;
        let facts = gathered.units.values().map(|unit| unit.facts.len()).sum();
        let left: BTreeSet<UnitId> = gathered.taken_up(&change).map(|unit| unit.id).collect();
        let holds = change.left.keys().any(|key| {
            let unit = gathered.units.get(key);
            unit.is_none_or(|unit| unit.facts.values().any(|fact| is_container(fact, key)))
        });
        let others = writes.units.iter().any(|unit| !left.contains(&unit.id));
        Ok(Beforehand {
            folding: self,
            change,
            related,
            gathered,
            counts: record.counts,
            alone: !holds && !others && folds.shifted.is_empty(),
            first: Some(folds),
            writes,
            facts,
        })
    }
}

impl Beforehand<'_> {
    /// What it depends on.
    pub fn watched(&self) -> Watched {
        let mut watched = Watched::default();
        for (key, unit) in &self.gathered.units {
            watched.rows.push(unit.id);
            watched.units.insert(key.clone());
        }
        // Each of a thousand units is folded from events that name a thousand.
        let facts = self.gathered.facts().map(|fact| (fact.gseq, fact));
        for fact in facts.collect::<BTreeMap<_, _>>().into_values() {
            let event = &fact.event;
            let named = event.units.iter().chain(&event.parent);
            for unit in named.filter_map(|read| read.unit.as_ref()) {
                if !watched.units.contains(unit) {
                    watched.units.insert(unit.clone());
                }
            }
            watched.places.insert(event.location.0);
        }
        for fact in self.gathered.facts().chain(self.counts.facts()) {
            watched.facts.insert(fact.gseq);
            watched.ids.insert(fact.event.id);
            watched.targets.extend(fact.event.target);
        }
        watched
    }

    /// The units that acts left.
    pub fn left(&self) -> Vec<UnitId> {
        let left = self.gathered.taken_up(&self.change);
        left.map(|unit| unit.id).collect()
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
        let (folding, change) = (&mut self.folding, &self.change);
        let (related, gathered) = (&self.related, &mut self.gathered);
        let first = self.first.take();
        if first.is_some() {
            self.writes.renumber(folding.moment, moment);
            for unit in gathered.units.values_mut() {
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
        gathered.read = 0;
        let gathered = &*gathered;
        let rest = self.writes.split(WRITTEN_AT_ONCE);
        let mut now = replace(&mut self.writes, rest);
        now.date(moment.last);
        // What is in it is told by slices: it would have to be folded here.
        let ended: BTreeSet<UnitKey> = take(&mut now.ended).into_iter().collect();
        let read = (related, gathered);
        let mut done = if let Some(folds) = first {
            let mut done = now.write(conn, read, &folds.shifted).await?;
            let lots = folding
                .fold_lots(conn, change, read, &folds, &mut done)
                .await?;
            folding
                .tell_restated(conn, change, read, &folds, &lots)
                .await?;
            folding
                .leave_for_later(conn, change, read, &folds, (&lots, &ended))
                .await?;
            folding.mark_left(conn, read, &mut done).await?;
            done
        } else {
            now.write(conn, read, &BTreeMap::new()).await?
        };
        done.written += left.len();
        if last && !late {
            store::take_up(conn, left).await?;
        } else if last {
            // It is to be folded again.
            folding.fold_what_is_left(conn).await?;
        }
        done.facts = gathered.read;
        Ok(done)
    }
}
