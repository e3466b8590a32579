//! What may happen to an outbox, and what it wants done.

use super::{Fate, Key, Write};
use crate::{
    ids::{Epoch, Gseq, Micros, Seq},
    wire::{PushAnswer, Receipt},
};
use serde::{Deserialize, Serialize};

/// A command with what the outbox does not know by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The session's monotonic clock, in milliseconds. It begins anew with every session.
    pub now: u64,
    /// A random number from 0 to 1000, for back-off.
    pub jitter: u16,
    /// What happened.
    pub command: Command,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Events were made, the first for [`Outbox::slot`](super::Outbox::slot), each for the number
    /// after the one before. They are one act and one transaction.
    Capture {
        /// Their texts.
        texts: Vec<String>,
    },
    /// A transaction is committed. They are committed in the order they were asked for.
    Committed {
        /// Which.
        write: u64,
    },
    /// The storage refused a transaction, and none after it was done.
    NotWritten {
        /// Which.
        write: u64,
    },
    /// The time last asked for has come.
    Due,
    /// Something promises better luck: network, visibility, background sync, a person.
    Wake,
    /// A push was answered, and the signature of its receipt is good. (If not, it is `Lost`.)
    Answer {
        /// Which push.
        flight: u64,
        /// The number of its first event.
        first: Seq,
        /// What became of its events, in their order.
        fates: Vec<Fate>,
        /// The receipt.
        receipt: Receipt,
        /// The anchor that came with it.
        anchor: String,
        /// The device's wall clock now.
        wall: Micros,
        /// How many events the next push may have; 0: wait.
        credit: u32,
        /// Seconds to wait.
        retry_after: Option<u32>,
    },
    /// No answer came: lost, timed out, cut off, or not to be believed.
    Lost {
        /// Which push.
        flight: u64,
    },
    /// A push was refused as a whole.
    Refused {
        /// Which push.
        flight: u64,
        /// The HTTP status.
        status: u16,
        /// Seconds to wait.
        retry_after: Option<u32>,
    },
    /// These events are not what was made, by what [`Outbox::push`](super::Outbox::push) or
    /// [`Outbox::export`](super::Outbox::export) found (I30). A push that was to hold one was not
    /// made.
    Damaged {
        /// Which.
        keys: Vec<Key>,
    },
    /// A pull's page is to be applied, whole. Its rows may be shown when the transaction is
    /// committed. A look-up is one with cursor 0, which
    /// leaves the position that is held, and no fates.
    Checkpoint {
        /// The position after it.
        cursor: Gseq,
        /// The anchor that came with it.
        anchor: String,
        /// The device's wall clock now.
        wall: Micros,
        /// What it tells of own events.
        fates: Vec<(Epoch, Seq, Fate)>,
        /// Is it a snapshot? Where the position that is held leads nowhere any more, a lower one
        /// holds from now on; a page never goes back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        anew: bool,
    },
    /// The device was enrolled, or enrolled again. What is unsent of its earlier lives stays in
    /// the queue, before everything new.
    NewEpoch {
        /// Its new life.
        epoch: Epoch,
        /// Its first anchor.
        anchor: String,
        /// The device's wall clock now.
        wall: Micros,
    },
}

impl Command {
    /// A push whose events begin at `first` was answered, and its receipt is well signed.
    pub fn answered(flight: u64, first: Seq, answer: PushAnswer, wall: Micros) -> Command {
        Command::Answer {
            flight,
            first,
            fates: answer.results.iter().map(Fate::of_result).collect(),
            receipt: answer.receipt,
            anchor: answer.anchor,
            wall,
            credit: answer.credit,
            retry_after: answer.retry_after,
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Write this in one transaction, after all asked for before; then say `Committed`.
    Persist {
        /// What.
        write: Box<Write>,
    },
    /// Send the push that [`Outbox::push`](super::Outbox::push) makes of these; if it makes none, say
    /// `Damaged`.
    Send {
        /// The number of this attempt.
        flight: u64,
        /// Of which life.
        epoch: Epoch,
        /// First number.
        first: Seq,
        /// Last number.
        last: Seq,
    },
    /// Say `Due` at this time. It replaces the time asked for before.
    WaitUntil {
        /// By the session's clock.
        at: u64,
    },
    /// Tell the person.
    Show {
        /// What.
        notice: Notice,
    },
}

/// What a person is told. How much is unsent is always on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", content = "of", rename_all = "snake_case")]
pub enum Notice {
    /// These events are safe on the device: the success sound.
    Saved(Vec<Key>),
    /// These are not: the scan has to be made again.
    NotSaved(Vec<Key>),
    /// So many events are unsent.
    ManyUnsent(u64),
    /// The server does not know who signs for this life of the device. Nothing is lost by that.
    SignIn(Epoch),
    /// There is a second copy of this device, or it was set back: it must be enrolled again.
    EnrolAgain,
    /// The server refuses this event's frame; the others go on.
    Stuck(Key),
    /// This event is not what was made: it is kept as it is, never sent like that, and has to be
    /// stated again unless the server holds it. The others go on.
    Damaged(Key),
    /// What the storage says of the events of this life that are on the server is not what a receipt
    /// says: the server is asked again, and nothing is dropped before it answered (I30).
    Doubted(Epoch),
    /// The time anchor or the position of the pull is not what was kept: they are had again with the next
    /// answer (I30).
    Strayed,
    /// Somebody has to look at this event.
    Attention(Key),
    /// Nobody has to any more.
    Resolved(Key),
}
