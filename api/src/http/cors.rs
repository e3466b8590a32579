//! Cross-origin use of the calls that apps make: any page may make them, since they carry no
//! credentials and answer everyone alike.

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderMap, HeaderValue},
};

/// Calls of apps stand below this.
const APP_CALLS: &str = "/v1/public/";

/// Lets any page read the answer to a call of an app.
pub fn open(path: &str, headers: &mut HeaderMap) {
    if path.starts_with(APP_CALLS) {
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("ETag, Retry-After, X-Request-Id"),
        );
    }
}

/// Answers a preflight for `methods`.
pub fn preflight(methods: &'static str) -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, methods))
        .insert_header((
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "content-type, if-none-match",
        ))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "86400"))
        .insert_header((header::ALLOW, methods))
        .finish()
}
