//! A PostgreSQL of the test's own, which it may kill, stop, fence and copy.

use crate::support::{SECOND, until};
use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// A server with its own data folder; ended with it.
pub struct Postgres {
    folder: TempDir,
    port: u16,
    /// Whoever holds the mount namespace it runs in, if it has one of its own.
    disk: Option<Disk>,
}

/// A small disk that only those in its mount namespace see; gone with it.
struct Disk(Child);

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The folder of the server's programs, as `tests/run` finds it.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| {
        let told = Command::new("pg_config").arg("--bindir").output();
        let told = told.expect("PostgreSQL's programs").stdout;
        PathBuf::from(String::from_utf8_lossy(&told).trim())
    })
}

fn am_root() -> bool {
    let told = Command::new("id").arg("-u").output().expect("id").stdout;
    told.starts_with(b"0\n")
}

/// Runs one of its programs, as another user than root, which PostgreSQL refuses.
fn run(disk: Option<&Disk>, program: &str, arguments: &[&str]) -> bool {
    let holder = disk.map(|Disk(holder)| holder.id().to_string());
    let mut words: Vec<&str> = Vec::new();
    if let Some(holder) = &holder {
        words.extend(["nsenter", "-t", holder, "-m", "--"]);
    }
    if am_root() {
        words.extend(["runuser", "-u", "postgres", "--"]);
    }
    let program = programs().join(program).display().to_string();
    words.push(&program);
    let [first, rest @ ..] = &words[..] else {
        return false;
    };
    Command::new(first)
        .args(rest)
        .args(arguments)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("one of PostgreSQL's programs")
        .success()
}

/// A folder that the server's user owns.
fn folder() -> TempDir {
    let folder = tempfile::Builder::new()
        .prefix("suyuan-postgres-")
        .tempdir_in("/tmp")
        .expect("a folder");
    if am_root() {
        let owned = Command::new("chown")
            .arg("postgres")
            .arg(folder.path())
            .status();
        assert!(owned.expect("chown").success());
    }
    folder
}

fn free_port() -> u16 {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("its address").port()
}

impl Postgres {
    /// A fresh server that writes through to the disk.
    pub fn start() -> Postgres {
        let server = Postgres {
            folder: folder(),
            port: free_port(),
            disk: None,
        };
        server.made();
        server
    }

    fn made(&self) {
        let data = self.data();
        // Its log comes in pieces of a megabyte, so that a small disk holds some.
        let words = [
            "-D",
            &data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
            "--wal-segsize=1",
        ];
        assert!(run(self.disk.as_ref(), "initdb", &words));
        self.start_again();
    }

    /// A fresh server whose data and log are on a disk of so many megabytes (tmpfs in a mount
    /// namespace of its own); none where the system lets us have none.
    pub fn on_a_small_disk(megabytes: u32) -> Option<Postgres> {
        if !am_root() {
            return None;
        }
        let folder = folder();
        let at = folder.path().display();
        let script = format!(
            "mount -t tmpfs -o size={megabytes}m none {at} && chown postgres {at} \
             && touch {at}/mounted && exec sleep 3600"
        );
        let mut holder = Disk(
            Command::new("unshare")
                .args(["-m", "sh", "-c", &script])
                .stderr(Stdio::null())
                .spawn()
                .ok()?,
        );
        let mounted = format!("/proc/{}/root{at}/mounted", holder.0.id());
        while !std::path::Path::new(&mounted).exists() {
            if holder.0.try_wait().ok()?.is_some() {
                return None;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let server = Postgres {
            folder,
            port: free_port(),
            disk: Some(holder),
        };
        server.made();
        Some(server)
    }

    /// Its folder, as it is seen from here.
    pub fn seen(&self) -> PathBuf {
        let path = self.folder.path().display();
        match &self.disk {
            Some(Disk(holder)) => format!("/proc/{}/root{path}", holder.id()).into(),
            None => self.folder.path().into(),
        }
    }

    /// Does it run?
    pub fn runs(&self) -> bool {
        let main = self.main_process();
        main.is_some_and(|pid| std::path::Path::new(&format!("/proc/{pid}")).exists())
    }

    /// A hot standby that follows this server.
    pub fn standby(&self) -> Postgres {
        let server = Postgres {
            folder: folder(),
            port: free_port(),
            disk: None,
        };
        let (data, port) = (server.data(), self.port.to_string());
        let copy = [
            "-D",
            &data,
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            "postgres",
            "-R",
            "-c",
            "fast",
        ];
        assert!(run(None, "pg_basebackup", &copy), "a copy");
        server.start_again();
        server
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Its database `postgres`, as its superuser.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it where it ended; what it had acknowledged is recovered.
    pub fn start_again(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=on",
            self.port
        );
        let (data, log) = (self.data(), self.folder.path().join("log"));
        let (log, seen) = (log.display().to_string(), self.seen().join("log"));
        let words = [
            "-D", &data, "-l", &log, "-o", &options, "-w", "-t", "60", "start",
        ];
        assert!(
            run(self.disk.as_ref(), "pg_ctl", &words),
            "{}",
            fs::read_to_string(seen).unwrap_or_default()
        );
    }

    /// Ends it at once, as a power cut would: nothing is written that was not written yet.
    pub fn die(&self) {
        run(
            self.disk.as_ref(),
            "pg_ctl",
            &["-D", &self.data(), "-m", "immediate", "-w", "stop"],
        );
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        assert!(run(None, "pg_ctl", &["-D", &self.data(), "-w", "promote"]));
    }

    /// Sends the server and all its processes a signal: `STOP` is a server that hangs.
    pub fn signal(&self, name: &str) {
        self.of_all(|pid| {
            let mut kill = Command::new("kill");
            kill.args(["-s", name, &pid.to_string()]);
            kill
        });
    }

    /// Lets no file grow beyond a size, or again to any (RLIMIT_FSIZE; the signal that comes with it is
    /// ignored by the server itself): those it writes for its log have theirs from the beginning.
    pub fn limit_files(&self, size: Option<u64>) {
        let size = size.map_or_else(|| "unlimited".to_owned(), |size| size.to_string());
        // Only their own user may, and whoever may do anything, which root need not.
        let user: &[&str] = if am_root() {
            &["runuser", "-u", "postgres", "--"]
        } else {
            &["env"]
        };
        self.of_all(|pid| {
            let mut limit = Command::new(user[0]);
            limit.args(&user[1..]).args(["prlimit", "--pid"]);
            limit.args([pid.to_string(), format!("--fsize={size}:")]);
            limit
        });
    }

    /// Runs this for the server and each of its processes.
    fn of_all(&self, command: impl Fn(u32) -> Command) {
        let main = self.main_process().expect("a running server");
        // A child may have ended since it was looked for.
        for pid in [main].into_iter().chain(children_of(main)) {
            let ran = command(pid).stderr(Stdio::null()).status();
            assert!(ran.expect("a command").success() || pid != main);
        }
    }

    fn main_process(&self) -> Option<u32> {
        let file = self.seen().join("data/postmaster.pid");
        fs::read_to_string(file).ok()?.lines().next()?.parse().ok()
    }

    /// Runs one statement as its superuser.
    pub async fn run(&self, sql: &str) {
        use sea_orm::ConnectionTrait;
        let db = sea_orm::Database::connect(self.url())
            .await
            .expect("a connection");
        db.execute_unprepared(sql).await.expect("a statement");
        db.close().await.expect("closing");
    }

    /// Takes no writes from now on, or takes them again.
    pub async fn fence(&self, fenced: bool) {
        let value = if fenced { "on" } else { "off" };
        // ALTER SYSTEM itself is no write of a transaction.
        self.run(&format!(
            "ALTER SYSTEM SET default_transaction_read_only = {value}"
        ))
        .await;
        self.run("SELECT pg_reload_conf()").await;
        let done = || async {
            use sea_orm::{ConnectionTrait, Statement};
            let db = sea_orm::Database::connect(self.url())
                .await
                .expect("a connection");
            let row = db
                .query_one_raw(Statement::from_string(
                    sea_orm::DbBackend::Postgres,
                    "SHOW default_transaction_read_only",
                ))
                .await;
            let row = row.expect("an answer").expect("a row");
            let is: String = row.try_get_by_index(0).expect("a value");
            db.close().await.expect("closing");
            is == value
        };
        until("the setting", 5 * SECOND, done).await;
    }
}

fn children_of(parent: u32) -> Vec<u32> {
    let is_child = |stat: &str| {
        let (_, rest) = stat.rsplit_once(')')?;
        let found: u32 = rest.split_ascii_whitespace().nth(1)?.parse().ok()?;
        (found == parent).then_some(())
    };
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            fs::read_to_string(format!("/proc/{pid}/stat"))
                .ok()
                .and_then(|stat| is_child(&stat))
                .is_some()
        })
        .collect()
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.main_process().is_some() {
            self.signal("CONT");
            self.die();
        }
    }
}
