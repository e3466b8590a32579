//! Findings that stand beside the table's: one small question each, asked of a unit at a moment
//! with the whole history at hand.

use super::{
    recalled,
    replay::{History, Snapshot, Touch, inside},
    table::Act,
};
use suyuan_sync::{
    finding::{Detail, FindingCode},
    fold::{Phase, Place, UnitState},
    ids::EventId,
    unit::UnitKey,
};

/// A finding before it is told of anybody.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub code: FindingCode,
    pub witnesses: Vec<EventId>,
    pub detail: Detail,
}

/// A question: asked at moment `k` of a touch, the state before it.
type Question = fn(&History, usize, &Touch, &UnitState) -> Option<Answer>;

/// The questions asked of a unit for which the event counts.
const QUESTIONS: [(&str, Question); 12] = [
    ("C0 to C8, C11, C12", of_the_table),
    ("C3", ship_recalled),
    ("C4", sold_expired),
    ("section 4", order_uncertain),
    ("C5", return_mismatch),
    ("C7", collect_unrecalled),
    ("C9", sold_recalled),
    ("C9", knowledge_mismatch),
    ("C12", implied_unpack),
    ("C12", short_pack),
    ("C15", unknown_product),
    ("C15", code_contradicts_record),
];

/// All findings of a touch.
pub fn asked(history: &History, k: usize, touch: &Touch) -> Vec<Answer> {
    if !touch.counts {
        // C14: nothing else is asked of what a stranger says.
        return vec![only(history, k, FindingCode::UnexpectedHolder)];
    }
    let before = &history.moments[k].before[&touch.unit];
    QUESTIONS
        .iter()
        .filter_map(|(_, question)| question(history, k, touch, before))
        .collect()
}

fn answer(history: &History, code: FindingCode, earlier: Option<usize>, k: usize) -> Answer {
    let witnesses = earlier.into_iter().chain([k]);
    Answer {
        code,
        witnesses: witnesses.map(|k| history.facts[k].event.id).collect(),
        detail: Detail::Nothing,
    }
}

fn only(history: &History, k: usize, code: FindingCode) -> Answer {
    answer(history, code, None, k)
}

/// What the row says; the witness is whatever brought the unit into the state that does not fit.
fn of_the_table(history: &History, k: usize, touch: &Touch, _: &UnitState) -> Option<Answer> {
    let code = touch.row?.finding?;
    let earlier = match code {
        FindingCode::DoubleSale => history.last_sale(k, &touch.unit),
        FindingCode::CommissionConflict => history.last_commission(k, &touch.unit),
        FindingCode::DoubleScan => history.last_arrival(k, &touch.unit),
        FindingCode::CommissionVoid | FindingCode::PackLevel | FindingCode::ReleaseRecalled => None,
        _ => history.last_change(k, &touch.unit),
    };
    Some(answer(history, code, earlier, k))
}

/// C3: recalled and not to the recall's destination.
fn ship_recalled(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    let fact = h.facts[k];
    let ships = touch.act == Act::Outbound && before.phase != Phase::Destroyed;
    (ships && recalled::ships_astray(h, &touch.unit, before, fact))
        .then(|| only(h, k, FindingCode::ShipRecalled))
}

fn sells(touch: &Touch, before: &UnitState) -> bool {
    touch.act == Act::Sale && before.phase != Phase::Destroyed
}

/// C4: expired when it was sold.
fn sold_expired(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    let batch = h.world.batches.get(&before.batch?)?;
    (sells(touch, before) && h.facts[k].order.eff >= batch.expires_at?)
        .then(|| only(h, k, FindingCode::SoldExpired))
}

/// Section 4: who sold first cannot be told, the intervals of the two sales overlapping. A device
/// knows the order of its own events.
fn order_uncertain(h: &History, k: usize, touch: &Touch, _: &UnitState) -> Option<Answer> {
    if touch.row?.finding != Some(FindingCode::DoubleSale) {
        return None;
    }
    let j = h.last_sale(k, &touch.unit)?;
    let (first, second) = (h.facts[j], h.facts[k]);
    if (first.event.device, first.event.epoch) == (second.event.device, second.event.epoch) {
        return None;
    }
    let begins = first.interval.lo.max(second.interval.lo);
    let ends = first.interval.hi.min(second.interval.hi);
    (begins <= ends).then(|| Answer {
        detail: Detail::Overlap {
            width_us: ends - begins,
        },
        ..answer(h, FindingCode::OrderUncertain, Some(j), k)
    })
}

/// C5: the paper that comes with it is not that of its sale.
fn return_mismatch(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    if touch.act != Act::Return || before.phase != Phase::Sold {
        return None;
    }
    let j = h.last_sale(k, &touch.unit)?;
    let sold = h.facts[j].event.doc.as_ref()?;
    let brought = h.facts[k].event.doc.as_ref()?;
    (sold.no != brought.no).then(|| answer(h, FindingCode::ReturnMismatch, Some(j), k))
}

/// C7: in no recall. A recall that began later, or was widened to it later, explains it; a
/// container is recalled when anything in it is.
fn collect_unrecalled(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    let collects = touch.act == Act::Collect && before.phase != Phase::Destroyed;
    (collects && !concerned(h, k, &h.moments[k].before, &touch.unit))
        .then(|| only(h, k, FindingCode::CollectUnrecalled))
}

fn concerned(h: &History, k: usize, units: &Snapshot, unit: &UnitKey) -> bool {
    !recalled::reaching(h.world, unit, &units[unit], h.facts[k]).is_empty()
        || inside(units, unit)
            .iter()
            .any(|child| concerned(h, k, units, child))
}

/// C9.
fn sold_recalled(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    if !sells(touch, before) {
        return None;
    }
    let sold = recalled::sold(h, &touch.unit, before, h.facts[k])?;
    Some(Answer {
        detail: Detail::SoldRecalled {
            recall: sold.recall,
            when: sold.when,
            knowledge: sold.knowledge,
        },
        ..only(h, k, FindingCode::SoldRecalled)
    })
}

/// C9: claim and delivery disagree about that recall.
fn knowledge_mismatch(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    if !sells(touch, before) {
        return None;
    }
    let sold = recalled::sold(h, &touch.unit, before, h.facts[k])?;
    sold.mismatch
        .then(|| only(h, k, FindingCode::KnowledgeMismatch))
}

/// C12: it must have left its container.
fn implied_unpack(h: &History, k: usize, touch: &Touch, _: &UnitState) -> Option<Answer> {
    touch.left.as_ref()?;
    let pack = h.last_pack(k, &touch.unit);
    Some(answer(h, FindingCode::ImpliedUnpack, pack, k))
}

/// C12: fewer children than declared. A child may be a unit or so many of a lot.
fn short_pack(h: &History, k: usize, touch: &Touch, _: &UnitState) -> Option<Answer> {
    let event = &*h.facts[k].event;
    let expected = event.declared?;
    let unread = event
        .units
        .iter()
        .filter(|read| read.unit.is_none())
        .count();
    let loose: u64 = event.lots.iter().map(|line| line.qty).sum();
    let there = (h.named(k).len() + unread) as u64 + loose;
    (touch.act == Act::PackedUp && there < u64::from(expected)).then(|| Answer {
        detail: Detail::Count {
            expected,
            there: there as u32,
        },
        ..only(h, k, FindingCode::ShortPack)
    })
}

/// C15: the product its code names is not on record.
fn unknown_product(h: &History, k: usize, touch: &Touch, _: &UnitState) -> Option<Answer> {
    if !touch.chain.is_empty() || touch.act == Act::Emptied {
        return None;
    }
    let gtin = super::holders::gtin(&touch.unit)?;
    (!h.world.products.contains_key(gtin)).then(|| Answer {
        detail: Detail::Unknown {
            what: format!("product:{gtin}"),
        },
        ..only(h, k, FindingCode::UnknownRef)
    })
}

/// C15: lot or expiry in the code are not those of the batch on record.
fn code_contradicts_record(
    h: &History,
    k: usize,
    touch: &Touch,
    before: &UnitState,
) -> Option<Answer> {
    let event = &*h.facts[k].event;
    let batch = h.world.batches.get(&before.batch?)?;
    let contradicts = event
        .units
        .iter()
        .chain(&event.parent)
        .filter(|read| read.unit.as_ref() == Some(&touch.unit))
        .filter_map(|read| read.scanned)
        .any(|scanned| {
            let lot = scanned.claims.lot;
            let expiry = scanned.claims.expiry;
            lot.is_some_and(|lot| lot.as_str() != batch.lot)
                || expiry
                    .zip(batch.expires_at)
                    .is_some_and(|(printed, at)| printed_end(printed) != Some(at))
        });
    contradicts.then(|| only(h, k, FindingCode::CodeContradictsRecord))
}

/// 00:00 Asia/Shanghai after a printed day, day 00 being the last of its month.
fn printed_end(printed: [u8; 6]) -> Option<i64> {
    let digits: Vec<i64> = printed
        .iter()
        .map(|digit| i64::from(digit - b'0'))
        .collect();
    let year = 2000 + digits[0] * 10 + digits[1];
    let month = digits[2] * 10 + digits[3];
    let day = digits[4] * 10 + digits[5];
    if !(1..=12).contains(&month) {
        return None;
    }
    let next = if day == 0 {
        days_before(if month == 12 { year + 1 } else { year }, month % 12 + 1)
    } else {
        days_before(year, month) + day
    };
    Some((next * 24 - 8) * 3_600_000_000)
}

/// Days from 1970 to the first of a month.
fn days_before(year: i64, month: i64) -> i64 {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let years: i64 = (1970..year).map(|y| if leap(y) { 366 } else { 365 }).sum();
    let lengths = [
        31,
        if leap(year) { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
    ];
    let months: i64 = lengths.iter().take(month as usize - 1).sum();
    years + months
}

/// C11: a complete count at its place did not see it. Asked of every unit, not of touched ones; a
/// unit in a container is answered for by the container.
pub fn missing_at_count(h: &History, k: usize, unit: &UnitKey) -> Option<Answer> {
    let event = &*h.facts[k].event;
    let before = &h.moments[k].before[unit];
    let scope = event.body.get("scope")?;
    let complete = scope.get("complete").and_then(serde_json::Value::as_bool) == Some(true);
    let in_scope = match scope.get("gtins").and_then(serde_json::Value::as_array) {
        Some(gtins) => gtins
            .iter()
            .filter_map(serde_json::Value::as_str)
            .any(|gtin| super::holders::gtin(unit) == Some(gtin)),
        None => true,
    };
    let expected = before.phase == Phase::InStock
        && before.place == Place::At(event.location)
        && before.inside.is_none();
    let counts = super::holders::counts(h.world, unit, before, h.facts[k]);
    (complete && in_scope && expected && counts && !h.named(k).contains(unit)).then(|| {
        let arrived = h.last_change(k, unit);
        answer(h, FindingCode::MissingAtCount, arrived, k)
    })
}
