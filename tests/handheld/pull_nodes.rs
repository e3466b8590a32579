//! Two server processes on one PostgreSQL: whoever reads from one what was written at the other misses
//! nothing, reads what he was receipted, and never goes back (I21, I23), while commits are delayed.

use crate::{
    held::Held,
    scene::{Scene, inbound, outbound, sale},
};
use sea_orm::{ConnectionTrait, TransactionTrait};
use std::time::Duration;
use suyuan_sync::{
    invariants::{
        Delivered, i21_cursors_neither_skip_nor_repeat, i23_reads_never_go_back,
        i24_snapshot_and_pull_equal_everything,
    },
    wire::Item,
};
use suyuan_tests::{Engine, Handheld, TestApp, until};

/// The same database, another process.
async fn beside(app: &TestApp) -> TestApp {
    let folder = tempfile::tempdir().expect("a folder");
    let url = app.database_url.clone();
    TestApp::spawn_on(Engine::Postgres, url, app.sealer.clone(), folder, &[]).await
}

/// Locks the row of a unit, so that whoever folds it waits with the head held, for a while.
async fn delay(app: &TestApp, rounds: usize) {
    let db = app.state().db.writer();
    for _ in 0..rounds {
        let held = db.begin().await.expect("a transaction");
        let sql = "SELECT id FROM unit ORDER BY gseq DESC LIMIT 1 FOR UPDATE";
        held.execute_unprepared(sql).await.expect("a lock");
        tokio::time::sleep(Duration::from_millis(40)).await;
        held.rollback().await.expect("given back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A page a reader was given: after which cursor, and units with their positions.
async fn read(device: &mut Handheld, cursor: &mut i64, pages: &mut Vec<Delivered>) -> bool {
    let page = device.pull(*cursor, 7).await;
    let unit = |item: &Item| match item {
        Item::Unit(card) => Some(card.unit.to_string()),
        _ => None,
    };
    pages.push(Delivered {
        after: *cursor,
        upto: page.cursor,
        items: page
            .items
            .iter()
            .filter_map(|item| Some((unit(&item.item)?, item.gseq)))
            .collect(),
        applied: true,
        more: page.more,
    });
    *cursor = page.cursor;
    page.more
}

#[actix_web::test]
async fn i21_i23_what_is_read_at_one_server_of_what_is_written_at_the_other() {
    let first = TestApp::spawn(Engine::Postgres).await;
    let second = beside(&first).await;
    let urls = [first.internal_url.clone(), second.internal_url.clone()];
    let scene = Scene::of(&first).await;
    let mut warehouse = scene.device(&first, &scene.warehouse).await;
    let store = scene.device(&first, &scene.store).await;
    let mut stores = [store.copy(&urls[0]), store.copy(&urls[1])];
    let reader = scene.device(&first, &scene.store).await;
    let mut readers = [reader.copy(&urls[0]), reader.copy(&urls[1])];
    let tins = &scene.tins[..30];

    let sending = async {
        for tin in tins {
            let event = warehouse.event("outbound", &outbound(&[tin], &scene.store));
            warehouse.push(&[event]).await;
        }
    };
    // Pushes at one, reads at the other what it was receipted, and the other way round.
    let selling = async {
        let (mut reads, mut cursor) = (Vec::new(), 0);
        for (n, tin) in tins.iter().enumerate() {
            let (at, other) = (n % 2, (n + 1) % 2);
            let event = stores[at].event("inbound", &inbound(&[tin]));
            let sold = stores[at].event("sale", &sale(&[tin]));
            let answer = stores[at].push(&[event, sold]).await;
            let own = answer.results.iter().filter_map(|result| result.gseq).max();
            let history = stores[at].history.clone();
            stores[other].next = stores[at].next;
            stores[other].history = history;
            let anchor = stores[at].anchor.clone();
            stores[other].keep(&anchor);
            loop {
                let page = stores[other].pull(cursor, 500).await;
                cursor = page.cursor;
                if !page.more {
                    break;
                }
            }
            reads.push((own.expect("a position"), cursor));
        }
        reads
    };
    let reading = async {
        let (mut cursor, mut pages) = (0, Vec::new());
        for n in 0..90 {
            // Any of the two, in no order.
            let at = (n / 2 + n / 7) % 2;
            read(&mut readers[at], &mut cursor, &mut pages).await;
            let anchor = readers[at].anchor.clone();
            readers[1 - at].keep(&anchor);
        }
        while read(&mut readers[0], &mut cursor, &mut pages).await {}
        (cursor, pages)
    };
    let delaying = delay(&first, 40);
    let ((), reads, (mut cursor, mut pages), ()) =
        tokio::join!(sending, selling, reading, delaying);
    i23_reads_never_go_back(&reads).expect("I23");
    while read(&mut readers[1], &mut cursor, &mut pages).await {}

    // What each unit last changed at is what a reader must have been told of.
    let db = first.state().db.clone();
    let sql = "SELECT u.unit_key, u.gseq FROM unit u ORDER BY u.id";
    let query = suyuan::db::statement(db.backend(), sql, []);
    let rows = db.reader().query_all_raw(query).await.expect("units");
    let scope: Vec<(String, i64)> = rows
        .iter()
        .map(|row| {
            (
                row.try_get("", "unit_key").expect("a key"),
                row.try_get("", "gseq").expect("a position"),
            )
        })
        .collect();
    assert_eq!(scope.len(), tins.len());
    i21_cursors_neither_skip_nor_repeat(&scope, &pages, cursor).expect("I21");

    // Page by page from both is what either gives at once.
    let mut paged = Held::default();
    for reader in &mut readers {
        paged.pull(reader).await;
    }
    for reader in &mut readers {
        let mut whole = Held::default();
        whole.pull(reader).await;
        i24_snapshot_and_pull_equal_everything(&paged.shown(), &whole.shown()).expect("I24");
    }
    // A recall ordered at one is on the list that the other tells with the next page.
    let order = suyuan_tests::recall_order(&serde_json::json!([scene.batch]), "r", "i");
    crate::support::made(scene.firm.admin.post("/v1/recalls", &order).await);
    paged.pull(&mut readers[1]).await;
    let listed = paged.list.as_ref().map(|list| list.batches.len());
    assert_eq!(listed, Some(2));
    until("both serve", Duration::from_secs(5), async || {
        first.stranger().get("/readyz").await.status == 200
            && second.stranger().get("/readyz").await.status == 200
    })
    .await;
    second.stop().await;
    first.stop().await;
}
