//! The interval of one event: not before, the device's word, not after.
//!
//! A pure function of the event and its receipt, so that it can be frozen when the event is
//! admitted and never changes again, whatever else comes in. It must not know other events.

use crate::{
    event::Event,
    finding::FindingCode,
    ids::Micros,
    limits::{CLOCK_JUMP_MS, CLOCK_SKEW_S, LATE_S},
    order::Interval,
};

/// What an event says of time, with its anchor verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The instant of the anchor the event carries; `None` if it carries none or a bad one.
    pub anchor: Option<Micros>,
    /// The device's wall clock when it happened.
    pub at: Micros,
    /// The device's wall clock when it received the anchor.
    pub anchor_wall: Option<Micros>,
    /// Milliseconds on the monotonic clock since it received the anchor, in the same session; else 0.
    pub mono_ms: u64,
}

impl ClockReading {
    /// What this event says, with its anchor verified by the caller.
    pub fn of(event: &Event, anchor: Option<Micros>) -> ClockReading {
        ClockReading {
            anchor,
            at: event.at,
            anchor_wall: event.anchor_wall,
            mono_ms: event.mono_ms,
        }
    }
}

const MICROS_PER_S: Micros = 1_000_000;
const SKEW: Micros = CLOCK_SKEW_S * MICROS_PER_S;
const JUMP: Micros = CLOCK_JUMP_MS * 1_000;

/// The interval of an event received at `recv` from an epoch enrolled at `enrolled`, and what is
/// remarkable about its clocks. `lo ≤ est ≤ hi` always; hostile values saturate.
///
/// - `hi = recv`; `lo = anchor + mono`, at most `hi`.
/// - `est = anchor + mono` while the monotonic clock counts, else `anchor` and the wall clock's
///   delta since, kept within `[lo, hi]`.
/// - Without a valid anchor the epoch's enrolment serves as one; `anchor_wall` and `mono` belong to
///   the anchor that is missing and go with it, so the device's word is its wall clock as it stands.
pub fn interval(
    reading: &ClockReading,
    enrolled: Micros,
    recv: Micros,
) -> (Interval, Vec<FindingCode>) {
    let mut flags = Vec::new();
    let hi = recv;
    let (lo, word) = if let Some(anchor) = reading.anchor {
        anchored(reading, anchor, &mut flags)
    } else {
        flags.push(FindingCode::NoAnchor);
        (enrolled, reading.at)
    };
    // The device's word lies after the receipt, or its clock does: a clock ahead of ours.
    if beyond(word, hi, SKEW) || beyond(reading.at, hi, SKEW) {
        flags.push(FindingCode::ClockAhead);
    } else if let (Some(anchor), Some(wall)) = (reading.anchor, reading.anchor_wall)
        && beyond(wall, anchor, SKEW)
    {
        flags.push(FindingCode::ClockAhead);
    }
    if went_back(reading, lo.min(hi)) {
        flags.push(FindingCode::ClockBack);
    }
    let lo = lo.min(hi);
    let est = word.clamp(lo, hi);
    if beyond(hi, est, LATE_S * MICROS_PER_S) {
        flags.push(FindingCode::Late);
    }
    flags.sort_unstable();
    (Interval { lo, est, hi }, flags)
}

/// Lower bound and word of an event with a valid anchor.
fn anchored(
    reading: &ClockReading,
    anchor: Micros,
    flags: &mut Vec<FindingCode>,
) -> (Micros, Micros) {
    let mono = Micros::try_from(reading.mono_ms)
        .unwrap_or(Micros::MAX)
        .saturating_mul(1_000);
    let wall = reading
        .anchor_wall
        .map(|wall| reading.at.saturating_sub(wall));
    let lo = anchor.saturating_add(mono);
    if mono > 0 {
        if wall.is_some_and(|wall| wall.abs_diff(mono) > JUMP.unsigned_abs()) {
            flags.push(FindingCode::ClockJump);
        }
        (lo, lo)
    } else {
        // Without a wall reading of its receipt the anchor itself is all that is known.
        (lo, anchor.saturating_add(wall.unwrap_or(0)))
    }
}

/// Does the wall clock stand before what it must have passed?
fn went_back(reading: &ClockReading, lo: Micros) -> bool {
    let behind = beyond(lo, reading.at, SKEW);
    let Some((anchor, wall)) = reading.anchor.zip(reading.anchor_wall) else {
        return behind;
    };
    behind || beyond(anchor, wall, SKEW) || beyond(wall, reading.at, JUMP)
}

/// Is `a` after `b` by more than `by`?
fn beyond(a: Micros, b: Micros, by: Micros) -> bool {
    a.saturating_sub(b) > by
}
