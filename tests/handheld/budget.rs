//! What is refused costs nobody anything: pushes that find no memory come again, a deposit nobody can
//! read is kept for whoever looks into it, and what strangers claim changes no figure of others.

use crate::{
    enrolment::place,
    scene::{Scene, count, enrolled, inbound, open, outbound, sale, unit},
    support::{PASSWORD, firm, made, ok, refused},
};
use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::json;
use suyuan::handheld::push::memory::{BYTES_MAX, Held, Memory, SHARE_MAX};
use suyuan_sync::{fold::Phase, wire::PushAnswer};
use suyuan_tests::{Caller, Handheld, TestApp, on_both};

/// An event of some 400 kB; the text counts three times while it waits.
fn large(device: &mut Handheld, tin: &String) -> String {
    let text = device.text(device.next, "inbound", &inbound(&[tin]));
    let text = text.replacen('{', &format!("{{{}", " ".repeat(400_000)), 1);
    device.make(text)
}

/// So much of the memory, held by as many as that takes.
fn held_by_others(memory: &Memory, mut bytes: usize) -> Vec<Held> {
    let mut held = Vec::new();
    while bytes > 0 {
        let share = bytes.min(SHARE_MAX);
        let mut other = memory.nothing(uuid::Uuid::new_v4());
        other.grow(share).expect("room");
        held.push(other);
        bytes -= share;
    }
    held
}

on_both!(
    i29_pushes_beyond_the_memory_come_again_and_nothing_is_lost,
    |app| {
        let scene = Scene::of(&app).await;
        let memory = &app.state().handheld.memory;
        let mut devices = Vec::new();
        for n in 0..6 {
            let mut device = scene.device(&app, &scene.store).await;
            let event = large(&mut device, &scene.tins[n]);
            devices.push((device, event));
        }
        // Others leave room for two of them.
        let others = held_by_others(memory, BYTES_MAX - (3 << 20));
        let send = async |device: &Handheld, event: &String| {
            let events = std::slice::from_ref(event);
            device.try_push(1, device.history[0], events).await
        };
        let answers = join_all(devices.iter().map(|(device, event)| send(device, event))).await;
        let mut taken = 0;
        for answer in &answers {
            if answer.status == 200 {
                taken += 1;
            } else {
                assert_eq!(answer.status, 503, "{}", answer.text());
                assert_eq!(answer.problem(), "unavailable");
                assert!(!answer.header("retry-after").is_empty());
            }
        }
        assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, taken);
        // Hardly any room: nobody is taken, also not while it is being read.
        let more = held_by_others(memory, (3 << 20) - (64 << 10));
        let mut another = scene.device(&app, &scene.store).await;
        let event = large(&mut another, &scene.tins[30]);
        assert_eq!(send(&another, &event).await.status, 503);
        // One that is small finds room beside that.
        let mut small = scene.device(&app, &scene.store).await;
        let event = small.event("inbound", &inbound(&[&scene.tins[20]]));
        small.push(&[event]).await;
        drop((others, more));
        for (device, event) in &devices {
            let answer = send(device, event).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let told: PushAnswer = serde_json::from_slice(&answer.body).expect("an answer");
            assert!(told.receipt.covers(1));
        }
        let stored = "SELECT COUNT(*) AS n FROM event WHERE counts_from IS NOT NULL";
        assert_eq!(count(&app, stored).await, 7);
        // All of it came back.
        drop(held_by_others(memory, BYTES_MAX));
        app.stop().await;
    }
);

on_both!(a_deposit_nobody_can_read_is_kept_with_its_bytes, |app| {
    let scene = Scene::of(&app).await;
    let mut broken = scene.device(&app, &scene.store).await;
    let carrier = scene.device(&app, &scene.store).await;
    let event = broken.event("sale", &sale(&[&scene.tins[0]]));
    let mut exported = broken.exported(&[event]);
    let torn = exported.to_string();
    let torn = &torn.as_bytes()[..torn.len() - 40];
    let answer = carrier
        .upload("/v1/sync/deposit", "application/json", torn.to_vec())
        .await;
    refused(answer, "malformed-body");
    exported["push"]["events"] = json!([7]);
    refused(
        scene
            .firm
            .operator
            .post("/v1/sync/deposit", &exported)
            .await,
        "malformed-body",
    );
    // Whoever may not bring one leaves no letters.
    refused(
        app.stranger().post("/v1/sync/deposit", &exported).await,
        "not-signed-in",
    );
    let db = &app.state().db;
    let sql = "SELECT enterprise_id, device_id, epoch, body FROM dead_letter ORDER BY at, id";
    let query = suyuan::db::statement(db.backend(), sql, []);
    let kept = db.reader().query_all_raw(query).await.expect("letters");
    let letter = |n: usize| -> (uuid::Uuid, uuid::Uuid, i64, Vec<u8>) {
        let row = &kept[n];
        (
            row.try_get("", "enterprise_id").expect("whose"),
            row.try_get("", "device_id").expect("which"),
            row.try_get("", "epoch").expect("its epoch"),
            row.try_get("", "body").expect("its bytes"),
        )
    };
    assert_eq!(kept.len(), 2);
    let enterprise: uuid::Uuid = scene.firm.id.parse().expect("an id");
    let brought = (enterprise, carrier.device.0, 1, torn.to_vec());
    assert_eq!(letter(0), brought);
    let by_staff = (
        enterprise,
        uuid::Uuid::nil(),
        0,
        exported.to_string().into_bytes(),
    );
    assert_eq!(letter(1), by_staff);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, 0);
    app.stop().await;
});

/// All lines of stock of everybody's places, as their owner reads them.
async fn stock(caller: &Caller) -> String {
    let mut page = ok(caller.get("/v1/stock").await);
    page["position"] = json!(0);
    page["stamp"] = json!(0);
    page["items"].to_string()
}

/// What a consumer is told, without what changes by itself.
async fn advice(app: &TestApp, code: &str) -> String {
    let view = app.consumer().scan(code).await.json();
    format!(
        "{} {} {}",
        view["advice"], view["reasons"], view["legality"]
    )
}

on_both!(c14_what_strangers_claim_changes_no_stock, |app| {
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let mut store = scene.device(&app, &scene.store).await;
    let mut stranger = enrolled(&app, &beta.operator, &shop).await;
    let tins: Vec<&String> = scene.tins[..4].iter().collect();
    let events = [
        store.event("inbound", &inbound(&tins)),
        store.event("sale", &sale(&tins[..1])),
    ];
    store.push(&events).await;
    let before = stock(&scene.firm.operator).await;
    assert!(before.contains("\"on_hand\":3"), "{before}");
    let mut told = Vec::new();
    for tin in &tins {
        app.settled().await;
        told.push(advice(&app, tin).await);
    }
    // Everything a thief could say of them.
    let events = [
        stranger.event("inbound", &inbound(&tins)),
        stranger.event("sale", &sale(&tins[..2])),
        stranger.event(
            "collect",
            &json!({"units": crate::scene::scanned(&tins[2..3])}),
        ),
        stranger.event(
            "destroy",
            &json!({"units": crate::scene::scanned(&tins[3..])}),
        ),
        stranger.event("outbound", &outbound(&tins[3..], &scene.warehouse)),
    ];
    stranger.push(&events).await;
    app.settled().await;
    assert_eq!(stock(&scene.firm.operator).await, before);
    for (tin, told) in tins.iter().zip(&told) {
        assert_eq!(advice(&app, tin).await, *told, "{tin}");
        assert!(open(&app, tin).await.contains(&"UNEXPECTED_HOLDER"));
    }
    assert_eq!(unit(&app, tins[3]).await.kept.state.phase, Phase::InStock);
    // Once the maker accepts them, what they said counts.
    let accept = json!({"partner_id": beta.id, "batch_id": scene.batch});
    made(scene.firm.admin.post("/v1/acceptances", &accept).await);
    crate::scene::settled(&app).await;
    assert_ne!(stock(&scene.firm.operator).await, before);
    app.stop().await;
});
