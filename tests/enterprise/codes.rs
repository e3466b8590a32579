//! Codes of every kind from allocation to scan, QR symbols, and a million at once.

use crate::{
    issuing::print,
    operations::stage,
    support::{firm, id, made, ok, platform, refused, refused_field, segment, text_of},
};
use http_body_util::BodyExt;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use std::{process::Command, time::Instant};
use suyuan::entities::{public_chunk, public_range};
use suyuan_sync::trace_code::{self, TraceCode};
use suyuan_tests::{Engine, TestApp, on_both};

on_both!(
    an_enterprise_without_gs1_prefix_issues_codes_of_the_own_scheme,
    |app| {
        let platform = platform(&app).await;
        // The longest codes there are.
        let firm = firm(&app, &platform, "ABCDEFGHJKMN", &[]).await;
        let body =
            json!({"code": "P0123456789012345678", "name": "乳液", "category": "infant-care"});
        let product = id(&made(firm.admin.post("/v1/products", &body).await));
        let batch = crate::support::batch(&firm.admin, &product, "L1").await;
        let new = segment(&firm.admin, &product, 100).await;
        let lines = print(&firm.admin, &new, "").await;
        assert_eq!(lines.len(), 100);
        for (_, serial, url) in &lines {
            let TraceCode::Own(own) = trace_code::parse(url).expect("a trace code").code else {
                panic!("{url}");
            };
            assert_eq!(&*own.enterprise, "ABCDEFGHJKMN");
            assert!(
                own.internal
                    .starts_with(&format!("P0123456789012345678-{serial}"))
            );
        }
        let codes = json!({"batch_id": batch, "ranges": [{"segment_id": new["id"], "from": 0, "to": 49}], "codes": [lines[70].2]});
        assert_eq!(
            made(firm.admin.post("/v1/commissions", &codes).await)["commissioned"],
            51
        );
        // A person types it with small letters, an O for a zero and an L for a one.
        let typed = lines[71]
            .2
            .rsplit("/c/")
            .next()
            .expect("a code")
            .to_lowercase();
        let typed = typed.replacen('0', "o", 1).replacen('1', "l", 1);
        let codes = json!({"batch_id": batch, "codes": [typed]});
        assert_eq!(
            made(firm.admin.post("/v1/commissions", &codes).await)["commissioned"],
            1
        );
        app.settled().await;
        for (at, legality) in [
            (0, "legal"),
            (49, "legal"),
            (50, "not_commissioned"),
            (70, "legal"),
            (71, "legal"),
        ] {
            let view = ok(app.consumer().scan(&lines[at].2).await);
            assert_eq!(view["legality"], legality, "{at}");
            assert_eq!(view["code"]["scheme"], "own");
        }
        app.stop().await;
    }
);

on_both!(the_shortest_own_codes_work_too, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "A0", &[]).await;
    let body = json!({"code": "00", "name": "乳液", "category": "infant-care"});
    let product = id(&made(firm.admin.post("/v1/products", &body).await));
    let new = segment(&firm.admin, &product, 3).await;
    let lines = print(&firm.admin, &new, "").await;
    app.settled().await;
    for line in &lines {
        let view = ok(app.consumer().scan(&line.2).await);
        assert_eq!(view["legality"], "not_commissioned", "{}", line.2);
    }
    app.stop().await;
});

on_both!(cases_are_commissioned_like_items, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let body = json!({"product_id": stage.product, "level": "case", "count": 10});
    let cases = made(admin.post("/v1/segments", &body).await);
    let lines = print(admin, &cases, "").await;
    let all = json!({"batch_id": stage.batch, "ranges": [{"segment_id": cases["id"], "to": 4}]});
    assert_eq!(
        made(admin.post("/v1/commissions", &all).await)["commissioned"],
        5
    );
    app.settled().await;
    for (at, legality) in [(0, "legal"), (4, "legal"), (5, "not_commissioned")] {
        let view = ok(app.consumer().scan(&lines[at].2).await);
        assert_eq!(
            (&view["legality"], &view["code"]["level"]),
            (&json!(legality), &json!("case"))
        );
    }
    app.stop().await;
});

on_both!(
    pallets_are_allocated_per_prefix_and_destroyed_like_others,
    |app| {
        let (_, stage) = stage(&app).await;
        let admin = &stage.firm.admin;
        let body = json!({"gs1_prefix": stage.prefix, "count": 10});
        let pallets = made(admin.post("/v1/segments", &body).await);
        let lines = print(admin, &pallets, "").await;
        for (index, serial, url) in &lines {
            assert_eq!(*serial, format!("{}{}", "0", &serial[1..]));
            assert!(serial[1..].starts_with(&stage.prefix), "{index} {serial}");
            assert!(url.ends_with(&format!("/00/{serial}")), "{url}");
        }
        let body = json!({
            "codes": [lines[3].2], "reason": "r", "method": "m", "witness": "w", "destroyed_on": "2026-01-01",
        });
        assert_eq!(
            made(admin.post("/v1/code-destructions", &body).await)["voided"],
            1
        );
        app.settled().await;
        for (at, legality, advice) in [
            (0, "legal", "caution"),
            (3, "void", "stop"),
            (9, "legal", "caution"),
        ] {
            let view = ok(app.consumer().scan(&lines[at].2).await);
            assert_eq!(
                (&view["legality"], &view["advice"]),
                (&json!(legality), &json!(advice)),
                "{at}"
            );
        }
        app.stop().await;
    }
);

/// Paints the modules of a QR in SVG as a grey map, eight pixels each.
fn pixels(svg: &str) -> Vec<u8> {
    let view = svg.split("viewBox=\"0 0 ").nth(1).expect("a view box");
    let size: usize = view
        .split(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .expect("a size");
    let path = svg
        .split(" d=\"")
        .nth(1)
        .and_then(|p| p.split('"').next())
        .expect("a path");
    let scale = 8;
    let side = size * scale;
    let mut grey = vec![255u8; side * side];
    for module in path.split('M').skip(1) {
        let place = module.split('h').next().expect("a place");
        let (x, y) = place.split_once(',').expect("two numbers");
        let x: usize = x.trim().parse().expect("a column");
        let y: usize = y.trim().parse().expect("a row");
        for row in y * scale..(y + 1) * scale {
            grey[row * side + x * scale..][..scale].fill(0);
        }
    }
    let mut out = format!("P5\n{side} {side}\n255\n").into_bytes();
    out.extend(grey);
    out
}

on_both!(a_qr_symbol_reads_back_as_what_is_printed, |app| {
    let (_, stage) = stage(&app).await;
    let code = &stage.code;
    for (asked, expected) in [
        (code.clone(), code.clone()),
        (format!("{code}?17=280114"), format!("{code}?17=280114")),
        (
            "06901234567892".into(),
            format!("{}/01/06901234567892", app.public_url),
        ),
    ] {
        let encoded = asked.replace('?', "%3F").replace('=', "%3D");
        let answer = stage
            .firm
            .admin
            .get(&format!("/v1/qr.svg?code={encoded}"))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "image/svg+xml");
        let svg = answer.text();
        assert!(svg.starts_with("<svg") && !svg.contains("<script"), "{svg}");
        let folder = std::env::temp_dir();
        let file = folder.join(format!("qr-{}-{}.pgm", std::process::id(), asked.len()));
        std::fs::write(&file, pixels(&svg)).expect("a picture");
        let read = Command::new("zbarimg")
            .args(["-q", "--raw"])
            .arg(&file)
            .output();
        std::fs::remove_file(&file).expect("a picture");
        match read {
            Ok(read) => assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), expected),
            Err(_) => eprintln!("zbarimg is not here: the symbol was not read back"),
        }
    }
    for bad in [
        "",
        "nonsense",
        "%00",
        "https://x.example/01/123/21/a",
        &"9".repeat(1900),
    ] {
        let answer = stage
            .firm
            .admin
            .get(&format!("/v1/qr.svg?code={bad}"))
            .await;
        assert!(
            matches!(answer.status, 400 | 413),
            "{bad}: {}",
            answer.status
        );
        refused(answer, "malformed-code");
    }
    refused(
        stage.firm.admin.get("/v1/qr.svg").await,
        "malformed-request",
    );
    let png = stage
        .firm
        .admin
        .get(&format!("/v1/qr.png?code={code}&scale=3"))
        .await;
    assert_eq!((png.status, png.header("content-type")), (200, "image/png"));
    assert!(png.body.starts_with(b"\x89PNG"));
    for scale in ["0", "33"] {
        let path = format!("/v1/qr.png?code={code}&scale={scale}");
        refused_field(stage.firm.admin.get(&path).await, "scale", "out-of-range");
    }
    app.stop().await;
});

async fn rows(app: &TestApp) -> (u64, u64) {
    let db = app.state().db.reader();
    let ranges = public_range::Entity::find().count(db).await;
    let chunks = public_chunk::Entity::find().count(db).await;
    (ranges.expect("a count"), chunks.expect("a count"))
}

on_both!(a_hundred_thousand_codes_are_a_handful_of_rows, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let before = rows(&app).await;
    let new = segment(admin, &stage.product, 200_000).await;
    let base = new["from"].as_u64().expect("a segment");
    let part = |from: u64, to: u64| json!([{"segment_id": new["id"], "from": base + from, "to": base + to}]);
    let body = json!({"batch_id": stage.batch, "ranges": part(0, 99_999)});
    assert_eq!(
        made(admin.post("/v1/commissions", &body).await)["commissioned"],
        100_000
    );
    let body = json!({
        "ranges": part(100_000, 149_999), "reason": "r", "method": "m", "witness": "w",
        "destroyed_on": "2026-01-01",
    });
    assert_eq!(
        made(admin.post("/v1/code-destructions", &body).await)["voided"],
        50_000
    );
    let scattered: Vec<Value> = (0..100)
        .map(|n| part(150_000 + 7 * n, 150_000 + 7 * n)[0].clone())
        .collect();
    let body = json!({"batch_id": stage.batch, "ranges": scattered});
    assert_eq!(
        made(admin.post("/v1/commissions", &body).await)["commissioned"],
        100
    );
    let after = rows(&app).await;
    assert_eq!(
        after.0 - before.0,
        2,
        "one range a segment, one a commission"
    );
    assert!(after.1 - before.1 <= 5, "{after:?}");
    app.stop().await;
});

#[actix_web::test]
async fn a_million_codes_are_issued_and_streamed_in_pieces() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let (_, stage) = stage(&app).await;
    let before = rows(&app).await;
    let started = Instant::now();
    let new = segment(&stage.firm.admin, &stage.product, 1_000_000).await;
    let issued = started.elapsed();
    let token = {
        let body = json!({"username": "aaa.admin", "password": crate::support::PASSWORD});
        text_of(&made(app.stranger().post("/v1/sessions", &body).await)["access_token"])
    };
    let host = app.internal_url.strip_prefix("http://").expect("http");
    let stream = tokio::net::TcpStream::connect(host)
        .await
        .expect("a connection");
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io)
        .await
        .expect("HTTP");
    let driver = tokio::spawn(connection);
    let request = hyper::Request::builder()
        .uri(format!("/v1/segments/{}/codes", id(&new)))
        .header("host", host)
        .header("authorization", format!("Bearer {token}"))
        .body(http_body_util::Empty::<bytes::Bytes>::new())
        .expect("a request");
    let mut body = sender
        .send_request(request)
        .await
        .expect("an answer")
        .into_body();
    let (mut lines, mut pieces, mut largest, mut all) = (0, 0, 0, 0);
    while let Some(frame) = body.frame().await {
        let data = frame.expect("a frame").into_data().expect("data");
        lines += data.split(|byte| *byte == b'\n').count() - 1;
        pieces += 1;
        largest = largest.max(data.len());
        all += data.len();
    }
    driver.abort();
    assert_eq!(lines, 1_000_001);
    assert!(
        pieces > 100 && largest < all / 50,
        "{pieces} pieces, largest {largest} of {all}"
    );
    let after = rows(&app).await;
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 0));
    println!(
        "1 000 000 codes: allocated in {issued:?}, {all} bytes streamed in {:?}",
        started.elapsed()
    );
    app.stop().await;
}
