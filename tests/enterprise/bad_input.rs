//! Whatever is sent: a problem with a stable code, never a failure of ours, nothing half-written.

use crate::{
    operations::{Body, Operation, Stage, call, operations, right_caller, stage},
    support::{head, made, refused, refused_field},
};
use serde_json::{Value, json};
use suyuan_tests::{Answer, Caller, TestApp, caller::Method, on_both};

const JSON_MAX: usize = 256 * 1024;
const LARGE_MAX: usize = 4 * 1024 * 1024;

/// Operations that take JSON, with a right request of each.
pub fn takers(stage: &Stage) -> Vec<(Operation, String, Value)> {
    let json_only =
        |o: &Operation| o.media.as_deref() == Some("application/json") && !o.is_of_devices();
    operations()
        .into_iter()
        .filter(json_only)
        .map(|operation| match stage.request(&operation, 150) {
            Some((path, Body::Json(body))) => (operation, path, body),
            other => panic!("{}: {other:?}", operation.id),
        })
        .collect()
}

/// Sends a body as JSON.
pub async fn send(caller: &Caller, operation: &Operation, path: &str, body: Vec<u8>) -> Answer {
    let headers = [("content-type", "application/json")];
    caller
        .send(operation.method.clone(), path, &headers, body)
        .await
}

/// Sends bad texts to every operation; each is a malformed body and nothing is written.
async fn all_refuse(app: &TestApp, texts: impl Fn(&Value) -> Vec<String>) {
    let (platform, stage) = stage(app).await;
    let before = head(app).await;
    let takers = takers(&stage);
    assert!(takers.len() > 15);
    for (operation, path, body) in &takers {
        let caller = right_caller(operation, &platform, &stage);
        for text in texts(body) {
            let answer = send(caller, operation, path, text.into_bytes()).await;
            let told = answer.text();
            assert_eq!(
                answer.problem(),
                "malformed-body",
                "{}: {told}",
                operation.id
            );
        }
    }
    assert_eq!(head(app).await, before);
}

on_both!(an_empty_body_is_refused, |app| {
    all_refuse(&app, |_| vec![String::new()]).await;
    app.stop().await;
});

on_both!(what_is_not_json_is_refused, |app| {
    all_refuse(&app, |body| vec![body.to_string().replace(':', "=")]).await;
    app.stop().await;
});

on_both!(json_of_another_shape_is_refused, |app| {
    let others = ["[]", "null", "7", "\"text\"", "true", "[[]]"];
    all_refuse(&app, |_| others.map(str::to_owned).to_vec()).await;
    app.stop().await;
});

on_both!(half_a_body_and_a_body_and_a_half_are_refused, |app| {
    let (platform, stage) = stage(&app).await;
    let before = head(&app).await;
    for (operation, path, body) in takers(&stage) {
        let caller = right_caller(&operation, &platform, &stage);
        let text = body.to_string();
        for cut in [1, text.len() / 2, text.len() - 1] {
            let cut = (cut..text.len()).find(|at| text.is_char_boundary(*at));
            let half = text.as_bytes()[..cut.expect("a boundary")].to_vec();
            let answer = send(caller, &operation, &path, half).await;
            refused(answer, "malformed-body");
        }
        let answer = send(caller, &operation, &path, format!("{text}{text}").into()).await;
        refused(answer, "malformed-body");
        let mut bytes = text.into_bytes();
        bytes.splice(2..2, [0xff, 0xfe, 0xc0]);
        let answer = send(caller, &operation, &path, bytes).await;
        refused(answer, "malformed-body");
    }
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

on_both!(ten_thousand_levels_of_nesting_are_refused, |app| {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    all_refuse(&app, |_| vec![deep(10_000)]).await;
    app.stop().await;
});

on_both!(deep_nesting_inside_a_value_is_refused, |app| {
    all_refuse(&app, |body| {
        let mut text = body.to_string();
        text.pop();
        let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        vec![format!("{text},\"fields\":{{\"x.y\":{deep}}}}}")]
    })
    .await;
    app.stop().await;
});

on_both!(an_unknown_field_is_refused_by_name, |app| {
    let (platform, stage) = stage(&app).await;
    for (operation, path, mut body) in takers(&stage) {
        let caller = right_caller(&operation, &platform, &stage);
        body["surprise"] = json!(1);
        let answer = send(caller, &operation, &path, body.to_string().into()).await;
        let problem = refused(answer, "malformed-body");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("surprise"), "{}: {detail}", operation.id);
    }
    app.stop().await;
});

/// Each object in a body but itself, with a field nobody knows. What stands under `fields` is named by
/// the standards, and refused as such.
fn surprised(body: &Value) -> Vec<Value> {
    fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
        let entries: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(name, of)| (name.clone(), of)).collect(),
            Value::Array(items) => (0..).map(|n: usize| n.to_string()).zip(items).collect(),
            _ => Vec::new(),
        };
        for (name, of) in entries.into_iter().filter(|(name, _)| name != "fields") {
            let at = format!("{at}/{name}");
            objects(of, &at, found);
            found.extend(of.is_object().then_some(at));
        }
    }
    let mut found = Vec::new();
    objects(body, "", &mut found);
    let with = |at: &String| {
        let mut bad = body.clone();
        bad.pointer_mut(at).expect("an object")["surprise"] = json!(1);
        bad
    };
    found.iter().map(with).collect()
}

on_both!(an_unknown_field_deeper_in_is_refused_by_name, |app| {
    let (platform, stage) = stage(&app).await;
    let mut n = 0;
    for (operation, path, body) in takers(&stage) {
        let caller = right_caller(&operation, &platform, &stage);
        for bad in surprised(&body) {
            let answer = send(caller, &operation, &path, bad.to_string().into()).await;
            let problem = refused(answer, "malformed-body");
            let detail = problem["detail"].as_str().unwrap_or_default();
            assert!(detail.contains("surprise"), "{}: {detail}", operation.id);
            n += 1;
        }
    }
    assert!(n >= 3, "{n} objects inside bodies");
    app.stop().await;
});

on_both!(an_unknown_parameter_is_refused_by_name_everywhere, |app| {
    let (platform, stage) = stage(&app).await;
    let before = head(&app).await;
    // A device may be newer than its server, and say what that does not know (`handheld/reads.rs`).
    let of_staff = |(_, o): &(usize, &Operation)| !o.is_of_devices();
    for (n, operation) in operations().iter().enumerate().filter(of_staff) {
        let (path, body) = stage.request(operation, 300 + n).expect("a request");
        let with = if path.contains('?') { '&' } else { '?' };
        let caller = right_caller(operation, &platform, &stage);
        for sent in ["surprise=1", "surpris%65", "surprise=1&limit=1"] {
            let path = format!("{path}{with}{sent}");
            let answer = call(caller, operation, &path, &body, &[]).await;
            let problem = refused(answer, "malformed-request");
            for language in ["detail", "detail_zh"] {
                let told = problem[language].as_str().unwrap_or_default();
                assert!(told.contains("surprise"), "{}: {told}", operation.id);
            }
        }
    }
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

on_both!(a_number_below_all_bounds_is_refused_everywhere, |app| {
    let (platform, stage) = stage(&app).await;
    let document = serde_json::to_value(suyuan::routes::internal_openapi()).expect("a document");
    let mut asked = 0;
    for (n, operation) in operations().iter().enumerate().filter(|(_, o)| o.secured) {
        let (path, body) = stage.request(operation, 300 + n).expect("a request");
        let with = if path.contains('?') { '&' } else { '?' };
        let caller = right_caller(operation, &platform, &stage);
        let method = operation.method.as_str().to_lowercase();
        let parameters = document["paths"][&operation.path][&method]["parameters"].as_array();
        for parameter in parameters.into_iter().flatten() {
            let is_number = parameter["schema"]["type"].to_string().contains("integer");
            if parameter["in"] != "query" || !is_number {
                continue;
            }
            asked += 1;
            let name = parameter["name"].as_str().expect("a name");
            let path = format!("{path}{with}{name}=-1");
            let answer = call(caller, operation, &path, &body, &[]).await;
            let told = answer.text();
            assert!(
                matches!(answer.status, 400 | 422),
                "{} {name}: {told}",
                operation.id
            );
            let told = answer.json();
            let field = &told["errors"][0]["field"];
            assert!(
                answer.status == 400 || field == name,
                "{}: {told}",
                operation.id
            );
        }
    }
    assert!(asked > 20, "{asked} numbers");
    // A period that ended before there were any.
    for until in ["0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z"] {
        let answer = stage
            .firm
            .admin
            .post("/v1/periods", &json!({"until": until}))
            .await;
        refused_field(answer, "until", "out-of-range");
    }
    app.stop().await;
});

on_both!(a_body_where_none_is_taken_is_refused, |app| {
    let (platform, stage) = stage(&app).await;
    let before = head(&app).await;
    let mut bodiless = 0;
    for (n, operation) in operations().iter().enumerate() {
        if operation.media.is_some() || operation.method == Method::GET {
            continue;
        }
        bodiless += 1;
        let (path, _) = stage.request(operation, 300 + n).expect("a request");
        let caller = right_caller(operation, &platform, &stage);
        let long = json!({"fields": "x".repeat(10_000)});
        for said in [json!({"surprise": 1}), json!([]), json!(null), long] {
            let answer = send(caller, operation, &path, said.to_string().into()).await;
            refused(answer, "malformed-body");
        }
    }
    assert!(bodiless > 3, "{bodiless}");
    assert_eq!(head(&app).await, before);
    // Nothing, said as a body, is nothing.
    let path = format!("/v1/devices/{}/shift-closures", stage.device);
    made(stage.firm.admin.post(&path, &json!({})).await);
    app.stop().await;
});

on_both!(a_key_that_stands_twice_is_refused, |app| {
    all_refuse(&app, |body| {
        let first = body.as_object().and_then(|o| o.iter().next());
        let (key, value) = first.expect("a field");
        let mut text = body.to_string();
        text.pop();
        vec![format!("{text},\"{key}\":{value}}}")]
    })
    .await;
    app.stop().await;
});

on_both!(another_content_type_is_refused, |app| {
    let (platform, stage) = stage(&app).await;
    for (operation, path, body) in takers(&stage) {
        let caller = right_caller(&operation, &platform, &stage);
        let bytes = body.to_string().into_bytes();
        for media in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "",
        ] {
            let headers = [("content-type", media)];
            let method = operation.method.clone();
            let answer = caller.send(method, &path, &headers, bytes.clone()).await;
            assert_eq!(answer.status, 415, "{} {media}", operation.id);
            refused(answer, "unsupported-media-type");
        }
        let answer = caller
            .send(operation.method.clone(), &path, &[], bytes)
            .await;
        refused(answer, "unsupported-media-type");
    }
    let place = json!({"code": "W1", "kind": "store", "name": "店"}).to_string();
    let headers = [("content-type", "Application/JSON; charset=utf-8")];
    let path = "/v1/locations";
    let answer = stage
        .firm
        .admin
        .send(Method::POST, path, &headers, place.into());
    made(answer.await);
    app.stop().await;
});

on_both!(one_byte_more_than_the_limit_is_too_large, |app| {
    let (platform, stage) = stage(&app).await;
    let before = head(&app).await;
    for (operation, path, body) in takers(&stage) {
        let large = [
            "create_commission",
            "create_code_destruction",
            "open_recall",
            "widen_recall",
        ];
        let large = large.contains(&operation.id.as_str());
        let limit = if large { LARGE_MAX } else { JSON_MAX };
        let caller = right_caller(&operation, &platform, &stage);
        let padded = |len: usize| {
            let text = body.to_string();
            format!("{text}{}", " ".repeat(len - text.len())).into_bytes()
        };
        let answer = send(caller, &operation, &path, padded(limit + 1)).await;
        assert_eq!(answer.status, 413, "{}", operation.id);
        refused(answer, "too-large");
    }
    assert_eq!(head(&app).await, before);
    // At the limit it is read.
    let place = json!({"code": "W1", "kind": "store", "name": "店"}).to_string();
    let text = format!("{place}{}", " ".repeat(JSON_MAX - place.len()));
    let headers = [("content-type", "application/json")];
    let path = "/v1/locations";
    let answer = stage
        .firm
        .admin
        .send(Method::POST, path, &headers, text.into());
    made(answer.await);
    app.stop().await;
});

on_both!(an_id_that_is_none_is_not_there, |app| {
    let (platform, stage) = stage(&app).await;
    let before = head(&app).await;
    for operation in operations().iter().filter(|o| o.path.contains("{id}")) {
        let (_, body) = stage.request(operation, 1).expect("a request");
        let caller = right_caller(operation, &platform, &stage);
        for id in [
            "1",
            "x",
            "%00",
            "..%2f..",
            "0198c0de-0000-7000-8000-00000000000g",
            "%F0%9F%98%80",
        ] {
            let path = operation.path.replace("{id}", id);
            let answer = call(caller, operation, &path, &body, &[]).await;
            assert_eq!(
                answer.status,
                404,
                "{} {id}: {}",
                operation.id,
                answer.text()
            );
            refused(answer, "not-found");
        }
    }
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

on_both!(pages_have_bounds, |app| {
    let (platform, stage) = stage(&app).await;
    for operation in operations().iter().filter(|o| o.paged) {
        let caller = right_caller(operation, &platform, &stage);
        let (path, _) = stage.request(operation, 0).expect("a request");
        for limit in ["0", "501", "18446744073709551615"] {
            let answer = caller.get(&format!("{path}?limit={limit}")).await;
            refused_field(answer, "limit", "out-of-range");
        }
        for query in [
            "limit=-1",
            "limit=x",
            "limit=",
            "limit=1&limit=2",
            "limit=1e2",
            "limit=99999999999999999999",
        ] {
            let answer = caller.get(&format!("{path}?{query}")).await;
            refused(answer, "malformed-request");
        }
        let cursor = if operation.id == "list_log" {
            "from"
        } else {
            "after"
        };
        for value in ["x", "%00", "1.5", "0198c0de"] {
            let answer = caller.get(&format!("{path}?{cursor}={value}")).await;
            refused(answer, "malformed-request");
        }
        let answer = caller.get(&format!("{path}?limit=500")).await;
        assert_eq!(answer.status, 200, "{}", operation.id);
    }
    app.stop().await;
});

on_both!(addresses_and_methods_nobody_serves_are_problems, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    for path in [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "//v1/products",
        "/v1/../v1/products",
        "/V1/products",
        "/v1/products/%2e%2e/users",
        "/admin",
        "/.git/config",
    ] {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        refused(answer, "not-found");
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/v1/products", "GET, POST"),
        (Method::PUT, "/v1/users", "GET, POST"),
        (Method::GET, "/v1/sessions", "DELETE, POST"),
        (Method::POST, "/livez", "GET"),
    ] {
        let answer = admin.send(method, path, &[], Vec::new()).await;
        assert_eq!(answer.status, 405, "{path}");
        let mut allow: Vec<&str> = answer.header("allow").split(", ").collect();
        allow.sort_unstable();
        assert_eq!(allow.join(", "), allowed, "{path}");
        refused(answer, "method-not-allowed");
    }
    app.stop().await;
});
