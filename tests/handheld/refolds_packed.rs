//! What becomes of units in containers that nobody names any more (`refolds`): what is recalled in them, and
//! what comes in late about their container, reaches them, and what left it since.

use crate::{
    refolds::{id_of, mistaken, recalled},
    scene::{Scene, count, enrolled, holds, inbound, open, outbound, sale, scanned, settled, unit},
    support::{PASSWORD, batch, firm, id, made, product, segment, text_of},
};
use serde_json::{Value, json};
use suyuan_sync::fold::Phase;
use suyuan_tests::on_both;

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
    c13_a_commission_that_is_stated_forgets_no_recall_of_what_is_beside_it,
    |app| {
        let scene = Scene::of(&app).await;
        let (batch, tins) = other_batch(&scene).await;
        let (case, own) = (&scene.cases[0], &scene.tins[0]);
        let mut store = scene.device(&app, &scene.store).await;
        let mut line = scene.device(&app, &scene.plant).await;
        let events = [
            store.event("inbound", &inbound(&[case, &tins[0], own])),
            store.event("pack", &packing(case, &[&tins[0], own])),
            store.event("sale", &sale(&[case])),
        ];
        store.push(&events).await;
        recalled(&scene, &batch).await;
        settled(&app).await;
        assert_eq!(open(&app, case).await, ["SOLD_RECALLED"]);
        // Of the other in it, whose batch nobody recalls.
        let says = json!({"units": scanned(&[own]), "body": {"batch": "L7"}});
        let event = line.event("commission", &says);
        line.push(&[event]).await;
        settled(&app).await;
        assert_eq!(open(&app, case).await, ["SOLD_RECALLED"]);
        holds(&app, "commissioned").await;
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
