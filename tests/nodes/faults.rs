//! PostgreSQL dies, hangs, takes no writes, lags behind, comes back: nothing that was acknowledged
//! is lost, nothing is vouched for that cannot be, and every process recovers by itself.

use crate::{
    postgres::Postgres,
    support::{Program, SECOND, Site, path_of, recall, sign_in, until},
};
use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use suyuan::demo::Demo;
use suyuan_tests::{Caller, migrated_postgres_database, recall_order};

const OK: &str = "200 legal ok";
const DOUBT: &str = "200 legal caution cannot_confirm";
const SILENCE: &str = "503 cannot-confirm";

/// One internal and one public process on a server of the test's own.
struct Own {
    server: Postgres,
    site: Site,
    demo: Demo,
    internal: Program,
    public: Program,
}

impl Own {
    async fn start() -> Own {
        let server = Postgres::start();
        let (site, demo) = Site::with_world(server.url()).await;
        let internal = site.internal(&[]).await;
        let public = site.public(&[("freshness.grace_ms", "2500")]).await;
        let own = Own {
            server,
            site,
            demo,
            internal,
            public,
        };
        own.healthy(20 * SECOND).await;
        own
    }

    fn tin(&self) -> &str {
        path_of(&self.demo.codes.legal[0])
    }

    async fn healthy(&self, within: Duration) -> Duration {
        let so = || async {
            self.public.scan(self.tin()).await == OK
                && ready(&self.public).await == 200
                && ready(&self.internal).await == 200
        };
        until("health", within, so).await
    }

    /// First doubt, then silence, and never `ok` once the lease has run out. What is known to be
    /// wrong stays so throughout.
    async fn falls_silent(&self) {
        let (began, mut heard) = (Instant::now(), Vec::new());
        while heard.last().map(String::as_str) != Some(SILENCE) {
            assert!(began.elapsed() < 8 * SECOND, "{heard:?}");
            let asked = began.elapsed();
            let said = self.public.scan(self.tin()).await;
            assert!(said != OK || asked < SECOND, "ok after {asked:?}");
            if said == DOUBT {
                let said = self.public.scan(&self.demo.codes.recalled[0]).await;
                assert!(said.contains(" stop recalled") || said == SILENCE, "{said}");
            }
            if heard.last() != Some(&said) {
                heard.push(said);
            }
        }
        let known: Vec<&str> = heard.iter().map(String::as_str).collect();
        assert!(known.ends_with(&[DOUBT, SILENCE]), "{heard:?}");
    }

    /// The process runs; it may take no requests.
    async fn alive_and_not_ready(&self) {
        for program in [&self.public, &self.internal] {
            let asked = Instant::now();
            assert_eq!(program.caller().get("/livez").await.status, 200);
            assert!(asked.elapsed() < SECOND, "{:?}", asked.elapsed());
            assert_eq!(ready(program).await, 503);
            assert!(asked.elapsed() < 4 * SECOND, "{:?}", asked.elapsed());
        }
    }
}

async fn ready(program: &Program) -> u16 {
    program.caller().get("/readyz").await.status
}

/// Opens a recall under this key: the status, and the recall's id where there is one.
async fn order(officer: &Caller, batch: &Value, key: &str) -> (u16, Option<String>) {
    let order = recall_order(&json!([batch]), key, "退回门店");
    let headers = [("idempotency-key", key)];
    let answer = officer.post_with("/v1/recalls", &headers, &order).await;
    if answer.status >= 400 {
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(!answer.header("retry-after").is_empty());
        return (503, None);
    }
    (
        answer.status,
        answer.json()["id"].as_str().map(str::to_owned),
    )
}

impl Own {
    /// A batch that is recalled already: one recall more changes no answer.
    async fn recalled_batch(&self, officer: &Caller) -> Value {
        let path = path_of(&self.demo.codes.recalled[0]);
        let view = self.public.caller().scan(path).await.json();
        let batches = officer.get("/v1/batches").await.json();
        let items = batches["items"].as_array().expect("batches");
        let found = items.iter().find(|b| b["lot"] == view["code"]["batch"]);
        found.expect("the batch")["id"].clone()
    }
}

async fn some_batch(officer: &Caller) -> Value {
    officer.get("/v1/batches").await.json()["items"][0]["id"].clone()
}

/// Recalls by the key they were ordered under.
async fn recalls(officer: &Caller) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let list = officer.get("/v1/recalls?limit=500").await.json();
    for item in list["items"].as_array().expect("recalls") {
        let text = |name: &str| item[name].as_str().expect("a text").to_owned();
        found.entry(text("reason")).or_default().push(text("id"));
    }
    found
}

#[actix_web::test]
async fn the_server_dies_and_no_acknowledged_write_is_lost() {
    let own = Own::start().await;
    let officer = sign_in(&own.internal, &own.demo).await;
    let batch = own.recalled_batch(&officer).await;
    let mut acknowledged = BTreeMap::new();
    let mut refused = Vec::new();
    for round in 0..2 {
        let killing = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            own.server.die();
            own.falls_silent().await;
        };
        let writing = async {
            for n in 0..500 {
                let key = format!("{round}/{n}");
                match order(&officer, &batch, &key).await {
                    (201, Some(id)) => {
                        acknowledged.insert(key, id);
                    }
                    _ => refused.push(key),
                }
                if refused.len() > 3 * (round + 1) {
                    break;
                }
            }
        };
        tokio::join!(killing, writing);
        assert!(!acknowledged.is_empty() && !refused.is_empty());
        own.alive_and_not_ready().await;
        own.server.start_again();
        let took = own.healthy(20 * SECOND).await;
        println!(
            "the server died: {} acknowledged; well again {took:?} after it was back",
            acknowledged.len()
        );
        let known = recalls(&officer).await;
        for (key, id) in &acknowledged {
            assert_eq!(known.get(key), Some(&vec![id.clone()]), "{key} was lost");
        }
    }
    // Sent again under its key, each that was refused happens once, whether it had happened or not.
    for key in &refused {
        assert_eq!(order(&officer, &batch, key).await.0, 201, "{key}");
    }
    let known = recalls(&officer).await;
    for key in refused.iter().chain(acknowledged.keys()) {
        assert_eq!(known.get(key).map(Vec::len), Some(1), "{key}");
    }
}

#[actix_web::test]
async fn the_server_hangs_and_nobody_waits_for_ever() {
    let own = Own::start().await;
    let officer = sign_in(&own.internal, &own.demo).await;
    let batch = own.recalled_batch(&officer).await;
    // Someone outside holds the head, so that one order is on its way when the server hangs.
    let outside = Database::connect(own.server.url())
        .await
        .expect("a connection");
    let held = outside.begin().await.expect("a transaction");
    held.execute_unprepared("UPDATE log_head SET gseq = gseq")
        .await
        .expect("the head");
    let on_its_way = async {
        let asked = Instant::now();
        let (status, _) = order(&officer, &batch, "on-its-way").await;
        (status, asked.elapsed())
    };
    let hanging = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        own.server.signal("STOP");
        own.falls_silent().await;
        own.alive_and_not_ready().await;
        // Many at once: each is told soon, and none is kept.
        let asked = Instant::now();
        let orders = (0..40).map(|n| {
            let (officer, batch, key) = (&officer, &batch, format!("hung-{n}"));
            async move { order(officer, batch, &key).await.0 }
        });
        let told = futures_util::future::join_all(orders).await;
        assert!(told.iter().all(|status| *status == 503), "{told:?}");
        println!(
            "40 orders told in {:?} while the server hung",
            asked.elapsed()
        );
        assert!(asked.elapsed() < 15 * SECOND, "{:?}", asked.elapsed());
    };
    let ((status, took), ()) = tokio::join!(on_its_way, hanging);
    assert_eq!(status, 503);
    assert!(took < 20 * SECOND, "{took:?}");
    own.server.signal("CONT");
    drop(held);
    let took = own.healthy(20 * SECOND).await;
    println!("the server hung: well again after {took:?}");
    assert_eq!(order(&officer, &batch, "on-its-way").await.0, 201);
    assert_eq!(
        recalls(&officer).await.get("on-its-way").map(Vec::len),
        Some(1)
    );
}

#[actix_web::test]
async fn a_server_that_takes_no_writes_is_not_believed_and_says_so() {
    let own = Own::start().await;
    let officer = sign_in(&own.internal, &own.demo).await;
    let batch = own.recalled_batch(&officer).await;
    own.server.fence(true).await;
    own.falls_silent().await;
    let order_of = recall_order(&json!([batch]), "x", "退回门店");
    let refused = officer.post("/v1/recalls", &order_of).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (503, "read-only")
    );
    // Reading goes on.
    assert_eq!(officer.get("/v1/batches").await.status, 200);
    own.server.fence(false).await;
    own.healthy(20 * SECOND).await;
    recall(&officer, &batch).await;
}

#[actix_web::test]
async fn a_standby_is_not_believed_until_it_is_the_primary() {
    let own = Own::start().await;
    let standby = own.server.standby();
    let moved = |url: &str| {
        let (user, _) = own.site.public_url.split_once('@').expect("a user");
        let (_, host) = url.split_once('@').expect("a host");
        format!("{user}@{host}")
    };
    let (site, url) = (own.site.clone(), moved(&standby.url()));
    let waiting = tokio::spawn(async move { site.public_by(&url, &[]).await });
    tokio::time::sleep(4 * SECOND).await;
    assert!(!waiting.is_finished(), "it answers from a standby");
    // What the old primary still says while it lives is of no account to whoever has left it.
    own.server.fence(true).await;
    standby.promote();
    own.falls_silent().await;
    let node = waiting.await.expect("a start");
    assert!(node.said().contains("no primary"), "{}", node.said());
    let internal = own.site.internal_by(&standby.url(), &[]).await;
    let officer = sign_in(&internal, &own.demo).await;
    let batches = officer.get("/v1/batches").await.json();
    for batch in batches["items"].as_array().expect("batches") {
        recall(&officer, &batch["id"]).await;
    }
    let told = || async { node.scan(own.tin()).await == "200 legal stop recalled" };
    until("the recall", SECOND, told).await;
    // The old one never says that all is well again.
    assert_eq!(own.public.scan(own.tin()).await, SILENCE);
}

#[actix_web::test]
async fn a_deadlock_with_someone_outside_is_told_and_can_be_tried_again() {
    let (site, demo) = Site::with_world(migrated_postgres_database().await).await;
    let internal = site.internal(&[]).await;
    let officer = sign_in(&internal, &demo).await;
    let batch = some_batch(&officer).await;
    let outside = Database::connect(&site.owner_url)
        .await
        .expect("a connection");
    let held = outside.begin().await.expect("a transaction");
    // Ours is to be the one that is given up.
    held.execute_unprepared(
        "SET LOCAL deadlock_timeout = '20s'; UPDATE public_batch SET lot = lot",
    )
    .await
    .expect("the rows");
    let closing_the_ring = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        held.execute_unprepared("UPDATE log_head SET gseq = gseq")
            .await
    };
    let ((status, _), ring) = tokio::join!(order(&officer, &batch, "deadlocked"), closing_the_ring);
    assert_eq!(status, 503);
    ring.expect("the head, once ours was given up");
    held.rollback().await.expect("an end");
    assert_eq!(order(&officer, &batch, "deadlocked").await.0, 201);
    assert_eq!(
        recalls(&officer).await.get("deadlocked").map(Vec::len),
        Some(1)
    );
}
