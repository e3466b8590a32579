//! Watches the clock that stamps the log: it may drift, not jump. After a jump nothing is written
//! until an operator has looked (sync.md section 4): stamps that are far off could never be taken
//! back.
//!
//! What is watched is what the clock shows, not the stamps: where it was set back they stand above it
//! until it has caught up, however long nothing happens meanwhile. It knows no database.

use super::Position;
use crate::clock::Micros;
use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// A step of more than this against the monotonic clock is a jump, in microseconds.
const JUMP: Micros = 60 * 1_000_000;

/// An installation that seems to have been off for longer than this has a clock that is wrong, in
/// microseconds.
const OFF: Micros = 31 * 86_400 * 1_000_000;

/// See the file's header.
pub(super) struct ClockWatch(Mutex<Seen>);

struct Seen {
    /// When something was last allowed, and what the clock showed.
    last: Option<(Instant, Micros)>,
    /// What it showed before this process began.
    before: Micros,
    /// The last position there was at either.
    position: Position,
    jumped: bool,
}

impl ClockWatch {
    /// Begins where the log stands: at this position the clock showed this.
    pub(super) fn new(position: Position, shown: Micros) -> ClockWatch {
        ClockWatch(Mutex::new(Seen {
            last: None,
            before: shown,
            position,
            jumped: false,
        }))
    }

    /// May something be written behind `position`, when the clock shows this?
    pub(super) fn allows(&self, now: Instant, position: Position, shown: Micros) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.jumped {
            return false;
        }
        let (least, most) = match seen.last {
            Some((then, was)) => {
                let expected = was.saturating_add(between(then, now));
                (expected, expected.saturating_add(JUMP))
            }
            None => (seen.before, seen.before.saturating_add(OFF)),
        };
        if shown < least.saturating_sub(JUMP) || shown > most {
            seen.jumped = true;
            tracing::error!(
                shown,
                expected = least,
                "the clock jumped: all writing waits for an operator"
            );
            return false;
        }
        seen.last = Some((now, shown));
        seen.position = position;
        true
    }

    /// Behind which position a confirmation is of what is seen now.
    pub(super) fn last_allowed(&self) -> Position {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.position
    }

    /// An operator confirmed the clock when it showed `confirmed`. Nothing is expected any more but
    /// that it is not behind that.
    pub(super) fn confirmed(&self, confirmed: Micros) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.last = None;
        seen.before = confirmed;
        seen.jumped = false;
    }
}

/// From one instant to another; a clock in tests is also gone back.
fn between(then: Instant, now: Instant) -> Micros {
    let micros = |from, to: Instant| {
        let passed = to.saturating_duration_since(from).as_micros();
        Micros::try_from(passed).unwrap_or(Micros::MAX)
    };
    micros(then, now) - micros(now, then)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: Micros = 1_000_000;

    #[test]
    fn a_clock_may_drift_and_not_jump() {
        for jump in [61 * SECOND, -61 * SECOND] {
            let watch = ClockWatch::new(7, 0);
            let start = Instant::now();
            let after = |s: u64| start + Duration::from_secs(s);
            assert!(watch.allows(start, 8, 1000 * SECOND));
            // A minute in ten, ten times over, is drift.
            assert!(watch.allows(after(600), 9, 1659 * SECOND));
            let expected = 2259 * SECOND;
            assert!(!watch.allows(after(1200), 10, expected + jump));
            // Nor when it goes back to what it was: somebody has to look.
            assert!(!watch.allows(after(1200), 10, expected));
            assert_eq!(watch.last_allowed(), 9);
            watch.confirmed(expected + jump);
            assert!(watch.allows(after(1201), 11, expected + jump));
            assert_eq!(watch.last_allowed(), 11);
        }
    }

    #[test]
    fn the_first_look_is_held_against_what_the_log_says() {
        let now = Instant::now();
        for (shown, allowed) in [
            (-61 * SECOND, false),
            (0, true),
            (OFF, true),
            (OFF + 1, false),
        ] {
            let watch = ClockWatch::new(7, 1000 * SECOND);
            assert_eq!(watch.allows(now, 7, 1000 * SECOND + shown), allowed);
        }
    }
}
