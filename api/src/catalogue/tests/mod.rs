//! Tests of the catalogue as its users see it, over the standards the program ships with.
//!
//! Must not hold data of a plausible product beyond what a test needs; the small world of the
//! demonstration is made elsewhere.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::*;

mod answers;
mod checks;
mod data_types;
mod folder;
mod publication;
mod standards;

pub(super) const PROFILES: [&str; 3] = ["infant-formula", "maternal-baby", "maternal-baby-care"];

pub(super) fn built_in() -> &'static Catalogue {
    static READ_ONCE: OnceLock<Catalogue> = OnceLock::new();
    READ_ONCE.get_or_init(|| Catalogue::built_in().expect("the standards"))
}

pub(super) fn profile(id: &str) -> Profile {
    built_in().profile(id).expect(id).clone()
}

/// Owned values of all four sources.
#[derive(Default, Clone)]
pub(super) struct World {
    pub enterprise: Values,
    pub plant: Values,
    pub product: Values,
    pub batch: Values,
}

impl World {
    /// Every part of every required row of the public table, each with a value of its own.
    pub fn complete(profile: &Profile) -> World {
        let mut world = World::default();
        for row in profile.public_view.fields.iter().filter(|row| row.required) {
            for path in &row.from {
                let key = path.to_string();
                let field = profile.field(&key).expect(&key);
                if let Some(values) = world.home(profile, &key) {
                    values.insert(key.clone(), sample(field.kind, &key));
                }
            }
        }
        world
    }

    pub fn home(&mut self, profile: &Profile, path: &str) -> Option<&mut Values> {
        match profile.home(path).expect(path) {
            Home::Enterprise => Some(&mut self.enterprise),
            Home::Product => Some(&mut self.product),
            Home::Batch => Some(&mut self.batch),
            Home::Unit => None,
        }
    }

    pub fn sources(&self) -> PublicSources<'_> {
        PublicSources {
            enterprise: &self.enterprise,
            plant: &self.plant,
            product: &self.product,
            batch: &self.batch,
        }
    }
}

pub(super) fn sample(kind: FieldType, path: &str) -> Value {
    match kind {
        FieldType::Date if path.ends_with("expiry_date") => json!("2027-04-16"),
        FieldType::Date if path.ends_with("_valid_until") => json!("2029-12-31"),
        FieldType::Date => json!("2025-04-16"),
        FieldType::Datetime => json!("2025-04-16T08:00:00+08:00"),
        FieldType::Quantity => json!({"value": "400", "unit": "g"}),
        FieldType::Number => json!(7),
        FieldType::List => json!(["one", "two"]),
        FieldType::File => json!("a1".repeat(32)),
        _ => json!(format!("text of {path}")),
    }
}

pub(super) fn values(pairs: &[(&str, Value)]) -> Values {
    pairs
        .iter()
        .map(|(path, value)| ((*path).to_owned(), value.clone()))
        .collect()
}

pub(super) fn item<'a>(items: &'a [PublicItem], name: &str) -> Option<&'a PublicItem> {
    items.iter().find(|item| item.name == name)
}

/// The text of a row, or what it is instead.
pub(super) fn shown(items: &[PublicItem], name: &str) -> String {
    match item(items, name).map(|item| &item.value) {
        Some(PublicValue::Text(text)) => text.clone(),
        other => format!("{other:?}"),
    }
}
