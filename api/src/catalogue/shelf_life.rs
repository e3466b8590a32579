//! From production date 生产日期 and shelf life 保质期 to the expiry date 保质期到期日.
//!
//! The standards print shelf life as free text ("2 years", "24个月"). This reads the forms that
//! are beyond doubt and says nothing about any other: the caller then asks for the date itself.
//! Must not know the clock, or who asks.

use jiff::ToSpan as _;
use jiff::civil::Date;

/// Longest text that is tried.
const TEXT_BYTES_MAX: usize = 64;
/// Larger numbers are not a shelf life.
const NUMBER_MAX: i32 = 99_999;

/// The last day of the shelf life: calendar addition, clipped to the end of the month (H18).
///
/// Reads one or more of 年, 个月, 月, 天, 日, year(s), month(s), day(s), each after a number in
/// digits (full-width ones too) or in Chinese up to 九十九: `2年`, `18 months`, `1年6个月`. `None`
/// when the text is anything else, is zero, or leaves the calendar.
pub fn expiry_date(produced: Date, shelf_life: &str) -> Option<Date> {
    let (years, months, days) = parse(shelf_life)?;
    let span = 0
        .days()
        .try_years(years)
        .and_then(|span| span.try_months(months))
        .and_then(|span| span.try_days(days))
        .ok()?;
    produced.checked_add(span).ok()
}

fn parse(text: &str) -> Option<(i32, i32, i32)> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let plain: String = text.chars().map(narrow).collect();
    let (mut years, mut months, mut days) = (0_i32, 0_i32, 0_i32);
    let mut rest = plain.trim();
    while !rest.is_empty() {
        let (number, after) = number(rest)?;
        let (unit, after) = unit(after.trim_start_matches([' ', '-']))?;
        let sum = match unit {
            Unit::Year => &mut years,
            Unit::Month => &mut months,
            Unit::Day => &mut days,
        };
        *sum = sum.checked_add(number)?;
        rest = after.trim_start();
    }
    ((years, months, days) != (0, 0, 0)).then_some((years, months, days))
}

/// Full-width digits and spaces as typed on a Chinese keyboard, and capitals.
fn narrow(c: char) -> char {
    match c {
        '０'..='９' => {
            char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c)
        }
        '\u{3000}' | '\u{a0}' => ' ',
        _ => c.to_ascii_lowercase(),
    }
}

fn number(text: &str) -> Option<(i32, &str)> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 {
        let (head, rest) = text.split_at(digits);
        let number = head.parse().ok().filter(|n| *n <= NUMBER_MAX)?;
        return Some((number, rest));
    }
    let mut rest = text;
    let mut step = |read: fn(char) -> Option<i32>| {
        let mut chars = rest.chars();
        let found = chars.next().and_then(read);
        if found.is_some() {
            rest = chars.as_str();
        }
        found
    };
    let first = step(chinese_digit);
    let ten = step(|c| (c == '十').then_some(10));
    let number = match (first, ten) {
        (None, None) => return None,
        (Some(ones), None) => ones,
        (tens, Some(ten)) => tens.unwrap_or(1) * ten + step(chinese_digit).unwrap_or(0),
    };
    Some((number, rest))
}

fn chinese_digit(c: char) -> Option<i32> {
    Some(match c {
        '一' => 1,
        '二' | '两' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

#[derive(Clone, Copy)]
enum Unit {
    Year,
    Month,
    Day,
}

/// Longer spellings before the ones they begin with.
const UNITS: [(&str, Unit); 11] = [
    ("年", Unit::Year),
    ("years", Unit::Year),
    ("year", Unit::Year),
    ("个月", Unit::Month),
    ("個月", Unit::Month),
    ("月", Unit::Month),
    ("months", Unit::Month),
    ("month", Unit::Month),
    ("天", Unit::Day),
    ("日", Unit::Day),
    ("days", Unit::Day),
];

fn unit(text: &str) -> Option<(Unit, &str)> {
    UNITS
        .iter()
        .chain(&[("day", Unit::Day)])
        .find_map(|(name, unit)| Some((*unit, text.strip_prefix(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_printed_sample_holds_in_every_spelling() {
        for text in [
            "2年",
            "2 年",
            "２年",
            "两年",
            "二年",
            "2 years",
            "2 Years",
            "24个月",
            "24月",
            "24 months",
            "24-month",
            "二十四个月",
            "1年12个月",
            "1 year 12 months",
            " 2年 ",
        ] {
            assert_eq!(
                expiry_date(date(2025, 4, 16), text),
                Some(date(2027, 4, 16)),
                "{text}"
            );
        }
    }

    #[test]
    fn the_end_of_a_shorter_month_clips() {
        let cases = [
            (date(2025, 8, 31), "6个月", date(2026, 2, 28)),
            (date(2023, 8, 31), "6个月", date(2024, 2, 29)),
            (date(2024, 2, 29), "1年", date(2025, 2, 28)),
            (date(2025, 2, 28), "1年", date(2026, 2, 28)),
            (date(2024, 2, 29), "4 years", date(2028, 2, 29)),
            (date(2025, 3, 31), "1 month", date(2025, 4, 30)),
        ];
        for (produced, text, expires) in cases {
            assert_eq!(
                expiry_date(produced, text),
                Some(expires),
                "{produced} {text}"
            );
        }
    }

    #[test]
    fn days_count_as_days() {
        assert_eq!(
            expiry_date(date(2025, 12, 31), "1天"),
            Some(date(2026, 1, 1))
        );
        assert_eq!(
            expiry_date(date(2024, 2, 1), "30日"),
            Some(date(2024, 3, 2))
        );
        assert_eq!(
            expiry_date(date(2025, 1, 1), "十五天"),
            Some(date(2025, 1, 16))
        );
        assert_eq!(
            expiry_date(date(2025, 1, 1), "1 day"),
            Some(date(2025, 1, 2))
        );
        assert_eq!(
            expiry_date(date(2025, 1, 31), "1个月1天"),
            Some(date(2025, 3, 1))
        );
    }

    #[test]
    fn what_is_in_doubt_has_no_date() {
        for text in [
            "",
            " ",
            "0年",
            "长期",
            "见包装",
            "years",
            "2",
            "2 y",
            "-2年",
            "2.5年",
            "24个",
            "二四月",
            "24 months (unopened)",
            "99999999999年",
            "99999年",
            "9999年",
            "2年半",
            "十十天",
        ] {
            assert_eq!(expiry_date(date(2025, 4, 16), text), None, "{text}");
        }
        assert_eq!(expiry_date(date(2025, 4, 16), &"1年".repeat(1000)), None);
    }
}
