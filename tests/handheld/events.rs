//! What an event says can be read back, word for word and in types, by whom it may be, and what became of it
//! (sync.md sections 2 and 5).

use crate::{
    refolds::id_of,
    scene::{Scene, count, enrolled, inbound, outbound, sale, scanned},
    support::{
        Firm, PASSWORD, array, firm, gtin, id, made, ok, product, refused, refused_field, segment,
        text_of,
    },
};
use serde_json::{Value, json};
use suyuan::accounts::Role;
use suyuan_sync::event::{Kind, required::RULES};
use suyuan_tests::{Caller, Handheld, TestApp, caller::encoded, on_both};
use uuid::Uuid;

async fn read(staff: &Caller, event: &str) -> Value {
    ok(staff.get(&format!("/v1/events/{event}")).await)
}

/// Pushes an event, and gives its text and id.
async fn pushed(device: &mut Handheld, kind: &str, said: &Value) -> (String, String) {
    let text = device.event(kind, said);
    device.push(std::slice::from_ref(&text)).await;
    let id = id_of(&text);
    (text, id)
}

/// Another enterprise with a store and a device there.
pub async fn another(app: &TestApp, code: &str) -> (Firm, Handheld) {
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let firm = firm(app, &platform, code, &[]).await;
    let shop = json!({"code": "S-1", "kind": "store", "name": "店"});
    let shop = id(&made(firm.admin.post("/v1/locations", &shop).await));
    let device = enrolled(app, &firm.operator, &shop).await;
    (firm, device)
}

async fn regulator(app: &TestApp) -> Caller {
    crate::support::person(app, "regulator.one", Role::Regulator, None).await
}

/// What the standards' tables demand of an event and where it is read back, by the item that a rule names.
fn told_item<'v>(event: &'v Value, item: &str) -> &'v Value {
    let said = &event["stated"]["said"];
    let at = |pointer: &str| event.pointer(pointer).unwrap_or(&Value::Null);
    match item {
        "inbound.inbound_document_no" | "outbound.outbound_document_no" => &said["doc"]["no"],
        "scan_event.event_id" | "outbound_scan.event_id" => &event["event"],
        "scan_event.kind" | "outbound_scan.kind" => &event["kind"],
        "scan_event.device_id" | "outbound_scan.device_id" => at("/stated/device_id"),
        "scan_event.operator" | "outbound_scan.operator" => &said["actor"]["id"],
        "scan_event.location"
        | "enterprise_dispatch.dispatch_place"
        | "logistics.place_of_departure"
        | "transport.place_of_departure"
        | "store_sale.store_basic_information" => &event["location_id"],
        "enterprise_dispatch.purchaser"
        | "logistics.receiver_name"
        | "outbound.counterparty_name"
        | "transport.receiver_name" => at("/partner/name"),
        "outbound.counterparty_type" => at("/partner/type"),
        "logistics.logistics_company"
        | "logistics.place_of_arrival"
        | "transport.place_of_arrival" => &said["body"][item],
        "finished_goods_warehousing.batch_no" | "inbound.batch_no" | "outbound.batch_no" => {
            at("/stated/said/lots/0/lot")
        }
        "inbound.quantity" | "outbound.quantity" => at("/stated/said/lots/0/qty"),
        "scan_event.traceability_code"
        | "outbound_scan.traceability_code"
        | "outbound.traceability_code"
        | "store_sale.sales_information"
        | "enterprise_dispatch.goods_information"
        | "logistics.goods_information"
        | "inbound.product_name"
        | "outbound.product_name"
        | "finished_goods_warehousing.product_name" => at("/stated/said/units/0/code"),
        "scan_event.scanned_at"
        | "outbound_scan.scanned_at"
        | "enterprise_dispatch.dispatch_time"
        | "logistics.transport_time"
        | "logistics.arrival_time"
        | "inbound.inbound_time"
        | "outbound.outbound_time"
        | "finished_goods_warehousing.stock_movement_information" => &said["at"],
        // Of these the record of the product, the batch, or the pair of two events tells.
        "finished_goods_warehousing.stock_information"
        | "inbound.specification"
        | "outbound.specification"
        | "transport.duration" => &Value::Bool(true),
        other => panic!("{other} is read back nowhere"),
    }
}

on_both!(
    c15_mandatory_items_of_inbound_outbound_transport_and_sale_are_read_back_equal,
    |app| {
        let scene = Scene::of(&app).await;
        let staff = &scene.firm.operator;
        let mut device = scene.device(&app, &scene.store).await;
        let tin = &scene.tins[0];
        let lots = json!([{"gtin": gtin(crate::scene::GTIN), "lot": "L7", "qty": 3}]);
        let body = json!({
            "logistics.logistics_company": "顺丰速运", "logistics.place_of_arrival": "武汉",
            "transport.place_of_arrival": "武汉", "store_sale.sales_information": "单件",
            "logistics.note": "易碎 \u{2028} <b>&", "number": 1.25,
        });
        let say = |doc: &str| {
            json!({
                "units": [{"code": tin, "input": "camera"}], "lots": lots, "body": body,
                "doc": {"no": doc, "at": "2026-01-15"},
                "counterpart": {"type": "named", "name": "武汉经销商"},
                "env": {"temperature": 21.5, "humidity": 40},
            })
        };
        for (kind, name) in [
            (Kind::Inbound, "RK-1"),
            (Kind::Outbound, "CK-1"),
            (Kind::Sale, "XS-1"),
        ] {
            let said = say(name);
            let (text, event) = pushed(&mut device, kind.name(), &said).await;
            let told = read(staff, &event).await;
            assert_eq!(told["stated"]["text"], json!(text), "byte for byte");
            assert_eq!(told["stated"]["bytes"], json!(text.len()));
            for rule in RULES.iter().filter(|rule| rule.kind == kind) {
                if rule.profile.is_some() {
                    let item = told_item(&told, rule.item);
                    assert!(!item.is_null(), "{} of {kind:?}: {told}", rule.item);
                }
            }
            let stated = &told["stated"]["said"];
            assert_eq!(stated["doc"], said["doc"]);
            assert_eq!(stated["lots"], said["lots"]);
            assert_eq!(stated["body"], said["body"]);
            assert_eq!(
                stated["env"],
                json!({"temperature": 21.5, "humidity": 40.0})
            );
            assert_eq!(stated["units"][0]["code"], json!(tin));
            assert_eq!(stated["units"][0]["input"], "camera");
            assert_eq!(stated["actor"]["id"], "w-17");
            assert_eq!(
                told["partner"],
                json!({"type": "named", "name": "武汉经销商"})
            );
            assert_eq!(told["location_id"], json!(scene.store));
            assert_eq!(told["enterprise_id"], json!(scene.firm.id));
            let state = &told["stated"];
            assert_eq!(state["device_id"], json!(device.device));
            assert_eq!(
                (&state["epoch"], &state["seq"]),
                (&json!(1), &json!(device.next - 1))
            );
        }
        // It is reached from the trace of its goods (MB-T4-2, MB-T4-4), with the paper and the device.
        let unit = ok(staff.get(&format!("/v1/units/{}", encoded(tin))).await);
        let papers = array(&unit["timeline"]).iter().map(|entry| {
            assert_eq!(entry["device_id"], json!(device.device));
            text_of(&entry["doc"]["no"])
        });
        assert_eq!(papers.collect::<Vec<_>>(), ["RK-1", "CK-1", "XS-1"]);
        for entry in array(&unit["timeline"]) {
            let event = read(staff, &text_of(&entry["event"])).await;
            assert_eq!(event["position"], entry["position"]);
            assert_eq!(event["at"], entry["at"]);
            assert_eq!(event["not_before"], entry["not_before"]);
        }
        let line = ok(staff.get("/v1/stock/lots").await)["items"][0]["id"].clone();
        let moved = ok(staff.get(&format!("/v1/stock/lots/{line}/movements")).await);
        let first = &moved["items"][0];
        assert_eq!(first["device_id"], json!(device.device));
        let event = read(staff, &text_of(&first["event"])).await;
        assert_eq!(event["stated"]["said"]["lots"], lots);
        // What an inspection decided is told of it, and as every event's that of a stop that was overruled.
        let decided = json!({
            "units": scanned(&[tin]), "disposition": "hold",
            "override": {"code": "recalled", "reason": "样品", "supervisor": "m-1"},
        });
        let (_, event) = pushed(&mut device, "inspect", &decided).await;
        let event = read(staff, &event).await;
        assert_eq!(event["disposition"], "hold");
        assert_eq!(event["stated"]["said"]["override"]["supervisor"], "m-1");
        let unit = ok(staff.get(&format!("/v1/units/{}", encoded(tin))).await);
        assert_eq!(unit["timeline"][3]["disposition"], "hold");
        app.stop().await;
    }
);

on_both!(
    c10_a_retract_names_its_target_and_the_struck_its_retract,
    |app| {
        let scene = Scene::of(&app).await;
        let staff = &scene.firm.operator;
        let mut device = scene.device(&app, &scene.store).await;
        let tin = &scene.tins[0];
        let (_, sold) = pushed(&mut device, "sale", &sale(&[tin])).await;
        // Somebody else's word strikes nothing; then the actor's own does, and again.
        let stranger = json!({"target": sold, "actor": {"id": "w-99", "proof": "pin"}});
        let (_, unheard) = pushed(&mut device, "retract", &stranger).await;
        let event = read(staff, &sold).await;
        assert_eq!(event["struck"], false);
        assert_eq!(event["retracts"][0]["event"], json!(unheard));
        assert_eq!(event["retracts"][0]["strikes"], false);
        assert!(
            array(&read(staff, &unheard).await["findings"])
                .iter()
                .any(|finding| finding["code"] == "RETRACT_UNAUTHORISED")
        );
        let (_, retract) = pushed(&mut device, "retract", &json!({"target": sold})).await;
        let (_, again) = pushed(&mut device, "retract", &json!({"target": sold})).await;

        let event = read(staff, &sold).await;
        assert_eq!(
            (&event["struck"], &event["more_retracts"]),
            (&json!(true), &json!(0))
        );
        let named = array(&event["retracts"]).iter();
        let named: Vec<Value> = named
            .map(|it| json!([it["event"], it["strikes"]]))
            .collect();
        assert_eq!(
            named,
            [
                json!([retract, true]),
                json!([again, true]),
                json!([unheard, false])
            ]
        );
        // The finding that the sale was never received closed, by the retract.
        let finding = &event["findings"][0];
        assert_eq!(finding["code"], "ORPHAN_SALE");
        assert_eq!(finding["closed"]["by"]["event"], json!(retract));
        for (id, strikes) in [(&retract, true), (&unheard, false)] {
            let told = read(staff, id).await;
            assert_eq!(told["target"]["event"], json!(sold));
            assert_eq!(told["target"]["position"], event["position"]);
            assert_eq!(told["target"]["strikes"], json!(strikes));
            assert_eq!(told["struck"], false);
        }
        let unit = ok(staff.get(&format!("/v1/units/{}", encoded(tin))).await);
        let entries = array(&unit["timeline"]);
        assert_eq!(entries[0]["struck_by"], json!(retract), "{unit}");
        for entry in &entries[1..] {
            assert_eq!(
                (&entry["target"], &entry["struck_by"]),
                (&json!(sold), &Value::Null)
            );
        }
        // What it names may never come in.
        let nothing = Uuid::now_v7();
        let (_, waits) = pushed(&mut device, "retract", &json!({"target": nothing})).await;
        let told = read(staff, &waits).await;
        assert_eq!(told["target"], json!({"event": nothing, "strikes": false}));
        app.stop().await;
    }
);

on_both!(i20_an_event_is_told_to_whom_its_timeline_tells_it, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let tin = &scene.tins[0];
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let (shop, mut till) = another(&app, "SHEN").await;
    let (stranger, mut strange) = another(&app, "HENG").await;
    let come = warehouse.event("inbound", &inbound(&[tin]));
    let mut leave = outbound(&[tin], &till.location.to_string());
    leave["counterpart"] = json!({"type": "enterprise", "id": shop.id});
    let left = warehouse.event("outbound", &leave);
    warehouse.push(&[come.clone(), left.clone()]).await;
    till.status().await;
    let mut got = inbound(&[tin]);
    got["body"] = json!({"logistics.logistics_company": "secret carrier"});
    got["doc"] = json!({"no": "SHEN-7"});
    let (_, received) = pushed(&mut till, "inbound", &got).await;
    let named = json!({
        "units": scanned(&[tin]), "counterpart": {"type": "named", "name": "王女士"},
    });
    let (_, sold) = pushed(&mut till, "sale", &named).await;
    let [come, left] = [&come, &left].map(|text| id_of(text));
    let (maker, shop_id) = (&scene.firm.id, &shop.id);
    let of = |event: &str, whose: &str| format!("/v1/events/{event}?enterprise_id={whose}");
    let by = |event: &str, whose: &str| format!("{}&unit={}", of(event, whose), encoded(tin));

    // The issuer is told of the shop's what the timeline tells it, and nothing that it states besides.
    for event in [&received, &sold] {
        let unit = ok(staff.get(&format!("/v1/units/{}", encoded(tin))).await);
        let entry = array(&unit["timeline"])
            .iter()
            .find(|entry| entry["event"] == json!(event))
            .expect("an entry")
            .clone();
        for path in [of(event, shop_id), by(event, shop_id)] {
            let told = ok(staff.get(&path).await);
            for (name, value) in told.as_object().expect("an object") {
                if let Some(known) = entry.get(name) {
                    assert_eq!(value, known, "{name}");
                }
            }
            assert!(told.get("stated").is_none(), "{told}");
            let text = told.to_string();
            for hidden in ["secret carrier", "SHEN-7", "王女士", "w-17"] {
                assert!(!text.contains(hidden), "{hidden}: {told}");
            }
            assert!(!text.contains(&till.device.to_string()), "{told}");
        }
        assert!(!entry.to_string().contains("SHEN-7"), "{entry}");
        refused(staff.get(&format!("/v1/events/{event}")).await, "not-found");
    }
    // A holder one step up: what sent it here, of the unit; not what came before.
    let holder = &shop.operator;
    let told = ok(holder.get(&by(&left, maker)).await);
    assert_eq!(told["kind"], "outbound");
    assert!(told.get("stated").is_none() && !told.to_string().contains("顺丰"));
    refused(holder.get(&by(&come, maker)).await, "not-found");
    refused(holder.get(&of(&left, maker)).await, "not-found");
    // A stranger is told of none, whatever they name, nor by an event of that id of their own.
    let outsider = &stranger.operator;
    for (event, whose) in [
        (&come, maker),
        (&left, maker),
        (&received, shop_id),
        (&sold, shop_id),
    ] {
        for path in [
            format!("/v1/events/{event}"),
            of(event, whose),
            by(event, whose),
        ] {
            refused(outsider.get(&path).await, "not-found");
        }
    }
    let mut claim = inbound(&[&scene.tins[5]]);
    claim["event_id"] = json!(sold);
    let (text, _) = pushed(&mut strange, "inbound", &claim).await;
    let own = read(outsider, &sold).await;
    assert_eq!(own["stated"]["text"], json!(text));
    for path in [of(&sold, shop_id), by(&sold, shop_id)] {
        refused(outsider.get(&path).await, "not-found");
    }
    // An id is an enterprise's own: each reads its own by it, and those who see all say whose.
    assert_eq!(read(holder, &sold).await["kind"], "sale");
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    for all in [&platform, &regulator(&app).await] {
        let bare = all.get(&format!("/v1/events/{sold}")).await;
        refused_field(bare, "enterprise_id", "required");
        let told = ok(all.get(&of(&sold, shop_id)).await);
        assert_eq!(told["partner"]["name"], "王女士");
        assert_eq!(told["stated"]["device_id"], json!(till.device));
        let told = ok(all.get(&of(&sold, &stranger.id)).await);
        assert_eq!(told["stated"]["text"], json!(text));
        refused(all.get(&of(&sold, maker)).await, "not-found");
    }
    app.stop().await;
});

on_both!(t6_what_is_admitted_stays_readable, |app| {
    let scene = Scene::of(&app).await;
    let (admin, staff) = (&scene.firm.admin, &scene.firm.operator);
    let mut device = scene.device(&app, &scene.store).await;
    scene.revoke(&device).await;
    let tin = &scene.tins[0];
    let (text, event) = pushed(&mut device, "sale", &sale(&[tin])).await;
    let aside = read(staff, &event).await;
    assert_eq!(aside["stated"]["text"], json!(text));
    assert_eq!(aside["stated"]["fate"], "quarantined");
    assert_eq!(aside["stated"]["remarks"], json!(["DEVICE_REVOKED"]));
    assert!(aside["stated"].get("counts_from").is_none() && aside.get("at").is_none());
    assert_eq!(aside["findings"][0]["code"], "DEVICE_REVOKED");
    // Who sees all by their role is told that it stands aside, and not what nobody has read.
    let all = regulator(&app).await;
    let named = format!("/v1/events/{event}?enterprise_id={}", scene.firm.id);
    let told = ok(all.get(&named).await);
    assert_eq!(told["stated"]["fate"], "quarantined");
    assert!(!told.to_string().contains("w-17"), "{told}");

    let path = format!("/v1/quarantine/{}", aside["position"]);
    ok(staff.get(&path).await);
    let note = json!({"note": "小票在"});
    ok(admin.post(&format!("{path}/admit"), &note).await);
    refused(staff.get(&path).await, "not-found");
    let told = read(staff, &event).await;
    assert_eq!(told["stated"]["text"], json!(text));
    assert_eq!(told["position"], aside["position"]);
    assert!(told["stated"]["counts_from"].as_i64() > told["position"].as_i64());
    assert_eq!(ok(all.get(&named).await)["stated"]["text"], json!(text));
    let unit = ok(staff.get(&format!("/v1/units/{}", encoded(tin))).await);
    assert_eq!(unit["timeline"][0]["event"], json!(event));

    // What waits for a later program is read as it came; a fork says which branch it is on.
    let mut other = scene.device(&app, &scene.store).await;
    let later = json!({"news": {"deep": [1, 2]}});
    let (text, parked) = pushed(&mut other, "from_the_future", &later).await;
    let told = read(staff, &parked).await;
    assert_eq!(told["stated"]["text"], json!(text));
    assert_eq!(told["stated"]["fate"], "parked");
    assert!(told["stated"].get("said").is_none());
    let mut copy = other.copy(&app.internal_url);
    pushed(&mut other, "sale", &sale(&[&scene.tins[1]])).await;
    let (_, forked) = pushed(&mut copy, "sale", &sale(&[&scene.tins[2]])).await;
    let told = read(staff, &forked).await;
    assert_eq!(told["stated"]["branch"], json!(copy.head().to_string()));
    app.stop().await;
});

on_both!(
    ids_that_are_none_are_nobodys_event_and_write_nothing,
    |app| {
        let scene = Scene::of(&app).await;
        let staff = &scene.firm.operator;
        let mut device = scene.device(&app, &scene.store).await;
        let (_, event) = pushed(&mut device, "sale", &sale(&[&scene.tins[0]])).await;
        let log = "SELECT gseq AS n FROM log_head";
        let before = count(&app, log).await;
        for odd in [
            "1",
            "-1",
            "%00",
            "%27%20OR%201=1--",
            "..%2F..%2Fetc",
            "null",
            "%F0%9F%8D%BC",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            &"9".repeat(4_000),
        ] {
            let answer = staff.get(&format!("/v1/events/{odd}")).await;
            assert!(
                [400, 404].contains(&answer.status),
                "{odd}: {}",
                answer.text()
            );
        }
        for odd in ["enterprise_id=1", "enterprise_id=", "who=me"] {
            let answer = staff.get(&format!("/v1/events/{event}?{odd}")).await;
            assert_eq!(answer.status / 100, 4, "{odd}: {}", answer.text());
        }
        refused(
            staff.get(&format!("/v1/events/{event}?unit=%00")).await,
            "malformed-code",
        );
        let product = product(&scene.firm.admin, "CM-9", "0952123400009").await;
        let unused = segment(&scene.firm.admin, &product, 1).await;
        assert!(unused["id"].is_string());
        let whole = format!("/v1/events/{event}?unit={}", gtin("0952123400009"));
        refused(staff.get(&whole).await, "invalid-fields");
        // A text in capitals or without hyphens is the same id.
        for same in [event.to_uppercase(), event.replace('-', "")] {
            assert_eq!(read(staff, &same).await["event"], json!(event));
        }
        assert!(count(&app, log).await >= before);
        assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, 1);
        app.stop().await;
    }
);
