//! Codes typed by hand or pasted: `/q`.

use crate::support::{View, gtin_and_serial, path_of};
use suyuan::demo::Demo;
use suyuan_tests::{Answer, TestApp, on_both};

/// As a browser sends a form: everything but letters and digits percent-encoded.
fn form(text: &str) -> String {
    let one = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(one).collect::<Vec<_>>().concat()
}

async fn typed(app: &TestApp, text: &str) -> Answer {
    let path = format!("/q?code={}", form(text));
    app.consumer().scan(&path).await
}

async fn typed_page(app: &TestApp, text: &str) -> Answer {
    let path = format!("/q?lang=en&code={}", form(text));
    app.consumer().page(&path).await
}

async fn said(app: &TestApp, text: &str) -> String {
    let answer = typed(app, text).await;
    if answer.header("content-type") == "application/problem+json" {
        let fault = answer.json()["errors"][0]["code"].clone();
        return format!("{} {} {fault}", answer.status, answer.problem());
    }
    format!("{} {}", answer.status, View::of(&answer).verdict())
}

fn lot(demo: &Demo) -> String {
    path_of(&demo.codes.legal[0])
        .split('/')
        .nth(4)
        .expect("a lot")
        .to_owned()
}

/// What fingers and eyes make of a serial: small letters, O for 0, I and l for 1.
fn misread(serial: &str) -> String {
    serial
        .to_ascii_lowercase()
        .replace('0', "O")
        .replace('1', "l")
}

on_both!(without_a_code_the_form_is_given, |app| {
    for path in [
        "/q",
        "/q?",
        "/q?code=",
        "/q?code=%20%20",
        "/q?code=+",
        "/q?lang=en",
        "/q?x=1",
    ] {
        let page = app.consumer().page(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.text().contains("<form action=\"/q\" method=\"get\">"),
            "{path}"
        );
        assert!(!page.text().contains("class=\"fault\""), "{path}");
    }
    let root = app.consumer().page("/").await;
    assert_eq!((root.status, root.header("location")), (303, "/q"));
    app.stop().await;
});

on_both!(whatever_form_a_person_types_names_the_same_tin, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let (gtin, serial) = gtin_and_serial(tin);
    let (lot, ean) = (lot(&demo), gtin.strip_prefix('0').expect("a GTIN-13"));
    let expiry = tin.split("17=").nth(1).expect("an expiry");
    let same = [
        demo.codes.legal[0].clone(),
        tin.to_owned(),
        format!("HTTPS://ID.EXAMPLE{tin}"),
        format!("id.example.cn/stem{tin}"),
        format!("https://someone-else.example/x/y{tin}#top"),
        format!("(01){gtin}(21){serial}"),
        format!(" (01) {gtin} (10) {lot} (21) {serial} "),
        format!("(01){ean}(21){serial}"),
        format!("01{gtin}21{serial}"),
        format!("01{gtin}17{expiry}10{lot}\u{1d}21{serial}"),
        format!("]C101{gtin}21{serial}\u{1d}17{expiry}"),
        format!("]d2\u{1d}01{gtin}21{serial}"),
        format!("]Q3{tin}").replace(tin, &format!("01{gtin}21{serial}")),
        format!("]Q1{tin}"),
        format!("(01){gtin}(21){}", misread(serial)),
        format!("/01/{gtin}/21/{}", misread(serial)),
        format!("\t/01/{gtin}/21/{serial}\r\n"),
    ];
    for text in &same {
        let answer = typed(&app, text).await;
        assert_eq!(answer.status, 200, "{text:?}: {}", answer.text());
        let view = View::of(&answer);
        assert_eq!(view.verdict(), "legal ok", "{text:?}");
        assert_eq!(
            view.code.serial.as_deref(),
            Some(serial),
            "{text:?}: folded back"
        );
        assert_eq!(view.code.gtin.as_deref(), Some(gtin));
    }
    // What a scanner reads is taken as it is: a small letter is another serial.
    let small = format!("/01/{gtin}/21/{}", serial.to_ascii_lowercase());
    assert_eq!(app.consumer().scan(&small).await.status, 404);
    // A look-alike in a serial nobody minted stays unminted.
    assert_eq!(
        said(&app, &format!("(01){gtin}(21)oIl0oIl0oIl0oI")).await,
        "404 not_allocated stop not_allocated"
    );
    app.stop().await;
});

on_both!(codes_of_our_own_scheme_are_read_as_typed, |app| {
    let demo = app.world().await;
    let bottle = path_of(&demo.codes.care[0]);
    let code = bottle.strip_prefix("/c/").expect("an own code");
    for text in [
        code.to_owned(),
        code.to_ascii_lowercase(),
        misread(code),
        format!("  {code} "),
        bottle.to_owned(),
    ] {
        let answer = typed(&app, &text).await;
        let view = View::of(&answer);
        assert_eq!(
            (answer.status, view.verdict().as_str()),
            (200, "legal ok"),
            "{text:?}"
        );
        assert_eq!(view.code.canonical, bottle);
    }
    // The check character catches a wrong one, wherever it stands.
    for at in 0..code.len() {
        if !code.as_bytes()[at].is_ascii_alphanumeric() {
            continue;
        }
        let mut bent = code.as_bytes().to_vec();
        bent[at] = if bent[at] == b'7' { b'8' } else { b'7' };
        let bent = String::from_utf8(bent).expect("text");
        assert_eq!(
            said(&app, &bent).await,
            "400 malformed-code \"bad-check-character\"",
            "{bent}"
        );
    }
    app.stop().await;
});

on_both!(the_number_under_a_barcode_names_only_the_product, |app| {
    let demo = app.world().await;
    let (gtin, _) = gtin_and_serial(&demo.codes.legal[0]);
    let ean = gtin.strip_prefix('0').expect("a GTIN-13");
    let grouped = format!("{} {} {}", &ean[..1], &ean[1..7], &ean[7..]);
    for text in [
        ean,
        gtin,
        &grouped,
        &format!("(01){gtin}"),
        &format!("01{gtin}"),
    ] {
        assert_eq!(
            said(&app, text).await,
            "200 null caution names_product_only",
            "{text}"
        );
    }
    let pallet = path_of(&demo.codes.pallet[0])
        .strip_prefix("/00/")
        .expect("an SSCC");
    for text in [
        pallet.to_owned(),
        format!("(00){pallet}"),
        format!("00{pallet}"),
        format!("]C100{pallet}"),
    ] {
        assert_eq!(
            said(&app, &text).await,
            "200 legal caution names_logistic_unit",
            "{text}"
        );
    }
    app.stop().await;
});

on_both!(what_cannot_be_read_is_said_with_fault_and_place, |app| {
    let demo = app.world().await;
    let (gtin, serial) = gtin_and_serial(&demo.codes.legal[0]);
    let mut wrong_check = gtin.to_owned();
    let last = if wrong_check.ends_with('0') { "1" } else { "0" };
    wrong_check.replace_range(13.., last);
    let cases: Vec<(String, &str, usize)> = vec![
        ("hello".into(), "not-a-code", 0),
        ("你好".into(), "not-a-code", 0),
        (wrong_check.clone(), "bad-check-digit", 13),
        ("123".into(), "bad-length", 0),
        (
            format!("(01){gtin}(21){serial}~"),
            "bad-character",
            4 + 14 + 4 + 14,
        ),
        (format!("(01){gtin}(99999)x"), "bad-length", 4),
        (format!("/01/{gtin}/21"), "missing-value", 21),
        (format!("/01/{gtin}/21/A/10/L"), "qualifier-order", 24),
        (format!("Http://x.example/01/{gtin}"), "mixed-scheme", 0),
        ("ftp://x.example/01/x".into(), "not-a-code", 0),
        ("]C1".into(), "empty", 3),
        (
            format!("01{gtin}21{serial}\u{1d}01{gtin}"),
            "duplicate-key",
            2 + 14 + 2 + 14 + 1,
        ),
        ("\u{1d}".into(), "missing-value", 1),
        ("/01/../01/x".into(), "dot-segment", 4),
    ];
    for (text, fault, at) in &cases {
        let answer = typed(&app, text).await;
        assert_eq!(answer.status, 400, "{text:?}");
        assert_eq!(answer.problem(), "malformed-code", "{text:?}");
        let told = &answer.json()["errors"][0];
        assert_eq!(told["code"], *fault, "{text:?}");
        assert_eq!(told["field"], "code");
        let page = typed_page(&app, text).await;
        assert_eq!(page.status, 400, "{text:?}");
        let html = page.text();
        assert!(
            html.contains("class=\"fault\"") && html.contains("aria-invalid=\"true\""),
            "{text:?}"
        );
        let place = format!("character {}<", at + 1);
        assert!(html.contains(&place), "{text:?} at {at}: {html}");
    }
    // More than any code holds is refused unread.
    let long = "9".repeat(3000);
    assert_eq!(said(&app, &long).await, "414 uri-too-long \"too-long\"");
    let page = typed_page(&app, &long).await;
    assert!(
        matches!(page.status, 400 | 414) && page.text().contains("too long"),
        "{}",
        page.status
    );
    // What was typed is given back for correction, in both languages.
    let zh = app
        .consumer()
        .page(&format!("/q?code={wrong_check}"))
        .await
        .text();
    assert!(
        zh.contains(&format!("value=\"{wrong_check}\"")) && zh.contains("第 14 个字符"),
        "{zh}"
    );
    app.stop().await;
});

on_both!(markup_in_a_code_is_only_text, |app| {
    let demo = app.world().await;
    let (gtin, _) = gtin_and_serial(&demo.codes.legal[0]);
    let attacks = [
        "<script>alert(1)</script>".to_owned(),
        "\"><img src=x onerror=alert(1)>".to_owned(),
        "' onfocus='alert(1)' autofocus='".to_owned(),
        "</style><style>*{display:none}".to_owned(),
        "{{7*7}}${7*7}<%=7*7%>".to_owned(),
        format!("(01){gtin}(21)<b>&\"'>"),
        format!("(01){gtin}(21)A\"onx='1'>"),
        format!("/01/{gtin}/21/%3Cb%3E%22%27%26"),
        format!("/01/{gtin}/10/%3Cb%3E%22/21/%26lt%3B"),
        "\u{202e}\u{2066}1234\u{e000}\u{e001}\u{e002}\u{e003}".to_owned(),
        "javascript:alert(1)".to_owned(),
        "\0\u{1}\u{7f}".to_owned(),
    ];
    for attack in &attacks {
        for path in [
            format!("/q?code={}", form(attack)),
            format!("/q?code={}&lang=en", form(attack)),
            format!("/q?lang={}&code=1", form(attack)),
            format!("/01/{gtin}/21/A?x={}", form(attack)),
            format!("/01/{gtin}/21/{}", form(attack)),
            format!("/01/{gtin}/10/{}/21/A1?lang=en", form(attack)),
            format!("/c/RVNYA.{}", form(attack)),
            format!("/{}", form(attack)),
        ] {
            let page = app.consumer().page(&path).await;
            assert!((200..500).contains(&page.status), "{path}: {}", page.status);
            let html = page.text();
            for bad in [
                "<script",
                "<img",
                "<b>",
                "onfocus='",
                "\"onx",
                "<style>*",
                "7*7}}<",
                "\u{202e}",
                "\u{e000}",
                "\u{e003}",
            ] {
                assert!(!html.contains(bad), "{path}: {bad} in {html}");
            }
            assert_eq!(html.matches("</style>").count(), 1, "{path}");
            let json = app.consumer().scan(&path).await;
            let readable = serde_json::from_slice::<serde_json::Value>(&json.body).is_ok();
            let page = json.header("content-type").starts_with("text/html");
            assert!(readable || page, "{path}: {}", json.text());
        }
    }
    app.stop().await;
});
