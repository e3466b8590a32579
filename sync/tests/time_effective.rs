//! Effective time over one device epoch (sync.md section 4): bounds, monotony, one outlier, and
//! that going on from a kept prefix equals computing everything anew.

use proptest::prelude::*;
use std::collections::BTreeMap;
use suyuan_sync::{
    ids::{Micros, Seq},
    order::Interval,
    time::{Placed, Prefix, Resumed, Timed, effective, resume, resume_to},
};

/// Straight from the specification, with no thought of cost.
fn by_the_book(events: &[Timed]) -> Vec<Micros> {
    let n = events.len();
    let of = |i: usize| events[i].interval;
    let upper = |k: usize| (k..n).map(|i| of(i).hi).min().unwrap();
    let lower = |k: usize| (0..=k).map(|j| of(j).lo.min(upper(j))).max().unwrap();
    let middle = |k: usize| {
        if k + 1 == n {
            return of(k).est;
        }
        let before = if k == 0 { lower(0) } else { of(k - 1).est };
        let mut three = [before, of(k).est, of(k + 1).est];
        three.sort_unstable();
        three[1]
    };
    (0..n)
        .map(|k| {
            let peak = (0..=k).map(middle).max().unwrap();
            peak.clamp(lower(k), upper(k))
        })
        .collect()
}

fn interval() -> impl Strategy<Value = Interval> {
    (0..60i64, 0..60i64, 0..60i64).prop_map(|(a, b, c)| {
        let mut three = [a, b, c];
        three.sort_unstable();
        let [lo, est, hi] = three;
        Interval { lo, est, hi }
    })
}

fn epoch(most: usize) -> impl Strategy<Value = Vec<Timed>> {
    prop::collection::btree_map(1..6000u64, interval(), 1..most).prop_map(|events| {
        events
            .into_iter()
            .map(|(seq, interval)| Timed { seq, interval })
            .collect()
    })
}

/// What a store keeps of an epoch.
#[derive(Default)]
struct Kept {
    events: BTreeMap<Seq, (Timed, Micros)>,
    tail: Option<Prefix>,
    checkpoints: Vec<Prefix>,
}

impl Kept {
    /// Takes in some events: from the tail, else from the newest checkpoint that stands, else from
    /// the start. Returns how many rows were looked at.
    fn take_in(&mut self, new: &[Timed]) -> usize {
        let mut starts: Vec<Prefix> = vec![Prefix::START];
        starts.append(&mut self.checkpoints.clone());
        starts.extend(self.tail);
        for start in starts.into_iter().rev() {
            let mut rows: Vec<Placed> = self
                .events
                .range(start.seq + 1..)
                .map(|(_, &(timed, eff))| Placed {
                    timed,
                    eff: Some(eff),
                })
                .chain(new.iter().map(|&timed| Placed { timed, eff: None }))
                .collect();
            rows.sort_by_key(|placed| placed.timed.seq);
            if new.iter().any(|timed| timed.seq <= start.seq) {
                continue;
            }
            if let Some(read) = self.in_pages(start, &rows, new) {
                return read;
            }
            let Some(resumed) = resume(start, &rows) else {
                continue;
            };
            for timed in new {
                self.events.insert(timed.seq, (*timed, Micros::MIN));
            }
            for changed in &resumed.changed {
                let row = self.events.get_mut(&changed.seq).expect("a row of ours");
                assert_ne!(row.1, changed.eff, "only what changed is reported");
                row.1 = changed.eff;
            }
            self.checkpoints.retain(|kept| kept.seq <= start.seq);
            self.checkpoints.extend(resumed.checkpoints);
            self.tail = Some(resumed.prefix);
            return rows.len();
        }
        panic!("the start always stands");
    }

    /// Goes from a prefix to the next one behind all that is new, and on until it ends where it
    /// ended before; `None` if there is none to end at.
    fn in_pages(&mut self, start: Prefix, rows: &[Placed], new: &[Timed]) -> Option<usize> {
        let last = new.last()?.seq;
        let ends: Vec<Prefix> = self.checkpoints.clone();
        let ends = ends.into_iter().filter(|kept| kept.seq >= last);
        let (mut from, mut read) = (start, 0);
        for end in ends {
            let beyond = rows.iter().position(|row| row.timed.seq > end.seq)?;
            let first = rows.iter().position(|row| row.timed.seq > from.seq)?;
            let page = &rows[first..=beyond];
            read += page.len();
            let resumed = resume_to(from, page, end);
            let Some(resumed) = resumed else {
                assert_eq!(from, start, "only a beginning may not stand");
                return None;
            };
            for timed in new.iter().filter(|timed| timed.seq > from.seq) {
                self.events.insert(timed.seq, (*timed, Micros::MIN));
            }
            self.replace(from, Some(end), &resumed);
            if resumed.prefix == end {
                return Some(read);
            }
            from = resumed.prefix;
        }
        if from == start {
            return None;
        }
        let first = rows.iter().position(|row| row.timed.seq > from.seq)?;
        let resumed = resume(from, &rows[first..]).expect("nothing is new there");
        self.replace(from, None, &resumed);
        self.tail = Some(resumed.prefix);
        Some(read + rows.len() - first)
    }

    fn replace(&mut self, from: Prefix, end: Option<Prefix>, resumed: &Resumed) {
        for changed in &resumed.changed {
            let row = self.events.get_mut(&changed.seq).expect("a row of ours");
            assert_ne!(row.1, changed.eff, "only what changed is reported");
            row.1 = changed.eff;
        }
        let within =
            |kept: &Prefix| kept.seq > from.seq && end.is_none_or(|end| kept.seq <= end.seq);
        self.checkpoints.retain(|kept| !within(kept));
        self.checkpoints.extend(&resumed.checkpoints);
        self.checkpoints.extend(end.map(|_| resumed.prefix));
        self.checkpoints.sort_by_key(|kept| kept.seq);
    }

    fn effs(&self) -> Vec<Micros> {
        self.events.values().map(|(_, eff)| *eff).collect()
    }
}

proptest! {
    // One of these is made to fail on purpose below: nothing to write down then.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_batch_function_is_the_specification(events in epoch(12)) {
        prop_assert_eq!(effective(&events), by_the_book(&events));
    }

    /// I11: L ≤ eff ≤ U, and eff never decreases along a device's sequence.
    #[test]
    fn i11_eff_never_falls_and_stays_within_its_bounds(events in epoch(40)) {
        let effs = effective(&events);
        prop_assert!(effs.windows(2).all(|pair| pair[0] <= pair[1]));
        for (k, eff) in effs.iter().enumerate() {
            let upper = events[k..].iter().map(|e| e.interval.hi).min().unwrap();
            prop_assert!(*eff <= upper);
            prop_assert!(*eff >= events[k].interval.lo.min(upper));
        }
    }

    /// Any split and any order of arrival, receipts ascending or not.
    #[test]
    fn incremental_equals_batch(
        events in epoch(40),
        order in any::<prop::sample::Index>().prop_perturb(|_, mut rng| rng.next_u64()),
        cuts in prop::collection::vec(1..6usize, 1..40),
        received_in_order in any::<bool>(),
    ) {
        let mut arrivals = events.clone();
        shuffle(&mut arrivals, order);
        if received_in_order {
            for (n, timed) in (100i64..).zip(arrivals.iter_mut()) {
                timed.interval.hi = n;
            }
        }
        let mut kept = Kept::default();
        let mut rest = arrivals.as_slice();
        let mut cuts = cuts.into_iter().cycle();
        while !rest.is_empty() {
            let (mut now, later) = {
                let cut = cuts.next().unwrap().min(rest.len());
                let (now, later) = rest.split_at(cut);
                (now.to_vec(), later)
            };
            rest = later;
            now.sort_by_key(|timed| timed.seq);
            kept.take_in(&now);
            let all: Vec<Timed> = kept.events.values().map(|(timed, _)| *timed).collect();
            prop_assert_eq!(kept.effs(), effective(&all));
        }
    }

    /// One wrong wall clock reading moves no other event by more than that event's gap to its own
    /// neighbour.
    #[test]
    fn one_outlier_moves_another_event_at_most_by_its_gap_to_its_neighbour(
        gaps in prop::collection::vec(0..1000i64, 2..30),
        at in any::<prop::sample::Index>(),
        wrong in -100_000..100_000i64,
        anchored_every in 1..30usize,
    ) {
        let mut now = 10_000i64;
        let received = 10_000 + gaps.iter().sum::<i64>() + 1;
        let mut anchor = now;
        let honest: Vec<Timed> = (1u64..)
            .zip(&gaps)
            .map(|(seq, gap)| {
                now += gap;
                if (seq as usize).is_multiple_of(anchored_every) {
                    anchor = now;
                }
                Timed { seq, interval: Interval { lo: anchor, est: now, hi: received } }
            })
            .collect();
        let j = at.index(honest.len());
        let mut with = honest.clone();
        let bounds = with[j].interval;
        with[j].interval.est = wrong.clamp(bounds.lo, bounds.hi);
        let (before, after) = (effective(&honest), effective(&with));
        let est = |k: usize| honest[k].interval.est;
        for k in (0..honest.len()).filter(|&k| k != j) {
            let next = if k + 1 < honest.len() { est(k + 1) - est(k) } else { 0 };
            let last = if k > 0 { est(k) - est(k - 1) } else { est(0) - honest[0].interval.lo };
            let moved = (before[k] - after[k]).abs();
            prop_assert!(moved <= next.max(last), "event {} moved by {} of {} or {}", k, moved, last, next);
        }
    }
}

fn shuffle(events: &mut [Timed], mut seed: u64) {
    for i in (1..events.len()).rev() {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        events.swap(i, (seed >> 33) as usize % (i + 1));
    }
}

#[test]
fn d12_an_append_touches_two_events_however_long_the_epoch() {
    let mut kept = Kept::default();
    for n in 1..5000i64 {
        let timed = Timed {
            seq: n as Seq,
            interval: Interval {
                lo: n,
                est: n + 1,
                hi: n + 2,
            },
        };
        assert!(kept.take_in(&[timed]) <= 2);
    }
    assert!(
        kept.checkpoints
            .iter()
            .map(|kept| kept.seq)
            .eq([1023, 2047, 3071, 4095]),
        "and leaves a checkpoint now and then: {:?}",
        kept.checkpoints
    );
}

#[test]
fn a_late_filler_goes_back_to_the_checkpoint_before_it_only() {
    let at = |n: i64| Timed {
        seq: n as Seq,
        interval: Interval {
            lo: n,
            est: n + 1,
            hi: n + 2,
        },
    };
    let mut kept = Kept::default();
    for n in (1..5000).filter(|n| *n != 4500) {
        kept.take_in(&[at(n)]);
    }
    let mut late = at(4500);
    late.interval.hi = 9999;
    assert!(kept.take_in(&[late]) < 1000);
    let all: Vec<Timed> = kept.events.values().map(|(timed, _)| *timed).collect();
    assert_eq!(kept.effs(), effective(&all));
}

#[test]
fn a_late_filler_goes_no_further_than_where_all_is_as_it_was() {
    let at = |n: i64| Timed {
        seq: n as Seq,
        interval: Interval {
            lo: n,
            est: n + 1,
            hi: n + 2,
        },
    };
    for missing in [1, 500, 1022, 1023, 1024, 1025, 3000] {
        let mut kept = Kept::default();
        for n in (1..9000).filter(|n| *n != missing) {
            kept.take_in(&[at(n)]);
        }
        let behind: Vec<Prefix> = kept.checkpoints.clone();
        let mut late = at(missing);
        late.interval.hi = 99_999;
        let read = kept.take_in(&[late]);
        assert!(read < 3 * 1024, "{missing}: {read} rows");
        let last = kept.checkpoints.last();
        assert_eq!(
            last,
            behind.last(),
            "{missing}: what lies far behind stands"
        );
        let all: Vec<Timed> = kept.events.values().map(|(timed, _)| *timed).collect();
        assert_eq!(kept.effs(), effective(&all), "{missing}");
    }
}

#[test]
fn of_nothing_comes_nothing() {
    assert!(effective(&[]).is_empty());
    let resumed = resume(Prefix::START, &[]).expect("the start stands");
    assert!(resumed.changed.is_empty() && resumed.prefix == Prefix::START);
}

/// The checker is checked.
#[cfg(feature = "bugs")]
#[test]
fn a_spike_that_shifts_the_rest_is_caught() {
    use suyuan_sync::bugs::{Bug, with};
    let test = one_outlier_moves_another_event_at_most_by_its_gap_to_its_neighbour;
    assert!(with(Bug::SpikeShiftsTheRest, || std::panic::catch_unwind(test)).is_err());
}
