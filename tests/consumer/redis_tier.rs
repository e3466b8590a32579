//! Redis makes answers cheaper, never different: shared, wrong, slow, lost or empty.

use crate::{
    on_each,
    support::{
        batch_of, io_calls, neighbour, officer, path_of, recall, redis_url, scan, until, verdict,
    },
};
use redis::AsyncCommands;
use std::time::{Duration, Instant};
use suyuan::demo::Demo;
use suyuan_tests::{Engine, Proxy, TestApp, Weather};

const SECOND: Duration = Duration::from_secs(1);

/// The test's own way to Redis.
async fn redis(url: &str) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(url).expect("an address");
    let connection = client.get_multiplexed_async_connection().await;
    connection.expect("the test's Redis")
}

/// Names of everything this installation keeps in Redis.
async fn names(connection: &mut redis::aio::MultiplexedConnection, app: &TestApp) -> Vec<String> {
    let installation = app.resolver().world.load().installation;
    let all: Vec<String> = connection
        .keys(format!("suyuan:v1:{installation}:*"))
        .await
        .expect("keys");
    all
}

/// What each group must answer; the worst time one took.
async fn all_right(app: &TestApp, demo: &Demo) -> Duration {
    let codes = &demo.codes;
    let expected = [
        (&codes.legal, "200 legal ok"),
        (&codes.care, "200 legal ok"),
        (&codes.recalled, "200 legal stop recalled"),
        (&codes.expired, "200 legal stop expired"),
        (&codes.void, "200 void stop void"),
        (
            &codes.not_commissioned,
            "200 not_commissioned caution not_commissioned",
        ),
        (&codes.not_allocated, "404 not_allocated stop not_allocated"),
        (&codes.forged, "404 not_allocated stop not_allocated"),
        (&codes.case, "200 legal ok"),
        (&codes.pallet, "200 legal caution names_logistic_unit"),
    ];
    let mut worst = Duration::ZERO;
    for (group, expected) in expected {
        for url in group.iter().take(2) {
            let asked = Instant::now();
            assert_eq!(verdict(app, url).await, expected, "{url}");
            let items = app.consumer().page(path_of(url)).await;
            worst = worst.max(asked.elapsed());
            assert!(items.text().contains("<h1"), "{url}");
        }
    }
    let (_, view) = scan(app, &codes.legal[0]).await;
    assert!(view.public_info.len() >= 18);
    worst
}

on_each!(with_redis_every_answer_is_the_same, |engine| {
    let url = redis_url();
    let app = TestApp::spawn_with(engine, &[("redis.url", &url), ("cache.bytes", "0")]).await;
    let demo = app.world().await;
    let wrong = suyuan::demo::check(&demo).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!(
        "with Redis, {engine:?}: {:?} at worst",
        all_right(&app, &demo).await
    );
    // Nothing else is kept there than views and counts, each with an end.
    let mut connection = redis(&url).await;
    let names = names(&mut connection, &app).await;
    assert!(!names.is_empty());
    for name in names {
        let known = [":view:batch:", ":view:product:", ":count:"];
        assert!(known.iter().any(|kind| name.contains(kind)), "{name}");
        let ends: i64 = connection.ttl(&name).await.expect("a time to live");
        assert!((1..=3600).contains(&ends), "{name}: {ends}");
    }
    app.stop().await;
});

#[actix_web::test]
async fn what_one_node_read_another_need_not_read_again() {
    let url = redis_url();
    let flags = [("redis.url", url.as_str())];
    let app = TestApp::spawn_with(Engine::Postgres, &flags).await;
    let demo = app.world().await;
    let other = neighbour(&app, &app.database_url, &flags).await;
    let mut connection = redis(&url).await;
    // Both nodes share the counters of this process; only one of them scans at a time.
    let before = io_calls(&app).await;
    assert_eq!(verdict(&app, &demo.codes.legal[0]).await, "200 legal ok");
    let after = io_calls(&app).await;
    assert_eq!(
        (after.0 - before.0, after.1 - before.1),
        (1, 1),
        "missed in Redis, read here"
    );
    let kept = || async { !names(&mut redis(&url).await, &app).await.is_empty() };
    until("an entry in Redis", SECOND, kept).await;

    assert_eq!(verdict(&other, &demo.codes.legal[1]).await, "200 legal ok");
    let last = io_calls(&app).await;
    assert_eq!(
        (last.0 - after.0, last.1 - after.1),
        (0, 1),
        "read from Redis alone"
    );

    // The entry says which version it was made from.
    let (_, view) = scan(&app, &demo.codes.legal[2]).await;
    let lot = view.code.batch.expect("a lot");
    let officer = officer(&app, &demo).await;
    let id = batch_of(&officer, &lot).await["id"].clone();
    let id: uuid::Uuid = serde_json::from_value(id).expect("an id");
    let world = app.resolver().world.load_full();
    let version = world.batch(id).expect("the batch").position;
    let name = format!("suyuan:v1:{}:view:batch:{id}", world.installation);
    let value: Vec<u8> = connection.get(&name).await.expect("the entry");
    assert_eq!(value[..8], version.to_be_bytes());

    // A change makes it old: both nodes read anew, once, and the newer entry replaces it.
    recall(&officer, &id.to_string().into(), "change").await;
    for node in [&app, &other] {
        let stopped =
            || async { verdict(node, &demo.codes.legal[3]).await == "200 legal stop recalled" };
        until("the recall", SECOND, stopped).await;
    }
    let newer = || async {
        let value: Vec<u8> = redis(&url).await.get(&name).await.expect("the entry");
        value[..8] > version.to_be_bytes()[..]
    };
    until("the newer entry", SECOND, newer).await;
    other.stop().await;
    app.stop().await;
}

on_each!(
    entries_of_another_version_or_of_no_form_are_never_served,
    |engine| {
        let url = redis_url();
        // Nothing is held in the process, so every scan asks Redis.
        let app = TestApp::spawn_with(engine, &[("redis.url", &url), ("cache.bytes", "0")]).await;
        let demo = app.world().await;
        let tin = &demo.codes.legal[0];
        let (_, honest) = scan(&app, tin).await;
        let mut connection = redis(&url).await;
        until("an entry", SECOND, || async {
            !names(&mut redis(&url).await, &app).await.is_empty()
        })
        .await;
        let name = names(&mut connection, &app)
            .await
            .into_iter()
            .find(|name| name.contains(":view:batch:"));
        let name = name.expect("the batch's entry");
        let value: Vec<u8> = connection.get(&name).await.expect("the entry");
        let version = i64::from_be_bytes(value[..8].try_into().expect("8 bytes"));
        let lie = String::from_utf8(value[8..].to_vec())
            .expect("text")
            .replace("晨牧", "假冒");
        assert!(lie.contains("假冒"));
        let entry = |version: i64, body: &[u8]| [&version.to_be_bytes(), body].concat();
        let wrong: Vec<(&str, Vec<u8>)> = vec![
            ("older", entry(version - 1, lie.as_bytes())),
            ("newer", entry(version + 1, lie.as_bytes())),
            ("ancient", entry(0, lie.as_bytes())),
            ("negative", entry(-1, lie.as_bytes())),
            ("without a version", lie.clone().into_bytes()),
            ("empty", Vec::new()),
            ("short", vec![1, 2, 3]),
            (
                "version in text",
                [version.to_string().as_bytes(), lie.as_bytes()].concat(),
            ),
            ("not text", entry(version, b"\xff\xfe{")),
        ];
        for (what, bytes) in wrong {
            connection.set::<_, _, ()>(&name, bytes).await.expect("set");
            let (status, view) = scan(&app, tin).await;
            assert_eq!(
                (status, view.verdict().as_str()),
                (200, "legal ok"),
                "{what}"
            );
            assert_eq!(view.public_info.len(), honest.public_info.len(), "{what}");
            let page = app.consumer().page(tin).await.text();
            assert!(page.contains("晨牧") && !page.contains("假冒"), "{what}");
        }
        // An entry of another kind than text: an error of Redis is a miss.
        connection.del::<_, ()>(&name).await.expect("del");
        connection
            .lpush::<_, _, ()>(&name, "x")
            .await
            .expect("lpush");
        assert_eq!(verdict(&app, tin).await, "200 legal ok");
        connection.del::<_, ()>(&name).await.expect("del");
        // Entries of another installation have other names.
        let elsewhere = name.replace(
            &app.resolver().world.load().installation.to_string(),
            &uuid::Uuid::nil().to_string(),
        );
        connection
            .set::<_, _, ()>(&elsewhere, entry(version, lie.as_bytes()))
            .await
            .expect("set");
        assert!(!app.consumer().page(tin).await.text().contains("假冒"));
        connection.del::<_, ()>(&elsewhere).await.expect("del");
        app.stop().await;
    }
);

on_each!(
    a_redis_that_is_down_from_the_start_changes_nothing,
    |engine| {
        let flags = [("redis.url", "redis://127.0.0.1:1"), ("cache.bytes", "0")];
        let app = TestApp::spawn_with(engine, &flags).await;
        let demo = app.world().await;
        let worst = all_right(&app, &demo).await;
        println!("Redis down from the start, {engine:?}: two answers in {worst:?} at worst");
        assert!(worst < SECOND, "{worst:?}");
        assert_eq!(app.consumer().get("/readyz").await.status, 200);
        assert_eq!(app.stranger().get("/readyz").await.status, 200);
        let health = app.stranger().get("/healthz").await.json();
        assert_eq!(
            (&health["status"], &health["redis"]),
            (&"degraded".into(), &"down".into())
        );
        app.stop().await;
    }
);

on_each!(a_redis_that_fails_in_the_middle_changes_nothing, |engine| {
    let (proxy, through) = Proxy::before(&redis_url()).await;
    let flags = [("redis.url", through.as_str()), ("cache.bytes", "0")];
    let app = TestApp::spawn_with(engine, &flags).await;
    let demo = app.world().await;
    let slow = Weather::Slow(Duration::from_millis(300));
    for weather in [
        Weather::Fair,
        Weather::Cut,
        Weather::Fair,
        slow,
        Weather::Frozen,
        Weather::Fair,
    ] {
        proxy.set(weather);
        let worst = all_right(&app, &demo).await;
        println!("Redis {weather:?}, {engine:?}: two answers in {worst:?} at worst");
        // Two answers, each with at most two calls that may wait 50 ms.
        assert!(worst < SECOND, "{weather:?}: {worst:?}");
        assert_eq!(
            app.consumer().get("/readyz").await.status,
            200,
            "{weather:?}"
        );
    }
    proxy.lose_open_connections();
    assert!(all_right(&app, &demo).await < SECOND);
    app.stop().await;
});

on_each!(a_redis_that_was_emptied_changes_nothing, |engine| {
    // A number of its own: other tests use 0.
    let url = format!(
        "{}/{}",
        redis_url(),
        if engine == Engine::Sqlite { 14 } else { 15 }
    );
    let app = TestApp::spawn_with(engine, &[("redis.url", &url), ("cache.bytes", "0")]).await;
    let demo = app.world().await;
    all_right(&app, &demo).await;
    let mut connection = redis(&url).await;
    for _ in 0..3 {
        redis::cmd("FLUSHDB")
            .exec_async(&mut connection)
            .await
            .expect("flush");
        all_right(&app, &demo).await;
    }
    app.stop().await;
});
