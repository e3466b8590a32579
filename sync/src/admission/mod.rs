//! Admission: what becomes of each event of a push (T1–T10 of sync.md section 6).
//!
//! Everything that comes under a good signature is durable and fills its sequence number; the
//! question is only whether it enters the state, waits, or is kept apart. In this order:
//!
//! 1. [`read`] hashes and parses a push, [`read_covered`] one whose signature covered its hashes. It needs nothing that is held, so it is done outside the
//!    lock of the log head.
//! 2. [`Lookup`] names what must be known of the device epoch, so that a store can fetch it
//!    set-wise into a [`Held`].
//! 3. [`admit`] decides, cheaply, from these two values alone; under the lock it is done again
//!    whenever what is held has changed since.
//! 4. Later entries of the log move what waits: [`Gap`] and [`Extent::forced`] (T4),
//!    [`group_released`] (T8), [`readmit`] (T3, T6, T7).
//!
//! It must not know transport, signatures, clocks, storage, or what an event means for its goods.

mod batch;
mod decide;
mod extent;
mod group;
mod held;
mod later;
mod place;
mod remark;

pub use crate::wire::{FrameFault, Status};
pub use batch::{Batch, Read, ReadEvent, read, read_covered};
pub use decide::{Decision, Judged, Leaving, Receipted, admit};
pub use extent::{Extent, Gap, due, is_provisional};
pub use group::{GroupHeld, Member, Standing, group_released};
pub use held::{Fork, Held, Kept, Lookup};
pub use later::{Readmission, Readmitted, Waiting, readmit};
pub use place::Branch;
pub use remark::{Outcome, Remark};
