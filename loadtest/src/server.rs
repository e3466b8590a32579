//! The service under test: `suyuan demo --json` as a child on the server core, with one worker,
//! on free loopback ports and an empty folder of its own. It announces itself with one JSON line;
//! that line is the whole of what this driver knows of the demo world.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde::Deserialize;

use crate::{
    LoadError,
    process::{Cores, Running, ScratchFolder},
    target::{Target, free_ports, require_local_store},
};

/// Ready by then, or not at all.
const READY_LIMIT: Duration = Duration::from_mins(1);

/// How to start it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The `suyuan` program.
    pub program: PathBuf,
    /// Where it runs.
    pub cores: Cores,
    /// `SUYUAN__REDIS__URL`.
    pub redis: Option<String>,
    /// `SUYUAN__DATABASE__URL`; SQLite in a folder of its own without it.
    pub postgres: Option<String>,
    /// Makes the demo world the same again.
    pub seed: Option<u64>,
}

/// The line it prints when it is ready.
#[derive(Deserialize)]
pub struct Announced {
    /// Where consumers ask, and the beginning of every printed code.
    pub public_url: String,
    internal_url: String,
    /// The log-in made for this run.
    pub login: Login,
    /// Printed codes by group: `legal`, `recalled`, `forged`, …
    pub codes: BTreeMap<String, Vec<String>>,
}

/// User and password of the demo's officer. Not printable, on purpose.
#[derive(Deserialize)]
pub struct Login {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// A running demo; killed, and its folder removed, on drop.
pub struct Demo {
    // Order matters: the process goes before its folder.
    process: Running,
    folder: ScratchFolder,
    embedded: bool,
    /// What it said of itself.
    pub announced: Announced,
    /// The public listener.
    pub public: Target,
    /// The internal listener.
    pub internal: Target,
}

impl Demo {
    /// Starts it and waits until it is ready.
    pub async fn start(wanted: &Wanted) -> Result<Self, LoadError> {
        let folder = ScratchFolder::new()?;
        let data = folder.path().join("data");
        fs::create_dir(&data).map_err(LoadError::io("making a data folder"))?;
        let log_path = folder.path().join("server.log");
        let log = File::create(&log_path).map_err(LoadError::io("making a log file"))?;
        let [public_port, internal_port] = free_ports()?;

        let mut command = wanted.cores.on_server_core(&wanted.program);
        command
            .args(["demo", "--json"])
            .args(["--public-listen", &format!("127.0.0.1:{public_port}")])
            .args(["--internal-listen", &format!("127.0.0.1:{internal_port}")])
            .env("SUYUAN__PUBLIC__WORKERS", "1")
            .stdin(Stdio::null())
            .stderr(log);
        if let Some(seed) = wanted.seed {
            command.args(["--seed", &seed.to_string()]);
        }
        if let Some(url) = &wanted.redis {
            require_local_store(url)?;
            command.env("SUYUAN__REDIS__URL", url);
        }
        if let Some(url) = &wanted.postgres {
            require_local_store(url)?;
            command.env("SUYUAN__DATABASE__URL", url);
        } else {
            command.arg("--data-dir").arg(&data);
        }

        let mut process = Running::start(&mut command)?;
        let Some(line) = process.first_line(READY_LIMIT).await else {
            return Err(LoadError::Unusable(format!(
                "{} did not become ready: {}",
                wanted.program.display(),
                last_lines(&log_path)
            )));
        };
        let announced: Announced = serde_json::from_str(&line).map_err(|error| {
            // The line itself is not repeated: it holds a password.
            LoadError::Unusable(format!("the demo's JSON line cannot be read: {error}"))
        })?;
        Ok(Self {
            public: Target::parse(&announced.public_url)?,
            internal: Target::parse(&announced.internal_url)?,
            process,
            folder,
            embedded: wanted.postgres.is_none(),
            announced,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The folder of its SQLite files, unless it runs on PostgreSQL.
    pub fn data_folder(&self) -> Option<PathBuf> {
        self.embedded.then(|| self.folder.path().join("data"))
    }

    /// The codes of a group; an empty group is a reason not to go on.
    pub fn codes(&self, group: &str) -> Result<&[String], LoadError> {
        match self.announced.codes.get(group).map(Vec::as_slice) {
            Some(codes) if !codes.is_empty() => Ok(codes),
            _ => Err(LoadError::Unusable(format!(
                "the demo announced no `{group}` code"
            ))),
        }
    }
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    if lines.is_empty() {
        return "it wrote nothing on standard error".to_owned();
    }
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_line_is_read_and_unknown_keys_are_left_alone() {
        let line = r#"{"public_url":"http://127.0.0.1:1","internal_url":"http://127.0.0.1:2",
            "login":{"user":"u","password":"p"},"enrolment":null,
            "codes":{"legal":["http://127.0.0.1:1/01/x/21/y"],"forged":[]}}"#;
        let announced: Announced = serde_json::from_str(line).unwrap();
        assert_eq!(announced.codes["legal"].len(), 1);
        assert!(announced.codes["forged"].is_empty());
    }
}
