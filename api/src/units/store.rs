//! SQL about units beside what folds read.

use super::wire::HeldOut;
use crate::{
    db::{query_all, query_one, rows::by_keys},
    entities::public_chunk,
    handheld::{units::store::UnitId, world::CodeOf},
    log::Position,
    projection::{CHUNK_COPY, CHUNK_OFTEN, read_bits},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter};
use std::collections::BTreeSet;
use suyuan_sync::{admission::is_provisional, ids::Seq};
use uuid::Uuid;

/// What is in there by the word of somebody who has a say in the container (C12): whatever is not is
/// exceptional.
fn invited(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => {
            "(NOT exceptional OR (state::jsonb #>> '{state,uninvited}') IS NULL)"
        }
        _ => "(NOT exceptional OR json_extract(state, '$.state.uninvited') IS NULL)",
    }
}

/// How many units are directly in a container.
pub async fn holds(conn: &impl ConnectionTrait, container: UnitId) -> Result<u64, DbErr> {
    let backend = conn.get_database_backend();
    let sql = format!(
        "SELECT COUNT(*) AS n FROM unit WHERE inside = ? AND {}",
        invited(backend)
    );
    let row = query_one(conn, &sql, [container.into()]).await?;
    let n: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    Ok(n as u64)
}

/// A page of what is directly in a container.
pub async fn contents(
    conn: &impl ConnectionTrait,
    container: UnitId,
    after: i64,
    limit: u64,
) -> Result<Vec<HeldOut>, DbErr> {
    let backend = conn.get_database_backend();
    let sql = format!(
        "SELECT id, unit_key, batch_id, exceptional, findings FROM unit \
         WHERE inside = ? AND id > ? AND {} ORDER BY id LIMIT ?",
        invited(backend)
    );
    let page = [container.into(), after.into(), (limit as i64).into()];
    let rows = query_all(conn, &sql, page).await?;
    rows.iter()
        .map(|row| {
            Ok(HeldOut {
                unit: row.try_get("", "unit_key")?,
                id: row.try_get("", "id")?,
                batch_id: row.try_get("", "batch_id")?,
                exceptional: row.try_get("", "exceptional")?,
                open_findings: row.try_get::<i64>("", "findings")? as u64,
            })
        })
        .collect()
}

/// Which of these events stand behind a gap in their devices' sequences.
pub async fn provisional(
    conn: &impl ConnectionTrait,
    events: &BTreeSet<Position>,
) -> Result<BTreeSet<Position>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT e.gseq, e.seq, c.contiguous FROM event e JOIN device_chain c \
         ON c.device_id = e.device_id AND c.epoch = e.epoch \
         WHERE e.branch IS NULL AND e.gseq IN ({keys})",
        &[],
        events.iter().map(|position| (*position).into()).collect(),
    )
    .await?;
    let mut behind = BTreeSet::new();
    for row in rows {
        let number = |name: &str| row.try_get::<i64>("", name);
        let (seq, contiguous) = (number("seq")? as Seq, number("contiguous")? as Seq);
        if is_provisional(contiguous, seq) {
            behind.insert(number("gseq")?);
        }
    }
    Ok(behind)
}

/// Which of these events were brought by another device or in a file.
pub async fn imported(
    conn: &impl ConnectionTrait,
    events: &BTreeSet<Position>,
) -> Result<BTreeSet<Position>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT gseq FROM event WHERE imported AND gseq IN ({keys})",
        &[],
        events.iter().map(|position| (*position).into()).collect(),
    )
    .await?;
    rows.iter().map(|row| row.try_get("", "gseq")).collect()
}

/// Is the record of a batch published?
pub async fn is_published(conn: &impl ConnectionTrait, batch: Uuid) -> Result<bool, DbErr> {
    Ok(query_one(
        conn,
        "SELECT 1 AS one FROM batch WHERE id = ? AND published_version IS NOT NULL",
        [batch.into()],
    )
    .await?
    .is_some())
}

/// What queries about a unit betray: it is asked about unusually often; it seems to exist twice.
pub async fn by_queries(conn: &impl ConnectionTrait, code: &CodeOf) -> Result<(bool, bool), DbErr> {
    let rows = public_chunk::Entity::find()
        .filter(public_chunk::Column::Space.eq(&*code.space))
        .filter(public_chunk::Column::Chunk.eq((code.index >> 16) as i64))
        .filter(public_chunk::Column::Kind.is_in([CHUNK_OFTEN, CHUNK_COPY]))
        .all(conn)
        .await?;
    let (mut often, mut copy) = (false, false);
    for row in rows {
        if read_bits(&row.bits)?.contains((code.index & 0xffff) as u32) {
            often |= row.kind == CHUNK_OFTEN;
            copy |= row.kind == CHUNK_COPY;
        }
    }
    Ok((often, copy))
}
