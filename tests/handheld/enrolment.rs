//! A device is made by staff, enrols once by a code, and is revoked when it is lost.

use crate::support::{firm, id, made, ok, platform, refused, refused_field, text_of};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use suyuan_sync::wire::{TrustKey, follow};
use suyuan_tests::{Caller, DeviceKey, Handheld, TestApp, caller::Method, on_both};

/// A place of this enterprise.
pub async fn place(staff: &Caller, code: &str, kind: &str) -> String {
    let body = json!({"code": code, "kind": kind, "name": "地点"});
    id(&made(staff.post("/v1/locations", &body).await))
}

/// A ticket for a new device at this place.
pub async fn ticket(staff: &Caller, place: &str) -> Value {
    let body = json!({"name": "PDA 1", "profile": "handheld", "location_id": place});
    made(staff.post("/v1/devices", &body).await)
}

async fn enrol(app: &TestApp, code: &str, key: &DeviceKey) -> suyuan_tests::Answer {
    let body = json!({"v": 1, "code": code, "key": key.jwk(), "program": "test 1"});
    app.stranger().post("/v1/enrol", &body).await
}

/// Ten minutes later, for every code: the time of an act is the database's.
async fn expire(app: &TestApp) {
    let db = &app.state().db;
    let earlier = "UPDATE enrolment SET expires_at = expires_at - 600000000";
    db.writer().execute_unprepared(earlier).await.unwrap();
}

on_both!(a_device_enrols_once_by_its_code, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "ACME", &["9521234"]).await;
    let place = place(&firm.operator, "WH-1", "warehouse").await;
    let made = ticket(&firm.operator, &place).await;
    let (device, ticket) = (&made["device"], &made["ticket"]);
    assert_eq!(device["epoch"], 0);
    let told: Value = serde_json::from_str(ticket["text"].as_str().unwrap()).unwrap();
    assert_eq!(told["url"], app.internal_url, "the code says where to call");
    assert_eq!(told["code"], ticket["code"]);
    assert_eq!(told["enterprise"], firm.id);
    assert!(ticket["svg"].as_str().unwrap().contains("<svg"));

    let handheld = Handheld::enrol(&app.internal_url, ticket["code"].as_str().unwrap()).await;
    let welcome = &handheld.welcome;
    assert_eq!(welcome["device"], device["id"]);
    assert_eq!((handheld.epoch, &welcome["location"]), (1, &json!(place)));
    assert_eq!(welcome["limits"]["events_per_push_max"], 500);
    assert_eq!(welcome["trust_keys"].as_array().unwrap().len(), 1);
    let again = enrol(&app, ticket["code"].as_str().unwrap(), &DeviceKey::new()).await;
    refused(again, "enrolment-code-invalid");
    let path = format!("/v1/devices/{}", text_of(&device["id"]));
    assert_eq!(ok(firm.admin.get(&path).await)["epoch"], 1);
    // Numbers of documents name place and device, and no life of it makes those of another.
    let short = text_of(&device["id"])[..8].to_uppercase();
    assert_eq!(welcome["document_prefix"], format!("WH-1-{short}"));
    let path = format!("{path}/tickets");
    let next = firm.operator.post(&path, &json!({})).await.json();
    let code = text_of(&next["ticket"]["code"]);
    let next = enrol(&app, &code, &DeviceKey::new()).await.json();
    assert_eq!(next["document_prefix"], format!("WH-1-{short}.2"));
    app.stop().await;
});

on_both!(a_device_made_again_under_one_key_is_one_device, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "ACME", &["9521234"]).await;
    let place = place(&firm.operator, "WH-1", "warehouse").await;
    let device = json!({"name": "PDA 1", "profile": "handheld", "location_id": place});
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "one-device"),
    ];
    let make = async || {
        let body = device.to_string().into_bytes();
        let post = Method::POST;
        made(
            firm.operator
                .send(post, "/v1/devices", &headers, body)
                .await,
        )
    };
    let (first, second) = (make().await, make().await);
    assert_eq!(first, second);
    let list = firm.operator.get("/v1/devices").await.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    // The code is the one that holds.
    let code = text_of(&second["ticket"]["code"]);
    let answer = enrol(&app, &code, &DeviceKey::new()).await;
    assert_eq!(made(answer)["epoch"], 1);
    assert_eq!(make().await, first, "as it was told first");
    app.stop().await;
});

on_both!(
    a_ticket_asked_for_again_under_one_key_is_one_ticket,
    |app| {
        let platform = platform(&app).await;
        let firm = firm(&app, &platform, "ACME", &["9521234"]).await;
        let place = place(&firm.operator, "WH-1", "warehouse").await;
        let device = ticket(&firm.operator, &place).await;
        let path = format!("/v1/devices/{}/tickets", text_of(&device["device"]["id"]));
        let ask = async |key: &str| {
            let headers = [("idempotency-key", key)];
            let answer = firm.operator.post_with(&path, &headers, &json!({})).await;
            assert_eq!(answer.header("cache-control"), "no-store");
            made(answer)
        };
        let first = ask("one").await;
        assert_eq!(ask("one").await, first);
        // What is kept to answer by is of no use to who reads the database.
        let code = text_of(&first["ticket"]["code"]);
        let kept = suyuan::db::statement(
            app.state().db.backend(),
            "SELECT response FROM idempotency WHERE key = ?",
            ["one".into()],
        );
        let rows = app.state().db.reader().query_all_raw(kept).await.unwrap();
        assert_eq!(rows.len(), 1);
        let text: String = rows[0].try_get("", "response").unwrap();
        assert!(
            text.contains("expires_at") && !text.contains(&code),
            "{text}"
        );
        // Another is another, and ends the first, whoever is told it again.
        let second = ask("two").await;
        assert_ne!(second["ticket"]["code"], first["ticket"]["code"]);
        assert_eq!(ask("one").await, first);
        let late = enrol(&app, &code, &DeviceKey::new()).await;
        refused(late, "enrolment-code-invalid");
        let code = text_of(&second["ticket"]["code"]);
        let answer = enrol(&app, &code, &DeviceKey::new()).await;
        assert_eq!(made(answer)["epoch"], 1);
        app.stop().await;
    }
);

on_both!(a_code_holds_ten_minutes_and_a_new_one_ends_it, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "ACME", &["9521234"]).await;
    let place = place(&firm.operator, "WH-1", "warehouse").await;
    let first = ticket(&firm.operator, &place).await;
    let path = format!("/v1/devices/{}/tickets", text_of(&first["device"]["id"]));
    let second = made(firm.operator.post(&path, &json!({})).await);
    let code = |made: &Value| text_of(&made["ticket"]["code"]);
    refused(
        enrol(&app, &code(&first), &DeviceKey::new()).await,
        "enrolment-code-invalid",
    );
    expire(&app).await;
    refused(
        enrol(&app, &code(&second), &DeviceKey::new()).await,
        "enrolment-code-invalid",
    );
    app.stop().await;
});

on_both!(each_enrolment_is_an_epoch_with_a_key_of_its_own, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "ACME", &["9521234"]).await;
    let place = place(&firm.operator, "WH-1", "warehouse").await;
    let first = ticket(&firm.operator, &place).await;
    let key = DeviceKey::new();
    let answer = enrol(&app, &text_of(&first["ticket"]["code"]), &key).await;
    assert_eq!(answer.json()["epoch"], 1);
    let path = format!("/v1/devices/{}/tickets", text_of(&first["device"]["id"]));
    let second = made(firm.operator.post(&path, &json!({})).await);
    let code = text_of(&second["ticket"]["code"]);
    refused_field(enrol(&app, &code, &key).await, "public_key", "known");
    // The refusal left the code good.
    let answer = enrol(&app, &code, &DeviceKey::new()).await;
    assert_eq!(answer.json()["epoch"], 2);
    app.stop().await;
});

/// What an enrolment says, without the time at which it says it.
fn said(answer: suyuan_tests::Answer) -> Value {
    let mut said = made(answer);
    let told = said.as_object_mut().expect("an object");
    for name in ["anchor", "t_sent"] {
        assert!(told.remove(name).is_some(), "{name}");
    }
    said
}

on_both!(who_lost_the_answer_of_an_enrolment_gets_it_again, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "ACME", &["9521234"]).await;
    let place = place(&firm.operator, "WH-1", "warehouse").await;
    let code = text_of(&ticket(&firm.operator, &place).await["ticket"]["code"]);
    let key = DeviceKey::new();
    // The first is still under way when it is sent again.
    let (one, other) = futures_util::join!(enrol(&app, &code, &key), enrol(&app, &code, &key));
    let lost = said(one);
    assert_eq!(lost["epoch"], 1);
    assert_eq!(said(other), lost);
    let entries = async || ok(firm.admin.get("/v1/log?limit=500").await)["items"].clone();
    let before = entries().await;
    assert_eq!(said(enrol(&app, &code, &key).await), lost);
    let typed = code.to_lowercase();
    assert_eq!(said(enrol(&app, &typed, &key).await), lost);
    assert_eq!(entries().await, before, "nothing was done again");
    // Whoever saw the code has no use for it.
    let stranger = enrol(&app, &code, &DeviceKey::new()).await;
    refused(stranger, "enrolment-code-invalid");
    expire(&app).await;
    let late = enrol(&app, &code, &key).await;
    refused(late, "enrolment-code-invalid");
    app.stop().await;
});

on_both!(
    what_was_enrolled_again_or_revoked_is_not_told_again,
    |app| {
        let platform = platform(&app).await;
        let firm = firm(&app, &platform, "ACME", &["9521234"]).await;
        let place = place(&firm.operator, "WH-1", "warehouse").await;
        let first = ticket(&firm.operator, &place).await;
        let path = format!("/v1/devices/{}", text_of(&first["device"]["id"]));
        let code = |made: &Value| text_of(&made["ticket"]["code"]);
        let key = DeviceKey::new();
        let lost = said(enrol(&app, &code(&first), &key).await);
        let tickets = format!("{path}/tickets");
        let second = made(firm.operator.post(&tickets, &json!({})).await);
        // The enrolment holds until somebody uses the newer code.
        assert_eq!(said(enrol(&app, &code(&first), &key).await), lost);
        let next = DeviceKey::new();
        let newer = said(enrol(&app, &code(&second), &next).await);
        assert_eq!(newer["epoch"], 2);
        for (code, key) in
            [(&first, &key), (&second, &key), (&first, &next)].map(|(t, k)| (code(t), k))
        {
            refused(enrol(&app, &code, key).await, "enrolment-code-invalid");
        }
        assert_eq!(said(enrol(&app, &code(&second), &next).await), newer);
        let (revoke, why) = (format!("{path}/revoke"), json!({"reason": "lost"}));
        ok(firm.operator.post(&revoke, &why).await);
        refused(
            enrol(&app, &code(&second), &next).await,
            "enrolment-code-invalid",
        );
        app.stop().await;
    }
);

on_both!(what_is_no_key_is_refused, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "ACME", &["9521234"]).await;
    let place = place(&firm.operator, "WH-1", "warehouse").await;
    let code = text_of(&ticket(&firm.operator, &place).await["ticket"]["code"]);
    let zeros = "A".repeat(43);
    for (key, problem) in [
        (
            json!({"kty": "EC", "crv": "P-256", "x": zeros, "y": zeros}),
            "invalid-fields",
        ),
        (
            json!({"kty": "EC", "crv": "P-384", "x": zeros, "y": zeros}),
            "malformed-body",
        ),
        (
            json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
            "malformed-body",
        ),
        (json!(null), "malformed-body"),
    ] {
        let body = json!({"v": 1, "code": code, "key": key});
        refused(app.stranger().post("/v1/enrol", &body).await, problem);
    }
    app.stop().await;
});

on_both!(devices_are_an_enterprises_own, |app| {
    let platform = platform(&app).await;
    let acme = firm(&app, &platform, "ACME", &["9521234"]).await;
    let other = firm(&app, &platform, "BETA", &["9521235"]).await;
    let place = place(&acme.operator, "WH-1", "warehouse").await;
    let body = json!({"name": "x", "profile": "till", "location_id": place});
    refused_field(
        other.admin.post("/v1/devices", &body).await,
        "location_id",
        "unknown",
    );
    let made = ticket(&acme.operator, &place).await;
    let path = format!("/v1/devices/{}", text_of(&made["device"]["id"]));
    refused(other.admin.get(&path).await, "not-found");
    refused(
        other
            .admin
            .post(&format!("{path}/tickets"), &json!({}))
            .await,
        "not-found",
    );
    let why = json!({"reason": "lost"});
    refused(
        other.admin.post(&format!("{path}/revoke"), &why).await,
        "not-found",
    );
    assert_eq!(ok(other.admin.get("/v1/devices").await)["items"], json!([]));
    let revoked = ok(acme.operator.post(&format!("{path}/revoke"), &why).await);
    assert!(revoked["revoked_at"].is_string());
    refused(
        acme.operator.post(&format!("{path}/revoke"), &why).await,
        "device-revoked",
    );
    // Its code went with it.
    let code = text_of(&made["ticket"]["code"]);
    refused(
        enrol(&app, &code, &DeviceKey::new()).await,
        "enrolment-code-invalid",
    );
    app.stop().await;
});

on_both!(
    a_device_that_was_away_follows_the_keys_lists_are_signed_with,
    |app| {
        let platform = platform(&app).await;
        let firm = firm(&app, &platform, "ACME", &["9521234"]).await;
        let place = place(&firm.operator, "WH-1", "warehouse").await;
        let code = async || text_of(&ticket(&firm.operator, &place).await["ticket"]["code"]);
        let early = Handheld::enrol(&app.internal_url, &code().await).await;
        let state = app.state();
        state.handheld.keys.rotate(state.clock.now()).await.unwrap();
        let late = Handheld::enrol(&app.internal_url, &code().await).await;
        let keys = |handheld: &Handheld| -> Vec<TrustKey> {
            serde_json::from_value(handheld.welcome["trust_keys"].clone()).unwrap()
        };
        let trusted = keys(&early);
        let verify = suyuan::handheld::keys::point::verify;
        assert_eq!(follow(&trusted[0], &keys(&late), verify).len(), 2);
        app.stop().await;
    }
);
