//! Units about which there is more to read than an act may: acts leave them, and slices fold them beside the
//! acts that go on. Under the head nothing of them is read, and what came of it is written a few at a time.

use crate::{
    reach::random_pushes,
    scene::{Scene, count, fill_up, holds, inbound, open, outbound, sale, scanned, settled, unit},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use suyuan::handheld::{
    units::{
        FINDINGS_KEPT,
        facts::Reader,
        folding::{
            Change, FACTS_MAX, Folding, Moment, beforehand::WRITTEN_AT_ONCE, counts::COUNTS_MAX,
        },
        store::facts,
    },
    world::Source,
};
use suyuan_tests::{Engine, Handheld, TestApp, on_both};

/// So many sales of a tin, in one push.
async fn sold(device: &mut Handheld, tin: &String, times: usize) -> Vec<String> {
    let events: Vec<String> = (0..times)
        .map(|_| device.event("sale", &sale(&[tin])))
        .collect();
    device.push(&events).await;
    events
}

/// What entries of slices say, the last first.
async fn slices(app: &TestApp) -> Vec<Value> {
    let sql = "SELECT body FROM log_entry WHERE kind = 'refolded' ORDER BY gseq DESC";
    let db = &app.state().db;
    let query = suyuan::db::statement(db.backend(), sql, []);
    let rows = sea_orm::ConnectionTrait::query_all_raw(db.reader(), query).await;
    let body = |row: &sea_orm::QueryResult| row.try_get::<String>("", "body").expect("a body");
    let bodies = rows.expect("entries");
    let read = |text: String| serde_json::from_str(&text).expect("JSON");
    bodies.iter().map(body).map(read).collect()
}

on_both!(what_is_left_is_read_and_folded_beside_the_acts, |app| {
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let mut store = scene.device(&app, &scene.store).await;
    sold(&mut store, tin, 60).await;
    settled(&app).await;
    let before = slices(&app).await.len();
    for n in 1..=3 {
        fill_up(&app).await;
        sold(&mut store, tin, 1).await;
        settled(&app).await;
        assert_eq!(
            open(&app, tin).await.len(),
            60 + n,
            "one more is sold twice"
        );
    }
    let slices = slices(&app).await;
    assert!(slices.len() >= before + 3);
    // Sixty facts and more were folded each time, and none of them was read while the head was held.
    for slice in &slices[..slices.len() - before] {
        assert_eq!(slice["read"], 0, "{slice}");
    }
    holds(&app, "folded beside").await;
    app.stop().await;
});

on_both!(what_an_act_left_is_said_to_be_pending, |app| {
    let scene = Scene::of(&app).await;
    let (tin, other) = (&scene.tins[0], &scene.tins[1]);
    let mut store = scene.device(&app, &scene.store).await;
    sold(&mut store, tin, 1).await;
    fill_up(&app).await;
    let events = [
        store.event("sale", &sale(&[tin])),
        store.event("sale", &sale(&[other])),
    ];
    let (first, prev) = (store.next - 2, store.history[store.history.len() - 3]);
    let told = async |status: &str| {
        let answer = store.try_push(first, prev, &events).await.json();
        let of = |n: usize| {
            let result = &answer["results"][n];
            assert_eq!(result["status"], status, "{result}");
            let codes = result["findings"].as_array().expect("findings");
            let codes: Vec<Value> = codes.iter().map(|note| note["code"].clone()).collect();
            (result["pending"].clone(), codes)
        };
        [of(0), of(1)]
    };
    let judged = (Value::Null, vec![json!("ORPHAN_SALE")]);
    let expected = [(json!(true), vec![]), judged];
    assert_eq!(told("stored").await, expected);
    // I4: whoever asks again is told what was told first, whatever was found since.
    assert_eq!(told("duplicate").await, expected);
    settled(&app).await;
    assert_eq!(open(&app, tin).await, ["ORPHAN_SALE", "DOUBLE_SALE"]);
    assert_eq!(told("duplicate").await, expected);
    let pulled = store.pull(0, 500).await;
    let pulled = serde_json::to_string(&pulled.items).expect("JSON");
    assert!(pulled.contains("DOUBLE_SALE"), "{pulled}");
    holds(&app, "pending").await;
    app.stop().await;
});

on_both!(
    what_was_counted_more_often_than_an_act_may_read_is_left,
    |app| {
        let scene = Scene::of(&app).await;
        let tin = &scene.tins[0];
        let mut store = scene.device(&app, &scene.store).await;
        let received = store.event("inbound", &inbound(&[tin]));
        let counted = store.event("count", &json!({"body": {"scope": {"complete": true}}}));
        store.push(&[received, counted]).await;
        settled(&app).await;
        assert_eq!(open(&app, tin).await, ["MISSING_AT_COUNT"]);
        let before = slices(&app).await.len();
        // As if it had been counted that often.
        let again = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= {COUNTS_MAX}) \
             INSERT INTO sweep (location_id, eff, gseq, said) \
             SELECT s.location_id, s.eff + n.i, s.gseq, s.said FROM sweep s, n"
        );
        let db = app.state().db.clone();
        let done = sea_orm::ConnectionTrait::execute_unprepared(db.writer(), &again).await;
        assert_eq!(done.expect("rows").rows_affected(), 1 + COUNTS_MAX as u64);
        sold(&mut store, tin, 1).await;
        settled(&app).await;
        assert!(slices(&app).await.len() > before, "the sale was left");
        holds(&app, "much counted").await;
        app.stop().await;
    }
);

/// Puts three tins into a case where that is counted all the time: all of it is left by each act.
async fn counted_all_the_time(app: &TestApp, scene: &Scene) -> Handheld {
    let (tins, case) = (&scene.tins[..3], &scene.cases[0]);
    let tins: Vec<&String> = tins.iter().collect();
    let mut store = scene.device(app, &scene.store).await;
    let packed = json!({"parent": {"code": case, "input": "wedge"}, "units": scanned(&tins)});
    let events = [
        store.event("inbound", &inbound(&tins)),
        store.event("pack", &packed),
        store.event("count", &count_of(&[case])),
    ];
    store.push(&events).await;
    settled(app).await;
    let again = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= {COUNTS_MAX}) \
         INSERT INTO sweep (location_id, eff, gseq, said) \
         SELECT s.location_id, s.eff + n.i, s.gseq, s.said FROM sweep s, n"
    );
    let db = app.state().db.clone();
    let done = sea_orm::ConnectionTrait::execute_unprepared(db.writer(), &again).await;
    done.expect("rows");
    store
}

fn count_of(codes: &[&String]) -> Value {
    json!({"units": scanned(codes), "body": {"scope": {"complete": true}}})
}

on_both!(
    what_is_in_a_container_that_is_left_is_folded_and_then_there_is_an_end,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = counted_all_the_time(&app, &scene).await;
        let counted = store.event("count", &count_of(&[&scene.cases[0]]));
        store.push(&[counted]).await;
        // Were it left again for each thing in it, this would never end.
        until_settled(&app).await;
        let position = app.state().log.head().await.expect("a head").0;
        let collected = store.event("collect", &inbound(&[&scene.tins[2]]));
        store.push(&[collected]).await;
        until_settled(&app).await;
        let after = app.state().log.head().await.expect("a head").0;
        assert!(after - position <= 3, "{position} to {after}");
        holds(&app, "left with its container").await;
        app.stop().await;
    }
);

/// The same with a container that very much is known of, whoever's word it is, with its size as it comes. Of the
/// database nothing depends on that.
#[actix_web::test]
async fn what_is_in_a_container_that_very_much_is_known_of_is_folded_and_then_there_is_an_end() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let pallet = "/00/340123450000007771".to_owned();
    // It comes and goes, and nothing is wrong with that.
    let came = inbound(&[&pallet]);
    let went = outbound(&[&pallet], &scene.store);
    for _ in 0..=FACTS_MAX / 500 {
        let both = |_| {
            [
                store.event("inbound", &came),
                store.event("outbound", &went),
            ]
        };
        let events: Vec<String> = (0..250).flat_map(both).collect();
        store.push(&events).await;
    }
    let tins: Vec<&String> = scene.tins[..3].iter().collect();
    let packed = json!({"parent": {"code": pallet, "input": "wedge"}, "units": scanned(&tins)});
    let packed = store.event("pack", &packed);
    store.push(&[packed]).await;
    until_settled(&app).await;
    for n in [0, 2] {
        let position = app.state().log.head().await.expect("a head").0;
        let collected = store.event("collect", &inbound(&[&scene.tins[n]]));
        store.push(&[collected]).await;
        until_settled(&app).await;
        let after = app.state().log.head().await.expect("a head").0;
        assert!(after - position <= 3, "{position} to {after}");
        let status = suyuan_sync::fold::public_status(&unit(&app, &scene.tins[n]).await.kept.state);
        assert!(
            status.is_some_and(|status| status.ended.is_some()),
            "{status:?}"
        );
    }
    holds(&app, "in a container of which much is known").await;
    app.stop().await;
}

on_both!(findings_of_a_long_unit_are_written_a_few_at_a_time, |app| {
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let mut store = scene.device(&app, &scene.store).await;
    let first = sold(&mut store, tin, 1).await.remove(0);
    for _ in 0..2 {
        settled(&app).await;
        fill_up(&app).await;
        sold(&mut store, tin, FINDINGS_KEPT / 2 + 50).await;
    }
    settled(&app).await;
    let found = FINDINGS_KEPT + 100;
    let open = "SELECT COUNT(*) AS n FROM finding WHERE unit_id IS NOT NULL AND closed IS NULL";
    assert_eq!(count(&app, open).await as usize, found + 1);
    // They stand in their own rows, and not in the unit's.
    let kept = "SELECT COUNT(*) AS n FROM unit WHERE state LIKE '%double_sale%' \
                OR state LIKE '%DOUBLE_SALE%'";
    assert_eq!(count(&app, kept).await, 0);
    holds(&app, "many findings").await;
    // Whatever all of them turned on goes away.
    fill_up(&app).await;
    let first: Value = serde_json::from_str(&first).expect("an event");
    let retract = store.event("retract", &json!({"target": first["event_id"]}));
    store.push(&[retract]).await;
    settled(&app).await;
    assert_eq!(count(&app, open).await as usize, found);
    for (what, sql) in [
        (
            "opened",
            "finding WHERE unit_id IS NOT NULL GROUP BY opened",
        ),
        ("closed", "finding WHERE closed IS NOT NULL GROUP BY closed"),
        ("changed", "finding_was GROUP BY until"),
    ] {
        let most = format!("SELECT MAX(c) AS n FROM (SELECT COUNT(*) AS c FROM {sql}) x");
        let most = count(&app, &most).await as usize;
        assert!(
            (1..=WRITTEN_AT_ONCE).contains(&most),
            "{what} {most} in one act"
        );
    }
    holds(&app, "what all turned on is gone").await;
    // An act that may read it reads its findings, too.
    let facts = format!("UPDATE unit SET facts = {}", found + 2);
    let db = app.state().db.clone();
    let done = sea_orm::ConnectionTrait::execute_unprepared(db.writer(), &facts).await;
    done.expect("rows");
    sold(&mut store, tin, 1).await;
    holds(&app, "in an act").await;
    assert_eq!(count(&app, open).await as usize, found + 1);
    app.stop().await;
});

/// Who pushes to either of two processes, while both do what is left.
#[actix_web::test]
async fn i10_what_two_processes_leave_comes_to_what_the_log_gives() {
    let first = TestApp::spawn(Engine::Postgres).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (url, sealer) = (first.database_url.clone(), first.sealer.clone());
    let second = TestApp::spawn_on(Engine::Postgres, url, sealer, folder, &[]).await;
    let scene = Scene::of(&first).await;
    random_pushes(&[&first, &second], &scene).await;
    second.stop().await;
    first.stop().await;
}

/// What the program's metrics say, as a number.
pub async fn metric(app: &TestApp, name: &str) -> f64 {
    let text = app.stranger().get("/metrics").await.text();
    let lines = text.lines().filter_map(|line| line.strip_prefix(name));
    let values = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse().ok());
    values.fold(0.0, f64::max)
}

/// How long the head was held at the longest, in milliseconds, and how long reading and folding took.
async fn measured(engine: Engine) {
    let app = TestApp::spawn(engine).await;
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let mut store = scene.device(&app, &scene.store).await;
    let held = async || 1e3 * metric(&app, "suyuan_head_held_longest_seconds").await;
    let mut first = None;
    let mut sold_so_far = 0;
    for upto in [10_000, 50_000] {
        while sold_so_far < upto {
            let events = sold(&mut store, tin, 500).await;
            first.get_or_insert_with(|| events[0].clone());
            sold_so_far += 500;
        }
        let began = Instant::now();
        until_settled(&app).await;
        let caught_up = began.elapsed();
        let db = &app.state().db;
        let mut source = Source::new(app.sealer.clone());
        let tx = db.begin_reading().await.expect("a snapshot");
        let (seen, stamp) = suyuan::log::head_in(&tx).await.expect("the head");
        source.refresh(&tx, seen).await.expect("master data");
        let row = unit(&app, tin).await;
        let began = Instant::now();
        let read = facts(&tx, &mut Reader::default(), &[row.id], seen).await;
        let (read, reading) = (read.expect("facts")[&row.id].len(), began.elapsed());
        let change = Change {
            left: [(row.key.clone(), None)].into(),
            ..Change::default()
        };
        let moment = Moment {
            first: seen + 1,
            last: seen + 1,
            stamp: stamp + 1,
        };
        let mut reader = Reader::default();
        let began = Instant::now();
        let folding = Folding::new(&mut source, &mut reader, moment);
        let folded = folding.beforehand(&tx, change).await.expect("folded");
        let both = began.elapsed();
        let began = Instant::now();
        let watched = folded.watched();
        println!(
            "{engine:?}: {read} facts: read in {reading:?}, read and folded in {both:?}, what it depends on \
             in {:?} ({} rows); caught up in {caught_up:?}; the head was held {:.1} ms at the longest",
            began.elapsed(),
            watched.rows.len(),
            held().await
        );
        tx.rollback().await.expect("rolled back");
    }
    let first: Value = serde_json::from_str(&first.expect("a sale")).expect("an event");
    let retract = store.event("retract", &json!({"target": first["event_id"]}));
    let began = Instant::now();
    store.push(&[retract]).await;
    until_settled(&app).await;
    println!(
        "{engine:?}: all findings changed in {:?}; the head was held {:.1} ms at the longest",
        began.elapsed(),
        held().await
    );
    app.stop().await;
}

async fn until_settled(app: &TestApp) {
    suyuan_tests::until("slices", Duration::from_mins(5), async || {
        count(app, "SELECT COUNT(*) AS n FROM refold WHERE id > 0").await == 0
    })
    .await;
}

#[actix_web::test]
#[ignore = "it measures: alone, in a release build, on a quiet machine"]
async fn how_long_the_head_is_held_for_a_unit_with_very_many_facts() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        measured(engine).await;
    }
}

on_both!(
    what_is_left_by_a_newer_program_is_not_in_the_way_of_anything,
    |app| {
        let scene = Scene::of(&app).await;
        settled(&app).await;
        let db = &app.state().db;
        let tx = db.begin().await.expect("a transaction");
        for n in 1..=40 {
            let sql = "INSERT INTO refold (id, scope, cursor, gseq, rank, merges) \
                       VALUES (?, '{\"of\":\"tomorrow\",\"what\":1}', 0, 1, -9, '')";
            let query = suyuan::db::statement(db.backend(), sql, [i64::from(n).into()]);
            let done = sea_orm::ConnectionTrait::execute_raw(&tx, query).await;
            done.expect("a row");
        }
        tx.commit().await.expect("a commit");
        let tin = &scene.tins[0];
        let mut store = scene.device(&app, &scene.store).await;
        let event = store.event("inbound", &inbound(&[tin]));
        store.push(&[event]).await;
        fill_up(&app).await;
        sold(&mut store, tin, 2).await;
        suyuan_tests::until("slices", Duration::from_secs(20), async || {
            open(&app, tin).await.len() == 1
        })
        .await;
        let others = "SELECT COUNT(*) AS n FROM refold WHERE scope LIKE '%tomorrow%'";
        assert_eq!(
            count(&app, others).await,
            40,
            "they are whoever's who left them"
        );
        app.stop().await;
    }
);
