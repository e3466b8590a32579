//! Stock of a place: units wherever their containers are, what is on its way, and balances.

use crate::{
    scene::{Scene, inbound, outbound, sale, scanned},
    support::{firm, number, ok, refused},
};
use serde_json::{Value, json};
use suyuan_tests::{Caller, on_both};

/// The figures of tins of the scene's batch at a place: on hand, returned, collected, arriving.
async fn tins(caller: &Caller, scene: &Scene, place: &str) -> [u64; 4] {
    let path = format!("/v1/stock?location_id={place}&batch_id={}", scene.batch);
    let page = ok(caller.get(&path).await);
    assert!(page["position"].as_i64().expect("a position") > 0);
    let lines = page["items"][0]["lines"].as_array().expect("lines").clone();
    // A case has another GTIN.
    let tins = |line: &&Value| {
        line["kind"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("/01/0"))
    };
    let line = lines.iter().find(tins).cloned().unwrap_or_default();
    ["on_hand", "returned", "collected", "arriving"].map(|what| line[what].as_u64().unwrap_or(0))
}

on_both!(stock_is_counted_where_the_container_is, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let mut store = scene.device(&app, &scene.store).await;
    let case = &scene.cases[0];
    let inside: Vec<&String> = scene.tins[..6].iter().collect();
    let packed = json!({
        "parent": {"code": case, "input": "wedge"}, "children": scanned(&inside), "declared": 6,
    });
    let events = [
        plant.event("pack", &packed),
        plant.event("outbound", &outbound(&[case], &scene.warehouse)),
    ];
    plant.push(&events).await;
    assert_eq!(tins(staff, &scene, &scene.warehouse).await, [0, 0, 0, 6]);
    assert_eq!(tins(staff, &scene, &scene.plant).await, [0, 0, 0, 0]);

    warehouse.push(&[]).await;
    let events = [
        warehouse.event("inbound", &inbound(&[case])),
        // Taken out alone: it is where it is, its case stays.
        warehouse.event("outbound", &outbound(&inside[..1], &scene.store)),
    ];
    warehouse.push(&events).await;
    assert_eq!(tins(staff, &scene, &scene.warehouse).await, [5, 0, 0, 0]);
    store.push(&[]).await;
    let others: Vec<&String> = scene.tins[10..14].iter().collect();
    let events = [
        store.event("inbound", &inbound(&others)),
        store.event("sale", &sale(&others[..2])),
        store.event("return", &json!({"units": scanned(&others[..1])})),
    ];
    store.push(&events).await;
    assert_eq!(tins(staff, &scene, &scene.store).await, [2, 1, 0, 1]);

    // Places of others are nobody's business.
    let operator = app
        .signed_in("platform.admin", crate::support::PASSWORD)
        .await;
    let other = firm(&app, &operator, "BBB", &[]).await;
    let path = format!("/v1/stock?location_id={}", scene.store);
    assert_eq!(ok(other.admin.get(&path).await)["items"], json!([]));
    app.stop().await;
});

on_both!(places_are_told_page_by_page, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let (mut seen, mut more) = (Vec::new(), String::new());
    loop {
        let page = ok(staff.get(&format!("/v1/stock?limit=2{more}")).await);
        for place in page["items"].as_array().expect("items") {
            seen.push(place["location_id"].clone());
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        more = format!("&after={next}");
    }
    assert_eq!(
        seen,
        [&scene.plant, &scene.warehouse, &scene.store].map(|id| json!(id))
    );
    for after in ["1.5", "x", "1-"] {
        let path = format!("/v1/stock/lots/1/movements?after={after}");
        refused(staff.get(&path).await, "malformed-request");
    }
    refused(staff.get("/v1/stock/lots/1/movements").await, "not-found");
    let lots = ok(staff.get("/v1/stock/lots").await);
    assert_eq!(
        number(&json!(lots["items"].as_array().expect("items").len())),
        0
    );
    app.stop().await;
});
