//! That there is one order, and that knowledge comes after what it knows of.

use super::{Broken, Holds, LogHistory};
use crate::{
    event::Kind,
    facts::{Corrected, Fact},
    ids::{Gseq, Micros},
    order::Order,
};
use std::collections::{BTreeSet, HashMap};

/// I11: no two events that count stand at one place; an event's effective time lies within what is
/// possible; and along the numbers of a device's epoch it never decreases. What was admitted from a
/// fork stands in another epoch than it was numbered in, and keeps the time it was admitted with.
pub fn i11_the_order_is_total(log: &LogHistory) -> Holds {
    let mut places = BTreeSet::new();
    let mut along: HashMap<_, Vec<(u64, Micros, Gseq)>> = HashMap::new();
    for logged in log.events.iter().filter(|logged| logged.counts()) {
        let Some(order) = logged.order else {
            return Err(Broken::new(
                "I11",
                format!("position {} counts and has no place", logged.gseq),
            ));
        };
        if !places.insert(order) {
            return Err(Broken::new(
                "I11",
                format!("position {} shares its place with another", logged.gseq),
            ));
        }
        if order.eff > logged.interval.hi {
            return Err(Broken::new(
                "I11",
                format!("position {} is ordered after it was received", logged.gseq),
            ));
        }
        if order.epoch != logged.epoch {
            continue;
        }
        along.entry((order.device, order.epoch)).or_default().push((
            order.seq,
            order.eff,
            logged.gseq,
        ));
    }
    for events in along.values_mut() {
        events.sort_unstable();
        if let Some(pair) = events.windows(2).find(|pair| pair[0].1 > pair[1].1) {
            return Err(Broken::new(
                "I11",
                format!(
                    "effective time falls from position {} to position {}",
                    pair[0].2, pair[1].2
                ),
            ));
        }
    }
    Ok(())
}

/// I12: for each pair (a, b) where b's device had been told of a before it acted, a stands first.
pub fn i12_who_knew_came_later(pairs: &[(Order, Order)]) -> Holds {
    match pairs.iter().find(|(known, act)| known.eff >= act.eff) {
        None => Ok(()),
        Some((known, act)) => Err(Broken::new(
            "I12",
            format!(
                "{} was known to the maker of {} and is ordered after it",
                known.event, act.event
            ),
        )),
    }
}

/// I11: what stands for something else is the new event of a correction, and stands at the instant of what one of its
/// retracts strikes, which is of its kind and at its place; on the same device beside it. What a correction of a correction stands for is the first. That is
/// told as it was stated: nothing of it ever changes but its effective time, which stays within what is possible.
pub fn i11_corrections_stand_for_what_they_correct(facts: &[&Fact]) -> Holds {
    for new in facts {
        let own = (new.event.device, new.event.id);
        if own != (new.order.device, new.order.event) {
            let what = format!("position {} stands as another event", new.gseq);
            return Err(Broken::new("I11", what));
        }
        let Some(corrects) = &new.corrects else {
            continue;
        };
        let group = new.event.group.map(|group| group.id);
        let strikes_one = |retract: &&&Fact| {
            let event = &retract.event;
            event.kind == Kind::Retract
                && retract.enterprise == new.enterprise
                && event.group.is_some_and(|group| group.correct)
                && event.group.map(|group| group.id) == group
                && (event.device, event.epoch) == (new.event.device, new.event.epoch)
                && event.seq < new.event.seq
        };
        let targets = facts.iter().filter(strikes_one);
        let targets = targets.filter_map(|retract| retract.event.target);
        let targets: BTreeSet<_> = targets.collect();
        let is_first = facts.iter().any(|struck| {
            let first = struck.corrects.as_ref().map_or(struck.gseq, |of| of.gseq);
            let what = |fact: &Fact| (fact.event.kind, fact.event.location);
            struck.enterprise == new.enterprise
                && what(struck) == what(new)
                && targets.contains(&struck.event.id)
                && first == corrects.gseq
        });
        let mut known = facts.iter();
        let first = known.find(|fact| fact.gseq == corrects.gseq && fact.corrects.is_none());
        if !first.is_some_and(|first| is_as_stated(corrects, first)) {
            let what = format!("position {} stands for what was not stated so", new.gseq);
            return Err(Broken::new("I11", what));
        }
        let place = (new.order.eff, new.order.epoch, new.order.seq);
        let first = corrects.order;
        let beside = place == (first.eff, first.epoch, first.seq);
        let elsewhere = first.device != new.event.device && new.order.eff == first.eff;
        if new.event.kind == Kind::Retract || !is_first || !(beside || elsewhere) {
            let what = format!("position {} stands for what it does not correct", new.gseq);
            return Err(Broken::new("I11", what));
        }
    }
    Ok(())
}

/// Is this what is told of that fact, which corrects nothing?
fn is_as_stated(corrects: &Corrected, first: &Fact) -> bool {
    let own = Corrected::of(first);
    let (was, is) = (corrects.order, own.order);
    let same = Corrected { order: was, ..own };
    let possible = first.interval.lo..=first.interval.hi;
    *corrects == same
        && (was.device, was.seq, was.event) == (is.device, is.seq, is.event)
        && possible.contains(&was.eff)
}
