//! Decides for each field where its values are kept: with the enterprise, the product, the batch
//! or the unit.
//!
//! Must not know values, nor how they are stored there.

use std::collections::BTreeMap;

use super::field::{Field, Level, RecordType, Visibility};
use super::model::{Home, Profile, Slot};

/// Name of the field that is the unit's own trace code 追溯码, in every standard.
pub(super) const TRACE_CODE: &str = "traceability_code";

/// Every field of a profile by path.
pub(super) fn index(profile: &Profile) -> BTreeMap<String, Slot> {
    let mut index = BTreeMap::new();
    for (r, record) in profile.record_types.iter().enumerate() {
        for (f, field) in record.fields.iter().enumerate() {
            let row = profile.public_view.fields.iter().find(|row| {
                row.from
                    .iter()
                    .any(|path| path.record == record.id && path.field == field.name)
            });
            let slot = Slot {
                record: r,
                field: f,
                home: home(record, field, row.map(|row| row.level)),
                either: row.is_some_and(|row| row.level == Level::ItemOrClass),
            };
            index.insert(format!("{}.{}", record.id, field.name), slot);
        }
    }
    index
}

/// Where values of a field are kept.
///
/// The trace code is the unit's own. What is about an enterprise is kept there. What a public row
/// draws on follows the printed level of the row, whatever record it comes from (H4, H5, H6), so
/// that a product can be published before the records behind it are kept here. Of the rest,
/// records about a product or batch follow the field's level; all others are records of their own,
/// and personal data is never kept among the values of an enterprise, product or batch (H8).
fn home(record: &RecordType, field: &Field, row: Option<Level>) -> Option<Home> {
    if field.visibility == Visibility::RestrictedPersonal {
        return None;
    }
    if field.name == TRACE_CODE && row.is_some() {
        return Some(Home::Unit);
    }
    let by_level = match field.level {
        Level::Class => Home::Product,
        Level::Batch | Level::Item | Level::ItemOrClass => Home::Batch,
    };
    match (record.subject.as_str(), row) {
        ("enterprise", _) => Some(Home::Enterprise),
        (_, Some(Level::Class)) => Some(Home::Product),
        (_, Some(Level::Batch | Level::Item)) | ("batch", None) => Some(Home::Batch),
        (_, Some(Level::ItemOrClass)) | ("product", None) => Some(by_level),
        (_, None) => None,
    }
}
