//! Goods of a lot inside a container: they move when the container does (C13).

use super::{
    Change, Movement,
    change::{Sign, sign},
};
use crate::{
    event::Kind,
    finding::LotKey,
    fold::{Step, is_container},
    unit::UnitKey,
};
use std::collections::BTreeMap;

/// The movements of the lots that a container holds, from the container's timeline: what was packed
/// into it and not taken out is received, shipped, sold and so on with it, by every event that takes
/// effect on the container: what is scanned twice came in once.
pub fn carried(container: &UnitKey, steps: &[Step]) -> Vec<(LotKey, Movement)> {
    let mut inside: BTreeMap<(&str, Option<&str>), u64> = BTreeMap::new();
    let mut out = Vec::new();
    for step in steps.iter().filter(|step| step.took) {
        let event = &step.fact.event;
        let own = step.via.is_none() && is_container(&step.fact, container);
        let lots = event.lots.iter();
        let of = |gtin: &str, lot: Option<&str>| LotKey {
            gtin: gtin.to_owned(),
            lot: lot.map(str::to_owned),
            location: event.location,
        };
        match event.kind {
            Kind::Pack if own => {
                for line in lots {
                    let sum = inside.entry((&line.gtin, line.lot.as_deref())).or_default();
                    *sum = sum.saturating_add(line.qty);
                }
            }
            Kind::Unpack if own => {
                if event.lots.is_empty() && event.units.is_empty() {
                    inside.clear();
                }
                for line in lots {
                    if let Some(sum) = inside.get_mut(&(line.gtin.as_str(), line.lot.as_deref())) {
                        *sum = sum.saturating_sub(line.qty);
                    }
                }
            }
            kind => {
                for ((gtin, lot), qty) in inside.iter().filter(|(_, qty)| **qty > 0) {
                    let change = match sign(kind) {
                        Sign::In => Change::In { qty: *qty },
                        Sign::Out => Change::Out { qty: *qty },
                        Sign::Count | Sign::None => continue,
                    };
                    let movement = Movement {
                        order: step.order,
                        change,
                    };
                    out.push((of(gtin, *lot), movement));
                }
            }
        }
    }
    out
}
