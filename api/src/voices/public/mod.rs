//! The consumer's side of voices: a form on a page or a call of a brand's app, a receipt at once,
//! and how it stands by the receipt. Runs where there is no right to read the inbox or the record,
//! and no key to open anything: it reads the public projection and puts messages.

pub mod example;
pub mod handlers;
mod store;
pub mod tell;
pub mod wire;

use crate::{catalogue::Catalogue, clock::Clock, db::Reader, inbox::Slot};
use std::sync::Arc;
use suyuan_sync::trace_code::CodeProfiles;

/// What the consumer's side works with.
pub struct Desk {
    /// The public projection.
    pub db: Reader,
    /// Where messages go.
    pub slot: Arc<Slot>,
    /// The standards, for what is asked.
    pub catalogue: Catalogue,
    /// Codes of other schemes.
    pub profiles: CodeProfiles,
    /// The wall clock.
    pub clock: Clock,
    /// How long personal data is kept, as consumers are told, in days.
    pub keep_days: u32,
}
