//! What time it is by the clock that stamps the log. On PostgreSQL that is the database's: a process whose own
//! clock is wrong must not tell devices a time that no stamp agrees with, or all they do offline would
//! seem to have happened when it came in (sync.md section 4). Between two looks at it the monotonic
//! clock goes on. Knows no database.

use crate::clock::{Clock, Micros};
use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// What is told is not told earlier afterwards, but where the clock was set back by more than this, in
/// microseconds: an operator hears of that.
const SET_BACK: Micros = 60 * 1_000_000;

/// See the file's header.
#[derive(Default)]
pub(super) struct DatabaseTime(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    /// When it was looked at, and what it showed.
    last: Option<(Instant, Micros)>,
    told: Micros,
}

impl DatabaseTime {
    /// It showed this, not later than now: what is told may be early by the way here, never late.
    pub(super) fn seen(&self, clock: &Clock, shown: Micros) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.last = Some((clock.monotonic(), shown));
    }

    /// What it shows now; nothing if this process has no other clock than its own.
    pub(super) fn now(&self, clock: &Clock) -> Option<Micros> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (then, shown) = seen.last?;
        let passed = clock.monotonic().saturating_duration_since(then);
        let now = shown.saturating_add(i64::try_from(passed.as_micros()).unwrap_or(i64::MAX));
        // A look that took long tells less of the time than the one before it did.
        if now > seen.told || now < seen.told.saturating_sub(SET_BACK) {
            seen.told = now;
        }
        Some(seen.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_a_wrong_clock_tells_the_databases_time() {
        const HOUR: Micros = 3_600_000_000;
        let (clock, time) = (Clock::standing(50 * HOUR), DatabaseTime::default());
        assert_eq!(time.now(&clock), None);
        time.seen(&clock, 7 * HOUR);
        assert_eq!(time.now(&clock), Some(7 * HOUR));
        clock.set(51 * HOUR);
        assert_eq!(time.now(&clock), Some(8 * HOUR));
        // Its wall clock is set, and no time passes by that.
        clock.jump_by(9 * HOUR);
        assert_eq!(time.now(&clock), Some(8 * HOUR));
        time.seen(&clock, 9 * HOUR);
        assert_eq!(time.now(&clock), Some(9 * HOUR));
        // The next look is late by a second; time is told as before until that is over.
        time.seen(&clock, 9 * HOUR - 1_000_000);
        assert_eq!(time.now(&clock), Some(9 * HOUR));
        time.seen(&clock, 2 * HOUR);
        assert_eq!(time.now(&clock), Some(2 * HOUR));
    }
}
