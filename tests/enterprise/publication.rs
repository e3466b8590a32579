//! What goes public: only what is published, with everything it names.

use crate::{
    operations::upload,
    support::{PASSWORD, array, id, made, ok, person, refused_field, text_of},
};
use serde_json::{Value, json};
use suyuan::{accounts::Role, demo::Demo};
use suyuan_tests::{Caller, TestApp, on_both};

/// A published product and batch of the demo, with a code to scan.
pub struct Shown {
    /// Its administrator.
    pub admin: Caller,
    /// The enterprise as it is.
    pub enterprise: Value,
    /// The product as it is.
    pub product: Value,
    /// The batch of the code.
    pub batch: Value,
    /// What a consumer scans.
    pub code: String,
    /// Profile of the product.
    pub profile: &'static str,
}

/// The formula, or the care product, of the demo.
pub async fn shown(app: &TestApp, demo: &Demo, formula: bool) -> Shown {
    let platform = app
        .signed_in(&demo.platform.user, &demo.platform.password)
        .await;
    let enterprises = ok(platform.get("/v1/enterprises").await);
    let code = if formula { "CHENMV" } else { "RVNYA" };
    let enterprise = array(&enterprises["items"])
        .iter()
        .find(|e| e["code"] == code)
        .expect("the demo's enterprise")
        .clone();
    let own = Some(id(&enterprise).parse().expect("an id"));
    let name = format!("{}.boss", code.to_lowercase());
    let admin = person(app, &name, Role::EnterpriseAdmin, own).await;
    let product = ok(admin.get("/v1/products").await)["items"][0].clone();
    let code = if formula {
        &demo.codes.legal[0]
    } else {
        &demo.codes.care[0]
    };
    let view = app.consumer().scan(code).await.json();
    let batches = ok(admin.get("/v1/batches").await);
    let batch = array(&batches["items"])
        .iter()
        .find(|batch| batch["lot"] == view["code"]["batch"])
        .expect("the code's batch");
    Shown {
        enterprise,
        product,
        batch: batch.clone(),
        code: code.clone(),
        profile: if formula {
            "infant-formula"
        } else {
            "maternal-baby-care"
        },
        admin,
    }
}

impl Shown {
    /// The public table as a consumer gets it.
    pub async fn public(&self, app: &TestApp) -> Value {
        app.settled().await;
        let view = ok(app.consumer().scan(&self.code).await);
        assert_eq!(view["advice"], "ok", "{view}");
        view["public_info"].clone()
    }

    /// Files new product values and publishes them.
    pub async fn publish_product(&self, valid_from: &str, fields: &Value) {
        self.revise_product(valid_from, fields).await;
        let path = format!("/v1/products/{}/publish", id(&self.product));
        ok(self.admin.post(&path, &json!({})).await);
    }

    /// Files new product values.
    pub async fn revise_product(&self, valid_from: &str, fields: &Value) {
        let body = json!({"name": "新版", "valid_from": valid_from, "fields": fields});
        let path = format!("/v1/products/{}/versions", id(&self.product));
        made(self.admin.post(&path, &body).await);
    }

    /// Files new batch values.
    pub async fn revise_batch(&self, fields: &Value) {
        let path = format!("/v1/batches/{}/versions", id(&self.batch));
        made(self.admin.post(&path, &json!({"fields": fields})).await);
    }

    /// Files new values of the enterprise, in force from the beginning.
    pub async fn revise_enterprise(&self, fields: &Value) {
        let body = json!({"name": "企业", "valid_from": "0001-01-01", "fields": fields});
        let path = format!("/v1/enterprises/{}/versions", id(&self.enterprise));
        made(self.admin.post(&path, &body).await);
    }

    /// Path that publishes the batch.
    pub fn publish_batch_path(&self) -> String {
        format!("/v1/batches/{}/publish", id(&self.batch))
    }
}

on_both!(optional_items_never_block_and_are_shown_when_given, |app| {
    let demo = app.world().await;
    let formula = shown(&app, &demo, true).await;
    let numbers = |table: &Value| -> Vec<u64> {
        array(table)
            .iter()
            .filter_map(|item| item["no"].as_u64())
            .collect()
    };
    assert_eq!(
        numbers(&formula.public(&app).await),
        (1..=25).collect::<Vec<_>>()
    );
    let mut fields = formula.product["fields"].clone();
    fields["consumer_instructions.other_quality_commitments"] = json!("不添加香精");
    fields["voluntary_disclosure.title"] = json!(["诚信证书"]);
    fields["voluntary_disclosure.value"] = json!(["CMS-001"]);
    formula.publish_product("0001-01-01", &fields).await;
    let table = formula.public(&app).await;
    assert_eq!(numbers(&table), (1..=26).collect::<Vec<_>>());
    let text = table[25].to_string();
    assert!(text.contains("不添加香精") && text.contains("诚信证书") && text.contains("CMS-001"));
    assert!(
        app.consumer()
            .page(&formula.code)
            .await
            .text()
            .contains("不添加香精")
    );

    let care = shown(&app, &demo, false).await;
    assert_eq!(
        numbers(&care.public(&app).await),
        (1..=19).collect::<Vec<_>>()
    );
    let mut fields = care.product["fields"].clone();
    let optional = "product_information.applicable_scope";
    assert!(
        fields
            .as_object_mut()
            .is_some_and(|f| f.remove(optional).is_some())
    );
    care.publish_product("0001-01-01", &fields).await;
    assert_eq!(
        numbers(&care.public(&app).await),
        (1..=18).collect::<Vec<_>>()
    );
    app.stop().await;
});

on_both!(what_is_filed_shows_only_once_it_is_published, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let before = shown.public(&app).await;
    let mut fields = shown.batch["fields"].clone();
    fields["finished_product.place_of_origin"] = json!("黑龙江省哈尔滨市");
    shown.revise_batch(&fields).await;
    assert_eq!(shown.public(&app).await, before);
    let published = ok(shown
        .admin
        .post(&shown.publish_batch_path(), &json!({}))
        .await);
    assert_eq!(published["published_version"], 2);
    assert_eq!(published["version"], 2);
    let after = shown.public(&app).await;
    assert_eq!(after[8]["value"], "黑龙江省哈尔滨市");
    // Publishing again says the same.
    ok(shown
        .admin
        .post(&shown.publish_batch_path(), &json!({}))
        .await);
    assert_eq!(shown.public(&app).await, after);
    app.stop().await;
});

on_both!(a_file_nobody_uploaded_is_refused, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let before = shown.public(&app).await;
    let report = "finished_product.product_inspection_report";
    let mut fields = shown.batch["fields"].clone();
    let nobody = "ab".repeat(32);
    fields[report] = json!(nobody);
    shown.revise_batch(&fields).await;
    let answer = shown
        .admin
        .post(&shown.publish_batch_path(), &json!({}))
        .await;
    refused_field(answer, &format!("files/{nobody}"), "unknown-file");
    // Another enterprise's upload does not count.
    let other = crate::support::firm(
        &app,
        &app.signed_in(&demo.platform.user, &demo.platform.password)
            .await,
        "ZZZ",
        &[],
    )
    .await;
    let theirs = made(upload(&other.admin, "x", b"%PDF-1.4 theirs".to_vec()).await);
    let hash = text_of(&theirs["hash"]);
    fields[report] = json!(hash);
    shown.revise_batch(&fields).await;
    let answer = shown
        .admin
        .post(&shown.publish_batch_path(), &json!({}))
        .await;
    refused_field(answer, &format!("files/{hash}"), "unknown-file");
    assert_eq!(shown.public(&app).await, before);
    let file = app.consumer().get(&format!("/files/{hash}")).await;
    assert_eq!(file.status, 404);
    made(upload(&shown.admin, "x", b"%PDF-1.4 theirs".to_vec()).await);
    ok(shown
        .admin
        .post(&shown.publish_batch_path(), &json!({}))
        .await);
    assert_eq!(
        shown.public(&app).await[23]["value"][0]["hash"],
        hash.as_str()
    );
    for bad in ["nonsense", "AB", &"AB".repeat(32), "../../etc/passwd"] {
        fields[report] = json!(bad);
        let path = format!("/v1/batches/{}/versions", id(&shown.batch));
        let answer = shown.admin.post(&path, &json!({"fields": fields})).await;
        refused_field(answer, &format!("fields/{report}"), "bad-file-hash");
    }
    app.signed_in("zzz.operator", PASSWORD).await;
    app.stop().await;
});
