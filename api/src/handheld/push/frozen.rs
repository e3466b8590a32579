//! What of an event's row never changes once it was admitted, in the bytes that the chain over the log covers
//! (I30). Its text and the hash before it are covered by its own hash, which is among them.
//!
//! Not among them, since they change by what comes later:
//!
//! - `fate`, `remarks`, `flags`, `counts_from`, `order_epoch`: an event leaves parking or quarantine, its
//!   group becomes whole, the break before it is found. What stood at first is in `told`, which is among them.
//! - `eff`: events of one device move when another of them comes in late.
//! - `anchored`, which later programs added: it follows from the texts, and only what comes later is judged by it.
//! - `corrects`: an event comes to count, and what it corrects is in.
//! - of an event that this program could not read yet, what is read once it can: `kind`, `location_id`,
//!   `group_id`, `lo`, `est`, `delivered`, `meant`. Whether it was such a one stands in `told`.
//!
//! All of these follow from the log, and [`replay`](crate::handheld::replay) holds them against it. No row is
//! ever deleted, and an event holds no personal data. Knows rows, and no database.

use crate::log::{Position, chain::Canonical};
use suyuan_sync::admission::Remark;

/// Columns of a row. Texts are bytes, since a bit may have turned in them.
pub struct Frozen<'a> {
    /// Its position.
    pub gseq: Position,
    /// When it was received.
    pub stamp: i64,
    /// Whose.
    pub enterprise: &'a [u8],
    /// Of which device.
    pub device: &'a [u8],
    /// Of which epoch.
    pub epoch: i64,
    /// Its number.
    pub seq: i64,
    /// The id it claims.
    pub event: Option<&'a [u8]>,
    /// Carried by another device or a file: 1, else 0.
    pub imported: i64,
    /// The first answer.
    pub told: &'a [u8],
    /// The fork it is on.
    pub branch: Option<&'a [u8]>,
    /// The hash after it in its device's chain.
    pub hash: &'a [u8],
    /// What was read of it.
    pub read: Reading<'a>,
}

/// What was read of it, and what follows from that.
pub struct Reading<'a> {
    /// Its kind.
    pub kind: &'a [u8],
    /// Where it says it happened.
    pub location: Option<&'a [u8]>,
    /// Its group.
    pub group: Option<&'a [u8]>,
    /// Not before.
    pub lo: i64,
    /// When, as far as could be told.
    pub est: i64,
    /// What its device knew.
    pub delivered: Position,
    /// What was meant by codes that were typed.
    pub meant: Option<&'a [u8]>,
}

/// Does an event with this remark wait for a program that can read it, or fold it? Then it is read again.
pub const fn is_read_again(remark: Remark) -> bool {
    matches!(remark, Remark::Later | Remark::Unfoldable)
}

impl Frozen<'_> {
    /// In bytes. `first` is what was remarked at first.
    pub fn write(&self, first: &[Remark], into: &mut Canonical) {
        into.clear();
        into.number(self.gseq).number(self.stamp);
        into.bytes(self.enterprise).bytes(self.device);
        into.number(self.epoch).number(self.seq).maybe(self.event);
        into.number(self.imported).bytes(self.told);
        into.maybe(self.branch).bytes(self.hash);
        if first.iter().any(|remark| is_read_again(*remark)) {
            return;
        }
        let read = &self.read;
        into.bytes(read.kind)
            .maybe(read.location)
            .maybe(read.group)
            .number(read.lo)
            .number(read.est)
            .number(read.delivered)
            .maybe(read.meant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Frozen<'static> {
        Frozen {
            gseq: 1,
            stamp: 2,
            enterprise: &[3; 16],
            device: &[4; 16],
            epoch: 5,
            seq: 6,
            event: Some(&[7; 16]),
            imported: 0,
            told: b"{}",
            branch: None,
            hash: &[8; 32],
            read: Reading {
                kind: b"sale",
                location: Some(&[9; 16]),
                group: None,
                lo: 10,
                est: 11,
                delivered: 12,
                meant: None,
            },
        }
    }

    fn bytes(row: &Frozen<'_>, first: &[Remark]) -> Canonical {
        let mut into = Canonical::default();
        into.number(99);
        row.write(first, &mut into);
        into
    }

    /// Changes one column.
    type Turn = fn(&mut Frozen<'static>);

    #[test]
    fn i30_every_frozen_column_of_an_event_is_covered() {
        let always: [Turn; 11] = [
            |row| row.gseq ^= 1,
            |row| row.stamp ^= 1,
            |row| row.enterprise = &[2; 16],
            |row| row.device = &[2; 16],
            |row| row.epoch ^= 1,
            |row| row.seq ^= 1,
            |row| row.event = None,
            |row| row.imported ^= 2,
            |row| row.told = b"",
            |row| row.branch = Some(&[1; 32]),
            |row| row.hash = &[2; 32],
        ];
        let once_read: [Turn; 7] = [
            |row| row.read.kind = b"sald",
            |row| row.read.location = None,
            |row| row.read.group = Some(&[1; 16]),
            |row| row.read.lo ^= 1,
            |row| row.read.est ^= 1,
            |row| row.read.delivered ^= 1,
            |row| row.read.meant = Some(b"x"),
        ];
        for first in [
            &[][..],
            &[Remark::ChainBreak],
            &[Remark::Revoked, Remark::Later],
        ] {
            let is_read = !first.contains(&Remark::Later);
            let good = bytes(&row(), first);
            let turns = always.iter().map(|turn| (turn, true));
            for (n, (turn, covered)) in turns
                .chain(once_read.iter().map(|turn| (turn, is_read)))
                .enumerate()
            {
                let mut turned = row();
                turn(&mut turned);
                assert_eq!(bytes(&turned, first) != good, covered, "{n} {first:?}");
            }
        }
    }
}
