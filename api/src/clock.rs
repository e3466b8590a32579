//! Where time comes from. Rules take time as an argument; only edges ask this clock. A test sets
//! it; nothing else may.

use jiff::{Timestamp, civil::Date, tz::Offset};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Microseconds since 1970 UTC: how instants stand in rows and on the wire between us.
pub type Micros = i64;

/// Asia/Shanghai has had one offset and no summer time since 1991.
const SHANGHAI: Offset = Offset::constant(8);

/// The wall clock, moved by a fixed amount in tests.
#[derive(Clone, Default)]
pub struct Clock {
    shift: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock::default()
    }

    /// Moves this clock, and every clone of it, by `micros` against the system's.
    pub fn shift_by(&self, micros: i64) {
        self.shift.store(micros, Ordering::Relaxed);
    }

    /// Now.
    pub fn now(&self) -> Micros {
        Timestamp::now()
            .as_microsecond()
            .saturating_add(self.shift.load(Ordering::Relaxed))
    }

    /// The civil day in Asia/Shanghai, in which expiry is told.
    pub fn today(&self) -> Date {
        day_of(self.now())
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
    let after = day_number(day.tomorrow().ok()?);
    Some((i64::from(after) * 86_400 - i64::from(SHANGHAI.seconds())) * 1_000_000)
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
    fn day_numbers_count_up_by_one() {
        let day = Date::constant(2024, 2, 28);
        assert_eq!(day_number(Date::constant(1970, 1, 2)), 1);
        assert_eq!(day_number(Date::constant(2024, 3, 1)) - day_number(day), 2);
    }
}
