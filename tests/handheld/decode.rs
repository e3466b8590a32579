//! `POST /v1/decode`: a photo in, the codes in it out, for devices that have no reader of their own and
//! for people of an enterprise; and what is no such photo is refused by name.

use crate::{
    scene::{Scene, inbound, key, open_about_events},
    support::{array, refused, text_of},
};
use serde_json::{Value, json};
use suyuan_loadtest::photo::{draw::Grey, labels};
use suyuan_sync::finding::FindingCode;
use suyuan_tests::{
    Answer, Engine, Handheld, TestApp,
    caller::Method,
    form::{FORM, form},
};

const READER: &str = env!("CARGO_BIN_EXE_photo_reader");

/// Builds are slow and machines busy here: a reader gets more time than in life.
async fn spawn(engine: Engine) -> TestApp {
    let flags = [("photo.reader", READER), ("photo.read_ms", "20000")];
    TestApp::spawn_with(engine, &flags).await
}

fn printed(texts: &[&str]) -> Vec<u8> {
    labels::print(texts, 5).png().expect("a picture")
}

fn blank(width: usize, height: usize) -> Vec<u8> {
    Grey::new(width, height, 255.0).png().expect("a picture")
}

async fn sent(device: &Handheld, picture: &[u8]) -> Answer {
    let body = form(&[("photo", picture)]);
    device.upload("/v1/decode", FORM, body).await
}

fn codes(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    array(&answer.json()["codes"]).to_vec()
}

async fn read(engine: Engine) {
    let app = spawn(engine).await;
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let (tin, case) = (&scene.tins[0], &scene.cases[0]);
    let answer = sent(&device, &printed(&[tin])).await;
    let [one] = &codes(&answer)[..] else {
        panic!("{}", answer.text());
    };
    assert_eq!(text_of(&one["text"]), *tin, "as an event says it");
    assert_eq!(text_of(&one["unit"]), key(tin).as_str());
    assert!(one.get("fault").is_none(), "{one}");
    // A look-up like any other: the anchor is one, and a newer one.
    let anchor = text_of(&answer.json()["anchor"]);
    assert!(anchor > device.anchor, "later anchors are greater texts");
    assert!(answer.header("cache-control").contains("no-store"));
    device.keep(&anchor);
    let read = device.read_with("/v1/sync/status", &anchor).await;
    assert_eq!(read.status, 200, "{}", read.text());

    // Several, one twice, one that is no trace code.
    let foreign = "https://pay.example/transfer?to=42";
    let answer = sent(&device, &printed(&[tin, foreign, case, tin])).await;
    let mut told: Vec<(String, Option<String>, bool)> = codes(&answer)
        .iter()
        .map(|code| {
            let unit = code.get("unit").map(text_of);
            (text_of(&code["text"]), unit, code.get("fault").is_some())
        })
        .collect();
    told.sort();
    let unit = |code: &String| Some(key(code).as_str().to_owned());
    let mut expected = vec![
        (tin.clone(), unit(tin), false),
        (case.clone(), unit(case), false),
        (foreign.to_owned(), None, true),
    ];
    expected.sort();
    assert_eq!(told, expected);

    // A code of another scheme is no unit here, for a photo as for an event and a look-up.
    let profiled = "88.123.45/abc";
    let answer = sent(&device, &printed(&[profiled])).await;
    let [one] = &codes(&answer)[..] else {
        panic!("{}", answer.text());
    };
    assert_eq!(text_of(&one["text"]), profiled);
    assert!(
        one.get("unit").is_none() && one.get("fault").is_some(),
        "{one}"
    );
    let asked = json!({"v": 1, "codes": [profiled]});
    let told = device.ask("/v1/sync/lookups", &asked).await.json();
    assert_eq!(told["cards"], json!([null]));
    let event = device.event("inbound", &inbound(&[&profiled.to_owned()]));
    device.push(&[event]).await;
    assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 1);

    // Somebody of an enterprise asks the same, and gets no anchor; nobody else may ask.
    let body = form(&[("photo", &printed(&[tin]))]);

    let bearer = format!("Bearer {}", scene.firm.operator.token().expect("a token"));
    for (bearer, expected) in [(bearer.as_str(), 200), ("", 401), ("Bearer nonsense", 401)] {
        let named = [("authorization", bearer), ("content-type", FORM)];
        // Whoever says nothing of himself sends no such header.
        let named = if bearer.is_empty() {
            &named[1..]
        } else {
            &named
        };
        let stranger = app.stranger();
        let answer = stranger
            .send(Method::POST, "/v1/decode", named, body.clone())
            .await;
        assert_eq!(answer.status, expected, "{bearer}: {}", answer.text());
        if expected == 200 {
            assert!(answer.json().get("anchor").is_none());
            assert_eq!(codes(&answer).len(), 1);
        }
    }
    app.stop().await;
}

#[actix_web::test]
async fn a_photo_is_read_for_devices_and_people_sqlite() {
    read(Engine::Sqlite).await;
}

#[actix_web::test]
async fn a_photo_is_read_for_devices_and_people_postgres() {
    read(Engine::Postgres).await;
}

#[actix_web::test]
async fn what_is_no_photo_of_a_code_is_refused_by_name() {
    let app = spawn(Engine::Sqlite).await;
    let scene = Scene::of(&app).await;
    let device = scene.device(&app, &scene.store).await;
    let whole = printed(&[&scene.tins[0]]);
    let cut = &whole[..whole.len() / 2];
    let five = vec![0xff; 5 << 20];
    let pictures: [(&[u8], u16, &str); 6] = [
        (&blank(300, 200), 422, "no-code-found"),
        (b"GIF89a\x01\0\x01\0", 415, "not-a-picture"),
        (&blank(4_000, 3_200), 413, "picture-too-large"),
        (cut, 422, "picture-unreadable"),
        (&five, 413, "too-large"),
        (b"", 400, "malformed-body"),
    ];
    for (picture, status, problem) in pictures {
        let answer = sent(&device, picture).await;
        assert_eq!(answer.status, status, "{problem}: {}", answer.text());
        refused(answer, problem);
    }
    let photo = ("photo", &whole[..]);
    for (content_type, body, problem) in [
        (FORM, form(&[photo, photo]), "malformed-body"),
        (FORM, form(&[photo, ("more", b"x")]), "malformed-body"),
        (FORM, form(&[]), "malformed-body"),
        (FORM, b"nonsense".to_vec(), "malformed-body"),
        ("image/png", whole.clone(), "unsupported-media-type"),
    ] {
        refused(
            device.upload("/v1/decode", content_type, body).await,
            problem,
        );
    }
    // A device that has to enrol again reads no photos either.
    scene.revoke(&device).await;
    refused(sent(&device, &whole).await, "not-allowed");
    app.stop().await;
}
