//! Units as JSON.

use crate::{
    findings::wire::FindingOut,
    resolver::decide::{Advice, Legality, Reason},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Most entries of a timeline in one answer.
pub const ENTRIES_MAX: usize = 500;

/// Most of them that strangers stated, beside the others.
pub const STRANGERS_ENTRIES_MAX: usize = 50;

/// Most findings in one answer: those that are open before all others, of these the critical ones, and
/// of these the newest.
pub const FINDINGS_MAX: u64 = 100;

/// Most findings in one answer of strangers' events, beside the others.
pub const STRANGERS_FINDINGS_MAX: u64 = 20;

/// As of when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct UnitQuery {
    /// As it was known at this log position (default: now), with what was on record then. What comes in or
    /// is filed later never changes this answer: what it tells of products and batches stays as it was filed.
    pub at: Option<i64>,
    /// The timeline before the entry with this `position`: that of the first entry of the answer before.
    pub before: Option<i64>,
    /// Of the timeline only what strangers stated (default false).
    pub strangers: Option<bool>,
}

/// Which page of what a container holds.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ContentsQuery {
    /// `next` of the page before.
    #[param(minimum = 0)]
    pub after: Option<i64>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// A unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitOut {
    /// Its key: the path of its code.
    pub unit: String,
    /// The log position this is as of.
    pub position: i64,
    /// Its level: `item`, `case` or `pallet`; absent for a foreign code that was never packed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Who issued its code; absent for a foreign code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Uuid>,
    /// Its product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<Uuid>,
    /// Its batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<UnitBatchOut>,
    /// What became of it; absent for a caller who only claims to hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StateOut>,
    /// What to do with it now; absent where `state` is, and as of a position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<AdviceOut>,
    /// How many units are directly in it now.
    pub holds: u64,
    /// What happened, in order: the newest 500 entries that the caller may see, and among these at most
    /// 50 that strangers stated, so that these hide nobody else's.
    pub timeline: Vec<TimelineEntryOut>,
    /// How many entries stand before these: ask again with `before`.
    pub earlier: u64,
    /// How many entries of strangers among these are left out: ask again with `strangers=true`.
    pub more_of_strangers: u64,
    /// What is or was wrong, oldest first, open and closed: of all that the caller may see 100, those
    /// that are open before those that are closed, critical ones before others, and new ones before old
    /// ones; besides, at most 20 that strangers' events raised (`UNEXPECTED_HOLDER`).
    pub findings: Vec<FindingOut>,
    /// How many more there are: `GET /v1/findings?unit=` lists all, page by page.
    pub more_findings: u64,
    /// Codes of what is open at a container it is in, and holds for it too.
    pub shared_findings: Vec<String>,
}

/// A batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitBatchOut {
    /// Id.
    pub id: Uuid,
    /// Lot.
    pub lot: String,
    /// The first instant its goods are expired, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// What became of a unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct StateOut {
    /// `unknown`, `commissioned`, `in_stock`, `in_transit`, `sold`, `returned`, `collected`,
    /// `destroyed`.
    pub phase: String,
    /// Where it is.
    pub place: PlaceOut,
    /// Who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Uuid>,
    /// The container it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<String>,
    /// `sellable`, `hold` or `destroy`, after an inspection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    /// It seems to exist twice.
    pub suspected_copy: bool,
    /// Open recalls that cover it.
    pub recalls: Vec<Uuid>,
    /// Enterprises it came to, whose word counts; of these a holder sees itself only.
    pub linked: Vec<Uuid>,
    /// Where enterprises say it is whose word does not count: it never came to them, or the place is
    /// another's. Of these a holder sees itself only.
    pub claims: Vec<ClaimOut>,
}

/// Where a stranger says a unit is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClaimOut {
    /// Who.
    pub enterprise_id: Uuid,
    /// Where.
    pub place: PlaceOut,
}

/// Where something is: at a place, or on its way; all absent where that is not known or not told.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlaceOut {
    /// At this place; for sold goods the store that sold them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_id: Option<Uuid>,
    /// On its way from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Uuid>,
    /// To this place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Uuid>,
    /// To this enterprise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_enterprise: Option<Uuid>,
}

/// What to do with a unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdviceOut {
    /// The worst that any reason gives.
    pub advice: Advice,
    /// Does the issuer stand behind the code?
    pub legality: Option<Legality>,
    /// All that hold, worst first.
    pub reasons: Vec<Reason>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[allow(clippy::struct_excessive_bools)] // independent marks, each told by name
pub struct TimelineEntryOut {
    /// The event: `GET /v1/events/{event}` tells all that it says to its own enterprise and the platform, and
    /// with its `enterprise_id` and the `unit` this entry to whoever sees it.
    pub event: Uuid,
    /// What.
    pub kind: String,
    /// Who stated it.
    pub enterprise_id: Uuid,
    /// Where; absent if its device did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_id: Option<Uuid>,
    /// With which enterprise, place or named partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner: Option<PartnerOut>,
    /// When, in the order of things, UTC.
    pub at: String,
    /// Certainly not before, UTC.
    pub not_before: String,
    /// When it was received, so certainly not after, UTC.
    pub received_at: String,
    /// Its log position.
    pub position: i64,
    /// By whom; told to their own enterprise and the platform only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorOut>,
    /// Which stop it overruled; told like `actor`.
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    pub overruled: Option<OverrideOut>,
    /// The container it came by; absent for what was said of the unit itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// With which device; told like `actor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Uuid>,
    /// The paper it belongs to (单据); told like `actor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<DocOut>,
    /// What an inspection decided: `sellable`, `hold` or `destroy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    /// Of a retract (撤销): the event it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Uuid>,
    /// It was struck out by a retract, and counts no more; or it is the new event of a correction that does
    /// not count.
    pub struck: bool,
    /// The retract that struck it, of several the first in the order of things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub struck_by: Option<Uuid>,
    /// Stated by somebody whom the goods did not come to: it changes nothing.
    pub stranger: bool,
    /// It came in long after it happened.
    pub late: bool,
    /// Something its device did before it has not come in: what it says may look otherwise then.
    /// Always false as of a position.
    pub provisional: bool,
    /// It was brought by another device or in a file (`POST /v1/sync/deposit`).
    pub imported: bool,
}

/// Who acted, as the device said it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActorOut {
    /// A pseudonym: the number of a badge.
    pub id: String,
    /// As a supervisor, by the device's word. It counts as said.
    pub supervisor: bool,
    /// And yet no badge of that number was a supervisor's there at any instant at which this can have
    /// happened: the device's list was old, or somebody made it say so.
    pub not_on_record: bool,
}

/// A stop that was overruled, as the device said it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverrideOut {
    /// Why it stopped, e.g. `recalled`.
    pub code: String,
    /// Why it was overruled, as somebody wrote.
    pub reason: String,
    /// By whose badge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervisor: Option<String>,
    /// The recall it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall_id: Option<Uuid>,
    /// No badge of that number was a supervisor's there at any instant at which this can have happened,
    /// or no badge is named, or it is the actor's own.
    pub not_on_record: bool,
}

/// The other side of an entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartnerOut {
    /// `enterprise`, `location` or `named`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A paper (单据).
#[derive(Debug, Serialize, ToSchema)]
pub struct DocOut {
    /// Its number (入库单号, 出库单号, 销售单号).
    pub no: String,
    /// Its date, as it was stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// What a container holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContentsPage {
    /// In the order in which they were first seen.
    pub items: Vec<HeldOut>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// A unit in a container.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldOut {
    /// Its key.
    pub unit: String,
    /// Its number in this list.
    #[serde(skip)]
    pub id: i64,
    /// Its batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<Uuid>,
    /// It is judged by itself: something about it differs from what it is packed with.
    pub exceptional: bool,
    /// How many findings about it are open.
    pub open_findings: u64,
}
