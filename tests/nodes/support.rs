//! What these stories share: child processes, a cluster of them under the public role, and a caller
//! that survives a server that does not.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use suyuan::{demo::Demo, sealing::Sealer};
#[allow(unused_imports)]
pub use suyuan_tests::until;
use suyuan_tests::{Caller, Engine, TestApp, migrated_postgres_database, recall_order};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One second.
pub const SECOND: Duration = Duration::from_secs(1);
/// A debug build on a busy machine has started by then, or something is wrong.
const START_MAX: Duration = Duration::from_mins(1);

/// A running `suyuan`, killed by its id when dropped.
pub struct Program {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    said: Arc<Mutex<String>>,
}

/// A command of the program with settings from the environment: `("database.url", …)`.
pub fn command(words: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suyuan-node"));
    command.args(words).stdin(Stdio::null());
    // Tests ask fast, and all from one address; limits have stories of their own.
    command.env("SUYUAN__LIMITS__ENABLED", "false");
    for (key, value) in settings {
        let name = key.to_uppercase().replace('.', "__");
        command.env(format!("SUYUAN__{name}"), value);
    }
    command
}

fn under_another(under: &[&str], command: Command) -> Command {
    let Some((first, rest)) = under.split_first() else {
        return command;
    };
    let mut outer = Command::new(first);
    outer.args(rest).arg(command.get_program());
    outer.args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        outer.env(name, value.unwrap_or_default());
    }
    outer
}

/// Runs a command to its end: whether it went well, standard output, standard error.
pub fn run(words: &[&str], settings: &[(&str, &str)]) -> (bool, String, String) {
    let ended = command(words, settings).output().expect("the program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        ended.status.success(),
        text(&ended.stdout),
        text(&ended.stderr),
    )
}

impl Program {
    /// Starts `suyuan public` or `suyuan internal` and waits until it says where it listens.
    pub async fn start(kind: &str, settings: &[(&str, &str)]) -> Program {
        Program::launch(kind, settings).ready(kind).await
    }

    /// Waits until it says where it listens.
    pub async fn ready(mut self, kind: &str) -> Program {
        let program = &mut self;
        let sign = match kind {
            "public" => "consumers: ",
            _ => "API:       ",
        };
        let began = Instant::now();
        loop {
            let said = program.said();
            let line = said.lines().find_map(|line| line.strip_prefix(sign));
            if let Some(line) = line {
                let end = line.rfind("/q").or_else(|| line.rfind("/docs/"));
                line[..end.expect("an address")].clone_into(&mut program.url);
                return self;
            }
            let ended = program.child.try_wait().expect("its state");
            assert!(ended.is_none(), "{kind} ended ({ended:?}): {said}");
            assert!(began.elapsed() < START_MAX, "{kind} did not start: {said}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Starts it and does not wait.
    pub fn launch(kind: &str, settings: &[(&str, &str)]) -> Program {
        Program::launch_under(&[], kind, settings)
    }

    /// The same by another command that becomes it (`exec`): what bounds a process, for example.
    pub fn launch_under(under: &[&str], kind: &str, settings: &[(&str, &str)]) -> Program {
        let mut all = vec![
            ("public.listen", "127.0.0.1:0"),
            ("internal.listen", "127.0.0.1:0"),
            ("public.workers", "1"),
            ("internal.workers", "1"),
            ("queries.fold_ms", "50"),
            ("queries.refresh_ms", "100"),
        ];
        all.extend(settings);
        let mut child = under_another(under, command(&[kind], &all))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let said = Arc::new(Mutex::new(String::new()));
        let (stderr, heard) = (child.stderr.take().expect("its words"), said.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut said = heard.lock().expect("the words");
                said.push_str(&line);
                said.push('\n');
            }
        });
        Program {
            child,
            url: String::new(),
            said,
        }
    }

    /// All it said on standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("the words").clone()
    }

    /// Sends it a signal by name, e.g. `STOP`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill").success(), "SIG{name} to {pid}");
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, and it is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("its end");
    }

    /// Is it gone?
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_some()
    }

    /// Memory it holds, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a running process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|kib| kib.parse().ok()).expect("a number")
    }

    /// Someone who calls it.
    pub fn caller(&self) -> Caller {
        Caller::new(&self.url, None)
    }

    /// What a scan says.
    pub async fn scan(&self, url: &str) -> String {
        ask(&self.url, path_of(url), 5 * SECOND).await
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only when it is gone already. A stopped process is killed all the same.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One internal and some public processes, and the demo's world.
pub struct Cluster {
    pub internal: Program,
    pub publics: Vec<Program>,
    pub demo: Demo,
}

/// What processes of one installation share.
#[derive(Clone)]
pub struct Site {
    /// Where the internal process finds its database.
    pub owner_url: String,
    /// The same database under the public role.
    pub public_url: String,
    pub master_key: String,
    pub reader_key: String,
}

impl Site {
    /// An installation with the demo's world on this database, and its public role.
    pub async fn with_world(owner_url: String) -> (Site, Demo) {
        let master_key = Sealer::generate().expect("randomness").to_string();
        let sealer = Sealer::from_base64(&master_key).expect("a key");
        let reader_key = sealer.reader_key().to_base64().to_string();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = owner_url.clone();
        let app = TestApp::spawn_on(Engine::Postgres, url, sealer, folder, &[]).await;
        let demo = app.world().await;
        app.stop().await;
        let role = format!("p_{}", uuid::Uuid::new_v4().simple());
        make_role(&owner_url, &role);
        let (_, host) = owner_url.split_once('@').expect("a user in the address");
        let site = Site {
            public_url: format!("postgres://{role}@{host}"),
            owner_url,
            master_key,
            reader_key,
        };
        (site, demo)
    }

    pub async fn internal(&self, settings: &[(&str, &str)]) -> Program {
        self.internal_by(&self.owner_url, settings).await
    }

    pub async fn internal_by(&self, url: &str, settings: &[(&str, &str)]) -> Program {
        let mut all = vec![
            ("database.url", url),
            ("security.master_key", self.master_key.as_str()),
        ];
        all.extend(settings);
        Program::start("internal", &all).await
    }

    pub async fn public(&self, settings: &[(&str, &str)]) -> Program {
        self.public_by(&self.public_url, settings).await
    }

    pub async fn public_by(&self, url: &str, settings: &[(&str, &str)]) -> Program {
        Program::start(
            "public",
            &[&self.public_settings(url)[..], settings].concat(),
        )
        .await
    }

    /// As a production deployment would give them: no master key.
    pub fn public_settings<'a>(&'a self, url: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("mode", "production"),
            ("database.url", url),
            ("security.reader_key", self.reader_key.as_str()),
        ]
    }
}

/// Makes the public role with the documented command.
pub fn make_role(owner_url: &str, name: &str) {
    let words = ["admin", "public-role", "--name", name];
    let (well, _, why) = run(&words, &[("database.url", owner_url)]);
    assert!(well, "{why}");
}

impl Cluster {
    /// One internal process and `n` public ones on a database of their own.
    pub async fn start(n: usize, settings: &[(&str, &str)]) -> Cluster {
        let (site, demo) = Site::with_world(migrated_postgres_database().await).await;
        let internal = site.internal(settings).await;
        let mut publics = Vec::new();
        for _ in 0..n {
            publics.push(site.public(settings).await);
        }
        Cluster {
            internal,
            publics,
            demo,
        }
    }

    /// The maker's administrator, signed in at the internal process.
    pub async fn officer(&self) -> Caller {
        sign_in(&self.internal, &self.demo).await
    }

    /// The id of the batch of the demo's first legal tin.
    pub async fn batch(&self, officer: &Caller) -> Value {
        let answer = self.publics[0].caller();
        let view = answer.scan(path_of(&self.demo.codes.legal[0])).await.json();
        let batches = officer.get("/v1/batches").await.json();
        let items = batches["items"].as_array().expect("batches");
        let found = items.iter().find(|b| b["lot"] == view["code"]["batch"]);
        found.expect("the batch")["id"].clone()
    }
}

/// The maker's administrator, signed in.
pub async fn sign_in(internal: &Program, demo: &Demo) -> Caller {
    let body = serde_json::json!({"username": demo.login.user, "password": demo.login.password});
    let answer = internal.caller().post("/v1/sessions", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let token = answer.json()["access_token"].as_str().map(str::to_owned);
    Caller::new(&internal.url, token)
}

/// Opens a recall of one batch.
pub async fn recall(officer: &Caller, batch: &Value) -> String {
    let order = recall_order(&serde_json::json!([batch]), "test", "退回门店");
    let opened = officer.post("/v1/recalls", &order).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    opened.json()["id"].as_str().expect("an id").to_owned()
}

/// Closes it.
pub async fn close(officer: &Caller, recall: &str) {
    let path = format!("/v1/recalls/{recall}/close");
    let closed = officer
        .post(&path, &serde_json::json!({"note": "done"}))
        .await;
    assert_eq!(closed.status, 200, "{}", closed.text());
}

/// A printed URL without its host.
pub fn path_of(url: &str) -> &str {
    match url.strip_prefix("http://") {
        Some(rest) => &rest[rest.find('/').unwrap_or(rest.len())..],
        None => url,
    }
}

/// What a node says to a scan: status, legality, advice, reasons; a problem's code; or `nothing`
/// where no answer came.
pub async fn ask(base: &str, path: &str, patience: Duration) -> String {
    let host = base.strip_prefix("http://").expect("http");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n\
         User-Agent: suyuan-test-monitor\r\nConnection: close\r\n\r\n"
    );
    let exchange = async {
        let mut stream = TcpStream::connect(host).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.ok()?;
        Some(all)
    };
    let all = tokio::time::timeout(patience, exchange)
        .await
        .ok()
        .flatten();
    all.and_then(|all| told(&all))
        .unwrap_or_else(|| "nothing".to_owned())
}

fn told(all: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(all).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?;
    let body: Value = serde_json::from_str(body).ok()?;
    if let Some(code) = body["code"].as_str() {
        return Some(format!("{status} {code}"));
    }
    let reasons: Vec<&str> = body["reasons"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let legality = body["legality"].as_str().unwrap_or("null");
    let advice = body["advice"].as_str()?;
    let said = format!("{status} {legality} {advice} {}", reasons.join(","));
    Some(said.trim_end().to_owned())
}

/// The private Redis that `tests/run` started.
pub fn redis_url() -> String {
    std::env::var("SUYUAN_TEST_REDIS")
        .expect("SUYUAN_TEST_REDIS is not set: run the tests with tests/run")
}
