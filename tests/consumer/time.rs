//! What the clock decides: expiry, and how old an answer says it is.

use crate::support::{batch_of, close, gtin_and_serial, officer, recall, scan, until, verdict};
use jiff::{Timestamp, civil::Date, tz::Offset};
use std::time::Duration;
use suyuan_tests::{TestApp, on_both};

const SECOND: i64 = 1_000_000;

/// The instant at which the day after `date` begins in Shanghai.
fn end_of(date: Date) -> i64 {
    let midnight = date.tomorrow().expect("a day after").at(0, 0, 0, 0);
    let instant = Offset::constant(8)
        .to_timestamp(midnight)
        .expect("an instant");
    instant.as_microsecond()
}

/// Moves the application's clock to this instant.
async fn move_to(app: &TestApp, instant: i64) {
    app.clock
        .shift_by(instant - Timestamp::now().as_microsecond());
    app.settled().await;
}

on_both!(
    expiry_flips_at_midnight_in_shanghai_after_the_printed_day,
    |app| {
        let demo = app.world().await;
        let officer = officer(&app, &demo).await;
        let tin = &demo.codes.legal[0];
        let (_, view) = scan(&app, tin).await;
        let lot = view.code.batch.expect("a lot");
        let printed = batch_of(&officer, &lot).await["expiry_date"]
            .as_str()
            .expect("a date")
            .to_owned();
        let midnight = end_of(printed.parse().expect("a date"));
        let (gtin, _) = gtin_and_serial(tin);
        let batch_level = format!("/01/{gtin}/10/{lot}");

        move_to(&app, midnight - 5 * SECOND).await;
        assert_eq!(verdict(&app, tin).await, "200 legal ok");
        assert_eq!(verdict(&app, &demo.codes.case[0]).await, "200 legal ok");
        assert_eq!(
            verdict(&app, &batch_level).await,
            "200 null caution names_product_only"
        );
        let page = app.consumer().page(tin).await.text();
        assert!(page.contains("verdict ok") && page.contains(&printed));
        let before = app.consumer().scan(tin).await.header("etag").to_owned();

        move_to(&app, midnight).await;
        assert_eq!(verdict(&app, tin).await, "200 legal stop expired");
        assert_eq!(
            verdict(&app, &demo.codes.case[0]).await,
            "200 legal stop expired"
        );
        assert_eq!(
            verdict(&app, &batch_level).await,
            "200 null stop expired,names_product_only"
        );
        assert!(
            app.consumer()
                .page(tin)
                .await
                .text()
                .contains("verdict stop")
        );
        // Yesterday's answer is no longer the answer.
        let headers = [
            ("accept", "application/json"),
            ("if-none-match", before.as_str()),
        ];
        assert_eq!(app.consumer().get_with(tin, &headers).await.status, 200);

        // It flips by itself while the process runs, and a clock set back flips it back.
        move_to(&app, midnight - 2 * SECOND).await;
        assert_eq!(verdict(&app, tin).await, "200 legal ok");
        let flipped = || async { verdict(&app, tin).await == "200 legal stop expired" };
        let took = until("the flip", Duration::from_secs(4), flipped).await;
        assert!(took > Duration::from_secs(1), "{took:?}");
        app.stop().await;
    }
);

on_both!(goods_shown_as_expired_were_fine_on_their_last_day, |app| {
    let demo = app.world().await;
    let officer = officer(&app, &demo).await;
    let tin = &demo.codes.expired[0];
    assert_eq!(verdict(&app, tin).await, "200 legal stop expired");
    let (_, view) = scan(&app, tin).await;
    let lot = view.code.batch.expect("a lot");
    let printed = batch_of(&officer, &lot).await["expiry_date"]
        .as_str()
        .expect("a date")
        .to_owned();
    let midnight = end_of(printed.parse().expect("a date"));
    move_to(&app, midnight - 12 * 3600 * SECOND).await;
    assert_eq!(verdict(&app, tin).await, "200 legal ok");
    move_to(&app, midnight + SECOND).await;
    assert_eq!(verdict(&app, tin).await, "200 legal stop expired");
    app.stop().await;
});

on_both!(as_of_moves_on_with_the_confirmations, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let as_of = |text: &str| text.parse::<Timestamp>().expect("an instant").as_second();
    let (_, first) = scan(&app, tin).await;
    let now = Timestamp::now().as_second();
    assert!(
        (now - 2..=now).contains(&as_of(&first.as_of)),
        "{} at {now}",
        first.as_of
    );
    let moved = || async {
        let (_, view) = scan(&app, tin).await;
        as_of(&view.as_of) >= as_of(&first.as_of) + 2
    };
    until("as_of moving on", Duration::from_secs(5), moved).await;
    // One second is its resolution, in JSON and on the page.
    assert!(first.as_of.ends_with('Z') && first.as_of.len() == "2026-01-01T00:00:00Z".len());
    let page = app.consumer().page(tin).await.text();
    let today = app.clock.today().to_string();
    assert!(
        page.contains(&format!("<dd>{today} ")),
        "the page says when, in Beijing time"
    );
    app.stop().await;
});

on_both!(
    a_clock_that_was_moved_costs_no_more_than_a_poll_and_no_recall,
    |app| {
        let demo = app.world().await;
        let tin = &demo.codes.legal[0];
        let (_, view) = scan(&app, tin).await;
        let lot = view.code.batch.expect("a lot");
        for hours in [1, -1, 0] {
            app.clock.shift_by(hours * 3600 * SECOND);
            let well = || async { advice_or_silence(&app, tin).await == "ok" };
            until("ok again", Duration::from_secs(1), well).await;
            // Tokens of before are an hour off.
            let officer = officer(&app, &demo).await;
            let batch = batch_of(&officer, &lot).await["id"].clone();
            let id = recall(&officer, &batch, "moved").await;
            let told = || async { verdict(&app, tin).await == "200 legal stop recalled" };
            until("the recall", Duration::from_secs(1), told).await;
            close(&officer, &id).await;
            let free = || async { verdict(&app, tin).await == "200 legal ok" };
            until("its end", Duration::from_secs(1), free).await;
        }
        app.stop().await;
    }
);

/// Advice, or `silence`.
async fn advice_or_silence(app: &TestApp, url: &str) -> String {
    let answer = app.consumer().scan(crate::support::path_of(url)).await;
    let advice = answer.json()["advice"].as_str().map(str::to_owned);
    advice.unwrap_or_else(|| "silence".to_owned())
}
