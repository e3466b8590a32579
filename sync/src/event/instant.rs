//! Instants as a device writes them: RFC 3339 with milliseconds and zone, and the years a
//! browser prints with six digits when its clock is off by millennia.
//!
//! Strict and total. It knows the calendar and nothing of clocks; a second reader of dates for a
//! dozen lines of arithmetic is less than a library that a browser's copy of these rules lacks.

use crate::ids::Micros;

const DAY_US: i64 = 86_400_000_000;
const MINUTE_US: i64 = 60_000_000;
/// As far from 1970 as a browser's clock can say.
const FARTHEST: Micros = 8_640_000_000_000_000_000;

/// The instant and its zone in minutes east of UTC; `None` for anything else than
/// `YYYY-MM-DDThh:mm:ss[.f…](Z|±hh:mm)`. Digits behind the microsecond are dropped.
pub(super) fn read(text: &str) -> Option<(Micros, i32)> {
    let mut rest = Cursor(text.as_bytes());
    let year = match rest.sign() {
        Some(sign) => sign * rest.digits(6)?,
        None => rest.digits(4)?,
    };
    rest.byte(b'-')?;
    let month = within(rest.digits(2)?, 1, 12)?;
    rest.byte(b'-')?;
    let day = within(rest.digits(2)?, 1, days_in(year, month))?;
    rest.byte(b'T')?;
    let hour = within(rest.digits(2)?, 0, 23)?;
    rest.byte(b':')?;
    let minute = within(rest.digits(2)?, 0, 59)?;
    rest.byte(b':')?;
    // A leap second counts as the first moment of the next minute.
    let second = within(rest.digits(2)?, 0, 60)?;
    let micros = if rest.byte(b'.').is_some() {
        rest.fraction()?
    } else {
        0
    };
    let zone = rest.zone()?;
    if !rest.0.is_empty() {
        return None;
    }
    let in_day = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros;
    let at = days_from_civil(year, month, day)
        .checked_mul(DAY_US)?
        .checked_add(in_day)?
        .checked_sub(zone.checked_mul(MINUTE_US)?)?;
    (-FARTHEST..=FARTHEST)
        .contains(&at)
        .then_some((at, zone as i32))
}

/// The instant as a device in that zone writes it: milliseconds, or microseconds where needed.
pub(super) fn write(at: Micros, zone_minutes: i32) -> String {
    let local = at.saturating_add(i64::from(zone_minutes).saturating_mul(MINUTE_US));
    let (days, in_day) = (local.div_euclid(DAY_US), local.rem_euclid(DAY_US));
    let (year, month, day) = civil_from_days(days);
    let year = if (0..=9999).contains(&year) {
        format!("{year:04}")
    } else {
        format!("{year:+07}")
    };
    let (seconds, micros) = (in_day / 1_000_000, in_day % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = if micros % 1000 == 0 {
        format!("{:03}", micros / 1000)
    } else {
        format!("{micros:06}")
    };
    let zone = if zone_minutes == 0 {
        "Z".to_owned()
    } else {
        let sign = if zone_minutes < 0 { '-' } else { '+' };
        let minutes = zone_minutes.unsigned_abs();
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    };
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction}{zone}")
}

/// What of the text is still to be read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn byte(&mut self, expected: u8) -> Option<()> {
        let (&first, rest) = self.0.split_first()?;
        if first != expected {
            return None;
        }
        self.0 = rest;
        Some(())
    }

    fn sign(&mut self) -> Option<i64> {
        if self.byte(b'+').is_some() {
            Some(1)
        } else {
            self.byte(b'-').map(|()| -1)
        }
    }

    fn digit(&mut self) -> Option<i64> {
        let (&first, rest) = self.0.split_first()?;
        if !first.is_ascii_digit() {
            return None;
        }
        self.0 = rest;
        Some(i64::from(first - b'0'))
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        (0..count).try_fold(0, |number, _| Some(number * 10 + self.digit()?))
    }

    /// One to nine digits as microseconds.
    fn fraction(&mut self) -> Option<i64> {
        let mut micros = 0;
        let mut weight = 100_000;
        let mut count = 0;
        while let Some(digit) = self.digit() {
            micros += digit * weight;
            weight /= 10;
            count += 1;
        }
        (1..=9).contains(&count).then_some(micros)
    }

    fn zone(&mut self) -> Option<i64> {
        if self.byte(b'Z').is_some() {
            return Some(0);
        }
        let sign = self.sign()?;
        let hours = within(self.digits(2)?, 0, 23)?;
        self.byte(b':')?;
        let minutes = within(self.digits(2)?, 0, 59)?;
        Some(sign * (hours * 60 + minutes))
    }
}

fn within(number: i64, least: i64, most: i64) -> Option<i64> {
    (least..=most).contains(&number).then_some(number)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, in
/// eras of 400 years, each of 146 097 days.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn an_instant_is_read_with_its_zone() {
        for (text, at, zone) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("1970-01-01T08:00:00.000+08:00", 0, 480),
            ("2026-01-15T09:30:00.250+08:00", 1_768_440_600_250_000, 480),
            ("2024-02-29T23:59:60Z", 1_709_251_200_000_000, 0),
            ("1969-12-31T23:59:59.999999Z", -1, 0),
            ("1969-12-31T23:59:59.9999999Z", -1, 0),
            ("2000-03-01T00:00:00-03:30", 951_881_400_000_000, -210),
            ("+275760-09-13T00:00:00.000Z", 8_640_000_000_000_000_000, 0),
            ("-271821-04-20T00:00:00.000Z", -8_640_000_000_000_000_000, 0),
        ] {
            assert_eq!(read(text), Some((at, zone)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "2026-01-15",
            "2026-01-15T09:30:00",
            "2026-01-15 09:30:00Z",
            "2026-1-15T09:30:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-15T24:00:00Z",
            "2026-01-15T09:30:00.Z",
            "2026-01-15T09:30:00.0123456789Z",
            "2026-01-15T09:30:00+24:00",
            "2026-01-15T09:30:00Zx",
            "+275760-09-13T00:00:00.000001Z",
            "-271821-04-19T23:59:59.999Z",
            "+999999-01-01T00:00:00Z",
            "-999999-01-01T00:00:00Z",
            "２０２６-01-15T09:30:00Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for at in [
            0,
            -1,
            1,
            1_768_440_600_250_000,
            8_640_000_000_000_000_000,
            -8_640_000_000_000_000_000,
            -62_135_596_800_000_000,
            253_402_300_799_999_000,
        ] {
            for zone in [0, 480, -210, 1439, -1439] {
                assert_eq!(read(&write(at, zone)), Some((at, zone)), "{at} {zone}");
            }
        }
        assert_eq!(write(0, 480), "1970-01-01T08:00:00.000+08:00");
    }
}
