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
    match (row, walk.state.place) {
        (Row::DestroySold, _) => walk.find_cause(at, FindingCode::DestroySold),
        (_, Place::At(place)) if place != at.here() => {
            walk.find_cause(at, FindingCode::WrongLocation);
        }
        _ => {}
    }
    walk.set(Phase::Destroyed, Place::At(at.here()));
    walk.state.disposition = None;
    walk.memory.sale = None;
    Effect::Took
}
