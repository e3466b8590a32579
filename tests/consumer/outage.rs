//! The database goes away, half away, and comes back: fresh or silent, never `ok` by accident.

use crate::support::{
    batch_of, io_calls, neighbour, officer, path_of, recall, said, scan, until, verdict,
};
use std::time::{Duration, Instant};
use suyuan::demo::Demo;
use suyuan::resolver::lease::Trust;
use suyuan_tests::{Engine, Proxy, TestApp, Weather, on_both};

const SECOND: Duration = Duration::from_secs(1);

/// A node whose way to PostgreSQL goes through a proxy, and one beside it whose way does not.
struct Nodes {
    near: TestApp,
    far: TestApp,
    proxy: Proxy,
    demo: Demo,
}

impl Nodes {
    async fn spawn(flags: &[(&str, &str)]) -> Nodes {
        let near = TestApp::spawn(Engine::Postgres).await;
        let demo = near.world().await;
        let (proxy, through) = Proxy::before(&near.database_url).await;
        let far = neighbour(&near, &through, flags).await;
        Nodes {
            near,
            far,
            proxy,
            demo,
        }
    }

    async fn said(&self, url: &str) -> String {
        said(&self.far, url).await
    }

    /// Everything is as it should be, seen from the far node.
    async fn healthy(&self) -> bool {
        let codes = &self.demo.codes;
        self.said(&codes.legal[0]).await == "200 legal ok"
            && self.said(&codes.recalled[0]).await == "200 legal stop recalled"
            && self.far.consumer().get("/readyz").await.status == 200
    }

    fn trust(&self) -> Trust {
        self.far.resolver().lease.state(Instant::now())
    }

    async fn lapsed(&self) -> Duration {
        let gone = || async { self.trust() != Trust::Fresh };
        until("the lease running out", 2 * SECOND, gone).await
    }

    async fn silent(&self, within: Duration) -> Duration {
        let gone = || async { self.trust() == Trust::Expired };
        until("the grace running out", within, gone).await
    }

    async fn stop(self) {
        self.far.stop().await;
        self.near.stop().await;
    }
}

/// The ways a database can be gone.
const OUTAGES: [Weather; 2] = [Weather::Cut, Weather::Frozen];

#[actix_web::test]
async fn after_the_grace_nothing_is_said_until_the_database_is_back() {
    let nodes = Nodes::spawn(&[("freshness.grace_ms", "300")]).await;
    let tin = path_of(&nodes.demo.codes.legal[0]);
    for outage in OUTAGES {
        assert!(nodes.healthy().await);
        nodes.proxy.set(outage);
        let began = Instant::now();
        // From here on `ok` is allowed for the rest of the lease and no longer.
        while nodes.trust() != Trust::Expired {
            let before = nodes.trust();
            let said = nodes.said(tin).await;
            let allowed = said != "200 legal ok" || before == Trust::Fresh;
            assert!(allowed, "{outage:?}: {said} after {:?}", began.elapsed());
            assert!(began.elapsed() < 3 * SECOND, "{outage:?}: never silent");
        }
        for path in [
            tin,
            "/01/06901234567892",
            path_of(&nodes.demo.codes.forged[0]),
        ] {
            assert_eq!(
                nodes.said(path).await,
                "503 cannot-confirm",
                "{outage:?} {path}"
            );
            let page = nodes.far.consumer().page(path).await;
            assert_eq!(page.status, 503);
            assert!(page.text().contains("现在无法确认"), "{}", page.text());
            assert!(!page.text().contains("verdict ok"));
            assert!(!page.header("retry-after").is_empty());
            assert_eq!(page.header("cache-control"), "no-store");
        }
        let ready = nodes.far.consumer().get("/readyz").await;
        assert_eq!(
            (ready.status, ready.problem().as_str()),
            (503, "unavailable")
        );
        assert_eq!(nodes.far.consumer().get("/livez").await.status, 200);
        // What is wrong in itself is still told, and the form is still there.
        assert_eq!(nodes.said("/01/123").await, "400 malformed-code");
        assert_eq!(nodes.far.consumer().page("/q").await.status, 200);

        nodes.proxy.set(Weather::Fair);
        let took = until("ok again", 8 * SECOND, || nodes.healthy()).await;
        println!("{outage:?}: ok again {took:?} after the database was back");
    }
    nodes.stop().await;
}

#[actix_web::test]
async fn in_the_grace_nothing_is_ok_and_known_stops_stay() {
    let nodes = Nodes::spawn(&[("freshness.grace_ms", "6000")]).await;
    let codes = &nodes.demo.codes;
    let before = [
        (&codes.legal[0], "legal caution cannot_confirm"),
        (&codes.care[0], "legal caution cannot_confirm"),
        (&codes.recalled[0], "legal stop recalled,cannot_confirm"),
        (&codes.expired[0], "legal stop expired,cannot_confirm"),
        (&codes.void[0], "void stop void,cannot_confirm"),
        (
            &codes.not_commissioned[0],
            "not_commissioned caution not_commissioned,cannot_confirm",
        ),
    ];
    for (url, _) in before {
        scan(&nodes.far, url).await;
    }
    nodes.proxy.set(Weather::Cut);
    nodes.lapsed().await;
    for (url, expected) in before {
        let asked = Instant::now();
        assert_eq!(nodes.said(url).await, format!("200 {expected}"), "{url}");
        assert!(asked.elapsed() < SECOND, "{:?}", asked.elapsed());
    }
    nodes.stop().await;
}

#[actix_web::test]
async fn forged_codes_are_refused_in_the_grace_without_any_call() {
    let nodes = Nodes::spawn(&[]).await;
    let before = io_calls(&nodes.far).await;
    nodes.proxy.set(Weather::Cut);
    nodes.lapsed().await;
    for url in nodes
        .demo
        .codes
        .forged
        .iter()
        .chain(&nodes.demo.codes.not_allocated)
    {
        assert_eq!(
            verdict(&nodes.far, url).await,
            "404 not_allocated stop not_allocated,cannot_confirm"
        );
    }
    assert_eq!(
        verdict(&nodes.far, "/01/06901234567892").await,
        "404 unknown_issuer caution unknown_issuer,cannot_confirm"
    );
    assert_eq!(io_calls(&nodes.far).await, before);
    nodes.stop().await;
}

#[actix_web::test]
async fn a_poll_that_failed_renews_nothing() {
    let nodes = Nodes::spawn(&[]).await;
    for outage in OUTAGES {
        until("health", 8 * SECOND, || nodes.healthy()).await;
        nodes.proxy.set(outage);
        let took = nodes.lapsed().await;
        let as_of = nodes.far.resolver().lease.as_of().at;
        println!("{outage:?}: lease gone after {took:?}");
        assert!(took <= Duration::from_millis(900), "{took:?}");
        tokio::time::sleep(2 * SECOND).await;
        assert_eq!(nodes.far.resolver().lease.as_of().at, as_of, "{outage:?}");
        assert_eq!(nodes.trust(), Trust::Grace);
        nodes.proxy.set(Weather::Fair);
    }
    nodes.stop().await;
}

#[actix_web::test]
async fn a_recall_opened_during_the_outage_is_told_as_soon_as_it_is_over() {
    let nodes = Nodes::spawn(&[("freshness.grace_ms", "300")]).await;
    let tin = &nodes.demo.codes.legal[0];
    let officer = officer(&nodes.near, &nodes.demo).await;
    let (_, view) = scan(&nodes.far, tin).await;
    let batch = batch_of(&officer, &view.code.batch.expect("a lot")).await["id"].clone();
    nodes.proxy.set(Weather::Cut);
    nodes.silent(3 * SECOND).await;
    recall(&officer, &batch, "during the outage").await;
    nodes.proxy.set(Weather::Fair);
    let mut seen = Vec::new();
    let stopped = async || {
        let said = nodes.said(tin).await;
        if seen.last() != Some(&said) {
            seen.push(said.clone());
        }
        said == "200 legal stop recalled"
    };
    let (began, mut stopped) = (Instant::now(), stopped);
    while !stopped().await {
        assert!(began.elapsed() < 8 * SECOND);
    }
    assert!(!seen.iter().any(|said| said == "200 legal ok"), "{seen:?}");
    nodes.stop().await;
}

/// Draws of SplitMix64 as serials of our form.
fn forged_serial(n: u64) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let block: String = (0..12)
        .map(|at| char::from(ALPHABET[(z >> (5 * at) & 31) as usize]))
        .collect();
    format!("0{}{block}", char::from(ALPHABET[(z >> 60) as usize]))
}

on_both!(a_thousand_forged_codes_make_no_call_at_all, |app| {
    let demo = app.world().await;
    let (gtin, _) = crate::support::gtin_and_serial(&demo.codes.forged[0]);
    verdict(&app, &demo.codes.forged[0]).await;
    let before = io_calls(&app).await;
    for n in 0..1000 {
        let path = format!("/01/{gtin}/21/{}", forged_serial(n));
        let answer = match n % 2 {
            0 => app.consumer().scan(&path).await,
            _ => app.consumer().page(&path).await,
        };
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(io_calls(&app).await, before);
    // The counter does count: a first scan of a batch reads its view once.
    assert_eq!(verdict(&app, &demo.codes.legal[0]).await, "200 legal ok");
    assert_eq!(io_calls(&app).await, (before.0 + 1, before.1));
    assert_eq!(verdict(&app, &demo.codes.legal[1]).await, "200 legal ok");
    assert_eq!(
        io_calls(&app).await,
        (before.0 + 1, before.1),
        "a never-seen code of a known batch"
    );
    app.stop().await;
});
