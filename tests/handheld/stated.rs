//! C1: which batch a device's commission means, with several products and enterprises that use the same
//! lot, and the same product code.

use crate::{
    scene::{GTIN, Scene, enrolled, holds, open_about_events, scanned, settled, unit},
    support::{Firm, PASSWORD, array, batch, firm, id, made, ok, platform, segment, text_of},
};
use serde_json::{Value, json};
use std::time::Duration;
use suyuan_sync::{finding::FindingCode, ids::BatchId};
use suyuan_tests::{TestApp, caller::encoded, on_both, recall_order, until};

/// The printed codes of a segment.
async fn printed(firm: &Firm, segment: &Value) -> Vec<String> {
    let path = format!("/v1/segments/{}/codes", text_of(&segment["id"]));
    let printed = firm.admin.get(&path).await.text();
    let codes = printed.lines().skip(1);
    let codes = codes.filter_map(|line| line.rsplit(',').next());
    codes.map(str::to_owned).collect()
}

/// The batch a unit is in.
async fn batch_of(app: &TestApp, code: &str) -> Option<BatchId> {
    unit(app, code).await.kept.state.batch
}

fn known(id: &str) -> Option<BatchId> {
    id.parse().ok().map(BatchId)
}

on_both!(c1_a_lot_means_the_batch_of_its_own_enterprise, |app| {
    let platform = platform(&app).await;
    let mut made_by = Vec::new();
    for (name, prefix) in [("AAA", "9521234"), ("BBB", "9521235")] {
        let firm = firm(&app, &platform, name, &[prefix]).await;
        let body = json!({"code": "PT-1", "kind": "plant", "name": "地点"});
        let plant = id(&made(firm.admin.post("/v1/locations", &body).await));
        for code in ["AA1", "BB2"] {
            let body = json!({"code": code, "name": "护理", "profile": "maternal-baby-care"});
            let product = id(&made(firm.admin.post("/v1/products", &body).await));
            let batch = batch(&firm.admin, &product, "L7").await;
            let codes = segment(&firm.admin, &product, 2).await;
            let codes = printed(&firm, &codes).await;
            let device = enrolled(&app, &firm.operator, &plant).await;
            made_by.push((code, batch, codes, device));
        }
    }
    for (code, batch, codes, device) in &mut made_by {
        let lots = json!([{"gtin": code, "lot": "L7", "qty": 0}]);
        let events = [
            device.event(
                "commission",
                &json!({"units": scanned(&[&codes[0]]), "body": {"batch": "L7"}}),
            ),
            device.event(
                "commission",
                &json!({"units": scanned(&[&codes[1]]), "lots": lots}),
            ),
        ];
        device.push(&events).await;
        for code in codes {
            assert_eq!(batch_of(&app, code).await, known(batch));
        }
    }
    holds(&app, "commissioned").await;
    app.stop().await;
});

on_both!(
    c1_a_case_is_of_its_products_batch_and_a_strangers_goods_are_not,
    |app| {
        let scene = Scene::of(&app).await;
        let mut plant = scene.device(&app, &scene.plant).await;
        let stock = scene.firm.admin.get("/v1/products").await.json();
        let product = text_of(&stock["items"][0]["id"]);
        let body = json!({"product_id": product, "count": 2, "level": "case"});
        let cases = made(scene.firm.admin.post("/v1/segments", &body).await);
        let cases = printed(&scene.firm, &cases).await;
        let gtin = crate::support::gtin(GTIN);
        let lots = json!([{"gtin": gtin, "lot": "L7", "qty": 0}]);
        let by_lot = json!({"units": scanned(&[&cases[0]]), "body": {"batch": "L7"}});
        let by_line = json!({"units": scanned(&[&cases[1]]), "lots": lots});
        let events = [
            plant.event("commission", &by_lot),
            plant.event("commission", &by_line),
        ];
        plant.push(&events).await;
        for case in &cases {
            assert_eq!(batch_of(&app, case).await, known(&scene.batch));
        }
        assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 0);
        // Somebody else puts codes of nobody into the maker's batch.
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let other = firm(&app, &platform, "SHEN", &[]).await;
        let body = json!({"code": "ST-1", "kind": "store", "name": "地点"});
        let store = id(&made(other.admin.post("/v1/locations", &body).await));
        let mut stranger = enrolled(&app, &other.operator, &store).await;
        let foreign = ["(00)340638131000000012", "(00)340638131000000029"].map(str::to_owned);
        let by_id = json!({"units": scanned(&[&foreign[0]]), "body": {"batch": scene.batch}});
        let by_line = json!({"units": scanned(&[&foreign[1]]), "lots": lots});
        let events = [
            stranger.event("commission", &by_id),
            stranger.event("commission", &by_line),
        ];
        stranger.push(&events).await;
        settled(&app).await;
        for code in &foreign {
            assert_eq!(batch_of(&app, code).await, None);
        }
        assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 2);
        // A batch that is not on record yet is taken once it is.
        let tins = segment(&scene.firm.admin, &product, 1).await;
        let tins = printed(&scene.firm, &tins).await;
        let said = json!({"units": scanned(&[&tins[0]]), "body": {"batch": "L8"}});
        let event = plant.event("commission", &said);
        plant.push(&[event]).await;
        assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 3);
        assert_eq!(batch_of(&app, &tins[0]).await, None);
        let later = batch(&scene.firm.admin, &product, "L8").await;
        settled(&app).await;
        assert_eq!(batch_of(&app, &tins[0]).await, known(&later));
        assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 2);
        holds(&app, "on record").await;
        app.stop().await;
    }
);

on_both!(
    c1_consumers_are_told_of_the_batch_a_line_named_what_staff_are_told,
    |app| {
        let scene = Scene::of(&app).await;
        let admin = &scene.firm.admin;
        let stock = ok(admin.get("/v1/products").await);
        let product = text_of(&stock["items"][0]["id"]);
        let mut codes = Vec::new();
        for what in [
            json!({"product_id": product, "count": 1}),
            json!({"product_id": product, "count": 1, "level": "case"}),
            json!({"gs1_prefix": "9521234", "count": 1}),
            json!({"product_id": product, "count": 1}),
        ] {
            let segment = made(admin.post("/v1/segments", &what).await);
            codes.push((printed(&scene.firm, &segment).await.remove(0), segment));
        }
        let units: Vec<&String> = codes.iter().map(|(code, _)| code).collect();
        let mut line = scene.device(&app, &scene.plant).await;
        let said = json!({"units": scanned(&units), "body": {"batch": scene.batch}});
        let event = line.event("commission", &said);
        line.push(&[event]).await;
        let spoilt = json!({
            "ranges": [{"segment_id": codes[3].1["id"]}], "reason": "破损", "method": "粉碎",
            "witness": "李四", "destroyed_on": "2026-01-01",
        });
        made(admin.post("/v1/code-destructions", &spoilt).await);

        let reasons =
            |told: &Value| -> Vec<String> { array(&told["reasons"]).iter().map(text_of).collect() };
        let are_told = async |wanted: &[[&str; 3]; 4]| {
            for (code, wanted) in units.iter().zip(wanted) {
                let wanted: Vec<&str> = wanted
                    .iter()
                    .copied()
                    .filter(|one| !one.is_empty())
                    .collect();
                let what = format!("{code} is {wanted:?}");
                until(&what, Duration::from_secs(10), async || {
                    let consumer = reasons(&app.consumer().scan(code).await.json());
                    let staff = ok(admin.get(&format!("/v1/units/{}", encoded(code))).await);
                    consumer == wanted && reasons(&staff["advice"]) == wanted
                })
                .await;
            }
        };
        // The record of the batch is not published.
        are_told(&[
            ["not_commissioned", "cannot_confirm", ""],
            ["not_commissioned", "cannot_confirm", ""],
            ["names_logistic_unit", "cannot_confirm", ""],
            ["void", "cannot_confirm", ""],
        ])
        .await;
        let order = recall_order(&json!([scene.batch]), "漏装勺", "退回门店");
        let recall = made(admin.post("/v1/recalls", &order).await);
        are_told(&[
            ["recalled", "not_commissioned", "cannot_confirm"],
            ["recalled", "not_commissioned", "cannot_confirm"],
            ["recalled", "names_logistic_unit", "cannot_confirm"],
            ["recalled", "void", "cannot_confirm"],
        ])
        .await;
        for code in &units {
            let view = app.consumer().scan(code).await.json();
            assert_eq!(view["recall"]["id"], recall["id"], "{code}: {view}");
        }
        app.stop().await;
    }
);
