//! What the new event of a correction stands for (C10): what it corrects, as that stood when the correction came
//! in. It is frozen then, as an interval is, so no fold has to find it out, and nothing that comes later moves it.
//!
//! It must not know which event that is; `fold::corrected` tells.

use super::Fact;
use crate::{
    event::Kind,
    ids::{Epoch, Gseq, Micros},
    order::{Interval, Order},
    unit::UnitKey,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// What stood there first, however often it was corrected since: its place, and what people are judged by (C4, C9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// Its place in the order.
    pub order: Order,
    /// In which life of its device it was stated.
    pub epoch: Epoch,
    /// Its position in the log.
    pub gseq: Gseq,
    /// When it happened, as far as is known.
    pub interval: Interval,
    /// The newest position that had been delivered to its device.
    pub delivered: Gseq,
    /// The recall list its device said it held.
    pub list_version: Option<Gseq>,
    /// How long its device had its anchor then, if that counts.
    pub mono_ms: u64,
    /// The units it named, of a sale: of these, and no others, what corrects it is judged as it was.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub units: BTreeSet<UnitKey>,
    /// The lots it named, by product and lot, of a sale.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lots: BTreeSet<(String, Option<String>)>,
}

/// What whoever sold goods is judged by: when that was, and what the till knew (C4, C9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Then {
    /// The instant by which expiry is told.
    pub at: Micros,
    /// The position in the log.
    pub gseq: Gseq,
    /// When it happened, as far as is known.
    pub interval: Interval,
    /// The newest position that had been delivered to the device.
    pub delivered: Gseq,
    /// The recall list the device said it held.
    pub list_version: Option<Gseq>,
    /// How long the device had its anchor.
    pub mono_ms: u64,
}

impl Corrected {
    /// What a fact stands for: what it corrects, or itself.
    pub fn of(fact: &Fact) -> Corrected {
        if let Some(corrects) = &fact.corrects {
            return Corrected::clone(corrects);
        }
        let (mut units, mut lots) = (BTreeSet::new(), BTreeSet::new());
        if fact.event.kind == Kind::Sale {
            let reads = fact.event.units.iter();
            units.extend(reads.filter_map(|read| read.unit.clone()));
            let lines = fact.event.lots.iter();
            lots.extend(lines.map(|line| (line.gtin.clone(), line.lot.clone())));
        }
        Corrected {
            order: fact.order,
            epoch: fact.event.epoch,
            gseq: fact.gseq,
            interval: fact.interval,
            delivered: fact.delivered,
            list_version: fact.event.list_version,
            mono_ms: fact.event.mono_ms,
            units,
            lots,
        }
    }

    /// The place of an event that stands for this: at its instant and, on the same device, beside it, whatever else
    /// stands at that instant. It keeps its device and its id, by which it is found; of another device these decide
    /// among all of that instant, as they always do.
    pub fn place_of(&self, own: Order) -> Order {
        let first = self.order;
        let (epoch, seq) = if first.device == own.device {
            (first.epoch, first.seq)
        } else {
            (own.epoch, own.seq)
        };
        Order {
            eff: first.eff,
            epoch,
            seq,
            ..own
        }
    }

    fn then(&self) -> Then {
        Then {
            at: self.order.eff,
            gseq: self.gseq,
            interval: self.interval,
            delivered: self.delivered,
            list_version: self.list_version,
            mono_ms: self.mono_ms,
        }
    }

    /// Did it name all that this names?
    fn names_all_of(&self, fact: &Fact) -> bool {
        let mut units = fact.event.units.iter().filter_map(|r| r.unit.as_ref());
        let mut lots = fact.event.lots.iter();
        units.all(|unit| self.units.contains(unit))
            && lots.all(|line| self.lots.contains(&(line.gtin.clone(), line.lot.clone())))
    }
}

impl Fact {
    /// From now on it stands for something else.
    pub fn correct(&mut self, corrected: Arc<Corrected>) {
        self.order = corrected.place_of(self.order);
        self.corrects = Some(corrected);
    }

    /// When what stands at its place can have happened.
    pub fn interval_there(&self) -> Interval {
        let corrects = self.corrects.as_ref();
        corrects.map_or(self.interval, |first| first.interval)
    }

    /// What a sale is judged by of a unit it names: of what it corrects, if that named it too.
    pub fn then_of(&self, unit: &UnitKey) -> Then {
        let first = self.corrects.as_ref();
        let first = first.filter(|first| first.units.contains(unit));
        first.map_or_else(|| self.own_then(), |first| first.then())
    }

    /// The same of goods of lots, which a container may carry that is named: as of what it corrects, if it names
    /// nothing besides.
    pub fn then_of_lots(&self) -> Then {
        let first = self.corrects.as_ref();
        let first = first.filter(|first| first.names_all_of(self));
        first.map_or_else(|| self.own_then(), |first| first.then())
    }

    /// All it may be judged by.
    pub fn thens(&self) -> impl Iterator<Item = Then> {
        let first = self.corrects.as_ref().map(|first| first.then());
        first.into_iter().chain([self.own_then()])
    }

    fn own_then(&self) -> Then {
        let at = match &self.corrects {
            Some(_) => self.interval.est,
            None => self.order.eff,
        };
        Then {
            at,
            gseq: self.gseq,
            interval: self.interval,
            delivered: self.delivered,
            list_version: self.event.list_version,
            mono_ms: self.event.mono_ms,
        }
    }
}
