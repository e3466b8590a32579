//! The command line: `scan` takes the figures of consumer scans, `baseline` is the bare handler it
//! starts beside the service. Everything else is in the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use suyuan_loadtest::{
    LoadError,
    baseline::{self, BaselineArgs},
    drive::on_this_thread,
    photo::{self, PhotoArgs},
    process::Cores,
    scan::{self, ScanArgs},
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
    /// QR codes decoded in hard pictures, beside other decoders
    Photo(PhotoArgs),
    /// The bare handler the figures are ratios to (started by `scan`)
    Baseline(BaselineArgs),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Scan(args) => scan_until_signal(&args),
        Command::Photo(args) => photo::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Baseline(args) => baseline::serve(&args).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("suyuan-loadtest: {error}");
        ExitCode::FAILURE
    })
}

/// On a signal the run is dropped, and with it the children it started.
fn scan_until_signal(args: &ScanArgs) -> Result<ExitCode, LoadError> {
    let cores = Cores::choose();
    eprintln!("{}", cores.describe());
    cores.pin_this_process()?;
    on_this_thread(async {
        let mut terminated =
            signal(SignalKind::terminate()).map_err(LoadError::io("waiting for signals"))?;
        let summary = tokio::select! {
            summary = scan::run(args, cores) => summary?,
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::from(130)),
            _ = terminated.recv() => return Ok(ExitCode::from(143)),
        };
        if args.json {
            println!("{}", summary.to_json());
        } else {
            println!("{}", summary.to_table());
        }
        let missed = summary.missed();
        let held = !args.check || missed.is_empty();
        if !held {
            eprintln!("missed or not taken: {}", missed.join(", "));
        }
        Ok(if held && summary.is_taken("scan_hot_ratio") {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })?
}
