//! What devices send and are told, as the API's document says it. The messages are of `sync`, which knows
//! no OpenAPI. These have their shape and are nothing else: no message is read or written as one of them. A
//! test holds them against the messages both sides are tested with.

use crate::findings::wire::{CodeName, SeverityName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A push.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncPush {
    /// Version of this message: 1.
    pub v: u8,
    /// Whose events.
    pub device: Uuid,
    /// Of which life.
    pub epoch: u32,
    /// The number of the first event; of the next one when there is none.
    #[schema(minimum = 1)]
    pub first_seq: u64,
    /// The chain's hash before the first event, 64 hexadecimal digits.
    pub prev_hash: String,
    /// The newest receipt the device holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_receipt: Option<SyncReceipt>,
    /// How many events wait on the device, these included.
    #[serde(default)]
    #[schema(required = false)]
    pub queue_depth: u64,
    /// The texts of the events; bytes as the device made them.
    #[schema(max_items = 500)]
    pub events: Vec<String>,
}

/// A push that somebody else brings.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncDeposit {
    /// Version of this message: 1.
    pub v: u8,
    /// What the device whose events they are signed over the push.
    pub token: String,
    /// Its events.
    pub push: SyncPush,
}

/// What became of a push, once it is durable.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncPushAnswer {
    /// Version of this message: 1.
    pub v: u8,
    /// One for each event, in their order.
    pub results: Vec<SyncEventResult>,
    /// What is held now.
    pub receipt: SyncReceipt,
    /// The newest anchor, opaque: for the device that asks; of what a person brought, for the device that
    /// signed.
    pub anchor: String,
    /// When the push was received, in microseconds since 1970.
    pub t_recv: i64,
    /// When this answer was sent.
    pub t_sent: i64,
    /// How many events the next push may have; 0: wait for `retry_after`.
    pub credit: u32,
    /// Seconds to wait before the next push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// There may be something to pull.
    pub pull_hint: bool,
}

/// What became of an event. Each of these is durable and fills its number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncStatus {
    /// In the log and in state.
    Stored,
    /// Held before with the same bytes.
    Duplicate,
    /// In the log and in state, with a remark.
    StoredFlagged,
    /// Kept until its group is whole, or a later program knows it.
    Parked,
    /// Kept apart until somebody decides.
    Quarantined,
}

/// What became of one event of a push.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncEventResult {
    /// Its number.
    pub seq: u64,
    /// Its fate.
    pub status: SyncStatus,
    /// Why it is parked, quarantined or flagged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why its text is no event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its position in the log; none while it is kept out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gseq: Option<i64>,
    /// What was found about it at once: at most 100, the worst of it.
    pub findings: Vec<SyncFinding>,
    /// How many more were found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_findings: Option<u32>,
    /// Told, and true, where not everything it is about was judged at once: what is found of that comes with
    /// a pull.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<bool>,
}

/// A finding as a device is told it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncFinding {
    /// What is wrong.
    #[schema(value_type = CodeName)]
    pub code: String,
    /// How bad it is.
    #[schema(value_type = SeverityName)]
    pub severity: String,
    /// With what.
    pub subject: SyncSubject,
    /// The event that explained it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<Uuid>,
    /// The entry of the log that did, if no event did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_entry: Option<SyncClosingEntry>,
    /// Is it closed?
    pub closed: bool,
}

/// What a finding is about.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "of", content = "id", rename_all = "snake_case")]
pub enum SyncSubject {
    /// A unit, by its key.
    Unit(String),
    /// A line of goods without codes of their own.
    Lot(SyncLot),
    /// The event itself.
    Event,
}

/// A line of goods without codes of their own.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncLot {
    /// What events call the product.
    pub gtin: String,
    /// The lot, if known.
    pub lot: Option<String>,
    /// Where.
    pub location: Uuid,
}

/// An entry of the log that explained a finding away.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncClosingEntry {
    /// Its position.
    pub position: i64,
    /// What it is.
    pub kind: String,
}

/// What the service holds of a device's epoch, signed. Only what is in `held_ranges` is covered.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncReceipt {
    /// Whose.
    pub device: Uuid,
    /// Of which life.
    pub epoch: u32,
    /// Nothing at or below it is waited for.
    pub contiguous_seq: u64,
    /// What is held: pairs of first and last number.
    pub held_ranges: Vec<Vec<u64>>,
    /// What is not held below the greatest that is.
    pub missing_ranges: Vec<Vec<u64>>,
    /// The chain's hash after the highest event of the contiguous branch in state.
    pub head_hash: String,
    /// The stamp of the log position it was given at, in microseconds since 1970.
    pub stamp: i64,
    /// The number of the trust key that signed it.
    pub key: u32,
    /// The signature (ES256, base64url).
    pub sig: String,
}

/// A page of what changed. It is applied whole or not at all.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncPullAnswer {
    /// Version of this message: 1.
    pub v: u8,
    /// What changed, in the order of the positions.
    pub items: Vec<SyncPullItem>,
    /// Where to go on.
    pub cursor: i64,
    /// There is more already.
    pub more: bool,
    /// The next part of this position is asked for with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Which recall list holds now, and as of when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<SyncListCurrent>,
    /// The version of the rules that hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// The version of the list of badges; absent where the place never had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badges: Option<String>,
    /// How old the recall list may be at a sale, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_age_s: Option<u32>,
    /// Up to which instant what counts shows in cards, once there is no more; what came later may or may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_until: Option<i64>,
    /// The newest anchor, opaque.
    pub anchor: String,
}

/// An item and the log position it is of.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncPullItem {
    /// The position.
    pub gseq: i64,
    /// What the device is told.
    pub item: SyncItem,
}

/// One thing a device is told. A later one of the same thing takes its place.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SyncItem {
    /// A product it may meet.
    Product(SyncProduct),
    /// An enterprise it may send to or receive from.
    Partner(SyncPartner),
    /// A unit expected or received here.
    Unit(SyncUnitCard),
    /// The recall list as of now.
    RecallList(SyncRecallList),
    /// What was found about an event of its own, with what is closed.
    Verdict(SyncVerdict),
    /// A card that is to be dropped.
    Removed(SyncRemoved),
}

/// A product.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncProduct {
    /// Its id.
    pub product: Uuid,
    /// GTIN-14, or the product code of our own scheme.
    pub gtin: String,
    /// Whose.
    pub issuer: Uuid,
    /// Its name.
    pub name: String,
    /// How it is packed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specification: Option<String>,
    /// The profile of the standard it falls under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// An enterprise and its places.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncPartner {
    /// Its id.
    pub enterprise: Uuid,
    /// Its name.
    pub name: String,
    /// Its places.
    pub places: Vec<SyncPlace>,
}

/// A place.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncPlace {
    /// Its id.
    pub location: Uuid,
    /// Its name.
    pub name: String,
    /// Its GLN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gln: Option<String>,
}

/// A unit, as far as a device needs it to decide offline.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncUnitCard {
    /// Its key.
    pub unit: String,
    /// `item`, `case` or `pallet`, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Its product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Uuid>,
    /// Its batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Uuid>,
    /// The lot of that batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// The first instant at which it is expired, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// `unknown`, `commissioned`, `in_stock`, `in_transit`, `sold`, `returned`, `collected`,
    /// `destroyed`.
    pub phase: String,
    /// Where it is.
    pub place: SyncWhere,
    /// The container it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<String>,
    /// `sellable`, `hold` or `destroy`, after an inspection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    /// Its code is void.
    pub void: bool,
    /// Recalls that cover it now.
    pub recalls: Vec<Uuid>,
    /// Of a container: the batches of what is in it, its own apart, at most 50. A till refuses it for
    /// what is wrong with any of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<SyncHeldBatch>,
    /// It holds more batches than are told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds_more: bool,
}

/// A batch of which something is in a container.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncHeldBatch {
    /// Which.
    pub batch: Uuid,
    /// The first instant at which it is expired, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

/// Where a unit is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncWhere {
    /// Not known, or not told.
    Nowhere,
    /// At a place.
    At(Uuid),
    /// On its way.
    Between {
        /// From here.
        from: Uuid,
        /// To this place, if it was named.
        to: Option<Uuid>,
        /// To this enterprise, if it was named.
        to_enterprise: Option<Uuid>,
    },
}

/// The recall list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncRecallList {
    /// The log position it was made at.
    pub version: i64,
    /// When, in microseconds since 1970.
    pub made_at: i64,
    /// Recalled batches.
    pub batches: Vec<SyncRecalledBatch>,
    /// How many hashes there are.
    pub count: u64,
    /// The coded list, in order.
    pub chunks: Vec<SyncChunk>,
    /// The number of the trust key that signed it.
    pub key: u32,
    /// The signature (ES256, base64url).
    pub sig: String,
}

/// A batch that is recalled.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncRecalledBatch {
    /// By which recall.
    pub recall: Uuid,
    /// Which batch.
    pub batch: Uuid,
    /// What codes of its product carry.
    pub gtin: String,
    /// Its lot.
    pub lot: String,
}

/// A piece of something larger: `GET /v1/sync/chunks/{hash}`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncChunk {
    /// SHA-256 of its bytes.
    pub hash: String,
    /// How many bytes.
    pub bytes: u32,
}

/// Which recall list holds, signed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncListCurrent {
    /// The log position it was looked at.
    pub version: i64,
    /// When, in microseconds since 1970.
    pub made_at: i64,
    /// What the list says, by its hash.
    pub content: String,
    /// The number of the trust key that signed this.
    pub key: u32,
    /// The signature (ES256, base64url).
    pub sig: String,
}

/// What was ever found about an event of the device's own.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncVerdict {
    /// The event.
    pub event: Uuid,
    /// Which device.
    pub device: Uuid,
    /// In which life of it.
    pub epoch: u32,
    /// Its number.
    pub seq: u64,
    /// All of it, with what is closed.
    pub findings: Vec<SyncFinding>,
}

/// A card that is to be dropped.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncRemoved {
    /// `product`, `partner` or `unit`.
    pub of: String,
    /// Which: an id, or a unit's key.
    pub id: String,
}

/// What a snapshot consists of, signed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncSnapshot {
    /// Version of this message: 1.
    pub v: u8,
    /// For which device.
    pub device: Uuid,
    /// In which life of it.
    pub epoch: u32,
    /// The pull goes on from here.
    pub watermark: i64,
    /// When it was made, in microseconds since 1970.
    pub made_at: i64,
    /// Its chunks, in order.
    pub chunks: Vec<SyncChunk>,
    /// All keys the installation ever signed with.
    pub trust_keys: Vec<SyncTrustKey>,
    /// The number of the trust key that signed it.
    pub key: u32,
    /// The signature (ES256, base64url).
    pub sig: String,
    /// The newest anchor, opaque.
    pub anchor: String,
}

/// A key the installation signs with, itself signed by the one before.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncTrustKey {
    /// Its number.
    pub n: u32,
    /// Its public half, as JWK: `{kty, crv, x, y}`.
    #[schema(value_type = Object)]
    pub key: serde_json::Value,
    /// Since when, in microseconds since 1970.
    pub since: i64,
    /// The signature of the one before; the first has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

/// What the service holds of a device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncStatusAnswer {
    /// Version of this message: 1.
    pub v: u8,
    /// Which device.
    pub device: Uuid,
    /// In which life of it.
    pub epoch: u32,
    /// Nothing at or below it is waited for.
    pub contiguous_seq: u64,
    /// What is held: pairs of first and last number.
    pub held_ranges: Vec<Vec<u64>>,
    /// What is not held below the greatest that is.
    pub missing_ranges: Vec<Vec<u64>>,
    /// The chain's hash as in a receipt.
    pub head_hash: String,
    /// The device has to enrol again.
    pub re_enrol: bool,
    /// Events that wait.
    pub parked: Vec<SyncAside>,
    /// Events that are kept apart.
    pub quarantined: Vec<SyncAside>,
    /// Findings that need the user of this device.
    pub findings: Vec<SyncOwnFinding>,
    /// There is more of these than fits one answer.
    pub more: bool,
    /// How many more wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_parked: Option<u64>,
    /// How many more are kept apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_quarantined: Option<u64>,
    /// How many more findings need the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_findings: Option<u64>,
    /// The newest anchor, opaque.
    pub anchor: String,
}

/// An event that is not in state.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncAside {
    /// In which life of the device.
    pub epoch: u32,
    /// Its number.
    pub seq: u64,
    /// Its id, if it can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Uuid>,
    /// Why.
    pub code: String,
    /// Since when, in microseconds since 1970.
    pub since: i64,
    /// Told, and true, where another device or a file brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<bool>,
}

/// A finding about an event of the device's own.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncOwnFinding {
    /// The event.
    pub event: Uuid,
    /// In which life of the device.
    pub epoch: u32,
    /// Its number.
    pub seq: u64,
    /// Told, and true, where another device or a file brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<bool>,
    /// What was found.
    pub finding: SyncFinding,
}

/// What is known of codes that were looked up.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SyncLookUpAnswer {
    /// Version of this message: 1.
    pub v: u8,
    /// One for each code, in their order; null for one that names nothing known.
    pub cards: Vec<Option<SyncUnitCard>>,
    /// The log position the answer was computed at.
    pub position: i64,
    /// Up to which instant what counts shows in these cards; what came later may or may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_until: Option<i64>,
    /// The newest anchor, opaque.
    pub anchor: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::DeserializeOwned;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn again<T: DeserializeOwned + Serialize>(json: &Value) -> Value {
        let read: T =
            serde_json::from_value(json.clone()).unwrap_or_else(|e| panic!("{json}: {e}"));
        serde_json::to_value(read).unwrap()
    }

    #[test]
    fn what_is_documented_has_the_shape_of_what_is_sent() {
        let golden = include_str!("../../../sync/tests/golden/wire.json");
        let golden: Value = serde_json::from_str(golden).unwrap();
        let mut seen = BTreeSet::new();
        for message in golden["messages"].as_array().unwrap() {
            let (kind, json) = (message["type"].as_str().unwrap(), &message["json"]);
            let written = match kind {
                "push" => again::<SyncPush>(json),
                "push_answer" => again::<SyncPushAnswer>(json),
                "deposit" => again::<SyncDeposit>(json),
                "pull_answer" => again::<SyncPullAnswer>(json),
                "snapshot_manifest" => again::<SyncSnapshot>(json),
                "status_answer" => again::<SyncStatusAnswer>(json),
                "look_up_answer" => again::<SyncLookUpAnswer>(json),
                _ => continue,
            };
            // Nothing it says is left out, and nothing it need not say is demanded.
            assert_eq!(written, *json, "{kind}");
            seen.insert(kind);
        }
        assert_eq!(seen.len(), 7);
    }
}
