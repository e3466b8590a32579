//! Staff handle what consumers told: entering by hand, lists, states, and who may see what.

use crate::{
    operations::{complaint, stage, tenant},
    support::{array, entries, id, made, ok, refused, refused_field, text_of, walk},
};
use serde_json::{Value, json};
use suyuan_tests::on_both;

on_both!(staff_enter_the_same_record_as_the_page_makes, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let body = complaint(&stage.code);
    let headers = [("idempotency-key", "once")];
    let first = made(admin.post_with("/v1/voices", &headers, &body).await);
    let again = made(admin.post_with("/v1/voices", &headers, &body).await);
    assert_eq!(first["id"], again["id"]);
    let digest = |made: &Value| {
        let receipt = suyuan::voices::receipt::Receipt::parse(&text_of(&made["receipt"]));
        receipt.expect("a receipt").digest()
    };
    assert_eq!(digest(&first), digest(&again));
    let path = format!("/v1/public/complaints/{}", text_of(&first["receipt"]));
    assert_eq!(ok(app.consumer().get(&path).await)["state"], "received");

    let at = format!("/v1/voices/{}", id(&first));
    let open = ok(admin.post(&format!("{at}/openings"), &json!({})).await);
    assert_eq!(open["voice"]["entered_by"], "staff");
    let step = json!({"state": "closed", "result": "已换货"});
    ok(admin.post(&format!("{at}/steps"), &step).await);
    let open = ok(admin.post(&format!("{at}/openings"), &json!({})).await);
    for (item, value) in [
        ("complainant", json!("王女士")),
        ("product", json!("奶粉")),
        ("complaint_place", json!("上海")),
        ("content", json!("奶粉结块")),
        ("handling_result", json!("已换货")),
    ] {
        let path = format!("consumer_complaint.{item}");
        assert_eq!(open["record"][&path], value, "{path}");
    }
    assert!(open["record"]["consumer_complaint.complaint_time"].is_string());
    // No entry and no kept answer holds a personal word, and who opened it is named.
    let all = entries(&app).await;
    assert!(all.iter().all(|entry| !entry.body.contains("王女士")));
    assert!(all.iter().all(|entry| !entry.body.contains("奶粉结块")));
    let openings = all.iter().filter(|e| e.kind == "personal_data_opened");
    assert_eq!(openings.count(), 2);
    app.stop().await;
});

on_both!(what_is_mandatory_follows_the_standard, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    for (field, fault) in [
        ("name", "missing"),
        ("place", "missing"),
        ("content", "missing"),
    ] {
        let mut body = complaint(&stage.code);
        body[field] = json!("");
        refused_field(admin.post("/v1/voices", &body).await, field, fault);
    }
    let mut body = complaint(&stage.code);
    body["told_at"] = json!("2099-01-01T00:00:00Z");
    refused_field(
        admin.post("/v1/voices", &body).await,
        "told_at",
        "bad-datetime",
    );
    let body = complaint("06901234567892");
    refused_field(admin.post("/v1/voices", &body).await, "code", "not-ours");
    app.stop().await;
});

on_both!(a_case_goes_forward_and_ends_with_its_result, |app| {
    let (_, stage) = stage(&app).await;
    let operator = &stage.firm.operator;
    let steps = format!("/v1/voices/{}/steps", stage.voice);
    let to = |state: &str| json!({"state": state});
    refused(operator.post(&steps, &to("received")).await, "wrong-step");
    refused_field(
        operator.post(&steps, &to("answered")).await,
        "answer",
        "missing",
    );
    refused_field(
        operator.post(&steps, &to("closed")).await,
        "result",
        "missing",
    );
    let out = ok(operator.post(&steps, &to("in_progress")).await);
    assert_eq!(
        (&out["state"], &out["answered_at"]),
        (&json!("in_progress"), &Value::Null)
    );
    let answer = json!({"state": "answered", "answer": "请到门店换货"});
    assert!(ok(operator.post(&steps, &answer).await)["answered_at"].is_string());
    let end = json!({"state": "closed", "result": "已换货"});
    assert!(ok(operator.post(&steps, &end).await)["closed_at"].is_string());
    refused(
        operator.post(&steps, &to("in_progress")).await,
        "wrong-step",
    );
    let long = json!({"state": "answered", "answer": "长".repeat(2001)});
    refused_field(operator.post(&steps, &long).await, "answer", "length");
    app.stop().await;
});

on_both!(lists_are_paged_and_narrowed, |app| {
    let (platform, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    for _ in 0..4 {
        made(admin.post("/v1/voices", &complaint(&stage.code)).await);
    }
    let mut feedback = complaint(&stage.code);
    feedback["kind"] = json!("feedback");
    feedback["bought_at"] = json!("2026-01-02");
    let feedback = id(&made(admin.post("/v1/voices", &feedback).await));
    let (ids, pages) = walk(admin, "/v1/voices", 2).await;
    assert_eq!((ids.len(), pages), (6, 4));
    assert!(ids.is_sorted());
    let count = |query: &'static str| async move {
        array(&ok(admin.get(&format!("/v1/voices?{query}")).await)["items"]).len()
    };
    assert_eq!(count("kind=feedback").await, 1);
    assert_eq!(count("kind=complaint&state=received").await, 5);
    assert_eq!(count("state=closed").await, 0);
    assert_eq!(count("code=06901234567892").await, 0);
    refused(
        admin.get("/v1/voices?state=nonsense").await,
        "malformed-request",
    );
    let open = ok(admin
        .post(&format!("/v1/voices/{feedback}/openings"), &json!({}))
        .await);
    let record = &open["record"];
    assert_eq!(
        record["consumer_purchase.purchase_time"],
        "2026-01-02T00:00:00+08:00"
    );
    assert_eq!(record["consumer_purchase.purchase_place"], "上海");
    assert_eq!(record["consumer_purchase.feedback"], "奶粉结块");
    // The platform oversees all and reads nothing personal of an enterprise.
    let all = ok(platform.get("/v1/voices").await);
    assert_eq!(array(&all["items"]).len(), 6);
    let path = format!("/v1/voices/{feedback}/openings");
    refused(platform.post(&path, &json!({})).await, "not-allowed");
    app.stop().await;
});

on_both!(a_code_of_nobody_here_is_the_platforms_to_handle, |app| {
    let (platform, stage) = stage(&app).await;
    let theirs = tenant(&app, &platform, "BBB", "6901234").await;
    let told = json!({"code": "(01)09506000134352(21)X1", "content": "查不到", "place": "上海",
        "name": "王女士", "consent": true});
    let given = app.consumer().post("/v1/public/complaints", &told).await;
    made(given);
    let unowned = loop {
        let all = ok(platform.get("/v1/voices").await);
        let found = array(&all["items"])
            .iter()
            .find(|voice| voice["enterprise_id"].is_null())
            .cloned();
        match found {
            Some(voice) => break voice,
            None => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    };
    let at = format!("/v1/voices/{}", id(&unowned));
    for firm in [&stage.firm, &theirs.firm] {
        refused(firm.admin.get(&at).await, "not-found");
        refused(
            firm.admin.post(&format!("{at}/openings"), &json!({})).await,
            "not-found",
        );
    }
    let open = ok(platform.post(&format!("{at}/openings"), &json!({})).await);
    assert_eq!(open["record"]["consumer_complaint.content"], "查不到");
    app.stop().await;
});

on_both!(erasing_twice_changes_nothing_more, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let path = format!("/v1/voices/{}/erasure", stage.voice);
    let before = entries(&app).await.len();
    assert_eq!(
        ok(admin.post(&path, &json!({})).await)["personal"],
        "erased"
    );
    assert_eq!(
        ok(admin.post(&path, &json!({})).await)["personal"],
        "erased"
    );
    assert_eq!(entries(&app).await.len(), before + 1);
    let open = format!("/v1/voices/{}/openings", stage.voice);
    refused(admin.post(&open, &json!({})).await, "personal-data-erased");
    app.stop().await;
});
