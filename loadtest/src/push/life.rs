//! What happens to a tin: received by the warehouse, shipped to a store, received there, sold. Four
//! events with every item the standards demand of them, each of one unit or of a load of them, written
//! as a device writes them. Knows neither keys nor network.

use suyuan_sync::{
    event::{Actor, Counterpart, Document, Event, Input, Kind, Proof, UnitRead},
    ids::{EventId, LocationId, Micros},
    outbox::Slot,
};
use uuid::Uuid;

use crate::LoadError;

/// Who does it, by the number of a badge.
pub const WORKER: &str = "W-017";

/// Where it happens.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// Where it was made.
    pub plant: LocationId,
    /// The warehouse.
    pub warehouse: LocationId,
    /// The store.
    pub store: LocationId,
}

/// An event of a tin's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The warehouse receives it from the plant.
    Receive,
    /// The warehouse ships it to the store.
    Ship,
    /// The store receives it.
    Arrive,
    /// The store sells it.
    Sell,
}

impl Step {
    /// A whole life.
    pub const LIFE: [Step; 4] = [Step::Receive, Step::Ship, Step::Arrive, Step::Sell];

    const fn kind(self) -> Kind {
        match self {
            Step::Receive | Step::Arrive => Kind::Inbound,
            Step::Ship => Kind::Outbound,
            Step::Sell => Kind::Sale,
        }
    }
}

/// The text of this step for the units with these printed codes, at a device's next place.
pub fn text(slot: &Slot, wall: Micros, step: Step, codes: &[String], places: &Places) -> String {
    let id = EventId(Uuid::now_v7());
    let mut event = Event::bare(step.kind(), id, slot.device, slot.epoch, slot.seq, wall);
    event.actor = Actor {
        id: WORKER.to_owned(),
        proof: Proof::Pin,
        login_age_s: Some(1_800),
        supervisor: false,
    };
    let read = |code: &String| UnitRead::of(code, Input::Wedge);
    event.units = codes.iter().map(read).collect::<Vec<_>>().into();
    event.doc = Some(Document {
        no: format!("W1-017-{:06}", slot.seq / 100),
        at: None,
    });
    event.mono_ms = slot.mono_ms;
    event.anchor.clone_from(&slot.anchor);
    event.anchor_wall = slot.anchor_wall;
    event.cursor = slot.cursor;
    let (location, counterpart) = match step {
        Step::Receive => (places.warehouse, Some(places.plant)),
        Step::Ship => (places.warehouse, Some(places.store)),
        Step::Arrive => (places.store, Some(places.warehouse)),
        Step::Sell => (places.store, None),
    };
    event.location = location;
    event.counterpart = counterpart.map(Counterpart::Location);
    if step == Step::Ship {
        let carrier = "logistics.logistics_company".to_owned();
        event.body.insert(carrier, "顺丰速运".into());
    }
    event.write()
}

/// Lives of these units, `wave` units at a time: all of a wave received, all shipped, and so on. A
/// unit's next event is so many events away, as when people work through a delivery.
pub fn waves(codes: &[String], wave: usize) -> impl Iterator<Item = (Step, &[String])> {
    codes.chunks(wave.max(1)).flat_map(|units| {
        Step::LIFE
            .into_iter()
            .flat_map(move |step| units.chunks(1).map(move |unit| (step, unit)))
    })
}

/// A device at its warehouse or store needs one of each.
pub fn places(plant: Uuid, warehouse: Uuid, store: Uuid) -> Result<Places, LoadError> {
    if plant == warehouse || warehouse == store {
        let what = "the demo's plant, warehouse and store are not three places";
        return Err(LoadError::Unusable(what.to_owned()));
    }
    Ok(Places {
        plant: LocationId(plant),
        warehouse: LocationId(warehouse),
        store: LocationId(store),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use suyuan_sync::{
        chain,
        event::{self, required},
        ids::DeviceId,
    };

    #[test]
    fn every_event_is_read_back_and_lacks_nothing() {
        let device = DeviceId(Uuid::from_u128(7));
        let slot = Slot {
            device,
            epoch: 1,
            seq: 42,
            prev_hash: chain::genesis(device, 1),
            anchor: Some("anchor".to_owned()),
            anchor_wall: Some(1_700_000_000_000_000),
            mono_ms: 1_000,
            cursor: 0,
        };
        let [plant, warehouse, store] = [1, 2, 3].map(Uuid::from_u128);
        let places = places(plant, warehouse, store).unwrap();
        let code = ["http://h/01/09521234000013/21/08EV92F3KSKWSD".to_owned()];
        for step in Step::LIFE {
            let text = text(&slot, 1_700_000_001_000_000, step, &code, &places);
            let read = event::parse(&text).unwrap();
            assert_eq!((read.kind, read.seq), (step.kind(), 42));
            assert!(read.units[0].unit.is_some());
            let profiles = BTreeSet::from([required::Profile::InfantFormula]);
            assert_eq!(
                required::missing_under(&read, &profiles),
                Vec::<&str>::new()
            );
        }
    }

    #[test]
    fn a_wave_is_lived_through_step_by_step() {
        let codes: Vec<String> = (0..3).map(|n| n.to_string()).collect();
        let told: Vec<(Step, &str)> = waves(&codes, 2).map(|(s, c)| (s, c[0].as_str())).collect();
        assert_eq!(told.len(), 12);
        assert_eq!(
            told[..3],
            [
                (Step::Receive, "0"),
                (Step::Receive, "1"),
                (Step::Ship, "0")
            ]
        );
        assert_eq!(told[8..], Step::LIFE.map(|step| (step, "2")));
    }
}
