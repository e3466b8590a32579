//! Units about which there is very much to read, and what is in them: read by turns of the enterprises that
//! ask, so that nobody's readings hold up another's.

use crate::{
    scene::{Scene, key, settled},
    support::{PASSWORD, firm, made, ok, text_of},
};
use sea_orm::ConnectionTrait;
use serde_json::json;
use std::time::Duration;
use suyuan::{db::statement, handheld::units::folding::FACTS_MAX};
use suyuan_tests::{caller::encoded, on_both, recall_order};
use tokio::time::timeout;
use uuid::Uuid;

/// Nobody who need not wait takes so long.
const AT_ONCE: Duration = Duration::from_secs(10);

on_both!(i29_what_is_in_a_long_case_is_read_by_turns, |app| {
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let beta = firm(&app, &platform, "BETA", &[]).await;
    let mut plant = scene.device(&app, &scene.plant).await;
    let (case, inside, beside) = (&scene.cases[0], &scene.tins[0], &scene.tins[1]);
    let packed = json!({
        "parent": {"code": case, "input": "wedge"},
        "children": [{"code": inside, "input": "wedge"}],
    });
    let events = [plant.event("pack", &packed)];
    plant.push(&events).await;
    let order = recall_order(&json!([scene.batch]), "r", "i");
    let recall = text_of(&made(scene.firm.admin.post("/v1/recalls", &order).await)["id"]);
    settled(&app).await;
    // As if the case were named all the time.
    let state = app.state();
    let sql = "UPDATE unit SET facts = ? WHERE unit_key = ?";
    let long = (FACTS_MAX as i64 + 1).into();
    let query = statement(state.db.backend(), sql, [long, key(case).as_str().into()]);
    let tx = state.db.begin().await.expect("a transaction");
    tx.execute_raw(query).await.expect("a row");
    tx.commit().await.expect("a commit");

    let reading = &state.handheld.reading;
    let me = Uuid::parse_str(&scene.firm.id).expect("an id");
    let turn = reading.begin_long(&state.db, me).await.expect("a turn");
    let of = |tin: &String| format!("/v1/units/{}", encoded(tin));
    let read = async |path: &str| ok(scene.firm.operator.get(path).await);
    for path in [of(inside), of(case), of(case) + "/contents"] {
        let waits = timeout(Duration::from_millis(700), read(&path)).await;
        assert!(waits.is_err(), "one of an enterprise at a time: {path}");
    }
    let unit = timeout(AT_ONCE, read(&of(beside))).await;
    assert_eq!(unit.expect("it is short")["findings"], json!([]));
    let path = format!("/v1/recalls/{recall}/reach");
    let reach = timeout(AT_ONCE, scene.firm.admin.get(&path));
    ok(reach.await.expect("recalls wait for nobody's units"));
    let other = Uuid::parse_str(&beta.id).expect("an id");
    let others = timeout(AT_ONCE, reading.begin_long(&state.db, other)).await;
    let others = others.expect("another's begins").expect("a turn");
    drop((turn, others));
    let unit = timeout(AT_ONCE, read(&of(inside))).await.expect("its turn");
    assert_eq!(unit["state"]["inside"], json!(key(case).as_str()), "{unit}");
    app.stop().await;
});
