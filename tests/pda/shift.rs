//! A shift with PDAs, told by `tests/browser/shift/story.mjs` in a real browser: this is what it
//! begins with, and what it is given.

use crate::{people::PASSWORD, site::Site};
use serde_json::{Value, json};
use std::{path::Path, process::Stdio};
use suyuan_tests::Engine;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

/// What the browser is driven by.
const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/browser/shift/story.mjs");

async fn told(engine: Engine) {
    let site = Site::new(engine).await;
    let scene = &site.scene;
    let given = json!({
        "internal": site.program.url,
        "public": site.public_url(),
        "authority": site.certificate.file("authority.crt"),
        "certificate": site.certificate.file("server.crt"),
        "officer": {"username": "acme.operator", "password": PASSWORD},
        "administrator": {"username": "acme.admin", "password": PASSWORD},
        "warehouse": scene.warehouse, "store": scene.store, "batch": scene.batch,
        "tins": scene.tins,
    });
    played(STORY, &given)
        .await
        .unwrap_or_else(|said| panic!("{said}\n{}", site.program.said()));
}

/// A story in Node.js, which drives a real browser: it is given what it needs on its standard input.
pub fn begun(story: &str) -> Child {
    Command::new("node")
        .arg(Path::new(story))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("Node.js")
}

/// Plays a story in a real browser to its end, and prints what it says; what it and Node.js said if it
/// did not go well.
pub async fn played(story: &str, given: &Value) -> Result<(), String> {
    let mut story = begun(story);
    let mut input = story.stdin.take().expect("its input");
    let text = given.to_string();
    input
        .write_all(text.as_bytes())
        .await
        .expect("what it is given");
    drop(input);
    let ended = story.wait_with_output().await.expect("its end");
    let said = String::from_utf8_lossy(&ended.stdout);
    let faults = String::from_utf8_lossy(&ended.stderr);
    println!("{said}");
    if ended.status.success() {
        Ok(())
    } else {
        Err(format!("{said}\n{faults}"))
    }
}

#[actix_web::test]
async fn sqlite() {
    told(Engine::Sqlite).await;
}

#[actix_web::test]
async fn postgres() {
    told(Engine::Postgres).await;
}
