//! What became of goods by a device's own events that no card shows yet: by those that name them, and
//! by those that name a container they were in at the time (C12, C13).
//!
//! So that a till does not sell a tin of the case that it sold, fetched back or destroyed a minute ago,
//! with no network. From what its card says of it, each event takes a unit where the fold would (C2 to C8): what
//! only moves is still what it was. Nor does it sell a case with a tin in it that must not be sold, which it packed
//! itself. What it struck after the cards showed it is doubted until they show that as well: what the goods are
//! without it only the fold can tell. Who may strike what is asked as the fold asks it (C10). What was typed is kept
//! both as it was said and as what may be meant by it. It must not know which is true, nor the server, nor where a
//! device keeps events and cards.

use super::{Typed, meant};
use crate::{
    event::{Disposition, Event, Input, Kind},
    fold::{Phase, may_strike},
    ids::EventId,
    trace_code::{Scanned, parse},
    unit::UnitKey,
    wire::UnitCard,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Containers around goods that are looked at: a case, and the pallet it stands on.
const CONTAINERS: usize = 2;

/// What goods became here, as far as a till asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// An inspection keeps them back, or wants them destroyed (C6).
    Held,
    /// They would be good, but something their card shows was struck since (C10): nobody here knows what they are
    /// without it.
    Struck,
    /// They went through something.
    #[serde(untagged)]
    Is(Phase),
}

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
    /// It went through this, and was moved, so that it was out of its container.
    Went(Kind),
    /// It was looked at, or something was struck, which moves nothing.
    Stood(Step),
    /// Packed into a container; none if that cannot be read. Or taken out of it.
    Put(Option<UnitKey>),
    /// A container that this was packed into, as it was read.
    Got(UnitKey, String, Input),
    /// A container of which all was taken out.
    Emptied,
}

/// What a unit went through ([`after`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It was moved.
    Moved(Kind),
    /// Found sellable.
    Released,
    /// Kept back, or to be destroyed.
    Kept,
    /// What its card shows of it was struck.
    Struck,
}

/// What a unit went through, by the places of the events in the chain.
type Went = BTreeMap<usize, Step>;

impl Here {
    /// Of own events in the order of their chain: `shown` are those that the cards show, `open` those that they do
    /// not yet. What these strike among themselves did nothing.
    pub fn of<'a>(
        shown: impl IntoIterator<Item = &'a Event>,
        open: impl IntoIterator<Item = &'a Event>,
    ) -> Here {
        let shown = shown.into_iter().map(|event| (event, true));
        let open = open.into_iter().map(|event| (event, false));
        let own: Vec<(&Event, bool)> = shown.chain(open).collect();
        let struck = struck(&own);
        let mut here = Here::default();
        for (at, (event, is_shown)) in own.into_iter().enumerate() {
            if is_shown != struck.contains(&event.id) {
                continue;
            }
            let may = event.may_mean();
            if may.is_empty() {
                here.read((at, None), event, is_shown);
            } else {
                let mut meant = event.clone();
                meant.mean(&may);
                here.read((at, Some(Typed::Said)), event, is_shown);
                here.read((at, Some(Typed::Meant)), &meant, is_shown);
            }
        }
        here
    }

    /// What an event did, or that it was struck.
    fn read(&mut self, place: (usize, Option<Typed>), event: &Event, is_struck: bool) {
        let parent = event.parent.as_ref().and_then(|read| read.unit.clone());
        let emptied = parent.clone().filter(|_| event.units.is_empty());
        let did = match (event.kind, event.disposition) {
            (Kind::Pack, _) => Did::Put(parent),
            (Kind::Unpack, _) => Did::Put(None),
            (Kind::Inspect, Some(Disposition::Sellable)) => Did::Stood(Step::Released),
            (Kind::Inspect, Some(Disposition::Hold | Disposition::Destroy)) => {
                Did::Stood(Step::Kept)
            }
            (Kind::Commission | Kind::Count | Kind::Retract | Kind::Inspect, _) => return,
            (kind, _) => Did::Went(kind),
        };
        let or_struck = |did: Did| {
            if is_struck {
                Did::Stood(Step::Struck)
            } else {
                did
            }
        };
        let did = or_struck(did);
        if let (Kind::Unpack, Some(container)) = (event.kind, emptied) {
            self.add(container, place, or_struck(Did::Emptied));
        }
        for read in &event.units {
            let Some(unit) = read.unit.clone() else {
                continue;
            };
            if let Did::Put(Some(container)) = &did {
                let got = Did::Got(unit.clone(), read.code.clone(), read.input);
                self.add(container.clone(), place, got);
            }
            self.add(unit, place, did.clone());
        }
    }

    fn add(&mut self, unit: UnitKey, (at, typed): (usize, Option<Typed>), did: Did) {
        let done = self.done.entry(unit).or_default();
        done.push(Done { at, typed, did });
    }

    /// What became of a unit by codes as they were `typed`; none if no own event says. `card` gives cards, as far
    /// as there are any.
    pub fn became<'c>(
        &self,
        unit: &UnitKey,
        typed: Typed,
        card: &impl Fn(&UnitKey) -> Option<&'c UnitCard>,
    ) -> Option<Became> {
        let asked = Asked { typed, card };
        let (went, _) = self.life(unit, (0, usize::MAX), &asked, CONTAINERS);
        let was = card(unit).map_or(Phase::Unknown, |card| card.phase);
        let last = |step: Step| went.values().rposition(|one| *one == step);
        let is_doubted = last(Step::Struck) > last(Step::Released);
        let became = went.values().copied().fold(Became::Is(was), after);
        (!went.is_empty()).then_some(match became {
            Became::Is(
                Phase::Unknown | Phase::Commissioned | Phase::InStock | Phase::InTransit,
            ) if is_doubted => Became::Struck,
            became => became,
        })
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
                Did::Went(_) => {
                    let together = with(&container, from, at + 1).contains_key(&at);
                    (!together).then_some(None)
                }
                Did::Put(container) => Some(container.clone()),
                Did::Stood(_) | Did::Got(..) | Did::Emptied => None,
            };
            if let Some(now_in) = now_in {
                went.append(&mut with(&container, from, at));
                (container, from) = (now_in, at);
            }
            let step = match did {
                Did::Went(kind) => Some(Step::Moved(*kind)),
                Did::Stood(step) => Some(*step),
                Did::Put(_) | Did::Got(..) | Did::Emptied => None,
            };
            if let (Some(step), true) = (step, at >= since) {
                went.insert(at, step);
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

/// Own events that a retract which no card shows yet strikes (C10). Of what is not here nobody knows what it was.
fn struck(own: &[(&Event, bool)]) -> BTreeSet<EventId> {
    let open = own.iter().filter(|(_, is_shown)| !is_shown);
    let retracts = open.filter(|(event, _)| event.kind == Kind::Retract);
    let strikes = retracts.filter_map(|(retract, _)| {
        let mut events = own.iter().map(|(event, _)| *event);
        let target = events.find(|event| Some(event.id) == retract.target)?;
        let strikes = target.kind != Kind::Retract && may_strike(retract, target);
        strikes.then_some(target.id)
    });
    strikes.collect()
}

/// What a step leaves a unit as. As the fold does, as far as a till can know: nothing follows destruction (C8), what
/// was brought or fetched back, or is held, and only moves stays that (C2, C3), and so does what was fetched back when
/// it is kept (C6).
const fn after(was: Became, step: Step) -> Became {
    match (was, step) {
        (Became::Is(Phase::Destroyed), _)
        | (
            Became::Is(Phase::Returned | Phase::Collected) | Became::Held,
            Step::Moved(Kind::Inbound | Kind::Outbound),
        )
        | (Became::Is(Phase::Collected), Step::Kept)
        | (
            _,
            Step::Struck
            | Step::Moved(
                Kind::Commission
                | Kind::Pack
                | Kind::Unpack
                | Kind::Inspect
                | Kind::Count
                | Kind::Retract,
            ),
        ) => was,
        (_, Step::Kept) => Became::Held,
        (_, Step::Released | Step::Moved(Kind::Inbound)) => Became::Is(Phase::InStock),
        (_, Step::Moved(Kind::Outbound)) => Became::Is(Phase::InTransit),
        (_, Step::Moved(Kind::Sale)) => Became::Is(Phase::Sold),
        (_, Step::Moved(Kind::Return)) => Became::Is(Phase::Returned),
        (_, Step::Moved(Kind::Collect)) => Became::Is(Phase::Collected),
        (_, Step::Moved(Kind::Destroy)) => Became::Is(Phase::Destroyed),
    }
}
