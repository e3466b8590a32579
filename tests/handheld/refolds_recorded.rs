//! What becomes of what nobody names any more (`refolds`) when what it names comes on record (C15): products,
//! places and badges, whichever of them is first.

use crate::{
    refolds::{closed, id_of},
    scene::{
        GTIN, Scene, count, holds, inbound, open_about_events, outbound, scanned, settled, unit,
    },
    support::{PASSWORD, firm, made, ok, product, text_of},
};
use futures_util::FutureExt;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use suyuan::{
    log::Actor,
    registry::locations::{
        store as locations,
        wire::{LocationKind, LocationOut},
    },
};
use suyuan_sync::{finding::FindingCode, ids::EnterpriseId, wire::Item};
use suyuan_tests::{Handheld, caller::Method, on_both};
use tokio::sync::oneshot;

/// Which entries explained what a device is told of its events after a position, by kind and position.
async fn entry_of_verdicts(device: &mut Handheld, after: i64) -> (Vec<String>, Vec<i64>) {
    let page = device.pull(after, 500).await;
    assert!(!page.more);
    let notes = page.items.into_iter().flat_map(|item| match item.item {
        Item::Verdict(verdict) => verdict.findings,
        _ => Vec::new(),
    });
    let closed = notes.inspect(|note| assert!(note.closed && note.closed_by.is_none()));
    let entries = closed.map(|note| note.closed_entry.expect("an entry"));
    entries.map(|entry| (entry.kind, entry.position)).unzip()
}

on_both!(
    c15_who_is_not_on_record_is_told_and_heals_with_a_badge,
    |app| {
        let scene = Scene::of(&app).await;
        let admin = &scene.firm.admin;
        let mut store = scene.device(&app, &scene.store).await;
        let by = |actor: &str, tin: &String| {
            let mut said = inbound(&[tin]);
            said["actor"] = json!({"id": actor, "proof": "pin", "login_age_s": 60});
            said
        };
        let told = async |device: &mut Handheld, actor: &str, tin: &String| {
            let event = device.event("inbound", &by(actor, tin));
            let answer = device.push(&[event]).await;
            let findings = answer.results[0].findings.iter();
            findings.map(|note| note.code).collect::<Vec<_>>()
        };
        let unknown = FindingCode::UnknownRef;
        // Nobody is on record: nobody is asked for.
        assert_eq!(told(&mut store, "w-17", &scene.tins[0]).await, []);
        let badge = async |number: &str| {
            let body = json!({"number": number, "role": "worker", "location_id": scene.store});
            made(admin.post("/v1/badges", &body).await)
        };
        let first = badge("W-1").await;
        settled(&app).await;
        assert_eq!(open_about_events(&app, unknown).await, 0, "of before");
        // The device hears what time it is.
        store.status().await;
        assert_eq!(told(&mut store, "W-1", &scene.tins[1]).await, []);
        assert_eq!(told(&mut store, "W-2", &scene.tins[2]).await, [unknown]);
        assert_eq!(told(&mut store, "W-3", &scene.tins[3]).await, [unknown]);
        let path = "/v1/findings?code=UNKNOWN_REF";
        let listed = ok(admin.get(path).await);
        assert_eq!(
            listed["items"][0]["detail"]["what"], "actor:W-3",
            "{listed}"
        );
        // So it is at the place of the badges, and nowhere else.
        let mut pda = scene.device(&app, &scene.warehouse).await;
        pda.status().await;
        assert_eq!(told(&mut pda, "W-9", &scene.tins[5]).await, []);
        // Whose badge was withdrawn was on record all the same.
        let gone = format!("/v1/badges/{}/withdraw", text_of(&first["id"]));
        ok(admin.send(Method::POST, &gone, &[], Vec::new()).await);
        assert_eq!(told(&mut store, "W-1", &scene.tins[4]).await, []);
        // Other master data heals nothing of it, and costs it nothing.
        product(admin, "CM-3", "0952123400003").await;
        settled(&app).await;
        assert_eq!(open_about_events(&app, unknown).await, 2);
        holds(&app, "unknown").await;
        let end = store.pull(0, 500).await.cursor;
        badge("W-2").await;
        settled(&app).await;
        assert_eq!(open_about_events(&app, unknown).await, 1);
        let (kinds, _) = entry_of_verdicts(&mut store, end).await;
        assert_eq!(kinds, ["badge_changed"]);
        holds(&app, "on record").await;

        // What came in before this was asked is asked once over.
        let db = app.state().db.writer();
        for sql in [
            "UPDATE finding SET closed = opened WHERE code = 'UNKNOWN_REF' AND closed IS NULL",
            "INSERT INTO refold (id, scope, cursor, gseq, rank, merges) \
         VALUES (2, '{\"of\":\"acted\"}', 0, 0, 2, '')",
        ] {
            db.execute_unprepared(sql).await.expect("rows");
        }
        settled(&app).await;
        assert_eq!(open_about_events(&app, unknown).await, 1);
        holds(&app, "asked once over").await;
        app.stop().await;
    }
);

on_both!(
    c15_what_is_on_record_by_the_time_a_badge_heals_is_worked_in_with_it,
    |app| {
        let scene = Scene::of(&app).await;
        let admin = &scene.firm.admin;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let shop = firm(&app, &platform, "BETA", &[]).await;
        let owner = shop.id.parse().expect("an id");
        let mut store = scene.device(&app, &scene.store).await;
        let badge = async |number: &str| {
            let body = json!({"number": number, "role": "worker", "location_id": scene.store});
            made(admin.post("/v1/badges", &body).await);
        };
        badge("W-1").await;
        settled(&app).await;
        store.status().await;
        let by = |actor: &str, mut said: Value| {
            said["actor"] = json!({"id": actor, "proof": "pin", "login_age_s": 60});
            said
        };
        let (tin, late) = (&scene.tins[0], uuid::Uuid::now_v7());
        let events = [
            store.event("inbound", &by("W-1", inbound(&[tin]))),
            store.event("outbound", &by("W-2", outbound(&[tin], &late.to_string()))),
        ];
        store.push(&events).await;
        assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 1);
        settled(&app).await;
        // Nothing is folded again until both are on record, the badge first.
        let (begin, begun) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel::<()>();
        let ingest = app.state().handheld.ingest.clone();
        let held = actix_web::rt::spawn(async move {
            let wait = async move {
                let _ = begin.send(());
                let _ = ended.await;
            };
            ingest.with_engine(move |_| wait.boxed()).await
        });
        begun.await.expect("the engine");
        badge("W-2").await;
        let new = LocationOut {
            id: late,
            code: "S-6".into(),
            kind: LocationKind::Store,
            name: "店".into(),
            gln: None,
            fields: json!({}),
        };
        let log = &app.state().log;
        locations::create(log, Actor::System, None, owner, new)
            .await
            .expect("a place");
        end.send(()).expect("the engine waits");
        held.await.expect("its task").expect("the engine");
        settled(&app).await;
        assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 0);
        let linked = unit(&app, tin).await.kept.state.linked;
        assert!(linked.contains(&EnterpriseId(owner)), "{linked:?}");
        holds(&app, "on record").await;
        app.stop().await;
    }
);

on_both!(
    i8_goods_of_which_all_was_struck_become_known_with_their_product,
    |app| {
        let scene = Scene::of(&app).await;
        let gtin = crate::support::gtin("0952123400003");
        let code = format!("https://id.example.cn/01/{gtin}/21/A-17");
        let mut store = scene.device(&app, &scene.store).await;
        let came = store.event("inbound", &inbound(&[&code]));
        let target: Value = serde_json::from_str(&came).expect("an event");
        let struck = store.event("retract", &json!({"target": target["event_id"]}));
        store.push(&[came, struck]).await;
        settled(&app).await;
        assert_eq!(
            open_about_events(&app, FindingCode::UnknownRef).await,
            0,
            "nothing is found of what is struck"
        );
        product(&scene.firm.admin, "CM-3", "0952123400003").await;
        settled(&app).await;
        let whose = "SELECT COUNT(*) AS n FROM unit WHERE issuer IS NOT NULL \
                     AND unit_key LIKE '%/21/A-17'";
        assert_eq!(count(&app, whose).await, 1);
        holds(&app, "registered").await;
        app.stop().await;
    }
);

on_both!(c15_what_was_unknown_heals_when_it_is_registered, |app| {
    let scene = Scene::of(&app).await;
    let gtin = crate::support::gtin("0952123400003");
    let mut store = scene.device(&app, &scene.store).await;
    let lots = json!([{"gtin": gtin, "lot": "L1", "qty": 5}]);
    let code = format!("https://id.example.cn/01/{gtin}/21/A-17");
    let events = [
        store.event("inbound", &json!({"lots": lots, "doc": {"no": "D-1"}})),
        store.event("inbound", &inbound(&[&code])),
    ];
    let answer = store.push(&events).await;
    for result in &answer.results {
        let told: Vec<FindingCode> = result.findings.iter().map(|f| f.code).collect();
        assert_eq!(told, [FindingCode::UnknownRef]);
    }
    assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 2);
    // Work of entries before looks at what is on record when it is done.
    settled(&app).await;
    let end = store.pull(0, 500).await.cursor;
    product(&scene.firm.admin, "CM-3", "0952123400003").await;
    settled(&app).await;
    // The device is told which entry explained it.
    let (kind, at) = entry_of_verdicts(&mut store, end).await;
    assert_eq!(kind, ["master_data_changed"; 2]);
    let entry = "SELECT MAX(gseq) AS n FROM log_entry WHERE kind = 'master_data_changed'";
    assert_eq!(at, [count(&app, entry).await; 2]);
    assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 0);
    assert_eq!(closed(&app, FindingCode::UnknownRef, None).await, 2);
    holds(&app, "registered").await;
    assert_ne!(GTIN, "0952123400003");
    app.stop().await;
});

on_both!(
    c15_what_the_standard_of_the_goods_demands_is_asked_for,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.warehouse).await;
        // Units, and lots; a case, too, falls under the profile of what it is of.
        let to = json!({"type": "location", "id": scene.store});
        let lots = json!([{"gtin": crate::support::gtin(GTIN), "lot": "L7", "qty": 1}]);
        let events = [
            device.event(
                "outbound",
                &json!({"units": scanned(&[&scene.tins[0]]), "counterpart": to}),
            ),
            device.event("outbound", &json!({"lots": lots, "counterpart": to})),
            device.event(
                "outbound",
                &json!({"units": scanned(&[&scene.cases[0]]), "counterpart": to}),
            ),
            device.event("outbound", &outbound(&[&scene.tins[1]], &scene.store)),
        ];
        device.push(&events).await;
        let sql = "SELECT COUNT(*) AS n FROM finding WHERE code = 'INCOMPLETE' AND closed IS NULL \
               AND finding LIKE '%logistics.logistics_company%'";
        assert_eq!(count(&app, sql).await, 3);
        assert_eq!(open_about_events(&app, FindingCode::Incomplete).await, 3);
        // What is struck is not asked for anything.
        let retract = device.event("retract", &json!({"target": id_of(&events[0])}));
        device.push(&[retract]).await;
        assert_eq!(open_about_events(&app, FindingCode::Incomplete).await, 2);
        holds(&app, "struck").await;
        app.stop().await;
    }
);
