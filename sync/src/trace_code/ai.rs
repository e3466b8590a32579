//! Application identifiers (应用标识符): what each one means to a reader of codes.
//!
//! The table itself is data in `ai_table`; here are its shape and the look-up. It must not know
//! the forms in which identifiers are written.

use super::ai_table::TABLE;
use super::error::CodeError;
use super::format::{self, Part};
use super::value::Value;

/// One application identifier, or a run of them with the same format.
pub(super) struct Ai {
    /// The first identifier of the run.
    pub(super) first: &'static str,
    /// The last identifier of the run.
    pub(super) last: &'static str,
    /// The format of its value.
    pub(super) parts: &'static [Part],
    /// Whether its length is predefined, so that no separator follows it in an element string.
    pub(super) predefined: bool,
    /// What it may be in a Digital Link.
    pub(super) link: Link,
}

/// What an application identifier may be in a GS1 Digital Link URI.
#[derive(Clone, Copy)]
pub(super) enum Link {
    /// A primary key, which may also appear as an attribute of another key.
    Key(&'static Qualifiers),
    /// A data attribute, written in the query.
    Attribute,
    /// Never a data attribute: a qualifier, or nothing a Digital Link may hold.
    NotAnAttribute,
}

/// The qualifiers of a primary key: alternatives, each an ordered list.
pub(super) struct Qualifiers {
    /// Each alternative lists its qualifiers in the order they must have in a path.
    pub(super) alternatives: &'static [&'static [&'static str]],
    /// Whether the key names nothing without its qualifier.
    pub(super) required: bool,
}

/// The most qualifiers one key may have.
pub(super) const MAX_QUALIFIERS: usize = 3;

/// Every identifier that qualifies some primary key.
pub(super) const QUALIFIERS: [&str; 9] = [
    "22", "10", "21", "235", "254", "7040", "8011", "8019", "8020",
];

impl Ai {
    /// The qualifiers this identifier may have as a primary key; `None` when it is not one.
    pub(super) const fn qualifiers(&self) -> Option<&'static Qualifiers> {
        match self.link {
            Link::Key(qualifiers) => Some(qualifiers),
            Link::Attribute | Link::NotAnAttribute => None,
        }
    }

    /// Whether it qualifies some primary key.
    pub(super) fn is_qualifier(&self) -> bool {
        QUALIFIERS.contains(&self.first)
    }

    /// The length its value must have, when it can have only one.
    pub(super) fn predefined_len(&self) -> Option<usize> {
        self.predefined.then(|| format::longest(self.parts))
    }

    /// Refuses a value this identifier does not allow.
    pub(super) fn check(&self, value: &Value) -> Result<(), CodeError> {
        format::check(self.parts, value)
    }
}

/// The application identifier of exactly these digits.
pub(super) fn find(digits: &[u8]) -> Option<&'static Ai> {
    let row = *INDEX.get(usize::from(number(digits)?))?;
    TABLE
        .get(usize::from(row))
        .filter(|ai| ai.first.len() == digits.len())
}

/// The number two to four digits stand for. No two identifiers stand for the same.
pub(super) const fn number(digits: &[u8]) -> Option<u16> {
    if digits.len() < 2 || digits.len() > 4 {
        return None;
    }
    let mut number = 0;
    let mut rest = digits;
    while let [digit, tail @ ..] = rest {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + (*digit - b'0') as u16;
        rest = tail;
    }
    Some(number)
}

/// The row of every number in the table, so that a look-up is one step.
static INDEX: [u8; 10_000] = index();

const fn index() -> [u8; 10_000] {
    let mut index = [NO_ROW; 10_000];
    let mut rows = TABLE;
    let mut row = 0;
    while let [ai, rest @ ..] = rows {
        if let (Some(mut at), Some(last)) =
            (number(ai.first.as_bytes()), number(ai.last.as_bytes()))
        {
            while at <= last {
                index[at as usize] = row;
                at += 1;
            }
        }
        row += 1;
        rows = rest;
    }
    assert!(row < NO_ROW, "a row must fit its index");
    index
}

/// Stands for a number that is no identifier.
const NO_ROW: u8 = u8::MAX;

/// The application identifier a text begins with, and its digits. No identifier is the beginning
/// of another, so there is at most one.
pub(super) fn leading(text: &[u8]) -> Option<(&'static Ai, &[u8])> {
    (2..=4).find_map(|len| {
        let digits = text.get(..len)?;
        find(digits).map(|ai| (ai, digits))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_no_identifier_begins_another() {
        for pair in TABLE.windows(2) {
            let [a, b] = pair else { unreachable!() };
            assert!(
                a.first <= a.last && a.last < b.first,
                "{} {}",
                a.last,
                b.first
            );
            assert!(!b.first.starts_with(a.last), "{} {}", a.last, b.first);
        }
        for ai in TABLE {
            assert_eq!(ai.first.len(), ai.last.len());
            assert!(format::longest(ai.parts) <= super::super::value::MAX_VALUE);
        }
    }

    #[test]
    fn the_lookup_knows_runs_and_their_ends() {
        assert_eq!(find(b"3102").unwrap().first, "3100");
        assert_eq!(find(b"99").unwrap().first, "91");
        for unknown in [
            "310", "3106", "05", "", "9", "999", "0101", "001", "0001", "010", "+1", "00235",
        ] {
            assert!(find(unknown.as_bytes()).is_none(), "{unknown}");
        }
        let (ai, digits) = leading(b"2351").unwrap();
        assert_eq!((ai.first, digits), ("235", b"235".as_slice()));
    }

    #[test]
    fn the_keys_are_those_a_resolver_may_support() {
        let keys: Vec<_> = TABLE
            .iter()
            .filter(|ai| ai.qualifiers().is_some())
            .map(|ai| ai.first)
            .collect();
        assert_eq!(
            keys,
            [
                "00", "01", "253", "255", "401", "402", "414", "415", "417", "8003", "8004",
                "8006", "8010", "8013", "8017", "8018"
            ]
        );
    }

    #[test]
    fn every_qualifier_named_by_a_key_is_listed_and_never_an_attribute() {
        for ai in TABLE {
            let Some(qualifiers) = ai.qualifiers() else {
                continue;
            };
            for qualifier in qualifiers.alternatives.concat() {
                assert!(QUALIFIERS.contains(&qualifier));
            }
        }
        for qualifier in QUALIFIERS {
            let ai = find(qualifier.as_bytes()).unwrap();
            // A lot is the one qualifier that other keys may carry as an attribute.
            assert_eq!(matches!(ai.link, Link::Attribute), qualifier == "10");
        }
    }

    #[test]
    fn predefined_lengths_are_those_of_the_general_specifications() {
        for ai in TABLE.iter().filter(|ai| ai.predefined) {
            let expected = match &ai.first[..2] {
                "00" => 18,
                "01" | "02" | "03" => 14,
                "20" => 2,
                "41" => 13,
                _ => 6,
            };
            assert_eq!(ai.predefined_len(), Some(expected), "{}", ai.first);
        }
    }
}
