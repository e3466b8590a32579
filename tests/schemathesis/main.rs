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
use std::collections::BTreeMap;
use support::person;
use suyuan::{accounts::Role, demo};
use suyuan_tests::{Engine, TestApp};
use tool::{Report, Run};

/// Requests that the tool makes of one operation while it varies values.
const EXAMPLES: u32 = 15;
/// Tokens outlive the run.
const SETTINGS: [(&str, &str); 2] = [
    ("security.access_token_s", "3600"),
    // One address asks for everything.
    ("inbox.per_second", "1000"),
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
        for parameter in place["parameters"].as_array_mut().into_iter().flatten() {
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

/// What nobody may be let through to, or what ends the run's own token.
fn apart(operation: &Operation) -> bool {
    operation.id == "change_my_password"
}

/// Operations that a role is let through to, and that were never once answered with success.
fn never_succeeded(report: &Report, but: &[&str]) -> Vec<String> {
    let silent = report.accepted.iter().filter(|(_, times)| **times == 0);
    let names = silent.map(|(name, _)| name.clone());
    names.filter(|name| !but.contains(&name.as_str())).collect()
}

async fn staff_meet_what_the_document_says(engine: Engine) {
    let app = TestApp::spawn_with(engine, &SETTINGS).await;
    let (platform, stage) = stage(&app).await;
    let document = suyuan::routes::internal_openapi();
    let document = serde_json::to_value(document).expect("a document");
    let document = with_examples(document, &stage);
    let token = |caller: &suyuan_tests::Caller| caller.token().map(str::to_owned);
    let secret = person(&app, "apart", Role::Operator, stage.firm.id.parse().ok()).await;
    let own_end: Vec<String> = operations()
        .into_iter()
        .filter(apart)
        .map(|o| o.id)
        .collect();

    let run = Run {
        document,
        url: app.internal_url.clone(),
        token: token(&stage.firm.admin),
        accept: "application/json",
        examples: EXAMPLES,
        known: known_values(&stage),
        without: own_end.clone(),
        only: Vec::new(),
    };
    let report = tool::run(run.clone()).await;
    assert_eq!(report.faults, "", "as an enterprise's administrator");
    // Of what is not named here each was done at least once.
    let silent = never_succeeded(
        &report,
        &[
            // The platform's.
            "POST /v1/enterprises",
            "GET /v1/enterprises",
            // Nothing on this stage is complete.
            "POST /v1/products/{id}/publish",
            "POST /v1/batches/{id}/publish",
            // There is no such account, and no such session.
            "POST /v1/sessions/refresh",
            // The tool sends no file that begins like one.
            "POST /v1/files",
        ],
    );
    assert_eq!(silent, [""; 0]);

    let as_platform = Run {
        token: token(&platform),
        examples: EXAMPLES / 3,
        ..run.clone()
    };
    let report = tool::run(as_platform).await;
    assert_eq!(report.faults, "", "as the platform's administrator");
    for name in ["POST /v1/enterprises", "GET /v1/enterprises"] {
        assert!(report.accepted[name] > 0, "{name}");
    }

    let stranger = Run {
        token: None,
        examples: EXAMPLES / 3,
        ..run.clone()
    };
    assert_eq!(tool::run(stranger).await.faults, "", "as a stranger");

    let ends_itself = Run {
        token: token(&secret),
        only: own_end,
        without: Vec::new(),
        ..run
    };
    assert_eq!(tool::run(ends_itself).await.faults, "", "own password");
    for caller in [&platform, &stage.firm.admin] {
        assert_eq!(caller.get("/v1/me").await.status, 200, "still signed in");
    }
    app.stop().await;
}

async fn consumers_meet_what_the_document_says(engine: Engine) {
    let app = TestApp::seeded(engine, &SETTINGS).await;
    let made = demo::make(app.state(), 7).await.expect("the demo's world");
    app.settled().await;
    let document = suyuan::routes::public_openapi();
    let mut run = Run {
        document: serde_json::to_value(document).expect("a document"),
        url: app.public_url.clone(),
        token: None,
        accept: "",
        examples: EXAMPLES * 2,
        known: known_codes(&made),
        without: Vec::new(),
        only: Vec::new(),
    };
    // Every form an answer about a code has.
    for accept in [
        "application/json",
        "text/html",
        "*/*",
        "application/linkset+json",
        "application/ld+json",
    ] {
        run.accept = accept;
        let report = tool::run(run.clone()).await;
        assert_eq!(report.faults, "", "{accept}");
        let silent = never_succeeded(
            &report,
            &[
                // No app is set.
                "GET /.well-known/apple-app-site-association",
                "GET /.well-known/assetlinks.json",
                // The tool sends no picture; secrets are guessed by nobody.
                "POST /q/photo",
                "GET /v1/public/watches/{token}",
                "DELETE /v1/public/watches/{token}",
                "GET /v1/public/complaints/{receipt}",
                "POST /v1/public/complaints/{receipt}/erasure",
                "POST /v1/public/complaints/{receipt}/satisfaction",
            ],
        );
        assert_eq!(silent, [""; 0], "{accept}");
        run.examples = EXAMPLES / 3;
    }
    app.stop().await;
}

/// Codes of every standing.
fn known_codes(made: &demo::Demo) -> Vec<(String, String, String)> {
    let codes = &made.codes;
    let mut all = Vec::new();
    let mut put = |operation: &str, place: &str, value: &str| {
        all.push((operation.to_owned(), place.to_owned(), value.to_owned()));
    };
    let path = |url: &str| {
        let path = url.strip_prefix(&made.public_url).unwrap_or(url);
        path.split('?').next().unwrap_or_default().to_owned()
    };
    for list in [
        &codes.legal,
        &codes.recalled,
        &codes.expired,
        &codes.void,
        &codes.not_commissioned,
        &codes.forged,
    ] {
        let path = path(&list[0]);
        let parts: BTreeMap<&str, &str> = path
            .trim_matches('/')
            .split('/')
            .collect::<Vec<_>>()
            .chunks(2)
            .filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)))
            .collect();
        put("GET /01/{gtin}/21/{serial}", "path.gtin", parts["01"]);
        put("GET /01/{gtin}/21/{serial}", "path.serial", parts["21"]);
        put("GET /01/{gtin}", "path.gtin", parts["01"]);
        put("GET /01/{gtin}/10/{lot}", "path.gtin", parts["01"]);
        if let Some(lot) = parts.get("10") {
            put("GET /01/{gtin}/10/{lot}", "path.lot", lot);
        }
        put("GET /q", "query.code", &list[0]);
        put("GET /p/{path}", "path.path", path.trim_start_matches('/'));
    }
    let pallet = path(&codes.pallet[0]);
    put(
        "GET /00/{sscc}",
        "path.sscc",
        pallet.rsplit('/').next().unwrap_or_default(),
    );
    let own = path(&codes.care[0]);
    put(
        "GET /c/{code}",
        "path.code",
        own.rsplit('/').next().unwrap_or_default(),
    );
    all
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
