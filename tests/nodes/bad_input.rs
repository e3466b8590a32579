//! A public process under everything that no honest client sends, over and over: each is answered
//! as the README's table of limits says, and the process needs no more memory after the fiftieth
//! than after the fifth.

use crate::support::{Program, SECOND, Site, path_of};
use std::fmt::Write as _;
use suyuan_loadtest::photo::draw::Grey;
use suyuan_tests::migrated_postgres_database;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Rounds until caches are filled and pools are made.
const WARM: usize = 4;
/// Rounds that must cost no memory.
const ROUNDS: usize = 16;
/// What may come and go between two looks, in KiB: less than one of the pictures unpacked.
const SLACK: u64 = 12 * 1024;

/// A request as bytes, and what may come back: a status and the code of the problem, if there is a
/// body. A connection that is closed while it is still being written to may tell nothing.
struct Bad {
    what: &'static str,
    bytes: Vec<u8>,
    answers: &'static [&'static str],
}

fn bad(what: &'static str, answers: &'static [&'static str], bytes: Vec<u8>) -> Bad {
    Bad {
        what,
        bytes,
        answers,
    }
}

fn head(line: &str, headers: &str) -> Vec<u8> {
    format!("{line} HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n").into_bytes()
}

fn post(path: &str, media: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let headers = format!(
        "Accept: application/json\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n"
    );
    [&head(&format!("POST {path}"), &headers), body].concat()
}

/// A form with one picture.
fn photo(picture: &[u8]) -> Vec<u8> {
    let (before, after) = (
        "--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"p\"\r\n\r\n",
        "\r\n--b--\r\n",
    );
    let body = [before.as_bytes(), picture, after.as_bytes()].concat();
    post("/q/photo", "multipart/form-data; boundary=b", &body)
}

fn white(width: usize, height: usize) -> Vec<u8> {
    Grey::new(width, height, 255.0).png().expect("a picture")
}

/// A PNG of one pixel whose header claims more.
fn claims(width: u32, height: u32) -> Vec<u8> {
    let mut file = white(1, 1);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&file[12..29]);
    file[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    file
}

/// One round; `n` makes codes differ, so that nothing is answered from a cache.
fn round(tin: &str, n: usize) -> Vec<Bad> {
    const JSON: &str = "Accept: application/json\r\n";
    let get = |path: &str, headers: &str| head(&format!("GET {path}"), headers);
    let types = (0..300).fold(String::new(), |mut all, at| {
        let _ = write!(all, "&linkType=gs1:t{at}");
        all
    });
    let nested = format!(
        "{{\"version\":1,\"codes\":{}{}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    vec![
        bad(
            "a header of 200 kB",
            &["431"],
            get(tin, &format!("X: {}\r\n", "a".repeat(200_000))),
        ),
        bad("300 headers", &["431"], get(tin, &"X: y\r\n".repeat(300))),
        bad(
            "a query of a megabyte",
            &["431"],
            get(&format!("{tin}&x={}", "a".repeat(1 << 20)), JSON),
        ),
        bad(
            "a query of 60 kB",
            &["414 uri-too-long"],
            get(&format!("{tin}&x={}", "a".repeat(60_000)), JSON),
        ),
        bad(
            "a query of 100 kB",
            &["400"],
            get(&format!("{tin}&x={}", "a".repeat(100_000)), JSON),
        ),
        bad(
            "300 link types",
            &["414 uri-too-long"],
            get(&format!("{tin}{types}"), JSON),
        ),
        bad(
            "5000 media types",
            &["307"],
            get(
                tin,
                &format!("Accept: {}x/y\r\n", "a/b;q=0.5,".repeat(5_000)),
            ),
        ),
        bad(
            "5000 languages",
            &["200"],
            get(
                tin,
                &format!("{JSON}Accept-Language: {}en\r\n", "zz;q=0.5,".repeat(5_000)),
            ),
        ),
        bad(
            "a code of an unknown issuer",
            &["404"],
            get(&format!("/01/06901234567892/21/{n}"), JSON),
        ),
        bad(
            "an unknown key",
            &["400 malformed-code"],
            get(&format!("/9999/{n}"), JSON),
        ),
        bad(
            "a guessed serial",
            &["404"],
            get(&format!("/01/09521234000013/21/{n:014}"), JSON),
        ),
        bad(
            "a host that is none",
            &["200", "400"],
            format!(
                "GET {tin} HTTP/1.1\r\nHost: evil.example\"><x>\r\nX-Forwarded-Host: {}\r\n{JSON}\
                 Connection: close\r\n\r\n",
                "evil.".repeat(1_000)
            )
            .into_bytes(),
        ),
        bad(
            "deep JSON",
            &["400 malformed-body"],
            post("/v1/public/lookups", "application/json", nested.as_bytes()),
        ),
        bad(
            "JSON of 2 MB",
            &["413 too-large"],
            post(
                "/v1/public/lookups",
                "application/json",
                &vec![b'{'; 2 << 20],
            ),
        ),
        bad(
            "a picture that claims 3.6 gigapixels",
            &["413 picture-too-large"],
            photo(&claims(60_000, 60_000)),
        ),
        bad(
            "a picture of 13 megapixels in 20 kB",
            &["413 picture-too-large"],
            photo(&white(4_000, 3_200)),
        ),
        bad(
            "half a picture",
            &["422 picture-unreadable"],
            photo(&white(2_000, 2_000)[..1_000]),
        ),
        bad(
            "a picture of 6 MB",
            &["413 too-large"],
            photo(&vec![0xff; 6 << 20]),
        ),
    ]
}

/// Sends it and tells what came back: `404`, or `413 too-large`; nothing where nothing came.
async fn answered(url: &str, bytes: &[u8]) -> String {
    let host = url.strip_prefix("http://").expect("http");
    let exchange = async {
        let mut stream = TcpStream::connect(host).await.ok()?;
        // Who is refused early may be cut while still speaking.
        let _ = stream.write_all(bytes).await;
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
        let text = String::from_utf8_lossy(&all).into_owned();
        let status = text.split(' ').nth(1)?.to_owned();
        let code = text.split_once("\"code\":\"").and_then(|(before, rest)| {
            let problem = before.contains("urn:suyuan:problem:");
            rest.split('"').next().filter(|_| problem)
        });
        Some(code.map_or(status.clone(), |code| format!("{status} {code}")))
    };
    let answer = tokio::time::timeout(20 * SECOND, exchange).await;
    answer.expect("an answer in time").unwrap_or_default()
}

#[actix_web::test]
async fn everything_bad_is_refused_by_name_and_memory_stays_flat() {
    let (site, demo) = Site::with_world(migrated_postgres_database().await).await;
    let public: Program = site.public(&[]).await;
    let tin = path_of(&demo.codes.legal[0]);
    let mut after_warming = 0;
    for n in 0..WARM + ROUNDS {
        for one in round(tin, n) {
            let said = answered(&public.url, &one.bytes).await;
            let in_order = said.is_empty() || one.answers.contains(&said.as_str());
            assert!(in_order, "{}: {said:?}, not {:?}", one.what, one.answers);
        }
        if n + 1 == WARM {
            after_warming = public.resident_kib();
        }
    }
    let at_last = public.resident_kib();
    println!("{after_warming} KiB, after {ROUNDS} rounds more {at_last} KiB");
    assert!(
        at_last < after_warming + SLACK,
        "grew from {after_warming} to {at_last} KiB in {ROUNDS} rounds"
    );
    assert_eq!(public.scan(tin).await, "200 legal ok");
    // Nobody fills the log with it.
    let said = public.said();
    let lines = said.lines().filter(|line| line.contains("ERROR"));
    assert_eq!(lines.collect::<Vec<_>>(), [""; 0]);
}
