//! The chain over the log (I30): each act's hash covers the rows it wrote and the act before it, so that no
//! row can be changed, taken out, put in or moved without being seen, and it shows in which act.
//!
//! `hash = SHA-256("suyuan-log-act-1" ‖ hash before ‖ last position before ‖ first position ‖ rows ‖ last
//! position)`; the first hash before is `SHA-256("suyuan-log-genesis-1" ‖ installation)`, at position 0.
//! Rows stand in the order of their positions, each with a letter for its table. Numbers are eight bytes, the
//! most significant first; what may have any length stands behind its length; so nothing can be read two
//! ways. That the last position before is in it lets a program of before the chain write in between: what it
//! wrote is outside of the chain, and that nothing else was there is inside.
//!
//! Of a body stands its own hash: were one ever to be taken out by order of a court, the hash could be kept in
//! its place and the chain would hold. Nothing does so today: entries hold no personal data, and no entry is
//! ever changed or deleted.
//!
//! It knows bytes only: neither database nor what events are.

use super::Position;
use aws_lc_rs::digest::{Context, SHA256, digest};
use suyuan_sync::chain::Hash;
use uuid::Uuid;

const GENESIS: &[u8] = b"suyuan-log-genesis-1";
const ACT: &[u8] = b"suyuan-log-act-1";

/// How far the chain has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The hash of the last act.
    pub hash: Hash,
    /// Its last position.
    pub last: Position,
}

impl Link {
    /// Before the first act.
    pub fn genesis(installation: Uuid) -> Link {
        let mut context = Context::new(&SHA256);
        context.update(GENESIS);
        context.update(installation.as_bytes());
        Link {
            hash: finish(context),
            last: 0,
        }
    }
}

fn finish(context: Context) -> Hash {
    of(context.finish().as_ref())
}

fn of(bytes: &[u8]) -> Hash {
    Hash(<[u8; 32]>::try_from(bytes).unwrap_or_default())
}

/// A row in bytes that can be read in one way only.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Canonical(Vec<u8>);

impl Canonical {
    /// A number.
    pub fn number(&mut self, number: i64) -> &mut Canonical {
        self.0.extend(number.to_be_bytes());
        self
    }

    /// Bytes of any length.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Canonical {
        self.number(bytes.len() as i64).0.extend(bytes);
        self
    }

    /// Bytes that may be missing.
    pub fn maybe(&mut self, bytes: Option<&[u8]>) -> &mut Canonical {
        match bytes {
            None => self.number(-1),
            Some(bytes) => self.bytes(bytes),
        }
    }

    /// Begins anew, in the same memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// An entry as its row in `log_entry` has it: all of it. Texts are bytes, since a bit may have turned in them.
#[derive(Debug, Clone, Copy)]
pub struct EntryRow<'a> {
    /// Its position.
    pub gseq: Position,
    /// Its instant.
    pub stamp: i64,
    /// What happened.
    pub kind: &'a [u8],
    /// Whose data.
    pub enterprise: Option<&'a [u8]>,
    /// Who acted.
    pub actor: &'a [u8],
    /// On what.
    pub subject: &'a [u8],
    /// What changed.
    pub body: &'a [u8],
}

impl EntryRow<'_> {
    /// In bytes.
    pub fn canonical(&self) -> Canonical {
        let mut row = Canonical::default();
        row.number(self.gseq).number(self.stamp).bytes(self.kind);
        row.maybe(self.enterprise);
        row.bytes(self.actor).bytes(self.subject);
        row.bytes(digest(&SHA256, self.body).as_ref());
        row
    }
}

/// Which table a row stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// `log_entry`.
    Entry,
    /// `event`.
    Event,
}

/// The hash of an act in the making: one row after the other.
#[derive(Clone)]
pub struct Seal {
    context: Context,
    rows: usize,
}

impl Seal {
    /// Of an act that begins at a position, behind another.
    pub fn after(before: Link, first: Position) -> Seal {
        let mut context = Context::new(&SHA256);
        context.update(ACT);
        context.update(&before.hash.0);
        context.update(&before.last.to_be_bytes());
        context.update(&first.to_be_bytes());
        Seal { context, rows: 0 }
    }

    /// The next row.
    pub fn row(&mut self, table: Table, row: &Canonical) {
        let letter: &[u8] = match table {
            Table::Entry => b"e",
            Table::Event => b"d",
        };
        self.context.update(letter);
        self.context.update(&(row.0.len() as u64).to_be_bytes());
        self.context.update(&row.0);
        self.rows += 1;
    }

    /// How many there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// There are no more.
    pub fn close(mut self, last: Position) -> Link {
        self.context.update(&last.to_be_bytes());
        Link {
            hash: finish(self.context),
            last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BEFORE: Link = Link {
        hash: Hash([7; 32]),
        last: 40,
    };

    fn entry(body: &[u8]) -> EntryRow<'_> {
        EntryRow {
            gseq: 41,
            stamp: 1_000,
            kind: b"recall_opened",
            enterprise: Some(&[3; 16]),
            actor: b"system",
            subject: b"recall:1",
            body,
        }
    }

    fn act(rows: &[(Table, Canonical)], before: Link, (first, last): (i64, i64)) -> Link {
        let mut seal = Seal::after(before, first);
        for (table, row) in rows {
            seal.row(*table, row);
        }
        assert_eq!(seal.rows(), rows.len());
        seal.close(last)
    }

    #[test]
    fn i30_the_chain_is_what_it_was_first_written_as() {
        // Made once with another program: were it ever another, all that was chained would seem damaged.
        let genesis = Link::genesis(Uuid::from_u128(1));
        let told = "8013451668613b967addc3210dcf5e696956252a0b4a4a0a23bcc4f962011d3c";
        assert_eq!((genesis.hash.to_string().as_str(), genesis.last), (told, 0));
        let row = entry(b"{}").canonical();
        let link = act(&[(Table::Entry, row)], BEFORE, (41, 41));
        let told = "212e40fe3213bb72baf4b7c34102d5f5d08f136631c29c018b6660c55ec6ade5";
        assert_eq!((link.hash.to_string().as_str(), link.last), (told, 41));
    }

    #[test]
    fn i30_every_field_of_an_entry_and_of_its_act_is_in_the_hash() {
        let of =
            |entry: &EntryRow<'_>| act(&[(Table::Entry, entry.canonical())], BEFORE, (41, 41)).hash;
        let good = entry(b"{}");
        let mut seen = std::collections::BTreeSet::from([of(&good)]);
        for other in [
            EntryRow { gseq: 42, ..good },
            EntryRow {
                stamp: 1_001,
                ..good
            },
            EntryRow {
                kind: b"recall_opene",
                ..good
            },
            EntryRow {
                enterprise: None,
                ..good
            },
            EntryRow {
                enterprise: Some(&[2; 16]),
                ..good
            },
            EntryRow {
                actor: b"sistem",
                ..good
            },
            EntryRow {
                actor: b"",
                subject: b"systemrecall:1",
                ..good
            },
            EntryRow {
                subject: b"recall:2",
                ..good
            },
            EntryRow {
                body: b"{} ",
                ..good
            },
        ] {
            assert!(seen.insert(of(&other)), "{other:?}");
        }
        let row = good.canonical();
        let elsewhere = Link { last: 39, ..BEFORE };
        for (rows, before, place) in [
            (vec![(Table::Event, row.clone())], BEFORE, (41, 41)),
            (vec![(Table::Entry, row.clone()); 2], BEFORE, (41, 41)),
            (vec![], BEFORE, (41, 41)),
            (vec![(Table::Entry, row.clone())], elsewhere, (41, 41)),
            (vec![(Table::Entry, row.clone())], BEFORE, (40, 41)),
            (vec![(Table::Entry, row)], BEFORE, (41, 42)),
        ] {
            assert!(seen.insert(act(&rows, before, place).hash), "{place:?}");
        }
    }

    proptest! {
        #[test]
        fn i30_a_bit_that_turns_in_any_row_makes_another_hash(
            rows in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 1..6),
            at in any::<prop::sample::Index>(),
            bit in any::<prop::sample::Index>(),
        ) {
            let act = |rows: &[Vec<u8>]| {
                let rows = rows.iter().map(|row| (Table::Event, Canonical(row.clone())));
                act(&rows.collect::<Vec<_>>(), BEFORE, (41, 46)).hash
            };
            let mut turned = rows.clone();
            let row = &mut turned[at.index(rows.len())];
            let bit = bit.index(row.len() * 8);
            row[bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(act(&rows), act(&turned));
        }
    }
}
