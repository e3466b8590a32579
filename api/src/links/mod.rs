//! Links (链接): where else there is something to read about a key, registered by the enterprise
//! whose key it is, by link type of the GS1 Web Vocabulary. What the installation itself serves
//! about its codes needs no registration; the resolver derives those links.
//!
//! `rules` says what may be registered, `store` keeps it and shows it to the public side.

pub mod handlers;
pub mod rules;
pub mod store;
pub mod wire;

pub use rules::LinkName;

use crate::{
    log::ActError,
    problem::{FieldProblem, Problem, ProblemCode},
};
use sea_orm::DbErr;
use thiserror::Error;

/// Why a link was not registered or removed.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The log's word.
    #[error("link")]
    Act(#[from] ActError),
    /// No such link or key here.
    #[error("unknown")]
    Unknown,
    /// Fields are wrong.
    #[error("fields")]
    Fields(Vec<FieldProblem>),
    /// A stored value cannot be read back.
    #[error("stored value")]
    Stored(#[from] serde_json::Error),
}

impl From<DbErr> for LinkError {
    fn from(error: DbErr) -> LinkError {
        LinkError::Act(error.into())
    }
}

impl LinkError {
    /// One wrong field.
    pub fn field(field: &str, code: &str, en: &str, zh: &str) -> LinkError {
        LinkError::Fields(Problem::field(field, code, en, zh).errors)
    }
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Problem {
        match error {
            LinkError::Act(error) => error.into(),
            LinkError::Unknown => Problem::new(ProblemCode::NotFound),
            LinkError::Fields(errors) => Problem::new(ProblemCode::InvalidFields).errors(errors),
            LinkError::Stored(error) => Problem::internal(&error),
        }
    }
}
