//! Stock of a place: units wherever their containers are, what is on its way, and balances.

use crate::{
    enrolment::place,
    scene::{GTIN, Scene, enrolled, inbound, outbound, sale, scanned, settled},
    support::{firm, made, number, ok, refused},
};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::{Value, json};
use suyuan::{
    db::statement,
    handheld::units::{
        Kept,
        store::{UnitWrite, write_units},
    },
    stock::store::{claiming, counting},
};
use suyuan_sync::{
    fold::{Phase, Place, UnitState},
    ids::{BatchId, LocationId},
    unit::UnitKey,
};
use suyuan_tests::{Caller, Engine, Handheld, TestApp, on_both, recall_order};
use uuid::Uuid;

/// The figures of tins of the scene's batch at a place: on hand, returned, collected, arriving.
async fn tins(caller: &Caller, scene: &Scene, place: &str) -> [u64; 4] {
    let path = format!("/v1/stock?location_id={place}&batch_id={}", scene.batch);
    let page = ok(caller.get(&path).await);
    assert!(page["position"].as_i64().expect("a position") > 0);
    let lines = page["items"][0]["lines"].as_array().expect("lines").clone();
    // A case has another GTIN.
    let tins = |line: &&Value| {
        line["kind"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("/01/0"))
    };
    let line = lines.iter().find(tins).cloned().unwrap_or_default();
    ["on_hand", "returned", "collected", "arriving"].map(|what| line[what].as_u64().unwrap_or(0))
}

on_both!(stock_is_counted_where_the_container_is, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let mut store = scene.device(&app, &scene.store).await;
    let case = &scene.cases[0];
    let inside: Vec<&String> = scene.tins[..6].iter().collect();
    let packed = json!({
        "parent": {"code": case, "input": "wedge"}, "children": scanned(&inside), "declared": 6,
    });
    let events = [
        plant.event("pack", &packed),
        plant.event("outbound", &outbound(&[case], &scene.warehouse)),
    ];
    plant.push(&events).await;
    assert_eq!(tins(staff, &scene, &scene.warehouse).await, [0, 0, 0, 6]);
    assert_eq!(tins(staff, &scene, &scene.plant).await, [0, 0, 0, 0]);

    warehouse.push(&[]).await;
    let events = [
        warehouse.event("inbound", &inbound(&[case])),
        // Taken out alone: it is where it is, its case stays.
        warehouse.event("outbound", &outbound(&inside[..1], &scene.store)),
    ];
    warehouse.push(&events).await;
    assert_eq!(tins(staff, &scene, &scene.warehouse).await, [5, 0, 0, 0]);
    store.push(&[]).await;
    let others: Vec<&String> = scene.tins[10..14].iter().collect();
    let events = [
        store.event("inbound", &inbound(&others)),
        store.event("sale", &sale(&others[..2])),
        store.event("return", &json!({"units": scanned(&others[..1])})),
    ];
    store.push(&events).await;
    assert_eq!(tins(staff, &scene, &scene.store).await, [2, 1, 0, 1]);

    // Places of others are nobody's business.
    let operator = app
        .signed_in("platform.admin", crate::support::PASSWORD)
        .await;
    let other = firm(&app, &operator, "BBB", &[]).await;
    let path = format!("/v1/stock?location_id={}", scene.store);
    assert_eq!(ok(other.admin.get(&path).await)["items"], json!([]));
    app.stop().await;
});

on_both!(what_is_sent_back_counts_where_it_arrives, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let mut store = scene.device(&app, &scene.store).await;
    let back = &scene.tins[0];
    let sold = |store: &mut Handheld, tin: &String| {
        [
            store.event("sale", &sale(&[tin])),
            store.event("return", &json!({"units": scanned(&[tin])})),
        ]
    };
    let events = sold(&mut store, back);
    store.push(&events).await;
    assert_eq!(tins(staff, &scene, &scene.store).await, [0, 1, 0, 0]);
    let event = store.event("outbound", &outbound(&[back], &scene.warehouse));
    store.push(&[event]).await;
    assert_eq!(tins(staff, &scene, &scene.store).await, [0, 0, 0, 0]);
    assert_eq!(tins(staff, &scene, &scene.warehouse).await, [0, 0, 0, 1]);
    warehouse.push(&[]).await;
    let event = warehouse.event("inbound", &inbound(&[back]));
    warehouse.push(&[event]).await;
    let [_, returned, _, arriving] = tins(staff, &scene, &scene.warehouse).await;
    assert_eq!((returned, arriving), (1, 0));

    // The same of what is fetched back, alone and in a case.
    let order = recall_order(&json!([scene.batch]), "r", "i");
    made(scene.firm.admin.post("/v1/recalls", &order).await);
    let (case, fetched) = (&scene.cases[0], [&scene.tins[1], &scene.tins[2]]);
    let packed = json!({
        "parent": {"code": case, "input": "wedge"}, "units": scanned(&fetched[1..]),
    });
    let events = [
        store.event("collect", &json!({"units": scanned(&fetched)})),
        store.event("pack", &packed),
    ];
    store.push(&events).await;
    assert_eq!(tins(staff, &scene, &scene.store).await, [0, 0, 2, 0]);
    let goes = outbound(&[fetched[0], case], &scene.warehouse);
    let event = store.event("outbound", &goes);
    store.push(&[event]).await;
    assert_eq!(tins(staff, &scene, &scene.store).await, [0, 0, 0, 0]);
    assert_eq!(tins(staff, &scene, &scene.warehouse).await[2..], [0, 2]);
    warehouse.push(&[]).await;
    let event = warehouse.event("inbound", &inbound(&[fetched[0], case]));
    warehouse.push(&[event]).await;
    assert_eq!(tins(staff, &scene, &scene.warehouse).await[2..], [2, 0]);
    app.stop().await;
});

on_both!(places_are_told_page_by_page, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let (mut seen, mut more) = (Vec::new(), String::new());
    loop {
        let page = ok(staff.get(&format!("/v1/stock?limit=2{more}")).await);
        for place in page["items"].as_array().expect("items") {
            seen.push(place["location_id"].clone());
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        more = format!("&after={next}");
    }
    assert_eq!(
        seen,
        [&scene.plant, &scene.warehouse, &scene.store].map(|id| json!(id))
    );
    for after in ["1.5", "x", "1-"] {
        let path = format!("/v1/stock/lots/1/movements?after={after}");
        refused(staff.get(&path).await, "malformed-request");
    }
    // U+0000 stands in no row, and one of the databases takes no question with it.
    for asked in ["gtin=%00", "lot=%00", "lot=L%007"] {
        let path = format!("/v1/stock/lots?{asked}");
        refused(staff.get(&path).await, "invalid-fields");
    }
    refused(staff.get("/v1/stock/lots/1/movements").await, "not-found");
    let lots = ok(staff.get("/v1/stock/lots").await);
    assert_eq!(
        number(&json!(lots["items"].as_array().expect("items").len())),
        0
    );
    app.stop().await;
});

on_both!(lines_are_asked_for_by_a_gtin_as_events_name_it, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let gtin = crate::support::gtin(GTIN);
    let short = gtin.strip_prefix('0').expect("a GTIN-13");
    let said = json!({"lots": [{"gtin": short, "lot": "S1", "qty": 5}], "doc": {"no": "D-1"}});
    let event = store.event("inbound", &said);
    store.push(&[event]).await;
    let staff = &scene.firm.operator;
    for asked in [&*gtin, short] {
        let lines = ok(staff.get(&format!("/v1/stock/lots?gtin={asked}")).await);
        assert_eq!(lines["items"][0]["balance"], 5, "{asked}: {lines}");
        assert_eq!(lines["items"][0]["gtin"], json!(gtin));
    }
    app.stop().await;
});

on_both!(c11_lots_that_only_a_stranger_named_are_not_listed, |app| {
    let scene = Scene::of(&app).await;
    let platform = app
        .signed_in("platform.admin", crate::support::PASSWORD)
        .await;
    let beta = firm(&app, &platform, "BETA", &[]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let mut stranger = enrolled(&app, &beta.operator, &shop).await;
    let of = |lot: &str| json!([{"gtin": crate::support::gtin(GTIN), "lot": lot, "qty": 3}]);
    let said = |lot: &str, more: Value| {
        let mut said = json!({"location": scene.store, "lots": of(lot)});
        let parts = said.as_object_mut().expect("an object");
        parts.extend(more.as_object().cloned().unwrap_or_default());
        said
    };
    let made_up = [
        stranger.event("inbound", &said("X1", json!({"doc": {"no": "D-1"}}))),
        stranger.event("count", &said("X2", json!({"body": {"accepted": true}}))),
        stranger.event("retract", &said("X3", json!({"target": Uuid::now_v7()}))),
        stranger.event("inbound", &said("X4", json!({"doc": {"no": "D-2"}}))),
    ];
    stranger.push(&made_up).await;
    let mut store = scene.device(&app, &scene.store).await;
    let came = |lot: &str| json!({"lots": of(lot), "doc": {"no": "D-3"}});
    let events = [
        store.event("inbound", &came("S1")),
        store.event("inbound", &came("X4")),
        store.event("sale", &json!({"lots": of("X4")})),
    ];
    store.push(&events).await;
    settled(&app).await;
    let staff = &scene.firm.operator;
    for asked in ["", &format!("?location_id={}", scene.store)] {
        let page = ok(staff.get(&format!("/v1/stock/lots{asked}")).await);
        let line = |line: &Value| (line["lot"].clone(), line["balance"].clone());
        let lines = page["items"].as_array().expect("lines").iter().map(line);
        // One of them was named by both, and all of it was sold.
        let wanted = [(json!("X4"), json!(0)), (json!("S1"), json!(3))];
        assert_eq!(lines.collect::<Vec<_>>(), wanted, "{page}");
    }
    // A page begins with what is there, however many strange lines stand before it.
    let page = ok(staff.get("/v1/stock/lots?limit=1").await);
    assert_eq!(page["items"][0]["lot"], "X4", "{page}");
    // Who said it is told what is wrong with it.
    let found = ok(beta
        .operator
        .get("/v1/findings?code=UNEXPECTED_HOLDER")
        .await);
    assert_eq!(found["items"].as_array().map(Vec::len), Some(3), "{found}");
    app.stop().await;
});

/// How the engine carries a statement out.
async fn plan(app: &TestApp, sql: &str) -> String {
    let db = &app.state().db;
    let (explain, column) = match app.engine {
        Engine::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
        Engine::Postgres => ("EXPLAIN", "QUERY PLAN"),
    };
    let query = statement(db.backend(), &format!("{explain} {sql}"), []);
    let rows = db.reader().query_all_raw(query).await.expect("a plan");
    let line = |row: &QueryResult| row.try_get::<String>("", column).expect("a line");
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

on_both!(what_was_sold_is_not_gone_through, |app| {
    let scene = Scene::of(&app).await;
    // No event stands behind these rows: nobody may fold them.
    settled(&app).await;
    let here = LocationId(scene.store.parse().expect("an id"));
    let batch = BatchId(scene.batch.parse().expect("an id"));
    let row = |n: i64| UnitWrite {
        id: n + 1,
        gseq: 1,
        key: UnitKey::kept(&format!("/01/09521234000013/21/S{n}")),
        product: None,
        inside: None,
        exceptional: false,
        facts: 0,
        elsewhere: false,
        kept: Kept {
            state: UnitState {
                // One in a thousand is there still.
                phase: if n % 1000 == 0 {
                    Phase::InStock
                } else {
                    Phase::Sold
                },
                place: Place::At(here),
                batch: Some(batch),
                ..UnitState::default()
            },
            ..Kept::default()
        },
    };
    let db = app.state().db.clone();
    let rows: Vec<UnitWrite> = (0..30_000).map(row).collect();
    write_units(db.writer(), &rows).await.expect("rows");
    let counted = tins(&scene.firm.operator, &scene, &scene.store).await;
    assert_eq!(counted, [30, 0, 0, 0]);
    // As the engines look into their tables by themselves, sooner or later; and before they did.
    for analyzed in [false, true] {
        if analyzed {
            let analyze = statement(db.backend(), "ANALYZE", []);
            db.writer().execute_raw(analyze).await.expect("analyzed");
        }
        for (depth, of_batch) in [(0, false), (0, true), (2, false)] {
            let keys = format!("'{}'", scene.store);
            let sql = counting(db.backend(), depth, of_batch, None).replace("{keys}", &keys);
            let sql = match app.engine {
                // Ids are bytes there.
                Engine::Sqlite => {
                    let bytes = |id: &str| format!("x'{}'", id.replace('-', ""));
                    let sql = sql.replace(&keys, &bytes(&scene.store));
                    sql.replacen('?', &bytes(&scene.batch), 1)
                }
                Engine::Postgres => sql.replacen('?', &format!("'{}'", scene.batch), 1),
            };
            let plan = plan(&app, &sql).await;
            println!("{:?}, analyzed: {analyzed}\n{sql}\n{plan}\n", app.engine);
            if analyzed || app.engine == Engine::Sqlite {
                assert!(plan.contains("unit_stock"), "{plan}");
            }
        }
    }
    app.stop().await;
});

on_both!(claims_of_others_are_not_gone_through, |app| {
    let scene = Scene::of(&app).await;
    settled(&app).await;
    let id = |code: &str| match app.engine {
        // Ids are bytes there.
        Engine::Sqlite => format!("x'{}'", code.replace('-', "")),
        Engine::Postgres => format!("'{code}'"),
    };
    let numbers = match app.engine {
        Engine::Sqlite => {
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 30000)"
        }
        Engine::Postgres => "WITH s AS (SELECT n FROM generate_series(1, 30000) AS s(n))",
    };
    let row = |n: i64| UnitWrite {
        id: n,
        gseq: 1,
        key: UnitKey::kept(&format!("/01/09521234000013/21/S{n}")),
        product: None,
        inside: None,
        exceptional: false,
        facts: 0,
        elsewhere: false,
        kept: Kept::default(),
    };
    let rows: Vec<UnitWrite> = (1..30_000).map(row).collect();
    let written = write_units(app.state().db.writer(), &rows).await;
    written.expect("units");
    let (own, other) = (scene.firm.id.clone(), scene.batch.clone());
    let db = &app.state().db;
    for (who, place, most) in [(&other, &scene.store, 30_000), (&own, &scene.plant, 20_000)] {
        let (who, place) = (id(who), id(place));
        let sql = format!(
            "INSERT INTO unit_claim (unit_id, enterprise_id, location_id) \
             {numbers} SELECT n, {who}, {place} FROM s WHERE n < {most}"
        );
        let query = statement(db.backend(), &sql, []);
        db.writer().execute_raw(query).await.expect("claims");
    }
    for analyzed in [false, true] {
        if analyzed {
            let analyze = statement(db.backend(), "ANALYZE", []);
            db.writer().execute_raw(analyze).await.expect("analyzed");
        }
        let sql = claiming(db.backend(), None).replace("{keys}", &id(&scene.store));
        let plan = plan(&app, &sql.replacen('?', &id(&own), 1)).await;
        println!("{:?}, analyzed: {analyzed}\n{sql}\n{plan}\n", app.engine);
        assert!(plan.contains("unit_claim_place"), "{plan}");
    }
    app.stop().await;
});
