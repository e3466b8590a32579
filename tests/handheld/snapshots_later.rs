//! Snapshots that take longer than anybody waits: they are made while nobody waits, found by who asks
//! again, and whole as of one position whatever is written meanwhile (I24).

use crate::{
    held::Held,
    scene::{Scene, inbound, outbound},
    snapshots::known,
};
use sea_orm::ConnectionTrait;
use std::{
    cell::Cell,
    time::{Duration, Instant},
};
use suyuan::{
    handheld::down::snapshot::{self, Patience, SnapshotError},
    http::device::DeviceKnown,
};
use suyuan_sync::{invariants::i24_snapshot_and_pull_equal_everything, wire::SnapshotManifest};
use suyuan_tests::{Engine, Handheld, TestApp, on_both, until};

const LONG: Duration = Duration::from_secs(30);

/// Asks, and waits only a moment.
async fn asked(app: &TestApp, device: &DeviceKnown) -> Result<SnapshotManifest, SnapshotError> {
    let patience = Patience {
        wait: Duration::from_millis(50),
        ..Patience::default()
    };
    snapshot::make(app.state(), device, patience).await
}

fn is_not_yet(asked: &Result<SnapshotManifest, SnapshotError>) -> bool {
    matches!(asked, Err(SnapshotError::NotYet))
}

/// Asks until it is there.
async fn at_last(app: &TestApp, device: &DeviceKnown) -> SnapshotManifest {
    let started = Instant::now();
    loop {
        match asked(app, device).await {
            Err(SnapshotError::NotYet) => assert!(started.elapsed() < LONG, "not within {LONG:?}"),
            made => return made.expect("a snapshot"),
        }
    }
}

/// How many chunks are kept.
async fn chunks(app: &TestApp) -> i64 {
    let db = &app.state().db;
    let query = suyuan::db::statement(db.backend(), "SELECT COUNT(*) AS n FROM sync_chunk", []);
    let row = db.reader().query_one_raw(query).await.expect("chunks");
    row.expect("a row").try_get("", "n").expect("a number")
}

/// What a snapshot and the pulls after it come to is what pulls alone do.
async fn holds_everything(device: &mut Handheld, manifest: &SnapshotManifest) {
    let mut held = Held::of(device, manifest).await;
    held.pull(device).await;
    let mut everything = Held::default();
    everything.pull(device).await;
    i24_snapshot_and_pull_equal_everything(&held.shown(), &everything.shown()).expect("I24");
}

on_both!(
    i24_a_snapshot_goes_on_when_who_asked_went_away_and_is_found_by_who_asks_again,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let event = store.event("inbound", &inbound(&[&scene.tins[0]]));
        store.push(&[event]).await;
        let device = known(&scene, &store);
        let db = &app.state().db;
        let (before, _) = app.state().log.head().await.expect("the head");
        // Nothing can be kept for a while: it takes longer than anybody waits.
        let slow = db.begin_alone_in("sync_chunk").await.expect("alone");
        for _ in 0..3 {
            assert!(is_not_yet(&asked(&app, &device).await));
        }
        slow.rollback().await.expect("given back");
        // Nobody asks now.
        until("it is made", LONG, async || chunks(&app).await > 0).await;
        let event = store.event("inbound", &inbound(&[&scene.tins[1]]));
        store.push(&[event]).await;
        let found = at_last(&app, &device).await;
        assert_eq!(found.watermark, before, "the one that went on");
        holds_everything(&mut store, &found).await;
        // It was given: what is asked for next is made then.
        let next = at_last(&app, &device).await;
        assert!(next.watermark > before, "{} {before}", next.watermark);
        app.stop().await;
    }
);

on_both!(
    i24_what_changes_while_a_snapshot_is_made_comes_again_or_is_taken_back,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let mut reader = scene.device(&app, &scene.store).await;
        let device = known(&scene, &reader);
        // Goods that are there when it begins, and leave while it is made, the first that it read first.
        let (tins, over) = (&scene.tins[..30], Cell::new(false));
        for tin in tins {
            let event = store.event("inbound", &inbound(&[tin]));
            store.push(&[event]).await;
        }
        let patience = Patience {
            wait: LONG,
            page: 1,
        };
        let making = async {
            let mut made = Vec::new();
            while !over.get() {
                let manifest = snapshot::make(app.state(), &device, patience).await;
                made.push(manifest.expect("a snapshot"));
            }
            made
        };
        let writing = async {
            for tin in tins {
                let event = store.event("outbound", &outbound(&[tin], &scene.warehouse));
                store.push(&[event]).await;
            }
            over.set(true);
        };
        let (made, ()) = tokio::join!(making, writing);
        for manifest in made {
            holds_everything(&mut reader, &manifest).await;
        }
        app.stop().await;
    }
);

#[actix_web::test]
async fn i24_a_snapshot_begun_at_one_server_is_made_at_another_whose_chunks_both_give() {
    let first = TestApp::spawn(Engine::Postgres).await;
    let (url, folder) = (first.database_url.clone(), tempfile::tempdir());
    let folder = folder.expect("a folder");
    let second = TestApp::spawn_on(Engine::Postgres, url, first.sealer.clone(), folder, &[]).await;
    let scene = Scene::of(&first).await;
    let mut store = scene.device(&first, &scene.store).await;
    let event = store.event("inbound", &inbound(&[&scene.tins[0]]));
    store.push(&[event]).await;
    let device = known(&scene, &store);
    let db = &first.state().db;
    let slow = db.begin_alone_in("sync_chunk").await.expect("alone");
    for app in [&first, &second, &first] {
        assert!(is_not_yet(&asked(app, &device).await));
    }
    slow.rollback().await.expect("given back");
    // Whichever is reached, by turns, has made its own.
    for app in [&second, &first] {
        let made = at_last(app, &device).await;
        for url in [&first.internal_url, &second.internal_url] {
            let mut there = store.copy(url);
            there.keep(&made.anchor);
            holds_everything(&mut there, &made).await;
        }
    }
    second.stop().await;
    first.stop().await;
}
