//! An event as JSON.

use crate::{
    findings::wire::FindingOut,
    units::wire::{DocOut, PartnerOut},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Most retracts of an event in one answer.
pub const RETRACTS_MAX: usize = 20;

/// Most findings of an event in one answer: those that are open before all others, of these the critical ones.
pub const FINDINGS_MAX: u64 = 100;

/// Which event of that id.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// Whose device stated it (default: the caller's own; the platform and a regulator have to say). Ids are
    /// unique in an enterprise only.
    pub enterprise_id: Option<Uuid>,
    /// Of another enterprise's event: a unit it is about, by its code in any form. It is told as the timeline of
    /// that unit tells it.
    pub unit: Option<String>,
}

/// An event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventOut {
    /// Its id.
    pub event: Uuid,
    /// Who stated it.
    pub enterprise_id: Uuid,
    /// What happened, the first 64 characters.
    pub kind: String,
    /// Its log position.
    pub position: i64,
    /// When it was received, so certainly not after, UTC.
    pub received_at: String,
    /// Certainly not before, UTC; absent while it stands aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// When, in the order of things, UTC; absent while it stands aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Where; absent if its device did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_id: Option<Uuid>,
    /// With which enterprise, place or named partner (往来单位).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner: Option<PartnerOut>,
    /// What an inspection decided: `sellable`, `hold` or `destroy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    /// It was brought by another device or in a file (`POST /v1/sync/deposit`).
    pub imported: bool,
    /// Of a retract (撤销): the event it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<RetractOut>,
    /// It was struck out by a retract, and counts no more; or it is the new event of a correction that does
    /// not count.
    pub struck: bool,
    /// Retracts of its own enterprise that name it, those that strike it first: at most 20. Told as by a unit's
    /// timeline, the one that struck it.
    pub retracts: Vec<RetractOut>,
    /// How many more there are.
    pub more_retracts: u64,
    /// What was found where it was judged and the caller may see, open and closed, oldest first: at most 100,
    /// those that are open before those that are closed, critical ones before others, new ones before old ones.
    pub findings: Vec<FindingOut>,
    /// How many more there are.
    pub more_findings: u64,
    /// What its device stated and what became of that. Absent where the event is told as by a unit's timeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated: Option<StatedOut>,
}

/// A retract as it has to do with an event, or the event it names.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetractOut {
    /// The other event.
    pub event: Uuid,
    /// Its log position; absent while it did not come in, and where it is told as by a unit's timeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// The retract strikes the event: both count, and who retracts may. Absent where it is told as by a
    /// unit's timeline, which says of the event that is struck by which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strikes: Option<bool>,
}

/// What a device stated, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatedOut {
    /// With which device (采集设备).
    pub device_id: Uuid,
    /// In which of its epochs.
    pub epoch: i64,
    /// Its number there.
    pub seq: i64,
    /// On which second branch of that epoch it stands (T3): the hash after its first event, in hexadecimal;
    /// absent for the branch that was received first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// What stands now: `stored`, `stored_flagged`, `parked` or `quarantined`.
    pub fate: String,
    /// What is remarked on it now, the first that counts first.
    pub remarks: Vec<String>,
    /// From which log position on it counts: later than its own if it stood aside. Absent while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts_from: Option<i64>,
    /// How many bytes its text has, at most 512 KiB.
    pub bytes: u64,
    /// Its text as the device made it, byte for byte: what its hash and its device's signature cover. Absent for
    /// those who see all by their role while it stands aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The same as this program reads it; absent where `text` is, and of what it cannot read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<SaidOut>,
}

/// What an event's text says. Mandatory items of the standards stand here or in `body` (入库, 出库, 运输, 销售
/// 信息); what is on record of the goods, the place and the device is not repeated.
#[derive(Debug, Serialize, ToSchema)]
pub struct SaidOut {
    /// When, by its device's own clock, UTC (扫描时间).
    pub at: String,
    /// The zone of that clock, minutes east of UTC.
    pub zone_minutes: i32,
    /// Who did it (操作人): a pseudonym.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorSaid>,
    /// The units it names; for pack and unpack the children (产品追溯码).
    pub units: Vec<ReadOut>,
    /// The container of pack and unpack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<ReadOut>,
    /// How many children the container should hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<u32>,
    /// Goods without codes of their own.
    pub lots: Vec<LotSaid>,
    /// The paper it belongs to (单据).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<DocOut>,
    /// What it was like there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<EnvSaid>,
    /// What was decided of the goods: `sellable`, `hold` or `destroy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    /// A stop that was overruled.
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    pub overruled: Option<OverrideSaid>,
    /// The act it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupSaid>,
    /// The recall list the device held: the log position that was made at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_version: Option<i64>,
    /// The pull position it had applied.
    pub cursor: i64,
    /// Milliseconds since its anchor was received, within the same session; else 0.
    pub mono_ms: u64,
    /// Further items, by the catalogue's ids, e.g. `logistics.logistics_company` (物流公司). A decimal of more
    /// than 15 digits may be told with another last digit; `text` has all of them.
    #[schema(value_type = Object)]
    pub body: BTreeMap<String, Value>,
}

/// Who acted, as the device said it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActorSaid {
    /// A pseudonym: the number of a badge; empty if it does not say.
    pub id: String,
    /// How it was shown: `pin`, `badge` or `none`.
    pub proof: String,
    /// Seconds since the last log-in that the server saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_age_s: Option<u64>,
    /// Acts as a supervisor.
    pub supervisor: bool,
}

/// A code as it was read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadOut {
    /// What was read, character by character.
    pub code: String,
    /// How: `wedge`, `camera`, `typed` or `imported`.
    pub input: String,
    /// The unit it is taken to name; absent if it names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// A quantity of a lot.
#[derive(Debug, Serialize, ToSchema)]
pub struct LotSaid {
    /// GTIN-14, or an own product code.
    pub gtin: String,
    /// The lot (批次号); absent if it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// How many base units (数量).
    pub qty: u64,
}

/// Temperature and humidity of a place.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnvSaid {
    /// Degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub humidity: Option<f64>,
}

/// A stop that was overruled.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverrideSaid {
    /// Which stop.
    pub code: String,
    /// Why it was overruled.
    pub reason: String,
    /// By whose badge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervisor: Option<String>,
    /// The recall it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall_id: Option<Uuid>,
}

/// A part of an act.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupSaid {
    /// Which act.
    pub id: Uuid,
    /// This event's number in it, from 1.
    pub n: u32,
    /// How many events it has.
    pub of: u32,
    /// A correction (更正).
    pub correct: bool,
}
