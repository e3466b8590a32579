//! Stock (库存): how many units of a batch are at a place, what is on its way there, and the balances
//! of goods without codes of their own, with what moved them.
//!
//! Read only, of the caller's own places. Units inside containers are counted where the container
//! is; those that are judged by themselves, where they are. What only the caller says is at its places
//! is told apart from what is there (sync.md section 5). `lines` says where a page ends.

pub mod handlers;
pub mod lines;
pub mod rules;
pub mod store;
pub mod wire;

use crate::problem::{Problem, ProblemCode};
use sea_orm::DbErr;
use thiserror::Error;

/// Why stock is not told.
#[derive(Debug, Error)]
pub enum StockError {
    /// The database's word.
    #[error("stock")]
    Db(#[from] DbErr),
    /// No such line, or none of the caller's.
    #[error("unknown")]
    Unknown,
    /// The place to go on from cannot be read.
    #[error("after")]
    After,
}

impl From<StockError> for Problem {
    fn from(error: StockError) -> Problem {
        match error {
            StockError::Db(error) => error.into(),
            StockError::Unknown => Problem::new(ProblemCode::NotFound),
            StockError::After => Problem::new(ProblemCode::MalformedRequest)
                .detail("after: give `next` of a page", "after 须为上一页的 next"),
        }
    }
}
