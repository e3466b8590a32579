//! Goods of a lot inside a container: they move when the container does (C13), and while it stands
//! at a place they are in it there, so that a count of what lies loose does not miss them (C11).

use super::{
    Change, Movement,
    change::{Sign, sign, signed},
};
use crate::{
    event::Kind,
    finding::LotKey,
    fold::{Phase, Place, Step, UnitState, is_container},
    ids::LocationId,
    unit::UnitKey,
};
use std::collections::BTreeMap;

/// Goods of a lot, wherever they are, and how many.
type Goods<'s> = BTreeMap<(&'s str, Option<&'s str>), u64>;

/// The movements of the lots that a container holds, from the container's timeline, one for each line
/// and event: what was packed into it and not taken out is received, shipped, sold and so on with it,
/// by every event that takes effect on the container (what is scanned twice came in once, and what was
/// brought back is not brought back again before it went); and where the container stands, it holds them.
pub fn carried(container: &UnitKey, steps: &[Step]) -> Vec<(LotKey, Movement)> {
    let mut inside = Goods::new();
    let mut stood: Option<(LocationId, Goods<'_>)> = None;
    // A return added them, and nothing took them away since.
    let mut back = false;
    let mut out = Vec::new();
    for step in steps.iter().filter(|step| step.took) {
        let event = &step.fact.event;
        let own = step.via.is_none() && is_container(&step.fact, container);
        // By line: what comes and goes, and what comes to lie in the container and ceases to.
        let mut moved: BTreeMap<LotKey, (i64, i64)> = BTreeMap::new();
        match event.kind {
            Kind::Pack | Kind::Unpack if own => handle(&mut inside, step),
            kind => {
                let again = back && kind == Kind::Return;
                let way = match sign(kind) {
                    Sign::In if again => 0,
                    Sign::In => 1,
                    Sign::Out => -1,
                    Sign::Count | Sign::None => 0,
                };
                back = (back && way >= 0) || kind == Kind::Return;
                for (goods, qty) in &inside {
                    moved.entry(key(*goods, event.location)).or_default().0 = way * signed(*qty);
                }
            }
        }
        let stands = standing(&step.after).map(|place| (place, inside.clone()));
        if stands != stood {
            if let Some((place, goods)) = &stood {
                for (goods, qty) in goods {
                    moved.entry(key(*goods, *place)).or_default().1 -= signed(*qty);
                }
            }
            if let Some((place, goods)) = &stands {
                for (goods, qty) in goods {
                    moved.entry(key(*goods, *place)).or_default().1 += signed(*qty);
                }
            }
            stood = stands;
        }
        moved.retain(|_, by| *by != (0, 0));
        out.extend(moved.into_iter().map(|(line, (by, inside))| {
            let movement = Movement {
                order: step.order,
                change: Change::Carried { by, inside },
            };
            (line, movement)
        }));
    }
    out
}

/// Something was put into the container, or taken out.
fn handle<'s>(inside: &mut Goods<'s>, step: &'s Step) {
    let event = &step.fact.event;
    if event.kind == Kind::Unpack && event.lots.is_empty() && event.units.is_empty() {
        inside.clear();
    }
    for line in &event.lots {
        let goods = (line.gtin.as_str(), line.lot.as_deref());
        if event.kind == Kind::Pack {
            let sum = inside.entry(goods).or_default();
            *sum = sum.saturating_add(line.qty);
        } else if let Some(sum) = inside.get_mut(&goods) {
            *sum = sum.saturating_sub(line.qty);
        }
    }
    inside.retain(|_, qty| *qty > 0);
}

/// Where a container stands with what is in it. Sold, collected and destroyed ones took it with them,
/// and what is on its way is nowhere.
const fn standing(state: &UnitState) -> Option<LocationId> {
    match (state.phase, state.place) {
        (Phase::Commissioned | Phase::InStock | Phase::Returned, Place::At(place)) => Some(place),
        _ => None,
    }
}

fn key((gtin, lot): (&str, Option<&str>), location: LocationId) -> LotKey {
    LotKey {
        gtin: gtin.to_owned(),
        lot: lot.map(str::to_owned),
        location,
    }
}
