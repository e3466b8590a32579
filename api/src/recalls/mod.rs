//! Recalls (召回): an order to stop and fetch back whole batches and single units, opened, widened and
//! closed. Every answer shows an open recall within the freshness budget; what a recall covered at
//! any position of the log can be told again, which is what the fold judges sales by.

pub mod acts;
pub mod handlers;
pub mod job;
pub mod reach;
pub mod rules;
pub mod spans_store;
pub mod store;
pub mod wire;

use crate::{
    codes::CodesError,
    log::ActError,
    problem::{FieldProblem, Problem, ProblemCode},
};
use sea_orm::DbErr;
use thiserror::Error;

/// Why a recall was not opened, widened or closed.
#[derive(Debug, Error)]
pub enum RecallError {
    /// The log's word.
    #[error("recall")]
    Act(#[from] ActError),
    /// What it names cannot be found or used.
    #[error("codes")]
    Codes(#[from] CodesError),
    /// No such recall or batch here.
    #[error("unknown")]
    Unknown,
    /// It is closed.
    #[error("closed already")]
    AlreadyClosed,
    /// Fields are wrong.
    #[error("fields")]
    Fields(Vec<FieldProblem>),
}

impl RecallError {
    /// One wrong field.
    pub fn field(field: &str, code: &str, en: &str, zh: &str) -> RecallError {
        RecallError::Fields(Problem::field(field, code, en, zh).errors)
    }
}

impl From<DbErr> for RecallError {
    fn from(error: DbErr) -> RecallError {
        RecallError::Act(error.into())
    }
}

impl From<serde_json::Error> for RecallError {
    fn from(error: serde_json::Error) -> RecallError {
        RecallError::Act(error.into())
    }
}

impl From<RecallError> for Problem {
    fn from(error: RecallError) -> Problem {
        match error {
            RecallError::Act(error) => error.into(),
            RecallError::Codes(error) => error.into(),
            RecallError::Unknown => Problem::new(ProblemCode::NotFound),
            RecallError::AlreadyClosed => Problem::new(ProblemCode::RecallAlreadyClosed),
            RecallError::Fields(errors) => Problem::new(ProblemCode::InvalidFields).errors(errors),
        }
    }
}
