//! The exact list of units that a till must not sell and cannot judge by their code or card (sync.md
//! section 7): recalled, void, destroyed and collected units of the products an enterprise handles,
//! as the first 64 bits of a hash each.
//!
//! The list is exact: a unit that is in it is never missed, and one that is not is hit by chance
//! about once in 2⁶⁴/n questions, with a million units once in 10¹³. How it is written down, in
//! chunks that change only where the list does, stands in `coded`; `filter` is a smaller thing to
//! ask first. Version, time and signature are those of [`wire::RecallList`](crate::wire::RecallList),
//! which names the chunks by their hashes.
//!
//! It must not know where units come from, or what a till decides.

mod coded;
mod filter;

pub use coded::{BUCKET_UNITS, ListFault};
pub use filter::Filter;

use crate::unit::UnitKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const TAG: &[u8] = b"suyuan-unit-1";

/// The name of a unit in lists: the first eight bytes of `SHA-256("suyuan-unit-1" ‖ key)`, the most
/// significant first. The tag is ASCII without an end mark, the key as [`UnitKey`] prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitHash(pub u64);

impl UnitHash {
    /// The hash of a unit.
    pub fn of(unit: &UnitKey) -> UnitHash {
        let hasher = Sha256::new()
            .chain_update(TAG)
            .chain_update(unit.as_str().as_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        let first = digest.first_chunk().copied().unwrap_or_default();
        UnitHash(u64::from_be_bytes(first))
    }
}

/// Why a unit is in the list: one or several of four, so that none hides another.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Marks(u8);

impl Marks {
    /// Covered by an open recall that names it.
    pub const RECALLED: Marks = Marks(1);
    /// Its code was destroyed before use.
    pub const VOID: Marks = Marks(2);
    /// It was destroyed.
    pub const DESTROYED: Marks = Marks(4);
    /// It was fetched back under a recall.
    pub const COLLECTED: Marks = Marks(8);
    /// Nothing: not in the list.
    pub const NONE: Marks = Marks(0);

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }

    /// Are all of `other` among these?
    pub const fn has(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }

    /// None at all?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// As they stand in a coded list.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Read from a coded list; none for what no list holds.
    pub const fn of_bits(bits: u8) -> Option<Marks> {
        match bits {
            1..=15 => Some(Marks(bits)),
            _ => None,
        }
    }
}

/// Units and why they are stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitList {
    /// Ascending, each once.
    hashes: Vec<u64>,
    /// Of each hash.
    marks: Vec<Marks>,
}

impl UnitList {
    /// The list of these units; a unit that comes several times has all its marks, one without
    /// marks is not in it.
    pub fn of(units: impl IntoIterator<Item = (UnitHash, Marks)>) -> UnitList {
        let mut entries: Vec<(u64, Marks)> = units
            .into_iter()
            .filter(|(_, marks)| !marks.is_empty())
            .map(|(hash, marks)| (hash.0, marks))
            .collect();
        entries.sort_unstable();
        let mut list = UnitList {
            hashes: Vec::with_capacity(entries.len()),
            marks: Vec::with_capacity(entries.len()),
        };
        for (hash, marks) in entries {
            list.push(hash, marks);
        }
        list
    }

    /// Adds what is not below the last.
    fn push(&mut self, hash: u64, marks: Marks) {
        match (self.hashes.last(), self.marks.last_mut()) {
            (Some(last), Some(known)) if *last == hash => *known = known.and(marks),
            _ => {
                self.hashes.push(hash);
                self.marks.push(marks);
            }
        }
    }

    /// What the list says of a unit.
    pub fn marks(&self, unit: UnitHash) -> Marks {
        match self.hashes.binary_search(&unit.0) {
            Ok(at) => self.marks.get(at).copied().unwrap_or_default(),
            Err(_) => Marks::NONE,
        }
    }

    /// How many units are in it.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Is nobody in it?
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// All units, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (UnitHash, Marks)> {
        let marks = self.marks.iter().copied();
        self.hashes.iter().copied().map(UnitHash).zip(marks)
    }
}
