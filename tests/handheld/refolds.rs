//! What becomes of units nobody names any more: a recall, a complete count, a late event on their
//! container or new master data is about them, and they are brought up to date in slices.

use crate::{
    scene::{
        GTIN, Scene, count, enrolled, holds, inbound, open, open_about_events, outbound, sale,
        scanned, settled, unit,
    },
    support::{PASSWORD, batch, firm, id, made, ok, product, segment, text_of},
};
use futures_util::FutureExt;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use suyuan::handheld::units::refold::{Scope, Work, slice::slice, store as refold};
use suyuan_sync::{
    finding::{Detail, FindingCode, When},
    fold::Phase,
    ids::BatchId,
    wire::Item,
};
use suyuan_tests::{Handheld, TestApp, caller::Method, on_both, recall_order};

/// Opens a recall of a batch; its id.
async fn recalled(scene: &Scene, batch: &str) -> String {
    let order = recall_order(&json!([batch]), "r", "i");
    text_of(&made(scene.firm.admin.post("/v1/recalls", &order).await)["id"])
}

/// Closes it as mistaken.
async fn mistaken(scene: &Scene, recall: &str) {
    let path = format!("/v1/recalls/{recall}/close");
    let how = json!({"note": "wrong batch", "mistaken": true});
    ok(scene.firm.admin.post(&path, &how).await);
}

/// The ids of an event that was made.
fn id_of(text: &str) -> String {
    let event: Value = serde_json::from_str(text).expect("an event");
    text_of(&event["event_id"])
}

/// How many findings of a kind closed, by this event, or by no event.
async fn closed(app: &TestApp, code: FindingCode, by: Option<&str>) -> i64 {
    let db = &app.state().db;
    let sql = "SELECT closed_by FROM finding WHERE code = ? AND closed IS NOT NULL";
    let query = suyuan::db::statement(db.backend(), sql, [code.name().into()]);
    let rows = db.reader().query_all_raw(query).await.expect("findings");
    let by_event = |row: &sea_orm::QueryResult| {
        let id: Option<uuid::Uuid> = row.try_get("", "closed_by").expect("a column");
        id.map(|id| id.to_string())
    };
    rows.iter()
        .filter(|row| by_event(row).as_deref() == by)
        .count() as i64
}

on_both!(
    c9_a_recall_finds_what_was_sold_before_and_lets_go_of_it_when_mistaken,
    |app| {
        let scene = Scene::of(&app).await;
        let [sold, stocked] = [&scene.tins[0], &scene.tins[1]];
        let mut store = scene.device(&app, &scene.store).await;
        let events = [
            store.event("inbound", &inbound(&[sold, stocked])),
            store.event("sale", &sale(&[sold])),
        ];
        store.push(&events).await;
        settled(&app).await;
        assert_eq!(open(&app, sold).await, [] as [&str; 0]);
        let recall = recalled(&scene, &scene.batch).await;
        settled(&app).await;
        assert_eq!(open(&app, sold).await, ["SOLD_RECALLED"]);
        let found = unit(&app, sold).await.kept.findings.remove(0).finding;
        assert!(
            matches!(
                found.detail,
                Detail::SoldRecalled {
                    when: When::Before,
                    ..
                }
            ),
            "{found:?}"
        );
        assert_eq!(unit(&app, stocked).await.kept.state.recalls.len(), 1);
        holds(&app, "opened").await;
        // The entry says what it was done for.
        let entry = "SELECT COUNT(*) AS n FROM log_entry r JOIN log_entry o \
                 ON r.subject = 'entry:' || CAST(o.gseq AS TEXT) \
                 WHERE r.kind = 'refolded' AND o.kind = 'recall_opened'";
        assert!(count(&app, entry).await > 0);
        mistaken(&scene, &recall).await;
        settled(&app).await;
        assert_eq!(open(&app, sold).await, [] as [&str; 0]);
        assert_eq!(closed(&app, FindingCode::SoldRecalled, None).await, 1);
        // No event explained it: its entry is told.
        let path = "/v1/findings?open=false&code=SOLD_RECALLED";
        let healed = ok(scene.firm.admin.get(path).await);
        let cause = &healed["items"][0]["closed"]["entry"];
        assert_eq!(cause["kind"], "recall_closed", "{healed}");
        assert!(unit(&app, stocked).await.kept.state.recalls.is_empty());
        holds(&app, "mistaken").await;
        app.stop().await;
    }
);

on_both!(
    c9_single_units_of_a_recall_are_found_and_a_widened_one_finds_more,
    |app| {
        let scene = Scene::of(&app).await;
        let tins = &scene.tins;
        let mut store = scene.device(&app, &scene.store).await;
        let events = [
            store.event("inbound", &inbound(&[&tins[0], &tins[1], &tins[2]])),
            store.event("sale", &sale(&[&tins[0]])),
            store.event("sale", &sale(&[&tins[1]])),
        ];
        store.push(&events).await;
        let mut order = recall_order(&json!([]), "r", "i");
        order["codes"] = json!([tins[0]]);
        let recall = made(scene.firm.admin.post("/v1/recalls", &order).await);
        settled(&app).await;
        assert_eq!(open(&app, &tins[0]).await, ["SOLD_RECALLED"]);
        assert_eq!(open(&app, &tins[1]).await, [] as [&str; 0]);
        let path = format!("/v1/recalls/{}/widen", text_of(&recall["id"]));
        ok(scene
            .firm
            .admin
            .post(&path, &json!({"codes": [tins[1]]}))
            .await);
        settled(&app).await;
        assert_eq!(open(&app, &tins[1]).await, ["SOLD_RECALLED"]);
        assert_eq!(open(&app, &tins[2]).await, [] as [&str; 0]);
        holds(&app, "widened").await;
        app.stop().await;
    }
);

/// What packing these into a case says.
fn packing(case: &String, units: &[&String]) -> Value {
    json!({"parent": {"code": case, "input": "wedge"}, "units": scanned(units)})
}

/// A batch of another product, and two units of it.
async fn other_batch(scene: &Scene) -> (String, Vec<String>) {
    let admin = &scene.firm.admin;
    let product = product(admin, "CM-2", "0952123400002").await;
    let batch = batch(admin, &product, "L8").await;
    let segment = segment(admin, &product, 2).await;
    let ranges = json!([{"segment_id": segment["id"]}]);
    let body = json!({"batch_id": batch, "ranges": ranges});
    made(admin.post("/v1/commissions", &body).await);
    let path = format!("/v1/segments/{}/codes", text_of(&segment["id"]));
    let printed = admin.get(&path).await.text();
    let lines = printed.lines().skip(1);
    let urls = lines.filter_map(|line| line.rsplit(',').next());
    (batch, urls.map(str::to_owned).collect())
}

on_both!(
    c13_a_recall_of_what_a_container_holds_is_found_at_the_container,
    |app| {
        let scene = Scene::of(&app).await;
        let (batch, tins) = other_batch(&scene).await;
        let case = &scene.cases[0];
        let mut store = scene.device(&app, &scene.store).await;
        let events = [
            store.event("inbound", &inbound(&[case, &tins[0], &tins[1]])),
            store.event("pack", &packing(case, &[&tins[0], &tins[1]])),
            store.event("sale", &sale(&[case])),
        ];
        store.push(&events).await;
        settled(&app).await;
        assert_eq!(open(&app, case).await, [] as [&str; 0]);
        let recall = recalled(&scene, &batch).await;
        settled(&app).await;
        assert_eq!(open(&app, case).await, ["SOLD_RECALLED"]);
        let found = unit(&app, case).await.kept.findings.remove(0).finding;
        assert_eq!(found.batch.map(|id| id.0.to_string()), Some(batch));
        holds(&app, "opened").await;
        mistaken(&scene, &recall).await;
        settled(&app).await;
        assert_eq!(open(&app, case).await, [] as [&str; 0]);
        holds(&app, "mistaken").await;
        app.stop().await;
    }
);

on_both!(
    c13_goods_of_a_recalled_batch_part_from_a_case_that_comes_back,
    |app| {
        let scene = Scene::of(&app).await;
        let (batch, tins) = other_batch(&scene).await;
        let case = &scene.cases[0];
        let mut store = scene.device(&app, &scene.store).await;
        let events = [
            store.event("inbound", &inbound(&[case, &tins[0], &tins[1]])),
            store.event("pack", &packing(case, &[&tins[0], &tins[1]])),
            store.event("sale", &sale(&[case])),
        ];
        store.push(&events).await;
        let recall = recalled(&scene, &batch).await;
        settled(&app).await;
        // It has heard of what was stated up to here: its return comes after the recall.
        store.push(&[]).await;
        let event = store.event("return", &json!({"units": scanned(&[case])}));
        store.push(&[event]).await;
        settled(&app).await;
        // A recalled one that comes back is collected; its case is only returned.
        assert_eq!(unit(&app, case).await.kept.state.phase, Phase::Returned);
        for tin in &tins {
            let tin = unit(&app, tin).await;
            assert_eq!(tin.kept.state.phase, Phase::Collected);
            assert!(tin.exceptional);
        }
        holds(&app, "returned").await;
        mistaken(&scene, &recall).await;
        settled(&app).await;
        for tin in &tins {
            let tin = unit(&app, tin).await;
            assert_eq!(tin.kept.state.phase, Phase::Returned);
        }
        holds(&app, "mistaken").await;
        app.stop().await;
    }
);

on_both!(c11_a_complete_count_misses_what_it_does_not_name, |app| {
    let scene = Scene::of(&app).await;
    let tins = &scene.tins;
    let mut store = scene.device(&app, &scene.store).await;
    let mut late = scene.device(&app, &scene.store).await;
    let event = store.event("inbound", &inbound(&[&tins[0], &tins[1], &tins[2]]));
    store.push(&[event]).await;
    let scope = json!({"scope": {"complete": true}});
    // Counted now, told after one of them was sold.
    late.anchor.clone_from(&store.anchor);
    let sweep = late.event(
        "count",
        &json!({"units": scanned(&[&tins[0]]), "body": scope}),
    );
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let empty = store.push(&[]).await;
    store.keep(&empty.anchor);
    let event = store.event("sale", &sale(&[&tins[2]]));
    store.push(&[event]).await;
    late.push(std::slice::from_ref(&sweep)).await;
    settled(&app).await;
    for (tin, expected) in [
        (0, &[][..]),
        (1, &["MISSING_AT_COUNT"]),
        (2, &["MISSING_AT_COUNT"]),
    ] {
        assert_eq!(open(&app, &tins[tin]).await, expected, "tin {tin}");
    }
    holds(&app, "counted").await;
    // Struck, it misses nothing.
    let target = id_of(&sweep);
    let retract = late.event("retract", &json!({"target": target}));
    late.push(std::slice::from_ref(&retract)).await;
    settled(&app).await;
    for tin in &tins[..3] {
        assert_eq!(open(&app, tin).await, [] as [&str; 0]);
    }
    let by = closed(&app, FindingCode::MissingAtCount, Some(&target)).await;
    assert_eq!(by, 2, "closed with the count that was struck as the cause");
    holds(&app, "struck").await;
    app.stop().await;
});

on_both!(
    c13_a_late_event_before_a_pack_reaches_what_was_packed,
    |app| {
        let scene = Scene::of(&app).await;
        let [tin, case] = [&scene.tins[0], &scene.cases[0]];
        let mut early = scene.device(&app, &scene.warehouse).await;
        let mut device = scene.device(&app, &scene.warehouse).await;
        // Destroyed before anything was packed into it, but told late.
        let destroyed = early.event("destroy", &json!({"units": scanned(&[case])}));
        let answer = device.push(&[]).await;
        device.keep(&answer.anchor);
        let events = [
            device.event("inbound", &inbound(&[case, tin])),
            device.event(
                "pack",
                &json!({
                    "parent": {"code": case, "input": "wedge"}, "units": scanned(&[tin]),
                }),
            ),
            device.event("outbound", &outbound(&[case], &scene.store)),
        ];
        device.push(&events).await;
        holds(&app, "packed").await;
        early.push(&[destroyed]).await;
        holds(&app, "destroyed before").await;
        assert!(
            count(
                &app,
                "SELECT COUNT(*) AS n FROM unit WHERE inside IS NOT NULL"
            )
            .await
                <= 1
        );
        app.stop().await;
    }
);

on_both!(
    c13_what_strikes_an_event_of_a_case_reaches_what_left_it_since,
    |app| {
        let scene = Scene::of(&app).await;
        let [tin, other, case] = [&scene.tins[0], &scene.tins[1], &scene.cases[0]];
        let mut device = scene.device(&app, &scene.warehouse).await;
        let mut store = scene.device(&app, &scene.store).await;
        let pack = |tin: &String| {
            json!({
                "parent": {"code": case, "input": "wedge"}, "units": scanned(&[tin]),
            })
        };
        let packed = [
            device.event("inbound", &inbound(&[tin])),
            device.event("pack", &pack(tin)),
        ];
        let answer = device.push(&packed).await;
        // Somebody reads the wrong case at the store: it seems to be there, and so does what is in it.
        store.keep(&answer.anchor);
        let mistaken = store.event("pack", &pack(other));
        let answer = store.push(std::slice::from_ref(&mistaken)).await;
        device.keep(&answer.anchor);
        let event = device.event("outbound", &outbound(&[tin], &scene.store));
        let answer = device.push(&[event]).await;
        assert!(open(&app, tin).await.contains(&"WRONG_LOCATION"));
        holds(&app, "left").await;
        // It is struck after the tin has left the case.
        store.keep(&answer.anchor);
        let retract = store.event("retract", &json!({"target": id_of(&mistaken)}));
        store.push(&[retract]).await;
        assert!(!open(&app, tin).await.contains(&"WRONG_LOCATION"));
        holds(&app, "struck").await;
        app.stop().await;
    }
);

on_both!(
    c13_a_late_leg_of_a_pallet_parts_a_tin_from_the_case_that_was_on_it,
    |app| {
        let scene = Scene::of(&app).await;
        let [tin, case] = [&scene.tins[0], &scene.cases[0]];
        let pallet = "https://id.example/00/095212340000000037".to_owned();
        let admin = app.signed_in("platform.admin", PASSWORD).await;
        let partner = firm(&app, &admin, "SHEN", &[]).await;
        let shop = json!({"code": "S-1", "kind": "store", "name": "店"});
        let shop = id(&made(partner.admin.post("/v1/locations", &shop).await));
        let mut till = enrolled(&app, &partner.operator, &shop).await;
        let mut plant = scene.device(&app, &scene.plant).await;
        let mut warehouse = scene.device(&app, &scene.warehouse).await;
        let pack = |parent: &String, child: &String| {
            json!({
                "parent": {"code": parent, "input": "wedge"}, "children": scanned(&[child]),
            })
        };
        let event = plant.event("pack", &pack(&pallet, case));
        plant.push(&[event]).await;
        // The pallet goes to the partner, which is told later.
        let sent = plant.event("outbound", &outbound(&[&pallet], &shop));
        // By then the case is elsewhere, and the tin is put into it there.
        warehouse.status().await;
        let event = warehouse.event("pack", &pack(case, tin));
        warehouse.push(&[event]).await;
        plant.push(&[sent]).await;
        settled(&app).await;
        holds(&app, "sent").await;
        // The partner's word counts for the case now, and not for the tin that never was on its pallet.
        till.status().await;
        let event = till.event("inbound", &inbound(&[case]));
        till.push(&[event]).await;
        settled(&app).await;
        assert_eq!(open(&app, tin).await, ["UNEXPECTED_HOLDER"]);
        holds(&app, "received").await;
        app.stop().await;
    }
);

on_both!(
    c9_a_recall_finds_what_was_sold_before_it_was_packed_with_its_like,
    |app| {
        let scene = Scene::of(&app).await;
        let (batch, tins) = other_batch(&scene).await;
        let (case, tins) = (&scene.cases[0], [&tins[0], &tins[1]]);
        let mut shop = scene.device(&app, &scene.warehouse).await;
        // Both alike: sold before they were received, received, and packed.
        let events = [
            shop.event("inbound", &inbound(&[case])),
            shop.event("sale", &sale(&tins)),
            shop.event("inbound", &inbound(&tins)),
            shop.event(
                "pack",
                &json!({
                    "parent": {"code": case, "input": "wedge"}, "children": scanned(&tins),
                }),
            ),
        ];
        shop.push(&events).await;
        settled(&app).await;
        let alone = "SELECT COUNT(*) AS n FROM unit WHERE exceptional";
        assert_eq!(count(&app, alone).await, 0, "alike");
        recalled(&scene, &batch).await;
        settled(&app).await;
        for tin in tins {
            assert!(open(&app, tin).await.contains(&"SOLD_RECALLED"));
        }
        holds(&app, "recalled").await;
        app.stop().await;
    }
);

on_both!(
    c13_a_pallet_is_judged_by_what_lies_in_the_cases_on_it,
    |app| {
        let scene = Scene::of(&app).await;
        let [case, beside] = [&scene.cases[0], &scene.cases[1]];
        let pallet = "https://id.example/00/095212340000000037".to_owned();
        let (batch, tins) = other_batch(&scene).await;
        let admin = app.signed_in("platform.admin", PASSWORD).await;
        let partner = firm(&app, &admin, "SHEN", &[]).await;
        let shop = json!({"code": "S-1", "kind": "store", "name": "店"});
        let shop = id(&made(partner.admin.post("/v1/locations", &shop).await));
        let mut till = enrolled(&app, &partner.operator, &shop).await;
        let mut plant = scene.device(&app, &scene.plant).await;
        let pack = |parent: &String, child: &String| {
            json!({
                "parent": {"code": parent, "input": "wedge"}, "children": scanned(&[child]),
            })
        };
        let events = [
            plant.event("pack", &pack(case, &tins[0])),
            plant.event("pack", &pack(beside, &scene.tins[0])),
            plant.event("pack", &pack(&pallet, case)),
            plant.event("pack", &pack(&pallet, beside)),
        ];
        plant.push(&events).await;
        recalled(&scene, &batch).await;
        settled(&app).await;
        plant.status().await;
        let event = plant.event("outbound", &outbound(&[&pallet], &shop));
        plant.push(&[event]).await;
        settled(&app).await;
        assert_eq!(open(&app, &pallet).await, ["SHIP_RECALLED"]);
        // A tin of the other case is named: the pallet is folded with it, and nothing else of the batch.
        till.status().await;
        let event = till.event("inbound", &inbound(&[&scene.tins[0]]));
        till.push(&[event]).await;
        settled(&app).await;
        assert_eq!(open(&app, &pallet).await, ["SHIP_RECALLED"]);
        holds(&app, "received").await;
        app.stop().await;
    }
);

on_both!(c12_everything_taken_out_of_a_case_is_out_of_it, |app| {
    let scene = Scene::of(&app).await;
    let case = &scene.cases[0];
    let tins: Vec<&String> = scene.tins[..10].iter().collect();
    let mut device = scene.device(&app, &scene.warehouse).await;
    let events = [
        device.event("inbound", &inbound(&tins)),
        device.event(
            "pack",
            &json!({
                "parent": {"code": case, "input": "wedge"}, "units": scanned(&tins),
            }),
        ),
    ];
    device.push(&events).await;
    let inside = "SELECT COUNT(*) AS n FROM unit WHERE inside IS NOT NULL";
    assert_eq!(count(&app, inside).await, 10);
    let event = device.event(
        "unpack",
        &json!({"parent": {"code": case, "input": "wedge"}}),
    );
    device.push(std::slice::from_ref(&event)).await;
    settled(&app).await;
    assert_eq!(count(&app, inside).await, 0);
    holds(&app, "out").await;
    // And in again when that was a mistake.
    let retract = device.event("retract", &json!({"target": id_of(&event)}));
    device.push(&[retract]).await;
    settled(&app).await;
    assert_eq!(count(&app, inside).await, 10);
    holds(&app, "in again").await;
    app.stop().await;
});

/// Which entries explained what a device is told of its events after a position, by kind and position.
async fn entry_of_verdicts(device: &mut Handheld, after: i64) -> (Vec<String>, Vec<i64>) {
    let page = device.pull(after, 500).await;
    assert!(!page.more);
    let notes = page.items.into_iter().flat_map(|item| match item.item {
        Item::Verdict(verdict) => verdict.findings,
        _ => Vec::new(),
    });
    let closed = notes.inspect(|note| assert!(note.closed && note.closed_by.is_none()));
    let entries = closed.map(|note| note.closed_entry.expect("an entry"));
    entries.map(|entry| (entry.kind, entry.position)).unzip()
}

on_both!(
    c15_who_is_not_on_record_is_told_and_heals_with_a_badge,
    |app| {
        let scene = Scene::of(&app).await;
        let admin = &scene.firm.admin;
        let mut store = scene.device(&app, &scene.store).await;
        let by = |actor: &str, tin: &String| {
            let mut said = inbound(&[tin]);
            said["actor"] = json!({"id": actor, "proof": "pin", "login_age_s": 60});
            said
        };
        let told = async |device: &mut Handheld, actor: &str, tin: &String| {
            let event = device.event("inbound", &by(actor, tin));
            let answer = device.push(&[event]).await;
            let findings = answer.results[0].findings.iter();
            findings.map(|note| note.code).collect::<Vec<_>>()
        };
        let unknown = FindingCode::UnknownRef;
        // Nobody is on record: nobody is asked for.
        assert_eq!(told(&mut store, "w-17", &scene.tins[0]).await, []);
        let badge = async |number: &str| {
            let body = json!({"number": number, "role": "worker", "location_id": scene.store});
            made(admin.post("/v1/badges", &body).await)
        };
        let first = badge("W-1").await;
        settled(&app).await;
        assert_eq!(open_about_events(&app, unknown).await, 0, "of before");
        // The device hears what time it is.
        store.status().await;
        assert_eq!(told(&mut store, "W-1", &scene.tins[1]).await, []);
        assert_eq!(told(&mut store, "W-2", &scene.tins[2]).await, [unknown]);
        assert_eq!(told(&mut store, "W-3", &scene.tins[3]).await, [unknown]);
        let path = "/v1/findings?code=UNKNOWN_REF";
        let listed = ok(admin.get(path).await);
        assert_eq!(
            listed["items"][0]["detail"]["what"], "actor:W-3",
            "{listed}"
        );
        // So it is at the place of the badges, and nowhere else.
        let mut pda = scene.device(&app, &scene.warehouse).await;
        pda.status().await;
        assert_eq!(told(&mut pda, "W-9", &scene.tins[5]).await, []);
        // Whose badge was withdrawn was on record all the same.
        let gone = format!("/v1/badges/{}/withdraw", text_of(&first["id"]));
        ok(admin.send(Method::POST, &gone, &[], Vec::new()).await);
        assert_eq!(told(&mut store, "W-1", &scene.tins[4]).await, []);
        // Other master data heals nothing of it, and costs it nothing.
        product(admin, "CM-3", "0952123400003").await;
        settled(&app).await;
        assert_eq!(open_about_events(&app, unknown).await, 2);
        holds(&app, "unknown").await;
        let end = store.pull(0, 500).await.cursor;
        badge("W-2").await;
        settled(&app).await;
        assert_eq!(open_about_events(&app, unknown).await, 1);
        let (kinds, _) = entry_of_verdicts(&mut store, end).await;
        assert_eq!(kinds, ["badge_changed"]);
        holds(&app, "on record").await;

        // What came in before this was asked is asked once over.
        let db = app.state().db.writer();
        for sql in [
            "UPDATE finding SET closed = opened WHERE code = 'UNKNOWN_REF' AND closed IS NULL",
            "INSERT INTO refold (id, scope, cursor, gseq, rank, merges) \
         VALUES (2, '{\"of\":\"acted\"}', 0, 0, 2, '')",
        ] {
            db.execute_unprepared(sql).await.expect("rows");
        }
        settled(&app).await;
        assert_eq!(open_about_events(&app, unknown).await, 1);
        holds(&app, "asked once over").await;
        app.stop().await;
    }
);

on_both!(
    i8_goods_of_which_all_was_struck_become_known_with_their_product,
    |app| {
        let scene = Scene::of(&app).await;
        let gtin = crate::support::gtin("0952123400003");
        let code = format!("https://id.example.cn/01/{gtin}/21/A-17");
        let mut store = scene.device(&app, &scene.store).await;
        let came = store.event("inbound", &inbound(&[&code]));
        let target: Value = serde_json::from_str(&came).expect("an event");
        let struck = store.event("retract", &json!({"target": target["event_id"]}));
        store.push(&[came, struck]).await;
        settled(&app).await;
        assert_eq!(
            open_about_events(&app, FindingCode::UnknownRef).await,
            0,
            "nothing is found of what is struck"
        );
        product(&scene.firm.admin, "CM-3", "0952123400003").await;
        settled(&app).await;
        let whose = "SELECT COUNT(*) AS n FROM unit WHERE issuer IS NOT NULL \
                     AND unit_key LIKE '%/21/A-17'";
        assert_eq!(count(&app, whose).await, 1);
        holds(&app, "registered").await;
        app.stop().await;
    }
);

on_both!(c15_what_was_unknown_heals_when_it_is_registered, |app| {
    let scene = Scene::of(&app).await;
    let gtin = crate::support::gtin("0952123400003");
    let mut store = scene.device(&app, &scene.store).await;
    let lots = json!([{"gtin": gtin, "lot": "L1", "qty": 5}]);
    let code = format!("https://id.example.cn/01/{gtin}/21/A-17");
    let events = [
        store.event("inbound", &json!({"lots": lots, "doc": {"no": "D-1"}})),
        store.event("inbound", &inbound(&[&code])),
    ];
    let answer = store.push(&events).await;
    for result in &answer.results {
        let told: Vec<FindingCode> = result.findings.iter().map(|f| f.code).collect();
        assert_eq!(told, [FindingCode::UnknownRef]);
    }
    assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 2);
    // Work of entries before looks at what is on record when it is done.
    settled(&app).await;
    let end = store.pull(0, 500).await.cursor;
    product(&scene.firm.admin, "CM-3", "0952123400003").await;
    settled(&app).await;
    // The device is told which entry explained it.
    let (kind, at) = entry_of_verdicts(&mut store, end).await;
    assert_eq!(kind, ["master_data_changed"; 2]);
    let entry = "SELECT MAX(gseq) AS n FROM log_entry WHERE kind = 'master_data_changed'";
    assert_eq!(at, [count(&app, entry).await; 2]);
    assert_eq!(open_about_events(&app, FindingCode::UnknownRef).await, 0);
    assert_eq!(closed(&app, FindingCode::UnknownRef, None).await, 2);
    holds(&app, "registered").await;
    assert_ne!(GTIN, "0952123400003");
    app.stop().await;
});

on_both!(
    c15_what_the_standard_of_the_goods_demands_is_asked_for,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.warehouse).await;
        // Units, and lots; a case, too, falls under the profile of what it is of.
        let to = json!({"type": "location", "id": scene.store});
        let lots = json!([{"gtin": crate::support::gtin(GTIN), "lot": "L7", "qty": 1}]);
        let events = [
            device.event(
                "outbound",
                &json!({"units": scanned(&[&scene.tins[0]]), "counterpart": to}),
            ),
            device.event("outbound", &json!({"lots": lots, "counterpart": to})),
            device.event(
                "outbound",
                &json!({"units": scanned(&[&scene.cases[0]]), "counterpart": to}),
            ),
            device.event("outbound", &outbound(&[&scene.tins[1]], &scene.store)),
        ];
        device.push(&events).await;
        let sql = "SELECT COUNT(*) AS n FROM finding WHERE code = 'INCOMPLETE' AND closed IS NULL \
               AND finding LIKE '%logistics.logistics_company%'";
        assert_eq!(count(&app, sql).await, 3);
        assert_eq!(open_about_events(&app, FindingCode::Incomplete).await, 3);
        // What is struck is not asked for anything.
        let retract = device.event("retract", &json!({"target": id_of(&events[0])}));
        device.push(&[retract]).await;
        assert_eq!(open_about_events(&app, FindingCode::Incomplete).await, 2);
        holds(&app, "struck").await;
        app.stop().await;
    }
);

on_both!(
    c14_a_strangers_word_counts_once_the_issuer_accepts_it,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let shop = crate::support::firm(&app, &platform, "BETA", &["9521235"]).await;
        let place = made(
            shop.admin
                .post(
                    "/v1/locations",
                    &json!({"code": "S-1", "kind": "store", "name": "店"}),
                )
                .await,
        );
        let mut till = crate::scene::enrolled(&app, &shop.operator, &text_of(&place["id"])).await;
        let events = [
            till.event("inbound", &inbound(&[&scene.tins[0]])),
            till.event("sale", &sale(&[&scene.tins[0]])),
        ];
        till.push(&events).await;
        let stranger = ["UNEXPECTED_HOLDER", "UNEXPECTED_HOLDER"];
        assert_eq!(open(&app, &scene.tins[0]).await, stranger);
        let accept = json!({"partner_id": shop.id});
        made(scene.firm.admin.post("/v1/acceptances", &accept).await);
        settled(&app).await;
        let kept = unit(&app, &scene.tins[0]).await.kept;
        assert_eq!(kept.state.phase, Phase::Sold, "{kept:?}");
        assert_eq!(closed(&app, FindingCode::UnexpectedHolder, None).await, 2);
        holds(&app, "accepted").await;
        // A policy holds for what comes after it: nothing is folded again, and nothing need be.
        let policy = json!({"duplicate_window_s": 0, "list_age_s": 3600});
        let before = count(
            &app,
            "SELECT COUNT(*) AS n FROM log_entry WHERE kind = 'refolded'",
        )
        .await;
        assert_eq!(platform.post("/v1/policy", &policy).await.status, 204);
        holds(&app, "policy").await;
        let after = count(
            &app,
            "SELECT COUNT(*) AS n FROM log_entry WHERE kind = 'refolded'",
        )
        .await;
        assert_eq!(before, after);
        app.stop().await;
    }
);

on_both!(work_that_was_cut_short_goes_on_where_it_was, |app| {
    let scene = Scene::of(&app).await;
    let tins: Vec<&String> = scene.tins.iter().take(12).collect();
    let mut store = scene.device(&app, &scene.store).await;
    for tin in &tins {
        let events = [
            store.event("inbound", &inbound(&[tin])),
            store.event("sale", &sale(&[tin])),
        ];
        store.push(&events).await;
    }
    settled(&app).await;
    recalled(&scene, &scene.batch).await;
    settled(&app).await;
    let found = "SELECT COUNT(*) AS n FROM finding WHERE code = 'SOLD_RECALLED' AND closed IS NULL";
    assert_eq!(count(&app, found).await, 12);
    // As if the program had ended in the middle: what the first slice did is done, the rest not.
    let db = app.state().db.clone();
    let ids =
        "SELECT MAX(id) AS n FROM (SELECT id FROM unit WHERE phase = 'sold' ORDER BY id LIMIT 5) u";
    let cursor = count(&app, ids).await;
    let undone = "UPDATE unit SET state = REPLACE(state, 'SOLD_RECALLED', 'SOLD_EXPIRED') \
                  WHERE phase = 'sold' AND id > ";
    let undone = format!("{undone}{cursor}");
    db.writer().execute_unprepared(&undone).await.expect("rows");
    let twisted = "SELECT COUNT(*) AS n FROM unit WHERE state LIKE '%SOLD_EXPIRED%'";
    assert_eq!(count(&app, twisted).await, 7);
    let done = format!("SELECT COALESCE(MAX(gseq), 0) AS n FROM unit WHERE id <= {cursor}");
    let before = count(&app, &done).await;
    let work = Work {
        id: i64::MAX,
        scope: Scope::Batch {
            batch: BatchId(scene.batch.parse().expect("an id")),
        },
        cursor,
        cause: None,
        gseq: 1,
    };
    refold::add(db.writer(), std::slice::from_ref(&work))
        .await
        .expect("work");
    settled(&app).await;
    assert_eq!(count(&app, twisted).await, 0);
    assert_eq!(count(&app, found).await, 12);
    assert_eq!(
        count(&app, &done).await,
        before,
        "what was done is not done again"
    );
    holds(&app, "went on").await;
    // A slice of work that somebody else moved on meanwhile does nothing.
    let slices = "SELECT COUNT(*) AS n FROM log_entry WHERE kind = 'refolded'";
    let before = count(&app, slices).await;
    let again = app
        .state()
        .handheld
        .ingest
        .with_engine(move |engine| async move { slice(engine, &work, 5).await }.boxed());
    again.await.expect("the engine").expect("a slice");
    assert_eq!(count(&app, slices).await, before);
    app.stop().await;
});
