//! `kill -9` of the server, or of one of two, at random moments under the load of several devices, again
//! and again. `SUYUAN_TEST_LOOPS` says how often; devices die too, now and then.

use crate::{
    site::{Installation, alone, drained, loops, seed},
    verdict::Verdict,
};
use std::time::{Duration, Instant};
use suyuan_tests::{Engine, Pda, pda::Dice};

const DEVICES: usize = 5;
/// Where two processes share two processors with the database.
const FEWER: usize = 3;
const EVENTS: &str = "SELECT COUNT(*) AS n FROM event";

#[actix_web::test]
async fn killed_again_and_again_on_sqlite() {
    Box::pin(killed_again_and_again(Engine::Sqlite)).await;
}

#[actix_web::test]
async fn killed_again_and_again_on_postgres() {
    Box::pin(killed_again_and_again(Engine::Postgres)).await;
}

async fn killed_again_and_again(engine: Engine) {
    let _alone = alone();
    let (loops, seed, began) = (loops(25), seed(), Instant::now());
    let mut dice = Dice::new(seed);
    let (site, devices) = Installation::new(engine, DEVICES).await;
    let mut pdas = site.at_work(devices, seed);
    let mut verdict = Verdict::default();
    let mut under_way = 0;
    for n in 0..loops {
        let mut server = site.start().await;
        pdas.iter_mut().for_each(Pda::wake);
        let moment = Duration::from_millis(30 + dice.roll(570));
        let before = unanswered(&pdas);
        let killing = async {
            tokio::time::sleep(moment).await;
            server.kill();
        };
        let after = Duration::from_millis(60);
        let load = site.all_busy(&mut pdas, &mut dice, moment + after);
        tokio::join!(load, killing);
        under_way += u32::from(unanswered(&pdas) > before);
        if n % 5 == 4 {
            pdas[dice.roll(DEVICES as u64) as usize].crash();
        }
        let tables = site.tables().await;
        verdict.hold(&tables, &pdas).await;
        tables.close().await;
    }
    let server = site.start().await;
    let took = drained(&mut pdas, Duration::from_mins(1)).await;
    let tables = site.tables().await;
    let numbers = verdict.end(&tables, &pdas).await;
    let replayed = site.replayed().await;
    println!(
        "{engine:?}: killed {loops} times, {under_way} of them with pushes under way; drained in \
         {took:?} after the last; {:?} in all\n{numbers:?}\nreplayed: {} events, {} units, {} open \
         findings, no difference",
        began.elapsed(),
        replayed.events,
        replayed.units,
        replayed.findings,
    );
    drop(server);
    assert!(numbers.events > 20 * loops, "there was load");
    assert!(under_way as usize * 3 > loops, "kills met pushes");
}

/// Two processes on one database; devices push to both. One is killed, whoever called it goes on at the
/// other, with what the first may have committed and never answered, while it is started again.
#[actix_web::test]
async fn one_of_two_killed_again_and_again() {
    Box::pin(one_of_two_killed()).await;
}

async fn one_of_two_killed() {
    let _alone = alone();
    let (loops, seed, began) = (loops(25), seed(), Instant::now());
    let mut dice = Dice::new(seed);
    let (site, devices) = Installation::new(Engine::Postgres, FEWER).await;
    let mut pdas = site.at_work(devices, seed);
    let mut servers = [site.start().await, site.another(&[]).await];
    let mut verdict = Verdict::default();
    let tables = site.tables().await;
    let (mut under_way, mut meanwhile, mut killed) = (0, 0, [0, 0]);
    for n in 0..loops {
        for (at, pda) in pdas.iter_mut().enumerate() {
            pda.url.clone_from(&servers[(n + at) % 2].url);
            pda.wake();
        }
        let victim = dice.roll(2) as usize;
        let [one, other] = &mut servers;
        let (lost, stays) = if victim == 0 {
            (one, &*other)
        } else {
            (other, &*one)
        };
        let moment = Duration::from_millis(30 + dice.roll(370));
        let before = unanswered(&pdas);
        let killing = async {
            tokio::time::sleep(moment).await;
            lost.kill();
        };
        let after = Duration::from_millis(30);
        let load = site.all_busy(&mut pdas, &mut dice, moment + after);
        tokio::join!(load, killing);
        killed[victim] += 1;
        under_way += u32::from(unanswered(&pdas) > before);
        let stood = tables.number(EVENTS).await;
        for pda in &mut pdas {
            pda.url.clone_from(&stays.url);
            pda.wake();
        }
        let starting = async {
            if victim == 0 {
                site.start().await
            } else {
                site.another(&[]).await
            }
        };
        let load = site.all_busy(&mut pdas, &mut dice, Duration::from_millis(120));
        let ((), started) = tokio::join!(load, starting);
        meanwhile += tables.number(EVENTS).await - stood;
        servers[victim] = started;
        if n % 5 == 4 {
            pdas[dice.roll(FEWER as u64) as usize].crash();
        }
        verdict.hold(&tables, &pdas).await;
    }
    let took = drained(&mut pdas, Duration::from_mins(1)).await;
    let numbers = verdict.end(&tables, &pdas).await;
    tables.close().await;
    let replayed = site.replayed().await;
    println!(
        "two processes: one of them killed {loops} times ({killed:?}), {under_way} of them with pushes \
         under way; {meanwhile} events came in at the other meanwhile; drained in {took:?} after the \
         last; {:?} in all\n{numbers:?}\nreplayed: {} events, {} units, {} open findings, no difference",
        began.elapsed(),
        replayed.events,
        replayed.units,
        replayed.findings,
    );
    assert!(numbers.events > 10 * loops, "there was load");
    assert!(under_way as usize * 3 > loops, "kills met pushes");
    assert!(meanwhile > 0, "the other went on");
}

fn unanswered(pdas: &[Pda]) -> u64 {
    pdas.iter().map(|pda| pda.tally.unanswered).sum()
}
