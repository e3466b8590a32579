//! What the new event of a correction stands for (C10): what it corrects, as that stood when the correction came
//! in. It is frozen then, as an interval is, so no fold has to find it out, and nothing that comes later moves it.
//!
//! It must not know which event that is; `fold::corrected` tells.

use super::Fact;
use crate::{
    ids::{Epoch, Gseq},
    order::{Interval, Order},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
}

impl Corrected {
    /// What a fact stands for: what it corrects, or itself.
    pub fn of(fact: &Fact) -> Corrected {
        if let Some(corrects) = &fact.corrects {
            return Corrected::clone(corrects);
        }
        Corrected {
            order: fact.order,
            epoch: fact.event.epoch,
            gseq: fact.gseq,
            interval: fact.interval,
            delivered: fact.delivered,
            list_version: fact.event.list_version,
            mono_ms: fact.event.mono_ms,
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
}

impl Fact {
    /// From now on it stands for something else.
    pub fn correct(&mut self, corrected: Arc<Corrected>) {
        self.order = corrected.place_of(self.order);
        self.corrects = Some(corrected);
    }
}
