//! A create that is sent twice happens once.

use crate::{
    operations::{Body, call, operations, right_caller, stage},
    support::{PASSWORD, entries, head, id, made, ok, person, refused, refused_field},
};
use futures_util::future::join_all;
use serde_json::json;
use suyuan::accounts::Role;
use suyuan_tests::on_both;

on_both!(
    the_same_key_and_body_is_answered_again_and_done_once,
    |app| {
        let (platform, stage) = stage(&app).await;
        let mut creates = 0;
        for (n, operation) in operations().iter().filter(|o| o.creates()).enumerate() {
            let (path, body) = stage.request(operation, n).expect("a request");
            let caller = right_caller(operation, &platform, &stage);
            let key = format!("key-{}", operation.id);
            let headers = [("idempotency-key", key.as_str())];
            let before = head(&app).await;
            let first = made(call(caller, operation, &path, &body, &headers).await);
            assert_eq!(head(&app).await, before + 1, "{}", operation.id);
            let second = made(call(caller, operation, &path, &body, &headers).await);
            assert_eq!(first, second, "{}", operation.id);
            assert_eq!(
                head(&app).await,
                before + 1,
                "{} did it twice",
                operation.id
            );
            creates += 1;
        }
        assert_eq!(creates, 18, "creates of the document");
        let log = entries(&app).await;
        assert_eq!(log.len() as i64, head(&app).await);
        app.stop().await;
    }
);

on_both!(
    closing_a_recall_twice_under_one_key_is_closing_it_once,
    |app| {
        let (_, stage) = stage(&app).await;
        let path = format!("/v1/recalls/{}/close", stage.recall);
        let headers = [("idempotency-key", "close")];
        let note = json!({"note": "已处理"});
        let first = ok(stage.firm.admin.post_with(&path, &headers, &note).await);
        let second = ok(stage.firm.admin.post_with(&path, &headers, &note).await);
        assert_eq!(first, second);
        let third = stage.firm.admin.post(&path, &note).await;
        refused(third, "recall-already-closed");
        app.stop().await;
    }
);

on_both!(the_same_key_with_another_body_is_refused, |app| {
    let (platform, stage) = stage(&app).await;
    for (n, operation) in operations().iter().filter(|o| o.creates()).enumerate() {
        let caller = right_caller(operation, &platform, &stage);
        let key = format!("key-{}", operation.id);
        let headers = [("idempotency-key", key.as_str())];
        let (path, body) = stage.request(operation, 2 * n).expect("a request");
        made(call(caller, operation, &path, &body, &headers).await);
        let before = head(&app).await;
        let (path, body) = stage.request(operation, 2 * n + 1).expect("a request");
        let answer = call(caller, operation, &path, &body, &headers).await;
        assert_eq!(answer.status, 422, "{}", operation.id);
        refused(answer, "idempotency-key-reused");
        assert_eq!(head(&app).await, before, "{}", operation.id);
        // Without the key, or under a new one, it goes through.
        made(
            call(
                caller,
                operation,
                &path,
                &body,
                &[("idempotency-key", &key[1..])],
            )
            .await,
        );
    }
    app.stop().await;
});

on_both!(a_key_belongs_to_one_operation_and_one_caller, |app| {
    let (_, stage) = stage(&app).await;
    let headers = [("idempotency-key", "k")];
    let place = json!({"code": "W1", "kind": "warehouse", "name": "仓"});
    made(
        stage
            .firm
            .admin
            .post_with("/v1/locations", &headers, &place)
            .await,
    );
    let segment = json!({"product_id": stage.product, "count": 3});
    let answer = stage
        .firm
        .admin
        .post_with("/v1/segments", &headers, &segment);
    refused(answer.await, "idempotency-key-reused");
    // Someone else's key of the same text is another key.
    made(
        stage
            .firm
            .operator
            .post_with("/v1/segments", &headers, &segment)
            .await,
    );
    let answer = stage
        .firm
        .operator
        .post_with("/v1/locations", &headers, &place);
    refused(answer.await, "idempotency-key-reused");
    app.stop().await;
});

on_both!(eight_sends_of_one_create_at_once_have_one_effect, |app| {
    let (platform, stage) = stage(&app).await;
    for (n, operation) in operations().iter().filter(|o| o.creates()).enumerate() {
        let (path, body) = stage.request(operation, n).expect("a request");
        let caller = right_caller(operation, &platform, &stage);
        let key = format!("at-once-{n}");
        let headers = [("idempotency-key", key.as_str())];
        let before = head(&app).await;
        let sends = (0..8).map(|_| call(caller, operation, &path, &body, &headers));
        let mut bodies = Vec::new();
        for answer in join_all(sends).await {
            bodies.push(made(answer));
        }
        assert!(
            bodies.iter().all(|body| *body == bodies[0]),
            "{}",
            operation.id
        );
        assert_eq!(head(&app).await, before + 1, "{}", operation.id);
    }
    app.stop().await;
});

on_both!(a_malformed_key_is_refused_before_anything_happens, |app| {
    let (platform, stage) = stage(&app).await;
    let before = head(&app).await;
    let long = "k".repeat(129);
    for (n, operation) in operations().iter().filter(|o| o.creates()).enumerate() {
        let (path, body) = stage.request(operation, n).expect("a request");
        let caller = right_caller(operation, &platform, &stage);
        for key in ["", "two words", "tab\there", long.as_str()] {
            let headers = [("idempotency-key", key)];
            let answer = call(caller, operation, &path, &body, &headers).await;
            refused_field(answer, "Idempotency-Key", "malformed");
        }
    }
    assert_eq!(head(&app).await, before);
    let place = json!({"code": "W1", "kind": "warehouse", "name": "仓"});
    let longest = "k".repeat(128);
    let headers = [("idempotency-key", longest.as_str())];
    made(
        stage
            .firm
            .admin
            .post_with("/v1/locations", &headers, &place)
            .await,
    );
    app.stop().await;
});

on_both!(a_refused_request_does_not_use_up_its_key, |app| {
    let (_, stage) = stage(&app).await;
    let headers = [("idempotency-key", "k")];
    let admin = &stage.firm.admin;
    let mut place = json!({"code": "P1", "kind": "plant", "name": "厂"});
    let answer = admin.post_with("/v1/locations", &headers, &place).await;
    refused(answer, "already-exists");
    place["code"] = json!("P2");
    made(admin.post_with("/v1/locations", &headers, &place).await);
    app.stop().await;
});

on_both!(a_key_outlives_the_session_it_was_sent_in, |app| {
    let (_, stage) = stage(&app).await;
    let own = Some(stage.firm.id.parse().expect("an id"));
    let first = person(&app, "someone", Role::Operator, own).await;
    let headers = [("idempotency-key", "k")];
    let place = json!({"code": "W1", "kind": "warehouse", "name": "仓"});
    let one = made(first.post_with("/v1/locations", &headers, &place).await);
    let again = app.signed_in("someone", PASSWORD).await;
    let two = made(again.post_with("/v1/locations", &headers, &place).await);
    assert_eq!(id(&one), id(&two));
    app.stop().await;
});

on_both!(no_key_means_each_send_counts, |app| {
    let (_, stage) = stage(&app).await;
    let all = operations();
    let operation = all
        .iter()
        .find(|o| o.id == "create_segment")
        .expect("known");
    let (path, body) = stage.request(operation, 1).expect("a request");
    let Body::Json(body) = body else {
        panic!("JSON");
    };
    let one = made(stage.firm.admin.post(&path, &body).await);
    let two = made(stage.firm.admin.post(&path, &body).await);
    assert_ne!(id(&one), id(&two));
    app.stop().await;
});
