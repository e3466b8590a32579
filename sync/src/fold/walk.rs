//! The walk over what is known of one unit, in order: its own facts, and while it is inside a
//! container what moves that container.
//!
//! It knows the order of things, who is asked (holder rule, table, rule) and what is written down
//! afterwards. What an event means is told by the rules, one file each; it must not know them. How they
//! say what is wrong stands in `found`.

use super::{
    Folded, Phase, Place, Row, Stay, Step, UnitState, claims, collect, commission, container_row,
    count, destroy, found,
    holder::{self, Said},
    inbound, inspect, level, outbound, pack, recalled, returned, row, sale,
    state::TakenBack,
    struck::{self, Struck},
};
use crate::{
    bugs::{self, Bug},
    event::{Kind, UnitRead},
    facts::{BatchInfo, Content, Fact, RecallSpan, Then, World},
    finding::{Finding, Severity},
    ids::{BatchId, EventId, LocationId},
    order::Order,
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// The fact at hand, as the unit sees it.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    /// What was stated.
    pub(super) fact: &'a Fact,
    /// How the unit itself was read; nothing when it came by its container.
    pub(super) read: Option<&'a UnitRead>,
    /// The container it came by.
    pub(super) via: Option<&'a UnitKey>,
    /// What was named: the unit itself, or the container in which it is, maybe within others.
    pub(super) named: &'a UnitKey,
}

impl At<'_> {
    /// What a sale is judged by, of these goods.
    pub(super) fn then(&self) -> Then {
        self.fact.then_of(self.named)
    }

    pub(super) fn here(&self) -> LocationId {
        self.fact.event.location
    }

    pub(super) fn id(&self) -> EventId {
        self.fact.event.id
    }

    /// Was the unit's own code read off the goods by a machine?
    pub(super) fn machine_read(&self) -> bool {
        self.read.is_some_and(|read| read.input.is_machine())
    }
}

/// What an event did to the state.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It says where the unit is or what it is from now on.
    Took,
    /// It says what was known.
    Confirmed,
    /// Nothing: what was known stays.
    Nothing,
}

/// What a step is written down as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// The fact contributes nothing (C10), but that an answered leg links its counterpart.
    Struck(TakenBack),
    /// Its stater's word does not count (C14).
    Stranger,
    /// It was judged.
    Judged(Effect),
}

/// The facts behind the present state: the witnesses of what may contradict it.
#[derive(Default)]
pub(super) struct Memory<'a> {
    /// What brought it to its present phase and place.
    pub(super) cause: Option<EventId>,
    /// What gave it its batch; nothing when the server did.
    pub(super) commission: Option<EventId>,
    /// What put it into its container.
    pub(super) pack: Option<EventId>,
    /// The sale that stands.
    pub(super) sale: Option<&'a Fact>,
    /// The last return.
    pub(super) returned: Option<&'a Fact>,
    /// Where a machine read the unit's own code at that sale, and at others since.
    pub(super) read_at: BTreeSet<LocationId>,
    /// What is judged by the batch on record, while there is none.
    unbatched: Vec<At<'a>>,
    /// The last effective event, if it was an inbound.
    pub(super) inbound: Option<&'a Fact>,
    /// A complete count missed it, and nobody who counts named or moved it since (C11).
    pub(super) missed: bool,
}

/// The walk.
pub(super) struct Walk<'a> {
    pub(super) unit: &'a UnitKey,
    pub(super) world: &'a World,
    pub(super) parents: &'a BTreeMap<UnitKey, Folded>,
    pub(super) contents: &'a [Content],
    /// The levels of all codes, where they were read beforehand.
    pub(super) levels: Option<&'a level::Levels<'a>>,
    pub(super) state: UnitState,
    pub(super) memory: Memory<'a>,
    /// Recalls that cover the unit at some time, in the order of their beginnings.
    pub(super) recalls: Vec<&'a RecallSpan>,
    pub(super) stays: Vec<Stay>,
    /// What was found, as it came.
    pub(super) findings: Vec<Finding>,
    /// The same of what its container reports.
    pub(super) shared: Vec<Finding>,
    steps: Option<Vec<Step>>,
    /// The next step of the container it is inside of.
    next_step: usize,
    /// The last own fact: the same event may also have moved the container.
    last_own: Option<Order>,
}

impl<'a> Walk<'a> {
    /// At the beginning, before any fact.
    pub(super) fn new(
        unit: &'a UnitKey,
        parents: &'a BTreeMap<UnitKey, Folded>,
        world: &'a World,
        contents: &'a [Content],
        levels: Option<&'a level::Levels<'a>>,
        timeline: bool,
    ) -> Walk<'a> {
        let mut walk = Walk {
            unit,
            world,
            parents,
            contents,
            levels,
            state: UnitState::default(),
            memory: Memory::default(),
            recalls: Vec::new(),
            stays: Vec::new(),
            findings: Vec::new(),
            shared: Vec::new(),
            steps: timeline.then(Vec::new),
            next_step: 0,
            last_own: None,
        };
        holder::begin(&mut walk);
        commission::begin(&mut walk);
        walk
    }

    /// Walks over the unit's own facts, sorted, and the steps of its containers in between. A fact that is there
    /// again is there once, for whatever is asked of all of them too.
    pub(super) fn over(mut self, facts: &[&'a Fact]) -> Folded {
        let again = |pair: &[&Fact]| matches!(pair, [one, next] if one.order == next.order);
        let mut once = Vec::new();
        let facts = if facts.windows(2).any(again) && !bugs::on(Bug::DuplicateTwice) {
            once.extend_from_slice(facts);
            once.dedup_by_key(|fact| fact.order);
            &once
        } else {
            facts
        };
        let struck = Struck::of(facts, self.world);
        let said = holder::said(facts, &struck);
        holder::first(&mut self, &said);
        self.state.level = self
            .state
            .level
            .or_else(|| level::taught(self.unit, &said, self.world));
        let sweeps = count::Sweeps::of(facts, &struck);
        let mut next = 0;
        loop {
            let own = facts.get(next).copied();
            match (own, self.step_of_container()) {
                (None, None) => break,
                (None, Some((container, step))) => self.by_container(container, step, &said),
                (Some(fact), Some((container, step))) if step.order < fact.order => {
                    self.by_container(container, step, &said);
                }
                (Some(fact), _) => {
                    self.own((facts, &said), next, fact, &struck, &sweeps);
                    if names(fact, self.unit) {
                        self.last_own = Some(fact.order);
                    }
                    next += 1;
                }
            }
        }
        self.end()
    }

    /// What is judged of an event by the unit's own batch. That is a thing of the record: it counts from wherever
    /// in the order it is told, so where it is not told yet the event waits.
    pub(super) fn by_batch(&mut self, at: &At<'a>) {
        if self.state.batch.is_none() {
            self.memory.unbatched.push(*at);
            return;
        }
        self.judge_by_batch(at);
    }

    fn judge_by_batch(&mut self, at: &At<'a>) {
        match at.fact.event.kind {
            Kind::Sale => sale::by_batch(self, at),
            Kind::Outbound => outbound::by_batch(self, at),
            Kind::Collect => collect::by_batch(self, at),
            _ => {}
        }
    }

    fn end(mut self) -> Folded {
        for at in std::mem::take(&mut self.memory.unbatched) {
            self.judge_by_batch(&at);
        }
        self.state.recalls = recalled::now(&self.recalls);
        Folded {
            state: self.state,
            findings: found::sorted(self.findings),
            shared: found::sorted(self.shared),
            stays: self.stays,
            steps: self.steps.unwrap_or_default(),
        }
    }

    /// One of the unit's own facts.
    fn own(
        &mut self,
        (facts, said): (&[&'a Fact], &[Said<'a>]),
        place: usize,
        fact: &'a Fact,
        struck: &Struck,
        sweeps: &count::Sweeps,
    ) {
        let read = fact.event.units.of(self.unit).next();
        let at = At {
            fact,
            read,
            via: None,
            named: self.unit,
        };
        if fact.event.kind == Kind::Retract {
            self.retract(&at, facts, place, struck);
            return;
        }
        let container = is_container(fact, self.unit);
        if read.is_none() && !container {
            if fact.event.kind == Kind::Count && !struck.is(place) {
                count::unseen(self, &at, facts, sweeps, place);
            }
            return;
        }
        if struck.is(place) {
            let since = struck.since(place);
            let answered = holder::is_answered(self, &at, since, said);
            self.strike(&at, TakenBack { since, answered });
            return;
        }
        if !holder::counts(self, &at) {
            holder::stranger(self, &at);
            self.write(&at, Written::Stranger);
            return;
        }
        if read.is_none() || !matches!(fact.event.kind, Kind::Pack | Kind::Unpack) {
            pack::alone(self, &at);
        }
        if read.is_some() {
            self.apply(&at, row(self.state.phase, fact.event.kind));
        } else {
            self.apply(&at, container_row(self.state.phase));
        }
    }

    /// C10: the retract itself is listed, and what is wrong with it is found; what it does was
    /// settled before the walk. One of somebody else's event says nothing of the unit.
    fn retract(&mut self, at: &At<'a>, facts: &[&'a Fact], place: usize, struck: &Struck) {
        let target = struck.target(place).and_then(|target| facts.get(target));
        let target = target.filter(|target| names(target, self.unit));
        if target.is_some_and(|target| struck::strikes(at.fact, target, self.world)) {
            self.write(at, Written::Judged(Effect::Nothing));
        }
    }

    /// The container the unit is inside of, as far as it is known.
    pub(super) fn container_inside(&self) -> Option<(&'a UnitKey, &'a Folded)> {
        self.parents.get_key_value(self.state.inside.as_ref()?)
    }

    /// The next step of the container the unit is inside of.
    fn step_of_container(&self) -> Option<(&'a UnitKey, &'a Step)> {
        let (container, folded) = self.container_inside()?;
        Some((container, folded.steps.get(self.next_step)?))
    }

    /// C13: what moves the container moves the unit.
    fn by_container(&mut self, container: &'a UnitKey, step: &'a Step, said: &[Said<'a>]) {
        self.next_step += 1;
        let same_event = self.last_own.is_some_and(|own| step.order <= own);
        if same_event || bugs::on(Bug::ChildMissed) {
            return;
        }
        if step.struck {
            self.struck_with_container(container, step, said);
            return;
        }
        let event = &step.fact.event;
        let emptied = event.kind == Kind::Unpack
            && event.units.is_empty()
            && event.lots.is_empty()
            && is_container(&step.fact, container);
        let observed = step.took && matches!(event.kind, Kind::Pack | Kind::Unpack | Kind::Count);
        if !emptied && !observed && !moves(event.kind) {
            return;
        }
        let at = At {
            fact: &step.fact,
            read: None,
            via: Some(container),
            named: step.named.as_ref().unwrap_or(container),
        };
        let counts = holder::counts(self, &at);
        if self.state.uninvited && !counts {
            // Whoever has the container knows nothing of it.
            return;
        }
        if !counts {
            holder::stranger(self, &at);
            self.write(&at, Written::Stranger);
            return;
        }
        if emptied || moves(event.kind) {
            self.apply(&at, row(self.state.phase, event.kind));
        } else {
            let effect = pack::followed(self, &at);
            self.note(&at, effect);
            self.write(&at, Written::Judged(effect));
        }
    }

    /// A struck leg of the container links as one of the unit itself does, if either was answered.
    fn struck_with_container(&mut self, container: &'a UnitKey, step: &'a Step, said: &[Said<'a>]) {
        let at = At {
            fact: &step.fact,
            read: None,
            via: Some(container),
            named: step.named.as_ref().unwrap_or(container),
        };
        if matches!(at.fact.event.kind, Kind::Inbound | Kind::Outbound) {
            let TakenBack { since, answered } = step.taken_back;
            let answered = answered || holder::is_answered(self, &at, since, said);
            self.strike(&at, TakenBack { since, answered });
        }
    }

    /// A struck fact contributes nothing, but that an answered leg links its counterpart.
    fn strike(&mut self, at: &At<'a>, taken_back: TakenBack) {
        if taken_back.answered && holder::counts(self, at) {
            holder::link(self, at);
        }
        self.write(at, Written::Struck(taken_back));
    }

    /// Asks the rule, and writes down what follows from any effect.
    fn apply(&mut self, at: &At<'a>, row: Row) {
        let before =
            bugs::on(Bug::DroppedOnConflict).then(|| (self.state.clone(), self.findings.len()));
        let effect = self.judge(at, row);
        if effect != Effect::Nothing {
            holder::link(self, at);
        }
        self.note(at, effect);
        claims::compare(self, at);
        if let Some((state, findings)) = before {
            let conflict = self
                .findings
                .iter()
                .skip(findings)
                .any(|finding| finding.code.severity() == Severity::Critical);
            if conflict {
                self.state = state;
                self.findings.truncate(findings);
            }
        }
        self.write(at, Written::Judged(effect));
    }

    /// What follows from any effect.
    fn note(&mut self, at: &At<'a>, effect: Effect) {
        self.state.claims.remove(&at.fact.enterprise);
        self.memory.missed = false;
        match effect {
            Effect::Took => {
                self.state.holder = Some(at.fact.enterprise);
                self.state.last = Some(at.fact.order);
                self.memory.cause = Some(at.id());
                self.memory.inbound = (at.fact.event.kind == Kind::Inbound).then_some(at.fact);
            }
            Effect::Confirmed => self.state.last = Some(at.fact.order),
            Effect::Nothing => {}
        }
    }

    fn judge(&mut self, at: &At<'a>, row: Row) -> Effect {
        match row {
            Row::Begin | Row::BeginAgain => commission::begun(self, at),
            Row::Receive
            | Row::Arrive
            | Row::ReceiveAgain
            | Row::ReceiveSold
            | Row::ReceiveKept => inbound::came(self, at, row),
            Row::Ship | Row::ShipNew | Row::ShipOnWay | Row::ShipSold | Row::ShipKept => {
                outbound::left(self, at, row)
            }
            Row::Sell
            | Row::SellOnWay
            | Row::SellNew
            | Row::SellAgain
            | Row::SellReturned
            | Row::SellCollected => sale::sold(self, at, row),
            Row::TakeBack | Row::TakeBackUnsold | Row::TakeBackAgain | Row::TakeBackCollected => {
                returned::brought_back(self, at, row)
            }
            Row::Judge | Row::JudgeHeld => inspect::inspected(self, at, row),
            Row::Fetch | Row::FetchAgain | Row::FetchDestroyed => collect::collected(self, at, row),
            Row::Destroy | Row::DestroySold | Row::End => destroy::destroyed(self, at, row),
            Row::Observe | Row::ObserveNew | Row::ObserveKept | Row::ObserveEnded => {
                count::seen(self, at, row)
            }
            Row::Pack | Row::PackEnded | Row::PackDestroyed => pack::packed(self, at, row),
            Row::Unpack => pack::unpacked(self, at),
            Row::Handle | Row::HandleEnded => pack::handled(self, at, row),
            // Retracts never come here: they were settled before the walk.
            Row::Strike => Effect::Nothing,
        }
    }

    /// Goes into a container, or closes the stay in one.
    pub(super) fn put_inside(&mut self, container: Option<&UnitKey>, at: &At<'a>) {
        if self.state.inside.is_some()
            && let Some(stay) = self.stays.last_mut()
        {
            stay.until = Some(at.fact.order);
        }
        self.state.inside = container.cloned();
        self.state.uninvited = false;
        self.memory.pack = container.map(|_| at.id());
        if let Some(container) = container {
            let steps = self.parents.get(container).map(|folded| &folded.steps[..]);
            let steps = steps.unwrap_or_default();
            self.next_step = steps.partition_point(|step| step.order <= at.fact.order);
            let packed = self.next_step.checked_sub(1).and_then(|at| steps.get(at));
            self.state.uninvited =
                packed.is_some_and(|step| step.order == at.fact.order && step.stranger);
            self.stays.push(Stay {
                container: container.clone(),
                from: at.fact.order,
                until: None,
                uninvited: self.state.uninvited,
            });
        }
    }

    /// The state of the container the unit is inside of, as of now.
    pub(super) fn container_now(&self) -> Option<&'a UnitState> {
        let (_, folded) = self.container_inside()?;
        let step = folded.steps.get(self.next_step.checked_sub(1)?)?;
        Some(&step.after)
    }

    /// What made the container the unit is inside of what it is now.
    pub(super) fn container_moved(&self) -> Option<&'a Fact> {
        let (_, folded) = self.container_inside()?;
        let mut steps = folded.steps.get(..self.next_step)?.iter().rev();
        steps.find(|step| step.took).map(|step| &step.fact)
    }

    /// Puts the unit somewhere.
    pub(super) fn set(&mut self, phase: Phase, place: Place) {
        self.state.phase = phase;
        self.state.place = place;
        self.state.withdrawn |= phase == Phase::Collected;
    }

    /// Gives the unit its batch.
    pub(super) fn set_batch(&mut self, batch: Option<BatchId>) {
        self.state.batch = batch;
        self.recalls = recalled::covering(self.world, Some(self.unit), batch);
    }

    /// What is on record of its batch.
    pub(super) fn batch(&self) -> Option<&'a BatchInfo> {
        self.world.batches.get(&self.state.batch?)
    }

    /// Is the unit at this place now?
    pub(super) fn is_at(&self, here: LocationId) -> bool {
        self.state.place == Place::At(here)
    }

    /// Writes the step down, if the timeline is wanted.
    fn write(&mut self, at: &At<'a>, written: Written) {
        let Some(steps) = &mut self.steps else {
            return;
        };
        self.state.recalls = recalled::active(&self.recalls, at.fact.order);
        steps.push(Step {
            order: at.fact.order,
            event: at.id(),
            fact: at.fact.clone(),
            after: self.state.clone(),
            struck: matches!(written, Written::Struck(_)),
            taken_back: match written {
                Written::Struck(taken_back) => taken_back,
                Written::Stranger | Written::Judged(_) => TakenBack::default(),
            },
            took: written == Written::Judged(Effect::Took),
            stranger: written == Written::Stranger,
            via: at.via.cloned(),
            named: at.via.map(|_| at.named.clone()),
        });
    }
}

/// Is the unit the container of a pack or unpack?
pub(crate) fn is_container(fact: &Fact, unit: &UnitKey) -> bool {
    matches!(fact.event.kind, Kind::Pack | Kind::Unpack)
        && fact
            .event
            .parent
            .as_ref()
            .is_some_and(|parent| parent.unit.as_ref() == Some(unit))
}

/// Does the fact name the unit, in any part?
pub(super) fn names(fact: &Fact, unit: &UnitKey) -> bool {
    fact.event.units.name(unit) || is_container(fact, unit)
}

/// Does this kind of event, on a container, move what is inside?
const fn moves(kind: Kind) -> bool {
    match kind {
        Kind::Inbound
        | Kind::Outbound
        | Kind::Sale
        | Kind::Return
        | Kind::Inspect
        | Kind::Collect
        | Kind::Destroy => true,
        Kind::Commission | Kind::Pack | Kind::Unpack | Kind::Count | Kind::Retract => false,
    }
}
