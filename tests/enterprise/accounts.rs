//! Who may make whom, and what a name and a password must be.

use crate::support::{PASSWORD, firm, id, made, ok, platform, refused, refused_field, walk};
use serde_json::{Value, json};
use suyuan_tests::{Answer, Caller, caller::Method, on_both};

fn user(name: &str, role: &str) -> Value {
    json!({"username": name, "password": PASSWORD, "role": role})
}

async fn patch(caller: &Caller, user: &str, body: Value) -> Answer {
    let headers = [("content-type", "application/json")];
    let body = body.to_string().into_bytes();
    caller
        .send(Method::PATCH, &format!("/v1/users/{user}"), &headers, body)
        .await
}

on_both!(
    an_enterprise_admin_makes_people_of_its_own_enterprise_only,
    |app| {
        let platform = platform(&app).await;
        let ours = firm(&app, &platform, "AAA", &[]).await;
        let theirs = firm(&app, &platform, "BBB", &[]).await;
        let made_one = made(
            ours.admin
                .post("/v1/users", &user("new.one", "operator"))
                .await,
        );
        assert_eq!(made_one["enterprise_id"], ours.id.as_str());
        assert_eq!(made_one["role"], "operator");
        assert!(made_one.get("password").is_none());
        let newcomer = app.signed_in("new.one", PASSWORD).await;
        ok(newcomer.get("/v1/products").await);

        let mut own = user("new.two", "operator");
        own["enterprise_id"] = json!(ours.id);
        made(ours.admin.post("/v1/users", &own).await);
        let mut foreign = user("spy", "operator");
        foreign["enterprise_id"] = json!(theirs.id);
        refused(ours.admin.post("/v1/users", &foreign).await, "not-allowed");
        let answer = ours
            .admin
            .post("/v1/users", &user("king", "platform_admin"))
            .await;
        refused(answer, "not-allowed");
        for role in ["operator", "enterprise_admin", "platform_admin"] {
            let answer = ours.operator.post("/v1/users", &user("friend", role)).await;
            refused(answer, "not-allowed");
        }
        for name in ["spy", "king", "friend"] {
            let body = json!({"username": name, "password": PASSWORD});
            let answer = app.stranger().post("/v1/sessions", &body).await;
            refused(answer, "wrong-credentials");
        }
        app.stop().await;
    }
);

on_both!(an_enterprise_role_needs_an_enterprise_that_is, |app| {
    let platform = platform(&app).await;
    let answer = platform
        .post("/v1/users", &user("someone", "operator"))
        .await;
    refused_field(answer, "enterprise_id", "required");
    let mut nowhere = user("someone", "operator");
    nowhere["enterprise_id"] = json!("0198c0de-0000-7000-8000-000000000000");
    let answer = platform.post("/v1/users", &nowhere).await;
    refused_field(answer, "enterprise_id", "unknown");
    made(
        platform
            .post("/v1/users", &user("deputy", "platform_admin"))
            .await,
    );
    app.stop().await;
});

on_both!(a_password_is_long_and_hard_to_guess, |app| {
    let platform = platform(&app).await;
    for (password, fault) in [
        ("", "length"),
        ("elevenchars", "length"),
        (&"correct horse ".repeat(19), "length"),
        ("aaaaaaaaaaaaaaaa", "too-simple"),
        ("abababababababab", "too-simple"),
        ("abcdefghijklmnop", "too-simple"),
        ("this is Somebody indeed", "too-simple"),
    ] {
        let body = json!({"username": "somebody", "password": password, "role": "platform_admin"});
        let answer = platform.post("/v1/users", &body).await;
        refused_field(answer, "password", fault);
    }
    let body = json!({
        "username": "somebody.else", "password": "雪山上的小羊在喝热牛奶呢", "role": "platform_admin",
    });
    made(platform.post("/v1/users", &body).await);
    app.signed_in("somebody.else", "雪山上的小羊在喝热牛奶呢")
        .await;
    app.stop().await;
});

on_both!(a_name_is_plain_and_taken_in_any_case, |app| {
    let platform = platform(&app).await;
    let long = "a".repeat(65);
    for name in [
        "ab",
        "has space",
        "名字名字",
        "a/b/c",
        "a\u{0}bcd",
        long.as_str(),
    ] {
        let answer = platform
            .post("/v1/users", &user(name, "platform_admin"))
            .await;
        refused_field(answer, "username", "malformed");
    }
    let made_one = made(
        platform
            .post("/v1/users", &user("Deputy.One", "platform_admin"))
            .await,
    );
    assert_eq!(made_one["username"], "deputy.one");
    let answer = platform
        .post("/v1/users", &user("dePUTY.one", "platform_admin"))
        .await;
    refused(answer, "already-exists");
    app.stop().await;
});

on_both!(each_sees_the_accounts_it_administers, |app| {
    let platform = platform(&app).await;
    let ours = firm(&app, &platform, "AAA", &[]).await;
    let theirs = firm(&app, &platform, "BBB", &[]).await;
    let names = async |caller: &Caller| -> Vec<String> {
        let page = ok(caller.get("/v1/users").await);
        let items = page["items"].as_array().cloned().unwrap_or_default();
        assert!(!page.to_string().contains("argon2"), "no hash goes out");
        items
            .iter()
            .filter_map(|user| Some(user["username"].as_str()?.to_owned()))
            .collect()
    };
    assert_eq!(names(&ours.admin).await, ["aaa.admin", "aaa.operator"]);
    assert_eq!(names(&theirs.admin).await, ["bbb.admin", "bbb.operator"]);
    assert_eq!(names(&platform).await.len(), 5);
    refused(ours.operator.get("/v1/users").await, "not-allowed");
    let (ids, pages) = walk(&platform, "/v1/users", 2).await;
    assert_eq!((ids.len(), pages), (5, 3));
    app.stop().await;
});

on_both!(
    another_enterprises_account_cannot_be_changed_or_guessed,
    |app| {
        let platform = platform(&app).await;
        let ours = firm(&app, &platform, "AAA", &[]).await;
        let theirs = firm(&app, &platform, "BBB", &[]).await;
        let users = ok(theirs.admin.get("/v1/users").await);
        let target = id(&users["items"][1]);
        let off = json!({"disabled": true});
        refused(patch(&ours.admin, &target, off.clone()).await, "not-found");
        let nobody = "0198c0de-0000-7000-8000-000000000000";
        refused(patch(&ours.admin, nobody, off.clone()).await, "not-found");
        refused(
            patch(&theirs.operator, &target, off.clone()).await,
            "not-allowed",
        );
        ok(theirs.operator.get("/v1/products").await);
        ok(patch(&theirs.admin, &target, off).await);
        refused(theirs.operator.get("/v1/products").await, "not-signed-in");
        app.stop().await;
    }
);

on_both!(whoever_i_am_i_may_ask_and_change_my_password, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &[]).await;
    for (caller, name, role) in [
        (&platform, "platform.admin", "platform_admin"),
        (&firm.admin, "aaa.admin", "enterprise_admin"),
        (&firm.operator, "aaa.operator", "operator"),
    ] {
        let me = ok(caller.get("/v1/me").await);
        assert_eq!((&me["username"], &me["role"]), (&json!(name), &json!(role)));
        let session = json!({"username": name, "password": PASSWORD});
        let before = made(app.stranger().post("/v1/sessions", &session).await);
        let change = |current: &str, new: &str| json!({"current": current, "new": new});
        for (current, new, code) in [
            ("wrong", "quite another password", "wrong-credentials"),
            ("", "quite another password", "wrong-credentials"),
            (PASSWORD, "short", "invalid-fields"),
            (PASSWORD, &format!("I am {name}, hello"), "invalid-fields"),
        ] {
            let answer = caller.post("/v1/me/password", &change(current, new)).await;
            refused(answer, code);
        }
        let body = change(PASSWORD, "quite another password");
        assert_eq!(caller.post("/v1/me/password", &body).await.status, 204);
        let renew = json!({"refresh_token": before["refresh_token"]});
        let answer = app.stranger().post("/v1/sessions/refresh", &renew).await;
        refused(answer, "not-signed-in");
        let answer = app.stranger().post("/v1/sessions", &session).await;
        refused(answer, "wrong-credentials");
        app.signed_in(name, "quite another password").await;
    }
    app.stop().await;
});

on_both!(an_administrator_gives_its_people_a_new_password, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &[]).await;
    let target = id(&ok(firm.operator.get("/v1/me").await));
    for (bad, fault) in [
        (json!({}), "required"),
        (json!({"password": "short"}), "length"),
        (json!({"password": "call me aaa.operator"}), "too-simple"),
    ] {
        let answer = patch(&firm.admin, &target, bad.clone()).await;
        let field = if fault == "required" {
            "disabled"
        } else {
            "password"
        };
        refused_field(answer, field, fault);
    }
    app.signed_in("aaa.operator", PASSWORD).await;
    // It also lets in again who locked themselves out.
    for _ in 0..5 {
        let body = json!({"username": "aaa.operator", "password": "wrong"});
        let answer = app.stranger().post("/v1/sessions", &body).await;
        refused(answer, "wrong-credentials");
    }
    let new = json!({"password": "quite another password"});
    ok(patch(&firm.admin, &target, new).await);
    app.signed_in("aaa.operator", "quite another password")
        .await;
    app.stop().await;
});
