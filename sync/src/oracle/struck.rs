//! C10: which events a retract strikes. All facts are known beforehand, so a retract strikes its
//! target wherever either of them stands in the order.

use crate::{
    event::Kind,
    facts::{Fact, World},
    ids::Gseq,
};

/// What becomes of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It says something.
    Counts,
    /// It contributes nothing and stays listed.
    Struck,
    /// It is a retract, and this came of it.
    Retract(Outcome),
}

/// What came of a retract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its target has not come in, or it names none.
    Pending,
    /// Its target is a retract.
    OfRetract(usize),
    /// Somebody else stated the target.
    Unauthorised(usize),
    /// It strikes.
    Strikes(usize),
    /// It strikes, after the shift was closed and without a supervisor.
    StrikesLate(usize),
}

impl Outcome {
    /// The event it is about, when that came in.
    pub const fn target(self) -> Option<usize> {
        match self {
            Outcome::Pending => None,
            Outcome::OfRetract(target)
            | Outcome::Unauthorised(target)
            | Outcome::Strikes(target)
            | Outcome::StrikesLate(target) => Some(target),
        }
    }
}

/// The fate of each fact.
pub fn fates(world: &World, facts: &[&Fact]) -> Vec<Fate> {
    (0..facts.len()).map(|k| fate(world, facts, k)).collect()
}

fn fate(world: &World, facts: &[&Fact], k: usize) -> Fate {
    if facts[k].event.kind == Kind::Retract {
        return Fate::Retract(outcome(world, facts, k));
    }
    let retracts = (0..facts.len()).filter(|&r| facts[r].event.kind == Kind::Retract);
    for r in retracts {
        match outcome(world, facts, r) {
            Outcome::Strikes(target) | Outcome::StrikesLate(target) if target == k => {
                return Fate::Struck;
            }
            Outcome::Unauthorised(_) | Outcome::OfRetract(_)
                if corrects_together(facts[k], facts[r]) =>
            {
                return Fate::Struck;
            }
            _ => {}
        }
    }
    Fate::Counts
}

/// The position of the first retract that strikes a fact.
pub fn struck_since(world: &World, facts: &[&Fact], k: usize) -> Option<Gseq> {
    let retracts = (0..facts.len()).filter(|&r| facts[r].event.kind == Kind::Retract);
    let strikes = retracts.filter(|&r| {
        let outcome = outcome(world, facts, r);
        let struck = matches!(outcome, Outcome::Strikes(_) | Outcome::StrikesLate(_));
        struck && outcome.target() == Some(k)
    });
    strikes.map(|r| facts[r].gseq).min()
}

/// In a correction the new event counts only if its retract does.
fn corrects_together(new: &Fact, retract: &Fact) -> bool {
    let correction = |fact: &Fact| {
        let group = fact.event.group.filter(|group| group.correct)?;
        Some((fact.enterprise, group.id))
    };
    correction(new).is_some() && correction(new) == correction(retract)
}

fn outcome(world: &World, facts: &[&Fact], r: usize) -> Outcome {
    let retract = facts[r];
    let Some(target) = retract.event.target else {
        return Outcome::Pending;
    };
    let own = (0..facts.len())
        .find(|&t| facts[t].event.id == target && facts[t].enterprise == retract.enterprise);
    let any = (0..facts.len()).find(|&t| facts[t].event.id == target);
    let Some(t) = own.or(any) else {
        return Outcome::Pending;
    };
    let target = facts[t];
    let actor = &retract.event.actor;
    let same_enterprise = target.enterprise == retract.enterprise;
    let same_actor = if actor.id.is_empty() {
        target.event.actor.id.is_empty() && target.event.device == retract.event.device
    } else {
        target.event.actor.id == actor.id
    };
    if target.event.kind == Kind::Retract {
        Outcome::OfRetract(t)
    } else if !same_enterprise || !(same_actor || actor.supervisor) {
        Outcome::Unauthorised(t)
    } else if !actor.supervisor && shift_closed_between(world, target, retract) {
        Outcome::StrikesLate(t)
    } else {
        Outcome::Strikes(t)
    }
}

/// Did the shift in which the target was stated end before the retract?
fn shift_closed_between(world: &World, target: &Fact, retract: &Fact) -> bool {
    world.shifts.iter().any(|shift| {
        let end = shift.at.order();
        shift.device == target.event.device && target.order < end && end < retract.order
    })
}
