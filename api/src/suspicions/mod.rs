//! Copied codes (疑似假冒), first step: what the query log shows of one unit, held against
//! thresholds, may raise a suspicion; the consumer is then told to look twice.
//!
//! `rules` judges, purely; `job` looks at units that were just queried and raises; `handlers` show
//! the evidence to the issuer, who may clear a suspicion. Raising and clearing are entries of the
//! log, and show at once wherever the code is scanned. Counts alone never call goods fake: they
//! advise caution and say why.

pub mod handlers;
pub mod job;
pub mod rules;
pub mod store;
pub mod wire;

use crate::{
    log::ActError,
    problem::{Problem, ProblemCode},
};
use sea_orm::DbErr;
use thiserror::Error;

/// Why a suspicion was not read or cleared.
#[derive(Debug, Error)]
pub enum SuspicionError {
    /// The log's word.
    #[error("suspicion")]
    Act(#[from] ActError),
    /// No such suspicion here.
    #[error("unknown")]
    Unknown,
    /// It was cleared before.
    #[error("cleared already")]
    AlreadyCleared,
}

impl From<DbErr> for SuspicionError {
    fn from(error: DbErr) -> SuspicionError {
        SuspicionError::Act(error.into())
    }
}

impl From<SuspicionError> for Problem {
    fn from(error: SuspicionError) -> Problem {
        match error {
            SuspicionError::Act(error) => error.into(),
            SuspicionError::Unknown => Problem::new(ProblemCode::NotFound),
            SuspicionError::AlreadyCleared => Problem::new(ProblemCode::AlreadyCleared),
        }
    }
}
