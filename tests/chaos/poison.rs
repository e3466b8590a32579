//! A statement fails because of one event: its neighbours do not notice (I18).
//!
//! The fault is real: a trigger in the database raises an error when the row of that event is
//! written.

use crate::{
    scene::{Scene, count, fates, inbound, sale},
    verdict::holds,
};
use futures_util::join;
use sea_orm::ConnectionTrait;
use serde_json::Value;
use suyuan::handheld::replay::replay;
use suyuan_sync::{
    invariants::{i3_exactly_once, i30_every_flipped_bit_is_found},
    wire::{PushAnswer, Status},
};
use suyuan_tests::{Engine, Handheld, TestApp, history::Tables, on_both};
use uuid::Uuid;

fn id_of(event: &str) -> Uuid {
    let event: Value = serde_json::from_str(event).expect("JSON");
    event["event_id"]
        .as_str()
        .expect("an id")
        .parse()
        .expect("an id")
}

/// No row of this event is written any more.
async fn poison(app: &TestApp, event: &str) {
    let id = id_of(event).simple().to_string();
    let sql = match app.engine {
        Engine::Sqlite => format!(
            "CREATE TRIGGER poison BEFORE INSERT ON event WHEN NEW.event_id = x'{id}' \
             BEGIN SELECT RAISE(ABORT, 'poisoned'); END"
        ),
        Engine::Postgres => format!(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$; \
             CREATE TRIGGER poison BEFORE INSERT ON event FOR EACH ROW \
             WHEN (NEW.event_id = '{id}') EXECUTE FUNCTION poison()"
        ),
    };
    let db = app.state().db.writer();
    db.execute_unprepared(&sql).await.expect("a trigger");
}

async fn pushed(device: &Handheld, events: &[String]) -> PushAnswer {
    let answer = device.try_push(1, device.history[0], events).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("an answer")
}

on_both!(a_poisoned_event_is_set_aside_and_nobody_else, |app| {
    // Long enough that all four go into one act.
    let app = {
        let engine = app.engine;
        app.stop().await;
        TestApp::spawn_with(engine, &[("handheld.gather_ms", "300")]).await
    };
    let scene = Scene::of(&app).await;
    let mut devices = Vec::new();
    let mut all: Vec<Vec<String>> = Vec::new();
    for n in 0..4 {
        let mut device = scene.device(&app, &scene.store).await;
        let tins = &scene.tins[10 * n..10 * n + 9];
        let events = tins.iter().enumerate();
        let events = events.map(|(at, tin)| match at % 2 {
            0 => device.event("inbound", &inbound(&[tin])),
            _ => device.event("sale", &sale(&[tin])),
        });
        all.push(events.collect());
        devices.push(device);
    }
    poison(&app, &all[1][4]).await;
    let (a, b, c, d) = join!(
        pushed(&devices[0], &all[0]),
        pushed(&devices[1], &all[1]),
        pushed(&devices[2], &all[2]),
        pushed(&devices[3], &all[3]),
    );
    for (n, answer) in [&a, &b, &c, &d].into_iter().enumerate() {
        assert_eq!(
            answer.receipt.contiguous_seq, 9,
            "every event fills its number"
        );
        for (at, result) in answer.results.iter().enumerate() {
            let poisoned = (n, at) == (1, 4);
            let wanted = if poisoned {
                Status::Quarantined
            } else {
                Status::Stored
            };
            assert_eq!(
                (result.seq, result.status),
                (at as u64 + 1, wanted),
                "{result:?}"
            );
            // What is found is what is found without the poison: nobody received what is sold.
            let orphan = !poisoned && at % 2 == 1;
            assert_eq!(
                result.findings.len(),
                usize::from(orphan || poisoned),
                "{result:?}"
            );
        }
    }
    assert_eq!(b.results[4].code.as_deref(), Some("UNREADABLE"));
    // The same again is answered alike, and the poison is kept byte for byte.
    let again = pushed(&devices[1], &all[1]).await;
    assert!(
        again
            .results
            .iter()
            .all(|result| result.status == Status::Duplicate)
    );
    let tables = Tables::open(&app.database_url).await;
    let log = tables.log().await;
    assert_eq!(log.events.len(), 36);
    assert!(
        log.events
            .iter()
            .any(|event| event.body == all[1][4].as_bytes())
    );
    holds(i3_exactly_once(&log));
    holds(i30_every_flipped_bit_is_found(&log));
    let set_aside = fates(&app).await;
    let set_aside = set_aside.iter().filter(|(_, fate)| fate == "quarantined");
    assert_eq!(set_aside.count(), 1);
    assert_eq!(
        count(
            &app,
            "SELECT COUNT(*) AS n FROM event WHERE counts_from IS NOT NULL"
        )
        .await,
        35
    );
    let state = app.state();
    let replayed = replay(&state.db, &state.sealer).await.expect("a replay");
    assert_eq!(replayed.differences, []);
    tables.close().await;
    app.stop().await;
});
