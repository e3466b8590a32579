//! Finds out which units of ours were meant by codes that people typed (sync.md section 1: small letters and
//! look-alikes of minted serials), before a push is put in the queue. Only issue keys tell, so this is not for
//! the rules. What is found is kept beside the event.

use super::{PushError, store::write_meant};
use crate::{
    db::Db,
    handheld::{units::read::Reading, world::Source},
    log::Position,
};
use sea_orm::ConnectionTrait;
use std::{collections::BTreeSet, sync::Arc};
use suyuan_sync::{
    admission::{Batch, Read},
    event::Event,
    unit::UnitKey,
};

/// Has the events of a push name what was meant.
pub async fn find(reading: &Reading, db: &Db, batch: &mut Batch) -> Result<(), PushError> {
    let events = batch.events.iter().filter_map(|event| event.read.event());
    let may: BTreeSet<UnitKey> = events.flat_map(|event| event.may_mean()).collect();
    if may.is_empty() {
        return Ok(());
    }
    let mut snapshot = reading.begin(db).await?;
    let mut meant = BTreeSet::new();
    // Nothing was minted under what is on no record; it costs nothing to make such up.
    let of_ours = |unit: &UnitKey| {
        unit.gtin()
            .is_some_and(|gtin| snapshot.world().product_on_codes(gtin).is_some())
    };
    let may: Vec<UnitKey> = may.into_iter().filter(of_ours).collect();
    for unit in may {
        if snapshot.code(&unit).await?.is_some() {
            meant.insert(unit);
        }
    }
    if meant.is_empty() {
        return Ok(());
    }
    for event in &mut batch.events {
        if let Read::Event(event) = &mut event.read
            && !event.may_mean().is_disjoint(&meant)
        {
            Arc::make_mut(event).mean(&meant);
        }
    }
    Ok(())
}

/// Keeps what was meant by an event that came in before it could be read.
pub async fn note(
    source: &mut Source,
    conn: &impl ConnectionTrait,
    gseq: Position,
    event: &Event,
) -> Result<(), PushError> {
    let mut meant = BTreeSet::new();
    for unit in event.may_mean() {
        if source.code(conn, &unit).await?.is_some() {
            meant.insert(unit);
        }
    }
    if let Some(meant) = told(&meant) {
        write_meant(conn, gseq, &meant).await?;
    }
    Ok(())
}

/// What was meant, as it stands in a column: nothing for nearly all events.
pub fn told(meant: &BTreeSet<UnitKey>) -> Option<String> {
    let keys: Vec<&str> = meant.iter().map(UnitKey::as_str).collect();
    (!keys.is_empty()).then(|| keys.join(" "))
}

/// The same the other way round.
pub fn of_column(text: Option<&str>) -> BTreeSet<UnitKey> {
    let keys = text.into_iter().flat_map(|text| text.split(' '));
    keys.map(UnitKey::kept).collect()
}
