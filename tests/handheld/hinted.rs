//! `pull_hint`: an answer to a push says that there is something new to be pulled when somebody else did
//! it, and not what the device will come across anyway.

use crate::{
    scene::{Scene, inbound, sale, settled},
    support::{PASSWORD, made},
};
use serde_json::{Value, json};
use std::time::Duration;
use suyuan_sync::{finding::FindingCode, wire::Item};
use suyuan_tests::{Handheld, on_both, recall_order};

/// Pulls all there is; gives the cursor it came to, and what was told.
async fn pulled(device: &mut Handheld, mut cursor: i64) -> (i64, Vec<Item>) {
    let mut items = Vec::new();
    loop {
        let page = device.pull(cursor, 500).await;
        cursor = page.cursor;
        items.extend(page.items.into_iter().map(|item| item.item));
        if !page.more {
            return (cursor, items);
        }
    }
}

/// Pushes an event that saw this cursor; is it told to pull?
async fn hinted(device: &mut Handheld, kind: &str, mut said: Value, cursor: i64) -> bool {
    said["cursor"] = json!(cursor);
    let event = device.event(kind, &said);
    device.push(&[event]).await.pull_hint
}

on_both!(a_push_is_told_of_what_others_did_since_its_cursor, |app| {
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let mut till = scene.device(&app, &scene.store).await;
    let mut other = scene.device(&app, &scene.store).await;
    let tins: Vec<_> = scene.tins.iter().collect();
    settled(&app).await;

    // Who read nothing yet has everything to read; then nothing.
    assert!(hinted(&mut till, "inbound", inbound(&tins[..3]), 0).await);
    let (start, _) = pulled(&mut till, 0).await;
    assert!(!hinted(&mut till, "sale", sale(&tins[..1]), start).await);
    // What devices do is told by the pulls that come anyway: own acts, others', and a verdict.
    let early = other.event("sale", &sale(&tins[1..2]));
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(!hinted(&mut till, "sale", sale(&tins[1..2]), start).await);
    other.push(&[early]).await;
    assert!(!hinted(&mut till, "inbound", inbound(&tins[3..4]), start).await);
    let (cursor, told) = pulled(&mut till, start).await;
    let double = |item: &Item| match item {
        Item::Verdict(verdict) => {
            let mut found = verdict.findings.iter();
            found.any(|found| found.code == FindingCode::DoubleSale)
        }
        _ => false,
    };
    assert!(told.iter().any(double), "{told:?}");

    // A recall, a decision, master data: each until it was pulled.
    let mut cursor = cursor;
    for n in 0..3 {
        match n {
            0 => {
                let order = recall_order(&json!([scene.batch]), "结块", "停售");
                made(scene.firm.admin.post("/v1/recalls", &order).await);
            }
            1 => {
                let policy = json!({"duplicate_window_s": 301, "list_age_s": 86_400});
                assert_eq!(platform.post("/v1/policy", &policy).await.status, 204);
            }
            _ => {
                let place = json!({"code": "S-9", "kind": "store", "name": "新店"});
                made(scene.firm.admin.post("/v1/locations", &place).await);
            }
        }
        settled(&app).await;
        let again = inbound(&tins[4 + n..5 + n]);
        assert!(
            hinted(&mut till, "inbound", again.clone(), cursor).await,
            "{n}"
        );
        assert!(
            hinted(&mut till, "inbound", again.clone(), cursor).await,
            "{n}"
        );
        (cursor, _) = pulled(&mut till, cursor).await;
        assert!(!hinted(&mut till, "inbound", again, cursor).await, "{n}");
    }

    // An event that cannot be read says no cursor: the one before it does.
    let mut said = sale(&tins[2..3]);
    said["cursor"] = json!(cursor);
    let events = [till.event("sale", &said), till.make("no event".into())];
    assert!(!till.push(&events).await.pull_hint);
    app.stop().await;
});
