//! Units: what is kept of each, and folding them when facts come in.
//!
//! A unit has a row once something happened to it. [`folding::Folding`] reads, in sets, the units that
//! facts are about, their containers, and the exceptional things in them; folds from the top down;
//! and writes what changed: state, findings that opened or closed, what containers hold, what the
//! public side may see. It works inside somebody's act and decides nothing itself: the rules are
//! in `suyuan_sync::fold`. [`read::Reading`] folds for whoever looks, on a snapshot.

pub mod ahead;
mod corrected;
pub mod facts;
pub mod folding;
pub mod read;
pub mod refold;
mod remembered;
pub mod store;

pub use corrected::take_places;

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use suyuan_sync::{
    facts::Content,
    finding::Finding,
    fold::{Phase, Place, Stay, UnitState},
    ids::{BatchId, LocationId},
    order::Order,
    unit::UnitKey,
};

/// What is kept of a unit, beside the columns of its row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Its state; of a thing inside a container that is not exceptional, as it was packed.
    pub state: UnitState,
    /// Open findings, each with its row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<KeptFinding>,
    /// Its open findings are not here, since they are many: they are the rows that are open.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// Stays in containers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stays: Vec<KeptStay>,
    /// Of a container: batches whose goods are judged by themselves, since it was returned or
    /// inspected while a recall covered the one and not the other (C13).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub apart: BTreeSet<BatchId>,
    /// Of a container: the batches of what is in it now, its own apart.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub holds: BTreeSet<BatchId>,
}

/// The batches of these contents that are inside now, but for the container's own.
pub fn held(contents: Option<&Vec<Content>>, own: Option<BatchId>) -> BTreeSet<BatchId> {
    let inside = contents.into_iter().flatten();
    let inside = inside.filter(|content| content.until.is_none());
    let batches = inside.map(|content| content.batch);
    batches.filter(|batch| Some(*batch) != own).collect()
}

/// An open finding and its row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptFinding {
    /// Of `finding`.
    pub id: i64,
    /// What was found.
    pub finding: Finding,
}

/// A stay in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptStay {
    /// In which.
    pub container: UnitKey,
    /// Since where in the order.
    pub from: Order,
    /// Until where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Order>,
    /// By the word of somebody whose word did not count for the container.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uninvited: bool,
}

impl From<&Stay> for KeptStay {
    fn from(stay: &Stay) -> KeptStay {
        KeptStay {
            container: stay.container.clone(),
            from: stay.from,
            until: stay.until,
            uninvited: stay.uninvited,
        }
    }
}

/// More open findings than these are not kept with their unit a second time.
pub const FINDINGS_KEPT: usize = 500;

impl Kept {
    /// Puts in the open findings that are kept elsewhere, with their rows.
    pub fn found_elsewhere(&mut self, found: Vec<(i64, Finding)>) {
        let kept = found
            .into_iter()
            .map(|(id, finding)| KeptFinding { id, finding });
        self.findings = kept.collect();
        self.elsewhere = false;
    }

    /// The same without its findings.
    #[must_use]
    pub fn without_findings(&self) -> Kept {
        Kept {
            state: self.state.clone(),
            findings: Vec::new(),
            elsewhere: true,
            stays: self.stays.clone(),
            apart: self.apart.clone(),
            holds: self.holds.clone(),
        }
    }

    /// Is all the same but for findings?
    pub fn says_the_same(&self, other: &Kept) -> bool {
        self.state == other.state
            && self.stays == other.stays
            && self.apart == other.apart
            && self.holds == other.holds
    }

    /// Are these its stays?
    pub fn has_stays(&self, stays: &[Stay]) -> bool {
        let stays = stays.iter().map(KeptStay::from);
        stays.eq(self.stays.iter().cloned())
    }

    /// The open findings.
    pub fn open(&self) -> Vec<Finding> {
        self.findings
            .iter()
            .map(|kept| kept.finding.clone())
            .collect()
    }
}

/// The name of a phase in rows.
pub const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Unknown => "unknown",
        Phase::Commissioned => "commissioned",
        Phase::InStock => "in_stock",
        Phase::InTransit => "in_transit",
        Phase::Sold => "sold",
        Phase::Returned => "returned",
        Phase::Collected => "collected",
        Phase::Destroyed => "destroyed",
    }
}

/// The phase of that name.
pub fn phase_of_name(name: &str) -> Option<Phase> {
    [
        Phase::Unknown,
        Phase::Commissioned,
        Phase::InStock,
        Phase::InTransit,
        Phase::Sold,
        Phase::Returned,
        Phase::Collected,
        Phase::Destroyed,
    ]
    .into_iter()
    .find(|phase| phase_name(*phase) == name)
}

/// The place a row is found under: where it is, or where it is going.
pub const fn place_of(place: Place) -> Option<LocationId> {
    match place {
        Place::Nowhere => None,
        Place::At(location) => Some(location),
        Place::Between { to, .. } => to,
    }
}
