//! How much a retract is about (C10): as much as it strikes, and nothing else; and how much what moves in
//! the order is about. One press of a key, or one number that was missing, must not write a thousand rows
//! for each other one, nor hold up everybody.

use crate::{
    lots::lots_of,
    own_codes::neighbours,
    refolds::id_of,
    scene::{
        GTIN, Scene, count, holds, inbound, open, open_about_events, outbound, sale, scanned,
        settled,
    },
    support::{gtin, id, made, ok, segment, text_of},
    tenants::stranger,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use suyuan::{projection::units::PublicUnit, recalls::spans_store::spans};
use suyuan_sync::{finding::FindingCode, unit::UnitKey};
use suyuan_tests::{Handheld, TestApp, caller::encoded, on_both};
use uuid::Uuid;

/// Codes that nobody here issued.
pub fn foreign(of: &str, count: usize) -> Vec<String> {
    let gtin = gtin("0952123400777");
    let code = |n| format!("https://id.example/01/{gtin}/21/{of}{n}");
    (0..count).map(code).collect()
}

pub fn refs(codes: &[String]) -> Vec<&String> {
    codes.iter().collect()
}

/// What an event says, so many milliseconds from now by its device's clock.
pub fn in_ms(ms: i64, mut said: Value) -> Value {
    let at = |ms: i64| {
        let at = jiff::Timestamp::now().as_millisecond() + ms;
        let at = jiff::Timestamp::from_millisecond(at).expect("an instant");
        at.to_string()
    };
    said["at"] = json!(at(ms));
    said["anchor_wall"] = json!(at(0));
    said
}

/// Three events that say a later time than what was made with them, and come last. (One alone would be an
/// outlier.)
pub fn fillers(device: &mut Handheld) -> Vec<String> {
    (0..3)
        .map(|n| device.event("count", &in_ms(900 + n, json!({}))))
        .collect()
}

pub async fn slices(app: &TestApp) -> i64 {
    count(
        app,
        "SELECT COUNT(*) AS n FROM log_entry WHERE kind = 'refolded'",
    )
    .await
}

pub async fn related(app: &TestApp) -> i64 {
    count(app, "SELECT COUNT(*) AS n FROM event_unit").await
}

on_both!(
    c10_what_strikes_nothing_is_said_once_and_not_of_each_unit,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let codes = foreign("R", 40);
        let received = device.event("inbound", &inbound(&refs(&codes)));
        let target = id_of(&received);
        device.push(&[received]).await;
        let someone = json!({"id": "w-99", "proof": "pin", "login_age_s": 60});
        let retracts: Vec<String> = (0..5)
            .map(|_| device.event("retract", &json!({"target": target, "actor": someone})))
            .collect();
        let answer = device.push(&retracts).await;
        for result in &answer.results {
            let told: Vec<_> = result.findings.iter().map(|note| note.code).collect();
            assert_eq!(told, [FindingCode::RetractUnauthorised]);
        }
        let refused = FindingCode::RetractUnauthorised;
        assert_eq!(open_about_events(&app, refused).await, 5);
        let all = "SELECT COUNT(*) AS n FROM finding WHERE code = 'RETRACT_UNAUTHORISED'";
        assert_eq!(count(&app, all).await, 5, "at themselves only");
        assert_eq!(related(&app).await, 40, "the delivery alone");
        holds(&app, "refused").await;
        app.stop().await;
    }
);

on_both!(
    c10_a_strangers_retract_that_names_a_unit_is_nothing_to_it,
    |app| {
        let scene = Scene::of(&app).await;
        let tin = &scene.tins[0];
        let mut till = scene.device(&app, &scene.store).await;
        let event = till.event("sale", &sale(&[tin]));
        till.push(&[event]).await;
        let mut stranger = stranger(&app, "SHEN").await;
        let own = stranger.event("count", &json!({"lots": []}));
        let targets = [id_of(&own), Uuid::now_v7().to_string()];
        let mut events = vec![own];
        for target in &targets {
            let said = json!({"target": target, "units": scanned(&[tin])});
            events.push(stranger.event("retract", &said));
            let of_retract = json!({"target": id_of(&events[1]), "units": scanned(&[tin])});
            events.push(stranger.event("retract", &of_retract));
        }
        stranger.push(&events).await;
        settled(&app).await;
        assert_eq!(open(&app, tin).await, ["ORPHAN_SALE"]);
        let path = format!("/v1/units/{}", encoded(tin));
        let unit = ok(scene.firm.admin.get(&path).await);
        assert_eq!(unit["timeline"].as_array().map(Vec::len), Some(1), "{unit}");
        assert_eq!(
            open_about_events(&app, FindingCode::RetractPending).await,
            1
        );
        assert_eq!(
            open_about_events(&app, FindingCode::RetractOfRetract).await,
            2
        );
        holds(&app, "named").await;
        app.stop().await;
    }
);

on_both!(
    c10_a_strangers_retract_leaves_what_the_event_lacks_open,
    |app| {
        let [(firm, mut device), (_, mut stranger)] = neighbours(&app).await;
        // Goods without a GTIN: what an event about them must say follows from whose codes they are.
        let body = json!({"code": "WN-1", "name": "护理", "profile": "maternal-baby-care"});
        let product = id(&made(firm.admin.post("/v1/products", &body).await));
        let batch = crate::support::batch(&firm.admin, &product, "Q1").await;
        let made_of = segment(&firm.admin, &product, 2).await;
        let ranges = json!([{"segment_id": made_of["id"]}]);
        let body = json!({"batch_id": batch, "ranges": ranges});
        made(firm.admin.post("/v1/commissions", &body).await);
        let path = format!("/v1/segments/{}/codes", text_of(&made_of["id"]));
        let printed = firm.admin.get(&path).await.text();
        let codes: Vec<String> = printed
            .lines()
            .skip(1)
            .filter_map(|line| line.rsplit(',').next().map(str::to_owned))
            .collect();
        let event = device.event("inbound", &json!({"units": scanned(&[&codes[0]])}));
        let target = id_of(&event);
        device.push(&[event]).await;
        let lacks = FindingCode::Incomplete;
        assert_eq!(open_about_events(&app, lacks).await, 1);
        let retract = stranger.event("retract", &json!({"target": target}));
        stranger.push(&[retract]).await;
        settled(&app).await;
        assert_eq!(open_about_events(&app, lacks).await, 1);
        assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 0);
        holds(&app, "retracted by a stranger").await;
        // Nor does a colleague who may not.
        let someone = json!({"id": "w-99", "proof": "pin", "login_age_s": 60});
        let retract = device.event("retract", &json!({"target": target, "actor": someone}));
        device.push(&[retract]).await;
        settled(&app).await;
        assert_eq!(open_about_events(&app, lacks).await, 1);
        holds(&app, "retracted by a colleague").await;
        // The new event of a correction lacks what it lacks, before what it corrects is in and after.
        let late = device.text(
            device.next + 2,
            "inbound",
            &json!({"units": scanned(&[&codes[0]])}),
        );
        let group = Uuid::now_v7();
        let part = |n: usize, mut said: Value| {
            said["group"] = json!({"id": group, "n": n, "of": 2, "correct": true});
            said
        };
        let events = [
            device.event("retract", &part(1, json!({"target": id_of(&late)}))),
            device.event("inbound", &part(2, json!({"units": scanned(&[&codes[1]])}))),
        ];
        device.push(&events).await;
        assert_eq!(open_about_events(&app, lacks).await, 2);
        // An event of another enterprise under the id that is meant changes nothing.
        let late = device.make(late);
        device.push(std::slice::from_ref(&late)).await;
        settled(&app).await;
        assert_eq!(open_about_events(&app, lacks).await, 2);
        holds(&app, "corrected").await;
        let same = json!({"event_id": id_of(&late), "units": scanned(&[&codes[0]])});
        let event = stranger.event("count", &same);
        stranger.push(&[event]).await;
        settled(&app).await;
        holds(&app, "another of that id").await;
        app.stop().await;
    }
);

on_both!(
    c10_a_correction_is_decided_by_one_retract_and_not_by_each,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let (old, new) = (foreign("O", 4), foreign("N", 8));
        for (allowed, wanted) in [(true, 4 + 8 + 4), (false, 4 + 8 + 8 * 2)] {
            let before = related(&app).await;
            let first: Vec<String> = old
                .iter()
                .map(|code| device.event("inbound", &inbound(&[code])))
                .collect();
            device.push(&first).await;
            let group = Uuid::now_v7();
            let mut part = |n: usize, kind: &str, mut said: Value| {
                said["group"] = json!({"id": group, "n": n, "of": 8, "correct": true});
                if kind == "retract" && !allowed {
                    said["actor"] = json!({"id": "w-99", "proof": "pin", "login_age_s": 60});
                }
                device.event(kind, &said)
            };
            let mut events = Vec::new();
            for (n, event) in first.iter().enumerate() {
                events.push(part(n + 1, "retract", json!({"target": id_of(event)})));
            }
            for (n, codes) in new.chunks(2).enumerate() {
                events.push(part(n + 5, "inbound", inbound(&refs(codes))));
            }
            device.push(&events).await;
            settled(&app).await;
            assert_eq!(related(&app).await - before, wanted, "allowed: {allowed}");
            holds(&app, "corrected").await;
        }
        app.stop().await;
    }
);

on_both!(
    t4_what_a_filler_moves_is_folded_by_slices_beyond_an_acts_room,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        let codes = foreign("M", 1200);
        let mut events = fillers(&mut device);
        events.extend(
            codes
                .chunks(300)
                .map(|codes| device.event("inbound", &in_ms(10, inbound(&refs(codes))))),
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
        device.push_at(4, device.history[3], &events[3..]).await;
        settled(&app).await;
        let where_it_stands = "SELECT MIN(eff) AS n FROM event WHERE seq > 3";
        let before = count(&app, where_it_stands).await;
        let before_it = slices(&app).await;
        device.push_at(1, device.history[0], &events[..3]).await;
        settled(&app).await;
        assert!(count(&app, where_it_stands).await > before, "nothing moved");
        assert!(slices(&app).await > before_it, "all in one act");
        holds(&app, "moved").await;
        app.stop().await;
    }
);

on_both!(
    t4_lines_know_what_moved_though_slices_fold_what_carried_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.warehouse).await;
        let mut late = scene.device(&app, &scene.warehouse).await;
        store.status().await;
        late.status().await;
        let case = &scene.cases[0];
        let of = |qty| lots_of(GTIN, Some("L7"), qty);
        let parent = json!({"code": case, "input": "wedge"});
        let events = [
            store.event("inbound", &in_ms(1, json!({"lots": of(100)}))),
            store.event("pack", &in_ms(2, json!({"parent": parent, "lots": of(40)}))),
        ];
        let sold = store.event("sale", &in_ms(500, json!({"lots": of(70)})));
        // It takes the case away before the sale, or after it; and names more than an act folds. Whichever is
        // the later of the two takes what is not there.
        let mut out = fillers(&mut late);
        let others = foreign("L", 900);
        let named: Vec<&String> = std::iter::once(case).chain(&others).collect();
        out.push(late.event("outbound", &in_ms(10, outbound(&named, &scene.store))));
        tokio::time::sleep(Duration::from_secs(1)).await;
        store.push(&events).await;
        store.push(&[sold]).await;
        late.push_at(4, late.history[3], &out[3..]).await;
        settled(&app).await;
        holds(&app, "taken away before the sale").await;
        let before_it = slices(&app).await;
        late.push_at(1, late.history[0], &out[..3]).await;
        settled(&app).await;
        assert!(slices(&app).await > before_it, "all in one act");
        holds(&app, "and after it").await;
        app.stop().await;
    }
);

on_both!(
    what_a_container_went_through_weighs_for_each_thing_in_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let case = &scene.cases[0];
        // Nobody knows their batch: each is judged by itself.
        let inside = foreign("I", 60);
        let pack = json!({
            "parent": {"code": case, "input": "wedge"}, "children": scanned(&refs(&inside)),
        });
        let pack = device.event("pack", &pack);
        device.push(&[pack]).await;
        settled(&app).await;
        let alone = "SELECT COUNT(*) AS n FROM unit WHERE exceptional";
        assert_eq!(count(&app, alone).await, 60);
        let before = slices(&app).await;
        let sales: Vec<String> = (0..100)
            .map(|_| device.event("sale", &sale(&[case])))
            .collect();
        device.push(&sales).await;
        settled(&app).await;
        assert!(
            slices(&app).await > before,
            "60 things over 100 steps in one act"
        );
        let at_once = "SELECT MAX(n) AS n FROM (SELECT COUNT(*) AS n FROM finding \
                       WHERE unit_id IS NOT NULL GROUP BY opened) AS at_once";
        let most = count(&app, at_once).await;
        assert!((1..=500).contains(&most), "{most} findings in one act");
        holds(&app, "sold").await;
        app.stop().await;
    }
);

on_both!(
    recalls_are_read_for_more_units_than_a_statement_takes_values,
    |app| {
        let tx = app.state().db.begin_reading().await.expect("a snapshot");
        let named = |n: usize| {
            let key = UnitKey::kept(&format!("/01/09521234007777/21/F{n}"));
            (key.clone(), PublicUnit::Other(key))
        };
        let units: Vec<_> = (0..70_000).map(named).collect();
        let batches: BTreeSet<Uuid> = (0..70_000).map(Uuid::from_u128).collect();
        let found = spans(&tx, &units, &batches)
            .await
            .expect("all are asked about");
        assert!(found.is_empty());
        app.stop().await;
    }
);
