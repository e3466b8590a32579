//! Packs of foreign codes into each other without end: what is above the three levels there are is
//! never read, and what is kept is what the whole log gives all the same (C12).

use crate::scene::{Scene, holds, inbound, key, scanned};
use serde_json::{Value, json};
use suyuan_sync::limits::NESTING_DEPTH_MAX;
use suyuan_tests::{TestApp, on_both};

/// Codes of others: every third one is that of a grouping, so that levels rise and do not.
fn foreign(of: &str, count: usize) -> Vec<String> {
    let gtins = ["06901234567892", "16901234567899", "06901234567892"];
    (0..count)
        .map(|n| {
            let gtin = gtins[n % gtins.len()];
            format!("https://id.example.cn/01/{gtin}/21/{of}{n}")
        })
        .collect()
}

fn packing(container: &String, unit: &String) -> Value {
    json!({"parent": {"code": container, "input": "wedge"}, "units": scanned(&[unit])})
}

/// How many units are read to tell what became of this one.
async fn read_for(app: &TestApp, code: &str) -> usize {
    let state = app.state();
    let mut snapshot = state
        .handheld
        .reading
        .begin(&state.db)
        .await
        .expect("a read");
    snapshot.states(&[key(code)]).await.expect("states").len()
}

on_both!(c12_an_endless_chain_of_packs_is_never_climbed, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.warehouse).await;
    for from_below in [true, false] {
        let codes = foreign(if from_below { "B" } else { "T" }, 40);
        let mut pairs: Vec<&[String]> = codes.windows(2).collect();
        if !from_below {
            pairs.reverse();
        }
        // Piece by piece, so that each act meets what is there already.
        for pairs in pairs.chunks(13) {
            let events: Vec<String> = pairs
                .iter()
                .map(|pair| device.event("pack", &packing(&pair[1], &pair[0])))
                .collect();
            device.push(&events).await;
        }
        holds(&app, "packed").await;
        let ring = device.event("pack", &packing(&codes[0], &codes[39]));
        let seen = device.event("inbound", &inbound(&[&codes[0]]));
        device.push(&[ring, seen]).await;
        holds(&app, "seen").await;
        let moved: Vec<&String> = codes.iter().step_by(7).collect();
        let moved = device.event("inbound", &inbound(&moved));
        device.push(&[moved]).await;
        holds(&app, "moved").await;
        for code in &codes {
            let read = read_for(&app, code).await;
            assert!(read <= 1 + NESTING_DEPTH_MAX, "{code}: {read}");
        }
    }
    app.stop().await;
});
