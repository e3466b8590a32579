//! What an act needs is read while the act before it runs. Whatever that one changed is read anew: each of
//! these stories keeps several acts going whose events are about the same units, ids or devices.

use crate::scene::{Scene, count, holds, inbound, open_about_events, sale, unit};
use futures_util::future::join_all;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use suyuan_sync::{
    finding::FindingCode,
    fold::Phase,
    wire::{PushAnswer, Status},
};
use suyuan_tests::{Answer, Handheld, TestApp, on_both};

/// Events of one push: too many for two of them to go into one act.
const EVENTS: usize = 70;

/// As devices write it.
fn now() -> String {
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    now.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

fn answered(answer: &Answer) -> PushAnswer {
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("an answer")
}

/// A device that made so many events about the same tins, which it did not push yet.
async fn seller(app: &TestApp, scene: &Scene, tins: usize) -> (Handheld, Vec<String>) {
    let mut device = scene.device(app, &scene.store).await;
    let events = (0..EVENTS)
        .map(|n| {
            let tin = &scene.tins[n % tins];
            let back = json!({"codes": [tin], "reason": "customer"});
            match n / tins % 2 {
                0 => device.event("sale", &sale(&[tin])),
                _ => device.event("return", &back),
            }
        })
        .collect();
    (device, events)
}

async fn all_at_once(sellers: &[(Handheld, Vec<String>)]) -> Vec<PushAnswer> {
    let pushes = sellers
        .iter()
        .map(|(device, events)| device.try_push(1, device.history[0], events));
    join_all(pushes).await.iter().map(answered).collect()
}

on_both!(units_that_the_act_before_changed_are_read_anew, |app| {
    let scene = Scene::of(&app).await;
    let mut first = scene.device(&app, &scene.store).await;
    let tins: Vec<&String> = scene.tins.iter().take(20).collect();
    let event = first.event("inbound", &inbound(&tins));
    first.push(&[event]).await;
    let mut sellers = Vec::new();
    for _ in 0..8 {
        sellers.push(seller(&app, &scene, 20).await);
    }
    for answer in all_at_once(&sellers).await {
        assert!(answer.results.iter().all(|r| r.status == Status::Stored));
    }
    let all = "SELECT COUNT(*) AS n FROM event";
    assert_eq!(count(&app, all).await, 8 * EVENTS as i64 + 1);
    // Each unit is as if all of it had been folded at once.
    holds(&app, "after eight devices sold the same tins at once").await;
    app.stop().await;
});

on_both!(an_id_that_the_act_before_took_is_taken, |app| {
    let scene = Scene::of(&app).await;
    let mut sellers = Vec::new();
    for n in 0..6 {
        let (mut device, mut events) = seller(&app, &scene, 20).await;
        // All end with an event of the same id, each with another content.
        let mut last: Value = serde_json::from_str(&events[EVENTS - 1]).expect("an event");
        last["event_id"] = json!("0198a5a0-0000-7000-8000-000000000001");
        last["codes"] = json!([scene.tins[20 + n]]);
        device.history.pop();
        device.next -= 1;
        events[EVENTS - 1] = device.make(last.to_string());
        sellers.push((device, events));
    }
    let mut fates: BTreeMap<Status, usize> = BTreeMap::new();
    for answer in all_at_once(&sellers).await {
        let last = answer.results.last().expect("a result");
        *fates.entry(last.status).or_default() += 1;
    }
    let once = [(Status::Stored, 1), (Status::Quarantined, 5)];
    assert_eq!(fates, BTreeMap::from(once));
    assert_eq!(open_about_events(&app, FindingCode::IdReuse).await, 5);
    holds(&app, "after an id was used six times").await;
    app.stop().await;
});

on_both!(what_the_act_before_held_of_a_device_is_a_duplicate, |app| {
    let scene = Scene::of(&app).await;
    let sellers = [
        seller(&app, &scene, 20).await,
        seller(&app, &scene, 20).await,
    ];
    // Each push four times at once, with the other's between.
    let pushes = (0..8).map(|n| {
        let (device, events) = &sellers[n % 2];
        device.try_push(1, device.history[0], events)
    });
    let answers = join_all(pushes).await;
    let statuses = answers.iter().flat_map(|answer| answered(answer).results);
    let stored = statuses.filter(|result| result.status == Status::Stored);
    assert_eq!(stored.count(), 2 * EVENTS);
    let all = "SELECT COUNT(*) AS n FROM event";
    assert_eq!(count(&app, all).await, 2 * EVENTS as i64);
    holds(&app, "after the same pushes over several connections").await;
    app.stop().await;
});

on_both!(what_an_act_moves_itself_is_folded_where_it_came_to, |app| {
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let mut first = scene.device(&app, &scene.store).await;
    let event = first.event("inbound", &inbound(&[tin]));
    first.push(&[event]).await;
    let mut device = scene.device(&app, &scene.store).await;
    let anchored = now();
    tokio::time::sleep(Duration::from_millis(400)).await;
    // The wall clock is all the device has, and is set back between its sale and the return.
    let mut said = sale(&[tin]);
    said["anchor_wall"] = json!(anchored);
    said["at"] = json!(now());
    let sold = device.event("sale", &said);
    said["at"] = json!(anchored);
    let returned = device.event("return", &said);
    for (seq, text) in [(1, sold), (2, returned)] {
        let prev = device.history[seq as usize - 1];
        let answer = device.try_push(seq, prev, &[text]).await;
        let found = answered(&answer).results.remove(0).findings;
        assert!(found.is_empty(), "{}", answer.text());
    }
    let moved = "SELECT COUNT(*) AS n FROM event WHERE kind = 'sale' AND eff < est";
    assert_eq!(count(&app, moved).await, 1, "the sale moved");
    assert_eq!(unit(&app, tin).await.kept.state.phase, Phase::Returned);
    holds(&app, "after a clock was set back").await;
    app.stop().await;
});
