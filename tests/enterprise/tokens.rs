//! Access tokens that nobody issued. Every one is answered alike: sign in first.

use crate::support::{ok, platform, refused};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use suyuan_tests::{Caller, Engine, TestApp, on_both};
use uuid::Uuid;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0usize, |word, byte| word << 8 | usize::from(*byte));
        for n in 0..=chunk.len() {
            out.push(char::from(ALPHABET[word >> (18 - 6 * n) & 63]));
        }
    }
    out
}

fn decode(text: &str) -> Vec<u8> {
    let (mut out, mut word, mut bits) = (Vec::new(), 0usize, 0);
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|a| *a == byte);
        word = word << 6 | value.expect("base64url");
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits & 0xff) as u8);
        }
    }
    out
}

fn part(text: &str) -> Value {
    serde_json::from_slice(&decode(text)).expect("JSON in a token")
}

async fn ask(app: &TestApp, token: &str) -> suyuan_tests::Answer {
    let caller = Caller::new(&app.internal_url, Some(token.to_owned()));
    caller.get("/v1/users").await
}

async fn token_of(app: &TestApp) -> String {
    let rows = suyuan::entities::user_account::Entity::find();
    let row = rows.one(app.state().db.reader()).await.expect("a row");
    let user = row.expect("an account").id;
    let issued = app.state().tokens.issue(user, 0, app.clock.now());
    issued.expect("a token").0
}

on_both!(a_token_changed_in_any_part_is_refused, |app| {
    platform(&app).await;
    let token = token_of(&app).await;
    ok(ask(&app, &token).await);
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three parts: {token}")
    };
    assert_eq!(encode(&decode(payload)), payload, "our own base64");

    let with = |original: &str, name: &str, value: Value| {
        let mut part = part(original);
        part[name] = value;
        encode(part.to_string().as_bytes())
    };
    let mut forged = vec![
        // Somebody else, another purpose, another place, another time.
        ("sub", with(payload, "sub", json!(Uuid::new_v4()))),
        ("aud", with(payload, "aud", json!("public"))),
        ("iss", with(payload, "iss", json!(Uuid::new_v4()))),
        ("exp", with(payload, "exp", json!(9_999_999_999_i64))),
        ("role", with(payload, "role", json!("platform_admin"))),
    ]
    .into_iter()
    .map(|(what, payload)| (what, format!("{header}.{payload}.{signature}")))
    .collect::<Vec<_>>();
    for (what, header) in [
        ("typ", with(header, "typ", json!("JWT"))),
        ("no kid", with(header, "kid", Value::Null)),
        ("kid", with(header, "kid", json!("../../etc/passwd"))),
        ("kid with quotes", with(header, "kid", json!("' OR 1=1 --"))),
        ("HS256", with(header, "alg", json!("HS256"))),
        ("RS256", with(header, "alg", json!("RS256"))),
        ("none", with(header, "alg", json!("none"))),
        (
            "jwk",
            with(
                header,
                "jwk",
                json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}),
            ),
        ),
        (
            "jku",
            with(header, "jku", json!("https://attacker.example/keys")),
        ),
    ] {
        forged.push((what, format!("{header}.{payload}.{signature}")));
        forged.push((what, format!("{header}.{payload}.")));
        forged.push((what, format!("{header}.{payload}")));
    }
    let mut bytes = decode(signature);
    bytes[0] ^= 1;
    forged.push((
        "signature",
        format!("{header}.{payload}.{}", encode(&bytes)),
    ));
    forged.push(("zeros", format!("{header}.{payload}.{}", encode(&[0; 64]))));
    forged.push(("swapped", format!("{payload}.{header}.{signature}")));
    forged.push(("longer", format!("{token}.{signature}")));
    for text in ["", ".", "..", "a.b.c", "null", " ", "Bearer", "e30.e30.e30"] {
        forged.push(("noise", text.to_owned()));
    }
    forged.push(("long", format!("{token}{}", "A".repeat(4000))));
    for (what, token) in forged {
        let answer = ask(&app, &token).await;
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{what}");
        assert_eq!(answer.status, 401, "{what}: {token}");
        refused(answer, "not-signed-in");
    }
    app.stop().await;
});

on_both!(a_token_of_another_installation_is_refused, |app| {
    platform(&app).await;
    let other = TestApp::spawn(Engine::Sqlite).await;
    platform(&other).await;
    let theirs = token_of(&other).await;
    ok(ask(&other, &theirs).await);
    refused(ask(&app, &theirs).await, "not-signed-in");
    other.stop().await;
    app.stop().await;
});

on_both!(a_token_from_the_future_or_of_nobody_is_refused, |app| {
    platform(&app).await;
    let tokens = &app.state().tokens;
    let nobody = tokens.issue(Uuid::new_v4(), 0, app.clock.now());
    let answer = ask(&app, &nobody.expect("a token").0).await;
    refused(answer, "not-signed-in");
    let token = token_of(&app).await;
    // Servers' clocks may differ by a minute, not by more.
    app.clock.shift_by(-58_000_000);
    ok(ask(&app, &token).await);
    app.clock.shift_by(-63_000_000);
    refused(ask(&app, &token).await, "not-signed-in");
    app.clock.shift_by(0);
    ok(ask(&app, &token).await);
    app.stop().await;
});

on_both!(only_a_bearer_token_signs_a_request, |app| {
    platform(&app).await;
    let token = token_of(&app).await;
    for value in [
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer: {token}"),
        format!("Bearer {token} {token}"),
    ] {
        let headers = [("authorization", value.as_str())];
        let answer = app.stranger().get_with("/v1/users", &headers).await;
        refused(answer, "not-signed-in");
    }
    for path in [
        format!("/v1/users?access_token={token}"),
        format!("/v1/users?token={token}"),
    ] {
        assert_eq!(app.stranger().get(&path).await.status, 401);
    }
    let cookie = [("cookie", token.as_str())];
    let answer = app.stranger().get_with("/v1/users", &cookie).await;
    refused(answer, "not-signed-in");
    app.stop().await;
});
