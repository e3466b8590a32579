//! Rows of units, and what containers hold, batch by batch.

use super::{UnitId, json};
use crate::{
    clock::Micros,
    db::rows::{Rows, by_keys, change_by_keys},
    handheld::units::{FINDINGS_KEPT, Kept},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, Value};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{facts::Content, ids::BatchId, order::Order, unit::UnitKey};
use uuid::Uuid;

/// A row of `unit`.
#[derive(Debug, Clone)]
pub struct UnitRow {
    /// Number.
    pub id: UnitId,
    /// Key.
    pub key: UnitKey,
    /// The container it is in.
    pub inside: Option<UnitId>,
    /// Is it judged by itself while its container moves?
    pub exceptional: bool,
    /// The rest.
    pub kept: Kept,
}

/// A unit of which only is known how much there is to read.
#[derive(Debug)]
pub struct Sized {
    /// Number.
    pub id: UnitId,
    /// Key.
    pub key: UnitKey,
    /// How many facts there are about it.
    pub facts: usize,
    /// The unit, unless that is more than was asked for.
    pub row: Option<UnitRow>,
}

/// A unit out of a row with id, key, container, flag and state.
pub fn unit_row(row: &sea_orm::QueryResult) -> Result<UnitRow, DbErr> {
    let (key, state): (String, String) = (row.try_get("", "unit_key")?, row.try_get("", "state")?);
    Ok(UnitRow {
        id: row.try_get("", "id")?,
        key: UnitKey::kept(&key),
        inside: row.try_get("", "inside")?,
        exceptional: row.try_get("", "exceptional")?,
        kept: serde_json::from_str(&state)
            .map_err(|error| DbErr::Json(format!("unit {key}: {error}")))?,
    })
}

/// Units by key.
pub async fn units(conn: &impl ConnectionTrait, keys: &[UnitKey]) -> Result<Vec<UnitRow>, DbErr> {
    let keys = keys.iter().map(|key| key.as_str().into()).collect();
    let rows = by_keys(
        conn,
        "SELECT id, unit_key, inside, exceptional, state FROM unit WHERE unit_key IN ({keys})",
        &[],
        keys,
    )
    .await?;
    rows.iter().map(unit_row).collect()
}

/// How much there is about units, least first; without their state, which is most of a row.
pub async fn sizes(conn: &impl ConnectionTrait, keys: &[UnitKey]) -> Result<Vec<Sized>, DbErr> {
    let keys = keys.iter().map(|key| key.as_str().into()).collect();
    let sql = format!("SELECT id, unit_key, {SIZE} AS size FROM unit WHERE unit_key IN ({{keys}})");
    let rows = by_keys(conn, &sql, &[(FINDINGS_KEPT as i64).into()], keys).await?;
    let sized = rows.iter().map(|row| {
        Ok(Sized {
            id: row.try_get("", "id")?,
            key: UnitKey::kept(&row.try_get::<String>("", "unit_key")?),
            facts: size(row)?,
            row: None,
        })
    });
    let mut sized = sized.collect::<Result<Vec<Sized>, DbErr>>()?;
    sized.sort_by_key(|unit| unit.facts);
    Ok(sized)
}

/// Units by key, of those about which there are at most so many facts; of the others how many there are.
/// Least first.
pub async fn units_within(
    conn: &impl ConnectionTrait,
    keys: &[UnitKey],
    facts: usize,
) -> Result<Vec<Sized>, DbErr> {
    let keys = keys.iter().map(|key| key.as_str().into()).collect();
    let most = i64::try_from(facts).unwrap_or(i64::MAX);
    let sql = format!(
        "SELECT id, unit_key, inside, exceptional, size, CASE WHEN size <= ? THEN state END AS state \
         FROM (SELECT u.*, {SIZE} AS size FROM unit u) sized WHERE unit_key IN ({{keys}})"
    );
    let values = [most.into(), (FINDINGS_KEPT as i64).into()];
    let rows = by_keys(conn, &sql, &values, keys).await?;
    let sized = rows.iter().map(|row| {
        let facts = size(row)?;
        let is_within = facts as i64 <= most;
        Ok(Sized {
            id: row.try_get("", "id")?,
            key: UnitKey::kept(&row.try_get::<String>("", "unit_key")?),
            facts,
            row: is_within.then(|| unit_row(row)).transpose()?,
        })
    });
    let mut sized = sized.collect::<Result<Vec<Sized>, DbErr>>()?;
    sized.sort_by_key(|unit| unit.facts);
    Ok(sized)
}

/// How much there is to read about a unit; findings up to a number are part of its row.
const SIZE: &str = "facts + CASE WHEN findings > ? THEN findings ELSE 0 END";

fn size(row: &sea_orm::QueryResult) -> Result<usize, DbErr> {
    let size: i64 = row.try_get("", "size")?;
    Ok(usize::try_from(size).unwrap_or_default())
}

/// Exceptional things directly in these containers.
pub async fn exceptional_in(
    conn: &impl ConnectionTrait,
    containers: &[UnitId],
) -> Result<Vec<UnitKey>, DbErr> {
    let keys = containers.iter().map(|id| (*id).into()).collect();
    let rows = by_keys(
        conn,
        "SELECT unit_key FROM unit WHERE inside IN ({keys}) AND exceptional",
        &[],
        keys,
    )
    .await?;
    let key = |row: &sea_orm::QueryResult| row.try_get::<String>("", "unit_key");
    rows.iter()
        .map(|row| Ok(UnitKey::kept(&key(row)?)))
        .collect()
}

/// Things directly in these containers that share what becomes of them, up to so many.
pub async fn sharing_in(
    conn: &impl ConnectionTrait,
    containers: &[UnitId],
    most: usize,
) -> Result<Vec<(UnitId, UnitKey)>, DbErr> {
    let keys = containers.iter().map(|id| (*id).into()).collect();
    let sql = format!(
        "SELECT id, unit_key FROM unit WHERE inside IN ({{keys}}) AND NOT exceptional LIMIT {most}"
    );
    let rows = by_keys(conn, &sql, &[], keys).await?;
    rows.iter()
        .map(|row| {
            let key: String = row.try_get("", "unit_key")?;
            Ok((row.try_get("", "id")?, UnitKey::kept(&key)))
        })
        .collect()
}

/// Of these, what was in a container and left it at or after an instant of the order: what happened to the
/// container before that happened to them.
pub async fn left_after(
    conn: &impl ConnectionTrait,
    (id, container): (UnitId, &UnitKey),
    children: &BTreeSet<UnitKey>,
    since: Micros,
) -> Result<Vec<UnitKey>, DbErr> {
    let keys = children.iter().map(|key| key.as_str().into()).collect();
    let rows = by_keys(
        conn,
        "SELECT unit_key, state FROM unit WHERE (inside IS NULL OR inside <> ?) \
         AND unit_key IN ({keys})",
        &[id.into()],
        keys,
    )
    .await?;
    let mut left = Vec::new();
    for row in rows {
        let state: String = row.try_get("", "state")?;
        let kept: Kept =
            serde_json::from_str(&state).map_err(|error| DbErr::Json(error.to_string()))?;
        let stayed = kept.stays.iter().any(|stay| {
            let until = stay.until.as_ref();
            stay.container == *container && until.is_none_or(|until| until.eff >= since)
        });
        if stayed {
            left.push(UnitKey::kept(&row.try_get::<String>("", "unit_key")?));
        }
    }
    Ok(left)
}

/// What containers hold directly, batch by batch: so many units for each stay.
pub async fn contents(
    conn: &impl ConnectionTrait,
    containers: &[UnitId],
) -> Result<BTreeMap<UnitId, BTreeMap<Content, i64>>, DbErr> {
    let keys = containers.iter().map(|id| (*id).into()).collect();
    let rows = by_keys(
        conn,
        "SELECT container_id, batch_id, stay_from, stay_until, units FROM content \
         WHERE container_id IN ({keys})",
        &[],
        keys,
    )
    .await?;
    let mut out: BTreeMap<UnitId, BTreeMap<Content, i64>> = BTreeMap::new();
    for row in rows {
        let (from, until): (String, String) = (
            row.try_get("", "stay_from")?,
            row.try_get("", "stay_until")?,
        );
        let until = if until.is_empty() {
            None
        } else {
            Some(order(&until)?)
        };
        let content = Content {
            batch: BatchId(row.try_get("", "batch_id")?),
            from: order(&from)?,
            until,
        };
        out.entry(row.try_get("", "container_id")?)
            .or_default()
            .insert(content, row.try_get("", "units")?);
    }
    Ok(out)
}

fn order(text: &str) -> Result<Order, DbErr> {
    serde_json::from_str(text).map_err(|error| DbErr::Json(format!("content: {error}")))
}

/// Changes what containers hold: so many units of a batch more or fewer for a stay.
pub async fn add_contents(
    conn: &impl ConnectionTrait,
    changes: &BTreeMap<(UnitId, Content), i64>,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(5);
    for ((container, content), units) in changes {
        let until = match &content.until {
            None => String::new(),
            Some(until) => json(until)?,
        };
        rows.add([
            (*container).into(),
            content.batch.0.into(),
            json(&content.from)?.into(),
            until.into(),
            (*units).into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO content (container_id, batch_id, stay_from, stay_until, units)",
        "ON CONFLICT (container_id, batch_id, stay_from, stay_until) \
         DO UPDATE SET units = content.units + excluded.units",
    )
    .await?;
    let containers: BTreeSet<UnitId> = changes.keys().map(|(container, _)| *container).collect();
    let keys = containers.into_iter().map(Value::from).collect();
    let sql = "DELETE FROM content WHERE units = 0 AND container_id IN ({keys})";
    change_by_keys(conn, sql, &[], keys).await
}

/// A unit to be written.
pub struct UnitWrite {
    /// Number, new or known.
    pub id: UnitId,
    /// Where in the log it changed: whoever follows is told of it there.
    pub gseq: Position,
    /// Key.
    pub key: UnitKey,
    /// Its product, if its code is ours.
    pub product: Option<Uuid>,
    /// The container it is in.
    pub inside: Option<UnitId>,
    /// See [`UnitRow::exceptional`].
    pub exceptional: bool,
    /// How many facts there are about it.
    pub facts: usize,
    /// Its open findings are not kept with it, even if they are few.
    pub elsewhere: bool,
    /// The rest.
    pub kept: Kept,
}

/// Writes units, new and known.
pub async fn write_units(conn: &impl ConnectionTrait, units: &[UnitWrite]) -> Result<(), DbErr> {
    let mut rows = Rows::of(14);
    for unit in units {
        let state = &unit.kept.state;
        let elsewhere = unit.elsewhere || unit.kept.findings.len() > FINDINGS_KEPT;
        let kept = if elsewhere {
            json(&unit.kept.without_findings())?
        } else {
            json(&unit.kept)?
        };
        rows.add([
            unit.id.into(),
            unit.key.as_str().into(),
            state.issuer.map(|id| id.0).into(),
            unit.product.into(),
            state.batch.map(|id| id.0).into(),
            crate::handheld::units::phase_name(state.phase).into(),
            crate::handheld::units::place_of(state.place)
                .map(|id| id.0)
                .into(),
            state.holder.map(|id| id.0).into(),
            unit.inside.into(),
            unit.exceptional.into(),
            (unit.kept.findings.len() as i64).into(),
            unit.gseq.into(),
            (unit.facts as i64).into(),
            kept.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO unit (id, unit_key, issuer, product_id, batch_id, phase, place, holder, inside, \
         exceptional, findings, gseq, facts, state)",
        "ON CONFLICT (id) DO UPDATE SET issuer = excluded.issuer, product_id = excluded.product_id, \
         batch_id = excluded.batch_id, phase = excluded.phase, place = excluded.place, \
         holder = excluded.holder, inside = excluded.inside, exceptional = excluded.exceptional, \
         findings = excluded.findings, gseq = excluded.gseq, facts = excluded.facts, \
         state = excluded.state",
    )
    .await?;
    Ok(())
}

/// Notes that units were left, of each at which position and how many facts came; one that was left before
/// stays left since then.
pub async fn leave(
    conn: &impl ConnectionTrait,
    units: &BTreeMap<UnitId, (Position, usize)>,
) -> Result<(), DbErr> {
    let mut alike: BTreeMap<(Position, usize), Vec<Value>> = BTreeMap::new();
    for (id, left) in units {
        alike.entry(*left).or_default().push((*id).into());
    }
    for ((position, came), ids) in alike {
        let sql = "UPDATE unit SET left_at = COALESCE(left_at, ?), facts = facts + ? \
                   WHERE id IN ({keys})";
        let values = [position.into(), (came as i64).into()];
        change_by_keys(conn, sql, &values, ids).await?;
    }
    Ok(())
}

/// Units are left no more.
pub async fn take_up(
    conn: &impl ConnectionTrait,
    units: impl IntoIterator<Item = UnitId>,
) -> Result<(), DbErr> {
    let ids = units.into_iter().map(Value::from).collect();
    let sql = "UPDATE unit SET left_at = NULL WHERE left_at IS NOT NULL AND id IN ({keys})";
    change_by_keys(conn, sql, &[], ids).await
}
