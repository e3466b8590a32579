//! All SQL about what stands aside.

use super::wire::{AsideOut, KIND_CHARS_MAX, TEXT_LISTED_BYTES};
use crate::{
    clock::{Micros, rfc3339},
    db::{Db, execute, query_all, query_one},
    handheld::push::store::{ChainState, branch, interval, remarks_of},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};
use suyuan_sync::{
    admission::{Branch, Outcome, Remark},
    chain::Hash,
    event::parse_bytes,
    ids::{Epoch, EventId, GroupId, Seq},
    order::Interval,
};
use uuid::Uuid;

/// An event that stands aside.
#[derive(Debug, Clone)]
pub struct AsideRow {
    /// Its position.
    pub gseq: Position,
    /// Whose.
    pub enterprise: Uuid,
    /// Of which device.
    pub device: Uuid,
    /// Of which epoch.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
    /// The id it claims.
    pub event: Option<EventId>,
    /// On which branch.
    pub branch: Branch,
    /// Where it says it happened.
    pub place: Option<Uuid>,
    /// What is remarked now.
    pub outcome: Outcome,
    /// Findings of its admission.
    pub flags: String,
    /// When.
    pub interval: Interval,
    /// Its bytes.
    pub body: Vec<u8>,
}

const COLUMNS: &str = "gseq, stamp, enterprise_id, device_id, epoch, seq, event_id, kind, fate, \
                       remarks, branch, location_id, lo, est, flags, imported, body";

fn row(row: &QueryResult) -> Result<AsideRow, DbErr> {
    let number = |name: &str| row.try_get::<i64>("", name);
    Ok(AsideRow {
        gseq: number("gseq")?,
        enterprise: row.try_get("", "enterprise_id")?,
        device: row.try_get("", "device_id")?,
        epoch: number("epoch")? as Epoch,
        seq: number("seq")? as Seq,
        event: row.try_get::<Option<Uuid>>("", "event_id")?.map(EventId),
        branch: branch(row)?,
        place: row.try_get("", "location_id")?,
        outcome: Outcome::of(remarks_of(&row.try_get::<String>("", "remarks")?)),
        flags: row.try_get("", "flags")?,
        interval: interval(row)?,
        body: row.try_get("", "body")?,
    })
}

async fn rows<const N: usize>(
    conn: &impl ConnectionTrait,
    which: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM event WHERE counts_from IS NULL AND {which}");
    query_all(conn, &sql, values).await
}

/// What of an event is told: all of its text, or how it begins.
#[derive(Clone, Copy)]
enum Told {
    /// Of a list.
    Beginning,
    /// Of the one that was asked for.
    Whole,
}

async fn told<const N: usize>(
    conn: &impl ConnectionTrait,
    told: Told,
    which: &str,
    values: [Value; N],
) -> Result<Vec<AsideOut>, DbErr> {
    let text = match told {
        // Of an empty text SQLite has no beginning.
        Told::Beginning => {
            let nothing = match conn.get_database_backend() {
                DbBackend::Postgres => "''::bytea",
                _ => "x''",
            };
            format!("COALESCE(substr(body, 1, {TEXT_LISTED_BYTES}), {nothing})")
        }
        Told::Whole => "body".to_owned(),
    };
    let sql = format!(
        "SELECT gseq, stamp, device_id, epoch, seq, event_id, \
         substr(kind, 1, {KIND_CHARS_MAX}) AS kind, fate, remarks, imported, length(body) AS bytes, {text} AS text FROM event WHERE counts_from IS NULL AND {which}"
    );
    let found = query_all(conn, &sql, values).await?;
    let read = |row: &QueryResult| {
        let number = |name: &str| row.try_get::<i64>("", name);
        let remarks = Outcome::of(remarks_of(&row.try_get::<String>("", "remarks")?)).remarks;
        let text: Vec<u8> = row.try_get("", "text")?;
        Ok(AsideOut {
            position: number("gseq")?,
            received_at: rfc3339(number("stamp")?),
            device: row.try_get("", "device_id")?,
            epoch: number("epoch")?,
            seq: number("seq")?,
            event_id: row.try_get("", "event_id")?,
            kind: row.try_get("", "kind")?,
            fate: row.try_get("", "fate")?,
            reason: reason(&remarks, told, &text),
            remarks: remarks.iter().map(|it| it.name().to_owned()).collect(),
            imported: row.try_get("", "imported")?,
            bytes: length(row)?,
            text: Some(String::from_utf8_lossy(whole_characters(&text, told)).into_owned()),
        })
    };
    found.iter().map(read).collect()
}

/// Why a text is no event: nothing of it is kept but the text, and that says it. Of a beginning it
/// would not be true.
fn reason(remarks: &[Remark], told: Told, text: &[u8]) -> Option<String> {
    let unreadable = remarks.contains(&Remark::Unreadable);
    match told {
        Told::Whole if unreadable => parse_bytes(text).err().map(|fault| fault.reason()),
        _ => None,
    }
}

/// What was cut within a character ends before it.
fn whole_characters(text: &[u8], told: Told) -> &[u8] {
    match (told, std::str::from_utf8(text)) {
        (Told::Beginning, Err(cut)) if cut.error_len().is_none() => &text[..cut.valid_up_to()],
        _ => text,
    }
}

/// How long the text of an event is; the two databases count in numbers of different width.
fn length(row: &QueryResult) -> Result<u64, DbErr> {
    let bytes = row.try_get::<i64>("", "bytes");
    let bytes = bytes.or_else(|_| row.try_get::<i32>("", "bytes").map(i64::from))?;
    Ok(bytes.unsigned_abs())
}

/// What stands aside of an enterprise, in pages by position: of each text how it begins, so that a page
/// is small whatever devices signed.
pub async fn page(
    db: &Db,
    enterprise: Uuid,
    after: Position,
    limit: u64,
) -> Result<Vec<AsideOut>, DbErr> {
    let which = "enterprise_id = ? AND gseq > ? ORDER BY gseq LIMIT ?";
    let values = [enterprise.into(), after.into(), (limit as i64).into()];
    told(db.reader(), Told::Beginning, which, values).await
}

/// One that stands aside of an enterprise, with all of its text.
pub async fn whole(db: &Db, enterprise: Uuid, gseq: Position) -> Result<Option<AsideOut>, DbErr> {
    let which = "enterprise_id = ? AND gseq = ?";
    let values = [enterprise.into(), gseq.into()];
    let mut found = told(db.reader(), Told::Whole, which, values).await?;
    Ok(found.pop())
}

/// One of an enterprise, by position.
pub async fn of(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    gseq: Position,
) -> Result<Option<AsideRow>, DbErr> {
    let which = "enterprise_id = ? AND gseq = ?";
    let found = rows(conn, which, [enterprise.into(), gseq.into()]).await?;
    found.first().map(row).transpose()
}

/// Does this event of the enterprise count already?
pub async fn counts(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    gseq: Position,
) -> Result<bool, DbErr> {
    let found = query_one(
        conn,
        "SELECT 1 AS one FROM event WHERE enterprise_id = ? AND gseq = ? \
             AND counts_from IS NOT NULL",
        [enterprise.into(), gseq.into()],
    )
    .await?;
    Ok(found.is_some())
}

/// Parked events of kinds that were unknown, in pages by position.
pub async fn unknown_kinds(
    conn: &impl ConnectionTrait,
    after: Position,
    limit: i64,
) -> Result<Vec<AsideRow>, DbErr> {
    let which = "(fate = 'parked' AND remarks LIKE '%UNKNOWN_KIND%' \
                 OR fate = 'quarantined' AND remarks LIKE '%UNFOLDABLE%') AND gseq > ? \
                 ORDER BY gseq LIMIT ?";
    let found = rows(conn, which, [after.into(), limit.into()]).await?;
    found.iter().map(row).collect()
}

/// Events of an epoch that stand aside, by id.
pub async fn by_id(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    events: &[EventId],
) -> Result<Vec<AsideRow>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM event WHERE counts_from IS NULL AND device_id = ? AND epoch = ? \
         AND event_id IN ({{keys}})"
    );
    let before = [device.into(), i64::from(epoch).into()];
    let keys = events.iter().map(|event| event.0.into()).collect();
    let found = crate::db::rows::by_keys(conn, &sql, &before, keys).await?;
    found.iter().map(row).collect()
}

/// Gives an event that could not be read before its times, and what its device had been told; and what was found
/// of it as it stood aside the place.
pub async fn set_times(
    conn: &impl ConnectionTrait,
    gseq: Position,
    kind: &str,
    (location, group): (Option<Uuid>, Option<Uuid>),
    interval: Interval,
    (delivered, anchored): (Position, Option<Micros>),
) -> Result<(), DbErr> {
    execute(
        conn,
        "UPDATE event SET kind = ?, location_id = ?, group_id = ?, lo = ?, est = ?, \
         delivered = ?, anchored = ? WHERE gseq = ?",
        [
            kind.into(),
            location.into(),
            group.into(),
            interval.lo.into(),
            interval.est.into(),
            delivered.into(),
            anchored.into(),
            gseq.into(),
        ],
    )
    .await?;
    execute(
        conn,
        "UPDATE finding SET place = ? WHERE event_gseq = ? AND unit_id IS NULL \
         AND line_id IS NULL AND place IS NULL",
        [location.into(), gseq.into()],
    )
    .await?;
    Ok(())
}

/// Device epochs in whose sequence something is missing.
pub async fn gapped(
    conn: &impl ConnectionTrait,
) -> Result<Vec<(Uuid, Uuid, Epoch, ChainState)>, DbErr> {
    let found = query_all(
        conn,
        "SELECT enterprise_id, device_id, epoch, state FROM device_chain \
             WHERE contiguous < highest",
        [],
    )
    .await?;
    let mut gapped = Vec::with_capacity(found.len());
    for row in &found {
        let (state, device): (String, Uuid) =
            (row.try_get("", "state")?, row.try_get("", "device_id")?);
        match serde_json::from_str(&state) {
            Ok(state) => gapped.push((
                row.try_get("", "enterprise_id")?,
                device,
                row.try_get::<i64>("", "epoch")? as Epoch,
                state,
            )),
            // Of one device; the gaps of the others are none the less there.
            Err(error) => tracing::error!(%error, %device, "the state of a chain cannot be read"),
        }
    }
    Ok(gapped)
}

/// Since when what is missing before the events behind a place is missed: when the first of these was
/// received, on the branch in state.
pub async fn missed_since(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seq: Seq,
) -> Result<Option<Micros>, DbErr> {
    let found = query_one(
        conn,
        "SELECT MIN(stamp) AS since FROM event \
             WHERE device_id = ? AND epoch = ? AND seq > ? AND branch IS NULL",
        [device.into(), i64::from(epoch).into(), (seq as i64).into()],
    )
    .await?;
    found.map_or(Ok(None), |row| row.try_get("", "since"))
}

/// Is it missed since then, or longer? The first that says so is enough.
pub async fn is_missed_since(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seq: Seq,
    due: Micros,
) -> Result<bool, DbErr> {
    let found = query_one(
        conn,
        "SELECT 1 AS one FROM event WHERE device_id = ? AND epoch = ? AND seq > ? \
             AND branch IS NULL AND stamp <= ? ORDER BY seq LIMIT 1",
        [
            device.into(),
            i64::from(epoch).into(),
            (seq as i64).into(),
            due.into(),
        ],
    )
    .await?;
    Ok(found.is_some())
}

/// The hash after the event at a place; on the branch in state.
pub async fn hash_after(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seq: Seq,
) -> Result<Option<Hash>, DbErr> {
    let found = query_one(
        conn,
        "SELECT hash FROM event WHERE device_id = ? AND epoch = ? AND seq = ? \
             AND branch IS NULL",
        [device.into(), i64::from(epoch).into(), (seq as i64).into()],
    )
    .await?;
    let Some(row) = found else {
        return Ok(None);
    };
    let hash: Vec<u8> = row.try_get("", "hash")?;
    let hash = hash
        .try_into()
        .map_err(|_| DbErr::Type("event.hash".into()))?;
    Ok(Some(Hash(hash)))
}

/// Groups that have waited since before an instant.
pub async fn overdue_groups(
    conn: &impl ConnectionTrait,
    before: Micros,
    limit: i64,
) -> Result<Vec<(Uuid, Epoch, GroupId)>, DbErr> {
    let found = query_all(
        conn,
        "SELECT device_id, epoch, group_id FROM device_group \
             WHERE waiting_since IS NOT NULL AND waiting_since <= ? ORDER BY waiting_since LIMIT ?",
        [before.into(), limit.into()],
    )
    .await?;
    found
        .iter()
        .map(|row| {
            Ok((
                row.try_get("", "device_id")?,
                row.try_get::<i64>("", "epoch")? as Epoch,
                GroupId(row.try_get("", "group_id")?),
            ))
        })
        .collect()
}
