//! The query log (追溯查询记录): one entry per consumer query, and what is drawn from it.
//!
//! The life of an entry, file by file: a consumer-facing process asks `visitor` who came and has
//! `note` pack the `entry` into memory, off the answer's path; every few moments packets are
//! inserted whole, one row each. The internal side (`fold`) unpacks them one by one into rows and
//! counts, through `store`. A flood of scans thus costs the consumer side one insert an interval,
//! and the folding takes a bounded share of the time: counts get older, answers do not get slower.
//!
//! Entries hold no address and no name of software; figures drawn from them are aged, and outside
//! the installation's log.

pub mod entry;
pub mod fold;
pub mod note;
pub mod store;
pub mod visitor;

pub use entry::{Channel, Entry};
pub use note::{Query, QueryLog};
