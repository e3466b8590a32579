//! Rows of units, and what containers hold, batch by batch.

use super::{UnitId, json};
use crate::{
    clock::Micros,
    db::rows::{Rows, by_keys, by_keys_and, change_by_keys},
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

/// Exceptional things directly in these containers, each with its container.
pub async fn exceptional_in(
    conn: &impl ConnectionTrait,
    containers: &[UnitId],
) -> Result<Vec<(UnitId, UnitKey)>, DbErr> {
    let keys = containers.iter().map(|id| (*id).into()).collect();
    let rows = by_keys(
        conn,
        "SELECT inside, unit_key FROM unit WHERE inside IN ({keys}) AND exceptional",
        &[],
        keys,
    )
    .await?;
    rows.iter()
        .map(|row| {
            let key: String = row.try_get("", "unit_key")?;
            Ok((row.try_get("", "inside")?, UnitKey::kept(&key)))
        })
        .collect()
}

/// Things directly in these containers that share what becomes of them, up to so many.
pub async fn sharing_in(
    conn: &impl ConnectionTrait,
    containers: &[UnitId],
    most: usize,
) -> Result<Vec<(UnitId, UnitKey)>, DbErr> {
    let keys = containers.iter().map(|id| (*id).into()).collect();
    let sql = "SELECT id, unit_key FROM unit WHERE inside IN ({keys}) AND NOT exceptional LIMIT ?";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = by_keys_and(conn, sql, (&[], &[most.into()]), keys).await?;
    rows.iter()
        .map(|row| {
            let key: String = row.try_get("", "unit_key")?;
            Ok((row.try_get("", "id")?, UnitKey::kept(&key)))
        })
        .collect()
}

/// A container, and from when on what left it is asked for.
pub struct Emptied {
    /// Its number.
    pub id: UnitId,
    /// Its key.
    pub key: UnitKey,
    /// What was ever packed into it.
    pub packed: BTreeSet<UnitKey>,
    /// An instant of the order.
    pub since: Micros,
}

/// What was in each of these containers and left it at or after its instant: what happened to the container
/// before that happened to them.
pub async fn left_after(
    conn: &impl ConnectionTrait,
    containers: &[Emptied],
) -> Result<Vec<Vec<UnitKey>>, DbErr> {
    let packed: BTreeSet<&UnitKey> = containers.iter().flat_map(|of| &of.packed).collect();
    let keys = packed.into_iter().map(|key| key.as_str().into()).collect();
    // Most are where they were put, and what they are is most of a row.
    let sql = "SELECT unit_key, inside FROM unit WHERE unit_key IN ({keys})";
    let mut inside: BTreeMap<UnitKey, Option<UnitId>> = BTreeMap::new();
    for row in by_keys(conn, sql, &[], keys).await? {
        let key: String = row.try_get("", "unit_key")?;
        inside.insert(UnitKey::kept(&key), row.try_get("", "inside")?);
    }
    let is_out = |of: &Emptied, key: &UnitKey| {
        let inside = inside.get(key);
        inside.is_some_and(|inside| *inside != Some(of.id))
    };
    let out = containers
        .iter()
        .flat_map(|of| of.packed.iter().filter(move |key| is_out(of, key)));
    let out: BTreeSet<&UnitKey> = out.collect();
    let keys = out.into_iter().map(|key| key.as_str().into()).collect();
    let sql = "SELECT unit_key, state FROM unit WHERE unit_key IN ({keys})";
    let mut kept: BTreeMap<UnitKey, Kept> = BTreeMap::new();
    for row in by_keys(conn, sql, &[], keys).await? {
        let (key, state): (String, String) =
            (row.try_get("", "unit_key")?, row.try_get("", "state")?);
        let state = serde_json::from_str(&state).map_err(|error| DbErr::Json(error.to_string()))?;
        kept.insert(UnitKey::kept(&key), state);
    }
    let stayed = |of: &Emptied, key: &UnitKey| {
        let mut stays = kept.get(key).into_iter().flat_map(|kept| &kept.stays);
        stays.any(|stay| {
            let until = stay.until.as_ref();
            stay.container == of.key && until.is_none_or(|until| until.eff >= of.since)
        })
    };
    let left = |of: &Emptied| {
        let out = of.packed.iter().filter(|key| is_out(of, key));
        out.filter(|key| stayed(of, key)).cloned().collect()
    };
    Ok(containers.iter().map(left).collect())
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
