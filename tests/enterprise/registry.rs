//! Enterprises, places, products and batches: what is taken, and what is refused by name.

use crate::support::{
    PREFIX, array, batch, firm, gtin, head, id, made, ok, platform, product, refused,
    refused_field, text_of,
};
use serde_json::{Value, json};
use suyuan_tests::on_both;

on_both!(an_enterprise_is_registered_and_read_back, |app| {
    let platform = platform(&app).await;
    let body = json!({
        "code": "CHENMV", "name": "晨牧乳业", "gs1_prefixes": [PREFIX, "690123456"],
        "fields": {"enterprise_information.enterprise_name": "晨牧乳业有限公司"},
    });
    let new = made(platform.post("/v1/enterprises", &body).await);
    assert_eq!(new["version"], 1);
    for field in ["code", "name", "gs1_prefixes", "fields"] {
        assert_eq!(new[field], body[field], "{field}");
    }
    let path = format!("/v1/enterprises/{}", id(&new));
    let read = ok(platform.get(&path).await);
    assert_eq!(read["fields"], body["fields"]);
    let mut prefixes: Vec<_> = array(&read["gs1_prefixes"]).iter().map(text_of).collect();
    prefixes.sort();
    assert_eq!(prefixes, ["690123456", PREFIX]);
    app.stop().await;
});

on_both!(names_and_codes_are_taken_once, |app| {
    let platform = platform(&app).await;
    let one = firm(&app, &platform, "AAA", &[PREFIX]).await;
    let two = firm(&app, &platform, "BBB", &[]).await;
    let product_id = product(&one.admin, "TN-1", "0952123400001").await;
    batch(&one.admin, &product_id, "L1").await;
    let place = json!({"code": "P1", "kind": "plant", "name": "厂"});
    made(one.admin.post("/v1/locations", &place).await);
    let before = head(&app).await;
    for (caller, path, body) in [
        (
            &platform,
            "/v1/enterprises",
            json!({"code": "AAA", "name": "甲"}),
        ),
        (
            &platform,
            "/v1/enterprises",
            json!({"code": "CCC", "name": "甲", "gs1_prefixes": [PREFIX]}),
        ),
        (&one.admin, "/v1/locations", place.clone()),
        (
            &one.admin,
            "/v1/products",
            json!({"code": "TN-1", "name": "乙", "profile": "infant-formula"}),
        ),
        (
            &one.admin,
            "/v1/products",
            json!({"code": "TN-2", "name": "乙", "profile": "infant-formula", "gtin": gtin("0952123400001")}),
        ),
        (
            &one.admin,
            "/v1/products",
            json!({"code": "TN-2", "name": "乙", "profile": "infant-formula", "case_gtin": gtin("0952123400001")}),
        ),
        (
            &one.admin,
            "/v1/batches",
            json!({"product_id": product_id, "lot": "L1", "production_date": "2026-02-02"}),
        ),
    ] {
        let answer = caller.post(path, &body).await;
        assert_eq!(answer.status, 409, "{path} {body}: {}", answer.text());
        refused(answer, "already-exists");
    }
    assert_eq!(head(&app).await, before);
    // Nothing of the refused ones stayed: their codes are free.
    made(
        platform
            .post("/v1/enterprises", &json!({"code": "CCC", "name": "丙"}))
            .await,
    );
    made(two.admin.post("/v1/locations", &place).await);
    let second = product(&one.admin, "TN-2", "0952123400002").await;
    batch(&one.admin, &second, "L1").await;
    app.stop().await;
});

on_both!(a_gtin_names_one_product_in_the_whole_installation, |app| {
    use sea_orm::{ActiveModelTrait, ActiveValue::Set};
    let platform = platform(&app).await;
    let one = firm(&app, &platform, "AAA", &[PREFIX]).await;
    let two = firm(&app, &platform, "BBB", &[]).await;
    product(&one.admin, "TN-1", "0952123400001").await;
    // Even if prefixes were ever assigned wrongly.
    let prefix = suyuan::entities::gs1_prefix::ActiveModel {
        prefix: Set("95212340".into()),
        enterprise_id: Set(two.id.parse().expect("an id")),
        created_at: Set(0),
    };
    prefix.insert(app.state().db.writer()).await.expect("a row");
    let body = json!({"code": "TN-9", "name": "乙", "profile": "infant-formula", "gtin": gtin("0952123400001")});
    refused(
        two.admin.post("/v1/products", &body).await,
        "already-exists",
    );
    app.stop().await;
});

on_both!(a_gtin_must_be_right_and_under_a_prefix_of_ones_own, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &[PREFIX]).await;
    let other = gtin("0690123400001");
    let wrong = {
        let right = gtin("0952123400001");
        let last = right.as_bytes()[13] - b'0';
        format!("{}{}", &right[..13], (last + 1) % 10)
    };
    for field in ["gtin", "case_gtin"] {
        let body = |value: &str| json!({"code": "TN-1", "name": "乙", "profile": "infant-formula", field: value});
        let answer = firm.admin.post("/v1/products", &body(&other)).await;
        refused_field(answer, field, "foreign-prefix");
        for bad in [
            wrong.as_str(),
            "",
            "123",
            "0952123400001A",
            "952 1234 00001 8",
        ] {
            let answer = firm.admin.post("/v1/products", &body(bad)).await;
            let problem = refused(answer, "invalid-fields");
            assert_eq!(problem["errors"][0]["field"], field, "{bad}");
        }
    }
    // Shorter forms are the same number.
    let short = gtin("0952123400007");
    let body =
        json!({"code": "TN-1", "name": "乙", "profile": "infant-formula", "gtin": &short[1..]});
    let new = made(firm.admin.post("/v1/products", &body).await);
    assert_eq!(
        new["trade_items"],
        json!([{"space": format!("01/{short}"), "level": "item", "mint_profile": "alphanumeric"}])
    );
    app.stop().await;
});

on_both!(a_category_decides_the_profile, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &[]).await;
    let mut body = json!({"code": "RY-1", "name": "乳液", "category": "infant-care"});
    let new = made(firm.admin.post("/v1/products", &body).await);
    assert_eq!(new["profile"], "maternal-baby-care");
    assert_eq!(
        new["trade_items"],
        json!([{"space": "c/AAA.RY-1", "level": "item", "mint_profile": "alphanumeric"}])
    );
    body["code"] = json!("RY-2");
    body["profile"] = json!("infant-formula");
    let answer = firm.admin.post("/v1/products", &body).await;
    refused_field(answer, "profile", "contradicts-category");
    body["category"] = json!("no-such-category");
    let answer = firm.admin.post("/v1/products", &body).await;
    refused_field(answer, "category", "unknown");
    for profile in [json!("no-such-profile"), Value::Null, json!("")] {
        let body = json!({"code": "RY-2", "name": "乳液", "profile": profile});
        let answer = firm.admin.post("/v1/products", &body).await;
        refused_field(answer, "profile", "unknown");
    }
    app.stop().await;
});
