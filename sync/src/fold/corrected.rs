//! C10: where the new events of corrections stand: each at the place of what it corrects.
//!
//! It is asked when events come to count, of what counts by then; what it says is kept with the fact. Whether a
//! retract strikes depends on no place, so no place depends on itself. It must not know units.

use super::struck::strikes;
use crate::{
    event::{Event, Kind},
    facts::{Corrected, Fact, World},
    ids::{DeviceId, EnterpriseId, Epoch, GroupId, LocationId, Seq},
    limits::GROUP_EVENTS_MAX,
};
use std::{collections::BTreeMap, sync::Arc};

/// What an event is, and where: a correction keeps both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct What {
    /// Its kind.
    pub kind: Kind,
    /// Its place.
    pub location: LocationId,
}

impl What {
    /// Of an event.
    pub fn of(event: &Event) -> What {
        What {
            kind: event.kind,
            location: event.location,
        }
    }
}

/// What one of a correction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It strikes this; nothing is told of what is not in.
    Strikes(Option<What>),
    /// It says this instead.
    Says(What),
}

impl Does {
    /// What an event of a group does, that means this if it is a retract; nothing if it strikes something aside from
    /// a correction. Whatever else is of a group with a correction's retract is said instead, also where it does not
    /// call itself a correction.
    pub fn of(event: &Event, target: Option<What>) -> Option<Does> {
        match event.kind {
            Kind::Retract if event.group.is_some_and(|group| group.correct) => {
                Some(Does::Strikes(target))
            }
            Kind::Retract => None,
            _ => Some(Does::Says(What::of(event))),
        }
    }
}

/// Which new event of a correction goes with which retract of it, the new one first: each with the first before it,
/// by their numbers, that strikes an event of its kind at its place and goes with none before. What is left over goes
/// with nothing. Of a retract whose target is not in nobody knows what it strikes: it may be what the new event
/// means, which then goes with that, and with no other.
///
/// `members` are those of one group in one life of a device, in the order in which they came in: the number, what it
/// does, and a name. Of more than a group may have the first are asked: no device that works gives others the same.
pub fn pairs<K: Copy>(members: impl IntoIterator<Item = (Seq, Option<Does>, K)>) -> Vec<(K, K)> {
    let does = |(seq, does, name): (Seq, Option<Does>, K)| Some((seq, does?, name));
    let members = members.into_iter().take(GROUP_EVENTS_MAX as usize);
    let mut members: Vec<(Seq, Does, K)> = members.filter_map(does).collect();
    members.sort_by_key(|(seq, ..)| *seq);
    let mut retracts: Vec<(Option<What>, K)> = Vec::new();
    let mut out = Vec::new();
    for (_, does, name) in members {
        match does {
            Does::Strikes(what) => retracts.push((what, name)),
            Does::Says(says) => {
                let fits = |(what, _): &(Option<What>, K)| what.is_none_or(|what| what == says);
                if let Some(at) = retracts.iter().position(fits) {
                    let (_, retract) = retracts.remove(at);
                    out.push((name, retract));
                }
            }
        }
    }
    out
}

/// What a new event stands for, that goes with this retract, which means this event: nothing else than itself where
/// that is not in, or stands.
pub fn stands_for(retract: &Fact, target: Option<&Fact>, world: &World) -> Option<Corrected> {
    let target = target.filter(|target| strikes(retract, target, world))?;
    Some(Corrected::of(target))
}

/// Gives the new events of corrections their places, of facts in the order of their positions, each of which came to
/// count when it came in: what an act of the service does of what it brings.
pub fn take_places(facts: &mut [Fact], world: &World) {
    let mut members: BTreeMap<Grouped, Vec<usize>> = BTreeMap::new();
    for at in 0..facts.len() {
        let Some((of, fact)) = facts.get(at).and_then(|fact| Some((group_of(fact)?, fact))) else {
            continue;
        };
        let members = members.entry(of).or_default();
        members.push(at);
        if fact.event.kind == Kind::Retract {
            continue;
        }
        let known = facts.get(..at).unwrap_or_default();
        let target = |retract: &Fact| {
            let named = known.iter();
            let named = named.filter(|fact| Some(fact.event.id) == retract.event.target);
            named.min_by_key(|fact| fact.enterprise != retract.enterprise)
        };
        let members = members.iter().filter_map(|at| Some((*at, facts.get(*at)?)));
        let pairs = pairs(members.map(|(at, fact)| {
            let target = target(fact).map(|fact| What::of(&fact.event));
            (fact.event.seq, Does::of(&fact.event, target), at)
        }));
        let retract = pairs.into_iter().find(|(new, _)| *new == at);
        let retract = retract.and_then(|(_, retract)| facts.get(retract));
        let corrected = retract.and_then(|retract| stands_for(retract, target(retract), world));
        if let Some((fact, corrected)) = facts.get_mut(at).zip(corrected) {
            fact.correct(Arc::new(corrected));
        }
    }
}

/// A group, as one life of a device states it.
type Grouped = (EnterpriseId, GroupId, DeviceId, Epoch);

/// The group a fact belongs to.
fn group_of(fact: &Fact) -> Option<Grouped> {
    let event = &fact.event;
    Some((fact.enterprise, event.group?.id, event.device, event.epoch))
}
