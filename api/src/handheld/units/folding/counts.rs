//! Complete counts: what they do not name was not there, so they are about every unit that was at
//! their place (C11), and whatever strikes or decides them is about these units, too.

use super::{
    Folding,
    corrections::correction,
    gather::{Gathered, Unit},
    relate::{Related, is_among, meant},
};
use crate::{
    clock::Micros,
    handheld::{units::store, world::WorldError},
    log::Position,
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{facts::Fact, ids::EventId, unit::UnitKey};
use uuid::Uuid;

/// Most complete counts of a place that an act reads; anybody may count at their own as often as they like.
pub const COUNTS_MAX: usize = 1_000;

/// Complete counts at the places units were at, and what else there is about each.
#[derive(Default)]
pub(super) struct Counts {
    all: Vec<Arc<Fact>>,
    /// Retracts, and what a correction turns on, by the count.
    about: BTreeMap<Position, Vec<Arc<Fact>>>,
}

impl Counts {
    /// The counts themselves.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Fact>> {
        self.all.iter()
    }

    /// All facts here.
    pub(super) fn facts(&self) -> impl Iterator<Item = &Arc<Fact>> {
        self.all.iter().chain(self.about.values().flatten())
    }

    /// All facts here, to be put elsewhere in the order.
    pub(super) fn facts_mut(&mut self) -> impl Iterator<Item = &mut Arc<Fact>> {
        self.all.iter_mut().chain(self.about.values_mut().flatten())
    }

    /// What counts say of a unit without naming it.
    pub(super) fn about<'u>(
        &'u self,
        gathered: &Gathered,
        (key, unit): (&UnitKey, &Unit),
    ) -> BTreeMap<i64, &'u Fact> {
        let mut out = BTreeMap::new();
        if self.all.is_empty() {
            return out;
        }
        let places = gathered.places_of(key);
        for count in &self.all {
            if places.contains(&count.event.location.0) {
                let about = self.about.get(&count.gseq);
                let with = std::iter::once(count).chain(about.into_iter().flatten());
                out.extend(with.map(|fact| (fact.gseq, fact.as_ref())));
            }
        }
        out.retain(|gseq, _| !unit.facts.contains_key(gseq));
        out
    }
}

impl Folding<'_> {
    /// The complete counts at these places, of each from an instant on, with those that came in just
    /// now. Those that were in come without the units they name.
    pub(super) async fn sweeps_at(
        &mut self,
        conn: &impl ConnectionTrait,
        places: &BTreeMap<Uuid, Micros>,
        related: &Related,
    ) -> Result<Vec<Arc<Fact>>, WorldError> {
        let mut counts = store::sweeps(conn, self.reader, places, self.upto).await?;
        let new = related.sweeps.iter();
        let new = new.filter(|fact| places.contains_key(&fact.event.location.0));
        counts.extend(new.map(|fact| (fact.gseq, fact.clone())));
        Ok(counts.into_values().collect())
    }

    /// Leaves the units that were at places where more was counted since than an act may read.
    pub(super) async fn leave_much_counted(
        &self,
        conn: &impl ConnectionTrait,
        gathered: &mut Gathered,
    ) -> Result<(), WorldError> {
        let much = store::more_sweeps(conn, &self.counted_places(gathered), COUNTS_MAX).await?;
        if much.is_empty() {
            return Ok(());
        }
        let there = |key: &&UnitKey| !gathered.places_of(key).is_disjoint(&much);
        let there = gathered.units.keys().filter(there).cloned().collect();
        gathered.leave_these(there);
        gathered.leave_with_parents();
        Ok(())
    }

    /// Where units at hand were and something was counted, and since when.
    fn counted_places(&self, gathered: &Gathered) -> BTreeMap<Uuid, Micros> {
        let mut places: BTreeMap<Uuid, Micros> = BTreeMap::new();
        for fact in gathered.facts() {
            let place = fact.event.location.0;
            if self.source.is_counted(place) {
                // As of a position before, an order is another than that of the rows.
                let now = self.upto == store::NOW;
                let from = if now { fact.order.eff } else { Micros::MIN };
                let first = places.entry(place).or_insert(from);
                *first = (*first).min(from);
            }
        }
        places
    }

    /// Reads the complete counts at the places of the units at hand. Nothing is in stock at a place
    /// before something happened there, so earlier ones missed none of these units.
    pub(super) async fn read_counts(
        &mut self,
        conn: &impl ConnectionTrait,
        related: &Related,
        gathered: &Gathered,
    ) -> Result<Counts, WorldError> {
        let places = self.counted_places(gathered);
        let all = self.sweeps_at(conn, &places, related).await?;
        let about = self.what_decides(conn, related, &all).await?;
        Ok(Counts { all, about })
    }

    /// The retracts that mean these facts, and what a correction among them turns on, by the fact.
    pub(super) async fn what_decides(
        &mut self,
        conn: &impl ConnectionTrait,
        related: &Related,
        facts: &[Arc<Fact>],
    ) -> Result<BTreeMap<Position, Vec<Arc<Fact>>>, WorldError> {
        let mut out: BTreeMap<Position, Vec<Arc<Fact>>> = BTreeMap::new();
        if facts.is_empty() {
            return Ok(out);
        }
        let ids: BTreeSet<EventId> = facts.iter().map(|fact| fact.event.id).collect();
        let retracts = store::retracts_of(conn, &ids).await?;
        let positions = retracts.iter().map(|(.., gseq)| *gseq).collect();
        let retracts = store::by_position_then(conn, self.reader, &positions, self.upto).await?;
        let new = related.strikes.iter().map(|(retract, _)| retract.clone());
        let retracts: BTreeMap<Position, (Arc<Fact>, EventId)> = retracts
            .into_iter()
            .chain(new)
            .filter_map(|fact| Some((fact.gseq, (fact.clone(), fact.event.target?))))
            .filter(|(_, (_, target))| ids.contains(target))
            .collect();
        // Whoever means nothing of its own enterprise here may mean something that is not here.
        let elsewhere = retracts.values().filter(|(retract, target)| {
            let own = |fact: &Arc<Fact>| fact.enterprise == retract.enterprise;
            !facts
                .iter()
                .any(|fact| fact.event.id == *target && own(fact))
        });
        let elsewhere = elsewhere.map(|(_, target)| *target).collect();
        let mut named = store::by_event_id(conn, self.reader, &elsewhere).await?;
        named.extend(related.arrived.iter().cloned());
        for (retract, target) in retracts.values() {
            let meant = meant(retract, *target, facts.iter().chain(&named));
            if let Some(meant) = meant.filter(|meant| is_among(facts, meant)) {
                out.entry(meant.gseq).or_default().push(retract.clone());
            }
        }
        let groups = facts.iter().filter_map(|fact| correction(fact));
        let groups = groups.map(|(_, group)| group).collect();
        let turns = self.turns(conn, &related.arrived, &groups).await?;
        for fact in facts {
            let on = correction(fact).and_then(|of| turns.on.get(&of));
            if let Some(on) = on {
                out.entry(fact.gseq).or_default().extend(on.iter().cloned());
            }
        }
        Ok(out)
    }
}
