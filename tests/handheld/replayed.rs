//! Tokens that somebody sends again: a push's says what it said and nothing else, for ever; a read's is
//! good as long as its anchor.

use crate::{
    scene::{Scene, count, sale},
    support::{refused, text_of},
};
use serde_json::json;
use std::time::Duration;
use suyuan_sync::{
    limits::ANCHOR_AGE_S,
    wire::{PushAnswer, ReadClaims, Status, TYP_PUSH, TYP_READ},
};
use suyuan_tests::{Answer, Handheld, on_both, until};

const STATUS: &str = "/v1/sync/status";

fn answered(answer: &Answer) -> PushAnswer {
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("an answer")
}

on_both!(
    i4_the_token_of_a_push_says_for_ever_what_it_said_and_nothing_else,
    |app| {
        let scene = Scene::of(&app).await;
        let mut device = scene.device(&app, &scene.store).await;
        let genesis = device.history[0];
        let events = [
            device.event("sale", &sale(&[&scene.tins[0]])),
            device.make("no event at all".into()),
        ];
        let token = device
            .key
            .token(TYP_PUSH, &device.claims(1, genesis, &events));
        let frame = device.frame(1, genesis, &events);
        let body = frame.to_string().into_bytes();
        let first = answered(&device.send(&token, "", body.clone()).await);
        assert_eq!(first.results[0].status, Status::Stored);
        // At once, and after more came in: the results stay, receipts never go back.
        for more in 0..2 {
            let again = answered(&device.send(&token, "", body.clone()).await);
            for (before, now) in first.results.iter().zip(&again.results) {
                assert_eq!(now.status, Status::Duplicate);
                assert_eq!((now.seq, now.gseq), (before.seq, before.gseq));
                assert_eq!((&now.code, &now.reason), (&before.code, &before.reason));
                assert_eq!(now.findings, before.findings);
            }
            assert_eq!(again.receipt.contiguous_seq, 2 + more);
            assert_eq!(again.receipt.head_hash, device.head());
            if more == 0 {
                let event = device.event("sale", &sale(&[&scene.tins[1]]));
                device.push(&[event]).await;
            }
        }
        // The same by deposit, whoever brings it.
        let bringer = scene.device(&app, &scene.store).await;
        let brought = json!({"v": 1, "token": token, "push": frame});
        let brought = answered(&bringer.ask("/v1/sync/deposit", &brought).await);
        assert!(
            brought
                .results
                .iter()
                .all(|one| one.status == Status::Duplicate)
        );
        assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, 3);
        // With anything else it is nobody's.
        let changed = events[0].replace("w-17", "w-18");
        let next = device.text(4, "sale", &sale(&[&scene.tins[2]]));
        for (seq, prev, texts) in [
            (1, genesis, vec![changed, events[1].clone()]),
            (1, genesis, vec![events[0].clone()]),
            (1, genesis, vec![events[1].clone(), events[0].clone()]),
            (
                1,
                genesis,
                vec![events[0].clone(), events[1].clone(), next.clone()],
            ),
            (4, device.head(), vec![next]),
        ] {
            let body = device.frame(seq, prev, &texts).to_string().into_bytes();
            let answer = device.send(&token, "", body).await;
            refused(answer, "device-not-known");
        }
        let bearer = format!("Bearer {token}");
        let read = app.stranger();
        let read = read.get_with(STATUS, &[("authorization", &bearer)]).await;
        refused(read, "device-not-known");
        assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, 3);
        app.stop().await;
    }
);

/// The header of a read over this anchor.
fn read_over(device: &Handheld, anchor: String) -> String {
    let claims = ReadClaims {
        aud: device.installation.clone(),
        device: device.device,
        epoch: device.epoch,
        anchor,
    };
    let claims = serde_json::to_value(claims).expect("claims");
    format!("Bearer {}", device.key.token(TYP_READ, &claims))
}

on_both!(the_token_of_a_read_is_good_as_long_as_its_anchor, |app| {
    let scene = Scene::of(&app).await;
    let device = scene.device(&app, &scene.store).await;
    let state = app.state();
    // Its last second and a half.
    let at = state.log.now() - ANCHOR_AGE_S * 1_000_000 + 1_500_000;
    let anchor = state.handheld.anchors.issue(device.device.0, 1, 0, at);
    let bearer = read_over(&device, anchor);
    let stranger = app.stranger();
    let ask = async |bearer: &str| {
        let header = ("authorization", bearer);
        stranger.get_with(STATUS, &[header]).await
    };
    let first = ask(&bearer).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(ask(&bearer).await.status, 200, "a read may be asked again");
    until("the anchor is old", Duration::from_secs(20), async || {
        ask(&bearer).await.status == 401
    })
    .await;
    // No sign-in: the same key over the anchor it is told reads again.
    let fresh = text_of(&refused(ask(&bearer).await, "stale-anchor")["anchor"]);
    let bearer = read_over(&device, fresh);
    assert_eq!(ask(&bearer).await.status, 200);
    // It was never good for anything else.
    let body = device
        .frame(1, device.history[0], &[])
        .to_string()
        .into_bytes();
    let token = bearer.trim_start_matches("Bearer ");
    refused(device.send(token, "", body).await, "device-not-known");
    app.stop().await;
});
