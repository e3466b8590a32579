//! Segments and their print files.

use crate::{
    operations::stage,
    support::{
        array, firm, made, number, ok, platform, product, refused, refused_field, segment, text_of,
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use suyuan_sync::trace_code::{self, TraceCode};
use suyuan_tests::{Caller, on_both};

/// Index, serial and URL of each line of a CSV print file.
pub async fn print(caller: &Caller, segment: &Value, query: &str) -> Vec<(u64, String, String)> {
    let path = format!("/v1/segments/{}/codes{query}", text_of(&segment["id"]));
    let answer = caller.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let text = answer.text();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("index,serial,url"));
    lines
        .map(|line| {
            let parts: Vec<&str> = line.split(',').collect();
            let [index, serial, url] = parts[..] else {
                panic!("{line}");
            };
            (index.parse().expect("an index"), serial.into(), url.into())
        })
        .collect()
}

fn span(segment: &Value) -> (u64, u64, u64) {
    (
        number(&segment["from"]),
        number(&segment["to"]),
        number(&segment["count"]),
    )
}

on_both!(segments_follow_each_other_without_gap_or_overlap, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &["9521234"]).await;
    let product = product(&firm.admin, "TN-1", "0952123400001").await;
    let mut next = 0;
    for count in [1, 10, 1000, 10_000_000, 1] {
        let new = segment(&firm.admin, &product, count).await;
        assert_eq!(span(&new), (next, next + count - 1, count));
        next += count;
    }
    // Cases are another space and begin at nothing again.
    let body = json!({"product_id": product, "level": "case", "count": 5});
    let cases = made(firm.admin.post("/v1/segments", &body).await);
    assert_eq!(span(&cases), (0, 4, 5));
    assert_ne!(
        cases["space"],
        ok(firm.admin.get("/v1/segments").await)["items"][0]["space"]
    );

    let body = json!({"product_id": product, "count": 100});
    let sends = (0..8).map(|_| firm.admin.post("/v1/segments", &body));
    let mut spans: Vec<_> = join_all(sends)
        .await
        .into_iter()
        .map(|a| span(&made(a)))
        .collect();
    spans.sort_unstable();
    for (n, found) in spans.iter().enumerate() {
        let from = next + 100 * n as u64;
        assert_eq!(*found, (from, from + 99, 100));
    }
    app.stop().await;
});

on_both!(a_segment_has_bounds_and_one_space, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    for count in [0, 10_000_001, u64::MAX] {
        let body = json!({"product_id": stage.product, "count": count});
        refused_field(
            admin.post("/v1/segments", &body).await,
            "count",
            "out-of-range",
        );
    }
    for (body, field, fault) in [
        (json!({"count": 1}), "product_id", "required"),
        (
            json!({"product_id": stage.product, "gs1_prefix": "9521234", "count": 1}),
            "product_id",
            "required",
        ),
        (
            json!({"product_id": stage.product, "level": "pallet", "count": 1}),
            "product_id",
            "unknown",
        ),
        (
            json!({"product_id": stage.product, "level": "tin", "count": 1}),
            "product_id",
            "unknown",
        ),
        (
            json!({"product_id": stage.batch, "count": 1}),
            "product_id",
            "unknown",
        ),
        (
            json!({"gs1_prefix": "690123", "count": 1}),
            "gs1_prefix",
            "unknown",
        ),
        (
            json!({"gs1_prefix": "952", "count": 1}),
            "gs1_prefix",
            "unknown",
        ),
    ] {
        refused_field(admin.post("/v1/segments", &body).await, field, fault);
    }
    app.stop().await;
});

on_both!(a_space_of_pallets_can_be_used_up, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &["690123456789"]).await;
    // 17 digits less 12 leave 100 000 pallets.
    let body = |count: u64| json!({"gs1_prefix": "690123456789", "count": count});
    made(firm.admin.post("/v1/segments", &body(99_999)).await);
    let answer = firm.admin.post("/v1/segments", &body(2)).await;
    refused_field(answer, "count", "space-exhausted");
    let last = made(firm.admin.post("/v1/segments", &body(1)).await);
    let lines = print(&firm.admin, &last, "").await;
    assert!(lines[0].1.starts_with("96901234567899999"), "{lines:?}");
    let answer = firm.admin.post("/v1/segments", &body(1)).await;
    refused_field(answer, "count", "space-exhausted");
    app.stop().await;
});

on_both!(a_print_file_names_every_code_once, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let new = segment(admin, &stage.product, 9000).await;
    let lines = print(admin, &new, "").await;
    let indices: Vec<u64> = lines.iter().map(|line| line.0).collect();
    let (from, to, _) = span(&new);
    assert_eq!(indices, (from..=to).collect::<Vec<_>>());
    let serials: BTreeSet<&str> = lines.iter().map(|line| line.1.as_str()).collect();
    assert_eq!(serials.len(), 9000);
    for (_, serial, url) in &lines {
        let code = trace_code::parse(url).expect("a trace code").code;
        let TraceCode::Gtin(code) = code else {
            panic!("{url}");
        };
        assert_eq!(code.serial.as_deref(), Some(serial.as_str()));
        assert_eq!(code.lot, None);
        assert!(url.starts_with(&app.public_url), "{url}");
    }
    // The same again as JSON lines, and again as CSV: printing changes nothing.
    let path = format!("/v1/segments/{}/codes?format=jsonl", text_of(&new["id"]));
    let answer = admin.get(&path).await;
    assert_eq!(
        answer.header("content-type"),
        "application/jsonl; charset=utf-8"
    );
    let text = answer.text();
    assert_eq!(text.lines().count(), 9000);
    for (line, csv) in text.lines().zip(&lines) {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["index"], csv.0);
        assert_eq!(line["serial"], csv.1.as_str());
        assert_eq!(line["url"], csv.2.as_str());
        let code = trace_code::parse(&text_of(&line["code"])).expect("a trace code");
        assert_eq!(
            code.code,
            trace_code::parse(&csv.2).expect("a trace code").code
        );
    }
    assert_eq!(print(admin, &new, "?format=csv").await, lines);

    app.settled().await;
    for line in [&lines[0], &lines[4095], &lines[4096], &lines[8999]] {
        let view = ok(app.consumer().scan(&line.2).await);
        assert_eq!(view["legality"], "not_commissioned");
        assert_eq!(view["advice"], "caution");
        assert_eq!(view["reasons"], json!(["not_commissioned"]));
        assert_eq!(view["code"]["serial"], line.1.as_str());
    }
    app.stop().await;
});

on_both!(part_of_a_segment_can_be_printed, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let new = segment(admin, &stage.product, 100).await;
    let whole = print(admin, &new, "").await;
    let (from, to, _) = span(&new);
    let part = print(
        admin,
        &new,
        &format!("?from={}&to={}", from + 10, from + 19),
    )
    .await;
    assert_eq!(part, whole[10..20]);
    assert_eq!(
        print(admin, &new, &format!("?from={to}")).await,
        whole[99..]
    );
    assert_eq!(print(admin, &new, &format!("?to={from}")).await, whole[..1]);
    let path = format!("/v1/segments/{}/codes", text_of(&new["id"]));
    for query in [
        format!("from={}", from - 1),
        format!("to={}", to + 1),
        format!("from={to}&to={from}"),
        "from=18446744073709551615".into(),
        "to=18446744073709551615".into(),
    ] {
        let answer = admin.get(&format!("{path}?{query}")).await;
        refused_field(answer, "from", "outside-segment");
    }
    let answer = admin.get(&format!("{path}?format=xml")).await;
    refused_field(answer, "format", "unknown");
    for query in [
        "from=-1",
        "to=x",
        "formats=csv",
        "batch_id=x",
        "from=1&from=2",
    ] {
        let answer = admin.get(&format!("{path}?{query}")).await;
        refused(answer, "malformed-request");
    }
    app.stop().await;
});

on_both!(a_print_file_for_a_batch_carries_lot_and_expiry, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let body = json!({
        "product_id": stage.product, "lot": "L/7+a", "production_date": "2026-01-15",
        "expiry_date": "2028-01-14",
    });
    let batch = made(admin.post("/v1/batches", &body).await);
    let new = segment(admin, &stage.product, 20).await;
    let query = format!("?batch_id={}", text_of(&batch["id"]));
    let lines = print(admin, &new, &query).await;
    let plain = print(admin, &new, "").await;
    for (line, plain) in lines.iter().zip(&plain) {
        assert_eq!((line.0, &line.1), (plain.0, &plain.1));
        assert!(line.2.ends_with("?17=280114"), "{}", line.2);
        let scanned = trace_code::parse(&line.2).expect("a trace code");
        let TraceCode::Gtin(code) = scanned.code else {
            panic!("{}", line.2);
        };
        assert_eq!(code.lot.as_deref(), Some("L/7+a"));
        assert_eq!(scanned.claims.expiry, Some(*b"280114"));
    }
    let all = json!({"batch_id": batch["id"], "ranges": [{"segment_id": new["id"]}]});
    made(admin.post("/v1/commissions", &all).await);
    app.settled().await;
    // Both print-outs name the same unit.
    for url in [&lines[0].2, &plain[0].2] {
        let view = ok(app.consumer().scan(url).await);
        assert_eq!(view["legality"], "legal", "{view}");
        assert_eq!(view["code"]["batch"], "L/7+a");
    }
    // A print-out that names another lot than the record is not to be trusted.
    let other = print(admin, &new, &format!("?batch_id={}", stage.batch)).await;
    let view = ok(app.consumer().scan(&other[0].2).await);
    assert_eq!(view["advice"], "stop");
    assert!(array(&view["reasons"]).contains(&json!("code_contradicts_record")));
    app.stop().await;
});
