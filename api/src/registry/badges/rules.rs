//! What a badge's number may look like (what every scanner and keyboard layout sends alike behind
//! `SUYUAN-WHO-`), and whether the enterprise stands behind what a device said of one.

use crate::clock::Micros;
use uuid::Uuid;

/// What stands before the number in the bar code.
pub const PRINTED: &str = "SUYUAN-WHO-";
/// Fewest characters.
const CHARS_MIN: usize = 2;
/// Most characters.
pub const CHARS_MAX: usize = 40;

/// Is this a number of a badge? Capitals, digits, and hyphens inside.
pub fn is_number(text: &str) -> bool {
    (CHARS_MIN..=CHARS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A made number in groups of four, so that people can read it out.
pub fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

/// A badge's times as a supervisor's, as the log has them.
#[derive(Debug, Clone, Default)]
pub struct Supervisor {
    /// Where; everywhere if absent.
    pub location: Option<Uuid>,
    /// From when until when, oldest first; the last may go on.
    pub times: Vec<(Micros, Option<Micros>)>,
}

impl Supervisor {
    /// Was it one there at any instant of an interval? Of an event that happened at some time between
    /// two instants nothing worse is said than is certain.
    pub fn was_at(&self, location: Uuid, (from, to): (Micros, Micros)) -> bool {
        let meets = |(since, until): &(Micros, Option<Micros>)| {
            *since <= to && until.is_none_or(|until| until > from)
        };
        self.location.is_none_or(|place| place == location) && self.times.iter().any(meets)
    }

    /// The next entry of the log about it: what it was from then on.
    pub fn then(&mut self, at: Micros, is_supervisor: bool) {
        match self.times.last_mut() {
            Some((_, until @ None)) if !is_supervisor => *until = Some(at),
            Some((_, None)) => {}
            _ if is_supervisor => self.times.push((at, None)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_a_scanner_sends_unharmed() {
        for good in ["S1", "W-17", "7F3K-99", &"9".repeat(40)] {
            assert!(is_number(good), "{good}");
        }
        for bad in [
            "",
            "1",
            "w17",
            "-W1",
            "W1-",
            "W 1",
            "工1",
            "W<1",
            &"9".repeat(41),
        ] {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn a_supervisor_is_one_from_an_entry_to_the_next_and_where_it_works() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut badge = Supervisor {
            location: Some(here),
            ..Default::default()
        };
        for (at, is_supervisor) in [(10, false), (20, true), (25, true), (30, false), (40, true)] {
            badge.then(at, is_supervisor);
        }
        assert_eq!(badge.times, [(20, Some(30)), (40, None)]);
        for (interval, was) in [
            ((10, 19), false),
            ((10, 20), true),
            ((29, 29), true),
            ((30, 39), false),
            ((30, 40), true),
            ((50, 60), true),
        ] {
            assert_eq!(badge.was_at(here, interval), was, "{interval:?}");
            assert!(!badge.was_at(there, interval));
        }
        badge.location = None;
        assert!(badge.was_at(there, (20, 20)));
        assert!(
            !Supervisor::default().was_at(here, (0, 100)),
            "never made one"
        );
    }

    #[test]
    fn a_made_number_is_one() {
        assert_eq!(grouped("0123456789ABCDEF"), "0123-4567-89AB-CDEF");
        assert!(is_number(&grouped("0123456789ABCDEF")));
    }
}
