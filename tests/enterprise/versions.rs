//! A unit shows what was in force when it was made (H10).

use crate::{
    publication::shown,
    support::{id, made, ok, segment},
};
use serde_json::{Value, json};
use suyuan_tests::{Caller, TestApp, on_both};

const WARNINGS: &str = "consumer_instructions.warnings";
const NOTE: &str = "以下是这批产品生产时的信息";

fn item<'a>(table: &'a Value, name: &str) -> &'a Value {
    let found = table
        .as_array()
        .and_then(|t| t.iter().find(|i| i["name"] == name));
    &found.unwrap_or_else(|| panic!("{name} is not in {table}"))["value"]
}

/// Says "newer" in both languages, or in neither.
async fn notes_a_newer_version(app: &TestApp, code: &str) -> bool {
    let zh = app.consumer().page(code).await.text().contains(NOTE);
    let headers = [("accept", "text/html"), ("accept-language", "en")];
    let page = app.consumer().get_with(code, &headers).await.text();
    assert_eq!(page.contains("valid when the batch was made"), zh);
    zh
}

async fn version(caller: &Caller, path: &str) -> (Value, Value) {
    let body = ok(caller.get(path).await);
    (body["version"].clone(), body["valid_from"].clone())
}

on_both!(goods_show_the_version_in_force_when_they_were_made, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let old = shown.public(&app).await;
    assert!(!notes_a_newer_version(&app, &shown.code).await);
    let today = app.clock.today().to_string();

    // A newer version, for goods made from today on: this tin keeps its own, and says so.
    let mut fields = shown.product["fields"].clone();
    fields[WARNINGS] = json!("新的警示");
    shown.publish_product(&today, &fields).await;
    assert_eq!(shown.public(&app).await, old);
    assert!(notes_a_newer_version(&app, &shown.code).await);

    // A tin made today shows the new one, and no note.
    let body = json!({
        "product_id": shown.product["id"], "lot": "TODAY", "production_date": today,
        "plant_id": shown.batch["plant_id"], "fields": shown.batch["fields"],
    });
    let batch = id(&made(shown.admin.post("/v1/batches", &body).await));
    ok(shown
        .admin
        .post(&format!("/v1/batches/{batch}/publish"), &json!({}))
        .await);
    let segment = segment(&shown.admin, &id(&shown.product), 10).await;
    let range = json!([{"segment_id": segment["id"]}]);
    let all = json!({"batch_id": batch, "ranges": range});
    assert_eq!(
        made(shown.admin.post("/v1/commissions", &all).await)["commissioned"],
        10
    );
    let lines = shown
        .admin
        .get(&format!("/v1/segments/{}/codes", id(&segment)))
        .await
        .text();
    let new_tin = lines
        .lines()
        .nth(1)
        .and_then(|l| l.rsplit(',').next())
        .expect("a code");
    app.settled().await;
    let view = ok(app.consumer().scan(new_tin).await);
    assert_eq!(view["advice"], "ok");
    assert_eq!(item(&view["public_info"], "warnings"), "新的警示");
    assert!(!notes_a_newer_version(&app, new_tin).await);

    // A correction in force from before either was made changes both.
    fields[WARNINGS] = json!("更正的警示");
    shown.publish_product("2000-01-01", &fields).await;
    assert_eq!(item(&shown.public(&app).await, "warnings"), "更正的警示");
    assert!(!notes_a_newer_version(&app, &shown.code).await);
    let view = ok(app.consumer().scan(new_tin).await);
    assert_eq!(item(&view["public_info"], "warnings"), "更正的警示");
    app.stop().await;
});

on_both!(
    what_an_enterprise_says_of_itself_changes_for_goods_made_after,
    |app| {
        let demo = app.world().await;
        let shown = shown(&app, &demo, true).await;
        let path = format!("/v1/enterprises/{}/versions", id(&shown.enterprise));
        let mut body = json!({
            "name": "新名", "valid_from": app.clock.today().to_string(),
            "fields": shown.enterprise["fields"],
        });
        body["fields"]["enterprise_information.website"] = json!("www.new.example");
        let before = shown.public(&app).await;
        made(shown.admin.post(&path, &body).await);
        assert_eq!(shown.public(&app).await, before);
        body["valid_from"] = json!("2001-01-01");
        made(shown.admin.post(&path, &body).await);
        assert_eq!(
            item(&shown.public(&app).await, "website"),
            "www.new.example"
        );
        app.stop().await;
    }
);

on_both!(versions_count_up_and_the_newest_is_read, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let product = format!("/v1/products/{}", id(&shown.product));
    assert_eq!(
        version(&shown.admin, &product).await,
        (json!(1), json!("0001-01-01"))
    );
    for n in 2..5 {
        shown
            .revise_product(&format!("202{n}-01-01"), &shown.product["fields"])
            .await;
        let found = version(&shown.admin, &product).await;
        assert_eq!(found, (json!(n), json!(format!("202{n}-01-01"))));
        assert_eq!(ok(shown.admin.get(&product).await)["published"], false);
        shown.revise_batch(&shown.batch["fields"]).await;
        let batch = ok(shown
            .admin
            .get(&format!("/v1/batches/{}", id(&shown.batch)))
            .await);
        assert_eq!(
            (&batch["version"], &batch["published_version"]),
            (&json!(n), &json!(1))
        );
        shown.revise_enterprise(&shown.enterprise["fields"]).await;
        let found = version(
            &shown.admin,
            &format!("/v1/enterprises/{}", id(&shown.enterprise)),
        )
        .await;
        assert_eq!(found.0, n);
    }
    // All values count, not only those sent before: a version replaces, it does not add.
    shown
        .revise_product("2026-01-01", &json!({WARNINGS: "只有这一项"}))
        .await;
    let read = ok(shown.admin.get(&product).await);
    assert_eq!(read["fields"], json!({WARNINGS: "只有这一项"}));
    app.stop().await;
});

on_both!(sixteen_versions_at_once_get_sixteen_numbers, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let path = format!("/v1/products/{}/versions", id(&shown.product));
    let body = json!({"name": "新版", "valid_from": "2026-01-01", "fields": {}});
    let sends = (0..16).map(|_| shown.admin.post(&path, &body));
    let mut numbers: Vec<u64> = Vec::new();
    for answer in futures_util::future::join_all(sends).await {
        numbers.push(crate::support::number(&made(answer)["version"]));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (2..18).collect::<Vec<_>>());
    app.stop().await;
});

on_both!(
    publishing_shows_every_batch_of_the_product_again_in_slices,
    |app| {
        let demo = app.world().await;
        let shown = shown(&app, &demo, true).await;
        let mut body = json!({
            "product_id": shown.product["id"], "production_date": "2026-01-15",
            "plant_id": shown.batch["plant_id"], "fields": shown.batch["fields"],
        });
        for n in 0..27 {
            body["lot"] = json!(format!("LOT{n}"));
            let batch = id(&made(shown.admin.post("/v1/batches", &body).await));
            ok(shown
                .admin
                .post(&format!("/v1/batches/{batch}/publish"), &json!({}))
                .await);
        }
        let before = crate::support::entries(&app).await.len();
        let mut fields = shown.product["fields"].clone();
        fields[WARNINGS] = json!("更正的警示");
        shown.publish_product("0001-01-01", &fields).await;
        // One entry for the version, one for its publication, then 30 batches in slices of 25.
        let log = crate::support::entries(&app).await;
        let kinds: Vec<&str> = log[before..]
            .iter()
            .map(|entry| entry.kind.as_str())
            .collect();
        assert_eq!(
            kinds,
            ["master_data_changed", "published", "published", "published"]
        );
        let again: usize = log[before + 2..]
            .iter()
            .filter_map(|entry| serde_json::from_str::<Value>(&entry.body).ok())
            .map(|body| crate::support::array(&body["shown_again"]).len())
            .sum();
        assert_eq!(again, 30);
        assert_eq!(item(&shown.public(&app).await, "warnings"), "更正的警示");
        app.stop().await;
    }
);
