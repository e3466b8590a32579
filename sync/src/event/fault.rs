//! Why a text is no event that can be folded now: told apart into what is kept for good as
//! unreadable (T9) and what waits for a newer program (T7).

use crate::{finding::FindingCode, limits::REASON_CHARS_MAX};
use thiserror::Error;

/// Why a text was not read as an event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EventFault {
    /// More bytes than [`EVENT_BYTES_MAX`](crate::limits::EVENT_BYTES_MAX).
    #[error("the text of an event has at most {max} bytes, this has {bytes}")]
    TooLong {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        max: usize,
    },
    /// Not UTF-8 from this byte on.
    #[error("not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// The first byte that is none.
        at: usize,
    },
    /// Nests deeper than [`JSON_DEPTH_MAX`](crate::limits::JSON_DEPTH_MAX).
    #[error("nests deeper than {max} at byte {at}")]
    TooDeep {
        /// Where it does.
        at: usize,
        /// How deep it may.
        max: usize,
    },
    /// Not JSON.
    #[error("not JSON: {why}")]
    NotJson {
        /// What the reader stumbled on, and where.
        why: String,
    },
    /// JSON, but not of the shape of an event: something that makes it one is absent or of
    /// another type, a name stands twice, or there is too much of something.
    #[error("not an event: {why}")]
    NotAnEvent {
        /// What is wrong.
        why: String,
    },
    /// An event of a version this program does not know yet.
    #[error("version {v} is newer than this program")]
    NewerVersion {
        /// Its version.
        v: u64,
    },
    /// An event of a kind this program does not know yet.
    #[error("kind {kind:?} is not known to this program")]
    UnknownKind {
        /// Its kind.
        kind: String,
    },
}

impl EventFault {
    /// Is the event kept raw until a program comes that knows it (T7)? Else it is unreadable (T9).
    pub const fn parks(&self) -> bool {
        matches!(
            self,
            EventFault::NewerVersion { .. } | EventFault::UnknownKind { .. }
        )
    }

    /// The finding it raises: none for what only waits.
    pub const fn finding(&self) -> Option<FindingCode> {
        if self.parks() {
            None
        } else {
            Some(FindingCode::Unreadable)
        }
    }

    /// The reason as it is told to a device and to people: what is wrong and, where a limit is
    /// exceeded, which. At most [`REASON_CHARS_MAX`] characters, since it may quote the text.
    pub fn reason(&self) -> String {
        self.to_string().chars().take(REASON_CHARS_MAX).collect()
    }

    /// The stable name, as it stands on the status page.
    pub const fn name(&self) -> &'static str {
        match self {
            EventFault::TooLong { .. } => "too-long",
            EventFault::NotUtf8 { .. } => "not-utf-8",
            EventFault::TooDeep { .. } => "too-deep",
            EventFault::NotJson { .. } => "not-json",
            EventFault::NotAnEvent { .. } => "not-an-event",
            EventFault::NewerVersion { .. } => "newer-version",
            EventFault::UnknownKind { .. } => "unknown-kind",
        }
    }
}
