//! Formats, languages, validators.

use crate::support::{View, batch_of, officer, path_of, recall, until};
use std::time::Duration;
use suyuan_tests::{Answer, TestApp, on_both};

const PAGE: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

/// Looks without being counted.
async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![("user-agent", "suyuan-test-monitor")];
    all.extend_from_slice(headers);
    app.consumer().get_with(path, &all).await
}

on_both!(people_get_the_page_and_programs_what_they_name, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let cases = [
        ("application/json", JSON),
        ("application/json;q=0.9, */*;q=0.1", JSON),
        ("text/html", PAGE),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            PAGE,
        ),
        ("text/html, application/json", PAGE),
        ("text/html;q=0.1, application/json", JSON),
    ];
    for (accept, expected) in cases {
        let answer = get(&app, tin, &[("accept", accept)]).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, expected),
            "{accept}"
        );
    }
    // Who names nothing we have is sent to the page, with all the code said.
    let page = format!("{}/p{tin}", app.public_url);
    for accept in ["*/*", "image/png", "text/*", "", ",,;q=x"] {
        let answer = get(&app, tin, &[("accept", accept)]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (307, page.as_str()),
            "{accept}"
        );
    }
    assert_eq!(get(&app, tin, &[]).await.header("location"), page);
    assert_eq!(get(&app, &page, &[]).await.header("content-type"), PAGE);
    for path in [
        &demo.codes.legal[0],
        &demo.codes.forged[0],
        &demo.codes.pallet[0],
        &demo.codes.care[0],
    ] {
        let page = format!("/p{}", path_of(path));
        let (always, direct) = (
            get(&app, &page, &[("accept", "application/json")]).await,
            get(&app, path_of(path), &[("accept", "text/html")]).await,
        );
        assert_eq!(always.header("content-type"), PAGE, "{page}");
        assert_eq!(always.status, direct.status, "{page}");
    }
    app.stop().await;
});

on_both!(the_language_asked_for_is_the_language_given, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let cases = [
        (tin.to_owned(), "", "zh-CN"),
        (tin.to_owned(), "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (tin.to_owned(), "fr;q=1, en;q=0.1", "en"),
        (tin.to_owned(), "fr", "zh-CN"),
        (tin.to_owned(), "en;q=0", "zh-CN"),
        (format!("{tin}&lang=en"), "zh-CN", "en"),
        (format!("{tin}&lang=zh-CN"), "en", "zh-CN"),
        (format!("{tin}&lang=%3Cscript%3E"), "en", "en"),
        (format!("/p{tin}&lang=en"), "zh", "en"),
        ("/q".to_owned(), "en", "en"),
        ("/q?lang=en".to_owned(), "zh", "en"),
        ("/q?code=%3F&lang=en".to_owned(), "zh", "en"),
        ("/01/123?lang=en".to_owned(), "zh", "en"),
        ("/nowhere".to_owned(), "en", "en"),
    ];
    for (path, asked, expected) in &cases {
        let headers = [("accept", "text/html"), ("accept-language", *asked)];
        let answer = get(&app, path, &headers).await;
        let text = answer.text();
        assert_eq!(
            answer.header("content-language"),
            *expected,
            "{path} {asked}"
        );
        assert!(
            text.contains(&format!("<html lang=\"{expected}\">")),
            "{path} {asked}"
        );
    }
    // JSON is the same in every language.
    let in_english = get(
        &app,
        tin,
        &[("accept", "application/json"), ("accept-language", "en")],
    )
    .await;
    let in_chinese = get(
        &app,
        tin,
        &[("accept", "application/json"), ("accept-language", "zh")],
    )
    .await;
    assert_eq!(in_english.header("etag"), in_chinese.header("etag"));
    app.stop().await;
});

on_both!(changing_the_language_keeps_all_the_code_said, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let (printed, _) = tin.split_once('?').expect("an expiry");
    let wrong = format!("{printed}?17=200101&x=%22%3E");
    for start in [
        wrong.clone(),
        format!("{wrong}&lang=zh-CN"),
        format!("/p{wrong}"),
        format!("/q?code={}%3F17%3D200101", printed.replace('/', "%2F")),
    ] {
        let page = get(&app, &start, &[("accept", "text/html")]).await.text();
        assert!(page.contains("verdict stop"), "{start}");
        let link = page
            .split("<a href=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let link = link.expect("the other language").replace("&amp;", "&");
        let other = get(&app, &link, &[("accept", "text/html")]).await;
        assert_eq!(other.header("content-language"), "en", "{link}");
        assert!(
            other.text().contains("verdict stop"),
            "{start}: a language turned stop into ok"
        );
    }
    app.stop().await;
});

on_both!(an_answer_not_changed_is_not_sent_again, |app| {
    let demo = app.world().await;
    let officer = officer(&app, &demo).await;
    let tin = path_of(&demo.codes.legal[0]);
    for accept in ["application/json", "text/html"] {
        let first = get(&app, tin, &[("accept", accept)]).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
        // Some confirmations later only `as_of` moved.
        tokio::time::sleep(Duration::from_millis(1300)).await;
        let later = get(&app, tin, &[("accept", accept)]).await;
        assert_ne!(later.body, first.body, "as_of moved on");
        assert_eq!(later.header("etag"), tag, "{accept}");
        for given in [
            tag.clone(),
            format!("\"x\", {tag}"),
            format!("{tag},W/\"y\""),
        ] {
            let again = get(&app, tin, &[("accept", accept), ("if-none-match", &given)]).await;
            assert_eq!(
                (again.status, again.body.len()),
                (304, 0),
                "{accept} {given}"
            );
            assert_eq!(again.header("etag"), tag);
            assert_eq!(again.header("vary"), first.header("vary"));
            assert_eq!(again.header("cache-control"), "private, no-cache");
        }
        let other = get(
            &app,
            tin,
            &[("accept", accept), ("if-none-match", "W/\"0\"")],
        )
        .await;
        assert_eq!(other.status, 200);
    }
    let page = get(&app, tin, &[("accept", "text/html")])
        .await
        .header("etag")
        .to_owned();
    let json = get(&app, tin, &[("accept", "application/json")]).await;
    let english = get(
        &app,
        tin,
        &[("accept", "text/html"), ("accept-language", "en")],
    )
    .await;
    assert_ne!(
        page,
        json.header("etag"),
        "another format is another answer"
    );
    assert_ne!(
        page,
        english.header("etag"),
        "another language is another answer"
    );

    // A query counted changes it.
    app.consumer().page(tin).await;
    let counted = || async {
        get(&app, tin, &[("accept", "application/json")])
            .await
            .header("etag")
            != json.header("etag")
    };
    until("a new tag after a query", Duration::from_secs(9), counted).await;
    let counted = get(&app, tin, &[("accept", "application/json")]).await;
    assert_eq!(View::of(&counted).queries.count, 1);
    // So does a recall.
    let lot = View::of(&counted).code.batch.expect("a lot");
    let batch = batch_of(&officer, &lot).await["id"].clone();
    recall(&officer, &batch, "x").await;
    app.settled().await;
    let tag = counted.header("etag").to_owned();
    let recalled = get(
        &app,
        tin,
        &[("accept", "application/json"), ("if-none-match", &tag)],
    )
    .await;
    assert_eq!(recalled.status, 200);
    assert_eq!(View::of(&recalled).verdict(), "legal stop recalled");
    app.stop().await;
});
