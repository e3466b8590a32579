//! Processes that read pictures: who may start one, how long it may take, what it said. A picture
//! that kills its reader, or makes it go on for ever, costs that reader and nothing else.

use super::{BYTES_MAX, CODES_MAX, picture::Fault, worker::Line};
use crate::config::Photo;
use std::{ffi::OsString, io, path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::Command,
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// Pictures held at once, from the first byte of the upload to the answer.
pub const HELD_MAX: usize = 16;
/// Readers at once.
const READERS_MAX: usize = 2;
/// Longest wait for a reader to be free.
const WAIT_MAX: Duration = Duration::from_secs(3);
/// A reader says no more: eight texts of the longest QR code, every character escaped.
const SAID_MAX: u64 = (CODES_MAX * 7089 * 6) as u64;

/// Starts readers.
pub struct Readers {
    held: Semaphore,
    turns: Semaphore,
    program: OsString,
    within: Duration,
    /// An upload must be complete within this.
    pub upload_within: Duration,
}

/// What a reader found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The codes' texts; hostile until parsed.
    pub texts: Vec<String>,
    /// Why the picture was refused.
    pub fault: Option<Fault>,
}

/// Too many at once.
#[derive(Debug)]
pub struct Busy;

impl Readers {
    /// As the settings say.
    pub fn new(settings: &Photo) -> Readers {
        Readers {
            held: Semaphore::new(HELD_MAX),
            turns: Semaphore::new(READERS_MAX),
            program: program(&settings.reader),
            within: Duration::from_millis(settings.read_ms),
            upload_within: Duration::from_millis(settings.upload_ms),
        }
    }

    /// Room for one more picture; given back when dropped.
    pub fn room(&self) -> Result<SemaphorePermit<'_>, Busy> {
        self.held.try_acquire().map_err(|_| Busy)
    }

    /// Has a picture read. The reader is gone when this returns or is dropped.
    pub async fn read(&self, picture: &[u8]) -> Result<Reading, Busy> {
        debug_assert!(picture.len() <= BYTES_MAX);
        let turn = timeout(WAIT_MAX, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| Busy)?.map_err(|_| Busy)?;
        self.ask(picture).await.map_err(|error| {
            tracing::error!(%error, "no reader of pictures could be started");
            Busy
        })
    }

    async fn ask(&self, picture: &[u8]) -> io::Result<Reading> {
        let mut child = Command::new(&self.program)
            .args(["read-photo", "--within-ms"])
            .arg(self.within.as_millis().to_string())
            .env_clear() // secrets may stand there
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut reading = Reading::default();
        let mut done = false;
        let telling = async {
            if let Some(mut stdin) = stdin {
                // A reader may refuse a picture before it has it all.
                let _ = stdin.write_all(picture).await;
            }
        };
        let hearing = async {
            let Some(stdout) = stdout else { return };
            let mut lines = BufReader::new(stdout.take(SAID_MAX)).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                match serde_json::from_str(&line) {
                    Ok(Line::Text(text)) if reading.texts.len() < CODES_MAX => {
                        reading.texts.push(text);
                    }
                    Ok(Line::Fault(fault)) => reading.fault = Some(fault),
                    Ok(Line::Done) => done = true,
                    Ok(Line::Text(_)) | Err(_) => break,
                }
            }
        };
        let _ = timeout(self.within, async { tokio::join!(telling, hearing) }).await;
        child.kill().await?;
        if !done {
            metrics::counter!("suyuan_photo_readers_lost_total").increment(1);
        }
        Ok(reading)
    }
}

/// The program that reads: this very one, even if its file was replaced meanwhile.
fn program(named: &str) -> OsString {
    const THIS: &str = "/proc/self/exe";
    if !named.is_empty() {
        return named.into();
    }
    if Path::new(THIS).exists() {
        return THIS.into();
    }
    std::env::current_exe().map_or_else(|_| "suyuan".into(), OsString::from)
}
