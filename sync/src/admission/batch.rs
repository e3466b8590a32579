//! A push as it is read: every text hashed into the chain and parsed, before anything held is
//! looked at.
//!
//! The dear part of an admission, and it needs no lock. The frame is the only thing that can be
//! refused, and then it fills nothing; what is wrong with a text inside it is for T9.

use crate::{
    bugs::{self, Bug},
    chain::{self, Hash},
    event::{Event, EventFault, Group, Header},
    ids::{DeviceId, Epoch, EventId, Seq},
    limits::{EVENTS_PER_PUSH_MAX, SEQ_MAX},
    wire::{Covered, FrameFault},
};
use std::sync::Arc;

/// What a text turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// An event of this device, at its place.
    Event(Arc<Event>),
    /// An event of a kind or version this program does not know yet, at its place (T7).
    Later(Header),
    /// An event at its place that the program at hand failed to fold (T9). Reading it again gives the
    /// event: nothing is wrong with its text.
    Unfoldable(Header),
    /// An event or header whose device, epoch or number are not those of its place (T9).
    Elsewhere(Header),
    /// No event (T9).
    Unreadable(EventFault),
}

/// One text of a push, at its place.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadEvent {
    /// Its place: the push's first number and its position. This is the number it fills.
    pub seq: Seq,
    /// The hash before it, as the device's chain has it.
    pub prev_hash: Hash,
    /// The hash after it.
    pub hash: Hash,
    /// Its bytes, verbatim.
    pub text: String,
    /// What it is.
    pub read: Read,
}

/// A push whose frame is in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Whose.
    pub device: DeviceId,
    /// Of which life.
    pub epoch: Epoch,
    /// The number of the first event.
    pub first_seq: Seq,
    /// The hash before it.
    pub prev_hash: Hash,
    /// The events, in their places.
    pub events: Vec<ReadEvent>,
}

/// Reads a push that was held against what its device signed: its hashes are known from there.
/// `parse` is [`crate::event::parse`], or what a test puts in its place.
pub fn read_covered(
    push: Covered,
    parse: impl Fn(&str) -> Result<Event, EventFault>,
) -> Result<Batch, FrameFault> {
    let (push, hashes) = push.into_parts();
    let place = (push.device, push.epoch, push.first_seq);
    let texts = push.events.into_iter().zip(hashes);
    chained(place, push.prev_hash, texts, parse)
}

/// Reads a push. `parse` is [`crate::event::parse`], or what a test puts in its place.
pub fn read(
    device: DeviceId,
    epoch: Epoch,
    first_seq: Seq,
    prev_hash: Hash,
    texts: Vec<String>,
    parse: impl Fn(&str) -> Result<Event, EventFault>,
) -> Result<Batch, FrameFault> {
    // Each is hashed when its turn comes: not before the frame is known to be in order.
    let mut head = prev_hash;
    let texts = texts.into_iter().map(|text| {
        head = chain::next(head, text.as_bytes());
        (text, head)
    });
    chained((device, epoch, first_seq), prev_hash, texts, parse)
}

/// Reads texts with the hashes after them.
fn chained(
    (device, epoch, first_seq): (DeviceId, Epoch, Seq),
    prev_hash: Hash,
    texts: impl ExactSizeIterator<Item = (String, Hash)>,
    parse: impl Fn(&str) -> Result<Event, EventFault>,
) -> Result<Batch, FrameFault> {
    if texts.len() > EVENTS_PER_PUSH_MAX {
        return Err(FrameFault::TooManyEvents {
            max: EVENTS_PER_PUSH_MAX,
        });
    }
    let after = first_seq.saturating_add(texts.len() as u64);
    if first_seq == 0 || after > SEQ_MAX + 1 {
        return Err(FrameFault::BadSeq);
    }
    let mut head = prev_hash;
    let events = (first_seq..)
        .zip(texts)
        .map(|(seq, (text, hash))| {
            let prev_hash = head;
            head = if bugs::on(Bug::HashOverRewritten) {
                chain::next(prev_hash, rewritten(&text).as_bytes())
            } else {
                hash
            };
            let read = read_one(&text, (device, epoch, seq), &parse);
            ReadEvent {
                seq,
                prev_hash,
                hash: head,
                text,
                read,
            }
        })
        .collect();
    Ok(Batch {
        device,
        epoch,
        first_seq,
        prev_hash,
        events,
    })
}

/// For [`Bug::HashOverRewritten`] only.
fn rewritten(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text)
        .map_or_else(|_| text.to_owned(), |json| json.to_string())
}

/// Reads one text and holds it against its place.
pub(super) fn read_one(
    text: &str,
    place: (DeviceId, Epoch, Seq),
    parse: impl Fn(&str) -> Result<Event, EventFault>,
) -> Read {
    match parse(text) {
        Ok(event) if (event.device, event.epoch, event.seq) == place => Read::Event(event.into()),
        Ok(_) => Read::Elsewhere(Header::read(text.as_bytes())),
        Err(fault) if fault.parks() => {
            let header = Header::read(text.as_bytes());
            let at = header.device.zip(header.epoch).zip(header.seq);
            match at {
                // Without an id it could never be found again, so it does not wait.
                _ if header.event_id.is_none() => Read::Unreadable(fault),
                Some(((device, epoch), seq)) if (device, epoch, seq) == place => {
                    Read::Later(header)
                }
                _ => Read::Elsewhere(header),
            }
        }
        Err(fault) => Read::Unreadable(fault),
    }
}

impl Batch {
    /// The number of its last event; the one before `first_seq` when it has none.
    pub fn last_seq(&self) -> Seq {
        self.events
            .last()
            .map_or(self.first_seq.saturating_sub(1), |event| event.seq)
    }

    /// The chain head after it.
    pub fn head(&self) -> Hash {
        self.events
            .last()
            .map_or(self.prev_hash, |event| event.hash)
    }
}

impl Read {
    /// The id it states and may claim: that of an event at its place. What is unreadable or does
    /// not belong here claims none, so that it cannot take the place of the true one.
    pub fn id(&self) -> Option<EventId> {
        match self {
            Read::Event(event) => Some(event.id),
            Read::Later(header) | Read::Unfoldable(header) => header.event_id,
            Read::Elsewhere(_) | Read::Unreadable(_) => None,
        }
    }

    /// The event, if it is one that can be folded.
    pub fn event(&self) -> Option<&Arc<Event>> {
        match self {
            Read::Event(event) => Some(event),
            _ => None,
        }
    }

    /// The act it is part of.
    pub fn group(&self) -> Option<Group> {
        self.event().and_then(|event| event.group)
    }
}
