//! Judges and prints one value of a data type 数据类型.
//!
//! `problem` says whether a value may be stored; `texts` gives what of it can be shown, and never
//! fails, since a value may have been stored under an older catalogue. Must not know where values
//! are kept or which row of a table they fill.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::check::FaultCode;
use super::field::FieldType;

/// Most characters of a `text`.
pub const TEXT_CHARS_MAX: usize = 500;
/// Most characters of a `long_text`.
pub const LONG_TEXT_CHARS_MAX: usize = 20_000;
/// Most characters of a `code`.
pub const CODE_CHARS_MAX: usize = 200;
/// Most characters of a number, and of the number of a quantity.
pub const NUMBER_CHARS_MAX: usize = 40;
/// Most characters of a unit of measure.
pub const UNIT_CHARS_MAX: usize = 32;
/// Most entries of a `list`, or of a value with one entry per record.
pub const ENTRIES_MAX: usize = 200;
/// Most files of one `file` value.
pub const FILES_MAX: usize = 20;

/// What is wrong with `value` as one of `kind`, if anything.
///
/// With `repeats` an array holds one entry per record, and null stands for a record without one.
pub(super) fn problem(kind: FieldType, repeats: bool, value: &Value) -> Option<FaultCode> {
    let Value::Array(entries) = value else {
        return match (kind, value) {
            (_, Value::Null) => Some(FaultCode::Empty),
            (FieldType::List, _) => Some(FaultCode::WrongType),
            _ => single(kind, value),
        };
    };
    let (most, entry_kind) = match kind {
        FieldType::List => (ENTRIES_MAX, FieldType::Text),
        _ if repeats => (ENTRIES_MAX, kind),
        FieldType::File => (FILES_MAX, kind),
        _ => return Some(FaultCode::WrongType),
    };
    if entries.len() > most {
        return Some(FaultCode::TooMany);
    }
    let gaps_allowed = repeats && kind != FieldType::List;
    if !entries.iter().any(|entry| !entry.is_null()) {
        return Some(FaultCode::Empty);
    }
    entries
        .iter()
        .filter(|entry| !(gaps_allowed && entry.is_null()))
        .find_map(|entry| single(entry_kind, entry))
}

fn single(kind: FieldType, value: &Value) -> Option<FaultCode> {
    match (kind, value) {
        (FieldType::Quantity, Value::Object(_)) => quantity_object(value),
        (FieldType::Number, Value::Number(number)) if !number.is_f64() => None,
        (FieldType::List | FieldType::TextOrFile, _) => Some(FaultCode::WrongType),
        (_, Value::Null) => Some(FaultCode::Empty),
        (_, Value::String(text)) => string(kind, text),
        _ => Some(FaultCode::WrongType),
    }
}

fn string(kind: FieldType, text: &str) -> Option<FaultCode> {
    let chars_max = match kind {
        FieldType::LongText => LONG_TEXT_CHARS_MAX,
        FieldType::Code => CODE_CHARS_MAX,
        FieldType::Number => NUMBER_CHARS_MAX,
        _ => TEXT_CHARS_MAX,
    };
    if text.trim().is_empty() {
        return Some(FaultCode::Empty);
    }
    if text.chars().count() > chars_max {
        return Some(FaultCode::TooLong);
    }
    let lines = kind == FieldType::LongText;
    if text
        .chars()
        .any(|c| hidden(c) && !(lines && "\n\r\t".contains(c)))
    {
        return Some(FaultCode::HiddenCharacter);
    }
    let (right, otherwise) = match kind {
        FieldType::Code => (text.trim() == text, FaultCode::BadCode),
        FieldType::Date => (date(text).is_some(), FaultCode::BadDate),
        FieldType::Datetime => (is_rfc3339(text), FaultCode::BadDatetime),
        FieldType::Quantity => (is_quantity(text), FaultCode::BadQuantity),
        FieldType::Number => (is_decimal(text, true), FaultCode::BadNumber),
        FieldType::File => (is_file_hash(text), FaultCode::BadFileHash),
        _ => return None,
    };
    (!right).then_some(otherwise)
}

/// Control characters, and those that turn the direction of what follows: neither is text, and
/// the latter make a public answer read other than it was written.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A day exactly as `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Option<Date> {
    has_shape(text, "0000-00-00").then(|| text.parse().ok())?
}

/// RFC 3339: date, `T`, time with seconds, and `Z` or an offset.
fn is_rfc3339(text: &str) -> bool {
    let Some((head, tail)) = text.split_at_checked(19) else {
        return false;
    };
    let (fraction, zone) = match tail.find(['Z', '+', '-']) {
        Some(at) => tail.split_at(at),
        None => return false,
    };
    let fraction_is_right = fraction.is_empty()
        || fraction
            .strip_prefix('.')
            .is_some_and(|digits| (1..=9).contains(&digits.len()) && all_digits(digits));
    has_shape(head, "0000-00-00T00:00:00")
        && fraction_is_right
        && (zone == "Z" || has_shape(zone, "+00:00") || has_shape(zone, "-00:00"))
        && text.parse::<Timestamp>().is_ok()
}

/// Like `shape`, where `0` stands for any digit.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(is, want)| {
            if want == b'0' {
                is.is_ascii_digit()
            } else {
                is == want
            }
        })
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_decimal(text: &str, signed: bool) -> bool {
    let digits = match text.strip_prefix('-') {
        Some(rest) if signed => rest,
        _ => text,
    };
    match digits.split_once('.') {
        Some((whole, part)) => all_digits(whole) && all_digits(part),
        None => all_digits(digits),
    }
}

/// A number and something after it: `400 g`, `30片×8包`.
fn is_quantity(text: &str) -> bool {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    is_decimal(number, false) && !unit.trim().is_empty()
}

fn quantity_object(value: &Value) -> Option<FaultCode> {
    let right = match (value.get("value"), value.get("unit"), value.as_object()) {
        (Some(amount), Some(Value::String(unit)), Some(object)) if object.len() == 2 => {
            let amount_is_right = match amount {
                Value::Number(number) => number.is_u64(),
                Value::String(text) => text.len() <= NUMBER_CHARS_MAX && is_decimal(text, false),
                _ => false,
            };
            amount_is_right
                && !unit.trim().is_empty()
                && unit.chars().count() <= UNIT_CHARS_MAX
                && !unit.chars().any(hidden)
        }
        _ => false,
    };
    (!right).then_some(FaultCode::BadQuantity)
}

/// The lower-case hexadecimal SHA-256 of a file.
pub(super) fn is_file_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// What of a value can be shown, one text per entry: dates as ISO, quantities as `400 g`, nothing
/// for what is empty. Of a file only a well-formed hash.
pub(super) fn texts(kind: FieldType, value: &Value) -> Vec<String> {
    match value {
        Value::Array(entries) => entries
            .iter()
            .filter_map(|entry| text(kind, entry))
            .collect(),
        _ => text(kind, value).into_iter().collect(),
    }
}

/// The one text of a value that is not an array.
pub(super) fn text(kind: FieldType, value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Object(_) => {
            let amount = text(kind, value.get("value")?)?;
            let unit = value.get("unit")?.as_str()?.trim();
            format!("{amount} {unit}").trim_end().to_owned()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) => return None,
    };
    (!text.is_empty() && (kind != FieldType::File || is_file_hash(&text))).then_some(text)
}
