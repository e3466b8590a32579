//! Child processes, cores, CPU time and memory: what a fair comparison needs from the operating
//! system, read from `/proc` (Linux). Where it is not there, runs go on and say so.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use crate::LoadError;

/// `/proc` counts CPU time in hundredths of a second on every Linux we run on.
const TICK: Duration = Duration::from_millis(10);
/// A first line is cut off here.
const LINE_MAX: u64 = 4 * 1024 * 1024;

/// Which core serves and which asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cores {
    /// The two cores, or nothing where pinning is impossible.
    pinned: Option<(usize, usize)>,
}

impl Cores {
    /// The first two cores this process may use, if `taskset` is there to pin to them.
    pub fn choose() -> Self {
        let allowed = fs::read_to_string("/proc/self/status")
            .ok()
            .and_then(|status| field(&status, "Cpus_allowed_list:").map(cores_in_list))
            .unwrap_or_default();
        let pinned = match allowed[..] {
            [server, load, ..] if has_taskset() => Some((server, load)),
            _ => None,
        };
        Self { pinned }
    }

    /// All cores for all: for work that one core would never be given alone.
    pub fn shared() -> Self {
        Self { pinned: None }
    }

    /// Puts this process, its later threads and its children on the load core. Call before the
    /// runtime starts.
    pub fn pin_this_process(self) -> Result<(), LoadError> {
        let Some((_, load)) = self.pinned else {
            return Ok(());
        };
        let pid = std::process::id().to_string();
        let status = Command::new("taskset")
            .args(["-a", "-c", "-p", &load.to_string(), &pid])
            .stdout(Stdio::null())
            .status()
            .map_err(LoadError::io("pinning the load generator"))?;
        if status.success() {
            Ok(())
        } else {
            let what = "taskset would not pin the load generator";
            Err(LoadError::Unusable(what.to_owned()))
        }
    }

    /// A command that runs on the server core.
    pub fn on_server_core(self, program: &Path) -> Command {
        match self.pinned {
            Some((server, _)) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &server.to_string()]).arg(program);
                command
            }
            None => Command::new(program),
        }
    }

    /// For people.
    pub fn describe(self) -> String {
        match self.pinned {
            Some((server, load)) => format!("server on core {server}, load on core {load}"),
            None => "not pinned (no taskset, or one core): ratios are rougher".to_owned(),
        }
    }
}

fn has_taskset() -> bool {
    Command::new("taskset")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// `0-1,4` as 0, 1, 4.
fn cores_in_list(list: &str) -> Vec<usize> {
    list.split(',')
        .filter_map(|part| {
            let (from, to) = part.trim().split_once('-').unwrap_or((part, part));
            Some(from.trim().parse().ok()?..=to.trim().parse().ok()?)
        })
        .flatten()
        .collect()
}

/// A child that does not outlive its owner: killed by its id and reaped on drop.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts it, with its standard output read by us alone. `taskset` replaces itself by the
    /// program, so the id is the program's own.
    pub fn start(command: &mut Command) -> Result<Self, LoadError> {
        let what = format!("starting {}", command.get_program().to_string_lossy());
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(LoadError::io(what))?;
        Ok(Self { child })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first line it prints, by which it says that it is ready. The rest is read and thrown
    /// away, so that it never blocks on a full pipe.
    pub async fn first_line(&mut self, limit: Duration) -> Option<String> {
        let stdout = self.child.stdout.take()?;
        let (send, receive) = oneshot::channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = String::new();
            let read = (&mut reader).take(LINE_MAX).read_line(&mut line);
            if matches!(read, Ok(length) if length > 0) {
                // Nobody waits any more after the limit.
                let _ = send.send(line);
            }
            let _ = io::copy(&mut reader, &mut io::sink());
        });
        timeout(limit, receive).await.ok()?.ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the child is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time a process has used so far, user and system.
pub fn cpu_time(pid: u32) -> Option<Duration> {
    parse_cpu(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// CPU time of this process.
pub fn own_cpu_time() -> Option<Duration> {
    cpu_time(std::process::id())
}

fn parse_cpu(stat: &str) -> Option<Duration> {
    // The name, in parentheses, may hold anything; what follows it is the third field.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * (user + system))
}

/// Resident memory in MB (10⁶ bytes).
pub fn resident_mb(pid: u32) -> Option<f64> {
    parse_resident(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn parse_resident(status: &str) -> Option<f64> {
    let kib: f64 = field(status, "VmRSS:")?
        .strip_suffix("kB")?
        .trim()
        .parse()
        .ok()?;
    Some(kib * 1024.0 / 1e6)
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

/// One-minute load average: other work on the machine, to judge the spread by.
pub fn load_average() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// A folder of our own under the system's temporary folder, removed on drop.
#[derive(Debug)]
pub struct ScratchFolder(PathBuf);

impl ScratchFolder {
    /// Makes it.
    pub fn new() -> Result<Self, LoadError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "suyuan-loadtest-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        // Fails if it exists: nobody else's folder is used or, later, removed.
        fs::create_dir(&path).map_err(LoadError::io(format!("making {}", path.display())))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Bytes of all `*.db*` files (with journals) in a folder.
pub fn database_bytes(folder: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().contains(".db") {
            sum += entry.metadata()?.len();
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_lists_are_read() {
        assert_eq!(cores_in_list("0-1"), [0, 1]);
        assert_eq!(cores_in_list("3, 8-10"), [3, 8, 9, 10]);
        assert_eq!(cores_in_list("2"), [2]);
        assert!(cores_in_list("").is_empty());
    }

    #[test]
    fn cpu_time_is_found_behind_any_process_name() {
        let stat = "12 (a) b (c) S 1 12 12 0 -1 4194304 100 0 0 0 250 50 7 7 20 0 3 0 99 1 1";
        assert_eq!(parse_cpu(stat), Some(Duration::from_secs(3)));
        assert_eq!(parse_cpu("12 (cut short"), None);
    }

    #[test]
    fn resident_memory_is_in_millions_of_bytes() {
        let status = "Name:\tx\nVmRSS:\t  100000 kB\nThreads:\t3\n";
        assert!((parse_resident(status).unwrap() - 102.4).abs() < 1e-9);
        assert_eq!(parse_resident("Name:\tx\n"), None);
    }

    #[test]
    fn a_child_does_not_outlive_its_owner() {
        let child = Running::start(Command::new("sleep").arg("30")).unwrap();
        let entry = PathBuf::from(format!("/proc/{}", child.pid()));
        assert!(entry.exists());
        drop(child);
        assert!(!entry.exists());
    }

    #[test]
    fn only_database_files_are_counted() {
        let folder = ScratchFolder::new().unwrap();
        for (name, size) in [("suyuan.db", 10), ("suyuan.db-wal", 5), ("key.pem", 100)] {
            fs::write(folder.path().join(name), vec![0; size]).unwrap();
        }
        assert_eq!(database_bytes(folder.path()).unwrap(), 15);
    }
}
