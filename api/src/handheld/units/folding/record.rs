//! Looks up what is on record of the units that were gathered: recalls of their batches, counts at their places, what
//! containers hold, instants. Most of it is put into the world that folds go by.

use super::{
    Folding, Moment, contents::Held, counts::Counts, gather::Gathered, is_container,
    relate::Related,
};
use crate::{
    handheld::world::{CodeOf, WorldError},
    log::Position,
};
use sea_orm::ConnectionTrait;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{event::Kind, ids::BatchId, unit::UnitKey};

/// What is on record of what was gathered, besides what the world of the fold tells.
pub(super) struct Record {
    /// What containers hold.
    pub(super) held: Held,
    /// The batches whose recalls are put in.
    pub(super) asked: BTreeSet<BatchId>,
    /// Complete counts at the places of units.
    pub(super) counts: Counts,
}

impl Folding<'_> {
    /// What is on record: recalls, counts at places, what containers hold, instants.
    pub(super) async fn look_up(
        &mut self,
        conn: &impl ConnectionTrait,
        related: &Related,
        gathered: &Gathered,
    ) -> Result<Record, WorldError> {
        let mut held = Held::read(conn, gathered).await?;
        // Of what lies in containers within as well: it may be under a recall that nothing else here is.
        self.put_contents(conn, gathered, &mut held, &BTreeMap::new())
            .await?;
        let asked = batches(gathered, &held);
        self.about_batches(conn, gathered, &asked).await?;
        let counts = self.read_counts(conn, related, gathered).await?;
        self.put_instants_of_units(conn, gathered).await?;
        Ok(Record {
            held,
            asked,
            counts,
        })
    }

    /// Puts in until when what devices had was the newest, if anything here was ever recalled.
    pub(super) async fn put_instants_of_units(
        &mut self,
        conn: &impl ConnectionTrait,
        gathered: &Gathered,
    ) -> Result<(), WorldError> {
        let mut positions = BTreeSet::new();
        if !self.source.world().recalls.is_empty() {
            for fact in gathered.facts() {
                for then in fact.thens() {
                    positions.extend(then.list_version);
                    positions.insert(then.delivered);
                }
            }
        }
        self.put_instants(conn, positions).await
    }

    /// Puts in until when these positions were the newest.
    pub(super) async fn put_instants(
        &mut self,
        conn: &impl ConnectionTrait,
        positions: BTreeSet<Position>,
    ) -> Result<(), WorldError> {
        // What this act writes has no rows yet, and follows what was the newest before it.
        let Moment { first, last, stamp } = self.moment;
        let followed = positions.range(first - 1..last).copied();
        let followed: Vec<_> = followed.map(|at| (at, stamp + at + 1 - first)).collect();
        self.source.instants(conn, positions).await?;
        self.source.world_mut().instants.extend(followed);
        Ok(())
    }

    /// Puts in what is on record of the codes at hand, and the recalls that cover them or these batches.
    pub(super) async fn about_batches(
        &mut self,
        conn: &impl ConnectionTrait,
        gathered: &Gathered,
        batches: &BTreeSet<BatchId>,
    ) -> Result<(), WorldError> {
        let units = gathered.units.iter().map(|(key, unit)| (key, &unit.code));
        let left = gathered.left.iter().map(|(key, left)| (key, &left.code));
        let codes = units.chain(left);
        let codes = codes.map(|(key, code)| (key.clone(), code.clone()));
        let mut codes: BTreeMap<UnitKey, Option<CodeOf>> = codes.collect();
        for child in gathered.packed_into_foreign() {
            let code = self.source.code(conn, &child).await?;
            codes.insert(child, code);
        }
        // Of what containers hold it knows nothing, and would forget it.
        let contents = std::mem::take(&mut self.source.world_mut().contents);
        self.source.about(conn, &codes, batches).await?;
        self.source.world_mut().contents = contents;
        Ok(())
    }
}

impl Gathered {
    /// What was packed into codes nobody here issued, as far as it was not read: their levels follow from
    /// its levels (C12).
    fn packed_into_foreign(&self) -> BTreeSet<UnitKey> {
        let foreign = self.units.iter().filter(|(_, unit)| unit.code.is_none());
        let packs = foreign.flat_map(|(key, unit)| {
            let facts = unit.facts.values();
            facts.filter(|fact| fact.event.kind == Kind::Pack && is_container(fact, key))
        });
        let children = packs.flat_map(|fact| &fact.event.units);
        let children = children.filter_map(|read| read.unit.as_ref());
        let unread = children.filter(|child| !self.units.contains_key(*child));
        unread.cloned().collect()
    }
}

/// The batches of all that was read and of what is in it, as is kept and on record.
fn batches(gathered: &Gathered, held: &Held) -> BTreeSet<BatchId> {
    let mut batches: BTreeSet<BatchId> = BTreeSet::new();
    for unit in gathered.units.values() {
        batches.extend(unit.kept.state.batch);
        let commissioned = unit.code.as_ref().and_then(|code| code.commissioned);
        batches.extend(commissioned.map(|(batch, _)| BatchId(batch)));
    }
    batches.extend(held.batches());
    batches
}
