//! Frames that could not be read.

use crate::{
    clock::Micros,
    db::{Db, execute},
};
use sea_orm::DbErr;
use suyuan_sync::ids::Epoch;
use uuid::Uuid;

/// Most dead letters kept of an enterprise: nobody's push another's out.
const DEAD_LETTERS_MAX: i64 = 200;

/// Most bytes kept of one.
const DEAD_LETTER_BYTES_MAX: usize = 64 * 1024;

/// Keeps a frame that could not be read, for whoever looks into it. The oldest of its enterprise go.
pub async fn dead_letter(
    db: &Db,
    enterprise: Uuid,
    (device, epoch): (Uuid, Epoch),
    at: Micros,
    why: &str,
    body: &[u8],
) -> Result<(), DbErr> {
    let body = body.get(..DEAD_LETTER_BYTES_MAX).unwrap_or(body);
    let tx = db.begin().await?;
    execute(
        &tx,
        "INSERT INTO dead_letter (id, enterprise_id, device_id, epoch, at, why, body) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            Uuid::now_v7().into(),
            enterprise.into(),
            device.into(),
            i64::from(epoch).into(),
            at.into(),
            why.chars().take(500).collect::<String>().into(),
            body.to_vec().into(),
        ],
    )
    .await?;
    execute(
        &tx,
        "DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter \
         WHERE enterprise_id = ? ORDER BY at DESC, id DESC LIMIT 1000 OFFSET ?)",
        [enterprise.into(), DEAD_LETTERS_MAX.into()],
    )
    .await?;
    tx.commit().await
}
