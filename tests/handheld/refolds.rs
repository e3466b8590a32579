//! What becomes of units nobody names any more: a recall, a complete count or an acceptance is about them, and
//! they are brought up to date in slices, which go on where they were cut short. Of containers tells
//! `refolds_packed`, of what comes on record `refolds_recorded`.

use crate::{
    scene::{Scene, count, holds, inbound, open, sale, scanned, settled, unit},
    support::{PASSWORD, made, ok, text_of},
};
use futures_util::FutureExt;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use suyuan::handheld::units::refold::{Scope, Work, beside::Hands, slice::slice, store as refold};
use suyuan_sync::{
    finding::{Detail, FindingCode, When},
    fold::Phase,
    ids::{BatchId, LocationId},
};
use suyuan_tests::{Engine, TestApp, on_both, recall_order};

/// Opens a recall of a batch; its id.
pub async fn recalled(scene: &Scene, batch: &str) -> String {
    let order = recall_order(&json!([batch]), "r", "i");
    text_of(&made(scene.firm.admin.post("/v1/recalls", &order).await)["id"])
}

/// Closes it as mistaken.
pub async fn mistaken(scene: &Scene, recall: &str) {
    let path = format!("/v1/recalls/{recall}/close");
    let how = json!({"note": "wrong batch", "mistaken": true});
    ok(scene.firm.admin.post(&path, &how).await);
}

/// The ids of an event that was made.
pub fn id_of(text: &str) -> String {
    let event: Value = serde_json::from_str(text).expect("an event");
    text_of(&event["event_id"])
}

/// How many findings of a kind closed, by this event, or by no event.
pub async fn closed(app: &TestApp, code: FindingCode, by: Option<&str>) -> i64 {
    let db = &app.state().db;
    let sql = "SELECT closed_by FROM finding WHERE code = ? AND closed IS NOT NULL";
    let query = suyuan::db::statement(db.backend(), sql, [code.name().into()]);
    let rows = db.reader().query_all_raw(query).await.expect("findings");
    let by_event = |row: &sea_orm::QueryResult| {
        let id: Option<uuid::Uuid> = row.try_get("", "closed_by").expect("a column");
        id.map(|id| id.to_string())
    };
    rows.iter()
        .filter(|row| by_event(row).as_deref() == by)
        .count() as i64
}

on_both!(
    c9_a_recall_finds_what_was_sold_before_and_lets_go_of_it_when_mistaken,
    |app| {
        let scene = Scene::of(&app).await;
        let [sold, stocked] = [&scene.tins[0], &scene.tins[1]];
        let mut store = scene.device(&app, &scene.store).await;
        let events = [
            store.event("inbound", &inbound(&[sold, stocked])),
            store.event("sale", &sale(&[sold])),
        ];
        store.push(&events).await;
        settled(&app).await;
        assert_eq!(open(&app, sold).await, [] as [&str; 0]);
        let recall = recalled(&scene, &scene.batch).await;
        settled(&app).await;
        assert_eq!(open(&app, sold).await, ["SOLD_RECALLED"]);
        let found = unit(&app, sold).await.kept.findings.remove(0).finding;
        assert!(
            matches!(
                found.detail,
                Detail::SoldRecalled {
                    when: When::Before,
                    ..
                }
            ),
            "{found:?}"
        );
        assert_eq!(unit(&app, stocked).await.kept.state.recalls.len(), 1);
        holds(&app, "opened").await;
        // The entry says what it was done for.
        let entry = "SELECT COUNT(*) AS n FROM log_entry r JOIN log_entry o \
                 ON r.subject = 'entry:' || CAST(o.gseq AS TEXT) \
                 WHERE r.kind = 'refolded' AND o.kind = 'recall_opened'";
        assert!(count(&app, entry).await > 0);
        mistaken(&scene, &recall).await;
        settled(&app).await;
        assert_eq!(open(&app, sold).await, [] as [&str; 0]);
        assert_eq!(closed(&app, FindingCode::SoldRecalled, None).await, 1);
        // No event explained it: its entry is told.
        let path = "/v1/findings?open=false&code=SOLD_RECALLED";
        let healed = ok(scene.firm.admin.get(path).await);
        let cause = &healed["items"][0]["closed"]["entry"];
        assert_eq!(cause["kind"], "recall_closed", "{healed}");
        assert!(unit(&app, stocked).await.kept.state.recalls.is_empty());
        holds(&app, "mistaken").await;
        app.stop().await;
    }
);

on_both!(
    c9_single_units_of_a_recall_are_found_and_a_widened_one_finds_more,
    |app| {
        let scene = Scene::of(&app).await;
        let tins = &scene.tins;
        let mut store = scene.device(&app, &scene.store).await;
        let events = [
            store.event("inbound", &inbound(&[&tins[0], &tins[1], &tins[2]])),
            store.event("sale", &sale(&[&tins[0]])),
            store.event("sale", &sale(&[&tins[1]])),
        ];
        store.push(&events).await;
        let mut order = recall_order(&json!([]), "r", "i");
        order["codes"] = json!([tins[0]]);
        let recall = made(scene.firm.admin.post("/v1/recalls", &order).await);
        settled(&app).await;
        assert_eq!(open(&app, &tins[0]).await, ["SOLD_RECALLED"]);
        assert_eq!(open(&app, &tins[1]).await, [] as [&str; 0]);
        let path = format!("/v1/recalls/{}/widen", text_of(&recall["id"]));
        ok(scene
            .firm
            .admin
            .post(&path, &json!({"codes": [tins[1]]}))
            .await);
        settled(&app).await;
        assert_eq!(open(&app, &tins[1]).await, ["SOLD_RECALLED"]);
        assert_eq!(open(&app, &tins[2]).await, [] as [&str; 0]);
        holds(&app, "widened").await;
        app.stop().await;
    }
);

on_both!(c11_a_complete_count_misses_what_it_does_not_name, |app| {
    let scene = Scene::of(&app).await;
    let tins = &scene.tins;
    let mut store = scene.device(&app, &scene.store).await;
    let mut late = scene.device(&app, &scene.store).await;
    let event = store.event("inbound", &inbound(&[&tins[0], &tins[1], &tins[2]]));
    store.push(&[event]).await;
    let scope = json!({"scope": {"complete": true}});
    // Counted now, told after one of them was sold.
    late.anchor.clone_from(&store.anchor);
    let sweep = late.event(
        "count",
        &json!({"units": scanned(&[&tins[0]]), "body": scope}),
    );
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let empty = store.push(&[]).await;
    store.keep(&empty.anchor);
    let event = store.event("sale", &sale(&[&tins[2]]));
    store.push(&[event]).await;
    late.push(std::slice::from_ref(&sweep)).await;
    settled(&app).await;
    for (tin, expected) in [
        (0, &[][..]),
        (1, &["MISSING_AT_COUNT"]),
        (2, &["MISSING_AT_COUNT"]),
    ] {
        assert_eq!(open(&app, &tins[tin]).await, expected, "tin {tin}");
    }
    holds(&app, "counted").await;
    // Struck, it misses nothing.
    let target = id_of(&sweep);
    let retract = late.event("retract", &json!({"target": target}));
    late.push(std::slice::from_ref(&retract)).await;
    settled(&app).await;
    for tin in &tins[..3] {
        assert_eq!(open(&app, tin).await, [] as [&str; 0]);
    }
    let by = closed(&app, FindingCode::MissingAtCount, Some(&target)).await;
    assert_eq!(by, 2, "closed with the count that was struck as the cause");
    holds(&app, "struck").await;
    app.stop().await;
});

on_both!(
    c11_a_complete_count_misses_what_was_brought_or_fetched_back,
    |app| {
        let scene = Scene::of(&app).await;
        let tins = &scene.tins;
        let mut store = scene.device(&app, &scene.store).await;
        let back = json!({"units": scanned(&[&tins[0]])});
        let fetched = json!({"units": scanned(&[&tins[1]])});
        let events = [
            store.event("inbound", &inbound(&[&tins[0], &tins[1]])),
            store.event("sale", &sale(&[&tins[0]])),
            store.event("return", &back),
            store.event("collect", &fetched),
        ];
        store.push(&events).await;
        settled(&app).await;
        let scope = json!({"units": [], "body": {"scope": {"complete": true}}});
        let count = store.event("count", &scope);
        store.push(&[count]).await;
        settled(&app).await;
        for tin in &tins[..2] {
            let open = open(&app, tin).await;
            assert!(open.contains(&"MISSING_AT_COUNT"), "{open:?}");
        }
        holds(&app, "counted").await;
        app.stop().await;
    }
);

on_both!(
    c14_a_strangers_word_counts_once_the_issuer_accepts_it,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let shop = crate::support::firm(&app, &platform, "BETA", &["9521235"]).await;
        let place = made(
            shop.admin
                .post(
                    "/v1/locations",
                    &json!({"code": "S-1", "kind": "store", "name": "店"}),
                )
                .await,
        );
        let mut till = crate::scene::enrolled(&app, &shop.operator, &text_of(&place["id"])).await;
        let events = [
            till.event("inbound", &inbound(&[&scene.tins[0]])),
            till.event("sale", &sale(&[&scene.tins[0]])),
        ];
        till.push(&events).await;
        let stranger = ["UNEXPECTED_HOLDER", "UNEXPECTED_HOLDER"];
        assert_eq!(open(&app, &scene.tins[0]).await, stranger);
        let accept = json!({"partner_id": shop.id});
        made(scene.firm.admin.post("/v1/acceptances", &accept).await);
        settled(&app).await;
        let kept = unit(&app, &scene.tins[0]).await.kept;
        assert_eq!(kept.state.phase, Phase::Sold, "{kept:?}");
        assert_eq!(closed(&app, FindingCode::UnexpectedHolder, None).await, 2);
        holds(&app, "accepted").await;
        // A policy holds for what comes after it: nothing is folded again, and nothing need be.
        let policy = json!({"duplicate_window_s": 0, "list_age_s": 3600});
        let before = count(
            &app,
            "SELECT COUNT(*) AS n FROM log_entry WHERE kind = 'refolded'",
        )
        .await;
        assert_eq!(platform.post("/v1/policy", &policy).await.status, 204);
        holds(&app, "policy").await;
        let after = count(
            &app,
            "SELECT COUNT(*) AS n FROM log_entry WHERE kind = 'refolded'",
        )
        .await;
        assert_eq!(before, after);
        app.stop().await;
    }
);

on_both!(work_that_was_cut_short_goes_on_where_it_was, |app| {
    let scene = Scene::of(&app).await;
    let tins: Vec<&String> = scene.tins.iter().take(12).collect();
    let mut store = scene.device(&app, &scene.store).await;
    for tin in &tins {
        let events = [
            store.event("inbound", &inbound(&[tin])),
            store.event("sale", &sale(&[tin])),
        ];
        store.push(&events).await;
    }
    settled(&app).await;
    recalled(&scene, &scene.batch).await;
    settled(&app).await;
    let found = "SELECT COUNT(*) AS n FROM finding WHERE code = 'SOLD_RECALLED' AND closed IS NULL";
    assert_eq!(count(&app, found).await, 12);
    // As if the program had ended in the middle: what the first slice did is done, the rest not.
    let db = app.state().db.clone();
    let ids =
        "SELECT MAX(id) AS n FROM (SELECT id FROM unit WHERE phase = 'sold' ORDER BY id LIMIT 5) u";
    let cursor = count(&app, ids).await;
    let undone = "UPDATE unit SET state = REPLACE(state, 'SOLD_RECALLED', 'SOLD_EXPIRED') \
                  WHERE phase = 'sold' AND id > ";
    let undone = format!("{undone}{cursor}");
    db.writer().execute_unprepared(&undone).await.expect("rows");
    let twisted = "SELECT COUNT(*) AS n FROM unit WHERE state LIKE '%SOLD_EXPIRED%'";
    assert_eq!(count(&app, twisted).await, 7);
    let done = format!("SELECT COALESCE(MAX(gseq), 0) AS n FROM unit WHERE id <= {cursor}");
    let before = count(&app, &done).await;
    let work = Work {
        id: i64::MAX,
        scope: Scope::Batch {
            batch: BatchId(scene.batch.parse().expect("an id")),
        },
        cursor,
        cause: None,
        gseq: 1,
    };
    refold::add(db.writer(), std::slice::from_ref(&work))
        .await
        .expect("work");
    settled(&app).await;
    assert_eq!(count(&app, twisted).await, 0);
    assert_eq!(count(&app, found).await, 12);
    assert_eq!(
        count(&app, &done).await,
        before,
        "what was done is not done again"
    );
    holds(&app, "went on").await;
    // A slice of work that somebody else moved on meanwhile does nothing.
    let slices = "SELECT COUNT(*) AS n FROM log_entry WHERE kind = 'refolded'";
    let before = count(&app, slices).await;
    let again = app.state().handheld.ingest.with_engine(move |engine| {
        async move {
            let page = Hands::of(engine).page(&work, 5).await?;
            slice(engine, &work, 5, Ok(page.expect("a page"))).await
        }
        .boxed()
    });
    again.await.expect("the engine").expect("a slice");
    assert_eq!(count(&app, slices).await, before);
    app.stop().await;
});

on_both!(
    i10_work_that_merged_since_its_page_was_read_is_not_passed,
    |app| {
        let state = app.state();
        let db = &state.db;
        let issuer = suyuan_sync::ids::EnterpriseId(uuid::Uuid::now_v7());
        let voided = |n: i64| Work {
            id: n << 24,
            scope: Scope::Voided { issuer, since: 7 },
            cursor: 0,
            cause: None,
            gseq: n,
        };
        let accepted = |n: i64| Work {
            id: (n << 24) + 1,
            scope: Scope::Stranger {
                issuer,
                partner: issuer,
                since: n,
            },
            ..voided(n)
        };
        let tx = db.begin().await.expect("a transaction");
        refold::add(&tx, &[voided(7), accepted(7)])
            .await
            .expect("work");
        let read = refold::waiting(&tx, 10, false).await.expect("work");
        // Another process adds to it while the first page of it is folded here.
        refold::add(&tx, &[voided(9), accepted(9)])
            .await
            .expect("work");
        for work in &read {
            assert!(
                !refold::advance(&tx, work, None).await.expect("no error"),
                "{work:?}"
            );
        }
        let merged = refold::waiting(&tx, 10, false).await.expect("work");
        let since = |work: &Work| match work.scope {
            Scope::Stranger { since, .. } | Scope::Voided { since, .. } => (since, work.gseq),
            _ => panic!("{work:?}"),
        };
        let merged_since: Vec<_> = merged.iter().map(since).collect();
        assert_eq!(merged_since, [(7, 9), (7, 9)]);
        for work in &merged {
            assert!(
                refold::advance(&tx, work, None).await.expect("no error"),
                "{work:?}"
            );
        }
        tx.rollback().await.expect("a rollback");
        app.stop().await;
    }
);

/// PostgreSQL cuts a statement short that takes too long: as if what is read of movements of lots did.
const TOO_LONG: [&str; 3] = [
    "ALTER TABLE lot_move RENAME TO lot_move_kept",
    "CREATE FUNCTION too_long() RETURNS SETOF lot_move_kept LANGUAGE plpgsql AS $$ BEGIN \
     PERFORM pg_sleep(3); RAISE EXCEPTION 'too long' USING ERRCODE = '57014'; END $$",
    "CREATE VIEW lot_move AS SELECT * FROM too_long()",
];
const AS_IT_WAS: [&str; 3] = [
    "DROP VIEW lot_move",
    "DROP FUNCTION too_long()",
    "ALTER TABLE lot_move_kept RENAME TO lot_move",
];

on_both!(work_that_takes_too_long_keeps_no_other_waiting, |app| {
    // SQLite cuts nothing short.
    if app.engine == Engine::Postgres {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let tin = &scene.tins[0];
        let event = store.event("sale", &sale(&[tin]));
        store.push(&[event]).await;
        settled(&app).await;
        let db = &app.state().db;
        let all = async |statements: [&str; 3]| {
            for sql in statements {
                db.writer().execute_unprepared(sql).await.expect(sql);
            }
        };
        all(TOO_LONG).await;
        let place = LocationId(scene.store.parse().expect("an id"));
        let work = |n: i64, scope| Work {
            id: n << 24,
            scope,
            cursor: 0,
            cause: None,
            gseq: 1,
        };
        // What takes too long comes first, by what it is and by its age.
        let both = [
            work(1, Scope::Went { batch: None }),
            work(2, Scope::Place { place }),
        ];
        refold::add(db.writer(), &both).await.expect("work");
        let left = async |n: i64| {
            let sql = format!("SELECT COUNT(*) AS n FROM refold WHERE id = {}", n << 24);
            count(&app, &sql).await > 0
        };
        let (begun, mut slowest) = (Instant::now(), Duration::ZERO);
        while left(2).await {
            let event = store.event("sale", &sale(&[tin]));
            let pushed = Instant::now();
            store.push(&[event]).await;
            slowest = slowest.max(pushed.elapsed());
            assert!(
                begun.elapsed() < Duration::from_secs(25),
                "it waits for ever"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        println!(
            "slowest push {slowest:?}, the other work after {:?}",
            begun.elapsed()
        );
        assert!(left(1).await, "tried again later");
        assert!(
            slowest < Duration::from_secs(2),
            "{slowest:?}: pushes wait for a page"
        );
        all(AS_IT_WAS).await;
        settled(&app).await;
        holds(&app, "all done").await;
    }
    app.stop().await;
});
