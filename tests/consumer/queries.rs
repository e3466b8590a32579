//! The query log and "queried n times, first on …".

use crate::support::{
    Logged, View, batch_of, gtin_and_serial, metric, neighbour, path_of, query_log, until,
};
use futures_util::future::join_all;
use jiff::Timestamp;
use sea_orm::{ActiveValue::Set, EntityTrait};
use std::time::Duration;
use suyuan::{
    entities::{query_count, query_packet, query_sighting},
    queries::fold::fold,
};
use suyuan_tests::{Engine, TestApp, caller::Method, on_both};
use uuid::Uuid;

/// Counts may be five seconds old; writing and folding come before.
const SOON: Duration = Duration::from_secs(9);
const PERSON: &str =
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130 Mobile Secret-Phone-7";

async fn person(app: &TestApp, url: &str) -> View {
    let headers = [("accept", "application/json"), ("user-agent", PERSON)];
    View::of(&app.consumer().get_with(path_of(url), &headers).await)
}

/// Looks without being counted.
async fn look(app: &TestApp, url: &str) -> View {
    let headers = [
        ("accept", "application/json"),
        ("user-agent", "suyuan-test-monitor"),
    ];
    View::of(&app.consumer().get_with(path_of(url), &headers).await)
}

async fn counted(app: &TestApp, url: &str, n: u64) -> View {
    let so = || async { look(app, url).await.queries.count >= n };
    until(&format!("{n} queries"), SOON, so).await;
    let view = look(app, url).await;
    assert_eq!(view.queries.count, n, "{url}");
    view
}

/// Entries of the log about this code.
async fn entries(app: &TestApp, url: &str) -> Vec<Logged> {
    let path = path_of(url).split('?').next().expect("a path");
    let mut all = query_log(app).await;
    all.retain(|entry| entry.code == path);
    all
}

on_both!(queries_are_counted_and_the_first_is_dated, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let before = Timestamp::now();
    // The answer counts those before it.
    assert_eq!(person(&app, tin).await.queries.count, 0);
    let first = Timestamp::now();
    person(&app, tin).await;
    let page = app.consumer().page(tin).await;
    assert_eq!(page.status, 200);
    let view = counted(&app, tin, 3).await;
    let first_at: Timestamp = view
        .queries
        .first_at
        .expect("a time")
        .parse()
        .expect("an instant");
    assert!((before.as_second()..=first.as_second()).contains(&first_at.as_second()));
    let as_of: Timestamp = view
        .queries
        .as_of
        .expect("a time")
        .parse()
        .expect("an instant");
    let age = as_of.duration_until(Timestamp::now()).as_secs();
    assert!((-1..=6).contains(&age), "{age} s");

    let bot = [("accept", "text/html"), ("user-agent", "Googlebot/2.1")];
    let zh = app.consumer().get_with(tin, &bot).await.text();
    let day = suyuan::clock::day_of(first_at.as_microsecond());
    assert!(
        zh.contains("<strong>3</strong> 次") && zh.contains(&day.to_string()),
        "{zh}"
    );
    // The other language says the same.
    let en = app
        .consumer()
        .get_with(&format!("{tin}&lang=en"), &bot)
        .await
        .text();
    assert!(en.contains("<strong>3</strong> times before"), "{en}");
    // A neighbour in the same batch was never queried.
    let other = app
        .consumer()
        .get_with(&demo.codes.legal[1], &bot)
        .await
        .text();
    assert!(other.contains("此前没有查询记录"));
    app.stop().await;
});

on_both!(looking_without_asking_counts_nothing, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    person(&app, tin).await;
    for _ in 0..3 {
        let headers = [("accept", "text/html"), ("user-agent", PERSON)];
        let head = app
            .consumer()
            .send(Method::HEAD, tin, &headers, Vec::new())
            .await;
        assert_eq!((head.status, head.body.len()), (200, 0));
    }
    let bots = [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0)",
        "WhatsApp/2.23 LinkPreview",
        "facebookexternalhit/1.1",
        "Mozilla/5.0 HeadlessChrome/130",
        "Yahoo! Slurp",
    ];
    for agent in bots {
        let headers = [("accept", "text/html"), ("user-agent", agent)];
        assert_eq!(app.consumer().get_with(tin, &headers).await.status, 200);
    }
    counted(&app, tin, 1).await;
    // Long enough for anything still under way.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(look(&app, tin).await.queries.count, 1);
    assert_eq!(metric(&app, "suyuan_queries_dropped_total").await, 0);
    app.stop().await;
});

on_both!(what_names_no_issued_unit_is_never_logged_under_one, |app| {
    let demo = app.world().await;
    let (gtin, _) = gtin_and_serial(&demo.codes.legal[0]);
    let nothing = ["/01/06901234567892/21/A1", "/414/6901234567892"];
    for url in demo.codes.forged.iter().chain(&demo.codes.not_allocated) {
        person(&app, url).await;
    }
    for path in nothing {
        person(&app, path).await;
    }
    let product = format!("/01/{gtin}");
    person(&app, &product).await;
    app.consumer().page("/01/123").await;
    app.consumer().page("/q?code=nonsense").await;
    person(&app, &demo.codes.void[0]).await;
    person(&app, &demo.codes.not_commissioned[0]).await;
    let written = || async {
        !entries(&app, &demo.codes.not_commissioned[0])
            .await
            .is_empty()
    };
    until("the last query in the log", SOON, written).await;
    let all = query_log(&app).await;
    let mut codes: Vec<_> = all.iter().map(|entry| entry.code.as_str()).collect();
    codes.sort_unstable();
    let path = |url: &'_ str| path_of(url).split('?').next().expect("a path").to_owned();
    let mut expected = [
        product.clone(),
        path(&demo.codes.void[0]),
        path(&demo.codes.not_commissioned[0]),
    ];
    expected.sort_unstable();
    assert_eq!(codes, expected);
    assert_eq!(
        entries(&app, &product).await[0].index,
        -1,
        "a product is logged, not counted"
    );
    counted(&app, &demo.codes.void[0], 1).await;
    app.stop().await;
});

on_both!(entries_hold_no_address_and_no_software, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let wechat = "Mozilla/5.0 (iPhone) MicroMessenger/8.0.40 Secret-Phone-9";
    for agent in [PERSON, PERSON, wechat, "curl/8.5 Secret-Phone-8"] {
        let headers = [
            ("accept", "text/html"),
            ("user-agent", agent),
            ("x-forwarded-for", "203.0.113.77"),
            ("forwarded", "for=203.0.113.77"),
            ("cookie", "who=Secret-Person"),
            ("referer", "https://secret.example/"),
        ];
        app.consumer().get_with(tin, &headers).await;
    }
    until("four entries", SOON, || async {
        entries(&app, tin).await.len() == 4
    })
    .await;
    let entries = entries(&app, tin).await;
    let rows = query_sighting::Entity::find()
        .all(app.state().db.reader())
        .await
        .expect("rows");
    let mut text = format!("{entries:?}{rows:?}");
    for row in &rows {
        text += &String::from_utf8_lossy(&row.heads);
        text += &String::from_utf8_lossy(&row.times);
    }
    for secret in [
        "127.0.0",
        "203.0.113",
        "Secret",
        "secret",
        "Android",
        "iPhone",
        "curl",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(entries.iter().all(|entry| !entry.manner.bot));
    let mut by_device: Vec<_> = entries
        .iter()
        .map(|entry| (entry.manner.device, entry.manner.channel.name()))
        .collect();
    by_device.sort_unstable();
    by_device.dedup();
    assert_eq!(by_device.len(), 3, "one device asked twice: {by_device:?}");
    let mut channels: Vec<_> = by_device.iter().map(|(_, channel)| *channel).collect();
    channels.sort_unstable();
    assert_eq!(channels, ["browser", "program", "wechat"]);
    app.stop().await;
});

on_both!(
    a_packet_is_folded_once_and_a_bad_one_holds_up_nothing,
    |app| {
        let demo = app.world().await;
        let tin = &demo.codes.legal[0];
        let db = &app.state().db;
        let waiting = async || {
            query_packet::Entity::find()
                .all(db.reader())
                .await
                .expect("packets")
        };
        // Older than all that follow: it comes first.
        let bad = query_packet::ActiveModel {
            id: Set(Uuid::nil()),
            entries: Set(3),
            body: Set(vec![1, 2, 3]),
            unreadable: Set(false),
        };
        query_packet::Entity::insert(bad)
            .exec_without_returning(db.writer())
            .await
            .expect("a packet nobody can read");
        for _ in 0..2 {
            person(&app, tin).await;
            person(&app, tin).await;
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        counted(&app, tin, 4).await;
        let left = waiting().await;
        assert!(
            left.iter()
                .any(|packet| packet.id.is_nil() && packet.unreadable)
        );
        let counts = async || {
            query_count::Entity::find()
                .all(db.reader())
                .await
                .expect("counts")
        };
        // Only what looked meanwhile (and is not counted) may be left to fold.
        let before = counts().await;
        for _ in 0..3 {
            fold(db, app.clock.now()).await.expect("a fold");
            assert_eq!(counts().await, before);
        }
        app.stop().await;
    }
);

on_both!(the_first_time_is_the_least, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    person(&app, tin).await;
    let first = counted(&app, tin, 1)
        .await
        .queries
        .first_at
        .expect("a time");
    // A query that another node noted earlier arrives later.
    app.clock.shift_by(-3 * 86_400_000_000);
    person(&app, tin).await;
    app.clock.shift_by(0);
    app.settled().await;
    let least = counted(&app, tin, 2)
        .await
        .queries
        .first_at
        .expect("a time");
    let (first, least): (Timestamp, Timestamp) =
        (first.parse().expect("one"), least.parse().expect("one"));
    let days = least.duration_until(first).as_hours();
    assert!((71..=73).contains(&days), "{days} h");
    // A later one does not move it.
    person(&app, tin).await;
    let still = counted(&app, tin, 3)
        .await
        .queries
        .first_at
        .expect("a time");
    assert_eq!(still.parse::<Timestamp>().expect("one"), least);
    app.stop().await;
});

on_both!(queries_at_once_are_all_counted, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let answers = join_all((0..60).map(|_| person(&app, tin))).await;
    assert!(answers.iter().all(|view| view.verdict() == "legal ok"));
    counted(&app, tin, 60).await;
    // Each stands in the log, and a code is a row a fold, not one a query.
    let people = entries(&app, tin).await;
    let people = people.iter().filter(|entry| !entry.manner.bot).count();
    assert_eq!(people, 60);
    let rows = query_sighting::Entity::find().all(app.state().db.reader());
    let mut told = std::collections::BTreeSet::new();
    for row in rows.await.expect("rows") {
        let name = (row.fold, row.space, row.idx, row.code);
        assert!(told.insert(name.clone()), "twice: {name:?}");
    }
    app.stop().await;
});

#[actix_web::test]
async fn two_nodes_count_together() {
    let app = TestApp::spawn(Engine::Postgres).await;
    let demo = app.world().await;
    let other = neighbour(&app, &app.database_url, &[]).await;
    let tin = &demo.codes.legal[0];
    for _ in 0..5 {
        person(&app, tin).await;
        person(&other, tin).await;
    }
    counted(&app, tin, 10).await;
    counted(&other, tin, 10).await;
    let officer = crate::support::officer(&app, &demo).await;
    let lot = look(&app, tin).await.code.batch.expect("a lot");
    assert!(batch_of(&officer, &lot).await["id"].is_string());
    other.stop().await;
    app.stop().await;
}
