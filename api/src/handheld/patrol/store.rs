//! All SQL of the patrol: how far it has come, and the units that come next.

use crate::{
    clock::Micros,
    db::{execute, query_all, query_one},
    handheld::units::store::UnitId,
};
use sea_orm::{ConnectionTrait, DbErr};
use suyuan_sync::unit::UnitKey;

/// How far it has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Units up to this number were looked at in this round.
    pub after: UnitId,
    /// It does not go on before.
    pub not_before: Micros,
}

/// There is one row.
const ROW: i64 = 1;

/// How far it has come; from the first unit on where there is no row yet.
pub async fn progress(conn: &impl ConnectionTrait) -> Result<Progress, DbErr> {
    let row = query_one(
        conn,
        "SELECT unit_id, not_before FROM patrol WHERE id = ?",
        [ROW.into()],
    )
    .await?;
    row.map_or(Ok(Progress::default()), |row| {
        Ok(Progress {
            after: row.try_get("", "unit_id")?,
            not_before: row.try_get("", "not_before")?,
        })
    })
}

/// Moves it on. Several processes may look at the same page: both note the same.
pub async fn note(conn: &impl ConnectionTrait, to: Progress) -> Result<(), DbErr> {
    execute(
        conn,
        "INSERT INTO patrol (id, unit_id, not_before) VALUES (?, ?, ?) \
         ON CONFLICT (id) DO UPDATE SET unit_id = excluded.unit_id, \
         not_before = excluded.not_before",
        [ROW.into(), to.after.into(), to.not_before.into()],
    )
    .await?;
    Ok(())
}

/// A unit that comes next.
pub struct Next {
    /// Its number.
    pub id: UnitId,
    /// Which.
    pub key: UnitKey,
    /// How many facts there are about it, or somewhat more.
    pub facts: usize,
}

/// The units that come after one.
pub async fn next(
    conn: &impl ConnectionTrait,
    after: UnitId,
    limit: usize,
) -> Result<Vec<Next>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT id, unit_key, facts FROM unit WHERE id > ? ORDER BY id LIMIT ?",
        [after.into(), (limit as i64).into()],
    )
    .await?;
    let rows = rows.iter().map(|row| {
        let facts: i64 = row.try_get("", "facts")?;
        Ok(Next {
            id: row.try_get("", "id")?,
            key: UnitKey::kept(&row.try_get::<String>("", "unit_key")?),
            facts: usize::try_from(facts).unwrap_or_default(),
        })
    });
    rows.collect()
}
