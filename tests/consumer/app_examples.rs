//! The documented examples of the calls that apps make. They came from `suyuan demo --seed 7`, so
//! they can be sent to it as they stand; here they are.

use serde_json::{Map, Value};
use std::time::Duration;
use suyuan::demo;
use suyuan_tests::{Answer, Engine, TestApp};

/// An example of a call in the public document.
fn example(path: &str, method: &str, part: &[&str]) -> Value {
    let api = serde_json::to_value(suyuan::routes::public_openapi()).expect("JSON");
    let mut at = &api["paths"][path][method];
    for key in part {
        at = &at[*key];
    }
    let found = at["content"]["application/json"]["example"].clone();
    assert!(
        !found.is_null(),
        "{method} {path} has no example in {part:?}"
    );
    found
}

/// The seeded demo, which the examples came from.
async fn seeded() -> TestApp {
    let app = TestApp::seeded(Engine::Sqlite, &[]).await;
    demo::make(app.state(), 7).await.expect("the demo's world");
    app.settled().await;
    app
}

/// What must be alike: every key and every type, and every word that is not a time, a lot, a
/// digest or an id. Of the public information a documented answer shows the beginning.
fn form(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut out = Map::new();
            for (key, value) in object {
                let kept = matches!(
                    key.as_str(),
                    "status"
                        | "scanned"
                        | "legality"
                        | "advice"
                        | "reasons"
                        | "scheme"
                        | "level"
                        | "gtin"
                        | "serial"
                        | "version"
                        | "state"
                        | "poll_after_s"
                        | "type"
                        | "errors"
                        | "detail"
                        | "detail_zh"
                        | "title"
                        | "title_zh"
                        | "name"
                );
                out.insert(key.clone(), if kept { value.clone() } else { form(value) });
            }
            Value::Object(out)
        }
        Value::Array(list) => Value::Array(list.iter().map(form).collect()),
        Value::Null => Value::Null,
        Value::Bool(_) => "a truth".into(),
        Value::Number(_) => "a number".into(),
        Value::String(_) => "a text".into(),
    }
}

fn shorten(answer: &mut Value) {
    for result in answer
        .pointer_mut("/results")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(info) = result
            .pointer_mut("/view/public_info")
            .and_then(Value::as_array_mut)
        {
            info.truncate(2);
        }
    }
}

fn alike(answer: &Answer, documented: &Value) {
    let mut said = answer.json();
    shorten(&mut said);
    assert_eq!(form(&said), form(documented), "now: {said:#}");
}

#[actix_web::test]
async fn the_documented_calls_get_the_documented_answers() {
    let app = seeded().await;
    let lookups = "/v1/public/lookups";
    let mut request = example(lookups, "post", &["requestBody"]);
    // What was five hours ago then is long ago by now.
    let before = jiff::Timestamp::now() - jiff::Span::new().hours(5);
    request["codes"][1]["scanned_at"] = before.to_string().into();
    let answer = app.consumer().post(lookups, &request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    alike(&answer, &example(lookups, "post", &["responses", "200"]));

    let watches = "/v1/public/watches";
    let request = example(watches, "post", &["requestBody"]);
    let begun = app.consumer().post(watches, &request).await;
    assert_eq!(begun.status, 201, "{}", begun.text());
    alike(&begun, &example(watches, "post", &["responses", "201"]));

    let one = "/v1/public/watches/{token}";
    let path = begun.header("location").to_owned();
    let mut pending = 0;
    let shown = loop {
        let answer = app.consumer().get(&path).await;
        if answer.status != 202 {
            break answer;
        }
        alike(&answer, &example(one, "get", &["responses", "202"]));
        pending += 1;
        assert!(pending < 200, "the watch never came");
        tokio::time::sleep(Duration::from_millis(25)).await;
    };
    assert_eq!(shown.status, 200, "{}", shown.text());
    alike(&shown, &example(one, "get", &["responses", "200"]));
    app.stop().await;
}
