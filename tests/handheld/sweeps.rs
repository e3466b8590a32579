//! What complete counts cost goods without codes of their own: a line that comes to a place where much
//! was counted is held against the counts since its goods came, and no others (C11).

use crate::{
    scene::{Scene, count, holds},
    support::ok,
};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::{Value, json};
use suyuan::{db::statement, handheld::units::store::sweeping};
use suyuan_tests::{Engine, Handheld, TestApp, on_both};

const GTIN: &str = "09521234000013";

fn lots(lot: &str, qty: u64) -> Value {
    json!([{"gtin": GTIN, "lot": lot, "qty": qty}])
}

fn came(device: &mut Handheld, lot: &str, qty: u64) -> String {
    let said = json!({"lots": lots(lot, qty), "doc": {"no": "D-1"}});
    device.event("inbound", &said)
}

/// A complete count that sees so many of a lot and nothing else.
fn counted(device: &mut Handheld, lot: &str, qty: u64) -> String {
    let said = json!({"lots": lots(lot, qty), "body": {"scope": {"complete": true}}});
    device.event("count", &said)
}

/// Of a lot: its movements that are kept, and the findings that are open.
async fn line(app: &TestApp, lot: &str) -> (i64, i64) {
    let of = |table: &str, more: &str| {
        format!(
            "SELECT COUNT(*) AS n FROM {table} x JOIN lot_line l ON l.id = x.line_id \
             WHERE l.lot = '{lot}'{more}"
        )
    };
    (
        count(app, &of("lot_move", "")).await,
        count(app, &of("finding", " AND x.closed IS NULL")).await,
    )
}

on_both!(
    c11_counts_from_before_its_goods_came_are_none_of_a_lines,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let mut late = scene.device(&app, &scene.store).await;
        let event = came(&mut store, "L7", 9);
        store.push(&[event]).await;
        // Made before all counts, and sent after them.
        let early = came(&mut late, "L8", 2);
        for _ in 0..7 {
            let event = counted(&mut store, "L7", 9);
            store.push(&[event]).await;
        }
        assert_eq!(line(&app, "L7").await, (8, 0));

        let event = came(&mut store, "L8", 4);
        store.push(&[event]).await;
        assert_eq!(line(&app, "L8").await, (1, 0), "no count missed it");
        holds(&app, "new").await;
        for _ in 0..2 {
            let event = counted(&mut store, "L7", 9);
            store.push(&[event]).await;
        }
        assert_eq!(line(&app, "L8").await, (3, 2), "each count missed it");
        holds(&app, "counted").await;

        // Goods that were there all along: now all the counts in between missed them.
        late.push(&[early]).await;
        assert_eq!(line(&app, "L8").await, (11, 9));
        holds(&app, "late").await;
        let path = format!("/v1/stock/lots?location_id={}&lot=L8", scene.store);
        let page = ok(scene.firm.operator.get(&path).await);
        assert_eq!(page["items"][0]["balance"], 6);

        // A count that named it before anything else was there is where it begins.
        let event = counted(&mut store, "L9", 3);
        store.push(&[event]).await;
        let event = counted(&mut store, "L7", 9);
        store.push(&[event]).await;
        let event = came(&mut store, "L9", 3);
        store.push(&[event]).await;
        holds(&app, "counted first").await;
        app.stop().await;
    }
);

on_both!(c11_a_new_line_reads_counts_since_its_goods_came, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let mut late = scene.device(&app, &scene.store).await;
    let event = came(&mut store, "L7", 9);
    store.push(&[event]).await;
    let early = ["L8", "L9"].map(|lot| came(&mut late, lot, 2));
    let event = counted(&mut store, "L7", 9);
    store.push(&[event]).await;
    // It stands behind both, and would be believed, were all counts read: only its key says that it
    // stands before them.
    let db = &app.state().db;
    for (earlier, expected) in [(true, (1, 0)), (false, (2, 1))] {
        let eff = if earlier {
            "0"
        } else {
            "(SELECT eff FROM event e WHERE e.gseq = sweep.gseq)"
        };
        let query = statement(db.backend(), &format!("UPDATE sweep SET eff = {eff}"), []);
        db.writer().execute_raw(query).await.expect("a key");
        let lot = usize::from(!earlier);
        late.push_at(lot as u64 + 1, late.history[lot], &early[lot..=lot])
            .await;
        assert_eq!(line(&app, ["L8", "L9"][lot]).await, expected);
    }
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

on_both!(counts_are_read_by_place_and_time, |app| {
    let scene = Scene::of(&app).await;
    let (place, numbers, none) = match app.engine {
        // Ids are bytes there.
        Engine::Sqlite => (
            format!("x'{}'", scene.store.replace('-', "")),
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 100000)",
            "x''",
        ),
        Engine::Postgres => (
            format!("'{}'", scene.store),
            "WITH s AS (SELECT n FROM generate_series(1, 100000) AS s(n))",
            "''::bytea",
        ),
    };
    let db = &app.state().db;
    let sql = format!(
        "INSERT INTO sweep (location_id, eff, gseq, said) {numbers} \
         SELECT {place}, n, 1000000 + n, {none} FROM s"
    );
    for sql in [&sql, "ANALYZE"] {
        let query = statement(db.backend(), sql, []);
        db.writer().execute_raw(query).await.expect(sql);
    }
    let mut sql = sweeping();
    for value in [
        &place,
        "99999",
        "9223372036854775807",
        "9223372036854775807",
    ] {
        sql = sql.replacen('?', value, 1);
    }
    let plan = plan(&app, &sql).await;
    println!("{:?}\n{sql}\n{plan}\n", app.engine);
    // Both ends are in the key: what lies before is not gone through.
    let by = match app.engine {
        Engine::Sqlite => "SEARCH s USING PRIMARY KEY (location_id=? AND eff>? AND eff<?)",
        Engine::Postgres => "(eff >= 99999)",
    };
    assert!(plan.contains(by), "{plan}");
    assert!(!plan.contains("Seq Scan on sweep"), "{plan}");
    app.stop().await;
});
