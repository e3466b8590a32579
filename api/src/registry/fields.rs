//! Values as the standards name them: read from JSON without letting a key stand twice, checked
//! against the catalogue, written as text. Pure.

use super::RegistryError;
use crate::{
    catalogue::{Catalogue, FieldFault, Home, Profile, Values},
    free_text::{self, Lines},
    problem::FieldProblem,
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::Value;
use std::fmt;
use utoipa::ToSchema;

/// Values as sent: `{"record_type.field": value}`.
#[derive(Debug, Default, Clone, ToSchema)]
#[schema(value_type = Object)]
pub struct FieldsIn(pub Values);

impl<'de> Deserialize<'de> for FieldsIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FieldsIn, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = FieldsIn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of catalogue paths and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldsIn, A::Error> {
                let mut values = Values::new();
                while let Some((path, value)) = map.next_entry::<String, Value>()? {
                    if values.contains_key(&path) {
                        return Err(A::Error::custom(format!("duplicate field `{path}`")));
                    }
                    values.insert(path, value);
                }
                Ok(FieldsIn(values))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// Checks product or batch values against their profile.
pub fn check(profile: &Profile, home: Home, values: &Values) -> Result<(), RegistryError> {
    refuse(profile.check(home, values))
}

/// Checks values of an enterprise or plant, which may serve several profiles.
pub fn check_enterprise(catalogue: &Catalogue, values: &Values) -> Result<(), RegistryError> {
    refuse(catalogue.check_enterprise(values))
}

fn refuse(faults: Vec<FieldFault>) -> Result<(), RegistryError> {
    if faults.is_empty() {
        return Ok(());
    }
    Err(RegistryError::Fields(
        faults
            .into_iter()
            .map(|fault| FieldProblem {
                field: format!("fields/{}", fault.path),
                code: fault.code.as_str().replace('_', "-"),
                message: fault.message_en,
                message_zh: fault.message_zh,
            })
            .collect(),
    ))
}

/// The identity of a batch under the names the catalogue has for it, so that the public table
/// finds lot and dates where the standard prints them.
pub fn with_identity(
    profile: &Profile,
    mut values: Values,
    lot: &str,
    produced: &str,
    expiry: &str,
) -> Values {
    for path in identity_paths(profile) {
        let value = match path.rsplit('.').next() {
            Some("batch_no") => lot,
            Some("production_date") => produced,
            _ => expiry,
        };
        if !value.is_empty() {
            values.insert(path, Value::String(value.to_owned()));
        }
    }
    values
}

/// Paths whose values are given as lot and dates of the batch, not among its fields.
pub fn identity_paths(profile: &Profile) -> Vec<String> {
    let rows = profile.public_view.fields.iter();
    rows.flat_map(|row| &row.from)
        .filter(|path| {
            matches!(
                path.field.as_str(),
                "batch_no" | "production_date" | "expiry_date"
            )
        })
        .map(ToString::to_string)
        .filter(|path| profile.home(path) == Some(Home::Batch))
        .collect()
}

/// Is this one of 2 to `max` characters of the alphabet codes are printed in?
pub fn is_code(text: &str, max: usize) -> bool {
    let alphabet = |b: u8| b.is_ascii_digit() || (b.is_ascii_uppercase() && !b"ILOU".contains(&b));
    (2..=max).contains(&text.len())
        && text.bytes().all(|b| alphabet(b) || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

/// Refuses a code outside the alphabet.
pub fn check_code(field: &str, text: &str, max: usize) -> Result<(), RegistryError> {
    if is_code(text, max) {
        return Ok(());
    }
    Err(RegistryError::field(
        field,
        "malformed",
        "2 or more digits and capitals without I, L, O, U; '-' between groups",
        "至少 2 位数字或大写字母（不含 I、L、O、U），组间可用 -",
    ))
}

/// Refuses a name that is empty, too long, or does not show as it is.
pub fn check_name(field: &str, text: &str) -> Result<(), RegistryError> {
    free_text::check(field, text, 200, Lines::One)
        .map_err(|fault| RegistryError::Fields(vec![fault]))
}

/// Reads a civil date.
pub fn check_date(field: &str, text: &str) -> Result<jiff::civil::Date, RegistryError> {
    let shaped = text.len() == 10;
    text.parse().ok().filter(|_| shaped).ok_or_else(|| {
        RegistryError::field(
            field,
            "bad-date",
            "a date as YYYY-MM-DD",
            "日期格式为 YYYY-MM-DD",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let error = serde_json::from_str::<FieldsIn>(r#"{"a.b":1,"a.b":2}"#).unwrap_err();
        assert!(
            error.to_string().contains("duplicate field `a.b`"),
            "{error}"
        );
    }

    #[test]
    fn codes_keep_to_the_printed_alphabet() {
        for good in ["AB", "A1-B2", "0123456789"] {
            assert!(is_code(good, 12), "{good}");
        }
        for bad in ["A", "ab", "OIL", "-AB", "AB-", "A--B", "ABCDEFGHJKMNP"] {
            assert!(!is_code(bad, 12), "{bad}");
        }
    }

    #[test]
    fn the_identity_of_a_batch_lands_where_the_standards_print_it() {
        let catalogue = Catalogue::built_in().unwrap();
        let profile = catalogue.profile("infant-formula").unwrap();
        let values = with_identity(profile, Values::new(), "L1", "2026-01-02", "2027-01-02");
        assert_eq!(values["finished_product.batch_no"], "L1");
        assert_eq!(values["finished_product.production_date"], "2026-01-02");
        assert_eq!(values["finished_product.expiry_date"], "2027-01-02");
    }
}
