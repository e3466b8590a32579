//! What people decide and folds read: windows (C2), the end of a shift (C10), accepted holders (C14),
//! closed periods (T10).

use crate::{
    scene::{
        Scene, enrolled, holds, inbound, open, open_about_events, sale, scanned, settled, unit,
    },
    support::{array, firm, gtin, id, made, ok, person, text_of},
};
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use std::time::Duration;
use suyuan::accounts::Role;
use suyuan_sync::{finding::FindingCode, fold::Phase};
use suyuan_tests::{Caller, Handheld, TestApp, on_both};
use uuid::Uuid;

/// Another operator of the platform than the scene's.
async fn operator(app: &TestApp) -> Caller {
    person(app, "platform.second", Role::PlatformAdmin, None).await
}

/// Scans a tin twice within a millisecond and says what is found about it.
async fn twice(app: &TestApp, device: &mut Handheld, tin: &String) -> Vec<&'static str> {
    let mut said = inbound(&[tin]);
    let first = device.event("inbound", &said);
    said["mono"] = json!(1);
    let second = device.event("inbound", &said);
    device.push(&[first, second]).await;
    open(app, tin).await
}

on_both!(c2_the_windows_in_force_are_those_of_their_time, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let platform = operator(&app).await;
    let policy = ok(platform.get("/v1/policy").await);
    assert_eq!(
        policy,
        json!({"duplicate_window_s": 600, "list_age_s": 86_400})
    );
    assert_eq!(
        twice(&app, &mut device, &scene.tins[0]).await,
        ["DOUBLE_SCAN"]
    );

    let none = json!({"duplicate_window_s": 0, "list_age_s": 3600});
    assert_eq!(platform.post("/v1/policy", &none).await.status, 204);
    assert_eq!(ok(scene.firm.operator.get("/v1/policy").await), none);
    // The device must have heard of it: what stands before it in the order is judged as before.
    assert_eq!(
        twice(&app, &mut device, &scene.tins[1]).await,
        ["DOUBLE_SCAN"]
    );
    device.status().await;
    let found = twice(&app, &mut device, &scene.tins[2]).await;
    assert!(!found.contains(&"DOUBLE_SCAN"));

    for (field, value) in [
        ("duplicate_window_s", -1),
        ("duplicate_window_s", 86_401),
        ("list_age_s", 59),
    ] {
        let mut wrong = none.clone();
        wrong[field] = json!(value);
        let answer = platform.post("/v1/policy", &wrong).await;
        assert_eq!(answer.status, 422, "{field} {value}");
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
    app.stop().await;
});

on_both!(c10_after_a_shift_a_retract_is_late, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let [early, late] = [&scene.tins[0], &scene.tins[1]];
    let sales = [early, late].map(|tin| {
        let mut said = sale(&[tin]);
        said["event_id"] = json!(Uuid::now_v7());
        said
    });
    let events: Vec<_> = sales
        .iter()
        .map(|said| device.event("sale", said))
        .collect();
    device.push(&events).await;
    let strike = |n: usize| json!({"target": sales[n]["event_id"], "reason": "误扫"});
    let event = device.event("retract", &strike(0));
    device.push(&[event]).await;
    assert_eq!(open(&app, early).await, Vec::<&str>::new());

    let path = format!("/v1/devices/{}/shift-closures", device.device.0);
    // Nobody ends the shift of another enterprise's device.
    let stranger = firm(&app, &operator(&app).await, "SHEN", &[]).await;
    let answer = stranger.operator.post(&path, &json!({})).await;
    assert_eq!(answer.status, 404);
    made(scene.firm.operator.post(&path, &json!({})).await);
    device.status().await;
    let event = device.event("retract", &strike(1));
    device.push(&[event]).await;
    assert_eq!(open_about_events(&app, FindingCode::LateRetract).await, 1);
    assert_eq!(open(&app, late).await, [""; 0]);
    assert_ne!(unit(&app, late).await.kept.state.phase, Phase::Sold);

    let unknown = format!("/v1/devices/{}/shift-closures", Uuid::new_v4());
    assert_eq!(
        scene.firm.operator.post(&unknown, &json!({})).await.status,
        404
    );
    app.stop().await;
});

on_both!(c14_an_accepted_holder_counts, |app| {
    let scene = Scene::of(&app).await;
    let stranger = firm(&app, &operator(&app).await, "SHEN", &[]).await;
    let shop = json!({"code": "S-1", "kind": "store", "name": "门店"});
    let shop = id(&made(stranger.admin.post("/v1/locations", &shop).await));
    let mut till = enrolled(&app, &stranger.operator, &shop).await;
    let [before, after] = [&scene.tins[0], &scene.tins[1]];
    let event = till.event("inbound", &inbound(&[before]));
    till.push(&[event]).await;
    assert_eq!(open(&app, before).await, ["UNEXPECTED_HOLDER"]);
    assert_eq!(
        unit(&app, before).await.kept.state.phase,
        Phase::Commissioned
    );

    let admin = &scene.firm.admin;
    let accept = json!({"partner_id": stranger.id, "batch_id": scene.batch});
    let out = made(admin.post("/v1/acceptances", &accept).await);
    assert_eq!(out["from"], 0);
    let listed = ok(admin.get("/v1/acceptances").await);
    assert_eq!(array(&listed["items"]), [out]);
    assert_eq!(
        array(&ok(stranger.admin.get("/v1/acceptances").await)["items"]),
        Vec::<serde_json::Value>::new()
    );
    let event = till.event("inbound", &inbound(&[after]));
    till.push(&[event]).await;
    assert_eq!(open(&app, after).await, Vec::<&str>::new());
    assert_eq!(unit(&app, after).await.kept.state.phase, Phase::InStock);

    // Whose units they are not says nothing about them, and learns nothing.
    let unknown = "https://id.example.cn/01/09506000134352/21/NOBODYS";
    let (maker, nobodys) = (&scene.firm.id, Uuid::new_v4().to_string());
    for (caller, partner, of, which) in [
        (&stranger.admin, maker, "unit", before.as_str()),
        (admin, &stranger.id, "unit", unknown),
        (&stranger.admin, maker, "batch_id", scene.batch.as_str()),
        (admin, &stranger.id, "batch_id", nobodys.as_str()),
    ] {
        let wrong = json!({"partner_id": partner, of: which});
        let answer = caller.post("/v1/acceptances", &wrong).await;
        assert_eq!(answer.status, 404, "{wrong}: {}", answer.text());
        assert_eq!(answer.problem(), "not-found");
    }
    let one = json!({"partner_id": stranger.id, "unit": before});
    made(admin.post("/v1/acceptances", &one).await);

    for wrong in [
        json!({"partner_id": Uuid::new_v4()}),
        json!({"partner_id": scene.firm.id}),
        json!({"partner_id": stranger.id, "unit": "06901234567892"}),
        json!({"partner_id": stranger.id, "unit": before, "batch_id": scene.batch}),
        json!({"partner_id": stranger.id, "from": 1_000_000}),
    ] {
        let answer = admin.post("/v1/acceptances", &wrong).await;
        assert_eq!(answer.status, 422, "{wrong}: {}", answer.text());
    }
    app.stop().await;
});

on_both!(
    c14_who_is_accepted_for_a_thing_and_not_for_what_it_is_in,
    |app| {
        let scene = Scene::of(&app).await;
        let stranger = firm(&app, &operator(&app).await, "SHEN", &[]).await;
        let shop = json!({"code": "S-1", "kind": "store", "name": "门店"});
        let shop = id(&made(stranger.admin.post("/v1/locations", &shop).await));
        let mut plant = scene.device(&app, &scene.plant).await;
        let mut till = enrolled(&app, &stranger.operator, &shop).await;
        let (cases, tins) = (&scene.cases[..2], [&scene.tins[..3], &scene.tins[3..6]]);
        for (case, tins) in cases.iter().zip(tins) {
            let inside: Vec<&String> = tins.iter().collect();
            let packed = json!({
                "parent": {"code": case, "input": "wedge"}, "children": scanned(&inside),
            });
            let event = plant.event("pack", &packed);
            plant.push(&[event]).await;
        }
        till.status().await;
        let event = till.event("inbound", &inbound(&[&cases[0], &cases[1]]));
        till.push(&[event]).await;
        // For a tin and not for its case; for a case and not for its tins.
        for of in [&tins[0][0], &cases[1]] {
            let accept = json!({"partner_id": stranger.id, "unit": of});
            made(scene.firm.admin.post("/v1/acceptances", &accept).await);
        }
        holds(&app, "accepted").await;
        // The one tin and the other case came to the shop, and nothing else.
        let place = async |code: &String| unit(&app, code).await.kept.state.place;
        let (tin, case) = (place(&tins[0][0]).await, place(&cases[1]).await);
        assert_eq!(tin, case);
        assert_ne!(place(&cases[0]).await, case);
        assert_ne!(place(&tins[1][0]).await, case);
        app.stop().await;
    }
);

on_both!(
    c14_whose_goods_they_are_becomes_known_after_a_stranger_was_found,
    |app| {
        let scene = Scene::of(&app).await;
        let (platform, gtin) = (operator(&app).await, gtin("0952123400002"));
        let tin = format!("https://id.example.cn/01/{gtin}/21/N1");
        let mut firms = Vec::new();
        for code in ["SHEN", "HAN"] {
            let firm = firm(&app, &platform, code, &[]).await;
            let shop = json!({"code": "S-1", "kind": "store", "name": "门店"});
            let shop = id(&made(firm.admin.post("/v1/locations", &shop).await));
            let mut till = enrolled(&app, &firm.operator, &shop).await;
            let event = till.event("inbound", &inbound(&[&tin]));
            till.push(&[event]).await;
            firms.push(firm);
        }
        // Who was heard first has it, as long as nobody issued it.
        assert_eq!(open(&app, &tin).await, ["UNEXPECTED_HOLDER"]);
        let admin = &scene.firm.admin;
        let body = json!({
            "code": "CM-3", "name": "护理", "profile": "maternal-baby", "gtin": gtin,
        });
        made(admin.post("/v1/products", &body).await);
        settled(&app).await;
        assert_eq!(open(&app, &tin).await, ["UNEXPECTED_HOLDER"; 2]);
        let told = ok(admin.get("/v1/findings?open=true&limit=500").await);
        let told = array(&told["items"]).iter();
        let strangers = told.filter(|found| found["code"] == "UNEXPECTED_HOLDER");
        assert_eq!(strangers.count(), 2);
        // What counts from now on is what was found before, too.
        let accept = json!({"partner_id": firms[1].id});
        made(admin.post("/v1/acceptances", &accept).await);
        holds(&app, "accepted").await;
        assert_eq!(open(&app, &tin).await, ["UNEXPECTED_HOLDER"]);
        app.stop().await;
    }
);

on_both!(
    t10_what_comes_after_a_period_was_closed_is_folded_and_listed,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let admin = &scene.firm.admin;
        let event = device.event("inbound", &inbound(&[&scene.tins[0]]));
        device.push(&[event]).await;
        // Made before the period ends, and sent after it was closed.
        let late = device.event("inbound", &inbound(&[&scene.tins[1]]));
        tokio::time::sleep(Duration::from_millis(20)).await;
        let until = Timestamp::now().to_string();
        let period = made(admin.post("/v1/periods", &json!({"until": until})).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
        device.push(&[late]).await;
        device.status().await;
        let event = device.event("inbound", &inbound(&[&scene.tins[2]]));
        device.push(&[event]).await;
        for tin in &scene.tins[..3] {
            assert_eq!(unit(&app, tin).await.kept.state.phase, Phase::InStock);
        }
        let path = format!("/v1/periods/{}/restatements", period["position"]);
        let listed = ok(admin.get(&path).await);
        let [restated] = array(&listed["items"]) else {
            panic!("one came late: {listed}");
        };
        assert_eq!(
            (
                text_of(&restated["kind"]),
                text_of(&restated["location_id"])
            ),
            ("inbound".into(), scene.store.clone())
        );
        assert!(text_of(&restated["at"]) <= text_of(&period["until"]));
        assert!(restated["position"].as_i64() > period["position"].as_i64());
        // Who read so far sees what is noted later, though it came in long before.
        let (db, seen) = (&app.state().db, text_of(&restated["cursor"]));
        let since = format!("{path}?after={seen}");
        assert_eq!(ok(admin.get(&since).await)["items"], json!([]));
        let old = crate::scene::count(&app, "SELECT MIN(gseq) AS n FROM event").await;
        let owner: Uuid = scene.firm.id.parse().expect("an id");
        let closed = period["position"].as_i64().expect("a position");
        let noted = app.state().log.head().await.expect("a head").0;
        let newest = crate::scene::count(&app, "SELECT MAX(gseq) AS n FROM event").await;
        let moved = [(owner, closed, old), (owner, closed, newest)];
        suyuan::handheld::decisions::note_restated(db.writer(), &moved, noted)
            .await
            .expect("noted");
        let listed = ok(admin.get(&since).await);
        assert_eq!(listed["items"][0]["position"], old, "{listed}");
        assert_eq!(listed["items"][0]["noted"], noted, "{listed}");
        // Two were noted at once: who read the one sees the other.
        let first = text_of(&listed["items"][0]["cursor"]);
        let rest = ok(admin.get(&format!("{path}?after={first}")).await);
        assert_eq!(array(&rest["items"]).len(), 1, "{rest}");
        assert_eq!(rest["items"][0]["position"], newest, "{rest}");
        let all = ok(admin.get(&path).await);
        assert_eq!(array(&all["items"]).len(), 3);
        for wrong in ["x", "1", "1-", "-"] {
            let answer = admin.get(&format!("{path}?after={wrong}")).await;
            assert_eq!(answer.status, 400, "{wrong}");
        }
        assert_eq!(
            array(&ok(admin.get("/v1/periods").await)["items"]),
            std::slice::from_ref(&period)
        );

        let stranger = firm(&app, &operator(&app).await, "SHEN", &[]).await;
        assert_eq!(stranger.admin.get(&path).await.status, 404);
        let tomorrow = Timestamp::now().checked_add(24.hours()).expect("a time");
        for wrong in [until, tomorrow.to_string(), "yesterday".into()] {
            let answer = admin.post("/v1/periods", &json!({"until": wrong})).await;
            assert_eq!(answer.status, 422, "{wrong}");
        }
        app.stop().await;
    }
);

on_both!(
    t10_what_moves_into_a_closed_period_is_listed_as_well,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let admin = &scene.firm.admin;
        // All three were scanned within the period, the second by a clock that was ahead.
        let mut texts = Vec::new();
        for n in 0..3 {
            let mut said = inbound(&[&scene.tins[n]]);
            if n == 1 {
                let ahead = Timestamp::now().checked_add(1.hours()).expect("a time");
                said["at"] = json!(ahead.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string());
            }
            texts.push(device.event("inbound", &said));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        let until = Timestamp::now().to_string();
        tokio::time::sleep(Duration::from_millis(20)).await;
        device.push_at(1, device.history[0], &texts[..2]).await;
        let period = made(admin.post("/v1/periods", &json!({"until": until})).await);
        let path = format!("/v1/periods/{}/restatements", period["position"]);
        assert_eq!(ok(admin.get(&path).await)["items"], json!([]));
        // The third comes in late, and shows where the second belongs.
        device.push_at(3, device.history[2], &texts[2..]).await;
        let listed = ok(admin.get(&path).await);
        let listed = array(&listed["items"]);
        let positions = listed
            .iter()
            .map(|item| item["position"].as_i64().expect("one"));
        let mut expected = Vec::new();
        for seq in [2, 3] {
            let of = format!("SELECT gseq AS n FROM event WHERE seq = {seq}");
            expected.push(crate::scene::count(&app, &of).await);
        }
        assert_eq!(positions.collect::<Vec<_>>(), expected);
        app.stop().await;
    }
);

on_both!(
    t10_what_moves_out_of_a_closed_period_is_listed_as_well,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let admin = &scene.firm.admin;
        // Scanned within the period, the first by a clock that was ahead.
        let mut ahead = inbound(&[&scene.tins[0]]);
        let hour = Timestamp::now().checked_add(1.hours()).expect("a time");
        ahead["at"] = json!(hour.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string());
        let texts = [
            device.event("inbound", &ahead),
            device.event("inbound", &inbound(&[&scene.tins[1]])),
        ];
        tokio::time::sleep(Duration::from_millis(20)).await;
        let until = Timestamp::now().to_string();
        tokio::time::sleep(Duration::from_millis(20)).await;
        device.push(&texts).await;
        let period = made(admin.post("/v1/periods", &json!({"until": until})).await);
        let path = format!("/v1/periods/{}/restatements", period["position"]);
        assert_eq!(ok(admin.get(&path).await)["items"], json!([]));
        // A third, of today: now the second may as well have been later as the first says.
        device.status().await;
        let event = device.event("inbound", &inbound(&[&scene.tins[2]]));
        device.push(&[event]).await;
        let listed = ok(admin.get(&path).await);
        let second = "SELECT gseq AS n FROM event WHERE seq = 2";
        let second = crate::scene::count(&app, second).await;
        let positions = array(&listed["items"]).iter();
        let positions: Vec<_> = positions.map(|item| item["position"].clone()).collect();
        assert_eq!(positions, [json!(second)], "{listed}");
        let behind = "SELECT COUNT(*) AS n FROM event JOIN period ON eff > until WHERE seq = 2";
        assert_eq!(crate::scene::count(&app, behind).await, 1, "{listed}");
        app.stop().await;
    }
);
