//! What each code is answered with: the table of design section 4.

use crate::support::{View, gtin_and_serial, path_of, scan, verdict};
use suyuan_sync::trace_code::{OwnCode, Sscc};
use suyuan_tests::on_both;

on_both!(
    a_code_of_a_unit_is_answered_with_its_standing_and_all_it_names,
    |app| {
        let demo = app.world().await;
        let (status, tin) = scan(&app, &demo.codes.legal[0]).await;
        let (gtin, serial) = gtin_and_serial(&demo.codes.legal[0]);
        assert_eq!((status, tin.verdict().as_str()), (200, "legal ok"));
        assert_eq!(
            (tin.code.scheme.as_str(), tin.code.level.as_str()),
            ("gs1", "item")
        );
        assert_eq!(tin.code.gtin.as_deref(), Some(gtin));
        assert_eq!(tin.code.serial.as_deref(), Some(serial));
        let lot = tin.code.batch.expect("a lot");
        assert_eq!(
            tin.code.canonical,
            format!("/01/{gtin}/10/{lot}/21/{serial}")
        );

        let (status, case) = scan(&app, &demo.codes.case[0]).await;
        assert_eq!((status, case.verdict().as_str()), (200, "legal ok"));
        assert_eq!(case.code.level, "case");
        assert_eq!(case.code.batch.as_deref(), Some(lot.as_str()));

        let (status, pallet) = scan(&app, &demo.codes.pallet[0]).await;
        assert_eq!(status, 200);
        assert_eq!(pallet.verdict(), "legal caution names_logistic_unit");
        assert_eq!(pallet.code.level, "pallet");
        assert!(pallet.code.gtin.is_none() && pallet.code.batch.is_none());
        assert!(pallet.public_info.is_empty() && pallet.recall.is_none());

        let (status, bottle) = scan(&app, &demo.codes.care[0]).await;
        assert_eq!((status, bottle.verdict().as_str()), (200, "legal ok"));
        assert_eq!(
            (bottle.code.scheme.as_str(), bottle.code.level.as_str()),
            ("own", "item")
        );
        assert!(bottle.code.gtin.is_none());
        assert!(bottle.code.batch.is_some());
        app.stop().await;
    }
);

on_both!(
    a_code_that_names_no_unit_is_never_legal_and_never_ok,
    |app| {
        let demo = app.world().await;
        let (gtin, _) = gtin_and_serial(&demo.codes.legal[0]);
        let lot = |url: &'_ str| {
            let path = path_of(url).to_owned();
            path.split('/').nth(4).expect("a lot").to_owned()
        };
        let good = lot(&demo.codes.legal[0]);
        let cases = [
            (
                format!("/01/{gtin}"),
                "product",
                "caution",
                "names_product_only",
            ),
            (
                format!("/01/{gtin}/10/{good}"),
                "batch",
                "caution",
                "names_product_only",
            ),
            (
                format!("/01/{gtin}/10/{}", lot(&demo.codes.recalled[0])),
                "batch",
                "stop",
                "recalled,names_product_only",
            ),
            (
                format!("/01/{gtin}/10/{}", lot(&demo.codes.expired[0])),
                "batch",
                "stop",
                "expired,names_product_only",
            ),
            (
                format!("/01/{gtin}/10/{good}?17=200101"),
                "batch",
                "stop",
                "code_contradicts_record,names_product_only",
            ),
            // An unknown batch of a known product walks up to the product.
            (
                format!("/01/{gtin}/10/NONE-1"),
                "product",
                "caution",
                "names_product_only",
            ),
            (
                format!("/01/{gtin}/22/V2"),
                "product",
                "caution",
                "names_product_only",
            ),
        ];
        for (path, level, advice, reasons) in &cases {
            let (status, view) = scan(&app, path).await;
            assert_eq!(status, 200, "{path}");
            assert_eq!(view.verdict(), format!("null {advice} {reasons}"), "{path}");
            assert_eq!(view.code.level, *level, "{path}");
            assert!(
                view.public_info.len() >= 10,
                "{path}: {}",
                view.public_info.len()
            );
            assert_eq!(
                view.recall.is_some(),
                reasons.contains("recalled"),
                "{path}"
            );
            assert_eq!(view.queries.count, 0, "{path}: nothing is counted");
            let page = app.consumer().page(path).await;
            assert_eq!(page.status, 200);
        }
        let (_, walked_up) = scan(&app, &cases[5].0).await;
        let (_, product) = scan(&app, &cases[0].0).await;
        let names = |view: &View| -> Vec<u16> { view.public_info.iter().map(|i| i.no).collect() };
        assert_eq!(names(&walked_up), names(&product));
        app.stop().await;
    }
);

on_both!(what_nobody_here_issued_is_404_in_the_same_shape, |app| {
    let demo = app.world().await;
    let (gtin, _) = gtin_and_serial(&demo.codes.legal[0]);
    let own = |enterprise, internal| {
        let code = OwnCode::new(enterprise, internal).expect("a code");
        format!("/c/{code}")
    };
    let sscc = |prefix, n| format!("/00/{}", Sscc::new(1, prefix, n).expect("an SSCC"));
    // A GSRN is built like an SSCC.
    let gsrn = sscc("6901234", 5).replace("/00/", "/8018/");
    let unknown = "404 unknown_issuer caution unknown_issuer";
    let never = "404 not_allocated stop not_allocated";
    let cases = [
        ("/01/06901234567892".to_owned(), unknown),
        ("/01/06901234567892/21/A1".to_owned(), unknown),
        ("/01/06901234567892/10/L1".to_owned(), unknown),
        ("/01/96385074".to_owned(), unknown), // a GTIN-8
        (sscc("6901234", 1), unknown),
        (sscc("9521234", 7_777_777), never),
        (own("ZZZZ", "ABC-1"), unknown),
        (own("RVNYA", "RY-200-0ABCDEFGHJKMNP"), never),
        ("/414/6901234567892".to_owned(), unknown),
        ("/414/6901234567892/254/32A".to_owned(), unknown),
        ("/8004/6901234AX".to_owned(), unknown),
        ("/253/6901234567892ABC".to_owned(), unknown),
        (gsrn, unknown),
        (format!("/01/{gtin}/21/0000000000000"), never),
        (format!("/01/{gtin}/21/x"), never),
        (path_of(&demo.codes.forged[0]).to_owned(), never),
        (path_of(&demo.codes.not_allocated[0]).to_owned(), never),
    ];
    for (path, expected) in &cases {
        let answer = app.consumer().scan(path).await;
        assert_ne!(answer.status, 400, "{path}: {}", answer.text());
        let view = View::of(&answer);
        assert_eq!(
            format!("{} {}", answer.status, view.verdict()),
            *expected,
            "{path}"
        );
        assert!(
            view.public_info.is_empty() && view.recall.is_none(),
            "{path}"
        );
        assert_eq!(
            (view.queries.count, view.queries.first_at),
            (0, None),
            "{path}"
        );
        let page = app.consumer().page(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text().contains("<h1"), "{path}");
    }
    app.stop().await;
});

on_both!(short_gtins_are_accepted_and_shown_with_14_digits, |app| {
    let demo = app.world().await;
    let (gtin, serial) = gtin_and_serial(&demo.codes.legal[0]);
    let short = gtin.strip_prefix('0').expect("a GTIN-13");
    let (status, view) = scan(&app, &format!("/01/{short}/21/{serial}")).await;
    assert_eq!((status, view.verdict().as_str()), (200, "legal ok"));
    assert_eq!(view.code.gtin.as_deref(), Some(gtin));
    assert_eq!(view.code.canonical, format!("/01/{gtin}/21/{serial}"));
    // No lot in the code: the record's is shown.
    assert!(view.code.batch.is_some());
    app.stop().await;
});

on_both!(a_code_that_says_otherwise_than_the_record_stops, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let (gtin, serial) = gtin_and_serial(tin);
    let (printed, query) = tin.split_once('?').expect("an expiry");
    let expiry = query.strip_prefix("17=").expect("an expiry");
    let other = |day: &str| format!("{printed}?17={day}");
    let fine = "200 legal ok";
    let wrong = "200 legal stop code_contradicts_record";
    let last_of_month = format!("{}00", &expiry[..4]);
    let month_end = {
        let date: jiff::civil::Date =
            format!("20{}-{}-{}", &expiry[..2], &expiry[2..4], &expiry[4..])
                .parse()
                .expect("a date");
        date == date.last_of_month()
    };
    let cases = [
        (tin.to_owned(), fine),
        (printed.to_owned(), fine),
        (format!("/01/{gtin}/21/{serial}"), fine),
        (format!("/01/{gtin}/21/{serial}?17={expiry}"), fine),
        (format!("{tin}&utm_source=x&context=gs1:pip"), fine),
        (other("200101"), wrong),
        (other(&last_of_month), if month_end { fine } else { wrong }),
        (format!("/01/{gtin}/10/OTHER/21/{serial}"), wrong),
        (
            format!("/01/{gtin}/10/OTHER/21/{serial}?17={expiry}"),
            wrong,
        ),
    ];
    for (path, expected) in &cases {
        assert_eq!(verdict(&app, path).await, *expected, "{path}");
    }
    // The record is shown, not what the code claims.
    let (_, view) = scan(&app, &cases[7].0).await;
    assert_ne!(view.code.batch.as_deref(), Some("OTHER"));
    let bottle = format!("{}?10=OTHER", path_of(&demo.codes.care[0]));
    assert_eq!(verdict(&app, &bottle).await, wrong);
    // No reason hides another.
    let recalled = path_of(&demo.codes.recalled[0]).replace("/10/", "/10/X");
    assert_eq!(
        verdict(&app, &recalled).await,
        "200 legal stop recalled,code_contradicts_record"
    );
    app.stop().await;
});
