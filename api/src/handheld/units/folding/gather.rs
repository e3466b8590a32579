//! Reads, set by set, the units that a fold is about: those that change, their containers above them, and the
//! exceptional things in them below.

use super::{
    Change, Done, FACTS_MAX, Folding, MANY, is_container, is_in,
    left::{Left, Room},
    names, packed_into,
    relate::{About, Related},
};
use crate::{
    clock::Micros,
    handheld::{
        units::{
            Kept,
            ahead::AsKept,
            store::{self, DECIDES, Emptied, STRIKES, UnitId},
        },
        world::{CodeOf, WorldError},
    },
    log::Position,
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    facts::{Fact, World},
    fold::{Folded, Levels},
    ids::EventId,
    limits::NESTING_DEPTH_MAX,
    unit::{Level, UnitKey},
};
use uuid::Uuid;

/// What was read for an act, and what it leaves of that to slices.
pub(super) struct Gathered {
    /// Units, each with what counts of what is about it.
    pub(super) units: BTreeMap<UnitKey, Unit>,
    /// Units that are left, because there is more than may be read.
    pub(super) left: BTreeMap<UnitKey, Left>,
    /// What may be read and folded yet.
    pub(super) room: Room,
    /// How much there is about the container of what is judged by itself there: it is folded over that, too.
    pub(super) followed: BTreeMap<UnitKey, usize>,
    /// Events that moved, of which what they name is folded by slices.
    pub(super) moved_later: Vec<(Position, EventId)>,
    /// What is to be folded or looked at for itself, not only since something was in it.
    pub(super) wanted: BTreeSet<UnitKey>,
    /// How many facts were read so far.
    pub(super) read: usize,
}

/// A unit of an act.
pub(super) struct Unit {
    pub(super) id: UnitId,
    pub(super) known: bool,
    /// How far above what this is about: so many packs, by the shortest way.
    pub(super) above: usize,
    pub(super) inside: Option<UnitId>,
    pub(super) exceptional: bool,
    pub(super) kept: Kept,
    pub(super) code: Option<CodeOf>,
    pub(super) facts: BTreeMap<Position, Arc<Fact>>,
    /// How many there are by its row.
    pub(super) counted: usize,
    /// The first fact that came in for it, by position; for a unit that is only looked at, none.
    pub(super) dirty: Option<Cause>,
}

impl Unit {
    /// Was enough read to be sure of its fold? What a unit is depends on two levels above it (C12:
    /// a level follows from what names the unit itself, and there are three), and a pallet is in
    /// nothing.
    pub(super) fn is_sure(&self, folded: &Folded) -> bool {
        self.above + 2 <= NESTING_DEPTH_MAX || folded.state.level == Some(Level::Pallet)
    }
}

/// Why a unit is folded again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cause {
    pub(super) gseq: Position,
    pub(super) event: Option<EventId>,
    /// It is named itself, not only moved by its container.
    pub(super) own: bool,
}

impl Gathered {
    /// Nothing yet, with so much room.
    pub(super) fn within(room: Room) -> Gathered {
        Gathered {
            units: BTreeMap::new(),
            left: BTreeMap::new(),
            room,
            followed: BTreeMap::new(),
            moved_later: Vec::new(),
            wanted: BTreeSet::new(),
            read: 0,
        }
    }

    /// What counts of what is about the units at hand; what is about several comes with each.
    pub(super) fn facts(&self) -> impl Iterator<Item = &Arc<Fact>> {
        self.units.values().flat_map(|unit| unit.facts.values())
    }

    /// Tells what was read, and what there is much about.
    pub(super) fn tell(self, done: &mut Done) {
        let read = self.units.iter().map(|(key, unit)| (key, unit.facts.len()));
        let read = read.filter(|(_, facts)| *facts >= MANY);
        let left = self.left.iter().map(|(key, left)| (key, left.facts));
        // What is never read by an act weighs nothing.
        let left = left.map(|(key, facts)| (key, if facts > FACTS_MAX { 0 } else { facts }));
        let long = read.chain(left);
        done.long = long.map(|(key, facts)| (key.clone(), facts)).collect();
        done.facts = self.read;
        // What is left has a new mark, and something is newly about it.
        let (units, left) = (self.units.into_keys(), self.left.into_keys());
        done.read = units.chain(left).collect();
    }

    /// Those of the units that acts left before.
    pub(super) fn taken_up(&self, change: &Change) -> impl Iterator<Item = &Unit> {
        change.left.keys().filter_map(|key| self.units.get(key))
    }

    /// What a unit was ever packed into.
    pub(super) fn parents_of(&self, key: &UnitKey) -> BTreeSet<UnitKey> {
        let unit = self.units.get(key).into_iter();
        let facts = unit.flat_map(|unit| unit.facts.values());
        let parents = facts.filter_map(|fact| packed_into(fact, key));
        parents.cloned().collect()
    }

    /// Facts whose place in the order changed, or may have.
    pub(super) fn moved<'f>(&'f self, change: &'f Change) -> impl Iterator<Item = &'f Arc<Fact>> {
        // What happened to a unit since it was left is not told apart.
        let left = self.taken_up(change);
        let left = left.flat_map(|unit| unit.facts.values());
        change.moved.iter().chain(&change.reordered).chain(left)
    }

    /// Where a unit may have been: where what names it or its containers happened.
    pub(super) fn places_of(&self, key: &UnitKey) -> BTreeSet<Uuid> {
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

    /// What is named by events that moved in the order, as much as there is room to fold. One filler that was
    /// missing may move a month of a device: what more there is, units and lots, slices fold.
    fn moved_now(&mut self, change: &Change) -> Vec<UnitKey> {
        let (mut now, mut sum) = (Vec::new(), 0);
        for fact in &change.moved {
            let named = store::named(fact);
            sum += named.len() + fact.event.lots.len();
            let is_read = !change.unread.moved.contains(&fact.gseq);
            let fits = is_read && sum <= self.room.weight;
            if fits && self.moved_later.is_empty() {
                now.extend(named.into_iter().map(|(unit, _)| unit));
            } else {
                self.moved_later.push((fact.gseq, fact.event.id));
            }
        }
        now
    }

    /// Is a container of another level than it was (C12)? What was ever packed into it may be inside now,
    /// or not any more.
    fn level_changed(&self, key: &UnitKey, world: &World) -> bool {
        let Some(unit) = self.units.get(key).filter(|unit| unit.code.is_none()) else {
            return false;
        };
        let facts: Vec<&Fact> = unit.facts.values().map(AsRef::as_ref).collect();
        let levels = Levels::of(&facts, world);
        levels.told(key) != unit.kept.state.level
    }
}

impl Folding<'_> {
    /// Reads all units this is about: those that change, their containers above them, and the
    /// exceptional things in them below.
    pub(super) async fn gather(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        related: &Related,
    ) -> Result<Gathered, WorldError> {
        let about = &related.about;
        let mut gathered = Gathered::within(self.room);
        // These stand elsewhere now, or something else is remarked on them.
        let again = change.moved.iter().chain(&change.recheck);
        self.ahead
            .forget_about(&again.map(|fact| fact.gseq).collect());
        let mut dirty: BTreeMap<UnitKey, Cause> = BTreeMap::new();
        for unit in about.units() {
            let new = about.of(unit).map(|(_, fact)| fact);
            let new = new.filter(|fact| self.is_new(change, fact));
            let first = new.min_by_key(|fact| fact.gseq);
            let cause = Cause {
                // What leaves parking has an old position; what it opens or closes happens now.
                gseq: first.map_or(self.moment.last, |fact| fact.gseq.max(self.moment.first)),
                event: first.map(|fact| fact.event.id),
                own: true,
            };
            dirty.insert(unit.clone(), cause);
        }
        let again = Cause {
            gseq: self.moment.last,
            event: change.because,
            own: false,
        };
        let moved = gathered.moved_now(change);
        for unit in moved.into_iter().chain(change.units.iter().cloned()) {
            dirty.entry(unit).or_insert(again);
        }
        // What was named and left is folded as if that came in now.
        for (unit, event) in &change.left {
            let cause = Cause {
                event: *event,
                own: true,
                ..again
            };
            dirty.insert(unit.clone(), cause);
        }
        if let Some(first) = change.left.keys().next() {
            // However much the first takes, others come with it: what they share is read already, and were they
            // one by one, it would be read for each.
            let room = Room {
                facts: FACTS_MAX,
                ..gathered.room
            };
            gathered.room = Room::ALL;
            self.climb(conn, about, &mut gathered, [first.clone()])
                .await?;
            gathered.room = room;
        }
        let moved = change.moved.iter().chain(&change.reordered);
        let moved: BTreeSet<Position> = moved.map(|fact| fact.gseq).collect();
        let mut wanted: BTreeSet<UnitKey> = dirty.keys().cloned().collect();
        // What is judged as an event only is judged by what is on record of what it names.
        let looked_at = change
            .recheck
            .iter()
            .chain(related.strikes.iter().map(|(retract, _)| retract))
            .chain(&related.turned.facts);
        wanted.extend(
            looked_at
                .flat_map(|fact| store::named(fact))
                .map(|(unit, _)| unit),
        );
        // Since when in the order something is another for these, by what is around them; and since when what left
        // them was looked for.
        let mut above: BTreeMap<UnitKey, Micros> = BTreeMap::new();
        let mut looked: BTreeMap<UnitKey, Micros> = BTreeMap::new();
        while !wanted.is_empty() {
            gathered.wanted.extend(wanted.iter().cloned());
            self.climb(conn, about, &mut gathered, wanted).await?;
            // Below what changed, only what is judged by itself, and what has left since.
            let mut below: Vec<(UnitId, UnitKey, Cause)> = Vec::new();
            for (key, cause) in &dirty {
                let Some(unit) = gathered.units.get_mut(key) else {
                    continue;
                };
                let again = is_sooner(&above, &looked, key);
                if unit.dirty.is_none() || again {
                    unit.dirty.get_or_insert(*cause);
                    if unit.known && unit.facts.values().any(|fact| is_container(fact, key)) {
                        below.push((unit.id, key.clone(), *cause));
                    }
                }
            }
            // All of a level at once, however many containers there are.
            let emptied = below.iter().map(|(id, key, _)| {
                let (packed, own) = self.packed_and_since(&gathered, key, (change, about), &moved);
                // Where neither tells, ever.
                let since = own.into_iter().chain(above.get(key).copied()).min();
                Emptied {
                    id: *id,
                    key: key.clone(),
                    packed,
                    since: since.unwrap_or(Micros::MIN),
                }
            });
            let emptied: Vec<Emptied> = emptied.collect();
            let ids: Vec<UnitId> = below.iter().map(|(id, ..)| *id).collect();
            let mut inside: BTreeMap<UnitId, Vec<UnitKey>> = BTreeMap::new();
            for (id, key) in store::exceptional_in(conn, &ids).await? {
                inside.entry(id).or_default().push(key);
            }
            let left = store::left_after(conn, &emptied).await?;
            let mut next = BTreeSet::new();
            for (((id, key, cause), of), left) in below.into_iter().zip(emptied).zip(left) {
                let cause = Cause {
                    own: false,
                    ..cause
                };
                looked.insert(key.clone(), of.since);
                let mut children = inside.remove(&id).unwrap_or_default();
                if gathered.level_changed(&key, self.source.world()) {
                    children.extend(of.packed);
                }
                children.extend(left);
                let steps = gathered.units.get(&key).map_or(0, |unit| unit.facts.len());
                for child in children {
                    gathered.followed.insert(child.clone(), steps);
                    dirty.entry(child.clone()).or_insert(cause);
                    let from = above.entry(child.clone()).or_insert(of.since);
                    *from = of.since.min(*from);
                    next.insert(child);
                }
            }
            next.retain(|key| {
                let unit = gathered.units.get(key);
                unit.is_none_or(|unit| unit.dirty.is_none()) || is_sooner(&above, &looked, key)
            });
            wanted = next;
        }
        // Whoever comes for what was left, or looks only, reads all there is.
        if change.left.is_empty() && gathered.room.facts <= FACTS_MAX {
            self.leave_much_counted(conn, &mut gathered).await?;
        }
        Ok(gathered)
    }

    /// Does this count since this act?
    fn is_new(&self, change: &Change, fact: &Arc<Fact>) -> bool {
        fact.gseq >= self.moment.first || is_in(change, fact)
    }

    /// Reads these units and the containers above them, as many levels as there can be: whatever
    /// was packed into whatever further up has no effect on them ([`Unit::is_sure`]).
    pub(super) async fn climb(
        &mut self,
        conn: &impl ConnectionTrait,
        about: &About,
        gathered: &mut Gathered,
        units: impl IntoIterator<Item = UnitKey>,
    ) -> Result<(), WorldError> {
        let mut level: BTreeSet<UnitKey> = units.into_iter().collect();
        for above in 0..=NESTING_DEPTH_MAX {
            level.retain(|key| !gathered.left.contains_key(key));
            let known = |key: &&UnitKey| gathered.units.contains_key(*key);
            let (known, new): (Vec<_>, Vec<_>) = level.iter().partition(known);
            let new: Vec<UnitKey> = new.into_iter().cloned().collect();
            let known: Vec<UnitKey> = known.into_iter().cloned().collect();
            self.read(conn, about, gathered, &new).await?;
            let mut next = BTreeSet::new();
            for (key, is_new) in new
                .iter()
                .map(|key| (key, true))
                .chain(known.iter().map(|key| (key, false)))
            {
                // One that was read from further below is nearer now, and so is what is above it.
                let unit = gathered.units.get_mut(key);
                let Some(unit) = unit.filter(|unit| is_new || above < unit.above) else {
                    continue;
                };
                unit.above = above;
                next.extend(gathered.parents_of(key));
            }
            level = next;
            if level.is_empty() {
                break;
            }
        }
        gathered.leave_with_parents();
        Ok(())
    }

    /// What was ever packed into a container, and since when in the order something about itself changed; none
    /// where that cannot be told, or it is another by what is around it.
    fn packed_and_since(
        &self,
        gathered: &Gathered,
        key: &UnitKey,
        (change, about): (&Change, &About),
        moved: &BTreeSet<Position>,
    ) -> (BTreeSet<UnitKey>, Option<Micros>) {
        let Some(unit) = gathered.units.get(key) else {
            return (BTreeSet::new(), None);
        };
        let packs = unit.facts.values().filter(|fact| is_container(fact, key));
        let packed = packs.flat_map(|fact| fact.event.units.iter().filter_map(|u| u.unit.clone()));
        // What strikes an event, or decides whether one counts, changes what was since that one, however
        // much later it was stated itself.
        let mut about = about.of(key);
        if about.any(|(role, _)| [STRIKES, DECIDES].contains(&role)) {
            return (packed.collect(), Some(Micros::MIN));
        }
        let changed = unit.facts.values().filter_map(|fact| {
            let eff = fact.order.eff;
            if moved.contains(&fact.gseq) {
                // Where it was before it moved is not known; it was never before this.
                return Some(eff.min(fact.interval.lo));
            }
            self.is_new(change, fact).then_some(eff)
        });
        (packed.collect(), changed.min())
    }

    async fn read(
        &mut self,
        conn: &impl ConnectionTrait,
        about: &About,
        gathered: &mut Gathered,
        keys: &[UnitKey],
    ) -> Result<(), WorldError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut found: Vec<AsKept> = Vec::new();
        let mut unread = Vec::new();
        for key in keys {
            match self.ahead.take(key) {
                Some(kept) => found.extend(kept),
                None => unread.push(key.clone()),
            }
        }
        let mut kept = self.read_within(conn, gathered, found, &unread).await?;
        for key in keys {
            let code = self.source.code(conn, key).await?;
            if let Some(left) = gathered.left.get_mut(key) {
                left.code = code;
                continue;
            }
            let mut unit = if let Some(AsKept {
                row,
                counted,
                facts,
            }) = kept.remove(key)
            {
                Unit {
                    facts: by_position(facts),
                    id: row.id,
                    known: true,
                    above: 0,
                    inside: row.inside,
                    exceptional: row.exceptional,
                    kept: row.kept,
                    code,
                    counted,
                    dirty: None,
                }
            } else {
                let id = self.number();
                if !gathered.has_room_for_new(about, id, key, code.as_ref()) {
                    continue;
                }
                Unit {
                    id,
                    known: false,
                    above: 0,
                    inside: None,
                    exceptional: false,
                    kept: Kept::default(),
                    code,
                    counted: 0,
                    facts: BTreeMap::new(),
                    dirty: None,
                }
            };
            let new = about.of(key).map(|(_, fact)| (fact.gseq, fact.clone()));
            unit.facts.extend(new);
            gathered.units.insert(key.clone(), unit);
        }
        Ok(())
    }
}

/// Is what left a container to be looked for from earlier on than it was?
fn is_sooner(
    above: &BTreeMap<UnitKey, Micros>,
    looked: &BTreeMap<UnitKey, Micros>,
    key: &UnitKey,
) -> bool {
    let both = above.get(key).zip(looked.get(key));
    both.is_some_and(|(above, looked)| above < looked)
}

fn by_position(facts: Vec<Arc<Fact>>) -> BTreeMap<Position, Arc<Fact>> {
    facts.into_iter().map(|fact| (fact.gseq, fact)).collect()
}
