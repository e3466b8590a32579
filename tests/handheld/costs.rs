//! What folding costs under the lock of the log: it reads what it needs, however much there is.

use crate::scene::{Scene, count, holds, inbound, is_as_replayed, open, sale, scanned, settled};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use suyuan::{
    db::{Db, rows::Rows, statement},
    handheld::{
        lots::{CHECKPOINT_EVERY, checkpoint_store::behind, store::lines_at},
        push::{
            pace::Pace,
            store::{Timeline, move_events},
            timeline::place,
        },
        units::{
            facts::Reader,
            folding::FACTS_MAX,
            refold::{Scope, Work, pages_store, store as refold},
            store::{Came, Most, NOW, TEXT_MAX, by_position, came, more_sweeps, sweeps},
        },
    },
    log::position_before_upto,
};
use suyuan_sync::{
    ids::{BatchId, LocationId, Micros, Seq},
    order::Interval,
    time::{Prefix, Timed, effective},
};
use suyuan_tests::{Handheld, on_both};
use uuid::Uuid;

async fn done(db: &Db, sql: &str) {
    db.writer().execute_unprepared(sql).await.expect(sql);
}

/// Rows of events of a device that say nothing, as far as times need them.
async fn rows_of(conn: &impl ConnectionTrait, device: Uuid, placed: &[(Timed, Micros)]) {
    let mut rows = Rows::of(22);
    for (timed, eff) in placed {
        let gseq = 1_000_000 + timed.seq as i64;
        let interval = timed.interval;
        rows.add([
            gseq.into(),
            interval.hi.into(),
            Uuid::nil().into(),
            device.into(),
            1_i64.into(),
            (timed.seq as i64).into(),
            "count".into(),
            "stored".into(),
            "".into(),
            gseq.into(),
            1_i64.into(),
            interval.lo.into(),
            interval.est.into(),
            (*eff).into(),
            0_i64.into(),
            false.into(),
            "".into(),
            "".into(),
            vec![0_u8].into(),
            gseq.to_be_bytes().to_vec().into(),
            vec![0_u8].into(),
            Option::<Uuid>::None.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO event (gseq, stamp, enterprise_id, device_id, epoch, seq, kind, fate, remarks, \
         counts_from, order_epoch, lo, est, eff, delivered, imported, flags, told, prev_hash, hash, \
         body, location_id)",
        "",
    )
    .await
    .expect("rows");
}

on_both!(
    a_late_filler_goes_no_further_than_it_moves_anything,
    |app| {
        let db = &app.state().db;
        let tx = db.begin().await.expect("a transaction");
        let device = Uuid::now_v7();
        let at = |seq: Seq| {
            let lo = 1_000 * seq as i64;
            let (est, hi) = (lo + 500, lo + 900);
            Timed {
                seq,
                interval: Interval { lo, est, hi },
            }
        };
        let mut time = Timeline {
            prefix: Prefix::START,
            last: None,
        };
        let all: Vec<Timed> = (1..=9_000).filter(|n| *n != 700).map(at).collect();
        for new in all.chunks(500) {
            let placement = place(&tx, device, 1, &mut time, new).await.expect("times");
            assert_eq!(placement.read, 0, "an append reads nothing");
            let eff: BTreeMap<Seq, Micros> = placement.eff.iter().copied().collect();
            let new: Vec<_> = new.iter().map(|timed| (*timed, eff[&timed.seq])).collect();
            rows_of(&tx, device, &new).await;
            let moved = move_events(&tx, device, 1, &placement.eff, 0).await;
            moved.expect("moved");
        }
        let mut late = at(700);
        late.interval.hi = 99_000_000;
        let before = time.clone();
        let placement = place(&tx, device, 1, &mut time, &[late]).await;
        let placement = placement.expect("times");
        assert!(placement.read <= 1_100, "{} rows", placement.read);
        assert!(placement.eff.len() <= 3, "{:?}", placement.eff);
        assert_eq!(time.prefix, before.prefix, "the end of it stands");
        rows_of(&tx, device, &[(late, 0)]).await;
        move_events(&tx, device, 1, &placement.eff, 0)
            .await
            .expect("moved");

        let mut all = all;
        all.push(late);
        all.sort_by_key(|timed| timed.seq);
        let gseq = all.iter().map(|timed| 1_000_000 + timed.seq as i64);
        let wanted: BTreeMap<i64, Micros> = gseq.zip(effective(&all)).collect();
        let query = "SELECT gseq, eff FROM event WHERE device_id = ?";
        let query = statement(db.backend(), query, [device.into()]);
        let rows = tx.query_all_raw(query).await.expect("rows");
        let kept: BTreeMap<i64, Micros> = rows
            .iter()
            .map(|row| {
                let number = |name: &str| row.try_get::<i64>("", name).expect("a number");
                (number("gseq"), number("eff"))
            })
            .collect();
        assert_eq!(kept.len(), 9_000);
        assert!(kept == wanted, "what is kept is what all of them give");
        tx.rollback().await.expect("rolled back");
        app.stop().await;
    }
);

/// A complete count of these.
fn counted(device: &mut Handheld, codes: &[&String]) -> String {
    let said = json!({"units": scanned(codes), "body": {"scope": {"complete": true}}});
    device.event("count", &said)
}

on_both!(c11_counts_before_goods_came_are_not_read, |app| {
    let scene = Scene::of(&app).await;
    let [tin, other] = [&scene.tins[0], &scene.tins[1]];
    let mut store = scene.device(&app, &scene.store).await;
    let event = store.event("inbound", &inbound(&[other]));
    store.push(&[event]).await;
    for _ in 0..5 {
        let event = counted(&mut store, &[other]);
        store.push(&[event]).await;
    }
    let event = store.event("inbound", &inbound(&[tin]));
    let came = store.push(&[event]).await.results[0].gseq.expect("stored");
    let event = counted(&mut store, &[other]);
    let missed = store.push(&[event]).await.results[0].gseq.expect("stored");
    settled(&app).await;
    assert_eq!(open(&app, tin).await, ["MISSING_AT_COUNT"]);
    assert_eq!(open(&app, other).await, [""; 0]);

    // What is read of counts is those from then on, and without what they name.
    let db = &app.state().db;
    let eff = count(
        &app,
        &format!("SELECT eff AS n FROM event WHERE gseq = {came}"),
    )
    .await;
    let place: Uuid = scene.store.parse().expect("an id");
    for (from, expected) in [(i64::MIN, 6), (eff, 1)] {
        let places = [(place, from), (Uuid::now_v7(), i64::MIN)].into();
        let read = sweeps(db.reader(), &mut Reader::default(), &places, NOW).await;
        let read = read.expect("counts");
        assert_eq!(read.len(), expected);
        assert!(read.values().all(|count| count.event.units.is_empty()));
        for (most, is_more) in [(expected - 1, true), (expected, false)] {
            let more = more_sweeps(db.reader(), &places, most).await;
            let wanted = Some(place).filter(|_| is_more).into_iter();
            assert_eq!(more.expect("places"), wanted.collect(), "more than {most}");
        }
    }
    // Nor does a fold read more: this one it would believe, did it look further back.
    done(
        db,
        &format!("UPDATE sweep SET eff = {eff} - 1 WHERE gseq = {missed}"),
    )
    .await;
    let event = store.event("sale", &sale(&[tin]));
    store.push(&[event]).await;
    assert_eq!(open(&app, tin).await, [""; 0], "not looked at");
    done(
        db,
        &format!("UPDATE sweep SET eff = {eff} + 1 WHERE gseq = {missed}"),
    )
    .await;
    let event = store.event("return", &sale(&[tin]));
    store.push(&[event]).await;
    assert_eq!(open(&app, tin).await, ["MISSING_AT_COUNT"], "looked at");
    app.stop().await;
});

on_both!(c11_a_count_that_comes_very_late_goes_by_its_place, |app| {
    let scene = Scene::of(&app).await;
    let tins = &scene.tins;
    let mut store = scene.device(&app, &scene.store).await;
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let mut late = scene.device(&app, &scene.store).await;
    let case = &scene.cases[0];
    let pack = json!({
        "units": scanned(&[&tins[5], &tins[6]]), "parent": {"code": case, "input": "wedge"},
    });
    let event = warehouse.event("pack", &pack);
    warehouse.push(&[event]).await;
    store.push(&[]).await;
    // Of a case that is emptied there, nothing inside is named by anybody at the store.
    let emptied = json!({"parent": {"code": case, "input": "wedge"}});
    let events = [
        store.event("inbound", &inbound(&[&tins[0], &tins[1], &tins[2], case])),
        store.event("unpack", &emptied),
    ];
    store.push(&events).await;
    late.push(&[]).await;
    let sweep = counted(&mut late, &[&tins[0], case]);
    tokio::time::sleep(Duration::from_millis(20)).await;
    for device in [&mut store, &mut warehouse] {
        device.push(&[]).await;
    }
    let events = [
        store.event("sale", &sale(&[&tins[2]])),
        store.event("sale", &sale(&[&tins[5]])),
    ];
    store.push(&events).await;
    let event = warehouse.event("inbound", &inbound(&[&tins[6], &tins[9]]));
    warehouse.push(&[event]).await;
    settled(&app).await;
    // Others did a lot meanwhile.
    let db = app.state().db.clone();
    done(&db, "UPDATE log_head SET gseq = gseq + 20000").await;
    late.push(&[sweep]).await;
    settled(&app).await;
    for (tin, missing) in [
        (0, false),
        (1, true),
        (2, true),
        (5, true),
        (6, true),
        (9, false),
    ] {
        let open = open(&app, &tins[tin]).await;
        assert_eq!(
            open.contains(&"MISSING_AT_COUNT"),
            missing,
            "tin {tin}: {open:?}"
        );
    }
    // With nothing where others did a lot, the log itself is not whole.
    is_as_replayed(&app, "counted").await;
    // What was gone over is what came to the place, not what others did.
    let place: Uuid = scene.store.parse().expect("an id");
    let came = pages_store::arrivals(db.reader(), place, (0, i64::MAX), 100).await;
    assert_eq!(
        came.expect("positions").len(),
        3,
        "inbound, unpack and the count"
    );
    app.stop().await;
});

on_both!(counts_wait_for_recalls_and_are_done_once, |app| {
    let scene = Scene::of(&app).await;
    let db = &app.state().db;
    let place = LocationId(scene.store.parse().expect("an id"));
    let batch = BatchId(scene.batch.parse().expect("an id"));
    let left = |since, until| Scope::Left {
        place,
        since,
        until,
    };
    let work = |id, scope| Work {
        id,
        scope,
        cursor: 0,
        cause: None,
        gseq: 1,
    };
    let tx = db.begin().await.expect("a transaction");
    let all = [
        work(11, Scope::Place { place }),
        work(12, left(5, 9)),
        work(13, Scope::Place { place }),
        work(14, left(3, 7)),
        work(15, left(6, 12)),
        work(16, Scope::Batch { batch }),
    ];
    refold::add(&tx, &all).await.expect("work");
    // The scene left some of its own.
    let waiting = async || {
        let mut work = refold::waiting(&tx, 50, false).await.expect("work");
        work.retain(|work| work.id < 100);
        work
    };
    let told: Vec<(i64, Scope)> = waiting()
        .await
        .into_iter()
        .map(|w| (w.id, w.scope))
        .collect();
    let expected = [
        (16, Scope::Batch { batch }),
        (11, Scope::Place { place }),
        (12, left(3, 12)),
    ];
    assert_eq!(told, expected);
    // Once it has begun, it cannot answer for what came in since; nor can a page of what it was.
    let began = work(12, left(3, 12));
    assert!(refold::advance(&tx, &began, Some(4)).await.expect("moved"));
    refold::add(&tx, &[work(17, left(1, 2))])
        .await
        .expect("work");
    let ids: Vec<i64> = waiting().await.iter().map(|work| work.id).collect();
    assert_eq!(ids, [16, 11, 12, 17]);
    refold::add(&tx, &[work(18, left(0, 2))])
        .await
        .expect("work");
    let narrow = work(17, left(1, 2));
    assert!(
        !refold::advance(&tx, &narrow, Some(4))
            .await
            .expect("widened")
    );
    tx.rollback().await.expect("rolled back");
    app.stop().await;
});

on_both!(up_to_where_all_is_older_is_found_by_halves, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let mut stamps = Vec::new();
    for tin in &scene.tins[..9] {
        let event = store.event("inbound", &inbound(&[tin]));
        let gseq = store.push(&[event]).await.results[0].gseq.expect("stored");
        let sql = format!("SELECT stamp AS n FROM event WHERE gseq = {gseq}");
        stamps.push((gseq, count(&app, &sql).await));
    }
    let db = &app.state().db;
    let found = async |instant, until| {
        let found = position_before_upto(db.reader(), instant, until).await;
        found.expect("a position")
    };
    // As if much came later, and as if nothing did.
    for until in [stamps[8].0 + 5, stamps[8].0 + 1_000_000] {
        for (n, (gseq, stamp)) in stamps.iter().enumerate() {
            let next = stamps.get(n + 1).map_or(until + 1, |next| next.0);
            let at = found(*stamp + 1, until).await;
            assert!((*gseq..next).contains(&at), "{at} of {gseq} and {next}");
            assert!(found(*stamp, until).await < *gseq);
        }
        // Whatever is behind the last that is asked for is not looked at.
        for (gseq, _) in &stamps {
            assert_eq!(found(i64::MAX, *gseq).await, *gseq);
        }
        assert_eq!(found(0, until).await, 0);
    }
    app.stop().await;
});

on_both!(what_came_meanwhile_is_read_as_far_as_there_is_room, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let group = Uuid::now_v7();
    let events = [1, 2, 3].map(|n| {
        let mut said = inbound(&[&scene.tins[n]]);
        said["group"] = json!({"id": group, "n": n, "of": 3});
        store.event("inbound", &said)
    });
    let told = store.push(&events).await.results;
    let at = [0, 1, 2].map(|n: usize| told[n].gseq.expect("stored"));
    settled(&app).await;
    let db = &app.state().db;
    let pad = async |gseq: i64, to: i64| {
        let query = "SELECT body FROM event WHERE gseq = ?";
        let query = statement(db.backend(), query, [gseq.into()]);
        let row = db.reader().query_one_raw(query).await.expect("a row");
        let mut body: Vec<u8> = row.expect("a row").try_get("", "body").expect("a text");
        body.resize(usize::try_from(to).expect("a size"), b' ');
        let query = "UPDATE event SET body = ? WHERE gseq = ?";
        let query = statement(db.backend(), query, [body.into(), gseq.into()]);
        db.writer().execute_raw(query).await.expect("changed");
    };
    let (half, room) = (TEXT_MAX / 2, Most::of(100));
    for (sizes, fits) in [
        ([half, half - 2_000, 2_000], true),
        ([half, half - 2_000, 2_001], false),
    ] {
        for (gseq, size) in at.into_iter().zip(sizes) {
            pad(gseq, size).await;
        }
        // All came in just now, or the last did and brings the others along.
        for after in [at[0] - 1, at[2] - 1] {
            let mut reader = Reader::default();
            let span = (after, at[2]);
            let found = came(db.reader(), &mut reader, span, room).await;
            match found.expect("positions") {
                Came::Events(events) => assert!(fits && events.keys().eq(at.iter()), "{sizes:?}"),
                Came::More => assert!(!fits, "{sizes:?}"),
                Came::Entry => panic!("no entry came"),
            }
            // What is remembered takes no room.
            let all = at.into_iter().collect();
            let facts = by_position(db.reader(), &mut reader, &all).await;
            assert_eq!(facts.expect("facts").len(), 3);
            let found = came(db.reader(), &mut reader, span, room).await;
            assert!(matches!(found, Ok(Came::Events(_))), "{found:?}");
        }
    }
    app.stop().await;
});

/// So many lots of the scene's product, each with its quantity.
fn lots(range: std::ops::Range<usize>, qty: u64) -> serde_json::Value {
    let line = |n| json!({"gtin": "09521234000013", "lot": format!("L{n}"), "qty": qty});
    range.map(line).collect()
}

on_both!(
    c11_a_complete_count_folds_what_it_names_and_leaves_the_rest,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let events = [
            store.event("inbound", &json!({"lots": lots(0..1000, 5)})),
            store.event("sale", &json!({"lots": lots(700..1000, 5)})),
        ];
        store.push(&events).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        store.push(&[]).await;
        let event = store.event(
            "count",
            &json!({"lots": lots(0..1, 4), "body": {"scope": {"complete": true}}}),
        );
        let answer = store.push(&[event]).await;
        let counted = answer.results[0].gseq.expect("stored");
        assert_eq!(answer.results[0].findings.len(), 1, "what it names");
        settled(&app).await;
        // Seven hundred lines are not as counted; those that stood at zero stay there.
        for (what, sql, expected) in [
            ("found at once", "FROM finding WHERE opened = ?", 1),
            ("found later", "FROM finding WHERE opened > ?", 699),
            ("written at once", "FROM lot_line WHERE gseq = ?", 1),
            ("written later", "FROM lot_line WHERE gseq > ?", 699),
            ("kept of it", "FROM lot_move WHERE gseq = ?", 700),
        ] {
            let sql = sql.replace('?', &counted.to_string());
            let n = count(&app, &format!("SELECT COUNT(*) AS n {sql}")).await;
            assert_eq!(n, expected, "{what}");
        }
        // By slices of a size: not all in one act again.
        let most = format!(
            "SELECT MAX(c) AS n FROM (SELECT COUNT(*) AS c FROM lot_line WHERE gseq > {counted} \
             GROUP BY gseq) x"
        );
        assert!(count(&app, &most).await <= 512);
        // Whoever goes through the place does not even look at those at zero.
        let place = LocationId(scene.store.parse().expect("an id"));
        let page = async |since| {
            let page = lines_at(app.state().db.reader(), place, since, 0, 1000).await;
            page.expect("lines").len()
        };
        assert_eq!((page(0).await, page(counted).await), (1000, 700));
        holds(&app, "counted").await;
        app.stop().await;
    }
);

on_both!(
    c11_what_comes_late_before_a_count_that_said_nothing_is_missed_by_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut early = scene.device(&app, &scene.store).await;
        let mut store = scene.device(&app, &scene.store).await;
        let of = |n, qty| json!({"lots": lots(n..n + 1, qty)});
        early.push(&[]).await;
        let late = [
            early.event("inbound", &of(0, 3)),
            early.event("inbound", &of(1, 2)),
        ];
        let events = [
            store.event("inbound", &of(0, 5)),
            store.event("sale", &of(0, 5)),
        ];
        store.push(&events).await;
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            store.push(&[]).await;
            let event = counted(&mut store, &[]);
            store.push(&[event]).await;
            settled(&app).await;
        }
        let missed = "SELECT COUNT(*) AS n FROM finding WHERE code = 'MISSING_AT_COUNT'";
        let moves = "SELECT COUNT(*) AS n FROM lot_move";
        assert_eq!(count(&app, missed).await, 0);
        assert_eq!(count(&app, moves).await, 2, "nothing is kept of counts");
        // One line goes back, one is new: both counts miss what is in them, and the first says so.
        early.push(&late).await;
        settled(&app).await;
        assert_eq!(count(&app, missed).await, 2);
        assert_eq!(count(&app, moves).await, 2 + 2 + 2 * 2);
        holds(&app, "late").await;
        app.stop().await;
    }
);

on_both!(
    the_result_of_an_event_tells_so_many_findings_and_how_many_more,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let max = suyuan_sync::limits::FINDINGS_TOLD_MAX;
        let event = store.event("sale", &json!({"lots": lots(0..max + 30, 1)}));
        let events = [event];
        for _ in 0..2 {
            let answer = store.push_at(1, store.history[0], &events).await;
            let result = &answer.results[0];
            assert_eq!(result.findings.len(), max);
            assert_eq!(result.more_findings as usize, 30, "{:?}", result.status);
        }
        let all = "SELECT COUNT(*) AS n FROM finding WHERE closed IS NULL";
        assert_eq!(count(&app, all).await, max as i64 + 30);
        app.stop().await;
    }
);

on_both!(
    c11_a_count_that_moves_in_the_order_is_held_against_its_place_again,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let mut late = scene.device(&app, &scene.store).await;
        let at = |ms: i64| {
            let at = jiff::Timestamp::now().as_millisecond() + ms;
            let at = jiff::Timestamp::from_millisecond(at).expect("an instant");
            at.to_string()
        };
        let said = |ms: i64, more: serde_json::Value| {
            let mut said = json!({"at": at(ms), "anchor_wall": at(0)});
            let more = more.as_object().expect("an object").clone();
            said.as_object_mut().expect("an object").extend(more);
            said
        };
        store.push(&[]).await;
        late.push(&[]).await;
        let sweep = json!({"body": {"scope": {"complete": true}}});
        // The count says a time before its neighbour; what comes in between moves it.
        let events = [
            late.event("inbound", &said(900, json!({"lots": lots(9..10, 1)}))),
            late.event("count", &said(10, sweep)),
            late.event("sale", &said(20, json!({"lots": lots(9..10, 1)}))),
        ];
        let came = [
            store.event("inbound", &said(100, json!({"lots": lots(0..1, 5)}))),
            store.event("sale", &said(600, json!({"lots": lots(0..1, 2)}))),
        ];
        tokio::time::sleep(Duration::from_secs(1)).await;
        store.push(&came).await;
        let after = late.history[1];
        late.push_at(2, after, &events[1..2]).await;
        holds(&app, "the count alone").await;
        late.push_at(3, late.history[2], &events[2..]).await;
        holds(&app, "with the next").await;
        late.push_at(1, late.history[0], &events[..1]).await;
        holds(&app, "with the one before").await;
        let moved = "SELECT COUNT(*) AS n FROM event_was";
        assert!(count(&app, moved).await > 0, "nothing moved");
        app.stop().await;
    }
);

on_both!(
    c11_a_late_movement_reads_what_is_behind_the_checkpoint_before_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut first = scene.device(&app, &scene.store).await;
        let mut late = scene.device(&app, &scene.store).await;
        let mut store = scene.device(&app, &scene.store).await;
        first.push(&[]).await;
        let of = |qty| json!({"lots": lots(0..1, qty)});
        let before_all = first.event("inbound", &of(7));
        let day = async |store: &mut Handheld, n| {
            tokio::time::sleep(Duration::from_millis(10)).await;
            store.push(&[]).await;
            let events: Vec<String> = (0..n).map(|_| store.event("inbound", &of(1))).collect();
            store.push(&events).await;
        };
        for _ in 0..10 {
            day(&mut store, 40).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        late.push(&[]).await;
        let between = late.event("inbound", &of(5));
        day(&mut store, 40).await;
        // Whoever read the beginning of the line would believe this.
        let db = &app.state().db;
        done(
            db,
            "UPDATE lot_move SET movement = '{\"is\":\"in\",\"qty\":1001}' \
             WHERE gseq = (SELECT MIN(gseq) FROM lot_move)",
        )
        .await;
        let balance = "SELECT balance AS n FROM lot_line";
        let came = late.push(&[between]).await.results[0].gseq.expect("stored");
        assert_eq!(count(&app, balance).await, 445, "not read");
        let line = count(&app, "SELECT id AS n FROM lot_line").await;
        let eff = format!("SELECT eff AS n FROM event WHERE gseq = {came}");
        let eff = count(&app, &eff).await;
        let mut read = behind(db.reader(), &[line].into(), eff)
            .await
            .expect("rows");
        let rows = read.remove(&line).expect("a checkpoint").moves.len();
        assert!(rows <= 41 + 2 * CHECKPOINT_EVERY, "{rows} rows");
        // What is earlier than all does read it.
        first.push(&[before_all]).await;
        assert_eq!(count(&app, balance).await, 452 + 1000, "read");
        let checkpoints = count(&app, "SELECT COUNT(*) AS n FROM lot_checkpoint").await;
        assert!(checkpoints >= 8, "{checkpoints}");
        app.stop().await;
    }
);

on_both!(what_there_is_too_much_about_is_left_to_a_slice, |app| {
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let mut store = scene.device(&app, &scene.store).await;
    let mut codes = async |said: Value, kind: &str| {
        let event = store.event(kind, &said);
        let told = store.push(&[event]).await.results.remove(0);
        let codes = told.findings.iter().map(|note| note.code.name());
        codes.collect::<Vec<_>>()
    };
    let facts = "SELECT MAX(facts) AS n FROM unit";
    // Each event on it is one more fact to read, and is told in the answer what is wrong.
    assert_eq!(codes(sale(&[tin]), "sale").await, ["ORPHAN_SALE"]);
    for n in 2..=5 {
        assert_eq!(codes(sale(&[tin]), "sale").await, ["DOUBLE_SALE"]);
        assert_eq!(count(&app, facts).await, n);
    }
    let db = app.state().db.clone();
    let set = async |n: usize| done(&db, &format!("UPDATE unit SET facts = {n}")).await;
    set(FACTS_MAX).await;
    assert_eq!(
        codes(sale(&[tin]), "sale").await,
        ["DOUBLE_SALE"],
        "as much as may be"
    );
    assert_eq!(count(&app, facts).await, 6);
    // One more, and the act reads none of them, nor of what goes into it.
    set(FACTS_MAX + 1).await;
    assert!(codes(sale(&[tin]), "sale").await.is_empty(), "left");
    settled(&app).await;
    assert_eq!(count(&app, facts).await, 7);
    let into =
        json!({"parent": {"code": tin, "input": "wedge"}, "children": scanned(&[&scene.tins[1]])});
    set(FACTS_MAX + 1).await;
    assert!(
        codes(into, "pack").await.is_empty(),
        "left with what it went into"
    );
    settled(&app).await;
    let found: BTreeSet<&str> = open(&app, tin).await.into_iter().collect();
    let wanted = ["DOUBLE_SALE", "ORPHAN_SALE", "UNEXPECTED_STATE"];
    assert_eq!(found, BTreeSet::from(wanted));
    assert_eq!(open(&app, &scene.tins[1]).await, ["PACK_LEVEL"]);
    assert_eq!(count(&app, facts).await, 8);
    holds(&app, "folded by slices").await;
    // Of very many that an event names few are folded, until there is no time left by the pace acts have in the
    // beginning: a unit takes one of it, and each eight facts about it one more.
    let tins: Vec<&String> = scene.tins[2..].iter().collect();
    codes(inbound(&tins), "inbound").await;
    set(FACTS_MAX / 10).await;
    codes(inbound(&tins), "inbound").await;
    let at_once = "SELECT COUNT(*) AS n FROM unit u WHERE gseq = (SELECT MAX(gseq) FROM event)";
    let each = 1 + FACTS_MAX / 10 / 8;
    assert_eq!(
        count(&app, at_once).await as usize,
        (2 * Pace::default().limit()).div_ceil(each)
    );
    holds(&app, "all of them").await;
    app.stop().await;
});
