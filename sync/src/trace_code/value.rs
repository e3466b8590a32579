//! One value being read: its bytes after decoding, and where in the text each of them stood.
//!
//! A percent sign, a backslash or a space in the text makes decoded and raw positions differ;
//! keeping both lets every fault name the byte the person or the printer can find. It knows
//! neither forms nor formats.

use super::error::{CodeError, CodeFault};
use super::text::Text;

/// The longest value any application identifier may have.
pub(super) const MAX_VALUE: usize = 90;

/// A decoded value of at most [`MAX_VALUE`] bytes.
#[derive(Clone, Copy)]
pub(super) struct Value {
    start: usize,
    len: usize,
    bytes: [u8; MAX_VALUE],
    // Distance of each byte from `start` in the text, which is at most `MAX_TEXT` long.
    at: [u16; MAX_VALUE],
}

impl Value {
    /// An empty value that begins at byte `start` of the text.
    pub(super) const fn starting(start: usize) -> Self {
        Self {
            start,
            len: 0,
            bytes: [0; MAX_VALUE],
            at: [0; MAX_VALUE],
        }
    }

    /// A value that stands in the text as it is.
    pub(super) fn verbatim(text: &[u8], start: usize) -> Result<Self, CodeError> {
        let mut value = Self::starting(start);
        for (offset, &byte) in text.iter().enumerate() {
            value.push(byte, start + offset)?;
        }
        Ok(value)
    }

    /// Appends a decoded byte that stands at `position` of the text.
    pub(super) fn push(&mut self, byte: u8, position: usize) -> Result<(), CodeError> {
        let (Some(slot), Some(at)) = (self.bytes.get_mut(self.len), self.at.get_mut(self.len))
        else {
            return Err(self.fault(CodeFault::BadLength));
        };
        *slot = byte;
        *at = position.saturating_sub(self.start) as u16;
        self.len += 1;
        Ok(())
    }

    /// Writes zeros before a value shorter than `width`: a GTIN-8, -12 or -13 as a GTIN-14.
    pub(super) fn pad_left(&mut self, width: usize) {
        let missing = width.saturating_sub(self.len);
        if width > MAX_VALUE || missing == 0 {
            return;
        }
        self.bytes.copy_within(..self.len, missing);
        self.at.copy_within(..self.len, missing);
        for (byte, at) in self.bytes.iter_mut().zip(&mut self.at).take(missing) {
            *byte = b'0';
            *at = 0;
        }
        self.len = width;
    }

    /// Replaces the byte `index` by what `by` makes of it; `None` when that is nothing.
    pub(super) fn replace(&mut self, index: usize, by: impl Fn(u8) -> Option<u8>) -> Option<()> {
        let byte = self.bytes.get_mut(index)?;
        *byte = by(*byte)?;
        Some(())
    }

    /// The parts before and after the first `separator`.
    pub(super) fn split_at_byte(&self, separator: u8) -> Option<(Self, Self)> {
        let index = self.bytes().iter().position(|&b| b == separator)?;
        Some((self.part(0, index), self.part(index + 1, self.len)))
    }

    fn part(&self, from: usize, to: usize) -> Self {
        let start = match self.at.get(from) {
            Some(&at) if from < self.len => self.start + usize::from(at),
            // Nothing follows: the place just behind the last byte.
            _ => self.position(self.len.saturating_sub(1)) + 1,
        };
        let mut part = Self::starting(start);
        let bytes = self.bytes.iter().zip(&self.at).take(to).skip(from);
        for (&byte, &at) in bytes {
            // A part is never longer than the whole.
            let _ = part.push(byte, self.start + usize::from(at));
        }
        part
    }

    /// The decoded bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Where in the text the decoded byte `index` stands.
    pub(super) fn position(&self, index: usize) -> usize {
        self.start + self.at.get(index).copied().map_or(0, usize::from)
    }

    /// The value as text, when it is UTF-8 of at most `N` bytes.
    pub(super) fn text<const N: usize>(&self) -> Option<Text<N>> {
        std::str::from_utf8(self.bytes()).ok().and_then(Text::new)
    }

    /// A fault of the value as a whole.
    pub(super) const fn fault(&self, fault: CodeFault) -> CodeError {
        CodeError::new(self.start, fault)
    }

    /// A fault of the decoded byte `index`.
    pub(super) fn fault_at(&self, index: usize, fault: CodeFault) -> CodeError {
        CodeError::new(self.position(index), fault)
    }
}
