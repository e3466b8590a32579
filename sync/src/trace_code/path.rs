//! Raw paths: their segments, and the characters a segment stands for.
//!
//! Nothing here knows what a segment means.

use super::MAX_SEGMENTS;
use super::error::{CodeError, CodeFault};
use super::value::Value;

/// One segment, still percent-encoded, and where it begins in the text.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) text: &'a str,
    pub(super) position: usize,
}

/// The segments of a path, without the empty one a trailing slash makes.
pub(super) struct Segments<'a> {
    path: &'a str,
    start: usize,
    // Where each segment begins and ends in the path, which is at most `MAX_TEXT` long.
    list: [(u16, u16); MAX_SEGMENTS],
    len: usize,
}

impl<'a> Segments<'a> {
    /// Splits a path that begins with a slash, at byte `start` of the text.
    pub(super) fn split(path: &'a str, start: usize) -> Result<Self, CodeError> {
        let mut segments = Self {
            path,
            start,
            list: [(0, 0); MAX_SEGMENTS],
            len: 0,
        };
        let Some(inside) = path.strip_prefix('/') else {
            return Err(CodeError::new(start, CodeFault::NotACode));
        };
        let inside = inside.strip_suffix('/').unwrap_or(inside);
        if inside.is_empty() {
            return Ok(segments);
        }
        let mut begin = 1;
        for text in inside.split('/') {
            if is_dot_segment(text) {
                return Err(CodeError::new(start + begin, CodeFault::DotSegment));
            }
            let Some(slot) = segments.list.get_mut(segments.len) else {
                return Err(CodeError::new(start + begin, CodeFault::TooLong));
            };
            let end = begin + text.len();
            *slot = (begin as u16, end as u16);
            segments.len += 1;
            begin = end + 1;
        }
        Ok(segments)
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, index: usize) -> Option<Segment<'a>> {
        let &(begin, end) = self.list.get(..self.len)?.get(index)?;
        let (begin, end) = (usize::from(begin), usize::from(end));
        Some(Segment {
            text: self.path.get(begin..end)?,
            position: self.start + begin,
        })
    }

    /// Where the path ends in the text.
    pub(super) const fn end(&self) -> usize {
        self.start + self.path.len()
    }
}

/// Whether a segment is `.` or `..`, however its dots are written.
fn is_dot_segment(mut text: &str) -> bool {
    let mut dots = 0;
    while let Some(rest) = [".", "%2e", "%2E"]
        .iter()
        .find_map(|dot| text.strip_prefix(dot))
    {
        dots += 1;
        text = rest;
    }
    text.is_empty() && (1..=2).contains(&dots)
}

/// The characters a segment or query value stands for. In a query a plus sign is a space.
pub(super) fn decode(text: &str, start: usize, in_query: bool) -> Result<Value, CodeError> {
    let bytes = text.as_bytes();
    let mut value = Value::starting(start);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let position = start + at;
        let decoded = match byte {
            b'%' => {
                let pair = bytes.get(at + 1).zip(bytes.get(at + 2));
                let byte = pair.and_then(|(&high, &low)| Some(hex(high)? << 4 | hex(low)?));
                at += 3;
                byte.ok_or(CodeError::new(position, CodeFault::BadPercentEncoding))?
            }
            b'+' if in_query => {
                at += 1;
                b' '
            }
            _ => {
                at += 1;
                byte
            }
        };
        value.push(decoded, position)?;
    }
    Ok(value)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_segments_are_found_however_they_are_written() {
        for dots in [".", "..", "%2e", "%2E.", ".%2e", "%2e%2E"] {
            assert!(is_dot_segment(dots), "{dots}");
        }
        for other in ["", "...", ".a", "a.", "%2f", "%2e%2e%2e"] {
            assert!(!is_dot_segment(other), "{other}");
        }
    }
}
