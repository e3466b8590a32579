//! Units that an act leaves, because there is more to read about them, or about a container or a place they were
//! in, than an act may, or because one event names more of them than there is time to fold ([`Room`]): anybody can
//! name anything as often as they like. What is about them is written down; they are folded by slices
//! (`units::refold`), the first of each however much there is to read.

use super::{
    Change, Done, Folding,
    gather::Gathered,
    relate::{About, Related},
};
use crate::{
    handheld::{
        units::{
            Kept,
            ahead::{AsKept, with_facts},
            refold::{Work, store as work},
            store::{self, Sized, UnitId, UnitWrite},
        },
        world::{CodeOf, WorldError},
    },
    log::Position,
};
use sea_orm::ConnectionTrait;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::unit::UnitKey;

/// What an act may read yet, and fold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Facts that are read.
    pub(super) facts: usize,
    /// Units that are folded and written, with what there is to fold of each.
    pub(super) weight: usize,
}

/// Folding and writing a unit takes as long as folding so many facts of one.
const FACTS_A_UNIT: usize = 8;

impl Room {
    /// As much as there is.
    pub(super) const ALL: Room = Room {
        facts: usize::MAX,
        weight: usize::MAX,
    };

    /// Takes a unit about which so much is known, if there is room: for the last, some is enough.
    fn take(&mut self, facts: usize) -> bool {
        match self.facts.checked_sub(facts) {
            Some(left) if self.weight > 0 => {
                self.facts = left;
                let weight = 1 + facts / FACTS_A_UNIT;
                self.weight = self.weight.saturating_sub(weight);
                true
            }
            _ => false,
        }
    }
}

/// A unit that is left.
pub(super) struct Left {
    pub(super) id: UnitId,
    /// It has a row.
    pub(super) known: bool,
    /// How many facts there are about it, as far as is known.
    pub(super) facts: usize,
    /// What its code is to us: events are judged by that as well.
    pub(super) code: Option<CodeOf>,
}

impl Gathered {
    /// How much there is about these, least first. Of more than there is room for, only those that fit are read
    /// themselves: the state of a thousand is a megabyte.
    async fn sized(
        &self,
        conn: &impl ConnectionTrait,
        units: &[UnitKey],
    ) -> Result<Vec<Sized>, WorldError> {
        if units.len() <= self.room.weight {
            return Ok(store::units_within(conn, units, self.room.facts).await?);
        }
        let sizes = store::sizes(conn, units).await?;
        let mut room = self.room;
        let fits = sizes.iter();
        let fits = fits.take_while(|unit| room.take(unit.facts + self.follows(&unit.key)));
        let fits: Vec<UnitKey> = fits.map(|unit| unit.key.clone()).collect();
        let mut sized = store::units_within(conn, &fits, self.room.facts).await?;
        sized.extend(sizes.into_iter().skip(fits.len()));
        Ok(sized)
    }

    /// What it is folded over besides, since its container carried it.
    fn follows(&self, unit: &UnitKey) -> usize {
        self.followed.get(unit).copied().unwrap_or_default()
    }

    /// Is there room for one of which nothing is known? If not, it is left.
    pub(super) fn has_room_for_new(
        &mut self,
        about: &About,
        id: UnitId,
        key: &UnitKey,
        code: Option<&CodeOf>,
    ) -> bool {
        let has = self.room.take(0);
        if !has {
            let left = Left {
                id,
                known: false,
                facts: about.of(key).count(),
                code: code.cloned(),
            };
            self.left.insert(key.clone(), left);
        }
        has
    }

    /// What was packed into something that is left is left with it: what became of the one follows from
    /// what became of the other.
    pub(super) fn leave_with_parents(&mut self) {
        let mut more = !self.left.is_empty();
        while more {
            let with = |key: &&UnitKey| {
                let mut parents = self.parents_of(key).into_iter();
                parents.any(|parent| self.left.contains_key(&parent))
            };
            let with: Vec<UnitKey> = self.units.keys().filter(with).cloned().collect();
            more = !with.is_empty();
            self.leave_these(with);
        }
    }

    /// Leaves units that were read.
    pub(super) fn leave_these(&mut self, units: Vec<UnitKey>) {
        for key in units {
            if let Some(unit) = self.units.remove(&key) {
                let left = Left {
                    id: unit.id,
                    known: unit.known,
                    facts: unit.facts.len(),
                    code: unit.code,
                };
                self.left.insert(key, left);
            }
        }
    }

    /// Rows for units that are left and have none.
    pub(super) fn rows_of_left(&self, gseq: Position) -> impl Iterator<Item = UnitWrite> {
        let new = self.left.iter().filter(|(_, left)| !left.known);
        new.map(move |(key, left)| UnitWrite {
            id: left.id,
            gseq,
            key: key.clone(),
            product: None,
            inside: None,
            exceptional: false,
            facts: left.facts,
            elsewhere: false,
            kept: Kept::default(),
        })
    }
}

impl Folding<'_> {
    /// Takes as many of these as there is room to read; the others are left. Those about which there is
    /// least come first, so that one that is named everywhere keeps no other from being folded.
    pub(super) async fn read_within(
        &mut self,
        conn: &impl ConnectionTrait,
        gathered: &mut Gathered,
        ahead: Vec<AsKept>,
        unread: &[UnitKey],
    ) -> Result<BTreeMap<UnitKey, AsKept>, WorldError> {
        let mut kept = BTreeMap::new();
        let left = |id: UnitId, facts: usize| Left {
            id,
            known: true,
            facts,
            code: None,
        };
        let mut ahead = ahead;
        ahead.sort_by_key(AsKept::size);
        for found in ahead {
            let key = found.row.key.clone();
            if gathered.room.take(found.size() + gathered.follows(&key)) {
                kept.insert(key, found);
            } else {
                gathered.left.insert(key, left(found.row.id, found.size()));
            }
        }
        let mut rows = Vec::new();
        for unit in gathered.sized(conn, unread).await? {
            match unit.row {
                Some(row) if gathered.room.take(unit.facts + gathered.follows(&unit.key)) => {
                    rows.push((row, unit.facts));
                }
                _ => {
                    gathered.left.insert(unit.key, left(unit.id, unit.facts));
                }
            }
        }
        let read = with_facts(conn, self.reader, rows, self.upto).await?;
        gathered.read += read.values().map(|kept| kept.facts.len()).sum::<usize>();
        kept.extend(read);
        Ok(kept)
    }

    /// Events about units that are left, and such as an act had no room for.
    pub(super) fn pending(&self, (related, gathered): (&Related, &Gathered)) -> BTreeSet<Position> {
        let left = gathered.left.keys();
        let about = left.flat_map(|key| related.about.of(key));
        let about = about.map(|(_, fact)| fact.gseq);
        let entering = self.entering.events().iter().map(|fact| fact.gseq);
        about.chain(entering).collect()
    }

    /// Writes down which units are left no more, and which are.
    pub(super) async fn leave(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        (related, gathered): (&Related, &Gathered),
        done: &mut Done,
    ) -> Result<(), WorldError> {
        let taken: BTreeSet<UnitId> = gathered.taken_up(change).map(|unit| unit.id).collect();
        done.written += taken.len();
        store::take_up(conn, taken).await?;
        self.mark_left(conn, (related, gathered), done).await
    }

    /// Writes down which units are left. A container that was to be read only for what is in it has nothing new
    /// about itself: were it left as well, whoever comes for it would look again at all that is in it, and leave it
    /// once more for that.
    pub(super) async fn mark_left(
        &mut self,
        conn: &impl ConnectionTrait,
        (related, gathered): (&Related, &Gathered),
        done: &mut Done,
    ) -> Result<(), WorldError> {
        let about = &related.about;
        let left = gathered.left.iter();
        let left = left.filter(|(key, _)| gathered.wanted.contains(*key));
        let left: Vec<(&UnitKey, &Left)> = left.collect();
        done.written += left.len();
        if left.is_empty() {
            return Ok(());
        }
        let since = |key: &UnitKey| -> Position {
            let first = about.of(key).next().map(|(_, fact)| fact.gseq);
            let new = first.filter(|gseq| *gseq >= self.moment.first);
            new.unwrap_or(self.moment.last)
        };
        let new = |key: &UnitKey, left: &Left| {
            // One without a row was written with what is about it.
            if left.known { about.of(key).count() } else { 0 }
        };
        let left = left.into_iter();
        let left = left.map(|(key, left)| (left.id, (since(key), new(key, left))));
        store::leave(conn, &left.collect::<BTreeMap<_, _>>()).await?;
        self.fold_what_is_left(conn).await
    }

    /// What is left is folded by slices, after whatever else was left before.
    pub(super) async fn fold_what_is_left(
        &mut self,
        conn: &impl ConnectionTrait,
    ) -> Result<(), WorldError> {
        let work = Work::unread(self.number(), self.moment.first, self.moment.last);
        Ok(work::add(conn, &[work]).await?)
    }
}
