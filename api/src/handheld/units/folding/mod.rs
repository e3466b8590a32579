//! Folding units when facts come in, inside somebody's act: read in sets (`relate`, `gather`), fold
//! from the top down, tell what containers hold (`contents`) and which things in them are judged by
//! themselves (`alone`), write what changed (`write`). Or look only (`look`). What there is more to read
//! about than an act may is left for slices (`left`).

mod alone;
pub mod beforehand;
mod contents;
mod corrections;
pub mod counts;
pub mod entering;
mod gather;
mod later;
mod left;
pub mod look;
mod lots;
mod relate;
mod restated;
mod shared;
mod write;

pub use lots::Swept;

use super::{
    Kept,
    ahead::Ahead,
    facts::Reader,
    store::{self, Member, UnitId},
};
use crate::{
    clock::Micros,
    handheld::world::{CodeOf, Source, WorldError},
    log::Position,
    projection::units::{PublicUnit, UnitStatus},
};
use entering::Entering;
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::{Content, Fact, World},
    finding::Finding,
    fold::{self, Folded, Levels},
    ids::{BatchId, DeviceId, EventId},
    limits::NESTING_DEPTH_MAX,
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
    /// When its first was committed; each further one a microsecond later.
    pub stamp: Micros,
}

/// What an act brings.
#[derive(Default)]
pub struct Change {
    /// Facts that count from now on. They have no rows yet, or rows that did not count.
    pub arrived: Vec<Arc<Fact>>,
    /// Facts whose place in the order changed; their rows say so already.
    pub moved: Vec<Arc<Fact>>,
    /// Facts whose place changed before, of which what they name is among the units that are folded now.
    pub reordered: Vec<Arc<Fact>>,
    /// Those of them of which what they say of lots is worked in anew.
    pub lots_reordered: Vec<Arc<Fact>>,
    /// Facts that are judged again as events, since something was remarked on them.
    pub recheck: Vec<Arc<Fact>>,
    /// Those of both for which slices come, since there is more of their texts than an act reads.
    pub unread: Unread,
    /// Units to be folded again for another reason; what is in a container is held against it anew.
    pub units: BTreeSet<UnitKey>,
    /// Units that acts before left, each with the event that named it, if it was one. The first is folded
    /// however much there is to read about it.
    pub left: BTreeMap<UnitKey, Option<EventId>>,
    /// A complete count, and lines of its place that are held against it.
    pub swept: Option<Swept>,
    /// Lines of lots by their rows, and events that goods of them went by: held against what is on record
    /// anew.
    pub went: BTreeMap<i64, BTreeSet<Position>>,
    /// The event that is the reason, if it was one.
    pub because: Option<EventId>,
    /// What came in are events of a group that were in before, and what it comes to is another now: new ones of a
    /// correction, documents of a count. That is settled, and nothing else enters for it.
    pub again: bool,
    /// What came in counts, and enters now: an act had no room for it.
    pub entering: bool,
    /// Where an act left this for slices: its position. What it changes of periods that were closed before, that
    /// act told; of those that were closed since, nobody did.
    pub left_at: Option<Position>,
}

/// Where facts stand that an act does not read.
#[derive(Default)]
pub struct Unread {
    /// They count from now on.
    pub arrived: Vec<Position>,
    /// They are judged again as events.
    pub recheck: Vec<Position>,
    /// Their place in the order changed; nothing of what they name is at hand.
    pub moved: BTreeSet<Position>,
}

/// What came of it.
#[derive(Default)]
pub struct Done {
    /// Findings that opened, by the event that was judged ([`Finding::judged`]).
    pub opened: BTreeMap<(DeviceId, EventId), Vec<Finding>>,
    /// Events of which something is left for slices: what is found of that is not among what opened.
    pub pending: BTreeSet<Position>,
    /// How many closed.
    pub closed: usize,
    /// How many rows of units and lines changed.
    pub written: usize,
    /// Units whose public status changed, or may have.
    pub public: Vec<(PublicUnit, UnitStatus)>,
    /// Units about which there are many facts to be read by acts, at least [`MANY`], and how many; and those
    /// that were left.
    pub long: Vec<(UnitKey, usize)>,
    /// How many facts about units were read for it: under the head, unless they were read before.
    pub facts: usize,
    /// Units that were read or left; no other was written, and nothing is newly about any other.
    pub read: BTreeSet<UnitKey>,
    /// Containers whose end, or its being taken back, goes for what is in them.
    ended: Vec<UnitKey>,
}

/// A unit of an act.
struct Unit {
    id: UnitId,
    known: bool,
    /// How far above what this is about: so many packs, by the shortest way.
    above: usize,
    inside: Option<UnitId>,
    exceptional: bool,
    kept: Kept,
    code: Option<CodeOf>,
    facts: BTreeMap<Position, Arc<Fact>>,
    /// How many there are by its row.
    counted: usize,
    /// The first fact that came in for it, by position; for a unit that is only looked at, none.
    dirty: Option<Cause>,
}

impl Unit {
    /// Was enough read to be sure of its fold? What a unit is depends on two levels above it (C12:
    /// a level follows from what names the unit itself, and there are three), and a pallet is in
    /// nothing.
    fn is_sure(&self, folded: &Folded) -> bool {
        self.above + 2 <= NESTING_DEPTH_MAX || folded.state.level == Some(Level::Pallet)
    }
}

/// Why a unit is folded again.
#[derive(Debug, Clone, Copy)]
struct Cause {
    gseq: Position,
    event: Option<EventId>,
    /// It is named itself, not only moved by its container.
    own: bool,
}

/// So many facts about one unit are many.
pub const MANY: usize = 16;

/// Most facts about units that an act reads, some 5 µs each as measured: the head must not be held over
/// 50 ms (sync.md section 4).
pub const FACTS_MAX: usize = 8_000;

/// Units and findings are numbered by the act that made them: its first position, then so many bits.
pub const NUMBER_BITS: u32 = 20;

/// What became of units, and what of it is to be written.
struct Folds {
    folded: BTreeMap<UnitKey, Folded>,
    /// Of containers, the batches whose goods are judged by themselves.
    apart: BTreeMap<UnitKey, BTreeSet<BatchId>>,
    /// What containers hold more or less of.
    shifted: BTreeMap<(UnitId, Content), i64>,
    writes: write::Writes,
}

/// Folds what changed.
pub struct Folding<'a> {
    /// Master data, as of the position before the act.
    pub source: &'a mut Source,
    /// Reads facts.
    pub reader: &'a mut Reader,
    /// The act's positions.
    pub moment: Moment,
    /// Units that were read before; nobody else changed anything about them since.
    pub ahead: Ahead,
    units: BTreeMap<UnitKey, Unit>,
    /// By which events units are newly touched.
    about: BTreeMap<UnitKey, BTreeMap<Position, (i64, Arc<Fact>)>>,
    targets: Vec<(Uuid, EventId, Position)>,
    /// Retracts and what they strike, where either came in.
    strikes: Vec<(Arc<Fact>, Option<Arc<Fact>>)>,
    /// New events of corrections that are worth something else since something came in.
    turned: Vec<Member>,
    /// Those of them that there is room for.
    corrected: Vec<Arc<Fact>>,
    direct: BTreeMap<UnitId, BTreeMap<Content, i64>>,
    /// The batches whose recalls are put in.
    asked: BTreeSet<BatchId>,
    counts: counts::Counts,
    /// What came in, and of that the complete counts.
    arrived: Vec<Arc<Fact>>,
    sweeps: Vec<Arc<Fact>>,
    /// How much there is about the container of what is judged by itself there: it is folded over that, too.
    followed: BTreeMap<UnitKey, usize>,
    /// Events that moved, of which what they name is folded by slices.
    moved_later: Vec<(Position, EventId)>,
    /// Events that lines of lots go by otherwise than before: whose line, and where the event stands.
    worked_in: Vec<(Uuid, Micros, Position)>,
    /// Events for which there was no room.
    pub entering: Entering,
    /// What may be read and folded yet, and the units that are left because there is more.
    room: left::Room,
    left: BTreeMap<UnitKey, left::Left>,
    /// What is to be folded or looked at for itself, not only since something was in it.
    wanted: BTreeSet<UnitKey>,
    /// How many were read so far.
    read: usize,
    numbered: i64,
    /// What came to count above this position is not seen.
    upto: Position,
}

impl<'a> Folding<'a> {
    /// Begins.
    pub fn new(source: &'a mut Source, reader: &'a mut Reader, moment: Moment) -> Folding<'a> {
        Folding {
            source,
            reader,
            moment,
            ahead: Ahead::default(),
            units: BTreeMap::new(),
            about: BTreeMap::new(),
            targets: Vec::new(),
            strikes: Vec::new(),
            turned: Vec::new(),
            corrected: Vec::new(),
            direct: BTreeMap::new(),
            asked: BTreeSet::new(),
            counts: counts::Counts::default(),
            arrived: Vec::new(),
            sweeps: Vec::new(),
            followed: BTreeMap::new(),
            moved_later: Vec::new(),
            worked_in: Vec::new(),
            entering: Entering::default(),
            room: left::Room {
                facts: FACTS_MAX,
                ..left::Room::ALL
            },
            left: BTreeMap::new(),
            wanted: BTreeSet::new(),
            read: 0,
            numbered: 0,
            upto: store::NOW,
        }
    }

    /// An act that folds and writes no more units than so many, each by what there is to fold of it; the others
    /// are left.
    #[must_use]
    pub fn within(mut self, weight: usize) -> Folding<'a> {
        self.room.weight = weight;
        self
    }

    /// Folds what `change` is about and writes what came of it.
    pub async fn run(
        mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
    ) -> Result<Done, WorldError> {
        let folds = self.prepare(conn, change).await?;
        self.finish(conn, change, folds).await
    }

    /// Reads and folds what `change` is about, and tells what is to be written. It writes nothing itself.
    async fn prepare(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
    ) -> Result<Folds, WorldError> {
        self.arrived.clone_from(&change.arrived);
        let again = change.moved.iter().chain(&change.recheck);
        self.ahead
            .forget_about(&again.map(|fact| fact.gseq).collect());
        self.relate(conn, change).await?;
        self.gather(conn, change).await?;
        self.look_up(conn).await?;
        let folds = self.folds(conn, change).await?;
        // What many things have is written beside acts; who comes for what was left has nobody to leave it to.
        let heavy = if change.left.is_empty() {
            folds.writes.too_much()
        } else {
            Vec::new()
        };
        if heavy.is_empty() {
            return Ok(folds);
        }
        self.unshift_contents(&folds.shifted);
        self.leave_these(heavy);
        self.leave_with_parents();
        self.put_contents(conn, &BTreeMap::new()).await?;
        self.folds(conn, change).await
    }

    /// Folds what was read.
    async fn folds(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
    ) -> Result<Folds, WorldError> {
        let mut folded = self.folded(conn).await?;
        let shifted = self.shift_contents(&folded);
        if !shifted.is_empty() || self.moved_with_contents(&folded) {
            self.put_contents(conn, &folded).await?;
            folded = self.fold(self.source.world(), false);
        }
        let apart = self.apart(&folded);
        let exceptional = self.exceptional(change, &folded, &apart);
        let writes = self.writes_of(change, &folded, &exceptional, &apart);
        Ok(Folds {
            folded,
            apart,
            shifted,
            writes,
        })
    }

    /// Writes what came of it.
    async fn finish(
        mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        folds: Folds,
    ) -> Result<Done, WorldError> {
        let Folds {
            folded,
            apart,
            shifted,
            writes,
        } = folds;
        let mut done = self.write(conn, writes, &shifted).await?;
        done.pending = self.pending();
        self.write_of_events(conn, change, &mut done).await?;
        let sweeps = self.fold_lots(conn, change, &folded, &mut done).await?;
        let (few, many) = self.sharing(conn, &std::mem::take(&mut done.ended)).await?;
        self.leave_for_later(conn, change, (&folded, &apart), (&many, sweeps))
            .await?;
        store::write_targets(conn, &self.targets).await?;
        let world = self.source.world();
        let sweeps = change
            .arrived
            .iter()
            .filter(|fact| fold::misses(world, fact));
        let sweeps: Vec<Arc<Fact>> = sweeps.cloned().collect();
        store::write_sweeps(conn, &sweeps, &change.moved).await?;
        self.tell_restated(conn, change, &folded).await?;
        self.tell_sharing(conn, few, &mut done).await?;
        self.leave(conn, change, &mut done).await?;
        // One more would be the number of another act's row.
        if self.numbered >> NUMBER_BITS != 0 {
            let error = DbErr::Custom("an act made more rows than it has numbers".into());
            return Err(error.into());
        }
        let read = self.units.iter().map(|(key, unit)| (key, unit.facts.len()));
        let read = read.filter(|(_, facts)| *facts >= MANY);
        let left = self.left.iter().map(|(key, left)| (key, left.facts));
        // What is never read by an act weighs nothing.
        let left = left.map(|(key, facts)| (key, if facts > FACTS_MAX { 0 } else { facts }));
        let long = read.chain(left);
        done.long = long.map(|(key, facts)| (key.clone(), facts)).collect();
        done.facts = self.read;
        // What is left has a new mark, and something is newly about it.
        done.read = self
            .units
            .into_keys()
            .chain(self.left.into_keys())
            .collect();
        Ok(done)
    }

    fn relation(&mut self, unit: UnitKey, role: i64, fact: &Arc<Fact>) {
        let facts = self.about.entry(unit).or_default();
        let entry = facts.entry(fact.gseq).or_insert((role, fact.clone()));
        entry.0 = entry.0.min(role);
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

    /// Facts whose place in the order changed, or may have.
    fn moved<'f>(&'f self, change: &'f Change) -> impl Iterator<Item = &'f Arc<Fact>> {
        // What happened to a unit since it was left is not told apart.
        let left = change.left.keys().filter_map(|key| self.units.get(key));
        let left = left.flat_map(|unit| unit.facts.values());
        change.moved.iter().chain(&change.reordered).chain(left)
    }

    /// Folds all, as of what is on record, from the highest level down: what may hold something
    /// before what may be in it. Of what holds nothing, the timeline only if it is wanted.
    fn fold(&self, world: &World, timelines: bool) -> BTreeMap<UnitKey, Folded> {
        let mut facts: BTreeMap<Position, &Fact> = BTreeMap::new();
        for unit in self.units.values() {
            facts.extend(unit.facts.iter().map(|(gseq, fact)| (*gseq, fact.as_ref())));
        }
        let packs = facts.values().any(|fact| fact.event.kind == Kind::Pack);
        let facts: Vec<&Fact> = facts.into_values().filter(|_| packs).collect();
        let levels = Levels::of(&facts, world);
        let mut order: Vec<(&UnitKey, &Unit)> = self.units.iter().collect();
        order.sort_by_key(|(key, _)| Reverse(levels.get(key)));

        let containers: BTreeSet<UnitKey> = self
            .units
            .keys()
            .flat_map(|key| self.parents_of(key))
            .collect();
        let mut folded = BTreeMap::new();
        for (key, unit) in order {
            let facts = self.facts_of(key, unit);
            let timeline = timelines || containers.contains(key) || holds_lots(key, unit);
            let out = fold::fold_among(key, &facts, &folded, (&levels, world), timeline);
            folded.insert(key.clone(), out);
        }
        folded
    }

    /// What a unit is folded from, in order.
    fn facts_of<'u>(&'u self, key: &UnitKey, unit: &'u Unit) -> Vec<&'u Fact> {
        let mut facts: Vec<&Fact> = unit.facts.values().map(AsRef::as_ref).collect();
        facts.extend(self.counts_about(key, unit).into_values());
        facts.sort_by_key(|fact| fact.order);
        facts
    }

    /// Where a unit may have been: where what names it or its containers happened.
    fn places_of(&self, key: &UnitKey) -> BTreeSet<Uuid> {
        let mut places = BTreeSet::new();
        let mut keys = BTreeSet::from([key.clone()]);
        for _ in 0..=NESTING_DEPTH_MAX {
            for (key, unit) in keys.iter().filter_map(|key| self.units.get_key_value(key)) {
                let facts = unit.facts.values().filter(|fact| names(fact, key));
                places.extend(facts.map(|fact| fact.event.location.0));
            }
            keys = keys.iter().flat_map(|key| self.parents_of(key)).collect();
        }
        places
    }
}

fn is_in(change: &Change, fact: &Arc<Fact>) -> bool {
    change
        .arrived
        .iter()
        .any(|arrived| arrived.gseq == fact.gseq)
}

/// The container this fact packs a unit into.
pub(super) fn packed_into<'f>(fact: &'f Fact, unit: &UnitKey) -> Option<&'f UnitKey> {
    let event = &fact.event;
    let parent = event.parent.as_ref()?.unit.as_ref()?;
    let packed = event.kind == Kind::Pack && parent != unit && event.units.name(unit);
    packed.then_some(parent)
}

/// Does this fact name a unit, in any part?
fn names(fact: &Fact, unit: &UnitKey) -> bool {
    let parent = fact.event.parent.as_ref();
    fact.event.units.name(unit) || parent.is_some_and(|read| read.unit.as_ref() == Some(unit))
}

/// Were goods of a lot ever packed into this unit?
fn holds_lots(key: &UnitKey, unit: &Unit) -> bool {
    unit.facts.values().any(|fact| {
        fact.event.kind == Kind::Pack && !fact.event.lots.is_empty() && is_container(fact, key)
    })
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

/// An event as nobody else's: its id is its enterprise's own, and a device is of one.
fn judged(fact: &Fact) -> (DeviceId, EventId) {
    (fact.event.device, fact.event.id)
}
