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

#[test]
fn the_lint_sees_an_undocumented_operation() {
    let bare = serde_json::json!({"paths": {"/x": {"get": {"responses": {"404": {}}}}}});
    assert_eq!(faults(&bare).len(), 4, "{:?}", faults(&bare));
}
