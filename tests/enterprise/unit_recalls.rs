//! Recalls of single units: these tins and not their neighbours, however many, by whatever code;
//! and what a fold is told of them afterwards.

use crate::{
    publication::{Shown, shown},
    support::{array, entries, id, made, number, ok, refused, refused_field, text_of},
};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use suyuan::{
    codes::targets::{Name, Namer},
    db::statement,
    demo::Demo,
    projection::units::PublicUnit,
    recalls::{job, rules, spans_store::spans, store},
};
use suyuan_sync::{
    facts::{RecallScope, RecallSpan, StatedAt},
    trace_code,
    unit::UnitKey,
};
use suyuan_tests::{TestApp, on_both, recall_order, until};
use uuid::Uuid;

/// Advice, reasons, and the recall that is told.
async fn said(app: &TestApp, code: &str) -> String {
    let view = app.consumer().scan(code).await.json();
    let reasons: Vec<String> = array(&view["reasons"]).iter().map(text_of).collect();
    let told = view["recall"]["reason"].as_str().unwrap_or("-");
    format!("{} {} {told}", text_of(&view["advice"]), reasons.join(","))
}

/// An order that names these units.
fn order(reason: &str, more: &Value) -> Value {
    let mut order = recall_order(&json!([]), reason, "退回门店");
    for (field, value) in more.as_object().expect("fields") {
        order[field] = value.clone();
    }
    order
}

async fn open(shown: &Shown, reason: &str, more: &Value) -> Value {
    made(shown.admin.post("/v1/recalls", &order(reason, more)).await)
}

/// The segment the demo's tins are of.
async fn tins(shown: &Shown) -> String {
    let segments = ok(shown.admin.get("/v1/segments").await);
    let tins = array(&segments["items"]).iter();
    id(tins.clone().find(|s| s["count"] == 2000).expect("the tins"))
}

async fn stage(app: &TestApp) -> (Demo, Shown) {
    let demo = app.world().await;
    let shown = shown(app, &demo, true).await;
    (demo, shown)
}

/// Entries of the log but for those of the program, which folds what was scanned before when it comes
/// to it.
async fn acts(app: &TestApp) -> usize {
    let entries = entries(app).await;
    entries
        .iter()
        .filter(|entry| entry.kind != "refolded")
        .count()
}

on_both!(
    a_recall_of_units_stops_these_and_not_their_neighbours,
    |app| {
        let (demo, shown) = stage(&app).await;
        let legal = &demo.codes.legal;
        let (case, pallet) = (&demo.codes.case[0], &demo.codes.pallet[0]);
        let named = json!({"codes": [legal[0], legal[0], case, pallet]});
        let opened = open(&shown, "漏装勺", &named).await;
        assert_eq!(
            (number(&opened["units"]), number(&opened["pending"])),
            (3, 0)
        );
        let so = || async { said(&app, &legal[0]).await == "stop recalled 漏装勺" };
        until("the recall told", Duration::from_secs(1), so).await;
        assert_eq!(said(&app, case).await, "stop recalled 漏装勺");
        let both = "stop recalled,names_logistic_unit 漏装勺";
        assert_eq!(said(&app, pallet).await, both);
        assert!(
            app.consumer()
                .page(&legal[0])
                .await
                .text()
                .contains("退回门店")
        );
        for neighbour in [&legal[1], &legal[2], &demo.codes.case[1]] {
            assert_eq!(said(&app, neighbour).await, "ok  -");
        }

        let path = format!("/v1/recalls/{}", id(&opened));
        let part = json!({"ranges": [{"segment_id": tins(&shown).await, "from": 2, "to": 3}]});
        let widened = ok(shown.admin.post(&format!("{path}/widen"), &part).await);
        assert_eq!(number(&widened["units"]), 5);
        assert!(widened["scope_position"].as_i64() > opened["scope_position"].as_i64());
        app.settled().await;
        let verdicts = async |codes: &[String]| {
            let mut all = Vec::new();
            for code in codes {
                all.push(said(&app, code).await.starts_with("stop"));
            }
            all
        };
        assert_eq!(
            verdicts(&legal[..5]).await,
            [true, false, true, true, false]
        );

        // What it covers already says nothing new, and leaves no entry.
        let before = acts(&app).await;
        let again = ok(shown.admin.post(&format!("{path}/widen"), &part).await);
        assert_eq!(again, widened);
        assert_eq!(acts(&app).await, before);

        ok(shown
            .admin
            .post(&format!("{path}/close"), &json!({"note": "已处理"}))
            .await);
        app.settled().await;
        assert_eq!(verdicts(&legal[..5]).await, [false; 5]);
        assert_eq!(said(&app, pallet).await, "caution names_logistic_unit -");
        refused(
            shown.admin.post(&format!("{path}/widen"), &part).await,
            "recall-already-closed",
        );
        app.stop().await;
    }
);

on_both!(
    of_several_recalls_the_newest_is_told_and_each_ends_alone,
    |app| {
        let (demo, shown) = stage(&app).await;
        let [tin, neighbour] = [&demo.codes.legal[0], &demo.codes.legal[1]];
        let first = open(&shown, "first", &json!({"codes": [tin]})).await;
        let of_batch = recall_order(&json!([shown.batch["id"]]), "batch", "i");
        let second = made(shown.admin.post("/v1/recalls", &of_batch).await);
        let third = open(&shown, "third", &json!({"codes": [tin, neighbour]})).await;
        let close = async |recall: &Value| {
            let path = format!("/v1/recalls/{}/close", id(recall));
            ok(shown.admin.post(&path, &json!({"note": "n"})).await);
            app.settled().await;
        };
        app.settled().await;
        assert_eq!(said(&app, tin).await, "stop recalled third");
        assert_eq!(said(&app, neighbour).await, "stop recalled third");
        close(&third).await;
        assert_eq!(said(&app, tin).await, "stop recalled batch");
        close(&second).await;
        assert_eq!(said(&app, tin).await, "stop recalled first");
        assert_eq!(said(&app, neighbour).await, "ok  -");
        close(&first).await;
        assert_eq!(said(&app, tin).await, "ok  -");
        app.stop().await;
    }
);

on_both!(a_recall_of_ten_million_units_is_published_in_parts, |app| {
    let (_, shown) = stage(&app).await;
    let wanted = json!({"product_id": shown.product["id"], "count": 10_000_000});
    let segment = made(shown.admin.post("/v1/segments", &wanted).await);
    let range = json!({"segment_id": segment["id"]});
    let before = entries(&app).await.len();
    let opened = open(&shown, "全部", &json!({"ranges": [range]})).await;
    assert_eq!(number(&opened["units"]), 10_000_000);
    assert_eq!(number(&opened["pending"]), 0);
    let kinds: Vec<String> = entries(&app).await[before..]
        .iter()
        .filter(|entry| entry.kind != "refolded")
        .map(|entry| entry.kind.clone())
        .collect();
    assert_eq!(kinds, ["recall_opened", "recall_widened"]);
    app.settled().await;
    let to = number(&segment["to"]);
    for index in [number(&segment["from"]), to - 5_000_000, to] {
        let code = code_at(&shown, &segment, index).await;
        assert_eq!(
            said(&app, &code).await,
            "stop recalled,not_commissioned 全部"
        );
    }
    app.stop().await;
});

/// The code at an index of a segment.
async fn code_at(shown: &Shown, segment: &Value, index: u64) -> String {
    let path = format!("/v1/segments/{}/codes?from={index}&to={index}", id(segment));
    let line = shown.admin.get(&path).await.text();
    line.trim().rsplit(',').next().expect("a code").to_owned()
}

on_both!(
    what_a_widening_staged_that_never_came_to_be_is_published_by_nobody,
    |app| {
        let (demo, shown) = stage(&app).await;
        let wanted = json!({"product_id": shown.product["id"], "count": 10_000_000});
        let segment = made(shown.admin.post("/v1/segments", &wanted).await);
        let last = code_at(&shown, &segment, number(&segment["to"])).await;
        let open = async |tin: usize| {
            let named = json!({"codes": [demo.codes.legal[tin]]});
            format!("/v1/recalls/{}", id(&open(&shown, "r", &named).await))
        };
        let (one, closed) = (open(0).await, open(1).await);
        let note = json!({"note": "n"});
        ok(shown.admin.post(&format!("{closed}/close"), &note).await);

        // As if the process died between staging and its act: nothing of it is taken back.
        let state = app.state();
        let run = async |sqlite: &str, postgres: &str| {
            let sql = match state.db.backend() {
                DbBackend::Postgres => postgres,
                _ => sqlite,
            };
            state.db.writer().execute_unprepared(sql).await.expect(sql);
        };
        run(
            "CREATE TRIGGER kept BEFORE DELETE ON recall_stage BEGIN SELECT RAISE(IGNORE); END",
            "CREATE RULE kept AS ON DELETE TO recall_stage DO INSTEAD NOTHING",
        )
        .await;
        let ranges = json!([{"segment_id": segment["id"]}]);
        let wider = json!({"ranges": ranges});
        let unknown = json!({"ranges": ranges, "batch_ids": [Uuid::now_v7()]});
        let widen =
            async |path: &str, by: &Value| shown.admin.post(&format!("{path}/widen"), by).await;
        refused(widen(&one, &unknown).await, "not-found");
        refused(widen(&closed, &wider).await, "recall-already-closed");
        run("DROP TRIGGER kept", "DROP RULE kept ON recall_stage").await;

        let staged = async || {
            let sql = "SELECT COUNT(*) AS n FROM recall_stage";
            let row = state.db.reader();
            let row = row.query_one_raw(statement(state.db.backend(), sql, []));
            let row = row.await.expect("read").expect("a row");
            row.try_get::<i64>("", "n").expect("a number")
        };
        assert!(staged().await > 0);
        assert_eq!(number(&ok(shown.admin.get(&one).await)["pending"]), 0);
        let before = acts(&app).await;
        let finish = async |after: i64| {
            job::finish(&state.db, &state.log, state.clock.now() + after)
                .await
                .expect("finished");
        };
        finish(11_000_000).await;
        assert_eq!(acts(&app).await, before);
        app.settled().await;
        assert_eq!(said(&app, &last).await, "caution not_commissioned -");
        assert_eq!(said(&app, &demo.codes.legal[1]).await, "ok  -");
        finish(3_700_000_000).await;
        assert_eq!(staged().await, 0);

        // The same once more, and it comes to be: all of it is published.
        ok(widen(&one, &wider).await);
        assert_eq!((staged().await, acts(&app).await), (0, before + 2));
        app.settled().await;
        assert_eq!(said(&app, &last).await, "stop recalled,not_commissioned r");
        // It covers all this already, and says so without leaving anything to wait.
        ok(widen(&one, &wider).await);
        assert_eq!(staged().await, 0);
        app.stop().await;
    }
);

on_both!(
    what_a_process_left_half_published_is_finished_by_another,
    |app| {
        let (demo, shown) = stage(&app).await;
        let opened = open(&shown, "r", &json!({"codes": [demo.codes.legal[0]]})).await;
        let state = app.state();
        let mine: Uuid = id(&shown.enterprise).parse().expect("an id");
        let recall: Uuid = id(&opened).parse().expect("an id");
        let space = text_of(&ok(shown.admin.get("/v1/segments").await)["items"][0]["space"]);
        let part = |index: u32| {
            let bits = [index].into_iter().collect();
            rules::Chunks::from([((space.clone(), 0), bits)])
        };
        let now = state.clock.now();
        let put = async |index| {
            let stage = Uuid::now_v7();
            let parts = part(index);
            store::stage(&state.db, mine, stage, &parts, now)
                .await
                .expect("a stage");
            stage
        };
        let confirmed = async |index| {
            let stage = put(index).await;
            store::confirm_staged(state.db.writer(), mine, stage, recall)
                .await
                .expect("confirmed");
        };
        confirmed(1).await;
        let orphan = put(2).await;
        let pending = async || {
            let path = format!("/v1/recalls/{}", id(&opened));
            number(&ok(shown.admin.get(&path).await)["pending"])
        };
        assert_eq!(pending().await, 1);
        // Whoever staged it may still be at it.
        job::finish(&state.db, &state.log, now + 9_000_000)
            .await
            .expect("nothing to do");
        assert_eq!(pending().await, 1);
        job::finish(&state.db, &state.log, now + 11_000_000)
            .await
            .expect("finished");
        assert_eq!(pending().await, 0);
        app.settled().await;
        assert_eq!(said(&app, &demo.codes.legal[1]).await, "stop recalled r");
        assert_eq!(said(&app, &demo.codes.legal[2]).await, "ok  -");
        // What an act staged that never came to be is forgotten after an hour.
        assert!(
            store::is_waiting(&state.db, mine, orphan)
                .await
                .expect("a row")
        );
        job::finish(&state.db, &state.log, now + 3_700_000_000)
            .await
            .expect("tidy");
        assert!(
            !store::is_waiting(&state.db, mine, orphan)
                .await
                .expect("no row")
        );
        // What waits for one that is closed goes with it.
        confirmed(2).await;
        let path = format!("/v1/recalls/{}/close", id(&opened));
        let closed = ok(shown.admin.post(&path, &json!({"note": "n"})).await);
        assert_eq!(number(&closed["pending"]), 0);
        app.stop().await;
    }
);

on_both!(codes_minted_elsewhere_are_recalled_by_their_name, |app| {
    let (_, shown) = stage(&app).await;
    let foreign = "(01)09521234777779(21)Ab-1";
    let neighbours = ["(01)09521234777779(21)AB-1", "(01)09521234777779(21)Ab-2"];
    let upui = "(01)09521234000013(235)XYZ7";
    assert_eq!(said_of(&app, foreign).await, "404 caution unknown_issuer -");
    let named = json!({"codes": [foreign, upui]});
    let opened = open(&shown, "进口", &named).await;
    assert_eq!(number(&opened["units"]), 2);
    app.settled().await;
    assert_eq!(
        said_of(&app, foreign).await,
        "404 stop recalled,unknown_issuer 进口"
    );
    assert_eq!(
        said_of(&app, upui).await,
        "404 stop recalled,not_allocated 进口"
    );
    for neighbour in neighbours {
        assert_eq!(
            said_of(&app, neighbour).await,
            "404 caution unknown_issuer -"
        );
    }
    let path = format!("/v1/recalls/{}/close", id(&opened));
    ok(shown.admin.post(&path, &json!({"note": "n"})).await);
    app.settled().await;
    assert_eq!(said_of(&app, foreign).await, "404 caution unknown_issuer -");
    // Nobody recalls what bears another's prefix, or what was never minted under a space of ours.
    for stranger in [
        "(01)04012345678901(21)1",
        "(00)340123450000000000",
        "(01)09521234000013(21)00000000000000",
        "(01)09521234777779",
    ] {
        let order = order("r", &json!({"codes": [stranger]}));
        let answer = shown.admin.post("/v1/recalls", &order).await;
        refused_field(answer, "codes/0", "not-ours");
    }
    app.stop().await;
});

/// The same for a code that is no address, with the status.
async fn said_of(app: &TestApp, code: &str) -> String {
    let scanned = trace_code::parse(code).expect("a code");
    let path = scanned.code.to_string();
    let status = app.consumer().scan(&path).await.status;
    format!("{status} {}", said(app, &path).await)
}

on_both!(
    a_recall_covers_what_exists_and_says_who_is_responsible,
    |app| {
        let (_, shown) = stage(&app).await;
        let segment = tins(&shown).await;
        let place = json!({"code": "Q1", "kind": "warehouse", "name": "隔离库"});
        let place = id(&made(shown.admin.post("/v1/locations", &place).await));
        let range = |from: u64, to: u64| json!([{"segment_id": segment, "from": from, "to": to}]);
        let nobody = "0198c0de-0000-7000-8000-000000000000";
        for (field, value, fault) in [
            ("responsible", json!(""), "length"),
            ("responsible", json!("长".repeat(101)), "length"),
            ("initiated_at", json!("yesterday"), "bad-time"),
            ("initiated_at", json!("2999-01-01T00:00:00Z"), "bad-time"),
            ("destinations", json!([place, nobody]), "unknown"),
            ("destinations", json!(vec![nobody; 101]), "too-many"),
            ("ranges", range(5, 4), "outside-segment"),
            ("ranges", range(0, 2000), "outside-segment"),
        ] {
            let mut body = order("r", &json!({"ranges": range(0, 1)}));
            body[field] = value;
            refused_field(shown.admin.post("/v1/recalls", &body).await, field, fault);
        }
        for missing in ["reason", "initiated_at", "responsible"] {
            let mut body = order("r", &json!({"ranges": range(0, 1)}));
            body.as_object_mut().expect("an object").remove(missing);
            refused(
                shown.admin.post("/v1/recalls", &body).await,
                "malformed-body",
            );
        }
        let mut far = order(
            "r",
            &json!({"codes": vec!["(01)09521234777779(21)1"; 10_001]}),
        );
        refused_field(
            shown.admin.post("/v1/recalls", &far).await,
            "codes",
            "too-many",
        );
        far["codes"] = json!(
            (0..2_001)
                .map(|n| format!("(01)09521234777779(21){n}"))
                .collect::<Vec<_>>()
        );
        refused_field(
            shown.admin.post("/v1/recalls", &far).await,
            "codes",
            "too-many",
        );

        let more =
            json!({"ranges": range(0, 1), "destinations": [place], "responsible": "岗位 PM-33"});
        let opened = open(&shown, "r", &more).await;
        assert_eq!(opened["responsible"], "岗位 PM-33");
        assert_eq!(opened["initiated_at"], "2020-02-03T04:05:06Z");
        assert_eq!(opened["destinations"], json!([place]));
        for entry in entries(&app).await {
            assert!(
                !entry.body.contains("PM-33"),
                "a person may be told of: {}",
                entry.body
            );
        }
        app.stop().await;
    }
);

on_both!(a_recall_of_units_sent_twice_is_one, |app| {
    let (demo, shown) = stage(&app).await;
    let headers = [("idempotency-key", "once")];
    let body = order("r", &json!({"codes": [demo.codes.legal[0]]}));
    let send = async || made(shown.admin.post_with("/v1/recalls", &headers, &body).await);
    let first = send().await;
    let before = acts(&app).await;
    assert_eq!(send().await, first);
    let path = format!("/v1/recalls/{}/widen", id(&first));
    let more = json!({"codes": [demo.codes.legal[1]]});
    let widen = async || {
        ok(shown
            .admin
            .post_with(&path, &headers_of("more"), &more)
            .await)
    };
    let widened = widen().await;
    assert_eq!(widen().await, widened);
    assert_eq!(acts(&app).await, before + 1);
    app.stop().await;
});

fn headers_of(key: &'static str) -> [(&'static str, &'static str); 1] {
    [("idempotency-key", key)]
}

on_both!(
    what_a_recall_covered_at_any_position_can_be_told_again,
    |app| {
        let (demo, shown) = stage(&app).await;
        let legal = &demo.codes.legal;
        let foreign = "(01)09521234777779(21)Ab-1";
        let batch = &shown.batch["id"];
        let mut body = order("r", &json!({"codes": [legal[0], foreign]}));
        body["batch_ids"] = json!([batch]);
        let opened = made(shown.admin.post("/v1/recalls", &body).await);
        let path = format!("/v1/recalls/{}", id(&opened));
        for more in [
            json!({"codes": [legal[0], legal[1]]}),
            json!({"codes": [legal[2]], "batch_ids": [batch]}),
        ] {
            ok(shown.admin.post(&format!("{path}/widen"), &more).await);
        }
        open(&shown, "another", &json!({"codes": [legal[1]]})).await;
        let how = json!({"note": "误报", "mistaken": true});
        let closed = ok(shown.admin.post(&format!("{path}/close"), &how).await);
        assert_eq!(closed["mistaken"], true);

        // What the log says of these units, told by the entries alone.
        let state = app.state();
        let mine = id(&shown.enterprise).parse().expect("an id");
        let mut namer = Namer::open(state, mine).await.expect("keys");
        let mut units = Vec::new();
        for text in [
            &legal[0],
            &legal[1],
            &legal[2],
            &legal[3],
            &foreign.to_owned(),
        ] {
            let code = trace_code::parse(text).expect("a code").code;
            let key = UnitKey::of(&code).expect("a unit");
            let name = match namer.name(&code).await.expect("keys").expect("ours") {
                Name::Minted(space, index) => PublicUnit::Minted(space, index),
                Name::Other(key) => PublicUnit::Other(key),
            };
            units.push((key, name));
        }
        let named = |space: &str, index: u64| {
            let wanted = PublicUnit::Minted(space.to_owned(), index);
            let found = units.iter().find(|(_, name)| *name == wanted);
            found.map(|(key, _)| key.clone())
        };
        let log = entries(&app).await;
        let statements = log.iter().filter_map(|entry| {
            let at = StatedAt {
                at: entry.stamp,
                gseq: entry.gseq,
            };
            Some((at, rules::statement(&entry.kind, &entry.body, &named)?))
        });
        let batches = BTreeSet::from([text_of(batch).parse().expect("an id")]);
        let by_log: Vec<RecallSpan> = rules::spans(statements)
            .into_iter()
            .filter(|span| span.scope != RecallScope::default())
            .filter(|span| span.scope.batches.iter().all(|id| batches.contains(&id.0)))
            .collect();
        let by_rows = spans(state.db.reader(), &units, &batches)
            .await
            .expect("spans");
        assert_eq!(by_rows, by_log);

        let told: Vec<(usize, usize, bool)> = by_rows
            .iter()
            .map(|span| {
                assert_eq!(span.closed.is_some(), span.mistaken);
                (
                    span.scope.batches.len(),
                    span.scope.units.len(),
                    span.mistaken,
                )
            })
            .collect();
        // Opened, widened twice by what was new each time; the other recall goes on.
        assert_eq!(
            told,
            [(1, 2, true), (0, 1, true), (0, 1, true), (0, 1, false)]
        );
        let none = BTreeSet::new();
        let of_the_fourth = spans(state.db.reader(), &units[3..4], &none).await;
        assert!(of_the_fourth.expect("spans").is_empty());
        app.stop().await;
    }
);
