//! Token buckets for any number of callers in memory of a fixed size.
//!
//! A table holds a fixed number of cells; a caller has one cell in either half (its [`Spot`]) and
//! is refused only when both are used up. So nothing is ever evicted and nobody can have a bucket
//! forgotten by bringing many addresses; and whoever shares one cell with an abuser still has the
//! other. With five hundred abusive addresses at work, about one other address in a thousand shares
//! both. Knows neither addresses nor HTTP; the arithmetic is `governor`'s.

use super::{
    place::{HALF, Spot},
    settings::Rate,
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock, Reference},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, StateStore},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// The cells of one table.
#[derive(Clone)]
struct Cells(Arc<[InMemoryState]>);

impl Cells {
    /// Reads or changes one cell: the time at which it is full again, since the table's start.
    fn with<T, E>(
        &self,
        cell: u32,
        change: impl Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    ) -> Result<T, E> {
        self.0[cell as usize].measure_and_replace(&NotKeyed::NonKey, change)
    }
}

impl StateStore for Cells {
    type Key = u32;

    fn measure_and_replace<T, F, E>(&self, cell: &u32, change: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.with(*cell, change)
    }
}

/// One table: one rate for every caller.
pub struct Buckets<C: Clock = DefaultClock> {
    limiter: RateLimiter<u32, Cells, C, NoOpMiddleware<C::Instant>>,
    cells: Cells,
    clock: C,
    start: C::Instant,
    /// Between two tokens, in nanoseconds.
    step: u64,
    /// How far ahead a used-up cell stands.
    span: u64,
    /// What was taken from each cell since it was last told to the other processes.
    taken: Box<[AtomicU32]>,
}

/// A token will be there after this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wait(pub Duration);

impl Buckets {
    /// Full buckets on the system's clock.
    pub fn new(rate: Rate) -> Buckets {
        Buckets::with_clock(rate, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Buckets<C> {
    /// Full buckets.
    pub fn with_clock(rate: Rate, clock: C) -> Buckets<C> {
        let period = Duration::from_mins(1) / rate.per_minute.get();
        let quota = Quota::with_period(period.max(Duration::from_nanos(1)))
            .unwrap_or(Quota::per_minute(rate.per_minute))
            .allow_burst(rate.burst);
        let cells = Cells((0..2 * HALF).map(|_| InMemoryState::default()).collect());
        let start = clock.now();
        let step = quota.replenish_interval().as_nanos() as u64;
        Buckets {
            limiter: RateLimiter::new(quota, cells.clone(), clock.clone()),
            cells,
            clock,
            start,
            step,
            span: step * u64::from(rate.burst.get() - 1),
            taken: (0..2 * HALF).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    /// Takes a token, or says when there will be one.
    pub fn take(&self, spot: Spot) -> Result<(), Wait> {
        // Both are asked, so that both are charged.
        let [a, b] = spot.0.map(|cell| self.limiter.check_key(&cell));
        if let (Err(a), Err(b)) = (&a, &b) {
            let now = self.clock.now();
            return Err(Wait(a.wait_time_from(now).min(b.wait_time_from(now))));
        }
        for cell in spot.0 {
            self.taken[cell as usize].fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Is nothing left? Takes nothing.
    pub fn is_used_up(&self, spot: Spot) -> Option<Wait> {
        let now = self.now();
        let wait = |cell| {
            let full_at = self.cells.with(cell, Err::<((), Nanos), _>);
            let full_at = full_at.err().flatten().map_or(0, Nanos::as_u64);
            full_at.saturating_sub(self.span).saturating_sub(now)
        };
        let [a, b] = spot.0.map(wait);
        let wait = a.min(b);
        (wait > 0).then(|| Wait(Duration::from_nanos(wait)))
    }

    /// What was taken since this was last asked: cells, and how much of each.
    pub fn told(&self) -> Vec<(u32, u32)> {
        let cells = self.taken.iter().zip(0..);
        cells
            .filter(|(taken, _)| taken.load(Ordering::Relaxed) > 0)
            .map(|(taken, cell)| (cell, taken.swap(0, Ordering::Relaxed)))
            .collect()
    }

    /// Charges what another process took. A cell may go into debt, so that processes together keep
    /// the rate; never deeper than its burst, so that nobody is shut out for long.
    pub fn charge(&self, cell: u32, tokens: u32) {
        if cell >= 2 * HALF {
            return;
        }
        let now = self.now();
        let deepest = now + 2 * self.span + self.step;
        let cost = self.step.saturating_mul(u64::from(tokens));
        let charged = self.cells.with(cell, |at| {
            let at = at.map_or(now, |at| at.as_u64().max(now));
            let later = at.saturating_add(cost).min(deepest).max(at);
            Ok::<_, std::convert::Infallible>(((), Nanos::from(later)))
        });
        let Ok(()) = charged;
    }

    fn now(&self) -> u64 {
        self.clock.now().duration_since(self.start).as_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::num::NonZeroU32;

    fn rate(per_minute: u32, burst: u32) -> Rate {
        Rate {
            per_minute: NonZeroU32::new(per_minute).unwrap(),
            burst: NonZeroU32::new(burst).unwrap(),
        }
    }

    fn spot(n: u32) -> Spot {
        Spot([n, HALF + n])
    }

    fn table(per_minute: u32, burst: u32) -> (Buckets<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let buckets = Buckets::with_clock(rate(per_minute, burst), clock.clone());
        // Times near the start are special nowhere.
        clock.advance(Duration::from_secs(1000));
        (buckets, clock)
    }

    /// Tokens to be had at once.
    fn left(buckets: &Buckets<FakeRelativeClock>, spot: Spot) -> usize {
        (0..100_000)
            .take_while(|_| buckets.take(spot).is_ok())
            .count()
    }

    #[test]
    fn a_burst_then_the_rate_then_a_burst_again() {
        let (buckets, clock) = table(60, 5);
        assert_eq!(left(&buckets, spot(1)), 5);
        assert_eq!(
            buckets.take(spot(1)),
            Err(Wait(Duration::from_secs(1))),
            "it says when"
        );
        assert_eq!(left(&buckets, spot(2)), 5, "others have their own");
        clock.advance(Duration::from_secs(3));
        assert_eq!(left(&buckets, spot(1)), 3);
        clock.advance(Duration::from_hours(1));
        assert_eq!(left(&buckets, spot(1)), 5, "a pause saves up no more");
    }

    #[test]
    fn looking_takes_nothing() {
        let (buckets, clock) = table(60, 2);
        assert_eq!(buckets.is_used_up(spot(1)), None);
        assert_eq!(left(&buckets, spot(1)), 2);
        let wait = buckets.is_used_up(spot(1));
        assert_eq!(wait, Some(Wait(Duration::from_secs(1))));
        assert_eq!(wait, buckets.is_used_up(spot(1)));
        clock.advance(Duration::from_secs(1));
        assert_eq!(buckets.is_used_up(spot(1)), None);
    }

    #[test]
    fn whoever_shares_one_cell_with_an_abuser_still_has_the_other() {
        let (buckets, _) = table(60, 5);
        let abuser = Spot([1, HALF + 1]);
        assert_eq!(left(&buckets, abuser), 5);
        assert_eq!(left(&buckets, Spot([1, HALF + 2])), 5);
        assert_eq!(left(&buckets, Spot([3, HALF + 1])), 5);
    }

    #[test]
    fn others_buckets_cannot_be_reset_by_bringing_many_addresses() {
        let (buckets, _) = table(1, 10);
        let abuser = spot(0);
        assert_eq!(left(&buckets, abuser), 10);
        for n in 1..HALF {
            buckets.take(spot(n)).unwrap();
        }
        assert_eq!(left(&buckets, abuser), 0);
    }

    #[test]
    fn processes_that_tell_each_other_keep_the_rate_together() {
        let clock = FakeRelativeClock::default();
        let all: Vec<_> = (0..3)
            .map(|_| Buckets::with_clock(rate(6000, 100), clock.clone()))
            .collect();
        clock.advance(Duration::from_secs(1000));
        let mut admitted = Vec::new();
        // Ten seconds, told every 200 ms; each process is asked as much as it will give.
        for _ in 0..50 {
            admitted.push(all.iter().map(|one| left(one, spot(1))).sum::<usize>());
            let told: Vec<_> = all.iter().map(Buckets::told).collect();
            for (from, told) in told.iter().enumerate() {
                for (to, buckets) in all.iter().enumerate() {
                    for (cell, tokens) in told {
                        if to != from {
                            buckets.charge(*cell, *tokens);
                        }
                    }
                }
            }
            clock.advance(Duration::from_millis(200));
        }
        // The burst is given by each once; after that the rate is kept together: 100 a second.
        let later: usize = admitted[25..].iter().sum();
        assert!((400..=750).contains(&later), "{later} in five seconds");
        let total: usize = admitted.iter().sum();
        assert!(total <= 3 * 100 + 1500, "{total} in ten seconds");
    }

    #[test]
    fn a_debt_ends() {
        let (buckets, clock) = table(60, 5);
        buckets.charge(1, u32::MAX);
        buckets.charge(HALF + 1, u32::MAX);
        buckets.charge(u32::MAX, 1);
        assert_eq!(left(&buckets, spot(1)), 0);
        clock.advance(Duration::from_secs(14));
        assert_eq!(left(&buckets, spot(1)), 5);
    }

    #[test]
    fn what_is_told_is_told_once() {
        let (buckets, _) = table(60, 5);
        buckets.take(spot(1)).unwrap();
        buckets.take(spot(1)).unwrap();
        assert_eq!(buckets.told(), [(1, 2), (HALF + 1, 2)]);
        assert_eq!(buckets.told(), []);
    }
}
