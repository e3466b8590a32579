//! How much of a unit is told at once: however much is said of it, and by whomever.

use crate::{
    scene::{Scene, enrolled, inbound, sale},
    support::{firm, id, made, ok, person, text_of},
};
use serde_json::{Value, json};
use suyuan::accounts::Role;
use suyuan_tests::{Caller, caller::encoded, on_both};
use uuid::Uuid;

/// More than are told.
const STRANGE: usize = 103;
/// So many of them are told.
const STRANGE_TOLD: usize = 20;

/// A unit as it is now, or was known at a position.
async fn told(caller: &Caller, tin: &str, at: Option<i64>) -> Value {
    let at = at.map(|at| format!("?at={at}")).unwrap_or_default();
    ok(caller.get(&format!("/v1/units/{}{at}", encoded(tin))).await)
}

/// What is told of findings: of which codes, whether they are open, and how many more there are.
fn findings(unit: &Value) -> (Vec<(String, bool)>, u64) {
    let told = unit["findings"].as_array().expect("findings");
    let pair = |one: &Value| (text_of(&one["code"]), one["closed"].is_null());
    let more = unit["more_findings"].as_u64().expect("a number");
    (told.iter().map(pair).collect(), more)
}

/// How many findings about a unit are listed, page by page.
async fn listed(caller: &Caller, tin: &str) -> usize {
    let (mut n, mut after) = (0, String::new());
    loop {
        let path = format!("/v1/findings?limit=50&unit={}{after}", encoded(tin));
        let page = ok(caller.get(&path).await);
        n += page["items"].as_array().expect("items").len();
        match page["next"].as_i64() {
            Some(next) => after = format!("&after={next}"),
            None => return n,
        }
    }
}

on_both!(a_units_findings_are_told_up_to_a_number, |app| {
    let scene = Scene::of(&app).await;
    let (staff, tin) = (&scene.firm.operator, &scene.tins[0]);
    let mut till = scene.device(&app, &scene.store).await;
    let events = [
        till.event("inbound", &inbound(&[tin])),
        till.event("sale", &sale(&[tin])),
        till.event("sale", &sale(&[tin])),
    ];
    till.push(&events).await;
    let (own, more) = findings(&told(staff, tin, None).await);
    assert!(own.contains(&("DOUBLE_SALE".into(), true)), "{own:?}");
    assert_eq!(more, 0);

    let platform = person(&app, "platform.second", Role::PlatformAdmin, None).await;
    let stranger = firm(&app, &platform, "SHEN", &[]).await;
    let shop = json!({"code": "S-1", "kind": "store", "name": "门店"});
    let shop = id(&made(stranger.admin.post("/v1/locations", &shop).await));
    let mut theirs = enrolled(&app, &stranger.operator, &shop).await;
    let ids: Vec<Uuid> = (0..STRANGE).map(|_| Uuid::now_v7()).collect();
    for ids in ids.chunks(50) {
        let said = |id: &Uuid| {
            let mut said = inbound(&[tin]);
            said["event_id"] = json!(id);
            said
        };
        let events: Vec<String> = ids
            .iter()
            .map(|id| theirs.event("inbound", &said(id)))
            .collect();
        theirs.push(&events).await;
    }
    // The newest, of those that are open, beside what was found before: the rest is listed elsewhere.
    let unit = told(staff, tin, None).await;
    let strange = vec![("UNEXPECTED_HOLDER".to_owned(), true); STRANGE_TOLD];
    let untold = (STRANGE - STRANGE_TOLD) as u64;
    let all = [own.clone(), strange.clone()].concat();
    assert_eq!(findings(&unit), (all, untold));
    assert_eq!(listed(staff, tin).await, STRANGE + own.len());
    let opened = |unit: &Value| {
        let all = unit["findings"].as_array().expect("findings").clone();
        all.iter()
            .map(|one| one["id"].as_i64().expect("a number"))
            .collect::<Vec<_>>()
    };
    assert!(opened(&unit).is_sorted());
    let position = unit["position"].as_i64().expect("a position");
    // A stranger sees what they said, and how much of that is not told.
    let theirs_told = findings(&told(&stranger.admin, tin, None).await);
    assert_eq!(theirs_told, (strange, untold));

    // What is open comes before whatever closed since.
    for ids in ids.chunks(50) {
        let strike = |id: &Uuid| json!({"target": id, "reason": "误扫"});
        let events: Vec<String> = ids
            .iter()
            .map(|id| theirs.event("retract", &strike(id)))
            .collect();
        theirs.push(&events).await;
    }
    let (now, more) = findings(&told(staff, tin, None).await);
    assert_eq!(now[..own.len()], own);
    let closed = ("UNEXPECTED_HOLDER".to_owned(), false);
    assert_eq!(now[own.len()..], vec![closed; STRANGE_TOLD]);
    assert_eq!(more, untold);
    let then = told(staff, tin, Some(position)).await;
    assert_eq!(then["findings"], unit["findings"]);
    assert_eq!(then["more_findings"], unit["more_findings"]);
    app.stop().await;
});
