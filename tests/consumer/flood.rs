//! More is asked than can be answered. Whoever asks too much waits; those who are let in are
//! answered in time, and staff do not notice. Floods are real, over loopback, and end by themselves.

use crate::{
    on_each,
    support::{metric, officer, path_of, until},
};
use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use suyuan_tests::{Caller, TestApp};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
};

const SECOND: Duration = Duration::from_secs(1);
const FLOOD: Duration = Duration::from_secs(4);

/// Requests in a row on one connection before any answer is read.
const AHEAD: usize = 16;

/// Who floods.
#[derive(Clone, Copy)]
enum Flooders {
    /// One address.
    One,
    /// A new address with each request, in networks and regions of their own.
    Everybody,
}

impl Flooders {
    fn address(self, n: u64) -> String {
        match self {
            Flooders::One => "198.51.100.1".into(),
            Flooders::Everybody => {
                let [.., a, b, c] = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
                format!("{}.{a}.{b}.{c}", 1 + n % 9)
            }
        }
    }
}

/// Floods from a thread of its own: answers by status.
fn flood(
    app: &TestApp,
    path: &str,
    flooders: Flooders,
    connections: u64,
) -> JoinHandle<BTreeMap<u16, u64>> {
    let host = app
        .public_url
        .strip_prefix("http://")
        .expect("http")
        .to_owned();
    let path = path.to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async {
            let end = Instant::now() + FLOOD;
            let mut all = JoinSet::new();
            for connection in 0..connections {
                let (host, path) = (host.clone(), path.clone());
                all.spawn(async move {
                    let mut statuses = Vec::new();
                    let mut n = connection << 32;
                    while Instant::now() < end {
                        // Closed on us: again, as a flooder would.
                        pour(&host, &path, flooders, &mut n, end, &mut statuses)
                            .await
                            .ok();
                    }
                    statuses
                });
            }
            let mut counted = BTreeMap::new();
            while let Some(statuses) = all.join_next().await {
                for status in statuses.expect("a flooder") {
                    *counted.entry(status).or_default() += 1;
                }
            }
            counted
        })
    })
}

async fn pour(
    host: &str,
    path: &str,
    flooders: Flooders,
    n: &mut u64,
    end: Instant,
    statuses: &mut Vec<u16>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(host).await?);
    while Instant::now() < end {
        let mut requests = String::new();
        for _ in 0..AHEAD {
            *n += 1;
            let address = flooders.address(*n);
            write!(
                requests,
                "GET {path} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\
                 X-Forwarded-For: {address}\r\n\r\n"
            )
            .expect("text");
        }
        stream.get_mut().write_all(requests.as_bytes()).await?;
        for _ in 0..AHEAD {
            let rest = end.saturating_duration_since(Instant::now());
            match tokio::time::timeout(rest, answer(&mut stream)).await {
                Ok(status) => statuses.push(status?),
                Err(_) => return Ok(()),
            }
        }
    }
    Ok(())
}

async fn answer(stream: &mut BufReader<TcpStream>) -> std::io::Result<u16> {
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let (mut status, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        match line.trim_end() {
            "" => break,
            line => {
                status = status.or_else(|| line.split(' ').nth(1)?.parse().ok());
                let line = line.to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.parse().map_err(|_| cut())?;
                }
            }
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    status.ok_or_else(cut)
}

/// What somebody else experienced meanwhile.
struct Experience {
    statuses: BTreeMap<u16, u64>,
    times: Vec<Duration>,
}

impl Experience {
    /// The time that 99 of 100 answers with 200 stayed within.
    fn p99(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times
            .get(times.len() * 99 / 100)
            .copied()
            .unwrap_or_default()
    }

    fn of(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    fn has_only(&self, allowed: &[u16]) -> bool {
        self.statuses.keys().all(|status| allowed.contains(status))
    }
}

impl fmt::Display for Experience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} p99 {:?}", self.statuses, self.p99())
    }
}

/// Honest people, one after the other, each from an address of their own.
async fn people(app: &TestApp, path: &str) -> Experience {
    let consumer = app.consumer();
    ask(async |n| {
        let address = format!("203.0.{}.{}", n / 200, 1 + n % 200);
        let headers = [
            ("accept", "application/json"),
            ("x-forwarded-for", address.as_str()),
        ];
        consumer.get_with(path, &headers).await.status
    })
    .await
}

async fn staff(officer: &Caller) -> Experience {
    ask(async |_| officer.get("/v1/batches").await.status).await
}

/// Asks for as long as the flood lasts, with pauses.
async fn ask(one: impl AsyncFn(u32) -> u16) -> Experience {
    let mut got = Experience {
        statuses: BTreeMap::new(),
        times: Vec::new(),
    };
    // The flood stands before anyone else comes.
    tokio::time::sleep(FLOOD / 8).await;
    let end = Instant::now() + FLOOD * 3 / 4;
    let mut n = 0;
    while Instant::now() < end {
        let asked = Instant::now();
        n += 1;
        let status = one(n).await;
        *got.statuses.entry(status).or_default() += 1;
        if status == 200 {
            got.times.push(asked.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    got
}

const BEHIND_A_PROXY: [(&str, &str); 2] = [
    ("limits.enabled", "true"),
    ("public.trusted_proxies", "127.0.0.1"),
];

on_each!(
    a_flood_from_one_address_waits_and_nobody_else_does,
    |engine| {
        let app = TestApp::spawn_with(engine, &BEHIND_A_PROXY).await;
        let demo = app.world().await;
        let officer = officer(&app, &demo).await;
        let tin = path_of(&demo.codes.legal[0]);
        let flooding = flood(&app, tin, Flooders::One, 50);
        let (people, staff) =
            tokio::join!(people(&app, path_of(&demo.codes.legal[1])), staff(&officer));
        let flooders = flooding.join().expect("the flood");
        println!("flood {flooders:?}; people {people}; staff {staff}");
        let admitted = flooders.get(&200).copied().unwrap_or(0);
        // A burst of 120 and ten a second.
        assert!((100..=250).contains(&admitted), "{flooders:?}");
        assert!(flooders[&429] >= 50, "{flooders:?}");
        // Refusals are held for half a second: each connection gets two a second.
        assert!(flooders[&429] <= 50 * 2 * 6, "{flooders:?}");
        assert!(people.has_only(&[200]) && people.of(200) >= 20, "{people}");
        assert!(people.p99() < SECOND, "{people}");
        assert!(staff.has_only(&[200]) && staff.of(200) >= 10, "{staff}");
        assert!(staff.p99() < 2 * SECOND, "{staff}");
        app.stop().await;
    }
);

on_each!(
    a_flood_from_everywhere_is_shed_and_who_is_let_in_is_answered_in_time,
    |engine| {
        let flags = [
            &BEHIND_A_PROXY[..],
            &[
                ("limits.behind_ms", "40"),
                ("limits.refusals_held", "100000"),
                // This is about load, not about rates.
                ("limits.code.per_minute", "4000000000"),
                ("limits.code.burst", "1000000"),
                ("limits.region_times", "1000000"),
            ],
        ]
        .concat();
        // The same flood with nothing in its way, to compare.
        let app = TestApp::spawn_with(engine, &BEHIND_A_PROXY[1..]).await;
        let demo = app.world().await;
        let tin = path_of(&demo.codes.legal[0]);
        let flooding = flood(&app, tin, Flooders::Everybody, 300);
        let unprotected = people(&app, tin).await;
        flooding.join().expect("the flood");
        println!("unprotected: people {unprotected}");
        app.stop().await;

        let app = TestApp::spawn_with(engine, &flags).await;
        let demo = app.world().await;
        let officer = officer(&app, &demo).await;
        let tin = path_of(&demo.codes.legal[0]);
        let flooding = flood(&app, tin, Flooders::Everybody, 300);
        let (people, staff) = tokio::join!(people(&app, tin), staff(&officer));
        let flooders = flooding.join().expect("the flood");
        println!("flood {flooders:?}; people {people}; staff {staff}");
        assert!(flooders[&200] > 100, "{flooders:?}");
        assert!(flooders[&503] > 100, "{flooders:?}");
        assert!(metric(&app, "suyuan_refused_total{why=\"load\"}").await > 100);
        assert!(people.of(200) > 0, "{people}");
        assert!(people.has_only(&[200, 503]), "{people}");
        assert!(
            people.p99() < 2 * SECOND && people.p99() < unprotected.p99(),
            "{people}"
        );
        assert!(staff.has_only(&[200]) && staff.of(200) >= 10, "{staff}");
        assert!(staff.p99() < 2 * SECOND, "{staff}");
        // Over when it is over.
        let well = || async { app.consumer().scan(tin).await.status == 200 };
        until("being well again", 3 * SECOND, well).await;
        app.stop().await;
    }
);
