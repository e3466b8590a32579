//! Units whose RFID tags are read: both ways of minting serials, their print files, their life.

use crate::{
    commissions::legality,
    support::{array, batch, firm, gtin, id, made, number, platform, refused_field, text_of},
};
use serde_json::{Value, json};
use suyuan::codes::{MintProfile, SpaceKey, store};
use suyuan_sync::trace_code::{self, TraceCode};
use suyuan_tests::{Caller, on_both};

/// A formula product with GTIN and case whose serials are minted in this way.
async fn product(admin: &Caller, code: &str, body: &str, profile: &str) -> Value {
    let product = json!({
        "code": code, "name": "奶粉", "profile": "infant-formula", "mint_profile": profile,
        "gtin": gtin(body), "case_gtin": gtin(&format!("1{}", &body[1..])),
    });
    made(admin.post("/v1/products", &product).await)
}

/// Serial, address and EPC of each line of a print file.
async fn printed(admin: &Caller, segment: &Value, kind: &str) -> Vec<(String, String, String)> {
    let path = format!("/v1/segments/{}/codes?epc={kind}", text_of(&segment["id"]));
    let answer = admin.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("index,serial,url,epc"));
    lines
        .map(|line| {
            let parts: Vec<&str> = line.split(',').collect();
            let [_, serial, url, epc] = parts[..] else {
                panic!("{line}");
            };
            (serial.into(), url.into(), epc.into())
        })
        .collect()
}

on_both!(
    tagged_units_of_both_profiles_live_from_print_file_to_scan,
    |app| {
        let platform = platform(&app).await;
        let firm = firm(&app, &platform, "AAA", &["9521234"]).await;
        for (code, body, profile, kinds) in [
            (
                "TN-1",
                "0952123400001",
                "numeric",
                &["sgtin-96", "sgtin-198"][..],
            ),
            ("TN-2", "0952123400002", "alphanumeric", &["sgtin-198"]),
        ] {
            let product = product(&firm.admin, code, body, profile).await;
            for item in array(&product["trade_items"]) {
                assert_eq!(item["mint_profile"], profile);
            }
            let product = id(&product);
            let read = firm
                .admin
                .get(&format!("/v1/products/{product}"))
                .await
                .json();
            assert_eq!(read["trade_items"][1]["mint_profile"], profile);
            let batch = batch(&firm.admin, &product, "L1").await;
            let wanted = json!({"product_id": product, "count": 60});
            let new = made(firm.admin.post("/v1/segments", &wanted).await);
            for kind in kinds {
                for (serial, url, epc) in printed(&firm.admin, &new, kind).await {
                    let unit = trace_code::parse(&url).expect("a trace code").code;
                    assert_eq!(trace_code::parse(&epc).expect("an EPC").code, unit);
                    assert_eq!(epc.len(), if *kind == "sgtin-96" { 24 } else { 52 });
                    if profile == "numeric" {
                        assert!(serial.len() == 11 && serial.starts_with('1'), "{serial}");
                        assert!(serial.bytes().all(|b| b.is_ascii_digit()), "{serial}");
                    }
                }
            }
            // Commissioned as a reader at the line delivers them, destroyed likewise.
            let lines = printed(&firm.admin, &new, kinds[0]).await;
            let scanned: Vec<_> = lines[..40]
                .iter()
                .map(|line| line.2.to_lowercase())
                .collect();
            let body = json!({"batch_id": batch, "codes": scanned});
            let done = made(firm.admin.post("/v1/commissions", &body).await);
            assert_eq!(number(&done["commissioned"]), 40);
            let body = json!({
                "codes": [lines[50].2], "reason": "破损", "method": "粉碎", "witness": "W1",
                "destroyed_on": "2026-02-01",
            });
            made(firm.admin.post("/v1/code-destructions", &body).await);
            app.settled().await;
            for (at, expected) in [
                (0, "legal"),
                (39, "legal"),
                (40, "not_commissioned"),
                (50, "void"),
            ] {
                let (_, url, epc) = &lines[at];
                assert_eq!(legality(&app, url).await, expected, "{url}");
                let path = format!("{}/eh{epc}", app.public_url);
                assert_eq!(legality(&app, &path).await, expected, "{path}");
            }
        }
        app.stop().await;
    }
);

on_both!(
    a_numeric_serial_that_was_not_allocated_is_refused_by_look_up,
    |app| {
        let platform = platform(&app).await;
        let firm = firm(&app, &platform, "AAA", &["9521234"]).await;
        let body = "0952123400001";
        let numeric = id(&product(&firm.admin, "TN-1", body, "numeric").await);
        let usual = product(&firm.admin, "TN-2", "0952123400002", "alphanumeric").await;
        for product in [&numeric, &id(&usual)] {
            let wanted = json!({"product_id": product, "count": 1000});
            made(firm.admin.post("/v1/segments", &wanted).await);
        }
        app.settled().await;
        let enterprise = firm.id.parse().expect("an id");
        let state = app.state();
        let space = SpaceKey::parse(&format!("01/{}", gtin(body))).expect("a space");
        let ring = store::ring(&state.db, &state.sealer, enterprise, &space).await;
        let ring = ring.expect("a ring");
        let top = MintProfile::Numeric.index_space() - 1;
        for (index, expected) in [
            (0, "not_commissioned"),
            (999, "not_commissioned"),
            (1000, "not_allocated"),
            (top, "not_allocated"),
        ] {
            let serial = ring.mint(1, index).expect("a serial");
            let url = format!("{}/01/{}/21/{serial}", app.public_url, gtin(body));
            let answer = app.consumer().scan(&url).await;
            assert_eq!(answer.json()["legality"], expected, "{url}");
        }
        assert!(ring.mint(1, top + 1).is_none());
        // No eleven digits name a unit of a product with serials of the usual kind, and none of
        // another key does.
        for (body, serial) in [("0952123400002", "10000000000"), (body, "20000000000")] {
            let url = format!("{}/01/{}/21/{serial}", app.public_url, gtin(body));
            let answer = app.consumer().scan(&url).await;
            assert_eq!(answer.json()["legality"], "not_allocated", "{url}");
        }
        app.stop().await;
    }
);

on_both!(tags_are_for_codes_that_fit_them, |app| {
    let platform = platform(&app).await;
    let firm = firm(&app, &platform, "AAA", &["9521234"]).await;
    let numeric = id(&product(&firm.admin, "TN-1", "0952123400001", "numeric").await);
    let usual = id(&product(&firm.admin, "TN-2", "0952123400002", "alphanumeric").await);
    let own = json!({"code": "TN-3", "name": "乳液", "category": "infant-care"});
    let own = id(&made(firm.admin.post("/v1/products", &own).await));
    let segment = async |wanted: Value| made(firm.admin.post("/v1/segments", &wanted).await);
    let item = |product: &str| json!({"product_id": product, "count": 3});
    for (wanted, refused) in [
        (item(&numeric), &["sscc-96", "sgln-96", "", "sgtin"][..]),
        (item(&usual), &["sgtin-96", "sscc-96"]),
        (item(&own), &["sgtin-96", "sgtin-198", "sscc-96"]),
        (
            json!({"gs1_prefix": "9521234", "count": 3}),
            &["sgtin-96", "sgtin-198"],
        ),
    ] {
        let new = segment(wanted).await;
        for kind in refused {
            let path = format!("/v1/segments/{}/codes?epc={kind}", text_of(&new["id"]));
            refused_field(firm.admin.get(&path).await, "epc", "does-not-fit");
        }
    }
    let pallets = segment(json!({"gs1_prefix": "9521234", "count": 3})).await;
    for (sscc, _, epc) in printed(&firm.admin, &pallets, "sscc-96").await {
        let code = trace_code::parse(&epc).expect("an EPC").code;
        assert!(matches!(code, TraceCode::Sscc(read) if read.as_str() == sscc));
    }
    // A case says so in its tag: header 0x36, filter value 2, partition 5, prefix 9521234.
    let cases = segment(json!({"product_id": usual, "level": "case", "count": 1})).await;
    let (_, _, epc) = &printed(&firm.admin, &cases, "sgtin-198").await[0];
    assert!(epc.starts_with("365645214"), "{epc}");
    for (name, profile, fault) in [
        ("TN-4", json!("numeric"), Some("needs-gtin")),
        ("TN-5", json!("binary"), None),
    ] {
        let own = json!({
            "code": name, "name": "乳液", "category": "infant-care", "mint_profile": profile,
        });
        let answer = firm.admin.post("/v1/products", &own).await;
        match fault {
            Some(fault) => refused_field(answer, "mint_profile", fault),
            None => assert!(matches!(answer.status, 400 | 422), "{}", answer.text()),
        }
    }
    app.stop().await;
});
