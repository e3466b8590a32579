//! Devices on slow lines: a body that takes longer than an answer may is waited for as long as it keeps
//! coming, and no longer.

use crate::scene::{Scene, inbound};
use std::time::{Duration, Instant};
use suyuan_sync::wire::TYP_PUSH;
use suyuan_tests::{Handheld, TestApp, on_both};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

const SECOND: Duration = Duration::from_secs(1);

/// A push as it goes over the line: its head, and its body.
fn request(device: &mut Handheld, scene: &Scene) -> (String, Vec<u8>) {
    let prev = device.head();
    let events = [device.event("inbound", &inbound(&[&scene.tins[0]]))];
    let claims = device.claims(1, prev, &events);
    let token = device.key.token(TYP_PUSH, &claims);
    let body = device.frame(1, prev, &events).to_string().into_bytes();
    let head = format!(
        "POST /v1/sync/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head, body)
}

async fn connect(app: &TestApp) -> TcpStream {
    let host = app.internal_url.strip_prefix("http://").expect("http");
    TcpStream::connect(host).await.expect("a connection")
}

/// The answer, whole or as far as it came until the line was cut.
async fn heard(line: &mut TcpStream) -> String {
    let mut answer = vec![0; 16 * 1024];
    let mut known = 0;
    loop {
        let read = timeout(25 * SECOND, line.read(&mut answer[known..])).await;
        match read.expect("an answer").unwrap_or(0) {
            0 => break,
            some => known += some,
        }
        let text = String::from_utf8_lossy(&answer[..known]);
        if text.contains("\r\n\r\n") && text.trim_end().ends_with('}') {
            break;
        }
    }
    String::from_utf8_lossy(&answer[..known]).into_owned()
}

on_both!(a_slow_line_is_waited_for_while_it_brings_something, |app| {
    let scene = Scene::of(&app).await;
    let mut slow = scene.device(&app, &scene.store).await;
    let mut still = scene.device(&app, &scene.store).await;
    let (head, body) = request(&mut slow, &scene);
    let dripping = async {
        let mut line = connect(&app).await;
        line.write_all(head.as_bytes()).await.expect("a head");
        // Longer than any answer may take.
        for piece in body.chunks(body.len().div_ceil(18)) {
            sleep(SECOND).await;
            line.write_all(piece).await.expect("a piece");
        }
        heard(&mut line).await
    };
    let (head, body) = request(&mut still, &scene);
    let stopping = async {
        let mut line = connect(&app).await;
        line.write_all(head.as_bytes()).await.expect("a head");
        line.write_all(&body[..body.len() / 2]).await.expect("half");
        let begun = Instant::now();
        (heard(&mut line).await, begun.elapsed())
    };
    let (came, (stopped, took)) = tokio::join!(dripping, stopping);
    assert!(came.starts_with("HTTP/1.1 200"), "{came}");
    assert!(came.contains("\"contiguous_seq\":1"), "{came}");
    assert!(stopped.starts_with("HTTP/1.1 408"), "{stopped}");
    assert!(stopped.contains("too-slow"), "{stopped}");
    assert!(
        stopped.to_lowercase().contains("connection: close"),
        "{stopped}"
    );
    assert!(took >= 14 * SECOND && took < 20 * SECOND, "{took:?}");
    // What was given up filled nothing.
    assert_eq!(still.status().await.contiguous_seq, 0);
    app.stop().await;
});
