//! What facts and containers say of lines, now and before. In one act these are the lines that are at
//! hand, however many a complete count is about.

use super::{Asked, Said, count_of};
use crate::{
    clock::Micros,
    handheld::{
        lots::{
            CARRIED, LineRow, Moved,
            store::{self as lines, Of},
        },
        units::{
            folding::{Change, Folding, gather::Gathered},
            store::is_sweep,
        },
        world::WorldError,
    },
};
use sea_orm::ConnectionTrait;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    facts::Fact, finding::LotKey, fold::Folded, ids::Gseq, lots as rules, order::Order,
    unit::UnitKey,
};
use uuid::Uuid;

/// Lines that an act looks at: those with rows, and keys of others that it names.
pub(super) struct AtHand {
    /// Rows.
    pub(super) rows: BTreeMap<LotKey, LineRow>,
    /// All.
    pub(super) keys: BTreeSet<LotKey>,
    /// Those to which more than counts and packs happens.
    moving: BTreeSet<LotKey>,
}

/// What was said of lines before, by their rows.
pub(super) type Before = BTreeMap<i64, Vec<Moved>>;

impl Folding<'_> {
    /// What the containers among these carried, and by which container.
    pub(super) fn carried(
        &self,
        gathered: &Gathered,
        carriers: &BTreeSet<UnitKey>,
        folded: &BTreeMap<UnitKey, Folded>,
    ) -> Vec<(LotKey, Moved)> {
        let mut out = Vec::new();
        for key in carriers {
            let (Some(unit), Some(folded)) = (gathered.units.get(key), folded.get(key)) else {
                continue;
            };
            let positions: BTreeMap<Order, Gseq> = folded
                .steps
                .iter()
                .map(|step| (step.order, step.fact.gseq))
                .collect();
            for (line, movement) in rules::carried(key, &folded.steps, self.source.world()) {
                if let Some(gseq) = positions.get(&movement.order) {
                    let moved = Moved {
                        gseq: *gseq,
                        n: unit.id,
                        movement,
                    };
                    debug_assert!(unit.id >= CARRIED);
                    out.push((line, moved));
                }
            }
        }
        out
    }

    /// What the same facts and containers said before, without what complete counts did, and counts of several
    /// documents.
    pub(super) async fn before(
        &self,
        conn: &impl ConnectionTrait,
        asked: &Asked,
        (gathered, carriers): (&Gathered, &BTreeSet<UnitKey>),
    ) -> Result<Before, WorldError> {
        let cut: BTreeSet<Gseq> = asked.cut.iter().map(|(_, gseq)| *gseq).collect();
        let old = asked.facts.values().filter(|fact| {
            let apart = is_sweep(fact) || count_of(fact).is_some();
            fact.gseq < self.moment.first && !apart && !cut.contains(&fact.gseq)
        });
        let old = old.map(|fact| fact.gseq.into()).collect();
        let mut rows = lines::moves(conn, Of::Events, old).await?;
        rows.extend(lines::moves_at(conn, &asked.cut).await?);
        let units = carriers.iter().filter_map(|key| gathered.units.get(key));
        let units = units.filter(|unit| unit.known).map(|unit| unit.id.into());
        rows.extend(lines::moves(conn, Of::Containers, units.collect()).await?);
        let mut before = Before::new();
        for (line, moved) in rows {
            before.entry(line).or_default().push(moved);
        }
        Ok(before)
    }

    /// The lines this is about: what events name, what containers carry and carried, and those of a
    /// slice.
    pub(super) async fn at_hand(
        &self,
        conn: &impl ConnectionTrait,
        change: &Change,
        (asked, carried): (&Asked, &[(LotKey, Moved)]),
        before: &Before,
    ) -> Result<AtHand, WorldError> {
        let said = self.stated(asked, &BTreeSet::new());
        let mut moving: BTreeSet<LotKey> = said
            .iter()
            .filter(|(_, moved)| moved.iter().any(|row| row.movement.change.makes_known()))
            .map(|(key, _)| key.clone())
            .collect();
        moving.extend(made_known(carried));
        let mut keys: BTreeSet<LotKey> = said.into_keys().collect();
        keys.extend(carried.iter().map(|(key, _)| key.clone()));
        // What is struck says nothing, but did.
        for fact in asked.facts.values() {
            keys.extend(rules::named(&fact.event).into_keys());
        }
        let mut ids: BTreeSet<i64> = before.keys().copied().collect();
        ids.extend(change.swept.iter().flat_map(|swept| &swept.lines));
        ids.extend(change.went.keys());
        let mut rows = lines::lines(conn, &keys).await?;
        for line in rows.values() {
            ids.remove(&line.id);
        }
        rows.extend(lines::lines_by_id(conn, &ids).await?);
        keys.extend(rows.keys().cloned());
        Ok(AtHand { rows, keys, moving })
    }

    /// From when on something of these lines may be another than it was, by place, where there are
    /// complete counts.
    pub(super) fn changed_from(
        &self,
        (change, gathered): (&Change, &Gathered),
        (asked, carried): (&Asked, &[(LotKey, Moved)]),
        known: &AtHand,
        before: &Before,
    ) -> BTreeMap<Uuid, Micros> {
        let mut from: BTreeMap<Uuid, Micros> = BTreeMap::new();
        let mut note = |place: Uuid, eff: Micros| {
            if self.source.is_counted(place) {
                let first = from.entry(place).or_insert(eff);
                *first = (*first).min(eff);
            }
        };
        for fact in asked.facts.values() {
            note(fact.event.location.0, fact.order.eff);
        }
        let swept = change.swept.iter().filter(|swept| swept.moved);
        let swept = swept.flat_map(|swept| asked.documents_of(&swept.count));
        for fact in gathered.moved(change).chain(swept) {
            // Where it was before it moved is not known; it was never before this.
            note(fact.event.location.0, fact.order.eff.min(fact.interval.lo));
        }
        // What only counts knew, no complete count missed.
        let known_by_counts = known.moving.iter().filter(|key| {
            let line = known.rows.get(*key);
            line.is_some_and(|line| !line.kept.moved)
        });
        for key in known_by_counts {
            note(key.location.0, Micros::MIN);
        }
        let keys: BTreeMap<i64, &LotKey> = known
            .rows
            .iter()
            .map(|(key, line)| (line.id, key))
            .collect();
        let was: BTreeSet<(&LotKey, (Gseq, i64))> = before
            .iter()
            .filter_map(|(line, moved)| Some((*keys.get(line)?, moved)))
            .flat_map(|(key, moved)| moved.iter().map(move |moved| (key, moved)))
            .map(|(key, moved)| (key, moved.key()))
            .collect();
        let same = |key: &LotKey, moved: &Moved| {
            let line = known.rows.get(key).and_then(|line| before.get(&line.id));
            line.is_some_and(|before| before.contains(moved))
        };
        let mut still: BTreeSet<(&LotKey, (Gseq, i64))> = BTreeSet::new();
        for (key, moved) in carried {
            still.insert((key, moved.key()));
            if !same(key, moved) {
                note(key.location.0, moved.movement.order.eff);
            }
        }
        let gone = was.difference(&still);
        for (key, gone) in gone.filter(|(_, (_, n))| *n >= CARRIED) {
            let line = known.rows.get(*key).and_then(|line| before.get(&line.id));
            for moved in line.into_iter().flatten().filter(|m| m.key() == *gone) {
                note(key.location.0, moved.movement.order.eff);
            }
        }
        from
    }

    /// What is said now of the lines at hand.
    pub(super) fn said(&self, asked: &Asked, carried: &[(LotKey, Moved)], known: &AtHand) -> Said {
        let rows = known.rows.iter();
        let mut moved: BTreeSet<LotKey> = rows
            .filter(|(_, line)| line.kept.moved)
            .map(|(key, _)| key.clone())
            .collect();
        moved.extend(made_known(carried));
        let mut said = self.stated(asked, &moved);
        for (key, moved) in carried {
            said.entry(key.clone()).or_default().push(*moved);
        }
        said.retain(|key, _| known.keys.contains(key));
        said
    }

    fn stated(&self, asked: &Asked, known: &BTreeSet<LotKey>) -> Said {
        let facts: BTreeMap<Gseq, &Fact> = asked
            .with
            .iter()
            .chain(&asked.facts)
            .map(|(gseq, fact)| (*gseq, fact.as_ref()))
            .collect();
        let positions: BTreeMap<Order, Gseq> = facts
            .iter()
            .map(|(gseq, fact)| (fact.order, *gseq))
            .collect();
        let facts: Vec<&Fact> = facts.into_values().collect();
        let mut said = Said::new();
        for (key, movements) in rules::stated(&facts, known, self.source.world()) {
            let mut n: BTreeMap<Gseq, i64> = BTreeMap::new();
            for movement in movements {
                let gseq = positions.get(&movement.order);
                let Some(gseq) = gseq.filter(|gseq| asked.facts.contains_key(gseq)) else {
                    continue;
                };
                let n = n.entry(*gseq).or_default();
                let moved = Moved {
                    gseq: *gseq,
                    n: *n,
                    movement,
                };
                *n += 1;
                said.entry(key.clone()).or_default().push(moved);
            }
        }
        said
    }
}

/// The lines that containers moved, not only lie in.
fn made_known(carried: &[(LotKey, Moved)]) -> impl Iterator<Item = LotKey> {
    let moved = carried.iter();
    let moved = moved.filter(|(_, moved)| moved.movement.change.makes_known());
    moved.map(|(key, _)| key.clone())
}
