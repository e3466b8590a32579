//! A recall list of very many units, made by the server and read as a till reads it: what it weighs,
//! how long it takes, and that it stops what is recalled and nothing else.

use crate::{
    held::Held,
    scene::Scene,
    support::{id, made, number, ok, segment, text_of},
};
use serde_json::json;
use std::time::{Duration, Instant};
use suyuan_sync::{
    recall_list::{Marks, UnitHash},
    unit::UnitKey,
};
use suyuan_tests::{Engine, TestApp, recall_order, until};
use uuid::Uuid;

/// Codes nobody recalled that are asked of the list.
const OTHERS: usize = 200_000;

async fn of_many(engine: Engine, units: u64) {
    let app = TestApp::spawn(engine).await;
    let scene = Scene::of(&app).await;
    let admin = &scene.firm.admin;
    let mut store = scene.device(&app, &scene.store).await;
    let product = text_of(&ok(admin.get("/v1/products").await)["items"][0]["id"]);
    let recalled = segment(admin, &product, units).await;
    let mut order = recall_order(&json!([]), "漏装勺", "退回门店");
    order["ranges"] = json!([{"segment_id": recalled["id"]}]);
    let begun = Instant::now();
    let recall = id(&made(admin.post("/v1/recalls", &order).await));
    until("its scope", Duration::from_mins(4), async || {
        let told = ok(admin.get(&format!("/v1/recalls/{recall}")).await);
        told["units"].as_u64() == Some(units) && told["pending"].as_u64() == Some(0)
    })
    .await;
    let published = begun.elapsed();

    let begun = Instant::now();
    let mut till = Held::default();
    till.pull(&mut store).await;
    let pulled = begun.elapsed();
    let list = till.list.clone().expect("a list");
    assert_eq!(list.count, units);
    let bytes: usize = till.chunks.values().map(Vec::len).sum();
    assert!(
        bytes as u64 <= 8 * units + 64 * 1024,
        "{bytes} bytes for {units} units"
    );

    // As a till holds it.
    let chunks: Vec<&Vec<u8>> = list
        .chunks
        .iter()
        .map(|chunk| &till.chunks[&chunk.hash])
        .collect();
    let read = suyuan_sync::recall_list::UnitList::read(&chunks).expect("a list");
    let from = number(&recalled["from"]) + units / 2;
    let path = format!(
        "/v1/segments/{}/codes?from={from}&to={}",
        text_of(&recalled["id"]),
        from + 999
    );
    let printed = admin.get(&path).await.text();
    let codes: Vec<&str> = printed
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit(',').next())
        .collect();
    assert!(codes.len() == 1000, "{}", codes.len());
    for code in &codes {
        let unit = crate::scene::key(code);
        assert!(
            read.marks(UnitHash::of(&unit)).has(Marks::RECALLED),
            "{code}"
        );
    }
    for code in &scene.tins {
        let unit = crate::scene::key(code);
        assert!(read.marks(UnitHash::of(&unit)).is_empty(), "{code}");
    }
    let mut false_hits = 0;
    for _ in 0..OTHERS {
        let other = format!("/01/09521234000013/21/{}", Uuid::new_v4().simple());
        let other = UnitHash::of(&UnitKey::kept(&other));
        false_hits += usize::from(!read.marks(other).is_empty());
    }
    assert_eq!(false_hits, 0);
    println!(
        "{engine:?}: list of {units} units: {bytes} bytes in {} chunks, {:.3} bytes a unit; \
         published in {published:?}, made and fetched in {pulled:?}; false hits: {false_hits} of \
         {OTHERS} codes, {:.1e} a scan by the width of a hash",
        list.chunks.len(),
        bytes as f64 / units as f64,
        units as f64 / 2f64.powi(64),
    );
    app.stop().await;
}

#[actix_web::test]
async fn a_list_of_a_hundred_thousand_units_is_small_and_exact_sqlite() {
    of_many(Engine::Sqlite, 100_000).await;
}

#[actix_web::test]
async fn a_list_of_a_hundred_thousand_units_is_small_and_exact_postgres() {
    of_many(Engine::Postgres, 100_000).await;
}

/// Takes its time: run by name.
#[ignore = "a measurement: minutes in a debug build"]
#[actix_web::test]
async fn a_list_of_a_million_units() {
    of_many(Engine::Sqlite, 1_000_000).await;
    of_many(Engine::Postgres, 1_000_000).await;
}
