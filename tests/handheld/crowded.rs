//! What a unit's page tells when a stranger states more about it than a page holds.

use crate::{
    scene::{Scene, count, enrolled, inbound, sale, scanned},
    support::{PASSWORD, array, firm, id, made, ok, refused_field, text_of},
};
use serde_json::{Value, json};
use suyuan_tests::{caller::encoded, on_both};

on_both!(
    c14_strangers_hide_neither_the_history_of_a_unit_nor_what_is_critical,
    |app| {
        let scene = Scene::of(&app).await;
        let (staff, tin) = (&scene.firm.operator, &scene.tins[0]);
        let mut store = scene.device(&app, &scene.store).await;
        let events = [
            store.event("inbound", &inbound(&[tin])),
            store.event("sale", &sale(&[tin])),
            store.event("sale", &sale(&[tin])),
        ];
        store.push(&events).await;
        let operator = app.signed_in("platform.admin", PASSWORD).await;
        let stranger = firm(&app, &operator, "BBB", &[]).await;
        let body = json!({"code": "S-1", "kind": "store", "name": "店"});
        let place = id(&made(stranger.admin.post("/v1/locations", &body).await));
        let mut crowd = enrolled(&app, &stranger.operator, &place).await;
        let counted = json!({"units": scanned(&[tin])});
        let events: Vec<String> = (0..130).map(|_| crowd.event("count", &counted)).collect();
        crowd.push(&events).await;
        assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, 133);

        let ask = async |more: &str| {
            let path = format!("/v1/units/{}{more}", encoded(tin));
            staff.get(&path).await
        };
        let strangers = |unit: &Value| {
            let entries = array(&unit["timeline"]).iter();
            entries.filter(|entry| entry["stranger"] == true).count()
        };
        let unit = ok(ask("").await);
        assert_eq!(array(&unit["timeline"]).len(), 53);
        assert_eq!(strangers(&unit), 50);
        assert_eq!(
            (&unit["earlier"], &unit["more_of_strangers"]),
            (&json!(0), &json!(80))
        );
        let codes: Vec<String> = array(&unit["findings"])
            .iter()
            .map(|finding| text_of(&finding["code"]))
            .collect();
        let of = |code: &str| codes.iter().filter(|it| *it == code).count();
        assert_eq!(of("UNEXPECTED_HOLDER"), 20);
        assert_eq!(of("DOUBLE_SALE"), 1, "{codes:?}");
        let more = unit["more_findings"].as_u64();
        assert_eq!(more, Some(110), "{codes:?}");

        // All that strangers stated can be asked for, and what stands before an entry.
        let all = ok(ask("?strangers=true").await);
        assert_eq!((array(&all["timeline"]).len(), strangers(&all)), (130, 130));
        let sold = unit["timeline"][1]["position"].clone();
        let before = ok(ask(&format!("?before={sold}")).await);
        assert_eq!(before["timeline"], json!([unit["timeline"][0]]));
        let first = &all["timeline"][100]["position"];
        let before = ok(ask(&format!("?strangers=true&before={first}")).await);
        assert_eq!(array(&before["timeline"]).len(), 100);
        refused_field(ask("?before=1").await, "before", "unknown");
        // Who states it sees its own as its own.
        let path = format!("/v1/units/{}", encoded(tin));
        let own = stranger.operator.get(&path);
        assert_eq!(array(&ok(own.await)["timeline"]).len(), 130);
        app.stop().await;
    }
);

on_both!(
    many_warnings_of_those_whose_word_counts_hide_no_critical_finding,
    |app| {
        let scene = Scene::of(&app).await;
        let (staff, tin) = (&scene.firm.operator, &scene.tins[0]);
        let mut store = scene.device(&app, &scene.store).await;
        let mut events = vec![
            store.event("inbound", &inbound(&[tin])),
            store.event("sale", &sale(&[tin])),
            store.event("sale", &sale(&[tin])),
        ];
        events.extend((0..120).map(|_| store.event("return", &sale(&[tin]))));
        store.push(&events).await;
        let path = format!("/v1/units/{}", encoded(tin));
        let unit = ok(staff.get(&path).await);
        let told = array(&unit["findings"]);
        assert_eq!(told.len(), 100);
        assert!(unit["more_findings"].as_u64() > Some(10), "{unit}");
        let critical = told.iter().filter(|it| it["severity"] == "critical");
        let codes: Vec<String> = critical.map(|it| text_of(&it["code"])).collect();
        assert_eq!(codes, ["DOUBLE_SALE"]);
        app.stop().await;
    }
);
