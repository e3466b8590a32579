//! The two files over HTTP: by GET, without a redirect, as `application/json`, which is what the
//! phones' systems insist on.

use super::AppLinkFiles;
use crate::problem::{Problem, ProblemBody, ProblemCode};
use actix_web::{HttpResponse, http::header, web::Data};
use bytes::Bytes;

/// Which Android app opens printed codes (App Links).
///
/// 404 where none is set.
#[utoipa::path(get, path = "/.well-known/assetlinks.json", tag = "app",
    operation_id = "get_android_links",
    responses((status = 200, content_type = "application/json", body = Vec<Object>),
    (status = 404, body = ProblemBody)))]
pub async fn android(files: Data<AppLinkFiles>) -> Result<HttpResponse, Problem> {
    answer(files.android.as_ref())
}

/// Which iOS apps open printed codes (Universal Links).
///
/// 404 where none is set.
#[utoipa::path(get, path = "/.well-known/apple-app-site-association", tag = "app",
    operation_id = "get_apple_links",
    responses((status = 200, content_type = "application/json", body = Object),
    (status = 404, body = ProblemBody)))]
pub async fn apple(files: Data<AppLinkFiles>) -> Result<HttpResponse, Problem> {
    answer(files.apple.as_ref())
}

fn answer(file: Option<&Bytes>) -> Result<HttpResponse, Problem> {
    let file = file.ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(file.clone()))
}
