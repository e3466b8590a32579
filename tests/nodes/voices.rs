//! A complaint told at one public process, answered inside, read and erased at another: under the
//! public role, and without any key that opens it.

use crate::support::{Cluster, SECOND, Site, run, sign_in, until};
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};
use suyuan_tests::{Caller, migrated_postgres_database};

#[actix_web::test]
async fn a_complaint_crosses_from_the_public_processes_and_back() {
    let cluster = Cluster::start(2, &[]).await;
    let (here, there) = (cluster.publics[0].caller(), cluster.publics[1].caller());
    let told = json!({"code": cluster.demo.codes.legal[0], "content": "罐内结块", "place": "上海",
        "name": "王女士", "consent": true});
    let given = here.post("/v1/public/complaints", &told).await;
    assert_eq!(given.status, 201, "{}", given.text());
    let receipt = given.json()["receipt"]
        .as_str()
        .expect("a receipt")
        .to_owned();
    let path = format!("/v1/public/complaints/{receipt}");
    let stands = |key: &'static str, value: serde_json::Value| {
        let (there, path) = (&there, &path);
        move || {
            let value = value.clone();
            async move { there.get(path).await.json()[key] == value }
        }
    };
    until("received", 10 * SECOND, stands("state", json!("received"))).await;

    let officer = cluster.officer().await;
    let list = officer.get("/v1/voices").await.json();
    let id = list["items"][0]["id"].as_str().expect("the complaint");
    let at = format!("/v1/voices/{id}");
    let open = officer.post(&format!("{at}/openings"), &json!({})).await;
    let record = open.json()["record"].clone();
    assert_eq!(record["consumer_complaint.content"], "罐内结块", "{record}");
    let step = json!({"state": "answered", "answer": "可到门店换货"});
    let answered = officer.post(&format!("{at}/steps"), &step).await;
    assert_eq!(answered.status, 200, "{}", answered.text());
    until(
        "answered",
        10 * SECOND,
        stands("answer", json!("可到门店换货")),
    )
    .await;

    let erase = there.post(&format!("{path}/erasure"), &json!({})).await;
    assert_eq!(erase.status, 202, "{}", erase.text());
    let erased = stands("personal_data_erased", json!(true));
    until("erased", 10 * SECOND, erased).await;
    let open = officer.post(&format!("{at}/openings"), &json!({})).await;
    assert_eq!(open.problem(), "personal-data-erased");
}

/// Complains and waits until it was taken; returns its receipt.
async fn complain(at: &Caller, code: &str, content: &str) -> String {
    let told = json!({"code": code, "content": content, "place": "上海", "name": "王女士",
        "consent": true});
    let given = at.post("/v1/public/complaints", &told).await;
    assert_eq!(given.status, 201, "{}", given.text());
    let receipt = given.json()["receipt"].as_str().expect("one").to_owned();
    let path = format!("/v1/public/complaints/{receipt}");
    until("received", 10 * SECOND, || async {
        at.get(&path).await.json()["state"] == "received"
    })
    .await;
    receipt
}

/// What staff read when they open the `n`th complaint.
async fn opened(officer: &Caller, n: usize) -> Value {
    let list = officer.get("/v1/voices").await.json();
    let id = list["items"][n]["id"].as_str().expect("a complaint");
    let path = format!("/v1/voices/{id}/openings");
    officer.post(&path, &json!({})).await.json()
}

#[actix_web::test]
async fn the_inbox_key_is_renewed_and_overdue_data_erased_by_command() {
    let (site, demo) = Site::with_world(migrated_postgres_database().await).await;
    let internal = site.internal(&[]).await;
    let public = site.public(&[]).await;
    let (consumer, officer) = (public.caller(), sign_in(&internal, &demo).await);
    let code = &demo.codes.legal[0];
    let owner = [
        ("database.url", site.owner_url.as_str()),
        ("security.master_key", site.master_key.as_str()),
    ];

    complain(&consumer, code, "旧密钥").await;
    let (well, said, why) = run(&["keys", "inbox"], &owner);
    assert!(well && said.trim() == "inbox key 2", "{said} {why}");
    // Nobody was restarted.
    let second = complain(&consumer, code, "新密钥").await;
    for (n, content) in ["旧密钥", "新密钥"].iter().enumerate() {
        let open = opened(&officer, n).await;
        assert_eq!(open["record"]["consumer_complaint.content"], *content);
    }
    let other = suyuan::sealing::Sealer::generate()
        .expect("a key")
        .to_string();
    let stranger = [owner[0], ("security.master_key", other.as_str())];
    let (well, _, why) = run(&["keys", "inbox"], &stranger);
    assert!(!well && !why.is_empty(), "what it seals would open nowhere");
    let (well, said, why) = run(&["keys", "lists"], &owner);
    assert!(well && said.trim() == "list key 2", "{said} {why}");
    let (well, _, why) = run(&["keys", "lists"], &stranger);
    assert!(!well && !why.is_empty(), "nobody could sign with it");

    let (well, said, why) = run(&["admin", "erase-overdue"], &owner);
    assert!(well && said.trim() == "erased: 0", "{said} {why}");
    let db = Database::connect(&site.owner_url)
        .await
        .expect("the database");
    let overdue = "UPDATE voice_personal SET keep_until = 1 WHERE voice_id = \
                   (SELECT max(voice_id::text)::uuid FROM voice_personal)";
    db.execute_unprepared(overdue).await.expect("an update");
    let (well, said, why) = run(&["admin", "erase-overdue"], &owner);
    assert!(well && said.trim() == "erased: 1", "{said} {why}");
    // So is what was filed about buyers.
    let owed = "INSERT INTO buyer_personal (enterprise_id, event_id, sealed, filed_at, keep_until) \
                SELECT id, id, '\\x00', 1, 1 FROM enterprise LIMIT 1";
    db.execute_unprepared(owed).await.expect("a row");
    let (well, said, why) = run(&["admin", "erase-overdue"], &owner);
    assert!(well && said.trim() == "erased: 1", "{said} {why}");
    let path = format!("/v1/public/complaints/{second}");
    until("erased", 10 * SECOND, || async {
        consumer.get(&path).await.json()["personal_data_erased"] == true
    })
    .await;
}
