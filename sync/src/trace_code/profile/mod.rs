//! Code profiles (编码规则): codes of other national schemes, described as data
//! (差异化追溯标识, MB-5.3.2, IF-4.2).
//!
//! A profile is a row of fields, each a fixed text or a run of characters, read once from the
//! left: a run that may end early is followed by a text it cannot swallow, which
//! [`CodeProfile`] makes sure of when it is made, so that reading never goes back. No profile is
//! looked at before the forms of GS1 and our own scheme have refused a text.
//!
//! It must not know any scheme: those are configuration.

mod spec;

use serde::Deserialize;

use super::code::{Claims, Form, Scanned, TraceCode};
use super::digits::{check_digit_of, mod_11_10_of};
use super::error::{CodeError, CodeFault};
use super::scan::{self, parse};
use super::text::Text;
use super::value::Value;

pub use spec::ProfileError;

/// A code of another scheme that has a profile here.
///
/// Prints as `{profile}:{value}`, which [`CodeProfiles::parse`] reads back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfiledCode {
    /// The name of the profile.
    pub profile: Text<24>,
    /// The code in its canonical form.
    pub value: Text<90>,
    // Where the part that names the issuer begins and ends in the value.
    issuer: (u8, u8),
}

impl ProfiledCode {
    /// The part that names the issuer: the prefix of an industrial-internet identifier. Empty
    /// where the scheme has none.
    pub fn issuer(&self) -> &str {
        let (from, to) = self.issuer;
        self.value
            .as_str()
            .get(from.into()..to.into())
            .unwrap_or_default()
    }
}

/// Which characters a run holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Characters {
    /// 0 to 9.
    Digits,
    /// Digits and Latin letters.
    Alphanumeric,
    /// Anything that can be seen, of any script.
    Visible,
}

impl Characters {
    fn holds(self, c: char) -> bool {
        match self {
            Self::Digits => c.is_ascii_digit(),
            Self::Alphanumeric => c.is_ascii_alphanumeric(),
            Self::Visible => !c.is_control() && !c.is_whitespace(),
        }
    }
}

/// What protects a code against typing errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckRule {
    /// Nothing that is known.
    #[default]
    None,
    /// The last digit is the GS1 check digit of the digits before it.
    #[serde(rename = "gs1")]
    Gs1,
    /// The last digit is that of ISO 7064 MOD 11,10 (GB/T 17710).
    #[serde(rename = "mod-11-10")]
    Mod11x10,
}

/// A field of a code.
#[derive(Clone, Debug)]
enum Field {
    Text(String),
    Run(Characters, usize, usize),
}

/// One scheme of codes.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "spec::Spec")]
pub struct CodeProfile {
    name: Text<24>,
    fields: Vec<Field>,
    // Index of the first field of the issuer, and of the one behind the last.
    issuer: (usize, usize),
    check: CheckRule,
    capitals: bool,
    grouping: String,
}

impl CodeProfile {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The canonical form of `text`, which begins at byte `start` of what was given.
    fn canonical(&self, text: &str, start: usize) -> Result<Value, CodeError> {
        let mut value = Value::starting(start);
        for (offset, byte) in text.bytes().enumerate() {
            if self.grouping.as_bytes().contains(&byte) && byte.is_ascii() {
                continue;
            }
            let byte = if self.capitals {
                byte.to_ascii_uppercase()
            } else {
                byte
            };
            value.push(byte, start + offset)?;
        }
        Ok(value)
    }

    /// The code, if the fields fit.
    fn fit(&self, value: &Value) -> Result<ProfiledCode, CodeError> {
        let text: Text<90> = value.text().ok_or(value.fault(CodeFault::BadCharacter))?;
        let text = text.as_str();
        if text.is_empty() {
            return Err(value.fault(CodeFault::MissingValue));
        }
        let mut issuer = (0, 0);
        let mut at = 0;
        for (index, field) in self.fields.iter().enumerate() {
            if index == self.issuer.0 {
                issuer.0 = at;
            }
            let rest = text.get(at..).unwrap_or_default();
            at +=
                taken(field, rest).map_err(|(offset, fault)| refused(value, at + offset, fault))?;
            if index + 1 == self.issuer.1 {
                issuer.1 = at;
            }
        }
        if at < text.len() {
            // More of what the last field may hold, or something it may not.
            let next = text.get(at..).and_then(|rest| rest.chars().next());
            let fault = match (self.fields.last(), next) {
                (Some(Field::Run(characters, ..)), Some(c)) if !characters.holds(c) => {
                    CodeFault::BadCharacter
                }
                _ => CodeFault::BadLength,
            };
            return Err(refused(value, at, fault));
        }
        Ok(ProfiledCode {
            profile: self.name,
            value: Text::new(text).unwrap_or_default(),
            issuer: (issuer.0 as u8, issuer.1 as u8),
        })
    }

    /// Refuses a code whose check digit is wrong.
    fn check(&self, value: &Value) -> Result<(), CodeError> {
        let Some((&given, data)) = value.bytes().split_last() else {
            return Ok(());
        };
        let due = match self.check {
            CheckRule::None => return Ok(()),
            CheckRule::Gs1 => check_digit_of(data),
            CheckRule::Mod11x10 => mod_11_10_of(data),
        };
        if due.map(|digit| digit + b'0') == Some(given) {
            return Ok(());
        }
        Err(value.fault_at(data.len(), CodeFault::BadCheckDigit))
    }

    fn read(&self, text: &str, start: usize) -> Result<Scanned, CodeError> {
        let value = self.canonical(text, start)?;
        let code = self.fit(&value)?;
        self.check(&value)?;
        Ok(Scanned {
            code: TraceCode::Profiled(code),
            claims: Claims::default(),
            form: Form::Profile,
        })
    }

    fn fits(&self, text: &str) -> bool {
        self.canonical(text, 0)
            .is_ok_and(|value| self.fit(&value).is_ok())
    }
}

/// A fault of the byte `at` of a value, which may be the place just behind its end.
fn refused(value: &Value, at: usize, fault: CodeFault) -> CodeError {
    match at.checked_sub(1) {
        Some(before) if at >= value.bytes().len() => {
            CodeError::new(value.position(before) + 1, fault)
        }
        _ => value.fault_at(at, fault),
    }
}

/// The bytes a field takes of `rest`, or where in it what is wrong.
fn taken(field: &Field, rest: &str) -> Result<usize, (usize, CodeFault)> {
    match field {
        Field::Text(text) if rest.starts_with(text.as_str()) => Ok(text.len()),
        Field::Text(_) if rest.is_empty() => Err((0, CodeFault::MissingValue)),
        Field::Text(_) => Err((0, CodeFault::BadCharacter)),
        Field::Run(characters, min, max) => {
            let mut run = rest.char_indices().take(*max);
            let end = run
                .find(|(_, c)| !characters.holds(*c))
                .map(|(at, _)| at)
                .or_else(|| rest.char_indices().nth(*max).map(|(at, _)| at))
                .unwrap_or(rest.len());
            if rest.get(..end).unwrap_or_default().chars().count() >= *min {
                Ok(end)
            } else if end == rest.len() {
                Err((end, CodeFault::MissingValue))
            } else if *characters == Characters::Digits {
                Err((end, CodeFault::BadDigit))
            } else {
                Err((end, CodeFault::BadCharacter))
            }
        }
    }
}

/// The schemes an installation knows besides GS1 and its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Vec<CodeProfile>")]
pub struct CodeProfiles(Vec<CodeProfile>);

impl CodeProfiles {
    /// Reads any text that [`parse`] understands, and what it refuses by the profiles: the first
    /// one that fits. `{profile}:{code}` names a profile, also for a text that would otherwise be
    /// taken for something else.
    ///
    /// A text that fits none is refused as [`parse`] refuses it, and one that is longer than
    /// [`MAX_TEXT`](super::MAX_TEXT) whatever it fits.
    pub fn parse(&self, text: &str) -> Result<Scanned, CodeError> {
        scan::within_limit(text, 0)?;
        let inside = text.trim();
        let start = text.len() - text.trim_start().len();
        if let Some((name, rest)) = inside.split_once(':')
            && let Some(profile) = self.0.iter().find(|profile| *profile.name == *name)
        {
            return profile.read(rest, start + name.len() + 1);
        }
        parse(text).or_else(|error| {
            let fitting = self.0.iter().find(|profile| profile.fits(inside));
            fitting.map_or(Err(error), |profile| profile.read(inside, start))
        })
    }
}
