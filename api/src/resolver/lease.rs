//! How long an answer may be vouched for. The lease counts from the moment a poll was sent, on
//! the monotonic clock, and is checked for every request; a process that was stopped and continued
//! finds its lease expired. A machine that was suspended finds it too: its monotonic clock stood
//! still, so the wall clock is looked at as well, and whichever says that more time has passed is
//! believed. A wall clock that was set forward costs the lease until the next poll, no more.

use crate::{
    clock::{self, Clock, Micros},
    config::Freshness,
};
use arc_swap::ArcSwap;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// May this be said now?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Yes.
    Fresh,
    /// Marked as of its time, and never `ok`.
    Grace,
    /// No.
    Expired,
}

/// The lease of this process.
pub struct Lease {
    start: Instant,
    trusted: Duration,
    grace: Duration,
    /// Milliseconds after `start` at which the last successful poll was sent, plus one; 0 = never.
    sent: AtomicU64,
    /// Wall time of that poll.
    as_of: ArcSwap<AsOf>,
    clock: Clock,
}

/// A time, written down once for all answers that tell it.
#[derive(Debug, Default)]
pub struct AsOf {
    /// The instant.
    pub at: Micros,
    /// RFC 3339, UTC.
    pub utc: String,
    /// As people in Asia/Shanghai write it.
    pub beijing: String,
}

impl Lease {
    /// Not confirmed yet.
    pub fn new(settings: &Freshness, clock: Clock) -> Lease {
        Lease {
            start: Instant::now(),
            trusted: settings.lease(),
            grace: settings.grace(),
            sent: AtomicU64::new(0),
            as_of: ArcSwap::default(),
            clock,
        }
    }

    /// A poll sent at `sent`, at wall time `as_of`, was answered and applied in full.
    pub fn renew(&self, sent: Instant, as_of: Micros) {
        let after = sent.saturating_duration_since(self.start).as_millis();
        self.as_of.store(Arc::new(AsOf {
            at: as_of,
            utc: clock::rfc3339(as_of),
            beijing: clock::beijing(as_of),
        }));
        self.sent.store(
            u64::try_from(after).unwrap_or(u64::MAX - 1) + 1,
            Ordering::Release,
        );
    }

    /// What may be said at `now`.
    pub fn state(&self, now: Instant) -> Trust {
        let sent = self.sent.load(Ordering::Acquire);
        if sent == 0 {
            return Trust::Expired;
        }
        let age = now
            .saturating_duration_since(self.start)
            .saturating_sub(Duration::from_millis(sent - 1));
        let by_wall = self.clock.now().saturating_sub(self.as_of.load().at);
        let age = age.max(Duration::from_micros(u64::try_from(by_wall).unwrap_or(0)));
        if age < self.trusted {
            Trust::Fresh
        } else if age < self.trusted + self.grace {
            Trust::Grace
        } else {
            Trust::Expired
        }
    }

    /// When what is known was last confirmed.
    pub fn as_of(&self) -> Arc<AsOf> {
        self.as_of.load_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(clock: &Clock) -> Lease {
        let settings = crate::config::Settings::load(None, &[]).unwrap();
        Lease::new(&settings.freshness, clock.clone())
    }

    #[test]
    fn nothing_is_vouched_for_before_the_first_poll() {
        let lease = lease(&Clock::system());
        assert_eq!(lease.state(Instant::now()), Trust::Expired);
    }

    #[test]
    fn it_runs_from_the_sending_through_grace_to_silence() {
        let clock = Clock::system();
        let lease = lease(&clock);
        let (sent, as_of) = (Instant::now(), clock.now());
        lease.renew(sent, as_of);
        let at = |ms| lease.state(sent + Duration::from_millis(ms));
        assert_eq!(at(0), Trust::Fresh);
        assert_eq!(at(790), Trust::Fresh);
        assert_eq!(at(810), Trust::Grace);
        assert_eq!(at(10_790), Trust::Grace);
        assert_eq!(at(10_810), Trust::Expired);
        assert_eq!(lease.as_of().at, as_of);
    }

    #[test]
    fn a_machine_that_slept_vouches_for_nothing_though_its_monotonic_clock_stood_still() {
        let clock = Clock::system();
        let lease = lease(&clock);
        let sent = Instant::now();
        lease.renew(sent, clock.now());
        assert_eq!(lease.state(sent), Trust::Fresh);
        clock.shift_by(1_000_000);
        assert_eq!(lease.state(sent), Trust::Grace);
        clock.shift_by(3_600_000_000);
        assert_eq!(lease.state(sent), Trust::Expired);
        // Set back: the monotonic clock goes on counting.
        clock.shift_by(-3_600_000_000);
        assert_eq!(lease.state(sent), Trust::Fresh);
        assert_eq!(lease.state(sent + Duration::from_secs(1)), Trust::Grace);
    }
}
