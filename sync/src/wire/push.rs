//! `POST /v1/sync/push` and `POST /v1/sync/deposit`: events go up, a receipt comes down.
//!
//! A push carries events as strings, so that their bytes survive every reader on the way.

use super::{FrameFault, Receipt, V, frame, list};
use crate::{
    chain::{self, Hash},
    finding::{FindingCode, Severity, Subject},
    ids::{DeviceId, Epoch, EventId, Gseq, Micros, Seq},
    limits::{
        EVENT_BYTES_MAX, EVENTS_PER_PUSH_MAX, PUSH_INFLATED_BYTES_MAX, SEQ_MAX, TOKEN_BYTES_MAX,
    },
};
use serde::{Deserialize, Serialize};

/// Events of one device's epoch, in order, without gaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// Version of this message.
    pub v: V<1>,
    /// Whose events.
    pub device: DeviceId,
    /// Of which life.
    pub epoch: Epoch,
    /// The number of the first event; of the next one when there is none.
    pub first_seq: Seq,
    /// The chain's hash before the first event.
    pub prev_hash: Hash,
    /// The newest receipt the device holds: shows a server that was set back what it once held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_receipt: Option<Receipt>,
    /// How many events wait on the device, these included.
    #[serde(default)]
    pub queue_depth: u64,
    /// The texts of the events; bytes as the device made them.
    #[serde(deserialize_with = "list::one_beyond::<_, _, EVENTS_PER_PUSH_MAX>")]
    pub events: Vec<String>,
}

impl Push {
    /// Reads a push after inflation. What single events say is no fault of the push.
    pub fn read(bytes: &[u8]) -> Result<Push, FrameFault> {
        let push: Push = frame::read(bytes, PUSH_INFLATED_BYTES_MAX)?;
        push.in_bounds()?;
        Ok(push)
    }

    fn in_bounds(&self) -> Result<(), FrameFault> {
        if self.events.len() > EVENTS_PER_PUSH_MAX {
            return Err(FrameFault::TooManyEvents {
                max: EVENTS_PER_PUSH_MAX,
            });
        }
        if self.first_seq == 0 || self.last_seq() > SEQ_MAX {
            return Err(FrameFault::BadSeq);
        }
        match (self.first_seq..)
            .zip(&self.events)
            .find(|(_, text)| text.len() > EVENT_BYTES_MAX)
        {
            Some((seq, text)) => Err(FrameFault::EventTooLong {
                seq,
                bytes: text.len(),
                max: EVENT_BYTES_MAX,
            }),
            None => Ok(()),
        }
    }

    /// The number that the event at this place of the list has to have.
    pub const fn seq_at(&self, place: usize) -> Seq {
        self.first_seq.saturating_add(place as u64)
    }

    /// The number of the last event; `first_seq - 1` when there is none.
    pub fn last_seq(&self) -> Seq {
        self.first_seq
            .saturating_add(self.events.len() as u64)
            .saturating_sub(1)
    }

    /// The chain's hash after the last event.
    pub fn head(&self) -> Hash {
        chain::head(self.prev_hash, &self.events)
    }
}

/// An exported batch carried by another device or by a file: the push, and the token the device
/// signed over it. The chain and the signature make it as good as a push of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    /// Version of this message.
    pub v: V<1>,
    /// The token ([`PushClaims`](super::PushClaims)) of the device whose events they are.
    pub token: String,
    /// Its events.
    pub push: Push,
}

impl Deposit {
    /// Reads a deposit after inflation.
    pub fn read(bytes: &[u8]) -> Result<Deposit, FrameFault> {
        let deposit: Deposit = frame::read(bytes, PUSH_INFLATED_BYTES_MAX + TOKEN_BYTES_MAX)?;
        deposit.push.in_bounds()?;
        Ok(deposit)
    }
}

/// What became of an event. All of these are durable, and each fills its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In the log and in state.
    Stored,
    /// Held before with the same bytes (T1): the original result is told again.
    Duplicate,
    /// In the log and in state, with a remark of the rules of taking in: `CHAIN_BREAK` (T5), or
    /// `PARTIAL_GROUP` (T8). What is found of what it states (`SEQUENCE_IMPOSSIBLE` and the other
    /// findings) never gives this: it is `stored`, and they stand beside that.
    StoredFlagged,
    /// Kept raw until its group is whole or a later program knows it (T7, T8).
    Parked,
    /// Kept apart until somebody decides (T2, T3, T6, T9).
    Quarantined,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 5] = [
        Status::Stored,
        Status::Duplicate,
        Status::StoredFlagged,
        Status::Parked,
        Status::Quarantined,
    ];

    /// The name on the wire and in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Stored => "stored",
            Status::Duplicate => "duplicate",
            Status::StoredFlagged => "stored_flagged",
            Status::Parked => "parked",
            Status::Quarantined => "quarantined",
        }
    }

    /// The status of that name.
    pub fn of_name(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What became of one event of a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventResult {
    /// Its number.
    pub seq: Seq,
    /// Its fate.
    pub status: Status,
    /// Why it is parked, quarantined or flagged: the name of the remark that decided on it
    /// ([`admission::Remark`](crate::admission::Remark)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why its text is no event, of what is `UNREADABLE`: for people, as the program that answers reads
    /// it, at most [`REASON_CHARS_MAX`](crate::limits::REASON_CHARS_MAX) characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its position in the log; none while it is kept out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gseq: Option<Gseq>,
    /// What was found about it at once: at most
    /// [`FINDINGS_TOLD_MAX`](crate::limits::FINDINGS_TOLD_MAX), the worst of it.
    #[serde(default)]
    pub findings: Vec<FindingNote>,
    /// How many more were found: all are on record.
    #[serde(default, skip_serializing_if = "super::is_none")]
    pub more_findings: u32,
    /// Not everything it is about was judged at once: what is found of that comes with a pull, as a verdict.
    /// Like all of a result it is what was told first: a duplicate says so however much was judged since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

/// A finding as a device is told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingNote {
    /// What is wrong.
    pub code: FindingCode,
    /// How bad it is.
    pub severity: Severity,
    /// With what.
    pub subject: Subject,
    /// The event that explained it away, once it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<EventId>,
    /// The entry of the log that did, if no event did. Absent of answers from before this was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_entry: Option<ClosingEntry>,
    /// Is it closed?
    #[serde(default)]
    pub closed: bool,
}

/// An entry of the log that explained a finding away: a recall, a decision, or what came on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosingEntry {
    /// Its position.
    pub position: Gseq,
    /// What it is, by name: `recall_closed`, `holder_accepted`, `master_data_changed`, … A name a program does not
    /// know is some entry's.
    pub kind: String,
}

/// The answer to a push, once it is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAnswer {
    /// Version of this message.
    pub v: V<1>,
    /// One for each event, in their order.
    pub results: Vec<EventResult>,
    /// What is held now.
    pub receipt: Receipt,
    /// The newest anchor: opaque, to be stored with the receipt in one transaction.
    pub anchor: String,
    /// When the push was received.
    pub t_recv: Micros,
    /// When this answer was sent.
    pub t_sent: Micros,
    /// How many events the next push may have; 0: wait for `retry_after`.
    pub credit: u32,
    /// Seconds to wait before the next push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// There may be something to pull: master data, a recall or a decision came in since the greatest
    /// cursor the events of the push saw, whoever's. Goods that set out for the place and verdicts do
    /// not set it, since what a device does itself would: they come with the pulls it makes anyway.
    pub pull_hint: bool,
}
