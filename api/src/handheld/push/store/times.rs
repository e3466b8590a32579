//! What the effective times of a device epoch go on from, and events that move in the order.

use super::{json, parse};
use crate::{
    clock::Micros,
    db::{rows::Rows, statement},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use suyuan_sync::{
    ids::{Epoch, Seq},
    order::Interval,
    time::{Placed, Prefix, Timed},
};
use uuid::Uuid;

/// What the device had acknowledged before an instant.
pub async fn delivered_before(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    at: Micros,
) -> Result<Position, DbErr> {
    let row = conn
        .query_one_raw(statement(
            conn.get_database_backend(),
            "SELECT gseq FROM device_ack WHERE device_id = ? AND epoch = ? AND at < ? \
             ORDER BY at DESC LIMIT 1",
            [device.into(), i64::from(epoch).into(), at.into()],
        ))
        .await?;
    row.map_or(Ok(0), |row| row.try_get("", "gseq"))
}

/// What the device had acknowledged before each instant of this span, and when: oldest first, from
/// the last acknowledgement before it on.
pub async fn acknowledged(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    (from, to): (Micros, Micros),
) -> Result<Vec<(Micros, Position)>, DbErr> {
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT at, gseq FROM device_ack WHERE device_id = ? AND epoch = ? AND at < ? \
             AND at >= COALESCE((SELECT MAX(at) FROM device_ack \
             WHERE device_id = ? AND epoch = ? AND at < ?), 0) ORDER BY at",
            [
                device.into(),
                i64::from(epoch).into(),
                to.into(),
                device.into(),
                i64::from(epoch).into(),
                from.into(),
            ],
        ))
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "at")?, row.try_get("", "gseq")?)))
        .collect()
}

/// The nearest checkpoint below a number.
pub async fn checkpoint_before(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seq: Seq,
) -> Result<Option<Prefix>, DbErr> {
    let row = conn
        .query_one_raw(statement(
            conn.get_database_backend(),
            "SELECT state FROM device_checkpoint WHERE device_id = ? AND epoch = ? AND seq < ? \
             ORDER BY seq DESC LIMIT 1",
            [device.into(), i64::from(epoch).into(), (seq as i64).into()],
        ))
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    parse(
        &row.try_get::<String>("", "state")?,
        "device_checkpoint.state",
    )
    .map(Some)
}

/// Events of an epoch that are in the state, above a number.
pub async fn placed_after(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seq: Seq,
) -> Result<Vec<Placed>, DbErr> {
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT seq, lo, est, stamp, eff FROM event WHERE device_id = ? AND epoch = ? \
             AND seq > ? AND branch IS NULL AND counts_from IS NOT NULL ORDER BY seq",
            [device.into(), i64::from(epoch).into(), (seq as i64).into()],
        ))
        .await?;
    rows.iter()
        .map(|row| {
            let number = |name: &str| row.try_get::<i64>("", name);
            Ok(Placed {
                timed: Timed {
                    seq: number("seq")? as Seq,
                    interval: Interval {
                        lo: number("lo")?,
                        est: number("est")?,
                        hi: number("stamp")?,
                    },
                },
                eff: Some(number("eff")?),
            })
        })
        .collect()
}

/// Forgets checkpoints above a number.
pub async fn forget_checkpoints(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seq: Seq,
) -> Result<(), DbErr> {
    conn.execute_raw(statement(
        conn.get_database_backend(),
        "DELETE FROM device_checkpoint WHERE device_id = ? AND epoch = ? AND seq > ?",
        [device.into(), i64::from(epoch).into(), (seq as i64).into()],
    ))
    .await?;
    Ok(())
}

/// Keeps checkpoints.
pub async fn keep_checkpoints(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    checkpoints: &[Prefix],
) -> Result<(), DbErr> {
    let mut rows = Rows::of(4);
    for prefix in checkpoints {
        rows.add([
            device.into(),
            i64::from(epoch).into(),
            (prefix.seq as i64).into(),
            json(prefix)?.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO device_checkpoint (device_id, epoch, seq, state)",
        "ON CONFLICT (device_id, epoch, seq) DO UPDATE SET state = excluded.state",
    )
    .await?;
    Ok(())
}

/// Moves events to another place in the order.
pub async fn move_events(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    eff: &[(Seq, Micros)],
) -> Result<(), DbErr> {
    for (seq, eff) in eff {
        conn.execute_raw(statement(
            conn.get_database_backend(),
            "UPDATE event SET eff = ? WHERE device_id = ? AND epoch = ? AND seq = ? \
             AND branch IS NULL",
            [
                (*eff).into(),
                device.into(),
                i64::from(epoch).into(),
                (*seq as i64).into(),
            ],
        ))
        .await?;
    }
    Ok(())
}
