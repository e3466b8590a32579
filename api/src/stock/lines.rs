//! Lines of stock in the order in which they are told, and where a page of them ends. Pure.
//!
//! A place may have as many lines as there are products and batches in the world, so a page is bounded in
//! lines and not in places alone. Lines are counted by several questions (one a level of containers, one
//! for claims), each of which answers with so many rows and no more: what lies before the end of all
//! answers is complete, and the page ends there. It must not know how lines are counted.

use super::wire::{Line, PlaceStock};
use crate::stock::rules;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{collections::BTreeMap, fmt};
use uuid::Uuid;

/// Most lines of a page, of all its places together.
pub const LINES_MAX: usize = 5_000;

/// Which line: the place, what codes begin with, the batch. Lines are told in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Where.
    pub place: Uuid,
    /// What codes begin with.
    pub kind: String,
    /// The batch, if it is known.
    pub batch: Option<Uuid>,
}

/// What a page goes on after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// This place, with all its lines.
    Place(Uuid),
    /// This line: its place goes on.
    Line(Key),
}

impl After {
    /// As [`After`] is written.
    pub fn of(text: &str) -> Option<After> {
        let mut parts = text.split('.');
        let place = parts.next()?.parse().ok()?;
        let Some(batch) = parts.next() else {
            return Some(After::Place(place));
        };
        let batch = match batch {
            "" => None,
            batch => Some(batch.parse().ok()?),
        };
        let kind = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        let kind = String::from_utf8(kind).ok()?;
        // U+0000 stands in no code, and not every database takes the question.
        let whole = parts.next().is_none() && !kind.contains('\0');
        whole.then_some(After::Line(Key { place, kind, batch }))
    }
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            After::Place(place) => write!(f, "{place}"),
            After::Line(Key { place, kind, batch }) => {
                write!(f, "{place}.")?;
                if let Some(batch) = batch {
                    write!(f, "{batch}")?;
                }
                write!(f, ".{}", URL_SAFE_NO_PAD.encode(kind))
            }
        }
    }
}

/// Lines as they are counted.
#[derive(Debug, Default)]
pub struct Lines {
    of: BTreeMap<Key, Line>,
    /// Where the first of the answers that were cut short ends: from here on something may be missing.
    end: Option<Key>,
}

impl Lines {
    /// The line of this key, to be added to.
    pub fn line(&mut self, key: Key) -> &mut Line {
        let (kind, batch_id) = (key.kind.clone(), key.batch);
        self.of.entry(key).or_insert_with(|| Line {
            kind,
            batch_id,
            ..Line::default()
        })
    }

    /// An answer was cut short at this line, which may lack rows of its own.
    pub fn cut(&mut self, at: Key) {
        if self.end.as_ref().is_none_or(|end| at < *end) {
            self.end = Some(at);
        }
    }

    /// So many lines of these places, and the line after which more may follow. Places behind that one are
    /// left to the next page.
    pub fn page(self, places: &[Uuid], most: usize) -> (Vec<PlaceStock>, Option<Key>) {
        let mut told: BTreeMap<Uuid, Vec<Line>> =
            places.iter().map(|place| (*place, Vec::new())).collect();
        let (mut lines, mut last, mut more) = (0, None, self.end.is_some());
        for (key, line) in self.of {
            if lines == most || self.end.as_ref().is_some_and(|end| key >= *end) {
                more = true;
                break;
            }
            if rules::says_something(&line)
                && let Some(place) = told.get_mut(&key.place)
            {
                place.push(line);
                lines += 1;
            }
            last = Some(key);
        }
        let next = last.filter(|_| more);
        if let Some(next) = &next {
            told.retain(|place, _| *place <= next.place);
        }
        let place = |(location_id, lines)| PlaceStock { location_id, lines };
        (told.into_iter().map(place).collect(), next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(place: u128, kind: &str) -> Key {
        Key {
            place: Uuid::from_u128(place),
            kind: kind.into(),
            batch: None,
        }
    }

    fn lines(keys: &[(u128, &str)]) -> Lines {
        let mut lines = Lines::default();
        for (place, kind) in keys {
            lines.line(key(*place, kind)).on_hand = 1;
        }
        lines
    }

    fn told(lines: Lines, most: usize) -> (Vec<usize>, Option<Key>) {
        let places = [1, 2, 3].map(Uuid::from_u128);
        let (items, next) = lines.page(&places, most);
        (items.iter().map(|item| item.lines.len()).collect(), next)
    }

    #[test]
    fn a_page_ends_after_so_many_lines_and_the_place_goes_on() {
        let all = [(1, "a"), (1, "b"), (3, "a")];
        assert_eq!(told(lines(&all), 3), (vec![2, 0, 1], None));
        assert_eq!(told(lines(&all), 2), (vec![2], Some(key(1, "b"))));
        assert_eq!(told(lines(&all), 1), (vec![1], Some(key(1, "a"))));
        assert_eq!(told(lines(&[]), 1), (vec![0, 0, 0], None));
    }

    #[test]
    fn a_page_ends_before_the_line_at_which_an_answer_was_cut_short() {
        let mut cut = lines(&[(1, "a"), (1, "b"), (3, "a")]);
        cut.cut(key(3, "a"));
        cut.cut(key(1, "b"));
        cut.cut(key(2, "a"));
        assert_eq!(told(cut, 9), (vec![1], Some(key(1, "a"))));
    }

    #[test]
    fn lines_that_say_nothing_are_passed_over_and_gone_on_after() {
        let mut silent = lines(&[(1, "a"), (1, "c")]);
        silent.line(key(1, "b")).on_hand = 0;
        silent.cut(key(1, "c"));
        assert_eq!(told(silent, 9), (vec![1], Some(key(1, "b"))));
    }

    #[test]
    fn where_a_page_goes_on_is_read_as_it_was_written() {
        let batch = Some(Uuid::from_u128(7));
        let lines = ["/01/09521234000013", "罐.", ""].map(|kind| key(1, kind));
        let of_batch = lines.clone().map(|key| Key { batch, ..key });
        let place = After::Place(Uuid::from_u128(1));
        let all = lines.into_iter().chain(of_batch).map(After::Line);
        for after in all.chain([place]) {
            let text = after.to_string();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            assert!(text.chars().all(plain), "{text}");
            assert_eq!(After::of(&text), Some(after));
        }
        let place = Uuid::from_u128(1);
        for wrong in ["", "x", ".", "..", &format!("{place}.")] {
            assert_eq!(After::of(wrong), None, "{wrong}");
        }
        for end in ["..AA", ".x.YQ", "..!", "..YQ.", "..YQ=="] {
            assert_eq!(After::of(&format!("{place}{end}")), None, "{end}");
        }
    }
}
