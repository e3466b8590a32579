//! The demo as the README's "A shift with a PDA" begins: over TLS with what `suyuan cert` made; and that
//! chapter, followed.

use crate::{
    programs::{SECOND, command, run},
    secure::{asked, trusting},
    shift::played,
    site::{Certificate, HOST},
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::rustls::pki_types::ServerName;

/// Who follows the chapter.
const CHAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/browser/shift/chapter.mjs");

/// A demo, killed when dropped, and what it told programs.
struct Demo {
    child: Child,
    told: Value,
    folder: TempDir,
}

impl Demo {
    fn start(settings: &[(&str, String)], more: &[&str]) -> Demo {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = settings.to_vec();
        settings.push(("data_dir", folder.path().display().to_string()));
        let settings: Vec<(&str, &str)> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let words = ["demo", "--json", "--public-listen", "127.0.0.1:0"];
        let words = [&words, more].concat();
        let mut child = command(&words, &settings)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the demo");
        let said = child.stdout.take().expect("its words");
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line).expect("a line");
        let told = serde_json::from_str(&line).expect("what it tells programs");
        Demo {
            child,
            told,
            folder,
        }
    }

    fn text(&self, pointer: &str) -> &str {
        self.told
            .pointer(pointer)
            .and_then(Value::as_str)
            .expect(pointer)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The settings of a certificate, for a demo that listens on a free port of this machine.
fn served(certificate: &Certificate) -> Vec<(&'static str, String)> {
    let mut all = certificate.settings();
    // Where it listens is where devices find it.
    all.retain(|(name, _)| *name != "handheld.url");
    all.push(("internal.listen", "127.0.0.1:0".to_owned()));
    all
}

#[actix_web::test]
async fn the_demo_speaks_tls_where_it_is_told_to_and_what_it_keeps_is_opened_by_others() {
    let certificate = Certificate::new();
    let demo = Demo::start(&served(&certificate), &["--seed", "7"]);
    let url = demo.text("/internal_url");
    let host = url.strip_prefix("https://").expect("TLS");
    let ticket: Value = serde_json::from_str(demo.text("/enrolment/text")).expect("a ticket");
    assert_eq!(ticket["url"], url);
    assert!(ticket["fingerprint"].is_string(), "{ticket}");
    for path in ["/app/", "/app/trust", "/app/enrol", "/readyz"] {
        let line = TcpStream::connect(host).await.expect("a line");
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let tls = trusting(&certificate).connect(name, line).await;
        let answer = asked(&mut tls.expect("a handshake"), path).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    let mut plain = TcpStream::connect(host).await.expect("a line");
    plain
        .write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = String::new();
    let read = plain.read_to_string(&mut answer);
    let _ = tokio::time::timeout(10 * SECOND, read).await;
    assert!(answer.contains("tls-needed"), "{answer}");

    // Its codes follow from a seed, and others open what it keeps all the same.
    let kept = demo.folder.path().display().to_string();
    let (well, said, faults) = run(&["admin", "verify-state"], &[("data_dir", &kept)]);
    assert!(well, "{said}{faults}");

    // Told half of it, it does not start.
    let half = [(
        "internal.tls_key",
        certificate.file("server.key").display().to_string(),
    )];
    let half: Vec<(&str, &str)> = half.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let (well, _, faults) = run(&["demo", "--once"], &half);
    assert!(!well && faults.contains("tls_certificate"), "{faults}");
}

#[actix_web::test]
async fn cert_says_what_to_set_so_that_devices_reach_the_server() {
    let certificate = Certificate::new();
    let key = certificate.file("server.key").display().to_string();
    let said = &certificate.said;
    for line in [
        "listen = \"0.0.0.0:8081\"".to_owned(),
        format!("url = \"https://{HOST}:8081\""),
        format!("tls_key = \"{key}\""),
        "export SUYUAN__INTERNAL__LISTEN=\"0.0.0.0:8081\"".to_owned(),
        format!("export SUYUAN__INTERNAL__TLS_KEY=\"{key}\""),
        format!("export SUYUAN__HANDHELD__URL=\"https://{HOST}:8081\""),
    ] {
        assert!(said.lines().any(|it| it.trim() == line), "{line}:\n{said}");
    }
}

/// The lines are pasted into a shell and the devices worked as the chapter says, in real browsers.
#[actix_web::test]
async fn the_chapter_can_be_followed_line_by_line_and_scan_by_scan() {
    let certificate = Certificate::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .expect("a free port")
        .port();
    let mut settings = certificate.settings();
    settings.push(("internal.listen", format!("127.0.0.1:{port}")));
    let demo = Demo::start(&settings, &[]);
    let given = json!({
        "port": port,
        "public": demo.text("/public_url"),
        "password": demo.text("/login/password"),
        "tls": certificate.file(""),
    });
    played(CHAPTER, &given)
        .await
        .unwrap_or_else(|said| panic!("{said}"));
}
