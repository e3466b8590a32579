//! C14: what somebody states at another enterprise's place puts nothing into its stock, its lists and its
//! tills. It shows in its stater's own figures, until the goods come there by the owner's word.

use crate::{
    claims::{Stranger, figures, lines, stranger},
    held::Held,
    refolds::id_of,
    scene::{Scene, holds, inbound, open, outbound, sale, scanned, settled, unit},
    support::{array, firm, id, made, number, ok, text_of},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use suyuan::{
    log::Actor,
    registry::locations::{
        store as locations,
        wire::{LocationKind, LocationOut},
    },
};
use suyuan_sync::{
    fold::{Phase, Place},
    ids::LocationId,
};
use suyuan_tests::{Caller, TestApp, caller::encoded, on_both, recall_order};
use uuid::Uuid;

const STRANGE: &str = "UNEXPECTED_HOLDER";

/// The same at a place.
fn at(place: &str, mut said: Value) -> Value {
    said["location"] = json!(place);
    said
}

/// Findings of this code that somebody is told of.
async fn strange(caller: &Caller) -> usize {
    let page = ok(caller
        .get(&format!("/v1/findings?open=true&code={STRANGE}"))
        .await);
    array(&page["items"]).len()
}

/// How often it is open of a unit: its batch is recalled, which is found of what is shipped all the same.
async fn strange_of(app: &TestApp, code: &str) -> usize {
    let open = open(app, code).await;
    open.into_iter().filter(|code| *code == STRANGE).count()
}

/// How many units a reach locates, by place.
fn located(reach: &Value) -> BTreeMap<String, u64> {
    let places = array(&reach["places"]).iter();
    let of = |at: &Value| (text_of(&at["location_id"]), number(&at["units"]));
    places.map(of).collect()
}

/// Tins of a batch that expires one day.
pub async fn that_expire(scene: &Scene, count: u64) -> (String, Vec<String>) {
    let admin = &scene.firm.admin;
    let product = id(&ok(admin.get("/v1/products").await)["items"][0]);
    let batch = json!({
        "product_id": product, "lot": "E1", "production_date": "2026-01-15",
        "expiry_date": "2028-01-14", "plant_id": scene.plant,
    });
    let batch = id(&made(admin.post("/v1/batches", &batch).await));
    let codes = scene.unused(count).await;
    let body = json!({"batch_id": batch, "ranges": [], "codes": codes});
    made(admin.post("/v1/commissions", &body).await);
    (batch, codes)
}

/// Nothing of others' goods shows in a shop: not in its stock, nor its lists, nor its till.
async fn shows_nothing(shop: &mut Stranger, tin: &str, what: &str) {
    assert_eq!(shop.stock().await, [0; 3], "{what}");
    let expiring = "/v1/stock/expiring?within_days=3650";
    let expiring = ok(shop.staff.get(expiring).await);
    assert_eq!(expiring["items"], json!([]), "{what}");
    let path = format!("/v1/units/{}", encoded(tin));
    assert_eq!(shop.staff.get(&path).await.status, 404, "{what}");
    let mut held = Held::default();
    held.pull(&mut shop.till).await;
    assert!(held.cards.is_empty(), "{what}: {:?}", held.cards);
    let mut others = held.others.keys();
    assert!(others.all(|of| !of.starts_with("product")), "{what}");
    assert_eq!(strange(&shop.staff).await, 0, "{what}");
}

on_both!(c14_nobody_puts_goods_into_anothers_shop, |app| {
    let scene = Scene::of(&app).await;
    let staff = &scene.firm.operator;
    let (batch, tins) = that_expire(&scene, 2).await;
    let [tin, sent] = [&tins[0], &tins[1]];
    let (mut shop, other) = (stranger(&app, "SHEN").await, stranger(&app, "HENG").await);
    let order = recall_order(&json!([batch]), "封口不严", "退回");
    let recall = id(&made(staff.post("/v1/recalls", &order).await));
    let reach = async || ok(staff.get(&format!("/v1/recalls/{recall}/reach")).await);

    let mut plant = scene.device(&app, &scene.plant).await;
    let put = plant.event("inbound", &at(&shop.shop, inbound(&[tin])));
    let answer = plant.push(std::slice::from_ref(&put)).await;
    let told = answer.results[0].findings.iter();
    assert_eq!(
        told.map(|note| note.code.name()).collect::<Vec<_>>(),
        [STRANGE]
    );
    shows_nothing(&mut shop, tin, "put there").await;
    let state = unit(&app, tin).await.kept.state;
    let of = |place: &str| Place::At(LocationId(place.parse().expect("an id")));
    assert_eq!(
        (state.phase, state.place),
        (Phase::Commissioned, of(&scene.plant))
    );
    let now = reach().await;
    assert_eq!(located(&now), [(scene.plant.clone(), 1)].into());
    // It is told what it claims, and of a place that is not its own nothing else.
    assert_eq!(figures(&lines(staff, &shop.shop, "").await), [1, 0, 0]);
    let whole = ok(staff.get("/v1/stock").await);
    let whole = array(&whole["items"]).iter();
    let claims = |place: &&Value| place["location_id"] == json!(shop.shop);
    assert_eq!(whole.filter(claims).count(), 1);
    let of_batch = format!("&batch_id={batch}");
    assert_eq!(
        lines(staff, &shop.shop, &of_batch).await,
        Vec::<Value>::new()
    );
    assert_eq!(
        lines(&other.staff, &shop.shop, "").await,
        Vec::<Value>::new()
    );
    assert_eq!(strange(staff).await, 1);
    holds(&app, "put there").await;

    // Who came by goods says that it sold them in the maker's store.
    let to_shop = plant.event("outbound", &outbound(&[sent], &shop.shop));
    plant.push(&[to_shop]).await;
    shop.states("inbound", &inbound(&[sent])).await;
    shop.states("sale", &at(&scene.store, sale(&[sent]))).await;
    assert_eq!(strange_of(&app, sent).await, 1);
    let now = reach().await;
    assert_eq!(
        (number(&now["sold"]["units"]), &now["stores"]),
        (0, &json!([]))
    );
    let both = [(scene.plant.clone(), 1), (shop.shop.clone(), 1)];
    assert_eq!(located(&now), both.into());
    let maker = lines(staff, &scene.store, "").await;
    assert_eq!(figures(&maker), [0; 3]);
    // Its own lines there are of its own places; what it claims to have sold is nowhere.
    assert_eq!(
        lines(&shop.staff, &scene.store, "").await,
        Vec::<Value>::new()
    );
    holds(&app, "sold there").await;

    // By its owner's word it is in the shop, once it was sent there.
    let to_shop = plant.event("outbound", &outbound(&[tin], &shop.shop));
    plant.push(&[to_shop]).await;
    shop.till.status().await;
    shop.states("inbound", &inbound(&[tin])).await;
    assert_eq!(shop.stock().await, [0, 2, 0]);
    assert_eq!(lines(staff, &shop.shop, "").await, Vec::<Value>::new());
    // What was said before that stays what it was, until it is taken back.
    assert_eq!(strange_of(&app, tin).await, 1);
    let retract = plant.event("retract", &json!({"target": id_of(&put)}));
    plant.push(&[retract]).await;
    assert_eq!(strange_of(&app, tin).await, 0);
    assert_eq!(shop.stock().await, [0, 2, 0]);
    holds(&app, "came there").await;
    app.stop().await;
});

/// An outbound to an enterprise, to whatever place of it.
fn sent_to(enterprise: &str, codes: &[&String]) -> Value {
    let mut said = outbound(codes, "");
    said["counterpart"] = json!({"type": "enterprise", "id": enterprise});
    said
}

/// A place that events named before it was on record.
async fn file(app: &TestApp, place: Uuid, owner: &str) {
    let new = LocationOut {
        id: place,
        code: "S-6".into(),
        kind: LocationKind::Store,
        name: "店".into(),
        gln: None,
        fields: json!({}),
    };
    let owner = owner.parse().expect("an id");
    let log = &app.state().log;
    let filed = locations::create(log, Actor::System, None, owner, new).await;
    filed.expect("a place");
    settled(app).await;
}

on_both!(c14_a_place_that_comes_on_record_is_its_owners, |app| {
    let scene = Scene::of(&app).await;
    let mut shop = stranger(&app, "SHEN").await;
    let platform = app
        .signed_in("platform.admin", crate::support::PASSWORD)
        .await;
    let beta = firm(&app, &platform, "BETA", &[]).await;
    let (late, tins, cases) = (Uuid::now_v7(), &scene.tins, &scene.cases);
    let there = late.to_string();
    let packed = |case: &String, tin: &String| json!({"parent": {"code": case, "input": "wedge"}, "children": scanned(&[tin])});
    let mut plant = scene.device(&app, &scene.plant).await;
    let events = [
        plant.event("pack", &packed(&cases[0], &tins[0])),
        plant.event("pack", &packed(&cases[1], &tins[1])),
        plant.event("outbound", &sent_to(&shop.id, &[&cases[1], &tins[2]])),
        // The maker says so of a case and of a tin, and links somebody.
        plant.event("inbound", &at(&there, inbound(&[&cases[0], &tins[3]]))),
        plant.event("outbound", &at(&there, sent_to(&beta.id, &[&tins[3]]))),
    ];
    plant.push(&events).await;
    // To whom goods were sent opens the case there.
    shop.till.status().await;
    shop.states("inbound", &at(&there, inbound(&[&cases[1], &tins[2]])))
        .await;
    let opened = json!({"parent": {"code": cases[1], "input": "wedge"}});
    shop.states("unpack", &at(&there, opened)).await;
    // Then somebody else looks at all there is, and sees nothing.
    plant.status().await;
    let count = json!({"units": [], "body": {"scope": {"complete": true}}});
    let count = plant.event("count", &at(&there, count));
    plant.push(&[count]).await;
    settled(&app).await;
    for tin in &tins[1..=2] {
        assert_eq!(open(&app, tin).await, ["MISSING_AT_COUNT"]);
    }
    let linked = unit(&app, &tins[3]).await.kept.state.linked;
    assert_eq!(linked.len(), 2);
    holds(&app, "on no record").await;

    file(&app, late, &shop.id).await;
    for tin in &tins[1..=2] {
        assert_eq!(open(&app, tin).await, [""; 0]);
    }
    for code in [&cases[0], &tins[3]] {
        assert!(open(&app, code).await.contains(&STRANGE));
    }
    let state = unit(&app, &tins[3]).await.kept.state;
    assert_eq!((state.phase, state.linked.len()), (Phase::Commissioned, 1));
    let path = format!("/v1/units/{}", encoded(&tins[0]));
    let inside = ok(scene.firm.operator.get(&path).await);
    assert_eq!(inside["state"]["place"]["location_id"], json!(scene.plant));
    // The case that was opened, and two tins.
    let stock = figures(&lines(&shop.staff, &there, "").await);
    assert_eq!(stock, [0, 3, 0]);
    holds(&app, "on record").await;
    app.stop().await;
});
