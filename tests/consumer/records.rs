//! What stands behind a code: its batch, the batch's recalls, the published table.

use crate::support::{batch_of, close, officer, path_of, recall, scan};
use serde_json::json;
use suyuan_tests::{TestApp, on_both};

on_both!(
    a_batch_not_yet_published_is_legal_but_not_confirmed,
    |app| {
        let demo = app.world().await;
        let tin = unpublished(&app, &demo).await;
        let (status, view) = scan(&app, &tin).await;
        assert_eq!(status, 200);
        assert_eq!(view.verdict(), "legal caution cannot_confirm");
        assert!(view.public_info.is_empty(), "{:?}", view.public_info);
        assert_eq!(view.code.batch.as_deref(), Some("NEW-1"));
        let page = app.consumer().page(&tin).await.text();
        assert!(page.contains("verdict caution") && !page.contains("verdict ok"));
        app.stop().await;
    }
);

/// A tin of a batch that shows nothing yet.
async fn unpublished(app: &TestApp, demo: &suyuan::demo::Demo) -> String {
    let officer = officer(app, demo).await;
    let (_, tin) = scan(app, &demo.codes.legal[0]).await;
    let product = batch_of(&officer, &tin.code.batch.expect("a lot")).await["product_id"].clone();
    let today = app.clock.today().to_string();
    let batch = json!({
        "product_id": product, "lot": "NEW-1", "production_date": today,
        "fields": {"finished_product.shelf_life": "24个月"},
    });
    let made = officer.post("/v1/batches", &batch).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let code = &demo.codes.not_commissioned[0];
    let order = json!({"batch_id": made.json()["id"], "codes": [code]});
    let done = officer.post("/v1/commissions", &order).await;
    assert_eq!(done.status, 201, "{}", done.text());
    app.settled().await;
    path_of(code).to_owned()
}

on_both!(of_several_open_recalls_the_newest_is_shown, |app| {
    let demo = app.world().await;
    let tin = &demo.codes.legal[0];
    let officer = officer(&app, &demo).await;
    let (_, before) = scan(&app, tin).await;
    let batch = batch_of(&officer, &before.code.batch.expect("a lot")).await["id"].clone();
    let mut recalls = Vec::new();
    for reason in ["first", "second", "third"] {
        recalls.push(recall(&officer, &batch, reason).await);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    app.settled().await;
    for (open, shown) in [(3, "third"), (2, "second"), (1, "first")] {
        let (_, view) = scan(&app, tin).await;
        assert_eq!(view.verdict(), "legal stop recalled");
        let told = view.recall.expect("a recall");
        assert_eq!(told.reason, shown);
        assert_eq!(told.id.to_string(), recalls[open - 1]);
        assert_eq!(told.instructions, "退回门店");
        let opened: jiff::Timestamp = told.opened_at.parse().expect("an instant");
        assert!(opened.duration_until(jiff::Timestamp::now()).as_secs() < 60);
        assert!(app.consumer().page(tin).await.text().contains(shown));
        close(&officer, &recalls[open - 1]).await;
        app.settled().await;
    }
    let (_, view) = scan(&app, tin).await;
    assert_eq!(view.verdict(), "legal ok");
    assert!(view.recall.is_none());
    app.stop().await;
});

on_both!(table_8_stands_in_printed_order_with_both_titles, |app| {
    let demo = app.world().await;
    for (url, most) in [(&demo.codes.legal[0], 26), (&demo.codes.care[0], 19)] {
        let (_, view) = scan(&app, url).await;
        let numbers: Vec<u16> = view.public_info.iter().map(|item| item.no).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert!(
            numbers.len() >= 18 && *numbers.last().expect("items") <= most,
            "{numbers:?}"
        );
        for item in &view.public_info {
            assert!(
                !item.name.is_empty() && !item.title_zh.is_empty(),
                "{item:?}"
            );
            assert!(item.title_en.is_ascii(), "{item:?}");
            assert!(
                ["class", "batch", "item"].contains(&item.level.as_str()),
                "{item:?}"
            );
            let shaped = match &item.value {
                serde_json::Value::String(text) => !text.is_empty(),
                serde_json::Value::Array(list) => list
                    .iter()
                    .all(|one| one["title_zh"].is_string() && one["title_en"].is_string()),
                _ => false,
            };
            assert!(shaped, "{item:?}");
        }
        // The trace code itself is one of the items.
        let serial = view
            .code
            .serial
            .clone()
            .unwrap_or_else(|| view.code.canonical.trim_start_matches("/c/").to_owned());
        let told = view.public_info.iter().any(|item| {
            item.value
                .as_str()
                .is_some_and(|text| text.contains(&serial))
        });
        assert!(told, "no item shows {serial}");
    }
    app.stop().await;
});

on_both!(files_of_table_8_open_and_nothing_else_does, |app| {
    let demo = app.world().await;
    let (_, view) = scan(&app, &demo.codes.legal[0]).await;
    let files: Vec<String> = view
        .public_info
        .iter()
        .filter_map(|item| item.value.as_array())
        .flatten()
        .filter_map(|file| file["hash"].as_str().map(str::to_owned))
        .collect();
    assert!(!files.is_empty());
    for hash in &files {
        let file = app.consumer().get(&format!("/files/{hash}")).await;
        assert_eq!(
            (file.status, file.header("content-type")),
            (200, "application/pdf")
        );
        assert!(file.body.starts_with(b"%PDF-"));
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        assert_eq!(
            file.header("content-security-policy"),
            "default-src 'none'; sandbox"
        );
        let page = app.consumer().page(&demo.codes.legal[0]).await.text();
        assert!(page.contains(&format!("href=\"/files/{hash}\"")));
    }
    let (nobody, upper) = ("0".repeat(64), files[0].to_ascii_uppercase());
    for wrong in [
        nobody.as_str(),
        &upper,
        "x",
        "..%2f..%2fetc%2fpasswd",
        &files[0][1..],
    ] {
        let answer = app.consumer().get(&format!("/files/{wrong}")).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "not-found"),
            "{wrong}"
        );
    }
    app.stop().await;
});

/// The data for programs in a page, as JSON.
fn linked_data(page: &str) -> Option<serde_json::Value> {
    let (_, rest) = page.split_once("<script type=\"application/ld+json\">")?;
    let (data, after) = rest.split_once("</script>").expect("an end");
    assert!(!after.contains("<script"), "one block only");
    Some(serde_json::from_str(data).expect("JSON"))
}

on_both!(a_page_holds_its_product_for_programs, |app| {
    let demo = app.world().await;
    for (url, gtin) in [
        (&demo.codes.legal[0], Some("09521234000013")),
        (&demo.codes.recalled[0], Some("09521234000013")),
        // Of the own scheme: no GTIN is claimed.
        (&demo.codes.care[0], None),
    ] {
        let (_, view) = scan(&app, url).await;
        let named = |name: &str| {
            let mut items = view.public_info.iter();
            let item = items.find(|item| item.name == name).expect("published");
            item.value.clone()
        };
        for encoding in ["identity", "gzip"] {
            let headers = [("accept", "text/html"), ("accept-encoding", encoding)];
            let answer = app.consumer().get_with(url, &headers).await;
            let html = if encoding == "gzip" {
                let mut text = String::new();
                let mut packed = flate2::read::GzDecoder::new(&answer.body[..]);
                std::io::Read::read_to_string(&mut packed, &mut text).expect("gzip");
                text
            } else {
                answer.text()
            };
            let data = linked_data(&html).expect("data");
            assert_eq!(data["@context"], "https://schema.org");
            assert_eq!(data["@type"], "Product");
            assert_eq!(data["gtin"].as_str(), gtin, "{data}");
            assert_eq!(data["name"], named("product_name"));
            assert_eq!(data["brand"]["name"], named("enterprise_name"));
        }
    }
    // Of what nobody issued nothing is claimed.
    for url in [&demo.codes.forged[0], &demo.codes.not_allocated[0]] {
        let page = app.consumer().page(url).await.text();
        assert!(linked_data(&page).is_none(), "{url}");
    }
    app.stop().await;
});
