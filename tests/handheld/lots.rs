//! Goods without codes of their own: balances that go on, go back and heal, and are at every moment
//! what a fold of the whole log gives.

use crate::{
    scene::{Scene, count, fill_up, holds, scanned},
    support::{array, ok, text_of},
};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use suyuan::handheld::lots::store::lot_is;
use suyuan_sync::{
    finding::{Finding, FindingCode, LotKey},
    ids::LocationId,
    limits::TEXT_BYTES_MAX,
    wire::Status,
};
use suyuan_tests::{Engine, Handheld, TestApp, on_both};
use uuid::Uuid;

/// Products of the scene, and one nobody knows.
const GTINS: [&str; 2] = ["09521234000013", "04012345678901"];

/// What an event says of a lot.
pub fn lots_of(gtin: &str, lot: Option<&str>, qty: u64) -> Value {
    match lot {
        Some(lot) => json!([{"gtin": gtin, "lot": lot, "qty": qty}]),
        None => json!([{"gtin": gtin, "qty": qty}]),
    }
}

type Lines = BTreeMap<LotKey, (i64, Vec<Finding>)>;

/// What is kept, without lines to which nothing happens any more.
async fn kept(app: &TestApp) -> Lines {
    let db = &app.state().db;
    let sql = "SELECT l.gtin, l.lot, l.location_id, l.balance, l.findings, l.id FROM lot_line l";
    let rows = db
        .reader()
        .query_all_raw(suyuan::db::statement(db.backend(), sql, []))
        .await
        .expect("lines");
    let mut out = Lines::new();
    for row in rows {
        let lot: String = row.try_get("", "lot").expect("a lot");
        let key = LotKey {
            gtin: row.try_get("", "gtin").expect("a gtin"),
            lot: Some(lot).filter(|lot| !lot.is_empty()),
            location: LocationId(row.try_get("", "location_id").expect("a place")),
        };
        let id: i64 = row.try_get("", "id").expect("an id");
        let sql = "SELECT finding FROM finding WHERE line_id = ? AND closed IS NULL";
        let query = suyuan::db::statement(db.backend(), sql, [id.into()]);
        let found = db.reader().query_all_raw(query).await.expect("findings");
        let mut findings: Vec<Finding> = found
            .iter()
            .map(|row| row.try_get::<String>("", "finding").expect("a text"))
            .map(|text| serde_json::from_str(&text).expect("a finding"))
            .collect();
        findings.sort();
        let said: i64 = row.try_get("", "findings").expect("a number");
        assert_eq!(said, findings.len() as i64, "{key:?}");
        let balance: i64 = row.try_get("", "balance").expect("a balance");
        if balance != 0 || !findings.is_empty() {
            out.insert(key, (balance, findings));
        }
    }
    out
}

async fn balance(app: &TestApp, place: &str) -> i64 {
    let lines = kept(app).await;
    let of = |key: &&LotKey| key.location.to_string() == place;
    let line = lines.keys().find(of).and_then(|key| lines.get(key));
    line.map_or(0, |(balance, _)| *balance)
}

async fn codes(app: &TestApp) -> Vec<FindingCode> {
    let lines = kept(app).await;
    let findings = lines.into_values().flat_map(|(_, findings)| findings);
    findings.map(|finding| finding.code).collect()
}

on_both!(
    c11_a_sale_before_its_receipt_is_below_zero_until_it_comes,
    |app| {
        let scene = Scene::of(&app).await;
        let mut early = scene.device(&app, &scene.store).await;
        let mut till = scene.device(&app, &scene.store).await;
        let receipt = early.event(
            "inbound",
            &json!({"lots": lots_of(GTINS[0], Some("L7"), 10), "doc": {"no": "D-1"}}),
        );
        for qty in [3, 2] {
            // The anchor it got moves on: later in the order.
            let sale = till.event("sale", &json!({"lots": lots_of(GTINS[0], Some("L7"), qty)}));
            let answer = till.push(&[sale]).await;
            let told: Vec<_> = answer.results[0].findings.iter().map(|f| f.code).collect();
            let expected = if qty == 3 {
                &[FindingCode::NegBalance][..]
            } else {
                &[]
            };
            assert_eq!(told, expected, "the same interval gets deeper");
        }
        assert_eq!(balance(&app, &scene.store).await, -5);
        assert_eq!(codes(&app).await, [FindingCode::NegBalance]);
        holds(&app, "").await;
        early.push(std::slice::from_ref(&receipt)).await;
        assert_eq!(balance(&app, &scene.store).await, 5);
        assert_eq!(codes(&app).await, []);
        holds(&app, "").await;
        let event = serde_json::from_str::<Value>(&receipt).unwrap()["event_id"].clone();
        let db = &app.state().db;
        let sql = "SELECT closed_by FROM finding WHERE line_id IS NOT NULL AND closed IS NOT NULL";
        let query = suyuan::db::statement(db.backend(), sql, []);
        let row = db.reader().query_one_raw(query).await.unwrap().unwrap();
        let by: uuid::Uuid = row.try_get("", "closed_by").unwrap();
        assert_eq!(by.to_string(), text_of(&event), "healed by the receipt");
        // What moved is kept as rows of its own: a balance is never written by hand.
        assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM lot_move").await, 3);
        app.stop().await;
    }
);

/// A text of as many bytes as an event may have in one, that no database packs into fewer.
fn longest(mut seed: u32) -> String {
    let mut text = String::from("\\x\"'\\");
    while text.len() + 3 <= TEXT_BYTES_MAX {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend(char::from_u32(0x4e00 + (seed >> 8) % 0x5000));
    }
    let left = TEXT_BYTES_MAX - text.len();
    text + &"x".repeat(left)
}

on_both!(c11_a_line_of_the_longest_texts_there_are_is_a_line, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let (gtin, lot) = (longest(1), longest(2));
    // Another lot, by its last character.
    let mut other = lot.clone();
    let last = other.pop().map_or(0, char::len_utf8);
    other.push_str(&"y".repeat(last));
    assert_eq!([&gtin, &lot, &other].map(String::len), [TEXT_BYTES_MAX; 3]);
    let of = |lot: &str, qty| json!({"gtin": gtin, "lot": lot, "qty": qty});
    let came = json!({
        "lots": [of(&lot, 5), of(&other, 3)], "env": {"temperature": 9},
        "doc": {"no": longest(3), "at": longest(4)}, "units": [{"code": longest(5)}],
        "counterpart": {"type": "named", "name": longest(6)},
        "actor": {"id": longest(7), "proof": "pin"},
        "override": {"code": longest(8), "reason": longest(9), "supervisor": longest(10)},
    });
    let events = [
        device.event("inbound", &came),
        device.event("sale", &json!({"lots": [of(&lot, 2)]})),
        device.event(&longest(11), &json!({})),
    ];
    let answer = device.push(&events).await;
    for (result, aside) in answer
        .results
        .iter()
        .zip([None, None, Some("UNKNOWN_KIND")])
    {
        let set_aside = [Status::Parked, Status::Quarantined].contains(&result.status);
        let why = result.code.as_deref().filter(|_| set_aside);
        assert_eq!(why, aside, "{result:?}");
    }
    let listed = ok(scene.firm.operator.get("/v1/stock/lots").await);
    let mut lines: Vec<_> = array(&listed["items"])
        .iter()
        .map(|line| {
            (
                text_of(&line["gtin"]),
                text_of(&line["lot"]),
                line["balance"].as_i64(),
            )
        })
        .collect();
    lines.sort();
    let mut expected =
        [(&lot, 3), (&other, 3)].map(|(lot, n)| (gtin.clone(), lot.clone(), Some(n)));
    expected.sort();
    assert_eq!(lines, expected);
    holds(&app, "of the longest texts").await;
    if app.engine == Engine::Postgres {
        // Lines are found by the index over their keys.
        let tx = app.state().db.begin().await.expect("a transaction");
        let hint = tx
            .execute_unprepared("SET LOCAL enable_seqscan = off")
            .await;
        hint.expect("a hint");
        let backend = DbBackend::Postgres;
        let sql = format!(
            "EXPLAIN (COSTS OFF) SELECT id FROM lot_line WHERE gtin = ? AND {} AND location_id = ?",
            lot_is(backend, "lot")
        );
        let values = [gtin.into(), lot.into(), Uuid::nil().into()];
        let query = suyuan::db::statement(backend, &sql, values);
        let rows = tx.query_all_raw(query).await.expect("a plan");
        let line = |row: &QueryResult| row.try_get::<String>("", "QUERY PLAN").expect("a line");
        let plan: Vec<String> = rows.iter().map(line).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("lot_line_digest"), "{plan}");
        assert!(!plan.contains("Filter"), "{plan}");
        tx.rollback().await.expect("an end");
    }
    app.stop().await;
});

on_both!(
    c11_a_count_does_not_miss_what_lies_in_a_container_there,
    |app| {
        let scene = Scene::of(&app).await;
        let (case, place) = (&scene.cases[0], &scene.warehouse);
        let of = |qty| lots_of(GTINS[0], Some("L7"), qty);
        let mut early = scene.device(&app, place).await;
        let mut store = scene.device(&app, place).await;
        let receipt = json!({"lots": of(100), "doc": {"no": "D-1"}});
        let receipt = store.event("inbound", &receipt);
        store.push(&[receipt]).await;
        let parent = json!({"code": case, "input": "wedge"});
        let pack = early.event("pack", &json!({"parent": parent, "lots": of(40)}));
        // What lies loose, and the case with the rest; nobody knows yet what is in it.
        let seen = |accepted: bool, complete: bool, units: &[&String]| {
            json!({
                "lots": of(60), "units": scanned(units),
                "body": {"accepted": accepted, "scope": {"complete": complete}},
                "actor": {"id": "boss", "proof": "badge", "supervisor": true},
            })
        };
        let count = store.event("count", &seen(false, false, &[case]));
        store.push(&[count]).await;
        assert_eq!(codes(&app).await, [FindingCode::MissingAtCount]);
        holds(&app, "before the pack").await;
        early.push(&[pack]).await;
        assert_eq!(codes(&app).await, []);
        holds(&app, "after the pack").await;
        // In part, with the case and without, and everything; accepted or not.
        for (accepted, complete, units) in [
            (false, false, &[][..]),
            (false, true, &[case][..]),
            (true, false, &[]),
            (true, true, &[case]),
        ] {
            let count = store.event("count", &seen(accepted, complete, units));
            store.push(&[count]).await;
            assert_eq!(codes(&app).await, [], "{accepted} {complete}");
            assert_eq!(balance(&app, place).await, 100);
        }
        holds(&app, "counted").await;
        let to = json!({"type": "location", "id": &scene.store});
        let out = json!({"units": scanned(&[case]), "counterpart": to});
        let out = store.event("outbound", &out);
        store.push(&[out]).await;
        assert_eq!(balance(&app, place).await, 60);
        let count = store.event("count", &seen(false, true, &[]));
        store.push(&[count]).await;
        assert_eq!(codes(&app).await, []);
        holds(&app, "shipped").await;
        app.stop().await;
    }
);

/// Makes of every line what was kept of it before it was counted what lies in containers: what they moved
/// came or went, where they only lie said nothing.
async fn age(app: &TestApp) {
    let db = &app.state().db;
    let rows = async |sql: &str| {
        let query = suyuan::db::statement(db.backend(), sql, []);
        db.reader().query_all_raw(query).await.expect("rows")
    };
    let write = async |sql: &str, values: Vec<sea_orm::Value>| {
        let query = suyuan::db::statement(db.backend(), sql, values);
        db.writer().execute_raw(query).await.expect("written");
    };
    for row in rows("SELECT line_id, gseq, n, movement FROM lot_move").await {
        let number = |name: &str| row.try_get::<i64>("", name).expect("a number");
        let key = || ["line_id", "gseq", "n"].map(|name| sea_orm::Value::from(number(name)));
        let text: String = row.try_get("", "movement").expect("a text");
        let mut said: Value = serde_json::from_str(&text).expect("a movement");
        if said["is"] != "carried" {
            continue;
        }
        let by = said["by"].as_i64().expect("a number");
        let which = "WHERE line_id = ? AND gseq = ? AND n = ?";
        if by == 0 {
            write(&format!("DELETE FROM lot_move {which}"), key().to_vec()).await;
            continue;
        }
        let way = if by > 0 { "in" } else { "out" };
        said = json!({"is": way, "qty": by.abs()});
        let sql = format!("UPDATE lot_move SET movement = ? {which}");
        let values = [said.to_string().into()].into_iter().chain(key());
        write(&sql, values.collect()).await;
    }
    for row in rows("SELECT id, state FROM lot_line").await {
        let text: String = row.try_get("", "state").expect("a text");
        let mut said: Value = serde_json::from_str(&text).expect("a line");
        let line = said["line"].as_object_mut().expect("a line");
        line.remove("inside").expect("it was counted");
        let id: i64 = row.try_get("", "id").expect("a number");
        let values = vec![said.to_string().into(), id.into()];
        write("UPDATE lot_line SET state = ? WHERE id = ?", values).await;
    }
    write("DELETE FROM lot_checkpoint", Vec::new()).await;
}

/// How many lie in containers at a place, as it is kept.
async fn inside(app: &TestApp, place: &str) -> i64 {
    let db = &app.state().db;
    let sql = "SELECT location_id, state FROM lot_line";
    let query = suyuan::db::statement(db.backend(), sql, []);
    let mut sum = 0;
    for row in db.reader().query_all_raw(query).await.expect("lines") {
        let at: uuid::Uuid = row.try_get("", "location_id").expect("a place");
        let text: String = row.try_get("", "state").expect("a text");
        let said: Value = serde_json::from_str(&text).expect("a line");
        let here = said["line"]["inside"].as_i64().unwrap_or(0);
        assert!(here >= 0, "{text}");
        sum += if at.to_string() == place { here } else { 0 };
    }
    sum
}

on_both!(
    c11_what_was_kept_before_containers_were_counted_is_right_once_they_are_touched,
    |app| {
        let scene = Scene::of(&app).await;
        let (first, second) = (&scene.cases[0], &scene.cases[1]);
        let (from, to) = (&scene.warehouse, &scene.store);
        let of = |qty| lots_of(GTINS[0], Some("L7"), qty);
        let mut warehouse = scene.device(&app, from).await;
        let mut store = scene.device(&app, to).await;
        let pack = |case: &String, qty| json!({"parent": {"code": case, "input": "wedge"}, "lots": of(qty)});
        let out = |cases: &[&String]| {
            let to = json!({"type": "location", "id": &scene.store});
            json!({"units": scanned(cases), "counterpart": to})
        };
        let come = |cases: &[&String]| json!({"units": scanned(cases), "doc": {"no": "D-2"}});
        let events = [
            warehouse.event("inbound", &json!({"lots": of(100), "doc": {"no": "D-1"}})),
            warehouse.event("pack", &pack(first, 40)),
            warehouse.event("pack", &pack(second, 10)),
            warehouse.event("outbound", &out(&[first])),
        ];
        warehouse.push(&events).await;
        store.status().await;
        let event = store.event("inbound", &come(&[first]));
        store.push(&[event]).await;
        assert_eq!((inside(&app, from).await, inside(&app, to).await), (10, 40));
        holds(&app, "as it is counted now").await;
        age(&app).await;
        assert_eq!((inside(&app, from).await, inside(&app, to).await), (0, 0));
        assert_eq!(
            (balance(&app, from).await, balance(&app, to).await),
            (60, 40)
        );
        // Where a container goes it takes no more than it is known to have brought.
        warehouse.status().await;
        let event = warehouse.event("outbound", &out(&[second]));
        warehouse.push(&[event]).await;
        assert_eq!((inside(&app, from).await, inside(&app, to).await), (0, 0));
        assert_eq!(
            (balance(&app, from).await, balance(&app, to).await),
            (50, 40)
        );
        store.status().await;
        let seen = json!({"lots": of(0), "units": scanned(&[first])});
        let event = store.event("count", &seen);
        store.push(&[event]).await;
        assert_eq!((inside(&app, from).await, inside(&app, to).await), (0, 40));
        assert_eq!(codes(&app).await, []);
        holds(&app, "touched").await;
        app.stop().await;
    }
);

/// Chances.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % below
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.next(all.len() as u64) as usize]
    }
}

fn clock(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).expect("an instant");
    let at = at.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// One event of a device at its place; `made` are the ids of what it made before.
fn some_event(dice: &mut Dice, scene: &Scene, made: &[String]) -> (&'static str, Value) {
    let lot = dice.of(&[Some("L7"), Some("L7"), Some("L8"), None]);
    let gtin = dice.of(&[GTINS[0], GTINS[0], GTINS[0], GTINS[1]]);
    let lots = lots_of(gtin, lot, 1 + dice.next(9));
    let case = &scene.cases[dice.next(3) as usize];
    let kind = dice.of(&[
        "inbound", "inbound", "sale", "outbound", "return", "count", "sweep", "accepted", "pack",
        "move", "come", "move", "come", "unpack", "retract", "pallet", "destroy", "sold", "back",
        "back", "collect",
    ]);
    let to = match dice.next(4) {
        0 => json!({"type": "named", "name": "某店"}),
        1 => json!({"type": "location", "id": &scene.warehouse}),
        _ => json!({"type": "location", "id": &scene.store}),
    };
    match kind {
        "sweep" => (
            "count",
            json!({"lots": lots, "body": {"scope": {"complete": true}}}),
        ),
        "accepted" => (
            "count",
            json!({
                "lots": lots, "body": {"scope": {"complete": true}, "accepted": true},
                "actor": {"id": "boss", "proof": "badge", "supervisor": true},
            }),
        ),
        "pack" => (
            "pack",
            json!({"parent": {"code": case, "input": "wedge"}, "lots": lots}),
        ),
        "pallet" => {
            let pallet = "00106141412345678908";
            let parent = json!({"code": pallet, "input": "wedge"});
            ("pack", json!({"parent": parent, "units": scanned(&[case])}))
        }
        "unpack" => (
            "unpack",
            json!({"parent": {"code": case, "input": "wedge"}}),
        ),
        "move" => (
            "outbound",
            json!({"units": scanned(&[case]), "counterpart": to}),
        ),
        "come" => (
            "inbound",
            json!({"units": scanned(&[case]), "doc": {"no": "D"}}),
        ),
        "sold" => ("sale", json!({"units": scanned(&[case])})),
        "back" => ("return", json!({"units": scanned(&[case])})),
        "retract" if !made.is_empty() => {
            let target = &made[dice.next(made.len() as u64) as usize];
            ("retract", json!({"target": target}))
        }
        "outbound" => ("outbound", json!({"lots": lots, "counterpart": to})),
        "retract" => ("return", json!({"lots": lots})),
        "count" => ("count", json!({"lots": lots, "units": scanned(&[case])})),
        kind => (kind, json!({"lots": lots})),
    }
}

/// Events of one device, in its order, at times of their own; now and then two that belong together.
fn shift(
    dice: &mut Dice,
    scene: &Scene,
    device: &mut Handheld,
    since: i64,
    (most, gap): (usize, u64),
) -> Vec<String> {
    let (mut events, mut made) = (Vec::new(), Vec::new());
    let mut at = since;
    while events.len() < most {
        let (kind, mut said) = some_event(dice, scene, &made);
        at += dice.next(gap) as i64;
        (said["at"], said["anchor_wall"]) = (json!(clock(at)), json!(clock(since)));
        let group = (kind == "count" && dice.next(2) == 0).then(uuid::Uuid::now_v7);
        let n = if group.is_some() { 2 } else { 1 };
        for part in 0..n {
            if let Some(id) = group {
                said["group"] = json!({"id": id, "n": part + 1, "of": 2});
            }
            let text = device.event(kind, &said);
            let json: Value = serde_json::from_str(&text).expect("an event");
            made.push(text_of(&json["event_id"]));
            events.push(text);
        }
    }
    events
}

/// Shifts of three devices, in parts, in an order of their own. What is kept is held against the log
/// after every so many.
pub async fn shuffled(
    app: &TestApp,
    scene: &Scene,
    seed: u64,
    places: [&String; 3],
    events: (usize, u64),
    (look, full): (usize, bool),
) {
    let mut dice = Dice(seed);
    let mut devices = Vec::new();
    for place in places {
        devices.push(scene.device(app, place).await);
    }
    let since = jiff::Timestamp::now().as_millisecond();
    let mut parts = Vec::new();
    for (n, device) in devices.iter_mut().enumerate() {
        let events = shift(&mut dice, scene, device, since, events);
        let mut first = 1;
        while first <= events.len() {
            let last = (first + 1 + dice.next(3) as usize).min(events.len() + 1);
            parts.push((n, first as u64, events[first - 1..last - 1].to_vec()));
            first = last;
        }
    }
    // So that no time told lies after its receipt.
    tokio::time::sleep(std::time::Duration::from_millis(900)).await;
    for last in (1..parts.len()).rev() {
        parts.swap(last, dice.next(last as u64 + 1) as usize);
    }
    for (step, (n, first, events)) in parts.iter().enumerate() {
        let device = &mut devices[*n];
        let before = device.history[*first as usize - 1];
        if full {
            fill_up(app).await;
        }
        device.push_at(*first, before, events).await;
        if step % look == look - 1 || step + 1 == parts.len() {
            let what = format!("seed {seed}, step {step}: {first} of device {n}: {events:?}");
            holds(app, &what).await;
        }
    }
}

on_both!(
    c11_long_lines_are_what_the_whole_log_gives_from_whatever_checkpoint,
    |app| {
        let scene = Scene::of(&app).await;
        let places = [&scene.store, &scene.store, &scene.warehouse];
        shuffled(&app, &scene, 5, places, (200, 4), (40, false)).await;
        let longest = "SELECT MAX(c) AS n FROM (SELECT COUNT(*) AS c FROM lot_checkpoint \
                       GROUP BY line_id) x";
        assert!(count(&app, longest).await >= 2, "there were checkpoints");
        app.stop().await;
    }
);

on_both!(
    c13_lines_are_what_the_whole_log_gives_if_their_containers_are_left_to_slices,
    |app| {
        let scene = Scene::of(&app).await;
        for seed in 11..=13 {
            let places = [&scene.plant, &scene.warehouse, &scene.store];
            shuffled(&app, &scene, seed, places, (12, 60), (4, true)).await;
        }
        let left = "SELECT COUNT(*) AS n FROM unit WHERE left_at IS NOT NULL";
        assert_eq!(count(&app, left).await, 0);
        app.stop().await;
    }
);

on_both!(
    c11_lines_are_what_the_whole_log_gives_however_events_arrive,
    |app| {
        let scene = Scene::of(&app).await;
        for seed in 1..=4 {
            let places = [&scene.plant, &scene.warehouse, &scene.store];
            shuffled(&app, &scene, seed, places, (12, 60), (4, false)).await;
        }
        assert!(
            count(
                &app,
                "SELECT COUNT(*) AS n FROM finding WHERE line_id IS NOT NULL AND closed IS NOT NULL"
            )
            .await
                > 0
        );
        app.stop().await;
    }
);
