//! Reads, set by set, all that a fold needs: units that change, their containers above them, the
//! exceptional things in them below, and what is on record.

use super::{
    Cause, Change, FACTS_MAX, Folding, Moment, NUMBER_BITS, Unit, is_container, is_in, left::Room,
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
    event::Kind,
    facts::Fact,
    fold::{Folded, Levels},
    ids::BatchId,
    limits::NESTING_DEPTH_MAX,
    unit::UnitKey,
};

impl Folding<'_> {
    /// Reads all units this is about: those that change, their containers above them, and the
    /// exceptional things in them below.
    pub(super) async fn gather(
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
        let moved = self.moved_now(change);
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
                ..self.room
            };
            self.room = Room::ALL;
            self.climb(conn, [first.clone()]).await?;
            self.room = room;
        }
        let moved = change.moved.iter().chain(&change.reordered);
        let moved: BTreeSet<Position> = moved.map(|fact| fact.gseq).collect();
        let mut wanted: BTreeSet<UnitKey> = dirty.keys().cloned().collect();
        // What is judged as an event only is judged by what is on record of what it names.
        let looked_at = change
            .recheck
            .iter()
            .chain(self.strikes.iter().map(|(retract, _)| retract))
            .chain(&self.corrected);
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
            self.wanted.extend(wanted.iter().cloned());
            self.climb(conn, wanted).await?;
            // Below what changed, only what is judged by itself, and what has left since.
            let mut below: Vec<(UnitId, UnitKey, Cause)> = Vec::new();
            for (key, cause) in &dirty {
                let Some(unit) = self.units.get_mut(key) else {
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
                let (packed, own) = self.packed_and_since(key, change, &moved);
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
                if self.level_changed(&key) {
                    children.extend(of.packed);
                }
                children.extend(left);
                let steps = self.units.get(&key).map_or(0, |unit| unit.facts.len());
                for child in children {
                    self.followed.insert(child.clone(), steps);
                    dirty.entry(child.clone()).or_insert(cause);
                    let from = above.entry(child.clone()).or_insert(of.since);
                    *from = of.since.min(*from);
                    next.insert(child);
                }
            }
            next.retain(|key| {
                let unit = self.units.get(key);
                unit.is_none_or(|unit| unit.dirty.is_none()) || is_sooner(&above, &looked, key)
            });
            wanted = next;
        }
        // Whoever comes for what was left, or looks only, reads all there is.
        if change.left.is_empty() && self.room.facts <= FACTS_MAX {
            self.leave_much_counted(conn).await?;
        }
        Ok(())
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

    /// Reads these units and the containers above them, as many levels as there can be: whatever
    /// was packed into whatever further up has no effect on them ([`Unit::is_sure`]).
    pub(super) async fn climb(
        &mut self,
        conn: &impl ConnectionTrait,
        units: impl IntoIterator<Item = UnitKey>,
    ) -> Result<(), WorldError> {
        let mut level: BTreeSet<UnitKey> = units.into_iter().collect();
        for above in 0..=NESTING_DEPTH_MAX {
            level.retain(|key| !self.left.contains_key(key));
            let known = |key: &&UnitKey| self.units.contains_key(*key);
            let (known, new): (Vec<_>, Vec<_>) = level.iter().partition(known);
            let new: Vec<UnitKey> = new.into_iter().cloned().collect();
            let known: Vec<UnitKey> = known.into_iter().cloned().collect();
            self.read(conn, &new).await?;
            let mut next = BTreeSet::new();
            for (key, is_new) in new
                .iter()
                .map(|key| (key, true))
                .chain(known.iter().map(|key| (key, false)))
            {
                // One that was read from further below is nearer now, and so is what is above it.
                let unit = self.units.get_mut(key);
                let Some(unit) = unit.filter(|unit| is_new || above < unit.above) else {
                    continue;
                };
                unit.above = above;
                next.extend(self.parents_of(key));
            }
            level = next;
            if level.is_empty() {
                break;
            }
        }
        self.leave_with_parents();
        Ok(())
    }

    /// Is a container of another level than it was (C12)? What was ever packed into it may be inside now,
    /// or not any more.
    fn level_changed(&self, key: &UnitKey) -> bool {
        let Some(unit) = self.units.get(key).filter(|unit| unit.code.is_none()) else {
            return false;
        };
        let facts: Vec<&Fact> = unit.facts.values().map(AsRef::as_ref).collect();
        let levels = Levels::of(&facts, self.source.world());
        levels.told(key) != unit.kept.state.level
    }

    /// What was ever packed into a container, and since when in the order something about itself changed; none
    /// where that cannot be told, or it is another by what is around it.
    fn packed_and_since(
        &self,
        key: &UnitKey,
        change: &Change,
        moved: &BTreeSet<Position>,
    ) -> (BTreeSet<UnitKey>, Option<Micros>) {
        let Some(unit) = self.units.get(key) else {
            return (BTreeSet::new(), None);
        };
        let packs = unit.facts.values().filter(|fact| is_container(fact, key));
        let packed = packs.flat_map(|fact| fact.event.units.iter().filter_map(|u| u.unit.clone()));
        // What strikes an event, or decides whether one counts, changes what was since that one, however
        // much later it was stated itself.
        let about = self.about.get(key).into_iter().flat_map(BTreeMap::values);
        if about
            .into_iter()
            .any(|(role, _)| [STRIKES, DECIDES].contains(role))
        {
            return (packed.collect(), Some(Micros::MIN));
        }
        let changed = unit.facts.values().filter_map(|fact| {
            let eff = fact.order.eff;
            if moved.contains(&fact.gseq) {
                // Where it was before it moved is not known; it was never before this.
                return Some(eff.min(fact.interval.lo));
            }
            (fact.gseq >= self.moment.first || is_in(change, fact)).then_some(eff)
        });
        (packed.collect(), changed.min())
    }

    pub(super) async fn read(
        &mut self,
        conn: &impl ConnectionTrait,
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
        let mut kept = self.read_within(conn, found, &unread).await?;
        for key in keys {
            let code = self.source.code(conn, key).await?;
            if let Some(left) = self.left.get_mut(key) {
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
                self.numbered += 1;
                let id = (self.moment.first << NUMBER_BITS) | self.numbered;
                if !self.has_room_for_new(id, key, code.as_ref()) {
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
            if let Some(about) = self.about.get(key) {
                let new = about.iter().map(|(gseq, (_, fact))| (*gseq, fact.clone()));
                unit.facts.extend(new);
            }
            self.units.insert(key.clone(), unit);
        }
        Ok(())
    }

    /// What is on record: recalls, counts at places, what containers hold, instants.
    pub(super) async fn look_up(&mut self, conn: &impl ConnectionTrait) -> Result<(), WorldError> {
        let containers: Vec<UnitId> = self
            .units
            .iter()
            .filter(|(key, unit)| {
                unit.known && unit.facts.values().any(|fact| is_container(fact, key))
            })
            .map(|(_, unit)| unit.id)
            .collect();
        self.direct = store::contents(conn, &containers).await?;
        // Of what lies in containers within as well: it may be under a recall that nothing else here is.
        self.put_contents(conn, &BTreeMap::new()).await?;
        let batches = self.batches();
        self.about_batches(conn, batches).await?;

        self.read_counts(conn).await?;
        self.put_instants_of_units(conn).await
    }

    /// Puts in until when what devices had was the newest, if anything here was ever recalled.
    async fn put_instants_of_units(
        &mut self,
        conn: &impl ConnectionTrait,
    ) -> Result<(), WorldError> {
        let mut positions = BTreeSet::new();
        if !self.source.world().recalls.is_empty() {
            for fact in self.units.values().flat_map(|unit| unit.facts.values()) {
                positions.extend(fact.event.list_version);
                positions.insert(fact.delivered);
            }
        }
        self.put_instants(conn, positions).await
    }

    /// The batches of all that was read and of what is in it, as is kept and on record.
    fn batches(&self) -> BTreeSet<BatchId> {
        let mut batches: BTreeSet<BatchId> = BTreeSet::new();
        for unit in self.units.values() {
            batches.extend(unit.kept.state.batch);
            let commissioned = unit.code.as_ref().and_then(|code| code.commissioned);
            batches.extend(commissioned.map(|(batch, _)| BatchId(batch)));
        }
        let held = self.direct.values().flat_map(BTreeMap::keys);
        batches.extend(held.map(|content| content.batch));
        batches
    }

    /// Puts in until when these positions were the newest.
    pub(super) async fn put_instants(
        &mut self,
        conn: &impl ConnectionTrait,
        positions: BTreeSet<Position>,
    ) -> Result<(), WorldError> {
        // What this act writes has no rows yet, and follows what was the newest before it.
        let Moment { first, last, stamp } = self.moment;
        let followed = positions.range(first - 1..last).copied();
        let followed: Vec<_> = followed.map(|at| (at, stamp + at + 1 - first)).collect();
        self.source.instants(conn, positions).await?;
        self.source.world_mut().instants.extend(followed);
        Ok(())
    }

    async fn about_batches(
        &mut self,
        conn: &impl ConnectionTrait,
        batches: BTreeSet<BatchId>,
    ) -> Result<(), WorldError> {
        let units = self.units.iter().map(|(key, unit)| (key, &unit.code));
        let left = self.left.iter().map(|(key, left)| (key, &left.code));
        let codes = units.chain(left);
        let codes = codes.map(|(key, code)| (key.clone(), code.clone()));
        let mut codes: BTreeMap<UnitKey, Option<CodeOf>> = codes.collect();
        for child in self.packed_into_foreign() {
            let code = self.source.code(conn, &child).await?;
            codes.insert(child, code);
        }
        // Of what containers hold it knows nothing, and would forget it.
        let contents = std::mem::take(&mut self.source.world_mut().contents);
        self.source.about(conn, &codes, &batches).await?;
        self.source.world_mut().contents = contents;
        self.asked = batches;
        Ok(())
    }

    /// What was packed into codes nobody here issued, as far as it was not read: their levels follow from
    /// its levels (C12).
    fn packed_into_foreign(&self) -> BTreeSet<UnitKey> {
        let foreign = self.units.iter().filter(|(_, unit)| unit.code.is_none());
        let packs = foreign.flat_map(|(key, unit)| {
            let facts = unit.facts.values();
            facts.filter(|fact| fact.event.kind == Kind::Pack && is_container(fact, key))
        });
        let children = packs.flat_map(|fact| &fact.event.units);
        let children = children.filter_map(|read| read.unit.as_ref());
        let unread = children.filter(|child| !self.units.contains_key(*child));
        unread.cloned().collect()
    }

    /// Folds all as of what is on record. Which batch a unit is of comes of the fold: whatever makes it another
    /// than is kept (a commission that arrives, is struck, moves or is accepted; a batch that was filed late),
    /// the recalls of that one are asked for as well.
    pub(super) async fn folded(
        &mut self,
        conn: &impl ConnectionTrait,
    ) -> Result<BTreeMap<UnitKey, Folded>, WorldError> {
        let folded = self.fold(self.source.world(), false);
        let of = folded.values().filter_map(|folded| folded.state.batch);
        let new: BTreeSet<BatchId> = of
            .filter(|batch| !self.asked.contains(batch) && self.source.was_recalled(*batch))
            .collect();
        if new.is_empty() {
            return Ok(folded);
        }
        // Whoever is asked about these alone forgets the others.
        let asked = &self.asked | &new;
        self.about_batches(conn, asked).await?;
        self.put_instants_of_units(conn).await?;
        Ok(self.fold(self.source.world(), false))
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
