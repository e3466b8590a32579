//! Findings as JSON.

use super::store::severity_name;
use serde::{Deserialize, Serialize};
use suyuan_sync::finding::{FindingCode, Severity};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Type, schema::Schema},
};
use uuid::Uuid;

/// The codes of findings, as the API's document lists them: `sync`, whose they are, knows no OpenAPI.
#[derive(Debug)]
pub struct CodeName;

/// How bad a finding is, likewise.
#[derive(Debug)]
pub struct SeverityName;

/// All severities.
pub const SEVERITIES: [Severity; 3] =
    [Severity::Information, Severity::Warning, Severity::Critical];

fn one_of(names: impl Iterator<Item = &'static str>) -> RefOr<Schema> {
    let values: Vec<&str> = names.collect();
    let text = ObjectBuilder::new().schema_type(Type::String);
    RefOr::T(Schema::Object(text.enum_values(Some(values)).build()))
}

impl PartialSchema for CodeName {
    fn schema() -> RefOr<Schema> {
        one_of(FindingCode::ALL.iter().map(|code| code.name()))
    }
}

impl PartialSchema for SeverityName {
    fn schema() -> RefOr<Schema> {
        one_of(SEVERITIES.into_iter().map(severity_name))
    }
}

impl ToSchema for CodeName {}
impl ToSchema for SeverityName {}

/// Which findings.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct FindingQuery {
    /// Only open ones, or only closed ones.
    pub open: Option<bool>,
    /// Only of this code, e.g. `DOUBLE_SALE`.
    #[param(value_type = CodeName, inline, required = false)]
    pub code: Option<String>,
    /// Only `information`, `warning` or `critical` ones.
    #[param(value_type = SeverityName, inline, required = false)]
    pub severity: Option<String>,
    /// Only where the judged event happened here.
    pub place: Option<Uuid>,
    /// Only where this device of the caller's stated the judged event.
    pub device: Option<Uuid>,
    /// Only of units of this product, and of goods without codes under its GTIN.
    pub product: Option<Uuid>,
    /// Only of units of this batch, and of containers on account of it.
    pub batch: Option<Uuid>,
    /// Only of this unit: its code in any form.
    pub unit: Option<String>,
    /// Only those that opened at this log position or later.
    #[param(minimum = 0)]
    pub since: Option<i64>,
    /// Only those that opened at this log position or earlier.
    #[param(minimum = 0)]
    pub until: Option<i64>,
    /// The same by time, RFC 3339: opened then or later.
    pub since_time: Option<String>,
    /// Opened before then.
    pub until_time: Option<String>,
    /// `next` of the page before.
    #[param(minimum = 0)]
    pub after: Option<i64>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// A finding.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingOut {
    /// Its number.
    pub id: i64,
    /// What is wrong: a stable code.
    #[schema(value_type = CodeName)]
    pub code: String,
    /// `information`, `warning` or `critical`.
    #[schema(value_type = SeverityName)]
    pub severity: String,
    /// The rule that found it.
    pub rule: String,
    /// What it means, in English.
    pub meaning: String,
    /// The same in Chinese.
    pub meaning_zh: String,
    /// The unit it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The line of goods without codes it is about. Neither: it is about the event itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<LotOut>,
    /// The batch, where a container was judged for what it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<Uuid>,
    /// Who stated the judged event.
    pub enterprise_id: Uuid,
    /// With which device; only told to its own enterprise and the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Uuid>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_id: Option<Uuid>,
    /// The event that was judged.
    pub event: Uuid,
    /// The events that show it, the judged one among them.
    pub witnesses: Vec<WitnessOut>,
    /// How many more show it that the caller may not see.
    pub hidden_witnesses: u64,
    /// More about it, by kind (`about`). The numbers of a `count` (`expected`, `there`) have 64 bits;
    /// `expected` is below zero where the balance was.
    #[schema(value_type = Object)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<serde_json::Value>,
    /// The log position it opened at.
    pub opened_position: i64,
    /// When, UTC.
    pub opened_at: String,
    /// How it closed; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<ClosedOut>,
}

/// A line of goods without codes of their own.
#[derive(Debug, Serialize, ToSchema)]
pub struct LotOut {
    /// What events call the product: its GTIN-14, its own code (`ENTERPRISE.CODE`, or the code alone), or
    /// any text a device said.
    pub gtin: String,
    /// Lot; absent where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// Where.
    pub location_id: Uuid,
}

/// An event that shows or explains a finding.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WitnessOut {
    /// Its id: `GET /v1/events/{event}`, with its `enterprise_id` and the `unit` of the finding where it is
    /// another's, tells what it says.
    pub event: Uuid,
    /// What happened.
    pub kind: String,
    /// Who stated it.
    pub enterprise_id: Uuid,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_id: Option<Uuid>,
    /// When, by its device's own word, UTC.
    pub said_at: String,
    /// Its log position.
    pub position: i64,
    /// When it was received, UTC.
    pub received_at: String,
    /// It was brought by another device or in a file (`POST /v1/sync/deposit`).
    pub imported: bool,
}

/// How a finding closed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosedOut {
    /// The log position it closed at.
    pub position: i64,
    /// When, UTC.
    pub at: String,
    /// The event that explained it; absent if the caller may not see that event, or an entry of the
    /// log did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<WitnessOut>,
    /// The entry of the log that explained it: a recall that was opened, widened or closed, a decision, or what
    /// came on record; absent if an event did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<CauseOut>,
}

/// An entry of the log that changed what was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CauseOut {
    /// Its position.
    pub position: i64,
    /// What it is, by name: `recall_opened`, `holder_accepted`, `master_data_changed`, …
    pub kind: String,
}

/// A page of findings.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingPage {
    /// Newest first.
    pub items: Vec<FindingOut>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// How many findings are open.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountsOut {
    /// The log position this is as of.
    pub position: i64,
    /// By code, most frequent first; codes of which none is open are left out.
    pub codes: Vec<CountOut>,
    /// For information.
    pub information: u64,
    /// Somebody should look.
    pub warning: u64,
    /// Somebody must act.
    pub critical: u64,
}

/// How many of a code are open.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountOut {
    /// Which.
    pub code: String,
    /// Its severity.
    pub severity: String,
    /// How many.
    pub open: u64,
}
