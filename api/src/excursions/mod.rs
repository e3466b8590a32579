//! Transport of sensitive goods (敏感母婴用品, 8.3.3 a 3): what loggers and devices measured on the way, held
//! against the limits of the waybill (物流单号), and what was done about it.
//!
//! Limits are a waybill's, not a product's: what is measured is the load, a load holds goods of several
//! products, and whoever dispatches it says what holds for all of them. `rules` makes excursions out of a
//! series and limits, purely; they are computed whenever they are asked for and stand nowhere, so a reading
//! that comes late, or limits that change, join and split them by themselves. `store` keeps limits, readings
//! and measures, each an entry of the log; nothing deletes them. It changes no unit and no public answer.

pub mod handlers;
pub mod read_store;
pub mod rules;
pub mod store;
pub mod told;
pub mod wire;

use crate::{
    log::ActError,
    problem::{FieldProblem, Problem, ProblemCode},
};
use sea_orm::DbErr;
use thiserror::Error;

/// Why something about a transport was not kept or told.
#[derive(Debug, Error)]
pub enum ExcursionError {
    /// The log's word.
    #[error("transport")]
    Act(#[from] ActError),
    /// No such transport here.
    #[error("unknown")]
    Unknown,
    /// Fields are wrong.
    #[error("fields")]
    Fields(Vec<FieldProblem>),
    /// A stored value cannot be read back.
    #[error("stored value")]
    Stored(#[from] serde_json::Error),
}

impl From<DbErr> for ExcursionError {
    fn from(error: DbErr) -> ExcursionError {
        ExcursionError::Act(error.into())
    }
}

impl ExcursionError {
    /// One wrong field.
    pub fn field(field: &str, code: &str, en: &str, zh: &str) -> ExcursionError {
        ExcursionError::Fields(Problem::field(field, code, en, zh).errors)
    }
}

impl From<ExcursionError> for Problem {
    fn from(error: ExcursionError) -> Problem {
        match error {
            ExcursionError::Act(error) => error.into(),
            ExcursionError::Unknown => Problem::new(ProblemCode::NotFound),
            ExcursionError::Fields(errors) => {
                Problem::new(ProblemCode::InvalidFields).errors(errors)
            }
            ExcursionError::Stored(error) => Problem::internal(&error),
        }
    }
}
