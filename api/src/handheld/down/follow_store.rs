//! What was told follows the log: each row of `told_unit` learns when its unit last changed, so that a
//! pull finds by place and position what it has to tell again or take back. All SQL of it.
//!
//! The row of `told_follow` is the position this came to, and its lock. Whoever follows holds it alone;
//! whoever notes what is told shares it. So at every moment a row whose unit changed at or below that
//! position says so: it was there when the follower went by, or it was written after the follower and
//! took the position from the unit.

use crate::{
    db::{Db, execute, query_all, rows::by_keys},
    handheld::units::store::UnitId,
    log::{self, Position},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Value};
use uuid::Uuid;

/// Units one transaction goes by: it holds SQLite's writer, which others wait for.
const AT_ONCE: i64 = 1024;

/// Goes on from where it stopped; says whether there is more.
pub async fn follow(db: &Db) -> Result<bool, DbErr> {
    let seen = db.reader();
    let (head, _) = log::head_in(seen).await?;
    let known = query_all(seen, "SELECT gseq FROM told_follow WHERE id = 1", []).await?;
    let known = known.first().map(|row| row.try_get("", "gseq"));
    if known
        .transpose()?
        .is_none_or(|known: Position| known >= head)
    {
        return Ok(false);
    }
    let tx = db.begin().await?;
    let locked = query_all(
        &tx,
        "UPDATE told_follow SET gseq = gseq WHERE id = 1 RETURNING gseq",
        [],
    )
    .await?;
    let Some(row) = locked.first() else {
        tx.rollback().await?;
        return Ok(false);
    };
    let after: Position = row.try_get("", "gseq")?;
    // Read after the lock: everything at or below it is committed and seen by what follows.
    let (head, _) = log::head_in(&tx).await?;
    let last = query_all(
        &tx,
        "SELECT gseq FROM unit WHERE gseq > ? AND gseq <= ? ORDER BY gseq LIMIT 1 OFFSET ?",
        [after.into(), head.into(), AT_ONCE.into()],
    )
    .await?;
    let last = last.first().map(|row| row.try_get("", "gseq"));
    let upto: Position = last.transpose()?.unwrap_or(head);
    execute(
        &tx,
        "UPDATE told_unit SET gseq = u.gseq FROM unit AS u \
         WHERE u.id = told_unit.unit_id AND u.gseq > ? AND u.gseq <= ?",
        [after.into(), upto.into()],
    )
    .await?;
    execute(
        &tx,
        "UPDATE told_follow SET gseq = ? WHERE id = 1",
        [upto.into()],
    )
    .await?;
    tx.commit().await?;
    Ok(upto < head)
}

/// Notes that a place is told of these units, as of when each last changed.
pub async fn note(tx: &DatabaseTransaction, location: Uuid, units: &[UnitId]) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        query_all(
            tx,
            "SELECT gseq FROM told_follow WHERE id = 1 FOR SHARE",
            [],
        )
        .await?;
    }
    by_keys(
        tx,
        "INSERT INTO told_unit (location_id, unit_id, gseq) \
         SELECT ?, u.id, u.gseq FROM unit u WHERE u.id IN ({keys}) \
         ON CONFLICT (location_id, unit_id) DO UPDATE SET gseq = excluded.gseq \
         WHERE told_unit.gseq = 0 RETURNING unit_id",
        &[location.into()],
        units.iter().map(|unit| Value::from(*unit)).collect(),
    )
    .await?;
    Ok(())
}
