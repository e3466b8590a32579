//! An enterprise that nobody deals with, and a device of it that was idle since it was enrolled: what
//! it sends is received last and may be dated back to before all. It packs others' goods into cases of
//! its own, and things of its own into others' containers.

use super::{
    Case,
    stage::{self, CODES, HOUR, Hand, START},
};
use std::sync::Arc;
use suyuan_sync::{
    event::{Event, Input, Kind, UnitRead},
    facts::{Fact, PlaceInfo, UnitInfo},
    ids::{DeviceId, EnterpriseId, EventId, Gseq, LocationId, Micros},
    order::{Interval, Order},
    unit::{Level, UnitKey},
};
use uuid::Uuid;

/// The enterprise.
pub const MEDDLER: EnterpriseId = EnterpriseId(Uuid::from_u128(0x0018_7000));
const SHED: LocationId = LocationId(Uuid::from_u128(0x0028_7000));
const HAND: Hand = Hand {
    device: DeviceId(Uuid::from_u128(0x0038_7000)),
    enterprise: MEDDLER,
    actor: "meddler-1",
};

/// What it issued itself.
const OWN: [(&str, Level); 3] = [
    ("/00/169012345000000018", Level::Pallet),
    ("/01/16912345000009/21/M1", Level::Case),
    ("/01/06912345000002/21/M2", Level::Item),
];

const KINDS: [Kind; 12] = [
    Kind::Pack,
    Kind::Pack,
    Kind::Pack,
    Kind::Pack,
    Kind::Unpack,
    Kind::Commission,
    Kind::Inbound,
    Kind::Outbound,
    Kind::Sale,
    Kind::Inspect,
    Kind::Collect,
    Kind::Destroy,
];

/// The case as it is without a word of the meddler, and with up to four.
pub fn meddled(case: &Case, mut roll: impl FnMut() -> u64) -> (Case, Case) {
    let mut world = case.world.clone();
    world.enterprises.insert(MEDDLER);
    world.devices.insert(HAND.device, MEDDLER);
    let shed = PlaceInfo {
        enterprise: MEDDLER,
        plant: false,
    };
    world.places.insert(SHED, shed);
    for (key, level) in OWN {
        let info = UnitInfo {
            issuer: Some(MEDDLER),
            level: Some(level),
            ..UnitInfo::default()
        };
        world.units.insert(UnitKey::kept(key), info);
    }
    let without = Case {
        world,
        facts: case.facts.clone(),
    };
    let mut with = without.clone();
    let received: Gseq = case.facts.iter().map(|fact| fact.gseq).max().unwrap_or(0);
    let mut instants: Vec<Micros> = (0..=roll() % 4)
        .map(|_| match roll() as usize % (case.facts.len() + 1) {
            0 => START - HOUR,
            n => case.facts[n - 1].order.eff + 1 - (roll() % 3) as Micros,
        })
        .collect();
    instants.sort_unstable();
    for (n, eff) in instants.into_iter().enumerate() {
        let mut line = super::Line::new(KINDS[roll() as usize % KINDS.len()], HAND, SHED);
        let event = line.event_mut();
        say(event, &mut roll);
        event.id = EventId(Uuid::from_u128(0x0048_7000 + n as u128));
        event.seq = n as u64 + 1;
        event.at = eff;
        let order = Order {
            eff,
            device: event.device,
            epoch: event.epoch,
            seq: event.seq,
            event: event.id,
        };
        let event = Arc::new(event.clone());
        with.facts.push(Fact {
            order,
            interval: Interval {
                lo: eff,
                est: eff,
                hi: eff,
            },
            gseq: received + 1 + n as Gseq,
            enterprise: MEDDLER,
            event,
            delivered: 0,
            flags: Vec::new(),
            corrects: None,
        });
    }
    (without, with)
}

fn say(event: &mut Event, roll: &mut impl FnMut() -> u64) {
    let mut read = |own: bool| {
        if own {
            let (key, _) = OWN[roll() as usize % OWN.len()];
            return UnitRead {
                code: key.to_owned(),
                input: Input::Wedge,
                scanned: None,
                unit: Some(UnitKey::kept(key)),
            };
        }
        stage::read(roll() as usize % CODES.len(), Input::Wedge)
    };
    let contains = matches!(event.kind, Kind::Pack | Kind::Unpack);
    let goods = [read(false), read(false), read(true)];
    let own = read(true);
    let other = read(false);
    match roll() % 4 {
        0 => event.units.extend(goods),
        1 => event.units.extend(goods.into_iter().skip(2)),
        _ => event.units.extend(goods.into_iter().take(1)),
    }
    if contains {
        event.parent = Some(if roll().is_multiple_of(2) { own } else { other });
    }
}

/// Is the finding about what the meddler said?
pub fn is_of_meddler(event: EventId) -> bool {
    (0x0048_7000..0x0048_7010).contains(&event.0.as_u128())
}
