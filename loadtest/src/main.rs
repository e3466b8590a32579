//! The command line: `scan` takes the figures of consumer scans, `push` those of devices, `baseline` is the bare handler it
//! starts beside the service. Everything else is in the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use suyuan_loadtest::{
    LoadError,
    baseline::{self, BaselineArgs},
    drive::on_this_thread,
    photo::{self, PhotoArgs},
    process::Cores,
    push::{self, PushArgs},
    scan::{self, ScanArgs},
    summary::Summary,
};
use tokio::signal::unix::{SignalKind, signal};

/// Drives a Suyuan service on this machine and reports its figures.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Consumer scans: throughput, latency, recall, issuing, memory, page size
    Scan(ScanArgs),
    /// What devices upload: throughput, replay, pull, a backlog beside a till, folding
    Push(PushArgs),
    /// QR codes decoded in hard pictures, beside other decoders
    Photo(PhotoArgs),
    /// The bare handler the figures are ratios to (started by `scan`)
    Baseline(BaselineArgs),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Scan(args) => scan_until_signal(&args),
        Command::Push(args) => push_until_signal(&args),
        Command::Photo(args) => photo::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Baseline(args) => baseline::serve(&args).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("suyuan-loadtest: {error}");
        ExitCode::FAILURE
    })
}

fn scan_until_signal(args: &ScanArgs) -> Result<ExitCode, LoadError> {
    let cores = Cores::choose();
    eprintln!("{}", cores.describe());
    cores.pin_this_process()?;
    let say = Say {
        json: args.json,
        check: args.check,
        needed: "scan_hot_ratio",
    };
    until_signal(scan::run(args, cores), &say)
}

fn push_until_signal(args: &PushArgs) -> Result<ExitCode, LoadError> {
    let say = Say {
        json: args.json,
        check: args.check,
        needed: args.first_figure(),
    };
    until_signal(push::run(args), &say)
}

/// How a run ends.
struct Say {
    json: bool,
    check: bool,
    /// Without this figure the run was for nothing.
    needed: &'static str,
}

/// On a signal the run is dropped, and with it the children it started.
fn until_signal(
    run: impl Future<Output = Result<Summary, LoadError>>,
    say: &Say,
) -> Result<ExitCode, LoadError> {
    on_this_thread(async {
        let mut terminated =
            signal(SignalKind::terminate()).map_err(LoadError::io("waiting for signals"))?;
        let summary = tokio::select! {
            summary = run => summary?,
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::from(130)),
            _ = terminated.recv() => return Ok(ExitCode::from(143)),
        };
        if say.json {
            println!("{}", summary.to_json());
        } else {
            println!("{}", summary.to_table());
        }
        let missed = summary.missed();
        let held = !say.check || missed.is_empty();
        if !held {
            eprintln!("missed or not taken: {}", missed.join(", "));
        }
        Ok(if held && summary.is_taken(say.needed) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })?
}
