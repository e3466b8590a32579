//! C0: every pair of phase and kind, and the row of the rules that decides it.
//!
//! The matches here have no `_`: a new phase or kind does not compile until somebody has decided
//! what it means. The rows say which function of the rule's file judges; what that function then
//! looks at (places, batches, recalls) is told there. The crate's README shows the same table.

use super::Phase;
use crate::event::Kind;

/// The row of the rules that a pair of phase and kind falls under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// C1: the unit begins.
    Begin,
    /// C1: it was commissioned, or is in the middle of its life.
    BeginAgain,
    /// C2: comes in as expected.
    Receive,
    /// C2: comes in from a way, `MISROUTE` unless to here or back.
    Arrive,
    /// C2: comes in and is in stock: `DOUBLE_SCAN`, `TELEPORT`, or unexpected.
    ReceiveAgain,
    /// C2: comes in and was sold, `INBOUND_AFTER_SALE`.
    ReceiveSold,
    /// C2: returned or collected goods come in: the phase is kept, the place moves.
    ReceiveKept,
    /// C3: leaves where it is in stock, `WRONG_LOCATION` if that is elsewhere.
    Ship,
    /// C3: leaves and never came in: fits at its plant, else `ORPHAN_OUTBOUND`.
    ShipNew,
    /// C3: leaves and was on its way already, `ORPHAN_OUTBOUND`.
    ShipOnWay,
    /// C3: leaves and was sold, `SHIP_AFTER_SALE`.
    ShipSold,
    /// C3: returned or collected goods leave: the phase is kept, the place moves.
    ShipKept,
    /// C4: sold from stock, `ORPHAN_SALE` if in stock elsewhere.
    Sell,
    /// C4: sold on its way: `IMPLIED_RECEIPT` if to here, else `ORPHAN_SALE`.
    SellOnWay,
    /// C4: sold and never came in, `ORPHAN_SALE`.
    SellNew,
    /// C4: sold again, `DOUBLE_SALE`; the first in order stays.
    SellAgain,
    /// C4: sold after a return, `SOLD_UNINSPECTED` unless inspected and held.
    SellReturned,
    /// C7: sold after it was collected, `SOLD_AFTER_COLLECT`.
    SellCollected,
    /// C5: brought back.
    TakeBack,
    /// C5: brought back and never sold, `RETURN_UNSOLD`.
    TakeBackUnsold,
    /// C5: brought back twice, `DOUBLE_RETURN`.
    TakeBackAgain,
    /// C5, C0: brought back and was collected, unexpected.
    TakeBackCollected,
    /// C6: inspected after a return.
    Judge,
    /// C6: fits if it is held, else unexpected.
    JudgeHeld,
    /// C7: collected.
    Fetch,
    /// C7: collected twice, `DOUBLE_COLLECT`.
    FetchAgain,
    /// C7: collected and was destroyed, `COLLECT_DESTROYED`.
    FetchDestroyed,
    /// C8: destroyed.
    Destroy,
    /// C8: destroyed and was sold, `DESTROY_SOLD`.
    DestroySold,
    /// C8: anything after its destruction, `AFTER_END`.
    End,
    /// C10: strikes another event; no phase matters.
    Strike,
    /// C11: seen where it should be in stock, or observed there with `SURPLUS_AT_COUNT`.
    Observe,
    /// C11: seen and commissioned: fits at its plant, else observed with `SURPLUS_AT_COUNT`.
    ObserveNew,
    /// C11: seen and kept back after a return: the place moves, `SURPLUS_AT_COUNT` if elsewhere.
    ObserveKept,
    /// C11: seen and ended: `SURPLUS_AT_COUNT` if elsewhere or sold, nothing changes.
    ObserveEnded,
    /// C12: packed, observed at that place.
    Pack,
    /// C12: packed and was sold or collected, `PACK_AFTER_END`.
    PackEnded,
    /// C12: packed and was destroyed, `PACK_AFTER_END`; it is not inside.
    PackDestroyed,
    /// C12: taken out, observed at that place; unexpected if it was not inside.
    Unpack,
    /// C12: a container is filled or emptied where it stands.
    Handle,
    /// C12, C0: a container is filled or emptied that was sold, unexpected.
    HandleEnded,
}

/// The row for a unit that an event names as its own: as a child, for pack and unpack.
#[expect(
    clippy::match_same_arms,
    reason = "one kind after the other, so that the table can be read"
)]
pub const fn row(phase: Phase, kind: Kind) -> Row {
    use Kind as K;
    use Phase::{Collected, Commissioned, Destroyed, InStock, InTransit, Returned, Sold, Unknown};
    match (phase, kind) {
        (Unknown, K::Commission) => Row::Begin,
        (Commissioned | InStock | InTransit | Sold | Returned | Collected, K::Commission) => {
            Row::BeginAgain
        }
        (Destroyed, K::Commission) => Row::End,

        (Unknown | Commissioned | InStock | InTransit | Returned, K::Pack) => Row::Pack,
        (Sold | Collected, K::Pack) => Row::PackEnded,
        (Destroyed, K::Pack) => Row::PackDestroyed,

        (Unknown | Commissioned | InStock | InTransit | Sold | Returned | Collected, K::Unpack) => {
            Row::Unpack
        }
        (Destroyed, K::Unpack) => Row::End,

        (Unknown | Commissioned, K::Inbound) => Row::Receive,
        (InStock, K::Inbound) => Row::ReceiveAgain,
        (InTransit, K::Inbound) => Row::Arrive,
        (Sold, K::Inbound) => Row::ReceiveSold,
        (Returned | Collected, K::Inbound) => Row::ReceiveKept,
        (Destroyed, K::Inbound) => Row::End,

        (Unknown | Commissioned, K::Outbound) => Row::ShipNew,
        (InStock, K::Outbound) => Row::Ship,
        (InTransit, K::Outbound) => Row::ShipOnWay,
        (Sold, K::Outbound) => Row::ShipSold,
        (Returned | Collected, K::Outbound) => Row::ShipKept,
        (Destroyed, K::Outbound) => Row::End,

        (Unknown | Commissioned, K::Sale) => Row::SellNew,
        (InStock, K::Sale) => Row::Sell,
        (InTransit, K::Sale) => Row::SellOnWay,
        (Sold, K::Sale) => Row::SellAgain,
        (Returned, K::Sale) => Row::SellReturned,
        (Collected, K::Sale) => Row::SellCollected,
        (Destroyed, K::Sale) => Row::End,

        (Unknown | Commissioned | InStock | InTransit, K::Return) => Row::TakeBackUnsold,
        (Sold, K::Return) => Row::TakeBack,
        (Returned, K::Return) => Row::TakeBackAgain,
        (Collected, K::Return) => Row::TakeBackCollected,
        (Destroyed, K::Return) => Row::End,

        (Unknown | Commissioned | InStock | InTransit | Sold, K::Inspect) => Row::JudgeHeld,
        (Returned | Collected, K::Inspect) => Row::Judge,
        (Destroyed, K::Inspect) => Row::End,

        (Unknown | Commissioned | InStock | InTransit | Sold | Returned, K::Collect) => Row::Fetch,
        (Collected, K::Collect) => Row::FetchAgain,
        (Destroyed, K::Collect) => Row::FetchDestroyed,

        (Unknown | Commissioned | InStock | InTransit | Returned | Collected, K::Destroy) => {
            Row::Destroy
        }
        (Sold, K::Destroy) => Row::DestroySold,
        (Destroyed, K::Destroy) => Row::End,

        (Unknown | InStock | InTransit, K::Count) => Row::Observe,
        (Commissioned, K::Count) => Row::ObserveNew,
        (Returned, K::Count) => Row::ObserveKept,
        (Sold | Collected | Destroyed, K::Count) => Row::ObserveEnded,

        (
            Unknown | Commissioned | InStock | InTransit | Sold | Returned | Collected | Destroyed,
            K::Retract,
        ) => Row::Strike,
    }
}

/// The row for a container that is filled or emptied.
pub const fn container_row(phase: Phase) -> Row {
    match phase {
        Phase::Unknown
        | Phase::Commissioned
        | Phase::InStock
        | Phase::InTransit
        | Phase::Returned => Row::Handle,
        Phase::Sold | Phase::Collected => Row::HandleEnded,
        Phase::Destroyed => Row::End,
    }
}

impl Phase {
    /// All phases, in the order of a life.
    pub const ALL: [Phase; 8] = [
        Phase::Unknown,
        Phase::Commissioned,
        Phase::InStock,
        Phase::InTransit,
        Phase::Sold,
        Phase::Returned,
        Phase::Collected,
        Phase::Destroyed,
    ];

    /// The name on the wire and in rows.
    pub const fn name(self) -> &'static str {
        match self {
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
    pub fn of_name(name: &str) -> Option<Phase> {
        Phase::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

impl Row {
    /// The row in a few words, as the README's table has it.
    pub const fn words(self) -> &'static str {
        match self {
            Row::Begin => "commissioned",
            Row::BeginAgain => "`COMMISSION_CONFLICT` if another batch",
            Row::Receive => "in_stock",
            Row::Arrive => "in_stock; `MISROUTE` unless to here or back",
            Row::ReceiveAgain => "in_stock; `DOUBLE_SCAN`, `TELEPORT` or `UNEXPECTED_STATE`",
            Row::ReceiveSold => "in_stock; `INBOUND_AFTER_SALE`",
            Row::ReceiveKept => {
                "place moves; `MISROUTE`, `TELEPORT`, `DOUBLE_SCAN` or `UNEXPECTED_STATE`"
            }
            Row::Ship => "in_transit; `WRONG_LOCATION` if elsewhere",
            Row::ShipNew => "in_transit; `ORPHAN_OUTBOUND` unless at its plant",
            Row::ShipOnWay => "in_transit; `ORPHAN_OUTBOUND`",
            Row::ShipSold => "in_transit; `SHIP_AFTER_SALE`",
            Row::ShipKept => "place moves; `WRONG_LOCATION` if elsewhere",
            Row::Sell => "sold; `ORPHAN_SALE` if elsewhere, `UNEXPECTED_STATE` if held",
            Row::SellOnWay => "sold; `IMPLIED_RECEIPT` if to here, else `ORPHAN_SALE`",
            Row::SellNew => "sold; `ORPHAN_SALE`",
            Row::SellAgain => "first stays; `DOUBLE_SALE`",
            Row::SellReturned => "sold; `SOLD_UNINSPECTED`, `UNEXPECTED_STATE` if held",
            Row::SellCollected => "sold; `SOLD_AFTER_COLLECT`",
            Row::TakeBack => "returned; `CROSS_STORE_RETURN` if another store",
            Row::TakeBackUnsold => "returned; `RETURN_UNSOLD`",
            Row::TakeBackAgain => "returned; `DOUBLE_RETURN`",
            Row::TakeBackCollected => "returned; `UNEXPECTED_STATE`",
            Row::Judge => "as disposed",
            Row::JudgeHeld => "as disposed; `UNEXPECTED_STATE` unless held",
            Row::Fetch => "collected",
            Row::FetchAgain => "collected; `DOUBLE_COLLECT`",
            Row::FetchDestroyed => "destroyed; `COLLECT_DESTROYED`",
            Row::Destroy => "destroyed; `WRONG_LOCATION` if elsewhere",
            Row::DestroySold => "destroyed; `DESTROY_SOLD`",
            Row::End => "destroyed; `AFTER_END`",
            Row::Strike => "C10",
            Row::Observe => "in_stock; `SURPLUS_AT_COUNT` unless in stock here",
            Row::ObserveNew => "kept at its plant, else in_stock; `SURPLUS_AT_COUNT`",
            Row::ObserveKept => "place moves; `SURPLUS_AT_COUNT` if elsewhere",
            Row::ObserveEnded => "kept; `SURPLUS_AT_COUNT` unless collected goods here",
            Row::Pack => "inside; in_stock, returned kept",
            Row::PackEnded => "inside; `PACK_AFTER_END`",
            Row::PackDestroyed => "kept; `PACK_AFTER_END`",
            Row::Unpack => {
                "out; in_stock, ended and returned kept; `UNEXPECTED_STATE` unless inside"
            }
            Row::Handle => "in_stock, returned kept",
            Row::HandleEnded => "kept, the place of collected goods moves; `UNEXPECTED_STATE`",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// The table as Markdown: a line per phase, a column per kind that changes something.
    fn markdown() -> String {
        let mut out = String::from("| kind |");
        for phase in Phase::ALL {
            let _ = write!(out, " {} |", phase.name());
        }
        out.push_str("\n|---|---|---|---|---|---|---|---|---|\n");
        for kind in Kind::ALL {
            let _ = write!(out, "| {} |", kind.name());
            for phase in Phase::ALL {
                let _ = write!(out, " {} |", row(phase, kind).words());
            }
            out.push('\n');
        }
        out.push_str("| pack, unpack (as container) |");
        for phase in Phase::ALL {
            let _ = write!(out, " {} |", container_row(phase).words());
        }
        out.push('\n');
        out
    }

    #[test]
    fn c0_the_table_in_the_readme_is_the_table_of_the_code() {
        let readme = include_str!("../../README.md");
        assert!(
            readme.contains(&markdown()),
            "sync/README.md should have this table:\n{}",
            markdown()
        );
    }

    #[test]
    fn c8_nothing_but_a_retract_a_count_a_collect_or_a_pack_has_a_row_of_its_own_after_the_end() {
        for kind in Kind::ALL {
            let own = matches!(
                kind,
                Kind::Retract | Kind::Count | Kind::Collect | Kind::Pack
            );
            assert_eq!(row(Phase::Destroyed, kind) == Row::End, !own, "{kind:?}");
        }
    }

    #[test]
    fn phases_are_found_by_their_names() {
        for phase in Phase::ALL {
            assert_eq!(Phase::of_name(phase.name()), Some(phase));
        }
    }
}
