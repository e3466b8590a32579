//! The push budgets, put together: which service is started, what its devices send, and how figures
//! come out of the rounds.
//!
//! In reading order: [`life`] (what happens to a tin), [`key`] and [`device`] (who says so and signs
//! it), [`lanes`] (devices side by side), [`bulk`] and [`pouch`] (the two baselines), [`fleet`] (a
//! service with its devices and codes), [`rounds`] (every size in turn, with its baselines), [`pull`],
//! [`backlog`], [`flat`], [`log`], [`refold`] and [`reach`] (what else is measured), [`sizes`] (how much
//! of it).

pub mod backlog;
pub mod bulk;
pub mod device;
pub mod flat;
pub mod fleet;
pub mod head;
pub mod key;
pub mod lanes;
pub mod life;
pub mod log;
pub mod pouch;
pub mod pull;
pub mod reach;
pub mod refold;
pub mod rounds;
pub mod sizes;

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use suyuan_sync::ids::Micros;

use crate::{
    LoadError,
    drive::Outcome,
    process::{self, Cores},
    summary::{PUSH, Series, Summary, Taken, progress},
    target::require_local_store,
};
use flat::Flat;
use fleet::Fleet;
use pouch::Pouch;
use refold::Ground;
use rounds::{Config, Measured};
use sizes::Sizes;

/// Refolding holds all that it folds in memory.
const REFOLD_UNITS: u32 = 100_000;
/// The backlog the time to drain it is about.
const BACKLOG_EVENTS: u32 = 1_000_000;

const BACKLOG_FIGURES: [&str; 2] = ["backlog_drain_s", "backlog_sale_p99_ms"];
const SQLITE_FIGURES: [&str; 11] = [
    "push_sqlite_eps",
    "push_sqlite_bulk_ratio",
    "push_pouch_ratio",
    "replay_ratio",
    "backlog_drain_s",
    "backlog_sale_p99_ms",
    "refold_eps",
    "pull_rows_per_s",
    "push_log_flat_ratio",
    "head_held_sqlite_ms",
    "reach_million_ms",
];
const POSTGRES_FIGURES: [&str; 4] = [
    "push_postgres_eps",
    "push_postgres_bulk_ratio",
    "head_held_postgres_ms",
    "reach_million_postgres_ms",
];

/// What nobody asked to be measured with so little.
const TINY: &str = "--tiny was given: too little for a figure";

/// Flags of `suyuan-loadtest push`.
#[derive(Debug, Clone, clap::Args)]
pub struct PushArgs {
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Exit status 1 when a budget is missed, or a figure that was asked for could not be taken
    #[arg(long)]
    pub check: bool,
    /// Rounds; the median is reported
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    rounds: u8,
    /// Events of each size in each round, at least; four pushes of every device in any case
    #[arg(long, default_value_t = 20_000,
        value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    events: u32,
    /// Devices that push side by side
    #[arg(long, value_delimiter = ',', default_value = "4,64",
        value_parser = clap::value_parser!(u16).range(1..=512))]
    devices: Vec<u16>,
    /// Events of a push
    #[arg(long, value_delimiter = ',', default_value = "20,100,500",
        value_parser = clap::value_parser!(u16).range(1..=500))]
    batches: Vec<u16>,
    /// Events of the backlog; fewer for tries
    #[arg(long, default_value_t = BACKLOG_EVENTS,
        value_parser = clap::value_parser!(u32).range(50_000..=2_000_000))]
    backlog: u32,
    /// Units on record, seeded by SQL, where cost is compared with a service that has ten thousand;
    /// ten million take 6 GB [default: not compared]
    #[arg(long, value_parser = clap::value_parser!(u32).range(20_000..=20_000_000))]
    units: Option<u32>,
    /// Length of one device's log, where cost is compared with that of a new one
    #[arg(long, default_value_t = 100_000,
        value_parser = clap::value_parser!(u32).range(1_000..=2_000_000))]
    device_log: u32,
    /// The `suyuan` program [default: the one beside this program]
    #[arg(long)]
    server: Option<PathBuf>,
    /// An empty PostgreSQL database on this machine: adds the figures with it
    #[arg(long)]
    postgres: Option<String>,
    /// Parts to leave out
    #[arg(long, value_delimiter = ',', value_enum)]
    without: Vec<Part>,
    /// As little of everything as will do: whether all of it works, not how fast
    #[arg(long, conflicts_with_all = ["rounds", "events", "devices", "batches", "backlog", "device_log"])]
    tiny: bool,
    /// Where express-pouchdb is installed [default: loadtest/pouchdb of this source]
    #[arg(long)]
    pouchdb: Option<PathBuf>,
}

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Everything on the embedded database
    Sqlite,
    /// express-pouchdb
    Pouchdb,
    /// Pulling
    Pull,
    /// Folding the log anew
    Refold,
    /// Very many devices that come online while somebody sells
    Backlog,
    /// A long log of one device
    DeviceLog,
    /// Where a million recalled units are
    Reach,
}

impl PushArgs {
    fn leaves_out(&self, part: Part) -> bool {
        self.without.contains(&part)
    }

    /// With the numbers that `--tiny` stands for.
    fn sized(&self) -> Self {
        let args = self.clone();
        if !args.tiny {
            return args;
        }
        Self {
            rounds: 1,
            events: 100,
            devices: vec![2],
            batches: vec![100],
            backlog: 300,
            device_log: 400,
            ..args
        }
    }

    fn sizes(&self) -> &'static Sizes {
        if self.tiny {
            &sizes::TINY
        } else {
            &sizes::FULL
        }
    }

    /// The figure without which a run was for nothing.
    pub fn first_figure(&self) -> &'static str {
        if self.leaves_out(Part::Sqlite) {
            "push_postgres_eps"
        } else {
            "push_sqlite_eps"
        }
    }
}

/// Takes every figure it can. Fails only on arguments that must be refused.
pub async fn run(args: &PushArgs) -> Result<Summary, LoadError> {
    if let Some(url) = &args.postgres {
        require_local_store(url)?;
    }
    let server = match &args.server {
        Some(path) => path.clone(),
        None => std::env::current_exe()
            .map_err(LoadError::io("finding this program itself"))?
            .with_file_name("suyuan"),
    };
    let args = &args.sized();
    let run = Run { args, server };
    let mut summary = Summary::of(&PUSH);
    run.describe(&mut summary);
    if args.leaves_out(Part::Sqlite) {
        summary.leave_out(&SQLITE_FIGURES, "--without sqlite was given");
    } else if let Err(error) = run.sqlite_phase(&mut summary).await {
        summary.explain(&SQLITE_FIGURES, &error.to_string());
    }
    match args.units {
        None => summary.leave_out(&["push_units_flat_ratio"], "no --units given"),
        Some(count) => run.units_phase(count, &mut summary).await,
    }
    match &args.postgres {
        None => summary.leave_out(&POSTGRES_FIGURES, "no --postgres given"),
        Some(url) => {
            if let Err(error) = run.postgres_phase(url, &mut summary).await {
                summary.explain(&POSTGRES_FIGURES, &error.to_string());
            }
        }
    }
    summary.note("load_average_at_end", json_number(process::load_average()));
    Ok(summary)
}

/// What stays the same through all phases.
struct Run<'a> {
    args: &'a PushArgs,
    server: PathBuf,
}

impl Run<'_> {
    fn describe(&self, summary: &mut Summary) {
        summary.note(
            "cores",
            "all for all: service, devices and baselines share them",
        );
        summary.note("rounds", self.args.rounds);
        summary.note("events_per_size_and_round", self.args.events);
        summary.note(
            "load_average_at_start",
            json_number(process::load_average()),
        );
        let settings: Vec<Value> = std::env::vars()
            .map(|(name, _)| name)
            .filter(|name| name.starts_with("SUYUAN__"))
            .map(Value::from)
            .collect();
        summary.note("settings_in_environment", settings);
    }

    fn configs(&self) -> Vec<Config> {
        let (batches, devices) = (&self.args.batches, &self.args.devices);
        let of = |batch: &u16| {
            let batch = usize::from(*batch);
            devices.iter().map(move |devices| Config {
                devices: usize::from(*devices),
                batch,
            })
        };
        batches.iter().flat_map(of).collect()
    }

    async fn fleet(&self, postgres: Option<&str>) -> Result<Fleet, LoadError> {
        let devices = self.args.devices.iter().max().copied().unwrap_or(1);
        self.start(postgres, usize::from(devices)).await
    }

    async fn start(&self, postgres: Option<&str>, devices: usize) -> Result<Fleet, LoadError> {
        let (server, sizes) = (&self.server, self.args.sizes());
        Fleet::start(server, postgres, Cores::shared(), devices, sizes).await
    }

    async fn sqlite_phase(&self, summary: &mut Summary) -> Result<(), LoadError> {
        let pouch = if self.args.leaves_out(Part::Pouchdb) {
            summary.leave_out(&["push_pouch_ratio"], "--without pouchdb was given");
            None
        } else {
            let folder = self.args.pouchdb.clone();
            let started = Pouch::start(&folder.unwrap_or_else(pouch::default_folder)).await;
            started
                .inspect_err(|error| summary.explain(&["push_pouch_ratio"], &error.to_string()))
                .ok()
        };
        let mut fleet = self.fleet(None).await?;
        let measured = self.measure(&mut fleet, pouch.as_ref()).await?;
        measured.report(summary);
        summary.put("push_sqlite_eps", measured.eps());
        summary.put("push_sqlite_bulk_ratio", measured.bulk_ratio());
        summary.put("replay_ratio", measured.replay_ratio());
        if pouch.is_some() {
            summary.put("push_pouch_ratio", measured.pouch_ratio());
        }
        drop(pouch);
        self.further(&mut fleet, summary).await;
        summary.put("head_held_sqlite_ms", head::measure(&mut fleet).await);
        self.reach(&fleet, "reach_million_ms", summary).await;
        Ok(())
    }

    /// Last of all on a service: what is recalled stays so.
    async fn reach(&self, fleet: &Fleet, figure: &'static str, summary: &mut Summary) {
        if self.args.leaves_out(Part::Reach) {
            summary.leave_out(&[figure], "--without reach was given");
        } else {
            let rounds = usize::from(self.args.rounds);
            match reach::measure(fleet, rounds).await {
                Ok(_) if self.args.tiny => summary.leave_out(&[figure], TINY),
                reached => summary.put(figure, reached),
            }
        }
    }

    /// What is measured beside the sizes, each part whatever becomes of the others. First what needs
    /// a log of known size.
    async fn further(&self, fleet: &mut Fleet, summary: &mut Summary) {
        if self.args.leaves_out(Part::Refold) {
            summary.leave_out(&["refold_eps"], "--without refold was given");
        } else {
            summary.put("refold_eps", self.refold(fleet).await);
        }
        if self.args.leaves_out(Part::Pull) {
            summary.leave_out(&["pull_rows_per_s"], "--without pull was given");
        } else {
            self.pull(fleet, summary).await;
        }
        if self.args.leaves_out(Part::Backlog) {
            summary.leave_out(&BACKLOG_FIGURES, "--without backlog was given");
        } else {
            self.backlog(fleet, summary).await;
        }
        if self.args.leaves_out(Part::DeviceLog) {
            summary.leave_out(&["push_log_flat_ratio"], "--without device-log was given");
        } else {
            let (length, rounds) = (self.args.device_log, usize::from(self.args.rounds));
            let flat = flat::device_log(fleet, length, rounds).await;
            compare("push_log_flat_ratio", flat, summary);
        }
    }

    async fn units_phase(&self, count: u32, summary: &mut Summary) {
        let (events, rounds) = (self.args.events as usize, usize::from(self.args.rounds));
        let fleet = || self.start(None, flat::DEVICES);
        let flat = async {
            let (mut few, mut many) = (fleet().await?, fleet().await?);
            flat::units(&mut few, &mut many, count, events, rounds).await
        };
        compare("push_units_flat_ratio", flat.await, summary);
    }

    async fn refold(&self, fleet: &Fleet) -> Result<Taken, String> {
        progress("folding the log anew");
        let file = fleet.sqlite_file().ok_or("only the embedded log is read")?;
        let first = fleet.devices.first().ok_or("no device pushed")?;
        let read = log::read(&file, REFOLD_UNITS, first.identity.device.0).await;
        let (rows, phases) = read.map_err(|error| error.to_string())?;
        let ground = Ground {
            gtin: &fleet.gtin,
            lot: &fleet.lot,
            places: &fleet.places,
            folding: fleet.sizes.folding,
        };
        refold::measure(&rows, &phases, &ground, usize::from(self.args.rounds))
    }

    async fn pull(&self, fleet: &mut Fleet, summary: &mut Summary) {
        let (rounds, units) = (usize::from(self.args.rounds), self.args.events as usize);
        match pull::measure(fleet, rounds, units).await {
            Ok(pulled) => {
                summary.add_series(&pulled.fresh, None);
                summary.add_series(&pulled.caught_up, None);
                let figure = pulled.fresh.rates().and_then(|rates| Taken::median(&rates));
                summary.put("pull_rows_per_s", figure);
            }
            Err(error) => summary.explain(&["pull_rows_per_s"], &error.to_string()),
        }
    }

    async fn backlog(&self, fleet: &mut Fleet, summary: &mut Summary) {
        let events = self.args.backlog as usize;
        let drained = match backlog::drain(fleet, events).await {
            Ok(drained) => drained,
            Err(error) => return summary.explain(&BACKLOG_FIGURES, &error.to_string()),
        };
        let series = |name: &str, outcome| {
            let mut series = Series::empty(format!("{} {name}", fleet.store()));
            series.outcomes.push(outcome);
            series
        };
        let backlog = series("backlog", drained.backlog);
        let sales = series("sale beside it", drained.sales);
        summary.add_series(&backlog, None);
        summary.add_series(&sales, None);
        let both = backlog.rates().and(sales.rates());
        let figure = |value: fn(&Outcome) -> f64, of: &Series| {
            both.clone()?;
            let values: Vec<f64> = of.outcomes.iter().map(value).collect();
            Ok(Taken::median(&values)?
                .with("backlog", events)
                .with("pushes_refused", drained.refused)
                .with("till_told_to_wait", drained.told_to_wait))
        };
        let p99 = figure(|outcome| outcome.latency_ms(0.99), &sales);
        summary.put("backlog_sale_p99_ms", p99);
        if self.args.tiny {
            summary.leave_out(&["backlog_drain_s"], TINY);
        } else if self.args.backlog < BACKLOG_EVENTS {
            let what = format!("--backlog {events}: the budget is of a million");
            summary.leave_out(&["backlog_drain_s"], &what);
        } else {
            let seconds = figure(|outcome| outcome.measured.as_secs_f64(), &backlog);
            summary.put("backlog_drain_s", seconds);
        }
    }

    async fn postgres_phase(&self, url: &str, summary: &mut Summary) -> Result<(), LoadError> {
        let mut fleet = self.fleet(Some(url)).await?;
        let measured = self.measure(&mut fleet, None).await?;
        measured.report(summary);
        summary.put("push_postgres_eps", measured.eps());
        summary.put("push_postgres_bulk_ratio", measured.bulk_ratio());
        summary.put("head_held_postgres_ms", head::measure(&mut fleet).await);
        self.reach(&fleet, "reach_million_postgres_ms", summary)
            .await;
        Ok(())
    }

    async fn measure(
        &self,
        fleet: &mut Fleet,
        pouch: Option<&Pouch>,
    ) -> Result<Measured, LoadError> {
        let (rounds, events) = (usize::from(self.args.rounds), self.args.events as usize);
        Measured::take(fleet, &self.configs(), rounds, events, pouch).await
    }
}

/// Reports two sides of a comparison.
fn compare(name: &'static str, flat: Result<Flat, LoadError>, summary: &mut Summary) {
    match flat {
        Ok(flat) => {
            summary.add_series(&flat.small, None);
            summary.add_series(&flat.large, Some(&flat.small));
            summary.put(name, flat.ratio());
        }
        Err(error) => summary.explain(&[name], &error.to_string()),
    }
}

/// The device's wall clock, which here is right.
pub fn micros_now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as Micros)
}

/// The worse of several figures, each with its own spread: a budget has to hold for all.
pub(crate) fn worst_of(taken: Vec<(String, Result<Taken, String>)>) -> Result<Taken, String> {
    let mut worst: Option<(String, Taken)> = None;
    for (name, figure) in taken {
        let figure = figure?;
        if worst
            .as_ref()
            .is_none_or(|(_, held)| figure.value() < held.value())
        {
            worst = Some((name, figure));
        }
    }
    let (name, figure) = worst.ok_or("nothing of this size was pushed")?;
    Ok(figure.with("worst_of", name))
}

fn json_number(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::from)
}
