//! A complaint told at one public process, answered inside, read and erased at another: under the
//! public role, and without any key that opens it.

use crate::support::{Cluster, SECOND, until};
use serde_json::json;

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
