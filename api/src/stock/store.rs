//! All SQL of stock of units.

use super::{
    lines::{After, Key, LINES_MAX, Lines},
    rules,
    wire::PlaceStock,
};
use crate::{
    db::{query_all, rows::by_keys},
    handheld::units::phase_of_name,
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};
use std::{collections::BTreeSet, fmt::Write};
use suyuan_sync::limits::NESTING_DEPTH_MAX;
use uuid::Uuid;

/// Places of an enterprise, page by page: the place of a line that is gone on after is told again.
pub async fn places(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    only: Option<Uuid>,
    after: Option<&After>,
    limit: u64,
) -> Result<Vec<Uuid>, DbErr> {
    let (which, mut values) = match only {
        Some(place) => ("AND id = ?", vec![enterprise.into(), place.into()]),
        None => ("", vec![enterprise.into()]),
    };
    let (from, place) = from_on(after);
    values.extend([place.into(), (limit as i64).into()]);
    let sql = format!(
        "SELECT id FROM location WHERE enterprise_id = ? {which} AND id {from} ? ORDER BY id LIMIT ?"
    );
    let rows = query_all(conn, &sql, values);
    rows.await?
        .iter()
        .map(|row| row.try_get("", "id"))
        .collect()
}

/// Places that are not an enterprise's and where units are by its word alone, page by page as [`places`]. Nothing
/// else of what is there is its to know.
pub async fn claimed_elsewhere(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    only: Option<Uuid>,
    after: Option<&After>,
    limit: u64,
) -> Result<Vec<Uuid>, DbErr> {
    let mut values = vec![enterprise.into(), enterprise.into()];
    values.extend(only.map(Value::from));
    let which = only.map_or("", |_| "AND c.location_id = ?");
    let (from, place) = from_on(after);
    values.extend([place.into(), (limit as i64).into()]);
    let sql = format!(
        "SELECT DISTINCT c.location_id AS id FROM unit_claim c WHERE c.enterprise_id = ? \
         AND NOT EXISTS (SELECT 1 FROM location l WHERE l.id = c.location_id AND l.enterprise_id = ?) \
         {which} AND c.location_id {from} ? ORDER BY c.location_id LIMIT ?"
    );
    let rows = query_all(conn, &sql, values);
    rows.await?
        .iter()
        .map(|row| row.try_get("", "id"))
        .collect()
}

/// Which places a page begins with.
fn from_on(after: Option<&After>) -> (&'static str, Uuid) {
    match after {
        None => (">=", Uuid::nil()),
        Some(After::Place(place)) => (">", *place),
        Some(After::Line(key)) => (">=", key.place),
    }
}

/// What units at these places of an enterprise are, counted by the engine: those that are where their
/// own rows say, then what shares the life of these, level by level; and what the enterprise says is
/// there, or at these places of others (`elsewhere`), and nobody else does. No more than a page of
/// lines, and the line that it ends with if more may follow.
pub async fn stock(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    (places, elsewhere): (&[Uuid], &[Uuid]),
    batch: Option<Uuid>,
    after: Option<&After>,
) -> Result<(Vec<PlaceStock>, Option<Key>), DbErr> {
    let backend = conn.get_database_backend();
    let behind = match after {
        Some(After::Line(key)) => Some(key),
        Some(After::Place(_)) | None => None,
    };
    let keys: Vec<Value> = places.iter().map(|place| (*place).into()).collect();
    let mut lines = Lines::default();
    for depth in 0..=NESTING_DEPTH_MAX {
        let mut before: Vec<Value> = batch.map(Into::into).into_iter().collect();
        if let Some(key) = behind {
            before.extend([key.place.into(), key.kind.clone().into()]);
            before.push(key.kind.clone().into());
            before.extend(key.batch.map(Value::from));
        }
        let sql = counting(backend, depth, batch.is_some(), behind);
        let rows = by_keys(conn, &sql, &before, keys.clone()).await?;
        for row in &rows {
            let counted = Counted::read(row)?;
            let own = phase_of_name(&counted.phase).ok_or_else(|| unread(&counted.phase))?;
            let container = match &counted.container {
                Some(phase) => Some(phase_of_name(phase).ok_or_else(|| unread(phase))?),
                None => None,
            };
            let line = lines.line(counted.key);
            rules::add(line, own, container, counted.moving, counted.units);
        }
        if rows.len() >= LINES_MAX
            && let Some(last) = rows.last()
        {
            lines.cut(Counted::read(last)?.key);
        }
    }
    let all: BTreeSet<Uuid> = places.iter().chain(elsewhere).copied().collect();
    let all: Vec<Uuid> = all.into_iter().collect();
    // Which batch it belongs to is told to whoever is linked to it.
    if batch.is_none() {
        let mut before: Vec<Value> = vec![enterprise.into()];
        before.extend(behind.map(|key| Value::from(key.place)));
        before.extend(behind.map(|key| Value::from(key.kind.clone())));
        let keys = all.iter().map(|place| (*place).into()).collect();
        let rows = by_keys(conn, &claiming(backend, behind), &before, keys).await?;
        let claimed = |row: &QueryResult| -> Result<Key, DbErr> {
            Ok(Key {
                place: row.try_get("", "place")?,
                kind: row.try_get("", "kind")?,
                batch: None,
            })
        };
        for row in &rows {
            lines.line(claimed(row)?).claimed += row.try_get::<i64>("", "n")? as u64;
        }
        if rows.len() >= LINES_MAX
            && let Some(last) = rows.last()
        {
            lines.cut(claimed(last)?);
        }
    }
    Ok(lines.page(&all, LINES_MAX))
}

fn unread(phase: &str) -> DbErr {
    DbErr::Type(format!("unit.phase {phase}"))
}

struct Counted {
    key: Key,
    phase: String,
    container: Option<String>,
    moving: bool,
    units: u64,
}

impl Counted {
    fn read(row: &QueryResult) -> Result<Counted, DbErr> {
        Ok(Counted {
            key: Key {
                place: row.try_get("", "place")?,
                kind: row.try_get("", "kind")?,
                batch: row.try_get("", "batch_id")?,
            },
            phase: row.try_get("", "phase")?,
            container: row.try_get("", "container")?,
            moving: row.try_get::<i64>("", "moving")? != 0,
            units: row.try_get::<i64>("", "n")? as u64,
        })
    }
}

/// Is what was brought or fetched back on its way? It keeps its phase then, and the place it goes to is
/// the one in its row (C3); only its state says that it is not there.
const MOVING: &str = "CAST(CASE WHEN r.phase IN ('returned', 'collected') \
     AND r.state LIKE '%\"place\":{\"between\"%' THEN 1 ELSE 0 END AS BIGINT)";

/// Counts units `depth` containers below what stands at places by its own row and is not gone: what was
/// sold or destroyed keeps its place, is no stock, and nothing in it is. The index `unit_stock` has
/// just these; its conditions stand here word for word. `behind` a line, in the order of lines, so many
/// rows.
pub fn counting(backend: DbBackend, depth: usize, of_batch: bool, behind: Option<&Key>) -> String {
    // Of several indexes that begin with the place SQLite takes any, unless it is told.
    let by = match backend {
        DbBackend::Sqlite => " INDEXED BY unit_stock",
        _ => "",
    };
    let mut joins = String::new();
    let mut unit = "r".to_owned();
    for level in 1..=depth {
        let below = format!("u{level}");
        // Writing to a string cannot fail.
        let _ = write!(
            joins,
            " JOIN unit {below} ON {below}.inside = {unit}.id AND NOT {below}.exceptional"
        );
        unit = below;
    }
    let container = if depth == 0 { "NULL" } else { "r.phase" };
    let kind = kind_of(backend, &unit);
    let batch = if of_batch {
        format!("{unit}.batch_id = ? AND ")
    } else {
        String::new()
    };
    let behind = behind.map_or_else(String::new, |key| {
        let batch = match key.batch {
            Some(_) => "> ?",
            None => "IS NOT NULL",
        };
        format!("(r.place <> ? OR {kind} > ? OR ({kind} = ? AND {unit}.batch_id {batch})) AND ")
    });
    format!(
        "SELECT r.place, {kind} AS kind, {unit}.batch_id, {unit}.phase, {container} AS container, {MOVING} AS moving, COUNT(*) AS n \
         FROM unit r{by}{joins} WHERE {batch}{behind}(r.inside IS NULL OR r.exceptional) \
         AND r.phase NOT IN ('sold', 'destroyed') AND r.place IS NOT NULL \
         AND r.place IN ({{keys}}) GROUP BY 1, 2, 3, 4, 5, 6 \
         ORDER BY 1, 2, 3 NULLS FIRST LIMIT {LINES_MAX}"
    )
}

/// What the code of a unit begins with, to be compared byte by byte.
fn kind_of(backend: DbBackend, unit: &str) -> String {
    let bytes = match backend {
        DbBackend::Postgres => " COLLATE \"C\"",
        _ => "",
    };
    format!(
        "(SUBSTR({unit}.unit_key, 1, CASE WHEN {unit}.unit_key LIKE '/01/%' THEN 18 \
         WHEN {unit}.unit_key LIKE '/00/%' THEN 4 ELSE 3 END){bytes})"
    )
}

/// Counts what is at these places by an enterprise's word alone, which does not count: `behind` a line,
/// in the order of lines, so many rows. Its lines are the first of their kinds, having no batch.
pub fn claiming(backend: DbBackend, behind: Option<&Key>) -> String {
    let kind = kind_of(backend, "u");
    let behind = behind.map_or_else(String::new, |_| {
        format!("AND (c.location_id <> ? OR {kind} > ?) ")
    });
    format!(
        "SELECT c.location_id AS place, {kind} AS kind, COUNT(*) AS n FROM unit_claim c \
         JOIN unit u ON u.id = c.unit_id WHERE c.enterprise_id = ? {behind}\
         AND c.location_id IN ({{keys}}) GROUP BY 1, 2 ORDER BY 1, 2 LIMIT {LINES_MAX}"
    )
}
