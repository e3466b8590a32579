//! What a till decides of goods whose code may mean another unit: a person typed a serial of ours in small
//! letters, or O for 0 (sync.md section 1; `trace_code::fold_typed`).
//!
//! Whether it is meant only issue keys tell, and a till has none. So it judges the goods twice, once with
//! every code that was typed here taken as it is said, once with each taken for the unit of ours that may be
//! meant, and tells the graver of the two. It must not know which is true.

use super::{Asked, Decision, Reason, Till, decide};
use crate::{
    event::Input,
    trace_code::{Scanned, fold_typed},
    unit::UnitKey,
};
use serde::{Deserialize, Serialize};

/// How codes that were typed are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Typed {
    /// As they are said.
    Said,
    /// For what may be meant by them.
    Meant,
}

/// The goods that may be meant by a code as it was read; none where that is what it says.
pub fn meant(scanned: &Scanned, input: Input) -> Option<Scanned> {
    let code = (input == Input::Typed).then(|| fold_typed(&scanned.code))??;
    Some(Scanned { code, ..*scanned })
}

/// Decides on goods, taken in both ways ([`Typed`]): the graver counts, and of equally grave ones what is said.
/// `meant` is asked of the same code where nothing else may be meant by it; what happened here may differ.
pub fn decide_typed(said: &Asked<'_>, meant: &Asked<'_>, till: &Till<'_>) -> Decision {
    let unit = |asked: &Asked<'_>| UnitKey::of(&asked.scanned.code);
    let other = decide(meant, till);
    let taken_for = unit(meant).filter(|meant| unit(said).as_ref() != Some(meant));
    graver(decide(said, till), Decision { taken_for, ..other })
}

/// The graver of two decisions, and of equally grave ones the first, with the recalls of both. Where a card may show
/// an own event or may not yet, both are made: with that event among what happened here, and without.
pub fn graver(one: Decision, other: Decision) -> Decision {
    let recalls = one.recalls.union(&other.recalls).copied().collect();
    let told = if gravity(&other) > gravity(&one) {
        other
    } else {
        one
    };
    Decision { recalls, ..told }
}

/// By the gravest reason: those that stop come before those that ask.
fn gravity(decision: &Decision) -> Option<std::cmp::Reverse<Reason>> {
    decision.reasons.first().copied().map(std::cmp::Reverse)
}
