//! What the fold reads: admitted events with their frozen times, what the server stated, and the
//! master data both speak of.
//!
//! Plain values. How they are admitted, stored and found is told elsewhere; what they mean for a
//! unit is told by `fold`.

mod batches;
mod corrected;
mod products;
mod shared;
mod statement;
mod whose;
mod world;

pub use batches::Batches;
pub use corrected::{Corrected, Then};
pub use products::Product;
pub use shared::Shared;
pub use statement::{
    AcceptScope, Accepted, Policy, RecallScope, RecallSpan, ShiftClosed, StatedAt, Statement,
};
pub use whose::{ByWhose, Whose};
pub use world::{Actors, BatchInfo, Commissioned, Content, PlaceInfo, UnitInfo, World};

use crate::{
    event::Event,
    finding::FindingCode,
    ids::{EnterpriseId, Gseq},
    order::{Interval, Order},
};
use std::sync::Arc;

/// An admitted event at its place in the total order.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Its place.
    pub order: Order,
    /// When it happened, as far as is known.
    pub interval: Interval,
    /// Its position in the log.
    pub gseq: Gseq,
    /// The enterprise whose device stated it.
    pub enterprise: EnterpriseId,
    /// What was stated.
    pub event: Arc<Event>,
    /// The newest log position the server delivered to the device, and the device acknowledged,
    /// before this event's anchor, or the greatest that its chain stated before it (sync.md C9).
    pub delivered: Gseq,
    /// What admission flagged.
    pub flags: Vec<FindingCode>,
    /// What it stands for, of the new event of a correction: its place is that one's.
    pub corrects: Option<Arc<Corrected>>,
}
