//! C14: whose word counts (sync.md section 5).
//!
//! Links start at the issuer; a leg links its counterpart if its stater was linked at that place
//! in the order. What anybody else states is found, shows where they say it is, and changes
//! nothing.

use super::{
    Place, UnitState,
    struck::Struck,
    walk::{At, Walk, names},
};
use crate::{
    bugs::{self, Bug},
    event::{Counterpart, Kind},
    facts::{AcceptScope, Fact, World},
    finding::{Detail, FindingCode},
    ids::{EnterpriseId, LocationId},
};
use std::collections::BTreeMap;

/// The issuer is linked from the beginning.
pub(super) fn begin(walk: &mut Walk<'_>) {
    let info = walk.world.units.get(walk.unit);
    let issuer = match info {
        Some(info) => info.issuer,
        None => walk
            .unit
            .gtin()
            .and_then(|gtin| walk.world.products.get(gtin))
            .copied(),
    };
    walk.state.issuer = issuer;
    walk.state.linked.extend(issuer);
    walk.state.level = info.and_then(|info| info.level);
}

/// For a foreign code without an issuer, whose event was received first is linked from the
/// beginning. Not whose is first in the order: that follows from what devices say of their clocks,
/// so an event that is dated back could take a unit away from whoever handled it all along.
pub(super) fn first<'a>(walk: &mut Walk<'a>, facts: &[&'a Fact], struck: &Struck) {
    if walk.state.issuer.is_some() {
        return;
    }
    let stated = facts.iter().enumerate().filter(|(place, fact)| {
        fact.event.kind != Kind::Retract && !struck.is(*place) && names(fact, walk.unit)
    });
    let first = stated.min_by_key(|(_, fact)| fact.gseq);
    walk.state
        .linked
        .extend(first.map(|(_, fact)| fact.enterprise));
}

/// Does the stater's word count at this place in the order?
pub(super) fn counts<'a>(walk: &Walk<'a>, at: &At<'a>) -> bool {
    walk.state.linked.contains(&at.fact.enterprise)
        || accepted(walk, at)
        || (bugs::on(Bug::StrangersSale) && at.fact.event.kind == Kind::Sale)
}

/// Does the issuer take this enterprise's word, from this log position on?
fn accepted<'a>(walk: &Walk<'a>, at: &At<'a>) -> bool {
    walk.world.accepted.iter().any(|accepted| {
        walk.state.issuer == Some(accepted.issuer)
            && at.fact.enterprise == accepted.partner
            && at.fact.gseq >= accepted.from
            && match &accepted.scope {
                AcceptScope::Unit(unit) => unit == walk.unit,
                AcceptScope::Batch(batch) => walk.state.batch == Some(*batch),
                AcceptScope::Partner(_) => true,
            }
    })
}

/// A stranger's word: found, and kept apart as where that enterprise says the unit is. What it states
/// of a container it says of the code it read, not of what is inside: that it is not told.
pub(super) fn stranger<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    walk.find(at, FindingCode::UnexpectedHolder, &[], Detail::Nothing);
    if at.via.is_some() {
        return;
    }
    let here = Place::At(at.here());
    let claim = match at.fact.event.kind {
        Kind::Outbound => way(walk.world, at),
        // It is in their stock no longer.
        Kind::Sale | Kind::Destroy => Place::Nowhere,
        Kind::Commission
        | Kind::Pack
        | Kind::Unpack
        | Kind::Inbound
        | Kind::Return
        | Kind::Inspect
        | Kind::Collect
        | Kind::Count => here,
        Kind::Retract => return,
    };
    walk.state.claims.insert(at.fact.enterprise, claim);
}

/// At whose places a unit is by their own word only: who is linked to it or accepted has said so
/// last of all, or its word would be state and no claim. Shows in that enterprise's stock figures and
/// nowhere else.
pub fn claimed(state: &UnitState) -> BTreeMap<EnterpriseId, LocationId> {
    let here = |(enterprise, place): (&EnterpriseId, &Place)| match place {
        Place::At(location) => Some((*enterprise, *location)),
        Place::Nowhere | Place::Between { .. } => None,
    };
    state.claims.iter().filter_map(here).collect()
}

/// A leg links its counterpart: from here on its word is state, and what it said before no claim.
pub(super) fn link<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    if matches!(at.fact.event.kind, Kind::Inbound | Kind::Outbound)
        && let Some(partner) = counterpart(walk.world, at.fact.event.counterpart.as_ref())
    {
        walk.state.linked.insert(partner);
        walk.state.claims.remove(&partner);
    }
}

/// The enterprise on the other side: a name links nobody.
pub(super) fn counterpart(
    world: &World,
    counterpart: Option<&Counterpart>,
) -> Option<EnterpriseId> {
    match counterpart? {
        Counterpart::Enterprise(enterprise) => Some(*enterprise),
        Counterpart::Location(location) => owner(world, *location),
        Counterpart::Named(_) => None,
    }
}

/// The way an outbound puts goods on.
pub(super) fn way(world: &World, at: &At<'_>) -> Place {
    let other = at.fact.event.counterpart.as_ref();
    Place::Between {
        from: at.here(),
        to: match other {
            Some(Counterpart::Location(location)) => Some(*location),
            Some(Counterpart::Enterprise(_) | Counterpart::Named(_)) | None => None,
        },
        to_enterprise: counterpart(world, other),
    }
}

/// Whose place it is.
pub(super) fn owner(world: &World, location: LocationId) -> Option<EnterpriseId> {
    world.places.get(&location).map(|place| place.enterprise)
}

/// Was it on its way to here?
pub(super) fn on_its_way_here<'a>(walk: &Walk<'a>, at: &At<'a>) -> bool {
    match walk.state.place {
        Place::Between { to: Some(to), .. } => to == at.here(),
        Place::Between {
            to: None,
            to_enterprise: Some(enterprise),
            ..
        } => enterprise == at.fact.enterprise || owner(walk.world, at.here()) == Some(enterprise),
        // To somebody known by name only: it may well be here.
        Place::Between {
            to: None,
            to_enterprise: None,
            ..
        } => true,
        Place::Nowhere | Place::At(_) => false,
    }
}
