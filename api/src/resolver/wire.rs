//! The JSON view, for its documentation. The bytes are composed in `view` and `compose`; a test
//! reads them back through these types.

use super::decide::{Advice, Legality, Reason};
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{
        ArrayBuilder, ObjectBuilder, Type,
        schema::{AnyOfBuilder, Schema},
    },
};
use uuid::Uuid;

/// The answer to a scan.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScanOut {
    /// The code as we read it.
    pub code: CodeOut,
    /// `null` where the code names no unit.
    pub legality: Option<Legality>,
    /// What to do.
    pub advice: Advice,
    /// Why, worst first.
    pub reasons: Vec<Reason>,
    /// Table 8 in printed order; empty where nothing is published.
    pub public_info: Vec<PublicItemOut>,
    /// The newest open recall.
    pub recall: Option<ScanRecallOut>,
    /// Queries before this one.
    pub queries: QueriesOut,
    /// When this was last confirmed, UTC.
    pub as_of: String,
}

/// A code.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CodeOut {
    /// Canonical path, e.g. `/01/06901234567892/21/0ABC…`.
    pub canonical: String,
    /// `gs1`, `own`, or the name of a code profile.
    pub scheme: String,
    /// `product`, `batch`, `item`, `case` or `pallet`.
    pub level: String,
    /// GTIN, 14 digits.
    pub gtin: Option<String>,
    /// Serial.
    pub serial: Option<String>,
    /// Lot of the batch on record, or of the code where none is known.
    pub batch: Option<String>,
}

/// One item of Table 8.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicItemOut {
    /// Printed number.
    pub no: u16,
    /// Stable name.
    pub name: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// `class`, `batch` or `item`.
    pub level: String,
    /// Text; list of files (served at `/files/{hash}`); or list of titled entries.
    #[schema(schema_with = public_value)]
    pub value: serde_json::Value,
}

fn public_value() -> Schema {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let entry = ObjectBuilder::new().schema_type(Type::Object);
    AnyOfBuilder::new()
        .description(Some(
            "Text; list of files (served at `/files/{hash}`); or list of titled entries.",
        ))
        .item(text)
        .item(ArrayBuilder::new().items(entry.build()))
        .build()
        .into()
}

/// A recall as consumers see it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ScanRecallOut {
    /// Id.
    pub id: Uuid,
    /// Why.
    pub reason: String,
    /// What to do.
    pub instructions: String,
    /// When it was opened, UTC.
    pub opened_at: String,
}

/// Queries before this one.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct QueriesOut {
    /// How many; crawlers and previews left out. `null` when it could not be read.
    pub count: Option<u64>,
    /// First when, UTC.
    pub first_at: Option<String>,
    /// As of when, UTC: up to a few seconds old.
    pub as_of: Option<String>,
}
