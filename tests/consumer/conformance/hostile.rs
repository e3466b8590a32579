//! Requests no honest client makes: a stated limit and a stable answer, never a guess.

use super::{Stage, link};
use crate::support::raw_one;
use suyuan_tests::{TestApp, on_both};

on_both!(hostile_headers_cost_a_choice_at_most, |app| {
    let stage = Stage::set(app).await;
    let accepts = [
        "text/html;".repeat(5_000),
        ",".repeat(20_000),
        format!("{}text/html", "a/b;q=0.5,".repeat(2_000)),
        "application/linkset+json;q=NaN".into(),
        "*/*;q=-1, application/pdf;q=1e400".into(),
        "\u{7f}".into(),
    ];
    let languages = [
        "zz;q=0.5,".repeat(3_000),
        format!("{}-x", "a-".repeat(5_000)),
        "zh;q=;q=2,en;q=0.000".into(),
        "-,--,*-*,;".into(),
    ];
    for query in [
        "",
        "?linkType=gs1:instructions",
        "?linkType=linkset",
        "?linkType=gs1:safetyInfo",
    ] {
        for accept in &accepts {
            for language in &languages {
                let request = format!(
                    "GET {}{query} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\
                     Accept-Language: {language}\r\nConnection: close\r\n\r\n",
                    stage.tin
                );
                let answer = raw_one(&stage.app, request.as_bytes()).await;
                let status = answer.map_or(0, |answer| answer.status);
                let fine = [200, 300, 307, 400, 431, 0];
                assert!(
                    fine.contains(&status),
                    "{status} {query} {accept:.40} {language:.40}"
                );
            }
        }
    }
    stage.app.stop().await;
});

on_both!(
    hundreds_of_link_types_and_long_query_strings_are_bounded,
    |app| {
        let stage = Stage::set(app).await;
        let many = "linkType=gs1:epcis&".repeat(100);
        let led = stage.leads(&many, &[]).await;
        assert!(
            led.starts_with("307 https://brand.example/events?"),
            "the first one counts: {led}"
        );
        let too_long = format!("{}?{}", stage.tin, "linkType=gs1:epcis&".repeat(200));
        let answer = stage
            .get_as(&too_long, &[("accept", "application/json")])
            .await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (414, "uri-too-long")
        );
        let megabyte = format!(
            "GET {}?linkType={} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            stage.tin,
            "a".repeat(1 << 20)
        );
        let status = raw_one(&stage.app, megabyte.as_bytes())
            .await
            .map_or(0, |a| a.status);
        assert!([0, 400, 414, 431].contains(&status), "{status}");
        for kind in ["%00", "%0d%0aX:1", "%ff%fe", "%E5%A9%B4", "..%2f", "%"] {
            let answer = stage.get(&format!("{}?linkType={kind}", stage.tin)).await;
            assert_eq!(answer.status, 404, "{kind}");
            assert!(
                !answer.text().contains("X:1"),
                "what was asked is not repeated"
            );
        }
        stage.app.stop().await;
    }
);

on_both!(no_host_header_changes_an_address_that_is_told, |app| {
    let stage = Stage::set(app).await;
    for host in ["evil.example", "evil.example:1/x", ""] {
        for (target, accept) in [
            (stage.tin.clone(), "*/*"),
            (format!("http://evil.example{}", stage.tin), "*/*"),
            (format!("{}?linkType=linkset", stage.tin), "*/*"),
            ("/.well-known/gs1resolver".to_owned(), "application/json"),
        ] {
            let request = format!(
                "GET {target} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: evil.example\r\n\
                 Forwarded: host=evil.example\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
            );
            let Some(answer) = raw_one(&stage.app, request.as_bytes()).await else {
                continue;
            };
            let told = format!("{:?} {}", answer.headers, answer.text());
            assert!(!told.contains("evil.example"), "{target} {host}: {told}");
            if answer.status < 400 {
                assert!(told.contains(&stage.app.public_url), "{target}");
            }
        }
    }
    stage.app.stop().await;
});

on_both!(
    an_address_of_anyone_elses_making_cannot_be_registered,
    |app| {
        let stage = Stage::set(app).await;
        for href in [
            "javascript:alert(1)",
            "https://good.example@evil.example/",
            "https://evil.example/\r\nSet-Cookie: x=1",
            "//evil.example/",
            "https://b.example/#x",
        ] {
            let answer = stage
                .officer
                .post("/v1/links", &link(&stage.product, "gs1:faqs", href))
                .await;
            assert_eq!(answer.status, 422, "{href}");
            assert_eq!(answer.json()["errors"][0]["field"], "href", "{href}");
        }
        stage.app.stop().await;
    }
);

crate::on_each!(
    browsers_are_redirected_too_where_the_settings_say_so,
    |engine| {
        let app = TestApp::spawn_with(engine, &[("public.always_redirect", "true")]).await;
        let stage = Stage::set(app).await;
        let page = stage.url(&format!("/p{}", stage.tin));
        let led = stage.get_as(&stage.tin, &[("accept", "text/html")]).await;
        assert_eq!((led.status, led.header("location")), (307, page.as_str()));
        assert_eq!(
            stage.get_as(&page, &[("accept", "text/html")]).await.status,
            200
        );
        let json = stage
            .get_as(&stage.tin, &[("accept", "application/json")])
            .await;
        assert_eq!(json.status, 200);
        stage.app.stop().await;
    }
);
