//! Carriers other than the printed code: RFID tags by address and by text, and codes of other
//! national schemes (MB-5.3.2b, IF-4.2).

use crate::{
    on_each,
    support::{View, gtin_and_serial, path_of, scan},
};
use suyuan_sync::trace_code::{Epc, Filter, TagKind, parse};
use suyuan_tests::{TestApp, on_both};

/// What is said of a text typed at `/q`.
async fn typed(app: &TestApp, text: &str) -> (u16, View) {
    let code = text
        .replace('%', "%25")
        .replace(':', "%3A")
        .replace('/', "%2F");
    scan(app, &format!("/q?code={code}")).await
}

on_both!(a_tag_names_the_tin_that_its_printed_code_names, |app| {
    let demo = app.world().await;
    for (url, verdict) in [
        (&demo.codes.legal[0], "legal ok"),
        (&demo.codes.recalled[0], "legal stop recalled"),
        (&demo.codes.void[0], "void stop void"),
    ] {
        let unit = parse(url).expect("a trace code").code;
        let epc = Epc::of(&unit, 7).expect("an EPC");
        let tag = epc
            .tag(TagKind::Sgtin198, Filter::POINT_OF_SALE)
            .expect("a tag");
        let (gtin, serial) = gtin_and_serial(url);
        for path in [
            format!("/eh{tag}"),
            format!("/EH{tag}/"),
            format!("/eh{tag}?x=1"),
        ] {
            let (status, view) = scan(&app, &path).await;
            assert_eq!((status, view.verdict().as_str()), (200, verdict), "{path}");
            assert_eq!(view.code.gtin.as_deref(), Some(gtin));
            assert_eq!(view.code.serial.as_deref(), Some(serial));
            assert_eq!(view.code.canonical, format!("/01/{gtin}/21/{serial}"));
        }
        for text in [
            tag.to_string(),
            tag.urn().to_string(),
            epc.to_string(),
            format!("0x{tag}"),
        ] {
            let (status, view) = typed(&app, &text).await;
            assert_eq!((status, view.verdict().as_str()), (200, verdict), "{text}");
        }
        let page = app.consumer().page(&format!("/p/eh{tag}")).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains(serial), "the page names the unit");
    }
    // What the address says besides is held against the record, as with a printed code.
    let unit = parse(&demo.codes.legal[0]).expect("a trace code").code;
    let tag = Epc::of(&unit, 7).and_then(|epc| epc.tag(TagKind::Sgtin198, Filter::OTHER));
    let path = format!("/eh{}?17=990101", tag.expect("a tag"));
    let (_, view) = scan(&app, &path).await;
    assert_eq!(view.verdict(), "legal stop code_contradicts_record");
    // A pallet, and the class of a product.
    let pallet = parse(path_of(&demo.codes.pallet[0]))
        .expect("a trace code")
        .code;
    let tag = Epc::of(&pallet, 7).and_then(|epc| epc.tag(TagKind::Sscc96, Filter::UNIT_LOAD));
    let (status, view) = scan(&app, &format!("/eh{}", tag.expect("a tag"))).await;
    assert_eq!((status, view.code.level.as_str()), (200, "pallet"));
    let product = parse(gtin_and_serial(&demo.codes.legal[0]).0)
        .expect("a GTIN")
        .code;
    let class = Epc::of(&product, 7).expect("an EPC").to_string();
    let (status, view) = typed(&app, &class).await;
    assert_eq!(
        (status, view.code.level.as_str()),
        (200, "product"),
        "{class}"
    );
    app.stop().await;
});

on_both!(a_tag_that_cannot_be_read_is_refused_at_its_place, |app| {
    for (path, fault, place) in [
        ("/eh", "missing-value", 4),
        ("/eh30", "bad-length", 4),
        ("/eh307C257BF7194E4000001A85", "bad-partition", 6),
        ("/eh3074257BF7D0900000001A85", "bad-value", 13),
        ("/ehE2801160600002054E1F2A9B", "unknown-epc", 4),
        ("/ex3174", "unknown-epc", 4),
        ("/exMHQle_cZTkAAABq%", "bad-percent-encoding", 19),
        ("/eh3074257BF7194E4000001A85/21/x", "extra-segment", 29),
    ] {
        let answer = app.consumer().scan(path).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "malformed-code"),
            "{path}"
        );
        let body = answer.json();
        assert_eq!(body["errors"][0]["code"], fault, "{path}");
        let detail = answer.text();
        assert!(
            detail.contains(&format!("character {place})"))
                || detail.contains(&format!("第 {place} 个字符")),
            "{path}: {detail}"
        );
    }
    let page = app.consumer().page("/p/eh30").await;
    assert_eq!(page.status, 400);
    app.stop().await;
});

on_each!(
    codes_of_other_schemes_are_recognised_and_of_an_unknown_issuer,
    |engine| {
        let app = TestApp::spawn(engine).await;
        for text in [
            "88.118.8/JX-1.2026.0001",
            "industrial-internet:88.118.8/JX-1.2026.0001",
        ] {
            let (status, view) = typed(&app, text).await;
            assert_eq!(
                (status, view.legality.as_deref()),
                (404, Some("unknown_issuer")),
                "{text}"
            );
            assert_eq!(
                (view.advice.as_str(), view.code.scheme.as_str()),
                ("caution", "industrial-internet")
            );
            assert_eq!(
                view.code.canonical,
                "industrial-internet:88.118.8/JX-1.2026.0001"
            );
        }
        let page = app
            .consumer()
            .page("/q?code=88.118.8%2F%E5%A5%B6%3Cb%3E")
            .await;
        assert_eq!(page.status, 404);
        assert!(page.text().contains("88.118.8/奶") && !page.text().contains("<b>"));
        // Named, it is refused where it goes wrong; the profile that is not switched on is no code.
        for (text, fault) in [
            ("industrial-internet:88.118/x", "bad-character"),
            ("81234567890123456789", "bad-length"),
        ] {
            let answer = app.consumer().scan(&format!("/q?code={text}")).await;
            assert_eq!(answer.status, 400, "{text}: {}", answer.text());
            assert_eq!(answer.json()["errors"][0]["code"], fault, "{text}");
        }
        app.stop().await;
    }
);
