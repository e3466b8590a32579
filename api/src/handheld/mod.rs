//! The service side of sync (sync.md): devices and their keys, what they push, what they may read.
//!
//! The agreement itself is the pure crate `suyuan_sync`; here are its database, its clock and its
//! HTTP. An event is an entry of the log with a row of its own: see `push`.

pub mod anchor;
pub mod devices;
pub mod inflate;
pub mod keys;
