//! What devices state of temperature and humidity on the way (MB-8.3.3-a3): it counts for the waybill that the
//! event names as its document, while the event counts.

use crate::{
    refolds::id_of,
    scene::{Scene, holds, open_about_events, scanned},
    support::{array, id, made, ok, text_of},
};
use serde_json::{Value, json};
use suyuan_sync::finding::FindingCode;
use suyuan_tests::{Caller, Handheld, TestApp, on_both};
use uuid::Uuid;

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

/// A correction of an event by somebody: it struck out, and what was measured instead.
fn corrected(
    device: &mut Handheld,
    who: &str,
    (wrong, tin): (&str, &String),
    t: i32,
) -> [String; 2] {
    let group = Uuid::now_v7();
    let part = |n: u32, said: &Value| {
        let mut said = said.clone();
        said["group"] = json!({"id": group, "n": n, "of": 2, "correct": true});
        said["actor"] = json!({"id": who, "proof": "pin"});
        said
    };
    let retract = part(1, &json!({"target": id_of(wrong)}));
    let new = json!({
        "units": scanned(&[tin]), "doc": {"no": "SF-1"}, "env": {"temperature": t},
    });
    [
        device.event("retract", &retract),
        device.event("inbound", &part(2, &new)),
    ]
}

on_both!(
    c10_what_a_correction_measured_counts_as_it_does_for_the_goods,
    |app| {
        let (scene, _) = begun(&app).await;
        let mut shop = scene.device(&app, &scene.store).await;
        let tin = &scene.tins[0];
        let env = json!({"temperature": 9});
        let first = measured(&mut shop, "inbound", tin, ("SF-1", env));
        shop.push(std::slice::from_ref(&first)).await;
        let told = async || -> Vec<Value> {
            let found = excursions(&scene.firm.operator).await.into_iter();
            found
                .map(|one| json!([one["extreme"], one["readings"]]))
                .collect()
        };
        assert_eq!(told().await, [json!([9.0, 1])]);
        // Somebody else has no say in it: nothing of the correction counts, for the tin and for the waybill.
        let strangers = corrected(&mut shop, "w-99", (&first, tin), 12);
        shop.push(&strangers).await;
        let refused = open_about_events(&app, FindingCode::RetractUnauthorised).await;
        assert_eq!(refused, 1);
        assert_eq!(told().await, [json!([9.0, 1])]);
        // Who stated it has: what is corrected counts no more, and what is said instead does.
        let own = corrected(&mut shop, "w-17", (&first, tin), 15);
        shop.push(&own).await;
        assert_eq!(told().await, [json!([15.0, 1])]);
        // What is said instead may be struck in its turn.
        let struck = json!({"target": id_of(&own[1])});
        let struck = shop.event("retract", &struck);
        shop.push(&[struck]).await;
        assert_eq!(told().await, [] as [Value; 0]);
        // Where another waybill was named at first, too.
        let tin = &scene.tins[1];
        let elsewhere = measured(
            &mut shop,
            "inbound",
            tin,
            ("SF-2", json!({"temperature": 9})),
        );
        shop.push(std::slice::from_ref(&elsewhere)).await;
        let strangers = corrected(&mut shop, "w-99", (&elsewhere, tin), 12);
        shop.push(&strangers).await;
        assert_eq!(told().await, [] as [Value; 0]);
        let own = corrected(&mut shop, "w-17", (&elsewhere, tin), 16);
        shop.push(&own).await;
        assert_eq!(told().await, [json!([16.0, 1])]);
        holds(&app, "after corrections").await;
        app.stop().await;
    }
);

on_both!(
    c10_what_a_correction_measured_was_measured_when_that_was_which_it_corrects,
    |app| {
        let (scene, _) = begun(&app).await;
        let mut shop = scene.device(&app, &scene.store).await;
        shop.status().await;
        let tin = &scene.tins[0];
        let warm = measured(
            &mut shop,
            "outbound",
            tin,
            ("SF-1", json!({"temperature": 12})),
        );
        shop.push(&[warm]).await;
        let cool = measured(
            &mut shop,
            "inbound",
            tin,
            ("SF-1", json!({"temperature": 6})),
        );
        shop.push(std::slice::from_ref(&cool)).await;
        let before = excursions(&scene.firm.operator).await;
        assert_eq!(before.len(), 1);
        assert!(before[0]["end"].is_string(), "{before:?}");
        // A typing error of the cool one is put right later: the goods were not warm for longer.
        shop.status().await;
        let own = corrected(&mut shop, "w-17", (&cool, tin), 5);
        shop.push(&own).await;
        assert_eq!(excursions(&scene.firm.operator).await, before);
        app.stop().await;
    }
);

on_both!(
    c10_a_retract_strikes_what_was_measured_behind_however_much_text,
    |app| {
        let (scene, _) = begun(&app).await;
        let operator = &scene.firm.operator;
        let mut plant = scene.device(&app, &scene.plant).await;
        let warm = json!({"temperature": 9.5});
        let left = measured(&mut plant, "outbound", &scene.tins[0], ("SF-1", warm));
        plant.push(std::slice::from_ref(&left)).await;
        let retract = |who: &str, words: usize| {
            json!({
                "target": id_of(&left), "actor": {"id": who, "proof": "pin"},
                "body": {"words": vec!["x".repeat(2000); words]},
            })
        };
        // More text than is read at once, and none of it counts.
        for _ in 0..5 {
            let strangers = plant.event("retract", &retract("w-99", 150));
            plant.push(&[strangers]).await;
        }
        assert_eq!(excursions(operator).await.len(), 1);
        let own = plant.event("retract", &retract("w-17", 0));
        plant.push(&[own]).await;
        assert_eq!(excursions(operator).await.len(), 0);
        app.stop().await;
    }
);
