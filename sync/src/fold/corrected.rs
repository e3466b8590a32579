//! C10: where the new events of corrections stand: each at the place of what it corrects.
//!
//! It is asked when events come to count, of what counts by then; what it says is kept with the fact. Whether a
//! retract strikes depends on no place, so no place depends on itself. It must not know units.

use super::struck::strikes;
use crate::{
    event::Kind,
    facts::{Corrected, Fact, World},
    ids::{DeviceId, EnterpriseId, Epoch, GroupId, Seq},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Which new event of a correction goes with which retract of it, the new one first: each with the first before it,
/// by their numbers, that goes with none before. What is left over goes with nothing.
///
/// `members` are those of one group in one life of a device: the number, whether it is a retract, and a name.
pub fn pairs<K: Copy>(members: impl IntoIterator<Item = (Seq, bool, K)>) -> Vec<(K, K)> {
    let mut members: Vec<(Seq, bool, K)> = members.into_iter().collect();
    members.sort_by_key(|(seq, ..)| *seq);
    let mut retracts = VecDeque::new();
    let mut out = Vec::new();
    for (_, retracts_one, name) in members {
        if retracts_one {
            retracts.push_back(name);
        } else if let Some(retract) = retracts.pop_front() {
            out.push((name, retract));
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
    let mut members: BTreeMap<Correction, Vec<(Seq, bool, usize)>> = BTreeMap::new();
    for at in 0..facts.len() {
        let Some((of, fact)) = facts
            .get(at)
            .and_then(|fact| Some((correction(fact)?, fact)))
        else {
            continue;
        };
        let retracts = fact.event.kind == Kind::Retract;
        let members = members.entry(of).or_default();
        members.push((fact.event.seq, retracts, at));
        if retracts {
            continue;
        }
        let pair = pairs(members.iter().copied());
        let retract = pair.into_iter().find(|(new, _)| *new == at);
        let retract = retract.and_then(|(_, retract)| facts.get(retract));
        let corrected = retract.and_then(|retract| {
            let known = facts.get(..at).unwrap_or_default().iter();
            let named = known.filter(|fact| Some(fact.event.id) == retract.event.target);
            let target = named.min_by_key(|fact| fact.enterprise != retract.enterprise);
            stands_for(retract, target, world)
        });
        if let Some((fact, corrected)) = facts.get_mut(at).zip(corrected) {
            fact.correct(Arc::new(corrected));
        }
    }
}

/// A correction, as one life of a device states it.
type Correction = (EnterpriseId, GroupId, DeviceId, Epoch);

/// The correction a fact belongs to.
fn correction(fact: &Fact) -> Option<Correction> {
    let event = &fact.event;
    let group = event.group.filter(|group| group.correct)?;
    Some((fact.enterprise, group.id, event.device, event.epoch))
}
