//! Who may register what at which level, what stays the resolver's own, and keys without goods.

use super::{LINKSET_SCHEMA, Stage, VOCABULARY, link, valid};
use serde_json::json;
use suyuan_sync::trace_code::check_digit;
use suyuan_tests::{Caller, on_both};

/// Field and code of a refusal.
async fn refused(caller: &Caller, new: &serde_json::Value) -> String {
    let answer = caller.post("/v1/links", new).await;
    assert_eq!(answer.status, 422, "{new}: {}", answer.text());
    let error = &answer.json()["errors"][0];
    format!("{} {}", error["field"], error["code"]).replace('"', "")
}

on_both!(links_are_registered_at_the_levels_of_the_standard, |app| {
    let stage = Stage::set(app).await;
    let gtin = &stage.product;
    for level in ["", "/22/2A", "/10/L", "/22/2A/10/L", "/21/S", "/235/T"] {
        let anchor = format!("{gtin}{level}");
        stage
            .register(&link(&anchor, "gs1:faqs", "https://brand.example/f"))
            .await;
        let listed = stage
            .officer
            .get(&format!("/v1/links?anchor={anchor}"))
            .await;
        let items = listed.json()["items"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        assert!(
            items
                .iter()
                .any(|l| l["anchor"] == *anchor && l["link_type"] == "gs1:faqs")
        );
    }
    let itip = "/8006/095212340000130102";
    for (anchor, fault) in [
        (format!("{gtin}/10/L/21/S"), "anchor level"),
        (format!("{gtin}/22/V/21/S"), "anchor level"),
        (format!("{itip}/10/L/21/S"), "anchor level"),
        (format!("{gtin}/21/S/10/L"), "anchor qualifier-order"),
        (format!("{gtin}/235/T/21/S"), "anchor conflicting-keys"),
        ("/01/06901234567892".into(), "anchor not-yours"),
        ("/414/6901234000009".into(), "anchor not-yours"),
        ("/c/CHENMV.X".into(), "anchor "),
    ] {
        let told = refused(
            &stage.officer,
            &link(&anchor, "gs1:faqs", "https://b.example/"),
        )
        .await;
        assert!(told.starts_with(fault), "{anchor}: {told}");
    }
    stage
        .register(&link(
            &format!("{itip}/21/S"),
            "gs1:faqs",
            "https://b.example/",
        ))
        .await;
    stage.app.stop().await;
});

on_both!(what_is_true_of_goods_only_this_resolver_tells, |app| {
    let stage = Stage::set(app).await;
    for kind in [
        "gs1:defaultLink",
        "gs1:defaultLinkMulti",
        "gs1:recallStatus",
        "https://www.gs1.org/voc/verificationService",
    ] {
        let new = link(&stage.product, kind, "https://evil.example/all-is-well");
        assert_eq!(
            refused(&stage.officer, &new).await,
            "link_type reserved",
            "{kind}"
        );
    }
    stage.app.stop().await;
});

on_both!(another_key_has_the_default_link_registered_for_it, |app| {
    let stage = Stage::set(app).await;
    let gln = |body: &str| format!("{body}{}", check_digit(body).expect("digits"));
    let place = format!("/414/{}", gln("952123400000"));
    assert_eq!(stage.get(&place).await.status, 404);
    stage
        .register(&link(
            &place,
            "gs1:locationInfo",
            "https://brand.example/plant",
        ))
        .await;
    stage.app.settled().await;
    // Until one is named, the oldest link is the default.
    let led = stage.get(&place).await;
    assert_eq!(
        (led.status, led.header("location")),
        (307, "https://brand.example/plant")
    );
    let default = link(&place, "gs1:defaultLink", "https://brand.example/where");
    stage.register(&default).await;
    let second = link(&place, "gs1:defaultLink", "https://brand.example/elsewhere");
    assert_eq!(
        refused(&stage.officer, &second).await,
        "link_type second-default"
    );
    let mut dressed = link(&place, "gs1:defaultLink", "https://brand.example/x");
    dressed["hreflang"] = json!(["zh"]);
    assert_eq!(
        refused(&stage.officer, &dressed).await,
        "link_type default-with-attributes"
    );
    stage.app.settled().await;
    for accept in ["*/*", "text/html"] {
        let led = stage.get_as(&place, &[("accept", accept)]).await;
        assert_eq!(
            led.header("location"),
            "https://brand.example/where",
            "{accept}"
        );
    }
    // What is narrower walks up.
    let gate = format!("{place}/254/GATE1");
    assert_eq!(
        stage.get(&gate).await.header("location"),
        "https://brand.example/where"
    );
    let body = stage.linkset(&gate).await;
    valid(LINKSET_SCHEMA, &body);
    assert_eq!(body["linkset"][0]["anchor"], stage.url(&place));
    assert!(body["linkset"][0][format!("{VOCABULARY}defaultLink")].is_array());
    stage.app.stop().await;
});

on_both!(
    the_same_link_again_is_one_link_with_the_newer_title,
    |app| {
        let stage = Stage::set(app).await;
        let mut new = link(&stage.product, "gs1:faqs", "https://brand.example/faqs");
        let first = stage.register(&new).await;
        new["title"] = json!("新标题");
        assert_eq!(stage.register(&new).await, first);
        stage.app.settled().await;
        let text = stage.linkset(&stage.product).await.to_string();
        assert_eq!(text.matches("https://brand.example/faqs\"").count(), 1);
        assert!(text.contains("新标题"));
        stage.app.stop().await;
    }
);

on_both!(a_hundred_links_an_anchor_and_no_more, |app| {
    let stage = Stage::set(app).await;
    let held = stage
        .officer
        .get(&format!("/v1/links?anchor={}", stage.product))
        .await;
    let held = held.json()["items"].as_array().map_or(0, Vec::len);
    for n in held..100 {
        let href = format!("https://brand.example/{n}");
        stage
            .register(&link(&stage.product, "gs1:review", &href))
            .await;
    }
    let more = link(&stage.product, "gs1:review", "https://brand.example/more");
    assert_eq!(refused(&stage.officer, &more).await, "anchor too-many");
    stage.app.settled().await;
    // All of them are offered, and a choice among so many is still a choice.
    valid(LINKSET_SCHEMA, &stage.linkset(&stage.tin).await);
    let answer = stage
        .get(&format!("{}?linkType=gs1:review", stage.tin))
        .await;
    assert_eq!(answer.status, 300);
    stage.app.stop().await;
});

on_both!(an_operator_registers_and_the_log_tells_it, |app| {
    let stage = Stage::set(app).await;
    let operator =
        json!({"username": "op.links", "password": "a long enough one", "role": "operator"});
    let made = stage.officer.post("/v1/users", &operator).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let operator = stage.app.signed_in("op.links", "a long enough one").await;
    let new = link(
        &stage.product,
        "gs1:tutorial",
        "https://brand.example/tutorial",
    );
    assert_eq!(operator.post("/v1/links", &new).await.status, 201);
    let entries = stage.officer.get("/v1/log?limit=500").await.text();
    assert!(entries.contains("links_changed"), "the log says who did it");
    stage.app.settled().await;
    let led = stage.leads("linkType=gs1:tutorial", &[]).await;
    assert!(led.starts_with("307 https://brand.example/tutorial"));
    stage.app.stop().await;
});
