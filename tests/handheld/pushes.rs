//! What is pushed is kept for ever, once, and answered alike however often it comes.

use crate::{
    scene::{Scene, count, inbound, open, outbound, sale, scanned, settled, unit},
    support::refused,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;
use suyuan::handheld::keys::point;
use suyuan_sync::{
    chain,
    fold::Phase,
    wire::{Ranges, Receipt, Status, TYP_PUSH, TrustKey},
};
use suyuan_tests::{Answer, DeviceKey, caller::Method, on_both};
use uuid::Uuid;

on_both!(a_tin_comes_in_is_shipped_and_sold, |app| {
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let mut store = scene.device(&app, &scene.store).await;
    let events = [
        warehouse.event("inbound", &inbound(&[tin])),
        warehouse.event("outbound", &outbound(&[tin], &scene.store)),
    ];
    let first = warehouse.push(&events).await;
    let events = [
        store.event("inbound", &inbound(&[tin])),
        store.event("sale", &sale(&[tin])),
    ];
    // The store heard of nothing yet; its anchor of the enrolment is older than the shipment.
    let second = store.push(&events).await;
    for answer in [&first, &second] {
        for result in &answer.results {
            assert_eq!(result.status, Status::Stored, "{result:?}");
            assert!(result.gseq.is_some());
        }
        assert!(answer.receipt.covers(1) && answer.receipt.covers(2));
        assert_eq!(answer.receipt.contiguous_seq, 2);
        assert!(answer.t_sent >= answer.t_recv && answer.credit == 500);
    }
    let sold = unit(&app, tin).await.kept;
    assert_eq!(sold.state.phase, Phase::Sold, "{sold:?}");
    assert_eq!(
        sold.state.batch.map(|b| b.0.to_string()),
        Some(scene.batch.clone())
    );
    app.stop().await;
});

on_both!(the_bytes_are_kept_as_they_came, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    // Not as any program would write it again: spaces, order, escapes, unknown fields.
    let text = device.text(1, "sale", &sale(&[&scene.tins[0]]));
    let text = format!("{{ \"future\" : \"\\u4f60\",{} ", &text[1..]);
    let text = device.make(text);
    device.push(std::slice::from_ref(&text)).await;
    let db = &app.state().db;
    let query = suyuan::db::statement(db.backend(), "SELECT body, hash FROM event", []);
    let row = sea_orm::ConnectionTrait::query_one_raw(db.reader(), query).await;
    let row = row.unwrap().unwrap();
    assert_eq!(row.try_get::<Vec<u8>>("", "body").unwrap(), text.as_bytes());
    assert_eq!(row.try_get::<Vec<u8>>("", "hash").unwrap(), device.head().0);
    app.stop().await;
});

on_both!(
    t1_the_same_again_is_a_duplicate_with_the_first_answer,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let events = [
            device.event("sale", &sale(&[&scene.tins[0]])),
            device.event("sale", &sale(&[&scene.tins[1]])),
            device.make("no event at all".into()),
        ];
        let genesis = device.history[0];
        let first = device.push(&events).await;
        assert_eq!(
            first.results[0].findings.len(),
            1,
            "nobody ever received it"
        );
        for _ in 0..2 {
            let again = device.push_at(1, genesis, &events).await;
            for (before, now) in first.results.iter().zip(&again.results) {
                assert_eq!(now.status, Status::Duplicate);
                assert_eq!((now.gseq, &now.code), (before.gseq, &before.code));
                assert_eq!(now.findings, before.findings);
            }
            assert_eq!(again.receipt.held_ranges, first.receipt.held_ranges);
            assert_eq!(again.receipt.head_hash, first.receipt.head_hash);
            assert!(again.receipt.stamp >= first.receipt.stamp);
        }
        assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, 3);
        // Some old, some new.
        let next = device.event("sale", &sale(&[&scene.tins[2]]));
        let mixed = [events[1].clone(), events[2].clone(), next];
        let answer = device.push_at(2, device.history[1], &mixed).await;
        let status: Vec<Status> = answer.results.iter().map(|r| r.status).collect();
        assert_eq!(
            status,
            [Status::Duplicate, Status::Duplicate, Status::Stored]
        );
        app.stop().await;
    }
);

on_both!(the_same_batch_over_two_connections_is_stored_once, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let genesis = device.history[0];
    let events: Vec<String> = (0..20)
        .map(|n| device.event("sale", &sale(&[&scene.tins[n]])))
        .collect();
    let (a, b, c) = futures_util::join!(
        device.try_push(1, genesis, &events),
        device.try_push(1, genesis, &events),
        device.try_push(1, genesis, &events),
    );
    let mut stored = 0;
    for answer in [a, b, c] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let results = answer.json()["results"].clone();
        let results = results.as_array().unwrap();
        stored += results.iter().filter(|r| r["status"] == "stored").count();
        assert!(results.iter().all(|r| r["status"] != "quarantined"));
    }
    assert_eq!(stored, 20);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, 20);
    app.stop().await;
});

on_both!(a_receipt_is_signed_by_a_key_the_device_trusts, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let event = device.event("sale", &sale(&[&scene.tins[0]]));
    let receipt = device.push(&[event]).await.receipt;
    let keys: Vec<TrustKey> = serde_json::from_value(device.welcome["trust_keys"].clone()).unwrap();
    let key = keys.iter().find(|key| key.n == receipt.key).unwrap();
    assert!(point::verify(
        &key.key,
        &receipt.bytes_to_sign(),
        &receipt.sig
    ));
    let mut forged = receipt.clone();
    forged.contiguous_seq += 1;
    assert!(!point::verify(
        &key.key,
        &forged.bytes_to_sign(),
        &forged.sig
    ));
    // I30: whichever bit turns in it, it is no receipt any more, or none of that key.
    let good = serde_json::to_vec(&receipt).expect("a receipt");
    for (at, bit) in (0..good.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut turned = good.clone();
        turned[at] ^= 1 << bit;
        let Ok(read) = serde_json::from_slice::<Receipt>(&turned) else {
            continue;
        };
        // Of some texts two say the same: an id in capitals, say.
        let holds = read.key == key.n && point::verify(&key.key, &read.bytes_to_sign(), &read.sig);
        assert_eq!(holds, read == receipt, "bit {bit} of byte {at}");
    }
    app.stop().await;
});

on_both!(an_anchor_lies_above_the_stamp_it_was_given_at, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let mut before = device.anchor.clone();
    for n in 0..3 {
        let event = device.event("sale", &sale(&[&scene.tins[n]]));
        let answer = device.push(&[event]).await;
        let anchors = &app.state().handheld.anchors;
        let at = anchors
            .read(device.device.0, device.epoch, &answer.anchor)
            .unwrap();
        assert!(at > answer.receipt.stamp);
        assert!(answer.anchor > before, "later anchors are greater texts");
        before = answer.anchor;
    }
    app.stop().await;
});

on_both!(an_empty_push_fetches_a_receipt, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let answer = device.push(&[]).await;
    assert_eq!(answer.results.len(), 0);
    assert_eq!(
        (answer.receipt.contiguous_seq, answer.receipt.head_hash),
        (0, device.history[0])
    );
    let event = device.event("sale", &sale(&[&scene.tins[0]]));
    let one = device.push(&[event]).await;
    let answer = device.push(&[]).await;
    assert_eq!(answer.receipt.head_hash, one.receipt.head_hash);
    app.stop().await;
});

on_both!(compressed_pushes_are_taken_and_bombs_are_not, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    for (n, encoding) in ["gzip", "zstd"].into_iter().enumerate() {
        let event = device.event("sale", &sale(&[&scene.tins[n]]));
        let (first, prev) = (device.next - 1, device.history[n]);
        let events = [event];
        let token = device
            .key
            .token(TYP_PUSH, &device.claims(first, prev, &events));
        let frame = device.frame(first, prev, &events).to_string();
        // One bit turned on the way: that is said, not that nobody knows the device.
        let mut bent = compressed(frame.as_bytes(), encoding);
        let middle = bent.len() / 2;
        bent[middle] ^= 1;
        not_as_encoded(device.send(&token, encoding, bent).await);
        not_as_encoded(device.send(&token, encoding, b"neither".to_vec()).await);
        let (half, other) = frame.as_bytes().split_at(frame.len() / 2);
        let parts = [half, other].map(|part| compressed(part, encoding));
        let answer = device.send(&token, encoding, parts.concat()).await;
        assert_eq!(answer.status, 200, "{encoding}: {}", answer.text());
        let whole = compressed(frame.as_bytes(), encoding);
        let more = [&whole[..], b"more"].concat();
        let answer = device.send(&token, encoding, whole).await;
        assert_eq!(answer.status, 200, "{encoding}: {}", answer.text());
        not_as_encoded(device.send(&token, encoding, more).await);
        // Carried by somebody else it is no other.
        let (headers, plain) = ([("content-encoding", encoding)], frame.into_bytes());
        let carrier = &scene.firm.operator;
        let carried = carrier.send(Method::POST, "/v1/sync/deposit", &headers, plain);
        not_as_encoded(carried.await);
        let bomb = compressed(&vec![b' '; 100 << 20], encoding);
        assert!(bomb.len() < 1 << 20);
        refused(device.send(&token, encoding, bomb).await, "too-large");
    }
    let token = device
        .key
        .token(TYP_PUSH, &device.claims(3, device.head(), &[]));
    refused(
        device.send(&token, "br", Vec::new()).await,
        "unsupported-media-type",
    );
    refused(
        device.send(&token, "", vec![b' '; (1 << 20) + 1]).await,
        "too-large",
    );
    app.stop().await;
});

/// It is refused for how it is compressed, in both languages, and not as another message.
fn not_as_encoded(answer: Answer) {
    let problem = refused(answer, "malformed-body");
    let [detail, zh] = ["detail", "detail_zh"].map(|name| problem[name].as_str().unwrap());
    assert!(
        detail.starts_with("not_as_encoded: the body is not"),
        "{detail}"
    );
    assert!(
        zh.contains("与 Content-Encoding 所称的压缩方式不符"),
        "{zh}"
    );
    assert!(!zh.contains("JSON"), "{zh}");
}

fn compressed(bytes: &[u8], encoding: &str) -> Vec<u8> {
    if encoding == "zstd" {
        return ruzstd::encoding::compress_to_vec(
            bytes,
            ruzstd::encoding::CompressionLevel::Fastest,
        );
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

on_both!(
    a_frame_that_cannot_be_read_fills_nothing_and_is_kept_aside,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let event = device.event("sale", &sale(&[&scene.tins[0]]));
        let events = [event];
        let genesis = device.history[0];
        let token = device
            .key
            .token(TYP_PUSH, &device.claims(1, genesis, &events));
        let frame = device.frame(1, genesis, &events);
        let with = |name: &str, value: Value| {
            let mut frame = frame.clone();
            frame[name] = value;
            frame.to_string().into_bytes()
        };
        let many: Vec<String> = vec!["{}".into(); 501];
        for (body, problem) in [
            (b"not JSON".to_vec(), "malformed-body"),
            (Vec::new(), "malformed-body"),
            (vec![b'['; 1 << 19], "malformed-body"),
            (
                b"{\"v\":1,\"events\":[\"\xff\"]}".to_vec(),
                "malformed-body",
            ),
            (with("v", json!(2)), "malformed-body"),
            (with("first_seq", json!(0)), "malformed-body"),
            (with("first_seq", json!(1_u64 << 63)), "malformed-body"),
            (with("first_seq", json!(-1)), "malformed-body"),
            (with("events", json!([7])), "malformed-body"),
            (with("events", json!(many)), "too-large"),
        ] {
            refused(device.send(&token, "", body).await, problem);
        }
        assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, 0);
        assert_eq!(
            count(&app, "SELECT COUNT(*) AS n FROM dead_letter").await,
            9
        );
        app.stop().await;
    }
);

on_both!(only_what_was_signed_is_taken, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let other = scene.device(&app, &scene.store).await;
    let event = device.event("sale", &sale(&[&scene.tins[0]]));
    let genesis = device.history[0];
    let events = [event];
    let claims = device.claims(1, genesis, &events);
    let frame = device.frame(1, genesis, &events).to_string().into_bytes();
    let good = device.key.token(TYP_PUSH, &claims);
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        device.key.token(TYP_PUSH, &claims)
    };
    let mut tampered = events[0].clone();
    tampered = tampered.replace("w-17", "w-18");
    let tampered = device
        .frame(1, genesis, &[tampered])
        .to_string()
        .into_bytes();
    let none = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"suyuan-push+jwt"}"#),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    // The public key taken for a secret: the point, without its first byte, and as JWK.
    let point = device.key.point();
    let jwk = device.key.jwk().to_string();
    let by_mac = [point, &point[1..], jwk.as_bytes()]
        .map(|secret| (DeviceKey::token_by_mac(TYP_PUSH, &claims, secret), &frame));
    let hs = device
        .key
        .token_with(&json!({"alg": "HS256", "typ": TYP_PUSH}), &claims);
    for (token, body) in by_mac.into_iter().chain([
        (String::new(), &frame),
        ("x".repeat(3000), &frame),
        (none, &frame),
        (hs, &frame),
        (other.key.token(TYP_PUSH, &claims), &frame),
        (DeviceKey::new().token(TYP_PUSH, &claims), &frame),
        (device.key.token("suyuan-read+jwt", &claims), &frame),
        (with("aud", json!("elsewhere")), &frame),
        (with("device", json!(other.device)), &frame),
        (with("device", json!(uuid::Uuid::new_v4())), &frame),
        (with("epoch", json!(2)), &frame),
        (with("first_seq", json!(2)), &frame),
        (with("last_seq", json!(2)), &frame),
        (with("prev_hash", json!(chain::Hash([7; 32]))), &frame),
        (with("head", json!(chain::Hash([7; 32]))), &frame),
        (good.clone(), &tampered),
    ]) {
        refused(
            device.send(&token, "", body.clone()).await,
            "device-not-known",
        );
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, 0);
    // Its clock is not judged.
    for (iat, exp) in [(0, 1), (4_070_908_800_i64, 4_070_908_801_i64)] {
        let mut claims = claims.clone();
        (claims["iat"], claims["exp"], claims["nbf"]) = (json!(iat), json!(exp), json!(iat));
        let token = device.key.token(TYP_PUSH, &claims);
        let answer = device.send(&token, "", frame.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    // A token that comes again can only say again what it said.
    let again = device.send(&good, "", frame).await.json();
    assert_eq!(again["results"][0]["status"], "duplicate");
    app.stop().await;
});

on_both!(a_late_upload_heals_what_seemed_wrong, |app| {
    let scene = Scene::of(&app).await;
    let tin = &scene.tins[0];
    let mut warehouse = scene.device(&app, &scene.store).await;
    let mut till = scene.device(&app, &scene.store).await;
    // Scanned now, uploaded late: its anchor is older than that of the sale.
    let late = warehouse.event("inbound", &inbound(&[tin]));
    let other = till.event("sale", &sale(&[&scene.tins[1]]));
    till.push(&[other]).await;
    let sold = till.event("sale", &sale(&[tin]));
    let answer = till.push(&[sold]).await;
    let codes: Vec<&str> = answer.results[0]
        .findings
        .iter()
        .map(|f| f.code.name())
        .collect();
    assert_eq!(codes, ["ORPHAN_SALE"]);
    assert_eq!(open(&app, tin).await, ["ORPHAN_SALE"]);
    let healed = warehouse.push(&[late]).await;
    assert_eq!(healed.results[0].status, Status::Stored);
    assert_eq!(open(&app, tin).await, [""; 0]);
    let sql = "SELECT COUNT(*) AS n FROM finding WHERE code = 'ORPHAN_SALE' \
               AND closed IS NOT NULL AND closed_by IS NOT NULL";
    assert_eq!(count(&app, sql).await, 1, "it keeps its history");
    app.stop().await;
});

on_both!(what_is_in_a_case_moves_with_it, |app| {
    let scene = Scene::of(&app).await;
    let case = &scene.cases[0];
    let tins: Vec<&String> = scene.tins[..6].iter().collect();
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut store = scene.device(&app, &scene.store).await;
    let packed = json!({
        "parent": {"code": case, "input": "wedge"}, "children": scanned(&tins), "declared": 6,
    });
    let events = [
        plant.event("pack", &packed),
        plant.event("outbound", &outbound(&[case], &scene.store)),
    ];
    for result in plant.push(&events).await.results {
        assert_eq!(result.status, Status::Stored, "{result:?}");
        assert_eq!(result.findings, [], "{result:?}");
    }
    let inside = unit(&app, tins[0]).await;
    assert_eq!(inside.kept.state.inside, Some(crate::scene::key(case)));
    let anchor = plant.anchor.clone();
    store.keep(&anchor); // not its own: it counts for nothing
    let fetched = store.push(&[]).await;
    store.keep(&fetched.anchor);
    let events = [
        store.event("inbound", &inbound(&[case])),
        store.event("sale", &sale(&[tins[0]])),
    ];
    let answer = store.push(&events).await;
    let codes: Vec<&str> = answer.results[1]
        .findings
        .iter()
        .map(|f| f.code.name())
        .collect();
    assert_eq!(codes, ["IMPLIED_UNPACK"], "{answer:?}");
    assert_eq!(unit(&app, tins[0]).await.kept.state.phase, Phase::Sold);
    assert_eq!(unit(&app, case).await.kept.state.phase, Phase::InStock);
    app.stop().await;
});

on_both!(devices_are_told_the_time_that_stamps_the_log, |app| {
    const SECOND: i64 = 1_000_000;
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    // The clock of this process goes wrong. On SQLite it is the one that stamps, too.
    app.clock.jump_by(50 * SECOND);
    let event = device.event("sale", &sale(&[&scene.tins[0]]));
    let answer = device.push(&[event]).await;
    let stamp = answer.receipt.stamp;
    let anchors = &app.state().handheld.anchors;
    let pulled = device.pull(0, 50).await;
    for anchor in [&answer.anchor, &pulled.anchor] {
        let at = anchors.read(device.device.0, device.epoch, anchor).unwrap();
        assert!((1..20 * SECOND).contains(&(at - stamp)), "{}", at - stamp);
    }
    for told in [answer.t_recv, answer.t_sent] {
        assert!((told - stamp).abs() < 20 * SECOND, "{}", told - stamp);
    }
    app.stop().await;
});

on_both!(
    a_receipt_that_a_device_shows_counts_only_if_it_is_ours,
    |app| {
        use suyuan::handheld::push::receive::{Ahead, ahead};
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let event = device.event("sale", &sale(&[&scene.tins[0]]));
        let receipt = device.push(&[event]).await.receipt;
        let keys = app.state().handheld.keys.chain();
        let (held, none) = (receipt.held_ranges.clone(), Ranges::default());
        assert_eq!(ahead(&keys, &receipt, &held), Ahead::Nothing);
        assert_eq!(ahead(&keys, &receipt, &none), Ahead::Lost(held.clone()));
        let mut forged = receipt.clone();
        forged.contiguous_seq += 1;
        assert_eq!(ahead(&keys, &forged, &none), Ahead::Forged);
        let mut of_nobody = receipt.clone();
        of_nobody.key += 1;
        assert_eq!(ahead(&keys, &of_nobody, &none), Ahead::Forged);
        app.stop().await;
    }
);

on_both!(nobody_pushes_the_dead_letters_of_another_out, |app| {
    let (db, ours, theirs) = (&app.state().db, Uuid::now_v7(), Uuid::now_v7());
    let letter = async |whose: Uuid, at: i64| {
        let device = (Uuid::now_v7(), 1);
        suyuan::handheld::push::store::dead_letter(db, whose, device, at, "torn", b"{")
            .await
            .expect("kept");
    };
    letter(ours, 1).await;
    for at in 2..=205 {
        letter(theirs, at).await;
    }
    let kept = "SELECT COUNT(*) AS n FROM dead_letter";
    assert_eq!(count(&app, kept).await, 201);
    let oldest = "SELECT MIN(at) AS n FROM dead_letter WHERE at > 1";
    assert_eq!(count(&app, oldest).await, 6);
    assert_eq!(count(&app, "SELECT MIN(at) AS n FROM dead_letter").await, 1);
    app.stop().await;
});

on_both!(
    i5_what_is_told_of_duplicates_is_of_the_act_before_them,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let genesis = device.head();
        let event = device.event("inbound", &inbound(&[&scene.tins[0]]));
        device.push(std::slice::from_ref(&event)).await;
        settled(&app).await;
        // A clock that runs on makes no receipt newer than one of what comes in once it was set back.
        let mut stamps = Vec::new();
        for _ in 0..2 {
            let answer = device
                .push_at(1, genesis, std::slice::from_ref(&event))
                .await;
            stamps.push(answer.receipt.stamp);
        }
        let (head, stamp) = app.state().log.head().await.expect("the head");
        assert_eq!(stamps, [stamp, stamp], "as of {head}");
        app.stop().await;
    }
);
