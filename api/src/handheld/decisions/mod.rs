//! What people decide and folds read: whose events count on whose units (C14), the windows in force,
//! the end of a shift (C10) and of a period (T10). Each is an entry of the log and nothing else; the
//! master data of folds reads it there.
//!
//! It folds nothing. What a decision changes of units that have their state already is folded again
//! in slices.

pub mod handlers;
mod store;
pub mod wire;

pub use store::{
    Periods, Restated, accept, change_policy, close_period, close_shift, note_periods,
    note_restated, policy, tell_thresholds,
};

use crate::{
    handheld::world::WorldError,
    log::ActError,
    problem::{Problem, ProblemCode},
};
use sea_orm::DbErr;
use thiserror::Error;

/// Why a decision was not taken.
#[derive(Debug, Error)]
pub enum DecisionError {
    /// The log's word.
    #[error("decision")]
    Act(#[from] ActError),
    /// A field that cannot be: name, code, what to do about it, the same in Chinese.
    #[error("{0}: {2}")]
    Field(&'static str, &'static str, &'static str, &'static str),
    /// Master data cannot be read.
    #[error("master data")]
    World(#[from] WorldError),
    /// No such device, period, unit or batch of one's own.
    #[error("unknown")]
    Unknown,
    /// A stored decision cannot be read.
    #[error("stored decision {0}")]
    Stored(String),
}

impl From<DbErr> for DecisionError {
    fn from(error: DbErr) -> DecisionError {
        DecisionError::Act(error.into())
    }
}

impl From<DecisionError> for Problem {
    fn from(error: DecisionError) -> Problem {
        match error {
            DecisionError::Act(error) => error.into(),
            DecisionError::Field(field, code, en, zh) => Problem::field(field, code, en, zh),
            DecisionError::World(WorldError::Db(error)) => error.into(),
            DecisionError::World(_) | DecisionError::Stored(_) => Problem::internal(&error),
            DecisionError::Unknown => Problem::new(ProblemCode::NotFound),
        }
    }
}
