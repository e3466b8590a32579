//! Fills the public table 公开信息 (Table 8) from what is kept with enterprise, product and batch.
//!
//! Must not know units, status, recalls or languages of an answer: the numbered items are exactly
//! the printed ones (H28), in both languages at once.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::expiry_date;
use super::field::{FieldType, Level};
use super::model::{FieldPath, Home, Profile, PublicField, Values};
use super::value::{date, texts};

/// Stands between the parts of one printed row.
pub const SEPARATOR: &str = "；";

/// The values a public table is filled from.
#[derive(Debug, Clone, Copy)]
pub struct PublicSources<'a> {
    /// Values of the enterprise that owns the product 企业.
    pub enterprise: &'a Values,
    /// Values of the plant that made the batch 生产者; may be those of the owner, or empty (H27).
    pub plant: &'a Values,
    /// Values of the product version 品类.
    pub product: &'a Values,
    /// Values of the batch version 批次.
    pub batch: &'a Values,
}

/// One row of the public table with its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicItem {
    /// Printed number.
    pub no: u16,
    /// Stable name.
    pub name: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// `class`, `batch` or `item`.
    pub level: Level,
    /// The content.
    pub value: PublicValue,
    /// The GS1 link type it answers, if it answers one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_type: Option<String>,
}

/// What a row of the public table shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PublicValue {
    /// A text.
    Text(String),
    /// Files.
    Files(Vec<PublicFile>),
    /// What the enterprise publishes of its own will 企业自愿公开的其他信息.
    Entries(Vec<PublicEntry>),
    /// The place of the unit's own trace code, filled in per unit; `null` until then.
    TraceCode,
}

/// A file of a public row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicFile {
    /// SHA-256 in lower-case hexadecimal.
    pub hash: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
}

/// A titled piece of voluntary information.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicEntry {
    /// Chinese title; the enterprise's own words where it chose them.
    pub title_zh: String,
    /// English title; the same words where the enterprise chose them.
    pub title_en: String,
    /// The text, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// SHA-256 of the file, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The last day it is valid, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
}

impl Profile {
    /// The public table in printed order. Rows without content are left out: optional ones the
    /// enterprise does not publish, or anything before the gate is passed.
    ///
    /// Voluntary information keeps its `valid_until` and is shown whatever the day.
    pub fn public_info(&self, values: &PublicSources<'_>) -> Vec<PublicItem> {
        self.items(values, None)
    }

    /// The same without voluntary information whose `valid_until` lies before `today`.
    pub fn public_info_on(&self, values: &PublicSources<'_>, today: Date) -> Vec<PublicItem> {
        self.items(values, Some(today))
    }

    /// The expiry date 保质期到期日 of a batch: the one given, or production date plus shelf life.
    pub fn expiry(&self, batch: &Values) -> Option<Date> {
        let rows = self.public_view.fields.iter();
        rows.flat_map(|row| &row.from)
            .filter(|path| {
                self.home(&format!("{}.production_date", path.record)) == Some(Home::Batch)
            })
            .find_map(|path| expiry_in(batch, &path.record))
    }

    fn items(&self, values: &PublicSources<'_>, today: Option<Date>) -> Vec<PublicItem> {
        let rows = self.public_view.fields.iter();
        rows.filter_map(|row| {
            let (level, value) = self.row(row, values, today)?;
            Some(PublicItem {
                no: row.order,
                name: row.name.clone(),
                title_zh: row.title_zh.clone(),
                title_en: row.title_en.clone(),
                level,
                value,
                link_type: row.link_type.clone(),
            })
        })
        .collect()
    }

    /// The content of one row, and the level it has there; `None` when there is nothing to show.
    pub(super) fn row(
        &self,
        row: &PublicField,
        values: &PublicSources<'_>,
        today: Option<Date>,
    ) -> Option<(Level, PublicValue)> {
        if row.kind == FieldType::TextOrFile {
            return self.voluntary(row, values, today);
        }
        let mut parts: Vec<(&FieldPath, String)> = Vec::new();
        for path in &row.from {
            if self.home(&path.to_string()) == Some(Home::Unit) {
                return Some((row.level, PublicValue::TraceCode));
            }
            let texts = self.part(row, path, values);
            parts.extend(texts.into_iter().map(|text| (path, text)));
        }
        if parts.is_empty() {
            return None;
        }
        let value = if row.kind == FieldType::File {
            let mut files: Vec<PublicFile> = Vec::new();
            for (path, hash) in parts {
                if !files.iter().any(|file| file.hash == hash) {
                    files.push(self.file(row, path, hash));
                }
            }
            PublicValue::Files(files)
        } else {
            PublicValue::Text(joined(row, &parts))
        };
        Some((row.level, value))
    }

    /// The texts of one part of a row. What is printed per item about the maker comes from the
    /// plant when it has it, all else about an enterprise from the owner (H27).
    fn part(&self, row: &PublicField, path: &FieldPath, values: &PublicSources<'_>) -> Vec<String> {
        let key = path.to_string();
        let Some((slot, _, field)) = self.entry(&key) else {
            return Vec::new();
        };
        let held: &[&Values] = match slot.home {
            Some(Home::Enterprise) if row.level == Level::Item => {
                &[values.plant, values.enterprise]
            }
            Some(Home::Enterprise) => &[values.enterprise],
            Some(Home::Product) => &[values.product],
            Some(Home::Batch) => &[values.batch],
            Some(Home::Unit) | None => &[],
        };
        let found = held
            .iter()
            .filter_map(|held| held.get(&key))
            .map(|value| texts(field.kind, value))
            .find(|texts| !texts.is_empty());
        match found {
            Some(texts) => texts,
            None if path.field == "expiry_date" => {
                let expiry = held.iter().find_map(|held| expiry_in(held, &path.record));
                expiry.map(|day| day.to_string()).into_iter().collect()
            }
            None => Vec::new(),
        }
    }

    fn file(&self, row: &PublicField, path: &FieldPath, hash: String) -> PublicFile {
        let field = self.field(&path.to_string());
        PublicFile {
            hash,
            title_zh: field.map_or_else(|| row.title_zh.clone(), |field| field.title_zh.clone()),
            title_en: field.map_or_else(|| row.title_en.clone(), |field| field.title_en.clone()),
        }
    }
}

/// One text of all parts (H26); the two ends of a validity 有效期 as a range.
fn joined(row: &PublicField, parts: &[(&FieldPath, String)]) -> String {
    if let [from, until] = row.from.as_slice()
        && from.field.ends_with("_valid_from")
        && until.field.ends_with("_valid_until")
    {
        let day = |end: &FieldPath| {
            let found = parts.iter().find(|(path, _)| *path == end);
            found.map_or("", |(_, text)| text.as_str())
        };
        return format!("{} – {}", day(from), day(until)).trim().to_owned();
    }
    distinct(parts.iter().map(|(_, text)| text.as_str())).join(SEPARATOR)
}

/// Each text once, where it first stands.
fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

/// The expiry date among the values of one record: given, or production date plus shelf life.
fn expiry_in(values: &Values, record: &str) -> Option<Date> {
    let read = |field: &str| values.get(&format!("{record}.{field}"))?.as_str();
    read("expiry_date")
        .and_then(date)
        .or_else(|| expiry_date(read("production_date").and_then(date)?, read("shelf_life")?))
}
