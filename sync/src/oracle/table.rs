//! C0: every pair of a phase and an act, and what it does. The conflict table of sync.md 6 as
//! data: of the rows for an act and a phase, the first whose "when" holds applies.
//!
//! A row is read: *when a unit in one of these phases meets this act, and this holds, the effect
//! is this and the finding is that.* Pack and unpack are acts of two sides, child and container.
//! "The effect is always recorded" except where the row says `Nothing`.

// The table is read as a table.
#![allow(clippy::enum_glob_use)]

use super::conditions::Condition;
pub use super::conditions::Condition as When;
use super::effects::Effect;
use crate::{
    event::Kind,
    finding::FindingCode::{self, *},
    fold::Phase::{self, *},
};

/// What happened to a unit: a kind of event, and for containment the side the unit is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Its code was put on.
    Commission,
    /// Put into a container.
    PackedInto,
    /// The container of a pack.
    PackedUp,
    /// Named by an unpack.
    TakenOut,
    /// Taken out by an unpack that names nobody.
    Emptied,
    /// The container of an unpack.
    Opened,
    /// Received.
    Inbound,
    /// Sent off.
    Outbound,
    /// Sold.
    Sale,
    /// Brought back.
    Return,
    /// Looked at.
    Inspect,
    /// Fetched back.
    Collect,
    /// Destroyed.
    Destroy,
    /// Named by a count.
    Seen,
    /// Inside a container that a pack, unpack or count observed.
    Followed,
    /// Named by a retract.
    Retract,
}

impl Act {
    /// All of them.
    pub const ALL: [Act; 16] = [
        Act::Commission,
        Act::PackedInto,
        Act::PackedUp,
        Act::TakenOut,
        Act::Emptied,
        Act::Opened,
        Act::Inbound,
        Act::Outbound,
        Act::Sale,
        Act::Return,
        Act::Inspect,
        Act::Collect,
        Act::Destroy,
        Act::Seen,
        Act::Followed,
        Act::Retract,
    ];

    /// The kind of event it belongs to.
    pub const fn kind(self) -> Kind {
        match self {
            Act::Commission => Kind::Commission,
            Act::PackedInto | Act::PackedUp => Kind::Pack,
            Act::TakenOut | Act::Emptied | Act::Opened => Kind::Unpack,
            Act::Inbound => Kind::Inbound,
            Act::Outbound => Kind::Outbound,
            Act::Sale => Kind::Sale,
            Act::Return => Kind::Return,
            Act::Inspect => Kind::Inspect,
            Act::Collect => Kind::Collect,
            Act::Destroy => Kind::Destroy,
            Act::Seen | Act::Followed => Kind::Count,
            Act::Retract => Kind::Retract,
        }
    }

    /// The act of a unit that an event names among its units.
    pub const fn of_named(kind: Kind) -> Act {
        match kind {
            Kind::Commission => Act::Commission,
            Kind::Pack => Act::PackedInto,
            Kind::Unpack => Act::TakenOut,
            Kind::Inbound => Act::Inbound,
            Kind::Outbound => Act::Outbound,
            Kind::Sale => Act::Sale,
            Kind::Return => Act::Return,
            Kind::Inspect => Act::Inspect,
            Kind::Collect => Act::Collect,
            Kind::Destroy => Act::Destroy,
            Kind::Count => Act::Seen,
            Kind::Retract => Act::Retract,
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// What happens.
    pub act: Act,
    /// To a unit in one of these.
    pub phases: &'static [Phase],
    /// If this holds.
    pub when: Condition,
    /// What it leaves.
    pub effect: Effect,
    /// What is found.
    pub finding: Option<FindingCode>,
}

const fn row(
    act: Act,
    phases: &'static [Phase],
    when: Condition,
    effect: Effect,
    finding: Option<FindingCode>,
) -> Row {
    Row {
        act,
        phases,
        when,
        effect,
        finding,
    }
}

const ANY: &[Phase] = &[
    Unknown,
    Commissioned,
    InStock,
    InTransit,
    Sold,
    Returned,
    Collected,
    Destroyed,
];
const END: &[Phase] = &[Destroyed];
/// What stays what it is while it moves from place to place.
const KEPT: &[Phase] = &[Returned, Collected];
/// Goods that somebody has at a place, or keeps while they move.
const HAD: &[Phase] = &[InStock, Returned, Collected];
/// What a pack or unpack says nothing new of but where it is.
const ENDED: &[Phase] = &[Sold, Collected];

/// The whole table.
#[rustfmt::skip]
pub static TABLE: &[Row] = &[
    // C1 commission: expected unknown.
    row(Act::Commission, END,                        When::Always,           Effect::Nothing,    Some(AfterEnd)),
    row(Act::Commission, ANY,                        When::VoidCode,         Effect::Nothing,    Some(CommissionVoid)),
    row(Act::Commission, ANY,                        When::OtherBatch,       Effect::Nothing,    Some(CommissionConflict)),
    row(Act::Commission, &[Unknown],                 When::Always,           Effect::Commission, None),
    row(Act::Commission, ANY,                        When::SaysNoNewBatch,   Effect::Nothing,    None),
    row(Act::Commission, &[Commissioned],            When::Always,           Effect::SetBatch,   None),
    row(Act::Commission, ANY,                        When::Always,           Effect::SetBatch,   Some(UnexpectedState)),

    // C2 inbound: expected unknown, commissioned, in transit to here.
    row(Act::Inbound,    END,                        When::Always,           Effect::Nothing,    Some(AfterEnd)),
    row(Act::Inbound,    &[Unknown, Commissioned],   When::Always,           Effect::Arrive,     None),
    row(Act::Inbound,    &[InTransit],               When::OnItsWayHere,     Effect::Arrive,     None),
    row(Act::Inbound,    &[InTransit],               When::ComesBack,        Effect::Arrive,     None),
    row(Act::Inbound,    &[InTransit],               When::Always,           Effect::Arrive,     Some(Misroute)),
    row(Act::Inbound,    HAD,                        When::SameScan,         Effect::Nothing,    Some(DoubleScan)),
    row(Act::Inbound,    KEPT,                       When::OnItsWayHere,     Effect::Arrive,     None),
    row(Act::Inbound,    KEPT,                       When::ComesBack,        Effect::Arrive,     None),
    row(Act::Inbound,    KEPT,                       When::OnItsWay,         Effect::Arrive,     Some(Misroute)),
    row(Act::Inbound,    HAD,                        When::Here,             Effect::Arrive,     Some(UnexpectedState)),
    row(Act::Inbound,    HAD,                        When::Always,           Effect::Arrive,     Some(Teleport)),
    row(Act::Inbound,    &[Sold],                    When::Always,           Effect::Arrive,     Some(InboundAfterSale)),

    // C3 outbound: expected in stock here, commissioned at its plant, or returned, held, collected
    // (state kept, place moves).
    row(Act::Outbound,   END,                        When::Always,           Effect::Nothing,    Some(AfterEnd)),
    row(Act::Outbound,   &[Commissioned],            When::AtItsPlant,       Effect::Leave,      None),
    row(Act::Outbound,   &[Unknown, Commissioned],   When::Always,           Effect::Leave,      Some(OrphanOutbound)),
    row(Act::Outbound,   HAD,                        When::Here,             Effect::Leave,      None),
    row(Act::Outbound,   KEPT,                       When::OnItsWay,         Effect::Leave,      Some(OrphanOutbound)),
    row(Act::Outbound,   HAD,                        When::Always,           Effect::Leave,      Some(WrongLocation)),
    row(Act::Outbound,   &[InTransit],               When::Always,           Effect::Leave,      Some(OrphanOutbound)),
    row(Act::Outbound,   &[Sold],                    When::Always,           Effect::Leave,      Some(ShipAfterSale)),

    // C4 sale: expected in stock in this store, and not held (`questions`).
    row(Act::Sale,       END,                        When::Always,           Effect::Nothing,    Some(AfterEnd)),
    row(Act::Sale,       &[Sold],                    When::Always,           Effect::SecondSale, Some(DoubleSale)),
    row(Act::Sale,       &[Collected],               When::Always,           Effect::Sell,       Some(SoldAfterCollect)),
    row(Act::Sale,       &[Returned],                When::Held,             Effect::Sell,       None),
    row(Act::Sale,       &[Returned],                When::Always,           Effect::Sell,       Some(SoldUninspected)),
    row(Act::Sale,       &[InStock],                 When::Here,             Effect::Sell,       None),
    row(Act::Sale,       &[InTransit],               When::OnItsWayHere,     Effect::Sell,       Some(ImpliedReceipt)),
    row(Act::Sale,       ANY,                        When::Always,           Effect::Sell,       Some(OrphanSale)),

    // C5 return: expected sold. Recalled goods that come back count as collected.
    row(Act::Return,     END,                        When::Always,           Effect::Nothing,    Some(AfterEnd)),
    row(Act::Return,     &[Sold],                    When::Here,             Effect::TakeBack,   None),
    row(Act::Return,     &[Sold],                    When::Always,           Effect::TakeBack,   Some(CrossStoreReturn)),
    row(Act::Return,     &[Returned],                When::Always,           Effect::TakeBack,   Some(DoubleReturn)),
    row(Act::Return,     &[Collected],               When::Always,           Effect::TakeBack,   Some(UnexpectedState)),
    row(Act::Return,     ANY,                        When::Always,           Effect::TakeBack,   Some(ReturnUnsold)),

    // C6 inspect: expected returned or held; collected is what comes back under a recall (C5). Who frees recalled goods is asked for in `questions`.
    row(Act::Inspect,    END,                        When::Always,           Effect::Nothing,    Some(AfterEnd)),
    row(Act::Inspect,    KEPT,                       When::DecidesNothing,   Effect::Nothing,    None),
    row(Act::Inspect,    KEPT,                       When::Always,           Effect::Dispose,    None),
    row(Act::Inspect,    ANY,                        When::HeldStill,        Effect::Nothing,    None),
    row(Act::Inspect,    ANY,                        When::Held,             Effect::Dispose,    None),
    row(Act::Inspect,    ANY,                        When::DecidesNothing,   Effect::Nothing,    Some(UnexpectedState)),
    row(Act::Inspect,    ANY,                        When::Always,           Effect::Dispose,    Some(UnexpectedState)),

    // C7 collect: expected recalled, any place (the recall is asked for in `questions`).
    row(Act::Collect,    END,                        When::Always,           Effect::Nothing,    Some(CollectDestroyed)),
    row(Act::Collect,    &[Collected],               When::Always,           Effect::Collect,    Some(DoubleCollect)),
    row(Act::Collect,    ANY,                        When::Always,           Effect::Collect,    None),

    // C8 destroy: expected any but sold.
    row(Act::Destroy,    END,                        When::Always,           Effect::Nothing,    Some(AfterEnd)),
    row(Act::Destroy,    &[Sold],                    When::Always,           Effect::Destroy,    Some(DestroySold)),
    row(Act::Destroy,    ANY,                        When::StandsElsewhere,  Effect::Destroy,    Some(WrongLocation)),
    row(Act::Destroy,    ANY,                        When::Always,           Effect::Destroy,    None),

    // C11 count: seen where it is, or elsewhere (D7). Who is not seen is asked for in `questions`.
    row(Act::Seen,       &[Sold, Destroyed],         When::Always,           Effect::Nothing,    Some(SurplusAtCount)),
    row(Act::Seen,       &[Commissioned],            When::AtItsPlant,       Effect::Nothing,    None),
    row(Act::Seen,       HAD,                        When::Here,             Effect::Nothing,    None),
    row(Act::Seen,       &[Collected],               When::Always,           Effect::Nothing,    Some(SurplusAtCount)),
    row(Act::Seen,       ANY,                        When::Always,           Effect::Observe,    Some(SurplusAtCount)),

    // C12 pack and unpack, the child's side. Both are observations at that place.
    row(Act::PackedInto, ANY,                        When::WrongLevel,       Effect::Nothing,    Some(PackLevel)),
    row(Act::PackedInto, END,                        When::NoContainer,      Effect::Nothing,    Some(PackAfterEnd)),
    row(Act::PackedInto, ENDED,                      When::NoContainer,      Effect::Observe,    Some(PackAfterEnd)),
    row(Act::PackedInto, ANY,                        When::NoContainer,      Effect::Observe,    None),
    row(Act::PackedInto, END,                        When::Always,           Effect::Nothing,    Some(PackAfterEnd)),
    row(Act::PackedInto, ENDED,                      When::Always,           Effect::PutIn,      Some(PackAfterEnd)),
    row(Act::PackedInto, ANY,                        When::Always,           Effect::PutIn,      None),
    row(Act::TakenOut,   END,                        When::Always,           Effect::Nothing,    Some(AfterEnd)),
    row(Act::TakenOut,   ANY,                        When::InsideSomething,  Effect::TakeOut,    None),
    row(Act::TakenOut,   ANY,                        When::Always,           Effect::TakeOut,    Some(UnexpectedState)),
    row(Act::Emptied,    END,                        When::Always,           Effect::Nothing,    Some(AfterEnd)),
    row(Act::Emptied,    ANY,                        When::Always,           Effect::TakeOut,    None),
    // The container's side.
    row(Act::PackedUp,   END,                        When::Always,           Effect::Nothing,    Some(AfterEnd)),
    row(Act::PackedUp,   &[Sold],                    When::Always,           Effect::Nothing,    Some(UnexpectedState)),
    row(Act::PackedUp,   &[Collected],               When::Always,           Effect::Observe,    Some(UnexpectedState)),
    row(Act::PackedUp,   ANY,                        When::Always,           Effect::Observe,    None),
    row(Act::Opened,     END,                        When::Always,           Effect::Nothing,    Some(AfterEnd)),
    row(Act::Opened,     &[Sold],                    When::Always,           Effect::Nothing,    Some(UnexpectedState)),
    row(Act::Opened,     &[Collected],               When::Always,           Effect::Observe,    Some(UnexpectedState)),
    row(Act::Opened,     ANY,                        When::Always,           Effect::Observe,    None),

    // C13: inside a container that was observed somewhere.
    row(Act::Followed,   &[Sold, Destroyed],         When::Always,           Effect::Nothing,    None),
    row(Act::Followed,   ANY,                        When::Always,           Effect::Observe,    None),

    // C10: a retract does something to an event, nothing to a unit.
    row(Act::Retract,    ANY,                        When::Always,           Effect::Nothing,    None),
];
