//! A filter in front of the list: small enough to be always at hand, and never more than a hint. It
//! says "no" or "look in the list"; only the list says "stop".

use super::{UnitHash, UnitList};

/// Bits for each unit, and places each unit sets: about one question in a hundred about a unit that
/// is not in the list is told to look there.
const BITS_A_UNIT: usize = 10;
const PLACES: u64 = 7;

/// A Bloom filter over a list.
#[derive(Clone, Debug)]
pub struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// The filter of a list.
    pub fn of(list: &UnitList) -> Filter {
        let words = (list.len() * BITS_A_UNIT).div_ceil(64).max(1);
        let mut filter = Filter {
            words: vec![0; words],
        };
        for (unit, _) in list.iter() {
            for (word, bit) in filter.places(unit) {
                if let Some(word) = filter.words.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        filter
    }

    /// Is it worth looking in the list? Never `false` of a unit that is in it.
    pub fn says_look(&self, unit: UnitHash) -> bool {
        let set = |(word, bit)| self.words.get(word).is_some_and(|word| word & bit != 0);
        self.places(unit).all(set)
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.words.len() * 8
    }

    /// Word and bit of each place. The hash is uniform already: its halves step through the bits.
    fn places(&self, unit: UnitHash) -> impl Iterator<Item = (usize, u64)> + use<> {
        let bits = self.words.len() as u64 * 64;
        let (first, step) = (unit.0 >> 32, ((unit.0 << 1) & 0xffff_ffff) | 1);
        (0..PLACES).map(move |n| {
            let place = first.wrapping_add(n.wrapping_mul(step)) % bits;
            ((place / 64) as usize, 1 << (place % 64))
        })
    }
}
