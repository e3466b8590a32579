//! The row of other information the enterprise publishes of its own will 企业自愿公开的其他信息.
//!
//! Unlike the other rows it holds any number of titled entries, of text or file. Must not know
//! the numbered rows, and never decides whether a product may be published.

use jiff::civil::Date;
use serde_json::Value;

use super::field::{FieldType, Level};
use super::model::{FieldPath, Profile, PublicField, Values};
use super::public::{PublicEntry, PublicSources, PublicValue, SEPARATOR};
use super::value::{date, text, texts};

impl Profile {
    /// A row of titled entries: those of the product, then those of the batch. A record with a
    /// `title` among the fields drawn on gives one entry per record, of its `title`, `value`,
    /// `attachment` and `valid_until`; any other field gives an entry under its own title.
    pub(super) fn voluntary(
        &self,
        row: &PublicField,
        values: &PublicSources<'_>,
        today: Option<Date>,
    ) -> Option<(Level, PublicValue)> {
        let titled = |path: &FieldPath| {
            row.from
                .iter()
                .any(|other| other.record == path.record && other.field == "title")
        };
        let mut entries = Vec::new();
        let mut level = Level::Class;
        for (held, held_level) in [(values.product, Level::Class), (values.batch, Level::Item)] {
            let before = entries.len();
            for path in &row.from {
                if !titled(path) {
                    entries.extend(self.own_entries(path, held));
                } else if path.field == "title" {
                    entries.extend(disclosures(row, &path.record, held, today));
                }
            }
            if entries.len() > before {
                level = held_level;
            }
        }
        (!entries.is_empty()).then_some((level, PublicValue::Entries(entries)))
    }

    fn own_entries(&self, path: &FieldPath, held: &Values) -> Vec<PublicEntry> {
        let key = path.to_string();
        let (Some(field), Some(value)) = (self.field(&key), held.get(&key)) else {
            return Vec::new();
        };
        let entry = |text, file| PublicEntry {
            title_zh: field.title_zh.clone(),
            title_en: field.title_en.clone(),
            text,
            file,
            valid_until: None,
        };
        let texts = texts(field.kind, value);
        if field.kind == FieldType::File {
            let files = texts.into_iter();
            return files.map(|hash| entry(None, Some(hash))).collect();
        }
        let text = (!texts.is_empty()).then(|| texts.join(SEPARATOR));
        text.into_iter()
            .map(|text| entry(Some(text), None))
            .collect()
    }
}

/// The records behind `record.title` and its companions, one entry each.
fn disclosures(
    row: &PublicField,
    record: &str,
    held: &Values,
    today: Option<Date>,
) -> Vec<PublicEntry> {
    let column = |field: &str| held.get(&format!("{record}.{field}"));
    let columns = [
        (column("title"), FieldType::Text),
        (column("value"), FieldType::LongText),
        (column("attachment"), FieldType::File),
        (column("valid_until"), FieldType::Text),
    ];
    let length = |(column, _): &(Option<&Value>, FieldType)| match column {
        None => 0,
        Some(Value::Array(entries)) => entries.len(),
        Some(_) => 1,
    };
    let records = columns.iter().map(length).max().unwrap_or(0);
    let entry = |i: usize| {
        let [title, body, file, until] = columns.map(|(column, kind)| match column? {
            Value::Array(entries) => text(kind, entries.get(i)?),
            single if i == 0 => text(kind, single),
            _ => None,
        });
        let valid_until = until.as_deref().and_then(date);
        let over = today
            .zip(valid_until)
            .is_some_and(|(today, last)| last < today);
        (!over && (title.is_some() || body.is_some() || file.is_some())).then(|| PublicEntry {
            title_zh: title.clone().unwrap_or_else(|| row.title_zh.clone()),
            title_en: title.unwrap_or_else(|| row.title_en.clone()),
            text: body,
            file,
            valid_until,
        })
    };
    (0..records).filter_map(entry).collect()
}
