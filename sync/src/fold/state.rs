//! The state of a unit, and what a fold returns.

use crate::{
    event::Disposition,
    facts::Fact,
    finding::Finding,
    ids::{BatchId, EnterpriseId, EventId, Gseq, LocationId, RecallId},
    order::Order,
    unit::{Level, UnitKey},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a unit is in its life. A unit is in exactly one phase (I13).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing is known of it.
    #[default]
    Unknown,
    /// Its code was put on goods of a batch.
    Commissioned,
    /// In stock at a place.
    InStock,
    /// On its way.
    InTransit,
    /// Sold to a consumer.
    Sold,
    /// Brought back, not sellable before an inspection.
    Returned,
    /// Fetched back under a recall.
    Collected,
    /// Destroyed; nothing follows.
    Destroyed,
}

/// Where a unit is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Not known.
    #[default]
    Nowhere,
    /// At a place; for sold goods the store that sold them.
    At(LocationId),
    /// On the way.
    Between {
        /// From here.
        from: LocationId,
        /// To this place, if it was named.
        to: Option<LocationId>,
        /// To this enterprise, if it was named.
        to_enterprise: Option<EnterpriseId>,
    },
}

/// The state of a unit at one place in the order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitState {
    /// What it is.
    pub phase: Phase,
    /// Where it is.
    pub place: Place,
    /// The batch it belongs to.
    pub batch: Option<BatchId>,
    /// Its level.
    pub level: Option<Level>,
    /// The container it is in.
    pub inside: Option<UnitKey>,
    /// It is in there by the word of somebody whose word did not count for the container (C12).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uninvited: bool,
    /// Kept back or to be destroyed, after an inspection.
    pub disposition: Option<Disposition>,
    /// It was collected, and no inspection has found it sellable since: whatever else happens to it,
    /// nobody should use it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// Suspected to exist twice.
    pub suspected_copy: bool,
    /// Recalls that cover it now.
    pub recalls: BTreeSet<RecallId>,
    /// Who holds it.
    pub holder: Option<EnterpriseId>,
    /// Who is linked to it: whose events count (section 5).
    pub linked: BTreeSet<EnterpriseId>,
    /// Its issuer.
    pub issuer: Option<EnterpriseId>,
    /// Where strangers say it is, who read its code themselves, until a leg links them or their word
    /// counts: shows in their own stock only ([`claimed`](super::claimed)).
    pub claims: BTreeMap<EnterpriseId, Place>,
    /// The last thing that happened to it.
    pub last: Option<Order>,
}

/// One step of a fold: the state after a fact. The children of a container read these.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where it stands.
    pub order: Order,
    /// The event.
    pub event: EventId,
    /// What was stated: a container's children are judged by it.
    pub fact: Fact,
    /// The state after it.
    pub after: UnitState,
    /// It was struck out by a retract, or it is the new event of a correction that does not count.
    pub struck: bool,
    /// How it was struck.
    pub(super) taken_back: TakenBack,
    /// It says what the unit is, or where it is, from then on. A step that did not take effect (the
    /// same scan again, a second sale, anything after the end) moves nothing inside either.
    pub took: bool,
    /// It was stated by an enterprise whose word does not count for this unit (C14).
    pub stranger: bool,
    /// It came by the container, not by the unit itself.
    pub via: Option<UnitKey>,
    /// The container that was named, then.
    pub(super) named: Option<UnitKey>,
}

/// How a fact was struck: where it is a leg that the other side had answered before, it links that all the same
/// (C14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TakenBack {
    /// The position of the first retract that struck it.
    pub(super) since: Option<Gseq>,
    /// It is such a leg.
    pub(super) answered: bool,
}

/// A stay in a container: from the pack that opened it to what closed it (C12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// In which container.
    pub container: UnitKey,
    /// The place of the pack in the order.
    pub from: Order,
    /// The place of what took it out; open while it is inside.
    pub until: Option<Order>,
    /// The pack was stated by somebody whose word did not count for the container.
    pub uninvited: bool,
}

/// What a fold returns: never an error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folded {
    /// What became of the unit.
    pub state: UnitState,
    /// Open findings, sorted.
    pub findings: Vec<Finding>,
    /// Findings that hold for the unit too and are reported at its container (C13), sorted.
    pub shared: Vec<Finding>,
    /// Its stays in containers, in order.
    pub stays: Vec<Stay>,
    /// The unit's timeline; empty if it was not asked for.
    pub steps: Vec<Step>,
}
