//! Enterprises as JSON.

use crate::registry::fields::FieldsIn;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// An enterprise to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterpriseIn {
    /// Enterprise code (企业编码) of the own scheme: 2 to 12 digits and capitals without I, L, O, U.
    /// It never changes: codes are printed with it.
    pub code: String,
    /// Name (企业名称).
    pub name: String,
    /// GS1 company prefixes (厂商识别代码), 4 to 12 digits.
    #[serde(default)]
    pub gs1_prefixes: Vec<String>,
    /// What the standards ask of an enterprise, by catalogue path.
    #[serde(default)]
    pub fields: FieldsIn,
}

/// What an enterprise says of itself from a day on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterpriseVersionIn {
    /// Name.
    pub name: String,
    /// In force from this day (`YYYY-MM-DD`); goods made before show the version before.
    pub valid_from: String,
    /// All fields, not only those that changed.
    pub fields: FieldsIn,
}

/// An enterprise with its newest version.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EnterpriseOut {
    /// Id.
    pub id: Uuid,
    /// Enterprise code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Company prefixes.
    pub gs1_prefixes: Vec<String>,
    /// Newest version.
    pub version: i64,
    /// In force from.
    pub valid_from: String,
    /// Fields by catalogue path.
    #[schema(value_type = Object)]
    pub fields: serde_json::Value,
}
