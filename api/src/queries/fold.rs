//! The internal side of the query log: unpacks packets into rows and counts. Runs in the internal
//! process only, and takes a bounded share of the time: in a flood counts get older, they never
//! take the cores from answers.

use super::{
    entry::{Entry, unpack},
    note::PACKET_MAX,
    store,
};
use crate::{
    clock::{Clock, Micros},
    db::Db,
};
use roaring::RoaringBitmap;
use sea_orm::DbErr;
use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

const DAY: i64 = 86_400_000_000;
/// Of a hundred parts of the time, folding takes at most this many.
const SHARE: u32 = 10;
/// Entries folded in one transaction, which must not hold the database long.
const ENTRIES_MAX: i64 = PACKET_MAX as i64;

/// A unit whose count has just grown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Its space.
    pub space: String,
    /// Its index there.
    pub index: i64,
    /// Its canonical code.
    pub code: String,
    /// All queries so far.
    pub n: u64,
}

/// What a packet adds to what is known of units. Pure.
#[derive(Debug, Default, PartialEq)]
pub struct Sums {
    /// By space and index: how many queries, and the first.
    pub counts: HashMap<(String, i64), (i64, i64)>,
    /// By space and index: the canonical code.
    pub codes: HashMap<(String, i64), String>,
    /// By space and chunk: who was queried at all.
    pub chunks: BTreeMap<(String, i64), RoaringBitmap>,
}

impl Sums {
    /// Adds up entries. Bots and scans made offline earlier are kept in the log and not counted.
    pub fn of(entries: &[Entry]) -> Sums {
        let mut sums = Sums::default();
        for entry in entries.iter().filter(|entry| !entry.bot && !entry.offline) {
            let Some((space, index)) = entry.unit else {
                continue;
            };
            let (space, index) = (space.to_string(), index as i64);
            let bits = sums.chunks.entry((space.clone(), index >> 16)).or_default();
            bits.insert((index & 0xffff) as u32);
            let unit = (space, index);
            if !sums.codes.contains_key(&unit) {
                sums.codes.insert(unit.clone(), entry.code.clone());
            }
            let count = sums.counts.entry(unit).or_insert((0, entry.at));
            count.0 += 1;
            count.1 = count.1.min(entry.at);
        }
        sums
    }
}

/// Folds the packets that wait longest, many small ones together: a process that hardly anyone asks
/// still sends one an interval, and there are many processes. Each counts once, however often this runs and wherever.
/// Returns whose counts grew; `None` when nothing was waiting.
pub async fn fold(db: &Db, now: Micros) -> Result<Option<Vec<Counted>>, DbErr> {
    if !store::is_waiting(db).await? {
        return Ok(None);
    }
    let (tx, fold) = store::begin_fold(db, now).await?;
    let packets = store::oldest(&tx, ENTRIES_MAX).await?;
    if packets.is_empty() {
        tx.rollback().await?;
        return Ok(None);
    }
    let mut all = Vec::new();
    for packet in packets {
        if let Some(entries) = unpack(&packet.body) {
            store::put_rows(&tx, packet.id, &entries).await?;
            store::remove(&tx, packet.id).await?;
            all.extend(entries);
        } else {
            metrics::counter!("suyuan_query_packets_unreadable_total").increment(1);
            tracing::error!(packet = %packet.id, "a packet of the query log cannot be read");
            store::set_aside(&tx, packet.id).await?;
        }
    }
    let sums = Sums::of(&all);
    let counted = store::add_counts(&tx, &sums, fold).await?;
    store::mark_queried(&tx, sums.chunks, fold).await?;
    tx.commit().await?;
    Ok(Some(counted))
}

/// Folds for ever, passes on whose counts grew, and keeps the salts of today and tomorrow.
pub async fn fold_for_ever(
    db: Db,
    clock: Clock,
    every: Duration,
    counted: mpsc::Sender<Vec<Counted>>,
) {
    let mut salted = None;
    loop {
        let now = clock.now();
        let today = now.div_euclid(DAY);
        if salted != Some(today) {
            match store::tidy_salts(&db, [today, today + 1]).await {
                Ok(()) => salted = Some(today),
                Err(error) => tracing::warn!(%error, "salts of the query log not kept"),
            }
        }
        let started = Instant::now();
        let more = match fold(&db, now).await {
            Ok(Some(units)) => {
                // Who is busy misses these; the units come again when they are queried again.
                drop(counted.try_send(units));
                true
            }
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(%error, "queries not folded");
                false
            }
        };
        let pause = if more {
            started.elapsed() * (100 / SHARE - 1)
        } else {
            every
        };
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codes::SpaceKey, queries::Channel};

    fn entry(at: Micros, index: u64) -> Entry {
        let space = SpaceKey::parse("01/06901234567892").unwrap();
        Entry {
            at,
            code: "/01/06901234567892/21/A".into(),
            unit: Some((space, index)),
            advice: 0,
            reasons: 0,
            channel: Channel::Browser,
            bot: false,
            offline: false,
            device: 1,
            region: String::new(),
        }
    }

    #[test]
    fn only_what_people_ask_now_is_counted() {
        let entries = [
            entry(9, 65_536),
            entry(5, 65_536),
            Entry {
                bot: true,
                ..entry(1, 65_536)
            },
            Entry {
                offline: true,
                ..entry(2, 65_536)
            },
            Entry {
                unit: None,
                ..entry(3, 0)
            },
        ];
        let sums = Sums::of(&entries);
        let space = "01/06901234567892".to_owned();
        assert_eq!(
            sums.counts,
            HashMap::from([((space.clone(), 65_536), (2, 5))])
        );
        assert_eq!(
            sums.chunks,
            BTreeMap::from([((space, 1), RoaringBitmap::from([0]))])
        );
    }
}
