//! Locations as JSON.

use crate::registry::fields::FieldsIn;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a location is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LocationKind {
    /// Where goods are made (生产工厂).
    Plant,
    /// Where goods are kept (仓库).
    Warehouse,
    /// Where goods are sold (门店).
    Store,
    /// Sold from afar (电商).
    ECommerce,
    /// Where milk comes from (牧场).
    Farm,
}

/// A location to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocationIn {
    /// Own code, unique in the enterprise.
    pub code: String,
    /// What it is.
    pub kind: LocationKind,
    /// Name.
    pub name: String,
    /// GS1 global location number, 13 digits.
    pub gln: Option<String>,
    /// What the standards ask of it, by catalogue path.
    #[serde(default)]
    pub fields: FieldsIn,
}

/// A location.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LocationOut {
    /// Id.
    pub id: Uuid,
    /// Own code.
    pub code: String,
    /// What it is.
    pub kind: LocationKind,
    /// Name.
    pub name: String,
    /// GLN.
    pub gln: Option<String>,
    /// Fields by catalogue path.
    #[schema(value_type = Object)]
    pub fields: serde_json::Value,
}
