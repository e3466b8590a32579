//! Our own scheme, for enterprises without a GS1 company prefix: `ENTERPRISE.INTERNAL`.
//!
//! Codes are typed by people, so they are written with 32 symbols only: the digits and the
//! capitals without I, L, O and U. A reader takes small letters for capitals, O for 0, and I and
//! L for 1. INTERNAL may be grouped with hyphens, and its last symbol checks the whole.
//!
//! # The check character
//!
//! The 32 symbols are the elements of the field GF(2⁵) with x⁵ + x² + 1 = 0, where the symbol of
//! value v is the polynomial whose coefficients are the bits of v. Over the sequence
//! *length of ENTERPRISE, symbols of ENTERPRISE, symbols of INTERNAL* with hyphens left out, the
//! sum of symbol times x^(distance from the right end) must be zero; the last symbol, at distance
//! zero, is chosen to make it so.
//!
//! - **Every wrong symbol is caught.** It changes the sum by (a − b)·xᵏ, and neither factor is 0.
//! - **Every exchange of neighbours is caught.** It changes the sum by (a − b)·(xᵏ⁺¹ − xᵏ), which
//!   is (a − b)·xᵏ·(x − 1), and no factor is 0. This includes the check character itself and the
//!   neighbours on either side of the point.
//! - **A shifted point is caught**, since it changes the leading length and nothing else.
//!
//! The hybrid systems of ISO 7064 (MOD 11,10 and its kin) miss one exchange in each state, and a
//! Luhn sum over 32 symbols misses several; a field of 2⁵ elements costs no more and misses none.

use super::code::OwnCode;
use super::error::{CodeError, CodeFault};
use super::text::Text;
use super::value::Value;

/// The symbols in the order of their values.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const ENTERPRISE_LEN: std::ops::RangeInclusive<usize> = 2..=12;
const INTERNAL_LEN: std::ops::RangeInclusive<usize> = 3..=40;

/// The check character of a code: of the enterprise and of the internal code up to the place
/// where the check character will stand. `None` when either could not be part of a code.
///
/// ```
/// use suyuan_sync::trace_code::check_character;
/// assert_eq!(check_character("MY8", "TIN-0042-"), check_character("my8", "tin-oo42-"));
/// ```
pub fn check_character(enterprise: &str, internal_without_check: &str) -> Option<char> {
    OwnCode::new(enterprise, internal_without_check)
        .ok()?
        .internal
        .chars()
        .last()
}

impl OwnCode {
    /// The code of an enterprise for an internal code, to which the check character is added.
    /// Both are folded as typed text is. A trailing hyphen sets the check character apart.
    pub fn new(enterprise: &str, internal_without_check: &str) -> Result<Self, CodeError> {
        let enterprise = folded_enterprise(&Value::verbatim(enterprise.as_bytes(), 0)?)?;
        let body = Value::verbatim(internal_without_check.as_bytes(), 0)?;
        let mut internal = folded(&body)?;
        if let Some(hyphen) = misplaced_hyphen(internal.bytes()) {
            return Err(body.fault_at(hyphen, CodeFault::BadCharacter));
        }
        let check = times_x(sum(enterprise.as_bytes(), internal.bytes()));
        let symbol = SYMBOLS.get(usize::from(check)).copied().unwrap_or_default();
        internal.push(symbol, body.bytes().len())?;
        Ok(Self {
            enterprise,
            internal: internal_of(&internal)?,
        })
    }
}

/// Whether a text is meant as a code of our own: one that begins like an enterprise and its
/// point, and goes on without anything our codes never hold.
pub(super) fn looks_own(text: &str) -> bool {
    text.split_once('.').is_some_and(|(enterprise, internal)| {
        ENTERPRISE_LEN.contains(&enterprise.len())
            && enterprise.bytes().all(|b| b.is_ascii_alphanumeric())
            && internal
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

/// Reads `ENTERPRISE.INTERNAL`.
pub(super) fn parse(text: &Value) -> Result<OwnCode, CodeError> {
    if text.bytes().is_empty() {
        return Err(text.fault(CodeFault::MissingValue));
    }
    let (enterprise, internal) = text
        .split_at_byte(b'.')
        .ok_or(text.fault(CodeFault::NotACode))?;
    let enterprise = folded_enterprise(&enterprise)?;
    let last = internal.bytes().len().saturating_sub(1);
    let internal = folded(&internal)?;
    if internal.bytes().is_empty() {
        return Err(internal.fault(CodeFault::MissingValue));
    }
    let hyphen = misplaced_hyphen(internal.bytes());
    if let Some(hyphen) = hyphen.or(internal.bytes().ends_with(b"-").then_some(last)) {
        return Err(internal.fault_at(hyphen, CodeFault::BadCharacter));
    }
    let code = OwnCode {
        enterprise,
        internal: internal_of(&internal)?,
    };
    if sum(enterprise.as_bytes(), internal.bytes()) != 0 {
        return Err(internal.fault_at(last, CodeFault::BadCheckCharacter));
    }
    Ok(code)
}

fn folded_enterprise(text: &Value) -> Result<Text<12>, CodeError> {
    let folded = folded(text)?;
    if let Some(hyphen) = folded.bytes().iter().position(|&b| b == b'-') {
        return Err(text.fault_at(hyphen, CodeFault::BadCharacter));
    }
    folded
        .text()
        .filter(|text| ENTERPRISE_LEN.contains(&text.len()))
        .ok_or(text.fault(CodeFault::BadLength))
}

fn internal_of(folded: &Value) -> Result<Text<40>, CodeError> {
    folded
        .text()
        .filter(|text| INTERNAL_LEN.contains(&text.len()))
        .ok_or(folded.fault(CodeFault::BadLength))
}

/// A hyphen that begins the code or follows another.
fn misplaced_hyphen(internal: &[u8]) -> Option<usize> {
    if internal.starts_with(b"-") {
        return Some(0);
    }
    let doubled = internal.windows(2).position(|pair| pair == b"--");
    doubled.map(|index| index + 1)
}

/// The value in canonical symbols, hyphens as they are.
fn folded(text: &Value) -> Result<Value, CodeError> {
    let mut folded = *text;
    for index in 0..folded.bytes().len() {
        folded
            .replace(index, fold)
            .ok_or_else(|| text.fault_at(index, CodeFault::BadCharacter))?;
    }
    Ok(folded)
}

/// The symbol or hyphen a typed character stands for.
fn fold(byte: u8) -> Option<u8> {
    symbol_of(byte).or((byte == b'-').then_some(byte))
}

/// The symbol a typed character stands for.
pub(super) fn symbol_of(byte: u8) -> Option<u8> {
    let symbol = match byte.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    value_of(symbol).map(|_| symbol)
}

fn value_of(symbol: u8) -> Option<u8> {
    SYMBOLS
        .iter()
        .position(|&s| s == symbol)
        .map(|value| value as u8)
}

/// The weighted sum over length, enterprise and internal code, in GF(2⁵).
fn sum(enterprise: &[u8], internal: &[u8]) -> u8 {
    enterprise
        .iter()
        .chain(internal)
        .filter_map(|&symbol| value_of(symbol))
        .fold(enterprise.len() as u8, |sum, value| times_x(sum) ^ value)
}

/// Multiplication by x modulo x⁵ + x² + 1.
const fn times_x(element: u8) -> u8 {
    let doubled = element << 1;
    if doubled & 0b10_0000 == 0 {
        doubled
    } else {
        doubled ^ 0b10_0101
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_generates_every_nonzero_element_so_the_polynomial_is_right() {
        let mut element = 1;
        let mut met = std::collections::HashSet::new();
        while met.insert(element) {
            element = times_x(element);
        }
        assert_eq!(met.len(), 31);
        assert!(!met.contains(&0));
    }
}
