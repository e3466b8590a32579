//! Reads EPC URNs: pure identities, tags, the class of a product and of a lot.
//!
//! `urn:epc:id:sgtin:0614141.812345.6789`, `urn:epc:tag:sgtin-96:3.0614141.812345.6789`,
//! `urn:epc:idpat:sgtin:0614141.812345.*`, `urn:epc:class:lgtin:0614141.812345.L7`. The names are
//! read in either case, serials as they stand.

use super::identity::{self, Narrowed};
use super::{Family, PREFIXES, TagKind, Tail};
use crate::trace_code::code::{Form, Scanned};
use crate::trace_code::elements::Elements;
use crate::trace_code::error::{CodeError, CodeFault};
use crate::trace_code::path::{Segment, decode};
use crate::trace_code::value::Value;

const SCHEME: &str = "urn:epc:";

/// What a URN is about, by what stands before its last colon.
#[derive(Clone, Copy)]
enum Subject {
    /// A thing.
    Identity(Family),
    /// A thing, with the filter value and limits of a tag.
    Tag(TagKind),
    /// All things of a product.
    Class,
    /// All things of a lot.
    Lot,
}

const SUBJECTS: [(&str, Subject); 9] = [
    ("id:sgtin:", Subject::Identity(Family::Sgtin)),
    ("id:sscc:", Subject::Identity(Family::Sscc)),
    ("id:sgln:", Subject::Identity(Family::Sgln)),
    ("tag:sgtin-96:", Subject::Tag(TagKind::Sgtin96)),
    ("tag:sgtin-198:", Subject::Tag(TagKind::Sgtin198)),
    ("tag:sscc-96:", Subject::Tag(TagKind::Sscc96)),
    ("tag:sgln-96:", Subject::Tag(TagKind::Sgln96)),
    ("idpat:sgtin:", Subject::Class),
    ("class:lgtin:", Subject::Lot),
];

/// The characters that a URN must escape.
pub(super) const ESCAPED: &[u8] = b"\"%&/<>?";

/// Whether a text is meant as an EPC URN.
pub(in crate::trace_code) fn looks_urn(text: &str) -> bool {
    without(text, SCHEME).is_some()
}

/// Reads a text that [`looks_urn`], which begins at byte `start` of what was given.
pub(in crate::trace_code) fn parse(text: &str, start: usize) -> Result<Scanned, CodeError> {
    let inside = without(text, SCHEME).unwrap_or_default();
    let found = SUBJECTS
        .iter()
        .find_map(|(name, subject)| Some((*subject, without(inside, name)?)));
    let (subject, rest) =
        found.ok_or(CodeError::new(start + SCHEME.len(), CodeFault::UnknownEpc))?;
    let mut parts = Parts {
        rest: Some(rest),
        position: start + text.len() - rest.len(),
    };
    let mut elements = Elements::new();
    read(subject, &mut parts, &mut elements)?;
    elements.finish(Form::EpcUrn, start)
}

fn without<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(name.len())?;
    head.eq_ignore_ascii_case(name).then_some(rest)
}

/// The components of a URN, taken from the left.
struct Parts<'a> {
    rest: Option<&'a str>,
    position: usize,
}

impl<'a> Parts<'a> {
    /// What stands before the next point.
    fn next(&mut self) -> Result<Segment<'a>, CodeError> {
        let rest = self.rest.take().ok_or(self.missing())?;
        let (text, rest) = match rest.split_once('.') {
            Some((text, rest)) => (text, Some(rest)),
            None => (rest, None),
        };
        let position = self.position;
        self.position += text.len() + usize::from(rest.is_some());
        self.rest = rest;
        Ok(Segment { text, position })
    }

    /// All that is left, points included: a serial may hold some.
    fn last(&mut self) -> Result<Segment<'a>, CodeError> {
        let text = self.rest.take().ok_or(self.missing())?;
        Ok(Segment {
            text,
            position: self.position,
        })
    }

    const fn missing(&self) -> CodeError {
        CodeError::new(self.position, CodeFault::MissingValue)
    }
}

fn read(subject: Subject, parts: &mut Parts<'_>, elements: &mut Elements) -> Result<(), CodeError> {
    let family = match subject {
        Subject::Identity(family) => family,
        Subject::Tag(kind) => kind.family(),
        Subject::Class | Subject::Lot => Family::Sgtin,
    };
    if let Subject::Tag(_) = subject {
        let filter = parts.next()?;
        if !matches!(filter.text.as_bytes(), [b'0'..=b'7']) {
            return Err(fault(filter, CodeFault::BadValue));
        }
    }
    let prefix = digits(parts.next()?)?;
    let known = PREFIXES
        .iter()
        .any(|&(_, digits)| digits == prefix.bytes().len());
    if !known {
        return Err(prefix.fault(CodeFault::BadLength));
    }
    let reference = match family {
        Family::Sscc => digits(parts.last()?)?,
        Family::Sgtin | Family::Sgln => digits(parts.next()?)?,
    };
    if prefix.bytes().len() + reference.bytes().len() != family.digits() {
        return Err(reference.fault(CodeFault::BadLength));
    }
    let mut name = |narrowed| identity::name(family, &prefix, &reference, &narrowed, elements);
    if family == Family::Sscc {
        return name(Narrowed::No);
    }
    let last = parts.last()?;
    match subject {
        Subject::Class if last.text == "*" => name(Narrowed::No),
        Subject::Class => Err(fault(last, CodeFault::BadValue)),
        Subject::Lot => name(Narrowed::Lot(&unescaped(last)?)),
        Subject::Tag(_) | Subject::Identity(_) => {
            if let Subject::Tag(kind) = subject {
                fits(kind, last)?;
            }
            // The extension 0 of a place says that it has none.
            if family == Family::Sgln && last.text == "0" {
                return name(Narrowed::No);
            }
            name(Narrowed::Serial(&unescaped(last)?))
        }
    }
}

const fn fault(part: Segment<'_>, fault: CodeFault) -> CodeError {
    CodeError::new(part.position, fault)
}

fn digits(part: Segment<'_>) -> Result<Value, CodeError> {
    if let Some(index) = part.text.bytes().position(|b| !b.is_ascii_digit()) {
        return Err(CodeError::new(part.position + index, CodeFault::BadDigit));
    }
    Value::verbatim(part.text.as_bytes(), part.position)
}

/// The characters of a serial or lot, escapes undone.
fn unescaped(part: Segment<'_>) -> Result<Value, CodeError> {
    let bare = |&(_, byte): &(usize, u8)| byte != b'%' && ESCAPED.contains(&byte);
    if let Some((index, _)) = part.text.bytes().enumerate().find(bare) {
        return Err(CodeError::new(
            part.position + index,
            CodeFault::BadCharacter,
        ));
    }
    if part.text.is_empty() {
        return Err(fault(part, CodeFault::MissingValue));
    }
    decode(part.text, part.position, false)
}

/// Refuses a serial that the tag has no room for.
fn fits(kind: TagKind, serial: Segment<'_>) -> Result<(), CodeError> {
    let Tail::Number(bits) = kind.tail() else {
        return Ok(());
    };
    digits(serial)?;
    if serial.text.is_empty() {
        return Err(fault(serial, CodeFault::MissingValue));
    }
    super::tag::number(serial.text, bits)
        .map_or(Err(fault(serial, CodeFault::BadValue)), |_| Ok(()))
}
