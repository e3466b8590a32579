//! Folding a unit for whoever reads it: with its timeline, as it stands or as it was known at a
//! position of the log. Nothing is written, and what is inside the unit is not looked at.

use super::{
    FACTS_MAX, Folding, Moment,
    counts::Counts,
    gather::{Gathered, Unit},
    left::Room,
    relate::Related,
    shared::{name, status_of},
};
use crate::{
    handheld::{
        units::{
            Kept,
            facts::Reader,
            store::{self, UnitId},
        },
        world::{CodeOf, Source, WorldError},
    },
    log::Position,
    projection::units::{PublicUnit, UnitStatus},
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    facts::Fact,
    fold::{self, Folded, UnitState},
    ids::BatchId,
    unit::UnitKey,
};

/// A unit that was looked at.
#[derive(Debug)]
pub struct Looked {
    /// Its number; none while nothing had happened to it.
    pub id: Option<UnitId>,
    /// What its code is to us.
    pub code: Option<CodeOf>,
    /// What became of it, with its timeline.
    pub folded: Folded,
}

/// A unit as it is kept, and as it should be.
pub struct Held {
    /// Which.
    pub key: UnitKey,
    /// What is kept.
    pub kept: Kept,
    /// What it is in, by its row; `Some(None)` if it was never put there.
    pub inside: Option<Option<UnitKey>>,
    /// It is judged by itself there, by its row.
    pub exceptional: bool,
    /// What it holds, as it should be.
    pub holds: BTreeSet<BatchId>,
    /// How the public side names it, and what that should be told.
    pub public: (PublicUnit, UnitStatus),
}

/// What was read, and what became of it; nothing did if there is more than was to be read.
type LookedAt = (Gathered, BTreeMap<UnitKey, Folded>);

impl<'a> Folding<'a> {
    /// Of these units, those that have rows, and what folding them and all they were ever in gives, as they
    /// stand.
    pub async fn held_against(
        source: &'a mut Source,
        reader: &'a mut Reader,
        conn: &impl ConnectionTrait,
        keys: &[UnitKey],
    ) -> Result<(Vec<Held>, BTreeMap<UnitKey, Folded>), WorldError> {
        let mut folding = Folding::looking(source, reader, store::NOW);
        let related = Related::default();
        let gathered = folding.gather_these(conn, &related, keys).await?;
        let mut record = folding.look_up(conn, &related, &gathered).await?;
        let folded = folding.folded(conn, &gathered, &mut record).await?;
        let rows: BTreeMap<UnitId, &UnitKey> = gathered
            .units
            .iter()
            .map(|(key, unit)| (unit.id, key))
            .collect();
        let held = keys.iter().filter_map(|key| {
            let unit = gathered.units.get(key).filter(|unit| unit.known)?;
            let state = &folded.get(key)?.state;
            let container = unit.inside.map(|id| rows.get(&id).copied().cloned());
            let holds = folding.holds(key, state.batch);
            let public = (name(key, unit), status_of(unit, state, &holds));
            Some(Held {
                key: key.clone(),
                kept: unit.kept.clone(),
                inside: container,
                exceptional: unit.exceptional,
                holds,
                public,
            })
        });
        Ok((held.collect(), folded))
    }

    /// Looks at a unit as it was known at `upto`, which `source` is as known of, too; as it stands with
    /// [`store::NOW`].
    pub async fn look(
        source: &'a mut Source,
        reader: &'a mut Reader,
        conn: &impl ConnectionTrait,
        key: &UnitKey,
        upto: Position,
    ) -> Result<Looked, WorldError> {
        let mut folding = Folding::looking(source, reader, upto);
        let looked_at = folding.look_at(conn, std::slice::from_ref(key)).await?;
        Ok(folding.looked(key, looked_at))
    }

    /// The same, if there is no more to read about the unit, and about all it was ever packed into, than an
    /// act may.
    pub async fn look_if_short(
        source: &'a mut Source,
        reader: &'a mut Reader,
        conn: &impl ConnectionTrait,
        key: &UnitKey,
        upto: Position,
    ) -> Result<Option<Looked>, WorldError> {
        let mut folding = Folding::looking(source, reader, upto);
        folding.room.facts = FACTS_MAX;
        let looked_at = folding.look_at(conn, std::slice::from_ref(key)).await?;
        let is_short = looked_at.0.left.is_empty();
        Ok(is_short.then(|| folding.looked(key, looked_at)))
    }

    fn looked(&self, key: &UnitKey, (mut gathered, mut folded): LookedAt) -> Looked {
        let unit = gathered.units.remove(key);
        // Known now, and perhaps not then.
        let now = self.upto == store::NOW;
        let is_known = |unit: &Unit| unit.known && (now || !unit.facts.is_empty());
        Looked {
            id: unit
                .as_ref()
                .filter(|unit| is_known(unit))
                .map(|unit| unit.id),
            code: unit.and_then(|unit| unit.code),
            folded: folded.remove(key).unwrap_or_default(),
        }
    }

    /// What became of units, as they stand; of their containers, too.
    pub async fn states(
        source: &'a mut Source,
        reader: &'a mut Reader,
        conn: &impl ConnectionTrait,
        keys: &[UnitKey],
    ) -> Result<BTreeMap<UnitKey, UnitState>, WorldError> {
        let mut folding = Folding::looking(source, reader, store::NOW);
        let (_, folded) = folding.look_at(conn, keys).await?;
        let state = |(key, folded): (UnitKey, Folded)| (key, folded.state);
        Ok(folded.into_iter().map(state).collect())
    }

    fn looking(source: &'a mut Source, reader: &'a mut Reader, upto: Position) -> Folding<'a> {
        // It numbers nothing that is kept.
        let nowhere = Moment {
            first: 0,
            last: 0,
            stamp: 0,
        };
        let mut folding = Folding::new(source, reader, nowhere);
        folding.upto = upto;
        folding.room = Room::ALL;
        folding
    }

    /// Reads units and the containers above them.
    async fn gather_these(
        &mut self,
        conn: &impl ConnectionTrait,
        related: &Related,
        keys: &[UnitKey],
    ) -> Result<Gathered, WorldError> {
        let mut gathered = Gathered::within(self.room);
        self.climb(conn, &related.about, &mut gathered, keys.iter().cloned())
            .await?;
        Ok(gathered)
    }

    async fn look_at(
        &mut self,
        conn: &impl ConnectionTrait,
        keys: &[UnitKey],
    ) -> Result<LookedAt, WorldError> {
        let related = Related::default();
        let mut gathered = self.gather_these(conn, &related, keys).await?;
        if !gathered.left.is_empty() {
            return Ok((gathered, BTreeMap::new()));
        }
        let mut record = self.look_up(conn, &related, &gathered).await?;
        if self.upto == store::NOW {
            let folded = gathered.fold(&record.counts, self.source.world(), true);
            return Ok((gathered, folded));
        }
        self.as_ordered_then(conn, &mut gathered, &mut record.counts)
            .await?;
        // What containers held, and in which batch each is, is kept as it stands now; what these units
        // did in them then is told by their own stays.
        self.source.world_mut().contents.clear();
        let folded = self.folded(conn, &gathered, &mut record).await?;
        self.source.world_mut().contents = fold::contents(&folded);
        let folded = gathered.fold(&record.counts, self.source.world(), true);
        Ok((gathered, folded))
    }

    /// Puts facts where they stood in the order: what their devices sent since may have moved them.
    async fn as_ordered_then(
        &self,
        conn: &impl ConnectionTrait,
        gathered: &mut Gathered,
        counts: &mut Counts,
    ) -> Result<(), WorldError> {
        let units = gathered.units.values_mut();
        let facts = units.flat_map(|unit| unit.facts.values_mut());
        let facts = facts.chain(counts.facts_mut());
        // What stands for something else never moves.
        let facts = facts.filter(|fact| fact.corrects.is_none());
        let facts: Vec<&mut Arc<Fact>> = facts.collect();
        let events = facts.iter().map(|fact| fact.gseq).collect();
        let then = store::eff_then(conn, &events, self.upto).await?;
        for fact in facts {
            if let Some(eff) = then.get(&fact.gseq) {
                Arc::make_mut(fact).order.eff = *eff;
            }
        }
        Ok(())
    }
}
