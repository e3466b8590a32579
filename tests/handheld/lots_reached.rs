//! The reach of a recall of goods of a lot: what those say whom the goods reached, and apart from it what
//! anybody else says of the lot.

use crate::{
    enrolment::place,
    lots_recalled::{of, recalled, sold},
    scene::{Scene, enrolled, holds, inbound, outbound, settled},
    support::{PASSWORD, firm, made, ok},
};
use serde_json::{Value, json};
use suyuan::{
    log::Actor,
    registry::locations::{
        store as locations,
        wire::{LocationKind, LocationOut},
    },
};
use suyuan_tests::on_both;
use uuid::Uuid;

on_both!(i17_a_strangers_word_of_a_lot_is_told_apart, |app| {
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let mut firms = Vec::new();
    for code in ["SHEN", "HENG", "BETA"] {
        let firm = firm(&app, &platform, code, &[]).await;
        let shop = place(&firm.operator, "S-1", "store").await;
        let till = enrolled(&app, &firm.operator, &shop).await;
        firms.push((firm, shop, till));
    }
    let (mut holder, mut second, mut strange) = {
        let [a, b, c] = <[_; 3]>::try_from(firms).map_err(drop).expect("three");
        (a, b, c)
    };
    let mut plant = scene.device(&app, &scene.plant).await;
    let to_holder = json!({"type": "enterprise", "id": holder.0.id});
    let to_second = json!({"type": "location", "id": second.1});
    let made_here = [
        plant.event("commission", &json!({"lots": of("L7", 100)})),
        plant.event(
            "outbound",
            &json!({"lots": of("L7", 40), "counterpart": to_holder}),
        ),
    ];
    plant.push(&made_here).await;
    let came = |qty: u64| json!({"lots": of("L7", qty), "doc": {"no": "D-1"}});
    let sent_on = [
        holder.2.event("inbound", &came(40)),
        holder.2.event(
            "outbound",
            &json!({"lots": of("L7", 10), "counterpart": to_second}),
        ),
    ];
    holder.2.push(&sent_on).await;
    let arrived = [
        second.2.event("inbound", &came(10)),
        second.2.event("sale", &sold(4)),
    ];
    second.2.push(&arrived).await;
    // It even says that the maker sent it, and sends some to the maker: that links nobody but the maker.
    let maker = json!({"type": "enterprise", "id": scene.firm.id});
    let mut invented = came(1_000_000);
    invented["counterpart"] = maker.clone();
    let word = [
        strange.2.event("inbound", &invented),
        strange.2.event("sale", &sold(900_000)),
        strange.2.event("collect", &json!({"lots": of("L7", 70)})),
        strange.2.event(
            "outbound",
            &json!({"lots": of("L7", 30), "counterpart": maker}),
        ),
    ];
    strange.2.push(&word).await;
    let recall = recalled(&scene, &[&scene.batch]).await;
    settled(&app).await;
    let path = format!("/v1/recalls/{recall}/reach");
    let reach = ok(scene.firm.admin.get(&path).await);
    let figures = |reach: &Value, wanted: &[(&str, i64)]| {
        for (name, wanted) in wanted {
            assert_eq!(reach["lot_totals"][0][name], *wanted, "{name} of {reach}");
        }
    };
    let others = [
        ("made", 100),
        ("shipped", 50),
        ("received", 50),
        ("sold", 4),
    ];
    figures(&reach, &others);
    figures(
        &reach,
        &[("collected", 0), ("on_hand", 96), ("on_the_way", 0)],
    );
    // What it says to have sent is of what it says to have fetched back; the rest of that lies at its place.
    figures(&reach, &[("claimed", 99_970)]);
    let lines = reach["lots"].as_array().expect("lines");
    let places = lines.iter().filter_map(|line| line["location_id"].as_str());
    let mut places: Vec<&str> = places.collect();
    let mut wanted = [&*scene.plant, &*holder.1, &*second.1];
    places.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(places, wanted);
    let sales = |reach: &Value| {
        let sales = reach["sales"].as_array().expect("sales").iter();
        sales
            .map(|row| row["sales"].as_u64().expect("a number"))
            .sum::<u64>()
    };
    assert_eq!(sales(&reach), 1, "{reach}");
    // Once the maker takes its word for the batch it is no claim any more.
    let accept = json!({"partner_id": strange.0.id, "batch_id": scene.batch});
    made(scene.firm.admin.post("/v1/acceptances", &accept).await);
    let reach = ok(scene.firm.admin.get(&path).await);
    figures(
        &reach,
        &[("claimed", 0), ("collected", 70), ("sold", 900_004)],
    );
    figures(&reach, &[("apart", 40)]);
    assert_eq!(sales(&reach), 2, "{reach}");
    app.stop().await;
});

on_both!(
    c9_what_others_sell_of_a_lot_is_not_in_its_issuers_list,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let beta = firm(&app, &platform, "BETA", &[]).await;
        let shop = place(&beta.operator, "S-1", "store").await;
        let mut strange = enrolled(&app, &beta.operator, &shop).await;
        let mut store = scene.device(&app, &scene.store).await;
        let recall = recalled(&scene, &[&scene.batch]).await;
        settled(&app).await;
        let came = json!({"lots": of("L7", 10), "doc": {"no": "D-1"}});
        for device in [&mut strange, &mut store] {
            device.push(&[]).await;
            let events = [
                device.event("inbound", &came),
                device.event("sale", &sold(12)),
            ];
            device.push(&events).await;
        }
        settled(&app).await;
        let listed = async |caller: &suyuan_tests::Caller| {
            let page = ok(caller.get("/v1/findings?open=true").await);
            let found = page["items"].as_array().expect("findings").iter();
            let mut found: Vec<(Value, Value)> = found
                .filter(|found| !found["lot"].is_null())
                .map(|found| (found["code"].clone(), found["enterprise_id"].clone()))
                .collect();
            found.sort_by_key(|found| found.0.to_string());
            found
        };
        let of = |who: &str| {
            let both = ["NEG_BALANCE", "SOLD_RECALLED"];
            both.map(|code| (json!(code), json!(who)))
        };
        let (maker, other) = (&scene.firm.operator, &beta.operator);
        let path = format!("/v1/recalls/{recall}/reach");
        let sales = async || {
            let reach = ok(scene.firm.admin.get(&path).await);
            let sales = reach["sales"].as_array().expect("sales").iter();
            let sales = sales.map(|row| row["sales"].as_u64().expect("a number"));
            sales.sum::<u64>()
        };
        let db = &app.state().db;
        let named = "SELECT COUNT(*) AS n FROM finding WHERE line_id IS NOT NULL \
                     AND issuer IS NOT NULL AND issuer <> enterprise_id";
        assert_eq!(crate::scene::count(&app, named).await, 0);
        for again in [false, true] {
            if again {
                // What was found before this was so names the issuer.
                let sql = "UPDATE finding SET issuer = ? WHERE line_id IS NOT NULL";
                let id: uuid::Uuid = scene.firm.id.parse().expect("an id");
                let query = suyuan::db::statement(db.backend(), sql, [id.into()]);
                let tx = db.begin().await.expect("a transaction");
                let done = sea_orm::ConnectionTrait::execute_raw(&tx, query).await;
                done.expect("rows");
                tx.commit().await.expect("a commit");
            }
            assert_eq!(listed(maker).await, of(&scene.firm.id));
            assert_eq!(listed(other).await, of(&beta.id));
            assert_eq!(sales().await, 1);
        }
        // Once goods of the lot reach it, its sale is the recall's, and its findings are its own still.
        let sent = json!({
            "lots": self::of("L7", 3), "counterpart": {"type": "enterprise", "id": beta.id},
        });
        let event = store.event("outbound", &sent);
        store.push(&[event]).await;
        assert_eq!(sales().await, 2);
        let of_beta = listed(maker).await;
        assert!(of_beta.iter().all(|(_, who)| *who == json!(scene.firm.id)));
        app.stop().await;
    }
);

on_both!(
    i17_what_a_case_carries_to_a_place_on_no_record_is_theirs_who_said_so,
    |app| {
        let scene = Scene::of(&app).await;
        let case = &scene.cases[0];
        let mut plant = scene.device(&app, &scene.plant).await;
        let packing =
            json!({"parent": {"code": case, "input": "wedge"}, "units": [], "lots": of("L7", 5)});
        let mut came = inbound(&[case]);
        came["location"] = json!(Uuid::now_v7());
        let events = [
            plant.event("commission", &json!({"lots": of("L7", 5)})),
            plant.event("pack", &packing),
            plant.event("outbound", &outbound(&[case], &scene.store)),
            plant.event("inbound", &came),
        ];
        plant.push(&events).await;
        let recall = recalled(&scene, &[&scene.batch]).await;
        settled(&app).await;
        let path = format!("/v1/recalls/{recall}/reach");
        let reach = ok(scene.firm.admin.get(&path).await);
        let of_cases = reach["lot_totals"].as_array().expect("totals").iter();
        let told: Vec<(&Value, &Value)> = of_cases
            .map(|total| (&total["received"], &total["claimed"]))
            .collect();
        assert!(told.contains(&(&json!(5), &json!(0))), "{reach}");
        assert!(told.iter().all(|(_, claimed)| **claimed == 0), "{reach}");
        app.stop().await;
    }
);

on_both!(
    i17_goods_at_a_place_are_its_owners_whoever_stated_them_before_it_was_on_record,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let beta = firm(&app, &platform, "BETA", &[]).await;
        let place = Uuid::now_v7();
        let shop = self::place(&beta.operator, "S-1", "store").await;
        let plant = scene.device(&app, &scene.plant).await;
        let theirs = enrolled(&app, &beta.operator, &shop).await;
        for (mut device, qty) in [(plant, 5), (theirs, 7)] {
            let came = json!({"lots": of("L7", qty), "doc": {"no": "D-1"}, "location": place});
            let came = device.event("inbound", &came);
            device.push(&[came]).await;
        }
        let recall = recalled(&scene, &[&scene.batch]).await;
        settled(&app).await;
        let told = async || {
            let path = format!("/v1/recalls/{recall}/reach");
            let reach = ok(scene.firm.admin.get(&path).await);
            let total = reach["lot_totals"][0].clone();
            let mut told = vec![total["received"].clone(), total["claimed"].clone()];
            for staff in [&scene.firm, &beta] {
                let listed = ok(staff.operator.get("/v1/stock/lots").await);
                told.push(json!(listed["items"].as_array().map(Vec::len)));
            }
            json!(told)
        };
        assert_eq!(told().await, json!([12, 0, 1, 0]));
        let new = LocationOut {
            id: place,
            code: "B-9".into(),
            kind: LocationKind::Store,
            name: "店".into(),
            gln: None,
            fields: json!({}),
        };
        let owner = beta.id.parse().expect("an id");
        let filed = locations::create(&app.state().log, Actor::System, None, owner, new).await;
        filed.expect("a place");
        settled(&app).await;
        // Nobody sent it there: its owner only says so. What others say of the place counts no more.
        assert_eq!(told().await, json!([0, 7, 0, 1]));
        holds(&app, "its owner's").await;
        app.stop().await;
    }
);

on_both!(i17_who_holds_what_was_fetched_back_is_told, |app| {
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let beta = firm(&app, &platform, "BETA", &[]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let mut strange = enrolled(&app, &beta.operator, &shop).await;
    let mut plant = scene.device(&app, &scene.plant).await;
    let sent = [
        plant.event("commission", &json!({"lots": of("L7", 20)})),
        plant.event(
            "outbound",
            &json!({
                "lots": of("L7", 14),
                "counterpart": {"type": "location", "id": scene.store},
            }),
        ),
    ];
    plant.push(&sent).await;
    // Each fetches back all it has, ten loose and four in what holds them, and sends three of the loose back.
    let mut store = scene.device(&app, &scene.store).await;
    let foreign = "(00)340638131000000012".to_owned();
    for (device, holds) in [(&mut store, &scene.cases[0]), (&mut strange, &foreign)] {
        let parent = json!({"code": holds, "input": "wedge"});
        let events = [
            device.event(
                "inbound",
                &json!({"lots": of("L7", 14), "doc": {"no": "D-1"}}),
            ),
            device.event("inbound", &inbound(&[holds])),
            device.event("pack", &json!({"parent": parent, "lots": of("L7", 4)})),
            device.event("collect", &json!({"units": [parent]})),
            device.event("collect", &json!({"lots": of("L7", 10)})),
            device.event(
                "outbound",
                &json!({
                    "lots": of("L7", 3),
                    "counterpart": {"type": "enterprise", "id": scene.firm.id},
                }),
            ),
        ];
        device.push(&events).await;
    }
    let recall = recalled(&scene, &[&scene.batch]).await;
    settled(&app).await;
    let path = format!("/v1/recalls/{recall}/reach");
    let reach = ok(scene.firm.admin.get(&path).await);
    let [total] = &reach["lot_totals"].as_array().expect("totals")[..] else {
        panic!("one lot: {reach}");
    };
    let lines = reach["lots"].as_array().expect("lines");
    let there = |place: &str| {
        let line = lines.iter().find(|line| line["location_id"] == place);
        let line = line.unwrap_or_else(|| panic!("{place} in {reach}"));
        (line["balance"].as_i64(), line["apart"].as_i64())
    };
    assert_eq!(there(&scene.store), (Some(0), Some(11)), "{reach}");
    assert_eq!(there(&scene.plant), (Some(6), Some(0)), "{reach}");
    assert_eq!(lines.len(), 2, "{reach}");
    // The places together are what is told of the lot (I17).
    for (of_all, of_each) in [("apart", "apart"), ("on_hand", "balance")] {
        let sum: i64 = lines.iter().filter_map(|line| line[of_each].as_i64()).sum();
        assert_eq!(total[of_all], sum, "{of_all} of {reach}");
    }
    assert_eq!(total["claimed"], 11, "{reach}");
    app.stop().await;
});
