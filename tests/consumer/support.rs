//! What the stories share: the JSON view read strictly, an officer's errands, a second node, raw
//! requests.

use sea_orm::EntityTrait;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use suyuan::{
    demo::Demo,
    entities::query_sighting,
    problem::ProblemCode,
    queries::sighting::{self, Manner},
};
pub use suyuan_tests::until;
use suyuan_tests::{Answer, Caller, Engine, TestApp, recall_order};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Runs one body on both databases, which are named to it: for applications with settings of
/// their own.
#[macro_export]
macro_rules! on_each {
    ($(#[$doc:meta])* $name:ident, |$engine:ident| $body:block) => {
        $(#[$doc])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($engine: ::suyuan_tests::Engine) $body

            #[actix_web::test]
            async fn sqlite() {
                body(::suyuan_tests::Engine::Sqlite).await;
            }

            #[actix_web::test]
            async fn postgres() {
                body(::suyuan_tests::Engine::Postgres).await;
            }
        }
    };
}

/// The JSON view of design section 6: these keys, these types, no other.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    pub code: Code,
    pub legality: Option<String>,
    pub advice: String,
    pub reasons: Vec<String>,
    pub public_info: Vec<Item>,
    pub recall: Option<Recall>,
    pub queries: Queries,
    pub as_of: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    pub canonical: String,
    pub scheme: String,
    pub level: String,
    pub gtin: Option<String>,
    pub serial: Option<String>,
    pub batch: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub no: u16,
    pub name: String,
    pub title_zh: String,
    pub title_en: String,
    pub level: String,
    pub value: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    pub id: uuid::Uuid,
    pub reason: String,
    pub instructions: String,
    pub opened_at: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queries {
    pub count: u64,
    pub first_at: Option<String>,
    pub as_of: Option<String>,
}

impl View {
    /// Reads an answer, and holds it to the contract.
    pub fn of(answer: &Answer) -> View {
        assert_eq!(
            answer.header("content-type"),
            "application/json; charset=utf-8"
        );
        let keys = [
            "advice",
            "as_of",
            "code",
            "legality",
            "public_info",
            "queries",
            "reasons",
        ];
        let body = answer.json();
        for key in keys {
            assert!(body.get(key).is_some(), "{key} is missing: {body}");
        }
        serde_json::from_value(body)
            .unwrap_or_else(|e| panic!("not the agreed shape ({e}): {}", answer.text()))
    }

    /// Legality (`null` where there is none), advice and reasons in one text.
    pub fn verdict(&self) -> String {
        let legality = self.legality.as_deref().unwrap_or("null");
        format!("{legality} {} {}", self.advice, self.reasons.join(","))
            .trim_end()
            .to_owned()
    }
}

/// A scan as a program sees it: status and view.
pub async fn scan(app: &TestApp, url: &str) -> (u16, View) {
    let answer = app.consumer().scan(path_of(url)).await;
    (answer.status, View::of(&answer))
}

/// Status, legality, advice and reasons of a scan in one text.
pub async fn verdict(app: &TestApp, url: &str) -> String {
    let (status, view) = scan(app, url).await;
    format!("{status} {}", view.verdict())
}

/// The same where the answer may be a problem, which is given by its code.
pub async fn said(app: &TestApp, url: &str) -> String {
    let answer = app.consumer().scan(path_of(url)).await;
    if answer.header("content-type") == "application/problem+json" {
        return format!("{} {}", answer.status, answer.problem());
    }
    format!("{} {}", answer.status, View::of(&answer).verdict())
}

/// A printed URL without its host: what reaches a server, whichever it is.
pub fn path_of(url: &str) -> &str {
    match url.strip_prefix("http://") {
        Some(rest) => &rest[rest.find('/').unwrap_or(rest.len())..],
        None => url,
    }
}

/// The GTIN and the serial in a printed URL.
pub fn gtin_and_serial(url: &str) -> (&str, &str) {
    let path = path_of(url).split('?').next().unwrap_or_default();
    let part = |ai: &str| {
        let mut parts = path.split('/').skip_while(|part| *part != ai);
        parts.nth(1).unwrap_or_default()
    };
    (part("01"), part("21"))
}

/// The maker's administrator.
pub async fn officer(app: &TestApp, demo: &Demo) -> Caller {
    app.signed_in(&demo.login.user, &demo.login.password).await
}

/// The officer's batch of this lot.
pub async fn batch_of(officer: &Caller, lot: &str) -> Value {
    let batches = officer.get("/v1/batches").await.json();
    let items = batches["items"].as_array().expect("batches");
    let found = items.iter().find(|batch| batch["lot"] == lot);
    found.expect("the lot's batch").clone()
}

/// Opens a recall of one batch.
pub async fn recall(officer: &Caller, batch: &Value, reason: &str) -> String {
    let order = recall_order(&json!([batch]), reason, "退回门店");
    let opened = officer.post("/v1/recalls", &order).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    opened.json()["id"].as_str().expect("an id").to_owned()
}

/// Closes it.
pub async fn close(officer: &Caller, recall: &str) {
    let path = format!("/v1/recalls/{recall}/close");
    let closed = officer.post(&path, &json!({"note": "done"})).await;
    assert_eq!(closed.status, 200, "{}", closed.text());
}

/// A second process on the same database, reached by `url`.
pub async fn neighbour(app: &TestApp, url: &str, flags: &[(&str, &str)]) -> TestApp {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sealer = app.sealer.clone();
    TestApp::spawn_on(Engine::Postgres, url.to_owned(), sealer, folder, flags).await
}

/// The private Redis that `tests/run` started.
pub fn redis_url() -> String {
    std::env::var("SUYUAN_TEST_REDIS")
        .expect("SUYUAN_TEST_REDIS is not set: run the tests with tests/run")
}

/// A counter of this process, as a scraper reads it.
pub async fn metric(app: &TestApp, line: &str) -> u64 {
    let text = app.stranger().get("/metrics").await.text();
    let value = text.lines().find_map(|l| l.strip_prefix(line));
    value.map_or(0, |value| value.trim().parse().expect("a number"))
}

/// Calls to the database and to Redis made for scans so far.
pub async fn io_calls(app: &TestApp) -> (u64, u64) {
    let of = |kind| format!("suyuan_resolver_io_total{{kind=\"{kind}\"}}");
    let database = metric(app, &of("database")).await;
    (database, metric(app, &of("redis")).await)
}

/// Sends these bytes as they are and reads all that comes until the server closes, at most `wait`.
pub async fn raw(app: &TestApp, bytes: &[u8], wait: Duration) -> Vec<u8> {
    let host = app.public_url.strip_prefix("http://").expect("http");
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    // The server may refuse and close before all was sent.
    stream.write_all(bytes).await.ok();
    let mut all = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let reading = async {
        while let Ok(n) = stream.read(&mut buffer).await {
            if n == 0 {
                break;
            }
            all.extend_from_slice(&buffer[..n]);
        }
    };
    tokio::time::timeout(wait, reading).await.ok();
    all
}

/// One raw request, closed after; the answer taken apart. `None` when the server only closed.
pub async fn raw_one(app: &TestApp, bytes: &[u8]) -> Option<Answer> {
    let all = raw(app, bytes, Duration::from_secs(7)).await;
    answer_of(&all)
}

/// Takes an answer apart.
pub fn answer_of(all: &[u8]) -> Option<Answer> {
    let end = all.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Some(Answer {
        status,
        headers,
        body: all[end + 4..].to_vec(),
    })
}

/// Status, then the problem's code and first fault, or the verdict.
pub fn told(answer: &Answer) -> String {
    if answer.header("content-type") == "application/problem+json" {
        let code = answer.problem();
        assert!(
            ProblemCode::ALL.iter().any(|known| known.code() == code),
            "{code}"
        );
        let fault = answer.json()["errors"][0]["code"]
            .as_str()
            .unwrap_or("-")
            .to_owned();
        return format!("{} {code} {fault}", answer.status);
    }
    match serde_json::from_slice::<serde_json::Value>(&answer.body) {
        Ok(_) => format!("{} {}", answer.status, View::of(answer).verdict()),
        Err(_) => format!("{} {} bytes", answer.status, answer.body.len()),
    }
}

/// One entry of the query log.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    pub at: i64,
    pub code: String,
    pub index: i64,
    pub manner: Manner,
}

/// All entries of the query log, oldest first.
pub async fn query_log(app: &TestApp) -> Vec<Logged> {
    let rows = query_sighting::Entity::find().all(app.state().db.reader());
    let mut all = Vec::new();
    for row in rows.await.expect("rows of the query log") {
        let sightings = sighting::unpack(&row.heads, &row.times).expect("readable rows");
        for (manner, times) in sightings {
            assert!(
                times
                    .iter()
                    .all(|at| (row.first_at..=row.last_at).contains(at))
            );
            all.extend(times.into_iter().map(|at| Logged {
                at,
                code: row.code.clone(),
                index: row.idx,
                manner: manner.clone(),
            }));
        }
    }
    all.sort_by_key(|entry| entry.at);
    all
}
