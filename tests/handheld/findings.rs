//! The list of findings and its counts: whose they are, which are asked for, in pages.

use crate::{
    elsewhere::that_expire,
    lots::lots_of,
    scene::{Scene, enrolled, inbound, sale},
    support::{PASSWORD, array, firm, id, made, number, ok, refused_field, text_of},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use suyuan::{
    db::statement,
    findings::{
        newest_store::{Limits, Of, newest},
        rules::{Concerns, sees},
        store::{self, Filter},
        wire::FindingOut,
    },
    handheld::units::store::NOW,
};
use suyuan_sync::{
    fold::Reader,
    ids::{DeviceId, EnterpriseId},
};
use suyuan_tests::{Caller, TestApp, caller::encoded, on_both};
use uuid::Uuid;

async fn list(caller: &Caller, query: &str) -> Vec<Value> {
    let page = ok(caller.get(&format!("/v1/findings?{query}")).await);
    array(&page["items"]).to_vec()
}

async fn codes(caller: &Caller, query: &str) -> Vec<String> {
    let list = list(caller, query).await;
    list.iter()
        .map(|finding| text_of(&finding["code"]))
        .collect()
}

/// Three tins sold that never came in, of which one comes in late; one of them sold twice.
async fn stage(app: &TestApp) -> (Scene, String) {
    let scene = Scene::of(app).await;
    let mut warehouse = scene.device(app, &scene.store).await;
    let mut till = scene.device(app, &scene.store).await;
    let late = warehouse.event("inbound", &inbound(&[&scene.tins[0]]));
    till.push(&[]).await;
    let mut events = Vec::new();
    for tin in [0, 1, 2, 2] {
        events.push(till.event("sale", &sale(&[&scene.tins[tin]])));
    }
    till.push(&events).await;
    warehouse.push(&[late]).await;
    (scene, till.device.to_string())
}

on_both!(findings_are_listed_by_what_is_asked_for, |app| {
    let (scene, till) = stage(&app).await;
    let staff = &scene.firm.operator;
    assert_eq!(
        codes(staff, "open=true&severity=critical").await,
        ["DOUBLE_SALE"]
    );
    assert_eq!(codes(staff, "open=true&code=ORPHAN_SALE").await.len(), 2);
    let closed = list(staff, "open=false").await;
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0]["code"], "ORPHAN_SALE");
    assert_eq!(closed[0]["closed"]["by"]["kind"], "inbound");
    assert_eq!(closed[0]["witnesses"][0]["kind"], "sale");
    let unit = encoded(&scene.tins[2]);
    assert_eq!(
        codes(staff, &format!("unit={unit}&severity=critical")).await,
        ["DOUBLE_SALE"]
    );
    assert_eq!(
        codes(staff, &format!("unit={}", encoded(&scene.tins[9]))).await,
        [""; 0]
    );
    let all = list(staff, "").await.len();
    for (query, expected) in [
        (format!("device={till}"), all),
        (format!("place={}", scene.store), all),
        (format!("place={}", scene.plant), 0),
        (format!("batch={}", scene.batch), all),
        (format!("batch={}", scene.plant), 0),
        ("since=999999".into(), 0),
        ("until=1".into(), 0),
        ("since_time=2099-01-01T00:00:00Z".into(), 0),
        ("until_time=2099-01-01T00:00:00Z".into(), all),
        // As far as RFC 3339 goes.
        ("since_time=9999-12-31T23:59:59Z".into(), 0),
        ("until_time=9999-12-31T23:59:60-23:59".into(), all),
        ("since_time=0000-01-01T00:00:00Z".into(), all),
        ("until_time=0000-01-01T00:00:00%2B23:59".into(), 0),
        ("until_time=2020-01-01T00:00:00Z".into(), 0),
    ] {
        assert_eq!(list(staff, &query).await.len(), expected, "{query}");
    }
    // Between the sales and what came in late, by position and by time alike.
    let opened = closed[0]["opened_position"].as_i64().expect("a position");
    let after = format!("since={}", opened + 1);
    assert_eq!(list(staff, &after).await.len(), all - 1);

    // Page by page it is the same list.
    let (mut seen, mut more) = (Vec::new(), String::new());
    loop {
        let page = ok(staff.get(&format!("/v1/findings?limit=2{more}")).await);
        seen.extend(array(&page["items"]).to_vec());
        let Some(next) = page["next"].as_i64() else {
            break;
        };
        more = format!("&after={next}");
    }
    assert_eq!(seen, list(staff, "").await);
    for (query, field) in [
        ("code=NONE", "code"),
        ("severity=bad", "severity"),
        ("since_time=x", "since_time"),
    ] {
        let answer = staff.get(&format!("/v1/findings?{query}")).await;
        let fault = if field == "since_time" {
            "bad-time"
        } else {
            "unknown"
        };
        refused_field(answer, field, fault);
    }
    app.stop().await;
});

on_both!(each_filter_tells_its_own_and_not_anothers, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let (second, tins) = that_expire(&scene, 1).await;
    // At each place a device sold what never came in, each of a batch of its own.
    let mut sold = Vec::new();
    for (place, batch, tin) in [
        (&scene.store, &scene.batch, &scene.tins[0]),
        (&scene.warehouse, &second, &tins[0]),
    ] {
        let mut till = scene.device(&app, place).await;
        till.push(&[]).await;
        let sale = till.event("sale", &sale(&[tin]));
        let event: Value = serde_json::from_str(&sale).expect("an event");
        till.push(&[sale]).await;
        sold.push((place, till.device, batch, text_of(&event["event_id"])));
    }
    let both = list(staff, "open=true&code=ORPHAN_SALE").await;
    assert_eq!(both.len(), 2, "{both:?}");
    for (place, device, batch, event) in &sold {
        for query in [
            format!("place={place}"),
            format!("device={device}"),
            format!("batch={batch}"),
        ] {
            let query = format!("{query}&open=true&code=ORPHAN_SALE");
            let told = list(staff, &query).await;
            let told: Vec<String> = told.iter().map(|it| text_of(&it["event"])).collect();
            assert_eq!(told, std::slice::from_ref(event), "{query}");
        }
    }
    // Of two at once only what is of both.
    let crossed = format!("place={}&device={}", sold[0].0, sold[1].1);
    assert_eq!(list(staff, &crossed).await, Vec::<Value>::new());
    app.stop().await;
});

on_both!(
    i25_the_judged_event_is_its_staters_whatever_another_calls_by_its_id,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let shop = firm(&app, &platform, "BETA", &[]).await;
        let place = json!({"code": "S-1", "kind": "store", "name": "店"});
        let place = id(&made(shop.admin.post("/v1/locations", &place).await));
        let mut stranger = enrolled(&app, &shop.operator, &place).await;
        let mut till = scene.device(&app, &scene.store).await;
        let tin = &scene.tins[0];
        let sold = till.event("sale", &sale(&[tin]));
        let judged: Value = serde_json::from_str(&sold).expect("an event");
        // A stranger's event about the same tin, which was in first, has its id.
        let mut said = inbound(&[tin]);
        said["event_id"] = judged["event_id"].clone();
        let first = stranger.event("inbound", &said);
        stranger.push(&[first]).await;
        till.push(&[sold]).await;
        for caller in [&scene.firm.admin, &platform] {
            let found = list(caller, "code=ORPHAN_SALE").await;
            let [found] = &found[..] else {
                panic!("{found:?}");
            };
            assert_eq!(found["event"], judged["event_id"]);
            let witnesses = array(&found["witnesses"]).iter();
            let told: Vec<_> = witnesses
                .map(|it| (text_of(&it["kind"]), text_of(&it["enterprise_id"])))
                .collect();
            assert_eq!(told, [("sale".to_owned(), scene.firm.id.clone())]);
        }
        app.stop().await;
    }
);

on_both!(open_findings_are_counted_for_those_they_concern, |app| {
    let (scene, _) = stage(&app).await;
    let operator = app
        .signed_in("platform.admin", crate::support::PASSWORD)
        .await;
    for caller in [&scene.firm.admin, &scene.firm.operator, &operator] {
        let counts = ok(caller.get("/v1/findings/counts").await);
        assert_eq!(counts["critical"], json!(1));
        let open = list(caller, "open=true&limit=500").await;
        let sum: u64 = array(&counts["codes"])
            .iter()
            .map(|count| number(&count["open"]))
            .sum();
        assert_eq!(sum, open.len() as u64);
        let orphans = array(&counts["codes"])
            .iter()
            .find(|c| c["code"] == "ORPHAN_SALE");
        assert_eq!(orphans.expect("counted")["open"], json!(2));
    }
    let other = firm(&app, &operator, "BBB", &[]).await;
    assert_eq!(
        ok(other.admin.get("/v1/findings/counts").await)["codes"],
        json!([])
    );
    assert_eq!(list(&other.admin, "").await, [json!(null); 0]);
    app.stop().await;
});

/// A finding as its row has it.
struct Row {
    id: i64,
    stated: Uuid,
    issuer: Option<Uuid>,
    of_lot: bool,
    open: bool,
    unit: Option<i64>,
    event: Of,
}

async fn rows(conn: &impl ConnectionTrait) -> Vec<Row> {
    let sql = "SELECT id, enterprise_id, issuer, line_id, closed, unit_id, device_id, event_gseq \
               FROM finding ORDER BY id DESC";
    let found = conn.query_all_raw(statement(conn.get_database_backend(), sql, []));
    let found = found.await.expect("findings").into_iter();
    let number = |row: &sea_orm::QueryResult, name: &str| -> Option<i64> {
        row.try_get("", name).expect("a number")
    };
    let id = |row: &sea_orm::QueryResult, name: &str| -> Option<Uuid> {
        row.try_get("", name).expect("an id")
    };
    let row = |row: sea_orm::QueryResult| Row {
        id: number(&row, "id").expect("a number"),
        stated: id(&row, "enterprise_id").expect("whose"),
        issuer: id(&row, "issuer"),
        of_lot: number(&row, "line_id").is_some(),
        open: number(&row, "closed").is_none(),
        unit: number(&row, "unit_id"),
        event: Of::Event(
            DeviceId(id(&row, "device_id").expect("a device")),
            number(&row, "event_gseq").expect("a position"),
        ),
    };
    found.map(row).collect()
}

on_both!(
    who_sees_a_finding_is_what_the_rule_says_wherever_it_is_told,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let shop = firm(&app, &platform, "BETA", &[]).await;
        let place = json!({"code": "S-1", "kind": "store", "name": "店"});
        let place = id(&made(shop.admin.post("/v1/locations", &place).await));
        let mut own = scene.device(&app, &scene.store).await;
        let mut late = scene.device(&app, &scene.store).await;
        let mut shops = enrolled(&app, &shop.operator, &place).await;
        // What came late explains one away.
        let came = late.event("inbound", &inbound(&[&scene.tins[0]]));
        let foreign = "(01)04012345678901(21)Ab-1".to_owned();
        let lot = json!({"lots": lots_of("09521234000013", Some("L7"), 3)});
        let sold = |tin: usize| sale(&[&scene.tins[tin]]);
        for (device, said) in [
            (&mut own, vec![sold(0), sold(1), sold(1), lot.clone()]),
            (
                &mut shops,
                vec![sold(2), sold(2), sale(&[&foreign]), sale(&[&foreign]), lot],
            ),
        ] {
            device.push(&[]).await;
            let events: Vec<String> = said.iter().map(|said| device.event("sale", said)).collect();
            device.push(&events).await;
        }
        late.push(&[came]).await;
        let firms = [&scene.firm.id, &shop.id].map(|id| id.parse().expect("an id"));
        let [maker, beta]: [Uuid; 2] = firms;
        // A release before this one named the issuer of a lot, too.
        let db = &app.state().db;
        let named = "UPDATE finding SET issuer = ? WHERE line_id IS NOT NULL";
        let named = statement(db.backend(), named, [maker.into()]);
        db.writer().execute_raw(named).await.expect("named");

        let tx = db.begin_reading().await.expect("a moment");
        let rows = rows(&tx).await;
        for (what, is) in [
            ("the maker's own", (maker, Some(maker), false)),
            ("of the maker's goods", (beta, Some(maker), false)),
            ("of the maker's lot", (beta, Some(maker), true)),
            ("of the maker's lot, its own", (maker, Some(maker), true)),
            ("of foreign goods", (beta, None, false)),
        ] {
            let mut all = rows.iter();
            assert!(
                all.any(|row| (row.stated, row.issuer, row.of_lot) == is),
                "{what}"
            );
        }
        assert!(rows.iter().any(|row| !row.open), "one was explained away");

        let ids = |told: &[FindingOut]| told.iter().map(|told| told.id).collect::<Vec<i64>>();
        let as_one = |id| Reader::Enterprise(EnterpriseId(id));
        let limits = Limits {
            all: 500,
            of_strangers: None,
        };
        for who in [
            Reader::All,
            as_one(maker),
            as_one(beta),
            as_one(Uuid::nil()),
        ] {
            let seen = |row: &&Row| sees(who, Concerns::of(row.stated, row.issuer, row.of_lot));
            let seen: Vec<&Row> = rows.iter().filter(seen).collect();
            let expected: Vec<i64> = seen.iter().map(|row| row.id).collect();
            for limit in [1, 3, 500] {
                let told = store::page(&tx, who, &Filter::default(), limit).await;
                let first = expected.len().min(limit as usize);
                assert_eq!(
                    ids(&told.expect("a page")),
                    expected[..first],
                    "{who:?}, {limit}"
                );
            }
            let counted = store::counts(&tx, who).await.expect("counts");
            let open: u64 = counted.codes.iter().map(|count| count.open).sum();
            assert_eq!(
                open,
                seen.iter().filter(|row| row.open).count() as u64,
                "{who:?}"
            );
            let of_units = rows.iter().filter_map(|row| row.unit);
            let of_units = of_units.map(|unit| Of::Unit(unit, NOW));
            for of in of_units.chain(rows.iter().map(|row| row.event)) {
                let (told, more) = newest(&tx, who, of, limits).await.expect("findings");
                let about = |row: &&&Row| match of {
                    Of::Unit(unit, _) => row.unit == Some(unit),
                    event @ Of::Event(..) => row.event == event,
                };
                let expected: BTreeSet<i64> = seen.iter().filter(about).map(|row| row.id).collect();
                let told: BTreeSet<i64> = ids(&told).into_iter().collect();
                assert_eq!((told, more), (expected, 0), "{who:?}, {of:?}");
            }
        }
        drop(tx);
        app.stop().await;
    }
);
