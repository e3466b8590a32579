//! What an act finds out that is too much for it: work for slices (`units::refold`), written down in
//! the same transaction.

use super::{
    Change, Folding, folds::Folds, gather::Gathered, is_container, lots::WorkedIn, names,
    relate::Related,
};
use crate::{
    clock::Micros,
    handheld::{
        units::{
            refold::{Scope, Work, store},
            store::is_sweep,
        },
        world::WorldError,
    },
    log::{self, Position},
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::Fact,
    fold,
    ids::{EventId, LocationId},
    limits::NESTING_DEPTH_MAX,
    order::Order,
    unit::UnitKey,
};

/// A complete count that came in so many positions late is followed through the log. One that came
/// later goes by what came to its place, whatever all others did meanwhile.
const FOLLOWED: i64 = 5_000;

impl Folding<'_> {
    /// Writes down what is left for slices.
    pub(super) async fn leave_for_later(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        (related, gathered): (&Related, &Gathered),
        folds: &Folds,
        (lots, ended): (&WorkedIn, &BTreeSet<UnitKey>),
    ) -> Result<(), WorldError> {
        // Facts that changed what there is, in whatever way.
        let struck = related.strikes.iter();
        let struck = struck.filter_map(|(_, target)| target.as_ref());
        let changed: Vec<Arc<Fact>> = change
            .arrived
            .iter()
            .chain(&change.moved)
            .chain(struck)
            .chain(&related.turned.facts)
            .cloned()
            .collect();
        let mut scopes: Vec<(Scope, i64, Option<EventId>)> = Vec::new();
        let mut swept: BTreeMap<LocationId, (i64, EventId)> = BTreeMap::new();
        let world = self.source.world();
        // What was stated at a place that is on record as another's by now counted up to then (C14), and is judged
        // again as an event, since it named what was on no record.
        let strange = change.recheck.iter();
        let strange: Vec<Arc<Fact>> = strange
            .filter(|fact| world.is_at_anothers(fact))
            .cloned()
            .collect();
        let misses = |fact: &&Arc<Fact>| is_sweep(fact) && fold::misses(world, fact);
        let missed = strange.iter().filter(|fact| is_sweep(fact));
        for fact in changed.iter().filter(misses).chain(missed) {
            let first = swept.entry(fact.event.location);
            let first = first.or_insert((fact.order.eff, fact.event.id));
            *first = (*first).min((fact.order.eff, fact.event.id));
        }
        let mut entering = std::mem::take(&mut self.entering);
        for member in related.turned.later.iter().chain(&lots.later) {
            entering.once_more(member);
        }
        scopes.extend(entering.scopes().map(|scope| (scope, 0, change.because)));
        let moved = gathered.moved_later.iter();
        scopes.extend(moved.map(|(by, event)| (Scope::Named { by: *by }, 0, Some(*event))));
        // Up to where all is older than anything counted at a place: looked for once, however much was counted.
        let until = self.moment.first - 1;
        let mut oldest: BTreeMap<LocationId, Micros> = BTreeMap::new();
        let of_swept = swept.iter().map(|(place, (eff, _))| (*place, *eff));
        // Where a count was before it moved is not known; it was never before this.
        let of_counts = one_of_each(&lots.sweeps).into_iter();
        let of_counts =
            of_counts.map(|fact| (fact.event.location, fact.order.eff.min(fact.interval.lo)));
        for (place, eff) in of_swept.chain(of_counts) {
            let oldest = oldest.entry(place).or_insert(eff);
            *oldest = eff.min(*oldest);
        }
        let mut since: BTreeMap<LocationId, Position> = BTreeMap::new();
        for (place, eff) in oldest {
            let upto = eff.saturating_add(1);
            since.insert(place, log::position_before_upto(conn, upto, until).await?);
        }
        let since = |place: LocationId| since.get(&place).copied().unwrap_or_default();
        for (place, (_, event)) in swept {
            scopes.push((Scope::Place { place }, 0, Some(event)));
            let since = since(place);
            if until - since > FOLLOWED {
                let scope = Scope::Left {
                    place,
                    since,
                    until,
                };
                scopes.push((scope, 0, Some(event)));
            } else if since < until {
                scopes.push((Scope::Since { place, until }, since, Some(event)));
            }
        }
        for fact in one_of_each(&lots.sweeps) {
            let count = fact.gseq;
            let place = fact.event.location;
            let of = |fact: &Fact| (fact.enterprise, fact.event.group.map(|group| group.id));
            let mut moved = change.moved.iter().chain(&change.lots_reordered);
            let moved = moved.any(|moved| {
                let group = moved.event.group.is_some() && of(moved) == of(fact);
                moved.gseq == count || group
            });
            let scope = Scope::Lines {
                place,
                count,
                since: since(place),
                moved,
            };
            scopes.push((scope, 0, Some(fact.event.id)));
        }
        // Counts among what moved before were looked at then.
        let changed: Vec<Arc<Fact>> = changed
            .into_iter()
            .chain(change.reordered.clone())
            .chain(strange)
            .collect();
        for (key, unit) in gathered.units.iter().filter(|(_, unit)| unit.known) {
            let grew = folds
                .apart
                .get(key)
                .is_some_and(|now| !now.is_subset(&unit.kept.apart));
            let cause = unit.dirty.and_then(|cause| cause.event);
            let left = change.left.contains_key(key);
            let unsettled = self.unsettles(gathered, key, &changed, left)
                || self.is_unsettled_from_above((related, gathered), key, folds, &changed);
            if grew || ended.contains(key) || unsettled {
                let container = key.clone();
                scopes.push((Scope::Children { container }, 0, cause));
            }
        }
        let work = scopes.into_iter().map(|(scope, cursor, cause)| Work {
            id: self.number(),
            scope,
            cursor,
            cause,
            gseq: self.moment.first,
        });
        let work: Vec<Work> = work.collect();
        Ok(store::add(conn, &work).await?)
    }

    /// Do these facts change what is in a container, though they name only the container? One that
    /// stands before a pack does, one that takes everything out, and of a foreign code the one that
    /// was received first, wherever it stands: whose word counts follows from it (C14).
    fn unsettles(
        &self,
        gathered: &Gathered,
        key: &UnitKey,
        changed: &[Arc<Fact>],
        left: bool,
    ) -> bool {
        let last = gathered.last_packed(key, self.moment.first);
        let (Some(unit), Some(last)) = (gathered.units.get(key), last) else {
            return false;
        };
        // What came in since it was left is not told apart.
        if left {
            return true;
        }
        let world = self.source.world();
        let stated = unit.facts.values();
        let stated = stated.filter(|fact| names(fact, key) && !world.is_at_anothers(fact));
        let first = stated.map(|fact| fact.gseq).min();
        let foreign = unit.kept.state.issuer.is_none();
        changed.iter().filter(|fact| names(fact, key)).any(|fact| {
            let event = &fact.event;
            let is_first = foreign && first.is_some_and(|first| fact.gseq <= first);
            let empties = event.kind == Kind::Unpack && event.units.is_empty();
            let packs = event.kind == Kind::Pack && is_container(fact, key);
            empties || is_first || !packs && fact.order <= last
        })
    }

    /// Did a container change from before something was packed into it, by what names it nowhere: a leg of
    /// the container it was in then? Whoever folds with no new facts sees no more than that it changed.
    fn is_unsettled_from_above(
        &self,
        (related, gathered): (&Related, &Gathered),
        key: &UnitKey,
        folds: &Folds,
        changed: &[Arc<Fact>],
    ) -> bool {
        let (Some(unit), Some(now)) = (gathered.units.get(key), folds.folded.get(key)) else {
            return false;
        };
        let last = gathered.last_packed(key, self.moment.first);
        let Some(last) = last.filter(|_| unit.dirty.is_some()) else {
            return false;
        };
        if related.arrived.is_empty() {
            return now.state != unit.kept.state;
        }
        // What names it itself is no word from above.
        let earlier = changed
            .iter()
            .filter(|fact| fact.order <= last && !names(fact, key));
        let earlier: Vec<&Arc<Fact>> = earlier.collect();
        !earlier.is_empty() && {
            let mut around = gathered.around(key).into_iter();
            around.any(|around| earlier.iter().any(|fact| names(fact, &around)))
        }
    }
}

impl Gathered {
    /// What something was ever in, directly or not.
    fn around(&self, key: &UnitKey) -> BTreeSet<UnitKey> {
        let (mut all, mut level) = (BTreeSet::new(), BTreeSet::from([key.clone()]));
        for _ in 0..NESTING_DEPTH_MAX {
            level = level.iter().flat_map(|key| self.parents_of(key)).collect();
            level.retain(|key| all.insert(key.clone()));
        }
        all
    }

    /// Where in the order something was last packed into it, before the act that begins here.
    fn last_packed(&self, key: &UnitKey, act: Position) -> Option<Order> {
        let facts = self.units.get(key)?.facts.values();
        let packs = facts.filter(|fact| {
            let before = fact.gseq < act;
            before && fact.event.kind == Kind::Pack && is_container(fact, key)
        });
        packs.map(|fact| fact.order).max()
    }
}

/// Of complete counts in several documents one: whoever goes by it reads all.
fn one_of_each(sweeps: &[Arc<Fact>]) -> Vec<&Arc<Fact>> {
    let mut groups = BTreeSet::new();
    let is_first = |fact: &&Arc<Fact>| {
        let group = fact.event.group.map(|group| group.id);
        group.is_none_or(|group| groups.insert((fact.enterprise, group)))
    };
    sweeps.iter().filter(is_first).collect()
}
