//! How long the head of the log is held, and others wait, while somebody says as much as may be said: a
//! stranger's devices that count a thousand tins over and over; a pallet of thousands that is destroyed. It
//! measures, and judges nothing.

use crate::{
    enrolment::place,
    left::metric,
    scene::{Scene, count, enrolled, inbound, sale, scanned},
    support::{PASSWORD, firm, made, segment, text_of},
};
use futures_util::future::join_all;
use serde_json::json;
use std::time::{Duration, Instant};
use suyuan_sync::limits::UNITS_PER_EVENT_MAX;
use suyuan_tests::{Engine, Handheld, TestApp};

/// Devices of the stranger, how often each counts, and how many counts go into a push.
const DEVICES: usize = 4;
const COUNTS: usize = 50;
const A_PUSH: usize = 10;

/// The codes of a segment of so many tins, commissioned to the scene's batch.
async fn tins(scene: &Scene, many: u64) -> Vec<String> {
    let admin = &scene.firm.admin;
    let products = admin.get("/v1/products").await.json();
    let product = text_of(&products["items"][0]["id"]);
    let segment = segment(admin, &product, many).await;
    let ranges = json!([{"segment_id": segment["id"]}]);
    let body = json!({"batch_id": scene.batch, "ranges": ranges});
    made(admin.post("/v1/commissions", &body).await);
    let path = format!("/v1/segments/{}/codes", text_of(&segment["id"]));
    let printed = admin.get(&path).await.text();
    let urls = printed.lines().skip(1);
    let urls = urls.filter_map(|line| line.rsplit(',').next());
    urls.map(str::to_owned).collect()
}

/// Pushes counts of all tins, a few at a time; tells how long the slowest push took.
async fn counting(mut device: Handheld, tins: &[String]) -> Duration {
    let all: Vec<&String> = tins.iter().collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..COUNTS / A_PUSH {
        let said = json!({"units": scanned(&all)});
        let events: Vec<String> = (0..A_PUSH).map(|_| device.event("count", &said)).collect();
        let began = Instant::now();
        device.push(&events).await;
        slowest = slowest.max(began.elapsed());
    }
    slowest
}

async fn measured(engine: Engine) {
    let app = TestApp::spawn(engine).await;
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let tins = tins(&scene, UNITS_PER_EVENT_MAX as u64).await;
    let mut store = scene.device(&app, &scene.store).await;
    let all: Vec<&String> = tins.iter().collect();
    let received = store.event("inbound", &inbound(&all));
    let longest = async || 1e3 * metric(&app, "suyuan_head_held_longest_seconds").await;
    let before = longest().await;
    store.push(&[received]).await;
    let honest = longest().await;
    println!(
        "{engine:?}: head {before:.1} ms before, {honest:.1} ms with the receipt of a thousand tins"
    );
    let mut devices = Vec::new();
    for _ in 0..DEVICES {
        devices.push(enrolled(&app, &beta.operator, &shop).await);
    }
    let began = Instant::now();
    let strangers = join_all(devices.into_iter().map(|device| counting(device, &tins)));
    let owner = async {
        let mut slowest = Duration::ZERO;
        for tin in &tins[..40] {
            let sold = store.event("sale", &sale(&[tin]));
            let began = Instant::now();
            store.push(&[sold]).await;
            slowest = slowest.max(began.elapsed());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        slowest
    };
    let (strangers, sold) = tokio::join!(strangers, owner);
    let slowest = strangers.iter().max().expect("devices");
    println!(
        "{engine:?}: counted in {:?}, the slowest push {slowest:?}, the owner's slowest sale {sold:?}; \
         the head was held {:.1} ms at the longest",
        began.elapsed(),
        longest().await
    );
    suyuan_tests::until("slices", Duration::from_mins(5), async || {
        count(&app, "SELECT COUNT(*) AS n FROM refold WHERE id > 0").await == 0
    })
    .await;
    println!(
        "{engine:?}: settled after {:?}; the head was held {:.1} ms at the longest",
        began.elapsed(),
        longest().await
    );
    let text = app.stranger().get("/metrics").await.text();
    let held = text.lines().filter(|line| line.contains("head_held"));
    held.for_each(|line| println!("{line}"));
    app.stop().await;
}

#[actix_web::test]
#[ignore = "it measures: alone, in a release build, on a quiet machine"]
async fn how_long_the_head_is_held_by_counts_of_a_thousand_tins() {
    measured(Engine::Sqlite).await;
    if std::env::var_os("SUYUAN_TEST_POSTGRES").is_some() {
        measured(Engine::Postgres).await;
    }
}

/// How long after a pallet of so many tins was destroyed consumers were told of each fiftieth in it.
async fn destroyed(
    app: &TestApp,
    device: &mut Handheld,
    tins: &[String],
    pallet: &str,
) -> Duration {
    let pallet = json!({"code": pallet, "input": "wedge"});
    for some in tins.chunks(UNITS_PER_EVENT_MAX) {
        let some: Vec<&String> = some.iter().collect();
        let received = device.event("inbound", &inbound(&some));
        device.push(&[received]).await;
        let packed = json!({"units": scanned(&some), "parent": pallet});
        let packed = device.event("pack", &packed);
        device.push(&[packed]).await;
    }
    let end = device.event("destroy", &json!({"units": [pallet]}));
    let began = Instant::now();
    device.push(&[end]).await;
    println!("the act itself took {:?}", began.elapsed());
    for tin in tins.iter().step_by(50) {
        suyuan_tests::until("told", Duration::from_mins(5), async || {
            let view = app.consumer().scan(tin).await.json();
            view["reasons"].to_string().contains("destroyed")
        })
        .await;
    }
    began.elapsed()
}

async fn ended(engine: Engine) {
    let app = TestApp::spawn(engine).await;
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let mut store = scene.device(&app, &scene.store).await;
    let tins = tins(&scene, 9_000).await;
    let quiet = destroyed(&app, &mut store, &tins[..4_000], "00095212340000000019").await;
    println!("{engine:?}: told of all 4000 after {quiet:?}, nobody else there");
    let mut other = enrolled(&app, &beta.operator, &shop).await;
    let counted = &tins[8_000..];
    let (busy, ()) = tokio::join!(
        destroyed(
            &app,
            &mut store,
            &tins[4_000..8_000],
            "00095212340000000026"
        ),
        async {
            let all: Vec<&String> = counted.iter().collect();
            for _ in 0..30 {
                let said = json!({"units": scanned(&all)});
                let events: Vec<String> = (0..5).map(|_| other.event("count", &said)).collect();
                other.push(&events).await;
            }
        }
    );
    println!("{engine:?}: told of 4000 more after {busy:?}, beside a stranger's counts");
    app.stop().await;
}

#[actix_web::test]
#[ignore = "it measures: alone, in a release build, on a quiet machine"]
async fn how_long_until_all_are_told_of_a_pallet_of_thousands() {
    ended(Engine::Sqlite).await;
    if std::env::var_os("SUYUAN_TEST_POSTGRES").is_some() {
        ended(Engine::Postgres).await;
    }
}
