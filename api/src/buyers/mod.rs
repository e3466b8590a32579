//! Who bought (购买者): what the standards ask about the buyer of a sale (MB-T6-1 消费者信息, IF-T7-2 购买信息),
//! filed by staff of the enterprise whose device stated the sale. An event is kept for ever and holds no personal
//! data of consumers, so this stands in a table of its own, keyed by the event (sync.md section 1): sealed at rest,
//! opened only when somebody asks, which is an entry of the log, and gone after as long as what consumers tell.
//! No device states or is told it, and nothing of it is in an event, a pull or a public answer.
//!
//! `rules` says what is asked, as the standards of the goods want it; `acts` does it; what was bought, where and
//! when the till said so stays in the event ([`crate::events`]).

mod acts;
pub mod handlers;
pub mod rules;
mod store;
pub mod wire;

pub use store::erase_overdue;

use crate::{
    handheld::world::WorldError,
    inbox::SealedError,
    log::ActError,
    problem::{FieldProblem, Problem, ProblemCode},
};
use sea_orm::DbErr;
use thiserror::Error;

/// Why a buyer is not filed, opened or erased.
#[derive(Debug, Error)]
pub enum BuyerError {
    /// The log's word.
    #[error("buyer")]
    Act(#[from] ActError),
    /// Master data cannot be read.
    #[error("buyer")]
    World(#[from] WorldError),
    /// No such event of the caller's, or nothing is filed of it.
    #[error("unknown")]
    Unknown,
    /// The event is no sale.
    #[error("no sale")]
    NoSale,
    /// What was filed does not open.
    #[error("sealed part")]
    Seal(#[from] SealedError),
    /// A stored value cannot be read back.
    #[error("stored value")]
    Stored(#[from] serde_json::Error),
    /// Fields are wrong.
    #[error("fields")]
    Fields(Vec<FieldProblem>),
}

impl From<DbErr> for BuyerError {
    fn from(error: DbErr) -> BuyerError {
        BuyerError::Act(error.into())
    }
}

impl From<BuyerError> for Problem {
    fn from(error: BuyerError) -> Problem {
        match error {
            BuyerError::Act(error) => error.into(),
            BuyerError::World(error) => error.into(),
            BuyerError::Unknown => Problem::new(ProblemCode::NotFound),
            BuyerError::NoSale => Problem::field(
                "id",
                "no-sale",
                "only a sale has a buyer, and this event is none",
                "只有销售记录才有购买者信息，该记录不是销售",
            ),
            BuyerError::Seal(SealedError::Db(error)) => error.into(),
            BuyerError::Seal(error) => Problem::internal(&error),
            BuyerError::Stored(error) => Problem::internal(&error),
            BuyerError::Fields(errors) => Problem::new(ProblemCode::InvalidFields).errors(errors),
        }
    }
}
