//! The gate of Table 8: what is missing is named exactly, and nothing incomplete goes public.

use crate::{
    publication::shown,
    support::{array, id, made, ok, refused, refused_field, text_of},
};
use serde_json::{Value, json};
use suyuan::catalogue::{Catalogue, PublicField};
use suyuan_tests::{TestApp, on_both};

/// The fields without those the row draws on; `None` when there were none.
fn without(fields: &Value, row: &PublicField) -> Option<Value> {
    let mut left = fields.clone();
    let map = left.as_object_mut().expect("fields");
    let before = map.len();
    map.retain(|path, _| !row.from.iter().any(|from| from.to_string() == *path));
    (map.len() < before).then_some(left)
}

/// Takes away each required item in turn, where it is kept.
async fn each_item_is_missed(app: &TestApp, formula: bool) {
    let demo = app.world().await;
    let shown = shown(app, &demo, formula).await;
    let before = shown.public(app).await;
    let catalogue = Catalogue::built_in().expect("the catalogue");
    let profile = catalogue.profile(shown.profile).expect("the profile");
    let publish_product = format!("/v1/products/{}/publish", id(&shown.product));
    let publish_batch = shown.publish_batch_path();
    let mut missed = Vec::new();
    for row in profile.public_view.fields.iter().filter(|row| row.required) {
        let answer = if let Some(fields) = without(&shown.product["fields"], row) {
            shown.revise_product("0001-01-01", &fields).await;
            let answer = shown.admin.post(&publish_product, &json!({})).await;
            shown
                .revise_product("0001-01-01", &shown.product["fields"])
                .await;
            answer
        } else if let Some(fields) = without(&shown.batch["fields"], row) {
            shown.revise_batch(&fields).await;
            let answer = shown.admin.post(&publish_batch, &json!({})).await;
            shown.revise_batch(&shown.batch["fields"]).await;
            answer
        } else if let Some(fields) = without(&shown.enterprise["fields"], row) {
            shown.revise_enterprise(&fields).await;
            let answer = shown.admin.post(&publish_batch, &json!({})).await;
            let product = shown.admin.post(&publish_product, &json!({})).await;
            refused(product, "not-publishable");
            assert_eq!(
                shown.public(app).await,
                before,
                "kept as shown: {}",
                row.name
            );
            shown.revise_enterprise(&shown.enterprise["fields"]).await;
            answer
        } else {
            continue; // lot, dates, code and plant: given with the batch, see below
        };
        let problem = refused(answer, "not-publishable");
        let paths: Vec<String> = row.from.iter().map(ToString::to_string).collect();
        let errors = array(&problem["errors"]);
        assert_eq!(errors.len(), 1, "{}: {problem}", row.name);
        assert_eq!(errors[0]["field"], paths.join(" | "));
        assert_eq!(errors[0]["code"], "missing");
        assert!(
            text_of(&errors[0]["message_zh"]).contains(&row.title_zh),
            "{problem}"
        );
        assert_eq!(
            shown.public(app).await,
            before,
            "{} changed what is public",
            row.name
        );
        missed.push(row.order);
    }
    let given_with_the_batch: &[u16] = if formula {
        &[6, 8, 10, 11, 16]
    } else {
        &[5, 12]
    };
    let expected: Vec<u16> = profile
        .public_view
        .fields
        .iter()
        .filter(|row| row.required && !given_with_the_batch.contains(&row.order))
        .map(|row| row.order)
        .collect();
    assert_eq!(missed, expected);
    // With everything back in place it goes through, and shows what it showed.
    ok(shown.admin.post(&publish_product, &json!({})).await);
    ok(shown.admin.post(&publish_batch, &json!({})).await);
    assert_eq!(shown.public(app).await, before);
}

on_both!(each_required_item_of_formula_is_missed_by_name, |app| {
    each_item_is_missed(&app, true).await;
    app.stop().await;
});

on_both!(
    each_required_item_of_care_products_is_missed_by_name,
    |app| {
        each_item_is_missed(&app, false).await;
        app.stop().await;
    }
);

on_both!(a_batch_without_plant_or_expiry_says_so, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let mut body = json!({
        "product_id": shown.product["id"], "lot": "NEW1", "production_date": "2026-01-15",
        "fields": shown.batch["fields"],
    });
    body["fields"]["finished_product.shelf_life"] = json!("见包装");
    let new = made(shown.admin.post("/v1/batches", &body).await);
    let path = format!("/v1/batches/{}/publish", id(&new));
    let problem = refused(shown.admin.post(&path, &json!({})).await, "not-publishable");
    let named: Vec<String> = array(&problem["errors"])
        .iter()
        .map(|e| text_of(&e["field"]))
        .collect();
    assert_eq!(
        named,
        [
            "finished_product.expiry_date",
            "enterprise_information.producer_name_and_contact",
        ]
    );
    assert_eq!(
        ok(shown.admin.get(&format!("/v1/batches/{}", id(&new))).await)["published_version"],
        Value::Null
    );
    app.stop().await;
});

on_both!(a_batch_waits_for_its_product, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let body = json!({
        "code": "CM-3", "name": "新品", "profile": "infant-formula", "fields": shown.product["fields"],
    });
    let product = made(shown.admin.post("/v1/products", &body).await);
    let body = json!({
        "product_id": product["id"], "lot": "N1", "production_date": "2026-01-15",
        "plant_id": shown.batch["plant_id"], "fields": shown.batch["fields"],
    });
    let batch = made(shown.admin.post("/v1/batches", &body).await);
    let path = format!("/v1/batches/{}/publish", id(&batch));
    let answer = shown.admin.post(&path, &json!({})).await;
    refused_field(answer, "product_id", "not-published");
    let publish = format!("/v1/products/{}/publish", id(&product));
    let published = ok(shown.admin.post(&publish, &json!({})).await);
    assert_eq!(published["published"], true);
    let published = ok(shown.admin.post(&path, &json!({})).await);
    assert_eq!(published["published_version"], 1);
    app.stop().await;
});
