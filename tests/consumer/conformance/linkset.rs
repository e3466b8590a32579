//! Checks 17 to 22: the linkset, its form and what stands in it.

use super::{LINKSET_SCHEMA, Stage, VOCABULARY, valid};
use crate::support::path_of;
use serde_json::Value;
use suyuan_tests::on_both;

fn object<'a>(body: &'a Value, anchor: &str) -> &'a Value {
    let objects = body["linkset"].as_array().expect("objects");
    let found: Vec<&Value> = objects.iter().filter(|o| o["anchor"] == *anchor).collect();
    assert_eq!(found.len(), 1, "{anchor} in {body:#}");
    found[0]
}

on_both!(
    check_17_and_18_a_linkset_is_had_by_link_type_or_by_accept,
    |app| {
        let stage = Stage::set(app).await;
        let tin = &stage.tin;
        let wanted = stage.linkset(tin).await;
        for (query, accept) in [
            ("?linkType=linkset", "*/*"),
            ("?linkType=linkset", "text/html"),
            ("?linkType=linkset", "application/json"),
            ("?linkType=all", "application/linkset+json"),
            ("?linkType=all", "*/*"),
            ("", "application/linkset+json"),
            (
                "?foo=bar",
                "application/linkset+json, application/json;q=0.9",
            ),
        ] {
            let answer = stage
                .get_as(&format!("{tin}{query}"), &[("accept", accept)])
                .await;
            assert_eq!(answer.status, 200, "{query} {accept}");
            assert_eq!(answer.json(), wanted, "{query} {accept}");
            assert_eq!(answer.header("content-type"), "application/linkset+json");
            assert_eq!(answer.header("vary"), "Accept, Accept-Language");
        }
        stage.app.stop().await;
    }
);

on_both!(
    check_19_every_linkset_is_valid_under_the_published_schema,
    |app| {
        let stage = Stage::set(app).await;
        let codes = &stage.demo.codes;
        let path = |url: &str| {
            path_of(url)
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let asked = [
            stage.tin.clone(),
            stage.product.clone(),
            stage.batch.clone(),
            stage.serial.clone(),
            format!("{}/22/2A/10/L%2F1/21/x", stage.product),
            format!("{}/10/A,B", stage.product),
            path(&codes.recalled[0]),
            path(&codes.void[0]),
            path(&codes.care[0]),
            path(&codes.case[0]),
            path(&codes.pallet[0]),
        ];
        let mut found = 0;
        for path in &asked {
            let answer = stage.get(&format!("{path}?linkType=linkset")).await;
            if answer.status == 404 {
                continue; // a serial that was never issued
            }
            let body = answer.json();
            valid(LINKSET_SCHEMA, &body);
            object(&body, &stage.url(path));
            found += 1;
        }
        assert_eq!(found, asked.len() - 1);
        stage.app.stop().await;
    }
);

on_both!(
    check_20_and_21_the_type_is_declared_and_the_context_linked,
    |app| {
        let stage = Stage::set(app).await;
        let answer = stage.get(&format!("{}?linkType=linkset", stage.tin)).await;
        assert_eq!(answer.header("content-type"), "application/linkset+json");
        let items: Vec<&str> = answer.header("link").split(',').collect();
        assert_eq!(items.len(), 1);
        assert!(items[0].contains("rel=\"http://www.w3.org/ns/json-ld#context\""));
        assert!(items[0].contains("type=\"application/ld+json\""));
        stage.app.stop().await;
    }
);

on_both!(json_ld_is_the_linkset_with_its_context, |app| {
    let stage = Stage::set(app).await;
    let plain = stage.linkset(&stage.tin).await;
    for query in ["", "?linkType=linkset"] {
        let path = format!("{}{query}", stage.tin);
        let answer = stage
            .get_as(&path, &[("accept", "application/ld+json")])
            .await;
        assert_eq!(answer.header("content-type"), "application/ld+json");
        let mut body = answer.json();
        assert!(
            body["@context"]
                .as_str()
                .is_some_and(|c| c.starts_with("https://ref.gs1.org/"))
        );
        body.as_object_mut().expect("an object").remove("@context");
        assert_eq!(body, plain);
    }
    stage.app.stop().await;
});

on_both!(
    check_22_and_23_there_is_one_default_link_and_a_plain_request_leads_there,
    |app| {
        let stage = Stage::set(app).await;
        for path in [&stage.tin, &stage.product, &stage.batch] {
            let body = stage.linkset(path).await;
            let default = &object(&body, &stage.url(path))[format!("{VOCABULARY}defaultLink")];
            let links = default.as_array().expect("a default link");
            assert_eq!(links.len(), 1);
            let keys: Vec<&String> = links[0].as_object().expect("a link").keys().collect();
            assert_eq!(keys, ["href", "title"], "a title and nothing else");
            let led = stage.get(path).await;
            assert_eq!(
                (led.status, led.header("location")),
                (307, links[0]["href"].as_str().unwrap_or(""))
            );
            // It stands under a type that says what it is, too.
            let described =
                &object(&body, &stage.url(path))[format!("{VOCABULARY}verificationService")];
            assert_eq!(described[0]["href"], links[0]["href"]);
        }
        stage.app.stop().await;
    }
);

on_both!(a_linkset_is_one_object_a_level_up_to_the_key, |app| {
    let stage = Stage::set(app).await;
    let body = stage.linkset(&stage.tin).await;
    let anchors: Vec<String> = body["linkset"]
        .as_array()
        .expect("objects")
        .iter()
        .map(|o| o["anchor"].as_str().unwrap_or_default().to_owned())
        .collect();
    let expected: Vec<String> = [&stage.tin, &stage.batch, &stage.product]
        .map(|p| stage.url(p))
        .into();
    assert_eq!(anchors, expected);
    let has = |path: &str, kind: &str| {
        let level = object(&body, &stage.url(path));
        level.get(format!("{VOCABULARY}{kind}")).is_some()
    };
    assert!(has(&stage.tin, "epcis") && !has(&stage.batch, "epcis"));
    assert!(has(&stage.batch, "certificationInfo") && has(&stage.product, "homepage"));
    let page = stage
        .get_as(&stage.tin, &[("accept", "text/html")])
        .await
        .text();
    for level in body["linkset"].as_array().expect("objects") {
        let name = level["itemDescription"].as_str().expect("a name");
        assert!(
            page.contains(&format!("<h2 class=\"name\">{name}</h2>")),
            "{name}"
        );
    }
    stage.app.stop().await;
});

on_both!(
    what_the_installation_serves_is_listed_without_being_registered,
    |app| {
        let stage = Stage::set(app).await;
        let path = path_of(&stage.demo.codes.recalled[0])
            .split('?')
            .next()
            .expect("a path")
            .to_owned();
        for (kind, target) in [
            ("gs1:pip", format!("/p{path}")),
            ("gs1:recallStatus", format!("/p{path}?section=verdict")),
            ("gs1:traceability", format!("/p{path}?section=code")),
            ("gs1:leaveReview", format!("/voice{path}")),
            ("gs1:ingredientsInfo", format!("/p{path}?section=item-21")),
            ("gs1:nutritionalInfo", format!("/p{path}?section=item-23")),
            ("gs1:certificationInfo", format!("/p{path}?section=item-24")),
        ] {
            let answer = stage.get(&format!("{path}?linkType={kind}")).await;
            let led = answer.header("location");
            assert_eq!(answer.status, 307, "{kind}");
            let between = if target.contains('?') { '&' } else { '?' };
            assert_eq!(
                led,
                format!("{}{between}linkType={kind}", stage.url(&target))
            );
            let Some((page, _)) = led.split_once("?section=") else {
                continue;
            };
            // The part of the page it names is on the page.
            let hop = stage.get(led).await;
            let (_, part) = hop.header("location").split_once('#').expect("a part");
            let text = stage.get(page).await.text();
            assert!(text.contains(&format!("id=\"{part}\"")), "{kind}: {part}");
        }
        stage.app.stop().await;
    }
);
