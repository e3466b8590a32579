//! C11: counts (盘点) of units. What is seen is observed there; what should be there and is not
//! seen by a complete count is missing. Lots are counted in `lots`.

use super::{
    Phase, Place, Row, commission, contents, holder,
    struck::Struck,
    walk::{At, Effect, Walk},
};
use crate::{
    event::{Event, Kind, gtin14},
    facts::{BatchInfo, Fact, Product, World},
    finding::FindingCode,
    ids::{EnterpriseId, GroupId, LocationId},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Complete counts that took several documents: a group of counts at a place sees what any of them sees.
#[derive(Debug, Default)]
pub(super) struct Sweeps(BTreeMap<(EnterpriseId, GroupId, LocationId), Vec<usize>>);

impl Sweeps {
    /// The groups of counts among these facts.
    pub(super) fn of(facts: &[&Fact], struck: &Struck) -> Sweeps {
        let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (place, fact) in facts.iter().enumerate() {
            if fact.event.kind == Kind::Count
                && !struck.is(place)
                && let Some(group) = group_of(fact)
            {
                groups.entry(group).or_default().push(place);
            }
        }
        Sweeps(groups)
    }

    /// The counts of the sweep that ends with this fact; nothing if a later one ends it.
    fn ending<'a>(&self, facts: &[&'a Fact], place: usize) -> Vec<&'a Fact> {
        let Some(fact) = facts.get(place).copied() else {
            return Vec::new();
        };
        let group = group_of(fact).and_then(|group| self.0.get(&group));
        let Some(group) = group else {
            return vec![fact];
        };
        if group.last() != Some(&place) {
            return Vec::new();
        }
        group
            .iter()
            .filter_map(|place| facts.get(*place).copied())
            .collect()
    }
}

fn group_of(fact: &Fact) -> Option<(EnterpriseId, GroupId, LocationId)> {
    let group = fact.event.group?;
    Some((fact.enterprise, group.id, fact.event.location))
}

/// A unit was seen.
pub(super) fn seen<'a>(walk: &mut Walk<'a>, at: &At<'a>, row: Row) -> Effect {
    let here = Place::At(at.here());
    let expected = match row {
        Row::Observe => walk.state.phase == Phase::InStock && walk.state.place == here,
        Row::ObserveNew => commission::at_plant(walk, at),
        Row::ObserveKept => walk.state.place == here,
        Row::ObserveEnded => walk.state.phase == Phase::Collected && walk.state.place == here,
        _ => true,
    };
    if expected {
        return Effect::Confirmed;
    }
    walk.find_cause(at, FindingCode::SurplusAtCount);
    match row {
        Row::ObserveEnded => Effect::Confirmed,
        Row::ObserveKept => {
            walk.state.place = here;
            Effect::Took
        }
        _ => {
            walk.set(Phase::InStock, here);
            Effect::Took
        }
    }
}

/// May a complete count miss what it does not name? What is missing at somebody's place is for them to say.
pub fn misses(world: &World, fact: &Fact) -> bool {
    !world.is_at_anothers(fact)
}

/// A count that does not name the unit. What was brought or fetched back is kept, and must be there as well:
/// goods that leave the cage are what inspectors count for. What is in a container is answered for by the container. What
/// was missed is missed once, until somebody names or moves it: a tin that is gone is one finding, however
/// often its shelf is counted.
pub(super) fn unseen<'a>(
    walk: &mut Walk<'a>,
    at: &At<'a>,
    facts: &[&'a Fact],
    sweeps: &Sweeps,
    place: usize,
) {
    let kept = matches!(
        walk.state.phase,
        Phase::InStock | Phase::Returned | Phase::Collected
    );
    let expected = kept && walk.is_at(at.here()) && walk.state.inside.is_none();
    if !expected || walk.memory.missed || !holder::counts(walk, at) || !covers(walk, at) {
        return;
    }
    let sweep = sweeps.ending(facts, place);
    let seen = sweep.iter().any(|fact| fact.event.units.name(walk.unit));
    if sweep.is_empty() || seen {
        return;
    }
    walk.find_cause(at, FindingCode::MissingAtCount);
    walk.memory.missed = true;
}

/// Does a complete count cover this unit, or something it contains?
fn covers<'a>(walk: &Walk<'a>, at: &At<'a>) -> bool {
    let world = walk.world;
    let batch = |batch| world.batches.get(&batch);
    let own = walk.state.batch.and_then(batch);
    let name = walk.unit.gtin().or(own.map(|batch| batch.product.as_str()));
    let product = world.product_of_unit(walk.unit);
    let product = product.or(own.map(BatchInfo::of_product));
    complete_for(at.fact, product, name, world)
        || contents::batches(walk, at)
            .into_iter()
            .filter_map(batch)
            .any(|batch| {
                let product = Some(batch.of_product());
                complete_for(at.fact, product, Some(&batch.product), world)
            })
}

/// Did a count mean to see everything of a product, or of what is called so and of no product on record? Whoever
/// counts may call a product as codes do or by its code (C15).
pub(crate) fn complete_for(
    fact: &Fact,
    product: Option<Product<'_>>,
    name: Option<&str>,
    world: &World,
) -> bool {
    match scope(&fact.event) {
        None => false,
        Some(Scope::Everything) => true,
        Some(Scope::Of(said)) => said.iter().any(|said| {
            let meant = world.product_said(said, fact.enterprise);
            name == Some(said) || meant.is_some_and(|meant| product == Some(meant))
        }),
    }
}

/// What a count saw everything of.
pub(super) enum Scope {
    /// Of all there is.
    Everything,
    /// Of what is called so.
    Of(Vec<String>),
}

/// Does a count say that it saw all there is, of some product or of everything?
pub(crate) fn is_complete(event: &Event) -> bool {
    scope(event).is_some()
}

/// The body's `scope` is `{"complete": true, "gtins": […]?}`; without `gtins` it is about everything.
pub(super) fn scope(event: &Event) -> Option<Scope> {
    let scope = event.body.get("scope")?;
    if scope.get("complete").and_then(Value::as_bool) != Some(true) {
        return None;
    }
    Some(match scope.get("gtins") {
        None | Some(Value::Null) => Scope::Everything,
        Some(gtins) => {
            let gtins = gtins.as_array().into_iter().flatten();
            let gtins = gtins.filter_map(Value::as_str);
            Scope::Of(gtins.map(gtin14).collect())
        }
    })
}
