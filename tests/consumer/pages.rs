//! Every page in a real browser: readable by all, in both languages, at every size, by itself.

use crate::support::{Code, batch_of, gtin_and_serial, neighbour, officer, path_of, scan, until};
use serde_json::{Value, json};
use std::{env, process::Stdio, time::Duration};
use suyuan::{demo::Demo, resolver::lease::Trust};
use suyuan_tests::{Engine, Proxy, TestApp, Weather, recall_order};
use tokio::{io::AsyncWriteExt, process::Command};

/// Compressed page (design section 7).
const PAGE_MAX: usize = 14_336;

/// Runs a program of `tests/browser` on a list of pages.
async fn browser(program: &str, items: &[Value]) -> Vec<Value> {
    assert!(
        env::var_os("SUYUAN_TEST_CHROMIUM").is_some(),
        "SUYUAN_TEST_CHROMIUM is not set: run the tests with tests/run"
    );
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/browser");
    let mut node = Command::new("node")
        .arg(program)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node");
    let list = serde_json::to_vec(items).expect("JSON");
    let mut input = node.stdin.take().expect("its input");
    input.write_all(&list).await.expect("the list");
    drop(input);
    let done = node.wait_with_output().await.expect("its end");
    assert!(done.status.success(), "{program} failed");
    let answer: Value = serde_json::from_slice(&done.stdout).expect("its answer");
    answer["pages"].as_array().expect("pages").clone()
}

/// A page of every kind: a name for its picture, where it is, its status, a class it must have.
type Kind = (&'static str, String, u16, &'static str);

async fn kinds(app: &TestApp, demo: &Demo) -> Vec<Kind> {
    let codes = &demo.codes;
    let tin = path_of(&codes.legal[0]).to_owned();
    let (gtin, _) = gtin_and_serial(&tin);
    let (printed, _) = tin.split_once('?').expect("an expiry");
    let (_, old) = scan(app, &codes.expired[0]).await;
    let Code { batch, .. } = old.code;
    let old_lot = batch.expect("a lot");
    let officer = officer(app, demo).await;
    let old_batch = batch_of(&officer, &old_lot).await["id"].clone();
    let worst = path_of(&codes.expired[1]).replace("/10/", "/10/X");
    let order = recall_order(
        &json!([old_batch]),
        &"抽检发现个别罐封口不严，可能受潮变质。".repeat(8),
        &"请停止食用，凭罐底追溯码到购买门店退货退款。".repeat(8),
    );
    assert_eq!(officer.post("/v1/recalls", &order).await.status, 201);
    app.settled().await;
    vec![
        ("legal", tin.clone(), 200, "ok"),
        ("care", path_of(&codes.care[0]).into(), 200, "ok"),
        ("case", path_of(&codes.case[0]).into(), 200, "ok"),
        ("recalled", path_of(&codes.recalled[0]).into(), 200, "stop"),
        ("worst", worst, 200, "stop"),
        ("contradicts", format!("{printed}?17=200101"), 200, "stop"),
        ("void", path_of(&codes.void[0]).into(), 200, "stop"),
        (
            "not_commissioned",
            path_of(&codes.not_commissioned[0]).into(),
            200,
            "caution",
        ),
        (
            "not_allocated",
            path_of(&codes.not_allocated[0]).into(),
            404,
            "stop",
        ),
        ("pallet", path_of(&codes.pallet[0]).into(), 200, "caution"),
        ("product", format!("/01/{gtin}"), 200, "caution"),
        (
            "unknown",
            "/01/06901234567892/21/AB12".into(),
            404,
            "caution",
        ),
        ("other_key", "/414/6901234567892".into(), 404, "caution"),
        (
            "long_serial",
            format!("/01/{gtin}/21/{}", "W".repeat(20)),
            404,
            "stop",
        ),
        ("entry", "/q".into(), 200, ""),
        (
            "entry_fault",
            format!("/q?code={}", "W".repeat(60)),
            400,
            "",
        ),
        ("voice", format!("/voice{tin}"), 200, ""),
        ("voice_state", "/voice/state".into(), 200, ""),
        (
            "bad_request",
            format!("/01/{gtin}/21/A/extra"),
            400,
            "plain",
        ),
        ("not_found", "/nowhere".into(), 404, "plain"),
    ]
}

/// How each is looked at: colours, width, text size.
const LOOKS: [(&str, u32, u32); 2] = [("light", 320, 200), ("dark", 360, 100)];
/// How one of each shape is looked at besides.
const MORE: [(&str, u32, u32); 3] = [
    ("dark", 320, 100),
    ("light", 1366, 200),
    ("dark", 1366, 100),
];
const SHAPES: [&str; 7] = [
    "legal",
    "worst",
    "pallet",
    "entry_fault",
    "voice",
    "bad_request",
    "cannot_confirm",
];

fn looks(base: &str, kinds: &[Kind]) -> Vec<Value> {
    let mut items = Vec::new();
    for (name, path, status, _) in kinds {
        let more = if SHAPES.contains(name) {
            &MORE[..]
        } else {
            &[]
        };
        for lang in ["zh-CN", "en"] {
            for (scheme, width, text) in LOOKS.iter().chain(more) {
                items.push(json!({
                    "url": format!("{base}{path}"), "lang": lang, "scheme": scheme, "width": width,
                    "textScale": text, "name": name, "expected": status,
                }));
            }
        }
    }
    items
}

/// What is wrong with a page that was looked at.
fn faults(page: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |fine: bool, what: String| {
        if !fine {
            faults.push(what);
        }
    };
    must(
        page["status"] == page["expected"],
        format!("status {}", page["status"]),
    );
    must(
        page["htmlLang"] == page["lang"],
        format!("lang {}", page["htmlLang"]),
    );
    must(
        page["violations"] == json!([]),
        format!("{:#}", page["violations"]),
    );
    must(
        page["overflow"].is_null(),
        format!("overflow {:#}", page["overflow"]),
    );
    // A headline is large as it is; on a narrow screen it grows only while its words still fit.
    let fixed = page["textNotScaled"].as_array().into_iter().flatten();
    for element in fixed.filter_map(Value::as_str) {
        let headline = page["width"] == 320 && element.starts_with("<h1>");
        must(headline, format!("text of one size: {element}"));
    }
    must(page["hasScript"] == false, "a script".into());
    must(
        page["requests"] == 1,
        format!("{} requests", page["requests"]),
    );
    must(
        page["offOrigin"] == json!([]),
        format!("{}", page["offOrigin"]),
    );
    let policy = page["consoleErrors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|error| {
            // That the page's own status is 4xx or 5xx is an "error" too.
            !error
                .as_str()
                .unwrap_or("")
                .starts_with("Failed to load resource")
        });
    for error in policy {
        must(false, format!("console: {error}"));
    }
    faults
}

async fn page_sizes(app: &TestApp, kinds: &[Kind]) {
    let mut most = (0, "");
    for (name, path, status, class) in kinds {
        for lang in ["zh-CN", "en"] {
            let headers = [
                ("accept", "text/html"),
                ("accept-encoding", "gzip"),
                ("accept-language", lang),
                ("user-agent", "suyuan-test-monitor"),
            ];
            let page = app.consumer().get_with(path, &headers).await;
            assert_eq!(page.status, *status, "{name}");
            assert!(
                page.body.len() <= PAGE_MAX,
                "{name} {lang}: {} bytes",
                page.body.len()
            );
            most = most.max((page.body.len(), name));
            if *name == "legal" {
                println!("page_bytes, formula, {lang}: {}", page.body.len());
            }
            let plain = app.consumer().get_with(path, &headers[..1]).await.text();
            let tone = format!("class=\"verdict {class}\"");
            assert!(
                class.is_empty() || plain.contains(&tone),
                "{name}: not {tone}"
            );
        }
    }
    println!("largest page as sent: {most:?}");
}

#[actix_web::test]
async fn every_page_is_readable_by_all_and_needs_nothing_but_itself() {
    // The browser keeps both cores busy; what is shown is tested here, not freshness.
    let calm = [("freshness.lease_ms", "60000")];
    let app = TestApp::spawn_with(Engine::Postgres, &calm).await;
    let demo = app.world().await;
    let kinds = kinds(&app, &demo).await;
    page_sizes(&app, &kinds).await;

    // A node that lost its database: in the grace, and after it.
    let (proxy, through) = Proxy::before(&app.database_url).await;
    let silent = neighbour(&app, &through, &[("freshness.grace_ms", "1")]).await;
    proxy.set(Weather::Cut);
    let gone =
        || async { silent.resolver().lease.state(std::time::Instant::now()) == Trust::Expired };
    until("silence", Duration::from_secs(3), gone).await;
    let cannot: [Kind; 1] = [(
        "cannot_confirm",
        path_of(&demo.codes.legal[0]).into(),
        503,
        "caution",
    )];

    let mut items = looks(&app.public_url, &kinds);
    items.extend(looks(&silent.public_url, &cannot));
    if let Ok(folder) = env::var("SUYUAN_TEST_SHOTS") {
        let mut shots = items.clone();
        for item in &mut shots {
            let of = |key: &str| item[key].to_string().replace('"', "");
            let file = format!(
                "{folder}/{}-{}-{}-{}.png",
                of("name"),
                of("lang"),
                of("width"),
                of("scheme")
            );
            item["file"] = file.into();
        }
        browser("shots.mjs", &shots).await;
    }
    let pages = browser("axe.mjs", &items).await;
    assert_eq!(pages.len(), items.len());
    let mut wrong = Vec::new();
    for page in &pages {
        let faults = faults(page);
        if !faults.is_empty() {
            let asked =
                ["name", "lang", "scheme", "width", "textScale"].map(|key| page[key].to_string());
            wrong.push(format!("{}: {}", asked.join(" "), faults.join("; ")));
        }
    }
    println!("{} pages looked at", pages.len());
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        pages.len(),
        wrong.join("\n")
    );
    silent.stop().await;
    app.stop().await;
}
