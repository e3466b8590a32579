//! C15: what a code says of lot and days, compared with the batch on record. Consumers, staff and tills
//! are told by the same rule.

use super::walk::{At, Walk};
use crate::{
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
    if claims.any(|claims| contradicts(&claims, Some(&batch.lot), batch.expires_at)) {
        let commission = walk.memory.commission;
        walk.find(
            at,
            FindingCode::CodeContradictsRecord,
            &[commission],
            Detail::Nothing,
        );
    }
}

/// Does what a code says of lot and days differ from the batch on record? The one rule for consumers,
/// staff, tills and the fold. A day (AI 17, AI 15) differs from another one, and from none.
pub fn contradicts(claims: &Claims, lot: Option<&str>, expires_at: Option<Micros>) -> bool {
    let claimed = claims.lot.as_ref().zip(lot);
    claimed.is_some_and(|(claimed, recorded)| claimed.as_str() != recorded)
        || ends(claims).any(|end| Some(end) != expires_at)
}

/// The first instants at which goods are expired by the days in their code (AI 17, AI 15): 00:00 in
/// Shanghai after each. Years are those of this century.
pub fn ends(claims: &Claims) -> impl Iterator<Item = Micros> + use<> {
    let days = [claims.expiry, claims.best_before];
    days.into_iter().flatten().filter_map(end_of)
}

fn end_of(digits: [u8; 6]) -> Option<Micros> {
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
    use crate::trace_code::Text;

    #[test]
    fn goods_expire_at_midnight_in_shanghai_after_the_printed_day() {
        // 2027-03-31 expires at 2027-04-01T00:00+08:00.
        assert_eq!(end_of(*b"270331"), Some(1_806_508_800_000_000));
        assert_eq!(end_of(*b"270300"), end_of(*b"270331"));
        assert_eq!(end_of(*b"281200"), end_of(*b"281231"));
        // 2028 is a leap year.
        assert_eq!(end_of(*b"280200"), end_of(*b"280229"));
    }

    #[test]
    fn what_is_no_date_says_nothing() {
        assert_eq!(end_of(*b"271301"), None);
        assert_eq!(end_of(*b"27033x"), None);
        assert_eq!(ends(&Claims::default()).count(), 0);
    }

    #[test]
    fn c15_lot_and_days_of_a_code_are_held_against_the_record() {
        let recorded = end_of(*b"270430");
        let with =
            |lot: Option<&str>, expiry: Option<[u8; 6]>, best_before: Option<[u8; 6]>| Claims {
                lot: lot.and_then(Text::new),
                expiry,
                best_before,
                ..Claims::default()
            };
        let day = |digits: &[u8; 6]| Some(*digits);
        let cases = [
            (with(None, None, None), false, false),
            (
                with(Some("L7"), day(b"270430"), day(b"270430")),
                false,
                true,
            ),
            (with(Some("L8"), None, None), true, true),
            (with(None, day(b"270429"), None), true, true),
            (with(None, None, day(b"270429")), true, true),
            // The last of the month, with either.
            (with(None, day(b"270400"), day(b"270400")), false, true),
            (with(None, day(b"270430"), day(b"270300")), true, true),
        ];
        for (claims, dated, undated) in cases {
            assert_eq!(
                contradicts(&claims, Some("L7"), recorded),
                dated,
                "{claims:?}"
            );
            assert_eq!(
                contradicts(&claims, Some("L7"), None),
                undated,
                "{claims:?}"
            );
        }
        // Where no lot is known, the day is held against the record all the same.
        assert!(!contradicts(
            &with(Some("L8"), day(b"270430"), None),
            None,
            recorded
        ));
        assert!(contradicts(
            &with(None, day(b"270429"), None),
            None,
            recorded
        ));
    }
}
