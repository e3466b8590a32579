//! MB-8.3.3-a3: what loggers measured on sensitive goods' way, held against the limits of the waybill.

use crate::support::{
    Firm, PREFIX, array, entries, firm, head, id, made, number, ok, person, platform, refused,
    refused_field, text_of,
};
use serde_json::{Value, json};
use suyuan::accounts::Role;
use suyuan_tests::{Caller, TestApp, on_both};

/// A transport of a new firm with these limits.
async fn transport(app: &TestApp, limits: Value) -> (Caller, Firm, String) {
    let platform = platform(app).await;
    let firm = firm(app, &platform, "ACME", &[PREFIX]).await;
    let waybill = json!({"waybill_no": "SF-1", "limits": limits});
    let transport = id(&made(firm.operator.post("/v1/transports", &waybill).await));
    (platform, firm, transport)
}

/// A minute of that day.
fn minute(n: i64) -> String {
    format!("2026-06-01T{:02}:{:02}:00Z", n / 60, n % 60)
}

/// Files temperatures by minute.
async fn filed(firm: &Firm, transport: &str, logger: &str, warm: &[(i64, f64)]) -> Value {
    let readings: Vec<Value> = warm
        .iter()
        .map(|(n, value)| json!({"at": minute(*n), "temperature": value, "place": "途中"}))
        .collect();
    let path = format!("/v1/transports/{transport}/readings");
    let series = json!({"logger": logger, "readings": readings});
    made(firm.operator.post(&path, &series).await)
}

/// The excursions that are told.
async fn told(caller: &Caller, query: &str) -> Vec<Value> {
    let page = ok(caller.get(&format!("/v1/excursions{query}")).await);
    assert!(page.get("next").is_none(), "{page}");
    array(&page["items"]).to_vec()
}

/// From, until and extreme of each.
fn runs(told: &[Value]) -> Vec<(String, Option<&str>, f64)> {
    let run = |one: &Value| {
        let extreme = one["extreme"].as_f64().expect("a number");
        (text_of(&one["start"]), extreme)
    };
    told.iter()
        .map(|one| (run(one).0, one["end"].as_str(), run(one).1))
        .collect()
}

on_both!(
    mb_8_3_3_a3_a_series_that_crosses_a_limit_is_one_excursion,
    |app| {
        let limits = json!({"temperature": {"min": 2, "max": 8}});
        let (_, firm, transport) = transport(&app, limits).await;
        let warm = [(0, 8.0), (1, 8.1), (3, 12.5), (5, 9.0), (7, 7.9), (8, 5.0)];
        let out = filed(&firm, &transport, "TL-7", &warm).await;
        assert_eq!(out, json!({"filed": 6, "known": 0}));
        let found = told(&firm.operator, "").await;
        let [one] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(
            one,
            &json!({
                "transport_id": transport, "waybill_no": "SF-1", "logger": "TL-7",
                "quantity": "temperature", "side": "above", "limit": 8.0,
                "start": minute(1), "end": minute(7), "duration_s": 360.0,
                "extreme": 12.5, "extreme_at": minute(3), "readings": 3,
                "places": [{"name": "途中"}], "measures": [],
            })
        );
        // What was filed is an entry of the log, and so is what was put on record before.
        let kinds: Vec<String> = entries(&app).await.into_iter().map(|e| e.kind).collect();
        assert!(kinds.ends_with(&["transport_changed".into(), "readings_filed".into()]));
        app.stop().await;
    }
);

on_both!(what_comes_late_joins_and_splits, |app| {
    let limits = json!({"temperature": {"max": 8}});
    let (_, firm, transport) = transport(&app, limits).await;
    let operator = &firm.operator;
    filed(&firm, &transport, "TL-7", &[(9, 9.0), (1, 9.5)]).await;
    let found = told(operator, "").await;
    assert_eq!(runs(&found), [(minute(1), None, 9.5)]);
    assert_eq!(found[0]["duration_s"], 480.0);
    // It was cool in between: two.
    filed(&firm, &transport, "TL-7", &[(5, 4.0)]).await;
    let found = told(operator, "").await;
    let cool = minute(5);
    assert_eq!(
        runs(&found),
        [
            (minute(1), Some(cool.as_str()), 9.5),
            (minute(9), None, 9.0)
        ]
    );
    // Another logger stands in another spot, and splits nothing.
    filed(&firm, &transport, "TL-8", &[(2, 4.0), (9, 4.0)]).await;
    assert_eq!(runs(&told(operator, "").await), runs(&found));
    // Other limits: from now on nothing was wrong, then all of it.
    let wide = json!({"waybill_no": "SF-1", "limits": {"temperature": {"max": 10}}});
    let again = made(operator.post("/v1/transports", &wide).await);
    assert_eq!(id(&again), transport);
    assert_eq!(told(operator, "").await, [Value::Null; 0]);
    let strict = json!({"waybill_no": "SF-1", "limits": {"temperature": {"max": 3.9}}});
    made(operator.post("/v1/transports", &strict).await);
    let all = told(operator, "").await;
    assert_eq!(runs(&all), [(minute(1), None, 9.5), (minute(2), None, 4.0)]);
    app.stop().await;
});

on_both!(each_instant_of_a_logger_is_filed_once, |app| {
    let limits = json!({"temperature": {"max": 8}});
    let (_, firm, transport) = transport(&app, limits).await;
    let two = [(1, 9.0), (2, 9.5)];
    filed(&firm, &transport, "TL-7", &two).await;
    let again = filed(&firm, &transport, "TL-7", &[(1, 9.0), (2, 9.5), (3, 9.7)]).await;
    assert_eq!(again, json!({"filed": 1, "known": 2}));
    assert_eq!(told(&firm.operator, "").await[0]["readings"], 3);
    // One that says another thing of an instant is refused, with all it came with.
    let path = format!("/v1/transports/{transport}/readings");
    let before = head(&app).await;
    let other = json!({"logger": "TL-7", "readings": [
        {"at": minute(4), "temperature": 9}, {"at": minute(2), "temperature": 9.4, "place": "途中"},
    ]});
    let refusal = firm.operator.post(&path, &other).await;
    refused_field(refusal, "/readings/1/at", "contradicts");
    assert_eq!(head(&app).await, before);
    assert_eq!(told(&firm.operator, "").await[0]["readings"], 3);
    app.stop().await;
});

on_both!(a_bad_reading_or_limit_is_named, |app| {
    let limits = json!({"temperature": {"max": 8}});
    let (_, firm, transport) = transport(&app, limits).await;
    let operator = &firm.operator;
    let path = format!("/v1/transports/{transport}/readings");
    let before = head(&app).await;
    let good = json!({"at": minute(1), "temperature": 9.0});
    for (bad, field, code) in [
        (json!({"at": minute(2)}), "/readings/1", "required"),
        (
            json!({"at": "soon", "humidity": 1}),
            "/readings/1/at",
            "malformed",
        ),
        (
            json!({"at": minute(1), "humidity": 1}),
            "/readings/1/at",
            "twice",
        ),
        (
            json!({"at": "1999-12-31T23:59:59Z", "humidity": 1}),
            "/readings/1/at",
            "out-of-range",
        ),
        (
            json!({"at": "2999-01-01T00:00:00Z", "humidity": 1}),
            "/readings/1/at",
            "in-future",
        ),
        (
            json!({"at": minute(2), "humidity": 100.1}),
            "/readings/1/humidity",
            "out-of-range",
        ),
        (
            json!({"at": minute(2), "temperature": 1e300}),
            "/readings/1/temperature",
            "out-of-range",
        ),
        (
            json!({"at": minute(2), "temperature": 9.05}),
            "/readings/1/temperature",
            "format",
        ),
        (
            json!({"at": minute(2), "vibration": -1}),
            "/readings/1/vibration",
            "out-of-range",
        ),
        (
            json!({"at": minute(2), "humidity": 1, "place": ""}),
            "/readings/1/place",
            "length",
        ),
    ] {
        let series = json!({"logger": "TL-7", "readings": [good, bad]});
        refused_field(operator.post(&path, &series).await, field, code);
    }
    for n in [0, 1001] {
        let many: Vec<Value> = (0..n)
            .map(|n| json!({"at": minute(n), "temperature": 1}))
            .collect();
        let series = json!({"logger": "TL-7", "readings": many});
        refused_field(operator.post(&path, &series).await, "/readings", "length");
    }
    for (limits, field, code) in [
        (json!({}), "/limits", "required"),
        (
            json!({"temperature": {"min": 9, "max": 8}}),
            "/limits/temperature/max",
            "out-of-range",
        ),
        (
            json!({"humidity": {"max": 101}}),
            "/limits/humidity/max",
            "out-of-range",
        ),
        (
            json!({"vibration_max": 0.05}),
            "/limits/vibration_max",
            "format",
        ),
    ] {
        let waybill = json!({"waybill_no": "SF-2", "limits": limits});
        refused_field(operator.post("/v1/transports", &waybill).await, field, code);
    }
    let nobody = "/v1/transports/0198c0de-0000-7000-8000-000000000000/readings";
    let series = json!({"logger": "TL-7", "readings": [good]});
    refused(operator.post(nobody, &series).await, "not-found");
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

on_both!(a_transport_has_so_many_readings, |app| {
    let limits = json!({"temperature": {"max": 8}});
    let (_, firm, transport) = transport(&app, limits).await;
    let path = format!("/v1/transports/{transport}/readings");
    for part in 0..21 {
        let readings: Vec<Value> = (0..1000)
            .map(|n| {
                let second = part * 1000 + n;
                let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
                json!({"at": format!("2026-06-01T{h:02}:{m:02}:{s:02}Z"), "temperature": 9})
            })
            .collect();
        let series = json!({"logger": "TL-7", "readings": readings});
        let answer = firm.operator.post(&path, &series).await;
        if part == 20 {
            refused_field(answer, "/readings", "too-many");
        } else {
            made(answer);
        }
    }
    assert_eq!(
        number(&told(&firm.operator, "").await[0]["readings"]),
        20_000
    );
    app.stop().await;
});

on_both!(a_measure_stays_with_the_excursion_it_was_taken_for, |app| {
    let limits = json!({"temperature": {"max": 8}});
    let (_, firm, transport) = transport(&app, limits).await;
    let operator = &firm.operator;
    filed(&firm, &transport, "TL-7", &[(1, 9.0), (9, 9.5), (10, 5.0)]).await;
    let path = format!("/v1/transports/{transport}/measures");
    let taken = json!({
        "logger": "TL-7", "quantity": "temperature", "at": minute(1), "measure": "换车，抽检三罐",
    });
    let measure = made(operator.post(&path, &taken).await);
    let last = entries(&app).await.pop().expect("an entry");
    assert_eq!(last.kind, "excursion_measured");
    assert!(last.body.contains("换车，抽检三罐"), "{}", last.body);
    let of = |found: &[Value]| -> Vec<usize> {
        let measures = |one: &Value| array(&one["measures"]).len();
        found.iter().map(measures).collect()
    };
    let found = told(operator, "?measured=true").await;
    assert_eq!(found[0]["measures"], json!([measure]));
    assert_eq!(told(operator, "?measured=false").await, [Value::Null; 0]);
    // Split, it belongs to the part it was taken for.
    filed(&firm, &transport, "TL-7", &[(5, 4.0)]).await;
    assert_eq!(of(&told(operator, "").await), [1, 0]);
    // Where nothing was wrong, with another series, or another quantity, there is nothing to record.
    let before = head(&app).await;
    for (name, value) in [
        ("at", json!(minute(5))),
        ("at", json!(minute(10))),
        ("logger", json!("TL-8")),
        ("quantity", json!("humidity")),
    ] {
        let mut none = taken.clone();
        none[name] = value;
        refused_field(operator.post(&path, &none).await, "/at", "no-excursion");
    }
    let mut both = taken.clone();
    both["device"] = json!(transport);
    refused_field(operator.post(&path, &both).await, "/logger", "required");
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

on_both!(excursions_are_paged_and_narrowed, |app| {
    let limits = json!({"temperature": {"max": 8}, "humidity": {"max": 60}});
    let (_, firm, transport) = transport(&app, limits.clone()).await;
    let operator = &firm.operator;
    let second = json!({"waybill_no": "SF-2", "limits": limits});
    let second = id(&made(operator.post("/v1/transports", &second).await));
    for transport in [&transport, &second] {
        let path = format!("/v1/transports/{transport}/readings");
        let readings = json!([
            {"at": minute(1), "temperature": 9, "humidity": 70},
            {"at": minute(2), "temperature": 5, "humidity": 50},
            {"at": minute(3), "temperature": 9, "humidity": 70},
        ]);
        for logger in ["TL-1", "TL-2"] {
            let series = json!({"logger": logger, "readings": readings});
            made(operator.post(&path, &series).await);
        }
    }
    let all = told(operator, "").await;
    assert_eq!(all.len(), 16);
    for limit in [1, 3, 8, 15] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = ok(operator
                .get(&format!("/v1/excursions?limit={limit}{after}"))
                .await);
            assert!(array(&page["items"]).len() <= limit);
            seen.extend(array(&page["items"]).iter().cloned());
            assert!(seen.len() <= all.len(), "{limit}");
            let Some(next) = page["next"].as_str() else {
                break;
            };
            after = format!("&after={next}");
        }
        assert_eq!(seen, all, "{limit}");
    }
    let count = async |query: &str| told(operator, query).await.len();
    assert_eq!(count("?waybill_no=SF-2").await, 8);
    assert_eq!(count("?waybill_no=SF-3").await, 0);
    assert_eq!(count("?quantity=humidity&open=true").await, 4);
    assert_eq!(count("?open=false&waybill_no=SF-1").await, 4);
    refused(
        operator.get("/v1/excursions?quantity=noise").await,
        "malformed-request",
    );
    // Transports are listed, and a regulator reads both of whom it names.
    let found = ok(operator.get("/v1/transports?waybill_no=SF-2").await);
    assert_eq!(id(&found["items"][0]), second);
    let regulator = person(&app, "regulator.one", Role::Regulator, None).await;
    let whose = format!("?enterprise_id={}", firm.id);
    assert_eq!(told(&regulator, &whose).await, all);
    let listed = ok(regulator.get(&format!("/v1/transports{whose}")).await);
    assert_eq!(array(&listed["items"]).len(), 2);
    app.stop().await;
});
