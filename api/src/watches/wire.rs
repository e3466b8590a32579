//! What an app sends and gets about watches, and what the public side tells the internal one.

use crate::resolver::{
    decide::{Advice, Legality, Reason},
    wire::ScanRecallOut,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Codes to be watched.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WatchIn {
    /// The version the app speaks: 1, or left out.
    #[schema(minimum = 1, maximum = 1)]
    pub version: Option<u64>,
    /// Made by the app, at random, and kept as secret as the token: 22 to 64 letters, digits, `-`
    /// and `_`, for example a UUID of version 4. A request sent again under the same id, for the
    /// same codes, begins no second watch. Left out, one is made.
    #[schema(min_length = 22, max_length = 64)]
    pub id: Option<String>,
    /// 1 to 20 codes, each any text a scanner reads, that name a tin, a case or a batch.
    #[schema(min_items = 1, max_items = 20)]
    pub codes: Vec<String>,
}

/// A watch was begun.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchBegunOut {
    /// The version of this answer.
    pub version: u64,
    /// Shows and ends the watch; told once and kept nowhere by us.
    pub token: String,
    /// Canonical paths, each once.
    pub codes: Vec<String>,
    /// When it ends, UTC.
    pub ends_at: String,
    /// Seconds after which to ask.
    pub poll_after_s: u32,
}

/// Is a watch there yet?
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WatchState {
    /// On its way: ask again.
    Pending,
    /// There.
    Active,
}

/// A watch that may be on its way: a token this young that we do not know yet.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchPendingOut {
    /// The version of this answer.
    pub version: u64,
    /// `pending`
    pub state: WatchState,
    /// Seconds after which to ask again.
    pub poll_after_s: u32,
}

/// How the watched codes stand now.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchOut {
    /// The version of this answer.
    pub version: u64,
    /// `active`
    pub state: WatchState,
    /// When it was begun, UTC.
    pub created_at: String,
    /// When it ends, UTC.
    pub ends_at: String,
    /// The worst advice of all its codes.
    pub advice: Advice,
    /// Each code as it stands now.
    pub codes: Vec<WatchedOut>,
    /// When this was last confirmed, UTC; outside the ETag.
    pub as_of: String,
    /// Seconds after which to ask again.
    pub poll_after_s: u32,
}

/// A watched code.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchedOut {
    /// Canonical path: what a scan of it answers at.
    pub code: String,
    /// `null` where the code names no unit.
    pub legality: Option<Legality>,
    /// What to do.
    pub advice: Advice,
    /// Why, worst first.
    pub reasons: Vec<Reason>,
    /// The newest open recall.
    pub recall: Option<ScanRecallOut>,
}

/// The message that begins a watch.
#[derive(Debug, Serialize, Deserialize)]
pub struct Begin {
    /// Hash of the token.
    pub token_hash: String,
    /// Canonical paths.
    pub codes: Vec<String>,
    /// When it ends, microseconds.
    pub ends_at: i64,
}

/// The message that ends one.
#[derive(Debug, Serialize, Deserialize)]
pub struct End {
    /// Hash of the token.
    pub token_hash: String,
}
