//! Who may read: devices sign over an anchor that is not old, and are told how they stand.

use crate::{
    enrolment::place,
    known::printed,
    scene::{Scene, count, enrolled, inbound, sale, settled, unit},
    support::{PASSWORD, array, firm, id, made, ok, refused, segment, text_of},
};
use jiff::Timestamp;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::time::Duration;
use suyuan_sync::{
    finding::FindingCode,
    wire::{PushAnswer, TYP_PUSH},
};
use suyuan_tests::{DeviceKey, caller::encoded, on_both, recall_order};
use uuid::Uuid;

const STATUS: &str = "/v1/sync/status";

on_both!(an_old_anchor_is_answered_with_a_fresh_one, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let state = app.state();
    let minutes_ago = |minutes: i64| {
        let at = state.clock.now() - minutes * 60 * 1_000_000;
        state.handheld.anchors.issue(device.device.0, 1, 0, at)
    };
    assert_eq!(device.read_with(STATUS, &minutes_ago(14)).await.status, 200);
    for stale in [minutes_ago(16), String::new(), "0".repeat(38)] {
        let answer = device.read_with(STATUS, &stale).await;
        let body = refused(answer, "stale-anchor");
        let fresh = text_of(&body["anchor"]);
        assert_eq!(device.read_with(STATUS, &fresh).await.status, 200);
    }
    // Another device's anchor is nobody's anchor here.
    let other = scene.device(&app, &scene.store).await;
    refused(
        device.read_with(STATUS, &other.anchor).await,
        "stale-anchor",
    );
    device.key = DeviceKey::new();
    refused(device.read(STATUS).await, "device-not-known");
    app.stop().await;
});

on_both!(a_token_of_a_push_reads_nothing, |app| {
    let scene = Scene::of(&app).await;
    let device = scene.device(&app, &scene.store).await;
    let claims = json!({
        "aud": device.installation, "device": device.device, "epoch": 1, "anchor": device.anchor,
    });
    let bearer = format!("Bearer {}", device.key.token(TYP_PUSH, &claims));
    let stranger = app.stranger();
    let answer = stranger
        .get_with(STATUS, &[("authorization", &bearer)])
        .await;
    refused(answer, "device-not-known");
    refused(stranger.get(STATUS).await, "device-not-known");
    refused(scene.firm.admin.get(STATUS).await, "device-not-known");
    app.stop().await;
});

on_both!(
    a_revoked_device_is_told_to_enrol_again_and_nothing_else,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        assert!(!device.status().await.re_enrol);
        scene.revoke(&device).await;
        assert!(device.status().await.re_enrol);
        refused(device.read("/v1/sync/pull").await, "not-allowed");
        let codes = json!({"v": 1, "codes": []});
        refused(device.ask("/v1/sync/lookups", &codes).await, "not-allowed");
        app.stop().await;
    }
);

on_both!(
    a_status_tells_what_is_held_what_stands_aside_and_what_to_look_at,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let before = device.status().await;
        assert_eq!(
            (before.contiguous_seq, before.head_hash),
            (0, device.head())
        );
        let events = [
            device.event("sale", &sale(&[&scene.tins[0]])),
            device.make("no event at all".into()),
            device.event("from_the_future", &json!({})),
        ];
        let pushed = device.push(&events).await;
        let status = device.status().await;
        assert_eq!(status.contiguous_seq, 3);
        assert_eq!(status.held_ranges, pushed.receipt.held_ranges);
        assert_eq!(status.head_hash, device.head());
        assert_eq!(status.parked.iter().map(|e| e.seq).collect::<Vec<_>>(), [3]);
        assert_eq!(
            status.quarantined.iter().map(|e| e.seq).collect::<Vec<_>>(),
            [2]
        );
        assert_eq!(
            Some(&status.quarantined[0].code),
            pushed.results[1].code.as_ref()
        );
        assert!(!status.more && !status.re_enrol);
        let orphan = status.findings.iter().find(|own| own.seq == 1);
        assert_eq!(
            orphan.map(|own| own.finding.code),
            Some(FindingCode::OrphanSale)
        );
        // Nobody else's.
        let mut other = scene.device(&app, &scene.store).await;
        let status = other.status().await;
        assert_eq!((status.contiguous_seq, status.findings.len()), (0, 0));
        assert_eq!((status.parked.len(), status.quarantined.len()), (0, 0));
        app.stop().await;
    }
);

on_both!(an_outbox_brought_by_another_is_as_good_as_a_push, |app| {
    let scene = Scene::of(&app).await;
    let mut broken = scene.device(&app, &scene.store).await;
    let mut carrier = scene.device(&app, &scene.store).await;
    let events = [
        broken.event("inbound", &inbound(&[&scene.tins[0]])),
        broken.event("sale", &sale(&[&scene.tins[0]])),
    ];
    let exported = broken.exported(&events);
    for _ in 0..2 {
        let answer = carrier.ask("/v1/sync/deposit", &exported).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer: PushAnswer = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            answer.receipt.device, broken.device,
            "the receipt is for whom it is of"
        );
        assert!(answer.receipt.covers(1) && answer.receipt.covers(2));
        // The anchor is of who holds the answer.
        carrier.anchor = answer.anchor;
        assert_eq!(carrier.status().await.contiguous_seq, 0);
    }
    let imported = "SELECT COUNT(*) AS n FROM event WHERE imported";
    assert_eq!(count(&app, imported).await, 2);
    assert_eq!(broken.status().await.contiguous_seq, 2);
    // Staff may bring it too; nobody may change it, and strangers bring nothing.
    let events = [broken.event("sale", &sale(&[&scene.tins[1]]))];
    let exported = broken.exported(&events);
    refused(
        app.stranger().post("/v1/sync/deposit", &exported).await,
        "not-signed-in",
    );
    let mut bent = exported.clone();
    let text = text_of(&bent["push"]["events"][0]).replace("sale", "s\u{e4}le");
    bent["push"]["events"][0] = Value::from(text);
    refused(
        scene.firm.operator.post("/v1/sync/deposit", &bent).await,
        "device-not-known",
    );
    let answer = scene
        .firm
        .operator
        .post("/v1/sync/deposit", &exported)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    app.stop().await;
});

on_both!(what_was_deposited_says_so_wherever_it_is_listed, |app| {
    let scene = Scene::of(&app).await;
    let (admin, tin) = (&scene.firm.admin, &scene.tins[0]);
    let mut own = scene.device(&app, &scene.store).await;
    let mut broken = scene.device(&app, &scene.store).await;
    let loose =
        json!({"lots": [{"gtin": "09521234000013", "lot": "L7", "qty": 3}], "doc": {"no": "D-7"}});
    let events = [
        broken.event("sale", &sale(&[tin])),
        broken.event("inbound", &loose),
        broken.make("{}".to_owned()),
    ];
    let events_of_own = [
        own.event("inbound", &inbound(&[tin])),
        own.event("sale", &sale(&[tin])),
    ];
    own.push(&events_of_own).await;
    let pushed = [own.event("inbound", &loose), own.make("{}".to_owned())];
    own.push(&pushed).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let until = json!({"until": Timestamp::now().to_string()});
    let period = made(admin.post("/v1/periods", &until).await);
    let answer = own.ask("/v1/sync/deposit", &broken.exported(&events)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());

    let marks = |items: &Value, of: &dyn Fn(&Value) -> bool| {
        let items = array(items).iter().filter(|item| of(item));
        items
            .map(|item| item["imported"] == json!(true))
            .collect::<Vec<_>>()
    };
    let all: &dyn Fn(&Value) -> bool = &|_| true;
    let unit = ok(admin.get(&format!("/v1/units/{}", encoded(tin))).await);
    let sold: &dyn Fn(&Value) -> bool = &|entry| entry["kind"] == "sale";
    let mut sales = marks(&unit["timeline"], sold);
    sales.sort_unstable();
    assert_eq!(sales, [false, true], "{unit}");
    let double: &dyn Fn(&Value) -> bool = &|finding| finding["code"] == "DOUBLE_SALE";
    let found = array(&unit["findings"])
        .iter()
        .find(|it| double(it))
        .expect("sold twice")
        .clone();
    let mut witnesses = marks(&found["witnesses"], all);
    witnesses.sort_unstable();
    assert_eq!(witnesses, [false, true], "{found}");
    let aside = ok(admin.get("/v1/quarantine").await);
    assert_eq!(marks(&aside["items"], all), [false, true], "{aside}");
    let line = ok(admin.get("/v1/stock/lots").await)["items"][0]["id"].clone();
    let moves = ok(admin.get(&format!("/v1/stock/lots/{line}/movements")).await);
    assert_eq!(marks(&moves["items"], all), [false, true], "{moves}");
    let path = format!("/v1/periods/{}/restatements", period["position"]);
    let restated = ok(admin.get(&path).await);
    assert_eq!(marks(&restated["items"], all), [true, true], "{restated}");
    for (device, imported) in [(&mut own, false), (&mut broken, true)] {
        let told = device.status().await;
        let aside: Vec<bool> = told
            .quarantined
            .iter()
            .map(|aside| aside.imported)
            .collect();
        assert_eq!(aside, [imported]);
        assert!(
            told.findings.iter().all(|own| own.imported == imported),
            "{told:?}"
        );
        assert!(!told.findings.is_empty() || !imported);
    }
    app.stop().await;
});

on_both!(a_look_up_tells_only_who_may_know, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let event = store.event("inbound", &inbound(&[&scene.tins[0]]));
    let pushed = store.push(&[event]).await;
    let asked = json!({"v": 1, "codes": [scene.tins[0], "https://example.com/", scene.tins[1]]});
    let answer = store.ask("/v1/sync/lookups", &asked).await;
    let told = ok(answer);
    assert_eq!(told["cards"][0]["phase"], "in_stock");
    assert_eq!(told["cards"][0]["lot"], "L7");
    assert_eq!(told["cards"][1], Value::Null);
    assert_eq!(told["cards"][2]["phase"], "commissioned");
    assert!(
        told["position"].as_i64() >= pushed.results[0].gseq,
        "I23: it reads its own writes"
    );
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let stranger = enrolled(&app, &beta.operator, &shop).await;
    let told = ok(stranger.ask("/v1/sync/lookups", &asked).await);
    assert_eq!(told["cards"], json!([null, null, null]));
    app.stop().await;
});

on_both!(a_newer_device_is_understood_by_an_older_server, |app| {
    let scene = Scene::of(&app).await;
    let device = scene.device(&app, &scene.store).await;
    // sync/README: names that are not known within a version are passed over.
    for path in [
        "/v1/sync/pull?zz=1&cursor=0",
        "/v1/sync/status?zz=1",
        "/v1/sync/rules?zz=1",
        "/v1/sync/badges?zz=1",
        "/v1/sync/snapshot?zz=1",
    ] {
        ok(device.read(path).await);
    }
    let asked = json!({"v": 1, "codes": [scene.tins[0]], "zz": {"codes": 1}});
    let told = ok(device.ask("/v1/sync/lookups?zz=1", &asked).await);
    assert_eq!(told["cards"][0]["phase"], "commissioned");
    // Half a character, as events take it: that code is none, and the others are none the less told.
    let body = format!(
        r#"{{"v": 1, "codes": ["\ud800", "{tin}\ud83c", "{tin}"]}}"#,
        tin = scene.tins[0]
    );
    let json = "application/json";
    let told = ok(device.upload("/v1/sync/lookups", json, body.into()).await);
    let phases = [0, 1, 2].map(|n| told["cards"][n]["phase"].clone());
    assert_eq!(phases, [Value::Null, Value::Null, json!("commissioned")]);
    // What is misspelt by staff is refused as ever, and so is what is known and wrong.
    refused(
        scene.firm.operator.get("/v1/findings?zz=1").await,
        "malformed-request",
    );
    let wrong = json!({"v": 1, "codes": "all"});
    refused(
        device.ask("/v1/sync/lookups", &wrong).await,
        "malformed-body",
    );
    app.stop().await;
});

on_both!(
    a_look_up_tells_what_is_on_record_of_codes_that_no_event_named,
    |app| {
        let scene = Scene::of(&app).await;
        let admin = &scene.firm.admin;
        let products = ok(admin.get("/v1/products").await);
        let product = text_of(&products["items"][0]["id"]);
        let old = json!({
            "product_id": product, "lot": "L8", "production_date": "2019-01-15",
            "expiry_date": "2020-01-15",
        });
        let old = id(&made(admin.post("/v1/batches", &old).await));
        let mut codes = vec![scene.tins[0].clone()];
        for n in 0..3 {
            let of = segment(admin, &product, 1).await;
            let ranges = json!([{"segment_id": of["id"]}]);
            if n == 0 {
                let body = json!({"batch_id": old, "ranges": ranges});
                made(admin.post("/v1/commissions", &body).await);
            } else if n == 1 {
                let body = json!({
                    "ranges": ranges, "reason": "破损", "method": "粉碎", "witness": "李四",
                    "destroyed_on": "2026-01-01",
                });
                made(admin.post("/v1/code-destructions", &body).await);
            }
            codes.extend(printed(admin, &of).await);
        }
        let order = recall_order(&json!([old]), "r", "i");
        let recall = id(&made(admin.post("/v1/recalls", &order).await));
        // Minted by nobody.
        codes.push(format!("{}0", scene.tins[1]));
        let store = scene.device(&app, &scene.store).await;
        let asked = json!({"v": 1, "codes": codes});
        let told = ok(store.ask("/v1/sync/lookups", &asked).await);
        let card = |n: usize| {
            let card = &told["cards"][n];
            let of = |name: &str| card[name].clone();
            [of("phase"), of("lot"), of("void"), of("recalls")]
        };
        assert_eq!(
            card(0),
            [json!("commissioned"), json!("L7"), json!(false), json!([])]
        );
        assert_eq!(
            card(1),
            [
                json!("commissioned"),
                json!("L8"),
                json!(false),
                json!([recall])
            ]
        );
        // 00:00 of the day after, in Shanghai.
        assert_eq!(told["cards"][1]["expires_at"], 1_579_104_000_000_000_i64);
        let unused = |void: bool| [json!("unknown"), Value::Null, json!(void), json!([])];
        assert_eq!(card(2), unused(true));
        assert_eq!(card(3), unused(false));
        assert_eq!(told["cards"][4], Value::Null);

        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let other = firm(&app, &platform, "BETA", &["9521235"]).await;
        let shop = place(&other.operator, "S-1", "store").await;
        let stranger = enrolled(&app, &other.operator, &shop).await;
        let told = ok(stranger.ask("/v1/sync/lookups", &asked).await);
        assert_eq!(told["cards"], json!([null, null, null, null, null]));
        app.stop().await;
    }
);

on_both!(c9_a_look_up_tells_recalls_as_of_its_answer, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let event = store.event("inbound", &inbound(&[&scene.tins[0]]));
    store.push(&[event]).await;
    let order = recall_order(&json!([scene.batch]), "r", "i");
    let recall = id(&made(scene.firm.admin.post("/v1/recalls", &order).await));
    settled(&app).await;
    // As if no slice had come by since another recall.
    let stale = format!(
        "UPDATE unit SET state = REPLACE(state, '{recall}', '{}')",
        Uuid::nil()
    );
    let db = &app.state().db;
    db.writer().execute_unprepared(&stale).await.expect("rows");
    assert_ne!(
        unit(&app, &scene.tins[0]).await.kept.state.recalls,
        [].into()
    );
    let asked = json!({"v": 1, "codes": [scene.tins[0]]});
    let told = async || ok(store.ask("/v1/sync/lookups", &asked).await)["cards"][0].clone();
    assert_eq!(told().await["recalls"], json!([recall]));
    let path = format!("/v1/recalls/{recall}/close");
    let how = json!({"note": "wrong batch", "mistaken": true});
    ok(scene.firm.admin.post(&path, &how).await);
    db.writer().execute_unprepared(&stale).await.expect("rows");
    assert_eq!(told().await["recalls"], json!([]));
    app.stop().await;
});

on_both!(a_device_is_told_the_rules_and_when_they_change, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let told = ok(device.read("/v1/sync/rules").await);
    let golden: Value =
        serde_json::from_str(include_str!("../../sync/tests/golden/required.json")).unwrap();
    assert_eq!(
        (&told["rules"], &told["version"]),
        (&golden["rules"], &golden["version"])
    );
    device.keep(&text_of(&told["anchor"]));
    assert_eq!(device.status().await.epoch, 1, "the anchor is good");
    let page = device.pull(0, 500).await;
    assert_eq!(page.rules.as_deref(), golden["version"].as_str());
    refused(
        app.stranger().get("/v1/sync/rules").await,
        "device-not-known",
    );
    app.stop().await;
});
