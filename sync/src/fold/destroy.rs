//! C8: destruction (销毁). Nothing follows it.

use super::{
    Phase, Place, Row, sale,
    walk::{At, Effect, Walk},
};
use crate::{event::Kind, finding::FindingCode};

/// Goods were destroyed, or something happened to goods that were.
pub(super) fn destroyed<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    if row == Row::End {
        walk.find_cause(at, FindingCode::AfterEnd);
        if at.fact.event.kind == Kind::Sale {
            sale::judged(walk, at);
        }
        return Effect::Nothing;
    }
    if row == Row::DestroySold {
        walk.find_cause(at, FindingCode::DestroySold);
    }
    walk.set(Phase::Destroyed, Place::At(at.here()));
    walk.state.disposition = None;
    walk.memory.sale = None;
    Effect::Took
}
