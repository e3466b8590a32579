//! The log as JSON.

use super::Kind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// One entry of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryOut {
    /// Its place; entries are never changed or removed.
    pub position: i64,
    /// When it was committed, UTC.
    pub at: String,
    /// What happened, e.g. `recall_opened`.
    pub kind: String,
    /// Whose data.
    pub enterprise: Option<Uuid>,
    /// Which account, or `system`.
    pub actor: String,
    /// What it happened to.
    pub subject: String,
    /// What changed.
    #[schema(value_type = Object)]
    pub body: serde_json::Value,
}

impl EntryOut {
    /// Leaves out what no regulator reads: what staff wrote of consumers' words, and texts of badges.
    pub fn keep_from_regulators(&mut self) {
        const KEPT: [Kind; 5] = [
            Kind::VoiceReceived,
            Kind::VoiceHandled,
            Kind::PersonalDataOpened,
            Kind::PersonalDataErased,
            Kind::BadgeChanged,
        ];
        if KEPT.iter().any(|kind| kind.name() == self.kind) {
            self.body = serde_json::json!({});
        }
    }
}

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogPage {
    /// Oldest first.
    pub items: Vec<EntryOut>,
    /// Give this as `from` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// Where to begin and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    /// First position wanted (default 1).
    #[serde(default)]
    #[param(minimum = 0)]
    pub from: i64,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}
