//! Goods of a lot that were sold, shipped, collected or found sellable, held against what is on record of their
//! batch (C3, C4, C6, C7, C9): the batch with that product and lot. Of a lot that is not on record nobody filed an
//! expiry, and no recall covers it.
//!
//! What it is held against is told by the rules of units; it must not know balances. A finding here
//! depends on one event and on what is on record, on nothing that happened to the line besides.

use super::{
    Change, Movement,
    change::{keeps_back, named, releases},
};
use crate::{
    event::Kind,
    facts::{Fact, Product, World},
    finding::{Detail, Finding, FindingCode, LotKey, Subject},
    fold::{covering, expired, explained, of_sale, strays},
    ids::{BatchId, EnterpriseId},
    order::Order,
};
use std::collections::BTreeMap;

/// What is found by [`judged()`], and by nothing else about a line.
pub const CODES: [FindingCode; 6] = [
    FindingCode::ShipRecalled,
    FindingCode::ReleaseRecalled,
    FindingCode::SoldExpired,
    FindingCode::CollectUnrecalled,
    FindingCode::SoldRecalled,
    FindingCode::KnowledgeMismatch,
];

/// Is what an event of this kind did of goods of a lot held against their batch?
pub const fn is_judged(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Outbound | Kind::Sale | Kind::Collect | Kind::Inspect
    )
}

/// The product that goods of a line are of, if it is on record. The goods at a place are its enterprise's, so
/// what is called by a product code there is a product of that enterprise; at a place that is on no record,
/// of whoever states it.
pub fn product_of<'w>(
    key: &'w LotKey,
    stater: EnterpriseId,
    world: &'w World,
) -> Option<Product<'w>> {
    let place = world.places.get(&key.location);
    let whose = place.map_or(stater, |place| place.enterprise);
    world.product_said(&key.gtin, whose)
}

/// The batch of goods of a line, if it is on record: of their product and their lot.
pub fn batch_of(key: &LotKey, stater: EnterpriseId, world: &World) -> Option<BatchId> {
    let product = product_of(key, stater, world)?;
    let mut of_lot = world.batches.with_lot(key.lot.as_deref()?);
    of_lot.find_map(|(id, batch)| batch.is_of(product).then_some(id))
}

/// Did goods go by this change, or were they fetched back or found sellable?
pub const fn takes_away(change: Change) -> bool {
    match change {
        Change::Out { qty } | Change::Away { qty } | Change::Collected { qty } => qty > 0,
        Change::Carried(moves) => moves.takes_away(),
        Change::Released { .. } => true,
        Change::In { .. } | Change::Counted { .. } | Change::Found { .. } => false,
    }
}

/// What is wrong with goods of a line having gone by an event: where that happened. A line that they were in
/// until then, unsaid, is not where.
pub fn judged(fact: &Fact, key: &LotKey, world: &World) -> Vec<Finding> {
    if !is_judged(fact.event.kind) || fact.event.location != key.location {
        return Vec::new();
    }
    let batch = batch_of(key, fact.enterprise, world);
    let spans = match batch {
        Some(_) => covering(world, None, batch),
        None => Vec::new(),
    };
    let mut out = Vec::new();
    let mut find = |code, detail| out.push(about(fact, key, code, detail));
    match fact.event.kind {
        Kind::Outbound => {
            let issuer = batch.and_then(|batch| world.batches.get(&batch));
            let issuer = issuer.map(|batch| batch.issuer);
            if strays(world, fact, &spans, issuer) {
                find(FindingCode::ShipRecalled, Detail::Nothing);
            }
        }
        Kind::Collect if batch.is_none() || !explained(world, None, batch, fact.order) => {
            find(FindingCode::CollectUnrecalled, Detail::Nothing);
        }
        Kind::Sale => {
            if batch.is_some_and(|batch| expired(world, batch, fact)) {
                find(FindingCode::SoldExpired, Detail::Nothing);
            }
            if let Some((sold, mismatch)) = of_sale(world, fact, &spans) {
                find(FindingCode::SoldRecalled, sold);
                if mismatch {
                    find(FindingCode::KnowledgeMismatch, Detail::Nothing);
                }
            }
        }
        // Of none that are named, nothing is found.
        Kind::Inspect
            if releases(&fact.event)
                && keeps_back(&spans, fact.order)
                && named(&fact.event).get(key) != Some(&0) =>
        {
            find(FindingCode::ReleaseRecalled, Detail::Nothing);
        }
        _ => {}
    }
    out
}

/// The same of all movements of all lines: for whoever folds a whole log.
pub fn all_judged(
    movements: &BTreeMap<LotKey, Vec<Movement>>,
    facts: &[&Fact],
    world: &World,
) -> BTreeMap<LotKey, Vec<Finding>> {
    let judged_facts = facts.iter().filter(|fact| is_judged(fact.event.kind));
    let facts: BTreeMap<Order, &Fact> = judged_facts.map(|fact| (fact.order, *fact)).collect();
    let mut out = BTreeMap::new();
    for (key, movements) in movements {
        let gone = movements.iter().filter(|row| takes_away(row.change));
        let facts = gone.filter_map(|row| facts.get(&row.order));
        let found: Vec<Finding> = facts.flat_map(|fact| judged(fact, key, world)).collect();
        if !found.is_empty() {
            out.insert(key.clone(), found);
        }
    }
    out
}

fn about(fact: &Fact, key: &LotKey, code: FindingCode, detail: Detail) -> Finding {
    Finding {
        code,
        subject: Subject::Lot(key.clone()),
        event: fact.event.id,
        device: fact.event.device,
        batch: None,
        witnesses: vec![fact.event.id],
        detail,
    }
}
