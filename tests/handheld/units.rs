//! What people are told of a unit: by any form of its code, with what happened, what seemed wrong and
//! what explained it, and nothing that is not theirs to know.

use crate::{
    scene::{GTIN, Scene, enrolled, inbound, key, outbound, sale, scanned},
    support::{firm, gtin, id, made, ok, platform, refused, refused_field, text_of},
};
use serde_json::{Value, json};
use suyuan_tests::{Answer, Caller, TestApp, caller::encoded, on_both};

async fn ask(caller: &Caller, code: &str, more: &str) -> Answer {
    caller
        .get(&format!("/v1/units/{}{more}", encoded(code)))
        .await
}

async fn told(caller: &Caller, code: &str) -> Value {
    ok(ask(caller, code, "").await)
}

fn kinds(unit: &Value) -> Vec<String> {
    let timeline = unit["timeline"].as_array().expect("a timeline");
    timeline
        .iter()
        .map(|entry| text_of(&entry["kind"]))
        .collect()
}

fn findings(unit: &Value) -> Vec<(String, bool)> {
    let findings = unit["findings"].as_array().expect("findings");
    findings
        .iter()
        .map(|finding| (text_of(&finding["code"]), finding["closed"].is_null()))
        .collect()
}

/// What a retract says.
fn retract(target: &str) -> Value {
    json!({"target": target})
}

fn event_id(text: &str) -> String {
    let event: Value = serde_json::from_str(text).expect("an event");
    text_of(&event["event_id"])
}

on_both!(a_unit_is_told_by_any_form_of_its_code, |app| {
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let staff = &scene.firm.operator;
    let fresh = told(staff, tin).await;
    assert_eq!(fresh["state"]["phase"], "commissioned");
    assert_eq!(fresh["batch"]["lot"], "L7");
    assert_eq!(kinds(&fresh), Vec::<String>::new());

    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let mut store = scene.device(&app, &scene.store).await;
    let events = [
        warehouse.event("inbound", &inbound(&[tin])),
        warehouse.event("outbound", &outbound(&[tin], &scene.store)),
    ];
    warehouse.push(&events).await;
    let on_its_way = told(staff, tin).await;
    assert_eq!(on_its_way["state"]["phase"], "in_transit");
    assert_eq!(on_its_way["state"]["place"]["to"], json!(scene.store));
    let events = [
        store.event("inbound", &inbound(&[tin])),
        store.event("sale", &sale(&[tin])),
    ];
    store.push(&events).await;
    let unit = told(staff, tin).await;
    assert_eq!(unit["state"]["phase"], "sold");
    assert_eq!(unit["state"]["place"], json!({"location_id": scene.store}));
    assert_eq!(unit["unit"], key(tin).as_str());
    assert_eq!(unit["level"], "item");
    assert_eq!(unit["advice"]["legality"], "legal");
    assert_eq!(unit["advice"]["reasons"], json!(["cannot_confirm"]));
    assert_eq!(kinds(&unit), ["inbound", "outbound", "inbound", "sale"]);
    assert_eq!(unit["timeline"][1]["partner"]["id"], json!(scene.store));

    let serial = key(tin)
        .as_str()
        .rsplit('/')
        .next()
        .expect("a serial")
        .to_owned();
    let number = gtin(GTIN);
    for form in [
        key(tin).as_str().to_owned(),
        format!("(01){number}(21){serial}"),
        format!("]d201{number}21{serial}"),
    ] {
        assert_eq!(told(staff, &form).await, unit, "{form}");
    }
    refused(ask(staff, "x y", "").await, "malformed-code");
    let product = format!("/01/{number}");
    refused_field(ask(staff, &product, "").await, "code", "names-no-unit");
    for at in ["0", "99999"] {
        let answer = ask(staff, tin, &format!("?at={at}")).await;
        refused_field(answer, "at", "out-of-range");
    }
    app.stop().await;
});

on_both!(what_healed_says_by_what_and_the_past_stays, |app| {
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let staff = &scene.firm.operator;
    let mut store = scene.device(&app, &scene.store).await;
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    // Made in this order; the warehouse has no network.
    let came = store.event("inbound", &inbound(&[tin]));
    let first = warehouse.event("inbound", &inbound(&[tin]));
    let sent = warehouse.event("outbound", &outbound(&[tin], &scene.store));
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let sold = store.event("sale", &sale(&[tin]));
    store.push(&[came, sold.clone()]).await;
    let again = store.event("sale", &sale(&[tin]));
    let doubled = event_id(&again);
    store.push(&[again]).await;
    let before = told(staff, tin).await;
    assert_eq!(findings(&before), [("DOUBLE_SALE".to_owned(), true)]);
    let position = before["position"].as_i64().expect("a position");
    let at = format!("?at={position}");
    let then = ok(ask(staff, tin, &at).await);

    // The second sale was a slip: it is struck, and the finding closes by the retract.
    let slip = store.event("retract", &retract(&doubled));
    let cause = event_id(&slip);
    store.push(&[slip]).await;
    let after = told(staff, tin).await;
    assert_eq!(findings(&after), [("DOUBLE_SALE".to_owned(), false)]);
    let closed = &after["findings"][0]["closed"];
    assert_eq!(closed["by"]["event"], json!(cause));
    assert_eq!(closed["by"]["kind"], "retract");
    let struck: Vec<bool> = after["timeline"]
        .as_array()
        .expect("a timeline")
        .iter()
        .map(|entry| entry["struck"] == json!(true))
        .collect();
    assert_eq!(struck.iter().filter(|struck| **struck).count(), 1);

    // What the warehouse saw comes in late, and changes what stands but not what was known.
    warehouse.push(&[first, sent]).await;
    assert_eq!(
        told(staff, tin).await["timeline"]
            .as_array()
            .expect("a timeline")
            .len(),
        6
    );
    assert_eq!(ok(ask(staff, tin, &at).await), then);
    assert_eq!(findings(&then), [("DOUBLE_SALE".to_owned(), true)]);
    assert_eq!(kinds(&then), ["inbound", "sale", "sale"]);
    app.stop().await;
});

on_both!(what_stands_behind_a_gap_is_provisional, |app| {
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let staff = &scene.firm.operator;
    let mut store = scene.device(&app, &scene.store).await;
    let texts = [
        store.event("inbound", &inbound(&[&scene.tins[1]])),
        store.event("inbound", &inbound(&[tin])),
    ];
    store.push_at(2, store.history[1], &texts[1..]).await;
    assert_eq!(
        told(staff, tin).await["timeline"][0]["provisional"],
        json!(true)
    );
    store.push_at(1, store.history[0], &texts[..1]).await;
    assert_eq!(
        told(staff, tin).await["timeline"][0]["provisional"],
        json!(false)
    );
    app.stop().await;
});

on_both!(
    a_case_tells_what_it_holds_and_its_contents_where_it_is,
    |app| {
        let scene = Scene::of(&app).await;
        let staff = &scene.firm.operator;
        let case = &scene.cases[0];
        let tins: Vec<&String> = scene.tins[..6].iter().collect();
        let mut plant = scene.device(&app, &scene.plant).await;
        let mut pack = json!({"children": scanned(&tins)});
        pack["parent"] = scanned(&[case])[0].clone();
        let events = [
            plant.event("pack", &pack),
            plant.event("outbound", &outbound(&[case], &scene.warehouse)),
        ];
        plant.push(&events).await;
        let tin = told(staff, tins[0]).await;
        assert_eq!(tin["state"]["inside"], key(case).as_str());
        assert_eq!(tin["state"]["phase"], "in_transit");
        assert_eq!(kinds(&tin), ["pack", "outbound"]);
        assert_eq!(tin["timeline"][1]["via"], key(case).as_str());
        assert_eq!(told(staff, case).await["holds"], json!(6));

        let mut seen = Vec::new();
        let mut more = String::from("?limit=4");
        loop {
            let page = ok(ask(staff, case, &format!("/contents{more}")).await);
            for held in page["items"].as_array().expect("items") {
                seen.push(text_of(&held["unit"]));
            }
            let Some(next) = page["next"].as_i64() else {
                break;
            };
            more = format!("?limit=4&after={next}");
        }
        let mut packed: Vec<String> = tins
            .iter()
            .map(|tin| key(tin).as_str().to_owned())
            .collect();
        packed.sort();
        seen.sort();
        assert_eq!(seen, packed);
        app.stop().await;
    }
);

/// A shop of another enterprise, that may be sent something.
async fn shop(app: &TestApp, platform: &Caller) -> (crate::support::Firm, String) {
    let shop = firm(app, platform, "BBB", &[]).await;
    let body = json!({"code": "S-1", "kind": "store", "name": "店"});
    let place = id(&made(shop.admin.post("/v1/locations", &body).await));
    (shop, place)
}

on_both!(everybody_sees_what_is_theirs, |app| {
    let scene = Scene::of(&app).await;
    let operator = app
        .signed_in("platform.admin", crate::support::PASSWORD)
        .await;
    let (shop, place) = shop(&app, &operator).await;
    let stranger = firm(&app, &operator, "CCC", &[]).await;
    let tin = &scene.tins[0];
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut till = enrolled(&app, &shop.operator, &place).await;
    let mut out = outbound(&[tin], &scene.warehouse);
    out["counterpart"] = json!({"type": "enterprise", "id": shop.id});
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let events = [plant.event("outbound", &outbound(&[tin], &scene.warehouse))];
    plant.push(&events).await;
    // Each has heard of the one before: an empty push fetches an anchor.
    warehouse.push(&[]).await;
    let events = [
        warehouse.event("inbound", &inbound(&[tin])),
        warehouse.event("outbound", &out),
    ];
    warehouse.push(&events).await;
    till.push(&[]).await;
    let mut received = inbound(&[tin]);
    received["counterpart"] = json!({"type": "enterprise", "id": scene.firm.id});
    let events = [
        till.event("inbound", &received),
        till.event("sale", &sale(&[tin])),
        till.event("sale", &sale(&[tin])),
    ];
    till.push(&events).await;

    let all = ["outbound", "inbound", "outbound", "inbound", "sale", "sale"];
    for sees_all in [&scene.firm.admin, &operator] {
        let unit = told(sees_all, tin).await;
        assert_eq!(kinds(&unit), all);
        assert!(findings(&unit).contains(&("DOUBLE_SALE".to_owned(), true)));
    }
    // One step up, and its own.
    let unit = told(&shop.operator, tin).await;
    assert_eq!(kinds(&unit), ["outbound", "inbound", "sale", "sale"]);
    assert_eq!(unit["state"]["phase"], "sold");
    assert_eq!(unit["state"]["linked"], json!([shop.id]));
    assert!(findings(&unit).contains(&("DOUBLE_SALE".to_owned(), true)));
    // The shop's device is the shop's business.
    let finding = |unit: &Value| {
        let all = unit["findings"].as_array().expect("findings").clone();
        all.into_iter()
            .find(|f| f["code"] == "DOUBLE_SALE")
            .expect("found")
    };
    assert!(finding(&unit)["device_id"].is_string());
    assert!(finding(&told(&scene.firm.admin, tin).await)["device_id"].is_null());

    refused(ask(&stranger.admin, tin, "").await, "not-found");
    refused(ask(&stranger.admin, tin, "/contents").await, "not-found");
    // Who only claims to have it sees their own claim and nothing else.
    let body = json!({"code": "C-1", "kind": "store", "name": "店"});
    let elsewhere = id(&made(stranger.admin.post("/v1/locations", &body).await));
    let mut thief = enrolled(&app, &stranger.operator, &elsewhere).await;
    let event = thief.event("sale", &sale(&[tin]));
    thief.push(&[event]).await;
    let unit = told(&stranger.admin, tin).await;
    assert_eq!(kinds(&unit), ["sale"]);
    assert_eq!(findings(&unit), [("UNEXPECTED_HOLDER".to_owned(), true)]);
    for hidden in ["state", "advice", "batch"] {
        assert!(unit[hidden].is_null(), "{hidden}");
    }
    // And changes nothing of what the issuer is told but the claim.
    let unit = told(&scene.firm.admin, tin).await;
    assert_eq!(unit["state"]["place"], json!({"location_id": place}));
    assert_eq!(
        unit["state"]["claims"][0]["enterprise_id"],
        json!(stranger.id)
    );
    let view = told(&shop.operator, tin).await;
    assert_eq!(view["state"]["claims"], json!([]));
    app.stop().await;
});

on_both!(a_code_nobody_here_issued_is_not_there, |app| {
    let operator = platform(&app).await;
    let own = firm(&app, &operator, "ACME", &["9521234"]).await;
    for caller in [&operator, &own.admin] {
        refused(
            ask(caller, "/01/06901234567892/21/A1", "").await,
            "not-found",
        );
    }
    app.stop().await;
});
