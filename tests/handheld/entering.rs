//! A group comes in whole (T8), with up to 500 events of a thousand names each, and no act holds the head for what
//! all of them name: what there is no room for enters by slices, and nobody sees a difference afterwards.

use crate::{
    engine::{healed, poison},
    lots::lots_of,
    refolds::id_of,
    scene::{GTIN, Scene, count, holds, inbound, open_about_events, sale, settled},
    struck::{fillers, foreign, in_ms, refs, related, slices},
};
use serde_json::{Value, json};
use std::time::Duration;
use suyuan_sync::finding::FindingCode;
use suyuan_tests::{Handheld, on_both, until};
use uuid::Uuid;

/// A receipt of little of which much is said: eight fill a push.
fn wordy(codes: &[String]) -> Value {
    let remarks = (0..60).map(|n| (format!("remark_{n}"), json!("x".repeat(2_000))));
    let mut said = inbound(&refs(codes));
    said["body"] = Value::Object(remarks.collect());
    said
}

/// The events of a group.
pub fn group(device: &mut Handheld, correct: bool, said: Vec<(&str, Value)>) -> Vec<String> {
    let (id, of) = (Uuid::now_v7(), said.len());
    said.into_iter()
        .enumerate()
        .map(|(n, (kind, mut said))| {
            said["group"] = json!({"id": id, "n": n + 1, "of": of, "correct": correct});
            device.event(kind, &said)
        })
        .collect()
}

on_both!(
    t8_a_heavy_group_enters_by_slices_and_counts_as_a_whole,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        let mut other = scene.device(&app, &scene.store).await;
        let codes = foreign("G", 800);
        let deliveries = codes.chunks(80).map(|codes| {
            let mut said = inbound(&refs(codes));
            said["lots"] = json!(lots_of(GTIN, Some("L9"), 5));
            ("inbound", said)
        });
        let receipt = group(&mut device, false, deliveries.collect());
        // Its beginning is there last: until then all of it waits.
        device.push_at(2, device.history[1], &receipt[1..]).await;
        assert_eq!(related(&app).await, 0);
        device.push_at(1, device.history[0], &receipt[..1]).await;
        // One is sold while others still enter.
        let sold = other.event("sale", &sale(&[&codes[700]]));
        other.push(&[sold]).await;
        settled(&app).await;
        assert!(slices(&app).await > 2, "all in one act");
        assert_eq!(related(&app).await, 800 + 1);
        let in_stock = "SELECT COUNT(*) AS n FROM unit WHERE phase = 'in_stock'";
        assert_eq!(count(&app, in_stock).await, 799);
        let moves = "SELECT COUNT(*) AS n FROM lot_move";
        assert_eq!(count(&app, moves).await, 10);
        holds(&app, "received").await;

        // All of it is taken back, and said anew: by one who may, and by one who may not.
        for allowed in [false, true] {
            let mut said: Vec<(&str, Value)> = Vec::new();
            for event in &receipt {
                let mut retract = json!({"target": id_of(event)});
                if !allowed {
                    retract["actor"] = json!({"id": "w-99", "proof": "pin", "login_age_s": 60});
                }
                said.push(("retract", retract));
            }
            let news = foreign("H", 400);
            let news = news.chunks(80);
            said.extend(news.map(|codes| ("inbound", inbound(&refs(codes)))));
            let before = slices(&app).await;
            let corrected = group(&mut device, true, said);
            device.push(&corrected).await;
            settled(&app).await;
            assert!(slices(&app).await > before + 2, "all in one act");
            let stays = if allowed { 400 } else { 799 };
            assert_eq!(count(&app, in_stock).await, stays, "allowed: {allowed}");
            let refused = FindingCode::RetractUnauthorised;
            assert_eq!(open_about_events(&app, refused).await, 10);
            holds(&app, "corrected").await;
        }
        app.stop().await;
    }
);

on_both!(t8_a_heavy_group_that_was_released_may_become_whole, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    device.status().await;
    let codes = foreign("R", 600);
    let parts = codes.chunks(100);
    let parts = parts.map(|codes| ("inbound", inbound(&refs(codes))));
    let receipt = group(&mut device, false, parts.collect());
    device.push_at(2, device.history[1], &receipt[1..]).await;
    let due = count(&app, "SELECT waiting_since AS n FROM device_group").await;
    let state = app.state();
    let done = suyuan::handheld::aside::tend::groups(&state.db, &state.handheld.ingest, due).await;
    done.expect("groups");
    settled(&app).await;
    assert_eq!(related(&app).await, 500);
    holds(&app, "released").await;
    let partial = FindingCode::PartialGroup;
    assert_eq!(open_about_events(&app, partial).await, 5);
    tokio::time::sleep(Duration::from_millis(5)).await;
    device.push_at(1, device.history[0], &receipt[..1]).await;
    settled(&app).await;
    assert_eq!(open_about_events(&app, partial).await, 0);
    assert_eq!(related(&app).await, 600);
    holds(&app, "whole").await;
    app.stop().await;
});

on_both!(
    t8_a_group_of_more_text_than_an_act_reads_enters_by_slices,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        let codes = foreign("T", 60);
        let parts = codes.chunks(5).map(|codes| ("inbound", wordy(codes)));
        let receipt = group(&mut device, false, parts.collect());
        device.push_at(2, device.history[1], &receipt[1..7]).await;
        device.push_at(8, device.history[7], &receipt[7..]).await;
        let related_before = related(&app).await;
        let before = slices(&app).await;
        device.push_at(1, device.history[0], &receipt[..1]).await;
        settled(&app).await;
        assert!(slices(&app).await > before, "all was read in one act");
        assert_eq!((related_before, related(&app).await), (0, 60));
        let in_stock = "SELECT COUNT(*) AS n FROM unit WHERE phase = 'in_stock'";
        assert_eq!(count(&app, in_stock).await, 60);
        holds(&app, "received").await;
        app.stop().await;
    }
);

on_both!(
    t4_what_a_filler_moves_is_not_read_whole_and_folded_all_the_same,
    |app| {
        let scene = Scene::of(&app).await;
        let mut late = scene.device(&app, &scene.store).await;
        let mut till = scene.device(&app, &scene.store).await;
        late.status().await;
        till.status().await;
        let mut events = fillers(&mut late);
        let codes = foreign("M", 50);
        let said = codes.chunks(5).map(|codes| in_ms(10, wordy(codes)));
        events.extend(said.map(|said| late.event("inbound", &said)));
        // What is sold after they came in is sold before, as soon as what was missing says when they did.
        let sold: Vec<String> = codes.iter().step_by(5).cloned().collect();
        let sold = till.event("sale", &in_ms(500, sale(&refs(&sold))));
        tokio::time::sleep(Duration::from_secs(1)).await;
        late.push_at(4, late.history[3], &events[3..7]).await;
        late.push_at(8, late.history[7], &events[7..11]).await;
        late.push_at(12, late.history[11], &events[11..]).await;
        till.push(&[sold]).await;
        settled(&app).await;
        let open =
            "SELECT COUNT(*) AS n FROM finding WHERE code = 'ORPHAN_SALE' AND closed IS NULL";
        assert_eq!(count(&app, open).await, 0);
        holds(&app, "sold after they came in").await;
        let before = slices(&app).await;
        late.push_at(1, late.history[0], &events[..3]).await;
        settled(&app).await;
        assert!(slices(&app).await > before, "all was read in one act");
        assert_eq!(count(&app, open).await, 10);
        holds(&app, "and before it").await;
        app.stop().await;
    }
);

on_both!(
    i14_an_event_that_cannot_enter_is_told_and_keeps_no_other,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        let codes = foreign("A", 800);
        let deliveries = codes.chunks(80);
        let deliveries = deliveries.map(|codes| ("inbound", inbound(&refs(codes))));
        let receipt = group(&mut device, false, deliveries.collect());
        device.push_at(2, device.history[1], &receipt[1..]).await;
        let seventh = "SELECT gseq AS n FROM event WHERE seq = 7";
        let poisoned = format!("NEW.gseq = {}", count(&app, seventh).await);
        poison(&app, "event_unit", &poisoned).await;
        device.push_at(1, device.history[0], &receipt[..1]).await;
        let in_stock = "SELECT COUNT(*) AS n FROM unit WHERE phase = 'in_stock'";
        until("all but one", Duration::from_secs(20), async || {
            count(&app, in_stock).await == 720
                && open_about_events(&app, FindingCode::Unfoldable).await == 1
        })
        .await;
        // It is tried again, and told once.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let told = "SELECT COUNT(*) AS n FROM finding WHERE code = 'UNFOLDABLE'";
        assert_eq!(count(&app, told).await, 1);
        healed(&app, "event_unit").await;
        settled(&app).await;
        assert_eq!(count(&app, in_stock).await, 800);
        assert_eq!(open_about_events(&app, FindingCode::Unfoldable).await, 0);
        holds(&app, "entered").await;
        app.stop().await;
    }
);

on_both!(
    t8_a_heavy_correction_that_strikes_its_own_events_comes_to_an_end,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        let codes = foreign("E", 500);
        let mut parts = codes.chunks(100);
        let mut part = || inbound(&refs(parts.next().expect("a part")));
        let id = Uuid::now_v7();
        let mut number = 0;
        let mut of = |kind: &str, mut said: Value| {
            number += 1;
            said["group"] = json!({"id": id, "n": number, "of": 7, "correct": true});
            device.event(kind, &said)
        };
        let news: Vec<String> = (0..5).map(|_| of("inbound", part())).collect();
        let struck = [&news[0], &news[3]].map(|new| json!({"target": id_of(new)}));
        let strikes: Vec<String> = struck.into_iter().map(|said| of("retract", said)).collect();
        device.push(&[news, strikes].concat()).await;
        settled(&app).await;
        let in_stock = "SELECT COUNT(*) AS n FROM unit WHERE phase = 'in_stock'";
        assert_eq!(count(&app, in_stock).await, 300);
        holds(&app, "corrected by itself").await;
        app.stop().await;
    }
);
