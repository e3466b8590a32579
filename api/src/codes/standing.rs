//! What is known of the indices of a code space, and what a request to commission or destroy some of
//! them changes: all of it, or a refusal that names what stands in the way. Pure; where it is kept is
//! [`standing_store`](super::standing_store)'s.

use super::{
    CodesError, InTheWay,
    ranges::{Range, runs, uncovered},
};
use roaring::RoaringBitmap;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Offsets in a chunk.
const CHUNK_BITS: u32 = 16;
/// A run long enough to be a range costs one row; a scattered index costs one bit.
const RUN_MIN: u64 = 64;
/// Indices named in a refusal.
pub const EXAMPLES: usize = 5;

/// What is known of the indices a request names, in one space.
#[derive(Debug, Default)]
pub struct Standing {
    /// Commissioned ranges by their first index, with their last and their batch. No two overlap.
    ranges: BTreeMap<u64, (u64, Uuid)>,
    /// Commissioned one by one, per chunk and batch.
    listed: BTreeMap<(u32, Uuid), RoaringBitmap>,
    /// Destroyed, per chunk.
    void: BTreeMap<u32, RoaringBitmap>,
}

/// What a commission changes.
#[derive(Debug, Default)]
pub struct Commissioned {
    /// Indices that were not the batch's before.
    pub new: u64,
    /// Indices that were.
    pub same: u64,
    /// New ranges.
    pub ranges: Vec<Range>,
    /// What the batch's bitmaps hold from now on, by chunk.
    pub chunks: BTreeMap<u32, RoaringBitmap>,
}

/// What a destruction changes.
#[derive(Debug, Default)]
pub struct Voided {
    /// Indices that were not void before.
    pub new: u64,
    /// Indices that were.
    pub same: u64,
    /// What the bitmaps of void indices hold from now on, by chunk.
    pub chunks: BTreeMap<u32, RoaringBitmap>,
}

impl Standing {
    /// A range that is commissioned to a batch.
    pub fn add_range(&mut self, range: Range, batch: Uuid) {
        self.ranges.insert(range.lo, (range.hi, batch));
    }

    /// What a batch's bitmap of a chunk holds now.
    pub fn set_listed(&mut self, chunk: u32, batch: Uuid, bits: RoaringBitmap) {
        self.listed.insert((chunk, batch), bits);
    }

    /// What the bitmap of destroyed indices of a chunk holds now.
    pub fn set_void(&mut self, chunk: u32, bits: RoaringBitmap) {
        self.void.insert(chunk, bits);
    }

    /// Commissions disjoint ranges to a batch, all or none.
    ///
    /// # Errors
    ///
    /// Where one is void, or commissioned to another batch.
    pub fn commission(&self, batch: Uuid, wanted: &[Range]) -> Result<Commissioned, CodesError> {
        let mut done = Commissioned::default();
        for &range in wanted {
            refuse(InTheWay::Void, self.void_in(range))?;
            let other = |owner| owner != batch;
            let others = self.taken_in(range).filter(|(_, owner)| other(*owner));
            let others = others.map(|(taken, _)| taken.lo.max(range.lo));
            refuse(
                InTheWay::OtherBatch,
                others.chain(self.listed_in(range, other)),
            )?;
            let mut taken: Vec<Range> = self.taken_in(range).map(|(taken, _)| taken).collect();
            let listed: Vec<u64> = self.listed_in(range, |_| true).collect();
            taken.extend(runs(&listed));
            let parts = uncovered(range, &taken);
            let added: u64 = parts.iter().map(|part| part.len()).sum();
            done.new += added;
            done.same += range.len() - added;
            for part in parts {
                if part.len() >= RUN_MIN {
                    done.ranges.push(part);
                } else {
                    insert(&mut done.chunks, part);
                }
            }
        }
        for (chunk, bits) in &mut done.chunks {
            if let Some(before) = self.listed.get(&(*chunk, batch)) {
                *bits |= before;
            }
        }
        Ok(done)
    }

    /// Makes the indices of disjoint ranges void, all or none.
    ///
    /// # Errors
    ///
    /// Where one is in use.
    pub fn destroy(&self, wanted: &[Range]) -> Result<Voided, CodesError> {
        let mut done = Voided::default();
        for &range in wanted {
            let used = self
                .taken_in(range)
                .map(|(taken, _)| taken.lo.max(range.lo));
            refuse(InTheWay::InUse, used.chain(self.listed_in(range, |_| true)))?;
            insert(&mut done.chunks, range);
        }
        for (chunk, bits) in &mut done.chunks {
            let named = bits.len();
            let mut known = 0;
            if let Some(before) = self.void.get(chunk) {
                known = bits.intersection_len(before);
                *bits |= before;
            }
            done.same += known;
            done.new += named - known;
        }
        Ok(done)
    }

    /// Indices of `range` listed for a batch that `owner` accepts.
    fn listed_in(&self, range: Range, owner: impl Fn(Uuid) -> bool) -> impl Iterator<Item = u64> {
        let (first, last) = (split(range.lo).0, split(range.hi).0);
        self.listed
            .range((first, Uuid::nil())..=(last, Uuid::max()))
            .filter(move |((_, batch), _)| owner(*batch))
            .flat_map(move |((chunk, _), bits)| within(range, *chunk, bits))
    }

    /// Destroyed indices of `range`.
    fn void_in(&self, range: Range) -> impl Iterator<Item = u64> {
        let (first, last) = (split(range.lo).0, split(range.hi).0);
        self.void
            .range(first..=last)
            .flat_map(move |(chunk, bits)| within(range, *chunk, bits))
    }

    /// Commissioned ranges that overlap with `range`: they are disjoint, so of those that begin before
    /// it only the last can.
    fn taken_in(&self, range: Range) -> impl Iterator<Item = (Range, Uuid)> {
        let before = self.ranges.range(..range.lo).next_back();
        before
            .into_iter()
            .chain(self.ranges.range(range.lo..=range.hi))
            .map(|(lo, (hi, batch))| (Range { lo: *lo, hi: *hi }, *batch))
            .filter(move |(taken, _)| taken.overlaps(range))
    }
}

fn refuse(what: InTheWay, indices: impl Iterator<Item = u64>) -> Result<(), CodesError> {
    let examples: Vec<u64> = indices.take(EXAMPLES).collect();
    if examples.is_empty() {
        return Ok(());
    }
    Err(CodesError::InTheWay(what, examples))
}

/// Puts a range into the bitmaps of its chunks.
fn insert(chunks: &mut BTreeMap<u32, RoaringBitmap>, range: Range) {
    for chunk in split(range.lo).0..=split(range.hi).0 {
        let start = u64::from(chunk) << CHUNK_BITS;
        let from = range.lo.max(start) - start;
        let to = range.hi.min(start + 0xffff) - start;
        chunks
            .entry(chunk)
            .or_default()
            .insert_range(from as u32..=to as u32);
    }
}

/// The indices of a chunk's bitmap that lie in a range.
fn within(range: Range, chunk: u32, bits: &RoaringBitmap) -> impl Iterator<Item = u64> {
    let start = u64::from(chunk) << CHUNK_BITS;
    let from = range.lo.max(start) - start;
    let to = range.hi.min(start + 0xffff).saturating_sub(start);
    bits.range(from as u32..=to as u32)
        .map(move |offset| start | u64::from(offset))
}

/// Chunk and offset of an index.
pub fn split(index: u64) -> (u32, u32) {
    ((index >> CHUNK_BITS) as u32, (index & 0xffff) as u32)
}

/// Chunks that disjoint ranges touch, as far as `most` and one more.
pub fn chunks_of(wanted: &[Range], most: usize) -> BTreeSet<u32> {
    let all = wanted
        .iter()
        .flat_map(|range| split(range.lo).0..=split(range.hi).0);
    let mut touched = BTreeSet::new();
    for chunk in all {
        touched.insert(chunk);
        if touched.len() > most {
            break;
        }
    }
    touched
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OURS: Uuid = Uuid::from_u128(1);
    const THEIRS: Uuid = Uuid::from_u128(2);

    /// Where things happen: about the border of two chunks.
    const BASE: u64 = 0xffff - 150;

    /// What an index is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Is {
        Free,
        Of(Uuid),
        Void,
    }

    fn is(standing: &Standing, index: u64) -> Is {
        let one = Range {
            lo: index,
            hi: index,
        };
        if standing.void_in(one).next().is_some() {
            return Is::Void;
        }
        let of = |batch| {
            standing.taken_in(one).any(|(_, owner)| owner == batch)
                || standing
                    .listed_in(one, |owner| owner == batch)
                    .next()
                    .is_some()
        };
        match (of(OURS), of(THEIRS)) {
            (true, _) => Is::Of(OURS),
            (_, true) => Is::Of(THEIRS),
            _ => Is::Free,
        }
    }

    /// A request of a few disjoint ranges.
    fn wanted() -> impl Strategy<Value = Vec<Range>> {
        let range = (0u64..300, 0u64..90).prop_map(|(lo, more)| Range {
            lo: BASE + lo,
            hi: BASE + lo + more,
        });
        prop::collection::vec(range, 1..4).prop_map(super::super::ranges::merged)
    }

    #[derive(Debug, Clone)]
    enum Asked {
        Commission(Uuid, Vec<Range>),
        Destroy(Vec<Range>),
    }

    fn asked() -> impl Strategy<Value = Asked> {
        let batch = prop_oneof![Just(OURS), Just(THEIRS)];
        prop_oneof![
            3 => (batch, wanted()).prop_map(|(batch, wanted)| Asked::Commission(batch, wanted)),
            1 => wanted().prop_map(Asked::Destroy),
        ]
    }

    proptest! {
        #[test]
        fn all_of_a_request_is_done_or_nothing_and_each_index_is_one_thing(
            requests in prop::collection::vec(asked(), 1..8)
        ) {
            let mut standing = Standing::default();
            let mut model: BTreeMap<u64, Is> = BTreeMap::new();
            for request in requests {
                let (wanted, becomes) = match &request {
                    Asked::Commission(batch, wanted) => (wanted, Is::Of(*batch)),
                    Asked::Destroy(wanted) => (wanted, Is::Void),
                };
                let named = || wanted.iter().flat_map(|range| range.lo..=range.hi);
                let now = |index: u64| model.get(&index).copied().unwrap_or(Is::Free);
                let fits = named().all(|index| now(index) == Is::Free || now(index) == becomes);
                let same = named().filter(|index| now(*index) == becomes).count() as u64;
                let counts = match &request {
                    Asked::Commission(batch, wanted) => standing.commission(*batch, wanted).map(|done| {
                        for range in &done.ranges {
                            standing.add_range(*range, *batch);
                        }
                        for (chunk, bits) in done.chunks {
                            standing.set_listed(chunk, *batch, bits);
                        }
                        (done.new, done.same)
                    }),
                    Asked::Destroy(wanted) => standing.destroy(wanted).map(|done| {
                        for (chunk, bits) in done.chunks {
                            standing.set_void(chunk, bits);
                        }
                        (done.new, done.same)
                    }),
                };
                prop_assert_eq!(counts.is_ok(), fits);
                if let Ok(counts) = counts {
                    prop_assert_eq!(counts, (named().count() as u64 - same, same));
                    model.extend(named().map(|index| (index, becomes)));
                }
                for index in BASE..BASE + 400 {
                    let expected = model.get(&index).copied().unwrap_or(Is::Free);
                    prop_assert_eq!(is(&standing, index), expected);
                }
            }
        }
    }
}
