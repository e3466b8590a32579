//! Is a worker too far behind to take more?
//!
//! A worker answers one request after the other, so what a request waits for is the work that stood
//! in line before it. A heartbeat stands in the same line: when it is late, so is everything else,
//! and by as much. While it is overdue past the target, requests are turned away, which costs next
//! to nothing; those that were let in keep their latency. Requests in progress are bounded as well,
//! for the time when the line is short but a database is slow. Each worker has its own.

use super::{Class, settings::Settings};
use std::{
    cell::Cell,
    rc::{Rc, Weak},
    time::{Duration, Instant},
};

/// Between two beats.
const BEAT: Duration = Duration::from_millis(10);

/// How one worker stands.
pub struct Load {
    /// When the next beat is due.
    due: Cell<Instant>,
    in_progress: Cell<usize>,
    behind_max: Duration,
    in_progress_max: usize,
}

/// A request in progress; its place is free again when this goes.
pub struct Turn(Rc<Load>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.in_progress.set(self.0.in_progress.get() - 1);
    }
}

impl Load {
    /// A worker with nothing to do.
    pub fn new(settings: &Settings, now: Instant) -> Load {
        Load {
            due: Cell::new(now + BEAT),
            in_progress: Cell::new(0),
            behind_max: Duration::from_millis(settings.behind_ms),
            in_progress_max: settings.in_progress,
        }
    }

    /// Lets a request in, or not. What costs most is turned away first.
    pub fn enter(self: &Rc<Load>, class: Class, now: Instant) -> Option<Turn> {
        let quarters = match class {
            Class::Photo => 1,
            Class::Form => 2,
            Class::Typed => 3,
            Class::Scan | Class::Probe => 4,
        };
        let behind = now.saturating_duration_since(self.due.get());
        let full = self.in_progress.get() * 4 >= self.in_progress_max * quarters;
        if class != Class::Probe && (full || behind * 4 > self.behind_max * quarters as u32) {
            return None;
        }
        self.in_progress.set(self.in_progress.get() + 1);
        Some(Turn(self.clone()))
    }

    /// The heart of this worker: beats until the worker is gone.
    pub async fn beat(load: Weak<Load>) {
        while let Some(load) = load.upgrade() {
            load.due.set(Instant::now() + BEAT);
            drop(load);
            tokio::time::sleep(BEAT).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(now: Instant) -> Rc<Load> {
        let mut settings = super::super::tests::settings();
        (settings.behind_ms, settings.in_progress) = (100, 8);
        Rc::new(Load::new(&settings, now))
    }

    const BY_COST: [Class; 4] = [Class::Photo, Class::Form, Class::Typed, Class::Scan];

    #[test]
    fn the_further_behind_the_more_is_turned_away_and_probes_never() {
        let start = Instant::now();
        let load = load(start);
        // Milliseconds after the beat was due, and how many kinds are still let in.
        for (late, left) in [
            (0, 4),
            (25, 4),
            (26, 3),
            (51, 2),
            (76, 1),
            (100, 1),
            (101, 0),
        ] {
            let now = start + BEAT + Duration::from_millis(late);
            let let_in = BY_COST.map(|class| load.enter(class, now).is_some());
            assert_eq!(let_in.iter().filter(|yes| **yes).count(), left, "{late} ms");
            assert!(let_in.is_sorted(), "{late} ms: {let_in:?}");
            assert!(load.enter(Class::Probe, now).is_some());
        }
    }

    #[test]
    fn so_many_are_in_progress_and_no_more() {
        let now = Instant::now();
        let load = load(now);
        let mut turns = Vec::new();
        for (class, until) in BY_COST.into_iter().zip([2, 4, 6, 8]) {
            while let Some(turn) = load.enter(class, now) {
                turns.push(turn);
            }
            assert_eq!(turns.len(), until, "{class:?}");
        }
        assert!(load.enter(Class::Probe, now).is_some());
        turns.truncate(1);
        assert!(load.enter(Class::Photo, now).is_some());
    }
}
