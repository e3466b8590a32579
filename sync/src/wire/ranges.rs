//! Sets of sequence numbers as ranges: what a server holds of a device, and what it lacks.
//!
//! Always in one form: ascending, apart from each other, none empty. So equal sets are equal
//! values, and the text that is signed has one form. On the wire `[[1,5],[8,8]]`.

use crate::{
    ids::Seq,
    limits::{RANGES_MAX, SEQ_MAX},
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};
use std::fmt;

/// A set of sequence numbers between 1 and [`SEQ_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ranges(Vec<(Seq, Seq)>);

impl Ranges {
    /// Nothing.
    pub const EMPTY: Ranges = Ranges(Vec::new());

    /// All from `first` to `last`; nothing when that is no range.
    pub fn of(first: Seq, last: Seq) -> Ranges {
        let mut ranges = Ranges::EMPTY;
        ranges.add(first, last);
        ranges
    }

    /// Adds all from `first` to `last`. What is not a sequence number is left out.
    pub fn add(&mut self, first: Seq, last: Seq) {
        let (first, last) = (first.max(1), last.min(SEQ_MAX));
        if first > last {
            return;
        }
        // Those that touch or overlap the new one become one with it.
        let from = self.0.partition_point(|&(_, end)| end + 1 < first);
        let until = self.0.partition_point(|&(start, _)| start <= last + 1);
        let touched = self.0.get(from..until).unwrap_or_default();
        let first = touched
            .first()
            .map_or(first, |&(start, _)| start.min(first));
        let last = touched.last().map_or(last, |&(_, end)| end.max(last));
        self.0.splice(from..until, [(first, last)]);
    }

    /// Is it in the set?
    pub fn contains(&self, seq: Seq) -> bool {
        let at = self.0.partition_point(|&(_, end)| end < seq);
        self.0.get(at).is_some_and(|&(start, _)| start <= seq)
    }

    /// Up to where everything from 1 on is in the set; 0 when 1 is not.
    pub fn contiguous(&self) -> Seq {
        match self.0.first() {
            Some(&(1, end)) => end,
            _ => 0,
        }
    }

    /// Up to where everything from `seq` on is in the set; `None` when it is not itself.
    pub fn reach(&self, seq: Seq) -> Option<Seq> {
        let at = self.0.partition_point(|&(_, end)| end < seq);
        let &(start, end) = self.0.get(at)?;
        (start <= seq).then_some(end)
    }

    /// The greatest number in the set.
    pub fn greatest(&self) -> Option<Seq> {
        self.0.last().map(|&(_, end)| end)
    }

    /// What lies below the greatest number and is not in the set.
    #[must_use]
    pub fn gaps(&self) -> Ranges {
        let mut gaps = Vec::new();
        let mut next = 1;
        for &(start, end) in &self.0 {
            if next < start {
                gaps.push((next, start - 1));
            }
            next = end + 1;
        }
        Ranges(gaps)
    }

    /// What is in this set or in the other.
    #[must_use]
    pub fn union(&self, other: &Ranges) -> Ranges {
        let mut all: Vec<_> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        let mut union: Vec<(Seq, Seq)> = Vec::with_capacity(all.len());
        for (start, end) in all {
            match union.last_mut() {
                Some((_, last)) if start <= *last + 1 => *last = end.max(*last),
                _ => union.push((start, end)),
            }
        }
        Ranges(union)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn without(&self, other: &Ranges) -> Ranges {
        let mut left = Vec::new();
        let mut holes = other.0.iter().copied().peekable();
        for &(mut start, end) in &self.0 {
            while holes.next_if(|&(_, last)| last < start).is_some() {}
            // A hole may reach into the next range, so it is only looked at.
            while let Some(&(first, last)) = holes.peek() {
                if first > end {
                    break;
                }
                if start < first {
                    left.push((start, first - 1));
                }
                start = last + 1;
                if start > end {
                    break;
                }
                holes.next();
            }
            if start <= end {
                left.push((start, end));
            }
        }
        Ranges(left)
    }

    /// Only the lowest `count` ranges: a receipt that names less is true all the same.
    #[must_use]
    pub fn lowest(&self, count: usize) -> Ranges {
        Ranges(self.0.iter().take(count).copied().collect())
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(start, end)| end - start + 1).sum()
    }

    /// Is nothing in the set?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges, ascending, first and last number of each.
    pub fn ranges(&self) -> &[(Seq, Seq)] {
        &self.0
    }

    /// The numbers, ascending.
    pub fn numbers(&self) -> impl Iterator<Item = Seq> {
        self.0.iter().flat_map(|&(start, end)| start..=end)
    }
}

impl FromIterator<(Seq, Seq)> for Ranges {
    fn from_iter<I: IntoIterator<Item = (Seq, Seq)>>(ranges: I) -> Ranges {
        let mut all = Ranges::EMPTY;
        for (first, last) in ranges {
            all.add(first, last);
        }
        all
    }
}

impl FromIterator<Seq> for Ranges {
    fn from_iter<I: IntoIterator<Item = Seq>>(numbers: I) -> Ranges {
        numbers.into_iter().map(|seq| (seq, seq)).collect()
    }
}

/// As it is signed: `1-5,8-8`.
impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (start, end)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{start}-{end}")?;
        }
        Ok(())
    }
}

impl Serialize for Ranges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Ranges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ranges, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Ranges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "at most {RANGES_MAX} ascending ranges of sequence numbers"
                )
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ranges, A::Error> {
                let mut ranges: Vec<(Seq, Seq)> = Vec::new();
                while let Some((start, end)) = list.next_element::<(Seq, Seq)>()? {
                    let after = ranges.last().map_or(1, |(_, last)| last + 2);
                    if start < after || end < start || end > SEQ_MAX {
                        return Err(A::Error::custom("ranges ascend and lie apart"));
                    }
                    if ranges.len() == RANGES_MAX {
                        return Err(A::Error::custom(format_args!(
                            "more than {RANGES_MAX} ranges"
                        )));
                    }
                    ranges.push((start, end));
                }
                Ok(Ranges(ranges))
            }
        }
        deserializer.deserialize_seq(Read)
    }
}
