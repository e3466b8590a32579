//! The query log (追溯查询记录): one entry per consumer query, and what is drawn from it.
//!
//! The life of a query, file by file: a consumer-facing process asks `visitor` who came and has
//! `note` gather it in memory, off the answer's path, into a `packet`: by code, with what queries
//! of a code have in common written once (`sighting`). Every few moments packets are inserted
//! whole, one row each. The internal side (`fold`) takes them apart again, little by little, into a
//! row a code, and counts, through `store`. A code that the whole country scans is a row a second,
//! however often; a flood of different codes makes counts older, and answers not slower.
//!
//! Entries hold no address and no name of software; figures drawn from them are aged, and outside
//! the installation's log.

pub mod entry;
pub mod fold;
pub mod note;
pub mod packet;
pub mod sighting;
pub mod store;
pub mod visitor;

pub use entry::{Channel, Entry};
pub use note::{Query, QueryLog};
