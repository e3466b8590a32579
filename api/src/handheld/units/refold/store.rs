//! All SQL about work that is left, what acts left, and how far the log was followed. Which units work is about
//! finds `pages_store`.

use super::{Scope, Work};
use crate::{
    db::{
        Db, execute, query_all, query_one,
        rows::{Rows, by_keys, change_by_keys},
        statement,
    },
    handheld::units::store::UnitId,
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::BTreeSet;
use suyuan_sync::{ids::EventId, unit::UnitKey};
use uuid::Uuid;

/// The row that says how far the log was followed.
const FOLLOWED: i64 = 0;

/// Work of one act that merges with what waits.
const MERGED_AT_ONCE: usize = 32;

/// Adds work. The same again changes nothing; what merges with a row that has not begun widens that, and is the
/// reason for it from then on.
pub async fn add(conn: &impl ConnectionTrait, work: &[Work]) -> Result<(), DbErr> {
    let mut alone: Vec<&Work> = Vec::new();
    // To find what it merges with takes longer for very many than to do some of it twice.
    let many = work.len() > MERGED_AT_ONCE;
    for work in work {
        let merges = work.scope.merges();
        if merges.is_empty() || many {
            alone.push(work);
            continue;
        }
        let Some((id, scope)) = not_begun(conn, &merges).await? else {
            write(conn, &[work]).await?;
            continue;
        };
        let scope = written(&scope.widened(&work.scope))?;
        // A page that was read before is of what was asked for by then: who read it does not pass this.
        execute(
            conn,
            "UPDATE refold SET scope = ?, gseq = ? WHERE id = ?",
            [scope.into(), work.gseq.into(), id.into()],
        )
        .await?;
    }
    // One filler that was missing may move a month of a device, and each event of it is work.
    write(conn, &alone).await
}

async fn write(conn: &impl ConnectionTrait, work: &[&Work]) -> Result<(), DbErr> {
    let mut rows = Rows::of(7);
    for work in work {
        rows.add([
            work.id.into(),
            written(&work.scope)?.into(),
            work.cursor.into(),
            work.cause.map(|event| event.0).into(),
            work.gseq.into(),
            work.scope.rank().into(),
            work.scope.merges().into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO refold (id, scope, cursor, cause, gseq, rank, merges)",
        "ON CONFLICT (id) DO NOTHING",
    )
    .await?;
    Ok(())
}

/// The row under a name that has not begun, if there is one.
async fn not_begun(
    conn: &impl ConnectionTrait,
    merges: &str,
) -> Result<Option<(i64, Scope)>, DbErr> {
    let row = query_one(
        conn,
        "SELECT id, scope, cursor, cause, gseq FROM refold WHERE merges = ? AND merges <> '' \
         AND cursor = 0 ORDER BY id LIMIT 1",
        [merges.into()],
    )
    .await?;
    let work = row.as_ref().map(read).transpose()?.flatten();
    Ok(work.map(|work| (work.id, work.scope)))
}

fn written(scope: &Scope) -> Result<String, DbErr> {
    serde_json::to_string(scope).map_err(|error| DbErr::Json(error.to_string()))
}

/// What comes first of the work, and of that the oldest; so much of what acts left, and of all else, and of that the
/// oldest whatever it is if it goes `by_age`. What a newer program beside this one left, and this one does not know,
/// is that one's to do.
pub async fn waiting(
    conn: &impl ConnectionTrait,
    limit: i64,
    by_age: bool,
) -> Result<Vec<Work>, DbErr> {
    let mut known = ordered(conn, "rank < 0 ORDER BY rank, id", limit).await?;
    let others = if by_age {
        "rank >= 0 ORDER BY id"
    } else {
        "rank >= 0 ORDER BY rank, id"
    };
    known.extend(ordered(conn, others, limit).await?);
    Ok(known)
}

async fn ordered(conn: &impl ConnectionTrait, which: &str, limit: i64) -> Result<Vec<Work>, DbErr> {
    let sql = format!(
        "SELECT id, scope, cursor, cause, gseq FROM refold WHERE id > ? AND {which} \
         LIMIT ? OFFSET ?"
    );
    let (mut known, mut passed) = (Vec::new(), 0_i64);
    loop {
        let values = [FOLLOWED.into(), limit.into(), passed.into()];
        let rows = query_all(conn, &sql, values).await?;
        for row in &rows {
            known.extend(read(row)?);
        }
        passed += rows.len() as i64;
        if known.len() as i64 >= limit || (rows.len() as i64) < limit {
            known.truncate(usize::try_from(limit).unwrap_or_default());
            return Ok(known);
        }
    }
}

/// Work, unless it is of a kind that is not known here.
fn read(row: &QueryResult) -> Result<Option<Work>, DbErr> {
    let unread = |error| DbErr::Json(format!("refold: {error}"));
    let scope: String = row.try_get("", "scope")?;
    let scope: serde_json::Value = serde_json::from_str(&scope).map_err(unread)?;
    let Ok(scope) = serde_json::from_value(scope) else {
        return Ok(None);
    };
    Ok(Some(Work {
        id: row.try_get("", "id")?,
        scope,
        cursor: row.try_get("", "cursor")?,
        cause: row.try_get::<Option<Uuid>>("", "cause")?.map(EventId),
        gseq: row.try_get("", "gseq")?,
    }))
}

/// Is anything left?
pub async fn is_anything_left(conn: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(query_one(
        conn,
        "SELECT id FROM refold WHERE id > ? LIMIT 1",
        [FOLLOWED.into()],
    )
    .await?
    .is_some())
}

/// These events count from a position on.
pub async fn count_from(
    conn: &impl ConnectionTrait,
    events: &BTreeSet<Position>,
    position: Position,
) -> Result<(), DbErr> {
    let sql = "UPDATE event SET counts_from = ? WHERE gseq IN ({keys})";
    let keys = events.iter().map(|gseq| (*gseq).into()).collect();
    change_by_keys(conn, sql, &[position.into()], keys).await
}

/// Moves work on, or ends it; `false` if somebody else did meanwhile, or widened it.
pub async fn advance(
    conn: &impl ConnectionTrait,
    work: &Work,
    to: Option<i64>,
) -> Result<bool, DbErr> {
    let backend = conn.get_database_backend();
    let scope = written(&work.scope)?;
    let key: [Value; 4] = [
        work.id.into(),
        work.cursor.into(),
        scope.into(),
        work.gseq.into(),
    ];
    let query = match to {
        Some(to) => statement(
            backend,
            "UPDATE refold SET cursor = ? WHERE id = ? AND cursor = ? AND scope = ? AND gseq = ?",
            std::iter::once(Value::from(to)).chain(key),
        ),
        None => statement(
            backend,
            "DELETE FROM refold WHERE id = ? AND cursor = ? AND scope = ? AND gseq = ?",
            key,
        ),
    };
    Ok(conn.execute_raw(query).await?.rows_affected() > 0)
}

/// A unit that was left.
pub struct Left {
    /// Number.
    pub id: UnitId,
    /// Key.
    pub key: UnitKey,
    /// How many facts there are about it, or somewhat more.
    pub facts: usize,
    /// At which position.
    pub since: Position,
}

/// Units that were left, in the order of their numbers.
pub async fn left(
    conn: &impl ConnectionTrait,
    after: UnitId,
    limit: i64,
) -> Result<Vec<Left>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT id, unit_key, facts, left_at FROM unit WHERE left_at IS NOT NULL AND id > ? \
         ORDER BY id LIMIT ?",
        [after.into(), limit.into()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let facts: i64 = row.try_get("", "facts")?;
            Ok(Left {
                id: row.try_get("", "id")?,
                key: UnitKey::kept(&row.try_get::<String>("", "unit_key")?),
                facts: usize::try_from(facts).unwrap_or_default(),
                since: row.try_get("", "left_at")?,
            })
        })
        .collect()
}

/// An entry of the log that may change folds.
pub struct Told {
    /// Its position.
    pub gseq: Position,
    /// Its kind.
    pub kind: String,
    /// Whose.
    pub enterprise: Option<Uuid>,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub body: String,
}

/// How far the log was followed.
pub async fn followed(conn: &impl ConnectionTrait) -> Result<Position, DbErr> {
    let row = query_one(
        conn,
        "SELECT cursor FROM refold WHERE id = ?",
        [FOLLOWED.into()],
    )
    .await?;
    row.map_or(Ok(0), |row| row.try_get("", "cursor"))
}

/// Entries after a position, up to another.
pub async fn told(
    conn: &impl ConnectionTrait,
    after: Position,
    until: Position,
    limit: i64,
) -> Result<Vec<Told>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT gseq, kind, enterprise_id, subject, body FROM log_entry \
             WHERE gseq > ? AND gseq <= ? ORDER BY gseq LIMIT ?",
        [after.into(), until.into(), limit.into()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Told {
                gseq: row.try_get("", "gseq")?,
                kind: row.try_get("", "kind")?,
                enterprise: row.try_get("", "enterprise_id")?,
                subject: row.try_get("", "subject")?,
                body: row.try_get("", "body")?,
            })
        })
        .collect()
}

/// Is all worked in that the log says, up to its head? While something is left, rows of units say what they said.
pub async fn is_quiet(conn: &impl ConnectionTrait, head: Position) -> Result<bool, DbErr> {
    if is_anything_left(conn).await? {
        return Ok(false);
    }
    let entries = told(conn, followed(conn).await?, head, 1).await?;
    Ok(entries.is_empty())
}

/// Adds what entries made necessary, and notes that they were followed.
pub async fn follow(db: &Db, work: &[Work], to: Position) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    add(&tx, work).await?;
    execute(
        &tx,
        "INSERT INTO refold (id, scope, cursor, cause, gseq) VALUES (?, '', ?, NULL, 0) \
         ON CONFLICT (id) DO UPDATE SET cursor = excluded.cursor",
        [FOLLOWED.into(), to.into()],
    )
    .await?;
    tx.commit().await
}

/// Has cards of these units told again, as if they had changed at a position; of what shares the life of a
/// container, with that. Are there any?
pub async fn tell_again(
    conn: &impl ConnectionTrait,
    units: &BTreeSet<UnitKey>,
    at: Position,
) -> Result<bool, DbErr> {
    let keys = units.iter().map(|unit| unit.as_str().into()).collect();
    let sql = "SELECT DISTINCT id, inside, exceptional FROM unit WHERE unit_key IN ({keys})";
    let mut level = by_keys(conn, sql, &[], keys).await?;
    let mut told: BTreeSet<UnitId> = BTreeSet::new();
    while !level.is_empty() {
        let mut above = Vec::new();
        for row in &level {
            let (inside, exceptional): (Option<UnitId>, bool) =
                (row.try_get("", "inside")?, row.try_get("", "exceptional")?);
            told.insert(row.try_get("", "id")?);
            above.extend(inside.filter(|id| !exceptional && !told.contains(id)));
        }
        let sql = "SELECT DISTINCT id, inside, exceptional FROM unit WHERE id IN ({keys})";
        let above = above.into_iter().map(Into::into).collect();
        level = by_keys(conn, sql, &[], above).await?;
    }
    let keys = told.iter().map(|id| (*id).into()).collect();
    let sql = "UPDATE unit SET gseq = ? WHERE id IN ({keys})";
    change_by_keys(conn, sql, &[at.into()], keys).await?;
    Ok(!told.is_empty())
}
