//! Files over HTTP.

use super::{
    rules::{FILE_BYTES_MAX, FileKind, is_hash},
    store,
    wire::{FileOut, FileQuery},
};
use crate::{
    app::Internal,
    http::{
        auth::{Looks, Staff},
        body::{self, KeyHeader},
        page::WhoseQuery,
    },
    problem::{Problem, ProblemBody, ProblemCode},
    registry::fields,
};
use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header,
    post,
    web::{Data, Path, Payload, Query},
};
use aws_lc_rs::digest;
use std::fmt::Write;

/// Keep a file: PDF, PNG or JPEG of at most 4 MiB as the request body. Its hash is then the value
/// of a field of type file.
#[utoipa::path(tag = "registry", operation_id = "create_file", params(FileQuery, KeyHeader),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    security(("bearer" = [])),
    responses((status = 201, body = FileOut), (status = 413, body = ProblemBody),
    (status = 415, body = ProblemBody)))]
#[post("/v1/files")]
pub async fn create_file(
    state: Data<Internal>,
    caller: Staff,
    request: HttpRequest,
    query: Query<FileQuery>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    fields::check_name("title", &query.title)?;
    let bytes = body::read(payload.into_inner(), FILE_BYTES_MAX).await?;
    let kind = FileKind::of(&bytes).ok_or_else(|| {
        Problem::new(ProblemCode::UnsupportedMediaType)
            .detail("send a PDF, PNG or JPEG", "请上传 PDF、PNG 或 JPEG 文件")
    })?;
    let key = body::idempotency_key(&request, &bytes)?;
    let file = FileOut {
        hash: hash(&bytes),
        media_type: kind.media_type().into(),
        title: query.into_inner().title,
        size: bytes.len() as i64,
    };
    let out = store::put(
        &state.log,
        caller.actor,
        key,
        caller.enterprise,
        file,
        bytes.to_vec(),
    )
    .await?;
    Ok(HttpResponse::Created().json(out))
}

/// A file of the caller's enterprise; for a regulator, of one that it names.
#[utoipa::path(tag = "registry", operation_id = "get_file",
    params(("hash" = String, Path), WhoseQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "The file, as it was uploaded",
    content(("application/pdf"), ("image/png"), ("image/jpeg"))), (status = 404, body = ProblemBody)))]
#[get("/v1/files/{hash}")]
pub async fn get_file(
    state: Data<Internal>,
    caller: Looks,
    hash: Path<String>,
    query: Query<WhoseQuery>,
) -> Result<HttpResponse, Problem> {
    let enterprise = caller.at(query.enterprise_id)?;
    if !is_hash(&hash) {
        return Err(Problem::new(ProblemCode::NotFound));
    }
    let file = store::get(&state.db, enterprise, &hash).await?;
    Ok(HttpResponse::Ok()
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ))
        .content_type(file.media_type)
        .body(file.content))
}

/// SHA-256 in lower-case hex.
pub fn hash(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(64);
    for byte in digest::digest(&digest::SHA256, bytes).as_ref() {
        let _ = write!(out, "{byte:02x}"); // writing to a String cannot fail
    }
    out
}
