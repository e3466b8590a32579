//! Who has a person before it: a device with little waiting, unless that little is the end of a long
//! drain. Pure.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// A device with no more than this waiting has a person before it, who waits for nothing else.
const INTERACTIVE_MAX: u64 = 50;
/// A device that drains and is not heard of for so long stopped draining.
const SILENT: Duration = Duration::from_mins(1);
/// Above so many, those that are silent are forgotten.
const KEPT: usize = 1000;

/// Which queue a push waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Somebody stands there.
    Person,
    /// Nobody does.
    Backlog,
}

/// Devices with a backlog that is not home yet.
#[derive(Debug)]
pub struct Drains<K>(HashMap<K, Instant>);

impl<K> Default for Drains<K> {
    fn default() -> Drains<K> {
        Drains(HashMap::new())
    }
}

impl<K: Hash + Eq> Drains<K> {
    /// The lane of a push of a device that has so many events waiting, those of the push among them.
    pub fn lane(&mut self, device: K, waiting: u64, events: u64, now: Instant) -> Lane {
        let drains = self
            .0
            .get(&device)
            .is_some_and(|heard| now < *heard + SILENT);
        if waiting <= INTERACTIVE_MAX && !drains {
            self.0.remove(&device);
            return Lane::Person;
        }
        if waiting > events {
            if self.0.len() >= KEPT {
                self.0.retain(|_, heard| now < *heard + SILENT);
            }
            self.0.insert(device, now);
        } else {
            // All that is left is in this push.
            self.0.remove(&device);
        }
        Lane::Backlog
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_drain_is_backlog_and_what_comes_after_it_is_not() {
        let (mut drains, now) = (Drains::default(), Instant::now());
        assert_eq!(drains.lane(1, 1, 1, now), Lane::Person);
        for left in [240, 140, 40] {
            assert_eq!(drains.lane(2, left, left.min(100), now), Lane::Backlog);
        }
        assert_eq!(drains.lane(2, 1, 1, now), Lane::Person);
        assert_eq!(
            drains.lane(3, 40, 20, now),
            Lane::Person,
            "who never had more"
        );
    }

    #[test]
    fn a_drain_that_stopped_is_forgotten() {
        let (mut drains, mut now) = (Drains::default(), Instant::now());
        assert_eq!(drains.lane(0, 500, 100, now), Lane::Backlog);
        now += SILENT;
        assert_eq!(drains.lane(0, 10, 10, now), Lane::Person);
        for device in 0..5 * KEPT {
            drains.lane(device, 500, 100, now);
            now += Duration::from_millis(200);
        }
        assert!(drains.0.len() <= KEPT, "{}", drains.0.len());
    }
}
