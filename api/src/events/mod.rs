//! Events as their devices stated them: one, by its id, with what became of it. Whoever's enterprise stated it
//! reads all of it, and so do those who see all by their role; others read of it what a unit's timeline tells
//! them already (sync.md section 5). Ids are unique in an enterprise only: an id alone means one's own.
//!
//! Read only. What a timeline tells whom is [`crate::units::timeline`]'s, what is found
//! [`crate::findings`]'; `told` puts together, `stated` says in types what a text says.

pub mod handlers;
mod stated;
pub mod store;
mod told;
pub mod wire;

use crate::{
    problem::{Problem, ProblemCode},
    units::UnitError,
};
use sea_orm::DbErr;
use thiserror::Error;

/// Why an event is not told.
#[derive(Debug, Error)]
pub enum EventError {
    /// The database's word.
    #[error("event")]
    Db(#[from] DbErr),
    /// Why the unit it is about is not told.
    #[error("unit")]
    Unit(#[from] UnitError),
    /// No such event, or none the caller may know of.
    #[error("unknown")]
    Unknown,
    /// Whoever belongs to no enterprise says whose: an id alone names nobody's event.
    #[error("whose")]
    Whose,
}

impl From<EventError> for Problem {
    fn from(error: EventError) -> Problem {
        match error {
            EventError::Db(error) => error.into(),
            EventError::Unit(error) => error.into(),
            EventError::Unknown => Problem::new(ProblemCode::NotFound),
            EventError::Whose => Problem::field(
                "enterprise_id",
                "required",
                "ids of events are an enterprise's own: say whose",
                "事件编号仅在企业内唯一，须指明所查企业",
            ),
        }
    }
}
