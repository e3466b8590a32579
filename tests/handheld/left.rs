//! Units about which there is more to read than an act may: acts leave them, and slices fold them beside the
//! acts that go on. Under the head nothing of them is read, and what came of it is written a few at a time.

use crate::{
    reach::random_pushes,
    scene::{Scene, count, fill_up, holds, open, sale, settled},
};
use serde_json::{Value, json};
use suyuan::handheld::units::{FINDINGS_KEPT, folding::beforehand::WRITTEN_AT_ONCE};
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
#[test]
fn i10_what_two_processes_leave_comes_to_what_the_log_gives() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let first = TestApp::spawn(Engine::Postgres).await;
        let folder = tempfile::tempdir().expect("a folder");
        let (url, sealer) = (first.database_url.clone(), first.sealer.clone());
        let second = TestApp::spawn_on(Engine::Postgres, url, sealer, folder, &[]).await;
        let scene = Scene::of(&first).await;
        random_pushes(&[&first, &second], &scene).await;
        second.stop().await;
        first.stop().await;
    });
}
