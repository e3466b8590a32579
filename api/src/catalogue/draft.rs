//! A catalogue file as it is written, before it is resolved.
//!
//! Every key is named here and an unknown one is an error, so that a misspelt mark cannot
//! silently make an item optional. Must not know other files or profiles (`resolve` does).

use serde::Deserialize;

use super::field::{Field, Modality, Origin, Process, RecordType};
use super::model::{Category, PublicView, RetentionBasis};

/// One catalogue file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    pub(super) profile: ProfileDraft,
    #[serde(default)]
    pub(super) category: Vec<Category>,
    pub(super) public_view: Option<PublicView>,
    pub(super) shared_view: Option<PublicView>,
    #[serde(default)]
    pub(super) record_type: Vec<RecordDraft>,
}

/// The head of a file. Only `id`: the file adds to a profile defined elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileDraft {
    pub(super) id: String,
    pub(super) extends: Option<String>,
    pub(super) title_zh: Option<String>,
    pub(super) title_en: Option<String>,
    pub(super) source: Option<String>,
    pub(super) product_scope: Option<String>,
    pub(super) marks_mandatory_items: Option<bool>,
    pub(super) unmarked_items_required: Option<bool>,
    pub(super) retention_rule: Option<String>,
    pub(super) retention_basis: Option<RetentionBasis>,
    pub(super) retention_plus_months: Option<u32>,
    pub(super) retention_clause: Option<String>,
    // For the reader of the file; nothing is decided by them.
    appendix: Option<String>,
    appendix_kind: Option<String>,
    merge_rule: Option<String>,
    processes: Option<Vec<String>>,
    code_structure: Option<Vec<String>>,
    code_standard: Option<String>,
    mark_carriers: Option<Vec<String>>,
    mark_standard: Option<String>,
    mark_content_minimum: Option<Vec<String>>,
}

impl ProfileDraft {
    /// Whether nothing but the id is given.
    pub(super) fn only_names(&self) -> bool {
        let bare = ProfileDraft {
            id: self.id.clone(),
            ..ProfileDraft::default()
        };
        *self == bare
    }
}

/// A record type as written: whole, or only the parts that change one defined elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordDraft {
    pub(super) id: String,
    /// `profile.record_type` of the base profile.
    pub(super) extends: Option<String>,
    pub(super) title_zh: Option<String>,
    pub(super) title_en: Option<String>,
    pub(super) clause: Option<String>,
    pub(super) origin: Option<Origin>,
    pub(super) table: Option<String>,
    pub(super) row: Option<u16>,
    pub(super) also_rows: Option<Vec<String>>,
    pub(super) subject: Option<String>,
    pub(super) process: Option<Process>,
    pub(super) modality: Option<Modality>,
    pub(super) condition: Option<String>,
    pub(super) collection: Option<Collection>,
    pub(super) open_list: Option<bool>,
    pub(super) repeats: Option<bool>,
    #[serde(default)]
    pub(super) field: Vec<Field>,
}

/// How a table marks its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Collection {
    /// Not at all.
    Unmarked,
}

impl RecordDraft {
    /// Whether only fields are given.
    pub(super) fn only_fields(&self) -> bool {
        let bare = RecordDraft {
            id: self.id.clone(),
            field: self.field.clone(),
            ..RecordDraft::default()
        };
        *self == bare
    }

    /// The whole record type; what an installation may leave out has a default. `Err` names a
    /// key that is missing.
    pub(super) fn complete(self) -> Result<RecordType, &'static str> {
        Ok(RecordType {
            id: self.id,
            title_zh: self.title_zh.ok_or("title_zh")?,
            title_en: self.title_en.ok_or("title_en")?,
            clause: self.clause,
            origin: self.origin,
            table: self.table,
            row: self.row,
            also_rows: self.also_rows.unwrap_or_default(),
            subject: self.subject.ok_or("subject")?,
            process: self.process.unwrap_or(Process::Both),
            modality: self.modality.unwrap_or(Modality::May),
            condition: self.condition,
            unmarked: self.collection.is_some(),
            open_list: self.open_list.unwrap_or(false),
            repeats: self.repeats.unwrap_or(false),
            fields: self.field,
        })
    }

    /// Lays this over the record type it extends: what is given here wins, a field here replaces
    /// the field of the same name, fields not listed stay.
    pub(super) fn over(self, base: RecordType) -> RecordType {
        let mut fields = base.fields;
        for field in self.field {
            match fields.iter_mut().find(|known| known.name == field.name) {
                Some(known) => *known = field,
                None => fields.push(field),
            }
        }
        RecordType {
            id: base.id,
            title_zh: self.title_zh.unwrap_or(base.title_zh),
            title_en: self.title_en.unwrap_or(base.title_en),
            clause: self.clause.or(base.clause),
            origin: self.origin.or(base.origin),
            table: self.table.or(base.table),
            row: self.row.or(base.row),
            also_rows: self.also_rows.unwrap_or(base.also_rows),
            subject: self.subject.unwrap_or(base.subject),
            process: self.process.unwrap_or(base.process),
            modality: self.modality.unwrap_or(base.modality),
            condition: self.condition.or(base.condition),
            unmarked: self.collection.is_some() || base.unmarked,
            open_list: self.open_list.unwrap_or(base.open_list),
            repeats: self.repeats.unwrap_or(base.repeats),
            fields,
        }
    }
}
