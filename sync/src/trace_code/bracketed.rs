//! The bracketed line people read under a symbol: `(01)06901234567892(10)L7(21)A-9`.
//!
//! A value may itself hold brackets. A `(` opens an identifier only when two to four digits and a
//! `)` follow; the printer writes every other `(` as `\(`, which no value can hold by itself, so
//! that what is printed can always be read back.

use super::code::{Form, Scanned};
use super::elements::{Elements, complete_gtin, named};
use super::error::{CodeError, CodeFault};
use super::value::Value;

/// Reads the bracketed line `text`, which begins at byte `start` of what was given.
pub(super) fn parse(text: &str, start: usize) -> Result<Scanned, CodeError> {
    let text = text.as_bytes();
    let mut elements = Elements::new();
    let mut at = 0;
    while at < text.len() {
        let position = start + at + 1;
        let Some(digits) = opening(text.get(at..).unwrap_or_default()) else {
            return Err(CodeError::new(start + at, CodeFault::NotACode));
        };
        let ai = named(digits, position)?;
        at += digits.len() + 2;
        let (mut value, len) = value(text.get(at..).unwrap_or_default(), start + at)?;
        complete_gtin(ai, &mut value);
        elements.add(ai, digits, position, &value)?;
        at += len;
    }
    elements.finish(Form::Bracketed, start)
}

/// The digits of the identifier that opens here, if one does.
fn opening(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_prefix(b"(")?;
    let len = inside.iter().take_while(|b| b.is_ascii_digit()).count();
    ((2..=4).contains(&len) && inside.get(len) == Some(&b')')).then(|| inside.get(..len))?
}

/// The value up to the next identifier, and the bytes it takes. Spaces around it, which people
/// like to print, are not part of it.
fn value(text: &[u8], start: usize) -> Result<(Value, usize), CodeError> {
    let len = (0..text.len())
        .find(|&at| {
            let escaped = at > 0 && text.get(at - 1) == Some(&b'\\');
            !escaped && text.get(at..).and_then(opening).is_some()
        })
        .unwrap_or(text.len());
    let raw = text.get(..len).unwrap_or_default();
    let leading = raw.len() - raw.trim_ascii_start().len();
    let mut value = Value::starting(start + leading);
    let mut bytes = raw.trim_ascii().iter().enumerate().peekable();
    while let Some((offset, &byte)) = bytes.next() {
        let escapes = byte == b'\\' && matches!(bytes.peek(), Some((_, b'(')));
        if !escapes {
            value.push(byte, start + leading + offset)?;
        }
    }
    Ok((value, len))
}
