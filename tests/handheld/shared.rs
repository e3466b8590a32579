//! What a container suffers reaches the public side for the things in it, and is taken back with it,
//! however many they are (C13).

use crate::{
    scene::{Scene, holds, inbound, sale, scanned},
    support::{made, segment, text_of},
};
use serde_json::{Value, json};
use std::time::Duration;
use suyuan_tests::{TestApp, on_both, until};

/// What a consumer is told who scans this.
async fn said(app: &TestApp, code: &str) -> String {
    let view = app.consumer().scan(code).await.json();
    let reasons = view["reasons"].as_array().expect("reasons");
    let reasons: Vec<String> = reasons.iter().map(text_of).collect();
    format!("{} {}", text_of(&view["advice"]), reasons.join(","))
}

/// Waits until all of these are told so.
async fn all_told(app: &TestApp, codes: &[&String], destroyed: bool) {
    for code in codes {
        until(code, Duration::from_secs(5), async || {
            said(app, code).await.starts_with("stop destroyed") == destroyed
        })
        .await;
    }
}

fn packing(container: &String, units: &[&String]) -> Value {
    json!({"parent": {"code": container, "input": "wedge"}, "units": scanned(units)})
}

fn named(codes: &[&String]) -> Value {
    json!({"units": scanned(codes)})
}

fn id_of(text: &str) -> Value {
    serde_json::from_str::<Value>(text).expect("an event")["event_id"].clone()
}

/// Codes of tins of the scene's batch.
async fn more(scene: &Scene, product: &str, count: u64) -> Vec<String> {
    let admin = &scene.firm.admin;
    let segment = segment(admin, product, count).await;
    let ranges = json!([{"segment_id": segment["id"]}]);
    let body = json!({"batch_id": scene.batch, "ranges": ranges});
    made(admin.post("/v1/commissions", &body).await);
    let path = format!("/v1/segments/{}/codes", text_of(&segment["id"]));
    let printed = admin.get(&path).await.text();
    let lines = printed.lines().skip(1);
    let urls = lines.filter_map(|line| line.rsplit(',').next());
    urls.map(str::to_owned).collect()
}

async fn product_of(scene: &Scene) -> String {
    let found = scene.firm.admin.get("/v1/products").await.json();
    text_of(&found["items"][0]["id"])
}

on_both!(
    c13_what_a_case_suffers_is_told_of_what_is_in_it_and_taken_back,
    |app| {
        let scene = Scene::of(&app).await;
        let [first, second, apart] = [&scene.tins[0], &scene.tins[1], &scene.tins[2]];
        let case = &scene.cases[0];
        // Of a pallet there is only somebody else's code.
        let pallet = &"https://id.example.cn/01/16901234567899/21/P1".to_owned();
        let mut store = scene.device(&app, &scene.store).await;
        let events = [
            store.event("inbound", &inbound(&[pallet, case, first, second, apart])),
            store.event("pack", &packing(case, &[first, second])),
            store.event("pack", &packing(pallet, &[case])),
        ];
        store.push(&events).await;
        holds(&app, "packed").await;
        // The case alone is named, then the pallet that holds it.
        for container in [case, pallet] {
            let destroyed = store.event("destroy", &named(&[container]));
            store.push(std::slice::from_ref(&destroyed)).await;
            all_told(&app, &[first, second, case], true).await;
            all_told(&app, &[apart], false).await;
            holds(&app, "destroyed").await;
            let back = store.event("retract", &json!({"target": id_of(&destroyed)}));
            store.push(&[back]).await;
            all_told(&app, &[first, second, case], false).await;
            holds(&app, "taken back").await;
        }
        // One leaves a case that was collected: what was told of it goes its own way.
        let collected = store.event("collect", &named(&[pallet]));
        store.push(&[collected]).await;
        holds(&app, "collected").await;
        let events = [
            store.event("return", &named(&[first])),
            store.event("sale", &sale(&[second])),
        ];
        store.push(&events).await;
        holds(&app, "left").await;
        let events = [
            store.event("return", &named(&[second])),
            store.event("inspect", &named(&[first])),
        ];
        store.push(&events).await;
        holds(&app, "came back").await;
        app.stop().await;
    }
);

on_both!(c13_a_container_of_very_many_is_told_in_slices, |app| {
    let scene = Scene::of(&app).await;
    let product = product_of(&scene).await;
    let tins = more(&scene, &product, 1_050).await;
    let tins: Vec<&String> = tins.iter().collect();
    let case = &scene.cases[0];
    let mut store = scene.device(&app, &scene.store).await;
    let events = [
        store.event("pack", &packing(case, &tins[..550])),
        store.event("pack", &packing(case, &tins[550..])),
    ];
    store.push(&events).await;
    holds(&app, "packed").await;
    let destroyed = store.event("destroy", &named(&[case]));
    store.push(std::slice::from_ref(&destroyed)).await;
    holds(&app, "destroyed").await;
    all_told(&app, &[tins[0], tins[1_049]], true).await;
    let back = store.event("retract", &json!({"target": id_of(&destroyed)}));
    store.push(&[back]).await;
    holds(&app, "taken back").await;
    all_told(&app, &[tins[0], tins[1_049]], false).await;
    app.stop().await;
});
