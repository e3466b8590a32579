//! What was found about units, lines and events, while it is open and when it closed.

use super::{UnitId, json};
use crate::{
    db::rows::{Rows, by_keys},
    handheld::units::folding::NUMBER_BITS,
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{facts::Fact, finding::Finding, ids::EventId};
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
    let top = (first + 1) << NUMBER_BITS;
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

/// An open finding that says something else now.
pub struct Changed {
    /// Its row.
    pub id: i64,
    /// From which position on.
    pub at: Position,
    /// What.
    pub finding: Finding,
}

/// Writes what open findings say now: the same ones, of other witnesses or another extent. What they
/// said until then is kept beside them.
pub async fn write_changed(conn: &impl ConnectionTrait, changed: &[Changed]) -> Result<(), DbErr> {
    for Changed { id, at, finding } in changed {
        let backend = conn.get_database_backend();
        conn.execute_raw(crate::db::statement(
            backend,
            "INSERT INTO finding_was (id, until, finding) \
             SELECT id, ?, finding FROM finding WHERE id = ? \
             ON CONFLICT (id, until) DO NOTHING",
            [(*at).into(), (*id).into()],
        ))
        .await?;
        conn.execute_raw(crate::db::statement(
            backend,
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
