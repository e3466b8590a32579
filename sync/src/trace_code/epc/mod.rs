//! EPC: the codes RFID tags carry (RFID 标签), in binary and as URN.
//!
//! A tag holds company prefix and reference as two numbers, whose widths a *partition* tells, and
//! knows no check digit. What is read here becomes the same [`TraceCode`](super::TraceCode) as the
//! printed code of the thing. The other way needs the length of the company prefix, which a GTIN
//! does not show: the caller knows it from the enterprise.
//!
//! Layouts are those of the EPC Tag Data Standard (TDS). It must not know tags or readers: access
//! passwords, memory banks and locks are theirs.

mod binary;
mod identity;
mod tag;
mod urn;

pub use binary::is_epc_segment;
pub(super) use binary::{looks_binary, parse, read_path};
pub use tag::{Epc, EpcTag};
pub(super) use urn::{looks_urn, parse as parse_urn};

/// The three keys that are read and written as EPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Family {
    /// GTIN and serial.
    Sgtin,
    /// Logistic unit.
    Sscc,
    /// GLN and extension.
    Sgln,
}

impl Family {
    /// The digits of company prefix and reference together, without check digit.
    const fn digits(self) -> usize {
        match self {
            Self::Sgtin => 13,
            Self::Sscc => 17,
            Self::Sgln => 12,
        }
    }

    /// The bits of company prefix and reference together.
    const fn bits(self) -> usize {
        match self {
            Self::Sgtin => 44,
            Self::Sscc => 58,
            Self::Sgln => 41,
        }
    }

    /// The name in URNs.
    const fn name(self) -> &'static str {
        match self {
            Self::Sgtin => "sgtin",
            Self::Sscc => "sscc",
            Self::Sgln => "sgln",
        }
    }
}

/// How an EPC is written to a tag. The number is that of its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagKind {
    /// GTIN and a serial that is a number below 2³⁸ without leading zeros.
    Sgtin96,
    /// GTIN and any serial.
    Sgtin198,
    /// Logistic unit.
    Sscc96,
    /// GLN and an extension that is a number below 2⁴¹ without leading zeros, or none.
    Sgln96,
}

/// What stands behind company prefix and reference.
#[derive(Clone, Copy)]
enum Tail {
    /// A number of this many bits.
    Number(usize),
    /// Twenty characters of seven bits, filled up with zero bits.
    Characters,
    /// This many zero bits.
    Zeros(usize),
}

/// The most characters a serial has.
const CHARACTERS: usize = 20;

impl TagKind {
    /// Every kind that is read and written.
    pub const ALL: [Self; 4] = [Self::Sgtin96, Self::Sgtin198, Self::Sscc96, Self::Sgln96];

    /// The name in URNs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sgtin96 => "sgtin-96",
            Self::Sgtin198 => "sgtin-198",
            Self::Sscc96 => "sscc-96",
            Self::Sgln96 => "sgln-96",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    const fn header(self) -> u8 {
        match self {
            Self::Sgtin96 => 0x30,
            Self::Sgtin198 => 0x36,
            Self::Sscc96 => 0x31,
            Self::Sgln96 => 0x32,
        }
    }

    fn with_header(header: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| u64::from(kind.header()) == header)
    }

    const fn family(self) -> Family {
        match self {
            Self::Sgtin96 | Self::Sgtin198 => Family::Sgtin,
            Self::Sscc96 => Family::Sscc,
            Self::Sgln96 => Family::Sgln,
        }
    }

    const fn tail(self) -> Tail {
        match self {
            Self::Sgtin96 => Tail::Number(38),
            Self::Sgtin198 => Tail::Characters,
            Self::Sscc96 => Tail::Zeros(24),
            Self::Sgln96 => Tail::Number(41),
        }
    }

    /// The bits that carry something.
    const fn bits(self) -> usize {
        let tail = match self.tail() {
            Tail::Number(bits) | Tail::Zeros(bits) => bits,
            Tail::Characters => 7 * CHARACTERS,
        };
        PAIR_AT + self.family().bits() + tail
    }

    /// Whether this many characters of so many bits each write the EPC: just its bits, or filled
    /// up to whole bytes, or to the words of 16 bits that a tag's memory has.
    fn fills(self, characters: usize, bits_each: usize) -> bool {
        let bits = self.bits();
        [bits, bits.next_multiple_of(8), bits.next_multiple_of(WORD)]
            .iter()
            .any(|bits| bits.div_ceil(bits_each) == characters)
    }
}

/// The filter value of a tag: what kind of thing it hangs on, so that a reader may skip the rest.
/// It is not part of what a code names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Filter(u8);

impl Filter {
    /// All others.
    pub const OTHER: Self = Self(0);
    /// A trade item sold over the counter.
    pub const POINT_OF_SALE: Self = Self(1);
    /// A full case for transport.
    pub const FULL_CASE: Self = Self(2);
    /// A unit load: a pallet.
    pub const UNIT_LOAD: Self = Self(6);

    /// A value of 0 to 7.
    pub const fn new(value: u8) -> Option<Self> {
        if value < 8 { Some(Self(value)) } else { None }
    }

    /// The number.
    pub const fn value(self) -> u8 {
        self.0
    }
}

/// Where the partition stands: behind header and filter.
const PARTITION_AT: usize = 11;

/// Where company prefix and reference begin.
const PAIR_AT: usize = 14;

/// The bits of a word of a tag's memory.
const WORD: usize = 16;

/// Bits and digits of the company prefix, by partition.
const PREFIXES: [(usize, usize); 7] = [
    (40, 12),
    (37, 11),
    (34, 10),
    (30, 9),
    (27, 8),
    (24, 7),
    (20, 6),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_have_the_bits_their_names_tell() {
        for kind in TagKind::ALL {
            let (_, bits) = kind.name().split_once('-').unwrap();
            assert_eq!(kind.bits().to_string(), bits);
            assert_eq!(TagKind::named(kind.name()), Some(kind));
        }
    }

    #[test]
    fn a_reference_always_has_room_for_its_digits() {
        for family in [Family::Sgtin, Family::Sscc, Family::Sgln] {
            for (bits, digits) in PREFIXES {
                assert!(10u64.pow(digits as u32) <= 1 << bits);
                let reference = (family.digits() - digits) as u32;
                assert!(10u64.pow(reference) <= 1 << (family.bits() - bits));
            }
        }
    }

    #[test]
    fn a_binary_epc_ends_with_its_bits_its_bytes_or_its_words() {
        let lengths = |kind: TagKind, each| -> Vec<usize> {
            (0..100).filter(|&n| kind.fills(n, each)).collect()
        };
        assert_eq!(lengths(TagKind::Sgtin96, 4), [24]);
        assert_eq!(lengths(TagKind::Sgtin96, 6), [16]);
        assert_eq!(lengths(TagKind::Sgtin198, 4), [50, 52]);
        assert_eq!(lengths(TagKind::Sgtin198, 6), [33, 34, 35]);
    }

    #[test]
    fn filters_have_three_bits() {
        assert_eq!(Filter::new(7).map(Filter::value), Some(7));
        assert_eq!(Filter::new(8), None);
    }
}
