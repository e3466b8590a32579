//! All SQL that reads one event.

use crate::{
    clock::Micros,
    db::{query_one, rows::by_keys},
    handheld::{
        push::{
            meant,
            store::{branch, interval, remarks_of},
        },
        units::facts::eff_there,
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use suyuan_sync::{
    admission::{Branch, Remark},
    event::{self, Event},
    ids::{DeviceId, EventId},
    order::Interval,
};
use uuid::Uuid;

/// An event as it is kept.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Its position.
    pub gseq: Position,
    /// Whose.
    pub enterprise: Uuid,
    /// Of which device, and its place there.
    pub device: DeviceId,
    /// In which of its epochs.
    pub epoch: i64,
    /// Its number.
    pub seq: i64,
    /// Its id.
    pub id: EventId,
    /// What it says happened.
    pub kind: String,
    /// What stands now.
    pub fate: String,
    /// Why.
    pub remarks: Vec<Remark>,
    /// From which position on it counts.
    pub counts_from: Option<Position>,
    /// On which branch.
    pub branch: Branch,
    /// Where.
    pub location: Option<Uuid>,
    /// When.
    pub interval: Interval,
    /// When, in the order of things.
    pub eff: Micros,
    /// Its group.
    pub group: Option<Uuid>,
    /// It was brought by another device or in a file.
    pub imported: bool,
    /// Its text.
    pub text: Vec<u8>,
    /// What this program reads in it; none of what it cannot read.
    pub event: Option<Event>,
}

/// The event of an enterprise under an id.
pub async fn event(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    id: EventId,
) -> Result<Option<EventRow>, DbErr> {
    let Some(row) = query_one(
        conn,
        "SELECT gseq, stamp, device_id, epoch, seq, kind, fate, remarks, counts_from, branch, \
         location_id, lo, est, eff, corrects, group_id, imported, meant, body FROM event \
         WHERE event_id = ? AND enterprise_id = ?",
        [id.0.into(), enterprise.into()],
    )
    .await?
    else {
        return Ok(None);
    };
    let text: Vec<u8> = row.try_get("", "body")?;
    let meant: Option<String> = row.try_get("", "meant")?;
    let read = event::parse_bytes(&text).ok().map(|mut event| {
        event.mean(&meant::of_column(meant.as_deref()));
        event
    });
    Ok(Some(EventRow {
        gseq: row.try_get("", "gseq")?,
        enterprise,
        device: DeviceId(row.try_get("", "device_id")?),
        epoch: row.try_get("", "epoch")?,
        seq: row.try_get("", "seq")?,
        id,
        kind: row.try_get("", "kind")?,
        fate: row.try_get("", "fate")?,
        remarks: remarks_of(&row.try_get::<String>("", "remarks")?),
        counts_from: row.try_get("", "counts_from")?,
        branch: branch(&row)?,
        location: row.try_get("", "location_id")?,
        interval: interval(&row)?,
        eff: eff_there(&row)?,
        group: row.try_get("", "group_id")?,
        imported: row.try_get("", "imported")?,
        text,
        event: read,
    }))
}

/// A unit that an enterprise issued, of those that an event names itself.
pub async fn issued_among(
    conn: &impl ConnectionTrait,
    issuer: Uuid,
    event: &Event,
) -> Result<Option<String>, DbErr> {
    let named = event.units.iter().chain(&event.parent);
    let named = named.filter_map(|read| read.unit.as_ref());
    let rows = by_keys(
        conn,
        "SELECT unit_key FROM unit WHERE issuer = ? AND unit_key IN ({keys})",
        &[issuer.into()],
        named.map(|unit| unit.as_str().into()).collect(),
    )
    .await?;
    rows.first()
        .map(|row| row.try_get("", "unit_key"))
        .transpose()
}
