//! C9, from the till's page to the finding: what somebody who sold recalled goods knew, and how old the
//! list was that he went by.

use crate::{
    held::Held,
    refolds::recalled,
    refolds_batches::{commissioned_twice, uncommissioned},
    scene::{Scene, count, inbound, sale, settled, unit},
    support::{id, made, person},
};
use sea_orm::ConnectionTrait;
use serde_json::json;
use suyuan::accounts::Role;
use suyuan_sync::{
    finding::{Detail, Knowledge},
    till::Reason,
};
use suyuan_tests::{TestApp, on_both, recall_order};

/// What the seller of a tin knew, as the finding says.
pub async fn knowledge(app: &TestApp, tin: &str) -> Vec<Knowledge> {
    let kept = unit(app, tin).await.kept;
    let of = |detail: &Detail| match detail {
        Detail::SoldRecalled { knowledge, .. } => Some(*knowledge),
        _ => None,
    };
    kept.findings
        .iter()
        .filter_map(|kept| of(&kept.finding.detail))
        .collect()
}

/// What was committed at a position was committed so much earlier.
async fn earlier(app: &TestApp, position: i64, hours: i64) {
    let db = &app.state().db;
    let micros = hours * 3_600_000_000;
    let mut moved = 0;
    for table in ["event", "log_entry"] {
        let sql = format!("UPDATE {table} SET stamp = stamp - {micros} WHERE gseq = {position}");
        let done = db.writer().execute_unprepared(&sql).await;
        moved += done.expect("an instant").rows_affected();
    }
    assert_eq!(moved, 1);
}

on_both!(c9_how_old_the_list_was_decides_whose_fault_it_is, |app| {
    let scene = Scene::of(&app).await;
    let [stale, young, knew, overruled] = [0, 1, 2, 3].map(|n| &scene.tins[n]);
    // One till has a list that is 25 hours old, acknowledged; its anchor is of now.
    let mut old = scene.device(&app, &scene.store).await;
    let mut till = Held::default();
    till.pull(&mut old).await;
    till.pull(&mut old).await;
    let made_at = till.as_of.1;
    // It was the newest until something else happened, soon after.
    let event = old.event("sale", &sale(&[&scene.tins[9]]));
    old.push(&[event]).await;
    for position in [till.as_of.0, till.as_of.0 + 1] {
        earlier(&app, position, 25).await;
    }
    let now = made_at + 25 * 3_600_000_000;
    let said = till.decide(stale, now);
    assert!(said.reasons.contains(&Reason::StaleList), "{said:?}");
    // Another pulled a moment ago.
    let mut fresh = scene.device(&app, &scene.store).await;
    let mut list = Held::default();
    list.pull(&mut fresh).await;
    list.pull(&mut fresh).await;
    assert!(list.as_of.0 > till.as_of.0);

    let order = recall_order(&json!([scene.batch]), "r", "i");
    let recall = id(&made(scene.firm.admin.post("/v1/recalls", &order).await));
    let with = |tin: &String, list: &Held| {
        let mut said = sale(&[tin]);
        said["list_version"] = json!(list.as_of.0);
        said
    };
    let event = old.event("sale", &with(stale, &till));
    old.push(&[event]).await;
    let event = fresh.event("sale", &with(young, &list));
    fresh.push(&[event]).await;
    assert_eq!(knowledge(&app, stale).await, [Knowledge::StaleList]);
    assert_eq!(knowledge(&app, young).await, [Knowledge::CouldNotKnow]);

    // Whoever was told and acknowledged it knew; the other was warned and went on.
    list.pull(&mut fresh).await;
    let batches = list.list.as_ref().map(|list| list.batches.len());
    assert_eq!(batches, Some(2), "by the GTINs of tins and cases");
    list.pull(&mut fresh).await;
    let mut warned = with(overruled, &list);
    warned["override"] = json!({"code": "RECALLED", "reason": "顾客坚持", "recall": recall});
    let events = [
        fresh.event("sale", &with(knew, &list)),
        fresh.event("sale", &warned),
    ];
    fresh.push(&events).await;
    assert_eq!(knowledge(&app, knew).await, [Knowledge::Knew]);
    assert_eq!(knowledge(&app, overruled).await, [Knowledge::Overridden]);
    app.stop().await;
});

on_both!(
    c9_how_old_the_list_was_counts_of_goods_that_come_to_be_of_a_batch,
    |app| {
        let scene = Scene::of(&app).await;
        let (other, tins) = uncommissioned(&scene).await;
        let mut old = scene.device(&app, &scene.store).await;
        let mut till = Held::default();
        till.pull(&mut old).await;
        till.pull(&mut old).await;
        let event = old.event("sale", &sale(&[&scene.tins[9]]));
        old.push(&[event]).await;
        for position in [till.as_of.0, till.as_of.0 + 1] {
            earlier(&app, position, 25).await;
        }
        let mut first = scene.device(&app, &scene.plant).await;
        let mut second = scene.device(&app, &scene.plant).await;
        let mistaken = commissioned_twice(&tins[0], &mut first, &mut second).await;
        recalled(&scene, &other).await;
        settled(&app).await;
        // It has heard of nothing, but what it sells is sold after all that.
        old.push(&[]).await;
        let mut said = sale(&[&tins[0]]);
        said["list_version"] = json!(till.as_of.0);
        let event = old.event("sale", &said);
        old.push(&[event]).await;
        assert_eq!(knowledge(&app, &tins[0]).await, []);
        let event = first.event("retract", &json!({"target": mistaken}));
        first.push(&[event]).await;
        assert_eq!(knowledge(&app, &tins[0]).await, [Knowledge::StaleList]);
        app.stop().await;
    }
);

on_both!(c9_what_was_acknowledged_counts_from_its_anchor_on, |app| {
    let scene = Scene::of(&app).await;
    let mut other = scene.device(&app, &scene.store).await;
    let state = app.state();
    let mut asked = Vec::new();
    // Each event by itself, then all with one push.
    for together in [false, true] {
        let mut till = scene.device(&app, &scene.store).await;
        let now = app.clock.now();
        let (first, second) = (now - 60_000_000, now - 30_000_000);
        let (device, epoch) = (till.device.0, till.epoch);
        let anchor = |at: i64| state.handheld.anchors.issue(device, epoch, 0, at);
        // It asked under two anchors, with two cursors.
        let mut cursors = Vec::new();
        for (at, tin) in [(first, &scene.tins[0]), (second, &scene.tins[1])] {
            let event = other.event("inbound", &inbound(&[tin]));
            other.push(&[event]).await;
            let (head, _) = state.log.head().await.expect("the head");
            let path = format!("/v1/sync/pull?cursor={head}");
            assert_eq!(till.read_with(&path, &anchor(at)).await.status, 200);
            cursors.push(head);
        }
        let [told, more] = cursors[..] else {
            panic!("{cursors:?}")
        };
        let expected = [
            (first - 1, 0),
            (first, told),
            (first + 1, told),
            (second - 1, told),
            (second, more),
            (second + 1, more),
        ];
        asked.extend(expected.map(|(_, knew)| knew));
        let events = expected.map(|(at, _)| {
            let mut said = sale(&[&scene.tins[2]]);
            said["anchor"] = json!(anchor(at));
            till.event("sale", &said)
        });
        let each = if together { events.len() } else { 1 };
        let mut seq = 1;
        for events in events.chunks(each) {
            let before = till.history[seq - 1];
            till.push_at(seq as u64, before, events).await;
            seq += events.len();
        }
    }
    let all = async |when: &str| {
        for (n, knew) in asked.iter().enumerate() {
            let sql = format!(
                "SELECT delivered AS n FROM event WHERE kind = 'sale' ORDER BY gseq LIMIT 1 OFFSET {n}"
            );
            assert_eq!(count(&app, &sql).await, *knew, "{when}: sale {n}");
        }
    };
    all("pushed").await;
    // What a newer program takes in later is judged alike.
    taken_in_anew(&app, "kind = 'sale' AND gseq").await;
    all("taken in later").await;
    app.stop().await;
});

on_both!(
    c9_a_smaller_anchor_takes_nothing_back_that_was_acknowledged,
    |app| {
        let scene = Scene::of(&app).await;
        let mut till = scene.device(&app, &scene.store).await;
        let state = app.state();
        let now = app.clock.now();
        let (early, late) = (now - 60_000_000, now - 30_000_000);
        let (device, epoch) = (till.device.0, till.epoch);
        let anchor = |at: i64| state.handheld.anchors.issue(device, epoch, 0, at);
        let (told, _) = state.log.head().await.expect("the head");
        let path = format!("/v1/sync/pull?cursor={told}");
        assert_eq!(till.read_with(&path, &anchor(late)).await.status, 200);
        let sold = |at: Option<i64>| {
            let mut said = sale(&[&scene.tins[2]]);
            said["anchor"] = json!(at.map(anchor));
            said
        };
        let delivered = async |seq: i64, on: &str| {
            let sql = format!("SELECT delivered AS n FROM event WHERE seq = {seq} AND branch {on}");
            count(&app, &sql).await
        };
        let first = till.event("sale", &sold(Some(early)));
        till.push(&[first]).await;
        let mut copy = till.copy(&app.internal_url);
        // Of these one comes late, from before it knew, and one from after.
        let before = till.event("sale", &sold(Some(early)));
        let knew = till.event("sale", &sold(Some(late)));
        let after = till.event("sale", &sold(Some(early)));
        let last = till.event("sale", &sold(None));
        let with = till.event("sale", &sold(Some(early)));
        let hash = |seq: usize| till.history[seq - 1];
        let (of_knew, of_last) = (hash(3), hash(5));
        let (of_before, of_after) = (hash(2), hash(4));
        till.push_at(3, of_knew, &[knew]).await;
        till.push_at(5, of_last, &[last, with]).await;
        till.push_at(2, of_before, &[before]).await;
        till.push_at(4, of_after, &[after]).await;
        let next = till.event("sale", &sold(Some(early)));
        till.push(&[next]).await;
        let expected = [0, 0, told, told, told, told, told];
        for (seq, knew) in (1..).zip(expected) {
            assert_eq!(delivered(seq, "IS NULL").await, knew, "event {seq}");
        }
        // A copy that was made before knows what it stated itself.
        let own = [early, late, early];
        let own = own.map(|at| copy.event("sale", &sold(Some(at))));
        copy.push(&own).await;
        let own = copy.event("sale", &sold(None));
        copy.push(&[own]).await;
        for (seq, knew) in (2..).zip([0, told, told, told]) {
            let said = delivered(seq, "IS NOT NULL").await;
            assert_eq!(said, knew, "event {seq} of the copy");
        }
        // What a newer program takes in later is judged alike.
        let of = "branch IS NULL AND seq";
        taken_in_anew(&app, of).await;
        for (seq, knew) in (1..).zip(expected) {
            assert_eq!(delivered(seq, "IS NULL").await, knew, "event {seq} anew");
        }
        app.stop().await;
    }
);

/// As if these events (`of` above 0) were of kinds that nobody knew, and a newer program took them in.
async fn taken_in_anew(app: &TestApp, of: &str) {
    let state = app.state();
    let db = &state.db;
    for undo in [
        format!(
            "UPDATE event SET fate = 'parked', remarks = 'UNKNOWN_KIND', counts_from = NULL, \
             delivered = -1, told = '{{\"status\":\"parked\",\"remarks\":[\"UNKNOWN_KIND\"],\
             \"findings\":[]}}' WHERE {of} > 0"
        ),
        format!("DELETE FROM event_unit WHERE gseq IN (SELECT gseq FROM event WHERE {of} > 0)"),
    ] {
        db.writer().execute_unprepared(&undo).await.expect("undone");
    }
    let parked = suyuan::handheld::aside::store::unknown_kinds(db.reader(), 0, 100)
        .await
        .expect("what is parked");
    let taken = state
        .handheld
        .ingest
        .with_engine(move |engine| {
            Box::pin(async move {
                suyuan::handheld::aside::acts::admit_known_kinds(engine, &parked).await
            })
        })
        .await
        .expect("an engine");
    let events = format!("SELECT COUNT(*) AS n FROM event WHERE {of} > 0");
    let taken = taken.expect("taken in") as i64;
    assert_eq!(taken, count(app, &events).await);
}

on_both!(
    c9_what_was_acknowledged_under_an_older_anchor_counts_from_that_on,
    |app| {
        let scene = Scene::of(&app).await;
        let mut till = scene.device(&app, &scene.store).await;
        let mut other = scene.device(&app, &scene.store).await;
        let state = app.state();
        let now = app.clock.now();
        let (first, second) = (now - 60_000_000, now - 30_000_000);
        let (device, epoch) = (till.device.0, till.epoch);
        let anchor = |at: i64| state.handheld.anchors.issue(device, epoch, 0, at);
        // Under the later anchor it asked for less.
        let mut cursors = Vec::new();
        for (at, tin) in [(second, &scene.tins[0]), (first, &scene.tins[1])] {
            let event = other.event("inbound", &inbound(&[tin]));
            other.push(&[event]).await;
            let (head, _) = state.log.head().await.expect("the head");
            let path = format!("/v1/sync/pull?cursor={head}");
            assert_eq!(till.read_with(&path, &anchor(at)).await.status, 200);
            cursors.push(head);
        }
        let more = cursors[1];
        let expected = [
            (first - 1, 0),
            (first, more),
            (second - 1, more),
            (second, more),
            (second + 1, more),
        ];
        let events = expected.map(|(at, _)| {
            let mut said = sale(&[&scene.tins[2]]);
            said["anchor"] = json!(anchor(at));
            till.event("sale", &said)
        });
        till.push(&events).await;
        let of = "device_id = (SELECT device_id FROM device_ack LIMIT 1) AND seq";
        let all = async |when: &str| {
            for (seq, (_, knew)) in (1..).zip(expected) {
                let sql = format!("SELECT delivered AS n FROM event WHERE {of} = {seq}");
                assert_eq!(count(&app, &sql).await, knew, "{when}: event {seq}");
            }
        };
        all("pushed").await;
        taken_in_anew(&app, of).await;
        all("taken in later").await;
        app.stop().await;
    }
);

on_both!(
    a_till_warns_by_the_list_age_that_the_server_judges_by,
    |app| {
        const HOUR: i64 = 3_600_000_000;
        let scene = Scene::of(&app).await;
        let mut store = scene.device(&app, &scene.store).await;
        let platform = person(&app, "platform.second", Role::PlatformAdmin, None).await;
        let mut till = Held::default();
        till.pull(&mut store).await;
        assert_eq!(till.list_age_s, Some(86_400), "nobody changed it yet");
        let mut warned_at = Vec::new();
        for hours in [4, 24, 2] {
            let policy = json!({"duplicate_window_s": 600, "list_age_s": hours * 3600});
            assert_eq!(platform.post("/v1/policy", &policy).await.status, 204);
            till.pull(&mut store).await;
            assert_eq!(till.list_age_s, Some(hours * 3600));
            let warns = |age: i64| {
                let said = till.decide(&scene.tins[0], till.as_of.1 + age);
                said.reasons.contains(&Reason::StaleList)
            };
            let age = i64::from(hours) * HOUR;
            assert_eq!((warns(age), warns(age + 1)), (false, true), "{hours} h");
            warned_at.push(warns(4 * HOUR + 1));
        }
        assert_eq!(warned_at, [true, false, true]);
        // Nothing else happened since: whoever asks again is told it again, and so is a newcomer.
        till.list_age_s = None;
        till.pull(&mut store).await;
        assert_eq!(till.list_age_s, Some(7200));
        let mut other = scene.device(&app, &scene.store).await;
        let mut begun = Held::snapshot(&mut other).await;
        begun.pull(&mut other).await;
        assert_eq!(begun.list_age_s, Some(7200));
        app.stop().await;
    }
);
