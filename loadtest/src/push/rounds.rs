//! Every size of push in turn, in the same minutes with its baselines, several times, beginning with
//! another size each time. Ratios are taken within a round.

use suyuan_sync::wire::Status;

use super::{
    bulk::Bulk,
    device::Parcel,
    fleet::Fleet,
    lanes::{Lane, Sent, send_all},
    life, pouch,
    pouch::Pouch,
    worst_of,
};
use crate::{
    LoadError,
    drive::Outcome,
    summary::{Series, Summary, Taken, progress},
};

/// Every device makes at least so many pushes: a life is spread over them.
const PUSHES_MIN: usize = 4;
/// The size the budgets are about.
const BUDGET_BATCH: usize = 100;

/// How many devices push how many events at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Devices.
    pub devices: usize,
    /// Events of a push.
    pub batch: usize,
}

impl Config {
    /// As it stands in the table.
    pub fn name(self) -> String {
        format!("{}×{}", self.devices, self.batch)
    }

    /// How many units each device handles when `events` are wanted of all.
    fn units_each(self, events: usize) -> usize {
        let waves = events.div_ceil(self.devices * self.batch * PUSHES_MIN);
        waves.max(1) * self.batch * PUSHES_MIN / life::Step::LIFE.len()
    }
}

/// All rounds of one size.
struct Sized {
    config: Config,
    pushed: Series,
    replayed: Series,
    bulk: Series,
    pouch: Option<Series>,
}

/// All sizes.
pub struct Measured {
    sizes: Vec<Sized>,
}

impl Measured {
    /// Runs the rounds.
    pub async fn take(
        fleet: &mut Fleet,
        configs: &[Config],
        rounds: usize,
        events: usize,
        pouch: Option<&Pouch>,
    ) -> Result<Self, LoadError> {
        let mut bulk = fleet.bulk().await?;
        let store = fleet.store();
        let of = |config: &Config| Sized::new(store, *config, pouch.is_some());
        let mut sizes: Vec<Sized> = configs.iter().map(of).collect();
        for round in 0..rounds {
            for turn in 0..sizes.len() {
                let at = (round + turn) % sizes.len();
                let Some(size) = sizes.get_mut(at) else {
                    continue;
                };
                if size.failed() {
                    continue;
                }
                progress(&format!("round {}: {}", round + 1, size.config.name()));
                if let Err(error) = size.round(fleet, events, &mut bulk, pouch).await {
                    size.pushed.failed.get_or_insert(error.to_string());
                }
            }
        }
        bulk.remove().await?;
        Ok(Self { sizes })
    }

    /// Adds the lines of the table.
    pub fn report(&self, summary: &mut Summary) {
        for size in &self.sizes {
            summary.add_series(&size.pushed, Some(&size.bulk));
            summary.add_series(&size.replayed, Some(&size.bulk));
            summary.add_series(&size.bulk, None);
            if let Some(pouch) = &size.pouch {
                summary.add_series(pouch, Some(&size.bulk));
            }
        }
    }

    /// Events a second.
    pub fn eps(&self) -> Result<Taken, String> {
        self.worst(|size| Taken::median(&size.pushed.rates()?))
    }

    /// Against the engine's own bulk insert.
    pub fn bulk_ratio(&self) -> Result<Taken, String> {
        self.worst(|size| Taken::median(&size.pushed.ratio_to(&size.bulk)?))
    }

    /// Against express-pouchdb.
    pub fn pouch_ratio(&self) -> Result<Taken, String> {
        self.worst(|size| {
            let pouch = size.pouch.as_ref().ok_or("express-pouchdb did not run")?;
            Taken::median(&size.pushed.ratio_to(pouch)?)
        })
    }

    /// The same pushes again, against the first time.
    pub fn replay_ratio(&self) -> Result<Taken, String> {
        self.worst(|size| Taken::median(&size.replayed.ratio_to(&size.pushed)?))
    }

    fn worst(&self, figure: impl Fn(&Sized) -> Result<Taken, String>) -> Result<Taken, String> {
        let sizes = self.sizes.iter();
        let of_budget = sizes.filter(|size| size.config.batch == BUDGET_BATCH);
        worst_of(
            of_budget
                .map(|size| (size.config.name(), figure(size)))
                .collect(),
        )
    }
}

impl Sized {
    fn new(store: &str, config: Config, with_pouch: bool) -> Self {
        let series = |what: &str| Series::empty(format!("{what} {}", config.name()));
        Self {
            config,
            pushed: series(store),
            replayed: series(&format!("{store} again")),
            bulk: series(&format!("{store} bulk")),
            pouch: with_pouch.then(|| series("pouchdb")),
        }
    }

    fn failed(&self) -> bool {
        self.pushed.rates().is_err()
    }

    async fn round(
        &mut self,
        fleet: &mut Fleet,
        events: usize,
        bulk: &mut Bulk,
        pouch: Option<&Pouch>,
    ) -> Result<(), LoadError> {
        let Config { devices, batch } = self.config;
        let units = self.config.units_each(events);
        let codes = fleet.take_codes(units * devices).await?;
        let mut lanes = Vec::with_capacity(devices);
        for codes in codes.chunks(units) {
            let mut device = fleet.lend()?;
            let parcels = device.fill(life::waves(codes, batch), batch, &fleet.places)?;
            lanes.push(Lane { device, parcels });
        }
        let mut queues = Vec::new();
        if pouch.is_some() {
            for lane in &lanes {
                let texts = lane.parcels.iter().map(Parcel::texts);
                let queue: Result<Vec<_>, _> = texts.map(pouch::documents).collect();
                queues.push(queue?);
            }
        }
        let (target, pid) = (fleet.demo.internal.clone(), fleet.demo.pid());
        let sent = async {
            let (lanes, first) = send_all(&target, pid, lanes, Status::Stored).await?;
            if first.outcome.wrong > 0 {
                return Ok((lanes, first, None));
            }
            let (lanes, again) = send_all(&target, pid, lanes, Status::Duplicate).await?;
            Ok::<(Vec<Lane>, Sent, Option<Outcome>), LoadError>((lanes, first, Some(again.outcome)))
        };
        let (lanes, first, again) = sent.await?;
        fleet.take_back(lanes);
        self.pushed.outcomes.push(first.outcome);
        self.replayed.outcomes.extend(again);
        if let (false, Some(positions)) = (self.failed(), first.positions) {
            self.bulk
                .outcomes
                .push(bulk.insert(positions, batch).await?);
        }
        if let (Some(pouch), Some(series)) = (pouch, &mut self.pouch) {
            match pouch.upload(queues).await {
                Ok(outcome) => series.outcomes.push(outcome),
                Err(error) => series.failed = Some(error.to_string()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_makes_four_pushes_or_as_many_as_are_wanted() {
        let config = |devices, batch| Config { devices, batch };
        assert_eq!(config(64, 500).units_each(20_000), 500);
        assert_eq!(config(4, 100).units_each(20_000), 1_300);
        assert_eq!(config(16, 100).units_each(20_000), 400);
        assert_eq!(config(64, 20).units_each(1), 20);
    }
}
