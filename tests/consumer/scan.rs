//! A person scans a tin and reads the truth.

use suyuan_tests::{on_both, recall_order};

on_both!(every_group_of_the_demo_is_answered_as_it_is, |app| {
    let demo = app.world().await;
    let wrong = suyuan::demo::check(&demo).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    app.stop().await;
});

on_both!(a_recall_stops_the_scan_and_closing_it_lets_go, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let officer = app.signed_in(&demo.login.user, &demo.login.password).await;
    assert_eq!(app.consumer().scan(tin).await.json()["advice"], "ok");

    let batches = officer.get("/v1/batches").await.json();
    let lot = app.consumer().scan(tin).await.json()["code"]["batch"].clone();
    let batch = batches["items"]
        .as_array()
        .and_then(|items| items.iter().find(|batch| batch["lot"] == lot))
        .expect("the tin's batch")["id"]
        .clone();
    let order = recall_order(&serde_json::json!([batch]), "封口不严", "退回门店");
    let opened = officer.post("/v1/recalls", &order).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    app.settled().await;

    let view = app.consumer().scan(tin).await.json();
    assert_eq!(view["advice"], "stop");
    assert_eq!(view["reasons"], serde_json::json!(["recalled"]));
    assert_eq!(view["recall"]["reason"], "封口不严");
    assert!(app.consumer().page(tin).await.text().contains("退回门店"));

    let id = opened.json()["id"].as_str().expect("an id").to_owned();
    let note = serde_json::json!({"note": "mistaken"});
    let path = format!("/v1/recalls/{id}/close");
    assert_eq!(officer.post(&path, &note).await.status, 200);
    app.settled().await;
    assert_eq!(app.consumer().scan(tin).await.json()["advice"], "ok");
    assert_eq!(
        officer.post(&path, &note).await.problem(),
        "recall-already-closed"
    );
    app.stop().await;
});
