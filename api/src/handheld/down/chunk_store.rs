//! Parts of recall lists and snapshots, by their hash: all SQL of them. A part never changes; it is
//! kept while somebody was told of it not long ago, so that a download can go on after a break,
//! whichever process it reaches.

use crate::{
    clock::Micros,
    db::{
        Db, execute, query_all,
        rows::{Rows, by_keys},
    },
};
use sea_orm::{ConnectionTrait, DbErr, Value};
use std::collections::BTreeSet;
use suyuan_sync::{chain::Hash, limits::CHUNK_HOURS};
use uuid::Uuid;

/// A part is kept so long after it was made or last told of: an hour more than it can be fetched, since a
/// snapshot may be made a while before anybody is told of it.
pub const KEPT: Micros = (CHUNK_HOURS as Micros + 1) * 3600 * 1_000_000;
/// Parts written by one transaction: it holds SQLite's writer, which others wait for, about ten
/// milliseconds.
const AT_ONCE: usize = 8;

fn key(hash: &Hash) -> Value {
    hash.0.to_vec().into()
}

/// Which of these are kept.
async fn kept(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    hashes: impl Iterator<Item = &Hash>,
) -> Result<BTreeSet<Vec<u8>>, DbErr> {
    let found = by_keys(
        conn,
        "SELECT DISTINCT hash FROM sync_chunk WHERE enterprise_id = ? AND hash IN ({keys})",
        &[enterprise.into()],
        hashes.map(key).collect(),
    )
    .await?;
    found.iter().map(|row| row.try_get("", "hash")).collect()
}

/// Keeps parts, those that are kept already too, from `now` on.
pub async fn put(
    db: &Db,
    enterprise: Uuid,
    parts: &[(Hash, Vec<u8>)],
    now: Micros,
) -> Result<(), DbErr> {
    let known = kept(db.reader(), enterprise, parts.iter().map(|(hash, _)| hash)).await?;
    let (old, new): (Vec<_>, Vec<_>) = parts
        .iter()
        .partition(|(hash, _)| known.contains(hash.0.as_slice()));
    for parts in new.chunks(AT_ONCE) {
        let mut write = Rows::of(4);
        for (hash, bytes) in parts {
            write.add([
                enterprise.into(),
                key(hash),
                bytes.clone().into(),
                now.into(),
            ]);
        }
        let tx = db.begin().await?;
        write
            .write(
                &tx,
                "INSERT INTO sync_chunk (enterprise_id, hash, bytes, needed_at)",
                "ON CONFLICT (enterprise_id, hash) DO UPDATE SET needed_at = excluded.needed_at",
            )
            .await?;
        tx.commit().await?;
    }
    let old: Vec<Hash> = old.iter().map(|(hash, _)| *hash).collect();
    if touch(db, enterprise, &old, now).await? {
        return Ok(());
    }
    // Forgotten between the two statements, by whoever tidies up.
    Err(DbErr::RecordNotUpdated)
}

/// Somebody is told of these again; false if any of them is not kept any more.
pub async fn touch(db: &Db, enterprise: Uuid, hashes: &[Hash], now: Micros) -> Result<bool, DbErr> {
    if hashes.is_empty() {
        return Ok(true);
    }
    let places = vec!["?"; hashes.len()].join(", ");
    let sql = format!(
        "UPDATE sync_chunk SET needed_at = ? WHERE enterprise_id = ? AND hash IN ({places})"
    );
    let values = [Value::from(now), enterprise.into()];
    let values = values.into_iter().chain(hashes.iter().map(key));
    let tx = db.begin().await?;
    let done = execute(&tx, &sql, values).await?;
    tx.commit().await?;
    let distinct: BTreeSet<&Hash> = hashes.iter().collect();
    Ok(done.rows_affected() == distinct.len() as u64)
}

/// The bytes of a part of this enterprise's.
pub async fn bytes(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    hash: &Hash,
) -> Result<Option<Vec<u8>>, DbErr> {
    let found = query_all(
        conn,
        "SELECT bytes FROM sync_chunk WHERE enterprise_id = ? AND hash = ?",
        [enterprise.into(), key(hash)],
    )
    .await?;
    let row = found.first();
    row.map(|row| row.try_get("", "bytes")).transpose()
}

/// Forgets what nobody was told of since `before`, a few at a time; says how many that were.
pub async fn forget(db: &Db, before: Micros) -> Result<u64, DbErr> {
    let tx = db.begin().await?;
    let gone = execute(
        &tx,
        "DELETE FROM sync_chunk WHERE (enterprise_id, hash) IN \
             (SELECT enterprise_id, hash FROM sync_chunk WHERE needed_at < ? \
             ORDER BY needed_at LIMIT 64)",
        [before.into()],
    )
    .await?;
    tx.commit().await?;
    Ok(gone.rows_affected())
}
