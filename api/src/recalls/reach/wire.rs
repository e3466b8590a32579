//! The reach of a recall as JSON.

use serde::Serialize;
use suyuan_sync::lots::Tally;
use utoipa::ToSchema;
use uuid::Uuid;

/// How many units.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Amount {
    /// Units of every level: an item, a case and a pallet are one each.
    pub units: u64,
    /// Smallest saleable units among them.
    pub items: u64,
}

/// Where the units of a recall are now. `total` is the sum of `located`, `in_transit`, `sold`,
/// `collected`, `destroyed` and `unaccounted`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReachOut {
    /// The recall.
    pub recall: Uuid,
    /// The log position this is as of.
    pub position: i64,
    /// All units it covers that were commissioned, or that something happened to.
    pub total: Amount,
    /// At a place.
    pub located: Amount,
    /// On their way.
    pub in_transit: Amount,
    /// Sold: whoever has them is to be told.
    pub sold: Amount,
    /// Fetched back.
    pub collected: Amount,
    /// Destroyed.
    pub destroyed: Amount,
    /// Commissioned and never seen since: at the plant still, or lost from sight.
    pub unaccounted: Amount,
    /// Codes it names that were never given to goods. Not in `total`.
    pub not_commissioned: u64,
    /// Where, most first.
    pub places: Vec<PlaceAmount>,
    /// From where to where, most first.
    pub legs: Vec<LegAmount>,
    /// By which stores, most first.
    pub stores: Vec<PlaceAmount>,
    /// Not accounted for, by batch, most first.
    pub missing: Vec<MissingAmount>,
    /// Sales of what it covers, by when and knowing what it was sold (C9).
    pub sales: Vec<SalesOut>,
    /// Goods of its batches without codes of their own, by line. Not in `total`, and without what is only
    /// claimed.
    pub lots: Vec<LotAmount>,
    /// What became of these goods, by lot: `made + received + returned + counted` is `on_hand - short +
    /// shipped + sold + collected + destroyed`.
    pub lot_totals: Vec<LotTotal>,
    /// How many more units it will name as soon as they are published.
    pub pending: u64,
}

/// Units at a place.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceAmount {
    /// Which; absent where a store is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_id: Option<Uuid>,
    /// How many.
    #[serde(flatten)]
    pub amount: Amount,
}

/// Units on their way.
#[derive(Debug, Serialize, ToSchema)]
pub struct LegAmount {
    /// From here.
    pub from: Uuid,
    /// To this place, if it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Uuid>,
    /// To this enterprise, if it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_enterprise: Option<Uuid>,
    /// How many.
    #[serde(flatten)]
    pub amount: Amount,
}

/// Units not accounted for.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissingAmount {
    /// Their batch; absent for codes minted elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<Uuid>,
    /// The plant they were made at, if it is on record: they may be there still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plant_id: Option<Uuid>,
    /// How many.
    #[serde(flatten)]
    pub amount: Amount,
}

/// Sales of recalled units.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SalesOut {
    /// `before` (certainly before the recall was entered: no fault, but to be notified), `after`, or
    /// `uncertain`.
    pub when: String,
    /// What the till knew: `overridden`, `knew`, `stale_list`, or `could_not_know` (never a fault).
    pub knowledge: String,
    /// How many; the sale of a container is one for each of its batches, that of goods of a lot one for
    /// each of its lines.
    pub sales: u64,
}

/// Goods of a batch without codes of their own, at a place.
#[derive(Debug, Serialize, ToSchema)]
pub struct LotAmount {
    /// The batch.
    pub batch_id: Uuid,
    /// GTIN-14.
    pub gtin: String,
    /// Lot.
    pub lot: String,
    /// Where.
    pub location_id: Uuid,
    /// How many there should be; below zero, something is missing from the log.
    pub balance: i64,
    /// How many were fetched back and are still kept apart there: loose, or in containers that were fetched back
    /// with them. In no balance. What was put into another container then is in the balance of where that stands.
    pub apart: i64,
}

/// What became of the goods of a lot without codes of their own, in base units, at all places together.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LotTotal {
    /// The batch.
    pub batch_id: Uuid,
    /// GTIN-14.
    pub gtin: String,
    /// Lot.
    pub lot: String,
    /// Commissioned.
    pub made: i64,
    /// Received, wherever they came from.
    pub received: i64,
    /// Brought back by who bought them.
    pub returned: i64,
    /// Shipped, wherever to.
    pub shipped: i64,
    /// Sold: whoever has them is to be told.
    pub sold: i64,
    /// Fetched back. What was shipped or destroyed of it then is told as that as well; what is fetched back once
    /// more, after an inspection or in a container, is counted once more.
    pub collected: i64,
    /// Fetched back, and still kept apart: at which places, `lots` tells.
    pub apart: i64,
    /// Destroyed.
    pub destroyed: i64,
    /// More by counts that a supervisor accepted; below zero, fewer.
    pub counted: i64,
    /// Still there, at the places that have some.
    pub on_hand: i64,
    /// Gone without having come, at the places whose balance is below zero: something is missing from
    /// the log.
    pub short: i64,
    /// Shipped and not received: on their way, or lost. Below zero, more was received than was shipped, from
    /// who states nothing here.
    pub on_the_way: i64,
    /// What enterprises say is at their places, in stock or kept apart, that no leg of this lot reached and the
    /// issuer did not accept. In no other figure, and their sales are not in `sales`.
    pub claimed: i64,
}

impl LotTotal {
    /// Of a sum, and what is claimed besides.
    pub fn of(batch_id: Uuid, gtin: String, lot: String, tally: &Tally, claimed: i64) -> LotTotal {
        LotTotal {
            batch_id,
            gtin,
            lot,
            made: tally.made,
            received: tally.received,
            returned: tally.returned,
            shipped: tally.shipped,
            sold: tally.sold,
            collected: tally.collected,
            apart: tally.apart,
            destroyed: tally.destroyed,
            counted: tally.counted,
            on_hand: tally.on_hand,
            short: tally.short,
            on_the_way: tally.on_the_way(),
            claimed,
        }
    }
}
