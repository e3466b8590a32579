//! Folding units when facts come in, inside somebody's act: read in sets, fold from the top down,
//! write what changed.

use super::{
    Kept, KeptFinding, KeptStay,
    facts::Reader,
    store::{self, DECIDES, Opened, STRIKES, UnitId, UnitWrite},
};
use crate::{
    handheld::world::{CodeOf, Source, WorldError},
    log::Position,
    projection::units::{PublicUnit, UnitStatus},
};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::{Content, Fact},
    finding::Finding,
    fold::{self, Ended, Folded, Member, Sign, UnitState},
    ids::{BatchId, EventId, GroupId},
    unit::{Level, UnitKey},
};
use uuid::Uuid;

/// The positions an act writes at.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Its first.
    pub first: Position,
    /// Its last.
    pub last: Position,
}

/// What an act brings.
#[derive(Default)]
pub struct Change {
    /// Facts that count from now on. They have no rows yet, or rows that did not count.
    pub arrived: Vec<Arc<Fact>>,
    /// Facts whose place in the order changed; their rows say so already.
    pub moved: Vec<Arc<Fact>>,
    /// Facts that are judged again as events, since something was remarked on them.
    pub recheck: Vec<Arc<Fact>>,
    /// Units to be folded again for another reason.
    pub units: BTreeSet<UnitKey>,
}

/// What came of it.
#[derive(Default)]
pub struct Done {
    /// Findings that opened, by the event that was judged.
    pub opened: BTreeMap<EventId, Vec<Finding>>,
    /// How many closed.
    pub closed: usize,
    /// Units whose public status changed.
    pub public: Vec<(PublicUnit, UnitStatus)>,
}

/// A unit of an act.
struct Unit {
    id: UnitId,
    known: bool,
    inside: Option<UnitId>,
    exceptional: bool,
    kept: Kept,
    code: Option<CodeOf>,
    facts: BTreeMap<Position, Arc<Fact>>,
    /// The first fact that came in for it, by position; for a unit that is only looked at, none.
    dirty: Option<Cause>,
}

/// Why a unit is folded again.
#[derive(Debug, Clone, Copy)]
struct Cause {
    gseq: Position,
    event: Option<EventId>,
    /// It is named itself, not only moved by its container.
    own: bool,
}

/// Units and findings are numbered by the act that made them: its first position, then so many bits.
pub const NUMBER_BITS: u32 = 20;

/// Folds what changed.
pub struct Folding<'a> {
    /// Master data, as of the position before the act.
    pub source: &'a mut Source,
    /// Reads facts.
    pub reader: &'a mut Reader,
    /// The act's positions.
    pub moment: Moment,
    units: BTreeMap<UnitKey, Unit>,
    /// By which events units are newly touched.
    about: BTreeMap<UnitKey, BTreeMap<Position, (i64, Arc<Fact>)>>,
    targets: Vec<(Uuid, EventId, Position)>,
    /// Retracts and what they strike, where either came in.
    strikes: Vec<(Arc<Fact>, Option<Arc<Fact>>)>,
    direct: BTreeMap<UnitId, BTreeMap<Content, i64>>,
    counts: Vec<Arc<Fact>>,
    numbered: i64,
}

impl<'a> Folding<'a> {
    /// Begins.
    pub fn new(source: &'a mut Source, reader: &'a mut Reader, moment: Moment) -> Folding<'a> {
        Folding {
            source,
            reader,
            moment,
            units: BTreeMap::new(),
            about: BTreeMap::new(),
            targets: Vec::new(),
            strikes: Vec::new(),
            direct: BTreeMap::new(),
            counts: Vec::new(),
            numbered: 0,
        }
    }

    /// Folds what `change` is about and writes what came of it.
    pub async fn run(
        mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
    ) -> Result<Done, WorldError> {
        self.relate(conn, &change.arrived).await?;
        self.gather(conn, change).await?;
        self.look_up(conn).await?;
        let order = self.from_the_top();
        let mut folded = self.fold(&order);
        if self.learn_batches(conn, &folded).await? {
            folded = self.fold(&order);
        }
        let shifted = self.shift_contents(&folded);
        if !shifted.is_empty() {
            self.put_contents(conn).await?;
            folded = self.fold(&order);
        }
        let exceptional = self.exceptional(&change.arrived, &folded);
        let mut done = self.write(conn, &folded, &exceptional, &shifted).await?;
        self.write_of_events(conn, change, &mut done).await?;
        store::write_targets(conn, &self.targets).await?;
        Ok(done)
    }

    /// Which units the new facts are about, beside those they name.
    async fn relate(
        &mut self,
        conn: &impl ConnectionTrait,
        arrived: &[Arc<Fact>],
    ) -> Result<(), DbErr> {
        for fact in arrived {
            for (unit, role) in store::named(fact) {
                self.relation(unit, role, fact);
            }
            if fact.event.kind == Kind::Count {
                self.source.note_counted(fact.event.location.0);
            }
        }
        let by_id: BTreeMap<(Uuid, EventId), &Arc<Fact>> = arrived
            .iter()
            .map(|fact| ((fact.enterprise.0, fact.event.id), fact))
            .collect();
        // What new retracts strike: new as well, or in before.
        let mut wanted = BTreeSet::new();
        for fact in arrived {
            if let (Kind::Retract, Some(target)) = (fact.event.kind, fact.event.target) {
                self.targets.push((fact.enterprise.0, target, fact.gseq));
                if !by_id.contains_key(&(fact.enterprise.0, target)) {
                    wanted.insert(target);
                }
            }
        }
        let before = store::by_event_id(conn, self.reader, &wanted).await?;
        let find = |enterprise: Uuid, id: EventId| {
            let new = by_id.get(&(enterprise, id)).map(|fact| (*fact).clone());
            new.or_else(|| {
                let mine =
                    |fact: &&Arc<Fact>| fact.enterprise.0 == enterprise && fact.event.id == id;
                before.iter().find(mine).cloned()
            })
        };
        let mut strikes: Vec<(Arc<Fact>, Option<Arc<Fact>>)> = Vec::new();
        for (enterprise, target, gseq) in &self.targets {
            if let Some(retract) = arrived.iter().find(|fact| fact.gseq == *gseq) {
                strikes.push((retract.clone(), find(*enterprise, *target)));
            }
        }
        // Retracts that were in before what they strike.
        let ids: BTreeSet<EventId> = arrived.iter().map(|fact| fact.event.id).collect();
        let waiting = store::retracts_of(conn, &ids).await?;
        let positions = waiting.iter().map(|(.., gseq)| *gseq).collect();
        let retracts = store::by_position(conn, self.reader, &positions).await?;
        for (enterprise, target, gseq) in waiting {
            let retract = retracts.iter().find(|fact| fact.gseq == gseq);
            if let (Some(retract), Some(target)) = (retract, by_id.get(&(enterprise, target))) {
                strikes.push((retract.clone(), Some((*target).clone())));
            }
        }
        for (retract, target) in &strikes {
            let units = target.iter().flat_map(|target| store::named(target));
            for (unit, _) in units.collect::<Vec<_>>() {
                self.relation(unit, STRIKES, retract);
            }
        }
        self.corrections(conn, arrived, &strikes).await?;
        self.strikes = strikes;
        Ok(())
    }

    /// Whether the new event of a correction counts depends on its retracts, and on what they strike.
    async fn corrections(
        &mut self,
        conn: &impl ConnectionTrait,
        arrived: &[Arc<Fact>],
        strikes: &[(Arc<Fact>, Option<Arc<Fact>>)],
    ) -> Result<(), DbErr> {
        let correcting = |fact: &Fact| fact.event.group.filter(|group| group.correct);
        let groups: BTreeSet<GroupId> = arrived
            .iter()
            .chain(strikes.iter().map(|(retract, _)| retract))
            .filter_map(|fact| correcting(fact).map(|group| group.id))
            .collect();
        if groups.is_empty() {
            return Ok(());
        }
        let mut members = store::by_group(conn, self.reader, &groups).await?;
        members.extend(arrived.iter().cloned());
        let retracts: Vec<&Arc<Fact>> = members
            .iter()
            .filter(|fact| fact.event.kind == Kind::Retract && correcting(fact).is_some())
            .collect();
        let targets: BTreeSet<EventId> = retracts
            .iter()
            .filter_map(|fact| fact.event.target)
            .collect();
        let mut struck = store::by_event_id(conn, self.reader, &targets).await?;
        struck.extend(arrived.iter().cloned());
        for retract in retracts {
            let of = |fact: &&Arc<Fact>| {
                fact.enterprise == retract.enterprise
                    && fact.event.kind != Kind::Retract
                    && correcting(fact).map(|group| group.id)
                        == correcting(retract).map(|group| group.id)
            };
            let target = struck.iter().find(|fact| {
                fact.enterprise == retract.enterprise && Some(fact.event.id) == retract.event.target
            });
            for member in members.iter().filter(of) {
                for (unit, _) in store::named(member) {
                    self.relation(unit.clone(), DECIDES, retract);
                    if let Some(target) = target {
                        self.relation(unit, DECIDES, target);
                    }
                }
            }
        }
        Ok(())
    }

    fn relation(&mut self, unit: UnitKey, role: i64, fact: &Arc<Fact>) {
        let facts = self.about.entry(unit).or_default();
        let entry = facts.entry(fact.gseq).or_insert((role, fact.clone()));
        entry.0 = entry.0.min(role);
    }

    /// Reads all units this is about: those that change, their containers above them, and the
    /// exceptional things in them below.
    async fn gather(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
    ) -> Result<(), WorldError> {
        let mut dirty: BTreeMap<UnitKey, Cause> = BTreeMap::new();
        for (unit, facts) in &self.about {
            let new = facts.values().map(|(_, fact)| fact);
            let new = new.filter(|fact| fact.gseq >= self.moment.first || is_in(change, fact));
            let first = new.min_by_key(|fact| fact.gseq);
            let cause = Cause {
                gseq: first.map_or(self.moment.last, |fact| fact.gseq),
                event: first.map(|fact| fact.event.id),
                own: true,
            };
            dirty.insert(unit.clone(), cause);
        }
        let again = Cause {
            gseq: self.moment.last,
            event: None,
            own: false,
        };
        let moved = change.moved.iter().flat_map(|fact| store::named(fact));
        for unit in moved
            .map(|(unit, _)| unit)
            .chain(change.units.iter().cloned())
        {
            dirty.entry(unit).or_insert(again);
        }
        let mut wanted: BTreeSet<UnitKey> = dirty.keys().cloned().collect();
        while !wanted.is_empty() {
            let new: Vec<UnitKey> = wanted
                .iter()
                .filter(|key| !self.units.contains_key(*key))
                .cloned()
                .collect();
            self.read(conn, &new).await?;
            let mut next = BTreeSet::new();
            for key in &new {
                next.extend(self.parents_of(key));
            }
            // Below what changed, only what is judged by itself.
            let mut below: Vec<(UnitId, Cause)> = Vec::new();
            for (key, cause) in &dirty {
                let Some(unit) = self.units.get_mut(key) else {
                    continue;
                };
                if unit.dirty.is_none() {
                    unit.dirty = Some(*cause);
                    if unit.known && unit.facts.values().any(|fact| is_container(fact, key)) {
                        below.push((unit.id, *cause));
                    }
                }
            }
            for (id, cause) in below {
                let cause = Cause {
                    own: false,
                    ..cause
                };
                for child in store::exceptional_in(conn, &[id]).await? {
                    dirty.entry(child.clone()).or_insert(cause);
                    next.insert(child);
                }
            }
            next.retain(|key| {
                let unit = self.units.get(key);
                unit.is_none_or(|unit| unit.dirty.is_none() && dirty.contains_key(key))
            });
            wanted = next;
        }
        Ok(())
    }

    async fn read(
        &mut self,
        conn: &impl ConnectionTrait,
        keys: &[UnitKey],
    ) -> Result<(), WorldError> {
        if keys.is_empty() {
            return Ok(());
        }
        let rows = store::units(conn, keys).await?;
        let ids: Vec<UnitId> = rows.iter().map(|row| row.id).collect();
        let mut facts = store::facts(conn, self.reader, &ids).await?;
        let mut rows: BTreeMap<UnitKey, store::UnitRow> =
            rows.into_iter().map(|row| (row.key.clone(), row)).collect();
        for key in keys {
            let code = self.source.code(conn, key).await?;
            let mut unit = match rows.remove(key) {
                Some(row) => Unit {
                    facts: by_position(facts.remove(&row.id).unwrap_or_default()),
                    id: row.id,
                    known: true,
                    inside: row.inside,
                    exceptional: row.exceptional,
                    kept: row.kept,
                    code,
                    dirty: None,
                },
                None => {
                    self.numbered += 1;
                    Unit {
                        id: (self.moment.first << NUMBER_BITS) | self.numbered,
                        known: false,
                        inside: None,
                        exceptional: false,
                        kept: Kept::default(),
                        code,
                        facts: BTreeMap::new(),
                        dirty: None,
                    }
                }
            };
            if let Some(about) = self.about.get(key) {
                let new = about.iter().map(|(gseq, (_, fact))| (*gseq, fact.clone()));
                unit.facts.extend(new);
            }
            self.units.insert(key.clone(), unit);
        }
        Ok(())
    }

    fn parents_of(&self, key: &UnitKey) -> BTreeSet<UnitKey> {
        let facts = self
            .units
            .get(key)
            .into_iter()
            .flat_map(|unit| unit.facts.values());
        facts
            .filter_map(|fact| packed_into(fact, key))
            .cloned()
            .collect()
    }

    /// What is on record: recalls, counts at places, what containers hold, instants.
    async fn look_up(&mut self, conn: &impl ConnectionTrait) -> Result<(), WorldError> {
        let containers: Vec<UnitId> = self
            .units
            .iter()
            .filter(|(key, unit)| {
                unit.known && unit.facts.values().any(|fact| is_container(fact, key))
            })
            .map(|(_, unit)| unit.id)
            .collect();
        self.direct = store::contents(conn, &containers).await?;
        let mut batches: BTreeSet<BatchId> = BTreeSet::new();
        for unit in self.units.values() {
            batches.extend(unit.kept.state.batch);
            let commissioned = unit.code.as_ref().and_then(|code| code.commissioned);
            batches.extend(commissioned.map(|(batch, _)| BatchId(batch)));
        }
        batches.extend(
            self.direct
                .values()
                .flat_map(BTreeMap::keys)
                .map(|c| c.batch),
        );
        self.about_batches(conn, &batches).await?;
        self.put_contents(conn).await?;

        let places: BTreeSet<Uuid> = self
            .units
            .values()
            .flat_map(|unit| unit.facts.values())
            .map(|fact| fact.event.location.0)
            .filter(|place| self.source.is_counted(*place))
            .collect();
        self.counts = store::counts_at(conn, self.reader, &places).await?;
        let new = self
            .about
            .values()
            .flat_map(BTreeMap::values)
            .map(|(_, fact)| fact);
        let new = new.filter(|fact| fact.event.kind == Kind::Count);
        let mut counts: BTreeMap<Position, Arc<Fact>> =
            new.map(|fact| (fact.gseq, fact.clone())).collect();
        counts.extend(self.counts.drain(..).map(|fact| (fact.gseq, fact)));
        self.counts = counts.into_values().collect();

        let mut positions = BTreeSet::new();
        if !self.source.world().recalls.is_empty() {
            for fact in self.units.values().flat_map(|unit| unit.facts.values()) {
                positions.extend(fact.event.list_version);
                positions.insert(fact.delivered);
            }
        }
        self.source.instants(conn, positions).await
    }

    async fn about_batches(
        &mut self,
        conn: &impl ConnectionTrait,
        batches: &BTreeSet<BatchId>,
    ) -> Result<(), WorldError> {
        let codes = self
            .units
            .iter()
            .map(|(key, unit)| (key.clone(), unit.code.clone()))
            .collect();
        self.source.about(conn, &codes, batches).await
    }

    /// A device may have commissioned units to batches nobody asked about yet.
    async fn learn_batches(
        &mut self,
        conn: &impl ConnectionTrait,
        folded: &BTreeMap<UnitKey, Folded>,
    ) -> Result<bool, WorldError> {
        let commissioned = self.about.values().flat_map(BTreeMap::values);
        if !commissioned
            .into_iter()
            .any(|(_, fact)| fact.event.kind == Kind::Commission)
        {
            return Ok(false);
        }
        let batches: BTreeSet<BatchId> = folded
            .values()
            .filter_map(|folded| folded.state.batch)
            .collect();
        let contents = std::mem::take(&mut self.source.world_mut().contents);
        self.about_batches(conn, &batches).await?;
        self.source.world_mut().contents = contents;
        Ok(!self.source.world().recalls.is_empty())
    }

    /// Containers before what was ever packed into them.
    fn from_the_top(&self) -> Vec<UnitKey> {
        let mut order = Vec::with_capacity(self.units.len());
        let mut seen = BTreeSet::new();
        for key in self.units.keys() {
            self.above_first(key, &mut seen, &mut order);
        }
        order
    }

    fn above_first(&self, key: &UnitKey, seen: &mut BTreeSet<UnitKey>, order: &mut Vec<UnitKey>) {
        // Entered before it is left: a circle of foreign codes ends where it was begun.
        if !seen.insert(key.clone()) {
            return;
        }
        for parent in self.parents_of(key) {
            if self.units.contains_key(&parent) {
                self.above_first(&parent, seen, order);
            }
        }
        order.push(key.clone());
    }

    /// Folds all, in this order.
    fn fold(&self, order: &[UnitKey]) -> BTreeMap<UnitKey, Folded> {
        let containers: BTreeSet<UnitKey> =
            order.iter().flat_map(|key| self.parents_of(key)).collect();
        let mut folded = BTreeMap::new();
        for key in order {
            let Some(unit) = self.units.get(key) else {
                continue;
            };
            let mut facts: Vec<&Fact> = unit.facts.values().map(AsRef::as_ref).collect();
            if !self.counts.is_empty() {
                let places = self.places_of(key);
                let here = self.counts.iter().filter(|count| {
                    places.contains(&count.event.location.0)
                        && !unit.facts.contains_key(&count.gseq)
                });
                facts.extend(here.map(AsRef::as_ref));
            }
            facts.sort_by_key(|fact| fact.order);
            let world = self.source.world();
            let out = if containers.contains(key) {
                fold::fold(key, &facts, &folded, world)
            } else {
                fold::fold_state(key, &facts, &folded, world)
            };
            folded.insert(key.clone(), out);
        }
        folded
    }

    /// Where a unit may have been: where what is about it or its containers happened.
    fn places_of(&self, key: &UnitKey) -> BTreeSet<Uuid> {
        let mut places = BTreeSet::new();
        let mut keys = BTreeSet::from([key.clone()]);
        for _ in 0..=suyuan_sync::limits::NESTING_DEPTH_MAX {
            let units = keys.iter().filter_map(|key| self.units.get(key));
            places.extend(units.flat_map(|unit| unit.facts.values().map(|f| f.event.location.0)));
            keys = keys.iter().flat_map(|key| self.parents_of(key)).collect();
        }
        places
    }

    /// Which stays in containers began, ended or moved, by this fold.
    fn shift_contents(
        &mut self,
        folded: &BTreeMap<UnitKey, Folded>,
    ) -> BTreeMap<(UnitId, Content), i64> {
        let mut shifts: BTreeMap<(UnitId, Content), i64> = BTreeMap::new();
        for (key, unit) in &self.units {
            let Some(now) = folded.get(key).filter(|_| unit.dirty.is_some()) else {
                continue;
            };
            let mut shift = |batch: Option<BatchId>, stay: &KeptStay, by: i64| {
                if let (Some(batch), Some(container)) = (batch, self.units.get(&stay.container)) {
                    let content = Content {
                        batch,
                        from: stay.from,
                        until: stay.until,
                    };
                    *shifts.entry((container.id, content)).or_default() += by;
                }
            };
            for stay in &unit.kept.stays {
                shift(unit.kept.state.batch, stay, -1);
            }
            for stay in &now.stays {
                shift(now.state.batch, &KeptStay::from(stay), 1);
            }
        }
        shifts.retain(|_, by| *by != 0);
        for ((container, content), by) in &shifts {
            let held = self.direct.entry(*container).or_default();
            *held.entry(*content).or_default() += by;
        }
        shifts
    }

    /// Tells the world what containers hold, directly and in containers within.
    async fn put_contents(&mut self, conn: &impl ConnectionTrait) -> Result<(), WorldError> {
        let mut contents: BTreeMap<UnitKey, Vec<Content>> = BTreeMap::new();
        let held = |direct: &BTreeMap<UnitId, BTreeMap<Content, i64>>, id: UnitId| {
            let held = direct.get(&id).into_iter().flatten();
            let held = held.filter(|(_, units)| **units > 0);
            held.map(|(content, _)| *content)
                .collect::<BTreeSet<Content>>()
        };
        let keys: Vec<UnitKey> = self.units.keys().cloned().collect();
        for key in keys {
            let inner = self.containers_in(conn, &key).await?;
            let Some(unit) = self.units.get(&key) else {
                continue;
            };
            let mut all = held(&self.direct, unit.id);
            for (id, stays) in inner {
                for content in held(&self.direct, id) {
                    all.extend(stays.iter().filter_map(|stay| within(content, stay)));
                }
            }
            if !all.is_empty() {
                contents.insert(key, all.into_iter().collect());
            }
        }
        self.source.world_mut().contents = contents;
        Ok(())
    }

    /// The containers that were in a container, with their stays in it.
    async fn containers_in(
        &mut self,
        conn: &impl ConnectionTrait,
        key: &UnitKey,
    ) -> Result<Vec<(UnitId, Vec<KeptStay>)>, WorldError> {
        let Some(unit) = self.units.get(key) else {
            return Ok(Vec::new());
        };
        let packs = unit.facts.values().filter(|fact| is_container(fact, key));
        let children: BTreeSet<UnitKey> = packs
            .flat_map(|fact| fact.event.units.iter().filter_map(|read| read.unit.clone()))
            .collect();
        let mut inner = Vec::new();
        for child in children {
            let code = self.source.code(conn, &child).await?;
            if code.is_none_or(|code| code.level > Level::Item) {
                inner.push(child);
            }
        }
        if inner.is_empty() {
            return Ok(Vec::new());
        }
        let rows = store::units(conn, &inner).await?;
        let ids: Vec<UnitId> = rows
            .iter()
            .map(|row| row.id)
            .filter(|id| !self.direct.contains_key(id))
            .collect();
        self.direct.extend(store::contents(conn, &ids).await?);
        let stays = |stays: &[KeptStay]| {
            let here = stays.iter().filter(|stay| stay.container == *key);
            here.cloned().collect::<Vec<_>>()
        };
        Ok(rows
            .into_iter()
            .map(|row| (row.id, stays(&row.kept.stays)))
            .filter(|(_, stays)| !stays.is_empty())
            .collect())
    }

    /// Which units inside containers are judged by themselves from now on.
    fn exceptional(
        &self,
        arrived: &[Arc<Fact>],
        folded: &BTreeMap<UnitKey, Folded>,
    ) -> BTreeMap<UnitKey, bool> {
        let world = self.source.world();
        let mut out: BTreeMap<UnitKey, bool> = BTreeMap::new();
        for (key, unit) in &self.units {
            let own = unit.dirty.is_some_and(|cause| cause.own);
            let inside = folded
                .get(key)
                .and_then(|folded| folded.state.inside.as_ref());
            let was = unit.exceptional;
            out.insert(key.clone(), inside.is_some() && (was || own));
        }
        // Those that were just packed are held against each other.
        for pack in arrived.iter().filter(|fact| fact.event.kind == Kind::Pack) {
            let parent = pack
                .event
                .parent
                .as_ref()
                .and_then(|read| read.unit.as_ref());
            let Some((parent, container)) = parent.and_then(|p| folded.get_key_value(p)) else {
                continue;
            };
            let named = pack
                .event
                .units
                .iter()
                .filter_map(|read| read.unit.as_ref());
            let members: Vec<Member> = named
                .filter_map(|key| {
                    let child = folded.get(key)?;
                    let last = child.state.last.is_some_and(|last| last == pack.order);
                    (child.state.inside.as_ref() == Some(parent)).then(|| Member {
                        unit: key.clone(),
                        batch: child.state.batch,
                        sign: Sign::of(key, child, world),
                        own_event_since: !last,
                    })
                })
                .collect();
            let unlike = fold::exceptional(container, &members, world);
            for member in &members {
                // A case is found by its batch; what it holds may be of several.
                let holds = self.units.get(&member.unit).is_some_and(|unit| {
                    unit.facts
                        .values()
                        .any(|fact| is_container(fact, &member.unit))
                });
                let judged =
                    unlike.contains(&member.unit) || holds && self.holds_exceptional(&member.unit);
                out.insert(member.unit.clone(), judged);
            }
        }
        // Whoever holds something exceptional is looked at when its own container moves.
        let above: Vec<UnitKey> = out
            .iter()
            .filter(|(_, exceptional)| **exceptional)
            .filter_map(|(key, _)| folded.get(key)?.state.inside.clone())
            .collect();
        for key in above {
            let is_inside = folded.get(&key).is_some_and(|f| f.state.inside.is_some());
            if is_inside {
                out.insert(key, true);
            }
        }
        out
    }

    /// Was anything in it exceptional before?
    fn holds_exceptional(&self, key: &UnitKey) -> bool {
        let Some(unit) = self.units.get(key) else {
            return false;
        };
        self.units
            .values()
            .any(|inner| inner.inside == Some(unit.id) && inner.exceptional)
    }

    async fn write(
        &mut self,
        conn: &impl ConnectionTrait,
        folded: &BTreeMap<UnitKey, Folded>,
        exceptional: &BTreeMap<UnitKey, bool>,
        shifted: &BTreeMap<(UnitId, Content), i64>,
    ) -> Result<Done, WorldError> {
        let mut done = Done::default();
        let (mut writes, mut opened, mut closed) = (Vec::new(), Vec::new(), Vec::new());
        let by_event: BTreeMap<EventId, Arc<Fact>> = self
            .units
            .values()
            .flat_map(|unit| unit.facts.values())
            .map(|fact| (fact.event.id, fact.clone()))
            .collect();
        for (key, unit) in &self.units {
            let Some(now) = folded.get(key) else {
                continue;
            };
            let cause = unit.dirty.unwrap_or(Cause {
                gseq: self.moment.last,
                event: None,
                own: false,
            });
            let (new, gone) = fold::diff(&unit.kept.open(), &now.findings);
            // A container that is only looked at keeps its row, unless what it holds changed it.
            if unit.dirty.is_none() && (!unit.known || new.is_empty() && gone.is_empty()) {
                let flag = exceptional.get(key) == Some(&unit.exceptional);
                if flag || !unit.known {
                    continue;
                }
            }
            let mut findings = Vec::with_capacity(now.findings.len());
            for finding in &now.findings {
                let before = unit
                    .kept
                    .findings
                    .iter()
                    .find(|kept| same(&kept.finding, finding));
                let id = match before {
                    Some(kept) => kept.id,
                    None => {
                        let Some(fact) = by_event.get(&finding.event) else {
                            continue;
                        };
                        self.numbered += 1;
                        let id = (self.moment.first << NUMBER_BITS) | self.numbered;
                        opened.push(Opened {
                            id,
                            fact: fact.clone(),
                            issuer: now.state.issuer.map(|issuer| issuer.0),
                            unit: Some(unit.id),
                            line: None,
                            opened: cause.gseq,
                            finding: finding.clone(),
                        });
                        let notes = done.opened.entry(finding.event).or_default();
                        notes.push(finding.clone());
                        id
                    }
                };
                findings.push(KeptFinding {
                    id,
                    finding: finding.clone(),
                });
            }
            for finding in &gone {
                let kept = unit
                    .kept
                    .findings
                    .iter()
                    .find(|kept| same(&kept.finding, finding));
                closed.extend(kept.map(|kept| (kept.id, cause.gseq, cause.event)));
            }
            let kept = Kept {
                state: now.state.clone(),
                findings,
                stays: now.stays.iter().map(KeptStay::from).collect(),
            };
            self.note_public(key, unit, now, &mut done);
            let inside = now.state.inside.as_ref();
            let inside = inside
                .and_then(|parent| self.units.get(parent))
                .map(|parent| parent.id);
            let exceptional = exceptional.get(key).copied().unwrap_or_default();
            let unchanged = unit.known
                && kept == unit.kept
                && inside == unit.inside
                && exceptional == unit.exceptional;
            if !unchanged {
                writes.push(UnitWrite {
                    id: unit.id,
                    key: key.clone(),
                    product: unit.code.as_ref().and_then(|code| code.product),
                    inside,
                    exceptional,
                    kept,
                });
            }
        }
        let mut about = BTreeMap::new();
        for (key, facts) in &self.about {
            if let Some(unit) = self.units.get(key) {
                about.extend(
                    facts
                        .iter()
                        .map(|(gseq, (role, _))| ((unit.id, *gseq), *role)),
                );
            }
        }
        store::write_units(conn, &writes, self.moment.last).await?;
        store::write_event_units(conn, &about).await?;
        store::add_contents(conn, shifted).await?;
        store::write_opened(conn, &opened).await?;
        store::write_closed(conn, &closed).await?;
        done.closed = closed.len();
        Ok(done)
    }

    fn note_public(&self, key: &UnitKey, unit: &Unit, now: &Folded, done: &mut Done) {
        let before = status(&unit.kept.state, &unit.kept.open());
        let after = status(&now.state, &now.findings);
        if before != after {
            let name = unit.code.as_ref().map(CodeOf::public);
            let name = name.unwrap_or_else(|| PublicUnit::Other(key.clone()));
            done.public.push((name, after));
        }
    }

    /// What is wrong with events themselves.
    async fn write_of_events(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        done: &mut Done,
    ) -> Result<(), WorldError> {
        let mut judged: Vec<(Arc<Fact>, Option<Arc<Fact>>)> = Vec::new();
        let target_of = |fact: &Arc<Fact>| {
            let strike = self
                .strikes
                .iter()
                .find(|(retract, _)| retract.gseq == fact.gseq);
            strike.and_then(|(_, target)| target.clone())
        };
        for fact in &change.arrived {
            judged.push((fact.clone(), target_of(fact)));
        }
        // What a retract was waiting for may have come in.
        let waiting = self
            .strikes
            .iter()
            .filter(|(retract, _)| !is_in(change, retract));
        judged.extend(waiting.cloned());
        for fact in &change.recheck {
            let target = match fact.event.target {
                Some(target) => {
                    let ids = BTreeSet::from([target]);
                    let found = store::by_event_id(conn, self.reader, &ids).await?;
                    found
                        .into_iter()
                        .find(|found| found.enterprise == fact.enterprise)
                }
                None => None,
            };
            judged.push((fact.clone(), target));
        }
        let again = judged.iter().map(|(fact, _)| fact.gseq);
        let again = again.filter(|gseq| *gseq < self.moment.first).collect();
        let before = store::open_of_events(conn, &again).await?;
        let (mut opened, mut closed) = (Vec::new(), Vec::new());
        for (fact, target) in judged {
            let before = before.get(&fact.gseq).map_or(&[][..], Vec::as_slice);
            let old: Vec<Finding> = before.iter().map(|(_, finding)| finding.clone()).collect();
            let now = fold::of_event(&fact, target.as_deref(), self.source.world());
            let (new, gone) = fold::diff(&old, &now);
            let by = target.map(|target| target.event.id);
            let gseq = fact.gseq.max(self.moment.first);
            for finding in new {
                self.numbered += 1;
                done.opened
                    .entry(fact.event.id)
                    .or_default()
                    .push(finding.clone());
                opened.push(Opened {
                    id: (self.moment.first << NUMBER_BITS) | self.numbered,
                    fact: fact.clone(),
                    issuer: None,
                    unit: None,
                    line: None,
                    opened: gseq,
                    finding,
                });
            }
            for (id, finding) in before {
                if gone.iter().any(|gone| same(gone, finding)) {
                    closed.push((*id, self.moment.last, by));
                }
            }
        }
        store::write_opened(conn, &opened).await?;
        store::write_closed(conn, &closed).await?;
        done.closed += closed.len();
        Ok(())
    }
}

fn is_in(change: &Change, fact: &Arc<Fact>) -> bool {
    change
        .arrived
        .iter()
        .any(|arrived| arrived.gseq == fact.gseq)
}

fn by_position(facts: Vec<Arc<Fact>>) -> BTreeMap<Position, Arc<Fact>> {
    facts.into_iter().map(|fact| (fact.gseq, fact)).collect()
}

/// The container this fact packs a unit into.
fn packed_into<'f>(fact: &'f Fact, unit: &UnitKey) -> Option<&'f UnitKey> {
    let event = &fact.event;
    let parent = event.parent.as_ref()?.unit.as_ref()?;
    let packed = event.kind == Kind::Pack
        && parent != unit
        && event
            .units
            .iter()
            .any(|read| read.unit.as_ref() == Some(unit));
    packed.then_some(parent)
}

/// Does this fact pack into a unit, or unpack from it?
fn is_container(fact: &Fact, unit: &UnitKey) -> bool {
    let parent = fact
        .event
        .parent
        .as_ref()
        .and_then(|read| read.unit.as_ref());
    parent == Some(unit)
}

fn within(content: Content, stay: &KeptStay) -> Option<Content> {
    let from = content.from.max(stay.from);
    let until = match (content.until, stay.until) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    until.is_none_or(|until| from < until).then_some(Content {
        batch: content.batch,
        from,
        until,
    })
}

/// Two findings are the same if code, subject, event and batch are.
fn same(a: &Finding, b: &Finding) -> bool {
    (a.code, &a.subject, a.event, a.batch) == (b.code, &b.subject, b.event, b.batch)
}

fn status(state: &UnitState, findings: &[Finding]) -> UnitStatus {
    let public = fold::public_status(state, findings).unwrap_or_default();
    UnitStatus {
        collected: public.ended == Some(Ended::Collected),
        destroyed: public.ended == Some(Ended::Destroyed),
        suspected_copy: public.suspected_copy,
    }
}
