//! Rules that once did not hold: each was a fault found by trying, and stays so mended.

use crate::support::{
    batch_of, gtin_and_serial, neighbour, officer, path_of, recall, redis_url, scan, until, verdict,
};
use redis::AsyncCommands;
use sea_orm::TransactionTrait;
use std::time::Duration;
use suyuan_tests::{Engine, Proxy, TestApp, Weather, on_both};

const SECOND: Duration = Duration::from_secs(1);

#[actix_web::test]
async fn an_answer_that_waited_knows_what_its_node_learned_meanwhile() {
    let near = TestApp::spawn(Engine::Postgres).await;
    let demo = near.world().await;
    let one = [
        ("database.connections", "1"),
        ("queries.refresh_ms", "60000"),
        ("queries.fold_ms", "60000"),
    ];
    let far = neighbour(&near, &near.database_url, &one).await;
    let officer = officer(&near, &demo).await;
    let (_, view) = scan(&near, &demo.codes.legal[0]).await;
    let batch = batch_of(&officer, &view.code.batch.expect("a lot")).await["id"].clone();
    tokio::time::sleep(SECOND).await;
    // The one connection for texts is taken for a while; the feed has its own.
    let held = far.resolver().db.reader().begin().await;
    let held = held.expect("the connection");
    let others = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        recall(&officer, &batch, "while it waits").await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        drop(held);
    };
    let ((_, view), ()) = tokio::join!(scan(&far, &demo.codes.legal[1]), others);
    assert_eq!(
        view.verdict(),
        "legal stop recalled",
        "as of {}",
        view.as_of
    );
}

#[actix_web::test]
async fn an_entry_that_cannot_be_read_is_a_miss() {
    let url = redis_url();
    let app =
        TestApp::spawn_with(Engine::Sqlite, &[("redis.url", &url), ("cache.bytes", "0")]).await;
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let (_, honest) = scan(&app, tin).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let client = redis::Client::open(url.as_str()).expect("an address");
    let mut redis = client
        .get_multiplexed_async_connection()
        .await
        .expect("Redis");
    let installation = app.resolver().world.load().installation;
    let names: Vec<String> = redis
        .keys(format!("suyuan:v1:{installation}:view:batch:*"))
        .await
        .expect("keys");
    let value: Vec<u8> = redis.get(&names[0]).await.expect("the entry");
    for body in [
        &b"{not json"[..],
        b"",
        b"null",
        b"{}",
        &value[8..value.len() / 2],
    ] {
        redis
            .set::<_, _, ()>(&names[0], [&value[..8], body].concat())
            .await
            .expect("set");
        let (status, view) = scan(&app, tin).await;
        assert_eq!(
            (status, view.public_info.len()),
            (200, honest.public_info.len()),
            "{body:?}"
        );
    }
}

#[actix_web::test]
async fn a_count_that_cannot_be_read_is_not_called_the_first_query() {
    let near = TestApp::spawn(Engine::Postgres).await;
    let demo = near.world().await;
    let (proxy, through) = Proxy::before(&near.database_url).await;
    let far = neighbour(&near, &through, &[]).await;
    let tin = path_of(&demo.codes.legal[0]);
    for _ in 0..3 {
        far.consumer().page(tin).await;
    }
    let counted = || async { scan(&far, tin).await.1.queries.count >= 3 };
    until("three queries", 12 * SECOND, counted).await;
    tokio::time::sleep(Duration::from_millis(5200)).await; // what is held is too old now
    proxy.set(Weather::Cut);
    let page = far.consumer().page(tin).await;
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("此前没有查询记录"));
}

#[actix_web::test]
async fn a_lost_connection_to_redis_is_replaced() {
    let (proxy, through) = Proxy::before(&redis_url()).await;
    let app = TestApp::spawn_with(Engine::Sqlite, &[("redis.url", &through)]).await;
    app.world().await;
    let well = || async { app.stranger().get("/healthz").await.json()["redis"] == "ok" };
    until("Redis", 3 * SECOND, well).await;
    proxy.lose_open_connections();
    tokio::time::sleep(SECOND).await;
    until("Redis being used again", 20 * SECOND, well).await;
}

on_both!(only_what_was_found_can_be_unchanged, |app| {
    let demo = app.world().await;
    let json = ("accept", "application/json");
    let forged = path_of(&demo.codes.forged[0]);
    let tag = app
        .consumer()
        .get_with(forged, &[json])
        .await
        .header("etag")
        .to_owned();
    let again = app
        .consumer()
        .get_with(forged, &[json, ("if-none-match", &tag)])
        .await;
    assert_eq!(again.status, 404);
    app.stop().await;
});

on_both!(a_language_never_turns_a_refusal_into_an_answer, |app| {
    let demo = app.world().await;
    let (gtin, serial) = gtin_and_serial(&demo.codes.legal[0]);
    let wrong = format!("/01/{gtin}/21/{serial}?17=991399");
    let page = app.consumer().page(&wrong).await;
    assert_eq!(page.status, 400);
    let text = page.text();
    let link = text
        .split("<a href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a link");
    let link = link.replace("&amp;", "&");
    let link = if link.starts_with('?') {
        format!("/01/{gtin}/21/{serial}{link}")
    } else {
        link
    };
    assert_eq!(app.consumer().page(&link).await.status, 400, "{link}");
    app.stop().await;
});

on_both!(a_place_is_counted_in_characters, |app| {
    app.world().await;
    let path = "/q?lang=en&code=https%3A%2F%2F%E6%BA%AF%E6%BA%90.cn%2F01%2F09521234000012";
    let page = app.consumer().page(path).await.text();
    assert!(page.contains("character 31<"), "{page}");
    app.stop().await;
});

on_both!(the_page_address_gives_pages_even_for_what_is_wrong, |app| {
    app.world().await;
    for path in ["/p/01/123", "/p/nowhere"] {
        let answer = app.consumer().get_with(path, &[("accept", "*/*")]).await;
        assert!(
            answer.header("content-type").starts_with("text/html"),
            "{path}"
        );
    }
    app.stop().await;
});

on_both!(media_types_are_read_whatever_their_case_and_line, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let kind = async |headers: &[(&str, &str)]| {
        app.consumer()
            .get_with(tin, headers)
            .await
            .header("content-type")
            .to_owned()
    };
    assert!(
        kind(&[("accept", "Application/JSON")])
            .await
            .starts_with("application/json")
    );
    assert!(
        kind(&[("accept", "TEXT/HTML, application/json")])
            .await
            .starts_with("text/html")
    );
    assert!(
        kind(&[("accept", "application/json"), ("accept", "text/html")])
            .await
            .starts_with("text/html")
    );
    // What is refused is not given, though it is named; the page's address is.
    let refused = [("accept", "application/json;q=0, */*")];
    let answer = app.consumer().get_with(tin, &refused).await;
    assert_eq!(answer.status, 307);
    app.stop().await;
});

on_both!(an_address_in_capitals_is_the_same_address, |app| {
    let demo = app.world().await;
    // What a QR code in alphanumeric mode carries.
    let capitals = path_of(&demo.codes.care[0]).to_ascii_uppercase();
    assert_eq!(verdict(&app, &capitals).await, "200 legal ok");
    app.stop().await;
});

on_both!(a_refusal_keeps_its_question_in_the_other_language, |app| {
    let page = app.consumer().page("/01/123?17=270416&x=%22").await;
    assert_eq!(page.status, 400);
    let text = page.text();
    let link = r#"href="/01/123?17=270416&#38;x=%22&#38;lang=en""#;
    assert!(text.contains(link), "{text}");
    app.stop().await;
});
