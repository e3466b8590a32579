//! What every answer carries, whatever it says: an id, safe headers, the same in every encoding.

use crate::support::{path_of, raw_one};
use flate2::read::GzDecoder;
use std::io::Read;
use suyuan_tests::{Answer, TestApp, caller::Method, on_both};

const PAGE: &str = "text/html; charset=utf-8";

/// Looks without being counted.
async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![("user-agent", "suyuan-test-monitor")];
    all.extend_from_slice(headers);
    app.consumer().get_with(path, &all).await
}

/// The addresses of every kind of answer.
fn kinds(demo: &suyuan::demo::Demo) -> Vec<(String, u16)> {
    let codes = &demo.codes;
    let path = |url: &str| path_of(url).to_owned();
    vec![
        (path(&codes.legal[0]), 200),
        (format!("/p{}", path_of(&codes.legal[0])), 200),
        (path(&codes.recalled[0]), 200),
        (path(&codes.pallet[0]), 200),
        (path(&codes.forged[0]), 404),
        ("/01/06901234567892".into(), 404),
        ("/q?code=06901234567892".into(), 404),
        ("/q".into(), 200),
        ("/q?code=abc".into(), 400),
        ("/01/123".into(), 400),
        ("/nowhere".into(), 404),
        ("/files/x".into(), 404),
        ("/livez".into(), 200),
        ("/readyz".into(), 200),
        ("/".into(), 303),
    ]
}

/// A program that names no code gets no form to fill in.
fn expected(path: &str, accept: &str, status: u16) -> u16 {
    match (path, accept) {
        ("/q", "application/json") => 400,
        _ => status,
    }
}

on_both!(every_answer_carries_an_id_and_safe_headers, |app| {
    let demo = app.world().await;
    let mut ids = Vec::new();
    let mut asked = 0;
    for (path, status) in kinds(&demo) {
        for accept in ["text/html", "application/json"] {
            let answer = get(&app, &path, &[("accept", accept)]).await;
            let status = expected(&path, accept, status);
            assert_eq!(answer.status, status, "{path} {accept}: {}", answer.text());
            ids.push(answer.header("x-request-id").to_owned());
            asked += 1;
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert!(answer.header("server").is_empty() && answer.header("set-cookie").is_empty());
            if answer.header("content-type") == PAGE {
                safe_page(&answer, &path);
            }
            if answer.header("content-type") == "application/problem+json" {
                assert_eq!(answer.json()["request_id"], *answer.header("x-request-id"));
                assert_eq!(answer.header("cache-control"), "no-store");
            }
        }
    }
    assert!(ids.iter().all(|id| id.len() == 24), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), asked, "an id is given once");
    // Whoever asks does not choose it.
    let chosen = get(&app, "/livez", &[("x-request-id", "mine")]).await;
    assert_ne!(chosen.header("x-request-id"), "mine");
    app.stop().await;
});

/// No script, no foreign load, and the one style sheet is the one the policy names. Data about the
/// product for programs is no script: no browser runs it.
fn safe_page(answer: &Answer, path: &str) {
    const DATA: &str = "<script type=\"application/ld+json\">{";
    let text = answer.text();
    assert!(text.matches(DATA).count() <= 1, "{path}");
    let text = text.replacen(DATA, "", 1);
    let policy = answer.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{path}: {policy}"
    );
    for forbidden in ["unsafe", "script-src", "http:", "https:", "*"] {
        assert!(!policy.contains(forbidden), "{path}: {policy}");
    }
    assert!(policy.contains("base-uri 'none'") && policy.contains("frame-ancestors 'none'"));
    // That the hash fits is proved by the browser, which reports what the policy blocks.
    let expected = suyuan::http::page_policy();
    assert_eq!(policy.as_bytes(), expected.as_bytes());
    assert_eq!(text.matches("<style>").count(), 1);
    assert!(text.contains(&format!("<style>{}</style>", suyuan::pages::CSS)));
    for forbidden in [
        "<script",
        "javascript:",
        " onload",
        " onclick",
        " style=",
        "=\"http",
        "=\"//",
        "url(",
        "@import",
        "<img",
        "<iframe",
    ] {
        assert!(!text.contains(forbidden), "{path}: {forbidden}");
    }
    assert!(
        answer.header("vary").contains("Accept-Language"),
        "{path}: {}",
        answer.header("vary")
    );
    assert_eq!(text.matches("<h1").count(), 1, "{path}");
}

on_both!(head_is_get_without_a_body, |app| {
    let demo = app.world().await;
    for (path, _) in kinds(&demo) {
        for accept in ["text/html", "application/json"] {
            let headers = [("accept", accept), ("user-agent", "suyuan-test-monitor")];
            let head = app
                .consumer()
                .send(Method::HEAD, &path, &headers, Vec::new())
                .await;
            let get = app
                .consumer()
                .send(Method::GET, &path, &headers, Vec::new())
                .await;
            assert_eq!(
                (head.status, head.body.len()),
                (get.status, 0),
                "{path} {accept}"
            );
            let of = |answer: &Answer| {
                let mut all = answer.headers.clone();
                all.retain(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
                all.sort();
                all
            };
            assert_eq!(of(&head), of(&get), "{path} {accept}");
        }
    }
    // On the wire there is nothing after the headers.
    let tin = path_of(&demo.codes.legal[0]);
    let request =
        format!("HEAD {tin} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    let answer = raw_one(&app, request.as_bytes()).await.expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert!(
        answer
            .header("content-length")
            .parse::<usize>()
            .expect("a length")
            > 1000
    );
    app.stop().await;
});

on_both!(compressed_and_plain_say_the_same, |app| {
    let demo = app.world().await;
    let mut most = 0;
    for (path, status) in kinds(&demo) {
        for (accept, lang) in [
            ("text/html", "zh"),
            ("text/html", "en"),
            ("application/json", "en"),
        ] {
            // Both within one second of `as_of`, or once more.
            let mut same = false;
            for _ in 0..5 {
                let headers = [("accept", accept), ("accept-language", lang)];
                let plain = get(&app, &path, &headers).await;
                let with = [
                    headers[0],
                    headers[1],
                    ("accept-encoding", "gzip, deflate, br"),
                ];
                let packed = get(&app, &path, &with).await;
                let status = expected(&path, accept, status);
                assert_eq!((plain.status, packed.status), (status, status));
                assert_eq!(plain.header("content-encoding"), "");
                if packed.header("content-encoding") != "gzip" {
                    // Small answers are sent as they are.
                    assert!(packed.body.len() < 14_336, "{path}: {}", packed.body.len());
                    same = true;
                    break;
                }
                most = most.max(packed.body.len());
                let mut back = Vec::new();
                GzDecoder::new(&packed.body[..])
                    .read_to_end(&mut back)
                    .expect("gzip");
                assert_eq!(packed.header("etag"), plain.header("etag"));
                assert!(packed.header("vary").contains("Accept-Encoding"));
                same |= back == plain.body;
                if same {
                    break;
                }
            }
            assert!(same, "{path} {accept} {lang}");
        }
    }
    println!("largest compressed answer: {most} bytes");
    assert!(most > 1000 && most <= 14_336);
    let tin = path_of(&demo.codes.legal[0]);
    for refused in ["identity", "gzip;q=0", "br", "gzip;q=0.0, br"] {
        let headers = [("accept", "text/html"), ("accept-encoding", refused)];
        let answer = get(&app, tin, &headers).await;
        assert_eq!(answer.header("content-encoding"), "", "{refused}");
        assert_eq!(answer.status, 200, "{refused}");
    }
    app.stop().await;
});

on_both!(only_reading_is_allowed, |app| {
    let demo = app.world().await;
    for path in [
        path_of(&demo.codes.legal[0]),
        "/q",
        "/files/x",
        "/01/123",
        "/nowhere",
    ] {
        for method in [
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::OPTIONS,
        ] {
            let answer = app
                .consumer()
                .send(
                    method.clone(),
                    path,
                    &[("accept", "application/json")],
                    b"{}".to_vec(),
                )
                .await;
            // Codes answer whatever an origin asks before it asks.
            if method == Method::OPTIONS && path.starts_with("/01/") {
                let expected = if path == "/01/123" { 400 } else { 204 };
                assert_eq!(answer.status, expected, "{path}");
                continue;
            }
            let told = (answer.status, answer.problem());
            assert!(
                told == (405, "method-not-allowed".into()) || (path == "/nowhere" && told.0 == 404),
                "{method} {path}: {told:?}"
            );
        }
    }
    app.stop().await;
});
