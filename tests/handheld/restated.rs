//! What changes a closed period without belonging to it is listed among its restatements (T10): a
//! retract, alone or of a correction; an event that is taken in from aside; a word that is accepted.

use crate::{
    scene::{Scene, enrolled, holds, inbound, open, open_about_events, sale, settled, unit},
    support::{Firm, array, firm, id, made, number, ok, person, text_of},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use suyuan::accounts::Role;
use suyuan_sync::{finding::FindingCode, fold::Phase};
use suyuan_tests::{Handheld, TestApp, on_both};
use uuid::Uuid;

/// Long enough for what follows to be later.
async fn later() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Closes a period that ends now; where its restatements are listed.
async fn closed(of: &Firm) -> String {
    later().await;
    let until = json!({"until": Timestamp::now().to_string()});
    let period = made(of.admin.post("/v1/periods", &until).await);
    later().await;
    format!("/v1/periods/{}/restatements", period["position"])
}

/// What is listed at a path: ids of events, in order.
async fn listed(of: &Firm, path: &str) -> Vec<String> {
    let page = ok(of.admin.get(path).await);
    let items = array(&page["items"]);
    items
        .iter()
        .map(|item| text_of(&item["event_id"]))
        .collect()
}

/// Says an event under an id of its own.
fn named(said: &Value) -> (String, Value) {
    let (id, mut said) = (Uuid::now_v7().to_string(), said.clone());
    said["event_id"] = json!(id);
    (id, said)
}

async fn phase(app: &TestApp, tin: &str) -> Phase {
    unit(app, tin).await.kept.state.phase
}

/// Pushes one event; its id.
async fn states(device: &mut Handheld, kind: &str, said: &Value) -> String {
    let (id, said) = named(said);
    let event = device.event(kind, &said);
    device.push(&[event]).await;
    id
}

on_both!(t10_what_is_struck_in_a_closed_period_is_listed, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let tins = &scene.tins;
    let mut sold = Vec::new();
    for tin in &tins[..4] {
        sold.push(states(&mut device, "sale", &sale(&[tin])).await);
    }
    let path = closed(&scene.firm).await;
    // It hears what time it is, so that what it does stands behind the end of the period.
    device.status().await;
    let after = states(&mut device, "sale", &sale(&[&tins[4]])).await;
    assert_eq!(listed(&scene.firm, &path).await, Vec::<String>::new());

    // Alone.
    let strike = |target: &String| json!({"target": target, "reason": "误扫"});
    let alone = states(&mut device, "retract", &strike(&sold[0])).await;
    assert_ne!(phase(&app, &tins[0]).await, Phase::Sold);
    let mut expected = vec![sold[0].clone(), alone];
    assert_eq!(listed(&scene.firm, &path).await, expected);

    // In a correction, whose new event is of today.
    let group = Uuid::now_v7();
    let part = |n: usize, said: &Value| {
        let (id, mut said) = named(said);
        said["group"] = json!({"id": group, "n": n, "of": 2, "correct": true});
        (id, said)
    };
    let (struck_by, said) = part(1, &strike(&sold[1]));
    let first = device.event("retract", &said);
    let (_, said) = part(2, &sale(&[&tins[5]]));
    let second = device.event("sale", &said);
    device.push(&[first, second]).await;
    assert_ne!(phase(&app, &tins[1]).await, Phase::Sold);
    assert_eq!(phase(&app, &tins[5]).await, Phase::Sold);
    expected.extend([sold[1].clone(), struck_by]);
    assert_eq!(listed(&scene.firm, &path).await, expected);

    // What strikes nothing changes nothing: somebody else's, and one of what is not of the period.
    let mut said = strike(&sold[2]);
    said["actor"] = json!({"id": "w-18", "proof": "pin", "login_age_s": 60});
    states(&mut device, "retract", &said).await;
    let refused = FindingCode::RetractUnauthorised;
    assert_eq!(open_about_events(&app, refused).await, 1);
    states(&mut device, "retract", &strike(&after)).await;
    assert_ne!(phase(&app, &tins[4]).await, Phase::Sold);
    assert_eq!(listed(&scene.firm, &path).await, expected);

    // Each item says where and when as it does of what came late.
    let page = ok(scene.firm.admin.get(&path).await);
    let (target, by) = (&page["items"][0], &page["items"][1]);
    assert_eq!(
        (&target["kind"], &by["kind"]),
        (&json!("sale"), &json!("retract"))
    );
    assert!(text_of(&target["at"]) <= text_of(&by["at"]));
    assert_eq!(target["noted"], by["noted"]);
    holds(&app, "struck").await;
    app.stop().await;
});

on_both!(t10_what_is_taken_in_for_a_closed_period_is_listed, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let path = format!("/v1/devices/{}/revoke", device.device);
    let why = json!({"reason": "stolen"});
    ok(scene.firm.operator.post(&path, &why).await);
    let aside = states(&mut device, "sale", &sale(&[&scene.tins[0]])).await;
    let path = closed(&scene.firm).await;
    assert_eq!(listed(&scene.firm, &path).await, Vec::<String>::new());
    let waiting = ok(scene.firm.operator.get("/v1/quarantine").await);
    let position = number(&array(&waiting["items"])[0]["position"]);
    let admit = format!("/v1/quarantine/{position}/admit");
    let why = json!({"note": "seen on the camera"});
    ok(scene.firm.admin.post(&admit, &why).await);
    assert_eq!(phase(&app, &scene.tins[0]).await, Phase::Sold);
    assert_eq!(listed(&scene.firm, &path).await, [aside]);
    app.stop().await;
});

on_both!(t10_whose_word_is_accepted_after_a_period_is_listed, |app| {
    let scene = Scene::of(&app).await;
    let platform = person(&app, "platform.second", Role::PlatformAdmin, None).await;
    let stranger = firm(&app, &platform, "SHEN", &[]).await;
    let shop = json!({"code": "S-1", "kind": "store", "name": "门店"});
    let shop = id(&made(stranger.admin.post("/v1/locations", &shop).await));
    let mut till = enrolled(&app, &stranger.operator, &shop).await;
    let tin = &scene.tins[0];
    let said = states(&mut till, "inbound", &inbound(&[tin])).await;
    assert_eq!(open(&app, tin).await, ["UNEXPECTED_HOLDER"]);
    let issuers = closed(&scene.firm).await;
    let theirs = closed(&stranger).await;
    till.status().await;
    // What is not accepted changes nothing of the issuer's.
    states(&mut till, "inbound", &inbound(&[&scene.tins[1]])).await;
    assert_eq!(listed(&scene.firm, &issuers).await, Vec::<String>::new());

    let accept = json!({"partner_id": stranger.id, "batch_id": scene.batch});
    made(scene.firm.admin.post("/v1/acceptances", &accept).await);
    settled(&app).await;
    assert_eq!(phase(&app, tin).await, Phase::InStock);
    assert_eq!(phase(&app, &scene.tins[1]).await, Phase::InStock);
    assert_eq!(listed(&scene.firm, &issuers).await, [said.as_str()]);
    assert_eq!(listed(&stranger, &theirs).await, [said]);
    app.stop().await;
});
