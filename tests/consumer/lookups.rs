//! Many codes at once, as the app of a brand asks: each gets what a scan of it gets, and a scan
//! made offline is noted under its own time.

use crate::support::{View, io_calls, officer, path_of, query_log, until};
use flate2::read::GzDecoder;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};
use std::{io::Read, time::Duration};
use suyuan::demo::Demo;
use suyuan_tests::{Answer, TestApp, caller::Method, on_both};

const SOON: Duration = Duration::from_secs(9);
const CALL: &str = "/v1/public/lookups";
const APP: (&str, &str) = ("user-agent", "ChenMu/3.1 (iPhone)");

async fn look_up(app: &TestApp, body: &Value) -> Answer {
    app.consumer().post_with(CALL, &[APP], body).await
}

/// A body of these codes, scanned now.
fn asking<'a>(codes: impl IntoIterator<Item = &'a String>) -> Value {
    let codes: Vec<_> = codes
        .into_iter()
        .map(|code| json!({"code": code}))
        .collect();
    json!({"version": 1, "codes": codes})
}

/// The results of a call that was answered, held to the contract.
fn results(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=utf-8"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!(body["version"], 1);
    let judged: Timestamp = body["judged_at"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("RFC 3339");
    assert!(judged.duration_until(Timestamp::now()).as_secs().abs() < 10);
    let results = body["results"].as_array().expect("results").clone();
    for result in &results {
        let view = result.get("view").is_some();
        assert_ne!(view, result.get("problem").is_some(), "{result}");
        assert_eq!(view, result.get("scanned").is_some(), "{result}");
        let status = result["status"].as_u64().expect("a status");
        assert_eq!(view, matches!(status, 200 | 404), "{result}");
        if !view {
            assert_eq!(result["problem"]["status"], result["status"], "{result}");
            assert!(result["problem"].get("request_id").is_none(), "{result}");
        }
    }
    results
}

/// Status and verdict, or the problem's code.
fn told(result: &Value) -> String {
    let status = &result["status"];
    if let Some(problem) = result.get("problem") {
        return format!("{status} {}", problem["code"].as_str().expect("a code"));
    }
    let view: View = serde_json::from_value(result["view"].clone()).expect("the agreed shape");
    format!("{status} {}", view.verdict())
}

/// Status, the problem's code, its first field and fault.
fn refusal(answer: &Answer) -> String {
    let code = answer.problem();
    let error = &answer.json()["errors"][0];
    let part = |key: &str| error[key].as_str().unwrap_or("-").to_owned();
    format!(
        "{} {code} {} {}",
        answer.status,
        part("field"),
        part("code")
    )
}

fn one_of_each(demo: &Demo) -> Vec<String> {
    let codes = &demo.codes;
    let lists = [
        &codes.legal,
        &codes.care,
        &codes.recalled,
        &codes.expired,
        &codes.void,
        &codes.not_commissioned,
        &codes.not_allocated,
        &codes.forged,
        &codes.case,
        &codes.pallet,
    ];
    lists.iter().map(|list| list[0].clone()).collect()
}

on_both!(each_code_gets_the_answer_of_a_scan, |app| {
    let demo = app.world().await;
    let codes = one_of_each(&demo);
    let answer = look_up(&app, &asking(&codes)).await;
    let results = results(&answer);
    assert_eq!(results.len(), codes.len());
    for (code, result) in codes.iter().zip(&results) {
        let scan = app.consumer().scan(path_of(code)).await;
        assert_eq!(result["status"], scan.status, "{code}");
        assert_eq!(result["scanned"], "now");
        let (mut view, mut scanned) = (result["view"].clone(), scan.json());
        // They tell times of their own, and what was asked may be counted between them.
        for view in [&mut view, &mut scanned] {
            view["as_of"].take();
        }
        let [before, after] = [&mut view, &mut scanned].map(|view| view["queries"].take());
        let counted = |queries: &Value| queries["count"].as_u64().expect("a count");
        assert!(counted(&before) <= counted(&after), "{before} {after}");
        if counted(&before) == counted(&after) {
            assert_eq!(before["first_at"], after["first_at"], "{code}");
        }
        assert_eq!(view, scanned, "{code}");
    }
    // Byte for byte, too: the scan's JSON stands in the answer but for those times.
    let scan = app.consumer().scan(path_of(&codes[2])).await.text();
    let (fixed, _) = scan.split_once("\"queries\"").expect("queries");
    assert!(answer.text().contains(fixed));
    app.stop().await;
});

on_both!(any_text_a_scanner_reads_will_do, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0])
        .split('?')
        .next()
        .expect("a path");
    let (gtin, serial) = crate::support::gtin_and_serial(&demo.codes.legal[0]);
    let texts = [
        demo.codes.legal[0].clone(),
        format!("  {tin}\n"),
        format!("(01){gtin}(21){serial}"),
        format!("]d201{gtin}21{serial}"),
        format!("01{gtin}21{}", serial.to_ascii_lowercase()),
        // The same tin twice is in order.
        tin.to_owned(),
        tin.to_owned(),
    ];
    for (text, result) in texts
        .iter()
        .zip(results(&look_up(&app, &asking(&texts)).await))
    {
        assert_eq!(told(&result), "200 legal ok", "{text:?}");
    }
    app.stop().await;
});

on_both!(what_cannot_be_read_does_not_fail_the_others, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let items = json!([
        {"code": tin},
        {"code": ""},
        {"code": "hello"},
        {"code": "\0"},
        {"code": format!("{tin}\0")},
        {"code": "/01/09521234000014/21/X"},
        {"code": "\u{202e}\u{feff}婴儿"},
        {"code": "9".repeat(3000)},
        {"code": tin, "scanned_at": "yesterday"},
        {"code": tin, "scanned_at": "\0"},
        {"code": tin, "scanned_at": "-999999-01-01T00:00:00Z"},
        {"code": tin, "scanned_at": null, "gps": [1, 2]},
        {"code": tin},
    ]);
    let answer = look_up(&app, &json!({"codes": items})).await;
    let told: Vec<_> = results(&answer).iter().map(told).collect();
    assert_eq!(told[0], "200 legal ok");
    for (at, is) in told.iter().enumerate().take(8).skip(1) {
        let expected = if at == 7 {
            "414 uri-too-long"
        } else {
            "400 malformed-code"
        };
        assert_eq!(is, expected, "{at}");
    }
    for is in &told[8..11] {
        assert_eq!(is, "422 invalid-fields");
    }
    assert_eq!(told[11..], ["200 legal ok", "200 legal ok"]);
    app.stop().await;
});

on_both!(a_recall_shows_at_once_whenever_the_tin_was_scanned, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let before = Timestamp::now() - Span::new().hours(48);
    let ask = json!({"codes": [{"code": tin, "scanned_at": before.to_string()}]});
    assert_eq!(
        told(&results(&look_up(&app, &ask).await)[0]),
        "200 legal ok"
    );
    let officer = officer(&app, &demo).await;
    let lot = crate::support::scan(&app, tin)
        .await
        .1
        .code
        .batch
        .expect("a lot");
    let batch = crate::support::batch_of(&officer, &lot).await;
    crate::support::recall(&officer, &batch["id"], "异物").await;
    app.settled().await;
    let result = &results(&look_up(&app, &ask).await)[0];
    assert_eq!(told(result), "200 legal stop recalled");
    assert_eq!(result["scanned"], "offline");
    app.stop().await;
});

on_both!(
    scans_made_offline_keep_their_time_and_count_nowhere,
    |app| {
        let demo = app.world().await;
        let (tin, other) = (&demo.codes.legal[0], &demo.codes.legal[1]);
        let now = Timestamp::now();
        let at = |hours: i64| (now + Span::new().hours(hours)).to_string();
        let items = json!([
            {"code": tin, "scanned_at": at(-30)},
            {"code": tin, "scanned_at": at(-24 * 29)},
            {"code": tin, "scanned_at": (now + Span::new().minutes(2)).to_string()},
            {"code": tin, "scanned_at": at(-24 * 31)},
            {"code": tin, "scanned_at": at(1)},
            {"code": tin, "scanned_at": "9999-12-30T22:00:00Z"},
            {"code": tin, "scanned_at": "0001-01-01T00:00:00+08:00"},
            {"code": other},
            {"code": demo.codes.forged[0], "scanned_at": at(-1)},
        ]);
        let results = results(&look_up(&app, &json!({"codes": items})).await);
        let scanned: Vec<_> = results
            .iter()
            .map(|r| r["scanned"].as_str().expect("told"))
            .collect();
        let expected = [
            "offline",
            "offline",
            "offline",
            "too_old",
            "in_future",
            "in_future",
            "too_old",
            "now",
            "offline",
        ];
        assert_eq!(scanned, expected);
        // Those of now are counted...
        let counted = || async {
            let headers = [("accept", "application/json"), ("user-agent", "a monitor")];
            let answer = app.consumer().get_with(path_of(other), &headers).await;
            View::of(&answer).queries.count == 1
        };
        until("one query", SOON, counted).await;
        // ...the others are not, though folded in the same round,
        let headers = [("accept", "application/json"), ("user-agent", "a monitor")];
        let view = View::of(&app.consumer().get_with(path_of(tin), &headers).await);
        assert_eq!((view.queries.count, view.queries.first_at), (0, None));
        // and stand in the log under their own times with a mark.
        let all = query_log(&app).await;
        let path = path_of(tin).split('?').next().expect("a path");
        let mut rows: Vec<_> = all
            .iter()
            .filter(|row| row.code == path && !row.manner.bot)
            .map(|row| (row.at, row.manner.offline))
            .collect();
        rows.sort_unstable();
        let hours = |n: i64| (now + Span::new().hours(n)).as_microsecond();
        assert_eq!(rows.len(), 3, "{all:#?}");
        assert_eq!(rows[..2], [(hours(-24 * 29), true), (hours(-30), true)]);
        // A clock that runs ahead puts nothing into the future.
        assert!(rows[2].0 >= now.as_microsecond() && rows[2].0 < hours(0) + 60_000_000);
        let other = path_of(other).split('?').next().expect("a path");
        let online: Vec<_> = all
            .iter()
            .filter(|row| row.code == other && !row.manner.bot)
            .map(|row| (row.manner.channel.name(), row.manner.offline))
            .collect();
        assert_eq!(online, [("app", false)]);
        app.stop().await;
    }
);

on_both!(an_old_scan_is_of_todays_device, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let before = (Timestamp::now() - Span::new().hours(100)).to_string();
    let (now, then) = (
        json!({"codes": [{"code": tin}]}),
        json!({"codes": [{"code": tin, "scanned_at": before}]}),
    );
    let rows = async || query_log(&app).await;
    // By then the day's salt is there.
    results(&look_up(&app, &now).await);
    until("the first row", SOON, || async { rows().await.len() == 1 }).await;
    let first = rows().await.remove(0);
    for ask in [&now, &then, &now] {
        results(&look_up(&app, ask).await);
    }
    until("all rows", SOON, || async { rows().await.len() == 4 }).await;
    let mut later = rows().await;
    later.retain(|row| *row != first);
    assert_eq!(later.iter().filter(|row| row.manner.offline).count(), 1);
    assert!(
        later
            .iter()
            .all(|row| row.manner.device == later[0].manner.device),
        "{later:#?}"
    );
    app.stop().await;
});

on_both!(forged_codes_cost_no_reading, |app| {
    let demo = app.world().await;
    let ask = asking(
        demo.codes
            .forged
            .iter()
            .chain(&demo.codes.not_allocated)
            .cycle()
            .take(20),
    );
    let told: Vec<_> = results(&look_up(&app, &ask).await)
        .iter()
        .map(told)
        .collect();
    let before = io_calls(&app).await;
    for _ in 0..5 {
        results(&look_up(&app, &ask).await);
    }
    assert_eq!(io_calls(&app).await, before);
    assert!(
        told.iter()
            .all(|told| told == "404 not_allocated stop not_allocated"),
        "{told:?}"
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(query_log(&app).await, [], "forged codes fill no log");
    app.stop().await;
});

on_both!(what_is_no_such_call_is_refused_cleanly, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    // What is ignored may be as deep as it likes: it is skipped, not descended into.
    let many = |n: usize| asking(std::iter::repeat_n(tin, n));
    let json = [("content-type", "application/json")];
    let deep = format!(
        "{{\"x\":{}{},\"codes\":[]}}",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    let deep_code = format!("{{\"codes\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let large = json!({"codes": [{"code": "9".repeat(17_000)}]}).to_string();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "21 codes",
            many(21).to_string().into(),
            "422 invalid-fields codes count",
        ),
        (
            "no codes",
            json!({"codes": []}).to_string().into(),
            "422 invalid-fields codes count",
        ),
        (
            "version 2",
            json!({"version": 2, "codes": [{"code": tin}]})
                .to_string()
                .into(),
            "422 invalid-fields version unsupported",
        ),
        (
            "version as text",
            json!({"version": "1", "codes": []}).to_string().into(),
            "400 malformed-body - -",
        ),
        (
            "a negative version",
            json!({"version": -1, "codes": []}).to_string().into(),
            "400 malformed-body - -",
        ),
        ("without codes", b"{}".to_vec(), "400 malformed-body - -"),
        (
            "codes as text",
            b"{\"codes\":\"x\"}".to_vec(),
            "400 malformed-body - -",
        ),
        (
            "a list of texts",
            b"{\"codes\":[\"x\"]}".to_vec(),
            "400 malformed-body - -",
        ),
        (
            "a number as code",
            b"{\"codes\":[{\"code\":6901234567892}]}".to_vec(),
            "400 malformed-body - -",
        ),
        (
            "codes twice",
            b"{\"codes\":[],\"codes\":[]}".to_vec(),
            "400 malformed-body - -",
        ),
        (
            "a number as time",
            b"{\"codes\":[{\"code\":\"x\",\"scanned_at\":1}]}".to_vec(),
            "400 malformed-body - -",
        ),
        ("nothing", Vec::new(), "400 malformed-body - -"),
        ("a list", b"[]".to_vec(), "400 malformed-body - -"),
        (
            "half an object",
            b"{\"codes\":[".to_vec(),
            "400 malformed-body - -",
        ),
        (
            "no UTF-8",
            b"{\"codes\":[{\"code\":\"\xff\"}]}".to_vec(),
            "400 malformed-body - -",
        ),
        (
            "a bare zero",
            b"{\"codes\":[{\"code\":\"\0\"}]}".to_vec(),
            "400 malformed-body - -",
        ),
        (
            "half a surrogate",
            b"{\"codes\":[{\"code\":\"\\ud800\"}]}".to_vec(),
            "400 malformed-body - -",
        ),
        (
            "deep in what is ignored",
            deep.into_bytes(),
            "422 invalid-fields codes count",
        ),
        (
            "deep where codes stand",
            deep_code.into_bytes(),
            "400 malformed-body - -",
        ),
        ("17 kB", large.into_bytes(), "413 too-large - -"),
        ("a megabyte", vec![b' '; 1 << 20], "413 too-large - -"),
    ];
    for (what, bytes, expected) in cases {
        let answer = app.consumer().send(Method::POST, CALL, &json, bytes).await;
        assert_eq!(refusal(&answer), expected, "{what}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{what}");
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = app
        .consumer()
        .send(Method::POST, CALL, &form, b"codes=x".to_vec())
        .await;
    assert_eq!(refusal(&answer), "415 unsupported-media-type - -");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = app.consumer().send(method, CALL, &json, Vec::new()).await;
        assert_eq!(refusal(&answer), "405 method-not-allowed - -");
        assert_eq!(answer.header("allow"), "POST, OPTIONS");
    }
    // A key that means something elsewhere does no harm here; 20 codes are in order.
    let key = [("idempotency-key", "k"), APP];
    let answer = app.consumer().post_with(CALL, &key, &many(20)).await;
    assert_eq!(results(&answer).len(), 20);
    app.stop().await;
});

on_both!(a_page_of_any_origin_may_ask, |app| {
    let demo = app.world().await;
    let preflight = [
        ("origin", "https://brand.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let answer = app
        .consumer()
        .send(Method::OPTIONS, CALL, &preflight, Vec::new())
        .await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(
        answer.header("access-control-allow-methods"),
        "POST, OPTIONS"
    );
    assert!(
        answer
            .header("access-control-allow-headers")
            .contains("content-type")
    );
    let answer = look_up(&app, &asking(&demo.codes.legal[..1])).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    app.stop().await;
});

on_both!(compressed_answers_say_the_same, |app| {
    let demo = app.world().await;
    let ask = asking(&one_of_each(&demo));
    let plain = look_up(&app, &ask).await;
    let packed = app
        .consumer()
        .post_with(CALL, &[APP, ("accept-encoding", "gzip")], &ask)
        .await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    println!("{} of {} bytes", packed.body.len(), plain.body.len());
    assert!(packed.body.len() * 10 < plain.body.len() * 7);
    let mut text = String::new();
    GzDecoder::new(&packed.body[..])
        .read_to_string(&mut text)
        .expect("gzip");
    let strip = |body: &Value| {
        let results = body["results"].as_array().expect("results");
        results.iter().map(told).collect::<Vec<_>>()
    };
    let unpacked: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(strip(&unpacked), strip(&plain.json()));
    app.stop().await;
});
