//! A recall opened is a recall seen, everywhere, within a second.

use crate::support::{
    batch_of, close, neighbour, officer, path_of, recall, redis_url, scan, until, verdict,
};
use serde_json::Value;
use std::time::{Duration, Instant};
use suyuan::{demo::Demo, resolver::lease::Trust};
use suyuan_tests::{Caller, Engine, Proxy, TestApp, Weather, on_both};

const SECOND: Duration = Duration::from_secs(1);
const ROUNDS: usize = 5;

/// An officer and the batch of the demo's first legal tin.
async fn officer_and_batch(app: &TestApp, demo: &Demo) -> (Caller, Value) {
    let officer = officer(app, demo).await;
    let (_, view) = scan(app, &demo.codes.legal[0]).await;
    let lot = view.code.batch.expect("a lot");
    let batch = batch_of(&officer, &lot).await["id"].clone();
    (officer, batch)
}

/// Opens and closes recalls; how long `seen_by` needed to tell, at worst, from the API's answer on.
async fn worst(officer: &Caller, batch: &Value, tin: &str, seen_by: &TestApp) -> Duration {
    let mut worst = Duration::ZERO;
    for round in 0..ROUNDS {
        let id = recall(officer, batch, &format!("round {round}")).await;
        let stopped = || async { verdict(seen_by, tin).await == "200 legal stop recalled" };
        worst = worst.max(until("the recall", SECOND, stopped).await);
        // Seen once, seen for good.
        let since = Instant::now();
        while since.elapsed() < Duration::from_millis(100) {
            assert!(stopped().await, "a recall was forgotten again");
        }
        close(officer, &id).await;
        let free = || async { verdict(seen_by, tin).await == "200 legal ok" };
        worst = worst.max(until("the end of the recall", SECOND, free).await);
        // Another place in the interval between two polls each time.
        tokio::time::sleep(Duration::from_millis(83 * round as u64)).await;
    }
    worst
}

on_both!(
    a_recall_is_seen_within_a_second_where_it_was_opened,
    |app| {
        let demo = app.world().await;
        let (officer, batch) = officer_and_batch(&app, &demo).await;
        let worst = worst(&officer, &batch, &demo.codes.legal[0], &app).await;
        println!(
            "recall visible, same process, {:?}: {worst:?} at worst",
            app.engine
        );
        app.stop().await;
    }
);

async fn two_nodes(redis: Option<&str>) -> (TestApp, TestApp, Demo) {
    let flags: Vec<_> = redis.iter().map(|url| ("redis.url", *url)).collect();
    let app = TestApp::spawn_with(Engine::Postgres, &flags).await;
    let demo = app.world().await;
    let other = neighbour(&app, &app.database_url, &flags).await;
    (app, other, demo)
}

#[actix_web::test]
async fn another_node_sees_a_recall_within_a_second_without_redis() {
    let (app, other, demo) = two_nodes(None).await;
    let (officer, batch) = officer_and_batch(&app, &demo).await;
    let worst = worst(&officer, &batch, &demo.codes.legal[0], &other).await;
    println!("recall visible, other node, no Redis: {worst:?} at worst");
    other.stop().await;
    app.stop().await;
}

#[actix_web::test]
async fn another_node_sees_a_recall_within_a_second_with_redis() {
    let url = redis_url();
    let (app, other, demo) = two_nodes(Some(&url)).await;
    let (officer, batch) = officer_and_batch(&app, &demo).await;
    let worst = worst(&officer, &batch, &demo.codes.legal[0], &other).await;
    println!("recall visible, other node, Redis: {worst:?} at worst");
    other.stop().await;
    app.stop().await;
}

#[actix_web::test]
async fn another_node_sees_a_recall_within_a_second_with_redis_cut_in_the_middle() {
    let (proxy, through) = Proxy::before(&redis_url()).await;
    let (app, other, demo) = two_nodes(Some(&through)).await;
    let (officer, batch) = officer_and_batch(&app, &demo).await;
    let tin = &demo.codes.legal[0];
    for weather in [
        Weather::Cut,
        Weather::Frozen,
        Weather::Slow(Duration::from_millis(700)),
    ] {
        proxy.set(Weather::Fair);
        let with = worst(&officer, &batch, tin, &other).await;
        proxy.set(weather);
        let without = worst(&officer, &batch, tin, &other).await;
        println!(
            "recall visible, other node, Redis {weather:?}: {with:?} before, {without:?} after"
        );
    }
    proxy.set(Weather::Fair);
    proxy.lose_open_connections();
    let lost = worst(&officer, &batch, tin, &other).await;
    println!("recall visible, other node, connections to Redis lost: {lost:?}");
    other.stop().await;
    app.stop().await;
}

on_both!(a_row_that_cannot_be_read_ends_the_lease, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    assert_eq!(verdict(&app, tin).await, "200 legal ok");
    let db = &app.state().db;
    let run = async |sql: &str| {
        use sea_orm::ConnectionTrait;
        db.writer()
            .execute_unprepared(sql)
            .await
            .expect("a statement");
    };
    // A key ring that does not open, one position ahead of what is known.
    run("CREATE TABLE aside AS SELECT space, keys, position FROM public_space").await;
    run("UPDATE public_space SET keys = '[]x', position = \
         (SELECT position + 1 FROM public_head WHERE id = 1)")
    .await;
    run("UPDATE public_head SET position = position + 1 WHERE id = 1").await;
    let before = app.resolver().world.load().position;
    let lapsed = || async { app.resolver().lease.state(Instant::now()) != Trust::Fresh };
    until("the lease running out", 2 * SECOND, lapsed).await;
    let as_of = app.resolver().lease.as_of().at;
    tokio::time::sleep(SECOND).await;
    assert_eq!(
        app.resolver().lease.as_of().at,
        as_of,
        "renewed by a poll that failed"
    );
    assert_eq!(
        app.resolver().world.load().position,
        before,
        "half of a change was taken"
    );
    let ready = app.consumer().get("/readyz").await;
    assert_eq!(
        (ready.status, ready.problem().as_str()),
        (503, "unavailable")
    );
    assert_eq!(app.consumer().get("/livez").await.status, 200);

    run("UPDATE public_space SET keys = \
         (SELECT aside.keys FROM aside WHERE aside.space = public_space.space)")
    .await;
    let healed = || async { verdict(&app, tin).await == "200 legal ok" };
    until("ok again", 3 * SECOND, healed).await;
    assert_eq!(app.consumer().get("/readyz").await.status, 200);
    app.stop().await;
});

on_both!(what_was_known_before_a_restart_is_known_after_it, |app| {
    let demo = app.world().await;
    let (officer, batch) = officer_and_batch(&app, &demo).await;
    recall(&officer, &batch, "before the restart").await;
    if app.engine == Engine::Postgres {
        let url = app.database_url.clone();
        let again = neighbour(&app, &url, &[]).await;
        let tin = path_of(&demo.codes.legal[0]);
        assert_eq!(verdict(&again, tin).await, "200 legal stop recalled");
        assert_eq!(
            verdict(&again, &demo.codes.void[0]).await,
            "200 void stop void"
        );
        again.stop().await;
    }
    app.settled().await;
    assert_eq!(
        verdict(&app, &demo.codes.legal[0]).await,
        "200 legal stop recalled"
    );
    app.stop().await;
});
