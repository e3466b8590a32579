//! What failed lately and rests before it is tried again, so that it stops nothing else and is not
//! tried every second. Knows nothing of what it is that failed.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// The longest rest.
const REST_MAX: Duration = Duration::from_hours(1);

/// Things by key that failed since they last succeeded.
#[derive(Debug)]
pub struct Failing<K>(HashMap<K, (u32, Instant)>);

impl<K> Default for Failing<K> {
    fn default() -> Failing<K> {
        Failing(HashMap::new())
    }
}

impl<K: Hash + Eq> Failing<K> {
    /// It failed: it rests, longer each time. Tells how often it did by now.
    pub fn failed(&mut self, key: K, now: Instant) -> u32 {
        let (times, until) = self.0.entry(key).or_insert((0, now));
        *times = times.saturating_add(1);
        let rest = Duration::from_secs(1 << (*times - 1).min(12));
        *until = now + rest.min(REST_MAX);
        *times
    }

    /// It succeeded, or is no more.
    pub fn done(&mut self, key: &K) {
        self.0.remove(key);
    }

    /// Does it rest?
    pub fn rests(&self, key: &K, now: Instant) -> bool {
        self.0.get(key).is_some_and(|(_, until)| *until > now)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Nothing failed?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets what is not asked for any more.
    pub fn retain(&mut self, still: impl Fn(&K) -> bool) {
        self.0.retain(|key, _| still(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_rests_longer_each_time_and_no_longer_than_an_hour() {
        let (mut failing, mut now) = (Failing::default(), Instant::now());
        assert!(!failing.rests(&1, now));
        let mut before = Duration::ZERO;
        for times in 1..40 {
            assert_eq!(failing.failed(1, now), times);
            let mut rest = Duration::ZERO;
            while failing.rests(&1, now + rest) {
                rest += Duration::from_secs(1);
            }
            assert!(rest >= before && rest <= REST_MAX, "{rest:?}");
            (before, now) = (rest, now + rest);
        }
        assert_eq!(before, REST_MAX);
        assert!(!failing.rests(&2, now), "others do not rest");
        failing.done(&1);
        assert_eq!(failing.failed(1, now), 1);
    }
}
