//! `/app/`: the app's files over HTTP, under the content security policy they are made for.

use super::files;
use crate::{
    http,
    problem::{Problem, ProblemCode},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ContentEncoding},
    web::Path,
};

/// Scripts, styles, pictures and calls of this origin; nothing else, nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; manifest-src 'self'; worker-src 'self'; media-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types app";

/// The same for the pages beside the app, with pictures that stand in an answer: the QR code.
const OFFICE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// A file of the app. It is asked for anew each time and told again only when it changed: the app
/// itself keeps its files for when there is no network.
pub async fn app_file(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, Problem> {
    let file = files::find(&path).ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
    let zipped = http::header_text(&request, &header::ACCEPT_ENCODING).contains("gzip")
        && !file.gzip.is_empty();
    let policy = if file.is_office {
        OFFICE_POLICY
    } else {
        POLICY
    };
    let etag = format!("\"{}{}\"", file.etag, if zipped { "-gz" } else { "" });
    let known = http::header_text(&request, &header::IF_NONE_MATCH);
    let same = known.split(',').any(|tag| tag.trim() == etag);
    let mut answer = if same {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    answer
        .insert_header((header::ETAG, etag))
        .insert_header((header::VARY, "accept-encoding"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("referrer-policy", "no-referrer"))
        .insert_header(("permissions-policy", "camera=(self)"))
        .insert_header((header::CONTENT_TYPE, file.media));
    if same {
        return Ok(answer.finish());
    }
    if zipped {
        answer.insert_header(ContentEncoding::Gzip);
        return Ok(answer.body(file.gzip.as_slice()));
    }
    Ok(answer.body(file.bytes))
}

/// Its folder has a stroke at the end.
pub async fn to_app() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/app/"))
        .finish()
}
