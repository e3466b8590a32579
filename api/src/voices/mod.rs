//! Voices of consumers: complaints 投诉 and feedback 意见反馈 about a code (IF-T7, MB-T6), told on a
//! page, by a brand's app, or to staff who enter them.
//!
//! The life of one, file by file: `public` takes it from the consumer, who gets a `receipt` at
//! once, and puts it into the inbox; `receive` takes it from there into the trace record; staff
//! move it on through `handlers` and `acts`; the consumer follows it by the receipt. `rules` says what is
//! asked, as the standard of the product wants it, and which step may follow which; `record` tells
//! it in the standard's own words.
//!
//! Personal data (H8) stands in a table of its own, sealed, until it is erased: by the consumer, by
//! staff, or because its time is over. The trace record stays, with a pseudonym. What is sealed is
//! opened only when an authorised person asks, and that is itself an entry of the log.

mod acts;
pub mod handlers;
pub mod public;
pub mod receipt;
pub mod receive;
pub mod record;
pub mod rules;
mod store;
pub mod wire;

pub use store::erase_overdue;

use crate::{
    inbox::SealedError,
    log::ActError,
    problem::{FieldProblem, Problem, ProblemCode},
};
use sea_orm::DbErr;
use thiserror::Error;

/// Why something was not done with a voice.
#[derive(Debug, Error)]
pub enum VoiceError {
    /// The log's word.
    #[error("voice")]
    Act(#[from] ActError),
    /// Not here, or not yours.
    #[error("unknown")]
    Unknown,
    /// Seen, but another's to handle.
    #[error("not allowed")]
    NotAllowed,
    /// The step cannot follow its state.
    #[error("wrong step")]
    WrongStep,
    /// The personal part is gone.
    #[error("erased")]
    Erased,
    /// The personal part does not open.
    #[error("sealed part")]
    Seal(#[from] SealedError),
    /// A stored value cannot be read back.
    #[error("stored value")]
    Stored(#[from] serde_json::Error),
    /// Fields are wrong.
    #[error("fields")]
    Fields(Vec<FieldProblem>),
}

impl From<DbErr> for VoiceError {
    fn from(error: DbErr) -> VoiceError {
        VoiceError::Act(error.into())
    }
}

impl From<VoiceError> for Problem {
    fn from(error: VoiceError) -> Problem {
        match error {
            VoiceError::Act(error) => error.into(),
            VoiceError::Unknown => Problem::new(ProblemCode::NotFound),
            VoiceError::NotAllowed => Problem::new(ProblemCode::NotAllowed),
            VoiceError::WrongStep => Problem::new(ProblemCode::WrongStep),
            VoiceError::Erased => Problem::new(ProblemCode::PersonalDataErased),
            VoiceError::Seal(SealedError::Db(error)) => error.into(),
            VoiceError::Seal(error) => Problem::internal(&error),
            VoiceError::Stored(error) => Problem::internal(&error),
            VoiceError::Fields(errors) => Problem::new(ProblemCode::InvalidFields).errors(errors),
        }
    }
}
