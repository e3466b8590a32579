//! Copied codes: what the query log shows of one unit, and what consumers and the issuer learn.

use crate::support::{View, officer, path_of, until};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryResult};
use serde_json::{Value, json};
use std::{cmp::Reverse, time::Duration};
use suyuan::{
    db::statement,
    entities::query_log,
    handheld::decisions,
    log::Actor,
    queries::note::Query,
    resolver::lookup::{Entered, Found, lookup},
};
use suyuan_sync::facts::Policy;
use suyuan_tests::{Engine, TestApp};
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(9);

/// What a printed code names.
fn named(app: &TestApp, code: &str) -> Found {
    let path = path_of(code).split('?').next().expect("a path");
    let scanned = suyuan_sync::trace_code::parse_path(path, "").expect("a code");
    let world = app.resolver().world.load_full();
    lookup(&world, &scanned, Entered::Scanned, 0)
}

/// So many devices, each from a place of its own, ask about a code as the edge would note it.
fn ask(app: &TestApp, code: &str, devices: u8, regions: &[&str], offline: bool) {
    let found = named(app, code);
    let now = app.clock.now();
    for n in 0..devices {
        app.resolver().log.note(&Query {
            at: now,
            asked_at: app.clock.now(),
            code: &found.code,
            unit: found.unit,
            advice: 0,
            reasons: 0,
            channel: None,
            offline,
            agent: b"Mozilla/5.0 phone",
            address: Some([10, 1, n, 1].into()),
            region: regions
                .get(usize::from(n) % regions.len().max(1))
                .copied()
                .unwrap_or(""),
        });
    }
}

async fn verdict(app: &TestApp, code: &str) -> String {
    let headers = [("accept", "application/json"), ("user-agent", "monitor")];
    View::of(&app.consumer().get_with(path_of(code), &headers).await).verdict()
}

async fn becomes(app: &TestApp, code: &str, wanted: &str) {
    let so = || async { verdict(app, code).await == wanted };
    until(wanted, SOON, so).await;
}

/// Small thresholds, so that a test needs few devices.
const FEW: [(&str, &str); 3] = [
    ("suspicion.often_devices", "6"),
    ("suspicion.copy_devices", "3"),
    ("suspicion.copy_regions", "2"),
];

crate::on_each!(
    /// Many devices raise `queried_often`; the issuer sees why, clears it, and the same devices do
    /// not raise it again.
    often_is_told_and_cleared, |engine| {
    let app = TestApp::spawn_with(engine, &FEW).await;
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    ask(&app, tin, 5, &[], false);
    ask(&app, tin, 5, &[], false); // the same devices again
    for _ in 0..6 {
        ask(&app, tin, 200, &[], true); // reported later, all of one moment, never counted
    }
    let staff = officer(&app, &demo).await;
    until("five devices counted", SOON, || async {
        let view = app.consumer().get_with(path_of(tin), &[("accept", "application/json"), ("user-agent", "monitor")]).await;
        View::of(&view).queries.count == 10
    })
    .await;
    assert_eq!(verdict(&app, tin).await, "legal ok");
    ask(&app, tin, 9, &[], false);
    becomes(&app, tin, "legal caution queried_often").await;
    let page = app.consumer().page(tin).await.text();
    assert!(!page.contains("假冒产品") && !page.contains("是假"), "counts never call goods fake");

    let list = staff.get("/v1/suspicions?open=true").await.json();
    let items = list["items"].as_array().expect("items");
    assert_eq!(items.len(), 1, "{list}");
    assert_eq!(items[0]["kind"], "queried_often");
    assert_eq!(items[0]["evidence"]["device_days"], 9);
    assert_eq!(items[0]["evidence"]["thresholds"]["often_devices"], 6);
    let id = items[0]["id"].as_str().expect("an id");
    // Page by page, nothing of what happened at the same moment is passed over or told twice.
    let (mut pages, mut offline) = (0, 0);
    let mut path = format!("/v1/suspicions/{id}/queries");
    loop {
        let page = staff.get(&path).await.json();
        let entries = page["items"].as_array().expect("entries");
        pages += 1;
        offline += entries.iter().filter(|entry| entry["offline"] == true).count();
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/suspicions/{id}/queries?after={next}");
    }
    assert_eq!(offline, 1200);
    assert!(pages > 2, "{pages}");
    let wrong = staff.get(&format!("/v1/suspicions/{id}/queries?after=1")).await;
    assert_eq!(wrong.status, 422);

    let note = json!({"note": "展会样品"});
    let clear = format!("/v1/suspicions/{id}/clear");
    assert_eq!(staff.post(&clear, &note).await.status, 200);
    becomes(&app, tin, "legal ok").await;
    assert_eq!(staff.post(&clear, &note).await.status, 409);
    // What was looked into does not speak again; what comes later does.
    ask(&app, tin, 5, &[], false);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(verdict(&app, tin).await, "legal ok");
    ask(&app, tin, 20, &[], false);
    becomes(&app, tin, "legal caution queried_often").await;
    app.stop().await;
});

crate::on_each!(
    /// Other thresholds than held before are told in the log when a server starts with them, and by the
    /// first that does; the windows in force stay what they are.
    thresholds_of_a_start_are_told_in_the_log, |engine| {
    let app = TestApp::spawn_with(engine, &FEW).await;
    let (log, db) = (&app.state().log, &app.state().db);
    let told = async || -> Vec<Value> {
        let sql = "SELECT body FROM log_entry WHERE kind = 'policy_changed' ORDER BY gseq";
        let rows = db.reader().query_all_raw(statement(db.backend(), sql, [])).await.expect("rows");
        let body = |row: &QueryResult| row.try_get::<String>("", "body").expect("a body");
        rows.iter().map(|row| serde_json::from_str(&body(row)).expect("JSON")).collect()
    };
    until("told", SOON, || async { told().await.len() == 1 }).await;
    let first = told().await.remove(0);
    assert_eq!(first["suspicion"]["often_devices"], 6, "{first}");
    assert_eq!(first["policy"], json!(Policy::default()), "{first}");
    let policy = Policy { duplicate_window_us: 60_000_000, ..Policy::default() };
    decisions::change_policy(log, Actor::System, None, policy).await.expect("a policy");
    // Started again as it was, and then as it comes.
    let few = app.state().settings.suspicion;
    let shipped = suyuan::config::shipped_thresholds().expect("thresholds");
    for (thresholds, entries) in [(few, 2), (shipped, 3), (shipped, 3)] {
        decisions::tell_thresholds(log, db, shipped, thresholds).await.expect("told");
        assert_eq!(told().await.len(), entries);
    }
    let last = told().await.remove(2);
    assert_eq!((&last["suspicion"], &last["policy"]), (&json!(shipped), &json!(policy)));
    assert_eq!(decisions::policy(db.reader()).await.expect("a policy"), policy);
    app.stop().await;
});

crate::on_each!(
    /// One unit in two regions on one day: a copy is suspected, and both reasons are told.
    a_copy_is_suspected_where_one_tin_cannot_be, |engine| {
    let app = TestApp::spawn_with(engine, &FEW).await;
    let demo = app.world().await;
    let (tin, other) = (&demo.codes.legal[0], &demo.codes.legal[1]);
    ask(&app, other, 5, &["CN-31"], false);
    ask(&app, tin, 4, &["CN-31", "CN-44"], false);
    becomes(&app, tin, "legal caution suspected_copy").await;
    assert_eq!(verdict(&app, other).await, "legal ok");
    ask(&app, tin, 8, &["CN-31", "CN-44"], false);
    becomes(&app, tin, "legal caution suspected_copy,queried_often").await;
    let staff = officer(&app, &demo).await;
    let list = staff.get("/v1/suspicions").await.json();
    assert_eq!(list["items"].as_array().expect("items").len(), 2, "{list}");
    assert_eq!(list["items"][0]["evidence"]["regions_on_one_day"], 2);
    // A recall is worse, and hides neither.
    let view = app.consumer().page(tin).await;
    assert_eq!(view.status, 200);
    app.stop().await;
});

crate::on_each!(
    /// Rows of releases that wrote one for each query speak beside those of now, and are listed among
    /// them in their order.
    what_the_release_before_logged_still_speaks, |engine| {
    let app = TestApp::spawn_with(engine, &FEW).await;
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let (space, index) = named(&app, tin).unit.expect("a unit");
    let now = app.clock.now();
    let old = (0..3_i64).map(|n| query_log::ActiveModel {
        batch: Set(Uuid::now_v7()),
        n: Set(n),
        // Two of one moment; one is from before the window.
        at: Set(now - [1, 1, 40 * 86_400][n as usize] * 1_000_000),
        code: Set(path_of(tin).split('?').next().expect("a path").to_owned()),
        space: Set(space.to_string()),
        idx: Set(index as i64),
        verdict: Set("ok/0000".to_owned()),
        channel: Set("browser".to_owned()),
        bot: Set(false),
        device: Set(format!("{n:016x}")),
        offline: Set(false),
        region: Set(String::new()),
    });
    query_log::Entity::insert_many(old)
        .exec_without_returning(app.state().db.writer())
        .await
        .expect("old rows");
    ask(&app, tin, 3, &[], false);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(verdict(&app, tin).await, "legal ok", "five devices within the window");
    ask(&app, tin, 6, &[], false);
    becomes(&app, tin, "legal caution queried_often").await;
    let staff = officer(&app, &demo).await;
    let list = staff.get("/v1/suspicions").await.json();
    let seen = &list["items"][0];
    assert_eq!(seen["evidence"]["device_days"], 8, "{list}");
    assert_eq!(seen["evidence"]["queries"], 11);
    let path = format!("/v1/suspicions/{}/queries", seen["id"].as_str().expect("an id"));
    let entries = staff.get(&path).await.json();
    let entries = entries["items"].as_array().expect("entries");
    let mut people: Vec<_> = entries.iter().filter(|entry| entry["bot"] == false).collect();
    assert_eq!(people.len(), 12);
    assert!(people.is_sorted_by_key(|entry| Reverse(entry["at"].as_str().expect("a time"))));
    people.drain(..9);
    let devices: Vec<_> = people.iter().map(|entry| entry["device"].as_str().expect("one")).collect();
    assert_eq!(devices, ["0000000000000000", "0000000000000001", "0000000000000002"]);
    app.stop().await;
});

#[actix_web::test]
async fn thresholds_of_zero_raise_nothing() {
    let off = [
        ("suspicion.often_devices", "0"),
        ("suspicion.copy_devices", "0"),
    ];
    let app = TestApp::spawn_with(Engine::Sqlite, &off).await;
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    ask(&app, tin, 250, &["CN-31", "CN-44"], false);
    until("all counted", SOON, || async {
        let headers = [("accept", "application/json"), ("user-agent", "monitor")];
        let answer = app.consumer().get_with(path_of(tin), &headers).await;
        View::of(&answer).queries.count == 250
    })
    .await;
    assert_eq!(verdict(&app, tin).await, "legal ok");
    app.stop().await;
}
