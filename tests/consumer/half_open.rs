//! The worst of all lines: open, and silent. Nothing may wait for it for long, nothing may be said
//! on its account, and it is given up by itself.

use crate::support::{
    View, batch_of, neighbour, officer, path_of, recall, said, scan, until, verdict,
};
use serde_json::json;
use std::time::{Duration, Instant};
use suyuan::{demo::Demo, resolver::lease::Trust};
use suyuan_tests::{Engine, Proxy, TestApp, Weather};

const SECOND: Duration = Duration::from_secs(1);

/// A healthy node, one behind a proxy, and the proxy.
async fn nodes(flags: &[(&str, &str)]) -> (TestApp, TestApp, Proxy, Demo) {
    let near = TestApp::spawn(Engine::Postgres).await;
    let demo = near.world().await;
    let (proxy, through) = Proxy::before(&near.database_url).await;
    let far = neighbour(&near, &through, flags).await;
    (near, far, proxy, demo)
}

fn trust(app: &TestApp) -> Trust {
    app.resolver().lease.state(Instant::now())
}

#[actix_web::test]
async fn connections_that_never_speak_again_are_replaced() {
    // Nothing is held in the process: every scan reads.
    let flags = [("freshness.grace_ms", "300"), ("cache.bytes", "0")];
    let (near, far, proxy, demo) = nodes(&flags).await;
    let tins = demo.codes.legal.iter().map(|tin| said(&far, tin));
    for said in futures_util::future::join_all(tins).await {
        assert_eq!(said, "200 legal ok");
    }
    proxy.lose_open_connections();
    let lost = Instant::now();
    let silent = || async { trust(&far) == Trust::Expired };
    until("silence", 3 * SECOND, silent).await;
    let well = || async { said(&far, &demo.codes.legal[0]).await == "200 legal ok" };
    until("ok again", 15 * SECOND, well).await;
    println!("lost connections: ok again after {:?}", lost.elapsed());
    far.stop().await;
    near.stop().await;
}

#[actix_web::test]
async fn no_scan_waits_long_for_a_database_that_is_silent() {
    let (near, far, proxy, demo) = nodes(&[]).await;
    for (weather, tin) in [
        (Weather::Cut, &demo.codes.legal[0]),
        (Weather::Frozen, &demo.codes.expired[0]),
    ] {
        let fresh = || async { trust(&far) == Trust::Fresh };
        until("freshness", 8 * SECOND, fresh).await;
        proxy.set(weather);
        // This batch was never shown here, so there is nothing to fall back on.
        let asked = Instant::now();
        let answer = said(&far, tin).await;
        assert_eq!(answer, "503 cannot-confirm", "{weather:?}");
        assert!(
            asked.elapsed() < 3 * SECOND,
            "{weather:?}: {:?}",
            asked.elapsed()
        );
        // What needs no reading needs no waiting.
        let asked = Instant::now();
        let answer = said(&far, &demo.codes.forged[0]).await;
        assert!(
            answer.starts_with("404 not_allocated stop not_allocated"),
            "{answer}"
        );
        assert!(
            asked.elapsed() < SECOND,
            "{weather:?}: {:?}",
            asked.elapsed()
        );
        proxy.set(Weather::Fair);
    }
    far.stop().await;
    near.stop().await;
}

#[actix_web::test]
async fn an_answer_that_waited_past_its_lease_is_not_ok() {
    let (near, far, proxy, demo) = nodes(&[]).await;
    let officer = officer(&near, &demo).await;
    let (_, view) = scan(&near, &demo.codes.legal[0]).await;
    let batch = batch_of(&officer, &view.code.batch.expect("a lot")).await["id"].clone();
    // Polls take too long as well, so the lease runs out while the scan waits.
    proxy.set(Weather::Slow(Duration::from_millis(850)));
    let opened = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        recall(&officer, &batch, "while it waits").await
    };
    let (answer, _) = tokio::join!(said(&far, &demo.codes.legal[1]), opened);
    assert_ne!(answer, "200 legal ok");
    assert_eq!(
        verdict(&near, &demo.codes.legal[1]).await,
        "200 legal stop recalled"
    );
    proxy.set(Weather::Fair);
    let stopped = || async { said(&far, &demo.codes.legal[1]).await == "200 legal stop recalled" };
    until("the recall", 8 * SECOND, stopped).await;
    far.stop().await;
    near.stop().await;
}

#[actix_web::test]
async fn queries_are_noted_again_after_the_line_was_lost_under_the_writer() {
    let (near, far, proxy, demo) = nodes(&[]).await;
    // Someone keeps asking, so that the writer is at work when the line freezes.
    for round in 0..40 {
        if round == 20 {
            proxy.set(Weather::Frozen);
        }
        let asked = said(&far, &demo.codes.legal[0]);
        tokio::time::timeout(Duration::from_millis(300), asked)
            .await
            .ok();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    proxy.lose_open_connections();
    proxy.set(Weather::Fair);
    let well = || async { said(&far, &demo.codes.recalled[0]).await == "200 legal stop recalled" };
    until("freshness", 15 * SECOND, well).await;
    let tin = path_of(&demo.codes.legal[5]);
    assert_eq!(said(&far, tin).await, "200 legal ok");
    let counted = || async {
        let headers = [
            ("accept", "application/json"),
            ("user-agent", "suyuan-test-monitor"),
        ];
        let answer = near.consumer().get_with(tin, &headers).await;
        View::of(&answer).queries.count >= 1
    };
    until("the query being counted", 15 * SECOND, counted).await;
    far.stop().await;
    near.stop().await;
}

#[actix_web::test]
async fn complaints_are_taken_again_after_the_line_was_lost_under_one() {
    let (near, far, proxy, demo) = nodes(&[]).await;
    let told = json!({
        "code": path_of(&demo.codes.care[0]), "content": "罐内结块", "place": "上海",
        "consent": true,
    });
    let tell = async || {
        let answer = far.consumer().post("/v1/public/complaints", &told).await;
        answer.status
    };
    assert_eq!(tell().await, 201);
    // The message is on its way when the line freezes, and nobody will ever answer it.
    proxy.set(Weather::Frozen);
    assert_eq!(tell().await, 503);
    proxy.lose_open_connections();
    proxy.set(Weather::Fair);
    until("a complaint being taken", 15 * SECOND, || async {
        tell().await == 201
    })
    .await;
    far.stop().await;
    near.stop().await;
}
