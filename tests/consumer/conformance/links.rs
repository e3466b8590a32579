//! Checks 24 to 28: each link type leads where the linkset says, chosen by language, context and
//! media type, or 300 where nothing tells links apart.

use super::{LINKSET_SCHEMA, Stage, VOCABULARY, link, valid};
use suyuan_tests::on_both;

on_both!(
    check_24_a_link_type_is_named_shortly_or_by_any_of_its_three_addresses,
    |app| {
        let stage = Stage::set(app).await;
        for name in [
            "gs1:epcis",
            "gs1%3Aepcis",
            "https://gs1.org/voc/epcis",
            "https://www.gs1.org/voc/epcis",
            "https://ref.gs1.org/voc/epcis",
            "https%3A%2F%2Fref.gs1.org%2Fvoc%2Fepcis",
        ] {
            let led = stage.leads(&format!("linkType={name}"), &[]).await;
            assert_eq!(
                led,
                format!("307 https://brand.example/events?linkType={name}")
            );
        }
        let club = "linkType=https://brand.example/voc/club";
        assert_eq!(
            stage.leads(club, &[]).await,
            format!("307 https://brand.example/club?{club}")
        );
        // A link type redirects a browser as well; it asked for one link, not for the page.
        let browser = [("accept", "text/html,*/*;q=0.8")];
        assert!(
            stage
                .leads("linkType=gs1:epcis", &browser)
                .await
                .starts_with("307 https://brand")
        );
        stage.app.stop().await;
    }
);

on_both!(check_24_the_narrowest_level_wins, |app| {
    let stage = Stage::set(app).await;
    let anchor = &stage.product;
    let wide = link(anchor, "gs1:epcis", "https://brand.example/wide");
    stage.register(&wide).await;
    stage.app.settled().await;
    let led = |path: String| {
        let stage = &stage;
        async move {
            let answer = stage.get(&format!("{path}?linkType=gs1:epcis")).await;
            answer
                .header("location")
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned()
        }
    };
    assert_eq!(led(stage.tin.clone()).await, "https://brand.example/events");
    assert_eq!(
        led(stage.serial.clone()).await,
        "https://brand.example/events"
    );
    assert_eq!(led(stage.batch.clone()).await, "https://brand.example/wide");
    assert_eq!(
        led(stage.product.clone()).await,
        "https://brand.example/wide"
    );
    stage.app.stop().await;
});

on_both!(check_25_languages_contexts_and_media_types_choose, |app| {
    let stage = Stage::set(app).await;
    let cases: &[(&str, &str, &str, &str)] = &[
        (
            "gs1:instructions",
            "accept-language",
            "zh-CN",
            "https://brand.example/zh/how",
        ),
        (
            "gs1:instructions",
            "accept-language",
            "zh-TW, en;q=0.5",
            "https://brand.example/zh/how",
        ),
        (
            "gs1:instructions",
            "accept-language",
            "zh;q=0.2, en-GB;q=0.3",
            "https://brand.example/en/how",
        ),
        (
            "gs1:instructions",
            "accept-language",
            "fr, en;q=0.1",
            "https://brand.example/en/how",
        ),
        (
            "gs1:promotion&context=CN",
            "accept",
            "*/*",
            "https://brand.example/cn/promotion",
        ),
        (
            "gs1:promotion&context=FR",
            "accept",
            "*/*",
            "https://brand.example/promotion",
        ),
        (
            "gs1:promotion",
            "accept",
            "*/*",
            "https://brand.example/promotion",
        ),
        (
            "gs1:safetyInfo",
            "accept",
            "application/pdf",
            "https://brand.example/safety.pdf",
        ),
        (
            "gs1:safetyInfo",
            "accept",
            "text/html,*/*;q=0.8",
            "https://brand.example/safety",
        ),
    ];
    for (query, header, value, href) in cases {
        let led = stage
            .leads(&format!("linkType={query}"), &[(*header, *value)])
            .await;
        assert_eq!(
            led,
            format!("307 {href}?linkType={query}"),
            "{header}: {value}"
        );
    }
    stage.app.stop().await;
});

on_both!(
    check_26_links_that_nothing_tells_apart_are_300_with_a_linkset_of_them,
    |app| {
        let stage = Stage::set(app).await;
        for (kind, several) in [
            (
                "socialMedia",
                vec!["https://one.example/", "https://two.example/"],
            ),
            // Neither language was asked for.
            (
                "instructions",
                vec![
                    "https://brand.example/zh/how",
                    "https://brand.example/en/how",
                ],
            ),
        ] {
            let answer = stage
                .get(&format!("{}?linkType=gs1:{kind}", stage.tin))
                .await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (300, ""),
                "{kind}"
            );
            assert_eq!(answer.header("content-type"), "application/linkset+json");
            let body = answer.json();
            valid(LINKSET_SCHEMA, &body);
            let links = body["linkset"][0][format!("{VOCABULARY}{kind}")]
                .as_array()
                .cloned();
            let hrefs: Vec<String> = links
                .unwrap_or_default()
                .iter()
                .map(|l| l["href"].as_str().unwrap_or_default().to_owned())
                .collect();
            assert_eq!(hrefs, several);
            assert_eq!(body["linkset"][0]["anchor"], stage.url(&stage.product));
        }
        stage.app.stop().await;
    }
);

on_both!(
    check_27_and_28_there_is_no_single_multi_link_and_every_type_is_ratified,
    |app| {
        let stage = Stage::set(app).await;
        let text = stage.linkset(&stage.tin).await.to_string();
        assert!(!text.contains("defaultLinkMulti"));
        // A type that GS1 has not ratified cannot be registered.
        let new = link(&stage.product, "gs1:nosuchlt", "https://brand.example/");
        let answer = stage.officer.post("/v1/links", &new).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["errors"][0]["code"], "unknown");
        stage.app.stop().await;
    }
);

on_both!(
    a_link_taken_away_leads_nowhere_and_the_derived_one_is_back,
    |app| {
        let stage = Stage::set(app).await;
        let pip = link(&stage.product, "gs1:pip", "https://brand.example/pip");
        let id = stage.register(&pip).await;
        stage.app.settled().await;
        let led = stage.leads("linkType=gs1:pip", &[]).await;
        assert_eq!(led, "307 https://brand.example/pip?linkType=gs1:pip");
        let path = format!("/v1/links/{id}");
        for _ in 0..2 {
            let answer = stage
                .officer
                .send(suyuan_tests::caller::Method::DELETE, &path, &[], Vec::new())
                .await;
            assert_eq!(answer.status, 204, "{}", answer.text());
        }
        stage.app.settled().await;
        let led = stage.leads("linkType=gs1:pip", &[]).await;
        assert_eq!(
            led,
            format!(
                "307 {}?linkType=gs1:pip",
                stage.url(&format!("/p{}", stage.tin))
            )
        );
        stage.app.stop().await;
    }
);
