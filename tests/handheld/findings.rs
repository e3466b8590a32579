//! The list of findings and its counts: whose they are, which are asked for, in pages.

use crate::{
    scene::{Scene, enrolled, inbound, sale},
    support::{PASSWORD, array, firm, id, made, number, ok, refused_field, text_of},
};
use serde_json::{Value, json};
use suyuan_tests::{Caller, TestApp, caller::encoded, on_both};

async fn list(caller: &Caller, query: &str) -> Vec<Value> {
    let page = ok(caller.get(&format!("/v1/findings?{query}")).await);
    array(&page["items"]).to_vec()
}

async fn codes(caller: &Caller, query: &str) -> Vec<String> {
    let list = list(caller, query).await;
    list.iter()
        .map(|finding| text_of(&finding["code"]))
        .collect()
}

/// Three tins sold that never came in, of which one comes in late; one of them sold twice.
async fn stage(app: &TestApp) -> (Scene, String) {
    let scene = Scene::of(app).await;
    let mut warehouse = scene.device(app, &scene.store).await;
    let mut till = scene.device(app, &scene.store).await;
    let late = warehouse.event("inbound", &inbound(&[&scene.tins[0]]));
    till.push(&[]).await;
    let mut events = Vec::new();
    for tin in [0, 1, 2, 2] {
        events.push(till.event("sale", &sale(&[&scene.tins[tin]])));
    }
    till.push(&events).await;
    warehouse.push(&[late]).await;
    (scene, till.device.to_string())
}

on_both!(findings_are_listed_by_what_is_asked_for, |app| {
    let (scene, till) = stage(&app).await;
    let staff = &scene.firm.operator;
    assert_eq!(
        codes(staff, "open=true&severity=critical").await,
        ["DOUBLE_SALE"]
    );
    assert_eq!(codes(staff, "open=true&code=ORPHAN_SALE").await.len(), 2);
    let closed = list(staff, "open=false").await;
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0]["code"], "ORPHAN_SALE");
    assert_eq!(closed[0]["closed"]["by"]["kind"], "inbound");
    assert_eq!(closed[0]["witnesses"][0]["kind"], "sale");
    let unit = encoded(&scene.tins[2]);
    assert_eq!(
        codes(staff, &format!("unit={unit}&severity=critical")).await,
        ["DOUBLE_SALE"]
    );
    assert_eq!(
        codes(staff, &format!("unit={}", encoded(&scene.tins[9]))).await,
        [""; 0]
    );
    let all = list(staff, "").await.len();
    for (query, expected) in [
        (format!("device={till}"), all),
        (format!("place={}", scene.store), all),
        (format!("place={}", scene.plant), 0),
        (format!("batch={}", scene.batch), all),
        (format!("batch={}", scene.plant), 0),
        ("since=999999".into(), 0),
        ("until=1".into(), 0),
        ("since_time=2099-01-01T00:00:00Z".into(), 0),
        ("until_time=2099-01-01T00:00:00Z".into(), all),
        // As far as RFC 3339 goes.
        ("since_time=9999-12-31T23:59:59Z".into(), 0),
        ("until_time=9999-12-31T23:59:60-23:59".into(), all),
        ("since_time=0000-01-01T00:00:00Z".into(), all),
        ("until_time=0000-01-01T00:00:00%2B23:59".into(), 0),
        ("until_time=2020-01-01T00:00:00Z".into(), 0),
    ] {
        assert_eq!(list(staff, &query).await.len(), expected, "{query}");
    }
    // Between the sales and what came in late, by position and by time alike.
    let opened = closed[0]["opened_position"].as_i64().expect("a position");
    let after = format!("since={}", opened + 1);
    assert_eq!(list(staff, &after).await.len(), all - 1);

    // Page by page it is the same list.
    let (mut seen, mut more) = (Vec::new(), String::new());
    loop {
        let page = ok(staff.get(&format!("/v1/findings?limit=2{more}")).await);
        seen.extend(array(&page["items"]).to_vec());
        let Some(next) = page["next"].as_i64() else {
            break;
        };
        more = format!("&after={next}");
    }
    assert_eq!(seen, list(staff, "").await);
    for (query, field) in [
        ("code=NONE", "code"),
        ("severity=bad", "severity"),
        ("since_time=x", "since_time"),
    ] {
        let answer = staff.get(&format!("/v1/findings?{query}")).await;
        let fault = if field == "since_time" {
            "bad-time"
        } else {
            "unknown"
        };
        refused_field(answer, field, fault);
    }
    app.stop().await;
});

on_both!(
    i25_the_judged_event_is_its_staters_whatever_another_calls_by_its_id,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let shop = firm(&app, &platform, "BETA", &[]).await;
        let place = json!({"code": "S-1", "kind": "store", "name": "店"});
        let place = id(&made(shop.admin.post("/v1/locations", &place).await));
        let mut stranger = enrolled(&app, &shop.operator, &place).await;
        let mut till = scene.device(&app, &scene.store).await;
        let tin = &scene.tins[0];
        let sold = till.event("sale", &sale(&[tin]));
        let judged: Value = serde_json::from_str(&sold).expect("an event");
        // A stranger's event about the same tin, which was in first, has its id.
        let mut said = inbound(&[tin]);
        said["event_id"] = judged["event_id"].clone();
        let first = stranger.event("inbound", &said);
        stranger.push(&[first]).await;
        till.push(&[sold]).await;
        for caller in [&scene.firm.admin, &platform] {
            let found = list(caller, "code=ORPHAN_SALE").await;
            let [found] = &found[..] else {
                panic!("{found:?}");
            };
            assert_eq!(found["event"], judged["event_id"]);
            let witnesses = array(&found["witnesses"]).iter();
            let told: Vec<_> = witnesses
                .map(|it| (text_of(&it["kind"]), text_of(&it["enterprise_id"])))
                .collect();
            assert_eq!(told, [("sale".to_owned(), scene.firm.id.clone())]);
        }
        app.stop().await;
    }
);

on_both!(open_findings_are_counted_for_those_they_concern, |app| {
    let (scene, _) = stage(&app).await;
    let operator = app
        .signed_in("platform.admin", crate::support::PASSWORD)
        .await;
    for caller in [&scene.firm.admin, &scene.firm.operator, &operator] {
        let counts = ok(caller.get("/v1/findings/counts").await);
        assert_eq!(counts["critical"], json!(1));
        let open = list(caller, "open=true&limit=500").await;
        let sum: u64 = array(&counts["codes"])
            .iter()
            .map(|count| number(&count["open"]))
            .sum();
        assert_eq!(sum, open.len() as u64);
        let orphans = array(&counts["codes"])
            .iter()
            .find(|c| c["code"] == "ORPHAN_SALE");
        assert_eq!(orphans.expect("counted")["open"], json!(2));
    }
    let other = firm(&app, &operator, "BBB", &[]).await;
    assert_eq!(
        ok(other.admin.get("/v1/findings/counts").await)["codes"],
        json!([])
    );
    assert_eq!(list(&other.admin, "").await, [json!(null); 0]);
    app.stop().await;
});
