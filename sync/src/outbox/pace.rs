//! How much to send and when: batches sized for round trips of five seconds, and back-off.
//!
//! Numbers only, and whole ones, so that two implementations agree to the last digit.

use serde::{Deserialize, Serialize};

/// Fewest events of a batch, unless fewer wait or the server refused so many.
pub const BATCH_MIN: u64 = 10;
/// Most events of a batch.
pub const BATCH_MAX: u64 = 500;
/// What a round trip should take, in milliseconds.
pub const ROUND_TRIP_MS: u64 = 5_000;
/// An answer later than this is lost, in milliseconds.
pub const FLIGHT_MS: u64 = 30_000;

const FIRST_BATCH: u64 = 100;
const FIRST_WAIT_MS: u64 = 1_000;
const LONGEST_WAIT_MS: u64 = 300_000;
const NO_CREDIT_WAIT_MS: u64 = 5_000;
/// No server has a device wait longer than this, in seconds.
const LONGEST_TOLD_S: u32 = 3_600;

/// The pace of an outbox in this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// How many events the next batch may have.
    pub size: u64,
    /// How many attempts failed since the last that did not.
    pub failed: u32,
    /// Nothing is sent before.
    pub not_before: u64,
    /// The server said that it wants nothing before, so waking up does not change that.
    pub told: u64,
    /// How often something was refused for what it is, since nothing is.
    pub refused: u32,
    /// What is refused is not tried again before.
    pub again: u64,
    /// But so many turns, since the device woke.
    pub turns: u64,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            size: FIRST_BATCH,
            failed: 0,
            not_before: 0,
            told: 0,
            refused: 0,
            again: 0,
            turns: 0,
        }
    }
}

impl Pace {
    /// An attempt brought something forward: `count` events in `took` milliseconds.
    pub(super) fn went_well(&mut self, count: u64, took: u64) {
        let fits = ROUND_TRIP_MS.saturating_mul(count) / took.max(1);
        self.size = fits.clamp(BATCH_MIN, BATCH_MAX);
        self.failed = 0;
        self.not_before = 0;
        self.told = 0;
    }

    /// An attempt brought nothing forward.
    pub(super) fn failed(&mut self, now: u64, jitter: u16) {
        self.failed = self.failed.saturating_add(1);
        self.not_before = now.saturating_add(wait(self.failed, jitter));
        self.told = 0;
    }

    /// Something was refused for what it is: it is tried again more and more rarely, and what was not
    /// waits for that no longer than a round trip should take.
    pub(super) fn refused(&mut self, now: u64, jitter: u16) {
        self.refused = self.refused.saturating_add(1);
        let wait = wait(self.refused, jitter);
        self.again = now.saturating_add(wait);
        let soon = now.saturating_add(wait.min(ROUND_TRIP_MS));
        self.not_before = self.not_before.max(soon);
    }

    /// What is sent takes too long or gets lost: less of it.
    pub(super) fn slower(&mut self) {
        self.size = (self.size / 2).max(BATCH_MIN);
    }

    /// A frame of so many events is refused: half of them, down to one.
    pub(super) fn split(&mut self, count: u64) {
        self.size = (count / 2).max(1);
    }

    /// The server said how many events it takes, and when.
    pub(super) fn told(&mut self, now: u64, jitter: u16, credit: u32, retry_after: Option<u32>) {
        if credit > 0 {
            self.size = self.size.min(u64::from(credit));
        }
        let wait = match (retry_after, credit) {
            (Some(seconds), _) => u64::from(seconds.min(LONGEST_TOLD_S)).saturating_mul(1_000),
            (None, 0) => NO_CREDIT_WAIT_MS,
            (None, _) => return,
        };
        // Devices told the same do not come back in the same moment.
        let spread = wait / 4 * u64::from(jitter.min(1_000)) / 1_000;
        self.told = now.saturating_add(wait).saturating_add(spread);
        // Who is told the same again and again asks more and more rarely.
        self.not_before = self.not_before.max(self.told);
    }

    /// Something promises better luck, also to so much that is refused.
    pub(super) fn wake(&mut self, now: u64, refused: usize) {
        self.not_before = self.not_before.min(now.max(self.told));
        self.turns = refused as u64;
    }
}

/// From half to all of a second doubled with every failure, at most five minutes.
fn wait(failed: u32, jitter: u16) -> u64 {
    let doubled = FIRST_WAIT_MS << failed.saturating_sub(1).min(16);
    let longest = doubled.min(LONGEST_WAIT_MS);
    longest / 2 + longest / 2 * u64::from(jitter.min(1_000)) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_sized_for_five_seconds_between_10_and_500() {
        let mut pace = Pace::default();
        for (count, took, size) in [
            (100, 5_000, 100),
            (100, 1_000, 500),
            (100, 2_500, 200),
            (100, 60_000, 10),
            (1, 0, 500),
            (u64::MAX, 1, 500),
        ] {
            pace.went_well(count, took);
            assert_eq!(pace.size, size, "{count} in {took} ms");
        }
    }

    #[test]
    fn waiting_doubles_up_to_five_minutes_and_jitter_is_given() {
        assert_eq!((wait(1, 0), wait(1, 1_000)), (500, 1_000));
        assert_eq!((wait(4, 0), wait(4, 500)), (4_000, 6_000));
        assert_eq!(wait(u32::MAX, 1_000), LONGEST_WAIT_MS);
        assert_eq!(wait(3, u16::MAX), 4_000);
    }

    #[test]
    fn what_the_server_told_is_kept_when_waking() {
        let mut pace = Pace::default();
        pace.told(1_000, 0, 50, Some(9));
        pace.wake(2_000, 0);
        assert_eq!((pace.size, pace.not_before), (50, 10_000));
        pace.wake(12_000, 0);
        assert_eq!(pace.not_before, 10_000);
        pace.failed(1_000, 1_000);
        pace.wake(1_100, 0);
        assert_eq!(pace.not_before, 1_100);
    }

    #[test]
    fn what_is_refused_waits_longer_and_longer_and_the_rest_five_seconds_at_most() {
        let mut pace = Pace::default();
        let mut waits = Vec::new();
        for _ in 0..5 {
            pace.refused(1_000, 1_000);
            waits.push((pace.again - 1_000, pace.not_before - 1_000));
            pace.went_well(1, 1);
        }
        let all = [1, 2, 4, 8, 16].map(|s| (s * 1_000, ROUND_TRIP_MS.min(s * 1_000)));
        assert_eq!(waits, all);
        pace.told(1_000, 0, 1, Some(60));
        pace.refused(2_000, 0);
        assert_eq!(pace.not_before, 61_000, "what the server told is the least");
        pace.wake(3_000, 2);
        assert_eq!((pace.not_before, pace.turns), (61_000, 2));
    }

    #[test]
    fn who_is_refused_again_and_again_asks_more_rarely_and_wakes_no_sooner_than_told() {
        let mut pace = Pace::default();
        let mut waits = Vec::new();
        for _ in 0..6 {
            pace.failed(1_000, 1_000);
            pace.told(1_000, 0, 1, Some(2));
            waits.push(pace.not_before - 1_000);
        }
        assert_eq!(waits, [2_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
        pace.wake(1_500, 0);
        assert_eq!(pace.not_before, 3_000);
        pace.wake(5_000, 0);
        assert_eq!(pace.not_before, 3_000);
        pace.went_well(1, 1);
        assert_eq!((pace.not_before, pace.told), (0, 0));
    }
}
