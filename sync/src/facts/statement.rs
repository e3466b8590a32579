//! What the server states: every effect of a decision or of waiting time enters the log as an
//! entry, so the fold knows no time-out.

use crate::{
    ids::{
        BatchId, DeviceId, EnterpriseId, Epoch, EventId, GroupId, Gseq, LocationId, Micros,
        RecallId,
    },
    order::Order,
    unit::UnitKey,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Where a statement stands: its position, and the one instant that is its lo, est, eff and hi.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatedAt {
    /// The instant it was committed under.
    pub at: Micros,
    /// Its position in the log.
    pub gseq: Gseq,
}

impl StatedAt {
    /// Its place in the total order.
    pub const fn order(self) -> Order {
        Order {
            eff: self.at,
            device: DeviceId::SERVER,
            epoch: 0,
            seq: self.gseq as u64,
            event: EventId(Uuid::nil()),
        }
    }
}

/// What a recall covers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecallScope {
    /// Whole batches.
    pub batches: BTreeSet<BatchId>,
    /// Single units.
    pub units: BTreeSet<UnitKey>,
}

/// A recall over time. A widening adds a further span with the same id and the widened scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecallSpan {
    /// Which recall.
    pub recall: RecallId,
    /// Since when it covers this scope: opened or widened.
    pub from: StatedAt,
    /// Until when.
    pub closed: Option<StatedAt>,
    /// Closed as mistaken: nothing it said holds, at any time.
    pub mistaken: bool,
    /// What it covers.
    pub scope: RecallScope,
    /// Where recalled goods may be sent; empty: to the issuer's own places only.
    pub destinations: BTreeSet<LocationId>,
}

/// What an issuer accepts (`holder_accepted`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scope", content = "id", rename_all = "snake_case")]
pub enum AcceptScope {
    /// One unit.
    Unit(UnitKey),
    /// The units of a batch.
    Batch(BatchId),
    /// All units of this issuer.
    Partner(EnterpriseId),
}

/// An issuer takes a partner's word, on what it covers, from a log position on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// When it was stated.
    pub at: StatedAt,
    /// By whom.
    pub issuer: EnterpriseId,
    /// Whose word.
    pub partner: EnterpriseId,
    /// On what.
    pub scope: AcceptScope,
    /// Of their events, those from this log position on.
    pub from: Gseq,
}

/// Windows and thresholds in force from an entry on (`policy_changed`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The same scan again within this time says nothing new (`DOUBLE_SCAN`).
    pub duplicate_window_us: Micros,
    /// A recall list older than this at a sale is the store's fault (`STALE_LIST`).
    pub list_age_us: Micros,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            duplicate_window_us: 10 * 60 * 1_000_000,
            list_age_us: 24 * 60 * 60 * 1_000_000,
        }
    }
}

/// A shift ended: retracting its events needs a supervisor without a remark no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftClosed {
    /// When it was stated.
    pub at: StatedAt,
    /// Of which device.
    pub device: DeviceId,
}

/// A statement of the server that some fold reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Statement {
    /// A recall began.
    RecallOpened {
        /// Which.
        recall: RecallId,
        /// What it covers.
        scope: RecallScope,
        /// Where the goods are to go.
        destinations: BTreeSet<LocationId>,
    },
    /// A recall covers more.
    RecallWidened {
        /// Which.
        recall: RecallId,
        /// What it covers besides.
        scope: RecallScope,
    },
    /// A recall ended.
    RecallClosed {
        /// Which.
        recall: RecallId,
        /// It should never have been opened.
        mistaken: bool,
    },
    /// The issuer takes a stranger's events as said.
    HolderAccepted {
        /// Who accepts.
        issuer: EnterpriseId,
        /// Whose events.
        partner: EnterpriseId,
        /// On what.
        scope: AcceptScope,
        /// From which log position on the partner's events count.
        from: Gseq,
    },
    /// Quarantined events were taken in (T3, T6, T7).
    Admitted {
        /// Which.
        events: Vec<EventId>,
        /// Under which rule they had been kept out.
        rule: String,
        /// Who decided.
        by: String,
    },
    /// An incomplete group was taken in as single events (T8).
    GroupReleased {
        /// Which.
        group: GroupId,
    },
    /// A gap is waited for no longer (T4).
    GapForced {
        /// Whose.
        device: DeviceId,
        /// In which life of it.
        epoch: Epoch,
        /// The contiguous sequence number from now on.
        contiguous: u64,
    },
    /// Windows and thresholds from now on.
    PolicyChanged {
        /// The new ones.
        policy: Policy,
    },
    /// A shift ended.
    ShiftClosed {
        /// On which device.
        device: DeviceId,
    },
    /// A period is closed up to here; what changes it afterwards is listed as a restatement (T10).
    PeriodClosed {
        /// Up to which log position.
        through: Gseq,
    },
}
