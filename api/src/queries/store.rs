//! The SQL of the query log, on both sides: packets go in whole; rows, counts and bitmaps come out
//! of them in one transaction, so that a packet counts once however often it is tried.

use super::{
    entry::{Entry, Packet},
    fold::{Counted, Sums},
};
use crate::{
    clock::Micros,
    db::{Db, Reader, statement},
    entities::{query_chunk, query_packet},
    projection::{read_bits, write_bits},
};
use roaring::RoaringBitmap;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    QueryFilter, QueryOrder, QuerySelect, Value, sea_query::OnConflict,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Advice by rank, as rows name it.
const ADVICE: [&str; 3] = ["ok", "caution", "stop"];
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
    pub fn of(packet: &Packet) -> PacketRow {
        PacketRow {
            id: Uuid::now_v7(),
            entries: packet.entries as i64,
            body: packet.body.clone(),
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
        tx.execute_raw(statement(
            db.backend(),
            "INSERT INTO query_salt (day, salt) VALUES (?, ?) ON CONFLICT (day) DO NOTHING",
            [day.into(), salt.to_vec().into()],
        ))
        .await?;
    }
    tx.execute_raw(statement(
        db.backend(),
        "DELETE FROM query_salt WHERE day < ?",
        [(days[0] - SALT_DAYS).into()],
    ))
    .await?;
    tx.commit().await
}

/// Days a salt is kept.
const SALT_DAYS: i64 = 7;

/// The salts of this day and the days after it.
pub async fn salts(db: &Reader, from: i64) -> Result<Vec<(i64, Vec<u8>)>, DbErr> {
    let rows = db
        .reader()
        .query_all_raw(statement(
            db.backend(),
            "SELECT day, salt FROM query_salt WHERE day >= ? ORDER BY day",
            [from.into()],
        ))
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "day")?, row.try_get("", "salt")?)))
        .collect()
}

/// Begins a fold: its number, under a lock that has two processes fold one after the other.
pub async fn begin_fold(db: &Db, now: Micros) -> Result<(DatabaseTransaction, i64), DbErr> {
    let tx = db.begin().await?;
    let row = tx
        .query_one_raw(statement(
            db.backend(),
            "UPDATE query_fold SET fold = fold + 1, folded_at = ? WHERE id = 1 RETURNING fold",
            [now.into()],
        ))
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("query_fold".into()))?;
    let fold = row.try_get("", "fold")?;
    Ok((tx, fold))
}

/// Is anything waiting to be folded? Asked before a fold is begun, which would write.
pub async fn is_waiting(db: &Db) -> Result<bool, DbErr> {
    let waiting = statement(
        db.backend(),
        "SELECT entries FROM query_packet WHERE unreadable = ? LIMIT 1",
        [false.into()],
    );
    Ok(db.reader().query_one_raw(waiting).await?.is_some())
}

/// The packets that wait longest: as many as hold `entries_max` entries together, at least one.
pub async fn oldest(
    tx: &DatabaseTransaction,
    entries_max: i64,
) -> Result<Vec<query_packet::Model>, DbErr> {
    let waiting: Vec<(Uuid, i64)> = query_packet::Entity::find()
        .select_only()
        .column(query_packet::Column::Id)
        .column(query_packet::Column::Entries)
        .filter(query_packet::Column::Unreadable.eq(false))
        .order_by_asc(query_packet::Column::Id)
        .limit(PACKETS_MAX)
        .into_tuple()
        .all(tx)
        .await?;
    let mut sum = 0;
    let mut taken = Vec::new();
    for (id, entries) in waiting {
        sum += entries;
        if sum > entries_max && !taken.is_empty() {
            break;
        }
        taken.push(id);
    }
    query_packet::Entity::find()
        .filter(query_packet::Column::Id.is_in(taken))
        .order_by_asc(query_packet::Column::Id)
        .all(tx)
        .await
}

/// Packets looked at for one fold.
const PACKETS_MAX: u64 = 200;

/// A packet was unpacked.
pub async fn remove(tx: &DatabaseTransaction, id: Uuid) -> Result<(), DbErr> {
    query_packet::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}

/// A packet cannot be read: it stays for a person to look at, and holds up no other.
pub async fn set_aside(tx: &DatabaseTransaction, id: Uuid) -> Result<(), DbErr> {
    query_packet::Entity::update_many()
        .col_expr(query_packet::Column::Unreadable, true.into())
        .filter(query_packet::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Writes the entries of a packet as rows.
pub async fn put_rows(
    tx: &DatabaseTransaction,
    packet: Uuid,
    entries: &[Entry],
) -> Result<(), DbErr> {
    const COLUMNS: usize = 12;
    let backend = tx.get_database_backend();
    let place = format!("({})", ["?"; COLUMNS].join(", "));
    for (part, entries) in entries.chunks(ROWS_A_STATEMENT).enumerate() {
        let mut values: Vec<Value> = Vec::with_capacity(entries.len() * COLUMNS);
        for (n, entry) in entries.iter().enumerate() {
            let (space, index) = match entry.unit {
                Some((space, index)) => (space.to_string(), index as i64),
                None => (String::new(), -1),
            };
            let advice = ADVICE.get(usize::from(entry.advice)).copied();
            values.extend([
                packet.into(),
                ((part * ROWS_A_STATEMENT + n) as i64).into(),
                entry.at.into(),
                entry.code.as_str().into(),
                space.into(),
                index.into(),
                format!("{}/{:04x}", advice.unwrap_or_default(), entry.reasons).into(),
                entry.channel.name().into(),
                entry.bot.into(),
                format!("{:016x}", entry.device).into(),
                entry.offline.into(),
                entry.region.as_str().into(),
            ]);
        }
        let sql = format!(
            "INSERT INTO query_log \
             (batch, n, at, code, space, idx, verdict, channel, bot, device, offline, region) \
             VALUES {}",
            vec![place.as_str(); entries.len()].join(", ")
        );
        tx.execute_raw(statement(backend, &sql, values)).await?;
    }
    Ok(())
}

/// Adds to the counts of units: how many, and first when. Returns what they are now.
pub async fn add_counts(
    tx: &DatabaseTransaction,
    sums: &Sums,
    fold: i64,
) -> Result<Vec<Counted>, DbErr> {
    let backend = tx.get_database_backend();
    let least = if backend == sea_orm::DbBackend::Postgres {
        "LEAST"
    } else {
        "MIN"
    };
    let counts: Vec<_> = sums.counts.iter().collect();
    let mut counted = Vec::with_capacity(counts.len());
    for rows in counts.chunks(ROWS_A_STATEMENT) {
        let places = vec!["(?, ?, ?, ?, ?)"; rows.len()].join(", ");
        let sql = format!(
            "INSERT INTO query_count (space, idx, first_at, n, fold) VALUES {places} \
             ON CONFLICT (space, idx) DO UPDATE SET n = query_count.n + excluded.n, \
             first_at = {least}(query_count.first_at, excluded.first_at), fold = excluded.fold \
             RETURNING space, idx, n"
        );
        let values = rows.iter().flat_map(|((space, index), (n, first_at))| {
            [
                space.as_str().into(),
                (*index).into(),
                (*first_at).into(),
                (*n).into(),
                fold.into(),
            ]
        });
        for row in tx.query_all_raw(statement(backend, &sql, values)).await? {
            let unit: (String, i64) = (row.try_get("", "space")?, row.try_get("", "idx")?);
            let n: i64 = row.try_get("", "n")?;
            counted.push(Counted {
                code: sums.codes.get(&unit).cloned().unwrap_or_default(),
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
    chunks: BTreeMap<(String, i64), RoaringBitmap>,
    fold: i64,
) -> Result<(), DbErr> {
    for ((space, chunk), mut bits) in chunks {
        let before = query_chunk::Entity::find_by_id((space.clone(), chunk))
            .one(tx)
            .await?;
        if let Some(before) = before {
            let known = read_bits(&before.bits)?;
            if bits.is_subset(&known) {
                continue;
            }
            bits |= known;
        }
        tx.execute_raw(statement(
            tx.get_database_backend(),
            "INSERT INTO query_chunk (space, chunk, bits, fold) VALUES (?, ?, ?, ?) \
             ON CONFLICT (space, chunk) DO UPDATE SET bits = excluded.bits, fold = excluded.fold",
            [
                space.into(),
                chunk.into(),
                write_bits(&mut bits)?.into(),
                fold.into(),
            ],
        ))
        .await?;
    }
    Ok(())
}
