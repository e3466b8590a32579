//! A request and its answer as the documentation shows them, from a run of `demo --seed 7`; of
//! the public information only the beginning. A test sends the one and compares the other.

use serde_json::Value;

/// The request.
pub fn request() -> Value {
    read(include_str!("example/request.json"))
}

/// Its answer.
pub fn answer() -> Value {
    read(include_str!("example/answer.json"))
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
