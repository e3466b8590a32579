//! Ranges behave as the sets of numbers they stand for, and have one form.

use proptest::prelude::*;
use std::collections::BTreeSet;
use suyuan_sync::{
    limits::{RANGES_MAX, SEQ_MAX},
    wire::Ranges,
};

fn set() -> impl Strategy<Value = BTreeSet<u64>> {
    prop::collection::btree_set(1..60_u64, 0..40)
}

fn ranges(set: &BTreeSet<u64>) -> Ranges {
    set.iter().copied().collect()
}

/// Ascending, apart, none empty.
fn in_form(ranges: &Ranges) -> bool {
    let list = ranges.ranges();
    list.iter()
        .all(|(start, end)| 1 <= *start && start <= end && *end <= SEQ_MAX)
        && list.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0)
}

proptest! {
    #[test]
    fn added_in_any_order_the_form_is_one(set in set(), seed in any::<u64>()) {
        let mut shuffled: Vec<u64> = set.iter().copied().collect();
        shuffled.sort_by_key(|n| n.wrapping_mul(seed | 1).rotate_left(31));
        let other: Ranges = shuffled.into_iter().collect();
        prop_assert!(in_form(&other));
        prop_assert_eq!(&other, &ranges(&set));
        prop_assert_eq!(other.numbers().collect::<BTreeSet<_>>(), set.clone());
        prop_assert_eq!(other.count(), set.len() as u64);
        prop_assert_eq!(other.greatest(), set.last().copied());
        for n in 0..62 {
            prop_assert_eq!(other.contains(n), set.contains(&n));
        }
    }

    #[test]
    fn a_range_added_adds_its_numbers(set in set(), first in 0..70_u64, last in 0..70_u64) {
        let mut grown = ranges(&set);
        grown.add(first, last);
        let expected: BTreeSet<u64> = set.into_iter().chain(first.max(1)..=last).collect();
        prop_assert!(in_form(&grown));
        prop_assert_eq!(grown.numbers().collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn union_difference_and_gaps_are_those_of_sets(a in set(), b in set()) {
        let (left, right) = (ranges(&a), ranges(&b));
        prop_assert_eq!(left.union(&right), ranges(&(&a | &b)));
        prop_assert_eq!(left.without(&right), ranges(&(&a - &b)));
        let below: BTreeSet<u64> = (1..=a.last().copied().unwrap_or(0)).collect();
        prop_assert_eq!(left.gaps(), ranges(&(&below - &a)));
        let contiguous = (1..70).take_while(|n| a.contains(n)).last().unwrap_or(0);
        prop_assert_eq!(left.contiguous(), contiguous);
    }

    #[test]
    fn what_is_written_is_read_back(set in set()) {
        let ranges = ranges(&set);
        let text = serde_json::to_string(&ranges).unwrap();
        prop_assert_eq!(serde_json::from_str::<Ranges>(&text).unwrap(), ranges);
    }

    #[test]
    fn on_the_wire_only_the_one_form_is_taken(list in prop::collection::vec((0..20_u64, 0..20_u64), 0..5)) {
        let text = serde_json::to_string(&list).unwrap();
        let built: Ranges = list.iter().copied().filter(|(a, b)| a <= b).collect();
        let read = serde_json::from_str::<Ranges>(&text);
        prop_assert_eq!(read.is_ok(), built.ranges() == list.as_slice());
    }
}

#[test]
fn the_ends_of_the_numbers_do_no_harm() {
    let mut all = Ranges::of(0, u64::MAX);
    assert_eq!(all.ranges(), [(1, SEQ_MAX)]);
    all.add(SEQ_MAX, SEQ_MAX);
    all.add(u64::MAX, u64::MAX);
    assert_eq!(all.gaps(), Ranges::EMPTY);
    assert_eq!(all.without(&all), Ranges::EMPTY);
    assert!(!all.contains(0) && !all.contains(u64::MAX));
    assert!(Ranges::of(5, 4).is_empty());
    assert_eq!(Ranges::of(3, 9).to_string(), "3-9");
    assert_eq!(
        [1_u64, 3].into_iter().collect::<Ranges>().to_string(),
        "1-1,3-3"
    );
    for wrong in [
        "[[0,1]]",
        "[[1,9007199254740992]]",
        "[[1,18446744073709551615]]",
        "[[1,2],[3,4]]",
        "[[5,4]]",
        "[[1]]",
        "[[1,2,3]]",
        "{}",
        "[1]",
    ] {
        assert!(serde_json::from_str::<Ranges>(wrong).is_err(), "{wrong}");
    }
    let many = |count: u64| {
        let list: Vec<_> = (0..count).map(|n| (1 + 2 * n, 1 + 2 * n)).collect();
        serde_json::from_str::<Ranges>(&serde_json::to_string(&list).unwrap())
    };
    assert!(many(RANGES_MAX as u64).is_ok());
    assert!(many(RANGES_MAX as u64 + 1).is_err());
    assert_eq!(many(3).unwrap().lowest(2).ranges(), [(1, 1), (3, 3)]);
}
