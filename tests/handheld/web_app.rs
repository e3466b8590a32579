//! The web app as it is served: whole, small, told again only when it changed, and under a policy
//! that lets nothing foreign in.

use suyuan_tests::{Caller, Engine, TestApp, caller::Method};

#[actix_web::test]
async fn the_app_is_served_under_its_policy() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let device = Caller::new(&app.internal_url, None);
    let to = device.get("/app").await;
    assert_eq!((to.status, to.header("location")), (308, "/app/"));
    let page = device.get("/app/").await;
    assert_eq!(page.status, 200);
    let text = page.text();
    assert!(
        text.contains("<html") && !text.contains("<script>"),
        "{text}"
    );
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");

    let worker = device.get("/app/sw.js").await;
    assert_eq!(
        worker.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    assert_eq!(worker.header("cache-control"), "no-cache");
    let etag = worker.header("etag").to_owned();
    let again = device
        .get_with("/app/sw.js", &[("if-none-match", &etag)])
        .await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let zipped = device
        .get_with("/app/sw.js", &[("accept-encoding", "gzip")])
        .await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert_ne!(zipped.header("etag"), etag);
    let head = device
        .send(Method::HEAD, "/app/sw.js", &[], Vec::new())
        .await;
    assert_eq!((head.status, head.body.len()), (200, 0));

    // Every file the app keeps for later is there.
    let list = device.get("/app/precache.js").await.text();
    let line = |line: &'_ str| Some(line.strip_prefix("  \"")?.strip_suffix("\",")?.to_owned());
    let files: Vec<String> = list.lines().filter_map(line).collect();
    assert!(files.len() > 40, "{list}");
    for file in files {
        let path = format!("/app/{file}");
        assert_eq!(device.get(&path).await.status, 200, "{path}");
    }
    for nothing in [
        "/app/../routes.rs",
        "/app/README.md",
        "/app/%2e%2e/mod.rs",
        "/app//sw.js",
    ] {
        assert_eq!(device.get(nothing).await.status, 404, "{nothing}");
    }
    app.stop().await;
}

/// Pages beside the app: under a policy as strict, and no part of what devices keep.
#[actix_web::test]
async fn the_officers_pages_are_served_beside_the_app() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let officer = Caller::new(&app.internal_url, None);
    let kept = officer.get("/app/precache.js").await.text();
    for page in ["/app/enrol", "/app/trust"] {
        let answer = officer.get(page).await;
        assert_eq!(answer.status, 200, "{page}");
        let text = answer.text();
        assert!(text.contains("<html lang=\"zh-CN\">"), "{text}");
        // No script and no style but in files.
        assert!(
            !text.contains("<script>") && !text.contains("style="),
            "{text}"
        );
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        let name = page.trim_start_matches("/app/");
        assert!(
            !kept.contains(&format!("\"{name}.")),
            "{name} is kept by devices"
        );
        let script = officer.get(&format!("{page}.js")).await;
        assert_eq!(
            (script.status, script.header("content-type")),
            (200, "text/javascript; charset=utf-8")
        );
    }
    // Nobody has to trust anybody over plain HTTP.
    for file in ["/app/authority.crt", "/app/authority.json"] {
        assert_eq!(officer.get(file).await.problem(), "not-found", "{file}");
    }
    app.stop().await;
}
