//! Lists: page by page, in the order things were made, each thing once.

use crate::{
    operations::{Body, operations, right_caller, stage},
    support::{array, id, made, ok, refused, walk},
};
use serde_json::json;
use suyuan_tests::on_both;

on_both!(lists_are_paged_by_the_last_id_seen, |app| {
    let (platform, stage) = stage(&app).await;
    let all = operations();
    for (create, list) in [
        ("create_location", "list_locations"),
        ("create_badge", "list_badges"),
        ("create_product", "list_products"),
        ("create_batch", "list_batches"),
        ("create_segment", "list_segments"),
        ("create_commission", "list_commissions"),
        ("create_code_destruction", "list_code_destructions"),
        ("open_recall", "list_recalls"),
        ("create_enterprise", "list_enterprises"),
        ("create_user", "list_users"),
    ] {
        let find = |id: &str| all.iter().find(|o| o.id == id).expect("an operation");
        let (create, list) = (find(create), find(list));
        let caller = right_caller(list, &platform, &stage);
        let (mut expected, _) = walk(caller, &list.path, 500).await;
        for n in 0..7 {
            let Some((path, Body::Json(body))) = stage.request(create, n) else {
                panic!("no request for {}", create.id);
            };
            let maker = right_caller(create, &platform, &stage);
            expected.push(id(&made(maker.post(&path, &body).await)));
        }
        for limit in [1, 2, 3, 500] {
            let (ids, pages) = walk(caller, &list.path, limit).await;
            assert_eq!(ids, expected, "{} by {limit}", list.id);
            assert!(pages >= expected.len().div_ceil(limit), "{pages}");
        }
        // From the middle on, and past the end.
        let middle = &expected[3];
        let page = ok(caller
            .get(&format!("{}?after={middle}&limit=2", list.path))
            .await);
        let ids: Vec<String> = array(&page["items"]).iter().map(id).collect();
        assert_eq!(ids, expected[4..6], "{}", list.id);
        let last = expected.last().expect("some");
        let page = ok(caller.get(&format!("{}?after={last}", list.path)).await);
        assert_eq!(page, json!({"items": []}), "{}", list.id);
    }
    app.stop().await;
});

on_both!(what_is_listed_is_what_is_read_one_by_one, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    for path in [
        "/v1/locations",
        "/v1/products",
        "/v1/batches",
        "/v1/recalls",
    ] {
        let page = ok(admin.get(path).await);
        let items = array(&page["items"]);
        assert!(!items.is_empty());
        for item in items {
            let one = ok(admin.get(&format!("{path}/{}", id(item))).await);
            assert_eq!(one, *item);
        }
    }
    app.stop().await;
});

on_both!(batches_are_listed_for_one_product, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let body = json!({"code": "TN-2", "name": "乙", "profile": "infant-formula"});
    let other = id(&made(admin.post("/v1/products", &body).await));
    let theirs = crate::support::batch(admin, &other, "X1").await;
    let ours = crate::support::batch(admin, &stage.product, "X1").await;
    for (product, expected) in [
        (&other, vec![theirs]),
        (&stage.product, vec![stage.batch.clone(), ours]),
    ] {
        let page = ok(admin
            .get(&format!("/v1/batches?product_id={product}"))
            .await);
        let ids: Vec<String> = array(&page["items"]).iter().map(id).collect();
        assert_eq!(ids, expected);
    }
    app.stop().await;
});

on_both!(a_parameter_nobody_knows_is_refused, |app| {
    let (platform, stage) = stage(&app).await;
    for operation in operations().iter().filter(|o| o.paged) {
        let caller = right_caller(operation, &platform, &stage);
        let (path, _) = stage.request(operation, 0).expect("a request");
        let answer = caller.get(&format!("{path}?limits=5")).await;
        assert_eq!(answer.status, 400, "{}", operation.id);
        refused(answer, "malformed-request");
    }
    app.stop().await;
});
