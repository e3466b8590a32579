//! Goods of a lot inside a container: they are where it is (C13). While it stands at a place they are in
//! stock there, in it, so that a count of what lies loose does not miss them (C11); when it leaves, however
//! that came about, they leave with it.
//!
//! It goes by where the container is in its own fold before and after an event, not by what kind of event
//! it was: what is received twice came in once, what was counted or opened before it was booked in came in
//! then, and what was booked in elsewhere left the place where it was.

use super::{
    Change, Movement, Moves,
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

/// What moves, by line.
type Moved = BTreeMap<LotKey, Moves>;

/// The movements of the lots that a container holds, from the container's timeline, one for each line
/// and event.
///
/// What a stranger to the container (C14) packs into it at its own place shows in its own figures only:
/// it comes, goes and lies there by what that enterprise itself states at its own places of the
/// container's code, and by nobody else's word. Once its word counts, its goods are like all others.
pub fn carried(container: &UnitKey, steps: &[Step], world: &World) -> Vec<(LotKey, Movement)> {
    let mut held = Held::default();
    let mut of_strangers: BTreeMap<EnterpriseId, Held<'_>> = BTreeMap::new();
    let mut out = Vec::new();
    for step in steps {
        let stater = step.fact.enterprise;
        let mut moved = Moved::new();
        if step.took {
            let own = of_strangers.remove(&stater);
            held.happened(container, step, own, &mut moved);
        } else {
            held.is_at(stance(&step.after), &mut moved);
            if is_own_word(step, world) {
                let own = of_strangers.entry(stater).or_default();
                own.stated(container, step, &mut moved);
            }
        }
        moved.retain(|_, moves| !moves.is_nothing());
        out.extend(moved.into_iter().map(|(line, moves)| {
            let movement = Movement {
                order: step.order,
                change: Change::Carried(moves),
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

/// Where a container is with what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stance {
    /// Nowhere: on its way, sold, destroyed, not known.
    #[default]
    Gone,
    /// In stock at a place, or brought back there.
    Stands(LocationId),
    /// Fetched back, and kept apart at a place.
    Apart(LocationId),
}

impl Stance {
    fn is_at(self, location: LocationId) -> bool {
        self == Stance::Stands(location) || self == Stance::Apart(location)
    }
}

const fn stance(state: &UnitState) -> Stance {
    match (state.phase, state.place) {
        (Phase::Commissioned | Phase::InStock | Phase::Returned, Place::At(place)) => {
            Stance::Stands(place)
        }
        (Phase::Collected, Place::At(place)) => Stance::Apart(place),
        _ => Stance::Gone,
    }
}

/// What is in the container, and where it is with that.
#[derive(Default)]
struct Held<'s> {
    inside: Goods<'s>,
    is: Stance,
}

impl<'s> Held<'s> {
    /// An event took effect on the container. What a stranger had in it whose word counts from now on joins.
    fn happened(
        &mut self,
        container: &UnitKey,
        step: &'s Step,
        own: Option<Held<'s>>,
        moved: &mut Moved,
    ) {
        let here = step.fact.event.location;
        let goes = sign(step.fact.event.kind) == Sign::Out;
        let now = stance(&step.after);
        let through = goes && !now.is_at(here);
        self.leave((through, here), moved);
        if let Some(own) = own {
            own.leave((through, here), moved);
            self.join(own);
        }
        if step.via.is_none() && is_container(&step.fact, container) {
            self.handle(step, moved);
        }
        self.is = now;
        self.count(1, moved);
    }

    /// A stranger to the container states something of it. No fold of the container says where it stands
    /// for that enterprise: what has gone does not go again, and what was fetched back lies apart until it
    /// comes in or goes.
    fn stated(&mut self, container: &UnitKey, step: &'s Step, moved: &mut Moved) {
        let event = &step.fact.event;
        self.count(-1, moved);
        if is_container(&step.fact, container) {
            self.handle(step, moved);
        }
        self.is = match (event.kind, sign(event.kind), self.is) {
            (Kind::Collect, _, _) | (_, Sign::Count | Sign::None, Stance::Apart(_)) => {
                Stance::Apart(event.location)
            }
            (_, Sign::Out, _) => Stance::Gone,
            (_, Sign::In | Sign::Count | Sign::None, _) => Stance::Stands(event.location),
        };
        self.count(1, moved);
    }

    /// Nothing is said of where the container is but what its fold makes of it.
    fn is_at(&mut self, now: Stance, moved: &mut Moved) {
        if now != self.is {
            self.count(-1, moved);
            self.is = now;
            self.count(1, moved);
        }
    }

    /// What is in it leaves where it was. What goes from a place where it was not had come there unsaid.
    fn leave(&self, (through, here): (bool, LocationId), moved: &mut Moved) {
        self.count(-1, moved);
        if through && !self.is.is_at(here) {
            for (goods, qty) in &self.inside {
                moved.entry(key(*goods, here)).or_default().through += signed(*qty);
            }
        }
    }

    /// Adds what is in it to where it is, or takes it away there.
    fn count(&self, way: i64, moved: &mut Moved) {
        let place = match self.is {
            Stance::Gone => return,
            Stance::Stands(place) | Stance::Apart(place) => place,
        };
        for (goods, qty) in &self.inside {
            let qty = way * signed(*qty);
            let moves = moved.entry(key(*goods, place)).or_default();
            if self.is == Stance::Apart(place) {
                moves.apart += qty;
            } else {
                moves.by += qty;
                moves.inside += qty;
            }
        }
    }

    /// Something was put into the container, or taken out: it lay loose where that happened, or does now. Of
    /// what lay there apart the container is no part: it is put in first. What is taken out of a container that
    /// was fetched back lies apart.
    fn handle(&mut self, step: &'s Step, moved: &mut Moved) {
        let event = &step.fact.event;
        let is_apart = matches!(self.is, Stance::Apart(_));
        let mut put_in = |goods, qty: u64| {
            let moves = moved.entry(key(goods, event.location)).or_default();
            moves.by -= signed(qty);
            moves.released += signed(qty);
        };
        let mut taken_out = Goods::new();
        if event.kind == Kind::Unpack && event.lots.is_empty() && event.units.is_empty() {
            taken_out = std::mem::take(&mut self.inside);
        }
        for line in &event.lots {
            let goods = (line.gtin.as_str(), line.lot.as_deref());
            if event.kind == Kind::Pack {
                let sum = self.inside.entry(goods).or_default();
                let before = *sum;
                *sum = sum.saturating_add(line.qty);
                put_in(goods, *sum - before);
            } else if let Some(sum) = self.inside.get_mut(&goods) {
                let out = line.qty.min(*sum);
                *sum -= out;
                *taken_out.entry(goods).or_default() += out;
            }
        }
        self.inside.retain(|_, qty| *qty > 0);
        for (goods, qty) in taken_out {
            let moves = moved.entry(key(goods, event.location)).or_default();
            moves.by += signed(qty);
            if is_apart {
                moves.collected += signed(qty);
            }
        }
    }

    fn join(&mut self, own: Held<'s>) {
        for (goods, qty) in own.inside {
            let sum = self.inside.entry(goods).or_default();
            *sum = sum.saturating_add(qty);
        }
    }
}

fn key((gtin, lot): (&str, Option<&str>), location: LocationId) -> LotKey {
    LotKey {
        gtin: gtin.to_owned(),
        lot: lot.map(str::to_owned),
        location,
    }
}
