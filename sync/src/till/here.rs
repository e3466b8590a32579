//! What became of goods by a device's own events that no card shows yet: by those that name them, and
//! by those that name a container they were in at the time (C12, C13).
//!
//! So that a till does not sell a tin of the case that it sold, fetched back or destroyed a minute ago,
//! with no network. From what its card says of it, each event takes a unit where the fold would (C2 to C8): what
//! only moves is still what it was. Nor does it sell a case with a tin in it that must not be sold, which it packed
//! itself. What was typed is kept both as it was said and as what may be meant by it. It must not know which is true,
//! nor the server, nor where a device keeps events and cards.

use super::{Typed, meant};
use crate::{
    event::{Disposition, Event, Input, Kind},
    fold::Phase,
    trace_code::{Scanned, parse},
    unit::UnitKey,
    wire::UnitCard,
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

/// What is asked for: how codes that were typed are taken, and the cards of units.
struct Asked<'a, F> {
    typed: Typed,
    card: &'a F,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Did {
    /// It went through this ([`after`]). All but an inspection moved it, so that it was out of its container.
    Went(Kind),
    /// Packed into a container; none if that cannot be read. Or taken out of it.
    Put(Option<UnitKey>),
    /// A container that this was packed into, as it was read.
    Got(UnitKey, String, Input),
    /// A container of which all was taken out.
    Emptied,
}

/// What a unit went through, by the places of the events in the chain.
type Went = BTreeMap<usize, Kind>;

impl Here {
    /// Of own events in the order of their chain: those that the cards do not show yet. What they
    /// strike among themselves did nothing.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Here {
        let events: Vec<&Event> = events.into_iter().collect();
        let retracts = events.iter().filter(|event| event.kind == Kind::Retract);
        let struck: BTreeSet<_> = retracts.filter_map(|event| event.target).collect();
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
            Kind::Commission | Kind::Count | Kind::Retract => return,
            Kind::Inspect if event.disposition != Some(Disposition::Sellable) => return,
            kind => Did::Went(kind),
        };
        for read in &event.units {
            let Some(unit) = read.unit.clone() else {
                continue;
            };
            if let Did::Put(Some(container)) = &did {
                let got = Did::Got(unit.clone(), read.code.clone(), read.input);
                self.add(container.clone(), (at, typed), got);
            }
            self.add(unit, (at, typed), did.clone());
        }
    }

    fn add(&mut self, unit: UnitKey, (at, typed): (usize, Option<Typed>), did: Did) {
        let done = self.done.entry(unit).or_default();
        done.push(Done { at, typed, did });
    }

    /// What became of a unit by codes as they were `typed`; none if no own event says. `card` gives cards, as far
    /// as there are any.
    pub fn phase<'c>(
        &self,
        unit: &UnitKey,
        typed: Typed,
        card: &impl Fn(&UnitKey) -> Option<&'c UnitCard>,
    ) -> Option<Phase> {
        let asked = Asked { typed, card };
        let (went, _) = self.life(unit, (0, usize::MAX), &asked, CONTAINERS);
        let was = card(unit).map_or(Phase::Unknown, |card| card.phase);
        (!went.is_empty()).then(|| went.into_values().fold(was, after))
    }

    /// What is in a container by codes as they were `typed`, those of a case on a pallet behind the case: of what
    /// cards say is in something (`inside`), and of what was packed here, each as it was read.
    pub fn inside<'c>(
        &self,
        container: &UnitKey,
        typed: Typed,
        card: &impl Fn(&UnitKey) -> Option<&'c UnitCard>,
        inside: &impl Fn(&UnitKey) -> Vec<UnitKey>,
    ) -> Vec<(UnitKey, Scanned)> {
        self.inside_of(container, &Asked { typed, card }, inside, CONTAINERS)
    }

    fn inside_of<'c>(
        &self,
        container: &UnitKey,
        asked: &Asked<'_, impl Fn(&UnitKey) -> Option<&'c UnitCard>>,
        inside: &impl Fn(&UnitKey) -> Vec<UnitKey>,
        levels: usize,
    ) -> Vec<(UnitKey, Scanned)> {
        let by_cards = inside(container).into_iter();
        let mut reads: BTreeMap<UnitKey, (String, Input)> = by_cards
            .map(|unit| (unit.clone(), (unit.as_str().to_owned(), Input::Wedge)))
            .collect();
        for done in self.done_to(container, asked.typed) {
            if let Did::Got(unit, code, input) = &done.did {
                reads.insert(unit.clone(), (code.clone(), *input));
            }
        }
        let mut all = Vec::new();
        for (unit, (code, input)) in reads {
            let (_, last) = self.life(&unit, (0, usize::MAX), asked, CONTAINERS);
            if last.as_ref() != Some(container) {
                continue;
            }
            let Ok(scanned) = parse(&code) else {
                continue;
            };
            let said = UnitKey::of(&scanned.code).as_ref() == Some(&unit);
            let meant = if said { None } else { meant(&scanned, input) };
            let within = match levels {
                0 | 1 => Vec::new(),
                levels => self.inside_of(&unit, asked, inside, levels - 1),
            };
            all.push((unit, meant.unwrap_or(scanned)));
            all.extend(within);
        }
        all
    }

    /// What was done to a unit, in the order of the chain.
    fn done_to(&self, unit: &UnitKey, typed: Typed) -> impl Iterator<Item = &Done> {
        let done = self.done.get(unit).into_iter().flatten();
        done.filter(move |done| done.typed.is_none_or(|of| of == typed))
    }

    /// What a unit went through from one place in the chain until before another: by itself, or with the
    /// container it was in then. And the container it was in last.
    fn life<'c>(
        &self,
        unit: &UnitKey,
        (since, until): (usize, usize),
        asked: &Asked<'_, impl Fn(&UnitKey) -> Option<&'c UnitCard>>,
        containers: usize,
    ) -> (Went, Option<UnitKey>) {
        // With the container, from when it came to be in it until then.
        let with = |container: &Option<UnitKey>, from: usize, to: usize| -> Went {
            let Some(container) = container.as_ref().filter(|_| containers > 0) else {
                return Went::new();
            };
            let emptied = self.emptied(container, asked.typed, from);
            let to = emptied.map_or(to, |at| at.min(to));
            let range = (from.max(since), to.min(until));
            self.life(container, range, asked, containers - 1).0
        };
        let inside = (asked.card)(unit).and_then(|card| card.inside.clone());
        let (mut container, mut from, mut went) = (inside, 0, Went::new());
        for Done { at, did, .. } in self.done_to(unit, asked.typed) {
            let at = *at;
            if at >= until {
                break;
            }
            let now_in = match did {
                Did::Went(kind) => {
                    let together = with(&container, from, at + 1).contains_key(&at);
                    (*kind != Kind::Inspect && !together).then_some(None)
                }
                Did::Put(container) => Some(container.clone()),
                Did::Got(..) | Did::Emptied => None,
            };
            if let Some(now_in) = now_in {
                went.append(&mut with(&container, from, at));
                (container, from) = (now_in, at);
            }
            if let (Did::Went(kind), true) = (did, at >= since) {
                went.insert(at, *kind);
            }
        }
        went.append(&mut with(&container, from, until));
        let is_out = |container: &UnitKey| self.emptied(container, asked.typed, from).is_some();
        let last = container.filter(|container| !is_out(container));
        (went, last)
    }

    /// When all was taken out of a container, since some place in the chain.
    fn emptied(&self, container: &UnitKey, typed: Typed, since: usize) -> Option<usize> {
        self.done_to(container, typed)
            .find(|done| done.at >= since && done.did == Did::Emptied)
            .map(|done| done.at)
    }
}

/// What an event of a kind leaves a unit as that was in a phase; an inspection found it sellable. As the fold does,
/// as far as a till can know: nothing follows destruction (C8), and what was brought or fetched back and only
/// moves stays that (C2, C3).
const fn after(was: Phase, kind: Kind) -> Phase {
    match (was, kind) {
        (Phase::Destroyed, _)
        | (Phase::Returned | Phase::Collected, Kind::Inbound | Kind::Outbound)
        | (_, Kind::Commission | Kind::Pack | Kind::Unpack | Kind::Count | Kind::Retract) => was,
        (_, Kind::Inbound | Kind::Inspect) => Phase::InStock,
        (_, Kind::Outbound) => Phase::InTransit,
        (_, Kind::Sale) => Phase::Sold,
        (_, Kind::Return) => Phase::Returned,
        (_, Kind::Collect) => Phase::Collected,
        (_, Kind::Destroy) => Phase::Destroyed,
    }
}
