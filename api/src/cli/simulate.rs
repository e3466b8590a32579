//! `suyuan simulate`: runs handsets and servers from a seed, and says which promise broke, if any.
//!
//! Who looks for a seed that breaks a promise must not take a run for one that could not go on: that ends
//! otherwise, as does a call that is not understood.

use clap::Args;
use std::{error::Error, process::ExitCode};
use suyuan::{
    simulate::{Options, Part, simulate},
    telemetry,
};
use suyuan_sync::bugs::{Bug, switched_on};

/// What is run.
#[derive(Args)]
pub struct SimulateArgs {
    /// Where all chance comes from: the same seed makes the same run.
    #[arg(long)]
    seed: u64,
    /// How many steps before everything heals.
    #[arg(long, default_value_t = 500)]
    steps: u32,
    /// An empty PostgreSQL database for two server processes; without it, one on SQLite in a folder
    /// that is removed afterwards.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// How many handsets.
    #[arg(long, default_value_t = 40)]
    devices: usize,
    /// How many steps between two looks at the whole log.
    #[arg(long, default_value_t = 50)]
    every: u32,
    /// What is left out of it.
    #[arg(long, value_delimiter = ',')]
    without: Vec<Part>,
    /// Tell everything that happens on standard error, and keep the database of a run that broke.
    #[arg(long)]
    verbose: bool,
    /// Switch a deliberate bug on, by its number, so that something breaks. Only test builds have any.
    #[arg(long, hide = true, value_name = "NUMBER")]
    bug: Option<u8>,
}

/// Exit status of a run that could not go on.
const COULD_NOT_GO_ON: u8 = 2;

/// Exit status 1 if an invariant broke, 2 if the run could not go on.
pub async fn run(args: SimulateArgs) -> ExitCode {
    match tried(args).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("suyuan: {}", telemetry::in_full(error.as_ref()));
            ExitCode::from(COULD_NOT_GO_ON)
        }
    }
}

async fn tried(args: SimulateArgs) -> Result<ExitCode, Box<dyn Error>> {
    if let Some(number) = args.bug {
        let halves = Bug::of_number(number).filter(|bug| switched_on(*bug));
        if halves.count() == 0 {
            return Err("this program has no such bug to switch on".into());
        }
    }
    let ran = Box::pin(simulate(Options {
        steps: args.steps,
        database: args.database,
        devices: args.devices,
        every: args.every,
        without: args.without,
        verbose: args.verbose,
        ..Options::of(args.seed)
    }))
    .await?;
    println!("{ran}");
    Ok(if ran.broken.is_none() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
