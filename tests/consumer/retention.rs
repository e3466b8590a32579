//! How long personal data is kept: to the day that was promised, and no longer.

use crate::support::officer;
use serde_json::{Value, json};
use std::time::Duration;
use suyuan::{clock::Micros, db::statement, voices};
use suyuan_tests::{TestApp, on_both, until};

const DAY: Micros = 86_400 * 1_000_000;

async fn standing(app: &TestApp, receipt: &str) -> Value {
    let path = format!("/v1/public/complaints/{receipt}");
    app.consumer().get(&path).await.json()
}

/// Rows of the table of sealed parts.
async fn sealed(app: &TestApp) -> usize {
    let db = &app.state().db;
    let query = statement(db.backend(), "SELECT voice_id FROM voice_personal", []);
    let rows = sea_orm::ConnectionTrait::query_all_raw(db.reader(), query).await;
    rows.expect("rows").len()
}

on_both!(
    the_personal_part_goes_when_its_time_is_over_and_the_record_stays,
    |app| {
        let demo = app.world().await;
        let told = json!({"code": demo.codes.legal[0], "content": "罐内结块", "place": "上海",
            "name": "王女士", "consent": true});
        let given = app.consumer().post("/v1/public/complaints", &told).await;
        assert_eq!(given.status, 201, "{}", given.text());
        let receipt = given.json()["receipt"].as_str().expect("one").to_owned();
        until("taken", Duration::from_secs(10), || async {
            standing(&app, &receipt).await["state"] == "received"
        })
        .await;

        let state = app.state();
        let keep = Micros::from(state.settings.voices.keep_days);
        let erase = |day: Micros| {
            voices::erase_overdue(&state.db, &state.log, state.clock.now() + day * DAY)
        };
        for day in [0, 1, keep - 1] {
            assert_eq!(erase(day).await.expect("a look"), 0, "day {day}");
        }
        assert_eq!(sealed(&app).await, 1);
        assert_eq!(erase(keep + 1).await.expect("a look"), 1);
        assert_eq!(erase(keep + 1).await.expect("a look"), 0, "once");
        assert_eq!(sealed(&app).await, 0);

        let stands = standing(&app, &receipt).await;
        assert_eq!(stands["personal_data_erased"], true, "{stands}");
        let officer = officer(&app, &demo).await;
        let list = officer.get("/v1/voices").await.json();
        let voice = &list["items"][0];
        assert_eq!(voice["personal"], "erased", "{voice}");
        assert_eq!(voice["place"], "上海", "the record stays: {voice}");
        let at = format!("/v1/voices/{}/openings", voice["id"].as_str().expect("id"));
        let open = officer.post(&at, &json!({})).await;
        assert_eq!(open.problem(), "personal-data-erased");
        let log = officer.get("/v1/log?from=1&limit=500").await.json();
        let entries = log["items"].as_array().expect("entries");
        let erased: Vec<&Value> = entries
            .iter()
            .filter(|entry| entry["kind"] == "personal_data_erased")
            .collect();
        assert_eq!(erased.len(), 1, "{log}");
        assert_eq!(erased[0]["actor"], "system");
        assert_eq!(erased[0]["body"]["by"], "time");
        app.stop().await;
    }
);
