//! The door: any text becomes a code or a precise refusal.
//!
//! Decides which form a text has and hands it to the reader of that form. The forms are told
//! apart by how they begin, never by trying one after the other, so that the refusal a person
//! sees is about the form they meant.

use super::MAX_TEXT;
use super::code::{Claims, Form, Scanned, TraceCode};
use super::element_string::GS;
use super::error::{CodeError, CodeFault};
use super::value::Value;
use super::{bracketed, digital_link, element_string, epc, own_scheme, plain};

/// Symbology identifiers (AIM) that announce an element string: GS1-128, GS1 DataMatrix, GS1 QR,
/// GS1 DataBar and composites, GS1 DotCode.
const ANNOUNCE_ELEMENTS: [&str; 5] = ["]C1", "]d2", "]Q3", "]e0", "]J1"];

/// Reads any text a scanner may deliver or a person may type.
///
/// Understood are web addresses of any host, bare paths, element strings with or without a
/// symbology identifier, bracketed lines, bare EAN, UPC, GTIN-14 and SSCC numbers, EPCs as
/// hexadecimal digits or URN, and codes of our own scheme. White space around the text does not matter.
///
/// ```
/// use suyuan_sync::trace_code::{CodeFault, parse};
///
/// let bare = parse(" 6901234 567892 ")?;
/// assert_eq!(bare.code, parse("(01)06901234567892")?.code);
/// assert_eq!(parse("6901234567893").unwrap_err().fault, CodeFault::BadCheckDigit);
/// # Ok::<(), suyuan_sync::trace_code::CodeError>(())
/// ```
pub fn parse(text: &str) -> Result<Scanned, CodeError> {
    within_limit(text, 0)?;
    let start = text.len() - text.trim_start().len();
    let text = text.trim();
    if text.is_empty() {
        return Err(CodeError::new(0, CodeFault::Empty));
    }
    let (announced, body) = without_symbology_identifier(text);
    let start = start + (text.len() - body.len());
    if body.is_empty() {
        return Err(CodeError::new(start, CodeFault::Empty));
    }
    if announced || body.as_bytes().first() == Some(&GS) {
        element_string::parse(body, start)
    } else if let Some((scheme, rest)) = split_scheme(body) {
        web_address(scheme, rest, start)
    } else if body.starts_with('/') {
        target(body, start)
    } else if body.starts_with('(') {
        bracketed::parse(body, start)
    } else if own_scheme::looks_own(body) {
        own_code(body, start)
    } else if epc::looks_urn(body) {
        epc::parse_urn(body, start)
    } else if epc::looks_binary(body) {
        epc::parse(body, start)
    } else if plain::is_number(body) {
        plain::parse(body, start)
    } else if begins_with_two_digits(body) {
        element_string::parse(body, start)
    } else if let Some(slash) = host_len(body) {
        target(body.get(slash..).unwrap_or_default(), start + slash)
    } else {
        Err(CodeError::new(start, CodeFault::NotACode))
    }
}

/// Reads the target of a request: raw path and raw query, both still percent-encoded.
///
/// The path is split before it is decoded, so a `%2F` inside a value is just a character of it.
/// A trailing slash is tolerated; a stem before the key too. Query parameters that are no
/// application identifiers are ignored.
pub fn parse_path(raw_path: &str, raw_query: &str) -> Result<Scanned, CodeError> {
    let query_start = raw_path.len() + 1;
    within_limit(raw_path, 0)?;
    within_limit(raw_query, query_start)?;
    digital_link::parse(raw_path, 0, raw_query, query_start)
}

pub(super) fn within_limit(text: &str, start: usize) -> Result<(), CodeError> {
    if text.len() > MAX_TEXT {
        return Err(CodeError::new(start + MAX_TEXT, CodeFault::TooLong));
    }
    Ok(())
}

/// Cuts off a symbology identifier, and tells whether it announces an element string.
fn without_symbology_identifier(text: &str) -> (bool, &str) {
    let is_identifier = text.starts_with(']')
        && text
            .as_bytes()
            .get(1..3)
            .is_some_and(|rest| rest.iter().all(u8::is_ascii_alphanumeric));
    match text.get(..3).zip(text.get(3..)) {
        Some((identifier, body)) if is_identifier => {
            (ANNOUNCE_ELEMENTS.contains(&identifier), body)
        }
        _ => (false, text),
    }
}

/// Splits `https://rest`. A `://` further on may be part of a lot or serial.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = scheme.bytes().all(|b| b.is_ascii_alphabetic());
    is_scheme.then_some((scheme, rest))
}

/// Reads what follows a scheme: `host/path?query#fragment`.
fn web_address(scheme: &str, rest: &str, start: usize) -> Result<Scanned, CodeError> {
    if !matches!(scheme, "http" | "https" | "HTTP" | "HTTPS") {
        let mixed = ["http", "https"]
            .iter()
            .any(|s| s.eq_ignore_ascii_case(scheme));
        let fault = if mixed {
            CodeFault::MixedScheme
        } else {
            CodeFault::NotACode
        };
        return Err(CodeError::new(start, fault));
    }
    let start = start + scheme.len() + "://".len();
    let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    if host == 0 {
        return Err(CodeError::new(start, CodeFault::NotACode));
    }
    target(rest.get(host..).unwrap_or_default(), start + host)
}

/// Reads `path?query#fragment`.
fn target(text: &str, start: usize) -> Result<Scanned, CodeError> {
    let (text, _fragment) = text.split_once('#').unwrap_or((text, ""));
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    digital_link::parse(path, start, query, start + path.len() + 1)
}

fn own_code(text: &str, start: usize) -> Result<Scanned, CodeError> {
    let code = own_scheme::parse(&Value::verbatim(text.as_bytes(), start)?)?;
    Ok(Scanned {
        code: TraceCode::Own(code),
        claims: Claims::default(),
        form: Form::OwnScheme,
    })
}

fn begins_with_two_digits(text: &str) -> bool {
    text.as_bytes()
        .get(..2)
        .is_some_and(|first| first.iter().all(u8::is_ascii_digit))
}

/// The length of the host of an address typed without its scheme: `id.example.cn/01/…`.
fn host_len(text: &str) -> Option<usize> {
    let slash = text.find('/')?;
    let host = text.get(..slash)?;
    let is_host = host.contains('.')
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    is_host.then_some(slash)
}
