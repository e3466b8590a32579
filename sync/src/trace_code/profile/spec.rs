//! How a profile is written down, and what is refused in it: whatever could be read in two ways.

use serde::Deserialize;

use super::{Characters, CheckRule, CodeProfile, CodeProfiles, Field};
use crate::trace_code::text::Text;
use crate::trace_code::value::MAX_VALUE;

/// The most fields of a profile, and the most profiles.
const MAX_FIELDS: usize = 16;

/// A profile as it is written down. Unknown keys are refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spec {
    name: String,
    fields: Vec<FieldSpec>,
    #[serde(default)]
    check: CheckRule,
    #[serde(default)]
    capitals: bool,
    #[serde(default)]
    grouping: String,
}

/// A field as it is written down: either `text`, or `characters` with `min` and `max`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldSpec {
    text: Option<String>,
    characters: Option<Characters>,
    min: Option<usize>,
    max: Option<usize>,
    #[serde(default)]
    issuer: bool,
}

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The name is no name.
    #[error(
        "code profile {0:?}: a name is 2 to 24 small letters, digits and hyphens, begins with a \
         letter, and is not that of an address (http, https, urn)"
    )]
    Name(String),
    /// Two profiles have one name, or there are too many.
    #[error("code profile {0:?}: at most 16 profiles, each with its own name")]
    Twice(String),
    /// A field is neither text nor run, or its bounds make no sense.
    #[error(
        "code profile {0:?}: a field has either text, or characters with 1 ≤ max, min ≤ max; \
         1 to 16 fields with 90 characters at most"
    )]
    Field(String),
    /// A run could swallow what follows it.
    #[error(
        "code profile {0:?}: a run whose min is not its max must be the last field, or be followed \
         by a text whose first character it cannot hold"
    )]
    Ambiguous(String),
    /// The issuer's fields do not stand together.
    #[error("code profile {0:?}: the fields of the issuer must stand side by side")]
    Issuer(String),
    /// A check digit where there are no digits.
    #[error("code profile {0:?}: this check rule needs digits in all fields")]
    Check(String),
}

impl TryFrom<Spec> for CodeProfile {
    type Error = ProfileError;

    fn try_from(spec: Spec) -> Result<Self, ProfileError> {
        let name = spec.name;
        let fields: Option<Vec<Field>> = spec.fields.iter().map(field).collect();
        let fields = fields
            .filter(|fields| (1..=MAX_FIELDS).contains(&fields.len()))
            .filter(|fields| fields.iter().map(longest).sum::<usize>() <= MAX_VALUE)
            .ok_or_else(|| ProfileError::Field(name.clone()))?;
        if !fields
            .iter()
            .enumerate()
            .all(|(at, field)| ends(field, fields.get(at + 1)))
        {
            return Err(ProfileError::Ambiguous(name));
        }
        let issuer: Vec<usize> = (0..spec.fields.len())
            .filter(|&at| spec.fields.get(at).is_some_and(|field| field.issuer))
            .collect();
        let issuer = match (issuer.first(), issuer.last()) {
            (Some(&first), Some(&last)) if last - first + 1 == issuer.len() => (first, last + 1),
            (None, None) => (0, 0),
            _ => return Err(ProfileError::Issuer(name)),
        };
        let digits = |field: &Field| match field {
            Field::Text(text) => text.bytes().all(|byte| byte.is_ascii_digit()),
            Field::Run(characters, ..) => *characters == Characters::Digits,
        };
        if spec.check != CheckRule::None && !fields.iter().all(digits) {
            return Err(ProfileError::Check(name));
        }
        Ok(Self {
            name: named(&name).ok_or(ProfileError::Name(name))?,
            fields,
            issuer,
            check: spec.check,
            capitals: spec.capitals,
            grouping: spec.grouping,
        })
    }
}

fn named(name: &str) -> Option<Text<24>> {
    let legal = name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !matches!(name, "http" | "https" | "urn");
    legal.then(|| Text::new(name))?
}

fn field(spec: &FieldSpec) -> Option<Field> {
    match (&spec.text, spec.characters, spec.min, spec.max) {
        (Some(text), None, None, None) => {
            let visible = !text.is_empty() && text.chars().all(|c| Characters::Visible.holds(c));
            visible.then(|| Field::Text(text.clone()))
        }
        (None, Some(characters), Some(min), Some(max)) => {
            (max >= 1 && min <= max).then_some(Field::Run(characters, min, max))
        }
        _ => None,
    }
}

fn longest(field: &Field) -> usize {
    match field {
        Field::Text(text) => text.chars().count(),
        Field::Run(_, _, max) => *max,
    }
}

/// Whether it is certain where a field ends before the `next` one.
fn ends(field: &Field, next: Option<&Field>) -> bool {
    match (field, next) {
        (Field::Run(_, min, max), _) if min == max => true,
        (Field::Run(characters, ..), Some(Field::Text(text))) => {
            !text.starts_with(|c| characters.holds(c))
        }
        (Field::Run(..), Some(Field::Run(..))) => false,
        (Field::Text(_), _) | (Field::Run(..), None) => true,
    }
}

impl TryFrom<Vec<CodeProfile>> for CodeProfiles {
    type Error = ProfileError;

    fn try_from(profiles: Vec<CodeProfile>) -> Result<Self, ProfileError> {
        let again = profiles.iter().enumerate().find(|(at, profile)| {
            let before = profiles.iter().take(*at);
            *at >= MAX_FIELDS || before.into_iter().any(|other| other.name == profile.name)
        });
        match again {
            Some((_, profile)) => Err(ProfileError::Twice(profile.name.to_string())),
            None => Ok(Self(profiles)),
        }
    }
}
