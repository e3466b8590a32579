//! What is never commissioned: codes nobody issued, codes of another product, too much at once.

use crate::{
    commissions::{commission, counts, legality, part},
    issuing::print,
    operations::stage,
    support::{array, batch, head, made, ok, product, refused, refused_field, segment, text_of},
};
use serde_json::json;
use suyuan_tests::on_both;

on_both!(codes_never_allocated_or_never_minted_are_refused, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let new = segment(admin, &stage.product, 100).await;
    let urls = print(admin, &new, "").await;
    let before = head(&app).await;
    // Beyond the segment.
    for (from, to) in [(100, 100), (0, 100), (5, 4), (0, u64::MAX / 4)] {
        let answer = commission(
            &stage,
            &stage.batch,
            json!([part(&new, from, to)]),
            json!([]),
        )
        .await;
        refused_field(answer, "ranges", "outside-segment");
    }
    // A serial of the right shape that we never minted, one among good ones.
    let forged = urls[0].2.replace(&urls[0].1, "00000000000000");
    let answer = commission(&stage, &stage.batch, json!([]), json!([urls[1].2, forged])).await;
    refused_field(answer, "codes/1", "not-ours");
    let gtin_only = urls[0].2.split("/21/").next().expect("a GTIN").to_owned();
    for (code, fault) in [
        (gtin_only, "not-ours"),
        (
            "https://id.example/01/06901234567892/21/ABC".into(),
            "not-ours",
        ),
        ("(00)106901234567890121".into(), ""),
        ("https://id.example/01/12345678901234/21/A".into(), ""),
        ("nonsense".into(), ""),
        (String::new(), ""),
        ("a\u{0}b".into(), ""),
        ("x".repeat(5000), ""),
    ] {
        let answer = commission(&stage, &stage.batch, json!([]), json!([urls[2].2, code])).await;
        let problem = refused(answer, "invalid-fields");
        assert_eq!(problem["errors"][0]["field"], "codes/1", "{code}");
        if !fault.is_empty() {
            assert_eq!(problem["errors"][0]["code"], fault, "{code}");
        }
    }
    assert_eq!(head(&app).await, before);
    assert_eq!(legality(&app, &urls[1].2).await, "not_commissioned");
    app.stop().await;
});

on_both!(a_code_of_ours_that_no_segment_holds_is_refused, |app| {
    let demo = app.world().await;
    let maker = app.signed_in(&demo.login.user, &demo.login.password).await;
    let batches = ok(maker.get("/v1/batches").await);
    let before = head(&app).await;
    let unused = &demo.codes.not_commissioned[0];
    let codes = json!([unused, demo.codes.not_allocated[0]]);
    let body = json!({"batch_id": batches["items"][0]["id"], "codes": codes});
    let answer = maker.post("/v1/commissions", &body).await;
    refused(answer, "codes-not-allocated");
    assert_eq!(head(&app).await, before);
    assert_eq!(legality(&app, unused).await, "not_commissioned");
    app.stop().await;
});

on_both!(a_request_names_something_and_not_too_much, |app| {
    let (_, stage) = stage(&app).await;
    let new = segment(&stage.firm.admin, &stage.product, 20_000).await;
    let empty = commission(&stage, &stage.batch, json!([]), json!([])).await;
    refused_field(empty, "codes", "required");
    let ranges = |count: u64| {
        (0..count)
            .map(|n| part(&new, 2 * n, 2 * n))
            .collect::<Vec<_>>()
    };
    let answer = commission(&stage, &stage.batch, json!(ranges(101)), json!([])).await;
    refused_field(answer, "codes", "too-many");
    let urls = print(&stage.firm.admin, &new, "").await;
    let list = |count: usize| {
        urls.iter()
            .take(count)
            .map(|l| l.2.clone())
            .collect::<Vec<_>>()
    };
    let answer = commission(&stage, &stage.batch, json!([]), json!(list(10_001))).await;
    refused_field(answer, "codes", "too-many");
    let answer = commission(&stage, &stage.batch, json!(ranges(100)), json!([])).await;
    assert_eq!(counts(answer), (json!(100), json!(0)));
    let answer = commission(&stage, &stage.batch, json!([]), json!(list(10_000))).await;
    assert_eq!(counts(answer), (json!(9_900), json!(100)));
    app.stop().await;
});

on_both!(codes_and_batch_belong_to_one_product, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let other = product(admin, "TN-2", "0952123400002").await;
    let batch = batch(admin, &other, "L9").await;
    let new = segment(admin, &stage.product, 10).await;
    let answer = commission(&stage, &batch, json!([part(&new, 0, 9)]), json!([])).await;
    refused_field(answer, "batch_id", "other-product");
    let urls = print(admin, &new, "").await;
    let answer = commission(&stage, &batch, json!([]), json!([urls[0].2])).await;
    refused_field(answer, "batch_id", "other-product");
    // Items and cases of one product may go together; nothing goes with a foreign one.
    let theirs = segment(admin, &other, 10).await;
    let mixed = json!([part(&new, 0, 9), part(&theirs, 0, 9)]);
    let answer = commission(&stage, &batch, mixed, json!([])).await;
    refused_field(answer, "batch_id", "other-product");
    let level = json!({"product_id": stage.product, "level": "case", "count": 4});
    let cases = made(admin.post("/v1/segments", &level).await);
    let both = json!([part(&new, 0, 9), part(&cases, 0, 3)]);
    assert_eq!(
        counts(commission(&stage, &stage.batch, both, json!([])).await),
        (json!(14), json!(0))
    );
    let pallets = json!({"gs1_prefix": "9521234", "count": 4});
    let pallets = made(admin.post("/v1/segments", &pallets).await);
    let answer = commission(
        &stage,
        &stage.batch,
        json!([part(&pallets, 0, 3)]),
        json!([]),
    )
    .await;
    refused_field(answer, "batch_id", "other-product");
    let nobody = "0198c0de-0000-7000-8000-000000000000";
    let answer = commission(&stage, nobody, json!([part(&new, 0, 1)]), json!([])).await;
    refused(answer, "not-found");
    let nowhere = json!([{"segment_id": nobody}]);
    refused(
        commission(&stage, &stage.batch, nowhere, json!([])).await,
        "not-found",
    );
    assert_eq!(
        array(&ok(admin.get("/v1/segments").await)["items"]).len(),
        5
    );
    assert!(text_of(&pallets["space"]).starts_with("00/"));
    app.stop().await;
});
