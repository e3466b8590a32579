//! `/app/authority.crt` and `/app/authority.json`: what a device has to trust before it trusts
//! anything here, and what people compare. Asked for over a connection nobody trusts yet, so neither
//! proves anything by itself.

use super::Authority;
use crate::{
    app::Internal,
    problem::{Problem, ProblemCode},
};
use actix_web::{
    HttpResponse,
    http::header::{self, ContentDisposition},
    web::Data,
};
use serde_json::json;

/// The authority's certificate in DER, as phones take it.
pub async fn authority_certificate(state: Data<Internal>) -> Result<HttpResponse, Problem> {
    let authority = known(&state)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(ContentDisposition::attachment("suyuan-authority.crt"))
        .content_type("application/x-x509-ca-cert")
        .body(authority.der.to_vec()))
}

/// Its fingerprint: whole, in groups, and its beginning in words.
pub async fn authority_fingerprint(state: Data<Internal>) -> Result<HttpResponse, Problem> {
    let fingerprint = known(&state)?.fingerprint;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .json(json!({
            "sha256": fingerprint.to_string(),
            "groups": fingerprint.groups(),
            "words_zh": fingerprint.hanzi(),
            "words_en": fingerprint.english(),
        })))
}

fn known(state: &Internal) -> Result<&Authority, Problem> {
    let given = &state.settings.handheld.certificate_fingerprint;
    let known = state.authority.as_ref();
    // Where devices meet another certificate first, this authority is not theirs to trust.
    let known = known.filter(|ours| given.is_empty() || *given == ours.fingerprint.to_string());
    known.ok_or_else(|| Problem::new(ProblemCode::NotFound))
}
