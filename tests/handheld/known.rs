//! What was known at a position of the log is told alike for ever (I25), whatever comes in, moves or
//! is decided afterwards; and an edit of master data reads what it changed, and is known at once.

use crate::{
    scene::{Scene, count, enrolled, holds, inbound, open, sale, settled, unit},
    support::{array, batch, firm, id, made, ok, person, product, segment, text_of},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::time::Duration;
use suyuan::{accounts::Role, db::statement};
use suyuan_sync::fold::Phase;
use suyuan_tests::{Caller, Handheld, TestApp, caller::encoded, on_both, recall_order, until};
use uuid::Uuid;

/// A unit now, or as it was known at a position.
async fn told(caller: &Caller, code: &str, at: Option<i64>) -> Value {
    let at = at.map_or_else(String::new, |at| format!("?at={at}"));
    ok(caller
        .get(&format!("/v1/units/{}{at}", encoded(code)))
        .await)
}

/// What is known now, and will be told as known then.
async fn then(caller: &Caller, code: &str) -> (i64, Value) {
    let now = told(caller, code, None).await;
    let position = now["position"].as_i64().expect("a position");
    (position, told(caller, code, Some(position)).await)
}

fn event_id(text: &str) -> Value {
    let event: Value = serde_json::from_str(text).expect("an event");
    event["event_id"].clone()
}

/// The witnesses of what is found about an event.
fn witnesses(unit: &Value, event: &Value) -> Vec<Value> {
    let findings = unit["findings"].as_array().expect("findings");
    let of = findings.iter().find(|finding| finding["event"] == *event);
    let of = of.unwrap_or_else(|| panic!("nothing is found about {event}"));
    let witnesses = of["witnesses"].as_array().expect("witnesses");
    witnesses.iter().map(|seen| seen["event"].clone()).collect()
}

async fn later() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

on_both!(i25_a_finding_says_what_it_said, |app| {
    let scene = Scene::of(&app).await;
    let (staff, tin) = (&scene.firm.operator, &scene.tins[0]);
    let mut tills = Vec::new();
    for _ in 0..3 {
        tills.push(scene.device(&app, &scene.store).await);
    }
    let mut sales = Vec::new();
    for till in &mut tills {
        sales.push(till.event("sale", &sale(&[tin])));
        later().await;
    }
    for n in [1, 2] {
        tills[n].push(&sales[n..=n]).await;
    }
    let third = event_id(&sales[2]);
    let (position, known) = then(staff, tin).await;
    assert!(witnesses(&known, &third).contains(&event_id(&sales[1])));
    tills[0].push(&sales[..1]).await;
    let now = told(staff, tin, None).await;
    assert_ne!(witnesses(&now, &third), witnesses(&known, &third));
    assert_eq!(told(staff, tin, Some(position)).await, known);
    app.stop().await;
});

on_both!(i25_an_event_stands_where_it_stood, |app| {
    let scene = Scene::of(&app).await;
    let (staff, tin) = (&scene.firm.operator, &scene.tins[0]);
    let mut till = scene.device(&app, &scene.store).await;
    let first = till.event("inbound", &inbound(&[tin]));
    later().await;
    // A clock that is an hour ahead for one scan.
    let ahead = jiff::Zoned::now() + jiff::SignedDuration::from_hours(1);
    let ahead = ahead.with_time_zone(jiff::tz::TimeZone::UTC);
    let mut said = sale(&[tin]);
    said["at"] = json!(ahead.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string());
    let second = till.event("sale", &said);
    let third = till.event("inbound", &inbound(&[&scene.tins[1]]));
    let events = [first, second, third];
    // It happened when it came in at the latest; instants are told by the second.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    till.push_at(1, till.history[0], &events[..2]).await;
    let (position, known) = then(staff, tin).await;
    till.push_at(3, till.history[2], &events[2..]).await;
    let now = told(staff, tin, None).await;
    assert_ne!(now["timeline"][1]["at"], known["timeline"][1]["at"]);
    assert_eq!(told(staff, tin, Some(position)).await, known);
    app.stop().await;
});

on_both!(i25_what_is_accepted_later_was_not_accepted_then, |app| {
    let scene = Scene::of(&app).await;
    let (staff, tin) = (&scene.firm.admin, &scene.tins[0]);
    let operator = person(&app, "platform.second", Role::PlatformAdmin, None).await;
    let stranger = firm(&app, &operator, "SHEN", &[]).await;
    let mut till = elsewhere(&app, &stranger.admin, &stranger.operator).await;
    let event = till.event("inbound", &inbound(&[tin]));
    till.push(&[event]).await;
    let (position, known) = then(staff, tin).await;
    assert_eq!(known["state"]["phase"], "commissioned");
    let accepted = json!({"partner_id": stranger.id, "from": 0});
    made(staff.post("/v1/acceptances", &accepted).await);
    crate::scene::settled(&app).await;
    assert_eq!(told(staff, tin, None).await["state"]["phase"], "in_stock");
    assert_eq!(told(staff, tin, Some(position)).await, known);
    app.stop().await;
});

on_both!(i25_a_recall_that_is_closed_later_was_open_then, |app| {
    let scene = Scene::of(&app).await;
    let (staff, tins) = (&scene.firm.admin, &scene.tins);
    let mut till = scene.device(&app, &scene.store).await;
    let event = till.event("inbound", &inbound(&[&tins[0], &tins[1]]));
    till.push(&[event]).await;
    for mistaken in [true, false] {
        let order = recall_order(&json!([scene.batch]), "r", "i");
        let recall = id(&made(staff.post("/v1/recalls", &order).await));
        crate::scene::settled(&app).await;
        let tin = &tins[usize::from(mistaken)];
        // It hears of the recall, so that what it scans stands behind it.
        till.status().await;
        let event = till.event("sale", &sale(&[tin]));
        till.push(&[event]).await;
        let (position, known) = then(staff, tin).await;
        let recalls = known["state"]["recalls"].as_array();
        assert_eq!(recalls.map(Vec::len), Some(1), "{known}");
        let path = format!("/v1/recalls/{recall}/close");
        let how = json!({"note": "over", "mistaken": mistaken});
        ok(staff.post(&path, &how).await);
        crate::scene::settled(&app).await;
        let now = told(staff, tin, None).await;
        assert_eq!(now["state"]["recalls"], json!([]));
        assert_ne!(now["state"], known["state"]);
        assert_eq!(told(staff, tin, Some(position)).await, known);
    }
    app.stop().await;
});

on_both!(i25_what_is_filed_later_was_not_on_record_then, |app| {
    let scene = Scene::of(&app).await;
    let admin = &scene.firm.admin;
    let mut line = scene.device(&app, &scene.warehouse).await;
    let mut store = scene.device(&app, &scene.store).await;
    // A product and a batch that are on no record.
    let unregistered = crate::support::gtin("0952123400003");
    let foreign = format!("https://id.example.cn/01/{unregistered}/21/A-17");
    let event = store.event("inbound", &inbound(&[&foreign]));
    store.push(&[event]).await;
    let of = text_of(&ok(admin.get("/v1/products").await)["items"][0]["id"]);
    let made_by_line = segment(admin, &of, 1).await;
    let tin = printed(admin, &made_by_line).await.remove(0);
    let says = json!({"units": crate::scene::scanned(&[&tin]), "body": {"batch": "L8"}});
    let event = line.event("commission", &says);
    line.push(std::slice::from_ref(&event)).await;
    settled(&app).await;
    let before = [then(admin, &foreign).await, then(admin, &tin).await];

    product(admin, "CM-3", "0952123400003").await;
    let eighth = batch(admin, &of, "L8").await;
    settled(&app).await;
    let issued = told(admin, &foreign, None).await;
    assert_eq!(
        (&issued["issuer"], &before[0].1["issuer"]),
        (&json!(scene.firm.id), &Value::Null)
    );
    let (filed, of_eighth) = then(admin, &tin).await;
    assert_eq!(
        (&of_eighth["batch"]["id"], &before[1].1["batch"]),
        (&json!(eighth), &Value::Null)
    );
    // A recall of what it was in no more once the line takes its word back.
    let order = recall_order(&json!([eighth]), "r", "i");
    made(admin.post("/v1/recalls", &order).await);
    settled(&app).await;
    let recalled = then(admin, &tin).await;
    assert_eq!(
        recalled.1["state"]["recalls"].as_array().map(Vec::len),
        Some(1)
    );
    let taken_back = line.event("retract", &json!({"target": event_id(&event)}));
    line.push(&[taken_back]).await;
    settled(&app).await;
    assert_eq!(told(admin, &tin, None).await["batch"], Value::Null);
    for (code, at, known) in [
        (&foreign, before[0].0, &before[0].1),
        (&tin, before[1].0, &before[1].1),
        (&tin, filed, &of_eighth),
        (&tin, recalled.0, &recalled.1),
    ] {
        assert_eq!(told(admin, code, Some(at)).await, *known, "{code} at {at}");
    }
    // What nobody had named then was unknown then, whoever asks.
    let everyones = person(&app, "platform.second", Role::PlatformAdmin, None).await;
    let other = crate::support::gtin("0952123499999");
    let other = format!("https://id.example.cn/01/{other}/21/A-18");
    let path = format!("/v1/units/{}?at={}", encoded(&other), recalled.0);
    let event = store.event("inbound", &inbound(&[&other]));
    assert_eq!(everyones.get(&path).await.status, 404);
    store.push(&[event]).await;
    told(&everyones, &other, None).await;
    assert_eq!(everyones.get(&path).await.status, 404);
    app.stop().await;
});

/// A till of another enterprise, at a place made just now.
async fn elsewhere(app: &TestApp, admin: &Caller, operator: &Caller) -> Handheld {
    let shop = json!({"code": "S-1", "kind": "store", "name": "门店"});
    let shop = id(&made(admin.post("/v1/locations", &shop).await));
    enrolled(app, operator, &shop).await
}

/// The codes of a segment, as printed.
pub async fn printed(admin: &Caller, segment: &Value) -> Vec<String> {
    let path = format!("/v1/segments/{}/codes", text_of(&segment["id"]));
    let printed = admin.get(&path).await.text();
    let lines = printed.lines().skip(1);
    lines
        .filter_map(|line| line.rsplit(',').next().map(str::to_owned))
        .collect()
}

async fn sql(app: &TestApp, sql: &str) {
    let db = &app.state().db;
    let query = statement(db.backend(), sql, []);
    db.writer().execute_raw(query).await.expect("a change");
}

on_both!(an_edit_is_known_at_once_and_reads_nothing_else, |app| {
    let scene = Scene::of(&app).await;
    let admin = &scene.firm.admin;
    let operator = person(&app, "platform.second", Role::PlatformAdmin, None).await;
    let policy = json!({"duplicate_window_s": 600, "list_age_s": 3600});
    assert_eq!(operator.post("/v1/policy", &policy).await.status, 204);
    let mut till = scene.device(&app, &scene.store).await;
    let event = till.event("sale", &sale(&[&scene.tins[0]]));
    till.push(&[event]).await;

    crate::scene::settled(&app).await;
    // From now on whoever reads it all again cannot go on.
    sql(
        &app,
        "UPDATE log_entry SET body = '?' WHERE kind = 'policy_changed'",
    )
    .await;
    sql(&app, "UPDATE commission SET what = '?'").await;
    let product = ok(admin.get("/v1/products").await)["items"][0]["id"].clone();
    let product = text_of(&product);
    let fresh = batch(admin, &product, "L8").await;
    let codes = segment(admin, &product, 3).await;
    let body = json!({"batch_id": fresh, "ranges": [{"segment_id": codes["id"]}]});
    made(admin.post("/v1/commissions", &body).await);
    let tins = printed(admin, &codes).await;
    let device = format!("/v1/devices/{}/shift-closures", till.device.0);
    made(scene.firm.operator.post(&device, &json!({})).await);
    let mut other = elsewhere(&app, admin, &scene.firm.operator).await;
    let events = [
        other.event("inbound", &inbound(&[&tins[0]])),
        other.event("sale", &sale(&[&tins[0]])),
        other.event("inbound", &inbound(&[&scene.tins[1]])),
    ];
    other.push(&events).await;
    for (tin, lot) in [(&tins[0], &fresh), (&scene.tins[1], &scene.batch)] {
        let state = unit(&app, tin).await.kept.state;
        let batch: Uuid = lot.parse().expect("an id");
        assert_eq!(state.batch.map(|id| id.0), Some(batch));
        assert_eq!(open(&app, tin).await, Vec::<&str>::new());
    }
    let references = "SELECT COUNT(*) AS n FROM finding WHERE code = 'UNKNOWN_REF'";
    assert_eq!(count(&app, references).await, 0);
    assert_eq!(unit(&app, &tins[0]).await.kept.state.phase, Phase::Sold);

    // Codes that are void since are void for the next scan.
    let spoilt = segment(admin, &product, 1).await;
    let tins = printed(admin, &spoilt).await;
    let destroyed = json!({
        "ranges": [{"segment_id": spoilt["id"]}], "reason": "破损", "method": "粉碎",
        "witness": "李四", "destroyed_on": "2026-01-01",
    });
    made(admin.post("/v1/code-destructions", &destroyed).await);
    // The device hears of something after that, so what it scans stands behind it.
    other.status().await;
    let event = other.event(
        "commission",
        &json!({"units": crate::scene::scanned(&[&tins[0]])}),
    );
    other.push(&[event]).await;
    assert_eq!(open(&app, &tins[0]).await, ["COMMISSION_VOID"]);
    app.stop().await;
});

on_both!(
    what_a_line_commissions_to_a_recalled_batch_is_told_as_recalled,
    |app| {
        let scene = Scene::of(&app).await;
        let admin = &scene.firm.admin;
        let products = ok(admin.get("/v1/products").await);
        let product = text_of(&products["items"][0]["id"]);
        let made_by_line = segment(admin, &product, 3).await;
        let tins = printed(admin, &made_by_line).await;
        let mut line = scene.device(&app, &scene.plant).await;
        let says = json!({"units": crate::scene::scanned(&[&tins[0]]), "body": {"batch": "L7"}});
        let event = line.event("commission", &says);
        line.push(&[event]).await;
        let reasons = async |tin: &str| -> Vec<String> {
            let view = app.consumer().scan(tin).await.json();
            array(&view["reasons"]).iter().map(text_of).collect()
        };
        let is_told = async |tin: &str, wanted: &[&str]| {
            let reasons = reasons(tin).await;
            wanted
                .iter()
                .all(|reason| reasons.iter().any(|told| told == reason))
        };
        // A line's word makes no code legal, and says what the code is of; that is not published.
        until("what the line said", Duration::from_secs(10), async || {
            reasons(&tins[0]).await == ["not_commissioned", "cannot_confirm"]
        })
        .await;
        let order = recall_order(&json!([scene.batch]), "漏装勺", "退回门店");
        made(admin.post("/v1/recalls", &order).await);
        let recalled = ["recalled", "not_commissioned"];
        until("the recall", Duration::from_secs(10), async || {
            is_told(&tins[0], &recalled).await
        })
        .await;
        let unlike = reasons(&tins[1]).await;
        assert_eq!(unlike, ["not_commissioned"], "nobody said anything of it");
        // One that is commissioned to it later, too.
        let says = json!({"units": crate::scene::scanned(&[&tins[2]]), "body": {"batch": "L7"}});
        let event = line.event("commission", &says);
        line.push(&[event]).await;
        until("the second", Duration::from_secs(10), async || {
            is_told(&tins[2], &recalled).await
        })
        .await;
        // What the record of codes says itself needs no such word any more, and nothing else changes.
        let ranges = json!([{"segment_id": made_by_line["id"]}]);
        let body = json!({"batch_id": scene.batch, "ranges": ranges});
        made(admin.post("/v1/commissions", &body).await);
        until("on record", Duration::from_secs(10), async || {
            is_told(&tins[0], &["recalled"]).await
                && !is_told(&tins[0], &["not_commissioned"]).await
        })
        .await;
        settled(&app).await;
        holds(&app, "what is told of tins that a line commissioned").await;
        app.stop().await;
    }
);
