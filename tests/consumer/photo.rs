//! Photos sent to `/q/photo`: what a person and a program get, and that no picture, however made,
//! takes more than its share.

use crate::{
    on_each,
    support::{path_of, query_log, until},
};
use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use suyuan::{
    photo::{cascade, grey::Grey, worker::MEMORY_MAX},
    queries::Channel,
};
use suyuan_loadtest::photo::labels;
use suyuan_tests::{
    Answer, Engine, TestApp,
    caller::Method,
    form::{FORM, form},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const READER: &str = env!("CARGO_BIN_EXE_photo_reader");
const SECOND: Duration = Duration::from_secs(1);

/// Builds are slow and machines busy here: a reader gets more time than in life.
async fn spawn(engine: Engine) -> TestApp {
    let flags = [("photo.reader", READER), ("photo.read_ms", "20000")];
    TestApp::spawn_with(engine, &flags).await
}

async fn send(app: &TestApp, accept: &str, content_type: &str, body: Vec<u8>) -> Answer {
    let headers = [("accept", accept), ("content-type", content_type)];
    let consumer = app.consumer();
    consumer
        .send(Method::POST, "/q/photo?lang=en", &headers, body)
        .await
}

/// As a program sends a photo.
async fn sent(app: &TestApp, picture: &[u8]) -> Answer {
    let body = form(&[("photo", picture)]);
    send(app, "application/json", FORM, body).await
}

/// As a browser sends a photo: the other of the form's two fields is empty.
async fn shown(app: &TestApp, picture: &[u8]) -> Answer {
    let body = form(&[("photo", b""), ("photo", picture)]);
    send(app, "text/html", FORM, body).await
}

fn printed(texts: &[&str]) -> Vec<u8> {
    labels::print(texts, 5).png().expect("a picture")
}

fn blank(width: usize, height: usize) -> Vec<u8> {
    suyuan_loadtest::photo::draw::Grey::new(width, height, 255.0)
        .png()
        .expect("a picture")
}

/// A PNG of one pixel whose header claims more.
fn claims(width: u32, height: u32) -> Vec<u8> {
    let mut file = blank(1, 1);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&file[12..29]);
    file[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    file
}

/// Hundreds of finder patterns: both decoders try their combinations, which takes them minutes.
fn tiles(width: usize, height: usize) -> Vec<u8> {
    let mut picture = suyuan_loadtest::photo::draw::Grey::new(width, height, 255.0);
    for y in (4..height - 14).step_by(18) {
        for x in (4..width - 14).step_by(18) {
            let (x, y) = (x as f32, y as f32);
            picture.fill(x, y, 14.0, 14.0, 0.0);
            picture.fill(x + 2.0, y + 2.0, 10.0, 10.0, 255.0);
            picture.fill(x + 4.0, y + 4.0, 6.0, 6.0, 0.0);
        }
    }
    picture.png().expect("a picture")
}

on_each!(one_code_is_answered_as_its_scan_is, |engine| {
    let app = spawn(engine).await;
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let picture = printed(&[tin]);
    let answer = sent(&app, &picture).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let codes = answer.json()["codes"].clone();
    assert_eq!(codes.as_array().map(Vec::len), Some(1), "{codes}");
    assert_eq!(codes[0]["status"], 200);
    let mut scanned = app.consumer().scan(path_of(tin)).await.json();
    let mut told = codes[0]["answer"].clone();
    for volatile in ["as_of", "queries"] {
        scanned[volatile].take();
        told[volatile].take();
    }
    assert_eq!(told, scanned);
    // A person goes straight to the page, with all that the code says.
    let answer = shown(&app, &picture).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = answer.header("location");
    let between = if tin.contains('?') { '&' } else { '?' };
    assert_eq!(page, format!("/p{}{between}lang=en", path_of(tin)));
    assert_eq!(app.consumer().page(page).await.status, 200);
    app.stop().await;
});

on_each!(every_code_in_a_photo_is_answered, |engine| {
    let app = spawn(engine).await;
    let demo = app.world().await;
    let (tin, recalled) = (&demo.codes.legal[0], &demo.codes.recalled[0]);
    let foreign = "https://pay.example/transfer?to=42";
    let twice = tin.replace("http://", "https://other.host.");
    let picture = printed(&[tin, foreign, recalled, &twice]);

    let answer = sent(&app, &picture).await;
    let codes = answer.json()["codes"].clone();
    let mut said: Vec<String> = codes
        .as_array()
        .expect("a list")
        .iter()
        .map(|code| {
            let advice = &code["answer"]["advice"];
            format!("{} {advice} {}", code["status"], code["problem"]["code"])
        })
        .collect();
    said.sort_unstable();
    let expected = [
        "200 \"ok\" null",
        "200 \"stop\" null",
        "400 null \"malformed-code\"",
    ];
    assert_eq!(said, expected, "{codes}");
    assert!(!answer.text().contains("pay.example"), "{codes}");

    let page = shown(&app, &picture).await;
    assert_eq!(page.status, 200);
    let html = page.text();
    for url in [tin, recalled] {
        let link = format!(
            "href=\"/p{}",
            path_of(url).split('?').next().expect("a path")
        );
        assert_eq!(html.matches(&link).count(), 1, "{html}");
    }
    assert!(
        !html.contains("pay.example") && !html.contains("<script"),
        "{html}"
    );

    // Two queries of each, under the photo's own channel.
    let noted = || async {
        let all = query_log(&app).await;
        all.len() == 4 && all.iter().all(|one| one.manner.channel == Channel::Photo)
    };
    until("four noted queries", 5 * SECOND, noted).await;
    app.stop().await;
});

#[actix_web::test]
async fn a_photo_without_a_trace_code_leads_back_to_the_form() {
    let app = spawn(Engine::Sqlite).await;
    let white = blank(300, 200);
    assert_eq!(sent(&app, &white).await.problem(), "no-code-found");
    let foreign = printed(&["https://pay.example/<script>"]);
    let codes = sent(&app, &foreign).await.json();
    assert_eq!(codes["codes"][0]["problem"]["code"], "malformed-code");
    for picture in [&white, &foreign] {
        let page = shown(&app, picture).await;
        assert_eq!(page.status, 422);
        let html = page.text();
        assert!(html.contains("id=\"photo-fault\""), "{html}");
        assert!(html.contains("action=\"/q/photo?lang=en\""), "{html}");
        assert!(!html.contains("pay.example"), "{html}");
    }
    // Whoever comes back to the address without a photo gets the form as well.
    let back = app.consumer().page("/q/photo?lang=en").await;
    assert_eq!((back.status, back.header("location")), (303, "/q?lang=en"));
    let consumer = app.consumer();
    let put = consumer
        .send(Method::PUT, "/q/photo", &[], Vec::new())
        .await;
    assert_eq!((put.status, put.header("allow")), (405, "POST"));
    app.stop().await;
}

#[actix_web::test]
async fn what_is_no_photo_is_refused_by_name() {
    let app = spawn(Engine::Sqlite).await;
    let whole = printed(&["https://id.example.cn/01/06901234567892/21/A"]);
    let cut = &whole[..whole.len() / 2];
    let five = vec![0xff; 5 * 1024 * 1024];
    let pictures: [(&[u8], &str); 8] = [
        (b"GIF89a\x01\0\x01\0", "415 not-a-picture"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "415 not-a-picture",
        ),
        (&claims(60_000, 60_000), "413 picture-too-large"),
        (&claims(u32::MAX >> 1, 1), "413 picture-too-large"),
        (&blank(4_000, 3_200), "413 picture-too-large"),
        (cut, "422 picture-unreadable"),
        (&five, "413 too-large"),
        (b"", "400 malformed-body"),
    ];
    for (picture, expected) in pictures {
        let answer = sent(&app, picture).await;
        assert_eq!(format!("{} {}", answer.status, answer.problem()), expected);
        // A person is told on the form itself.
        let page = shown(&app, picture).await;
        assert_eq!(page.status, answer.status, "{expected}");
        assert!(page.text().contains("id=\"photo-fault\""), "{expected}");
    }
    let photo = ("photo", &whole[..]);
    let bodies: [(&str, Vec<u8>, &str); 7] = [
        (FORM, form(&[photo, photo]), "400 malformed-body"),
        (FORM, form(&[photo, ("more", b"x")]), "400 malformed-body"),
        (FORM, form(&[]), "400 malformed-body"),
        (FORM, form(&[photo])[..500].to_vec(), "400 malformed-body"),
        (FORM, b"nonsense".to_vec(), "400 malformed-body"),
        ("multipart/form-data", form(&[photo]), "400 malformed-body"),
        ("image/png", whole.clone(), "415 unsupported-media-type"),
    ];
    for (content_type, body, expected) in bodies {
        let answer = send(&app, "application/json", content_type, body).await;
        assert_eq!(format!("{} {}", answer.status, answer.problem()), expected);
    }
    app.stop().await;
}

/// The largest white picture that is read: a few thousand bytes that become megabytes.
#[actix_web::test]
async fn the_largest_picture_is_read_in_time() {
    let app = spawn(Engine::Sqlite).await;
    let bomb = blank(4_096, 3_072);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert_eq!(sent(&app, &bomb).await.problem(), "no-code-found");
    app.stop().await;
}

#[actix_web::test]
async fn a_picture_made_to_keep_a_decoder_busy_costs_its_own_reader_only() {
    let flags = [("photo.reader", READER), ("photo.read_ms", "1500")];
    let app = TestApp::spawn_with(Engine::Sqlite, &flags).await;
    let demo = app.world().await;
    let picture = tiles(1_600, 1_200);
    let started = Instant::now();
    let sending = async {
        let answer = sent(&app, &picture).await;
        assert_eq!(answer.problem(), "no-code-found");
        started.elapsed()
    };
    let scanning = async {
        tokio::time::sleep(SECOND / 2).await;
        let asked = Instant::now();
        let answer = app.consumer().scan(path_of(&demo.codes.legal[0])).await;
        assert_eq!(answer.status, 200);
        asked.elapsed()
    };
    let (sent_in, scanned_in) = tokio::join!(sending, scanning);
    assert!(
        sent_in >= SECOND,
        "the picture is not hostile any more: {sent_in:?}"
    );
    assert!(sent_in < 5 * SECOND, "{sent_in:?}");
    assert!(scanned_in < SECOND, "{scanned_in:?}");
    app.stop().await;
}

#[actix_web::test]
async fn too_many_photos_at_once_are_told_to_come_again() {
    let flags = [("photo.reader", READER), ("photo.read_ms", "1500")];
    let app = TestApp::spawn_with(Engine::Sqlite, &flags).await;
    let picture = tiles(1_600, 1_200);
    let started = Instant::now();
    let all = (0..24).map(|_| sent(&app, &picture));
    let answers = futures_util::future::join_all(all).await;
    assert!(started.elapsed() < 15 * SECOND, "{:?}", started.elapsed());
    let (mut read, mut turned_away) = (0, 0);
    for answer in &answers {
        match answer.problem().as_str() {
            "no-code-found" => read += 1,
            "unavailable" => {
                turned_away += 1;
                assert!(!answer.header("retry-after").is_empty());
            }
            other => panic!("{other}"),
        }
    }
    assert!(
        read >= 2 && turned_away >= 8,
        "{read} read, {turned_away} turned away"
    );
    app.stop().await;
}

#[actix_web::test]
async fn an_upload_that_does_not_end_is_given_up() {
    let flags = [("photo.reader", READER), ("photo.upload_ms", "600")];
    let app = TestApp::spawn_with(Engine::Sqlite, &flags).await;
    let host = app.public_url.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    let body = form(&[("photo", &blank(100, 100))]);
    let head = format!(
        "POST /q/photo HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\n\
         content-type: {}\r\ncontent-length: {}\r\n\r\n",
        FORM,
        body.len()
    );
    let started = Instant::now();
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.write_all(&body[..100]).await.expect("sent");
    let mut said = vec![0; 4096];
    let got = tokio::time::timeout(5 * SECOND, stream.read(&mut said));
    let got = got.await.expect("an answer in time").expect("an answer");
    let said = String::from_utf8_lossy(&said[..got]);
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    assert!(said.contains("too-slow"), "{said}");
    assert!(started.elapsed() < 3 * SECOND, "{:?}", started.elapsed());
    app.stop().await;
}

/// The kernel holds a reader to its memory and its time, whatever a decoder tries.
#[test]
fn a_reader_takes_its_limits_before_it_reads() {
    let mut reader = Command::new(READER)
        .args(["read-photo", "--within-ms", "4000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a reader");
    let limits = format!("/proc/{}/limits", reader.id());
    let limit = |name: &str| {
        let text = std::fs::read_to_string(&limits).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name));
        let number = line.and_then(|line| line[name.len()..].split_whitespace().next());
        number.unwrap_or_default().to_owned()
    };
    let started = Instant::now();
    while limit("Max address space") != MEMORY_MAX.to_string() {
        assert!(started.elapsed() < 5 * SECOND, "no limit of memory");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(limit("Max cpu time"), "5");
    assert_eq!(limit("Max file size"), "0");
    drop(reader.stdin.take());
    reader.wait().expect("its end");
}

/// The canonical set is read by `suyuan-loadtest photo`; this smaller one fails first.
#[test]
fn hard_labels_are_decoded() {
    let set = labels::labels(20_260_101, 2);
    let mut missed = Vec::new();
    for label in &set {
        let picture = &label.picture;
        let grey = Grey {
            width: picture.width,
            height: picture.height,
            levels: picture.levels(),
        };
        let mut texts = Vec::new();
        cascade::read(&grey, || false, |text| texts.push(text.to_owned()));
        if texts != [label.text.as_str()] {
            missed.push((label.trouble.name(), texts));
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}
