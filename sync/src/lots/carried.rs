//! Goods of a lot inside a container: they move when the container does (C13), and while it stands
//! at a place they are in it there, so that a count of what lies loose does not miss them (C11).

use super::{
    Change, Movement,
    change::{Sign, sign, signed},
};
use crate::{
    event::Kind,
    facts::World,
    finding::LotKey,
    fold::{Phase, Place, Step, UnitState, is_container},
    ids::{EnterpriseId, LocationId},
    unit::UnitKey,
};
use std::collections::BTreeMap;

/// Goods of a lot, wherever they are, and how many.
type Goods<'s> = BTreeMap<(&'s str, Option<&'s str>), u64>;

/// By line: what comes and goes, and what comes to lie in the container and ceases to.
type Moved = BTreeMap<LotKey, (i64, i64)>;

/// The movements of the lots that a container holds, from the container's timeline, one for each line
/// and event: what was packed into it and not taken out is received, shipped, sold and so on with it,
/// by every event that takes effect on the container (what is scanned twice came in once, and what was
/// brought back is not brought back again before it went); and where the container stands, it holds them.
///
/// What a stranger to the container (C14) packs into it at its own place shows in its own figures only:
/// it comes, goes and lies there by what that enterprise itself states at its own places of the
/// container's code, and by nobody else's word. Once its word counts, its goods are like all others.
pub fn carried(container: &UnitKey, steps: &[Step], world: &World) -> Vec<(LotKey, Movement)> {
    let mut held = Held::default();
    // A return added what is in it, and nothing took that away since.
    let mut back = false;
    let mut of_strangers: BTreeMap<EnterpriseId, Held<'_>> = BTreeMap::new();
    let mut out = Vec::new();
    for step in steps {
        let stater = step.fact.enterprise;
        let mut moved = Moved::new();
        if step.took {
            if let Some(own) = of_strangers.remove(&stater) {
                held.join(own, &mut moved);
            }
            let kind = step.fact.event.kind;
            if !(back && kind == Kind::Return) {
                held.happened(container, step, &mut moved);
            }
            let goes = matches!(sign(kind), Sign::Out);
            back = (back && !goes) || kind == Kind::Return;
            held.stands_at(standing(&step.after), &mut moved);
        } else if is_own_word(step, world) {
            let own = of_strangers.entry(stater).or_default();
            own.stated(container, step, &mut moved);
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

/// Does a stranger to the container say something of its code, at a place that is nobody else's?
fn is_own_word(step: &Step, world: &World) -> bool {
    step.stranger && step.via.is_none() && !world.is_at_anothers(&step.fact)
}

/// What is in the container, and where it lies in it.
#[derive(Default)]
struct Held<'s> {
    inside: Goods<'s>,
    stood: Option<(LocationId, Goods<'s>)>,
}

impl<'s> Held<'s> {
    /// An event took effect on the container.
    fn happened(&mut self, container: &UnitKey, step: &'s Step, moved: &mut Moved) {
        let event = &step.fact.event;
        let own = step.via.is_none() && is_container(&step.fact, container);
        match event.kind {
            Kind::Pack | Kind::Unpack if own => handle(&mut self.inside, step),
            kind => {
                let way = match sign(kind) {
                    Sign::In => 1,
                    Sign::Out => -1,
                    Sign::Count | Sign::None => 0,
                };
                for (goods, qty) in &self.inside {
                    moved.entry(key(*goods, event.location)).or_default().0 += way * signed(*qty);
                }
            }
        }
    }

    /// A stranger to the container states something of it. No fold of the container says where it stands
    /// for that enterprise: what stands there does not come in again, and what has gone does not go.
    fn stated(&mut self, container: &UnitKey, step: &'s Step, moved: &mut Moved) {
        let event = &step.fact.event;
        let here = event.location;
        let stood = self.stood.as_ref().map(|(place, _)| *place);
        let (again, stands) = match sign(event.kind) {
            Sign::In => (stood == Some(here), Some(here)),
            Sign::Out => (stood.is_none(), None),
            Sign::Count | Sign::None => (false, Some(here)),
        };
        if !again {
            self.happened(container, step, moved);
        }
        self.stands_at(stands, moved);
    }

    /// The container stands there now, or nowhere, with what is in it.
    fn stands_at(&mut self, place: Option<LocationId>, moved: &mut Moved) {
        let stands = place.map(|place| (place, self.inside.clone()));
        if stands == self.stood {
            return;
        }
        for (way, stands) in [(-1, &self.stood), (1, &stands)] {
            let Some((place, goods)) = stands else {
                continue;
            };
            for (goods, qty) in goods {
                moved.entry(key(*goods, *place)).or_default().1 += way * signed(*qty);
            }
        }
        self.stood = stands;
    }

    /// What a stranger had in it, whose word counts from now on.
    fn join(&mut self, mut own: Held<'s>, moved: &mut Moved) {
        own.stands_at(None, moved);
        for (goods, qty) in own.inside {
            let sum = self.inside.entry(goods).or_default();
            *sum = sum.saturating_add(qty);
        }
    }
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
