//! Units (单品) as people ask about them: by any form of the code, what became of one, where it is,
//! what it is in and holds, and why that is believed (sync.md section 5: who may read what).
//!
//! Read only. The fold is [`crate::handheld::units`]'s; `rules` says what is told of one, `timeline` what of
//! what happened to it is told to whom.

pub mod handlers;
mod people;
pub mod rules;
pub mod store;
mod stretch;
pub mod timeline;
pub mod wire;

use crate::{
    handheld::world::WorldError,
    problem::{Problem, ProblemCode},
};
use sea_orm::DbErr;
use suyuan_sync::trace_code::CodeError;
use thiserror::Error;

/// Why a unit is not told.
#[derive(Debug, Error)]
pub enum UnitError {
    /// The database's word.
    #[error("unit")]
    Db(#[from] DbErr),
    /// Master data cannot be read.
    #[error("unit")]
    World(#[from] WorldError),
    /// The text is no code.
    #[error("no code")]
    Code(#[from] CodeError),
    /// The code names a product or a batch.
    #[error("no unit")]
    NamesNoUnit,
    /// The log has not come to that position.
    #[error("position")]
    Ahead,
    /// There is no entry with that position in the timeline the caller may see.
    #[error("entry")]
    NoEntry,
    /// No such unit, or none the caller may know of.
    #[error("unknown")]
    Unknown,
}

impl From<UnitError> for Problem {
    fn from(error: UnitError) -> Problem {
        match error {
            UnitError::Db(error) => error.into(),
            UnitError::World(error) => error.into(),
            UnitError::Code(error) => {
                Problem::new(ProblemCode::MalformedCode).detail(error.fault.en(), error.fault.zh())
            }
            UnitError::NamesNoUnit => Problem::field(
                "code",
                "names-no-unit",
                "this code names a product or a batch, not a unit",
                "该码指向产品或批次，不是单品",
            ),
            UnitError::Ahead => Problem::field(
                "at",
                "out-of-range",
                "a position the log has come to, from 1 on",
                "须为日志已到达的位置，从 1 起",
            ),
            UnitError::NoEntry => Problem::field(
                "before",
                "unknown",
                "the position of an entry of this timeline",
                "须为此单品记录中某一条的位置",
            ),
            UnitError::Unknown => Problem::new(ProblemCode::NotFound),
        }
    }
}
