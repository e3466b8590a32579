//! Texts and numbers nobody should keep: of another type, beyond all bounds, or not to be seen.

use crate::{
    bad_input::{send, takers},
    operations::{right_caller, stage},
    support::{head, refused, refused_field},
};
use serde_json::{Value, json};
use suyuan_tests::{TestApp, on_both, recall_order};

on_both!(numbers_beyond_all_bounds_are_refused, |app| {
    let (platform, stage) = stage(&app).await;
    for (operation, path, body) in takers(&stage) {
        let caller = right_caller(&operation, &platform, &stage);
        for key in body.as_object().expect("an object").keys() {
            let mut bad = body.clone();
            bad[key] = json!("NUMBER");
            for number in ["1e400", "-1e400", "0x10", "01", "NaN"] {
                let text = bad.to_string().replace("\"NUMBER\"", number);
                let answer = send(caller, &operation, &path, text.into()).await;
                refused(answer, "malformed-body");
            }
        }
    }
    app.stop().await;
});

on_both!(a_field_of_another_type_is_refused, |app| {
    let (platform, stage) = stage(&app).await;
    let before = head(&app).await;
    for (operation, path, body) in takers(&stage) {
        let caller = right_caller(&operation, &platform, &stage);
        for (key, value) in body.as_object().expect("an object") {
            for other in [
                json!(7),
                json!(-1),
                json!(1.5),
                json!("text"),
                json!([[]]),
                json!([1]),
                json!({"a": [1]}),
                json!(true),
            ] {
                let right = match value {
                    Value::Null | Value::String(_) => other.is_string(),
                    Value::Bool(_) => other.is_boolean(),
                    Value::Number(_) => other.as_u64().is_some(),
                    _ => false,
                };
                if right {
                    continue;
                }
                let mut bad = body.clone();
                bad[key] = other.clone();
                let answer = send(caller, &operation, &path, bad.to_string().into()).await;
                let what = format!("{} {key}={other}: {}", operation.id, answer.text());
                assert!(matches!(answer.status, 400 | 401 | 404 | 422), "{what}");
                answer.problem();
            }
        }
    }
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

/// Every text in a body, one at a time, changed by `change`.
fn with_texts(body: &Value, change: &impl Fn(&str) -> String) -> Vec<(String, Value)> {
    let mut out = Vec::new();
    let pointers: Vec<String> = texts(body, String::new());
    for pointer in pointers {
        let mut bad = body.clone();
        if let Some(Value::String(text)) = bad.pointer_mut(&pointer) {
            *text = change(text);
        }
        out.push((pointer, bad));
    }
    out
}

fn texts(value: &Value, at: String) -> Vec<String> {
    match value {
        Value::String(_) => vec![at],
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(n, item)| texts(item, format!("{at}/{n}")))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, item)| texts(item, format!("{at}/{key}")))
            .collect(),
        _ => Vec::new(),
    }
}

/// Passwords are hashed, not kept; signing out says the same whatever it is given.
const KEPT_NOWHERE: [&str; 4] = ["/password", "/current", "/new", "/refresh_token"];
/// Operations whose free texts take any character, up to their length.
const FREE_TEXTS: [&str; 0] = [];

/// Sends each body with one text changed; every one is a problem and none is written.
async fn no_text_may_be(app: &TestApp, except: &[&str], change: impl Fn(&str) -> String) {
    let (platform, stage) = stage(app).await;
    let before = head(app).await;
    let mut wrong = Vec::new();
    for (operation, path, body) in takers(&stage) {
        if except.contains(&operation.id.as_str()) {
            continue;
        }
        let caller = right_caller(&operation, &platform, &stage);
        for (pointer, bad) in with_texts(&body, &change) {
            if KEPT_NOWHERE.contains(&pointer.as_str()) {
                continue;
            }
            let answer = send(caller, &operation, &path, bad.to_string().into()).await;
            if !(400..500).contains(&answer.status) {
                wrong.push(format!("{} {pointer}: {}", operation.id, answer.status));
                continue;
            }
            answer.problem();
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(head(app).await, before);
}

on_both!(no_text_holds_a_null, |app| {
    no_text_may_be(&app, &FREE_TEXTS, |text| format!("{text}\0")).await;
    app.stop().await;
});

on_both!(no_text_holds_control_or_direction_characters, |app| {
    no_text_may_be(&app, &FREE_TEXTS, |text| format!("a\u{202e}\u{7}{text}")).await;
    app.stop().await;
});

on_both!(what_is_wrong_with_a_name_is_said_in_both_languages, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    for (name, code, said) in [
        ("店\u{7}", "hidden-character", ["U+0007", "第 2 个字符"]),
        ("a\u{202e}b", "hidden-character", ["U+202E", "第 2 个字符"]),
        ("a\nb", "line-break", ["line break", "换行"]),
        (" ", "length", ["1 to ", "个字符"]),
    ] {
        for (path, mut body) in [
            ("/v1/locations", json!({"code": "W1", "kind": "store"})),
            (
                "/v1/devices",
                json!({"profile": "till", "location_id": stage.plant}),
            ),
        ] {
            body["name"] = json!(name);
            let answer = admin.post(path, &body).await;
            let problem = answer.json();
            refused_field(answer, "name", code);
            let told = &problem["errors"][0];
            for (language, said) in ["message", "message_zh"].iter().zip(said) {
                let text = told[language].as_str().unwrap_or_default();
                assert!(text.contains(said), "{path}: {told}");
            }
        }
    }
    // What cannot be read says why, too.
    let text = json!({"code": "W1", "kind": "shop", "name": "店"});
    let problem = refused(admin.post("/v1/locations", &text).await, "malformed-body");
    let told = problem["detail_zh"].as_str().unwrap_or_default();
    assert!(told.contains("shop 不在可选值之内"), "{problem}");
    let problem = refused(
        admin.get("/v1/findings?open=maybe").await,
        "malformed-request",
    );
    assert_ne!(problem["detail_zh"], "参数有误");
    app.stop().await;
});

on_both!(no_text_is_a_hundred_thousand_characters_long, |app| {
    no_text_may_be(&app, &[], |_| "长".repeat(50_000)).await;
    app.stop().await;
});

on_both!(what_is_asked_for_may_not_be_blank, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    for (path, body) in [
        (
            "/v1/locations",
            json!({"code": "W1", "kind": "store", "name": "  "}),
        ),
        (
            "/v1/locations",
            json!({"code": "", "kind": "store", "name": "店"}),
        ),
        ("/v1/recalls", recall_order(&json!([]), "r", "i")),
    ] {
        let answer = admin.post(path, &body).await;
        refused(answer, "invalid-fields");
    }
    app.stop().await;
});
