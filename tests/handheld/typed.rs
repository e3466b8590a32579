//! Codes that a worker types: serials of ours in small letters and with look-alikes are the tins that are
//! meant, as for consumers; everything else is what it says.

use crate::scene::{Scene, count, fates, holds, inbound, key, open, sale, unit};
use serde_json::{Value, json};
use suyuan_sync::{fold::Phase, trace_code, unit::UnitKey};
use suyuan_tests::{Handheld, on_both};

/// A printed code as somebody types it: in small letters, with O for 0 and l for 1.
fn as_typed(code: &str) -> String {
    let path = key(code).as_str().to_owned();
    let (stem, serial) = path.split_once("/21/").expect("a serial");
    let serial = serial.to_lowercase().replace('0', "O").replace('1', "l");
    format!("{stem}/21/{serial}")
}

async fn states(device: &mut Handheld, kind: &str, said: &Value) {
    let event = device.event(kind, said);
    device.push(&[event]).await;
}

fn typed(codes: &[&str]) -> Value {
    let units = codes
        .iter()
        .map(|code| json!({"code": code, "input": "typed"}));
    json!({"units": units.collect::<Vec<_>>()})
}

on_both!(
    c4_a_tin_that_is_sold_by_its_code_in_small_letters_is_sold,
    |app| {
        let scene = Scene::of(&app).await;
        let mut till = scene.device(&app, &scene.store).await;
        let [tin, other, case] = [&scene.tins[0], &scene.tins[1], &scene.cases[0]];
        let small = as_typed(tin);
        assert_ne!(trace_code::parse(&small), trace_code::parse(tin));
        states(&mut till, "inbound", &inbound(&[tin, other])).await;
        states(&mut till, "sale", &typed(&[&small])).await;
        assert_eq!(unit(&app, tin).await.kept.state.phase, Phase::Sold);
        assert_eq!(open(&app, tin).await, [""; 0]);
        states(&mut till, "sale", &sale(&[tin])).await;
        assert_eq!(open(&app, tin).await, ["DOUBLE_SALE"]);
        // Containers are typed, too.
        let mut pack = typed(&[]);
        pack["children"] = json!([{"code": as_typed(other), "input": "typed"}]);
        pack["parent"] = json!({"code": as_typed(case), "input": "typed"});
        states(&mut till, "pack", &pack).await;
        let inside = unit(&app, other).await.kept.state.inside;
        assert_eq!(inside, Some(key(case)));
        // Three units, and no others, are spoken of; read again from their texts they are the same.
        assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM unit").await, 3);
        assert_eq!(
            count(
                &app,
                "SELECT COUNT(*) AS n FROM event WHERE meant IS NOT NULL"
            )
            .await,
            2
        );
        holds(&app, "what was typed").await;
        app.stop().await;
    }
);

on_both!(what_is_no_serial_of_ours_is_what_it_says, |app| {
    let scene = Scene::of(&app).await;
    let mut till = scene.device(&app, &scene.store).await;
    let tin = &scene.tins[0];
    // A serial of others may look like ours, and the same product may have such: it opens under no key.
    let ours = as_typed(tin);
    let (stem, _) = ours.split_once("/21/").expect("a serial");
    let same = format!("{stem}/21/x0123456789abc");
    let foreign = ["/01/06901234567892/21/x0123456789abc", same.as_str()];
    states(&mut till, "inbound", &typed(&foreign)).await;
    // What a machine read is what it says, whatever that is.
    states(
        &mut till,
        "inbound",
        &json!({"units": [{"code": ours, "input": "wedge"}]}),
    )
    .await;
    for code in foreign.into_iter().chain([ours.as_str()]) {
        assert_eq!(unit(&app, code).await.key, UnitKey::kept(code), "{code}");
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM unit").await, 3);
    assert!(fates(&app).await.iter().all(|(_, fate)| fate == "stored"));
    holds(&app, "what is no serial of ours").await;
    app.stop().await;
});
