//! All SQL about work that is left, and the pages of units it is about.

use super::{Scope, Work};
use crate::{
    db::{
        Db,
        rows::{Rows, by_keys, change_by_keys},
        statement,
    },
    handheld::units::store::{CONTAINER, UnitId},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::BTreeSet;
use suyuan_sync::{facts::AcceptScope, ids::EventId, unit::UnitKey};
use uuid::Uuid;

/// The row that says how far the log was followed.
const FOLLOWED: i64 = 0;

/// Adds work. The same again changes nothing; what merges with a row that has not begun widens that, and is the
/// reason for it from then on.
pub async fn add(conn: &impl ConnectionTrait, work: &[Work]) -> Result<(), DbErr> {
    let mut alone: Vec<&Work> = Vec::new();
    for work in work {
        let merges = work.scope.merges();
        if merges.is_empty() {
            alone.push(work);
            continue;
        }
        let Some((id, scope)) = not_begun(conn, &merges).await? else {
            write(conn, &[work]).await?;
            continue;
        };
        let scope = written(&scope.widened(&work.scope))?;
        // A page that was read before is of what was asked for by then: who read it does not pass this.
        conn.execute_raw(statement(
            conn.get_database_backend(),
            "UPDATE refold SET scope = ?, gseq = ? WHERE id = ?",
            [scope.into(), work.gseq.into(), id.into()],
        ))
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
    let query = statement(
        conn.get_database_backend(),
        "SELECT id, scope, cursor, cause, gseq FROM refold WHERE merges = ? AND merges <> '' \
         AND cursor = 0 ORDER BY id LIMIT 1",
        [merges.into()],
    );
    let row = conn.query_one_raw(query).await?;
    let work = row.as_ref().map(read).transpose()?.flatten();
    Ok(work.map(|work| (work.id, work.scope)))
}

fn written(scope: &Scope) -> Result<String, DbErr> {
    serde_json::to_string(scope).map_err(|error| DbErr::Json(error.to_string()))
}

/// What comes first of the work, and of that the oldest; so much of what acts left, and of all else. What a
/// newer program beside this one left, and this one does not know, is that one's to do.
pub async fn waiting(conn: &impl ConnectionTrait, limit: i64) -> Result<Vec<Work>, DbErr> {
    let mut known = ranked(conn, "rank < 0", limit).await?;
    known.extend(ranked(conn, "rank >= 0", limit).await?);
    Ok(known)
}

async fn ranked(conn: &impl ConnectionTrait, which: &str, limit: i64) -> Result<Vec<Work>, DbErr> {
    let sql = format!(
        "SELECT id, scope, cursor, cause, gseq FROM refold WHERE id > ? AND {which} \
         ORDER BY rank, id LIMIT ? OFFSET ?"
    );
    let (mut known, mut passed) = (Vec::new(), 0_i64);
    loop {
        let values = [FOLLOWED.into(), limit.into(), passed.into()];
        let query = statement(conn.get_database_backend(), &sql, values);
        let rows = conn.query_all_raw(query).await?;
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
    let query = statement(
        conn.get_database_backend(),
        "SELECT id FROM refold WHERE id > ? LIMIT 1",
        [FOLLOWED.into()],
    );
    Ok(conn.query_one_raw(query).await?.is_some())
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
    let query = statement(
        conn.get_database_backend(),
        "SELECT id, unit_key, facts, left_at FROM unit WHERE left_at IS NOT NULL AND id > ? \
         ORDER BY id LIMIT ?",
        [after.into(), limit.into()],
    );
    let rows = conn.query_all_raw(query).await?;
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
    let row = conn
        .query_one_raw(statement(
            conn.get_database_backend(),
            "SELECT cursor FROM refold WHERE id = ?",
            [FOLLOWED.into()],
        ))
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
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT gseq, kind, enterprise_id, subject, body FROM log_entry \
             WHERE gseq > ? AND gseq <= ? ORDER BY gseq LIMIT ?",
            [after.into(), until.into(), limit.into()],
        ))
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

/// Adds what entries made necessary, and notes that they were followed.
pub async fn follow(db: &Db, work: &[Work], to: Position) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    add(&tx, work).await?;
    tx.execute_raw(statement(
        db.backend(),
        "INSERT INTO refold (id, scope, cursor, cause, gseq) VALUES (?, '', ?, NULL, 0) \
         ON CONFLICT (id) DO UPDATE SET cursor = excluded.cursor",
        [FOLLOWED.into(), to.into()],
    ))
    .await?;
    tx.commit().await
}

/// The batches a recall covers, and whether it names units; of what it grew by at a position, or of
/// all.
pub async fn recalled(
    conn: &impl ConnectionTrait,
    recall: Uuid,
    since: Option<Position>,
) -> Result<(Vec<Uuid>, bool), DbErr> {
    let backend = conn.get_database_backend();
    let since = since.map_or(String::new(), |since| format!(" AND since = {since}"));
    let sql = format!("SELECT batch_id FROM recall_batch WHERE recall_id = ?{since}");
    let rows = conn
        .query_all_raw(statement(backend, &sql, [recall.into()]))
        .await?;
    let batches = rows.iter().map(|row| row.try_get("", "batch_id"));
    let batches = batches.collect::<Result<_, DbErr>>()?;
    let sql = format!(
        "SELECT 1 AS one FROM recall_units WHERE recall_id = ?{since} UNION ALL \
         SELECT 1 AS one FROM recall_code WHERE recall_id = ?{since} LIMIT 1"
    );
    let listed = conn
        .query_one_raw(statement(backend, &sql, [recall.into(), recall.into()]))
        .await?;
    Ok((batches, listed.is_some()))
}

/// A row of a page: what the cursor goes by, and the unit.
pub(super) type Numbered = Vec<(i64, UnitKey)>;

pub(super) fn numbered(rows: &[QueryResult]) -> Result<Numbered, DbErr> {
    rows.iter()
        .map(|row| {
            let key: String = row.try_get("", "unit_key")?;
            Ok((row.try_get("", "id")?, UnitKey::kept(&key)))
        })
        .collect()
}

async fn page(
    conn: &impl ConnectionTrait,
    sql: &str,
    of: Uuid,
    after: i64,
    limit: i64,
) -> Result<Numbered, DbErr> {
    let query = statement(
        conn.get_database_backend(),
        sql,
        [of.into(), after.into(), limit.into()],
    );
    numbered(&conn.query_all_raw(query).await?)
}

/// Units of a batch that are not inside a container, or judged by themselves there, or that went their own way
/// before they came into it: a tin that was sold, came back and was packed.
pub async fn of_batch(
    conn: &impl ConnectionTrait,
    batch: Uuid,
    after: i64,
    limit: i64,
) -> Result<Numbered, DbErr> {
    let sql = "SELECT id, unit_key FROM unit WHERE batch_id = ? AND id > ? \
               AND (inside IS NULL OR exceptional OR facts > 1 AND EXISTS (SELECT 1 FROM event_unit u \
               JOIN event e ON e.gseq = u.gseq WHERE u.unit_id = unit.id \
               AND e.kind NOT IN ('commission', 'pack', 'unpack', 'count'))) ORDER BY id LIMIT ?";
    page(conn, sql, batch, after, limit).await
}

/// Containers that hold or held units of a batch.
pub async fn holding(
    conn: &impl ConnectionTrait,
    batch: Uuid,
    after: i64,
    limit: i64,
) -> Result<Numbered, DbErr> {
    let sql = "SELECT DISTINCT u.id, u.unit_key FROM content c JOIN unit u ON u.id = c.container_id \
               WHERE c.batch_id = ? AND c.container_id > ? ORDER BY u.id LIMIT ?";
    page(conn, sql, batch, after, limit).await
}

/// Things that share what becomes of the container they are in, where one of the two is what somebody is
/// accepted for and the other is not.
pub async fn apart(
    conn: &impl ConnectionTrait,
    of: &AcceptScope,
    after: i64,
    limit: i64,
) -> Result<Numbered, DbErr> {
    let shares = "SELECT u.id AS id, u.unit_key AS unit_key FROM unit u JOIN unit c ON c.id = u.inside \
                  WHERE u.id > ? AND NOT u.exceptional AND";
    let (either, or, of): (_, _, Value) = match of {
        AcceptScope::Unit(unit) => ("u.unit_key = ?", "c.unit_key = ?", unit.as_str().into()),
        AcceptScope::Batch(batch) => (
            "u.batch_id = ? AND c.batch_id IS DISTINCT FROM u.batch_id",
            "c.batch_id = ? AND u.batch_id IS DISTINCT FROM c.batch_id",
            batch.0.into(),
        ),
        AcceptScope::Partner(_) => return Ok(Vec::new()),
    };
    let sql = format!("{shares} {either} UNION {shares} {or} ORDER BY id LIMIT ?");
    let values = [after.into(), of.clone(), after.into(), of, limit.into()];
    let query = statement(conn.get_database_backend(), &sql, values);
    numbered(&conn.query_all_raw(query).await?)
}

/// Units of an issuer.
pub async fn of_issuer(
    conn: &impl ConnectionTrait,
    issuer: Uuid,
    unbatched: bool,
    after: i64,
    limit: i64,
) -> Result<Numbered, DbErr> {
    let sql = if unbatched {
        "SELECT id, unit_key FROM unit WHERE issuer = ? AND id > ? AND batch_id IS NULL \
         ORDER BY id LIMIT ?"
    } else {
        "SELECT id, unit_key FROM unit WHERE issuer = ? AND id > ? ORDER BY id LIMIT ?"
    };
    page(conn, sql, issuer, after, limit).await
}

/// What is in stock at a place, as far as it answers for itself: the index `unit_counted` has just
/// these.
pub const AT_PLACE: &str = "SELECT id, unit_key FROM unit WHERE place = ? AND id > ? \
     AND phase = 'in_stock' AND inside IS NULL ORDER BY id LIMIT ?";

/// Units in stock at a place, as far as they answer for themselves.
pub async fn at_place(
    conn: &impl ConnectionTrait,
    place: Uuid,
    after: i64,
    limit: i64,
) -> Result<Numbered, DbErr> {
    page(conn, AT_PLACE, place, after, limit).await
}

/// Positions of events that count, after one and up to another.
pub async fn events(
    conn: &impl ConnectionTrait,
    after: Position,
    until: Position,
    limit: i64,
) -> Result<Vec<Position>, DbErr> {
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT gseq FROM event WHERE gseq > ? AND gseq <= ? AND counts_from IS NOT NULL \
             ORDER BY gseq LIMIT ?",
            [after.into(), until.into(), limit.into()],
        ))
        .await?;
    rows.iter().map(|row| row.try_get("", "gseq")).collect()
}

/// Positions of packs that name these units, as containers or as what is packed.
pub async fn packs_of(
    conn: &impl ConnectionTrait,
    units: &BTreeSet<UnitKey>,
) -> Result<BTreeSet<Position>, DbErr> {
    let keys = units.iter().map(|unit| unit.as_str().into()).collect();
    let rows = by_keys(
        conn,
        "SELECT DISTINCT e.gseq FROM unit u JOIN event_unit x ON x.unit_id = u.id \
         JOIN event e ON e.gseq = x.gseq WHERE u.unit_key IN ({keys}) AND e.kind = 'pack'",
        &[],
        keys,
    )
    .await?;
    rows.iter().map(|row| row.try_get("", "gseq")).collect()
}

/// Positions of devices' commissions that count, after one: the index `event_commission` has just these.
pub async fn commissions(
    conn: &impl ConnectionTrait,
    after: Position,
    limit: i64,
) -> Result<Vec<Position>, DbErr> {
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT gseq FROM event WHERE kind = 'commission' AND gseq > ? \
             AND counts_from IS NOT NULL ORDER BY gseq LIMIT ?",
            [after.into(), limit.into()],
        ))
        .await?;
    rows.iter().map(|row| row.try_get("", "gseq")).collect()
}

/// Positions of events that count and that put goods in stock at a place, after one and up to
/// another.
pub async fn arrivals(
    conn: &impl ConnectionTrait,
    place: Uuid,
    (after, until): (Position, Position),
    limit: i64,
) -> Result<Vec<Position>, DbErr> {
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT gseq FROM event WHERE location_id = ? \
             AND kind IN ('inbound', 'count', 'pack', 'unpack', 'inspect') \
             AND gseq > ? AND gseq <= ? AND counts_from IS NOT NULL ORDER BY gseq LIMIT ?",
            [place.into(), after.into(), until.into(), limit.into()],
        ))
        .await?;
    rows.iter().map(|row| row.try_get("", "gseq")).collect()
}

/// Up to where all events were committed at or before an instant, at most up to `until`. Instants
/// grow with positions, so it is looked for by halves.
pub async fn position_at(
    conn: &impl ConnectionTrait,
    at: i64,
    until: Position,
) -> Result<Position, DbErr> {
    let (mut known, mut most, mut probe) = (0, until, until);
    while known < most {
        let query = statement(
            conn.get_database_backend(),
            "SELECT gseq, stamp FROM event WHERE gseq > ? AND gseq <= ? ORDER BY gseq DESC LIMIT 1",
            [known.into(), probe.into()],
        );
        match conn.query_one_raw(query).await? {
            Some(row) if row.try_get::<i64>("", "stamp")? > at => {
                most = row.try_get::<Position>("", "gseq")? - 1;
            }
            Some(_) | None => known = probe,
        }
        probe = known + (most - known + 1) / 2;
    }
    Ok(known)
}

/// Which of these units were at a place by an event of their own, or were in containers.
pub async fn were_at(
    conn: &impl ConnectionTrait,
    units: &BTreeSet<UnitKey>,
    place: Uuid,
) -> Result<BTreeSet<UnitKey>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT u.unit_key FROM unit u WHERE (EXISTS (SELECT 1 FROM event_unit x \
         JOIN event e ON e.gseq = x.gseq WHERE x.unit_id = u.id AND e.location_id = ?) \
         OR u.state LIKE '%\"stays\":%') AND u.unit_key IN ({keys})",
        &[place.into()],
        units.iter().map(|key| key.as_str().into()).collect(),
    )
    .await?;
    let key = |row: &QueryResult| Ok(UnitKey::kept(&row.try_get::<String>("", "unit_key")?));
    rows.iter().map(key).collect()
}

/// Which of these units changed after a position.
pub async fn changed_since(
    conn: &impl ConnectionTrait,
    units: &BTreeSet<UnitKey>,
    since: Position,
) -> Result<BTreeSet<UnitKey>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT unit_key FROM unit WHERE gseq > ? AND unit_key IN ({keys})",
        &[since.into()],
        units.iter().map(|key| key.as_str().into()).collect(),
    )
    .await?;
    let key = |row: &QueryResult| Ok(UnitKey::kept(&row.try_get::<String>("", "unit_key")?));
    rows.iter().map(key).collect()
}

/// A finding that a partner's word was worth nothing.
pub struct Stranger {
    /// Its row.
    pub finding: i64,
    /// At which unit, if an acceptance of the issuer's is about it.
    pub unit: Option<UnitId>,
}

/// What a partner's word was found to be worth nothing for, and was not healed by a position: of an issuer's
/// units, and of containers of whomever, since what is found at a container is not found at the units in it. Acts
/// that know what was accepted since may have closed it meanwhile, and went by it no further than to what they
/// were about.
pub async fn strangers(
    conn: &impl ConnectionTrait,
    (issuer, partner): (Uuid, Uuid),
    since: Position,
    after: i64,
    limit: i64,
) -> Result<Vec<Stranger>, DbErr> {
    let sql = "SELECT id, unit_id, COALESCE(issuer = ?, FALSE) OR EXISTS (SELECT 1 FROM event_unit c \
               WHERE c.unit_id = finding.unit_id AND c.role = ?) AS concerned FROM finding \
               WHERE code = 'UNEXPECTED_HOLDER' AND enterprise_id = ? AND id > ? \
               AND (closed IS NULL OR closed > ?) ORDER BY id LIMIT ?";
    let values: [Value; 6] = [
        issuer.into(),
        CONTAINER.into(),
        partner.into(),
        after.into(),
        since.into(),
        limit.into(),
    ];
    let rows = conn
        .query_all_raw(statement(conn.get_database_backend(), sql, values))
        .await?;
    let read = |row: &QueryResult| {
        let (unit, concerned): (Option<UnitId>, bool) =
            (row.try_get("", "unit_id")?, row.try_get("", "concerned")?);
        Ok(Stranger {
            finding: row.try_get("", "id")?,
            unit: unit.filter(|_| concerned),
        })
    };
    rows.iter().map(read).collect()
}

/// The keys of units by number.
pub async fn keys(
    conn: &impl ConnectionTrait,
    ids: &BTreeSet<UnitId>,
) -> Result<BTreeSet<UnitKey>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT unit_key FROM unit WHERE id IN ({keys})",
        &[],
        ids.iter().map(|id| (*id).into()).collect(),
    )
    .await?;
    let key = |row: &QueryResult| Ok(UnitKey::kept(&row.try_get::<String>("", "unit_key")?));
    rows.iter().map(key).collect()
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
