//! Bare numbers: the digits under an EAN, UPC or ITF-14, or of an SSCC.
//!
//! People group them with spaces and hyphens; those are skipped, and faults still point at the
//! digit as it was typed.

use super::ai::leading;
use super::code::{Claims, Form, GtinCode, Scanned, TraceCode};
use super::element_string;
use super::error::{CodeError, CodeFault};
use super::keys::{Gtin, Sscc};
use super::value::Value;

/// Whether `text` holds digits, spaces and hyphens only, and a digit first.
pub(super) fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b' ' | b'-'))
}

/// Whether a text that [`is_number`] is rather an element string, whose lot or serial may well be
/// of digits and hyphens: it begins with at least the 16 digits of 01 and a GTIN, unbroken, and
/// is not just the 18 of an SSCC.
fn is_element_string(text: &str) -> bool {
    let run = text.bytes().take_while(u8::is_ascii_digit).count();
    run >= 16 && text.len() != 18 && leading(text.as_bytes()).is_some()
}

/// Reads a text that [`is_number`], which begins at byte `start` of what was given.
pub(super) fn parse(text: &str, start: usize) -> Result<Scanned, CodeError> {
    if is_element_string(text) {
        return element_string::parse(text, start);
    }
    let mut digits = Value::starting(start);
    for (offset, byte) in text.bytes().enumerate() {
        if byte.is_ascii_digit() {
            digits.push(byte, start + offset)?;
        }
    }
    if text.ends_with('-') {
        return Err(CodeError::new(
            start + text.len() - 1,
            CodeFault::BadCharacter,
        ));
    }
    let number = digits
        .text::<18>()
        .ok_or(digits.fault(CodeFault::BadLength))?;
    let at_digit = |error: CodeError| CodeError {
        position: digits.position(error.position),
        ..error
    };
    let code = if number.len() == 18 {
        TraceCode::Sscc(Sscc::parse(&number).map_err(at_digit)?)
    } else {
        TraceCode::Gtin(GtinCode::product(Gtin::parse(&number).map_err(at_digit)?))
    };
    Ok(Scanned {
        code,
        claims: Claims::default(),
        form: Form::PlainNumber,
    })
}
