//! Folds what was gathered, from the top down, as of what is on record, and tells what of that is to be written.
//! Nothing is written here. What many findings are about is left: an act writes no more than so many.

use super::{
    Change, Folding,
    counts::Counts,
    gather::{Gathered, Unit},
    holds_lots,
    record::Record,
    write::Writes,
};
use crate::{
    handheld::{units::store::UnitId, world::WorldError},
    log::Position,
};
use sea_orm::ConnectionTrait;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use suyuan_sync::{
    event::Kind,
    facts::{Content, Fact, World},
    fold::{self, Folded, Levels},
    ids::BatchId,
    unit::UnitKey,
};

/// What became of units.
pub(super) struct Folds {
    /// Of each.
    pub(super) folded: BTreeMap<UnitKey, Folded>,
    /// Of containers, the batches whose goods are judged by themselves.
    pub(super) apart: BTreeMap<UnitKey, BTreeSet<BatchId>>,
    /// Which things in containers are.
    pub(super) exceptional: BTreeMap<UnitKey, bool>,
    /// What containers hold more or less of.
    pub(super) shifted: BTreeMap<(UnitId, Content), i64>,
}

impl Folding<'_> {
    /// Folds what was read, as much as an act may write of it, and tells what is to be written.
    pub(super) async fn folds(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        gathered: &mut Gathered,
        record: &mut Record,
    ) -> Result<(Folds, Writes), WorldError> {
        let (folds, writes) = self.fold_all(conn, change, gathered, record).await?;
        // What many things have is written beside acts; who comes for what was left has nobody to leave it to.
        let heavy = if change.left.is_empty() {
            writes.too_much()
        } else {
            Vec::new()
        };
        if heavy.is_empty() {
            return Ok((folds, writes));
        }
        record.held.unshift(&folds.shifted);
        gathered.leave_these(heavy);
        gathered.leave_with_parents();
        self.put_contents(conn, gathered, &mut record.held, &BTreeMap::new())
            .await?;
        self.fold_all(conn, change, gathered, record).await
    }

    async fn fold_all(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        gathered: &Gathered,
        record: &mut Record,
    ) -> Result<(Folds, Writes), WorldError> {
        let mut folded = self.folded(conn, gathered, record).await?;
        let shifted = record.held.shift(gathered, &folded);
        if !shifted.is_empty() || gathered.moved_with_contents(&folded) {
            self.put_contents(conn, gathered, &mut record.held, &folded)
                .await?;
            folded = gathered.fold(&record.counts, self.source.world(), false);
        }
        let world = self.source.world();
        let apart = gathered.apart(&folded, world);
        let exceptional = gathered.exceptional(change, (&folded, &apart), world);
        let folds = Folds {
            folded,
            apart,
            exceptional,
            shifted,
        };
        let writes = self.writes_of(change, gathered, &record.counts, &folds);
        Ok((folds, writes))
    }

    /// Folds all as of what is on record. Which batch a unit is of comes of the fold: whatever makes it another
    /// than is kept (a commission that arrives, is struck, moves or is accepted; a batch that was filed late),
    /// the recalls of that one are asked for as well.
    pub(super) async fn folded(
        &mut self,
        conn: &impl ConnectionTrait,
        gathered: &Gathered,
        record: &mut Record,
    ) -> Result<BTreeMap<UnitKey, Folded>, WorldError> {
        let folded = gathered.fold(&record.counts, self.source.world(), false);
        let of = folded.values().filter_map(|folded| folded.state.batch);
        let new: BTreeSet<BatchId> = of
            .filter(|batch| !record.asked.contains(batch) && self.source.was_recalled(*batch))
            .collect();
        if new.is_empty() {
            return Ok(folded);
        }
        // Whoever is asked about these alone forgets the others.
        record.asked.extend(new);
        self.about_batches(conn, gathered, &record.asked).await?;
        self.put_instants_of_units(conn, gathered).await?;
        Ok(gathered.fold(&record.counts, self.source.world(), false))
    }
}

impl Gathered {
    /// Folds all, as of what is on record, from the highest level down: what may hold something
    /// before what may be in it. Of what holds nothing, the timeline only if it is wanted.
    pub(super) fn fold(
        &self,
        counts: &Counts,
        world: &World,
        timelines: bool,
    ) -> BTreeMap<UnitKey, Folded> {
        let facts = self.facts().map(|fact| (fact.gseq, fact.as_ref()));
        let facts: BTreeMap<Position, &Fact> = facts.collect();
        let packs = facts.values().any(|fact| fact.event.kind == Kind::Pack);
        let facts: Vec<&Fact> = facts.into_values().filter(|_| packs).collect();
        let levels = Levels::of(&facts, world);
        let mut order: Vec<(&UnitKey, &Unit)> = self.units.iter().collect();
        order.sort_by_key(|(key, _)| Reverse(levels.get(key)));

        let containers: BTreeSet<UnitKey> = self
            .units
            .keys()
            .flat_map(|key| self.parents_of(key))
            .collect();
        let mut folded = BTreeMap::new();
        for (key, unit) in order {
            let facts = self.facts_of(counts, (key, unit));
            let timeline = timelines || containers.contains(key) || holds_lots(key, unit);
            let out = fold::fold_among(key, &facts, &folded, (&levels, world), timeline);
            folded.insert(key.clone(), out);
        }
        folded
    }

    /// What a unit is folded from, in order.
    fn facts_of<'u>(
        &'u self,
        counts: &'u Counts,
        (key, unit): (&UnitKey, &'u Unit),
    ) -> Vec<&'u Fact> {
        let mut facts: Vec<&Fact> = unit.facts.values().map(AsRef::as_ref).collect();
        facts.extend(counts.about(self, (key, unit)).into_values());
        facts.sort_by_key(|fact| fact.order);
        facts
    }
}
