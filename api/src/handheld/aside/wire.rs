//! What stands aside, as JSON.

use crate::handheld::push::store::fate_name;
use serde::{Deserialize, Serialize};
use suyuan_sync::admission::Outcome;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Most bytes of an event's text in a list.
pub const TEXT_LISTED_BYTES: usize = 1024;

/// Most characters of what an event calls its kind.
pub const KIND_CHARS_MAX: usize = 64;

/// An event that stands aside.
#[derive(Debug, Serialize, ToSchema)]
pub struct AsideOut {
    /// Its position in the log: what it is admitted by.
    pub position: i64,
    /// When it was received, UTC.
    pub received_at: String,
    /// Of which device.
    pub device: Uuid,
    /// In which of its epochs.
    pub epoch: i64,
    /// Its number.
    pub seq: i64,
    /// The id it claims; absent for what cannot be read, and for a second copy of an id.
    pub event_id: Option<Uuid>,
    /// What it says happened, the first 64 characters; empty for what cannot be read.
    pub kind: String,
    /// `quarantined` or `parked`.
    pub fate: String,
    /// Why, the first that counts first: `DEVICE_REVOKED`, `DEVICE_FORK`, `ID_REUSE`, `UNREADABLE`,
    /// `SEQ_MISMATCH`, `UNFOLDABLE`; `UNKNOWN_KIND`, `GROUP_INCOMPLETE`.
    pub remarks: Vec<String>,
    /// Why its text is no event, of what is `UNREADABLE`: what is wrong with it and which limit it
    /// exceeds, as the program that answers reads it, the first 200 characters. Told of one that is
    /// asked for by its position; absent in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// It was brought by another device or in a file (`POST /v1/sync/deposit`).
    pub imported: bool,
    /// How many bytes its text has, at most 512 KiB.
    pub bytes: u64,
    /// Its text, as far as it is text; in a list the first 1 024 bytes of it. Absent for a regulator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A page of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct AsidePage {
    /// In the order of the log.
    pub items: Vec<AsideOut>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct AsideQuery {
    /// Whose; a regulator has to say.
    pub enterprise_id: Option<Uuid>,
    /// `next` of the page before.
    #[serde(default)]
    #[param(minimum = 0)]
    pub after: i64,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// A decision to take an event in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdmitIn {
    /// Why, 1 to 500 characters, kept in the log; no names of people.
    pub note: String,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AdmittedOut {
    /// The event's position.
    pub position: i64,
    /// What stands now: `stored`, `stored_flagged`, or still aside for another reason.
    pub fate: String,
    /// What is remarked on it now.
    pub remarks: Vec<String>,
}

impl AdmittedOut {
    /// How an event stands now.
    pub fn of(position: i64, outcome: &Outcome) -> AdmittedOut {
        let remarks = outcome.remarks.iter();
        AdmittedOut {
            position,
            fate: fate_name(outcome.status).to_owned(),
            remarks: remarks.map(|remark| remark.name().to_owned()).collect(),
        }
    }
}
