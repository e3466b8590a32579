//! The SQL of the query log, on both sides: packets go in whole; rows, counts and bitmaps come out
//! of them in one transaction, so that a packet counts once however often it is tried. Also reads
//! what the log holds of one unit.

use super::{
    fold::{Chunks, Counted, Row, Sum, UnitName},
    packet::Packet,
};
use crate::{
    clock::Micros,
    db::{Db, Reader, execute, query_all, query_one},
    entities::{query_chunk, query_packet, query_sighting},
    projection::{read_bits, write_bits},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr,
    EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};
use std::{
    collections::{BTreeMap, HashMap},
    hash::BuildHasher,
};
use uuid::Uuid;

/// Rows written in one statement.
const ROWS_A_STATEMENT: usize = 500;

/// A packet on its way in.
pub struct PacketRow {
    id: Uuid,
    entries: i64,
    body: Vec<u8>,
}

impl PacketRow {
    /// With an id of its own, the same at every try.
    pub fn of(packet: Packet) -> PacketRow {
        PacketRow {
            id: Uuid::now_v7(),
            entries: packet.codes as i64,
            body: packet.body,
        }
    }
}

/// Inserts packets; those that are in already stay as they are.
pub async fn put_packets(db: &Db, rows: &[PacketRow]) -> Result<(), DbErr> {
    let rows = rows.iter().map(|row| query_packet::ActiveModel {
        id: Set(row.id),
        entries: Set(row.entries),
        body: Set(row.body.clone()),
        unreadable: Set(false),
    });
    // Without a column named: the public role may insert here, and not look.
    query_packet::Entity::insert_many(rows)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db.writer())
        .await?;
    Ok(())
}

/// The salts of days, kept for a week: made where they are missing, forgotten where they are old.
pub async fn tidy_salts(db: &Db, days: [i64; 2]) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    for day in days {
        let salt = crate::sealing::random::<32>().unwrap_or_default();
        execute(
            &tx,
            "INSERT INTO query_salt (day, salt) VALUES (?, ?) ON CONFLICT (day) DO NOTHING",
            [day.into(), salt.to_vec().into()],
        )
        .await?;
    }
    execute(
        &tx,
        "DELETE FROM query_salt WHERE day < ?",
        [(days[0] - SALT_DAYS).into()],
    )
    .await?;
    tx.commit().await
}

/// Days a salt is kept.
const SALT_DAYS: i64 = 7;

/// The salts of this day and the days after it.
pub async fn salts(db: &Reader, from: i64) -> Result<Vec<(i64, Vec<u8>)>, DbErr> {
    let rows = query_all(
        db.reader(),
        "SELECT day, salt FROM query_salt WHERE day >= ? ORDER BY day",
        [from.into()],
    )
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "day")?, row.try_get("", "salt")?)))
        .collect()
}

/// Begins a fold: its number, under a lock that has two processes fold one after the other.
pub async fn begin_fold(db: &Db, now: Micros) -> Result<(DatabaseTransaction, i64), DbErr> {
    let tx = db.begin().await?;
    let row = query_one(
        &tx,
        "UPDATE query_fold SET fold = fold + 1, folded_at = ? WHERE id = 1 RETURNING fold",
        [now.into()],
    )
    .await?
    .ok_or_else(|| DbErr::RecordNotFound("query_fold".into()))?;
    let fold = row.try_get("", "fold")?;
    Ok((tx, fold))
}

/// The packets that wait longest, and about how many codes each holds.
pub async fn waiting(db: &Db) -> Result<Vec<(Uuid, i64)>, DbErr> {
    // Word for word as the index of what waits has it, or it would not be used.
    let rows = query_all(
        db.reader(),
        "SELECT id, entries FROM query_packet WHERE NOT unreadable ORDER BY id LIMIT ?",
        [PACKETS_MAX.into()],
    )
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "id")?, row.try_get("", "entries")?)))
        .collect()
}

/// Packets looked at for one fold.
const PACKETS_MAX: i64 = 200;

/// These packets, as far as they still wait.
pub async fn packets(db: &Db, ids: Vec<Uuid>) -> Result<Vec<query_packet::Model>, DbErr> {
    query_packet::Entity::find()
        .filter(query_packet::Column::Id.is_in(ids))
        .order_by_asc(query_packet::Column::Id)
        .all(db.reader())
        .await
}

/// Packets were unpacked. False where one of them was gone.
pub async fn remove(tx: &DatabaseTransaction, ids: Vec<Uuid>) -> Result<bool, DbErr> {
    let n = ids.len() as u64;
    let removed = query_packet::Entity::delete_many()
        .filter(query_packet::Column::Id.is_in(ids))
        .exec(tx)
        .await?;
    Ok(removed.rows_affected == n)
}

/// Packets cannot be read: they stay for a person to look at, and hold up no other.
pub async fn set_aside(tx: &DatabaseTransaction, ids: Vec<Uuid>) -> Result<(), DbErr> {
    query_packet::Entity::update_many()
        .col_expr(query_packet::Column::Unreadable, true.into())
        .filter(query_packet::Column::Id.is_in(ids))
        .exec(tx)
        .await?;
    Ok(())
}

/// Packets that were set aside wait again.
pub async fn try_again(db: &Db) -> Result<(), DbErr> {
    query_packet::Entity::update_many()
        .col_expr(query_packet::Column::Unreadable, false.into())
        .filter(query_packet::Column::Unreadable.eq(true))
        .exec(db.writer())
        .await?;
    Ok(())
}

/// Writes rows of the log.
pub async fn put_rows(
    tx: &DatabaseTransaction,
    rows: &BTreeMap<(UnitName, String), Row>,
    fold: i64,
) -> Result<(), DbErr> {
    let rows: Vec<_> = rows.iter().zip(0_i64..).collect();
    for rows in rows.chunks(ROWS_A_STATEMENT) {
        let sql = format!(
            "INSERT INTO query_sighting \
             (fold, part, space, idx, code, first_at, last_at, heads, times) VALUES {}",
            vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?)"; rows.len()].join(", ")
        );
        let values = rows
            .iter()
            .flat_map(|((((space, index), code), row), part)| {
                [
                    fold.into(),
                    (*part).into(),
                    space.as_str().into(),
                    (*index).into(),
                    code.as_str().into(),
                    row.first_at.into(),
                    row.last_at.into(),
                    row.written.heads.clone().into(),
                    row.written.times.clone().into(),
                ]
            });
        execute(tx, &sql, values).await?;
    }
    Ok(())
}

/// Adds to the counts of units: how many, and first when. Returns what they are now.
pub async fn add_counts<S: BuildHasher>(
    tx: &DatabaseTransaction,
    sums: &HashMap<UnitName, Sum, S>,
    fold: i64,
) -> Result<Vec<Counted>, DbErr> {
    let backend = tx.get_database_backend();
    let least = if backend == sea_orm::DbBackend::Postgres {
        "LEAST"
    } else {
        "MIN"
    };
    let counts: Vec<_> = sums.iter().collect();
    let mut counted = Vec::with_capacity(counts.len());
    for rows in counts.chunks(ROWS_A_STATEMENT) {
        let places = vec!["(?, ?, ?, ?, ?)"; rows.len()].join(", ");
        let sql = format!(
            "INSERT INTO query_count (space, idx, first_at, n, fold) VALUES {places} \
             ON CONFLICT (space, idx) DO UPDATE SET n = query_count.n + excluded.n, \
             first_at = {least}(query_count.first_at, excluded.first_at), fold = excluded.fold \
             RETURNING space, idx, n"
        );
        let values = rows.iter().flat_map(|((space, index), sum)| {
            [
                space.as_str().into(),
                (*index).into(),
                sum.first_at.into(),
                sum.n.into(),
                fold.into(),
            ]
        });
        for row in query_all(tx, &sql, values).await? {
            let unit: UnitName = (row.try_get("", "space")?, row.try_get("", "idx")?);
            let n: i64 = row.try_get("", "n")?;
            counted.push(Counted {
                code: sums
                    .get(&unit)
                    .map(|sum| sum.code.clone())
                    .unwrap_or_default(),
                space: unit.0,
                index: unit.1,
                n: n as u64,
            });
        }
    }
    Ok(counted)
}

/// Marks indices as queried.
pub async fn mark_queried(
    tx: &DatabaseTransaction,
    mut chunks: Chunks,
    fold: i64,
) -> Result<(), DbErr> {
    if chunks.is_empty() {
        return Ok(());
    }
    let mut these = Condition::any();
    for (space, chunk) in chunks.keys() {
        let space = query_chunk::Column::Space.eq(space.as_str());
        these = these.add(space.and(query_chunk::Column::Chunk.eq(*chunk)));
    }
    let before = query_chunk::Entity::find().filter(these).all(tx).await?;
    for before in before {
        if let Some(bits) = chunks.get_mut(&(before.space, before.chunk)) {
            *bits |= read_bits(&before.bits)?;
        }
    }
    let mut values = Vec::with_capacity(4 * chunks.len());
    for ((space, chunk), bits) in &mut chunks {
        values.extend([
            space.as_str().into(),
            (*chunk).into(),
            write_bits(bits)?.into(),
            fold.into(),
        ]);
    }
    let sql = format!(
        "INSERT INTO query_chunk (space, chunk, bits, fold) VALUES {} \
         ON CONFLICT (space, chunk) DO UPDATE SET bits = excluded.bits, fold = excluded.fold",
        vec!["(?, ?, ?, ?)"; chunks.len()].join(", ")
    );
    execute(tx, &sql, values).await?;
    Ok(())
}

/// Rows read at a time.
const PAGE: u64 = 200;

/// Where a row stands among those of its unit: newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// Last when something happened in it.
    pub last_at: Micros,
    /// Its fold.
    pub fold: i64,
    /// Its number there.
    pub part: i64,
}

/// A page of rows about a unit, newest first, behind a row; those in which nothing happened from
/// `since` to `until` are left out.
fn page(
    unit: (&str, i64),
    (since, until): (Micros, Micros),
    behind: Option<At>,
) -> sea_orm::Select<query_sighting::Entity> {
    use query_sighting::Column;
    let mut rows = query_sighting::Entity::find()
        .filter(Column::Space.eq(unit.0))
        .filter(Column::Idx.eq(unit.1))
        .filter(Column::LastAt.gte(since))
        .filter(Column::FirstAt.lte(until));
    if let Some(At {
        last_at,
        fold,
        part,
    }) = behind
    {
        let of_fold = Column::Fold.eq(fold).and(Column::Part.gt(part));
        let later = Column::Fold.gt(fold).or(of_fold);
        let same_time = Column::LastAt.eq(last_at).and(later);
        rows = rows
            .filter(Column::LastAt.lte(last_at))
            .filter(Column::LastAt.lt(last_at).or(same_time));
    }
    rows.order_by_desc(Column::LastAt)
        .order_by_asc(Column::Fold)
        .order_by_asc(Column::Part)
        .limit(PAGE)
}

/// What the log holds of a unit until then, a page; nothing at its end.
pub async fn rows(
    db: &Db,
    unit: (&str, i64),
    until: Micros,
    behind: Option<At>,
) -> Result<Vec<query_sighting::Model>, DbErr> {
    page(unit, (Micros::MIN, until), behind)
        .all(db.reader())
        .await
}

/// Who asked about a unit since then, without the times, a page; nothing at its end.
pub async fn heads(
    db: &Db,
    unit: (&str, i64),
    since: Micros,
    behind: Option<At>,
) -> Result<Vec<(At, Vec<u8>)>, DbErr> {
    use query_sighting::Column;
    let rows: Vec<(Micros, i64, i64, Vec<u8>)> = page(unit, (since, Micros::MAX), behind)
        .select_only()
        .columns([Column::LastAt, Column::Fold, Column::Part, Column::Heads])
        .into_tuple()
        .all(db.reader())
        .await?;
    let at = |last_at, fold, part| At {
        last_at,
        fold,
        part,
    };
    let rows = rows.into_iter();
    Ok(rows
        .map(|(last_at, fold, part, heads)| (at(last_at, fold, part), heads))
        .collect())
}

/// All of one row: who asked, and when.
pub async fn written(db: &Db, at: At) -> Result<(Vec<u8>, Vec<u8>), DbErr> {
    let row = query_sighting::Entity::find_by_id((at.fold, at.part));
    let row = row.one(db.reader()).await?;
    Ok(row.map(|row| (row.heads, row.times)).unwrap_or_default())
}
