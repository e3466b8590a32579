//! C3, C4, C6, C7 and C9 for goods without codes of their own: an event that takes goods of a lot away from
//! a place, by what it names or by a container, is judged by the batch on record with that product and
//! lot. Where there is none, nothing is known of expiry or recalls.

use super::{
    batches::said_by,
    lots::{is_inspected, named},
    recalled,
    replay::History,
    standing::Sale,
};
use crate::{
    event::{Event, Kind},
    facts::Fact,
    finding::{Detail, FindingCode, LotKey},
    ids::BatchId,
};

/// What is wrong with goods of this line having gone by this event.
pub fn wrong(h: &History, line: &LotKey, k: usize) -> Vec<(FindingCode, Detail)> {
    let fact = h.facts[k];
    let batch = batch(h, line, fact);
    let spans = match batch {
        Some(batch) => recalled::reaching_batch(h.world, batch, fact),
        None => Vec::new(),
    };
    let followed = batch.is_some() && recalled::explains(h.world, None, batch, fact);
    let mut wrong = Vec::new();
    let mut plain = |code| wrong.push((code, Detail::Nothing));
    match fact.event.kind {
        Kind::Outbound => {
            let active = recalled::begun(spans, fact);
            let issuer = batch.map(|batch| h.world.batches[&batch].issuer);
            if recalled::ships_astray(h, &active, issuer, fact) {
                plain(FindingCode::ShipRecalled);
            }
        }
        Kind::Collect if !followed => plain(FindingCode::CollectUnrecalled),
        Kind::Sale => {
            let sale = Sale::of_lots(fact);
            let expiry = batch.and_then(|batch| h.world.batches[&batch].expires_at);
            if expiry.is_some_and(|from| sale.at() >= from) {
                plain(FindingCode::SoldExpired);
            }
            let spans = batch.map(|batch| recalled::reaching_sale_of_batch(h.world, batch, &sale));
            if let Some(sold) = recalled::sold(h, spans.unwrap_or_default(), &sale) {
                if sold.mismatch {
                    plain(FindingCode::KnowledgeMismatch);
                }
                let detail = Detail::SoldRecalled {
                    recall: sold.recall,
                    when: sold.when,
                    knowledge: sold.knowledge,
                };
                wrong.push((FindingCode::SoldRecalled, detail));
            }
        }
        // What is named of it itself, and kept back, the line says.
        Kind::Inspect
            if is_inspected(&fact.event)
                && !names(&fact.event, line)
                && is_under_recall(h, line, fact) =>
        {
            plain(FindingCode::ReleaseRecalled);
        }
        _ => {}
    }
    wrong
}

/// Does it name any of this line?
fn names(event: &Event, line: &LotKey) -> bool {
    named(event).contains_key(line)
}

/// C6: is a recall of their batch in force when something happens to goods of this line?
pub fn is_under_recall(h: &History, line: &LotKey, fact: &Fact) -> bool {
    let spans = batch(h, line, fact).map(|batch| recalled::reaching_batch(h.world, batch, fact));
    !recalled::begun(spans.unwrap_or_default(), fact).is_empty()
}

/// The batch on record. A GTIN of a case or another pack of a product stands for the product; a product
/// code, for a product of the enterprise whose goods these are.
fn batch(h: &History, line: &LotKey, fact: &Fact) -> Option<BatchId> {
    let lot = line.lot.as_ref()?;
    let place = h.world.places.get(&line.location);
    let whose = place.map_or(fact.enterprise, |place| place.enterprise);
    let (issuer, product) = said_by(h.world, &line.gtin, whose)?;
    let of = |batch: &BatchId| {
        let batch = &h.world.batches[batch];
        (batch.issuer, &batch.lot, &batch.product) == (issuer, lot, &product)
    };
    h.world.batches.keys().copied().find(of)
}
