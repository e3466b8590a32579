//! Clients that hold on: half a second request, an answer never read, more connections than one
//! network may have, requests without end. Each is bounded, and nobody else notices.

use crate::{
    on_each,
    support::{metric, path_of, raw_one, until, verdict},
};
use sea_orm::{ActiveValue::Set, EntityTrait};
use std::time::{Duration, Instant};
use suyuan::entities::public_file;
use suyuan_tests::{TestApp, on_both};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

const SECOND: Duration = Duration::from_secs(1);
/// Idle connections are kept a second, stalled ones two.
const IMPATIENT: [(&str, &str); 2] = [("limits.idle_s", "1"), ("limits.stalled_s", "2")];

async fn connect(app: &TestApp) -> TcpStream {
    let host = app.public_url.strip_prefix("http://").expect("http");
    TcpStream::connect(host).await.expect("a connection")
}

/// One request whose answer is small and keeps the connection.
const PROBE: &str = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
/// The same, refused.
const NOTHING: &str = "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";

/// Asks once over this connection; empty when it was closed.
async fn probe(stream: &mut TcpStream) -> String {
    ask(stream, PROBE).await
}

async fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.ok();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(5 * SECOND, stream.read(&mut answer)).await;
    let read = read.expect("an answer or an end").unwrap_or(0);
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// Is a new connection served? One that is refused may end before it was made.
async fn is_served(app: &TestApp) -> bool {
    let host = app.public_url.strip_prefix("http://").expect("http");
    match TcpStream::connect(host).await {
        Ok(mut stream) => probe(&mut stream).await.starts_with("HTTP/1.1 200"),
        Err(_) => false,
    }
}

/// How long until the server ends this connection, whatever it still says.
async fn ended(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    let mut rest = vec![0; 64 * 1024];
    let reading = async { while matches!(stream.read(&mut rest).await, Ok(n) if n > 0) {} };
    let ended = tokio::time::timeout(15 * SECOND, reading).await;
    assert!(ended.is_ok(), "still open after {:?}", began.elapsed());
    began.elapsed()
}

on_each!(
    a_second_head_that_never_ends_is_cut_also_when_it_drips,
    |engine| {
        let app = TestApp::spawn_with(engine, &IMPATIENT).await;
        let demo = app.world().await;
        let mut streams = Vec::new();
        for _ in 0..20 {
            let mut stream = connect(&app).await;
            assert!(probe(&mut stream).await.starts_with("HTTP/1.1 200"));
            let half = format!("GET {} HTTP/1.1\r\nHo", path_of(&demo.codes.legal[0]));
            stream
                .write_all(half.as_bytes())
                .await
                .expect("half a head");
            streams.push(stream);
        }
        let began = Instant::now();
        for stream in &mut streams {
            let drip = async {
                let mut byte = [0];
                while tokio::time::timeout(SECOND / 2, stream.read(&mut byte))
                    .await
                    .is_err()
                {
                    stream.write_all(b"s").await.ok();
                }
            };
            let cut = tokio::time::timeout(15 * SECOND, drip).await;
            assert!(cut.is_ok(), "still open after {:?}", began.elapsed());
        }
        assert!(metric(&app, "suyuan_connections_cut_total").await >= 20);
        assert_eq!(verdict(&app, &demo.codes.legal[0]).await, "200 legal ok");
        app.stop().await;
    }
);

on_each!(a_reader_who_takes_nothing_is_cut, |engine| {
    let app = TestApp::spawn_with(engine, &IMPATIENT).await;
    let demo = app.world().await;
    let page = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n",
        path_of(&demo.codes.legal[0])
    );
    let mut stream = connect(&app).await;
    // Far more answers than the system's buffers hold.
    let asking = async {
        for _ in 0..5000 {
            if stream.write_all(page.as_bytes()).await.is_err() {
                return true;
            }
        }
        false
    };
    // Asking stops once nothing is taken any more; then the server ends it.
    let refused = tokio::time::timeout(15 * SECOND, asking).await;
    let cut = || async { metric(&app, "suyuan_connections_cut_total").await >= 1 };
    until("being cut", 15 * SECOND, cut).await;
    println!("asking ended: {refused:?}");
    ended(&mut stream).await;
    assert_eq!(verdict(&app, &demo.codes.legal[0]).await, "200 legal ok");
    app.stop().await;
});

on_each!(
    files_on_their_way_are_few_and_who_takes_nothing_gives_the_turn_back,
    |engine| {
        let app = TestApp::spawn_with(engine, &IMPATIENT).await;
        let hash = "f".repeat(64);
        let file = public_file::ActiveModel {
            hash: Set(hash.clone()),
            media_type: Set("application/pdf".into()),
            title: Set("certificate.pdf".into()),
            content: Set(vec![b'x'; 4 * 1024 * 1024]),
            position: Set(1),
        };
        let writer = app.state().db.writer();
        let insert = public_file::Entity::insert(file).exec_without_returning(writer);
        insert.await.expect("a file");
        let path = format!("/files/{hash}");
        let host = app.public_url.strip_prefix("http://").expect("http");
        let mut holding = Vec::new();
        for _ in 0..16 {
            // A small window: what is not taken does not fit into the system's buffers.
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.set_recv_buffer_size(4096).expect("a small buffer");
            let stream = socket.connect(host.parse().expect("an address")).await;
            let mut stream = stream.expect("a connection");
            let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
            stream
                .write_all(request.as_bytes())
                .await
                .expect("a request");
            let mut first = [0; 12];
            stream.read_exact(&mut first).await.expect("an answer");
            assert_eq!(&first, b"HTTP/1.1 200");
            holding.push(stream);
        }
        let refused = app.consumer().scan(&path).await;
        assert_eq!(
            (refused.status, refused.problem()),
            (503, "unavailable".into())
        );
        assert!(!refused.header("retry-after").is_empty());
        // Once they are cut, there are turns again, and a file arrives whole.
        let turn = || async { app.consumer().scan(&path).await.status == 200 };
        until("a turn", 15 * SECOND, turn).await;
        assert_eq!(app.consumer().scan(&path).await.body.len(), 4 * 1024 * 1024);
        let cut = || async { metric(&app, "suyuan_connections_cut_total").await >= 16 };
        until("all being cut", 5 * SECOND, cut).await;
        app.stop().await;
    }
);

on_each!(an_idle_connection_is_closed, |engine| {
    let app = TestApp::spawn_with(engine, &IMPATIENT).await;
    let mut stream = connect(&app).await;
    assert!(probe(&mut stream).await.starts_with("HTTP/1.1 200"));
    assert!(ended(&mut stream).await < 10 * SECOND);
    app.stop().await;
});

on_each!(
    a_network_has_so_many_connections_and_proxies_are_not_counted,
    |engine| {
        let app = TestApp::spawn_with(engine, &[("limits.connections", "5")]).await;
        let mut seated = Vec::new();
        for _ in 0..5 {
            let mut stream = connect(&app).await;
            assert!(probe(&mut stream).await.starts_with("HTTP/1.1 200"));
            seated.push(stream);
        }
        for _ in 0..3 {
            assert!(!is_served(&app).await);
        }
        for stream in &mut seated {
            assert!(probe(stream).await.starts_with("HTTP/1.1 200"));
        }
        // A seat given up is a seat for the next.
        seated.pop();
        until("a free seat", 5 * SECOND, || is_served(&app)).await;
        // The counter of this listener; staff's connections have seats of their own.
        assert!(metric(&app, "suyuan_connections_refused_total").await >= 3);
        app.stop().await;

        let flags = [
            ("limits.connections", "5"),
            ("public.trusted_proxies", "127.0.0.1"),
        ];
        let app = TestApp::spawn_with(engine, &flags).await;
        let mut seated = Vec::new();
        for _ in 0..20 {
            let mut stream = connect(&app).await;
            assert!(probe(&mut stream).await.starts_with("HTTP/1.1 200"));
            seated.push(stream);
        }
        app.stop().await;
    }
);

on_each!(a_connection_carries_so_many_requests, |engine| {
    let app = TestApp::spawn_with(engine, &[("limits.requests", "3")]).await;
    for request in [PROBE, NOTHING] {
        let mut stream = connect(&app).await;
        for last in [false, false, true] {
            let answer = ask(&mut stream, request).await.to_ascii_lowercase();
            assert!(answer.starts_with("http/1.1 "), "{answer}");
            assert_eq!(answer.contains("connection: close"), last, "{answer}");
        }
        assert!(ended(&mut stream).await < 3 * SECOND);
    }
    app.stop().await;
});

on_both!(headers_are_bounded_in_number_and_size, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let get = |headers: String| {
        format!(
            "GET {tin} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n{headers}Connection: close\r\n\r\n"
        )
    };
    // With the three above, 96.
    for (extra, status) in [(93, 200), (94, 431)] {
        let answer = raw_one(&app, get("X-N: y\r\n".repeat(extra)).as_bytes()).await;
        assert_eq!(
            answer.map(|answer| answer.status),
            Some(status),
            "{extra} more"
        );
    }
    for (size, status) in [(100_000, 200), (131_072, 431)] {
        let answer = raw_one(
            &app,
            get(format!("X-N: {}\r\n", "y".repeat(size))).as_bytes(),
        )
        .await;
        assert_eq!(
            answer.map(|answer| answer.status),
            Some(status),
            "{size} bytes"
        );
    }
    app.stop().await;
});

on_both!(a_body_nobody_asked_for_is_not_waited_for, |app| {
    let demo = app.world().await;
    let mut stream = connect(&app).await;
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nContent-Length: 1000000000\r\n\r\n",
        path_of(&demo.codes.legal[0])
    );
    stream.write_all(head.as_bytes()).await.expect("a head");
    let mut answer = vec![0; 64];
    let read = tokio::time::timeout(5 * SECOND, stream.read(&mut answer)).await;
    let read = read.expect("an answer in time").expect("an answer");
    assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
    assert!(ended(&mut stream).await < 10 * SECOND);
    app.stop().await;
});
