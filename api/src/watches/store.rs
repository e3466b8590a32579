//! All SQL of watches. [`find`] works under the public database role; the rest is the internal
//! side's.

use super::rules::TokenHash;
use crate::{
    clock::Micros,
    db::{Db, Reader, execute, query_one},
    log::Act,
};
use sea_orm::DbErr;

/// A watch as it stands.
#[derive(Debug)]
pub struct Watch {
    /// Canonical paths.
    pub codes: Vec<String>,
    /// When it was begun.
    pub created_at: Micros,
    /// When it ends, or ended.
    pub ends_at: Micros,
}

/// The watch of a token.
pub async fn find(db: &Reader, token: &TokenHash) -> Result<Option<Watch>, DbErr> {
    let row = query_one(
        db.reader(),
        "SELECT codes, created_at, ends_at FROM public_watch WHERE token_hash = ?",
        [token.as_str().into()],
    )
    .await?;
    row.map(|row| {
        let codes: String = row.try_get("", "codes")?;
        Ok(Watch {
            codes: serde_json::from_str(&codes).map_err(|e| DbErr::Json(e.to_string()))?,
            created_at: row.try_get("", "created_at")?,
            ends_at: row.try_get("", "ends_at")?,
        })
    })
    .transpose()
}

/// Begins a watch. `false` when it is there, or was: an id never names a second one.
pub(super) async fn begin(act: &Act, token: &TokenHash, watch: &Watch) -> Result<bool, DbErr> {
    let codes = serde_json::to_string(&watch.codes).map_err(|e| DbErr::Json(e.to_string()))?;
    Ok(execute(
        act.tx(),
        "INSERT INTO public_watch (token_hash, codes, created_at, ends_at, position) \
         VALUES (?, ?, ?, ?, ?) ON CONFLICT (token_hash) DO NOTHING",
        [
            token.as_str().into(),
            codes.into(),
            watch.created_at.into(),
            watch.ends_at.into(),
            act.position().into(),
        ],
    )
    .await?
    .rows_affected()
        == 1)
}

/// Ends a watch: its codes are forgotten, the row stays for a day as a mark, so that a message
/// that overtook the one that begins it is not lost. `false` when it has ended before.
pub(super) async fn end(act: &Act, token: &TokenHash) -> Result<bool, DbErr> {
    Ok(execute(
        act.tx(),
        "INSERT INTO public_watch (token_hash, codes, created_at, ends_at, position) \
         VALUES (?, '[]', ?, ?, ?) ON CONFLICT (token_hash) DO UPDATE SET \
         codes = excluded.codes, ends_at = excluded.ends_at, position = excluded.position \
         WHERE public_watch.ends_at > excluded.ends_at",
        [
            token.as_str().into(),
            act.stamp().into(),
            act.stamp().into(),
            act.position().into(),
        ],
    )
    .await?
    .rows_affected()
        == 1)
}

/// Forgets watches that ended before `before`. They were answered as unknown since they ended, so
/// no public answer changes and the log has nothing to say. Returns how many there were.
pub async fn forget_ended(db: &Db, before: Micros) -> Result<u64, DbErr> {
    Ok(execute(
        db.writer(),
        "DELETE FROM public_watch WHERE ends_at < ?",
        [before.into()],
    )
    .await?
    .rows_affected())
}
