//! The process that reads one picture: takes its limits upon itself, reads the picture from
//! standard input and tells each text as a line of its own, so that what was found is known even
//! if it is killed for what it does next. Started by `readers`, and by hand for pictures in files.

use super::{BYTES_MAX, cascade, picture, picture::Fault};
use rustix::process::{Resource, Rlimit, nice, setrlimit};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, Read, Write},
    panic,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Most bytes of memory a reader may map, its program included.
pub const MEMORY_MAX: u64 = 512 * 1024 * 1024;
/// How far a reader steps back behind those who wait for an ordinary scan.
const NICENESS: i32 = 10;

/// What a reader says, one JSON value a line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Line {
    /// The text of a code.
    Text(String),
    /// The picture was refused.
    Fault(Fault),
    /// Everything was tried.
    Done,
}

/// Reads the picture on standard input, and says on standard output what it finds. Stops between
/// two steps once three quarters of `within` are over; a step that takes longer is stopped from
/// outside.
pub fn read_one(within: Duration) -> io::Result<()> {
    limit(within)?;
    panic::set_hook(Box::new(|_| {})); // a decoder's panic is an ordinary outcome here
    let started = Instant::now();
    let mut bytes = Vec::new();
    let most = BYTES_MAX as u64 + 1;
    io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    let mut out = io::stdout().lock();
    let mut say = |line: &Line| {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        out.write_all(&text)?;
        out.flush()
    };
    match picture::grey(&bytes) {
        Err(fault) => say(&Line::Fault(fault))?,
        Ok(grey) => {
            drop(bytes);
            let late = || started.elapsed() > within * 3 / 4;
            cascade::read(&grey, late, |text| {
                // Whoever does not listen any more does not want to know.
                let _ = say(&Line::Text(text.to_owned()));
            });
        }
    }
    say(&Line::Done)
}

/// Memory, time, no files, no core dump.
fn limit(within: Duration) -> io::Result<()> {
    let seconds = within.as_secs() + 1;
    for (resource, most) in [
        (Resource::Cpu, seconds),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
        (Resource::As, MEMORY_MAX),
    ] {
        let most = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, most)?;
    }
    nice(NICENESS)?;
    Ok(())
}

/// What a file held, for `suyuan read-photo FILE…`.
#[derive(Serialize)]
struct FileRead<'a> {
    file: &'a Path,
    texts: Vec<String>,
    fault: Option<Fault>,
    /// Processor time; 0 where the system does not tell.
    cpu_us: u128,
}

/// Reads pictures in files, in this process and without limits: they are the caller's own.
pub fn read_files(files: &[PathBuf]) -> io::Result<()> {
    panic::set_hook(Box::new(|_| {}));
    for file in files {
        let bytes = fs::read(file)?;
        let before = cpu_time();
        let mut texts = Vec::new();
        let grey = picture::grey(&bytes);
        if let Ok(grey) = &grey {
            cascade::read(grey, || false, |text| texts.push(text.to_owned()));
        }
        let read = FileRead {
            file,
            texts,
            fault: grey.err(),
            cpu_us: cpu_time().saturating_sub(before).as_micros(),
        };
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, &read)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Processor time of this thread so far, from Linux' own account.
fn cpu_time() -> Duration {
    let account = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = account
        .split(' ')
        .next()
        .and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
