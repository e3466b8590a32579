//! How much one caller may ask for: by address, by code, by guessing; together over several
//! processes; and whose word about an address is taken.

use crate::{
    on_each,
    support::{metric, neighbour, path_of, query_log, redis_url, until},
};
use serde_json::json;
use std::time::{Duration, Instant};
use suyuan_tests::{Answer, Engine, Proxy, TestApp, Weather};

const SECOND: Duration = Duration::from_secs(1);

/// Limits on, and no time lost over refusals.
const ON: [(&str, &str); 2] = [("limits.enabled", "true"), ("limits.refusal_ms", "0")];
/// The tests' own address is a proxy.
const PROXY: (&str, &str) = ("public.trusted_proxies", "127.0.0.0/8");

/// Settings beside `ON`.
fn with(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [&ON, more].concat()
}

/// Five scans, then hardly any.
fn five() -> [(&'static str, &'static str); 2] {
    [("limits.scan.per_minute", "1"), ("limits.scan.burst", "5")]
}

/// A scan by someone at this address, as a proxy tells it.
async fn from(app: &TestApp, address: &str, url: &str) -> Answer {
    let headers = [
        ("accept", "application/json"),
        ("x-forwarded-for", address),
        ("user-agent", "limits"),
    ];
    app.consumer().get_with(path_of(url), &headers).await
}

async fn statuses(app: &TestApp, address: &str, url: &str, times: usize) -> Vec<u16> {
    let mut all = Vec::new();
    for _ in 0..times {
        all.push(from(app, address, url).await.status);
    }
    all
}

on_each!(
    an_address_has_so_many_scans_and_others_have_theirs,
    |engine| {
        let app = TestApp::spawn_with(engine, &with(&[&five()[..], &[PROXY]].concat())).await;
        let demo = app.world().await;
        let tin = &demo.codes.legal[0];
        assert_eq!(statuses(&app, "192.0.2.1", tin, 5).await, [200; 5]);
        let refused = from(&app, "192.0.2.1", tin).await;
        assert_eq!(
            (refused.status, refused.problem()),
            (429, "too-many-requests".into())
        );
        let seconds: u32 = refused.header("retry-after").parse().expect("seconds");
        assert!((30..=60).contains(&seconds), "{seconds}");
        assert_eq!(refused.header("cache-control"), "no-store");
        // What the client wrote itself stands to the left of what the proxy added.
        assert_eq!(from(&app, "198.51.100.9, 192.0.2.1", tin).await.status, 429);
        assert_eq!(statuses(&app, "192.0.2.2", tin, 5).await, [200; 5]);
        assert_eq!(from(&app, "2001:db8::1", tin).await.status, 200);
        // Probes and staff are not counted.
        for _ in 0..20 {
            assert_eq!(from(&app, "192.0.2.1", "/livez").await.status, 200);
        }
        assert!(metric(&app, "suyuan_refused_total{why=\"rate\"}").await >= 2);
        app.stop().await;
    }
);

on_each!(nobody_gets_a_new_address_by_writing_headers, |engine| {
    let app = TestApp::spawn_with(engine, &with(&five())).await;
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let mut got = Vec::new();
    for n in 0..8 {
        let address = format!("198.51.100.{n}");
        let forwarded = format!("for={address}");
        let headers = [
            ("accept", "application/json"),
            ("x-forwarded-for", address.as_str()),
            ("forwarded", forwarded.as_str()),
            ("x-real-ip", address.as_str()),
            ("cf-connecting-ip", address.as_str()),
        ];
        let answer = app.consumer().get_with(path_of(tin), &headers).await;
        got.push(answer.status);
    }
    assert_eq!(got, [200, 200, 200, 200, 200, 429, 429, 429]);
    app.stop().await;
});

on_each!(a_person_is_told_on_a_page_in_their_language, |engine| {
    let app = TestApp::spawn_with(engine, &with(&five())).await;
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    for _ in 0..5 {
        assert_eq!(app.consumer().page(tin).await.status, 200);
    }
    for (language, words) in [
        ("zh-CN", "请求过于频繁，请稍后再试。"),
        ("en", "Too many requests; try again later."),
    ] {
        let headers = [("accept", "text/html"), ("accept-language", language)];
        let page = app.consumer().get_with(tin, &headers).await;
        assert_eq!(page.status, 429);
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(!page.header("retry-after").is_empty());
        assert!(page.text().contains(words), "{}", page.text());
    }
    app.stop().await;
});

on_each!(
    refusals_that_cannot_be_held_close_the_connection,
    |engine| {
        let flags = with(&[&five()[..], &[("limits.refusals_held", "0")]].concat());
        let app = TestApp::spawn_with(engine, &flags).await;
        let demo = app.world().await;
        let tin = &demo.codes.legal[0];
        for n in 0..7 {
            let answer = app.consumer().scan(path_of(tin)).await;
            let refused = n >= 5;
            assert_eq!(answer.status, if refused { 429 } else { 200 });
            assert_eq!(answer.header("connection") == "close", refused, "{n}");
        }
        app.stop().await;
    }
);

on_each!(
    guessing_serials_ends_soon_and_real_codes_go_on_for_others,
    |engine| {
        let flags = with(&[
            PROXY,
            ("limits.missed.per_minute", "1"),
            ("limits.missed.burst", "10"),
        ]);
        let app = TestApp::spawn_with(engine, &flags).await;
        let demo = app.world().await;
        let (tin, forged) = (&demo.codes.legal[0], &demo.codes.forged[0]);
        let path = path_of(forged).split('?').next().expect("a path");
        let (stem, serial) = path.rsplit_once('/').expect("a serial");
        let mut answered = 0;
        for n in 0..30 {
            // Another serial each time, of the right length and alphabet; links are guesses too.
            let links = ["", "?linkType=linkset", "?linkType=gs1:pip"][n % 3];
            let guess = format!("{stem}/{}{n:02}{links}", &serial[..serial.len() - 2]);
            match from(&app, "192.0.2.1", &guess).await.status {
                404 => answered += 1,
                status => assert_eq!(status, 429),
            }
        }
        assert_eq!(answered, 10);
        // Without this, a refusal would tell a guess from a hit.
        assert_eq!(from(&app, "192.0.2.1", tin).await.status, 429);
        assert_eq!(from(&app, "192.0.2.9", tin).await.status, 200);
        assert_eq!(from(&app, "192.0.2.9", forged).await.status, 404);
        assert!(metric(&app, "suyuan_refused_total{why=\"missed\"}").await >= 20);
        app.stop().await;
    }
);

on_each!(guesses_count_each_whatever_call_they_come_by, |engine| {
    let app = TestApp::spawn_with(engine, &with(&[PROXY])).await;
    let demo = app.world().await;
    let twenty = |guess: serde_json::Value| json!({"codes": vec![guess; 20]});
    let forged = &demo.codes.forged[0];
    let looked_up = twenty(json!({"code": forged}));
    let watched = twenty(json!(forged));
    for (call, body, answered, address) in [
        ("/v1/public/lookups", looked_up, 200, "192.0.2.1"),
        ("/v1/public/watches", watched, 422, "192.0.2.2"),
    ] {
        let headers = [("x-forwarded-for", address)];
        // Sixty answers, twenty at a time.
        for _ in 0..3 {
            let answer = app.consumer().post_with(call, &headers, &body).await;
            assert_eq!(answer.status, answered, "{call}: {}", answer.text());
        }
        let refused = app.consumer().post_with(call, &headers, &body).await;
        assert_eq!(refused.status, 429, "{call}: {}", refused.text());
        assert_eq!(from(&app, address, &demo.codes.legal[0]).await.status, 429);
    }
    app.stop().await;
});

on_each!(
    a_code_that_goes_round_is_answered_to_everybody_and_told_of,
    |engine| {
        let flags = with(&[
            PROXY,
            ("limits.code.per_minute", "1"),
            ("limits.code.burst", "5"),
            ("limits.code_again.per_minute", "1"),
            ("limits.code_again.burst", "3"),
        ]);
        let app = TestApp::spawn_with(engine, &flags).await;
        let demo = app.world().await;
        let tin = &demo.codes.legal[0];
        for n in 0..40 {
            let address = format!("198.51.{n}.7");
            assert_eq!(from(&app, &address, tin).await.status, 200, "{address}");
        }
        let repeated = statuses(&app, "192.0.2.1", tin, 6).await;
        assert_eq!(repeated, [200, 200, 200, 429, 429, 429]);
        // Only for this code.
        let other = &demo.codes.legal[1];
        assert_eq!(from(&app, "192.0.2.1", other).await.status, 200);
        assert!(metric(&app, "suyuan_hot_code_queries_total").await >= 35);
        let hot = app.limits().hot_codes();
        assert_eq!(hot.len(), 1);
        let told = hot[0].0.to_string();
        assert!(path_of(tin).starts_with(&told), "{told}");
        app.stop().await;
    }
);

on_each!(
    the_query_log_takes_address_and_region_from_the_proxy_only,
    |engine| {
        let flags = [PROXY, ("public.region_header", "x-region")];
        // Whoever is no proxy may write what they like.
        for (trusted, regions, devices) in [(true, ["CN-31", "CN-11"], 2), (false, ["", ""], 1)] {
            let flags = if trusted { &flags[..] } else { &flags[1..] };
            let app = TestApp::spawn_with(engine, flags).await;
            let demo = app.world().await;
            for (n, (address, region)) in [
                ("192.0.2.1", "CN-31"),
                ("192.0.2.77", "CN-31"),
                ("203.0.113.1", "CN-11"),
            ]
            .into_iter()
            .enumerate()
            {
                let headers = [
                    ("accept", "application/json"),
                    ("x-forwarded-for", address),
                    ("x-region", region),
                ];
                let tin = path_of(&demo.codes.legal[n]);
                let answer = app.consumer().get_with(tin, &headers).await;
                assert_eq!(answer.status, 200);
            }
            until("the log", 10 * SECOND, || async {
                query_log(&app).await.len() == 3
            })
            .await;
            let all = query_log(&app).await;
            let manners: Vec<_> = all.into_iter().map(|entry| entry.manner).collect();
            assert_eq!([&manners[0].region, &manners[2].region], regions);
            // The same network is the same device, another is not.
            assert_eq!(manners[0].device, manners[1].device);
            let mut all: Vec<_> = manners.iter().map(|manner| manner.device).collect();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), devices);
            app.stop().await;
        }
    }
);

/// Thirty scans, then hardly any, told to the others every 50 ms.
fn thirty() -> Vec<(&'static str, &'static str)> {
    with(&[
        PROXY,
        ("limits.scan.per_minute", "1"),
        ("limits.scan.burst", "30"),
        ("limits.share_ms", "50"),
    ])
}

#[actix_web::test]
async fn three_processes_keep_one_rate_together_with_redis() {
    let redis = redis_url();
    let mut flags = thirty();
    flags.push(("redis.url", &redis));
    let app = TestApp::spawn_with(Engine::Postgres, &flags).await;
    let demo = app.world().await;
    let url = app.database_url.clone();
    let others = [
        neighbour(&app, &url, &flags).await,
        neighbour(&app, &url, &flags).await,
    ];
    let tin = &demo.codes.legal[0];
    // Until the three hear each other.
    for other in &others {
        let mut n = 0;
        let heard = || {
            n += 1;
            let address = format!("203.0.{n}.1");
            let (app, tin) = (&app, tin);
            async move {
                statuses(app, &address, tin, 30).await;
                tokio::time::sleep(Duration::from_millis(150)).await;
                from(other, &address, tin).await.status == 429
            }
        };
        until("being heard", 10 * SECOND, heard).await;
    }
    // Someone asks all three in turn, slowly enough for them to talk.
    let mut admitted = 0;
    for _ in 0..30 {
        for one in [&app, &others[0], &others[1]] {
            admitted += u32::from(from(one, "192.0.2.1", tin).await.status == 200);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    println!("three processes admitted {admitted}, one alone would 30");
    assert!((30..=60).contains(&admitted), "{admitted}");
    for other in others {
        other.stop().await;
    }
    app.stop().await;
}

#[actix_web::test]
async fn without_redis_each_process_keeps_its_own_rate() {
    let (proxy, through) = Proxy::before(&redis_url()).await;
    let mut flags = thirty();
    flags.push(("redis.url", &through));
    let app = TestApp::spawn_with(Engine::Postgres, &flags).await;
    let demo = app.world().await;
    let url = app.database_url.clone();
    let other = neighbour(&app, &url, &flags).await;
    let tin = &demo.codes.legal[0];
    for (weather, address) in [(Weather::Cut, "192.0.2.1"), (Weather::Frozen, "192.0.2.2")] {
        proxy.set(weather);
        for one in [&app, &other] {
            let began = Instant::now();
            let got = statuses(one, address, tin, 35).await;
            assert_eq!(got[..30], [200; 30], "{weather:?}");
            assert_eq!(got[30..], [429; 5], "{weather:?}");
            // Nothing on the way waits for Redis.
            assert!(began.elapsed() < 10 * SECOND, "{:?}", began.elapsed());
        }
    }
    other.stop().await;
    app.stop().await;
}
