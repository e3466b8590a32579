//! A recall opened at the internal process is told by three public processes within a second, with
//! Redis and without, whatever happens to Redis meanwhile, under load, and by a process that was
//! stopped and continued.

use crate::support::{Cluster, Program, SECOND, ask, close, path_of, recall, redis_url, until};
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use suyuan_tests::{Caller, Proxy, Weather, recall_order};
use tokio::task::JoinHandle;

const NODES: usize = 3;
const OK: &str = "200 legal ok";
const RECALLED: &str = "200 legal stop recalled";

/// Opens and closes a recall some times; each node is asked in a tight loop meanwhile. Any `ok` to
/// a question put more than a second after the API's answer fails. The longest time until all said
/// stop.
async fn told_within_a_second(cluster: &Cluster, rounds: usize) -> Duration {
    let officer = cluster.officer().await;
    let batch = cluster.batch(&officer).await;
    let mut worst = Duration::ZERO;
    for round in 0..rounds {
        let tin = path_of(&cluster.demo.codes.legal[0]);
        everywhere(cluster, tin, OK, 5 * SECOND).await;
        let id = recall(&officer, &batch).await;
        worst = worst.max(everywhere(cluster, tin, RECALLED, SECOND).await);
        // Told once, told for good, of every tin of the batch.
        let since = Instant::now();
        while since.elapsed() < Duration::from_millis(300) {
            for node in &cluster.publics {
                for tin in cluster.demo.codes.legal.iter().take(3) {
                    let said = node.scan(tin).await;
                    assert!(said.contains(" stop recalled"), "{said}");
                }
            }
        }
        close(&officer, &id).await;
        // Another place in the interval between two polls each time.
        tokio::time::sleep(Duration::from_millis(67 * round as u64)).await;
    }
    worst
}

/// All nodes say so, each asked by a loop of its own; how long the slowest took.
async fn everywhere(cluster: &Cluster, tin: &str, expected: &str, within: Duration) -> Duration {
    let each = cluster.publics.iter().map(|node| async {
        let so = || async { node.scan(tin).await == expected };
        until(expected, within, so).await
    });
    let took = futures_util::future::join_all(each).await;
    took.into_iter().max().unwrap_or_default()
}

#[actix_web::test]
async fn without_redis() {
    let cluster = Cluster::start(NODES, &[]).await;
    let worst = told_within_a_second(&cluster, 6).await;
    println!("recall told by three processes, no Redis: {worst:?} at worst");
}

#[actix_web::test]
async fn of_single_units_and_never_of_their_neighbours() {
    let cluster = Cluster::start(NODES, &[]).await;
    let officer = cluster.officer().await;
    let [tin, neighbour] = [0, 1].map(|n| path_of(&cluster.demo.codes.legal[n]));
    let mut worst = Duration::ZERO;
    for round in 0..6 {
        everywhere(&cluster, tin, OK, 5 * SECOND).await;
        let mut order = recall_order(&serde_json::json!([]), "test", "退回门店");
        order["codes"] = serde_json::json!([cluster.demo.codes.legal[0]]);
        let opened = officer.post("/v1/recalls", &order).await;
        assert_eq!(opened.status, 201, "{}", opened.text());
        worst = worst.max(everywhere(&cluster, tin, RECALLED, SECOND).await);
        for node in &cluster.publics {
            assert_eq!(node.scan(tin).await, RECALLED);
            assert_eq!(node.scan(neighbour).await, OK);
        }
        close(&officer, opened.json()["id"].as_str().expect("an id")).await;
        // Another place in the interval between two polls each time.
        tokio::time::sleep(Duration::from_millis(67 * round)).await;
    }
    println!("recall of a unit told by three processes: {worst:?} at worst");
}

#[actix_web::test]
async fn with_redis_which_is_cut_slow_and_frozen_in_the_middle() {
    let (proxy, through) = Proxy::before(&redis_url()).await;
    let cluster = Cluster::start(NODES, &[("redis.url", &through)]).await;
    for weather in [
        Weather::Fair,
        Weather::Cut,
        Weather::Fair,
        Weather::Slow(Duration::from_millis(700)),
        Weather::Frozen,
    ] {
        proxy.set(weather);
        let worst = told_within_a_second(&cluster, 2).await;
        println!("recall told by three processes, Redis {weather:?}: {worst:?} at worst");
    }
}

#[actix_web::test]
async fn with_a_redis_that_is_emptied_and_full() {
    let server = OwnRedis::start().await;
    // Nothing is held in the processes: every scan of a known batch asks Redis.
    let settings = [("redis.url", server.url.as_str()), ("cache.bytes", "0")];
    let cluster = Cluster::start(NODES, &settings).await;
    told_within_a_second(&cluster, 1).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, mut line) = (stop.clone(), server.connection().await);
    let flushing = tokio::spawn(async move {
        while !stopped.load(Ordering::Relaxed) {
            redis::cmd("FLUSHALL")
                .exec_async(&mut line)
                .await
                .expect("a flush");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let worst = told_within_a_second(&cluster, 2).await;
    println!("recall told by three processes, Redis emptied 50 times a second: {worst:?} at worst");
    stop.store(true, Ordering::Relaxed);
    flushing.await.expect("the flushing");

    let mut line = server.connection().await;
    for (key, value) in [("maxmemory-policy", "noeviction"), ("maxmemory", "1mb")] {
        redis::cmd("CONFIG")
            .arg(&["SET", key, value])
            .exec_async(&mut line)
            .await
            .expect("a setting");
    }
    let refused = redis::cmd("SET")
        .arg(&["x", "y"])
        .exec_async(&mut line)
        .await;
    assert!(
        refused.is_err_and(|error| error.to_string().contains("OOM")),
        "Redis is full"
    );
    let worst = told_within_a_second(&cluster, 2).await;
    println!("recall told by three processes, Redis full: {worst:?} at worst");
}

#[actix_web::test]
async fn under_load() {
    let cluster = Cluster::start(NODES, &[]).await;
    let load = Load::on(&cluster);
    let worst = told_within_a_second(&cluster, 4).await;
    let asked = load.stop().await;
    println!("recall told by three processes, {asked} scans meanwhile: {worst:?} at worst");
    assert!(asked > 100, "no load: {asked}");
}

/// Scans of all kinds, four at a time on each node, until stopped.
struct Load {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<usize>>,
}

impl Load {
    fn on(cluster: &Cluster) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let codes = &cluster.demo.codes;
        let groups = [&codes.care, &codes.forged, &codes.expired, &codes.case];
        let mut tasks = Vec::new();
        for node in &cluster.publics {
            for group in groups {
                let (stop, base) = (stop.clone(), node.url.clone());
                let paths: Vec<_> = group.iter().map(|url| path_of(url).to_owned()).collect();
                tasks.push(tokio::spawn(async move {
                    let mut asked = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let said = ask(&base, &paths[asked % paths.len()], 5 * SECOND).await;
                        assert_ne!(said, "nothing");
                        asked += 1;
                    }
                    asked
                }));
            }
        }
        Load { stop, tasks }
    }

    async fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = 0;
        for task in self.tasks {
            all += task.await.expect("no scan went unanswered");
        }
        all
    }
}

#[actix_web::test]
async fn a_process_that_was_stopped_and_continued_does_not_say_ok() {
    let cluster = Cluster::start(NODES, &[]).await;
    let officer = cluster.officer().await;
    let batch = cluster.batch(&officer).await;
    for stopped_for in [Duration::from_millis(900), 3 * SECOND] {
        let tin = path_of(&cluster.demo.codes.legal[0]);
        everywhere(&cluster, tin, OK, 5 * SECOND).await;
        let (id, first) = while_stopped(&cluster, &officer, &batch, stopped_for).await;
        println!("stopped for {stopped_for:?}: {first:?}");
        everywhere(&cluster, tin, RECALLED, 3 * SECOND).await;
        close(&officer, &id).await;
    }
}

/// Stops a node, opens a recall, lets the others tell it, puts questions to the stopped node,
/// continues it. The recall and what the node said first; `ok` fails.
async fn while_stopped(
    cluster: &Cluster,
    officer: &Caller,
    batch: &Value,
    stopped_for: Duration,
) -> (String, Vec<String>) {
    let node: &Program = &cluster.publics[0];
    let tin = path_of(&cluster.demo.codes.legal[1]).to_owned();
    node.signal("STOP");
    let stopped = Instant::now();
    let id = recall(officer, batch).await;
    for other in &cluster.publics[1..] {
        let so = || async { other.scan(&tin).await == RECALLED };
        until("the others telling it", SECOND, so).await;
    }
    tokio::time::sleep(stopped_for.saturating_sub(stopped.elapsed())).await;
    // These wait in the node's sockets and are read the moment it goes on.
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let (base, tin) = (node.url.clone(), tin.clone());
            tokio::spawn(async move { ask(&base, &tin, 5 * SECOND).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    node.signal("CONT");
    let mut said = Vec::new();
    for answer in waiting {
        said.push(answer.await.expect("an answer"));
    }
    for _ in 0..50 {
        said.push(node.scan(&tin).await);
    }
    assert!(said.iter().all(|said| said != OK), "{said:?}");
    said.dedup();
    (id, said)
}

/// A Redis of the test's own, which it may fill.
struct OwnRedis {
    child: std::process::Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl OwnRedis {
    async fn start() -> OwnRedis {
        let folder = tempfile::tempdir().expect("a folder");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let child = std::process::Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .current_dir(folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("redis-server");
        let server = OwnRedis {
            child,
            url: format!("redis://127.0.0.1:{port}"),
            _folder: folder,
        };
        let up = || async {
            let client = redis::Client::open(server.url.as_str()).expect("an address");
            client.get_multiplexed_async_connection().await.is_ok()
        };
        until("Redis", 10 * SECOND, up).await;
        server
    }

    async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url.as_str()).expect("an address");
        let line = client.get_multiplexed_async_connection().await;
        line.expect("the test's Redis")
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
