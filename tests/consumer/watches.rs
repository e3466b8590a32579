//! Recall notices by token: begun without account, judged each time they are asked for, ended by
//! whoever holds the token.

use crate::support::{
    batch_of, close, io_calls, metric, neighbour, officer, path_of, recall, scan, until,
};
use futures_util::future::join_all;
use jiff::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use suyuan::{
    db::statement,
    entities::log_entry,
    resolver::lease::Trust,
    watches::{rules::Token, store},
};
use suyuan_tests::{Answer, Engine, Proxy, TestApp, Weather, caller::Method, on_both};
use uuid::Uuid;

const CALL: &str = "/v1/public/watches";
const SOON: Duration = Duration::from_secs(5);
const DAY: i64 = 86_400_000_000;

async fn begin(app: &TestApp, body: &Value) -> Answer {
    app.consumer().post(CALL, body).await
}

/// Begins a watch of these codes and waits until it is there.
async fn watch(app: &TestApp, codes: &[&str]) -> String {
    let begun = begin(app, &json!({"version": 1, "codes": codes})).await;
    let token = token_of(&begun);
    arrived(app, &token).await;
    token
}

fn token_of(begun: &Answer) -> String {
    assert_eq!(begun.status, 201, "{}", begun.text());
    let body = begun.json();
    let token = body["token"].as_str().expect("a token").to_owned();
    assert_eq!(begun.header("location"), format!("{CALL}/{token}"));
    assert_eq!(begun.header("cache-control"), "no-store");
    token
}

/// Until it is there a watch says that it is on its way, and nothing else.
async fn arrived(app: &TestApp, token: &str) {
    let there = || async {
        let answer = get(app, token).await;
        if answer.status == 202 {
            assert_eq!(answer.json()["state"], "pending");
            assert_eq!(answer.header("retry-after"), "1");
        } else {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        answer.status == 200
    };
    until("the watch", SOON, there).await;
}

async fn get(app: &TestApp, token: &str) -> Answer {
    app.consumer().get(&format!("{CALL}/{token}")).await
}

async fn delete(app: &TestApp, token: &str) -> Answer {
    let path = format!("{CALL}/{token}");
    app.consumer()
        .send(Method::DELETE, &path, &[], Vec::new())
        .await
}

/// Advice of all, then advice and reasons of each code.
fn told(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    let mut parts = vec![body["advice"].as_str().expect("advice").to_owned()];
    for code in body["codes"].as_array().expect("codes") {
        let reasons = match code["reasons"].as_array().expect("reasons").as_slice() {
            [] => String::new(),
            some => format!(" {}", json!(some)),
        };
        let advice = code["advice"].as_str().expect("advice");
        parts.push(format!("{advice}{reasons}"));
    }
    parts.join(" | ")
}

fn canonical(url: &str) -> &str {
    path_of(url).split('?').next().expect("a path")
}

/// Rows of a table, all columns as text.
async fn count(app: &TestApp, what: &str) -> i64 {
    let db = &app.state().db;
    let query = statement(
        db.backend(),
        &format!("SELECT COUNT(*) AS n FROM {what}"),
        [],
    );
    let row = db
        .reader()
        .query_one_raw(query)
        .await
        .expect("a count")
        .expect("a row");
    row.try_get("", "n").expect("a number")
}

async fn sql(app: &TestApp, text: &str) {
    let db = &app.state().db;
    db.writer().execute_unprepared(text).await.expect("SQL");
}

on_both!(a_recall_shows_in_a_watch_as_soon_as_in_a_scan, |app| {
    let demo = app.world().await;
    let (tin, care) = (&demo.codes.legal[0], &demo.codes.care[0]);
    let token = watch(&app, &[tin, care]).await;
    let first = get(&app, &token).await;
    assert_eq!(told(&first), "ok | ok | ok");
    let body = first.json();
    assert_eq!(
        (&body["version"], &body["state"]),
        (&json!(1), &json!("active"))
    );
    assert_eq!(body["codes"][0]["code"], canonical(tin));
    assert_eq!(body["codes"][0]["legality"], "legal");
    assert!(body["codes"][0]["recall"].is_null());
    assert_eq!(body["poll_after_s"], 3600);
    for key in ["created_at", "ends_at", "as_of"] {
        let text = body[key].as_str().expect("a time");
        text.parse::<Timestamp>().expect("RFC 3339");
    }

    let officer = officer(&app, &demo).await;
    let lot = scan(&app, tin).await.1.code.batch.expect("a lot");
    let batch = batch_of(&officer, &lot).await;
    let id = recall(&officer, &batch["id"], "异物").await;
    app.settled().await;
    let recalled = get(&app, &token).await;
    assert_eq!(told(&recalled), "stop | stop [\"recalled\"] | ok");
    let shown = &recalled.json()["codes"][0]["recall"];
    let scanned = app.consumer().scan(path_of(tin)).await.json();
    assert_eq!(shown, &scanned["recall"], "the scan's own words");
    assert_eq!(shown["id"], id);
    assert_ne!(first.header("etag"), recalled.header("etag"));
    close(&officer, &id).await;
    app.settled().await;
    let after = get(&app, &token).await;
    assert_eq!(told(&after), "ok | ok | ok");
    assert_eq!(first.header("etag"), after.header("etag"));
    app.stop().await;
});

on_both!(asking_again_costs_nothing_while_nothing_changed, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let token = watch(&app, &[tin, &demo.codes.recalled[0], &demo.codes.case[0]]).await;
    let path = format!("{CALL}/{token}");
    let answer = get(&app, &token).await;
    let etag = answer.header("etag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for known in [etag.as_str(), &format!("\"x\", {etag}")] {
        let headers = [("if-none-match", known)];
        let again = app.consumer().get_with(&path, &headers).await;
        assert_eq!((again.status, again.body.len()), (304, 0));
        assert_eq!(again.header("etag"), etag);
    }
    let other = [("if-none-match", "W/\"0000000000000000\"")];
    assert_eq!(app.consumer().get_with(&path, &other).await.status, 200);
    let head = app
        .consumer()
        .send(Method::HEAD, &path, &[], Vec::new())
        .await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    // Looking is no query.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(count(&app, "query_packet").await, 0);
    assert_eq!(count(&app, "query_sighting").await, 0);
    app.stop().await;
});

on_both!(nothing_is_kept_but_a_hash_the_codes_and_two_times, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let id = "7b0c2f9e-3a51-4d7e-9b1c-0f5a6e2d8c34";
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", "Secret-Phone-7"),
        ("cookie", "who=Secret-Person"),
        ("x-forwarded-for", "203.0.113.77"),
    ];
    let body = json!({"id": id, "codes": [tin], "name": "Secret-Person", "gps": "Secret"});
    let sent = body.to_string().into_bytes();
    let begun = app
        .consumer()
        .send(Method::POST, CALL, &headers, sent)
        .await;
    let token = token_of(&begun);
    arrived(&app, &token).await;
    let db = &app.state().db;
    let query = statement(db.backend(), "SELECT * FROM public_watch", []);
    let rows = db.reader().query_all_raw(query).await.expect("rows");
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0].column_names(),
        ["token_hash", "codes", "created_at", "ends_at", "position"]
    );
    let codes: String = rows[0].try_get("", "codes").expect("codes");
    assert_eq!(codes, json!([canonical(tin)]).to_string());
    let hash: String = rows[0].try_get("", "token_hash").expect("a hash");
    let entries = log_entry::Entity::find()
        .filter(log_entry::Column::Kind.eq("watch_changed"))
        .all(db.reader())
        .await
        .expect("entries");
    assert_eq!(entries.len(), 1);
    let said = format!("{entries:?}");
    let secret = token.split_once('.').expect("a token").1;
    for kept in ["Secret", "203.0.113", "127.0.0", id, secret] {
        assert!(!said.contains(kept) && !hash.contains(kept), "{kept}");
    }
    assert!(!said.contains(&hash), "the log leads to no watch");
    assert_eq!(count(&app, "public_inbox").await, 0, "the message is gone");
    app.stop().await;
});

on_both!(one_id_is_one_watch_however_often_it_is_sent, |app| {
    let demo = app.world().await;
    let (tin, other) = (&demo.codes.legal[0], &demo.codes.legal[1]);
    let id = Uuid::new_v4().to_string();
    let ask = json!({"id": id, "codes": [tin, tin]});
    let secret = |answer: &Answer| {
        token_of(answer)
            .split_once('.')
            .expect("a token")
            .1
            .to_owned()
    };
    // At once, and again after it is there.
    let first: Vec<_> = join_all((0..8).map(|_| begin(&app, &ask))).await;
    arrived(&app, &token_of(&first[0])).await;
    let again = begin(&app, &ask).await;
    arrived(&app, &token_of(&again)).await;
    let secrets: HashSet<_> = first.iter().chain([&again]).map(secret).collect();
    assert_eq!(secrets.len(), 1);
    assert_eq!(
        first[0].json()["codes"],
        json!([canonical(tin)]),
        "each once"
    );
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(count(&app, "public_watch").await, 1);
    assert_eq!(
        count(&app, "log_entry WHERE kind = 'watch_changed'").await,
        1
    );
    // The same id for other codes never shows the first watch to someone else.
    let stranger = begin(&app, &json!({"id": id, "codes": [other]})).await;
    assert_ne!(secret(&stranger), secret(&again));
    arrived(&app, &token_of(&stranger)).await;
    // Without an id each is one of its own.
    let bare = json!({"codes": [tin]});
    assert_ne!(
        secret(&begin(&app, &bare).await),
        secret(&begin(&app, &bare).await)
    );
    app.stop().await;
});

on_both!(who_holds_the_token_ends_the_watch, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let id = Uuid::new_v4().to_string();
    let ask = json!({"id": id, "codes": [tin]});
    let token = token_of(&begin(&app, &ask).await);
    let gone = |token: String| {
        let app = &app;
        async move { get(app, &token).await.status == 404 }
    };
    // One that is on its way is ended too.
    assert_eq!(delete(&app, &token).await.status, 202);
    until("the end", SOON, || gone(token.clone())).await;
    assert_eq!(delete(&app, &token).await.status, 404);
    assert_eq!(
        count(&app, "public_watch WHERE codes = '[]'").await,
        1,
        "its codes are forgotten"
    );
    // Its id names no second one.
    let again = token_of(&begin(&app, &ask).await);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(get(&app, &again).await.status, 404);

    let token = watch(&app, &[tin]).await;
    let ended = delete(&app, &token).await;
    assert_eq!((ended.status, ended.body.len()), (202, 0));
    delete(&app, &token).await;
    until("the end", SOON, || gone(token.clone())).await;
    assert_eq!(
        count(&app, "log_entry WHERE kind = 'watch_changed'").await,
        4
    );
    assert_eq!(count(&app, "inbox_aside").await, 0);
    app.stop().await;
});

on_both!(
    an_unknown_token_is_unknown_and_a_young_one_may_be_on_its_way,
    |app| {
        let demo = app.world().await;
        let nothing: &[String] = &[];
        let made_up = |at| Token::of("made up", nothing, at).text();
        let now = app.clock.now();
        let young = made_up(now);
        let answer = get(&app, &young).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        // Once everything put by then was taken, it is known not to be.
        sql(
            &app,
            &format!(
                "UPDATE public_inbox_state SET taken_until = {}",
                now + 10_000_000
            ),
        )
        .await;
        let unknown = [
            young.as_str(),
            &made_up(now - DAY),
            &made_up(now + DAY),
            "x",
            "00000000.",
            &young[..40],
            &format!("{young}A"),
            "%00",
            "%E5%A9%B4",
            "..%2F..%2Fetc",
            &"9".repeat(1500),
            "' OR 1=1 --".replace(' ', "%20").leak(),
        ];
        for token in unknown {
            for method in [Method::GET, Method::DELETE] {
                let path = format!("{CALL}/{token}");
                let answer = app.consumer().send(method, &path, &[], Vec::new()).await;
                assert_eq!(
                    (answer.status, answer.problem().as_str()),
                    (404, "not-found"),
                    "{token}"
                );
                assert_eq!(answer.header("access-control-allow-origin"), "*");
            }
        }
        let before = format!("UPDATE public_inbox_state SET taken_until = {now}");
        sql(&app, &before).await;
        // Nobody's watch opens with someone else's time, or half a secret.
        let token = watch(&app, &[&demo.codes.legal[0]]).await;
        let (made, secret) = token.split_once('.').expect("a token");
        assert_eq!(
            get(&app, &format!("{made}.{}", "A".repeat(43)))
                .await
                .status,
            202
        );
        assert_eq!(
            get(&app, &format!("00000000.{secret}")).await.status,
            200,
            "the time is a hint"
        );
        let put = app
            .consumer()
            .send(Method::PUT, &format!("{CALL}/x"), &[], Vec::new())
            .await;
        assert_eq!(put.status, 405);
        assert_eq!(put.header("allow"), "GET, HEAD, DELETE, OPTIONS");
        app.stop().await;
    }
);

on_both!(a_watch_ends_and_is_forgotten, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let begun = begin(&app, &json!({"codes": [tin]})).await;
    let ends: Timestamp = begun.json()["ends_at"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("one");
    let token = token_of(&begun);
    arrived(&app, &token).await;
    // The tin is good for about two years, so 24 months come first.
    let months = (ends.as_microsecond() - app.clock.now()) / DAY;
    assert!((720..=731).contains(&months), "{months} days");
    let expired = begin(&app, &json!({"codes": [demo.codes.expired[0]]}))
        .await
        .json();
    let soon: Timestamp = expired["ends_at"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("one");
    let days = (soon.as_microsecond() - app.clock.now()) / DAY;
    assert!((29..=90).contains(&days), "{days} days");

    let db = &app.state().db;
    app.clock.shift_by(729 * DAY);
    app.settled().await;
    assert_eq!(get(&app, &token).await.status, 200);
    app.clock.shift_by(732 * DAY);
    app.settled().await;
    assert_eq!(get(&app, &token).await.status, 404);
    let forgotten = store::forget_ended(db, app.clock.now() - DAY)
        .await
        .expect("a count");
    assert!(forgotten >= 1, "{forgotten}");
    assert_eq!(count(&app, "public_watch").await, 0);
    app.stop().await;
});

on_both!(what_no_recall_can_reach_is_not_watched, |app| {
    let demo = app.world().await;
    let codes = &demo.codes;
    let (gtin, _) = crate::support::gtin_and_serial(&codes.legal[0]);
    let product = format!("/01/{gtin}");
    let unknown_lot = format!("/01/{gtin}/10/NOSUCHLOT");
    let cases = [
        (codes.forged[0].as_str(), "unknown"),
        (&codes.not_allocated[0], "unknown"),
        ("/01/06901234567892/21/A1", "unknown"),
        (&product, "names-no-batch"),
        (&unknown_lot, "names-no-batch"),
        (&codes.pallet[0], "names-no-batch"),
        ("hello", "-"),
        ("\0", "-"),
        ("", "-"),
    ];
    let before = io_calls(&app).await;
    for (code, fault) in cases {
        let answer = begin(&app, &json!({"codes": [codes.legal[0], code]})).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "invalid-fields"),
            "{code:?}"
        );
        let errors = answer.json()["errors"].clone();
        assert_eq!(errors.as_array().map(Vec::len), Some(1), "{errors}");
        assert_eq!(errors[0]["field"], "codes/1");
        if fault != "-" {
            assert_eq!(errors[0]["code"], fault, "{code:?}");
        }
    }
    assert_eq!(io_calls(&app).await, before, "refused without reading");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(
        count(&app, "public_watch").await,
        0,
        "nothing was half begun"
    );
    assert_eq!(count(&app, "public_inbox").await, 0);
    // A case, a batch, a code not yet in use and one that is void can be.
    let lot = scan(&app, &codes.legal[0])
        .await
        .1
        .code
        .batch
        .expect("a lot");
    let batch = format!("/01/{gtin}/10/{lot}");
    let list = [
        codes.case[0].as_str(),
        &batch,
        &codes.not_commissioned[0],
        &codes.void[0],
    ];
    let token = watch(&app, &list).await;
    assert_eq!(
        told(&get(&app, &token).await),
        "stop | ok | caution [\"names_product_only\"] | caution [\"not_commissioned\"] | stop [\"void\"]"
    );
    app.stop().await;
});

on_both!(what_is_no_watch_is_refused_cleanly, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let with_id = |id: Value| json!({"id": id, "codes": [tin]}).to_string().into_bytes();
    let json = [("content-type", "application/json")];
    let deep = format!("{{\"codes\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "21 codes",
            json!({"codes": vec![tin; 21]}).to_string().into(),
            "422 invalid-fields codes",
        ),
        (
            "no codes",
            json!({"codes": []}).to_string().into(),
            "422 invalid-fields codes",
        ),
        (
            "version 2",
            json!({"version": 2, "codes": [tin]}).to_string().into(),
            "422 invalid-fields version",
        ),
        ("a short id", with_id(json!("1")), "422 invalid-fields id"),
        (
            "a plain id",
            with_id(json!("0".repeat(32))),
            "422 invalid-fields id",
        ),
        (
            "a long id",
            with_id(json!("abcdefgh".repeat(9))),
            "422 invalid-fields id",
        ),
        (
            "a zero in the id",
            with_id(json!("7b0c2f9e3a514d7e9b1c0f5a6e2d8c\0")),
            "422 invalid-fields id",
        ),
        ("a number as id", with_id(json!(1)), "400 malformed-body -"),
        (
            "objects as codes",
            b"{\"codes\":[{\"code\":\"x\"}]}".to_vec(),
            "400 malformed-body -",
        ),
        (
            "null as codes",
            b"{\"codes\":null}".to_vec(),
            "400 malformed-body -",
        ),
        ("deep", deep.into_bytes(), "400 malformed-body -"),
        ("a megabyte", vec![b' '; 1 << 20], "413 too-large -"),
    ];
    for (what, bytes, expected) in cases {
        let answer = app.consumer().send(Method::POST, CALL, &json, bytes).await;
        let code = answer.problem();
        let field = answer.json()["errors"][0]["field"]
            .as_str()
            .unwrap_or("-")
            .to_owned();
        assert_eq!(
            format!("{} {code} {field}", answer.status),
            expected,
            "{what}"
        );
    }
    assert_eq!(count(&app, "public_inbox").await, 0);
    let token = watch(&app, &[tin]).await;
    assert_eq!(told(&get(&app, &token).await), "ok | ok");
    app.stop().await;
});

on_both!(the_internal_side_believes_no_message, |app| {
    let demo = app.world().await;
    let tin = canonical(&demo.codes.legal[0]);
    let now = app.clock.now();
    let token = Token::of("someone", &[tin.to_owned()], now);
    let hash = token.hash();
    let put = async |kind: &str, at: i64, body: Value| {
        let db = &app.state().db;
        let insert = statement(
            db.backend(),
            "INSERT INTO public_inbox (id, kind, at, body, sealed) VALUES (?, ?, ?, ?, ?)",
            [
                Uuid::new_v4().into(),
                kind.into(),
                at.into(),
                body.to_string().into(),
                Vec::<u8>::new().into(),
            ],
        );
        db.writer().execute_raw(insert).await.expect("a message");
    };
    let bad = [
        json!({}),
        json!("x"),
        json!({"token_hash": "x", "codes": [tin], "ends_at": 0}),
        json!({"token_hash": hash.as_str(), "codes": [], "ends_at": now}),
        json!({"token_hash": hash.as_str(), "codes": vec![tin; 21], "ends_at": now}),
        json!({"token_hash": hash.as_str(), "codes": ["/x"], "ends_at": now}),
        json!({"token_hash": hash.as_str(), "codes": [tin], "ends_at": 1e300}),
    ];
    for body in &bad {
        put("watch", now, body.clone()).await;
    }
    put("watch_end", now, json!({"token_hash": "' --"})).await;
    // For ever is 24 months here, too.
    let begin = json!({"token_hash": hash.as_str(), "codes": [tin], "ends_at": i64::MAX});
    put("watch", now + 1, begin).await;
    arrived(&app, &token.text()).await;
    let ends = get(&app, &token.text()).await.json()["ends_at"].clone();
    let ends: Timestamp = ends.as_str().expect("a time").parse().expect("one");
    let days = (ends.as_microsecond() - app.clock.now()) / DAY;
    assert!((730..=731).contains(&days), "{days} days");
    assert_eq!(count(&app, "inbox_aside").await, bad.len() as i64 + 1);
    // An end that overtakes its beginning is not lost.
    let late = Token::of("other", &[tin.to_owned()], now);
    let end = json!({"token_hash": late.hash().as_str()});
    put("watch_end", now, end).await;
    until("the end", SOON, || async {
        count(&app, "public_inbox").await == 0
    })
    .await;
    let begin =
        json!({"token_hash": late.hash().as_str(), "codes": [tin], "ends_at": now + 99 * DAY});
    put("watch", now, begin).await;
    until("the beginning", SOON, || async {
        count(&app, "public_inbox").await == 0
    })
    .await;
    assert_eq!(get(&app, &late.text()).await.status, 404);
    app.stop().await;
});

crate::on_each!(new_watches_are_limited_a_process, |engine| {
    let app = TestApp::spawn_with(engine, &[("watches.per_second", "1")]).await;
    let demo = app.world().await;
    let ask = json!({"codes": [demo.codes.legal[0]]});
    let answers = join_all((0..30).map(|_| begin(&app, &ask))).await;
    let begun = answers.iter().filter(|answer| answer.status == 201).count();
    assert!((10..=14).contains(&begun), "{begun}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (429, "too-many-requests")
        );
        assert!(!answer.header("retry-after").is_empty());
    }
    assert_eq!(scan(&app, &demo.codes.legal[0]).await.0, 200);
    app.stop().await;
});

#[actix_web::test]
async fn without_the_database_nothing_is_promised() {
    let near = TestApp::spawn(Engine::Postgres).await;
    let demo = near.world().await;
    let (proxy, through) = Proxy::before(&near.database_url).await;
    let far = neighbour(&near, &through, &[("freshness.grace_ms", "1500")]).await;
    let tin = &demo.codes.legal[0];
    let token = watch(&far, &[tin]).await;
    let ask = json!({"codes": [{"code": tin}, {"code": "nonsense"}]});
    let look = async || far.consumer().post("/v1/public/lookups", &ask).await;
    assert_eq!(look().await.json()["results"][0]["view"]["advice"], "ok");
    for weather in [Weather::Cut, Weather::Frozen] {
        proxy.set(weather);
        let trust = || far.resolver().lease.state(Instant::now());
        until("the grace", SOON, || async { trust() == Trust::Grace }).await;
        let marked = look().await.json();
        assert_eq!(
            marked["results"][0]["view"]["advice"], "caution",
            "{marked}"
        );
        assert_eq!(
            marked["results"][0]["view"]["reasons"],
            json!(["cannot_confirm"])
        );
        until("silence", SOON, || async { trust() == Trust::Expired }).await;
        let began = Instant::now();
        assert_eq!(look().await.problem(), "cannot-confirm");
        let begun = begin(&far, &json!({"codes": [tin]})).await;
        assert_eq!(
            (begun.status, begun.problem().as_str()),
            (503, "cannot-confirm")
        );
        let shown = get(&far, &token).await;
        assert_eq!(shown.status, 503, "{}", shown.text());
        let ended = delete(&far, &token).await;
        assert_eq!(ended.status, 503);
        assert!(
            began.elapsed() < 6 * Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
        proxy.set(Weather::Fair);
        until("the node's return", 2 * SOON, || async {
            get(&far, &token).await.status == 200
        })
        .await;
    }
    assert_eq!(metric(&near, "suyuan_inbox_set_aside_total").await, 0);
    far.stop().await;
    near.stop().await;
}
