//! Units a recall may cover, from their rows, page by page, and what became of each: those that share
//! the life of a container are where it is.

use super::{rules::shared, scope_store::Scope};
use crate::{
    db::{query_all, rows::by_keys},
    handheld::{
        units::{Kept, phase_of_name, read::Snapshot, store::UnitId},
        world::WorldError,
    },
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    fold::{Phase, Place, UnitState},
    ids::LocationId,
    limits::NESTING_DEPTH_MAX,
    unit::UnitKey,
};
use uuid::Uuid;

/// Rows read at once: so many are in memory, however large a recall is.
const PAGE: i64 = 5_000;

/// What is on the way, returned goods too, says where from and to in its state; the rest is told by its
/// columns.
const COLUMNS: &str = "id, unit_key, batch_id, phase, place, inside, exceptional, \
                       CASE WHEN phase IN ('in_transit', 'returned') THEN state END AS way";

/// A unit's row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: UnitId,
    pub(super) key: UnitKey,
    pub(super) batch: Option<Uuid>,
    own: (Phase, Place),
    /// The container whose life it shares.
    shares: Option<UnitId>,
}

fn row(found: &QueryResult) -> Result<Row, DbErr> {
    let key: String = found.try_get("", "unit_key")?;
    let phase: String = found.try_get("", "phase")?;
    let place: Option<Uuid> = found.try_get("", "place")?;
    let way: Option<String> = found.try_get("", "way")?;
    let inside: Option<UnitId> = found.try_get("", "inside")?;
    let exceptional: bool = found.try_get("", "exceptional")?;
    let phase = phase_of_name(&phase).ok_or_else(|| DbErr::Type(format!("unit {key}: {phase}")))?;
    let place = match way {
        Some(state) => kept(&key, &state)?.place,
        None => place.map_or(Place::Nowhere, |id| Place::At(LocationId(id))),
    };
    Ok(Row {
        id: found.try_get("", "id")?,
        batch: found.try_get("", "batch_id")?,
        key: UnitKey::kept(&key),
        own: (phase, place),
        shares: inside.filter(|_| !exceptional),
    })
}

fn kept(key: &str, state: &str) -> Result<UnitState, DbErr> {
    let kept: Kept =
        serde_json::from_str(state).map_err(|error| DbErr::Json(format!("unit {key}: {error}")))?;
    Ok(kept.state)
}

/// One of the questions whose answers together are every unit the scope may cover.
struct Question {
    which: String,
    values: Vec<Value>,
}

/// Goes through every unit the scope may cover, once: first what is named by its key or whose batch
/// is disputed, which are few; then by batch; then, for named units that were commissioned by a
/// device or not at all, by product.
pub(super) struct Walk {
    first: Option<Vec<Row>>,
    /// What `first` had.
    told: BTreeSet<UnitId>,
    left: Vec<Question>,
    after: UnitId,
}

impl Walk {
    /// Begins.
    pub(super) async fn begin(
        conn: &impl ConnectionTrait,
        enterprise: Uuid,
        scope: &Scope,
    ) -> Result<Walk, DbErr> {
        let first = named_or_disputed(conn, enterprise, scope).await?;
        let mut batches: BTreeSet<Uuid> = scope.batches.keys().copied().collect();
        batches.extend(scope.commissioned.keys().map(|(_, batch)| *batch));
        let products: BTreeSet<Option<Uuid>> = scope
            .unused
            .keys()
            .filter_map(|space| scope.spaces.get(space))
            .map(|space| space.product)
            .collect();
        for product in products.iter().flatten() {
            let sql = "SELECT id FROM batch WHERE enterprise_id = ? AND product_id = ?";
            let values = [enterprise.into(), (*product).into()];
            let found = query_all(conn, sql, values);
            for row in found.await? {
                batches.insert(row.try_get("", "id")?);
            }
        }
        let of_batch = |batch: Uuid| Question {
            which: "batch_id = ?".to_owned(),
            values: vec![batch.into()],
        };
        let unbatched = |product: Option<Uuid>| {
            let (which, more) = match product {
                Some(product) => ("product_id = ?", vec![Value::from(product)]),
                None => ("product_id IS NULL", Vec::new()),
            };
            Question {
                which: format!("issuer = ? AND batch_id IS NULL AND {which}"),
                values: [vec![enterprise.into()], more].concat(),
            }
        };
        let left = batches.into_iter().map(of_batch);
        Ok(Walk {
            told: first.iter().map(|row| row.id).collect(),
            first: Some(first),
            left: left.chain(products.into_iter().map(unbatched)).collect(),
            after: 0,
        })
    }

    /// The next units; nothing at the end.
    pub(super) async fn next(
        &mut self,
        conn: &impl ConnectionTrait,
    ) -> Result<Option<Vec<Row>>, DbErr> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let Some(Question { which, values }) = self.left.last() else {
            return Ok(None);
        };
        let sql =
            format!("SELECT {COLUMNS} FROM unit WHERE {which} AND id > ? ORDER BY id LIMIT ?");
        let values = values.iter().cloned();
        let values = values.chain([self.after.into(), PAGE.into()]);
        let found = query_all(conn, &sql, values).await?;
        let mut rows = found.iter().map(row).collect::<Result<Vec<Row>, _>>()?;
        match rows.last() {
            Some(last) if rows.len() as i64 == PAGE => self.after = last.id,
            Some(_) | None => {
                self.left.pop();
                self.after = 0;
            }
        }
        rows.retain(|row| !self.told.contains(&row.id));
        Ok(Some(rows))
    }
}

/// Units named by their keys, and those whose batch is disputed: the scope may say otherwise than
/// their rows.
async fn named_or_disputed(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    scope: &Scope,
) -> Result<Vec<Row>, DbErr> {
    let keys = scope.others.iter().map(|key| key.as_str().into()).collect();
    let sql = format!("SELECT {COLUMNS} FROM unit WHERE unit_key IN ({{keys}})");
    let mut found = by_keys(conn, &sql, &[], keys).await?;
    let disputed = format!(
        "SELECT {COLUMNS} FROM unit WHERE id IN (SELECT unit_id FROM finding \
         WHERE issuer = ? AND code = 'COMMISSION_CONFLICT' AND closed IS NULL)"
    );
    found.extend(query_all(conn, &disputed, [enterprise.into()]).await?);
    let mut units: BTreeMap<UnitId, Row> = BTreeMap::new();
    for found in &found {
        let row = row(found)?;
        units.insert(row.id, row);
    }
    Ok(units.into_values().collect())
}

/// What became of units, by number.
pub(super) type States = BTreeMap<UnitId, (Phase, Place)>;

/// What became of each of these now, its containers considered.
pub(super) async fn states(snapshot: &mut Snapshot, units: &[Row]) -> Result<States, WorldError> {
    let mut above: BTreeMap<UnitId, Row> = BTreeMap::new();
    let mut missing: BTreeSet<UnitId> = units.iter().filter_map(|row| row.shares).collect();
    let sql = format!("SELECT {COLUMNS} FROM unit WHERE id IN ({{keys}})");
    for _ in 0..NESTING_DEPTH_MAX {
        let keys = missing.into_iter().map(Value::from).collect();
        for found in by_keys(snapshot.tx(), &sql, &[], keys).await? {
            let row = row(&found)?;
            above.insert(row.id, row);
        }
        missing = above
            .values()
            .filter_map(|row| row.shares)
            .filter(|id| !above.contains_key(id))
            .collect();
    }
    let mut states = States::new();
    let mut unclear: Vec<(UnitId, UnitKey)> = Vec::new();
    // Whoever depends on what happened first is folded.
    for row in above.values().chain(units) {
        match shared_state(row, &above, 0) {
            Some(state) => {
                states.insert(row.id, state);
            }
            None => unclear.push((row.id, row.key.clone())),
        }
    }
    for alike in alike(snapshot.tx(), unclear).await? {
        let keys: Vec<UnitKey> = alike.keys().cloned().collect();
        let folded = snapshot.states(&keys).await?;
        for (key, ids) in alike {
            if let Some(state) = folded.get(&key) {
                states.extend(ids.into_iter().map(|id| (id, (state.phase, state.place))));
            }
        }
    }
    Ok(states)
}

/// Units folded in one set.
const FOLDED_AT_ONCE: usize = 1_000;

/// Units that became the same: what was alike when it was packed by one act, and shares the life of
/// the container since. In sets; the first of each is folded for all.
async fn alike(
    conn: &impl ConnectionTrait,
    unclear: Vec<(UnitId, UnitKey)>,
) -> Result<Vec<BTreeMap<UnitKey, Vec<UnitId>>>, DbErr> {
    let keys = unclear.iter().map(|(id, _)| (*id).into()).collect();
    let sql = "SELECT id, state FROM unit WHERE id IN ({keys})";
    let mut packed: BTreeMap<UnitId, String> = BTreeMap::new();
    for found in by_keys(conn, sql, &[], keys).await? {
        let kept: Kept = serde_json::from_str(&found.try_get::<String>("", "state")?)
            .map_err(|error| DbErr::Json(error.to_string()))?;
        let (state, stay) = (kept.state, kept.stays.last().map(|stay| stay.from));
        let same = (state.inside, stay, state.phase, state.place, state.linked);
        let same = serde_json::to_string(&same).map_err(|error| DbErr::Json(error.to_string()))?;
        packed.insert(found.try_get("", "id")?, same);
    }
    let mut groups: BTreeMap<String, (UnitKey, Vec<UnitId>)> = BTreeMap::new();
    for (id, key) in unclear {
        // Without a row there is nothing to be alike in.
        let same = packed
            .remove(&id)
            .unwrap_or_else(|| key.as_str().to_owned());
        groups.entry(same).or_insert((key, Vec::new())).1.push(id);
    }
    let mut sets = vec![BTreeMap::new()];
    for (key, ids) in groups.into_values() {
        if sets.last().is_none_or(|set| set.len() >= FOLDED_AT_ONCE) {
            sets.push(BTreeMap::new());
        }
        if let Some(set) = sets.last_mut() {
            set.insert(key, ids);
        }
    }
    Ok(sets)
}

fn shared_state(row: &Row, above: &BTreeMap<UnitId, Row>, depth: usize) -> Option<(Phase, Place)> {
    let container = row.shares.and_then(|id| above.get(&id));
    match container {
        Some(container) if depth < NESTING_DEPTH_MAX => {
            let state = shared_state(container, above, depth + 1)?;
            shared(row.own, state)
        }
        Some(_) | None => Some(row.own),
    }
}
