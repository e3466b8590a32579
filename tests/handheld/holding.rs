//! A container with goods that nobody should have: whoever is offered it is told so, at the till with and without the
//! cards of what is in it, and as a consumer; and of nothing any more once that is out, or closed (sync.md section 7).

use crate::{
    held::Held,
    scene::{Scene, enrolled, holds, inbound, key, sale, scanned, settled, unit},
    support::{PASSWORD, batch, firm, id, made, ok, text_of},
};
use serde_json::{Value, json};
use std::time::Duration;
use suyuan_sync::{
    finding::FindingCode,
    ids::BatchId,
    till::{Advice, Reason},
};
use suyuan_tests::{Handheld, TestApp, on_both, recall_order, until};

/// Waits until a consumer who scans this is told of this recall; of none, and not to stop, where there is none.
async fn told(app: &TestApp, code: &str, recall: Option<&str>) {
    let what = format!("{recall:?} of {code}");
    until(&what, Duration::from_secs(5), async || {
        let view = app.consumer().scan(code).await.json();
        let reasons = view["reasons"].as_array().expect("reasons");
        let is_recalled = reasons.contains(&json!("recalled"));
        let stops = view["advice"] == "stop";
        (stops, is_recalled) == (recall.is_some(), recall.is_some())
            && view["recall"]["id"].as_str() == recall
    })
    .await;
}

fn packing(container: &String, units: &[&String]) -> Value {
    json!({"parent": {"code": container, "input": "wedge"}, "units": scanned(units)})
}

async fn states(device: &mut Handheld, kind: &str, said: &Value) {
    let event = device.event(kind, said);
    device.push(&[event]).await;
}

/// A second batch of the scene's product, a tin of it, and a pallet of the maker's.
async fn another(scene: &Scene) -> (String, String, String) {
    let admin = &scene.firm.admin;
    let product = id(&ok(admin.get("/v1/products").await)["items"][0]);
    let other = batch(admin, &product, "R9").await;
    let tin = scene.unused(1).await.remove(0);
    let body = json!({"batch_id": other, "ranges": [], "codes": [tin]});
    made(admin.post("/v1/commissions", &body).await);
    let pallets = json!({"gs1_prefix": "9521234", "count": 1});
    let pallets = made(admin.post("/v1/segments", &pallets).await);
    let path = format!("/v1/segments/{}/codes", text_of(&pallets["id"]));
    let printed = admin.get(&path).await.text();
    let pallet = printed
        .lines()
        .nth(1)
        .and_then(|line| line.rsplit(',').next());
    (other, tin, pallet.expect("a pallet").to_owned())
}

async fn recall(scene: &Scene, batch: &str) -> String {
    let order = recall_order(&json!([batch]), "r", "i");
    id(&made(scene.firm.admin.post("/v1/recalls", &order).await))
}

async fn close(scene: &Scene, recall: &str) {
    let path = format!("/v1/recalls/{recall}/close");
    let how = json!({"note": "over", "mistaken": true});
    ok(scene.firm.admin.post(&path, &how).await);
}

/// The batches a card names.
fn held_by(till: &Held, code: &str) -> Vec<BatchId> {
    let card = till.cards.get(&key(code)).expect("a card");
    card.holds.iter().map(|held| held.batch).collect()
}

on_both!(
    a_case_with_a_tin_of_a_recalled_batch_is_sold_to_nobody,
    |app| {
        let scene = Scene::of(&app).await;
        let (other, bad, pallet) = another(&scene).await;
        let (bad, pallet) = (&bad, &pallet);
        let (good, case, whole) = (&scene.tins[0], &scene.cases[0], &scene.cases[1]);
        let batch = BatchId(other.parse().expect("an id"));
        let mut store = scene.device(&app, &scene.store).await;
        states(
            &mut store,
            "inbound",
            &inbound(&[pallet, case, whole, good, bad, &scene.tins[1]]),
        )
        .await;
        states(&mut store, "pack", &packing(case, &[good, bad])).await;
        states(&mut store, "pack", &packing(whole, &[&scene.tins[1]])).await;
        states(&mut store, "pack", &packing(pallet, &[case, whole])).await;
        holds(&app, "packed").await;
        told(&app, case, None).await;

        let mut till = Held::default();
        till.pull(&mut store).await;
        let now = till.as_of.1;
        assert_eq!(till.decide(case, now).advice, Advice::Ok);
        assert_eq!(held_by(&till, case), [batch]);
        assert_eq!(held_by(&till, whole), []);
        assert_eq!(held_by(&till, pallet).len(), 2);

        let first = recall(&scene, &other).await;
        told(&app, case, Some(&first)).await;
        told(&app, pallet, Some(&first)).await;
        for untouched in [whole, good] {
            told(&app, untouched, None).await;
        }
        till.pull(&mut store).await;
        for (code, of) in [(case, bad), (pallet, bad)] {
            // By the list and what the container's own card names, with no card of the tin; and with it.
            let mut alone = till.cards.clone();
            alone.retain(|unit, _| *unit == key(code));
            for (cards, taken_for) in [(alone, None), (till.cards.clone(), None)] {
                let whole = std::mem::replace(&mut till.cards, cards);
                let decision = till.decide(code, now);
                assert_eq!(decision.advice, Advice::Stop, "{code} {decision:?}");
                assert_eq!(decision.reasons.first(), Some(&Reason::Recalled));
                assert_eq!(decision.taken_for, taken_for);
                till.cards = whole;
            }
            // An older server's card says nothing of what is in it: the tin's own does.
            let mut older = till.cards.clone();
            for card in older.values_mut() {
                card.holds.clear();
            }
            let whole = std::mem::replace(&mut till.cards, older);
            let decision = till.decide(code, now);
            assert_eq!(decision.reasons.first(), Some(&Reason::Recalled), "{code}");
            assert_eq!(decision.taken_for, Some(key(of)));
            till.cards = whole;
        }
        assert_eq!(till.decide(whole, now).advice, Advice::Ok);
        settled(&app).await;
        holds(&app, "recalled").await;

        // Out of the case, the case is good again, and what it is on.
        let out = packing(case, &[bad]);
        states(&mut store, "unpack", &out).await;
        told(&app, case, None).await;
        told(&app, pallet, None).await;
        told(&app, bad, Some(&first)).await;
        till.pull(&mut store).await;
        assert_eq!(held_by(&till, case), []);
        assert_eq!(held_by(&till, pallet).len(), 1);
        assert_eq!(till.decide(case, now).advice, Advice::Ok);
        holds(&app, "taken out").await;

        // And put back, which names the case alone; closed as mistaken it is good.
        states(&mut store, "pack", &packing(case, &[bad])).await;
        told(&app, case, Some(&first)).await;
        told(&app, pallet, Some(&first)).await;
        till.pull(&mut store).await;
        assert_eq!(
            (held_by(&till, case), held_by(&till, pallet).len()),
            (vec![batch], 2)
        );
        close(&scene, &first).await;
        told(&app, case, None).await;
        told(&app, pallet, None).await;
        holds(&app, "closed").await;

        // Sold out of the case by itself it is in there no more.
        let second = recall(&scene, &other).await;
        told(&app, case, Some(&second)).await;
        states(&mut store, "sale", &sale(&[bad])).await;
        told(&app, case, None).await;
        holds(&app, "sold").await;
        let found = unit(&app, bad).await.kept.open();
        assert!(
            found
                .iter()
                .any(|finding| finding.code == FindingCode::SoldRecalled)
        );
        app.stop().await;
    }
);

on_both!(
    c14_what_a_stranger_packs_into_a_case_changes_nothing_of_it,
    |app| {
        let scene = Scene::of(&app).await;
        let (other, bad, _) = another(&scene).await;
        let case = &scene.cases[0];
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let stranger = firm(&app, &platform, "SHEN", &[]).await;
        let place = json!({"code": "S-1", "kind": "store", "name": "店"});
        let place = id(&made(stranger.admin.post("/v1/locations", &place).await));
        let mut theirs = enrolled(&app, &stranger.operator, &place).await;
        let mut store = scene.device(&app, &scene.store).await;
        states(&mut store, "inbound", &inbound(&[case])).await;
        states(&mut theirs, "pack", &packing(case, &[&bad])).await;
        let recall = recall(&scene, &other).await;
        told(&app, &bad, Some(&recall)).await;
        told(&app, case, None).await;
        let mut till = Held::default();
        till.pull(&mut store).await;
        assert_eq!(till.decide(case, till.as_of.1).advice, Advice::Ok);
        assert_eq!(held_by(&till, case), []);
        holds(&app, "packed by a stranger").await;
        // The maker's own word counts.
        states(&mut store, "pack", &packing(case, &[&bad])).await;
        told(&app, case, Some(&recall)).await;
        holds(&app, "packed by its maker").await;
        app.stop().await;
    }
);
