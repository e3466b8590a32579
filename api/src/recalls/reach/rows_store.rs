//! Units a recall may cover, from their rows, and what became of each: those that share the life of
//! a container are where it is.

use super::{rules::shared, scope_store::Scope};
use crate::{
    db::{rows::by_keys, statement},
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

/// Rows read at once.
const PAGE: i64 = 20_000;

/// What is on the way says where from and to in its state; the rest is told by its columns.
const COLUMNS: &str = "id, unit_key, batch_id, phase, place, inside, exceptional, \
                       CASE WHEN phase = 'in_transit' THEN state END AS way";

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

/// Reads every unit the scope may cover, once: by batch, and for named units that were commissioned
/// by a device or not at all, by product.
pub(super) async fn read(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    scope: &Scope,
) -> Result<Vec<Row>, DbErr> {
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
        let found = conn.query_all_raw(statement(conn.get_database_backend(), sql, values));
        for row in found.await? {
            batches.insert(row.try_get("", "id")?);
        }
    }
    let mut units: BTreeMap<UnitId, Row> = BTreeMap::new();
    for batch in batches {
        page_through(conn, "batch_id = ?", &[batch.into()], &mut units).await?;
    }
    for product in products {
        let (which, mut values) = match product {
            Some(product) => ("product_id = ?", vec![product.into()]),
            None => ("product_id IS NULL", Vec::new()),
        };
        let sql = format!("issuer = ? AND batch_id IS NULL AND {which}");
        values.insert(0, enterprise.into());
        page_through(conn, &sql, &values, &mut units).await?;
    }
    // Named ones, and those whose batch is disputed: the scope may say otherwise than their rows.
    let keys = scope.others.iter().map(|key| key.as_str().into()).collect();
    let sql = format!("SELECT {COLUMNS} FROM unit WHERE unit_key IN ({{keys}})");
    for found in by_keys(conn, &sql, &[], keys).await? {
        let row = row(&found)?;
        units.insert(row.id, row);
    }
    let disputed = format!(
        "SELECT {COLUMNS} FROM unit WHERE id IN (SELECT unit_id FROM finding \
         WHERE issuer = ? AND code = 'COMMISSION_CONFLICT' AND closed IS NULL)"
    );
    let query = statement(conn.get_database_backend(), &disputed, [enterprise.into()]);
    for found in conn.query_all_raw(query).await? {
        let row = row(&found)?;
        units.insert(row.id, row);
    }
    Ok(units.into_values().collect())
}

async fn page_through(
    conn: &impl ConnectionTrait,
    which: &str,
    values: &[Value],
    units: &mut BTreeMap<UnitId, Row>,
) -> Result<(), DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM unit WHERE {which} AND id > ? ORDER BY id LIMIT ?");
    let mut after: UnitId = 0;
    loop {
        let values = values.iter().cloned().chain([after.into(), PAGE.into()]);
        let query = statement(conn.get_database_backend(), &sql, values);
        let found = conn.query_all_raw(query).await?;
        for found in &found {
            let row = row(found)?;
            after = row.id;
            units.insert(row.id, row);
        }
        if (found.len() as i64) < PAGE {
            return Ok(());
        }
    }
}

/// What became of units, by number.
pub(super) type States = BTreeMap<UnitId, (Phase, Place)>;

/// What became of each of these now, its containers considered.
pub(super) async fn states(
    snapshot: &mut Snapshot<'_>,
    units: &[Row],
) -> Result<States, WorldError> {
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
