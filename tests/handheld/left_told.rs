//! What a device is told while acts have left units and events for slices, and what its till makes of that: what it
//! sold, destroyed or fetched back is known to it from the receipt on, whatever cards show yet (I23).

use crate::{
    held::Held,
    scene::{Scene, fill_up, holds, inbound, sale, scanned, settled},
};
use futures_util::FutureExt;
use serde_json::{Value, json};
use std::time::Duration;
use suyuan_sync::{
    till::Reason,
    wire::{LookUpAnswer, PushAnswer},
};
use suyuan_tests::{Handheld, TestApp, on_both, until};
use tokio::{sync::oneshot, task::JoinHandle};
use uuid::Uuid;

/// Has whoever admits wait for a word before its next act or slice. The second word tells that it waits.
fn pause(app: &TestApp) -> (JoinHandle<()>, oneshot::Sender<()>, oneshot::Receiver<()>) {
    let ingest = app.state().handheld.ingest.clone();
    let ((go, word), (waits, waiting)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
    let task = tokio::spawn(async move {
        let pause = ingest.with_engine(move |_| {
            let pause = async move {
                let _ = waits.send(());
                let _ = word.await;
            };
            pause.boxed()
        });
        pause.await.expect("the engine");
    });
    (task, go, waiting)
}

/// Pushes, and keeps slices from coming by until a word is said.
async fn push_before_slices(
    app: &TestApp,
    device: &mut Handheld,
    events: &[String],
) -> (PushAnswer, JoinHandle<()>, oneshot::Sender<()>) {
    let gathered = || app.state().handheld.ingest.progress().1;
    let (_, first, waiting) = pause(app);
    waiting.await.expect("it waits");
    let (second, go, waiting) = pause(app);
    let before = gathered();
    let act_is_next = async {
        until("an act", Duration::from_secs(20), async || {
            gathered() > before
        })
        .await;
        first.send(()).expect("it goes on");
    };
    // An act that is gathered comes before whoever waits for the engine.
    let (answer, ()) = tokio::join!(device.push(events), act_is_next);
    waiting.await.expect("it waits again");
    (answer, second, go)
}

/// What is known of these codes just now.
async fn looked_up(device: &Handheld, codes: &[&String]) -> LookUpAnswer {
    let asked = json!({"v": 1, "codes": codes});
    let answer = device.ask("/v1/sync/lookups", &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("an answer")
}

/// The till says these of its goods, by what it pulled and by what it looks up; the events were receipted.
async fn says(
    app: &TestApp,
    held: &mut Held,
    device: &mut Handheld,
    expected: &[(&String, Reason)],
) {
    held.pull(device).await;
    let now = app.clock.now();
    for (code, reason) in expected {
        let told = looked_up(device, &[code]).await;
        for said in [
            held.decide_here(code, now),
            held.decide_looked_up(code, &told, now),
        ] {
            assert!(said.reasons.contains(reason), "{reason:?}: {said:?}");
        }
    }
}

on_both!(
    i23_a_till_forgets_nothing_it_was_receipted_while_a_slice_is_to_come,
    |app| {
        let scene = Scene::of(&app).await;
        let (tins, case): (Vec<&String>, _) = (scene.tins[..5].iter().collect(), &scene.cases[0]);
        let mut store = scene.device(&app, &scene.store).await;
        let packed =
            json!({"parent": {"code": case, "input": "wedge"}, "units": scanned(&tins[3..])});
        let events = [
            store.event("inbound", &inbound(&tins)),
            store.event("pack", &packed),
        ];
        store.push(&events).await;
        settled(&app).await;
        let mut held = Held::default();
        held.pull(&mut store).await;
        fill_up(&app).await;
        let events = [
            store.event("sale", &sale(&tins[..1])),
            store.event("destroy", &sale(&tins[1..2])),
            store.event("collect", &sale(&tins[2..3])),
            store.event("sale", &sale(&[case])),
        ];
        let (answer, slices, go) = push_before_slices(&app, &mut store, &events).await;
        assert!(
            answer.results.iter().all(|result| result.pending),
            "{answer:?}"
        );
        held.did(answer.receipt.stamp, &events);
        let expected = [
            (tins[0], Reason::Sold),
            (tins[1], Reason::Destroyed),
            (tins[2], Reason::Collected),
            (tins[3], Reason::Sold),
            (tins[4], Reason::Sold),
        ];
        says(&app, &mut held, &mut store, &expected).await;
        go.send(()).expect("slices go on");
        slices.await.expect("a pause");
        settled(&app).await;
        says(&app, &mut held, &mut store, &expected).await;
        // And cards say so by now.
        assert!(held.told_until >= answer.receipt.stamp);
        holds(&app, "told while it was left").await;
        app.stop().await;
    }
);

on_both!(
    i23_a_till_forgets_nothing_it_was_receipted_while_a_group_enters,
    |app| {
        let scene = Scene::of(&app).await;
        let tins: Vec<&String> = scene.tins[..3].iter().collect();
        let mut store = scene.device(&app, &scene.store).await;
        let events = [store.event("inbound", &inbound(&tins))];
        store.push(&events).await;
        settled(&app).await;
        let mut held = Held::default();
        held.pull(&mut store).await;
        let narrow = app.state().handheld.ingest.with_engine(|engine| {
            engine.narrow(1);
            async {}.boxed()
        });
        narrow.await.expect("the engine");
        let group = Uuid::now_v7();
        let sold = |n: usize| -> Value {
            json!({"units": scanned(&tins[n..=n]), "group": {"id": group, "n": n + 1, "of": 3}})
        };
        let events: Vec<String> = (0..3).map(|n| store.event("sale", &sold(n))).collect();
        let (answer, slices, go) = push_before_slices(&app, &mut store, &events).await;
        assert!(answer.results[2].pending, "{answer:?}");
        held.did(answer.receipt.stamp, &events);
        let expected: Vec<(&String, Reason)> =
            tins.iter().map(|tin| (*tin, Reason::Sold)).collect();
        says(&app, &mut held, &mut store, &expected).await;
        go.send(()).expect("slices go on");
        slices.await.expect("a pause");
        settled(&app).await;
        says(&app, &mut held, &mut store, &expected).await;
        assert!(held.told_until >= answer.receipt.stamp);
        holds(&app, "told while it entered").await;
        app.stop().await;
    }
);
