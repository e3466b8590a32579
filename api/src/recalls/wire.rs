//! Recalls as JSON.

use crate::codes::wire::RangeIn;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Most batches one request names.
pub const BATCHES_MAX: usize = 200;
/// Most places recalled goods may be sent to.
pub const DESTINATIONS_MAX: usize = 100;
/// Most units that one request names by codes minted elsewhere.
pub const OTHERS_MAX: usize = 2_000;
/// Longest reason, in characters.
pub const REASON_MAX: usize = 1_000;
/// Longest text of what to do, in characters.
pub const INSTRUCTIONS_MAX: usize = 2_000;
/// Longest note a recall is closed with, in characters.
pub const NOTE_MAX: usize = 1_000;
/// Longest name of who is responsible, in characters.
pub const RESPONSIBLE_MAX: usize = 100;

/// A recall to be opened. It covers whole batches, single units, or both; at least something.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallIn {
    /// Batches covered, at most 200.
    #[serde(default)]
    pub batch_ids: Vec<Uuid>,
    /// Parts of segments covered, at most 100. However many units they hold, all of them are stopped
    /// within seconds; a long scope comes in in parts, told by `pending`.
    #[serde(default)]
    pub ranges: Vec<RangeIn>,
    /// Units covered, as codes in any form, at most 10 000; more by widening. A case or pallet stands
    /// for itself, not for what is in it. Codes minted elsewhere must bear a company prefix of the
    /// enterprise.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Why (召回原因): shown to consumers, 1 to 1000 characters.
    pub reason: String,
    /// What to do (处理办法): shown to consumers, 1 to 2000 characters.
    pub instructions: String,
    /// When the recall was decided (召回发起时间), RFC 3339, not in the future. Whoever sold these
    /// goods is judged by when the recall was entered here, never by this.
    pub initiated_at: String,
    /// Who is responsible (召回责任人), 1 to 100 characters: a post or a staff number rather than a
    /// name. Kept apart from the log, and never shown to consumers.
    pub responsible: String,
    /// Locations of the enterprise where recalled goods are to go, at most 100; none: to any of its
    /// own.
    #[serde(default)]
    pub destinations: Vec<Uuid>,
}

/// What a recall covers besides.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallWidenIn {
    /// Batches, at most 200.
    #[serde(default)]
    pub batch_ids: Vec<Uuid>,
    /// Parts of segments, at most 100.
    #[serde(default)]
    pub ranges: Vec<RangeIn>,
    /// Units, as codes in any form, at most 10 000. A case or pallet stands for itself, not for what is in
    /// it.
    #[serde(default)]
    pub codes: Vec<String>,
}

/// How a recall ends.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallCloseIn {
    /// Why it may end, 1 to 1000 characters; kept, not shown to consumers.
    pub note: String,
    /// It should never have been opened: then nobody who sold these goods did anything wrong.
    #[serde(default)]
    pub mistaken: bool,
}

/// A recall.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RecallOut {
    /// Id.
    pub id: Uuid,
    /// Batches covered.
    pub batch_ids: Vec<Uuid>,
    /// How many single units it names.
    pub units: u64,
    /// How many more it will name as soon as they are published.
    pub pending: u64,
    /// Why.
    pub reason: String,
    /// What to do.
    pub instructions: String,
    /// When it was decided, UTC; when it was opened, for recalls of earlier releases.
    pub initiated_at: String,
    /// Who is responsible; absent when erased or never told.
    pub responsible: Option<String>,
    /// Where recalled goods are to go; none: to any place of the enterprise.
    pub destinations: Vec<Uuid>,
    /// When it was opened here, UTC.
    pub opened_at: String,
    /// The log position it was opened at.
    pub opened_position: i64,
    /// The log position its scope last grew at.
    pub scope_position: i64,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// The log position it was closed at.
    pub closed_position: Option<i64>,
    /// Closed as mistaken.
    pub mistaken: bool,
    /// Why it could end.
    pub closing_note: Option<String>,
}

/// What is kept of an answer for a request that is sent again: the recall itself is read anew.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The recall.
    pub id: Uuid,
}
