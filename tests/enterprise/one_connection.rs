//! With one connection to its database the program is slow and never stuck: nobody waits for a
//! second one while holding the log's head, or inside any other transaction. With eight, the same
//! mistake shows only when nine ask at once.

use crate::{
    operations::{call, operations, right_caller, tenant},
    support::{made, platform, text_of},
};
use futures_util::future::join_all;
use serde_json::json;
use std::time::{Duration, Instant};
use suyuan::{handheld::world::WorldError, problem::is_outage};
use suyuan_tests::{Engine, TestApp, until};

/// Longer than any busy machine takes, and an answer of 503 when a second connection is waited for.
const ONE: [(&str, &str); 2] = [
    ("database.connections", "1"),
    ("database.acquire_timeout_ms", "5000"),
];

/// Every operation of the internal API, everything the demo does, and what consumers tell.
async fn everything_works(engine: Engine) {
    let app = TestApp::spawn_with(engine, &ONE).await;
    let demo = app.world().await;
    let platform = platform(&app).await;
    let stage = tenant(&app, &platform, "AAA", "8801234").await;
    for (n, operation) in operations().iter().enumerate() {
        let (path, body) = stage.request(operation, n).expect("a request");
        let caller = right_caller(operation, &platform, &stage);
        let answer = call(caller, operation, &path, &body, &[]).await;
        assert!(
            answer.status < 500,
            "{}: {} {}",
            operation.id,
            answer.status,
            answer.text()
        );
    }
    let told = json!({"code": demo.codes.legal[0], "content": "罐内结块", "place": "上海",
        "name": "王女士", "consent": true});
    let consumer = app.consumer();
    let given = made(consumer.post("/v1/public/complaints", &told).await);
    let at = format!("/v1/public/complaints/{}", text_of(&given["receipt"]));
    let watch = json!({"version": 1, "codes": [demo.codes.legal[0]]});
    let watch = made(consumer.post("/v1/public/watches", &watch).await);
    let watch = format!("/v1/public/watches/{}", text_of(&watch["token"]));
    let within = Duration::from_secs(20);
    until("the complaint is taken", within, || async {
        consumer.get(&at).await.json()["state"] == "received"
    })
    .await;
    until("the watch is there", within, || async {
        consumer.get(&watch).await.status == 200
    })
    .await;
    let erasure = consumer.post(&format!("{at}/erasure"), &json!({})).await;
    assert_eq!(erasure.status, 202, "{}", erasure.text());
    until("erased", within, || async {
        consumer.get(&at).await.json()["personal_data_erased"] == true
    })
    .await;
    app.stop().await;
}

#[actix_web::test]
async fn nobody_waits_for_a_second_connection_on_postgres() {
    everything_works(Engine::Postgres).await;
}

#[actix_web::test]
async fn nobody_waits_for_a_second_connection_on_sqlite() {
    everything_works(Engine::Sqlite).await;
}

/// Nobody waits for those before them to wait for a connection, one after the other, as long as there is none.
async fn waits_do_not_add_up(engine: Engine) {
    let waits = [ONE[0], ("database.acquire_timeout_ms", "1000")];
    let app = TestApp::spawn_with(engine, &waits).await;
    let state = app.state();
    let held = loop {
        if let Ok(tx) = state.db.begin_reading().await {
            break tx;
        }
    };
    let began = Instant::now();
    let reads = (0..12).map(|_| state.handheld.reading.begin(&state.db));
    for read in join_all(reads).await {
        let Err(WorldError::Db(error)) = read else {
            panic!("there is no connection");
        };
        assert!(is_outage(&error), "{error}");
    }
    // Each for a turn and for a connection, at the longest.
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop(held);
    until("a connection", Duration::from_secs(20), || async {
        state.handheld.reading.begin(&state.db).await.is_ok()
    })
    .await;
    app.stop().await;
}

#[actix_web::test]
async fn waits_for_a_connection_do_not_add_up_on_postgres() {
    waits_do_not_add_up(Engine::Postgres).await;
}

#[actix_web::test]
async fn waits_for_a_connection_do_not_add_up_on_sqlite() {
    waits_do_not_add_up(Engine::Sqlite).await;
}
