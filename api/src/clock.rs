//! Where time comes from, and ids that are made of time. Rules take time as an argument; only edges
//! ask this clock. A test moves it, the simulator has one that stands; nothing else may.

use jiff::{Timestamp, civil::Date, tz::Offset};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::{Builder, Uuid};

/// Microseconds since 1970 UTC: how instants stand in rows and on the wire between us.
pub type Micros = i64;

/// Asia/Shanghai has had one offset and no summer time since 1991.
const SHANGHAI: Offset = Offset::constant(8);

/// The wall clock, moved by a fixed amount in tests; or virtual time, which stands until it is set.
#[derive(Clone, Default)]
pub struct Clock {
    shift: Arc<AtomicI64>,
    jumped: Arc<AtomicI64>,
    standing: Option<Arc<Standing>>,
}

/// Virtual time.
struct Standing {
    now: AtomicI64,
    /// Where it began, and what the machine's monotonic clock was then.
    began: (Micros, Instant),
    /// Ids made so far.
    ids: AtomicU64,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock::default()
    }

    /// Moves this clock, and every clone of it, by `micros` against the system's, the monotonic one
    /// too: as if that much time had passed.
    pub fn shift_by(&self, micros: i64) {
        self.shift.store(micros, Ordering::Relaxed);
    }

    /// Sets the wall clock wrong by `micros`, and that of every clone; the monotonic clock goes on.
    pub fn jump_by(&self, micros: i64) {
        self.jumped.store(micros, Ordering::Relaxed);
    }

    /// A clock that stands at an instant until it is set, for the simulator. Everything that is made
    /// of time follows from it then: the log's stamps on either database, the monotonic clock, ids.
    pub fn standing(at: Micros) -> Clock {
        Clock {
            shift: Arc::default(),
            jumped: Arc::default(),
            standing: Some(Arc::new(Standing {
                now: AtomicI64::new(at),
                began: (at, Instant::now()),
                ids: AtomicU64::new(0),
            })),
        }
    }

    /// Sets a clock that stands; any other stays as it is.
    pub fn set(&self, at: Micros) {
        if let Some(standing) = &self.standing {
            standing.now.store(at, Ordering::Relaxed);
        }
    }

    /// Is this virtual time? Then nothing may ask another clock, the database's neither.
    pub fn stands(&self) -> bool {
        self.standing.is_some()
    }

    /// The monotonic clock.
    pub fn monotonic(&self) -> Instant {
        self.standing.as_ref().map_or_else(
            || self.moved(Instant::now()),
            |standing| {
                let (at, began) = standing.began;
                let now = standing.now.load(Ordering::Relaxed);
                let passed = now.saturating_sub(at);
                began + Duration::from_micros(u64::try_from(passed).unwrap_or(0))
            },
        )
    }

    /// An id for something new (UUIDv7): later ones are greater.
    pub fn new_id(&self) -> Uuid {
        self.standing
            .as_ref()
            .map_or_else(Uuid::now_v7, |standing| {
                let ms = u64::try_from(self.now() / 1000).unwrap_or(0);
                let mut rest = [0; 10];
                rest[2..].copy_from_slice(&standing.number().to_be_bytes());
                Builder::from_unix_timestamp_millis(ms, &rest).into_uuid()
            })
    }

    /// An id that tells nothing and nobody guesses (UUIDv4).
    pub fn random_id(&self) -> Uuid {
        self.standing
            .as_ref()
            .map_or_else(Uuid::new_v4, |standing| {
                let n = standing.number().wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let n = u128::from(n ^ (n >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb_5bd1_e995);
                Builder::from_random_bytes(n.to_be_bytes()).into_uuid()
            })
    }

    /// Now.
    pub fn now(&self) -> Micros {
        let now = match &self.standing {
            Some(standing) => standing.now.load(Ordering::Relaxed),
            None => Timestamp::now()
                .as_microsecond()
                .saturating_add(self.shift.load(Ordering::Relaxed)),
        };
        now.saturating_add(self.jumped.load(Ordering::Relaxed))
    }

    /// The machine's monotonic clock, as far as this one was moved.
    fn moved(&self, now: Instant) -> Instant {
        let shift = self.shift.load(Ordering::Relaxed);
        let by = Duration::from_micros(shift.unsigned_abs());
        let moved = if shift < 0 {
            now.checked_sub(by)
        } else {
            now.checked_add(by)
        };
        moved.unwrap_or(now)
    }

    /// The civil day in Asia/Shanghai, in which expiry is told.
    pub fn today(&self) -> Date {
        day_of(self.now())
    }
}

impl Standing {
    fn number(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// The civil day in Asia/Shanghai of an instant.
pub fn day_of(at: Micros) -> Date {
    SHANGHAI.to_datetime(timestamp(at)).date()
}

/// An instant as RFC 3339 in UTC with seconds, as shown to people and programs.
pub fn rfc3339(at: Micros) -> String {
    let seconds = Timestamp::from_second(at.div_euclid(1_000_000)).unwrap_or(Timestamp::UNIX_EPOCH);
    seconds.to_string()
}

/// An instant as people in Asia/Shanghai write it: `2026-11-21 16:00:05`.
pub fn beijing(at: Micros) -> String {
    SHANGHAI
        .to_datetime(timestamp(at))
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// The same of what [`rfc3339`] wrote; anything else stays as it is.
pub fn beijing_of(text: &str) -> String {
    text.parse().map_or_else(
        |_| text.to_owned(),
        |at: Timestamp| beijing(at.as_microsecond()),
    )
}

/// Days since 1970-01-01: a date as one comparable number.
pub fn day_number(date: Date) -> i32 {
    Date::constant(1970, 1, 1)
        .until(date)
        .map_or(0, |span| span.get_days())
}

/// The first instant at which what is good until this printed day (`2026-11-21`) is so no longer:
/// 00:00 in Asia/Shanghai after it.
pub fn expires_at(day: &str) -> Option<Micros> {
    let day: Date = day.parse().ok()?;
    Some(end_of_day(day_number(day)))
}

/// The first instant after a day since 1970 in Asia/Shanghai.
pub const fn end_of_day(day: i32) -> Micros {
    ((day as i64 + 1) * 86_400 - SHANGHAI.seconds() as i64) * 1_000_000
}

fn timestamp(at: Micros) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_good_until_the_end_of_the_printed_day_in_shanghai() {
        let midnight = "2026-01-16T00:00:00+08:00".parse::<Timestamp>();
        let midnight = midnight.unwrap().as_microsecond();
        assert_eq!(expires_at("2026-01-15"), Some(midnight));
        assert_eq!(expires_at(""), None);
    }

    #[test]
    fn a_day_in_shanghai_begins_at_sixteen_utc() {
        let before = "2026-11-21T15:59:59Z".parse::<Timestamp>().unwrap();
        let after = "2026-11-21T16:00:00Z".parse::<Timestamp>().unwrap();
        assert_eq!(day_of(before.as_microsecond()).to_string(), "2026-11-21");
        assert_eq!(day_of(after.as_microsecond()).to_string(), "2026-11-22");
    }

    #[test]
    fn two_clocks_that_stand_tell_and_make_the_same() {
        let at = 1_780_000_000_000_000;
        let made = || {
            let clock = Clock::standing(at);
            let before = clock.monotonic();
            clock.set(at + 5_000_000);
            let passed = clock.monotonic().duration_since(before);
            (
                clock.now(),
                passed,
                clock.new_id(),
                clock.random_id(),
                clock.new_id(),
            )
        };
        let (now, passed, id, random, next) = made();
        assert_eq!((now, passed.as_secs()), (at + 5_000_000, 5));
        assert_eq!((id.get_version_num(), random.get_version_num()), (7, 4));
        assert!(id < next && id != random);
        assert_eq!(made(), (now, passed, id, random, next));
        assert!(!Clock::system().stands());
    }

    #[test]
    fn day_numbers_count_up_by_one() {
        let day = Date::constant(2024, 2, 28);
        assert_eq!(day_number(Date::constant(1970, 1, 2)), 1);
        assert_eq!(day_number(Date::constant(2024, 3, 1)) - day_number(day), 2);
    }
}
