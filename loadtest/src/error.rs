//! What can keep a figure from being taken. The text ends up as the reason beside a `null`, so
//! each message says what was being done, never only what the operating system said.

use std::{io, time::Duration};

use crate::http::WireError;

/// Why a step of a run failed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The address is not on this machine.
    #[error("`{0}` is not a loopback address: only services on this machine are ever loaded")]
    NotLoopback(String),
    /// The peer broke HTTP/1.1.
    #[error("{what}: {source}")]
    Wire {
        /// What was being done.
        what: String,
        /// What was wrong with the bytes.
        source: WireError,
    },
    /// The operating system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Its error.
        source: io::Error,
    },
    /// An answer, but not the expected one.
    #[error("{what} answered {status}: {body}")]
    Status {
        /// Which call.
        what: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// No answer in time.
    #[error("{what} took longer than {limit:?}")]
    TimedOut {
        /// Which step.
        what: String,
        /// The bound it broke.
        limit: Duration,
    },
    /// An answer that lacks what the run needs.
    #[error("{0}")]
    Unusable(String),
}

impl LoadError {
    /// Names the step in which the operating system failed.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
