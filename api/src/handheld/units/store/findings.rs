//! What was found about units, lines and events, while it is open and when it closed.

use super::{UnitId, json};
use crate::{
    db::rows::{Rows, by_keys, change_by_keys},
    handheld::units::folding::NUMBER_BITS,
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    facts::Fact,
    finding::{Detail, Finding, FindingCode, Subject},
    ids::{DeviceId, EventId},
};
use uuid::Uuid;

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

/// A new row of `finding`.
struct Row<'a> {
    id: i64,
    enterprise: Uuid,
    issuer: Option<Uuid>,
    device: Uuid,
    event: EventId,
    gseq: Position,
    unit: Option<UnitId>,
    line: Option<i64>,
    place: Option<Uuid>,
    opened: Position,
    finding: &'a Finding,
}

async fn write<'a>(
    conn: &impl ConnectionTrait,
    found: impl Iterator<Item = Row<'a>>,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(13);
    for row in found {
        rows.add([
            row.id.into(),
            row.enterprise.into(),
            row.issuer.into(),
            row.device.into(),
            row.event.0.into(),
            row.gseq.into(),
            row.unit.into(),
            row.line.into(),
            row.place.into(),
            row.finding.code.name().into(),
            (row.finding.code.severity() as i64).into(),
            row.opened.into(),
            json(row.finding)?.into(),
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

/// Writes findings that opened.
pub async fn write_opened(conn: &impl ConnectionTrait, opened: &[Opened]) -> Result<(), DbErr> {
    let rows = opened.iter().map(|found| {
        let event = &found.fact.event;
        Row {
            id: found.id,
            enterprise: found.fact.enterprise.0,
            issuer: found.issuer,
            device: event.device.0,
            event: event.id,
            gseq: found.fact.gseq,
            unit: found.unit,
            line: found.line,
            place: Some(event.location.0).filter(|place| !place.is_nil()),
            opened: found.opened,
            finding: &found.finding,
        }
    });
    write(conn, rows).await
}

/// What is found about an event that is kept out of the state.
pub struct Aside {
    /// Whose event.
    pub enterprise: Uuid,
    /// Of which device.
    pub device: Uuid,
    /// The id it claims.
    pub event: Option<EventId>,
    /// Its position.
    pub gseq: Position,
    /// Where it says it happened.
    pub place: Option<Uuid>,
    /// What.
    pub codes: BTreeSet<FindingCode>,
}

impl Aside {
    fn findings(&self) -> impl Iterator<Item = Finding> {
        let event = self.event.unwrap_or(EventId(Uuid::nil()));
        self.codes.iter().map(move |code| Finding {
            code: *code,
            subject: Subject::Event,
            event,
            device: DeviceId(self.device),
            batch: None,
            witnesses: vec![event],
            detail: Detail::Nothing,
        })
    }
}

/// Writes what is found about these since now. Rows are numbered from the top of what the act, which began at
/// `first`, may number.
pub async fn write_aside(
    conn: &impl ConnectionTrait,
    first: Position,
    found: &[Aside],
) -> Result<(), DbErr> {
    let top = (first + 1) << NUMBER_BITS;
    let found: Vec<(&Aside, Finding)> = found
        .iter()
        .flat_map(|aside| aside.findings().map(move |finding| (aside, finding)))
        .collect();
    let rows = (1..).zip(&found).map(|(n, (aside, finding))| Row {
        id: top - n,
        enterprise: aside.enterprise,
        issuer: None,
        device: aside.device,
        event: finding.event,
        gseq: aside.gseq,
        unit: None,
        line: None,
        place: aside.place,
        opened: aside.gseq.max(first),
        finding,
    });
    write(conn, rows).await
}

/// The same of events that stood aside before and still do: what is not found any more closes at the
/// act's position.
pub async fn rewrite_aside(
    conn: &impl ConnectionTrait,
    at: Position,
    mut found: Vec<Aside>,
) -> Result<(), DbErr> {
    let events = found.iter().map(|aside| aside.gseq).collect();
    let open = open_of_events(conn, &events).await?;
    let mut closed = Vec::new();
    for aside in &mut found {
        for (id, finding) in open.get(&aside.gseq).into_iter().flatten() {
            if !aside.codes.remove(&finding.code) {
                closed.push((*id, at, None));
            }
        }
    }
    write_closed(conn, &closed).await?;
    write_aside(conn, at, &found).await
}

/// An open finding that says something else now.
pub struct Changed {
    /// Its row.
    pub id: i64,
    /// From which position on.
    pub at: Position,
    /// What.
    pub finding: Finding,
}

/// How many findings one statement changes, most first.
const CHANGED: [usize; 3] = [128, 16, 1];

/// Writes what open findings say now: the same ones, of other witnesses or another extent. What they
/// said until then is kept beside them.
pub async fn write_changed(conn: &impl ConnectionTrait, changed: &[Changed]) -> Result<(), DbErr> {
    let mut at: BTreeMap<Position, Vec<Value>> = BTreeMap::new();
    for changed in changed {
        at.entry(changed.at).or_default().push(changed.id.into());
    }
    for (at, ids) in at {
        let sql = "INSERT INTO finding_was (id, until, finding) \
                   SELECT id, CAST(? AS BIGINT), finding FROM finding WHERE id IN ({keys}) \
                   ON CONFLICT (id, until) DO NOTHING";
        change_by_keys(conn, sql, &[at.into()], ids).await?;
    }
    let mut left = changed;
    while !left.is_empty() {
        // Few texts of statements, so that each is prepared once.
        let size = CHANGED.into_iter().find(|size| *size <= left.len());
        let (now, rest) = left.split_at(size.unwrap_or(1));
        left = rest;
        let rows = vec!["(CAST(? AS BIGINT), CAST(? AS TEXT))"; now.len()].join(", ");
        let sql = format!(
            "WITH changed (id, finding) AS (VALUES {rows}) \
             UPDATE finding SET finding = changed.finding FROM changed WHERE finding.id = changed.id"
        );
        let mut values: Vec<Value> = Vec::with_capacity(2 * now.len());
        for changed in now {
            values.extend([changed.id.into(), json(&changed.finding)?.into()]);
        }
        let query = crate::db::statement(conn.get_database_backend(), &sql, values);
        conn.execute_raw(query).await?;
    }
    Ok(())
}

/// Whose units findings are about, where that became known after they opened: by whose it is.
pub async fn write_issuers(
    conn: &impl ConnectionTrait,
    issued: &BTreeMap<Uuid, Vec<UnitId>>,
) -> Result<(), DbErr> {
    for (issuer, units) in issued {
        let sql = "UPDATE finding SET issuer = ? WHERE unit_id IN ({keys})";
        let keys = units.iter().map(|id| (*id).into()).collect();
        change_by_keys(conn, sql, &[(*issuer).into()], keys).await?;
    }
    Ok(())
}

/// Closes findings: `by` is the event that explained them away.
pub async fn write_closed(
    conn: &impl ConnectionTrait,
    closed: &[(i64, Position, Option<EventId>)],
) -> Result<(), DbErr> {
    let mut alike: BTreeMap<(Position, Option<EventId>), Vec<Value>> = BTreeMap::new();
    for (id, gseq, by) in closed {
        alike.entry((*gseq, *by)).or_default().push((*id).into());
    }
    for ((gseq, by), ids) in alike {
        let sql = "UPDATE finding SET closed = ?, closed_by = ? \
                   WHERE closed IS NULL AND id IN ({keys})";
        change_by_keys(conn, sql, &[gseq.into(), by.map(|by| by.0).into()], ids).await?;
    }
    Ok(())
}

/// Open findings of units, each with its row.
pub async fn open_of_units(
    conn: &impl ConnectionTrait,
    units: &[UnitId],
) -> Result<BTreeMap<UnitId, Vec<(i64, Finding)>>, DbErr> {
    let keys = units.iter().map(|id| (*id).into()).collect();
    let sql = "SELECT id, unit_id, finding FROM finding WHERE unit_id IN ({keys}) \
               AND unit_id IS NOT NULL AND closed IS NULL";
    let mut open: BTreeMap<UnitId, BTreeMap<i64, Finding>> = BTreeMap::new();
    for row in by_keys(conn, sql, &[], keys).await? {
        let text: String = row.try_get("", "finding")?;
        let finding =
            serde_json::from_str(&text).map_err(|error| DbErr::Json(error.to_string()))?;
        let unit: UnitId = row.try_get("", "unit_id")?;
        open.entry(unit)
            .or_default()
            .insert(row.try_get("", "id")?, finding);
    }
    let list =
        |(unit, found): (UnitId, BTreeMap<i64, Finding>)| (unit, found.into_iter().collect());
    Ok(open.into_iter().map(list).collect())
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
