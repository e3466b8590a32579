//! What devices push reaches the public side within the freshness budget: what is collected, destroyed or
//! sold twice is told so to whoever scans it. The budget is that of recalls, a second from the answer on.
//! Tried several times; what is held against it is the median, since a machine that runs tests stands still
//! for a second now and then.

use crate::{
    scene::{Scene, inbound, sale, scanned},
    support::text_of,
};
use serde_json::json;
use std::time::{Duration, Instant};
use suyuan_tests::{Handheld, TestApp, on_both, until};

/// From the answer on.
const BUDGET: Duration = Duration::from_secs(1);
/// How often.
const TRIES: usize = 9;
/// When nobody waits any longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Is this among the reasons a consumer is given?
async fn told(app: &TestApp, tin: &str, reason: &str) -> bool {
    let view = app.consumer().scan(tin).await.json();
    let reasons = view["reasons"].as_array().expect("reasons");
    reasons.iter().any(|told| text_of(told) == reason)
}

on_both!(
    what_is_pushed_is_told_to_the_public_within_the_freshness_budget,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let mut elsewhere = scene.device(&app, &scene.warehouse).await;
        let mut tins = scene.tins.iter();
        for reason in ["collected", "destroyed", "suspected_copy"] {
            let mut waits = Vec::new();
            for tin in tins.by_ref().take(TRIES) {
                let before = [store.event("inbound", &inbound(&[tin]))];
                store.push(&before).await;
                let device: &mut Handheld = if reason == "suspected_copy" {
                    let sold = [store.event("sale", &sale(&[tin]))];
                    store.push(&sold).await;
                    // It knows of no sale, but what time it is.
                    elsewhere.push(&[]).await;
                    &mut elsewhere
                } else {
                    &mut store
                };
                app.settled().await;
                assert!(!told(&app, tin, reason).await, "{reason} before it was");
                let named = json!({"units": scanned(&[tin])});
                let event = match reason {
                    "collected" => device.event("collect", &named),
                    "destroyed" => device.event("destroy", &named),
                    _ => device.event("sale", &sale(&[tin])),
                };
                device.push(&[event]).await;
                let answered = Instant::now();
                until(reason, PATIENCE, async || told(&app, tin, reason).await).await;
                waits.push(answered.elapsed());
            }
            waits.sort_unstable();
            let median = waits[waits.len() / 2];
            println!(
                "{:?}: {reason} was told after {median:?} (median of {TRIES}; longest {:?})",
                app.engine,
                waits[waits.len() - 1]
            );
            assert!(median <= BUDGET, "{reason}: {waits:?}");
        }
        app.stop().await;
    }
);
