//! The character sets of the GS1 General Specifications, and the one of percent-encoding.
//!
//! Only membership of single bytes; which field uses which set is told in `ai_table`.

/// The characters a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// `N`: decimal digits.
    Digits,
    /// `X`: CSET 82, what a lot or a serial may be written with.
    Cset82,
    /// `Y`: CSET 39, component and part identifiers.
    Cset39,
    /// `Z`: base64url with its padding.
    Base64Url,
}

impl Charset {
    /// Whether the set holds `byte`. No set holds a byte beyond ASCII.
    pub(super) const fn holds(self, byte: u8) -> bool {
        match self {
            Self::Digits => byte.is_ascii_digit(),
            Self::Cset82 => matches!(
                byte,
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'?' | b'%'..=b'/' | b'!' | b'"' | b'_'
            ),
            Self::Cset39 => matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'#' | b'-' | b'/'),
            Self::Base64Url => {
                matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'=')
            }
        }
    }
}

/// Whether RFC 3986 lets `byte` stand in a path unencoded whatever its place.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(set: Charset) -> String {
        (0..=255u8)
            .filter(|&byte| set.holds(byte))
            .map(char::from)
            .collect()
    }

    #[test]
    fn the_sets_hold_exactly_the_characters_the_specification_lists() {
        assert_eq!(members(Charset::Digits), "0123456789");
        assert_eq!(
            members(Charset::Cset82),
            "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
        );
        assert_eq!(members(Charset::Cset82).len(), 82);
        assert_eq!(members(Charset::Cset39).len(), 39);
        assert_eq!(members(Charset::Base64Url).len(), 65);
    }
}
