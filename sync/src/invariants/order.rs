//! That there is one order, and that knowledge comes after what it knows of.

use super::{Broken, Holds, LogHistory};
use crate::{
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
