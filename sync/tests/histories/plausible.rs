//! What may well happen next to goods: made, packed, sent, received, sold, brought back. A rough
//! guess that no rule depends on; it only makes contradictions rarer than by pure chance.

use super::{
    draft::{Draft, same},
    stage::{
        self, CASHIER, Hand, INTRUDER, OTHER_CASHIER, OTHER_SHOP, PLANT, PLANT_LINE, SHOP,
        STOREMAN, WAREHOUSE, good,
    },
};
use std::collections::BTreeMap;
use suyuan_sync::{
    event::{Counterpart, Disposition, Kind},
    ids::LocationId,
};

/// What an event is going to say.
#[derive(Clone, Debug)]
pub struct Plan {
    pub kind: Kind,
    pub goods: Vec<usize>,
    pub container: usize,
    pub place: LocationId,
    pub hand: Hand,
    pub counterpart: Option<Counterpart>,
    pub disposition: Option<Disposition>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    Made,
    Stock(LocationId),
    Moving(LocationId),
    Sold(LocationId),
    Back(LocationId),
    Gone,
}

/// Where goods are likely to be.
#[derive(Default)]
pub struct Likely {
    goods: BTreeMap<usize, Where>,
    inside: BTreeMap<usize, usize>,
}

fn hand_at(place: LocationId) -> Hand {
    match place {
        PLANT => PLANT_LINE,
        WAREHOUSE => STOREMAN,
        SHOP => CASHIER,
        OTHER_SHOP => OTHER_CASHIER,
        _ => INTRUDER,
    }
}

/// Further down the way, or back.
fn onward(place: LocationId, n: u32) -> LocationId {
    match (place, n % 3) {
        (PLANT, 0) => WAREHOUSE,
        (PLANT | WAREHOUSE | OTHER_SHOP, _) => SHOP,
        (SHOP, 0) => OTHER_SHOP,
        _ => WAREHOUSE,
    }
}

impl Likely {
    /// What may well happen next to the draft's good, or to what it is in.
    pub fn plan(&self, draft: &Draft) -> Plan {
        let mut chosen = usize::from(draft.good) % 8;
        while let Some(outer) = self.inside.get(&chosen) {
            chosen = *outer;
        }
        let choice = u32::from(draft.kind);
        let at = *self.goods.get(&chosen).unwrap_or(&Where::Made);
        let (kind, place) = match at {
            Where::Made if choice % 4 == 1 => (Kind::Commission, PLANT),
            Where::Made if choice % 4 == 2 => (Kind::Pack, PLANT),
            Where::Made => (Kind::Outbound, PLANT),
            Where::Moving(to) => (Kind::Inbound, to),
            Where::Stock(place) => match choice % 8 {
                0 | 1 if place == SHOP || place == OTHER_SHOP => (Kind::Sale, place),
                2 => (Kind::Pack, place),
                3 => (Kind::Unpack, place),
                4 => (Kind::Count, place),
                5 if choice > 128 => (Kind::Collect, place),
                _ => (Kind::Outbound, place),
            },
            Where::Sold(place) => (Kind::Return, place),
            Where::Back(place) if choice % 4 == 1 => (Kind::Destroy, place),
            Where::Back(place) if choice % 8 == 2 => (Kind::Return, place),
            Where::Back(place) => (Kind::Inspect, place),
            Where::Gone => (Kind::Retract, PLANT),
        };
        let container = match chosen {
            good::CASE_1 | good::CASE_2 => good::PALLET,
            _ if choice.is_multiple_of(2) => good::CASE_1,
            _ => good::CASE_2,
        };
        let mut goods = vec![chosen];
        if kind == Kind::Unpack {
            goods = self.within(chosen);
        } else if matches!(kind, Kind::Pack | Kind::Count) {
            let beside =
                (0..5).filter(|n| draft.more >> n & 1 == 1 && self.goods.get(n) == Some(&at));
            goods.extend(beside);
        }
        let counterpart = (kind == Kind::Outbound).then(|| {
            let to = onward(place, draft.aux >> 4);
            if draft.partner.is_multiple_of(2) {
                Counterpart::Location(to)
            } else {
                Counterpart::Enterprise(stage::owner(to))
            }
        });
        Plan {
            kind,
            goods,
            container: if kind == Kind::Unpack {
                chosen
            } else {
                container
            },
            place,
            hand: hand_at(place),
            counterpart,
            disposition: Some(match draft.aux >> 6 & 3 {
                0 => Disposition::Hold,
                1 => Disposition::Destroy,
                _ => Disposition::Sellable,
            }),
        }
    }

    fn within(&self, container: usize) -> Vec<usize> {
        let within = self.inside.iter().filter(|(_, outer)| **outer == container);
        within.map(|(inner, _)| *inner).collect()
    }

    /// Takes note of what is going to be said.
    pub fn note(&mut self, plan: &Plan) {
        let to = match &plan.counterpart {
            Some(Counterpart::Location(place)) => *place,
            Some(Counterpart::Enterprise(stage::MAKER)) => WAREHOUSE,
            _ => SHOP,
        };
        let place = plan.place;
        for good in plan.goods.iter().map(|good| same(*good)) {
            let at = match plan.kind {
                Kind::Outbound => Where::Moving(to),
                Kind::Sale => Where::Sold(place),
                Kind::Return | Kind::Collect => Where::Back(place),
                Kind::Destroy => Where::Gone,
                Kind::Inbound | Kind::Pack | Kind::Inspect => Where::Stock(place),
                Kind::Commission | Kind::Unpack | Kind::Count | Kind::Retract => continue,
            };
            self.goods.insert(good, at);
            if plan.kind == Kind::Pack && good < plan.container {
                self.inside.insert(good, plan.container);
                self.goods.insert(plan.container, at);
            }
        }
        if plan.kind == Kind::Unpack {
            self.inside.retain(|_, outer| *outer != plan.container);
        }
    }
}
