//! Nothing is lost, on the real program: `tests/browser/lost/story.mjs` cuts and kills the app in
//! Chromium at every moment of a shift, and has the server killed here. What it saw is then judged
//! by what the server's tables hold (`seen.rs`).

use crate::{
    people::PASSWORD,
    seen::{Seen, judge},
    shift::begun,
    site::Site,
};
use serde_json::{Value, json};
use suyuan_sync::invariants::LogHistory;
use suyuan_tests::{Engine, history::Tables};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

/// What the browser is driven by.
const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/browser/lost/story.mjs");

async fn told_on(engine: Engine) {
    let mut site = Site::new(engine).await;
    let scene = &site.scene;
    let given = json!({
        "internal": site.program.url,
        "authority": site.certificate.file("authority.crt"),
        "certificate": site.certificate.file("server.crt"),
        "key": site.certificate.file("server.key"),
        "officer": {"username": "acme.operator", "password": PASSWORD},
        "warehouse": scene.warehouse, "store": scene.store, "tins": scene.tins,
    });
    let mut story = begun(STORY);
    let mut input = story.stdin.take().expect("its input");
    let mut say = async |what: Value| {
        let line = format!("{what}\n");
        // Who does not listen any more has failed, and says why.
        let _ = input.write_all(line.as_bytes()).await;
    };
    say(given).await;
    let mut faults = story.stderr.take().expect("its complaints");
    let complaints = tokio::spawn(async move {
        let mut text = String::new();
        let _ = faults.read_to_string(&mut text).await;
        text
    });
    let mut lines = BufReader::new(story.stdout.take().expect("its words")).lines();
    let (mut earlier, mut seen) = (Vec::new(), None);
    while let Some(line) = lines.next_line().await.expect("a line") {
        if line == "@kill" {
            site.program.kill();
            earlier.push(log_of(&site).await);
            site.restart().await;
            say(json!({"port": site.port()})).await;
        } else if let Some(text) = line.strip_prefix("@seen ") {
            seen = Some(serde_json::from_str::<Seen>(text).expect("what was seen"));
        } else {
            println!("{line}");
        }
    }
    let ended = story.wait().await.expect("its end");
    let complaints = complaints.await.expect("its complaints");
    assert!(ended.success(), "{complaints}\n{}", site.program.said());
    assert_eq!(earlier.len(), 3, "kills");
    let seen = seen.expect("what was seen");
    match judge(&seen, &log_of(&site).await, &earlier) {
        Ok(again) => {
            println!("each act is one event; {again} were sent again and stored once");
            assert!(again > 0, "answers were lost, so something came twice");
        }
        Err(broken) => panic!("{broken}"),
    }
}

async fn log_of(site: &Site) -> LogHistory {
    let tables = Tables::open(&site.url).await;
    let log = tables.log().await;
    tables.close().await;
    log
}

#[actix_web::test]
async fn sqlite() {
    told_on(Engine::Sqlite).await;
}

#[actix_web::test]
async fn postgres() {
    told_on(Engine::Postgres).await;
}
