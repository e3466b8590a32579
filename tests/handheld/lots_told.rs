//! What is told of lines of goods is the same in whatever order it came in, also of counts that saw none of what
//! is not there.

use crate::{
    enrolment::place,
    lots::lots_of,
    scene::{GTIN, Scene, count, enrolled, holds, settled},
    support::{firm, ok},
};
use serde_json::{Value, json};
use std::time::Duration;
use suyuan_tests::{Caller, on_both};

/// What is listed of a place: of each line lot, balance, findings, and what moved it.
async fn told(caller: &Caller, place: &str) -> Vec<(Value, Value, Value, Vec<Value>)> {
    let page = ok(caller
        .get(&format!("/v1/stock/lots?location_id={place}"))
        .await);
    let mut out = Vec::new();
    for line in page["items"].as_array().expect("lines") {
        let path = format!("/v1/stock/lots/{}/movements", line["id"]);
        let moves = ok(caller.get(&path).await);
        let moves = moves["items"].as_array().expect("movements").iter();
        let mut moves: Vec<Value> = moves.map(|one| one["change"].clone()).collect();
        moves.sort_by_key(Value::to_string);
        let part = |name: &str| line[name].clone();
        out.push((part("lot"), part("balance"), part("open_findings"), moves));
    }
    out
}

/// All orders of four.
fn orders() -> Vec<[usize; 4]> {
    let mut out = Vec::new();
    for n in 0..256 {
        let order = [n / 64, n / 16 % 4, n / 4 % 4, n % 4];
        if (0..4).all(|one| order.contains(&one)) {
            out.push(order);
        }
    }
    out
}

on_both!(i9_what_is_told_of_lots_does_not_depend_on_arrival, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let platform = app
        .signed_in("platform.admin", crate::support::PASSWORD)
        .await;
    let beta = firm(&app, &platform, "BETA", &[]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let mut devices = [
        scene.device(&app, &scene.store).await,
        scene.device(&app, &scene.store).await,
        scene.device(&app, &scene.store).await,
        enrolled(&app, &beta.operator, &shop).await,
    ];
    for (n, order) in orders().into_iter().enumerate() {
        let here = place(staff, &format!("S-{n}"), "store").await;
        let of = |lot: &str| json!([{"gtin": crate::support::gtin(GTIN), "lot": lot, "qty": 3}]);
        let said = [
            ("inbound", json!({"lots": of("L1"), "doc": {"no": "D-1"}})),
            ("sale", json!({"lots": of("L1")})),
            // It sees none of what is not there, and is before what a stranger makes up.
            ("count", json!({"body": {"scope": {"complete": true}}})),
            (
                "inbound",
                json!({"lots": of("X1"), "doc": {"no": "D-2"}, "location": here}),
            ),
        ];
        let mut events = Vec::new();
        for (device, (kind, mut said)) in devices.iter_mut().zip(said) {
            device.push(&[]).await;
            said["location"] = json!(here);
            events.push(device.event(kind, &said));
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        for one in order {
            devices[one].push(&events[one..=one]).await;
            settled(&app).await;
        }
        let moves = vec![
            json!({"is": "in", "qty": 3}),
            json!({"is": "out", "qty": 3}),
        ];
        let wanted = [(json!("L1"), json!(0), json!(0), moves)];
        assert_eq!(told(staff, &here).await, wanted, "{order:?}");
    }
    holds(&app, "told").await;
    app.stop().await;
});

on_both!(
    c11_a_count_that_names_what_is_not_there_is_held_against_what_comes_out_later,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let of = |qty| json!({"lots": lots_of(GTIN, Some("L1"), qty)});
        let events = [store.event("inbound", &of(5)), store.event("sale", &of(5))];
        let sale: Value = serde_json::from_str(&events[1]).expect("JSON");
        store.push(&events).await;
        let count_of_none = store.event("count", &of(0));
        store.push(&[count_of_none]).await;
        let missed = "SELECT COUNT(*) AS n FROM finding WHERE code = 'MISSING_AT_COUNT'";
        assert_eq!(count(&app, missed).await, 0);
        // Nothing was sold after all, so what came in was there and was not seen.
        let retract = store.event("retract", &json!({"target": sale["event_id"]}));
        store.push(&[retract]).await;
        assert_eq!(count(&app, missed).await, 1);
        holds(&app, "not sold").await;
        app.stop().await;
    }
);
