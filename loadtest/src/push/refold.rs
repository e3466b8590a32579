//! The whole log folded anew, on one core, by the same pure functions the service folds with: texts
//! are read, facts gathered by unit and sorted, each unit folded with all its findings. What comes
//! out is held against the phases the service keeps.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use suyuan_sync::{
    event::{self, required::Profile},
    facts::{BatchInfo, Commissioned, Fact, PlaceInfo, StatedAt, UnitInfo, World},
    fold::{Phase, fold_state},
    ids::{BatchId, DeviceId, EnterpriseId},
    order::{Interval, Order},
    unit::{Level, UnitKey},
};
use uuid::Uuid;

use super::{life::Places, log::LogRow};
use crate::{LoadError, process, summary::Taken};

const PASSES_MAX: u32 = 1_000;

/// What the demo is to a fold: one product of one batch in three places.
pub struct Ground<'a> {
    /// 14 digits.
    pub gtin: &'a str,
    /// The lot of its batch.
    pub lot: &'a str,
    /// Its places.
    pub places: &'a Places,
    /// A pass is repeated until so much processor time was used.
    pub folding: Duration,
}

/// Folds these rows `rounds` times; `phases` is what the service keeps of each unit.
pub fn measure(
    rows: &[LogRow],
    phases: &BTreeMap<String, String>,
    ground: &Ground<'_>,
    rounds: usize,
) -> Result<Taken, String> {
    let world = world(rows, ground).map_err(|error| error.to_string())?;
    check(rows, phases, &world)?;
    let (mut eps, mut walls) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let cpu = process::own_cpu_time().ok_or("/proc cannot be read here")?;
        let start = Instant::now();
        let mut passes = 0;
        let used = loop {
            black_box(fold_all(rows, &world));
            passes += 1;
            let used = process::own_cpu_time().unwrap_or(cpu).saturating_sub(cpu);
            if used >= ground.folding || passes >= PASSES_MAX {
                break used;
            }
        };
        let events = rows.len() as f64 * f64::from(passes);
        eps.push(events / used.as_secs_f64().max(1e-3));
        walls.push(events / start.elapsed().as_secs_f64().max(1e-9));
    }
    let wall = Taken::median(&walls)?.value();
    Ok(Taken::median(&eps)?
        .with(
            "of",
            "events per second of processor time, from text to state",
        )
        .with("events", rows.len())
        .with("units", phases.len())
        .with("by_the_wall_clock", wall.round()))
}

/// What folding brought: each unit with its phase and the number of its findings.
type Folds = Vec<(UnitKey, Phase, usize)>;

fn fold_all(rows: &[LogRow], world: &World) -> Folds {
    let mut by_unit: HashMap<UnitKey, Vec<Fact>> = HashMap::new();
    for row in rows {
        let Ok(event) = event::parse_bytes(&row.body) else {
            continue;
        };
        let keys: Vec<UnitKey> = event.units.iter().filter_map(|u| u.unit.clone()).collect();
        let fact = Fact {
            order: Order {
                eff: row.eff,
                device: DeviceId(row.device),
                epoch: row.epoch,
                seq: row.seq,
                event: event.id,
            },
            interval: Interval {
                lo: row.lo,
                est: row.est,
                hi: row.stamp,
            },
            gseq: row.gseq,
            enterprise: EnterpriseId(row.enterprise),
            event: Arc::new(event),
            delivered: row.delivered,
            flags: Vec::new(),
            corrects: None,
        };
        for key in keys {
            by_unit.entry(key).or_default().push(fact.clone());
        }
    }
    let parents = BTreeMap::new();
    by_unit
        .into_iter()
        .map(|(unit, mut facts)| {
            facts.sort_unstable_by_key(|fact| fact.order);
            let sorted: Vec<&Fact> = facts.iter().collect();
            let folded = fold_state(&unit, &sorted, &parents, world);
            (unit, folded.state.phase, folded.findings.len())
        })
        .collect()
}

/// Folding brings what the service keeps, and finds nothing wrong in lives without fault.
fn check(rows: &[LogRow], phases: &BTreeMap<String, String>, world: &World) -> Result<(), String> {
    let folds = fold_all(rows, world);
    if folds.len() != phases.len() || folds.is_empty() {
        let (ours, kept) = (folds.len(), phases.len());
        return Err(format!("{ours} units were folded, {kept} are kept"));
    }
    for (unit, phase, findings) in folds {
        let name = serde_json::to_value(phase).unwrap_or_default();
        let kept = phases.get(unit.as_str());
        if findings > 0 || kept.map(String::as_str) != name.as_str() {
            let unit = unit.as_str();
            return Err(format!(
                "{unit} folds to {name} with {findings} findings; {kept:?} is kept"
            ));
        }
    }
    Ok(())
}

/// The master data these events speak of.
fn world(rows: &[LogRow], ground: &Ground<'_>) -> Result<World, LoadError> {
    let first = rows
        .first()
        .ok_or_else(|| LoadError::Unusable("the log holds no event".to_owned()))?;
    let (enterprise, batch) = (EnterpriseId(first.enterprise), BatchId(Uuid::from_u128(1)));
    let commissioned = Commissioned {
        batch,
        at: StatedAt { at: 1, gseq: 1 },
    };
    let info = UnitInfo {
        issuer: Some(enterprise),
        product: None,
        level: Some(Level::Item),
        commissioned: Some(commissioned),
        voided: None,
    };
    let Places {
        plant,
        warehouse,
        store,
    } = *ground.places;
    let mut world = World::default();
    for place in [plant, warehouse, store] {
        let info = PlaceInfo {
            enterprise,
            plant: place == plant,
        };
        world.places.insert(place, info);
    }
    world.enterprises.insert(enterprise);
    world.products.insert(ground.gtin.to_owned(), enterprise);
    let product = (ground.gtin.to_owned(), Some(Profile::InfantFormula));
    let own = BTreeMap::from([product]);
    world.own_products.insert(enterprise, own);
    let of_batch = BatchInfo {
        issuer: enterprise,
        product: ground.gtin.to_owned(),
        lot: ground.lot.to_owned(),
        expires_at: None,
        plant: Some(plant),
    };
    world.batches.insert(batch, of_batch);
    let devices: BTreeSet<Uuid> = rows.iter().map(|row| row.device).collect();
    let devices = devices.into_iter().map(|id| (DeviceId(id), enterprise));
    world.devices.extend(devices);
    for row in rows {
        if let Ok(event) = event::parse_bytes(&row.body) {
            let keys = event.units.iter().filter_map(|read| read.unit.clone());
            world.units.extend(keys.map(|key| (key, info.clone())));
        }
    }
    Ok(world)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::life::{self, Step};
    use suyuan_sync::{chain, outbox::Slot};

    const CODE: &str = "http://h/01/09521234000013/21/08EV92F3KSKWSD";

    /// The rows of these steps of one tin, and its places.
    fn rows(steps: &[Step]) -> (Vec<LogRow>, Places) {
        let [plant, warehouse, store] = [1, 2, 3].map(Uuid::from_u128);
        let places = life::places(plant, warehouse, store).unwrap();
        let device = DeviceId(Uuid::from_u128(7));
        let codes = [CODE.to_owned()];
        let row = |(n, step): (usize, &Step)| {
            let (seq, at) = (n as u64 + 1, 1_700_000_000_000_000 + n as i64 * 1_000_000);
            let slot = Slot {
                device,
                epoch: 1,
                seq,
                prev_hash: chain::genesis(device, 1),
                anchor: None,
                anchor_wall: None,
                mono_ms: 0,
                cursor: 0,
            };
            LogRow {
                gseq: 10 + n as i64,
                stamp: at,
                enterprise: Uuid::from_u128(9),
                device: device.0,
                epoch: 1,
                seq,
                lo: at,
                est: at,
                eff: at,
                delivered: 0,
                body: life::text(&slot, at, *step, &codes, &places).into_bytes(),
            }
        };
        (steps.iter().enumerate().map(row).collect(), places)
    }

    fn checked(steps: &[Step], kept: &str) -> Result<(), String> {
        let (rows, places) = rows(steps);
        let ground = Ground {
            gtin: "09521234000013",
            lot: "L1",
            places: &places,
            folding: Duration::from_secs(1),
        };
        let world = world(&rows, &ground).unwrap();
        let unit = world.units.keys().next().unwrap().as_str().to_owned();
        check(&rows, &BTreeMap::from([(unit, kept.to_owned())]), &world)
    }

    #[test]
    fn a_life_folds_to_what_is_kept_and_nothing_else() {
        assert_eq!(checked(&Step::LIFE, "sold"), Ok(()));
        assert_eq!(checked(&Step::LIFE[..1], "in_stock"), Ok(()));
        assert!(checked(&Step::LIFE, "in_stock").is_err());
        // A sale of what never arrived is found.
        assert!(checked(&[Step::Receive, Step::Sell], "sold").is_err());
    }
}
