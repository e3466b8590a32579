//! C1: the batch that a commission names. Every batch on record is asked whether it may be meant, and
//! whether what is said fits it.

use super::{
    holders::{gtin, issuer},
    replay::History,
};
use crate::{
    event::LotLine,
    facts::{BatchInfo, Fact, World},
    ids::{BatchId, EnterpriseId},
    trace_code::Gtin,
    unit::UnitKey,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What is said of a unit's batch.
enum Said {
    Nothing,
    Id(Uuid, String),
    Lot(String),
    Lines(Vec<LotLine>),
}

/// The batch that is named, if it is on record and may be meant.
pub fn named(history: &History, fact: &Fact, unit: &UnitKey) -> Option<BatchId> {
    let fitting = fitting(history.world, fact, unit);
    (fitting.len() == 1).then(|| fitting[0])
}

/// What is named and is no batch that may be meant.
pub fn not_on_record(history: &History, fact: &Fact, unit: &UnitKey) -> BTreeSet<String> {
    if named(history, fact, unit).is_some() {
        return BTreeSet::new();
    }
    match said(history.world, fact, unit) {
        Said::Nothing => BTreeSet::new(),
        Said::Id(_, text) | Said::Lot(text) => BTreeSet::from([text]),
        Said::Lines(lines) => lines.into_iter().filter_map(|line| line.lot).collect(),
    }
}

fn fitting(world: &World, fact: &Fact, unit: &UnitKey) -> Vec<BatchId> {
    let said = said(world, fact, unit);
    let product = product(world, unit);
    let mut out = Vec::new();
    for (id, batch) in world.batches.iter() {
        let its_own = match &product {
            Some(product) => *product == (batch.issuer, batch.product.clone()),
            None if gtin(unit).is_some() => false,
            None => batch.issuer == issuer(world, unit).unwrap_or(fact.enterprise),
        };
        let fits = match &said {
            Said::Nothing => false,
            Said::Id(named, _) => id.0 == *named,
            Said::Lot(lot) => {
                let mut lines = fact.event.lots.iter();
                let told = product.is_some() || lines.any(|line| calls(world, line, batch));
                told && batch.lot == *lot
            }
            Said::Lines(lines) => lines
                .iter()
                .any(|line| line.lot.as_deref() == Some(&batch.lot) && calls(world, line, batch)),
        };
        if its_own && fits {
            out.push(*id);
        }
    }
    out
}

/// The body's `batch`, an id or a lot; lines of its GTIN, else of its product; the lot in its code.
fn said(world: &World, fact: &Fact, unit: &UnitKey) -> Said {
    let event = &*fact.event;
    let text = event.body.get("batch").and_then(|said| said.as_str());
    let text = text.unwrap_or_default().to_owned();
    if let Ok(id) = Uuid::parse_str(&text) {
        return Said::Id(id, text);
    }
    if !text.is_empty() {
        return Said::Lot(text);
    }
    let own_gtin = |line: &&LotLine| gtin(unit) == Some(line.gtin.as_str());
    let own = product(world, unit);
    let means_own = |line: &LotLine| {
        let own = own.as_ref()?;
        Some(said_by(world, &line.gtin, own.0)? == *own)
    };
    let any_is_own = event.lots.iter().any(|line| own_gtin(&line));
    let speaks = |line: &&LotLine| match (&own, gtin(unit)) {
        _ if any_is_own => own_gtin(line),
        (Some(_), _) => means_own(line) == Some(true),
        (None, Some(_)) => false,
        (None, None) => true,
    };
    let lines: Vec<LotLine> = event.lots.iter().filter(speaks).cloned().collect();
    if lines.iter().any(|line| line.lot.is_some()) {
        return Said::Lines(lines);
    }
    // A lot on a code that names no product says nothing.
    let mut reads = event.units.iter();
    let read = reads.find(|read| read.unit.as_ref() == Some(unit));
    match read.and_then(|read| read.scanned?.claims.lot) {
        Some(lot) if own.is_some() || gtin(unit).is_some() => Said::Lot(lot.to_string()),
        _ => Said::Nothing,
    }
}

/// Does the line name the product of this batch?
fn calls(world: &World, line: &LotLine, batch: &BatchInfo) -> bool {
    said_by(world, &line.gtin, batch.issuer) == Some((batch.issuer, batch.product.clone()))
}

/// Whose product a code was issued for, and its name: on record of the unit, else of its GTIN.
pub fn product(world: &World, unit: &UnitKey) -> Option<(EnterpriseId, String)> {
    if let Some(info) = world.units.get(unit)
        && let (Some(issuer), Some(product)) = (info.issuer, &info.product)
    {
        return Some((issuer, product.to_string()));
    }
    on_codes(world, gtin(unit)?)
}

/// The product that stands on codes so: a GTIN, or `ENTERPRISE.CODE`.
pub fn on_codes(world: &World, text: &str) -> Option<(EnterpriseId, String)> {
    let issuer = world.products.get(text)?;
    let name = world.product_of.get(text).map_or(text, String::as_str);
    Some((*issuer, name.to_owned()))
}

/// What an enterprise means by a text: what stands on codes, of whoever it is; a GTIN means nothing else;
/// and the code of a product of its own.
pub fn said_by(world: &World, text: &str, whose: EnterpriseId) -> Option<(EnterpriseId, String)> {
    if world.products.contains_key(text) || Gtin::parse(text).is_ok() {
        return on_codes(world, text);
    }
    let own = world.own_products.get(&whose)?;
    own.contains_key(text).then(|| (whose, text.to_owned()))
}
