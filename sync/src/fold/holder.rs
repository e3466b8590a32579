//! C14: whose word counts (sync.md section 5).
//!
//! Links start at the issuer; a leg links its counterpart if its stater was linked at that place
//! in the order. What anybody else states is found, shows where they say it is, and changes
//! nothing. So it is of what anybody at all states at another enterprise's place: who is linked to
//! goods, or accepted, has a say in them where they are its own to handle.

use super::{
    Place, UnitState, level,
    struck::Struck,
    walk::{At, Walk, names},
};
use crate::{
    bugs::{self, Bug},
    event::{Counterpart, Kind},
    facts::{AcceptScope, Fact, World},
    finding::{Detail, FindingCode},
    ids::{BatchId, EnterpriseId, Gseq, LocationId},
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// The issuer is linked from the beginning.
pub(super) fn begin(walk: &mut Walk<'_>) {
    let issuer = issuer(walk.world, walk.unit);
    walk.state.issuer = issuer;
    walk.state.linked.extend(issuer);
    walk.state.level = level::recorded(walk.world, walk.unit);
}

/// Whose code it is: as on record of the unit, else of its GTIN.
fn issuer(world: &World, unit: &UnitKey) -> Option<EnterpriseId> {
    match world.units.get(unit) {
        Some(info) => info.issuer,
        None => world.products.get(unit.gtin()?).copied(),
    }
}

/// A fact, and whether no retract strikes it (C10).
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) fact: &'a Fact,
    pub(super) stands: bool,
}

impl Said<'_> {
    /// Is it a pack that stands?
    pub(super) fn packs(&self) -> bool {
        self.stands && self.fact.event.kind == Kind::Pack
    }
}

/// The facts of a set, each with whether it stands.
pub(super) fn said<'a>(facts: &[&'a Fact], struck: &Struck) -> Vec<Said<'a>> {
    let places = facts.iter().enumerate();
    let said = places.map(|(place, fact)| Said {
        fact,
        stands: !struck.is(place),
    });
    said.collect()
}

/// For a foreign code without an issuer, whose event was received first is linked from the
/// beginning. Not whose is first in the order: that follows from what devices say of their clocks,
/// so an event that is dated back could take a unit away from whoever handled it all along.
pub(super) fn first(walk: &mut Walk<'_>, said: &[Said<'_>]) {
    if walk.state.issuer.is_none() {
        let first = heard_first(walk.unit, said, walk.world);
        walk.state.linked.extend(first);
    }
}

/// Of those of whom anything stands: who corrects its first word keeps what it has.
fn heard_first(unit: &UnitKey, said: &[Said<'_>], world: &World) -> Option<EnterpriseId> {
    let stated = said.iter().filter(|said| {
        let fact = said.fact;
        fact.event.kind != Kind::Retract && names(fact, unit) && !world.is_at_anothers(fact)
    });
    let mut stated: Vec<&Said<'_>> = stated.collect();
    stated.sort_by_key(|said| said.fact.gseq);
    let standing = stated.iter().filter(|said| said.stands);
    let standing: BTreeSet<EnterpriseId> = standing.map(|said| said.fact.enterprise).collect();
    let mut heard = stated.iter().map(|said| said.fact.enterprise);
    heard.find(|enterprise| standing.contains(enterprise))
}

/// Whose word may count for a unit at some place in the order, as far as what names the unit tells:
/// who is linked from the beginning, the other side of their legs, and whom the issuer accepts.
pub(super) struct Parties<'a> {
    unit: &'a UnitKey,
    world: &'a World,
    issuer: Option<EnterpriseId>,
    linked: BTreeSet<EnterpriseId>,
}

impl<'a> Parties<'a> {
    /// Reads facts.
    pub(super) fn of(unit: &'a UnitKey, said: &[Said<'_>], world: &'a World) -> Parties<'a> {
        let issuer = issuer(world, unit);
        let begins = issuer.or_else(|| heard_first(unit, said, world));
        let mut linked: BTreeSet<EnterpriseId> = begins.into_iter().collect();
        let standing = said.iter().filter(|said| said.stands);
        let legs = standing.map(|said| said.fact).filter(|fact| {
            matches!(fact.event.kind, Kind::Inbound | Kind::Outbound)
                && names(fact, unit)
                && !world.is_at_anothers(fact)
        });
        let legs: Vec<(EnterpriseId, EnterpriseId)> = legs
            .filter_map(|fact| {
                let other = counterpart(world, fact.event.counterpart.as_ref())?;
                Some((fact.enterprise, other))
            })
            .collect();
        loop {
            let before = linked.len();
            for (stater, other) in &legs {
                if linked.contains(stater) {
                    linked.insert(*other);
                }
            }
            if linked.len() == before {
                break;
            }
        }
        Parties {
            unit,
            world,
            issuer,
            linked,
        }
    }

    /// May its stater's word count?
    pub(super) fn may_count(&self, fact: &Fact) -> bool {
        !self.world.is_at_anothers(fact)
            && (self.linked.contains(&fact.enterprise)
                || accepts(self.world, (self.unit, self.issuer, None), fact))
    }
}

/// Does the stater's word count at this place in the order? Nobody's does at another's place, whoever
/// issued the goods, had them or is accepted: all of that says whose word on goods counts, and nothing of
/// whose the place is.
pub(super) fn counts<'a>(walk: &Walk<'a>, at: &At<'a>) -> bool {
    !walk.world.is_at_anothers(at.fact)
        && (walk.state.linked.contains(&at.fact.enterprise)
            || accepted(walk, at.fact)
            || (bugs::on(Bug::StrangersSale) && at.fact.event.kind == Kind::Sale))
}

/// Does the issuer take this enterprise's word, from this log position on?
pub(super) fn accepted(walk: &Walk<'_>, fact: &Fact) -> bool {
    let unit = (walk.unit, walk.state.issuer, walk.state.batch);
    accepts(walk.world, unit, fact)
}

fn accepts(
    world: &World,
    (unit, issuer, batch): (&UnitKey, Option<EnterpriseId>, Option<BatchId>),
    fact: &Fact,
) -> bool {
    let mut all = issuer
        .into_iter()
        .flat_map(|issuer| world.accepted_by(issuer));
    all.any(|accepted| {
        fact.enterprise == accepted.partner
            && fact.gseq >= accepted.from
            && match &accepted.scope {
                AcceptScope::Unit(told) => told == unit,
                AcceptScope::Batch(told) => batch == Some(*told),
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

/// At which places a unit is by one enterprise's word only, which did not count: it was no holder, or the
/// place is another's. What it says that counts is state, and ends its claim. Shows in that enterprise's
/// stock figures and nowhere else.
pub fn claimed(state: &UnitState) -> BTreeMap<EnterpriseId, LocationId> {
    let here = |(enterprise, place): (&EnterpriseId, &Place)| match place {
        Place::At(location) => Some((*enterprise, *location)),
        Place::Nowhere | Place::Between { .. } => None,
    };
    state.claims.iter().filter_map(here).collect()
}

/// A leg of who is linked links its counterpart: from here on its word is state, and what it said before no
/// claim. Of who is only accepted it does not: the issuer takes that partner's word, and lets it bring in
/// nobody else, itself from before the acceptance neither.
pub(super) fn link<'a>(walk: &mut Walk<'a>, at: &At<'a>) {
    if matches!(at.fact.event.kind, Kind::Inbound | Kind::Outbound)
        && walk.state.linked.contains(&at.fact.enterprise)
        && let Some(partner) = counterpart(walk.world, at.fact.event.counterpart.as_ref())
    {
        walk.state.linked.insert(partner);
        walk.state.claims.remove(&partner);
    }
}

/// A leg that was struck (C10) links its counterpart all the same if that had answered it before the retract was
/// received: it stated its own side of it, naming who takes the leg back. What it did with the goods since is its
/// to say, and not undone by the other's word. Whose leg nobody answered never was. Did it?
pub(super) fn is_answered<'a>(
    walk: &Walk<'a>,
    at: &At<'a>,
    since: Option<Gseq>,
    said: &[Said<'a>],
) -> bool {
    let leg = at.fact;
    let answer = match leg.event.kind {
        Kind::Outbound => Kind::Inbound,
        Kind::Inbound => Kind::Outbound,
        _ => return false,
    };
    let world = walk.world;
    let other = |fact: &Fact| counterpart(world, fact.event.counterpart.as_ref());
    let Some((since, partner)) = since.zip(other(leg)) else {
        return false;
    };
    let mut answers = said.iter().filter(|said| said.stands).map(|said| said.fact);
    answers.any(|fact| {
        fact.event.kind == answer
            && fact.enterprise == partner
            && other(fact) == Some(leg.enterprise)
            && fact.gseq < since
            && names(fact, walk.unit)
            && !world.is_at_anothers(fact)
    })
}

/// The enterprise on the other side: a name links nobody.
pub(crate) fn counterpart(
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

/// Does it come back to who sent it, the delivery having been refused? To where it left; and if it was meant for
/// another enterprise, wherever that of the sender takes it in.
pub(super) fn comes_back<'a>(walk: &Walk<'a>, at: &At<'a>) -> bool {
    let Place::Between {
        from,
        to_enterprise,
        ..
    } = walk.state.place
    else {
        return false;
    };
    let sender = owner(walk.world, from);
    let for_another = to_enterprise.is_some() && to_enterprise != sender;
    from == at.here() || (for_another && sender == Some(at.fact.enterprise))
}
