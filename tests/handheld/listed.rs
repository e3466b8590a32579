//! The recall list of single units as tills pull it, and what they decide from it.

use crate::{
    enrolment::place,
    held::{Held, fetch},
    scene::{Scene, enrolled, inbound, key, outbound, sale, scanned},
    support::{PASSWORD, firm, id, made, ok, refused, text_of},
};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};
use std::time::Duration;
use suyuan_sync::{
    recall_list::Marks,
    till::{Advice, Reason},
};
use suyuan_tests::{Answer, Engine, TestApp, on_both, recall_order};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

fn of_units(codes: &[&String]) -> Value {
    let mut order = recall_order(&json!([]), "漏装勺", "退回门店");
    order["codes"] = json!(codes);
    order
}

fn now(app: &TestApp) -> i64 {
    app.clock.now()
}

on_both!(a_till_stops_what_is_recalled_and_nothing_else, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let mut till = Held::default();
    till.pull(&mut store).await;
    let stops = |till: &Held, n: usize| till.stops(&scene.tins[n], now(&app));
    assert_eq!(stops(&till, 0).len(), 0);
    assert_eq!(till.decide(&scene.tins[0], now(&app)).advice, Advice::Ask);

    // Opened: with the next pull the till stops these, and not their neighbours.
    let order = of_units(&[&scene.tins[0], &scene.tins[3]]);
    let recall = id(&made(scene.firm.admin.post("/v1/recalls", &order).await));
    till.pull(&mut store).await;
    for n in 0..10 {
        let expected = if matches!(n, 0 | 3) {
            vec![Reason::Recalled]
        } else {
            vec![]
        };
        let told: Vec<Reason> = stops(&till, n).into_iter().collect();
        assert_eq!(told, expected, "{n}");
    }

    // Widened: so again.
    let path = format!("/v1/recalls/{recall}/widen");
    let wider = json!({"codes": [scene.tins[4]]});
    ok(scene.firm.admin.post(&path, &wider).await);
    till.pull(&mut store).await;
    assert_eq!(stops(&till, 4).len(), 1);
    assert_eq!(till.list.as_ref().map(|list| list.count), Some(3));

    // Closed: not any more.
    let path = format!("/v1/recalls/{recall}/close");
    ok(scene
        .firm
        .admin
        .post(&path, &json!({"note": "已处理"}))
        .await);
    till.pull(&mut store).await;
    assert_eq!((stops(&till, 0).len(), stops(&till, 4).len()), (0, 0));
    assert_eq!(till.list.as_ref().map(|list| list.count), Some(0));
    app.stop().await;
});

on_both!(
    a_till_stops_what_is_void_destroyed_or_collected_elsewhere,
    |app| {
        let scene = Scene::of(&app).await;
        let mut warehouse = scene.device(&app, &scene.warehouse).await;
        let mut store = scene.device(&app, &scene.store).await;
        let order = of_units(&[&scene.tins[2]]);
        made(scene.firm.admin.post("/v1/recalls", &order).await);
        let unused_codes = scene.unused(4).await;
        let events = [
            warehouse.event("inbound", &inbound(&[&scene.tins[1], &scene.tins[2]])),
            warehouse.event("destroy", &json!({"units": scanned(&[&scene.tins[1]])})),
            warehouse.event("collect", &json!({"units": scanned(&[&scene.tins[2]])})),
        ];
        warehouse.push(&events).await;
        let body = json!({
            "reason": "残次", "method": "粉碎", "witness": "质量部", "destroyed_on": "2026-01-05",
            "ranges": [], "codes": [unused_codes[1], unused_codes[2]],
        });
        made(scene.firm.admin.post("/v1/code-destructions", &body).await);
        let mut till = Held::default();
        till.pull(&mut store).await;
        assert!(till.cards.is_empty(), "nothing of it is here");
        let stops = |n: usize| -> Vec<Reason> {
            till.stops(&scene.tins[n], now(&app)).into_iter().collect()
        };
        assert_eq!(stops(0), []);
        assert_eq!(stops(1), [Reason::Destroyed]);
        assert_eq!(stops(2), [Reason::Recalled, Reason::Collected]);
        assert_eq!(stops(5), []);
        let void = |n: usize| {
            till.stops(&unused_codes[n], now(&app))
                .into_iter()
                .collect::<Vec<_>>()
        };
        assert_eq!((void(0), void(3)), (vec![], vec![]));
        assert_eq!(void(1), [Reason::Void]);
        assert_eq!(void(2), [Reason::Void]);
        // Somebody brings one all the same: its card says so too.
        let event = store.event("inbound", &inbound(&[&unused_codes[1], &unused_codes[0]]));
        store.push(&[event]).await;
        till.pull(&mut store).await;
        let card = |n: usize| till.cards[&key(&unused_codes[n])].void;
        assert_eq!((card(0), card(1)), (false, true));
        app.stop().await;
    }
);

on_both!(
    a_list_is_fetched_once_and_does_not_age_while_nothing_happens,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        made(
            scene
                .firm
                .admin
                .post("/v1/recalls", &of_units(&[&scene.tins[0]]))
                .await,
        );
        let mut till = Held::default();
        till.pull(&mut store).await;
        let (before, chunks) = (till.as_of, till.fetched);
        // Something else happened: the version moves, the list is not told again.
        let event = store.event("inbound", &inbound(&[&scene.tins[1]]));
        store.push(&[event]).await;
        till.pull(&mut store).await;
        let first = till.as_of;
        assert!(first.0 > before.0);
        assert_eq!(till.fetched, chunks);
        // Two days later, and nothing happened since. (No event may follow here: on PostgreSQL it would
        // bring the time of the database, which nobody moves.)
        app.clock.shift_by(48 * 3600 * 1_000_000);
        let fresh =
            text_of(&refused(store.read("/v1/sync/status").await, "stale-anchor")["anchor"]);
        store.keep(&fresh);
        let stale = till.decide(&scene.tins[1], now(&app));
        assert!(stale.reasons.contains(&Reason::StaleList));
        till.pull(&mut store).await;
        assert_eq!(till.as_of.0, first.0, "the log did not move");
        assert!(till.as_of.1 >= first.1 + 48 * 3600 * 1_000_000);
        assert!(
            !till
                .decide(&scene.tins[1], now(&app))
                .reasons
                .contains(&Reason::StaleList)
        );
        assert_eq!(till.fetched, chunks);
        assert_eq!(till.stops(&scene.tins[0], now(&app)).len(), 1);
        // Whoever does not hold it is told it whole.
        let mut other = Held::default();
        other.pull(&mut store).await;
        assert_eq!(
            other
                .list
                .as_ref()
                .map(suyuan_sync::wire::RecallList::content),
            till.list
                .as_ref()
                .map(suyuan_sync::wire::RecallList::content)
        );
        // Nobody asked for longer than its chunks are kept: who asks then is told it all the same.
        app.clock.shift_by(98 * 3600 * 1_000_000);
        let state = app.state();
        let kept = now(&app) - suyuan::handheld::down::chunk_store::KEPT;
        let gone = suyuan::handheld::down::chunk_store::forget(&state.db, kept).await;
        assert!(gone.expect("forgotten") > 0);
        let fresh =
            text_of(&refused(store.read("/v1/sync/status").await, "stale-anchor")["anchor"]);
        store.keep(&fresh);
        let mut late = Held::default();
        late.pull(&mut store).await;
        assert_eq!(late.stops(&scene.tins[0], now(&app)).len(), 1);
        app.stop().await;
    }
);

on_both!(
    i19_a_list_names_units_of_products_an_enterprise_handles_only,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
        let shop = place(&beta.operator, "S-1", "store").await;
        let mut stranger = enrolled(&app, &beta.operator, &shop).await;
        let mut store = scene.device(&app, &scene.store).await;
        made(
            scene
                .firm
                .admin
                .post("/v1/recalls", &of_units(&[&scene.tins[0], &scene.tins[9]]))
                .await,
        );
        let mut till = Held::default();
        till.pull(&mut stranger).await;
        assert_eq!(till.list.as_ref().map(|list| list.count), Some(0));
        assert_eq!(till.stops(&scene.tins[0], now(&app)).len(), 0);
        // Goods of that product are sent to it, in a case: it handles the product from then on.
        let mut plant = scene.device(&app, &scene.plant).await;
        let (tins, case) = ([&scene.tins[9], &scene.tins[10]], &scene.cases[0]);
        let pack = json!({"units": scanned(&tins), "parent": {"code": case, "input": "wedge"}});
        let events = [
            plant.event("pack", &pack),
            plant.event("outbound", &outbound(&[case], &shop)),
        ];
        plant.push(&events).await;
        till.pull(&mut stranger).await;
        assert_eq!(till.list.as_ref().map(|list| list.count), Some(2));
        assert!(
            till.stops(&scene.tins[0], now(&app))
                .contains(&Reason::Recalled)
        );
        assert!(
            till.stops(&scene.tins[9], now(&app))
                .contains(&Reason::Recalled)
        );
        assert_eq!(till.stops(&scene.tins[10], now(&app)).len(), 0);
        // Its chunks are its enterprise's.
        let hash = till.list.as_ref().expect("a list").chunks[0].hash;
        let own = fetch(&stranger, hash).await;
        assert!(!own.is_empty());
        let mut own = Held::default();
        own.pull(&mut store).await;
        let event = store.event("sale", &sale(&[&scene.tins[20]]));
        store.push(&[event]).await;
        let gone = "/v1/sync/chunks/".to_owned() + &"0".repeat(64);
        refused(stranger.read(&gone).await, "not-found");
        app.stop().await;
    }
);

on_both!(chunks_are_immutable_and_fetched_in_pieces, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let recalled: Vec<&String> = scene.tins[..20].iter().collect();
    made(
        scene
            .firm
            .admin
            .post("/v1/recalls", &of_units(&recalled))
            .await,
    );
    let mut till = Held::default();
    till.pull(&mut store).await;
    let list = till.asked().expect("a list");
    assert!(list.version > 0);
    let hash = till.list.as_ref().expect("a list").chunks[0].hash;
    let whole = fetch(&store, hash).await;
    assert!(whole.len() > 100, "{}", whole.len());
    let path = format!("/v1/sync/chunks/{hash}");
    let answer = store.read(&path).await;
    // Every answer to a device carries an anchor, above all it can tell of.
    let (_, stamp) = app.state().log.head().await.expect("the head");
    let anchored = |answer: &Answer| {
        let (anchors, device) = (&app.state().handheld.anchors, store.device.0);
        let at = anchors.read(device, 1, answer.header("suyuan-anchor"));
        assert!(at > Some(stamp), "{} {at:?}", answer.status);
    };
    anchored(&answer);
    let etag = answer.header("etag").to_owned();
    assert_eq!(etag, format!("\"{hash}\""));
    assert!(answer.header("cache-control").contains("immutable"));
    let mut pieces = Vec::new();
    for range in ["bytes=0-49", "bytes=50-99", "bytes=100-"] {
        let answer = store
            .read_piece(&path, &[("range", range), ("if-range", &etag)])
            .await;
        assert_eq!(answer.status, 206, "{}", answer.text());
        anchored(&answer);
        pieces.extend_from_slice(&answer.body);
    }
    assert_eq!(pieces, whole);
    for (headers, status) in [
        (("if-none-match", etag.as_str()), 304),
        (("range", "bytes=999999-"), 416),
        (("range", "lines=1-2"), 200),
        (("range", "bytes=0-1,5-6"), 200),
    ] {
        let answer = store.read_piece(&path, &[headers]).await;
        assert_eq!(answer.status, status, "{headers:?}");
        anchored(&answer);
    }
    let other = ("if-range", "\"other\"");
    let answer = store
        .read_piece(&path, &[("range", "bytes=0-1"), other])
        .await;
    assert_eq!((answer.status, answer.body.len()), (200, whole.len()));
    refused(store.read("/v1/sync/chunks/nonsense").await, "not-found");
    refused(app.stranger().get(&path).await, "device-not-known");
    // Another enterprise has no such chunk.
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let stranger = enrolled(&app, &beta.operator, &shop).await;
    refused(stranger.read(&path).await, "not-found");
    // Nor has anybody once it was not told for two days and forgotten.
    let marks = till.decide(&scene.tins[0], now(&app));
    assert!(marks.reasons.contains(&Reason::Recalled) && !Marks::RECALLED.is_empty());
    let state = app.state();
    let later = now(&app) + 1_000_000;
    let gone = suyuan::handheld::down::chunk_store::forget(&state.db, later).await;
    assert!(gone.expect("forgotten") > 0);
    refused(store.read(&path).await, "not-found");
    app.stop().await;
});

/// A list that is made anew takes as long as the database takes to keep it: nobody waits for it whose list is as
/// it was.
async fn waits_for_no_other_list(engine: Engine) {
    // Longer than anybody waits here: what waits waits until it is let go.
    let patient = [("database.acquire_timeout_ms", "10000")];
    let app = TestApp::spawn_with(engine, &patient).await;
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let other = firm(&app, &platform, "BETA", &[]).await;
    let state = app.state();
    let firms = [&scene.firm.id, &other.id].map(|id| id.parse().expect("an id"));
    let [maker, other]: [Uuid; 2] = firms;
    let order = of_units(&[&scene.tins[0]]);
    let recall = id(&made(scene.firm.admin.post("/v1/recalls", &order).await));
    let lists = state.handheld.lists.clone();
    let content = async |whose| lists.current(whose).await.expect("a list").content();
    let (makers, others) = (content(maker).await, content(other).await);

    // The maker's is another now, and cannot be kept.
    let wider = json!({"codes": [scene.tins[1]]});
    let path = format!("/v1/recalls/{recall}/widen");
    ok(scene.firm.admin.post(&path, &wider).await);
    let held = state.db.begin().await.expect("the writer");
    if state.db.backend() == DbBackend::Postgres {
        let lock = "LOCK TABLE sync_chunk IN EXCLUSIVE MODE";
        held.execute_unprepared(lock).await.expect("a lock");
    }
    let waits = actix_web::rt::spawn({
        let lists = lists.clone();
        async move { lists.current(maker).await.expect("a list").content() }
    });
    sleep(Duration::from_millis(300)).await;
    assert!(!waits.is_finished());
    let told = timeout(Duration::from_secs(3), content(other)).await;
    assert_eq!(told.expect("it waits for nobody"), others);
    assert!(!waits.is_finished());
    held.rollback().await.expect("let go");
    assert_ne!(waits.await.expect("a task"), makers);
    app.stop().await;
}

#[actix_web::test]
async fn whose_list_is_as_it_was_waits_for_no_other_list_on_sqlite() {
    waits_for_no_other_list(Engine::Sqlite).await;
}

#[actix_web::test]
async fn whose_list_is_as_it_was_waits_for_no_other_list_on_postgres() {
    waits_for_no_other_list(Engine::Postgres).await;
}
