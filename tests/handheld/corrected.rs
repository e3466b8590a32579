//! What corrects something stands where that stood (C10): it is a late arrival for all it names, however it came in.

use crate::{
    entering::group,
    held::Held,
    knew::knowledge,
    lots::lots_of,
    refolds::{id_of, recalled},
    scene::{GTIN, Scene, count, holds, inbound, open, sale, settled, unit},
    struck::refs,
    support::ok,
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use suyuan::handheld::replay::replay;
use suyuan_sync::{finding::Knowledge, fold::Phase};
use suyuan_tests::{TestApp, on_both};

/// Two tins and some of a lot.
fn receipt(tins: &[String], qty: u64, doc: &str) -> Value {
    let mut said = inbound(&refs(tins));
    said["lots"] = lots_of(GTIN, Some("L9"), qty);
    said["doc"]["no"] = json!(doc);
    said
}

/// What counts stands so, and nothing is wrong with it.
async fn stands(app: &TestApp, tins: &[String], balance: i64, what: &str) {
    assert_eq!(unit(app, &tins[0]).await.kept.state.phase, Phase::Sold);
    assert_eq!(unit(app, &tins[1]).await.kept.state.phase, Phase::InStock);
    for tin in tins {
        let wrong = open(app, tin).await;
        assert_eq!(wrong, Vec::<&str>::new(), "{what}: {tin}");
    }
    let sum = "SELECT CAST(SUM(balance) AS BIGINT) AS n FROM lot_line";
    assert_eq!(count(app, sum).await, balance, "{what}");
    let below = "SELECT COUNT(*) AS n FROM finding WHERE code = 'NEG_BALANCE' AND closed IS NULL";
    assert_eq!(count(app, below).await, 0, "{what}");
    holds(app, what).await;
}

on_both!(
    c10_what_corrects_a_receipt_stands_before_what_was_sold_since,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        let tins = &scene.tins[..2];
        let first = device.event("inbound", &receipt(tins, 10, "D-1"));
        let sell = |qty| {
            let mut sold = sale(&[&tins[0]]);
            sold["lots"] = lots_of(GTIN, Some("L9"), qty);
            sold
        };
        let sold = device.event("sale", &sell(5));
        device.push(&[first.clone(), sold.clone()]).await;
        stands(&app, tins, 5, "as stated").await;

        // In one push.
        let correct = |of: &String, qty, doc| {
            let struck = json!({"target": id_of(of)});
            vec![("retract", struck), ("inbound", receipt(tins, qty, doc))]
        };
        let second = group(&mut device, true, correct(&first, 12, "D-2"));
        device.push(&second).await;
        stands(&app, tins, 7, "corrected").await;

        // A correction of that, which waits for its retract.
        let before = device.history.len();
        let third = group(&mut device, true, correct(&second[1], 14, "D-3"));
        let (one, two) = (device.history[before - 1], device.history[before]);
        device.push_at(before as u64 + 1, two, &third[1..]).await;
        stands(&app, tins, 7, "waiting").await;
        device.push_at(before as u64, one, &third[..1]).await;
        stands(&app, tins, 9, "corrected again").await;

        // What comes late now finds the receipt where it stands.
        let struck = json!({"target": id_of(&sold)});
        let last = vec![("retract", struck), ("sale", sell(4))];
        let last = group(&mut device, true, last);
        device.push(&last).await;
        stands(&app, tins, 10, "the sale corrected").await;

        // Wherever an event is told, it is told where it stands.
        let mut at = Vec::new();
        for event in [&first, &second[1], &third[1]] {
            let path = format!("/v1/events/{}", id_of(event));
            at.push(ok(scene.firm.admin.get(&path).await)["at"].clone());
        }
        assert!(at[0].is_string(), "{at:?}");
        assert!(at[1..].iter().all(|told| *told == at[0]), "{at:?}");
        app.stop().await;
    }
);

on_both!(
    c10_who_corrects_a_sale_knew_then_what_was_known_of_the_goods_that_it_named,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        let [named, besides, counted] = [0, 1, 2].map(|n| &scene.tins[n]);
        let came = device.event("inbound", &inbound(&[named, besides, counted]));
        let sold = device.event("sale", &sale(&[named]));
        let seen = device.event("count", &inbound(&[counted]));
        device.push(&[came, sold.clone(), seen.clone()]).await;
        recalled(&scene, &scene.batch).await;
        let mut list = Held::default();
        list.pull(&mut device).await;
        list.pull(&mut device).await;
        let correct = |of: &String, codes: &[&String]| {
            let mut said = sale(codes);
            said["list_version"] = json!(list.as_of.0);
            let struck = json!({"target": id_of(of)});
            vec![("retract", struck), ("sale", said)]
        };
        let both = group(&mut device, true, correct(&sold, &[named, besides]));
        device.push(&both).await;
        // A count is no sale: what is said instead has neither its time nor what was known then.
        let other = group(&mut device, true, correct(&seen, &[counted]));
        device.push(&other).await;
        settled(&app).await;
        assert_eq!(knowledge(&app, named).await, [Knowledge::CouldNotKnow]);
        assert_eq!(knowledge(&app, besides).await, [Knowledge::Knew]);
        assert_eq!(knowledge(&app, counted).await, [Knowledge::Knew]);
        let stand = "SELECT COUNT(*) AS n FROM event WHERE corrects IS NOT NULL";
        assert_eq!(count(&app, stand).await, 1);
        holds(&app, "corrected").await;
        app.stop().await;
    }
);

on_both!(
    c10_what_a_correction_stands_for_is_as_it_was_stated_or_found_to_be_edited,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        let tins = &scene.tins[..2];
        let first = device.event("inbound", &receipt(tins, 10, "D-1"));
        device.push(std::slice::from_ref(&first)).await;
        let struck = json!({"target": id_of(&first)});
        let said = vec![("retract", struck), ("inbound", receipt(tins, 12, "D-2"))];
        let second = group(&mut device, true, said);
        device.push(&second).await;
        holds(&app, "as stated").await;
        // Nothing that is folded tells of any of these.
        for what in ["delivered", "mono_ms", "lo"] {
            let kept = format!("\"{what}\":");
            for (from, to) in [(&kept, &format!("{kept}9")), (&format!("{kept}9"), &kept)] {
                let set =
                    format!("UPDATE event SET corrects = REPLACE(corrects, '{from}', '{to}')");
                let set = app.state().db.writer().execute_unprepared(&set).await;
                set.expect("an edit");
                let replayed = replay(&app.state().db, &app.state().sealer).await;
                let found = replayed.expect("a replay").differences;
                let found = found
                    .iter()
                    .any(|one| one.to_string().contains("not stated so"));
                assert_eq!(found, from == &kept, "{what}");
            }
        }
        app.stop().await;
    }
);

on_both!(
    c10_what_calls_itself_no_correction_takes_the_place_that_the_rule_gives_it,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        let tins = &scene.tins[..2];
        let first = device.event("inbound", &receipt(tins, 10, "D-1"));
        device.push(std::slice::from_ref(&first)).await;
        let group = uuid::Uuid::now_v7();
        let part = |n: u32, correct: bool, mut said: Value| {
            said["group"] = json!({"id": group, "n": n, "of": 3, "correct": correct});
            said
        };
        let struck = part(1, true, json!({"target": id_of(&first)}));
        let plain = part(2, false, receipt(tins, 12, "D-2"));
        let third = part(3, true, receipt(&[], 1, "D-3"));
        let said = [("retract", struck), ("inbound", plain), ("inbound", third)];
        let said = said.map(|(kind, said)| device.event(kind, &said));
        device.push(&said).await;
        let stand = "SELECT seq AS n FROM event WHERE corrects IS NOT NULL";
        assert_eq!(count(&app, stand).await, 3, "by its number");
        holds(&app, "corrected").await;
        app.stop().await;
    }
);

on_both!(
    c10_a_group_that_is_used_again_and_again_gives_no_more_places_than_a_group_has_events,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        device.status().await;
        let group = uuid::Uuid::now_v7();
        let part = |n: u32, mut said: Value| {
            said["group"] = json!({"id": group, "n": n, "of": 2, "correct": true});
            said
        };
        let seen = || json!({"units": []});
        let mut before = 0;
        while before < 255 {
            let mut events = Vec::new();
            for _ in 0..51 {
                let first = device.event("count", &seen());
                let struck = part(1, json!({"target": id_of(&first)}));
                events.push(first);
                events.push(device.event("retract", &struck));
                events.push(device.event("count", &part(2, seen())));
                before += 1;
            }
            device.push(&events).await;
        }
        let stand = "SELECT COUNT(*) AS n FROM event WHERE corrects IS NOT NULL";
        assert_eq!(count(&app, stand).await, 250);
        app.stop().await;
    }
);
