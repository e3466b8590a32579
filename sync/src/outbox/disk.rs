//! What of an outbox is on the device's storage, and the transactions that change it.
//!
//! A transaction is applied whole or not at all, and in order. Applying one is a pure function, so
//! that any storage can be held against it.

use super::Notice;
use crate::{
    chain::{self, Hash},
    ids::{DeviceId, Epoch, Gseq, Micros, Seq},
    wire::Receipt,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// An event of this device: its life and number. Ascending, it is the order of the queue.
pub type Key = (Epoch, Seq);

/// An anchor as a device keeps it. A greater one is a greater text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnchor {
    /// The opaque text.
    pub text: String,
    /// The device's wall clock when it was received.
    pub wall: Micros,
    /// The check value of both (I30). Programs of before kept none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<u32>,
}

impl KeptAnchor {
    /// An anchor that was received at this time of the device's wall clock.
    pub fn new(text: String, wall: Micros) -> KeptAnchor {
        let check = Some(check(&format!("{text} {wall}")));
        KeptAnchor { text, wall, check }
    }

    fn is_whole(&self) -> bool {
        let KeptAnchor { text, wall, .. } = self;
        self.check
            .is_none_or(|kept| kept == check(&format!("{text} {wall}")))
    }
}

/// A check value of something short that nobody signed: FNV-1a, in which any bit that turns shows.
fn check(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// How far an event on the storage has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "is", content = "stamp", rename_all = "snake_case")]
pub enum RowState {
    /// On the device only, as far as is known.
    Durable,
    /// Receipted at this stamp of the server; it waits there.
    Receipted(Micros),
    /// Receipted, and nothing is wrong with it.
    Settled(Micros),
    /// Receipted, and somebody has to look at it.
    NeedsAttention(Micros),
}

/// An event on the storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its life and number.
    pub key: Key,
    /// The hash before it.
    pub prev_hash: Hash,
    /// The hash after it.
    pub hash: Hash,
    /// Its text, never changed.
    #[serde(with = "shared")]
    pub text: Arc<str>,
    /// How far it has come.
    pub state: RowState,
}

/// A change of an event's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Of which event.
    pub key: Key,
    /// Its state from now on.
    pub state: RowState,
}

/// One transaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// Its number; later ones are greater.
    pub id: u64,
    /// A new life of the device, which begins a new chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// Events to add. The head of the chain moves with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Row>,
    /// States to change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Events to drop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<Key>,
    /// Lives of which nothing is left, whose receipts go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forget: Vec<Epoch>,
    /// The newest receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// The greatest anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<KeptAnchor>,
    /// The position of the pull, with which its page is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Gseq>,
    /// The device has to be enrolled again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrol_again: Option<bool>,
}

/// The storage of an outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    /// Which device.
    pub device: DeviceId,
    /// Which life of it.
    pub epoch: Epoch,
    /// The number of the next event.
    pub next: Seq,
    /// The head of the chain.
    pub head: Hash,
    /// The events, in the order of the queue.
    pub rows: BTreeMap<Key, Row>,
    /// The newest receipt of each life. What is safe on the server is what these cover, whatever the
    /// states of rows say.
    pub receipts: BTreeMap<Epoch, Receipt>,
    /// The greatest anchor of this life.
    pub anchor: Option<KeptAnchor>,
    /// The position of the pull.
    pub cursor: Gseq,
    /// Its check value (I30). Programs of before kept none.
    pub cursor_check: Option<u32>,
    /// The device has to be enrolled again.
    pub enrol_again: bool,
}

impl RowState {
    /// Is it known to be safe on the server?
    pub const fn is_receipted(self) -> bool {
        !matches!(self, RowState::Durable)
    }

    /// The stamp of its receipt.
    pub const fn stamp(self) -> Option<Micros> {
        match self {
            RowState::Durable => None,
            RowState::Receipted(stamp)
            | RowState::Settled(stamp)
            | RowState::NeedsAttention(stamp) => Some(stamp),
        }
    }
}

impl Row {
    /// I30: does its text still give its hash? What turned on the storage or in memory shows here.
    pub fn is_whole(&self) -> bool {
        chain::next(self.prev_hash, self.text.as_bytes()) == self.hash
    }
}

impl Disk {
    /// A device just enrolled.
    pub fn new(device: DeviceId, epoch: Epoch, anchor: Option<KeptAnchor>) -> Disk {
        Disk {
            device,
            epoch,
            next: 1,
            head: chain::genesis(device, epoch),
            rows: BTreeMap::new(),
            receipts: BTreeMap::new(),
            anchor,
            cursor: 0,
            cursor_check: None,
            enrol_again: false,
        }
    }

    /// I30: lets go of what is not what was kept, before a session begins: receipts that nobody signed
    /// (`believes` asks for the signature), an anchor or a position with another check value. They are
    /// asked for again. What the person is told of it.
    pub(super) fn doubt(&mut self, believes: impl Fn(&Receipt) -> bool) -> Vec<Notice> {
        let device = self.device;
        let mut found = Vec::new();
        self.receipts.retain(|epoch, receipt| {
            let is_its = (receipt.device, receipt.epoch) == (device, *epoch);
            let is_good = is_its && believes(receipt);
            if !is_good {
                found.push(Notice::Doubted(*epoch));
            }
            is_good
        });
        let cursor = check(&self.cursor.to_string());
        let anchor = self.anchor.take_if(|anchor| !anchor.is_whole());
        let strayed = self.cursor_check.take_if(|kept| *kept != cursor).is_some();
        if strayed {
            self.cursor = 0;
        }
        if anchor.is_some() || strayed {
            found.push(Notice::Strayed);
        }
        // No event is ever written in the place of another, nor under a number that was given away.
        let of_life = (self.epoch, 1)..=(self.epoch, Seq::MAX);
        let made = self
            .rows
            .range(of_life)
            .next_back()
            .map(|((_, seq), _)| *seq);
        let receipt = self.receipts.get(&self.epoch).filter(|_| !self.enrol_again);
        let held = receipt.and_then(|receipt| receipt.held_ranges.ranges().last());
        let last = made.max(held.map(|(_, last)| *last)).unwrap_or_default();
        self.next = self.next.max(last.saturating_add(1));
        found
    }

    /// Does a signed receipt say that an event is safe on the server?
    pub(super) fn covers(&self, (epoch, seq): Key) -> bool {
        let receipt = self.receipts.get(&epoch);
        receipt.is_some_and(|receipt| receipt.covers(seq))
    }

    /// Does this receipt prove that the server holds the very events of this storage up to its head, and
    /// not those of a second copy under their numbers? The head's hash is of all before it.
    pub(super) fn is_proven_by(&self, receipt: &Receipt) -> bool {
        let head = self.rows.get(&(receipt.epoch, receipt.contiguous_seq));
        head.is_some_and(|row| row.hash == receipt.head_hash)
    }

    /// Earlier lives with a receipt, kept or come just now, of which no event is left: it says nothing any
    /// more.
    pub(super) fn over(&self, came: Epoch) -> Vec<Epoch> {
        let is_over = |life: &Epoch| {
            let mut left = self.rows.range((*life, 0)..=(*life, Seq::MAX));
            *life != self.epoch && left.next().is_none()
        };
        let lives: BTreeSet<Epoch> = self.receipts.keys().copied().chain([came]).collect();
        lives.into_iter().filter(is_over).collect()
    }

    /// Applies a transaction.
    pub fn apply(&mut self, write: &Write) {
        if let Some(epoch) = write.epoch {
            self.epoch = epoch;
            self.next = 1;
            self.head = chain::genesis(self.device, epoch);
            self.anchor = None;
        }
        for row in &write.rows {
            let (_, seq) = row.key;
            self.next = seq.saturating_add(1);
            self.head = row.hash;
            self.rows.insert(row.key, row.clone());
        }
        for mark in &write.marks {
            if let Some(row) = self.rows.get_mut(&mark.key) {
                row.state = mark.state;
            }
        }
        for key in &write.drop {
            self.rows.remove(key);
        }
        if let Some(receipt) = &write.receipt {
            self.receipts.insert(receipt.epoch, receipt.clone());
        }
        // Also one that came late.
        for life in &write.forget {
            self.receipts.remove(life);
        }
        if let Some(anchor) = &write.anchor {
            self.anchor = Some(anchor.clone());
        }
        if let Some(cursor) = write.cursor {
            self.cursor = cursor;
            self.cursor_check = Some(check(&cursor.to_string()));
        }
        if let Some(again) = write.enrol_again {
            self.enrol_again = again;
        }
    }
}

/// A text that is shared, as a plain one.
mod shared {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::sync::Arc;

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(from).map(Arc::from)
    }
}
