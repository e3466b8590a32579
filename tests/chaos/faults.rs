//! The disk is full; PostgreSQL hangs or dies; Redis goes: devices wait, nothing is lost, and all goes
//! on by itself.

use crate::{
    postgres::Postgres,
    programs::Program,
    site::{Installation, alone, drained, seed},
    support::until,
    verdict::{Numbers, Verdict},
};
use std::{
    io::Write,
    process::{Child, Command, Stdio},
    time::Duration,
};
use suyuan_tests::{Engine, Pda, history::Tables, pda::Dice};

const SECOND: Duration = Duration::from_secs(1);

/// How often devices were refused, by status.
fn refusals(pdas: &[Pda]) -> Vec<(u16, u64)> {
    let all = pdas.iter().flat_map(|pda| &pda.tally.refused);
    all.map(|(status, times)| (*status, *times)).collect()
}

/// Only ever told to come again.
fn only_told_to_wait(pdas: &[Pda]) {
    let refused = refusals(pdas);
    assert!(
        refused.iter().all(|(status, _)| *status == 503),
        "{refused:?}"
    );
}

async fn judged(tables: &Tables, pdas: &[Pda]) -> Numbers {
    Verdict::default().end(tables, pdas).await
}

/// The kernel lets the process write no file beyond a size (RLIMIT_FSIZE): the same calls fail as on
/// a full disk, with EFBIG instead of ENOSPC. It needs no rights.
#[actix_web::test]
async fn files_that_may_not_grow() {
    let _alone = alone();
    let seed = seed();
    let mut dice = Dice::new(seed);
    let (site, devices) = Box::pin(Installation::new(Engine::Sqlite, 4)).await;
    let mut pdas = site.at_work(devices, seed);
    let sizes = std::fs::read_dir(site.folder()).expect("the folder");
    let largest = sizes.map(|file| file.expect("a file").metadata().expect("its size").len());
    let limit = format!("--fsize={}", largest.max().expect("files") + 700_000);
    // The signal that comes with it would end the process: a disk sends none.
    let under = [
        "sh",
        "-c",
        "trap '' XFSZ; exec prlimit \"$@\"",
        "sh",
        &limit,
    ];
    let server = site.start_under(&under, &[]).await;
    let mut tries = 0;
    while refusals(&pdas).is_empty() {
        site.all_busy(&mut pdas, &mut dice, SECOND).await;
        tries += 1;
        assert!(tries < 40, "the files still grow");
    }
    site.all_busy(&mut pdas, &mut dice, SECOND).await;
    let refused = refusals(&pdas);
    let tables = site.tables().await;
    let before = tables.number("SELECT COUNT(*) AS n FROM event").await;
    let mut verdict = Verdict::default();
    verdict.hold(&tables, &pdas).await;
    let waiting: u64 = pdas.iter().map(Pda::unsent).sum();
    tables.close().await;
    drop(server);
    // Somebody made room.
    let server = site.start().await;
    let took = drained(&mut pdas, 60 * SECOND).await;
    let tables = site.tables().await;
    let numbers = verdict.end(&tables, &pdas).await;
    println!(
        "files may not grow: {before} events were in when nothing went any more, {waiting} waited, \
         refused {refused:?}; all in {took:?} after there was room; {numbers:?}"
    );
    only_told_to_wait(&pdas);
    site.replayed().await;
    drop(server);
}

/// A real full disk, where the system lets us have one: a small tmpfs in a mount namespace of the
/// server's own (as root, or where users may have namespaces).
#[actix_web::test]
async fn a_disk_that_is_full_and_then_is_not() {
    let _alone = alone();
    let flags = ["-m", "-Urm"].into_iter().find(|flags| can_mount(flags));
    let Some(flags) = flags else {
        println!("NOT TESTED: this system lets nobody mount; see files_that_may_not_grow");
        return;
    };
    let seed = seed();
    let mut dice = Dice::new(seed);
    let (site, devices) = Box::pin(Installation::new(Engine::Sqlite, 4)).await;
    let mut pdas = site.at_work(devices, seed);
    let disk = tempfile::tempdir().expect("a folder");
    let (at, from) = (disk.path().display(), site.folder().display());
    // Whoever made this installation may still be closing its database: the copy is of one file.
    let closed =
        format!("for n in $(seq 100); do [ -e {from}/suyuan.db-shm ] || break; sleep 0.1; done");
    let script = format!(
        "{closed}; mount -t tmpfs -o size=24m none {at} && cp {from}/* {at}/ && exec \"$@\""
    );
    let under = ["unshare", flags, "sh", "-c", &script, "sh"];
    let (url, data) = (format!("sqlite://{at}/suyuan.db"), at.to_string());
    let server = site
        .start_under(&under, &[("database.url", &url), ("data_dir", &data)])
        .await;
    let inside = format!("/proc/{}/root{at}", server.pid());
    let ballast = format!("{inside}/ballast");
    fill(&ballast, 400_000);
    let mut tries = 0;
    while refusals(&pdas).is_empty() {
        site.all_busy(&mut pdas, &mut dice, SECOND).await;
        tries += 1;
        assert!(tries < 40, "the disk is not full");
    }
    site.all_busy(&mut pdas, &mut dice, SECOND).await;
    let refused = refusals(&pdas);
    let waiting: u64 = pdas.iter().map(Pda::unsent).sum();
    assert!(waiting > 0);
    std::fs::remove_file(&ballast).expect("room");
    let took = drained(&mut pdas, 60 * SECOND).await;
    // What is on that disk as the server leaves it when it is killed now, with nothing left for slices. (SQLite
    // would look for the real path, which only the server sees, so it is read from a copy.)
    let copy = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}/suyuan.db", copy.path().display());
    let mut tables = None;
    for _ in 0..30 {
        tokio::time::sleep(SECOND).await;
        server.signal("STOP");
        for name in ["suyuan.db", "suyuan.db-wal"] {
            std::fs::copy(format!("{inside}/{name}"), copy.path().join(name)).expect("a copy");
        }
        let open = Tables::open(&url).await;
        let left = "SELECT COUNT(*) AS n FROM refold WHERE id > 0";
        if open.number(left).await == 0 {
            tables = Some(open);
            break;
        }
        open.close().await;
        server.signal("CONT");
    }
    let tables = tables.expect("all that was left for slices was done");
    let numbers = judged(&tables, &pdas).await;
    println!(
        "a full disk (tmpfs, ENOSPC): {waiting} waited, refused {refused:?}; all in {took:?} after \
         there was room, the process still the same; {numbers:?}"
    );
    only_told_to_wait(&pdas);
    tables.close().await;
    site.replayed_at(&url).await;
    drop(server);
}

fn can_mount(flags: &str) -> bool {
    let script = "mount -t tmpfs none /mnt";
    let tried = Command::new("unshare")
        .args([flags, "sh", "-c", script])
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}

/// Leaves so many bytes.
fn fill(ballast: &str, left: u64) {
    let mut file = std::fs::File::create(ballast).expect("a file");
    let mut size = 0;
    while file.write_all(&[0; 4096]).is_ok() {
        size += 4096;
    }
    file.set_len(size - left).expect("a shorter file");
}

/// The same under PostgreSQL, its tables and its log on one small disk. Where it cannot write its log
/// it ends by itself; then it is started again once there is room, as its supervisor would.
#[actix_web::test]
async fn a_disk_that_is_full_under_postgres_and_then_is_not() {
    let _alone = alone();
    let Some(server) = Postgres::on_a_small_disk(192) else {
        println!("NOT TESTED: this system lets nobody mount");
        return;
    };
    let seed = seed();
    let mut dice = Dice::new(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let (site, devices) =
        Box::pin(Installation::on(Engine::Postgres, server.url(), folder, 4)).await;
    let mut pdas = site.at_work(devices, seed);
    let program = site.start().await;
    site.all_busy(&mut pdas, &mut dice, SECOND).await;
    let ballast = server.seen().join("ballast").display().to_string();
    let (mut ended, mut waited, mut verdict) = (0, 0, Verdict::default());
    for left in [600_000, 2_000_000] {
        let refused: u64 = refusals(&pdas).iter().map(|(_, times)| times).sum();
        fill(&ballast, left);
        let mut tries = 0;
        while refusals(&pdas).iter().map(|(_, times)| times).sum::<u64>() <= refused + 2 {
            site.all_busy(&mut pdas, &mut dice, SECOND).await;
            tries += 1;
            assert!(tries < 60, "the disk is not full");
        }
        site.all_busy(&mut pdas, &mut dice, SECOND).await;
        waited += pdas.iter().map(Pda::unsent).sum::<u64>();
        std::fs::remove_file(&ballast).expect("room");
        if !server.runs() {
            ended += 1;
            server.start_again();
        }
        let took = drained(&mut pdas, 90 * SECOND).await;
        println!("{left} bytes left: all in {took:?} after there was room");
        let tables = site.tables().await;
        verdict.hold(&tables, &pdas).await;
        tables.close().await;
    }
    let tables = site.tables().await;
    let numbers = verdict.end(&tables, &pdas).await;
    println!(
        "a full disk under PostgreSQL: {waited} waited, refused {:?}, it ended itself {ended} times; \
         {numbers:?}",
        refusals(&pdas)
    );
    assert!(waited > 0);
    only_told_to_wait(&pdas);
    site.replayed().await;
    drop(program);
}

#[actix_web::test]
async fn postgres_hangs_and_dies_under_load() {
    let _alone = alone();
    let seed = seed();
    let mut dice = Dice::new(seed);
    let server = Postgres::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (site, devices) =
        Box::pin(Installation::on(Engine::Postgres, server.url(), folder, 4)).await;
    let mut pdas = site.at_work(devices, seed);
    let program = site.start().await;
    let mut verdict = Verdict::default();
    for round in 0..4 {
        let dies = round % 2 == 1;
        let moment = Duration::from_millis(300 + dice.roll(400));
        let blow = async {
            tokio::time::sleep(moment).await;
            if dies {
                server.die();
                tokio::time::sleep(SECOND).await;
                server.start_again();
            } else {
                server.signal("STOP");
                tokio::time::sleep(2 * SECOND).await;
                server.signal("CONT");
            }
        };
        let mut own = Dice::new(dice.roll(u64::MAX));
        let load = site.all_busy(&mut pdas, &mut own, 4 * SECOND);
        tokio::join!(load, blow);
        let tables = site.tables().await;
        verdict.hold(&tables, &pdas).await;
        tables.close().await;
    }
    let took = drained(&mut pdas, 90 * SECOND).await;
    let tables = site.tables().await;
    let numbers = verdict.end(&tables, &pdas).await;
    println!(
        "PostgreSQL hung twice and died twice: refused {:?}, drained in {took:?}; {numbers:?}",
        refusals(&pdas)
    );
    only_told_to_wait(&pdas);
    site.replayed().await;
    drop(program);
}

/// A Redis of the test's own.
struct Redis(Child);

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[actix_web::test]
async fn redis_goes_and_devices_do_not_notice() {
    let _alone = alone();
    let seed = seed();
    let mut dice = Dice::new(seed);
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("its address").port().to_string();
    drop(free);
    let mut redis = Redis(
        Command::new("redis-server")
            .args([
                "--port",
                &port,
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server"),
    );
    let up = async || {
        tokio::net::TcpStream::connect(format!("127.0.0.1:{port}"))
            .await
            .is_ok()
    };
    until("Redis", 10 * SECOND, up).await;
    let (site, devices) = Box::pin(Installation::new(Engine::Postgres, 3)).await;
    let mut pdas = site.at_work(devices, seed);
    let url = format!("redis://127.0.0.1:{port}");
    let program: Program = site.start_under(&[], &[("redis.url", &url)]).await;
    site.all_busy(&mut pdas, &mut dice, SECOND).await;
    redis.0.kill().expect("SIGKILL");
    redis.0.wait().expect("its end");
    site.all_busy(&mut pdas, &mut dice, 2 * SECOND).await;
    drained(&mut pdas, 30 * SECOND).await;
    let tables = site.tables().await;
    let numbers = judged(&tables, &pdas).await;
    println!(
        "Redis was killed: refused {:?}; {numbers:?}",
        refusals(&pdas)
    );
    assert_eq!(refusals(&pdas), []);
    assert_eq!(numbers.unanswered + numbers.unreached, 0);
    drop(program);
}
