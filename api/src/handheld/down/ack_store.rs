//! What a device acknowledged: whoever asks with a cursor has stored everything up to it.
//!
//! An event counts as made with that knowledge when its anchor is at least the one the device
//! signed its question with: a device stores an anchor together with the page it came with, so
//! the greatest one it holds came with that page or after it.

use crate::{
    clock::Micros,
    db::{Db, execute, query_all},
    handheld::push::store::ChainState,
    log::Position,
};
use sea_orm::DbErr;
use suyuan_sync::ids::{DeviceId, Epoch};
use uuid::Uuid;

/// Which device acknowledges.
#[derive(Debug, Clone, Copy)]
pub struct Device {
    /// Whose.
    pub enterprise: Uuid,
    /// Which.
    pub id: Uuid,
    /// Its epoch.
    pub epoch: Epoch,
}

/// Keeps that the device has everything up to `cursor`, as it said under an anchor of this instant.
pub async fn acknowledge(
    db: &Db,
    device: Device,
    cursor: Position,
    anchor: Micros,
) -> Result<(), DbErr> {
    let key = || [device.id.into(), i64::from(device.epoch).into()];
    let held = query_all(
        db.reader(),
        "SELECT delivered FROM device_chain WHERE device_id = ? AND epoch = ?",
        key(),
    )
    .await?;
    let held: Option<Position> = held
        .first()
        .map(|row| row.try_get("", "delivered"))
        .transpose()?;
    if held.is_some_and(|held| held >= cursor) {
        return Ok(());
    }
    // Events with this very anchor count, and "before" is what admission asks.
    let at = anchor.saturating_sub(1);
    let tx = db.begin().await?;
    let nothing = ChainState::empty(DeviceId(device.id), device.epoch);
    let nothing = serde_json::to_string(&nothing);
    let nothing = nothing.map_err(|error| DbErr::Json(error.to_string()))?;
    let [id, epoch] = key();
    let moved = execute(
        &tx,
        "INSERT INTO device_chain (device_id, epoch, enterprise_id, contiguous, highest, forked, \
         delivered, delivered_at, gseq, state) VALUES (?, ?, ?, 0, 0, FALSE, ?, ?, 0, ?) \
         ON CONFLICT (device_id, epoch) DO UPDATE SET delivered = excluded.delivered, \
         delivered_at = excluded.delivered_at \
         WHERE device_chain.delivered < excluded.delivered",
        [
            id,
            epoch,
            device.enterprise.into(),
            cursor.into(),
            at.into(),
            nothing.into(),
        ],
    );
    if moved.await?.rows_affected() == 0 {
        // Somebody acknowledged more meanwhile.
        return tx.rollback().await;
    }
    // What was acknowledged under a later anchor, and is less, was held then as well: what is known grows with
    // the anchors.
    let [id, epoch] = key();
    execute(
        &tx,
        "DELETE FROM device_ack WHERE device_id = ? AND epoch = ? AND at > ? AND gseq < ?",
        [id, epoch, at.into(), cursor.into()],
    )
    .await?;
    let [id, epoch] = key();
    execute(
        &tx,
        "INSERT INTO device_ack (device_id, epoch, at, gseq) VALUES (?, ?, ?, ?) \
         ON CONFLICT (device_id, epoch, at) DO UPDATE SET gseq = excluded.gseq \
         WHERE device_ack.gseq < excluded.gseq",
        [id, epoch, at.into(), cursor.into()],
    )
    .await?;
    tx.commit().await
}
