//! A server process that pushes go to hangs (SIGSTOP) and goes on (SIGCONT), under load, again and
//! again. The first time, and every fifth after it, it hangs for longer than a device waits for its answer,
//! and than PostgreSQL bears with a transaction in which nothing happens: pushes come again, to a process
//! that has the first copies still before it. On PostgreSQL a second process serves, and must go on
//! meanwhile. `SUYUAN_TEST_LOOPS` says how often.

use crate::{
    programs::Program,
    site::{HURRY, Installation, alone, drained, loops, seed},
    verdict::{Verdict, refusals},
};
use std::time::{Duration, Instant};
use suyuan_sync::outbox::FLIGHT_MS;
use suyuan_tests::{Engine, pda::Dice};

const DEVICES: usize = 3;
/// Longer than a device waits, and than `idle_in_transaction_session_timeout` of `db`, 5 s.
const LONG: Duration = Duration::from_millis(FLIGHT_MS / HURRY + 1_500);
const EVENTS: &str = "SELECT COUNT(*) AS n FROM event";

#[actix_web::test]
async fn stopped_and_continued_on_sqlite() {
    Box::pin(stopped_and_continued(Engine::Sqlite)).await;
}

#[actix_web::test]
async fn one_of_two_stopped_and_continued_on_postgres() {
    Box::pin(stopped_and_continued(Engine::Postgres)).await;
}

async fn stopped_and_continued(engine: Engine) {
    let _alone = alone();
    let (loops, seed, began) = (loops(3), seed(), Instant::now());
    let mut dice = Dice::new(seed);
    let (site, devices) = Installation::new(engine, DEVICES).await;
    let mut pdas = site.at_work(devices, seed);
    let mut servers: Vec<Program> = vec![site.start().await];
    if engine == Engine::Postgres {
        servers.push(site.another(&[]).await);
    }
    for (n, pda) in pdas.iter_mut().enumerate() {
        pda.url.clone_from(&servers[n % servers.len()].url);
    }
    let mut verdict = Verdict::default();
    let tables = site.tables().await;
    let (mut stood_still, mut meanwhile) = (Duration::ZERO, 0);
    for n in 0..loops {
        let hangs = if n % 5 == 0 {
            LONG
        } else {
            Duration::from_millis(100 + dice.roll(600))
        };
        let moment = Duration::from_millis(150 + dice.roll(300));
        let server = dice.pick(&servers);
        let blow = async {
            tokio::time::sleep(moment).await;
            server.signal("STOP");
            let before = tables.number(EVENTS).await;
            tokio::time::sleep(hangs).await;
            let after = tables.number(EVENTS).await;
            server.signal("CONT");
            after - before
        };
        let mut own = Dice::new(dice.roll(u64::MAX));
        let load = site.all_busy(&mut pdas, &mut own, moment + hangs + moment);
        let (came, ()) = tokio::join!(blow, load);
        (stood_still, meanwhile) = (stood_still + hangs, meanwhile + came);
        verdict.hold(&tables, &pdas).await;
    }
    let took = drained(&mut pdas, Duration::from_mins(1)).await;
    let numbers = verdict.end(&tables, &pdas).await;
    tables.close().await;
    let replayed = site.replayed().await;
    println!(
        "{engine:?}, {} processes: one stopped and continued {loops} times, {stood_still:?} in all, \
         {meanwhile} events came in meanwhile; refused {:?}; drained in {took:?} after the last; {:?} \
         in all\n{numbers:?}\nreplayed: {} events, {} units, {} open findings, no difference",
        servers.len(),
        refusals(&pdas),
        began.elapsed(),
        replayed.events,
        replayed.units,
        replayed.findings,
    );
    // Whoever stood still finds that the rest of a push has been long in coming: that is sent again, too.
    let refused = refusals(&pdas);
    let to_come_again = |status: u16| status == 408 || status == 503;
    assert!(
        refused.iter().all(|(status, _)| to_come_again(*status)),
        "{refused:?}"
    );
    let refused: u64 = refused.iter().map(|(_, times)| times).sum();
    assert!(numbers.events > 20 * loops, "there was load");
    assert!(numbers.again + refused > 0, "nothing that hung came again");
    match engine {
        Engine::Sqlite => assert_eq!(meanwhile, 0, "whoever is stopped writes nothing"),
        Engine::Postgres => assert!(meanwhile > 0, "the other process waited all the time"),
    }
}
