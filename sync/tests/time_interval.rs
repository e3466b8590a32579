//! The interval of one event and the remarks on its clocks (sync.md section 4), rule by rule and
//! under hostile numbers.

use proptest::prelude::*;
use suyuan_sync::{
    finding::FindingCode::{self, ClockAhead, ClockBack, ClockJump, Late, NoAnchor},
    ids::Micros,
    order::Interval,
    time::{ClockReading, interval},
};

const S: Micros = 1_000_000;
const DAY: Micros = 86_400 * S;
const NOON: Micros = 1_800_000_000 * S;
const ENROLLED: Micros = NOON - 30 * DAY;

/// A device whose wall clock is right, ten seconds after its anchor, at which it pushed.
fn right() -> ClockReading {
    ClockReading {
        anchor: Some(NOON),
        at: NOON + 10 * S,
        anchor_wall: Some(NOON),
        mono_ms: 10_000,
    }
}

fn judged(reading: ClockReading, recv: Micros) -> (Interval, Vec<FindingCode>) {
    interval(&reading, ENROLLED, recv)
}

#[test]
fn the_interval_reaches_from_anchor_and_monotonic_clock_to_the_receipt() {
    let (found, flags) = judged(right(), NOON + 15 * S);
    let expected = Interval {
        lo: NOON + 10 * S,
        est: NOON + 10 * S,
        hi: NOON + 15 * S,
    };
    assert_eq!((found, flags), (expected, vec![]));
}

#[test]
fn without_a_monotonic_clock_the_wall_clocks_delta_since_the_anchor_is_the_devices_word() {
    let skewed = ClockReading {
        at: 77 * S,
        anchor_wall: Some(70 * S),
        mono_ms: 0,
        ..right()
    };
    let (found, flags) = judged(skewed, NOON + 15 * S);
    assert_eq!((found.lo, found.est), (NOON, NOON + 7 * S));
    assert_eq!(flags, [ClockBack], "the clock stands in 1970");
}

#[test]
fn clocks_of_one_session_apart_by_more_than_two_seconds_give_clock_jump_and_mono_wins() {
    let by = |ms: Micros| ClockReading {
        at: NOON + 10 * S + ms * 1000,
        ..right()
    };
    assert_eq!(judged(by(2000), NOON + 15 * S).1, []);
    assert_eq!(judged(by(-2000), NOON + 15 * S).1, []);
    for ms in [2001, -2001] {
        let (found, flags) = judged(by(ms), NOON + 15 * S);
        assert_eq!(found.est, NOON + 10 * S);
        assert_eq!(flags, [ClockJump]);
    }
}

#[test]
fn without_a_valid_anchor_the_enrolment_serves_and_no_anchor_is_flagged() {
    let without = ClockReading {
        anchor: None,
        ..right()
    };
    let (found, flags) = judged(without, NOON + 15 * S);
    let expected = Interval {
        lo: ENROLLED,
        est: NOON + 10 * S,
        hi: NOON + 15 * S,
    };
    assert_eq!(
        (found, flags),
        (expected, vec![NoAnchor]),
        "what belongs to the missing anchor goes with it"
    );
}

#[test]
fn a_clock_ahead_of_the_receipt_is_flagged_and_its_word_kept_within_bounds() {
    let ahead = ClockReading {
        at: NOON + 3650 * DAY,
        anchor_wall: Some(NOON + 3650 * DAY - 10 * S),
        ..right()
    };
    assert_eq!(judged(ahead, NOON + 15 * S).1, [ClockAhead]);
    let jumped = ClockReading {
        at: NOON + 400 * DAY,
        mono_ms: 0,
        ..right()
    };
    let (found, flags) = judged(jumped, NOON + 15 * S);
    assert_eq!(found.est, found.hi);
    assert_eq!(flags, [ClockAhead]);
}

#[test]
fn a_clock_behind_its_anchor_or_gone_back_since_is_flagged() {
    let behind = ClockReading {
        at: NOON - 3650 * DAY + 10 * S,
        anchor_wall: Some(NOON - 3650 * DAY),
        ..right()
    };
    assert_eq!(judged(behind, NOON + 15 * S).1, [ClockBack]);
    let back = ClockReading {
        at: NOON - 5 * S,
        mono_ms: 0,
        ..right()
    };
    let (found, flags) = judged(back, NOON + 15 * S);
    assert_eq!(found.est, NOON, "never before its anchor");
    assert_eq!(flags, [ClockBack]);
}

#[test]
fn an_event_received_more_than_a_day_after_it_happened_is_late() {
    let happened = NOON + 10 * S;
    assert_eq!(judged(right(), happened + DAY).1, []);
    assert_eq!(judged(right(), happened + DAY + 1).1, [Late]);
}

#[test]
fn an_anchor_beyond_the_receipt_gives_no_empty_interval() {
    let (found, flags) = judged(
        ClockReading {
            mono_ms: u64::MAX,
            ..right()
        },
        NOON + 15 * S,
    );
    assert_eq!((found.lo, found.est), (found.hi, found.hi));
    assert_eq!(flags, [ClockAhead, ClockJump]);
}

fn any_micros() -> impl Strategy<Value = Micros> {
    prop_oneof![
        any::<Micros>(),
        Just(Micros::MIN),
        Just(Micros::MAX),
        NOON - 3650 * DAY..NOON + 3650 * DAY
    ]
}

proptest! {
    /// I33 for clocks: whatever the numbers, lo ≤ est ≤ hi = recv, flags are few and sorted.
    #[test]
    fn hostile_numbers_saturate(
        anchor in proptest::option::of(any_micros()),
        at in any_micros(),
        anchor_wall in proptest::option::of(any_micros()),
        mono_ms in prop_oneof![any::<u64>(), 0..100_000u64],
        enrolled in any_micros(),
        recv in any_micros(),
    ) {
        let reading = ClockReading { anchor, at, anchor_wall, mono_ms };
        let (found, flags) = interval(&reading, enrolled, recv);
        prop_assert!(found.lo <= found.est && found.est <= found.hi);
        prop_assert_eq!(found.hi, recv);
        prop_assert!(flags.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert_eq!(flags.contains(&NoAnchor), anchor.is_none());
    }

    /// Only est and the flags depend on the wall clock; the bounds never do.
    #[test]
    fn the_wall_clock_never_moves_the_bounds(
        anchor in proptest::option::of(any_micros()),
        at in any_micros(),
        other in any_micros(),
        mono_ms in any::<u64>(),
        recv in any_micros(),
    ) {
        let of = |at| {
            let reading = ClockReading { anchor, at, anchor_wall: Some(NOON), mono_ms };
            let found = interval(&reading, ENROLLED, recv).0;
            (found.lo, found.hi)
        };
        prop_assert_eq!(of(at), of(other));
    }
}
