//! What ends a wait: somebody's decision, enough time, a newer program. Each is an entry of the log.

use crate::{
    scene::{Scene, count, fates, holds, inbound, open_about_events, sale, unit},
    support::{array, number, ok, refused, text_of},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::time::Duration;
use suyuan::handheld::aside::tend;
use suyuan_sync::{
    chain,
    finding::FindingCode,
    fold::Phase,
    wire::{Ranges, Status},
};
use suyuan_tests::{Engine, TestApp, on_both, until};
use uuid::Uuid;

/// The kinds of the log's newest entries, newest last.
async fn kinds(app: &TestApp) -> Vec<String> {
    let entries = suyuan::log::Log::page(&app.state().log, None, 1, 500)
        .await
        .unwrap();
    entries.into_iter().map(|entry| entry.kind).collect()
}

/// How many of the log's entries are of a kind.
pub async fn entries(app: &TestApp, kind: &str) -> usize {
    kinds(app)
        .await
        .iter()
        .filter(|found| *found == kind)
        .count()
}

/// An application that waits for a second only.
async fn impatient(engine: Engine) -> TestApp {
    let flags = [("handheld.parking_s", "1"), ("handheld.tend_ms", "50")];
    TestApp::spawn_with(engine, &flags).await
}

on_both!(
    t6_an_event_of_a_stolen_device_is_taken_in_by_decision,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let event = device.event("inbound", &inbound(&[&scene.tins[0]]));
        device.push(&[event]).await;
        scene.revoke(&device).await;
        let event = device.event("sale", &sale(&[&scene.tins[0]]));
        device.push(&[event]).await;
        let listed = ok(scene.firm.operator.get("/v1/quarantine").await);
        let aside = &array(&listed["items"])[0];
        assert_eq!(
            (aside["fate"].as_str(), aside["kind"].as_str()),
            (Some("quarantined"), Some("sale"))
        );
        assert_eq!(aside["remarks"], json!(["DEVICE_REVOKED"]));
        assert!(text_of(&aside["text"]).contains("w-17"), "verbatim");
        let path = format!("/v1/quarantine/{}/admit", number(&aside["position"]));
        let why = json!({"note": "seen on the camera"});
        refused(scene.firm.operator.post(&path, &why).await, "not-allowed");
        let admitted = ok(scene.firm.admin.post(&path, &why).await);
        assert_eq!(
            (admitted["fate"].as_str(), &admitted["remarks"]),
            (Some("stored"), &json!([]))
        );
        assert_eq!(
            unit(&app, &scene.tins[0]).await.kept.state.phase,
            Phase::Sold
        );
        assert_eq!(open_about_events(&app, FindingCode::DeviceRevoked).await, 0);
        refused(scene.firm.admin.post(&path, &why).await, "not-aside");
        refused(
            scene.firm.admin.post("/v1/quarantine/1/admit", &why).await,
            "not-found",
        );
        assert_eq!(
            ok(scene.firm.operator.get("/v1/quarantine").await)["items"],
            json!([])
        );
        assert_eq!(entries(&app, "admitted").await, 1);
        app.stop().await;
    }
);

on_both!(
    t3_a_second_copys_events_are_taken_in_under_the_new_epoch,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let event = device.event("inbound", &inbound(&[&scene.tins[0], &scene.tins[1]]));
        device.push(&[event]).await;
        let mut copy = device.copy(&app.internal_url);
        let own = device.event("sale", &sale(&[&scene.tins[0]]));
        device.push(&[own]).await;
        let events = [
            copy.event("sale", &sale(&[&scene.tins[1]])),
            copy.event("inbound", &inbound(&[&scene.tins[2]])),
        ];
        copy.push(&events).await;
        let path = format!("/v1/devices/{}/tickets", device.device);
        let ticket = crate::support::made(scene.firm.operator.post(&path, &json!({})).await);
        let code = text_of(&ticket["ticket"]["code"]);
        let fresh = suyuan_tests::Handheld::enrol(&app.internal_url, &code).await;
        assert_eq!(fresh.epoch, 2);
        let listed = ok(scene.firm.operator.get("/v1/quarantine").await);
        assert_eq!(array(&listed["items"]).len(), 2);
        for aside in array(&listed["items"]) {
            let path = format!("/v1/quarantine/{}/admit", number(&aside["position"]));
            let admitted = scene
                .firm
                .admin
                .post(&path, &json!({"note": "both are true"}))
                .await;
            assert_eq!(ok(admitted)["fate"], "stored");
        }
        assert_eq!(
            unit(&app, &scene.tins[1]).await.kept.state.phase,
            Phase::Sold
        );
        assert_eq!(
            unit(&app, &scene.tins[2]).await.kept.state.phase,
            Phase::InStock
        );
        let sql = "SELECT COUNT(*) AS n FROM event WHERE order_epoch = 2 AND epoch = 1";
        assert_eq!(count(&app, sql).await, 2);
        assert_eq!(open_about_events(&app, FindingCode::DeviceFork).await, 0);
        // What was answered first is answered still.
        let again = copy.push_at(2, copy.history[1], &events).await;
        assert_eq!(again.results[0].code.as_deref(), Some("DEVICE_FORK"));
        app.stop().await;
    }
);

on_both!(
    t3_a_second_copys_event_stands_in_the_epoch_that_is_to_come,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let event = device.event("inbound", &inbound(&[&scene.tins[0], &scene.tins[1]]));
        device.push(&[event]).await;
        let mut copy = device.copy(&app.internal_url);
        let own = device.event("sale", &sale(&[&scene.tins[0]]));
        device.push(&[own]).await;
        let other = copy.event("sale", &sale(&[&scene.tins[1]]));
        copy.push(&[other]).await;
        // Neither has enrolled again yet.
        let listed = ok(scene.firm.operator.get("/v1/quarantine").await);
        let position = number(&array(&listed["items"])[0]["position"]);
        let path = format!("/v1/quarantine/{position}/admit");
        let note = json!({"note": "both are true"});
        ok(scene.firm.admin.post(&path, &note).await);
        let sql = "SELECT COUNT(*) AS n FROM event WHERE order_epoch = 2 AND epoch = 1";
        assert_eq!(count(&app, sql).await, 1);
        app.stop().await;
    }
);

on_both!(t4_a_gap_is_looked_at_again_before_it_is_forced, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let texts: Vec<String> = (0..3)
        .map(|n| device.event("inbound", &inbound(&[&scene.tins[n]])))
        .collect();
    device.push_at(1, device.history[0], &texts[..1]).await;
    device.push_at(3, device.history[2], &texts[2..]).await;
    let since = count(&app, "SELECT stamp AS n FROM event WHERE seq = 3").await;
    let (id, epoch) = (device.device.0, device.epoch);
    // What was due when it was looked for need not be when it is its turn.
    for (due, forced) in [(since - 1, 0), (since, 1)] {
        let acted = app.state().handheld.ingest.with_engine(move |engine| {
            Box::pin(async move {
                suyuan::handheld::aside::acts::force_gap(engine, id, epoch, due).await
            })
        });
        acted.await.expect("an engine").expect("an act");
        assert_eq!(
            entries(&app, "gap_forced").await,
            forced,
            "{due} of {since}"
        );
    }
    app.stop().await;
});

on_both!(
    t4_a_gap_is_waited_for_since_the_first_event_behind_it_however_it_is_filled,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let texts: Vec<String> = (0..6)
            .map(|n| device.event("inbound", &inbound(&[&scene.tins[n]])))
            .collect();
        // Number 2 has been missing since the last one came; the others fill the gap from its end.
        for n in [0, 5, 4, 3, 2] {
            let prev = device.history[n];
            device.push_at(n as u64 + 1, prev, &texts[n..=n]).await;
        }
        let since = count(&app, "SELECT stamp AS n FROM event WHERE seq = 6").await;
        let (db, ingest) = (&app.state().db, &app.state().handheld.ingest);
        for (due, forced) in [(since - 1, 0), (since, 1)] {
            tend::gaps(db, ingest, due).await.expect("tended");
            assert_eq!(
                entries(&app, "gap_forced").await,
                forced,
                "{due} of {since}"
            );
        }
        let receipt = device.push_at(7, device.head(), &[]).await.receipt;
        assert_eq!(receipt.contiguous_seq, 6);
        assert_eq!(receipt.missing_ranges, Ranges::of(2, 2));
        app.stop().await;
    }
);

on_both!(nobody_decides_about_anothers_events, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let garbage = device.make("garbage".into());
    device.push(&[garbage]).await;
    let platform = app
        .signed_in("platform.admin", crate::support::PASSWORD)
        .await;
    let other = crate::support::firm(&app, &platform, "BETA", &["9521235"]).await;
    assert_eq!(
        ok(other.admin.get("/v1/quarantine").await)["items"],
        json!([])
    );
    let listed = ok(scene.firm.admin.get("/v1/quarantine").await);
    let path = format!(
        "/v1/quarantine/{}/admit",
        number(&listed["items"][0]["position"])
    );
    refused(
        other.admin.post(&path, &json!({"note": "n"})).await,
        "not-found",
    );
    // What cannot be read cannot be taken in by anybody.
    refused(
        scene.firm.admin.post(&path, &json!({"note": "n"})).await,
        "not-aside",
    );
    app.stop().await;
});

async fn t4_forced(app: TestApp) {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let texts: Vec<String> = (0..5)
        .map(|n| device.event("inbound", &inbound(&[&scene.tins[n]])))
        .collect();
    let genesis = device.history[0];
    device.push_at(1, genesis, &texts[..1]).await;
    device.push_at(4, device.history[3], &texts[3..]).await;
    until("the gap is forced", Duration::from_secs(20), async || {
        entries(&app, "gap_forced").await == 1
    })
    .await;
    let receipt = device.push_at(6, device.head(), &[]).await.receipt;
    assert_eq!(
        (receipt.contiguous_seq, receipt.head_hash),
        (5, device.head())
    );
    assert_eq!(
        receipt.missing_ranges,
        Ranges::of(2, 3),
        "the gap stays in it"
    );
    assert!(!receipt.covers(2));
    // A late filler is admitted all the same.
    let late = device.push_at(2, device.history[1], &texts[1..3]).await;
    assert!(
        late.results.iter().all(|r| r.status == Status::Stored),
        "{late:?}"
    );
    assert!(late.receipt.missing_ranges.is_empty());
    assert_eq!(
        unit(&app, &scene.tins[1]).await.kept.state.phase,
        Phase::InStock
    );
    app.stop().await;
}

#[actix_web::test]
async fn t4_a_gap_is_waited_for_so_long_and_no_longer_sqlite() {
    t4_forced(impatient(Engine::Sqlite).await).await;
}

#[actix_web::test]
async fn t4_a_gap_is_waited_for_so_long_and_no_longer_postgres() {
    t4_forced(impatient(Engine::Postgres).await).await;
}

async fn t8_released(app: TestApp) {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let group = Uuid::now_v7();
    let of = |n: u32| {
        let mut said = inbound(&[&scene.tins[n as usize]]);
        said["group"] = json!({"id": group, "n": n, "of": 3});
        said
    };
    let events = [
        device.event("inbound", &of(1)),
        device.event("sale", &sale(&[&scene.tins[1]])),
    ];
    let answer = device.push(&events).await;
    assert_eq!(answer.results[0].status, Status::Parked);
    until(
        "the group is released",
        Duration::from_secs(20),
        async || entries(&app, "group_released").await == 1,
    )
    .await;
    assert_eq!(fates(&app).await[0].1, "stored_flagged");
    assert_eq!(open_about_events(&app, FindingCode::PartialGroup).await, 1);
    // It stands before the sale, where it always was: so the tin had come in.
    let kept = unit(&app, &scene.tins[1]).await.kept;
    assert_eq!(
        (kept.state.phase, kept.findings.len()),
        (Phase::Sold, 0),
        "{kept:?}"
    );
    // A member that comes later still is taken in at once.
    let late = device.event("inbound", &of(2));
    let answer = device.push(&[late]).await;
    assert_eq!(answer.results[0].status, Status::StoredFlagged);
    assert_eq!(answer.results[0].code.as_deref(), Some("PARTIAL_GROUP"));
    assert_eq!(open_about_events(&app, FindingCode::PartialGroup).await, 2);
    // The last of them makes it whole: nothing is missing any more, of none of them.
    let last = device.event("inbound", &of(3));
    let answer = device.push(&[last]).await;
    assert_eq!(answer.results[0].status, Status::Stored);
    assert_eq!(open_about_events(&app, FindingCode::PartialGroup).await, 0);
    let fates = fates(&app).await;
    assert!(fates.iter().all(|(_, fate)| fate == "stored"), "{fates:?}");
    holds(&app, "the group is whole").await;
    app.stop().await;
}

#[actix_web::test]
async fn t8_a_group_is_waited_for_so_long_and_no_longer_sqlite() {
    t8_released(impatient(Engine::Sqlite).await).await;
}

#[actix_web::test]
async fn t8_a_group_is_waited_for_so_long_and_no_longer_postgres() {
    t8_released(impatient(Engine::Postgres).await).await;
}

on_both!(
    t8_a_group_waits_since_its_first_member_and_leaves_alone,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let event = device.event("inbound", &inbound(&[&scene.tins[0]]));
        device.push(&[event]).await;
        let mut copy = device.copy(&app.internal_url);
        let group = Uuid::now_v7();
        let of = |n: u32| {
            let mut said = inbound(&[&scene.tins[n as usize]]);
            said["group"] = json!({"id": group, "n": n, "of": 3});
            said
        };
        let first = device.event("inbound", &of(1));
        device.push(&[first]).await;
        let waits = "SELECT waiting_since AS n FROM device_group";
        let since = count(&app, waits).await;
        // A second copy fills the same number with something else.
        let other = copy.event("sale", &sale(&[&scene.tins[5]]));
        copy.push(&[other]).await;
        let second = device.event("inbound", &of(2));
        device.push(&[second]).await;
        assert_eq!(count(&app, waits).await, since, "it does not begin anew");
        let all = async || -> Vec<String> {
            let fates = fates(&app).await.into_iter();
            fates.map(|(_, fate)| fate).collect()
        };
        let state = app.state();
        let released = async |due: i64| {
            let done = tend::groups(&state.db, &state.handheld.ingest, due).await;
            done.expect("groups");
        };
        released(since - 1).await;
        assert_eq!(all().await, ["stored", "parked", "quarantined", "parked"]);
        released(since).await;
        let flagged = "stored_flagged";
        assert_eq!(all().await, ["stored", flagged, "quarantined", flagged]);
        // The copy's is what it was.
        let fork = "SELECT COUNT(*) AS n FROM event WHERE branch IS NOT NULL \
                    AND remarks = 'DEVICE_FORK' AND counts_from IS NULL";
        assert_eq!(count(&app, fork).await, 1);
        app.stop().await;
    }
);

on_both!(
    t7_what_was_parked_is_taken_in_by_a_program_that_knows_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let tin = &scene.tins[0];
        let event = device.event("inbound", &inbound(&[tin]));
        device.push(&[event]).await;
        // It acknowledged what it was told, and sells after that (C9).
        let told = device.pull(0, 500).await.cursor;
        device.pull(told, 500).await;
        device.status().await;
        // To this program a sale is known. To the one that took this event in, it was not: so let its
        // row say.
        let event = device.event("sale", &sale(&[tin]));
        device.push(&[event]).await;
        let delivered = "SELECT delivered AS n FROM event WHERE seq = 2";
        assert_eq!(count(&app, delivered).await, told);
        let db = &app.state().db;
        for undo in [
            "UPDATE event SET fate = 'parked', remarks = 'UNKNOWN_KIND', counts_from = NULL, \
         delivered = 0, \
         told = '{\"status\":\"parked\",\"remarks\":[\"UNKNOWN_KIND\"],\"findings\":[]}' WHERE seq = 2",
            "DELETE FROM event_unit WHERE gseq = (SELECT gseq FROM event WHERE seq = 2)",
        ] {
            db.writer().execute_unprepared(undo).await.unwrap();
        }
        let listed = ok(scene.firm.admin.get("/v1/quarantine").await);
        assert_eq!(listed["items"][0]["fate"], "parked");
        let store = suyuan::handheld::aside::store::unknown_kinds(db.reader(), 0, 10)
            .await
            .unwrap();
        let taken = app
            .state()
            .handheld
            .ingest
            .with_engine(move |engine| {
                Box::pin(async move {
                    suyuan::handheld::aside::acts::admit_known_kinds(engine, &store).await
                })
            })
            .await
            .unwrap();
        assert_eq!(taken.unwrap(), 1);
        assert_eq!(entries(&app, "admitted").await, 1);
        assert_eq!(count(&app, delivered).await, told);
        assert_eq!(unit(&app, tin).await.kept.state.phase, Phase::Sold);
        assert_eq!(fates(&app).await[1].1, "stored");
        let none: Value = ok(scene.firm.admin.get("/v1/quarantine").await)["items"].clone();
        assert_eq!(none, json!([]));
        app.stop().await;
    }
);

/// To this program a kind is known by now under another name: as if it were a newer one than took the event in.
async fn upgraded(app: &TestApp, (kind, known): (&str, &str)) {
    let db = &app.state().db;
    let sql = "SELECT gseq, body FROM event WHERE kind = ?";
    let query = suyuan::db::statement(db.backend(), sql, [kind.into()]);
    for row in db.reader().query_all_raw(query).await.expect("events") {
        let body: Vec<u8> = row.try_get("", "body").expect("a text");
        let text = String::from_utf8(body)
            .expect("a text")
            .replace(kind, known);
        let gseq: i64 = row.try_get("", "gseq").expect("a position");
        let sql = "UPDATE event SET body = ? WHERE gseq = ?";
        let values = [text.into_bytes().into(), gseq.into()];
        let query = suyuan::db::statement(db.backend(), sql, values);
        db.writer().execute_raw(query).await.expect("an event");
    }
}

on_both!(
    t7_what_was_found_before_an_event_could_be_read_is_found_at_its_place_then,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let tin = &scene.tins[0];
        let event = device.event("inbound", &inbound(&[tin]));
        device.push(&[event]).await;
        let text = device.text(2, "sell", &sale(&[tin]));
        let answer = device.push_at(2, chain::Hash([9; 32]), &[text]).await;
        assert_eq!(answer.results[0].code.as_deref(), Some("UNKNOWN_KIND"));
        let here = format!("/v1/findings?code=CHAIN_BREAK&place={}", scene.store);
        let found = async || ok(scene.firm.operator.get(&here).await)["items"].clone();
        assert_eq!(open_about_events(&app, FindingCode::ChainBreak).await, 1);
        assert_eq!(found().await, json!([]), "nobody knows where it happened");
        upgraded(&app, ("sell", "sale")).await;
        let state = app.state();
        let taken = tend::known_kinds(&state.db, &state.handheld.ingest).await;
        assert_eq!(taken.expect("it is taken in"), 1);
        assert_eq!(open_about_events(&app, FindingCode::ChainBreak).await, 1);
        let found = found().await;
        assert_eq!(array(&found).len(), 1);
        assert_eq!(text_of(&found[0]["location_id"]), scene.store);
        app.stop().await;
    }
);

on_both!(
    t7_of_two_servers_that_know_a_kind_by_now_one_reads_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let group = Uuid::now_v7();
        let of = |n: u32| {
            let mut said = inbound(&[&scene.tins[n as usize]]);
            said["group"] = json!({"id": group, "n": n, "of": 2});
            said
        };
        let mut first = of(1);
        first["anchor"] = json!("none of ours");
        let first = device.event("arrive", &first);
        device.push(&[first]).await;
        upgraded(&app, ("arrive", "inbound")).await;
        let state = app.state();
        let parked = suyuan::handheld::aside::store::unknown_kinds(state.db.reader(), 0, 10);
        let parked = parked.await.expect("what is parked");
        // Both looked before either wrote.
        for taken in [1, 0] {
            let parked = parked.clone();
            let admitted = state.handheld.ingest.with_engine(move |engine| {
                Box::pin(async move {
                    suyuan::handheld::aside::acts::admit_known_kinds(engine, &parked).await
                })
            });
            let admitted = admitted.await.expect("an engine");
            assert_eq!(admitted.expect("taken in"), taken);
        }
        assert_eq!(entries(&app, "admitted").await, 1);
        // It waits for its group, and says once that its anchor is none.
        let second = device.event("inbound", &of(2));
        device.push(&[second]).await;
        let all: Vec<String> = fates(&app)
            .await
            .into_iter()
            .map(|(_, fate)| fate)
            .collect();
        assert_eq!(all, ["stored"; 2]);
        assert_eq!(open_about_events(&app, FindingCode::NoAnchor).await, 1);
        app.stop().await;
    }
);

on_both!(
    t5_a_break_found_of_an_event_that_stands_aside_is_told_of_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let genesis = device.head();
        let first = device.event("inbound", &inbound(&[&scene.tins[0]]));
        let behind_first = device.head();
        let second = device.event("sale", &sale(&[&scene.tins[0]]));
        scene.revoke(&device).await;
        // The first is missing, and the key is not trusted any more.
        device.push_at(2, behind_first, &[second]).await;
        assert_eq!(open_about_events(&app, FindingCode::ChainBreak).await, 0);
        // Another first event than the one it stands behind.
        let other = first.replace("w-17", "w-18");
        device.push_at(1, genesis, &[other]).await;
        assert_eq!(open_about_events(&app, FindingCode::ChainBreak).await, 1);
        assert_eq!(open_about_events(&app, FindingCode::DeviceRevoked).await, 2);
        holds(&app, "after a break found of an event that stands aside").await;
        app.stop().await;
    }
);

on_both!(
    t5_a_break_found_later_leaves_since_when_an_event_counted,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let group = Uuid::now_v7();
        let of = |n: u32| {
            let mut said = inbound(&[&scene.tins[n as usize]]);
            said["group"] = json!({"id": group, "n": n, "of": 2});
            said
        };
        let genesis = device.head();
        let first = device.event("inbound", &inbound(&[&scene.tins[0]]));
        let behind_first = device.head();
        let second = device.event("inbound", &of(1));
        let behind_second = device.head();
        let third = device.event("inbound", &of(2));
        // The first is missing. The second waits for the third, and counts since that came.
        device.push_at(2, behind_first, &[second]).await;
        device.push_at(3, behind_second, &[third]).await;
        let counts_from = "SELECT counts_from AS n FROM event WHERE seq = 2";
        let since = count(&app, counts_from).await;
        assert!(since > count(&app, "SELECT gseq AS n FROM event WHERE seq = 2").await);
        // Another first event than the one it stands behind.
        let other = first.replace("w-17", "w-18");
        assert_ne!(other, first);
        device.push_at(1, genesis, &[other]).await;
        assert_eq!(
            count(
                &app,
                "SELECT COUNT(*) AS n FROM event WHERE seq = 2 AND remarks LIKE '%CHAIN_BREAK%'"
            )
            .await,
            1
        );
        assert_eq!(count(&app, counts_from).await, since);
        app.stop().await;
    }
);
