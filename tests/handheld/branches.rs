//! What two copies of a device did, and what waits on the second of them: taken in by decision, in whole
//! groups, and each at its time.

use crate::{
    scene::{Scene, count, inbound, open_about_events, sale, unit},
    support::{array, number, ok, text_of},
    waits::entries,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use suyuan::handheld::{aside::tend, units::store::eff_then};
use suyuan_sync::{finding::FindingCode, fold::Phase, wire::Status};
use suyuan_tests::{Handheld, TestApp, caller::encoded, on_both};
use uuid::Uuid;

/// Two copies of a device, of which the first received four tins and sold the first of them. What the second copy
/// does is on a second branch from its first event on.
async fn copies(app: &TestApp, scene: &Scene) -> (Handheld, Handheld) {
    let mut device = scene.device(app, &scene.store).await;
    let tins: Vec<&String> = scene.tins.iter().take(6).collect();
    let event = device.event("inbound", &inbound(&tins));
    device.push(&[event]).await;
    let copy = device.copy(&app.internal_url);
    let own = device.event("sale", &sale(&[&scene.tins[0]]));
    device.push(&[own]).await;
    (device, copy)
}

/// A sale of a tin, so many of so many.
fn part(tin: &String, group: Uuid, n: u32, of: u32) -> Value {
    let mut said = sale(&[tin]);
    said["group"] = json!({"id": group, "n": n, "of": of});
    said
}

/// Takes in what is quarantined, one by one; what became of each.
async fn admit_all(scene: &Scene) -> Vec<String> {
    let listed = ok(scene.firm.admin.get("/v1/quarantine").await);
    let mut fates = Vec::new();
    for aside in array(&listed["items"]) {
        if aside["fate"] == "quarantined" {
            let path = format!("/v1/quarantine/{}/admit", number(&aside["position"]));
            let note = json!({"note": "both are true"});
            fates.push(text_of(
                &ok(scene.firm.admin.post(&path, &note).await)["fate"],
            ));
        }
    }
    fates
}

async fn phase(app: &TestApp, tin: &str) -> Phase {
    unit(app, tin).await.kept.state.phase
}

on_both!(t8_a_group_of_a_second_branch_is_taken_in_whole, |app| {
    let scene = Scene::of(&app).await;
    let (mut device, mut copy) = copies(&app, &scene).await;
    // The first branch has one under the next number that waits for its own group.
    let waits = device.event("sale", &part(&scene.tins[4], Uuid::now_v7(), 1, 3));
    device.push(&[waits]).await;
    let group = Uuid::now_v7();
    let spare = copy.event("inbound", &inbound(&[&scene.tins[5]]));
    let events = [
        spare,
        copy.event("sale", &part(&scene.tins[1], group, 1, 2)),
        copy.event("sale", &part(&scene.tins[2], group, 2, 2)),
    ];
    copy.push(&events).await;
    assert_eq!(admit_all(&scene).await, ["stored", "parked", "stored"]);
    for tin in &scene.tins[1..3] {
        assert_eq!(phase(&app, tin).await, Phase::Sold, "both or none");
    }
    assert_eq!(
        phase(&app, &scene.tins[4]).await,
        Phase::InStock,
        "it has the number of one of them, and goes on waiting"
    );
    let ordered = "SELECT COUNT(*) AS n FROM event WHERE branch IS NOT NULL AND order_epoch = 2 \
                       AND counts_from IS NOT NULL";
    assert_eq!(count(&app, ordered).await, 3);
    assert_eq!(open_about_events(&app, FindingCode::DeviceFork).await, 0);
    app.stop().await;
});

on_both!(
    t8_a_group_of_two_branches_is_taken_in_whole_and_the_past_stays,
    |app| {
        let scene = Scene::of(&app).await;
        let (mut device, mut copy) = copies(&app, &scene).await;
        let sold = "SELECT counts_from AS n FROM event WHERE seq = 2 AND branch IS NULL";
        let since = count(&app, sold).await;
        let group = Uuid::now_v7();
        let first = copy.event("sale", &part(&scene.tins[1], group, 1, 2));
        copy.push(&[first]).await;
        assert_eq!(admit_all(&scene).await, ["parked"]);
        // What is not a fork any more is none, though it waits.
        assert_eq!(open_about_events(&app, FindingCode::DeviceFork).await, 0);
        let second = device.event("sale", &part(&scene.tins[2], group, 2, 2));
        let answer = device.push(&[second]).await;
        assert_eq!(answer.results[0].status, Status::Stored);
        for tin in &scene.tins[1..3] {
            assert_eq!(phase(&app, tin).await, Phase::Sold);
        }
        assert_eq!(
            count(&app, sold).await,
            since,
            "the first branch's own sale"
        );
        app.stop().await;
    }
);

on_both!(
    t8_a_group_of_a_second_branch_is_released_in_its_time,
    |app| {
        let scene = Scene::of(&app).await;
        let (_, mut copy) = copies(&app, &scene).await;
        let first = copy.event("sale", &part(&scene.tins[1], Uuid::now_v7(), 1, 2));
        copy.push(&[first]).await;
        assert_eq!(admit_all(&scene).await, ["parked"]);
        let state = app.state();
        let due = count(&app, "SELECT waiting_since AS n FROM device_group").await;
        let done = tend::groups(&state.db, &state.handheld.ingest, due).await;
        done.expect("groups");
        assert_eq!(entries(&app, "group_released").await, 1);
        assert_eq!(phase(&app, &scene.tins[1]).await, Phase::Sold);
        assert_eq!(open_about_events(&app, FindingCode::PartialGroup).await, 1);
        app.stop().await;
    }
);

on_both!(
    t3_what_is_lifted_of_an_event_that_stays_aside_is_found_no_more,
    |app| {
        let scene = Scene::of(&app).await;
        let (device, mut copy) = copies(&app, &scene).await;
        scene.revoke(&device).await;
        let event = copy.event("sale", &sale(&[&scene.tins[1]]));
        copy.push(&[event]).await;
        let open = async || {
            (
                open_about_events(&app, FindingCode::DeviceRevoked).await,
                open_about_events(&app, FindingCode::DeviceFork).await,
            )
        };
        assert_eq!(open().await, (1, 1));
        assert_eq!(admit_all(&scene).await, ["quarantined"]);
        assert_eq!(open().await, (0, 1));
        assert_eq!(admit_all(&scene).await, ["stored"]);
        assert_eq!(open().await, (0, 0));
        app.stop().await;
    }
);

on_both!(
    i25_what_was_known_stays_when_more_of_a_second_branch_is_taken_in,
    |app| {
        let scene = Scene::of(&app).await;
        let (_, mut copy) = copies(&app, &scene).await;
        // By a clock that ran ahead, and by one that runs well again.
        let ahead = Timestamp::now() + SignedDuration::from_secs(2);
        let mut later = sale(&[&scene.tins[1]]);
        later["at"] = json!(ahead.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string());
        let events = [
            copy.event("sale", &later),
            copy.event("inbound", &inbound(&[&scene.tins[2]])),
        ];
        copy.push(&events).await;
        let listed = ok(scene.firm.admin.get("/v1/quarantine").await);
        let positions: Vec<u64> = array(&listed["items"])
            .iter()
            .map(|aside| number(&aside["position"]))
            .collect();
        let admit = async |position: u64| {
            let path = format!("/v1/quarantine/{position}/admit");
            let note = json!({"note": "both are true"});
            ok(scene.firm.admin.post(&path, &note).await);
        };
        admit(positions[0]).await;
        let place = format!("SELECT eff AS n FROM event WHERE gseq = {}", positions[0]);
        let stood = count(&app, &place).await;
        let known = count(&app, "SELECT gseq AS n FROM log_head").await;
        let then = format!("/v1/units/{}?at={known}", encoded(&scene.tins[1]));
        let said = ok(scene.firm.admin.get(&then).await);
        admit(positions[1]).await;
        assert_ne!(count(&app, &place).await, stood, "it moved");
        // To the microsecond, which no answer tells.
        let moved = i64::try_from(positions[0]).expect("a position");
        let was = eff_then(app.state().db.reader(), &[moved].into(), known).await;
        assert_eq!(was.expect("where it stood"), [(moved, stood)].into());
        assert_eq!(ok(scene.firm.admin.get(&then).await), said);
        app.stop().await;
    }
);
