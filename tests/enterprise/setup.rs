//! The first administrator: made by whoever holds the one-time link, by nobody else.

use crate::support::{PASSWORD, entries, head, made, ok, refused};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;
use suyuan::{accounts::make_setup_link, entities::user_account};
use suyuan_tests::{Answer, TestApp, caller::Method, on_both};

async fn link(app: &TestApp) -> Option<String> {
    let made = make_setup_link(&app.state().db, app.clock.now()).await;
    made.expect("the database answers")
}

async fn submit(app: &TestApp, body: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let body = body.as_bytes().to_vec();
    let stranger = app.stranger();
    stranger.send(Method::POST, "/setup", &headers, body).await
}

fn form(token: &str, user: &str, password: &str) -> String {
    let password = password.replace(' ', "+");
    format!("token={token}&username={user}&password={password}")
}

async fn accounts(app: &TestApp) -> u64 {
    let count = user_account::Entity::find().count(app.state().db.reader());
    count.await.expect("a count")
}

on_both!(
    an_empty_installation_has_no_account_and_no_default_password,
    |app| {
        assert_eq!(accounts(&app).await, 0);
        for name in ["admin", "root", "platform", "suyuan", "maker"] {
            for password in ["admin", "password", "suyuan", "changeme", ""] {
                let body = json!({"username": name, "password": password});
                let answer = app.stranger().post("/v1/sessions", &body).await;
                refused(answer, "wrong-credentials");
            }
        }
        app.stop().await;
    }
);

on_both!(the_first_administrator_is_made_once_by_the_link, |app| {
    let token = link(&app).await.expect("a link");
    let page = app.stranger().get(&format!("/setup?token={token}")).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert!(page.text().contains(&token));
    assert!(!page.text().contains("<script"));

    // A form that is not right makes nobody and does not burn the link.
    for (user, password) in [
        ("boss", "tiny-pw-x"),
        ("boss", "aaaaaaaaaaaaaaaa"),
        ("boss", "the boss is here"),
        ("b", PASSWORD),
        ("", PASSWORD),
    ] {
        let answer = submit(&app, &form(&token, user, password)).await;
        assert_eq!(answer.status, 422, "{user} {password}");
        assert!(answer.text().contains(&token), "the form comes back");
        assert!(!answer.text().contains(password), "the password does not");
    }
    assert_eq!((accounts(&app).await, head(&app).await), (0, 0));

    let answer = submit(&app, &form(&token, "Boss", PASSWORD)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(!answer.text().contains(&token));
    let boss = app.signed_in("boss", PASSWORD).await;
    let users = ok(boss.get("/v1/users").await);
    assert_eq!(users["items"][0]["role"], "platform_admin");
    assert_eq!(users["items"][0]["username"], "boss");

    let again = submit(&app, &form(&token, "second", PASSWORD)).await;
    assert_eq!(again.status, 404);
    assert_eq!(accounts(&app).await, 1);
    assert_eq!(link(&app).await, None, "no link once there is an account");
    let log = entries(&app).await;
    assert_eq!(log.len(), 1);
    assert_eq!(
        (log[0].kind.as_str(), log[0].actor.as_str()),
        ("account_changed", "system")
    );
    app.stop().await;
});

on_both!(of_eight_uses_of_a_link_at_once_one_makes_an_admin, |app| {
    let token = link(&app).await.expect("a link");
    let forms: Vec<String> = (0..8)
        .map(|n| form(&token, &format!("boss{n}"), PASSWORD))
        .collect();
    let answers = futures_util::future::join_all(forms.iter().map(|f| submit(&app, f))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|a| a.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 404, 404, 404, 404, 404, 404, 404]);
    assert_eq!(accounts(&app).await, 1);
    app.stop().await;
});

on_both!(two_links_still_make_one_first_administrator, |app| {
    let (one, two) = (link(&app).await, link(&app).await);
    let (one, two) = (one.expect("a link"), two.expect("a link"));
    assert_ne!(one, two);
    let answer = submit(&app, &form(&one, "boss", PASSWORD)).await;
    assert_eq!(answer.status, 201);
    let answer = submit(&app, &form(&two, "usurper", PASSWORD)).await;
    assert_eq!(answer.status, 404);
    assert_eq!(accounts(&app).await, 1);
    app.stop().await;
});

on_both!(
    a_link_ends_after_a_day_and_a_made_up_one_never_worked,
    |app| {
        let day = 24 * 3600 * 1_000_000;
        let old = make_setup_link(&app.state().db, app.clock.now() - day - 1_000_000).await;
        let old = old.expect("the database answers").expect("a link");
        for token in [old.as_str(), "", "made-up", &"A".repeat(43), "%00", "%27"] {
            let answer = submit(&app, &form(token, "boss", PASSWORD)).await;
            assert_eq!(answer.status, 404, "{token}: {}", answer.text());
        }
        assert_eq!(accounts(&app).await, 0);
        app.stop().await;
    }
);

on_both!(the_setup_form_takes_nothing_it_does_not_ask_for, |app| {
    let token = link(&app).await.expect("a link");
    let right = form(&token, "boss", PASSWORD);
    for body in [
        String::new(),
        "token=a".to_owned(),
        format!("{right}&role=platform_admin"),
        format!("{right}&username=other"),
        format!("{{\"token\":\"{token}\"}}"),
        "%ff%fe".to_owned(),
    ] {
        let answer = submit(&app, &body).await;
        refused(answer, "malformed-request");
    }
    let huge = format!("{right}{}", "x".repeat(8192));
    let answer = submit(&app, &huge).await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    answer.problem();
    let script = app
        .stranger()
        .get("/setup?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await;
    assert_eq!(script.status, 200);
    assert!(!script.text().contains("<script"));
    assert_eq!(accounts(&app).await, 0);
    let body = json!({"username": "boss", "password": PASSWORD});
    let answer = app.stranger().post("/v1/sessions", &body).await;
    refused(answer, "wrong-credentials");
    made_later(&app, &right).await;
    app.stop().await;
});

/// After all that the link still works.
async fn made_later(app: &TestApp, right: &str) {
    assert_eq!(submit(app, right).await.status, 201);
    let body = json!({"username": "boss", "password": PASSWORD});
    made(app.stranger().post("/v1/sessions", &body).await);
}
