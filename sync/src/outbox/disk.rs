//! What of an outbox is on the device's storage, and the transactions that change it.
//!
//! A transaction is applied whole or not at all, and in order. Applying one is a pure function, so
//! that any storage can be held against it.

use crate::{
    chain::{self, Hash},
    ids::{DeviceId, Epoch, Gseq, Micros, Seq},
    wire::Receipt,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// An event of this device: its life and number. Ascending, it is the order of the queue.
pub type Key = (Epoch, Seq);

/// An anchor as a device keeps it. A greater one is a greater text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnchor {
    /// The opaque text.
    pub text: String,
    /// The device's wall clock when it was received.
    pub wall: Micros,
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
    /// The newest receipt.
    pub receipt: Option<Receipt>,
    /// The greatest anchor of this life.
    pub anchor: Option<KeptAnchor>,
    /// The position of the pull.
    pub cursor: Gseq,
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
            receipt: None,
            anchor,
            cursor: 0,
            enrol_again: false,
        }
    }

    /// Applies a transaction.
    pub fn apply(&mut self, write: &Write) {
        if let Some(epoch) = write.epoch {
            self.epoch = epoch;
            self.next = 1;
            self.head = chain::genesis(self.device, epoch);
            self.anchor = None;
            self.receipt = None;
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
            self.receipt = Some(receipt.clone());
        }
        if let Some(anchor) = &write.anchor {
            self.anchor = Some(anchor.clone());
        }
        if let Some(cursor) = write.cursor {
            self.cursor = cursor;
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
