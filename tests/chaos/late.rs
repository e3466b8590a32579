//! What comes late about a container, after something has left it: the same as if it had come in time.

use crate::scene::{Scene, inbound, open, outbound, sale, scanned};
use serde_json::json;
use suyuan::handheld::replay::replay;
use suyuan_tests::on_both;

on_both!(a_tin_sold_before_its_case_was_uploaded_heals, |app| {
    let scene = Scene::of(&app).await;
    let (case, tin) = (&scene.cases[0], &scene.tins[0]);
    let tins: Vec<&String> = scene.tins[..4].iter().collect();
    let mut plant = scene.device(&app, &scene.plant).await;
    let mut warehouse = scene.device(&app, &scene.warehouse).await;
    let mut receiving = scene.device(&app, &scene.store).await;
    let mut till = scene.device(&app, &scene.store).await;
    let pack = json!({
        "parent": {"code": case, "input": "wedge"}, "children": scanned(&tins), "declared": 4,
    });
    let packed = [
        plant.event("pack", &pack),
        plant.event("outbound", &outbound(&[case], &scene.warehouse)),
    ];
    plant.push(&packed).await;
    // Stated in this order, each with the anchor of its time; uploaded in another.
    warehouse.push(&[]).await;
    let through = [
        warehouse.event("inbound", &inbound(&[case])),
        warehouse.event("outbound", &outbound(&[case], &scene.store)),
    ];
    receiving.push(&[]).await;
    let received = [receiving.event("inbound", &inbound(&[case]))];
    till.push(&[]).await;
    let sold = [
        till.event("sale", &sale(&[tin])),
        till.event("return", &sale(&[tin])),
    ];
    till.push(&sold).await;
    assert!(open(&app, tin).await.contains(&"ORPHAN_SALE"));
    receiving.push(&received).await;
    warehouse.push(&through).await;
    let state = app.state();
    let replayed = replay(&state.db, &state.sealer).await.expect("a replay");
    assert_eq!(replayed.differences, []);
    assert!(!open(&app, tin).await.contains(&"ORPHAN_SALE"));
    app.stop().await;
});
