//! How long the head of the log is held, and by what. Whoever holds it keeps everybody else from writing,
//! so it is measured from the moment the lock was got until it is free again, whatever ends it: a commit,
//! an act that was given up, an error (a commit's as well). How much of it was the commit is told apart: that is the disk's. Knows
//! acts by their names only.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The longest of this process by act, and how much of each was its commit.
static LONGEST: Mutex<BTreeMap<&'static str, (Duration, Duration)>> = Mutex::new(BTreeMap::new());

/// What it was held for is told when that is done; an act that was given up is called this.
const GIVEN_UP: &str = "given_up";

/// No transaction is to hold it longer (sync.md section 4).
const LONG: Duration = Duration::from_millis(50);

/// The head, held; tells the metrics when it goes.
pub(super) struct Held {
    since: Instant,
    told: bool,
}

impl Held {
    /// From now on.
    pub(super) fn now() -> Held {
        Held {
            since: Instant::now(),
            told: false,
        }
    }

    /// Until now, for an act that was given up.
    pub(super) fn given_up(self) -> Duration {
        self.since.elapsed()
    }

    /// Until now, for an act that was done, whose commit began then. So long it was.
    pub(super) fn ends(mut self, act: &'static str, commit_began: Instant) -> Duration {
        let held = self.since.elapsed();
        tell(act, held, commit_began.elapsed());
        self.told = true;
        held
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.told {
            tell(GIVEN_UP, self.since.elapsed(), Duration::ZERO);
        }
    }
}

fn tell(act: &'static str, held: Duration, commit: Duration) {
    metrics::histogram!("suyuan_head_held_seconds", "act" => act).record(held);
    if held > LONG {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        let (held, commit) = (millis(held), millis(commit));
        tracing::debug!(act, held, commit, "the head was held long");
    }
    let mut longest = LONGEST.lock().unwrap_or_else(PoisonError::into_inner);
    let known = longest.entry(act).or_default();
    *known = (*known).max((held, commit));
    // A histogram tells no maximum, and a maximum is what is promised.
    let (held, commit) = (known.0.as_secs_f64(), known.1.as_secs_f64());
    metrics::gauge!("suyuan_head_held_longest_seconds", "act" => act).set(held);
    metrics::gauge!("suyuan_head_held_longest_commit_seconds", "act" => act).set(commit);
}
