//! A short string stored inline, so that reading a code never touches the heap.
//!
//! It knows nothing of codes; it only keeps at most `N` bytes of valid UTF-8 by value.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// A string of at most `N` bytes (`N` ≤ 255) held by value. It compares, hashes and prints like
/// the `str` it dereferences to.
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    len: u8,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    const FITS_ITS_LENGTH: () = assert!(N <= u8::MAX as usize);

    /// Keeps `text`, or `None` when it is longer than `N` bytes.
    pub fn new(text: &str) -> Option<Self> {
        let () = Self::FITS_ITS_LENGTH;
        let mut bytes = [0; N];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        Some(Self {
            len: text.len() as u8,
            bytes,
        })
    }

    /// The text as a string slice.
    pub fn as_str(&self) -> &str {
        // The bytes came from a `str` and are never cut, so the fallback is never taken.
        self.bytes
            .get(..usize::from(self.len))
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self {
            len: 0,
            bytes: [0; N],
        }
    }
}

impl<const N: usize> Deref for Text<N> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> AsRef<str> for Text<N> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl<const N: usize> Borrow<str> for Text<N> {
    fn borrow(&self) -> &str {
        self
    }
}

impl<const N: usize> PartialEq for Text<N> {
    fn eq(&self, other: &Self) -> bool {
        // Beyond the length all bytes are zero.
        self.len == other.len && self.bytes == other.bytes
    }
}

impl<const N: usize> Eq for Text<N> {}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl<const N: usize> Hash for Text<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        str::hash(self, state);
    }
}

impl<const N: usize> PartialOrd for Text<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> Ord for Text<N> {
    fn cmp(&self, other: &Self) -> Ordering {
        str::cmp(self, other)
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_what_fits_and_refuses_what_does_not() {
        assert_eq!(Text::<4>::new("追").unwrap(), "追");
        assert_eq!(Text::<4>::new("abcd").unwrap(), "abcd");
        assert!(Text::<4>::new("abcde").is_none());
        assert_eq!(Text::<0>::new("").unwrap(), "");
    }

    #[test]
    fn texts_are_ordered_like_strings_and_not_by_length() {
        let text = |s| Text::<8>::new(s).unwrap();
        assert!(text("B") > text("ABC"));
        assert!(text("A") < text("AA"));
    }
}
