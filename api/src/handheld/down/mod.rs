//! What comes down to devices (sync.md section 3): how they stand, what changed since a cursor, and
//! what is known of a code somebody looks up.
//!
//! A page of a pull is everything in (cursor, upto] that is in the device's scope, read in one
//! transaction that sees one moment; a position is never cut, so what a device applies is what
//! stood at a position (I22). A thing that changes while pages are read comes again with its new
//! position, never less (I21). Whoever asks with a cursor says by it that everything up to it
//! arrived: that is what C9 takes for known.
//!
//! The scope of a device is its enterprise's products and places, what is at its place or on the
//! way there, and its own events. It must not write anything but what was told and acknowledged.

pub mod ack_store;
pub mod badge_handlers;
pub mod card_store;
pub mod chunk_handlers;
pub mod chunk_store;
pub mod decode_handlers;
pub mod follow_store;
mod going_on;
pub mod handlers;
pub mod holder;
pub mod left_store;
pub mod listed;
pub mod look_up;
mod making;
pub mod part_store;
pub mod pull;
pub mod root_store;
pub mod snapshot;
pub mod status;
pub mod status_store;
pub mod store;
pub mod tend;
pub mod told_store;
pub mod unit_store;
pub mod verdict_store;
pub mod void_store;
