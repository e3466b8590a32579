//! GS1 Digital Link URIs, binary EPCs as addresses, and addresses of our own scheme: path and
//! query of a web address.
//!
//! The path is split at its slashes *before* anything is decoded, since `%2F` is a legal
//! character of a lot. The rightmost primary key names the thing; what stands before it is the
//! stem of whoever runs the resolver. Host and scheme have been cut off and do not matter.

use super::ai::{Ai, Link, Qualifiers, find};
use super::code::{Form, Scanned, TraceCode};
use super::elements::{Elements, complete_gtin, named};
use super::epc;
use super::error::{CodeError, CodeFault};
use super::own_scheme;
use super::path::{Segment, Segments, decode};

/// Reads a raw path that begins at byte `start` of the text, and a raw query that begins at byte
/// `query_start`.
pub(super) fn parse(
    path: &str,
    start: usize,
    query: &str,
    query_start: usize,
) -> Result<Scanned, CodeError> {
    let segments = Segments::split(path, start)?;
    let mut elements = Elements::new();
    let found = find_key(&segments)?;
    match found {
        Found::Own(name) => {
            let code = own_scheme::parse(&decode(name.text, name.position, false)?)?;
            read_query(query, query_start, &mut elements, None)?;
            Ok(Scanned {
                code: TraceCode::Own(code),
                claims: elements.claims(),
                form: Form::OwnScheme,
            })
        }
        Found::Epc(segment) => {
            epc::read_path(segment, &mut elements)?;
            read_query(query, query_start, &mut elements, None)?;
            elements.finish(Form::EpcBinary, start)
        }
        Found::Key(index, key) => {
            let branch = read_path(&segments, index, key, &mut elements)?;
            read_query(query, query_start, &mut elements, Some(branch))?;
            elements.finish(Form::DigitalLink, start)
        }
    }
}

/// What a path names.
enum Found<'a> {
    /// A code of our own scheme, and its segment.
    Own(Segment<'a>),
    /// A binary EPC, and its segment.
    Epc(Segment<'a>),
    /// A GS1 key and the index of its segment.
    Key(usize, &'static Ai),
}

/// Looks for the key from the right end of the path, pair by pair.
fn find_key<'a>(segments: &Segments<'a>) -> Result<Found<'a>, CodeError> {
    let len = segments.len();
    let own = |index: usize| {
        segments
            .get(index)
            .is_some_and(|segment| segment.text.eq_ignore_ascii_case("c"))
    };
    let key = |index: usize| {
        let ai = find(segments.get(index)?.text.as_bytes())?;
        ai.qualifiers().is_some().then_some(ai)
    };
    if len >= 2
        && own(len - 2)
        && let Some(name) = segments.get(len - 1)
    {
        return Ok(Found::Own(name));
    }
    let mut index = len;
    while index >= 2 {
        index -= 2;
        if let Some(ai) = key(index) {
            return Ok(Found::Key(index, ai));
        }
    }
    // A key with an odd number of segments behind it has one too many, or lacks a value.
    let odd = (0..len)
        .rev()
        .step_by(2)
        .find(|&i| key(i).is_some() || own(i));
    match segments.get(len.saturating_sub(1)) {
        Some(last) if odd.is_none() && epc::is_epc_segment(last.text) => Ok(Found::Epc(last)),
        _ => Err(no_key(segments, odd, own)),
    }
}

/// Why no pair of segments begins with a key. `odd` is a key that begins none.
fn no_key(segments: &Segments<'_>, odd: Option<usize>, own: impl Fn(usize) -> bool) -> CodeError {
    let len = segments.len();
    let Some(last) = segments.get(len.saturating_sub(1)) else {
        return CodeError::new(segments.end(), CodeFault::NotACode);
    };
    if let Some(index) = odd {
        let is_name = find(last.text.as_bytes()).is_some() || own(len - 1);
        return if index + 1 == len || is_name {
            CodeError::new(segments.end(), CodeFault::MissingValue)
        } else {
            CodeError::new(last.position, CodeFault::ExtraSegment)
        };
    }
    let Some(first) = segments.get(0) else {
        return CodeError::new(segments.end(), CodeFault::NotACode);
    };
    if epc::is_epc_segment(first.text)
        && let Some(second) = segments.get(1)
    {
        return CodeError::new(second.position, CodeFault::ExtraSegment);
    }
    let looks_like_ai =
        (2..=4).contains(&first.text.len()) && first.text.bytes().all(|b| b.is_ascii_digit());
    let fault = match find(first.text.as_bytes()) {
        Some(_) => CodeFault::NoKey,
        None if looks_like_ai => CodeFault::UnknownKey,
        None => CodeFault::NotACode,
    };
    CodeError::new(first.position, fault)
}

/// Reads the key at `index` and the qualifiers behind it. Returns the qualifiers that may not
/// appear in the query because this path could have held them.
fn read_path(
    segments: &Segments<'_>,
    index: usize,
    key: &'static Ai,
    elements: &mut Elements,
) -> Result<&'static [&'static str], CodeError> {
    let alternatives = key
        .qualifiers()
        .map_or(&[][..], |qualifiers: &Qualifiers| qualifiers.alternatives);
    let mut branch: Option<&'static [&'static str]> = None;
    let mut next = 0;
    let mut at = index;
    while let (Some(name), Some(value)) = (segments.get(at), segments.get(at + 1)) {
        let ai = named(name.text.as_bytes(), name.position)?;
        let refused = |fault| Err(CodeError::new(name.position, fault));
        if at > index {
            let place = |list: &[&str]| list.iter().position(|&q| q == ai.first);
            let Some(own) = alternatives.iter().find(|list| place(list).is_some()) else {
                return refused(if ai.is_qualifier() {
                    CodeFault::NotAQualifier
                } else {
                    CodeFault::AttributeInPath
                });
            };
            if *branch.get_or_insert(own) != *own {
                return refused(CodeFault::ConflictingKeys);
            }
            let order = place(own).unwrap_or_default();
            if elements.has(ai.first) {
                return refused(CodeFault::DuplicateKey);
            }
            if order < next {
                return refused(CodeFault::QualifierOrder);
            }
            next = order + 1;
        }
        let mut decoded = decode(value.text, value.position, false)?;
        complete_gtin(ai, &mut decoded);
        elements.add(ai, name.text.as_bytes(), name.position, &decoded)?;
        at += 2;
    }
    Ok(branch.or(alternatives.first().copied()).unwrap_or_default())
}

/// Reads the data attributes. Anything that is not an application identifier belongs to others:
/// `linkType`, `context`, and whatever trackers append.
fn read_query(
    query: &str,
    start: usize,
    elements: &mut Elements,
    in_path: Option<&[&str]>,
) -> Result<(), CodeError> {
    let mut position = start;
    for parameter in query.split(['&', ';']) {
        let next = position + parameter.len() + 1;
        if let Some((name, value)) = parameter.split_once('=')
            && (2..=4).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_digit())
        {
            let ai = named(name.as_bytes(), position)?;
            let in_path = in_path.is_some_and(|path| path.contains(&ai.first));
            if in_path || matches!(ai.link, Link::NotAnAttribute) {
                return Err(CodeError::new(position, CodeFault::NotAnAttribute));
            }
            let mut decoded = decode(value, position + name.len() + 1, true)?;
            complete_gtin(ai, &mut decoded);
            elements.add_attribute(ai, name.as_bytes(), position, &decoded)?;
        }
        position = next;
    }
    Ok(())
}
