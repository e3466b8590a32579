//! All SQL about units, what is about them, their findings, and what containers hold. Reads and
//! writes go in sets.

use super::{
    Kept,
    facts::{COLUMNS, Reader},
};
use crate::{
    clock::Micros,
    db::{
        rows::{Rows, by_keys},
        statement,
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    facts::{Content, Fact},
    finding::Finding,
    ids::{BatchId, DeviceId, Epoch, EventId, GroupId, Seq},
    order::{Interval, Order},
    time::{Timed, effective},
    unit::UnitKey,
};
use uuid::Uuid;

/// A unit's number.
pub type UnitId = i64;

/// How an event is about a unit; the least one counts.
pub const NAMED: i64 = 0;
/// It names it as container.
pub const CONTAINER: i64 = 1;
/// It strikes an event about it.
pub const STRIKES: i64 = 2;
/// It decides whether a correction counts.
pub const DECIDES: i64 = 3;

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

/// Of these, what was in a container and left it at or after an instant of the order (ever, if none
/// is given): what happened to the container before that happened to them.
pub async fn left_after(
    conn: &impl ConnectionTrait,
    (id, container): (UnitId, &UnitKey),
    children: &BTreeSet<UnitKey>,
    since: Option<Micros>,
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
            stay.container == *container
                && until.is_none_or(|until| since.is_none_or(|since| until.eff >= since))
        });
        if stayed {
            left.push(UnitKey::kept(&row.try_get::<String>("", "unit_key")?));
        }
    }
    Ok(left)
}

/// Everything that counts, whenever it came in.
pub const NOW: Position = Position::MAX;

/// The facts about these units, of those that count as of a position.
pub async fn facts(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    units: &[UnitId],
    upto: Position,
) -> Result<BTreeMap<UnitId, Vec<Arc<Fact>>>, DbErr> {
    let sql = format!(
        "SELECT u.unit_id, {COLUMNS} FROM event_unit u JOIN event e ON e.gseq = u.gseq \
         WHERE e.counts_from <= ? AND u.unit_id IN ({{keys}})"
    );
    let keys = units.iter().map(|id| (*id).into()).collect();
    let mut facts: BTreeMap<UnitId, BTreeMap<i64, Arc<Fact>>> = BTreeMap::new();
    for row in by_keys(conn, &sql, &[upto.into()], keys).await? {
        if let Some(fact) = reader.fact(&row)? {
            let unit: UnitId = row.try_get("", "unit_id")?;
            facts.entry(unit).or_default().insert(fact.gseq, fact);
        }
    }
    let list = |facts: BTreeMap<i64, Arc<Fact>>| facts.into_values().collect();
    Ok(facts
        .into_iter()
        .map(|(unit, facts)| (unit, list(facts)))
        .collect())
}

/// Facts by their events' ids, of any enterprise; who asks filters.
pub async fn by_event_id(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    ids: &BTreeSet<EventId>,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM event e WHERE e.event_id IN ({{keys}}) \
         AND e.counts_from IS NOT NULL"
    );
    let keys = ids.iter().map(|id| id.0.into()).collect();
    read(&by_keys(conn, &sql, &[], keys).await?, reader)
}

/// Facts by position.
pub async fn by_position(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    positions: &BTreeSet<Position>,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    by_position_then(conn, reader, positions, NOW).await
}

/// Facts by position, of those that count as of another.
pub async fn by_position_then(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    positions: &BTreeSet<Position>,
    upto: Position,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let sql =
        format!("SELECT {COLUMNS} FROM event e WHERE e.counts_from <= ? AND e.gseq IN ({{keys}})");
    let keys = positions.iter().map(|gseq| (*gseq).into()).collect();
    read(&by_keys(conn, &sql, &[upto.into()], keys).await?, reader)
}

/// Facts of groups, of any enterprise; who asks filters.
pub async fn by_group(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    groups: &BTreeSet<GroupId>,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM event e WHERE e.group_id IN ({{keys}}) AND e.group_id IS NOT NULL \
         AND e.counts_from IS NOT NULL"
    );
    let keys = groups.iter().map(|id| id.0.into()).collect();
    read(&by_keys(conn, &sql, &[], keys).await?, reader)
}

/// Effective times of a device's epoch by what counted as of a position, by event. Branches that
/// were admitted keep the time they were admitted with.
pub async fn effective_as_of(
    conn: &impl ConnectionTrait,
    device: DeviceId,
    epoch: Epoch,
    upto: Position,
) -> Result<BTreeMap<Position, Micros>, DbErr> {
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT gseq, seq, lo, est, stamp FROM event WHERE device_id = ? AND epoch = ? \
             AND branch IS NULL AND counts_from <= ? ORDER BY seq",
            [device.0.into(), i64::from(epoch).into(), upto.into()],
        ))
        .await?;
    let (mut positions, mut times) = (Vec::new(), Vec::new());
    for row in rows {
        let number = |name: &str| row.try_get::<i64>("", name);
        positions.push(number("gseq")?);
        times.push(Timed {
            seq: number("seq")? as Seq,
            interval: Interval {
                lo: number("lo")?,
                est: number("est")?,
                hi: number("stamp")?,
            },
        });
    }
    Ok(positions.into_iter().zip(effective(&times)).collect())
}

fn read(rows: &[sea_orm::QueryResult], reader: &mut Reader) -> Result<Vec<Arc<Fact>>, DbErr> {
    let mut facts: BTreeMap<Position, Arc<Fact>> = BTreeMap::new();
    for row in rows {
        if let Some(fact) = reader.fact(row)? {
            facts.insert(fact.gseq, fact);
        }
    }
    Ok(facts.into_values().collect())
}

/// Retracts that are in and strike any of these: pairs of target and position of the retract.
pub async fn retracts_of(
    conn: &impl ConnectionTrait,
    targets: &BTreeSet<EventId>,
) -> Result<Vec<(Uuid, EventId, Position)>, DbErr> {
    let keys = targets.iter().map(|id| id.0.into()).collect();
    let rows = by_keys(
        conn,
        "SELECT DISTINCT enterprise_id, target_id, gseq FROM event_target \
         WHERE target_id IN ({keys})",
        &[],
        keys,
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get("", "enterprise_id")?,
                EventId(row.try_get("", "target_id")?),
                row.try_get("", "gseq")?,
            ))
        })
        .collect()
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

fn json(value: &impl serde::Serialize) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|error| DbErr::Json(error.to_string()))
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
    let keys: Vec<Value> = containers.into_iter().map(Value::from).collect();
    for keys in keys.chunks(500) {
        let list = vec!["?"; keys.len()].join(", ");
        let sql = format!("DELETE FROM content WHERE container_id IN ({list}) AND units = 0");
        conn.execute_raw(crate::db::statement(
            conn.get_database_backend(),
            &sql,
            keys.to_vec(),
        ))
        .await?;
    }
    Ok(())
}

/// A unit to be written.
pub struct UnitWrite {
    /// Number, new or known.
    pub id: UnitId,
    /// Key.
    pub key: UnitKey,
    /// Its product, if its code is ours.
    pub product: Option<Uuid>,
    /// The container it is in.
    pub inside: Option<UnitId>,
    /// See [`UnitRow::exceptional`].
    pub exceptional: bool,
    /// The rest.
    pub kept: Kept,
}

/// Writes units, new and known.
pub async fn write_units(
    conn: &impl ConnectionTrait,
    units: &[UnitWrite],
    gseq: Position,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(13);
    for unit in units {
        let state = &unit.kept.state;
        rows.add([
            unit.id.into(),
            unit.key.as_str().into(),
            state.issuer.map(|id| id.0).into(),
            unit.product.into(),
            state.batch.map(|id| id.0).into(),
            super::phase_name(state.phase).into(),
            super::place_of(state.place).map(|id| id.0).into(),
            state.holder.map(|id| id.0).into(),
            unit.inside.into(),
            unit.exceptional.into(),
            (unit.kept.findings.len() as i64).into(),
            gseq.into(),
            json(&unit.kept)?.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO unit (id, unit_key, issuer, product_id, batch_id, phase, place, holder, inside, \
         exceptional, findings, gseq, state)",
        "ON CONFLICT (id) DO UPDATE SET issuer = excluded.issuer, product_id = excluded.product_id, \
         batch_id = excluded.batch_id, phase = excluded.phase, place = excluded.place, \
         holder = excluded.holder, inside = excluded.inside, exceptional = excluded.exceptional, \
         findings = excluded.findings, gseq = excluded.gseq, state = excluded.state",
    )
    .await?;
    Ok(())
}

/// Notes which events are about which units.
pub async fn write_event_units(
    conn: &impl ConnectionTrait,
    about: &BTreeMap<(UnitId, Position), i64>,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(3);
    for ((unit, gseq), role) in about {
        rows.add([(*unit).into(), (*gseq).into(), (*role).into()]);
    }
    rows.write(
        conn,
        "INSERT INTO event_unit (unit_id, gseq, role)",
        "ON CONFLICT (unit_id, gseq) DO NOTHING",
    )
    .await?;
    Ok(())
}

/// Notes what retracts strike.
pub async fn write_targets(
    conn: &impl ConnectionTrait,
    targets: &[(Uuid, EventId, Position)],
) -> Result<(), DbErr> {
    let mut rows = Rows::of(3);
    for (enterprise, target, gseq) in targets {
        rows.add([(*enterprise).into(), target.0.into(), (*gseq).into()]);
    }
    rows.write(
        conn,
        "INSERT INTO event_target (enterprise_id, target_id, gseq)",
        "ON CONFLICT (enterprise_id, target_id, gseq) DO NOTHING",
    )
    .await?;
    Ok(())
}

/// A finding that opened.
pub struct Opened {
    /// Its row.
    pub id: i64,
    /// The event that was judged.
    pub fact: Arc<Fact>,
    /// Whose unit.
    pub issuer: Option<Uuid>,
    /// Of which unit.
    pub unit: Option<UnitId>,
    /// Of which line.
    pub line: Option<i64>,
    /// Since which position.
    pub opened: Position,
    /// What.
    pub finding: Finding,
}

/// Writes findings that opened.
pub async fn write_opened(conn: &impl ConnectionTrait, opened: &[Opened]) -> Result<(), DbErr> {
    let mut rows = Rows::of(13);
    for found in opened {
        let event = &found.fact.event;
        rows.add([
            found.id.into(),
            found.fact.enterprise.0.into(),
            found.issuer.into(),
            event.device.0.into(),
            event.id.0.into(),
            found.fact.gseq.into(),
            found.unit.into(),
            found.line.into(),
            Some(event.location.0)
                .filter(|place| !place.is_nil())
                .into(),
            found.finding.code.name().into(),
            (found.finding.code.severity() as i64).into(),
            found.opened.into(),
            json(&found.finding)?.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO finding (id, enterprise_id, issuer, device_id, event_id, event_gseq, unit_id, \
         line_id, place, code, severity, opened, finding)",
        "",
    )
    .await?;
    Ok(())
}

/// A finding about an event that is kept out of the state.
pub struct Aside {
    /// Whose event.
    pub enterprise: Uuid,
    /// Of which device.
    pub device: Uuid,
    /// The id it claims; nil for one that claims none.
    pub event: EventId,
    /// Its position.
    pub gseq: Position,
    /// Where it says it happened.
    pub place: Option<Uuid>,
    /// What.
    pub finding: Finding,
}

/// Writes these. Their rows are numbered from the top of what the act may number.
pub async fn write_aside(
    conn: &impl ConnectionTrait,
    first: Position,
    found: &[Aside],
) -> Result<(), DbErr> {
    let mut rows = Rows::of(13);
    let top = (first + 1) << super::folding::NUMBER_BITS;
    for (n, aside) in found.iter().enumerate() {
        rows.add([
            (top - 1 - n as i64).into(),
            aside.enterprise.into(),
            Option::<Uuid>::None.into(),
            aside.device.into(),
            aside.event.0.into(),
            aside.gseq.into(),
            Option::<i64>::None.into(),
            Option::<i64>::None.into(),
            aside.place.into(),
            aside.finding.code.name().into(),
            (aside.finding.code.severity() as i64).into(),
            aside.gseq.into(),
            json(&aside.finding)?.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO finding (id, enterprise_id, issuer, device_id, event_id, event_gseq, unit_id, \
         line_id, place, code, severity, opened, finding)",
        "",
    )
    .await?;
    Ok(())
}

/// Writes what open findings say now: the same ones, of other witnesses or another extent.
pub async fn write_changed(
    conn: &impl ConnectionTrait,
    changed: &[(i64, Finding)],
) -> Result<(), DbErr> {
    for (id, finding) in changed {
        conn.execute_raw(crate::db::statement(
            conn.get_database_backend(),
            "UPDATE finding SET finding = ? WHERE id = ?",
            [json(finding)?.into(), (*id).into()],
        ))
        .await?;
    }
    Ok(())
}

/// Closes findings: `by` is the event that explained them away.
pub async fn write_closed(
    conn: &impl ConnectionTrait,
    closed: &[(i64, Position, Option<EventId>)],
) -> Result<(), DbErr> {
    for (id, gseq, by) in closed {
        conn.execute_raw(crate::db::statement(
            conn.get_database_backend(),
            "UPDATE finding SET closed = ?, closed_by = ? WHERE id = ? AND closed IS NULL",
            [(*gseq).into(), by.map(|by| by.0).into(), (*id).into()],
        ))
        .await?;
    }
    Ok(())
}

/// Open findings about events themselves.
pub async fn open_of_events(
    conn: &impl ConnectionTrait,
    events: &BTreeSet<Position>,
) -> Result<BTreeMap<Position, Vec<(i64, Finding)>>, DbErr> {
    let keys = events.iter().map(|gseq| (*gseq).into()).collect();
    let rows = by_keys(
        conn,
        "SELECT DISTINCT id, event_gseq, finding FROM finding WHERE event_gseq IN ({keys}) \
         AND unit_id IS NULL AND line_id IS NULL AND closed IS NULL",
        &[],
        keys,
    )
    .await?;
    let mut out: BTreeMap<Position, Vec<(i64, Finding)>> = BTreeMap::new();
    for row in rows {
        let text: String = row.try_get("", "finding")?;
        let finding =
            serde_json::from_str(&text).map_err(|error| DbErr::Json(error.to_string()))?;
        let at: Position = row.try_get("", "event_gseq")?;
        out.entry(at)
            .or_default()
            .push((row.try_get("", "id")?, finding));
    }
    Ok(out)
}

/// The units an event names, itself first, then its container.
pub fn named(fact: &Fact) -> Vec<(UnitKey, i64)> {
    let event = &fact.event;
    let units = event.units.iter().filter_map(|read| read.unit.clone());
    let parent = event.parent.iter().filter_map(|read| read.unit.clone());
    units
        .map(|unit| (unit, NAMED))
        .chain(parent.map(|unit| (unit, CONTAINER)))
        .collect()
}
