//! The fingerprint of a certificate as people compare it: hexadecimal in groups, as the screens of
//! phones and computers show it; and its beginning as words, to be read aloud over a telephone.

use super::words::{ENGLISH, HANZI};
use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;

/// Words of a fingerprint: 96 bits, which nobody meets by trying.
const WORDS: usize = 12;

/// SHA-256 of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// That of these bytes.
    pub fn of(der: &[u8]) -> Fingerprint {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, der).as_ref());
        Fingerprint(bytes)
    }

    /// In groups of two bytes.
    pub fn groups(&self) -> String {
        let digits: Vec<char> = self.to_string().to_uppercase().chars().collect();
        let fours = digits.chunks(4).map(|four| four.iter().collect::<String>());
        fours.collect::<Vec<_>>().join(" ")
    }

    /// Its beginning as Chinese characters, one a byte.
    pub fn hanzi(&self) -> String {
        let all: Vec<char> = HANZI.chars().filter(|c| !c.is_whitespace()).collect();
        let said: Vec<char> = self.said().filter_map(|n| all.get(n).copied()).collect();
        let fours = said.chunks(4).map(|four| four.iter().collect::<String>());
        fours.collect::<Vec<_>>().join(" ")
    }

    /// The same beginning as English words, one a byte.
    pub fn english(&self) -> String {
        let all: Vec<&str> = ENGLISH.split_whitespace().collect();
        let said = self.said().filter_map(|n| all.get(n).copied());
        said.collect::<Vec<_>>().join(" ")
    }

    fn said(&self) -> impl Iterator<Item = usize> {
        self.0.iter().take(WORDS).copied().map(usize::from)
    }
}

/// 64 hexadecimal digits, as tickets carry them.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_byte_has_a_word_of_its_own_in_both_languages() {
        let hanzi: BTreeSet<char> = HANZI.chars().filter(|c| !c.is_whitespace()).collect();
        let english: BTreeSet<&str> = ENGLISH.split_whitespace().collect();
        assert_eq!((hanzi.len(), english.len()), (256, 256));
        assert_eq!(HANZI.chars().filter(|c| !c.is_whitespace()).count(), 256);
        assert_eq!(ENGLISH.split_whitespace().count(), 256);
    }

    #[test]
    fn one_other_bit_is_another_fingerprint_in_every_form() {
        let of = |bytes: [u8; 32]| Fingerprint(bytes);
        let (one, mut other) = ([7; 32], [7; 32]);
        other[11] ^= 1;
        let (one, other) = (of(one), of(other));
        assert_ne!(one.hanzi(), other.hanzi());
        assert_ne!(one.english(), other.english());
        assert_ne!(one.groups(), other.groups());
        assert_eq!(one.to_string(), "07".repeat(32));
        assert_eq!(one.groups().split(' ').count(), 16);
        assert_eq!(one.english().split(' ').count(), WORDS);
        assert_eq!(one.hanzi().split(' ').count(), 3);
    }
}
