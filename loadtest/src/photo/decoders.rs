//! Decoders, ours and others', each asked for all pictures in one go: what each read in each file,
//! and the processor time it took. One that is not installed says so and the others go on.

use crate::LoadError;
use serde::Deserialize;
use std::{
    fs, panic,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

/// Who reads.
pub enum Decoder {
    /// `suyuan read-photo`
    Ours(PathBuf),
    /// rqrr as it comes: the baseline.
    Rqrr,
    /// zxing-cpp, by way of its Python module.
    Zxing(PathBuf),
    /// `zbarimg`
    Zbar(PathBuf),
}

/// What was read.
pub struct Read {
    /// The texts found in each file, in the order of the files.
    pub texts: Vec<Vec<String>>,
    /// Processor time for all.
    pub cpu: Duration,
}

/// What `suyuan read-photo` and the script below print for each file.
#[derive(Deserialize)]
struct Line {
    texts: Vec<String>,
    cpu_us: u64,
}

/// Reads the files named as arguments with zxing-cpp, as it comes, looking for QR codes.
const ZXING: &str = "\
import json, sys, time, zxingcpp
from PIL import Image
for name in sys.argv[1:]:
    before = time.thread_time()
    found = zxingcpp.read_barcodes(Image.open(name), formats=zxingcpp.BarcodeFormat.QRCode)
    taken = time.thread_time() - before
    print(json.dumps({'texts': [code.text for code in found], 'cpu_us': int(taken * 1e6)}))
";

impl Decoder {
    /// Its name in the report.
    pub fn name(&self) -> &'static str {
        match self {
            Decoder::Ours(_) => "suyuan",
            Decoder::Rqrr => "rqrr",
            Decoder::Zxing(_) => "zxing-cpp",
            Decoder::Zbar(_) => "zbar",
        }
    }

    /// Has it read all files.
    pub fn read(&self, files: &[PathBuf]) -> Result<Read, LoadError> {
        match self {
            Decoder::Ours(program) => {
                let mut command = Command::new(program);
                lines(&output(command.arg("read-photo").args(files))?, files)
            }
            Decoder::Rqrr => rqrr_reads(files),
            Decoder::Zxing(python) => {
                let mut command = Command::new(python);
                lines(&output(command.args(["-c", ZXING]).args(files))?, files)
            }
            Decoder::Zbar(program) => {
                let before = children_cpu();
                let mut command = Command::new(program);
                command.args(["-q", "--xml", "-Sdisable", "-Sqrcode.enable"]);
                let said = output(command.args(files))?;
                let cpu = children_cpu().saturating_sub(before);
                let said = String::from_utf8_lossy(&said.stdout);
                let texts = files.iter().map(|file| in_xml(&said, file)).collect();
                Ok(Read { texts, cpu })
            }
        }
    }
}

fn output(command: &mut Command) -> Result<Output, LoadError> {
    let program = command.get_program().display().to_string();
    let output = command
        .output()
        .map_err(LoadError::io(format!("starting {program}")))?;
    // zbarimg ends with 4 where some file held nothing.
    if output.status.success() || output.status.code() == Some(4) {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.trim_end().lines().next_back().unwrap_or_default();
    Err(LoadError::Unusable(format!("{program} failed: {last}")))
}

/// A line for each file.
fn lines(output: &Output, files: &[PathBuf]) -> Result<Read, LoadError> {
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Result<Vec<Line>, _> = said.lines().map(serde_json::from_str).collect();
    let lines = lines.map_err(|error| LoadError::Unusable(format!("not the lines: {error}")))?;
    if lines.len() != files.len() {
        let what = format!("{} lines for {} files", lines.len(), files.len());
        return Err(LoadError::Unusable(what));
    }
    Ok(Read {
        cpu: Duration::from_micros(lines.iter().map(|line| line.cpu_us).sum()),
        texts: lines.into_iter().map(|line| line.texts).collect(),
    })
}

fn rqrr_reads(files: &[PathBuf]) -> Result<Read, LoadError> {
    let mut read = Read {
        texts: Vec::new(),
        cpu: Duration::ZERO,
    };
    let before_hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {})); // it panics on some pictures: then it found nothing
    for file in files {
        let bytes = fs::read(file).map_err(LoadError::io("reading a label"))?;
        let before = own_cpu();
        let found = panic::catch_unwind(|| rqrr_reads_one(&bytes));
        read.cpu += own_cpu().saturating_sub(before);
        read.texts.push(found.unwrap_or_default());
    }
    panic::set_hook(before_hook);
    Ok(read)
}

fn rqrr_reads_one(png: &[u8]) -> Vec<String> {
    let Ok(picture) = image::load_from_memory(png) else {
        return Vec::new();
    };
    let picture = picture.into_luma8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let level = |x: usize, y: usize| picture.as_raw()[y * width + x];
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, level);
    let grids = prepared.detect_grids();
    let texts = grids.iter().filter_map(|grid| grid.decode().ok());
    texts.map(|(_, text)| text).collect()
}

/// The texts zbar's XML holds for a file.
fn in_xml(said: &str, file: &Path) -> Vec<String> {
    let source = format!("<source href='{}'>", file.display());
    let Some((_, from)) = said.split_once(&source) else {
        return Vec::new();
    };
    let (own, _) = from.split_once("</source>").unwrap_or((from, ""));
    let texts = own.split("<![CDATA[").skip(1);
    let texts = texts.filter_map(|text| Some(text.split_once("]]>")?.0.to_owned()));
    texts.collect()
}

/// Processor time of this thread.
fn own_cpu() -> Duration {
    let account = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = account.split(' ').next().and_then(|n| n.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// Processor time of children that have ended, to a hundredth of a second.
fn children_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(13).take(2);
    Duration::from_millis(10 * ticks.filter_map(|n| n.parse::<u64>().ok()).sum::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zbars_answers_are_taken_apart_by_file() {
        let said = "<barcodes><source href='/a/1.png'><index num='0'></index></source>\
            <source href='/a/2.png'><symbol><data><![CDATA[https://x/01/1]]></data></symbol>\
            </source></barcodes>";
        assert!(in_xml(said, Path::new("/a/1.png")).is_empty());
        assert_eq!(in_xml(said, Path::new("/a/2.png")), ["https://x/01/1"]);
        assert!(in_xml(said, Path::new("/a/3.png")).is_empty());
    }

    #[test]
    fn a_decoder_that_is_not_there_is_an_error_that_names_it() {
        let absent = Decoder::Zbar("/nowhere/zbarimg".into());
        let error = absent.read(&[]).err().unwrap().to_string();
        assert!(error.contains("/nowhere/zbarimg"), "{error}");
    }
}
