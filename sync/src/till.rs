//! What a till decides of goods in front of it, offline (sync.md section 7): from what the code says
//! of itself, the unit's card, the recall list, and what happened here.
//!
//! Serials reveal batch and expiry only to the server, so each source is asked for what it can know,
//! and the stricter word wins. Every reason is told; the gravest gives the advice. "Recalled" is
//! only said on a lot in the code, a card, or an exact entry of the list, never on a filter's word.
//!
//! It must not know the server, a clock, or how lists are fetched.

mod here;
mod typed;

pub use here::{Became, Here};
pub use typed::{Typed, decide_typed, graver, meant};

use crate::{
    event::Disposition,
    fold::{Phase, contradicts, ends},
    ids::{BatchId, Gseq, Micros, RecallId},
    recall_list::{Marks, UnitHash, UnitList},
    trace_code::{Claims, Scanned, TraceCode},
    unit::UnitKey,
    wire::{RecalledBatch, UnitCard},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a cashier is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Sell.
    Ok,
    /// Look twice, then decide.
    Ask,
    /// Do not sell; a supervisor may overrule, and the sale then says so.
    Stop,
}

/// Why not simply [`Advice::Ok`]. Names are stable: they stand in `override.code` of a sale.
/// Declared gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// An open recall covers it (召回).
    Recalled,
    /// Past its expiry (过期).
    Expired,
    /// Its code was destroyed before use (作废).
    Void,
    /// It was destroyed.
    Destroyed,
    /// It was fetched back under a recall.
    Collected,
    /// Lot or expiry in the code differ from the batch on record.
    CodeContradictsRecord,
    /// It was sold and not returned.
    Sold,
    /// It was returned and nobody inspected it.
    Uninspected,
    /// An inspection keeps it back, or wants it destroyed.
    Held,
    /// Something its card shows was struck here since: what it is without that nobody here knows.
    Struck,
    /// The code names a product or a batch: of this very unit nothing can be known.
    NamesNoUnit,
    /// Neither code nor card tell when it expires, or that it does not.
    ExpiryUnknown,
    /// There is no recall list here.
    NoList,
    /// The recall list is older than it may be.
    StaleList,
}

impl Reason {
    /// All of them, gravest first.
    pub const ALL: [Reason; 14] = [
        Reason::Recalled,
        Reason::Expired,
        Reason::Void,
        Reason::Destroyed,
        Reason::Collected,
        Reason::CodeContradictsRecord,
        Reason::Sold,
        Reason::Uninspected,
        Reason::Held,
        Reason::Struck,
        Reason::NamesNoUnit,
        Reason::ExpiryUnknown,
        Reason::NoList,
        Reason::StaleList,
    ];

    /// What this alone advises.
    pub const fn advice(self) -> Advice {
        match self {
            Reason::Recalled
            | Reason::Expired
            | Reason::Void
            | Reason::Destroyed
            | Reason::Collected
            | Reason::CodeContradictsRecord
            | Reason::Sold
            | Reason::Uninspected
            | Reason::Held => Advice::Stop,
            Reason::Struck
            | Reason::NamesNoUnit
            | Reason::ExpiryUnknown
            | Reason::NoList
            | Reason::StaleList => Advice::Ask,
        }
    }
}

/// What a till says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What to do.
    pub advice: Advice,
    /// Why, gravest first.
    pub reasons: BTreeSet<Reason>,
    /// The recalls that are known by name to cover it: what an overruled sale names.
    pub recalls: BTreeSet<RecallId>,
    /// The earliest instant at which any source says it is expired.
    pub expires_at: Option<Micros>,
    /// The unit this is said of, where that is not what the code says: what may be meant by it
    /// ([`decide_typed`]), or what is in it ([`holding`]).
    pub taken_for: Option<UnitKey>,
}

/// The recall list a till holds, ready to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldList {
    /// The log position it was made at.
    pub version: Gseq,
    /// When it was made.
    pub made_at: Micros,
    units: UnitList,
    by_lot: BTreeMap<(String, String), BTreeSet<RecallId>>,
    by_batch: BTreeMap<BatchId, BTreeSet<RecallId>>,
}

impl HeldList {
    /// A list of these batches and units. A batch stands in it once for each GTIN its codes carry.
    pub fn new(
        version: Gseq,
        made_at: Micros,
        batches: impl IntoIterator<Item = RecalledBatch>,
        units: UnitList,
    ) -> HeldList {
        let mut list = HeldList {
            version,
            made_at,
            units,
            ..HeldList::default()
        };
        for row in batches {
            let by_batch = list.by_batch.entry(row.batch).or_default();
            by_batch.insert(row.recall);
            let by_lot = list.by_lot.entry((row.gtin, row.lot)).or_default();
            by_lot.insert(row.recall);
        }
        list
    }

    fn of_lot(&self, gtin: &str, lot: &str) -> impl Iterator<Item = RecallId> {
        let key = (gtin.to_owned(), lot.to_owned());
        self.by_lot.get(&key).into_iter().flatten().copied()
    }

    fn of_batch(&self, batch: BatchId) -> impl Iterator<Item = RecallId> {
        self.by_batch.get(&batch).into_iter().flatten().copied()
    }
}

/// What a till holds besides what it is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Till<'a> {
    /// Now, as well as the till knows.
    pub now: Micros,
    /// Its recall list.
    pub list: Option<&'a HeldList>,
    /// How old that may be.
    pub list_age_max: Micros,
}

/// Goods in front of it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The code, as it was read.
    pub scanned: &'a Scanned,
    /// The unit's card, if there is one here.
    pub card: Option<&'a UnitCard>,
    /// What became of it by this device's own events that the card does not show yet
    /// ([`Here::became`]).
    pub here: Option<Became>,
}

/// Decides, by what the code says.
pub fn decide(asked: &Asked<'_>, till: &Till<'_>) -> Decision {
    let mut reasons = BTreeSet::new();
    let mut recalls = BTreeSet::new();
    let unit = UnitKey::of(&asked.scanned.code);
    if unit.is_none() {
        reasons.insert(Reason::NamesNoUnit);
    }
    // A card of something else says nothing.
    let card = asked.card.filter(|card| unit.as_ref() == Some(&card.unit));

    let marks = listed(unit.as_ref(), till.list);
    for (mark, reason) in [
        (Marks::RECALLED, Reason::Recalled),
        (Marks::VOID, Reason::Void),
        (Marks::DESTROYED, Reason::Destroyed),
        (Marks::COLLECTED, Reason::Collected),
    ] {
        if marks.has(mark) {
            reasons.insert(reason);
        }
    }
    if let Some(list) = till.list {
        recalls.extend(of_code(asked.scanned, list));
        let held = card.into_iter().flat_map(|card| &card.holds);
        let batches = card.and_then(|card| card.batch).into_iter();
        let batches = batches.chain(held.map(|held| held.batch));
        recalls.extend(batches.flat_map(|batch| list.of_batch(batch)));
        if till.now.saturating_sub(list.made_at) > till.list_age_max {
            reasons.insert(Reason::StaleList);
        }
    } else {
        reasons.insert(Reason::NoList);
    }
    if let Some(card) = card {
        recalls.extend(card.recalls.iter().copied());
        of_card(card, &mut reasons);
        // A card that knows a batch knows its lot, and its day if it has one.
        if card.batch.is_some()
            && contradicts(&asked.scanned.claims, card.lot.as_deref(), card.expires_at)
        {
            reasons.insert(Reason::CodeContradictsRecord);
        }
    }
    if !recalls.is_empty() {
        reasons.insert(Reason::Recalled);
    }
    let by_card = card.map(|card| Became::Is(card.phase));
    reasons.extend(asked.here.or(by_card).and_then(of_became));

    let own = expiry(&asked.scanned.claims, card);
    let held = card.into_iter().flat_map(|card| &card.holds);
    let expires_at = held.filter_map(|held| held.expires_at).chain(own).min();
    if expires_at.is_some_and(|at| till.now >= at) {
        reasons.insert(Reason::Expired);
    }
    // A batch on record without an expiry does not expire.
    let is_known = own.is_some() || card.is_some_and(|card| card.batch.is_some());
    if !is_known || card.is_some_and(|card| card.holds_more) {
        reasons.insert(Reason::ExpiryUnknown);
    }
    let advice = reasons.iter().map(|reason| reason.advice()).max();
    Decision {
        advice: advice.unwrap_or(Advice::Ok),
        reasons,
        recalls,
        expires_at,
        taken_for: None,
    }
}

/// A decision on a container with something that is in it, since whoever sells the one sells the other: the graver
/// counts, and of equally grave ones what was said before.
pub fn holding(decision: Decision, inside: &Asked<'_>, till: &Till<'_>) -> Decision {
    let taken_for = UnitKey::of(&inside.scanned.code);
    let other = decide(inside, till);
    graver(decision, Decision { taken_for, ..other })
}

fn listed(unit: Option<&UnitKey>, list: Option<&HeldList>) -> Marks {
    match (unit, list) {
        (Some(unit), Some(list)) => list.units.marks(UnitHash::of(unit)),
        _ => Marks::NONE,
    }
}

/// Recalls of the batch that the code itself names.
fn of_code(scanned: &Scanned, list: &HeldList) -> Vec<RecallId> {
    match (&scanned.code, &scanned.claims.lot) {
        (TraceCode::Gtin(code), Some(lot)) => list.of_lot(code.gtin.as_str(), lot).collect(),
        _ => Vec::new(),
    }
}

/// What speaks against goods that became this.
const fn of_became(became: Became) -> Option<Reason> {
    match became {
        Became::Held => Some(Reason::Held),
        Became::Struck => Some(Reason::Struck),
        Became::Is(Phase::Sold) => Some(Reason::Sold),
        Became::Is(Phase::Returned) => Some(Reason::Uninspected),
        Became::Is(Phase::Collected) => Some(Reason::Collected),
        Became::Is(Phase::Destroyed) => Some(Reason::Destroyed),
        Became::Is(Phase::Unknown | Phase::Commissioned | Phase::InStock | Phase::InTransit) => {
            None
        }
    }
}

/// What a card says against its unit whatever happened here since.
fn of_card(card: &UnitCard, reasons: &mut BTreeSet<Reason>) {
    if card.void {
        reasons.insert(Reason::Void);
    }
    match card.phase {
        Phase::Collected => {
            reasons.insert(Reason::Collected);
        }
        Phase::Destroyed => {
            reasons.insert(Reason::Destroyed);
        }
        Phase::Unknown
        | Phase::Commissioned
        | Phase::InStock
        | Phase::InTransit
        | Phase::Sold
        | Phase::Returned => {}
    }
    match card.disposition {
        Some(Disposition::Hold | Disposition::Destroy) => {
            reasons.insert(Reason::Held);
        }
        Some(Disposition::Sellable) | None => {}
    }
}

/// The strictest of what code and card say: whoever forges a code prints a later day.
fn expiry(claims: &Claims, card: Option<&UnitCard>) -> Option<Micros> {
    let recorded = card.and_then(|card| card.expires_at);
    ends(claims).chain(recorded).min()
}
