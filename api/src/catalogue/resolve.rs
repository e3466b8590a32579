//! Makes profiles out of catalogue files: merges, adds, checks that nothing dangles.
//!
//! Must not know the file system or values; its input is parsed files, its output the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, RecordDraft};
use super::field::{FieldType, Visibility};
use super::home;
use super::load::CatalogueError;
use super::model::{Catalogue, Category, Profile, PublicView, Retention, RetentionBasis};

/// The catalogue of all files, in the order given.
pub(super) fn catalogue(files: Vec<(String, Draft)>) -> Result<Catalogue, CatalogueError> {
    let mut sources = Sources::default();
    let mut categories: Vec<(String, Category)> = Vec::new();
    for (file, mut draft) in files {
        check_names(&file, &draft)?;
        for category in std::mem::take(&mut draft.category) {
            if categories.iter().any(|(_, known)| known.id == category.id) {
                return Err(invalid(&file, format!("category `{}` twice", category.id)));
            }
            categories.push((file.clone(), category));
        }
        sources.sort_in(file, draft)?;
    }
    for (file, draft) in &sources.additions {
        let id = &draft.profile.id;
        if !sources.definitions.contains_key(id) {
            let reason = format!("adds to the profile `{id}`, which no file defines");
            return Err(invalid(file, reason));
        }
    }
    let mut profiles = BTreeMap::new();
    for id in sources.definitions.keys() {
        profiles.insert(id.clone(), sources.profile(id, &mut Vec::new())?);
    }
    for (file, category) in &categories {
        if !profiles.contains_key(&category.profile) {
            let reason = format!(
                "category `{}` names the unknown profile `{}`",
                category.id, category.profile
            );
            return Err(invalid(file, reason));
        }
    }
    Ok(Catalogue {
        profiles,
        categories: categories.into_iter().map(|(_, known)| known).collect(),
    })
}

fn invalid(file: &str, reason: impl Into<String>) -> CatalogueError {
    CatalogueError::Invalid {
        file: file.to_owned(),
        reason: reason.into(),
    }
}

/// Ids become keys of values, problem pointers and addresses: keep them plain.
fn check_names(file: &str, draft: &Draft) -> Result<(), CatalogueError> {
    let plain = |id: &str| {
        id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.len() <= 64
            && id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c))
    };
    let mut names = vec![draft.profile.id.as_str()];
    names.extend(draft.category.iter().map(|category| category.id.as_str()));
    let mut seen = BTreeSet::new();
    for record in &draft.record_type {
        names.push(&record.id);
        if !seen.insert(record.id.clone()) {
            return Err(invalid(file, format!("record type `{}` twice", record.id)));
        }
        for field in &record.field {
            names.push(&field.name);
            let path = format!("{}.{}", record.id, field.name);
            if field.kind == FieldType::TextOrFile {
                let reason =
                    format!("field `{path}`: only a row of a public table is of mixed type");
                return Err(invalid(file, reason));
            }
            if !seen.insert(path.clone()) {
                return Err(invalid(file, format!("field `{path}` twice")));
            }
        }
    }
    match names.into_iter().find(|name| !plain(name)) {
        Some(name) => Err(invalid(file, format!("`{name}` is not a plain name"))),
        None => Ok(()),
    }
}

/// All files by what they do.
#[derive(Default)]
struct Sources {
    definitions: BTreeMap<String, (String, Draft)>,
    additions: Vec<(String, Draft)>,
}

impl Sources {
    fn sort_in(&mut self, file: String, draft: Draft) -> Result<(), CatalogueError> {
        if draft.profile.only_names() {
            if draft.public_view.is_some() || draft.shared_view.is_some() {
                let reason = "a printed table cannot be added to; extend the profile instead";
                return Err(invalid(&file, reason));
            }
            self.additions.push((file, draft));
            return Ok(());
        }
        let id = draft.profile.id.clone();
        if self.definitions.contains_key(&id) {
            let reason = format!(
                "profile `{id}` is defined already; to add to it give only its `id` under [profile]"
            );
            return Err(invalid(&file, reason));
        }
        self.definitions.insert(id, (file, draft));
        Ok(())
    }

    /// The profile `id`: its base, its own file over it, then what other files add. `above` are
    /// the profiles being resolved right now.
    fn profile(&self, id: &str, above: &mut Vec<String>) -> Result<Profile, CatalogueError> {
        let Some((file, draft)) = self.definitions.get(id) else {
            return Err(invalid(id, "no file defines this profile"));
        };
        let head = draft.profile.clone();
        let base = match &head.extends {
            None => None,
            Some(base) if above.contains(base) || base == id => {
                return Err(invalid(file, format!("`{id}` extends itself")));
            }
            Some(base) if !self.definitions.contains_key(base) => {
                return Err(invalid(
                    file,
                    format!("extends the unknown profile `{base}`"),
                ));
            }
            Some(base) => {
                above.push(id.to_owned());
                Some(self.profile(base, above)?)
            }
        };
        let missing = |key: &str| invalid(file, format!("[profile] lacks `{key}`"));
        let base_retention = base.as_ref().map(|base| base.retention.clone());
        let retention = Retention {
            rule: head
                .retention_rule
                .or_else(|| base_retention.as_ref().map(|base| base.rule.clone()))
                .ok_or_else(|| missing("retention_rule"))?,
            basis: head
                .retention_basis
                .or_else(|| base_retention.as_ref().map(|base| base.basis))
                .unwrap_or(RetentionBasis::ShelfLifeEnd),
            plus_months: head
                .retention_plus_months
                .or_else(|| base_retention.as_ref().map(|base| base.plus_months))
                .unwrap_or(0),
            clause: head
                .retention_clause
                .or_else(|| base_retention.and_then(|base| base.clause)),
        };
        let mut profile = Profile {
            id: head.id,
            extends: head.extends,
            title_zh: head.title_zh.ok_or_else(|| missing("title_zh"))?,
            title_en: head.title_en.ok_or_else(|| missing("title_en"))?,
            source: head.source,
            product_scope: head
                .product_scope
                .or_else(|| base.as_ref().and_then(|base| base.product_scope.clone())),
            marks_mandatory_items: head
                .marks_mandatory_items
                .or_else(|| base.as_ref().map(|base| base.marks_mandatory_items))
                .unwrap_or(true),
            unmarked_items_required: head
                .unmarked_items_required
                .or_else(|| base.as_ref().map(|base| base.unmarked_items_required))
                .unwrap_or(false),
            retention,
            public_view: draft
                .public_view
                .clone()
                .or_else(|| base.as_ref().map(|base| base.public_view.clone()))
                .ok_or_else(|| invalid(file, "lacks [public_view]"))?,
            shared_view: draft
                .shared_view
                .clone()
                .or_else(|| base.as_ref().and_then(|base| base.shared_view.clone())),
            record_types: base.map(|base| base.record_types).unwrap_or_default(),
            index: BTreeMap::new(),
        };
        for record in &draft.record_type {
            define(&mut profile, record.clone()).map_err(|reason| invalid(file, reason))?;
        }
        for (file, draft) in &self.additions {
            if draft.profile.id == id {
                for record in &draft.record_type {
                    add(&mut profile, record.clone()).map_err(|reason| invalid(file, reason))?;
                }
            }
        }
        check_view(&profile, &profile.public_view).map_err(|reason| invalid(file, reason))?;
        if let Some(view) = &profile.shared_view {
            check_view(&profile, view).map_err(|reason| invalid(file, reason))?;
        }
        profile.index = home::index(&profile);
        Ok(profile)
    }
}

/// A record type of the profile's own file: new, or laid over the one it says it extends.
fn define(profile: &mut Profile, record: RecordDraft) -> Result<(), String> {
    let known = profile
        .record_types
        .iter_mut()
        .find(|known| known.id == record.id);
    let named = profile
        .extends
        .as_ref()
        .map(|base| format!("{base}.{}", record.id));
    match (known, &record.extends) {
        (Some(known), Some(extends)) if Some(extends) == named.as_ref() => {
            *known = record.over(known.clone());
            Ok(())
        }
        (None, None) => insert(profile, record),
        (Some(_), None) => Err(format!(
            "record type `{}` is in the base profile: say `extends`",
            record.id
        )),
        (_, Some(extends)) => Err(format!(
            "record type `{}` cannot extend `{extends}`",
            record.id
        )),
    }
}

/// A record type another file adds: new, or new fields of a known one.
fn add(profile: &mut Profile, record: RecordDraft) -> Result<(), String> {
    let known = profile
        .record_types
        .iter_mut()
        .find(|known| known.id == record.id);
    match known {
        None if record.extends.is_none() => insert(profile, record),
        Some(known) if record.only_fields() => {
            for field in record.field {
                if known.fields.iter().any(|old| old.name == field.name) {
                    return Err(format!(
                        "field `{}.{}` is there already",
                        known.id, field.name
                    ));
                }
                known.fields.push(field);
            }
            Ok(())
        }
        _ => Err(format!(
            "record type `{}`: only fields can be added to a known record type",
            record.id
        )),
    }
}

fn insert(profile: &mut Profile, record: RecordDraft) -> Result<(), String> {
    let id = record.id.clone();
    let record = record
        .complete()
        .map_err(|key| format!("record type `{id}` lacks `{key}`"))?;
    profile.record_types.push(record);
    Ok(())
}

/// Rows are numbered from 1 without gap and draw on fields that exist.
fn check_view(profile: &Profile, view: &PublicView) -> Result<(), String> {
    for (row, no) in view.fields.iter().zip(1_u16..) {
        if row.order != no {
            return Err(format!(
                "row `{}` has order {}, not {no}",
                row.name, row.order
            ));
        }
        if row.from.is_empty() {
            return Err(format!("row `{}` draws on nothing", row.name));
        }
        for path in &row.from {
            let field = profile
                .record_type(&path.record)
                .and_then(|record| record.fields.iter().find(|field| field.name == path.field));
            match field {
                None => {
                    return Err(format!(
                        "row `{}` draws on `{path}`: no such field",
                        row.name
                    ));
                }
                Some(field) if field.visibility == Visibility::RestrictedPersonal => {
                    return Err(format!(
                        "row `{}` draws on personal data `{path}`",
                        row.name
                    ));
                }
                Some(field)
                    if row.kind != FieldType::TextOrFile
                        && (field.kind == FieldType::File) != (row.kind == FieldType::File) =>
                {
                    return Err(format!(
                        "row `{}` and `{path}`: one is a file, the other is not",
                        row.name
                    ));
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}
