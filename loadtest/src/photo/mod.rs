//! The photo budget: what `suyuan read-photo` decodes of a seeded set of hard labels, and how long
//! it takes, beside other decoders on the same files in the same run. The baseline is rqrr as it
//! comes, which runs in this program; zxing-cpp and zbar take part where they are installed.
//!
//! Times are processor time, so that other work on the machine weighs less; each includes opening
//! the PNG file.

mod decoders;
pub mod draw;
pub mod labels;
mod report;

use crate::{LoadError, process::ScratchFolder, summary::progress};
use decoders::Decoder;
use report::{Report, Row};
use std::{fs, path::PathBuf};

/// Flags of `suyuan-loadtest photo`.
#[derive(Debug, clap::Args)]
pub struct PhotoArgs {
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Draws the same labels again
    #[arg(long, default_value_t = 20_260_101)]
    seed: u64,
    /// Labels of each of the ten kinds
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    each: u16,
    /// The `suyuan` program [default: the one beside this program]
    #[arg(long)]
    server: Option<PathBuf>,
    /// A Python with the module `zxingcpp`
    #[arg(long, default_value = "python3")]
    zxing_python: PathBuf,
    /// The program of zbar
    #[arg(long, default_value = "zbarimg")]
    zbarimg: PathBuf,
}

/// Draws the set, has every decoder read it, prints.
pub fn run(args: &PhotoArgs) -> Result<(), LoadError> {
    let ours = match &args.server {
        Some(path) => path.clone(),
        None => std::env::current_exe()
            .map_err(LoadError::io("finding this program itself"))?
            .with_file_name("suyuan"),
    };
    progress("drawing labels");
    let folder = ScratchFolder::new()?;
    let mut files = Vec::new();
    let set = labels::labels(args.seed, usize::from(args.each));
    for (n, label) in set.iter().enumerate() {
        let file = folder.path().join(format!("{n:04}.png"));
        let unusable = |e| LoadError::Unusable(format!("a label cannot be drawn: {e}"));
        let png = label.picture.png().map_err(unusable)?;
        fs::write(&file, png).map_err(LoadError::io("writing a label"))?;
        files.push(file);
    }
    let decoders = [
        Decoder::Ours(ours),
        Decoder::Rqrr,
        Decoder::Zxing(args.zxing_python.clone()),
        Decoder::Zbar(args.zbarimg.clone()),
    ];
    let rows = decoders.iter().map(|decoder| {
        progress(decoder.name());
        let read = decoder.read(&files);
        Row::new(decoder.name(), &set, read)
    });
    let report = Report::new(args.seed, set.len(), rows.collect());
    if args.json {
        println!("{}", report.to_json());
    } else {
        println!("{}", report.to_table());
    }
    report.ours_was_taken()
}
