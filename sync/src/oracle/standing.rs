//! C10: who corrects an event says what happened then, so people are judged by when that was and by what was known
//! then (C4, C9), not by the day of the correction: of the goods that were named then. Of goods that only the
//! correction names they are judged by that. Where it stands in the order is told with the fact.

use crate::{
    facts::{Corrected, Fact},
    ids::{DeviceId, Epoch, Gseq, Micros},
    order::Interval,
    unit::UnitKey,
};

/// When what stands at its place can have happened.
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

/// A sale of some goods, and what it is taken for.
#[derive(Clone, Copy)]
pub struct Sale<'f> {
    pub fact: &'f Fact,
    first: Option<&'f Corrected>,
}

impl<'f> Sale<'f> {
    /// Of a unit, that was named or is in these, nearest first, one of which was.
    pub fn of_unit(fact: &'f Fact, unit: &UnitKey, chain: &[UnitKey]) -> Sale<'f> {
        let read = |key: &&UnitKey| {
            let mut reads = fact.event.units.iter();
            reads.any(|read| read.unit.as_ref() == Some(*key))
        };
        let named = std::iter::once(unit).chain(chain).find(read);
        let first = fact.corrects.as_deref();
        let was_named = |first: &&Corrected| named.is_some_and(|key| first.units.contains(key));
        Sale {
            fact,
            first: first.filter(was_named),
        }
    }

    /// Of goods of lots: a container may have carried them, so nothing may be new.
    pub fn of_lots(fact: &'f Fact) -> Sale<'f> {
        let is_old = |first: &&Corrected| {
            for read in &fact.event.units {
                if read.unit.as_ref().is_some_and(|u| !first.units.contains(u)) {
                    return false;
                }
            }
            for line in &fact.event.lots {
                let same =
                    |(gtin, lot): &(String, Option<String>)| *gtin == line.gtin && *lot == line.lot;
                if !first.lots.iter().any(same) {
                    return false;
                }
            }
            true
        };
        Sale {
            fact,
            first: fact.corrects.as_deref().filter(is_old),
        }
    }

    /// When it can have happened.
    pub fn interval(&self) -> Interval {
        match self.first {
            Some(first) => first.interval,
            None => self.fact.interval,
        }
    }

    /// The instant by which goods are expired or not.
    pub fn at(&self) -> Micros {
        match (self.first, &self.fact.corrects) {
            (None, Some(_)) => self.fact.interval.est,
            _ => self.fact.order.eff,
        }
    }

    /// The position it came in at.
    pub fn position(&self) -> Gseq {
        match self.first {
            Some(first) => first.gseq,
            None => self.fact.gseq,
        }
    }

    /// The recall list that was held.
    pub fn list(&self) -> Option<Gseq> {
        match self.first {
            Some(first) => first.list_version,
            None => self.fact.event.list_version,
        }
    }

    /// What had been delivered.
    pub fn delivered(&self) -> Gseq {
        match self.first {
            Some(first) => first.delivered,
            None => self.fact.delivered,
        }
    }

    /// How long the anchor was held.
    pub fn mono_ms(&self) -> u64 {
        match self.first {
            Some(first) => first.mono_ms,
            None => self.fact.event.mono_ms,
        }
    }
}
