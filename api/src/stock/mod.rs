//! Stock (库存): how many units of a batch are at a place, what is on its way there, and the balances
//! of goods without codes of their own, with what moved them.
//!
//! Read only, of the caller's own places. Units inside containers are counted where the container
//! is; those that are judged by themselves, where they are. What only the caller says is at its places
//! is told apart from what is there (sync.md section 5). `lines` says where a page ends; `expiring` is what of
//! all this ends soon.

pub mod expiring;
pub mod handlers;
pub mod lines;
pub mod lots_store;
pub mod rules;
pub mod store;
pub mod wire;

use crate::{
    handheld::world::WorldError,
    problem::{Problem, ProblemCode},
};
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
    /// What is on record cannot be read.
    #[error("stored")]
    World(#[from] WorldError),
    /// The position lies ahead of the log, or before it.
    #[error("ahead")]
    Ahead,
    /// How a line stood at the position is not kept.
    #[error("not kept")]
    NotKept,
    /// The place to go on from cannot be read.
    #[error("after")]
    After,
}

impl From<StockError> for Problem {
    fn from(error: StockError) -> Problem {
        match error {
            StockError::Db(error) => error.into(),
            StockError::Unknown => Problem::new(ProblemCode::NotFound),
            StockError::World(error) => error.into(),
            StockError::Ahead => Problem::field(
                "at",
                "out-of-range",
                "a position of the log, from 1 to its last",
                "须为日志位置，从 1 到最后位置",
            ),
            StockError::NotKept => Problem::field(
                "at",
                "not-kept",
                "how these lines stood there is not kept: the position is of an earlier release, or in the \
                 middle of events that were taken in together; give a `position` of an answer",
                "该位置的结存没有保存：早于本版本，或处于同时接收的事件之间；请使用回答中的 position",
            ),
            StockError::After => Problem::new(ProblemCode::MalformedRequest)
                .detail("after: give `next` of a page", "after 须为上一页的 next"),
        }
    }
}
