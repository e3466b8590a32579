//! C5: return (退货). Returned goods are not sellable before an inspection; recalled goods that
//! are brought back count as collected.

use super::{
    Phase, Place, Row, recalled,
    walk::{At, Effect, Walk},
};
use crate::{
    finding::{Detail, FindingCode},
    trace_code,
    unit::UnitKey,
};
use serde_json::Value;

/// A consumer brought goods back.
pub(super) fn brought_back<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    match row {
        Row::TakeBack if !walk.is_at(at.here()) => {
            walk.find_cause(at, FindingCode::CrossStoreReturn);
        }
        Row::TakeBackUnsold => walk.find_cause(at, FindingCode::ReturnUnsold),
        Row::TakeBackAgain => walk.find_cause(at, FindingCode::DoubleReturn),
        Row::TakeBackCollected => walk.unexpected(at),
        _ => {}
    }
    if unlike_receipt(walk, at) {
        let sale = walk.memory.sale.map(|sale| sale.event.id);
        walk.find(at, FindingCode::ReturnMismatch, &[sale], Detail::Nothing);
    }
    let order = at.fact.order;
    let recalled = walk
        .recalls
        .iter()
        .any(|span| recalled::is_active(span, order));
    let phase = if recalled {
        Phase::Collected
    } else {
        Phase::Returned
    };
    walk.set(phase, Place::At(at.here()));
    walk.memory.sale = None;
    walk.memory.returned = Some(at.fact);
    Effect::Took
}

/// The body's `receipt` is a number, or `{no, lot, code}`: what stands on the paper the consumer
/// showed. It is another receipt if its number is not that of the sale that stands, or its lot or
/// code are not this unit's; these are of what was shown with it, not of what is inside that. What
/// is not told is not compared.
fn unlike_receipt<'a>(walk: &Walk<'a>, at: &At<'a>) -> bool {
    let Some(receipt) = at.fact.event.body.get("receipt") else {
        return false;
    };
    let item = |name: &str| receipt.get(name).and_then(Value::as_str);
    let sold_under = walk
        .memory
        .sale
        .and_then(|sale| sale.event.doc.as_ref())
        .map(|doc| doc.no.as_str());
    let itself = at.via.is_none();
    let lot = walk.batch().map(|batch| batch.lot.as_str());
    let unlike = |a: Option<&str>, b: Option<&str>| a.zip(b).is_some_and(|(a, b)| a != b);
    let other_code = itself
        && item("code")
            .and_then(|code| trace_code::parse(code).ok())
            .and_then(|scanned| UnitKey::of(&scanned.code))
            .is_some_and(|unit| unit != *walk.unit);
    unlike(receipt.as_str().or(item("no")), sold_under)
        || (itself && unlike(item("lot"), lot))
        || other_code
}
