//! Goods past or near the end of their shelf life (保质期预警): each line that is there once, and nothing that is
//! sold, on its way or good for long.

use crate::{
    scene::{GTIN, Scene, enrolled, inbound, outbound, sale, scanned, settled},
    support::{array, firm, gtin, id, made, ok, person, refused, refused_field, text_of},
};
use serde_json::{Value, json};
use suyuan::{accounts::Role, clock::day_of};
use suyuan_tests::{Caller, TestApp, on_both};

/// A line as it is told.
type Told = (String, String, String, bool, u64, u64);

/// The day so many days from now.
fn day(app: &TestApp, days: i64) -> String {
    day_of(app.state().clock.now() + days * 86_400_000_000).to_string()
}

/// A batch of the scene's product that is good until a day, and tins of it.
async fn tins(scene: &Scene, lot: &str, expiry: &str, count: u64) -> Vec<String> {
    let admin = &scene.firm.admin;
    let product = id(&ok(admin.get("/v1/products").await)["items"][0]);
    let batch = json!({
        "product_id": product, "lot": lot, "production_date": "2024-01-15", "expiry_date": expiry,
    });
    let batch = id(&made(admin.post("/v1/batches", &batch).await));
    let codes = scene.unused(count).await;
    let body = json!({"batch_id": batch, "ranges": [], "codes": codes});
    made(admin.post("/v1/commissions", &body).await);
    codes
}

/// What is told, page by page: place, what it is, lot, day, expired, on hand, returned.
async fn told(caller: &Caller, asked: &str) -> Vec<Told> {
    let (mut out, mut after) = (Vec::new(), String::new());
    loop {
        let page = ok(caller
            .get(&format!("/v1/stock/expiring?{asked}{after}"))
            .await);
        for line in array(&page["items"]) {
            let what = match line["kind"].as_str() {
                Some(kind) => kind.to_owned(),
                None => text_of(&line["gtin"]),
            };
            let number = |name: &str| line[name].as_u64().expect("a number");
            out.push((
                text_of(&line["location_id"]),
                what,
                format!(
                    "{} {}",
                    text_of(&line["lot"]),
                    text_of(&line["expiry_date"])
                ),
                line["expired"] == true,
                number("on_hand"),
                number("returned"),
            ));
        }
        let Some(next) = page["next"].as_str() else {
            return out;
        };
        after = format!("&after={next}");
    }
}

on_both!(goods_near_their_end_are_told_once, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let (past, near, far) = (day(&app, -1), day(&app, 29), day(&app, 400));
    let old = tins(&scene, "E0", &past, 2).await;
    let soon = tins(&scene, "E1", &near, 5).await;
    let good = tins(&scene, "E2", &far, 2).await;
    let all = |codes: &[String]| -> Vec<String> { codes.to_vec() };
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let mut store = scene.device(&app, &scene.store).await;
    let lots = |of: &[(&str, u64)]| -> Value {
        let line = |(lot, qty): &(&str, u64)| json!({"gtin": gtin(GTIN), "lot": lot, "qty": qty});
        of.iter().map(line).collect()
    };
    let here: Vec<String> = [all(&old), all(&soon[..3]), all(&good)].concat();
    let here: Vec<&String> = here.iter().collect();
    // L7 never expires, and of L? nobody filed anything.
    let came = lots(&[("E0", 4), ("E1", 5), ("E2", 6), ("L7", 7), ("L?", 8)]);
    let events = [
        store.event("inbound", &inbound(&here)),
        store.event("inbound", &json!({"lots": came, "doc": {"no": "D-3"}})),
    ];
    store.push(&events).await;
    let packed = json!({
        "parent": {"code": scene.cases[0], "input": "wedge"}, "children": scanned(&[&soon[3], &soon[4]]),
    });
    let came = [&scene.cases[0], &soon[3], &soon[4]];
    let events = [
        warehouse.event("inbound", &inbound(&came)),
        warehouse.event("pack", &packed),
    ];
    warehouse.push(&events).await;
    settled(&app).await;

    let tin = format!("/01/{}", gtin(GTIN));
    let unit = |place: &str, lot: &str, day: &str, on_hand: u64, returned: u64| {
        let lot = format!("{lot} {day}");
        let expired = *day == *past;
        (
            place.to_owned(),
            tin.clone(),
            lot,
            expired,
            on_hand,
            returned,
        )
    };
    let line = |lot: &str, day: &str, balance: u64| {
        let lot = format!("{lot} {day}");
        let expired = *day == *past;
        (scene.store.clone(), gtin(GTIN), lot, expired, balance, 0)
    };
    let sorted = |mut lines: Vec<_>| {
        lines.sort();
        lines
    };
    let warned = sorted(vec![
        unit(&scene.warehouse, "E1", &near, 2, 0),
        unit(&scene.store, "E0", &past, 2, 0),
        unit(&scene.store, "E1", &near, 3, 0),
        line("E0", &past, 4),
        line("E1", &near, 5),
    ]);
    // Page by page, too: each once.
    for asked in ["within_days=30", "", "within_days=30&limit=1"] {
        assert_eq!(sorted(told(staff, asked).await), warned, "{asked}");
    }
    let expired: Vec<_> = warned.iter().filter(|line| line.3).cloned().collect();
    for asked in ["within_days=0", "within_days=28"] {
        assert_eq!(sorted(told(staff, asked).await), expired, "{asked}");
    }
    let long = told(staff, "within_days=401").await;
    assert_eq!(long.len(), warned.len() + 2, "{long:?}");
    let asked = format!("location_id={}", scene.warehouse);
    assert_eq!(
        told(staff, &asked).await,
        warned_at(&warned, &scene.warehouse)
    );

    // What is sold out, and what left, is gone from the list; what comes back is in it.
    let events = [
        store.event("sale", &sale(&[&old[0], &old[1], &soon[0]])),
        store.event("sale", &json!({"lots": lots(&[("E0", 4), ("E1", 1)])})),
        store.event("return", &json!({"units": scanned(&[&soon[0]])})),
        store.event("outbound", &outbound(&[&soon[1]], &scene.plant)),
    ];
    store.push(&events).await;
    settled(&app).await;
    let wanted = sorted(vec![
        unit(&scene.warehouse, "E1", &near, 2, 0),
        unit(&scene.store, "E1", &near, 1, 1),
        line("E1", &near, 4),
    ]);
    assert_eq!(sorted(told(staff, "").await), wanted);

    for days in ["3651", "4294967295"] {
        let path = format!("/v1/stock/expiring?within_days={days}");
        refused_field(staff.get(&path).await, "within_days", "out-of-range");
    }
    for after in ["x", "lots.x", "lots.-1"] {
        let path = format!("/v1/stock/expiring?after={after}");
        refused(staff.get(&path).await, "malformed-request");
    }
    app.stop().await;
});

on_both!(of_what_another_made_is_told_what_is_published, |app| {
    let demo = app.world().await;
    let login = &demo.platform;
    let platform = app.signed_in(&login.user, &login.password).await;
    let all = ok(platform.get("/v1/enterprises").await);
    let mut all = array(&all["items"]).iter();
    let maker = all.find(|it| it["code"] == "CHENMV").expect("the maker");
    let maker = Some(id(maker).parse().expect("an id"));
    let maker = person(&app, "chenmv.boss", Role::EnterpriseAdmin, maker).await;
    let day = day(&app, -1);
    let batches = ok(maker.get("/v1/batches").await);
    let mut batches = array(&batches["items"]).iter();
    let has_expired = |batch: &&Value| text_of(&batch["expiry_date"]) < day;
    let published = batches.find(has_expired).expect("an expired batch");
    assert!(!published["published_version"].is_null(), "{published}");
    let secret = json!({
        "product_id": published["product_id"], "lot": "E9", "production_date": "2024-01-15",
        "expiry_date": day,
    });
    made(maker.post("/v1/batches", &secret).await);

    // Whoever says to have goods of these lots learns nothing of the one that is not published.
    let shop = firm(&app, &platform, "BETA", &[]).await;
    let place = json!({"code": "S-1", "kind": "store", "name": "店"});
    let place = id(&made(shop.admin.post("/v1/locations", &place).await));
    let mut till = enrolled(&app, &shop.operator, &place).await;
    let lots = [text_of(&published["lot"]), "E9".to_owned()];
    let line = |lot: &String| json!({"gtin": gtin(GTIN), "lot": lot, "qty": 4});
    let lots: Vec<Value> = lots.iter().map(line).collect();
    let came = till.event("inbound", &json!({"lots": lots, "doc": {"no": "D-3"}}));
    till.push(&[came]).await;
    settled(&app).await;
    let of = format!(
        "{} {}",
        text_of(&published["lot"]),
        text_of(&published["expiry_date"])
    );
    let wanted: Told = (place, gtin(GTIN), of, true, 4, 0);
    assert_eq!(told(&shop.operator, "").await, [wanted]);
    app.stop().await;
});

/// Of these lines those of a place.
fn warned_at(lines: &[Told], place: &str) -> Vec<Told> {
    let at = lines.iter().filter(|line| line.0 == place);
    at.cloned().collect()
}
