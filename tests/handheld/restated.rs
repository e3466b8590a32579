//! What changes a closed period without belonging to it is listed among its restatements (T10): a
//! retract, alone or of a correction; an event that is taken in from aside; a word that is accepted; what slices work
//! in that was left when the period was closed.

use crate::{
    entering::group,
    lots::lots_of,
    refolds::id_of,
    scene::{
        GTIN, Scene, enrolled, fill_up, holds, inbound, open, open_about_events, outbound, sale,
        settled, unit,
    },
    struck::{foreign, refs},
    support::{Firm, array, firm, id, made, number, ok, person, text_of},
};
use jiff::Timestamp;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::time::Duration;
use suyuan::accounts::Role;
use suyuan_sync::{finding::FindingCode, fold::Phase};
use suyuan_tests::{Engine, Handheld, TestApp, caller::encoded, on_both};
use uuid::Uuid;

/// Long enough for what follows to be later.
async fn later() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Closes a period that ends now; where its restatements are listed.
async fn closed(of: &Firm) -> String {
    later().await;
    let until = json!({"until": Timestamp::now().to_string()});
    let period = made(of.admin.post("/v1/periods", &until).await);
    later().await;
    format!("/v1/periods/{}/restatements", period["position"])
}

/// What is listed at a path: ids of events, in order.
async fn listed(of: &Firm, path: &str) -> Vec<String> {
    let page = ok(of.admin.get(path).await);
    let items = array(&page["items"]);
    items
        .iter()
        .map(|item| text_of(&item["event_id"]))
        .collect()
}

/// Says an event under an id of its own.
fn named(said: &Value) -> (String, Value) {
    let (id, mut said) = (Uuid::now_v7().to_string(), said.clone());
    said["event_id"] = json!(id);
    (id, said)
}

async fn phase(app: &TestApp, tin: &str) -> Phase {
    unit(app, tin).await.kept.state.phase
}

/// Pushes one event; its id.
async fn states(device: &mut Handheld, kind: &str, said: &Value) -> String {
    let (id, said) = named(said);
    let event = device.event(kind, &said);
    device.push(&[event]).await;
    id
}

on_both!(t10_what_is_struck_in_a_closed_period_is_listed, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let tins = &scene.tins;
    let mut sold = Vec::new();
    for tin in &tins[..4] {
        sold.push(states(&mut device, "sale", &sale(&[tin])).await);
    }
    let path = closed(&scene.firm).await;
    // It hears what time it is, so that what it does stands behind the end of the period: in another second, which is
    // what is told of instants.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    device.status().await;
    let after = states(&mut device, "sale", &sale(&[&tins[4]])).await;
    assert_eq!(listed(&scene.firm, &path).await, Vec::<String>::new());

    // Alone.
    let strike = |target: &String| json!({"target": target, "reason": "误扫"});
    let alone = states(&mut device, "retract", &strike(&sold[0])).await;
    assert_ne!(phase(&app, &tins[0]).await, Phase::Sold);
    let mut expected = vec![sold[0].clone(), alone];
    assert_eq!(listed(&scene.firm, &path).await, expected);

    // In a correction, whose new event stands where that one stood, and so in the period as well.
    let group = Uuid::now_v7();
    let part = |n: usize, said: &Value| {
        let (id, mut said) = named(said);
        said["group"] = json!({"id": group, "n": n, "of": 2, "correct": true});
        (id, said)
    };
    let (struck_by, said) = part(1, &strike(&sold[1]));
    let first = device.event("retract", &said);
    let (new, said) = part(2, &sale(&[&tins[5]]));
    let second = device.event("sale", &said);
    device.push(&[first, second]).await;
    assert_ne!(phase(&app, &tins[1]).await, Phase::Sold);
    assert_eq!(phase(&app, &tins[5]).await, Phase::Sold);
    expected.extend([sold[1].clone(), struck_by, new]);
    assert_eq!(listed(&scene.firm, &path).await, expected);

    // What strikes nothing changes nothing: somebody else's, and one of what is not of the period.
    let mut said = strike(&sold[2]);
    said["actor"] = json!({"id": "w-18", "proof": "pin", "login_age_s": 60});
    states(&mut device, "retract", &said).await;
    let refused = FindingCode::RetractUnauthorised;
    assert_eq!(open_about_events(&app, refused).await, 1);
    states(&mut device, "retract", &strike(&after)).await;
    assert_ne!(phase(&app, &tins[4]).await, Phase::Sold);
    assert_eq!(listed(&scene.firm, &path).await, expected);

    // Each item says where and when as it does of what came late.
    let page = ok(scene.firm.admin.get(&path).await);
    let (target, by) = (&page["items"][0], &page["items"][1]);
    assert_eq!(
        (&target["kind"], &by["kind"]),
        (&json!("sale"), &json!("retract"))
    );
    assert!(text_of(&target["at"]) <= text_of(&by["at"]));
    assert_eq!(target["noted"], by["noted"]);
    // What a correction says took effect when that did which it corrects (C10).
    assert_eq!(page["items"][4]["at"], page["items"][2]["at"]);
    holds(&app, "struck").await;
    app.stop().await;
});

on_both!(t10_what_is_taken_in_for_a_closed_period_is_listed, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    scene.revoke(&device).await;
    let aside = states(&mut device, "sale", &sale(&[&scene.tins[0]])).await;
    let path = closed(&scene.firm).await;
    assert_eq!(listed(&scene.firm, &path).await, Vec::<String>::new());
    let waiting = ok(scene.firm.operator.get("/v1/quarantine").await);
    let position = number(&array(&waiting["items"])[0]["position"]);
    let admit = format!("/v1/quarantine/{position}/admit");
    let why = json!({"note": "seen on the camera"});
    ok(scene.firm.admin.post(&admit, &why).await);
    assert_eq!(phase(&app, &scene.tins[0]).await, Phase::Sold);
    assert_eq!(listed(&scene.firm, &path).await, [aside]);
    app.stop().await;
});

on_both!(t10_whose_word_is_accepted_after_a_period_is_listed, |app| {
    let scene = Scene::of(&app).await;
    let platform = person(&app, "platform.second", Role::PlatformAdmin, None).await;
    let stranger = firm(&app, &platform, "SHEN", &[]).await;
    let shop = json!({"code": "S-1", "kind": "store", "name": "门店"});
    let shop = id(&made(stranger.admin.post("/v1/locations", &shop).await));
    let mut till = enrolled(&app, &stranger.operator, &shop).await;
    let tin = &scene.tins[0];
    let said = states(&mut till, "inbound", &inbound(&[tin])).await;
    assert_eq!(open(&app, tin).await, ["UNEXPECTED_HOLDER"]);
    let issuers = closed(&scene.firm).await;
    let theirs = closed(&stranger).await;
    till.status().await;
    // What is not accepted changes nothing of the issuer's.
    states(&mut till, "inbound", &inbound(&[&scene.tins[1]])).await;
    assert_eq!(listed(&scene.firm, &issuers).await, Vec::<String>::new());

    let accept = json!({"partner_id": stranger.id, "batch_id": scene.batch});
    made(scene.firm.admin.post("/v1/acceptances", &accept).await);
    settled(&app).await;
    assert_eq!(phase(&app, tin).await, Phase::InStock);
    assert_eq!(phase(&app, &scene.tins[1]).await, Phase::InStock);
    assert_eq!(listed(&scene.firm, &issuers).await, [said.as_str()]);
    assert_eq!(listed(&stranger, &theirs).await, [said]);
    app.stop().await;
});

/// What acts leave of a kind from now on waits, as what a newer program left.
async fn held(app: &TestApp, of: &str) {
    let left = format!("NEW.scope LIKE '%\"of\":\"{of}\"%'");
    let other = |scope: &str| format!("replace({scope}, '\"of\":\"', '\"of\":\"held_')");
    let sql = match app.engine {
        Engine::Sqlite => format!(
            "CREATE TRIGGER held AFTER INSERT ON refold WHEN {left} \
             BEGIN UPDATE refold SET scope = {} WHERE id = NEW.id; END",
            other("scope")
        ),
        Engine::Postgres => format!(
            "CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN NEW.scope := {}; RETURN NEW; END $$; \
             CREATE TRIGGER held BEFORE INSERT ON refold FOR EACH ROW \
             WHEN ({left}) EXECUTE FUNCTION held()",
            other("NEW.scope")
        ),
    };
    let db = app.state().db.writer();
    db.execute_unprepared(&sql).await.expect("a trigger");
}

/// It is done.
async fn released(app: &TestApp) {
    let sql = match app.engine {
        Engine::Sqlite => "DROP TRIGGER held",
        Engine::Postgres => "DROP TRIGGER held ON refold",
    };
    let again = "UPDATE refold SET scope = replace(scope, '\"of\":\"held_', '\"of\":\"')";
    let db = app.state().db.writer();
    for sql in [sql, again] {
        db.execute_unprepared(sql).await.expect("rows");
    }
    settled(app).await;
}

/// A period that was closed while something was left.
struct Early {
    position: u64,
    lots: Value,
    listed: String,
}

impl Early {
    /// Closes one.
    async fn of(firm: &Firm) -> Early {
        let listed = closed(firm).await;
        let periods = ok(firm.operator.get("/v1/periods").await);
        let period = &array(&periods["items"])[0];
        assert_eq!(period["settled"], false, "{period}");
        let position = number(&period["position"]);
        let mut early = Early {
            position,
            lots: Value::Null,
            listed,
        };
        early.lots = early.lots(firm).await;
        assert_eq!(
            self::listed(firm, &early.listed).await,
            Vec::<String>::new()
        );
        early
    }

    /// Balances as they were known then.
    async fn lots(&self, firm: &Firm) -> Value {
        let path = format!("/v1/stock/lots?at={}", self.position);
        ok(firm.operator.get(&path).await)["items"].clone()
    }

    /// All was worked in: the figures of then stay what they were, those of now are others, and what makes the
    /// difference is listed.
    async fn lacks(&self, firm: &Firm, events: &[String]) {
        assert_eq!(self.lots(firm).await, self.lots);
        let now = ok(firm.operator.get("/v1/stock/lots").await);
        assert_ne!(now["items"], self.lots);
        assert_eq!(listed(firm, &self.listed).await, events);
    }
}

fn lot(name: &str, qty: u64) -> Value {
    json!(lots_of(GTIN, Some(name), qty))
}

on_both!(t10_events_that_enter_after_a_period_are_listed, |app| {
    let scene = Scene::of(&app).await;
    let firm = &scene.firm;
    let mut device = scene.device(&app, &scene.store).await;
    device.status().await;
    let codes = foreign("P", 800);
    let deliveries = codes.chunks(80).enumerate().map(|(n, codes)| {
        let mut said = inbound(&refs(codes));
        // Of the last no balance is another, and yet it was not known.
        if n < 9 {
            said["lots"] = lot("L9", 5);
        }
        ("inbound", said)
    });
    let receipt = group(&mut device, false, deliveries.collect());
    held(&app, "entered").await;
    device.push_at(2, device.history[1], &receipt[1..]).await;
    device.push_at(1, device.history[0], &receipt[..1]).await;
    let early = Early::of(firm).await;
    let balance = number(&early.lots[0]["balance"]);
    assert!((5..45).contains(&balance), "{balance}");
    let last = format!("/v1/units/{}", encoded(&codes[799]));
    let then = format!("{last}?at={}", early.position);
    assert_eq!(firm.operator.get(&then).await.status, 404);
    released(&app).await;
    // The first came in last. Those that the act had room for are not among them.
    let came: Vec<String> = receipt.iter().map(|event| id_of(event)).collect();
    let now = listed(firm, &early.listed).await;
    assert_eq!(now.len() as u64, (45 - balance) / 5 + 1, "{now:?}");
    assert!(now.iter().all(|event| came.contains(event)), "{now:?}");
    assert!(now.contains(&came[9]) && now.contains(&came[0]), "{now:?}");
    early.lacks(firm, &now).await;
    // So it is of units: what entered later was not known then.
    assert_eq!(firm.operator.get(&then).await.status, 404);
    assert_eq!(firm.operator.get(&last).await.status, 200);
    holds(&app, "entered").await;
    app.stop().await;
});

on_both!(t10_goods_in_what_was_left_are_listed, |app| {
    let scene = Scene::of(&app).await;
    let firm = &scene.firm;
    let mut device = scene.device(&app, &scene.warehouse).await;
    let case = &scene.cases[0];
    let came = json!({"lots": lot("L9", 10), "doc": {"no": "D-1"}});
    states(&mut device, "inbound", &came).await;
    let packed = json!({"parent": {"code": case, "input": "wedge"}, "lots": lot("L9", 10)});
    states(&mut device, "pack", &packed).await;
    settled(&app).await;
    fill_up(&app).await;
    held(&app, "unread").await;
    let shipped = states(&mut device, "outbound", &outbound(&[case], &scene.store)).await;
    let early = Early::of(firm).await;
    assert_eq!(early.lots[0]["balance"], 10);
    released(&app).await;
    early.lacks(firm, &[shipped]).await;
    holds(&app, "shipped").await;
    app.stop().await;
});

on_both!(t10_a_count_that_goes_on_after_a_period_is_listed, |app| {
    let scene = Scene::of(&app).await;
    let firm = &scene.firm;
    let mut device = scene.device(&app, &scene.store).await;
    for of in ["L1", "L2"] {
        let came = json!({"lots": lot(of, 5), "doc": {"no": "D-1"}});
        states(&mut device, "inbound", &came).await;
    }
    settled(&app).await;
    held(&app, "lines").await;
    let said = json!({
        "lots": lot("L1", 4), "body": {"accepted": true, "scope": {"complete": true}},
        "actor": {"id": "boss", "proof": "badge", "supervisor": true},
    });
    let counted = states(&mut device, "count", &said).await;
    let early = Early::of(firm).await;
    assert_eq!(early.lots[1]["balance"], 5);
    released(&app).await;
    early.lacks(firm, &[counted]).await;
    holds(&app, "counted").await;
    app.stop().await;
});
