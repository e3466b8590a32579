//! Units read before the fold that needs them, on a snapshot of the database: as they are kept, what is
//! about them, and the containers above them. Whoever folds holds the head of the log, knows what
//! happened since the snapshot, and takes what that changed out again ([`Ahead::forget`]); it is read anew.

use super::{
    facts::Reader,
    folding::{FACTS_MAX, packed_into},
    store::{self, UnitId, UnitRow},
};
use crate::log::Position;
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{facts::Fact, limits::NESTING_DEPTH_MAX, unit::UnitKey};

/// A unit as it is kept, and what is about it.
pub struct AsKept {
    /// Its row.
    pub row: UnitRow,
    /// How many facts there are about it by that.
    pub counted: usize,
    /// What counts of what is about it.
    pub facts: Vec<Arc<Fact>>,
}

impl AsKept {
    /// How much there is to fold.
    pub fn size(&self) -> usize {
        self.counted.max(self.facts.len())
    }
}

/// Reads what counts of these units as of a position.
pub async fn with_facts(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    rows: Vec<(UnitRow, usize)>,
    upto: Position,
) -> Result<BTreeMap<UnitKey, AsKept>, DbErr> {
    let ids: Vec<UnitId> = rows.iter().map(|(row, _)| row.id).collect();
    let mut facts = store::facts(conn, reader, &ids, upto).await?;
    let elsewhere = rows.iter().filter(|(row, _)| row.kept.elsewhere);
    let elsewhere: Vec<UnitId> = elsewhere.map(|(row, _)| row.id).collect();
    let mut found = store::open_of_units(conn, &elsewhere).await?;
    let kept = rows.into_iter().map(|(mut row, counted)| {
        if row.kept.elsewhere {
            row.kept
                .found_elsewhere(found.remove(&row.id).unwrap_or_default());
        }
        let facts = facts.remove(&row.id).unwrap_or_default();
        let key = row.key.clone();
        (
            key,
            AsKept {
                row,
                counted,
                facts,
            },
        )
    });
    Ok(kept.collect())
}

/// Units that were looked for, and what was found of each.
#[derive(Default)]
pub struct Ahead(BTreeMap<UnitKey, Option<AsKept>>);

impl Ahead {
    /// Looks for these units and for what they were ever packed into, as far up as there can be levels.
    pub async fn read(
        conn: &impl ConnectionTrait,
        reader: &mut Reader,
        units: BTreeSet<UnitKey>,
    ) -> Result<Ahead, DbErr> {
        let mut ahead = Ahead::default();
        let mut level: Vec<UnitKey> = units.into_iter().collect();
        let mut room = FACTS_MAX;
        for _ in 0..=NESTING_DEPTH_MAX {
            // What goes beyond what an act may read is not read: the fold leaves it.
            let (mut rows, mut long) = (Vec::new(), BTreeSet::new());
            for unit in store::units_within(conn, &level, room).await? {
                match (room.checked_sub(unit.facts), unit.row) {
                    (Some(left), Some(row)) => {
                        room = left;
                        rows.push((row, unit.facts));
                    }
                    _ => {
                        long.insert(unit.key);
                    }
                }
            }
            let mut kept = with_facts(conn, reader, rows, store::NOW).await?;
            let mut above = BTreeSet::new();
            for key in level.into_iter().filter(|key| !long.contains(key)) {
                let found = kept.remove(&key);
                let facts = found.iter().flat_map(|kept| &kept.facts);
                above.extend(facts.filter_map(|fact| packed_into(fact, &key).cloned()));
                ahead.0.insert(key, found);
            }
            above.retain(|key| !ahead.0.contains_key(key));
            level = above.into_iter().collect();
            if level.is_empty() {
                break;
            }
        }
        Ok(ahead)
    }

    /// Of these something changed.
    pub fn forget<'k>(&mut self, units: impl IntoIterator<Item = &'k UnitKey>) {
        for unit in units {
            self.0.remove(unit);
        }
    }

    /// These events stand elsewhere now, or something else is remarked on them: whatever they are about is
    /// not as it was read.
    pub fn forget_about(&mut self, events: &BTreeSet<Position>) {
        let is_about = |kept: &AsKept| kept.facts.iter().any(|fact| events.contains(&fact.gseq));
        self.0
            .retain(|_, found| !found.as_ref().is_some_and(is_about));
    }

    /// What was found of a unit, if it was looked for.
    pub fn take(&mut self, unit: &UnitKey) -> Option<Option<AsKept>> {
        self.0.remove(unit)
    }
}
