//! Badges: made by the enterprise, told to the devices of their place, and to no other.

use crate::{
    enrolment::place,
    scene::{Scene, enrolled, sale},
    support::{PASSWORD, firm, id, made, ok, refused, refused_field, text_of},
};
use serde_json::{Value, json};
use suyuan_sync::{
    ids::EnterpriseId,
    wire::{BadgeCard, BadgeRole, BadgesAnswer, hash_of_badge},
};
use suyuan_tests::{
    Caller, Handheld,
    caller::{Method, encoded},
    on_both,
};

/// What a device is told of badges.
async fn told(device: &mut Handheld) -> BadgesAnswer {
    let answer = ok(device.read("/v1/sync/badges").await);
    device.keep(&text_of(&answer["anchor"]));
    serde_json::from_value(answer).expect("an answer")
}

/// Withdraws a badge: a call that takes no body.
async fn withdrawn(staff: &Caller, badge: &str) -> Value {
    let path = format!("/v1/badges/{badge}/withdraw");
    ok(staff.send(Method::POST, &path, &[], Vec::new()).await)
}

/// The cards of these badges of an enterprise, in their order.
fn cards(scene: &Scene, badges: &[(&str, BadgeRole)]) -> Vec<BadgeCard> {
    let enterprise = EnterpriseId(scene.firm.id.parse().expect("an id"));
    let card = |(number, role): &(&str, BadgeRole)| BadgeCard {
        badge: hash_of_badge(enterprise, number),
        role: *role,
    };
    let mut cards: Vec<BadgeCard> = badges.iter().map(card).collect();
    cards.sort();
    cards
}

on_both!(
    a_device_is_told_the_badges_of_its_place_and_when_they_change,
    |app| {
        use BadgeRole::{Supervisor, Worker};
        let scene = Scene::of(&app).await;
        let admin = &scene.firm.admin;
        let mut till = scene.device(&app, &scene.store).await;
        let mut pda = scene.device(&app, &scene.warehouse).await;

        // While there is none, there is no list: any badge works.
        assert_eq!(till.pull(0, 500).await.badges, None);
        let none = told(&mut till).await;
        assert_eq!((none.version, none.badges), (None, Vec::new()));

        let make = async |number: &str, role: &str, place: Option<&str>| {
            let body = json!({"number": number, "role": role, "location_id": place});
            id(&made(admin.post("/v1/badges", &body).await))
        };
        let boss = make("S-1", "supervisor", Some(&scene.store)).await;
        let worker = make("W-1", "worker", Some(&scene.store)).await;
        let first = till.pull(0, 500).await.badges.expect("a version");
        let list = told(&mut till).await;
        assert_eq!(list.version.as_ref(), Some(&first));
        assert_eq!(
            list.badges,
            cards(&scene, &[("S-1", Supervisor), ("W-1", Worker)])
        );
        // Badges of another place are none of its business, and do not stop its people.
        assert_eq!(pda.pull(0, 500).await.badges, None);

        // One that works everywhere is told everywhere.
        make("S-9", "supervisor", None).await;
        let second = till.pull(0, 500).await.badges.expect("a version");
        assert_ne!(second, first);
        assert!(pda.pull(0, 500).await.badges.is_some());
        assert_eq!(
            told(&mut pda).await.badges,
            cards(&scene, &[("S-9", Supervisor)])
        );

        // Another role and a withdrawal reach the till of the place alone.
        let before = pda.pull(0, 500).await.badges;
        let path = format!("/v1/badges/{worker}/role");
        ok(admin.post(&path, &json!({"role": "supervisor"})).await);
        let third = till.pull(0, 500).await.badges.expect("a version");
        assert_ne!(third, second);
        withdrawn(admin, &boss).await;
        assert_ne!(till.pull(0, 500).await.badges, Some(third));
        assert_eq!(
            told(&mut till).await.badges,
            cards(&scene, &[("W-1", Supervisor), ("S-9", Supervisor)])
        );
        assert_eq!(pda.pull(0, 500).await.badges, before);

        // Nobody is left, and yet there is a list: nobody works here.
        let other = make("W-2", "worker", Some(&scene.plant)).await;
        let mut line = scene.device(&app, &scene.plant).await;
        withdrawn(admin, &other).await;
        assert_eq!(
            told(&mut line).await.badges,
            cards(&scene, &[("S-9", Supervisor)])
        );

        // Another enterprise is told nothing of all this.
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let beta = firm(&app, &platform, "BETA", &["9521235"]).await;
        let shop = place(&beta.operator, "S-1", "store").await;
        let mut stranger = enrolled(&app, &beta.operator, &shop).await;
        assert_eq!(stranger.pull(0, 500).await.badges, None);
        assert_eq!(told(&mut stranger).await.badges, Vec::new());
        refused(
            app.stranger().get("/v1/sync/badges").await,
            "device-not-known",
        );
        app.stop().await;
    }
);

on_both!(a_badge_is_a_number_that_is_given_once, |app| {
    let scene = Scene::of(&app).await;
    let admin = &scene.firm.admin;
    let post = async |body: &Value| admin.post("/v1/badges", body).await;

    // Without a number, one is made that nobody guesses.
    let made_up = made(post(&json!({"role": "supervisor"})).await);
    let number = text_of(&made_up["number"]);
    assert_eq!(
        (number.len(), number.matches('-').count()),
        (19, 3),
        "{number}"
    );
    assert_eq!(text_of(&made_up["printed"]), format!("SUYUAN-WHO-{number}"));
    let again = made(post(&json!({"role": "supervisor"})).await);
    assert_ne!(again["number"], made_up["number"]);

    let some = json!({"number": "W-17", "role": "worker"});
    let badge = id(&made(post(&some).await));
    refused(post(&some).await, "already-exists");
    let gone = withdrawn(admin, &badge).await;
    assert!(gone["withdrawn_at"].is_string());
    // Withdrawn once is withdrawn; its number is never given again, and it gets no role.
    let same = withdrawn(admin, &badge).await;
    assert_eq!(same, gone);
    refused(post(&some).await, "already-exists");
    let role = json!({"role": "supervisor"});
    refused(
        admin.post(&format!("/v1/badges/{badge}/role"), &role).await,
        "wrong-step",
    );

    for number in [
        "",
        "1",
        "w17",
        "W 17",
        "工牌",
        "-W1",
        "W<script>",
        &"9".repeat(41),
    ] {
        let body = json!({"number": number, "role": "worker"});
        refused_field(post(&body).await, "number", "malformed");
    }
    let elsewhere = json!({"role": "worker", "location_id": badge});
    refused_field(post(&elsewhere).await, "location_id", "unknown");
    for body in [
        json!({"role": "owner"}),
        json!({"role": "worker", "name": "王芳"}),
    ] {
        refused(post(&body).await, "malformed-body");
    }
    app.stop().await;
});

/// An entry of a unit's timeline, as somebody is told it.
async fn told_of(staff: &Caller, code: &str, kind: &str) -> Value {
    let unit = ok(staff.get(&format!("/v1/units/{}", encoded(code))).await);
    let entries = unit["timeline"].as_array().expect("a timeline").iter();
    let mut of_kind = entries.filter(|entry| entry["kind"] == kind);
    of_kind.next_back().expect("an entry").clone()
}

on_both!(
    what_a_device_says_of_supervisors_is_kept_and_held_against_the_badges,
    |app| {
        let scene = Scene::of(&app).await;
        let (admin, staff) = (&scene.firm.admin, &scene.firm.operator);
        let badge = async |number: &str, role: &str, place: &str| {
            let body = json!({"number": number, "role": role, "location_id": place});
            id(&made(admin.post("/v1/badges", &body).await))
        };
        badge("W-1", "worker", &scene.store).await;
        let boss = badge("S-1", "supervisor", &scene.store).await;
        badge("S-2", "supervisor", &scene.warehouse).await;
        let mut till = scene.device(&app, &scene.store).await;
        let overruled = |code: &String, actor: Value, supervisor: Value| {
            let mut body = sale(&[code]);
            body["actor"] = actor;
            body["override"] = json!({"code": "expired", "reason": "留样检验"});
            if !supervisor.is_null() {
                body["override"]["supervisor"] = supervisor;
            }
            body
        };
        let worker = || json!({"id": "W-1", "proof": "badge"});
        let tins = &scene.tins;
        // Whom the till names, and whether that is on record of this store.
        for (tin, supervisor, not_on_record) in [
            (&tins[0], json!("S-1"), false),
            (&tins[1], json!("S-2"), true),
            (&tins[2], json!("W-1"), true),
            (&tins[3], json!("X-9"), true),
            (&tins[4], Value::Null, true),
        ] {
            let event = till.event("sale", &overruled(tin, worker(), supervisor.clone()));
            let pushed = till.push(&[event]).await;
            assert!(pushed.results[0].gseq.is_some(), "kept, whatever it says");
            let entry = told_of(staff, tin, "sale").await;
            assert_eq!(entry["override"]["supervisor"], supervisor);
            assert_eq!(entry["override"]["reason"], "留样检验");
            assert_eq!(
                entry["override"]["not_on_record"], not_on_record,
                "{supervisor}"
            );
            let actor = json!({"id": "W-1", "supervisor": false, "not_on_record": false});
            assert_eq!(entry["actor"], actor);
        }
        // Whoever says that they are one, and is not, or is no more.
        let claim = |id: &str| json!({"id": id, "proof": "badge", "supervisor": true});
        for (tin, actor, not_on_record) in [(&tins[5], "S-1", false), (&tins[6], "W-1", true)] {
            let mut body = sale(&[tin]);
            body["actor"] = claim(actor);
            let event = till.event("sale", &body);
            till.push(&[event]).await;
            let entry = told_of(staff, tin, "sale").await;
            let said = json!({"id": actor, "supervisor": true, "not_on_record": not_on_record});
            assert_eq!(entry["actor"], said);
            assert_eq!(entry["override"], Value::Null);
        }
        withdrawn(staff, &boss).await;
        // What was said before stands, …
        assert_eq!(
            told_of(staff, &tins[5], "sale").await["actor"]["not_on_record"],
            false
        );
        // … and who heard of the withdrawal says it after that.
        till.pull(0, 500).await;
        let mut body = sale(&[&tins[7]]);
        body["actor"] = claim("S-1");
        let event = till.event("sale", &body);
        till.push(&[event]).await;
        assert_eq!(
            told_of(staff, &tins[7], "sale").await["actor"]["not_on_record"],
            true
        );
        app.stop().await;
    }
);
