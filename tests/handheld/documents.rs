//! A count in several documents is one count (C11), and may be of hundreds that name a thousand lots each: no act
//! works in what all of them say, and nobody sees a difference afterwards.

use crate::{
    lots::lots_of,
    refolds::id_of,
    scene::{GTIN, Scene, count, holds, settled},
    struck::{fillers, in_ms, slices},
};
use serde_json::{Value, json};
use std::time::Duration;
use suyuan_tests::{Handheld, TestApp, on_both};
use uuid::Uuid;

/// What a document says of so many lots from one on: that there are two of each.
fn seen(from: usize, lots: usize) -> Value {
    let lots = (from..from + lots).map(|n| lots_of(GTIN, Some(&format!("L{n}")), 2));
    let lots: Vec<Value> = lots
        .flat_map(|lots| lots.as_array().cloned().unwrap_or_default())
        .collect();
    json!({"lots": lots})
}

/// Nine hundred lots come in, five of each.
async fn filled(device: &mut Handheld) {
    let receipts = (0..9).map(|part| {
        let mut said = seen(part * 100, 100);
        for lot in said["lots"].as_array_mut().expect("lots") {
            lot["qty"] = json!(5);
        }
        said["doc"] = json!({"no": format!("R{part}")});
        device.event("inbound", &said)
    });
    let receipts: Vec<String> = receipts.collect();
    device.push(&receipts).await;
}

/// The documents of a count, which overlap and name more together than any act works in (2 000); a complete one misses what none of them names.
fn documents(device: &mut Handheld, of: usize, complete: bool) -> Vec<String> {
    let id = Uuid::now_v7();
    (0..of)
        .map(|n| {
            let mut said = seen(n * 100, 300);
            said["group"] = json!({"id": id, "n": n + 1, "of": of});
            if complete {
                said["body"] = json!({"scope": {"complete": true}});
            }
            device.event("count", &said)
        })
        .collect()
}

/// Where counts stand.
async fn places(app: &TestApp) -> i64 {
    let sql = "SELECT COUNT(DISTINCT m.gseq) AS n FROM lot_move m JOIN event e ON e.gseq = m.gseq \
               WHERE e.kind = 'count'";
    count(app, sql).await
}

on_both!(
    c11_a_heavy_count_in_several_documents_is_worked_in_by_slices,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        filled(&mut device).await;
        settled(&app).await;
        for (complete, counts) in [(false, 1), (true, 2)] {
            let before = slices(&app).await;
            let counted = documents(&mut device, 7, complete);
            device.push(&counted).await;
            settled(&app).await;
            assert!(slices(&app).await > before, "all in one act");
            assert_eq!(places(&app).await, counts);
            holds(&app, "counted").await;
            // The last is taken back: the count stands at the last that is left.
            let before = slices(&app).await;
            let said = json!({"target": id_of(&counted[6])});
            let retract = device.event("retract", &said);
            device.push(&[retract]).await;
            settled(&app).await;
            assert!(slices(&app).await > before, "all in one act");
            assert_eq!(places(&app).await, counts);
            holds(&app, "taken back").await;
        }
        app.stop().await;
    }
);

on_both!(
    c11_a_late_document_of_a_heavy_count_is_where_all_of_it_stands,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        filled(&mut device).await;
        settled(&app).await;
        let counted = documents(&mut device, 7, false);
        device.push_at(10, device.history[9], &counted[..6]).await;
        let due = count(&app, "SELECT waiting_since AS n FROM device_group").await;
        let state = app.state();
        let done = suyuan::handheld::aside::tend::groups(&state.db, &state.handheld.ingest, due);
        done.await.expect("groups");
        settled(&app).await;
        assert_eq!(places(&app).await, 1);
        holds(&app, "released").await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let before = slices(&app).await;
        device.push_at(16, device.history[15], &counted[6..]).await;
        settled(&app).await;
        assert!(slices(&app).await > before, "all in one act");
        assert_eq!(places(&app).await, 1);
        holds(&app, "whole").await;
        app.stop().await;
    }
);

on_both!(t4_lots_that_a_filler_moves_are_worked_in_by_slices, |app| {
    let scene = Scene::of(&app).await;
    let mut late = scene.device(&app, &scene.store).await;
    let mut till = scene.device(&app, &scene.store).await;
    late.status().await;
    till.status().await;
    let mut events = fillers(&mut late);
    for part in 0..4 {
        let mut said = in_ms(10, seen(part * 300, 300));
        said["doc"] = json!({"no": format!("R{part}")});
        events.push(late.event("inbound", &said));
    }
    let id = Uuid::now_v7();
    for n in 0..4 {
        let mut said = in_ms(20, seen(n * 290, 300));
        said["group"] = json!({"id": id, "n": n + 1, "of": 4});
        said["body"] = json!({"scope": {"complete": true}});
        events.push(late.event("count", &said));
    }
    // What is sold after they came in is sold before, as soon as what was missing says when they did.
    let sold = till.event("sale", &in_ms(500, seen(0, 300)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    late.push_at(4, late.history[3], &events[3..]).await;
    till.push(&[sold]).await;
    settled(&app).await;
    holds(&app, "sold after it came in").await;
    let below = "SELECT COUNT(*) AS n FROM finding WHERE code = 'NEG_BALANCE' AND closed IS NULL";
    assert_eq!(count(&app, below).await, 0);
    let before = slices(&app).await;
    late.push_at(1, late.history[0], &events[..3]).await;
    settled(&app).await;
    assert!(slices(&app).await > before, "all in one act");
    assert_eq!(places(&app).await, 1);
    holds(&app, "and before it").await;
    app.stop().await;
});
