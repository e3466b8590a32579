//! Inclusive ranges of indices: what overlaps, what is left over. Pure.

/// `lo..=hi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// First index.
    pub lo: u64,
    /// Last index.
    pub hi: u64,
}

impl Range {
    /// A range; `None` when it would be empty.
    pub const fn new(lo: u64, hi: u64) -> Option<Range> {
        if lo <= hi {
            Some(Range { lo, hi })
        } else {
            None
        }
    }

    /// How many indices.
    pub const fn len(self) -> u64 {
        self.hi - self.lo + 1
    }

    /// A range is never empty.
    pub const fn is_empty(self) -> bool {
        false
    }

    /// Do they share an index?
    pub const fn overlaps(self, other: Range) -> bool {
        self.lo <= other.hi && other.lo <= self.hi
    }
}

/// The parts of `range` that none of `taken` covers, in order.
pub fn uncovered(range: Range, taken: &[Range]) -> Vec<Range> {
    let mut taken: Vec<Range> = taken
        .iter()
        .copied()
        .filter(|t| t.overlaps(range))
        .collect();
    taken.sort_unstable();
    let mut left = Vec::new();
    let mut next = Some(range.lo);
    for part in taken {
        let Some(from) = next else { break };
        if part.lo > from {
            left.extend(Range::new(from, part.lo - 1));
        }
        // The largest index a space has is far below u64::MAX, yet the rule holds there too.
        next = part.hi.checked_add(1).map(|after| after.max(from));
    }
    if let Some(from) = next {
        left.extend(Range::new(from, range.hi));
    }
    left
}

/// The same indices as disjoint ranges in order, however much the given ones overlap.
pub fn merged(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut out: Vec<Range> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.lo <= last.hi.saturating_add(1) => last.hi = last.hi.max(range.hi),
            _ => out.push(range),
        }
    }
    out
}

/// Indices in ascending order as the fewest ranges.
pub fn runs(indices: &[u64]) -> Vec<Range> {
    let mut runs: Vec<Range> = Vec::new();
    for &index in indices {
        match runs.last_mut() {
            Some(run) if index <= run.hi => {}
            Some(run) if index == run.hi + 1 => run.hi = index,
            _ => runs.push(Range {
                lo: index,
                hi: index,
            }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn small() -> impl Strategy<Value = Range> {
        (0u64..40, 0u64..10).prop_map(|(lo, more)| Range { lo, hi: lo + more })
    }

    proptest! {
        #[test]
        fn uncovered_is_exactly_what_no_other_range_has(
            range in small(),
            taken in prop::collection::vec(small(), 0..6),
        ) {
            let left = uncovered(range, &taken);
            for index in 0..60 {
                let within = |r: &Range| r.lo <= index && index <= r.hi;
                let expected = within(&range) && !taken.iter().any(within);
                prop_assert_eq!(left.iter().any(within), expected);
            }
            prop_assert!(left.windows(2).all(|w| w[0].hi < w[1].lo));
        }

        #[test]
        fn merged_holds_the_same_indices_once(ranges in prop::collection::vec(small(), 0..8)) {
            let merged = merged(ranges.clone());
            for index in 0..60 {
                let within = |r: &Range| r.lo <= index && index <= r.hi;
                prop_assert_eq!(merged.iter().any(within), ranges.iter().any(within));
            }
            prop_assert!(merged.windows(2).all(|w| w[0].hi + 1 < w[1].lo));
        }

        #[test]
        fn runs_hold_exactly_the_indices(mut indices in prop::collection::vec(0u64..60, 0..30)) {
            indices.sort_unstable();
            let runs = runs(&indices);
            for index in 0..60 {
                let held = runs.iter().any(|r| r.lo <= index && index <= r.hi);
                prop_assert_eq!(held, indices.contains(&index));
            }
            prop_assert!(runs.windows(2).all(|w| w[0].hi + 1 < w[1].lo));
        }
    }

    #[test]
    fn the_largest_index_does_not_overflow() {
        let all = Range {
            lo: 0,
            hi: u64::MAX,
        };
        assert!(uncovered(all, &[all]).is_empty());
        assert_eq!(
            uncovered(
                all,
                &[Range {
                    lo: 1,
                    hi: u64::MAX
                }]
            ),
            [Range { lo: 0, hi: 0 }]
        );
    }
}
