//! Products as JSON.

use crate::{codes::MintProfile, registry::fields::FieldsIn};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A product to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductIn {
    /// Product code (企业内部产品编码), unique in the enterprise: 2 to 20 digits and capitals without
    /// I, L, O, U.
    pub code: String,
    /// Name for lists; what consumers see is the catalogue's product name.
    pub name: String,
    /// Catalogue profile, e.g. `infant-formula`; taken from `category` where that is given.
    pub profile: Option<String>,
    /// Category of Table A.1 of the maternal and baby standard.
    pub category: Option<String>,
    /// GTIN of the smallest saleable unit. Without one, codes are of the own scheme.
    pub gtin: Option<String>,
    /// GTIN of the case.
    pub case_gtin: Option<String>,
    /// How serials are minted: `alphanumeric` (default; 14 digits and capitals that tell a forgery,
    /// RFID: SGTIN-198) or `numeric` (11 digits that fit SGTIN-96; at most 10¹⁰ units a trade item,
    /// a guess is refused only because that unit does not exist). Needs a GTIN; cannot be changed.
    #[serde(default)]
    pub mint_profile: MintProfile,
    /// Class-level values by catalogue path.
    #[serde(default)]
    pub fields: FieldsIn,
}

/// Class-level values from a day on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductVersionIn {
    /// Name for lists.
    pub name: String,
    /// In force for goods made from this day on (`YYYY-MM-DD`).
    pub valid_from: String,
    /// All class-level values, not only those that changed.
    pub fields: FieldsIn,
}

/// A trade item: something codes are issued for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TradeItemOut {
    /// Code space, e.g. `01/06901234567892`.
    pub space: String,
    /// `item`, `case` or `pallet`.
    pub level: String,
    /// How its serials are minted.
    #[serde(default)]
    pub mint_profile: MintProfile,
}

/// A product with its newest version.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProductOut {
    /// Id.
    pub id: Uuid,
    /// Product code.
    pub code: String,
    /// Name for lists.
    pub name: String,
    /// Catalogue profile.
    pub profile: String,
    /// Category of Table A.1.
    pub category: Option<String>,
    /// What codes are issued for.
    pub trade_items: Vec<TradeItemOut>,
    /// Newest version.
    pub version: i64,
    /// In force for goods made from this day on.
    pub valid_from: String,
    /// Is the newest version public?
    pub published: bool,
    /// Class-level values by catalogue path.
    #[schema(value_type = Object)]
    pub fields: serde_json::Value,
}
