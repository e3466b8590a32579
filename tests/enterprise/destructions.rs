//! Unqualified codes are destroyed with a record, before use and for ever (MB-6.3).

use crate::{
    issuing::print,
    operations::{Stage, stage},
    support::{head, made, ok, product, refused, refused_field, segment},
};
use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};
use std::time::Duration;
use suyuan_tests::{Answer, on_both};
use tokio::time::sleep;

fn record(ranges: Value, codes: Value) -> Value {
    json!({
        "ranges": ranges, "codes": codes, "reason": "印刷模糊", "method": "粉碎",
        "witness": "QA-07", "destroyed_on": "2026-02-01",
    })
}

async fn destroy(stage: &Stage, body: &Value) -> Answer {
    stage.firm.admin.post("/v1/code-destructions", body).await
}

fn part(segment: &Value, from: u64, to: u64) -> Value {
    let base = segment["from"].as_u64().expect("a segment");
    json!({"segment_id": segment["id"], "from": base + from, "to": base + to})
}

on_both!(a_destroyed_code_is_void_and_says_stop, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let new = segment(admin, &stage.product, 300).await;
    let urls = print(admin, &new, "").await;
    let mut body = record(json!([part(&new, 100, 199)]), json!([urls[250].2]));
    body["evidence"] = json!(stage.file);
    let done = made(destroy(&stage, &body).await);
    assert_eq!(
        (&done["voided"], &done["unchanged"]),
        (&json!(101), &json!(0))
    );
    let again = made(destroy(&stage, &body).await);
    assert_eq!(
        (&again["voided"], &again["unchanged"]),
        (&json!(0), &json!(101))
    );
    app.settled().await;
    for (at, void) in [
        (99, false),
        (100, true),
        (199, true),
        (200, false),
        (250, true),
    ] {
        let view = ok(app.consumer().scan(&urls[at].2).await);
        let expected = if void {
            (json!("void"), json!("stop"), json!(["void"]))
        } else {
            (
                json!("not_commissioned"),
                json!("caution"),
                json!(["not_commissioned"]),
            )
        };
        let found = (
            view["legality"].clone(),
            view["advice"].clone(),
            view["reasons"].clone(),
        );
        assert_eq!(found, expected, "{at}");
    }
    let rows = suyuan::entities::code_destruction::Entity::find()
        .all(app.state().db.reader())
        .await
        .expect("rows");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].evidence.as_deref(), Some(stage.file.as_str()));
    assert_eq!((rows[0].codes, rows[0].witness.as_str()), (101, "QA-07"));
    // Midnight of the day in Asia/Shanghai.
    assert_eq!(rows[0].destroyed_at, 1_769_875_200_000_000);
    app.stop().await;
});

on_both!(
    a_void_code_cannot_be_commissioned_and_nothing_changes,
    |app| {
        let (_, stage) = stage(&app).await;
        let admin = &stage.firm.admin;
        let new = segment(admin, &stage.product, 300).await;
        let urls = print(admin, &new, "").await;
        made(destroy(&stage, &record(json!([part(&new, 150, 150)]), json!([]))).await);
        let before = head(&app).await;
        for (ranges, codes) in [
            (json!([part(&new, 100, 199)]), json!([])),
            (json!([part(&new, 0, 9), part(&new, 150, 150)]), json!([])),
            (json!([]), json!([urls[0].2, urls[150].2])),
        ] {
            let body = json!({"batch_id": stage.batch, "ranges": ranges, "codes": codes});
            refused(admin.post("/v1/commissions", &body).await, "code-void");
        }
        assert_eq!(head(&app).await, before);
        app.settled().await;
        let view = ok(app.consumer().scan(&urls[0].2).await);
        assert_eq!(view["legality"], "not_commissioned");
        app.stop().await;
    }
);

on_both!(a_code_in_use_cannot_be_destroyed, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let new = segment(admin, &stage.product, 300).await;
    let urls = print(admin, &new, "").await;
    let body = json!({
        "batch_id": stage.batch, "ranges": [part(&new, 100, 199)], "codes": [urls[250].2],
    });
    made(admin.post("/v1/commissions", &body).await);
    let before = head(&app).await;
    for (ranges, codes) in [
        (json!([part(&new, 150, 150)]), json!([])),
        (json!([part(&new, 0, 100)]), json!([])),
        (json!([part(&new, 240, 260)]), json!([])),
        (json!([part(&new, 0, 299)]), json!([])),
        (json!([]), json!([urls[0].2, urls[250].2])),
        (json!([part(&new, 0, 9)]), json!([urls[199].2])),
    ] {
        let what = format!("{ranges} {codes}");
        let answer = destroy(&stage, &record(ranges, codes)).await;
        assert_eq!(answer.status, 409, "{what}: {}", answer.text());
        refused(answer, "code-in-use");
    }
    assert_eq!(head(&app).await, before);
    app.settled().await;
    assert_eq!(
        ok(app.consumer().scan(&urls[0].2).await)["legality"],
        "not_commissioned"
    );
    app.stop().await;
});

on_both!(of_use_and_destruction_at_once_one_wins_whole, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let soon = Duration::from_millis(100);
    for use_first in [true, false] {
        let new = segment(admin, &stage.product, 100).await;
        let ranges = json!([part(&new, 0, 99)]);
        let use_it = json!({"batch_id": stage.batch, "ranges": ranges});
        let record = record(ranges, json!([]));
        // Each reads what the codes are while somebody else holds the head; then one has it after the other.
        let held = app.state().db.begin().await.expect("a transaction");
        held.execute_unprepared("UPDATE log_head SET gseq = gseq")
            .await
            .expect("the head");
        let after = async |first: bool, sent: LocalBoxFuture<'_, Answer>| {
            sleep(if first { Duration::ZERO } else { soon }).await;
            sent.await.status
        };
        let (used, destroyed, ()) = futures_util::join!(
            after(
                use_first,
                admin.post("/v1/commissions", &use_it).boxed_local()
            ),
            after(!use_first, destroy(&stage, &record).boxed_local()),
            async {
                sleep(soon * 3).await;
                held.rollback().await.expect("the head is free");
            }
        );
        let won = if use_first { [201, 409] } else { [409, 201] };
        assert_eq!([used, destroyed], won);
    }
    app.stop().await;
});

on_both!(the_record_of_a_destruction_is_complete, |app| {
    let (_, stage) = stage(&app).await;
    let new = segment(&stage.firm.admin, &stage.product, 10).await;
    let right = record(json!([part(&new, 0, 0)]), json!([]));
    let before = head(&app).await;
    for (field, value, fault) in [
        ("reason", json!(""), "length"),
        ("reason", json!("  "), "length"),
        ("method", json!("x".repeat(501)), "length"),
        ("witness", json!(""), "length"),
        ("destroyed_on", json!("2026-02-30"), "bad-date"),
        ("destroyed_on", json!("yesterday"), "bad-date"),
        ("evidence", json!("ab".repeat(32)), "unknown-file"),
        ("evidence", json!(""), "unknown-file"),
        ("evidence", json!("../x"), "unknown-file"),
    ] {
        let mut body = right.clone();
        body[field] = value;
        refused_field(destroy(&stage, &body).await, field, fault);
    }
    for field in ["reason", "method", "witness", "destroyed_on"] {
        let mut body = right.clone();
        body.as_object_mut().expect("an object").remove(field);
        refused(destroy(&stage, &body).await, "malformed-body");
    }
    refused_field(
        destroy(&stage, &record(json!([]), json!([]))).await,
        "codes",
        "required",
    );
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

on_both!(
    a_request_touches_so_many_blocks_whatever_products_they_are_of,
    |app| {
        let (_, stage) = stage(&app).await;
        let admin = &stage.firm.admin;
        let other = product(admin, "TN-2", "0952123400002").await;
        // A full segment touches 153 blocks of 65 536 indices, or one more.
        let full = segment(admin, &stage.product, 10_000_000).await;
        let beside = segment(admin, &other, 1_000_000).await;
        let blocks = |count: u64| (0..count).map(|n| part(&beside, n * 65_536, n * 65_536));
        let parts = |count: u64| {
            let all = std::iter::once(part(&full, 0, 9_999_999)).chain(blocks(count));
            record(json!(all.collect::<Vec<_>>()), json!([]))
        };
        let before = head(&app).await;
        let answer = destroy(&stage, &parts(10)).await;
        refused_field(answer, "codes", "spread-too-wide");
        assert_eq!(head(&app).await, before);
        let done = made(destroy(&stage, &parts(6)).await);
        assert_eq!(done["voided"], json!(10_000_006));
        app.stop().await;
    }
);
