//! T2 to T9: what stands aside is durable, fills its number, and blocks nobody.

use crate::{
    scene::{Scene, count, fates, inbound, open_about_events, sale, unit},
    support::{PASSWORD, array, firm, made, ok, refused, text_of},
};
use serde_json::{Value, json};
use suyuan_sync::{
    chain,
    finding::FindingCode,
    fold::Phase,
    limits::SEQ_MAX,
    wire::{Ranges, Status},
};
use suyuan_tests::on_both;
use uuid::Uuid;

fn codes(answer: &suyuan_sync::wire::PushAnswer) -> Vec<Option<&str>> {
    answer.results.iter().map(|r| r.code.as_deref()).collect()
}

fn status(answer: &suyuan_sync::wire::PushAnswer) -> Vec<Status> {
    answer.results.iter().map(|r| r.status).collect()
}

on_both!(t2_a_second_event_under_an_id_is_kept_apart, |app| {
    let scene = Scene::of(&app).await;
    let mut first = scene.device(&app, &scene.store).await;
    let mut second = scene.device(&app, &scene.store).await;
    let id = Uuid::now_v7();
    let mut said = sale(&[&scene.tins[0]]);
    said["event_id"] = json!(id);
    let event = first.event("sale", &said);
    first.push(&[event]).await;
    said["units"] = sale(&[&scene.tins[1]])["units"].clone();
    let events = [
        second.event("sale", &said),
        second.event("sale", &sale(&[&scene.tins[2]])),
    ];
    let answer = second.push(&events).await;
    assert_eq!(status(&answer), [Status::Quarantined, Status::Stored]);
    assert_eq!(codes(&answer), [Some("ID_REUSE"), None]);
    assert_eq!(answer.results[0].gseq, None);
    assert_eq!(answer.receipt.contiguous_seq, 2, "it fills its number");
    assert_eq!(open_about_events(&app, FindingCode::IdReuse).await, 1);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM unit").await, 2);
    app.stop().await;
});

on_both!(t3_of_two_copies_of_a_device_the_first_heard_stays, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let event = device.event("inbound", &inbound(&[&scene.tins[0]]));
    device.push(&[event]).await;
    let mut copy = device.copy(&app.internal_url);
    let own = device.event("sale", &sale(&[&scene.tins[0]]));
    assert_eq!(status(&device.push(&[own]).await), [Status::Stored]);
    // The copy goes on from the same place: it and all that descends from it is kept apart.
    let events = [
        copy.event("sale", &sale(&[&scene.tins[1]])),
        copy.event("sale", &sale(&[&scene.tins[2]])),
    ];
    let answer = copy.push(&events).await;
    assert_eq!(status(&answer), [Status::Quarantined; 2]);
    assert_eq!(codes(&answer), [Some("DEVICE_FORK"); 2]);
    assert!(answer.receipt.covers(3));
    let more = copy.event("sale", &sale(&[&scene.tins[3]]));
    assert_eq!(status(&copy.push(&[more]).await), [Status::Quarantined]);
    // The first goes on under the same numbers.
    let own = device.event("sale", &sale(&[&scene.tins[4]]));
    let answer = device.push(&[own]).await;
    assert_eq!(status(&answer), [Status::Stored], "{answer:?}");
    // What is sent again is answered as it was.
    let again = copy.push_at(2, copy.history[1], &events).await;
    assert_eq!(status(&again), [Status::Duplicate; 2]);
    assert_eq!(codes(&again), [Some("DEVICE_FORK"); 2]);
    assert_eq!(open_about_events(&app, FindingCode::DeviceFork).await, 3);
    app.stop().await;
});

on_both!(
    t3_a_copy_that_goes_on_where_the_first_ends_stays_apart,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let event = device.event("inbound", &inbound(&[&scene.tins[0]]));
        device.push(&[event]).await;
        let mut copy = device.copy(&app.internal_url);
        let own = device.event("sale", &sale(&[&scene.tins[0]]));
        device.push(&[own]).await;
        // One by one: the second has the number that is next on the first branch.
        for tin in &scene.tins[1..3] {
            let event = copy.event("sale", &sale(&[tin]));
            let answer = copy.push(&[event]).await;
            assert_eq!(codes(&answer), [Some("DEVICE_FORK")]);
            assert_eq!(status(&answer), [Status::Quarantined]);
        }
        let own = device.event("sale", &sale(&[&scene.tins[4]]));
        assert_eq!(status(&device.push(&[own]).await), [Status::Stored]);
        assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM unit").await, 2);
        app.stop().await;
    }
);

on_both!(t4_a_gap_hinders_nothing_and_may_be_filled, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let genesis = device.history[0];
    let texts: Vec<String> = (0..6)
        .map(|n| device.event("inbound", &inbound(&[&scene.tins[n]])))
        .collect();
    device.push_at(1, genesis, &texts[..2]).await;
    let after = device.push_at(5, device.history[4], &texts[4..]).await;
    assert_eq!(status(&after), [Status::Stored; 2], "shown at once");
    assert_eq!(after.receipt.contiguous_seq, 2);
    assert_eq!(after.receipt.missing_ranges, Ranges::of(3, 4));
    assert!(
        !after.receipt.covers(3),
        "never merely below the contiguous number"
    );
    assert_eq!(
        unit(&app, &scene.tins[5]).await.kept.state.phase,
        Phase::InStock
    );
    let filled = device.push_at(3, device.history[2], &texts[2..4]).await;
    assert_eq!(filled.receipt.contiguous_seq, 6);
    assert_eq!(filled.receipt.held_ranges, Ranges::of(1, 6));
    assert_eq!(filled.receipt.head_hash, device.head());
    // Effective times never go down along the sequence.
    let sql = "SELECT COUNT(*) AS n FROM event a JOIN event b ON b.seq > a.seq WHERE b.eff < a.eff";
    assert_eq!(count(&app, sql).await, 0);
    app.stop().await;
});

on_both!(
    t5_a_break_in_the_chain_is_flagged_and_the_goods_moved_all_the_same,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let event = device.event("inbound", &inbound(&[&scene.tins[0]]));
        device.push(&[event]).await;
        let text = device.text(2, "sale", &sale(&[&scene.tins[0]]));
        let answer = device.push_at(2, chain::Hash([9; 32]), &[text]).await;
        assert_eq!(status(&answer), [Status::StoredFlagged]);
        assert_eq!(codes(&answer), [Some("CHAIN_BREAK")]);
        assert_eq!(
            unit(&app, &scene.tins[0]).await.kept.state.phase,
            Phase::Sold
        );
        assert_eq!(open_about_events(&app, FindingCode::ChainBreak).await, 1);
        // Behind a gap, too.
        let text = device.text(7, "sale", &sale(&[&scene.tins[1]]));
        let answer = device.push_at(7, chain::Hash([8; 32]), &[text]).await;
        assert_eq!(
            status(&answer),
            [Status::Stored],
            "nothing is known before it"
        );
        let text = device.text(8, "sale", &sale(&[&scene.tins[2]]));
        let answer = device.push_at(8, chain::Hash([7; 32]), &[text]).await;
        assert_eq!(codes(&answer), [Some("CHAIN_BREAK")]);
        app.stop().await;
    }
);

on_both!(
    t6_what_a_revoked_key_signs_is_kept_and_changes_nothing,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let event = device.event("inbound", &inbound(&[&scene.tins[0]]));
        device.push(&[event]).await;
        scene.revoke(&device).await;
        let event = device.event("sale", &sale(&[&scene.tins[0]]));
        let answer = device.push(&[event]).await;
        assert_eq!(status(&answer), [Status::Quarantined]);
        assert_eq!(codes(&answer), [Some("DEVICE_REVOKED")]);
        assert!(answer.receipt.covers(2));
        assert_eq!(
            unit(&app, &scene.tins[0]).await.kept.state.phase,
            Phase::InStock
        );
        app.stop().await;
    }
);

on_both!(t7_a_kind_of_tomorrow_waits, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let newer = device
        .text(2, "sale", &sale(&[&scene.tins[1]]))
        .replace("\"v\":1", "\"v\":2");
    let events = [
        device.event("teleport", &sale(&[&scene.tins[0]])),
        device.make(newer),
        device.event("sale", &sale(&[&scene.tins[2]])),
    ];
    let answer = device.push(&events).await;
    let expected = [Status::Parked, Status::Parked, Status::Stored];
    assert_eq!(status(&answer), expected, "{answer:?}");
    assert_eq!(codes(&answer)[..2], [Some("UNKNOWN_KIND"); 2]);
    // Nobody can decide what they mean: they wait for the program, whatever anybody says.
    let listed = async || ok(scene.firm.admin.get("/v1/quarantine").await)["items"].clone();
    let before = listed().await;
    for at in 0..2 {
        let path = format!("/v1/quarantine/{}/admit", before[at]["position"]);
        let note = json!({"note": "it is what we meant"});
        let said = scene.firm.admin.post(&path, &note).await;
        refused(said, "kind-unknown");
    }
    assert_eq!(listed().await, before);
    let decided = "SELECT COUNT(*) AS n FROM log_entry WHERE kind = 'admitted'";
    assert_eq!(count(&app, decided).await, 0);
    app.stop().await;
});

on_both!(a_nul_in_a_text_means_the_same_on_every_database, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let line = |gtin: &str, lot: &str| json!({"gtin": gtin, "lot": lot, "qty": 1});
    let lots = json!([line("A\u{0}B", "L1"), line("AB", "L\u{0}7")]);
    let events = [
        device.event("inbound", &json!({"lots": lots, "doc": {"no": "D\u{0}"}})),
        device.event("sale\u{0}", &sale(&[&scene.tins[0]])),
        device.event("sale", &sale(&[&scene.tins[1]])),
    ];
    let answer = device.push(&events).await;
    assert_eq!(status(&answer)[1..], [Status::Parked, Status::Stored]);
    assert_ne!(status(&answer)[0], Status::Parked);
    assert_eq!(codes(&answer)[1], Some("UNKNOWN_KIND"));
    let lines = "SELECT COUNT(*) AS n FROM lot_line WHERE balance = 1";
    assert_eq!(count(&app, lines).await, 2);
    // What the device wrote is kept as it wrote it.
    let kept = "SELECT COUNT(*) AS n FROM event WHERE kind LIKE 'sale_'";
    assert_eq!(count(&app, kept).await, 1);
    app.stop().await;
});

on_both!(t8_a_business_act_enters_whole, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let group = Uuid::now_v7();
    let of = |n: u32| {
        let mut said = inbound(&[&scene.tins[n as usize]]);
        said["group"] = json!({"id": group, "n": n, "of": 3});
        said
    };
    let events = [
        device.event("inbound", &of(1)),
        device.event("inbound", &of(2)),
    ];
    let answer = device.push(&events).await;
    assert_eq!(status(&answer), [Status::Parked; 2]);
    assert_eq!(codes(&answer), [Some("GROUP_INCOMPLETE"); 2]);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM unit").await, 0);
    let last = device.event("inbound", &of(3));
    assert_eq!(status(&device.push(&[last]).await), [Status::Stored]);
    for tin in &scene.tins[1..=3] {
        assert_eq!(unit(&app, tin).await.kept.state.phase, Phase::InStock);
    }
    let all: Vec<String> = fates(&app)
        .await
        .into_iter()
        .map(|(_, fate)| fate)
        .collect();
    assert_eq!(all, ["stored"; 3]);
    app.stop().await;
});

on_both!(
    t9_what_cannot_be_read_or_stands_elsewhere_is_kept_verbatim,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let tin = &scene.tins[0];
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let many = sale(&vec![tin; 2000]);
        let wrong_seq = device.text(77, "sale", &sale(&[tin]));
        // Numbers past the last there is, of a later program's events, too.
        let past_all = [
            (1 << 63, "sale"),
            (u64::MAX, "sale"),
            (u64::MAX, "levitate"),
        ]
        .map(|(seq, kind)| device.text(seq, kind, &sale(&[tin])));
        let elsewhere = device
            .text(6, "sale", &sale(&[tin]))
            .replace(&device.device.to_string(), &Uuid::new_v4().to_string());
        let events = [
            device.make(String::new()),
            device.make("\u{0}".into()),
            device.make(deep[..200_000].to_owned()),
            device.make("{\"v\":1,\"kind\":\"sale\"}".into()),
            device.make(wrong_seq),
            device.make(elsewhere),
            device.event("sale", &many),
            device.event("sale", &json!({"units": [], "at": "once upon a time"})),
            device.make(past_all[0].clone()),
            device.make(past_all[1].clone()),
            device.make(past_all[2].clone()),
            device.event("sale", &sale(&[tin])),
        ];
        let answer = device.push(&events).await;
        let mut expected = vec![Some("UNREADABLE"); 11];
        (expected[4], expected[5]) = (Some("SEQ_MISMATCH"), Some("SEQ_MISMATCH"));
        expected.push(None);
        assert_eq!(codes(&answer), expected, "{answer:?}");
        assert_eq!(answer.results[11].status, Status::Stored);
        assert_eq!(answer.receipt.contiguous_seq, 12);
        // They are listed, the empty one, too.
        let listed = ok(scene.firm.admin.get("/v1/quarantine").await);
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(11));
        app.stop().await;
    }
);

on_both!(
    numbers_and_times_from_nowhere_are_taken_as_they_are,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        for at in [
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999+14:00",
            "1970-01-01T00:00:00Z",
        ] {
            let mut said = sale(&[&scene.tins[0]]);
            (said["at"], said["anchor_wall"]) = (json!(at), json!(at));
            said["mono"] = json!(SEQ_MAX);
            let event = device.event("sale", &said);
            let answer = device.push(&[event]).await;
            assert!(answer.results[0].gseq.is_some(), "{at}: {answer:?}");
        }
        // The last numbers there are, far from the first.
        let text = device.text(SEQ_MAX, "sale", &sale(&[&scene.tins[1]]));
        let answer = device.push_at(SEQ_MAX, chain::Hash([1; 32]), &[text]).await;
        assert_eq!(answer.receipt.contiguous_seq, 3);
        assert!(answer.receipt.covers(SEQ_MAX));
        let sql = "SELECT COUNT(*) AS n FROM event WHERE eff < lo OR eff > stamp";
        assert_eq!(count(&app, sql).await, 0);
        app.stop().await;
    }
);

on_both!(a_stranger_cannot_touch_a_sequence, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let stranger = scene.device(&app, &scene.store).await;
    let event = device.event("sale", &sale(&[&scene.tins[0]]));
    let genesis = device.history[0];
    // Whoever knows the device's id and its next event, but not its key.
    let mut pretended = device.copy(&app.internal_url);
    pretended.key = stranger.key.copy();
    let answer = pretended
        .try_push(1, genesis, std::slice::from_ref(&event))
        .await;
    assert_eq!(
        (answer.status, answer.problem()),
        (401, "device-not-known".into())
    );
    assert_eq!(status(&device.push(&[event]).await), [Status::Stored]);
    let listed = ok(scene.firm.operator.get("/v1/devices").await);
    assert_eq!(text_of(&listed["items"][0]["name"]), "PDA");
    app.stop().await;
});

on_both!(
    the_status_tells_how_many_more_there_are_than_it_has_room_for,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        // Of a later program (T7), and what nobody can read (T9).
        for several in [500, 3] {
            let make = |_| device.event("levitate", &json!({}));
            let events: Vec<String> = (0..several).map(make).collect();
            device.push(&events).await;
        }
        let told = device.status().await;
        assert!(told.more);
        assert_eq!((told.parked.len(), told.more_parked), (500, 3));
        for several in [500, 1] {
            let events: Vec<String> = (0..several).map(|_| device.make("{}".into())).collect();
            device.push(&events).await;
        }
        let told = device.status().await;
        assert_eq!((told.parked.len(), told.more_parked), (500, 3));
        assert_eq!((told.quarantined.len(), told.more_quarantined), (500, 1));
        let seqs: Vec<u64> = told.parked.iter().map(|aside| aside.seq).collect();
        assert_eq!(seqs, (1..=500).collect::<Vec<_>>(), "the oldest");
        app.stop().await;
    }
);

on_both!(
    i29_the_list_of_what_stands_aside_tells_how_each_text_begins_and_one_is_told_whole,
    |app| {
        let scene = Scene::of(&app).await;
        let staff = &scene.firm.operator;
        let mut device = scene.device(&app, &scene.store).await;
        // Cut within a character, too.
        let long = ["x".repeat(300_000), "奶".repeat(100_000), "{}".to_owned()];
        let events = long.clone().map(|text| device.make(text));
        device.push(&events).await;
        let counted = device.event("inbound", &inbound(&[&scene.tins[0]]));
        let counted = device.push(&[counted]).await.results[0].gseq;
        let answer = staff.get("/v1/quarantine").await;
        assert!(answer.body.len() < 8_000, "{} bytes", answer.body.len());
        let items = ok(answer)["items"].clone();
        assert_eq!(array(&items).len(), 3);
        for (item, text) in array(&items).iter().zip(&long) {
            let begins = text_of(&item["text"]);
            assert!(text.starts_with(&begins), "{begins}");
            assert!(begins.len() > 1_020 || begins == *text, "{begins}");
            assert_eq!(item["bytes"], json!(text.len()));
            let path = format!("/v1/quarantine/{}", item["position"]);
            let mut whole = ok(staff.get(&path).await);
            assert_eq!(text_of(&whole["text"]), *text);
            whole["text"] = item["text"].clone();
            // Only all of a text says why it is no event.
            let reason = whole.as_object_mut().unwrap().remove("reason");
            assert!(reason.is_some_and(|reason| !text_of(&reason).is_empty()));
            assert_eq!(whole, *item, "all else is as in the list");
        }
        // What counts does not stand aside, and what is another's is not there.
        let path = format!("/v1/quarantine/{}", counted.expect("it counts"));
        refused(staff.get(&path).await, "not-found");
        let operator = app.signed_in("platform.admin", PASSWORD).await;
        let beta = firm(&app, &operator, "BETA", &["9521235"]).await;
        let path = format!("/v1/quarantine/{}", items[0]["position"]);
        refused(beta.operator.get(&path).await, "not-found");
        // A regulator is told what stands aside, and not what nobody has read.
        let account = json!({"username": "inspector", "password": PASSWORD, "role": "regulator"});
        made(operator.post("/v1/users", &account).await);
        let regulator = app.signed_in("inspector", PASSWORD).await;
        let listed = format!("/v1/quarantine?enterprise_id={}", scene.firm.id);
        let listed = ok(regulator.get(&listed).await)["items"].clone();
        let mut without = items.clone();
        for item in without.as_array_mut().expect("items") {
            item.as_object_mut().expect("an item").remove("text");
        }
        assert_eq!(listed, without);
        refused(regulator.get(&path).await, "not-allowed");
        app.stop().await;
    }
);

on_both!(
    a_decision_that_is_sent_again_with_its_key_is_answered_as_it_was,
    |app| {
        let scene = Scene::of(&app).await;
        let admin = &scene.firm.admin;
        let mut device = scene.device(&app, &scene.store).await;
        let twice = async |path: &str, body: &Value| {
            let headers = [("idempotency-key", path)];
            let first = ok(admin.post_with(path, &headers, body).await);
            let position = count(&app, "SELECT MAX(gseq) AS n FROM log_entry").await;
            assert_eq!(ok(admin.post_with(path, &headers, body).await), first);
            let after = count(&app, "SELECT MAX(gseq) AS n FROM log_entry").await;
            assert_eq!(after, position, "done once");
            first
        };
        let path = format!("/v1/devices/{}/revoke", device.device);
        let reason = json!({"reason": "stolen"});
        let revoked = twice(&path, &reason).await;
        assert!(revoked["revoked_at"].is_string());
        refused(admin.post(&path, &reason).await, "device-revoked");
        let event = device.event("sale", &sale(&[&scene.tins[0]]));
        device.push(&[event]).await;
        let position = ok(admin.get("/v1/quarantine").await)["items"][0]["position"].clone();
        let path = format!("/v1/quarantine/{position}/admit");
        let note = json!({"note": "seen on paper"});
        let admitted = twice(&path, &note).await;
        assert_eq!(admitted["position"], position);
        refused(admin.post(&path, &note).await, "not-aside");
        let other = json!({"note": "another"});
        let headers = [("idempotency-key", path.as_str())];
        let answer = admin.post_with(&path, &headers, &other).await;
        refused(answer, "idempotency-key-reused");
        app.stop().await;
    }
);
