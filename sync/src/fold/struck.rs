//! C10: which facts of a set are struck, and what is wrong with the retracts.
//!
//! All facts of the set are known before the walk begins, so a retract strikes wherever it stands
//! in the order, and nothing ever waits for it. It knows facts and shifts, not units.

use crate::{
    bugs::{self, Bug},
    event::{Event, Kind},
    facts::{Fact, World},
    finding::FindingCode,
    ids::{EnterpriseId, EventId, GroupId, Gseq},
};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of the facts of a set by the retracts among them.
#[derive(Debug, Default)]
pub(crate) struct Struck {
    /// Facts that contribute nothing, by their place in the set, and the position of the first retract that
    /// strikes each: none where its correction is void.
    places: BTreeMap<usize, Option<Gseq>>,
    /// What is wrong with a retract, and its target's place in the set.
    faults: BTreeMap<usize, (FindingCode, Option<usize>)>,
    /// The targets that retracts found, by the retract's place in the set.
    targets: BTreeMap<usize, usize>,
}

impl Struck {
    /// Reads the retracts of a set of facts sorted by order.
    pub(crate) fn of(facts: &[&Fact], world: &World) -> Struck {
        let mut out = Struck::default();
        let retracts = facts.iter().any(|fact| fact.event.kind == Kind::Retract);
        if !retracts {
            return out;
        }
        let mut by_id: BTreeMap<EventId, Vec<usize>> = BTreeMap::new();
        for (place, fact) in facts.iter().enumerate() {
            by_id.entry(fact.event.id).or_default().push(place);
        }
        // Corrections of which a retract is not authorised.
        let mut void_groups: BTreeSet<(EnterpriseId, GroupId)> = BTreeSet::new();
        for (place, retract) in facts.iter().enumerate() {
            if retract.event.kind != Kind::Retract {
                continue;
            }
            let own = |at: &&usize| {
                facts
                    .get(**at)
                    .is_some_and(|fact| fact.enterprise == retract.enterprise)
            };
            let named = retract.event.target.and_then(|id| by_id.get(&id));
            // Ids are unique per enterprise only: its own event first, then anybody's.
            let target = named
                .and_then(|places| places.iter().find(own).or(places.first()))
                .copied();
            let Some((at, target)) = target.and_then(|at| Some((at, *facts.get(at)?))) else {
                out.faults
                    .insert(place, (FindingCode::RetractPending, None));
                continue;
            };
            out.targets.insert(place, at);
            match verdict(retract, target, world) {
                Verdict::Strikes => out.strike(at, retract),
                Verdict::StrikesLate => {
                    out.strike(at, retract);
                    out.faults
                        .insert(place, (FindingCode::LateRetract, Some(at)));
                }
                Verdict::NoEffect(code) => {
                    out.faults.insert(place, (code, Some(at)));
                    if let Some(group) = retract.event.group.filter(|group| group.correct) {
                        void_groups.insert((retract.enterprise, group.id));
                    }
                }
                Verdict::Nothing => {}
            }
        }
        if !void_groups.is_empty() {
            for (place, fact) in facts.iter().enumerate() {
                let void = fact.event.group.is_some_and(|group| {
                    group.correct && void_groups.contains(&(fact.enterprise, group.id))
                });
                if void && fact.event.kind != Kind::Retract {
                    out.places.entry(place).or_insert(None);
                }
            }
        }
        out
    }

    fn strike(&mut self, at: usize, retract: &Fact) {
        let first = self.places.entry(at).or_insert(None);
        *first = Some(first.map_or(retract.gseq, |first| first.min(retract.gseq)));
    }

    /// Does the fact at this place contribute nothing?
    pub(crate) fn is(&self, place: usize) -> bool {
        self.places.contains_key(&place)
    }

    /// The position of the first retract that strikes the fact at this place.
    pub(crate) fn since(&self, place: usize) -> Option<Gseq> {
        self.places.get(&place).copied().flatten()
    }

    /// What is wrong with the retract at this place, and where its target stands.
    pub(crate) fn fault(&self, place: usize) -> Option<(FindingCode, Option<usize>)> {
        self.faults.get(&place).copied()
    }

    /// Where the target of the retract at this place stands.
    pub(crate) fn target(&self, place: usize) -> Option<usize> {
        self.targets.get(&place).copied()
    }
}

/// What is wrong with a retract, as far as it and its target alone tell.
pub(crate) fn fault_alone(
    retract: &Fact,
    target: Option<&Fact>,
    world: &World,
) -> Option<FindingCode> {
    let Some(target) = target else {
        return Some(FindingCode::RetractPending);
    };
    match verdict(retract, target, world) {
        Verdict::Strikes | Verdict::Nothing => None,
        Verdict::StrikesLate => Some(FindingCode::LateRetract),
        Verdict::NoEffect(code) => Some(code),
    }
}

/// Does a retract strike this event, as far as the two alone tell?
pub fn strikes(retract: &Fact, target: &Fact, world: &World) -> bool {
    match verdict(retract, target, world) {
        Verdict::Strikes | Verdict::StrikesLate => true,
        Verdict::NoEffect(_) | Verdict::Nothing => false,
    }
}

/// A retract of a correction, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Meaning<'f> {
    /// The retract.
    pub retract: &'f Fact,
    /// Its target, which is in.
    pub target: &'f Fact,
    /// Other enterprises have events of that id, so that it may have meant another once.
    pub several: bool,
}

/// The retracts of one correction that say what its new events are worth: the first without effect, which is
/// enough, and those that may have meant something else. A correction of a hundred retracts would be said a
/// hundred times of each unit otherwise.
pub fn deciding<'f>(mut retracts: Vec<Meaning<'f>>, world: &World) -> Vec<Meaning<'f>> {
    retracts.sort_by_key(|meaning| meaning.retract.gseq);
    let voids = |meaning: &Meaning<'_>| !strikes(meaning.retract, meaning.target, world);
    let first = retracts.iter().find(|meaning| voids(meaning));
    let first = first.map(|meaning| meaning.retract.gseq);
    retracts.retain(|meaning| meaning.several || Some(meaning.retract.gseq) == first);
    retracts
}

/// What a retract does to its target.
enum Verdict {
    /// The target contributes nothing.
    Strikes,
    /// Likewise, but after the end of the shift and without a supervisor.
    StrikesLate,
    /// The target stands.
    NoEffect(FindingCode),
    /// It is not heard of at all; only a deliberate bug says so.
    Nothing,
}

/// May one event strike another of its enterprise (C10): its own actor may, and a supervisor?
pub(crate) fn may_strike(retract: &Event, target: &Event) -> bool {
    retract.actor.supervisor || is_same_actor(retract, target)
}

/// Are two events by the same person? Where neither names one, the device is all that tells: who has it
/// in hand may take back what it stated, as the device itself lets them, and nobody else may.
fn is_same_actor(one: &Event, other: &Event) -> bool {
    let names_nobody = one.actor.id.is_empty();
    one.actor.id == other.actor.id && (!names_nobody || one.device == other.device)
}

fn verdict(retract: &Fact, target: &Fact, world: &World) -> Verdict {
    if target.event.kind == Kind::Retract {
        return Verdict::NoEffect(FindingCode::RetractOfRetract);
    }
    let supervisor = retract.event.actor.supervisor;
    let authorised =
        retract.enterprise == target.enterprise && may_strike(&retract.event, &target.event);
    if !authorised && !bugs::on(Bug::StrangersRetract) {
        return Verdict::NoEffect(FindingCode::RetractUnauthorised);
    }
    let late = !supervisor
        && world.shifts.of(&target.event.device).iter().any(|shift| {
            let closed = shift.at.order();
            target.order < closed && closed < retract.order
        });
    match late {
        false => Verdict::Strikes,
        true if bugs::on(Bug::LateRetractIgnored) => Verdict::Nothing,
        true => Verdict::StrikesLate,
    }
}
