//! The consumer side of the query log: notes queries into memory and inserts them in packets. A
//! full memory drops queries and counts them; it never makes a consumer wait.

use super::{
    entry::Channel,
    packet::{Open, Packet, Way},
    store,
    visitor::Visitors,
};
use crate::{
    clock::{Clock, Micros},
    codes::SpaceKey,
    db::{Db, Line, Reader, Silent},
};
use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use suyuan_sync::trace_code::TraceCode;

/// Tries before packets are given up: with the pauses between them, more than a minute and a half
/// at the default pace.
const TRIES_MAX: u32 = 60;

/// Longest wait for one try.
const PATIENCE: Duration = Duration::from_secs(3);

const DAY: i64 = 86_400_000_000;

/// One query, as the answer's path knows it.
pub struct Query<'a> {
    /// When the code was scanned.
    pub at: Micros,
    /// When we were asked: the day whose pseudonym the device gets.
    pub asked_at: Micros,
    /// What was asked.
    pub code: &'a TraceCode,
    /// Its unit, if it names one that was ever allocated.
    pub unit: Option<(SpaceKey, u64)>,
    /// Advice that was given, by rank.
    pub advice: u8,
    /// Reasons that were given, as bits.
    pub reasons: u16,
    /// By which door, where that is known better than from the software.
    pub channel: Option<Channel>,
    /// Scanned earlier, without network.
    pub offline: bool,
    /// The caller's software; not kept.
    pub agent: &'a [u8],
    /// The caller's address; only its prefix is used, and only hashed.
    pub address: Option<IpAddr>,
    /// Region as a trusted proxy named it.
    pub region: &'a str,
}

/// Where queries are noted.
pub struct QueryLog {
    noted: Mutex<Noted>,
    queries_max: usize,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Noted {
    full: Vec<Packet>,
    open: Open,
    /// Of both.
    queries: usize,
    visitors: Visitors,
}

impl QueryLog {
    /// A log that holds at most this many queries in memory.
    pub fn new(queries_max: usize) -> QueryLog {
        QueryLog {
            noted: Mutex::default(),
            queries_max,
            dropped: AtomicU64::new(0),
        }
    }

    /// Notes a query, or counts it as dropped when the memory is full.
    pub fn note(&self, query: &Query<'_>) {
        let mut noted = self.lock();
        if noted.queries >= self.queries_max {
            drop(noted);
            self.count_dropped(1);
            return;
        }
        let day = query.asked_at.div_euclid(DAY);
        let visitor = noted.visitors.of(day, query.address, query.agent);
        let way = Way {
            advice: query.advice,
            reasons: query.reasons,
            channel: query.channel.unwrap_or(visitor.channel),
            bot: visitor.bot,
            offline: query.offline,
            device: visitor.device,
            region: query.region,
        };
        noted.open.note(query.code, query.unit, &way, query.at);
        noted.queries += 1;
        if noted.open.is_full() {
            let full = noted.open.pack();
            noted.full.push(full);
            noted.open.clear();
        }
    }

    /// Uses the installation's salt of a day.
    pub fn use_salt(&self, day: i64, salt: &[u8]) {
        self.lock().visitors.use_salt(day, salt);
    }

    /// Queries dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Takes what was noted since.
    fn take(&self) -> Vec<Packet> {
        let mut noted = self.lock();
        let mut packets = std::mem::take(&mut noted.full);
        let open = std::mem::take(&mut noted.open);
        noted.queries = 0;
        drop(noted);
        if open.queries() > 0 {
            packets.push(open.pack());
        }
        packets
    }

    fn count_dropped(&self, n: u64) {
        self.dropped.fetch_add(n, Ordering::Relaxed);
        metrics::counter!("suyuan_queries_dropped_total").increment(n);
    }

    /// Notes are whole or absent: a panic while they were locked leaves them usable.
    fn lock(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Uses the installation's salts as they are made, for ever.
pub async fn follow_salts(db: Reader, log: Arc<QueryLog>, clock: Clock, every: Duration) {
    let mut used = Vec::new();
    loop {
        match store::salts(&db, clock.now().div_euclid(DAY)).await {
            Ok(salts) if salts != used => {
                for (day, salt) in &salts {
                    log.use_salt(*day, salt);
                }
                used = salts;
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "salts of the query log not read"),
        }
        tokio::time::sleep(every).await;
    }
}

/// Inserts what was noted, for ever.
pub async fn write_for_ever(line: Line, log: Arc<QueryLog>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let packets = log.take();
        if !packets.is_empty() {
            write_or_drop(&line, &log, packets, every).await;
        }
    }
}

/// Inserts packets, trying again while the database is away; each under an id of its own, so that
/// a try whose answer was lost does not count twice.
async fn write_or_drop(line: &Line, log: &QueryLog, packets: Vec<Packet>, every: Duration) {
    let lost: usize = packets.iter().map(|packet| packet.queries).sum();
    let rows: Vec<_> = packets.into_iter().map(store::PacketRow::of).collect();
    for n in 1..=TRIES_MAX {
        let put = async |db: &Db| store::put_packets(db, &rows).await;
        match line.within(PATIENCE, put).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::debug!(%error, n, "query log not written yet"),
            Err(Silent) => tracing::debug!(n, "query log not written yet: no answer"),
        }
        tokio::time::sleep(every * n).await;
    }
    log.count_dropped(lost as u64);
    tracing::warn!(lost, "query log given up");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::{packet, sighting};
    use suyuan_sync::trace_code;

    fn note(log: &QueryLog, n: usize) {
        let code = trace_code::parse("06901234567892").unwrap().code;
        for _ in 0..n {
            log.note(&Query {
                at: 7,
                asked_at: 7,
                code: &code,
                unit: None,
                advice: 1,
                reasons: 3,
                channel: None,
                offline: false,
                agent: b"curl/8",
                address: None,
                region: "",
            });
        }
    }

    #[test]
    fn a_full_memory_drops_and_counts() {
        let log = QueryLog::new(1);
        note(&log, 3);
        assert_eq!(log.dropped(), 2);
        assert_eq!(log.take().len(), 1);
        note(&log, 1);
        assert_eq!(log.dropped(), 2, "there is room again");
    }

    #[test]
    fn what_is_noted_is_taken_once() {
        let log = QueryLog::new(50_000);
        note(&log, 20_005);
        let packets = log.take();
        let sizes: Vec<_> = packets.iter().map(|packet| packet.queries).collect();
        assert_eq!(sizes, [20_000, 5]);
        let strip = &packet::unpack(&packets[1].body).unwrap()[0];
        assert_eq!(strip.code, "/01/06901234567892");
        let heads = sighting::heads(&strip.written.heads).unwrap();
        assert_eq!((heads.len(), heads[0].n), (1, 5));
        assert_eq!(heads[0].manner.channel, Channel::Program);
        assert!(log.take().is_empty());
    }
}
