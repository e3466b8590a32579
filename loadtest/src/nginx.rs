//! nginx with a static file of the same bytes and headers, where it is installed: a yardstick from
//! outside, for orientation. No figure is a ratio to it.
//!
//! `sendfile` and the access log are off: on the loopback interface the former waits for delayed
//! acknowledgements and would show a small part of what nginx can do. The file is kept open.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::time::sleep;

use crate::{
    LoadError,
    baseline::own_headers,
    client::{Reply, get},
    process::{Cores, Running, ScratchFolder},
    target::{Target, free_ports},
};

/// Where the file is.
pub const PATH: &str = "/answer";
/// Ready by then, or not at all.
const READY_LIMIT: Duration = Duration::from_secs(5);
const READY_POLL: Duration = Duration::from_millis(20);

/// nginx as one child process; killed on drop.
#[derive(Debug)]
pub struct Nginx {
    process: Running,
    _folder: ScratchFolder,
    /// Where it listens.
    pub target: Target,
}

impl Nginx {
    /// Starts it on the server core with the bytes of `like`, and makes sure that it sends these.
    pub async fn start(cores: Cores, like: &Reply) -> Result<Self, LoadError> {
        let program = on_path("nginx")
            .ok_or_else(|| LoadError::Unusable("nginx is not on PATH".to_owned()))?;
        let folder = ScratchFolder::new()?;
        let [port] = free_ports()?;
        let config = folder.path().join("nginx.conf");
        let write = |path: &Path, bytes: &[u8]| {
            fs::write(path, bytes).map_err(LoadError::io("handing the answer to nginx"))
        };
        write(&folder.path().join(&PATH[1..]), &like.body)?;
        let text = configuration(folder.path(), port, &own_headers(like))?;
        write(&config, text.as_bytes())?;
        let process = Running::start(
            cores
                .on_server_core(&program)
                .arg("-p")
                .arg(folder.path())
                .arg("-e")
                .arg(folder.path().join("error.log"))
                .arg("-c")
                .arg(&config)
                .stderr(Stdio::null()),
        )?;
        let nginx = Self {
            process,
            target: Target::local(port),
            _folder: folder,
        };
        nginx.answers_like(like).await?;
        Ok(nginx)
    }

    /// The process id: there is no other, master and worker are one.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// It prints nothing when it is ready, so it is asked until it answers.
    async fn answers_like(&self, like: &Reply) -> Result<(), LoadError> {
        let mut waited = Duration::ZERO;
        let sent = loop {
            match get(&self.target, PATH, "application/json").await {
                Ok(sent) => break sent,
                Err(error) if waited >= READY_LIMIT => return Err(error),
                Err(_) => sleep(READY_POLL).await,
            }
            waited += READY_POLL;
        };
        let (sent_headers, wanted) = (own_headers(&sent), own_headers(like));
        if sent.body != like.body || !wanted.iter().all(|header| sent_headers.contains(header)) {
            let what = "nginx does not send the bytes it was given";
            return Err(LoadError::Unusable(what.to_owned()));
        }
        Ok(())
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

fn configuration(
    folder: &Path,
    port: u16,
    headers: &[(String, String)],
) -> Result<String, LoadError> {
    let folder = folder.display();
    let mut sent = String::new();
    for (name, value) in headers {
        // nginx would read a variable, or the end of the text, where none is meant.
        if value.contains(['$', '\'', '\\']) {
            let what = format!("nginx cannot be given the header `{name}: {value}`");
            return Err(LoadError::Unusable(what));
        }
        let line = match name.as_str() {
            "content-type" => format!("default_type '{value}';\n"),
            _ => format!("add_header {name} '{value}' always;\n"),
        };
        sent.push_str(&line);
    }
    Ok(format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid {folder}/nginx.pid;\n\
         error_log {folder}/error.log;\nevents {{ worker_connections 2048; }}\n\
         http {{\nsendfile off;\naccess_log off;\nkeepalive_requests 10000000;\netag off;\nopen_file_cache max=10;\n\
         server_tokens off;\nclient_body_temp_path {folder}/body;\ntypes {{}}\n{sent}\
         server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}; }}\n}}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_written_so_that_nginx_reads_them_as_they_are() {
        let header = |value: &str| [("x-test".to_owned(), value.to_owned())];
        let folder = Path::new("/nowhere");
        let text = configuration(folder, 18_000, &header("\"a; b\"")).unwrap();
        assert!(text.contains("add_header x-test '\"a; b\"' always;\n"));
        for hostile in ["$uri", "it's", "back\\slash"] {
            assert!(configuration(folder, 18_000, &header(hostile)).is_err());
        }
    }

    #[test]
    fn a_program_is_found_on_the_path_or_not_at_all() {
        assert!(on_path("sh").is_some());
        assert_eq!(on_path("no program has this name"), None);
    }
}
