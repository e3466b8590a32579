//! All SQL of a verification: events by their places in the sequences of devices, page by page, and how
//! those sequences stand. Reads only.

use crate::{
    db::{query_all, query_one},
    handheld::push::store::{ChainState, remarks_of},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use suyuan_sync::{
    admission::Remark,
    chain::Hash,
    ids::{DeviceId, Epoch, EventId, Seq},
};
use uuid::Uuid;

/// Events read at once: their texts are at most 512 KiB each.
const PAGE: i64 = 64;
/// Sequences and numbers read at once.
const LINES: i64 = 1_000;

/// A kept event, as far as its bytes can say what its row has to be.
pub(super) struct Kept {
    pub(super) gseq: Position,
    pub(super) device: DeviceId,
    pub(super) epoch: i64,
    pub(super) seq: i64,
    pub(super) event: Option<EventId>,
    pub(super) remarks: Vec<Remark>,
    /// `None`: it has not the length of a hash.
    pub(super) prev_hash: Option<Hash>,
    /// Likewise.
    pub(super) hash: Option<Hash>,
    pub(super) body: Vec<u8>,
}

/// Where a page ended.
#[derive(Clone, Copy, Default)]
pub(super) struct After {
    device: Uuid,
    epoch: i64,
    seq: i64,
    gseq: Position,
}

/// How the sequence of a device epoch stands. `None`: what is kept of it cannot be read.
pub(super) struct Stands {
    pub(super) device: DeviceId,
    pub(super) epoch: Epoch,
    pub(super) state: Option<ChainState>,
}

fn hash(row: &QueryResult, name: &str) -> Result<Option<Hash>, DbErr> {
    let bytes: Vec<u8> = row.try_get("", name)?;
    Ok(<[u8; 32]>::try_from(bytes).ok().map(Hash))
}

/// The next events of first branches, or of second ones (T3), by device, epoch and number; and where
/// to go on.
pub(super) async fn events(
    conn: &impl ConnectionTrait,
    second: bool,
    after: After,
) -> Result<(Vec<Kept>, After), DbErr> {
    let branch = if second { "IS NOT NULL" } else { "IS NULL" };
    // Of first branches a number is there once, and has an index.
    let (place, from) = if second {
        ("device_id, epoch, seq, gseq", "?, ?, ?, ?")
    } else {
        ("device_id, epoch, seq", "?, ?, ?")
    };
    let sql = format!(
        "SELECT gseq, device_id, epoch, seq, event_id, remarks, prev_hash, hash, body FROM event \
         WHERE branch {branch} AND ({place}) > ({from}) ORDER BY {place} LIMIT ?"
    );
    let mut values: Vec<Value> = vec![after.device.into(), after.epoch.into(), after.seq.into()];
    values.extend(second.then(|| after.gseq.into()));
    values.push(PAGE.into());
    let mut kept = Vec::new();
    for row in query_all(conn, &sql, values).await? {
        let remarks: String = row.try_get("", "remarks")?;
        let event: Option<Uuid> = row.try_get("", "event_id")?;
        kept.push(Kept {
            gseq: row.try_get("", "gseq")?,
            device: DeviceId(row.try_get("", "device_id")?),
            epoch: row.try_get("", "epoch")?,
            seq: row.try_get("", "seq")?,
            event: event.map(EventId),
            remarks: remarks_of(&remarks),
            prev_hash: hash(&row, "prev_hash")?,
            hash: hash(&row, "hash")?,
            body: row.try_get("", "body")?,
        });
    }
    let after = kept.last().map_or(after, |last| After {
        device: last.device.0,
        epoch: last.epoch,
        seq: last.seq,
        gseq: last.gseq,
    });
    Ok((kept, after))
}

/// How the next sequences stand, by device and epoch.
pub(super) async fn chains(
    conn: &impl ConnectionTrait,
    after: (Uuid, i64),
) -> Result<Vec<Stands>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT device_id, epoch, state FROM device_chain WHERE (device_id, epoch) > (?, ?) \
         ORDER BY device_id, epoch LIMIT ?",
        [after.0.into(), after.1.into(), LINES.into()],
    )
    .await?;
    let stands = |row: &QueryResult| {
        let state: String = row.try_get("", "state")?;
        Ok(Stands {
            device: DeviceId(row.try_get("", "device_id")?),
            epoch: row.try_get::<i64>("", "epoch")? as Epoch,
            state: serde_json::from_str(&state).ok(),
        })
    };
    rows.iter().map(stands).collect()
}

/// The numbers of a first branch that are there, from one on until another.
pub(super) async fn numbers(
    conn: &impl ConnectionTrait,
    (device, epoch): (DeviceId, Epoch),
    (first, last): (Seq, Seq),
) -> Result<Vec<Seq>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT seq FROM event WHERE branch IS NULL AND device_id = ? AND epoch = ? \
         AND seq >= ? AND seq <= ? ORDER BY seq LIMIT ?",
        [
            device.0.into(),
            i64::from(epoch).into(),
            (first as i64).into(),
            (last as i64).into(),
            LINES.into(),
        ],
    )
    .await?;
    let number = |row: &QueryResult| Ok(row.try_get::<i64>("", "seq")? as Seq);
    rows.iter().map(number).collect()
}

/// The hash after an event of a first branch.
pub(super) async fn hash_at(
    conn: &impl ConnectionTrait,
    device: DeviceId,
    epoch: Epoch,
    seq: Seq,
) -> Result<Option<Hash>, DbErr> {
    let row = query_one(
        conn,
        "SELECT hash FROM event WHERE branch IS NULL AND device_id = ? AND epoch = ? AND seq = ?",
        [
            device.0.into(),
            i64::from(epoch).into(),
            (seq as i64).into(),
        ],
    )
    .await?;
    row.map_or(Ok(None), |row| hash(&row, "hash"))
}
