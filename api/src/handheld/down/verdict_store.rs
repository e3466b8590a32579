//! What was found about a device's own events, also when it closed: all SQL of it.

use super::store::{Window, rows};
use crate::{db::rows::by_keys, handheld::push::act::note, log::Position};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::BTreeMap;
use suyuan_sync::{
    finding::Finding,
    ids::{DeviceId, EventId},
    wire::Verdict,
};
use uuid::Uuid;

/// What was found about the device's own events, of those about which something changed: with the
/// event's position and that of the change.
pub async fn verdicts(
    conn: &impl ConnectionTrait,
    window: &Window,
) -> Result<Vec<((Position, Position), Verdict)>, DbErr> {
    let (device, after, upto) = (window.device, window.after, window.upto);
    let changed = rows(
        conn,
        "SELECT event_gseq, opened, closed FROM finding WHERE device_id = ? \
         AND ((opened > ? AND opened <= ?) OR (closed > ? AND closed <= ?))",
        [
            device.into(),
            after.into(),
            upto.into(),
            after.into(),
            upto.into(),
        ],
    )
    .await?;
    let mut at: BTreeMap<Position, Position> = BTreeMap::new();
    for row in changed {
        let event: Position = row.try_get("", "event_gseq")?;
        let closed: Option<Position> = row.try_get("", "closed")?;
        let positions = [Some(row.try_get("", "opened")?), closed];
        let within = positions
            .into_iter()
            .flatten()
            .filter(|at| *at > after && *at <= upto);
        let newest = within.max().unwrap_or(upto);
        let held = at.entry(event).or_insert(newest);
        *held = (*held).max(newest);
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
