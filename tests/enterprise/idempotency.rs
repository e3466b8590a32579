//! What is sent twice under one key happens once, and the OpenAPI document says of which calls that is true.

use crate::{
    operations::{Body, Operation, call, operations, right_caller, stage},
    support::{PASSWORD, entries, head, id, made, ok, person, refused, refused_field},
};
use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::json;
use suyuan::accounts::Role;
use suyuan_tests::on_both;

on_both!(
    the_same_key_and_body_is_answered_again_and_done_once,
    |app| {
        let (platform, stage) = stage(&app).await;
        let mut asked = 0;
        for (n, operation) in operations().iter().filter(|o| o.keyed()).enumerate() {
            // Nothing stands aside on this stage; its story is in `tests/handheld`.
            if operation.id == "admit_event" {
                continue;
            }
            // A role that the badge has already changes nothing; an odd one is another.
            let n = if operation.id == "change_badge_role" {
                1
            } else {
                n
            };
            let (path, body) = stage.request(operation, n).expect("a request");
            let caller = right_caller(operation, &platform, &stage);
            let key = format!("key-{}", operation.id);
            let headers = [("idempotency-key", key.as_str())];
            let before = head(&app).await;
            let first = call(caller, operation, &path, &body, &headers).await;
            assert!(first.status < 300, "{}: {}", operation.id, first.text());
            assert_eq!(head(&app).await, before + 1, "{}", operation.id);
            let second = call(caller, operation, &path, &body, &headers).await;
            assert_eq!(
                (first.status, first.text()),
                (second.status, second.text()),
                "{}",
                operation.id
            );
            assert_eq!(
                head(&app).await,
                before + 1,
                "{} did it twice",
                operation.id
            );
            asked += 1;
        }
        assert_eq!(asked, 31, "calls that keep their answer");
        let log = entries(&app).await;
        assert_eq!(log.len() as i64, head(&app).await);
        app.stop().await;
    }
);

/// What a retry cannot double, and what keeps no answer therefore: it says so by documenting no key.
const WITHOUT: [&str; 20] = [
    "change_my_password",
    "change_user",
    "confirm_clock",
    "create_session",
    "decode_photo",
    "delete_link",
    "deposit_events",
    "end_session",
    "enrol",
    "erase_buyer",
    "erase_voice",
    "file_buyer",
    "look_up_units",
    "open_buyer",
    "open_voice",
    "publish_batch",
    "publish_product",
    "push_events",
    "refresh_session",
    "withdraw_badge",
];

#[test]
fn what_makes_something_takes_a_key_and_what_takes_none_is_listed() {
    let all = operations();
    for operation in all.iter().filter(|o| o.creates() || !o.writes()) {
        assert_eq!(operation.keyed(), operation.writes(), "{}", operation.id);
    }
    let without = all.iter().filter(|o| o.writes() && !o.keyed());
    let mut without: Vec<&str> = without.map(|o| o.id.as_str()).collect();
    without.sort_unstable();
    assert_eq!(without, WITHOUT);
}

on_both!(what_documents_no_key_hears_none, |app| {
    let (platform, stage) = stage(&app).await;
    let listed = |o: &&Operation| WITHOUT.contains(&o.id.as_str());
    for (n, operation) in operations().iter().filter(listed).enumerate() {
        let (path, body) = stage.request(operation, n).expect("a request");
        let caller = right_caller(operation, &platform, &stage);
        let headers = [("idempotency-key", "two words")];
        let answer = call(caller, operation, &path, &body, &headers).await;
        assert!(
            !answer.text().contains("Idempotency-Key"),
            "{}: {}",
            operation.id,
            answer.text()
        );
    }
    app.stop().await;
});

// What an older version kept may have another form: `create_user` and `create_device` once kept a bare id.
on_both!(
    an_answer_that_cannot_be_read_any_more_is_a_problem_and_nothing_is_done_twice,
    |app| {
        let (platform, stage) = stage(&app).await;
        let old = [format!("\"{}\"", uuid::Uuid::nil()), "{\"id\":1}".into()];
        let mut asked = 0;
        for (n, operation) in operations().iter().filter(|o| o.keyed()).enumerate() {
            if operation.id == "admit_event" {
                continue;
            }
            let n = if operation.id == "change_badge_role" {
                1
            } else {
                n
            };
            let (path, body) = stage.request(operation, n).expect("a request");
            let caller = right_caller(operation, &platform, &stage);
            let key = format!("old-{}", operation.id);
            let headers = [("idempotency-key", key.as_str())];
            let first = call(caller, operation, &path, &body, &headers).await;
            assert!(first.status < 300, "{}: {}", operation.id, first.text());
            let after = head(&app).await;
            for kept in &old {
                let written = suyuan::db::statement(
                    app.state().db.backend(),
                    "UPDATE idempotency SET response = ? WHERE key = ?",
                    [kept.as_str().into(), key.as_str().into()],
                );
                let done = app.state().db.writer().execute_raw(written).await;
                assert_eq!(
                    done.expect("written").rows_affected(),
                    1,
                    "{}",
                    operation.id
                );
                let again = call(caller, operation, &path, &body, &headers).await;
                let status = again.status;
                assert_eq!(refused(again, "answer-unreadable")["status"], 409);
                assert_eq!((status, head(&app).await), (409, after), "{}", operation.id);
            }
            let documented = operation.statuses.iter().any(|s| s == "409");
            assert!(documented, "{}", operation.id);
            asked += 1;
        }
        assert_eq!(asked, 31, "calls that keep their answer");
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
    let takes = |o: &&Operation| o.creates() && o.media.is_some();
    for (n, operation) in operations().iter().filter(takes).enumerate() {
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
    for (n, operation) in operations().iter().filter(|o| o.keyed()).enumerate() {
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
