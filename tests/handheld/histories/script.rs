//! A story as a script: what is said, what of it is heard, and what else happens, a line each. What a line means
//! knows `stage`; here it is words, so that a story can be printed, read, written by hand and made shorter.
//!
//!     plant 1 pack c0 t0 t1         at an instant somebody states something: of what, and how
//!     store 20 retract house#0      the first event that the house stated
//!     hears store 0..2              the server hears two events of the store
//!     recalls L7 &                  something else happens; the next thing at once, before all is folded

use std::{collections::BTreeSet, fmt, ops::Range};

/// Who states events: devices at the plant, the house and the store, each but one with another beside it, and one
/// at the partner's shop. The twin is a copy of the house's.
pub const TELLERS: [&str; 7] = ["plant", "line", "house", "store", "till", "shop", "twin"];

/// See the file's header.
#[derive(Clone, Default)]
pub struct Story(pub Vec<Line>);

/// A line of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Line(pub Vec<String>);

impl Story {
    /// What a text says.
    pub fn of(text: &str) -> Story {
        let lines = text.lines().map(str::trim);
        Story(
            lines
                .filter(|line| !line.is_empty())
                .map(Line::of)
                .collect(),
        )
    }

    /// One more line.
    pub fn push(&mut self, line: &str) {
        self.0.push(Line::of(line));
    }

    /// How many events somebody has stated so far.
    pub fn stated(&self, who: &str) -> usize {
        let lines = self.0.iter();
        lines.filter(|line| line.teller() == Some(who)).count()
    }

    /// Until when in the story something happened.
    pub fn lasts(&self) -> i64 {
        let said = self.0.iter().filter(|line| line.teller().is_some());
        said.map(Line::at).max().unwrap_or_default()
    }

    /// The same without a line, and without what there is no more to be heard of or to be struck then.
    #[must_use]
    pub fn without(&self, n: usize) -> Story {
        let events: Vec<Option<(&str, usize)>> = (0..self.0.len())
            .map(|at| {
                let who = self.0[at].teller()?;
                Some((who, Story(self.0[..at].to_vec()).stated(who)))
            })
            .collect();
        let mut lost = BTreeSet::from([n]);
        loop {
            let gone = lost.iter().filter_map(|at| events[*at]);
            let gone: BTreeSet<String> = gone.map(|(who, at)| format!("{who}#{at}")).collect();
            let names = |at: &usize| self.0[*at].0.iter().any(|word| gone.contains(word));
            let more: Vec<usize> = (0..self.0.len()).filter(names).collect();
            let before = lost.len();
            lost.extend(more);
            if lost.len() == before {
                break;
            }
        }
        let now = |who: &str, at: usize| {
            let gone = lost.iter().filter_map(|line| events[*line]);
            at - gone.filter(|(of, n)| *of == who && *n < at).count()
        };
        let rest = (0..self.0.len()).filter(|at| !lost.contains(at));
        Story(rest.filter_map(|at| self.0[at].renumbered(now)).collect())
    }
}

impl Line {
    fn of(text: &str) -> Line {
        Line(text.split_whitespace().map(str::to_owned).collect())
    }

    /// Who states an event by it.
    pub fn teller(&self) -> Option<&str> {
        let first = self.0.first()?;
        TELLERS.into_iter().find(|who| who == first)
    }

    /// At which instant.
    pub fn at(&self) -> i64 {
        self.0[1].parse().expect("an instant")
    }

    /// Does the next thing happen before all is folded?
    pub fn is_hasty(&self) -> bool {
        self.0.last().is_some_and(|word| word == "&")
    }

    /// Its words but for that.
    pub fn words(&self) -> Vec<&str> {
        let words = self.0.iter().map(String::as_str);
        words.filter(|word| *word != "&").collect()
    }

    /// Which events of whom the server hears by it.
    pub fn heard(&self) -> Option<(&str, Range<usize>)> {
        let [hears, who, of] = self.words()[..] else {
            return None;
        };
        let (from, to) = of.split_once("..").filter(|_| hears == "hears")?;
        Some((who, from.parse().ok()?..to.parse().ok()?))
    }

    /// The same where events have other numbers; none if nothing is left of it.
    fn renumbered(&self, now: impl Fn(&str, usize) -> usize) -> Option<Line> {
        let mut line = self.clone();
        if let Some((who, of)) = self.heard() {
            let (from, to) = (now(who, of.start), now(who, of.end));
            line.0[2] = format!("{from}..{to}");
            return Some(line).filter(|_| from < to);
        }
        for word in &mut line.0 {
            if let Some((who, at)) = word.split_once('#') {
                let at = at.parse().expect("a number");
                *word = format!("{who}#{}", now(who, at));
            }
        }
        Some(line)
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.iter().map(|line| line.0.join(" "));
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}
