//! How long the head of the log is held. Whoever holds it keeps everybody else from writing, so it
//! is measured from the moment the lock was got until it is free again, whatever ends it: a commit,
//! an act that was given up, an error. Knows no act.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// The longest of this process, in microseconds.
static LONGEST: AtomicU64 = AtomicU64::new(0);

/// The head, held; tells the metrics when it goes.
pub(super) struct Held(Instant);

impl Held {
    /// From now on.
    pub(super) fn now() -> Held {
        Held(Instant::now())
    }

    /// Until now.
    pub(super) fn ends(self) -> Duration {
        self.0.elapsed()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let held = self.0.elapsed();
        metrics::histogram!("suyuan_head_held_seconds").record(held);
        let micros = u64::try_from(held.as_micros()).unwrap_or(u64::MAX);
        let longest = LONGEST.fetch_max(micros, Ordering::Relaxed).max(micros);
        // A histogram tells no maximum, and a maximum is what is promised.
        metrics::gauge!("suyuan_head_held_longest_seconds").set(longest as f64 / 1e6);
    }
}
