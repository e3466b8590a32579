//! Reading a message as a whole: bounded, strict JSON, or a fault that tells how to answer.
//!
//! Only a frame can be refused; what an event inside says never makes its neighbours fail. How long
//! its text is does: the frame has it, and nothing that long is kept.

use crate::{event::depth_exceeded, ids::Seq, limits::FRAME_DEPTH_MAX};
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Why a message was not taken. It fills no sequence number.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FrameFault {
    /// More bytes than allowed; to be sent in smaller parts (413).
    #[error("a message has at most {max} bytes when inflated, this has {}", how_many(*bytes))]
    TooLong {
        /// How many it has; `None` where it was read no further than that.
        bytes: Option<usize>,
        /// How many it may have.
        max: usize,
    },
    /// A compressed frame asks for more memory to look back in than allowed, however much it holds (413).
    #[error(
        "a frame of Zstandard has a window of at most {max} bytes, this asks for {window}; compress it with a smaller one, or send smaller parts"
    )]
    WindowTooLarge {
        /// How many bytes it asks for.
        window: u64,
        /// How many it may ask for.
        max: u64,
    },
    /// More events than allowed; to be sent in smaller parts (413).
    #[error("a push has at most {max} events")]
    TooManyEvents {
        /// How many it may have.
        max: usize,
    },
    /// An event's text is longer than allowed (413). No smaller part helps it: its device must not
    /// have made it.
    #[error("the text of an event has at most {max} bytes, number {seq} has {bytes}")]
    EventTooLong {
        /// The number of its place.
        seq: Seq,
        /// How many bytes it has.
        bytes: usize,
        /// How many it may have.
        max: usize,
    },
    /// Not the JSON it should be (400).
    #[error("cannot be read: {why}")]
    Unreadable {
        /// What the reader stumbled on, and where.
        why: String,
    },
    /// Sequence numbers beyond what there is (400).
    #[error("sequence numbers are between 1 and 2^53 - 1")]
    BadSeq,
    /// It would leave more separate ranges held than a receipt can name. A device that sends in
    /// order never comes near (400).
    #[error("at most {max} separate ranges of an epoch are held; fill the gaps first")]
    TooManyGaps {
        /// How many ranges there may be.
        max: usize,
    },
}

impl FrameFault {
    /// Is there more than the limits allow? Then the answer is 413, else 400.
    pub const fn is_size(&self) -> bool {
        matches!(self, FrameFault::EventTooLong { .. }) || self.is_to_be_split()
    }

    /// Does a smaller part help?
    pub const fn is_to_be_split(&self) -> bool {
        matches!(
            self,
            FrameFault::TooLong { .. }
                | FrameFault::WindowTooLarge { .. }
                | FrameFault::TooManyEvents { .. }
        )
    }

    /// The stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            FrameFault::TooLong { .. } => "frame_too_long",
            FrameFault::WindowTooLarge { .. } => "window_too_large",
            FrameFault::TooManyEvents { .. } => "too_many_events",
            FrameFault::EventTooLong { .. } => "event_too_long",
            FrameFault::Unreadable { .. } => "unreadable_frame",
            FrameFault::BadSeq => "bad_seq",
            FrameFault::TooManyGaps { .. } => "too_many_gaps",
        }
    }
}

/// A number of bytes, where it is known.
fn how_many(bytes: Option<usize>) -> String {
    bytes.map_or_else(|| "more".into(), |bytes| bytes.to_string())
}

/// Reads a message of at most `max` bytes.
pub fn read<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, FrameFault> {
    if bytes.len() > max {
        return Err(FrameFault::TooLong {
            bytes: Some(bytes.len()),
            max,
        });
    }
    if let Some(at) = depth_exceeded(bytes, FRAME_DEPTH_MAX) {
        return Err(FrameFault::Unreadable {
            why: format!("nests deeper than {FRAME_DEPTH_MAX} at byte {at}"),
        });
    }
    serde_json::from_slice(bytes).map_err(|error| FrameFault::Unreadable {
        why: error.to_string(),
    })
}
