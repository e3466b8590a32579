//! What a stranger says it has (sync.md section 5) shows in its own stock and nowhere else, until it is
//! state.

use crate::{
    scene::{Scene, enrolled, holds, inbound, open, outbound, sale, scanned, settled, unit},
    support::{PASSWORD, firm, id, made, ok, product},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use suyuan::handheld::replay::replay;
use suyuan_sync::fold::Phase;
use suyuan_tests::{Caller, Handheld, TestApp, caller::encoded, on_both, recall_order};

/// A code of a pallet that nobody here issued.
const FOREIGN: &str = "(00)340638131000000012";

/// An enterprise that no tin ever came to.
pub struct Stranger {
    /// Its id.
    pub id: String,
    /// Somebody at a desk.
    pub staff: Caller,
    /// Its shop.
    pub shop: String,
    /// The till there.
    pub till: Handheld,
}

/// Makes one.
pub async fn stranger(app: &TestApp, code: &str) -> Stranger {
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let firm = firm(app, &platform, code, &[]).await;
    let shop = json!({"code": "S-1", "kind": "store", "name": "店"});
    let shop = id(&made(firm.admin.post("/v1/locations", &shop).await));
    Stranger {
        till: enrolled(app, &firm.operator, &shop).await,
        id: firm.id.clone(),
        staff: firm.operator,
        shop,
    }
}

impl Stranger {
    /// Its till says so; the event's id.
    pub async fn states(&mut self, kind: &str, said: &Value) -> Value {
        let event = self.till.event(kind, said);
        self.till.push(std::slice::from_ref(&event)).await;
        serde_json::from_str::<Value>(&event).expect("JSON")["event_id"].clone()
    }

    /// Claimed, on hand and on the way at its shop.
    pub async fn stock(&self) -> [u64; 3] {
        figures(&lines(&self.staff, &self.shop, "").await)
    }
}

/// The lines a caller is told of a place; none if the place is not its own, and it claims nothing there.
pub async fn lines(caller: &Caller, place: &str, more: &str) -> Vec<Value> {
    let path = format!("/v1/stock?location_id={place}{more}");
    let page = ok(caller.get(&path).await);
    let lines = page["items"][0]["lines"].as_array();
    lines.cloned().unwrap_or_default()
}

/// Claimed, on hand and on the way.
pub fn figures(lines: &[Value]) -> [u64; 3] {
    let sum = |what: &str| lines.iter().filter_map(|line| line[what].as_u64()).sum();
    ["claimed", "on_hand", "arriving"].map(sum)
}

/// What a consumer is told who scans this, without what changes by itself.
async fn told(app: &TestApp, code: &str) -> Value {
    let mut view = app.consumer().scan(code).await.json();
    // How often it was asked for, and as of when.
    let fields = view.as_object_mut().expect("an object");
    for field in ["queries", "as_of"] {
        assert!(fields.remove(field).is_some(), "no {field}");
    }
    view
}

on_both!(what_a_stranger_claims_shows_to_it_alone, |app| {
    let scene = Scene::of(&app).await;
    let [tin, other] = [&scene.tins[0], &scene.tins[1]];
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let came = warehouse.event("inbound", &inbound(&[tin, other]));
    warehouse.push(&[came]).await;
    let (mut one, two) = (stranger(&app, "SHEN").await, stranger(&app, "HENG").await);
    let makers = lines(&scene.firm.operator, &scene.warehouse, "").await;
    assert_eq!(figures(&makers), [0, 2, 0]);
    let public = told(&app, tin).await;

    one.states("inbound", &inbound(&[tin, other])).await;
    assert_eq!(open(&app, tin).await, ["UNEXPECTED_HOLDER"]);
    let line = json!({
        "kind": "/01/09521234000013", "on_hand": 0, "returned": 0, "collected": 0, "arriving": 0,
        "claimed": 2,
    });
    assert_eq!(lines(&one.staff, &one.shop, "").await, [line]);
    // Whose batch it is, it is not told.
    let batch = format!("&batch_id={}", scene.batch);
    let nothing = Vec::<Value>::new();
    assert_eq!(lines(&one.staff, &one.shop, &batch).await, nothing);
    // Nobody else is told of it, whatever place they ask for.
    for caller in [&scene.firm.operator, &two.staff] {
        assert_eq!(lines(caller, &one.shop, "").await, nothing);
    }
    assert_eq!(two.stock().await, [0, 0, 0]);
    assert_eq!(
        lines(&scene.firm.operator, &scene.warehouse, "").await,
        makers
    );
    assert_eq!(told(&app, tin).await, public);

    // What it sold it has no longer, and what came back it has again.
    one.states("sale", &sale(&[other])).await;
    assert_eq!(one.stock().await, [1, 0, 0]);
    let back = one.states("return", &sale(&[other])).await;
    assert_eq!(one.stock().await, [2, 0, 0]);
    one.states("retract", &json!({"target": back})).await;
    assert_eq!(one.stock().await, [1, 0, 0]);
    // At somebody else's place it has none.
    let mut elsewhere = inbound(&[other]);
    elsewhere["location"] = json!(two.shop);
    one.states("inbound", &elsewhere).await;
    assert_eq!((one.stock().await, two.stock().await), ([1, 0, 0], [0; 3]));
    holds(&app, "claimed").await;

    // The issuer takes its word: what it has is state.
    let page = format!("/v1/units/{}", encoded(tin));
    let mut before = ok(scene.firm.operator.get(&page).await);
    let accept = json!({"partner_id": one.id, "unit": tin});
    made(scene.firm.admin.post("/v1/acceptances", &accept).await);
    settled(&app).await;
    assert_eq!(open(&app, tin).await, ["TELEPORT"]);
    assert_eq!(one.stock().await, [0, 1, 0]);
    let left = lines(&scene.firm.operator, &scene.warehouse, "").await;
    assert_eq!(figures(&left), [0, 1, 0]);
    // As it was known before, it is told as before.
    let then = format!("{page}?at={}", before["position"]);
    let then = ok(scene.firm.operator.get(&then).await);
    assert_eq!(then["state"], before["state"].take());
    assert_eq!(then["timeline"], before["timeline"].take());
    holds(&app, "accepted").await;
    app.stop().await;
});

// Whoever names a code of a maker on no record first holds it (C14); its word warns nobody's customers.
on_both!(
    c14_who_names_a_code_first_tells_consumers_nothing_of_it,
    |app| {
        let scene = Scene::of(&app).await;
        let code = format!("/01/{}/21/A-17", crate::support::gtin("0952123400003"));
        let public = told(&app, &code).await;
        assert_eq!(public["reasons"], json!(["unknown_issuer"]));
        let mut one = stranger(&app, "SHEN").await;
        for kind in ["inbound", "destroy"] {
            one.states(kind, &inbound(&[&code])).await;
        }
        settled(&app).await;
        let phase = unit(&app, &code).await.kept.state.phase;
        assert_eq!(phase, Phase::Destroyed);
        assert_eq!(told(&app, &code).await, public);
        // Nor is its own staff told otherwise.
        let card = ok(one
            .staff
            .get(&format!("/v1/units/{}", encoded(&code)))
            .await);
        assert_eq!(card["advice"]["reasons"], public["reasons"]);
        // Its maker comes on record, and has let nobody destroy it.
        product(&scene.firm.admin, "CM-3", "0952123400003").await;
        settled(&app).await;
        assert_eq!(open(&app, &code).await, ["UNEXPECTED_HOLDER"; 2]);
        let reasons = &told(&app, &code).await["reasons"];
        assert_eq!(*reasons, json!(["not_allocated"]));
        holds(&app, "on record").await;
        app.stop().await;
    }
);

on_both!(a_leg_makes_state_of_what_a_stranger_claims, |app| {
    let scene = Scene::of(&app).await;
    let [late, next, struck] = [0, 1, 2].map(|n| &scene.tins[n]);
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut one = stranger(&app, "SHEN").await;
    // Made before the stranger's, and sent after it.
    let sent = plant.event("outbound", &outbound(&[late], &one.shop));
    one.till.status().await;
    let all = [late, next, struck];
    let came = one.states("inbound", &inbound(&all[..2])).await;
    one.states("inbound", &inbound(&all[2..])).await;
    assert_eq!(one.stock().await, [3, 0, 0]);
    plant.push(&[sent]).await;
    assert_eq!(open(&app, late).await, [""; 0]);
    assert_eq!(one.stock().await, [2, 1, 0]);
    holds(&app, "late").await;

    // A leg that stands after the claim: what it said before is settled by it.
    plant.status().await;
    let sent = plant.event("outbound", &outbound(&[next], &one.shop));
    plant.push(&[sent]).await;
    assert_eq!(one.stock().await, [1, 1, 1]);
    holds(&app, "after it").await;

    one.states("retract", &json!({"target": came})).await;
    assert_eq!(one.stock().await, [1, 0, 2]);
    holds(&app, "struck").await;
    app.stop().await;
});

on_both!(what_is_in_a_container_is_not_claimed_with_it, |app| {
    let scene = Scene::of(&app).await;
    let (case, inside) = (&scene.cases[0], scene.tins[..6].iter().collect::<Vec<_>>());
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut one = stranger(&app, "SHEN").await;
    // One by one before they are packed, all of them: each is one that is judged by itself.
    one.states("inbound", &inbound(&inside)).await;
    let packed = json!({
        "parent": {"code": case, "input": "wedge"}, "children": scanned(&inside), "declared": 6,
    });
    plant.status().await;
    let event = plant.event("pack", &packed);
    plant.push(&[event]).await;
    assert_eq!(one.stock().await, [6, 0, 0]);
    // What is in it, it does not learn.
    let two = scene.tins[6..8].iter().collect::<Vec<_>>();
    let packed = json!({
        "parent": {"code": scene.cases[1], "input": "wedge"}, "children": scanned(&two),
    });
    let event = plant.event("pack", &packed);
    plant.push(&[event]).await;
    let event = plant.event(
        "inspect",
        &json!({"units": scanned(&two[..1]), "disposition": "hold"}),
    );
    plant.push(&[event]).await;
    one.till.status().await;
    one.states("inbound", &inbound(&[&scene.cases[1]])).await;
    assert_eq!(one.stock().await, [7, 0, 0]);
    holds(&app, "packed").await;

    plant.status().await;
    let event = plant.event("outbound", &outbound(&[case], &one.shop));
    plant.push(&[event]).await;
    assert_eq!(one.stock().await, [1, 0, 7]);
    holds(&app, "sent").await;
    app.stop().await;
});

on_both!(
    c12_what_a_stranger_puts_into_a_case_is_in_there_for_nobody_else,
    |app| {
        let scene = Scene::of(&app).await;
        let (case, tin) = (&scene.cases[0], &scene.tins[0]);
        let theirs = ["(01)04006381333931(21)X1", "(01)04006381333931(21)X2"].map(str::to_owned);
        let theirs: Vec<&String> = theirs.iter().collect();
        let mut plant = scene.device(&app, &scene.plant).await;
        let mut one = stranger(&app, "SHEN").await;
        let pack = |children: &[&String]| {
            json!({
                "parent": {"code": case, "input": "wedge"}, "children": scanned(children),
            })
        };
        let event = plant.event("pack", &pack(&[tin]));
        plant.push(&[event]).await;
        one.states("pack", &pack(&theirs)).await;
        let path = format!("/v1/units/{}", encoded(case));
        let told = ok(scene.firm.admin.get(&path).await);
        assert_eq!(told["holds"], 1, "{told}");
        let inside = ok(scene.firm.admin.get(&format!("{path}/contents")).await);
        assert_eq!(
            inside["items"].as_array().map(Vec::len),
            Some(1),
            "{inside}"
        );
        // Whoever moves the case moves what is theirs in it, and hears of nothing else.
        plant.status().await;
        let sent = plant.event("outbound", &outbound(&[case], &scene.store));
        plant.push(&[sent]).await;
        settled(&app).await;
        assert_eq!(unit(&app, case).await.kept.state.phase, Phase::InTransit);
        assert_eq!(open(&app, case).await, ["UNEXPECTED_HOLDER"]);
        for code in &theirs {
            assert_eq!(open(&app, code).await, [""; 0]);
            assert_eq!(unit(&app, code).await.kept.state.phase, Phase::InStock);
            let path = format!("/v1/units/{}", encoded(code));
            let told = ok(one.staff.get(&path).await);
            assert_eq!(told["timeline"].as_array().map(Vec::len), Some(1), "{told}");
        }
        holds(&app, "sent").await;
        one.till.status().await;
        one.states("outbound", &outbound(&[case], &one.shop.clone()))
            .await;
        settled(&app).await;
        assert_eq!(
            unit(&app, theirs[0]).await.kept.state.phase,
            Phase::InTransit
        );
        holds(&app, "theirs").await;
        app.stop().await;
    }
);

on_both!(claims_are_rebuilt_from_the_log, |app| {
    let scene = Scene::of(&app).await;
    let mut one = stranger(&app, "SHEN").await;
    one.states("inbound", &inbound(&[&scene.tins[0], &scene.tins[1]]))
        .await;
    one.states("sale", &sale(&[&scene.tins[1]])).await;
    let db = app.state().db.clone();
    let lost = async |sql: &[&str]| {
        for sql in sql {
            let done = db.writer().execute_unprepared(sql).await;
            done.expect("what is claimed is lost");
        }
    };
    lost(&["DELETE FROM unit_claim"]).await;
    assert_eq!(one.stock().await, [0, 0, 0]);
    let state = app.state();
    let replayed = replay(&state.db, &state.sealer).await.expect("a replay");
    assert_eq!(replayed.differences.len(), 1, "{replayed:?}");

    // Whatever writes a unit again writes it with it.
    let order = recall_order(&json!([scene.batch]), "r", "i");
    made(scene.firm.admin.post("/v1/recalls", &order).await);
    holds(&app, "folded again").await;
    assert_eq!(one.stock().await, [1, 0, 0]);

    // So does the migration, of what was known before it.
    lost(&[
        "DROP TABLE unit_claim",
        "DELETE FROM seaql_migrations WHERE version = 'm0038_claims'",
    ])
    .await;
    db.migrate().await.expect("migrated");
    holds(&app, "migrated").await;
    assert_eq!(one.stock().await, [1, 0, 0]);
    assert_eq!(
        unit(&app, &scene.tins[1]).await.kept.state.phase,
        Phase::Commissioned
    );
    app.stop().await;
});

on_both!(
    c14_goods_in_a_container_nobody_issued_follow_who_is_accepted_for_them,
    |app| {
        let scene = Scene::of(&app).await;
        let pallet = FOREIGN.to_owned();
        let [first, left] = [&scene.tins[0], &scene.tins[1]];
        let mut plant = scene.device(&app, &scene.warehouse).await;
        let packing = json!({"parent": {"code": pallet, "input": "wedge"},
            "units": scanned(&[first, left])});
        let events = [
            plant.event("inbound", &inbound(&[first, left])),
            plant.event("pack", &packing),
        ];
        plant.push(&events).await;
        let mut other = stranger(&app, "SH9P").await;
        other.states("inbound", &inbound(&[&pallet])).await;
        // One leaves it while the stranger has it.
        let unpacking =
            json!({"parent": {"code": pallet, "input": "wedge"}, "units": scanned(&[left])});
        let event = plant.event("unpack", &unpacking);
        plant.push(&[event]).await;
        let named = json!({"units": scanned(&[&pallet])});
        other.states("destroy", &named).await;
        assert!(open(&app, &pallet).await.contains(&"UNEXPECTED_HOLDER"));
        assert_eq!(unit(&app, first).await.kept.state.phase, Phase::InStock);
        holds(&app, "a stranger's word").await;
        let accept = json!({"partner_id": other.id});
        made(scene.firm.admin.post("/v1/acceptances", &accept).await);
        settled(&app).await;
        assert_eq!(unit(&app, first).await.kept.state.phase, Phase::Destroyed);
        holds(&app, "accepted").await;
        app.stop().await;
    }
);
