//! Bombs, and clients that take their time over a push: memory stays bounded, others are served.

use crate::{
    programs::Program,
    scene::sale,
    site::{Installation, alone, seed},
};
use flate2::{Compression, write::GzEncoder};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{io::Write, time::Duration};
use suyuan_sync::wire::TYP_PUSH;
use suyuan_tests::{Engine, Handheld, pda::Dice};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// What a server may grow by, in KiB.
const GROWTH_MAX: u64 = 160 * 1024;

async fn served(device: &mut Handheld, tin: &String) {
    let event = device.event("sale", &sale(&[tin]));
    device.push(&[event]).await;
}

fn grown(server: &Program, before: u64) -> u64 {
    server.resident_kib().saturating_sub(before)
}

#[actix_web::test]
async fn bombs_at_the_program_itself() {
    const AT_ONCE: usize = 24;
    let _alone = alone();
    seed();
    let (site, mut devices) = Box::pin(Installation::new(Engine::Sqlite, 1)).await;
    let server = site.start().await;
    let mut device = devices.remove(0).copy(&server.url);
    served(&mut device, &site.tins[0]).await;
    let before = server.resident_kib();
    let (first, prev) = (device.next, device.head());
    let token = device.key.token(TYP_PUSH, &device.claims(first, prev, &[]));
    let gzip = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b' '; 900 << 20]).expect("memory");
        encoder.finish().expect("memory")
    };
    assert!(gzip.len() < 1 << 20);
    // A frame of Zstandard that wants 3 GiB to look back in.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3 | 4, 1, 0, 0];
    let frame = device.frame(first, prev, &[]);
    let with = |name: &str, value: Value| {
        let mut frame = frame.clone();
        frame[name] = value;
        frame.to_string().into_bytes()
    };
    let deep = |open: &str, shut: &str| open.repeat(480_000 / open.len()) + &shut.repeat(1000);
    let bombs: Vec<(&str, &str, Vec<u8>, u16)> = vec![
        ("gzip", "gzip", gzip, 413),
        ("window", "zstd", window.to_vec(), 413),
        ("deep lists", "", deep("[", "]").into_bytes(), 400),
        ("deep objects", "", deep("{\"a\":", "}").into_bytes(), 400),
        ("2^63", "", with("first_seq", json!(1_u64 << 63)), 400),
        ("2^64", "", with("first_seq", json!(1.8e19)), 400),
        ("many", "", with("events", json!(vec!["{}"; 100_000])), 413),
    ];
    for (name, encoding, body, status) in &bombs {
        let sending = (0..AT_ONCE).map(|_| device.send(&token, encoding, body.clone()));
        for answer in join_all(sending).await {
            assert_eq!(answer.status, *status, "{name}: {}", answer.text());
        }
        println!(
            "{name}: {AT_ONCE} at once of {} bytes: {status}, memory grew by {} KiB so far",
            body.len(),
            grown(&server, before)
        );
    }
    // An event that is one: kept, set aside, and the frame is fine.
    let deep_event = device.make(deep("[", "]")[..200_000].to_owned());
    let answer = device.push(&[deep_event]).await;
    assert_eq!(answer.results[0].code.as_deref(), Some("UNREADABLE"));
    let grew = grown(&server, before);
    assert!(grew < GROWTH_MAX, "{grew} KiB");
    served(&mut device, &site.tins[1]).await;
}

/// More than all memory for pushes, announced and sent but for the last byte: by somebody without a key,
/// by somebody who knows which devices there are, and by a device that is known but out of hand.
#[actix_web::test]
async fn connections_that_hold_what_they_send() {
    const HOLDING: usize = 270;
    const BODY: usize = 1_048_000;
    let _alone = alone();
    seed();
    let (site, mut devices) = Box::pin(Installation::new(Engine::Sqlite, 2)).await;
    let server = site.start().await;
    let mut good = devices.remove(0).copy(&server.url);
    let bad = devices.remove(0).copy(&server.url);
    served(&mut good, &site.tins[0]).await;
    let host = server.url.strip_prefix("http://").expect("http").to_owned();
    let own = bad.key.token(TYP_PUSH, &bad.claims(1, bad.head(), &[]));
    let (said, _) = own.rsplit_once('.').expect("a token");
    let forged = format!("{said}.{}", "A".repeat(86));
    for (who, token) in [("no key", "x"), ("a forger", &*forged), ("a device", &*own)] {
        let before = server.resident_kib();
        let head = format!(
            "POST /v1/sync/push HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            BODY + 1
        );
        let mut streams = Vec::new();
        for _ in 0..HOLDING {
            let Ok(mut stream) = TcpStream::connect(&host).await else {
                continue;
            };
            // Whoever is refused is not listened to any more.
            let sent = async {
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&vec![b' '; BODY]).await
            };
            let _ = tokio::time::timeout(Duration::from_secs(2), sent).await;
            streams.push(stream);
        }
        served(&mut good, &site.tins[1]).await;
        let grew = grown(&server, before);
        println!(
            "{} connections of {who}: memory grew by {grew} KiB",
            streams.len()
        );
        assert!(grew < GROWTH_MAX, "{who}: {grew} KiB");
    }
}

#[actix_web::test]
async fn clients_that_drip_their_pushes() {
    const DRIPPING: usize = 400;
    let _alone = alone();
    let mut dice = Dice::new(seed());
    let (site, mut devices) = Box::pin(Installation::new(Engine::Sqlite, 1)).await;
    let server = site.start().await;
    let mut device = devices.remove(0).copy(&server.url);
    served(&mut device, &site.tins[0]).await;
    let before = server.resident_kib();
    let host = server.url.strip_prefix("http://").expect("http").to_owned();
    let token = device
        .key
        .token(TYP_PUSH, &device.claims(2, device.head(), &[]));
    let head = format!(
        "POST /v1/sync/push HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
    );
    let mut streams = Vec::new();
    for _ in 0..DRIPPING {
        let Ok(mut stream) = TcpStream::connect(&host).await else {
            continue;
        };
        if stream.write_all(head.as_bytes()).await.is_ok() {
            streams.push(stream);
        }
    }
    let began = std::time::Instant::now();
    let mut most = 0;
    let mut slowest = Duration::ZERO;
    // A twentieth of what they announce, in drops; others go on selling.
    for drop in 0..5 {
        for stream in &mut streams {
            let _ = stream.write_all(&[b' '; 10_000]).await;
        }
        most = most.max(grown(&server, before));
        let asked = std::time::Instant::now();
        served(&mut device, &site.tins[drop + 1]).await;
        slowest = slowest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(100 + dice.roll(50))).await;
    }
    println!(
        "{} clients dripped for {:?}: memory grew by {most} KiB at most, the slowest sale meanwhile \
         {slowest:?}",
        streams.len(),
        began.elapsed()
    );
    assert!(most < GROWTH_MAX, "{most} KiB");
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
}
