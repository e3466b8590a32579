//! C13 for goods without codes of their own: what of a lot is in a container is where the container is. It must
//! not know balances.

use super::{
    lots::{direction, is_stranger},
    replay::{History, Snapshot, took},
};
use crate::{
    event::{Event, Kind},
    finding::LotKey,
    fold::{Phase, Place, UnitState},
    ids::{EnterpriseId, LocationId},
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// What comes and goes by one fact.
#[derive(Clone, Copy, Default)]
pub struct Flow {
    /// So many more, or fewer.
    pub by: i64,
    /// So many were shipped or destroyed loose, out of what was fetched back if there is some.
    pub away: i64,
    /// So many were fetched back loose.
    pub fetched: i64,
    /// So many were found sellable by an inspection: of what was fetched back loose, if as many lie there.
    pub freed: i64,
    /// Something went in a container though nothing is fewer here: it had come unsaid, or had been fetched
    /// back before, or is now.
    pub in_container: bool,
}

/// How what is in a container is kept at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In stock, or brought back.
    InStock,
    /// Fetched back.
    Apart,
}

/// Where goods in this container are, if it is at a place.
const fn kept_at(state: &UnitState) -> Option<(LocationId, Kept)> {
    let Place::At(location) = state.place else {
        return None;
    };
    match state.phase {
        Phase::Commissioned | Phase::InStock | Phase::Returned => Some((location, Kept::InStock)),
        Phase::Collected => Some((location, Kept::Apart)),
        Phase::Unknown | Phase::InTransit | Phase::Sold | Phase::Destroyed => None,
    }
}

/// The world after moment `k`.
fn after<'h>(history: &'h History<'_>, k: usize) -> &'h Snapshot {
    match history.moments.get(k + 1) {
        Some(next) => &next.before,
        None => &history.after,
    }
}

/// What is in a container is answered for by the container, where it is after moment `k`: of
/// goods of a lot, how many are in containers that are kept so, by line.
pub fn in_containers(history: &History, k: usize, how: Kept) -> BTreeMap<LotKey, i64> {
    let after = after(history, k);
    let mut inside = BTreeMap::new();
    for (unit, state) in after {
        let Some((location, kept)) = kept_at(state) else {
            continue;
        };
        if kept != how || !(0..=k).any(|j| history.container(j).as_ref() == Some(unit)) {
            continue;
        }
        for ((gtin, lot), quantity) in held(history, k + 1, unit) {
            let key = LotKey {
                gtin,
                lot,
                location,
            };
            *inside.entry(key).or_default() += quantity;
        }
    }
    for unit in after.keys() {
        for who in packers(history, k + 1, unit) {
            let own = own_of(history, k + 1, unit, who);
            let Some((location, _)) = own.stands.filter(|(_, kept)| *kept == how) else {
                continue;
            };
            for ((gtin, lot), quantity) in own.goods {
                let key = LotKey {
                    gtin,
                    lot,
                    location,
                };
                *inside.entry(key).or_default() += quantity;
            }
        }
    }
    inside.retain(|_, quantity| *quantity > 0);
    inside
}

/// What an enterprise to whose word a container does not listen has in it, by its own word.
#[derive(Default)]
struct Own {
    goods: BTreeMap<(String, Option<String>), i64>,
    stands: Option<(LocationId, Kept)>,
}

/// Who packed into a container before moment `k`.
fn packers(history: &History, k: usize, container: &UnitKey) -> BTreeSet<EnterpriseId> {
    (0..k)
        .filter(|j| history.container(*j).as_ref() == Some(container))
        .map(|j| history.facts[j].enterprise)
        .collect()
}

/// C14: what `who` has in the container before moment `k` by its own word, which did not count: what
/// it said at its own places of that code, until its word counts.
fn own_of(history: &History, k: usize, container: &UnitKey, who: EnterpriseId) -> Own {
    let mut own = Own::default();
    for j in 0..k {
        if history.facts[j].enterprise != who {
            continue;
        }
        if is_heard(history, j, container) {
            own = Own::default();
        } else if is_own_word(history, j, container) {
            let event = &*history.facts[j].event;
            if history.container(j).as_ref() == Some(container) {
                handle(&mut own.goods, event);
            }
            let kept = own.stands.map_or(Kept::InStock, |(_, kept)| kept);
            let kept = match (event.kind, direction(event.kind)) {
                (Kind::Collect, _) => Some(Kept::Apart),
                (_, Some(-1)) => None,
                (_, Some(_)) => Some(Kept::InStock),
                // What was fetched back lies apart until it comes in or goes.
                (_, None) => Some(kept),
            };
            own.stands = kept.map(|kept| (event.location, kept));
        }
    }
    own.goods.retain(|_, quantity| *quantity > 0);
    own
}

/// Did moment `j` say of the container what it is, or where?
fn is_heard(history: &History, j: usize, container: &UnitKey) -> bool {
    let mut touches = history.moments[j].touches.iter();
    touches.any(|touch| touch.unit == *container && touch.row.is_some_and(took))
}

/// Did a stranger to the container say something of its code, at a place that is not another's?
fn is_own_word(history: &History, j: usize, container: &UnitKey) -> bool {
    let mut touches = history.moments[j].touches.iter();
    touches.any(|touch| touch.unit == *container && touch.chain.is_empty() && !touch.counts)
        && !is_stranger(history, history.facts[j])
}

/// C13: what moment `k` changes of lines by what is in containers. What is in containers at a place is part
/// of what there is, so as many come or go as are more or fewer in them after it; but what was put in at this
/// moment lay loose where that happened, apart as long as something did, and what was taken out does now: apart,
/// if the container was fetched back.
pub fn changed(history: &History, k: usize) -> BTreeMap<LotKey, Flow> {
    let mut flows: BTreeMap<LotKey, Flow> = BTreeMap::new();
    for how in [Kept::InStock, Kept::Apart] {
        let mut more = in_containers(history, k, how);
        if k > 0 {
            for (line, quantity) in in_containers(history, k - 1, how) {
                *more.entry(line).or_default() -= quantity;
            }
        }
        for (line, quantity) in more.into_iter().filter(|(_, quantity)| *quantity != 0) {
            let flow = flows.entry(line).or_default();
            match how {
                Kept::InStock => flow.by += quantity,
                Kept::Apart => flow.in_container = true,
            }
        }
    }
    let location = history.facts[k].event.location;
    let here = |(gtin, lot): (String, Option<String>)| LotKey {
        gtin,
        lot,
        location,
    };
    let was_apart = was_apart(history, k);
    for (goods, quantity) in put_in(history, k) {
        let flow = flows.entry(here(goods)).or_default();
        flow.by -= quantity;
        flow.freed += quantity.max(0);
        if was_apart {
            flow.fetched -= quantity.min(0);
        }
    }
    for goods in passed_through(history, k) {
        flows.entry(here(goods)).or_default().in_container = true;
    }
    flows.retain(|_, flow| (flow.by, flow.freed, flow.fetched) != (0, 0, 0) || flow.in_container);
    flows
}

/// Had the container that moment `k` handles been fetched back, for who states it?
fn was_apart(history: &History, k: usize) -> bool {
    let Some(container) = history.container(k) else {
        return false;
    };
    let kept = if is_heard(history, k, &container) {
        let before = history.moments[k].before.get(&container);
        before.and_then(kept_at)
    } else {
        own_of(history, k, &container, history.facts[k].enterprise).stands
    };
    kept.is_some_and(|(_, kept)| kept == Kept::Apart)
}

/// What moment `k` put into a container, or took out of it, which counts below zero.
fn put_in(history: &History, k: usize) -> BTreeMap<(String, Option<String>), i64> {
    let mut put: BTreeMap<(String, Option<String>), i64> = BTreeMap::new();
    let Some(container) = history.container(k) else {
        return put;
    };
    let who = history.facts[k].enterprise;
    let all = |k: usize| {
        let mut all = held(history, k, &container);
        for (goods, quantity) in own_of(history, k, &container, who).goods {
            *all.entry(goods).or_default() += quantity;
        }
        all
    };
    for (goods, quantity) in all(k + 1) {
        *put.entry(goods).or_default() += quantity;
    }
    for (goods, quantity) in all(k) {
        *put.entry(goods).or_default() -= quantity;
    }
    put.retain(|_, quantity| *quantity != 0);
    put
}

/// Goods in containers that went at moment `k` from where nobody had said that they were.
fn passed_through(history: &History, k: usize) -> Vec<(String, Option<String>)> {
    let event = &*history.facts[k].event;
    if direction(event.kind) != Some(-1) {
        return Vec::new();
    }
    let who = history.facts[k].enterprise;
    let before = &history.moments[k].before;
    let after = after(history, k);
    let is_here = |state: Option<&UnitState>| {
        let kept = state.and_then(kept_at);
        kept.is_some_and(|(location, _)| location == event.location)
    };
    let mut goods = Vec::new();
    for touch in &history.moments[k].touches {
        if !touch.row.is_some_and(took) || is_here(after.get(&touch.unit)) {
            continue;
        }
        if !is_here(before.get(&touch.unit)) {
            goods.extend(held(history, k, &touch.unit).into_keys());
        }
        // What it packed while nobody listened goes with it.
        let own = own_of(history, k, &touch.unit, who);
        if own
            .stands
            .is_none_or(|(location, _)| location != event.location)
        {
            goods.extend(own.goods.into_keys());
        }
    }
    goods
}

/// What was packed loose into a container and not taken out before moment `k`.
fn held(
    history: &History,
    k: usize,
    container: &UnitKey,
) -> BTreeMap<(String, Option<String>), i64> {
    let mut held: BTreeMap<(String, Option<String>), i64> = BTreeMap::new();
    for (j, moment) in history.moments.iter().enumerate().take(k) {
        if is_heard(history, j, container) {
            let who = history.facts[j].enterprise;
            for (line, quantity) in own_of(history, j, container, who).goods {
                *held.entry(line).or_default() += quantity;
            }
        }
        let handled = moment.touches.iter().any(|touch| {
            touch.unit == *container && touch.chain.is_empty() && touch.row.is_some_and(took)
        });
        if handled && history.container(j).as_ref() == Some(container) {
            handle(&mut held, &history.facts[j].event);
        }
    }
    held.retain(|_, quantity| *quantity > 0);
    held
}

/// A pack puts goods in, an unpack takes them out: those it names, or all if it names nothing.
fn handle(held: &mut BTreeMap<(String, Option<String>), i64>, event: &Event) {
    if event.kind == Kind::Unpack && event.units.is_empty() && event.lots.is_empty() {
        held.clear();
    }
    for lot in &event.lots {
        let key = (lot.gtin.clone(), lot.lot.clone());
        let quantity = lot.qty as i64;
        match event.kind {
            Kind::Pack => *held.entry(key).or_default() += quantity,
            _ => {
                if let Some(there) = held.get_mut(&key) {
                    *there = (*there - quantity).max(0);
                }
            }
        }
    }
}
