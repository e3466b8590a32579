//! What the standards ask about buyers stands in a table that is erased, keyed by the event and sealed
//! (sync.md section 1), and nowhere else.

use crate::{
    events::another,
    refolds::id_of,
    scene::{Scene, count, holds, inbound, sale, scanned},
    support::{PASSWORD, array, batch, id, made, ok, refused, refused_field, segment, text_of},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use suyuan::{clock::Micros, db::statement, personal_data::erase_overdue};
use suyuan_tests::{Handheld, TestApp, caller::Method, on_both};

const DAY: Micros = 86_400 * 1_000_000;

fn path(event: &str) -> String {
    format!("/v1/events/{event}/buyer")
}

async fn put(staff: &suyuan_tests::Caller, event: &str, said: &Value) -> suyuan_tests::Answer {
    let headers = [("content-type", "application/json")];
    let body = said.to_string().into_bytes();
    staff.send(Method::PUT, &path(event), &headers, body).await
}

async fn delete(staff: &suyuan_tests::Caller, event: &str) -> suyuan_tests::Answer {
    let nothing = Vec::new();
    staff.send(Method::DELETE, &path(event), &[], nothing).await
}

async fn open(staff: &suyuan_tests::Caller, event: &str) -> suyuan_tests::Answer {
    let path = format!("{}/openings", path(event));
    staff.post(&path, &json!({})).await
}

fn buyer() -> Value {
    json!({
        "consumer_name": "王女士", "contact": "13800000000",
        "purchase_time": "2026-01-15T09:30:00+08:00", "purchase_place": "上海母婴店",
    })
}

/// The bytes that are kept about buyers.
async fn kept(app: &TestApp) -> Vec<Vec<u8>> {
    let db = &app.state().db;
    let query = statement(db.backend(), "SELECT sealed FROM buyer_personal", []);
    let rows = db.reader().query_all_raw(query).await.expect("rows");
    let sealed = rows.iter().map(|row| row.try_get("", "sealed"));
    sealed.collect::<Result<_, _>>().expect("bytes")
}

/// The entries of the log about an event: kind, who, and what they say.
async fn entries(staff: &suyuan_tests::Caller, event: &str) -> Vec<[Value; 3]> {
    let log = ok(staff.get("/v1/log?from=1&limit=500").await);
    let subject = json!(format!("event:{event}"));
    let about = array(&log["items"]).iter();
    let about = about.filter(|entry| entry["subject"] == subject);
    about
        .map(|entry| ["kind", "actor", "body"].map(|name| entry[name].clone()))
        .collect()
}

async fn sold(device: &mut Handheld, tin: &String) -> String {
    let event = device.event("sale", &sale(&[tin]));
    device.push(std::slice::from_ref(&event)).await;
    id_of(&event)
}

on_both!(
    h8_a_buyer_is_filed_sealed_opened_by_a_logged_act_and_gone_when_erased,
    |app| {
        let scene = Scene::of(&app).await;
        let (admin, staff) = (&scene.firm.admin, &scene.firm.operator);
        let mut till = scene.device(&app, &scene.store).await;
        let event = sold(&mut till, &scene.tins[0]).await;
        refused(staff.get(&path(&event)).await, "not-found");
        refused(open(staff, &event).await, "not-found");
        let filed = ok(put(staff, &event, &buyer()).await);
        assert_eq!(filed["event"], json!(event));
        assert_eq!(ok(staff.get(&path(&event)).await), filed);
        let opened = ok(open(staff, &event).await);
        assert_eq!(opened["buyer"], buyer(), "read back equal");
        // Another time it says something else, in the place of what was.
        let mut other = buyer();
        other["contact"] = json!("13900000000");
        ok(put(staff, &event, &other).await);
        assert_eq!(ok(open(admin, &event).await)["buyer"], other);

        let sealed = kept(&app).await;
        assert_eq!(sealed.len(), 1);
        for word in ["王女士", "13900000000", "上海", "2026-01-15"] {
            let seen = sealed[0]
                .windows(word.len())
                .any(|part| part == word.as_bytes());
            assert!(!seen, "{word} can be read where it rests");
        }
        // It is in no entry, in nothing that is told of the sale, in no pull and in no answer to consumers.
        let kinds = ["buyer_filed", "personal_data_opened"];
        let told = entries(staff, &event).await;
        let said: Vec<&Value> = told.iter().map(|entry| &entry[0]).collect();
        assert_eq!(said, [kinds[0], kinds[1], kinds[0], kinds[1]]);
        assert!(told.iter().all(|entry| entry[2] == json!({})), "{told:?}");
        assert!(told[1][1] != told[3][1], "each reader by their account");
        let log = ok(staff.get("/v1/log?from=1&limit=500").await).to_string();
        let page = ok(staff.get(&format!("/v1/events/{event}")).await).to_string();
        let pulled = till.read("/v1/sync/pull").await.text();
        let scanned = app.consumer().scan(&scene.tins[0]).await.text();
        for text in [&log, &page, &pulled, &scanned] {
            for word in ["王女士", "13900000000", "13800000000"] {
                assert!(!text.contains(word), "{word}: {text}");
            }
        }
        // Only an administrator erases; then the bytes are gone, and the event is not.
        refused(delete(staff, &event).await, "not-allowed");
        assert_eq!(delete(admin, &event).await.status, 204);
        assert_eq!(kept(&app).await, [] as [Vec<u8>; 0]);
        refused(open(staff, &event).await, "not-found");
        refused(delete(admin, &event).await, "not-found");
        let told = entries(staff, &event).await;
        assert_eq!(told[4][0], "personal_data_erased");
        assert_eq!(told[4][2], json!({"by": "staff"}));
        ok(staff.get(&format!("/v1/events/{event}")).await);
        holds(&app, "beside buyers").await;
        app.stop().await;
    }
);

on_both!(h8_buyers_go_when_their_time_is_over, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let mut till = scene.device(&app, &scene.store).await;
    let first = sold(&mut till, &scene.tins[0]).await;
    let second = sold(&mut till, &scene.tins[1]).await;
    for event in [&first, &second] {
        ok(put(staff, event, &buyer()).await);
    }
    let state = app.state();
    let keep = Micros::from(state.settings.voices.keep_days);
    let erase = |day: Micros| {
        let now = state.clock.now() + day * DAY;
        async move {
            erase_overdue(&state.db, &state.log, now)
                .await
                .expect("a look")
        }
    };
    for day in [0, 1, keep - 1] {
        assert_eq!(erase(day).await, 0, "day {day}");
    }
    let later = "UPDATE buyer_personal SET keep_until = keep_until + 172800000000 \
                 WHERE filed_at = (SELECT MAX(filed_at) FROM buyer_personal)";
    state
        .db
        .writer()
        .execute_unprepared(later)
        .await
        .expect("a row");
    assert_eq!(erase(keep + 1).await, 1);
    assert_eq!(kept(&app).await.len(), 1);
    assert_eq!(erase(keep + 3).await, 1);
    assert_eq!(erase(keep + 3).await, 0, "once");
    assert_eq!(kept(&app).await, [] as [Vec<u8>; 0]);
    for event in [&first, &second] {
        let told = entries(staff, event).await;
        let last = told.last().expect("an entry");
        assert_eq!(last[0], "personal_data_erased");
        assert_eq!(
            (&last[1], &last[2]),
            (&json!("system"), &json!({"by": "time"}))
        );
    }
    app.stop().await;
});

on_both!(i20_a_buyer_is_of_ones_own_sale_and_nobody_elses, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let tin = &scene.tins[0];
    let mut till = scene.device(&app, &scene.store).await;
    let (shop, mut theirs) = another(&app, "SHEN").await;
    let event = sold(&mut till, tin).await;
    ok(put(staff, &event, &buyer()).await);
    // Another's is not there, for its issuer neither, nor for who sees all by their role.
    let other = theirs.event("sale", &sale(&[tin]));
    theirs.push(std::slice::from_ref(&other)).await;
    let other = id_of(&other);
    refused(put(staff, &other, &buyer()).await, "not-found");
    ok(put(&shop.operator, &other, &buyer()).await);
    for (who, event) in [(&shop.admin, &event), (&scene.firm.admin, &other)] {
        refused(who.get(&path(event)).await, "not-found");
        refused(put(who, event, &buyer()).await, "not-found");
        refused(open(who, event).await, "not-found");
        refused(delete(who, event).await, "not-found");
    }
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    refused(platform.get(&path(&event)).await, "not-allowed");
    refused(open(&platform, &event).await, "not-allowed");
    assert_eq!(kept(&app).await.len(), 2);
    // Under one id each has its own, and one does not open in the place of the other.
    let same = json!({"units": scanned(&[&scene.tins[1]]), "event_id": event});
    let used = theirs.event("sale", &same);
    theirs.push(&[used]).await;
    refused(open(&shop.operator, &event).await, "not-found");
    let mut name = buyer();
    name["consumer_name"] = json!("李先生");
    ok(put(&shop.operator, &event, &name).await);
    assert_eq!(ok(open(staff, &event).await)["buyer"], buyer());
    assert_eq!(ok(open(&shop.operator, &event).await)["buyer"], name);
    let moved = "UPDATE buyer_personal SET sealed = (SELECT sealed FROM buyer_personal \
                 WHERE filed_at = (SELECT MAX(filed_at) FROM buyer_personal))";
    app.state()
        .db
        .writer()
        .execute_unprepared(moved)
        .await
        .expect("rows");
    assert_eq!(open(staff, &event).await.status, 500);
    app.stop().await;
});

on_both!(
    mb_t6_1_if_t7_2_what_is_asked_of_a_buyer_follows_the_goods,
    |app| {
        let scene = Scene::of(&app).await;
        let (admin, staff) = (&scene.firm.admin, &scene.firm.operator);
        let mut till = scene.device(&app, &scene.store).await;
        let event = sold(&mut till, &scene.tins[0]).await;
        // Formula: time and place are mandatory (IF-T7-2), name and contact not.
        for item in ["purchase_time", "purchase_place"] {
            let mut said = buyer();
            said.as_object_mut().expect("an object").remove(item);
            refused_field(put(staff, &event, &said).await, item, "missing");
        }
        let least = json!({"purchase_time": "2026-01-15", "purchase_place": "店"});
        ok(put(staff, &event, &least).await);
        let opened = ok(open(staff, &event).await)["buyer"].clone();
        assert_eq!(
            opened,
            json!({"purchase_time": "2026-01-15T00:00:00+08:00", "purchase_place": "店"})
        );
        // A care product: none is, but something has to be said (MB-T6-1).
        let care = json!({"code": "HC-1", "name": "护理", "profile": "maternal-baby-care"});
        let care = id(&made(admin.post("/v1/products", &care).await));
        batch(admin, &care, "L1").await;
        let codes = segment(admin, &care, 1).await;
        let printed = format!("/v1/segments/{}/codes", text_of(&codes["id"]));
        let printed = admin.get(&printed).await.text();
        let lotion = printed
            .lines()
            .nth(1)
            .and_then(|line| line.rsplit(',').next());
        let lotion = sold(&mut till, &lotion.expect("a code").to_owned()).await;
        ok(put(staff, &lotion, &json!({"consumer_name": "王女士"})).await);
        refused_field(
            put(staff, &lotion, &json!({})).await,
            "consumer_name",
            "missing",
        );
        // Bad input is named and changes nothing.
        for (item, bad, fault) in [
            ("consumer_name", json!("字".repeat(61)), "length"),
            ("consumer_name", json!("a\u{202e}b"), "hidden-character"),
            ("contact", json!("1\n2"), "line-break"),
            ("purchase_time", json!("yesterday"), "bad-date"),
        ] {
            let mut said = buyer();
            said[item] = bad;
            refused_field(put(staff, &event, &said).await, item, fault);
        }
        for unknown in ["identity_card", "feedback", "event_id"] {
            let mut said = buyer();
            said[unknown] = json!("1");
            let answer = put(staff, &event, &said).await;
            assert_eq!(answer.status / 100, 4, "{unknown}: {}", answer.text());
        }
        assert_eq!(ok(open(staff, &event).await)["buyer"], opened);
        // Only a sale has one.
        let came = till.event("inbound", &inbound(&[&scene.tins[2]]));
        let broken = till.event("from_the_future", &json!({}));
        till.push(&[came.clone(), broken.clone()]).await;
        for other in [&came, &broken] {
            refused_field(put(staff, &id_of(other), &buyer()).await, "id", "no-sale");
        }
        let rows = "SELECT COUNT(*) AS n FROM buyer_personal";
        assert_eq!(count(&app, rows).await, 2);
        app.stop().await;
    }
);
