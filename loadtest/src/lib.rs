//! Drives the service over plain HTTP and reports the figures it is held to.
//!
//! Knows the wire and what devices share with the service ([`suyuan_sync`]): no module here may use
//! the service's own crate, so that a change of the wire breaks this driver before it breaks a phone
//! or a till. In reading order:
//!
//! - [`target`]: which addresses may be loaded at all (this machine's own, nothing else)
//! - [`http`]: HTTP/1.1 answers out of bytes, without I/O
//! - [`client`]: one connection, one request in flight
//! - [`workload`]: what is asked, and what a right answer looks like
//! - [`drive`]: closed loop (how much) and open loop (how late)
//! - [`process`]: children, cores, CPU time, memory
//! - [`server`]: the service under test, started as `suyuan demo --json`
//! - [`baseline`]: the bare handler every figure is a ratio to
//! - [`nginx`]: the same bytes as a static file, for orientation
//! - [`issuing`]: the few internal calls a run needs; every assumption about their bodies
//! - [`pair`]: a service and its baseline side by side, and fresh codes
//! - [`rounds`]: every kind of request in turn, in the same minutes
//! - [`counted`]: scans whose counts must be read
//! - [`single`]: figures taken once: a million codes, a recall, a page
//! - [`scan`]: the scan budgets, put together
//! - [`push`]: what devices upload, against the engine's own bulk insert and express-pouchdb
//! - [`photo`]: hard labels, and what is decoded of them by us and by others
//! - [`summary`]: medians, spread, table, JSON
#![cfg_attr(test, allow(clippy::float_cmp))]

pub mod baseline;
pub mod client;
pub mod counted;
pub mod drive;
pub mod error;
pub mod http;
pub mod issuing;
pub mod nginx;
pub mod pair;
pub mod photo;
pub mod process;
pub mod push;
pub mod rounds;
pub mod scan;
pub mod server;
pub mod single;
pub mod summary;
pub mod target;
pub mod workload;

pub use error::LoadError;
