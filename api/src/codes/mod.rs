//! Issuing codes (赋码): spaces of indices with a ring of keys each, segments allocated from them,
//! commissioning to batches, destruction of unqualified codes. A million codes are a range; a row
//! per code never exists.

pub mod acts;
pub mod handlers;
pub mod minting;
pub mod print;
pub mod qr;
pub mod ranges;
pub mod ring;
mod space;
mod standing;
mod standing_store;
pub mod store;
pub mod targets;
pub mod wire;

pub use minting::MintProfile;
pub use space::{SpaceKey, UnitLevel, UnitName, sscc_index};
pub use store::{NewSpace, has_space, open_space, spaces_of};

use crate::{
    log::ActError,
    problem::{FieldProblem, Problem, ProblemCode},
    sealing::SealError,
};
use sea_orm::{DbErr, SqlErr};
use thiserror::Error;

/// Why a code space could not be opened.
#[derive(Debug, Error)]
pub enum SpaceError {
    /// The database's word.
    #[error("code space")]
    Db(DbErr),
    /// The GTIN or prefix has a space already.
    #[error("code space taken")]
    Taken,
    /// A key could not be wrapped or opened.
    #[error("issue key")]
    Seal(#[from] SealError),
}

impl From<DbErr> for SpaceError {
    fn from(error: DbErr) -> SpaceError {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => SpaceError::Taken,
            _ => SpaceError::Db(error),
        }
    }
}

impl From<SpaceError> for Problem {
    fn from(error: SpaceError) -> Problem {
        match error {
            SpaceError::Db(error) => error.into(),
            SpaceError::Taken => Problem::new(ProblemCode::AlreadyExists).detail(
                "this GTIN or prefix is in use",
                "该 GTIN 或厂商识别代码已被使用",
            ),
            SpaceError::Seal(error) => Problem::internal(&error),
        }
    }
}

/// Why codes were not issued, commissioned or destroyed.
#[derive(Debug, Error)]
pub enum CodesError {
    /// The log's word.
    #[error("codes")]
    Act(#[from] ActError),
    /// Keys cannot be used.
    #[error("codes")]
    Space(#[from] SpaceError),
    /// No such space, segment or batch here.
    #[error("unknown")]
    Unknown,
    /// Fields are wrong.
    #[error("fields")]
    Fields(Vec<FieldProblem>),
    /// Indices that stand in the way, at most a few of them.
    #[error("{0:?}")]
    InTheWay(InTheWay, Vec<u64>),
}

/// What stands in the way of using codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InTheWay {
    /// Never allocated.
    NotAllocated,
    /// Destroyed.
    Void,
    /// Commissioned to another batch.
    OtherBatch,
    /// Commissioned to some batch.
    InUse,
}

impl From<DbErr> for CodesError {
    fn from(error: DbErr) -> CodesError {
        CodesError::Act(error.into())
    }
}

impl CodesError {
    /// One wrong field.
    pub fn field(field: &str, code: &str, en: &str, zh: &str) -> CodesError {
        CodesError::Fields(Problem::field(field, code, en, zh).errors)
    }
}

impl From<CodesError> for Problem {
    fn from(error: CodesError) -> Problem {
        match error {
            CodesError::Act(error) => error.into(),
            CodesError::Space(error) => error.into(),
            CodesError::Unknown => Problem::new(ProblemCode::NotFound),
            CodesError::Fields(errors) => Problem::new(ProblemCode::InvalidFields).errors(errors),
            CodesError::InTheWay(what, indices) => {
                let code = match what {
                    InTheWay::NotAllocated => ProblemCode::CodesNotAllocated,
                    InTheWay::Void => ProblemCode::CodeVoid,
                    InTheWay::OtherBatch => ProblemCode::CommissionConflict,
                    InTheWay::InUse => ProblemCode::CodeInUse,
                };
                Problem::new(code).detail(
                    format!("for example at index {indices:?}; nothing was changed"),
                    format!("例如序号 {indices:?}；未作任何更改"),
                )
            }
        }
    }
}
