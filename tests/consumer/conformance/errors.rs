//! Checks 13 to 16 and 29, and what the standard says of refusals: 400 is for syntax, 404 for what
//! is not there, 200 for neither; query strings and slashes.

use super::Stage;
use crate::support::path_of;
use suyuan_tests::on_both;

on_both!(check_13_and_14_what_is_no_digital_link_is_400, |app| {
    let stage = Stage::set(app).await;
    let gtin = &stage.product;
    for path in [
        format!("{}/foo", stage.tin),
        format!("{gtin}/21/A/10/L"),
        format!("{gtin}/17/261231"),
        format!("{gtin}/254/X"),
        format!("{gtin}/10"),
        "/01/09521234000014".into(),
        "/01/952123400001".into(),
        "/05/1".into(),
        format!("{gtin}?linkType=linkset&17=261331"),
    ] {
        for accept in [
            "*/*",
            "text/html",
            "application/json",
            "application/linkset+json",
        ] {
            let answer = stage.get_as(&path, &[("accept", accept)]).await;
            assert_eq!(answer.status, 400, "{path} {accept}");
        }
    }
    stage.app.stop().await;
});

on_both!(unknown_codes_are_404_in_every_form, |app| {
    let stage = Stage::set(app).await;
    let forged = path_of(&stage.demo.codes.forged[0]).to_owned();
    let forged = forged.split('?').next().expect("a path").to_owned();
    for path in ["/01/06901234567892", "/414/9521234000006", forged.as_str()] {
        for accept in [
            "*/*",
            "text/html",
            "application/json",
            "application/linkset+json",
        ] {
            for query in ["", "?linkType=linkset", "?linkType=gs1:homepage"] {
                let answer = stage
                    .get_as(&format!("{path}{query}"), &[("accept", accept)])
                    .await;
                assert_eq!(answer.status, 404, "{path}{query} {accept}");
                assert_eq!(answer.header("location"), "", "{path}{query} {accept}");
            }
        }
    }
    let answer = stage.get("/01/06901234567892?linkType=linkset").await;
    assert_eq!(answer.problem(), "not-found");
    stage.app.stop().await;
});

on_both!(
    what_is_recalled_or_void_still_leads_to_the_page_that_says_so,
    |app| {
        let stage = Stage::set(app).await;
        let codes = &stage.demo.codes;
        for url in [
            &codes.recalled[0],
            &codes.expired[0],
            &codes.void[0],
            &codes.not_commissioned[0],
        ] {
            let path = path_of(url);
            let answer = stage.get(path).await;
            assert_eq!(
                answer.header("location"),
                stage.url(&format!("/p{path}")),
                "{url}"
            );
            let page = stage.get(answer.header("location")).await;
            assert_eq!(page.status, 200);
            assert!(
                page.text().contains("verdict stop") || page.text().contains("verdict caution")
            );
        }
        stage.app.stop().await;
    }
);

on_both!(check_15_a_trailing_slash_changes_nothing, |app| {
    let stage = Stage::set(app).await;
    for query in ["", "?linkType=gs1:homepage", "?linkType=linkset"] {
        let without = stage.get(&format!("{}{query}", stage.tin)).await;
        let with = stage.get(&format!("{}/{query}", stage.tin)).await;
        assert_eq!(without.status, with.status, "{query}");
        assert_eq!(
            without.header("location"),
            with.header("location"),
            "{query}"
        );
        assert_eq!(without.header("link"), with.header("link"), "{query}");
        assert_eq!(without.body, with.body, "{query}");
    }
    stage.app.stop().await;
});

on_both!(check_16_a_query_string_is_passed_on_byte_for_byte, |app| {
    let stage = Stage::set(app).await;
    let page = stage.url(&format!("/p{}", stage.tin));
    for query in [
        "foo=bar",
        "a;b=1;;c",
        "x=%2f%2F+%20",
        "novalue",
        "17=280922&&=",
        "x='~*",
    ] {
        let answer = stage.get(&format!("{}?{query}", stage.tin)).await;
        assert_eq!(answer.header("location"), format!("{page}?{query}"));
    }
    // Where the target has a query of its own, an ampersand joins the two.
    let led = stage.leads("linkType=gs1:homepage;x=1", &[]).await;
    assert_eq!(
        led,
        "307 https://brand.example/?from=tin&linkType=gs1:homepage;x=1"
    );
    stage.app.stop().await;
});

on_both!(
    check_29_a_link_type_that_is_not_there_is_404_and_lists_what_is,
    |app| {
        let stage = Stage::set(app).await;
        for kind in [
            "gs1:nosuchlt",
            "gs1:PIP",
            "nosuchlt",
            "https://gs1.org/voc/",
            "gs1:",
        ] {
            let answer = stage
                .get_as(
                    &format!("{}?linkType={kind}", stage.tin),
                    &[("accept", "application/json")],
                )
                .await;
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (404, "not-found"),
                "{kind}"
            );
            let detail = answer.json()["detail"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            assert!(detail.contains("gs1:homepage"), "{detail}");
        }
        stage.app.stop().await;
    }
);
