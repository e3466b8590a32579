//! Examples for the document, about the first tin of `suyuan demo --seed 7`.

use serde_json::{Value, json};

/// A complaint that is complete for infant formula.
pub fn complaint() -> Value {
    json!({
        "code": "(01)09521234000013(21)00E75CJBQ517G0",
        "content": "罐内结块",
        "place": "上海",
        "name": "王女士",
        "contact": "13800000000",
        "consent": true,
    })
}

/// Feedback that is complete for infant formula.
pub fn feedback() -> Value {
    json!({
        "code": "(01)09521234000013(21)00E75CJBQ517G0",
        "content": "冲调方便",
        "place": "上海",
        "bought_at": "2026-11-01",
        "consent": true,
    })
}
