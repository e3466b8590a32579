//! Batches as JSON.

use crate::registry::fields::FieldsIn;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A batch to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchIn {
    /// The product.
    pub product_id: Uuid,
    /// Lot (批号), unique for the product: 1 to 20 characters as GS1 allows in AI 10.
    pub lot: String,
    /// Where it was made.
    pub plant_id: Option<Uuid>,
    /// Production date (`YYYY-MM-DD`).
    pub production_date: String,
    /// Expiry date; worked out from the shelf life where that is given instead.
    pub expiry_date: Option<String>,
    /// Batch-level values by catalogue path; lot and dates stand above.
    #[serde(default)]
    pub fields: FieldsIn,
}

/// New batch-level values.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchVersionIn {
    /// All batch-level values, not only those that changed.
    pub fields: FieldsIn,
}

/// A batch with its newest version.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BatchOut {
    /// Id.
    pub id: Uuid,
    /// The product.
    pub product_id: Uuid,
    /// Lot.
    pub lot: String,
    /// Where it was made.
    pub plant_id: Option<Uuid>,
    /// Production date.
    pub production_date: String,
    /// Expiry date; empty for goods that do not expire.
    pub expiry_date: String,
    /// Newest version.
    pub version: i64,
    /// Which version is public, if any.
    pub published_version: Option<i64>,
    /// Batch-level values by catalogue path.
    #[schema(value_type = Object)]
    pub fields: serde_json::Value,
}
