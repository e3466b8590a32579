//! The log: every change is one entry, in one order, told to those whose data it is.

use crate::{
    operations::{Operation, call, operations, right_caller, stage, tenant},
    support::{PASSWORD, array, entries, head, ok, person, platform, text_of},
};
use futures_util::future::join_all;
use serde_json::json;
use std::collections::BTreeMap;
use suyuan::accounts::Role;
use suyuan_tests::{on_both, recall_order};

/// Kind and beginning of the subject of each operation's entry.
fn expected() -> BTreeMap<&'static str, (&'static str, &'static str)> {
    let master = "master_data_changed";
    BTreeMap::from([
        ("create_user", ("account_changed", "user:")),
        ("change_user", ("account_changed", "user:")),
        ("change_my_password", ("account_changed", "user:")),
        ("create_enterprise", (master, "enterprise:")),
        ("revise_enterprise", (master, "enterprise:")),
        ("create_location", (master, "location:")),
        ("create_badge", ("badge_changed", "badge:")),
        ("change_badge_role", ("badge_changed", "badge:")),
        ("withdraw_badge", ("badge_changed", "badge:")),
        ("create_product", (master, "product:")),
        ("revise_product", (master, "product:")),
        ("create_batch", (master, "batch:")),
        ("revise_batch", (master, "batch:")),
        ("create_file", (master, "file:")),
        ("create_segment", ("segment_allocated", "segment:")),
        ("create_commission", ("codes_commissioned", "batch:")),
        (
            "create_code_destruction",
            ("codes_voided", "code_destruction:"),
        ),
        ("open_recall", ("recall_opened", "recall:")),
        ("widen_recall", ("recall_widened", "recall:")),
        ("close_recall", ("recall_closed", "recall:")),
        ("create_voice", ("voice_received", "voice:")),
        ("handle_voice", ("voice_handled", "voice:")),
        ("open_voice", ("personal_data_opened", "voice:")),
        ("erase_voice", ("personal_data_erased", "voice:")),
        ("create_link", ("links_changed", "link:")),
        ("delete_link", ("links_changed", "link:")),
        ("clear_suspicion", ("suspicion_cleared", "suspicion:")),
        ("create_transport", ("transport_changed", "transport:")),
        ("file_readings", ("readings_filed", "transport:")),
        (
            "record_measure",
            ("excursion_measured", "excursion_measure:"),
        ),
        ("create_device", ("device_changed", "device:")),
        ("create_device_ticket", ("device_changed", "device:")),
        ("revoke_device", ("device_revoked", "device:")),
        ("close_shift", ("shift_closed", "device:")),
        ("change_policy", ("policy_changed", "policy")),
        ("create_acceptance", ("holder_accepted", "enterprise:")),
        ("close_period", ("period_closed", "period:")),
        ("confirm_clock", ("clock_confirmed", "clock")),
    ])
}

on_both!(
    every_change_is_one_entry_with_actor_kind_and_subject,
    |app| {
        let (platform, stage) = stage(&app).await;
        let expected = expected();
        let users = ok(platform.get("/v1/users").await);
        let actor = |name: &str| {
            let items = array(&users["items"]);
            let user = items.iter().find(|user| user["username"] == name);
            format!("user:{}", text_of(&user.expect("an account")["id"]))
        };
        for (n, operation) in operations().iter().enumerate() {
            let name = operation.id.as_str();
            // Nothing on this stage is complete or stands aside, and nothing was sold.
            let idle =
                name.starts_with("publish_") || name == "admit_event" || name.ends_with("_buyer");
            if !operation.secured || operation.method == "GET" || idle {
                continue;
            }
            let (kind, subject) = expected[name];
            let (path, body) = stage.request(operation, n).expect("a request");
            let caller = right_caller(operation, &platform, &stage);
            let before = entries(&app).await;
            let answer = call(caller, operation, &path, &body, &[]).await;
            assert!(answer.status < 300, "{name}: {}", answer.text());
            let after = entries(&app).await;
            assert_eq!(after.len() - before.len(), 1, "{name}");
            let new = &after[before.len()];
            assert_eq!(after[..before.len()], before[..], "{name} rewrote the log");
            let who = if ["create_enterprise", "change_policy", "confirm_clock"].contains(&name) {
                "platform.admin"
            } else {
                "aaa.admin"
            };
            assert_eq!(new.actor, actor(who), "{name}");
            assert_eq!(new.kind, kind, "{name}");
            assert!(new.subject.starts_with(subject), "{name}: {}", new.subject);
            if answer.status == 204 {
                continue;
            }
            let made = answer.json();
            if let (Some(id), false) = (made["id"].as_str(), name == "create_commission") {
                assert!(new.subject.ends_with(id), "{name}: {}", new.subject);
            }
            if name != "create_enterprise" {
                let tenant = new.enterprise_id.map(|id| id.to_string());
                assert_eq!(tenant.as_deref(), Some(stage.firm.id.as_str()), "{name}");
            }
        }
        app.stop().await;
    }
);

on_both!(reading_and_refused_requests_leave_no_entry, |app| {
    let (platform, stage) = stage(&app).await;
    let before = head(&app).await;
    let reads = |o: &&Operation| o.method == "GET" && !o.is_of_devices();
    for operation in operations().iter().filter(reads) {
        let (path, body) = stage.request(operation, 1).expect("a request");
        let caller = right_caller(operation, &platform, &stage);
        let answer = call(caller, operation, &path, &body, &[]).await;
        // Nothing was stated on this stage, and nothing stands aside.
        let nothing =
            ["get_quarantined", "get_event", "get_buyer"].contains(&operation.id.as_str());
        let expected = if nothing { 404 } else { 200 };
        assert_eq!(answer.status, expected, "{}", operation.id);
    }
    let taken = json!({"code": "P1", "kind": "plant", "name": "厂"});
    let answer = stage.firm.admin.post("/v1/locations", &taken).await;
    assert_eq!(answer.status, 409);
    assert_eq!(head(&app).await, before);
    // A refusal leaves no gap behind either.
    let fresh = json!({"code": "P2", "kind": "plant", "name": "厂"});
    crate::support::made(stage.firm.admin.post("/v1/locations", &fresh).await);
    assert_eq!(head(&app).await, before + 1);
    app.stop().await;
});

on_both!(
    positions_are_dense_and_stamps_rise_under_sixteen_writers,
    |app| {
        let (_, stage) = stage(&app).await;
        let before = head(&app).await;
        let admin = &stage.firm.admin;
        let writers = (0..16).map(|w| {
        let (product, batch) = (&stage.product, &stage.batch);
        async move {
            for n in 0..5 {
                let (path, body) = match (w + n) % 4 {
                    0 => ("/v1/locations", json!({"code": format!("W{w}-{n}"), "kind": "store", "name": "店"})),
                    1 => ("/v1/segments", json!({"product_id": product, "count": 3})),
                    2 => ("/v1/batches", json!({"product_id": product, "lot": format!("{w}-{n}"), "production_date": "2026-01-01"})),
                    _ => ("/v1/recalls", recall_order(&json!([batch]), "r", "i")),
                };
                let answer = admin.post(path, &body).await;
                assert_eq!(answer.status, 201, "{path}: {}", answer.text());
            }
        }
    });
        join_all(writers).await;
        let log = entries(&app).await;
        let positions: Vec<i64> = log.iter().map(|entry| entry.gseq).collect();
        assert_eq!(positions, (1..=before + 80).collect::<Vec<_>>());
        assert!(log.windows(2).all(|pair| pair[0].stamp < pair[1].stamp));
        assert_eq!(head(&app).await, before + 80);
        app.stop().await;
    }
);

on_both!(
    a_clock_that_jumps_back_does_not_turn_the_order_round,
    |app| {
        let (_, stage) = stage(&app).await;
        for (n, shift) in [3_600_000_000, -3_600_000_000, 0].into_iter().enumerate() {
            app.clock.shift_by(shift);
            let caller = app.signed_in("aaa.admin", PASSWORD).await;
            let place = json!({"code": format!("W{n}"), "kind": "store", "name": "店"});
            crate::support::made(caller.post("/v1/locations", &place).await);
        }
        let log = entries(&app).await;
        assert!(log.windows(2).all(|pair| pair[0].stamp < pair[1].stamp));
        drop(stage);
        app.stop().await;
    }
);

on_both!(each_reads_its_own_part_of_the_log, |app| {
    let (platform, ours) = stage(&app).await;
    let theirs = tenant(&app, &platform, "BBB", "6901234").await;
    let all = ok(platform.get("/v1/log?limit=500").await);
    let all = array(&all["items"]);
    assert_eq!(all.len() as i64, head(&app).await);
    for stage in [&ours, &theirs] {
        let page = ok(stage.firm.operator.get("/v1/log?limit=500").await);
        let seen = array(&page["items"]);
        let own: Vec<_> = all
            .iter()
            .filter(|entry| entry["enterprise"] == stage.firm.id.as_str())
            .cloned()
            .collect();
        assert!(own.len() > 8);
        assert_eq!(seen, own);
    }
    // Page by page it is the same.
    let (mut from, mut paged) = (0, Vec::new());
    loop {
        let path = format!("/v1/log?limit=3&from={from}");
        let page = ok(ours.firm.admin.get(&path).await);
        paged.extend(array(&page["items"]).iter().cloned());
        match page["next"].as_i64() {
            Some(next) => from = next,
            None => break,
        }
    }
    let whole = ok(ours.firm.admin.get("/v1/log?limit=500").await);
    assert_eq!(paged, array(&whole["items"]));
    app.stop().await;
});

on_both!(no_entry_holds_a_name_or_a_secret_of_a_person, |app| {
    let platform = platform(&app).await;
    let stage = tenant(&app, &platform, "AAA", "9521234").await;
    person(&app, "very.private.name", Role::PlatformAdmin, None).await;
    for (n, operation) in operations().iter().filter(|o| o.secured).enumerate() {
        let (path, body) = stage.request(operation, n).expect("a request");
        call(
            right_caller(operation, &platform, &stage),
            operation,
            &path,
            &body,
            &[],
        )
        .await;
    }
    let users = ok(platform.get("/v1/users").await);
    for entry in entries(&app).await {
        let text = format!("{} {} {}", entry.actor, entry.subject, entry.body);
        for user in array(&users["items"]) {
            let name = text_of(&user["username"]);
            assert!(!text.contains(&name), "{name} in {text}");
        }
        for secret in [PASSWORD, "argon2", "wrapped", "secret", "token"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    app.stop().await;
});
