//! Signing in, staying signed in, and out again.

use crate::support::{PASSWORD, firm, made, ok, person, platform, refused, text_of};
use futures_util::future::join_all;
use serde_json::{Value, json};
use suyuan::accounts::Role;
use suyuan_tests::{Answer, Caller, TestApp, caller::Method, on_both};

const SECOND: i64 = 1_000_000;

async fn login(app: &TestApp, user: &str, password: &str) -> Answer {
    let body = json!({"username": user, "password": password});
    app.stranger().post("/v1/sessions", &body).await
}

async fn refresh(app: &TestApp, token: &Value) -> Answer {
    let body = json!({"refresh_token": token});
    app.stranger().post("/v1/sessions/refresh", &body).await
}

fn bearer(app: &TestApp, session: &Value) -> Caller {
    Caller::new(&app.internal_url, Some(text_of(&session["access_token"])))
}

on_both!(a_right_password_signs_in_and_a_wrong_one_does_not, |app| {
    platform(&app).await;
    let session = made(login(&app, "platform.admin", PASSWORD).await);
    assert_eq!(session["token_type"], "Bearer");
    assert!(session["expires_in"].as_i64() > Some(0));
    ok(bearer(&app, &session).get("/v1/users").await);
    made(login(&app, "Platform.ADMIN", PASSWORD).await);
    for wrong in ["", "correct horse batter", "Correct horse battery"] {
        refused(
            login(&app, "platform.admin", wrong).await,
            "wrong-credentials",
        );
    }
    app.stop().await;
});

on_both!(
    an_unknown_name_is_answered_exactly_as_a_wrong_password,
    |app| {
        platform(&app).await;
        let mut answers = Vec::new();
        for (name, password) in [
            ("platform.admin", "wrong password here"),
            ("nobody.known", PASSWORD),
            ("no such shape of name", PASSWORD),
            ("", PASSWORD),
        ] {
            let answer = login(&app, name, password).await;
            let mut headers: Vec<String> = answer.headers.iter().map(|h| h.0.clone()).collect();
            headers.sort();
            let mut body = refused(answer, "wrong-credentials");
            body["request_id"] = Value::Null;
            answers.push((headers, body));
        }
        for answer in &answers {
            assert_eq!(*answer, answers[0]);
        }
        app.stop().await;
    }
);

on_both!(
    five_failures_lock_an_account_and_time_lets_it_in_again,
    |app| {
        platform(&app).await;
        for _ in 0..4 {
            refused(
                login(&app, "platform.admin", "wrong").await,
                "wrong-credentials",
            );
        }
        made(login(&app, "platform.admin", PASSWORD).await); // four are free, and forgotten
        for _ in 0..5 {
            refused(
                login(&app, "platform.admin", "wrong").await,
                "wrong-credentials",
            );
        }
        refused(
            login(&app, "platform.admin", PASSWORD).await,
            "wrong-credentials",
        );
        app.clock.shift_by(28 * SECOND);
        refused(
            login(&app, "platform.admin", PASSWORD).await,
            "wrong-credentials",
        );
        app.clock.shift_by(40 * SECOND);
        made(login(&app, "platform.admin", PASSWORD).await);
        app.stop().await;
    }
);

on_both!(guesses_made_at_the_same_time_all_count, |app| {
    platform(&app).await;
    let guesses = join_all((0..5).map(|_| login(&app, "platform.admin", "wrong"))).await;
    for guess in guesses {
        refused(guess, "wrong-credentials");
    }
    let locked = login(&app, "platform.admin", PASSWORD).await;
    refused(locked, "wrong-credentials");
    app.stop().await;
});

on_both!(a_disabled_account_ends_at_once, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &[]).await;
    let session = made(login(&app, "aaa.operator", PASSWORD).await);
    let operator = bearer(&app, &session);
    ok(operator.get("/v1/locations").await);

    let users = ok(firm.admin.get("/v1/users").await);
    let found = users["items"]
        .as_array()
        .and_then(|items| items.iter().find(|u| u["username"] == "aaa.operator"));
    let path = format!("/v1/users/{}", text_of(&found.expect("the operator")["id"]));
    let switch = async |disabled: bool| {
        let body = json!({"disabled": disabled}).to_string().into_bytes();
        let headers = [("content-type", "application/json")];
        let changed = firm.admin.send(Method::PATCH, &path, &headers, body).await;
        assert_eq!(ok(changed)["disabled"], disabled);
    };
    switch(true).await;
    refused(operator.get("/v1/locations").await, "not-signed-in");
    let renewed = refresh(&app, &session["refresh_token"]).await;
    refused(renewed, "not-signed-in");
    let again = login(&app, "aaa.operator", PASSWORD).await;
    refused(again, "wrong-credentials");

    switch(false).await;
    let renewed = refresh(&app, &session["refresh_token"]).await;
    refused(renewed, "not-signed-in"); // what ended stays ended
    made(login(&app, "aaa.operator", PASSWORD).await);
    app.stop().await;
});

on_both!(a_refresh_token_used_twice_ends_its_whole_family, |app| {
    platform(&app).await;
    let first = made(login(&app, "platform.admin", PASSWORD).await);
    let other = made(login(&app, "platform.admin", PASSWORD).await);
    let second = made(refresh(&app, &first["refresh_token"]).await);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    ok(bearer(&app, &second).get("/v1/users").await);
    let third = made(refresh(&app, &second["refresh_token"]).await);

    let reused = refresh(&app, &first["refresh_token"]).await;
    refused(reused, "refresh-token-reused");
    for token in [&first, &second, &third] {
        let answer = refresh(&app, &token["refresh_token"]).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
    // Another session of the same account is another family.
    made(refresh(&app, &other["refresh_token"]).await);
    app.stop().await;
});

on_both!(
    of_eight_renewals_at_once_at_most_one_session_comes_out,
    |app| {
        platform(&app).await;
        let session = made(login(&app, "platform.admin", PASSWORD).await);
        let answers = join_all((0..8).map(|_| refresh(&app, &session["refresh_token"]))).await;
        let won: Vec<&Answer> = answers.iter().filter(|a| a.status == 201).collect();
        assert_eq!(won.len(), 1);
        assert!(answers.iter().all(|a| matches!(a.status, 201 | 401)));
        // The token was stolen or sent twice: either way nobody keeps the session.
        let next = refresh(&app, &won[0].json()["refresh_token"]).await;
        assert_eq!(next.status, 401, "{}", next.text());
        app.stop().await;
    }
);

on_both!(tokens_end_with_their_time, |app| {
    platform(&app).await;
    let life = &app.state().settings.security;
    let (access, refreshed) = (life.access_token_s, life.refresh_token_s);
    let session = made(login(&app, "platform.admin", PASSWORD).await);
    let caller = bearer(&app, &session);
    app.clock.shift_by((access - 5) * SECOND);
    ok(caller.get("/v1/users").await);
    // Servers' clocks may differ by a minute.
    app.clock.shift_by((access + 58) * SECOND);
    ok(caller.get("/v1/users").await);
    app.clock.shift_by((access + 61) * SECOND);
    refused(caller.get("/v1/users").await, "not-signed-in");
    app.clock.shift_by((refreshed - 60) * SECOND);
    let renewed = made(refresh(&app, &session["refresh_token"]).await);
    ok(bearer(&app, &renewed).get("/v1/users").await);
    app.clock.shift_by((2 * refreshed) * SECOND);
    let late = refresh(&app, &renewed["refresh_token"]).await;
    refused(late, "not-signed-in");
    app.stop().await;
});

on_both!(logging_out_ends_that_session_and_no_other, |app| {
    platform(&app).await;
    let here = made(login(&app, "platform.admin", PASSWORD).await);
    let there = made(login(&app, "platform.admin", PASSWORD).await);
    let leave = async |token: &Value| {
        let body = json!({"refresh_token": token}).to_string().into_bytes();
        let headers = [("content-type", "application/json")];
        let stranger = app.stranger();
        stranger
            .send(Method::DELETE, "/v1/sessions", &headers, body)
            .await
    };
    let renewed = made(refresh(&app, &here["refresh_token"]).await);
    assert_eq!(leave(&renewed["refresh_token"]).await.status, 204);
    let gone = refresh(&app, &renewed["refresh_token"]).await;
    refused(gone, "not-signed-in");
    made(refresh(&app, &there["refresh_token"]).await);
    // Twice, or with a token nobody has: the same answer, and nothing to learn from it.
    assert_eq!(leave(&renewed["refresh_token"]).await.status, 204);
    assert_eq!(leave(&json!("made-up")).await.status, 204);
    app.stop().await;
});

on_both!(secrets_are_kept_only_as_hashes, |app| {
    use sea_orm::EntityTrait;
    use suyuan::entities::{refresh_token, user_account};
    person(&app, "someone", Role::PlatformAdmin, None).await;
    let session = made(login(&app, "someone", PASSWORD).await);
    let db = app.state().db.reader();
    for user in user_account::Entity::find().all(db).await.expect("rows") {
        assert!(user.password_hash.starts_with("$argon2id$"));
        assert!(!user.password_hash.contains(PASSWORD));
    }
    let token = text_of(&session["refresh_token"]);
    let rows = refresh_token::Entity::find().all(db).await.expect("rows");
    assert!(!rows.is_empty() && rows.iter().all(|row| row.hash != token));
    app.stop().await;
});
