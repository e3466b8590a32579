//! The baseline of a peer: express-pouchdb on LevelDB, which does not wait for the disk, taking the
//! same texts as documents by `_bulk_docs`, as many to a call and over as many connections. It
//! checks no signature, knows no unit and finds nothing; it is what a shop that builds its own
//! would take first.
//!
//! `loadtest/pouchdb` says what is installed by npm, once, into its git-ignored `node_modules`.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::Value;
use tokio::{task::spawn_local, time::timeout};

use super::lanes::{Tally, Watch};
use crate::{
    LoadError,
    client::{Connection, call, request},
    drive::Outcome,
    http::Decoder,
    process::{Running, ScratchFolder},
    summary::progress,
    target::Target,
};

const READY_LIMIT: Duration = Duration::from_secs(30);
const INSTALL_LIMIT: Duration = Duration::from_mins(5);
const CALL_LIMIT: Duration = Duration::from_secs(30);
/// A run that takes longer is given up.
const LIMIT: Duration = Duration::from_mins(10);

/// Running; killed, and its folder removed, on drop.
pub struct Pouch {
    // Order matters: the process goes before its folder.
    process: Running,
    _folder: ScratchFolder,
    target: Target,
}

#[derive(Deserialize)]
struct Announced {
    url: String,
}

impl Pouch {
    /// Installs it if it is not, and starts it with an empty database.
    pub async fn start(folder: &Path) -> Result<Self, LoadError> {
        install(folder).await?;
        let data = ScratchFolder::new()?;
        let mut command = Command::new("node");
        command
            .arg(folder.join("server.mjs"))
            .arg(data.path())
            .current_dir(data.path())
            .env("NODE_ENV", "production")
            .stderr(Stdio::null());
        let mut process = Running::start(&mut command)?;
        let line = process.first_line(READY_LIMIT).await.ok_or_else(|| {
            LoadError::Unusable("express-pouchdb did not become ready".to_owned())
        })?;
        let announced: Announced = serde_json::from_str(&line)
            .map_err(|error| LoadError::Unusable(format!("express-pouchdb said: {error}")))?;
        let pouch = Self {
            target: Target::parse(&announced.url)?,
            process,
            _folder: data,
        };
        let bytes = request(&pouch.target, "PUT", "/events", &[], Some(b"{}"));
        call(&pouch.target, &bytes, CALL_LIMIT)
            .await?
            .succeeded("PUT /events")?;
        Ok(pouch)
    }

    /// Uploads these queues, each over a connection of its own, a part of a queue to a call.
    pub async fn upload(&self, queues: Vec<Vec<Vec<u8>>>) -> Result<Outcome, LoadError> {
        let mut ready = Vec::with_capacity(queues.len());
        for queue in queues {
            ready.push((queue, Connection::open(&self.target).await?));
        }
        let watch = Watch::start(Some(self.process.pid()));
        let tally = Rc::new(RefCell::new(Tally::new(watch.since())?));
        let tasks: Vec<_> = ready
            .into_iter()
            .map(|(queue, connection)| {
                spawn_local(upload(
                    queue,
                    connection,
                    self.target.clone(),
                    tally.clone(),
                ))
            })
            .collect();
        for task in tasks {
            let left = LIMIT.saturating_sub(watch.since().elapsed());
            let ended = timeout(left, task).await;
            ended
                .map_err(|_| LoadError::TimedOut {
                    what: "uploading to express-pouchdb".to_owned(),
                    limit: LIMIT,
                })?
                .map_err(|_| LoadError::Unusable("a connection's task ended".to_owned()))?;
        }
        let mut tally = tally.borrow_mut();
        watch.stop(&mut tally)
    }
}

async fn upload(
    queue: Vec<Vec<u8>>,
    mut connection: Connection,
    target: Target,
    tally: Rc<RefCell<Tally>>,
) {
    let mut body = Vec::new();
    for docs in queue {
        let bytes = request(&target, "POST", "/events/_bulk_docs", &[], Some(&docs));
        let since = Instant::now();
        body.clear();
        let mut decoder = Decoder::new();
        let done = connection
            .exchange(&bytes, &mut decoder, |part| body.extend_from_slice(part))
            .await;
        let told = match (done, decoder.status()) {
            (Ok(()), 201) => count_stored(&body),
            (Ok(()), status) => Err(format!("status {status}")),
            (Err(error), _) => Err(error.to_string()),
        };
        match told {
            Ok(stored) => tally.borrow_mut().answered(stored, since.elapsed()),
            Err(what) => return tally.borrow_mut().wrong(format!("express-pouchdb: {what}")),
        }
    }
}

/// How many documents were stored; none may have failed.
fn count_stored(body: &[u8]) -> Result<usize, String> {
    let rows: Vec<Value> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    match rows.iter().find(|row| row["ok"] != true) {
        Some(row) => Err(format!("a document was not stored: {row}")),
        None => Ok(rows.len()),
    }
}

/// The body of a `_bulk_docs` of these event texts: each a document under its own id.
pub fn documents(texts: &[String]) -> Result<Vec<u8>, LoadError> {
    #[derive(Deserialize)]
    struct Named {
        event_id: String,
    }
    let mut body = br#"{"docs":["#.to_vec();
    for (n, text) in texts.iter().enumerate() {
        let named: Named = serde_json::from_str(text)
            .map_err(|error| LoadError::Unusable(format!("an event: {error}")))?;
        if n > 0 {
            body.push(b',');
        }
        body.extend_from_slice(format!(r#"{{"_id":"{}","#, named.event_id).as_bytes());
        body.extend_from_slice(text.get(1..).unwrap_or_default().as_bytes());
    }
    body.extend_from_slice(b"]}");
    Ok(body)
}

/// Where this crate keeps what is installed.
pub fn default_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pouchdb")
}

async fn install(folder: &Path) -> Result<(), LoadError> {
    if folder.join("node_modules/express-pouchdb").is_dir() {
        return Ok(());
    }
    progress("installing express-pouchdb");
    let mut npm = tokio::process::Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let status = timeout(INSTALL_LIMIT, npm.status())
        .await
        .map_err(|_| LoadError::TimedOut {
            what: "npm ci".to_owned(),
            limit: INSTALL_LIMIT,
        })?
        .map_err(LoadError::io("starting npm (is it installed?)"))?;
    if status.success() {
        return Ok(());
    }
    let what = format!("npm could not install express-pouchdb: {status}");
    Err(LoadError::Unusable(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_the_events_under_their_own_ids() {
        let texts = [r#"{"v":1,"event_id":"a"}"#, r#"{"v":1,"event_id":"b"}"#];
        let body = documents(&texts.map(str::to_owned)).unwrap();
        let read: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(read["docs"][0]["_id"], "a");
        assert_eq!(read["docs"][1]["event_id"], "b");
        assert_eq!(read["docs"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn a_document_that_was_not_stored_is_noticed() {
        assert_eq!(
            count_stored(br#"[{"ok":true,"id":"a","rev":"1-x"}]"#),
            Ok(1)
        );
        assert!(count_stored(br#"[{"ok":true},{"error":"conflict"}]"#).is_err());
        assert!(count_stored(b"{}").is_err());
    }
}
