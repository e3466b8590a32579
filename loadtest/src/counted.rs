//! Scans whose counts must be read from the database: codes that were all asked before, so many
//! that none comes again while its count is still held. The one figure in which every scan waits
//! for a connection, so the one in which a wait far longer than the others would show.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use crate::{
    LoadError,
    client::get,
    drive::{Outcome, closed_loop},
    pair::{Office, Pair},
    rounds::Plan,
    summary::{Series, Taken, progress},
    workload::Workload,
};

/// At less than 20,000 scans a second none comes again within 5 s, for which a count is held.
const CODES: u64 = 100_000;
/// Time to ask for each of them once, and then for the service to count that.
const ASKING_LIMIT: Duration = Duration::from_mins(1);
const COUNTING_LIMIT: Duration = Duration::from_mins(5);
const COUNTING_POLL: Duration = Duration::from_secs(1);
/// With fewer reads a scan the figure would be of something else.
const READS_MIN: f64 = 0.9;

/// All connections at once, without pause and without warm-up: the first moment counts too. The
/// series, and the longest any scan took.
pub async fn counted_scans(
    pair: &Pair,
    office: &Office,
    plan: Plan,
) -> Result<(Series, Result<Taken, String>), LoadError> {
    let mut series = Series {
        name: "counts read".to_owned(),
        outcomes: Vec::new(),
        failed: None,
    };
    let paths = office.issue(CODES).await?;
    let last = paths.last().cloned().unwrap_or_default();
    progress("asking for each code once");
    let once = Workload::once(&pair.demo.public, paths.clone());
    closed_loop(
        &pair.served,
        (&pair.hot(), Duration::ZERO),
        &once,
        ASKING_LIMIT,
    )
    .await?;
    until_counted(pair, &last).await?;

    let load = pair.cycle(paths);
    let (mut scans, mut reads) = (0, 0);
    for round in 1..=plan.rounds {
        progress(&format!("round {round}: {}", series.name));
        let before = office.officer.scan_io_calls().await?;
        let outcome =
            closed_loop(&pair.served, (&load, Duration::ZERO), &load, plan.length).await?;
        reads += office.officer.scan_io_calls().await? - before;
        scans += outcome.answered;
        series.outcomes.push(outcome);
    }
    let reads_a_scan = reads as f64 / scans.max(1) as f64;
    let longest: Vec<f64> = series.outcomes.iter().map(Outcome::max_ms).collect();
    let max = match series.rates() {
        Err(reason) => Err(reason),
        Ok(_) if reads_a_scan < READS_MIN => {
            Err(format!("only {reads_a_scan:.2} database reads a scan"))
        }
        Ok(_) => Taken::worst(&longest).map(|taken| {
            taken
                .with("of", "the worst round, counts read from the database")
                .with("reads_per_scan", (reads_a_scan * 100.0).round() / 100.0)
        }),
    };
    Ok((series, max))
}

/// Queries are counted a little later, in their order.
async fn until_counted(pair: &Pair, path: &str) -> Result<(), LoadError> {
    progress("waiting until they are counted");
    let start = Instant::now();
    while start.elapsed() < COUNTING_LIMIT {
        sleep(COUNTING_POLL).await;
        let answer = get(&pair.demo.public, path, "application/json").await?;
        let view: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if view["queries"]["count"].as_u64().is_some_and(|n| n > 0) {
            return Ok(());
        }
    }
    Err(LoadError::TimedOut {
        what: "waiting until queries are counted".to_owned(),
        limit: COUNTING_LIMIT,
    })
}
