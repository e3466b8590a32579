//! Recalls as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Most batches one recall covers.
pub const BATCHES_MAX: usize = 200;

/// A recall to be opened.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallIn {
    /// Batches covered, 1 to 200.
    pub batch_ids: Vec<Uuid>,
    /// Why (召回原因): shown to consumers, 1 to 1000 characters.
    pub reason: String,
    /// What to do (处理办法): shown to consumers, 1 to 2000 characters.
    pub instructions: String,
}

/// How a recall ends.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallCloseIn {
    /// Why it may end, 1 to 1000 characters; kept, not shown to consumers.
    pub note: String,
}

/// A recall.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RecallOut {
    /// Id.
    pub id: Uuid,
    /// Batches covered.
    pub batch_ids: Vec<Uuid>,
    /// Why.
    pub reason: String,
    /// What to do.
    pub instructions: String,
    /// When it was opened, UTC.
    pub opened_at: String,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// Why it could end.
    pub closing_note: Option<String>,
}
