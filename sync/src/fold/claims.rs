//! C15: what a code says of lot and expiry, compared with the batch on record.

use super::walk::{At, Walk};
use crate::{
    facts::BatchInfo,
    finding::{Detail, FindingCode},
    ids::Micros,
    trace_code::Claims,
};

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;
/// Shanghai is east of Greenwich by so much, all year.
const SHANGHAI_US: i64 = 8 * 60 * 60 * 1_000_000;

/// Compares the claims of the unit's code, as it was read now, with the unit's batch.
pub(super) fn compare<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    let Some(batch) = walk.batch() else {
        return;
    };
    if at.via.is_some() {
        return;
    }
    let event = &at.fact.event;
    let parent = event.parent.iter();
    let parent = parent.filter(|read| read.unit.as_ref() == Some(walk.unit));
    let reads = event.units.of(walk.unit).chain(parent);
    let mut claims = reads.filter_map(|read| Some(read.scanned.as_ref()?.claims));
    if claims.any(|claims| contradicts(&claims, batch)) {
        let commission = walk.memory.commission;
        walk.find(
            at,
            FindingCode::CodeContradictsRecord,
            &[commission],
            Detail::Nothing,
        );
    }
}

/// Does what a code says of lot and expiry differ from the batch on record?
pub fn contradicts(claims: &Claims, batch: &BatchInfo) -> bool {
    let other_lot = claims
        .lot
        .as_ref()
        .is_some_and(|lot| lot.as_str() != batch.lot);
    let other_day = batch
        .expires_at
        .zip(expired_from(claims))
        .is_some_and(|(recorded, claimed)| recorded != claimed);
    other_lot || other_day
}

/// The first instant at which goods with these claims are expired: 00:00 in Shanghai after the
/// printed day. Years are those of this century.
pub fn expired_from(claims: &Claims) -> Option<Micros> {
    let digits = claims.expiry?;
    let pair = |at: usize| -> Option<i64> {
        let digit = |at: usize| {
            let byte = *digits.get(at)?;
            byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
        };
        Some(digit(at)? * 10 + digit(at + 1)?)
    };
    let (year, month, day) = (2000 + pair(0)?, pair(2)?, pair(4)?);
    if !(1..=12).contains(&month) || !(0..=31).contains(&day) {
        return None;
    }
    // Day 00 is the last of its month: the day after it is the first of the next.
    let after = if day == 0 {
        let (year, month) = if month == 12 {
            (year + 1, 1)
        } else {
            (year, month + 1)
        };
        days(year, month, 1)
    } else {
        days(year, month, day) + 1
    };
    Some(after * DAY_US - SHANGHAI_US)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, by counting years from March on.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expiry: [u8; 6]) -> Option<Micros> {
        expired_from(&Claims {
            expiry: Some(expiry),
            ..Claims::default()
        })
    }

    #[test]
    fn goods_expire_at_midnight_in_shanghai_after_the_printed_day() {
        // 2027-03-31 expires at 2027-04-01T00:00+08:00.
        assert_eq!(of(*b"270331"), Some(1_806_508_800_000_000));
        assert_eq!(of(*b"270300"), of(*b"270331"));
        assert_eq!(of(*b"281200"), of(*b"281231"));
        // 2028 is a leap year.
        assert_eq!(of(*b"280200"), of(*b"280229"));
    }

    #[test]
    fn what_is_no_date_says_nothing() {
        assert_eq!(of(*b"271301"), None);
        assert_eq!(of(*b"27033x"), None);
        assert_eq!(expired_from(&Claims::default()), None);
    }
}
