//! Recalls (召回): an order to stop and fetch back, here in its smallest form: opened and closed on
//! whole batches. Every answer shows an open recall within the freshness budget.

pub mod handlers;
pub mod store;
pub mod wire;

use crate::{
    log::ActError,
    problem::{FieldProblem, Problem, ProblemCode},
};
use sea_orm::DbErr;
use thiserror::Error;

/// Why a recall was not opened or closed.
#[derive(Debug, Error)]
pub enum RecallError {
    /// The log's word.
    #[error("recall")]
    Act(#[from] ActError),
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

impl From<DbErr> for RecallError {
    fn from(error: DbErr) -> RecallError {
        RecallError::Act(error.into())
    }
}

impl From<RecallError> for Problem {
    fn from(error: RecallError) -> Problem {
        match error {
            RecallError::Act(error) => error.into(),
            RecallError::Unknown => Problem::new(ProblemCode::NotFound),
            RecallError::AlreadyClosed => Problem::new(ProblemCode::RecallAlreadyClosed),
            RecallError::Fields(errors) => Problem::new(ProblemCode::InvalidFields).errors(errors),
        }
    }
}
