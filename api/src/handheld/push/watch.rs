//! Watches the clock that stamps the log: it may drift, not jump. After a jump nothing is admitted
//! until an operator has looked (sync.md section 4): stamps that are far off could never be taken
//! back.

use crate::clock::Micros;
use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// A step of more than this against the monotonic clock is a jump, in microseconds.
const JUMP: Micros = 60 * 1_000_000;

/// See the file's header.
#[derive(Default)]
pub struct ClockWatch(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    last: Option<(Instant, Micros)>,
    jumped: bool,
}

impl ClockWatch {
    /// May something be stamped `stamp`, now? The first time and after a confirmation, anything may.
    pub fn allows(&self, now: Instant, stamp: Micros) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.jumped {
            return false;
        }
        if let Some((then, was)) = seen.last {
            let passed = now.saturating_duration_since(then).as_micros();
            let expected = was.saturating_add(Micros::try_from(passed).unwrap_or(Micros::MAX));
            if stamp.saturating_sub(expected).saturating_abs() > JUMP {
                seen.jumped = true;
                tracing::error!(
                    stamp,
                    expected,
                    "the clock jumped: uploads wait for an operator"
                );
                return false;
            }
        }
        seen.last = Some((now, stamp));
        true
    }

    /// An operator says that the clock is right as it is. Had it jumped?
    pub fn confirm(&self) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.last = None;
        std::mem::take(&mut seen.jumped)
    }

    /// Does it wait for an operator?
    pub fn jumped(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).jumped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_clock_may_drift_and_not_jump() {
        for jump in [61 * 1_000_000, -61 * 1_000_000] {
            let watch = ClockWatch::default();
            let start = Instant::now();
            let after = |s: u64| start + Duration::from_secs(s);
            assert!(watch.allows(start, 1_000_000_000));
            // A minute in ten, ten times over, is drift.
            assert!(watch.allows(after(600), 1_000_000_000 + 659 * 1_000_000));
            let expected = 1_000_000_000 + 1259 * 1_000_000;
            assert!(!watch.allows(after(1200), expected + jump));
            // Nor when it goes back to what it was: somebody has to look.
            assert!(!watch.allows(after(1200), expected));
            assert!(watch.confirm());
            assert!(watch.allows(after(1201), expected + jump));
            assert!(!watch.confirm());
        }
    }
}
