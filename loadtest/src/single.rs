//! Figures that are taken once rather than against a baseline: a million codes, the time until a
//! recall is seen, the size of a page.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    LoadError,
    client::{Connection, call, request},
    http::Decoder,
    pair::{Office, Pair},
    process,
    summary::{Spread, Summary, Taken, progress},
};

const MILLION: u64 = 1_000_000;
const ISSUED_BYTES_OF: &str =
    "growth of all *.db* files, journals included, on a service not scanned before";
/// A recall is looked for so often, so many times, and for so long.
const RECALL_POLL: Duration = Duration::from_millis(5);
const RECALL_TIMES: usize = 5;
const RECALL_LIMIT: Duration = Duration::from_secs(10);
/// Answers that must go on saying stop after the first that did.
const RECALL_STEADY: usize = 20;

/// A million codes: allocated and streamed as a print file; and what they cost on disk. On a
/// service that has answered nothing yet: the growth is then of the codes alone, and not of the
/// queries that are folded in the background after load.
pub async fn issue_million(pair: &Pair, office: &Office, summary: &mut Summary) {
    progress("issuing a million codes");
    let folder = pair.demo.data_folder();
    let size = || {
        let folder = folder.as_deref().ok_or("no folder")?;
        process::database_bytes(folder).map_err(|error| format!("database size: {error}"))
    };
    let before = size();
    let start = Instant::now();
    let took = async {
        let segment = office.officer.allocate(&office.product, MILLION).await?;
        let allocated = start.elapsed().as_secs_f64();
        let lines = office.officer.discard_csv(&segment).await?;
        // With or without a heading.
        if !(MILLION..=MILLION + 1).contains(&lines) {
            let what = format!("the print file of a million codes has {lines} lines");
            return Err(LoadError::Unusable(what));
        }
        Ok((allocated, start.elapsed().as_secs_f64()))
    }
    .await;
    let after = size();
    let figure = match &took {
        Ok((allocated, all)) => {
            Taken::median(&[*all]).map(|taken| taken.with("allocation_s", *allocated))
        }
        Err(error) => Err(error.to_string()),
    };
    let bytes = match (&took, before, after) {
        (Ok(_), Ok(before), Ok(after)) => Taken::median(&[after as f64 - before as f64])
            .map(|taken| taken.with("of", ISSUED_BYTES_OF)),
        (Err(error), ..) => Err(error.to_string()),
        (_, Err(reason), _) | (_, _, Err(reason)) => Err(reason),
    };
    summary.put("issue_million_s", figure);
    match folder {
        Some(_) => summary.put("issue_million_bytes", bytes),
        None => summary.leave_out(&["issue_million_bytes"], "size on PostgreSQL is not taken"),
    }
}

/// From the moment a recall is ordered to the first answer that says stop, which must then go on
/// saying so. Each recall is closed again.
pub async fn recall_visible(pair: &Pair, office: &Office) -> Result<Taken, LoadError> {
    progress("opening and closing recalls");
    let mut watch = Watch::open(pair).await?;
    let (mut visible, mut ordering) = (Vec::new(), Vec::new());
    watch.until(|advice| advice != "stop").await?;
    for _ in 0..RECALL_TIMES {
        let ordered = Instant::now();
        let recall = office.officer.open_recall(&office.batch).await?;
        let accepted = ordered.elapsed();
        let seen = watch.until(|advice| advice == "stop").await?;
        visible.push((seen - ordered).as_secs_f64() * 1e3);
        ordering.push(accepted.as_secs_f64() * 1e3);
        let mut steady = true;
        for _ in 0..RECALL_STEADY {
            sleep(RECALL_POLL).await;
            steady &= watch.advice().await? == "stop";
        }
        office.officer.close_recall(&recall).await?;
        if !steady {
            let what = "an answer went back from stop while the recall was open";
            return Err(LoadError::Unusable(what.to_owned()));
        }
        watch.until(|advice| advice != "stop").await?;
    }
    let order_ms = Spread::of(&ordering).map_or(Value::Null, |spread| spread.median.into());
    Taken::median(&visible)
        .map(|taken| {
            taken
                .with("from", "sending the order")
                .with("order_answered_after_ms", order_ms)
                .with("nodes", 1)
        })
        .map_err(LoadError::Unusable)
}

/// Asks for one code again and again over one connection.
struct Watch {
    connection: Connection,
    request: Vec<u8>,
}

impl Watch {
    async fn open(pair: &Pair) -> Result<Self, LoadError> {
        let target = &pair.demo.public;
        let headers = [("Accept", "application/json")];
        Ok(Self {
            connection: Connection::open(target).await?,
            request: request(target, "GET", &pair.legal.path, &headers, None),
        })
    }

    async fn advice(&mut self) -> Result<String, LoadError> {
        let mut body = Vec::new();
        self.connection
            .exchange(&self.request, &mut Decoder::new(), |part| {
                body.extend_from_slice(part);
            })
            .await?;
        let view: Value = serde_json::from_slice(&body).unwrap_or_default();
        let advice = view["advice"].as_str().map(str::to_owned);
        advice.ok_or_else(|| LoadError::Unusable("an answer without advice".to_owned()))
    }

    /// Polls until the advice is as wanted, and says when the answer had come.
    async fn until(&mut self, wanted: impl Fn(&str) -> bool) -> Result<Instant, LoadError> {
        let start = Instant::now();
        while start.elapsed() < RECALL_LIMIT {
            if wanted(&self.advice().await?) {
                return Ok(Instant::now());
            }
            sleep(RECALL_POLL).await;
        }
        Err(LoadError::TimedOut {
            what: "waiting for the advice to change".to_owned(),
            limit: RECALL_LIMIT,
        })
    }
}

/// The consumer page of the hot code, as few bytes as it comes in over the wire.
pub async fn page_bytes(pair: &Pair) -> Result<Taken, LoadError> {
    let target = &pair.demo.public;
    let headers = [("Accept", "text/html"), ("Accept-Encoding", "gzip")];
    let bytes = request(target, "GET", &pair.legal.path, &headers, None);
    let page = call(target, &bytes, Duration::from_secs(10))
        .await?
        .succeeded("the page of the legal code")?;
    let kind = page.header("content-type").unwrap_or_default();
    if !kind.starts_with("text/html") {
        let what = format!("the page of the legal code is `{kind}`");
        return Err(LoadError::Unusable(what));
    }
    let (size, by) = if page.header("content-encoding") == Some("gzip") {
        (page.body.len(), "the service")
    } else {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::new(6));
        let packed = gzip.write_all(&page.body).and_then(|()| gzip.finish());
        let packed = packed.map_err(LoadError::io("compressing the page"))?;
        (
            packed.len(),
            "the load test: the service sent it uncompressed",
        )
    };
    Taken::median(&[size as f64])
        .map(|taken| taken.with("compressed_by", by))
        .map_err(LoadError::Unusable)
}
