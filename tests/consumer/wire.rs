//! Bad requests at the consumers' door: broken, hostile, endless. Each is refused cleanly, and
//! nobody else notices.

use crate::support::{View, path_of, raw, raw_one, told, verdict};
use std::time::{Duration, Instant};
use suyuan_tests::{TestApp, on_both};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const JSON: &str = "Accept: application/json\r\n";

/// Nothing that was sent before may matter.
async fn still_well(app: &TestApp, tin: &str) {
    assert_eq!(verdict(app, tin).await, "200 legal ok");
}

on_both!(broken_requests_get_a_clean_refusal, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let with = |line: &str, rest: &str| {
        format!("{line}\r\nHost: x\r\n{JSON}{rest}Connection: close\r\n\r\n").into_bytes()
    };
    let line = |line: &str| with(line, "");
    let header = |rest: &str| with(&format!("GET {tin} HTTP/1.1"), rest);
    let bare = |text: String| text.into_bytes();
    let headers = |n| "X-Again: y\r\n".repeat(n);
    let languages = format!("Accept-Language: {}en\r\n", "zz;q=0.5,".repeat(11_000));
    let lengths = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
    let not_text = [
        b"GET /01/\xff\xfe\x80 HTTP/1.1\r\n",
        &b"Host: x\r\n\r\n"[..],
    ]
    .concat();
    // Bytes, and the statuses that are in order; 0: closed without a word.
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("sixty headers", header(&headers(60)), &[200]),
        ("hundreds of headers", header(&headers(300)), &[400, 431]),
        ("100 kB of languages", header(&languages), &[200, 431]),
        (
            "a huge header",
            header(&format!("X: {}\r\n", "a".repeat(200_000))),
            &[400, 431, 0],
        ),
        (
            "70 kB of path",
            line(&format!("GET /01/{} HTTP/1.1", "9".repeat(70_000))),
            &[400, 414, 0],
        ),
        (
            "an absolute target",
            line(&format!("GET http://evil.example{tin} HTTP/1.1")),
            &[200],
        ),
        (
            "one with a user",
            line(&format!("GET http://a:b@evil.example:1{tin} HTTP/1.1")),
            &[200],
        ),
        (
            "a fragment",
            line(&format!("GET {tin}#/01/x HTTP/1.1")),
            &[200, 400],
        ),
        ("bytes that are no text", not_text, &[400, 404, 0]),
        (
            "Chinese in the path",
            line("GET /01/婴儿 HTTP/1.1"),
            &[400, 404, 0],
        ),
        (
            "Chinese in the query",
            line(&format!("GET {tin}&x=婴儿 HTTP/1.1")),
            &[200, 400, 0],
        ),
        (
            "HTTP/1.0",
            bare(format!("GET {tin} HTTP/1.0\r\n{JSON}\r\n")),
            &[200],
        ),
        (
            "HTTP/1.1 without Host",
            bare(format!("GET {tin} HTTP/1.1\r\n{JSON}\r\n")),
            &[200, 400],
        ),
        ("two Hosts", header("Host: evil.example\r\n"), &[200, 400]),
        (
            "HTTP/2.0",
            line(&format!("GET {tin} HTTP/2.0")),
            &[400, 505, 0],
        ),
        (
            "HTTP/9.9",
            line(&format!("GET {tin} HTTP/9.9")),
            &[400, 505, 0],
        ),
        ("no version", bare(format!("GET {tin}\r\n\r\n")), &[400, 0]),
        (
            "HTTP/2's preface",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            &[400, 405, 505, 0],
        ),
        (
            "a small-letter method",
            line(&format!("get {tin} HTTP/1.1")),
            &[400, 405, 501],
        ),
        (
            "an unknown method",
            line(&format!("BREW {tin} HTTP/1.1")),
            &[400, 405, 501],
        ),
        (
            "a method of nothing",
            line(&format!(" {tin} HTTP/1.1")),
            &[400, 0],
        ),
        ("GET *", line("GET * HTTP/1.1"), &[400, 404]),
        (
            "OPTIONS *",
            line("OPTIONS * HTTP/1.1"),
            &[200, 400, 404, 405],
        ),
        (
            "CONNECT",
            line("CONNECT evil.example:443 HTTP/1.1"),
            &[400, 404, 405, 501],
        ),
        (
            "TRACE",
            with(&format!("TRACE {tin} HTTP/1.1"), "X-Secret: s\r\n"),
            &[405, 501],
        ),
        (
            "a target without a slash",
            line("GET 01/1 HTTP/1.1"),
            &[400, 404],
        ),
        (
            "a space in the target",
            line("GET /01/1 2 HTTP/1.1"),
            &[400, 0],
        ),
        (
            "a header without a colon",
            header("nonsense\r\n"),
            &[400, 0],
        ),
        (
            "a folded header",
            header("X-A: b\r\n c\r\n"),
            &[200, 400, 0],
        ),
        ("a zero in a header", header("X-A: b\0c\r\n"), &[400, 0]),
        ("a space before the colon", header("X-A : b\r\n"), &[400, 0]),
        (
            "two lengths",
            header("Content-Length: 0\r\nContent-Length: 5\r\n"),
            &[400, 0],
        ),
        ("length and chunks", header(lengths), &[200, 400, 0]),
        (
            "a negative length",
            header("Content-Length: -1\r\n"),
            &[400, 0],
        ),
        (
            "garbage",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
            &[400, 0],
        ),
        (
            "only line ends",
            b"\r\n\r\n\r\n\r\n".to_vec(),
            &[400, 408, 0],
        ),
    ];
    let mut wrong = Vec::new();
    for (what, bytes, allowed) in &cases {
        let answer = raw_one(&app, bytes).await;
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        println!("{what}: {}", answer.as_ref().map_or("closed".into(), told));
        if !allowed.contains(&status) {
            wrong.push(format!("{what}: {status}, not {allowed:?}"));
        }
        if let Some(answer) = &answer {
            let text = answer.text();
            assert!(
                !text.contains("evil") && !text.contains("X-Secret"),
                "{what}: {text}"
            );
            if status == 200 {
                assert_eq!(View::of(answer).verdict(), "legal ok", "{what}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    still_well(&app, tin).await;
    app.stop().await;
});

on_both!(a_hostile_host_never_appears_in_an_answer, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let hosts = [
        "evil.example",
        "evil.example\"><script>x</script>",
        "evil.example:1/..//",
        "EVIL@evil.example",
        "[::evil]",
    ];
    for host in hosts {
        for target in [
            tin,
            "/q",
            "/q?code=1",
            "/01/123",
            "/nowhere",
            "/",
            path_of(&demo.codes.forged[0]),
            "/livez",
        ] {
            for accept in ["text/html", "application/json"] {
                let request = format!(
                    "GET {target} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: {host}\r\nForwarded: host={host}\r\n\
                     X-Forwarded-Proto: evil\r\nX-Original-URL: /evil\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
                );
                let all = raw(&app, request.as_bytes(), Duration::from_secs(7)).await;
                let text = String::from_utf8_lossy(&all).to_ascii_lowercase();
                assert!(text.starts_with("http/1.1 "), "{host} {target}");
                assert!(!text.contains("evil"), "{host} {target}: {text}");
            }
        }
    }
    app.stop().await;
});

on_both!(requests_sent_at_once_are_answered_in_order, |app| {
    let demo = app.world().await;
    let codes = &demo.codes;
    let targets = [
        &codes.legal[0],
        &codes.recalled[0],
        &codes.forged[0],
        &codes.void[0],
        &codes.legal[1],
    ];
    let mut bytes = Vec::new();
    for (n, url) in targets.iter().enumerate() {
        let end = if n + 1 == targets.len() {
            "Connection: close\r\n"
        } else {
            ""
        };
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: x\r\n{JSON}{end}\r\n",
            path_of(url)
        );
        bytes.extend_from_slice(request.as_bytes());
    }
    let all = raw(&app, &bytes, Duration::from_secs(7)).await;
    let text = String::from_utf8(all).expect("text");
    let places: Vec<_> = targets
        .iter()
        .map(|url| {
            let canonical = path_of(url).split('?').next().expect("a path");
            text.find(&format!("\"canonical\":\"{canonical}\""))
                .expect("an answer")
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(text.matches("HTTP/1.1 ").count(), targets.len());
    app.stop().await;
});

on_both!(
    a_request_that_never_ends_is_closed_and_disturbs_nobody,
    |app| {
        let demo = app.world().await;
        let tin = path_of(&demo.codes.legal[0]);
        let host = app.public_url.strip_prefix("http://").expect("http");
        let began = Instant::now();
        let mut slow = Vec::new();
        for _ in 0..50 {
            let mut stream = TcpStream::connect(host).await.expect("a connection");
            stream
                .write_all(format!("GET {tin} HTTP/1.1\r\nHo").as_bytes())
                .await
                .expect("half a head");
            slow.push(stream);
        }
        still_well(&app, tin).await;
        for (n, stream) in slow.iter_mut().enumerate() {
            // One byte now and then does not keep it open either.
            let drip = async {
                let mut answer = vec![0; 1024];
                loop {
                    let read =
                        tokio::time::timeout(Duration::from_secs(1), stream.read(&mut answer))
                            .await;
                    match read {
                        Ok(Ok(0) | Err(_)) => return,
                        Ok(Ok(got)) => {
                            let text = String::from_utf8_lossy(&answer[..got]).into_owned();
                            assert!(text.starts_with("HTTP/1.1 408"), "{text}");
                        }
                        Err(_) => drop(stream.write_all(b"s").await),
                    }
                }
            };
            tokio::time::timeout(Duration::from_secs(12), drip)
                .await
                .unwrap_or_else(|_| panic!("{n} stays open"));
        }
        println!("fifty half heads closed after {:?}", began.elapsed());
        assert!(began.elapsed() < Duration::from_secs(15));
        still_well(&app, tin).await;
        app.stop().await;
    }
);
