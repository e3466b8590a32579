//! As-known-at reads beside folds: while pushes, decisions and refolds go on, several readers ask for
//! positions of the past, and what is told of one never differs (I25).

use crate::{
    scene::{Scene, inbound, outbound, sale, scanned, settled},
    support::{PASSWORD, firm, made, ok},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};
use suyuan_tests::{Caller, Handheld, TestApp, caller::encoded, on_both, recall_order};

const READERS: usize = 5;
const TINS: usize = 3;

/// What is told for ever: of a tin, at a position.
type Told = RefCell<BTreeMap<(usize, i64), Value>>;

/// Positions that are known by now.
type Positions = RefCell<Vec<i64>>;

async fn read(caller: &Caller, tin: &str, at: i64) -> Value {
    let path = format!("/v1/units/{}?at={at}", encoded(tin));
    ok(caller.get(&path).await)
}

/// The head as it stands is a position of the past from now on.
async fn noted(app: &TestApp, positions: &Positions) {
    let (head, _) = app.state().log.head().await.expect("the head");
    positions.borrow_mut().push(head);
}

/// A scan whose clock is ahead: what comes in behind it moves it back.
fn ahead(said: &mut Value, minutes: i64) {
    let at = jiff::Zoned::now() + jiff::SignedDuration::from_mins(minutes);
    let at = at.with_time_zone(jiff::tz::TimeZone::UTC);
    said["at"] = json!(at.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string());
}

/// Events of the same tins again and again: late sales, retracts, cases, clocks that are wrong.
async fn history(
    scene: &Scene,
    app: &TestApp,
    devices: &mut [Handheld; 4],
    positions: &Positions,
    partner: &str,
) {
    let tins: Vec<&String> = scene.tins[..TINS].iter().collect();
    let [plant, warehouse, store, till] = devices;
    let case = &scene.cases[0];
    let packed = json!({
        "parent": {"code": case, "input": "wedge"}, "units": scanned(&tins), "declared": TINS,
    });
    // Stated first, uploaded last.
    let early = [
        plant.event("pack", &packed),
        plant.event("outbound", &outbound(&[case], &scene.store)),
    ];
    for round in 0..6 {
        let mut sold = sale(&tins[round % TINS..=round % TINS]);
        if round % 2 == 0 {
            ahead(&mut sold, 30);
        }
        // Stated before what the store states next and uploaded after it: it stands there first, and
        // behind what its own device sends next it moves back before that.
        till.status().await;
        let (seq, behind) = (till.next, till.head());
        let first = till.event("sale", &sold);
        let first_id: Value = serde_json::from_str(&first).expect("an event");
        let struck = till.event("retract", &json!({"target": first_id["event_id"]}));
        store.status().await;
        let events = [
            store.event("inbound", &inbound(&tins)),
            store.event("sale", &sale(&tins)),
        ];
        store.push(&events).await;
        noted(app, positions).await;
        till.push_at(seq, behind, &[first]).await;
        noted(app, positions).await;
        match round {
            1 => {
                let order = recall_order(&json!([scene.batch]), "r", "i");
                made(scene.firm.admin.post("/v1/recalls", &order).await);
            }
            2 => drop(plant.push(&early).await),
            3 => {
                let accepted = json!({"partner_id": partner, "from": 0});
                made(scene.firm.admin.post("/v1/acceptances", &accepted).await);
            }
            _ => {
                let back = warehouse.event("return", &sale(&tins[..1]));
                warehouse.push(&[back]).await;
            }
        }
        noted(app, positions).await;
        till.push(&[struck]).await;
        noted(app, positions).await;
    }
}

on_both!(i25_what_was_known_is_told_alike_while_folds_go_on, |app| {
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let partner = firm(&app, &platform, "BETA", &["9521235"]).await.id;
    let mut devices = [
        scene.device(&app, &scene.plant).await,
        scene.device(&app, &scene.warehouse).await,
        scene.device(&app, &scene.store).await,
        scene.device(&app, &scene.store).await,
    ];
    let (told, positions, over) = (Told::default(), Positions::default(), Cell::new(false));
    noted(&app, &positions).await;
    let reads = Cell::new(0_usize);
    let writing = async {
        history(&scene, &app, &mut devices, &positions, &partner).await;
        settled(&app).await;
        over.set(true);
    };
    let reading = join_all((0..READERS).map(async |reader| {
        let staff = &scene.firm.operator;
        let mut turn = reader;
        while !over.get() {
            turn += 7;
            let (tin, at) = {
                let positions = positions.borrow();
                // The newest more often than the others: it is what is folded over just now.
                let back = turn % positions.len().min(if turn % 2 == 0 { 3 } else { 99 });
                (turn % TINS, positions[positions.len() - 1 - back])
            };
            let now = read(staff, &scene.tins[tin], at).await;
            reads.set(reads.get() + 1);
            let before = {
                let mut told = told.borrow_mut();
                told.entry((tin, at)).or_insert_with(|| now.clone()).clone()
            };
            assert_eq!(before, now, "tin {tin} at {at}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }));
    tokio::join!(writing, reading);
    let told = told.into_inner();
    println!("{} reads of {} answers", reads.get(), told.len());
    assert!(reads.get() > 2 * told.len() && told.len() > TINS * 6);
    let different: std::collections::BTreeSet<String> =
        told.values().map(ToString::to_string).collect();
    assert!(different.len() > told.len() / 2, "they tell of a history");
    for ((tin, at), before) in &told {
        let now = read(&scene.firm.operator, &scene.tins[*tin], *at).await;
        assert_eq!(now, *before, "tin {tin} at {at}, afterwards");
    }
    app.stop().await;
});
