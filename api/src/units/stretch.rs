//! Which part of a unit's timeline an answer tells. Pure.
//!
//! Strangers' entries change nothing, and anybody who read a code can state as many as they like: they
//! have a bound of their own, so that they cannot push out the history of those whose word counts.

use super::wire::{ENTRIES_MAX, STRANGERS_ENTRIES_MAX};
use suyuan_sync::fold::{Entry, Reader};

/// A part of a timeline.
#[derive(Debug, PartialEq, Eq)]
pub struct Stretch<'e> {
    /// In order.
    pub entries: Vec<&'e Entry>,
    /// How many entries stand before it.
    pub earlier: usize,
    /// How many of strangers stand within it and are left out.
    pub left_out: usize,
}

/// The end of these entries, as long as an answer may be.
pub fn newest(entries: &[Entry], who: Reader) -> Stretch<'_> {
    let mut told = Vec::new();
    let (mut counted, mut strangers, mut left_out) = (0, 0, 0);
    let mut earlier = entries.len();
    for entry in entries.iter().rev() {
        if counted == ENTRIES_MAX {
            break;
        }
        if foreign(entry, who) {
            if strangers < STRANGERS_ENTRIES_MAX {
                strangers += 1;
                told.push(entry);
            } else {
                left_out += 1;
            }
        } else {
            counted += 1;
            told.push(entry);
        }
        earlier -= 1;
    }
    told.reverse();
    Stretch {
        entries: told,
        earlier,
        left_out,
    }
}

/// The end of what strangers stated of these entries.
pub fn newest_of_strangers(entries: &[Entry], who: Reader) -> Stretch<'_> {
    let strangers = entries.iter().filter(|entry| foreign(entry, who));
    let strangers: Vec<&Entry> = strangers.collect();
    let earlier = strangers.len().saturating_sub(ENTRIES_MAX);
    Stretch {
        entries: strangers.into_iter().skip(earlier).collect(),
        earlier,
        left_out: 0,
    }
}

/// Stated by a stranger who is not the reader.
fn foreign(entry: &Entry, who: Reader) -> bool {
    entry.stranger && who != Reader::Enterprise(entry.enterprise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::{
        event::Kind,
        ids::{EnterpriseId, EventId, LocationId},
    };
    use uuid::Uuid;

    const ISSUER: EnterpriseId = EnterpriseId(Uuid::from_u128(1));
    const STRANGER: EnterpriseId = EnterpriseId(Uuid::from_u128(2));

    fn entry(at: i64, stranger: bool) -> Entry {
        Entry {
            event: EventId(Uuid::from_u128(at.unsigned_abs().into())),
            kind: Kind::Count,
            enterprise: if stranger { STRANGER } else { ISSUER },
            at,
            between: (at, at),
            location: LocationId(Uuid::nil()),
            partner: None,
            via: None,
            struck: false,
            stranger,
        }
    }

    #[test]
    fn strangers_hide_nothing_and_page_by_page_all_is_told_once() {
        // 700 of those whose word counts, 3 of strangers behind each.
        let entries: Vec<Entry> = (0..2_800).map(|at| entry(at, at % 4 != 0)).collect();
        let who = Reader::Enterprise(ISSUER);
        let first = newest(&entries, who);
        let counted = |stretch: &Stretch| {
            let counted = stretch.entries.iter().filter(|entry| !entry.stranger);
            counted.map(|entry| entry.at).collect::<Vec<_>>()
        };
        assert_eq!(
            counted(&first),
            (200..700).map(|n| n * 4).collect::<Vec<_>>()
        );
        assert_eq!(first.entries.len(), 550);
        assert_eq!((first.earlier, first.left_out), (800, 1_450));
        assert!(first.entries.is_sorted_by_key(|entry| entry.at));
        let rest = newest(&entries[..first.earlier], who);
        assert_eq!(counted(&rest), (0..200).map(|n| n * 4).collect::<Vec<_>>());
        assert_eq!((rest.earlier, rest.left_out), (0, 550));
    }

    #[test]
    fn a_flood_of_strangers_leaves_the_little_there_is() {
        let mut entries = vec![entry(0, false), entry(1, false)];
        entries.extend((2..1_000).map(|at| entry(at, true)));
        let told = newest(&entries, Reader::All);
        assert_eq!(
            (told.entries.len(), told.earlier, told.left_out),
            (52, 0, 948)
        );
        assert!(!told.entries[0].stranger);
        // Who states them sees them as its own.
        let own = newest(&entries, Reader::Enterprise(STRANGER));
        assert_eq!(
            (own.entries.len(), own.earlier, own.left_out),
            (500, 500, 0)
        );
    }

    #[test]
    fn all_of_strangers_can_be_asked_for() {
        let entries: Vec<Entry> = (0..1_200).map(|at| entry(at, at % 2 == 1)).collect();
        let told = newest_of_strangers(&entries, Reader::All);
        assert_eq!((told.entries.len(), told.earlier), (500, 100));
        let rest = newest_of_strangers(&entries[..201], Reader::All);
        assert_eq!((rest.entries.len(), rest.earlier), (100, 0));
    }
}
