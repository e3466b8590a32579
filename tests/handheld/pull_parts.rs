//! What changed at one position and is more than fits a page comes in parts: no page is larger than it may
//! be, nothing is missing, nothing comes twice, and other positions are not held up.

use crate::{
    held::Held,
    scene::{Scene, inbound, outbound, scanned},
    support::{ok, refused},
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    limits::PULL_UNITS_PER_ITEM,
    wire::{Item, PullItem},
};
use suyuan_tests::{Handheld, on_both};

fn packing(container: &String, units: &[&String]) -> serde_json::Value {
    json!({"parent": {"code": container, "input": "wedge"}, "units": scanned(units)})
}

/// Cards by unit.
fn cards(items: &[PullItem]) -> Vec<(String, String)> {
    let card = |item: &PullItem| match &item.item {
        Item::Unit(card) => Some((
            card.unit.to_string(),
            serde_json::to_string(card).expect("a card"),
        )),
        _ => None,
    };
    items.iter().filter_map(card).collect()
}

/// Verdicts by event.
fn verdicts(items: &[PullItem]) -> Vec<String> {
    let verdict = |item: &PullItem| match &item.item {
        Item::Verdict(verdict) => Some(format!("verdict {}", verdict.event)),
        _ => None,
    };
    items.iter().filter_map(verdict).collect()
}

/// All cards from a cursor on, as pages of this limit tell them; how many parts there were.
async fn read(device: &mut Handheld, limit: usize) -> (BTreeMap<String, String>, usize) {
    let (mut cursor, mut within): (i64, Option<String>) = (0, None);
    let (mut told, mut parts) = (BTreeMap::new(), 0);
    let mut of_position = BTreeSet::new();
    loop {
        let page = device.pull_part(cursor, limit, within.as_deref()).await;
        let new = cards(&page.items);
        assert!(
            new.len() <= limit * PULL_UNITS_PER_ITEM,
            "{} units for a limit of {limit}",
            new.len()
        );
        for (unit, card) in new {
            if within.is_some() || page.within.is_some() {
                assert!(of_position.insert(unit.clone()), "{unit} came twice");
            }
            told.insert(unit, card);
        }
        for verdict in verdicts(&page.items) {
            let once = of_position.insert(verdict.clone());
            assert!(
                once && page.within.is_none(),
                "{verdict} comes with the last part"
            );
            told.insert(verdict, String::new());
        }
        parts += usize::from(page.within.is_some());
        assert!(page.within.is_none() || page.cursor == cursor && page.more);
        assert!(page.within.is_some() || page.cursor > cursor || !page.more);
        if page.within.is_none() {
            of_position.clear();
        }
        (cursor, within) = (page.cursor, page.within);
        if !page.more {
            return (told, parts);
        }
    }
}

on_both!(i22_a_position_of_very_much_comes_in_parts, |app| {
    let scene = Scene::of(&app).await;
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut store = scene.device(&app, &scene.store).await;
    // Two cases on a pallet of somebody else's code, and one alone, all sent with one event; beside
    // them single tins.
    let pallet = "https://id.example.cn/01/16901234567899/21/P1".to_owned();
    let tins: Vec<&String> = scene.tins.iter().collect();
    let events = [
        plant.event("pack", &packing(&scene.cases[0], &tins[..20])),
        plant.event("pack", &packing(&scene.cases[1], &tins[20..30])),
        plant.event(
            "pack",
            &packing(&pallet, &[&scene.cases[0], &scene.cases[1]]),
        ),
        plant.event("pack", &packing(&scene.cases[2], &tins[30..40])),
    ];
    plant.push(&events).await;
    // By itself, so that what is in them has no word of its own.
    let events = [
        plant.event("outbound", &outbound(&tins[50..52], &scene.store)),
        plant.event(
            "outbound",
            &outbound(
                &[
                    &pallet,
                    &scene.cases[2],
                    tins[40],
                    tins[41],
                    tins[42],
                    tins[43],
                    tins[44],
                ],
                &scene.store,
            ),
        ),
        plant.event("outbound", &outbound(&tins[52..53], &scene.store)),
    ];
    plant.push(&events).await;
    let (whole, parts) = read(&mut store, 500).await;
    // 40 in cases, 5 beside them, 3 alone; 3 cases and the pallet.
    assert_eq!((whole.len(), parts), (52, 0));
    for limit in [1, 2, 3, 7] {
        let (told, parts) = read(&mut store, limit).await;
        assert_eq!(told, whole, "limit {limit}");
        // One position has 49 of them; what was told before is looked at where it last changed.
        let least = 48 / (limit * PULL_UNITS_PER_ITEM);
        assert!(parts >= least, "limit {limit}: {parts} parts");
    }
    // A snapshot is the same, and a device that applies whole positions holds the same.
    let snapshot = Held::snapshot(&mut store).await;
    assert_eq!(snapshot.cards.len(), 52);
    // It came in: the position that changed all is a new one, and it is told again.
    let event = store.event("inbound", &inbound(&[&pallet]));
    store.push(&[event]).await;
    let (small, _) = read(&mut store, 1).await;
    let (whole, _) = read(&mut store, 500).await;
    assert_eq!(small, whole);
    // So is what is found about an event of its own: what goes out elsewhere was sold.
    let cases = [&pallet, &scene.cases[2]];
    for (kind, said) in [("sale", scanned(&cases)), ("outbound", scanned(&cases))] {
        let mut event = outbound(&[], &scene.warehouse);
        event["units"] = said;
        let event = store.event(kind, &event);
        store.push(&[event]).await;
    }
    let (small, parts) = read(&mut store, 1).await;
    let (whole, _) = read(&mut store, 500).await;
    assert_eq!(small, whole);
    assert!(parts > 1 && whole.keys().any(|of| of.starts_with("verdict")));
    app.stop().await;
});

on_both!(where_a_part_begins_must_be_what_was_told, |app| {
    let scene = Scene::of(&app).await;
    let store = scene.device(&app, &scene.store).await;
    let (head, _) = app.state().log.head().await.expect("the head");
    let path = |within: &str| format!("/v1/sync/pull?cursor=3&within={within}");
    for wrong in ["", "x", "4", "4.1", "4.1.1.1", "5.1.1", "04.1.1", "-4.1.1"] {
        refused(store.read(&path(wrong)).await, "malformed-request");
    }
    ok(store.read(&path("4.1.1")).await);
    let ahead = format!("/v1/sync/pull?cursor={head}&within={}.1.1", head + 1);
    refused(store.read(&ahead).await, "cursor-gone");
    app.stop().await;
});
