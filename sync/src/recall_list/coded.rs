//! How the list is written down: delta-coded, in chunks of a part of the hashes each, so that a
//! unit more or less changes one chunk, and a device fetches only chunks whose hash it does not
//! hold. (The list's manifest names them.)
//!
//! A list of n units has 2ᵏ chunks, k the least for which n/2ᵏ ≤ [`BUCKET_UNITS`]; chunk i holds the
//! hashes whose first k bits are i, and there is a chunk for every i, also an empty one. A chunk is
//!
//! | bytes | |
//! |---|---|
//! | 4 | `SYL1` |
//! | 1 | k |
//! | 2 | i, the most significant byte first |
//! | 4 | how many units, likewise |
//! | then | for each unit, ascending, a number: 16 × (its hash less the one before it) + its marks |
//!
//! The hash "before" the first is 0. A number is written in groups of seven bits, the least
//! significant first, each in a byte whose top bit says that more follow; no byte more than needed
//! (LEB128). It takes up to 68 bits, so a browser reads it as a BigInt.

use super::{Marks, UnitList};
use thiserror::Error;

/// Units of a chunk on average, at most: about 60 kB.
pub const BUCKET_UNITS: usize = 8192;
/// Most bits that tell a chunk.
const BITS_MAX: u8 = 16;
const MAGIC: &[u8; 4] = b"SYL1";
const HEAD: usize = 11;

/// Why chunks are no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ListFault {
    /// A chunk does not begin as one, or ends before its time.
    #[error("chunk {0} is cut short or none at all")]
    Malformed(usize),
    /// A chunk is not the one that belongs here, or there are too few or too many.
    #[error("chunk {0} does not belong here")]
    Misplaced(usize),
    /// Hashes are not ascending, not of this chunk, or without marks.
    #[error("chunk {0} holds what cannot stand there")]
    Disordered(usize),
    /// There is something behind the last unit.
    #[error("chunk {0} is longer than it says")]
    Trailing(usize),
}

impl UnitList {
    /// The chunks of this list, in order.
    pub fn chunks(&self) -> Vec<Vec<u8>> {
        let bits = bits_for(self.len());
        let mut chunks: Vec<Coded> = (0..1u32 << bits).map(|_| Coded::default()).collect();
        for (hash, marks) in self.iter() {
            // There is a chunk for every prefix.
            if let Some(chunk) = chunks.get_mut(prefix(hash.0, bits) as usize) {
                chunk.add(hash.0, marks);
            }
        }
        let whole = |(index, chunk): (usize, Coded)| chunk.finish(bits, index as u16);
        chunks.into_iter().enumerate().map(whole).collect()
    }

    /// Reads all chunks of a list, in order. Anything but what [`UnitList::chunks`] writes is
    /// refused, whatever it is.
    pub fn read<B: AsRef<[u8]>>(chunks: &[B]) -> Result<UnitList, ListFault> {
        let mut list = UnitList::default();
        for (index, chunk) in chunks.iter().enumerate() {
            read_chunk(&mut list, chunk.as_ref(), index, chunks.len())?;
        }
        let bits = bits_for(list.len());
        if chunks.len() != 1 << bits {
            return Err(ListFault::Misplaced(chunks.len()));
        }
        Ok(list)
    }
}

/// How many bits tell the chunks of so many units.
fn bits_for(units: usize) -> u8 {
    let mut bits = 0;
    while bits < BITS_MAX && units > BUCKET_UNITS << bits {
        bits += 1;
    }
    bits
}

/// The first bits of a hash.
const fn prefix(hash: u64, bits: u8) -> u64 {
    if bits == 0 { 0 } else { hash >> (64 - bits) }
}

/// A chunk being written.
#[derive(Default)]
struct Coded {
    units: u32,
    last: u64,
    body: Vec<u8>,
}

impl Coded {
    fn add(&mut self, hash: u64, marks: Marks) {
        let step = hash.wrapping_sub(self.last);
        let mut number = (u128::from(step) << 4) | u128::from(marks.bits());
        loop {
            let group = (number & 0x7f) as u8;
            number >>= 7;
            if number == 0 {
                self.body.push(group);
                break;
            }
            self.body.push(group | 0x80);
        }
        self.last = hash;
        self.units += 1;
    }

    fn finish(self, bits: u8, index: u16) -> Vec<u8> {
        let mut chunk = Vec::with_capacity(HEAD + self.body.len());
        chunk.extend_from_slice(MAGIC);
        chunk.push(bits);
        chunk.extend_from_slice(&index.to_be_bytes());
        chunk.extend_from_slice(&self.units.to_be_bytes());
        chunk.extend_from_slice(&self.body);
        chunk
    }
}

fn read_chunk(
    list: &mut UnitList,
    chunk: &[u8],
    index: usize,
    chunks: usize,
) -> Result<(), ListFault> {
    let malformed = ListFault::Malformed(index);
    let (head, mut rest) = chunk.split_at_checked(HEAD).ok_or(malformed)?;
    let [m0, m1, m2, m3, bits, i0, i1, n0, n1, n2, n3] = *head else {
        return Err(malformed);
    };
    if [m0, m1, m2, m3] != *MAGIC || bits > BITS_MAX {
        return Err(malformed);
    }
    if 1 << bits != chunks || usize::from(u16::from_be_bytes([i0, i1])) != index {
        return Err(ListFault::Misplaced(index));
    }
    let mut last = None;
    for _ in 0..u32::from_be_bytes([n0, n1, n2, n3]) {
        let number = read_number(&mut rest).ok_or(malformed)?;
        let disordered = ListFault::Disordered(index);
        let step = u64::try_from(number >> 4).map_err(|_| disordered)?;
        let marks = Marks::of_bits((number & 0xf) as u8).ok_or(disordered)?;
        let hash = match last {
            None => Some(step),
            Some(last) if step > 0 => u64::checked_add(last, step),
            Some(_) => None,
        };
        let hash = hash
            .filter(|hash| prefix(*hash, bits) == index as u64)
            .ok_or(disordered)?;
        list.push(hash, marks);
        last = Some(hash);
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(ListFault::Trailing(index))
    }
}

/// A number of at most 68 bits, and no byte more than it needs.
fn read_number(rest: &mut &[u8]) -> Option<u128> {
    let mut number = 0u128;
    for group in 0..10 {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u128::from(byte & 0x7f) << (7 * group);
        if byte & 0x80 == 0 {
            return (*byte != 0 || group == 0).then_some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_holds_a_bounded_part_of_the_units() {
        for (units, bits) in [
            (0, 0),
            (1, 0),
            (8192, 0),
            (8193, 1),
            (16_384, 1),
            (16_385, 2),
            (1_000_000, 7),
            (usize::MAX, 16),
        ] {
            assert_eq!(bits_for(units), bits, "{units}");
        }
    }

    #[test]
    fn numbers_are_read_back_and_no_byte_is_wasted() {
        for hash in [0, 1, 7, 8, 0x7f, 0x80, u64::from(u32::MAX), u64::MAX] {
            let mut coded = Coded::default();
            coded.add(hash, Marks::VOID);
            let mut rest = &coded.body[..];
            assert_eq!(read_number(&mut rest), Some((u128::from(hash) << 4) | 2));
            assert!(rest.is_empty());
        }
        assert_eq!(read_number(&mut &[0x81, 0x00][..]), None, "a byte too many");
        assert_eq!(read_number(&mut &[0x80; 11][..]), None, "no end");
        assert_eq!(read_number(&mut &[0x80][..]), None, "cut short");
    }
}
