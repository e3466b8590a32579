//! Why a text is no event is told to the device that made it and to whoever looks at it.

use crate::{
    scene::{Scene, sale},
    support::{array, ok, text_of},
};
use serde_json::json;
use suyuan_sync::limits::REASON_CHARS_MAX;
use suyuan_tests::on_both;

on_both!(
    t9_the_device_and_staff_are_told_why_a_text_is_no_event,
    |app| {
        let scene = Scene::of(&app).await;
        let tin = &scene.tins[0];
        let mut device = scene.device(&app, &scene.store).await;
        let long = "奶".repeat(100_000);
        let mut both = sale(&vec![tin; 600]);
        both["children"] = sale(&vec![tin; 401])["units"].clone();
        let group = uuid::Uuid::now_v7();
        let elsewhere = device.text(99, "sale", &sale(&[tin]));
        let events = [
            device.event("sale", &sale(&vec![tin; 1001])),
            device.event("sale", &both),
            device.event(
                "sale",
                &json!({"lots": [{"gtin": "1", "qty": 1_000_000_001}]}),
            ),
            device.event("sale", &json!({"group": {"id": group, "n": 1, "of": 501}})),
            device.event("sale", &json!({"anchor": "a".repeat(2049)})),
            device.event("sale", &json!({"mono": long})),
            device.make("奶粉".into()),
            device.make(elsewhere),
            device.event("sale", &sale(&[tin])),
        ];
        // What is wrong, and the limit if it is one.
        let expected = [
            Some("more than 1000 in a list"),
            Some("`units` and children are more than 1000 together"),
            Some("`qty` is more than 1000000000"),
            Some("`group` has more than 500 events"),
            Some("a text has at most 2048 bytes, this has 2049"),
            Some("invalid type: string"),
            Some("not JSON"),
            None,
            None,
        ];
        let answer = device.push(&events).await;
        let told = answer.results.iter().map(|result| result.reason.clone());
        let told: Vec<Option<String>> = told.collect();
        for (told, expected) in told.iter().zip(expected) {
            let said = told.as_deref().unwrap_or_default();
            assert_eq!(told.is_some(), expected.is_some(), "{said}");
            assert!(said.contains(expected.unwrap_or_default()), "{said}");
            assert!(said.chars().count() <= REASON_CHARS_MAX, "{said}");
        }
        // It may quote what the device wrote, and is cut.
        let cut = told[5].as_deref().unwrap().chars().count();
        assert_eq!(cut, REASON_CHARS_MAX);
        // A retry is told the same.
        let again = device.push(&events).await.results.into_iter();
        assert_eq!(again.map(|it| it.reason).collect::<Vec<_>>(), told);
        // Staff see the same of each that they ask for.
        let staff = &scene.firm.operator;
        let listed = ok(staff.get("/v1/quarantine").await);
        let listed = array(&listed["items"]);
        assert_eq!(listed.len(), 8);
        for (item, told) in listed.iter().zip(&told) {
            assert!(
                item.get("reason").is_none(),
                "a list has the beginnings only"
            );
            let path = format!("/v1/quarantine/{}", item["position"]);
            let whole = ok(staff.get(&path).await);
            assert_eq!(whole.get("reason").map(text_of), *told);
        }
        app.stop().await;
    }
);
