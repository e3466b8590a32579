//! Findings (异常): what cannot be true of goods as it was stated, told to those it concerns, with the
//! events that show it and the one that explained it away.
//!
//! Read only: they open and close in [`crate::handheld`], by the fold. `rules` says who may see
//! which event; `store` reads lists, `newest_store` what the pages of a unit and of an event tell,
//! `witness_store` the events that show something, `cause_store` the entries that explained it.

mod cause_store;
pub mod handlers;
pub mod newest_store;
pub mod rules;
pub mod store;
pub mod wire;
mod witness_store;

pub use cause_store::causes;
