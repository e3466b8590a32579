//! Files of Table 8: told by their bytes, bounded, public only once something published names
//! them, and then harmless.

use crate::{
    operations::{stage, upload},
    publication::shown,
    support::{head, made, ok, refused, refused_field, text_of},
};
use serde_json::json;
use suyuan::registry::files::handlers::hash;
use suyuan_tests::{caller::Method, on_both};

const MAX: usize = 4 * 1024 * 1024;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0";

on_both!(the_first_bytes_decide_what_a_file_is, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    for (bytes, media) in [
        (b"%PDF-1.7 x".to_vec(), "application/pdf"),
        (PNG.to_vec(), "image/png"),
        (JPEG.to_vec(), "image/jpeg"),
    ] {
        // Whatever the sender calls it.
        let headers = [("content-type", "text/html")];
        let answer = admin.send(Method::POST, "/v1/files?title=x", &headers, bytes.clone());
        let kept = made(answer.await);
        assert_eq!(kept["media_type"], media);
        assert_eq!(kept["size"], bytes.len());
        assert_eq!(kept["hash"], hash(&bytes));
        let read = admin
            .get(&format!("/v1/files/{}", text_of(&kept["hash"])))
            .await;
        assert_eq!(read.body, bytes);
        assert_eq!(read.header("content-type"), media);
        assert_eq!(read.header("x-content-type-options"), "nosniff");
        assert!(read.header("content-security-policy").contains("sandbox"));
    }
    let before = head(&app).await;
    for bytes in [
        &b""[..],
        b"%PDF",
        b" %PDF-1.4",
        b"<svg onload=alert(1)>",
        b"<!doctype html>",
        b"PK\x03\x04",
        b"GIF89a",
        b"MZ",
        b"\x00\x00\x00",
        b"{\"a\":1}",
    ] {
        let answer = upload(admin, "x", bytes.to_vec()).await;
        assert_eq!(answer.status, 415);
        refused(answer, "unsupported-media-type");
    }
    assert_eq!(head(&app).await, before);
    app.stop().await;
});

on_both!(a_file_has_at_most_four_mebibytes, |app| {
    let (_, stage) = stage(&app).await;
    let of = |len: usize| {
        let mut bytes = b"%PDF-1.4 ".to_vec();
        bytes.resize(len, b'x');
        bytes
    };
    let answer = upload(&stage.firm.admin, "x", of(MAX + 1)).await;
    assert_eq!(answer.status, 413);
    refused(answer, "too-large");
    let kept = made(upload(&stage.firm.admin, "x", of(MAX)).await);
    assert_eq!(kept["size"], MAX);
    let path = format!("/v1/files/{}", text_of(&kept["hash"]));
    assert_eq!(stage.firm.admin.get(&path).await.body.len(), MAX);
    app.stop().await;
});

on_both!(a_file_has_a_title, |app| {
    let (_, stage) = stage(&app).await;
    let admin = &stage.firm.admin;
    let send = async |path: &str| {
        let bytes = b"%PDF-1.4".to_vec();
        admin.send(Method::POST, path, &[], bytes).await
    };
    refused(send("/v1/files").await, "malformed-request");
    refused(send("/v1/files?titel=x").await, "malformed-request");
    refused(send("/v1/files?title=a&title=b").await, "malformed-request");
    refused(send("/v1/files?title=a&more=b").await, "malformed-request");
    for (bad, fault) in [
        ("", "length"),
        ("%20", "length"),
        ("a%00b", "hidden-character"),
        ("a%0Ab", "line-break"),
        (&"x".repeat(201), "length"),
    ] {
        let answer = send(&format!("/v1/files?title={bad}")).await;
        refused_field(answer, "title", fault);
    }
    let kept = made(send("/v1/files?title=%E6%8A%A5%E5%91%8A").await);
    assert_eq!(kept["title"], "报告");
    app.stop().await;
});

on_both!(a_file_that_is_not_there_is_not_found, |app| {
    let (_, stage) = stage(&app).await;
    for hash in [
        "0".repeat(64),
        "x".into(),
        "..".into(),
        "%2e%2e%2fetc".into(),
        stage.file.to_uppercase(),
    ] {
        let answer = stage.firm.admin.get(&format!("/v1/files/{hash}")).await;
        assert_eq!(answer.status, 404, "{hash}");
        let answer = app.consumer().get(&format!("/files/{hash}")).await;
        assert_eq!(answer.status, 404, "{hash}");
        refused(answer, "not-found");
    }
    app.stop().await;
});

on_both!(a_file_is_public_once_something_published_names_it, |app| {
    let demo = app.world().await;
    let shown = shown(&app, &demo, true).await;
    let bytes = b"%PDF-1.4 a new report".to_vec();
    let kept = made(upload(&shown.admin, "report", bytes.clone()).await);
    let hash = text_of(&kept["hash"]);
    let public = format!("/files/{hash}");
    let hidden = async |when: &str| {
        let answer = app.consumer().get(&public).await;
        assert_eq!(answer.status, 404, "{when}");
    };
    hidden("uploaded").await;
    let mut fields = shown.batch["fields"].clone();
    fields["finished_product.product_inspection_report"] = json!([hash]);
    shown.revise_batch(&fields).await;
    hidden("filed").await;
    ok(shown
        .admin
        .post(&shown.publish_batch_path(), &json!({}))
        .await);

    let answer = app.consumer().get(&public).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, bytes);
    assert_eq!(answer.header("content-type"), "application/pdf");
    assert_eq!(
        answer.header("content-security-policy"),
        "default-src 'none'; sandbox"
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("content-disposition"), "inline");
    assert_eq!(
        answer.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(answer.header("set-cookie"), "");
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let same = app
        .consumer()
        .send(Method::HEAD, &public, &[], Vec::new())
        .await;
    assert_eq!((same.status, same.body.len()), (200, 0));
    let post = app
        .consumer()
        .send(Method::POST, &public, &[], Vec::new())
        .await;
    assert_eq!(post.status, 405);
    app.settled().await;
    let page = app.consumer().page(&shown.code).await.text();
    assert!(page.contains(&public), "the page links it: {page}");
    app.stop().await;
});
