//! Commissioning codes to batches: whole or not at all, once, and never away from another batch.

use crate::{
    issuing::print,
    operations::{Stage, stage},
    support::{batch, head, made, ok, refused, segment},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use suyuan_tests::{Answer, TestApp, on_both};

/// Shared with `commission_refusals`.
pub async fn commission(stage: &Stage, batch: &str, ranges: Value, codes: Value) -> Answer {
    let body = json!({"batch_id": batch, "ranges": ranges, "codes": codes});
    stage.firm.admin.post("/v1/commissions", &body).await
}

/// Shared with `commission_refusals`.
pub fn part(segment: &Value, from: u64, to: u64) -> Value {
    let base = segment["from"].as_u64().expect("a segment");
    json!({"segment_id": segment["id"], "from": base + from, "to": base + to})
}

/// Shared with `commission_refusals`.
pub fn counts(answer: Answer) -> (Value, Value) {
    let body = made(answer);
    (body["commissioned"].clone(), body["unchanged"].clone())
}

/// Shared with `commission_refusals`.
pub async fn legality(app: &TestApp, url: &str) -> Value {
    app.settled().await;
    ok(app.consumer().scan(url).await)["legality"].clone()
}

on_both!(
    a_range_is_commissioned_once_and_again_changes_nothing,
    |app| {
        let (_, stage) = stage(&app).await;
        let new = segment(&stage.firm.admin, &stage.product, 500).await;
        let urls = print(&stage.firm.admin, &new, "").await;
        let first = commission(
            &stage,
            &stage.batch,
            json!([part(&new, 100, 299)]),
            json!([]),
        )
        .await;
        assert_eq!(counts(first), (json!(200), json!(0)));
        let again = commission(
            &stage,
            &stage.batch,
            json!([part(&new, 100, 299)]),
            json!([]),
        )
        .await;
        assert_eq!(counts(again), (json!(0), json!(200)));
        let wider = commission(
            &stage,
            &stage.batch,
            json!([part(&new, 50, 349)]),
            json!([]),
        )
        .await;
        assert_eq!(counts(wider), (json!(100), json!(200)));
        let rest = commission(
            &stage,
            &stage.batch,
            json!([{"segment_id": new["id"]}]),
            json!([]),
        )
        .await;
        assert_eq!(counts(rest), (json!(200), json!(300)));
        for url in [
            &urls[0], &urls[49], &urls[50], &urls[349], &urls[350], &urls[499],
        ] {
            assert_eq!(legality(&app, &url.2).await, "legal");
        }
        app.stop().await;
    }
);

on_both!(only_what_was_commissioned_is_legal, |app| {
    let (_, stage) = stage(&app).await;
    let new = segment(&stage.firm.admin, &stage.product, 500).await;
    let urls = print(&stage.firm.admin, &new, "").await;
    let ranges = json!([part(&new, 10, 19), part(&new, 100, 299), part(&new, 15, 24)]);
    let codes = json!([urls[400].2, urls[402].2, urls[400].2, urls[12].2]);
    let answer = commission(&stage, &stage.batch, ranges, codes).await;
    // 10..=24, 100..=299, 400 and 402; what is named twice is not counted twice.
    let (commissioned, _) = counts(answer);
    assert_eq!(commissioned, 15 + 200 + 2);
    for (at, expected) in [
        (9, "not_commissioned"),
        (10, "legal"),
        (24, "legal"),
        (25, "not_commissioned"),
        (99, "not_commissioned"),
        (100, "legal"),
        (299, "legal"),
        (300, "not_commissioned"),
        (400, "legal"),
        (401, "not_commissioned"),
        (402, "legal"),
        (403, "not_commissioned"),
    ] {
        assert_eq!(legality(&app, &urls[at].2).await, expected, "{at}");
    }
    app.stop().await;
});

on_both!(codes_are_taken_in_every_form_a_scanner_reads, |app| {
    let (_, stage) = stage(&app).await;
    let new = segment(&stage.firm.admin, &stage.product, 10).await;
    let lines = print(&stage.firm.admin, &new, "").await;
    let gtin = lines[0]
        .2
        .split("/01/")
        .nth(1)
        .and_then(|r| r.split('/').next())
        .expect("a GTIN");
    let forms = json!([
        lines[0].2,
        lines[1]
            .2
            .replace(&app.public_url, "https://other.example/stem"),
        format!("(01){gtin}(21){}", lines[2].1),
        format!("01{gtin}21{}", lines[3].1),
        format!("]d201{gtin}21{}", lines[4].1),
        format!("]C101{gtin}21{}\u{1d}17280101", lines[5].1),
    ]);
    let answer = commission(&stage, &stage.batch, json!([]), forms).await;
    assert_eq!(counts(answer), (json!(6), json!(0)));
    for (n, line) in lines.iter().enumerate() {
        let expected = if n < 6 { "legal" } else { "not_commissioned" };
        assert_eq!(legality(&app, &line.2).await, expected, "{n}");
    }
    app.stop().await;
});

on_both!(
    codes_of_another_batch_are_a_conflict_and_nothing_changes,
    |app| {
        let (_, stage) = stage(&app).await;
        let other = batch(&stage.firm.admin, &stage.product, "L2").await;
        let new = segment(&stage.firm.admin, &stage.product, 500).await;
        let urls = print(&stage.firm.admin, &new, "").await;
        made(
            commission(
                &stage,
                &stage.batch,
                json!([part(&new, 100, 199)]),
                json!([]),
            )
            .await,
        );
        made(commission(&stage, &stage.batch, json!([]), json!([urls[300].2])).await);
        let before = head(&app).await;
        for (ranges, codes) in [
            (json!([part(&new, 100, 199)]), json!([])),
            (json!([part(&new, 0, 100)]), json!([])),
            (json!([part(&new, 199, 250)]), json!([])),
            (json!([part(&new, 0, 499)]), json!([])),
            (json!([part(&new, 290, 310)]), json!([])),
            (
                json!([part(&new, 400, 450), part(&new, 150, 150)]),
                json!([]),
            ),
            (json!([part(&new, 400, 450)]), json!([urls[300].2])),
            (json!([]), json!([urls[499].2, urls[120].2])),
        ] {
            let what = format!("{ranges} {codes}");
            let answer = commission(&stage, &other, ranges, codes).await;
            assert_eq!(answer.status, 409, "{what}: {}", answer.text());
            refused(answer, "commission-conflict");
        }
        assert_eq!(head(&app).await, before);
        for (at, lot) in [(100, "L1"), (199, "L1"), (300, "L1")] {
            app.settled().await;
            assert_eq!(
                ok(app.consumer().scan(&urls[at].2).await)["code"]["batch"],
                lot
            );
        }
        for at in [0, 99, 200, 290, 400, 499] {
            assert_eq!(
                legality(&app, &urls[at].2).await,
                "not_commissioned",
                "{at}"
            );
        }
        // What nobody has is free for the other batch.
        let answer = commission(
            &stage,
            &other,
            json!([part(&new, 200, 299)]),
            json!([urls[0].2]),
        )
        .await;
        assert_eq!(counts(answer), (json!(101), json!(0)));
        app.stop().await;
    }
);

on_both!(
    of_two_batches_that_want_the_same_codes_exactly_one_gets_them,
    |app| {
        let (_, stage) = stage(&app).await;
        let other = batch(&stage.firm.admin, &stage.product, "L2").await;
        for round in 0..4 {
            let new = segment(&stage.firm.admin, &stage.product, 200).await;
            let urls = print(&stage.firm.admin, &new, "").await;
            // By ranges, and by lists, in turns.
            let (ranges, codes) = if round % 2 == 0 {
                (json!([{"segment_id": new["id"]}]), json!([]))
            } else {
                let list: Vec<&str> = urls.iter().step_by(3).map(|line| line.2.as_str()).collect();
                (json!([]), json!(list))
            };
            let sends = (0..8).map(|n| {
                let batch = if n % 2 == 0 { &stage.batch } else { &other };
                commission(&stage, batch, ranges.clone(), codes.clone())
            });
            let answers = join_all(sends).await;
            let won: Vec<Value> = answers
                .iter()
                .filter(|a| a.status == 201)
                .map(Answer::json)
                .collect();
            let lost = answers.iter().filter(|a| a.status == 409).count();
            assert_eq!((won.len(), lost), (4, 4));
            assert!(won.iter().all(|w| w["batch_id"] == won[0]["batch_id"]));
            let new_codes: u64 = won.iter().filter_map(|w| w["commissioned"].as_u64()).sum();
            assert_eq!(new_codes, if round % 2 == 0 { 200 } else { 67 });
        }
        app.stop().await;
    }
);
