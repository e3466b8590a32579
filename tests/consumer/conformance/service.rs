//! Checks 5 to 12: walking up, the description file, CORS, Link headers.

use super::{DESCRIPTION_SCHEMA, Stage, valid};
use suyuan_tests::on_both;

on_both!(check_5_an_unknown_batch_walks_up_to_the_product, |app| {
    let stage = Stage::set(app).await;
    let path = format!("{}/10/KL8G", stage.product);
    let answer = stage.get(&path).await;
    assert_eq!(answer.status, 307);
    assert_eq!(answer.header("location"), stage.url(&format!("/p{path}")));
    // What is registered above holds below too.
    let found = stage.get(&format!("{path}?linkType=gs1:homepage")).await;
    assert!(
        found
            .header("location")
            .starts_with("https://brand.example/")
    );
    stage.app.stop().await;
});

on_both!(
    check_8_the_description_file_is_valid_and_readable_by_any_origin,
    |app| {
        let headers = [
            ("accept", "application/json"),
            ("origin", "https://other.example"),
        ];
        let answer = app
            .consumer()
            .get_with("/.well-known/gs1resolver", &headers)
            .await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("content-type"),
            "application/json; charset=utf-8"
        );
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let body = answer.json();
        valid(DESCRIPTION_SCHEMA, &body);
        assert_eq!(body["resolverRoot"], *app.public_url);
        assert_eq!(body["linkTypeDefaultCanBeLinkset"], false);
        app.stop().await;
    }
);

on_both!(
    check_9_and_10_a_preflight_allows_reading_to_every_origin,
    |app| {
        let stage = Stage::set(app).await;
        for path in [&stage.tin, &stage.product, "/01/06901234567892"] {
            let answer = stage.preflight(path).await;
            assert_eq!((answer.status, answer.body.len()), (204, 0), "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            assert_eq!(
                answer.header("access-control-allow-methods"),
                "GET, HEAD, OPTIONS"
            );
            assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
            assert!(
                answer
                    .header("access-control-expose-headers")
                    .contains("Link")
            );
            assert!(answer.header("access-control-allow-credentials").is_empty());
        }
        // Refusals can be read from another origin too.
        let refused = stage
            .get_as("/01/123", &[("accept", "application/json")])
            .await;
        assert_eq!(
            (
                refused.status,
                refused.header("access-control-allow-origin")
            ),
            (400, "*")
        );
        assert_eq!(stage.preflight("/01/123").await.status, 400);
        stage.app.stop().await;
    }
);

on_both!(
    check_11_and_12_the_link_header_tells_the_linkset_and_no_link_types,
    |app| {
        let stage = Stage::set(app).await;
        let expected = format!(
            "<{}?linkType=linkset>; rel=\"linkset\"; type=\"application/linkset+json\"",
            stage.url(&stage.tin)
        );
        assert_eq!(stage.preflight(&stage.tin).await.header("link"), expected);
        for query in ["", "?linkType=gs1:homepage"] {
            let answer = stage.get(&format!("{}{query}", stage.tin)).await;
            assert_eq!(
                (answer.status, answer.header("link")),
                (307, expected.as_str())
            );
            assert!(
                answer
                    .header("access-control-expose-headers")
                    .contains("Link")
            );
        }
        // Readers split the header at commas: a lot that holds one must not add any.
        let comma = format!("{}/10/A,B", stage.product);
        let link = stage.get(&comma).await.header("link").to_owned();
        assert!(link.contains("/10/A%2CB?") && !link.contains(','), "{link}");
        stage.app.stop().await;
    }
);
