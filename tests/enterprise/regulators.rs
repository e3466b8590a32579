//! A regulator (监管) belongs to no enterprise and looks at any, one at a time.

use crate::{
    operations::{stage, tenant},
    support::{PASSWORD, array, id, made, ok, refused, refused_field},
};
use serde_json::{Value, json};
use suyuan_tests::on_both;

/// What is told, whenever it is asked for.
fn timeless(mut told: Value) -> Value {
    if let Some(told) = told.as_object_mut() {
        told.remove("position");
    }
    told
}

on_both!(
    the_platform_makes_a_regulator_who_sees_every_enterprise,
    |app| {
        let (platform, ours) = stage(&app).await;
        let theirs = tenant(&app, &platform, "BBB", "6901234").await;
        let account = json!({"username": "inspector", "password": PASSWORD, "role": "regulator"});
        let refusal = ours.firm.admin.post("/v1/users", &account).await;
        refused(refusal, "not-allowed");
        let mut owned = account.clone();
        owned["enterprise_id"] = json!(ours.firm.id);
        let refusal = platform.post("/v1/users", &owned).await;
        refused_field(refusal, "enterprise_id", "required");
        let of = made(platform.post("/v1/users", &account).await);
        assert_eq!(of["role"], "regulator");
        let regulator = app.signed_in("inspector", PASSWORD).await;
        assert_eq!(ok(regulator.get("/v1/me").await)["role"], "regulator");

        // Who there is, what each recalled and how far it reaches, goods without codes, the whole log.
        let all = ok(regulator.get("/v1/enterprises").await);
        for (stage, other) in [(&ours, &theirs), (&theirs, &ours)] {
            let whose = format!("?enterprise_id={}", stage.firm.id);
            assert!(all.to_string().contains(&stage.firm.id), "{all}");
            let recalls = ok(regulator.get(&format!("/v1/recalls{whose}")).await);
            let listed: Vec<String> = recalls["items"]
                .as_array()
                .expect("recalls")
                .iter()
                .map(id)
                .collect();
            assert_eq!(listed, std::slice::from_ref(&stage.recall));
            let path = format!("/v1/recalls/{}/reach{whose}", stage.recall);
            let own = format!("/v1/recalls/{}/reach", stage.recall);
            let told = ok(regulator.get(&path).await);
            assert_eq!(
                timeless(told),
                timeless(ok(stage.firm.operator.get(&own).await))
            );
            let lots = ok(regulator.get(&format!("/v1/stock/lots{whose}")).await);
            let own = ok(stage.firm.operator.get("/v1/stock/lots").await);
            assert_eq!(timeless(lots.clone()), timeless(own));
            assert_eq!(lots["items"][0]["balance"], 7);
            // What it makes, where, and what it has to show for it.
            for path in ["/v1/products", "/v1/batches", "/v1/locations"] {
                let told = ok(regulator.get(&format!("{path}{whose}")).await);
                assert_eq!(told, ok(stage.firm.operator.get(path).await));
                assert_ne!(told["items"], json!([]), "{path}");
                let told = told.to_string();
                for thing in [&other.product, &other.batch, &other.plant] {
                    assert!(!told.contains(thing), "another's in {path}: {told}");
                }
            }
            for (path, thing) in [
                ("/v1/products", &stage.product),
                ("/v1/batches", &stage.batch),
                ("/v1/locations", &stage.plant),
            ] {
                let path = format!("{path}/{thing}");
                let told = ok(regulator.get(&format!("{path}{whose}")).await);
                assert_eq!(told, ok(stage.firm.operator.get(&path).await));
            }
            let file = format!("/v1/files/{}", stage.file);
            let told = regulator.get(&format!("{file}{whose}")).await;
            assert_eq!(told.status, 200);
            assert_eq!(told.body, stage.firm.operator.get(&file).await.body);
        }
        let told = ok(platform.get("/v1/log?limit=500").await)["items"].clone();
        let log = ok(regulator.get("/v1/log?limit=500").await)["items"].clone();
        let told = array(&told);
        assert!(told.len() > 20, "{told:?}");
        // Of what consumers told, and of badges, that something happened.
        let mut kept = 0;
        assert!(array(&log).len() >= told.len());
        for (entry, told) in array(&log).iter().zip(told) {
            let kind = told["kind"].as_str().expect("a kind");
            let theirs = ["voice_", "personal_data_", "badge_"];
            let mut told = told.clone();
            if theirs.iter().any(|theirs| kind.starts_with(theirs)) {
                assert_ne!(told["body"], json!({}));
                told["body"] = json!({});
                kept += 1;
            }
            assert_eq!(*entry, told);
        }
        assert!(kept > 0, "nothing of the kind in {told:?}");

        // One enterprise's is not another's, and its own people name none but theirs.
        for thing in [
            format!("/v1/recalls/{}", ours.recall),
            format!("/v1/products/{}", ours.product),
            format!("/v1/batches/{}", ours.batch),
            format!("/v1/locations/{}", ours.plant),
            format!("/v1/files/{}", ours.file),
        ] {
            let path = format!("{thing}?enterprise_id={}", theirs.firm.id);
            refused(regulator.get(&path).await, "not-found");
            refused(ours.firm.operator.get(&path).await, "not-found");
        }
        for path in [
            "/v1/products",
            "/v1/batches",
            "/v1/locations",
            "/v1/stock",
            "/v1/stock/lots",
            "/v1/recalls",
            "/v1/quarantine",
        ] {
            let asked = |id: &str| format!("{path}?enterprise_id={id}");
            let staff = &ours.firm.operator;
            refused(staff.get(&asked(&theirs.firm.id)).await, "not-found");
            assert_eq!(
                ok(staff.get(&asked(&ours.firm.id)).await),
                ok(staff.get(path).await)
            );
        }
        // What consumers told is nobody's who only looks.
        for path in [
            "/v1/voices".to_owned(),
            format!("/v1/voices/{}", ours.voice),
        ] {
            refused(regulator.get(&path).await, "not-allowed");
        }
        app.stop().await;
    }
);
