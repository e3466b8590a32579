//! What belongs to another enterprise is not there: 404 where an id is asked for, never 403, and
//! nothing is changed.

use crate::{
    operations::{Body, Stage, call, operations, stage, tenant},
    support::{array, head, made, ok, refused, refused_field, segment, text_of},
};
use serde_json::{Value, json};
use suyuan_tests::{Caller, TestApp, on_both};

async fn two(app: &TestApp) -> (Caller, Stage, Stage) {
    let (platform, ours) = stage(app).await;
    let theirs = tenant(app, &platform, "BBB", "6901234").await;
    (platform, ours, theirs)
}

/// No list of `other` holds an id of this tenant.
async fn sees_nothing_of(stage: &Stage, other: &Caller) {
    for path in [
        "/v1/locations",
        "/v1/badges",
        "/v1/products",
        "/v1/batches",
        "/v1/segments",
        "/v1/commissions",
        "/v1/code-destructions",
        "/v1/recalls",
        "/v1/links",
        "/v1/transports",
        "/v1/excursions",
        "/v1/users",
        "/v1/voices",
        "/v1/log",
    ] {
        let text = ok(other.get(path).await).to_string();
        for id in [
            &stage.user,
            &stage.plant,
            &stage.badge,
            &stage.product,
            &stage.batch,
            &stage.segment,
            &stage.recall,
            &stage.voice,
            &stage.link,
            &stage.transport,
            &stage.file,
            &stage.firm.id,
        ] {
            assert!(!text.contains(id.as_str()), "{path} shows {id}");
        }
    }
}

on_both!(a_stranger_gets_404_not_403, |app| {
    let (_, ours, theirs) = two(&app).await;
    let before = head(&app).await;
    let mut asked = 0;
    for operation in operations() {
        let of_no_tenant = operation.id == "get_profile" || operation.is_of_devices();
        if !operation.path.contains('{') || of_no_tenant {
            continue;
        }
        let (path, body) = theirs.request(&operation, 1).expect("a request");
        let answer = call(&ours.firm.admin, &operation, &path, &body, &[]).await;
        assert_eq!(answer.status, 404, "{}: {}", operation.id, answer.text());
        let theirs = refused(answer, "not-found");

        // Exactly as for an id that nobody has.
        let nobody = "0198c0de-0000-7000-8000-000000000000";
        let hash = "0".repeat(64);
        let nowhere = operation
            .path
            .replace("{id}", nobody)
            .replace("{hash}", &hash)
            .replace("{code}", "%2F01%2F06901234567892%2F21%2FNOBODY");
        let answer = call(&ours.firm.admin, &operation, &nowhere, &body, &[]).await;
        let nothing = refused(answer, "not-found");
        assert_eq!(theirs["detail"], nothing["detail"], "{}", operation.id);
        asked += 1;
    }
    assert!(asked >= 13, "{asked}");
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

on_both!(lists_hold_nothing_of_another_enterprise, |app| {
    let (_, ours, theirs) = two(&app).await;
    sees_nothing_of(&theirs, &ours.firm.admin).await;
    sees_nothing_of(&ours, &theirs.firm.admin).await;
    let path = format!("/v1/batches?product_id={}", theirs.product);
    let page = ok(ours.firm.admin.get(&path).await);
    assert_eq!(page["items"], json!([]));
    // Paging does not reach into another enterprise either.
    let path = format!("/v1/products?after={}", ours.product);
    let page = ok(ours.firm.admin.get(&path).await);
    assert_eq!(page["items"], json!([]));
    app.stop().await;
});

/// A body of the tenant's own, changed at one place.
fn with(stage: &Stage, operation: &str, field: &str, value: Value) -> (String, Value) {
    let all = operations();
    let operation = all.iter().find(|o| o.id == operation).expect("known");
    match stage.request(operation, 150) {
        Some((path, Body::Json(mut body))) => {
            body[field] = value;
            (path, body)
        }
        other => panic!("no JSON: {other:?}"),
    }
}

on_both!(an_id_of_another_enterprise_in_a_body_is_not_there, |app| {
    let (_, ours, theirs) = two(&app).await;
    let before = head(&app).await;
    let admin = &ours.firm.admin;
    let foreign = json!([{"segment_id": theirs.segment, "from": 20, "to": 29}]);
    for (operation, field, value) in [
        ("create_batch", "product_id", json!(theirs.product)),
        ("create_batch", "plant_id", json!(theirs.plant)),
        ("create_commission", "batch_id", json!(theirs.batch)),
        ("create_commission", "ranges", foreign.clone()),
        ("create_code_destruction", "ranges", foreign),
        ("open_recall", "batch_ids", json!([theirs.batch])),
        (
            "open_recall",
            "batch_ids",
            json!([ours.batch, theirs.batch]),
        ),
    ] {
        let (path, body) = with(&ours, operation, field, value);
        let answer = admin.post(&path, &body).await;
        assert_eq!(answer.status, 404, "{operation} {field}: {}", answer.text());
        refused(answer, "not-found");
    }
    for (operation, field, value, place, fault) in [
        (
            "create_segment",
            "product_id",
            json!(theirs.product),
            "product_id",
            "unknown",
        ),
        (
            "create_commission",
            "codes",
            json!([theirs.code]),
            "codes/0",
            "not-ours",
        ),
        (
            "create_commission",
            "codes",
            json!([ours.code, theirs.code]),
            "codes/1",
            "not-ours",
        ),
        (
            "create_code_destruction",
            "codes",
            json!([theirs.code]),
            "codes/0",
            "not-ours",
        ),
        (
            "create_code_destruction",
            "evidence",
            json!(theirs.file),
            "evidence",
            "unknown-file",
        ),
    ] {
        let (path, body) = with(&ours, operation, field, value);
        refused_field(admin.post(&path, &body).await, place, fault);
    }
    let sscc = json!({"gs1_prefix": theirs.prefix, "count": 5});
    refused_field(
        admin.post("/v1/segments", &sscc).await,
        "gs1_prefix",
        "unknown",
    );
    let path = format!(
        "/v1/segments/{}/codes?batch_id={}",
        ours.segment, theirs.batch
    );
    refused(admin.get(&path).await, "not-found");
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

on_both!(two_enterprises_may_use_the_same_codes_and_files, |app| {
    let (_, ours, theirs) = two(&app).await;
    let bytes = b"%PDF-1.4 the very same".to_vec();
    let one = crate::operations::upload(&ours.firm.admin, "ours", bytes.clone()).await;
    let two = crate::operations::upload(&theirs.firm.admin, "theirs", bytes.clone()).await;
    let (one, two) = (made(one), made(two));
    assert_eq!(one["hash"], two["hash"]);
    assert_eq!(
        (&one["title"], &two["title"]),
        (&json!("ours"), &json!("theirs"))
    );
    let path = format!("/v1/files/{}", text_of(&one["hash"]));
    assert_eq!(ours.firm.admin.get(&path).await.body, bytes);
    // Product, place and lot carry the same names on both sides; indices count apart.
    let (a, b) = (
        segment(&ours.firm.admin, &ours.product, 5).await,
        segment(&theirs.firm.admin, &theirs.product, 5).await,
    );
    assert_eq!((&a["from"], &b["from"]), (&json!(1000), &json!(1000)));
    app.stop().await;
});

on_both!(
    a_platform_admin_reads_every_enterprise_and_the_whole_log,
    |app| {
        let (platform, ours, theirs) = two(&app).await;
        let page = ok(platform.get("/v1/enterprises").await);
        // Each with its partner.
        assert_eq!(array(&page["items"]).len(), 4);
        for stage in [&ours, &theirs] {
            let path = format!("/v1/enterprises/{}", stage.firm.id);
            assert_eq!(ok(platform.get(&path).await)["id"], stage.firm.id.as_str());
            assert_eq!(
                ok(stage.firm.operator.get(&path).await)["id"],
                stage.firm.id.as_str()
            );
        }
        app.stop().await;
    }
);
