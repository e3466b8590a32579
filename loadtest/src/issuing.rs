//! The internal calls a run needs, and every assumption about them. When the API says otherwise,
//! this is the one file to change.
//!
//! | call | sent | read |
//! |---|---|---|
//! | `POST /v1/sessions` | `{username, password}` | `access_token` |
//! | `GET /v1/products` | | `items` of `{id, trade_items[{space}]}` |
//! | `GET /v1/batches?product_id=` | | `items` of `{id, lot}` |
//! | `POST /v1/segments` | `{product_id, count}` | `id`, `from` |
//! | `GET /v1/segments/{id}/codes?format=jsonl` | | lines of `{url}` |
//! | `GET /v1/segments/{id}/codes?format=csv` | | a heading and a line a code |
//! | `POST /v1/commissions` | `{batch_id, ranges[{segment_id, from, to}]}` | |
//! | `POST /v1/recalls` | `{batch_ids, reason, instructions, initiated_at, responsible}` | `id` |
//! | `POST /v1/recalls/{id}/close` | `{note}` | |
//! | `GET /v1/recalls/{id}/reach` | | `total.units` and the same of each part |
//! | `GET /v1/locations` | | `items` of `{id, kind}` |
//! | `POST /v1/badges` | `{number, role}` | |
//! | `POST /v1/devices` | `{name, profile, location_id}` | `ticket{code}` |
//! | `GET /metrics` | | `suyuan_resolver_io_total`, present from the start, counting calls made for a scan only |
//!
//! The first page of a list holds the demo's products and batches. Every POST carries an
//! `Idempotency-Key`.

use std::{
    cell::Cell,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    LoadError,
    client::{Connection, Reply, call, request},
    http::Decoder,
    server::Login,
    target::{Target, path_of},
};

/// More codes than this are taken in several segments.
pub const SEGMENT_MAX: u64 = 10_000_000;
/// The counter of database and Redis calls made for scans.
const IO_COUNTER: &str = "suyuan_resolver_io_total";
/// A single call that takes longer has failed.
const CALL_LIMIT: Duration = Duration::from_mins(1);
/// So has a stream of codes.
const STREAM_LIMIT: Duration = Duration::from_mins(5);

/// An id of the API, kept as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Id(Value);

impl Id {
    /// The id as a UUID.
    pub fn uuid(&self) -> Result<Uuid, LoadError> {
        let text = self.in_path();
        text.parse()
            .map_err(|_| LoadError::Unusable(format!("`{text}` is no UUID")))
    }

    fn in_path(&self) -> String {
        match &self.0 {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// A segment: its id and first index.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    id: Id,
    from: u64,
}

/// Someone logged in who may issue codes and recall.
pub struct Officer {
    internal: Target,
    authorization: String,
    run: u128,
    calls: Cell<u64>,
}

impl Officer {
    /// Logs in.
    pub async fn log_in(internal: &Target, login: &Login) -> Result<Self, LoadError> {
        let run = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut officer = Self {
            internal: internal.clone(),
            authorization: String::new(),
            run: run.map_or(0, |since| since.as_nanos()),
            calls: Cell::new(0),
        };
        let body = json!({"username": login.user, "password": login.password});
        let session = officer.post("/v1/sessions", &body).await?;
        let token = session["access_token"]
            .as_str()
            .ok_or_else(|| lacking("POST /v1/sessions", "access_token"))?;
        officer.authorization = format!("Bearer {token}");
        Ok(officer)
    }

    /// The product with this GTIN.
    pub async fn product(&self, gtin: &str) -> Result<Id, LoadError> {
        let space = format!("01/{gtin}");
        let ours = |item: &Value| {
            let spaces = item["trade_items"].as_array();
            spaces.is_some_and(|list| list.iter().any(|trade| trade["space"] == space))
        };
        self.find("/v1/products", &space, ours).await
    }

    /// The batch of a product with this lot.
    pub async fn batch(&self, product: &Id, lot: &str) -> Result<Id, LoadError> {
        let path = format!("/v1/batches?product_id={}", product.in_path());
        self.find(&path, lot, |item| item["lot"] == lot).await
    }

    /// Allocates `count` codes, at most [`SEGMENT_MAX`].
    pub async fn allocate(&self, product: &Id, count: u64) -> Result<Segment, LoadError> {
        let body = json!({"product_id": product.0, "count": count});
        let made = self.post("/v1/segments", &body).await?;
        Ok(Segment {
            id: id_in(&made, "POST /v1/segments")?,
            from: made["from"]
                .as_u64()
                .ok_or_else(|| lacking("POST /v1/segments", "from"))?,
        })
    }

    /// Commissions the first `count` codes of a segment to a batch.
    pub async fn commission(
        &self,
        batch: &Id,
        segment: &Segment,
        count: u64,
    ) -> Result<(), LoadError> {
        self.commission_parts(batch, segment, [(0, count)]).await
    }

    /// Commissions parts of a segment to a batch: of each its first code, counted from that of the
    /// segment, and how many.
    pub async fn commission_parts(
        &self,
        batch: &Id,
        segment: &Segment,
        parts: impl IntoIterator<Item = (u64, u64)>,
    ) -> Result<(), LoadError> {
        let range = |(first, count): (u64, u64)| {
            let from = segment.from + first;
            json!({"segment_id": segment.id.0, "from": from, "to": from + count - 1})
        };
        let ranges: Vec<Value> = parts.into_iter().map(range).collect();
        let body = json!({"batch_id": batch.0, "ranges": ranges});
        self.post("/v1/commissions", &body).await.map(|_| ())
    }

    /// The paths of the first `count` codes of a segment.
    pub async fn code_paths(
        &self,
        segment: &Segment,
        count: usize,
    ) -> Result<Vec<String>, LoadError> {
        let mut lines = CodeLines {
            held: Vec::new(),
            paths: Vec::with_capacity(count),
            broken: None,
        };
        let enough = Cell::new(false);
        self.stream(
            segment,
            "jsonl",
            |part| {
                lines.read(part, count);
                enough.set(lines.paths.len() >= count || lines.broken.is_some());
            },
            || !enough.get(),
        )
        .await?;
        match lines.broken {
            Some(reason) => Err(LoadError::Unusable(format!("a line of codes: {reason}"))),
            None => Ok(lines.paths),
        }
    }

    /// Reads the print file of a segment to its end and throws it away; how many lines it had.
    pub async fn discard_csv(&self, segment: &Segment) -> Result<u64, LoadError> {
        let mut ends = 0;
        let count_ends = |part: &[u8]| {
            ends += part
                .iter()
                .map(|byte| u64::from(*byte == b'\n'))
                .sum::<u64>();
        };
        self.stream(segment, "csv", count_ends, || true).await?;
        Ok(ends)
    }

    /// Recalls a batch.
    pub async fn open_recall(&self, batch: &Id) -> Result<Id, LoadError> {
        let body = json!({
            "batch_ids": [batch.0],
            "reason": "load test: time until a recall is seen",
            "instructions": "none; closed again at once",
            "initiated_at": "2026-01-01T00:00:00Z",
            "responsible": "load test",
        });
        let made = self.post("/v1/recalls", &body).await?;
        id_in(&made, "POST /v1/recalls")
    }

    /// Closes a recall again.
    pub async fn close_recall(&self, recall: &Id) -> Result<(), LoadError> {
        let path = format!("/v1/recalls/{}/close", recall.in_path());
        let body = json!({"note": "load test over"});
        self.post(&path, &body).await.map(|_| ())
    }

    /// Where the units of a recall are.
    pub async fn reach(&self, recall: &Id) -> Result<Value, LoadError> {
        let path = format!("/v1/recalls/{}/reach", recall.in_path());
        json_of(&format!("GET {path}"), &self.get(&path).await?)
    }

    /// The first place of this kind.
    pub async fn place(&self, kind: &str) -> Result<Id, LoadError> {
        self.find("/v1/locations", kind, |item| item["kind"] == kind)
            .await
    }

    /// Puts somebody on record as working everywhere.
    pub async fn employ(&self, number: &str) -> Result<(), LoadError> {
        let body = json!({"number": number, "role": "worker"});
        self.post("/v1/badges", &body).await.map(|_| ())
    }

    /// A ticket with which one device may enrol at a place.
    pub async fn ticket(&self, name: &str, place: &Id) -> Result<String, LoadError> {
        let body = json!({"name": name, "profile": "handheld", "location_id": place.0});
        let made = self.post("/v1/devices", &body).await?;
        made["ticket"]["code"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| lacking("POST /v1/devices", "ticket.code"))
    }

    /// Database and Redis calls made for scans so far.
    pub async fn scan_io_calls(&self) -> Result<u64, LoadError> {
        sum_of_counter(&self.metrics().await?, IO_COUNTER)
            .ok_or_else(|| lacking("GET /metrics", IO_COUNTER))
    }

    /// What the service counts of itself.
    pub async fn metrics(&self) -> Result<String, LoadError> {
        let reply = self.get("/metrics").await?;
        Ok(String::from_utf8_lossy(&reply.body).into_owned())
    }

    async fn find(
        &self,
        path: &str,
        wanted: &str,
        is_it: impl Fn(&Value) -> bool,
    ) -> Result<Id, LoadError> {
        let what = format!("GET {path}");
        let list = json_of(&what, &self.get(path).await?)?;
        let found = list["items"]
            .as_array()
            .ok_or_else(|| lacking(&what, "items"))?
            .iter()
            .find(|item| is_it(item))
            .ok_or_else(|| lacking(&what, wanted))?;
        id_in(found, &what)
    }

    async fn get(&self, path: &str) -> Result<Reply, LoadError> {
        let headers = [("Authorization", self.authorization.as_str())];
        let bytes = request(&self.internal, "GET", path, &headers, None);
        call(&self.internal, &bytes, CALL_LIMIT)
            .await?
            .succeeded(&format!("GET {path}"))
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, LoadError> {
        let what = format!("POST {path}");
        self.calls.set(self.calls.get() + 1);
        let key = format!("loadtest-{}-{}", self.run, self.calls.get());
        let mut headers = vec![("Idempotency-Key", key.as_str())];
        if !self.authorization.is_empty() {
            headers.push(("Authorization", &self.authorization));
        }
        let body = body.to_string();
        let bytes = request(
            &self.internal,
            "POST",
            path,
            &headers,
            Some(body.as_bytes()),
        );
        let reply = call(&self.internal, &bytes, CALL_LIMIT)
            .await?
            .succeeded(&what)?;
        if reply.body.is_empty() {
            return Ok(Value::Null);
        }
        json_of(&what, &reply)
    }

    async fn stream(
        &self,
        segment: &Segment,
        format: &str,
        on_part: impl FnMut(&[u8]),
        wanted: impl Fn() -> bool,
    ) -> Result<(), LoadError> {
        let path = format!(
            "/v1/segments/{}/codes?format={format}",
            segment.id.in_path()
        );
        let headers = [("Authorization", self.authorization.as_str())];
        let bytes = request(&self.internal, "GET", &path, &headers, None);
        let whole = async {
            let mut connection = Connection::open(&self.internal).await?;
            let mut decoder = Decoder::new();
            connection
                .exchange_while(&bytes, &mut decoder, on_part, wanted)
                .await?;
            Ok(decoder.status())
        };
        let what = format!("GET {path}");
        let status = timeout(STREAM_LIMIT, whole)
            .await
            .map_err(|_| LoadError::TimedOut {
                what: what.clone(),
                limit: STREAM_LIMIT,
            })??;
        if status == 200 {
            return Ok(());
        }
        Err(LoadError::Status {
            what,
            status,
            body: "(not kept)".to_owned(),
        })
    }
}

/// Lines of codes, however they are cut.
struct CodeLines {
    held: Vec<u8>,
    paths: Vec<String>,
    broken: Option<String>,
}

#[derive(Deserialize)]
struct CodeLine {
    url: String,
}

impl CodeLines {
    fn read(&mut self, part: &[u8], count: usize) {
        for piece in part.split_inclusive(|byte| *byte == b'\n') {
            if self.paths.len() >= count || self.broken.is_some() {
                return;
            }
            self.held.extend_from_slice(piece);
            if self.held.last() != Some(&b'\n') {
                return;
            }
            match serde_json::from_slice::<CodeLine>(&self.held) {
                Ok(line) => self.paths.push(path_of(&line.url).to_owned()),
                Err(error) => self.broken = Some(error.to_string()),
            }
            self.held.clear();
        }
    }
}

fn lacking(what: &str, part: &str) -> LoadError {
    LoadError::Unusable(format!("the answer to {what} lacks {part}"))
}

fn json_of(what: &str, reply: &Reply) -> Result<Value, LoadError> {
    serde_json::from_slice(&reply.body)
        .map_err(|error| LoadError::Unusable(format!("the answer to {what} is not JSON: {error}")))
}

fn id_in(made: &Value, what: &str) -> Result<Id, LoadError> {
    match &made["id"] {
        Value::Null => Err(lacking(what, "id")),
        id => Ok(Id(id.clone())),
    }
}

/// Sums a counter over its labels; nothing if it is not there at all.
fn sum_of_counter(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            if !rest.starts_with(['{', ' ']) {
                return None;
            }
            let value = rest.rsplit_once('}').map_or(rest, |(_, value)| value);
            value.split_ascii_whitespace().next()?.parse::<f64>().ok()
        })
        .fold(None, |sum, value| Some(sum.unwrap_or(0) + value as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_summed_over_their_labels() {
        let text = "# TYPE suyuan_resolver_io_total counter\n\
            suyuan_resolver_io_total{store=\"db\",kind=\"a}b\"} 3\n\
            suyuan_resolver_io_total{store=\"redis\"} 4 1700000000\n\
            suyuan_resolver_io_total_other 100\n";
        assert_eq!(sum_of_counter(text, IO_COUNTER), Some(7));
        assert_eq!(
            sum_of_counter("suyuan_resolver_io_total 0\n", IO_COUNTER),
            Some(0)
        );
        assert_eq!(sum_of_counter("other 1\n", IO_COUNTER), None);
    }

    #[test]
    fn lines_of_codes_are_read_however_they_are_cut() {
        let text = b"{\"url\":\"http://h/01/a/21/b\"}\n{\"url\":\"http://h/01/a/21/c\",\"n\":2}\n";
        for size in 1..text.len() {
            let mut lines = CodeLines {
                held: Vec::new(),
                paths: Vec::new(),
                broken: None,
            };
            for part in text.chunks(size) {
                lines.read(part, 10);
            }
            assert_eq!(lines.paths, ["/01/a/21/b", "/01/a/21/c"]);
        }
    }

    #[test]
    fn a_broken_line_of_codes_ends_the_reading() {
        let mut lines = CodeLines {
            held: Vec::new(),
            paths: Vec::new(),
            broken: None,
        };
        lines.read(b"{\"url\":1}\n{\"url\":\"http://h/x\"}\n", 10);
        assert!(lines.broken.is_some() && lines.paths.is_empty());
    }
}
