//! C10: who corrects an event says what happened then, so people are judged by when that was and by what was known
//! then (C4, C9), not by the day of the correction. Where it stands in the order is told with the fact.

use crate::{
    facts::Fact,
    ids::{DeviceId, Epoch, Gseq},
    order::Interval,
};

/// When it can have happened.
pub fn interval(fact: &Fact) -> Interval {
    match &fact.corrects {
        Some(first) => first.interval,
        None => fact.interval,
    }
}

/// Which life of which device knows where it stands among its own events.
pub fn device(fact: &Fact) -> (DeviceId, Epoch) {
    match &fact.corrects {
        Some(first) => (first.order.device, first.epoch),
        None => (fact.event.device, fact.event.epoch),
    }
}

/// The position it came in at.
pub fn position(fact: &Fact) -> Gseq {
    match &fact.corrects {
        Some(first) => first.gseq,
        None => fact.gseq,
    }
}

/// The recall list that was held.
pub fn list(fact: &Fact) -> Option<Gseq> {
    match &fact.corrects {
        Some(first) => first.list_version,
        None => fact.event.list_version,
    }
}

/// What had been delivered.
pub fn delivered(fact: &Fact) -> Gseq {
    match &fact.corrects {
        Some(first) => first.delivered,
        None => fact.delivered,
    }
}

/// How long the anchor was held.
pub fn mono_ms(fact: &Fact) -> u64 {
    match &fact.corrects {
        Some(first) => first.mono_ms,
        None => fact.event.mono_ms,
    }
}
