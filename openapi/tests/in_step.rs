//! The committed documents are what the program says, and every operation is documented.

use suyuan_openapi::{documents, faults};

#[test]
fn the_committed_documents_are_in_step() {
    for document in documents().unwrap() {
        assert!(
            document.in_step().unwrap(),
            "{} is not in step; run: cargo run -p suyuan-openapi",
            document.name
        );
    }
}

#[test]
fn every_operation_is_documented() {
    for document in documents().unwrap() {
        let parsed = serde_json::from_str(&document.text).unwrap();
        let faults = faults(&parsed);
        assert!(faults.is_empty(), "{}: {faults:#?}", document.name);
    }
}

/// What a device or a person signs in with is said of each call that asks for it. Those that give out what
/// one signs in with ask for none.
#[test]
fn every_call_says_who_signs() {
    let open = ["/v1/enrol", "/v1/sessions", "/v1/sessions/refresh"];
    let internal = documents().unwrap().swap_remove(0);
    let parsed: serde_json::Value = serde_json::from_str(&internal.text).unwrap();
    let schemes = &parsed["components"]["securitySchemes"];
    for (path, methods) in parsed["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let refuses = !operation["responses"]["401"].is_null();
            let security = operation["security"].as_array();
            let secured = security.is_some_and(|all| !all.is_empty());
            let gives = open.contains(&path.as_str());
            assert_eq!(refuses && !gives, secured, "{method} {path}");
            for asked in security.into_iter().flatten() {
                for name in asked.as_object().unwrap().keys() {
                    assert!(!schemes[name].is_null(), "{method} {path}: {name}");
                }
            }
            if path.starts_with("/v1/sync/") {
                assert_eq!(security.unwrap()[0], serde_json::json!({"device": []}));
            }
        }
    }
}

#[test]
fn what_is_of_a_list_is_listed_and_what_is_bytes_is_bytes() {
    let internal = documents().unwrap().swap_remove(0);
    let parsed: serde_json::Value = serde_json::from_str(&internal.text).unwrap();
    let chunk = &parsed["paths"]["/v1/sync/chunks/{hash}"]["get"]["responses"];
    for status in ["200", "206"] {
        let schema = &chunk[status]["content"]["application/octet-stream"]["schema"];
        assert_eq!(schema["type"], "string", "{schema}");
        assert_eq!(schema["format"], "binary", "{schema}");
    }
    let parameters = &parsed["paths"]["/v1/findings"]["get"]["parameters"];
    for (name, value) in [("severity", "critical"), ("code", "DOUBLE_SALE")] {
        let mut all = parameters.as_array().unwrap().iter();
        let schema = &all.find(|one| one["name"] == name).unwrap()["schema"];
        let listed = schema["enum"].as_array().unwrap();
        assert!(listed.contains(&value.into()), "{schema}");
    }
}

#[test]
fn the_lint_sees_an_undocumented_operation() {
    let bare = serde_json::json!({"paths": {"/x": {"get": {"responses": {"404": {}}}}}});
    assert_eq!(faults(&bare).len(), 4, "{:?}", faults(&bare));
}
