//! By how much an event changes a line.

use crate::{
    event::{Event, Kind},
    facts::{Fact, World},
    finding::{FindingCode, LotKey},
    order::Order,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A change of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Change {
    /// So many came: commissioned, received, brought back.
    In {
        /// Base units.
        qty: u64,
    },
    /// So many went: shipped, sold, collected, destroyed.
    Out {
        /// Base units.
        qty: u64,
    },
    /// A container that holds so many was packed, moved or taken apart.
    Carried {
        /// So many came with it; below zero, they went.
        by: i64,
        /// So many more lie in containers here; below zero, fewer.
        inside: i64,
    },
    /// A count saw so many lie loose.
    Counted {
        /// Base units.
        there: u64,
        /// A supervisor accepted the difference: the balance is what was seen and what lies in
        /// containers.
        accepted: bool,
    },
    /// Nothing changes, but something is wrong.
    Found {
        /// What.
        code: FindingCode,
    },
}

impl Change {
    /// Does it make a line known, so that complete counts miss it? Counting does not, nor packing
    /// what nobody stated to be there.
    pub const fn makes_known(self) -> bool {
        match self {
            Change::In { .. } | Change::Out { .. } | Change::Found { .. } => true,
            Change::Carried { by, .. } => by != 0,
            Change::Counted { .. } => false,
        }
    }

    /// May a balance be another by it? Not by what a count saw and nobody accepted, nor by packing.
    pub const fn may_change_balance(self) -> bool {
        match self {
            Change::In { .. } | Change::Out { .. } => true,
            Change::Carried { by, .. } => by != 0,
            Change::Counted { accepted, .. } => accepted,
            Change::Found { .. } => false,
        }
    }

    /// Is it a count that saw none?
    pub const fn saw_none(self) -> bool {
        matches!(self, Change::Counted { there: 0, .. })
    }

    /// By how much the balance changes, and what lies in containers; nothing where that is not a sum.
    pub(super) fn sums(self) -> Option<(i64, i64)> {
        match self {
            Change::In { qty } => Some((signed(qty), 0)),
            Change::Out { qty } => Some((-signed(qty), 0)),
            Change::Carried { by, inside } => Some((by, inside)),
            Change::Counted { .. } | Change::Found { .. } => None,
        }
    }
}

/// A quantity that may be subtracted.
pub(super) fn signed(qty: u64) -> i64 {
    i64::try_from(qty).unwrap_or(i64::MAX)
}

/// A change at its place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// Its place, with the event.
    pub order: Order,
    /// The change.
    pub change: Change,
}

/// What an event says of the lines it names, each line once. Packing and inspecting leave goods
/// where they are.
///
/// The goods at a place are those of the enterprise whose place it is: what anybody else states
/// there is `UNEXPECTED_HOLDER` and changes nothing.
pub fn changes(fact: &Fact, world: &World) -> Vec<(LotKey, Change)> {
    let event = &fact.event;
    let sign = sign(event.kind);
    if sign == Sign::None {
        return Vec::new();
    }
    let stranger = world.is_at_anothers(fact);
    named(event)
        .into_iter()
        .map(|(key, qty)| {
            let change = match sign {
                _ if stranger => Change::Found {
                    code: FindingCode::UnexpectedHolder,
                },
                Sign::In => Change::In { qty },
                Sign::Out | Sign::None => Change::Out { qty },
                Sign::Count => Change::Counted {
                    there: qty,
                    accepted: accepted(event),
                },
            };
            (key, change)
        })
        .collect()
}

/// The lines an event names, with their quantities added up.
pub fn named(event: &Event) -> BTreeMap<LotKey, u64> {
    let mut out: BTreeMap<LotKey, u64> = BTreeMap::new();
    for line in &event.lots {
        let key = LotKey {
            gtin: line.gtin.clone(),
            lot: line.lot.clone(),
            location: event.location,
        };
        let sum = out.entry(key).or_default();
        *sum = sum.saturating_add(line.qty);
    }
    out
}

/// Did a supervisor accept the difference a count shows?
pub(super) fn accepted(event: &Event) -> bool {
    event.actor.supervisor
        && event
            .body
            .get("accepted")
            .and_then(serde_json::Value::as_bool)
            == Some(true)
}

/// Which way a kind of event moves goods.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// They come.
    In,
    /// They go.
    Out,
    /// They are counted.
    Count,
    /// They stay.
    None,
}

pub(super) const fn sign(kind: Kind) -> Sign {
    match kind {
        Kind::Commission | Kind::Inbound | Kind::Return => Sign::In,
        Kind::Outbound | Kind::Sale | Kind::Collect | Kind::Destroy => Sign::Out,
        Kind::Count => Sign::Count,
        Kind::Pack | Kind::Unpack | Kind::Inspect | Kind::Retract => Sign::None,
    }
}
