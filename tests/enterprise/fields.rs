//! Values by the catalogue: a wrong one is named, with what is wrong.

use crate::support::{
    array, batch, firm, head, id, made, ok, platform, refused, refused_field, text_of,
};
use serde_json::json;
use suyuan_tests::{caller::Method, on_both};

on_both!(a_wrong_field_is_named_with_what_is_wrong, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &[]).await;
    let new = json!({"code": "TN-1", "name": "乙", "profile": "infant-formula"});
    let product = id(&made(firm.admin.post("/v1/products", &new).await));
    let batch = batch(&firm.admin, &product, "L1").await;
    let targets = [
        (
            "/v1/products".to_owned(),
            json!({"code": "TN-2", "name": "乙", "profile": "infant-formula"}),
            "finished_product.product_name",
        ),
        (
            format!("/v1/products/{product}/versions"),
            json!({"name": "乙", "valid_from": "2026-01-01"}),
            "finished_product.product_name",
        ),
        (
            "/v1/batches".to_owned(),
            json!({"product_id": product, "lot": "L2", "production_date": "2026-01-01"}),
            "finished_product.place_of_origin",
        ),
        (
            format!("/v1/batches/{batch}/versions"),
            json!({}),
            "finished_product.place_of_origin",
        ),
        (
            "/v1/locations".to_owned(),
            json!({"code": "P1", "kind": "plant", "name": "厂"}),
            "enterprise_information.enterprise_name",
        ),
        (
            format!("/v1/enterprises/{}/versions", firm.id),
            json!({"name": "企", "valid_from": "2026-01-01"}),
            "enterprise_information.enterprise_name",
        ),
    ];
    let before = head(&app).await;
    let misspelt = "finished_product.product_nam";
    for (path, body, field) in &targets {
        for (name, value, fault) in [
            (misspelt, json!("x"), "unknown-field"),
            ("nonsense", json!("x"), "unknown-field"),
            ("", json!("x"), "unknown-field"),
            (field, json!(7), "wrong-type"),
            (field, json!(true), "wrong-type"),
            (field, json!({"a": 1}), "wrong-type"),
            (field, json!(["x"]), "wrong-type"),
            (field, json!(null), "empty"),
            (field, json!("   "), "empty"),
            (field, json!("a\u{0}b"), "hidden-character"),
            (field, json!("a\u{202e}b"), "hidden-character"),
            (field, json!("x".repeat(501)), "too-long"),
        ] {
            let mut body = body.clone();
            body["fields"] = json!({name: value});
            let answer = firm.admin.post(path, &body).await;
            refused_field(answer, &format!("fields/{name}"), fault);
        }
        // Several at once are all named.
        let mut body = body.clone();
        body["fields"] = json!({misspelt: "x", *field: 7});
        let problem = refused(firm.admin.post(path, &body).await, "invalid-fields");
        assert_eq!(array(&problem["errors"]).len(), 2, "{problem}");
        // A field twice is no JSON object.
        let twice = body.to_string().replace(
            &format!("\"{misspelt}\""),
            &format!("\"{field}\":\"y\",\"{field}\":7,\"{misspelt}\""),
        );
        let headers = [("content-type", "application/json")];
        let answer = firm
            .admin
            .send(Method::POST, path, &headers, twice.into())
            .await;
        let problem = refused(answer, "malformed-body");
        assert!(
            text_of(&problem["detail"]).contains("duplicate field"),
            "{problem}"
        );
    }
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

on_both!(a_field_belongs_to_its_level, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &[]).await;
    let new = json!({"code": "TN-1", "name": "乙", "profile": "infant-formula"});
    let product = id(&made(firm.admin.post("/v1/products", &new).await));
    let body = |field: &str| json!({"product_id": product, "lot": "L1", "production_date": "2026-01-01", "fields": {field: "x"}});
    let answer = firm
        .admin
        .post("/v1/batches", &body("finished_product.product_name"))
        .await;
    refused_field(answer, "fields/finished_product.product_name", "wrong-home");
    for field in ["batch_no", "production_date", "expiry_date"] {
        let field = format!("finished_product.{field}");
        let answer = firm.admin.post("/v1/batches", &body(&field)).await;
        refused_field(answer, &format!("fields/{field}"), "given-above");
    }
    let mut wrong = new.clone();
    wrong["code"] = json!("TN-2");
    wrong["fields"] = json!({"enterprise_information.enterprise_name": "x"});
    let answer = firm.admin.post("/v1/products", &wrong).await;
    refused_field(
        answer,
        "fields/enterprise_information.enterprise_name",
        "wrong-home",
    );
    app.stop().await;
});

on_both!(expiry_is_worked_out_from_the_shelf_life, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &[]).await;
    let new = json!({"code": "TN-1", "name": "乙", "profile": "infant-formula"});
    let product = id(&made(firm.admin.post("/v1/products", &new).await));
    for (n, (produced, life, given, expiry)) in [
        ("2026-01-15", Some("24个月"), None, "2028-01-15"),
        ("2024-02-29", Some("1年"), None, "2025-02-28"),
        ("2026-01-31", Some("18 months"), None, "2027-07-31"),
        (
            "2026-01-15",
            Some("24个月"),
            Some("2027-12-31"),
            "2027-12-31",
        ),
        ("2026-01-15", None, Some("2026-01-15"), "2026-01-15"),
        ("2026-01-15", None, None, ""),
        ("2026-01-15", Some("见包装"), None, ""),
        ("9999-12-01", Some("24个月"), None, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body =
            json!({"product_id": product, "lot": format!("L{n}"), "production_date": produced});
        if let Some(life) = life {
            body["fields"] = json!({"finished_product.shelf_life": life});
        }
        if let Some(given) = given {
            body["expiry_date"] = json!(given);
        }
        let new = made(firm.admin.post("/v1/batches", &body).await);
        assert_eq!(new["expiry_date"], expiry, "{body}");
        let read = ok(firm.admin.get(&format!("/v1/batches/{}", id(&new))).await);
        assert_eq!(read, new);
    }
    app.stop().await;
});

on_both!(dates_lots_and_codes_keep_their_shape, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &[]).await;
    let new = json!({"code": "TN-1", "name": "乙", "profile": "infant-formula"});
    let product = id(&made(firm.admin.post("/v1/products", &new).await));
    let right = json!({"product_id": product, "lot": "L1", "production_date": "2026-01-15"});
    let with = |field: &str, value: &str| {
        let mut body = right.clone();
        body[field] = json!(value);
        body
    };
    for bad in [
        "",
        "2026-02-30",
        "2026-1-15",
        "20260115",
        "15.01.2026",
        "2026/01/15",
        "２０２６-01-15",
        "2026-01-15T00:00:00Z",
        "0000-00-00",
        "2026-W03-4",
    ] {
        for field in ["production_date", "expiry_date"] {
            let answer = firm.admin.post("/v1/batches", &with(field, bad)).await;
            refused_field(answer, field, "bad-date");
        }
    }
    let answer = firm
        .admin
        .post("/v1/batches", &with("expiry_date", "2026-01-14"))
        .await;
    refused_field(answer, "expiry_date", "before-production");
    for bad in [
        "",
        "L 1",
        "批号",
        "L1?",
        "123456789012345678901",
        "a\u{0}",
        "a%2fb",
        "<b>",
    ] {
        let answer = firm.admin.post("/v1/batches", &with("lot", bad)).await;
        refused_field(answer, "lot", "malformed");
    }
    for bad in [
        "",
        "A",
        "tin-1",
        "OIL-1",
        "-A1",
        "A1-",
        "A--1",
        "ABCDEFGHJKMNPQRSTVWXY",
        "A.1",
        "A/1",
    ] {
        let body = json!({"code": bad, "name": "乙", "profile": "infant-formula"});
        let answer = firm.admin.post("/v1/products", &body).await;
        refused_field(answer, "code", "malformed");
        let body = json!({"code": bad, "name": "乙"});
        let answer = platform.post("/v1/enterprises", &body).await;
        refused_field(answer, "code", "malformed");
    }
    for bad in ["123", "1234567890123", "12a4", "１２３４", ""] {
        let body = json!({"code": "ZZZ", "name": "乙", "gs1_prefixes": [bad]});
        let answer = platform.post("/v1/enterprises", &body).await;
        refused_field(answer, "gs1_prefixes", "malformed");
    }
    for bad in ["9521234000012", "123", "", "not a gln"] {
        let body = json!({"code": "P1", "kind": "plant", "name": "厂", "gln": bad});
        let answer = firm.admin.post("/v1/locations", &body).await;
        refused_field(answer, "gln", "malformed");
    }
    app.stop().await;
});
