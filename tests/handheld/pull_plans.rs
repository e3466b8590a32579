//! A pull goes by indexes from its place, device and partners: what others have and do, however much it
//! is, is never read; and so does what a count leaves to be folded again. Asked of the engines
//! themselves, beside 10⁵ rows of others in every table.

use crate::scene::{Scene, inbound, outbound, sale, scanned, settled};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use serde_json::json;
use std::time::Instant;
use suyuan::{
    db::statement,
    handheld::{
        down::{
            left_store::LEFT,
            root_store::{ENDED, HERE, TOLD, TOLD_LATELY, bound_for},
            store::LEGS,
            verdict_store::CHANGES,
        },
        lots::store::FORGOTTEN,
        units::refold::pages_store::{AT_PLACE, LISTED, OF_ISSUER, UNBATCHED},
        world::store::{COUNTED, EVER_COUNTED},
    },
};
use suyuan_tests::{Engine, TestApp, on_both};
use uuid::Uuid;

/// Rows of others in each table.
const OTHERS: i64 = 100_000;

/// Rows of the place itself, of other times than are asked for.
const OWN: i64 = 5_000;

/// A column, and what it is instead.
pub type Column<'a> = (&'a str, &'a str);

/// Copies the first row of a table so many times, with what `columns` say instead.
pub async fn multiply(
    app: &TestApp,
    table: &str,
    rows: i64,
    columns: &[Column<'_>],
    values: Vec<Value>,
) {
    let db = &app.state().db;
    let all = match app.engine {
        Engine::Sqlite => format!("SELECT name AS c FROM pragma_table_info('{table}')"),
        Engine::Postgres => format!(
            "SELECT column_name::text AS c FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}'"
        ),
    };
    let found = db.reader().query_all_raw(statement(db.backend(), &all, []));
    let names: Vec<String> = found
        .await
        .expect("columns")
        .iter()
        .map(|row| row.try_get("", "c").expect("a name"))
        .collect();
    // In the order of `columns`, so that the values are theirs.
    let mut rest = names.clone();
    rest.retain(|name| !columns.iter().any(|(column, _)| column == name));
    let set = columns
        .iter()
        .map(|(column, to)| ((*column).to_owned(), (*to).to_owned()));
    let rest = rest
        .into_iter()
        .map(|name| (name.clone(), format!("t.{name}")));
    let (names, values_of): (Vec<String>, Vec<String>) = set.chain(rest).unzip();
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
         INSERT INTO {table} ({}) SELECT {} FROM n, (SELECT * FROM {table} LIMIT 1) t",
        names.join(", "),
        values_of.join(", "),
    );
    let done = db
        .writer()
        .execute_raw(statement(db.backend(), &sql, values));
    assert_eq!(
        done.await.expect(table).rows_affected() as i64,
        rows,
        "{table}"
    );
}

/// How the engine goes about a question.
async fn plan(app: &TestApp, sql: &str, values: Vec<Value>) -> String {
    let db = &app.state().db;
    let (explain, column) = match app.engine {
        Engine::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
        Engine::Postgres => ("EXPLAIN", "QUERY PLAN"),
    };
    let query = statement(db.backend(), &format!("{explain} {sql}"), values);
    let rows = db.reader().query_all_raw(query).await.expect("a plan");
    let line = |row: &QueryResult| row.try_get::<String>("", column).expect("a line");
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

on_both!(a_pull_reads_nothing_of_others, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let tins = [&scene.tins[0], &scene.tins[1]];
    let events = [
        store.event("inbound", &inbound(&tins)),
        store.event("sale", &sale(&tins[..1])),
        store.event("sale", &sale(&tins[..1])),
        store.event("outbound", &outbound(&tins[1..], &scene.warehouse)),
    ];
    store.push(&events).await;
    store.pull(0, 500).await;

    let elsewhere = Uuid::new_v4;
    let i = "1000000 + i";
    let others: [(&str, &[Column<'_>], Vec<Value>); 8] = [
        (
            "unit",
            &[
                ("id", i),
                // Whatever acts left, and however much of it.
                ("left_at", "CASE WHEN i % 3 = 1 THEN i END"),
                ("unit_key", "'/others/' || i"),
                ("place", "?"),
                (
                    "phase",
                    "CASE WHEN i % 3 = 0 THEN 'sold' ELSE 'in_stock' END",
                ),
                ("gseq", "i"),
            ],
            vec![elsewhere().into()],
        ),
        // At the place itself there is much, too, of other times than are asked for.
        (
            "unit",
            &[
                ("id", "3000000 + i"),
                ("unit_key", "'/own/' || i"),
                ("place", "?"),
                (
                    "phase",
                    "CASE WHEN i % 3 = 0 THEN 'sold' ELSE 'in_stock' END",
                ),
                ("gseq", "5000000 + i"),
            ],
            vec![store.location.into()],
        ),
        (
            "told_unit",
            &[
                ("location_id", "?"),
                ("unit_id", "3000000 + i"),
                ("gseq", "5000000 + i"),
            ],
            vec![store.location.into()],
        ),
        (
            "finding",
            &[
                ("id", "3000000 + i"),
                ("device_id", "?"),
                ("opened", "5000000 + i"),
                ("closed", "5000001 + i"),
            ],
            vec![store.device.0.into()],
        ),
        (
            "event",
            &[
                ("gseq", i),
                ("seq", i),
                ("event_id", "NULL"),
                ("kind", "'outbound'"),
                ("counts_from", i),
                ("location_id", "?"),
            ],
            vec![elsewhere().into()],
        ),
        (
            "finding",
            &[
                ("id", i),
                ("device_id", "?"),
                ("opened", "i"),
                ("closed", "i + 1"),
            ],
            vec![elsewhere().into()],
        ),
        (
            "told_unit",
            &[("location_id", "?"), ("unit_id", i), ("gseq", "i")],
            vec![elsewhere().into()],
        ),
        (
            "log_entry",
            &[
                ("gseq", "2000000 + i"),
                ("kind", "'master_data_changed'"),
                ("subject", "'product:' || i"),
                ("enterprise_id", "?"),
            ],
            vec![elsewhere().into()],
        ),
    ];
    for (table, columns, values) in others {
        let rows = if values == [store.location.into()] {
            OWN
        } else {
            OTHERS
        };
        multiply(&app, table, rows, columns, values).await;
    }
    let db = &app.state().db;
    db.writer()
        .execute_unprepared("ANALYZE")
        .await
        .expect("counted");

    let (place, device): (Value, Value) = (store.location.into(), store.device.0.into());
    let enterprise: Uuid = scene.firm.id.parse().expect("an id");
    let between = || [Value::from(0_i64), Value::from(50_000_i64)];
    let of = |who: &Value| -> Vec<Value> { [who.clone()].into_iter().chain(between()).collect() };
    let mut legs = of(&place);
    legs.push(enterprise.into());
    let lately: Vec<Value> = vec![99_000_i64.into(), 100_000_i64.into(), place.clone()];
    let bound = bound_for(db.backend());
    let units = |from: &str| format!("SELECT u.gseq, u.id {from} ORDER BY u.gseq LIMIT 501");
    let verdict = |(when, from): (&str, &str)| {
        format!("SELECT {when} AS gseq, event_gseq {from} ORDER BY {when} LIMIT 501")
    };
    let questions: [(String, Vec<Value>, &[&str]); 9] = [
        (LEFT.to_owned(), Vec::new(), &["unit_left_first"]),
        (units(HERE), of(&place), &["unit_here"]),
        (units(ENDED), of(&place), &["unit_ended"]),
        (
            units(&bound),
            of(&enterprise.to_string().into()),
            &["unit_bound"],
        ),
        (units(TOLD), of(&place), &["told_unit_gseq"]),
        (units(TOLD_LATELY), lately, &["unit_gseq"]),
        (
            format!("SELECT counts_from, body {LEGS} ORDER BY counts_from LIMIT 501"),
            legs,
            &["event_leg"],
        ),
        (verdict(CHANGES[0]), of(&device), &["finding_device_opened"]),
        (
            verdict(CHANGES[1]),
            of(&device),
            &["finding_device_closed", "finding_device_"],
        ),
    ];
    for (sql, values, indexes) in questions {
        let told = plan(&app, &sql, values).await;
        println!("{:?}: {sql}\n{told}\n", app.engine);
        assert!(
            indexes.iter().any(|index| told.contains(index)),
            "{sql}\n{told}"
        );
        let whole = told.lines().map(str::trim_start);
        let scans = |line: &str| line.contains("Seq Scan") || line.starts_with("SCAN");
        assert!(!whole.into_iter().any(scans), "{sql}\n{told}");
    }
    // As a device sees it: the second, since the first reads its recall list anew.
    for _ in 0..2 {
        let begun = Instant::now();
        let page = store.pull(0, 500).await;
        println!(
            "{:?}: a pull beside {OTHERS} rows of others: {:?}",
            app.engine,
            begun.elapsed()
        );
        assert!(page.items.len() < 20, "{:?}", page.items);
    }
    app.stop().await;
});

on_both!(a_count_goes_through_what_is_there_and_nothing_else, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let tins = [&scene.tins[0], &scene.tins[1]];
    let counted = json!({"units": scanned(&tins), "body": {"scope": {"complete": true}}});
    let events = [
        store.event("inbound", &inbound(&tins)),
        store.event("count", &counted),
        store.event("count", &counted),
    ];
    store.push(&events).await;
    let db = &app.state().db;
    let counted = statement(db.backend(), EVER_COUNTED, []);
    let counted = db.reader().query_all_raw(counted).await.expect("places");
    assert_eq!(counted.len(), 1, "a place is told once");
    // No event stands behind these rows: nobody may fold them.
    settled(&app).await;
    let unit = |first: &'static str, place: Uuid| -> (Vec<Column<'static>>, Vec<Value>) {
        let columns = vec![
            ("id", first),
            (
                "unit_key",
                if first == "i + 5000000" {
                    "'/o/' || i"
                } else {
                    "'/h/' || i"
                },
            ),
            ("place", "?"),
            (
                "phase",
                "CASE WHEN i % 3 = 0 THEN 'sold' ELSE 'in_stock' END",
            ),
        ];
        (columns, vec![place.into()])
    };
    for (first, place, rows) in [
        ("i + 1000000", store.location, OWN),
        ("i + 5000000", Uuid::new_v4(), OTHERS),
    ] {
        let (columns, values) = unit(first, place);
        multiply(&app, "unit", rows, &columns, values).await;
    }
    let i = "1000000 + i";
    let columns = [
        ("gseq", i),
        ("seq", i),
        ("event_id", "NULL"),
        ("kind", "'outbound'"),
        ("location_id", "?"),
    ];
    let elsewhere = vec![Uuid::new_v4().into()];
    multiply(&app, "event", OTHERS, &columns, elsewhere).await;
    // As the engines look into their tables by themselves, sooner or later; and before they did.
    for analyzed in [false, true] {
        if analyzed {
            let analyze = db.writer().execute_unprepared("ANALYZE");
            analyze.await.expect("counted");
        }
        let page: Vec<Value> = vec![store.location.into(), 1_000_100_i64.into(), 500_i64.into()];
        for (sql, values, index) in [
            (AT_PLACE, page, "unit_kept"),
            (COUNTED, vec![1_i64.into()], "event_counted"),
            (EVER_COUNTED, Vec::new(), "event_count"),
        ] {
            let told = plan(&app, sql, values).await;
            println!("{:?}, analyzed: {analyzed}\n{sql}\n{told}\n", app.engine);
            if analyzed || app.engine == Engine::Sqlite {
                assert!(told.contains(index), "{sql}\n{told}");
                assert!(!told.contains("TEMP B-TREE FOR ORDER"), "{told}");
            }
        }
    }
    app.stop().await;
});

on_both!(
    a_page_of_an_issuers_units_reads_no_more_than_itself,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let event = store.event("inbound", &inbound(&[&scene.tins[0]]));
        store.push(&[event]).await;
        settled(&app).await;
        let issuer: Uuid = scene.firm.id.parse().expect("an id");
        // Its own units have batches but for a few, and those of others stand before, between and behind them.
        for (first, whose, rows) in [
            ("i * 1000 + 2000000000", issuer, OWN),
            ("i + 1000000000", Uuid::new_v4(), OTHERS),
        ] {
            let columns = [
                ("id", first),
                (
                    "unit_key",
                    if whose == issuer {
                        "'/i/' || i"
                    } else {
                        "'/o/' || i"
                    },
                ),
                ("issuer", "?"),
                ("batch_id", "CASE WHEN i % 50 <> 0 THEN t.batch_id END"),
            ];
            multiply(&app, "unit", rows, &columns, vec![whose.into()]).await;
        }
        let db = &app.state().db;
        for analyzed in [false, true] {
            if analyzed {
                let analyze = db.writer().execute_unprepared("ANALYZE");
                analyze.await.expect("counted");
            }
            let (of, recall) = (Value::from(issuer), Value::from(Uuid::new_v4()));
            let (after, limit) = (Value::from(2_000_100_000_i64), Value::from(2_000_i64));
            let page = [of.clone(), after.clone(), limit.clone()];
            let mut listed = page.to_vec();
            listed.extend([of, recall, after, limit.clone(), limit]);
            for (sql, values, index) in [
                (OF_ISSUER, page.to_vec(), "unit_issuer"),
                (UNBATCHED, page.to_vec(), "unit_issuer_unbatched"),
                (LISTED, listed, "unit_issuer"),
            ] {
                let told = plan(&app, sql, values).await;
                println!("{:?}, analyzed: {analyzed}\n{sql}\n{told}\n", app.engine);
                if analyzed || app.engine == Engine::Sqlite {
                    assert!(told.contains(index), "{sql}\n{told}");
                    let sorts = told.contains("TEMP B-TREE FOR ORDER") || told.contains("Sort");
                    assert!(sql == LISTED || !sorts, "{sql}\n{told}");
                }
            }
        }
        app.stop().await;
    }
);

on_both!(movements_are_taken_back_by_their_keys, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let lot = json!({"gtin": "09521234000013", "lot": "L7", "qty": 3});
    let event = store.event("inbound", &json!({"lots": [lot]}));
    store.push(&[event]).await;
    settled(&app).await;
    let columns = [("line_id", "i"), ("gseq", "i")];
    multiply(&app, "lot_move", OTHERS, &columns, Vec::new()).await;
    let db = &app.state().db;
    let analyze = db.writer().execute_unprepared("ANALYZE");
    analyze.await.expect("counted");
    let sql = FORGOTTEN.replace("{rows}", "VALUES (?, ?, ?), (?, ?, ?)");
    let values = [7_i64, 7, 0, 9, 9, 0].map(Value::from).to_vec();
    let told = plan(&app, &sql, values).await;
    println!("{:?}\n{told}\n", app.engine);
    let reads = told.lines().filter(|line| line.contains("lot_move"));
    let scans = |line: &str| line.contains("Seq Scan") || line.contains("SCAN");
    assert!(!reads.into_iter().any(scans), "{told}");
    app.stop().await;
});
