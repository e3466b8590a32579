//! Addresses no honest printer makes, byte for byte: split first, decoded after, refused by name.

use crate::support::{View, gtin_and_serial, path_of, raw_one, told, verdict};
use suyuan_tests::on_both;

const JSON: &str = "Accept: application/json\r\n";

/// A GET of exactly this target.
fn get(target: &[u8]) -> Vec<u8> {
    [
        b"GET ",
        target,
        b" HTTP/1.1\r\nHost: x\r\n",
        JSON.as_bytes(),
        b"Connection: close\r\n\r\n",
    ]
    .concat()
}

on_both!(addresses_are_split_before_they_are_decoded, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let (gtin, serial) = gtin_and_serial(tin);
    let never = "404 not_allocated stop not_allocated";
    let bad = |fault: &str| format!("400 malformed-code {fault}");
    let cases: Vec<(String, String)> = vec![
        (format!("/01/{gtin}/21/{serial}"), "200 legal ok".into()),
        (format!("/01/{gtin}/21/{serial}/"), "200 legal ok".into()),
        (
            format!(
                "/01/{gtin}/21/{}%{:02x}",
                &serial[..13],
                serial.as_bytes()[13]
            ),
            "200 legal ok".into(),
        ),
        (format!("/01/{gtin}/21/AB%2FCD"), never.into()),
        (format!("/01/{gtin}/21/AB%2fCD"), never.into()),
        (format!("/01/{gtin}/21/%2E%2E%2E"), never.into()),
        (format!("/01/{gtin}/21/AB%00CD"), bad("bad-character")),
        (format!("/01/{gtin}/21/%0d%0aX:1"), bad("bad-character")),
        (format!("/01/{gtin}/21/A%20B"), bad("bad-character")),
        (format!("/01/{gtin}/21/%C3%A9"), bad("bad-character")),
        (format!("/01/{gtin}/21/%FF%FE"), bad("bad-character")),
        (format!("/01/{gtin}/21/%zz"), bad("bad-percent-encoding")),
        (format!("/01/{gtin}/21/A%4"), bad("bad-percent-encoding")),
        (format!("/01/{gtin}/21/%252e%252e"), never.into()),
        (format!("/01/{gtin}/21/.."), bad("dot-segment")),
        (format!("/01/{gtin}/21/%2e%2E"), bad("dot-segment")),
        (format!("/01/../01/{gtin}"), bad("dot-segment")),
        (format!("/01/./{gtin}"), bad("dot-segment")),
        (
            format!("/01/{gtin}/21/123456789012345678901"),
            bad("bad-length"),
        ),
        (
            format!("/01/{gtin}/21/{}", "%41".repeat(21)),
            bad("bad-length"),
        ),
        (format!("/01/{gtin}/21/A/extra"), bad("extra-segment")),
        (format!("/01/{gtin}/21/A/extra/more"), bad("unknown-key")),
        (format!("/01/{gtin}/21/A/10/L"), bad("qualifier-order")),
        (format!("/01/{gtin}/10/L/22/V"), bad("qualifier-order")),
        (format!("/01/{gtin}/21/A/21/B"), bad("duplicate-key")),
        (format!("/01/{gtin}/17/270101"), bad("attribute-in-path")),
        (format!("/01/{gtin}/254/X"), bad("not-a-qualifier")),
        (format!("/01/{gtin}/21/A/235/B"), bad("conflicting-keys")),
        (format!("/01/{gtin}?21=A"), bad("not-an-attribute")),
        (format!("/01/{gtin}?10=A"), bad("not-an-attribute")),
        (
            format!("/01/{gtin}?17=270101&17=270101"),
            bad("duplicate-key"),
        ),
        (format!("/01/{gtin}?17=271301"), bad("bad-date")),
        (format!("/01/{gtin}?17=27010"), bad("bad-length")),
        (
            format!("/01/{gtin}?17=%zz0101"),
            bad("bad-percent-encoding"),
        ),
        (format!("/01/{gtin}?9999=1"), bad("unknown-key")),
        (format!("/01/{gtin}/21"), bad("missing-value")),
        (format!("/01/{gtin}/21/"), bad("missing-value")),
        (format!("/01//21/{serial}"), bad("missing-value")),
        ("/01/".into(), bad("missing-value")),
        ("/01//".into(), bad("missing-value")),
        (format!("/01/{}", &gtin[..13]), bad("bad-check-digit")),
        (format!("/01/{}x", &gtin[..13]), bad("bad-digit")),
        (format!("/%30%31/{gtin}"), "404 not-found -".into()),
        ("/99/x".into(), bad("no-key")),
        ("/05/x".into(), bad("unknown-key")),
        (
            format!("/01/{gtin}{}", "/21/A".repeat(20)),
            "414 uri-too-long too-long".into(),
        ),
        (
            format!("/01/{gtin}/21/{}", "A".repeat(2048)),
            "414 uri-too-long too-long".into(),
        ),
        (
            format!("/01/{gtin}?x={}", "A".repeat(2048)),
            "414 uri-too-long too-long".into(),
        ),
        (format!("//01/{gtin}"), "404 not-found -".into()),
        (format!("/01//{gtin}"), bad("-any")),
        (format!("/P/01/{gtin}"), "404 not-found -".into()),
        ("/p".into(), "404 not-found -".into()),
        ("/q/".into(), "404 not-found -".into()),
        ("/q/x".into(), "404 not-found -".into()),
        ("/files/".into(), "404 not-found -".into()),
        ("/files/a/b".into(), "404 not-found -".into()),
        ("/v1/batches".into(), "404 not-found -".into()),
        ("/metrics".into(), "404 not-found -".into()),
        ("/.well-known/x".into(), "404 not-found -".into()),
        ("/01/%2e%2e%2f%2e%2e%2fetc%2fpasswd".into(), bad("-any")),
    ];
    let mut wrong = Vec::new();
    for (target, expected) in &cases {
        let answer = raw_one(&app, &get(target.as_bytes()))
            .await
            .expect("an answer");
        let told = told(&answer);
        let fits = match expected.strip_suffix("-any") {
            Some(start) => told.starts_with(start),
            None => told == *expected,
        };
        if !fits {
            wrong.push(format!("{target:.80}: {told}, not {expected}"));
        }
        assert_eq!(answer.header("x-request-id").len(), 24, "{target}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Below /p everything is a page, what is wrong too.
    for target in [format!("/p//01/{gtin}"), "/p/".into()] {
        let answer = raw_one(&app, &get(target.as_bytes()))
            .await
            .expect("an answer");
        assert_eq!(answer.status, 404, "{target}");
        assert!(answer.text().contains("not-found"), "{target}");
    }
    // Mixed case in escapes is one code.
    let canonical = async |escape: &str| {
        let target = format!("/01/{gtin}/21/A{escape}B");
        let answer = raw_one(&app, &get(target.as_bytes()))
            .await
            .expect("an answer");
        View::of(&answer).code.canonical
    };
    assert_eq!(canonical("%2f").await, canonical("%2F").await);
    assert_eq!(canonical("%2f").await, format!("/01/{gtin}/21/A%2FB"));
    assert_eq!(canonical("%41").await, canonical("A").await);
    assert_eq!(verdict(&app, tin).await, "200 legal ok");
    app.stop().await;
});

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

on_both!(mangled_addresses_never_fail_on_our_side, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let bases = [
        tin.to_owned(),
        path_of(&demo.codes.care[0]).to_owned(),
        path_of(&demo.codes.pallet[0]).to_owned(),
        format!("/p{tin}"),
        format!("/q?code={tin}"),
        "/q?code=(01)06901234567892(21)A".to_owned(),
    ];
    let mut seed = 0x5eed;
    let mut seen = std::collections::BTreeMap::new();
    for round in 0..1500 {
        let mut target = bases[round % bases.len()].clone().into_bytes();
        for _ in 0..=next(&mut seed) % 4 {
            if target.len() < 2 {
                break;
            }
            let at = (next(&mut seed) % target.len() as u64) as usize;
            let byte =
                b"%/?&=;:.+#()~*!0123456789ABCxyz\x7f\xc3\xe5"[(next(&mut seed) % 34) as usize];
            match next(&mut seed) % 4 {
                0 => target[at] = byte,
                1 => target.insert(at, byte),
                2 => drop(target.remove(at)),
                _ => target.truncate(at.max(1)),
            }
        }
        let accept = if round % 2 == 0 {
            "text/html"
        } else {
            "application/json"
        };
        let request = [
            b"GET ",
            &target[..],
            format!(" HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        ]
        .concat();
        let status = raw_one(&app, &request)
            .await
            .map_or(0, |answer| answer.status);
        assert!(
            status < 500,
            "{status}: {}",
            String::from_utf8_lossy(&target)
        );
        *seen.entry(status).or_insert(0) += 1;
    }
    println!("mangled addresses: {seen:?}");
    assert_eq!(verdict(&app, tin).await, "200 legal ok");
    app.stop().await;
});
