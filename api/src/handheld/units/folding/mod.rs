//! Folding units when facts come in, inside somebody's act. Each step makes a value that the next ones go by, and
//! [`Folding::run`] is the story of an act:
//!
//! - `relate`: what came in, and what it is about besides what it names (`corrections`);
//! - `gather`: the units that is about, read in sets, but for those that are left because there is more to read or
//!   to fold than an act may (`left`);
//! - `record`: what is on record of them: complete counts (`counts`), what containers hold (`contents`);
//! - `folds`: what became of them, from the top down, and which things in containers are judged by themselves
//!   (`alone`);
//! - `write`: what changed, of units and of events themselves; then of lines of lots (`lots`), of what is told to the
//!   public side (`shared`) and of closed periods (`restated`);
//! - `later`: what is too much for an act is left for slices.
//!
//! Or look only (`look`), or fold on a snapshot what is written later (`beforehand`).

mod alone;
pub mod beforehand;
mod contents;
mod corrections;
pub mod counts;
pub mod entering;
mod folds;
mod gather;
mod later;
mod left;
pub mod look;
mod lots;
mod record;
mod relate;
mod restated;
mod shared;
mod write;

pub use lots::Swept;

use super::{ahead::Ahead, facts::Reader, store};
use crate::{
    clock::Micros,
    handheld::world::{Source, WorldError},
    log::Position,
    projection::units::{PublicUnit, UnitStatus},
};
use entering::Entering;
use gather::Unit;
use left::Room;
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::Fact,
    finding::Finding,
    fold,
    ids::{DeviceId, EventId},
    unit::UnitKey,
};

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
    /// Lines of lots by their rows, and events that goods of them went by, or were inspected by: held against what
    /// is on record anew.
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
}

/// So many facts about one unit are many.
pub const MANY: usize = 16;

/// Most facts about units that an act reads, some 5 µs each as measured: the head must not be held over
/// 50 ms (sync.md section 4).
pub const FACTS_MAX: usize = 8_000;

/// Units and findings are numbered by the act that made them: its first position, then so many bits.
pub const NUMBER_BITS: u32 = 20;

/// Folds what changed.
pub struct Folding<'a> {
    /// Master data, as of the position before the act; for a fold, what is on record is put in.
    source: &'a mut Source,
    /// Reads facts.
    reader: &'a mut Reader,
    /// The act's positions.
    moment: Moment,
    /// Units that were read before; nobody else changed anything about them since.
    pub ahead: Ahead,
    /// Events for which there was no room.
    pub entering: Entering,
    /// What may be read and folded.
    room: Room,
    /// What came to count above this position is not seen.
    upto: Position,
    /// How many rows it made.
    numbered: i64,
}

impl<'a> Folding<'a> {
    /// Begins.
    pub fn new(source: &'a mut Source, reader: &'a mut Reader, moment: Moment) -> Folding<'a> {
        Folding {
            source,
            reader,
            moment,
            ahead: Ahead::default(),
            entering: Entering::default(),
            room: Room {
                facts: FACTS_MAX,
                ..Room::ALL
            },
            upto: store::NOW,
            numbered: 0,
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
        // What it is about, what became of that, and what is to be written of it.
        let related = self.relate(conn, change).await?;
        let mut gathered = self.gather(conn, change, &related).await?;
        let mut record = self.look_up(conn, &related, &gathered).await?;
        let (folds, mut writes) = self.folds(conn, change, &mut gathered, &mut record).await?;

        // It is written: units, events themselves, lines of lots.
        let ended = std::mem::take(&mut writes.ended);
        let read = (&related, &gathered);
        let mut done = writes.write(conn, read, &folds.shifted).await?;
        done.pending = self.pending(read);
        self.write_of_events(conn, change, &related, &mut done)
            .await?;
        let lots = self
            .fold_lots(conn, change, read, &folds, &mut done)
            .await?;

        // What is too much is left, and what others must hear is told.
        let (few, many) = gathered.sharing(conn, &ended).await?;
        self.leave_for_later(conn, change, read, &folds, (&lots, &many))
            .await?;
        store::write_targets(conn, &related.targets).await?;
        let world = self.source.world();
        let sweeps = change.arrived.iter();
        let sweeps = sweeps.filter(|fact| fold::misses(world, fact));
        let sweeps: Vec<Arc<Fact>> = sweeps.cloned().collect();
        store::write_sweeps(conn, &sweeps, &change.moved).await?;
        self.tell_restated(conn, change, read, &folds, &lots)
            .await?;
        self.tell_sharing(conn, (&related, &mut gathered), few, &mut done)
            .await?;
        self.leave(conn, change, (&related, &gathered), &mut done)
            .await?;
        // One more would be the number of another act's row.
        if self.numbered >> NUMBER_BITS != 0 {
            let error = DbErr::Custom("an act made more rows than it has numbers".into());
            return Err(error.into());
        }
        gathered.tell(&mut done);
        Ok(done)
    }

    /// The number of the next row that is made.
    fn number(&mut self) -> i64 {
        self.numbered += 1;
        (self.moment.first << NUMBER_BITS) | self.numbered
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
