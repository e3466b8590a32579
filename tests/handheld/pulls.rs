//! What devices pull: everything in their scope, nothing else, each position whole, and again only
//! when it changed.

use crate::{
    enrolment::place,
    scene::{GTIN, Scene, count, enrolled, inbound, key, outbound, sale, scanned, unit},
    support::{PASSWORD, batch, firm, gtin, id, made, ok, product, refused, text_of},
};
use sea_orm::ConnectionTrait;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use suyuan::{
    handheld::keys::point::verify,
    log::Actor,
    registry::locations::{
        store as locations,
        wire::{LocationKind, LocationOut},
    },
};
use suyuan_sync::{
    finding::FindingCode,
    fold::Phase,
    ids::{EnterpriseId, LocationId},
    invariants::{
        Delivered, Scope, i19_nothing_of_elsewhere_is_told, i21_cursors_neither_skip_nor_repeat,
        i22_whole_checkpoints_only, i23_reads_never_go_back,
    },
    wire::{Item, PullAnswer, PullItem, Removed, TrustKey, UnitCard, Verdict},
};
use suyuan_tests::{Engine, Handheld, TestApp, on_both, recall_order, until};
use uuid::Uuid;

/// All pages from a cursor on, until there is no more.
async fn pages(device: &mut Handheld, mut cursor: i64, limit: usize) -> Vec<(i64, PullAnswer)> {
    let mut pages = Vec::new();
    loop {
        let page = device.pull(cursor, limit).await;
        let (from, more) = (cursor, page.more);
        assert!(page.cursor > from || !more, "a page goes on");
        cursor = page.cursor;
        pages.push((from, page));
        if !more {
            return pages;
        }
    }
}

async fn all(device: &mut Handheld, cursor: i64) -> (Vec<PullItem>, i64) {
    let pages = pages(device, cursor, 500).await;
    let end = pages.last().map_or(cursor, |(_, page)| page.cursor);
    (
        pages.into_iter().flat_map(|(_, page)| page.items).collect(),
        end,
    )
}

/// What an item is about. The recall list is of every position.
fn what(item: &Item) -> Option<String> {
    match item {
        Item::Product(card) => Some(format!("product {}", card.product)),
        Item::Partner(card) => Some(format!("partner {}", card.enterprise)),
        Item::Unit(card) => Some(format!("unit {}", card.unit)),
        Item::Removed(Removed::Unit(key)) => Some(format!("unit {key}")),
        Item::Removed(_) | Item::RecallList(_) => None,
        Item::Verdict(verdict) => Some(format!("verdict {}", verdict.event)),
    }
}

fn cards(items: &[PullItem]) -> Vec<&UnitCard> {
    let card = |item: &'_ PullItem| match &item.item {
        Item::Unit(card) => Some(card.unit.clone()),
        _ => None,
    };
    let units: Vec<_> = items.iter().filter_map(card).collect();
    items
        .iter()
        .filter_map(|item| match &item.item {
            Item::Unit(card) if units.contains(&card.unit) => Some(card),
            _ => None,
        })
        .collect()
}

fn verdicts(items: &[PullItem]) -> Vec<Verdict> {
    let verdict = |item: &PullItem| match &item.item {
        Item::Verdict(verdict) => Some(verdict.clone()),
        _ => None,
    };
    items.iter().filter_map(verdict).collect()
}

fn gone(items: &[PullItem]) -> Vec<String> {
    let key = |item: &PullItem| match &item.item {
        Item::Removed(Removed::Unit(key)) => Some(key.to_string()),
        _ => None,
    };
    items.iter().filter_map(key).collect()
}

on_both!(
    a_place_is_told_what_comes_what_is_there_and_what_left,
    |app| {
        let scene = Scene::of(&app).await;
        let tins = [&scene.tins[0], &scene.tins[1]];
        let mut warehouse = scene.device(&app, &scene.warehouse).await;
        let mut store = scene.device(&app, &scene.store).await;
        let (items, start) = all(&mut store, 0).await;
        let product = items.iter().find_map(|item| match &item.item {
            Item::Product(card) => Some(card),
            _ => None,
        });
        assert_eq!(product.map(|card| card.gtin.clone()), Some(gtin(GTIN)));
        let own = items.iter().find_map(|item| match &item.item {
            Item::Partner(card) => Some(card.places.len()),
            _ => None,
        });
        assert_eq!(own, Some(3), "its own enterprise's places");
        assert_eq!(cards(&items).len(), 0);

        let event = warehouse.event("inbound", &inbound(&tins));
        warehouse.push(&[event]).await;
        let (items, here) = all(&mut store, start).await;
        assert_eq!(
            (cards(&items).len(), gone(&items).len()),
            (0, 0),
            "I19: not its place"
        );
        assert!(
            items
                .iter()
                .all(|item| item.gseq > start && item.gseq <= here)
        );
        assert_eq!(cards(&all(&mut warehouse, 0).await.0).len(), 2);
        let before = all(&mut warehouse, 0).await.1;

        let event = warehouse.event("outbound", &outbound(&tins, &scene.store));
        warehouse.push(&[event]).await;
        let (items, here) = all(&mut store, here).await;
        let expected = cards(&items);
        assert_eq!(expected.len(), 2);
        for card in expected {
            assert_eq!(card.phase, Phase::InTransit);
            assert_eq!(card.lot.as_deref(), Some("L7"));
        }
        let (items, _) = all(&mut warehouse, before).await;
        let mut left = gone(&items);
        left.sort();
        let mut keys = tins.map(|tin| key(tin).to_string());
        keys.sort();
        assert_eq!(left, keys);
        assert_eq!(cards(&items).len(), 0);

        let event = store.event("inbound", &inbound(&tins[..1]));
        store.push(&[event]).await;
        let (items, _) = all(&mut store, here).await;
        let card = cards(&items);
        assert_eq!((card.len(), card[0].phase), (1, Phase::InStock));
        app.stop().await;
    }
);

on_both!(contents_of_containers_come_and_go_with_them, |app| {
    let scene = Scene::of(&app).await;
    let tins: Vec<&String> = scene.tins[..6].iter().collect();
    let case = &scene.cases[0];
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut store = scene.device(&app, &scene.store).await;
    let pack = json!({"units": scanned(&tins), "parent": {"code": case, "input": "wedge"}});
    let events = [
        plant.event("pack", &pack),
        plant.event("outbound", &outbound(&[case], &scene.store)),
    ];
    let (_, start) = all(&mut store, 0).await;
    let pushed = plant.push(&events).await;
    assert!(
        pushed.results.iter().all(|result| result.gseq.is_some()),
        "{pushed:?}"
    );
    let (items, here) = all(&mut store, start).await;
    let told = cards(&items);
    assert_eq!(told.len(), 7, "the case and six tins");
    for card in told {
        assert_eq!(card.phase, Phase::InTransit, "{card:?}");
        assert_eq!(card.inside.is_some(), card.unit != key(case));
    }
    let event = store.event("outbound", &outbound(&[case], &scene.warehouse));
    store.push(&[event]).await;
    let (items, _) = all(&mut store, here).await;
    assert_eq!((gone(&items).len(), cards(&items).len()), (7, 0));
    app.stop().await;
});

on_both!(i19_another_enterprise_is_told_nothing_of_it, |app| {
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
    let shop = place(&beta.operator, "S-1", "store").await;
    let mut stranger = enrolled(&app, &beta.operator, &shop).await;
    let mut store = scene.device(&app, &scene.store).await;
    let tins = [&scene.tins[0], &scene.tins[1]];
    let events = [
        store.event("inbound", &inbound(&tins)),
        store.event("sale", &sale(&tins[..1])),
    ];
    store.push(&events).await;
    let order = recall_order(&json!([scene.batch]), "r", "i");
    made(scene.firm.admin.post("/v1/recalls", &order).await);
    let (items, end) = all(&mut stranger, 0).await;
    for item in &items {
        match &item.item {
            Item::Partner(card) => assert_eq!(card.enterprise.to_string(), beta.id),
            Item::RecallList(list) => assert_eq!(list.batches, []),
            other => panic!("{other:?}"),
        }
    }
    // Once something is sent to it, it knows that, its product, who sent it, and its recall.
    let event = store.event("outbound", &outbound(&tins[1..], &shop));
    store.push(&[event]).await;
    let (items, _) = all(&mut stranger, end).await;
    assert_eq!(cards(&items).len(), 1);
    let mut seen = Vec::new();
    for item in &items {
        match &item.item {
            Item::Product(card) => seen.push(card.issuer.to_string()),
            Item::Partner(card) => seen.push(card.enterprise.to_string()),
            // By the GTIN of its items, and by that of its cases.
            Item::RecallList(list) => assert_eq!(list.batches.len(), 2),
            _ => {}
        }
    }
    assert_eq!(seen, [scene.firm.id.clone(), scene.firm.id.clone()]);
    // The same by where the log says the goods are, for both.
    let mut put = BTreeMap::new();
    for tin in tins {
        let state = unit(&app, tin).await.kept.state;
        put.insert(key(tin), (state.place, state.holder));
    }
    for (device, enterprise) in [(&mut stranger, &beta.id), (&mut store, &scene.firm.id)] {
        let scope = Scope {
            device: device.device,
            enterprise: EnterpriseId(enterprise.parse().expect("an id")),
            location: LocationId(device.location),
        };
        let (items, _) = all(device, 0).await;
        let told = items.iter().map(|item| &item.item);
        i19_nothing_of_elsewhere_is_told(&scope, |key| put.get(key).copied(), told).unwrap();
    }
    app.stop().await;
});

/// All that items name, of whatever sort.
fn named(items: &[PullItem]) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for item in items {
        match &item.item {
            Item::RecallList(list) => {
                let batches = list.batches.iter();
                named.extend(batches.map(|told| format!("recalled batch {}", told.batch)));
                if list.count > 0 {
                    named.insert(format!("{} recalled units", list.count));
                }
            }
            Item::Removed(Removed::Product(id)) => _ = named.insert(format!("product {id}")),
            Item::Removed(Removed::Partner(id)) => _ = named.insert(format!("partner {id}")),
            Item::Removed(Removed::Unit(unit)) => _ = named.insert(format!("no unit {unit}")),
            other => named.extend(what(other)),
        }
    }
    named
}

on_both!(
    i19_of_products_partners_lists_and_what_left_a_place_is_told_its_own,
    |app| {
        let scene = Scene::of(&app).await;
        let (admin, tins) = (&scene.firm.admin, &scene.tins);
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
        let gamma = firm(&app, &platform, "GAMA", &["9521236"]).await;
        let shop = place(&beta.operator, "S-1", "store").await;
        let corner = place(&gamma.operator, "S-1", "store").await;
        let mut shops = enrolled(&app, &beta.operator, &shop).await;
        let mut strangers = enrolled(&app, &gamma.operator, &corner).await;
        let mut store = scene.device(&app, &scene.store).await;
        let mut warehouse = scene.device(&app, &scene.warehouse).await;
        // Of the maker's two products only one ever leaves its own places, and of its batches one.
        let first = id(&ok(admin.get("/v1/products").await)["items"][0]);
        let other = product(admin, "CM-2", "0952123400009").await;
        let other_batch = batch(admin, &other, "X1").await;
        let order = recall_order(&json!([scene.batch, other_batch]), "r", "i");
        made(admin.post("/v1/recalls", &order).await);
        let events = [
            store.event("inbound", &inbound(&[&tins[0], &tins[1]])),
            store.event("outbound", &outbound(&[&tins[1]], &shop)),
        ];
        store.push(&events).await;
        // What comes and goes within the maker's places is nobody else's.
        let events = [
            warehouse.event("inbound", &inbound(&[&tins[2], &tins[3]])),
            warehouse.event("outbound", &outbound(&[&tins[3]], &scene.plant)),
        ];
        warehouse.push(&events).await;

        let own = |id: &str| BTreeSet::from([format!("partner {id}")]);
        let (items, far) = all(&mut strangers, 0).await;
        assert_eq!(named(&items), own(&gamma.id));
        let (items, here) = all(&mut shops, 0).await;
        let mut theirs = own(&beta.id);
        theirs.extend([
            format!("product {first}"),
            format!("partner {}", scene.firm.id),
            format!("unit {}", key(&tins[1])),
            format!("recalled batch {}", scene.batch),
        ]);
        assert_eq!(named(&items), theirs);
        let (items, there) = all(&mut store, 0).await;
        let seen = named(&items);
        let elsewhere = |what: &String| {
            tins[2..4]
                .iter()
                .any(|tin| what.ends_with(key(tin).as_str()))
        };
        assert!(!seen.iter().any(elsewhere), "{seen:?}");
        for own in [&first, &other] {
            assert!(seen.contains(&format!("product {own}")), "{seen:?}");
        }

        // It goes back; and more comes and goes where it did.
        let came = shops.event("inbound", &inbound(&[&tins[1]]));
        let went = shops.event("outbound", &outbound(&[&tins[1]], &scene.store));
        shops.push(&[came, went]).await;
        let came = store.event("inbound", &inbound(&[&tins[1]]));
        store.push(&[came]).await;
        let went = warehouse.event("outbound", &outbound(&[&tins[2]], &scene.plant));
        warehouse.push(&[went]).await;
        let (items, _) = all(&mut strangers, far).await;
        assert_eq!(named(&items), BTreeSet::new());
        let (items, _) = all(&mut shops, here).await;
        let told = named(&items);
        theirs.insert(format!("no unit {}", key(&tins[1])));
        assert!(
            told.contains(&format!("no unit {}", key(&tins[1]))),
            "{told:?}"
        );
        assert!(told.is_subset(&theirs), "{told:?}");
        let (items, _) = all(&mut store, there).await;
        let seen = named(&items);
        assert!(!seen.iter().any(elsewhere), "{seen:?}");
        // Whoever begins anew is told no more than that.
        let (items, _) = all(&mut strangers, 0).await;
        assert_eq!(named(&items), own(&gamma.id));
        let (items, _) = all(&mut shops, 0).await;
        let told = named(&items);
        assert!(told.is_subset(&theirs), "{told:?}");
        app.stop().await;
    }
);

on_both!(i21_i22_small_pages_tell_what_one_tells, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    for n in 0..6 {
        let tins = [&scene.tins[2 * n], &scene.tins[2 * n + 1]];
        let events = [
            store.event("inbound", &inbound(&tins)),
            store.event("sale", &sale(&tins[..1])),
        ];
        store.push(&events).await;
    }
    let (whole, end) = all(&mut store, 0).await;
    let state = |items: &[PullItem]| -> BTreeMap<String, i64> {
        let pair = |item: &PullItem| Some((what(&item.item)?, item.gseq));
        items.iter().filter_map(pair).collect()
    };
    let scope: Vec<(String, i64)> = state(&whole).into_iter().collect();
    assert!(scope.len() > 12, "{scope:?}");
    for limit in [1, 3] {
        let pages = pages(&mut store, 0, limit).await;
        assert!(pages.len() > 3);
        let delivered: Vec<Delivered> = pages
            .iter()
            .map(|(after, page)| Delivered {
                after: *after,
                upto: page.cursor,
                items: page
                    .items
                    .iter()
                    .filter_map(|item| Some((what(&item.item)?, item.gseq)))
                    .collect(),
                applied: true,
                more: page.more,
            })
            .collect();
        for page in &delivered {
            assert!(
                page.items
                    .iter()
                    .all(|(_, at)| *at > page.after && *at <= page.upto)
            );
        }
        i21_cursors_neither_skip_nor_repeat(&scope, &delivered, end).unwrap();
        let items: Vec<PullItem> = pages.into_iter().flat_map(|(_, page)| page.items).collect();
        i22_whole_checkpoints_only(&state(&items), &state(&whole)).unwrap();
    }
    assert_eq!(store.pull(end, 500).await.items, [], "nothing happened");
    app.stop().await;
});

on_both!(
    i21_what_is_filed_behind_batches_is_told_in_small_pages,
    |app| {
        let scene = Scene::of(&app).await;
        let admin = &scene.firm.admin;
        let mut store = scene.device(&app, &scene.store).await;
        let (_, end) = all(&mut store, 0).await;
        // Batches are told with the units of them, and with nothing else.
        let of = text_of(&ok(admin.get("/v1/products").await)["items"][0]["id"]);
        for lot in ["L11", "L12", "L13"] {
            batch(admin, &of, lot).await;
        }
        let late = product(admin, "CM-3", "0952123400003").await;
        for limit in [1, 2, 500] {
            let pages = pages(&mut store, end, limit).await;
            let items = pages.iter().flat_map(|(_, page)| &page.items);
            let told: Vec<String> = items.filter_map(|item| what(&item.item)).collect();
            assert_eq!(told, [format!("product {late}")], "{limit} at a time");
        }
        app.stop().await;
    }
);

on_both!(
    i24_whose_a_place_is_comes_to_those_whose_papers_named_it,
    |app| {
        let scene = Scene::of(&app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let shop = firm(&app, &platform, "BETA", &["9521235"]).await;
        let mut store = scene.device(&app, &scene.store).await;
        let place = Uuid::now_v7();
        let mut come = inbound(&[&scene.tins[0]]);
        come["counterpart"] = json!({"type": "location", "id": place});
        let event = store.event("inbound", &come);
        store.push(&[event]).await;
        let partner = |items: &[PullItem]| {
            let told = items.iter().filter_map(|item| what(&item.item));
            told.filter(|what| what.starts_with("partner ")).count()
        };
        let (before, end) = all(&mut store, 0).await;
        let own = partner(&before);
        let filed = LocationOut {
            id: place,
            code: "S-9".into(),
            kind: LocationKind::Store,
            name: "店".into(),
            gln: None,
            fields: json!({}),
        };
        let owner = shop.id.parse().unwrap();
        let log = &app.state().log;
        locations::create(log, Actor::System, None, owner, filed)
            .await
            .map_err(|error| error.to_string())
            .unwrap();
        let (after, _) = all(&mut store, end).await;
        let told: Vec<String> = after.iter().filter_map(|item| what(&item.item)).collect();
        let card = format!("partner {}", shop.id);
        assert!(told.contains(&card), "{told:?}");
        // Whoever begins anew is told the same.
        let (anew, _) = all(&mut store, 0).await;
        assert_eq!(partner(&anew), own + 1);
        app.stop().await;
    }
);

on_both!(i23_a_device_reads_what_it_was_receipted, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let (mut reads, mut cursor) = (Vec::new(), 0);
    for n in 0..4 {
        let event = store.event("inbound", &inbound(&[&scene.tins[n]]));
        let told = store.push(&[event]).await;
        let pages = pages(&mut store, cursor, 500).await;
        let last = &pages.last().expect("a page").1;
        // Nothing was left for later: it shows, and that is said.
        assert!(last.told_until >= Some(told.receipt.stamp));
        let shows = |card: &UnitCard| card.unit == key(&scene.tins[n]);
        let pulled = pages.iter().flat_map(|(_, page)| cards(&page.items));
        let phases: Vec<Phase> = pulled
            .filter(|card| shows(card))
            .map(|card| card.phase)
            .collect();
        assert_eq!(phases, [Phase::InStock]);
        cursor = last.cursor;
        reads.push((told.results[0].gseq.unwrap(), cursor));
    }
    i23_reads_never_go_back(&reads).unwrap();
    app.stop().await;
});

/// A list is made after the page it comes with, of what was recalled by then. On SQLite nobody else can write
/// while a pull does.
#[actix_web::test]
async fn i12_an_anchor_lies_above_all_that_the_recall_list_of_its_page_knows() {
    let app = TestApp::spawn(Engine::Postgres).await;
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let event = store.event("inbound", &inbound(&[&scene.tins[0]]));
    store.push(&[event]).await;
    // The log is ahead of the clock, so that only stamps make anchors.
    let db = &app.state().db;
    let ahead = "UPDATE log_head SET stamp = stamp + 3600000000";
    db.writer().execute_unprepared(ahead).await.expect("ahead");
    let tx = db.begin().await.expect("a transaction");
    let lock = "LOCK TABLE told_unit IN EXCLUSIVE MODE";
    tx.execute_unprepared(lock).await.expect("a lock");
    let recalled = async {
        // The page is read, and what it tells is to be noted.
        until("a pull", Duration::from_secs(20), async || {
            count(&app, "SELECT COUNT(*) AS n FROM pg_locks WHERE NOT granted").await > 0
        })
        .await;
        let order = recall_order(&json!([scene.batch]), "r", "i");
        made(scene.firm.admin.post("/v1/recalls", &order).await);
        tx.rollback().await.expect("no lock");
    };
    let (page, ()) = tokio::join!(store.pull(0, 500), recalled);
    let recall = "SELECT gseq AS n FROM log_entry WHERE kind = 'recall_opened'";
    let stamp = "SELECT stamp AS n FROM log_entry WHERE kind = 'recall_opened'";
    let list = page.list.expect("which list holds");
    assert!(list.version >= count(&app, recall).await, "it is listed");
    let anchors = &app.state().handheld.anchors;
    let anchor = anchors.read(store.device.0, store.epoch, &page.anchor);
    assert!(anchor.expect("an anchor") > count(&app, stamp).await);
    app.stop().await;
}

on_both!(c9_asking_with_a_cursor_is_what_a_device_knew, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    // Made under the anchor of the enrolment, before anything was pulled.
    let early = store.event("sale", &sale(&[&scene.tins[0]]));
    let (_, end) = all(&mut store, 0).await;
    let unacknowledged = store.event("sale", &sale(&[&scene.tins[1]]));
    store.pull(end, 500).await;
    let known = store.event("sale", &sale(&[&scene.tins[2]]));
    store.push(&[early, unacknowledged, known]).await;
    let delivered = |seq: i64| format!("SELECT delivered AS n FROM event WHERE seq = {seq}");
    assert_eq!(count(&app, &delivered(1)).await, 0);
    // It held the page: its anchor came with it, and the device said so later.
    assert_eq!(count(&app, &delivered(2)).await, end);
    assert_eq!(count(&app, &delivered(3)).await, end);
    app.stop().await;
});

on_both!(
    a_verdict_comes_when_a_finding_opens_and_when_it_closes,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let sold = store.event("sale", &sale(&[&scene.tins[0]]));
        store.push(std::slice::from_ref(&sold)).await;
        let verdict = |items: &[PullItem]| {
            let found = items.iter().find_map(|item| match &item.item {
                Item::Verdict(verdict) => Some(verdict.clone()),
                _ => None,
            });
            found.expect("a verdict")
        };
        let (items, end) = all(&mut store, 0).await;
        let first = verdict(&items);
        assert_eq!(first.seq, 1);
        assert_eq!(first.findings.len(), 1);
        assert_eq!(first.findings[0].code, FindingCode::OrphanSale);
        assert!(!first.findings[0].closed);
        let sold: serde_json::Value = serde_json::from_str(&sold).unwrap();
        let retract = json!({"target": sold["event_id"]});
        let event = store.event("retract", &retract);
        store.push(&[event]).await;
        let (items, _) = all(&mut store, end).await;
        let closed = verdict(&items);
        assert_eq!(closed.event, first.event);
        assert!(closed.findings.iter().all(|note| note.closed), "{closed:?}");
        app.stop().await;
    }
);

on_both!(i22_a_page_tells_of_findings_as_of_its_end, |app| {
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let mut store = scene.device(&app, &scene.store).await;
    let mut other = scene.device(&app, &scene.store).await;
    // Sold here, which is found to be the second time once the other till's sale comes in; that one is
    // struck then.
    let first = other.event("sale", &sale(&[tin]));
    store.status().await;
    let sold = store.event("sale", &sale(&[tin]));
    store.push(&[sold]).await;
    let mut live = Vec::new();
    let mut cursor = 0;
    let mut catch_up = async |store: &mut Handheld, live: &mut Vec<_>| {
        let (items, end) = all(store, cursor).await;
        live.extend(verdicts(&items));
        cursor = end;
    };
    catch_up(&mut store, &mut live).await;
    other.push(std::slice::from_ref(&first)).await;
    catch_up(&mut store, &mut live).await;
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    let struck = other.event("retract", &json!({"target": first["event_id"]}));
    other.push(&[struck]).await;
    catch_up(&mut store, &mut live).await;
    let open: Vec<usize> = live
        .iter()
        .map(|verdict| verdict.findings.iter().filter(|note| !note.closed).count())
        .collect();
    assert!(
        live.len() == 3 && open[0] < open[1] && open[2] < open[1],
        "{live:?}"
    );
    // Who comes later and reads in small pages is told the same, one after the other.
    let small = pages(&mut store, 0, 1).await.into_iter();
    let small: Vec<PullItem> = small.flat_map(|(_, page)| page.items).collect();
    assert_eq!(verdicts(&small), live);
    app.stop().await;
});

on_both!(
    a_recall_list_is_signed_and_says_what_is_recalled_now,
    |app| {
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let keys: Vec<TrustKey> =
            serde_json::from_value(store.welcome["trust_keys"].clone()).unwrap();
        let list = |items: &[PullItem]| {
            let found = items.iter().find_map(|item| match &item.item {
                Item::RecallList(list) => Some(list.clone()),
                _ => None,
            });
            found.expect("a list")
        };
        let (items, end) = all(&mut store, 0).await;
        let mut first = list(&items);
        assert_eq!((first.version, first.batches.len()), (end, 0));
        assert!(verify(&keys[0].key, &first.bytes_to_sign(), &first.sig));
        first.version += 1;
        assert!(!verify(&keys[0].key, &first.bytes_to_sign(), &first.sig));
        let order = recall_order(&json!([scene.batch]), "r", "i");
        let recall = id(&made(scene.firm.admin.post("/v1/recalls", &order).await));
        let (items, end) = all(&mut store, end).await;
        let open = list(&items);
        // By the GTIN of its items, and by that of its cases.
        assert_eq!(open.batches.len(), 2);
        assert_eq!(
            (open.batches[0].gtin.clone(), open.batches[0].lot.as_str()),
            (gtin(GTIN), "L7")
        );
        assert_eq!(open.batches[0].recall.to_string(), recall);
        assert!(verify(&keys[0].key, &open.bytes_to_sign(), &open.sig));
        let path = format!("/v1/recalls/{recall}/close");
        ok(scene
            .firm
            .admin
            .post(&path, &json!({"note": "已处理"}))
            .await);
        assert_eq!(list(&all(&mut store, end).await.0).batches, []);
        app.stop().await;
    }
);

on_both!(a_cursor_ahead_of_the_log_is_gone, |app| {
    let scene = Scene::of(&app).await;
    let mut store = scene.device(&app, &scene.store).await;
    let (_, end) = all(&mut store, 0).await;
    let path = |cursor: i64| format!("/v1/sync/pull?cursor={cursor}");
    refused(store.read(&path(end + 1_000)).await, "cursor-gone");
    refused(store.read(&path(-1)).await, "invalid-fields");
    refused(
        store.read("/v1/sync/pull?limit=501").await,
        "invalid-fields",
    );
    assert_eq!(store.read(&path(end)).await.status, 200);
    app.stop().await;
});
