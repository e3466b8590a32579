//! Rules that once did not hold: each was a fault found by trying, and stays so mended.

use crate::{
    issuing::print,
    operations::{stage, tenant, upload},
    publication::shown,
    support::*,
};
use serde_json::json;
use suyuan_tests::{caller::Method, on_both, recall_order};

on_both!(a_key_covers_the_title_of_a_file, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let send = async |title: &str| {
        let headers = [("idempotency-key", "k")];
        let path = format!("/v1/files?title={title}");
        admin
            .send(Method::POST, &path, &headers, b"%PDF-1.4 q".to_vec())
            .await
    };
    made(send("one").await);
    refused(send("two").await, "idempotency-key-reused");
    app.stop().await;
});

on_both!(the_same_bytes_answer_with_the_title_that_is_kept, |app| {
    let (_, stage) = stage(&app).await;
    made(upload(&stage.firm.admin, "one", b"%PDF-1.4 q".to_vec()).await);
    let again = made(upload(&stage.firm.admin, "two", b"%PDF-1.4 q".to_vec()).await);
    assert_eq!(again["title"], "one");
    app.stop().await;
});

on_both!(no_prefix_begins_like_another_enterprises, |app| {
    let (platform, stage) = stage(&app).await;
    for (code, nested) in [("EA1", "95212345"), ("EB2", "952123")] {
        let body = json!({"code": code, "name": "x", "gs1_prefixes": [nested]});
        refused(
            platform.post("/v1/enterprises", &body).await,
            "already-exists",
        );
    }
    drop(stage);
    app.stop().await;
});

on_both!(
    codes_are_not_printed_with_the_lot_of_another_product,
    |app| {
        let (_, stage) = stage(&app).await;
        let admin = &stage.firm.admin;
        let other = product(admin, "TN-2", "0952123400002").await;
        let batch = batch(admin, &other, "OTHER").await;
        let answer = admin
            .get(&format!(
                "/v1/segments/{}/codes?batch_id={batch}",
                stage.segment
            ))
            .await;
        refused(answer, "invalid-fields");
        app.stop().await;
    }
);

on_both!(a_platform_role_has_no_enterprise, |app| {
    let (platform, stage) = stage(&app).await;
    let body = json!({"username": "odd", "password": PASSWORD, "role": "platform_admin", "enterprise_id": stage.firm.id});
    refused(platform.post("/v1/users", &body).await, "invalid-fields");
    app.stop().await;
});

on_both!(the_id_of_a_commission_is_that_of_its_record, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let cases = made(
        admin
            .post(
                "/v1/segments",
                &json!({"product_id": stage.product, "level": "case", "count": 4}),
            )
            .await,
    );
    let body = json!({"batch_id": stage.batch, "ranges": [
        {"segment_id": stage.segment, "from": 20, "to": 29}, {"segment_id": cases["id"]}]});
    let done = made(admin.post("/v1/commissions", &body).await);
    let list = ok(admin.get("/v1/commissions").await).to_string();
    assert!(list.contains(&id(&done)), "{list}");
    app.stop().await;
});

on_both!(a_new_password_ends_access_at_once, |app| {
    let (_, stage) = stage(&app).await;
    let body = json!({"current": PASSWORD, "new": "quite another password"});
    let answer = stage.firm.operator.post("/v1/me/password", &body).await;
    assert_eq!(answer.status, 204);
    refused(stage.firm.operator.get("/v1/me").await, "not-signed-in");
    app.stop().await;
});

on_both!(
    a_password_does_not_tell_another_enterprises_username,
    |app| {
        let (platform, ours) = stage(&app).await;
        let theirs = tenant(&app, &platform, "BBB", "6901234").await;
        let ask = async |password: &str| {
            let body = json!({"password": password}).to_string().into_bytes();
            let headers = [("content-type", "application/json")];
            let path = format!("/v1/users/{}", theirs.user);
            ours.firm
                .admin
                .send(Method::PATCH, &path, &headers, body)
                .await
        };
        assert_eq!(ask("nobody guesses this").await.status, 404);
        assert_eq!(ask("the bbb.other guess").await.status, 404);
        app.stop().await;
    }
);

on_both!(the_word_bearer_is_taken_in_any_case, |app| {
    platform(&app).await;
    let body = json!({"username": "platform.admin", "password": PASSWORD});
    let token = text_of(&made(app.stranger().post("/v1/sessions", &body).await)["access_token"]);
    let value = format!("bearer {token}");
    let headers = [("authorization", value.as_str())];
    ok(app.stranger().get_with("/v1/me", &headers).await);
    app.stop().await;
});

on_both!(
    codes_printed_with_one_lot_are_not_commissioned_to_another,
    |app| {
        let (_, stage) = stage(&app).await;
        let admin = &stage.firm.admin;
        let other = batch(admin, &stage.product, "L2").await;
        let seg = segment(admin, &stage.product, 5).await;
        let lines = print(admin, &seg, &format!("?batch_id={}", stage.batch)).await;
        let body = json!({"batch_id": other, "codes": [lines[0].2]});
        let answer = admin.post("/v1/commissions", &body).await;
        assert!((400..500).contains(&answer.status), "{}", answer.text());
        app.stop().await;
    }
);

on_both!(asking_while_locked_does_not_make_the_lock_longer, |app| {
    let (_, stage) = stage(&app).await;
    let wrong = json!({"current": "wrong", "new": "quite another password"});
    for _ in 0..5 {
        refused(
            stage.firm.operator.post("/v1/me/password", &wrong).await,
            "wrong-credentials",
        );
    }
    for _ in 0..4 {
        refused(
            stage.firm.operator.post("/v1/me/password", &wrong).await,
            "wrong-credentials",
        );
    }
    app.clock.shift_by(31_000_000);
    let body = json!({"username": "aaa.operator", "password": PASSWORD});
    made(app.stranger().post("/v1/sessions", &body).await);
    app.stop().await;
});

on_both!(an_empty_id_is_not_a_wrong_method, |app| {
    let (_, stage) = stage(&app).await;
    let answer = stage.firm.admin.get("/v1/products/").await;
    assert_eq!(
        answer.status,
        404,
        "{} {}",
        answer.header("allow"),
        answer.text()
    );
    app.stop().await;
});

on_both!(a_product_shows_the_version_in_force_today, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let mut fields = shown.product["fields"].clone();
    fields["consumer_instructions.warnings"] = json!("将来的警示");
    shown.publish_product("2099-01-01", &fields).await;
    app.settled().await;
    let (product, _) = shown.code.split_once("/21/").expect("a serial");
    let product = product.split("/10/").next().expect("a GTIN");
    let view = ok(app.consumer().scan(product).await);
    assert!(
        !view["public_info"].to_string().contains("将来的警示"),
        "{view}"
    );
    app.stop().await;
});

on_both!(no_note_of_a_version_that_is_not_in_force_yet, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    shown
        .publish_product("2099-01-01", &shown.product["fields"])
        .await;
    app.settled().await;
    let page = app.consumer().page(&shown.code).await.text();
    assert!(!page.contains("企业之后更新过"), "it has not changed yet");
    app.stop().await;
});

on_both!(a_repeated_revision_of_an_enterprise_is_one_effect, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let body =
        json!({"name": "x", "valid_from": "2001-01-01", "fields": shown.enterprise["fields"]});
    let path = format!("/v1/enterprises/{}/versions", id(&shown.enterprise));
    let headers = [("idempotency-key", "k")];
    made(shown.admin.post_with(&path, &headers, &body).await);
    let before = head(&app).await;
    made(shown.admin.post_with(&path, &headers, &body).await);
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

on_both!(a_list_is_not_an_object, |app| {
    // serde reads a struct from a JSON list by position.
    platform(&app).await;
    let body = json!(["platform.admin", PASSWORD]);
    refused(
        app.stranger().post("/v1/sessions", &body).await,
        "malformed-body",
    );
    app.stop().await;
});

on_both!(no_free_text_holds_a_null_or_turns_the_line_round, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    for bad in ["a\0b", "a\u{202e}b"] {
        for (reason, instructions) in [(bad, "i"), ("r", bad)] {
            let body = recall_order(&json!([stage.batch]), reason, instructions);
            refused(admin.post("/v1/recalls", &body).await, "invalid-fields");
        }
        let path = format!("/v1/recalls/{}/close", stage.recall);
        refused(
            admin.post(&path, &json!({"note": bad})).await,
            "invalid-fields",
        );
        for field in ["reason", "method", "witness", "evidence"] {
            let mut body = json!({
                "ranges": [{"segment_id": stage.segment, "from": 700, "to": 700}], "reason": "r",
                "method": "m", "witness": "w", "destroyed_on": "2026-01-01",
            });
            body[field] = json!(bad);
            refused(
                admin.post("/v1/code-destructions", &body).await,
                "invalid-fields",
            );
        }
        let answer = admin
            .post("/v1/segments", &json!({"gs1_prefix": bad, "count": 1}))
            .await;
        refused(answer, "invalid-fields");
    }
    let answer = admin.get("/v1/files/a%00b").await;
    refused(answer, "not-found");
    app.stop().await;
});
