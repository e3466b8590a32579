//! Both listeners against their own OpenAPI documents, by a tool that neither wrote:
//! schemathesis makes requests out of the documents, right and wrong ones, and looks whether a
//! server error, an undocumented status, an undocumented media type or a body of another shape
//! comes back. The same seed makes the same requests each time.
//!
//! Left to itself it would hardly get past the first check of an id. So each operation gets the
//! right request that the stories of `tests/enterprise` have for it, and ids that exist.

#[allow(dead_code)] // the stories use more of it
#[path = "../enterprise/operations.rs"]
mod operations;
#[allow(dead_code)]
#[path = "../enterprise/support.rs"]
mod support;
mod tool;

use operations::{Body, Operation, Stage, operations, stage};
use serde_json::{Value, json};
use support::person;
use suyuan::{accounts::Role, demo};
use suyuan_sync::trace_code::{Epc, Filter, TagKind, TraceCode, parse};
use suyuan_tests::{Engine, Handheld, TestApp, caller::Method};
use tool::{Report, Run};

/// Requests that the tool makes of one operation while it varies values.
const EXAMPLES: u32 = 12;
/// Every way in which the tool makes requests: the examples, each bound of each value, values at
/// random, and chains in which one call uses what another answered.
const ALL: &str = "examples,coverage,fuzzing,stateful";
/// The quick ones, where only who asks is different.
const SHORT: &str = "examples,fuzzing";
/// Tokens outlive the run.
const SETTINGS: [(&str, &str); 3] = [
    ("security.access_token_s", "3600"),
    // One address asks for everything.
    ("inbox.per_second", "1000"),
    // How long a busy machine takes for a connection is not what is asked here.
    ("database.acquire_timeout_ms", "30000"),
];

/// An operation by its place in a document.
fn name(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}

/// The document with the right request of each operation as its example.
fn with_examples(mut document: Value, stage: &Stage) -> Value {
    for (n, operation) in operations().iter().enumerate() {
        let (path, body) = stage.request(operation, 100 + n).expect("a request");
        let method = operation.method.as_str().to_lowercase();
        let place = &mut document["paths"][&operation.path][&method];
        let (_, query) = path.split_once('?').unwrap_or_default();
        let parameters = place.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let wanted = parameter["name"].as_str().expect("a name").to_owned();
            let of_path = known(operation, &path, &wanted);
            let of_query = query
                .split('&')
                .find_map(|pair| pair.strip_prefix(&format!("{wanted}=")));
            if let Some(value) = of_path.as_deref().or(of_query) {
                parameter["example"] = json!(value);
            }
        }
        if let (Body::Json(body), Some(media)) = (body, &operation.media) {
            place["requestBody"]["content"][media]["example"] = body;
        }
    }
    document
}

/// The value that stands for `{wanted}` in the path of a right request.
fn known(operation: &Operation, path: &str, wanted: &str) -> Option<String> {
    let path = path.split('?').next().unwrap_or_default();
    let braced = format!("{{{wanted}}}");
    let mut pairs = operation.path.split('/').zip(path.split('/'));
    pairs.find_map(|(template, value)| (template == braced).then(|| value.to_owned()))
}

/// Ids that exist, by operation and place.
fn known_values(stage: &Stage) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for operation in operations() {
        let (path, _) = stage.request(&operation, 1).expect("a request");
        for wanted in ["id", "hash"] {
            if let Some(value) = known(&operation, &path, wanted) {
                all.push((name(&operation), format!("path.{wanted}"), value));
            }
        }
    }
    all
}

/// What takes away what others are about, and what may end the token it is called with: each alone,
/// at last, by somebody of its own.
const AT_LAST: [&str; 4] = [
    "erase_buyer",
    "erase_voice",
    "change_user",
    "change_my_password",
];

/// Operations of a run that never once answered with success to a right request.
fn never_succeeded(run: &Run, report: &Report, but: &[&str]) -> Vec<String> {
    let mut silent = Vec::new();
    for (path, methods) in run.document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let id = operation["operationId"].as_str().expect("an id").to_owned();
            let asked =
                !run.without.contains(&id) && (run.only.is_empty() || run.only.contains(&id));
            let name = format!("{} {path}", method.to_uppercase());
            let succeeded = report.accepted.get(&name).is_some_and(|times| *times > 0);
            if asked && !succeeded && !but.contains(&name.as_str()) {
                silent.push(name);
            }
        }
    }
    silent
}

/// A till sells a tin to somebody; the event's id.
async fn sold(app: &TestApp, stage: &Stage) -> String {
    let admin = &stage.firm.admin;
    let till = json!({"name": "一号收银", "profile": "till", "location_id": stage.plant});
    let till = admin.post("/v1/devices", &till).await.json();
    let code = till["ticket"]["code"].as_str().expect("a code");
    let mut till = Handheld::enrol(&app.internal_url, code).await;
    let sale = till.event(
        "sale",
        &json!({"units": [{"code": stage.code, "input": "wedge"}]}),
    );
    let answer = till.push(std::slice::from_ref(&sale)).await;
    assert!(answer.results[0].gseq.is_some(), "{answer:?}");
    let sale: Value = serde_json::from_str(&sale).expect("JSON");
    let id = sale["event_id"].as_str().expect("an id").to_owned();
    let buyer = json!({"purchase_time": "2026-01-15", "purchase_place": "上海"});
    let path = format!("/v1/events/{id}/buyer");
    let headers = [("content-type", "application/json")];
    let buyer = buyer.to_string().into_bytes();
    let filed = admin.send(Method::PUT, &path, &headers, buyer).await;
    assert_eq!(filed.status, 200, "{}", filed.text());
    id
}

async fn staff_meet_what_the_document_says(engine: Engine) {
    let app = TestApp::spawn_with(engine, &SETTINGS).await;
    let (platform, mut stage) = stage(&app).await;
    stage.event = sold(&app, &stage).await;
    let document = suyuan::routes::internal_openapi();
    let document = serde_json::to_value(document).expect("a document");
    let document = with_examples(document, &stage);
    let token = |caller: &suyuan_tests::Caller| caller.token().map(str::to_owned);
    let run = Run {
        document,
        url: app.internal_url.clone(),
        token: token(&stage.firm.admin),
        accept: "application/json",
        examples: EXAMPLES,
        phases: ALL,
        known: known_values(&stage),
        without: AT_LAST.map(str::to_owned).to_vec(),
        only: Vec::new(),
    };
    let report = tool::run(run.clone()).await;
    assert_eq!(report.faults, "", "as an enterprise's administrator");
    // Of what is not named here each was done at least once.
    let mut but = vec![
        // The platform's.
        "POST /v1/enterprises",
        "GET /v1/enterprises",
        "POST /v1/policy",
        // The platform's, and nothing stands aside on this stage.
        "POST /v1/clock/confirm",
        "GET /v1/quarantine/{position}",
        "POST /v1/quarantine/{position}/admit",
        // Nothing on this stage is complete.
        "POST /v1/products/{id}/publish",
        "POST /v1/batches/{id}/publish",
        // There is no such account, and no such session.
        "POST /v1/sessions/refresh",
        // The tool sends no file that begins like one.
        "POST /v1/files",
        // The right request is accepted while examples are tried, which the report does not count; then
        // its name is taken, and accounts the tool makes up are of enterprises that are not there.
        "POST /v1/users",
    ];
    // The tool has no device's key to sign with.
    let all = operations();
    let signed: Vec<String> = all.iter().filter(|o| o.is_of_devices()).map(name).collect();
    but.extend(signed.iter().map(String::as_str));
    let silent = never_succeeded(&run, &report, &but);
    assert_eq!(silent, [""; 0]);

    let as_platform = Run {
        token: token(&platform),
        phases: SHORT,
        examples: EXAMPLES / 3,
        ..run.clone()
    };
    let report = tool::run(as_platform).await;
    assert_eq!(report.faults, "", "as the platform's administrator");
    assert!(report.accepted["POST /v1/enterprises"] > 0);

    let stranger = Run {
        token: None,
        phases: SHORT,
        examples: EXAMPLES / 3,
        ..run.clone()
    };
    assert_eq!(tool::run(stranger).await.faults, "", "as a stranger");

    for operation in AT_LAST {
        let own = stage.firm.id.parse().ok();
        let somebody = person(&app, operation, Role::EnterpriseAdmin, own).await;
        let alone = Run {
            token: token(&somebody),
            only: vec![operation.to_owned()],
            without: Vec::new(),
            ..run.clone()
        };
        let report = tool::run(alone.clone()).await;
        assert_eq!(report.faults, "", "{operation}");
        assert_eq!(never_succeeded(&alone, &report, &[]), [""; 0]);
    }
    for caller in [&platform, &stage.firm.admin] {
        assert_eq!(caller.get("/v1/me").await.status, 200, "still signed in");
    }
    app.stop().await;
}

async fn consumers_meet_what_the_document_says(engine: Engine) {
    let app = TestApp::seeded(engine, &SETTINGS).await;
    let made = demo::make(app.state(), 7).await.expect("the demo's world");
    app.settled().await;
    let view = app.consumer().scan(&made.codes.legal[0]).await.text();
    let document = suyuan::routes::public_openapi();
    let run = Run {
        document: serde_json::to_value(document).expect("a document"),
        url: app.public_url.clone(),
        token: None,
        accept: "application/json",
        examples: EXAMPLES,
        phases: ALL,
        known: known_codes(&made, &view),
        without: Vec::new(),
        only: Vec::new(),
    };
    let report = tool::run(run.clone()).await;
    assert_eq!(report.faults, "", "as JSON");
    let silent = never_succeeded(
        &run,
        &report,
        &[
            // No app is set.
            "GET /.well-known/apple-app-site-association",
            "GET /.well-known/assetlinks.json",
            // The tool draws no picture.
            "POST /q/photo",
            // Nobody guesses secrets.
            "GET /v1/public/watches/{token}",
            "DELETE /v1/public/watches/{token}",
            "GET /v1/public/complaints/{receipt}",
            "POST /v1/public/complaints/{receipt}/erasure",
            "POST /v1/public/complaints/{receipt}/satisfaction",
        ],
    );
    assert_eq!(silent, [""; 0]);
    // Every other form an answer about a code has.
    for accept in [
        "text/html",
        "*/*",
        "application/linkset+json",
        "application/ld+json",
    ] {
        let other = Run {
            accept,
            phases: SHORT,
            ..run.clone()
        };
        assert_eq!(tool::run(other).await.faults, "", "{accept}");
    }
    app.stop().await;
}

/// Codes of every standing, tags of some, and a file that a published product names.
fn known_codes(made: &demo::Demo, view: &str) -> Vec<(String, String, String)> {
    let codes = &made.codes;
    let mut all = Vec::new();
    let mut put = |operation: &str, place: &str, value: &str| {
        all.push((operation.to_owned(), place.to_owned(), value.to_owned()));
    };
    for list in [
        &codes.legal,
        &codes.recalled,
        &codes.expired,
        &codes.void,
        &codes.not_commissioned,
        &codes.forged,
    ] {
        let code = parse(&list[0]).expect("a trace code").code;
        let TraceCode::Gtin(unit) = &code else {
            panic!("{code} has no GTIN");
        };
        let (gtin, serial) = (unit.gtin.to_string(), unit.serial.expect("a serial"));
        for path in ["GET /01/{gtin}/21/{serial}", "GET /p/01/{gtin}/21/{serial}"] {
            put(path, "path.gtin", &gtin);
            put(path, "path.serial", &serial);
        }
        put("GET /01/{gtin}", "path.gtin", &gtin);
        put("GET /01/{gtin}/10/{lot}", "path.gtin", &gtin);
        if let Some(lot) = &unit.lot {
            put("GET /01/{gtin}/10/{lot}", "path.lot", lot);
        }
        put("GET /q", "query.code", &list[0]);
        let epc = Epc::of(&code, 7).and_then(|epc| epc.tag(TagKind::Sgtin198, Filter::OTHER));
        let hex = epc.expect("a tag").to_string();
        put("GET /eh{hex}", "path.hex", &hex);
        put("GET /ex{base64url}", "path.base64url", &base64url(&hex));
    }
    let last = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
    put("GET /00/{sscc}", "path.sscc", &last(&codes.pallet[0]));
    put("GET /c/{code}", "path.code", &last(&codes.care[0]));
    let (_, file) = view.split_once("\"hash\":\"").expect("a published file");
    put("GET /files/{hash}", "path.hash", &file[..64]);
    all
}

/// The bytes that `hex` spells, in base64url without padding.
fn base64url(hex: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u32> = hex
        .chars()
        .map(|digit| digit.to_digit(16).expect("a hexadecimal digit"))
        .flat_map(|digit| (0..4).rev().map(move |bit| digit >> bit & 1))
        .collect();
    bits.chunks(6)
        .map(|six| {
            let value = (0..6).fold(0, |value, at| value << 1 | six.get(at).unwrap_or(&0));
            char::from(DIGITS[value as usize])
        })
        .collect()
}

#[actix_web::test]
async fn staff_meet_what_the_document_says_on_sqlite() {
    staff_meet_what_the_document_says(Engine::Sqlite).await;
}

#[actix_web::test]
async fn staff_meet_what_the_document_says_on_postgres() {
    staff_meet_what_the_document_says(Engine::Postgres).await;
}

#[actix_web::test]
async fn consumers_meet_what_the_document_says_on_sqlite() {
    consumers_meet_what_the_document_says(Engine::Sqlite).await;
}

#[actix_web::test]
async fn consumers_meet_what_the_document_says_on_postgres() {
    consumers_meet_what_the_document_says(Engine::Postgres).await;
}
