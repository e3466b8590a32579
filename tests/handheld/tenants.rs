//! Ids of events are an enterprise's own: whoever uses another's id once more, by chance or to do harm,
//! neither hides what is found about the other nor is told it, and strikes nothing of it.

use crate::{
    held::Held,
    scene::{
        Scene, count, enrolled, holds, inbound, key, open, open_about_events, outbound, sale,
        scanned, unit,
    },
    support::{PASSWORD, firm, id, made, ok, refused},
};
use serde_json::{Value, json};
use suyuan_sync::{
    finding::{FindingCode, Subject},
    wire::EventResult,
};
use suyuan_tests::{Handheld, TestApp, caller::encoded, on_both};
use uuid::Uuid;

/// A device of an enterprise that no tin ever came to.
pub async fn stranger(app: &TestApp, code: &str) -> Handheld {
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let firm = firm(app, &platform, code, &[]).await;
    let shop = json!({"code": "S-1", "kind": "store", "name": "店"});
    let shop = id(&made(firm.admin.post("/v1/locations", &shop).await));
    enrolled(app, &firm.operator, &shop).await
}

/// The same under an id of somebody's choice.
fn under(event: Uuid, mut said: Value) -> Value {
    said["event_id"] = json!(event);
    said
}

fn told(result: &EventResult) -> Vec<&'static str> {
    let findings = result.findings.iter();
    findings.map(|note| note.code.name()).collect()
}

/// Open findings that a device is told of.
async fn own(device: &mut Handheld) -> Vec<(Uuid, &'static str)> {
    let status = device.status().await;
    let findings = status.findings.iter();
    findings
        .map(|own| (own.event.0, own.finding.code.name()))
        .collect()
}

on_both!(
    an_id_that_several_enterprises_use_is_as_many_events,
    |app| {
        let scene = Scene::of(&app).await;
        let tin = &scene.tins[0];
        let mut till = scene.device(&app, &scene.store).await;
        let (mut one, mut other) = (stranger(&app, "SHEN").await, stranger(&app, "HENG").await);
        let same = Uuid::now_v7();
        let strange = FindingCode::UnexpectedHolder.name();

        let event = one.event("inbound", &under(same, inbound(&[tin])));
        let answer = one.push(&[event]).await;
        assert!(told(&answer.results[0]).contains(&strange));
        // In one act with the other stranger's or not, each is told its own.
        let event = other.event("inbound", &under(same, inbound(&[tin])));
        let answer = other.push(&[event]).await;
        assert!(told(&answer.results[0]).contains(&strange));
        let event = till.event("sale", &under(same, sale(&[tin])));
        let answer = till.push(&[event]).await;
        assert_eq!(told(&answer.results[0]), ["ORPHAN_SALE"]);

        assert_eq!(open(&app, tin).await, ["ORPHAN_SALE", strange, strange]);
        let kept = unit(&app, tin).await.kept;
        let judged: Vec<_> = kept.findings.iter().map(|k| k.finding.device).collect();
        assert_eq!(judged[0], till.device);
        assert!(judged.contains(&one.device) && judged.contains(&other.device));
        // Each row says whose event it is about.
        let rows = "SELECT COUNT(*) AS n FROM finding f JOIN event e ON e.gseq = f.event_gseq \
                WHERE f.unit_id IS NOT NULL AND f.closed IS NULL \
                AND f.device_id = e.device_id AND f.enterprise_id = e.enterprise_id";
        assert_eq!(count(&app, rows).await, 3);
        assert_eq!(own(&mut one).await, [(same, strange)]);
        assert_eq!(own(&mut other).await, [(same, strange)]);
        holds(&app, "stated").await;

        // One of them takes back its own: the others' stand.
        let event = one.event("retract", &json!({"target": same}));
        let answer = one.push(&[event]).await;
        assert_eq!(told(&answer.results[0]), [""; 0]);
        assert_eq!(open(&app, tin).await, ["ORPHAN_SALE", strange]);
        let kept = unit(&app, tin).await.kept;
        assert_eq!(kept.findings[1].finding.device, other.device);
        assert_eq!(own(&mut one).await, []);
        holds(&app, "struck").await;
        app.stop().await;
    }
);

on_both!(a_retract_means_its_own_enterprises_event, |app| {
    let scene = Scene::of(&app).await;
    let [theirs, own] = [&scene.tins[1], &scene.tins[2]];
    let mut till = scene.device(&app, &scene.store).await;
    let mut one = stranger(&app, "SHEN").await;
    let same = Uuid::now_v7();

    let event = till.event("sale", &under(same, sale(&[theirs])));
    till.push(&[event]).await;
    // While its own event is not in, it can only mean the other's, and may not strike it.
    let first = one.text(
        1,
        "inbound",
        &under(same, json!({"units": scanned(&[own])})),
    );
    one.make(first.clone());
    let retract = one.event("retract", &json!({"target": same}));
    one.push(&[retract]).await;
    let refused = FindingCode::RetractUnauthorised;
    assert_eq!(open(&app, theirs).await, ["ORPHAN_SALE"]);
    assert_eq!(open_about_events(&app, refused).await, 1);
    holds(&app, "its own is not in").await;

    let genesis = one.history[0];
    one.push_at(1, genesis, &[first]).await;
    assert_eq!(open(&app, theirs).await, ["ORPHAN_SALE"]);
    assert_eq!(open_about_events(&app, refused).await, 0);
    assert_eq!(open(&app, own).await, [""; 0]);
    holds(&app, "its own came in").await;

    // Nor does another event of that id that comes later mean anything to it.
    let mut third = stranger(&app, "HENG").await;
    let event = third.event("inbound", &under(same, inbound(&[theirs])));
    third.push(&[event]).await;
    let strange = FindingCode::UnexpectedHolder.name();
    assert_eq!(open(&app, theirs).await, ["ORPHAN_SALE", strange]);
    holds(&app, "a third").await;
    app.stop().await;
});

on_both!(an_id_of_somebody_elses_event_tells_nothing, |app| {
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let mut till = scene.device(&app, &scene.store).await;
    let event = Uuid::now_v7();
    let sold = till.event("sale", &under(event, sale(&[tin])));
    till.push(&[sold]).await;

    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let other = firm(&app, &platform, "SHEN", &[]).await;
    let shop = json!({"code": "S-1", "kind": "store", "name": "店"});
    let shop = id(&made(other.admin.post("/v1/locations", &shop).await));
    let mut device = enrolled(&app, &other.operator, &shop).await;
    let retract = device.event("retract", &json!({"target": event}));
    let answer = device.push(&[retract]).await;
    let findings = &answer.results[0].findings;
    assert_eq!(told(&answer.results[0]), ["RETRACT_UNAUTHORISED"]);
    assert!(findings.iter().all(|note| note.subject == Subject::Event));
    let own = device.status().await.findings;
    assert!(own.iter().all(|own| own.finding.subject == Subject::Event));

    let path = format!("/v1/units/{}", encoded(tin));
    assert_eq!(other.admin.get(&path).await.status, 404);
    let list = other.admin.get("/v1/findings").await.json();
    assert_eq!(list["items"][0]["code"], "RETRACT_UNAUTHORISED");
    assert!(list["items"][0]["unit"].is_null(), "{list}");
    // Whom it does not concern is told nothing of it, however often it is said (C10).
    let again: Vec<String> = (0..3)
        .map(|_| device.event("retract", &json!({"target": event})))
        .collect();
    device.push(&again).await;
    let staff = &scene.firm.admin;
    let list = staff.get("/v1/findings?code=RETRACT_UNAUTHORISED").await;
    assert_eq!(list.json()["items"], json!([]));
    let unit = ok(staff.get(&path).await);
    assert_eq!(unit["timeline"].as_array().map(Vec::len), Some(1), "{unit}");
    let related = "SELECT COUNT(*) AS n FROM event_unit";
    assert_eq!(count(&app, related).await, 1, "the sale alone");
    assert_eq!(
        open_about_events(&app, FindingCode::RetractUnauthorised).await,
        4
    );
    holds(&app, "somebody else's retracts").await;
    app.stop().await;
});

on_both!(
    i25_an_id_that_is_used_again_takes_no_witness_its_place,
    |app| {
        let scene = Scene::of(&app).await;
        let tin = &scene.tins[0];
        let mut warehouse = scene.device(&app, &scene.warehouse).await;
        let mut till = scene.device(&app, &scene.store).await;
        let mut shop = stranger(&app, "SHEN").await;
        let to = shop.location.to_string();
        let shipped = [
            warehouse.event("inbound", &inbound(&[tin])),
            warehouse.event("outbound", &outbound(&[tin], &to)),
        ];
        warehouse.push(&shipped).await;
        till.status().await;
        let seen = Uuid::now_v7();
        let sold = till.event("sale", &under(seen, sale(&[tin])));
        till.push(&[sold]).await;
        shop.status().await;
        let received = shop.event("inbound", &inbound(&[tin]));
        shop.push(&[received]).await;
        let path = format!("/v1/units/{}", encoded(tin));
        let staff = &scene.firm.admin;
        let now = ok(staff.get(&path).await);
        let then = format!("{path}?at={}", now["position"]);
        let shown = async |path: &str| {
            let unit = ok(staff.get(path).await);
            let findings = unit["findings"].as_array().cloned().unwrap_or_default();
            let named = |finding: &Value| {
                let witnesses = finding["witnesses"].as_array().cloned().unwrap_or_default();
                let seen = witnesses
                    .iter()
                    .find(|it| it["event"] == json!(seen))
                    .cloned();
                seen.map(|it| (finding["code"].to_string(), it["position"].as_i64()))
            };
            findings.iter().filter_map(named).collect::<Vec<_>>()
        };
        let before = shown(&path).await;
        assert!(!before.is_empty(), "{now}");
        // Whoever it accuses states something else under that id, about another thing; ids are used once by each.
        for (id, other) in [(seen, &scene.tins[1]), (Uuid::now_v7(), tin)] {
            let said = json!({"units": scanned(&[other])});
            let counted = shop.event("count", &under(id, said));
            shop.push(&[counted]).await;
            assert_eq!(shown(&path).await, before);
            assert_eq!(shown(&then).await, before);
        }
        app.stop().await;
    }
);

on_both!(a_case_nobody_gave_it_tells_a_stranger_nothing, |app| {
    let scene = Scene::of(&app).await;
    let (case, tins) = (&scene.cases[0], [&scene.tins[0], &scene.tins[1]]);
    let wedged = |code: &String| json!({"code": code, "input": "wedge"});
    let mut plant = scene.device(&app, &scene.plant).await;
    let packed = json!({"parent": wedged(case), "units": scanned(&tins)});
    let packed = plant.event("pack", &packed);
    plant.push(&[packed]).await;

    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let other = firm(&app, &platform, "SHEN", &["9521235"]).await;
    let shop = json!({"code": "S-1", "kind": "store", "name": "店"});
    let shop = id(&made(other.admin.post("/v1/locations", &shop).await));
    let mut device = enrolled(&app, &other.operator, &shop).await;
    let pallet = "https://id.example/00/395212350000000017".to_owned();
    for (kind, said) in [
        ("unpack", json!({"parent": wedged(case), "units": []})),
        ("inbound", inbound(&[case])),
        ("outbound", outbound(&[case], &shop)),
        ("sale", sale(&[case])),
        (
            "pack",
            json!({"parent": wedged(&pallet), "units": scanned(&[case])}),
        ),
        ("collect", json!({"units": scanned(&[case])})),
    ] {
        let event = device.event(kind, &said);
        device.push(&[event]).await;
        for tin in tins {
            let path = format!("/v1/units/{}", encoded(tin));
            let answer = other.admin.get(&path).await;
            assert_eq!(answer.status, 404, "{kind}: {}", answer.text());
            refused(answer, "not-found");
            let path = format!("{path}/contents");
            assert_eq!(other.admin.get(&path).await.status, 404, "{kind}");
        }
        // Its own word on the case, and nothing of what the case is or holds.
        let told = ok(other
            .admin
            .get(&format!("/v1/units/{}", encoded(case)))
            .await);
        assert!(
            told["state"].is_null() && told["advice"].is_null(),
            "{told}"
        );
        assert_eq!(told["holds"], 0);
        let path = format!("/v1/units/{}/contents", encoded(case));
        assert_eq!(ok(other.admin.get(&path).await)["items"], json!([]));
        // Nor in any other way.
        let findings = other.admin.get("/v1/findings?limit=500").await.text();
        let mut held = Held::default();
        held.pull(&mut device).await;
        let asked = json!({"v": 1, "codes": [tins[0], tins[1], case]});
        let cards = ok(device.ask("/v1/sync/lookups", &asked).await)["cards"].clone();
        assert_eq!(cards, json!([null, null, null]), "{kind}");
        for tin in tins {
            assert!(!findings.contains(key(tin).as_str()), "{kind}: {findings}");
            assert!(!held.cards.contains_key(&key(tin)), "{kind}");
        }
        assert!(!held.cards.contains_key(&key(case)), "{kind}");
    }
    // A code that it reads off the tin itself is its own word.
    let event = device.event("inbound", &inbound(&[tins[0]]));
    device.push(&[event]).await;
    let [read, unread] = tins.map(|tin| format!("/v1/units/{}", encoded(tin)));
    let told = ok(other.admin.get(&read).await);
    let timeline = told["timeline"].as_array().map(Vec::len);
    assert_eq!((timeline, &told["state"]), (Some(1), &Value::Null));
    refused(other.admin.get(&unread).await, "not-found");
    // Who issued them sees all of it.
    let told = ok(scene.firm.admin.get(&unread).await);
    assert!(
        told["timeline"].as_array().map(Vec::len) > Some(4),
        "{told}"
    );
    holds(&app, "a stranger's word on a case").await;
    app.stop().await;
});

on_both!(where_goods_went_on_to_is_not_told_whoever_had_them, |app| {
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let tin = &scene.tins[0];
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut chain = Vec::new();
    for code in ["SHEN", "HENG", "CEN"] {
        let firm = firm(&app, &platform, code, &[]).await;
        let shop = json!({"code": "S-1", "kind": "store", "name": "店"});
        let shop = id(&made(firm.admin.post("/v1/locations", &shop).await));
        let device = enrolled(&app, &firm.operator, &shop).await;
        chain.push((shop, device));
    }
    let event = plant.event("outbound", &outbound(&[tin], &chain[0].0));
    plant.push(&[event]).await;
    for n in 0..3 {
        chain[n].1.push(&[]).await;
        let mut events = vec![chain[n].1.event("inbound", &inbound(&[tin]))];
        if let Some((next, _)) = chain.get(n + 1) {
            let next = next.clone();
            events.push(chain[n].1.event("outbound", &outbound(&[tin], &next)));
        }
        chain[n].1.push(&events).await;
    }
    let asked = json!({"v": 1, "codes": [tin]});
    let place = async |device: &Handheld| {
        let told = ok(device.ask("/v1/sync/lookups", &asked).await);
        let card = told["cards"][0].clone();
        assert_eq!(card["phase"], "in_stock", "{told}");
        card["place"].clone()
    };
    assert!(place(&chain[2].1).await.to_string().contains(&chain[2].0));
    assert!(place(&plant).await.to_string().contains(&chain[2].0));
    for (_, device) in &chain[..2] {
        let told = place(device).await.to_string();
        assert!(!told.contains(&chain[2].0), "{told}");
    }
    app.stop().await;
});
