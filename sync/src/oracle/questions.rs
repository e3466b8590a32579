//! Findings that stand beside the table's: one small question each, asked of a unit at a moment
//! with the whole history at hand.

use super::{
    batches,
    conditions::releases_recalled,
    effects::Effect,
    holders, recalled,
    replay::{History, Snapshot, Touch, inside},
    standing::{self, Sale},
    struck::Fate,
    table::{Act, Row},
};
use crate::{
    event::{Disposition, Event, Kind},
    facts::{BatchInfo, RecallSpan},
    finding::{Detail, FindingCode},
    fold::{Phase, Place, UnitState},
    ids::{BatchId, EnterpriseId, EventId},
    trace_code,
    unit::UnitKey,
};
use std::collections::BTreeSet;

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
const QUESTIONS: [(&str, Question); 13] = [
    ("C0 to C8, C11, C12", of_the_table),
    ("C4, C0", held_goods_sold),
    ("C6", release_recalled),
    ("C3", ship_recalled),
    ("C4", sold_expired),
    ("section 4", order_uncertain),
    ("C5", return_mismatch),
    ("C7", collect_unrecalled),
    ("C9", sold_recalled),
    ("C9", knowledge_mismatch),
    ("C12", implied_unpack),
    ("C12", short_pack),
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
        FindingCode::CommissionVoid | FindingCode::PackLevel => None,
        _ => history.last_change(k, &touch.unit),
    };
    Some(answer(history, code, earlier, k))
}

/// C3: recalled and not to the recall's destination.
fn ship_recalled(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    let fact = h.facts[k];
    let ships = touch.act == Act::Outbound && before.phase != Phase::Destroyed;
    let spans = recalled::active(h.world, &touch.unit, &h.after[&touch.unit], fact);
    (ships && recalled::ships_astray(h, &spans, before.issuer, fact))
        .then(|| only(h, k, FindingCode::ShipRecalled))
}

/// C4 and C0: kept back by an inspection, and sold all the same.
fn held_goods_sold(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    let free = !matches!(before.phase, Phase::Collected | Phase::Destroyed);
    (touch.act == Act::Sale && free && before.disposition.is_some()).then(|| {
        let held = h.last_change(k, &touch.unit);
        answer(h, FindingCode::UnexpectedState, held, k)
    })
}

/// C6: freed, though recalled.
fn release_recalled(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    let judged = touch.act == Act::Inspect && before.phase != Phase::Destroyed;
    (judged && releases_recalled(h, touch, h.facts[k], before))
        .then(|| only(h, k, FindingCode::ReleaseRecalled))
}

/// C4: expired when it was sold. Expiry and recalls are judged of every sale, also of one that
/// changes nothing.
fn sold_expired(h: &History, k: usize, touch: &Touch, _: &UnitState) -> Option<Answer> {
    let sale = sale_of(h, k, touch);
    (touch.act == Act::Sale && is_expired(h, &sale, h.after[&touch.unit].batch?))
        .then(|| only(h, k, FindingCode::SoldExpired))
}

/// What this fact is, as a sale of the unit.
fn sale_of<'f>(h: &History<'f>, k: usize, touch: &Touch) -> Sale<'f> {
    Sale::of_unit(h.facts[k], &touch.unit, &touch.chain)
}

fn is_expired(h: &History, sale: &Sale<'_>, batch: BatchId) -> bool {
    let batch = h.world.batches.get(&batch);
    batch
        .and_then(|batch| batch.expires_at)
        .is_some_and(|from| sale.at() >= from)
}

/// Section 4: who sold first, or whether it was brought back before it was sold, cannot be told, the
/// intervals of the two events overlapping. A device knows the order of its own events.
fn order_uncertain(h: &History, k: usize, touch: &Touch, _: &UnitState) -> Option<Answer> {
    let j = match touch.row?.finding {
        Some(FindingCode::DoubleSale) => h.last_sale(k, &touch.unit)?,
        Some(FindingCode::SoldUninspected) => last_return(h, k, &touch.unit)?,
        _ => return None,
    };
    let (first, second) = (h.facts[j], h.facts[k]);
    if standing::device(first) == standing::device(second) {
        return None;
    }
    let (one, other) = (standing::interval(first), standing::interval(second));
    let begins = one.lo.max(other.lo);
    let ends = one.hi.min(other.hi);
    (begins <= ends).then(|| Answer {
        detail: Detail::Overlap {
            width_us: ends - begins,
        },
        ..answer(h, FindingCode::OrderUncertain, Some(j), k)
    })
}

/// The last time before `k` that the unit was brought back.
fn last_return(h: &History, k: usize, unit: &UnitKey) -> Option<usize> {
    (0..k).rev().find(|j| {
        let mut touches = h.moments[*j].touches.iter();
        touches.any(|touch| {
            let takes_back = |row: &Row| row.effect == Effect::TakeBack;
            touch.unit == *unit && touch.row.is_some_and(takes_back)
        })
    })
}

/// C5: the receipt the consumer showed (its number, or `no`, `lot` and `code`) is of another sale
/// than the one that stands, or names another lot or another unit. What is not told is not compared.
/// Lot and code on it are those of what was shown with it, not of what is inside that.
fn return_mismatch(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    if touch.act != Act::Return || before.phase == Phase::Destroyed {
        return None;
    }
    let receipt = h.facts[k].event.body.get("receipt")?;
    let item = |name: &str| receipt.get(name).and_then(serde_json::Value::as_str);
    let sale = match before.phase {
        Phase::Sold => h.last_sale(k, &touch.unit),
        _ => None,
    };
    let paper = sale.and_then(|j| h.facts[j].event.doc.clone());
    let other_number = paper.is_some_and(|paper| {
        let shown = receipt.as_str().or(item("no"));
        shown.is_some_and(|shown| shown != paper.no)
    });
    let itself = touch.chain.is_empty();
    let lot = before.batch.and_then(|batch| h.world.batches.get(&batch));
    let other_lot = lot
        .zip(item("lot"))
        .is_some_and(|(batch, shown)| batch.lot != shown);
    let shown = item("code").and_then(|code| trace_code::parse(code).ok());
    let other_unit = itself
        && shown
            .and_then(|scanned| UnitKey::of(&scanned.code))
            .is_some_and(|shown| shown != touch.unit);
    (other_number || (itself && other_lot) || other_unit)
        .then(|| answer(h, FindingCode::ReturnMismatch, sale, k))
}

/// C7: in no recall. A recall that began later, or was widened to it later, explains it. A
/// container without a batch of its own is covered as far as what it holds is (`of_contents`).
fn collect_unrecalled(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    let collects = touch.act == Act::Collect && before.phase != Phase::Destroyed;
    let record = &h.after[&touch.unit];
    let answers = record.batch.is_some() || batches_inside(h, k, &touch.unit).is_empty();
    let explained = recalled::explains(h.world, Some(&touch.unit), record.batch, h.facts[k]);
    (collects && answers && !explained).then(|| only(h, k, FindingCode::CollectUnrecalled))
}

/// C9.
fn sold_recalled(h: &History, k: usize, touch: &Touch, _: &UnitState) -> Option<Answer> {
    (touch.act == Act::Sale).then(|| sale_of_recalled(h, k, touch, sale_spans(h, k, touch)))?
}

/// The recalls that concern a sale. A batch is a thing of the record: it counts from wherever in the order it
/// is told.
fn sale_spans<'w>(h: &History<'w>, k: usize, touch: &Touch) -> Vec<&'w RecallSpan> {
    let batch = h.after[&touch.unit].batch;
    recalled::reaching_sale(h.world, &touch.unit, batch, &sale_of(h, k, touch))
}

fn sale_of_recalled(
    h: &History,
    k: usize,
    touch: &Touch,
    spans: Vec<&RecallSpan>,
) -> Option<Answer> {
    let sold = recalled::sold(h, spans, &sale_of(h, k, touch))?;
    Some(Answer {
        detail: Detail::SoldRecalled {
            recall: sold.recall,
            when: sold.when,
            knowledge: sold.knowledge,
        },
        ..only(h, k, FindingCode::SoldRecalled)
    })
}

/// C9: claim and delivery disagree about a recall.
fn knowledge_mismatch(h: &History, k: usize, touch: &Touch, _: &UnitState) -> Option<Answer> {
    (touch.act == Act::Sale).then(|| mismatch_of(h, k, touch, sale_spans(h, k, touch)))?
}

fn mismatch_of(h: &History, k: usize, touch: &Touch, spans: Vec<&RecallSpan>) -> Option<Answer> {
    let sold = recalled::sold(h, spans, &sale_of(h, k, touch))?;
    sold.mismatch
        .then(|| only(h, k, FindingCode::KnowledgeMismatch))
}

/// C13: expiry and recalls of what a container holds, judged once for each batch inside.
pub fn of_contents(h: &History, k: usize, touch: &Touch) -> Vec<(BatchId, Answer)> {
    let before = &h.moments[k].before[&touch.unit];
    let fact = h.facts[k];
    if !touch.counts {
        return Vec::new();
    }
    let ended = before.phase == Phase::Destroyed;
    let mut found = Vec::new();
    for batch in batches_inside(h, k, &touch.unit) {
        let spans = recalled::reaching_batch(h.world, batch, fact);
        let active = recalled::begun(spans, fact);
        let sold = recalled::reaching_sale_of_batch(h.world, batch, &sale_of(h, k, touch));
        let answers = match touch.act {
            Act::Sale => vec![
                is_expired(h, &sale_of(h, k, touch), batch)
                    .then(|| only(h, k, FindingCode::SoldExpired)),
                sale_of_recalled(h, k, touch, sold.clone()),
                mismatch_of(h, k, touch, sold),
            ],
            Act::Outbound if !ended => {
                let batch = h.world.batches.get(&batch);
                let issuer = batch.map(|batch| batch.issuer);
                let astray = recalled::ships_astray(h, &active, issuer, fact);
                vec![astray.then(|| only(h, k, FindingCode::ShipRecalled))]
            }
            Act::Inspect if !ended => {
                let frees = fact.event.disposition == Some(Disposition::Sellable);
                let released = frees && !active.is_empty();
                vec![released.then(|| only(h, k, FindingCode::ReleaseRecalled))]
            }
            Act::Collect if !ended => {
                let unrecalled = !recalled::explains(h.world, None, Some(batch), fact);
                vec![unrecalled.then(|| only(h, k, FindingCode::CollectUnrecalled))]
            }
            _ => Vec::new(),
        };
        found.extend(answers.into_iter().flatten().map(|answer| (batch, answer)));
    }
    found
}

/// The batches of what is inside a container, other than its own. A batch is a thing of the record:
/// it counts from wherever in the order it is told.
fn batches_inside(h: &History, k: usize, container: &UnitKey) -> BTreeSet<BatchId> {
    let units = &h.moments[k].before;
    let mut batches = BTreeSet::new();
    for child in invited(units, container) {
        batches.extend(h.after[&child].batch);
        batches.extend(all_inside(h, k, &child));
    }
    let own = units[container].batch;
    batches.retain(|batch| Some(*batch) != own);
    batches
}

/// What is inside a container by the word of somebody who had a say in that.
fn invited(units: &Snapshot, container: &UnitKey) -> Vec<UnitKey> {
    let mut children = inside(units, container);
    children.retain(|child| !units[child].uninvited);
    children
}

fn all_inside(h: &History, k: usize, container: &UnitKey) -> BTreeSet<BatchId> {
    let mut batches = BTreeSet::new();
    for child in invited(&h.moments[k].before, container) {
        batches.extend(h.after[&child].batch);
        batches.extend(all_inside(h, k, &child));
    }
    batches
}

/// C12: it must have left its container.
fn implied_unpack(h: &History, k: usize, touch: &Touch, _: &UnitState) -> Option<Answer> {
    touch.left.as_ref()?;
    let pack = h.last_pack(k, &touch.unit);
    Some(answer(h, FindingCode::ImpliedUnpack, pack, k))
}

/// C12: fewer children than declared. A child may be a unit or so many of a lot.
fn short_pack(h: &History, k: usize, touch: &Touch, before: &UnitState) -> Option<Answer> {
    let event = &*h.facts[k].event;
    let expected = event.declared?;
    let unread = event
        .units
        .iter()
        .filter(|read| read.unit.is_none())
        .count();
    let loose: u64 = event.lots.iter().map(|line| line.qty).sum();
    let there = (h.named(k).len() + unread) as u64 + loose;
    let packs = touch.act == Act::PackedUp && before.phase != Phase::Destroyed;
    (packs && there < u64::from(expected)).then(|| Answer {
        detail: Detail::Count {
            expected: i64::from(expected),
            there: there as i64,
        },
        ..only(h, k, FindingCode::ShortPack)
    })
}

/// C15: lot, expiry or best before in the code are not those of the batch on record.
fn code_contradicts_record(h: &History, k: usize, touch: &Touch, _: &UnitState) -> Option<Answer> {
    let event = &*h.facts[k].event;
    let after = h.moments.get(k + 1).map_or(&h.after, |next| &next.before);
    let batch = h.world.batches.get(&after[&touch.unit].batch?)?;
    let contradicts = event
        .units
        .iter()
        .chain(&event.parent)
        .filter(|read| read.unit.as_ref() == Some(&touch.unit))
        .filter_map(|read| read.scanned)
        .any(|scanned| {
            let lot = scanned.claims.lot;
            let other_day = |printed: Option<[u8; 6]>| {
                printed.is_some_and(|day| printed_end(day) != batch.expires_at)
            };
            lot.is_some_and(|lot| lot.as_str() != batch.lot)
                || other_day(scanned.claims.expiry)
                || other_day(scanned.claims.best_before)
        });
    (touch.chain.is_empty() && contradicts).then(|| {
        let told = h.last_commission(k + 1, &touch.unit);
        answer(h, FindingCode::CodeContradictsRecord, told, k)
    })
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

/// C11: a complete count at its place did not see it. Asked of every unit, not of touched ones.
/// What is in a container is answered for by the container; a count of several documents (a group)
/// sees what any of them sees, and has seen everything with its last. Only the first count says so, until
/// something happens to the unit.
pub fn missing_at_count(h: &History, k: usize, unit: &UnitKey) -> Option<Answer> {
    let happened = h.last_touch(k, unit);
    let since = happened.map_or(0, |j| j + 1);
    let told = (since..k).any(|j| misses(h, j, unit));
    (misses(h, k, unit) && !told).then(|| {
        let arrived = h.last_change(k, unit);
        answer(h, FindingCode::MissingAtCount, arrived, k)
    })
}

/// Did this count not see a unit that should have been there?
fn misses(h: &History, k: usize, unit: &UnitKey) -> bool {
    if h.facts[k].event.kind != Kind::Count || h.fates[k] != Fate::Counts {
        return false;
    }
    let units = &h.moments[k].before;
    let before = &units[unit];
    let here = h.facts[k].event.location;
    let kept = matches!(
        before.phase,
        Phase::InStock | Phase::Returned | Phase::Collected
    );
    let expected = kept && before.place == Place::At(here) && before.inside.is_none();
    // What is missing at somebody's place is for them to say: so it is of all that is there.
    let counts = holders::counts(h.world, unit, before, h.facts[k]);
    let mut documents = documents(h, k);
    documents.retain(|j| h.facts[*j].event.location == here);
    let last = documents.last() == Some(&k);
    let seen = documents.iter().any(|j| h.named(*j).contains(unit));
    expected && counts && last && !seen && in_scope(h, k, units, unit)
}

/// The documents of a count, in order.
pub fn documents(h: &History, k: usize) -> Vec<usize> {
    let of = |k: usize| {
        let group = h.facts[k].event.group?;
        Some((h.facts[k].enterprise, group.id))
    };
    if of(k).is_none() {
        return vec![k];
    }
    (0..h.facts.len())
        .filter(|j| h.facts[*j].event.kind == Kind::Count && h.fates[*j] == Fate::Counts)
        .filter(|j| of(*j) == of(k))
        .collect()
}

/// Did the count mean to see everything of the unit's product, or of a product inside it?
fn in_scope(h: &History, k: usize, units: &Snapshot, unit: &UnitKey) -> bool {
    let record = units[unit]
        .batch
        .and_then(|batch| h.world.batches.get(&batch));
    let of_batch = |batch: &BatchInfo| (batch.issuer, batch.product.clone());
    let own = holders::gtin(unit).or(record.map(|batch| batch.product.as_str()));
    let product = batches::product(h.world, unit).or(record.map(of_batch));
    let mut inside = batches_inside(h, k, unit).into_iter();
    is_complete_for(h, k, own, product.as_ref())
        || inside.any(|batch| {
            let batch = h.world.batches.get(&batch);
            batch.is_some_and(|batch| {
                is_complete_for(h, k, Some(&batch.product), Some(&of_batch(batch)))
            })
        })
}

/// The body's `scope` is `{"complete": true, "gtins": […]?}`. What is counted may be called otherwise
/// there than on the goods, as long as one product is meant.
pub fn is_complete_for(
    h: &History,
    k: usize,
    name: Option<&str>,
    product: Option<&(EnterpriseId, String)>,
) -> bool {
    let fact = h.facts[k];
    let is_it = |said: &String| {
        let meant = batches::said_by(h.world, said, fact.enterprise);
        name == Some(said) || (meant.is_some() && meant.as_ref() == product)
    };
    match counted(&fact.event) {
        Counted::Seen => false,
        Counted::Everything => true,
        Counted::AllOf(within) => within.iter().any(is_it),
    }
}

/// What a count saw.
pub enum Counted {
    /// What it names.
    Seen,
    /// Everything there is.
    Everything,
    /// Everything that is called so.
    AllOf(Vec<String>),
}

/// Short numbers are padded.
pub fn counted(event: &Event) -> Counted {
    let nothing = serde_json::Value::Null;
    let scope = event.body.get("scope").unwrap_or(&nothing);
    if scope["complete"] != true {
        return Counted::Seen;
    }
    let is_short = |text: &str| [8, 12, 13].contains(&text.len());
    let padded = |text: &str| match text.parse::<u64>() {
        Ok(_) if is_short(text) => format!("{text:0>14}"),
        _ => text.to_owned(),
    };
    match scope["gtins"].as_array() {
        None => Counted::Everything,
        Some(said) => {
            let said = said.iter().filter_map(|one| one.as_str());
            Counted::AllOf(said.map(padded).collect())
        }
    }
}
