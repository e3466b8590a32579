//! The master data a fold needs: a plain value put together by whoever calls it.

use super::{Accepted, Batches, ByWhose, Fact, Policy, RecallSpan, Shared, ShiftClosed, StatedAt};
use crate::{
    event::required::Profile,
    ids::{BatchId, DeviceId, EnterpriseId, Gseq, LocationId, Micros},
    order::Order,
    unit::{Level, UnitKey},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Everything known of products, batches, units, places and decisions, as far as the fold at hand
/// needs it. What is missing here is unknown (`UNKNOWN_REF`), never an error. What is the same for all
/// folds is shared between clones, so that a world is cloned for what its units cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    /// Units on record.
    pub units: BTreeMap<UnitKey, UnitInfo>,
    /// Batches on record.
    pub batches: Shared<Batches>,
    /// Places on record.
    pub places: Shared<BTreeMap<LocationId, PlaceInfo>>,
    /// Enterprises on record.
    pub enterprises: Shared<BTreeSet<EnterpriseId>>,
    /// What codes name products by, and who issues under it: GTINs, and `ENTERPRISE.CODE` of products
    /// without one. It is one enterprise's, whoever says it.
    pub products: Shared<BTreeMap<String, EnterpriseId>>,
    /// What batches call the product that codes name so, where that is another: the GTIN of an item, of one
    /// that stands on cases; the product code, of `ENTERPRISE.CODE`.
    pub product_of: Shared<BTreeMap<String, String>>,
    /// The products of each enterprise, as its batches call them, and the profile of the standard each
    /// falls under (C15). Two enterprises may use one product code.
    pub own_products: Shared<BTreeMap<EnterpriseId, BTreeMap<String, Option<Profile>>>>,
    /// Who may act for an enterprise, of those that put anybody on record (C15). An enterprise that is missing
    /// here names its people as it likes.
    pub actors: Shared<BTreeMap<EnterpriseId, Shared<Actors>>>,
    /// Recalls, in the order of their spans' beginnings.
    pub recalls: Vec<RecallSpan>,
    /// What issuers accepted.
    pub accepted: Shared<ByWhose<Accepted>>,
    /// Up to which log position that is known; all of it, if there is none.
    pub known_to: Option<Gseq>,
    /// Policies with the instant they came into force, ascending; before the first, the default.
    pub policies: Shared<Vec<(StatedAt, Policy)>>,
    /// Ends of shifts.
    pub shifts: Shared<ByWhose<ShiftClosed>>,
    /// Devices and the enterprise of each.
    pub devices: Shared<BTreeMap<DeviceId, EnterpriseId>>,
    /// What containers hold, batch by batch, so that expiry and batch recalls are judged once per
    /// container and batch (C13). A container that is missing here has its contents judged unit
    /// by unit.
    pub contents: BTreeMap<UnitKey, Vec<Content>>,
    /// Until when log positions were the newest, for positions that recall lists were made at or
    /// that were delivered (C9): the instant of what followed.
    pub instants: BTreeMap<Gseq, Micros>,
}

/// Units of one batch in a container, over the time they are in it: directly, or in a container
/// within. `fold::contents` makes these from the stays of the units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content {
    /// The batch.
    pub batch: BatchId,
    /// Packed here in the order.
    pub from: Order,
    /// Taken out here; open while they are inside.
    pub until: Option<Order>,
}

impl Content {
    /// Is it inside at this place in the order?
    pub fn holds_at(&self, at: Order) -> bool {
        self.from < at && self.until.is_none_or(|until| at < until)
    }
}

/// What is on record of a unit before anything happened to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitInfo {
    /// Who issued its code; `None` for a foreign code.
    pub issuer: Option<EnterpriseId>,
    /// The issuer's product its code was allocated for, as batches call it; none for a logistic unit.
    pub product: Option<Arc<str>>,
    /// The level its code was allocated or commissioned at; a foreign code has none until packed.
    pub level: Option<Level>,
    /// The batch the server commissioned it to.
    pub commissioned: Option<Commissioned>,
    /// Since when its code is void.
    pub voided: Option<StatedAt>,
}

/// A commissioning by the server (`codes_commissioned`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commissioned {
    /// To which batch.
    pub batch: BatchId,
    /// When.
    pub at: StatedAt,
}

/// What is on record of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchInfo {
    /// Whose it is.
    pub issuer: EnterpriseId,
    /// GTIN-14 or own product code its units carry.
    pub product: String,
    /// Its lot.
    pub lot: String,
    /// The first instant at which its goods are expired: 00:00 Asia/Shanghai after the printed day.
    pub expires_at: Option<Micros>,
    /// Where it was made: units commissioned to it may leave from there without an inbound.
    pub plant: Option<LocationId>,
}

/// Whom an enterprise has on record as acting for it: pseudonyms, never names. Whoever was on record once stays,
/// so that what they did in their time is theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actors {
    /// Since when it keeps such a record of its places, by place and, under none, of all of them: what may have
    /// happened before, or elsewhere, names nobody who would have to be on it.
    pub since: BTreeMap<Option<LocationId>, Micros>,
    /// Their ids, as events say them, wherever they work.
    pub ids: BTreeSet<Arc<str>>,
}

impl Actors {
    /// Puts one more on record, who works at a place or, without one, at all, since an instant.
    pub fn put(&mut self, id: Arc<str>, place: Option<LocationId>, since: Micros) {
        let first = self.since.entry(place).or_insert(since);
        *first = since.min(*first);
        self.ids.insert(id);
    }
}

/// What is on record of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceInfo {
    /// Whose it is.
    pub enterprise: EnterpriseId,
    /// A plant: goods begin here.
    pub plant: bool,
}

impl World {
    /// What an issuer accepted, as far as it is known. What others accepted is not gone through.
    pub fn accepted_by(&self, issuer: EnterpriseId) -> impl Iterator<Item = &Accepted> {
        let all = self.accepted.of(&issuer).iter();
        all.filter(|accepted| self.known_to.is_none_or(|to| accepted.at.gseq <= to))
    }

    /// Was an event stated at a place that is on record as another enterprise's? What is there is not its
    /// stater's to say: it counts for no unit and no line (C14). A place that is on no record is anybody's.
    pub fn is_at_anothers(&self, fact: &Fact) -> bool {
        let place = self.places.get(&fact.event.location);
        place.is_some_and(|place| place.enterprise != fact.enterprise)
    }

    /// The policy in force at a place of the order.
    pub fn policy_at(&self, at: Micros) -> Policy {
        self.policies
            .iter()
            .rev()
            .find(|(from, _)| from.at <= at)
            .map_or_else(Policy::default, |(_, policy)| *policy)
    }
}
