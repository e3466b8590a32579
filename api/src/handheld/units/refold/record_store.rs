//! SQL about what came on record after events had named it: findings that tell of it, and units of which
//! nothing was found. What is on record now is not asked here.

use super::{
    pages_store::{Numbered, numbered},
    store::Told,
};
use crate::{
    db::{query_all, query_one, rows::by_keys},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::BTreeSet;
use suyuan_sync::finding::FindingCode;
use uuid::Uuid;

/// What is not on record is more than somebody who acted: of what is named, those come first
/// ([`Detail::Unknown`]), and where one of them is all, no comma follows.
///
/// [`Detail::Unknown`]: suyuan_sync::finding::Detail::Unknown
const MORE_THAN_AN_ACTOR: &str =
    "NOT (finding LIKE '%\"what\":\"actor:%' AND finding NOT LIKE '%, %')";

/// Did this entry open a code space: a product was filed, or a company prefix?
pub async fn opened_a_space(conn: &impl ConnectionTrait, told: &Told) -> Result<bool, DbErr> {
    Ok(query_one(
        conn,
        "SELECT s.space FROM log_entry l JOIN code_space s ON s.enterprise_id = l.enterprise_id \
         AND s.created_at = l.stamp WHERE l.gseq = ? LIMIT 1",
        [told.gseq.into()],
    )
    .await?
    .is_some())
}

/// Units that nobody had issued when they were folded, and that are in no batch: the index
/// `unit_unbatched` has these together.
pub async fn unissued(
    conn: &impl ConnectionTrait,
    after: i64,
    limit: i64,
) -> Result<Numbered, DbErr> {
    numbered(
        &query_all(
            conn,
            "SELECT id, unit_key FROM unit WHERE issuer IS NULL AND product_id IS NULL \
         AND batch_id IS NULL AND id > ? ORDER BY id LIMIT ?",
            [after.into(), limit.into()],
        )
        .await?,
    )
}

/// Open findings that an event names what is not on record, with its position: an enterprise's that may name this
/// actor, or all that name anything else.
pub async fn unknown(
    conn: &impl ConnectionTrait,
    actor: Option<(Uuid, &str)>,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, Position)>, DbErr> {
    let mut values: Vec<Value> = vec![FindingCode::UnknownRef.name().into(), after.into()];
    let which = if let Some((enterprise, number)) = actor {
        // Numbers are capitals, digits and hyphens.
        values.extend([enterprise.into(), format!("%actor:{number}%").into()]);
        "enterprise_id = ? AND finding LIKE ?"
    } else {
        // Where one actor is all that is named, nothing else heals it.
        MORE_THAN_AN_ACTOR
    };
    values.push(limit.into());
    let sql = format!(
        "SELECT id, event_gseq AS gseq FROM finding WHERE code = ? AND id > ? AND closed IS NULL \
         AND {which} ORDER BY id LIMIT ?"
    );
    let rows = query_all(conn, &sql, values).await?;
    let pair = |row: &QueryResult| Ok((row.try_get("", "id")?, row.try_get("", "gseq")?));
    rows.iter().map(pair).collect()
}

/// Those of these events that name something that is not on record and is nobody who acts, as far as that is open.
pub async fn unknown_goods(
    conn: &impl ConnectionTrait,
    events: &BTreeSet<Position>,
) -> Result<BTreeSet<Position>, DbErr> {
    let sql = format!(
        "SELECT DISTINCT event_gseq FROM finding WHERE code = ? AND closed IS NULL \
         AND {MORE_THAN_AN_ACTOR} AND event_gseq IN ({{keys}})"
    );
    let rows = by_keys(
        conn,
        &sql,
        &[FindingCode::UnknownRef.name().into()],
        events.iter().map(|gseq| (*gseq).into()).collect(),
    )
    .await?;
    rows.iter()
        .map(|row| row.try_get("", "event_gseq"))
        .collect()
}

/// Events that count, after a position, with whose they are.
pub async fn stated(
    conn: &impl ConnectionTrait,
    after: Position,
    limit: i64,
) -> Result<Vec<(Position, Uuid)>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT gseq, enterprise_id FROM event WHERE gseq > ? AND counts_from IS NOT NULL \
         ORDER BY gseq LIMIT ?",
        [after.into(), limit.into()],
    )
    .await?;
    let pair =
        |row: &QueryResult| Ok((row.try_get("", "gseq")?, row.try_get("", "enterprise_id")?));
    rows.iter().map(pair).collect()
}
