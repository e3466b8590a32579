//! `suyuan device`: a device made, enrolled, listed and revoked by command beside the running
//! processes, which need no restart for any of it.

use super::support::{Site, run};
use serde_json::json;
use suyuan_sync::wire::Status;
use suyuan_tests::{Handheld, migrated_postgres_database};

#[actix_web::test]
async fn a_device_is_made_and_revoked_by_command() {
    let (site, _) = Site::with_world(migrated_postgres_database().await).await;
    let internal = site.internal(&[]).await;
    let owner = [
        ("database.url", site.owner_url.as_str()),
        ("security.master_key", site.master_key.as_str()),
    ];
    let device = |words: &[&str]| run(&[&["device"], words].concat(), &owner);

    let add = [
        "add",
        "--enterprise",
        "CHENMV",
        "--location",
        "S1",
        "--name",
        "收银 1",
    ];
    let (well, said, why) = device(&[&add[..], &["--profile", "till"]].concat());
    assert!(well, "{why}");
    let code = said.lines().find_map(|line| line.strip_prefix("code "));
    let code = code.and_then(|line| line.split(' ').next());
    let mut till = Handheld::enrol(&internal.url, code.expect("a code")).await;
    let id = till.device.0.to_string();

    let list = || device(&["list", "--enterprise", "CHENMV"]).1;
    let line = format!("{id}   1 enrolled till     收银 1");
    assert!(list().lines().any(|other| other == line), "{}", list());
    let event = till.event("inbound", &json!({}));
    let pushed = till.push(&[event]).await;
    assert_ne!(pushed.results[0].status, Status::Quarantined);

    // Another epoch; the code that was used is not shown again.
    let (well, again, why) = device(&["ticket", &id]);
    assert!(well && !again.contains(code.expect("a code")), "{why}");

    let (well, said, why) = device(&["revoke", &id, "--reason", "丢失"]);
    assert!(well && said.contains(&id), "{why}");
    assert!(list().contains(" revoked "), "{}", list());
    let event = till.event("inbound", &json!({}));
    let pushed = till.push(&[event]).await;
    assert_eq!(pushed.results[0].status, Status::Quarantined);
}

#[actix_web::test]
async fn wrong_words_are_refused_in_words() {
    let (site, _) = Site::with_world(migrated_postgres_database().await).await;
    let owner = [
        ("database.url", site.owner_url.as_str()),
        ("security.master_key", site.master_key.as_str()),
    ];
    let add = |enterprise, location, name| {
        let words = ["--enterprise", enterprise, "--location", location];
        let words = [&["device", "add", "--name", name], &words[..]].concat();
        let (well, said, why) = run(&words, &owner);
        assert!(!well && said.is_empty(), "{said}");
        why
    };
    assert!(add("NOBODY", "S1", "x").contains("no enterprise with the code NOBODY"));
    assert!(add("CHENMV", "S9", "x").contains("no location with the code S9"));
    assert!(add("CHENMV", "S1", "").contains("1 to 60 characters"));
    let nobody = uuid::Uuid::nil().to_string();
    let (well, _, why) = run(&["device", "ticket", &nobody], &owner);
    assert!(
        !well && why.contains(&format!("no device {nobody}")),
        "{why}"
    );
}
