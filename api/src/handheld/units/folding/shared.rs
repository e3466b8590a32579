//! What the public side is told of things in containers (C13). They share what becomes of their
//! container and have no news of their own, so whoever changes how a container ended tells it for
//! them: in the same act while they are few, in slices (`units::refold`) where they are many.

use super::{
    Change, Done, Folding,
    gather::{Gathered, Unit},
    is_container,
    relate::Related,
    write::Writes,
};
use crate::{
    handheld::{
        units::store::{self, UnitId},
        world::{CodeOf, WorldError},
    },
    projection::units::{PublicUnit, UnitStatus},
};
use sea_orm::ConnectionTrait;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    fold::{Folded, Phase, UnitState},
    ids::BatchId,
    limits::NESTING_DEPTH_MAX,
    unit::UnitKey,
};

/// So many things in containers an act tells of itself.
const TOLD_AT_ONCE: usize = 1_000;

impl Gathered {
    /// Notes what the public side must hear of a unit that was folded.
    pub(super) fn note_public(
        &self,
        change: &Change,
        (key, unit): (&UnitKey, &Unit),
        (now, held): (&Folded, &BTreeSet<BatchId>),
        out: &mut Writes,
    ) {
        let before = status_of(unit, &unit.kept.state, &unit.kept.holds);
        let after = status_of(unit, &now.state, held);
        let unlike = before != after;
        // What a container holds is no news of what is in it.
        let fares = (before.bits(), before.stated) != (after.bits(), after.stated);
        let again = change.units.contains(key) || change.left.contains_key(key);
        let stayed = !now.stays.is_empty() || !unit.kept.stays.is_empty();
        // What is kept of a thing in a container is how it was packed, not what was told of it.
        let unsure = shares(unit) && (before.is_against() || self.above_ended(unit))
            || stayed && (again || unit.kept.state.phase == Phase::Sold)
            // The record of codes may have come to name a batch.
            || again && unit.code.is_some() && unit.kept.state.batch.is_some();
        if unlike || unsure {
            let before = unit.kept.holds.iter().map(|batch| batch.0);
            out.done
                .public
                .push((name(key, unit), after.instead_of(before)));
        }
        // Things in a container that shares itself are told with its own container's.
        let own = !(shares(unit) && again);
        let holds = unit.known && unit.facts.values().any(|fact| is_container(fact, key));
        if own && holds && (fares || shares(unit) && unsure) {
            out.ended.push(key.clone());
        }
    }

    /// Does a container it is in, directly or not, stand there as ended?
    fn above_ended(&self, unit: &Unit) -> bool {
        let mut inside = unit.inside;
        for _ in 0..NESTING_DEPTH_MAX {
            let above = self.units.values().find(|above| Some(above.id) == inside);
            let Some(above) = above else {
                return false;
            };
            if status_of(above, &above.kept.state, &above.kept.holds).is_against() {
                return true;
            }
            inside = above.inside.filter(|_| shares(above));
        }
        false
    }

    /// What is inside these containers and shares what becomes of them, as far as it is few; the
    /// rest is left for slices.
    pub(super) async fn sharing(
        &self,
        conn: &impl ConnectionTrait,
        ended: &[UnitKey],
    ) -> Result<(BTreeSet<UnitKey>, BTreeSet<UnitKey>), WorldError> {
        let (mut few, mut many) = (BTreeSet::new(), BTreeSet::new());
        for key in ended {
            let Some(unit) = self.units.get(key) else {
                continue;
            };
            let room = TOLD_AT_ONCE.saturating_sub(few.len());
            match sharing_in(conn, unit.id, room).await? {
                Some(children) => few.extend(children),
                None => {
                    many.insert(key.clone());
                }
            }
        }
        Ok((few, many))
    }
}

impl Folding<'_> {
    /// Folds things in containers for what the public side is told of them. Their rows stay.
    pub(super) async fn tell_sharing(
        &mut self,
        conn: &impl ConnectionTrait,
        (related, gathered): (&Related, &mut Gathered),
        children: BTreeSet<UnitKey>,
        done: &mut Done,
    ) -> Result<(), WorldError> {
        if children.is_empty() {
            return Ok(());
        }
        let above = children.iter().cloned();
        gathered.wanted.extend(above.clone());
        self.climb(conn, &related.about, gathered, above).await?;
        let record = self.look_up(conn, related, gathered).await?;
        let folded = gathered.fold(&record.counts, self.source.world(), false);
        for key in &children {
            if let (Some(unit), Some(now)) = (gathered.units.get(key), folded.get(key)) {
                let holds = self.holds(key, now.state.batch);
                done.public
                    .push((name(key, unit), status_of(unit, &now.state, &holds)));
            }
        }
        Ok(())
    }
}

/// All that is inside a container and shares what becomes of it; nothing if it is more than that.
async fn sharing_in(
    conn: &impl ConnectionTrait,
    container: UnitId,
    most: usize,
) -> Result<Option<BTreeSet<UnitKey>>, WorldError> {
    let mut all = BTreeMap::new();
    let mut level = vec![container];
    for _ in 0..NESTING_DEPTH_MAX {
        let room = most - all.len();
        let found = store::sharing_in(conn, &level, room + 1).await?;
        if found.len() > room {
            return Ok(None);
        }
        level = found.iter().map(|(id, _)| *id).collect();
        level.retain(|id| !all.contains_key(id));
        all.extend(found);
        if level.is_empty() {
            break;
        }
    }
    Ok(Some(all.into_values().collect()))
}

/// Does it share what becomes of its container?
fn shares(unit: &Unit) -> bool {
    unit.inside.is_some() && !unit.exceptional
}

pub(super) fn name(key: &UnitKey, unit: &Unit) -> PublicUnit {
    let name = unit.code.as_ref().map(CodeOf::public);
    name.unwrap_or_else(|| PublicUnit::Other(key.clone()))
}

/// What the public side is told of a state: what a thing has by its container counts as well.
pub(super) fn status_of(unit: &Unit, state: &UnitState, holds: &BTreeSet<BatchId>) -> UnitStatus {
    UnitStatus::of(state, unit.code.as_ref().map(CodeOf::batch), holds)
}
