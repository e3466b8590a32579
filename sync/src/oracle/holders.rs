//! C14 and section 5: whose events count for a unit. Links start at the issuer; a leg links its
//! counterpart if whoever states it is linked; an issuer may accept a partner. At the place of another
//! nobody's do.

use super::{levels, struck::Fate};
use crate::{
    event::{Counterpart, Kind},
    facts::{AcceptScope, Fact, World},
    fold::{Phase, Place, UnitState},
    ids::EnterpriseId,
    unit::UnitKey,
};
use std::collections::BTreeSet;

/// What is on record of a unit before anything happened to it. The entry of the server that
/// commissioned it is the beginning, whatever its instant.
pub fn beginning(world: &World, unit: &UnitKey, facts: &[&Fact], fates: &[Fate]) -> UnitState {
    let info = world.units.get(unit);
    let issuer = issuer(world, unit);
    let mut state = UnitState {
        level: info.and_then(|info| info.level),
        issuer,
        linked: issuer
            .or_else(|| first_stater(world, unit, facts, fates))
            .into_iter()
            .collect(),
        ..UnitState::default()
    };
    if state.level.is_none() {
        state.level = levels::taught(world, unit, &state, facts, fates);
    }
    if let Some(commissioned) = info.and_then(|info| info.commissioned) {
        let batch = world.batches.get(&commissioned.batch);
        state.phase = Phase::Commissioned;
        state.batch = Some(commissioned.batch);
        state.place = batch
            .and_then(|batch| batch.plant)
            .map_or(Place::Nowhere, Place::At);
        state.holder = issuer;
    }
    state
}

/// Who issued the code: as on record of the unit, else as on record of its GTIN.
pub fn issuer(world: &World, unit: &UnitKey) -> Option<EnterpriseId> {
    match world.units.get(unit) {
        Some(info) => info.issuer,
        None => gtin(unit).and_then(|gtin| world.products.get(gtin).copied()),
    }
}

/// The GTIN in a unit's key.
pub fn gtin(unit: &UnitKey) -> Option<&str> {
    unit.as_str().strip_prefix("/01/")?.split('/').next()
}

/// A foreign code belongs to whoever was the first to be heard naming it, wherever that stands in
/// the order: of those of whom anything stands, so that who corrects its first word keeps what it has.
fn first_stater(
    world: &World,
    unit: &UnitKey,
    facts: &[&Fact],
    fates: &[Fate],
) -> Option<EnterpriseId> {
    let mut heard: Vec<(i64, EnterpriseId)> = Vec::new();
    let mut stand: BTreeSet<EnterpriseId> = BTreeSet::new();
    for (fact, fate) in facts.iter().zip(fates) {
        let is_retract = matches!(fate, Fate::Retract(_));
        if !is_retract && names(fact, unit) && !is_elsewhere(world, fact) {
            heard.push((fact.gseq, fact.enterprise));
            if *fate == Fate::Counts {
                stand.insert(fact.enterprise);
            }
        }
    }
    heard.sort();
    let mut heard = heard.into_iter().map(|(_, enterprise)| enterprise);
    heard.find(|enterprise| stand.contains(enterprise))
}

/// Does this fact name a unit, in any part?
pub fn names(fact: &Fact, unit: &UnitKey) -> bool {
    let mut reads = fact.event.units.iter().chain(&fact.event.parent);
    reads.any(|read| read.unit.as_ref() == Some(unit))
}

/// Does what this fact says count for the unit?
pub fn counts(world: &World, unit: &UnitKey, before: &UnitState, fact: &Fact) -> bool {
    if is_elsewhere(world, fact) {
        return false;
    }
    before.linked.contains(&fact.enterprise) || accepted(world, unit, before, fact)
}

/// Is the place on record as somebody else's than the stater's?
pub fn is_elsewhere(world: &World, fact: &Fact) -> bool {
    match world.places.get(&fact.event.location) {
        Some(place) => place.enterprise != fact.enterprise,
        None => false,
    }
}

/// Does the issuer take this enterprise's word?
pub fn accepted(world: &World, unit: &UnitKey, before: &UnitState, fact: &Fact) -> bool {
    world.accepted.iter().any(|told| {
        let covers = match &told.scope {
            AcceptScope::Unit(accepted) => accepted == unit,
            AcceptScope::Batch(batch) => before.batch == Some(*batch),
            AcceptScope::Partner(_) => true,
        };
        before.issuer == Some(told.issuer)
            && told.partner == fact.enterprise
            && covers
            && fact.gseq >= told.from
    })
}

/// Whom a leg links: the counterpart, if it is an enterprise, or a place of one. A name links
/// nobody.
pub fn linked_by(world: &World, fact: &Fact) -> Option<EnterpriseId> {
    match (fact.event.kind, &fact.event.counterpart) {
        (Kind::Inbound | Kind::Outbound, Some(Counterpart::Enterprise(enterprise))) => {
            Some(*enterprise)
        }
        (Kind::Inbound | Kind::Outbound, Some(Counterpart::Location(place))) => {
            world.places.get(place).map(|info| info.enterprise)
        }
        _ => None,
    }
}
