//! By how much an event changes a line.

use super::judged::batch_of;
use crate::{
    event::{Disposition, Event, Kind},
    facts::{Fact, RecallSpan, World},
    finding::{FindingCode, LotKey},
    fold::{covering, is_active},
    order::Order,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::AddAssign};

/// A change of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Change {
    /// So many came: commissioned, received, brought back.
    In {
        /// Base units.
        qty: u64,
    },
    /// So many went: sold.
    Out {
        /// Base units.
        qty: u64,
    },
    /// So many went: shipped, destroyed. What was fetched back and lies apart goes first.
    Away {
        /// Base units.
        qty: u64,
    },
    /// So many were fetched back under a recall (召回回收) and lie apart.
    Collected {
        /// Base units.
        qty: u64,
    },
    /// So many were found sellable by an inspection (检验处置): of what was fetched back and lies apart, as many are
    /// in stock again. None where a recall covers them.
    Released {
        /// Base units.
        qty: u64,
    },
    /// A container that holds some was packed, moved or taken apart; or several things at once.
    Carried(Moves),
    /// A count saw so many lie loose.
    Counted {
        /// Base units.
        there: u64,
        /// A supervisor accepted the difference: what is there is what was seen and what lies in
        /// containers.
        accepted: bool,
    },
    /// Nothing changes, but something is wrong.
    Found {
        /// What.
        code: FindingCode,
    },
}

/// What one event moves of a line. In base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves {
    /// So many more are in stock; below zero, fewer.
    pub by: i64,
    /// So many more of these lie in containers here; below zero, fewer.
    pub inside: i64,
    /// So many came unsaid, in containers that were not here, and went at once.
    #[serde(default, skip_serializing_if = "is_none")]
    pub through: i64,
    /// So many more lie here in containers that were fetched back; below zero, fewer. They are in no stock,
    /// and the container answers for them.
    #[serde(default, skip_serializing_if = "is_none")]
    pub apart: i64,
    /// So many of what lies loose were shipped or destroyed: what lies apart goes first.
    #[serde(default, skip_serializing_if = "is_none")]
    pub away: i64,
    /// So many of what lies loose were fetched back.
    #[serde(default, skip_serializing_if = "is_none")]
    pub collected: i64,
    /// So many of what lies apart loose, if as many lie there, lie apart no more: they were found sellable, or
    /// put into a container, which answers for them now.
    #[serde(default, skip_serializing_if = "is_none")]
    pub released: i64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "what serde asks hands over a reference"
)]
const fn is_none(qty: &i64) -> bool {
    *qty == 0
}

impl Moves {
    /// Nothing moves.
    pub fn is_nothing(self) -> bool {
        self == Moves::default()
    }

    /// May what is in stock, or lies apart loose, be another by it?
    pub const fn moves_loose(self) -> bool {
        self.comes_or_goes() || self.released != 0
    }

    /// Do goods come or go, or are some fetched back? What is released was there before.
    pub(super) const fn comes_or_goes(self) -> bool {
        self.by != 0 || self.away != 0 || self.collected != 0
    }

    /// Does more happen than that goods were put into containers that stand where they lay?
    const fn is_more_than_packed(self) -> bool {
        self.comes_or_goes() || self.through != 0 || self.apart != 0
    }

    /// Did goods go by it, or were they fetched back?
    pub(super) const fn takes_away(self) -> bool {
        self.by < 0 || self.through > 0 || self.apart != 0 || self.away > 0 || self.collected > 0
    }
}

impl AddAssign for Moves {
    fn add_assign(&mut self, other: Moves) {
        let add = |sum: &mut i64, part: i64| *sum = sum.saturating_add(part);
        add(&mut self.by, other.by);
        add(&mut self.inside, other.inside);
        add(&mut self.through, other.through);
        add(&mut self.apart, other.apart);
        add(&mut self.away, other.away);
        add(&mut self.collected, other.collected);
        add(&mut self.released, other.released);
    }
}

impl Change {
    /// Does it make a line known, so that complete counts miss it? Counting does not, nor packing
    /// what nobody stated to be there.
    pub const fn makes_known(self) -> bool {
        match self {
            Change::In { .. }
            | Change::Out { .. }
            | Change::Away { .. }
            | Change::Collected { .. }
            | Change::Released { .. }
            | Change::Found { .. } => true,
            Change::Carried(moves) => moves.is_more_than_packed(),
            Change::Counted { .. } => false,
        }
    }

    /// May a balance be another by it? Not by what a count saw and nobody accepted.
    pub const fn may_change_balance(self) -> bool {
        match self {
            Change::In { .. }
            | Change::Out { .. }
            | Change::Away { .. }
            | Change::Collected { .. }
            | Change::Released { .. } => true,
            Change::Carried(moves) => moves.moves_loose(),
            Change::Counted { accepted, .. } => accepted,
            Change::Found { .. } => false,
        }
    }

    /// Is it a count that saw none?
    pub const fn saw_none(self) -> bool {
        matches!(self, Change::Counted { there: 0, .. })
    }

    /// What it moves; nothing where that is not a sum.
    pub fn moves(self) -> Option<Moves> {
        let mut moves = Moves::default();
        match self {
            Change::In { qty } => moves.by = signed(qty),
            Change::Out { qty } => moves.by = -signed(qty),
            Change::Away { qty } => moves.away = signed(qty),
            Change::Collected { qty } => moves.collected = signed(qty),
            Change::Released { qty } => moves.released = signed(qty),
            Change::Carried(carried) => moves = carried,
            Change::Counted { .. } | Change::Found { .. } => return None,
        }
        Some(moves)
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

/// What an event says of the lines it names, each line once. Packing leaves goods where they are; so does
/// inspecting, but for what lies apart and is found sellable ([`releases()`]): it is in stock again, unless a
/// recall covers it then (C6).
///
/// The goods at a place are those of the enterprise whose place it is: what anybody else states
/// there is `UNEXPECTED_HOLDER` and changes nothing.
pub fn changes(fact: &Fact, world: &World) -> Vec<(LotKey, Change)> {
    let event = &fact.event;
    let sign = sign(event.kind);
    if sign == Sign::None && !releases(event) {
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
                Sign::Out => gone(event.kind, qty),
                Sign::None if is_recalled(fact, &key, world) => Change::Released { qty: 0 },
                Sign::None => Change::Released { qty },
                Sign::Count => Change::Counted {
                    there: qty,
                    accepted: accepted(event),
                },
            };
            (key, change)
        })
        .collect()
}

/// Does an event find goods sellable? What that does to goods of a lot goes by the recalls on record.
pub fn releases(event: &Event) -> bool {
    event.kind == Kind::Inspect && event.disposition == Some(Disposition::Sellable)
}

/// Does a recall cover goods of a line at the place of an event in the order?
fn is_recalled(fact: &Fact, key: &LotKey, world: &World) -> bool {
    let batch = batch_of(key, fact.enterprise, world);
    let spans = batch.map(|batch| covering(world, None, Some(batch)));
    keeps_back(&spans.unwrap_or_default(), fact.order)
}

/// Is one of these recalls in force at a place in the order? Then nothing that they cover is released (C6).
pub(super) fn keeps_back(spans: &[&RecallSpan], order: Order) -> bool {
    spans.iter().any(|span| is_active(span, order))
}

/// How goods go by an event of this kind.
const fn gone(kind: Kind, qty: u64) -> Change {
    match kind {
        Kind::Collect => Change::Collected { qty },
        Kind::Outbound | Kind::Destroy => Change::Away { qty },
        _ => Change::Out { qty },
    }
}

/// The lines an event names, with their quantities added up. What is named lies loose, beside what is in the
/// containers that are named.
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
