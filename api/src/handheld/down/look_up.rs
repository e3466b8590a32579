//! What is known of codes that somebody holds in front of a device: of units that something happened to
//! by their rows, of all others by the record of codes, as `GET /v1/units/{code}` reads it.
//!
//! Recalls are told as of the answer: rows name them once slices have come by.
//!
//! Read only. Who may know what is said in `holder`.

use super::{
    holder::as_known,
    left_store,
    unit_store::{self as units, Known},
};
use crate::{
    app::Internal,
    clock::Micros,
    codes::ring::Opener,
    handheld::{units::read::Snapshot, world::WorldError},
    http::device::DeviceKnown,
    log::Position,
    resolver::decide::Standing,
};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    fold::UnitState,
    ids::{BatchId, EnterpriseId, LocationId},
    unit::UnitKey,
    wire::UnitCard,
};
use uuid::Uuid;

/// Cards, and as of when they are.
#[derive(Debug)]
pub struct LookedUp {
    /// Of what the enterprise may know of.
    pub cards: BTreeMap<UnitKey, UnitCard>,
    /// The position.
    pub position: Position,
    /// Its stamp.
    pub stamp: Micros,
    /// Up to which instant what counts shows in the cards.
    pub told_until: Micros,
}

/// Of a unit its product, what it is, and the batches in it.
type Unit = (Option<Uuid>, UnitState, BTreeSet<BatchId>);

/// Looks units up for a device.
pub async fn look_up(
    state: &Internal,
    device: &DeviceKnown,
    named: &BTreeSet<UnitKey>,
) -> Result<LookedUp, WorldError> {
    let mut snapshot = state.handheld.reading.begin(&state.db).await?;
    let happened = units::by_key(snapshot.tx(), named).await?;
    let untouched = named.iter().filter(|key| !happened.contains_key(*key));
    let untouched: BTreeSet<UnitKey> = untouched.cloned().collect();
    let mut found = on_record(&mut snapshot, &untouched).await?;
    found.extend(
        happened
            .into_iter()
            .map(|(key, unit)| (key, (unit.product, unit.state, unit.holds))),
    );

    let (own, here) = (EnterpriseId(device.enterprise), LocationId(device.location));
    let known = found
        .into_iter()
        .filter_map(|(key, (product, state, holds))| {
            Some((key, (product, as_known(state, own, here)?, holds)))
        });
    let mut known: BTreeMap<UnitKey, Unit> = known.collect();
    let batches = known
        .iter()
        .map(|(key, (_, state, _))| (key.clone(), state.batch));
    let mut recalls = snapshot.recalls(&batches.collect()).await?;
    for (key, (_, state, _)) in &mut known {
        state.recalls = recalls.remove(key).unwrap_or_default();
    }
    let known = known.iter().map(|(key, (product, state, holds))| Known {
        key,
        product: *product,
        state,
        holds,
    });
    let known: Vec<Known<'_>> = known.collect();
    let opener = Opener::Master(state.sealer.clone());
    let cards = units::cards(snapshot.tx(), &opener, &known).await?;
    let told_until = left_store::told_until(snapshot.tx(), snapshot.stamp).await?;
    Ok(LookedUp {
        cards: cards
            .into_iter()
            .map(|card| (card.unit.clone(), card))
            .collect(),
        position: snapshot.position,
        stamp: snapshot.stamp,
        told_until,
    })
}

/// Units that nothing happened to, as far as somebody here allocated their codes: product and state.
async fn on_record(
    snapshot: &mut Snapshot,
    keys: &BTreeSet<UnitKey>,
) -> Result<BTreeMap<UnitKey, Unit>, WorldError> {
    let mut issued = BTreeMap::new();
    for (key, standing) in snapshot.standing(keys).await? {
        if standing != Standing::NotAllocated
            && let Some(code) = snapshot.code(&key).await?
        {
            issued.insert(key, code.product);
        }
    }
    if issued.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys: Vec<UnitKey> = issued.keys().cloned().collect();
    let mut states = snapshot.states(&keys).await?;
    let known = issued.into_iter().filter_map(|(key, product)| {
        let state = states.remove(&key)?;
        Some((key, (product, state, BTreeSet::new())))
    });
    Ok(known.collect())
}
