//! Stock as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Stock of which places.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct StockQuery {
    /// Whose; a regulator has to say.
    pub enterprise_id: Option<Uuid>,
    /// Only of this place.
    pub location_id: Option<Uuid>,
    /// Only of this batch.
    pub batch_id: Option<Uuid>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// How many places, 1 to 500 (default 100). A page has at most 5 000 lines as well.
    pub limit: Option<u64>,
}

/// Stock of places.
#[derive(Debug, Serialize, ToSchema)]
pub struct StockPage {
    /// The log position this is as of.
    pub position: i64,
    /// Places of the caller, in the order in which they were made; those without units, too. Where a page
    /// ends in the middle of a place, the next one begins with this place and the rest of its lines.
    pub items: Vec<PlaceStock>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Stock of a place.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceStock {
    /// Which.
    pub location_id: Uuid,
    /// By product and batch, in the order of `kind` and `batch_id`.
    pub lines: Vec<Line>,
}

/// Units of a batch at a place.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Line {
    /// What their codes begin with: `/01/` and the GTIN, `/00/` for logistic units, or the beginning
    /// of an own scheme. A case has another GTIN than what is in it, and both are counted.
    pub kind: String,
    /// Their batch; absent where it is not known, and of what is only claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<Uuid>,
    /// In stock there, made or packed there and not gone.
    pub on_hand: u64,
    /// Brought back, not sellable before an inspection.
    pub returned: u64,
    /// Fetched back under a recall.
    pub collected: u64,
    /// On their way there, whatever they are, and not in yet. Not in the other figures.
    pub arriving: u64,
    /// What the caller itself last stated to be there and whose word did not count (`UNEXPECTED_HOLDER`):
    /// of units that are not linked to it and whose issuer did not accept it, or at a place that is
    /// another enterprise's. In no other figure and told to nobody else; in lines without a batch, and 0
    /// where a batch is asked for. A container counts as one, whatever is in it. When a leg links the
    /// caller or the issuer accepts it, what is there is stock, at places of its own.
    pub claimed: u64,
}

/// Which goods near the end of their shelf life.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ExpiringQuery {
    /// Whose; a regulator has to say.
    pub enterprise_id: Option<Uuid>,
    /// Only of this place.
    pub location_id: Option<Uuid>,
    /// How many days before they expire goods are warned of: 0, only what expired, to 3 650 (default 90).
    #[param(minimum = 0, maximum = 3650)]
    pub within_days: Option<u32>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// How many places are gone through, 1 to 500 (default 100), and at most 5 000 lines of what is there.
    pub limit: Option<u64>,
}

/// Goods past or near the end of their shelf life (保质期预警).
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpiringPage {
    /// The log position this is as of.
    pub position: i64,
    /// Units first, place by place; then goods without codes. Each line once. A page may have none though
    /// more follow.
    pub items: Vec<ExpiringLine>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Goods of a batch at a place that expire soon, or have expired.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExpiringLine {
    /// Where.
    pub location_id: Uuid,
    /// Of units: what their codes begin with, as in `GET /v1/stock`. A case and what is in it are two lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Of goods without codes: their GTIN-14 or own product code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    /// Their batch.
    pub batch_id: Uuid,
    /// Its lot.
    pub lot: String,
    /// The last day they are good, in Asia/Shanghai.
    pub expiry_date: String,
    /// That day is over.
    pub expired: bool,
    /// In stock there; of goods without codes the balance.
    pub on_hand: u64,
    /// Brought back, not sellable before an inspection. Not in `on_hand`.
    pub returned: u64,
}

/// Which lines of goods without codes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct LotQuery {
    /// Whose; a regulator has to say.
    pub enterprise_id: Option<Uuid>,
    /// Only of this place.
    pub location_id: Option<Uuid>,
    /// Only of this GTIN, of 8 to 14 digits, or own product code.
    pub gtin: Option<String>,
    /// Only with this lot.
    pub lot: Option<String>,
    /// Only below zero, where something must be missing from the log.
    #[serde(default)]
    pub negative: bool,
    /// As it was known when the log ended at this position, e.g. `position` of an answer: that never
    /// changes, whatever came late since. Known is what had been worked in by then; what an act left for later
    /// (`settled` of a closed period says whether anything was) counts from when it was worked in.
    #[param(minimum = 1)]
    pub at: Option<i64>,
    /// `next` of the page before.
    #[param(minimum = 0)]
    pub after: Option<i64>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// Balances of goods without codes of their own.
#[derive(Debug, Serialize, ToSchema)]
pub struct LotPage {
    /// The log position this is as of.
    pub position: i64,
    /// In the order in which they were first moved. Not what only others named at the caller's places: that
    /// is `UNEXPECTED_HOLDER` of theirs.
    pub items: Vec<LotBalance>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// The balance of a line (结存): goods of one lot at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LotBalance {
    /// Number of the line.
    pub id: i64,
    /// What events call the product: its GTIN-14, its own code (`ENTERPRISE.CODE`, or the code alone), or
    /// any text a device said.
    pub gtin: String,
    /// Lot; absent where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// Where.
    pub location_id: Uuid,
    /// How many there should be, in base units, those in containers that stand there too. Below zero,
    /// something is missing from the log; it is never rewritten (`NEG_BALANCE` among the findings).
    pub balance: i64,
    /// How many lie apart loose, fetched back under a recall: they are in no balance. Shipping and destroying ends
    /// it, an inspection that finds them sellable, a count that is accepted, and a container they are put into, which
    /// answers for them.
    pub apart: i64,
    /// How many findings about it are open.
    pub open_findings: u64,
    /// The log position it last changed at.
    pub changed: i64,
}

/// Which page of movements.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct MoveQuery {
    /// Whose; a regulator has to say.
    pub enterprise_id: Option<Uuid>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// What moved a line.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovePage {
    /// In the order of the log.
    pub items: Vec<MoveOut>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A movement.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoveOut {
    /// The event's log position.
    pub position: i64,
    /// Which of what one event says of the line.
    #[serde(skip)]
    pub n: i64,
    /// The event: `GET /v1/events/{event}` tells what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Uuid>,
    /// With which device; absent for another enterprise's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Uuid>,
    /// What happened.
    pub kind: String,
    /// Who stated it.
    pub enterprise_id: Uuid,
    /// When, in the order of things, UTC.
    pub at: String,
    /// It was brought by another device or in a file (`POST /v1/sync/deposit`).
    pub imported: bool,
    /// By how much (`is`: `in`, `out` with `qty`; `away`, shipped or destroyed, of what lies apart first;
    /// `collected`, fetched back; `released`, found sellable, of what lies apart and no more than that; `carried`,
    /// with a container, `by` so many, of which `inside` more lie in containers there now, and, if any, `through`,
    /// that came and went at once, `apart`, that lie in containers that were fetched back, and `away`, `collected`
    /// and `released` besides; `counted` with `there`, what lay loose; `found` with `code`). A count that is
    /// `accepted` sets what lies loose to `there`; any other changes nothing and is a finding.
    #[schema(value_type = Object)]
    pub change: serde_json::Value,
}
