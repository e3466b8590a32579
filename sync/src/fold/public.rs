//! What a consumer is told of a unit besides legality, recalls and expiry.
//!
//! Only what the unit's state says: a stranger's word never reached it (C14), so it changes nothing
//! here either. Of a code whose maker is on no record the state is the word of whoever named it first:
//! good enough for that one's own stock, and not to warn everybody else's customers by.

use super::{Phase, UnitState};
use serde::{Deserialize, Serialize};

/// How a unit ended, as far as a consumer should not use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Fetched back under a recall.
    Collected,
    /// Destroyed.
    Destroyed,
}

/// The public consequence of a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicStatus {
    /// It was collected or destroyed.
    pub ended: Option<Ended>,
    /// The code seems to stand on two things.
    pub suspected_copy: bool,
}

/// What of a unit's state concerns consumers; `None` if nothing does.
///
/// Collected goods are told as collected, wherever they turn up and whatever is scanned of them (a sale,
/// an inbound, a return), until an inspection finds them sellable: nobody should use them.
///
/// Of a unit without an issuer nothing is told (C14): consumers hear that its maker is not known.
pub fn public_status(state: &UnitState) -> Option<PublicStatus> {
    state.issuer?;
    let ended = match state.phase {
        Phase::Destroyed => Some(Ended::Destroyed),
        Phase::Unknown
        | Phase::Commissioned
        | Phase::InStock
        | Phase::InTransit
        | Phase::Sold
        | Phase::Returned
        | Phase::Collected => state.withdrawn.then_some(Ended::Collected),
    };
    let status = PublicStatus {
        ended,
        suspected_copy: state.suspected_copy,
    };
    (status != PublicStatus::default()).then_some(status)
}
