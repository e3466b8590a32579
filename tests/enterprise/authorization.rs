//! Who may call what. The table is made from the OpenAPI document: an operation that is missing
//! here fails the test.

use crate::{
    operations::{Operation, call, operations, stage},
    support::{person, refused, refused_field},
};
use std::collections::BTreeMap;
use suyuan::accounts::Role;
use suyuan_tests::{TestApp, on_both};

const PLATFORM: &str = "platform";
const ADMIN: &str = "admin";
const OPERATOR: &str = "operator";
const REGULATOR: &str = "regulator";
const STAFF: &[&str] = &[ADMIN, OPERATOR];
/// Who read what one enterprise has and what became of it: a regulator says whose.
const LOOKING: &[&str] = &[ADMIN, OPERATOR, REGULATOR];
const VOICES: &[&str] = &[PLATFORM, ADMIN, OPERATOR];
const EVERYONE: &[&str] = &[PLATFORM, ADMIN, OPERATOR, REGULATOR];

/// Which roles each operation lets through.
fn matrix() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("create_user", &[PLATFORM, ADMIN][..]),
        ("list_users", &[PLATFORM, ADMIN]),
        ("change_user", &[PLATFORM, ADMIN]),
        ("get_me", EVERYONE),
        ("change_my_password", EVERYONE),
        ("list_profiles", EVERYONE),
        ("get_profile", EVERYONE),
        ("list_commissions", STAFF),
        ("list_code_destructions", STAFF),
        ("create_enterprise", &[PLATFORM]),
        ("list_enterprises", &[PLATFORM, REGULATOR]),
        ("get_enterprise", EVERYONE),
        ("revise_enterprise", &[ADMIN]),
        ("create_device", STAFF),
        ("list_devices", STAFF),
        ("get_device", STAFF),
        ("create_device_ticket", STAFF),
        ("revoke_device", STAFF),
        ("list_quarantine", LOOKING),
        ("get_quarantined", STAFF),
        ("admit_event", &[ADMIN]),
        ("get_policy", EVERYONE),
        ("change_policy", &[PLATFORM]),
        ("create_acceptance", &[ADMIN]),
        ("list_acceptances", STAFF),
        ("close_shift", STAFF),
        ("close_period", &[ADMIN]),
        ("list_periods", STAFF),
        ("list_restatements", STAFF),
        ("get_event", EVERYONE),
        ("file_buyer", STAFF),
        ("get_buyer", STAFF),
        ("open_buyer", STAFF),
        ("erase_buyer", &[ADMIN]),
        ("get_unit", EVERYONE),
        ("list_unit_contents", EVERYONE),
        ("list_findings", EVERYONE),
        ("count_findings", EVERYONE),
        ("list_stock", LOOKING),
        ("list_expiring_stock", LOOKING),
        ("list_lot_balances", LOOKING),
        ("list_lot_movements", LOOKING),
        ("create_transport", STAFF),
        ("list_transports", LOOKING),
        ("file_readings", STAFF),
        ("list_excursions", LOOKING),
        ("record_measure", STAFF),
        ("get_recall_reach", LOOKING),
        ("confirm_clock", &[PLATFORM]),
        ("create_location", STAFF),
        ("list_locations", LOOKING),
        ("get_location", LOOKING),
        ("create_badge", &[ADMIN]),
        ("list_badges", STAFF),
        ("get_badge", STAFF),
        ("change_badge_role", &[ADMIN]),
        ("withdraw_badge", STAFF),
        ("create_product", STAFF),
        ("list_products", LOOKING),
        ("get_product", LOOKING),
        ("revise_product", STAFF),
        ("publish_product", STAFF),
        ("create_batch", STAFF),
        ("list_batches", LOOKING),
        ("get_batch", LOOKING),
        ("revise_batch", STAFF),
        ("publish_batch", STAFF),
        ("create_file", STAFF),
        ("get_file", LOOKING),
        ("create_segment", STAFF),
        ("list_segments", STAFF),
        ("print_segment", STAFF),
        ("create_commission", STAFF),
        ("create_code_destruction", STAFF),
        ("draw_qr", STAFF),
        ("draw_qr_png", STAFF),
        ("open_recall", STAFF),
        ("list_recalls", LOOKING),
        ("get_recall", LOOKING),
        ("widen_recall", STAFF),
        ("close_recall", &[ADMIN]),
        ("list_voices", VOICES),
        ("get_voice", VOICES),
        ("create_voice", STAFF),
        ("open_voice", STAFF),
        ("handle_voice", STAFF),
        ("erase_voice", &[ADMIN]),
        ("create_link", STAFF),
        ("list_links", STAFF),
        ("delete_link", STAFF),
        ("list_suspicions", STAFF),
        ("get_suspicion", STAFF),
        ("list_suspicion_queries", STAFF),
        ("clear_suspicion", &[ADMIN]),
        ("list_log", EVERYONE),
    ])
}

/// What anyone may call: to sign in and out, and what watches the process.
const OPEN: [&str; 7] = [
    "create_session",
    "refresh_session",
    "end_session",
    "livez",
    "readyz",
    "healthz",
    "metrics",
];

#[test]
fn every_operation_is_in_the_table_or_open_on_purpose() {
    let matrix = matrix();
    let all = operations();
    for operation in &all {
        let listed = matrix.contains_key(operation.id.as_str());
        // Devices sign their own tokens, and an enrolment code is its own proof.
        let open = OPEN.contains(&operation.id.as_str()) || operation.is_of_devices();
        assert_eq!(operation.secured, listed, "{}", operation.id);
        assert_ne!(listed, open, "{}", operation.id);
    }
    let known = |id: &&str| all.iter().any(|operation| operation.id == **id);
    assert!(matrix.keys().all(known), "a row of no operation");
    assert!(OPEN.iter().all(known));
}

on_both!(without_a_token_everything_secured_is_401, |app| {
    let (_, stage) = stage(&app).await;
    let before = crate::support::head(&app).await;
    for operation in operations() {
        let (path, body) = stage
            .request(&operation, 1)
            .unwrap_or_else(|| panic!("operations.rs has no request for {}", operation.id));
        if !operation.secured {
            continue;
        }
        let answer = call(&app.stranger(), &operation, &path, &body, &[]).await;
        assert_eq!(answer.status, 401, "{}", operation.id);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        refused(answer, "not-signed-in");
    }
    assert_eq!(crate::support::head(&app).await, before);
    app.stop().await;
});

async fn a_role_does_what_the_table_says(app: TestApp, role: &str) {
    let (platform, stage) = stage(&app).await;
    let regulator = person(&app, "regulator.one", Role::Regulator, None).await;
    let caller = match role {
        PLATFORM => &platform,
        ADMIN => &stage.firm.admin,
        REGULATOR => &regulator,
        _ => &stage.firm.operator,
    };
    let matrix = matrix();
    for (n, operation) in operations().iter().filter(|o| o.secured).enumerate() {
        let (mut path, body) = stage.request(operation, n).expect("a request");
        let sees_all = role == REGULATOR || operation.id == "get_event" && role == PLATFORM;
        if sees_all && operation.names_enterprise() {
            // Whoever belongs to none says whose it is to be.
            refused_field(
                call(caller, operation, &path, &body, &[]).await,
                "enterprise_id",
                "required",
            );
            path = format!("{path}?enterprise_id={}", stage.firm.id);
        }
        let before = crate::support::head(&app).await;
        let answer = call(caller, operation, &path, &body, &[]).await;
        let id = operation.id.as_str();
        if !matrix[id].contains(&role) {
            assert_eq!(answer.status, 403, "{role} {id}: {}", answer.text());
            refused(answer, "not-allowed");
            assert_eq!(crate::support::head(&app).await, before, "{role} {id}");
        } else if matches!(id, "admit_event" | "get_quarantined" | "get_event")
            || id.ends_with("_buyer")
        {
            // Let through, and then told that nothing stands aside there, and nothing was stated.
            refused(answer, "not-found");
        } else if id.starts_with("publish_") {
            // Let through, and then told what is missing.
            assert!(
                matches!(answer.status, 409 | 422),
                "{role} {id}: {}",
                answer.text()
            );
        } else {
            let status = answer.status.to_string();
            assert!(
                (200..300).contains(&answer.status),
                "{role} {id}: {}",
                answer.text()
            );
            assert!(
                operation.statuses.contains(&status),
                "{id}: {status} is not documented"
            );
        }
    }
    app.stop().await;
}

on_both!(
    a_platform_admin_runs_the_installation_and_no_enterprise,
    |app| {
        a_role_does_what_the_table_says(app, PLATFORM).await;
    }
);
on_both!(an_enterprise_admin_runs_its_enterprise, |app| {
    a_role_does_what_the_table_says(app, ADMIN).await;
});
on_both!(an_operator_works_but_does_not_administer, |app| {
    a_role_does_what_the_table_says(app, OPERATOR).await;
});

on_both!(a_regulator_reads_and_changes_nothing, |app| {
    a_role_does_what_the_table_says(app, REGULATOR).await;
});

#[test]
fn the_table_lets_a_regulator_write_nothing_but_its_password() {
    let matrix = matrix();
    let writes = operations().into_iter().filter(Operation::writes);
    let open = |operation: &Operation| {
        let roles = matrix.get(operation.id.as_str());
        roles.is_some_and(|roles| roles.contains(&REGULATOR))
    };
    let open: Vec<String> = writes.filter(open).map(|operation| operation.id).collect();
    assert_eq!(open, ["change_my_password"]);
}

on_both!(a_regulator_is_refused_every_write_there_is, |app| {
    let (_, stage) = stage(&app).await;
    let regulator = person(&app, "regulator.one", Role::Regulator, None).await;
    let own = [
        "create_session",
        "refresh_session",
        "end_session",
        "change_my_password",
    ];
    let before = crate::support::head(&app).await;
    let mut asked = 0;
    for (n, operation) in operations().iter().filter(|o| o.writes()).enumerate() {
        let id = operation.id.as_str();
        if own.contains(&id) {
            continue;
        }
        let (path, body) = stage.request(operation, n).expect("a request");
        let answer = call(&regulator, operation, &path, &body, &[]).await;
        if operation.secured {
            assert_eq!(answer.status, 403, "{id}: {}", answer.text());
            refused(answer, "not-allowed");
        } else {
            // Calls of devices: a regulator's token is none of theirs, and it holds no code.
            assert!(operation.is_of_devices(), "{id}");
            assert!(
                (400..500).contains(&answer.status),
                "{id}: {}",
                answer.text()
            );
        }
        assert_eq!(crate::support::head(&app).await, before, "{id}");
        asked += 1;
    }
    assert!(asked > 40, "{asked}");
    app.stop().await;
});

on_both!(a_role_stored_wrongly_may_do_nothing, |app| {
    use sea_orm::ConnectionTrait;
    let (_, stage) = stage(&app).await;
    let of_itself = [
        "get_me",
        "change_my_password",
        "list_profiles",
        "get_profile",
        "get_policy",
    ];
    let lost = person(&app, "lost.one", Role::EnterpriseAdmin, None).await;
    let odd = person(&app, "odd.one", Role::PlatformAdmin, None).await;
    app.state()
        .db
        .writer()
        .execute_unprepared("UPDATE user_account SET role = 'root' WHERE username = 'odd.one'")
        .await
        .expect("an update");
    for (n, operation) in operations().iter().filter(|o| o.secured).enumerate() {
        let (path, body) = stage.request(operation, n).expect("a request");
        let answer = call(&odd, operation, &path, &body, &[]).await;
        refused(answer, "not-signed-in");
        let answer = call(&lost, operation, &path, &body, &[]).await;
        assert!(
            matches!(answer.status, 403 | 404) || of_itself.contains(&operation.id.as_str()),
            "{}: {}",
            operation.id,
            answer.text()
        );
    }
    app.stop().await;
});
