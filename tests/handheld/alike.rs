//! Staff and devices are told of a code what a consumer is told who scans it: there is one decision about
//! codes, and one record of them. What nobody allocated is nobody's code, whatever it opens to.

use crate::{
    scene::{enrolled, inbound, settled},
    support::{array, firm, gtin, id, made, ok, person, platform, segment, text_of},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use suyuan::accounts::Role;
use suyuan_sync::trace_code::{self, OwnCode, TraceCode, check_digit};
use suyuan_tests::{Caller, TestApp, caller::encoded, on_both};

/// What is told of a code: legality, advice and reasons.
fn judgement(told: &Value) -> [Value; 3] {
    ["legality", "advice", "reasons"].map(|name| told[name].clone())
}

/// Holds both answers against each other; what is told, and whether staff are told anything.
async fn alike(app: &TestApp, staff: &Caller, code: &str) -> (Value, bool) {
    let consumer = app.consumer().scan(code).await;
    let public = consumer.json();
    let unit = staff.get(&format!("/v1/units/{}", encoded(code))).await;
    let known = unit.status == 200;
    if known {
        let advice = &unit.json()["advice"];
        assert_eq!(judgement(advice), judgement(&public), "{code}");
    } else {
        assert_eq!((unit.status, consumer.status), (404, 404), "{code}");
    }
    (public, known)
}

/// An SSCC of the same prefix, far from all that were ever allocated.
fn never_allocated(pallet: &str) -> String {
    let Ok(TraceCode::Sscc(sscc)) = trace_code::parse(pallet).map(|scanned| scanned.code) else {
        panic!("{pallet} is no SSCC");
    };
    let data = format!("{}88888", &sscc.as_str()[..12]);
    format!("/00/{data}{}", check_digit(&data).expect("digits"))
}

on_both!(
    a_code_is_judged_alike_for_consumers_staff_and_devices,
    |app| {
        let demo = app.world().await;
        let staff = app
            .signed_in(&demo.platform.user, &demo.platform.password)
            .await;
        let enterprises = ok(staff.get("/v1/enterprises").await);
        let maker = array(&enterprises["items"])
            .iter()
            .find(|one| one["code"] == "CHENMV");
        let maker = Some(id(maker.expect("the maker")).parse().expect("an id"));
        let worker = person(&app, "chenmv.worker", Role::Operator, maker).await;
        let places = ok(worker.get("/v1/locations").await);
        let mut device = enrolled(&app, &worker, &id(&places["items"][0])).await;

        let codes = &demo.codes;
        for (group, codes) in [
            ("legal", &codes.legal),
            ("care", &codes.care),
            ("recalled", &codes.recalled),
            ("expired", &codes.expired),
            ("void", &codes.void),
            ("not_commissioned", &codes.not_commissioned),
            ("case", &codes.case),
            ("pallet", &codes.pallet),
            ("suspected_copy", &codes.suspected_copy),
            ("collected", &codes.collected),
            ("destroyed", &codes.destroyed),
        ] {
            assert!(!codes.is_empty(), "{group}");
            for code in codes {
                let (public, known) = alike(&app, &staff, code).await;
                assert!(known, "{group} {code}: {public}");
            }
        }
        let Ok(TraceCode::Own(care)) = trace_code::parse(&codes.care[0]).map(|it| it.code) else {
            panic!("{} is of no own scheme", codes.care[0]);
        };
        let (product, _) = care.internal.rsplit_once('-').expect("a serial");
        let own = OwnCode::new(&care.enterprise, &format!("{product}-00123456789ABC"));
        let own = format!("/c/{}.{}", care.enterprise, own.expect("a code").internal);
        let forged = [
            &codes.not_allocated[..],
            &codes.forged[..],
            &[never_allocated(&codes.pallet[0]), own],
        ]
        .concat();
        for code in &forged {
            let (public, known) = alike(&app, &staff, code).await;
            let judged = judgement(&public);
            assert_eq!(judged[0], "not_allocated", "{code}");
            assert_eq!(judged[1], "stop", "{code}");
            assert!(!known, "{code}: nothing happened to it");
        }
        let asked: Vec<&String> = forged.iter().chain(&codes.legal[..1]).collect();
        let asked = json!({"v": 1, "codes": asked});
        let told = ok(device.ask("/v1/sync/lookups", &asked).await);
        let cards = array(&told["cards"]);
        let (last, cards) = cards.split_last().expect("cards");
        assert!(cards.iter().all(Value::is_null), "{told}");
        assert!(!last.is_null(), "{told}");

        // Somebody of the issuer scans them: they are told of then, and are no better codes.
        let seen: Vec<&String> = forged.iter().collect();
        let event = device.event("inbound", &inbound(&seen));
        device.push(&[event]).await;
        settled(&app).await;
        app.settled().await;
        for code in &forged {
            let (public, known) = alike(&app, &staff, code).await;
            assert_eq!(judgement(&public)[1], "stop", "{code}");
            assert!(known, "{code}: it was seen");
        }
        app.stop().await;
    }
);

on_both!(a_number_that_nobody_printed_is_told_as_such, |app| {
    let firm = firm(&app, &platform(&app).await, "ACME", &["9521234"]).await;
    let admin = &firm.admin;
    let product = json!({
        "code": "NV-1", "name": "奶粉", "profile": "infant-formula",
        "gtin": gtin("0952123400002"), "mint_profile": "numeric",
    });
    let product = id(&made(admin.post("/v1/products", &product).await));
    let segment = segment(admin, &product, 3).await;
    let path = format!("/v1/segments/{}/codes", text_of(&segment["id"]));
    let printed = admin.get(&path).await.text();
    let codes = printed.lines().skip(1);
    let codes = codes.filter_map(|line| line.rsplit(',').next());
    let codes: BTreeSet<String> = codes.map(str::to_owned).collect();
    app.settled().await;
    for code in &codes {
        let (public, known) = alike(&app, admin, code).await;
        assert_eq!(
            (&public["legality"], known),
            (&json!("not_commissioned"), true)
        );
    }
    let first = codes.first().expect("a code");
    for digit in 0..10 {
        // Each of these opens to some index.
        let guess = format!("{}{digit}", &first[..first.len() - 1]);
        if !codes.contains(&guess) {
            let (public, known) = alike(&app, admin, &guess).await;
            assert_eq!(
                (&public["legality"], known),
                (&json!("not_allocated"), false)
            );
        }
    }
    app.stop().await;
});
