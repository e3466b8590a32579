//! A part of a snapshot or recall list, over HTTP: immutable, named by its hash, and fetched in
//! pieces where a connection breaks.

use super::chunk_store;
use crate::{
    app::Internal,
    handheld::anchor::ANCHOR_HEADER,
    http::device::DeviceRead,
    problem::{Problem, ProblemBody, ProblemCode},
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, get,
    http::{
        StatusCode,
        header::{self, Header, Range},
    },
    web::{Data, Path},
};
use suyuan_sync::chain::Hash;
use utoipa::ToSchema;

/// Bytes as they are.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it stands in the document only")]
struct Octets(Vec<u8>);

/// A part of a snapshot or of a recall list, by its SHA-256 (64 hexadecimal digits), as one of the
/// device's enterprise was told of it within the last 48 hours. Its bytes never change: `ETag` is
/// the hash, and a break is made good with `Range` (one range of bytes; several are answered with
/// the whole). Signed as `GET /v1/sync/status` is.
///
/// The anchor of an answer stands in its header `Suyuan-Anchor`, since its bytes are the chunk's and never
/// change. A kept answer has the anchor of its day: the greatest anchor a device holds is the one that counts,
/// so an old one changes nothing, and an answer is kept for no other device (`private`).
///
/// 404 when it is not kept any more: ask for the list or snapshot again.
#[utoipa::path(tag = "handheld", operation_id = "get_sync_chunk", security(("device" = [])),
    params(("hash" = String, Path, description = "SHA-256 of its bytes")),
    responses((status = 200, body = inline(Octets), content_type = "application/octet-stream",
        headers(("Suyuan-Anchor" = String, description = "The anchor of this answer."))),
    (status = 206, description = "The range asked for.", body = inline(Octets),
        content_type = "application/octet-stream",
        headers(("Suyuan-Anchor" = String, description = "The anchor of this answer."))),
    (status = 304, description = "The device has it: `If-None-Match` named its hash.",
        headers(("Suyuan-Anchor" = String, description = "The anchor of this answer."))),
    (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody),
    (status = 416, description = "It has no such bytes; `Content-Range` says how many it has.",
        headers(("Suyuan-Anchor" = String, description = "The anchor of this answer.")))))]
#[get("/v1/sync/chunks/{hash}")]
pub async fn get_chunk(
    state: Data<Internal>,
    device: DeviceRead,
    hash: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(ProblemCode::NotFound);
    let hash: Hash = hash.parse().map_err(|_| unknown())?;
    let enterprise = device.0.enterprise;
    let bytes = chunk_store::bytes(state.db.reader(), enterprise, &hash).await?;
    let bytes = bytes.ok_or_else(unknown)?;
    // Behind the bytes: no position that is told of in them is above it.
    let (_, stamp) = state.log.head().await?;
    let (anchors, now) = (&state.handheld.anchors, state.log.now());
    let anchor = anchors.issue(device.0.device, device.0.epoch, stamp, now);
    let etag = format!("\"{hash}\"");
    let with = |status| with(status, &etag, &anchor);
    let names = |name: header::HeaderName| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some(value.split(',').any(|tag| tag.trim() == etag))
    };
    if names(header::IF_NONE_MATCH) == Some(true) {
        return Ok(with(StatusCode::NOT_MODIFIED).finish());
    }
    // A range of something else is of no use.
    let asked = match names(header::IF_RANGE) {
        Some(false) => None,
        Some(true) | None => Range::parse(&request).ok(),
    };
    let Some(Range::Bytes(ranges)) = asked else {
        return Ok(with(StatusCode::OK).body(bytes));
    };
    let [range] = &ranges[..] else {
        return Ok(with(StatusCode::OK).body(bytes));
    };
    let whole = bytes.len() as u64;
    let piece = range.to_satisfiable_range(whole).and_then(|(from, to)| {
        let piece = bytes.get(from as usize..=to as usize)?;
        Some((from, to, piece.to_vec()))
    });
    let Some((from, to, piece)) = piece else {
        return Ok(with(StatusCode::RANGE_NOT_SATISFIABLE)
            .insert_header((header::CONTENT_RANGE, format!("bytes */{whole}")))
            .finish());
    };
    Ok(with(StatusCode::PARTIAL_CONTENT)
        .insert_header((header::CONTENT_RANGE, format!("bytes {from}-{to}/{whole}")))
        .body(piece))
}

fn with(status: StatusCode, etag: &str, anchor: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::ETAG, etag.to_owned()))
        .insert_header((ANCHOR_HEADER, anchor.to_owned()))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((
            header::CACHE_CONTROL,
            "private, max-age=31536000, immutable",
        ))
        .insert_header((header::CONTENT_TYPE, "application/octet-stream"));
    response
}
