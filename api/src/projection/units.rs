//! What the public side knows of single units: which recalls cover them, and what became of them.
//! Units we minted are bits in chunks of 65 536 indices, so that a scan finds them in memory and a
//! million of them are a few rows; any other code is a row by its key.

use super::{Place, json, put_chunks, read_bits, run};
use crate::{
    db::{execute, query_all, rows::KEYS_AT_ONCE},
    entities::{public_chunk, public_unit},
    log::Act,
};
use roaring::RoaringBitmap;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    fold::{Ended, UnitState, public_status},
    ids::BatchId,
    unit::UnitKey,
};
use uuid::Uuid;

/// Kinds of `public_chunk`: indices that the recall named in `batch_id` covers.
pub const CHUNK_RECALLED: &str = "recalled";
/// Indices of units collected in a recall.
pub const CHUNK_COLLECTED: &str = "collected";
/// Indices of units destroyed after use of their code.
pub const CHUNK_DESTROYED: &str = "destroyed";
/// Indices of units whose events betray a copy. Queries that do are another kind, since the issuer
/// clears those.
pub const CHUNK_COPY_EVENTS: &str = "copy_by_events";

/// Indices of units that events of their issuer put in the batch named in `batch_id`, where the record of
/// codes names another or none.
pub const CHUNK_STATED: &str = "stated";

/// Indices of containers that hold goods of the batch named in `batch_id`, which is not their own.
pub const CHUNK_HOLDS: &str = "holds";

/// A unit as the public side names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublicUnit {
    /// One whose code we minted: code space and index.
    Minted(String, u64),
    /// Any other.
    Other(UnitKey),
}

/// What became of a unit, as far as consumers are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitStatus {
    /// Fetched back under a recall (收回).
    pub collected: bool,
    /// Destroyed (销毁).
    pub destroyed: bool,
    /// It seems to exist twice.
    pub suspected_copy: bool,
    /// The batch that events of its issuer put it in, where the record of codes names another or none. Of
    /// codes we minted only: what others mint is in no batch of ours.
    pub stated: Option<Uuid>,
    /// Of a container: the batches of what is in it, its own apart; what a stranger packed is not among them.
    /// Where it is shown anew also those that are not in it any more, `false`.
    pub holds: BTreeMap<Uuid, bool>,
}

impl UnitStatus {
    /// As it stands in a row, batches apart.
    pub const fn bits(&self) -> i64 {
        self.collected as i64 | (self.destroyed as i64) << 1 | (self.suspected_copy as i64) << 2
    }

    /// Read back; bits of newer releases mean nothing here.
    pub const fn of_bits(bits: i64) -> UnitStatus {
        UnitStatus {
            collected: bits & 1 != 0,
            destroyed: bits & 2 != 0,
            suspected_copy: bits & 4 != 0,
            stated: None,
            holds: BTreeMap::new(),
        }
    }

    /// Is something told against it?
    pub const fn is_against(&self) -> bool {
        self.bits() != 0
    }

    /// Is it this? `None` if nothing is said of it.
    fn is(&self, kind: &str, batch: Uuid) -> Option<bool> {
        Some(match kind {
            CHUNK_HOLDS => return self.holds.get(&batch).copied(),
            CHUNK_STATED => self.stated == Some(batch),
            CHUNK_COLLECTED => self.collected,
            CHUNK_DESTROYED => self.destroyed,
            CHUNK_COPY_EVENTS => self.suspected_copy,
            _ => false,
        })
    }

    /// The batches it holds.
    fn held(&self) -> impl Iterator<Item = Uuid> {
        let held = self.holds.iter().filter(|(_, is)| **is);
        held.map(|(batch, _)| *batch)
    }

    /// The same of a container that was shown to hold these batches.
    #[must_use]
    pub fn instead_of(mut self, before: impl IntoIterator<Item = Uuid>) -> UnitStatus {
        for batch in before {
            self.holds.entry(batch).or_insert(false);
        }
        self
    }
}

impl UnitStatus {
    /// What is told of a unit: `commissioned` is what the record of codes says, and there only if the code is
    /// ours; `holds` the batches in it. Of a unit whose maker is on no record nothing is.
    pub fn of(
        state: &UnitState,
        commissioned: Option<Option<BatchId>>,
        holds: &BTreeSet<BatchId>,
    ) -> UnitStatus {
        let status = public_status(state).unwrap_or_default();
        let apart = |batch: &BatchId| commissioned.is_some_and(|record| record != Some(*batch));
        UnitStatus {
            collected: status.ended == Some(Ended::Collected),
            destroyed: status.ended == Some(Ended::Destroyed),
            suspected_copy: status.suspected_copy,
            stated: state.batch.filter(apart).map(|batch| batch.0),
            holds: holds
                .iter()
                .filter(|_| state.issuer.is_some())
                .map(|batch| (batch.0, true))
                .collect(),
        }
    }
}

const STATUS_KINDS: [&str; 3] = [CHUNK_COLLECTED, CHUNK_DESTROYED, CHUNK_COPY_EVENTS];
/// Kinds with a batch.
const BATCH_KINDS: [&str; 2] = [CHUNK_STATED, CHUNK_HOLDS];

/// Shows what became of a unit.
pub async fn set_unit_status(
    act: &impl Place,
    unit: PublicUnit,
    status: UnitStatus,
) -> Result<bool, DbErr> {
    set_unit_statuses(act, &[(unit, status)]).await
}

/// Shows what became of units: all of it, so what is not said any more is taken back; but of batches in
/// containers, which are many, only what is said changes. The last word about a unit counts. Each
/// chunk they lie in is read, and written where it differs, so give only units whose status may
/// have changed. Did any?
pub async fn set_unit_statuses(
    act: &impl Place,
    units: &[(PublicUnit, UnitStatus)],
) -> Result<bool, DbErr> {
    let mut minted: BTreeMap<&str, Minted<'_>> = BTreeMap::new();
    let mut others: BTreeMap<&str, &UnitStatus> = BTreeMap::new();
    for (unit, status) in units {
        match unit {
            PublicUnit::Minted(space, index) => {
                let chunks = minted.entry(space).or_default();
                let offset = (index & 0xffff) as u32;
                let chunk = chunks.entry((index >> 16) as u32).or_default();
                chunk.push((offset, status));
            }
            PublicUnit::Other(key) => {
                others.insert(key.as_str(), status);
            }
        }
    }
    let mut any = false;
    for (space, chunks) in minted {
        any |= set_minted(act, space, &chunks).await?;
    }
    any |= set_others(act, &others).await?;
    Ok(any)
}

/// Units of one code space: by chunk, each with its offset.
type Minted<'s> = BTreeMap<u32, Vec<(u32, &'s UnitStatus)>>;

async fn set_minted(act: &impl Place, space: &str, chunks: &Minted<'_>) -> Result<bool, DbErr> {
    let kinds = STATUS_KINDS.iter().chain(&[CHUNK_STATED]);
    let held = chunks.values().flatten();
    let held: BTreeSet<Uuid> = held
        .flat_map(|(_, status)| status.holds.keys().copied())
        .collect();
    let holding = Condition::all()
        .add(public_chunk::Column::Kind.eq(CHUNK_HOLDS))
        .add(public_chunk::Column::BatchId.is_in(held));
    let rows = public_chunk::Entity::find()
        .filter(public_chunk::Column::Space.eq(space))
        .filter(public_chunk::Column::Chunk.is_in(chunks.keys().map(|chunk| i64::from(*chunk))))
        .filter(
            Condition::any()
                .add(public_chunk::Column::Kind.is_in(kinds.copied()))
                .add(holding),
        )
        .all(act.tx())
        .await?;
    let mut shown: BTreeMap<(String, Uuid, u32), RoaringBitmap> = BTreeMap::new();
    for row in rows {
        let of = (row.kind, row.batch_id, row.chunk as u32);
        shown.insert(of, read_bits(&row.bits)?);
    }
    let mut sets: BTreeSet<(&str, Uuid)> = STATUS_KINDS.map(|kind| (kind, Uuid::nil())).into();
    for (_, status) in chunks.values().flatten() {
        sets.extend(status.stated.map(|batch| (CHUNK_STATED, batch)));
        sets.extend(status.holds.keys().map(|batch| (CHUNK_HOLDS, *batch)));
    }
    let known = shown.keys().filter(|(kind, ..)| kind == CHUNK_STATED);
    sets.extend(known.map(|(_, batch, _)| (CHUNK_STATED, *batch)));
    let mut any = false;
    for (kind, batch) in sets {
        let mut changed = Vec::new();
        for (chunk, units) in chunks {
            let of = (kind.to_owned(), batch, *chunk);
            let before = shown.remove(&of).unwrap_or_default();
            let mut after = before.clone();
            for (offset, status) in units {
                match status.is(kind, batch) {
                    Some(true) => after.insert(*offset),
                    Some(false) => after.remove(*offset),
                    None => false,
                };
            }
            if after != before {
                changed.push((*chunk, after));
            }
        }
        any |= !changed.is_empty();
        put_chunks(act, space, kind, batch, changed).await?;
    }
    Ok(any)
}

async fn set_others(act: &impl Place, units: &BTreeMap<&str, &UnitStatus>) -> Result<bool, DbErr> {
    let tx = act.tx();
    let mut any = false;
    for (unit, status) in units {
        // Nothing to be told needs no row, but may have to be taken back.
        let holds: BTreeSet<Uuid> = status.held().collect();
        let sql = if status.is_against() || !holds.is_empty() {
            "INSERT INTO public_unit (status, holds, position, unit, recalls) \
             VALUES (?, ?, ?, ?, '[]') ON CONFLICT (unit) DO UPDATE SET status = excluded.status, \
             holds = excluded.holds, position = excluded.position \
             WHERE public_unit.status <> excluded.status OR public_unit.holds <> excluded.holds"
        } else {
            "UPDATE public_unit SET status = ?, holds = ?, position = ? \
             WHERE unit = ? AND (status <> 0 OR holds <> '[]')"
        };
        let values: [sea_orm::Value; 4] = [
            status.bits().into(),
            json(&holds)?.into(),
            act.position().into(),
            (*unit).into(),
        ];
        any |= execute(tx, sql, values).await?.rows_affected() > 0;
    }
    Ok(any)
}

/// Shows an open recall of single units, or with `None` that it is closed: the one row that lets go
/// of all its units.
pub async fn put_recall(act: &Act, id: Uuid, notice: Option<&super::Recall>) -> Result<(), DbErr> {
    let notice = match notice {
        Some(notice) => json(notice)?,
        None => String::new(),
    };
    run(
        act,
        "INSERT INTO public_recall (recall_id, notice, position) VALUES (?, ?, ?) \
         ON CONFLICT (recall_id) DO UPDATE SET notice = excluded.notice, \
         position = excluded.position",
        vec![id.into(), notice.into(), act.position().into()],
    )
    .await
}

/// Shows that a recall covers these units, whose codes we did not mint, besides what it covered.
pub async fn add_recalled(act: &Act, recall: Uuid, units: &BTreeSet<UnitKey>) -> Result<(), DbErr> {
    let names: Vec<&str> = units.iter().map(UnitKey::as_str).collect();
    let mut shown: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
    for names in names.chunks(KEYS_AT_ONCE) {
        let rows = public_unit::Entity::find()
            .filter(public_unit::Column::Unit.is_in(names.iter().copied()))
            .all(act.tx())
            .await?;
        for row in rows {
            let recalls =
                serde_json::from_str(&row.recalls).map_err(|e| DbErr::Json(e.to_string()))?;
            shown.insert(row.unit, recalls);
        }
    }
    let mut rows = Vec::with_capacity(names.len());
    for unit in names {
        let mut recalls = shown.remove(unit).unwrap_or_default();
        if !recalls.contains(&recall) {
            recalls.push(recall);
            rows.push((unit, json(&recalls)?));
        }
    }
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let places = vec!["(?, 0, ?, ?)"; rows.len()].join(", ");
        let sql = format!(
            "INSERT INTO public_unit (unit, status, recalls, position) VALUES {places} \
             ON CONFLICT (unit) DO UPDATE SET recalls = excluded.recalls, \
             position = excluded.position"
        );
        let mut values: Vec<sea_orm::Value> = Vec::with_capacity(rows.len() * 3);
        for (unit, recalls) in rows {
            values.extend([
                (*unit).into(),
                recalls.as_str().into(),
                act.position().into(),
            ]);
        }
        run(act, &sql, values).await?;
    }
    Ok(())
}

/// Rows one statement inserts: few enough for the parameters a statement may have.
const ROWS_AT_ONCE: usize = 500;

/// What is shown of all units of which anything is.
pub async fn shown_statuses(
    tx: &impl ConnectionTrait,
) -> Result<BTreeMap<PublicUnit, UnitStatus>, DbErr> {
    let mut shown: BTreeMap<PublicUnit, UnitStatus> = BTreeMap::new();
    let others = public_unit::Entity::find()
        .filter(
            Condition::any()
                .add(public_unit::Column::Status.ne(0))
                .add(public_unit::Column::Holds.ne("[]")),
        )
        .all(tx)
        .await?;
    for row in others {
        let name = PublicUnit::Other(UnitKey::kept(&row.unit));
        shown.insert(name, of_row(&row)?);
    }
    let kinds = STATUS_KINDS.iter().chain(&BATCH_KINDS);
    let chunks = public_chunk::Entity::find()
        .filter(public_chunk::Column::Kind.is_in(kinds.copied()))
        .all(tx)
        .await?;
    for row in chunks {
        let first = (row.chunk as u64) << 16;
        for offset in read_bits(&row.bits)? {
            let name = PublicUnit::Minted(row.space.clone(), first | u64::from(offset));
            let status = shown.entry(name).or_default();
            match row.kind.as_str() {
                CHUNK_COLLECTED => status.collected = true,
                CHUNK_DESTROYED => status.destroyed = true,
                CHUNK_STATED => status.stated = Some(row.batch_id),
                CHUNK_HOLDS => {
                    status.holds.insert(row.batch_id, true);
                }
                _ => status.suspected_copy = true,
            }
        }
    }
    Ok(shown)
}

/// What a row says.
fn of_row(row: &public_unit::Model) -> Result<UnitStatus, DbErr> {
    let holds: Vec<Uuid> =
        serde_json::from_str(&row.holds).map_err(|error| DbErr::Json(error.to_string()))?;
    Ok(UnitStatus {
        holds: holds.into_iter().map(|batch| (batch, true)).collect(),
        ..UnitStatus::of_bits(row.status)
    })
}

/// What is shown of a unit now.
pub async fn unit_status(
    tx: &impl ConnectionTrait,
    unit: &PublicUnit,
) -> Result<UnitStatus, DbErr> {
    let (space, index) = match unit {
        PublicUnit::Minted(space, index) => (space, *index),
        PublicUnit::Other(key) => {
            let row = public_unit::Entity::find_by_id(key.as_str().to_owned())
                .one(tx)
                .await?;
            return row.map_or(Ok(UnitStatus::default()), |row| of_row(&row));
        }
    };
    let mut status = UnitStatus::default();
    for row in query_all(
        tx,
        "SELECT kind, batch_id, bits FROM public_chunk WHERE space = ? AND chunk = ? \
         AND (batch_id = ? OR kind IN (?, ?))",
        [
            space.as_str().into(),
            ((index >> 16) as i64).into(),
            Uuid::nil().into(),
            CHUNK_STATED.into(),
            CHUNK_HOLDS.into(),
        ],
    )
    .await?
    {
        let kind: String = row.try_get("", "kind")?;
        let bits: Vec<u8> = row.try_get("", "bits")?;
        let known = STATUS_KINDS.iter().chain(&BATCH_KINDS);
        let known = known.into_iter().any(|known| *known == kind);
        let set = known && read_bits(&bits)?.contains((index & 0xffff) as u32);
        match kind.as_str() {
            CHUNK_STATED if set => status.stated = Some(row.try_get("", "batch_id")?),
            CHUNK_HOLDS if set => {
                status.holds.insert(row.try_get("", "batch_id")?, true);
            }
            CHUNK_COLLECTED => status.collected = set,
            CHUNK_DESTROYED => status.destroyed = set,
            CHUNK_COPY_EVENTS => status.suspected_copy = set,
            _ => {}
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_back_and_unknown_bits_are_nothing() {
        for bits in 0..8 {
            assert_eq!(UnitStatus::of_bits(bits).bits(), bits);
        }
        assert_eq!(UnitStatus::of_bits(8), UnitStatus::default());
    }
}
