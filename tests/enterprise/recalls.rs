//! Recalls: opened by whoever notices, closed by an administrator, never lifted by accident.

use crate::{
    operations::stage,
    publication::shown,
    support::{array, id, made, ok, refused, refused_field},
};
use serde_json::{Value, json};
use suyuan_tests::{TestApp, on_both, recall_order};

async fn advice(app: &TestApp, code: &str) -> (Value, Value) {
    app.settled().await;
    let view = ok(app.consumer().scan(code).await);
    (view["advice"].clone(), view["recall"]["reason"].clone())
}

on_both!(two_recalls_of_one_batch_end_one_by_one, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let mut ids = Vec::new();
    for reason in ["first", "second"] {
        let batch = &shown.batch["id"];
        let body = recall_order(&json!([batch, batch]), reason, "i");
        let opened = made(shown.admin.post("/v1/recalls", &body).await);
        assert_eq!(
            opened["batch_ids"],
            json!([batch]),
            "named twice, covered once"
        );
        assert_eq!(opened["closed_at"], Value::Null);
        let expected = (json!("stop"), json!(reason));
        assert_eq!(
            advice(&app, &shown.code).await,
            expected,
            "the newest is told"
        );
        ids.push(id(&opened));
    }
    let note = json!({"note": "已处理"});
    let close = async |id: &str| {
        let path = format!("/v1/recalls/{id}/close");
        ok(shown.admin.post(&path, &note).await)
    };
    let closed = close(&ids[1]).await;
    assert!(closed["closed_at"].is_string());
    assert_eq!(
        advice(&app, &shown.code).await,
        (json!("stop"), json!("first"))
    );
    close(&ids[0]).await;
    assert_eq!(advice(&app, &shown.code).await, (json!("ok"), Value::Null));
    for id in &ids {
        let read = ok(shown.admin.get(&format!("/v1/recalls/{id}")).await);
        assert!(read["closed_at"].is_string());
    }
    app.stop().await;
});

on_both!(of_eight_closings_at_once_one_closes, |app| {
    let (_, stage) = stage(&app).await;
    let path = format!("/v1/recalls/{}/close", stage.recall);
    let note = json!({"note": "已处理"});
    let sends = (0..8).map(|_| stage.firm.admin.post(&path, &note));
    let answers = futures_util::future::join_all(sends).await;
    let closed = answers.iter().filter(|a| a.status == 200).count();
    assert_eq!(closed, 1);
    for answer in answers.into_iter().filter(|a| a.status != 200) {
        refused(answer, "recall-already-closed");
    }
    app.stop().await;
});

on_both!(publishing_again_does_not_lift_a_recall, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let body = recall_order(&json!([shown.batch["id"]]), "r", "i");
    made(shown.admin.post("/v1/recalls", &body).await);
    let stopped = (json!("stop"), json!("r"));
    ok(shown
        .admin
        .post(&shown.publish_batch_path(), &json!({}))
        .await);
    assert_eq!(advice(&app, &shown.code).await, stopped);
    shown
        .publish_product("0001-01-01", &shown.product["fields"])
        .await;
    assert_eq!(advice(&app, &shown.code).await, stopped);
    shown.revise_enterprise(&shown.enterprise["fields"]).await;
    assert_eq!(advice(&app, &shown.code).await, stopped);
    app.stop().await;
});

on_both!(a_recall_cannot_smuggle_other_figures_into_the_page, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    // Characters the renderer keeps for what differs per unit.
    let reason = "X\u{e000}\u{e001}\u{e002}\u{e003}Y";
    let body = recall_order(&json!([shown.batch["id"]]), reason, "<b>i</b>");
    made(shown.admin.post("/v1/recalls", &body).await);
    assert_eq!(
        advice(&app, &shown.code).await,
        (json!("stop"), json!("XY"))
    );
    let page = app.consumer().page(&shown.code).await.text();
    assert!(page.contains("XY"), "{page}");
    assert!(!page.contains("<b>i</b>"), "{page}");
    app.stop().await;
});

on_both!(a_recall_covers_something_and_says_why, |app| {
    let (_, stage) = stage(&app).await;
    let right = recall_order(&json!([stage.batch]), "r", "i");
    let nobody = "0198c0de-0000-7000-8000-000000000000";
    for (field, value, fault) in [
        ("batch_ids", json!([]), "length"),
        ("batch_ids", json!(vec![nobody; 201]), "length"),
        ("reason", json!(" "), "length"),
        ("reason", json!("长".repeat(1001)), "length"),
        ("instructions", json!(""), "length"),
        ("instructions", json!("长".repeat(2001)), "length"),
    ] {
        let mut body = right.clone();
        body[field] = value;
        let answer = stage.firm.admin.post("/v1/recalls", &body).await;
        refused_field(answer, field, fault);
    }
    let mut longest = right.clone();
    longest["reason"] = json!("长".repeat(1000));
    longest["instructions"] = json!("长".repeat(2000));
    made(stage.firm.admin.post("/v1/recalls", &longest).await);
    // One batch that is not there, and nothing is recalled.
    let before = array(&ok(stage.firm.admin.get("/v1/recalls").await)["items"]).len();
    let mut body = right.clone();
    body["batch_ids"] = json!([stage.batch, nobody]);
    refused(
        stage.firm.admin.post("/v1/recalls", &body).await,
        "not-found",
    );
    let after = array(&ok(stage.firm.admin.get("/v1/recalls").await)["items"]).len();
    assert_eq!(after, before);
    let path = format!("/v1/recalls/{}/close", stage.recall);
    for note in [" ".to_owned(), "长".repeat(1001)] {
        let answer = stage.firm.admin.post(&path, &json!({"note": note})).await;
        refused_field(answer, "note", "length");
    }
    app.stop().await;
});
