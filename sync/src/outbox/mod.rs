//! The device's outbox (sync.md section 8), without I/O: commands go in, actions come out.
//!
//! `captured → durable → sent → receipted → settled | needs attention`, kept apart:
//!
//! - *captured*: it has its place in the chain; its transaction is not committed yet.
//! - *durable*: committed. Only now may the device say so (`Notice::Saved`).
//! - *sent*: it went out at least once in this session. Nothing follows from that.
//! - *receipted*: an answer to a push that held it brought a receipt that covers it.
//! - *settled* or *needs attention*: what the server found.
//!
//! One [`Outbox`] is the one writer of a device; whoever drives it owns storage, network, timers,
//! keys and randomness, and does what the [`Action`]s say in their order. It drives the simulator
//! and the load generator; the web app's outbox is a second implementation, held to this one by
//! the traces in `tests/golden/outbox_traces.json`.

mod command;
mod disk;
mod fate;
mod machine;
mod pace;
mod picture;
mod receive;
mod send;

pub use command::{Action, Command, Input, Notice};
pub use disk::{Disk, KeptAnchor, Key, Mark, Row, RowState, Write};
pub use fate::Fate;
pub use machine::{Outbox, Slot};
pub use pace::{BATCH_MAX, BATCH_MIN, FLIGHT_MS, Pace, ROUND_TRIP_MS};
pub use picture::{Flying, Picture, States};
