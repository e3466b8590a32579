//! What was seen: the log as it stands, and what each device made and was told.
//!
//! A device here is one physical copy. A cloned device is two histories with one device id.

use crate::{
    chain::Hash,
    ids::{DeviceId, EnterpriseId, Epoch, EventId, GroupId, Gseq, Micros, Seq},
    order::{Interval, Order},
    wire::{Receipt, Status},
};

/// An event as the log holds it: one for each distinct copy that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its position.
    pub gseq: Gseq,
    /// When it was received: the stamp of its position.
    pub recv: Micros,
    /// Whose device.
    pub enterprise: EnterpriseId,
    /// Which device.
    pub device: DeviceId,
    /// Which life of it.
    pub epoch: Epoch,
    /// Which number there.
    pub seq: Seq,
    /// The id it gave itself, if it could be read.
    pub event: Option<EventId>,
    /// The act it is part of.
    pub group: Option<(GroupId, u32)>,
    /// The chain's hash before it.
    pub prev_hash: Hash,
    /// The chain's hash after it.
    pub hash: Hash,
    /// Its bytes.
    pub body: Vec<u8>,
    /// What it is now: stored, stored and flagged, parked or quarantined.
    pub fate: Status,
    /// Its place in the order, while it counts in state.
    pub order: Option<Order>,
    /// Its frozen times.
    pub interval: Interval,
}

impl Logged {
    /// Does it count in state?
    pub const fn counts(&self) -> bool {
        matches!(self.fate, Status::Stored | Status::StoredFlagged)
    }

    /// Is it ordered in the life it was made in? A branch that was taken in later (T3) is not.
    pub(super) fn is_on_first(&self) -> bool {
        self.order.is_none_or(|order| order.epoch == self.epoch)
    }
}

/// All the log holds of events, by position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogHistory {
    /// The events, ascending by position.
    pub events: Vec<Logged>,
}

impl LogHistory {
    /// The events of a device's life, by position.
    pub fn of(&self, device: DeviceId, epoch: Epoch) -> impl Iterator<Item = &Logged> {
        self.events
            .iter()
            .filter(move |logged| logged.device == device && logged.epoch == epoch)
    }
}

/// An event a device made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// In which life.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
    /// Its id.
    pub event: EventId,
    /// Its text.
    pub text: String,
    /// The chain's hash after it.
    pub hash: Hash,
    /// Where the device has it.
    pub whereabouts: Whereabouts,
}

/// Where the device that made an event has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whereabouts {
    /// Nowhere: it died before the event was durable, and had not made the sound of success.
    NeverPromised,
    /// In the outbox.
    Waiting,
    /// In the outbox, which found that it is not what was made any more, and told so (I30).
    Damaged,
    /// Dropped, since a receipt covered it.
    Dropped,
    /// Lost with the device's storage, which no protocol can mend.
    Wiped,
}

/// What a device was told, in the order it heard it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A receipt.
    Receipt(Receipt),
    /// The result of one event it had sent.
    Result {
        /// In which life.
        epoch: Epoch,
        /// Its number.
        seq: Seq,
        /// The hash of the event it had sent under that number.
        hash: Hash,
        /// What it was told.
        status: Status,
        /// Why.
        code: Option<String>,
        /// At which position.
        gseq: Option<Gseq>,
    },
}

/// The history of one physical copy of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceHistory {
    /// Which device it says it is.
    pub device: DeviceId,
    /// What it made, in order.
    pub made: Vec<Made>,
    /// What it was told, in order.
    pub told: Vec<Told>,
}
