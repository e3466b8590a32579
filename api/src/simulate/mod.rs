//! `suyuan simulate`: the whole agreement between handsets and servers, run from a seed in virtual
//! time, with everything going wrong that can, and what a run can show of sync.md section 9 looked at.
//!
//! The servers are real: their database, their routes and handlers, the signatures. Only sockets,
//! time and chance are made: a request is handed to the router in memory, the clock stands until it
//! is set, and all chance comes from the seed. So a run that broke something breaks it again.
//!
//! - `run` is what there is and virtual time, `faults` what goes wrong and what is decided of devices
//!   and events, `recalls` of recalls, `desks` what else is decided, `late` what is filed late, `scans` what is scanned, `loose`
//!   of goods without codes, `crowds` what comes at once,
//!   `wire` what is sent and answered, `heard` what a handset makes of it, `post` the network, `handset` a
//!   device, `seen` what it was told, `tabs` a second program in it, `damage` what its storage does to it, `down` what it fetches, `badges` who may work with it, `node`
//!   a server process.
//! - `check` says which invariants are looked at when; they are `suyuan_sync::invariants`, and of what
//!   is told to people and handsets `reports`, `known`, `strangers`, `stands` and `answers`, of some of
//!   them at a time `asked`; `shown` is what of events shows; `checkpoints` and `bounds` are of what
//!   handsets are sent.
//!
//! It is no part of the service: nothing here may be called by it.

mod answers;
mod asked;
mod badges;
mod bounds;
mod check;
mod checkpoints;
mod crowds;
mod damage;
mod desks;
mod dice;
mod down;
mod faults;
mod handset;
mod heard;
mod known;
mod late;
mod loose;
mod node;
mod post;
mod recalls;
mod reports;
mod run;
mod scans;
mod seen;
mod shown;
mod stands;
mod store;
mod strangers;
mod tabs;
mod wire;
mod world;

use run::{Run, Stop};
use std::{collections::BTreeMap, fmt, sync::Arc};
use suyuan_sync::{
    chain::{self, Hash},
    facts::{Fact, World},
    invariants::Broken,
};
use thiserror::Error;

/// What is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where all chance comes from.
    pub seed: u64,
    /// How many steps before everything heals.
    pub steps: u32,
    /// An empty PostgreSQL database; none: SQLite in a folder that is removed afterwards.
    pub database: Option<String>,
    /// Server processes on it.
    pub servers: usize,
    /// Handsets.
    pub devices: usize,
    /// What is left out.
    pub without: Vec<Part>,
    /// How many steps between two looks at the whole log.
    pub every: u32,
    /// Two servers may work at the very same time: what the second read is out of date when its turn
    /// comes.
    pub race: bool,
    /// Only the first of the servers that run is ever asked; the others stand beside it.
    pub one_works: bool,
    /// Tell everything that happens on standard error, and keep the database of a run that broke.
    pub verbose: bool,
}

/// A part of a run that may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Nothing goes wrong: no loss, no death, no wrong clock.
    Faults,
    /// Nothing is recalled.
    Recalls,
    /// No goods without codes of their own.
    Lots,
    /// No snapshots, and nothing else that is fetched besides pages: every handset reads the log from
    /// its beginning, and the pieces of recall lists are not fetched. What seeds made before there were
    /// snapshots, they make without them.
    Snapshots,
    /// No second tab of a handset that goes on beside the one that writes. What seeds made before there
    /// were any, they make without them.
    Tabs,
    /// No crowds: nobody scans all day what all others scan, nobody sets a clock while scanning, and no
    /// push comes while another's act waits. What seeds made before there were any, they make without
    /// them.
    Crowds,
    /// Nobody decides anything at a desk, nor reads there; goods without codes do not come back and are
    /// neither fetched back nor destroyed; no battery is pulled while something is written. What seeds made before there were any, they make without them.
    Desks,
    /// No bit turns on the storage of a handset. What seeds made before any did, they make without it.
    Damage,
    /// No container is sold, brought back, fetched back, destroyed, inspected or counted by its own code, or
    /// put into what lies in it; no goods without codes are in one. No count is accepted, or comes in several
    /// documents; no recall says where to, no receipt is another's, nobody sells what they know is recalled
    /// and says that they did not, nobody takes back what they stated before a shift ended, nobody scans at
    /// another's place, nothing is filed late, no power fails while everything heals. What seeds made before
    /// there was any of it, they make without it.
    Rare,
}

impl Options {
    /// Is this part of it?
    pub fn has(&self, part: Part) -> bool {
        !self.without.contains(&part)
    }

    /// Everything, for this seed.
    pub fn of(seed: u64) -> Options {
        Options {
            seed,
            steps: 500,
            database: None,
            servers: 2,
            devices: 40,
            without: Vec::new(),
            every: 50,
            race: false,
            one_works: false,
            verbose: false,
        }
    }
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Ran {
    /// From this seed.
    pub seed: u64,
    /// How far it came.
    pub steps: u32,
    /// A hash over everything that happened, in order, and over the log: equal runs have equal ones.
    pub history: Hash,
    /// A hash over what became of all units and goods of lots when the log was last looked at as a whole,
    /// findings included.
    pub states: Hash,
    /// How often what happened.
    pub tally: BTreeMap<&'static str, u64>,
    /// Events in the log.
    pub events: usize,
    /// What the log held when it was last looked at as a whole: the events that count, and what was
    /// on record.
    pub facts: Vec<Arc<Fact>>,
    /// See `facts`.
    pub world: World,
    /// The invariant that does not hold, and where that was seen.
    pub broken: Option<Broken>,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}, {} steps, {} events",
            self.seed, self.steps, self.events
        )?;
        for (what, times) in &self.tally {
            writeln!(f, "  {times:>6}  {what}")?;
        }
        writeln!(f, "history {}", self.history)?;
        match &self.broken {
            None => write!(f, "every invariant held"),
            Some(broken) => write!(f, "step {} of seed {}: {broken}", self.steps, self.seed),
        }
    }
}

/// Why a run could not go on. Never a broken invariant.
#[derive(Debug, Error)]
pub enum SimulateError {
    /// A key could not be made or used.
    #[error(transparent)]
    Key(#[from] crate::played::NoKey),
    /// No server runs.
    #[error("no server runs")]
    Down,
    /// A handset never came to the end of what changed.
    #[error("a handset never came to the end of what changed")]
    Behind,
    /// A call was answered otherwise than the protocol says.
    #[error("{0} was answered {1}")]
    Answered(&'static str, u16),
    /// The database's word.
    #[error("database")]
    Db(#[from] sea_orm::DbErr),
    /// The database cannot be opened.
    #[error("database")]
    Open(#[from] crate::db::OpenError),
    /// The service does not start.
    #[error("start")]
    Start(#[from] crate::app::StartError),
    /// Something is no JSON.
    #[error("JSON")]
    Json(#[from] serde_json::Error),
    /// The folder.
    #[error("folder")]
    Folder(#[from] std::io::Error),
    /// The settings.
    #[error("settings")]
    Settings(#[from] crate::config::SettingsError),
    /// Secrets.
    #[error("secrets")]
    Seal(#[from] crate::sealing::SealError),
    /// The world could not be made.
    #[error("the world: {0}")]
    World(String),
    /// A device could not be made.
    #[error("device")]
    Device(#[from] crate::handheld::devices::DeviceError),
    /// Something could not be folded.
    #[error("folding")]
    Fold(#[from] crate::handheld::push::PushError),
    /// Something could not be taken in.
    #[error("aside")]
    Aside(#[from] crate::handheld::aside::AsideError),
    /// Master data cannot be read.
    #[error("master data")]
    Record(#[from] crate::handheld::world::WorldError),
    /// A pull failed.
    #[error("pull")]
    Pull(#[from] crate::handheld::down::pull::PullError),
}

impl From<crate::problem::Problem> for SimulateError {
    fn from(problem: crate::problem::Problem) -> SimulateError {
        SimulateError::World(format!("{problem:?}"))
    }
}

/// Runs it.
pub async fn simulate(options: Options) -> Result<Ran, SimulateError> {
    let every = options.every.max(1);
    let mut run = Run::begin(options).await?;
    let came = through(&mut run, every).await;
    let broken = match came {
        Ok(()) => None,
        Err(Stop::Broken(broken)) => Some(broken),
        Err(Stop::Failed(error)) => return Err(error),
    };
    for logged in &run.log.events {
        let line = format!(
            "{} {} {:?} {:?}",
            logged.gseq, logged.hash, logged.fate, logged.order
        );
        run.trail = chain::next(run.trail, line.as_bytes());
    }
    let ran = Ran {
        seed: run.options.seed,
        steps: run.step,
        history: run.trail,
        states: run.states(),
        tally: run.tally.clone(),
        events: run.log.events.len(),
        facts: std::mem::take(&mut run.told.0),
        world: std::mem::take(&mut run.told.1),
        broken,
    };
    run.end(ran.broken.is_some()).await;
    Ok(ran)
}

async fn through(run: &mut Run, every: u32) -> Result<(), Stop> {
    for step in 1..=run.options.steps {
        run.step().await?;
        run.look().await?;
        if step % every == 0 {
            run.look_closely().await?;
        }
    }
    run.heal().await?;
    run.look().await?;
    run.all_damage_is_found()?;
    run.look_closely().await?;
    run.compare_readers().await
}
