//! All SQL of the log but for its [chain](super::chain_store).

use super::{Kind, Position, chain::Link, chain_store, wire::EntryOut};
use crate::{
    clock::{Clock, Micros, rfc3339},
    db::{Db, execute, query_one, statement},
    entities::log_entry,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QueryResult, QuerySelect,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What PostgreSQL's clock shows, in microseconds.
const SHOWN: &str = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint";

/// The body of a confirmation of the clock.
#[derive(Serialize, Deserialize)]
pub(super) struct Confirmed {
    /// What it showed.
    pub(super) clock: Micros,
}

/// Is the time the database's own, which is read after the lock is held? Virtual time is nobody
/// else's.
pub(super) fn is_databases_own(conn: &impl ConnectionTrait, clock: &Clock) -> bool {
    conn.get_database_backend() == DbBackend::Postgres && !clock.stands()
}

/// What PostgreSQL's clock shows.
pub(super) async fn shown(conn: &impl ConnectionTrait) -> Result<Micros, DbErr> {
    let sql = format!("SELECT {SHOWN} AS shown");
    let row = query_one(conn, &sql, []).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the time".into()))?
        .try_get("", "shown")
}

/// Makes the head row at the first start; the one that came first stays.
pub(super) async fn establish(db: &Db, candidate: Uuid, clock: &Clock) -> Result<Uuid, DbErr> {
    let tx = db.begin().await?;
    let backend = db.backend();
    let query = if is_databases_own(&tx, clock) {
        let sql = format!(
            "INSERT INTO log_head (id, installation, gseq, stamp) VALUES (1, ?, 0, {SHOWN}) \
             ON CONFLICT (id) DO NOTHING"
        );
        statement(backend, &sql, [candidate.into()])
    } else {
        statement(
            backend,
            "INSERT INTO log_head (id, installation, gseq, stamp) VALUES (1, ?, 0, ?) \
             ON CONFLICT (id) DO NOTHING",
            [candidate.into(), clock.now().into()],
        )
    };
    tx.execute_raw(query).await?;
    // Locked before it is read: another process may be moving it, and the public head must never
    // go back.
    let row = query_one(
        &tx,
        "UPDATE log_head SET gseq = gseq WHERE id = 1 RETURNING installation, gseq, stamp",
        [],
    )
    .await?
    .ok_or_else(|| DbErr::RecordNotFound("log_head".into()))?;
    let installation: Uuid = row.try_get("", "installation")?;
    let (gseq, stamp): (i64, i64) = (row.try_get("", "gseq")?, row.try_get("", "stamp")?);
    move_public_head(&tx, installation, gseq, stamp).await?;
    tx.commit().await?;
    Ok(installation)
}

/// The head, locked by an act.
pub(super) struct Locked {
    /// The act's first position.
    pub(super) first: Position,
    /// The earliest instant it may have.
    pub(super) stamp: Micros,
    /// The instant of the position before it.
    pub(super) last: Micros,
    /// What the clock shows.
    pub(super) shown: Micros,
    /// How far the chain has come.
    pub(super) link: Link,
}

/// Locks the head, and moves nothing: that is done where the act ends. The first statement of every act.
pub(super) async fn lock(
    tx: &DatabaseTransaction,
    clock: &Clock,
    installation: Uuid,
) -> Result<Locked, DbErr> {
    let (backend, now) = (tx.get_database_backend(), clock.now());
    let chain = chain_store::COLUMNS;
    let query = if is_databases_own(tx, clock) {
        let sql = format!(
            "UPDATE log_head SET gseq = gseq WHERE id = 1 \
             RETURNING gseq, stamp, GREATEST(stamp + 1, {SHOWN}) AS base, {SHOWN} AS shown, {chain}"
        );
        statement(backend, &sql, [])
    } else {
        let sql = format!(
            "UPDATE log_head SET gseq = gseq WHERE id = 1 RETURNING gseq, stamp, \
             CASE WHEN stamp < ? THEN ? ELSE stamp + 1 END AS base, CAST(? AS BIGINT) AS shown, {chain}"
        );
        statement(backend, &sql, [now.into(), now.into(), now.into()])
    };
    let row: QueryResult = tx
        .query_one_raw(query)
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("log_head".into()))?;
    Ok(Locked {
        first: row.try_get::<Position>("", "gseq")? + 1,
        stamp: row.try_get("", "base")?,
        last: row.try_get("", "stamp")?,
        shown: row.try_get("", "shown")?,
        link: chain_store::link(&row, installation)?,
    })
}

/// The last position, and what the clock showed then. That is its instant, unless a clock that was
/// set back was confirmed and has not caught up: then every position since took the next instant.
pub(super) async fn last_shown(conn: &impl ConnectionTrait) -> Result<(Position, Micros), DbErr> {
    let (position, stamp) = head(conn).await?;
    let shown = match last_confirmed(conn, 0).await? {
        Some((at, then, clock)) if stamp - then == position - at => clock,
        Some(_) | None => stamp,
    };
    Ok((position, shown))
}

/// What the clock showed when it was last confirmed, if that was behind this position.
pub(super) async fn confirmed_after(
    conn: &impl ConnectionTrait,
    position: Position,
) -> Result<Option<Micros>, DbErr> {
    let last = last_confirmed(conn, position).await?;
    Ok(last.map(|(_, _, clock)| clock))
}

/// The last confirmation behind a position: where, at what instant, and what the clock showed.
async fn last_confirmed(
    conn: &impl ConnectionTrait,
    position: Position,
) -> Result<Option<(Position, Micros, Micros)>, DbErr> {
    // The name stands in the text: an index has these entries only.
    let sql = format!(
        "SELECT gseq, stamp, body FROM log_entry WHERE kind = '{}' AND gseq > ? \
         ORDER BY gseq DESC LIMIT 1",
        Kind::ClockConfirmed.name()
    );
    let Some(row) = query_one(conn, &sql, [position.into()]).await? else {
        return Ok(None);
    };
    let (body, stamp): (String, Micros) = (row.try_get("", "body")?, row.try_get("", "stamp")?);
    let body = serde_json::from_str::<Confirmed>(&body);
    let clock = body.map_or(stamp, |body| body.clock);
    Ok(Some((row.try_get("", "gseq")?, stamp, clock)))
}

/// The head, unlocked.
pub(super) async fn head(conn: &impl ConnectionTrait) -> Result<(Position, Micros), DbErr> {
    let row = query_one(conn, "SELECT gseq, stamp FROM log_head WHERE id = 1", [])
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("log_head".into()))?;
    Ok((row.try_get("", "gseq")?, row.try_get("", "stamp")?))
}

/// Copies the head to where the public side may see it: installation, position, instant.
pub(super) const PUBLIC_HEAD: &str = "INSERT INTO public_head (id, installation, position, stamp) VALUES (1, ?, ?, ?) \
     ON CONFLICT (id) DO UPDATE SET installation = excluded.installation, \
     position = excluded.position, stamp = excluded.stamp \
     WHERE public_head.position <= excluded.position";

/// Does so.
async fn move_public_head(
    tx: &DatabaseTransaction,
    installation: Uuid,
    position: Position,
    stamp: Micros,
) -> Result<(), DbErr> {
    execute(
        tx,
        PUBLIC_HEAD,
        [installation.into(), position.into(), stamp.into()],
    )
    .await?;
    Ok(())
}

/// A page of entries.
pub(super) async fn page(
    db: &Db,
    enterprise: Option<Uuid>,
    from: Position,
    limit: u64,
) -> Result<Vec<EntryOut>, DbErr> {
    let mut query = log_entry::Entity::find().filter(log_entry::Column::Gseq.gte(from));
    if let Some(enterprise) = enterprise {
        query = query.filter(log_entry::Column::EnterpriseId.eq(enterprise));
    }
    let rows = query
        .order_by_asc(log_entry::Column::Gseq)
        .limit(limit)
        .all(db.reader())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| EntryOut {
            position: row.gseq,
            at: rfc3339(row.stamp),
            kind: row.kind,
            enterprise: row.enterprise_id,
            actor: row.actor,
            subject: row.subject,
            body: serde_json::from_str(&row.body).unwrap_or(serde_json::Value::Null),
        })
        .collect())
}
