//! What was read from the standards: the catalogue, its profiles, their public tables.
//!
//! Holds what was read and answers look-ups. Must not know where the files came from (`load`),
//! how profiles are merged (`resolve`) or what makes a value right (`value`).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::field::{Field, FieldType, Level, RecordType};

/// Values of one home, keyed as in the catalogue: `record_type.field`.
pub type Values = BTreeMap<String, serde_json::Value>;

/// All profiles, each resolved against the one it extends.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pub(super) profiles: BTreeMap<String, Profile>,
    pub(super) categories: Vec<Category>,
}

impl Catalogue {
    /// The profile with this id.
    pub fn profile(&self, id: &str) -> Option<&Profile> {
        self.profiles.get(id)
    }

    /// All profiles, by id.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.values()
    }

    /// The product category 产品类别 (Table A.1) with this id.
    pub fn category(&self, id: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    /// All product categories in printed order.
    pub fn categories(&self) -> impl Iterator<Item = &Category> {
        self.categories.iter()
    }
}

/// A product category 产品类别 (Table A.1 of the maternal and baby standard).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Stable id, for example `infant-care`.
    pub id: String,
    /// Whom the products are for: `pregnant`, `postpartum`, `infant`.
    pub audience: String,
    /// The same in Chinese.
    pub audience_zh: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// The profile products of this category follow.
    pub profile: String,
    /// Examples as printed.
    #[serde(default)]
    pub examples_zh: Vec<String>,
    /// Where it is printed.
    pub source: Option<String>,
}

/// A standard, or an appendix of one that makes more items mandatory 必采.
#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    /// Stable id, for example `infant-formula`.
    pub id: String,
    /// The profile this one is built on.
    pub extends: Option<String>,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// The text the profile was taken from.
    pub source: Option<String>,
    /// Which products it is for.
    pub product_scope: Option<String>,
    /// Whether the standard marks mandatory items 必采 at all; if not, every item is asked for.
    pub marks_mandatory_items: bool,
    /// Whether items of tables without marks count as mandatory (the default reading).
    pub unmarked_items_required: bool,
    /// How long records are kept 保存期限.
    pub retention: Retention,
    /// What a consumer is shown 公开信息 (Table 8).
    pub public_view: PublicView,
    /// What is uploaded to the platform 共享信息 (Table 7), where the standard has it.
    pub shared_view: Option<PublicView>,
    /// The record types 记录类型 in printed order.
    pub record_types: Vec<RecordType>,
    #[serde(skip)]
    pub(super) index: BTreeMap<String, Slot>,
}

/// Where a field stands in a profile, and where its values are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) record: usize,
    pub(super) field: usize,
    pub(super) home: Option<Home>,
    /// The row may be filled per product or per batch (`item or class`).
    pub(super) either: bool,
}

impl Profile {
    /// The record type with this id.
    pub fn record_type(&self, id: &str) -> Option<&RecordType> {
        self.record_types.iter().find(|record| record.id == id)
    }

    /// The field at `record_type.field`.
    pub fn field(&self, path: &str) -> Option<&Field> {
        self.entry(path).map(|(_, _, field)| field)
    }

    /// Where the values of a field are kept; `None` when the field is unknown, belongs to records
    /// of its own (a delivery, a complaint …), or is personal data, which is never kept here.
    pub fn home(&self, path: &str) -> Option<Home> {
        self.index.get(path).and_then(|slot| slot.home)
    }

    /// All paths whose values are kept at `home`, in alphabetical order.
    pub fn paths(&self, home: Home) -> impl Iterator<Item = &str> {
        self.index
            .iter()
            .filter(move |(_, slot)| slot.home == Some(home))
            .map(|(path, _)| path.as_str())
    }

    pub(super) fn entry(&self, path: &str) -> Option<(Slot, &RecordType, &Field)> {
        let slot = *self.index.get(path)?;
        let record = self.record_types.get(slot.record)?;
        Some((slot, record, record.fields.get(slot.field)?))
    }
}

/// Where a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Home {
    /// The enterprise 企业 (or the plant) the record is about.
    Enterprise,
    /// A version of the product 品类.
    Product,
    /// A version of the batch 批次; what the standard prints per item is kept here too (H6).
    Batch,
    /// The unit 单品 itself: its trace code.
    Unit,
}

/// How long records are kept 保存期限.
#[derive(Debug, Clone, Serialize)]
pub struct Retention {
    /// The rule in words.
    pub rule: String,
    /// From which day on the months count.
    pub basis: RetentionBasis,
    /// Months after that day.
    pub plus_months: u32,
    /// Clause of the standard.
    pub clause: Option<String>,
}

/// The day a retention period starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionBasis {
    /// End of the shelf life 保质期.
    ShelfLifeEnd,
    /// End of the three-guarantees period 三包期.
    ThreeGuaranteesEnd,
}

/// A table of public (Table 8) or shared (Table 7) information.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicView {
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// Clause of the standard.
    pub clause: Option<String>,
    /// Number of the table.
    pub table: Option<String>,
    /// The rows in printed order.
    #[serde(rename(deserialize = "field"))]
    pub fields: Vec<PublicField>,
}

/// One printed row of a public or shared table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicField {
    /// Printed number, from 1.
    pub order: u16,
    /// Stable name.
    pub name: String,
    /// Chinese title as printed.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// Printed level 信息层级.
    pub level: Level,
    /// Printed level in Chinese.
    pub level_zh: Option<String>,
    /// Printed data type 数据类型.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Printed data type in Chinese.
    pub type_zh: Option<String>,
    /// Whether publication waits for it.
    pub required: bool,
    /// The sample printed in the table.
    pub sample: Option<String>,
    /// The fields the row draws on. Parts of one text, or alternatives: any one of them fills it.
    pub from: Vec<FieldPath>,
    /// How the row is filled, where that is not plain.
    pub note: Option<String>,
    /// Table and row, for example `T8-6`.
    pub source: Option<String>,
    /// The GS1 link type under which a resolver lists what the row shows.
    pub link_type: Option<String>,
}

/// `record_type.field`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FieldPath {
    /// Id of the record type.
    pub record: String,
    /// Name of the field.
    pub field: String,
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.record, self.field)
    }
}

impl From<FieldPath> for String {
    fn from(path: FieldPath) -> String {
        path.to_string()
    }
}

impl TryFrom<String> for FieldPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once('.') {
            Some((record, field)) if !record.is_empty() && !field.is_empty() => Ok(FieldPath {
                record: record.to_owned(),
                field: field.to_owned(),
            }),
            _ => Err(format!("`{text}` is not `record_type.field`")),
        }
    }
}
