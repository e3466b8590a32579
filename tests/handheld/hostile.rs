//! Whatever a device signs: a problem with a stable code, or an answer that says of each event what became of
//! it; never a failure of ours. Its signature is right each time, so that all of it is read.

use crate::scene::{Scene, count, holds, inbound, sale};
use flate2::{Compression, write::GzEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};
use std::io::Write;
use suyuan_sync::wire::{PushAnswer, TYP_PUSH};
use suyuan_tests::{Answer, Handheld, on_both};

/// Nobody can say more than that about an answer to something senseless.
fn is_said_well(answer: &Answer, what: &str) {
    assert!(answer.status < 500, "{what}: {}", answer.text());
    if answer.status >= 400 {
        assert!(!answer.problem().is_empty(), "{what}: {}", answer.text());
    } else {
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    }
}

/// Bodies that nobody's program writes, large and small.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
    let text = |of: &str| of.as_bytes().to_vec();
    vec![
        ("nothing", Vec::new()),
        ("a zero byte", vec![0]),
        ("no UTF-8", vec![0xff, 0xfe, 0xc0, 0x80]),
        ("no JSON", text("v = 1")),
        ("half of it", text("{\"v\":1,\"codes\":[\"")),
        ("more than it", text("{\"v\":1}{\"v\":1}")),
        ("null", text("null")),
        ("a number past all", text("1e999999")),
        ("a text", text("\"\\ud800\"")),
        ("deep lists", deep("[", "]").into()),
        ("deep objects", deep("{\"v\":", "}").into()),
        (
            "a field twice",
            text("{\"v\":1,\"v\":1,\"codes\":[],\"codes\":[]}"),
        ),
        ("another version", text("{\"v\":18446744073709551616}")),
        ("below zero", text("{\"v\":-1,\"first_seq\":-1}")),
        (
            "a long number",
            format!("{{\"v\":1{}}}", "0".repeat(100_000)).into(),
        ),
        (
            "a long text",
            json!({"v": 1, "codes": ["9".repeat(200_000)]})
                .to_string()
                .into(),
        ),
        (
            "many texts",
            json!({"v": 1, "codes": vec![""; 60_000]})
                .to_string()
                .into(),
        ),
        (
            "a long name",
            format!("{{\"{}\":1}}", "a".repeat(200_000)).into(),
        ),
        ("spaces", vec![b' '; 900_000]),
        ("more than may be", vec![b'['; 9 << 20]),
    ]
}

/// What a device asks with GET.
fn questions() -> Vec<String> {
    let mut paths = Vec::new();
    let numbers = [
        "",
        "-1",
        "0",
        "1e3",
        "NaN",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999999",
        "%00",
        "%ff",
        "%",
        "1%0d%0aX:1",
    ];
    for number in numbers {
        for path in [
            "cursor",
            "cursor=0&limit",
            "cursor=0&within",
            "cursor=0&list",
        ] {
            paths.push(format!("/v1/sync/pull?{path}={number}"));
        }
        paths.push(format!("/v1/sync/chunks/{number}"));
        paths.push(format!("/v1/sync/snapshot?after={number}"));
        paths.push(format!("/v1/sync/badges?{number}"));
    }
    paths.push(format!(
        "/v1/sync/pull?cursor=0&within={}",
        "a".repeat(6_000)
    ));
    paths.push(format!("/v1/sync/chunks/{}", "f".repeat(6_000)));
    paths.push("/v1/sync/status?cursor=1&cursor=2&&&=".into());
    paths.push("/v1/sync/rules?v=%f0%9f".into());
    paths
}

/// Texts that a frame may hold which is well made and well signed.
fn texts(device: &Handheld, tin: &String) -> Vec<String> {
    let seq = device.next;
    let with = |name: &str, value: Value| {
        let mut said = sale(&[tin]);
        said[name] = value;
        device.text(seq, "sale", &said)
    };
    let mut all = vec![
        "null".to_owned(),
        "[]".to_owned(),
        "\u{feff}{}".to_owned(),
        "[".repeat(30_000),
        device.text(seq, "", &sale(&[tin])),
        device.text(seq, &"x".repeat(10_000), &sale(&[tin])),
    ];
    for (name, value) in [
        ("v", json!(u64::MAX)),
        ("epoch", json!(u64::MAX)),
        ("mono", json!(-1)),
        ("cursor", json!(i64::MIN)),
        ("anchor", json!("\u{0}\u{202e}")),
        ("anchor_wall", json!("9999-99-99T99:99:99Z")),
        ("at", json!(1e300)),
        ("event_id", json!("00000000-0000-0000-0000-000000000000")),
        ("event_id", json!({"id": [null]})),
        (
            "actor",
            json!({"id": "\u{0}".repeat(3_000), "proof": "blood"}),
        ),
        ("location", json!("00000000-0000-0000-0000-000000000000")),
        ("units", json!({"a": 1})),
        (
            "units",
            json!([{"code": "\u{1d}".repeat(5_000), "input": "wedge"}]),
        ),
        (
            "lots",
            json!([{"gtin": "1", "lot": "\u{0}", "quantity": i64::MAX}]),
        ),
        (
            "counterpart",
            json!({"type": "location", "id": "'; DROP TABLE event; --"}),
        ),
        ("group", json!({"id": "x", "n": 0, "of": u64::MAX})),
        (
            "body",
            json!({"scope": {"complete": "yes"}, "\u{0}": [[[]]]}),
        ),
        ("list_version", json!(i64::MAX)),
        ("override", json!({"code": "recalled", "recall": "none"})),
        ("target", json!("'; --")),
    ] {
        all.push(with(name, value));
    }
    all
}

fn packed(bytes: &[u8], encoding: &str) -> Vec<u8> {
    if encoding == "zstd" {
        return compress_to_vec(bytes, CompressionLevel::Fastest);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("it is packed");
    encoder.finish().expect("it is packed")
}

on_both!(whatever_body_a_device_signs_is_no_failure_of_ours, |app| {
    let scene = Scene::of(&app).await;
    let device = scene.device(&app, &scene.store).await;
    let signed = || {
        let claims = device.claims(1, device.history[0], &["{}".to_owned()]);
        device.key.token(TYP_PUSH, &claims)
    };
    for (what, body) in bodies() {
        for path in ["/v1/sync/lookups", "/v1/sync/deposit", "/v1/decode"] {
            for of_type in [
                "application/json",
                "multipart/form-data; boundary=x",
                "text/plain",
            ] {
                let answer = device.upload(path, of_type, body.clone()).await;
                is_said_well(&answer, &format!("{what} to {path} as {of_type}"));
            }
        }
        let answer = device.send(&signed(), "", body.clone()).await;
        is_said_well(&answer, what);
        assert!(answer.status >= 400, "{what}: {}", answer.text());
        for encoding in ["zstd", "gzip"] {
            let whole = packed(&body, encoding);
            for (how, sent) in [
                ("packed", whole.clone()),
                ("cut off", whole[..whole.len() / 2].to_vec()),
                ("not packed", body.clone()),
            ] {
                let answer = device.send(&signed(), encoding, sent).await;
                let what = format!("{what}, {how} by {encoding}");
                is_said_well(&answer, &what);
                assert!(answer.status >= 400, "{what}: {}", answer.text());
            }
        }
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, 0);
    app.stop().await;
});

on_both!(whatever_a_device_asks_is_no_failure_of_ours, |app| {
    let scene = Scene::of(&app).await;
    let device = scene.device(&app, &scene.store).await;
    for path in questions() {
        is_said_well(&device.read(&path).await, &path);
    }
    app.stop().await;
});

on_both!(
    whatever_events_a_device_signs_are_answered_one_by_one,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let tin = &scene.tins[0];
        let hostile = texts(&device, tin).len();
        for n in 0..hostile {
            // Each with its number, so that it is read for what it says.
            let text = texts(&device, tin).swap_remove(n);
            let (first, prev) = (device.next, device.head());
            let text = device.make(text);
            let answer = device
                .try_push(first, prev, std::slice::from_ref(&text))
                .await;
            let few: String = text.chars().take(300).collect();
            assert_eq!(answer.status, 200, "{few}: {}", answer.text());
            let answer: PushAnswer = serde_json::from_slice(&answer.body).expect("an answer");
            assert_eq!(answer.results.len(), 1, "{few}");
            assert!(answer.receipt.covers(first), "{few}: it fills its number");
        }
        // The device goes on.
        let event = device.event("inbound", &inbound(&[&scene.tins[1]]));
        let answer = device.push(&[event]).await;
        assert_eq!(answer.receipt.contiguous_seq, hostile as u64 + 1);
        let kept = "SELECT COUNT(*) AS n FROM event";
        assert_eq!(count(&app, kept).await, hostile as i64 + 1);
        holds(&app, "after all that").await;
        app.stop().await;
    }
);
