//! What was found about a device's own events, also when it closed, and by what: all SQL of it.

use super::store::Window;
use crate::{
    db::{query_all, rows::by_keys},
    findings::causes,
    handheld::push::act::note,
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    finding::Finding,
    ids::{DeviceId, EventId},
    wire::{ClosingEntry, Verdict},
};
use uuid::Uuid;

/// What opened or closed about a device's events, by position.
pub const CHANGES: [(&str, &str); 2] = [
    (
        "opened",
        "FROM finding WHERE device_id = ? AND opened > ? AND opened <= ?",
    ),
    (
        "closed",
        "FROM finding WHERE device_id = ? AND closed IS NOT NULL AND closed > ? AND closed <= ?",
    ),
];

/// When something opened or closed about the device's own events: the first `most` of each, in order,
/// with the event's position.
async fn changes(
    conn: &impl ConnectionTrait,
    window: &Window,
    most: i64,
) -> Result<Vec<(Position, Position)>, DbErr> {
    let mut changes = Vec::new();
    for (when, from) in CHANGES {
        let sql = format!("SELECT {when} AS gseq, event_gseq {from} ORDER BY {when} LIMIT ?");
        let values = [
            window.device.into(),
            window.after.into(),
            window.upto.into(),
            most.into(),
        ];
        for row in query_all(conn, &sql, values).await? {
            changes.push((row.try_get("", "gseq")?, row.try_get("", "event_gseq")?));
        }
    }
    changes.sort_unstable();
    Ok(changes)
}

/// The positions of these, as far as they are needed to end a page.
pub async fn positions(
    conn: &impl ConnectionTrait,
    window: &Window,
    most: i64,
) -> Result<Vec<Position>, DbErr> {
    let changes = changes(conn, window, most).await?;
    Ok(changes.into_iter().map(|(gseq, _)| gseq).collect())
}

/// What was found about the device's own events, of those about which something changed: with the
/// event's position and that of the change.
pub async fn verdicts(
    conn: &impl ConnectionTrait,
    window: &Window,
) -> Result<Vec<((Position, Position), Verdict)>, DbErr> {
    let (device, upto) = (window.device, window.upto);
    let mut at: BTreeMap<Position, Position> = BTreeMap::new();
    for (gseq, event) in changes(conn, window, i64::MAX).await? {
        let held = at.entry(event).or_insert(gseq);
        *held = (*held).max(gseq);
    }
    let keys = || at.keys().map(|gseq| (*gseq).into()).collect();
    let found = by_keys(
        conn,
        "SELECT id, event_gseq, opened, closed, closed_by, finding FROM finding \
         WHERE device_id = ? AND event_gseq IN ({keys}) ORDER BY id",
        &[device.into()],
        keys(),
    )
    .await?;
    let mut healed: BTreeSet<Position> = BTreeSet::new();
    for row in &found {
        let by: Option<Uuid> = row.try_get("", "closed_by")?;
        let closed: Option<Position> = row.try_get("", "closed")?;
        healed.extend(closed.filter(|closed| by.is_none() && *closed <= upto));
    }
    let entries = if healed.is_empty() {
        BTreeMap::new()
    } else {
        causes(conn, &healed).await?
    };
    let mut notes: BTreeMap<Position, Vec<_>> = BTreeMap::new();
    for row in found {
        let opened: Position = row.try_get("", "opened")?;
        if opened > upto {
            continue;
        }
        let text: String = row.try_get("", "finding")?;
        let finding: Finding =
            serde_json::from_str(&text).map_err(|error| DbErr::Json(error.to_string()))?;
        let closed: Option<Position> = row.try_get("", "closed")?;
        let mut note = note(&finding);
        note.closed = closed.is_some_and(|closed| closed <= upto);
        if note.closed {
            note.closed_by = row.try_get::<Option<Uuid>>("", "closed_by")?.map(EventId);
            let entry = closed.filter(|_| note.closed_by.is_none());
            let entry = entry.and_then(|closed| entries.get(&closed));
            note.closed_entry = entry.map(|entry| ClosingEntry {
                position: entry.position,
                kind: entry.kind.clone(),
            });
        }
        notes
            .entry(row.try_get("", "event_gseq")?)
            .or_default()
            .push(note);
    }
    let events = by_keys(
        conn,
        "SELECT gseq, event_id, epoch, seq FROM event WHERE gseq IN ({keys})",
        &[],
        keys(),
    )
    .await?;
    let mut verdicts = Vec::new();
    for row in events {
        let gseq: Position = row.try_get("", "gseq")?;
        let id: Option<Uuid> = row.try_get("", "event_id")?;
        let verdict = Verdict {
            event: EventId(id.unwrap_or(Uuid::nil())),
            device: DeviceId(device),
            epoch: row.try_get::<i64>("", "epoch")? as u32,
            seq: row.try_get::<i64>("", "seq")? as u64,
            findings: notes.remove(&gseq).unwrap_or_default(),
        };
        let change = at.get(&gseq).copied().unwrap_or(upto);
        verdicts.push(((gseq, change), verdict));
    }
    Ok(verdicts)
}
