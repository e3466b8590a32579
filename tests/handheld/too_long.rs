//! Texts longer than an event may be: the frame is refused, whatever it inflates from, and nothing
//! of it is kept.

use crate::{
    scene::{Scene, count, sale},
    support::refused,
};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use std::io::Write;
use suyuan_sync::{limits::EVENT_BYTES_MAX, wire::TYP_PUSH};
use suyuan_tests::{Answer, TestApp, on_both};

/// An event that names so many codes, no two alike.
fn of_codes(count: usize) -> String {
    let codes: Vec<String> = (0..count)
        .map(|n| format!("{{\"code\":\"{n}\"}}"))
        .collect();
    format!(
        "{{\"v\":1,\"kind\":\"sale\",\"units\":[{}]}}",
        codes.join(",")
    )
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// All that a push could have written.
async fn written(app: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in ["event", "log_entry", "finding", "dead_letter"] {
        counts.push(count(app, &format!("SELECT COUNT(*) AS n FROM {table}")).await);
    }
    counts
}

/// It is 413, and says what is too long and how long it may be.
fn too_long(answer: Answer, of: &str) {
    assert_eq!(answer.status, 413, "{}", answer.text());
    let problem = refused(answer, "too-large");
    for detail in ["detail", "detail_zh"] {
        let detail = problem[detail].as_str().unwrap();
        assert!(detail.contains(of), "{detail}");
        assert!(detail.contains(&EVENT_BYTES_MAX.to_string()), "{detail}");
    }
}

on_both!(
    a_small_push_that_inflates_to_one_huge_event_is_refused_and_nothing_is_kept,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let genesis = device.history[0];
        let good = device.text(1, "sale", &sale(&[&scene.tins[0]]));
        let before = written(&app).await;
        let huge = "[".repeat(8_000_000);
        // Alone, behind a good one, and by one byte.
        let over = "x".repeat(EVENT_BYTES_MAX + 1);
        for events in [vec![huge], vec![good, over]] {
            let claims = device.claims(1, genesis, &events);
            let token = device.key.token(TYP_PUSH, &claims);
            let frame = device.frame(1, genesis, &events);
            let body = zipped(frame.to_string().as_bytes());
            assert!(body.len() < 10_000, "{} bytes", body.len());
            too_long(device.send(&token, "gzip", body).await, "event_too_long");
            // Carried by somebody else it is as long.
            if events.len() == 2 {
                let carried = json!({"v": 1, "token": token, "push": frame});
                let staff = &scene.firm.operator;
                let answer = staff.post("/v1/sync/deposit", &carried).await;
                too_long(answer, "event_too_long");
            }
        }
        assert_eq!(written(&app).await, before);
        // Its number is free, and the longest text there may be fills one.
        let event = device.event("sale", &sale(&[&scene.tins[0]]));
        let answer = device.push(&[event]).await;
        assert_eq!(answer.receipt.contiguous_seq, 1);
        assert!(answer.results[0].gseq.is_some(), "{answer:?}");
        let longest = device.make("x".repeat(EVENT_BYTES_MAX));
        let answer = device.push(&[longest]).await;
        assert_eq!(answer.results[0].code.as_deref(), Some("UNREADABLE"));
        assert_eq!(answer.receipt.contiguous_seq, 2);
        app.stop().await;
    }
);

on_both!(an_event_of_a_million_codes_is_refused, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let genesis = device.history[0];
    let before = written(&app).await;
    // A million is more than a push may have, as sent and inflated; the lesser ones inflate to less.
    for codes in [1_000_000, 100_000] {
        let events = vec![of_codes(codes)];
        let claims = device.claims(1, genesis, &events);
        let token = device.key.token(TYP_PUSH, &claims);
        let frame = device.frame(1, genesis, &events).to_string();
        let body = zipped(frame.as_bytes());
        let plain = device.send(&token, "", frame.into_bytes()).await;
        assert_eq!((plain.status, plain.problem()), (413, "too-large".into()));
        let gzip = device.send(&token, "gzip", body).await;
        assert_eq!((gzip.status, gzip.problem()), (413, "too-large".into()));
    }
    assert_eq!(written(&app).await, before);
    let event = device.event("sale", &sale(&[&scene.tins[0]]));
    assert_eq!(device.push(&[event]).await.receipt.contiguous_seq, 1);
    app.stop().await;
});
