//! `doctor --conformance`: all green against this resolver but for what loopback cannot show, and
//! red against one that gets things wrong.

use super::Stage;
use suyuan::doctor::{Outcome, examine};
use suyuan_tests::on_both;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

on_both!(the_doctor_finds_this_resolver_conformant, |app| {
    let stage = Stage::set(app).await;
    for path in [&stage.tin, &stage.product, &stage.batch] {
        let report = examine(&stage.url(path)).await.expect("an address");
        let not_green: Vec<&str> = report
            .checks
            .iter()
            .filter(|check| check.outcome != Outcome::Pass)
            .map(|check| check.id.as_str())
            .collect();
        assert_eq!(not_green, ["isHttps", "tlsOK"], "{report}");
        assert!(report.conformant);
        let numbers: Vec<u8> = report.checks.iter().map(|check| check.no).collect();
        for no in 1..=29 {
            assert!(numbers.contains(&no), "check {no} was not made:\n{report}");
        }
    }
    stage.app.stop().await;
});

on_both!(the_doctor_finds_a_code_that_is_not_there_wanting, |app| {
    app.world().await;
    let url = format!("{}/01/06901234567892", app.public_url);
    let report = examine(&url).await.expect("an address");
    assert!(!report.conformant, "{report}");
    app.stop().await;
});

/// A resolver that answers everything with 200 and a linkset no schema would take.
async fn quack() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = vec![0; 8192];
                let _ = stream.read(&mut head).await;
                let body = r#"{"@context":"x","linkset":{"gs1:pip":[{"target":"y"}]}}"#;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nLink: <x>; rel=\"gs1:pip\"\r\n\
                     Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    format!("http://{host}/01/09521234000013")
}

#[actix_web::test]
async fn the_doctor_is_not_fooled_by_a_server_that_says_yes_to_everything() {
    let report = examine(&quack().await).await.expect("an address");
    assert!(!report.conformant);
    let failed: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.outcome == Outcome::Fail)
        .map(|check| check.id.as_str())
        .collect();
    assert_eq!(
        failed,
        [
            "rdFile",
            "corsCheck",
            "methodsCheck",
            "reportWith400",
            "noErrorWith200",
            "validLinkset",
            "declaredContentType",
            "specificLinkTypeNotFound",
        ],
        "{report}"
    );
    // The same as one object for programs.
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["conformant"], false);
    assert_eq!(
        json["checks"].as_array().map(Vec::len),
        Some(report.checks.len())
    );
}

#[actix_web::test]
async fn a_host_that_does_not_answer_is_told_check_by_check() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = listener.local_addr().expect("an address");
    drop(listener);
    let report = examine(&format!("http://{host}/01/09521234000013"))
        .await
        .expect("an address");
    assert!(!report.conformant);
    assert!(report.to_string().contains("NOT conformant"));
    assert!(examine("not an address").await.is_err());
}

#[actix_web::test]
async fn over_https_the_certificate_must_be_good() {
    // This one speaks no TLS at all: what comes back is told, and nothing passes by accident.
    let url = quack().await.replacen("http:", "https:", 1);
    let report = examine(&url).await.expect("an address");
    let tls = report
        .checks
        .iter()
        .find(|check| check.id == "tlsOK")
        .expect("a check");
    assert_eq!(tls.outcome, Outcome::Fail, "{report}");
    assert!(!report.conformant);
}
