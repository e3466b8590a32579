//! Plays facts through a little world in their total order, every unit at once: what stood before
//! each moment, whom it touched, and which row of the table applied.
//!
//! C13 read literally: an event on a container happens to each unit inside, as if it had been
//! scanned there itself, whether or not the event counts for the container. D2 says which events
//! do, and when a unit that is scanned alone has left its container.

use super::{
    conditions,
    effects::{self, Effect},
    holders, recalled,
    struck::{self, Fate},
    table::{Act, Row, TABLE},
};
use crate::{
    event::{Disposition, Input, Kind},
    facts::{Fact, World},
    fold::{Phase, Place, UnitState},
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// All units at one place in the order.
pub type Snapshot = BTreeMap<UnitKey, UnitState>;

/// A history that was played.
pub struct History<'a> {
    /// What is on record.
    pub world: &'a World,
    /// In the total order.
    pub facts: Vec<&'a Fact>,
    /// What C10 makes of each.
    pub fates: Vec<Fate>,
    /// What each met and touched.
    pub moments: Vec<Moment>,
    /// What stands in the end.
    pub after: Snapshot,
}

/// The moment of one fact.
pub struct Moment {
    /// What stood before it.
    pub before: Snapshot,
    /// Whom it touched. A struck event touches nobody.
    pub touches: Vec<Touch>,
}

/// What a fact did to one unit.
pub struct Touch {
    pub unit: UnitKey,
    pub act: Act,
    /// The containers it came through, nearest first; empty when the unit was scanned itself.
    pub chain: Vec<UnitKey>,
    /// The stater is linked to the unit (C14).
    pub counts: bool,
    /// The row that applied, when it counts.
    pub row: Option<&'static Row>,
    /// The container it must have left, unsaid (`IMPLIED_UNPACK`).
    pub left: Option<UnitKey>,
}

/// Events on a container that happen to what is inside (D2).
const CARRIES: [Kind; 7] = [
    Kind::Inbound,
    Kind::Outbound,
    Kind::Sale,
    Kind::Return,
    Kind::Inspect,
    Kind::Collect,
    Kind::Destroy,
];

/// Acts that take a unit out of its container when it is scanned alone, wherever the container
/// stands (D2).
const TAKES_OUT: [Act; 6] = [
    Act::Inbound,
    Act::Outbound,
    Act::Sale,
    Act::Return,
    Act::Collect,
    Act::Destroy,
];

impl<'a> History<'a> {
    /// Plays the facts, in their order whatever order they are given in.
    pub fn play(world: &'a World, facts: &'a [Fact]) -> History<'a> {
        let mut facts: Vec<&Fact> = facts.iter().collect();
        facts.sort_by_key(|fact| fact.order);
        facts.dedup_by_key(|fact| fact.order);
        let fates = struck::fates(world, &facts);
        let mut history = History {
            world,
            after: beginning(world, &facts, &fates),
            facts,
            fates,
            moments: Vec::new(),
        };
        for k in 0..history.facts.len() {
            history.play_one(k);
        }
        history
    }

    fn play_one(&mut self, k: usize) {
        let mut moment = Moment {
            before: self.after.clone(),
            touches: Vec::new(),
        };
        let mut after = moment.before.clone();
        if self.fates[k] == Fate::Counts {
            let mut waiting = self.touches(k, &moment.before);
            let met: BTreeSet<UnitKey> = waiting.iter().map(|touch| touch.unit.clone()).collect();
            while !waiting.is_empty() {
                let mut touch = waiting.remove(0);
                touch.row = self.row(k, &moment, &touch);
                touch.left = touch.row.and_then(|row| self.left(k, &moment, &touch, row));
                let state = after
                    .get_mut(&touch.unit)
                    .expect("every unit is in the world");
                self.change(k, &moment, &touch, state);
                waiting.extend(self.followers(k, &moment, &touch, &met));
                moment.touches.push(touch);
            }
        }
        if self.fates[k] == Fate::Struck {
            self.link_answered(k, &moment.before, &mut after);
        }
        self.after = after;
        self.moments.push(moment);
    }

    /// A struck leg links its counterpart all the same, where that stated its own side of it before the retract
    /// was received.
    fn link_answered(&self, k: usize, before: &Snapshot, after: &mut Snapshot) {
        let fact = self.facts[k];
        let since = struck::struck_since(self.world, &self.facts, k);
        let partner = holders::linked_by(self.world, fact);
        let Some((since, partner)) = since.zip(partner) else {
            return;
        };
        for touch in self.touches(k, before) {
            let answered = (0..self.facts.len()).any(|j| {
                let answer = self.facts[j];
                let legs = (fact.event.kind, answer.event.kind);
                let opposite = [
                    (Kind::Outbound, Kind::Inbound),
                    (Kind::Inbound, Kind::Outbound),
                ];
                self.fates[j] == Fate::Counts
                    && opposite.contains(&legs)
                    && answer.enterprise == partner
                    && holders::linked_by(self.world, answer) == Some(fact.enterprise)
                    && answer.gseq < since
                    && !holders::is_elsewhere(self.world, answer)
                    && (holders::names(answer, &touch.unit)
                        || touch
                            .chain
                            .iter()
                            .any(|around| holders::names(answer, around)))
            });
            let linked = before[&touch.unit].linked.contains(&fact.enterprise);
            if let Some(state) = after.get_mut(&touch.unit)
                && answered
                && touch.counts
                && linked
            {
                state.linked.insert(partner);
                state.claims.remove(&partner);
            }
        }
    }

    fn change(&self, k: usize, moment: &Moment, touch: &Touch, state: &mut UnitState) {
        let fact = self.facts[k];
        let Some(row) = touch.row else {
            // Who states something of a container claims what it read, not what is inside.
            if touch.chain.is_empty() {
                state.claims.insert(fact.enterprise, claimed(self, fact));
            }
            return;
        };
        if touch.left.is_some() {
            state.inside = None;
            state.uninvited = false;
        }
        effects::apply(row.effect, self, k, moment, touch, state);

        if row.effect != Effect::Nothing
            && moment.before[&touch.unit].linked.contains(&fact.enterprise)
            && let Some(partner) = holders::linked_by(self.world, fact)
        {
            state.linked.insert(partner);
            state.claims.remove(&partner);
        }
        state.claims.remove(&fact.enterprise);
        state.last = Some(fact.order);
    }

    /// Whom a fact touches.
    fn touches(&self, k: usize, before: &Snapshot) -> Vec<Touch> {
        let event = &*self.facts[k].event;
        let named = self.named(k);
        let touch = |unit: &UnitKey, act: Act, chain: Vec<UnitKey>| Touch {
            unit: unit.clone(),
            act,
            chain,
            counts: holders::counts(self.world, unit, &before[unit], self.facts[k]),
            row: None,
            left: None,
        };
        let mut touches = Vec::new();
        if let (Kind::Pack | Kind::Unpack, Some(container)) = (event.kind, self.container(k)) {
            let side = match event.kind {
                Kind::Pack => Act::PackedUp,
                _ => Act::Opened,
            };
            // A code that is packed into itself is a child, and of the wrong level.
            if !named.contains(&container) {
                touches.push(touch(&container, side, Vec::new()));
            }
            let names_nothing = event.units.is_empty() && event.lots.is_empty();
            if event.kind == Kind::Unpack && names_nothing {
                for child in self.reached(k, before, &container) {
                    touches.push(touch(&child, Act::Emptied, vec![container.clone()]));
                }
            }
        }
        for unit in &named {
            touches.push(touch(unit, Act::of_named(event.kind), Vec::new()));
            if CARRIES.contains(&event.kind) {
                self.carry(k, before, unit, &[], &named, &mut touches);
            }
        }
        touches
    }

    /// What is inside a container that a pack, unpack or count observed somewhere was observed there
    /// too (C13).
    fn followers(
        &self,
        k: usize,
        moment: &Moment,
        container: &Touch,
        met: &BTreeSet<UnitKey>,
    ) -> Vec<Touch> {
        let kind = self.facts[k].event.kind;
        let observes = matches!(kind, Kind::Pack | Kind::Unpack | Kind::Count);
        if !observes || !container.row.is_some_and(took) {
            return Vec::new();
        }
        let mut chain = container.chain.clone();
        chain.insert(0, container.unit.clone());
        self.reached(k, &moment.before, &container.unit)
            .into_iter()
            .filter(|child| !met.contains(child))
            .map(|child| Touch {
                counts: holders::counts(self.world, &child, &moment.before[&child], self.facts[k]),
                unit: child,
                act: Act::Followed,
                chain: chain.clone(),
                row: None,
                left: None,
            })
            .collect()
    }

    /// What is inside a container follows it, container by container. Units the event names itself
    /// are not met twice.
    fn carry(
        &self,
        k: usize,
        before: &Snapshot,
        container: &UnitKey,
        chain: &[UnitKey],
        named: &BTreeSet<UnitKey>,
        touches: &mut Vec<Touch>,
    ) {
        let fact = self.facts[k];
        let mut chain = chain.to_vec();
        chain.insert(0, container.clone());
        for child in self.reached(k, before, container) {
            if named.contains(&child) {
                continue;
            }
            touches.push(Touch {
                unit: child.clone(),
                act: Act::of_named(fact.event.kind),
                chain: chain.clone(),
                counts: holders::counts(self.world, &child, &before[&child], fact),
                row: None,
                left: None,
            });
            self.carry(k, before, &child, &chain, named, touches);
        }
    }

    /// What is inside a container and hears of what happens to that: what somebody put there who had no
    /// say in the container only hears it from those who have a say in the thing.
    fn reached(&self, k: usize, before: &Snapshot, container: &UnitKey) -> Vec<UnitKey> {
        let mut children = inside(before, container);
        children.retain(|child| {
            let state = &before[child];
            !state.uninvited || holders::counts(self.world, child, state, self.facts[k])
        });
        children
    }

    /// The row of the table that applies: the first for this act and phase whose condition holds.
    fn row(&self, k: usize, moment: &Moment, touch: &Touch) -> Option<&'static Row> {
        let phase = moment.before[&touch.unit].phase;
        if !touch.counts {
            return None;
        }
        TABLE.iter().find(|row| {
            row.act == touch.act
                && row.phases.contains(&phase)
                && conditions::holds(row.when, self, k, moment, touch)
        })
    }

    /// Has the unit left its container without anybody saying so (C12)?
    fn left(&self, k: usize, moment: &Moment, touch: &Touch, row: &Row) -> Option<UnitKey> {
        let before = &moment.before[&touch.unit];
        let container = before.inside.clone()?;
        if before.phase == Phase::Destroyed || !touch.chain.is_empty() {
            return None;
        }
        let named = self.named(k);
        let accompanied = around(&moment.before, &touch.unit)
            .iter()
            .any(|above| named.contains(above));
        let has_left = match touch.act {
            // Put into another container.
            Act::PackedInto => {
                // Or into one that cannot be read: it is another, whichever it is.
                let packs = matches!(row.effect, Effect::PutIn | Effect::Observe);
                packs && Some(&container) != self.container(k).as_ref()
            }
            // Taken out of another container than it is in.
            Act::TakenOut => self.container(k).is_some_and(|opened| opened != container),
            Act::Emptied | Act::Followed | Act::Retract => false,
            Act::Commission | Act::Inspect | Act::Seen if accompanied => false,
            act if TAKES_OUT.contains(&act) => !accompanied,
            // Seen where its container stands, it may be inside still.
            _ => {
                // Where it stands counts by the word of those linked to the unit, or accepted for it; else
                // the unit went with it, and is where it is.
                let around = &moment.before[&container];
                let by_friends = around
                    .holder
                    .is_some_and(|who| before.linked.contains(&who))
                    || self.last_change(k, &container).is_some_and(|j| {
                        holders::accepted(self.world, &touch.unit, before, self.facts[j])
                    });
                let stands = match around.place {
                    place @ (Place::At(_) | Place::Between { .. }) if by_friends => place,
                    _ => before.place,
                };
                stands != Place::At(self.facts[k].event.location)
            }
        };
        has_left.then_some(container)
    }

    /// The units an event names among its units, each once.
    pub fn named(&self, k: usize) -> BTreeSet<UnitKey> {
        let reads = &self.facts[k].event.units;
        reads.iter().filter_map(|read| read.unit.clone()).collect()
    }

    /// The container of a pack or unpack.
    pub fn container(&self, k: usize) -> Option<UnitKey> {
        let read = self.facts[k].event.parent.as_ref()?;
        read.unit.clone()
    }

    /// What stands in the end.
    pub fn last(&self) -> Snapshot {
        let mut units = self.after.clone();
        for (unit, state) in &mut units {
            state.withdrawn = self.withdrawn(unit);
            state.recalls = recalled::now(self.world, unit, state);
        }
        units
    }

    /// Was it collected, and not found sellable at any moment after that?
    fn withdrawn(&self, unit: &UnitKey) -> bool {
        let after = |k: usize| match self.moments.get(k + 1) {
            Some(next) => &next.before[unit],
            None => &self.after[unit],
        };
        let moments = 0..self.moments.len();
        let collected = moments.rev().find(|k| after(*k).phase == Phase::Collected);
        collected.is_some_and(|collected| {
            !self.back(self.moments.len(), unit).any(|(k, row)| {
                let sellable = self.facts[k].event.disposition == Some(Disposition::Sellable);
                k > collected && row.effect == Effect::Dispose && sellable
            })
        })
    }

    /// The rows that applied to a unit before moment `k`, latest first.
    fn back(&self, k: usize, unit: &UnitKey) -> impl Iterator<Item = (usize, &'static Row)> {
        let mut rows = Vec::new();
        for (j, moment) in self.moments.iter().enumerate().take(k) {
            for touch in moment.touches.iter().filter(|touch| touch.unit == *unit) {
                rows.extend(touch.row.map(|row| (j, row)));
            }
        }
        rows.into_iter().rev()
    }

    /// The last fact before `k` that happened to the unit, whatever came of it.
    pub fn last_touch(&self, k: usize, unit: &UnitKey) -> Option<usize> {
        self.back(k, unit).map(|(j, _)| j).next()
    }

    /// The last fact before `k` that changed the unit.
    pub fn last_change(&self, k: usize, unit: &UnitKey) -> Option<usize> {
        let mut back = self.back(k, unit);
        back.find(|(_, row)| took(row)).map(|(j, _)| j)
    }

    /// The sale that stands before `k`.
    pub fn last_sale(&self, k: usize, unit: &UnitKey) -> Option<usize> {
        let mut back = self.back(k, unit);
        back.find(|(_, row)| row.effect == Effect::Sell)
            .map(|(j, _)| j)
    }

    /// Did this fact sell the unit, or say that it was sold?
    pub fn sold(&self, j: usize, unit: &UnitKey) -> bool {
        let mut touches = self.moments[j].touches.iter();
        touches.any(|touch| {
            let row = touch.row.map(|row| row.effect);
            touch.unit == *unit && matches!(row, Some(Effect::Sell | Effect::SecondSale))
        })
    }

    /// The pack that put the unit where it is inside.
    pub fn last_pack(&self, k: usize, unit: &UnitKey) -> Option<usize> {
        let mut back = self.back(k, unit);
        back.find(|(j, row)| {
            let before = &self.moments[*j].before[unit];
            row.effect == Effect::PutIn && before.inside != self.container(*j)
        })
        .map(|(j, _)| j)
    }

    /// The commission that told the unit's batch.
    pub fn last_commission(&self, k: usize, unit: &UnitKey) -> Option<usize> {
        let mut back = self.back(k, unit);
        back.find(|(_, row)| matches!(row.effect, Effect::Commission | Effect::SetBatch))
            .map(|(j, _)| j)
    }

    /// Was the unit's own code read off the goods by a machine?
    pub fn read_by_machine(&self, k: usize, unit: &UnitKey) -> bool {
        let mut reads = self.facts[k].event.units.iter();
        reads
            .find(|read| read.unit.as_ref() == Some(unit))
            .is_some_and(|read| Input::is_machine(read.input))
    }
}

/// Does the row say what the unit is, or where it is, from then on?
pub fn took(row: &Row) -> bool {
    !matches!(
        row.effect,
        Effect::Nothing | Effect::SecondSale | Effect::SetBatch
    )
}

/// Where its stater says the unit is.
fn claimed(history: &History, fact: &Fact) -> Place {
    match fact.event.kind {
        Kind::Outbound => effects::destination(history, &fact.event),
        Kind::Sale | Kind::Destroy => Place::Nowhere,
        _ => Place::At(fact.event.location),
    }
}

/// The units directly inside a container.
pub fn inside(units: &Snapshot, container: &UnitKey) -> Vec<UnitKey> {
    units
        .iter()
        .filter(|(_, state)| state.inside.as_ref() == Some(container))
        .map(|(unit, _)| unit.clone())
        .collect()
}

/// The containers around a unit, nearest first.
pub fn around(units: &Snapshot, unit: &UnitKey) -> Vec<UnitKey> {
    let mut chain: Vec<UnitKey> = Vec::new();
    let mut at = units[unit].inside.as_ref();
    while let Some(container) = at {
        assert!(!chain.contains(container), "a pack cycle");
        at = units[container].inside.as_ref();
        chain.push(container.clone());
    }
    chain
}

/// What stands before the first fact: what is on record of each unit.
fn beginning(world: &World, facts: &[&Fact], fates: &[Fate]) -> Snapshot {
    let mut units: BTreeSet<UnitKey> = world.units.keys().cloned().collect();
    for fact in facts {
        let reads = fact.event.units.iter().chain(&fact.event.parent);
        units.extend(reads.filter_map(|read| read.unit.clone()));
    }
    units
        .into_iter()
        .map(|unit| {
            let state = holders::beginning(world, &unit, facts, fates);
            (unit, state)
        })
        .collect()
}
