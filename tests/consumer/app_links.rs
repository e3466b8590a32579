//! The two files by which phones ask whether an app speaks for our addresses.

use serde_json::json;
use suyuan::config::Settings;
use suyuan_tests::{Engine, TestApp, caller::Method};

const ANDROID: &str = "/.well-known/assetlinks.json";
const APPLE: &str = "/.well-known/apple-app-site-association";

#[actix_web::test]
async fn without_an_app_there_are_no_files() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    for path in [ANDROID, APPLE] {
        let answer = app.consumer().get(path).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "not-found")
        );
    }
    app.stop().await;
}

#[actix_web::test]
async fn the_files_are_as_the_phones_systems_want_them() {
    let print = ["0a"; 32].join(":");
    let flags = [
        ("app_links.android_package", "cn.chenmu.app"),
        (
            "app_links.android_fingerprints",
            &format!("{print}, {}", ["FF"; 32].join(":")),
        ),
        ("app_links.apple_app_ids", "A1B2C3D4E5.cn.chenmu.app"),
    ];
    let app = TestApp::spawn_with(Engine::Sqlite, &flags).await;
    for path in [ANDROID, APPLE] {
        let answer = app.consumer().get(path).await;
        assert_eq!(answer.status, 200, "no redirect");
        assert_eq!(answer.header("content-type"), "application/json");
        let head = app
            .consumer()
            .send(Method::HEAD, path, &[], Vec::new())
            .await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        let post = app
            .consumer()
            .send(Method::POST, path, &[], Vec::new())
            .await;
        assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"));
    }
    let android = app.consumer().get(ANDROID).await.json();
    assert_eq!(
        android[0]["relation"],
        json!(["delegate_permission/common.handle_all_urls"])
    );
    let target = &android[0]["target"];
    assert_eq!(target["namespace"], "android_app");
    assert_eq!(target["package_name"], "cn.chenmu.app");
    let prints = json!(["0A", "FF"].map(|pair| [pair; 32].join(":")));
    assert_eq!(target["sha256_cert_fingerprints"], prints);
    let apple = app.consumer().get(APPLE).await.json();
    let details = &apple["applinks"]["details"][0];
    assert_eq!(details["appIDs"], json!(["A1B2C3D4E5.cn.chenmu.app"]));
    assert_eq!(
        details["components"],
        json!([{"/": "/01/*"}, {"/": "/00/*"}, {"/": "/c/*"}])
    );
    app.stop().await;
}

#[test]
fn lists_may_stand_as_lists_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("suyuan.toml");
    let text =
        "[app_links]\nandroid_package = \"cn.chenmu.app\"\nandroid_fingerprints = [\"A\", \"B\"]\n";
    std::fs::write(&file, text).expect("a file");
    let settings = Settings::load(Some(&file), &[]).expect("settings");
    assert_eq!(settings.app_links.android_fingerprints, ["A", "B"]);
}
