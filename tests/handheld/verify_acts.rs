//! I30 of the log as servers write it: a bit that turned in what was stated, in what of an event's row never
//! changes, in the chain over the log or in its head is found and located by `suyuan admin verify-log`, by
//! the act it is in; so is what was taken out, put in or moved.

use crate::{
    scene::{Scene, count, inbound, settled},
    verify::{kept, verify_log, write},
};
use sea_orm::{ConnectionTrait, DbBackend, Value};
use suyuan::{
    db::statement,
    handheld::verify::acts::{Acts, Fault, Tear, verify_acts},
    log::{Actor, Entry, Kind},
};
use suyuan_tests::{TestApp, on_both};

/// How a column is written, and so how a bit of it turns.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Number,
    Text,
    Bytes,
    Id,
    Flag,
}

use Shape::{Bytes, Flag, Id, Number, Text};

const ENTRY: &[(&str, Shape)] = &[
    ("gseq", Number),
    ("stamp", Number),
    ("kind", Text),
    ("enterprise_id", Id),
    ("actor", Text),
    ("subject", Text),
    ("body", Text),
];

/// Of an event that could be read at once.
const EVENT: &[(&str, Shape)] = &[
    ("gseq", Number),
    ("stamp", Number),
    ("enterprise_id", Id),
    ("device_id", Id),
    ("epoch", Number),
    ("seq", Number),
    ("event_id", Id),
    ("imported", Flag),
    ("told", Text),
    ("branch", Bytes),
    ("hash", Bytes),
    ("kind", Text),
    ("location_id", Id),
    ("lo", Number),
    ("est", Number),
    ("delivered", Number),
];

const LINK: &[(&str, Shape)] = &[
    ("first_gseq", Number),
    ("last_gseq", Number),
    ("hash", Bytes),
];

async fn verified(app: &TestApp) -> (Acts, Vec<Tear>) {
    let mut torn = Vec::new();
    let acts = verify_acts(&app.state().db, |tear| torn.push(tear)).await;
    let acts = acts.expect("a verification");
    assert_eq!(acts.damaged, torn.len() as u64);
    (acts, torn)
}

async fn torn(app: &TestApp) -> Vec<Tear> {
    verified(app).await.1
}

async fn rows(app: &TestApp, sql: &str) -> Vec<sea_orm::QueryResult> {
    let db = &app.state().db;
    let query = statement(db.backend(), sql, []);
    db.reader().query_all_raw(query).await.expect("rows")
}

/// The acts of the chain: first and last position.
async fn acts(app: &TestApp) -> Vec<(i64, i64)> {
    let sql = "SELECT first_gseq, last_gseq FROM log_chain ORDER BY first_gseq";
    let rows = rows(app, sql).await;
    let number = |row: &sea_orm::QueryResult, name| row.try_get("", name).expect("a number");
    let act = |row| (number(row, "first_gseq"), number(row, "last_gseq"));
    rows.iter().map(act).collect()
}

/// A column of a row with a bit turned, and as it was; nothing if nothing is in it. How to write it.
fn turned(
    row: &sea_orm::QueryResult,
    (name, shape): (&str, Shape),
    turn: usize,
    backend: DbBackend,
) -> Option<(Value, Value, String)> {
    let plain = format!("{name} = ?");
    let flip = |bytes: &[u8], bits: usize| {
        let mut bytes = bytes.to_vec();
        let at = turn % bytes.len().max(1);
        *bytes.get_mut(at)? ^= 1 << (turn % bits);
        Some(bytes)
    };
    Some(match shape {
        Number => {
            let number: i64 = row.try_get("", name).expect("a number");
            // The sign as well.
            let bit = [0, 1, 3, 11, 33, 62, 63][turn % 7];
            ((number ^ (1 << bit)).into(), number.into(), plain)
        }
        Text => {
            let text: String = row.try_get("", name).expect("a text");
            // What is no text any more PostgreSQL does not take.
            let bits = if backend == DbBackend::Postgres { 7 } else { 8 };
            let other = flip(text.as_bytes(), bits)?;
            if backend == DbBackend::Postgres {
                let other = String::from_utf8(other)
                    .ok()
                    .filter(|it| !it.contains('\0'))?;
                (other.into(), text.into(), plain)
            } else {
                (
                    other.into(),
                    text.into(),
                    format!("{name} = CAST(? AS TEXT)"),
                )
            }
        }
        Bytes => {
            let bytes: Vec<u8> = row.try_get::<Option<Vec<u8>>>("", name).expect("bytes")?;
            (flip(&bytes, 8)?.into(), bytes.into(), plain)
        }
        Id => {
            let id: uuid::Uuid = row
                .try_get::<Option<uuid::Uuid>>("", name)
                .expect("an id")?;
            let other = uuid::Uuid::from_slice(&flip(id.as_bytes(), 8)?).expect("an id");
            (other.into(), id.into(), plain)
        }
        Flag if backend == DbBackend::Postgres => {
            let is: bool = row.try_get("", name).expect("a flag");
            ((!is).into(), is.into(), plain)
        }
        // Any number but 0 is true.
        Flag => {
            let is: bool = row.try_get("", name).expect("a flag");
            (2.into(), i64::from(is).into(), plain)
        }
    })
}

/// Turns one bit of each column of each row of a table, and shows what is found to `look`, with the key of the
/// row and the column.
async fn turn_each(
    app: &TestApp,
    (table, key): (&str, &str),
    columns: &[(&str, Shape)],
    mut look: impl AsyncFnMut(i64, &str, &Value, Vec<Tear>),
) -> usize {
    let db = &app.state().db;
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    let rows = rows(app, &format!("SELECT {key} AS k, {names} FROM {table}")).await;
    let mut turns = 0;
    for (n, row) in rows.iter().enumerate() {
        let of: i64 = row.try_get("", "k").expect("a key");
        for (at, column) in columns.iter().enumerate() {
            let turn = n * 5 + at * 3;
            let Some((other, good, set)) = turned(row, *column, turn, db.backend()) else {
                continue;
            };
            let here = |of: i64, value: Value| {
                let sql = format!("UPDATE {table} SET {set} WHERE {key} = ?");
                statement(db.backend(), &sql, [value, of.into()])
            };
            // Of a key the database itself says that it is taken.
            let Ok(_) = db.writer().execute_raw(here(of, other.clone())).await else {
                continue;
            };
            turns += 1;
            look(of, column.0, &other, torn(app).await).await;
            let moved = match &other {
                Value::BigInt(Some(other)) if column.0 == key => *other,
                _ => of,
            };
            let done = db.writer().execute_raw(here(moved, good)).await;
            assert_eq!(done.expect("a row").rows_affected(), 1);
        }
    }
    assert_eq!(torn(app).await, [], "all is as it was");
    turns
}

on_both!(
    i30_a_flipped_bit_in_what_servers_wrote_is_found_and_located,
    |app| {
        kept(&app).await;
        settled(&app).await;
        assert_eq!(torn(&app).await, [], "all is what was written");
        let acts = acts(&app).await;
        let several = acts.iter().filter(|(first, last)| first < last).count();
        assert!(several > 2 && acts.len() > 20, "{acts:?}");
        let act = |gseq: i64| {
            let act = acts
                .iter()
                .find(|(first, last)| (*first..=*last).contains(&gseq));
            *act.expect("an act")
        };
        for (table, columns) in [("log_entry", ENTRY), ("event", EVENT)] {
            let mut unread = Vec::new();
            if table == "event" {
                let sql = "SELECT gseq FROM event WHERE told LIKE '%UNKNOWN_KIND%'";
                let rows = rows(&app, sql).await;
                unread.extend(
                    rows.iter()
                        .map(|row| row.try_get::<i64>("", "gseq").expect("one")),
                );
                assert_eq!(unread.len(), 1);
            }
            let turns = turn_each(
                &app,
                (table, "gseq"),
                columns,
                async |gseq, name, other, torn| {
                    let (first, last) = act(gseq);
                    let what = format!("{table} {gseq} {name} {other:?}: {torn:?}");
                    // What is read of it only later, when a program can.
                    let later = ["kind", "location_id", "lo", "est", "delivered"];
                    if unread.contains(&gseq) && later.contains(&name) {
                        assert_eq!(torn, [], "{what}");
                        return;
                    }
                    let here = |tear: &Tear| first <= tear.first && tear.last <= last;
                    if name != "gseq" {
                        let fault = Fault::Rows;
                        assert_eq!(torn, [Tear { first, last, fault }], "{what}");
                        return;
                    }
                    // Missing where it was, and too much where it is.
                    let missing = Tear {
                        first: gseq,
                        last: gseq,
                        fault: Fault::Missing,
                    };
                    assert!(torn.contains(&missing), "{what}");
                    let Value::BigInt(Some(other)) = other else {
                        panic!("{what}");
                    };
                    let there = |tear: &Tear| {
                        let (first, last) = match acts.last() {
                            Some((_, end)) if (1..=*end).contains(other) => act(*other),
                            _ => (*other, *other),
                        };
                        first <= tear.first && tear.last <= last
                    };
                    assert!(torn.iter().all(|tear| here(tear) || there(tear)), "{what}");
                },
            );
            let turns = turns.await;
            assert!(turns > 100, "{table}: {turns}");
        }
        app.stop().await;
    }
);

on_both!(
    i30_a_flipped_bit_in_the_chain_itself_is_found_and_located,
    |app| {
        kept(&app).await;
        settled(&app).await;
        let acts = acts(&app).await;
        let links = ("log_chain", "first_gseq");
        let turns = turn_each(&app, links, LINK, async |first, name, other, torn| {
            let act = acts.iter().find(|(begins, _)| *begins == first);
            let (_, last) = *act.expect("an act");
            let what = format!("{first} to {last} {name} {other:?}: {torn:?}");
            let told = Tear {
                first,
                last,
                fault: Fault::Link,
            };
            if name == "hash" {
                assert_eq!(torn, [told], "{what}");
            } else {
                // As what it is, or as the act it is taken for.
                assert!(!torn.is_empty() && torn.len() <= 3, "{what}");
                let touches = |tear: &Tear| tear.first <= last && first <= tear.last;
                assert!(torn.iter().any(touches), "{what}");
            }
        });
        assert!(turns.await > 2 * acts.len());
        let head = [
            ("installation", Id),
            ("gseq", Number),
            ("stamp", Number),
            ("chain", Bytes),
            ("chained", Number),
        ];
        let copy = [
            ("installation", Id),
            ("position", Number),
            ("stamp", Number),
        ];
        for (table, columns) in [("log_head", &head[..]), ("public_head", &copy)] {
            let turns = turn_each(
                &app,
                (table, "id"),
                columns,
                async |_, name, other, torn| {
                    let faults: Vec<Fault> = torn.iter().map(|tear| tear.fault).collect();
                    assert_eq!(faults, [Fault::Head], "{table} {name} {other:?}: {torn:?}");
                },
            );
            assert_eq!(turns.await, columns.len());
        }
        app.stop().await;
    }
);

on_both!(i30_what_was_taken_out_put_in_or_moved_is_found, |app| {
    kept(&app).await;
    settled(&app).await;
    let acts = acts(&app).await;
    let db = &app.state().db;
    let all = async |sql: &[&str]| {
        for sql in sql {
            db.writer().execute_unprepared(sql).await.expect("done");
        }
    };
    all(&[
        "CREATE TABLE log_entry_copy AS SELECT * FROM log_entry",
        "CREATE TABLE event_copy AS SELECT * FROM event",
        "CREATE TABLE log_chain_copy AS SELECT * FROM log_chain",
    ])
    .await;
    let restore = async || {
        all(&[
            "DELETE FROM log_entry",
            "DELETE FROM event",
            "DELETE FROM log_chain",
            "INSERT INTO log_entry SELECT * FROM log_entry_copy",
            "INSERT INTO event SELECT * FROM event_copy",
            "INSERT INTO log_chain SELECT * FROM log_chain_copy",
        ])
        .await;
        assert_eq!(torn(&app).await, []);
    };
    restore().await;
    let tear = |(first, last): (i64, i64), fault| Tear { first, last, fault };
    let end = acts.last().expect("acts").1;
    let (single, many) = (
        acts[9],
        *acts.iter().find(|(f, l)| f + 1 < *l).expect("several"),
    );
    // Rows.
    all(&[&format!("DELETE FROM log_entry WHERE gseq = {}", single.0)]).await;
    assert_eq!(torn(&app).await, [tear(single, Fault::Missing)]);
    restore().await;
    let middle = many.0 + 1;
    all(&[&format!("DELETE FROM event WHERE gseq = {middle}")]).await;
    assert_eq!(torn(&app).await, [tear((middle, middle), Fault::Missing)]);
    restore().await;
    all(&[&format!(
        "DELETE FROM event WHERE gseq >= {} AND gseq <= {}",
        many.0, many.1
    )])
    .await;
    assert_eq!(torn(&app).await, [tear(many, Fault::Missing)]);
    restore().await;
    let other = acts[10];
    let change =
        |from: i64, to: i64| format!("UPDATE log_entry SET gseq = {to} WHERE gseq = {from}");
    let (a, b) = (single.0, other.0);
    assert_eq!((single.1, other.1), (a, b), "entries");
    all(&[&change(a, 0), &change(b, a), &change(0, b)]).await;
    assert_eq!(
        torn(&app).await,
        [tear(single, Fault::Rows), tear(other, Fault::Rows)]
    );
    restore().await;
    let copy = |at: i64| {
        format!(
            "INSERT INTO log_entry SELECT {at}, stamp, kind, enterprise_id, actor, subject, body \
             FROM log_entry_copy WHERE gseq = {a}"
        )
    };
    all(&[&copy(end + 5)]).await;
    assert_eq!(torn(&app).await, [tear((end + 5, end + 5), Fault::Beyond)]);
    restore().await;
    all(&[&copy(middle)]).await;
    assert_eq!(torn(&app).await, [tear((middle, middle), Fault::Double)]);
    restore().await;
    // Acts: one, two side by side, the first, the last, all.
    let taken = |first: i64, last: i64| {
        format!("DELETE FROM log_chain WHERE first_gseq >= {first} AND last_gseq <= {last}")
    };
    for act in [single, many, acts[0], acts[acts.len() - 1]] {
        all(&[&taken(act.0, act.1)]).await;
        assert_eq!(torn(&app).await, [tear(act, Fault::Removed)]);
        restore().await;
    }
    all(&[&taken(a, b)]).await;
    let found = torn(&app).await;
    assert_eq!(found[0], tear((a, b), Fault::Removed), "{found:?}");
    // Of what follows nobody can say any more what it went on from.
    assert!(
        found.len() == 2 && found[1] == tear(acts[11], Fault::Rows),
        "{found:?}"
    );
    restore().await;
    all(&["DELETE FROM log_chain"]).await;
    let found = torn(&app).await;
    assert_eq!(
        found.iter().map(|it| it.fault).collect::<Vec<_>>(),
        [Fault::Head]
    );
    restore().await;
    // With what they wrote.
    let last = acts[acts.len() - 1];
    let rows = |table: &str| format!("DELETE FROM {table} WHERE gseq >= {}", last.0);
    all(&[&taken(last.0, last.1), &rows("log_entry"), &rows("event")]).await;
    let found = torn(&app).await;
    assert!(found.contains(&tear(last, Fault::Missing)), "{found:?}");
    assert!(found.contains(&tear(last, Fault::Removed)), "{found:?}");
    app.stop().await;
});

/// An act that changes nothing.
async fn act(app: &TestApp) -> i64 {
    let act = app.state().log.begin_as_system().await.expect("an act");
    let position = act.position();
    let entry = Entry {
        kind: Kind::LinksChanged,
        enterprise: None,
        subject: "none".into(),
        body: &"{}",
    };
    act.commit(entry, &()).await.expect("a commit");
    position
}

/// What a program writes that knows of no chain.
async fn act_of_before(app: &TestApp) {
    let db = &app.state().db;
    let tx = db.begin().await.expect("a transaction");
    for sql in [
        "UPDATE log_head SET gseq = gseq + 1, stamp = stamp + 1 WHERE id = 1",
        "INSERT INTO log_entry SELECT gseq, stamp, 'links_changed', NULL, 'system', 'none', '{}' \
         FROM log_head",
        "UPDATE public_head SET position = position + 1, stamp = (SELECT stamp FROM log_head)",
    ] {
        tx.execute_unprepared(sql).await.expect("a row");
    }
    tx.commit().await.expect("a commit");
}

on_both!(
    i30_the_chain_begins_after_an_upgrade_and_a_program_of_before_may_go_on,
    |app| {
        kept(&app).await;
        settled(&app).await;
        let none = "UPDATE log_head SET chain = NULL, chained = NULL WHERE id = ?";
        write(&app, none, vec![1.into()]).await;
        let db = &app.state().db;
        let gone = db
            .writer()
            .execute_unprepared("DELETE FROM log_chain")
            .await;
        gone.expect("no chain");
        let (before, found) = verified(&app).await;
        assert_eq!((before, found), (Acts::default(), vec![]));
        let first = act(&app).await;
        let begun = Acts {
            acts: 1,
            begins: first,
            outside: 0,
            damaged: 0,
        };
        assert_eq!(verified(&app).await, (begun, vec![]));
        act_of_before(&app).await;
        act_of_before(&app).await;
        let beside = Acts {
            outside: 2,
            ..begun
        };
        assert_eq!(verified(&app).await, (beside, vec![]));
        let last = act(&app).await;
        let after = Acts { acts: 2, ..beside };
        assert_eq!(verified(&app).await, (after, vec![]));
        // What is outside has to be there all the same.
        let sql = "DELETE FROM log_entry WHERE gseq = ?";
        write(&app, sql, vec![(last - 1).into()]).await;
        let missing = Tear {
            first: last - 1,
            last: last - 1,
            fault: Fault::Missing,
        };
        assert_eq!(torn(&app).await, [missing]);
        let (status, told) = verify_log(&app).await;
        assert_eq!(status, Some(1));
        let said = format!(
            "position {}: nothing is there\n2 acts of the log from position {first}: 1 damaged\n\
             2 positions of it are in no act: a program of before wrote them\n",
            last - 1
        );
        assert!(told.ends_with(&said), "{told}");
        app.stop().await;
    }
);

on_both!(
    i30_the_log_is_whole_whenever_it_is_looked_at_and_a_damaged_head_stops_nobody,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let pushes = async {
            for tin in &scene.tins[..12] {
                let event = device.event("inbound", &inbound(&[tin]));
                device.push(&[event]).await;
                act(&app).await;
                app.state()
                    .log
                    .confirm_clock(Actor::System)
                    .await
                    .expect("said so");
            }
        };
        let looks = async {
            for _ in 0..40 {
                let (acts, found) = verified(&app).await;
                assert_eq!((acts.outside, found), (0, vec![]));
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(pushes, looks);
        let chained = count(&app, "SELECT COUNT(*) AS n FROM log_chain").await;
        assert!(chained > 36);
        let wrong = "UPDATE log_head SET chain = ? WHERE id = 1";
        write(&app, wrong, vec![vec![1_u8; 5].into()]).await;
        let next = act(&app).await;
        act(&app).await;
        let found = torn(&app).await;
        assert_eq!(
            found,
            [Tear {
                first: next,
                last: next,
                fault: Fault::Rows
            }]
        );
        app.stop().await;
    }
);
