//! The listener itself: who trusts the authority gets in, who speaks plain HTTP is told, and what
//! leaves leaves in order.

use crate::{
    programs::{SECOND, run},
    site::{Certificate, HOST, Site},
};
use std::sync::Arc;
use suyuan_tests::Engine;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// Somebody who trusts this authority and no other.
pub fn trusting(certificate: &Certificate) -> TlsConnector {
    let authority = CertificateDer::from_pem_file(certificate.file("authority.crt"));
    let mut roots = RootCertStore::empty();
    roots
        .add(authority.expect("a certificate"))
        .expect("a root");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn connected(site: &Site, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let host = site.program.url.strip_prefix("https://").expect("https");
    let line = TcpStream::connect(host).await?;
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    trusting(&site.certificate).connect(name, line).await
}

/// Asks over this line and reads the answer to its end.
pub async fn asked(line: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
    line.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(10 * SECOND, line.read_to_end(&mut answer));
    read.await.expect("in time").expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[actix_web::test]
async fn the_listener_speaks_tls_and_says_so_to_who_does_not() {
    let site = Site::new(Engine::Sqlite).await;
    for name in [HOST, "127.0.0.1"] {
        let mut line = connected(&site, name).await.expect("a handshake");
        let answer = asked(&mut line, "/readyz").await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"),
            "{answer}"
        );
    }
    let refused = connected(&site, "other.test")
        .await
        .expect_err("a name it is not");
    assert!(refused.to_string().contains("certificate"), "{refused}");

    let host = site.program.url.strip_prefix("https://").expect("https");
    let mut line = TcpStream::connect(host).await.expect("a line");
    let answer = asked(&mut line, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        answer.contains("tls-needed") && answer.contains("https://"),
        "{answer}"
    );
    // Neither who says nothing nor who talks nonsense holds up the others.
    let _silent = TcpStream::connect(host).await.expect("a line");
    let mut nonsense = TcpStream::connect(host).await.expect("a line");
    nonsense
        .write_all(&[0x16, 3, 1, 0, 200, 9, 9, 9])
        .await
        .expect("sent");
    let mut line = connected(&site, HOST).await.expect("a handshake");
    assert!(asked(&mut line, "/livez").await.starts_with("HTTP/1.1 200"));
}

/// The certificate that who calls now is shown.
async fn shown(site: &Site) -> Vec<u8> {
    let line = connected(site, HOST).await.expect("a handshake");
    let chain = line.get_ref().1.peer_certificates().expect("a chain");
    chain.first().expect("a certificate").to_vec()
}

#[actix_web::test]
async fn new_files_of_the_certificate_are_taken_up_without_a_restart_and_bad_ones_are_not() {
    let mut site = Site::new(Engine::Sqlite).await;
    let mut open = connected(&site, HOST).await.expect("a handshake");
    let first = shown(&site).await;
    site.certificate.renew();
    let begun = std::time::Instant::now();
    let second = loop {
        let now = shown(&site).await;
        if now != first {
            break now;
        }
        assert!(begun.elapsed() < 30 * SECOND, "{}", site.program.said());
        tokio::time::sleep(SECOND / 5).await;
    };
    // A line that was open goes on.
    let answer = asked(&mut open, "/livez").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    std::fs::write(site.certificate.file("server.crt"), "no certificate").expect("written");
    let refused = |said: &str| {
        let mut lines = said.lines();
        let words = "the new certificate cannot be used";
        lines.any(|line| line.contains(words) && line.contains("holds no certificate"))
    };
    while !refused(&site.program.said()) {
        assert!(begun.elapsed() < 60 * SECOND, "{}", site.program.said());
        tokio::time::sleep(SECOND / 5).await;
    }
    assert_eq!(shown(&site).await, second, "the good one is kept");
    let mut line = connected(&site, HOST).await.expect("a handshake");
    let told = asked(&mut line, "/metrics").await;
    for sign in [
        "suyuan_tls_renewals_total{result=\"taken\"} 1",
        "suyuan_tls_renewals_total{result=\"refused\"} 1",
    ] {
        assert!(told.contains(sign), "{sign}: {told}");
    }
    let gauge = "suyuan_tls_certificate_expires_seconds ";
    let left = told.lines().find_map(|line| line.strip_prefix(gauge));
    let left: f64 = left.expect("a gauge").parse().expect("a number");
    let days = left / 86_400.0;
    assert!((800.0..=821.0).contains(&days), "{days} days");
}

#[actix_web::test]
async fn the_authority_is_offered_to_devices_and_named_by_their_tickets() {
    let site = Site::new(Engine::Sqlite).await;
    let mut line = connected(&site, HOST).await.expect("a handshake");
    let told = asked(&mut line, "/app/authority.json").await;
    let (_, body) = told.split_once("\r\n\r\n").expect("a body");
    let told: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let groups = told["groups"].as_str().expect("groups");
    let said = &site.certificate.said;
    let halves = groups.split_at(groups.len() / 2);
    assert!(
        said.contains(halves.0.trim()) && said.contains(halves.1.trim()),
        "{said}\n{groups}"
    );
    for words in ["words_zh", "words_en"] {
        assert!(
            said.contains(told[words].as_str().expect("words")),
            "{said}\n{told}"
        );
    }
    let mut line = connected(&site, HOST).await.expect("a handshake");
    let request =
        format!("GET /app/authority.crt HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
    line.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = Vec::new();
    line.read_to_end(&mut answer).await.expect("an answer");
    let authority = CertificateDer::from_pem_file(site.certificate.file("authority.crt"));
    assert!(
        answer.ends_with(&authority.expect("a certificate")),
        "the very certificate"
    );
}

#[actix_web::test]
async fn a_listener_that_leaves_ends_lines_that_wait_for_nothing() {
    let mut site = Site::new(Engine::Sqlite).await;
    let mut line = connected(&site, HOST).await.expect("a handshake");
    let request = format!("GET /livez HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    line.write_all(request.as_bytes()).await.expect("a request");
    let mut first = [0; 12];
    line.read_exact(&mut first).await.expect("an answer");
    site.program.signal("TERM");
    let begun = std::time::Instant::now();
    while !site.program.has_ended() {
        assert!(begun.elapsed() < 10 * SECOND, "it waits for the line");
        tokio::time::sleep(SECOND / 50).await;
    }
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(SECOND, line.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the line is over");
}

#[test]
fn what_cannot_serve_is_said_before_anything_is_changed() {
    let (ours, theirs) = (Certificate::new(), Certificate::new());
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().display().to_string();
    let mut settings = ours.settings();
    let other = theirs.file("server.key").display().to_string();
    settings.retain(|(key, _)| *key != "internal.tls_key");
    settings.push(("internal.tls_key", other));
    settings.push(("data_dir", folder));
    settings.push(("internal.listen", "127.0.0.1:0".to_owned()));
    settings.push(("public.listen", "127.0.0.1:0".to_owned()));
    let settings: Vec<_> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let (well, _, said) = run(&["serve"], &settings);
    assert!(
        !well && said.contains("internal.tls_key") && said.contains("is not the key"),
        "{said}"
    );
    assert!(
        !data.path().join("suyuan.db").exists(),
        "no database was made"
    );
    let half: Vec<_> = settings
        .iter()
        .filter(|(k, _)| *k != "internal.tls_key")
        .copied()
        .collect();
    let (well, _, said) = run(&["serve"], &half);
    assert!(!well && said.contains("go together"), "{said}");
}
