//! All SQL that finds, page by page, which units and events work is about (`pages`). Of the work itself tells
//! `store`.

use crate::{
    db::{query_all, query_one, rows::by_keys},
    handheld::units::store::{CONTAINER, UnitId},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::BTreeSet;
use suyuan_sync::{facts::AcceptScope, unit::UnitKey};
use uuid::Uuid;

/// The batches a recall covers, and whether it names units; of what it grew by at a position, or of
/// all.
pub async fn recalled(
    conn: &impl ConnectionTrait,
    recall: Uuid,
    since: Option<Position>,
) -> Result<(Vec<Uuid>, bool), DbErr> {
    let since = since.map_or(String::new(), |since| format!(" AND since = {since}"));
    let sql = format!("SELECT batch_id FROM recall_batch WHERE recall_id = ?{since}");
    let rows = query_all(conn, &sql, [recall.into()]).await?;
    let batches = rows.iter().map(|row| row.try_get("", "batch_id"));
    let batches = batches.collect::<Result<_, DbErr>>()?;
    let sql = format!(
        "SELECT 1 AS one FROM recall_units WHERE recall_id = ?{since} UNION ALL \
         SELECT 1 AS one FROM recall_code WHERE recall_id = ?{since} LIMIT 1"
    );
    let listed = query_one(conn, &sql, [recall.into(), recall.into()]).await?;
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
    numbered(&query_all(conn, sql, [of.into(), after.into(), limit.into()]).await?)
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
    numbered(&query_all(conn, &sql, values).await?)
}

/// Units of an issuer: the index `unit_issuer` has them in this order.
pub const OF_ISSUER: &str =
    "SELECT id, unit_key FROM unit WHERE issuer = ? AND id > ? ORDER BY id LIMIT ?";

/// Those of them that have no batch: `unit_issuer_unbatched` has just these.
pub const UNBATCHED: &str = "SELECT id, unit_key FROM unit WHERE issuer = ? AND id > ? \
     AND batch_id IS NULL ORDER BY id LIMIT ?";

/// Units that a recall may name one by one: those of its issuer, and those it names that nobody here minted,
/// whosever they are by now.
pub const LISTED: &str = "SELECT id, unit_key FROM ( \
       SELECT * FROM (SELECT id, unit_key FROM unit WHERE issuer = ? AND id > ? \
                      ORDER BY id LIMIT ?) own \
       UNION \
       SELECT * FROM (SELECT u.id, u.unit_key FROM recall_code c \
                      JOIN unit u ON u.unit_key = c.unit \
                      WHERE c.enterprise_id = ? AND c.recall_id = ? AND u.id > ? \
                      ORDER BY u.id LIMIT ?) named \
     ) listed ORDER BY id LIMIT ?";

/// Units of an issuer.
pub async fn of_issuer(
    conn: &impl ConnectionTrait,
    issuer: Uuid,
    unbatched: bool,
    after: i64,
    limit: i64,
) -> Result<Numbered, DbErr> {
    let sql = if unbatched { UNBATCHED } else { OF_ISSUER };
    page(conn, sql, issuer, after, limit).await
}

/// A page of [`LISTED`].
pub async fn listed(
    conn: &impl ConnectionTrait,
    (issuer, recall): (Uuid, Uuid),
    after: i64,
    limit: i64,
) -> Result<Numbered, DbErr> {
    let (issuer, recall) = (Value::from(issuer), Value::from(recall));
    let (after, limit) = (Value::from(after), Value::from(limit));
    let values = [
        issuer.clone(),
        after.clone(),
        limit.clone(),
        issuer,
        recall,
        after,
        limit.clone(),
        limit,
    ];
    numbered(&query_all(conn, LISTED, values).await?)
}

/// What is kept at a place, as far as it answers for itself: the index `unit_kept` has just these.
pub const AT_PLACE: &str = "SELECT id, unit_key FROM unit WHERE place = ? AND id > ? \
     AND phase IN ('in_stock', 'returned', 'collected') AND inside IS NULL ORDER BY id LIMIT ?";

/// Units in stock, returned or collected at a place, as far as they answer for themselves: what a complete
/// count may miss.
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
    let rows = query_all(
        conn,
        "SELECT gseq FROM event WHERE gseq > ? AND gseq <= ? AND counts_from IS NOT NULL \
             ORDER BY gseq LIMIT ?",
        [after.into(), until.into(), limit.into()],
    )
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
    let rows = query_all(
        conn,
        "SELECT gseq FROM event WHERE kind = 'commission' AND gseq > ? \
             AND counts_from IS NOT NULL ORDER BY gseq LIMIT ?",
        [after.into(), limit.into()],
    )
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
    let rows = query_all(
        conn,
        "SELECT gseq FROM event WHERE location_id = ? \
             AND kind IN ('inbound', 'count', 'pack', 'unpack', 'inspect') \
             AND gseq > ? AND gseq <= ? AND counts_from IS NOT NULL ORDER BY gseq LIMIT ?",
        [place.into(), after.into(), until.into(), limit.into()],
    )
    .await?;
    rows.iter().map(|row| row.try_get("", "gseq")).collect()
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
    let rows = query_all(conn, sql, values).await?;
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
