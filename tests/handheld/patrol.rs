//! I8, kept up for ever: whatever is kept of a unit otherwise than the log says is found by the patrol, set
//! right and told, whoever changed it; what is as it should be is left alone, and so is everything while
//! something waits to be worked in.

use crate::{
    scene::{Scene, count, holds, inbound, key, sale, scanned, settled},
    verify::{admin, write},
};
use serde_json::json;
use suyuan::handheld::patrol::{Patrol, Step};
use suyuan_tests::{Engine, TestApp, on_both};

const MENDED: &str = "SELECT COUNT(*) AS n FROM log_entry WHERE kind = 'mended'";

fn patrol(app: &TestApp) -> Patrol {
    let state = app.state();
    Patrol::new(
        state.db.clone(),
        app.sealer.clone(),
        state.handheld.ingest.clone(),
    )
}

/// So long it rests between two rounds, in microseconds.
const HOUR: i64 = 3_600_000_000;

/// A whole round at an hour, so many units at a time: how many were looked at, and of how many something was set
/// right.
async fn round(app: &TestApp, hour: i64, most: usize) -> (usize, usize) {
    let (mut patrol, mut all) = (patrol(app), (0, 0));
    let now = hour * HOUR;
    while let Step::Looked { units, mended } = patrol.step(most, now).await.expect("a page") {
        all.0 += units;
        all.1 += mended;
        // It rests until what it said in the log is followed as all else is.
        settled(app).await;
    }
    all
}

/// Tins that were sold, collected, packed and sold twice.
async fn told(app: &TestApp) -> Scene {
    let scene = Scene::of(app).await;
    let tins = &scene.tins;
    let mut store = scene.device(app, &scene.store).await;
    let all: Vec<&String> = tins[..6].iter().collect();
    let packed = json!({
        "parent": {"code": scene.cases[0], "input": "wedge"}, "units": scanned(&all[4..]),
    });
    let events = [
        store.event("inbound", &inbound(&all)),
        store.event("sale", &sale(&[all[0]])),
        store.event("sale", &sale(&[all[0]])),
        store.event("destroy", &inbound(&[all[1]])),
        store.event("pack", &packed),
    ];
    store.push(&events).await;
    settled(app).await;
    scene
}

on_both!(
    i8_what_is_kept_otherwise_than_the_log_says_is_found_set_right_and_told,
    |app| {
        let scene = told(&app).await;
        holds(&app, "before").await;
        assert_eq!(round(&app, 1, 3).await, (7, 0));
        assert_eq!(count(&app, MENDED).await, 0);
        let tin = |n: usize| key(&scene.tins[n]).as_str().to_owned();
        // As a slip would leave them: one is as another is, one lies loose, and consumers are not told of one.
        let sql = "UPDATE unit SET state = (SELECT state FROM unit WHERE unit_key = ?) \
                   WHERE unit_key = ?";
        write(&app, sql, vec![tin(1).into(), tin(2).into()]).await;
        let sql = "UPDATE unit SET inside = NULL WHERE unit_key = ?";
        write(&app, sql, vec![tin(4).into()]).await;
        write(
            &app,
            "DELETE FROM public_chunk WHERE kind = 'destroyed'",
            vec![],
        )
        .await;
        assert_eq!(round(&app, 2, 3).await, (7, 3));
        holds(&app, "after").await;
        assert!(count(&app, MENDED).await > 0);
        assert_eq!(round(&app, 3, 64).await, (7, 0));
        app.stop().await;
    }
);

on_both!(
    i8_the_patrol_goes_on_where_it_was_and_rests_after_the_last,
    |app| {
        told(&app).await;
        for _ in 0..3 {
            let step = patrol(&app).step(2, 5).await.expect("a page");
            let two = Step::Looked {
                units: 2,
                mended: 0,
            };
            assert_eq!(step, two);
        }
        let step = patrol(&app).step(2, 5).await.expect("a page");
        let last = Step::Looked {
            units: 1,
            mended: 0,
        };
        assert_eq!(step, last);
        assert_eq!(
            patrol(&app).step(2, 4 + HOUR).await.expect("rest"),
            Step::Rests
        );
        let step = patrol(&app).step(9, 5 + HOUR).await.expect("a page");
        let all = Step::Looked {
            units: 7,
            mended: 0,
        };
        assert_eq!(step, all);
        app.stop().await;
    }
);

on_both!(
    i8_while_something_waits_to_be_worked_in_nothing_is_looked_at,
    |app| {
        told(&app).await;
        // What a newer program beside this one left is that one's to do.
        let sql = "INSERT INTO refold (id, scope, cursor, gseq, rank, merges) \
                   VALUES (7, '{\"of\":\"unheard\"}', 0, 1, 2, '')";
        write(&app, sql, vec![]).await;
        assert_eq!(patrol(&app).step(9, 0).await.expect("rest"), Step::Rests);
        write(&app, "DELETE FROM refold WHERE id = 7", vec![]).await;
        let step = patrol(&app).step(9, 0).await.expect("a page");
        assert!(matches!(step, Step::Looked { units: 7, .. }), "{step:?}");
        app.stop().await;
    }
);

#[actix_web::test]
async fn i8_the_command_names_what_is_kept_otherwise_and_ends_with_1() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (app, master) = TestApp::keyed(engine).await;
        let scene = told(&app).await;
        let (status, told) = admin(&app, "verify-state", &master).await;
        let events = count(&app, "SELECT COUNT(*) AS n FROM event").await;
        let position = app.state().log.head().await.expect("a head").0;
        let all = format!("{events} events up to position {position}, 7 units, 0 lines of goods, ");
        assert!(told.starts_with(&all), "{told}");
        assert!(
            told.ends_with(" open findings: 0 kept otherwise\n"),
            "{told}"
        );
        assert_eq!(status, Some(0), "{told}");
        let sql = "UPDATE unit SET phase = 'sold' WHERE unit_key = ?";
        let tin = key(&scene.tins[2]).as_str().to_owned();
        write(&app, sql, vec![tin.clone().into()]).await;
        let (status, told) = admin(&app, "verify-state", &master).await;
        let (first, last) = told.split_once('\n').expect("two lines");
        assert!(
            first.starts_with(&format!("columns of unit {tin}: kept is ")),
            "{told}"
        );
        assert!(
            last.ends_with(" open findings: 1 kept otherwise\n"),
            "{told}"
        );
        assert_eq!(status, Some(1), "{told}");
        app.stop().await;
    }
}
