//! Answers that are lost after the commit, and the same batch over several ways at once.

use crate::{
    programs::Program,
    scene::{inbound, sale},
    site::{Installation, alone, drained, seed},
    support::until,
    verdict::{Verdict, holds},
};
use futures_util::future::join_all;
use std::{collections::BTreeMap, time::Duration};
use suyuan_sync::{
    invariants::{i3_exactly_once, i11_the_order_is_total},
    wire::{PushAnswer, Status},
};
use suyuan_tests::{Engine, Handheld, Pda, Proxy, Weather, pda::Dice};

#[actix_web::test]
async fn an_answer_lost_after_the_commit_on_sqlite() {
    Box::pin(an_answer_lost_after_the_commit(Engine::Sqlite)).await;
}

#[actix_web::test]
async fn an_answer_lost_after_the_commit_on_postgres() {
    Box::pin(an_answer_lost_after_the_commit(Engine::Postgres)).await;
}

/// Everything arrives and nothing is answered; later the same is answered as it would have been.
async fn an_answer_lost_after_the_commit(engine: Engine) {
    let _alone = alone();
    let seed = seed();
    let mut dice = Dice::new(seed);
    let (site, devices) = Installation::new(engine, 2).await;
    let server = site.start().await;
    let (proxy, through) = Proxy::before(&server.url).await;
    let mut pdas = site.at_work(devices, seed);
    for pda in &mut pdas {
        pda.url.clone_from(&through);
    }
    let tables = site.tables().await;
    let mut stated = 0;
    for _ in 0..8 {
        proxy.set(Weather::Unanswered);
        for pda in &mut pdas {
            let act = site.act(&mut dice);
            stated += act.len() as i64;
            pda.state(&act);
            pda.work(Duration::from_millis(20)).await;
        }
        let held = async || tables.number("SELECT COUNT(*) AS n FROM event").await == stated;
        until("the events in the log", Duration::from_secs(20), held).await;
        join_all(
            pdas.iter_mut()
                .map(|pda| pda.work(Duration::from_millis(200))),
        )
        .await;
        let waiting: u64 = pdas.iter().map(Pda::unsent).sum();
        assert!(waiting > 0, "nobody was told");
        proxy.set(Weather::Fair);
        drained(&mut pdas, Duration::from_secs(40)).await;
    }
    let numbers = Verdict::default().end(&tables, &pdas).await;
    println!("{engine:?}: every first answer was lost: {numbers:?}");
    assert_eq!(numbers.events as i64, stated);
    assert_eq!(numbers.again, numbers.events as u64, "each was a duplicate");
    assert_eq!(numbers.results, numbers.events, "and was told once");
    site.replayed().await;
}

#[actix_web::test]
async fn the_same_batch_over_two_connections_on_sqlite() {
    Box::pin(the_same_batch_at_once(Engine::Sqlite, false)).await;
}

#[actix_web::test]
async fn the_same_batch_over_two_connections_on_postgres() {
    Box::pin(the_same_batch_at_once(Engine::Postgres, false)).await;
}

#[actix_web::test]
async fn the_same_batch_through_two_servers() {
    Box::pin(the_same_batch_at_once(Engine::Postgres, true)).await;
}

/// Again and again, the second copy now together with the first, now a moment later, now with more
/// behind it.
async fn the_same_batch_at_once(engine: Engine, two_servers: bool) {
    const ROUNDS: u64 = 25;
    let _alone = alone();
    let mut dice = Dice::new(seed());
    let (site, mut devices) = Installation::new(engine, 1).await;
    let first = site.start().await;
    let second = if two_servers {
        Some(site.another(&[]).await)
    } else {
        None
    };
    let urls = [&first, second.as_ref().unwrap_or(&first)].map(|server| server.url.clone());
    let mut device = devices.remove(0);
    let mut copies = [device.copy(&urls[0]), device.copy(&urls[1])];
    let (mut stored, mut twice, mut stated) = (0, 0, 0);
    let mut told: BTreeMap<u64, i64> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let (from, prev) = (device.next, device.head());
        let count = 2 + dice.roll(20);
        let events: Vec<String> = (0..count)
            .map(|_| device.event("sale", &sale(&[dice.pick(&site.tins)])))
            .collect();
        stated += count;
        let less = &events[..=dice.roll(count) as usize];
        let late = Duration::from_micros(dice.roll(3000));
        for copy in &mut copies {
            copy.anchor.clone_from(&device.anchor);
        }
        let (a, b) = tokio::join!(copies[0].try_push(from, prev, &events), async {
            tokio::time::sleep(late).await;
            copies[1].try_push(from, prev, less).await
        });
        let mut heads = Vec::new();
        for answer in [a, b] {
            assert_eq!(answer.status, 200, "{}", answer.text());
            let answer: PushAnswer = serde_json::from_slice(&answer.body).expect("an answer");
            device.keep(&answer.anchor);
            for result in &answer.results {
                match result.status {
                    Status::Duplicate => twice += 1,
                    Status::Stored | Status::StoredFlagged => stored += 1,
                    other => panic!("{other:?}"),
                }
                let gseq = result.gseq.expect("a position");
                assert_eq!(*told.entry(result.seq).or_insert(gseq), gseq, "I4");
            }
            heads.push((answer.receipt.stamp, answer.receipt.contiguous_seq));
        }
        heads.sort_unstable();
        assert!(heads[0].1 <= heads[1].1, "I5: {heads:?}");
    }
    let tables = site.tables().await;
    let log = tables.log().await;
    println!(
        "{engine:?}, two servers: {two_servers}: {ROUNDS} batches twice at once: {stated} events \
         stated, {stored} told as stored, {twice} as duplicates, {} in the log",
        log.events.len()
    );
    assert_eq!((stored, log.events.len() as u64), (stated, stated));
    assert!(twice > 0);
    holds(i3_exactly_once(&log));
    holds(i11_the_order_is_total(&log));
    site.replayed().await;
}

/// The positions that are taken, and the one the log says it has come to, of one moment.
const MOMENT: &str = "SELECT (SELECT gseq FROM log_head) AS n, \
                      (SELECT COUNT(*) FROM event) + (SELECT COUNT(*) FROM log_entry) AS taken";

#[actix_web::test]
async fn two_servers_make_one_log() {
    let _alone = alone();
    let seed = seed();
    let mut dice = Dice::new(seed);
    let (site, devices) = Box::pin(Installation::new(Engine::Postgres, 6)).await;
    // One of them is far from its database: its commits take their time.
    let (far, slow_url) = Proxy::before(&site.url).await;
    let near = site.start().await;
    let far_server = site.another(&[("database.url", &slow_url)]).await;
    far.set(Weather::Slow(Duration::from_millis(2)));
    let mut pdas = site.at_work(devices, seed);
    for pda in pdas.iter_mut().skip(3) {
        pda.url.clone_from(&far_server.url);
    }
    // A few tins that all of them dispute.
    let few = site.tins[..6].to_vec();
    let tables = site.tables().await;
    let (mut looks, mut moments) = (0, Vec::new());
    let during = Duration::from_secs(4);
    let load = async {
        site.all_busy(&mut pdas, &mut dice, during / 2).await;
        for _ in 0..20 {
            let tin = dice.pick(&few).clone();
            let n = dice.roll(6) as usize;
            pdas[n].state(&[("inbound", inbound(&[&tin]))]);
            pdas[n].state(&[("sale", sale(&[&tin]))]);
            join_all(
                pdas.iter_mut()
                    .map(|pda| pda.work(Duration::from_millis(40))),
            )
            .await;
        }
    };
    let looking = async {
        loop {
            let row = &tables.rows(MOMENT).await[0];
            let number = |name: &str| row.try_get::<i64>("", name).expect("a number");
            moments.push((number("n"), number("taken")));
            looks += 1;
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    tokio::select! {
        () = load => {}
        () = looking => {}
    }
    let took = drained(&mut pdas, Duration::from_mins(1)).await;
    for (head, taken) in &moments {
        assert_eq!(head, taken, "who sees position {head} sees all below it");
    }
    let numbers = Verdict::default().end(&tables, &pdas).await;
    let log = tables.log().await;
    let stamps: Vec<i64> = log.events.iter().map(|event| event.recv).collect();
    assert!(
        stamps.is_sorted_by(|a, b| a < b),
        "stamps rise with positions"
    );
    let by_far = async |server: &Program| {
        let text = server.caller().get("/metrics").await.text();
        number_of(&text, "suyuan_events_total")
    };
    let (a, b) = (by_far(&near).await, by_far(&far_server).await);
    println!(
        "two servers, one with delayed commits: {a} and {b} events; drained in {took:?}; {looks} \
         looks at the log while it grew, no position skipped; {numbers:?}"
    );
    assert!(a > 0.0 && b > 0.0);
    assert_eq!((a + b) as usize, numbers.events);
    let replayed = site.replayed().await;
    println!(
        "replayed: {} events, {} units",
        replayed.events, replayed.units
    );
}

/// A metric without labels.
pub fn number_of(metrics: &str, name: &str) -> f64 {
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |text| text.trim().parse().expect("a number"))
}

#[actix_web::test]
async fn a_pull_never_skips_while_commits_are_delayed() {
    let _alone = alone();
    let mut dice = Dice::new(seed());
    let (site, mut devices) = Box::pin(Installation::new(Engine::Postgres, 4)).await;
    let (far, slow_url) = Proxy::before(&site.url).await;
    let near = site.start().await;
    let far_server = site.another(&[("database.url", &slow_url)]).await;
    far.set(Weather::Slow(Duration::from_millis(6)));
    // The reader is the store's device; what it pulls are cards of what is on its way to it.
    let mut reader = devices.remove(1).copy(&near.url);
    let urls = [&near.url, &far_server.url, &far_server.url];
    let mut writers: Vec<Handheld> = devices
        .iter()
        .zip(urls)
        .map(|(device, url)| device.copy(url))
        .collect();
    let to = site.scene.store.clone();
    let mut sent: Vec<String> = Vec::new();
    let mut pulled: Vec<(String, i64)> = Vec::new();
    let (mut cursor, mut pages) = (0, 0);
    let tins: Vec<String> = site.tins[..90].to_vec();
    let pulling = async |reader: &mut Handheld, cursor: &mut i64, pulled: &mut Vec<_>| {
        let page = reader.pull(*cursor, 500).await;
        assert!(page.cursor >= *cursor);
        for item in &page.items {
            assert!(item.gseq > *cursor && item.gseq <= page.cursor, "{item:?}");
            pulled.push((serde_json::to_string(&item.item).expect("JSON"), item.gseq));
        }
        *cursor = page.cursor;
    };
    for round in tins.chunks(3) {
        let pushes = writers.iter_mut().zip(round).map(|(writer, tin)| {
            let (first, prev) = (writer.next, writer.head());
            let event = writer.event("outbound", &crate::scene::outbound(&[tin], &to));
            async move { writer.try_push(first, prev, &[event]).await.status }
        });
        sent.extend(round.iter().cloned());
        let pushing = join_all(pushes);
        let reading = async {
            for _ in 0..6 {
                pulling(&mut reader, &mut cursor, &mut pulled).await;
                pages += 1;
                tokio::time::sleep(Duration::from_millis(dice.roll(8))).await;
            }
        };
        let (statuses, ()) = tokio::join!(pushing, reading);
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    }
    pulling(&mut reader, &mut cursor, &mut pulled).await;
    // What somebody gets who begins now, and what the reader got bit by bit.
    let mut again = Vec::new();
    let mut fresh = 0;
    pulling(&mut reader, &mut fresh, &mut again).await;
    let cards = |items: &[(String, i64)]| {
        let of = |tin: &String| {
            let serial = tin.rsplit('/').next().expect("a serial").to_owned();
            items.iter().any(|(item, _)| item.contains(&serial))
        };
        sent.iter().filter(|tin| of(tin)).count()
    };
    println!(
        "delayed commits: {} outbounds by three writers, {pages} pages, {} items; cards of {} \
         (from the beginning: {})",
        sent.len(),
        pulled.len(),
        cards(&pulled),
        cards(&again)
    );
    assert_eq!(cards(&again), sent.len());
    assert_eq!(cards(&pulled), sent.len(), "a pull skipped something");
}
