//! The one task that admits: what fails in it stops nobody else, and when it is gone the process says
//! that it is not ready.

use crate::{
    scene::{Scene, count, holds, inbound, key, open_about_events, sale, settled, unit},
    support::{gtin, made},
};
use actix_web::{App, test, web::Data};
use futures_util::FutureExt;
use sea_orm::ConnectionTrait;
use serde_json::json;
use std::time::Duration;
use suyuan::{
    app::Internal,
    handheld::{
        aside::{self, tend},
        push::PushError,
    },
    http::Draining,
    operations,
};
use suyuan_sync::{finding::FindingCode, fold::Phase, wire::Status};
use suyuan_tests::{Engine, TestApp, on_both, recall_order, until};

/// A code that nobody here issued.
fn foreign(n: usize) -> String {
    let gtin = gtin("0952123400777");
    format!("https://id.example/01/{gtin}/21/F{n}")
}

/// No row is written into a table any more of which this is true.
pub async fn poison(app: &TestApp, table: &str, when: &str) {
    let sql = match app.engine {
        Engine::Sqlite => format!(
            "CREATE TRIGGER poison BEFORE INSERT ON {table} WHEN {when} \
             BEGIN SELECT RAISE(ABORT, 'poisoned'); END"
        ),
        Engine::Postgres => format!(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$; \
             CREATE TRIGGER poison BEFORE INSERT ON {table} FOR EACH ROW \
             WHEN ({when}) EXECUTE FUNCTION poison()"
        ),
    };
    let db = app.state().db.writer();
    db.execute_unprepared(&sql).await.expect("a trigger");
}

/// It is again.
pub async fn healed(app: &TestApp, table: &str) {
    let sql = match app.engine {
        Engine::Sqlite => "DROP TRIGGER poison".to_owned(),
        Engine::Postgres => format!("DROP TRIGGER poison ON {table}"),
    };
    let db = app.state().db.writer();
    db.execute_unprepared(&sql).await.expect("a trigger");
}

async fn entries(app: &TestApp, kind: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) AS n FROM log_entry WHERE kind = '{kind}'");
    count(app, &sql).await
}

on_both!(
    a_task_that_panics_is_answered_and_the_engine_goes_on,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let tin = &scene.tins[0];
        let event = device.event("inbound", &inbound(&[tin]));
        device.push(&[event]).await;
        let ingest = &app.state().handheld.ingest;
        for _ in 0..2 {
            let failed = ingest
                .with_engine::<()>(|engine| {
                    async move {
                        let block = engine.log().begin_block().await.expect("the head");
                        assert!(block.before() < 0, "a slip while the head is locked");
                    }
                    .boxed()
                })
                .await;
            assert!(matches!(failed, Err(PushError::Broken)), "{failed:?}");
        }
        let event = device.event("sale", &sale(&[tin]));
        let answer = device.push(&[event]).await;
        assert_eq!(answer.results[0].status, Status::Stored);
        assert!(answer.results[0].findings.is_empty(), "{answer:?}");
        assert_eq!(app.stranger().get("/readyz").await.status, 200);
        holds(&app, "after tasks that panicked").await;
        app.stop().await;
    }
);

on_both!(a_process_that_admits_no_more_is_not_ready, |app| {
    let of = app.state();
    let opened = Internal::open(
        of.settings.clone(),
        of.db.clone(),
        of.clock.clone(),
        of.sealer.clone(),
        Draining::default(),
    );
    let (internal, admitting) = opened.await.expect("a second one");
    let state = Data::new(internal);
    let served = App::new()
        .app_data(state.clone())
        .service(operations::readyz);
    let served = test::init_service(served).await;
    let ready = || test::TestRequest::get().uri("/readyz").to_request();
    assert_eq!(test::call_service(&served, ready()).await.status(), 200);
    admitting.abort();
    let _ = admitting.await;
    assert_eq!(test::call_service(&served, ready()).await.status(), 503);
    app.stop().await;
});

on_both!(a_gap_that_cannot_be_forced_keeps_no_other, |app| {
    let scene = Scene::of(&app).await;
    for n in 0..3 {
        let mut device = scene.device(&app, &scene.store).await;
        let tins = &scene.tins[3 * n..3 * n + 3];
        let events: Vec<String> = tins
            .iter()
            .map(|tin| device.event("inbound", &inbound(&[tin])))
            .collect();
        device.push_at(1, device.history[0], &events[..1]).await;
        device.push_at(3, device.history[2], &events[2..]).await;
    }
    let state = app.state();
    let gapped = aside::store::gapped(state.db.reader()).await.expect("gaps");
    assert_eq!(gapped.len(), 3);
    let first = gapped[0].1;
    let when = format!("NEW.kind = 'gap_forced' AND NEW.subject = 'device:{first}'");
    poison(&app, "log_entry", &when).await;
    let (ingest, due) = (&state.handheld.ingest, state.clock.now());
    let told = tend::gaps(&state.db, ingest, due).await;
    assert!(told.is_err(), "it is told");
    assert_eq!(entries(&app, "gap_forced").await, 2);
    app.stop().await;
});

on_both!(an_event_that_cannot_be_taken_in_keeps_no_other, |app| {
    let scene = Scene::of(&app).await;
    let mut devices = Vec::new();
    for n in 0..2 {
        let mut device = scene.device(&app, &scene.store).await;
        let events = [
            device.event("inbound", &inbound(&[&scene.tins[2 * n]])),
            device.event("inbound", &inbound(&[&scene.tins[2 * n + 1]])),
        ];
        device.push(&events).await;
        devices.push(device.device.to_string());
    }
    devices.sort();
    let state = app.state();
    for undo in [
        "UPDATE event SET fate = 'parked', remarks = 'UNKNOWN_KIND', counts_from = NULL, \
         told = '{\"status\":\"parked\",\"remarks\":[\"UNKNOWN_KIND\"],\"findings\":[]}'",
        "DELETE FROM event_unit",
    ] {
        let done = state.db.writer().execute_unprepared(undo).await;
        done.expect("as an older program would have it");
    }
    let when = format!(
        "NEW.kind = 'admitted' AND NEW.subject = 'device:{}'",
        devices[0]
    );
    poison(&app, "log_entry", &when).await;
    let told = tend::known_kinds(&state.db, &state.handheld.ingest).await;
    assert!(told.is_err(), "it is told");
    let stored = "SELECT COUNT(*) AS n FROM event WHERE counts_from IS NOT NULL";
    assert_eq!(count(&app, stored).await, 2);
    app.stop().await;
});

on_both!(a_unit_that_cannot_be_folded_again_keeps_no_other, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let tins: Vec<&String> = scene.tins[..5].iter().collect();
    let event = device.event("inbound", &inbound(&tins));
    device.push(&[event]).await;
    settled(&app).await;
    let when = format!("NEW.unit_key = '{}'", key(tins[0]).as_str());
    poison(&app, "unit", &when).await;
    let order = recall_order(&json!([scene.batch]), "r", "i");
    made(scene.firm.admin.post("/v1/recalls", &order).await);
    until("the others", Duration::from_secs(30), async || {
        let mut found = 0;
        for tin in &tins[1..] {
            found += unit(&app, tin).await.kept.state.recalls.len();
        }
        found == 4
    })
    .await;
    // It is passed over in the end, and nothing is left that fails for ever.
    settled(&app).await;
    assert!(unit(&app, tins[0]).await.kept.state.recalls.is_empty());
    app.stop().await;
});

on_both!(
    what_is_on_record_and_cannot_be_read_sets_no_event_aside,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let mut other = scene.device(&app, &scene.store).await;
        let spaces = |from: &str, to: &str| {
            format!("UPDATE code_space SET level = '{to}' WHERE level = '{from}'")
        };
        let db = app.state().db.writer();
        // As a newer program beside this one might have made it.
        let known = "SELECT COUNT(*) AS n FROM code_space WHERE level = 'item'";
        assert!(count(&app, known).await > 0);
        let done = db.execute_unprepared(&spaces("item", "of_tomorrow")).await;
        done.expect("a level");
        let events = [
            device.event("inbound", &inbound(&[&scene.tins[0]])),
            device.event("sale", &sale(&[&scene.tins[0]])),
        ];
        let answer = device.try_push(1, device.history[0], &events).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        let fates = "SELECT COUNT(*) AS n FROM event";
        assert_eq!(count(&app, fates).await, 0, "nothing of it is taken");
        // Others go on.
        let foreign = foreign(1);
        let event = other.event("inbound", &inbound(&[&foreign]));
        let answer = other.push(&[event]).await;
        assert_eq!(answer.results[0].status, Status::Stored, "{answer:?}");
        let done = db.execute_unprepared(&spaces("of_tomorrow", "item")).await;
        done.expect("a level");
        let answer = device.push_at(1, device.history[0], &events).await;
        for result in &answer.results {
            assert_eq!(result.status, Status::Stored, "{result:?}");
        }
        assert_eq!(
            unit(&app, &scene.tins[0]).await.kept.state.phase,
            Phase::Sold
        );
        app.stop().await;
    }
);

on_both!(
    t9_what_cannot_be_folded_waits_for_a_program_that_can,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let tins = &scene.tins;
        let when = format!("NEW.unit_key = '{}'", key(&tins[0]).as_str());
        poison(&app, "unit", &when).await;
        let events = [
            device.event("inbound", &inbound(&[&tins[0]])),
            device.event("inbound", &inbound(&[&tins[1]])),
        ];
        let answer = device.push(&events).await;
        let told: Vec<_> = answer.results.iter().map(|result| result.status).collect();
        assert_eq!(told, [Status::Quarantined, Status::Stored]);
        assert_eq!(answer.results[0].code.as_deref(), Some("UNFOLDABLE"));
        assert_eq!(answer.receipt.contiguous_seq, 2);
        assert_eq!(open_about_events(&app, FindingCode::Unfoldable).await, 1);
        let state = app.state();
        let ingest = &state.handheld.ingest;
        let still = tend::known_kinds(&state.db, ingest).await;
        assert!(still.is_err(), "it cannot be folded yet");
        healed(&app, "unit").await;
        let taken = tend::known_kinds(&state.db, ingest).await;
        assert_eq!(taken.expect("it is taken in"), 1);
        let kept = unit(&app, &tins[0]).await.kept;
        assert_eq!(
            (kept.state.phase, kept.findings.len()),
            (Phase::InStock, 0),
            "{kept:?}"
        );
        assert_eq!(open_about_events(&app, FindingCode::Unfoldable).await, 0);
        let again = device.push_at(1, device.history[0], &events).await;
        for result in &again.results {
            assert_eq!(result.status, Status::Duplicate);
        }
        holds(&app, "taken in later").await;
        app.stop().await;
    }
);

on_both!(
    a_push_that_names_much_is_several_acts_and_one_answer,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let codes: Vec<String> = (0..2700).map(foreign).collect();
        let events: Vec<String> = codes
            .chunks(900)
            .map(|codes| device.event("inbound", &inbound(&codes.iter().collect::<Vec<_>>())))
            .collect();
        let answer = device.push(&events).await;
        let told: Vec<_> = answer
            .results
            .iter()
            .map(|result| (result.seq, result.status))
            .collect();
        assert_eq!(told, [1, 2, 3].map(|seq| (seq, Status::Stored)));
        assert_eq!(answer.receipt.contiguous_seq, 3);
        // A unit's number begins with the act that made it. Each is more than an act may name at first.
        let acts = "SELECT COUNT(DISTINCT id / 1048576) AS n FROM unit";
        assert_eq!(count(&app, acts).await, 3);
        assert_eq!(
            count(&app, "SELECT COUNT(*) AS n FROM unit").await,
            codes.len() as i64
        );
        let again = device.push_at(1, device.history[0], &events).await;
        let again = again.results.iter().map(|result| result.status);
        assert!(again.eq([Status::Duplicate; 3]));
        app.stop().await;
    }
);
