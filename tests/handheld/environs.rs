//! What devices state of temperature and humidity on the way (MB-8.3.3-a3): it counts for the waybill that the
//! event names as its document, while the event counts.

use crate::{
    scene::{Scene, scanned},
    support::{array, id, made, ok, text_of},
};
use serde_json::{Value, json};
use suyuan_tests::{Caller, Handheld, TestApp, on_both};

/// An event that names a document and says what it was like.
fn measured(device: &mut Handheld, kind: &str, tin: &String, (no, env): (&str, Value)) -> String {
    let said = json!({"units": scanned(&[tin]), "doc": {"no": no}, "env": env});
    device.event(kind, &said)
}

async fn excursions(caller: &Caller) -> Vec<Value> {
    let page = ok(caller.get("/v1/excursions").await);
    array(&page["items"]).to_vec()
}

/// A scene, and a transport with limits.
async fn begun(app: &TestApp) -> (Scene, String) {
    let scene = Scene::of(app).await;
    let limits = json!({"temperature": {"max": 8}, "humidity": {"max": 60}});
    let waybill = json!({"waybill_no": "SF-1", "limits": limits});
    let transport = scene.firm.operator.post("/v1/transports", &waybill).await;
    let transport = id(&made(transport));
    (scene, transport)
}

on_both!(
    what_devices_state_on_the_way_counts_for_the_waybill_they_name,
    |app| {
        let (scene, transport) = begun(&app).await;
        let operator = &scene.firm.operator;
        let (mut plant, mut shop) = (
            scene.device(&app, &scene.plant).await,
            scene.device(&app, &scene.store).await,
        );
        let tins = &scene.tins;
        let warm = json!({"temperature": 9.5, "humidity": 40});
        let left = measured(&mut plant, "outbound", &tins[0], ("SF-1", warm.clone()));
        // Another document, another kind of event, and one that says nothing are of no waybill.
        let other = measured(&mut plant, "outbound", &tins[1], ("SF-2", warm.clone()));
        let sold = measured(&mut plant, "sale", &tins[2], ("SF-1", warm.clone()));
        let silent = measured(&mut plant, "outbound", &tins[3], ("SF-1", json!({})));
        plant.push(&[left, other, sold, silent]).await;
        let damp = json!({"temperature": 5, "humidity": 70.5});
        let came = measured(&mut shop, "inbound", &tins[0], ("SF-1", damp));
        shop.push(&[came]).await;
        let found = excursions(operator).await;
        let told = |one: &Value| {
            let extreme = one["extreme"].as_f64().expect("a number");
            (text_of(&one["device"]), text_of(&one["quantity"]), extreme)
        };
        let mut seen: Vec<_> = found.iter().map(told).collect();
        seen.sort_by(|a, b| a.1.cmp(&b.1));
        assert_eq!(
            seen,
            [
                (shop.device.to_string(), "humidity".to_owned(), 70.5),
                (plant.device.to_string(), "temperature".to_owned(), 9.5),
            ]
        );
        let of_plant = found.iter().find(|one| one["quantity"] == "temperature");
        let of_plant = of_plant.expect("it").clone();
        assert_eq!(of_plant["places"], json!([{"location_id": scene.plant}]));
        assert_eq!(
            (of_plant["readings"].as_u64(), of_plant["end"].as_str()),
            (Some(1), None)
        );
        // It is a series as that of a logger is: cool again, and over; and a measure can be recorded.
        let cool = json!({"temperature": 7});
        let again = measured(&mut plant, "outbound", &tins[4], ("SF-1", cool));
        plant.push(&[again]).await;
        let found = excursions(operator).await;
        let over = found.iter().find(|one| one["quantity"] == "temperature");
        assert!(over.expect("it")["end"].is_string());
        let taken = json!({
            "device": plant.device, "quantity": "temperature", "at": of_plant["start"],
            "measure": "重新装冷",
        });
        let path = format!("/v1/transports/{transport}/measures");
        made(operator.post(&path, &taken).await);
        app.stop().await;
    }
);

on_both!(what_is_struck_or_stands_aside_was_not_measured, |app| {
    let (scene, _) = begun(&app).await;
    let operator = &scene.firm.operator;
    let mut plant = scene.device(&app, &scene.plant).await;
    let warm = json!({"temperature": 9.5});
    let left = measured(
        &mut plant,
        "outbound",
        &scene.tins[0],
        ("SF-1", warm.clone()),
    );
    let target = serde_json::from_str::<Value>(&left).expect("JSON")["event_id"].clone();
    plant.push(&[left]).await;
    assert_eq!(excursions(operator).await.len(), 1);
    // A stranger's retract strikes nothing (C10), the actor's own does.
    let stranger = json!({"target": target, "actor": {"id": "w-99", "proof": "pin"}});
    let stranger = plant.event("retract", &stranger);
    plant.push(&[stranger]).await;
    assert_eq!(excursions(operator).await.len(), 1);
    let own = plant.event("retract", &json!({"target": target}));
    plant.push(&[own]).await;
    assert_eq!(excursions(operator).await.len(), 0);
    // What a revoked key signed is kept, and says nothing.
    scene.revoke(&plant).await;
    let aside = measured(&mut plant, "outbound", &scene.tins[1], ("SF-1", warm));
    let answer = plant.push(&[aside]).await;
    assert_eq!(answer.results[0].status.name(), "quarantined");
    assert_eq!(excursions(operator).await.len(), 0);
    let aside = ok(operator.get("/v1/quarantine").await);
    let position = &aside["items"][0]["position"];
    let path = format!("/v1/quarantine/{position}/admit");
    ok(scene
        .firm
        .admin
        .post(&path, &json!({"note": "已核实"}))
        .await);
    assert_eq!(excursions(operator).await.len(), 1, "it was admitted");
    app.stop().await;
});
