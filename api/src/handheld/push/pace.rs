//! How much goes into one act: as much as can be read, folded and written while the head of the log is
//! held, which is what all others wait for. How long that takes depends on the machine and on what
//! the events name, so it is learned from the acts before. Pure: knows no clock.

use super::weigh::WEIGHT_MAX;
use std::time::Duration;

/// How long an act should hold the head. The agreement says 50 ms (sync.md section 4); the rest is for what no
/// act foresees: a slow disk, other work on the same processor.
pub const AIM: Duration = Duration::from_millis(25);
/// What the first act may weigh.
const FIRST: usize = 128;
/// Less than this is not worth an act of its own, however slow the machine: an act costs as much as some forty
/// events, and acts that get smaller under load would make the load worse.
const LEAST: usize = 64;

/// What the next act may weigh ([`super::weigh::weight`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace(usize);

impl Default for Pace {
    fn default() -> Pace {
        Pace(FIRST)
    }
}

impl Pace {
    /// Most units and lots that the events of the next act name together.
    pub fn limit(self) -> usize {
        self.0
    }

    /// After an act of this weight held the head for so long. Each goes a quarter of the way (of the
    /// ratio) to where a full one takes what it should: a slow disk is soon forgiven. One that is far from full says
    /// nothing, since what an act costs anyhow is most of it.
    #[must_use]
    pub fn after(self, weight: usize, held: Duration) -> Pace {
        if weight < self.0 / 2 {
            return self;
        }
        let limit = self.0 as f64;
        let full = held.as_secs_f64().max(1e-4) * limit / weight as f64;
        let ratio = (AIM.as_secs_f64() / full).clamp(0.25, 4.0);
        let next = limit * ratio.powf(0.25);
        Pace((next.round() as usize).clamp(LEAST, WEIGHT_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Acts as large as they may be, on a machine that takes so long for each event and for each commit.
    fn settled(from: Pace, each: Duration, commit: Duration) -> Pace {
        (0..200).fold(from, |pace, _| {
            let weight = pace.limit();
            pace.after(weight, commit + each * weight as u32)
        })
    }

    #[test]
    fn it_settles_where_an_act_takes_what_it_may() {
        for (each, commit) in [(70, 3), (200, 3), (300, 1), (70, 15)] {
            let (each, commit) = (Duration::from_micros(each), ms(commit));
            let pace = settled(Pace::default(), each, commit);
            let held = commit + each * pace.limit() as u32;
            let off = held.as_secs_f64() / AIM.as_secs_f64();
            assert!(
                (0.95..1.05).contains(&off),
                "{pace:?} holds the head {held:?}"
            );
        }
    }

    #[test]
    fn small_acts_teach_nothing_of_large_ones() {
        let pace = settled(Pace::default(), ms(0) + Duration::from_micros(70), ms(3));
        assert_eq!(pace.after(1, ms(4)), pace);
        assert_eq!(pace.after(1, ms(400)), pace);
        let most = pace.limit();
        assert!(pace.after(most * 2 / 3, ms(10)).limit() > most);
        assert!(pace.after(most * 2 / 3, ms(20)).limit() < most);
    }

    #[test]
    fn a_slow_disk_is_forgiven_and_never_stops_everything() {
        let pace = settled(Pace::default(), Duration::from_micros(70), ms(3));
        let once = pace.after(pace.limit(), Duration::from_secs(9));
        assert!(once.limit() > pace.limit() * 2 / 3 && once.limit() < pace.limit() * 3 / 4);
        let slow = settled(pace, ms(50), ms(100));
        assert_eq!(slow.limit(), LEAST);
        let fast = settled(slow, ms(0), ms(0));
        assert_eq!(fast.limit(), WEIGHT_MAX);
    }
}
