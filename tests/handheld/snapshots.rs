//! Snapshots: with the pulls that follow they give what a replay of everything gives (I24), whatever
//! is written meanwhile; and the checks would notice if they did not.

use crate::{
    enrolment::place,
    held::{Held, fetch},
    scene::{GTIN, Scene, enrolled, holds, inbound, key, outbound, sale, scanned, settled},
    support::{PASSWORD, firm, gtin, made, ok, product, refused, text_of},
};
use futures_util::future::join_all;
use serde_json::json;
use std::{future::poll_fn, pin::pin};
use suyuan::{
    handheld::{
        down::{
            pull,
            snapshot::{self, Patience},
        },
        keys::{ListKeys, SIGNS_AFTER},
    },
    http::device::DeviceKnown,
};
use suyuan_sync::{
    bugs::{self, Bug},
    fold::Phase,
    invariants::{
        Delivered, i21_cursors_neither_skip_nor_repeat, i24_snapshot_and_pull_equal_everything,
    },
    limits::SNAPSHOT_CHUNK_BYTES,
    wire::{Item, SnapshotManifest},
};
use suyuan_tests::{Handheld, TestApp, on_both, recall_order};
use uuid::Uuid;

/// Does some work with a bug on, and only that work.
async fn with_bug<F: Future>(bug: Bug, work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|context| bugs::with(bug, || work.as_mut().poll(context))).await
}

pub fn known(scene: &Scene, device: &Handheld) -> DeviceKnown {
    DeviceKnown {
        enterprise: scene.firm.id.parse::<Uuid>().expect("an id"),
        device: device.device.0,
        epoch: device.epoch,
        location: device.location,
        anchor: 0,
        over: false,
    }
}

/// Everything pulled from the beginning.
async fn replayed(device: &mut Handheld) -> Held {
    let mut held = Held::default();
    held.pull(device).await;
    held
}

/// Devices that receive, ship and sell, one event a push, for as long as there are tins.
async fn trade(scene: &Scene, warehouse: &mut Handheld, store: &mut Handheld, tins: &[String]) {
    let receiving = async {
        for tin in tins {
            let events = [
                warehouse.event("inbound", &inbound(&[tin])),
                warehouse.event("outbound", &outbound(&[tin], &scene.store)),
            ];
            warehouse.push(&events).await;
        }
    };
    let selling = async {
        for (n, tin) in tins.iter().enumerate() {
            let event = match n % 3 {
                0 => store.event("inbound", &inbound(&[tin])),
                1 => store.event("sale", &sale(&[tin])),
                _ => store.event("outbound", &outbound(&[tin], &scene.warehouse)),
            };
            store.push(&[event]).await;
        }
    };
    tokio::join!(receiving, selling);
}

on_both!(
    i24_a_snapshot_and_its_pulls_equal_a_replay_while_others_write,
    |app| {
        let scene = Scene::of(&app).await;
        let mut warehouse = scene.device(&app, &scene.warehouse).await;
        let mut store = scene.device(&app, &scene.store).await;
        let mut readers = Vec::new();
        for _ in 0..3 {
            readers.push(scene.device(&app, &scene.store).await);
        }
        let order = recall_order(&json!([scene.batch]), "r", "i");
        made(scene.firm.admin.post("/v1/recalls", &order).await);
        let reading = readers.iter_mut().map(|reader| async {
            let mut taken = Vec::new();
            for _ in 0..4 {
                taken.push(Held::snapshot(reader).await);
            }
            taken
        });
        let writing = trade(&scene, &mut warehouse, &mut store, &scene.tins[..24]);
        let (taken, ()) = tokio::join!(join_all(reading), writing);
        let mut watermarks = Vec::new();
        for (reader, taken) in readers.iter_mut().zip(taken) {
            let everything = replayed(reader).await.shown();
            assert!(everything.len() > 10, "{everything:?}");
            for mut held in taken {
                watermarks.push(held.cursor);
                held.pull(reader).await;
                i24_snapshot_and_pull_equal_everything(&held.shown(), &everything).unwrap();
            }
        }
        watermarks.sort_unstable();
        watermarks.dedup();
        assert!(
            watermarks.len() > 3,
            "taken at different moments: {watermarks:?}"
        );
        app.stop().await;
    }
);

on_both!(i24_a_card_is_told_again_when_its_code_is_voided, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let codes = scene.unused(5).await;
    let (loose, packed, case) = (&codes[0], &codes[1], &scene.cases[0]);
    let pack = json!({
        "children": scanned(&[packed, &codes[2]]), "parent": scanned(&[case])[0],
    });
    let events = [
        store.event("inbound", &inbound(&[loose, &codes[3]])),
        store.event("pack", &pack),
    ];
    store.push(&events).await;
    let mut held = replayed(&mut store).await;
    let void = |held: &Held| {
        codes[..4]
            .iter()
            .map(|code| held.cards[&key(code)].void)
            .collect::<Vec<_>>()
    };
    assert_eq!(void(&held), [false; 4]);
    let body = json!({
        "reason": "残次", "method": "粉碎", "witness": "质量部", "destroyed_on": "2026-01-05",
        "ranges": [], "codes": [loose, packed, codes[4]],
    });
    made(scene.firm.admin.post("/v1/code-destructions", &body).await);
    settled(&app).await;
    let before = held.cursor;
    held.pull(&mut store).await;
    assert_eq!(void(&held), [true, true, false, false]);
    let everything = replayed(&mut store).await.shown();
    i24_snapshot_and_pull_equal_everything(&held.shown(), &everything).unwrap();
    assert!(held.cursor > before);
    holds(&app, "codes are void").await;
    app.stop().await;
});

on_both!(i24_a_watermark_that_is_one_too_high_is_noticed, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let state = app.state();
    let device = known(&scene, &store);
    let bug = Bug::WatermarkOneTooHigh;
    for noticed in [false, true] {
        let making = snapshot::make(state, &device, Patience::default());
        let manifest = if noticed {
            with_bug(bug, making).await
        } else {
            making.await
        };
        let manifest = manifest.expect("a snapshot");
        let mut held = Held::of(&mut store, &manifest).await;
        let n = usize::from(noticed);
        let event = store.event("inbound", &inbound(&[&scene.tins[n]]));
        store.push(&[event]).await;
        held.pull(&mut store).await;
        let everything = replayed(&mut store).await.shown();
        let judged = i24_snapshot_and_pull_equal_everything(&held.shown(), &everything);
        assert_eq!(judged.is_err(), noticed, "{judged:?}");
    }
    app.stop().await;
});

on_both!(i21_a_cursor_that_skips_is_noticed, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    for n in 0..4 {
        let event = store.event("inbound", &inbound(&[&scene.tins[n]]));
        store.push(&[event]).await;
    }
    let device = known(&scene, &store);
    for bug in [None, Some(Bug::CursorOffByOne)] {
        let (mut cursor, mut delivered) = (0, Vec::new());
        loop {
            let page = pull::page(app.state(), &device, (cursor, None), 1, None);
            let page = match bug {
                None => page.await,
                Some(bug) => with_bug(bug, page).await,
            };
            let page = page.expect("a page");
            let unit = |item: &Item| match item {
                Item::Unit(card) => Some(card.unit.to_string()),
                _ => None,
            };
            let items = page.items.iter();
            delivered.push(Delivered {
                after: cursor,
                upto: page.cursor,
                items: items
                    .filter_map(|item| Some((unit(&item.item)?, item.gseq)))
                    .collect(),
                applied: true,
                more: page.more,
            });
            cursor = page.cursor;
            if !page.more {
                break;
            }
        }
        let mut scope = Vec::new();
        for tin in &scene.tins[..4] {
            let row = crate::scene::unit(&app, tin).await;
            scope.push((
                key(tin).to_string(),
                row.kept.state.last.map_or(0, |_| cursor),
            ));
        }
        // The position that changed each last, as the log has it.
        let positions = positions(&app).await;
        for ((_, at), position) in scope.iter_mut().zip(positions) {
            *at = position;
        }
        let judged = i21_cursors_neither_skip_nor_repeat(&scope, &delivered, cursor);
        assert_eq!(judged.is_err(), bug.is_some(), "{judged:?}");
    }
    app.stop().await;
});

/// Positions of all events, in order.
async fn positions(app: &TestApp) -> Vec<i64> {
    use sea_orm::ConnectionTrait;
    let db = &app.state().db;
    let query = suyuan::db::statement(db.backend(), "SELECT gseq FROM event ORDER BY gseq", []);
    let rows = db.reader().query_all_raw(query).await.expect("events");
    let position = |row: &sea_orm::QueryResult| row.try_get("", "gseq").expect("a position");
    rows.iter().map(position).collect()
}

on_both!(
    a_key_made_by_another_process_is_shipped_before_anything_is_signed_with_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let state = app.state();
        let elsewhere = ListKeys::open(&state.db, &state.sealer, app.clock.now());
        let elsewhere = elsewhere.await.expect("the keys");
        let made = elsewhere.rotate(app.clock.now()).await;
        assert_eq!(made.expect("a new key"), 2);
        let mut shipped_and_signing = async || {
            let read = state.handheld.keys.read_anew(app.clock.now()).await;
            read.expect("the chain");
            let answer = ok(store.read("/v1/sync/snapshot").await);
            let manifest: SnapshotManifest = serde_json::from_value(answer).expect("a manifest");
            let event = store.event("inbound", &inbound(&[&scene.tins[0]]));
            let receipt = store.push(&[event]).await.receipt.key;
            (manifest.trust_keys.len(), manifest.key, receipt)
        };
        assert_eq!(shipped_and_signing().await, (2, 1, 1));
        app.clock.shift_by(SIGNS_AFTER);
        assert_eq!(shipped_and_signing().await, (2, 2, 2));
        app.stop().await;
    }
);

on_both!(a_snapshot_is_signed_and_ships_the_chain_of_keys, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let event = store.event("inbound", &inbound(&[&scene.tins[0]]));
    store.push(&[event]).await;
    // Keys change while the device is away: it follows the chain to the one that signs now.
    let keys = &app.state().handheld.keys;
    for _ in 0..2 {
        keys.rotate(app.clock.now()).await.expect("a new key");
    }
    app.clock.shift_by(SIGNS_AFTER);
    keys.read_anew(app.clock.now()).await.expect("the chain");
    let answer = ok(store.read("/v1/sync/snapshot").await);
    let manifest: SnapshotManifest = serde_json::from_value(answer).expect("a manifest");
    assert_eq!((manifest.trust_keys.len(), manifest.key), (3, 3));
    let held = Held::of(&mut store, &manifest).await;
    assert!(held.cards.contains_key(&key(&scene.tins[0])));
    for chunk in &manifest.chunks {
        assert!(chunk.bytes as usize <= SNAPSHOT_CHUNK_BYTES);
        fetch(&store, chunk.hash).await;
    }
    let mut bent = manifest.clone();
    bent.watermark += 1;
    let key = &manifest.trust_keys[2].key;
    let holds = |manifest: &SnapshotManifest| {
        suyuan::handheld::keys::point::verify(key, &manifest.bytes_to_sign(), &manifest.sig)
    };
    assert_eq!((holds(&manifest), holds(&bent)), (true, false));
    // A cursor that leads nowhere is sent here.
    let ahead = format!("/v1/sync/pull?cursor={}", manifest.watermark + 1_000);
    refused(store.read(&ahead).await, "cursor-gone");
    refused(
        app.stranger().get("/v1/sync/snapshot").await,
        "device-not-known",
    );
    app.stop().await;
});

on_both!(i19_a_snapshot_holds_what_concerns_its_place_only, |app| {
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let mut stranger = enrolled(&app, &beta.operator, &shop).await;
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let mut store = scene.device(&app, &scene.store).await;
    trade(&scene, &mut warehouse, &mut store, &scene.tins[..9]).await;
    let held = Held::snapshot(&mut store).await;
    let concerns = |place: &serde_json::Value| place.to_string().contains(&scene.store);
    assert!(held.cards.len() > 3);
    for card in held.cards.values() {
        let text = serde_json::to_value(card).expect("a card");
        assert!(concerns(&text["place"]), "{text}");
    }
    let other = Held::snapshot(&mut stranger).await;
    assert!(other.cards.is_empty());
    assert_eq!(other.others.len(), 1, "itself: {:?}", other.others);
    app.stop().await;
});

on_both!(
    a_place_is_told_what_is_on_its_way_to_its_enterprise,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
        let shop = place(&beta.operator, "S-1", "store").await;
        let branch = place(&beta.operator, "S-2", "store").await;
        let mut there = enrolled(&app, &beta.operator, &shop).await;
        let mut other = enrolled(&app, &beta.operator, &branch).await;
        let mut plant = scene.device(&app, &scene.plant).await;
        let products = ok(scene.firm.admin.get("/v1/products").await);
        let path = format!(
            "/v1/products/{}/versions",
            text_of(&products["items"][0]["id"])
        );
        let fields = json!({"finished_product.specification": "800 g/罐"});
        let version = json!({"name": "奶粉", "valid_from": "2026-01-01", "fields": fields});
        let revised = scene.firm.admin.post(&path, &version).await;
        assert!(revised.status < 300, "{}", revised.text());
        let (tins, case) = ([&scene.tins[0], &scene.tins[1]], &scene.cases[0]);
        let pack = json!({"units": scanned(&tins), "parent": {"code": case, "input": "wedge"}});
        let mut sent = outbound(&[case], &shop);
        sent["counterpart"] = json!({"type": "enterprise", "id": beta.id});
        let events = [plant.event("pack", &pack), plant.event("outbound", &sent)];
        plant.push(&events).await;
        let (mut here, mut elsewhere) = (Held::default(), Held::default());
        here.pull(&mut there).await;
        elsewhere.pull(&mut other).await;
        for held in [&here, &elsewhere] {
            assert_eq!(held.cards.len(), 3, "{:?}", held.cards);
            assert!(
                held.cards
                    .values()
                    .all(|card| card.phase == Phase::InTransit)
            );
        }
        // It came in at one: the other need not wait for it any more.
        let event = there.event("inbound", &inbound(&[case]));
        there.push(&[event]).await;
        here.pull(&mut there).await;
        elsewhere.pull(&mut other).await;
        assert_eq!((here.cards.len(), elsewhere.cards.len()), (3, 0));
        // Whoever sent it is a partner from then on, and is told again when its places change.
        let partner = format!("partner {}", scene.firm.id);
        assert!(here.others.contains_key(&partner), "{:?}", here.others);
        let new = place(&scene.firm.operator, "WH-9", "warehouse").await;
        here.pull(&mut there).await;
        assert!(here.others[&partner].contains(&new));
        // What else it makes is nobody's business here: none of it ever came.
        product(&scene.firm.admin, "TN-2", "0952123400002").await;
        here.pull(&mut there).await;
        let other = gtin("0952123400002");
        assert!(!here.others.values().any(|text| text.contains(&other)));
        // Its product says how it is packed.
        let product = here.others.values().find(|text| text.contains("\"gtin\""));
        let product = product.expect("a product");
        assert!(
            product.contains(&gtin(GTIN)) && product.contains("specification"),
            "{product}"
        );
        assert!(!text_of(&json!(product)).is_empty());
        app.stop().await;
    }
);
