//! All SQL that reads for folds what is on record of units and codes. It reads across enterprises: a
//! unit is judged by what is on record of it, whoever's event names it (sync.md section 5).

use super::CodeOf;
use crate::{
    clock::Micros,
    db::{query_all, query_one, rows::by_keys, statement},
    entities::{code_space, recall_batch},
    log::Position,
    projection::units::PublicUnit,
    recalls::spans_store::spans,
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    facts::{RecallSpan, StatedAt},
    ids::BatchId,
    unit::UnitKey,
};
use uuid::Uuid;

/// Recalls that cover any of these units or batches.
pub(super) async fn recalls(
    conn: &impl ConnectionTrait,
    units: &BTreeMap<UnitKey, Option<CodeOf>>,
    batches: &BTreeSet<BatchId>,
) -> Result<Vec<RecallSpan>, DbErr> {
    let units: Vec<(UnitKey, PublicUnit)> = units
        .iter()
        .map(|(key, code)| {
            let name = code.as_ref().map(CodeOf::public);
            (
                key.clone(),
                name.unwrap_or_else(|| PublicUnit::Other(key.clone())),
            )
        })
        .collect();
    let batches = batches.iter().map(|batch| batch.0).collect();
    spans(conn, &units, &batches).await
}

/// Recalls that cover any of these batches.
pub(super) async fn recalls_of(
    conn: &impl ConnectionTrait,
    batches: &BTreeSet<BatchId>,
) -> Result<Vec<RecallSpan>, DbErr> {
    let batches = batches.iter().map(|batch| batch.0).collect();
    spans(conn, &[], &batches).await
}

/// The batches that recalls ever covered: all, or those of one.
pub(super) async fn recalled(
    conn: &impl ConnectionTrait,
    only: Option<Uuid>,
) -> Result<Vec<BatchId>, DbErr> {
    let mut find = recall_batch::Entity::find();
    if let Some(recall) = only {
        find = find.filter(recall_batch::Column::RecallId.eq(recall));
    }
    let rows = find.all(conn).await?;
    Ok(rows.into_iter().map(|row| BatchId(row.batch_id)).collect())
}

/// Is there any recall at all?
pub(super) async fn any_recall(conn: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let row = query_one(conn, "SELECT 1 AS one FROM recall LIMIT 1", []).await?;
    Ok(row.is_some())
}

/// Where something was counted after a position: the index `event_counted` has just these.
pub const COUNTED: &str = "SELECT location_id FROM event WHERE kind = 'count' AND gseq > ?";

/// Where something was ever counted, each place once: `event_count` has them place by place. It is not for those
/// after a position, since it would be gone through whole for them.
pub const EVER_COUNTED: &str = "SELECT DISTINCT location_id FROM event WHERE kind = 'count'";

/// Places at which something was counted after a position.
pub(super) async fn counted(
    conn: &impl ConnectionTrait,
    after: Position,
) -> Result<Vec<Uuid>, DbErr> {
    let backend = conn.get_database_backend();
    let query = if after > 0 {
        statement(backend, COUNTED, [after.into()])
    } else {
        statement(backend, EVER_COUNTED, [])
    };
    let rows = conn.query_all_raw(query).await?;
    let place =
        |row: &sea_orm::QueryResult| row.try_get::<Option<Uuid>>("", "location_id").transpose();
    rows.iter().filter_map(place).collect()
}

/// A commissioning or a destruction of codes, as its record tells it.
pub(super) struct CodeAct {
    pub(super) batch: Option<Uuid>,
    /// `lo-hi,lo-hi`
    pub(super) what: String,
    pub(super) at: StatedAt,
}

/// What was done with the codes of a space after an instant, in order.
pub(super) async fn code_acts(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    space: &str,
    after: Micros,
) -> Result<Vec<CodeAct>, DbErr> {
    // No two entries of the log share an instant.
    let rows = query_all(
        conn,
        "SELECT c.batch_id, c.what, c.created_at, l.gseq FROM commission c \
             JOIN log_entry l ON l.stamp = c.created_at \
             WHERE c.enterprise_id = ? AND c.space = ? AND c.created_at > ? \
             UNION ALL \
             SELECT NULL, d.what, d.created_at, l.gseq FROM code_destruction d \
             JOIN log_entry l ON l.stamp = d.created_at \
             WHERE d.enterprise_id = ? AND d.space = ? AND d.created_at > ? ORDER BY gseq",
        [
            enterprise.into(),
            space.into(),
            after.into(),
            enterprise.into(),
            space.into(),
            after.into(),
        ],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(CodeAct {
                batch: row.try_get("", "batch_id")?,
                what: row.try_get("", "what")?,
                at: StatedAt {
                    at: row.try_get("", "created_at")?,
                    gseq: row.try_get("", "gseq")?,
                },
            })
        })
        .collect()
}

/// A code space, whoever's it is.
pub(super) async fn space(
    conn: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<code_space::Model>, DbErr> {
    code_space::Entity::find()
        .filter(code_space::Column::Space.eq(name))
        .one(conn)
        .await
}

/// Up to which index codes of these spaces are allocated: segments are taken in a row from the first.
pub(super) async fn allocated(
    conn: &impl ConnectionTrait,
    spaces: BTreeSet<String>,
) -> Result<BTreeMap<String, u64>, DbErr> {
    let keys = spaces.into_iter().map(Into::into).collect();
    let sql = "SELECT space, next_index FROM code_space WHERE space IN ({keys})";
    let rows = by_keys(conn, sql, &[], keys).await?;
    let end = |row: &sea_orm::QueryResult| {
        let next: i64 = row.try_get("", "next_index")?;
        Ok((row.try_get("", "space")?, next.unsigned_abs()))
    };
    rows.iter().map(end).collect()
}

/// Its keys, wrapped.
pub(super) async fn keys(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    space: &str,
) -> Result<Vec<crate::entities::issue_key::Model>, DbErr> {
    use crate::entities::issue_key;
    issue_key::Entity::find()
        .filter(issue_key::Column::EnterpriseId.eq(enterprise))
        .filter(issue_key::Column::Space.eq(space))
        .all(conn)
        .await
}

/// Company prefixes SSCCs are allocated under, each with its space's name.
pub(super) async fn sscc_prefixes(conn: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let rows = code_space::Entity::find()
        .filter(code_space::Column::Space.starts_with("00/"))
        .all(conn)
        .await?;
    let prefix = |row: code_space::Model| row.space.strip_prefix("00/").map(str::to_owned);
    Ok(rows.into_iter().filter_map(prefix).collect())
}
