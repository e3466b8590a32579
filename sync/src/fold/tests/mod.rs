//! Small stories, one per tricky part of a rule. The differential tests against the oracle are in
//! `sync/tests`.

mod claims;
mod containers;
mod lives;
mod people;
mod reading;

use super::*;
use crate::{
    event::{Counterpart, Document, Event, Group, Input, Kind, UnitRead},
    facts::{BatchInfo, Commissioned, PlaceInfo, RecallScope, RecallSpan, StatedAt, UnitInfo},
    finding::{Finding, FindingCode},
    ids::{BatchId, DeviceId, EnterpriseId, EventId, GroupId, LocationId, Micros, RecallId},
    order::{Interval, Order},
    trace_code,
    unit::Level,
};
use std::sync::Arc;
use uuid::Uuid;

const MAKER: u128 = 1;
const SHOP: u128 = 2;
const STRANGER: u128 = 9;
const PLANT: u128 = 10;
const WAREHOUSE: u128 = 11;
const STORE: u128 = 20;
const OTHER_STORE: u128 = 21;
const STRANGE_PLACE: u128 = 90;
const GTIN: &str = "06901234567892";
const CASE_GTIN: &str = "16901234567899";
const MINUTE: Micros = 60_000_000;

fn place(n: u128) -> LocationId {
    LocationId(Uuid::from_u128(n))
}

fn enterprise(n: u128) -> EnterpriseId {
    EnterpriseId(Uuid::from_u128(n))
}

fn batch(n: u128) -> BatchId {
    BatchId(Uuid::from_u128(n))
}

fn tin(n: u32) -> UnitKey {
    UnitKey::kept(&format!("/01/{GTIN}/21/T{n}"))
}

fn case(n: u32) -> UnitKey {
    UnitKey::kept(&format!("/01/{CASE_GTIN}/21/C{n}"))
}

fn pallet() -> UnitKey {
    UnitKey::kept("/00/106141412345678908")
}

fn read(unit: &UnitKey) -> UnitRead {
    UnitRead {
        code: unit.to_string(),
        input: Input::Wedge,
        scanned: trace_code::parse_path(unit.as_str(), "").ok(),
        unit: Some(unit.clone()),
    }
}

/// A small world and what was stated in it.
struct Story {
    world: World,
    facts: Vec<Fact>,
}

impl Story {
    /// A maker with plant and warehouse, a shop with two stores, a stranger; tins 1 to 9 of batch 1
    /// and cases, commissioned; a pallet.
    fn new() -> Story {
        let mut world = World::default();
        for (of, n, plant) in [
            (MAKER, PLANT, true),
            (MAKER, WAREHOUSE, false),
            (SHOP, STORE, false),
            (SHOP, OTHER_STORE, false),
            (STRANGER, STRANGE_PLACE, false),
        ] {
            let info = PlaceInfo {
                enterprise: enterprise(of),
                plant,
            };
            world.places.insert(place(n), info);
            world.enterprises.insert(enterprise(of));
        }
        world.products.insert(GTIN.into(), enterprise(MAKER));
        world.products.insert(CASE_GTIN.into(), enterprise(MAKER));
        world.product_of.insert(CASE_GTIN.into(), GTIN.into());
        for n in 1..=2 {
            let info = BatchInfo {
                issuer: enterprise(MAKER),
                product: GTIN.into(),
                lot: format!("L{n}"),
                expires_at: Some(1_000_000 * MINUTE),
                plant: Some(place(PLANT)),
            };
            world.batches.insert(batch(n), info);
        }
        let mut story = Story {
            world,
            facts: Vec::new(),
        };
        for n in 1..=9 {
            story.unit(tin(n), Level::Item, Some(1));
        }
        for n in 1..=3 {
            story.unit(case(n), Level::Case, Some(1));
        }
        story.unit(pallet(), Level::Pallet, None);
        story
    }

    fn unit(&mut self, unit: UnitKey, level: Level, of: Option<u128>) {
        let info = UnitInfo {
            issuer: Some(enterprise(MAKER)),
            product: None,
            level: Some(level),
            commissioned: of.map(|of| Commissioned {
                batch: batch(of),
                at: StatedAt { at: 0, gseq: 0 },
            }),
            voided: None,
        };
        self.world.units.insert(unit, info);
    }

    /// States something at a minute; the interval is five seconds to either side.
    fn tell(
        &mut self,
        who: u128,
        kind: Kind,
        at: u128,
        minute: i64,
        units: &[UnitKey],
        more: impl FnOnce(&mut Event),
    ) -> EventId {
        let n = self.facts.len() as u128 + 1;
        let eff = minute * MINUTE;
        let mut event = Event::bare(
            kind,
            EventId(Uuid::from_u128(1000 + n)),
            DeviceId(Uuid::from_u128(100 + at)),
            1,
            n as u64,
            eff,
        );
        event.actor.id = "a".into();
        event.location = place(at);
        event.units = units.iter().map(read).collect();
        more(&mut event);
        let id = event.id;
        self.facts.push(Fact {
            order: Order {
                eff,
                device: event.device,
                epoch: 1,
                seq: event.seq,
                event: id,
            },
            interval: Interval {
                lo: eff - MINUTE / 12,
                est: eff,
                hi: eff + MINUTE / 12,
            },
            gseq: 1000 + n as i64,
            enterprise: enterprise(who),
            event: Arc::new(event),
            delivered: 0,
            flags: Vec::new(),
            corrects: None,
        });
        id
    }

    /// As [`Story::tell`], of tin 1 and nothing more.
    fn tin(&mut self, who: u128, kind: Kind, at: u128, minute: i64) -> EventId {
        self.tell(who, kind, at, minute, &[tin(1)], |_| {})
    }

    /// Tin 1 leaves for another place.
    fn ship(&mut self, who: u128, from: u128, minute: i64, to: u128) -> EventId {
        self.tell(who, Kind::Outbound, from, minute, &[tin(1)], to_place(to))
    }

    fn pack(&mut self, at: u128, minute: i64, into: &UnitKey, units: &[UnitKey]) -> EventId {
        let into = read(into);
        self.tell(MAKER, Kind::Pack, at, minute, units, |event| {
            event.parent = Some(into);
        })
    }

    fn retract(&mut self, who: u128, minute: i64, target: EventId, actor: &str) -> EventId {
        self.tell(who, Kind::Retract, STORE, minute, &[], |event| {
            event.target = Some(target);
            event.actor.id = actor.into();
        })
    }

    /// Tin 1 comes from the plant to the store, at minutes 1 to 3.
    fn at_the_store(&mut self) {
        self.ship(MAKER, PLANT, 1, STORE);
        self.tin(SHOP, Kind::Inbound, STORE, 3);
    }

    fn recall(&mut self, n: u128, minute: i64, scope: RecallScope) {
        self.world.recalls.push(RecallSpan {
            recall: RecallId(Uuid::from_u128(n)),
            from: StatedAt {
                at: minute * MINUTE,
                gseq: minute,
            },
            closed: None,
            mistaken: false,
            scope,
            destinations: [place(WAREHOUSE)].into(),
        });
    }

    /// The fact of an event, to change it.
    fn fact(&mut self, id: EventId) -> &mut Fact {
        self.facts
            .iter_mut()
            .find(|fact| fact.event.id == id)
            .expect("told before")
    }

    fn forest(&self) -> BTreeMap<UnitKey, Folded> {
        forest(&self.facts.iter().collect::<Vec<_>>(), &self.world)
    }

    fn folded(&self, unit: &UnitKey) -> Folded {
        self.forest().remove(unit).unwrap_or_default()
    }

    fn findings(&self, unit: &UnitKey) -> Vec<Finding> {
        self.folded(unit).findings
    }

    fn codes(&self, unit: &UnitKey) -> Vec<FindingCode> {
        self.findings(unit)
            .iter()
            .map(|finding| finding.code)
            .collect()
    }
}

fn to_place(to: u128) -> impl FnOnce(&mut Event) {
    move |event| event.counterpart = Some(Counterpart::Location(place(to)))
}

fn doc(no: &str) -> Document {
    Document {
        no: no.into(),
        at: None,
    }
}

fn of_batch(n: u128) -> RecallScope {
    RecallScope {
        batches: [batch(n)].into(),
        ..RecallScope::default()
    }
}
