//! I8: what is kept is what the log gives, and the check sees when it is not.

use crate::scene::{Scene, inbound, outbound, sale, scanned};
use sea_orm::ConnectionTrait;
use serde_json::json;
use suyuan::handheld::replay::{Replayed, replay};
use suyuan_tests::{TestApp, on_both};

async fn replayed(app: &TestApp) -> Replayed {
    let state = app.state();
    replay(&state.db, &state.sealer).await.expect("a replay")
}

/// A life of tins with something of everything: late, struck, packed, unreadable, sold twice.
async fn lives(app: &TestApp) {
    let scene = Scene::of(app).await;
    let tins = &scene.tins;
    let mut warehouse = scene.device(app, &scene.warehouse).await;
    let mut store = scene.device(app, &scene.store).await;
    let event = warehouse.event(
        "inbound",
        &inbound(&[&tins[0], &tins[1], &tins[2], &tins[3]]),
    );
    warehouse.push(&[event]).await;
    let pack = json!({
        "units": scanned(&[&tins[0], &tins[1], &tins[2]]),
        "parent": {"code": scene.cases[0], "input": "wedge"},
    });
    let events = [
        warehouse.event("pack", &pack),
        warehouse.event("outbound", &outbound(&[&scene.cases[0]], &scene.store)),
    ];
    warehouse.push(&events).await;
    let events = [
        store.event("sale", &sale(&[&tins[1]])),
        store.event("sale", &sale(&[&tins[1]])),
        store.event("inbound", &inbound(&[&scene.cases[0]])),
        store.event("sale", &sale(&[&tins[5]])),
        store.make("not an event".to_owned()),
        store.event("teleport", &json!({})),
    ];
    store.push(&events).await;
    let struck = store.event("sale", &sale(&[&tins[6]]));
    let target =
        serde_json::from_str::<serde_json::Value>(&struck).expect("JSON")["event_id"].clone();
    let retract = store.event("retract", &json!({"target": target}));
    store.push(&[struck, retract]).await;
}

on_both!(what_is_kept_is_what_the_log_gives, |app| {
    lives(&app).await;
    let replayed = replayed(&app).await;
    assert_eq!(replayed.differences, []);
    assert!(
        replayed.events > 8 && replayed.units > 6 && replayed.findings > 4,
        "{replayed:?}"
    );
    app.stop().await;
});

on_both!(each_table_that_is_tampered_with_shows, |app| {
    lives(&app).await;
    for sql in [
        "UPDATE unit SET state = REPLACE(state, '\"sold\"', '\"in_stock\"') WHERE phase = 'sold'",
        "UPDATE finding SET closed = opened WHERE unit_id IS NOT NULL",
        "UPDATE finding SET closed = opened WHERE unit_id IS NULL",
        "UPDATE event SET eff = eff - 1 WHERE seq = 1",
        "UPDATE content SET units = units + 1",
        "DELETE FROM content",
        "UPDATE event_target SET gseq = gseq + 1",
        "DELETE FROM event_unit WHERE role = 2",
        "UPDATE event_unit SET role = 1 WHERE role = 0",
        "DELETE FROM event_unit",
        "DELETE FROM unit WHERE inside IS NULL",
    ] {
        let before = replayed(&app).await.differences;
        app.state()
            .db
            .writer()
            .execute_unprepared(sql)
            .await
            .expect(sql);
        let after = replayed(&app).await.differences;
        assert_ne!(after, before, "{sql}");
    }
    app.stop().await;
});
