//! How pulls find what concerns a place: what comes to count late, what was told and left by ways
//! nobody there saw, what came into a container that is there; what a new device is spared.

use crate::{
    enrolment::place,
    held::Held,
    scene::{Scene, enrolled, inbound, key, outbound, sale, scanned, settled, unit},
    support::{PASSWORD, array, firm, made, number, ok},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use suyuan::handheld::down::follow_store::follow;
use suyuan_sync::{
    event::Disposition,
    fold::{Phase, Place},
    ids::LocationId,
    unit::UnitKey,
    wire::Item,
};
use suyuan_tests::{TestApp, on_both, recall_order};

/// What was told follows the log up to its head.
async fn followed(app: &TestApp) {
    while follow(&app.state().db).await.expect("it follows") {}
}

fn packing(container: &String, units: &[&String]) -> Value {
    json!({"parent": {"code": container, "input": "wedge"}, "units": scanned(units)})
}

fn named(codes: &[&String]) -> Value {
    json!({"units": scanned(codes)})
}

/// Each card says what the fold of its unit says.
async fn as_folded(app: &TestApp, held: &Held) {
    let state = app.state();
    let keys: Vec<UnitKey> = held.cards.keys().cloned().collect();
    let mut snapshot = state
        .handheld
        .reading
        .begin(&state.db)
        .await
        .expect("a read");
    let folded = snapshot.states(&keys).await.expect("states");
    for (unit, card) in &held.cards {
        let state = &folded[unit];
        assert_eq!(
            (card.phase, card.place, card.disposition),
            (state.phase, state.place, state.disposition),
            "{unit}"
        );
    }
}

on_both!(
    i21_papers_that_come_to_count_late_bring_their_partner,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
        let shop = place(&beta.operator, "S-1", "store").await;
        let mut stolen = scene.device(&app, &scene.store).await;
        let mut store = scene.device(&app, &scene.store).await;
        scene.revoke(&stolen).await;
        // It stands aside, and the other device reads past its position.
        let event = stolen.event("outbound", &outbound(&[&scene.tins[0]], &shop));
        stolen.push(&[event]).await;
        let event = store.event("inbound", &inbound(&[&scene.tins[1]]));
        store.push(&[event]).await;
        let mut held = Held::default();
        held.pull(&mut store).await;
        let partner = format!("partner {}", beta.id);
        assert!(!held.others.contains_key(&partner));
        let listed = ok(scene.firm.operator.get("/v1/quarantine").await);
        let position = number(&array(&listed["items"])[0]["position"]);
        assert!((position as i64) < held.cursor);
        let path = format!("/v1/quarantine/{position}/admit");
        let why = json!({"note": "seen on the camera"});
        ok(scene.firm.admin.post(&path, &why).await);
        held.pull(&mut store).await;
        assert!(held.others.contains_key(&partner), "{:?}", held.others);
        app.stop().await;
    }
);

on_both!(i21_what_left_unseen_is_taken_back, |app| {
    let scene = Scene::of(&app).await;
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let mut store = scene.device(&app, &scene.store).await;
    let mut held = Held::default();
    for n in 0..4 {
        let (case, tins) = (
            &scene.cases[n],
            [&scene.tins[2 * n], &scene.tins[2 * n + 1]],
        );
        let events = [
            plant.event("pack", &packing(case, &tins)),
            plant.event("outbound", &outbound(&[case], &scene.store)),
        ];
        plant.push(&events).await;
        held.pull(&mut store).await;
        assert_eq!(held.cards.len(), 3, "{n}: expected here");
        as_folded(&app, &held).await;
        if n % 2 == 0 {
            followed(&app).await;
        }
        // It came in elsewhere, and the tins went on alone: nothing of that names the store.
        let events = [
            warehouse.event("inbound", &inbound(&[case])),
            warehouse.event("unpack", &packing(case, &tins)),
        ];
        warehouse.push(&events).await;
        if n > 1 {
            followed(&app).await;
        }
        held.pull(&mut store).await;
        assert_eq!(held.cards.len(), 0, "{n}: {:?}", held.cards);
    }
    let mut there = Held::default();
    there.pull(&mut warehouse).await;
    assert_eq!(there.cards.len(), 12);
    as_folded(&app, &there).await;
    app.stop().await;
});

on_both!(i21_what_left_with_the_last_entry_is_taken_back, |app| {
    let scene = Scene::of(&app).await;
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let mut store = scene.device(&app, &scene.store).await;
    // It left by the last entry that what was told followed, or by the first that it did not.
    for (tin, late) in scene.tins.iter().zip([true, false]) {
        let came = store.event("inbound", &inbound(&[tin]));
        store.push(&[came]).await;
        let mut held = Held::default();
        held.pull(&mut store).await;
        assert_eq!(held.cards.len(), 1);
        followed(&app).await;
        // It hears of something after that, so that what it scans stands behind it.
        warehouse.status().await;
        let left = warehouse.event("inbound", &inbound(&[tin]));
        warehouse.push(&[left]).await;
        if late {
            followed(&app).await;
        }
        held.pull(&mut store).await;
        assert_eq!(held.cards.len(), 0, "{late}: {:?}", held.cards);
    }
    app.stop().await;
});

on_both!(i19_anothers_papers_at_a_place_bring_it_no_partner, |app| {
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
    let gamma = firm(&app, &platform, "GAMA", &["9521236"]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let mut stranger = enrolled(&app, &beta.operator, &shop).await;
    let mut store = scene.device(&app, &scene.store).await;
    // It says that it stands in the store.
    let mut sent = outbound(&[&scene.tins[0]], &shop);
    sent["counterpart"] = json!({"type": "enterprise", "id": gamma.id});
    sent["location"] = json!(scene.store);
    let event = stranger.event("outbound", &sent);
    stranger.push(&[event]).await;
    let mut held = Held::default();
    held.pull(&mut store).await;
    let partners = held.others.keys().filter(|of| of.starts_with("partner"));
    let own = format!("partner {}", scene.firm.id);
    assert_eq!(partners.collect::<Vec<_>>(), [&own]);
    // Its own paper does.
    sent.as_object_mut().expect("an object").remove("location");
    let event = store.event("outbound", &sent);
    store.push(&[event]).await;
    held.pull(&mut store).await;
    assert!(held.others.contains_key(&format!("partner {}", gamma.id)));
    app.stop().await;
});

on_both!(i21_what_was_packed_late_is_told_where_its_case_is, |app| {
    let scene = Scene::of(&app).await;
    let (case, tins) = (&scene.cases[0], [&scene.tins[0], &scene.tins[1]]);
    let mut late = scene.device(&app, &scene.plant).await;
    let packed = late.event("pack", &packing(case, &tins[1..]));
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut store = scene.device(&app, &scene.store).await;
    let events = [
        plant.event("pack", &packing(case, &tins[..1])),
        plant.event("outbound", &outbound(&[case], &scene.store)),
    ];
    plant.push(&events).await;
    let came = store.event("inbound", &inbound(&[case]));
    store.push(&[came]).await;
    let mut held = Held::default();
    held.pull(&mut store).await;
    assert_eq!(held.cards.len(), 2);
    followed(&app).await;
    late.push(&[packed]).await;
    held.pull(&mut store).await;
    assert_eq!(held.cards.len(), 3, "{:?}", held.cards);
    as_folded(&app, &held).await;
    app.stop().await;
});

on_both!(c13_what_was_fetched_back_stays_so_in_a_moving_case, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let order = recall_order(&json!([scene.batch]), "r", "i");
    made(scene.firm.admin.post("/v1/recalls", &order).await);
    let (case, tins) = (&scene.cases[0], [&scene.tins[0], &scene.tins[1]]);
    let events = [
        store.event("inbound", &inbound(&tins)),
        store.event("collect", &named(&tins)),
        store.event("pack", &packing(case, &tins)),
        store.event("outbound", &outbound(&[case], &scene.warehouse)),
    ];
    store.push(&events).await;
    let mut held = Held::default();
    held.pull(&mut warehouse).await;
    let place = |text: &str| LocationId(text.parse().expect("an id"));
    for tin in tins {
        let card = &held.cards[&key(tin)];
        assert_eq!(card.phase, Phase::Collected);
        let Place::Between { from, to, .. } = card.place else {
            panic!("{card:?}");
        };
        let way = (place(&scene.store), Some(place(&scene.warehouse)));
        assert_eq!((from, to), way);
    }
    as_folded(&app, &held).await;
    // Filling a case one by one says nothing new of what is in it.
    let tins = [&scene.tins[2], &scene.tins[3]];
    let events = [
        warehouse.event("inbound", &inbound(&tins)),
        warehouse.event("pack", &packing(&scene.cases[1], &tins[..1])),
        warehouse.event("pack", &packing(&scene.cases[1], &tins[1..])),
    ];
    warehouse.push(&events).await;
    held.pull(&mut warehouse).await;
    assert_eq!(held.cards[&key(tins[0])].phase, Phase::InStock);
    as_folded(&app, &held).await;
    app.stop().await;
});

on_both!(
    c13_what_shares_the_life_of_a_collected_case_is_told_with_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let mut warehouse = scene.device(&app, &scene.warehouse).await;
        let filled = [
            (&scene.cases[0], [&scene.tins[0], &scene.tins[1]]),
            (&scene.cases[1], [&scene.tins[2], &scene.tins[3]]),
        ];
        let [(first, of_first), (second, of_second)] = filled;
        // One was collected with what is in it; the other, and what came into it, before that. One by
        // one: what is packed and moved in one act is judged by itself.
        for (kind, said) in [
            ("inbound", inbound(&of_first)),
            ("pack", packing(first, &of_first)),
            ("collect", named(&[first])),
            ("inbound", inbound(&of_second)),
            ("collect", named(&of_second)),
            ("collect", named(&[second])),
            ("pack", packing(second, &of_second)),
            ("outbound", outbound(&[first, second], &scene.warehouse)),
        ] {
            let event = store.event(kind, &said);
            store.push(&[event]).await;
        }
        let mut held = Held::default();
        held.pull(&mut warehouse).await;
        assert_eq!(held.cards.len(), 6);
        for (case, tins) in filled {
            let moving = held.cards[&key(case)].place;
            assert!(matches!(moving, Place::Between { .. }), "{moving:?}");
            for tin in tins {
                assert!(!unit(&app, tin).await.exceptional, "it shares that life");
                let card = &held.cards[&key(tin)];
                assert_eq!((card.phase, card.place), (Phase::Collected, moving));
            }
        }
        as_folded(&app, &held).await;
        // In no recall after all: released with the case, and told so.
        let mut released = named(&[first, second]);
        released["disposition"] = json!("sellable");
        for (kind, said) in [
            ("inbound", inbound(&[first, second])),
            ("inspect", released),
            ("outbound", outbound(&[first, second], &scene.store)),
        ] {
            let event = warehouse.event(kind, &said);
            warehouse.push(&[event]).await;
        }
        held.pull(&mut warehouse).await;
        let mut back = Held::default();
        back.pull(&mut store).await;
        assert_eq!(back.cards.len(), 6);
        for tin in [of_first, of_second].concat() {
            assert_eq!(back.cards[&key(tin)].phase, Phase::InTransit, "{tin}");
        }
        as_folded(&app, &back).await;
        app.stop().await;
    }
);

on_both!(c13_what_is_held_with_its_case_is_told_so, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let (case, tins) = (&scene.cases[0], [&scene.tins[0], &scene.tins[1]]);
    let mut kept = named(&[case]);
    kept["disposition"] = json!("hold");
    let mut held = Held::default();
    for (kind, said) in [
        ("inbound", inbound(&tins)),
        ("pack", packing(case, &tins)),
        ("sale", sale(&[case])),
        ("return", named(&[case])),
        ("inspect", kept),
    ] {
        let event = store.event(kind, &said);
        store.push(&[event]).await;
        held.pull(&mut store).await;
        as_folded(&app, &held).await;
    }
    for tin in tins {
        assert!(!unit(&app, tin).await.exceptional, "it shares that life");
        let card = &held.cards[&key(tin)];
        assert_eq!(card.disposition, Some(Disposition::Hold), "{card:?}");
    }
    app.stop().await;
});

on_both!(
    c10_what_is_struck_of_a_case_is_struck_of_what_is_in_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut late = scene.device(&app, &scene.store).await;
        let mut store = scene.device(&app, &scene.store).await;
        let order = recall_order(&json!([scene.batch]), "r", "i");
        made(scene.firm.admin.post("/v1/recalls", &order).await);
        let (case, tins) = (&scene.cases[0], [&scene.tins[0], &scene.tins[1]]);
        let early = late.event("inbound", &inbound(&[case]));
        for (kind, said) in [
            ("inbound", inbound(&[case, tins[0], tins[1]])),
            ("pack", packing(case, &tins)),
        ] {
            let event = store.event(kind, &said);
            store.push(&[event]).await;
        }
        let collected = store.event("collect", &named(&[case]));
        store.push(std::slice::from_ref(&collected)).await;
        // What happened to the case before it was packed comes in late: what is in it is folded
        // again, as what was fetched back with it.
        late.push(&[early]).await;
        settled(&app).await;
        let mut held = Held::default();
        held.pull(&mut store).await;
        for tin in tins {
            let row = unit(&app, tin).await;
            assert!(!row.exceptional, "it shares that life");
            assert_eq!(row.kept.state.phase, Phase::Collected);
            assert_eq!(held.cards[&key(tin)].phase, Phase::Collected);
        }
        let collected: Value = serde_json::from_str(&collected).expect("an event");
        let event = store.event("retract", &json!({"target": collected["event_id"]}));
        store.push(&[event]).await;
        settled(&app).await;
        held.pull(&mut store).await;
        for tin in tins {
            assert_eq!(held.cards[&key(tin)].phase, Phase::InStock);
        }
        as_folded(&app, &held).await;
        app.stop().await;
    }
);

on_both!(i22_what_its_case_did_later_comes_with_that, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let order = recall_order(&json!([scene.batch]), "r", "i");
    made(scene.firm.admin.post("/v1/recalls", &order).await);
    let (case, tins) = (&scene.cases[0], [&scene.tins[0], &scene.tins[1]]);
    for (kind, said) in [
        ("inbound", inbound(&tins)),
        ("pack", packing(case, &tins)),
        ("collect", named(&[case])),
    ] {
        let event = store.event(kind, &said);
        store.push(&[event]).await;
    }
    // Small pages: that of the packing knows nothing of what came after it.
    let (mut cursor, mut collected) = (0, 0);
    loop {
        let page = store.pull(cursor, 1).await;
        for told in &page.items {
            let of = (told.gseq, page.cursor);
            assert!(cursor < told.gseq && told.gseq <= page.cursor, "{of:?}");
            if let Item::Unit(card) = &told.item {
                collected += usize::from(card.phase == Phase::Collected);
            }
        }
        cursor = page.cursor;
        if !page.more {
            break;
        }
    }
    assert_eq!(collected, 3, "the case and what is in it, once");
    app.stop().await;
});

on_both!(a_new_device_is_spared_what_ended_long_ago, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let tins: Vec<&String> = scene.tins[..4].iter().collect();
    let events = [
        store.event("inbound", &inbound(&tins)),
        store.event("sale", &sale(&tins[..1])),
        store.event("destroy", &named(&tins[1..2])),
    ];
    store.push(&events).await;
    // So did a case, and what was in it with it.
    let (case, inside) = (&scene.cases[0], [&scene.tins[4], &scene.tins[5]]);
    for (kind, said) in [
        ("inbound", inbound(&inside)),
        ("pack", packing(case, &inside)),
        ("sale", sale(&[case])),
    ] {
        let event = store.event(kind, &said);
        store.push(&[event]).await;
    }
    for tin in inside {
        assert!(!unit(&app, tin).await.exceptional, "it shares that life");
    }
    // All that was eight days ago.
    let db = &app.state().db;
    let (head, _) = app.state().log.head().await.expect("the head");
    for table in ["event", "log_entry"] {
        let sql = format!("UPDATE {table} SET stamp = stamp - 691200000000 WHERE gseq <= {head}");
        db.writer()
            .execute_unprepared(&sql)
            .await
            .expect("instants");
    }
    let event = store.event("sale", &sale(&tins[2..3]));
    store.push(&[event]).await;
    let mut new = scene.device(&app, &scene.store).await;
    let held = Held::snapshot(&mut new).await;
    let mut told: Vec<(UnitKey, Phase)> = Vec::new();
    told.extend(
        held.cards
            .values()
            .map(|card| (card.unit.clone(), card.phase)),
    );
    told.sort();
    let mut expected = vec![(key(tins[2]), Phase::Sold), (key(tins[3]), Phase::InStock)];
    expected.sort();
    assert_eq!(told, expected);
    // Whoever was there is told what became of what it had.
    let mut long_away = Held::default();
    long_away.pull(&mut new).await;
    assert_eq!(long_away.cards.len(), 7);
    app.stop().await;
});

on_both!(
    a_place_is_told_of_what_is_on_its_way_to_its_enterprise_and_only_then,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
        let shop = place(&beta.operator, "S-1", "store").await;
        let mut there = enrolled(&app, &beta.operator, &shop).await;
        let mut plant = scene.device(&app, &scene.plant).await;
        let order = recall_order(&json!([scene.batch]), "r", "i");
        made(scene.firm.admin.post("/v1/recalls", &order).await);
        let tins = [&scene.tins[0], &scene.tins[1]];
        let mut sent = outbound(&tins, &shop);
        sent["counterpart"] = json!({"type": "enterprise", "id": beta.id});
        // One is on its way as what was fetched back.
        let events = [
            plant.event("collect", &named(&tins[..1])),
            plant.event("outbound", &sent),
        ];
        plant.push(&events).await;
        let mut held = Held::default();
        held.pull(&mut there).await;
        let phase = |n: usize| held.cards.get(&key(tins[n])).map(|card| card.phase);
        assert_eq!(
            (phase(0), phase(1)),
            (Some(Phase::Collected), Some(Phase::InTransit))
        );
        let event = plant.event("inbound", &inbound(&tins));
        plant.push(&[event]).await;
        followed(&app).await;
        held.pull(&mut there).await;
        assert_eq!(held.cards.len(), 0);
        app.stop().await;
    }
);
