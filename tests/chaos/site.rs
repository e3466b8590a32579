//! What these stories begin with: an installation with a maker's places, tins and devices, whose
//! server is a process of its own; and devices at work.

use crate::{
    programs::Program,
    scene::{Scene, enrolled, inbound, outbound, sale, scanned},
    support::{made, segment, text_of},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};
use suyuan::{
    config::Settings,
    db::Db,
    handheld::replay::{Replayed, replay},
    sealing::Sealer,
};
use suyuan_tests::{
    Engine, Handheld, Pda, TestApp, history::Tables, migrated_postgres_database, pda::Dice, until,
};
use tempfile::TempDir;

/// Devices' clocks run so many times as fast: back-off of seconds takes tenths.
pub const HURRY: u64 = 6;
/// More tins and cases than the scene's own.
const TINS: u64 = 400;
const CASES: u64 = 80;

/// An installation.
pub struct Installation {
    /// Which database.
    pub engine: Engine,
    /// Where it is.
    pub url: String,
    /// Its places.
    pub scene: Scene,
    /// Commissioned tins, as printed.
    pub tins: Vec<String>,
    /// Cases, likewise.
    pub cases: Vec<String>,
    key: String,
    port: u16,
    folder: TempDir,
}

/// Holds other stories of this kind up: each wants the machine for itself. They are processes of
/// their own, so a file's lock it is.
pub fn alone() -> fs::File {
    let folder = env::var("SUYUAN_TEST_RUN").map_or_else(|_| env::temp_dir(), PathBuf::from);
    let file = fs::File::create(folder.join("chaos.lock")).expect("a file");
    file.lock().expect("a lock");
    file
}

/// How often, unless `SUYUAN_TEST_LOOPS` says otherwise.
pub fn loops(usual: usize) -> usize {
    env::var("SUYUAN_TEST_LOOPS").map_or(usual, |text| text.parse().expect("a number of loops"))
}

/// What random choices follow from: `SUYUAN_TEST_SEED`, or the time.
pub fn seed() -> u64 {
    let seed = env::var("SUYUAN_TEST_SEED").map_or_else(
        |_| jiff::Timestamp::now().as_nanosecond() as u64,
        |text| text.parse().expect("a seed"),
    );
    println!("SUYUAN_TEST_SEED={seed}");
    seed
}

impl Installation {
    /// On a database of its own, with so many devices, in turn at warehouse, store and plant.
    pub async fn new(engine: Engine, devices: usize) -> (Installation, Vec<Handheld>) {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match engine {
            Engine::Sqlite => format!("sqlite://{}/suyuan.db", folder.path().display()),
            Engine::Postgres => migrated_postgres_database().await,
        };
        Installation::on(engine, url, folder, devices).await
    }

    /// The same on this database.
    pub async fn on(
        engine: Engine,
        url: String,
        folder: TempDir,
        devices: usize,
    ) -> (Installation, Vec<Handheld>) {
        let key = Sealer::generate().expect("randomness").to_string();
        let sealer = Sealer::from_base64(&key).expect("a key");
        let data = tempfile::tempdir().expect("a folder");
        let app = TestApp::spawn_on(engine, url.clone(), sealer, data, &[]).await;
        let scene = Scene::of(&app).await;
        let admin = &scene.firm.admin;
        let products = admin.get("/v1/products").await.json();
        let product = text_of(&products["items"][0]["id"]);
        let printed = async |segment: Value| {
            let body = json!({"batch_id": scene.batch, "ranges": [{"segment_id": segment["id"]}]});
            made(admin.post("/v1/commissions", &body).await);
            let path = format!("/v1/segments/{}/codes", text_of(&segment["id"]));
            let text = admin.get(&path).await.text();
            let codes = text
                .lines()
                .skip(1)
                .filter_map(|line| line.rsplit(',').next());
            codes.map(str::to_owned).collect::<Vec<_>>()
        };
        let tins = printed(segment(admin, &product, TINS).await).await;
        let body = json!({"product_id": product, "count": CASES, "level": "case"});
        let cases = printed(made(admin.post("/v1/segments", &body).await)).await;
        assert_eq!((tins.len() as u64, cases.len() as u64), (TINS, CASES));
        let mut enrolled_devices = Vec::new();
        for n in 0..devices {
            let place = [&scene.warehouse, &scene.store, &scene.plant][n % 3];
            enrolled_devices.push(enrolled(&app, &scene.firm.operator, place).await);
        }
        app.stop().await;
        let site = Installation {
            engine,
            url,
            scene,
            tins,
            cases,
            key,
            port: free_port(),
            folder,
        };
        (site, enrolled_devices)
    }

    /// Its folder.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Where its server answers, whichever process that is.
    pub fn server(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What a process of it is: `serve` where the database is embedded.
    pub fn kind(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite => "serve",
            Engine::Postgres => "internal",
        }
    }

    /// Starts the server.
    pub async fn start(&self) -> Program {
        self.start_under(&[], &[]).await
    }

    /// Starts it by another command, with settings of the story's own.
    pub async fn start_under(&self, under: &[&str], more: &[(&str, &str)]) -> Program {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut all = vec![("internal.listen", listen.as_str())];
        all.extend(more);
        self.launch_under(under, &all).ready(self.kind()).await
    }

    /// Another server beside it, on a port of its own.
    pub async fn another(&self, more: &[(&str, &str)]) -> Program {
        self.launch_under(&[], more).ready(self.kind()).await
    }

    fn launch_under(&self, under: &[&str], more: &[(&str, &str)]) -> Program {
        let data = self.folder.path().display().to_string();
        let mut all = vec![
            ("database.url", self.url.as_str()),
            ("security.master_key", self.key.as_str()),
            ("data_dir", data.as_str()),
            ("log.level", "suyuan=warn"),
        ];
        all.extend(more);
        Program::launch_under(under, self.kind(), &all)
    }

    /// Its tables.
    pub async fn tables(&self) -> Tables {
        Tables::open(&self.url).await
    }

    /// I8: units, findings and lines as they are kept equal those folded from the log, from nothing.
    pub async fn replayed(&self) -> Replayed {
        let tables = self.tables().await;
        // The row under 0 says how far the log was followed; that happens within a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let left = "SELECT COUNT(*) AS n FROM refold WHERE id > 0";
        let folded = async || tables.number(left).await == 0;
        until("what is folded in slices", Duration::from_secs(30), folded).await;
        tables.close().await;
        self.replayed_at(&self.url).await
    }

    /// The same of this copy, which no server has.
    pub async fn replayed_at(&self, url: &str) -> Replayed {
        let settings = Settings::load(None, &[("database.url", url.to_owned())]);
        let settings = settings.expect("settings").database;
        let db = Db::open_single(url, &settings).await.expect("it");
        let sealer = Sealer::from_base64(&self.key).expect("a key");
        let replayed = replay(&db, &sealer).await.expect("a replay");
        let differ = &replayed.differences;
        assert!(
            differ.is_empty(),
            "{} differences, the first: {}",
            differ.len(),
            differ[0]
        );
        replayed
    }

    /// These devices at work for this server.
    pub fn at_work(&self, devices: Vec<Handheld>, seed: u64) -> Vec<Pda> {
        let numbered = devices.into_iter().zip(seed..);
        let mut pdas: Vec<Pda> = numbered
            .map(|(wire, seed)| Pda::new(wire, &self.server(), seed, HURRY))
            .collect();
        for (n, pda) in pdas.iter_mut().enumerate() {
            pda.gzip = n % 2 == 1;
        }
        pdas
    }

    /// Something that happens in a shop: one event, or several that stand together.
    pub fn act(&self, dice: &mut Dice) -> Vec<(&'static str, Value)> {
        let scene = &self.scene;
        let some = |dice: &mut Dice| {
            let first = dice.roll(self.tins.len() as u64 - 3) as usize;
            let count = 1 + dice.roll(3) as usize;
            self.tins[first..first + count].iter().collect::<Vec<_>>()
        };
        let one = |dice: &mut Dice| {
            let tins = some(dice);
            match dice.roll(10) {
                8 => ("inbound", inbound(&[dice.pick(&self.cases)])),
                9 => (
                    "outbound",
                    outbound(&[dice.pick(&self.cases)], &scene.store),
                ),
                0 | 1 => ("inbound", inbound(&tins)),
                2 | 3 => ("outbound", outbound(&tins, &scene.store)),
                4 | 5 => ("sale", sale(&tins)),
                6 => ("return", sale(&tins)),
                _ => (
                    "pack",
                    json!({
                        "parent": {"code": dice.pick(&self.cases), "input": "wedge"},
                        "children": scanned(&tins), "declared": tins.len(),
                    }),
                ),
            }
        };
        let count = [1, 1, 1, 2, 4, 7][dice.roll(6) as usize];
        (0..count).map(|_| one(dice)).collect()
    }

    /// Has a device state something every so often.
    pub async fn busy(&self, pda: &mut Pda, dice: &mut Dice, during: Duration) {
        let until = Instant::now() + during;
        while Instant::now() < until {
            pda.state(&self.act(dice));
            pda.work(Duration::from_millis(5 + dice.roll(80))).await;
        }
    }

    /// Has all of them do so.
    pub async fn all_busy(&self, pdas: &mut [Pda], dice: &mut Dice, during: Duration) {
        let working = pdas.iter_mut().map(|pda| {
            let mut own = Dice::new(dice.roll(u64::MAX));
            async move { self.busy(pda, &mut own, during).await }
        });
        join_all(working).await;
    }
}

/// Has all of them send what waits, and says how long that took.
pub async fn drained(pdas: &mut [Pda], within: Duration) -> Duration {
    let began = Instant::now();
    for pda in pdas.iter_mut() {
        pda.wake();
    }
    let done = join_all(pdas.iter_mut().map(|pda| pda.drain(within))).await;
    let left: Vec<u64> = pdas.iter().map(Pda::unsent).collect();
    assert!(
        done.iter().all(|done| *done),
        "after {within:?} there wait {left:?}"
    );
    began.elapsed()
}

/// Below the range from which outgoing connections take theirs, so that it is free again after the
/// process that listened there was killed.
fn free_port() -> u16 {
    let mut dice = Dice::new(u64::from(std::process::id()) ^ seed_of_time());
    for _ in 0..100 {
        let port = 20_000 + dice.roll(12_700) as u16;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}

fn seed_of_time() -> u64 {
    jiff::Timestamp::now().as_nanosecond() as u64
}
