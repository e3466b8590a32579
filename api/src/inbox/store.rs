//! All SQL of the inbox. [`put`], [`newest_key`] and [`taken_until`] work under the public
//! database role; the rest is the internal side's.

use super::{Message, PutError, seal::PublicKey};
use crate::{
    clock::Micros,
    db::{Db, execute, query_all, query_one},
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use uuid::Uuid;

/// Inserts a message. The conflict names no column: that would take the right to read it.
pub(super) async fn put(db: &Db, message: Message) -> Result<(), PutError> {
    match execute(
        db.writer(),
        "INSERT INTO public_inbox (id, kind, at, body, sealed) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT DO NOTHING",
        [
            message.id.into(),
            message.kind.into(),
            message.at.into(),
            message.body.into(),
            message.sealed.into(),
        ],
    )
    .await
    {
        Ok(_) => Ok(()),
        // The trigger's words (see the migration).
        Err(error) if error.to_string().contains("inbox full") => Err(PutError::Full),
        Err(error) => Err(error.into()),
    }
}

/// The key messages are sealed to now.
pub(super) async fn newest_key(conn: &impl ConnectionTrait) -> Result<Option<PublicKey>, DbErr> {
    let row = query_one(
        conn,
        "SELECT id, public_key FROM public_inbox_key ORDER BY id DESC LIMIT 1",
        [],
    )
    .await?;
    row.map(|row| {
        Ok(PublicKey {
            id: row.try_get("", "id")?,
            bytes: row.try_get("", "public_key")?,
        })
    })
    .transpose()
}

/// Up to when everything that was put has been taken.
pub(super) async fn taken_until(conn: &impl ConnectionTrait) -> Result<Micros, DbErr> {
    let row = query_one(
        conn,
        "SELECT taken_until FROM public_inbox_state WHERE id = 1",
        [],
    )
    .await?;
    row.map_or(Ok(0), |row| row.try_get("", "taken_until"))
}

/// Says up to when everything has been taken.
pub(super) async fn set_taken_until(db: &Db, at: Micros) -> Result<(), DbErr> {
    execute(
        db.writer(),
        "UPDATE public_inbox_state SET taken_until = ? WHERE id = 1 AND taken_until < ?",
        [at.into(), at.into()],
    )
    .await?;
    Ok(())
}

/// The messages that have waited longest.
pub(super) async fn waiting(db: &Db, limit: u64) -> Result<Vec<Message>, DbErr> {
    let rows = query_all(
        db.reader(),
        "SELECT id, kind, at, body, sealed FROM public_inbox ORDER BY at, id LIMIT ?",
        [(limit as i64).into()],
    )
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<Message, DbErr> {
    Ok(Message {
        id: row.try_get("", "id")?,
        kind: row.try_get("", "kind")?,
        at: row.try_get("", "at")?,
        body: row.try_get("", "body")?,
        sealed: row.try_get("", "sealed")?,
    })
}

/// Takes a message out. `false` when another process was faster.
pub(super) async fn delete(tx: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(
        execute(tx, "DELETE FROM public_inbox WHERE id = ?", [id.into()])
            .await?
            .rows_affected()
            == 1,
    )
}

/// Moves a message that cannot be read out of the way.
pub(super) async fn set_aside(
    db: &Db,
    message: &Message,
    reason: &str,
    now: Micros,
) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    execute(
        &tx,
        "INSERT INTO inbox_aside (id, kind, at, body, sealed, reason, set_aside_at) \
         SELECT id, kind, at, body, sealed, ?, ? FROM public_inbox WHERE id = ? \
         ON CONFLICT DO NOTHING",
        [reason.into(), now.into(), message.id.into()],
    )
    .await?;
    delete(&tx, message.id).await?;
    tx.commit().await
}

/// Forgets what was set aside before `before`: it may hold personal data.
pub(super) async fn forget_aside(db: &Db, before: Micros) -> Result<(), DbErr> {
    execute(
        db.writer(),
        "DELETE FROM inbox_aside WHERE set_aside_at < ?",
        [before.into()],
    )
    .await?;
    Ok(())
}

/// Keeps a key pair; one that stands there already stays.
pub(super) async fn add_key(
    db: &Db,
    id: i64,
    public: &[u8],
    wrapped: Vec<u8>,
    now: Micros,
) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    let kept = execute(
        &tx,
        "INSERT INTO inbox_key (id, wrapped, created_at) VALUES (?, ?, ?) \
             ON CONFLICT DO NOTHING",
        [id.into(), wrapped.into(), now.into()],
    )
    .await?;
    if kept.rows_affected() == 1 {
        execute(
            &tx,
            "INSERT INTO public_inbox_key (id, public_key) VALUES (?, ?)",
            [id.into(), public.to_vec().into()],
        )
        .await?;
    }
    tx.commit().await
}

/// The private half of a key, wrapped.
pub(super) async fn wrapped_key(db: &Db, id: i64) -> Result<Option<Vec<u8>>, DbErr> {
    let row = query_one(
        db.reader(),
        "SELECT wrapped FROM inbox_key WHERE id = ?",
        [id.into()],
    )
    .await?;
    row.map(|row| row.try_get("", "wrapped")).transpose()
}
