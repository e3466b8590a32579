//! What became of goods by a device's own events that no card shows yet: by those that name them, and
//! by those that name a container they were in at the time (C12, C13).
//!
//! So that a till does not sell a tin of the case that it sold, fetched back or destroyed a minute ago,
//! with no network. What was typed is kept both as it was said and as what may be meant by it. It must not
//! know which is true, nor the server, nor where a device keeps events and cards.

use super::Typed;
use crate::{
    event::{Disposition, Event, Kind},
    fold::Phase,
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// Containers around goods that are looked at: a case, and the pallet it stands on.
const CONTAINERS: usize = 2;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Here {
    done: BTreeMap<UnitKey, Vec<Done>>,
}

/// What an event did to a unit it names. `at` is its place in the chain; `typed` how its codes are to be taken
/// for it to name the unit, if that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Done {
    at: usize,
    typed: Option<Typed>,
    did: Did,
}

/// What is asked for: how codes that were typed are taken, and what a card says that a unit is in.
struct Asked<'a, F> {
    typed: Typed,
    inside: &'a F,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Did {
    /// It is in this phase now; whether the event moved it, so that it was out of its container.
    Became { phase: Phase, moved: bool },
    /// Packed into a container; none if that cannot be read. Or taken out of it.
    Put(Option<UnitKey>),
    /// A container of which all was taken out.
    Emptied,
}

/// A phase, and the place of the event that brought it.
type Last = Option<(usize, Phase)>;

impl Here {
    /// Of own events in the order of their chain: those that the cards do not show yet. What they
    /// strike among themselves did nothing.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Here {
        let events: Vec<&Event> = events.into_iter().collect();
        let struck: BTreeSet<_> = events.iter().filter_map(|event| event.target).collect();
        let mut here = Here::default();
        for (at, event) in events.into_iter().enumerate() {
            if struck.contains(&event.id) {
                continue;
            }
            let may = event.may_mean();
            if may.is_empty() {
                here.read(at, None, event);
            } else {
                let mut meant = event.clone();
                meant.mean(&may);
                here.read(at, Some(Typed::Said), event);
                here.read(at, Some(Typed::Meant), &meant);
            }
        }
        here
    }

    fn read(&mut self, at: usize, typed: Option<Typed>, event: &Event) {
        let parent = event.parent.as_ref().and_then(|read| read.unit.clone());
        let did = match event.kind {
            Kind::Pack => Did::Put(parent),
            Kind::Unpack => {
                if let (Some(parent), true) = (parent, event.units.is_empty()) {
                    self.add(parent, (at, typed), Did::Emptied);
                }
                Did::Put(None)
            }
            kind => match after(kind, event.disposition) {
                Some(phase) => Did::Became {
                    phase,
                    moved: kind != Kind::Inspect,
                },
                None => return,
            },
        };
        for unit in event.units.iter().filter_map(|read| read.unit.clone()) {
            self.add(unit, (at, typed), did.clone());
        }
    }

    fn add(&mut self, unit: UnitKey, (at, typed): (usize, Option<Typed>), did: Did) {
        let done = self.done.entry(unit).or_default();
        done.push(Done { at, typed, did });
    }

    /// What became of a unit by codes as they were `typed`; none if no own event says. `inside` tells what a
    /// card says that a unit is in.
    pub fn phase(
        &self,
        unit: &UnitKey,
        typed: Typed,
        inside: &impl Fn(&UnitKey) -> Option<UnitKey>,
    ) -> Option<Phase> {
        let asked = Asked { typed, inside };
        let last = self.last(unit, (0, usize::MAX), &asked, CONTAINERS);
        last.map(|(_, phase)| phase)
    }

    /// What was done to a unit, in the order of the chain.
    fn done_to(&self, unit: &UnitKey, typed: Typed) -> impl Iterator<Item = &Done> {
        let done = self.done.get(unit).into_iter().flatten();
        done.filter(move |done| done.typed.is_none_or(|of| of == typed))
    }

    /// The last that became of a unit from one place in the chain until before another: by itself, or
    /// with the container it was in then.
    fn last(
        &self,
        unit: &UnitKey,
        (since, until): (usize, usize),
        asked: &Asked<'_, impl Fn(&UnitKey) -> Option<UnitKey>>,
        containers: usize,
    ) -> Last {
        // With the container, from when it came to be in it until then.
        let with = |container: &Option<UnitKey>, from: usize, to: usize| -> Last {
            let container = container.as_ref().filter(|_| containers > 0)?;
            let emptied = self.emptied(container, asked.typed, from);
            let to = emptied.map_or(to, |at| at.min(to));
            let range = (from.max(since), to.min(until));
            self.last(container, range, asked, containers - 1)
        };
        let (mut container, mut from, mut last) = ((asked.inside)(unit), 0, None);
        for Done { at, did, .. } in self.done_to(unit, asked.typed) {
            let at = *at;
            if at >= until {
                break;
            }
            let now_in = match did {
                Did::Became { moved, .. } => {
                    let together = with(&container, from, at + 1).is_some_and(|(of, _)| of == at);
                    (*moved && !together).then_some(None)
                }
                Did::Put(container) => Some(container.clone()),
                Did::Emptied => None,
            };
            if let Some(now_in) = now_in {
                last = later(last, with(&container, from, at));
                (container, from) = (now_in, at);
            }
            if let (Did::Became { phase, .. }, true) = (did, at >= since) {
                last = Some((at, *phase));
            }
        }
        later(last, with(&container, from, until))
    }

    /// When all was taken out of a container, since some place in the chain.
    fn emptied(&self, container: &UnitKey, typed: Typed, since: usize) -> Option<usize> {
        self.done_to(container, typed)
            .find(|done| done.at >= since && done.did == Did::Emptied)
            .map(|done| done.at)
    }
}

/// Which of two comes later in the chain.
fn later(one: Last, other: Last) -> Last {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.0 >= one.0 { other } else { one }),
        (one, other) => one.or(other),
    }
}

/// What an event of a kind leaves a unit as.
const fn after(kind: Kind, disposition: Option<Disposition>) -> Option<Phase> {
    match kind {
        Kind::Inbound => Some(Phase::InStock),
        Kind::Outbound => Some(Phase::InTransit),
        Kind::Sale => Some(Phase::Sold),
        Kind::Return => Some(Phase::Returned),
        Kind::Collect => Some(Phase::Collected),
        Kind::Destroy => Some(Phase::Destroyed),
        Kind::Inspect => match disposition {
            Some(Disposition::Sellable) => Some(Phase::InStock),
            _ => None,
        },
        Kind::Commission | Kind::Pack | Kind::Unpack | Kind::Count | Kind::Retract => None,
    }
}
