//! The disk is full: devices wait, nothing is lost, and all goes on by itself once there is room.
//!
//! Disks are full in two ways. One is a real one: a small tmpfs in a mount namespace of the server's own
//! (as root, or where users may have namespaces), on which writes fail with ENOSPC. Where the system
//! lets nobody mount, or `SUYUAN_TEST_MOUNT=0` says so, the same stories are told of files that may not
//! grow: a limit on their size (RLIMIT_FSIZE) needs no rights, is put on processes that run and taken
//! off again, and the same calls fail with EFBIG. What it cannot show is a disk that has no room for
//! PostgreSQL's own log: that one's files have their size from the beginning.

use crate::{
    postgres::Postgres,
    programs::Program,
    site::{Installation, alone, drained, seed},
    support::SECOND,
    verdict::{Verdict, only_told_to_wait, refusals},
};
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};
use suyuan_tests::{Engine, Pda, history::Tables, pda::Dice};

/// Has devices work until this many pushes more were refused, and a second longer.
async fn until_refused(site: &Installation, pdas: &mut [Pda], dice: &mut Dice, more: u64) {
    let times = |pdas: &[Pda]| refusals(pdas).iter().map(|(_, times)| times).sum::<u64>();
    let before = times(pdas);
    let mut tries = 0;
    while times(pdas) < before + more {
        site.all_busy(pdas, dice, SECOND).await;
        tries += 1;
        assert!(tries < 60, "there is still room");
    }
    site.all_busy(pdas, dice, SECOND).await;
}

/// How many events wait at devices.
fn waiting(pdas: &[Pda]) -> u64 {
    pdas.iter().map(Pda::unsent).sum()
}

/// The size of the largest file below a folder.
fn largest(folder: &Path) -> u64 {
    let sizes = fs::read_dir(folder).expect("the folder").map(|entry| {
        let entry = entry.expect("an entry");
        match entry.metadata() {
            Ok(data) if data.is_dir() => largest(&entry.path()),
            Ok(data) => data.len(),
            // Gone since it was named.
            Err(_) => 0,
        }
    });
    sizes.max().unwrap_or(0)
}

/// May we have disks of our own, and by which flags of `unshare`?
fn mounting() -> Option<&'static str> {
    if !may_mount() {
        return None;
    }
    let can = |flags: &&str| {
        let tried = Command::new("unshare")
            .args([*flags, "sh", "-c", "mount -t tmpfs none /mnt"])
            .stderr(Stdio::null())
            .status();
        tried.is_ok_and(|status| status.success())
    };
    ["-m", "-Urm"].into_iter().find(can)
}

/// Unless somebody wants to see what is done where nobody may.
fn may_mount() -> bool {
    std::env::var("SUYUAN_TEST_MOUNT").as_deref() != Ok("0")
}

/// The limit is put on the process before it begins; a server that is started again has none.
#[actix_web::test]
async fn files_that_may_not_grow() {
    let _alone = alone();
    let seed = seed();
    let mut dice = Dice::new(seed);
    let (site, devices) = Box::pin(Installation::new(Engine::Sqlite, 4)).await;
    let mut pdas = site.at_work(devices, seed);
    let server = limited(&site).await;
    until_refused(&site, &mut pdas, &mut dice, 1).await;
    let refused = refusals(&pdas);
    let tables = site.tables().await;
    let before = tables.number("SELECT COUNT(*) AS n FROM event").await;
    let mut verdict = Verdict::default();
    verdict.hold(&tables, &pdas).await;
    let waiting = waiting(&pdas);
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

/// A server whose files may grow by little; the limit can be taken off while it runs.
async fn limited(site: &Installation) -> Program {
    let limit = format!("--fsize={}:", largest(site.folder()) + 700_000);
    // The signal that comes with it would end the process: a disk sends none.
    let under = [
        "sh",
        "-c",
        "trap '' XFSZ; exec prlimit \"$@\"",
        "sh",
        &limit,
    ];
    site.start_under(&under, &[]).await
}

#[actix_web::test]
async fn a_disk_that_is_full_and_then_is_not() {
    let _alone = alone();
    match mounting() {
        Some(flags) => Box::pin(a_small_disk(flags)).await,
        None => Box::pin(files_that_may_grow_again()).await,
    }
}

/// The same process all the time, with no limit on its files from some moment on.
async fn files_that_may_grow_again() {
    let seed = seed();
    let mut dice = Dice::new(seed);
    let (site, devices) = Box::pin(Installation::new(Engine::Sqlite, 4)).await;
    let mut pdas = site.at_work(devices, seed);
    let server = limited(&site).await;
    until_refused(&site, &mut pdas, &mut dice, 1).await;
    let (refused, waiting) = (refusals(&pdas), waiting(&pdas));
    assert!(waiting > 0);
    let pid = server.pid().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:"])
        .status();
    assert!(lifted.expect("prlimit").success());
    let took = drained(&mut pdas, 60 * SECOND).await;
    let tables = site.tables().await;
    let numbers = Verdict::default().end(&tables, &pdas).await;
    tables.close().await;
    println!(
        "a full disk (no mount: RLIMIT_FSIZE, EFBIG): {waiting} waited, refused {refused:?}; all in \
         {took:?} after there was room, the process still the same; {numbers:?}"
    );
    only_told_to_wait(&pdas);
    site.replayed().await;
    drop(server);
}

async fn a_small_disk(flags: &str) {
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
    let ballast = Path::new(&inside).join("ballast");
    fill(&ballast, 400_000);
    until_refused(&site, &mut pdas, &mut dice, 1).await;
    let (refused, waiting) = (refusals(&pdas), waiting(&pdas));
    assert!(waiting > 0);
    fs::remove_file(&ballast).expect("room");
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
            fs::copy(format!("{inside}/{name}"), copy.path().join(name)).expect("a copy");
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
    let numbers = Verdict::default().end(&tables, &pdas).await;
    println!(
        "a full disk (tmpfs, ENOSPC): {waiting} waited, refused {refused:?}; all in {took:?} after \
         there was room, the process still the same; {numbers:?}"
    );
    only_told_to_wait(&pdas);
    tables.close().await;
    site.replayed_at(&url).await;
    drop(server);
}

/// Leaves so many bytes.
fn fill(ballast: &Path, left: u64) {
    let mut file = fs::File::create(ballast).expect("a file");
    let mut size = 0;
    while file.write_all(&[0; 4096]).is_ok() {
        size += 4096;
    }
    file.set_len(size - left).expect("a shorter file");
}

/// Room that PostgreSQL has, and has not.
struct Room {
    server: Postgres,
    /// Its tables and its log are on a small disk.
    disk: bool,
}

impl Room {
    fn of_a_server() -> Room {
        let small = if may_mount() {
            Postgres::on_a_small_disk(192)
        } else {
            None
        };
        Room {
            disk: small.is_some(),
            server: small.unwrap_or_else(Postgres::start),
        }
    }

    /// There are so many bytes left; by the other way, for each file.
    fn is_short(&self, left: u64) {
        if self.disk {
            fill(&self.server.seen().join("ballast"), left);
        } else {
            let size = largest(&self.server.seen().join("data"));
            self.server.limit_files(Some(size + left / 8));
        }
    }

    fn is_made(&self) {
        if self.disk {
            fs::remove_file(self.server.seen().join("ballast")).expect("room");
        } else {
            self.server.limit_files(None);
        }
    }
}

/// The same under PostgreSQL, its tables and its log on one small disk. Where it cannot write its log
/// it ends by itself; then it is started again once there is room, as its supervisor would.
#[actix_web::test]
async fn a_disk_that_is_full_under_postgres_and_then_is_not() {
    let _alone = alone();
    let room = Room::of_a_server();
    let seed = seed();
    let mut dice = Dice::new(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let (site, devices) = Box::pin(Installation::on(
        Engine::Postgres,
        room.server.url(),
        folder,
        4,
    ))
    .await;
    let mut pdas = site.at_work(devices, seed);
    let program = site.start().await;
    site.all_busy(&mut pdas, &mut dice, SECOND).await;
    let (mut ended, mut waited, mut verdict) = (0, 0, Verdict::default());
    for left in [600_000, 2_000_000] {
        room.is_short(left);
        until_refused(&site, &mut pdas, &mut dice, 3).await;
        waited += waiting(&pdas);
        room.is_made();
        if !room.server.runs() {
            ended += 1;
            room.server.start_again();
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
        "a full disk under PostgreSQL ({}): {waited} waited, refused {:?}, it ended itself {ended} \
         times; {numbers:?}",
        if room.disk {
            "tmpfs, ENOSPC"
        } else {
            "no mount: RLIMIT_FSIZE, EFBIG"
        },
        refusals(&pdas)
    );
    assert!(waited > 0);
    only_told_to_wait(&pdas);
    site.replayed().await;
    drop(program);
}
