//! Requests and answers as the documentation shows them, from a run of `demo --seed 7`. A test
//! sends the ones and compares the others.

use serde_json::Value;

/// Beginning a watch.
pub fn request() -> Value {
    read(include_str!("example/request.json"))
}

/// It was begun.
pub fn begun() -> Value {
    read(include_str!("example/begun.json"))
}

/// It is on its way.
pub fn pending() -> Value {
    read(include_str!("example/pending.json"))
}

/// It is shown.
pub fn shown() -> Value {
    read(include_str!("example/shown.json"))
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
