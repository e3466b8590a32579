//! Balances of goods without codes as they were known at a position of the log (T10, I25): told as they were
//! told then, whatever came late, was struck, counted or held against them since; and refused where the
//! log never ended, or nothing was kept.

use crate::{
    enrolment::place,
    pull_plans::multiply,
    scene::{Scene, enrolled, settled},
    support::{PASSWORD, array, firm, gtin, number, ok, refused_field},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value, json};
use suyuan::{
    db::statement,
    log::Actor,
    registry::locations::{
        store as locations,
        wire::{LocationKind, LocationOut},
    },
    stock::{lots_store::lots_then, wire::LotQuery},
};
use suyuan_tests::{Caller, Engine, Handheld, TestApp, on_both};
use uuid::Uuid;

use crate::scene::GTIN;

/// What is asked of lines.
const ASKED: [&str; 3] = ["", "&negative=true", "&lot=L2"];

/// Balances as they were told.
struct Known {
    position: i64,
    told: Vec<Value>,
}

async fn lines(staff: &Caller, more: &str) -> Value {
    ok(staff.get(&format!("/v1/stock/lots?limit=100{more}")).await)
}

/// What is told now, once all is worked in.
async fn now(app: &TestApp, staff: &Caller) -> Known {
    settled(app).await;
    loop {
        let mut told = Vec::new();
        for asked in ASKED {
            told.push(lines(staff, asked).await);
        }
        let position = told[0]["position"].as_i64().expect("a position");
        if told.iter().all(|page| page["position"] == position) {
            return Known { position, told };
        }
    }
}

/// What was told before is told as of then.
async fn stays(staff: &Caller, known: &[Known], what: &str) {
    for known in known {
        for (asked, told) in ASKED.iter().zip(&known.told) {
            let then = lines(staff, &format!("{asked}&at={}", known.position)).await;
            assert_eq!(then, *told, "{what}, at {}: {asked}", known.position);
        }
    }
}

fn lots(of: &[(&str, u64)]) -> Value {
    let line = |(lot, qty): &(&str, u64)| json!({"gtin": gtin(GTIN), "lot": lot, "qty": qty});
    of.iter().map(line).collect()
}

fn came(of: &[(&str, u64)]) -> Value {
    json!({"lots": lots(of), "doc": {"no": "D-1"}})
}

fn went(of: &[(&str, u64)]) -> Value {
    json!({"lots": lots(of)})
}

fn event_id(text: &str) -> Value {
    let event: Value = serde_json::from_str(text).expect("an event");
    event["event_id"].clone()
}

async fn state(device: &mut Handheld, kind: &str, said: &Value) -> String {
    let event = device.event(kind, said);
    device.push(std::slice::from_ref(&event)).await;
    event
}

on_both!(i25_t10_balances_are_told_as_they_were_known, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let mut early = scene.device(&app, &scene.store).await;
    let mut till = scene.device(&app, &scene.store).await;
    // Made before all else, and brought last.
    let late = [
        early.event("inbound", &came(&[("L1", 4), ("L3", 2)])),
        early.event("sale", &went(&[("L1", 20)])),
    ];
    let boss = json!({"id": "boss", "proof": "badge", "supervisor": true});
    let mut known = Vec::new();
    let receipt = state(&mut till, "inbound", &came(&[("L1", 10), ("L2", 5)])).await;
    known.push(now(&app, staff).await);
    let sold = state(&mut till, "sale", &went(&[("L1", 3), ("L2", 5)])).await;
    known.push(now(&app, staff).await);

    // What only others name is not listed, then or now, until its place's own enterprise names it.
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let beta = firm(&app, &platform, "BETA", &[]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let mut stranger = enrolled(&app, &beta.operator, &shop).await;
    let mut said = came(&[("X1", 9), ("X2", 9)]);
    said["location"] = json!(scene.store);
    state(&mut stranger, "inbound", &said).await;
    known.push(now(&app, staff).await);
    state(&mut till, "inbound", &came(&[("X1", 1)])).await;
    state(&mut till, "sale", &went(&[("X1", 1)])).await;
    known.push(now(&app, staff).await);

    early.push(&late).await;
    known.push(now(&app, staff).await);
    stays(staff, &known, "late").await;
    let counted = json!({"lots": lots(&[("L1", 2)]), "body": {"accepted": true}, "actor": boss});
    let counted = state(&mut till, "count", &counted).await;
    known.push(now(&app, staff).await);
    // One that says all there is: what it does not name was not there.
    let complete = json!({
        "lots": lots(&[("L1", 2)]), "actor": boss,
        "body": {"accepted": true, "scope": {"complete": true}},
    });
    state(&mut till, "count", &complete).await;
    known.push(now(&app, staff).await);
    for target in [&sold, &receipt, &counted] {
        let retract = json!({"target": event_id(target), "actor": boss});
        state(&mut till, "retract", &retract).await;
        known.push(now(&app, staff).await);
    }
    let parent = json!({"code": scene.cases[0], "input": "wedge"});
    let packed = json!({"parent": parent, "lots": lots(&[("L1", 1)])});
    state(&mut till, "pack", &packed).await;
    known.push(now(&app, staff).await);
    let goes = json!({
        "units": [parent], "doc": {"no": "D-2"},
        "counterpart": {"type": "location", "id": scene.warehouse},
    });
    state(&mut till, "outbound", &goes).await;
    known.push(now(&app, staff).await);
    // Nothing stands in a line any more, and then something does again.
    let wrong = state(&mut till, "inbound", &came(&[("N1", 5)])).await;
    known.push(now(&app, staff).await);
    let retract = json!({"target": event_id(&wrong), "actor": boss});
    state(&mut till, "retract", &retract).await;
    known.push(now(&app, staff).await);
    state(&mut till, "inbound", &came(&[("N1", 1)])).await;
    known.push(now(&app, staff).await);
    stays(staff, &known, "in the end").await;
    // They were different things, and a page goes on where the one before ended.
    let balances: Vec<String> = known
        .iter()
        .map(|k| k.told[0]["items"].to_string())
        .collect();
    for (n, told) in balances.iter().enumerate() {
        assert!(n == 0 || n == 2 || *told != balances[n - 1], "{n}: {told}");
    }
    let below = known
        .iter()
        .filter(|k| !array(&k.told[1]["items"]).is_empty());
    assert!(below.count() > 0, "{balances:?}");
    let at = &known[4];
    let (mut told, mut after) = (Vec::new(), String::new());
    loop {
        let asked = format!("/v1/stock/lots?limit=1&at={}{after}", at.position);
        let page = ok(staff.get(&asked).await);
        told.extend(array(&page["items"]).iter().cloned());
        let Some(next) = page["next"].as_i64() else {
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(json!(told), at.told[0]["items"]);
    app.stop().await;
});

on_both!(t10_where_the_log_never_ended_no_balance_is_told, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let mut till = scene.device(&app, &scene.store).await;
    state(&mut till, "inbound", &came(&[("L1", 10)])).await;
    let before = now(&app, staff).await;
    let events = [
        till.event("sale", &went(&[("L1", 3)])),
        till.event("inbound", &came(&[("L2", 1)])),
        till.event("sale", &went(&[("L1", 2)])),
    ];
    let answer = till.push(&events).await;
    let within: Vec<i64> = answer.results.iter().filter_map(|one| one.gseq).collect();
    let after = now(&app, staff).await;
    assert_eq!(within.len(), 3);
    assert_eq!(within[2] - within[0], 2, "taken in together");
    for at in &within[..2] {
        for asked in ["", "&lot=L1", "&lot=L2"] {
            let path = format!("/v1/stock/lots?at={at}{asked}");
            refused_field(staff.get(&path).await, "at", "not-kept");
        }
        // What it did not change stood as it stood.
        let path = format!("/v1/stock/lots?at={at}&lot=L9");
        assert_eq!(ok(staff.get(&path).await)["items"], json!([]));
    }
    let told = lines(staff, &format!("&at={}", within[2])).await;
    assert_eq!(told["items"], after.told[0]["items"]);
    let head = after.position;
    for at in [0, -1, head + 100] {
        let path = format!("/v1/stock/lots?at={at}");
        refused_field(staff.get(&path).await, "at", "out-of-range");
    }

    // As in a database of the release before, whose lines changed and nothing was kept.
    stays(staff, &[before, after], "kept").await;
    let db = &app.state().db;
    let forget = "DELETE FROM lot_line_was";
    db.writer().execute_unprepared(forget).await.expect("rows");
    let path = format!("/v1/stock/lots?at={}", within[0] - 1);
    refused_field(staff.get(&path).await, "at", "not-kept");
    assert!(number(&lines(staff, "").await["position"]) > 0);
    app.stop().await;
});

on_both!(
    i25_t10_balances_were_whose_they_were_before_a_place_came_on_record,
    |app| {
        let scene = Scene::of(&app).await;
        let staff = &scene.firm.operator;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let beta = firm(&app, &platform, "BETA", &[]).await;
        let shop = place(&beta.operator, "S-1", "store").await;
        let mut stranger = enrolled(&app, &beta.operator, &shop).await;
        // A place on no record: what is there is of whoever names it.
        let nowhere = Uuid::now_v7();
        let mut said = came(&[("X1", 9), ("X2", 2)]);
        said["location"] = json!(nowhere);
        state(&mut stranger, "inbound", &said).await;
        let was = [now(&app, &beta.operator).await];
        let before = [now(&app, staff).await];
        assert_eq!(array(&was[0].told[0]["items"]).len(), 2);
        assert_eq!(before[0].told[0]["items"], json!([]));

        let new = LocationOut {
            id: nowhere,
            code: "W-9".into(),
            kind: LocationKind::Warehouse,
            name: "仓库".into(),
            gln: None,
            fields: json!({}),
        };
        let log = &app.state().log;
        let own = Uuid::parse_str(&scene.firm.id).expect("an id");
        let made = locations::create(log, Actor::System, None, own, new).await;
        assert_eq!(made.expect("a place").id, nowhere);
        // It is the other's now, and so is what is said there: not a figure of who said it.
        stays(&beta.operator, &was, "at once").await;
        stays(staff, &before, "at once").await;
        let theirs = now(&app, &beta.operator).await;
        assert_eq!(theirs.told[0]["items"], json!([]));
        stays(&beta.operator, &was, "worked in").await;
        stays(staff, &before, "worked in").await;
        app.stop().await;
    }
);

/// Lines of all enterprises, of which each fourth is of who asks; their numbers; and those of a page.
const MANY: i64 = 40_000;
const FIRST: i64 = 1_000_000;
const PAGE: u64 = 101;

/// Rows that a page may read: between two lines that are told stand those of others, with what was kept of each.
const READ: i64 = 6_000;

/// Rows of lines that this transaction read, of what they are and of what is kept of them.
async fn rows_read(tx: &DatabaseTransaction) -> i64 {
    let sql = "SELECT CAST(SUM(seq_tup_read + COALESCE(idx_tup_fetch, 0)) AS BIGINT) AS n \
               FROM pg_stat_xact_user_tables \
               WHERE schemaname = current_schema() AND relname LIKE 'lot_line%'";
    let query = statement(tx.get_database_backend(), sql, []);
    let row = tx.query_one_raw(query).await.expect("figures");
    row.expect("a row").try_get("", "n").expect("a number")
}

/// All pages as of a position, up to the last line of the many: however deep, none reads much more than itself.
async fn pages(app: &TestApp, whose: Uuid, at: i64) -> Vec<i64> {
    let tx = app.state().db.begin_reading().await.expect("a snapshot");
    if app.engine == Engine::Postgres {
        // What others read for a question is in no figure of its transaction.
        let alone = "SET LOCAL max_parallel_workers_per_gather = 0";
        tx.execute_unprepared(alone).await.expect("a setting");
    }
    let mut query = LotQuery::default();
    let (mut out, mut pages) = (Vec::new(), 0);
    while query.after.is_none_or(|last| last < FIRST + MANY) {
        let page = lots_then(&tx, whose, &query, PAGE, at).await;
        let page = page.expect("a page");
        query.after = Some(page.last().map_or(i64::MAX, |line| line.id));
        out.extend(page.iter().map(|line| line.id));
        pages += 1;
    }
    if app.engine == Engine::Postgres {
        let read = rows_read(&tx).await;
        println!("{read} rows for {pages} pages");
        assert!(read > 0 && read < pages * READ, "{read} for {pages} pages");
    }
    tx.rollback().await.expect("an end");
    out.retain(|line| *line <= FIRST + MANY);
    out
}

on_both!(a_page_of_balances_as_known_reads_that_page, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let mut till = scene.device(&app, &scene.store).await;
    state(&mut till, "inbound", &came(&[("L1", 10)])).await;
    let at = now(&app, staff).await.position;
    state(&mut till, "sale", &went(&[("L1", 3)])).await;
    let head = now(&app, staff).await.position;
    let own: Uuid = scene.firm.id.parse().expect("an id");
    let other = Uuid::now_v7();
    let fourth = (MANY / 4, own, format!("{FIRST} + 4 * i"));
    let rest = (MANY / 4 * 3, other, format!("{FIRST} + i + (i - 1) / 3"));
    for (rows, whose, id) in [fourth, rest] {
        let lot = format!("'M' || ({id})");
        let columns = [("enterprise_id", "?"), ("id", &*id), ("lot", &*lot)];
        multiply(&app, "lot_line", rows, &columns, vec![whose.into()]).await;
    }
    let kept = format!("{FIRST} + i");
    multiply(
        &app,
        "lot_line_was",
        MANY,
        &[("line_id", &*kept)],
        Vec::new(),
    )
    .await;
    let db = app.state().db.clone();
    let run = async |sql: &str, values: Vec<sea_orm::Value>| {
        let done = db
            .writer()
            .execute_raw(statement(db.backend(), sql, values));
        done.await.expect("rows");
    };
    run("ANALYZE", Vec::new()).await;
    let wanted = |theirs: fn(&i64) -> bool| {
        let theirs = (1..=MANY).filter(theirs);
        theirs.map(|n| FIRST + n).collect::<Vec<_>>()
    };
    assert_eq!(pages(&app, own, at).await, wanted(|n| n % 4 == 0));
    // Places came on record since: what is another's was the asker's, and the other way round.
    for (whose, which) in [(other, "id % 8 = 4"), (own, "id % 4 = 1")] {
        let handed = format!(
            "INSERT INTO lot_line_whose (line_id, until, enterprise_id) \
             SELECT id, CAST(? AS BIGINT), ? FROM lot_line WHERE id <= {} AND {which}",
            FIRST + MANY
        );
        run(&handed, vec![(at + 1).into(), whose.into()]).await;
    }
    run("ANALYZE", Vec::new()).await;
    let then = pages(&app, own, at).await;
    assert_eq!(then, wanted(|n| n % 8 == 0 || n % 4 == 1));
    let since = pages(&app, own, head).await;
    assert_eq!(since, wanted(|n| n % 4 == 0));
    app.stop().await;
});
