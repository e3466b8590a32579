//! I17: every unit a recall covers is exactly one of located, on its way, sold, collected, destroyed,
//! not accounted for, and the sums match; by stories, and over random histories held against what
//! is told of each unit alone.

use crate::{
    scene::{Scene, fill_up, holds, inbound, outbound, sale, scanned},
    support::{batch, firm, id, made, number, ok, refused, segment, text_of},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_tests::{Caller, Handheld, TestApp, caller::encoded, on_both, recall_order};

async fn reach(caller: &Caller, recall: &str) -> Value {
    ok(caller.get(&format!("/v1/recalls/{recall}/reach")).await)
}

fn units(reach: &Value, what: &str) -> u64 {
    number(&reach[what]["units"])
}

async fn recall(caller: &Caller, order: &Value) -> String {
    id(&made(caller.post("/v1/recalls", order).await))
}

on_both!(i17_a_recall_reaches_every_tin_once, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let tins = &scene.tins;
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut store = scene.device(&app, &scene.store).await;
    let case = &scene.cases[0];
    let packed = json!({
        "parent": {"code": case, "input": "wedge"}, "declared": 6,
        "children": scanned(&tins[..6].iter().collect::<Vec<_>>()),
    });
    let events = [
        plant.event("pack", &packed),
        plant.event("outbound", &outbound(&[case], &scene.warehouse)),
    ];
    plant.push(&events).await;
    store.push(&[]).await;
    let at_store: Vec<&String> = tins[6..12].iter().collect();
    let events = [
        store.event("inbound", &inbound(&at_store)),
        store.event("sale", &sale(&at_store[..2])),
    ];
    store.push(&events).await;

    let order = recall_order(&json!([scene.batch]), "封口不严", "退回");
    let recall = recall(staff, &order).await;
    let now = reach(staff, &recall).await;
    assert_eq!(units(&now, "total"), 66);
    assert_eq!(number(&now["total"]["items"]), 60);
    assert_eq!(units(&now, "in_transit"), 7, "the case and what is in it");
    assert_eq!(now["legs"][0]["to"], json!(scene.warehouse));
    assert_eq!(units(&now, "sold"), 2);
    assert_eq!(now["stores"][0]["location_id"], json!(scene.store));
    assert_eq!(units(&now, "located"), 4);
    assert_eq!(units(&now, "unaccounted"), 53);
    assert!(now["missing"][0]["plant_id"].is_null());

    // Fetched back without network, and told later: it counts, and so does a sale that should not
    // have been.
    let collected = store.event("collect", &json!({"units": scanned(&at_store[2..4])}));
    let sold = store.event("sale", &sale(&at_store[4..5]));
    store.push(&[collected, sold]).await;
    let after = reach(staff, &recall).await;
    assert_eq!(units(&after, "collected"), 2);
    assert_eq!(units(&after, "sold"), 3);
    assert_eq!(units(&after, "located"), 1);
    assert_eq!(units(&after, "total"), 66);
    let sales = after["sales"].as_array().expect("sales");
    // The till had heard of no recall, and nobody can tell whether it sold before or after.
    let unknowing =
        |sales: &&Value| sales["knowledge"] == "could_not_know" && sales["when"] == "uncertain";
    let unknowing = sales.iter().find(unknowing).expect("classified");
    assert_eq!(number(&unknowing["sales"]), 1, "{sales:?}");

    let other = firm(
        &app,
        &app.signed_in("platform.admin", crate::support::PASSWORD)
            .await,
        "BBB",
        &[],
    )
    .await;
    refused(
        other
            .admin
            .get(&format!("/v1/recalls/{recall}/reach"))
            .await,
        "not-found",
    );
    app.stop().await;
});

on_both!(what_was_fetched_back_stays_so_on_its_way, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let order = recall_order(&json!([scene.batch]), "封口不严", "退回");
    let recall = recall(staff, &order).await;
    let mut store = scene.device(&app, &scene.store).await;
    let tins: Vec<&String> = scene.tins[..6].iter().collect();
    let case = &scene.cases[0];
    let packed = json!({
        "parent": {"code": case, "input": "wedge"}, "children": scanned(&tins), "declared": 6,
    });
    let events = [
        store.event("inbound", &inbound(&tins)),
        store.event("collect", &json!({"units": scanned(&tins)})),
        store.event("pack", &packed),
        store.event("outbound", &outbound(&[case], &scene.plant)),
    ];
    store.push(&events).await;
    let told = reach(staff, &recall).await;
    assert_eq!(units(&told, "collected"), 6);
    assert_eq!(units(&told, "in_transit"), 1, "the case alone");
    assert_eq!(units(&told, "total"), 66);
    app.stop().await;
});

/// A generator of numbers that gives the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).expect("small")
    }
}

/// What one unit counts as, by what is told of it alone.
fn alone(unit: &Value) -> (String, Value) {
    let (phase, place) = (text_of(&unit["state"]["phase"]), &unit["state"]["place"]);
    match phase.as_str() {
        "sold" => ("sold".into(), place["location_id"].clone()),
        "collected" | "destroyed" => (phase, Value::Null),
        _ if place["from"].is_string() => {
            let leg = json!([place["from"], place["to"], place["to_enterprise"]]);
            ("in_transit".into(), leg)
        }
        _ if place["location_id"].is_string() => ("located".into(), place["location_id"].clone()),
        _ => ("unaccounted".into(), Value::Null),
    }
}

/// All amounts of a reach, by what and where.
fn amounts(reach: &Value) -> BTreeMap<(String, String), u64> {
    let mut out = BTreeMap::new();
    let mut put = |what: &str, place: &Value, units: u64| {
        if units > 0 {
            out.insert((what.to_owned(), place.to_string()), units);
        }
    };
    for (what, list) in [("located", "places"), ("sold", "stores")] {
        for place in reach[list].as_array().expect("a list") {
            put(what, &place["location_id"], number(&place["units"]));
        }
    }
    for leg in reach["legs"].as_array().expect("legs") {
        let way = json!([leg["from"], leg["to"], leg["to_enterprise"]]);
        put("in_transit", &way, number(&leg["units"]));
    }
    for what in ["collected", "destroyed", "unaccounted"] {
        put(what, &Value::Null, units(reach, what));
    }
    out
}

/// Something random happens at a device's place.
fn happens(
    dice: &mut Dice,
    device: &mut Handheld,
    codes: &[String],
    cases: &[String],
    to: &str,
) -> String {
    let mut some = |from: &[String], most: usize| -> Vec<String> {
        let n = 1 + dice.below(most);
        (0..n)
            .map(|_| from[dice.below(from.len())].clone())
            .collect()
    };
    let case = some(cases, 1).remove(0);
    let mut named = some(codes, 3);
    let tins = some(codes, 5);
    let (kind, alone) = (dice.below(11), dice.below(3) > 0);
    if !alone {
        named = vec![case.clone()];
    }
    let named: Vec<&String> = named.iter().collect();
    let tins: Vec<&String> = tins.iter().collect();
    let parent = json!({"code": case, "input": "wedge"});
    match kind {
        0 | 1 => device.event(
            "pack",
            &json!({"parent": parent, "children": scanned(&tins)}),
        ),
        2 => device.event(
            "unpack",
            &json!({"parent": parent, "children": scanned(&tins[..1])}),
        ),
        3 | 4 => device.event("inbound", &inbound(&named)),
        5 | 6 => device.event("outbound", &outbound(&named, to)),
        7 => device.event("sale", &sale(&named)),
        8 => device.event("collect", &json!({"units": scanned(&named)})),
        9 => device.event("return", &json!({"units": scanned(&named)})),
        _ => device.event("destroy", &json!({"units": scanned(&named)})),
    }
}

async fn random_history(app: TestApp) {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.admin;
    // A second batch: of thirty codes twenty are in use, and four to twenty-five are recalled.
    let products = ok(staff.get("/v1/products").await);
    let product = text_of(&products["items"][0]["id"]);
    let second = batch(staff, &product, "L8").await;
    let more = segment(staff, &product, 30).await;
    let (from, to) = (number(&more["from"]), number(&more["to"]));
    let range =
        |lo: u64, hi: u64| json!([{"segment_id": more["id"], "from": from + lo, "to": from + hi}]);
    made(
        staff
            .post(
                "/v1/commissions",
                &json!({"batch_id": second, "ranges": range(0, 19)}),
            )
            .await,
    );
    let path = format!("/v1/segments/{}/codes", text_of(&more["id"]));
    let printed = staff.get(&path).await.text();
    let printed: Vec<String> = printed
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit(',').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(printed.len() as u64, to - from + 1);
    let foreign = format!("/01/{}/21/FOREIGN1", crate::support::gtin("0952123400777"));
    let mut order = recall_order(&json!([scene.batch]), "封口不严", "退回");
    order["ranges"] = range(4, 25);
    order["codes"] = json!([foreign]);
    let recall = recall(staff, &order).await;
    let whole = reach(staff, &recall).await;
    assert_eq!(units(&whole, "total"), 66 + 16 + 1);
    assert_eq!(whole["not_commissioned"], json!(6));

    let mut codes = scene.tins[..24].to_vec();
    codes.extend_from_slice(&printed);
    codes.push(foreign.clone());
    let mut all: BTreeSet<String> = scene.tins.iter().chain(&scene.cases).cloned().collect();
    all.extend(codes.iter().cloned());
    let named: BTreeSet<&String> = printed[4..=25].iter().chain([&foreign]).collect();

    let places = [&scene.plant, &scene.warehouse, &scene.store];
    let mut devices = Vec::new();
    for place in places {
        devices.push((scene.device(&app, place).await, Vec::new()));
    }
    let mut dice = Dice(0x5eed_0000_0000_0001);
    for round in 0..6 {
        for _ in 0..25 {
            let at = dice.below(devices.len());
            let to = places[dice.below(places.len())].clone();
            let (device, waiting): &mut (Handheld, Vec<String>) = &mut devices[at];
            waiting.push(happens(&mut dice, device, &codes, &scene.cases[..3], &to));
            if dice.below(4) == 0 {
                device.push(waiting).await;
                waiting.clear();
            }
        }
        let told = reach(staff, &recall).await;
        let mut expected: BTreeMap<(String, String), u64> = BTreeMap::new();
        let (mut total, mut unused) = (0, 0);
        for code in &all {
            let path = encoded(code);
            let unit = staff.get(&format!("/v1/units/{path}")).await;
            let unit = if unit.status == 404 {
                Value::Null
            } else {
                ok(unit)
            };
            let of_batch = unit["batch"]["id"] == json!(scene.batch);
            if !of_batch && !named.contains(code) {
                continue;
            }
            let nothing_happened = unit["timeline"].as_array().is_none_or(Vec::is_empty);
            if unit["batch"].is_null() && nothing_happened && *code != foreign {
                unused += 1;
                continue;
            }
            let (what, place) = if unit.is_null() {
                ("unaccounted".to_owned(), Value::Null)
            } else {
                alone(&unit)
            };
            total += 1;
            *expected.entry((what, place.to_string())).or_default() += 1;
        }
        assert_eq!(amounts(&told), expected, "round {round}");
        assert_eq!(units(&told, "total"), total);
        assert_eq!(number(&told["not_commissioned"]), unused);
        let parts = [
            "located",
            "in_transit",
            "sold",
            "collected",
            "destroyed",
            "unaccounted",
        ];
        let sum: u64 = parts.iter().map(|part| units(&told, part)).sum();
        assert_eq!(sum, total, "the sums match");
    }
    app.stop().await;
}

on_both!(i17_sums_match_over_random_histories, |app| {
    random_history(app).await;
});

/// Anything that may happen to tins and cases, told late and out of turn to any of these processes, with
/// more to read about each of them than an act may.
pub async fn random_pushes(apps: &[&TestApp], scene: &Scene) {
    let staff = &scene.firm.admin;
    recall(
        staff,
        &recall_order(&json!([scene.batch]), "封口不严", "退回"),
    )
    .await;
    let places = [&scene.plant, &scene.warehouse, &scene.store];
    let mut devices = Vec::new();
    for (n, place) in places.iter().enumerate() {
        let app = apps[n % apps.len()];
        devices.push((scene.device(app, place).await, Vec::new()));
    }
    let mut dice = Dice(0x5eed_0000_0000_0003);
    for round in 0..6 {
        for _ in 0..25 {
            let at = dice.below(devices.len());
            let to = places[dice.below(places.len())].clone();
            let (device, waiting): &mut (Handheld, Vec<String>) = &mut devices[at];
            let tins = &scene.tins[..12];
            waiting.push(happens(&mut dice, device, tins, &scene.cases[..3], &to));
            if dice.below(3) == 0 {
                fill_up(apps[0]).await;
                device.push(waiting).await;
                waiting.clear();
            }
        }
        holds(apps[0], &format!("round {round}")).await;
    }
}

on_both!(
    i8_units_that_are_left_to_slices_come_to_what_the_log_gives,
    |app| {
        let scene = Scene::of(&app).await;
        random_pushes(&[&app], &scene).await;
        app.stop().await;
    }
);
