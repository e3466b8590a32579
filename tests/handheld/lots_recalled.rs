//! Goods without codes of their own under recall and expiry: what went is found by the act that brings it,
//! and by slices when a recall or a batch comes on record afterwards; what explains it lets go of it.

use crate::{
    lots::{lots_of, shuffled},
    scene::{Scene, count, holds, scanned, settled},
    support::{batch, id, made, ok, text_of},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use suyuan_sync::finding::{Detail, Finding, FindingCode, Knowledge, Subject, When};
use suyuan_tests::{Handheld, TestApp, on_both, recall_order};

/// Of the scene: a tin's, and a case's.
const GTINS: [&str; 2] = ["09521234000013", "19521234000010"];

pub fn of(lot: &str, qty: u64) -> Value {
    lots_of(GTINS[0], Some(lot), qty)
}

pub fn sold(qty: u64) -> Value {
    json!({"lots": of("L7", qty)})
}

/// Ten of the lot are in the store.
async fn received(store: &mut Handheld) {
    let receipt = store.event(
        "inbound",
        &json!({"lots": of("L7", 10), "doc": {"no": "D-1"}}),
    );
    store.push(&[receipt]).await;
}

pub async fn recalled(scene: &Scene, batches: &[&str]) -> String {
    let order = recall_order(&json!(batches), "r", "i");
    id(&made(scene.firm.admin.post("/v1/recalls", &order).await))
}

async fn closed(scene: &Scene, recall: &str, mistaken: bool) {
    let path = format!("/v1/recalls/{recall}/close");
    let how = json!({"note": "n", "mistaken": mistaken});
    ok(scene.firm.admin.post(&path, &how).await);
}

/// What it states from now on is later in the order than what was stated before.
async fn later(device: &mut Handheld) {
    let nothing = device.event("count", &json!({}));
    device.push(&[nothing]).await;
}

/// What is open of lines.
async fn open(app: &TestApp) -> Vec<Finding> {
    let db = &app.state().db;
    let sql =
        "SELECT finding FROM finding WHERE line_id IS NOT NULL AND closed IS NULL ORDER BY id";
    let query = suyuan::db::statement(db.backend(), sql, []);
    let rows = db.reader().query_all_raw(query).await.expect("findings");
    let texts = rows.iter().map(|row| row.try_get::<String>("", "finding"));
    texts
        .map(|text| serde_json::from_str(&text.expect("a text")).expect("a finding"))
        .collect()
}

async fn codes(app: &TestApp) -> Vec<FindingCode> {
    open(app).await.iter().map(|finding| finding.code).collect()
}

/// The codes an answer tells of each event.
fn told(answer: &suyuan_sync::wire::PushAnswer) -> Vec<Vec<FindingCode>> {
    let results = answer.results.iter();
    let told = results.map(|result| result.findings.iter().map(|found| found.code).collect());
    told.collect()
}

on_both!(
    c9_a_lot_of_a_recalled_batch_that_is_sold_is_found_in_the_act,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        received(&mut store).await;
        let recall = recalled(&scene, &[&scene.batch]).await;
        let sale = store.event("sale", &sold(2));
        let other = store.event("sale", &json!({"lots": of("L8", 1)}));
        let answer = store.push(&[sale, other]).await;
        let [first, second] = &told(&answer)[..] else {
            panic!("two results");
        };
        assert_eq!(first, &[FindingCode::SoldRecalled]);
        assert!(!second.contains(&FindingCode::SoldRecalled), "another lot");
        let found = open(&app).await.into_iter();
        let found = found.filter(|found| found.code == FindingCode::SoldRecalled);
        let [found] = &found.collect::<Vec<_>>()[..] else {
            panic!("one");
        };
        assert_eq!(found.witnesses, [found.event]);
        let Subject::Lot(key) = &found.subject else {
            panic!("of a line");
        };
        assert_eq!(
            (key.gtin.as_str(), key.lot.as_deref()),
            (GTINS[0], Some("L7"))
        );
        assert!(
            matches!(
                found.detail,
                Detail::SoldRecalled { recall: of, when: When::After | When::Uncertain { .. }, knowledge: Knowledge::CouldNotKnow }
                    if of.to_string() == recall
            ),
            "{:?}",
            found.detail
        );
        holds(&app, "sold").await;
        app.stop().await;
    }
);

on_both!(
    c9_a_recall_finds_what_of_a_lot_was_sold_before_and_keeps_it_when_closed,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        received(&mut store).await;
        // By the lot on a tin and by that on a case.
        let case = json!({"lots": lots_of(GTINS[1], Some("L7"), 1)});
        let events = [
            store.event("inbound", &case),
            store.event("sale", &sold(2)),
            store.event("sale", &case),
        ];
        store.push(&events).await;
        settled(&app).await;
        assert_eq!(codes(&app).await, []);
        let recall = recalled(&scene, &[&scene.batch]).await;
        settled(&app).await;
        let found = open(&app).await;
        assert_eq!(codes(&app).await, [FindingCode::SoldRecalled; 2]);
        for found in &found {
            let before = |detail: &Detail| {
                matches!(
                    detail,
                    Detail::SoldRecalled {
                        when: When::Before,
                        ..
                    }
                )
            };
            assert!(before(&found.detail), "{found:?}");
        }
        holds(&app, "recalled").await;
        // Closed, it was a recall all the same.
        closed(&scene, &recall, false).await;
        settled(&app).await;
        assert_eq!(codes(&app).await, [FindingCode::SoldRecalled; 2]);
        holds(&app, "closed").await;
        app.stop().await;
    }
);

on_both!(
    c9_a_recall_of_a_lot_that_was_mistaken_finds_nothing,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        received(&mut store).await;
        let recall = recalled(&scene, &[&scene.batch]).await;
        later(&mut store).await;
        let to = json!({"type": "location", "id": &scene.store});
        let events = [
            store.event("sale", &sold(2)),
            store.event(
                "outbound",
                &json!({"lots": of("L7", 1), "counterpart": {"type": "named", "name": "x"}}),
            ),
            store.event("outbound", &json!({"lots": of("L7", 1), "counterpart": to})),
        ];
        store.push(&events).await;
        assert_eq!(
            codes(&app).await,
            [FindingCode::SoldRecalled, FindingCode::ShipRecalled]
        );
        closed(&scene, &recall, true).await;
        settled(&app).await;
        assert_eq!(codes(&app).await, []);
        holds(&app, "mistaken").await;
        app.stop().await;
    }
);

on_both!(
    c7_a_collection_of_a_lot_is_explained_when_its_recall_is_widened,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        received(&mut store).await;
        let fetched = store.event("collect", &sold(4));
        let answer = store.push(&[fetched]).await;
        assert_eq!(told(&answer), [[FindingCode::CollectUnrecalled]]);
        let products = ok(scene.firm.admin.get("/v1/products").await);
        let product = text_of(&products["items"][0]["id"]);
        let other = batch(&scene.firm.admin, &product, "L9").await;
        let recall = recalled(&scene, &[&other]).await;
        settled(&app).await;
        assert_eq!(codes(&app).await, [FindingCode::CollectUnrecalled]);
        let more = json!({"batch_ids": [scene.batch]});
        let path = format!("/v1/recalls/{recall}/widen");
        ok(scene.firm.admin.post(&path, &more).await);
        settled(&app).await;
        assert_eq!(codes(&app).await, []);
        holds(&app, "widened").await;
        app.stop().await;
    }
);

on_both!(
    c4_an_expired_lot_is_found_when_its_batch_comes_on_record_too,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let lots = |lot: &str| json!({"lots": of(lot, 2)});
        let receipts = [
            store.event("inbound", &lots("OLD")),
            store.event("sale", &lots("OLD")),
            store.event("collect", &lots("OLD")),
        ];
        store.push(&receipts).await;
        let unrecalled = FindingCode::CollectUnrecalled;
        assert!(codes(&app).await.contains(&unrecalled));
        assert!(
            !codes(&app).await.contains(&FindingCode::SoldExpired),
            "nobody filed a date"
        );
        let products = ok(scene.firm.admin.get("/v1/products").await);
        let expired = json!({
            "product_id": products["items"][0]["id"], "lot": "OLD",
            "production_date": "2020-01-01", "expiry_date": "2021-01-01",
        });
        made(scene.firm.admin.post("/v1/batches", &expired).await);
        settled(&app).await;
        assert!(codes(&app).await.contains(&FindingCode::SoldExpired));
        holds(&app, "on record").await;
        let again = store.event("sale", &lots("OLD"));
        let answer = store.push(&[again]).await;
        assert!(told(&answer)[0].contains(&FindingCode::SoldExpired));
        holds(&app, "sold again").await;
        app.stop().await;
    }
);

on_both!(
    c10_a_struck_sale_of_a_recalled_lot_is_found_no_more,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        received(&mut store).await;
        recalled(&scene, &[&scene.batch]).await;
        let sale = store.event("sale", &sold(2));
        let event: Value = serde_json::from_str(&sale).expect("an event");
        store.push(&[sale]).await;
        assert_eq!(codes(&app).await, [FindingCode::SoldRecalled]);
        let retract = store.event("retract", &json!({"target": event["event_id"]}));
        store.push(&[retract]).await;
        assert_eq!(codes(&app).await, []);
        let line = "SELECT SUM(findings) AS n FROM lot_line";
        let none = count(
            &app,
            &line.replace("SUM(findings)", "CAST(SUM(findings) AS BIGINT)"),
        )
        .await;
        assert_eq!(none, 0);
        holds(&app, "struck").await;
        app.stop().await;
    }
);

on_both!(
    c13_a_recalled_lot_in_a_case_is_found_when_the_case_is_sold,
    |app| {
        let scene = Scene::of(&app).await;
        let case = &scene.cases[0];
        let mut store = scene.device(&app, &scene.store).await;
        received(&mut store).await;
        let mut late = scene.device(&app, &scene.store).await;
        let parent = json!({"code": case, "input": "wedge"});
        let unpacked = late.event("unpack", &json!({"parent": parent}));
        let events = [
            store.event(
                "inbound",
                &json!({"units": scanned(&[case]), "doc": {"no": "D-2"}}),
            ),
            store.event("pack", &json!({"parent": parent, "lots": of("L7", 4)})),
            store.event("sale", &json!({"units": scanned(&[case])})),
        ];
        store.push(&events).await;
        assert_eq!(codes(&app).await, []);
        recalled(&scene, &[&scene.batch]).await;
        settled(&app).await;
        assert_eq!(codes(&app).await, [FindingCode::SoldRecalled]);
        holds(&app, "sold with the case").await;
        late.push(&[unpacked]).await;
        holds(&app, "taken out").await;
        app.stop().await;
    }
);

on_both!(
    c9_lots_under_recalls_are_what_the_whole_log_gives_however_events_arrive,
    |app| {
        let scene = Scene::of(&app).await;
        let places = [&scene.plant, &scene.warehouse, &scene.store];
        shuffled(&app, &scene, 21, places, (12, 60), (4, false)).await;
        let first = recalled(&scene, &[&scene.batch]).await;
        shuffled(&app, &scene, 22, places, (12, 60), (2, false)).await;
        let second = recalled(&scene, &[&scene.batch]).await;
        closed(&scene, &first, false).await;
        shuffled(&app, &scene, 23, places, (12, 60), (4, true)).await;
        closed(&scene, &second, true).await;
        shuffled(&app, &scene, 24, places, (12, 60), (4, false)).await;
        for code in ["SOLD_RECALLED", "SHIP_RECALLED", "COLLECT_UNRECALLED"] {
            let sql = format!(
                "SELECT COUNT(*) AS n FROM finding WHERE line_id IS NOT NULL AND code = '{code}'"
            );
            assert!(count(&app, &sql).await > 0, "{code}");
        }
        app.stop().await;
    }
);

on_both!(recalls_are_read_only_for_lots_that_one_covers, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    received(&mut store).await;
    recalled(&scene, &[&scene.batch]).await;
    settled(&app).await;
    let db = &app.state().db;
    let write = async |sql: &str| {
        let tx = db.begin().await.expect("a transaction");
        // As acts do, or it would lock them out, and they it.
        for sql in ["UPDATE log_head SET gseq = gseq", sql] {
            tx.execute_unprepared(sql).await.expect("rows");
        }
        tx.commit().await.expect("a commit");
    };
    // Whoever reads it now fails.
    write("UPDATE recall SET destinations = 'nothing that can be read'").await;
    let others = [
        store.event(
            "inbound",
            &json!({"lots": of("L8", 9), "doc": {"no": "D-2"}}),
        ),
        store.event("sale", &json!({"lots": of("L8", 1)})),
        store.event(
            "inbound",
            &json!({"lots": of("L7", 1), "doc": {"no": "D-3"}}),
        ),
    ];
    let answer = store.push(&others).await;
    assert_eq!(answer.results.len(), 3);
    assert_eq!(codes(&app).await, []);
    write("UPDATE recall SET destinations = '[]'").await;
    let sale = store.event("sale", &sold(1));
    let answer = store.push(&[sale]).await;
    assert_eq!(told(&answer), [[FindingCode::SoldRecalled]]);
    app.stop().await;
});

on_both!(i17_the_reach_tells_what_became_of_goods_of_lots, |app| {
    let scene = Scene::of(&app).await;
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let case = &scene.cases[0];
    let parent = json!({"code": case, "input": "wedge"});
    let to = json!({"type": "location", "id": &scene.store});
    let counted = json!({
        "lots": of("L7", 20), "body": {"accepted": true},
        "actor": {"id": "boss", "proof": "badge", "supervisor": true},
    });
    let sent = [
        warehouse.event("commission", &json!({"lots": of("L7", 40)})),
        warehouse.event(
            "inbound",
            &json!({"units": scanned(&[case]), "doc": {"no": "D-1"}}),
        ),
        warehouse.event("pack", &json!({"parent": parent, "lots": of("L7", 10)})),
        warehouse.event(
            "outbound",
            &json!({"units": scanned(&[case]), "counterpart": to}),
        ),
        warehouse.event("outbound", &json!({"lots": of("L7", 5), "counterpart": to})),
        warehouse.event("count", &counted),
    ];
    warehouse.push(&sent).await;
    // Its clock is set after all that.
    let mut store = scene.device(&app, &scene.store).await;
    let sold = [
        store.event(
            "inbound",
            &json!({"units": scanned(&[case]), "doc": {"no": "D-2"}}),
        ),
        store.event("sale", &sold(4)),
        store.event("return", &json!({"lots": of("L7", 1)})),
        store.event("collect", &json!({"lots": of("L7", 3)})),
        store.event("destroy", &json!({"lots": of("L7", 2)})),
    ];
    store.push(&sold).await;
    let recall = recalled(&scene, &[&scene.batch]).await;
    settled(&app).await;
    let path = format!("/v1/recalls/{recall}/reach");
    let reach = ok(scene.firm.admin.get(&path).await);
    let [total] = &reach["lot_totals"].as_array().expect("totals")[..] else {
        panic!("one lot: {reach}");
    };
    for (name, wanted) in [
        ("made", 40),
        ("received", 10),
        ("returned", 1),
        ("shipped", 15),
        ("sold", 4),
        // Of what was fetched back two were destroyed.
        ("collected", 3),
        ("apart", 1),
        ("destroyed", 2),
        ("counted", -5),
        ("on_hand", 24),
        ("short", 0),
        ("on_the_way", 5),
    ] {
        assert_eq!(total[name], wanted, "{name} of {total}");
    }
    let lines = reach["lots"].as_array().expect("lines");
    let balances = lines
        .iter()
        .map(|line| line["balance"].as_i64().expect("a number"));
    assert_eq!(balances.sum::<i64>(), 24);
    let apart = lines.iter().filter_map(|line| line["apart"].as_i64());
    assert_eq!(apart.sum::<i64>(), 1);
    assert_eq!(reach["sales"][0]["sales"], 1);
    app.stop().await;
});

on_both!(
    what_was_sold_before_lots_were_judged_is_found_by_the_migration,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        received(&mut store).await;
        recalled(&scene, &[&scene.batch]).await;
        let sale = store.event("sale", &sold(2));
        store.push(&[sale]).await;
        settled(&app).await;
        let found = open(&app).await;
        assert_eq!(codes(&app).await, [FindingCode::SoldRecalled]);
        // As it was when nobody asked.
        let db = app.state().db.clone();
        for sql in [
            "DELETE FROM finding WHERE line_id IS NOT NULL",
            "DROP INDEX finding_line_by_event",
            "DELETE FROM seaql_migrations WHERE version = 'm0045_lots_judged'",
        ] {
            let done = db.writer().execute_unprepared(sql).await;
            done.expect("an older database");
        }
        assert_eq!(codes(&app).await, []);
        db.migrate().await.expect("migrated");
        settled(&app).await;
        assert_eq!(open(&app).await, found);
        holds(&app, "migrated").await;
        app.stop().await;
    }
);

on_both!(
    c11_what_was_fetched_back_of_a_lot_is_listed_and_missed_at_a_complete_count,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        received(&mut store).await;
        recalled(&scene, &[&scene.batch]).await;
        later(&mut store).await;
        // All of it: nothing is in stock any more.
        let fetched = store.event("collect", &json!({"lots": of("L7", 10)}));
        store.push(&[fetched]).await;
        settled(&app).await;
        let list = ok(scene.firm.operator.get("/v1/stock/lots").await);
        let lines = list["items"].as_array().expect("lines");
        let there = |line: &Value| (line["balance"].as_i64(), line["apart"].as_i64());
        assert_eq!(
            lines.iter().map(there).collect::<Vec<_>>(),
            [(Some(0), Some(10))]
        );
        assert_eq!(codes(&app).await, []);
        let all = json!({"body": {"scope": {"complete": true}}});
        let counted = store.event("count", &all);
        store.push(&[counted]).await;
        settled(&app).await;
        assert_eq!(codes(&app).await, [FindingCode::MissingAtCount]);
        // It is what was sent back meanwhile.
        let maker = json!({"type": "location", "id": scene.plant});
        let back = json!({"lots": of("L7", 10), "counterpart": maker});
        let sent = store.event("outbound", &back);
        store.push(&[sent]).await;
        settled(&app).await;
        let list = ok(scene.firm.operator.get("/v1/stock/lots").await);
        let line = &list["items"][0];
        assert_eq!(there(line), (Some(0), Some(0)), "{list}");
        app.stop().await;
    }
);

/// What is in stock of the only line, and what lies apart.
async fn there(scene: &Scene) -> (i64, i64) {
    let list = ok(scene.firm.operator.get("/v1/stock/lots").await);
    let [line] = &list["items"].as_array().expect("lines")[..] else {
        panic!("one line: {list}");
    };
    let number = |of: &str| line[of].as_i64().expect("a number");
    (number("balance"), number("apart"))
}

fn found_sellable(store: &mut Handheld, qty: u64) -> String {
    let said = json!({"lots": of("L7", qty), "disposition": "sellable"});
    store.event("inspect", &said)
}

on_both!(
    c6_what_was_fetched_back_of_a_lot_is_released_once_no_recall_covers_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        received(&mut store).await;
        let recall = recalled(&scene, &[&scene.batch]).await;
        later(&mut store).await;
        let fetched = store.event("collect", &json!({"lots": of("L7", 7)}));
        let early = found_sellable(&mut store, 7);
        let answer = store.push(&[fetched, early]).await;
        assert_eq!(told(&answer), [vec![], vec![FindingCode::ReleaseRecalled]]);
        assert_eq!(there(&scene).await, (3, 7));
        holds(&app, "kept back").await;
        closed(&scene, &recall, false).await;
        settled(&app).await;
        assert_eq!(there(&scene).await, (3, 7));
        later(&mut store).await;
        let inspected = found_sellable(&mut store, 5);
        let answer = store.push(&[inspected]).await;
        assert_eq!(told(&answer), [[]]);
        assert_eq!(there(&scene).await, (8, 2));
        let more = found_sellable(&mut store, 5);
        store.push(&[more]).await;
        assert_eq!(there(&scene).await, (10, 0));
        assert_eq!(codes(&app).await, [FindingCode::ReleaseRecalled]);
        holds(&app, "released").await;
        app.stop().await;
    }
);

on_both!(
    c6_an_inspection_of_a_lot_counts_once_its_recall_was_mistaken,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        received(&mut store).await;
        let recall = recalled(&scene, &[&scene.batch]).await;
        later(&mut store).await;
        let fetched = store.event("collect", &json!({"lots": of("L7", 7)}));
        let inspected = found_sellable(&mut store, 4);
        let event: Value = serde_json::from_str(&inspected).expect("an event");
        let sale = store.event("sale", &sold(1));
        store.push(&[fetched, inspected, sale]).await;
        assert_eq!(there(&scene).await, (2, 7));
        closed(&scene, &recall, true).await;
        settled(&app).await;
        assert_eq!(there(&scene).await, (6, 3));
        assert_eq!(codes(&app).await, []);
        holds(&app, "mistaken").await;
        let retract = store.event("retract", &json!({"target": event["event_id"]}));
        store.push(&[retract]).await;
        assert_eq!(there(&scene).await, (2, 7));
        holds(&app, "struck").await;
        app.stop().await;
    }
);
