//! The query log (追溯查询记录): one entry per consumer query, written in batches off the answer's
//! path, and its folding into counts. A full buffer drops entries and counts them; it never makes
//! a consumer wait. Entries hold no address: a device is a keyed hash whose key lives a day.

use crate::{
    clock::Micros,
    codes::SpaceKey,
    db::{Db, statement},
    entities::{query_batch, query_chunk, query_log},
    projection::{read_bits, write_bits},
};
use actix_web::http::header::HeaderValue;
use aws_lc_rs::hmac;
use roaring::RoaringBitmap;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, SqlErr, Value,
};
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use suyuan_sync::trace_code::TraceCode;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::decide::Verdict;

/// Most entries written at once.
const BATCH_MAX: usize = 500;
/// Most batches folded at once.
const FOLD_BATCHES: u64 = 200;

/// By which door a query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// An address was opened: by what, the caller's software tells.
    Scan,
    /// The app of a brand.
    App,
}

/// When its code was scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// As it was asked.
    Now,
    /// Earlier, without a network: the phone's own time. Never counted as a query of now.
    Offline(Micros),
}

/// One query, as noted on the answer's path: nothing here allocates.
pub struct Query {
    /// When.
    pub at: Micros,
    /// What was asked.
    pub code: TraceCode,
    /// Its unit, if it names one that was ever allocated.
    pub unit: Option<(SpaceKey, u64)>,
    /// What was answered.
    pub verdict: Verdict,
    /// The caller's software.
    pub agent: Option<HeaderValue>,
    /// The caller's address; only its prefix is used, and only hashed.
    pub address: Option<IpAddr>,
    /// By which door.
    pub channel: Channel,
    /// Now, or offline before.
    pub seen: Seen,
}

/// Where queries are noted.
pub struct QueryLog {
    sender: mpsc::Sender<Query>,
    dropped: AtomicU64,
}

impl QueryLog {
    /// A log and the receiving end its writer works from.
    pub fn new(buffer: usize) -> (QueryLog, mpsc::Receiver<Query>) {
        let (sender, receiver) = mpsc::channel(buffer.max(1));
        let dropped = AtomicU64::new(0);
        (QueryLog { sender, dropped }, receiver)
    }

    /// Notes a query, or counts it as dropped when the buffer is full.
    pub fn note(&self, query: Query) {
        if self.sender.try_send(query).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("suyuan_queries_dropped_total").increment(1);
        }
    }

    /// Queries dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// The mark of entries made offline: they keep their own time and are counted nowhere.
const OFFLINE: &str = "app_offline";

/// The name of a query's door in its row.
fn channel(query: &Query, agent: &str) -> &'static str {
    match (query.seen, query.channel) {
        (Seen::Offline(_), _) => OFFLINE,
        (Seen::Now, Channel::App) => "app",
        (Seen::Now, Channel::Scan) => software(agent),
    }
}

/// What software opened an address.
fn software(agent: &str) -> &'static str {
    if agent.contains("MicroMessenger") {
        "wechat"
    } else if agent.starts_with("Mozilla/") {
        "browser"
    } else {
        "program"
    }
}

/// Does this software look at pages without a person wanting to know?
fn is_bot(agent: &str) -> bool {
    const SIGNS: [&str; 8] = [
        "bot",
        "spider",
        "crawler",
        "preview",
        "headlesschrome",
        "facebookexternalhit",
        "slurp",
        "monitor",
    ];
    let agent = agent.to_ascii_lowercase();
    SIGNS.iter().any(|sign| agent.contains(sign))
}

/// The key devices are hashed with: made anew each day, kept nowhere.
struct DailyKey {
    day: i64,
    key: hmac::Key,
}

impl DailyKey {
    fn for_day(day: i64) -> Option<DailyKey> {
        let bytes = crate::sealing::random::<32>().ok()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        Some(DailyKey { day, key })
    }

    /// A pseudonym of address prefix (/24, /48) and software.
    fn device(&self, address: Option<IpAddr>, agent: &str) -> String {
        let prefix = match address {
            Some(IpAddr::V4(v4)) => v4.octets()[..3].to_vec(),
            Some(IpAddr::V6(v6)) => v6.octets()[..6].to_vec(),
            None => Vec::new(),
        };
        let tag = hmac::sign(&self.key, &[&prefix, agent.as_bytes()].concat());
        let mut short = [0; 8];
        short.copy_from_slice(&tag.as_ref()[..8]);
        format!("{:016x}", u64::from_be_bytes(short))
    }
}

/// Writes noted queries until the log is gone.
pub async fn write_for_ever(db: Db, mut receiver: mpsc::Receiver<Query>, every: Duration) {
    let mut key: Option<DailyKey> = None;
    let mut waiting = Vec::with_capacity(BATCH_MAX);
    loop {
        let got = receiver.recv_many(&mut waiting, BATCH_MAX).await;
        if got == 0 {
            return;
        }
        let day = waiting
            .first()
            .map_or(0, |query| query.at.div_euclid(86_400_000_000));
        if key.as_ref().is_none_or(|key| key.day != day) {
            key = DailyKey::for_day(day);
        }
        if let Some(key) = &key {
            write_or_drop(&db, key, &waiting, every).await;
        }
        waiting.clear();
        // A flood of scans must not have the writer take the cores from the answers: at most one
        // batch an interval, and what the buffer cannot hold is dropped and counted.
        tokio::time::sleep(every).await;
    }
}

/// Tries before a batch is given up.
const TRIES_MAX: u32 = 20;

/// Writes a batch, trying again while the database is away; under one id, so that a try whose
/// answer was lost does not count twice.
async fn write_or_drop(db: &Db, key: &DailyKey, queries: &[Query], every: Duration) {
    let batch = Uuid::now_v7();
    for n in 1..=TRIES_MAX {
        match write(db, key, batch, queries).await {
            Ok(()) => return,
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                return; // the try before was written after all
            }
            Err(error) => tracing::debug!(%error, n, "query log not written yet"),
        }
        tokio::time::sleep(every * n).await;
    }
    metrics::counter!("suyuan_queries_dropped_total").increment(queries.len() as u64);
    tracing::warn!(lost = queries.len(), "query log given up");
}

async fn write(db: &Db, key: &DailyKey, batch: Uuid, queries: &[Query]) -> Result<(), DbErr> {
    let at = queries.first().map_or(0, |query| query.at);
    let mut values: Vec<Value> = Vec::with_capacity(queries.len() * COLUMNS);
    for (n, query) in queries.iter().enumerate() {
        let agent = query
            .agent
            .as_ref()
            .and_then(|a| a.to_str().ok())
            .unwrap_or_default();
        let (space, index) = match query.unit {
            Some((space, index)) => (space.to_string(), index as i64),
            None => (String::new(), -1),
        };
        let verdict = format!(
            "{:?}/{:04x}",
            query.verdict.advice,
            query.verdict.reasons.bits()
        );
        values.extend([
            batch.into(),
            (n as i64).into(),
            match query.seen {
                Seen::Now => query.at,
                Seen::Offline(at) => at,
            }
            .into(),
            query.code.to_string().into(),
            space.into(),
            index.into(),
            verdict.into(),
            channel(query, agent).into(),
            is_bot(agent).into(),
            key.device(query.address, agent).into(),
        ]);
    }
    let row = format!("({})", ["?"; COLUMNS].join(", "));
    let sql = format!(
        "INSERT INTO query_log \
         (batch, n, at, code, space, idx, verdict, channel, bot, device) VALUES {}",
        vec![row.as_str(); queries.len()].join(", ")
    );
    let tx = db.begin().await?;
    query_batch::Entity::insert(query_batch::ActiveModel {
        id: Set(batch),
        created_at: Set(at),
        fold: Set(None),
    })
    .exec_without_returning(&tx)
    .await?;
    tx.execute_raw(statement(db.backend(), &sql, values))
        .await?;
    tx.commit().await
}

/// Columns of `query_log`.
const COLUMNS: usize = 10;

/// Folds batches that were not folded yet into counts. Each batch counts once, however often this
/// runs. Returns how many batches there were.
pub async fn fold(db: &Db, now: Micros) -> Result<usize, DbErr> {
    let tx = db.begin().await?;
    let backend = db.backend();
    // The fold's row is the lock: two processes fold one after the other.
    let row = tx
        .query_one_raw(statement(
            backend,
            "UPDATE query_fold SET fold = fold + 1, folded_at = ? WHERE id = 1 RETURNING fold",
            [now.into()],
        ))
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("query_fold".into()))?;
    let fold: i64 = row.try_get("", "fold")?;
    let batches: Vec<Uuid> = query_batch::Entity::find()
        .filter(query_batch::Column::Fold.is_null())
        .order_by_asc(query_batch::Column::CreatedAt)
        .limit(FOLD_BATCHES)
        .all(&tx)
        .await?
        .into_iter()
        .map(|batch| batch.id)
        .collect();
    if batches.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let entries: Vec<(String, i64, i64)> = query_log::Entity::find()
        .select_only()
        .column(query_log::Column::Space)
        .column(query_log::Column::Idx)
        .column(query_log::Column::At)
        .filter(query_log::Column::Batch.is_in(batches.clone()))
        .filter(query_log::Column::Bot.eq(false))
        .filter(query_log::Column::Channel.ne(OFFLINE))
        .filter(query_log::Column::Idx.gte(0))
        .into_tuple()
        .all(&tx)
        .await?;
    let mut counts: HashMap<(String, i64), (i64, i64)> = HashMap::new();
    let mut chunks: BTreeMap<(String, i64), RoaringBitmap> = BTreeMap::new();
    for (space, index, at) in entries {
        chunks
            .entry((space.clone(), index >> 16))
            .or_default()
            .insert((index & 0xffff) as u32);
        let count = counts.entry((space, index)).or_insert((0, at));
        count.0 += 1;
        count.1 = count.1.min(at);
    }
    add_counts(&tx, counts, fold).await?;
    for ((space, chunk), bits) in chunks {
        mark_queried(&tx, space, chunk, bits, fold).await?;
    }
    query_batch::Entity::update_many()
        .col_expr(query_batch::Column::Fold, fold.into())
        .filter(query_batch::Column::Id.is_in(batches.clone()))
        .exec(&tx)
        .await?;
    tx.commit().await?;
    Ok(batches.len())
}

/// Rows counted in one statement.
const ROWS_A_STATEMENT: usize = 500;

async fn add_counts(
    tx: &impl ConnectionTrait,
    counts: HashMap<(String, i64), (i64, i64)>,
    fold: i64,
) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let least = if backend == sea_orm::DbBackend::Postgres {
        "LEAST"
    } else {
        "MIN"
    };
    let counts: Vec<_> = counts.into_iter().collect();
    for rows in counts.chunks(ROWS_A_STATEMENT) {
        let places = vec!["(?, ?, ?, ?, ?)"; rows.len()].join(", ");
        let sql = format!(
            "INSERT INTO query_count (space, idx, first_at, n, fold) VALUES {places} \
             ON CONFLICT (space, idx) DO UPDATE SET n = query_count.n + excluded.n, \
             first_at = {least}(query_count.first_at, excluded.first_at), fold = excluded.fold"
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
        tx.execute_raw(statement(backend, &sql, values)).await?;
    }
    Ok(())
}

async fn mark_queried(
    tx: &impl ConnectionTrait,
    space: String,
    chunk: i64,
    mut bits: RoaringBitmap,
    fold: i64,
) -> Result<(), DbErr> {
    let before = query_chunk::Entity::find_by_id((space.clone(), chunk))
        .one(tx)
        .await?;
    if let Some(before) = before {
        let known = read_bits(&before.bits)?;
        if bits.is_subset(&known) {
            return Ok(());
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
    Ok(())
}

/// Folds for ever. Runs in the internal process only.
pub async fn fold_for_ever(db: Db, clock: crate::clock::Clock, every: Duration) {
    loop {
        match fold(&db, clock.now()).await {
            Ok(FULL) => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "queries not folded"),
        }
        tokio::time::sleep(every).await;
    }
}

/// A full fold: there may be more waiting.
const FULL: usize = FOLD_BATCHES as usize;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_and_crawlers_are_told_from_people() {
        assert!(is_bot("Mozilla/5.0 (compatible; Googlebot/2.1)"));
        assert!(is_bot("WhatsApp/2.0 LinkPreview"));
        assert!(!is_bot(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"
        ));
        assert_eq!(software("Mozilla/5.0 ... MicroMessenger/8.0"), "wechat");
        assert_eq!(software("curl/8.5"), "program");
    }

    #[test]
    fn a_device_is_told_apart_only_within_a_day() {
        let (monday, tuesday) = (DailyKey::for_day(1).unwrap(), DailyKey::for_day(2).unwrap());
        let home: Option<IpAddr> = Some([10, 1, 2, 3].into());
        let neighbour: Option<IpAddr> = Some([10, 1, 2, 99].into());
        assert_eq!(monday.device(home, "x"), monday.device(neighbour, "x"));
        assert_ne!(monday.device(home, "x"), monday.device(home, "y"));
        assert_ne!(monday.device(home, "x"), tuesday.device(home, "x"));
    }

    #[test]
    fn a_full_buffer_drops_and_counts() {
        let (log, _receiver) = QueryLog::new(1);
        for _ in 0..3 {
            log.note(Query {
                at: 0,
                code: suyuan_sync::trace_code::parse("06901234567892")
                    .unwrap()
                    .code,
                unit: None,
                verdict: super::super::decide::decide(&super::super::decide::Facts::of(
                    super::super::decide::Names::Nothing,
                )),
                agent: None,
                address: None,
                channel: Channel::Scan,
                seen: Seen::Now,
            });
        }
        assert_eq!(log.dropped(), 2);
    }
}
