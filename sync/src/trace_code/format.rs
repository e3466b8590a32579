//! Formats of values: what an application identifier says about length, characters and content.
//!
//! A format is a sequence of parts, as in the GS1 syntax dictionary (`N13,csum [X..17]`). It
//! judges one value at a time and knows neither other identifiers nor forms.

use super::charset::Charset;
use super::digits::{check_digit_of, check_pair_of};
use super::error::{CodeError, CodeFault};
use super::value::Value;

/// One component of a format.
#[derive(Clone, Copy)]
pub(super) struct Part {
    charset: Charset,
    min: usize,
    max: usize,
    optional: bool,
    rule: Rule,
}

/// What a component must satisfy beyond length and characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nothing more.
    Any,
    /// The last digit is the check digit of those before it.
    CheckDigit,
    /// Begins with the digits of a company prefix and ends with its check character pair.
    CheckPair,
    /// Begins with the four digits every company prefix has at least.
    CompanyPrefix,
    /// `YYMMDD`, where day 00 means the last day of the month.
    DateOrMonth,
    /// `YYMMDD`.
    Date,
    /// `YYYYMMDD`.
    LongDate,
    /// `HHMM`.
    HourMinute,
    /// `HH`.
    Hour,
    /// Minutes or seconds.
    Sixty,
    /// Only zeros.
    Zero,
    /// Not only zeros.
    NonZero,
    /// Does not begin with zero.
    NoLeadingZero,
    /// Two digits of a piece, two of the total, 01 ≤ piece ≤ total.
    PieceOfTotal,
    /// The one character of an importer index.
    ImporterIndex,
    /// 0 or 1.
    YesNo,
    /// A minus sign.
    Hyphen,
}

impl Part {
    const fn exactly(charset: Charset, len: usize) -> Self {
        Self::between(charset, len, len)
    }

    const fn between(charset: Charset, min: usize, max: usize) -> Self {
        Self {
            charset,
            min,
            max,
            optional: false,
            rule: Rule::Any,
        }
    }

    /// The same component, which may be absent.
    pub(super) const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The same component, which must satisfy `rule`.
    pub(super) const fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }
}

/// `N` and a length: exactly `len` digits.
pub(super) const fn n(len: usize) -> Part {
    Part::exactly(Charset::Digits, len)
}

/// `N..`: one to `max` digits.
pub(super) const fn n_to(max: usize) -> Part {
    Part::between(Charset::Digits, 1, max)
}

/// `X` and a length: exactly `len` characters of CSET 82.
pub(super) const fn x(len: usize) -> Part {
    Part::exactly(Charset::Cset82, len)
}

/// `X..`: one to `max` characters of CSET 82.
pub(super) const fn x_to(max: usize) -> Part {
    Part::between(Charset::Cset82, 1, max)
}

/// `Y..`: one to `max` characters of CSET 39.
pub(super) const fn y_to(max: usize) -> Part {
    Part::between(Charset::Cset39, 1, max)
}

/// `Z..`: one to `max` characters of base64url.
pub(super) const fn z_to(max: usize) -> Part {
    Part::between(Charset::Base64Url, 1, max)
}

/// The length of the longest value of a format.
pub(super) fn longest(parts: &[Part]) -> usize {
    parts.iter().map(|part| part.max).sum()
}

/// Refuses a value that does not have the given format.
pub(super) fn check(parts: &[Part], value: &Value) -> Result<(), CodeError> {
    let bytes = value.bytes();
    if bytes.is_empty() {
        return Err(value.fault(CodeFault::MissingValue));
    }
    let mut start = 0;
    for part in parts {
        let rest = bytes.get(start..).unwrap_or_default();
        if rest.is_empty() && part.optional {
            break;
        }
        let taken = rest.get(..rest.len().min(part.max)).unwrap_or_default();
        if let Some(index) = taken.iter().position(|&byte| !part.charset.holds(byte)) {
            let fault = match part.charset {
                Charset::Digits => CodeFault::BadDigit,
                _ => CodeFault::BadCharacter,
            };
            return Err(value.fault_at(start + index, fault));
        }
        if taken.len() < part.min {
            return Err(value.fault(CodeFault::BadLength));
        }
        if let Err((index, fault)) = satisfies(part.rule, taken) {
            return Err(value.fault_at(start + index, fault));
        }
        start += taken.len();
    }
    if start < bytes.len() {
        return Err(value.fault(CodeFault::BadLength));
    }
    // Any normaliser of addresses would swallow such a value, so no form may carry it.
    if matches!(bytes, b"." | b"..") {
        return Err(value.fault(CodeFault::DotSegment));
    }
    Ok(())
}

/// Whether the characters of one component satisfy its rule; if not, which one does not and why.
fn satisfies(rule: Rule, bytes: &[u8]) -> Result<(), (usize, CodeFault)> {
    let check = |holds: bool, fault| if holds { Ok(()) } else { Err((0, fault)) };
    match rule {
        Rule::Any => Ok(()),
        Rule::CheckDigit => {
            let (check, data) = bytes.split_last().unwrap_or((&0, &[]));
            match check_digit_of(data) {
                Some(digit) if digit + b'0' == *check => Ok(()),
                _ => Err((data.len(), CodeFault::BadCheckDigit)),
            }
        }
        Rule::CompanyPrefix => begins_with_company_prefix(bytes),
        Rule::CheckPair => {
            begins_with_company_prefix(bytes)?;
            let (data, pair) = bytes.split_at(bytes.len().saturating_sub(2));
            match check_pair_of(data) {
                Some(expected) if expected == *pair => Ok(()),
                _ => Err((data.len(), CodeFault::BadCheckCharacter)),
            }
        }
        Rule::DateOrMonth => check(is_date(bytes, true), CodeFault::BadDate),
        Rule::Date => check(is_date(bytes, false), CodeFault::BadDate),
        Rule::LongDate => check(is_long_date(bytes), CodeFault::BadDate),
        Rule::HourMinute => {
            let (hour, minute) = bytes.split_at(bytes.len().min(2));
            check(number(hour) < 24 && number(minute) < 60, CodeFault::BadDate)
        }
        Rule::Hour => check(number(bytes) < 24, CodeFault::BadDate),
        Rule::Sixty => check(number(bytes) < 60, CodeFault::BadDate),
        Rule::Zero => check(number(bytes) == 0, CodeFault::BadValue),
        Rule::NonZero => check(number(bytes) != 0, CodeFault::BadValue),
        Rule::NoLeadingZero => check(
            bytes.len() < 2 || bytes.first() != Some(&b'0'),
            CodeFault::BadValue,
        ),
        Rule::PieceOfTotal => {
            let (piece, total) = bytes.split_at(bytes.len().min(2));
            let (piece, total) = (number(piece), number(total));
            check(piece > 0 && piece <= total, CodeFault::BadValue)
        }
        Rule::ImporterIndex => check(
            bytes
                .iter()
                .all(|&b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            CodeFault::BadCharacter,
        ),
        Rule::YesNo => check(matches!(bytes, b"0" | b"1"), CodeFault::BadValue),
        Rule::Hyphen => check(bytes == b"-", CodeFault::BadCharacter),
    }
}

fn begins_with_company_prefix(bytes: &[u8]) -> Result<(), (usize, CodeFault)> {
    for index in 0..4 {
        match bytes.get(index) {
            None => return Err((0, CodeFault::BadLength)),
            Some(byte) if !byte.is_ascii_digit() => return Err((index, CodeFault::BadDigit)),
            Some(_) => {}
        }
    }
    Ok(())
}

/// `YYMMDD`. The century is left open, which is safe for February: of the years that a two-digit
/// 00 can stand for only 2000 is near, and it was a leap year.
fn is_date(bytes: &[u8], day_may_be_open: bool) -> bool {
    let &[y1, y2, m1, m2, d1, d2] = bytes else {
        return false;
    };
    let (month, day) = (number(&[m1, m2]), number(&[d1, d2]));
    let leap = number(&[y1, y2]).is_multiple_of(4);
    let last = days_in(month, leap);
    last > 0 && day <= last && (day > 0 || day_may_be_open)
}

fn is_long_date(bytes: &[u8]) -> bool {
    let &[y1, y2, y3, y4, m1, m2, d1, d2] = bytes else {
        return false;
    };
    let year = number(&[y1, y2, y3, y4]);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let day = number(&[d1, d2]);
    day > 0 && day <= days_in(number(&[m1, m2]), leap)
}

/// The days of a month, 0 when there is no such month.
const fn days_in(month: u64, leap: bool) -> u64 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// The number some digits stand for; their count is small, their being digits already checked.
fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum: u64, digit| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(digit.wrapping_sub(b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_exist_or_are_refused() {
        for good in ["260228", "280229", "000229", "261231", "260100"] {
            assert!(is_date(good.as_bytes(), true), "{good}");
        }
        for bad in ["260229", "260431", "261301", "260001", "260132", "26010"] {
            assert!(!is_date(bad.as_bytes(), true), "{bad}");
        }
        assert!(!is_date(b"260100", false));
        assert!(is_long_date(b"20000229") && !is_long_date(b"21000229"));
    }
}
