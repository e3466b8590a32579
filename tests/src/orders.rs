//! Requests that many stories send, with every mandatory item filled in.

use serde_json::{Value, json};

/// An order to recall these batches (`POST /v1/recalls`). Stories add `ranges` and `codes`.
pub fn recall_order(batch_ids: &Value, reason: &str, instructions: &str) -> Value {
    json!({
        "batch_ids": batch_ids, "reason": reason, "instructions": instructions,
        "initiated_at": "2020-02-03T04:05:06Z", "responsible": "质量部经理",
    })
}
