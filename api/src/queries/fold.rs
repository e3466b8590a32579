//! The internal side of the query log: takes packets apart into rows and counts. Runs in the
//! internal process only, a few rows at a time and for a bounded share of the time: in a flood
//! counts get older, they never take the cores from answers, nor the database from changes.

use super::{
    packet::{CODES_MAX, Strip, unpack},
    sighting, store,
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
/// Codes folded in one transaction, which must not hold the database long.
const CODES_A_FOLD: i64 = CODES_MAX as i64;

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

/// A unit, as rows name it: its space and index; none is an empty name and -1.
pub type UnitName = (String, i64);

/// A row of the log: what was asked about one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// First when.
    pub first_at: Micros,
    /// Last when.
    pub last_at: Micros,
    /// All of it.
    pub written: sighting::Written,
}

/// How often a unit was asked about, by people, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// How often.
    pub n: i64,
    /// First when.
    pub first_at: Micros,
    /// Its canonical code.
    pub code: String,
}

/// What packets bring. Pure.
#[derive(Debug, Default, PartialEq)]
pub struct Folding {
    /// By unit and code.
    pub rows: BTreeMap<(UnitName, String), Row>,
    /// By unit.
    pub sums: HashMap<UnitName, Sum>,
}

impl Folding {
    /// Adds what a packet holds of one code. Bots and scans made offline earlier are kept in the
    /// log and not counted.
    pub fn add(&mut self, strip: Strip) {
        let Some(heads) = sighting::heads(&strip.written.heads) else {
            return; // unpacked packets hold readable ones only
        };
        let unit = match strip.unit {
            Some((space, index)) => (space.to_string(), index as i64),
            None => (String::new(), -1),
        };
        if strip.unit.is_some() {
            for head in heads.iter().filter(|head| head.manner.counts()) {
                let sum = self.sums.entry(unit.clone()).or_insert_with(|| Sum {
                    n: 0,
                    first_at: head.first_at,
                    code: strip.code.clone(),
                });
                sum.n = sum.n.saturating_add_unsigned(head.n);
                sum.first_at = sum.first_at.min(head.first_at);
            }
        }
        let first_at = heads.iter().map(|head| head.first_at).min();
        let last_at = heads.iter().map(|head| head.last_at).max();
        let (Some(first_at), Some(last_at)) = (first_at, last_at) else {
            return;
        };
        let row = self.rows.entry((unit, strip.code)).or_insert_with(|| Row {
            first_at,
            last_at,
            written: sighting::Written::default(),
        });
        row.first_at = row.first_at.min(first_at);
        row.last_at = row.last_at.max(last_at);
        row.written.heads.extend_from_slice(&strip.written.heads);
        row.written.times.extend_from_slice(&strip.written.times);
    }
}

/// By space and chunk: units that are counted for the first time.
pub type Chunks = BTreeMap<(String, i64), RoaringBitmap>;

/// Units whose whole count was just begun. Those counted before are marked since then.
fn new_ones(sums: &HashMap<UnitName, Sum>, counted: &[Counted]) -> Chunks {
    let mut chunks = Chunks::new();
    for unit in counted {
        let sum = sums.get(&(unit.space.clone(), unit.index));
        if sum.is_some_and(|sum| sum.n as u64 == unit.n) {
            let chunk = chunks.entry((unit.space.clone(), unit.index >> 16));
            chunk.or_default().insert((unit.index & 0xffff) as u32);
        }
    }
    chunks
}

/// What a fold did.
#[derive(Debug, PartialEq, Eq)]
pub struct Folded {
    /// Whose counts grew.
    pub counted: Vec<Counted>,
    /// Is there more waiting than was taken?
    pub more: bool,
}

/// Folds the packets that wait longest, many small ones together: a process that hardly anyone asks
/// still sends one an interval, and there are many processes. Each counts once, however often this
/// runs and wherever. `None` when nothing was waiting.
///
/// The database is held only to write: everything is read and taken apart before.
pub async fn fold(db: &Db, now: Micros) -> Result<Option<Folded>, DbErr> {
    let waiting = store::waiting(db).await?;
    let mut codes = 0;
    let taken = waiting.iter().take_while(|(_, entries)| {
        let first = codes == 0;
        codes += entries;
        first || codes <= CODES_A_FOLD
    });
    let taken: Vec<_> = taken.map(|(id, _)| *id).collect();
    if taken.is_empty() {
        return Ok(None);
    }
    let more = taken.len() < waiting.len();
    let (mut read, mut unreadable, mut folding) = (Vec::new(), Vec::new(), Folding::default());
    for packet in store::packets(db, taken).await? {
        if let Some(strips) = unpack(&packet.body) {
            read.push(packet.id);
            for strip in strips {
                folding.add(strip);
            }
        } else {
            metrics::counter!("suyuan_query_packets_unreadable_total").increment(1);
            tracing::error!(packet = %packet.id, "a packet of the query log cannot be read");
            unreadable.push(packet.id);
        }
    }
    let (tx, fold) = store::begin_fold(db, now).await?;
    if !unreadable.is_empty() {
        store::set_aside(&tx, unreadable).await?;
    }
    if !store::remove(&tx, read).await? {
        tx.rollback().await?; // another process folded some of them meanwhile
        let counted = Vec::new();
        return Ok(Some(Folded {
            counted,
            more: true,
        }));
    }
    store::put_rows(&tx, &folding.rows, fold).await?;
    let counted = store::add_counts(&tx, &folding.sums, fold).await?;
    store::mark_queried(&tx, new_ones(&folding.sums, &counted), fold).await?;
    tx.commit().await?;
    Ok(Some(Folded { counted, more }))
}

/// Folds for ever, passes on whose counts grew, and keeps the salts of today and tomorrow.
pub async fn fold_for_ever(
    db: Db,
    clock: Clock,
    every: Duration,
    counted: mpsc::Sender<Vec<Counted>>,
) {
    // What a release before could not read, this one may.
    if let Err(error) = store::try_again(&db).await {
        tracing::warn!(%error, "packets set aside are not tried again");
    }
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
        let mut pause = every;
        match fold(&db, now).await {
            Ok(Some(folded)) => {
                if folded.more {
                    pause = started.elapsed() * (100 / SHARE - 1);
                }
                // Who is busy misses these; the units come again when they are queried again.
                drop(counted.try_send(folded.counted));
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "queries not folded"),
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codes::SpaceKey,
        queries::{
            Channel,
            sighting::{Manner, Times, Written},
        },
    };

    fn strip(times: &[Micros], index: u64, bot: bool, offline: bool) -> Strip {
        let manner = Manner {
            advice: 0,
            reasons: 0,
            channel: Channel::Browser,
            bot,
            offline,
            device: 1,
            region: String::new(),
        };
        let mut all = Times::of(times[0]);
        times[1..].iter().for_each(|at| all.add(*at));
        let mut written = Written::default();
        written.push(&manner, &all);
        Strip {
            code: "/01/06901234567892/21/A".into(),
            unit: Some((SpaceKey::parse("01/06901234567892").unwrap(), index)),
            written,
        }
    }

    fn folding(strips: Vec<Strip>) -> Folding {
        let mut folding = Folding::default();
        for strip in strips {
            folding.add(strip);
        }
        folding
    }

    fn unit(index: i64) -> UnitName {
        ("01/06901234567892".to_owned(), index)
    }

    #[test]
    fn only_what_people_ask_now_is_counted() {
        let product = Strip {
            unit: None,
            ..strip(&[8], 1, false, false)
        };
        let folding = folding(vec![
            strip(&[9, 12], 65_536, false, false),
            strip(&[5], 65_536, false, false),
            strip(&[1], 65_536, true, false),
            strip(&[2], 7, false, true),
            product,
        ]);
        assert_eq!(folding.sums.len(), 1);
        let sum = &folding.sums[&unit(65_536)];
        assert_eq!((sum.n, sum.first_at), (3, 5));
        // All of it stands in the log, a row a code.
        let spans: Vec<_> = folding
            .rows
            .iter()
            .map(|(((_, index), _), row)| (*index, row.first_at, row.last_at))
            .collect();
        assert_eq!(spans, [(-1, 8, 8), (7, 2, 2), (65_536, 1, 12)]);
        let row = &folding.rows[&(unit(65_536), "/01/06901234567892/21/A".to_owned())];
        let seen = sighting::unpack(&row.written.heads, &row.written.times).unwrap();
        let times: Vec<_> = seen.into_iter().map(|(_, times)| times).collect();
        assert_eq!(times, [vec![9, 12], vec![5], vec![1]]);
    }

    #[test]
    fn units_are_marked_when_their_count_begins() {
        let sums = folding(vec![
            strip(&[1, 2], 7, false, false),
            strip(&[1], 65_537, false, false),
        ])
        .sums;
        let counted = |index, n| Counted {
            space: unit(0).0,
            index,
            code: String::new(),
            n,
        };
        let chunks = new_ones(&sums, &[counted(7, 9), counted(65_537, 1)]);
        let marked: Vec<_> = chunks
            .into_iter()
            .map(|((_, chunk), bits)| (chunk, bits.into_iter().collect::<Vec<_>>()))
            .collect();
        assert_eq!(marked, [(1, vec![1])]);
    }
}
