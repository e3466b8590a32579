//! What devices push, from the wire into the log (sync.md sections 3 and 4).
//!
//! The life of a push:
//!
//! 1. `handlers` reads the body within bounds and [`prepare`] everything that needs no lock:
//!    signature, inflation, chain, every text parsed.
//! 2. [`ingest`] queues it, [`gather`] takes the pushes of many devices together for one act, people
//!    before backlogs, and has what is known of them read [`ahead`] while the act before runs.
//! 3. [`act`] locks the head of the log, reads anew what changed since, decides
//!    (`suyuan_sync::admission`), numbers, times, folds what the new events are about, writes, commits.
//! 4. Only then the answer: a result for each event, and a signed receipt.
//!
//! An event is an entry of the log, and its row in `event` is all of that entry: `log_entry` has no
//! row for it. So a scan is written once, whoever lists what people did is not drowned in scans, and
//! "as known at position n" is `counts_from <= n` for events and `gseq <= n` for all else.

pub mod act;
pub mod ahead;
pub mod fault;
pub mod frozen;
pub mod gather;
pub mod handlers;
pub mod ingest;
pub mod lanes;
pub mod meant;
pub mod memory;
pub mod pace;
pub mod prepare;
pub mod receive;
pub mod store;
pub mod timeline;
pub mod weigh;

use crate::handheld::world::WorldError;
use crate::log::ActError;
use sea_orm::DbErr;
use suyuan_sync::admission::FrameFault;
use thiserror::Error;

/// Why a push was not admitted. It fills nothing; the device sends it again.
#[derive(Debug, Error)]
pub enum PushError {
    /// The log's word.
    #[error("push")]
    Act(#[source] ActError),
    /// Master data cannot be read.
    #[error("push")]
    World(#[from] WorldError),
    /// Its frame leaves more gaps than can be kept.
    #[error(transparent)]
    Frame(#[from] FrameFault),
    /// The clock jumped, and nobody confirmed yet that it is right.
    #[error("the clock jumped")]
    ClockJumped,
    /// Too much is waiting.
    #[error("too much is waiting")]
    Full,
    /// Folding it failed in a way that should not be possible.
    #[error("folding failed")]
    Broken,
}

impl From<ActError> for PushError {
    fn from(error: ActError) -> PushError {
        match error {
            ActError::ClockJumped => PushError::ClockJumped,
            error => PushError::Act(error),
        }
    }
}

impl From<DbErr> for PushError {
    fn from(error: DbErr) -> PushError {
        PushError::Act(ActError::Db(error))
    }
}
