//! What consumers tell us on its way in. A consumer-facing process may put a message here and
//! read nothing back; the internal side takes each one, hands it to the feature that knows its
//! kind, and deletes it, all in one transaction with the log entry and the public projection.
//!
//! - [`Slot`] is all the public side holds: it seals personal parts to a public key and inserts.
//! - [`Receiver`] is how a feature takes messages: implement it, and name it where the internal
//!   side is put together (`app`). [`take_for_ever`] does the rest.
//! - [`Seals`] opens what was sealed. Only the internal side can: the private halves stand in the
//!   database wrapped with the master key.
//!
//! Nothing about who sent a message (address, browser) is ever part of it. This module knows no
//! feature, and no HTTP.

mod seal;
mod slot;
mod store;
mod take;

pub use seal::{SealedError, Seals};
pub use slot::{PRIVATE_MAX, PutError, Slot};
pub use take::{Receiver, TakeError, Taken, take_for_ever, take_round};

use crate::clock::Micros;
use uuid::Uuid;

/// A message as it waits.
#[derive(Debug, Clone)]
pub struct Message {
    /// Made by the sender's side; a message sent twice under one id is one message.
    pub id: Uuid,
    /// Which feature takes it.
    pub kind: String,
    /// When it was put, by the clock of the process that put it.
    pub at: Micros,
    /// JSON without personal data.
    pub body: String,
    /// Personal data, sealed for this id and kind; empty where there is none.
    pub sealed: Vec<u8>,
}
