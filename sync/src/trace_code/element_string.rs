//! GS1 element strings: identifiers and values end to end, as scanners deliver them.
//!
//! `0106901234567892` `17270331` `10L7␝` `21A-9`: a value of predefined length needs no separator,
//! any other ends at a GS (0x1D) or at the end of the text. Knows nothing of symbology
//! identifiers, which are cut off before.

use super::ai::leading;
use super::code::{Form, Scanned};
use super::elements::Elements;
use super::error::{CodeError, CodeFault};
use super::value::Value;

/// The separator: FNC1 as scanners transmit it inside a message.
pub(super) const GS: u8 = 0x1D;

/// Reads the element string `text`, which begins at byte `start` of what was given.
pub(super) fn parse(text: &str, start: usize) -> Result<Scanned, CodeError> {
    let text = text.as_bytes();
    let mut elements = Elements::new();
    // Some scanners transmit the FNC1 that opens the symbol as a separator too.
    let mut at = usize::from(text.first() == Some(&GS));
    if at == text.len() {
        return Err(CodeError::new(start + at, CodeFault::MissingValue));
    }
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let Some((ai, digits)) = leading(rest) else {
            return Err(CodeError::new(start + at, CodeFault::UnknownKey));
        };
        let position = start + at;
        at += digits.len();
        let rest = rest.get(digits.len()..).unwrap_or_default();
        let to_separator = rest.iter().position(|&b| b == GS).unwrap_or(rest.len());
        let len = ai
            .predefined_len()
            .unwrap_or(to_separator)
            .min(to_separator);
        let value = Value::verbatim(rest.get(..len).unwrap_or_default(), start + at)?;
        elements.add(ai, digits, position, &value)?;
        at += len;
        // One separator may follow any value, also one of predefined length, and also the last.
        at += usize::from(text.get(at) == Some(&GS));
    }
    elements.finish(Form::ElementString, start)
}
