//! PostgreSQL hangs or dies; Redis goes: devices wait, nothing is lost, and all goes on by itself.

use crate::{
    postgres::Postgres,
    programs::Program,
    site::{Installation, alone, drained, seed},
    support::{SECOND, until},
    verdict::{Numbers, Verdict, only_told_to_wait, refusals},
};
use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};
use suyuan_tests::{Engine, Pda, history::Tables, pda::Dice};

async fn judged(tables: &Tables, pdas: &[Pda]) -> Numbers {
    Verdict::default().end(tables, pdas).await
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
