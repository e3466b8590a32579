//! `GET /v1/sync/pull`, `GET /v1/sync/snapshot`, `GET /v1/sync/status` and look-ups: what comes
//! down. Every answer to a device carries an anchor.

use super::{Chunk, FindingNote, Item, ListCurrent, Ranges, Signature, TrustKey, UnitCard, V};
use crate::{
    chain::Hash,
    event::required::Rule,
    ids::{DeviceId, Epoch, EventId, Gseq, Micros, Seq},
};
use serde::{Deserialize, Serialize};

/// A page of what changed since a cursor. A device applies a page whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullAnswer {
    /// Version of this message.
    pub v: V<1>,
    /// What changed, in the order of the positions.
    pub items: Vec<PullItem>,
    /// Where to go on. Asking with it acknowledges everything before it.
    pub cursor: Gseq,
    /// There is more already.
    pub more: bool,
    /// This is a part of a position that changed more than fits a page, and the next part is asked for
    /// with this and the same cursor. Parts are kept aside and applied together with the last, which
    /// has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Which recall list holds now, and as of when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListCurrent>,
    /// The version of the rules that hold: a device that holds another asks for `GET
    /// /v1/sync/rules`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// The version of the list of badges that work at the device's place: a device that holds another
    /// asks for `GET /v1/sync/badges`. Absent when the place never had a badge: then a device holds no
    /// list, and drops the one it held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badges: Option<String>,
    /// How old the recall list may be at a sale, in seconds: the policy in force, by which the server
    /// judges `STALE_LIST` (C9). Kept with the list; a device that was never told goes by
    /// [`Policy::default`](crate::facts::Policy).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_age_s: Option<u32>,
    /// Up to which instant what counts shows in cards, once there is no more: what acts left for later shows in no
    /// card yet. A device judges its own events with a later receipt as shown and as not shown, and the graver
    /// counts ([`till::graver`](crate::till::graver)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_until: Option<Micros>,
    /// The newest anchor, opaque.
    pub anchor: String,
}

/// What events have to say (C15), so that a device asks for it while the goods are at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RulesAnswer {
    /// Version of this message.
    pub v: V<1>,
    /// The version of the rules.
    pub version: String,
    /// All of them, in the order of the tables.
    pub rules: Vec<Rule>,
    /// The newest anchor, opaque.
    pub anchor: String,
}

/// An item and the log position it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullItem {
    /// The position.
    pub gseq: Gseq,
    /// What the device is told.
    pub item: Item,
}

/// What a snapshot consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotManifest {
    /// Version of this message.
    pub v: V<1>,
    /// For which device.
    pub device: DeviceId,
    /// In which life of it.
    pub epoch: Epoch,
    /// Everything at or below this position is in it; the pull goes on from here.
    pub watermark: Gseq,
    /// When it was made.
    pub made_at: Micros,
    /// Its chunks, in order: each a [`SnapshotChunk`], fetched by its hash, in any order, again
    /// after a break.
    pub chunks: Vec<Chunk>,
    /// All keys the installation ever signed with.
    pub trust_keys: Vec<TrustKey>,
    /// The number of the trust key that signed it.
    pub key: u32,
    /// The signature over [`SnapshotManifest::bytes_to_sign`].
    pub sig: Signature,
    /// The newest anchor, opaque.
    pub anchor: String,
}

impl SnapshotManifest {
    /// The bytes that are signed. The trust keys carry signatures of their own.
    pub fn bytes_to_sign(&self) -> Vec<u8> {
        use std::fmt::Write;
        let mut text = format!(
            "suyuan-snapshot-1\n{}\n{}\n{}\n{}\n{}\n{}",
            self.device,
            self.epoch,
            self.watermark,
            self.made_at,
            self.key,
            self.chunks.len(),
        );
        for chunk in &self.chunks {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{} {}", chunk.hash, chunk.bytes);
        }
        text.into_bytes()
    }
}

/// A part of a snapshot: its bytes as they are sent have the hash the manifest names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotChunk {
    /// Version of this message.
    pub v: V<1>,
    /// What the device is told.
    pub items: Vec<Item>,
}

/// What the server holds of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// Version of this message.
    pub v: V<1>,
    /// Which device.
    pub device: DeviceId,
    /// In which life of it.
    pub epoch: Epoch,
    /// Nothing at or below it is waited for.
    pub contiguous_seq: Seq,
    /// What is held.
    pub held_ranges: Ranges,
    /// What is not held below the greatest that is.
    pub missing_ranges: Ranges,
    /// The chain's hash as in a receipt.
    pub head_hash: Hash,
    /// The device has to enrol again: its key was revoked, or there are two of it.
    pub re_enrol: bool,
    /// Events that wait (T7, T8).
    pub parked: Vec<Aside>,
    /// Events that are kept apart (T2, T3, T6, T9).
    pub quarantined: Vec<Aside>,
    /// Findings that need the user of this device.
    pub findings: Vec<OwnFinding>,
    /// There is more of these than fits one answer, which tells the oldest 500 of each.
    pub more: bool,
    /// How many more wait.
    #[serde(default, skip_serializing_if = "super::is_none")]
    pub more_parked: u64,
    /// How many more are kept apart.
    #[serde(default, skip_serializing_if = "super::is_none")]
    pub more_quarantined: u64,
    /// How many more findings need the user.
    #[serde(default, skip_serializing_if = "super::is_none")]
    pub more_findings: u64,
    /// The newest anchor, opaque.
    pub anchor: String,
}

/// An event that is not in state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// In which life of the device.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
    /// Its id, if it can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
    /// Why: the name of the remark that decided ([`admission::Remark`](crate::admission::Remark)).
    pub code: String,
    /// Since when.
    pub since: Micros,
    /// It was brought by another device or in a file.
    #[serde(default, skip_serializing_if = "super::is_none")]
    pub imported: bool,
}

/// A finding about an event of the device's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnFinding {
    /// The event.
    pub event: EventId,
    /// In which life of the device.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
    /// It was brought by another device or in a file.
    #[serde(default, skip_serializing_if = "super::is_none")]
    pub imported: bool,
    /// What was found.
    pub finding: FindingNote,
}

/// What is known of codes a person looked up on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookUpAnswer {
    /// Version of this message.
    pub v: V<1>,
    /// One for each code, in their order; none for one that names nothing known.
    pub cards: Vec<Option<UnitCard>>,
    /// The log position the answer was computed at.
    pub position: Gseq,
    /// Up to which instant what counts shows in these cards, as in a [`PullAnswer`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_until: Option<Micros>,
    /// The newest anchor, opaque; later than that position.
    pub anchor: String,
}
